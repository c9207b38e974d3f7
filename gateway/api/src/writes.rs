//! `POST /v1/<collection>`, `PATCH` and `DELETE /v1/<collection>/{id}`: every entity of the model through one
//! implementation.
//!
//! Without a `connection` the record is the hub's own and is written at once. With one, that system is asked, and the
//! record is written when it has said yes: the answer is the record when that is quick, else an operation to look at.

mod how;

pub(crate) use how::How;

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::idempotency::{Final, Keyed};
use crate::problem::Problem;
use crate::{batches, current, decisions, operations, outgoing, payout, payroll, records};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Principal, units};
use hub_flow::audit::Entry;
use hub_flow::requests::{self, Asked, Asker, Misread, NotAsked, Outgoing, Said, Verb, Warning, Which};
use hub_flow::restricted;
use hub_flow::{Failure, Hub};
use hub_model::accept::Refusal;
use hub_model::{Class, EntityType};
use hub_store::{Request, RequestState};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::time::Duration;

/// Makes a record.
pub(crate) async fn create(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
    keyed: Option<Extension<Keyed>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if let Some(collection) = collection.strip_suffix(":batch") {
        return batches::create(&api, &who, collection, query.as_deref(), &headers, body).await;
    }
    let entity = writable(&collection)?;
    who.writes(entity.name)?;
    let how = How::of(&headers, query.as_deref(), keyed)?;
    let bytes = body::bytes(body).await?;
    units::may_place(&api.hub, &who, &api.zone, entity, &bytes, true).await?;
    if outgoing::is_special(entity) {
        return outgoing::create(&api, &who, entity, &bytes, how).await;
    }
    let asked = ask(&api, &who, entity, (Verb::Create, Which::New), &bytes, &how).await?;
    answer(&api, &who, entity, Verb::Create, asked, how.wait).await
}

/// Changes a record: a JSON merge patch (RFC 7396) of its fields.
pub(crate) async fn update(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    keyed: Option<Extension<Keyed>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let entity = writable(&collection)?;
    who.writes(entity.name)?;
    let how = How::of(&headers, query.as_deref(), keyed)?;
    let bytes = body::bytes(body).await?;
    let id = there(&api, &who, entity, &id).await?;
    units::may_place(&api.hub, &who, &api.zone, entity, &bytes, false).await?;
    if outgoing::is_special(entity) {
        return outgoing::change(&api, &who, (entity, &id), "move_event", &bytes, how).await;
    }
    let asked = ask(&api, &who, entity, (Verb::Update, Which::Known(id)), &bytes, &how).await?;
    answer(&api, &who, entity, Verb::Update, asked, how.wait).await
}

/// Marks a record as gone.
pub(crate) async fn delete(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    keyed: Option<Extension<Keyed>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entity = writable(&collection)?;
    who.writes(entity.name)?;
    let how = How::of(&headers, query.as_deref(), keyed)?;
    if outgoing::is_special(entity) {
        return Err(Problem::method_not_allowed());
    }
    let id = there(&api, &who, entity, &id).await?;
    let asked = ask(&api, &who, entity, (Verb::Delete, Which::Known(id)), b"{}", &how).await?;
    answer(&api, &who, entity, Verb::Delete, asked, how.wait).await
}

/// `POST /v1/<collection>/{id}:<action>`.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    keyed: Option<Extension<Keyed>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (id, action) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    let entity = writable(&collection)?;
    match entity.name {
        "decision" => return Box::pin(decisions::act(&api, &who, id, action, body)).await,
        "payroll_run" if action == "import-result" => {
            return payout::import(&api, &who, id, query.as_deref(), body).await;
        }
        "payroll_run" if action == "deliver" => return Box::pin(payroll::deliver::deliver(&api, &who, id, body)).await,
        "payroll_run" if action == "post-journal" => {
            let how = How::of(&headers, query.as_deref(), keyed)?;
            return Box::pin(payout::post::journal(&api, &who, id, how, body)).await;
        }
        "payroll_run" => return payroll::act(&api, &who, id, action, body).await,
        "payslip" => return payroll::link(&api, &who, id, action, body).await,
        _ => {}
    }
    who.writes(entity.name)?;
    if action != "cancel" {
        return Err(Problem::not_found(format!("there is no action `{action}`; did you mean `cancel`?")));
    }
    let how = How::of(&headers, query.as_deref(), keyed)?;
    let id = there(&api, &who, entity, id).await?;
    outgoing::change(&api, &who, (entity, &id), "cancel_event", b"{}", how).await
}

