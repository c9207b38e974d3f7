//! The purpose of a request, and the audit entry of one that was shown restricted fields.

use crate::Api;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hub_flow::audit::LONGEST_PURPOSE;
use hub_flow::restricted;

/// What restricted fields are read for.
pub(crate) const PURPOSE: HeaderName = HeaderName::from_static("purpose");
/// Says `needed` where something was masked only for lack of a purpose.
const NOTE: HeaderName = HeaderName::from_static("hub-purpose");

/// The `Purpose` of a request: UTF-8, as it is or percent-encoded.
fn purpose_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(PURPOSE) else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).ok().and_then(|text| {
        // A plus is a plus: this is no form.
        let escaped = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        let pair = url::form_urlencoded::parse(escaped.as_bytes()).next()?;
        Some(pair.0.trim().to_owned())
    });
    let text = text.filter(|text| {
        (1..=LONGEST_PURPOSE).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
    });
    let detail = format!("`Purpose` has 1 to {LONGEST_PURPOSE} characters in one line of UTF-8");
    text.map(Some).ok_or_else(|| Problem::bad_parameter("Purpose", detail, None))
}

/// Runs a request; where restricted fields are in the answer, it leaves when the audit log says so.
pub(crate) async fn told(State(api): State<Api>, request: Request, next: Next) -> Response {
    let purpose = match purpose_of(request.headers()) {
        Ok(purpose) => purpose,
        Err(problem) => return problem.into_response(),
    };
    let varies = ["/v1/", "/scim/"].iter().any(|under| request.uri().path().starts_with(under));
    let (mut response, shown) = restricted::within(purpose, next.run(request)).await;
    if let Some(entry) = shown.entry
        && let Err(error) = api.hub.audit(entry).await
    {
        tracing::error!(error = %error, "an answer with restricted fields was held back: its audit entry failed");
        return Problem::unavailable("the audit log is not available now").into_response();
    }
    if varies {
        // One address, shown to each caller in their own way: what is kept for one is not for another.
        response.headers_mut().append(header::VARY, HeaderValue::from_static("authorization, purpose"));
    }
    if shown.lacks_purpose {
        response.headers_mut().insert(NOTE, HeaderValue::from_static("needed"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_one_line_of_text() {
        let purpose = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            purpose_of(&HeaderMap::from_iter([(PURPOSE, value)])).map_err(|problem| problem.code())
        };
        assert_eq!(purpose(b"payroll run 2026-03").unwrap().as_deref(), Some("payroll run 2026-03"));
        assert_eq!(purpose("工资核对".as_bytes()).unwrap().as_deref(), Some("工资核对"));
        assert_eq!(purpose(b"%E5%B7%A5%E8%B5%84&a=1+1").unwrap().as_deref(), Some("工资&a=1+1"));
        for bad in ["", "  ", "%00", "%ff"] {
            assert_eq!(purpose(bad.as_bytes()).unwrap_err(), "bad_parameter", "{bad}");
        }
        assert_eq!(purpose("x".repeat(LONGEST_PURPOSE + 1).as_bytes()).unwrap_err(), "bad_parameter");
        assert!(purpose_of(&HeaderMap::new()).unwrap().is_none());
    }
}
