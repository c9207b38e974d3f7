//! The end of a call is news for the request that it carries out; both commit together.

use super::keep::{json_of, own_write};
use super::{Kept, Outcome, Trouble, Wanted, Warning, Which, build, outcome_as, wanted_as};
use crate::hub::Hub;
use crate::parked::OUTCOME_UNKNOWN;
use crate::records::{self, Target, Write, sealed_as};
use hub_engine::Direction;
use hub_kit::{CallError, Party};
use hub_store::{Call, CallState, ItemEnd, RemoteId, Request, RequestState, Sealed, Store, StoreError, Tx};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::sync::Arc;

/// What a vendor's failure says, as far as a caller should know.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    vendor_code: Option<String>,
    party: &'static str,
    /// An explicit no to what was asked.
    refused: bool,
}

impl Told {
    pub(crate) fn of(error: &CallError) -> Self {
        let refused = matches!(error, CallError::Refused { .. } | CallError::Absent { .. } | CallError::Build { .. });
        Self {
            vendor_code: error.vendor_code().map(ToOwned::to_owned),
            party: error.party().word(),
            refused: refused && matches!(error.party(), Party::Caller | Party::Config),
        }
    }
}

/// How a call of a request has ended.
pub(crate) struct Ended<'e> {
    pub(crate) call: &'e Call,
    pub(crate) state: CallState,
    /// The code of what is parked, or of what the vendor does not have, and why.
    pub(crate) trouble: Option<(String, String)>,
    pub(crate) told: Option<Told>,
    /// The calls that follow.
    pub(crate) follow: Vec<String>,
}

fn wanted(hub: &Hub, request: &Request) -> Result<Wanted, StoreError> {
    let opened = hub.open(&request.tenant, &wanted_as(&request.id), &request.body.0)?;
    serde_json::from_slice(&opened).map_err(|_| StoreError::Sealed("a request is no JSON"))
}

/// Before what an answer says is written: the record of a request is there when its system has said yes. Of a new one
/// that is when an answer names it, else, as of a change, when no call is left.
pub(crate) async fn said_yes(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    request: &Request,
    context: &TraceContext,
    (named, last): (Option<&Write>, bool),
) -> Result<(), StoreError> {
    let wanted = wanted(hub, request)?;
    let left = if last { tx.request_calls_left(&request.id).await? } else { (0, 0) };
    // The call that has ended is still counted.
    let is_last = last && left == (1, 0);
    if wanted.kept != Kept::OnYes || !(is_last || (wanted.new && named.is_some())) {
        return Ok(());
    }
    let Some(entity) = hub_model::entity(&request.entity) else { return Ok(()) };
    let which = if wanted.new { Which::New } else { Which::Known(request.record.clone()) };
    let mut write = own_write(entity, &which, &request.record, &wanted, &request.id);
    // From its first version on the record says where else it is, so that nobody takes it for one that no system knows.
    if let (true, Some(Write { target: Target::Remote { key: Some(key), .. }, source: Some(source), .. })) =
        (wanted.new, named)
    {
        let remote =
            RemoteId { connection: source.connection.clone(), entity: entity.name.to_owned(), remote_id: key.clone() };
        if tx.identities(&request.tenant, vec![remote]).await?.is_empty()
            && tx.record(&request.tenant, entity.name, &request.record).await?.is_none()
        {
            write.target = Target::Made { id: request.record.clone(), key: key.clone() };
            write.source = Some(source.clone());
            write.ext = wanted.ext.as_deref().and_then(|ext| of_system(ext, &source.system));
        }
    }
    apply(hub, tx, &request.tenant, context, write).await
}

/// One system's own fields, of those of all.
fn of_system(ext: &str, system: &str) -> Option<String> {
    let arena = Arena::new();
    let own = json::read(&arena, ext.as_bytes(), Limits::default()).unwrap_or_default().get(system);
    (!own.is_absent()).then(|| json::to_string(&own))
}

