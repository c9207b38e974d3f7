//! Circuits: a connection whose calls fail or crawl is left alone for a while; then one call at a time finds out
//! whether it is well again. Only the receiver's own trouble counts, never that it said no.

use super::destination::Tried;
use super::traffic::{Tally, first_slot};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use hub_kit::pace::CircuitPlan;
use hub_kit::{Blame, CallError};
use hub_store::{Call, Circuit, CircuitState, StoreError, Tx};
use hub_tree::Decimal;
use std::time::Duration;

/// A circuit that opens again and again stays open for at most this.
const LONGEST_OPEN: Duration = Duration::from_secs(600);

/// What may be claimed of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Whatever waits.
    Free,
    /// One call, to see; how often the circuit has opened so far.
    Probe(i64),
    /// Nothing.
    Shut,
}

/// What may be claimed of a connection with this circuit. A person's word wins over everything; a wait that the
/// receiver asked for wins over the circuit.
pub(super) fn gate(circuit: Option<&Circuit>, now: i64) -> Gate {
    let Some(circuit) = circuit else { return Gate::Free };
    if let Some(hand) = &circuit.hand {
        return if hand.open { Gate::Shut } else { Gate::Free };
    }
    match circuit.state {
        _ if circuit.wait_until > now => Gate::Shut,
        CircuitState::Closed => Gate::Free,
        CircuitState::Open if circuit.next_probe_at <= now => Gate::Probe(circuit.opened),
        CircuitState::HalfOpen if circuit.probe_until <= now => Gate::Probe(circuit.opened),
        CircuitState::Open | CircuitState::HalfOpen => Gate::Shut,
    }
}

/// Why a circuit with these counts opens, if it does.
pub(super) fn trips(plan: &CircuitPlan, tally: Tally) -> Option<String> {
    if u64::try_from(tally.calls).unwrap_or(0) < plan.least_calls {
        return None;
    }
    let reaches = |count: i64, rate: Decimal| {
        let wanted = rate.checked_mul(Decimal::from(tally.calls)).unwrap_or(Decimal::MAX);
        count > 0 && Decimal::from(count) >= wanted
    };
    let of = |count: i64| format!("{count} of {} calls in the last {} s", tally.calls, plan.window.as_secs());
    if reaches(tally.failed, plan.error_rate) {
        Some(format!("{} failed", of(tally.failed)))
    } else if reaches(tally.slow, plan.slow_rate) {
        Some(format!("{} took {} ms or longer", of(tally.slow), plan.slow.as_millis()))
    } else {
        None
    }
}

/// How long a circuit stays open that has opened so often: twice as long each time.
pub(super) fn open_for(plan: &CircuitPlan, opened: i64) -> Duration {
    let doubled = u32::try_from(opened.clamp(1, 16) - 1).unwrap_or(0);
    plan.open.saturating_mul(1 << doubled).min(LONGEST_OPEN.max(plan.open))
}

/// What a try says about the receiver's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

impl Health {
    /// Nothing, when nothing was asked, or the receiver only asked to wait.
    pub(super) fn of(tried: &Tried, took: Duration, plan: &CircuitPlan) -> Option<Self> {
        match tried {
            Tried::Done(_) => Self::told(None, took, plan),
            Tried::Failed(error, _) => Self::told(Some(error), took, plan),
            Tried::Unknown(_) | Tried::Impossible(..) => None,
        }
    }

    /// What an answer or its failure says.
    pub(super) fn told(error: Option<&CallError>, took: Duration, plan: &CircuitPlan) -> Option<Self> {
        let failed = match error.map(CallError::blame) {
            None | Some(Blame::Call) => false,
            Some(Blame::Vendor) => true,
            Some(Blame::Nobody) => return None,
        };
        Some(Self { failed, slow: took >= plan.slow })
    }
}

/// What the end of a try changes about its connection's circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It opens: until when, and why.
    Open(i64, String),
    /// The receiver asked to wait: until when, and in which words.
    Wait(i64, String),
    /// The call that was let through went well; so many are needed.
    Passed(i64),
    /// It did not: until when the circuit is open again, and why.
    Failed(i64, String),
    /// It says nothing.
    Dropped,
}

