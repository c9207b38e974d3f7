//! The thread of a journey: W3C Trace Context, carried in HTTP headers, bus messages and rows.

use crate::random;
use std::fmt;
use std::str::FromStr;

/// Trace id, parent span id and flags of <https://www.w3.org/TR/trace-context/>; written as `traceparent`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// Names the journey; never zero.
    pub trace_id: u128,
    /// The span that caused what is being done; never zero.
    pub span_id: u64,
    /// Bit 0: sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Begins a new journey.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            trace_id: u128::from_be_bytes(random::bytes()).max(1),
            span_id: u64::from_be_bytes(random::bytes()).max(1),
            flags: 1,
        }
    }

    /// The same journey under another span.
    #[must_use]
    pub fn with_span(self, span_id: u64) -> Self {
        Self { span_id: span_id.max(1), ..self }
    }

    /// The trace id as 32 hex digits, as users see it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no `traceparent`.
#[derive(Debug, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct NotATraceparent;

impl FromStr for TraceContext {
    type Err = NotATraceparent;

    /// Accepts version 00 and, as the recommendation asks, later versions that begin the same way.
    fn from_str(text: &str) -> Result<Self, NotATraceparent> {
        let lower_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut parts = text.splitn(5, '-');
        let (Some(version), Some(trace), Some(span), Some(flags)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotATraceparent);
        };
        let shape = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        let rest = parts.next();
        if !shape || ![version, trace, span, flags].into_iter().all(lower_hex) || version == "ff" {
            return Err(NotATraceparent);
        }
        if version == "00" && rest.is_some() {
            return Err(NotATraceparent);
        }
        let parsed = Self {
            trace_id: u128::from_str_radix(trace, 16).map_err(|_| NotATraceparent)?,
            span_id: u64::from_str_radix(span, 16).map_err(|_| NotATraceparent)?,
            flags: u8::from_str_radix(flags, 16).map_err(|_| NotATraceparent)?,
        };
        if parsed.trace_id == 0 || parsed.span_id == 0 { Err(NotATraceparent) } else { Ok(parsed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_survives_the_round_trip() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), text);
        assert_eq!(TraceContext::begin().to_string().len(), 55);
    }

    #[test]
    fn what_the_recommendation_forbids_is_refused() {
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(bad.parse::<TraceContext>().is_err(), "{bad}");
        }
        assert!("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later".parse::<TraceContext>().is_ok());
    }
}
