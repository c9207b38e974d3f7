//! Identifiers: UUIDv7 (RFC 9562), made by the hub, ordered by time, never derived from a vendor's id.

use crate::clock::Clock;
use crate::random;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A hub id; written as 36 characters of lower-case hex with dashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Uuid);

impl Id {
    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the 36-character form of a UUID.
#[derive(Debug, thiserror::Error)]
#[error("an id is a UUID of 36 characters, such as 0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a")]
pub struct NotAnId;

impl FromStr for Id {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() != 36 {
            return Err(NotAnId);
        }
        Uuid::parse_str(text).map(Self).map_err(|_| NotAnId)
    }
}

/// Makes ids that rise within a process even when the clock stands still or steps back.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    last: Arc<Mutex<(u64, u16)>>,
}

impl Ids {
    /// A maker that follows `clock`.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// The next id: 48 bits of milliseconds, 12 bits of counter, 62 random bits.
    #[must_use]
    pub fn next(&self) -> Id {
        let millis = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let (millis, counter) = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = match *last {
                (at, _) if millis > at => (millis, u16::from_le_bytes(random::bytes()) & 0x7FF),
                (at, counter) if counter < 0xFFF => (at, counter + 1),
                (at, _) => (at + 1, 0),
            };
            *last
        };
        let mut bytes = random::bytes::<16>();
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6] = 0x70 | u8::try_from(counter >> 8).unwrap_or(0);
        bytes[7] = u8::try_from(counter & 0xFF).unwrap_or(0);
        bytes[8] = 0x80 | (bytes[8] & 0x3F);
        Id(Uuid::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_when_the_clock_stands() {
        let ids = Ids::new(Clock::fixed("2026-03-01T09:30:00Z".parse().unwrap()));
        let made: Vec<Id> = (0..20_000).map(|_| ids.next()).collect();
        assert!(made.windows(2).all(|w| w[0] < w[1]));
        assert!(made.iter().all(|id| id.0.get_version_num() == 7 && id.0.get_variant() == uuid::Variant::RFC4122));
        assert_eq!(made[0].to_string().parse::<Id>().unwrap(), made[0]);
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in ["", "55120034", "{0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a}", "0197c1d05f0e7d7a9f5e6a2f4d1c3b2a"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
