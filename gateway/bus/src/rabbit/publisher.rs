//! Sends messages, or keeps them on disk until they can be sent.
//!
//! One task decides for all callers. At rest messages go to the broker, many at once, and each caller hears when its
//! own are confirmed. At the first sign of trouble (a confirm that is late, a message that comes back, an alarm, a
//! connection that ends, a move of queues) everything under way goes to the spool in the order in which it came, and
//! so does all that comes later, at once. When the broker is well, the spool is drained in order; only when it is
//! empty, messages go to the broker again. What the broker took without saying so comes twice; consumers know it by
//! its id.

use super::connect::{connect, within};
use super::flight::Flight;
use super::{Job, Shared};
use crate::error::BusError;
use crate::spool::Spooled;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

/// How long the broker may take for a confirm before everybody turns to the spool.
const CONFIRM_WITHIN: Duration = Duration::from_secs(1);
/// How long a broker that confirms nothing at all is waited for when the spool is drained: as long as it confirms
/// anything, it is slow, and sending the same again would make it slower.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long new messages may wait while the last ones of the spool are sent.
const LAST_OF_SPOOL: Duration = Duration::from_millis(500);
/// Messages under way at most.
const UNDERWAY: usize = 4096;
const TICK: Duration = Duration::from_millis(100);

pub(super) async fn run(shared: Arc<Shared>, jobs: mpsc::UnboundedReceiver<Job>) {
    let mut publisher = Publisher { shared, jobs, held: VecDeque::new(), told: false };
    loop {
        let shared = Arc::clone(&publisher.shared);
        let connection = publisher.spooling(connected(&shared)).await;
        let error = publisher.publish_over(&connection).await;
        publisher.tell(&error);
        // An exchange that was removed closes channels, too.
        shared.look.notify_one();
        // Dropping it closes it, if it can still be closed.
        drop(connection);
        publisher.spooling(tokio::time::sleep(TICK)).await;
    }
}

struct Publisher {
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedReceiver<Job>,
    /// Taken from `jobs`, and not sent yet.
    held: VecDeque<Job>,
    /// Whether the log knows that messages are spooled.
    told: bool,
}

