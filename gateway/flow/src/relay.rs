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

pub(crate) async fn run(hub: Arc<Hub>) {
    let mut held_until = 0;
    loop {
        match publish_some(&hub, &mut held_until).await {
            Ok(0) => {
                let _ = tokio::time::timeout(IDLE, hub.wake.events.notified()).await;
            }
            Ok(_) => {}
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

/// Publishes a batch; how many events it held.
async fn publish_some(hub: &Arc<Hub>, held_until: &mut i64) -> Result<usize, RelayError> {
    let events = hub.store.read(job!(|tx| { tx.unpublished_events(BATCH).await })).await?;
    if events.is_empty() {
        return Ok(0);
    }
    let now = hub.store_now();
    let lease = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
    if now > *held_until - lease / 2 {
        let (node, until) = (hub.node.clone(), now + lease);
        if !hub.store.write(job!(|tx| { tx.lease("relay", &node, now, until).await })).await? {
            return Ok(0);
        }
        *held_until = until;
    }
    let count = events.len();
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    hub.bus.publish(events.into_iter().map(message).collect()).await?;
    hub.store.write(job!(|tx| { tx.position_events(seqs).await })).await?;
    Ok(count)
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
