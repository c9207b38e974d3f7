//! What people do about parked things: look at one with its values masked, see what trying again would touch, try
//! again, discard. API, console and command line all come here.

use crate::access::Principal;
use crate::audit::{self, Entry};
use crate::registry::Registry;
use crate::{replay, requests, shape, subscriptions};
use hub_kit::{Idempotency, RawEnvelope};
use hub_store::{
    AuditWho, Errand, NewRedrive, Parked, Redrive, Resolved, Step, Store, StoreError, Touched, Verdict, Which, job,
};
use hub_tree::{Clock, Ids};

/// The code of calls that may have been carried out.
pub const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
/// How many are tried again in a second, unless told.
pub const RATE: i64 = 100;
/// The highest rate that may be asked for.
pub const HIGHEST_RATE: i64 = 10_000;
/// How many ids may be named at once.
pub const MAX_IDS: usize = 1000;
/// How many are discarded in one transaction.
const DISCARDED_AT_ONCE: i64 = 500;

/// Who asks for something, and what they say about it.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Tenant.
    pub tenant: String,
    /// What people call them.
    pub name: String,
    /// Their reason; may be empty.
    pub note: String,
    /// What the audit log knows them by.
    pub who: AuditWho,
}

impl Asker {
    /// Somebody who has proved who they are.
    #[must_use]
    pub fn of(who: &Principal, note: String) -> Self {
        Self { tenant: who.tenant.clone(), name: who.name.clone(), note, who: audit::known(who) }
    }
}

/// Something parked, with what it is about.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What lies parked.
    pub parked: Parked,
    /// What it is: `POST`ed payload, event or call, in one line.
    pub what: String,
    /// Its content as JSON, every value replaced by what kind of value it is; `None` when it cannot be opened.
    pub content: Option<String>,
}

/// Shows something parked. Names of fields stay, so that people see what is wrong; values do not.
///
/// # Errors
/// The store fails.
pub async fn show(store: &Store, tenant: &str, id: &str) -> Result<Option<Shown>, StoreError> {
    let (owner, wanted) = (tenant.to_owned(), id.to_owned());
    let Some(parked) = store.read(job!(|tx| { tx.parked_one(&owner, &wanted).await })).await? else { return Ok(None) };
    let (owner, new) = (tenant.to_owned(), parked.new.clone());
    let (what, content) = match new.kind.as_str() {
        "call" => {
            let call = store.read(job!(|tx| { tx.call_by_id(&owner, &new.reference).await })).await?;
            call.map_or_else(gone, |call| {
                let opened = store.keyring().open(tenant, &format!("call:{}", call.new.id), &call.new.body.0);
                let what = format!(
                    "call of {} at {} about {}, key {}, {} tries",
                    call.new.operation,
                    call.new.connection,
                    call.new.subject,
                    shape::text(&call.new.key),
                    call.tries
                );
                (what, opened.ok().map(|args| shape::of(&args)))
            })
        }
        "raw" => {
            let raw_id = replay::original(&new.reference).to_owned();
            let raw = store.read(job!(|tx| { tx.raw(&owner, &raw_id).await })).await?;
            raw.map_or_else(gone, |raw| {
                let opened = store.keyring().open(tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0).ok();
                let envelope = opened.and_then(|opened| RawEnvelope::decode(&opened));
                let what = match &envelope {
                    Some(envelope) => {
                        let headers: Vec<&str> = envelope.headers.iter().map(|(name, _)| name.as_str()).collect();
                        let kept = if headers.is_empty() { "none".to_owned() } else { headers.join(", ") };
                        format!("payload of {} bytes; headers kept: {kept}", envelope.body.len())
                    }
                    None => "payload that cannot be opened".to_owned(),
                };
                (what, envelope.map(|envelope| shape::of(&envelope.body)))
            })
        }
        "event" => {
            let (step, message) = (new.step.clone(), new.reference.clone());
            let body = store.read(job!(|tx| { tx.work_body(&owner, &step, &message).await })).await?;
            // An event names its record and what changed; it holds no values of it.
            body.map_or_else(gone, |body| (format!("event for {}", parked.new.step), Some(body)))
        }
        other => (format!("{other} {}", parked.new.reference), None),
    };
    Ok(Some(Shown { parked, what, content }))
}

fn gone() -> (String, Option<String>) {
    ("what was parked is not kept any more".to_owned(), None)
}

/// Whether the hub or the vendor can find out if a call was carried out before; given connection and operation.
pub type CanTell<'c> = dyn Fn(&str, &str) -> bool + Sync + 'c;

/// Whether an operation of a connection that may have been carried out can be tried again without harm.
#[must_use]
pub fn can_tell(registry: &Registry, connection: &str, operation: &str) -> bool {
    // A subscriber knows a delivery by its id.
    if connection.starts_with(subscriptions::CONNECTION) {
        return true;
    }
    let operation = registry.connections.get(connection).and_then(|found| found.manifest.operation(operation));
    operation.is_some_and(|operation| !matches!(operation.idempotency, Idempotency::None))
}

/// What trying again would do. Nothing was changed to find out.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What the things have to do with.
    pub touched: Touched,
    /// How many there are.
    pub total: i64,
    /// How many would be left as they are: nobody can know whether they were carried out.
    pub refused: i64,
    /// When the oldest was parked, µs.
    pub oldest: Option<i64>,
}

