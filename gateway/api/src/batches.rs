//! `POST /v1/<collection>:batch` and `/v1/batches`: many writes in one request, each with an end of its own.
//!
//! Items are kept as they arrive, so that a body is never in memory as a whole; the batch begins when all are there. An
//! upload that was cut off is sent again under its `Idempotency-Key`.

mod split;

use crate::Api;
use crate::auth::Caller;
use crate::body::idempotency_key;
use crate::operations::problem_json;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use crate::records;
use crate::writes::settable;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use hub_flow::access::{Principal, Scope};
use hub_flow::audit::Entry;
use hub_flow::bulk;
use hub_flow::requests::{Trouble, Verb, able, is_written};
use hub_model::EntityType;
use hub_store::{Batch, BatchItem, BatchState, ItemFilter, NewBatch, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{TraceContext, random};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use split::Splitter;
use std::time::Duration;

/// Items of a batch.
const MOST_ITEMS: i64 = 50_000;
/// Bytes of a batch.
const MOST_BYTES: usize = 128 << 20;
/// Items that are kept in one transaction.
const PORTION: usize = 500;
/// How long a batch may take to arrive.
const WITHIN: Duration = Duration::from_secs(600);
/// Letters of the name of an upload.
const UPLOAD: usize = 20;

fn batch_json(batch: &Batch) -> Value {
    let (new, counts) = (&batch.new, batch.counts);
    let left = counts.total - counts.succeeded - counts.failed - counts.running;
    let cancelled = batch.state == BatchState::Cancelled;
    json!({
        "id": new.id, "status": batch.state.word(), "entity": new.entity,
        "connection": Some(&new.connection).filter(|id| !id.is_empty()),
        "items": {
            "total": counts.total, "waiting": if cancelled { 0 } else { left }, "running": counts.running,
            "succeeded": counts.succeeded, "failed": counts.failed, "cancelled": if cancelled { left } else { 0 },
        },
        "asked_at": rfc3339_micros(new.asked_at), "changed_at": rfc3339_micros(batch.changed_at),
        "trace_id": new.trace.parse().map(|trace: TraceContext| trace.id()).ok(),
    })
}

fn accepted(batch: &str) -> Response {
    let place = format!("/v1/batches/{batch}");
    let body = json!({ "batch": { "id": batch, "status": "running" } });
    (StatusCode::ACCEPTED, [(header::LOCATION, place)], Json(body)).into_response()
}

/// Takes a batch in.
pub(crate) async fn create(
    api: &Api,
    who: &Principal,
    collection: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let entity = records::entity_of(collection)?;
    who.writes(entity.name)?;
    // Its items are read later, when nobody asks where they belong.
    who.need_all_units()?;
    if !is_written(entity) || crate::outgoing::is_special(entity) {
        return Err(Problem::method_not_allowed());
    }
    let mut given = parameters(query);
    let connection = given.take("connection").unwrap_or_default();
    given.finish(&["connection"])?;
    let verbs = [Verb::Create, Verb::Update].map(|verb| verb.operation(entity.name));
    if !connection.is_empty() && verbs.iter().all(|verb| able(&api.hub, &who.tenant, &connection, verb).is_err()) {
        let detail = format!("there is no connection `{connection}` that can do {}", verbs.join(" or "));
        return Err(Problem::bad_parameter("connection", detail, None));
    }
    let lines = match headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default() {
        kind if kind.starts_with("application/x-ndjson") || kind.starts_with("application/jsonl") => true,
        kind if kind.is_empty() || kind.starts_with("application/json") => false,
        _ => {
            let known = ["application/json".to_owned(), "application/x-ndjson".to_owned()];
            return Err(Problem::media_type(&known));
        }
    };
    let hub = &api.hub;
    hub.store.keyring().ensure(&hub.store, &hub.clock, &who.tenant).await?;
    let key = idempotency_key(headers)?.unwrap_or_default();
    let batch = begin(api, who, entity, connection, key).await?;
    if batch.state != BatchState::Uploading {
        let mut whole = Reading::new(lines, None);
        whole.read(body).await?;
        let same = whole.end()?.1 == batch.fingerprint;
        return if same { Ok(accepted(&batch.new.id)) } else { Err(Problem::key_reused()) };
    }
    let upload = random::token(UPLOAD);
    let (id, now, own) = (batch.new.id.clone(), hub.clock.micros(), upload.clone());
    if !hub.store.write(job!(|tx| { tx.begin_upload(&id, &own, now).await })).await? {
        return Err(Problem::request_running());
    }
    match take_in(api, who, &batch.new, &upload, (lines, body)).await {
        Ok(()) => {
            bulk::wake(hub);
            Ok(accepted(&batch.new.id))
        }
        Err(problem) => {
            // What makes no sense is forgotten; what was cut off can be sent again.
            if problem.is_callers() {
                let id = batch.new.id.clone();
                hub.store.write(job!(|tx| { tx.drop_batch((&id, &upload)).await })).await?;
            }
            Err(problem)
        }
    }
}

/// The batch of this request: a new one, or the one under its key.
async fn begin(
    api: &Api,
    who: &Principal,
    entity: &EntityType,
    connection: String,
    key: String,
) -> Result<Batch, Problem> {
    let new = NewBatch {
        id: api.hub.ids.next().to_string(),
        tenant: who.tenant.clone(),
        handle: who.handle.clone(),
        by: who.name.clone(),
        key: key.clone(),
        entity: entity.name.to_owned(),
        connection: connection.clone(),
        allowed: format!("{:?}", settable(who, entity)),
        asked_at: api.hub.clock.micros(),
        trace: TraceContext::begin().to_string(),
    };
    let wanted = new.clone();
    let found = api.hub.store.write(job!(|tx| {
        if let Some(known) = tx.batch_by_key(&wanted.tenant, &wanted.handle, &wanted.key).await? {
            return Ok(Some(known));
        }
        tx.insert_batch(wanted.clone()).await?;
        tx.find_batch(&wanted.tenant, &wanted.id).await
    }));
    let found = found.await?.ok_or_else(|| Problem::unavailable("somebody else was faster"))?;
    if found.new.entity != entity.name || found.new.connection != connection {
        return Err(Problem::key_reused());
    }
    Ok(found)
}

/// Where the items of an upload are kept.
struct Shelf<'a> {
    api: &'a Api,
    batch: &'a NewBatch,
    upload: &'a str,
}

