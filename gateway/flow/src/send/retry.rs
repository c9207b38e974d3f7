//! When a failed call is tried again.

use hub_kit::CallError;
use hub_kit::pace::RetryPlan;
use std::time::Duration;

/// The longest wait that is believed when a vendor asks for it.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// How long a call waits after a failed try: as the vendor says if it says, else as planned; with jitter, so that calls
/// which failed together do not come back together.
pub(super) fn wait(plan: &RetryPlan, error: &CallError, tries: i64) -> Duration {
    let base = plan.wait(tries);
    let jitter = Duration::from_millis(hub_tree::random::below(u64::try_from(base.as_millis() / 4).unwrap_or(1)));
    error.retry_after().map_or(base, |asked| asked.min(LONGEST_ASKED)) + jitter
}

/// Whether a failed try was the last one.
pub(super) fn is_last(plan: &RetryPlan, tries: i64, age: Duration) -> bool {
    tries >= plan.tries || plan.give_up_after.is_some_and(|after| age >= after)
}
