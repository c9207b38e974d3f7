//! How calls of one connection are paced: how many at once, when a failed one is tried again, and when the circuit
//! opens.
//!
//! A manifest says it for its vendor (`limits`, `retry`, `circuit`), a connection file may say single keys otherwise,
//! and what nobody says has a default. Shares and rates are decimals.

use crate::rate::Rate;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{Fields, Kind};
use hub_tree::{Decimal, rust_decimal::prelude::ToPrimitive};
use std::time::Duration;

/// How calls of one connection are paced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls that may be under way at once.
    pub concurrency: usize,
    /// Calls that the vendor takes in a time, all operations together.
    pub rates: Vec<Rate>,
    /// Calls that it takes in a time of each operation that does not say it itself.
    pub each: Vec<Rate>,
    /// The header in which the vendor says how many seconds to wait, beside `retry-after`; in lower case.
    pub wait_header: Option<String>,
    /// When a failed call is tried again.
    pub retry: RetryPlan,
    /// When no more calls are made for a while.
    pub circuit: CircuitPlan,
}

/// When a failed call is tried again, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPlan {
    /// How long it waits between two tries.
    pub waits: Waits,
    /// Tries before it is parked.
    pub tries: i64,
    /// It is parked after the first failed try that ends later than this after it was asked for.
    pub give_up_after: Option<Duration>,
    /// Retries may be at most this share of a minute's calls …
    pub share: Decimal,
    /// … or so many a minute, if that is more.
    pub least_per_minute: u64,
}

/// How long a failed call waits, before jitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Longer by `factor` from try to try.
    Growing {
        /// After the first try.
        first: Duration,
        /// How much longer each time, 1 or more.
        factor: Decimal,
        /// At most.
        longest: Duration,
    },
    /// One after the other; the last one is repeated.
    Listed(Vec<Duration>),
}

/// When the circuit opens, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitPlan {
    /// The time that is looked at.
    pub window: Duration,
    /// With fewer calls in it nothing is concluded.
    pub least_calls: u64,
    /// It opens when this share of them failed by the vendor's fault …
    pub error_rate: Decimal,
    /// … or when this share was slow.
    pub slow_rate: Decimal,
    /// What slow means.
    pub slow: Duration,
    /// How long it stays open before one call is let through.
    pub open: Duration,
    /// Calls that must go well, one after the other, before it closes.
    pub probes: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 4,
            rates: Vec::new(),
            each: Vec::new(),
            wait_header: None,
            retry: RetryPlan::default(),
            circuit: CircuitPlan::default(),
        }
    }
}

impl Default for RetryPlan {
    fn default() -> Self {
        Self {
            waits: Waits::Growing {
                first: Duration::from_millis(500),
                factor: Decimal::TWO,
                longest: Duration::from_secs(600),
            },
            tries: 12,
            give_up_after: None,
            share: Decimal::new(2, 1),
            least_per_minute: 30,
        }
    }
}

impl Default for CircuitPlan {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            least_calls: 10,
            error_rate: Decimal::new(5, 1),
            slow_rate: Decimal::new(8, 1),
            slow: Duration::from_secs(10),
            open: Duration::from_secs(30),
            probes: 2,
        }
    }
}

impl RetryPlan {
    /// How long to wait after so many tries, before jitter.
    #[must_use]
    pub fn wait(&self, tries: i64) -> Duration {
        let before = usize::try_from(tries.saturating_sub(1)).unwrap_or(0);
        match &self.waits {
            Waits::Listed(waits) => waits.get(before).or(waits.last()).copied().unwrap_or_default(),
            Waits::Growing { first, factor, longest } => {
                let longest_ms = Decimal::from(longest.as_millis().min(1 << 60));
                let mut wait = Decimal::from(first.as_millis().min(1 << 60));
                // A factor of 1 never gets there, and need not.
                for _ in 0..before.min(100) {
                    wait = wait.checked_mul(*factor).unwrap_or(longest_ms);
                    if wait >= longest_ms {
                        break;
                    }
                }
                Duration::from_millis(wait.min(longest_ms).to_u64().unwrap_or(u64::MAX))
            }
        }
    }
}

impl Pace {
    /// Reads `limits`, `retry` and `circuit`; what they do not say is as in `base`.
    #[must_use]
    pub fn read(fields: &mut Fields<'_, '_>, base: &Self) -> Self {
        let mut pace = base.clone();
        let cx = fields.context().clone();
        if let Some(mut limits) = fields.optional("limits").and_then(|node| node.fields(&cx)) {
            let concurrency = limits.integer("concurrency", 1, 64);
            pace.concurrency = concurrency.and_then(|n| usize::try_from(n).ok()).unwrap_or(pace.concurrency);
            let rates = Rate::read(&mut limits);
            if !rates.is_empty() {
                pace.rates = rates;
            }
            if let Some(mut each) = limits.optional("each").and_then(|node| node.fields(&cx)) {
                pace.each = Rate::read(&mut each);
                each.finish();
            }
            if let Some(name) = limits.text("wait_header") {
                pace.wait_header = Some(name.to_lowercase());
            }
            limits.finish();
        }
        if let Some(mut retry) = fields.optional("retry").and_then(|node| node.fields(&cx)) {
            pace.retry.read(&mut retry);
            retry.finish();
        }
        if let Some(mut circuit) = fields.optional("circuit").and_then(|node| node.fields(&cx)) {
            pace.circuit.read(&mut circuit);
            circuit.finish();
        }
        pace
    }
}

