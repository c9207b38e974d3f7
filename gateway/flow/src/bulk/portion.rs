//! The next items of a batch.

use super::item::{Item, Method, misread, problem, refused};
use super::{KEYS, PAUSE, PORTION, UNDER_WAY, end, finish, sealed_as};
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::keeps::Broken;
use crate::records::{self, NotApplied, Target, Write};
use crate::requests::{self, Asker, NotAsked, Said, Verb, Which};
use hub_model::{Class, EntityType};
use hub_store::{
    Batch, BatchItem, Identity, ItemEnd, ItemFilter, NewIdentity, RemoteId, RequestState, StoreError, Tx, job,
};
use hub_tree::{Arena, TraceContext};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn waiting(hub: &Hub, batch: &Batch, limit: i64) -> Result<Vec<BatchItem>, StoreError> {
    let id = batch.new.id.clone();
    let filter = ItemFilter { state: "waiting".to_owned(), after: -1, limit };
    hub.store.read(job!(|tx| { tx.batch_items(&id, filter).await })).await
}

fn allowed(batch: &Batch) -> Class {
    [Class::S0, Class::S1, Class::S2, Class::S3]
        .into_iter()
        .find(|class| format!("{class:?}") == batch.new.allowed)
        .unwrap_or(Class::S0)
}

/// What an item comes to before anything is asked of the store.
struct Ready {
    number: i64,
    method: Method,
    id: Option<String>,
    key: Option<String>,
    said: Said,
}

fn prepare(
    hub: &Hub,
    batch: &Batch,
    entity: &EntityType,
    item: &BatchItem,
) -> Result<Result<Ready, ItemEnd>, StoreError> {
    let text = hub.open(&batch.new.tenant, &sealed_as(&batch.new.id, item.number), &item.body.0)?;
    let arena = Arena::new();
    let failed = |problem: String| Ok(Err(end(item.number, Err(problem))));
    let read = match Item::read(&arena, &text) {
        Ok(read) => read,
        Err(refusal) => return failed(refused(&[refusal], "")),
    };
    let data = if read.method == Method::Delete { arena.map(&[]) } else { read.data };
    let said = requests::read(hub, &batch.new.tenant, entity, &arena, data, allowed(batch));
    let mut said = match said {
        Ok(said) => said,
        Err(wrong) => return failed(misread(&wrong)),
    };
    if said.connection.is_some() {
        return failed(problem(
            "invalid_body",
            "the batch names the `connection`, its items do not",
            "/data/connection",
        ));
    }
    said.connection = Some(batch.new.connection.clone()).filter(|connection| !connection.is_empty());
    if said.connection.is_none() && said.beside != "{}" {
        return failed(problem("invalid_body", "records beside are for a `connection`", "/data/with"));
    }
    let Item { method, id, key, .. } = read;
    Ok(Ok(Ready { number: item.number, method, id, key: key.map(ToOwned::to_owned), said }))
}

/// Makes or changes records of the hub's own.
pub(super) async fn own(hub: &Arc<Hub>, batch: Batch) -> Result<(), StoreError> {
    let items = waiting(hub, &batch, PORTION).await?;
    let Some(entity) = hub_model::entity(&batch.new.entity).filter(|_| !items.is_empty()) else {
        return finish(hub, batch).await;
    };
    let (mut ready, mut ends) = (Vec::new(), Vec::new());
    for item in &items {
        match prepare(hub, &batch, entity, item)? {
            Ok(one) => ready.push(one),
            Err(end) => ends.push(end),
        }
    }
    let place = items.last().map_or(batch.place, |item| item.number);
    let inner = Arc::clone(hub);
    hub.store.write(job!(|tx| { keep(&inner, tx, entity, batch, (ready, ends), place).await })).await?;
    hub.wake.events.notify_one();
    Ok(())
}

