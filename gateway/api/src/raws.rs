//! `/v1/raws`: payloads as they were received.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use crate::records::{class_of, instant};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::access::Scope;
use hub_flow::audit::Entry;
use hub_flow::restricted;
use hub_model::{Class, EntityType};
use hub_store::{Raw, RawFilter, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use serde::Serialize;
use serde_json::value::RawValue;

/// A payload, and what became of it.
#[derive(Serialize)]
pub(crate) struct Payload {
    pub(crate) id: String,
    connection: String,
    /// The record's id at the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remote_id: Option<String>,
    /// `new`, `done`, `ignored` or `parked`.
    state: String,
    event: Option<String>,
    received_at: String,
    sha256: String,
    trace_id: String,
    /// The payload that this one completes.
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<String>,
    mapping_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Box<RawValue>>,
    /// What of the payload the caller may not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    masked: Vec<String>,
}

/// What a reader may see, and how sensitive a field is.
type Reader = (Class, fn(&EntityType, &str) -> Class);

/// A payload as a reader may see it; without a reader, only what became of it.
pub(crate) async fn shown(api: &Api, raw: &Raw, reader: Option<Reader>) -> Result<Payload, Problem> {
    let mut shown = Payload {
        id: raw.new.id.clone(),
        connection: raw.new.connection.clone(),
        remote_id: None,
        state: raw.state.clone(),
        event: raw.event.clone(),
        received_at: rfc3339_micros(raw.new.received_at),
        sha256: raw.new.sha256.clone(),
        trace_id: raw.new.trace.split('-').nth(1).unwrap_or_default().to_owned(),
        parent: raw.new.parent.clone(),
        mapping: None,
        mapping_version: raw.mapping.clone(),
        headers: None,
        payload: None,
        masked: Vec::new(),
    };
    if let Some((allowed, class_of)) = reader {
        let seen = hub_flow::raws::open(&api.hub, raw, allowed, class_of).await?;
        shown.mapping = seen.mapping;
        shown.headers = seen.headers.and_then(|text| RawValue::from_string(text).ok());
        shown.payload = seen.payload.and_then(|text| RawValue::from_string(text).ok());
        shown.masked = seen.masked;
        if allowed == Class::S3 {
            let lower = hub_flow::raws::open(&api.hub, raw, Class::S2, class_of).await?;
            restricted::note("raw", &raw.new.id, lower.masked.iter().map(String::as_str));
        }
    }
    Ok(shown)
}

/// Has the audit log say that payloads were read, before they are shown.
pub(crate) async fn told_read(api: &Api, entry: Entry) -> Result<(), Problem> {
    Ok(api.hub.audit(entry.purpose(restricted::purpose().as_deref())).await?)
}

/// Payloads, the newest first, without what they say.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<serde_json::Value>, Problem> {
    const STATES: [&str; 4] = ["new", "done", "ignored", "parked"];
    who.need(Scope::Ops)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let before = given.cursor("raws")?;
    let filter = RawFilter {
        connection: given.take("connection"),
        state: given.take("state"),
        received_after: given.take("received_after").map(|text| instant("received_after", &text)).transpose()?,
    };
    given.finish(&["connection", "state", "received_after"])?;
    if let Some(state) = filter.state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(Problem::bad_parameter("state", "there is no such state", suggest(state, STATES)));
    }
    let tenant = who.tenant;
    let mut rows = api.hub.store.read(job!(|tx| { tx.raws(&tenant, filter, before, limit + 1).await })).await?;
    let next = Parameters::page("raws", &mut rows, limit, |raw| raw.new.id.clone());
    let mut data = Vec::with_capacity(rows.len());
    for raw in &rows {
        data.push(shown(&api, raw, None).await?);
    }
    Ok(Json(serde_json::json!({ "data": data, "next_cursor": next })))
}

/// A payload; what it says, as far as the caller may read records.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Payload>, Problem> {
    who.need(Scope::Ops)?;
    parameters(query.as_deref()).finish(&[])?;
    let (tenant, reader) = (who.tenant.clone(), who.reads_everything().ok());
    let raw = api.hub.store.read(job!(|tx| { tx.raw(&tenant, &id).await })).await?;
    let raw = raw.ok_or_else(|| Problem::not_found("there is no payload with this id, or it is not kept any more"))?;
    let reader = reader.map(|allowed| (allowed, class_of as fn(&EntityType, &str) -> Class));
    let payload = shown(&api, &raw, reader).await?;
    if reader.is_some() {
        told_read(&api, Entry::by(&who, "payload.read").about("raw", &raw.new.id)).await?;
    }
    Ok(Json(payload))
}
