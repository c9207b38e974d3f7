//! Looking at what stands at the broker, and declaring it. A refusal closes the channel that it came over: each
//! [`Control`] opens another when it needs one.

use super::connect::{failed, within};
use super::suspects::Suspects;
use crate::error::BusError;
use crate::topology::{Argument, Drift, Exchange, Queue, Topology, Wrong, difference};
use lapin::options::{
    ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};
use std::sync::Arc;

const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;

/// What the broker said to a request.
pub(crate) enum Said<T> {
    Yes(T),
    /// A refusal: its number and text.
    No(u16, String),
}

/// How a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Messages that wait; those under way to a consumer are not among them.
    pub(crate) messages: u32,
    pub(crate) consumers: u32,
}

pub(crate) struct Control {
    connection: Arc<Connection>,
    channel: Option<Channel>,
}

impl Control {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, channel: None }
    }

    /// Asks the broker for something; an error says that it happened while `doing` that.
    pub(crate) async fn ask<T, F, R>(&mut self, doing: String, request: F) -> Result<Said<T>, BusError>
    where
        F: FnOnce(Channel) -> R,
        R: Future<Output = lapin::Result<T>>,
    {
        let channel = match self.channel.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => within(&doing, self.connection.create_channel()).await?,
        };
        match within(&doing, async { Ok(request(channel.clone()).await) }).await? {
            Ok(value) => {
                self.channel = Some(channel);
                Ok(Said::Yes(value))
            }
            Err(error) => match error.kind() {
                ErrorKind::ProtocolError(refusal) if error.is_amqp_soft_error() => {
                    Ok(Said::No(refusal.get_id(), refusal.get_message().to_string()))
                }
                _ => Err(failed(&error, doing)),
            },
        }
    }

    /// How a queue is, if it is there.
    pub(crate) async fn queue(&mut self, name: &str) -> Result<Option<Counts>, BusError> {
        let options = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
        let said = self.ask(format!("looking at queue {name}"), |channel| async move {
            channel.queue_declare(name.into(), options, FieldTable::default()).await
        });
        match said.await? {
            Said::Yes(queue) => Ok(Some(Counts { messages: queue.message_count(), consumers: queue.consumer_count() })),
            Said::No(NOT_FOUND, _) => Ok(None),
            Said::No(_, text) => Err(BusError::Topology(text)),
        }
    }

    pub(crate) async fn has_exchange(&mut self, name: &str) -> Result<bool, BusError> {
        let options = ExchangeDeclareOptions { passive: true, durable: true, ..ExchangeDeclareOptions::default() };
        let said = self.ask(format!("looking at exchange {name}"), |channel| async move {
            channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default()).await
        });
        match said.await? {
            Said::Yes(()) => Ok(true),
            Said::No(NOT_FOUND, _) => Ok(false),
            Said::No(_, text) => Err(BusError::Topology(text)),
        }
    }

    /// Declares a queue: makes it when it is missing, and finds what differs when it is there.
    pub(crate) async fn declare_queue(&mut self, queue: &Queue) -> Result<Option<Wrong>, BusError> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let name = queue.name.as_str();
        let said = self.ask(format!("declaring queue {name}"), |channel| async move {
            channel.queue_declare(name.into(), options, arguments(queue)).await
        });
        refused(said.await?)
    }

    pub(crate) async fn declare_exchange(&mut self, exchange: &Exchange) -> Result<Option<Wrong>, BusError> {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let kind = if exchange.kind == "fanout" { ExchangeKind::Fanout } else { ExchangeKind::Topic };
        let name = exchange.name.as_str();
        let said = self.ask(format!("declaring exchange {name}"), |channel| async move {
            channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await
        });
        refused(said.await?)
    }

    /// Binds a queue to all that it must be bound to.
    pub(crate) async fn bind(&mut self, queue: &Queue) -> Result<(), BusError> {
        for (exchange, key) in &queue.bindings {
            let said = self.ask(format!("binding queue {}", queue.name), |channel| async move {
                let (queue, exchange, key) = (queue.name.as_str(), exchange.as_str(), key.as_str());
                let options = QueueBindOptions::default();
                channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
            });
            granted(said.await?)?;
        }
        Ok(())
    }

    /// Takes a queue's bindings away: nothing reaches it any more.
    pub(crate) async fn unbind(&mut self, queue: &Queue) -> Result<(), BusError> {
        for (exchange, key) in &queue.bindings {
            let said = self.ask(format!("unbinding queue {}", queue.name), |channel| async move {
                let (queue, exchange, key) = (queue.name.as_str(), exchange.as_str(), key.as_str());
                channel.queue_unbind(queue.into(), exchange.into(), key.into(), FieldTable::default()).await
            });
            gone(said.await?)?;
        }
        Ok(())
    }

    /// Lets messages through.
    pub(crate) async fn open_gate(&mut self, topology: &Topology) -> Result<(), BusError> {
        let (from, to) = (topology.entrance(), topology.hall());
        let said = self.ask(format!("binding exchange {to}"), |channel| async move {
            let options = ExchangeBindOptions::default();
            channel.exchange_bind(to.into(), from.into(), "#".into(), options, FieldTable::default()).await
        });
        granted(said.await?)
    }

    /// From now on publishers get their messages back.
    pub(crate) async fn shut_gate(&mut self, topology: &Topology) -> Result<(), BusError> {
        let (from, to) = (topology.entrance(), topology.hall());
        let said = self.ask(format!("unbinding exchange {to}"), |channel| async move {
            let options = lapin::options::ExchangeUnbindOptions::default();
            channel.exchange_unbind(to.into(), from.into(), "#".into(), options, FieldTable::default()).await
        });
        gone(said.await?)
    }

    pub(crate) async fn empty(&mut self, queue: &str) -> Result<(), BusError> {
        let said = self.ask(format!("emptying queue {queue}"), |channel| async move {
            channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await
        });
        gone(said.await?)
    }

    /// Whether a move is under way.
    pub(crate) async fn moving(&mut self, topology: &Topology) -> Result<bool, BusError> {
        Ok(self.queue(&topology.gate()).await?.is_some_and(|gate| gate.messages > 0))
    }

    /// Declares what is missing, in a topology that nobody is moving. Gives what differs, which it leaves as it is;
    /// `None` when a move has begun. Suspects are asked for over connections of their own to `addresses`.
    pub(crate) async fn ensure(
        &mut self,
        topology: &Topology,
        addresses: &[AMQPUri],
        suspects: &mut Suspects,
    ) -> Result<Option<Vec<Drift>>, BusError> {
        let mut drift = Vec::new();
        for exchange in &topology.exchanges {
            if let Some(wrong) = self.declare_exchange(exchange).await? {
                drift.push(Drift { what: "exchange", name: exchange.name.clone(), wrong, messages: 0 });
            }
        }
        for queue in &topology.queues {
            // A queue that is being moved is missing for a moment: it must not be made anew behind the mover's back.
            if self.moving(topology).await? {
                return Ok(None);
            }
            match suspects.declare(self, addresses, queue).await? {
                None => self.bind(queue).await?,
                Some(wrong @ Wrong::Stuck(_)) => {
                    drift.push(Drift { what: "queue", name: queue.name.clone(), wrong, messages: 0 });
                }
                Some(wrong) => {
                    let messages = self.queue(&queue.name).await?.map_or(0, |counts| counts.messages);
                    drift.push(Drift { what: "queue", name: queue.name.clone(), wrong, messages });
                }
            }
        }
        if self.moving(topology).await? {
            return Ok(None);
        }
        self.open_gate(topology).await?;
        Ok(Some(drift))
    }

    /// What is not as it must be; changes nothing.
    pub(crate) async fn compare(&mut self, topology: &Topology) -> Result<Vec<Drift>, BusError> {
        let mut drift = Vec::new();
        for exchange in &topology.exchanges {
            let wrong = match self.has_exchange(&exchange.name).await? {
                false => Some(Wrong::Missing),
                true => self.declare_exchange(exchange).await?,
            };
            drift.extend(wrong.map(|wrong| Drift {
                what: "exchange",
                name: exchange.name.clone(),
                wrong,
                messages: 0,
            }));
        }
        for queue in &topology.queues {
            let counts = self.queue(&queue.name).await?;
            let aside = self.queue(&queue.aside().name).await?;
            let wrong = match (counts, aside) {
                (_, Some(aside)) => Some(Wrong::Unfinished(aside.messages)),
                (None, None) => Some(Wrong::Missing),
                (Some(_), None) => self.declare_queue(queue).await?,
            };
            let messages = counts.map_or(0, |counts| counts.messages);
            drift.extend(wrong.map(|wrong| Drift { what: "queue", name: queue.name.clone(), wrong, messages }));
        }
        if self.moving(topology).await? {
            drift.push(Drift { what: "gate", name: topology.gate(), wrong: Wrong::Unfinished(0), messages: 1 });
        }
        Ok(drift)
    }
}

fn arguments(queue: &Queue) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in &queue.arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongInt(*number),
            Argument::Flag(flag) => AMQPValue::Boolean(*flag),
        };
        table.insert((*name).into(), value);
    }
    table
}

/// What the broker has other than what was declared, if it has.
fn refused<T>(said: Said<T>) -> Result<Option<Wrong>, BusError> {
    match said {
        Said::Yes(_) => Ok(None),
        Said::No(PRECONDITION_FAILED, text) => Ok(Some(difference(&text))),
        Said::No(_, text) => Err(BusError::Topology(text)),
    }
}

pub(crate) fn granted<T>(said: Said<T>) -> Result<T, BusError> {
    match said {
        Said::Yes(value) => Ok(value),
        Said::No(_, text) => Err(BusError::Topology(text)),
    }
}

/// As [`granted`]; what is not there is gone already.
pub(crate) fn gone<T>(said: Said<T>) -> Result<(), BusError> {
    match said {
        Said::Yes(_) | Said::No(NOT_FOUND, _) => Ok(()),
        Said::No(_, text) => Err(BusError::Topology(text)),
    }
}
