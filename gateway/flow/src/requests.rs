//! What somebody asks the hub to write: records of the hub's own, and records of systems.
//!
//! A request and the calls that carry it out are one transaction, and so is a call's end with what it means for its
//! request. A record of a system is written when that system has said yes, so that nothing can be read as a fact that is
//! none; messages, approvals and events in calendars are there at once, with a status that says how far they are.

mod build;
mod end;
mod keep;
mod read;
mod refs;
mod requirements;

pub use build::Unfit;
pub(crate) use end::{Ended, Told, carried_out, discarded, ended, parked, said_yes};
pub use keep::find;
pub use read::{Asker, Misread, Said, Verb, able, computed, is_written, outgoing, read};
pub use requirements::requirements;

use crate::audit::Entry;
use crate::effects::Failure;
use crate::hub::Hub;
use crate::keeps::Broken;
use hub_model::EntityType;
use hub_store::StoreError;
use hub_tree::TraceContext;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// For how long a key means the request that was made under it, µs: a day.
pub const KEY_MICROS: i64 = 86_400_000_000;

/// A record to make or to change, and whom to send it to.
#[derive(Clone)]
pub struct Outgoing {
    /// Tenant.
    pub tenant: String,
    /// Who asks, for the journey.
    pub by: String,
    /// Whose the request is.
    pub handle: String,
    /// The record's entity.
    pub entity: &'static EntityType,
    /// What the out mappings call the record.
    pub name: &'static str,
    /// The record: a new one, or one that is there.
    pub record: Which,
    /// The fields to set, as JSON: a patch.
    pub fields: String,
    /// Systems' own fields, as JSON: an object by system.
    pub ext: Option<String>,
    /// The record is to go.
    pub deleted: bool,
    /// The calls that carry it out; none when it is the hub's own affair.
    pub sends: Vec<Send>,
    /// When the record is written.
    pub kept: Kept,
    /// The caller's own name for the request: under it, it is carried out once.
    pub key: Option<String>,
    /// The version that the caller has read.
    pub version: Option<i64>,
    /// The batch that it is an item of, and which.
    pub batch: Option<(String, i64)>,
    /// What the audit log is told of it; an item's batch has told it.
    pub audit: Option<Entry>,
}

/// When the record of a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// With the request.
    Now,
    /// When the system has said yes.
    OnYes,
}

/// Which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// A new one.
    New,
    /// The one with this id, which the caller has read.
    Known(String),
}

/// One call that carries a request out.
#[derive(Clone)]
pub struct Send {
    /// Connection.
    pub connection: String,
    /// Operation.
    pub operation: String,
    /// What the out mapping reads beside the record, as a JSON object.
    pub beside: String,
    /// Only what changes is sent.
    pub changes: bool,
}

/// Something that a caller should know of a request that went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable.
    pub code: String,
    /// What it is, without values.
    pub detail: String,
    /// Where in the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Stable: `vendor_refused`, or the code of what lies parked.
    pub code: String,
    /// What is wrong, without values.
    pub detail: String,
    /// The vendor's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_code: Option<String>,
    /// Who must act.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub party: String,
    /// Where in the request, where the mapping tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Nobody needs to look: it was turned down.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last_word: bool,
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the caller should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Trouble>,
}

/// What was asked, as it is kept with a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) fields: String,
    #[serde(default)]
    pub(crate) ext: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) new: bool,
    pub(crate) kept: Kept,
}

/// What became of asking.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The record.
    pub id: String,
    /// The request; empty when there was nothing to wait for.
    pub request: String,
    /// The journey.
    pub trace: TraceContext,
    /// Whether the same had been asked for before under this key.
    pub again: bool,
    /// What the caller should know.
    pub warnings: Vec<Warning>,
}

/// Why a request was not taken. Nothing was done.
#[derive(Debug)]
pub enum NotAsked {
    /// The system cannot be sent this: all that is wrong with it.
    Unfit(Vec<Unfit>),
    /// There is no such record.
    NoRecord,
    /// The record has another version than the caller has read.
    OtherVersion(i64),
    /// The record would not keep what records of its entity must.
    Broken(Broken),
    /// The store failed, or something that was kept cannot be read.
    Failure(Failure),
}

impl From<StoreError> for NotAsked {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Failure> for NotAsked {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The context for sealing what was asked.
pub(crate) fn wanted_as(id: &str) -> String {
    format!("request:{id}")
}

/// The context for sealing what became of it.
pub(crate) fn outcome_as(id: &str) -> String {
    format!("request:{id}:outcome")
}

/// What became of a request, opened.
///
/// # Errors
/// It cannot be opened.
pub fn outcome(hub: &Hub, request: &hub_store::Request) -> Result<Outcome, StoreError> {
    if request.outcome.0.is_empty() {
        return Ok(Outcome::default());
    }
    let opened = hub.open(&request.tenant, &outcome_as(&request.id), &request.outcome.0)?;
    serde_json::from_slice(&opened).map_err(|_| StoreError::Sealed("the outcome of a request is no JSON"))
}

/// Takes a request: when it returns `Ok`, the record is there, or the calls will be made.
///
/// # Errors
/// Why not. Nothing was done.
pub async fn ask(hub: &Arc<Hub>, context: TraceContext, outgoing: Outgoing) -> Result<Asked, NotAsked> {
    if let Some(before) = keep::before(hub, &outgoing).await? {
        return Ok(before);
    }
    let prepared = keep::prepare(hub, &context, outgoing).await?;
    // Somebody else may have written the same record at the same moment: then it is looked at again.
    for _ in 0..RACES {
        match keep::keep(hub, context, prepared.clone()).await {
            Err(NotAsked::Failure(Failure::Retry(_))) => {}
            other => return other,
        }
    }
    keep::keep(hub, context, prepared).await
}

/// How often somebody else may be faster.
const RACES: usize = 3;
