//! RabbitMQ: quorum queues, publisher confirms, manual acknowledgement. Reconnecting is ours: connection, channels,
//! topology, consumers.
//!
//! One topic exchange; each consumer has a fixed number of partition queues with a single active consumer, so that
//! order holds per key while work spreads over nodes. The routing key is `<partition>.<topic>`. Works on RabbitMQ 3.10
//! and uses only arguments that 4.x documents alike; the delivery limit is set by us, because 3.10 has no default.

use crate::error::BusError;
use crate::message::{Consumer, Delivery, Message, partition_of};
use crate::spool::Spool;
use crate::{Bus, Health, Subscription};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::SelectAll;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How to reach the broker and what to call things there.
#[derive(Clone, Debug)]
pub struct RabbitOptions {
    /// `amqp://user:password@host:port/vhost`.
    pub url: String,
    /// Begins the name of every exchange and queue.
    pub prefix: String,
    /// Partition queues per consumer. Changing it needs new queues.
    pub partitions: u16,
    /// The folder of the spool.
    pub spool: PathBuf,
}

/// Deliveries that may be under way to one subscription.
const PREFETCH: u16 = 512;
/// A backstop only: tries are counted in the store.
const DELIVERY_LIMIT: i32 = 100;
/// How long a publisher waits for the broker's word before it turns to the spool.
const CONFIRM_WITHIN: Duration = Duration::from_secs(3);
const PERSISTENT: u8 = 2;

