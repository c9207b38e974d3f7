//! What is not needed any more goes: one process at a time, in small portions, with rests between them.

use crate::audit;
use crate::hub::Hub;
use hub_store::{StoreError, job};
use std::sync::Arc;
use std::time::Duration;

/// How long each class of rows is kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Journeys, from their last step; and tries of deliveries to subscribers.
    pub journeys_days: i64,
    /// Messages that are done: the marks that a repetition is known by. At least [`Retention::LEAST_MARKS`].
    pub inbox_days: i64,
    /// Calls that are done: the marks that a call is not made again by.
    pub calls_days: i64,
    /// Published events: the change feed.
    pub events_days: i64,
    /// Parked things, from when they were resolved; open ones stay.
    pub parked_days: i64,
    /// Payloads that are the source of no version of a record. At least [`Retention::LEAST_MARKS`].
    pub raws_days: i64,
    /// Entries of the audit log.
    pub audit_days: i64,
}

impl Retention {
    /// Vendors repeat themselves for days, and are known by what is kept of the first time.
    pub const LEAST_MARKS: i64 = 7;
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            journeys_days: 90,
            inbox_days: 30,
            calls_days: 400,
            events_days: 90,
            parked_days: 180,
            raws_days: 90,
            audit_days: 1_095,
        }
    }
}

const DAY_MICROS: i64 = 86_400_000_000;
/// Large bodies whose messages never came, in days: a message may lie in an edge's spool or a queue for long.
const BLOBS_DAYS: i64 = 30;
/// Answers under an `Idempotency-Key`, in days.
const ANSWERS_DAYS: i64 = 1;
/// Rows that one statement removes or looks at.
const PORTION: i64 = 500;
const BETWEEN_PORTIONS: Duration = Duration::from_millis(100);
const BETWEEN_ROUNDS: Duration = Duration::from_secs(600);
/// A round takes less between two renewals of its lease.
const LEASE_MICROS: i64 = 60_000_000;

pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        if let Err(error) = round(&hub).await {
            tracing::warn!(error = %error, "what is not needed any more could not be removed");
        }
        tokio::time::sleep(BETWEEN_ROUNDS).await;
    }
}

/// The classes whose rows say by themselves that they may go.
#[derive(Clone, Copy, Debug)]
enum Class {
    Work,
    Calls,
    Events,
    Journeys,
    Parked,
    Doubts,
    Blobs,
    Requests,
    Answers,
    Batches,
    Attempts,
}

async fn round(hub: &Arc<Hub>) -> Result<(), StoreError> {
    let keeps = hub.retention;
    let classes = [
        (Class::Work, keeps.inbox_days.max(Retention::LEAST_MARKS)),
        (Class::Calls, keeps.calls_days),
        (Class::Events, keeps.events_days),
        (Class::Journeys, keeps.journeys_days),
        (Class::Parked, keeps.parked_days),
        (Class::Doubts, Retention::LEAST_MARKS),
        (Class::Blobs, BLOBS_DAYS),
        (Class::Requests, keeps.calls_days),
        (Class::Answers, ANSWERS_DAYS),
        (Class::Batches, keeps.journeys_days),
        (Class::Attempts, keeps.journeys_days),
    ];
    for (class, days) in classes {
        let mut count = 0;
        loop {
            let before = hub.clock.micros() - days * DAY_MICROS;
            let Some(removed) = portion(hub, class, before).await? else { return Ok(()) };
            count += removed;
            if removed < PORTION.unsigned_abs() {
                break;
            }
            tokio::time::sleep(BETWEEN_PORTIONS).await;
        }
        if count > 0 {
            tracing::info!(count, ?class, days, "rows that are not needed any more were removed");
        }
    }
    let mut place = Some((0, String::new()));
    while let Some(from) = place {
        let before = hub.clock.micros() - keeps.raws_days.max(Retention::LEAST_MARKS) * DAY_MICROS;
        if !leads(hub).await? {
            return Ok(());
        }
        place = hub.store.write(job!(|tx| { tx.forget_raws(before, from, PORTION).await })).await?;
        tokio::time::sleep(BETWEEN_PORTIONS).await;
    }
    if leads(hub).await? {
        audit::forget(hub, hub.clock.micros() - keeps.audit_days * DAY_MICROS).await?;
    }
    Ok(())
}

/// Whether this process is the one that removes now.
async fn leads(hub: &Arc<Hub>) -> Result<bool, StoreError> {
    let (node, now) = (hub.node.clone(), hub.store_now());
    hub.store.write(job!(|tx| { tx.lease("retention", &node, now, now + LEASE_MICROS).await })).await
}

/// Removes a portion; `None` when another process does that now.
async fn portion(hub: &Arc<Hub>, class: Class, before: i64) -> Result<Option<u64>, StoreError> {
    if !leads(hub).await? {
        return Ok(None);
    }
    let removing = hub.store.write(job!(|tx| {
        match class {
            Class::Work => tx.forget_work(before, PORTION).await,
            Class::Calls => tx.forget_calls(before, PORTION).await,
            Class::Events => tx.forget_events(before, PORTION).await,
            Class::Journeys => tx.forget_journeys(before, PORTION).await,
            Class::Parked => tx.forget_parked(before, PORTION).await,
            Class::Doubts => tx.forget_doubts(before, PORTION).await,
            Class::Blobs => tx.forget_blobs(before, PORTION).await,
            Class::Requests => tx.forget_requests(before, PORTION).await,
            Class::Answers => tx.forget_answers(before, PORTION).await,
            Class::Batches => tx.forget_batches(before, PORTION).await,
            Class::Attempts => tx.forget_attempts(before, PORTION).await,
        }
    }));
    removing.await.map(Some)
}
