//! Queues that the broker failed to declare: it did not answer, or ended the connection with `INTERNAL_ERROR`.
//!
//! RabbitMQ comes into this when a queue is deleted while it is being declared: its record is gone, its Raft server
//! still runs, and every declaration of that name fails until the node is restarted. Such a queue must not take the
//! others along. So it is remembered over the end of the connection, asked for over a connection of its own from then
//! on, and counts as drift as long as it fails.

use super::connect::{connect, within};
use super::control::Control;
use crate::error::BusError;
use crate::topology::{Queue, Wrong};
use lapin::uri::AMQPUri;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a queue that failed twice is left alone.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Queues that could not be declared.
#[derive(Default)]
pub(crate) struct Suspects {
    /// By name; what is known of one that failed over a connection of its own, too.
    queues: BTreeMap<String, Option<Stuck>>,
}

struct Stuck {
    /// Why it failed first: a text that stays while it fails.
    why: String,
    asked: Instant,
}

impl Suspects {
    /// Declares a queue as [`Control::declare_queue`] does. Only the first failure of a queue is an error.
    pub(crate) async fn declare(
        &mut self,
        control: &mut Control,
        addresses: &[AMQPUri],
        queue: &Queue,
    ) -> Result<Option<Wrong>, BusError> {
        match self.queues.get(&queue.name) {
            None => {
                let said = control.declare_queue(queue).await;
                if said.is_err() {
                    // Whether it was the queue or the connection shows when it is asked for again.
                    self.queues.insert(queue.name.clone(), None);
                }
                said
            }
            Some(Some(stuck)) if stuck.asked.elapsed() < ASK_AGAIN => Ok(Some(Wrong::Stuck(stuck.why.clone()))),
            Some(_) => {
                let connection = Arc::new(connect(addresses, "topology").await?);
                let said = Control::new(Arc::clone(&connection)).declare_queue(queue).await;
                // One that hangs is not waited for.
                tokio::spawn(async move { within("closing", connection.close(200, "".into())).await });
                let error = match said {
                    Ok(said) => {
                        self.queues.remove(&queue.name);
                        return Ok(said);
                    }
                    Err(error) => error,
                };
                let known = self.queues.remove(&queue.name).flatten();
                let why = known.map_or_else(|| reason(error), |stuck| stuck.why);
                self.queues.insert(queue.name.clone(), Some(Stuck { why: why.clone(), asked: Instant::now() }));
                Ok(Some(Wrong::Stuck(why)))
            }
        }
    }
}

/// What the broker said, without our code: the broker as a whole is well.
fn reason(error: BusError) -> String {
    match error {
        BusError::Away(text) | BusError::Topology(text) => text,
        other => other.to_string(),
    }
}
