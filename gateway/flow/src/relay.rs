//! Step 3: events written with records are published, and get their position in the change feed. One process at a
//! time does this, under a lease; what it published without saying so is published again, and known by its id.

use crate::event::EventMessage;
use crate::hub::{Hub, IDLE};
use hub_bus::Message;
use hub_store::{Event, job};
use hub_telemetry::{context_of, within};
use hub_tree::TraceContext;
use std::sync::Arc;
use std::time::Duration;

const BATCH: i64 = 200;
const LEASE: Duration = Duration::from_secs(10);
/// How long the others wait before they try to take the lease.
const BESIDE: Duration = Duration::from_secs(1);

/// What a look at the outbox has found.
enum Looked {
    /// A whole batch: there may be more.
    Full,
    /// All that there was, if anything.
    Some,
    /// Another process publishes.
    NotOurs,
}

pub(crate) async fn run(hub: Arc<Hub>) {
    let mut held_until = 0;
    loop {
        match publish_some(&hub, &mut held_until).await {
            Ok(Looked::Full) => {}
            // What is written meanwhile by this process wakes, and what others write waits for the next look.
            Ok(Looked::Some) => {
                let _ = tokio::time::timeout(IDLE, hub.wake.events.notified()).await;
            }
            Ok(Looked::NotOurs) => tokio::time::sleep(BESIDE).await,
            Err(error) => {
                tracing::warn!(error = %error, "events are not published");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] hub_store::StoreError),
    #[error(transparent)]
    Bus(#[from] hub_bus::BusError),
}

/// Publishes a batch.
async fn publish_some(hub: &Arc<Hub>, held_until: &mut i64) -> Result<Looked, RelayError> {
    let events = hub.store.read(job!(|tx| { tx.unpublished_events(BATCH).await })).await?;
    if events.is_empty() {
        return Ok(Looked::Some);
    }
    let now = hub.store_now();
    let lease = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
    if now > *held_until - lease / 2 {
        let (node, until) = (hub.node.clone(), now + lease);
        if !hub.store.write(job!(|tx| { tx.lease("relay", &node, now, until).await })).await? {
            return Ok(Looked::NotOurs);
        }
        *held_until = until;
    }
    let looked = if i64::try_from(events.len()) == Ok(BATCH) { Looked::Full } else { Looked::Some };
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    hub.bus.publish(events.into_iter().map(message).collect()).await?;
    hub.store.write(job!(|tx| { tx.position_events(seqs).await })).await?;
    Ok(looked)
}

fn message(event: Event) -> Message {
    let event = event.new;
    let context: TraceContext = event.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let span = within(&context, tracing::debug_span!("publish", event.kind = %event.kind));
    let context = context_of(&span, &context);
    Message {
        id: event.id.clone(),
        topic: format!("hr.{}", event.kind),
        tenant: event.tenant.clone(),
        key: format!("{}/{}", event.entity, event.record),
        trace: context.to_string(),
        body: EventMessage::of(&event, context).to_cloud_event().into_bytes(),
    }
}
