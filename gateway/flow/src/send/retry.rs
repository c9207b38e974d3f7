//! When a failed call is tried again, and whether a connection may have more retries now.

use super::Sending;
use super::traffic::{Tally, first_slot};
use hub_kit::CallError;
use hub_kit::pace::RetryPlan;
use hub_tree::{Decimal, rust_decimal::prelude::ToPrimitive};
use std::time::Duration;

/// The longest wait that is believed when a vendor asks for it: daily quotas end within it.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// What retries are compared with.
const MINUTE: Duration = Duration::from_secs(60);

/// How long a call waits after a failed try, and what is to be said about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) wait: Duration,
    /// The receiver asked for so much, which is more than is believed.
    pub(super) cut: Option<Duration>,
}

/// As the receiver says if it says, else as planned; with jitter on top, so that calls which failed together do not
/// come back together. `random` gives a number below its argument.
pub(super) fn wait(plan: &RetryPlan, error: &CallError, tries: i64, random: impl Fn(u64) -> u64) -> Wait {
    let base = plan.wait(tries);
    let jitter = Duration::from_millis(random(u64::try_from(base.as_millis() / 4).unwrap_or(1)));
    let cut = error.retry_after().filter(|asked| *asked > LONGEST_ASKED);
    Wait { wait: asked(plan, error, tries).unwrap_or(base) + jitter, cut }
}

/// How long the receiver asked all calls of the connection to wait; as long as this call would, if it did not say.
pub(super) fn asked(plan: &RetryPlan, error: &CallError, tries: i64) -> Option<Duration> {
    let asked = || error.retry_after().unwrap_or_else(|| plan.wait(tries)).min(LONGEST_ASKED);
    error.asks_to_wait().then(asked)
}

/// Whether a failed try was the last one.
pub(super) fn is_last(plan: &RetryPlan, tries: i64, age: Duration) -> bool {
    tries >= plan.tries || plan.give_up_after.is_some_and(|after| age >= after)
}

/// Whether the connection's retries of the last minute have used up their share of its calls; then retries wait, and
/// first tries go on.
pub(super) fn is_spent(plan: &RetryPlan, sending: &Sending, connection: &str, now: i64) -> bool {
    spent(plan, sending.traffic.sum(connection, first_slot(now, MINUTE, 0)))
}

fn spent(plan: &RetryPlan, tally: Tally) -> bool {
    let share = plan.share.checked_mul(Decimal::from(tally.tries)).and_then(|share| share.to_u64()).unwrap_or(0);
    u64::try_from(tally.retries).unwrap_or(0) >= share.max(plan.least_per_minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_planned_or_asked_for_never_longer_than_a_day_and_jittered() {
        let plan = RetryPlan::default();
        let wait_for = |secs| CallError::Wait { status: 429, retry_after: secs };
        let of = |error: &CallError, random: fn(u64) -> u64| wait(&plan, error, 3, random);
        let trouble = CallError::Trouble { status: 500, code: None };
        let (two, minute) = (Duration::from_secs(2), Duration::from_secs(60));
        assert_eq!(of(&trouble, |_| 0), Wait { wait: two, cut: None });
        assert_eq!(of(&trouble, |below| below - 1).wait, Duration::from_millis(2_499));
        assert_eq!(of(&wait_for(Some(minute)), |_| 0), Wait { wait: minute, cut: None });
        let year = Duration::from_secs(365 * 24 * 3600);
        assert_eq!(of(&wait_for(Some(year)), |_| 0), Wait { wait: LONGEST_ASKED, cut: Some(year) });
        let whole = |error: &CallError| asked(&plan, error, 3);
        assert_eq!((whole(&trouble), whole(&wait_for(Some(year)))), (None, Some(LONGEST_ASKED)));
        // "Too fast" without a time: as planned, and for the whole connection.
        assert_eq!((of(&wait_for(None), |_| 0).wait, whole(&wait_for(None))), (two, Some(two)));
    }

    #[test]
    fn a_call_is_given_up_after_its_tries_or_its_time() {
        let hour = Duration::from_secs(3600);
        let plan = RetryPlan { tries: 5, give_up_after: Some(2 * hour), ..RetryPlan::default() };
        assert!(!is_last(&plan, 4, hour) && is_last(&plan, 5, hour) && is_last(&plan, 1, 2 * hour));
        assert!(!is_last(&RetryPlan::default(), 11, 10_000 * hour));
    }

    #[test]
    fn retries_have_a_share_of_the_calls_and_a_floor() {
        let plan = RetryPlan { least_per_minute: 10, ..RetryPlan::default() };
        let spent = |tries, retries| spent(&plan, Tally { tries, retries, ..Tally::default() });
        assert!(!spent(0, 0) && !spent(9, 9) && spent(10, 10), "the floor");
        assert!(!spent(100, 19) && spent(100, 20), "a fifth of the calls");
        let none = RetryPlan { share: Decimal::ZERO, ..plan };
        assert!(super::spent(&none, Tally { tries: 1_000, retries: 10, ..Tally::default() }));
    }
}
