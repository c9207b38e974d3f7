//! Errors as RFC 9457 problems: a stable code, what is wrong, and what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::Failure;
use hub_flow::access::Scope;
use hub_flow::keeps::Broken;
use hub_kit::client::Refusal;
use hub_store::StoreError;
use serde::Serialize;
use std::time::Duration;

/// What the documentation says of the codes: one row each, in the tables of this page.
pub(crate) const PAGE: &str = include_str!("../../../docs/problems.md");

/// What is written of a code of the API.
pub(crate) struct Code {
    pub(crate) status: u16,
    pub(crate) meaning: &'static str,
    pub(crate) what_to_do: &'static str,
}

/// The row of a code of the API in the documentation.
pub(crate) fn code(wanted: &str) -> Option<Code> {
    let rows = PAGE.split("## API problems").nth(1)?.split("\n## ").next()?;
    rows.lines().find_map(|line| {
        let mut cells = line.trim_start_matches('|').split(" |").map(str::trim);
        let found = cells.next()?.trim_matches('`') == wanted;
        let status = cells.next()?.parse().ok().filter(|_| found)?;
        Some(Code { status, meaning: cells.next()?, what_to_do: cells.next().unwrap_or_default() })
    })
}

/// The status of a code; of one that nobody has described, 500.
pub(crate) fn status_of(wanted: &str) -> u16 {
    code(wanted).map_or(500, |code| code.status)
}

/// A problem. Every code has a row in `docs/problems.md`.
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
    /// All that is wrong with a body, each with its place, where there is more than one thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Part>,
    /// The operation that failed: `GET /v1/operations/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip)]
    retry_after: Option<u64>,
    #[serde(skip)]
    etag: Option<String>,
}

/// One of several things that are wrong with a body.
#[derive(Clone, Debug, Serialize)]
struct Part {
    pointer: String,
    detail: String,
}

/// What is told of a vendor's failure.
#[derive(Clone, Debug, Serialize)]
struct Vendor {
    /// The vendor's own code.
    vendor_code: Option<String>,
    /// Who must act: `CALLER`, `CREDENTIAL`, `CONFIG`, `REMOTE`, `NETWORK`.
    party: String,
    /// Whether the same may be sent again without harm.
    retryable: bool,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            kind: format!("/docs/problems/{code}"),
            title,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            next: None,
            parameter: None,
            pointer: None,
            trace_id: None,
            vendor: None,
            errors: Vec::new(),
            operation: None,
            retry_after: None,
            etag: None,
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

    /// Status and detail, for protocols that tell errors in a form of their own.
    pub(crate) fn told(&self) -> (u16, &str) {
        (self.0.status, &self.0.detail)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status
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

    pub(crate) fn limited() -> Self {
        let detail = "the API key is limited to org units, and this reaches beyond them";
        Self::new(StatusCode::FORBIDDEN, "limited_to_units", "Not allowed", detail)
            .next("ask an admin for a key without such a limit; `GET /v1/me` shows the limits of a key")
    }

    pub(crate) fn bad_parameter(name: &str, detail: impl Into<String>, next: Option<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "bad_parameter", "Bad parameter", detail);
        problem.0.parameter = Some(name.to_owned());
        problem.0.next = next;
        problem
    }

    pub(crate) fn gone(what: &str) -> Self {
        let detail = format!("{what} is not kept any more");
        Self::new(StatusCode::GONE, "gone", "No longer kept", detail)
    }

    pub(crate) fn cursor_expired() -> Self {
        let detail = "events behind this cursor are not kept any more";
        Self::new(StatusCode::GONE, "cursor_expired", "Too long ago", detail)
            .next("read the records again from their lists, then go on with the cursor that `cursor=now` gives")
    }

    pub(crate) fn too_many_readers() -> Self {
        let detail = "too many requests of this app, or in all, wait for events";
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_readers", "Too many wait", detail);
        problem.0.retry_after = Some(5);
        problem.next("close a stream, or ask without `wait`")
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

    pub(crate) fn slow_request() -> Self {
        let detail = "the answer took too long; nobody knows how far the request got";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "slow_request", "Took too long", detail)
            .next("look before asking again; `limits.request_secs` in hub.yaml sets the time")
    }

    pub(crate) fn long_address(limit: usize) -> Self {
        let detail = format!("path and query of a request have at most {limit} bytes");
        Self::new(StatusCode::URI_TOO_LONG, "long_address", "Address too long", detail)
            .next("`limits.max_address_bytes` in hub.yaml sets the limit")
    }

