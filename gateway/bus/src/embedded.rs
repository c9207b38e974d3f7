//! The bus of one process: a log, and a cursor per consumer.

use crate::error::BusError;
use crate::log::{Log, Place};
use crate::message::{Consumer, Delivery, Message};
use crate::{Bus, Health, Subscription};
use async_trait::async_trait;
use std::path::Path;
use tokio::sync::watch;

/// The embedded bus.
pub struct Embedded {
    log: Log,
    consumers: Vec<Consumer>,
}

impl Embedded {
    /// Opens the bus in a folder of its own.
    ///
    /// # Errors
    /// The folder cannot be used, is in use, or holds a damaged log.
    pub fn open(folder: &Path, consumers: Vec<Consumer>) -> Result<Self, BusError> {
        let log = Log::open(folder)?;
        for consumer in &consumers {
            // From now on nothing that this consumer has not read is removed.
            log.cursor(&consumer.name)?;
        }
        Ok(Self { log, consumers })
    }
}

#[async_trait]
impl Bus for Embedded {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        self.log.append(messages.iter().map(Message::encode).collect()).await
    }

    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn Subscription>, BusError> {
        let found = self.consumers.iter().find(|known| known.name == consumer);
        let consumer = found.ok_or_else(|| BusError::NoConsumer(consumer.to_owned()))?.clone();
        Ok(Box::new(Follow::new(self.log.clone(), consumer)?))
    }

    fn health(&self) -> Health {
        Health { kind: "embedded", connected: true, spooled: 0, dead: 0, trouble: None }
    }
}

/// Follows the log as one consumer.
pub(crate) struct Follow {
    log: Log,
    consumer: Consumer,
    /// Acknowledged up to here.
    done: Place,
    /// Given out up to here.
    given: Place,
    end: watch::Receiver<Place>,
    /// Frames before this may have been given out by an earlier subscription.
    again_before: u64,
}

impl Follow {
    pub(crate) fn new(log: Log, consumer: Consumer) -> Result<Self, BusError> {
        let done = log.cursor(&consumer.name)?;
        let again_before = log.end().sequence;
        Ok(Self { end: log.watch_end(), log, consumer, done, given: done, again_before })
    }
}

#[async_trait]
impl Subscription for Follow {
    async fn next(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        loop {
            let (log, from) = (self.log.clone(), self.given);
            let read = tokio::task::spawn_blocking(move || log.read(from, max)).await;
            let (payloads, place) = read.map_err(|_| BusError::Closed)??;
            let mut deliveries = Vec::new();
            for (sequence, payload) in (self.given.sequence..).zip(&payloads) {
                let message = Message::decode(payload)?;
                if self.consumer.wants(&message.topic) {
                    deliveries.push(Delivery { message, again: sequence < self.again_before });
                }
            }
            let passed_over = deliveries.is_empty() && place != self.given;
            let nothing_outstanding = self.done == self.given;
            self.given = place;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            if passed_over && nothing_outstanding {
                // Messages for others; they need no acknowledgement of this consumer's.
                self.acknowledge().await?;
            }
            if payloads.is_empty() && self.end.changed().await.is_err() {
                return Err(BusError::Closed);
            }
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        if self.given != self.done {
            let (log, name, place) = (self.log.clone(), self.consumer.name.clone(), self.given);
            let moved = tokio::task::spawn_blocking(move || log.advance(&name, place)).await;
            moved.map_err(|_| BusError::Closed)??;
            self.done = self.given;
        }
        Ok(())
    }
}
