//! Writing to systems: `POST /v1/messages`, `/v1/approvals`, `/v1/calendar-events`, and changes of the last.
//!
//! The answer is 202 as soon as the request is durable; the record shows what became of it. Under an
//! `Idempotency-Key` a request is carried out once, and gets the same answer whenever it is repeated.

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Principal, Scope};
use hub_flow::approvals::PENDING;
use hub_flow::outgoing::{Asked, NotAsked, Outgoing, Send, Which, ask};
use hub_flow::rules::document;
use hub_flow::{Failure, Hub};
use hub_kit::Connection;
use hub_model::EntityType;
use hub_model::accept::{accept, missing};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use serde_json::json as object;
use std::sync::Arc;

/// Longest `Idempotency-Key`.
const LONGEST_KEY: usize = 200;
/// Systems that one approval is shown in at most.
const MOST_SYSTEMS: usize = 10;
/// What a system of an approval may say beside its connection.
const SYSTEM_FIELDS: [&str; 8] =
    ["connection", "definition", "applicant", "department", "title", "approvers", "cc", "form"];

/// A request that was read.
struct Reader<'a> {
    api: &'a Api,
    who: &'a Principal,
    arena: &'a Arena,
    given: Value<'a>,
    key: Option<String>,
}

/// Reads a body as one JSON object.
fn read_object<'a>(arena: &'a Arena, bytes: &[u8]) -> Result<Value<'a>, Problem> {
    let read = json::read(arena, arena.bytes(bytes), Limits::default());
    let value = read.map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))?;
    if bytes.contains(&0) || json::to_string(&value).contains("\\u0000") {
        return Err(Problem::malformed("a text in the body holds a NUL"));
    }
    if matches!(value, Value::Map(_)) { Ok(value) } else { Err(Problem::malformed("the body is no JSON object")) }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    let detail = format!("an `Idempotency-Key` has 1 to {LONGEST_KEY} printable characters");
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::bad_parameter("Idempotency-Key", detail, None))
}

impl<'a> Reader<'a> {
    /// A connection of the caller's tenant that can do something.
    fn connection(&self, name: Value<'_>, operation: &str, pointer: &str) -> Result<Arc<Connection>, Problem> {
        let Some(name) = name.as_text() else {
            return Err(Problem::invalid_body(pointer, "the id of a connection, as text"));
        };
        let registry = self.api.hub.registry();
        let own = registry.connections.values().filter(|known| known.tenant == self.who.tenant);
        let able: Vec<_> = own.filter(|known| known.manifest.operation(operation).is_some()).collect();
        let found = able.iter().find(|known| known.id == name).map(|known| Arc::clone(known));
        found.ok_or_else(|| {
            let near = suggest(name, able.iter().map(|known| known.id.as_str())).map(|near| format!("; {near}"));
            let near = near.unwrap_or_default();
            Problem::invalid_body(pointer, format!("there is no connection `{name}` that can do `{operation}`{near}"))
        })
    }

    /// The fields of a record, as they are kept; `beside` was read already.
    fn fields(
        &self,
        entity: &EntityType,
        except: &[&str],
        beside: &[&str],
    ) -> Result<Vec<(&'a str, Value<'a>)>, Problem> {
        let own = self.given.entries().iter().filter(|(name, _)| !beside.contains(name)).copied();
        let given = self.arena.map(&own.collect::<Vec<_>>());
        let read = accept(self.arena, entity, given, except).map_err(|refusals| {
            let mut all = refusals.iter().map(|one| format!("{}: {}", one.pointer, one.reason));
            let pointer = refusals.first().map(|one| one.pointer.clone()).unwrap_or_default();
            Problem::invalid_body(&pointer, all.by_ref().collect::<Vec<_>>().join("; "))
        })?;
        Ok(read.entries().to_vec())
    }

    fn needs(&self, entity: &EntityType, fields: &[(&'a str, Value<'a>)]) -> Result<(), Problem> {
        match missing(entity, self.arena.map(fields)).next() {
            None => Ok(()),
            Some(name) => Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is missing"))),
        }
    }

    fn outgoing(
        &self,
        entity: &'static EntityType,
        record: Which,
        fields: &[(&'a str, Value<'a>)],
        sends: Vec<Send>,
    ) -> Outgoing {
        Outgoing {
            tenant: self.who.tenant.clone(),
            by: self.who.name.clone(),
            entity,
            name: if entity.name == "calendar_event" { "event" } else { entity.name },
            record,
            fields: json::to_string(&self.arena.map(fields)),
            sends,
            // Keys of one app mean nothing to another.
            key: self.key.as_ref().map(|key| format!("{}:{key}", self.who.handle)),
        }
    }
}