async fn apply(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    tenant: &str,
    context: &TraceContext,
    write: Write,
) -> Result<(), StoreError> {
    let applied = records::apply(hub, tx, tenant, context, vec![write]).await?.unwrap_or_else(|why| {
        tracing::error!(reason = why.reason(), "a system has done what the hub may not keep");
        Vec::new()
    });
    for record in &applied {
        hub.metrics.record(record.entity.name, record.became.word());
    }
    tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await
}

/// A call of a request has ended, and what it said is written.
pub(crate) async fn ended(hub: &Arc<Hub>, tx: &mut Tx, request: Request, ended: Ended<'_>) -> Result<(), StoreError> {
    let Ended { call, state, trouble, told, follow, .. } = ended;
    let word = if state == CallState::Parked { "parked" } else { "done" };
    tx.mark_request_call(&call.new.id, word).await?;
    tx.note_request_calls(&request.id, follow).await?;
    let mut outcome = super::outcome(hub, &request)?;
    let trouble = trouble.map(|(code, detail)| trouble_of(hub, &request, call, (code, detail), told));
    match (&trouble, state) {
        // The vendor took it; what its answer says lies parked, and is read when it is tried again.
        (Some(trouble), CallState::Done) if !trouble.last_word => outcome.warnings.push(Warning {
            code: "answer_not_read".to_owned(),
            detail: format!("the system took it, and its answer waits for a person: {}", trouble.code),
            pointer: String::new(),
        }),
        (Some(_), _) => outcome.problem = trouble,
        (None, _) => {}
    }
    let (open, parked) = tx.request_calls_left(&request.id).await?;
    let state = match &outcome.problem {
        _ if open > 0 => RequestState::Open,
        Some(problem) if problem.last_word => RequestState::Failed,
        _ if parked > 0 => RequestState::Attention,
        _ => RequestState::Succeeded,
    };
    if state == RequestState::Succeeded {
        outcome.problem = None;
        let changed = changed_there(hub, tx, &request).await?;
        outcome.warnings.extend(changed);
    }
    turn(&hub.store, tx, &request, state, &outcome, hub.clock.micros()).await
}

async fn turn(
    store: &Store,
    tx: &mut Tx,
    request: &Request,
    state: RequestState,
    outcome: &Outcome,
    now: i64,
) -> Result<(), StoreError> {
    let sealed = if *outcome == Outcome::default() {
        Sealed(Vec::new())
    } else {
        store.keyring().seal(&request.tenant, &outcome_as(&request.id), &json_of(outcome)?)?
    };
    let over = state != RequestState::Open;
    tx.turn_request(&request.id, state, over.then_some(now), sealed).await?;
    if request.batch.is_empty() || !over {
        return Ok(());
    }
    let problem = outcome.problem.as_ref().and_then(|problem| serde_json::to_string(problem).ok()).unwrap_or_default();
    let end = ItemEnd {
        number: request.item,
        state: if state == RequestState::Succeeded { "succeeded" } else { "failed" },
        record: if state == RequestState::Succeeded { request.record.clone() } else { String::new() },
        request: request.id.clone(),
        problem,
    };
    tx.end_batch_items(&request.batch, vec![end], now).await
}

fn trouble_of(
    hub: &Hub,
    request: &Request,
    call: &Call,
    (code, detail): (String, String),
    told: Option<Told>,
) -> Trouble {
    let refused = told.as_ref().is_some_and(|told| told.refused) && code != OUTCOME_UNKNOWN;
    let vendor_code = told.as_ref().and_then(|told| told.vendor_code.clone());
    let pointer = vendor_code.as_deref().map(|code| blamed(hub, request, code)).unwrap_or_default();
    Trouble {
        code: if refused { "vendor_refused".to_owned() } else { code },
        detail: format!("{}: {detail}", call.new.operation),
        vendor_code,
        party: told.map(|told| told.party.to_owned()).unwrap_or_default(),
        pointer,
        last_word: refused,
    }
}

