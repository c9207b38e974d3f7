//! Errors as SCIM tells them (RFC 7644, section 3.12).

use crate::problem::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_store::StoreError;
use serde_json::json;

/// The media type of SCIM.
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// What went wrong.
#[derive(Debug)]
pub(crate) struct ScimError {
    status: StatusCode,
    /// The kind of a bad request that SCIM has a word for.
    kind: Option<&'static str>,
    detail: String,
}

impl ScimError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// A bad request; `kind` is the `scimType`.
    pub(crate) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: Some(kind), detail: detail.into() }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such resource")
    }

    pub(crate) fn taken(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, kind: Some("uniqueness"), detail: detail.into() }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Option<&'static str> {
        self.kind
    }
}

impl From<Problem> for ScimError {
    fn from(problem: Problem) -> Self {
        let (status, detail) = problem.told();
        Self::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), detail)
    }
}

impl From<StoreError> for ScimError {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<hub_flow::access::Denied> for ScimError {
    fn from(denied: hub_flow::access::Denied) -> Self {
        Problem::from(denied).into()
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.into();
        }
        let mut response = (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
