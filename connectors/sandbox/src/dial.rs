//! How badly the simulators behave.

use serde::{Deserialize, Serialize};

/// How badly the simulators behave; all zero is well. `every: 3` means the third, sixth, ninth request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dial {
    /// Milliseconds before each answer.
    pub slow_ms: u64,
    /// Every so many requests are carried out, but their answer breaks off.
    pub lose_every: u64,
    /// Every so many requests are answered with 503, and not carried out.
    pub fail_every: u64,
    /// Every so many requests are answered with a bare 500, and not carried out.
    pub error_every: u64,
    /// Every so many requests are answered with 429 and `Retry-After`, and not carried out.
    pub limit_every: u64,
    /// What `Retry-After` says, seconds or an HTTP date; `1` if nothing is given.
    pub retry_after: String,
    /// The vendors that behave so; all, if none are named.
    pub vendors: Vec<String>,
    /// How often each webhook is delivered, beside once.
    pub duplicates: u32,
    /// The gaps between a vendor's redeliveries are so many times shorter.
    pub hurry: u32,
    /// Every second webhook is sent so many milliseconds later, behind those that follow it.
    pub disorder_ms: u32,
    #[serde(skip)]
    pub(crate) count: u64,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answer,
    LoseAnswer,
    /// With this status; whether it says when to come back.
    Refuse(u16, bool),
}

impl Dial {
    pub(crate) fn is_for(&self, vendor: &str) -> bool {
        self.vendors.is_empty() || self.vendors.iter().any(|named| named == vendor)
    }

    pub(crate) fn next(&mut self) -> Fate {
        self.count += 1;
        let hits = |every: u64| every > 0 && self.count.is_multiple_of(every);
        if hits(self.limit_every) {
            Fate::Refuse(429, true)
        } else if hits(self.fail_every) {
            Fate::Refuse(503, true)
        } else if hits(self.error_every) {
            Fate::Refuse(500, false)
        } else if hits(self.lose_every) {
            Fate::LoseAnswer
        } else {
            Fate::Answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_hits_every_so_often() {
        let mut dial = Dial { lose_every: 2, limit_every: 3, ..Dial::default() };
        let fates: Vec<Fate> = (0..6).map(|_| dial.next()).collect();
        let (a, l, r) = (Fate::Answer, Fate::LoseAnswer, Fate::Refuse(429, true));
        assert_eq!(fates, [a, l, r, l, a, r]);
        assert_eq!(Dial::default().next(), Fate::Answer);
    }
}
