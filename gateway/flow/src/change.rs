//! Changing a record by what it is at that moment: nobody else changes it in between, and the audit log tells of it in
//! the same transaction.

use crate::audit::Entry;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::records::{self, Target, Write, sealed_as};
use hub_model::EntityType;
use hub_store::{StoreError, job};
use hub_tree::{Arena, Limits, TraceContext, json};
use std::sync::Arc;

/// What came of it.
#[derive(Debug)]
pub enum Changed<T, E> {
    /// It was changed; what `decide` said beside.
    Done(T),
    /// `decide` refused it.
    Refused(E),
    /// There is no such record, or it is gone.
    NotThere,
}

/// Changes the record `id` to what `decide` makes of its document: a patch of its fields as JSON, and a word for the
/// caller. `entry` goes into the audit log; `step` is the journey's word for it.
///
/// # Errors
/// The store fails: then nothing was changed.
pub async fn change<T, E, F>(
    hub: &Arc<Hub>,
    (tenant, entity, id): (&str, &'static EntityType, &str),
    (entry, step): (Entry, &'static str),
    decide: F,
) -> Result<Changed<T, E>, StoreError>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&str) -> Result<(String, T), E> + Send + 'static,
{
    let context = TraceContext::begin();
    let told = hub.audit_entry(entry.about(entity.name, id).trace(&context.id())).await?;
    let (inner, tenant, id) = (Arc::clone(hub), tenant.to_owned(), id.to_owned());
    let changed = hub.store.write(job!(|tx| {
        let hub = inner;
        tx.take_turn(&format!("{}/{id}", entity.name)).await?;
        let row = tx.record(&tenant, entity.name, &id).await?.filter(|row| row.deleted_at.is_none());
        let Some(row) = row else { return Ok(Changed::NotThere) };
        let document = hub.open(&tenant, &sealed_as(entity.name, &id), &row.body.0)?;
        let (fields, word) = match decide(&String::from_utf8_lossy(&document)) {
            Ok(decided) => decided,
            Err(refused) => return Ok(Changed::Refused(refused)),
        };
        let target = Target::Remote { key: None, hub_id: Some(id.clone()) };
        let rules = pointers(&fields).into_iter().map(|pointer| (pointer, step.to_owned())).collect();
        let write = Write { entity, target, fields, ext: None, deleted: false, rules, source: None };
        let applied = records::apply(&hub, tx, &tenant, &context, vec![write]).await?;
        let applied = applied.map_err(|_| StoreError::Broken)?;
        tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
        let mut steps = Steps::of(&context, &tenant);
        let subject = format!("{}/{id}", entity.name);
        steps.add(&hub.ids, hub.clock.micros(), (step, Went::Ok), "hub", &subject, String::new());
        tx.add_steps(steps.into_vec()).await?;
        tx.append_audit(told).await?;
        Ok(Changed::Done(word))
    }));
    let changed = changed.await?;
    hub.wake.events.notify_one();
    Ok(changed)
}

/// Changes many records of an entity by patches of their fields (JSON), all or none. `false`: one of them is not there,
/// or what it must keep does not allow it; nothing was changed then.
///
/// # Errors
/// The store fails: then nothing was changed.
pub async fn change_all(
    hub: &Arc<Hub>,
    (tenant, entity): (&str, &'static EntityType),
    (entry, step): (Entry, &'static str),
    patches: Vec<(String, String)>,
) -> Result<bool, StoreError> {
    let context = TraceContext::begin();
    let told = hub.audit_entry(entry.trace(&context.id())).await?;
    let (inner, tenant) = (Arc::clone(hub), tenant.to_owned());
    let mut patches = patches;
    // Two who change the same records take their turns in the same order.
    patches.sort();
    let changed = hub.store.write(job!(|tx| {
        let hub = inner;
        let mut writes = Vec::with_capacity(patches.len());
        let mut steps = Steps::of(&context, &tenant);
        for (id, fields) in patches {
            tx.take_turn(&format!("{}/{id}", entity.name)).await?;
            let row = tx.record(&tenant, entity.name, &id).await?.filter(|row| row.deleted_at.is_none());
            if row.is_none() {
                return Ok(false);
            }
            let subject = format!("{}/{id}", entity.name);
            steps.add(&hub.ids, hub.clock.micros(), (step, Went::Ok), "hub", &subject, String::new());
            let target = Target::Remote { key: None, hub_id: Some(id) };
            let rules = pointers(&fields).into_iter().map(|pointer| (pointer, step.to_owned())).collect();
            writes.push(Write { entity, target, fields, ext: None, deleted: false, rules, source: None });
        }
        let Ok(applied) = records::apply(&hub, tx, &tenant, &context, writes).await? else { return Ok(false) };
        tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
        tx.add_steps(steps.into_vec()).await?;
        tx.append_audit(told).await?;
        Ok(true)
    }));
    let changed = changed.await?;
    hub.wake.events.notify_one();
    Ok(changed)
}

/// The places of the fields of a patch.
fn pointers(fields: &str) -> Vec<String> {
    let arena = Arena::new();
    let read = json::read(&arena, fields.as_bytes(), Limits::default()).unwrap_or_default();
    read.entries().iter().map(|(name, _)| format!("/{name}")).collect()
}
