//! Errors as RFC 9457 problems: a stable code, what is wrong, and what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::Failure;
use hub_kit::client::Refusal;
use hub_store::StoreError;
use serde::Serialize;
use std::time::Duration;

/// A problem. Every code has a section in `docs/problems.md`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Members>);

#[derive(Clone, Debug, Serialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// Stable; programs branch on it.
    code: &'static str,
    detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Where in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Where in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// The journey, if the request belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// What a vendor that was called said.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    vendor: Option<Vendor>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// What is told of a vendor's failure.
#[derive(Clone, Debug, Serialize)]
struct Vendor {
    /// The vendor's own code.
    vendor_code: Option<String>,
    /// Who must act: `CALLER`, `CREDENTIAL`, `CONFIG`, `REMOTE`, `NETWORK`.
    party: &'static str,
    /// Whether the same may be sent again without harm.
    retryable: bool,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            kind: format!("urn:hrhub:problem:{code}"),
            title,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            next: None,
            parameter: None,
            pointer: None,
            trace_id: None,
            vendor: None,
            retry_after: None,
        }))
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(next.into());
        self
    }

    pub(crate) fn with_trace(mut self, trace_id: impl Into<String>) -> Self {
        self.0.trace_id = Some(trace_id.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            "this address does not answer to this method",
        )
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Who are you?", "the request has no valid API key")
            .next("send `Authorization: Bearer <key>`; `hrhub keys create` makes a key")
    }

    pub(crate) fn forbidden(scope: &str) -> Self {
        let detail = format!("the API key lacks the scope `{scope}`");
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
            .next("ask an admin for a key with that scope")
    }

    pub(crate) fn bad_parameter(name: &str, detail: impl Into<String>, next: Option<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "bad_parameter", "Bad parameter", detail);
        problem.0.parameter = Some(name.to_owned());
        problem.0.next = next;
        problem
    }

    pub(crate) fn gone(what: &str) -> Self {
        let detail = format!("{what} behind this field is not kept any more");
        Self::new(StatusCode::GONE, "gone", "No longer kept", detail)
    }

    pub(crate) fn webhook_refused() -> Self {
        let detail = "the request does not prove that it comes from the vendor of this connection";
        Self::new(StatusCode::UNAUTHORIZED, "webhook_refused", "Not believed", detail)
            .next("check the secret on both sides; the hub's log says which part of the proof is wrong")
    }

    pub(crate) fn unknown_connection() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_connection",
            "No such connection",
            "no connection takes webhooks here",
        )
        .next("the address is /hooks/ and the id of a connection")
    }

    pub(crate) fn media_type(known: &[String]) -> Self {
        let detail = format!("the connection takes {} in UTF-8", known.join(", "));
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Wrong content type", detail)
    }

    pub(crate) fn encoding() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_encoding", "Not UTF-8", "the body is not text in UTF-8")
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("a body may have at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
            .next("`limits.max_body_bytes` in hub.yaml sets the limit, and `max_body_bytes` of the connection below it")
    }

    pub(crate) fn broken_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "broken_body", "Broken off", "the body ended too early")
    }

    pub(crate) fn slow_body() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "Too slow", "the body did not arrive in time")
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", "Not readable", detail)
    }

    pub(crate) fn long_body(limit: usize) -> Self {
        let detail = format!("the body of this request may have at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
    }

    pub(crate) fn long_file(limit: usize) -> Self {
        let detail = format!("a file may have at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large", detail)
            .next("`imports.max_bytes` in hub.yaml sets the limit; or split the file")
    }

    pub(crate) fn invalid_body(pointer: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", "Not acceptable", detail);
        problem.0.pointer = Some(pointer.to_owned());
        problem
    }

    pub(crate) fn refused_target(refusal: Refusal) -> Self {
        let mut problem = match refusal {
            Refusal::Private => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "private_target",
                "Private address",
                "the address leads into a private network, where subscribers are not looked for",
            )
            .next("name a public address; whoever runs the hub can allow networks with `egress.allow_private`"),
            Refusal::Malformed | Refusal::NotEncrypted => return Self::invalid_body("/url", refusal.to_string()),
        };
        problem.0.pointer = Some("/url".to_owned());
        problem
    }

    pub(crate) fn unusable_file(code: &str, detail: &str) -> Self {
        let detail = format!("{code}: {detail}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unusable_file", "The file cannot be read", detail)
    }

    pub(crate) fn second_person() -> Self {
        let detail = "whoever brought an import, or asked for it, cannot agree to it";
        Self::new(StatusCode::FORBIDDEN, "second_person", "A second person is needed", detail)
            .next("somebody else with a key that has the scope `import:approve` sends `:approve`")
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Not in this state", detail)
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available", detail);
        problem.0.retry_after = Some(5);
        problem.next("try again; nothing was done")
    }

    pub(crate) fn overloaded() -> Self {
        let detail = "too many web hooks are under way";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much at once", detail);
        problem.0.retry_after = Some(1);
        problem.next("try again; nothing was done")
    }

    pub(crate) fn vendor_refused(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "vendor_refused", "The vendor said no", detail)
            .next("`vendor_code` is the vendor's: its documentation explains it")
    }

    pub(crate) fn vendor_absent(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "vendor_absent", "The vendor has no such thing", detail)
    }

    pub(crate) fn vendor_busy(detail: impl Into<String>, wait: Option<Duration>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "vendor_busy", "The vendor asks to wait", detail);
        problem.0.retry_after = Some(wait.map_or(1, |wait| wait.as_secs().max(1)));
        problem
    }

    pub(crate) fn vendor_unwell(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "vendor_unwell", "The vendor is unwell", detail);
        problem.0.retry_after = Some(30);
        problem.next("try again later; nothing was sent. `GET /v1/connections/{id}` shows the circuit")
    }

    pub(crate) fn vendor_trouble(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "vendor_trouble", "The vendor had trouble", detail)
            .next("it may have been carried out: look before sending it again")
    }

    pub(crate) fn no_vendor_answer(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "no_vendor_answer", "No answer", detail)
            .next("it may have been carried out: look before sending it again")
    }

    pub(crate) fn connection_fault(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "connection_fault", "The connection does not work", detail)
            .next("`party` says who must act; `POST /v1/connections/{id}:test` looks at credentials and permissions")
    }

    /// Tells what the vendor said.
    pub(crate) fn of_vendor(mut self, vendor_code: Option<String>, party: &'static str, retryable: bool) -> Self {
        self.0.vendor = Some(Vendor { vendor_code, party, retryable });
        self
    }

    fn internal() -> Self {
        let detail = "the hub could not do this; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED && self.0.code == "unauthorized" {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_temporary() {
            return Self::unavailable(match error {
                StoreError::Full(_) => "the store's disk is full",
                _ => "the store is not available now",
            });
        }
        tracing::error!(error = %error, "the store failed a request");
        Self::internal()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Retry(_) => Self::unavailable("the store is not available now"),
            Failure::Park { code, reason, .. } => {
                tracing::error!(code, reason, "a request failed");
                Self::internal()
            }
        }
    }
}
