//! The one place that reads randomness.

/// Random bytes from the operating system, fit for keys and tokens.
///
/// # Panics
/// When the operating system has no randomness to give; a hub without it must not run.
#[must_use]
#[allow(clippy::disallowed_methods, clippy::expect_used, reason = "this is the one place; see # Panics")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives randomness");
    out
}

/// A number below `bound` (0 when `bound` is 0), for jitter; not for secrets.
#[must_use]
pub fn below(bound: u64) -> u64 {
    u64::from_le_bytes(bytes()).checked_rem(bound).unwrap_or(0)
}

/// Random text of `len` characters out of 32 that cannot be confused when read aloud: 5 bits each.
#[must_use]
pub fn token(len: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut out = String::with_capacity(len);
    while out.len() < len {
        for byte in bytes::<32>() {
            if out.len() < len {
                out.push(char::from(ALPHABET[usize::from(byte & 31)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn tokens_have_their_length_and_differ() {
        let (a, b) = (super::token(40), super::token(40));
        assert_eq!(a.len(), 40);
        assert_ne!(a, b);
    }
}
