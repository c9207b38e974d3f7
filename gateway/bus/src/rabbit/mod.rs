//! RabbitMQ: quorum queues, publisher confirms, manual acknowledgement. Reconnecting is ours: connection, channels,
//! topology, consumers.
//!
//! Each consumer has a fixed number of partition queues with a single active consumer, so that order holds per key
//! while work spreads over nodes; [`crate::topology`] says which. Two connections are kept: one to look after the
//! topology and to consume, one to publish, because a broker in an alarm holds up connections that publish.
//!
//! - `keeper` connects, declares what is missing, and knows what stands in the way of publishing; `suspects` keeps
//!   a queue that cannot be declared from taking the others along;
//! - `publisher` sends, and decides alone whether a message goes to the broker or behind the spool;
//! - `deliveries` consumes; `moving` makes queues anew when an argument must change.

mod connect;
mod control;
mod deliveries;
mod flight;
mod keeper;
mod mark;
mod moving;
mod probe;
mod publisher;
mod reading;
mod suspects;

pub use mark::{MARK_TOPIC, mark, mark_name};
pub use moving::{Moved, apply, plan};
pub use probe::{Broker, probe};

use crate::error::BusError;
use crate::log::MAX_PAYLOAD;
use crate::message::{Consumer, Message};
use crate::spool::Spool;
use crate::topology::{Drift, Topology, Wrong};
use crate::{Bus, Health, Subscription};
use async_trait::async_trait;
use deliveries::Deliveries;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// How to reach the broker and what to call things there.
#[derive(Clone, Debug)]
pub struct RabbitOptions {
    /// `amqp://user:password@host:port/vhost`; for a cluster `host:port,host:port,…`.
    pub url: String,
    /// Begins the name of every exchange and queue.
    pub prefix: String,
    /// Partition queues per consumer. Changing it needs new queues.
    pub partitions: u16,
    /// The folder of the spool.
    pub spool: PathBuf,
}

/// The bus over RabbitMQ.
pub struct Rabbit {
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<Job>,
    tasks: [AbortHandle; 2],
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What all parts of the bus share.
struct Shared {
    addresses: Vec<AMQPUri>,
    partitions: u16,
    prefix: String,
    consumers: Vec<Consumer>,
    topology: Topology,
    spool: Spool,
    /// How the broker is, as the keeper sees it.
    view: watch::Sender<View>,
    /// Asks the keeper to look at the topology now.
    look: Notify,
    /// The channels of the subscriptions.
    reading: Mutex<Vec<Channel>>,
}

/// How the broker is.
#[derive(Clone, Default)]
struct View {
    /// The connection for consumers, while it lives.
    connection: Option<Arc<Connection>>,
    /// Whether somebody moves queues: nothing may be published, and nobody may hold a queue.
    moving: bool,
    /// What is there and is not ours.
    drift: Arc<Vec<Drift>>,
    /// Messages in the dead-letter queue.
    dead: u64,
}

impl View {
    /// Whether messages may be published.
    fn is_open(&self) -> bool {
        self.connection.is_some() && !self.moving && self.drift.is_empty()
    }

    /// What a person must know, and do.
    fn trouble(&self) -> Option<String> {
        if self.moving {
            return Some(
                "queues are being moved: messages wait on this disk; if no `hrhub topology apply` runs, run it again"
                    .to_owned(),
            );
        }
        // While a queue is stuck, `apply` cannot mend the others.
        let stuck = self.drift.iter().find(|drift| matches!(drift.wrong, Wrong::Stuck(_)));
        let first = stuck.or(self.drift.first())?;
        let more = self.drift.len() - 1;
        let what = match stuck {
            Some(_) => "the broker cannot declare a queue, so messages wait on this disk",
            None => "the broker's topology is not ours, so messages wait on this disk; run `hrhub topology apply`",
        };
        let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
        Some(format!("{what}: {first}{rest}"))
    }
}

/// Messages of one call, and who waits for them.
struct Job {
    messages: Arc<[Message]>,
    done: oneshot::Sender<Result<(), BusError>>,
}

impl Rabbit {
    /// Opens the bus. The broker may be away: messages are spooled until it comes.
    ///
    /// # Errors
    /// The spool's folder or the address cannot be used.
    pub fn open(options: RabbitOptions, consumers: Vec<Consumer>) -> Result<Self, BusError> {
        let RabbitOptions { url, prefix, partitions, spool } = options;
        let shared = Arc::new(Shared {
            addresses: connect::addresses(&url)?,
            topology: Topology::new(&prefix, &consumers, partitions),
            partitions,
            prefix,
            consumers,
            spool: Spool::open(&spool)?,
            view: watch::Sender::new(View::default()),
            look: Notify::new(),
            reading: Mutex::default(),
        });
        let (jobs, waiting) = mpsc::unbounded_channel();
        let keeping = tokio::spawn(keeper::keep(Arc::clone(&shared)));
        let publishing = tokio::spawn(publisher::run(Arc::clone(&shared), waiting));
        Ok(Self { shared, jobs, tasks: [keeping.abort_handle(), publishing.abort_handle()] })
    }
}

impl From<lapin::Error> for BusError {
    fn from(error: lapin::Error) -> Self {
        Self::Away(error.to_string())
    }
}

impl Shared {
    fn reading(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Bus for Rabbit {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        // The spool must be able to take it.
        if let Some(large) = messages.iter().find(|message| message.encoded_len() > MAX_PAYLOAD) {
            return Err(BusError::TooLarge(large.encoded_len()));
        }
        if messages.is_empty() {
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        let job = Job { messages: messages.into(), done };
        self.jobs.send(job).map_err(|_| BusError::Closed)?;
        answer.await.map_err(|_| BusError::Closed)?
    }

    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn Subscription>, BusError> {
        if !self.shared.consumers.iter().any(|known| known.name == consumer) {
            return Err(BusError::NoConsumer(consumer.to_owned()));
        }
        Ok(Box::new(Deliveries::new(Arc::clone(&self.shared), consumer.to_owned())))
    }

    fn health(&self) -> Health {
        let view = self.shared.view.borrow();
        Health {
            kind: "rabbitmq",
            connected: view.is_open(),
            spooled: self.shared.spool.waiting(),
            dead: view.dead,
            trouble: view.trouble(),
        }
    }
}
