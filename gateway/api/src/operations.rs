//! `/v1/operations`: what was asked of systems, and what became of it.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::access::{Principal, Scope};
use hub_flow::requests::{self, Outcome, Trouble};
use hub_store::{Request, RequestFilter, RequestState, StoreError, job};
use hub_tree::TraceContext;
use hub_tree::clock::rfc3339_micros;
use serde_json::{Value, json};
use std::time::Duration;

/// How often it is looked whether an operation has ended, when another process makes its calls.
const LOOK: Duration = Duration::from_millis(100);
/// How operations stand, as callers see it.
const STATUSES: [&str; 5] = ["waiting", "running", "succeeded", "failed", "needs_attention"];

/// An operation as it is shown.
pub(crate) async fn shown(api: &Api, request: &Request) -> Result<Value, StoreError> {
    let (tenant, id, entity, record) =
        (request.tenant.clone(), request.id.clone(), request.entity.clone(), request.record.clone());
    let open = request.state == RequestState::Open;
    let looking = api.hub.store.read(job!(|tx| {
        let begun = open && tx.request_has_begun(&id).await?;
        Ok((begun, tx.record(&tenant, &entity, &record).await?.is_some()))
    }));
    let (begun, is_there) = looking.await?;
    let status = match request.state {
        RequestState::Open if begun => "running",
        RequestState::Open => "waiting",
        state => state.word(),
    };
    let Outcome { warnings, problem } = requests::outcome(&api.hub, request)?;
    let collection = hub_model::entity(&request.entity).map(|entity| entity.collection);
    Ok(json!({
        "id": request.id, "status": status, "entity": request.entity, "collection": collection,
        // Nothing is known under the id that a new record would get, until its system has said yes.
        "record_id": is_there.then_some(&request.record),
        "connection": Some(&request.connection).filter(|id| !id.is_empty()),
        "call": Some(&request.operation).filter(|name| !name.is_empty()),
        "batch": Some(&request.batch).filter(|id| !id.is_empty()),
        "asked_at": rfc3339_micros(request.asked_at), "ended_at": request.ended_at.map(rfc3339_micros),
        "trace_id": trace_of(request).id(), "warnings": warnings,
        "problem": problem.filter(|_| !open).map(|problem| problem_json(&problem)),
    }))
}

pub(crate) fn trace_of(request: &Request) -> TraceContext {
    request.trace.parse().unwrap_or_else(|_| TraceContext::begin())
}

/// Why something was not carried out, as it is shown.
pub(crate) fn problem_json(problem: &Trouble) -> Value {
    let Trouble { code, detail, vendor_code, party, pointer, .. } = problem;
    let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json!({
        "code": code, "detail": detail, "vendor_code": vendor_code, "party": told(party), "pointer": told(pointer),
    })
}

/// Operations are seen by whoever asked for them, and by those who run the hub.
fn handle_of(who: &Principal) -> Option<String> {
    who.need(Scope::Ops).is_err().then(|| who.handle.clone())
}

/// Operations, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("operation")?.unwrap_or_default();
    let status = given.take("status");
    let about = given.take("about");
    given.finish(&["status", "about"])?;
    let state = match status.as_deref() {
        None => None,
        Some("waiting" | "running") => Some("open"),
        Some(word) => {
            let known = STATUSES.iter().find(|known| **known == word).copied();
            let wrong = || Problem::bad_parameter("status", format!("one of {}", STATUSES.join(", ")), None);
            Some(known.ok_or_else(wrong)?)
        }
    };
    let about = about.map(|about| {
        let parts = about.split_once('/').map(|(entity, id)| (entity.to_owned(), id.to_owned()));
        parts.ok_or_else(|| Problem::bad_parameter("about", "`about` is `<entity>/<id>`", None))
    });
    let filter = RequestFilter { handle: handle_of(&who), state, about: about.transpose()?, after, limit: limit + 1 };
    let tenant = who.tenant;
    let mut rows = api.hub.store.read(job!(|tx| { tx.requests(&tenant, filter).await })).await?;
    let next = Parameters::page("operation", &mut rows, limit, |row| row.id.clone());
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        let one = shown(&api, row).await?;
        // `waiting` and `running` lie together in the store.
        if status.as_deref().is_none_or(|wanted| one["status"] == wanted) {
            data.push(one);
        }
    }
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

/// One operation.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = find(&api, &who.tenant, &id).await?;
    let own = handle_of(&who).is_none_or(|handle| handle == found.handle);
    if !own {
        return Err(none());
    }
    Ok(Json(shown(&api, &found).await?))
}

fn none() -> Problem {
    Problem::not_found("there is no operation with this id")
}

async fn find(api: &Api, tenant: &str, id: &str) -> Result<Request, Problem> {
    let (tenant, id) = (tenant.to_owned(), id.to_lowercase());
    let found = api.hub.store.read(job!(|tx| { tx.request(&tenant, &id).await })).await?;
    found.ok_or_else(none)
}

/// An operation when it has ended, or as it stands when the time is up.
pub(crate) async fn wait_for(api: &Api, tenant: &str, id: &str, wait: Duration) -> Result<Request, Problem> {
    let until = tokio::time::Instant::now() + wait;
    loop {
        let news = api.hub.request_news();
        let found = find(api, tenant, id).await?;
        let now = tokio::time::Instant::now();
        if found.state != RequestState::Open || now >= until {
            return Ok(found);
        }
        let _ = tokio::time::timeout(LOOK.min(until - now), news).await;
    }
}
