//! Messages that wait on this disk for the broker.

use crate::Subscription as _;
use crate::embedded::Follow;
use crate::error::BusError;
use crate::log::Log;
use crate::message::{Consumer, Message};
use std::path::Path;

/// The name of the spool's one reader in its log.
pub const READER: &str = "spool";
const BATCH: usize = 256;

/// A log whose only reader is the broker.
pub(crate) struct Spool {
    log: Log,
}

impl Spool {
    pub(crate) fn open(folder: &Path) -> Result<Self, BusError> {
        let log = Log::open(folder)?;
        log.cursor(READER)?;
        Ok(Self { log })
    }

    pub(crate) async fn keep(&self, messages: &[Message]) -> Result<(), BusError> {
        self.log.append(messages.iter().map(Message::encode).collect()).await
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> u64 {
        let done = self.log.cursor(READER).map_or(0, |place| place.sequence);
        self.log.end().sequence.saturating_sub(done)
    }

    /// Hands the waiting messages on, in order, for as long as the process lives.
    pub(crate) async fn drain<F, R>(&self, mut publish: F) -> Result<(), BusError>
    where
        F: FnMut(Vec<Message>) -> R,
        R: Future<Output = ()>,
    {
        let mut follow = Follow::new(self.log.clone(), Consumer::new(READER, &["#"]))?;
        loop {
            let batch = follow.next(BATCH).await?;
            publish(batch.into_iter().map(|delivery| delivery.message).collect()).await;
            follow.acknowledge().await?;
        }
    }
}
