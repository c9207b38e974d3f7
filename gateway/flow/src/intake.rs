//! Step 2a: payloads move from the bus into the store. The unique key over tenant, connection and dedupe id is the
//! authority on repetitions.

use crate::hub::Hub;
use crate::journey::{Steps, Went};
use hub_bus::Delivery;
use hub_expr::Cx;
use hub_expr::Located;
use hub_kit::manifest::Webhook;
use hub_kit::{Connection, RawEnvelope};
use hub_store::{NewParked, NewRaw, NewWork, Sealed, job};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// The bus's name for this consumer.
pub const CONSUMER: &str = "intake";
/// What it reads.
pub const TOPICS: &[&str] = &["raw.#"];
/// The inbox's name for the next step.
pub const MAP: &str = "map";
const BATCH: usize = 256;

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
                    take(&hub, deliveries).await;
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

/// Moves a batch into the store; returns when it is there.
async fn take(hub: &Arc<Hub>, deliveries: Vec<Delivery>) {
    let mut raws = Vec::with_capacity(deliveries.len());
    let mut work = Vec::with_capacity(deliveries.len());
    let mut steps = Vec::with_capacity(deliveries.len());
    let mut unreadable = Vec::new();
    for delivery in deliveries {
        match prepare(hub, &delivery) {
            Ok((raw, item, step)) => {
                raws.push(raw);
                work.push(item);
                steps.push(step);
            }
            Err(reason) => unreadable.push(park(hub, &delivery, reason)),
        }
    }
    loop {
        let (raws, work, steps, unreadable) = (raws.clone(), work.clone(), steps.clone(), unreadable.clone());
        let written = hub.store.write(job!(|tx| {
            let new = tx.insert_raws(raws).await?;
            let is_new = |id: &String| new.contains(id);
            tx.insert_work(work.into_iter().filter(|item| is_new(&item.message)).collect()).await?;
            let steps = steps.into_iter().filter(|(id, _)| is_new(id)).flat_map(|(_, steps)| steps.into_vec());
            tx.add_steps(steps.collect()).await?;
            for parked in unreadable {
                tx.park(parked).await?;
            }
            Ok(())
        }));
        match written.await {
            Ok(()) => break,
            // The messages stay on the bus until the store takes them.
            Err(error) => {
                tracing::warn!(error = %error, "the store does not take payloads in");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
    hub.wake.work.notify_one();
}

type Prepared = (NewRaw, NewWork, (String, Steps));

fn prepare(hub: &Hub, delivery: &Delivery) -> Result<Prepared, &'static str> {
    let message = &delivery.message;
    let opened = hub.open(&message.tenant, &format!("raw:{}", message.id), &message.body);
    let opened = opened.map_err(|_| "the payload cannot be opened: the master key has changed")?;
    let envelope = RawEnvelope::decode(&opened).ok_or("the payload is not in a form this program knows")?;
    let connection_id = message.topic.strip_prefix("raw.").unwrap_or_default();
    let sha256 = hex::encode(Sha256::digest(&envelope.body));
    let connection = hub.connection(connection_id);
    let (dedupe, order_key) = keys(connection.as_deref(), &envelope, &sha256, connection_id);
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
        body: String::new(),
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
    Ok((raw, work, (message.id.clone(), steps)))
}

/// The dedupe id and the order key of a payload, as the manifest says.
fn keys(connection: Option<&Connection>, envelope: &RawEnvelope, sha256: &str, default: &str) -> (String, String) {
    let Some((connection, webhook)) = connection.and_then(|known| Some((known, known.manifest.webhook.as_ref()?)))
    else {
        return (format!("sha256:{sha256}"), default.to_owned());
    };
    let arena = Arena::new();
    let payload = json::read(&arena, &envelope.body, Limits::default()).unwrap_or_default();
    let headers = envelope.headers_value(&arena);
    let text = |located: &Option<Located>| {
        let value = hook_value(connection, &arena, payload, headers, located.as_ref()?).ok()?;
        value.scalar_text(&arena).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let dedupe = text(&webhook.dedupe).unwrap_or_else(|| hashed(webhook, envelope, sha256));
    // Equal keys of different connections have nothing to do with each other.
    let order_key = text(&webhook.order_key).map_or_else(|| default.to_owned(), |key| format!("{default}/{key}"));
    (dedupe, order_key)
}

/// Without an id of the vendor's: the same body within the vendor's retry horizon is a repetition, later it is news.
fn hashed(webhook: &Webhook, envelope: &RawEnvelope, sha256: &str) -> String {
    let horizon = webhook.retry_horizon_hours * 3_600_000_000;
    format!("sha256:{sha256}:{}", envelope.received_at / horizon)
}

fn park(hub: &Hub, delivery: &Delivery, reason: &str) -> NewParked {
    let message = &delivery.message;
    tracing::error!(message.id = %message.id, reason, "a payload was parked");
    let context: Option<TraceContext> = message.trace.parse().ok();
    NewParked {
        // The same message parked twice is parked once.
        id: message.id.clone(),
        tenant: message.tenant.clone(),
        connection: message.topic.strip_prefix("raw.").unwrap_or_default().to_owned(),
        step: CONSUMER.to_owned(),
        code: "UNREADABLE_MESSAGE".to_owned(),
        reason: reason.to_owned(),
        place: String::new(),
        trace: context.map(|context| context.id()).unwrap_or_default(),
        kind: "raw".to_owned(),
        reference: message.id.clone(),
        at: hub.clock.micros(),
    }
}

/// What a webhook's expressions say of an opened payload.
pub(crate) fn hook_value<'a>(
    connection: &Connection,
    arena: &'a Arena,
    payload: Value<'a>,
    headers: Value<'a>,
    located: &'a Located,
) -> Result<Value<'a>, hub_expr::EvalError> {
    located.expr.eval(&mut Cx::new(arena, vec![connection.settings(arena), payload, headers]))
}
