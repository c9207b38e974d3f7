//! The end of a try: what it means, and what commits with it.

use super::circuit::{self, Change};
use super::destination::{Attempt, Destination, Repeat, Tried};
use super::retry;
use crate::effects::Failure;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::map_in::Mapped;
use crate::poll::{self, Ending};
use crate::records::{self, Became, Target, Write};
use crate::requests::{self, Told};
use hub_kit::pace::RetryPlan;
use hub_kit::{CallError, Reply, Retry};
use hub_store::{Call, CallState, NewCall, NewParked, NewRaw, StoreError, Tx, job};
use hub_tree::TraceContext;
use std::sync::Arc;
use std::time::Duration;

/// How long a call that may have been carried out is left alone.
const BEFORE_LOOK_UP: Duration = Duration::from_secs(2);

/// How a try ended.
pub(super) enum Ended {
    /// It was carried out; the answer, unless only a look-up says so.
    Done(Option<Reply>),
    /// There is nothing to carry it out on, says the vendor.
    Absent(CallError),
    /// It will be tried again.
    Again { error: CallError, unsure: bool },
    /// It needs a person.
    Parked { code: String, reason: String, told: Option<Told> },
}

impl Ended {
    pub(super) fn parked(code: &str, reason: impl Into<String>) -> Self {
        Self::Parked { code: code.to_owned(), reason: reason.into(), told: None }
    }

    fn because(code: &str, reason: String, error: &CallError) -> Self {
        Self::Parked { code: code.to_owned(), reason, told: Some(Told::of(error)) }
    }

    fn outcome_unknown(cause: &str) -> Self {
        Self::parked(
            "OUTCOME_UNKNOWN",
            format!(
                "the call may have been carried out, and the receiver cannot tell ({cause}): look there before \
                 sending it again"
            ),
        )
    }

    /// What an attempt comes to. `last` says that there will be no further try.
    pub(super) fn of(tried: Tried, tries: i64, last: bool) -> Self {
        let (error, repeat) = match tried {
            Tried::Done(reply) => return Self::Done(reply),
            Tried::Unknown(cause) => return Self::outcome_unknown(&cause),
            Tried::Impossible(code, reason) => return Self::parked(code, reason),
            Tried::Failed(error @ CallError::Absent { .. }, Repeat::Never | Repeat::Checked) => {
                return Self::Absent(error);
            }
            Tried::Failed(error, repeat) => (error, repeat),
        };
        let retry = error.retry();
        let given_up = || format!("given up after {tries} tries: {error}");
        match (retry, repeat) {
            (Retry::Never, Repeat::LookUp) => Self::outcome_unknown(&format!("the look-up fails: {error}")),
            (_, Repeat::LookUp) if last => Self::outcome_unknown(&format!("the look-up fails: {error}")),
            (_, Repeat::LookUp) => Self::Again { error, unsure: true },
            (Retry::Never, Repeat::Never | Repeat::Checked) => Self::because(error.code(), error.to_string(), &error),
            (Retry::IfIdempotent, Repeat::Never) => Self::outcome_unknown(&error.to_string()),
            (Retry::IfIdempotent, Repeat::Checked) if last => Self::outcome_unknown(&given_up()),
            _ if last => Self::because("TRIES_USED_UP", given_up(), &error),
            _ => Self::Again { error, unsure: retry == Retry::IfIdempotent },
        }
    }
}