impl Shelf<'_> {
    async fn keep(&self, first: i64, items: Vec<Vec<u8>>) -> Result<(), Problem> {
        let (hub, batch) = (&self.api.hub, self.batch);
        let numbered = (first..).zip(&items);
        let sealed = numbered.map(|(number, text)| bulk::sealed(hub, &batch.tenant, &batch.id, number, text));
        let sealed = sealed.collect::<Result<Vec<_>, _>>()?;
        let (id, own, now) = (batch.id.clone(), self.upload.to_owned(), hub.clock.micros());
        let kept = hub.store.write(job!(|tx| { tx.insert_batch_items((&id, &own), sealed, now).await })).await?;
        if kept { Ok(()) } else { Err(Problem::request_running()) }
    }
}

/// A body that is read item by item; without a shelf, only to know it again.
struct Reading<'a> {
    shelf: Option<Shelf<'a>>,
    splitter: Splitter,
    hash: Sha256,
    bytes: usize,
    items: Vec<Vec<u8>>,
    first: i64,
}

impl<'a> Reading<'a> {
    fn new(lines: bool, shelf: Option<Shelf<'a>>) -> Self {
        let (splitter, hash) = (Splitter::new(lines), Sha256::new());
        Self { shelf, splitter, hash, bytes: 0, items: Vec::new(), first: 0 }
    }

    /// Reads a body to its end; full portions are kept as they come.
    async fn read(&mut self, body: Body) -> Result<(), Problem> {
        let mut chunks = body.into_data_stream();
        let until = tokio::time::Instant::now() + WITHIN;
        loop {
            let next = tokio::time::timeout_at(until, chunks.next()).await.map_err(|_| Problem::slow_body())?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| Problem::broken_body())?;
            self.bytes += chunk.len();
            if self.bytes > MOST_BYTES {
                return Err(Problem::long_body(MOST_BYTES).next("split the batch"));
            }
            self.hash.update(&chunk);
            self.splitter.push(&chunk, &mut self.items).map_err(Problem::malformed)?;
            while self.items.len() >= PORTION {
                let rest = self.items.split_off(PORTION);
                let full = std::mem::replace(&mut self.items, rest);
                self.hand_on(full).await?;
            }
        }
        self.splitter.finish(&mut self.items).map_err(Problem::malformed)?;
        let rest = std::mem::take(&mut self.items);
        self.hand_on(rest).await
    }

    async fn hand_on(&mut self, items: Vec<Vec<u8>>) -> Result<(), Problem> {
        let (first, count) = (self.first, i64::try_from(items.len()).unwrap_or(i64::MAX));
        self.first += count;
        if self.first > MOST_ITEMS {
            return Err(Problem::invalid_body("/items", format!("a batch has at most {MOST_ITEMS} items")));
        }
        match &self.shelf {
            Some(shelf) if !items.is_empty() => shelf.keep(first, items).await,
            _ => Ok(()),
        }
    }

    /// How many items there were, and what tells them from others.
    fn end(self) -> Result<(i64, String), Problem> {
        if self.first == 0 {
            return Err(Problem::invalid_body("/items", "a batch has at least one item"));
        }
        Ok((self.first, hex::encode(self.hash.finalize())))
    }
}

