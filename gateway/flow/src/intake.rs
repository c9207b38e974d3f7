//! Step 2a: payloads move from the bus into the store. The unique key over tenant, connection and dedupe id is the
//! authority on repetitions.
//!
//! A payload may end the process while it is read. What is delivered again is therefore marked in the store before it
//! is attempted, and what was attempted before without an end is taken in one by one; a payload that ends the process
//! alone is kept unread, for a person.

use crate::blobs;
use crate::fault;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::payload::Received;
use hub_bus::{Delivery, Message};
use hub_kit::manifest::Webhook;
use hub_kit::{Connection, RawEnvelope};
use hub_store::{Near, NewParked, NewRaw, NewWork, Raw, Sealed, StoreError, job};
use hub_tree::{Arena, TraceContext};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// The bus's name for this consumer.
pub const CONSUMER: &str = "intake";
/// What it reads.
pub const TOPICS: &[&str] = &["raw.#"];
/// The inbox's name for the next step.
pub const MAP: &str = "map";
const BATCH: usize = 256;
/// Bytes that are taken in together at most, beside the first payload: they lie in memory several times meanwhile.
const BATCH_BYTES: usize = 2 << 20;
/// Times that a payload may end the process alone before it is kept unread.
const MAX_ALONE: i64 = 2;

pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        let mut subscription = match hub.bus.subscribe(CONSUMER).await {
            Ok(subscription) => subscription,
            Err(error) => {
                tracing::error!(error = %error, "cannot take payloads in");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        loop {
            let result = match subscription.next(BATCH).await {
                Ok(deliveries) => {
                    for part in portions_of(deliveries) {
                        take(&hub, part).await;
                    }
                    subscription.acknowledge().await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                tracing::warn!(error = %error, "taking payloads in was interrupted");
                tokio::time::sleep(Duration::from_millis(500)).await;
                break;
            }
        }
    }
}

/// Deliveries in portions that memory can bear.
fn portions_of(deliveries: Vec<Delivery>) -> impl Iterator<Item = Vec<Delivery>> {
    let mut left = deliveries.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut part = vec![left.next()?];
        let mut bytes = blobs::size(&part[0].message);
        while let Some(next) = left.next_if(|next| bytes + blobs::size(&next.message) <= BATCH_BYTES) {
            bytes += blobs::size(&next.message);
            part.push(next);
        }
        Some(part)
    })
}

/// Moves deliveries into the store; returns when they are there.
async fn take(hub: &Arc<Hub>, deliveries: Vec<Delivery>) {
    // A backup waits for its marks: what lay before them is in the store when they are noted.
    let (marks, deliveries): (Vec<_>, Vec<_>) =
        deliveries.into_iter().partition(|delivery| delivery.message.topic == hub_bus::MARK_TOPIC);
    take_payloads(hub, deliveries).await;
    let names = marks.into_iter().map(|mark| mark.message.id).filter(|name| name.starts_with("mark/")).collect();
    note_marks(hub, names).await;
}

async fn note_marks(hub: &Arc<Hub>, names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    let now = hub.clock.micros();
    if let Err(error) = hub.store.write(job!(|tx| { tx.note_marks(names, now).await })).await {
        tracing::warn!(error = %error, "the mark of a backup could not be noted");
    }
}

