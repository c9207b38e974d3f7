//! `/hooks/{connection}`: where vendors knock.

use crate::Api;
use crate::problem::Problem;
use axum::body::{Body, HttpBody};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::{Accepted, Refused};
use hub_kit::InboundRequest;

/// Takes a webhook of any verb.
pub(crate) async fn receive(
    State(api): State<Api>,
    Path(connection): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let hub = &api.hub;
    if hub.connection(&connection).is_none_or(|known| known.manifest.webhook.is_none()) {
        hub.metrics.hook("unknown", "unknown_connection");
        return Err(Problem::unknown_connection());
    }
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let body = match read_body(body, hub.max_body_bytes).await {
        Ok(body) => body,
        Err(problem) => {
            let result = if problem.code() == "too_large" { "too_large" } else { "broken_body" };
            hub.metrics.hook(&connection, result);
            return Err(problem);
        }
    };
    let inbound = InboundRequest {
        method: parts.method.as_str().to_owned(),
        query,
        headers: headers(&parts.headers),
        body,
        now: hub.clock.now(),
    };
    match hub.receive(&connection, inbound).await {
        Ok(Accepted { status, raw_id, trace }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let body = match raw_id {
                Some(_) => format!("{{\"accepted\":true,\"trace_id\":\"{}\"}}", trace.id()),
                None => "{\"accepted\":true,\"duplicate\":true}".to_owned(),
            };
            Ok((status, [(header::CONTENT_TYPE, "application/json")], body).into_response())
        }
        Err(refused) => Err(match refused {
            Refused::NotFound => Problem::unknown_connection(),
            Refused::MediaType(known) => Problem::media_type(&known),
            Refused::Unauthorized => Problem::webhook_refused(),
            Refused::Encoding => Problem::encoding(),
            Refused::TooLarge(limit) => Problem::too_large(limit),
            Refused::Unavailable(_) => Problem::unavailable("nothing can be accepted now"),
        }),
    }
}

/// Headers as text by lower-case name; what is not text is left out.
fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    match axum::body::to_bytes(body, limit).await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Err(if cause.contains("length limit") { Problem::too_large(limit) } else { Problem::broken_body() })
        }
    }
}
