//! Step 5: outgoing calls. A call is a row before it is made, and its try is counted before it begins. What became of
//! it and what the answer says about records commit together.
//!
//! An attempt that may have arrived is repeated only where that does no harm: the vendor knows a repetition by its key,
//! or a look-up has found nothing. Else it is parked as `OUTCOME_UNKNOWN`, and a person decides.

use crate::claims::LEASE_MICROS;
use crate::effects::Failure;
use crate::hub::{Hub, IDLE};
use crate::journey::{Steps, Went};
use crate::map_in::{Mapped, map_reply};
use crate::records::{self, SourceOf};
use hub_engine::Direction;
use hub_kit::call::{lookup_args, lookup_found};
use hub_kit::{CallContext, CallError, Connection, Driver, Idempotency, Operation, Reply, Retry};
use hub_store::{Call, CallState, NewParked, NewRaw, Sealed, job};
use hub_telemetry::{context_of, within};
use hub_tree::TraceContext;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::Instrument;

/// Calls that are under way at once.
const CONCURRENCY: i64 = 64;
/// Tries before a call is parked.
const MAX_TRIES: i64 = 12;
/// How long a call that may have been carried out is left alone.
const BEFORE_LOOK_UP: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// How many calls of each connection are under way: one slow vendor must not take everybody's place.
type UnderWay = Arc<Mutex<BTreeMap<String, usize>>>;

pub(crate) async fn run(hub: Arc<Hub>) {
    let under_way = UnderWay::default();
    while !hub.stops() {
        let (busy, full) = occupied(&hub, &under_way);
        let free = CONCURRENCY - busy;
        let (node, now) = (hub.node.clone(), hub.clock.micros());
        let claiming = hub.store.write(job!(|tx| {
            if free <= 0 {
                return Ok(Vec::new());
            }
            tx.claim_calls(&node, now, now + LEASE_MICROS, (free, 1), &full).await
        }));
        let begins = hub.quiet.read().await;
        let calls = claiming.await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "no calls can be claimed");
            Vec::new()
        });
        if calls.is_empty() {
            drop(begins);
            let _ = tokio::time::timeout(IDLE, hub.wake.calls.notified()).await;
            continue;
        }
        for call in calls {
            let slot = Slot::take(&under_way, &call.new.connection);
            let held = hub.held.calls.hold(call.seq);
            let hub = Arc::clone(&hub);
            tokio::spawn(async move {
                make(&hub, &call).await;
                drop((slot, held));
                hub.wake.calls.notify_one();
            });
        }
    }
}

/// One of the calls that a connection may have under way; free again when dropped, however the call ends.
struct Slot(UnderWay, String);