/// What the end of a try changes; also counts it. `probe` says how often the circuit had opened when this call was let
/// through.
pub(super) fn changes(
    hub: &Hub,
    call: &Call,
    plan: &CircuitPlan,
    (health, probe): (Option<Health>, Option<i64>),
    now: i64,
) -> Vec<Change> {
    let connection = &call.new.connection;
    if let Some(Health { failed, slow }) = health {
        hub.sending.traffic.ended(connection, now, failed, slow);
    }
    let later = |wait: Duration| now.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
    match (probe, health) {
        (Some(_), Some(Health { failed: false, slow: false })) => vec![Change::Passed(plan.probes)],
        (Some(opened), Some(Health { failed, .. })) => {
            let why = if failed { "the probe failed" } else { "the probe was slow" };
            vec![Change::Failed(later(open_for(plan, opened + 1)), why.to_owned())]
        }
        (Some(_), None) => vec![Change::Dropped],
        (None, Some(_)) => {
            let since = hub.sending.closed_since(connection);
            let tally = hub.sending.traffic.sum(connection, first_slot(now, plan.window, since));
            trips(plan, tally).map(|why| Change::Open(later(open_for(plan, 1)), why)).into_iter().collect()
        }
        (None, None) => Vec::new(),
    }
}

/// The wait that a receiver asked for holds for all calls of the connection.
pub(super) fn wait_asked(error: &CallError, asked: Duration, now: i64) -> Change {
    let until = now.saturating_add(i64::try_from(asked.as_micros()).unwrap_or(i64::MAX));
    Change::Wait(until, error.to_string())
}