fn writable(collection: &str) -> Result<&'static EntityType, Problem> {
    let entity = records::entity_of(collection)?;
    if requests::is_written(entity) { Ok(entity) } else { Err(Problem::method_not_allowed()) }
}

/// The id of a record that the caller may know of, and that is not gone.
async fn there(api: &Api, who: &Principal, entity: &'static EntityType, id: &str) -> Result<String, Problem> {
    let row = records::find(api, who, entity, id).await?;
    if row.deleted_at.is_some() {
        return Err(Problem::not_found("the record with this id is gone"));
    }
    Ok(row.id)
}

/// The most sensitive class of field that a caller may set: who reads nothing sets what is not restricted.
pub(crate) fn settable(who: &Principal, entity: &EntityType) -> Class {
    who.reads(entity.name).unwrap_or(Class::S2)
}

/// Reads a body as one JSON object.
pub(crate) fn read_object<'a>(arena: &'a Arena, bytes: &[u8]) -> Result<Value<'a>, Problem> {
    let read = json::read(arena, arena.bytes(bytes), Limits::default());
    let value = read.map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))?;
    if bytes.contains(&0) || json::to_string(&value).contains("\\u0000") {
        return Err(Problem::malformed("a text in the body holds a NUL"));
    }
    if matches!(value, Value::Map(_)) { Ok(value) } else { Err(Problem::malformed("the body is no JSON object")) }
}

async fn ask(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    (verb, record): (Verb, Which),
    bytes: &[u8],
    how: &How,
) -> Result<Asked, Problem> {
    let outgoing = {
        let arena = Arena::new();
        let given = read_object(&arena, bytes)?;
        let said = requests::read(&api.hub, &who.tenant, entity, &arena, given, settable(who, entity));
        let said = to_connection(said.map_err(misread)?, how)?;
        if verb == Verb::Create && said.connection.is_none() {
            lacks(entity, &said)?;
        }
        requests::outgoing(&api.hub, asker(who, how, verb), entity, (verb, record), said).map_err(refused)?
    };
    send(api, outgoing).await
}

/// The connection of the body, or of the query.
fn to_connection(mut said: Said, how: &How) -> Result<Said, Problem> {
    match (&said.connection, &how.connection) {
        (Some(one), Some(other)) if one != other => {
            let detail = "the body and the address name different connections";
            return Err(Problem::invalid_body("/connection", detail));
        }
        (None, Some(other)) => said.connection = Some(other.clone()),
        _ => {}
    }
    Ok(said)
}

/// Refuses a new record of the hub's own that is not complete.
fn lacks(entity: &EntityType, said: &Said) -> Result<(), Problem> {
    let arena = Arena::new();
    let fields = json::read(&arena, said.fields.as_bytes(), Limits::default()).unwrap_or_default();
    let parts: Vec<(String, String)> = hub_model::accept::missing(entity, fields)
        .map(|name| (format!("/{name}"), format!("`{name}` is missing")))
        .collect();
    if parts.is_empty() { Ok(()) } else { Err(Problem::all_of(parts)) }
}

fn asker(who: &Principal, how: &How, verb: Verb) -> Asker {
    let action = match verb {
        Verb::Create => "record.created",
        Verb::Update => "record.updated",
        Verb::Delete => "record.deleted",
    };
    Asker {
        tenant: who.tenant.clone(),
        by: who.name.clone(),
        handle: who.handle.clone(),
        key: how.key.clone(),
        version: how.version,
        batch: None,
        audit: Some(Entry::by(who, action)),
    }
}

/// Asks for what was read.
pub(crate) async fn send(api: &Api, outgoing: Outgoing) -> Result<Asked, Problem> {
    let (hub, tenant) = (&api.hub, outgoing.tenant.clone());
    hub.store.keyring().ensure(&hub.store, &hub.clock, &tenant).await?;
    Box::pin(requests::ask(hub, TraceContext::begin(), outgoing)).await.map_err(not_asked)
}

pub(crate) fn refused(refusal: Refusal) -> Problem {
    Problem::invalid_body(&refusal.pointer, refusal.reason)
}

pub(crate) fn misread(misread: Misread) -> Problem {
    match misread {
        Misread::Refused(refusals) => {
            Problem::all_of(refusals.into_iter().map(|one| (one.pointer, one.reason)).collect())
        }
        Misread::Above(class, pointers) => {
            let scope = if class >= Class::S3 { "read:restricted" } else { "read" };
            let first = pointers.first().map(String::as_str).unwrap_or_default().to_owned();
            let refused = Problem::forbidden(scope).with_pointer(&first);
            if class >= Class::S3 && restricted::purpose().is_none() {
                let next = format!("name a `Purpose`: restricted fields need one beside the scope `{scope}`");
                return refused.next(next);
            }
            refused
        }
    }
}

