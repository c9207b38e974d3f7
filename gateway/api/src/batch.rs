//! `POST /v1/batch`: several requests in one, one after the other, each with its own answer.

use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use crate::restricted::PURPOSE;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::ServiceExt;

/// Requests of one call.
const MOST: usize = 50;
/// Bytes of all answers together.
const MAX_ANSWERS: usize = 16 << 20;
/// What a request may say beside its body; who sends it is who sends them all.
const HEADERS: [&str; 6] =
    ["accept-language", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer"];
/// What of an answer's head is told.
const TOLD: [&str; 6] = ["content-type", "etag", "hub-trace-id", "idempotent-replayed", "location", "retry-after"];

/// Where the requests go: everything but this.
#[derive(Clone)]
pub(crate) struct Inner(pub(crate) Router);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<One>,
    #[serde(default)]
    atomic: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    body: Option<Box<RawValue>>,
}

#[derive(Serialize)]
pub(crate) struct Answers {
    responses: Vec<Answer>,
}

/// What one request was answered with.
#[derive(Serialize)]
struct Answer {
    id: String,
    status: u16,
    headers: serde_json::Map<String, serde_json::Value>,
    body: Option<Box<RawValue>>,
}

/// Carries requests out in their order. One that fails stops nothing: its answer says so.
pub(crate) async fn run(
    State(_): State<crate::Api>,
    Caller(_): Caller,
    Extension(Inner(router)): Extension<Inner>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Answers>, Problem> {
    let bytes = body::bytes(body).await?;
    let batch: Batch =
        serde_json::from_slice(&bytes).map_err(|error| Problem::malformed(format!("the body is no batch: {error}")))?;
    if batch.atomic {
        let detail = "requests of a batch are carried out one by one, not all or none";
        return Err(Problem::invalid_body("/atomic", detail));
    }
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(Problem::invalid_body("/requests", format!("a batch has 1 to {MOST} requests")));
    }
    let mut made = Vec::with_capacity(batch.requests.len());
    for (index, one) in batch.requests.iter().enumerate() {
        if batch.requests.iter().take(index).any(|other| other.id == one.id) {
            return Err(Problem::invalid_body(&format!("/requests/{index}/id"), "an earlier request has this `id`"));
        }
        // All of them are looked at before the first is carried out.
        made.push((one.id.clone(), request(index, one, &headers)?));
    }
    let (mut responses, mut left) = (Vec::with_capacity(made.len()), MAX_ANSWERS);
    for (id, request) in made {
        let answer = if left == 0 {
            Err(Problem::unavailable("the answers before this one are too large for one batch"))
        } else {
            answer(&router, request, &mut left).await
        };
        let (status, headers, body) = answer.unwrap_or_else(|problem| {
            left = 0;
            told(&problem)
        });
        responses.push(Answer { id, status, headers, body });
    }
    Ok(Json(Answers { responses }))
}

type Said = (u16, serde_json::Map<String, serde_json::Value>, Option<Box<RawValue>>);

/// A problem of one request.
fn told(problem: &Problem) -> Said {
    let body = serde_json::value::to_raw_value(problem).ok();
    let kind = ("content-type".to_owned(), serde_json::Value::from("application/problem+json"));
    (problem.status(), [kind].into_iter().collect(), body)
}

/// A request as it would come alone.
fn request(index: usize, one: &One, outer: &HeaderMap) -> Result<Request<Body>, Problem> {
    let wrong = |field: &str, detail: &str| Problem::invalid_body(&format!("/requests/{index}/{field}"), detail);
    let method = match one.method.as_str() {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(wrong("method", "`method` is GET, HEAD, POST, PUT, PATCH or DELETE")),
    };
    if !one.path.starts_with("/v1/") {
        return Err(wrong("path", "`path` begins with /v1/"));
    }
    if one.path.split('?').next() == Some("/v1/batch") {
        return Err(wrong("path", "a batch holds no batches"));
    }
    let body = one.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.get().to_owned()));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = one.path.parse().map_err(|_| wrong("path", "`path` is no address"))?;
    let head = request.headers_mut();
    if one.body.is_some() {
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &one.headers {
        let name = name.to_ascii_lowercase();
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        let known = HEADERS.contains(&name.as_str()).then(|| HeaderName::from_bytes(name.as_bytes()).ok()).flatten();
        let Some((name, value)) = known.zip(value) else {
            return Err(wrong("headers", &format!("`headers` are texts, of {}", HEADERS.join(", "))));
        };
        head.insert(name, value);
    }
    for name in [header::AUTHORIZATION, header::ACCEPT_LANGUAGE, PURPOSE] {
        if let Some(value) = outer.get(&name).filter(|_| !head.contains_key(&name)) {
            head.insert(name, value.clone());
        }
    }
    Ok(request)
}

async fn answer(router: &Router, request: Request<Body>, left: &mut usize) -> Result<Said, Problem> {
    let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
    let (head, body) = response.into_parts();
    let too_large = || Problem::unavailable("the answer is too large for a batch; ask for it alone");
    let bytes = to_bytes(body, *left).await.map_err(|_| too_large())?;
    *left -= bytes.len();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = match RawValue::from_string(text.clone()) {
        _ if bytes.is_empty() => None,
        Ok(body) => Some(body),
        // What is no JSON is told as text.
        Err(_) => serde_json::value::to_raw_value(&text).ok(),
    };
    let headers = TOLD.iter().filter_map(|name| {
        let value = head.headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), serde_json::Value::from(value)))
    });
    Ok((head.status.as_u16(), headers.collect(), body))
}
