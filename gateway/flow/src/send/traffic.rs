//! What was counted of each connection's calls, in slots of time: by this worker, and by the others as of the last
//! look. Circuits and retry budgets are judged by it.

use hub_store::Counts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Length of a slot, µs.
pub(crate) const SLOT: i64 = 5_000_000;

/// Sums over slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tries that say something about the receiver's health.
    pub(crate) calls: i64,
    pub(crate) failed: i64,
    pub(crate) slow: i64,
    /// All tries that were begun, and the retries among them.
    pub(crate) tries: i64,
    pub(crate) retries: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, counts: &Counts) {
        self.calls += counts.calls;
        self.failed += counts.failed;
        self.slow += counts.slow;
        self.tries += counts.tries;
        self.retries += counts.retries;
    }
}

/// The slot that an instant lies in.
pub(crate) const fn slot_of(at: i64) -> i64 {
    at.div_euclid(SLOT)
}

/// The first slot of a window that ends now and begins no earlier than `since`.
pub(crate) fn first_slot(now: i64, window: Duration, since: i64) -> i64 {
    let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    let begins = now.saturating_sub(window).max(since);
    // A slot that began before is not counted at all.
    slot_of(begins.saturating_add(SLOT - 1))
}

/// What was counted.
#[derive(Default)]
pub(crate) struct Traffic(Mutex<BTreeMap<String, Counted>>);

#[derive(Default)]
struct Counted {
    own: BTreeMap<i64, Counts>,
    others: BTreeMap<i64, Counts>,
    /// Own slots that the store does not have as they are.
    changed: BTreeSet<i64>,
}

impl Traffic {
    /// A try begins.
    pub(super) fn begun(&self, connection: &str, now: i64, retry: bool) {
        self.count(connection, now, |counts| {
            counts.tries += 1;
            counts.retries += i64::from(retry);
        });
    }

    /// A try ended that says something about the receiver's health.
    pub(super) fn ended(&self, connection: &str, now: i64, failed: bool, slow: bool) {
        self.count(connection, now, |counts| {
            counts.calls += 1;
            counts.failed += i64::from(failed);
            counts.slow += i64::from(slow);
        });
    }

    fn count(&self, connection: &str, now: i64, change: impl FnOnce(&mut Counts)) {
        let mut map = self.map();
        let slot = slot_of(now);
        if !map.contains_key(connection) {
            map.insert(connection.to_owned(), Counted::default());
        }
        let Some(counted) = map.get_mut(connection) else { return };
        let new = || Counts { connection: connection.to_owned(), slot, ..Counts::default() };
        change(counted.own.entry(slot).or_insert_with(new));
        counted.changed.insert(slot);
    }

    /// What was counted of a connection from a slot on.
    pub(super) fn sum(&self, connection: &str, first: i64) -> Tally {
        let mut tally = Tally::default();
        if let Some(counted) = self.map().get(connection) {
            let slots = counted.own.range(first..).chain(counted.others.range(first..));
            slots.for_each(|(_, counts)| tally.add(counts));
        }
        tally
    }

    /// What the store does not have as it is.
    pub(super) fn changed(&self) -> Vec<Counts> {
        let mut changed = Vec::new();
        for counted in self.map().values_mut() {
            let Counted { own, changed: slots, .. } = counted;
            changed.extend(std::mem::take(slots).iter().filter_map(|slot| own.get(slot).cloned()));
        }
        changed
    }

    /// What the others have counted by now, and what is too old to matter.
    pub(super) fn learn(&self, others: Vec<Counts>, oldest: i64) {
        let mut map = self.map();
        for counted in map.values_mut() {
            counted.others.clear();
            counted.own = counted.own.split_off(&oldest);
        }
        for counts in others {
            map.entry(counts.connection.clone()).or_default().others.insert(counts.slot, counts);
        }
        map.retain(|_, counted| !counted.own.is_empty() || !counted.others.is_empty());
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_window_holds_whole_slots_and_forgets_what_came_before_a_change() {
        let traffic = Traffic::default();
        let at = |seconds: i64| 1_000 * SLOT + seconds * 1_000_000;
        for second in 0..60 {
            traffic.begun("a", at(second), second % 2 == 1);
            traffic.ended("a", at(second), second < 30, second == 59);
        }
        let sum = |now, since| traffic.sum("a", first_slot(now, MINUTE, since));
        assert_eq!(sum(at(60), 0), Tally { calls: 60, failed: 30, slow: 1, tries: 60, retries: 30 });
        assert_eq!(sum(at(62), 0).calls, 55, "a slot that began before the window is left out");
        assert_eq!(sum(at(60), at(32)), Tally { calls: 25, failed: 0, slow: 1, tries: 25, retries: 13 });
        assert_eq!(traffic.sum("b", 0), Tally::default());
    }

    #[test]
    fn the_others_counts_are_added_and_replaced() {
        let traffic = Traffic::default();
        traffic.ended("a", 0, true, false);
        let changed = traffic.changed();
        assert_eq!((changed.len(), changed[0].failed), (1, 1));
        assert!(traffic.changed().is_empty());
        let other = Counts { connection: "a".to_owned(), slot: 0, calls: 5, failed: 5, ..Counts::default() };
        traffic.learn(vec![other.clone()], 0);
        traffic.learn(vec![other], 0);
        assert_eq!(traffic.sum("a", 0).failed, 6);
        traffic.learn(Vec::new(), 1);
        assert_eq!(traffic.sum("a", 0), Tally::default());
    }
}