fn not_asked(error: NotAsked) -> Problem {
    match error {
        NotAsked::Unfit(unfit) => {
            let place = unfit.iter().map(|one| one.place.as_str()).find(|place| !place.is_empty()).map(str::to_owned);
            let problem = Problem::all_of(unfit.into_iter().map(|one| (one.pointer, one.detail)).collect());
            match place {
                Some(place) => problem.next(format!("the mapping asks for it: {place}")),
                None => problem,
            }
        }
        NotAsked::Broken(broken) => Problem::broken(&broken),
        NotAsked::NoRecord => Problem::not_found("there is no record with this id"),
        NotAsked::OtherVersion(version) => Problem::version_differs(version),
        NotAsked::Failure(Failure::Park { reason, place, .. }) => {
            let problem = Problem::invalid_body("", reason);
            if place.is_empty() { problem } else { problem.next(format!("the mapping asks for it: {place}")) }
        }
        NotAsked::Failure(Failure::Retry(reason)) => Problem::unavailable(reason),
    }
}

/// What a caller is told: the record, or what its system says, or where to look later.
pub(crate) async fn answer(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    verb: Verb,
    asked: Asked,
    wait: Duration,
) -> Result<Response, Problem> {
    if asked.request.is_empty() {
        return record(api, who, entity, verb, &asked.id, &asked.warnings).await;
    }
    let request = operations::wait_for(api, &who.tenant, &asked.request, wait).await?;
    let outcome = requests::outcome(&api.hub, &request)?;
    match request.state {
        RequestState::Succeeded => record(api, who, entity, verb, &request.record, &outcome.warnings).await,
        RequestState::Failed => Ok(said_no(&request, outcome.problem.unwrap_or_default())),
        RequestState::Open | RequestState::Attention => {
            let body = serde_json::json!({ "operation": operations::shown(api, &request).await? });
            let place = format!("/v1/operations/{}", request.id);
            let headers = [(header::LOCATION, place), (header::RETRY_AFTER, "1".to_owned())];
            Ok((StatusCode::ACCEPTED, headers, axum::Json(body)).into_response())
        }
    }
}

/// A system has said no: the problem of the operation.
fn said_no(request: &Request, problem: requests::Trouble) -> Response {
    let told = Problem::vendor_refused(problem.detail)
        .of_vendor(problem.vendor_code, &problem.party, false)
        .with_pointer(&problem.pointer)
        .with_trace(operations::trace_of(request).id())
        .of_operation(&request.id);
    let mut response = told.into_response();
    response.extensions_mut().insert(Final);
    response
}

/// The record as the caller may see it, with what they should know.
async fn record(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    verb: Verb,
    id: &str,
    warnings: &[Warning],
) -> Result<Response, Problem> {
    if verb == Verb::Delete {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let row = records::find(api, who, entity, id).await?;
    let reads = who.reads(entity.name).ok();
    let text = {
        let arena = Arena::new();
        let mut entries = match reads {
            Some(allowed) => {
                let current =
                    current::jobs(api, entity, std::slice::from_ref(&row), crate::records::Times::default()).await?;
                let current = current.get(&row.id).map(String::as_str);
                records::seen(api, entity, &row, current, &arena, allowed)?.entries().to_vec()
            }
            None => vec![
                ("id", Value::Text(arena.text(&row.id))),
                ("entity", Value::Text(entity.name)),
                ("version", Value::Number(arena.text(&row.version.to_string()))),
            ],
        };
        if !warnings.is_empty() {
            let told = serde_json::to_string(warnings).unwrap_or_default();
            let told = json::read(&arena, arena.bytes(told.as_bytes()), Limits::default()).unwrap_or_default();
            entries.push(("warnings", told));
        }
        json::to_string(&arena.map(&entries))
    };
    let status = if verb == Verb::Create { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
    if let Ok(etag) = HeaderValue::from_str(&records::tag_of(entity, row.version, reads.unwrap_or(Class::S0))) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/{}/{}", entity.collection, row.id))
        && verb == Verb::Create
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Where a record of the hub stands, for handlers that answer before it is anywhere else.
pub(crate) async fn status_of(
    hub: &Hub,
    tenant: &str,
    entity: &EntityType,
    id: &str,
) -> Result<Option<String>, Problem> {
    let stored = hub_flow::rules::document(hub, tenant, entity.name, id, None).await?.unwrap_or_default();
    let arena = Arena::new();
    let read = json::read(&arena, stored.as_bytes(), Limits::default()).unwrap_or_default();
    Ok(read.get("status").get("value").as_text().map(str::to_owned))
}
