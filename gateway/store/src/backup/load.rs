//! Loading tables into an empty store: all of them, or nothing.

use super::{Cell, ColumnKind, SERIAL, Table, connect, names};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::schema;
use crate::tx::{Tx, built, list_of, rows_of, sql};

/// The names of the notes in `meta` about the restore.
const FROM: &str = "restored_from";
const AT: &str = "restored_at";

/// A store that is being filled, in one transaction.
pub struct Load {
    tx: Tx,
}

/// What must be done with work that was open when the copy was made.
pub struct Reopening<'a> {
    /// The name of the copy.
    pub from: &'a str,
    /// Now, µs.
    pub now: i64,
    /// Consumers and the events that they may have lost with a broker: types, and since when, µs.
    pub lost: Vec<(String, Vec<String>)>,
    /// Events before this are not asked about: the marks that they were handled may be gone.
    pub since: i64,
}

/// What was done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reopened {
    /// Calls that may have been made meanwhile.
    pub unsure_calls: u64,
    /// Events that are published again.
    pub events: u64,
}

impl Load {
    /// Which copy was loaded into the store before, if one was.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn loaded(url: &str) -> Result<Option<String>, StoreError> {
        let mut tx = connect(url).await?;
        if !tx.our_tables().await?.iter().any(|table| table.name == "meta") {
            return Ok(None);
        }
        tx.one(sql("SELECT value FROM meta WHERE name = $1").bind(FROM.to_owned()), |row| row.try_get("value")).await
    }

    /// Begins: the store must be empty; it gets the schema of `version`.
    ///
    /// # Errors
    /// The store cannot be reached, holds something, or the version is newer than this program.
    pub async fn begin(url: &str, version: usize) -> Result<Self, StoreError> {
        if version == 0 || version > schema::newest() {
            return Err(StoreError::Schema(format!(
                "the copy has schema version {version}; this program knows 1 to {}: use a newer hrhub",
                schema::newest()
            )));
        }
        let mut tx = connect(url).await?;
        tx.batch(match tx.dialect {
            Dialect::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE"
            }
            Dialect::Postgres => "BEGIN",
        })
        .await?;
        tx.lock_schema().await?;
        let tables = tx.our_tables().await?;
        for table in tables.iter().filter(|table| table.name != "meta") {
            let text = format!("SELECT COUNT(*) AS held FROM (SELECT 1 FROM {} LIMIT 1) AS one", table.name);
            if tx.one(built(text), |row| row.try_get::<i64, _>("held")).await? != Some(0) {
                return Err(StoreError::NotEmpty(table.name.clone()));
            }
        }
        // Rows of an older schema must be changed as that schema's were: so it is made, and brought up to date after.
        for table in &tables {
            tx.run(built(format!("DROP TABLE {}", table.name))).await?;
        }
        tx.migrate_within(version, false).await?;
        Ok(Self { tx })
    }

    /// The tables that there are to fill.
    ///
    /// # Errors
    /// The store fails.
    pub async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        self.tx.our_tables().await
    }

    /// Puts rows into a table. Rows of `meta` that the schema has written stay.
    ///
    /// # Errors
    /// The store refuses a row, or fails.
    pub async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let own_numbers = table.last_serial.is_some() && self.tx.dialect == Dialect::Postgres;
        let mut statement = built(format!(
            "INSERT INTO {} ({}) {}VALUES {}{}",
            table.name,
            names(table),
            if own_numbers { "OVERRIDING SYSTEM VALUE " } else { "" },
            rows_of(table.columns.len(), rows.len()),
            if table.name == "meta" { " ON CONFLICT (name) DO NOTHING" } else { "" },
        ));
        for row in rows {
            for ((_, kind), cell) in table.columns.iter().zip(row) {
                statement = match (kind, cell) {
                    (_, Cell::Integer(number)) => statement.bind(number),
                    (_, Cell::Text(text)) => statement.bind(text),
                    (_, Cell::Blob(bytes)) => statement.bind(bytes),
                    (ColumnKind::Integer, Cell::Null) => statement.bind(None::<i64>),
                    (ColumnKind::Text, Cell::Null) => statement.bind(None::<String>),
                    (ColumnKind::Blob, Cell::Null) => statement.bind(None::<Vec<u8>>),
                };
            }
        }
        self.tx.run(statement).await.map(drop)
    }

    /// How many rows a table holds.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count(&mut self, table: &str) -> Result<u64, StoreError> {
        let counted = self.tx.one(built(format!("SELECT COUNT(*) AS rows FROM {table}")), |row| row.try_get("rows"));
        Ok(u64::try_from(counted.await?.unwrap_or(0_i64)).unwrap_or(0))
    }

    /// Has the table's counter go on behind the copy's.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_serial(&mut self, table: &Table) -> Result<(), StoreError> {
        let Some(last) = table.last_serial else { return Ok(()) };
        let name = &table.name;
        let highest = format!("SELECT COALESCE(MAX({SERIAL}), 0) AS highest FROM {name}");
        let highest = self.tx.one(built(highest), |row| row.try_get::<i64, _>("highest")).await?.unwrap_or(0);
        let last = last.max(highest);
        if last == 0 {
            return Ok(());
        }
        let statements: &[&str] = match self.tx.dialect {
            Dialect::Sqlite => &[
                "DELETE FROM sqlite_sequence WHERE name = $1 AND seq <> $2",
                "INSERT INTO sqlite_sequence (name, seq) SELECT $1, $2
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)",
            ],
            Dialect::Postgres => &["SELECT setval(pg_get_serial_sequence($1, 'seq'), $2)"],
        };
        for text in statements {
            self.tx.run(built((*text).to_owned()).bind(name.clone()).bind(last)).await?;
        }
        Ok(())
    }

    /// Opens work again that was open when the copy was made, and notes where the store is from. What ran on after the
    /// copy was made may have made the open calls: each is looked up before it is made, or needs a person.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen(&mut self, with: &Reopening<'_>) -> Result<Reopened, StoreError> {
        let tx = &mut self.tx;
        let mut reopened = Reopened::default();
        tx.run(sql("UPDATE inbox SET state = 'ready', owner = '', lease_until = 0 WHERE state = 'running'")).await?;
        reopened.unsure_calls = tx
            .run(sql("UPDATE calls SET state = 'ready', owner = '', lease_until = 0, unsure = 1
                 WHERE state IN ('ready', 'running')"))
            .await?;
        tx.run(sql("DELETE FROM leases")).await?;
        for (consumer, types) in with.lost.iter().filter(|(_, types)| !types.is_empty()) {
            let mut statement = built(format!(
                "UPDATE events SET position = NULL WHERE position IS NOT NULL AND at >= $1 AND type IN ({})
                 AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.consumer = $2 AND i.message = events.id)",
                list_of(3, types.len())
            ))
            .bind(with.since)
            .bind(consumer.clone());
            for kind in types {
                statement = statement.bind(kind.clone());
            }
            reopened.events += tx.run(statement).await?;
        }
        for (name, value) in [(FROM, with.from.to_owned()), (AT, with.now.to_string())] {
            tx.run(
                sql("INSERT INTO meta (name, value) VALUES ($1, $2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .bind(name.to_owned())
                .bind(value),
            )
            .await?;
        }
        Ok(reopened)
    }

    /// The types of the events since `since` that were published.
    ///
    /// # Errors
    /// The store fails.
    pub async fn published_types(&mut self, since: i64) -> Result<Vec<String>, StoreError> {
        let statement = sql("SELECT DISTINCT type FROM events WHERE position IS NOT NULL AND at >= $1 ORDER BY type");
        self.tx.all(statement.bind(since), |row| row.try_get("type")).await
    }

    /// Brings the schema up to date and commits.
    ///
    /// # Errors
    /// The store fails; then it is empty as before.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.tx.migrate_within(schema::newest(), false).await?;
        self.tx
            .batch(match self.tx.dialect {
                Dialect::Sqlite => "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)",
                Dialect::Postgres => "COMMIT",
            })
            .await
    }
}
