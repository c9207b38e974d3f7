//! A transaction, or a connection for reading.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::row::{ColumnError, Parameter, Row};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use rusqlite::Connection;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, SqlSafeStr, SqlStr, Transaction};

/// The future of a transaction body.
pub type Job<'t, T> = BoxFuture<'t, Result<T, StoreError>>;

/// Boxes a transaction body; [`job!`](crate::job) calls it.
pub fn boxed<'t, T>(body: impl Future<Output = Result<T, StoreError>> + Send + 't) -> Job<'t, T> {
    Box::pin(body)
}

/// A transaction, or a connection for reading. The store's operations are its methods, one file per topic.
///
/// On SQLite a statement runs on the thread that asks, and its future is ready at once: handing each one over to
/// another thread costs several times what the statement does.
pub struct Tx {
    pub(crate) dialect: Dialect,
    pub(crate) inner: Inner,
}

pub(crate) enum Inner {
    Sqlite(Connection),
    /// The connection that watches over a server, or one outside every pool.
    Own(PgConnection),
    Transaction(Transaction<'static, Postgres>),
    Pooled(PoolConnection<Postgres>),
}

/// Where a statement runs.
enum On<'c> {
    Sqlite(&'c Connection),
    Postgres(&'c mut PgConnection),
}

/// A statement under construction.
pub(crate) struct Statement {
    text: SqlStr,
    parameters: Vec<Parameter>,
}

/// A statement with a fixed text.
pub(crate) fn sql(text: &'static str) -> Statement {
    Statement::of(text.into_sql_str())
}

/// A statement whose text was put together from fixed parts; values still travel as parameters.
pub(crate) fn built(text: String) -> Statement {
    Statement::of(AssertSqlSafe(text).into_sql_str())
}

impl Statement {
    fn of(text: SqlStr) -> Self {
        // A newer program may add columns while this one runs, and PostgreSQL then refuses prepared statements that
        // give `*`.
        let names_its_columns = !["SELECT *", "RETURNING *", ".*"].iter().any(|all| text.as_str().contains(all));
        debug_assert!(names_its_columns, "name the columns: {}", text.as_str());
        Self { text, parameters: Vec::new() }
    }

    /// The value of the next parameter.
    pub(crate) fn bind(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push(value.into());
        self
    }

    fn for_postgres(self) -> Query<'static, Postgres, PgArguments> {
        self.parameters.into_iter().fold(sqlx::query(self.text), |query, parameter| match parameter {
            Parameter::Integer(value) => query.bind(value),
            Parameter::Text(value) => query.bind(value),
            Parameter::Blob(value) => query.bind(value),
        })
    }

    /// Runs it to its end, and gives each row to `take`, which says whether it wants more.
    fn on_sqlite<E: From<StoreError>>(
        self,
        connection: &Connection,
        mut take: impl FnMut(&Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut statement = connection.prepare_cached(self.text.as_str()).map_err(StoreError::from)?;
        for place in 1..=statement.parameter_count() {
            // `$3` is a name to SQLite, which numbers names by their first appearance.
            let number = statement.parameter_name(place).and_then(|name| name.get(1..)?.parse::<usize>().ok());
            let value = number.and_then(|number| self.parameters.get(number.checked_sub(1)?));
            let value = value.ok_or_else(|| StoreError::from(rusqlite::Error::InvalidParameterCount(place, 0)))?;
            statement.raw_bind_parameter(place, value).map_err(StoreError::from)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            if !take(&Row::Sqlite(row))? {
                break;
            }
        }
        Ok(())
    }
}

impl Tx {
    fn on(&mut self) -> On<'_> {
        match &mut self.inner {
            Inner::Sqlite(connection) => On::Sqlite(connection),
            Inner::Own(connection) => On::Postgres(connection),
            Inner::Transaction(transaction) => On::Postgres(transaction),
            Inner::Pooled(connection) => On::Postgres(connection),
        }
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn run(&mut self, statement: Statement) -> Result<u64, StoreError> {
        match self.on() {
            On::Sqlite(connection) => {
                statement.on_sqlite::<StoreError>(connection, |_| Ok(true))?;
                Ok(connection.changes())
            }
            On::Postgres(connection) => Ok(statement.for_postgres().execute(connection).await?.rows_affected()),
        }
    }

    /// Runs statements that take no parameters and give nothing.
    pub(crate) async fn batch(&mut self, text: &'static str) -> Result<(), StoreError> {
        match self.on() {
            On::Sqlite(connection) => Ok(connection.execute_batch(text)?),
            On::Postgres(connection) => Ok(sqlx::raw_sql(text).execute(connection).await.map(drop)?),
        }
    }

    /// Gives each row of an answer to `take`, without keeping it.
    pub(crate) async fn each<E: From<StoreError>>(
        &mut self,
        statement: Statement,
        mut take: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.on() {
            On::Sqlite(connection) => statement.on_sqlite(connection, |row| take(row).map(|()| true)),
            On::Postgres(connection) => {
                let mut rows = statement.for_postgres().fetch(connection);
                while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
                    take(&Row::Postgres(&row))?;
                }
                Ok(())
            }
        }
    }

    pub(crate) async fn all<T>(
        &mut self,
        statement: Statement,
        read: fn(&Row<'_>) -> Result<T, ColumnError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        match self.on() {
            On::Sqlite(connection) => statement.on_sqlite(connection, |row| {
                all.push(read(row)?);
                Ok::<_, StoreError>(true)
            })?,
            On::Postgres(connection) => {
                for row in statement.for_postgres().fetch_all(connection).await? {
                    all.push(read(&Row::Postgres(&row))?);
                }
            }
        }
        Ok(all)
    }

    pub(crate) async fn one<T>(
        &mut self,
        statement: Statement,
        read: fn(&Row<'_>) -> Result<T, ColumnError>,
    ) -> Result<Option<T>, StoreError> {
        match self.on() {
            On::Sqlite(connection) => {
                let mut one = None;
                statement.on_sqlite(connection, |row| {
                    // What a statement changes is done when its first row comes.
                    one = Some(read(row)?);
                    Ok::<_, StoreError>(false)
                })?;
                Ok(one)
            }
            On::Postgres(connection) => {
                let row = statement.for_postgres().fetch_optional(connection).await?;
                Ok(row.map(|row| read(&Row::Postgres(&row))).transpose()?)
            }
        }
    }

    /// A cheap question that only a living database answers.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ping(&mut self) -> Result<(), StoreError> {
        self.one(sql("SELECT 1 AS one"), |row| row.try_get::<i64, _>("one")).await.map(drop)
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