impl RetryPlan {
    fn read(&mut self, fields: &mut Fields<'_, '_>) {
        let standard = Self::default().waits;
        if let Waits::Listed(_) = self.waits {
            self.waits = standard;
        }
        if let Waits::Growing { first, factor, longest } = &mut self.waits {
            set(first, duration(fields, "first_ms", (10, 3_600_000), Duration::from_millis));
            set(factor, decimal(fields, "factor", (Decimal::ONE, Decimal::TEN)));
            set(longest, duration(fields, "longest_secs", (1, 86_400), Duration::from_secs));
            if *first > *longest {
                fields.context().error(fields.span, "`first_ms` is longer than `longest_secs`");
            }
        }
        set(&mut self.tries, fields.integer("tries", 1, 100));
        if let Some(after) =
            duration(fields, "give_up_after_hours", (1, 720), |hours| Duration::from_secs(hours * 3600))
        {
            self.give_up_after = Some(after);
        }
        set(&mut self.share, decimal(fields, "share", (Decimal::ZERO, Decimal::ONE)));
        set(&mut self.least_per_minute, whole(fields, "least_per_minute", (1, 100_000)));
    }
}

impl CircuitPlan {
    fn read(&mut self, fields: &mut Fields<'_, '_>) {
        let rate = (Decimal::new(1, 2), Decimal::ONE);
        set(&mut self.window, duration(fields, "window_secs", (10, 3_600), Duration::from_secs));
        set(&mut self.least_calls, whole(fields, "least_calls", (1, 100_000)));
        set(&mut self.error_rate, decimal(fields, "error_rate", rate));
        set(&mut self.slow_rate, decimal(fields, "slow_rate", rate));
        set(&mut self.slow, duration(fields, "slow_ms", (1, 300_000), Duration::from_millis));
        set(&mut self.open, duration(fields, "open_secs", (1, 3_600), Duration::from_secs));
        set(&mut self.probes, fields.integer("probes", 1, 100));
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn whole(fields: &mut Fields<'_, '_>, key: &'static str, (min, max): (i64, i64)) -> Option<u64> {
    fields.integer(key, min, max).and_then(|number| u64::try_from(number).ok())
}

fn duration(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    range: (i64, i64),
    unit: fn(u64) -> Duration,
) -> Option<Duration> {
    whole(fields, key, range).map(unit)
}

fn decimal(fields: &mut Fields<'_, '_>, key: &'static str, (min, max): (Decimal, Decimal)) -> Option<Decimal> {
    let cx = fields.context().clone();
    let node = fields.optional(key)?;
    let number = match &node.kind {
        Kind::Number(text) => parse_decimal(text).filter(|number| (min..=max).contains(number)),
        _ => None,
    };
    if number.is_none() {
        cx.error(node.span, format!("expected a number from {min} to {max}"));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::yaml::{self, Context};
    use hub_tree::{Findings, Source};

    fn read(text: &str) -> (Pace, String) {
        let (source, findings) = (Source::new("m.yaml", text), Findings::new());
        let root = yaml::read(&source, &findings).unwrap();
        let mut fields = root.fields(&Context::new(&source, &findings)).unwrap();
        let pace = Pace::read(&mut fields, &Pace::default());
        fields.finish();
        let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        (pace, problems.join("\n"))
    }

    #[test]
    fn waits_grow_up_to_the_longest_and_never_overflow() {
        let waits = |plan: &RetryPlan| [1, 2, 3, 11, 12, 100, i64::MAX].map(|tries| plan.wait(tries).as_millis());
        let plan = RetryPlan::default();
        assert_eq!(waits(&plan), [500, 1_000, 2_000, 512_000, 600_000, 600_000, 600_000]);
        assert_eq!(plan.wait(0), plan.wait(1));
        let (pace, problems) = read("retry: { first_ms: 100, factor: 1.5, longest_secs: 1, tries: 3 }\n");
        assert_eq!((problems.as_str(), pace.retry.tries), ("", 3));
        assert_eq!(waits(&pace.retry), [100, 150, 225, 1_000, 1_000, 1_000, 1_000]);
        let (flat, _) = read("retry: { factor: 1 }\n");
        assert_eq!(waits(&flat.retry)[6], 500);
        let listed =
            RetryPlan { waits: Waits::Listed(vec![Duration::from_secs(5), Duration::from_secs(30)]), ..plan.clone() };
        assert_eq!(waits(&listed), [5_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn what_is_not_said_keeps_its_default_and_what_is_wrong_is_named() {
        let (pace, problems) = read("limits: { concurrency: 9 }\ncircuit: { error_rate: 0.25, slow_ms: 800 }\n");
        assert_eq!(problems, "");
        assert_eq!((pace.concurrency, pace.circuit.least_calls), (9, CircuitPlan::default().least_calls));
        assert_eq!((pace.circuit.error_rate, pace.circuit.slow), (Decimal::new(25, 2), Duration::from_millis(800)));
        let wrong = "retry: { factor: 0.5, tires: 3, first_ms: 5000, longest_secs: 1 }\ncircuit: { error_rate: 2 }\n";
        let (_, problems) = read(wrong);
        for wanted in [
            "m.yaml:1:18: error: expected a number from 1 to 10",
            "unknown key `tires`",
            "did you mean `tries`",
            "`first_ms` is longer than `longest_secs`",
            "m.yaml:2:24: error: expected a number from 0.01 to 1",
        ] {
            assert!(problems.contains(wanted), "missing {wanted} in\n{problems}");
        }
    }
}