    pub(crate) fn large_head(limit: usize) -> Self {
        let detail = format!("the headers of a request have at most {limit} bytes");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::new(status, "large_head", "Headers too large", detail)
            .next("`limits.max_header_bytes` in hub.yaml sets the limit")
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

    pub(crate) fn invalid_statement(pointer: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid_statement", "Not a statement", detail);
        problem.0.pointer = Some(pointer.to_owned());
        problem.next("statements are those of xAPI 1.0.3; none of this request was taken")
    }

    pub(crate) fn statement_conflict(id: &str) -> Self {
        let detail = format!("another statement with the id {id} is here, and statements never change");
        Self::new(StatusCode::CONFLICT, "statement_conflict", "Another statement has this id", detail)
            .next("give it an id of its own, or void the other one; none of this request was taken")
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

    /// A record would not keep what records of its entity must.
    pub(crate) fn broken(broken: &Broken) -> Self {
        let status = StatusCode::from_u16(status_of(broken.code)).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        let mut problem = Self::new(status, broken.code, "Not allowed for such a record", broken.reason.clone());
        problem.0.pointer = Some(broken.pointer.clone());
        problem.next(broken.next)
    }

    /// `scope` is what the key of somebody else needs.
    pub(crate) fn second_person(detail: &str, scope: Scope) -> Self {
        Self::new(StatusCode::FORBIDDEN, "second_person", "A second person is needed", detail)
            .next(format!("somebody else with a key that has the scope `{}` does it", scope.name()))
    }

    pub(crate) fn other_reviewer(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "other_reviewer", "Somebody else has to", detail)
            .next("let somebody answer who did not make the decision, and name them in `answered_by`")
    }

    pub(crate) fn consent_missing(purposes: &str) -> Self {
        let detail = format!("this operation needs a person's consent for {purposes}, and names no person");
        Self::new(StatusCode::CONFLICT, "consent_missing", "Consent is needed", detail).next(
            "order it for a record that leads to the person, such as POST /v1/assessment-orders with `connection`",
        )
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
    pub(crate) fn of_vendor(mut self, vendor_code: Option<String>, party: &str, retryable: bool) -> Self {
        self.0.vendor = Some(Vendor { vendor_code, party: party.to_owned(), retryable });
        self
    }

    /// All that is wrong with a body: pointers and details.
    pub(crate) fn all_of(parts: Vec<(String, String)>) -> Self {
        let pointer = parts.first().map(|(pointer, _)| pointer.clone()).unwrap_or_default();
        let all: Vec<String> = parts.iter().map(|(pointer, detail)| format!("{pointer}: {detail}")).collect();
        let mut problem = Self::invalid_body(&pointer, all.join("; "));
        problem.0.errors = parts.into_iter().map(|(pointer, detail)| Part { pointer, detail }).collect();
        problem
    }

    /// All that keeps a file from leaving a run: places and details of the first ones, and how many there are.
    pub(crate) fn payout(count: usize, parts: Vec<(String, String)>) -> Self {
        let title = "Something is wrong with the run";
        let detail = match (count, parts.first()) {
            (1, Some((_, first))) => first.clone(),
            _ => format!("{count} things are wrong; nothing was done"),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "payout_refused", title, detail);
        problem.0.errors = parts.into_iter().map(|(pointer, detail)| Part { pointer, detail }).collect();
        problem.next("correct what `errors` lists, then ask again")
    }

    /// Whether what was sent makes no sense, so that sending it again would not help.
    pub(crate) fn is_callers(&self) -> bool {
        matches!(self.0.code, "malformed_request" | "invalid_body" | "too_large")
    }

    pub(crate) fn with_pointer(mut self, pointer: &str) -> Self {
        self.0.pointer = Some(pointer.to_owned()).filter(|pointer| !pointer.is_empty());
        self
    }

    pub(crate) fn of_operation(mut self, id: &str) -> Self {
        self.0.operation = Some(id.to_owned());
        self
    }

    pub(crate) fn key_reused() -> Self {
        let detail = "another request was made under this `Idempotency-Key`";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "Another request", detail)
            .next("use a new key for a new request")
    }

    pub(crate) fn request_running() -> Self {
        let detail = "the request with this `Idempotency-Key` is being carried out";
        let mut problem = Self::new(StatusCode::CONFLICT, "request_running", "Still running", detail);
        problem.0.retry_after = Some(1);
        problem.next("send it again after `Retry-After`: it gets the answer of the first")
    }

    pub(crate) fn request_unfinished() -> Self {
        let detail = "the hub was stopped while it carried the request with this `Idempotency-Key` out";
        Self::new(StatusCode::CONFLICT, "request_unfinished", "Broken off", detail)
            .next("look whether it was carried out; if not, send it with a new key")
    }

    pub(crate) fn version_differs(version: i64) -> Self {
        let detail = format!("the record has version {version}, not the one that `If-Match` names");
        let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "version_differs", "Changed meanwhile", detail);
        problem.0.etag = Some(format!("\"{version}\""));
        problem.next("read the record again, and decide whether the change still holds")
    }

    pub(crate) fn internal() -> Self {
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
        if let Some(etag) = self.0.etag.as_deref().and_then(|etag| HeaderValue::from_str(etag).ok()) {
            response.headers_mut().insert(header::ETAG, etag);
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
