//! What an import did is undone: records that it made go, records that it changed are as they were, each as a new
//! version that is told of like any other. What somebody has changed since stays.

use super::{Shown, own_step, restore};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::records::{self, Target, Write};
use hub_store::{Import, ImportChange, ImportState, StoreError, Tx, Written, job};
use hub_tree::TraceContext;
use std::sync::Arc;

/// Records of one transaction.
const PORTION: i64 = 100;

/// Undoes the next records of an import.
pub(super) async fn portion(hub: &Arc<Hub>, shown: Shown) -> Result<(), StoreError> {
    let inner = Arc::clone(hub);
    let undoing = hub.store.write(job!(|tx| { undo(&inner, tx, shown.import).await }));
    undoing.await?;
    hub.wake.events.notify_one();
    Ok(())
}

async fn undo(hub: &Arc<Hub>, tx: &mut Tx, import: Import) -> Result<(), StoreError> {
    let Some(import) = tx.lock_import(&import.id, ImportState::Undoing, import.place).await? else { return Ok(()) };
    let left = tx.written(&import.id, "", PORTION).await?;
    if left.is_empty() {
        return finish(hub, tx, &import).await;
    }
    let tenant = import.into.as_str();
    let wanted = left.iter().map(|one| (one.entity.clone(), one.id.clone())).collect();
    let stored = tx.stored_records(tenant, wanted).await?;
    let trace = TraceContext::begin();
    let (mut gone, mut back, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = import.counts;
    for one in left {
        let Written { entity, id, before, after, .. } = one;
        let row = stored.get(&(entity.clone(), id.clone()));
        let untouched = row.is_some_and(|row| row.version == after);
        let known = hub_model::entity(&entity).filter(|_| untouched);
        match known {
            Some(entity) if before == 0 => gone.push(removal(entity, &id)),
            Some(entity) => back.push((entity, id.clone(), before)),
            None => counts.kept += 1,
        }
        counts.undone += i64::from(known.is_some());
        ends.push((entity, id, if known.is_some() { "undone" } else { "kept" }));
    }
    // What may not go stays.
    let (mut applied, _) = records::apply_each(hub, tx, tenant, &trace, gone).await?;
    applied.extend(restore::restore(hub, tx, tenant, &trace, back).await?);
    let now = hub.clock.micros();
    let mut steps = Steps::of(&trace, tenant);
    let mut events = Vec::new();
    for record in applied {
        let subject = format!("{}/{}", record.entity.name, record.id);
        let detail = format!("undone with import {}, version {}", import.id, record.version);
        steps.add(&hub.ids, now, ("undo", Went::Ok), super::SOURCE, &subject, detail);
        events.extend(record.events);
    }
    if !import.is_trial() {
        tx.insert_events(events).await?;
        tx.add_steps(steps.into_vec()).await?;
    }
    tx.end_written(&import.id, ends).await?;
    tx.move_import(&import.id, counts, import.place + 1, hub.store_now()).await
}

fn removal(entity: &'static hub_model::EntityType, id: &str) -> Write {
    Write {
        entity,
        target: Target::Remote { key: None, hub_id: Some(id.to_owned()) },
        fields: "{}".to_owned(),
        ext: None,
        deleted: true,
        rules: Vec::new(),
        source: None,
    }
}

/// An import that could not be applied has failed; nothing of it is left.
async fn finish(hub: &Hub, tx: &mut Tx, import: &Import) -> Result<(), StoreError> {
    let failed = !import.error.is_empty();
    let to = if failed { ImportState::Failed } else { ImportState::Undone };
    let change = ImportChange { error: import.error.clone(), ..ImportChange::default() };
    let of = (import.tenant.as_str(), import.id.as_str());
    tx.turn_import(of, &[ImportState::Undoing], to, change, hub.clock.micros()).await?;
    let step = own_step(hub, if failed { "failed" } else { "undone" }, import.error.clone());
    tx.note_import(&import.id, step).await
}
