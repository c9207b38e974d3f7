//! What can go wrong with the bus.

use std::path::PathBuf;

/// A failure of the bus.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// The broker cannot be reached now.
    #[error("HUB-B301 the message broker is not available: {0}")]
    Away(String),
    /// The log's disk is full; nothing can be accepted.
    #[error("HUB-B302 the disk of the message log is full")]
    Full,
    /// The log cannot be written or read.
    #[error("HUB-B303 the message log failed: {0}")]
    Log(String),
    /// The log holds bytes that were changed, and whole messages behind them.
    #[error(
        "HUB-B304 the message log is damaged at {file}, byte {offset}: restore the folder, or move the file away and lose what is in it"
    )]
    Damaged {
        /// The damaged file.
        file: PathBuf,
        /// Where the damage begins.
        offset: u64,
    },
    /// The message is larger than any that the log takes.
    #[error("HUB-B305 a message of {0} bytes is too large")]
    TooLarge(usize),
    /// Nobody named this consumer when the bus was opened.
    #[error("HUB-B306 there is no consumer `{0}`")]
    NoConsumer(String),
    /// The broker has a queue or exchange of that name with other settings.
    #[error("HUB-B307 the broker's topology is not ours: {0}")]
    Topology(String),
    /// A queue cannot be moved while somebody holds it.
    #[error(
        "HUB-B309 queue {queue} is still read by {consumers} consumers: stop the programs that do not let go of it, then run the command again"
    )]
    Held {
        /// The queue.
        queue: String,
        /// How many consumers it has.
        consumers: u32,
    },
    /// The address of the broker cannot be read.
    #[error("HUB-B310 the address of the message broker cannot be used: {0}")]
    Address(String),
    /// The bus was closed.
    #[error("HUB-B308 the bus is closed")]
    Closed,
}

impl BusError {
    /// Whether the same thing may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Full | Self::Log(_))
    }
}

impl From<std::io::Error> for BusError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // A limit on the size of files is a full disk to whoever meets it.
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                Self::Full
            }
            _ => Self::Log(error.to_string()),
        }
    }
}
