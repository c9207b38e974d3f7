//! What a driver does for tables of another system's database. The poller says when; a session knows the database.

use crate::driver::CallContext;
use crate::failure::CallError;
use crate::manifest::Table;
use async_trait::async_trait;

/// Rows that one step takes or reads at most.
pub const PAGE: usize = 100;

/// Reads and writes tables of databases.
#[async_trait]
pub trait Tables: Send + Sync {
    /// Opens a session with a connection's database.
    ///
    /// # Errors
    /// The database is not reached, or does not let us in.
    async fn open(&self, cx: &CallContext<'_>) -> Result<Box<dyn TableSession>, CallError>;
}

/// A session with a database. After an error it is not used again.
#[async_trait]
pub trait TableSession: Send {
    /// The columns that a table has, with their types, in words of the database.
    ///
    /// # Errors
    /// There is no such table, one that the manifest names has no such column, or the database fails.
    async fn columns(&mut self, table: &Table) -> Result<Vec<(String, String)>, CallError>;

    /// Takes up to [`PAGE`] rows that are new, or that were taken long ago by somebody who died, for `by`. When it
    /// returns, the other side knows that they are taken. Of a table whose rows are not taken, reads the new ones.
    ///
    /// # Errors
    /// The database fails: nothing was taken, or what was taken comes back when it is stale.
    async fn take(&mut self, table: &Table, by: &str) -> Result<Vec<TableRow>, CallError>;

    /// Reads up to [`PAGE`] rows of a table with a mark, in the order of their marks.
    ///
    /// # Errors
    /// The database fails.
    async fn read(&mut self, table: &Table, since: Since<'_>) -> Result<Vec<TableRow>, CallError>;

    /// Writes back what became of a row, status and error in one transaction.
    ///
    /// # Errors
    /// The database fails: nothing was written, or nobody knows; writing it again does no harm.
    async fn write_back(&mut self, table: &Table, end: &RowEnd) -> Result<WroteBack, CallError>;

    /// Ends the session in peace.
    async fn close(self: Box<Self>);
}

/// From where a table with a mark is read.
#[derive(Clone, Copy, Debug)]
pub enum Since<'s> {
    /// From its beginning.
    Beginning,
    /// Behind this mark.
    Behind(&'s [String]),
    /// From as far before the mark as late commits may lie: the mark itself, and the one that was reached so long
    /// ago, for marks that are no times.
    Again {
        /// The mark.
        latest: &'s [String],
        /// The one that was reached before the overlap began; none: from the beginning.
        former: Option<&'s [String]>,
    },
}

/// A row of a table, with the rows that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// The values of its key.
    pub key: Vec<String>,
    /// The values of what it is about, as far as the manifest says that; else of its key.
    pub record: Vec<String>,
    /// `{ column: text or null }` and the lists of its children, as JSON.
    pub payload: String,
    /// A hash of what the row itself says.
    pub hash: String,
    /// A hash of what its children say; empty without any.
    pub children_hash: String,
    /// Its mark, where the table has one.
    pub mark: Vec<String>,
    /// Columns in which the database's character set may have lost letters.
    pub suspicious: Vec<String>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowEnd {
    /// The values of its key.
    pub key: Vec<String>,
    /// By whom it was taken; empty in tables whose rows are not taken.
    pub by: String,
    /// The hash of what it said.
    pub hash: String,
    /// Why it needs a person, as code and text; none when it was processed.
    pub failed: Option<(String, String)>,
    /// Whether it had been written back as failed before.
    pub again: bool,
}

/// How writing back went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WroteBack {
    /// It is written.
    Written,
    /// The row is not ours any more, or is gone: nothing was written.
    NotOurs,
    /// The row says something else meanwhile: nothing was written, and it will be read again.
    Changed,
}

/// What a driver found when it looked at a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What it looked at.
    pub name: String,
    /// Whether it is as it should be; `None` when there was nothing to try.
    pub good: Option<bool>,
    /// The other side's code.
    pub code: Option<String>,
    /// What was found, in words.
    pub detail: String,
    /// What to do.
    pub next: Option<String>,
}