impl Slot {
    fn take(under_way: &UnderWay, connection: &str) -> Self {
        *under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(connection.to_owned()).or_default() += 1;
        Self(Arc::clone(under_way), connection.to_owned())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(count) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&self.1) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How many calls are under way, and the connections that take no more.
fn occupied(hub: &Hub, under_way: &UnderWay) -> (i64, Vec<String>) {
    let map = under_way.lock().unwrap_or_else(PoisonError::into_inner);
    let busy: usize = map.values().sum();
    let limit = |id: &str| hub.connection(id).map_or(1, |connection| connection.manifest.concurrency);
    let full = map.iter().filter(|(id, count)| **count >= limit(id)).map(|(id, _)| id.clone()).collect();
    (i64::try_from(busy).unwrap_or(i64::MAX), full)
}

/// How a try ended.
enum Ended {
    /// It was carried out; the answer, unless only a look-up says so.
    Done(Option<Reply>),
    Again {
        error: CallError,
        unsure: bool,
    },
    Parked {
        code: String,
        reason: String,
    },
}

async fn make(hub: &Arc<Hub>, call: &Call) {
    let context: TraceContext = call.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let span = within(
        &context,
        tracing::info_span!("call", connection.id = %call.new.connection, operation = %call.new.operation, tries = call.tries),
    );
    let context = context_of(&span, &context);
    async {
        let Some(connection) = hub.connection(&call.new.connection) else {
            let reason = format!("there is no connection `{}` any more", call.new.connection);
            settle(hub, call, None, Ended::Parked { code: "CONNECTION_MISSING".to_owned(), reason }, &[], context)
                .await;
            return;
        };
        let context_name = format!("call:{}", call.new.id);
        let (ended, args) = match hub.open(&call.new.tenant, &context_name, &call.new.body.0) {
            Ok(args) => (attempt(hub, &connection, call, &args, context).await, args),
            Err(error) => (Ended::Parked { code: "UNREADABLE_CALL".to_owned(), reason: error.to_string() }, Vec::new()),
        };
        settle(hub, call, Some(&connection), ended, &args, context).await;
    }
    .instrument(span)
    .await;
}

async fn attempt(hub: &Hub, connection: &Connection, call: &Call, args: &[u8], trace: TraceContext) -> Ended {
    let manifest = &connection.manifest;
    let (Some(operation), Some(driver)) = (manifest.operation(&call.new.operation), hub.driver(&manifest.driver))
    else {
        let error = CallError::NoOperation(call.new.operation.clone());
        return Ended::Parked { code: error.code().to_owned(), reason: error.to_string() };
    };
    let cx = CallContext { connection, client: &hub.client, tokens: &hub.tokens, trace, call_id: &call.new.id };
    if call.unsure {
        match carried_out(driver, &cx, operation, args).await {
            Ok(Before::No) => {}
            Ok(Before::Yes) => return Ended::Done(None),
            Ok(Before::Unknown) => {
                let cause = call.error.as_deref().unwrap_or("the hub was stopped in the middle of it");
                return outcome_unknown(cause);
            }
            Err(error) => return judge_look_up(error, call),
        }
    }
    match driver.call(&cx, operation, args).await {
        Ok(reply) => Ended::Done(Some(reply)),
        Err(error) => judge(error, operation, call),
    }
}

/// Whether an earlier try was carried out, as far as that matters.
enum Before {
    No,
    Yes,
    Unknown,
}

async fn carried_out(
    driver: &Arc<dyn Driver>,
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
) -> Result<Before, CallError> {
    match &operation.idempotency {
        // The vendor itself knows a repetition, or there is nothing to repeat.
        Idempotency::Key { .. } | Idempotency::Reads => Ok(Before::No),
        Idempotency::None => Ok(Before::Unknown),
        Idempotency::Lookup { operation: name, .. } => {
            let lookup = cx.connection.manifest.operation(name).ok_or_else(|| CallError::NoOperation(name.clone()))?;
            let wanted = lookup_args(cx, operation, args)?;
            let reply = driver.call(cx, lookup, &wanted).await?;
            Ok(if lookup_found(cx, operation, args, &reply)? { Before::Yes } else { Before::No })
        }
    }
}

/// What a failed try means.
fn judge(error: CallError, operation: &Operation, call: &Call) -> Ended {
    let last = call.tries >= MAX_TRIES;
    match error.retry() {
        Retry::IfIdempotent if matches!(operation.idempotency, Idempotency::None) => {
            outcome_unknown(&error.to_string())
        }
        Retry::IfIdempotent if last => outcome_unknown(&format!("given up after {} tries: {error}", call.tries)),
        Retry::Never => Ended::Parked { code: error.code().to_owned(), reason: error.to_string() },
        Retry::Safe if last => {
            let reason = format!("given up after {} tries: {error}", call.tries);
            Ended::Parked { code: "TRIES_USED_UP".to_owned(), reason }
        }
        retry => Ended::Again { error, unsure: retry == Retry::IfIdempotent },
    }
}

/// What a failed look-up means: the earlier try stays as unsure as it was.
fn judge_look_up(error: CallError, call: &Call) -> Ended {
    if call.tries >= MAX_TRIES || error.retry() == Retry::Never {
        return outcome_unknown(&format!("the look-up fails: {error}"));
    }
    Ended::Again { error, unsure: true }
}

fn outcome_unknown(cause: &str) -> Ended {
    Ended::Parked {
        code: "OUTCOME_UNKNOWN".to_owned(),
        reason: format!(
            "the call may have been carried out, and the vendor cannot tell ({cause}): look there before sending it again"
        ),
    }
}

/// Waits longer from try to try: 0.5 s, 1 s, 2 s … up to ten minutes, with jitter; as the vendor says if it says.
fn wait(error: &CallError, tries: i64) -> Duration {
    let base = Duration::from_millis(500_u64 << tries.clamp(1, 12).saturating_sub(1)).min(LONGEST_WAIT);
    let jitter = Duration::from_millis(hub_tree::random::below(u64::try_from(base.as_millis() / 4).unwrap_or(1)));
    error.retry_after().unwrap_or(base) + jitter
}

/// Commits how a try ended, with what the answer says about records.
async fn settle(
    hub: &Arc<Hub>,
    call: &Call,
    connection: Option<&Arc<Connection>>,
    ended: Ended,
    args: &[u8],
    context: TraceContext,
) {
    let new = &call.new;
    let mut steps = Steps::of(&context, &new.tenant);
    let now = hub.clock.micros();
    let mut step = |went: Went, detail: String| {
        steps.add(&hub.ids, now, ("call", went), &new.connection, &new.subject, detail);
    };
    let mut settled =
        Settled { state: CallState::Done, at: now, unsure: false, error: None, parked: None, reply: None };
    let counted = match ended {
        Ended::Done(reply) => {
            let detail = match &reply {
                Some(reply) => format!("{}: HTTP {}", new.operation, reply.status),
                None => format!("{}: a look-up shows that it was carried out", new.operation),
            };
            step(Went::Ok, detail);
            settled.reply =
                reply.zip(connection).and_then(|(reply, connection)| understand(hub, connection, call, args, reply));
            if let Some(Failure::Park { code, reason, place }) =
                settled.reply.as_ref().and_then(|r| r.mapped.error.clone())
            {
                // The call was carried out; what its answer says needs a person.
                step(Went::Parked, format!("{}: {reason}", new.operation));
                settled.parked = Some(parked(hub, call, &context, code, &reason, place));
            }
            "done"
        }
        Ended::Again { error, unsure } => {
            let mut wait = wait(&error, call.tries);
            if unsure {
                // The vendor may still be at work on it: a look-up that comes too early finds nothing.
                wait = wait.max(BEFORE_LOOK_UP);
            }
            step(Went::Retry, format!("{}: {error}; again in {} ms", new.operation, wait.as_millis()));
            settled.state = CallState::Ready;
            settled.at = now + i64::try_from(wait.as_micros()).unwrap_or(0);
            // Once it may have been carried out, it may have been, whatever became of later tries.
            settled.unsure = unsure || call.unsure;
            settled.error = Some(error.to_string());
            "retried"
        }
        Ended::Parked { code, reason } => {
            tracing::warn!(connection.id = %new.connection, operation = %new.operation, code, trace.id = %context.id(), "a call was parked");
            step(Went::Parked, format!("{}: {code}: {reason}", new.operation));
            settled.state = CallState::Parked;
            settled.error = Some(reason.clone());
            settled.parked = Some(parked(hub, call, &context, code, &reason, String::new()));
            "parked"
        }
    };
    hub.metrics.call(&new.connection, &new.operation, counted);
    keep_end(hub, call, settled, steps, context).await;
    hub.wake.events.notify_one();
}

/// Commits the end of a call; what the vendor has said must not be forgotten because the store is away for a while.
async fn keep_end(hub: &Arc<Hub>, call: &Call, mut settled: Settled, steps: Steps, context: TraceContext) {
    loop {
        let Err(error) = commit(hub, call, settled.clone(), steps.clone(), context).await else { return };
        tracing::warn!(error = %error, connection.id = %call.new.connection, "the end of a call cannot be kept");
        if error.is_temporary() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        } else if settled.reply.take().is_some() {
            // The call was carried out all the same; what its answer says needs a person.
            let reason = format!("what it answered cannot be kept: {error}");
            settled.parked = Some(parked(hub, call, &context, "ANSWER_NOT_KEPT".to_owned(), &reason, String::new()));
        } else {
            // The claim runs out; then the call counts as one that may have been carried out.
            return;
        }
    }
}

