//! `Idempotency-Key`: the same request under the same key gets the same answer for a day, and is carried out once.
//!
//! The key is the caller's own, and means nothing to others. A request that was refused has done nothing: its key is
//! free again. One that the hub was stopped in is not begun anew: writes of records know by their key what was done
//! ([`hub_flow::requests::find`]), and of all others the caller is told to look.

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hub_flow::requests::KEY_MICROS;
use hub_store::{AnswerKey, Begun, Sealed, StoreError, job};
use sha2::{Digest, Sha256};

/// How long a request may take, µs; then whoever asks again is told that it was broken off.
const WITHIN: i64 = 120_000_000;
/// Longest answer that is kept.
const LONGEST_ANSWER: usize = 4 << 20;
/// Headers that are kept with an answer.
const HEADERS: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::LOCATION, header::ETAG, HeaderName::from_static("hub-trace-id")];
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// What writes of records are routed by: they know by their key what was done.
const RESUMED: [&str; 2] = ["/v1/{collection}", "/v1/{collection}/{id}"];

/// The key of a request whose answer is kept.
#[derive(Clone, Debug)]
pub(crate) struct Keyed(pub(crate) String);

/// An answer that is the end of the request, though it is a problem: something was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Final;

/// Carries a request with a key out once.
pub(crate) async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    match begin(&api, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// Whether the answer to a request is kept. Files and batches are larger than what is looked at here, and know their
/// repetitions by themselves.
fn is_kept(request: &Request) -> bool {
    let (method, path) = (request.method(), request.uri().path());
    [Method::POST, Method::PATCH, Method::DELETE, Method::PUT].contains(method)
        && path.starts_with("/v1/")
        && path != "/v1/imports"
        && !path.ends_with(":batch")
        && request.headers().contains_key("idempotency-key")
}

async fn begin(api: &Api, request: Request, next: Next) -> Result<Response, Problem> {
    if !is_kept(&request) {
        return Ok(next.run(request).await);
    }
    let Some(key) = body::idempotency_key(request.headers())? else { return Ok(next.run(request).await) };
    let resumed = request.extensions().get::<MatchedPath>().is_some_and(|path| RESUMED.contains(&path.as_str()));
    let (mut parts, sent) = request.into_parts();
    let Caller(who) = Caller::from_request_parts(&mut parts, api).await?;
    let bytes = body::bytes(sent).await?;
    let place = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), place.as_bytes(), &bytes] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let fingerprint = hex::encode(hash.finalize());
    let of = AnswerKey { tenant: who.tenant.clone(), handle: who.handle.clone(), key: key.clone() };
    api.hub.store.keyring().ensure(&api.hub.store, &api.hub.clock, &of.tenant).await?;
    let now = api.hub.store_now();
    let (own, times) = (of.clone(), (now, now + WITHIN, now - KEY_MICROS));
    let begun = api.hub.store.write(job!(|tx| { tx.begin_answer(&own, &fingerprint, times).await })).await?;
    match begun {
        Begun::Now => {}
        Begun::LeftOff if resumed => {}
        Begun::LeftOff => return Err(Problem::request_unfinished()),
        Begun::Other => return Err(Problem::key_reused()),
        Begun::Running => return Err(Problem::request_running()),
        Begun::Answered(answer) => return Ok(opened(api, &of, &answer)?),
    }
    parts.extensions.insert(Keyed(key));
    let request = Request::from_parts(parts, Body::from(bytes));
    let api = api.clone();
    // A caller who goes away does not stop it.
    let running = tokio::spawn(async move { end(&api, &of, next.run(request).await).await });
    running.await.unwrap_or_else(|_| Err(Problem::unavailable("the request broke off: this is a defect")))
}

/// Keeps an answer, or gives its key free.
async fn end(api: &Api, of: &AnswerKey, response: Response) -> Result<Response, Problem> {
    let last = response.status().is_success() || response.extensions().get::<Final>().is_some();
    let (parts, answer) = response.into_parts();
    let bytes = to_bytes(answer, LONGEST_ANSWER).await;
    let bytes = bytes.map_err(|_| Problem::unavailable("the answer is too long to be kept under a key"))?;
    let own = of.clone();
    if last {
        let kept = sealed(api, of, parts.status, &parts.headers, &bytes)?;
        api.hub.store.write(job!(|tx| { tx.keep_answer(&own, kept).await })).await?;
    } else {
        api.hub.store.write(job!(|tx| { tx.drop_answer(&own).await })).await?;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn sealed_as(of: &AnswerKey) -> String {
    format!("answer:{}:{}", of.handle, of.key)
}

/// An answer as it is kept: status and headers as one line of JSON, then the body.
fn sealed(
    api: &Api,
    of: &AnswerKey,
    status: StatusCode,
    headers: &axum::http::HeaderMap,
    bytes: &[u8],
) -> Result<Sealed, StoreError> {
    let told = |name: HeaderName| {
        let value = headers.get(&name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    let told: Vec<(String, String)> = HEADERS.into_iter().filter_map(told).collect();
    let head = serde_json::json!({ "status": status.as_u16(), "headers": told });
    let whole = [head.to_string().as_bytes(), b"\n", bytes].concat();
    api.hub.store.keyring().seal(&of.tenant, &sealed_as(of), &whole)
}

fn opened(api: &Api, of: &AnswerKey, answer: &Sealed) -> Result<Response, StoreError> {
    let whole = api.hub.open(&of.tenant, &sealed_as(of), &answer.0)?;
    let broken = || StoreError::Sealed("a kept answer is not what was kept");
    let end = whole.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let (head, body) = whole.split_at(end);
    let (status, headers): (u16, Vec<(String, String)>) = serde_json::from_slice::<serde_json::Value>(head)
        .ok()
        .and_then(|head| {
            let headers = serde_json::from_value(head.get("headers")?.clone()).ok()?;
            Some((head.get("status")?.as_u64()?.try_into().ok()?, headers))
        })
        .ok_or_else(broken)?;
    let status = StatusCode::from_u16(status).map_err(|_| broken())?;
    let mut response = (status, body.get(1..).unwrap_or_default().to_vec()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
