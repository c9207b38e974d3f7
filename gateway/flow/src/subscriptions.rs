//! Subscriptions: third parties are told of events by signed web hooks (<https://www.standardwebhooks.com>).
//!
//! [`Subscriptions`] reacts to every event: for each subscription that wants it, one outgoing call is written together
//! with the mark that the event was done, and the next number of the subscription's sequence. From there it is a call
//! like all others; [`deliver`] makes it. A record's events reach a subscriber in their order, each at least once and
//! always under the same `webhook-id`, the event's id. They carry ids, versions and names of fields; values only when
//! the subscription asks for them ([`fit`]), and only what its owner may read ([`choose`]).

mod choose;
pub(crate) mod deliver;
pub mod endpoint;
pub mod fit;
pub mod options;
pub(crate) mod pace;
mod stand;
pub mod types;

use crate::effects::{Effects, Failure, Telling, Told};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::react::Consumer;
use async_trait::async_trait;
pub use choose::REPLAYED;
pub use endpoint::Endpoint;
use hub_bus::Delivery;
use hub_kit::client::{Refusal, Target};
use hub_store::{NewCall, StoreError, Subscription, Tx, job};
use hub_tree::TraceContext;
use hub_tree::clock::rfc3339_micros;
pub use options::Options;
use options::Order;
use std::sync::Arc;

/// The connection of a call to a subscription is this and its id.
pub const CONNECTION: &str = "subscription/";
/// The operation of a call to a subscription.
pub(crate) const OPERATION: &str = "deliver";
/// Behind this in the reference of a delivery stands the id of a replay.
const AGAIN: char = '~';

/// Tells subscribers of events.
#[derive(Debug, Default)]
pub struct Subscriptions;

#[async_trait]
impl Consumer for Subscriptions {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.#"]
    }

    /// Most events concern nobody. A subscription that was made before an event is there when the event comes.
    async fn sift(&self, hub: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let Ok(wishes) = hub.store.read(job!(|tx| { tx.wished_types().await })).await else { return deliveries };
        let wanted = |delivery: &Delivery| {
            let (tenant, kind) = (&delivery.message.tenant, format!("{}.v1", delivery.message.topic));
            wishes.iter().any(|(whose, patterns)| whose == tenant && types::wants(patterns, &kind))
        };
        deliveries.into_iter().filter(wanted).collect()
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        effects.told = choose::choose(hub, event).await?;
        Ok(effects)
    }
}

/// Writes the calls that tell subscriptions (ordered by id) of an event. `message` is the event's id, or for one that
/// is replayed that id, `~` and the replay's. Returns how many were written.
pub(crate) async fn tell(
    hub: &Hub,
    tx: &mut Tx,
    event: &EventMessage,
    message: &str,
    subscriptions: Vec<Told>,
) -> Result<usize, StoreError> {
    let mut told = 0;
    for Told { id: subscription, what } in subscriptions {
        let what = match what {
            Ok(what) => what,
            Err(why) => {
                tx.note_unfit(&subscription, &why).await?;
                continue;
            }
        };
        // Disabled or deleted meanwhile.
        let Some((number, options)) = tx.next_in_sequence(&subscription).await? else { continue };
        let id = hub.ids.next().to_string();
        let text = match what {
            Telling::Thin => event.to_cloud_event_in_sequence(number),
            Telling::Data(data) => event.to_cloud_event_with(number, &data),
        };
        let order_key = match Options::read(&options).order {
            Order::Record => event.subject(),
            Order::None => id.clone(),
        };
        let body = hub.store.keyring().seal(&event.tenant, &format!("call:{id}"), text.as_bytes())?;
        let call = NewCall {
            id,
            tenant: event.tenant.clone(),
            connection: format!("{CONNECTION}{subscription}"),
            operation: OPERATION.to_owned(),
            key: message.to_owned(),
            order_key,
            created_at: hub.store_now(),
            trace: event.trace.to_string(),
            subject: event.subject(),
            body,
        };
        told += usize::from(tx.insert_call(call).await?);
    }
    Ok(told)
}

/// The id of the event that the reference of a delivery names.
#[must_use]
pub fn event_of(key: &str) -> &str {
    key.split(AGAIN).next().unwrap_or(key)
}

impl Hub {
    /// Whether a subscriber's address may be called.
    ///
    /// # Errors
    /// Why not.
    pub async fn check_target(&self, address: &str) -> Result<Target, Refusal> {
        self.client.check_target(address).await
    }

    /// Notes how deliveries to a subscription are paced from now on.
    pub fn note_pace(&self, id: &str, options: &Options) {
        self.subscribed.note(id, options);
    }

    /// Has calls that are due made at once.
    pub fn wake_calls(&self) {
        self.wake.calls.notify_one();
    }

    /// Sends a subscription an event of the type `hr.subscription.tested.v1` about itself; the event's id, or `None`
    /// when it is disabled or gone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn test_subscription(
        self: &Arc<Self>,
        subscription: &Subscription,
    ) -> Result<Option<(String, TraceContext)>, StoreError> {
        let trace = TraceContext::begin();
        let (id, of) = (self.ids.next().to_string(), &subscription.new);
        let event = EventMessage {
            id: id.clone(),
            tenant: of.tenant.clone(),
            kind: "subscription.tested".to_owned(),
            entity: "subscription".to_owned(),
            record: of.id.clone(),
            version: subscription.revision,
            connection: None,
            at: rfc3339_micros(self.clock.micros()),
            changed: Vec::new(),
            trace,
            replay: None,
        };
        let (hub, told) = (Arc::clone(self), vec![Told { id: of.id.clone(), what: Ok(Telling::Thin) }]);
        let message = id.clone();
        let sent = self.store.write(job!(|tx| { tell(&hub, tx, &event, &message, told).await })).await?;
        self.wake.calls.notify_one();
        Ok((sent > 0).then_some((id, trace)))
    }
}
