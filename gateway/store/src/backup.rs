//! The store as tables of plain cells: read in one snapshot, and loaded into an empty store in one transaction.
//!
//! Both are the same for SQLite and PostgreSQL, so that what was read from one can be loaded into the other. Bodies
//! stay sealed as they are. Which tables there are is read from the schema's own text; what else lies in the database
//! is not ours.

mod load;
mod snapshot;

pub use load::{Load, Reopened, Reopening};
pub use snapshot::Snapshot;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::schema;
use crate::tx::{Tx, sql};
use crate::{server, sqlite};

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// Roughly how much memory it takes.
    #[must_use]
    pub const fn size(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

impl ColumnKind {
    /// `integer`, `text` or `blob`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Text => "text",
            Self::Blob => "blob",
        }
    }

    /// The kind that a word names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Integer, Self::Text, Self::Blob].into_iter().find(|kind| kind.word() == word)
    }
}

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<(String, ColumnKind)>,
    /// The last number that the table's own counter gave out, where it has one.
    pub last_serial: Option<i64>,
}

/// Where rows of work are counted by the database: the column is called so in every table that has one.
const SERIAL: &str = "seq";

/// Opens a connection of its own, outside every pool.
pub(crate) async fn connect(url: &str) -> Result<Tx, StoreError> {
    if url.starts_with("sqlite:") {
        return sqlite::connect(url);
    }
    server::connect_to(url).await
}

impl Tx {
    /// Our tables in the database, as they are.
    pub(crate) async fn our_tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let columns = match self.dialect {
            Dialect::Sqlite => "SELECT name, type AS kind FROM pragma_table_info($1) ORDER BY cid",
            Dialect::Postgres => {
                "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
            }
        };
        let mut tables = Vec::new();
        for name in schema::table_names() {
            let read = self
                .all(sql(columns).bind(name.clone()), |row| {
                    Ok((row.try_get::<String, _>("name")?, row.try_get::<String, _>("kind")?))
                })
                .await?;
            if read.is_empty() {
                continue;
            }
            let mut kinds = Vec::with_capacity(read.len());
            for (column, kind) in read {
                let known = match kind.to_ascii_lowercase().as_str() {
                    "bigint" | "integer" | "smallint" => ColumnKind::Integer,
                    "text" | "character varying" => ColumnKind::Text,
                    "blob" | "bytea" => ColumnKind::Blob,
                    other => {
                        let what = format!("column {column} of table {name} has the type {other}, which is not ours");
                        return Err(StoreError::Schema(what));
                    }
                };
                kinds.push((column, known));
            }
            let last_serial = match kinds.iter().any(|(column, _)| column == SERIAL) {
                true => self.last_serial(&name).await?,
                false => None,
            };
            tables.push(Table { name, columns: kinds, last_serial });
        }
        Ok(tables)
    }

    /// The last number that a table's counter gave out; `Some(0)` for a counter that was never used.
    async fn last_serial(&mut self, table: &str) -> Result<Option<i64>, StoreError> {
        let text = match self.dialect {
            Dialect::Sqlite => "SELECT COALESCE(MAX(seq), 0) AS last FROM sqlite_sequence WHERE name = $1",
            Dialect::Postgres => {
                "SELECT COALESCE(pg_sequence_last_value(pg_get_serial_sequence($1, 'seq')::regclass), 0) AS last"
            }
        };
        self.one(sql(text).bind(table.to_owned()), |row| row.try_get::<i64, _>("last")).await
    }

    /// The version of the schema in the database; `None` where there is none.
    pub(crate) async fn schema_version(&mut self) -> Result<Option<usize>, StoreError> {
        let text = self
            .one(sql("SELECT value FROM meta WHERE name = 'schema_version'"), |row| row.try_get::<String, _>("value"))
            .await?;
        match text.as_deref().map(str::parse) {
            None => Ok(None),
            Some(Ok(version)) => Ok(Some(version)),
            Some(Err(_)) => Err(StoreError::Schema("the store's schema version is no number".to_owned())),
        }
    }
}

/// The names of columns, quoted, separated by commas.
fn names(table: &Table) -> String {
    table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
