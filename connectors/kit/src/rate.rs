//! How many calls a vendor takes in a time. A rate is kept by all processes together, so a vendor sees no more than it
//! has said, however many workers there are.
//!
//! A fifth of the calls may come at once, the others follow evenly: in no span of the rate's length are there more
//! than it allows, also at the edge between two.

use hub_tree::yaml::Fields;

/// So many calls in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: i64,
    /// The time, µs.
    pub per: i64,
}

const SECOND: i64 = 1_000_000;
const SPANS: [(&str, i64); 4] =
    [("per_second", SECOND), ("per_minute", 60 * SECOND), ("per_hour", 3_600 * SECOND), ("per_day", 86_400 * SECOND)];

impl Rate {
    /// Reads `per_second`, `per_minute`, `per_hour` and `per_day`.
    pub(crate) fn read(fields: &mut Fields<'_, '_>) -> Vec<Self> {
        let read =
            |(key, per): (&'static str, i64)| fields.integer(key, 1, 10_000_000).map(|calls| Self { calls, per });
        SPANS.into_iter().filter_map(read).collect()
    }

    /// Calls that may come at once.
    #[must_use]
    pub const fn at_once(self) -> i64 {
        if self.calls < 5 { 1 } else { self.calls / 5 }
    }

    /// Between two calls that follow, µs: what comes at once and what follows are not more than the rate together.
    #[must_use]
    pub const fn apart(self) -> i64 {
        let following = if self.calls > self.at_once() { self.calls - self.at_once() } else { 1 };
        // Rounded up; a rate of one call waits a whole time.
        (self.per + following - 1) / following
    }

    /// Its name among the rates of one thing.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}/{}", self.calls, self.per)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_sees_more_than_the_rate_allows() {
        for calls in [1, 2, 4, 5, 20, 50, 100, 1_000] {
            let rate = Rate { calls, per: 60 * SECOND };
            // As a store counts: `full` is when the last of the calls that may come at once is used up for good.
            let (mut full, mut made): (i64, Vec<i64>) = (0, Vec::new());
            let mut now = 0;
            while made.len() < 3 * usize::try_from(calls).unwrap() {
                let next = full.max(now) + rate.apart();
                if next - now <= rate.at_once() * rate.apart() {
                    full = next;
                    made.push(now);
                } else {
                    now += 10_000;
                }
            }
            let most = made.iter().map(|from| made.iter().filter(|at| (*from..from + rate.per).contains(at)).count());
            assert!(most.max() <= usize::try_from(calls).ok(), "{calls}: {made:?}");
        }
    }
}
