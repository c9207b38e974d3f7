//! `/xapi/{connection}`: where learning systems send statements of xAPI 1.0.3 (part three of the specification).
//!
//! A statement is a payload like that of a web hook: proved, durable before it is answered, known by its id. It never
//! changes; the same one again is taken as done, another one of the same id is refused, and of a list all are taken or
//! none. What they say is mapped; how the records of learners came about is asked at `/v1`.

mod statement;

use crate::Api;
use crate::hooks;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::raws;
use hub_kit::{Connection, InboundRequest};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Limits, Value, json};
use serde_json::json;
use statement::{Statement, is_same};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The connector that takes statements.
const CONNECTOR: &str = "xapi";
/// The version that is spoken, and the header in which both sides say it.
const VERSION: &str = "1.0.3";
const HEADER: &str = "x-experience-api-version";
/// Statements of one request.
const MOST: usize = 1_000;

/// `GET /xapi/{connection}/about`.
pub(crate) async fn about() -> Response {
    versioned(Json(json!({ "version": [VERSION] })).into_response())
}

/// `POST` and `PUT /xapi/{connection}/statements`.
pub(crate) async fn take(State(api): State<Api>, Path(connection): Path<String>, request: Request) -> Response {
    versioned(taken(&api, &connection, request).await.unwrap_or_else(IntoResponse::into_response))
}

/// `GET /xapi/{connection}/statements?statementId=<id>`.
pub(crate) async fn show(State(api): State<Api>, Path(connection): Path<String>, request: Request) -> Response {
    versioned(shown(&api, &connection, request).await.unwrap_or_else(IntoResponse::into_response))
}

fn versioned(mut response: Response) -> Response {
    response.headers_mut().insert(HeaderName::from_static(HEADER), HeaderValue::from_static(VERSION));
    response
}

fn connection_of(api: &Api, id: &str) -> Option<Arc<Connection>> {
    let takes = |known: &Arc<Connection>| known.manifest.vendor == CONNECTOR && known.manifest.webhook.is_some();
    api.hub.connection(id).filter(takes)
}

/// The request, proved, of a version that is spoken.
async fn proved(
    api: &Api,
    id: &str,
    request: Request,
) -> Result<(Arc<Connection>, InboundRequest, hub_flow::admission::Admitted), Problem> {
    speaks(request.headers())?;
    let connection = connection_of(api, id);
    let (inbound, room) = hooks::read(api, id, connection.as_deref(), request).await?;
    let connection = connection.ok_or_else(Problem::unknown_connection)?;
    api.hub.believes(&connection, &inbound).map_err(hooks::not_taken)?;
    Ok((connection, inbound, room))
}

/// `1.0` and every `1.0.x`.
fn speaks(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if given == "1.0" || given.starts_with("1.0.") {
        return Ok(());
    }
    let detail = match given {
        "" => "the header says which version of xAPI is spoken, and is missing".to_owned(),
        other => format!("version {other} is not spoken here"),
    };
    Err(Problem::bad_parameter("X-Experience-API-Version", detail, Some(format!("send {VERSION}"))))
}

fn parameter<'r>(request: &'r InboundRequest, name: &str) -> Option<&'r str> {
    request.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

async fn taken(api: &Api, id: &str, request: Request) -> Result<Response, Problem> {
    let (connection, inbound, _room) = proved(api, id, request).await?;
    let named = match inbound.method.as_str() {
        "PUT" => Some(parameter(&inbound, "statementId").ok_or_else(|| {
            Problem::bad_parameter("statementId", "a statement that is put has its id in the address", None)
        })?),
        _ => None,
    };
    let new = statements(api, &inbound, named)?;
    // All or none: whether one of them is another than the one that is here is asked first.
    let mut fresh = Vec::with_capacity(new.len());
    for one in &new {
        match raws::body_of(&api.hub, &connection.tenant, &connection.id, &one.id).await? {
            Some(kept) if is_same(&one.body, &kept) => {}
            Some(_) => return Err(Problem::statement_conflict(&one.id)),
            None => fresh.push(one),
        }
    }
    for one in fresh {
        let InboundRequest { query, headers, now, .. } = inbound.clone();
        let body = one.body.clone();
        let request = InboundRequest { method: "POST".to_owned(), query, headers, body, now };
        api.hub.receive(&connection.id, request).await.map_err(hooks::not_taken)?;
    }
    Ok(match named {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => Json(new.iter().map(|one| one.id.as_str()).collect::<Vec<_>>()).into_response(),
    })
}

/// The statements of a request, each with an id and the time at which it was stored.
fn statements(api: &Api, inbound: &InboundRequest, named: Option<&str>) -> Result<Vec<Statement>, Problem> {
    let arena = Arena::new();
    let read = json::read(&arena, &inbound.body, Limits::default());
    let read = read.map_err(|error| Problem::invalid_statement("", format!("the body is no JSON: {error}")))?;
    let (list, is_list) = match read {
        Value::List(list) => (list, true),
        _ => (std::slice::from_ref(&read), false),
    };
    if list.len() > MOST {
        return Err(Problem::invalid_statement("", format!("at most {MOST} statements in one request")));
    }
    let stored = rfc3339_micros(api.hub.clock.micros());
    let (mut found, mut ids) = (Vec::with_capacity(list.len()), BTreeSet::new());
    for (index, one) in list.iter().enumerate() {
        let place = if is_list { format!("/{index}") } else { String::new() };
        let spare = named.map_or_else(|| api.hub.ids.next().to_string(), ToOwned::to_owned);
        let statement = Statement::read(*one, &spare, &stored);
        let statement = statement.map_err(|(at, why)| Problem::invalid_statement(&format!("{place}{at}"), why))?;
        if named.is_some_and(|named| !named.eq_ignore_ascii_case(&statement.id)) {
            return Err(Problem::invalid_statement(&format!("{place}/id"), "the address names another id"));
        }
        if !ids.insert(statement.id.clone()) {
            let why = "two statements of the request have this id";
            return Err(Problem::invalid_statement(&format!("{place}/id"), why));
        }
        found.push(statement);
    }
    Ok(found)
}

async fn shown(api: &Api, id: &str, request: Request) -> Result<Response, Problem> {
    let (connection, inbound, _room) = proved(api, id, request).await?;
    let Some(wanted) = parameter(&inbound, "statementId") else {
        let next = "what statements came to is listed at /v1/enrolments and /v1/learning-results".to_owned();
        return Err(Problem::bad_parameter("statementId", "statements are given out one by one, by id", Some(next)));
    };
    let wanted = wanted.to_ascii_lowercase();
    let body = raws::body_of(&api.hub, &connection.tenant, &connection.id, &wanted).await?;
    let body =
        body.ok_or_else(|| Problem::not_found("there is no statement with this id, or it is not kept any more"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
