//! Whose calls are claimed next: round robin over tenants, then over their connections, as far as there are places.
//!
//! A connection may have as many calls under way as it says. All of them share [`PLACES`]; a connection that has none
//! under way gets one beyond that, so that slow ones cannot keep the others from beginning.

use super::circuit::{Gate, gate};
use super::destination::resolve;
use super::retry;
use crate::hub::Hub;
use hub_store::{Circuit, Lane, Take};
use std::collections::{BTreeMap, VecDeque};

/// Calls of this process that are under way at once.
const PLACES: usize = 64;
/// With those of connections that would have none else.
const MOST_PLACES: usize = 256;
/// How long calls of a connection that this node does not know are left to nodes that do, µs: the connection may just
/// have been added, or its configuration is being rolled out.
const UNKNOWN_FOR: i64 = 600_000_000;

/// Between the end of a probe's time and the next probe, if the worker that made it has died, µs.
const AFTER_A_PROBE: i64 = 5_000_000;

/// A connection whose calls may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) tenant: String,
    pub(super) connection: String,
    /// How many.
    pub(super) room: usize,
    /// Whether none of its calls are under way in this process.
    pub(super) idle: bool,
    /// The one call finds out whether the receiver is well: how often the circuit has opened, and until when it counts.
    pub(super) probe: Option<(i64, i64)>,
    pub(super) first_tries: bool,
}

/// What may be claimed of the connections with due calls.
pub(super) fn offers(hub: &Hub, lanes: Vec<Lane>, circuits: &[Circuit], now: i64) -> Vec<Offer> {
    let under_way = hub.sending.under_way();
    let offer = |lane: Lane| {
        let own = under_way.get(&lane.connection).copied().unwrap_or(0);
        let Some(known) = resolve(hub, &lane.connection) else {
            // After a while somebody has to be told.
            let told = own == 0 && now - lane.due_at >= UNKNOWN_FOR;
            return told.then_some(Offer {
                tenant: lane.tenant,
                connection: lane.connection,
                room: 1,
                idle: true,
                probe: None,
                first_tries: false,
            });
        };
        let running = own.max(usize::try_from(lane.running).unwrap_or(0));
        let (room, probe) = match gate(circuits.iter().find(|circuit| circuit.connection == lane.connection), now) {
            Gate::Free => (known.pace().concurrency.saturating_sub(running), None),
            Gate::Probe(opened) => {
                let time = i64::try_from(known.longest().as_micros()).unwrap_or(0);
                (1, Some((opened, now + time + AFTER_A_PROBE)))
            }
            Gate::Shut => (0, None),
        };
        let first_tries = probe.is_none() && retry::is_spent(&known.pace().retry, &hub.sending, &lane.connection, now);
        let Lane { connection, tenant, .. } = lane;
        (room > 0).then_some(Offer { tenant, connection, room, idle: own == 0, probe, first_tries })
    };
    lanes.into_iter().filter_map(offer).collect()
}

/// Who had a turn last: the tenant, and of each tenant the connection.
#[derive(Debug, Default)]
pub(super) struct Turns {
    tenant: String,
    connections: BTreeMap<String, String>,
}

impl Turns {
    /// Shares the places that are free among the offers: one each in every round, behind those who had the last turn.
    pub(super) fn share(&mut self, offers: Vec<Offer>, busy: usize) -> Vec<(Offer, Take)> {
        let mut tenants: BTreeMap<String, VecDeque<(Offer, usize)>> = BTreeMap::new();
        for offer in offers {
            tenants.entry(offer.tenant.clone()).or_default().push_back((offer, 0));
        }
        for (tenant, queue) in &mut tenants {
            queue.make_contiguous().sort_by(|(a, _), (b, _)| a.connection.cmp(&b.connection));
            if let Some(last) = self.connections.get(tenant) {
                let first = queue.iter().position(|(offer, _)| offer.connection > *last).unwrap_or(0);
                queue.rotate_left(first);
            }
        }
        self.connections.retain(|tenant, _| tenants.contains_key(tenant));
        let mut queues: VecDeque<_> = tenants.into_iter().collect();
        let first = queues.iter().position(|(tenant, _)| *tenant > self.tenant).unwrap_or(0);
        queues.rotate_left(first);
        let mut shared: Vec<(Offer, usize)> = Vec::new();
        let mut places = busy;
        while let Some((tenant, mut queue)) = queues.pop_front() {
            while let Some((offer, granted)) = queue.pop_front() {
                let fits = places < PLACES || (offer.idle && granted == 0 && places < MOST_PLACES);
                if !fits || granted >= offer.room {
                    shared.push((offer, granted));
                    continue;
                }
                places += 1;
                self.tenant.clone_from(&tenant);
                self.connections.insert(tenant.clone(), offer.connection.clone());
                queue.push_back((offer, granted + 1));
                break;
            }
            if !queue.is_empty() {
                queues.push_back((tenant, queue));
            }
        }
        let granted = shared.into_iter().filter(|(_, granted)| *granted > 0);
        granted
            .map(|(offer, granted)| {
                let limit = i64::try_from(granted).unwrap_or(1);
                let take = Take { connection: offer.connection.clone(), limit, first_tries: offer.first_tries };
                (offer, take)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(tenant: &str, connection: &str, room: usize) -> Offer {
        Offer {
            tenant: tenant.to_owned(),
            connection: connection.to_owned(),
            room,
            idle: true,
            probe: None,
            first_tries: false,
        }
    }

    fn granted(shared: &[(Offer, Take)]) -> BTreeMap<&str, i64> {
        shared.iter().map(|(_, take)| (take.connection.as_str(), take.limit)).collect()
    }

    #[test]
    fn tenants_come_before_connections_and_nobody_gets_more_than_there_is_room_for() {
        let mut turns = Turns::default();
        let mut offers: Vec<Offer> = (0..30).map(|n| offer("flood", &format!("f{n:02}"), 4)).collect();
        offers.push(offer("small", "s", 9));
        let shared = turns.share(offers, 40);
        let granted = granted(&shared);
        assert_eq!(granted["s"], 9, "{granted:?}");
        assert_eq!(granted.values().sum::<i64>(), 30 + 9, "every idle connection begins, beyond the places too");
        assert!(granted.iter().all(|(connection, count)| *connection == "s" || *count == 1), "{granted:?}");
    }

    #[test]
    fn who_had_a_turn_waits_until_the_others_had_theirs() {
        let mut turns = Turns::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            // One place is free, and everybody has something under way.
            let offers = ["a", "b", "c"].map(|name| Offer { idle: false, ..offer("t", name, 4) });
            let shared = turns.share(offers.into(), PLACES - 1);
            seen.extend(shared.iter().map(|(_, take)| (take.connection.clone(), take.limit)));
        }
        let wanted = ["a", "b", "c", "a"].map(|name| (name.to_owned(), 1));
        assert_eq!(seen, wanted);
    }

    #[test]
    fn slow_connections_that_hold_all_places_keep_nobody_from_beginning() {
        let mut turns = Turns::default();
        let slow = Offer { idle: false, ..offer("t", "slow", 4) };
        let shared = turns.share(vec![slow.clone(), offer("t", "quick", 4)], PLACES);
        assert_eq!(granted(&shared), BTreeMap::from([("quick", 1)]));
        let many = (0..400).map(|n| offer("t", &format!("q{n}"), 4)).collect();
        assert_eq!(turns.share(many, PLACES).len(), MOST_PLACES - PLACES, "memory is bounded");
        assert!(turns.share(vec![slow, offer("t", "quick", 4)], MOST_PLACES).is_empty());
    }
}