fn blamed(hub: &Hub, request: &Request, code: &str) -> String {
    let Some(connection) = hub.connection(&request.connection) else { return String::new() };
    let Some(object) = connection.manifest.operation(&request.operation).and_then(|known| known.mapping.as_ref())
    else {
        return String::new();
    };
    let mapping = hub.registry().mapping(&connection, object, Direction::Out).cloned();
    mapping.map(|mapping| build::blamed(&mapping, code, &request.entity, &request.connection)).unwrap_or_default()
}

/// What a system keeps otherwise than it was asked to, as far as its answer tells.
async fn changed_there(hub: &Hub, tx: &mut Tx, request: &Request) -> Result<Vec<Warning>, StoreError> {
    let wanted = wanted(hub, request)?;
    if wanted.kept != Kept::OnYes || wanted.deleted {
        return Ok(Vec::new());
    }
    let Some(row) = tx.record(&request.tenant, &request.entity, &request.record).await? else { return Ok(Vec::new()) };
    let opened = hub.open(&request.tenant, &sealed_as(&request.entity, &request.record), &row.body.0)?;
    let arena = Arena::new();
    let read = |bytes| json::read(&arena, bytes, Limits::default()).unwrap_or_default();
    let (now, asked) = (read(arena.bytes(&opened)), read(arena.bytes(wanted.fields.as_bytes())));
    let differs = |name: &str, asked: Value<'_>| !asked.is_absent() && !says(now.get(name), asked);
    let changed = asked.entries().iter().filter(|(name, value)| differs(name, *value)).map(|(name, _)| Warning {
        code: "changed_by_target".to_owned(),
        detail: "the system keeps another value than it was sent".to_owned(),
        pointer: format!("/{name}"),
    });
    Ok(changed.collect())
}

/// Whether a value says at least what was asked for.
fn says(now: Value<'_>, asked: Value<'_>) -> bool {
    match (now, asked) {
        (_, Value::Null) => now.is_absent(),
        // A reference by the vendor's id has become one by the hub's.
        (Value::Map(_), Value::Map(_)) if !asked.get("source").is_absent() && asked.get("id").is_absent() => true,
        (Value::Map(_), Value::Map(map)) => map.entries().iter().all(|(name, value)| says(now.get(name), *value)),
        (Value::List(now), Value::List(asked)) => {
            now.len() == asked.len() && now.iter().zip(asked).all(|(now, asked)| says(*now, *asked))
        }
        (now, asked) => now == asked,
    }
}

/// A person says that a parked call was carried out.
pub(crate) async fn carried_out(hub: &Arc<Hub>, tx: &mut Tx, call: &Call) -> Result<(), StoreError> {
    let Some(request) = tx.request_of_call(&call.new.id).await? else { return Ok(()) };
    let context: TraceContext = call.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    tx.reopen_request_of(&call.new.id).await?;
    said_yes(hub, tx, &request, &context, (None, true)).await?;
    let end = Ended { call, state: CallState::Done, trouble: None, told: None, follow: Vec::new() };
    ended(hub, tx, request, end).await
}

/// A person has discarded the parked call of a request.
pub(crate) async fn discarded(store: &Store, tx: &mut Tx, call: &str, now: i64) -> Result<(), StoreError> {
    let Some(request) = tx.request_of_call(call).await? else { return Ok(()) };
    let opened = if request.outcome.0.is_empty() {
        Outcome::default()
    } else {
        let opened = store.keyring().open(&request.tenant, &outcome_as(&request.id), &request.outcome.0)?;
        serde_json::from_slice(&opened).unwrap_or_default()
    };
    let mut problem = opened.problem.clone().unwrap_or_default();
    problem.last_word = true;
    if problem.code.is_empty() {
        problem.code = "DISCARDED".to_owned();
        problem.detail = "somebody has discarded it".to_owned();
    }
    turn(store, tx, &request, RequestState::Failed, &Outcome { problem: Some(problem), ..opened }, now).await
}

/// A call that carries a request out was parked with a code: a message says so, unless nobody knows whether it was
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
    apply(hub, tx, &call.new.tenant, context, write).await
}
