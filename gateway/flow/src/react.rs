//! Step 4: events reach consumers. Each consumer has its own queue; a delivery becomes a row, the row is claimed,
//! the consumer computes effects, and they commit together with the mark that the event was done: a redelivery
//! changes nothing.

use crate::alone::{self, MAX_CRASHES};
use crate::claims::{LEASE_MICROS, LostClaims};
use crate::commit::{Prepared, keep_effects};
use crate::effects::{Effects, Failure};
use crate::event::EventMessage;
use crate::fault;
use crate::hub::{Hub, IDLE};
use crate::intake::MAP;
use crate::journey::{Steps, Went};
use crate::{map_in, replay, subscriptions};
use async_trait::async_trait;
use futures::FutureExt;
use hub_bus::Delivery;
use hub_store::{Claimed, Found, NewParked, NewWork, StoreError, Turns, job};
use hub_telemetry::{context_of, within};
use hub_tree::TraceContext;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument;

/// Reacts to events.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Its name: that of its queue and of its rows in the inbox.
    fn name(&self) -> &'static str;

    /// The topics that it wants.
    fn topics(&self) -> &'static [&'static str];

    /// Leaves out the deliveries that it wants nothing of, before they are kept. Who cannot tell leaves them all in.
    async fn sift(&self, _: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        deliveries
    }

    /// What the event leads to. It may read; it changes nothing by itself.
    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure>;
}

const BATCH: usize = 256;
/// Messages that are handled at once.
const CONCURRENCY: u32 = 32;
/// Tries before a message is parked.
const MAX_TRIES: i64 = 8;

/// Moves deliveries of every consumer into the inbox.
pub(crate) async fn take_in(hub: Arc<Hub>) {
    let moving = hub.consumers.iter().map(|consumer| take_in_for(Arc::clone(&hub), Arc::clone(consumer)));
    futures::future::join_all(moving).await;
    // Without consumers there is nothing to move, and the hub goes on.
    std::future::pending::<()>().await;
}

