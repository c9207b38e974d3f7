//! A request is written down: with its calls, with its record where that is the hub's own, in one transaction.

use super::{Asked, KEY_MICROS, Kept, NotAsked, Outcome, Outgoing, Unfit, Wanted, Warning, Which, build};
use super::{outcome_as, wanted_as};
use crate::commit::call_row;
use crate::effects::{CallRequest, Failure};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::keeps;
use crate::records::{self, Target, Write};
use hub_model::EntityType;
use hub_store::{NewCall, Request, RequestState, Sealed, StoreError, job};
use hub_tree::{Arena, Limits, TraceContext, json};
use serde::Serialize;
use std::sync::Arc;

/// What was answered under a key is known a little longer than the request, so that it is never taken for another's, µs.
const SLACK: i64 = 600_000_000;

/// A request that is ready to be written.
#[derive(Clone)]
pub(super) struct Prepared {
    outgoing: Outgoing,
    /// The record.
    id: String,
    calls: Vec<NewCall>,
    warnings: Vec<Warning>,
}

/// An earlier request under this key.
pub(super) async fn before(hub: &Hub, outgoing: &Outgoing) -> Result<Option<Asked>, StoreError> {
    let Some(key) = outgoing.key.clone() else { return Ok(None) };
    let found = find(hub, &outgoing.tenant, &outgoing.handle, &key).await?;
    found.map(|found| asked_before(hub, &found)).transpose()
}

/// A caller's request by the caller's own name for it, as long as that means it.
///
/// # Errors
/// The store fails.
pub async fn find(hub: &Hub, tenant: &str, handle: &str, key: &str) -> Result<Option<Request>, StoreError> {
    let (tenant, handle, key) = (tenant.to_owned(), handle.to_owned(), key.to_owned());
    let found = hub.store.read(job!(|tx| { tx.request_by_key(&tenant, &handle, &key).await })).await?;
    let since = hub.clock.micros() - KEY_MICROS + SLACK;
    Ok(found.filter(|found| found.asked_at >= since))
}

fn asked_before(hub: &Hub, request: &Request) -> Result<Asked, StoreError> {
    Ok(Asked {
        id: request.record.clone(),
        request: request.id.clone(),
        trace: request.trace.parse().unwrap_or_else(|_| TraceContext::begin()),
        again: true,
        warnings: super::outcome(hub, request)?.warnings,
    })
}

/// Makes the calls of a request; nothing is written yet.
pub(super) async fn prepare(hub: &Arc<Hub>, context: &TraceContext, outgoing: Outgoing) -> Result<Prepared, NotAsked> {
    let (id, stored) = match &outgoing.record {
        Which::New => (hub.ids.next().to_string(), None),
        Which::Known(id) => {
            let stored = crate::rules::document(hub, &outgoing.tenant, outgoing.entity.name, id, None).await?;
            (id.clone(), Some(stored.ok_or(NotAsked::NoRecord)?))
        }
    };
    let entity = outgoing.entity.name;
    let old = stored.as_deref().map(str::as_bytes);
    if let Some(broken) = keeps::broken(entity, old, &outgoing.fields, (outgoing.deleted, false)) {
        return Err(NotAsked::Broken(broken));
    }
    let subject = format!("{entity}/{id}");
    let (mut calls, mut warnings, mut unfit) = (Vec::new(), Vec::new(), Vec::<Unfit>::new());
    for (index, send) in outgoing.sends.iter().enumerate() {
        let built = match build::build(hub, &outgoing, send, (&id, stored.as_deref())).await {
            Err(NotAsked::Unfit(more)) => {
                unfit.extend(more);
                continue;
            }
            other => other?,
        };
        warnings.extend(built.warnings);
        let Some(args) = built.args else { continue };
        let request = CallRequest {
            connection: send.connection.clone(),
            operation: send.operation.clone(),
            key: format!("api:{}:{index}", hub.ids.next()),
            order_key: subject.clone(),
            subject: subject.clone(),
            args,
        };
        calls.push(call_row(hub, &outgoing.tenant, context, request)?);
    }
    if unfit.is_empty() { Ok(Prepared { outgoing, id, calls, warnings }) } else { Err(NotAsked::Unfit(unfit)) }
}

/// What came of writing a request down.
enum Writing {
    Written,
    Before,
    NoRecord,
    OtherVersion(i64),
}