async fn carry_out(api: &Api, outgoing: Outgoing) -> Result<Response, Problem> {
    let (hub, tenant, entity) = (&api.hub, outgoing.tenant.clone(), outgoing.entity);
    hub.store.keyring().ensure(&hub.store, &hub.clock, &tenant).await?;
    let asked = ask(hub, TraceContext::begin(), outgoing).await.map_err(problem_of)?;
    answer(hub, &tenant, entity, &asked).await
}

fn word<'a>(arena: &'a Arena, value: &'static str) -> Value<'a> {
    arena.map(&[("value", Value::Text(value))])
}

fn problem_of(error: NotAsked) -> Problem {
    match error {
        NotAsked::OtherRequest => {
            let detail = "another request was made under this `Idempotency-Key`";
            Problem::invalid_body("", detail).next("use a new key for a new request")
        }
        NotAsked::Failure(Failure::Park { reason, place, .. }) => {
            let problem = Problem::invalid_body("", reason);
            if place.is_empty() { problem } else { problem.next(format!("the mapping asks for it: {place}")) }
        }
        NotAsked::Failure(Failure::Retry(reason)) => Problem::unavailable(reason),
    }
}

async fn answer(hub: &Hub, tenant: &str, entity: &EntityType, asked: &Asked) -> Result<Response, Problem> {
    let stored = document(hub, tenant, entity.name, &asked.id, None).await;
    let stored = stored.map_err(|failure| problem_of(NotAsked::Failure(failure)))?.unwrap_or_default();
    let (id, trace_id, repeated) = (&asked.id, asked.trace.id(), asked.again);
    let body = object!({
        "id": id, "entity": entity.name, "status": status_of(&stored), "trace_id": trace_id, "repeated": repeated,
    });
    let place = format!("/v1/{}/{}", entity.collection, asked.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], axum::Json(body)).into_response())
}

fn status_of(document: &str) -> Option<String> {
    let arena = Arena::new();
    let read = json::read(&arena, document.as_bytes(), Limits::default()).unwrap_or_default();
    read.get("status").get("value").as_text().map(str::to_owned)
}

/// Makes a record and has it sent.
pub(crate) async fn create(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(collection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    who.need(Scope::Write)?;
    let entity = crate::records::entity_of(&collection)?;
    let (key, bytes) = (key_of(&headers)?, body::bytes(body).await?);
    carry_out(&api, read_new(&api, &who, entity, &bytes, key)?).await
}

fn read_new(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    bytes: &[u8],
    key: Option<String>,
) -> Result<Outgoing, Problem> {
    let arena = Arena::new();
    let given = read_object(&arena, bytes)?;
    let reader = Reader { api, who, arena: &arena, given, key };
    match entity.name {
        "message" => message(&reader, entity),
        "approval" => approval(&reader, entity),
        "calendar_event" => calendar_event(&reader, entity),
        _ => Err(Problem::method_not_allowed()),
    }
}

fn message(reader: &Reader<'_>, entity: &'static EntityType) -> Result<Outgoing, Problem> {
    let operation = "send_message";
    let connection = reader.connection(reader.given.get("connection"), operation, "/connection")?;
    let mut fields = reader.fields(entity, &["status", "provider_message_id", "sent_at", "scheduled_at"], &[])?;
    fields.push(("status", word(reader.arena, "QUEUED")));
    reader.needs(entity, &fields)?;
    let says = |name: &str| fields.iter().any(|(known, value)| *known == name && !value.is_absent());
    if !says("body") && !says("template") {
        return Err(Problem::invalid_body("/body", "a message has a `body`, or a `template` that makes it"));
    }
    let recipients = fields.iter().find(|(name, _)| *name == "to").map(|(_, to)| to.items().len());
    if recipients == Some(0) {
        return Err(Problem::invalid_body("/to", "a message needs somebody who gets it"));
    }
    let send = Send { connection: connection.id.clone(), operation, beside: "{}".to_owned() };
    Ok(reader.outgoing(entity, Which::New, &fields, vec![send]))
}

/// `systems: [{connection, definition, applicant, …}]`: the approval is begun in each of them.
fn approval(reader: &Reader<'_>, entity: &'static EntityType) -> Result<Outgoing, Problem> {
    let operation = "start_approval";
    let (arena, systems) = (reader.arena, reader.given.get("systems").items());
    if !(1..=MOST_SYSTEMS).contains(&systems.len()) {
        let detail = format!("`systems` names 1 to {MOST_SYSTEMS} systems that the approval is begun in");
        return Err(Problem::invalid_body("/systems", detail));
    }
    let (mut sends, mut mirrors): (Vec<Send>, Vec<Value<'_>>) = (Vec::new(), Vec::new());
    for (index, system) in systems.iter().enumerate() {
        let pointer = format!("/systems/{index}");
        if let Some((name, _)) = system.entries().iter().find(|(name, _)| !SYSTEM_FIELDS.contains(name)) {
            let near = suggest(name, SYSTEM_FIELDS).map(|near| format!("; {near}")).unwrap_or_default();
            return Err(Problem::invalid_body(&format!("{pointer}/{name}"), format!("unknown field `{name}`{near}")));
        }
        let connection = reader.connection(system.get("connection"), operation, &format!("{pointer}/connection"))?;
        if sends.iter().any(|send| send.connection == connection.id) {
            return Err(Problem::invalid_body(&format!("{pointer}/connection"), "this system is named twice"));
        }
        for name in ["definition", "applicant"] {
            if system.get(name).as_text().is_none_or(str::is_empty) {
                let detail = format!("`{name}` is missing: the platform's own id, as text");
                return Err(Problem::invalid_body(&format!("{pointer}/{name}"), detail));
            }
        }
        mirrors.push(arena.map(&[
            ("connection", Value::Text(arena.text(&connection.id))),
            ("definition", system.get("definition")),
            ("applicant", system.get("applicant")),
            ("status", word(arena, PENDING)),
        ]));
        let beside = json::to_string(&arena.map(&[("system", *system)]));
        sends.push(Send { connection: connection.id.clone(), operation, beside });
    }
    let hub_s = ["status", "tasks", "started_at", "ended_at", "mirrors", "system", "external_instance_id"];
    let mut fields = reader.fields(entity, &hub_s, &["systems"])?;
    fields.push(("status", word(arena, PENDING)));
    fields.push(("started_at", Value::Text(arena.text(&format!("{:.3}", reader.api.hub.clock.now())))));
    fields.push(("mirrors", arena.list(&mirrors)));
    reader.needs(entity, &fields)?;
    Ok(reader.outgoing(entity, Which::New, &fields, sends))
}

fn calendar_event(reader: &Reader<'_>, entity: &'static EntityType) -> Result<Outgoing, Problem> {
    let operation = "create_event";
    let connection = reader.connection(reader.given.get("connection"), operation, "/connection")?;
    let mut fields = reader.fields(entity, &["status", "sequence", "ical_uid"], &["connection"])?;
    fields.push(("status", word(reader.arena, "CONFIRMED")));
    reader.needs(entity, &fields)?;
    let send = Send { connection: connection.id.clone(), operation, beside: "{}".to_owned() };
    Ok(reader.outgoing(entity, Which::New, &fields, vec![send]))
}

/// Moves a calendar event, or changes who is invited.
pub(crate) async fn update(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    change(&api, &who, (&collection, &id), "move_event", &headers, &body::bytes(body).await?).await
}

/// `POST /v1/calendar-events/{id}:cancel`.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, action) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    if action != "cancel" {
        return Err(Problem::not_found(format!("there is no action `{action}`; did you mean `cancel`?")));
    }
    change(&api, &who, (&collection, id), "cancel_event", &headers, b"{}").await
}

