//! Step 5: outgoing calls. A call is a row before it is made, and its try is counted before it begins. What became of
//! it and what the answer says about records commit together.
//!
//! An attempt that may have arrived is repeated only where that does no harm: the vendor knows a repetition by its key,
//! or a look-up has found nothing. Else it is parked as `OUTCOME_UNKNOWN`, and a person decides.
//!
//! [`destination`] says where calls go, [`vendor`] makes those of connections, [`settle`] keeps how they ended.
//! [`lanes`] shares the places among connections, [`circuit`] leaves alone those that are unwell, [`retry`] says when a
//! failed call comes back. [`passthrough`] makes single calls for somebody who waits for them.

mod circuit;
pub(crate) mod destination;
mod lanes;
mod leases;
mod parts;
pub mod passthrough;
mod rates;
mod retry;
mod settle;
pub mod standing;
mod traffic;
mod vendor;
mod watch;

use crate::claims::{LEASE_MICROS, LostClaims};
use crate::hub::{Hub, IDLE};
use crate::trust::{self, CONSENT_MISSING, gate};
use circuit::{Health, changes};
use destination::{Attempt, Tried, resolve};
use hub_kit::parts::is_part;
use hub_kit::{Leave, Pace};
use hub_store::{Call, Circuit, StoreError, job};
use hub_telemetry::{context_of, within};
use hub_tree::TraceContext;
use lanes::{Turns, offers};
use leases::Leases;
use settle::{Ended, settle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;
use traffic::Traffic;
use watch::watch;

/// For how long a circuit that has closed is told to claims: longer than any window, µs.
const REMEMBERED: i64 = 3_700_000_000;

/// What this process knows of the calls that it makes.
#[derive(Default)]
pub(crate) struct Sending {
    /// Until when each claimed call is this process's.
    pub(crate) leases: Leases,
    traffic: Traffic,
    under_way: UnderWay,
    /// Since when circuits are closed that were open not long ago.
    closed: Mutex<BTreeMap<String, i64>>,
}

/// How many calls of each connection are under way.
type UnderWay = Arc<Mutex<BTreeMap<String, usize>>>;

impl Sending {
    fn under_way(&self) -> BTreeMap<String, usize> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, circuits: &[Circuit]) {
        let since = circuits.iter().map(|circuit| (circuit.connection.clone(), circuit.since));
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = since.collect();
    }

    /// Since when a connection's circuit stands as it does; what was counted before says nothing about it.
    fn closed_since(&self, connection: &str) -> i64 {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).get(connection).copied().unwrap_or(0)
    }
}

pub(crate) async fn run(hub: Arc<Hub>) {
    tokio::join!(claim_and_make(&hub), watch(&hub));
}

async fn claim_and_make(hub: &Arc<Hub>) {
    let (mut turns, mut lost) = (Turns::default(), LostClaims::default());
    while !hub.stops() {
        lost.give_back(hub, "calls", &hub.held.calls).await;
        let now = hub.store_now();
        // While a suspect is handled alone, nothing begins.
        let begins = hub.quiet.read().await;
        let claimed = claim(hub, &mut turns, now).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "no calls can be claimed");
            lost.note(&error, now + LEASE_MICROS);
            Vec::new()
        });
        if claimed.is_empty() {
            drop(begins);
            let _ = tokio::time::timeout(IDLE, hub.wake.calls.notified()).await;
            continue;
        }
        for Claimed { call, probe, until } in claimed {
            let slot = Slot::take(&hub.sending.under_way, &call.new.connection);
            let held = (hub.held.calls.hold(call.seq), hub.sending.leases.hold(call.seq, until));
            let hub = Arc::clone(hub);
            tokio::spawn(async move {
                make(&hub, &call, probe).await;
                drop((slot, held));
                hub.wake.calls.notify_one();
            });
        }
    }
}

/// A call to be made now.
struct Claimed {
    call: Call,
    /// It finds out whether the receiver is well: how often the circuit has opened.
    probe: Option<i64>,
    /// When the claim runs out, µs.
    until: i64,
}

