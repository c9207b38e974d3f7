//! What one consumer gets: all its partition queues over one channel.
//!
//! The broker counts how many messages may be under way, not how large they are. So the count is made for the largest
//! body that was seen lately, and begins low; a consumer of small messages soon gets more.

use super::connect::within;
use super::reading::Reading;
use super::{Shared, View};
use crate::error::BusError;
use crate::message::{Delivery, Message};
use crate::topology::queue_name;
use crate::{MAX_BATCH_BYTES, Subscription};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, once};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of deliveries under way to one subscription, as far as the sizes of the last ones foretell.
const UNDERWAY_BYTES: usize = 64 << 20;
/// Deliveries under way from one queue.
const MOST: u16 = 64;
/// The body that is reckoned with before any was seen.
const FIRST_GUESS: usize = 1 << 20;
/// So many messages in a row must be small before more are asked for.
const SURE_AFTER: u32 = 200;

pub(super) struct Deliveries {
    shared: Arc<Shared>,
    consumer: String,
    open: Option<Open>,
    /// Bytes of the largest body lately, and the largest since the last look back.
    largest: usize,
    lately: (usize, u32),
}

/// The deliveries of all queues; `None` when one has ended.
type Streams = SelectAll<BoxStream<'static, Option<lapin::Result<lapin::message::Delivery>>>>;

struct Open {
    /// What the channel lives on.
    connection: Arc<Connection>,
    reading: Reading<Streams>,
    /// Deliveries per queue that this channel was opened with.
    prefetch: u16,
    /// Numbers of deliveries that were given out and not acknowledged.
    given: Vec<u64>,
    /// All deliveries before this one were acknowledged, and of later ones these.
    next: u64,
    settled: BTreeSet<u64>,
}

impl Deliveries {
    pub(super) fn new(shared: Arc<Shared>, consumer: String) -> Self {
        Self { shared, consumer, open: None, largest: FIRST_GUESS, lately: (0, 0) }
    }

    fn prefetch(&self) -> u16 {
        let queues = usize::from(self.shared.partitions.max(1));
        u16::try_from(UNDERWAY_BYTES / (queues * self.largest.max(1))).unwrap_or(MOST).clamp(1, MOST)
    }

    /// Consumes all partitions over one channel of the present connection.
    async fn open(&mut self) -> Result<Open, BusError> {
        let mut views = self.shared.view.subscribe();
        let (connection, queues) = loop {
            let view = views.wait_for(is_ready).await.map_err(|_| BusError::Closed)?.clone();
            // A queue with other settings may give a key's messages to two consumers at once.
            let is_ours = |queue: &String| !view.drift.iter().any(|drift| drift.name == *queue);
            let all = (0..self.shared.partitions).map(|number| queue_name(&self.shared.prefix, &self.consumer, number));
            let queues: Vec<String> = all.filter(is_ours).collect();
            match view.connection {
                Some(connection) if !queues.is_empty() => break (connection, queues),
                _ => views.changed().await.map_err(|_| BusError::Closed)?,
            }
        };
        let channel = within("opening a channel", connection.create_channel()).await?;
        self.shared.reading().push(channel.clone());
        let prefetch = self.prefetch();
        match self.consume(&channel, prefetch, queues).await {
            Ok(streams) => {
                let (given, settled) = (Vec::new(), BTreeSet::new());
                Ok(Open { connection, reading: Reading { channel, streams }, prefetch, given, next: 1, settled })
            }
            Err(error) => {
                forget(&self.shared, &channel);
                let _ = within("closing a channel", channel.close(200, "".into())).await;
                Err(error)
            }
        }
    }

