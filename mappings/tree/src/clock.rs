//! The one place that reads the time.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where "now" comes from.
///
/// The system clock is libc's, so that a test can shift a whole process from outside; a fixed clock makes
/// a replay or a calculation repeatable.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that moves only when told to.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now` until [`Clock::set`].
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(now.as_microsecond())))
    }

    /// The current instant, to the microsecond.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        let micros = match self {
            Self::System => Timestamp::now().as_microsecond(),
            Self::Fixed(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The current instant in microseconds since 1970, as the store keeps it.
    #[must_use]
    pub fn micros(&self) -> i64 {
        self.now().as_microsecond()
    }

    /// Moves a fixed clock; the system clock does not listen.
    pub fn set(&self, now: Timestamp) {
        if let Self::Fixed(at) = self {
            at.store(now.as_microsecond(), Ordering::SeqCst);
        }
    }
}

/// An instant as the API writes it: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Microseconds since 1970 as the API writes an instant.
#[must_use]
pub fn rfc3339_micros(micros: i64) -> String {
    rfc3339(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed("2026-03-01T09:30:00Z".parse().unwrap());
        assert_eq!(rfc3339(clock.now()), "2026-03-01T09:30:00.000Z");
        clock.clone().set("2026-03-01T09:30:00.25Z".parse().unwrap());
        assert_eq!(rfc3339_micros(clock.micros()), "2026-03-01T09:30:00.250Z");
    }
}
