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

/// How long a call waits after a failed try: as planned, with jitter, so that calls which failed together do not come
/// back together. `random` gives a number below its argument. What the receiver asked for holds for the connection.
pub(super) fn wait(plan: &RetryPlan, tries: i64, random: impl Fn(u64) -> u64) -> Duration {
    let base = plan.wait(tries);
    base + Duration::from_millis(random(u64::try_from(base.as_millis() / 4).unwrap_or(1)))
}

/// How long the receiver asked all calls of the connection to wait, and whether it asked for longer than is believed.
/// As long as this call would, if it did not say.
pub(super) fn asked(plan: &RetryPlan, error: &CallError, tries: i64) -> Option<(Duration, bool)> {
    let asked = error.asks_to_wait().then(|| error.retry_after().unwrap_or_else(|| plan.wait(tries)))?;
    Some((asked.min(LONGEST_ASKED), asked > LONGEST_ASKED))
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
    fn a_wait_is_planned_and_jittered_and_what_is_asked_for_is_never_longer_than_a_day() {
        let plan = RetryPlan::default();
        let wait = |random: fn(u64) -> u64| wait(&plan, 3, random).as_millis();
        assert_eq!((wait(|_| 0), wait(|below| below - 1)), (2_000, 2_499));
        let asked = |error: &CallError| asked(&plan, error, 3);
        let too_fast = |secs: Option<u64>| CallError::Wait { status: 429, retry_after: secs.map(Duration::from_secs) };
        assert_eq!(asked(&CallError::Trouble { status: 500, code: None }), None);
        assert_eq!(asked(&too_fast(Some(60))), Some((Duration::from_secs(60), false)));
        assert_eq!(asked(&too_fast(Some(365 * 24 * 3600))), Some((LONGEST_ASKED, true)));
        assert_eq!(asked(&CallError::Token(Box::new(too_fast(Some(7))))), Some((Duration::from_secs(7), false)));
        // "Too fast" without a time.
        assert_eq!(asked(&too_fast(None)), Some((Duration::from_secs(2), false)));
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
