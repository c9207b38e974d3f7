//! Until when the claimed calls are this process's. A process that stood still, or that could not reach the store, must
//! not send what another one may have taken over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request is not begun when the claim holds for less than this, µs.
const LEAST_LEFT: i64 = 2_000_000;

/// The ends of this process's claims, by call.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<BTreeMap<i64, i64>>>);

impl Leases {
    /// Keeps the end of a claim until the guard is dropped.
    pub(super) fn hold(&self, seq: i64, until: i64) -> Lease {
        self.map().insert(seq, until);
        Lease(self.clone(), seq)
    }

    /// Whether a call is surely this process's for long enough to send a request.
    pub(super) fn holds(&self, seq: i64, now: i64) -> bool {
        self.map().get(&seq).is_some_and(|until| until - LEAST_LEFT > now)
    }

    /// The claims of these calls were renewed in a transaction that has ended by `now`. What had run out by then may
    /// be somebody else's, whatever the renewal found.
    pub(crate) fn renewed(&self, calls: &[i64], now: i64, until: i64) {
        let mut map = self.map();
        for seq in calls {
            if let Some(end) = map.get_mut(seq).filter(|end| **end > now) {
                *end = until;
            }
        }
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<i64, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim whose end is watched.
pub(super) struct Lease(Leases, i64);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.map().remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_claim_that_ran_out_is_not_brought_back_by_a_renewal() {
        let leases = Leases::default();
        let first = leases.hold(1, 30 * SECOND);
        let _second = leases.hold(2, 40 * SECOND);
        assert!(leases.holds(1, 10 * SECOND) && !leases.holds(3, 10 * SECOND));
        assert!(!leases.holds(1, 29 * SECOND), "too little is left to begin a request");
        // The renewal was committed after the first had run out: another process may have taken it back before.
        leases.renewed(&[1, 2], 35 * SECOND, 65 * SECOND);
        assert!(!leases.holds(1, 36 * SECOND) && leases.holds(2, 36 * SECOND));
        drop(first);
        let _again = leases.hold(1, 90 * SECOND);
        assert!(leases.holds(1, 36 * SECOND));
    }
}