async fn take_in_for(hub: Arc<Hub>, known: Arc<dyn Consumer>) {
    let consumer = known.name();
    loop {
        let Ok(mut subscription) = hub.bus.subscribe(consumer).await else {
            tracing::error!(consumer, "cannot subscribe");
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        loop {
            let result = match subscription.next(BATCH).await {
                Ok(deliveries) => {
                    keep(&hub, consumer, known.sift(&hub, deliveries).await).await;
                    subscription.acknowledge().await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                tracing::warn!(error = %error, consumer, "taking events in was interrupted");
                tokio::time::sleep(Duration::from_millis(500)).await;
                break;
            }
        }
    }
}

async fn keep(hub: &Arc<Hub>, consumer: &str, deliveries: Vec<Delivery>) {
    let now = hub.clock.micros();
    let row = |delivery: Delivery| NewWork {
        consumer: consumer.to_owned(),
        message: delivery.message.id,
        tenant: delivery.message.tenant,
        connection: String::new(),
        order_key: delivery.message.key,
        trace: delivery.message.trace,
        body: String::from_utf8_lossy(&delivery.message.body).into_owned(),
        received_at: now,
    };
    let rows: Vec<NewWork> = deliveries.into_iter().map(row).collect();
    if rows.is_empty() {
        return;
    }
    loop {
        let rows = rows.clone();
        match hub.store.write(job!(|tx| { tx.insert_work(rows).await })).await {
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(error = %error, "the store does not take events in");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
    hub.wake.work.notify_one();
}

/// Claims and handles messages: payloads to map, events to react to.
pub(crate) async fn run(hub: Arc<Hub>) {
    let slots = Arc::new(Semaphore::new(CONCURRENCY as usize));
    let consumers = consumers(&hub);
    let mut turns = Turns::default();
    let mut lost = LostClaims::default();
    while !hub.stops() {
        lost.give_back(&hub, "inbox", &hub.held.work).await;
        // At least one slot is free before anything is claimed.
        let Ok(first) = Arc::clone(&slots).acquire_owned().await else { return };
        let free = i64::try_from(slots.available_permits() + 1).unwrap_or(1);
        let now = hub.store_now();
        let (found, claimed) = match look_and_claim(&hub, &consumers, now, free, &mut turns).await {
            Ok(looked) => looked,
            Err(error) => {
                tracing::warn!(error = %error, "no work can be claimed");
                lost.note(&error, now + LEASE_MICROS);
                (Found::default(), Vec::new())
            }
        };
        if found.suspects {
            // What is under way ends first; then each suspect has the process to itself.
            let Ok(_all) = slots.acquire_many(CONCURRENCY - 1).await else { return };
            alone::run(&hub, &consumers).await;
            continue;
        }
        if claimed.is_empty() {
            drop(first);
            if (found.due || found.ready) && turns.unfinished() {
                continue;
            }
            let _ = tokio::time::timeout(IDLE, hub.wake.work.notified()).await;
            continue;
        }
        let mut first = Some(first);
        for work in claimed {
            let slot = match first.take() {
                Some(slot) => Ok(slot),
                None => Arc::clone(&slots).acquire_owned().await,
            };
            let (hub, Ok(slot)) = (Arc::clone(&hub), slot) else { return };
            let held = hub.held.work.hold(work.seq);
            tokio::spawn(async move {
                handle(&hub, &work).await;
                drop((slot, held));
                // What waited behind this message can be claimed now.
                hub.wake.work.notify_one();
            });
        }
    }
}

/// Claims messages. Most looks find nothing, and begin no transaction; while there are suspects, nothing else is
/// claimed.
async fn look_and_claim(
    hub: &Hub,
    consumers: &[&'static str],
    now: i64,
    free: i64,
    turns: &mut Turns,
) -> Result<(Found, Vec<Claimed>), StoreError> {
    let names = consumers.to_vec();
    let found = hub.store.read(job!(|tx| { tx.look_for_work(&names, now).await })).await?;
    if found.suspects || !(found.due || found.ready) {
        return Ok((found, Vec::new()));
    }
    let (node, names, mut own) = (hub.node.clone(), consumers.to_vec(), std::mem::take(turns));
    let claiming = hub.store.write(job!(|tx| {
        if found.due {
            tx.wake_work(now).await?;
        }
        let claimed = tx.claim_work(&names, &node, now, now + LEASE_MICROS, free, &mut own).await?;
        Ok((claimed, own))
    }));
    let (claimed, own) = claiming.await?;
    *turns = own;
    Ok((found, claimed))
}

/// Whose messages this process handles.
pub(crate) fn consumers(hub: &Hub) -> Vec<&'static str> {
    std::iter::once(MAP).chain(hub.consumers.iter().map(|consumer| consumer.name())).collect()
}

pub(crate) async fn handle(hub: &Arc<Hub>, work: &Claimed) {
    let consumer = work.new.consumer.as_str();
    let handling = async {
        if work.crashes >= MAX_CRASHES {
            let reason = format!("the hub ended {MAX_CRASHES} times while it handled this and nothing else");
            return Err(Failure::park("CRASHED_CONSUMER", reason));
        }
        if work.tries > MAX_TRIES {
            let reason = format!("given up after {MAX_TRIES} tries that did not come to an end");
            return Err(Failure::park("TRIES_USED_UP", reason));
        }
        if consumer == MAP {
            return map_in::handle(hub, work).await;
        }
        let known = hub.consumers.iter().find(|known| known.name() == consumer);
        let known = known.ok_or_else(|| Failure::park("CONSUMER_MISSING", "nobody consumes this any more"))?;
        react(hub, &**known, work).await
    };
    let result = AssertUnwindSafe(handling).catch_unwind().await;
    let result = result.unwrap_or_else(|_| Err(Failure::Retry("the handler broke off".to_owned())));
    let result = match result {
        Ok(()) => Ok("done"),
        Err(Failure::Retry(reason)) if work.tries < MAX_TRIES => retry(hub, work, &reason).await.map(|()| "retried"),
        Err(Failure::Retry(reason)) => {
            let reason = format!("given up after {} tries: {reason}", work.tries);
            park(hub, work, Failure::park("TRIES_USED_UP", reason)).await.map(|()| "parked")
        }
        Err(failure) => park(hub, work, failure).await.map(|()| "parked"),
    };
    match result {
        Ok(result) => hub.metrics.work(consumer, result),
        // The claim runs out, and the message is tried again.
        Err(error) => tracing::warn!(error = %error, consumer, "the end of a message could not be kept"),
    }
}

/// Waits longer from try to try: 0.2 s, 0.4 s … with some jitter.
fn backoff(tries: i64) -> Duration {
    let base = 100_u64 << tries.clamp(1, 10);
    Duration::from_millis(base + hub_tree::random::below(base / 2))
}

async fn retry(hub: &Arc<Hub>, work: &Claimed, reason: &str) -> Result<(), hub_store::StoreError> {
    let wait = backoff(work.tries);
    tracing::warn!(consumer = %work.new.consumer, reason, wait_ms = wait.as_millis(), "a message will be tried again");
    let at = hub.store_now() + i64::try_from(wait.as_micros()).unwrap_or(0);
    let (seq, node) = (work.seq, hub.node.clone());
    hub.store.write(job!(|tx| { tx.retry_work(seq, &node, at).await })).await
}

async fn park(hub: &Arc<Hub>, work: &Claimed, failure: Failure) -> Result<(), hub_store::StoreError> {
    let Failure::Park { code, reason, place } = failure else { return Ok(()) };
    let raw = work.new.consumer == MAP;
    let context: TraceContext = work.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    tracing::warn!(consumer = %work.new.consumer, code, trace.id = %context.id(), "a message was parked");
    let parked = NewParked {
        id: hub.ids.next().to_string(),
        tenant: work.new.tenant.clone(),
        connection: work.new.connection.clone(),
        step: work.new.consumer.clone(),
        code: code.clone(),
        reason: reason.clone(),
        place,
        trace: context.id(),
        kind: if raw { "raw" } else { "event" }.to_owned(),
        reference: work.new.message.clone(),
        at: hub.clock.micros(),
    };
    let mut steps = Steps::of(&context, &work.new.tenant);
    let original = replay::original(&work.new.message).to_owned();
    let (system, subject) = if raw {
        (work.new.connection.as_str(), format!("raw/{original}"))
    } else {
        ("hub", work.new.order_key.clone())
    };
    steps.add(&hub.ids, parked.at, (&work.new.consumer, Went::Parked), system, &subject, format!("{code}: {reason}"));
    let (seq, node) = (work.seq, hub.node.clone());
    hub.store
        .write(job!(|tx| {
            if tx.finish_work(seq, &node, "parked").await? {
                tx.park(parked).await?;
                if raw {
                    tx.park_raw(&original).await?;
                }
                tx.add_steps(steps.into_vec()).await?;
            }
            Ok(())
        }))
        .await
}

async fn react(hub: &Arc<Hub>, consumer: &dyn Consumer, work: &Claimed) -> Result<(), Failure> {
    let event = EventMessage::from_cloud_event(work.new.body.as_bytes())
        .ok_or_else(|| Failure::park("UNREADABLE_EVENT", "the event is not in a form this program knows"))?;
    let span =
        within(&event.trace, tracing::info_span!("consume", consumer = consumer.name(), event.kind = %event.kind));
    let context = context_of(&span, &event.trace);
    let event = EventMessage { trace: context, ..event };
    async {
        fault::reach(consumer.name(), work.new.body.as_bytes());
        let effects = consumer.handle(hub, &event).await?;
        commit(hub, work, &event, effects).await
    }
    .instrument(span)
    .await
}

/// Commits what an event led to, together with the mark that it was done.
async fn commit(hub: &Arc<Hub>, work: &Claimed, event: &EventMessage, mut effects: Effects) -> Result<(), Failure> {
    let (inner, seq, event, message) = (Arc::clone(hub), work.seq, event.clone(), work.new.message.clone());
    let told = std::mem::take(&mut effects.told);
    let effects = Prepared::of(hub, &event, effects)?;
    let committed = hub.store.write(job!(|tx| {
        let hub = inner;
        if let Err(failure) = keep_effects(&hub, tx, &event, effects).await? {
            return Ok(Err(failure));
        }
        subscriptions::tell(&hub, tx, &event, &message, told).await?;
        if tx.finish_work(seq, &hub.node, "done").await? { Ok(Ok(())) } else { Err(hub_store::StoreError::Broken) }
    }));
    committed.await??;
    hub.wake.events.notify_one();
    hub.wake.calls.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_its_way_as_a_cloud_event() {
        let event = EventMessage {
            id: "1".into(),
            tenant: "default".into(),
            kind: "application.stage_changed".into(),
            entity: "application".into(),
            record: "r".into(),
            version: 3,
            connection: Some("greenhouse-main".into()),
            at: "2026-03-01T09:30:00.000Z".into(),
            changed: vec!["stage".into(), "stage_kind".into()],
            trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap(),
            replay: None,
        };
        let text = event.to_cloud_event();
        assert!(text.contains(r#""type":"hr.application.stage_changed.v1""#), "{text}");
        assert!(text.contains(r#""subject":"application/r""#), "{text}");
        assert_eq!(EventMessage::from_cloud_event(text.as_bytes()), Some(event));
        assert_eq!(EventMessage::from_cloud_event(b"{}"), None);
        assert!(!text.contains("replay"), "{text}");
    }
}
