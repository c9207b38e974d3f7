//! Messages that wait on this disk for the broker.

use crate::error::BusError;
use crate::log::{Log, Place};
use crate::message::Message;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The name of the spool's one reader in its log.
pub const READER: &str = "spool";
/// What is read at once: so many messages, or a little over so many bytes.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// A log whose only reader is the broker.
pub(crate) struct Spool {
    log: Log,
}

/// A few messages from the beginning of the spool.
pub(crate) struct Spooled {
    messages: Arc<[Message]>,
    /// The place behind each.
    places: Vec<Place>,
}

impl Spooled {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn messages(&self) -> &Arc<[Message]> {
        &self.messages
    }
}

impl Spool {
    pub(crate) fn open(folder: &Path) -> Result<Self, BusError> {
        let log = Log::open(folder)?;
        log.cursor(READER)?;
        Ok(Self { log })
    }

    /// Keeps messages behind all that were submitted before; `done` hears when they are on disk.
    pub(crate) fn submit(&self, messages: &[Message], done: oneshot::Sender<Result<(), BusError>>) {
        self.log.submit(messages.iter().map(Message::encode).collect(), done);
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> u64 {
        let done = self.log.cursor(READER).map_or(0, |place| place.sequence);
        self.log.end().sequence.saturating_sub(done)
    }

    /// Whether nothing waits, and nothing is on its way to the disk.
    pub(crate) fn is_empty(&self) -> bool {
        self.log.underway() == 0 && self.waiting() == 0
    }

    /// The first messages that wait.
    pub(crate) async fn read(&self) -> Result<Spooled, BusError> {
        let log = self.log.clone();
        let reading = tokio::task::spawn_blocking(move || log.read_within(log.cursor(READER)?, BATCH, BATCH_BYTES));
        let frames = reading.await.map_err(|_| BusError::Closed)??;
        let messages: Result<Vec<Message>, BusError> = frames.iter().map(|(bytes, _)| Message::decode(bytes)).collect();
        Ok(Spooled { messages: messages?.into(), places: frames.into_iter().map(|(_, place)| place).collect() })
    }

    /// The first `count` messages of a batch are at the broker.
    pub(crate) async fn done(&self, batch: &Spooled, count: usize) -> Result<(), BusError> {
        let Some(place) = count.checked_sub(1).and_then(|last| batch.places.get(last)).copied() else { return Ok(()) };
        let log = self.log.clone();
        let moving = tokio::task::spawn_blocking(move || log.advance(READER, place));
        moving.await.map_err(|_| BusError::Closed)?
    }
}