/// Says what trying parked things again would do.
///
/// # Errors
/// The store fails.
pub async fn preview(
    store: &Store,
    tenant: &str,
    which: &Which,
    verdict: Verdict,
    tells: &CanTell<'_>,
) -> Result<Preview, StoreError> {
    let (owner, wanted) = (tenant.to_owned(), which.clone());
    let touched = store.read(job!(|tx| { tx.parked_touches(&owner, &wanted).await })).await?;
    let total = touched.causes.iter().map(|(.., count, _)| count).sum();
    let unknown: i64 = touched.causes.iter().filter(|cause| cause.2 == OUTCOME_UNKNOWN).map(|cause| cause.3).sum();
    let cannot_tell = touched.calls.iter().filter(|calls| calls.code == OUTCOME_UNKNOWN);
    let refused = match verdict {
        Verdict::Unknown => {
            cannot_tell.filter(|calls| !tells(&calls.connection, &calls.operation)).map(|calls| calls.count).sum()
        }
        // A verdict is about calls whose outcome is unknown, and about nothing else.
        Verdict::CarriedOut | Verdict::NotCarriedOut => total - unknown,
    };
    let oldest = touched.causes.iter().map(|(.., oldest)| *oldest).min();
    Ok(Preview { touched, total, refused, oldest })
}

/// Begins to try parked things again, at most `rate` a second. Any worker carries it on.
///
/// # Errors
/// The store fails.
pub async fn redrive(
    store: &Store,
    clock: &Clock,
    asker: Asker,
    errand: Errand,
    rate: i64,
) -> Result<Redrive, StoreError> {
    let id = Ids::new(clock.clone()).next().to_string();
    let action = if matches!(errand, Errand::Parked(..)) { "parked.redriven" } else { "past.replayed" };
    let told = Entry::of(&asker.tenant, asker.who, action).about("redrive", &id).sealed(store, clock).await?;
    let new = NewRedrive {
        id,
        tenant: asker.tenant,
        errand,
        asked_at: clock.micros(),
        asked_by: asker.name,
        note: asker.note,
        rate: rate.clamp(1, HIGHEST_RATE),
    };
    store
        .write(job!(|tx| {
            tx.append_audit(told).await?;
            tx.insert_redrive(new).await
        }))
        .await
}

/// Stops a re-drive or a replay, or lets one go on that was stopped or failed. One that stands so already is given as it
/// is; `None` when there is none of this id. The note of `asker` is not kept.
///
/// # Errors
/// The store fails.
pub async fn turn(
    store: &Store,
    clock: &Clock,
    asker: &Asker,
    id: &str,
    run: bool,
) -> Result<Option<Redrive>, StoreError> {
    let action = if run { "redrive.resumed" } else { "redrive.stopped" };
    let told = Entry::of(&asker.tenant, asker.who.clone(), action).about("redrive", id).sealed(store, clock).await?;
    let (tenant, name, id, now) = (asker.tenant.clone(), asker.name.clone(), id.to_owned(), clock.micros());
    store
        .write(job!(|tx| {
            match tx.turn_redrive(&tenant, &id, (run, &name), now).await? {
                Some(turned) => {
                    tx.append_audit(told).await?;
                    Ok(Some(turned))
                }
                None => tx.redrive(&tenant, &id).await,
            }
        }))
        .await
}

/// Discards what lies parked now: it stays in the store, with who discarded it and why, and nobody tries it again.
///
/// # Errors
/// The store fails; what was discarded until then stays so.
pub async fn discard(store: &Store, clock: &Clock, asker: &Asker, which: &Which) -> Result<u64, StoreError> {
    let ids = Ids::new(clock.clone());
    let before = clock.micros();
    let mut count = 0;
    loop {
        let (asker, which, ids, now) = (asker.clone(), which.clone(), ids.clone(), clock.micros());
        let (inner, time) = (store.clone(), clock.clone());
        let discarded = store.write(job!(|tx| {
            let rows = tx.lock_parked(&asker.tenant, &which, before, DISCARDED_AT_ONCE).await?;
            if !rows.is_empty() {
                let told = Entry::of(&asker.tenant, asker.who.clone(), "parked.discarded");
                let told = rows.iter().fold(told, |told, row| told.about("parked", &row.new.id));
                tx.append_audit(told.sealed_now(&inner, &time)?).await?;
            }
            let how = Resolved {
                at: now,
                how: "discarded".to_owned(),
                by: asker.name.clone(),
                redrive: None,
                note: asker.note.clone(),
            };
            let detail = format!("discarded by {}", asker.name);
            let steps = rows.iter().map(|row| step(&ids, row, now, "discard", detail.clone())).collect();
            tx.add_steps(steps).await?;
            for call in rows.iter().filter(|row| row.new.kind == "call") {
                requests::discarded(&inner, tx, &call.new.reference, now).await?;
            }
            tx.resolve_parked(rows.into_iter().map(|row| row.new.id).collect(), &how).await
        }));
        match discarded.await? {
            0 => return Ok(count),
            some => count += some,
        }
    }
}

/// A step of the journey that something parked belongs to.
pub(crate) fn step(ids: &Ids, parked: &Parked, at: i64, name: &str, detail: String) -> Step {
    let new = &parked.new;
    Step {
        trace: new.trace.clone(),
        id: ids.next().to_string(),
        tenant: new.tenant.clone(),
        at,
        step: name.to_owned(),
        system: if new.connection.is_empty() { "hub".to_owned() } else { new.connection.clone() },
        result: "ok".to_owned(),
        subject: if new.kind == "raw" { format!("raw/{}", replay::original(&new.reference)) } else { String::new() },
        detail,
    }
}