async fn claim(hub: &Arc<Hub>, turns: &mut Turns, now: i64) -> Result<Vec<Claimed>, StoreError> {
    // Who has calls under way wants to know of circuits that have changed meanwhile.
    let idle = hub.sending.under_way().is_empty();
    let looking = hub.store.read(job!(|tx| {
        let lanes = tx.due_lanes(now).await?;
        if idle && lanes.is_empty() {
            return Ok(None);
        }
        Ok(Some((lanes, tx.circuits_in_force(now, now - REMEMBERED).await?)))
    }));
    let Some((lanes, circuits)) = looking.await? else { return Ok(Vec::new()) };
    hub.sending.learn(&circuits);
    let busy = hub.sending.under_way().values().sum();
    let shared = turns.share(offers(hub, lanes, &circuits, now), busy);
    if shared.is_empty() {
        return Ok(Vec::new());
    }
    let (node, until) = (hub.node.clone(), now + LEASE_MICROS);
    let inner = Arc::clone(hub);
    let claiming = hub.store.write(job!(|tx| {
        let (mut takes, mut probes) = (Vec::new(), BTreeMap::new());
        for (offer, take) in shared {
            match offer.probe {
                Some((opened, counts)) if tx.begin_probe(&offer.connection, &node, now, counts).await? => {
                    probes.insert(offer.connection, opened);
                }
                // Another worker finds out.
                Some(_) => continue,
                None => {}
            }
            takes.push(take);
        }
        let calls = tx.claim_calls(&node, now, until, takes).await?;
        let calls = rates::keep_within(&inner, tx, calls, now).await?;
        for connection in probes.keys() {
            if !calls.iter().any(|call| call.new.connection == *connection) {
                tx.drop_probe(connection, &node).await?;
            }
        }
        Ok((calls, probes))
    }));
    let (calls, probes) = claiming.await?;
    let claimed = |call: Call| Claimed { probe: probes.get(&call.new.connection).copied(), call, until };
    Ok(calls.into_iter().map(claimed).collect())
}

/// One of the calls that a connection may have under way; free again when dropped, however the call ends.
struct Slot(UnderWay, String);

impl Slot {
    fn take(under_way: &UnderWay, connection: &str) -> Self {
        *under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(connection.to_owned()).or_default() += 1;
        Self(Arc::clone(under_way), connection.to_owned())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = map.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                map.remove(&self.1);
            }
        }
    }
}

async fn make(hub: &Arc<Hub>, call: &Call, probe: Option<i64>) {
    let context: TraceContext = call.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let span = within(
        &context,
        tracing::info_span!("call", connection.id = %call.new.connection, operation = %call.new.operation, tries = call.tries),
    );
    let context = context_of(&span, &context);
    attempt(hub, call, context, probe).instrument(span).await;
}

async fn attempt(hub: &Arc<Hub>, call: &Call, trace: TraceContext, probe: Option<i64>) {
    let destination = resolve(hub, &call.new.connection);
    let time = destination.as_ref().map_or(Duration::ZERO, |known| known.time_for(&call.new.operation));
    let begun = Instant::now();
    let held = || hub.sending.leases.holds(call.seq, hub.store_now());
    let leave = Leave { until: begun + time, held: &held };
    let opened = hub.open(&call.new.tenant, &format!("call:{}", call.new.id), &call.new.body.0);
    let (args, began_at) = (opened.as_deref().unwrap_or_default(), hub.clock.micros());
    let attempt = Attempt { hub, call, args, trace, began_at, leave };
    let stopped = match (&destination, &opened) {
        (Some(_), Ok(_)) => gate::stops(hub, call).await,
        _ => None,
    };
    // A part of an answer is there, and what does not leave asks nobody: of the receiver it says nothing.
    let asks = stopped.is_none() && !is_part(&call.new.operation);
    if asks {
        hub.sending.traffic.begun(&call.new.connection, hub.store_now(), call.tries > 1);
    }
    let tried = match (stopped, &destination, &opened) {
        (Some(stopped), ..) => stopped,
        (_, None, _) => {
            let reason = format!("there is no connection `{}` any more", call.new.connection);
            Tried::Impossible("CONNECTION_MISSING", reason)
        }
        (_, _, Err(error)) => Tried::Impossible("UNREADABLE_CALL", error.to_string()),
        (_, Some(known), Ok(_)) => known.attempt(&attempt).await,
    };
    let standard = Pace::default();
    let pace = destination.as_ref().map_or(&standard, |known| known.pace());
    let now = hub.store_now();
    let health = Health::of(&tried, begun.elapsed(), &pace.circuit).filter(|_| asks);
    let mut changes = changes(hub, call, &pace.circuit, (health, probe), now);
    if let Tried::Failed(error, _) = &tried {
        let asked = retry::asked(&pace.retry, error, call.tries);
        changes.extend(asked.map(|(asked, _)| circuit::wait_asked(error, asked, now)));
    }
    let age = Duration::from_micros(u64::try_from(now - call.new.created_at).unwrap_or(0));
    let ended = Ended::of(tried, call.tries, retry::is_last(&pace.retry, call.tries, age));
    let waits = matches!(&ended, Ended::Parked { code, .. } if code == CONSENT_MISSING);
    Box::pin(settle(&attempt, destination.clone(), ended, changes)).await;
    if waits {
        trust::once_parked(hub, call).await;
    }
}
