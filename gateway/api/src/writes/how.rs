//! What a request to write says beside its body: its key, the version that was read, how long its caller waits.

use crate::idempotency::Keyed;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records::version_in;
use axum::Extension;
use axum::http::{HeaderMap, header};
use std::time::Duration;

/// How long a caller waits for a system, unless told.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest that a caller may ask to wait.
const LONGEST: Duration = Duration::from_secs(60);

/// What a request says beside its body.
pub(crate) struct How {
    pub(crate) key: Option<String>,
    pub(crate) version: Option<i64>,
    pub(crate) wait: Duration,
    /// The `connection` of the query.
    pub(crate) connection: Option<String>,
}

impl How {
    pub(super) fn of(
        headers: &HeaderMap,
        query: Option<&str>,
        keyed: Option<Extension<Keyed>>,
    ) -> Result<Self, Problem> {
        let mut given = parameters(query);
        let connection = given.take("connection");
        given.finish(&["connection"])?;
        Ok(Self {
            key: keyed.map(|Extension(Keyed(key))| key),
            version: if_match(headers)?,
            wait: prefer(headers),
            connection,
        })
    }
}

/// How long a caller wants to wait: `Prefer: wait=10`, or `respond-async` (RFC 7240).
fn prefer(headers: &HeaderMap) -> Duration {
    let words = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut wait = PATIENCE;
    for word in words.flat_map(|value| value.split(',')).map(str::trim) {
        let seconds = word.strip_prefix("wait=").and_then(|text| text.trim().parse::<u64>().ok());
        if word.eq_ignore_ascii_case("respond-async") {
            wait = Duration::ZERO;
        } else if let Some(seconds) = seconds {
            wait = Duration::from_secs(seconds).min(LONGEST);
        }
    }
    wait
}

/// The version that a caller has read; `None` when any will do.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let wrong = || {
        let next = "send the `ETag` of the record as you have read it".to_owned();
        Problem::bad_parameter("If-Match", "`If-Match` is one version in quotes, such as \"3\", or *", Some(next))
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if text == "*" {
        return Ok(None);
    }
    version_in(text).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_caller_waits_two_seconds_or_as_long_as_asked_or_not_at_all() {
        assert_eq!(prefer(&HeaderMap::new()), Duration::from_secs(2));
        assert_eq!(prefer(&headers("prefer", "handling=strict, wait=10")), Duration::from_secs(10));
        assert_eq!(prefer(&headers("prefer", "wait=99999")), LONGEST);
        assert_eq!(prefer(&headers("prefer", "respond-async")), Duration::ZERO);
    }

    #[test]
    fn a_version_is_one_strong_tag() {
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(if_match(&headers("if-match", "*")).unwrap(), None);
        assert_eq!(if_match(&headers("if-match", "\"12\"")).unwrap(), Some(12));
        assert_eq!(if_match(&headers("if-match", "\"12-s3\"")).unwrap(), Some(12), "as it was shown whole");
        for bad in ["W/\"1\"", "1", "\"x\"", "\"1\", \"2\""] {
            assert!(if_match(&headers("if-match", bad)).is_err(), "{bad}");
        }
    }
}