async fn take_payloads(hub: &Arc<Hub>, deliveries: Vec<Delivery>) {
    let deliveries = blobs::resolve(hub, deliveries).await;
    if deliveries.is_empty() {
        return;
    }
    if !deliveries.iter().any(|delivery| delivery.again) {
        return take_together(hub, deliveries, false).await;
    }
    let ids: Vec<String> = deliveries.iter().map(|delivery| delivery.message.id.clone()).collect();
    let attempted = attempted(hub, &ids).await;
    if attempted.is_empty() {
        mark(hub, ids, false).await;
        return take_together(hub, deliveries, true).await;
    }
    for delivery in deliveries {
        let alone = attempted.get(&delivery.message.id).copied().unwrap_or(0);
        if alone >= MAX_ALONE {
            let reason = format!("reading it has ended the hub {} times", alone + 1);
            let unread = vec![unreadable(hub, &delivery, "CRASHED_CONSUMER", &reason)];
            if let Err(error) = keep(hub, unread, true).await {
                tracing::error!(error = %error, message.id = %delivery.message.id, "a payload cannot be kept at all");
            }
            continue;
        }
        mark(hub, vec![delivery.message.id.clone()], true).await;
        take_together(hub, vec![delivery], true).await;
    }
}

/// Which messages were attempted before without an end, and how often alone. Waits for a store that is away.
async fn attempted(hub: &Arc<Hub>, ids: &[String]) -> BTreeMap<String, i64> {
    loop {
        let ids = ids.to_vec();
        match hub.store.read(job!(|tx| { tx.doubts(ids).await })).await {
            Ok(found) => return found,
            Err(error) => away(&error).await,
        }
    }
}

/// Notes that messages are about to be attempted. Waits for a store that is away.
async fn mark(hub: &Arc<Hub>, ids: Vec<String>, alone: bool) {
    let at = hub.clock.micros();
    loop {
        let ids = ids.clone();
        match hub.store.write(job!(|tx| { tx.doubt(ids, alone, at).await })).await {
            Ok(()) => return,
            Err(error) => away(&error).await,
        }
    }
}

async fn away(error: &StoreError) {
    tracing::warn!(error = %error, "the store does not take payloads in");
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// Moves deliveries into the store in one transaction, `marked` ones with the end of their marks.
async fn take_together(hub: &Arc<Hub>, deliveries: Vec<Delivery>, marked: bool) {
    let parked = |delivery: &Delivery, reason| unreadable(hub, delivery, "UNREADABLE_MESSAGE", reason);
    let prepare_all = async || {
        // While a suspect is handled alone, nothing from outside is read.
        let _begins = hub.quiet.read().await;
        deliveries.iter().map(|delivery| prepare(hub, delivery)).collect::<Vec<_>>()
    };
    let mut prepared = prepare_all().await;
    if prepared.iter().any(Result::is_err) {
        // Another process may have made the key that one of them was sealed with.
        if let Err(error) = hub.store.keyring().reload(&hub.store).await {
            tracing::warn!(error = %error, "tenants' keys could not be read again");
        }
        prepared = prepare_all().await;
    }
    let ready = deliveries.iter().zip(prepared);
    let ready = ready.map(|(delivery, one)| one.unwrap_or_else(|reason| parked(delivery, reason))).collect();
    if let Err(error) = keep(hub, ready, marked).await {
        tracing::error!(error = %error, "the store refuses a batch of payloads; each is taken in by itself");
        for delivery in &deliveries {
            let alone = prepare(hub, delivery).unwrap_or_else(|reason| parked(delivery, reason));
            if keep(hub, vec![alone], marked).await.is_err()
                && let Err(error) = keep(hub, vec![parked(delivery, "the store refuses it")], marked).await
            {
                tracing::error!(error = %error, message.id = %delivery.message.id, "a payload cannot be kept at all");
            }
        }
    }
    hub.wake.work.notify_one();
}

/// Writes payloads; waits for a store that is away, because the messages stay on the bus until it takes them.
async fn keep(hub: &Arc<Hub>, ready: Vec<Ready>, marked: bool) -> Result<(), StoreError> {
    let ids: Vec<String> = ready.iter().filter(|_| marked).map(|one| one.raw.id.clone()).collect();
    // One that travelled may lie in the store, too: the store was slow to take it.
    let large = ready.iter().filter(|one| blobs::is_large(&one.raw.body));
    let large: Vec<String> = large.map(|one| one.raw.id.clone()).collect();
    loop {
        let (ready, ids, large) = (ready.clone(), ids.clone(), large.clone());
        let written = hub.store.write(job!(|tx| {
            let raws = ready.iter().map(|one| (one.raw.clone(), one.near.clone())).collect();
            let new = tx.insert_new_raws(raws).await?;
            let (kept, repeated) = large.into_iter().partition(|id| new.contains(id));
            tx.take_blobs(kept, repeated).await?;
            let (mut work, mut steps) = (Vec::new(), Vec::new());
            for one in ready.into_iter().filter(|one| new.contains(&one.raw.id)) {
                steps.extend(one.steps.into_vec());
                match one.next {
                    Next::Map(item) => work.push(item),
                    Next::Park(parked) => {
                        tx.park_raw(&one.raw.id).await?;
                        tx.park(parked).await?;
                    }
                }
            }
            tx.insert_work(work).await?;
            tx.clear_doubts(ids).await?;
            tx.add_steps(steps).await
        }));
        match written.await {
            Err(error) if error.is_temporary() => away(&error).await,
            other => return other,
        }
    }
}

/// A payload that can be written.
#[derive(Clone)]
struct Ready {
    raw: NewRaw,
    /// Where else a repetition of it may lie.
    near: Option<Near>,
    steps: Steps,
    next: Next,
}

/// What becomes of it.
#[derive(Clone)]
enum Next {
    Map(NewWork),
    /// It cannot be read; it stays as it is, for a person.
    Park(NewParked),
}

/// Evaluates the manifest's expressions on bytes from outside: if that ever panics, it costs this payload only.
fn prepare(hub: &Hub, delivery: &Delivery) -> Result<Ready, &'static str> {
    let preparing = || prepare_one(hub, delivery);
    std::panic::catch_unwind(AssertUnwindSafe(preparing)).unwrap_or(Err("reading it broke off: this is a defect"))
}

