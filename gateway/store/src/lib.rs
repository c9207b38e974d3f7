//! What the hub keeps, on SQLite (the default) or PostgreSQL.
//!
//! One SQL text per query serves both: `$1` parameters, `ON CONFLICT`, `RETURNING`, times as BIGINT microseconds,
//! decimals as TEXT. The dialects differ in three places only, all in [`dialect`]: the words of the DDL, how work is
//! claimed, and how a schema change is locked.
//!
//! Everything is reached through a [`Tx`]: [`Store::write`] gives one whose changes commit together,
//! [`Store::read`] one for looking. On SQLite a single writer commits many waiting transactions with one fsync.
//!
//! Bodies are sealed by the caller with [`Keyring`]; nothing personal lies in a column in clear text.

mod address;
mod answers;
mod apps;
mod attempts;
mod audit;
pub mod backup;
mod batches;
mod blobs;
mod bulk;
mod calls;
mod circuits;
mod claiming;
mod deliveries;
mod dialect;
mod directory;
mod doubts;
mod error;
mod events;
mod imports;
mod inbox;
mod journeys;
mod keyring;
mod keys;
mod known;
mod leases;
mod links;
mod mappings;
mod match_keys;
mod parked;
mod probe;
mod pushes;
mod rates;
mod raws;
mod records;
mod redrives;
mod reopen;
mod replays;
mod requests;
mod retention;
mod rounds;
mod row;
mod schema;
mod server;
mod signing;
mod sqlite;
mod staged;
mod subscriptions;
mod suspects;
mod timers;
mod tokens;
mod touched;
mod tx;
mod units;
mod versions;
mod writer;

pub use answers::{AnswerKey, Begun};
pub use apps::{App, AppFilter};
pub use attempts::{DeliveryAttempt, Retried};
pub use audit::{Anchor, AuditEntry, AuditFilter, AuditReport, AuditRow, AuditWho, BadEntry, NewAudit};
pub use blobs::Blobs;
pub use bulk::{Batch, BatchCounts, BatchItem, BatchState, ItemEnd, ItemFilter, NewBatch, NewBatchItem};
pub use calls::{Call, CallState, Lane, NewCall, Take};
pub use circuits::{Circuit, CircuitState, Counts, Hand};
pub use claiming::{Found, Turns};
pub use deliveries::{Standing, SubscriptionDelivery};
pub use directory::MemberChange;
pub use error::{Cause, StoreError};
pub use events::{Event, NewEvent};
pub use imports::{
    Found as FoundRecords, Import, ImportChange, ImportCounts, ImportRow, ImportRowFilter, ImportState, ImportStep,
    NewImport, NewImportRow, RowEnd, Written,
};
pub use inbox::{Claimed, NewWork};
pub use journeys::{Journey, Step};
pub use keyring::{Keyring, MasterKey, Sealed};
pub use keys::{ApiKey, NewApiKey};
pub use links::PortalLink;
pub use mappings::MappingText;
pub use match_keys::MatchKey;
pub use parked::{NewParked, Parked, ParkedFilter, ParkedGroup, Resolved, Which};
pub use probe::{Probe, Waiting};
pub use pushes::{Push, Pushed};
pub use raws::{Near, NewRaw, Raw, RawFilter};
pub use records::{Identity, IndexEntry, Page, RecordFilter, RecordRow, StoredVersion};
pub use redrives::{Errand, NewRedrive, Portion, Redrive, Verdict};
pub use replays::{OldRaw, Passed, Past};
pub use requests::{Request, RequestFilter, RequestState};
pub use rounds::{Missing, Round, RoundState};
pub use row::ColumnError;
pub use signing::SigningKey;
pub use staged::{NewStaged, Staged, StagedEnd, StagedTable};
pub use subscriptions::{NewSubscription, Subscriber, Subscription, SubscriptionChange, SubscriptionFilter};
pub use suspects::TakenBack;
pub use timers::{Again, NewTimer, Timer, TimerEnd};
pub use tokens::StoredToken;
pub use touched::{Touched, TouchedCalls};
pub use tx::{Job, Tx, boxed};
pub use units::{Belongings, Way, Within};
pub use versions::{NewIdentity, NewVersion, RecordId, RemoteId};
pub use writer::{Options, Store};

/// A transaction body for [`Store::write`] and [`Store::read`].
///
/// ```ignore
/// store.write(job!(|tx| { tx.done(&id).await })).await
/// ```
#[macro_export]
macro_rules! job {
    (|$tx:ident| $body:block) => {
        move |$tx: &mut $crate::Tx| $crate::boxed(async move $body)
    };
}