async fn keep(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    entity: &'static EntityType,
    batch: Batch,
    (ready, mut ends): (Vec<Ready>, Vec<ItemEnd>),
    place: i64,
) -> Result<(), StoreError> {
    // Another worker may have done them; somebody may have cancelled it.
    let Some(batch) = tx.lock_batch(&batch.new.id, batch.place).await? else { return Ok(()) };
    let (tenant, now) = (batch.new.tenant.as_str(), hub.clock.micros());
    let context: TraceContext = batch.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let remote =
        |key: &str| RemoteId { connection: KEYS.to_owned(), entity: entity.name.to_owned(), remote_id: key.to_owned() };
    let keys = ready.iter().filter_map(|one| one.key.as_deref().map(remote)).collect();
    let mut known: BTreeMap<RemoteId, String> =
        tx.identities(tenant, keys).await?.into_iter().map(|(remote, identity)| (remote, identity.id)).collect();
    let named = ready.iter().filter_map(|one| one.id.clone());
    let named = named.chain(known.values().cloned()).map(|id| (entity.name.to_owned(), id)).collect();
    let stored = tx.stored_records(tenant, named).await?;
    let there =
        |id: &str| stored.get(&(entity.name.to_owned(), id.to_owned())).is_some_and(|row| row.deleted_at.is_none());
    let (mut writes, mut numbers, mut new_keys) = (Vec::new(), Vec::new(), Vec::new());
    let mut made: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
    for one in ready {
        let Ready { number, method, id, key, said } = one;
        let key = key.map(|key| remote(&key));
        let found = id.or_else(|| key.as_ref().and_then(|key| known.get(key).cloned()));
        let is_there = found.as_deref().is_some_and(|id| there(id) || made.contains(id));
        let (target, id) = match (method, found) {
            // It was made before, under this key.
            (Method::Create, Some(id)) => {
                ends.push(end(number, Ok(id)));
                continue;
            }
            (Method::Update | Method::Upsert | Method::Delete, Some(id)) if is_there => {
                (Target::Remote { key: None, hub_id: Some(id.clone()) }, id)
            }
            (Method::Create, None) | (Method::Upsert, None) => {
                let id = hub.ids.next().to_string();
                made.insert(id.clone());
                (Target::New(id.clone()), id)
            }
            _ => {
                let pointer = if key.is_some() { "/key" } else { "/id" };
                ends.push(end(number, Err(problem("not_found", "there is no record with this name", pointer))));
                continue;
            }
        };
        let is_new = matches!(target, Target::New(_));
        if is_new && let Some(lacks) = lacking(entity, &said.fields) {
            made.remove(&id);
            ends.push(end(number, Err(lacks)));
            continue;
        }
        if let Some(key) = key.filter(|_| is_new) {
            known.insert(key.clone(), id.clone());
            let identity = Identity { id: id.clone(), vendor_time: None, received_at: now };
            new_keys.push(NewIdentity { remote: key, identity, known: None });
        }
        writes.push(write_of(entity, target, said, method == Method::Delete, &batch.new.id));
        numbers.push(number);
    }
    let (applied, left_out) = records::apply_each(hub, tx, tenant, &context, writes).await?;
    for (word, write, why) in left_out.into_iter().rev() {
        let refused = match &why {
            NotApplied::Broken { broken, .. } => refused_by(broken),
            other @ NotApplied::UnknownHubId { .. } => problem("not_found", other.reason(), "/id"),
        };
        ends.push(end(numbers.remove(word), Err(refused)));
        if let Target::New(id) = write.target {
            new_keys.retain(|new| new.identity.id != id);
        }
    }
    tx.put_identities(tenant, new_keys).await?;
    let mut events = Vec::new();
    for (number, record) in numbers.into_iter().zip(applied) {
        hub.metrics.record(record.entity.name, record.became.word());
        events.extend(record.events);
        ends.push(end(number, Ok(record.id)));
    }
    tx.insert_events(events).await?;
    let mut steps = Steps::of(&context, tenant);
    let detail = format!("items up to {place} of batch {}", batch.new.id);
    steps.add(&hub.ids, now, ("batch", Went::Ok), "hub", &format!("batch/{}", batch.new.id), detail);
    tx.add_steps(steps.into_vec()).await?;
    tx.end_batch_items(&batch.new.id, ends, now).await?;
    tx.move_batch(&batch.new.id, place, hub.store_now()).await
}

fn refused_by(broken: &Broken) -> String {
    problem(broken.code, format!("{}; {}", broken.reason, broken.next), &format!("/data{}", broken.pointer))
}

fn lacking(entity: &EntityType, fields: &str) -> Option<String> {
    let arena = Arena::new();
    let fields = hub_tree::json::read(&arena, fields.as_bytes(), hub_tree::Limits::default()).unwrap_or_default();
    let name = hub_model::accept::missing(entity, fields).next()?;
    Some(problem("invalid_body", format!("/data/{name}: `{name}` is missing"), &format!("/data/{name}")))
}

fn write_of(entity: &'static EntityType, target: Target, said: Said, deleted: bool, batch: &str) -> Write {
    let rules = {
        let arena = Arena::new();
        let fields = hub_tree::json::read(&arena, said.fields.as_bytes(), hub_tree::Limits::default());
        let fields = fields.unwrap_or_default();
        fields.entries().iter().map(|(name, _)| (format!("/{name}"), format!("batch {batch}"))).collect()
    };
    Write { entity, target, fields: said.fields, ext: said.ext, deleted, rules, source: None }
}

