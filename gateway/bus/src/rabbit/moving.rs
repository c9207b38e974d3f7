//! Bringing the broker's topology in line with ours, without losing a message or the order of a key.
//!
//! A queue whose arguments differ must be deleted and made anew. Meanwhile nothing may reach it and nobody may read it:
//!
//! 1. a message is laid into `<prefix>.gate`, which all programs look at: they let go of their queues, and do not
//!    declare or bind anything; then the gate is shut, and what is published comes back to its publisher, who spools
//!    it;
//! 2. when programs have had time to see it and nobody reads the queue, its bindings go, its messages are moved to
//!    `<queue>.moving`, it is deleted, made anew, gets its messages back, and its bindings last;
//! 3. the gate is opened, and the message in `<prefix>.gate` is taken away.
//!
//! Broken off at any moment, the next run goes on by what it finds: messages aside with the old queue still there
//! belong before those in it; with the new one there, behind those in it. A message is acknowledged in one queue after
//! it is confirmed in the other, so it may exist twice, never not at all.

use super::connect::{addresses, connect, within};
use super::control::{Control, Said, gone, granted};
use super::flight::PERSISTENT;
use super::keeper::LOOK;
use super::reading::Reading;
use super::suspects::Suspects;
use crate::error::BusError;
use crate::topology::{Drift, Queue, Topology, Wrong};
use futures::StreamExt;
use futures::stream::SelectAll;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long programs have to see that a move has begun.
const SETTLE: Duration = LOOK.saturating_mul(4);
/// How long they have to let go of their queues after that.
const LET_GO_WITHIN: Duration = Duration::from_secs(20);
/// Messages that are moved at once; the largest have 12 MB.
const AT_ONCE: u16 = 32;
const RESOURCE_LOCKED: u16 = 405;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Lines for people, in order.
    pub done: Vec<String>,
    /// Messages in the dead-letter queue.
    pub dead: u64,
}

/// What differs between the broker and a topology, and how many messages lie in the dead-letter queue. Changes nothing.
///
/// # Errors
/// The address is bad, or the broker does not answer.
pub async fn plan(url: &str, topology: &Topology) -> Result<(Vec<Drift>, u64), BusError> {
    let connection = Arc::new(connect(&addresses(url)?, "topology").await?);
    let mut control = Control::new(Arc::clone(&connection));
    let drift = control.compare(topology).await?;
    let dead = control.queue(&topology.dead()).await?.map_or(0, |counts| u64::from(counts.messages));
    let _ = within("closing", connection.close(200, "".into())).await;
    Ok((drift, dead))
}

/// Makes the broker's topology the given one; `say` hears what is done. May be broken off at any moment and run again.
///
/// # Errors
/// The broker does not answer, refuses something, or somebody does not let go of a queue; then nothing was moved.
pub async fn apply(url: &str, topology: &Topology, say: impl Fn(&str) + Send + Sync) -> Result<Moved, BusError> {
    let connection = Arc::new(connect(&addresses(url)?, "topology").await?);
    let mut mover = Mover { control: Control::new(Arc::clone(&connection)), connection, topology, say };
    let done = mover.apply().await;
    let dead = mover.control.queue(&topology.dead()).await;
    // Closing it gives up the lock.
    let _ = within("closing", mover.connection.close(200, "".into())).await;
    Ok(Moved { done: done?, dead: dead?.map_or(0, |counts| u64::from(counts.messages)) })
}

struct Mover<'a, S> {
    control: Control,
    connection: Arc<Connection>,
    topology: &'a Topology,
    say: S,
}

impl<S> Drop for Mover<'_, S> {
    /// Gives up the lock also when the move is broken off.
    fn drop(&mut self) {
        let connection = Arc::clone(&self.connection);
        if connection.status().connected()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { within("closing", connection.close(200, "".into())).await });
        }
    }
}

