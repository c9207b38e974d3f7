//! How messages travel between the hub's parts.
//!
//! - [`Embedded`]: an append-only log on disk with group fsync; nothing to install.
//! - [`Rabbit`]: RabbitMQ with quorum queues and publisher confirms; while the broker is away, messages go into a
//!   log like the embedded one and follow when it is back.
//!
//! Both promise the same: a message is durable when [`Bus::publish`] returns; each [`Consumer`] gets every message of
//! its topics at least once, in order per key; what was not acknowledged comes again. Tries, delays and parking are
//! not the bus's business: a consumer moves deliveries into the store and acknowledges.

mod embedded;
mod error;
mod log;
mod message;
mod rabbit;
mod spool;
pub mod topology;

pub use embedded::Embedded;
pub use error::BusError;
pub use log::copy::{LogCopy, LogFill, in_use};
pub use message::{Consumer, Delivery, Message, partition_of, topic_matches};
pub use rabbit::{Broker, MARK_TOPIC, Moved, Rabbit, RabbitOptions, apply, mark, mark_name, plan, probe};
pub use spool::READER as SPOOL_READER;
pub use topology::Topology;

use async_trait::async_trait;

/// Bytes of bodies in one batch of deliveries, beside its last one.
pub(crate) const MAX_BATCH_BYTES: usize = 16 << 20;

/// A bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Sends messages; when it returns, they are durable. Messages of one call keep their order per key.
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError>;

    /// The deliveries of a consumer that was named when the bus was opened.
    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn Subscription>, BusError>;

    /// How the bus is, for `/readyz` and metrics.
    fn health(&self) -> Health;
}

/// The deliveries of one consumer.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for deliveries and gives up to `max` of them; fewer where they are large.
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, BusError>;

    /// Everything given out so far was taken over; it does not come again.
    async fn acknowledge(&mut self) -> Result<(), BusError>;
}

/// How a bus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `embedded` or `rabbitmq`.
    pub kind: &'static str,
    /// Whether messages travel now.
    pub connected: bool,
    /// Messages that wait on this disk for the broker.
    pub spooled: u64,
    /// Messages that the broker's queues gave up on, which nobody reads.
    pub dead: u64,
    /// What keeps messages from travelling although the broker is there, and what to do.
    pub trouble: Option<String>,
}
