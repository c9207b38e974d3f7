//! Messages that were sent and not yet confirmed.
//!
//! The client library hands a returned message to whichever confirm is resolved next, which need not be its own. So
//! confirms are looked at in rounds: all that are there. A returned message is with a confirm that was resolved before
//! its own, or with its own; so in a round, and those before it, without one, every confirm is what it says. A round
//! with one says nothing about any of its messages. All messages of a channel go through one [`Flight`], which is what
//! keeps the numbers of confirms in step with the messages, too.

use super::Shared;
use crate::error::BusError;
use crate::message::{Message, partition_of};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

pub(crate) const PERSISTENT: u8 = 2;

type Landed = (u64, lapin::Result<Confirmation>);

/// What is under way over one channel.
#[derive(Default)]
pub(super) struct Flight {
    confirms: FuturesUnordered<BoxFuture<'static, Landed>>,
}

impl Flight {
    pub(super) fn is_empty(&self) -> bool {
        self.confirms.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.confirms.len()
    }

    /// Sends a message; it leaves when the flight is polled next, behind those launched before. `number` is what
    /// [`Flight::landed`] tells about it.
    pub(super) fn launch(&self, shared: &Shared, channel: &Channel, number: u64, of: &Arc<[Message]>, index: usize) {
        let Some(message) = of.get(index) else { return };
        let partition = partition_of(&message.tenant, &message.key, shared.partitions);
        let key = format!("{partition}.{}", message.topic);
        let properties = properties(message);
        // What nobody here wants may have no queue; everything else must find one.
        let mandatory = shared.consumers.iter().any(|consumer| consumer.wants(&message.topic));
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let exchange = shared.topology.entrance();
        let (channel, of) = (channel.clone(), Arc::clone(of));
        self.confirms.push(Box::pin(async move {
            let body = of.get(index).map_or(&[][..], |message| message.body.as_slice());
            let sent = channel.basic_publish(exchange.into(), key.into(), options, body, properties).await;
            let confirmed = match sent {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            (number, confirmed)
        }));
    }

    /// The numbers of the messages that the broker has taken over in this round.
    ///
    /// # Errors
    /// One of them was not taken, or nobody can know which.
    pub(super) async fn landed(&mut self) -> Result<Vec<u64>, BusError> {
        let round: Vec<Landed> = poll_fn(|cx| {
            let mut round = Vec::new();
            while let Poll::Ready(Some(landed)) = self.confirms.poll_next_unpin(cx) {
                round.push(landed);
            }
            if round.is_empty() && !self.confirms.is_empty() { Poll::Pending } else { Poll::Ready(round) }
        })
        .await;
        let mut numbers = Vec::with_capacity(round.len());
        for (number, confirmed) in round {
            match confirmed? {
                Confirmation::Ack(None) => numbers.push(number),
                // The gate is shut, or somebody has removed a queue.
                Confirmation::Ack(Some(_)) => return Err(BusError::Topology("a message found no queue".to_owned())),
                // Such as a queue that is full.
                other => return Err(BusError::Topology(format!("the broker did not take a message: {other:?}"))),
            }
        }
        Ok(numbers)
    }
}

fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in
        [("tenant", &message.tenant), ("key", &message.key), ("topic", &message.topic), ("traceparent", &message.trace)]
    {
        headers.insert(name.into(), AMQPValue::LongString(value.as_str().into()));
    }
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message.id.as_str().into())
        .with_headers(headers)
}