/// Keeps the changes; what opens or closes a circuit is a step of the journey of the call that did it.
pub(super) async fn keep(
    hub: &Hub,
    tx: &mut Tx,
    call: &Call,
    changes: Vec<Change>,
    steps: &mut Steps,
) -> Result<(), StoreError> {
    let (connection, tenant) = (&call.new.connection, &call.new.tenant);
    let now = hub.store_now();
    let secs = |until: i64| until.saturating_sub(now).max(0) / 1_000_000;
    for change in changes {
        let (became, detail) = match change {
            Change::Wait(until, why) => {
                tx.wait_connection(connection, tenant, until, why).await?;
                continue;
            }
            Change::Dropped => {
                tx.drop_probe(connection, &hub.node).await?;
                continue;
            }
            Change::Open(until, why) => {
                let detail = format!("opened: {why}; one call is let through in {} s", secs(until));
                (tx.open_circuit(connection, tenant, now, until, why).await?.then_some("open"), detail)
            }
            Change::Failed(until, why) => {
                let detail = format!("open again: {why}; one call is let through in {} s", secs(until));
                (tx.fail_probe(connection, &hub.node, now, until, why).await?.then_some("open"), detail)
            }
            Change::Passed(needed) => {
                let closed = tx.pass_probe(connection, &hub.node, now, needed).await?;
                (closed.then_some("closed"), "closed: calls are made again".to_owned())
            }
        };
        let Some(became) = became else { continue };
        tracing::warn!(connection.id = %connection, became, "circuit {detail}");
        hub.metrics.circuit_changed(connection, became);
        let went = if became == "open" { Went::Retry } else { Went::Ok };
        steps.add(&hub.ids, now, ("circuit", went), connection, &call.new.subject, detail);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_store::Hand;

    const SECOND: i64 = 1_000_000;

    fn circuit(state: CircuitState) -> Circuit {
        Circuit {
            connection: "c".to_owned(),
            tenant: "default".to_owned(),
            state,
            since: 0,
            why: String::new(),
            next_probe_at: 30 * SECOND,
            opened: 2,
            probe_until: 20 * SECOND,
            hand: None,
            wait_until: 0,
            wait_why: String::new(),
        }
    }

    #[test]
    fn a_gate_follows_hand_then_wait_then_state() {
        assert_eq!(gate(None, 0), Gate::Free);
        assert_eq!(gate(Some(&circuit(CircuitState::Closed)), 0), Gate::Free);
        let open = circuit(CircuitState::Open);
        assert_eq!((gate(Some(&open), 29 * SECOND), gate(Some(&open), 30 * SECOND)), (Gate::Shut, Gate::Probe(2)));
        let half = circuit(CircuitState::HalfOpen);
        // A probe whose worker died does not hold the circuit for ever.
        assert_eq!((gate(Some(&half), 19 * SECOND), gate(Some(&half), 20 * SECOND)), (Gate::Shut, Gate::Probe(2)));
        let waiting = Circuit { wait_until: 50 * SECOND, ..circuit(CircuitState::Closed) };
        assert_eq!((gate(Some(&waiting), 49 * SECOND), gate(Some(&waiting), 50 * SECOND)), (Gate::Shut, Gate::Free));
        let by_hand = |open: bool, of: Circuit| {
            let hand = Some(Hand { open, by: "petra".to_owned(), at: 0 });
            gate(Some(&Circuit { hand, ..of }), 0)
        };
        assert_eq!(by_hand(true, circuit(CircuitState::Closed)), Gate::Shut);
        assert_eq!(by_hand(false, open), Gate::Free);
        assert_eq!(by_hand(false, waiting), Gate::Free);
    }

    #[test]
    fn a_circuit_opens_by_errors_or_by_slowness_once_there_are_enough_calls() {
        let plan = CircuitPlan::default();
        let why = |calls, failed, slow| trips(&plan, Tally { calls, failed, slow, ..Tally::default() });
        assert_eq!(why(9, 9, 9), None, "too few to conclude anything");
        assert_eq!(why(10, 4, 7), None);
        assert_eq!(why(10, 5, 0).unwrap(), "5 of 10 calls in the last 60 s failed");
        assert_eq!(why(10, 4, 8).unwrap(), "8 of 10 calls in the last 60 s took 10000 ms or longer");
        // 0.333 of 10 calls are 3.33: three are not enough.
        let plan = CircuitPlan { error_rate: "0.333".parse().unwrap(), ..plan };
        let why = |failed| trips(&plan, Tally { calls: 10, failed, ..Tally::default() });
        assert!(why(3).is_none() && why(4).is_some());
    }

    #[test]
    fn a_circuit_that_opens_again_stays_open_longer_up_to_ten_minutes() {
        let plan = CircuitPlan::default();
        let secs = |opened| open_for(&plan, opened).as_secs();
        assert_eq!([1, 2, 3, 6, 1_000_000].map(secs), [30, 60, 120, 600, 600]);
        let long = CircuitPlan { open: Duration::from_secs(3_600), ..plan };
        assert_eq!(open_for(&long, 5).as_secs(), 3_600, "what a manifest says is the least");
    }

    #[test]
    fn only_the_receivers_trouble_is_a_failure() {
        use super::super::destination::Repeat;
        use hub_kit::client::SendError;
        let plan = CircuitPlan::default();
        let of = |error: CallError| {
            Health::of(&Tried::Failed(error, Repeat::Never), Duration::from_secs(1), &plan).map(|h| h.failed)
        };
        let trouble = || CallError::Trouble { status: 500, code: None };
        assert_eq!(of(trouble()), Some(true));
        assert_eq!(of(CallError::Token(Box::new(trouble()))), Some(true));
        assert_eq!(of(SendError::NoAnswer("timed out".to_owned()).into()), Some(true));
        assert_eq!(of(SendError::NotSent("connection refused".to_owned()).into()), Some(true));
        assert_eq!(of(CallError::Wait { status: 503, retry_after: None }), Some(true));
        assert_eq!(of(CallError::refused(422, None)), Some(false));
        assert_eq!(of(CallError::Wait { status: 429, retry_after: None }), None);
        assert_eq!(of(SendError::ClaimLost.into()), None);
        assert_eq!(of(SendError::PrivateAddress.into()), None);
        let slow = Health::of(&Tried::Done(None), plan.slow, &plan);
        assert_eq!(slow, Some(Health { failed: false, slow: true }));
    }
}
