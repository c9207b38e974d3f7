//! Writing to systems: `POST /v1/messages`, `/v1/approvals`, `/v1/calendar-events`, and changes of the last.
//!
//! Such a record is there at once, and says itself how far it is: the answer is 202 as soon as the request is durable.

use crate::Api;
use crate::operations;
use crate::problem::Problem;
use crate::writes::{self, How, read_object};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::Principal;
use hub_flow::approvals::PENDING;
use hub_flow::audit::Entry;
use hub_flow::requests::{Kept, Outgoing, Send, Which, able};
use hub_flow::rules::document;
use hub_kit::Connection;
use hub_model::EntityType;
use hub_model::accept::{accept, missing};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Limits, Value, json};
use serde_json::json as object;
use std::sync::Arc;
use std::time::Duration;

/// Systems that one approval is shown in at most.
const MOST_SYSTEMS: usize = 10;
/// What a system of an approval may say beside its connection.
const SYSTEM_FIELDS: [&str; 8] =
    ["connection", "definition", "applicant", "department", "title", "approvers", "cc", "form"];

/// Whether requests about an entity are read in a way of their own.
pub(crate) fn is_special(entity: &EntityType) -> bool {
    ["approval", "calendar_event", "message"].contains(&entity.name)
}

/// A request that was read.
struct Reader<'a> {
    api: &'a Api,
    who: &'a Principal,
    arena: &'a Arena,
    given: Value<'a>,
    how: &'a How,
}

impl<'a> Reader<'a> {
    /// A connection of the caller's tenant that can do something.
    fn connection(&self, name: Value<'_>, operation: &str, pointer: &str) -> Result<Arc<Connection>, Problem> {
        let Some(name) = name.as_text() else {
            return Err(Problem::invalid_body(pointer, "the id of a connection, as text"));
        };
        let found = able(&self.api.hub, &self.who.tenant, name, operation);
        found.map_err(|refusal| Problem::invalid_body(pointer, refusal.reason))
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
        let read = accept(self.arena, entity, given, except)
            .map_err(|refusals| Problem::all_of(refusals.into_iter().map(|one| (one.pointer, one.reason)).collect()))?;
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
            handle: self.who.handle.clone(),
            entity,
            name: if entity.name == "calendar_event" { "event" } else { entity.name },
            record,
            fields: json::to_string(&self.arena.map(fields)),
            ext: None,
            deleted: false,
            sends,
            kept: Kept::Now,
            key: self.how.key.clone(),
            version: self.how.version,
            batch: None,
            audit: Some(Entry::by(self.who, "record.sent")),
        }
    }
}

async fn carry_out(api: &Api, outgoing: Outgoing) -> Result<Response, Problem> {
    let (tenant, entity) = (outgoing.tenant.clone(), outgoing.entity);
    let asked = writes::send(api, outgoing).await?;
    let request = operations::wait_for(api, &tenant, &asked.request, Duration::ZERO).await?;
    let body = object!({
        "id": asked.id, "entity": entity.name, "status": writes::status_of(&api.hub, &tenant, entity, &asked.id).await?,
        "trace_id": asked.trace.id(), "operation": operations::shown(api, &request).await?,
    });
    let place = format!("/v1/{}/{}", entity.collection, asked.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], axum::Json(body)).into_response())
}

fn word<'a>(arena: &'a Arena, value: &'static str) -> Value<'a> {
    arena.map(&[("value", Value::Text(value))])
}

/// Makes a record and has it sent.
pub(crate) async fn create(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    bytes: &[u8],
    how: How,
) -> Result<Response, Problem> {
    let outgoing = read_new(api, who, entity, bytes, &how)?;
    carry_out(api, outgoing).await
}

fn read_new(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    bytes: &[u8],
    how: &How,
) -> Result<Outgoing, Problem> {
    let arena = Arena::new();
    let given = read_object(&arena, bytes)?;
    let reader = Reader { api, who, arena: &arena, given, how };
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
    let send = Send {
        connection: connection.id.clone(),
        operation: operation.to_owned(),
        beside: "{}".to_owned(),
        changes: false,
    };
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
        sends.push(Send { connection: connection.id.clone(), operation: operation.to_owned(), beside, changes: false });
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
    let send = Send {
        connection: connection.id.clone(),
        operation: operation.to_owned(),
        beside: "{}".to_owned(),
        changes: false,
    };
    Ok(reader.outgoing(entity, Which::New, &fields, vec![send]))
}

/// Moves a calendar event, changes who is invited, or cancels it.
pub(crate) async fn change(
    api: &Api,
    who: &Principal,
    (entity, id): (&'static EntityType, &str),
    operation: &'static str,
    bytes: &[u8],
    how: How,
) -> Result<Response, Problem> {
    if entity.name != "calendar_event" {
        return Err(Problem::method_not_allowed());
    }
    let stored = document(&api.hub, &who.tenant, entity.name, id, None).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("there is no record with this id"))?;
    let outgoing = {
        let arena = Arena::new();
        let given = read_object(&arena, bytes)?;
        let reader = Reader { api, who, arena: &arena, given, how: &how };
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
    let send = Send { connection: connection.id.clone(), operation: operation.to_owned(), beside, changes: false };
    Ok(reader.outgoing(entity, Which::Known(id.to_owned()), &fields, vec![send]))
}