impl<S: Fn(&str) + Send + Sync> Mover<'_, S> {
    async fn apply(&mut self) -> Result<Vec<String>, BusError> {
        self.lock().await?;
        let drift = self.control.compare(self.topology).await?;
        if drift.iter().all(|one| one.wrong == Wrong::Missing) {
            // Nothing is in the way: the same as `serve` does.
            self.control.ensure(self.topology, &[], &mut Suspects::default()).await?;
        } else {
            self.change(&drift).await?;
        }
        Ok(drift.iter().map(ToString::to_string).collect())
    }

    /// Keeps a second `apply` out for as long as this connection lives.
    async fn lock(&mut self) -> Result<(), BusError> {
        let name = self.topology.lock();
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let said = self.control.ask("taking the lock".to_owned(), |channel| async move {
            channel.queue_declare(name.into(), options, FieldTable::default()).await
        });
        match said.await? {
            Said::No(RESOURCE_LOCKED, _) => Err(BusError::Topology("another `topology apply` is under way".to_owned())),
            other => granted(other).map(drop),
        }
    }

    async fn change(&mut self, drift: &[Drift]) -> Result<(), BusError> {
        let topology = self.topology;
        let concerns = |queue: &&Queue| drift.iter().any(|one| one.name == queue.name && one.wrong != Wrong::Missing);
        let queues: Vec<&Queue> = topology.queues.iter().filter(concerns).collect();
        for exchange in &topology.exchanges {
            if drift.iter().any(|one| one.name == exchange.name && one.wrong == Wrong::Missing) {
                self.control.declare_exchange(exchange).await?;
            }
        }
        (self.say)("asking all programs to let go of their queues");
        self.mark().await?;
        self.control.shut_gate(topology).await?;
        tokio::time::sleep(SETTLE).await;
        // Somebody who looked just before the mark may have opened it again.
        self.control.shut_gate(topology).await?;
        let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
        if let Err(error) = self.wait_until_free(&names).await {
            if !drift.iter().any(|one| matches!(one.wrong, Wrong::Unfinished(_))) {
                self.finish().await?;
            }
            return Err(error);
        }
        for exchange in &topology.exchanges {
            if self.control.declare_exchange(exchange).await?.is_some() {
                (self.say)(&format!("making exchange {} anew", exchange.name));
                let name = exchange.name.as_str();
                let said = self.control.ask(format!("deleting exchange {name}"), |channel| async move {
                    channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await
                });
                gone(said.await?)?;
                self.control.declare_exchange(exchange).await?;
            }
        }
        for queue in queues {
            self.make_anew(queue).await?;
        }
        for queue in &topology.queues {
            if let Some(Wrong::Differs { setting, .. }) = self.control.declare_queue(queue).await? {
                return Err(BusError::Topology(format!("{} has another {setting} again", queue.name)));
            }
            self.control.bind(queue).await?;
        }
        self.finish().await
    }

    /// Says to all programs that a move is under way; outlives this process.
    async fn mark(&mut self) -> Result<(), BusError> {
        let gate = self.topology.gate();
        if let Some(queue) = self.topology.queues.iter().find(|queue| queue.name == gate) {
            self.control.declare_queue(queue).await?;
        }
        if self.control.moving(self.topology).await? {
            return Ok(());
        }
        let channel = within("opening a channel", self.connection.create_channel()).await?;
        within("asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        put(&channel, &gate, vec![(b"a move is under way".to_vec(), properties)]).await?;
        let _ = within("closing a channel", channel.close(200, "".into())).await;
        Ok(())
    }

    /// Lets messages through, and lets programs know.
    async fn finish(&mut self) -> Result<(), BusError> {
        self.control.open_gate(self.topology).await?;
        self.control.empty(&self.topology.gate()).await
    }

    async fn wait_until_free(&mut self, queues: &[&str]) -> Result<(), BusError> {
        let begun = Instant::now();
        for queue in queues {
            loop {
                let consumers = self.control.queue(queue).await?.map_or(0, |counts| counts.consumers);
                if consumers == 0 {
                    break;
                }
                if begun.elapsed() > LET_GO_WITHIN {
                    return Err(BusError::Held { queue: (*queue).to_owned(), consumers });
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Ok(())
    }

    /// Makes a queue anew with its messages, or goes on where an earlier run was broken off.
    async fn make_anew(&mut self, queue: &Queue) -> Result<(), BusError> {
        let aside = queue.aside();
        if self.control.queue(&queue.name).await?.is_some() && self.control.declare_queue(queue).await?.is_some() {
            (self.say)(&format!("making queue {} anew", queue.name));
            self.control.unbind(queue).await?;
            if self.control.declare_queue(&aside).await?.is_some() {
                return Err(BusError::Topology(format!("{} is not a queue of this program", aside.name)));
            }
            self.shovel(&queue.name, &aside.name).await?;
            self.delete(&queue.name).await?;
        }
        if self.control.queue(&aside.name).await?.is_some() {
            self.control.declare_queue(queue).await?;
            let count = self.shovel(&aside.name, &queue.name).await?;
            (self.say)(&format!("moved {count} messages to the new queue {}", queue.name));
            self.delete(&aside.name).await?;
        }
        Ok(())
    }

    /// Deletes a queue that was emptied.
    async fn delete(&mut self, name: &str) -> Result<(), BusError> {
        // The queue may hear late that the channel is closed over which this program read it.
        self.wait_until_free(&[name]).await?;
        if let Some(left) = self.control.queue(name).await?
            && left.messages > 0
        {
            return Err(BusError::Topology(format!("{name} still gets messages: somebody publishes past the gate")));
        }
        let said = self.control.ask(format!("deleting queue {name}"), |channel| async move {
            channel.queue_delete(name.into(), QueueDeleteOptions::default()).await
        });
        gone(said.await?)
    }

    /// Moves all messages of a queue to the end of another; how many.
    async fn shovel(&mut self, from: &str, to: &str) -> Result<u64, BusError> {
        let writing = within("opening a channel", self.connection.create_channel()).await?;
        within("asking for confirms", writing.confirm_select(ConfirmSelectOptions::default())).await?;
        let channel = within("opening a channel", self.connection.create_channel()).await?;
        within("setting a prefetch", channel.basic_qos(AT_ONCE, BasicQosOptions::default())).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(from.into(), "".into(), options, FieldTable::default());
        let consumer = within(format!("subscribing to queue {from}"), consumer).await?;
        let mut reading = Reading { channel, streams: SelectAll::from_iter([consumer]) };
        let mut count = 0;
        loop {
            let batch = match tokio::time::timeout(Duration::from_millis(300), reading.streams.next()).await {
                Ok(Some(first)) => {
                    let mut batch = vec![first?];
                    while batch.len() < usize::from(AT_ONCE)
                        && let std::task::Poll::Ready(Some(more)) = futures::poll!(reading.streams.next())
                    {
                        batch.push(more?);
                    }
                    batch
                }
                Ok(None) => return Err(BusError::Away(format!("the broker ended reading {from}"))),
                // Slow, or empty: only the broker knows.
                Err(_) if self.control.queue(from).await?.is_none_or(|left| left.messages == 0) => break,
                Err(_) => continue,
            };
            count += batch.len() as u64;
            let last = batch.last().map_or(0, |delivery| delivery.delivery_tag);
            let copies = batch.into_iter().map(|Delivery { data, properties, .. }| (data, properties)).collect();
            put(&writing, to, copies).await?;
            within("acknowledging", reading.channel.basic_ack(last, BasicAckOptions { multiple: true })).await?;
        }
        // Only when it is closed nothing is under way any more.
        within("closing a channel", reading.channel.close(200, "".into())).await?;
        let _ = within("closing a channel", writing.close(200, "".into())).await;
        Ok(count)
    }
}

/// Publishes to a queue itself and waits for all confirms.
async fn put(channel: &Channel, queue: &str, messages: Vec<(Vec<u8>, BasicProperties)>) -> Result<(), BusError> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(messages.len());
    for (body, properties) in messages {
        let sent = channel.basic_publish("".into(), queue.into(), options, &body, properties);
        confirms.push(within("publishing", sent).await?);
    }
    for confirm in confirms {
        match within("waiting for a confirm", confirm).await? {
            Confirmation::Ack(None) => {}
            other => return Err(BusError::Topology(format!("{queue} did not take a message: {other:?}"))),
        }
    }
    Ok(())
}
