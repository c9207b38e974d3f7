//! The loop that checks, applies and undoes: a portion at a time, by whichever worker is first, imports in turns.

use super::{Shown, apply, checking, open, own_step, undo};
use crate::hub::{Hub, IDLE};
use hub_store::{ImportChange, ImportState, StoreError, job};
use std::sync::Arc;
use std::time::Duration;

/// How long an import waits after something failed that may pass, µs.
const NEXT_TRY: i64 = 1_000_000;

pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        match next(&hub).await {
            Ok(true) => {}
            Ok(false) => {
                let _ = tokio::time::timeout(IDLE, hub.wake.imports.notified()).await;
            }
            Err(error) => {
                tracing::warn!(error = %error, "imports do not go on");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// Does the next portion; `false` when there is none now.
async fn next(hub: &Arc<Hub>) -> Result<bool, StoreError> {
    let Some((import, due)) = hub.store.read(job!(|tx| { tx.next_import().await })).await? else { return Ok(false) };
    if due > hub.store_now() {
        return Ok(false);
    }
    let (tenant, id, state) = (import.tenant.clone(), import.id.clone(), import.state);
    let went = async {
        let shown: Shown = open(hub, import)?;
        match state {
            ImportState::Checking => checking::check(hub, shown).await,
            ImportState::Applying => apply::portion(hub, shown).await.map(|()| true),
            _ => undo::portion(hub, shown).await.map(|()| true),
        }
    };
    match went.await {
        Ok(went) => Ok(went),
        Err(error) if error.is_temporary() => {
            let at = hub.store_now() + NEXT_TRY;
            hub.store.write(job!(|tx| { tx.delay_import(&id, at).await })).await?;
            Err(error)
        }
        Err(error) => {
            tracing::error!(error = %error, import.id = %id, "an import cannot go on");
            stop(hub, &tenant, &id, state, error.to_string()).await.map(|()| true)
        }
    }
}

/// Ends what cannot go on: what was applied is undone; what cannot be undone stays, and says so.
async fn stop(hub: &Arc<Hub>, tenant: &str, id: &str, state: ImportState, why: String) -> Result<(), StoreError> {
    let to = if state == ImportState::Applying { ImportState::Undoing } else { ImportState::Failed };
    let (tenant, id, now) = (tenant.to_owned(), id.to_owned(), hub.clock.micros());
    let step = (to == ImportState::Failed).then(|| own_step(hub, "failed", why.clone()));
    let stopping = hub.store.write(job!(|tx| {
        let change = ImportChange { error: why, ..ImportChange::default() };
        if tx.turn_import((&tenant, &id), &[state], to, change, now).await?.is_some()
            && let Some(step) = step
        {
            tx.note_import(&id, step).await?;
        }
        Ok(())
    }));
    stopping.await
}