/// Commits how a try ended, with what the answer says about records.
pub(super) async fn settle(
    attempt: &Attempt<'_>,
    destination: Option<Arc<dyn Destination>>,
    ended: Ended,
    changes: Vec<Change>,
) {
    let (hub, call, context) = (attempt.hub, attempt.call, attempt.trace);
    let new = &call.new;
    let mut steps = Steps::of(&context, &new.tenant);
    let now = hub.store_now();
    let mut step = |went: Went, detail: String| {
        steps.add(&hub.ids, now, ("call", went), &new.connection, &new.subject, detail);
    };
    let mut settled = Settled {
        state: CallState::Done,
        at: now,
        unsure: false,
        error: None,
        parked: None,
        reply: Understood::default(),
        trouble: None,
        told: None,
        destination: None,
        changes: Vec::new(),
    };
    let counted = match ended {
        Ended::Done(reply) => {
            let detail = match &reply {
                Some(reply) if !reply.looked_up => format!("{}: HTTP {}", new.operation, reply.status),
                _ => format!("{}: a look-up shows that it was carried out", new.operation),
            };
            step(Went::Ok, detail);
            let understood = reply.zip(destination.as_ref()).map(|(reply, known)| known.understand(attempt, reply));
            settled.reply = understood.unwrap_or_default();
            if let Some(Failure::Park { code, reason, place }) = settled.reply.failure.clone() {
                // The call was carried out; what its answer says needs a person.
                step(Went::Parked, format!("{}: {reason}", new.operation));
                settled.trouble = Some((code.clone(), reason.clone()));
                settled.parked = Some(parked(hub, call, &context, code, &reason, place));
            }
            "done"
        }
        Ended::Absent(error) => {
            step(Went::Ok, format!("{}: {error}", new.operation));
            settled.trouble = Some((error.code().to_owned(), error.to_string()));
            settled.told = Some(Told::of(&error));
            settled.reply = destination.as_ref().map(|known| known.nothing_there(attempt)).unwrap_or_default();
            if let Some(Failure::Park { code, reason, place }) = settled.reply.failure.clone() {
                step(Went::Parked, format!("{}: {reason}", new.operation));
                settled.parked = Some(parked(hub, call, &context, code, &reason, place));
            }
            "absent"
        }
        Ended::Again { error, unsure } => {
            let plan = destination.as_ref().map_or_else(RetryPlan::default, |known| known.pace().retry.clone());
            let mut wait = retry::wait(&plan, call.tries, hub_tree::random::below);
            if unsure {
                // The vendor may still be at work on it: a look-up that comes too early finds nothing.
                wait = wait.max(BEFORE_LOOK_UP);
            }
            let again = match retry::asked(&plan, &error, call.tries) {
                Some((asked, false)) => format!("the connection waits {} ms", asked.as_millis()),
                Some((asked, true)) => format!("it asked for more, the connection waits {} ms", asked.as_millis()),
                None => format!("again in {} ms", wait.as_millis()),
            };
            step(Went::Retry, format!("{}: {error}; {again}", new.operation));
            settled.state = CallState::Ready;
            settled.at = hub.store_now() + i64::try_from(wait.as_micros()).unwrap_or(0);
            // Once it may have been carried out, it may have been, whatever became of later tries.
            settled.unsure = unsure || call.unsure;
            settled.error = Some(error.to_string());
            "retried"
        }
        Ended::Parked { code, reason, told } => {
            tracing::warn!(connection.id = %new.connection, operation = %new.operation, code, trace.id = %context.id(), "a call was parked");
            step(Went::Parked, format!("{}: {code}: {reason}", new.operation));
            settled.state = CallState::Parked;
            // Kept for the day on which somebody tries it again.
            settled.unsure = call.unsure || code == "OUTCOME_UNKNOWN";
            settled.error = Some(reason.clone());
            settled.trouble = Some((code.clone(), reason.clone()));
            settled.told = told;
            settled.parked = Some(parked(hub, call, &context, code, &reason, String::new()));
            "parked"
        }
    };
    settled.destination = destination;
    settled.changes = changes;
    hub.metrics.call(&new.connection, &new.operation, counted);
    Box::pin(keep_end(hub, call, settled, steps, context)).await;
    hub.wake.events.notify_one();
    hub.wake.requests.notify_waiters();
}

/// Commits the end of a call; what the vendor has said must not be forgotten because the store is away for a while.
async fn keep_end(hub: &Arc<Hub>, call: &Call, mut settled: Settled, steps: Steps, context: TraceContext) {
    loop {
        let Err(error) = commit(hub, call, settled.clone(), steps.clone(), context).await else { return };
        tracing::warn!(error = %error, connection.id = %call.new.connection, "the end of a call cannot be kept");
        if error.is_temporary() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        } else if std::mem::take(&mut settled.reply).said.is_some() {
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
    reply: Understood,
    /// What a caller who waits should know of a failure: a code, and why.
    trouble: Option<(String, String)>,
    told: Option<Told>,
    destination: Option<Arc<dyn Destination>>,
    changes: Vec<Change>,
}

/// What an answer comes to.
#[derive(Clone, Default)]
pub(crate) struct Understood {
    pub(super) said: Option<Said>,
    /// The calls that it leads to.
    pub(super) follow: Vec<NewCall>,
    /// What of it needs a person.
    pub(super) failure: Option<Failure>,
}

/// What an answer says about records.
#[derive(Clone)]
pub(crate) struct Said {
    pub(super) raw: NewRaw,
    pub(super) mapped: Mapped,
}

impl Said {
    /// What it says of the record whose hub id it hands back.
    fn naming(&self, id: &str) -> Option<&Write> {
        let is = |target: &Target| matches!(target, Target::Remote { hub_id: Some(named), .. } if named == id);
        self.mapped.writes.iter().find(|write| is(&write.target))
    }
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
        at: hub.store_now(),
    }
}

