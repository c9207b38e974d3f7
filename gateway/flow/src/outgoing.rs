//! Records that somebody asks the hub to make and to send to systems: messages, approvals, calendar events. The record,
//! and the calls that carry it out, are one transaction; what a system answers comes back to the record by the
//! operation's reply mapping.

use crate::commit::call_row;
use crate::effects::{CallRequest, Failure};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::parked::OUTCOME_UNKNOWN;
use crate::records::{self, Target, Write};
use crate::rules::arguments;
use hub_model::EntityType;
use hub_store::{Call, NewCall, StoreError, Tx, job};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::sync::Arc;

/// A record to make or to change, and whom to send it to.
pub struct Outgoing {
    /// Tenant.
    pub tenant: String,
    /// Who asks, for the journey.
    pub by: String,
    /// The record's entity.
    pub entity: &'static EntityType,
    /// What the out mappings call the record.
    pub name: &'static str,
    /// The record: a new one, or one that is there.
    pub record: Which,
    /// The fields to set, as JSON.
    pub fields: String,
    /// The calls that carry it out.
    pub sends: Vec<Send>,
    /// The caller's own name for the request: under it, it is carried out once.
    pub key: Option<String>,
}

/// Which record.
pub enum Which {
    /// A new one.
    New,
    /// The one with this id, which the caller has read.
    Known(String),
}

/// One call that carries a request out.
pub struct Send {
    /// Connection.
    pub connection: String,
    /// Operation.
    pub operation: &'static str,
    /// What the out mapping reads beside the record, as a JSON object.
    pub beside: String,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The record.
    pub id: String,
    /// The journey.
    pub trace: TraceContext,
    /// Whether the same had been asked for before under this key.
    pub again: bool,
}

/// Why a request was not taken.
#[derive(Debug)]
pub enum NotAsked {
    /// A system could not be sent this: what is wrong, and where.
    Failure(Failure),
    /// Something else was asked for under this key.
    OtherRequest,
}

impl From<StoreError> for NotAsked {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl Outgoing {
    /// The key of a call under the caller's own name for the request; one request sends one call to each connection.
    fn call_key(&self, send: &Send) -> Option<String> {
        self.key.as_ref().map(|key| format!("api:{}:{}:{key}", self.entity.name, send.operation))
    }