    async fn consume(&mut self, channel: &Channel, prefetch: u16, queues: Vec<String>) -> Result<Streams, BusError> {
        // A move that began meanwhile has closed the channel, or is seen now.
        if !is_ready(&self.shared.view.borrow()) {
            return Err(BusError::Away("queues are moved".to_owned()));
        }
        within("setting a prefetch", channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let mut streams = SelectAll::new();
        for queue in queues {
            let options = BasicConsumeOptions::default();
            let doing = format!("subscribing to queue {queue}");
            let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
            let stream = within(doing, consumer).await?;
            // Its end must be seen: the others go on.
            streams.push(stream.map(Some).chain(once(async { None })).boxed());
        }
        Ok(streams)
    }

    async fn deliveries(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        if self.open.as_ref().is_none_or(|open| !open.reading.channel.status().connected()) {
            // What was given out over the old channel is delivered again.
            self.open = Some(self.open().await?);
        }
        let Some(open) = &mut self.open else { return Err(BusError::Closed) };
        let mut views = self.shared.view.subscribe();
        let connection = Arc::clone(&open.connection);
        let is_another = |view: &View| !view.connection.as_ref().is_some_and(|now| Arc::ptr_eq(now, &connection));
        let first = tokio::select! {
            biased;
            first = open.reading.streams.next() => first,
            // One that hangs ends no stream; the keeper has given it up.
            _ = views.wait_for(is_another) => {
                forget(&self.shared, &open.reading.channel);
                self.open = None;
                return Err(BusError::Away("there is a new connection".to_owned()));
            }
        };
        let mut deliveries = Vec::new();
        let mut bytes = 0;
        let mut next = first;
        while let Some(delivery) = next {
            let Some(delivery) = delivery.transpose()? else {
                self.shared.look.notify_one();
                return Err(BusError::Away("the broker ended the consumer: a queue was removed".to_owned()));
            };
            bytes += delivery.data.len();
            open.given.push(delivery.delivery_tag);
            self.lately = (self.lately.0.max(delivery.data.len()), self.lately.1 + 1);
            deliveries.push(decode(delivery));
            if deliveries.len() >= max || bytes >= MAX_BATCH_BYTES {
                break;
            }
            // More only if it is there already.
            match futures::poll!(open.reading.streams.next()) {
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

    /// Acknowledges all that was given out.
    async fn settle(&mut self) -> Result<(), BusError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let given = std::mem::take(&mut open.given);
        open.settled.extend(&given);
        while open.settled.remove(&open.next) {
            open.next += 1;
        }
        // One acknowledgement for all up to the first that was not given out, the rest one by one.
        let (run, rest): (Vec<u64>, Vec<u64>) = given.into_iter().partition(|number| *number < open.next);
        let last = run.into_iter().max().map(|last| (last, true));
        let all = last.into_iter().chain(rest.into_iter().map(|number| (number, false)));
        let acks = all.map(|(number, multiple)| open.reading.channel.basic_ack(number, BasicAckOptions { multiple }));
        within("acknowledging", futures::future::try_join_all(acks)).await.map(drop)
    }

    /// Whether another number of deliveries under way fits the sizes that come; then the channel must be opened anew.
    fn fits_no_more(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        let (largest, count) = self.lately;
        if largest > self.largest || count >= SURE_AFTER {
            self.largest = largest;
            self.lately = (0, 0);
        }
        let wanted = self.prefetch();
        wanted < open.prefetch || wanted / 2 >= open.prefetch
    }

    /// Gives back what was not acknowledged, and waits until the broker has it: who subscribes next gets it first.
    async fn close(&mut self) {
        if let Some(open) = self.open.take() {
            forget(&self.shared, &open.reading.channel);
            let _ = within("closing a channel", open.reading.channel.close(200, "".into())).await;
        }
    }
}

/// Whether queues may be read.
fn is_ready(view: &View) -> bool {
    view.connection.is_some() && !view.moving
}

fn forget(shared: &Shared, channel: &Channel) {
    shared.reading().retain(|known| known.id() != channel.id() && known.status().connected());
}

fn decode(delivery: lapin::message::Delivery) -> Delivery {
    let properties = delivery.properties;
    let header = |name: &str| match properties.headers().as_ref().and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    };
    let message = Message {
        id: properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
        topic: header("topic"),
        tenant: header("tenant"),
        key: header("key"),
        trace: header("traceparent"),
        body: delivery.data,
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
                    self.close().await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                other => return other,
            }
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        // On a channel that has ended the broker delivers again; the store knows the message by its id.
        if self.settle().await.is_err() || self.fits_no_more() {
            self.close().await;
        }
        Ok(())
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            forget(&self.shared, &open.reading.channel);
        }
    }
}