/// Writes a request down.
pub(super) async fn keep(hub: &Arc<Hub>, context: TraceContext, prepared: Prepared) -> Result<Asked, NotAsked> {
    let Prepared { outgoing, id, calls, warnings } = prepared;
    let sent = !calls.is_empty();
    // What needs no system is done with the request; what was to be sent and changes nothing there, too.
    let at_once = outgoing.kept == Kept::Now || !sent;
    let request_id = hub.ids.next().to_string();
    let request = (sent || outgoing.key.is_some())
        .then(|| request_row(hub, &context, &outgoing, (&request_id, &id), sent, &warnings))
        .transpose()?;
    let write = own_write(outgoing.entity, &outgoing.record, &id, &Wanted::of(&outgoing), &request_id);
    let (inner, tenant, key) = (Arc::clone(hub), outgoing.tenant.clone(), outgoing.key.clone());
    let (entity, known, wanted_version) =
        (outgoing.entity.name, matches!(outgoing.record, Which::Known(_)), outgoing.version);
    let (handle, record) = (outgoing.handle.clone(), id.clone());
    let detail = format!("{} asks for {} calls", outgoing.by, calls.len());
    let batch = outgoing.batch.clone();
    let told = match outgoing.audit.clone() {
        Some(entry) => {
            let entry = entry.about(outgoing.entity.name, &id).trace(&context.id());
            let to = outgoing.sends.iter().map(|send| send.connection.as_str()).collect::<Vec<_>>();
            Some(hub.audit_entry(entry.detail("connections", to)).await?)
        }
        None => None,
    };
    let kept_request = request.as_ref().map(|request| request.id.clone());
    let writing = hub.store.write(job!(|tx| {
        let hub = inner;
        if known {
            let row = tx.record(&tenant, entity, &record).await?;
            match (row, wanted_version) {
                (None, _) => return Ok(Writing::NoRecord),
                (Some(row), Some(wanted)) if row.version != wanted => return Ok(Writing::OtherVersion(row.version)),
                _ => {}
            }
        }
        if let Some(request) = request {
            if let Some(key) = &key {
                let before = request.asked_at - KEY_MICROS + SLACK;
                tx.release_request_key(&tenant, &handle, key, before).await?;
            }
            let request_id = request.id.clone();
            if !tx.insert_request(request).await? {
                return Ok(Writing::Before);
            }
            tx.note_request_calls(&request_id, calls.iter().map(|call| call.id.clone()).collect()).await?;
            for call in calls {
                if !tx.insert_call(call).await? {
                    return Err(StoreError::Raced);
                }
            }
        }
        let mut steps = Steps::of(&context, &tenant);
        steps.add(&hub.ids, hub.clock.micros(), ("ask", Went::Ok), "hub", &format!("{entity}/{record}"), detail);
        if at_once {
            let applied = records::apply(&hub, tx, &tenant, &context, vec![write]).await?;
            // What it would break was looked at before: the record has changed since.
            let applied = applied.map_err(|_| StoreError::Raced)?;
            for record in &applied {
                hub.metrics.record(record.entity.name, record.became.word());
            }
            tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
        }
        if let (Some((batch, number)), Some(request)) = (batch, kept_request) {
            let state = if sent { "running" } else { "succeeded" };
            let end = hub_store::ItemEnd { number, state, record, request, problem: String::new() };
            tx.end_batch_items(&batch, vec![end], hub.clock.micros()).await?;
        }
        if let Some(told) = told {
            tx.append_audit(told).await?;
        }
        tx.add_steps(steps.into_vec()).await?;
        Ok(Writing::Written)
    }));
    match writing.await? {
        Writing::Written => {}
        Writing::NoRecord => return Err(NotAsked::NoRecord),
        Writing::OtherVersion(version) => return Err(NotAsked::OtherVersion(version)),
        Writing::Before => {
            return before(hub, &outgoing).await?.ok_or(NotAsked::Failure(Failure::Retry("raced".to_owned())));
        }
    }
    hub.wake.calls.notify_one();
    hub.wake.events.notify_one();
    let request = if sent || outgoing.key.is_some() { request_id } else { String::new() };
    Ok(Asked { id, request, trace: context, again: false, warnings })
}

impl Wanted {
    fn of(outgoing: &Outgoing) -> Self {
        Self {
            fields: outgoing.fields.clone(),
            ext: outgoing.ext.clone(),
            deleted: outgoing.deleted,
            new: outgoing.record == Which::New,
            kept: outgoing.kept,
        }
    }
}

/// The hub's own word about a record that was asked for.
pub(super) fn own_write(entity: &'static EntityType, which: &Which, id: &str, wanted: &Wanted, request: &str) -> Write {
    let target = match which {
        Which::New => Target::New(id.to_owned()),
        Which::Known(id) => Target::Remote { key: None, hub_id: Some(id.clone()) },
    };
    let rules = {
        let arena = Arena::new();
        let fields = json::read(&arena, wanted.fields.as_bytes(), Limits::default()).unwrap_or_default();
        let named = fields.entries().iter().filter(|(_, value)| !value.is_absent());
        named.map(|(name, _)| (format!("/{name}"), format!("request {request}"))).collect()
    };
    let (fields, ext) = (wanted.fields.clone(), wanted.ext.clone());
    Write { entity, target, fields, ext, deleted: wanted.deleted, rules, source: None }
}

/// What is kept with a request, as it is sealed.
pub(super) fn json_of(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Sealed("a request cannot be written"))
}

fn request_row(
    hub: &Hub,
    context: &TraceContext,
    outgoing: &Outgoing,
    (id, record): (&str, &str),
    sent: bool,
    warnings: &[Warning],
) -> Result<Request, StoreError> {
    let (keyring, tenant, now) = (hub.store.keyring(), outgoing.tenant.as_str(), hub.clock.micros());
    let body = keyring.seal(tenant, &wanted_as(id), &json_of(&Wanted::of(outgoing))?)?;
    let outcome = Outcome { warnings: warnings.to_vec(), problem: None };
    let outcome = if warnings.is_empty() {
        Sealed(Vec::new())
    } else {
        keyring.seal(tenant, &outcome_as(id), &json_of(&outcome)?)?
    };
    let first = outgoing.sends.first();
    let (batch, item) = outgoing.batch.clone().unwrap_or_default();
    Ok(Request {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        handle: outgoing.handle.clone(),
        key: outgoing.key.clone().unwrap_or_default(),
        entity: outgoing.entity.name.to_owned(),
        record: record.to_owned(),
        connection: first.map(|send| send.connection.clone()).unwrap_or_default(),
        operation: first.map(|send| send.operation.clone()).unwrap_or_default(),
        state: if sent { RequestState::Open } else { RequestState::Succeeded },
        asked_at: now,
        ended_at: (!sent).then_some(now),
        trace: context.to_string(),
        batch,
        item,
        body,
        outcome,
    })
}
