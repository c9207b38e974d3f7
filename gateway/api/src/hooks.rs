//! `/hooks/{connection}`: where vendors knock.

use crate::Api;
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::admission::Admitted;
use hub_flow::{Accepted, Refused};
use hub_kit::{Connection, HookAnswer, InboundRequest};
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Takes a webhook of any verb.
pub(crate) async fn receive(
    State(api): State<Api>,
    Path(connection): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let hub = &api.hub;
    let taking = hub.connection(&connection).filter(|known| known.manifest.webhook.is_some());
    let (inbound, _room) = read(&api, &connection, taking.as_deref(), request).await?;
    match hub.receive(&connection, inbound).await {
        Ok(Accepted { answer: Some(HookAnswer { status, content_type, headers, body }), .. }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let as_it_is = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            let mut response = (status, [(header::CONTENT_TYPE, content_type), as_it_is], body).into_response();
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(response)
        }
        Ok(Accepted { status, raw_id, trace, .. }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) {
                return Ok(status.into_response());
            }
            let body = match raw_id {
                Some(_) => format!("{{\"accepted\":true,\"trace_id\":\"{}\"}}", trace.id()),
                None => "{\"accepted\":true,\"duplicate\":true}".to_owned(),
            };
            Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
        }
        Err(refused) => Err(not_taken(refused)),
    }
}

/// What the sender is told of a refusal.
pub(crate) fn not_taken(refused: Refused) -> Problem {
    match refused {
        Refused::NotFound => Problem::unknown_connection(),
        Refused::MediaType(known) => Problem::media_type(&known),
        Refused::Unauthorized => Problem::webhook_refused(),
        Refused::Encoding => Problem::encoding(),
        Refused::TooLarge(limit) => Problem::too_large(limit),
        Refused::Unavailable(_) => Problem::unavailable("nothing can be accepted now"),
    }
}

/// Reads a request to a connection, if there is one that takes it, as far as there is room; the room is held as long as
/// the second part of the answer lives.
pub(crate) async fn read(
    api: &Api,
    connection: &str,
    taking: Option<&Connection>,
    request: Request,
) -> Result<(InboundRequest, Admitted), Problem> {
    let hub = &api.hub;
    let (parts, body) = request.into_parts();
    let Some(known) = taking else {
        hub.metrics.hook("unknown", "unknown_connection");
        pass_over(body).await;
        return Err(Problem::unknown_connection());
    };
    let most = known.max_body_bytes(hub.max_body_bytes);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let Ok(mut room) = hub.admission.enter(announced.min(most)) else {
        hub.metrics.hook(connection, "overloaded");
        pass_over_later(body);
        return Err(Problem::overloaded());
    };
    let query = parts.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let reading = tokio::time::timeout(BODY_WITHIN, read_body(body, most, &mut room)).await;
    let body = match reading.unwrap_or_else(|_| Err(Problem::slow_body())) {
        Ok(body) => body,
        Err(problem) => {
            let result = match problem.code() {
                known @ ("too_large" | "overloaded") => known,
                _ => "broken_body",
            };
            hub.metrics.hook(connection, result);
            return Err(problem);
        }
    };
    let method = parts.method.as_str().to_owned();
    let inbound = InboundRequest { method, query, headers: headers(&parts.headers), body, now: hub.clock.now() };
    Ok((inbound, room))
}

/// Headers as text by lower-case name; what is not text is left out.
pub(crate) fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

/// How long a sender may take for a body: until it is whole, nothing proves who it is.
pub(crate) const BODY_WITHIN: Duration = Duration::from_secs(30);
/// How much of a body that nobody wants is read all the same: a client that is still sending when the connection
/// closes sees a reset, not the answer.
const PATIENCE_BYTES: u64 = 32 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads a body as far as there is room for it.
pub(crate) async fn read_body(mut body: Body, limit: usize, room: &mut Admitted) -> Result<Vec<u8>, Problem> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        if announced <= PATIENCE_BYTES {
            pass_over(body).await;
        }
        return Err(Problem::too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced.min(64 << 10)).unwrap_or(0));
    while let Some(part) = next_part(&mut body).await {
        let part = part.map_err(|_| Problem::broken_body())?;
        if bytes.len() + part.len() > limit {
            pass_over(body).await;
            return Err(Problem::too_large(limit));
        }
        if room.take(part.len()).is_err() {
            pass_over_later(body);
            return Err(Problem::overloaded());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// Bodies of refused requests that are read on at once, each a few kilobytes at a time; senders beyond that see a reset.
static PASSED_OVER: Semaphore = Semaphore::const_new(1_000);

/// Reads on behind the answer, so that it comes at once.
pub(crate) fn pass_over_later(body: Body) {
    if let Ok(place) = PASSED_OVER.try_acquire() {
        tokio::spawn(async move {
            pass_over(body).await;
            drop(place);
        });
    }
}

/// Reads on without keeping anything, for a while.
pub(crate) async fn pass_over(mut body: Body) {
    let read = async {
        let mut count = 0;
        while let Some(Ok(part)) = next_part(&mut body).await {
            count += part.len() as u64;
            if count > PATIENCE_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, read).await;
}

/// The next bytes of a body; trailers are passed over.
async fn next_part(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await? {
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
