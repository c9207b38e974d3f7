//! Batches of writes: a portion at a time, by whichever worker is first, batches in turns.
//!
//! Items of the hub's own become records many in one transaction, together with the place that was reached. Items for a
//! system become requests, each with its calls, and end when those do; only so many are under way.

mod item;
mod portion;

pub use item::Item;

use crate::hub::{Hub, IDLE};
use hub_store::{Batch, BatchState, ItemEnd, NewBatchItem, StoreError, job};
use std::sync::Arc;
use std::time::Duration;

/// The connection under which the callers' own keys of records are known.
pub const KEYS: &str = "hub";
/// Items of the hub's own in one transaction: others wait for the writer meanwhile.
const PORTION: i64 = 200;
/// Items of one batch that are at their system at the same time.
const UNDER_WAY: i64 = 100;
/// How long a batch waits for its system, µs.
const PAUSE: i64 = 200_000;
/// How long a batch waits after something failed that may pass, µs.
const NEXT_TRY: i64 = 1_000_000;

/// The context for sealing an item.
#[must_use]
pub fn sealed_as(batch: &str, number: i64) -> String {
    format!("batch:{batch}:{number}")
}

/// An item as it is kept.
///
/// # Errors
/// The tenant has no key.
pub fn sealed(hub: &Hub, tenant: &str, batch: &str, number: i64, text: &[u8]) -> Result<NewBatchItem, StoreError> {
    Ok(NewBatchItem { number, body: hub.store.keyring().seal(tenant, &sealed_as(batch, number), text)? })
}

/// Wakes the loop: a batch is there to begin.
pub fn wake(hub: &Hub) {
    hub.wake.bulk.notify_one();
}

pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        match Box::pin(next(&hub)).await {
            Ok(true) => {}
            Ok(false) => {
                let _ = tokio::time::timeout(IDLE, hub.wake.bulk.notified()).await;
            }
            Err(error) => {
                tracing::warn!(error = %error, "batches do not go on");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// Does the next portion; `false` when there is none now.
async fn next(hub: &Arc<Hub>) -> Result<bool, StoreError> {
    let Some((batch, due)) = hub.store.read(job!(|tx| { tx.next_batch().await })).await? else { return Ok(false) };
    if due > hub.store_now() {
        return Ok(false);
    }
    let (id, place) = (batch.new.id.clone(), batch.place);
    let went = if batch.new.connection.is_empty() {
        portion::own(hub, batch).await
    } else {
        Box::pin(portion::to_system(hub, batch)).await
    };
    match went {
        Ok(()) => Ok(true),
        Err(error) if error.is_temporary() => {
            let at = hub.store_now() + NEXT_TRY;
            hub.store.write(job!(|tx| { tx.move_batch(&id, place, at).await })).await?;
            Err(error)
        }
        Err(error) => {
            tracing::error!(error = %error, batch.id = %id, "a batch cannot go on");
            let now = hub.clock.micros();
            hub.store.write(job!(|tx| { tx.end_batch(&id, BatchState::Cancelled, now).await })).await.map(|_| true)
        }
    }
}

/// Moves a batch on when no item waits: it has ended, unless some are at their system.
async fn finish(hub: &Arc<Hub>, batch: Batch) -> Result<(), StoreError> {
    let (now, later) = (hub.clock.micros(), hub.store_now() + PAUSE);
    let ending = hub.store.write(job!(|tx| {
        let Some(batch) = tx.lock_batch(&batch.new.id, batch.place).await? else { return Ok(()) };
        if batch.counts.running > 0 {
            return tx.move_batch(&batch.new.id, batch.place, later).await;
        }
        tx.end_batch(&batch.new.id, BatchState::Done, now).await.map(drop)
    }));
    ending.await
}

fn end(number: i64, outcome: Result<String, String>) -> ItemEnd {
    let (state, record, problem) = match outcome {
        Ok(record) => ("succeeded", record, String::new()),
        Err(problem) => ("failed", String::new(), problem),
    };
    ItemEnd { number, state, record, request: String::new(), problem }
}
