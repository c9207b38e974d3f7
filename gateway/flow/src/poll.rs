//! Polls: what a vendor does not tell is read in rounds. A round is a set of calls, which lead to further calls (pages,
//! branches of a tree) until none is open; it counts them down in the transactions that end them, so it goes on where
//! it was when a process dies, and ends exactly once.
//!
//! What a complete round did not name is gone. A round with one call that failed concludes nothing, and one that finds
//! too much gone asks a person: a vendor that suddenly shows half of the people is mistaken more often than not.

use crate::commit::call_row;
use crate::effects::{CallRequest, Failure};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::records::{self, Target, Write};
use hub_kit::{Connection, FollowCall, FollowUp, KnownIds, Poll};
use hub_model::EntityType;
use hub_store::{NewCall, NewParked, Round, RoundState, StoreError, Tx};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, TraceContext, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What stands before the id of a round where calls say what they are about.
const SUBJECT: &str = "round/";
/// The kind and the step of a parked round.
pub(crate) const KIND: &str = "round";
/// Ids of one entity that a round goes over at most.
const MOST_IDS: i64 = 1_000_000;
/// Rounds of a poll that are remembered.
const KEPT: i64 = 50;

/// The round that a call belongs to, by what the call is about.
pub(crate) fn round_of(subject: &str) -> Option<&str> {
    subject.strip_prefix(SUBJECT)
}

/// What follow-up calls are about, and what tells them from others.
pub(crate) struct Origin<'o> {
    /// Connection.
    pub(crate) connection: &'o str,
    /// `entity/id`, `raw/id` or `round/id`.
    pub(crate) subject: &'o str,
    /// Calls of one origin with the same operation and arguments are made once.
    pub(crate) key: String,
    /// What orders them; each for itself when there is nothing.
    pub(crate) order_key: Option<&'o str>,
}

/// The rows of calls that follow from something.
pub(crate) fn rows(
    hub: &Hub,
    tenant: &str,
    trace: &TraceContext,
    origin: &Origin<'_>,
    calls: Vec<FollowCall>,
) -> Result<Vec<NewCall>, StoreError> {
    let row = |FollowCall { operation, args, after_secs }| {
        let hash = hex::encode(&Sha256::digest(args.as_bytes())[..16]);
        let key = format!("{}:{operation}:{hash}", origin.key);
        let request = CallRequest {
            connection: origin.connection.to_owned(),
            operation,
            order_key: origin.order_key.map_or_else(|| key.clone(), str::to_owned),
            key,
            subject: origin.subject.to_owned(),
            args,
        };
        let mut row = call_row(hub, tenant, trace, request)?;
        row.created_at += after_secs * 1_000_000;
        Ok(row)
    };
    calls.into_iter().map(row).collect()
}

/// A round that can begin.
pub(crate) struct Beginning {
    round: Round,
    calls: Vec<NewCall>,
    steps: Steps,
}

/// Prepares a round of a poll. `since` is when the last complete one began, µs.
pub(crate) fn prepare(
    hub: &Hub,
    connection: &Connection,
    poll: &Poll,
    since: Option<i64>,
    known: &KnownIds,
    now: i64,
) -> Result<Beginning, Failure> {
    let arena = Arena::new();
    let instant = |micros: i64| Value::DateTime(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH));
    let slots = [connection.settings(&arena), since.map_or(Value::Absent, instant), instant(now)];
    let calls = FollowUp::calls(&poll.begin, connection, &arena, &slots, known).map_err(no_calls)?;
    let context = TraceContext::begin();
    let id = hub.ids.next().to_string();
    let subject = format!("{SUBJECT}{id}");
    let origin = Origin { connection: &connection.id, subject: &subject, key: subject.clone(), order_key: None };
    let calls = rows(hub, &connection.tenant, &context, &origin, calls)?;
    let count = i64::try_from(calls.len()).unwrap_or(i64::MAX);
    let mut steps = Steps::of(&context, &connection.tenant);
    let detail = format!("a round of `{}` begins with {count} calls", poll.name);
    steps.add(&hub.ids, now, ("poll", Went::Ok), &connection.id, &subject, detail);
    let round = Round {
        id,
        tenant: connection.tenant.clone(),
        connection: connection.id.clone(),
        poll: poll.name.clone(),
        // Where there is nothing to ask for, nothing is concluded.
        state: if count == 0 { RoundState::Complete } else { RoundState::Open },
        began_at: now,
        ended_at: (count == 0).then_some(now),
        open_calls: count,
        calls: count,
        failed_calls: 0,
        gone: 0,
        trace: context.to_string(),
    };
    Ok(Beginning { round, calls, steps })
}

