//! A transaction, or a connection for reading.

use crate::dialect::Dialect;
use crate::error::StoreError;
use futures::future::BoxFuture;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row, Transaction};

/// The future of a transaction body.
pub type Job<'t, T> = BoxFuture<'t, Result<T, StoreError>>;

/// Boxes a transaction body; [`job!`](crate::job) calls it.
pub fn boxed<'t, T>(body: impl Future<Output = Result<T, StoreError>> + Send + 't) -> Job<'t, T> {
    Box::pin(body)
}

/// A transaction, or a connection for reading. The store's operations are its methods, one file per topic.
pub struct Tx {
    pub(crate) dialect: Dialect,
    pub(crate) inner: Inner,
}

pub(crate) enum Inner {
    /// SQLite's one writer, or the connection that watches over a server.
    Own(AnyConnection),
    Transaction(Transaction<'static, Any>),
    Pooled(PoolConnection<Any>),
}

/// A statement under construction: `bind` adds the value of its next parameter.
pub(crate) type Statement = Query<'static, Any, AnyArguments>;

/// A statement with a fixed text.
pub(crate) fn sql(text: &'static str) -> Statement {
    debug_assert!(names_its_columns(text), "name the columns: {text}");
    sqlx::query(text)
}

/// A statement whose text was put together from fixed parts; values still travel as parameters.
pub(crate) fn built(text: String) -> Statement {
    debug_assert!(names_its_columns(&text), "name the columns: {text}");
    sqlx::query(AssertSqlSafe(text))
}

/// A newer program may add columns while this one runs, and PostgreSQL then refuses prepared statements that give `*`.
fn names_its_columns(text: &str) -> bool {
    !["SELECT *", "RETURNING *", ".*"].iter().any(|all| text.contains(all))
}

impl Tx {
    pub(crate) fn conn(&mut self) -> &mut AnyConnection {
        match &mut self.inner {
            Inner::Own(connection) => connection,
            Inner::Transaction(transaction) => transaction,
            Inner::Pooled(connection) => connection,
        }
    }

    pub(crate) async fn run(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(statement.execute(self.conn()).await?.rows_affected())
    }

    pub(crate) async fn all<T>(
        &mut self,
        statement: Statement,
        read: fn(&AnyRow) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = statement.fetch_all(self.conn()).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    pub(crate) async fn one<T>(
        &mut self,
        statement: Statement,
        read: fn(&AnyRow) -> Result<T, sqlx::Error>,
    ) -> Result<Option<T>, StoreError> {
        let row = statement.fetch_optional(self.conn()).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// A cheap question that only a living database answers.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ping(&mut self) -> Result<(), StoreError> {
        self.one(sql("SELECT 1 AS one"), |row| {
            row.try_get::<i64, _>("one").or_else(|_| row.try_get::<i32, _>("one").map(i64::from))
        })
        .await
        .map(drop)
    }
}

/// Placeholders `($1, $2), ($3, $4), …` for rows of `columns` values.
pub(crate) fn rows_of(columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Rows in portions of 32, 16, 8 … 1: few texts of statements to prepare, and none with thousands of parameters, which
/// SQLite looks up one after the other.
pub(crate) fn portions<T>(items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut left = items.into_iter();
    std::iter::from_fn(move || {
        let size = (1 << left.len().checked_ilog2()?).min(32);
        Some(left.by_ref().take(size).collect())
    })
}

/// Placeholders `$from, …` for `count` values.
pub(crate) fn list_of(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
