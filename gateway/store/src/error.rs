//! What can go wrong with the store, told apart by what the caller should do.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached now; try again.
    #[error("HUB-S301 the store is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Its disk is full; nothing can be accepted.
    #[error("HUB-S302 the store's disk is full")]
    Full(#[source] sqlx::Error),
    /// The server takes no writes: another one should be the first now.
    #[error("HUB-S308 the database server takes no writes")]
    Standby,
    /// It refused what we said: a defect of the hub, or of the database's contents.
    #[error("HUB-S303 the store refused a statement")]
    Refused(#[source] sqlx::Error),
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
        matches!(self, Self::Unavailable(E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed))
    }

    /// Whether a lock was not free in time.
    pub(crate) fn is_locked(&self) -> bool {
        let (Self::Unavailable(error) | Self::Refused(error)) = self else { return false };
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

/// SQLite's extended result codes end in the primary code.
const SQLITE_BUSY: i64 = 5;
const SQLITE_FULL: i64 = 13;
const SQLITE_IOERR: i64 = 10;
/// A file may not grow any more, by a limit on the size of files: IOERR_WRITE, IOERR_TRUNCATE, IOERR_SHMSIZE.
const SQLITE_TOO_LARGE: &[&str] = &["778", "1546", "4874"];
/// A statement that was prepared before a migration.
const POSTGRES_STALE_PLAN: &str = "0A000";
const POSTGRES_LOCKED: &str = "55P03";

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
            | E::BeginFailed => Self::Unavailable(error),
            E::Database(database) => {
                if database.is_unique_violation() {
                    return Self::Raced;
                }
                let code = database.code().unwrap_or_default().into_owned();
                let sqlite = code.parse::<i64>().ok().map(|code| code & 0xFF);
                // PostgreSQL: class 08 connection, 40 rollback, 53 resources, 57 operator (shutdown), 25006 read-only.
                let away = ["08", "40", "57", "25006", "53300"].iter().any(|class| code.starts_with(class));
                let full = sqlite == Some(SQLITE_FULL) && code.len() < 5;
                if code == "53100" || full || SQLITE_TOO_LARGE.contains(&&*code) {
                    Self::Full(error)
                } else if (code == POSTGRES_STALE_PLAN && database.message().contains("cached plan"))
                    || (code.len() == 5 && away)
                    || (code.len() < 5 && matches!(sqlite, Some(SQLITE_BUSY | SQLITE_IOERR)))
                {
                    Self::Unavailable(error)
                } else {
                    Self::Refused(error)
                }
            }
            _ => Self::Refused(error),
        }
    }
}