async fn take_in(
    api: &Api,
    who: &Principal,
    batch: &NewBatch,
    upload: &str,
    (lines, body): (bool, Body),
) -> Result<(), Problem> {
    let hub = &api.hub;
    let mut reading = Reading::new(lines, Some(Shelf { api, batch, upload }));
    reading.read(body).await?;
    let (total, fingerprint) = reading.end()?;
    let (id, own, now) = (batch.id.clone(), upload.to_owned(), (hub.clock.micros(), hub.store_now()));
    let told = Entry::by(who, "batch.begun").about("batch", &batch.id).detail("entity", batch.entity.clone());
    let told = hub.audit_entry(told.detail("items", total).detail("connection", batch.connection.clone())).await?;
    let begun = hub.store.write(job!(|tx| {
        let begun = tx.begin_batch((&id, &own), total, &fingerprint, now).await?;
        if begun {
            tx.append_audit(told).await?;
        }
        Ok(begun)
    }));
    let begun = begun.await?;
    if begun { Ok(()) } else { Err(Problem::request_running()) }
}

/// Batches are seen by whoever asked for them, and by those who run the hub.
fn handle_of(who: &Principal) -> String {
    if who.need(Scope::Ops).is_ok() { String::new() } else { who.handle.clone() }
}

async fn find(api: &Api, who: &Principal, id: &str) -> Result<Batch, Problem> {
    let (tenant, id, handle) = (who.tenant.clone(), id.to_lowercase(), handle_of(who));
    let found = api.hub.store.read(job!(|tx| { tx.find_batch(&tenant, &id).await })).await?;
    let found = found.filter(|found| handle.is_empty() || found.new.handle == handle);
    found.ok_or_else(|| Problem::not_found("there is no batch with this id"))
}

/// Batches, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("batch")?.unwrap_or_default();
    given.finish(&[])?;
    let (handle, tenant) = (handle_of(&who), who.tenant);
    let mut rows = api.hub.store.read(job!(|tx| { tx.batches(&tenant, &handle, &after, limit + 1).await })).await?;
    let next = Parameters::page("batch", &mut rows, limit, |row| row.new.id.clone());
    Ok(Json(json!({ "data": rows.iter().map(batch_json).collect::<Vec<_>>(), "next_cursor": next })))
}

/// One batch.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(batch_json(&find(&api, &who, &id).await?)))
}

/// `POST /v1/batches/{id}:cancel`: what waits is not done; what has begun ends.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (id, action) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    if action != "cancel" {
        return Err(Problem::not_found(format!("there is no action `{action}`; did you mean `cancel`?")));
    }
    let batch = find(&api, &who, id).await?;
    who.writes(&batch.new.entity)?;
    let (own, now) = (batch.new.id.clone(), api.hub.clock.micros());
    let told = api.hub.audit_entry(Entry::by(&who, "batch.cancelled").about("batch", &own)).await?;
    let cancelling = api.hub.store.write(job!(|tx| {
        let cancelled = tx.end_batch(&own, BatchState::Cancelled, now).await?;
        if cancelled {
            tx.append_audit(told).await?;
        }
        Ok(cancelled)
    }));
    if !cancelling.await? {
        return Err(Problem::conflict(format!("the batch is {}", batch.state.word())));
    }
    Ok(Json(batch_json(&find(&api, &who, id).await?)))
}

/// Items of a batch in their order.
pub(crate) async fn items(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    const STATES: [&str; 5] = ["waiting", "running", "succeeded", "failed", "cancelled"];
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after =
        given.cursor("item")?.map_or(Ok(-1), |after| after.parse::<i64>().map_err(|_| Parameters::bad_cursor()))?;
    let state = given.take("status").unwrap_or_default();
    if !state.is_empty() && !STATES.contains(&state.as_str()) {
        return Err(Problem::bad_parameter("status", format!("one of {}", STATES.join(", ")), None));
    }
    given.finish(&["status"])?;
    let batch = find(&api, &who, &id).await?;
    let filter = ItemFilter { state, after, limit: limit + 1 };
    let mut rows = api.hub.store.read(job!(|tx| { tx.batch_items(&batch.new.id, filter).await })).await?;
    let next = Parameters::page("item", &mut rows, limit, |row| row.number.to_string());
    Ok(Json(json!({ "data": rows.iter().map(item_json).collect::<Vec<_>>(), "next_cursor": next })))
}

fn item_json(item: &BatchItem) -> Value {
    let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let problem = serde_json::from_str::<Trouble>(&item.problem).ok();
    json!({
        "index": item.number, "status": item.state, "id": told(&item.record), "operation": told(&item.request),
        "problem": problem.map(|problem| problem_json(&problem)),
    })
}