/// The bus over RabbitMQ.
pub struct Rabbit {
    shared: Arc<Shared>,
    tasks: [AbortHandle; 2],
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

struct Shared {
    options: RabbitOptions,
    consumers: Vec<Consumer>,
    link: watch::Receiver<Option<Link>>,
    spool: Spool,
}

/// A living connection.
#[derive(Clone)]
struct Link {
    connection: Arc<Connection>,
    publishing: Channel,
}

impl Rabbit {
    /// Opens the bus. The broker may be away: messages are spooled until it comes.
    ///
    /// # Errors
    /// The spool's folder cannot be used.
    pub fn open(options: RabbitOptions, consumers: Vec<Consumer>) -> Result<Self, BusError> {
        let spool = Spool::open(&options.spool)?;
        let (sender, link) = watch::channel(None);
        let shared = Arc::new(Shared { options, consumers, link, spool });
        let connecting = tokio::spawn(keep_connected(Arc::clone(&shared), sender));
        let draining = tokio::spawn(drain_spool(Arc::clone(&shared)));
        Ok(Self { shared, tasks: [connecting.abort_handle(), draining.abort_handle()] })
    }
}

/// Connects, declares the topology, and does it again whenever the connection ends.
async fn keep_connected(shared: Arc<Shared>, sender: watch::Sender<Option<Link>>) {
    let mut wait = Duration::from_millis(100);
    loop {
        match connect(&shared).await {
            Ok(link) => {
                wait = Duration::from_millis(100);
                tracing::info!("connected to the message broker");
                let (connection, channel) = (Arc::clone(&link.connection), link.publishing.clone());
                sender.send_replace(Some(link));
                while connection.status().connected() && channel.status().connected() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                sender.send_replace(None);
                tracing::warn!("the connection to the message broker ended");
            }
            Err(error) => {
                tracing::warn!(error = %error, wait_ms = wait.as_millis(), "cannot connect to the message broker");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
            }
        }
    }
}

impl From<lapin::Error> for BusError {
    fn from(error: lapin::Error) -> Self {
        Self::Away(error.to_string())
    }
}

async fn connect(shared: &Shared) -> Result<Link, BusError> {
    let connecting = Connection::connect(&shared.options.url, ConnectionProperties::default());
    let connection = tokio::time::timeout(Duration::from_secs(10), connecting)
        .await
        .map_err(|_| BusError::Away("no answer within 10 s".to_owned()))??;
    let channel = connection.create_channel().await?;
    declare(&channel, shared).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(Link { connection: Arc::new(connection), publishing: channel })
}

fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// The topology, as it must be. A queue of the same name with other settings is an error, never changed silently.
async fn declare(channel: &Channel, shared: &Shared) -> Result<(), BusError> {
    let topology = |error: lapin::Error| BusError::Topology(error.to_string());
    let prefix = &shared.options.prefix;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    for (name, kind) in [("topic", ExchangeKind::Topic), ("dead", ExchangeKind::Fanout)] {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let name = format!("{prefix}.{name}");
        channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await.map_err(topology)?;
    }
    let dead = format!("{prefix}.dead");
    let arguments = table([("x-queue-type", text("quorum"))]);
    channel.queue_declare(dead.as_str().into(), durable, arguments).await.map_err(topology)?;
    channel
        .queue_bind(
            dead.as_str().into(),
            dead.as_str().into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .map_err(topology)?;
    for consumer in &shared.consumers {
        for partition in 0..shared.options.partitions {
            let queue = queue_name(prefix, &consumer.name, partition);
            let arguments = table([
                ("x-queue-type", text("quorum")),
                ("x-single-active-consumer", AMQPValue::Boolean(true)),
                ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
                ("x-dead-letter-exchange", text(&dead)),
                // Dead-lettering itself must not lose messages.
                ("x-dead-letter-strategy", text("at-least-once")),
                ("x-overflow", text("reject-publish")),
            ]);
            channel.queue_declare(queue.as_str().into(), durable, arguments).await.map_err(topology)?;
            for pattern in &consumer.topics {
                let exchange = format!("{prefix}.topic");
                let key = format!("{partition}.{pattern}");
                channel
                    .queue_bind(
                        queue.as_str().into(),
                        exchange.into(),
                        key.into(),
                        QueueBindOptions::default(),
                        FieldTable::default(),
                    )
                    .await
                    .map_err(topology)?;
            }
        }
    }
    Ok(())
}

fn queue_name(prefix: &str, consumer: &str, partition: u16) -> String {
    format!("{prefix}.{consumer}.{partition}")
}

/// Hands spooled messages to the broker, in order.
async fn drain_spool(shared: Arc<Shared>) {
    let own = &shared;
    let send = |messages: Vec<Message>| async move {
        let mut wait = Duration::from_millis(50);
        while let Err(error) = own.send(&messages).await {
            tracing::debug!(error = %error, waiting = messages.len(), "spooled messages wait");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
    };
    // A full disk, for one, keeps it from noting how far it has come; that passes.
    while let Err(error) = shared.spool.drain(send).await {
        tracing::error!(error = %error, "the spool cannot be drained now");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

impl Shared {
    /// Sends messages and waits for the broker's word on all of them; confirms of many callers are under way at once.
    async fn send(&self, messages: &[Message]) -> Result<(), BusError> {
        let link = self.link.borrow().clone().ok_or_else(|| BusError::Away("not connected".to_owned()))?;
        let exchange = format!("{}.topic", self.options.prefix);
        let sending = async {
            let mut confirms = Vec::with_capacity(messages.len());
            for message in messages {
                let partition = partition_of(&message.tenant, &message.key, self.options.partitions);
                let headers = table([
                    ("tenant", text(&message.tenant)),
                    ("key", text(&message.key)),
                    ("topic", text(&message.topic)),
                    ("traceparent", text(&message.trace)),
                ]);
                let properties = BasicProperties::default()
                    .with_delivery_mode(PERSISTENT)
                    .with_message_id(message.id.as_str().into())
                    .with_headers(headers);
                let key = format!("{partition}.{}", message.topic);
                let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let confirm = link
                    .publishing
                    .basic_publish(exchange.as_str().into(), key.into(), options, &message.body, properties)
                    .await?;
                confirms.push(confirm);
            }
            for confirm in confirms {
                match confirm.await? {
                    Confirmation::Ack(None) => {}
                    // Every topic has a queue of ours; somebody must have removed it.
                    Confirmation::Ack(Some(_)) => {
                        return Err(BusError::Topology("a message found no queue".to_owned()));
                    }
                    other => return Err(BusError::Away(format!("the broker did not take a message: {other:?}"))),
                }
            }
            Ok(())
        };
        tokio::time::timeout(CONFIRM_WITHIN, sending)
            .await
            .unwrap_or_else(|_| Err(BusError::Away("no confirm in time".to_owned())))
    }
}

#[async_trait]
impl Bus for Rabbit {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        // While earlier messages wait on disk, later ones go behind them.
        if self.shared.spool.waiting() == 0 {
            match self.shared.send(&messages).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(error = %error, "the broker is away: spooling"),
            }
        }
        // What the broker took without saying so comes twice; consumers know it by its id.
        self.shared.spool.keep(&messages).await
    }

    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn Subscription>, BusError> {
        if !self.shared.consumers.iter().any(|known| known.name == consumer) {
            return Err(BusError::NoConsumer(consumer.to_owned()));
        }
        let shared = Arc::clone(&self.shared);
        Ok(Box::new(Deliveries { shared, consumer: consumer.to_owned(), open: None, outstanding: Vec::new() }))
    }

    fn health(&self) -> Health {
        let connected = self.shared.link.borrow().is_some();
        Health { kind: "rabbitmq", connected, spooled: self.shared.spool.waiting() }
    }
}

struct Deliveries {
    shared: Arc<Shared>,
    consumer: String,
    open: Option<Open>,
    outstanding: Vec<Acker>,
}

struct Open {
    channel: Channel,
    streams: SelectAll<lapin::Consumer>,
}

impl Deliveries {
    /// Consumes all partitions over one channel of the present connection.
    async fn open(&self) -> Result<Open, BusError> {
        let mut link = self.shared.link.clone();
        let connection = loop {
            let current = link.borrow_and_update().clone();
            if let Some(current) = current {
                break current.connection;
            }
            link.changed().await.map_err(|_| BusError::Closed)?;
        };
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let mut streams = SelectAll::new();
        for partition in 0..self.shared.options.partitions {
            let queue = queue_name(&self.shared.options.prefix, &self.consumer, partition);
            let consumer = channel
                .basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
                .await?;
            streams.push(consumer);
        }
        Ok(Open { channel, streams })
    }

    async fn deliveries(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        if self.open.as_ref().is_none_or(|open| !open.channel.status().connected()) {
            // What was outstanding on the old channel will be delivered again.
            self.outstanding.clear();
            self.open = Some(self.open().await?);
        }
        let Some(open) = &mut self.open else { return Err(BusError::Closed) };
        let mut deliveries = Vec::new();
        let mut next = open.streams.next().await;
        while let Some(delivery) = next {
            let delivery = delivery?;
            deliveries.push(decode(&delivery));
            self.outstanding.push(delivery.acker);
            if deliveries.len() >= max {
                break;
            }
            // More only if it is there already.
            match futures::poll!(open.streams.next()) {
                std::task::Poll::Ready(more) => next = more,
                std::task::Poll::Pending => break,
            }
        }
        if deliveries.is_empty() {
            Err(BusError::Away("the consumer was cancelled".to_owned()))
        } else {
            Ok(deliveries)
        }
    }
}

fn decode(delivery: &lapin::message::Delivery) -> Delivery {
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    let header = |name: &str| match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    };
    let message = Message {
        id: delivery.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
        topic: header("topic"),
        tenant: header("tenant"),
        key: header("key"),
        trace: header("traceparent"),
        body: delivery.data.clone(),
    };
    Delivery { message, again: delivery.redelivered }
}

#[async_trait]
impl Subscription for Deliveries {
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        loop {
            match self.deliveries(max).await {
                Err(BusError::Away(error)) => {
                    tracing::debug!(error = %error, consumer = %self.consumer, "subscribing again");
                    self.open = None;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                other => return other,
            }
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        for acker in self.outstanding.drain(..) {
            // On a channel that has ended the broker delivers again; the store knows the message by its id.
            if acker.ack(BasicAckOptions::default()).await.is_err() {
                self.open = None;
                break;
            }
        }
        self.outstanding.clear();
        Ok(())
    }
}

impl Drop for Deliveries {
    /// Closing the channel gives back what was not acknowledged.
    fn drop(&mut self) {
        if let Some(open) = self.open.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let _ = open.channel.close(200, "unsubscribed".into()).await;
            });
        }
    }
}
