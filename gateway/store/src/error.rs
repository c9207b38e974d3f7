//! What can go wrong with the store, told apart by what the caller should do.

use crate::row::ColumnError;
use rusqlite::ffi;

/// What a database, or the way to it, said.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// A row is not as it must be.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// There is no way to it now.
    #[error("no connection to the database")]
    Away,
    /// Something was sent, and no answer came.
    #[error("the database did not say how it ended")]
    Lost,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached now; try again.
    #[error("HUB-S301 the store is not available")]
    Unavailable(#[source] Cause),
    /// Its disk is full; nothing can be accepted.
    #[error("HUB-S302 the store's disk is full")]
    Full(#[source] Cause),
    /// The server takes no writes: another one should be the first now.
    #[error("HUB-S308 the database server takes no writes")]
    Standby,
    /// It refused what we said: a defect of the hub, or of the database's contents.
    #[error("HUB-S303 the store refused a statement")]
    Refused(#[source] Cause),
    /// Its schema is not one this program can work with.
    #[error("HUB-S304 {0}")]
    Schema(String),
    /// A sealed body cannot be opened: the wrong master key, or bytes that were changed.
    #[error("HUB-S305 a sealed body cannot be opened: {0}")]
    Sealed(&'static str),
    /// Somebody else was faster; the same thing done again will see what they did.
    #[error("HUB-S307 somebody else was faster")]
    Raced,
    /// It holds rows where it must be empty.
    #[error("HUB-S309 the store is not empty: there are rows in table {0}")]
    NotEmpty(String),
    /// A transaction body panicked; it was rolled back.
    #[error("HUB-S306 a transaction was broken off")]
    Broken,
}

impl StoreError {
    /// Whether nobody knows if it was done: something may have been sent, and no answer came.
    #[must_use]
    pub const fn is_unsure(&self) -> bool {
        use sqlx::Error as E;
        let Self::Unavailable(cause) = self else { return false };
        matches!(cause, Cause::Lost | Cause::Postgres(E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed))
    }

    /// Whether a lock was not free in time.
    pub(crate) fn is_locked(&self) -> bool {
        let (Self::Unavailable(Cause::Postgres(error)) | Self::Refused(Cause::Postgres(error))) = self else {
            return false;
        };
        let code = error.as_database_error().and_then(|database| database.code());
        // A lock that took too long, or a deadlock that the server has ended.
        code.is_some_and(|code| code == POSTGRES_LOCKED || code == "40P01")
    }

    /// Whether the same thing may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_) | Self::Standby | Self::Raced)
    }
}

/// A file may not grow any more, by a limit on the size of files: IOERR_WRITE, IOERR_TRUNCATE, IOERR_SHMSIZE.
const SQLITE_TOO_LARGE: [i32; 3] = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_TRUNCATE, ffi::SQLITE_IOERR_SHMSIZE];
const SQLITE_TAKEN: [i32; 2] = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
/// A statement that was prepared before a migration.
const POSTGRES_STALE_PLAN: &str = "0A000";
const POSTGRES_LOCKED: &str = "55P03";
const POSTGRES_FULL: &str = "53100";
/// Class 08 connection, 40 rollback, 53300 too many connections, 57 operator (shutdown), 25006 read-only.
const POSTGRES_AWAY: [&str; 5] = ["08", "40", "53300", "57", "25006"];

impl From<ColumnError> for StoreError {
    fn from(error: ColumnError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error().map(|error| error.extended_code) else {
            return Self::Refused(error.into());
        };
        // An extended code ends in the primary code.
        match code & 0xFF {
            _ if SQLITE_TAKEN.contains(&code) => Self::Raced,
            _ if SQLITE_TOO_LARGE.contains(&code) => Self::Full(error.into()),
            ffi::SQLITE_FULL => Self::Full(error.into()),
            ffi::SQLITE_BUSY | ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => Self::Unavailable(error.into()),
            _ => Self::Refused(error.into()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            // Half an answer is a broken connection, too.
            E::Io(_)
            | E::Tls(_)
            | E::Protocol(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::BeginFailed => Self::Unavailable(error.into()),
            E::Database(database) if database.is_unique_violation() => Self::Raced,
            E::Database(database) => {
                let code = database.code().unwrap_or_default();
                let stale = code == POSTGRES_STALE_PLAN && database.message().contains("cached plan");
                if code == POSTGRES_FULL {
                    Self::Full(error.into())
                } else if stale || POSTGRES_AWAY.iter().any(|class| code.starts_with(class)) {
                    Self::Unavailable(error.into())
                } else {
                    Self::Refused(error.into())
                }
            }
            _ => Self::Refused(error.into()),
        }
    }
}
