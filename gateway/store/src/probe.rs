//! Looking at a database as an operator would: its settings, what waits in it. Nothing is changed, not even the schema.

use crate::backup::connect;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::schema;
use crate::tx::{Tx, built, list_of, sql};
use std::collections::BTreeMap;

/// A connection for looking.
pub struct Probe {
    tx: Tx,
}

/// What lies in the store and waits. Times are µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Things that need a person.
    pub parked: i64,
    /// Messages and calls that wait, without those put off.
    pub ready: i64,
    /// The time from which on the oldest of them could have been done; 0 if none.
    pub oldest: i64,
    /// Messages and calls whose worker has not been heard of any more.
    pub stuck: i64,
    /// Events that were not published.
    pub unpublished: i64,
    /// When the oldest of them was written; 0 if none.
    pub oldest_event: i64,
}

/// What is asked of a PostgreSQL server, one row of name and value each.
const SERVER: &str = "
    SELECT name::text AS name, setting::text AS value FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'max_connections', 'server_version_num',
                   'server_version', 'superuser_reserved_connections', 'idle_in_transaction_session_timeout')
    UNION ALL SELECT 'connections', COUNT(*)::text FROM pg_stat_activity WHERE backend_type = 'client backend'
    UNION ALL SELECT 'standby', pg_is_in_recovery()::text
    UNION ALL SELECT 'may_create', COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)::text
    UNION ALL SELECT 'now', (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint::text
    UNION ALL SELECT 'encoding', pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()";

impl Probe {
    /// Connects; a SQLite file must be there.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let mut tx = connect(url).await?;
        if tx.dialect == Dialect::Sqlite {
            tx.batch("PRAGMA busy_timeout = 10000; PRAGMA query_only = ON").await?;
        }
        Ok(Self { tx })
    }

    /// The version of the schema there, if there is one, and this program's.
    ///
    /// # Errors
    /// The database fails.
    pub async fn schema(&mut self) -> Result<(Option<usize>, usize), StoreError> {
        let there = match self.tx.our_tables().await?.iter().any(|table| table.name == "meta") {
            true => self.tx.schema_version().await?,
            false => None,
        };
        Ok((there, schema::newest()))
    }

    /// The settings of a PostgreSQL server that matter, by name; `now` is its clock in µs.
    ///
    /// # Errors
    /// The server fails.
    pub async fn server(&mut self) -> Result<BTreeMap<String, String>, StoreError> {
        let read = self.tx.all(sql(SERVER), |row| Ok((row.try_get("name")?, row.try_get("value")?)));
        Ok(read.await?.into_iter().collect())
    }

    /// What SQLite itself finds wrong with the file; empty when it is whole.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn integrity(&mut self) -> Result<Vec<String>, StoreError> {
        let mut said = self.tx.all(sql("PRAGMA integrity_check(10)"), |row| row.try_get::<String, _>(0)).await?;
        said.retain(|line| line != "ok");
        Ok(said)
    }

    /// SQLite's journal mode; `wal` is ours.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn journal_mode(&mut self) -> Result<String, StoreError> {
        Ok(self.tx.one(sql("PRAGMA journal_mode"), |row| row.try_get(0)).await?.unwrap_or_default())
    }

    /// How many of some marks were noted.
    ///
    /// # Errors
    /// The database fails.
    pub async fn marks(&mut self, names: Vec<String>) -> Result<usize, StoreError> {
        let mut statement = built(format!("SELECT name FROM leases WHERE name IN ({})", list_of(1, names.len())));
        for name in names {
            statement = statement.bind(name);
        }
        Ok(self.tx.all(statement, |row| row.try_get::<String, _>("name")).await?.len())
    }

    /// What waits.
    ///
    /// # Errors
    /// The database fails, or has no schema yet.
    pub async fn waiting(&mut self, now: i64) -> Result<Waiting, StoreError> {
        let text = "
            SELECT (SELECT COUNT(*) FROM parked WHERE resolved_at IS NULL) AS parked,
                (SELECT COUNT(*) FROM inbox WHERE state = 'ready' AND available_at <= $1)
                    + (SELECT COUNT(*) FROM calls WHERE state = 'ready' AND available_at <= $1) AS ready,
                (SELECT COALESCE(MIN(at), 0) FROM (
                    SELECT MIN(available_at) AS at FROM inbox WHERE state = 'ready'
                    UNION ALL SELECT MIN(available_at) FROM calls WHERE state = 'ready') AS oldest) AS oldest,
                (SELECT COUNT(*) FROM inbox WHERE state = 'running' AND lease_until < $1)
                    + (SELECT COUNT(*) FROM calls WHERE state = 'running' AND lease_until < $1) AS stuck,
                (SELECT COUNT(*) FROM events WHERE position IS NULL) AS unpublished,
                (SELECT COALESCE(MIN(at), 0) FROM events WHERE position IS NULL) AS oldest_event";
        let read = self.tx.one(sql(text).bind(now), |row| {
            Ok(Waiting {
                parked: row.try_get("parked")?,
                ready: row.try_get("ready")?,
                oldest: row.try_get("oldest")?,
                stuck: row.try_get("stuck")?,
                unpublished: row.try_get("unpublished")?,
                oldest_event: row.try_get("oldest_event")?,
            })
        });
        Ok(read.await?.unwrap_or_default())
    }
}