/// What a manifest's rule for calls cannot tell needs a person.
pub(crate) fn no_calls(error: hub_kit::NoCalls) -> Failure {
    Failure::Park { code: "FOLLOW_UP_FAILED".to_owned(), reason: error.reason, place: error.place }
}

/// The ids that a poll's rules go over, as the connection knows them.
pub(crate) async fn known_ids(tx: &mut Tx, connection: &Connection, poll: &Poll) -> Result<KnownIds, StoreError> {
    let mut known = KnownIds::new();
    for entity in FollowUp::entities(&poll.begin) {
        let ids = tx.remote_ids(&connection.tenant, &connection.id, entity, MOST_IDS).await?;
        known.insert(entity.to_owned(), ids);
    }
    Ok(known)
}

impl Beginning {
    /// Writes the round and its first calls.
    pub(crate) async fn keep(self, tx: &mut Tx) -> Result<(), StoreError> {
        let Self { round, calls, steps } = self;
        tx.forget_rounds(&round.tenant, &round.connection, &round.poll, KEPT).await?;
        tx.begin_round(round).await?;
        for call in calls {
            tx.insert_call(call).await?;
        }
        tx.add_steps(steps.into_vec()).await
    }
}

/// The end of one call of a round.
pub(crate) struct Ending<'e> {
    /// The round's id.
    pub(crate) round: &'e str,
    /// Calls that follow from its answer, as far as they are new.
    pub(crate) more: i64,
    /// Whether it needs a person.
    pub(crate) failed: bool,
    /// What its answer named, as entity and remote id.
    pub(crate) named: Vec<(String, String)>,
}

/// Counts a round down, and concludes it with its last call.
pub(crate) async fn count_down(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    ending: Ending<'_>,
    steps: &mut Steps,
) -> Result<(), StoreError> {
    tx.note_seen(ending.round, ending.named).await?;
    let Some(round) = tx.count_down(ending.round, ending.more, ending.failed).await? else { return Ok(()) };
    if round.open_calls > 0 {
        return Ok(());
    }
    let now = hub.clock.micros();
    if round.failed_calls > 0 {
        tx.end_round(&round.id, RoundState::Failed, 0, now).await?;
        let detail =
            format!("{} of {} calls need a person: nothing is taken for gone", round.failed_calls, round.calls);
        step(hub, &round, steps, Went::Parked, detail);
        return Ok(());
    }
    let Some(poll) = poll_of(hub, &round) else {
        tx.end_round(&round.id, RoundState::Failed, 0, now).await?;
        step(hub, &round, steps, Went::Ok, "the poll is not configured any more".to_owned());
        return Ok(());
    };
    let (mut gone, mut too_many) = (Vec::new(), Vec::new());
    for name in &poll.complete_for {
        let Some(entity) = hub_model::entity(name) else { continue };
        let (missing, total) = tx.missing(&round, name, over(name), MOST_IDS).await?;
        let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
        if count.saturating_mul(100) > total.saturating_mul(poll.at_most_gone) {
            too_many.push(format!("{count} of {total} {}", entity.collection));
        }
        gone.extend(missing.into_iter().map(|missing| (entity, missing.id)));
    }
    let count = i64::try_from(gone.len()).unwrap_or(i64::MAX);
    if too_many.is_empty() {
        tx.end_round(&round.id, RoundState::Complete, count, now).await?;
        let detail = format!("`{}` is complete after {} calls; {count} records are gone", round.poll, round.calls);
        step(hub, &round, steps, Went::Ok, detail);
        return remove(hub, tx, &round, gone, steps).await;
    }
    tx.supersede_held(&round, now).await?;
    tx.end_round(&round.id, RoundState::Held, count, now).await?;
    let reason = format!(
        "the round of `{}` did not name {}, more than {} %: look at the vendor, then re-drive this to delete them, or \
         discard it to keep them",
        round.poll,
        too_many.join(", "),
        poll.at_most_gone
    );
    step(hub, &round, steps, Went::Parked, reason.clone());
    tx.park(parked(hub, &round, reason, &poll)).await
}