/// How a call stands after a try.
#[derive(Clone)]
struct Settled {
    state: CallState,
    at: i64,
    unsure: bool,
    error: Option<String>,
    parked: Option<NewParked>,
    reply: Option<Understood>,
}

/// What an answer says.
#[derive(Clone)]
struct Understood {
    raw: NewRaw,
    mapped: Mapped,
}

fn understand(hub: &Hub, connection: &Arc<Connection>, call: &Call, args: &[u8], reply: Reply) -> Option<Understood> {
    let operation = connection.manifest.operation(&call.new.operation)?;
    let object = operation.reply.as_ref()?;
    let mapping = hub.registry().mapping(connection, object, Direction::In).cloned()?;
    let now = hub.clock.micros();
    let (id, sha256) = (hub.ids.next().to_string(), hex::encode(Sha256::digest(&reply.body)));
    let source = SourceOf {
        connection: connection.id.clone(),
        system: connection.manifest.vendor.clone(),
        url: None,
        vendor_time: None,
        // A vendor that knows a repetition gives its first answer again: it is as old as the first try.
        received_at: if call.tries > 1 { call.new.created_at } else { now },
        raw: id.clone(),
        raw_sha256: sha256.clone(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    };
    let mapped = map_reply(connection, &mapping, &operation.name, (args, &reply.body), &source);
    // The answer is kept like any payload, so that what it said can be explained.
    let envelope = hub_kit::RawEnvelope { received_at: now, headers: Vec::new(), body: reply.body };
    let sealed = hub.store.keyring().seal(&call.new.tenant, &format!("raw:{id}"), &envelope.encode()).ok()?;
    let raw = NewRaw {
        id,
        tenant: call.new.tenant.clone(),
        connection: connection.id.clone(),
        dedupe_id: format!("call:{}", call.new.id),
        parent: None,
        received_at: now,
        trace: call.new.trace.clone(),
        sha256,
        body: Sealed(sealed.0),
    };
    Some(Understood { raw, mapped })
}

fn parked(hub: &Hub, call: &Call, context: &TraceContext, code: String, reason: &str, place: String) -> NewParked {
    NewParked {
        id: hub.ids.next().to_string(),
        tenant: call.new.tenant.clone(),
        connection: call.new.connection.clone(),
        step: "call".to_owned(),
        code,
        reason: format!("{}: {reason}", call.new.operation),
        place,
        trace: context.id(),
        kind: "call".to_owned(),
        reference: call.new.id.clone(),
        at: hub.clock.micros(),
    }
}

async fn commit(
    hub: &Arc<Hub>,
    call: &Call,
    settled: Settled,
    steps: Steps,
    context: TraceContext,
) -> Result<(), hub_store::StoreError> {
    let (inner, seq, tenant, operation) =
        (Arc::clone(hub), call.seq, call.new.tenant.clone(), call.new.operation.clone());
    let (call_id, connection) = (call.new.id.clone(), call.new.connection.clone());
    hub.store
        .write(job!(|tx| {
            let hub = inner;
            let Settled { state, at, unsure, error, parked, reply } = settled;
            if !tx.settle_call(seq, &hub.node, state, at, unsure, error).await? {
                // Another worker has the call now; what it finds counts.
                tracing::warn!(call.id = %call_id, connection.id = %connection, "the claim of a call was lost");
                return Ok(());
            }
            let mut steps = steps;
            if let Some(Understood { raw, mapped: Mapped { mapping, writes, warnings, .. } }) = reply {
                let raw_id = raw.id.clone();
                let version = mapping.as_ref().map(|mapping| mapping.version.clone());
                tx.insert_raws(vec![raw]).await?;
                if let Some(mapping) = mapping {
                    tx.keep_mapping(mapping, at).await?;
                }
                tx.finish_raw(&raw_id, "done", Some(operation), version).await?;
                if let Some(detail) = Mapped::left_out(warnings) {
                    steps.add(&hub.ids, at, ("finding", Went::Ok), &connection, &format!("raw/{raw_id}"), detail);
                }
                match records::apply(&hub, tx, &tenant, &context, writes).await? {
                    Ok(applied) => {
                        let mut events = Vec::new();
                        for record in applied {
                            let subject = format!("{}/{}", record.entity.name, record.id);
                            let detail =
                                format!("{} {}, version {}", record.entity.name, record.became.word(), record.version);
                            steps.add(&hub.ids, at, ("map", Went::Ok), &connection, &subject, detail);
                            events.extend(record.events);
                        }
                        tx.insert_events(events).await?;
                    }
                    Err(unknown) => {
                        let detail = format!("the answer names an id that is no {} of ours", unknown.entity);
                        steps.add(&hub.ids, at, ("map", Went::Parked), &connection, "", detail);
                    }
                }
            }
            if let Some(parked) = parked {
                tx.park(parked).await?;
            }
            tx.add_steps(steps.into_vec()).await
        }))
        .await
}
