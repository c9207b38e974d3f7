//! What the maker of a subscription wishes beside address and types.

use hub_kit::pace::{RetryPlan, Waits};
use hub_kit::{Pace, Rate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long to wait after the first try, after the second …: about three days in all.
const WAITS_SECS: [u64; 11] = [5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 43_200, 43_200, 86_400];
/// Events of different records that are under way to one subscriber at once.
const CONCURRENCY: usize = 8;
/// Tries that fail in a row until a subscription is disabled, if its maker does not say: a few days' worth for one that
/// is told of something all the time.
const DISABLE_AFTER: i64 = 500;
const SECOND: i64 = 1_000_000;

/// How deliveries are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signing {
    /// HMAC-SHA256 with a shared secret.
    #[default]
    Hmac,
    /// ed25519: the subscriber holds a public key only.
    Ed25519,
    /// Both.
    Both,
}

impl Signing {
    /// Whether a shared secret signs.
    #[must_use]
    pub fn shares(self) -> bool {
        self != Self::Ed25519
    }

    /// Whether a private key signs.
    #[must_use]
    pub fn proves(self) -> bool {
        self != Self::Hmac
    }
}

/// How much a delivery says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// Ids, version and names of fields.
    #[default]
    Thin,
    /// The record too, as its owner may read it.
    Full,
}

/// What waits for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Events of one record come one after the other.
    #[default]
    Record,
    /// Nothing waits.
    None,
}

/// What the maker of a subscription wishes beside address and types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// What it is for.
    pub description: String,
    /// Only events of records of these entities; all if there are none.
    pub entities: Vec<String>,
    /// Only events that one of these connections caused; all if there are none.
    pub connections: Vec<String>,
    /// An expression that must hold; empty for none.
    pub filter: String,
    /// What the `data` is made of instead: names, and an expression each; empty for the usual.
    pub transform: BTreeMap<String, String>,
    /// How much a delivery says.
    pub payload: Payload,
    /// How deliveries are signed.
    pub signing: Signing,
    /// Deliveries that are taken in a second; 0 for any number.
    pub per_second: i64,
    /// What waits for what.
    pub order: Order,
    /// How long to wait after each failed try, in seconds; empty for the usual.
    pub retries: Vec<u64>,
    /// Tries that fail in a row until it is disabled.
    pub disable_after: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            description: String::new(),
            entities: Vec::new(),
            connections: Vec::new(),
            filter: String::new(),
            transform: BTreeMap::new(),
            payload: Payload::default(),
            signing: Signing::default(),
            per_second: 0,
            order: Order::default(),
            retries: Vec::new(),
            disable_after: DISABLE_AFTER,
        }
    }
}

impl Options {
    /// Reads what [`Options::write`] wrote; what it does not say is as usual.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Writes them for keeping.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// The share of the failures in a row that are allowed, in percent.
    #[must_use]
    pub fn percent(&self, failures: i64) -> i64 {
        failures.saturating_mul(100) / self.disable_after.max(1)
    }

    /// How its deliveries are paced.
    #[must_use]
    pub fn pace(&self) -> Pace {
        let secs = if self.retries.is_empty() { &WAITS_SECS[..] } else { &self.retries };
        let waits = Waits::Listed(secs.iter().copied().map(Duration::from_secs).collect());
        let tries = i64::try_from(secs.len()).unwrap_or(i64::MAX).saturating_add(1);
        let rates = (self.per_second > 0).then_some(Rate { calls: self.per_second, per: SECOND });
        Pace {
            concurrency: CONCURRENCY,
            rates: rates.into_iter().collect(),
            retry: RetryPlan { waits, tries, ..RetryPlan::default() },
            ..Pace::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_what_is_missing_is_as_usual() {
        assert_eq!(Options::read("{}"), Options::default());
        let wishes = Options { per_second: 5, retries: vec![1, 2], signing: Signing::Both, ..Options::default() };
        assert_eq!(Options::read(&wishes.write()), wishes);
        let pace = wishes.pace();
        assert_eq!((pace.retry.tries, pace.retry.wait(2), pace.rates.len()), (3, Duration::from_secs(2), 1));
        let usual = Options::default().pace();
        assert_eq!((usual.retry.tries, usual.rates.len()), (12, 0));
    }
}