/// Asks for items at their system.
pub(super) async fn to_system(hub: &Arc<Hub>, batch: Batch) -> Result<(), StoreError> {
    let room = UNDER_WAY - batch.counts.running;
    if room <= 0 {
        let (id, place, later) = (batch.new.id, batch.place, hub.store_now() + PAUSE);
        return hub.store.write(job!(|tx| { tx.move_batch(&id, place, later).await })).await;
    }
    let items = waiting(hub, &batch, room).await?;
    let Some(entity) = hub_model::entity(&batch.new.entity).filter(|_| !items.is_empty()) else {
        return finish(hub, batch).await;
    };
    // Of workers that come to it at the same time one asks.
    let (id, from, place) = (batch.new.id.clone(), batch.place, items.last().map_or(batch.place, |item| item.number));
    let until = hub.store_now() + 30_000_000;
    let taken = hub.store.write(job!(|tx| {
        if tx.lock_batch(&id, from).await?.is_none() {
            return Ok(false);
        }
        tx.move_batch(&id, place, until).await?;
        Ok(true)
    }));
    if !taken.await? {
        return Ok(());
    }
    let mut ends = Vec::new();
    for item in &items {
        let went = match prepare(hub, &batch, entity, item)? {
            Ok(ready) => ask(hub, &batch, entity, ready).await?,
            Err(end) => Some(end),
        };
        ends.extend(went);
    }
    let (id, now) = (batch.new.id, hub.clock.micros());
    let at = hub.store_now();
    let moving = hub.store.write(job!(|tx| {
        tx.end_batch_items(&id, ends, now).await?;
        tx.move_batch(&id, place, at).await
    }));
    moving.await
}

/// Asks for one item; how it ends, unless its system has it now.
async fn ask(
    hub: &Arc<Hub>,
    batch: &Batch,
    entity: &'static EntityType,
    ready: Ready,
) -> Result<Option<ItemEnd>, StoreError> {
    let Ready { number, method, id, key, said } = ready;
    let failed = |problem: String| Ok(Some(end(number, Err(problem))));
    let (verb, which) = match (method, id) {
        (Method::Create, _) | (Method::Upsert, None) => (Verb::Create, Which::New),
        (Method::Delete, Some(id)) => (Verb::Delete, Which::Known(id)),
        (Method::Update | Method::Upsert, Some(id)) => (Verb::Update, Which::Known(id)),
        (Method::Update | Method::Delete, None) => {
            return failed(problem("invalid_body", "at a system a record is named by its `id`", "/id"));
        }
    };
    let asker = Asker {
        tenant: batch.new.tenant.clone(),
        by: batch.new.by.clone(),
        handle: batch.new.handle.clone(),
        key: key.map(|key| format!("item:{key}")),
        version: None,
        batch: Some((batch.new.id.clone(), number)),
        audit: None,
    };
    let outgoing = match requests::outgoing(hub, asker, entity, (verb, which), said) {
        Ok(outgoing) => outgoing,
        Err(refusal) => return failed(refused(&[refusal], "/data")),
    };
    let (tenant, context) = (batch.new.tenant.clone(), TraceContext::begin());
    match requests::ask(hub, context, outgoing).await {
        // Somebody has asked for the same before, under this key.
        Ok(asked) if asked.again => {
            let wanted = asked.request.clone();
            let before = hub.store.read(job!(|tx| { tx.request(&tenant, &wanted).await })).await?;
            let done = before.is_some_and(|before| before.state == RequestState::Succeeded);
            let told = || problem("request_running", "this key was used before, and has not succeeded", "/key");
            Ok(Some(end(number, if done { Ok(asked.id) } else { Err(told()) })))
        }
        Ok(_) => Ok(None),
        Err(NotAsked::Broken(broken)) => failed(refused_by(&broken)),
        Err(NotAsked::NoRecord) => failed(problem("not_found", "there is no record with this id", "/id")),
        Err(NotAsked::OtherVersion(_)) => failed(problem("version_differs", "the record has changed", "/id")),
        Err(NotAsked::Unfit(unfit)) => {
            let all: Vec<String> = unfit.iter().map(|one| one.detail.clone()).collect();
            let first = unfit.first().map(|one| format!("/data{}", one.pointer)).unwrap_or_default();
            failed(problem("invalid_body", all.join("; "), &first))
        }
        Err(NotAsked::Failure(crate::effects::Failure::Park { code, reason, .. })) => {
            failed(problem(&code, reason, ""))
        }
        Err(NotAsked::Failure(crate::effects::Failure::Retry(_))) => Err(StoreError::Raced),
    }
}