async fn change(
    api: &Api,
    who: &Principal,
    (collection, id): (&str, &str),
    operation: &'static str,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, Problem> {
    who.need(Scope::Write)?;
    let entity = crate::records::entity_of(collection)?;
    if entity.name != "calendar_event" {
        return Err(Problem::method_not_allowed());
    }
    let stored = document(&api.hub, &who.tenant, entity.name, id, None).await;
    let stored = stored.map_err(|failure| problem_of(NotAsked::Failure(failure)))?;
    let stored = stored.ok_or_else(|| Problem::not_found("there is no record with this id"))?;
    let outgoing = {
        let arena = Arena::new();
        let reader = Reader { api, who, arena: &arena, given: read_object(&arena, bytes)?, key: key_of(headers)? };
        changed(&reader, entity, id, &stored, operation)?
    };
    carry_out(api, outgoing).await
}

fn changed(
    reader: &Reader<'_>,
    entity: &'static EntityType,
    id: &str,
    stored: &str,
    operation: &'static str,
) -> Result<Outgoing, Problem> {
    let arena = reader.arena;
    let stored = json::read(arena, arena.bytes(stored.as_bytes()), Limits::default()).unwrap_or_default();
    // Where it lies at a vendor, and under which id.
    let source = stored.get("sources").items().first().copied().unwrap_or_default();
    let (connection, event_id) = (source.get("connection_id"), source.get("remote_id"));
    if event_id.is_absent() {
        return Err(Problem::conflict("no system has answered yet that it made this event").next("try again later"));
    }
    let connection = reader.connection(connection, operation, "")?;
    let mut fields = reader.fields(entity, &["status", "sequence", "ical_uid"], &[])?;
    if operation == "cancel_event" {
        fields.push(("status", word(arena, "CANCELLED")));
    }
    let beside = json::to_string(&arena.map(&[("event_id", event_id)]));
    let send = Send { connection: connection.id.clone(), operation, beside };
    Ok(reader.outgoing(entity, Which::Known(id.to_owned()), &fields, vec![send]))
}
