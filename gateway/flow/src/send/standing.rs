//! How the circuits stand, for people: read from the store, so that any node and the command line can tell.

use super::traffic::{Tally, first_slot, slot_of};
use hub_kit::Pace;
use hub_store::{Circuit, CircuitState, Hand, Store, StoreError, job};
use hub_tree::Decimal;
use std::collections::BTreeMap;

/// How the circuit of a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Connection.
    pub connection: String,
    /// `closed`, `half_open` or `open`, a person's word included.
    pub state: &'static str,
    /// Since when, µs; nothing when it never changed.
    pub since: Option<i64>,
    /// Why it is not closed.
    pub why: String,
    /// What a person decided.
    pub hand: Option<Hand>,
    /// When an open circuit lets one call through, µs.
    pub next_probe_at: Option<i64>,
    /// Until when the receiver asked to wait, µs, and in which words.
    pub waits: Option<(i64, String)>,
    /// Calls of the window that say something about the receiver's health.
    pub calls: i64,
    /// The share of them that failed by its fault.
    pub error_rate: Decimal,
    /// The share of them that was slow.
    pub slow_rate: Decimal,
    /// Length of the window, seconds.
    pub window_secs: u64,
}

/// How the circuits of connections stand. `paces` says which, and how they are paced; `others` adds those that only the
/// store knows, such as subscribers.
///
/// # Errors
/// The store fails.
pub async fn standings(
    store: &Store,
    now: i64,
    paces: &BTreeMap<String, Pace>,
    others: bool,
) -> Result<Vec<Standing>, StoreError> {
    let standard = Pace::default();
    let longest = paces.values().map(|pace| pace.circuit.window).max().unwrap_or_default();
    let oldest = slot_of(now) - slot_of(i64::try_from(longest.max(standard.circuit.window).as_micros()).unwrap_or(0));
    let (circuits, counts) =
        store.read(job!(|tx| { Ok((tx.circuits().await?, tx.counts(oldest, "").await?)) })).await?;
    let mut found: BTreeMap<&str, Option<&Circuit>> = paces.keys().map(|id| (id.as_str(), None)).collect();
    for circuit in &circuits {
        if others || paces.contains_key(&circuit.connection) {
            found.insert(&circuit.connection, Some(circuit));
        }
    }
    let standing = |(id, circuit): (&str, Option<&Circuit>)| {
        let pace = paces.get(id).unwrap_or(&standard);
        let first = first_slot(now, pace.circuit.window, circuit.map_or(0, |circuit| circuit.since));
        let mut tally = Tally::default();
        counts.iter().filter(|c| c.connection == id && c.slot >= first).for_each(|counts| tally.add(counts));
        Standing::of(id, circuit, tally, pace, now)
    };
    Ok(found.into_iter().map(standing).collect())
}

impl Standing {
    fn of(connection: &str, circuit: Option<&Circuit>, tally: Tally, pace: &Pace, now: i64) -> Self {
        let hand = circuit.and_then(|circuit| circuit.hand.clone());
        let state = match (&hand, circuit) {
            (Some(hand), _) if hand.open => CircuitState::Open,
            (None, Some(circuit)) => circuit.state,
            (Some(_), _) | (None, None) => CircuitState::Closed,
        };
        let why = match (&hand, circuit) {
            (Some(hand), _) => format!("decided by {}", hand.by),
            (None, circuit) => circuit.map(|circuit| circuit.why.clone()).unwrap_or_default(),
        };
        let open = |circuit: &&Circuit| hand.is_none() && circuit.state == CircuitState::Open;
        let waits = |circuit: &&Circuit| hand.is_none() && circuit.wait_until > now;
        let rate = |count: i64| {
            let rate = Decimal::from(count).checked_div(Decimal::from(tally.calls)).unwrap_or_default();
            rate.round_dp(3).normalize()
        };
        Self {
            connection: connection.to_owned(),
            state: state.word(),
            since: circuit.map(|circuit| circuit.since).filter(|since| *since > 0),
            why,
            next_probe_at: circuit.filter(open).map(|circuit| circuit.next_probe_at),
            waits: circuit.filter(waits).map(|circuit| (circuit.wait_until, circuit.wait_why.clone())),
            calls: tally.calls,
            error_rate: rate(tally.failed),
            slow_rate: rate(tally.slow),
            window_secs: pace.circuit.window.as_secs(),
            hand,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_shows_rates_in_decimals_and_a_persons_word_first() {
        let tally = Tally { calls: 3, failed: 1, slow: 2, ..Tally::default() };
        let closed = Standing::of("c", None, tally, &Pace::default(), 10);
        assert_eq!(
            (closed.state, closed.error_rate.to_string(), closed.slow_rate.to_string()),
            ("closed", "0.333".to_owned(), "0.667".to_owned())
        );
        assert_eq!((closed.since, closed.next_probe_at, closed.waits), (None, None, None));
        let none = Standing::of("c", None, Tally::default(), &Pace::default(), 10);
        assert_eq!(none.error_rate, Decimal::ZERO, "without calls there is no rate to speak of");
        let circuit = Circuit {
            connection: "c".to_owned(),
            tenant: "default".to_owned(),
            state: CircuitState::Open,
            since: 5,
            why: "5 of 10 calls failed".to_owned(),
            next_probe_at: 50,
            opened: 1,
            probe_until: 0,
            hand: None,
            wait_until: 20,
            wait_why: "HTTP 429".to_owned(),
        };
        let open = Standing::of("c", Some(&circuit), tally, &Pace::default(), 10);
        assert_eq!((open.state, open.next_probe_at), ("open", Some(50)));
        assert_eq!(open.waits, Some((20, "HTTP 429".to_owned())));
        let hand = Some(Hand { open: false, by: "petra".to_owned(), at: 9 });
        let decided = Standing::of("c", Some(&Circuit { hand, ..circuit }), tally, &Pace::default(), 10);
        assert_eq!((decided.state, decided.why.as_str()), ("closed", "decided by petra"));
        assert_eq!((decided.next_probe_at, decided.waits), (None, None));
    }
}
