//! What a batch is, and its items.

use crate::keyring::Sealed;

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// Its items are arriving, or have stopped to.
    Uploading,
    /// Its items are being carried out.
    Running,
    /// All items have ended.
    Done,
    /// Somebody has stopped it: what had begun has ended, the rest was not done.
    Cancelled,
}

impl BatchState {
    pub(super) const ALL: [Self; 4] = [Self::Uploading, Self::Running, Self::Done, Self::Cancelled];

    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A batch to keep.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Whose it is.
    pub handle: String,
    /// What people call them.
    pub by: String,
    /// Their own name for it; may be empty.
    pub key: String,
    /// The entity of its items.
    pub entity: String,
    /// The system that items are sent to; empty when they are the hub's own.
    pub connection: String,
    /// The most sensitive class of field that its items may set.
    pub allowed: String,
    /// When it was asked, µs.
    pub asked_at: i64,
    /// `traceparent`.
    pub trace: String,
}

/// How many items stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// All.
    pub total: i64,
    /// Carried out.
    pub succeeded: i64,
    /// Turned down.
    pub failed: i64,
    /// At their system.
    pub running: i64,
}

/// A batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What was asked.
    pub new: NewBatch,
    /// While it is uploading, the upload; then what tells its content from others.
    pub fingerprint: String,
    /// Where it stands.
    pub state: BatchState,
    /// The last item that was begun.
    pub place: i64,
    /// How many items stand how.
    pub counts: BatchCounts,
    /// When something was last done with it, µs.
    pub changed_at: i64,
}

/// An item to keep.
#[derive(Clone, Debug)]
pub struct NewBatchItem {
    /// Which, from 0.
    pub number: i64,
    /// What it says, sealed.
    pub body: Sealed,
}

/// An item.
#[derive(Clone, Debug)]
pub struct BatchItem {
    /// Which, from 0.
    pub number: i64,
    /// `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// The record; may be empty.
    pub record: String,
    /// The request that carries it out; may be empty.
    pub request: String,
    /// What was wrong, as JSON; may be empty.
    pub problem: String,
    /// What it says, sealed.
    pub body: Sealed,
}

/// How an item stands from now on.
#[derive(Clone, Debug)]
pub struct ItemEnd {
    /// Which.
    pub number: i64,
    /// `running`, `succeeded` or `failed`.
    pub state: &'static str,
    /// The record; may be empty.
    pub record: String,
    /// The request that carries it out; may be empty.
    pub request: String,
    /// What was wrong, as JSON; may be empty.
    pub problem: String,
}

/// Which items to list.
#[derive(Clone, Debug)]
pub struct ItemFilter {
    /// Only those that stand so; all when it is empty.
    pub state: String,
    /// Behind this one; -1 at the beginning.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}
