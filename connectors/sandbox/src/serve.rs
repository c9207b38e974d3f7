//! The simulators over HTTP: each vendor below its own name, and below `/_sandbox` what only a sandbox has.

use crate::dial::{Dial, Fate};
use crate::run::Asked;
use crate::state::Answer;
use crate::wire::{self, opened};
use crate::{Sandbox, SandboxError};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_kit::hook::is_xml;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

const MAX_BODY: usize = 10 << 20;

#[derive(Clone)]
struct Served {
    sandbox: Arc<Sandbox>,
    only: Option<String>,
}

impl Sandbox {
    /// The router: `/<vendor>/…`, or with `only` that vendor's API at `/`; `/_sandbox` for the sandbox itself.
    ///
    /// # Errors
    /// `only` names a vendor that is not simulated.
    pub fn router(self: Arc<Self>, only: Option<&str>) -> Result<Router, SandboxError> {
        if let Some(vendor) = only {
            self.profile(vendor)?;
        }
        let served = Served { sandbox: self, only: only.map(str::to_owned) };
        Ok(Router::new()
            .route("/_sandbox", get(overview))
            .route("/_sandbox/effects", get(effects))
            .route("/_sandbox/dial", put(turn))
            .route("/_sandbox/{vendor}/stream", get(connect).post(disturb))
            .route("/_sandbox/{vendor}/{action}", post(act))
            .fallback(vendor)
            .with_state(served))
    }
}

fn json_answer(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn complain(error: &SandboxError) -> Response {
    let status = match error {
        SandboxError::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        SandboxError::Unknown(_) => StatusCode::NOT_FOUND,
        SandboxError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    json_answer(status, json!({ "message": error.to_string() }).to_string())
}

async fn overview(State(served): State<Served>) -> Response {
    let sandbox = &served.sandbox;
    let vendor = |profile: &crate::Profile| {
        let actions: Vec<String> =
            profile.actions.iter().map(|(name, _)| format!("/_sandbox/{}/{name}", profile.vendor)).collect();
        json!({ "vendor": profile.vendor, "base": format!("/{}", profile.vendor), "actions": actions })
    };
    let vendors: Vec<Value> = sandbox.profiles.values().map(vendor).collect();
    let dial = sandbox.dial.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let body = json!({ "vendors": vendors, "undelivered": sandbox.undelivered(), "dial": dial });
    json_answer(StatusCode::OK, body.to_string())
}

async fn effects(State(served): State<Served>) -> Response {
    json_answer(StatusCode::OK, json!({ "effects": served.sandbox.effects() }).to_string())
}

async fn turn(State(served): State<Served>, body: Bytes) -> Response {
    match serde_json::from_slice::<Dial>(&body) {
        Ok(dial) => {
            served.sandbox.turn(dial);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => json_answer(StatusCode::BAD_REQUEST, json!({ "message": error.to_string() }).to_string()),
    }
}

async fn act(State(served): State<Served>, Path((vendor, action)): Path<(String, String)>, body: String) -> Response {
    match served.sandbox.act(&vendor, &action, &body) {
        Ok(body) => json_answer(StatusCode::OK, body),
        Err(error) => complain(&error),
    }
}

/// Takes a long connection of a hub.
async fn connect(
    State(served): State<Served>,
    Path(vendor): Path<String>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    match served.sandbox.admit(&vendor, query) {
        Ok(()) => upgrade.on_upgrade(move |socket| async move { served.sandbox.hold(&vendor, socket).await }),
        Err(error) => (StatusCode::UNAUTHORIZED, complain(&error)).into_response(),
    }
}

/// Cuts long connections, or asks their hubs to open others: `cut`, `leave`.
async fn disturb(State(served): State<Served>, Path(vendor): Path<String>, body: String) -> Response {
    let count = served.sandbox.disturb(&vendor, body.trim() == "leave");
    json_answer(StatusCode::OK, json!({ "connections": count }).to_string())
}

/// Any request to a vendor.
async fn vendor(State(served): State<Served>, request: Request) -> Response {
    let sandbox = &served.sandbox;
    let (parts, body) = request.into_parts();
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let mut path: Vec<String> = parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let vendor = match &served.only {
        Some(vendor) => vendor.clone(),
        None if path.is_empty() => return overview(State(served)).await,
        None => path.remove(0),
    };
    let profile = match sandbox.profile(&vendor) {
        Ok(profile) => profile,
        Err(error) => return complain(&error),
    };
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let opened = opened(&as_json(&parts.headers, &bytes));
    let Some((route, named)) = profile.route(parts.method.as_str(), &path, &opened.element) else {
        let message = format!("{vendor} has no {} /{}", parts.method, path.join("/"));
        return json_answer(StatusCode::NOT_FOUND, json!({ "message": message }).to_string());
    };
    let (fate, slow_ms, retry_after) = {
        let mut dial = sandbox.dial.lock().unwrap_or_else(PoisonError::into_inner);
        let turned = dial.is_for(&vendor);
        // Fetching a token is not what a dial is for.
        let fate = if route.open || !turned { Fate::Answer } else { dial.next() };
        let retry_after = Some(&dial.retry_after).filter(|text| !text.is_empty()).map_or("1", String::as_str);
        (fate, if turned { dial.slow_ms } else { 0 }, retry_after.to_owned())
    };
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let asked = Asked {
        query: query.into_owned().collect(),
        headers: text_headers(&parts.headers),
        basic: basic(&parts.headers),
        path: named,
        body: opened.body,
        address: format!("/{}", path.join("/")),
        element: opened.element,
        envelope: opened.envelope,
        text: String::from_utf8(bytes.to_vec()).unwrap_or_default(),
    };
    let guard = profile.guard.as_ref().filter(|_| !route.open);
    let own = match fate {
        Fate::Refuse(429, _) => profile.limited.as_ref(),
        Fate::Refuse(..) => profile.failing.as_ref(),
        _ => None,
    };
    let perform = |guard, step| match sandbox.perform(profile, guard, step, &asked) {
        Ok(answer) => respond(answer, fate),
        Err(error) => {
            json_answer(StatusCode::INTERNAL_SERVER_ERROR, json!({ "message": error.to_string() }).to_string())
        }
    };
    let response = match (fate, own) {
        // The vendor has words of its own for it.
        (_, Some(step)) => perform(None, step),
        (Fate::Refuse(status, says_when), None) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let when = says_when.then_some([(header::RETRY_AFTER, retry_after)]);
            when.map_or_else(|| status.into_response(), |when| (status, when).into_response())
        }
        _ => perform(guard, &route.step),
    };
    // Slow to answer, not to act: who gives up waiting cannot know what happened.
    if slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms)).await;
    }
    response
}

fn respond(answer: Answer, fate: Fate) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = match fate {
        // The connection breaks before the body is complete.
        Fate::LoseAnswer => {
            let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("answer lost")) });
            Body::from_stream(broken)
        }
        _ => Body::from(wire::bytes(answer.body)),
    };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<header::HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn text_headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

fn basic(map: &HeaderMap) -> Option<(String, String)> {
    let text = map.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

/// A form as a JSON object; everything else as it is.
fn as_json(headers: &HeaderMap, body: &Bytes) -> Vec<u8> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Some send XML as if it were a form.
    if !media_type.starts_with("application/x-www-form-urlencoded") || is_xml(body) {
        return body.to_vec();
    }
    let fields = url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), Value::from(value)));
    Value::Object(fields.collect::<Map<String, Value>>()).to_string().into_bytes()
}
