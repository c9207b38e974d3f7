//! How long an answer asks to wait.

use crate::driver::CallContext;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use std::time::Duration;

/// How long to wait when a vendor asks for it in words that nobody understands.
const UNREADABLE_WAIT: Duration = Duration::from_secs(60);
/// The longest wait that a header of the vendor's own can ask for, in seconds.
const LONGEST_OWN_WAIT: u64 = 86_400;

fn header<'h>(headers: &'h [(String, String)], wanted: &str) -> Option<&'h str> {
    headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim())
}

pub(super) fn asks_to_wait(headers: &[(String, String)]) -> bool {
    header(headers, "retry-after").is_some()
}

/// How long an answer asks to wait: by `Retry-After`, else by the vendor's own header, in seconds.
pub(super) fn asked_wait(cx: &CallContext<'_>, headers: &[(String, String)]) -> Option<Duration> {
    retry_after(headers, cx.clock.now()).or_else(|| own_wait(cx.connection.pace.wait_header.as_deref()?, headers))
}

/// Whole seconds, and not past a day: a time of day or a count in such a header is no wait.
fn own_wait(name: &str, headers: &[(String, String)]) -> Option<Duration> {
    let seconds: u64 = header(headers, name)?.parse().ok()?;
    (seconds <= LONGEST_OWN_WAIT).then(|| Duration::from_secs(seconds))
}

/// How long `Retry-After` asks to wait (RFC 9110 §10.2.3): seconds, or an HTTP date. The date is compared with the
/// answer's own `Date`, so that clocks need not agree. What cannot be read counts as a minute.
pub(crate) fn retry_after(headers: &[(String, String)], now: Timestamp) -> Option<Duration> {
    let value = header(headers, "retry-after")?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let Some(until) = http_date(value) else { return Some(UNREADABLE_WAIT) };
    let sent = header(headers, "date").and_then(http_date).unwrap_or(now);
    // A date that has passed asks for nothing.
    Some(Duration::try_from(until.duration_since(sent)).unwrap_or_default())
}

/// An HTTP date (RFC 9110 §5.6.7): the form of today, and the two old ones.
fn http_date(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|form| {
        let read = BrokenDownTime::parse(form, text).ok()?;
        Some(read.to_datetime().ok()?.in_tz("UTC").ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendors_own_header_says_how_many_seconds_to_wait() {
        let wait = |value: &str| {
            let headers = [("x-limit-reset".to_owned(), value.to_owned())];
            own_wait("x-limit-reset", &headers).map(|wait| wait.as_secs())
        };
        assert_eq!((wait("7"), wait(" 0 "), wait("86400")), (Some(7), Some(0), Some(86_400)));
        assert_eq!((wait("1795244400"), wait("soon"), wait("-1"), wait("")), (None, None, None, None));
        assert_eq!(own_wait("x-other", &[("x-limit-reset".to_owned(), "7".to_owned())]), None);
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_every_form_of_http_date() {
        let now = "1994-11-06T08:00:00Z".parse().unwrap();
        let wait = |value: &str, date: Option<&str>| {
            let mut headers = vec![("retry-after".to_owned(), value.to_owned())];
            headers.extend(date.map(|date| ("date".to_owned(), date.to_owned())));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 0 ", None), Some(0));
        assert_eq!(wait("99999999999999999999999", None), Some(u64::MAX));
        for same in ["Sun, 06 Nov 1994 08:02:30 GMT", "Sunday, 06-Nov-94 08:02:30 GMT", "Sun Nov  6 08:02:30 1994"] {
            assert_eq!(wait(same, None), Some(150), "{same}");
            // The vendor's clock is an hour behind ours: only the difference counts.
            assert_eq!(wait(same, Some("Sun, 06 Nov 1994 08:02:00 GMT")), Some(30), "{same}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 07:00:00 GMT", None), Some(0));
        assert_eq!(wait("tomorrow", None), Some(60));
        assert_eq!(wait("-5", None), Some(60));
        assert_eq!(retry_after(&[], now), None);
    }
}