    /// The record as the out mappings read it.
    fn document(&self, arena: &Arena, id: &str, stored: Option<&str>) -> String {
        let read = |text: &str| json::read(arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default();
        let fields = read(&self.fields);
        let mut entries = vec![("id", Value::Text(arena.text(id)))];
        let old = stored.map(read).unwrap_or_default();
        let kept = old.entries().iter().filter(|(name, _)| *name != "id" && fields.get(name) == Value::Absent);
        entries.extend(kept.copied());
        entries.extend(fields.entries().iter().copied());
        json::to_string(&arena.map(&entries))
    }

    /// The arguments of each call.
    fn args(&self, hub: &Hub, id: &str, stored: Option<&str>) -> Result<Vec<String>, Failure> {
        let arena = Arena::new();
        let document = self.document(&arena, id, stored);
        let read = |text: &str| json::read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default();
        let args = |send: &Send| {
            let mut entries = vec![(self.name, read(&document))];
            entries.extend(read(&send.beside).entries().iter().copied());
            arguments(hub, &send.connection, send.operation, arena.map(&entries))
        };
        self.sends.iter().map(args).collect()
    }
}

/// Takes a request: when it returns `Ok`, the record is there, and the calls will be made.
///
/// # Errors
/// A system cannot be sent this, or something else was asked for under the same key. Nothing was done.
pub async fn ask(hub: &Arc<Hub>, context: TraceContext, outgoing: Outgoing) -> Result<Asked, NotAsked> {
    if let Some(before) = before(hub, &outgoing).await? {
        return same(hub, &outgoing, &before);
    }
    let (id, stored) = match &outgoing.record {
        Which::New => (hub.ids.next().to_string(), None),
        Which::Known(id) => {
            let stored = crate::rules::document(hub, &outgoing.tenant, outgoing.entity.name, id, None);
            (id.clone(), stored.await.map_err(NotAsked::Failure)?)
        }
    };
    let args = outgoing.args(hub, &id, stored.as_deref()).map_err(NotAsked::Failure)?;
    let subject = format!("{}/{id}", outgoing.entity.name);
    let mut calls = Vec::with_capacity(args.len());
    for (send, args) in outgoing.sends.iter().zip(args) {
        let request = CallRequest {
            connection: send.connection.clone(),
            operation: send.operation.to_owned(),
            key: outgoing.call_key(send).unwrap_or_else(|| format!("api:{}", hub.ids.next())),
            order_key: subject.clone(),
            subject: subject.clone(),
            args,
        };
        calls.push(call_row(hub, &outgoing.tenant, &context, request)?);
    }
    if keep(hub, context, &outgoing, &id, calls).await? {
        let before = before(hub, &outgoing).await?.ok_or(StoreError::Broken)?;
        return same(hub, &outgoing, &before);
    }
    hub.wake.calls.notify_one();
    hub.wake.events.notify_one();
    Ok(Asked { id, trace: context, again: false })
}

/// The first call of an earlier request under this key.
async fn before(hub: &Hub, outgoing: &Outgoing) -> Result<Option<Call>, StoreError> {
    let Some(send) = outgoing.sends.first() else { return Ok(None) };
    let Some(key) = outgoing.call_key(send) else { return Ok(None) };
    let (tenant, connection) = (outgoing.tenant.clone(), send.connection.clone());
    hub.store.read(job!(|tx| { tx.call(&tenant, &connection, &key).await })).await
}

/// The earlier request, if it was the same one.
fn same(hub: &Hub, outgoing: &Outgoing, before: &Call) -> Result<Asked, NotAsked> {
    let id = before.new.subject.split_once('/').map(|(_, id)| id.to_owned()).unwrap_or_default();
    let args = hub.open(&outgoing.tenant, &format!("call:{}", before.new.id), &before.new.body.0)?;
    let again = outgoing.args(hub, &id, None).map_err(NotAsked::Failure)?;
    if matches!(outgoing.record, Which::New) && again.first().map(String::as_bytes) != Some(args.as_slice()) {
        return Err(NotAsked::OtherRequest);
    }
    let trace = before.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    Ok(Asked { id, trace, again: true })
}

/// Writes it all down; `true` when somebody else has asked for it under the same key meanwhile, and nothing was done.
async fn keep(
    hub: &Arc<Hub>,
    context: TraceContext,
    outgoing: &Outgoing,
    id: &str,
    calls: Vec<NewCall>,
) -> Result<bool, StoreError> {
    let target = match &outgoing.record {
        Which::New => Target::New(id.to_owned()),
        Which::Known(id) => Target::Remote { key: None, hub_id: Some(id.clone()) },
    };
    let write = Write {
        entity: outgoing.entity,
        target,
        fields: outgoing.fields.clone(),
        ext: None,
        deleted: false,
        rules: Vec::new(),
        source: None,
    };
    let (inner, tenant) = (Arc::clone(hub), outgoing.tenant.clone());
    let detail = format!("{} asks for {} calls", outgoing.by, calls.len());
    let subject = format!("{}/{id}", outgoing.entity.name);
    let written = hub.store.write(job!(|tx| {
        let hub = inner;
        for call in calls {
            if !tx.insert_call(call).await? {
                return Err(StoreError::Broken);
            }
        }
        let mut steps = Steps::of(&context, &tenant);
        steps.add(&hub.ids, hub.clock.micros(), ("ask", Went::Ok), "hub", &subject, detail);
        let applied = records::apply(&hub, tx, &tenant, &context, vec![write]).await?.unwrap_or_default();
        tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
        tx.add_steps(steps.into_vec()).await
    }));
    match written.await {
        Ok(()) => Ok(false),
        Err(StoreError::Broken) if outgoing.key.is_some() => Ok(true),
        Err(error) => Err(error),
    }
}

/// A call that carries a request out was parked with a code: its record says so, unless nobody knows whether it was
/// carried out.
pub(crate) async fn parked(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    call: &Call,
    code: &str,
    context: &TraceContext,
) -> Result<(), StoreError> {
    let Some(("message", id)) = call.new.subject.split_once('/') else { return Ok(()) };
    if code == OUTCOME_UNKNOWN {
        return Ok(());
    }
    let Some(entity) = hub_model::entity("message") else { return Ok(()) };
    let write = Write {
        entity,
        target: Target::Remote { key: None, hub_id: Some(id.to_owned()) },
        fields: r#"{"status":{"value":"FAILED"}}"#.to_owned(),
        ext: None,
        deleted: false,
        rules: Vec::new(),
        source: None,
    };
    let applied = records::apply(hub, tx, &call.new.tenant, context, vec![write]).await?.unwrap_or_default();
    tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await
}
