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
pub mod backup;
mod batches;
mod blobs;
mod calls;
mod circuits;
mod claiming;
mod dialect;
mod doubts;
mod error;
mod events;
mod imports;
mod inbox;
mod journeys;
mod keyring;
mod keys;
mod leases;
mod mappings;
mod parked;
mod probe;
mod pushes;
mod rates;
mod raws;
mod records;
mod redrives;
mod reopen;
mod replays;
mod retention;
mod rounds;
mod row;
mod schema;
mod server;
mod sqlite;
mod staged;
mod subscriptions;
mod suspects;
mod timers;
mod tokens;
mod touched;
mod tx;
mod versions;
mod writer;

pub use blobs::Blobs;
pub use calls::{Call, CallState, Lane, NewCall, Take};
pub use circuits::{Circuit, CircuitState, Counts, Hand};
pub use claiming::{Found, Turns};
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
pub use mappings::MappingText;
pub use parked::{NewParked, Parked, ParkedFilter, ParkedGroup, Resolved, Which};
pub use probe::{Probe, Waiting};
pub use pushes::{Push, Pushed};
pub use raws::{Near, NewRaw, Raw};
pub use records::{Identity, IndexEntry, Page, RecordFilter, RecordRow, StoredVersion};
pub use redrives::{Errand, NewRedrive, Portion, Redrive, Verdict};
pub use replays::{OldRaw, Passed, Past};
pub use rounds::{Missing, Round, RoundState};
pub use row::ColumnError;
pub use staged::{NewStaged, Staged, StagedEnd, StagedTable};
pub use subscriptions::{
    NewSubscription, Subscriber, Subscription, SubscriptionChange, SubscriptionDelivery, SubscriptionFilter,
};
pub use suspects::TakenBack;
pub use timers::{Again, NewTimer, Timer, TimerEnd};
pub use tokens::StoredToken;
pub use touched::{Touched, TouchedCalls};
pub use tx::{Job, Tx, boxed};
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