/// The status of records that a vendor is right not to name any more: who has left stays, and the record says so.
fn over(entity: &str) -> &'static str {
    if entity == "employee" { "TERMINATED" } else { "" }
}

fn poll_of(hub: &Hub, round: &Round) -> Option<Poll> {
    let connection = hub.connection(&round.connection).filter(|known| known.tenant == round.tenant)?;
    connection.manifest.polls.iter().find(|poll| poll.name == round.poll).cloned()
}

fn step(hub: &Hub, round: &Round, steps: &mut Steps, went: Went, detail: String) {
    let subject = format!("{SUBJECT}{}", round.id);
    steps.add(&hub.ids, hub.clock.micros(), ("poll", went), &round.connection, &subject, detail);
}

fn parked(hub: &Hub, round: &Round, reason: String, poll: &Poll) -> NewParked {
    let place = hub.connection(&round.connection).map(|known| known.manifest.place(poll.span)).unwrap_or_default();
    NewParked {
        id: hub.ids.next().to_string(),
        tenant: round.tenant.clone(),
        connection: round.connection.clone(),
        step: "poll".to_owned(),
        code: "MASS_DELETION".to_owned(),
        reason,
        place,
        trace: round.trace.parse::<TraceContext>().map(|context| context.id()).unwrap_or_default(),
        kind: KIND.to_owned(),
        reference: round.id.clone(),
        at: hub.clock.micros(),
    }
}

/// Deletes the records that a complete round did not name.
async fn remove(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    round: &Round,
    gone: Vec<(&'static EntityType, String)>,
    steps: &mut Steps,
) -> Result<(), StoreError> {
    let context: TraceContext = round.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let write = |(entity, id)| Write {
        entity,
        target: Target::Remote { key: None, hub_id: Some(id) },
        fields: "{}".to_owned(),
        ext: None,
        deleted: true,
        rules: Vec::new(),
        // The hub's own word: what the vendor said last stays with the record.
        source: None,
    };
    let applied = records::apply(hub, tx, &round.tenant, &context, gone.into_iter().map(write).collect()).await?;
    let mut events = Vec::new();
    for record in applied.unwrap_or_default() {
        let subject = format!("{}/{}", record.entity.name, record.id);
        let detail = format!("{} is gone at the vendor, version {}", record.entity.name, record.version);
        steps.add(&hub.ids, hub.clock.micros(), ("poll", Went::Ok), &round.connection, &subject, detail);
        events.extend(record.events);
    }
    tx.insert_events(events).await
}

/// A person has looked: what a held round did not name is gone. `false` when there is nothing to decide any more.
pub(crate) async fn confirm(hub: &Arc<Hub>, tx: &mut Tx, round: &str, steps: &mut Steps) -> Result<bool, StoreError> {
    let Some(round) = tx.round(round).await?.filter(|round| round.state == RoundState::Held) else { return Ok(false) };
    let Some(poll) = poll_of(hub, &round) else { return Ok(false) };
    let mut gone = Vec::new();
    for entity in poll.complete_for.iter().filter_map(|name| hub_model::entity(name)) {
        let (missing, _) = tx.missing(&round, entity.name, over(entity.name), MOST_IDS).await?;
        gone.extend(missing.into_iter().map(|missing| (entity, missing.id)));
    }
    let count = i64::try_from(gone.len()).unwrap_or(i64::MAX);
    tx.end_round(&round.id, RoundState::Complete, count, hub.clock.micros()).await?;
    remove(hub, tx, &round, gone, steps).await?;
    Ok(true)
}