fn prepare_one(hub: &Hub, delivery: &Delivery) -> Result<Ready, &'static str> {
    let message = &delivery.message;
    if blobs::referred(message).is_some() {
        return Err("its body, which is too large for the broker, is not in the store any more");
    }
    let opened = hub.open(&message.tenant, &format!("raw:{}", message.id), &message.body);
    let opened = opened.map_err(|_| "the payload cannot be opened: the master key has changed")?;
    let envelope = RawEnvelope::decode(&opened).ok_or("the payload is not in a form this program knows")?;
    fault::reach("intake", &envelope.body);
    let connection_id = message.topic.strip_prefix("raw.").unwrap_or_default();
    let sha256 = hex::encode(Sha256::digest(&envelope.body));
    let connection = hub.connection(connection_id);
    let (dedupe, near, order_key) = keys(connection.as_deref(), &envelope, &sha256, connection_id);
    let raw = NewRaw {
        id: message.id.clone(),
        tenant: message.tenant.clone(),
        connection: connection_id.to_owned(),
        dedupe_id: dedupe,
        parent: None,
        received_at: envelope.received_at,
        trace: message.trace.clone(),
        sha256,
        body: Sealed(message.body.clone()),
    };
    let work = NewWork {
        consumer: MAP.to_owned(),
        message: message.id.clone(),
        tenant: message.tenant.clone(),
        connection: connection_id.to_owned(),
        order_key,
        trace: message.trace.clone(),
        // How much memory mapping it may take is known from this.
        body: envelope.body.len().to_string(),
        received_at: envelope.received_at,
    };
    let context: TraceContext = message.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let mut steps = Steps::of(&context, &message.tenant);
    let detail = format!("{} bytes, verified and kept", envelope.body.len());
    steps.add(
        &hub.ids,
        envelope.received_at,
        ("receive", Went::Ok),
        connection_id,
        &format!("raw/{}", message.id),
        detail,
    );
    Ok(Ready { raw, near, steps, next: Next::Map(work) })
}

