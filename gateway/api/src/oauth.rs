//! `/oauth/token`: an app's key for a token that lasts a quarter of an hour, and what others must know of it. Errors are
//! in the form of RFC 6749, which clients of it expect.

use crate::Api;
use crate::body;
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_flow::access::oauth::NoToken;
use hub_flow::access::{ROLES, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FORM: &str = "application/x-www-form-urlencoded";

/// Why there is no token, as RFC 6749 §5.2 says it.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn of(error: &'static str, description: impl Into<String>) -> Self {
        let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        Self { status, error, description: description.into(), retry_after: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = (self.status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"hrhub\""));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<NoToken> for Refusal {
    fn from(why: NoToken) -> Self {
        match why {
            NoToken::Client => Self::of("invalid_client", why.to_string()),
            NoToken::Scope(_) => Self::of("invalid_scope", why.to_string()),
            NoToken::Wait(seconds) => {
                let refusal = Self::of("invalid_client", why.to_string());
                Self { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(seconds), ..refusal }
            }
            NoToken::Store(error) => {
                tracing::warn!(error = %error, "no token could be issued");
                let description = "the store is not available now; try again";
                let refusal = Self::of("temporarily_unavailable", description);
                Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(5), ..refusal }
            }
        }
    }
}

/// `client_id:client_secret`, each form-encoded (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Option<Result<(String, String), Refusal>> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let plain = |text: &str| {
        let mut pairs = url::form_urlencoded::parse(text.as_bytes());
        pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    let broken = || Refusal::of("invalid_client", "the `Authorization` header cannot be read");
    Some(pair.map(|(id, secret)| (plain(id), plain(secret))).ok_or_else(broken))
}

/// The fields of a form; none may stand there twice.
async fn form(headers: &HeaderMap, body: Body) -> Result<BTreeMap<String, String>, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
        return Err(Refusal::of("invalid_request", format!("send a form: `Content-Type: {FORM}`")));
    }
    let bytes = body::bytes(body).await;
    let bytes = bytes.map_err(|_| Refusal::of("invalid_request", "the body is too long or did not arrive in time"))?;
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&bytes) {
        if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::of("invalid_request", format!("`{name}` stands there twice")));
        }
    }
    Ok(fields)
}

/// A token for an app.
pub(crate) async fn token(State(api): State<Api>, headers: HeaderMap, body: Body) -> Response {
    match issue(&api, &headers, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn issue(api: &Api, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    let mut fields = form(headers, body).await?;
    let in_body = fields.remove("client_id").zip(fields.remove("client_secret"));
    let (client, secret) = match (basic(headers), in_body) {
        (Some(_), Some(_)) => {
            return Err(Refusal::of("invalid_request", "show the secret in the header or in the body, not in both"));
        }
        (Some(shown), None) => shown?,
        (None, Some(shown)) => shown,
        (None, None) => return Err(Refusal::of("invalid_client", "`client_id` and `client_secret` are missing")),
    };
    match fields.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::of("unsupported_grant_type", "`grant_type` is client_credentials")),
        None => return Err(Refusal::of("invalid_request", "`grant_type` is missing")),
    }
    if client.contains('\0') || client.len() > 100 {
        return Err(NoToken::Client.into());
    }
    let scope = fields.get("scope").map(String::as_str);
    let issued = api.keys.issue(&api.hub.clock, &api.hub.public_url(), &client, &secret, scope).await?;
    let body = json!({
        "access_token": issued.token.expose(),
        "token_type": "Bearer",
        "expires_in": issued.lasts_secs,
        "scope": issued.scope,
    });
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// The keys by which tokens are believed (RFC 7517).
pub(crate) async fn jwks(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "keys": api.keys.public_keys(&api.hub.clock).await? })))
}

/// What a client must know (RFC 8414).
pub(crate) async fn metadata(State(api): State<Api>) -> Json<Value> {
    let base = api.hub.public_url();
    let scopes = Scope::ALL.iter().map(|(name, _)| *name).chain(ROLES.iter().map(|(name, _)| *name));
    let scopes: std::collections::BTreeSet<&str> = scopes.collect();
    Json(json!({
        "issuer": base.as_str(),
        "token_endpoint": format!("{base}/oauth/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": scopes,
        "service_documentation": format!("{base}/docs"),
    }))
}
