//! Where a call goes. The loop claims calls, counts tries, waits, parks; a destination knows how one attempt is made.
//!
//! A call names its destination by its connection: a vendor's connection of the configuration, or a name with a prefix
//! that one of the kinds in [`resolve`] knows.

use super::settle::Understood;
use super::vendor::Vendor;
use crate::hub::Hub;
use crate::subscriptions::{self, deliver::Subscriber};
use async_trait::async_trait;
use hub_kit::{CallError, Leave, Pace, Rate, Reply};
use hub_store::{Call, CallState, StoreError, Tx};
use hub_tree::TraceContext;
use std::sync::Arc;
use std::time::Duration;

/// What a call can be sent to.
#[async_trait]
pub(crate) trait Destination: Send + Sync {
    /// How its calls are paced. Asked for before every claim: it must be at hand.
    fn pace(&self) -> &Pace;

    /// How many calls of an operation it takes in a time.
    fn rates_of(&self, _: &str) -> Vec<Rate> {
        Vec::new()
    }

    /// How long one attempt of an operation may take.
    fn time_for(&self, operation: &str) -> Duration;

    /// How long any attempt may take; a worker that died in one is not waited for any longer.
    fn longest(&self) -> Duration {
        Duration::from_secs(300)
    }

    /// Makes one attempt. It changes nothing in the store.
    async fn attempt(&self, attempt: &Attempt<'_>) -> Tried;

    /// What an answer says about records and further calls; it commits with the end of the call.
    fn understand(&self, _: &Attempt<'_>, _: Reply) -> Understood {
        Understood::default()
    }

    /// What it leads to that nothing is there to carry the call out on.
    fn nothing_there(&self, _: &Attempt<'_>) -> Understood {
        Understood::default()
    }

    /// Changes what the destination itself keeps, in the transaction that ends the try: `Done`, `Ready` for another
    /// try, or `Parked` with a code.
    ///
    /// # Errors
    /// The store fails; then the end of the try is not kept either.
    async fn conclude(&self, _: &mut Tx, _: &Call, _: CallState, _: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// One attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) hub: &'a Arc<Hub>,
    pub(crate) call: &'a Call,
    /// The arguments as JSON.
    pub(crate) args: &'a [u8],
    pub(crate) trace: TraceContext,
    /// When it began, µs: what the answer says is as old as that, and what is heard meanwhile is newer.
    pub(crate) began_at: i64,
    /// Every request goes through it: the attempt's time, and whether the call is still this worker's.
    pub(crate) leave: Leave<'a>,
}

/// How an attempt ended.
pub(crate) enum Tried {
    /// It was carried out; the answer, unless only a look-up says so.
    Done(Option<Reply>),
    /// It was not, or nobody knows.
    Failed(CallError, Repeat),
    /// An earlier attempt may have been carried out, and nobody can tell: why.
    Unknown(String),
    /// It cannot be made: a stable code, and why.
    Impossible(&'static str, String),
}

/// Whether an attempt that may have been carried out may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// No: a person decides.
    Never,
    /// Yes; when the tries are used up, a person looks whether it was carried out.
    Checked,
    /// It was a look-up that failed: the earlier attempt stays as unsure as it was.
    LookUp,
    /// Yes, whatever became of it, a refusal too: the receiver knows a repetition by its id.
    Freely,
}

/// The destination of a call; `None` when this node does not know it (yet, or any more).
pub(crate) fn resolve(hub: &Hub, connection: &str) -> Option<Arc<dyn Destination>> {
    if let Some(id) = connection.strip_prefix(subscriptions::CONNECTION) {
        return Some(Arc::new(Subscriber::new(hub.subscribed.of(id))));
    }
    let connection = hub.connection(connection)?;
    Some(Arc::new(Vendor(connection)))
}
