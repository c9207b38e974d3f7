//! Reading a store that others go on writing: all tables as they were at one moment.

use super::{Cell, ColumnKind, Table, connect, names};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::keyring::{self, MasterKey};
use crate::schema;
use crate::tx::{Tx, built};

/// The store at one moment. Nothing is changed by looking, not even the schema of an older version.
pub struct Snapshot {
    tx: Tx,
    version: usize,
    tables: Vec<Table>,
}

impl Snapshot {
    /// Takes a snapshot: what was committed before this call is in it, what is committed after it returns is not.
    ///
    /// # Errors
    /// The store cannot be reached, is none, or its schema is newer than this program.
    pub async fn take(url: &str) -> Result<Self, StoreError> {
        let mut tx = connect(url).await?;
        tx.batch(match tx.dialect {
            // The first read decides what is seen.
            Dialect::Sqlite => "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; BEGIN",
            Dialect::Postgres => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
                 SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
            }
        })
        .await?;
        let tables = tx.our_tables().await?;
        if !tables.iter().any(|table| table.name == "meta") {
            return Err(StoreError::Schema("there is no store of the hub yet: `hrhub serve` makes one".to_owned()));
        }
        let version = tx.schema_version().await?.unwrap_or(0);
        if version == 0 || version > schema::newest() {
            return Err(StoreError::Schema(format!(
                "the store has schema version {version}; this program knows {}: use the hrhub that runs the hub",
                schema::newest()
            )));
        }
        Ok(Self { tx, version, tables })
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.tx.dialect {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// The version of the schema.
    #[must_use]
    pub const fn schema_version(&self) -> usize {
        self.version
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Makes sure that a master key opens the tenants' keys.
    ///
    /// # Errors
    /// It does not, or the store fails.
    pub async fn check_key(&mut self, master: &MasterKey) -> Result<(), StoreError> {
        keyring::check(&mut self.tx, master).await
    }

    /// Gives the rows of a table, one after the other, without keeping them.
    ///
    /// # Errors
    /// The store fails, or what `take` returned.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: &Table,
        mut take: impl FnMut(Vec<Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        let statement = built(format!("SELECT {} FROM {}", names(table), table.name));
        let each = self.tx.each(statement, |row| {
            let mut cells = Vec::with_capacity(table.columns.len());
            for (index, (_, kind)) in table.columns.iter().enumerate() {
                let cell = match kind {
                    ColumnKind::Integer => row.try_get::<Option<i64>, _>(index).map(|value| value.map(Cell::Integer)),
                    ColumnKind::Text => row.try_get::<Option<String>, _>(index).map(|value| value.map(Cell::Text)),
                    ColumnKind::Blob => row.try_get::<Option<Vec<u8>>, _>(index).map(|value| value.map(Cell::Blob)),
                };
                cells.push(cell.map_err(StoreError::from)?.unwrap_or(Cell::Null));
            }
            take(cells)
        });
        each.await
    }
}