async fn commit(
    hub: &Arc<Hub>,
    call: &Call,
    settled: Settled,
    steps: Steps,
    context: TraceContext,
) -> Result<(), hub_store::StoreError> {
    let inner = Arc::clone(hub);
    let call = call.clone();
    let began = hub.clock.micros();
    let kept = hub
        .store
        .write(job!(|tx| {
            let hub = inner;
            let Settled { state, at, unsure, error, parked, reply, trouble, told, destination, changes } = settled;
            let NewCall { id, connection, .. } = &call.new;
            if !tx.settle_call(call.seq, &hub.node, state, at, unsure, error).await? {
                // Another worker has the call now; what it finds counts.
                tracing::warn!(call.id = %id, connection.id = %connection, "the claim of a call was lost");
                return Ok(None);
            }
            let (mut steps, mut kept) = (steps, None);
            let Understood { said, follow, failure } = reply;
            let named = said.as_ref().map(|said| said.mapped.named()).unwrap_or_default();
            let request = if state == CallState::Ready { None } else { tx.request_of_call(id).await? };
            if let Some(request) = request.as_ref().filter(|_| state == CallState::Done && told.is_none()) {
                let named = said.as_ref().and_then(|said| said.naming(&request.record));
                requests::said_yes(&hub, tx, request, &context, (named, follow.is_empty())).await?;
            }
            let following = follow.iter().map(|call| call.id.clone()).collect();
            if let Some(said) = said {
                kept = keep_said(&hub, tx, &call, &context, said, began, &mut steps).await?;
            }
            let mut more = 0;
            for call in follow {
                more += i64::from(tx.insert_call(call).await?);
            }
            let ended = state != CallState::Ready;
            if let Some(round) = poll::round_of(&call.new.subject).filter(|_| ended) {
                let failed = state == CallState::Parked || failure.is_some();
                poll::count_down(&hub, tx, Ending { round, more, failed, named }, &mut steps).await?;
            }
            let code = parked.as_ref().filter(|_| state == CallState::Parked).map(|parked| parked.code.as_str());
            if let Some(code) = code {
                requests::parked(&hub, tx, &call, code, &context).await?;
            }
            if let Some(request) = request {
                let ended = requests::Ended { call: &call, state, trouble, told, follow: following };
                requests::ended(&hub, tx, request, ended).await?;
            }
            if let Some(destination) = destination {
                destination.conclude(tx, &call, state, code).await?;
            }
            if let Some(parked) = parked {
                tx.park(parked).await?;
            }
            // Last, because calls of one connection may meet at its row.
            circuit::keep(&hub, tx, &call, changes, &mut steps).await?;
            tx.add_steps(steps.into_vec()).await?;
            Ok(kept)
        }))
        .await?;
    if let Some(version) = kept {
        hub.kept_mappings.note(version, began);
    }
    Ok(())
}

/// Writes what an answer says about records; the version of the mapping that was kept for the first time.
async fn keep_said(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    call: &Call,
    context: &TraceContext,
    said: Said,
    began: i64,
    steps: &mut Steps,
) -> Result<Option<String>, StoreError> {
    let NewCall { tenant, connection, operation, subject, .. } = &call.new;
    let Said { raw, mapped: Mapped { mapping, writes, warnings, .. } } = said;
    let at = hub.store_now();
    let applied = match records::apply(hub, tx, tenant, context, writes).await? {
        Ok(applied) => applied,
        Err(why) => {
            steps.add(&hub.ids, at, ("map", Went::Parked), connection, "", why.reason());
            Vec::new()
        }
    };
    // What a poll reads is mostly what is known.
    let news = |became| poll::round_of(subject).is_none() || became != Became::Unchanged;
    if !applied.iter().any(|record| news(record.became)) && poll::round_of(subject).is_some() {
        return Ok(None);
    }
    let raw_id = raw.id.clone();
    let version = mapping.as_ref().map(|mapping| mapping.version.clone());
    tx.insert_raws(vec![raw]).await?;
    let mut kept = None;
    if let Some(mapping) = mapping.filter(|new| !hub.kept_mappings.has(&new.version, began)) {
        kept = Some(mapping.version.clone());
        tx.keep_mapping(mapping, at).await?;
    }
    tx.finish_raw(&raw_id, "done", Some(operation.clone()), version).await?;
    if let Some(detail) = Mapped::left_out(warnings) {
        steps.add(&hub.ids, at, ("finding", Went::Ok), connection, &format!("raw/{raw_id}"), detail);
    }
    let mut events = Vec::new();
    for record in applied.into_iter().filter(|record| news(record.became)) {
        let subject = format!("{}/{}", record.entity.name, record.id);
        let detail = format!("{} {}, version {}", record.entity.name, record.became.word(), record.version);
        steps.add(&hub.ids, at, ("map", Went::Ok), connection, &subject, detail);
        events.extend(record.events);
    }
    tx.insert_events(events).await?;
    Ok(kept)
}