/// Waits until messages may be published, and connects.
async fn connected(shared: &Shared) -> Connection {
    let mut wait = TICK;
    loop {
        open_again(shared).await;
        match connect(&shared.addresses, "publisher").await {
            Ok(connection) => return connection,
            Err(error) => tracing::debug!(error = %error, "cannot connect for publishing"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(3));
    }
}

async fn open_again(shared: &Shared) {
    let mut view = shared.view.subscribe();
    // The sender lives in `shared`.
    let _ = view.wait_for(super::View::is_open).await;
}

async fn unblocked(connection: &Connection) {
    while connection.status().blocked() && connection.status().connected() {
        tokio::time::sleep(TICK).await;
    }
}

impl Publisher {
    /// Keeps on disk what comes while something else goes on.
    async fn spooling<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        while let Some(job) = self.held.pop_front() {
            self.spool(job);
        }
        loop {
            tokio::select! {
                biased;
                job = self.jobs.recv() => match job {
                    Some(job) => self.spool(job),
                    None => return work.await,
                },
                done = &mut work => return done,
            }
        }
    }

    fn spool(&self, job: Job) {
        self.shared.spool.submit(&job.messages, job.done);
    }

    /// The log hears of trouble once, not for every message.
    fn tell(&mut self, error: &BusError) {
        if !self.told {
            tracing::warn!(error = %error, "messages wait on this disk for the broker");
            self.told = true;
        }
    }

    /// Publishes over a connection until it must be given up.
    async fn publish_over(&mut self, connection: &Connection) -> BusError {
        let shared = Arc::clone(&self.shared);
        let mut wait = TICK;
        loop {
            // After trouble the old channel is of no use: nobody would know whose its confirms are.
            let channel = match self.spooling(channel(&shared, connection)).await {
                Ok(channel) => channel,
                Err(error) => return error,
            };
            let (error, worked) = match self.spooling(drain(&shared, connection, &channel)).await {
                Err(error) => (error, false),
                Ok(()) => match self.drain_rest(connection, &channel).await {
                    Err(error) => (error, false),
                    Ok(false) => continue,
                    Ok(true) => (self.publish_directly(connection, &channel).await, true),
                },
            };
            self.tell(&error);
            match error {
                // The broker lives, but cannot take messages now.
                BusError::Topology(_) => {
                    shared.look.notify_one();
                    wait = if worked { TICK } else { (wait * 2).min(Duration::from_secs(2)) };
                    self.spooling(tokio::time::sleep(wait)).await;
                }
                other => return other,
            }
        }
    }

    /// Sends the last of the spool while new messages wait for a moment. Whether the spool is empty then.
    async fn drain_rest(&mut self, connection: &Connection, channel: &Channel) -> Result<bool, BusError> {
        let shared = Arc::clone(&self.shared);
        let rest = async {
            while !shared.spool.is_empty() {
                drain(&shared, connection, channel).await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        match tokio::time::timeout(LAST_OF_SPOOL, rest).await {
            Ok(result) => result.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Hands messages to the broker as they come; returns what stopped it, with everything unconfirmed in the spool.
    async fn publish_directly(&mut self, connection: &Connection, channel: &Channel) -> BusError {
        if self.told {
            tracing::info!("the broker takes messages again");
            self.told = false;
        }
        let shared = Arc::clone(&self.shared);
        let mut view = shared.view.subscribe();
        let mut flight = Flight::default();
        let mut flying: BTreeMap<u64, Flying> = BTreeMap::new();
        let mut number = 0;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::new();
        let error = loop {
            let room = UNDERWAY.saturating_sub(flight.len());
            tokio::select! {
                biased;
                landed = flight.landed(), if !flight.is_empty() => match landed {
                    Ok(numbers) => land(&mut flying, &numbers),
                    Err(error) => break error,
                },
                _ = view.wait_for(|view| !view.is_open()) => {
                    break BusError::Away("the broker or its topology is not ready".to_owned());
                }
                _ = tick.tick() => {
                    if let Err(error) = sound(connection, channel) {
                        break error;
                    }
                    // Jobs are numbered as they come: the first is the oldest.
                    if flying.first_key_value().is_some_and(|(_, first)| first.since.elapsed() > CONFIRM_WITHIN) {
                        break BusError::Away(format!("no confirm within {} s", CONFIRM_WITHIN.as_secs()));
                    }
                }
                count = self.jobs.recv_many(&mut taken, room), if room > 0 => {
                    if count == 0 {
                        break BusError::Closed;
                    }
                    for job in taken.drain(..) {
                        number += 1;
                        for index in 0..job.messages.len() {
                            flight.launch(&shared, channel, number, &job.messages, index);
                        }
                        flying.insert(number, Flying { left: job.messages.len(), job, since: Instant::now() });
                    }
                }
            }
        };
        self.held.extend(flying.into_values().map(|flying| flying.job));
        error
    }
}

/// A call's messages under way.
struct Flying {
    job: Job,
    /// How many are not confirmed.
    left: usize,
    since: Instant,
}

fn land(flying: &mut BTreeMap<u64, Flying>, numbers: &[u64]) {
    for number in numbers {
        let Some(one) = flying.get_mut(number) else { continue };
        one.left = one.left.saturating_sub(1);
        if one.left == 0
            && let Some(whole) = flying.remove(number)
        {
            let _ = whole.job.done.send(Ok(()));
        }
    }
}

/// Whether messages can go over a channel now. In an alarm the broker says so, and confirms nothing.
fn sound(connection: &Connection, channel: &Channel) -> Result<(), BusError> {
    if !connection.status().connected() {
        return Err(BusError::Away("the connection ended".to_owned()));
    }
    if !channel.status().connected() || connection.status().blocked() {
        return Err(BusError::Topology("the broker closed the channel, or is in an alarm".to_owned()));
    }
    Ok(())
}

/// A channel with confirms, once the broker takes messages.
async fn channel(shared: &Shared, connection: &Connection) -> Result<Channel, BusError> {
    open_again(shared).await;
    unblocked(connection).await;
    let channel = within("opening a channel", connection.create_channel()).await?;
    within("asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    Ok(channel)
}

/// Sends spooled messages, in order, until none is left.
async fn drain(shared: &Shared, connection: &Connection, channel: &Channel) -> Result<(), BusError> {
    loop {
        let batch = match shared.spool.read().await {
            Ok(batch) if batch.is_empty() => return Ok(()),
            Ok(batch) => batch,
            Err(error) => {
                // A full disk, for one: it passes. What cannot be read must not be passed over.
                tracing::error!(error = %error, "the spool cannot be drained now");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (confirmed, result) = send(shared, connection, channel, &batch).await;
        if let Err(error) = shared.spool.done(&batch, confirmed).await {
            // Then they are sent again.
            tracing::error!(error = %error, "the spool cannot note how far it has come");
        }
        result?;
    }
}

/// Sends a batch and waits for its confirms; how many from its beginning were confirmed.
async fn send(
    shared: &Shared,
    connection: &Connection,
    channel: &Channel,
    batch: &Spooled,
) -> (usize, Result<(), BusError>) {
    if !shared.view.borrow().is_open() {
        return (0, Err(BusError::Topology("queues are being moved".to_owned())));
    }
    let mut flight = Flight::default();
    let messages = batch.messages();
    for (number, index) in (0_u64..).zip(0..messages.len()) {
        flight.launch(shared, channel, number, messages, index);
    }
    let mut landed = vec![false; messages.len()];
    let mut heard = Instant::now();
    let result = loop {
        if flight.is_empty() {
            break Ok(());
        }
        match tokio::time::timeout(TICK, flight.landed()).await {
            Ok(Ok(numbers)) => {
                for number in numbers {
                    if let Some(one) = usize::try_from(number).ok().and_then(|number| landed.get_mut(number)) {
                        *one = true;
                    }
                }
                heard = Instant::now();
            }
            Ok(Err(error)) => break Err(error),
            Err(_) => {
                if !connection.status().connected() {
                    break Err(BusError::Away("the connection ended".to_owned()));
                }
                if !channel.status().connected() {
                    break Err(BusError::Topology("the broker closed the channel".to_owned()));
                }
                if connection.status().blocked() {
                    // It goes on where it was when the alarm is over.
                    heard = Instant::now();
                }
                if heard.elapsed() > PATIENCE {
                    break Err(BusError::Away(format!("no confirm within {} s", PATIENCE.as_secs())));
                }
            }
        }
    };
    (landed.iter().take_while(|one| **one).count(), result)
}
