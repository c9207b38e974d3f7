//! What became of the proofs of web hooks: the last refusals of each connection, so that a person sees which part of a
//! proof is wrong. Kept in memory, bounded; without secrets, and without anything of a message.

use hub_kit::WebhookError;
use hub_tree::jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Refusals that are kept of each connection.
const KEPT: usize = 10;

/// A request that was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When it was last refused for this.
    pub at: Timestamp,
    /// A stable word, such as `signature_mismatch`.
    pub reason: String,
    /// Which part is wrong, and what to do.
    pub hint: String,
    /// How often in a row.
    pub times: u64,
}

/// What is known of the proofs that came to a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// When one was last good.
    pub last_good: Option<Timestamp>,
    /// The last refusals, latest first.
    pub refusals: Vec<Refusal>,
}

/// All connections' proofs. Only configured connections get an entry, so their number is bounded, too.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<String, Known>>);

#[derive(Default)]
struct Known {
    last_good: Option<Timestamp>,
    /// Latest first.
    refusals: VecDeque<Refusal>,
}

impl Refusals {
    /// Notes a good proof.
    pub(crate) fn believed(&self, connection: &str, at: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(connection) {
            Some(known) => known.last_good = Some(at),
            None => _ = all.insert(connection.to_owned(), Known { last_good: Some(at), ..Known::default() }),
        }
    }

    /// Notes a refusal; gives the hint.
    pub(crate) fn refused(&self, connection: &str, at: Timestamp, error: &WebhookError) -> String {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(connection.to_owned()).or_default();
        let hint = if known.last_good.is_some() { error.hint_once_proved() } else { error.hint() };
        let (reason, hint) = (error.to_string(), hint.to_owned());
        match known.refusals.front_mut().filter(|last| last.reason == reason && last.hint == hint) {
            Some(last) => (last.at, last.times) = (at, last.times + 1),
            None => {
                known.refusals.push_front(Refusal { at, reason, hint: hint.clone(), times: 1 });
                known.refusals.truncate(KEPT);
            }
        }
        hint
    }

    /// What is known of a connection.
    pub(crate) fn of(&self, connection: &str) -> Proofs {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(connection);
        known.map_or_else(Proofs::default, |known| Proofs {
            last_good: known.last_good,
            refusals: known.refusals.iter().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refusals_are_kept_and_equal_ones_counted() {
        let (kept, at) = (Refusals::default(), |second| Timestamp::from_second(second).unwrap());
        assert_eq!(kept.of("k"), Proofs::default());
        kept.believed("k", at(1));
        for second in 2..50 {
            kept.refused("k", at(second), &WebhookError::SignatureMismatch);
        }
        let once = &kept.of("k").refusals[0];
        assert_eq!((once.times, once.hint.contains("proved earlier requests")), (48, true));
        for second in 50..60 {
            let hint = format!("the receiver is r{second}");
            kept.refused("k", at(second), &WebhookError::Wire { reason: "wrong_receiver", hint, proved: None });
        }
        let found = kept.of("k");
        assert_eq!(found.last_good, Some(at(1)));
        assert_eq!(found.refusals.len(), KEPT);
        assert_eq!((found.refusals[0].at, found.refusals[0].hint.as_str()), (at(59), "the receiver is r59"));
        kept.refused("l", at(1), &WebhookError::Unsupported);
        kept.refused("l", at(9), &WebhookError::Unsupported);
        assert_eq!((kept.of("l").refusals[0].times, kept.of("l").refusals[0].at), (2, at(9)));
    }
}
