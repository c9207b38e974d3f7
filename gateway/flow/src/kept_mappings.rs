//! Which mappings' texts are in the store: a text is kept with the first record that it makes, and not again with each.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How long it counts that a text was kept, µs: a server that took the place of another may lack what the last one had.
const COUNTS_FOR: i64 = 60_000_000;

/// The versions that were kept not long ago, and when, µs.
#[derive(Default)]
pub(crate) struct KeptMappings(Mutex<BTreeMap<String, i64>>);

impl KeptMappings {
    /// Whether the text of a version is in the store for sure.
    pub(crate) fn has(&self, version: &str, now: i64) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(version).copied();
        kept.is_some_and(|kept| kept <= now && now - kept < COUNTS_FOR)
    }

    /// Notes that the text of a version was committed by a transaction that began at `began`.
    pub(crate) fn note(&self, version: String, began: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| *kept <= began && began - *kept < COUNTS_FOR);
        kept.insert(version, began);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_as_kept_for_a_while_after_its_commit() {
        let kept = KeptMappings::default();
        assert!(!kept.has("a", 10));
        kept.note("a".to_owned(), 10);
        assert!(kept.has("a", 10 + COUNTS_FOR - 1) && !kept.has("b", 10));
        assert!(!kept.has("a", 10 + COUNTS_FOR), "it is kept anew");
        assert!(!kept.has("a", 9), "the clock was put back");
        kept.note("b".to_owned(), 20 + COUNTS_FOR);
        assert_eq!(kept.0.lock().unwrap().len(), 1, "what counts no more is forgotten");
    }
}