/// Reads a payload again that is in the store already: what its row should say, and the work that maps it.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_again(hub: &Hub, raw: &Raw) -> Result<(NewRaw, NewWork), &'static str> {
    let message = Message {
        id: raw.new.id.clone(),
        topic: format!("raw.{}", raw.new.connection),
        tenant: raw.new.tenant.clone(),
        key: raw.new.connection.clone(),
        trace: raw.new.trace.clone(),
        body: raw.new.body.0.clone(),
    };
    let ready = prepare(hub, &Delivery { message, again: true })?;
    match ready.next {
        Next::Map(work) => Ok((ready.raw, work)),
        Next::Park(_) => Err("it cannot be read"),
    }
}

/// The dedupe id and the order key of a payload, as the manifest says.
fn keys(
    connection: Option<&Connection>,
    envelope: &RawEnvelope,
    sha256: &str,
    default: &str,
) -> (String, Option<Near>, String) {
    let Some((connection, webhook)) = connection.and_then(|known| Some((known, known.manifest.webhook.as_ref()?)))
    else {
        return (format!("sha256:{sha256}"), None, default.to_owned());
    };
    let arena = Arena::new();
    let payload = webhook.read(&arena, &envelope.body).unwrap_or_default();
    let headers = envelope.headers_value(&arena);
    let received = Received::new(connection, &arena, payload, headers);
    let dedupe = received.and_then(|received| received.dedupe_id());
    let (dedupe, near) = match dedupe {
        Some(id) => (id, None),
        None => {
            let (id, near) = hashed(webhook, envelope, sha256);
            (id, Some(near))
        }
    };
    // Equal keys of different connections have nothing to do with each other.
    let order_key = received.and_then(|received| received.order_key());
    (dedupe, near, order_key.map_or_else(|| default.to_owned(), |key| format!("{default}/{key}")))
}

/// Without an id of the vendor's: the same body within the vendor's retry horizon is a repetition, later it is news. Time
/// is cut into spans as long as the horizon, of which a body has one row each; its row in a span beside may be nearer
/// than the horizon, too.
fn hashed(webhook: &Webhook, envelope: &RawEnvelope, sha256: &str) -> (String, Near) {
    let within = (webhook.retry_horizon_hours * 3_600_000_000).max(1);
    let span = envelope.received_at.div_euclid(within);
    let id = |span: i64| format!("sha256:{sha256}:{span}");
    (id(span), Near { dedupe_ids: [id(span - 1), id(span + 1)], within })
}

/// A payload that stays sealed and needs a person.
fn unreadable(hub: &Hub, delivery: &Delivery, code: &str, reason: &str) -> Ready {
    let message = &delivery.message;
    tracing::error!(message.id = %message.id, reason, "a payload was parked");
    let context: TraceContext = message.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let connection = message.topic.strip_prefix("raw.").unwrap_or_default().to_owned();
    let at = hub.clock.micros();
    let raw = NewRaw {
        id: message.id.clone(),
        tenant: message.tenant.clone(),
        connection: connection.clone(),
        dedupe_id: format!("unreadable:{}", message.id),
        parent: None,
        received_at: at,
        trace: message.trace.clone(),
        sha256: String::new(),
        body: Sealed(message.body.clone()),
    };
    let parked = NewParked {
        id: message.id.clone(),
        tenant: message.tenant.clone(),
        connection: connection.clone(),
        step: CONSUMER.to_owned(),
        code: code.to_owned(),
        reason: reason.to_owned(),
        place: String::new(),
        trace: context.id(),
        kind: "raw".to_owned(),
        reference: message.id.clone(),
        at,
    };
    let mut steps = Steps::of(&context, &message.tenant);
    steps.add(&hub.ids, at, ("receive", Went::Parked), &connection, &format!("raw/{}", message.id), reason);
    Ready { raw, near: None, steps, next: Next::Park(parked) }
}
