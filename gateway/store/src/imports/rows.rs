//! The rows of a file that is imported.

use super::{Row, Sealed, StoreError, Tx};
use crate::row::ColumnError;
use crate::tx::{built, portions, rows_of, sql};

/// A row to keep.
#[derive(Clone, Debug)]
pub struct NewImportRow {
    /// Its number in the file, from 1.
    pub number: i64,
    /// `good`, `bad` or `ignored`.
    pub state: &'static str,
    /// Whether there is something to look at.
    pub warned: bool,
    /// Its cells, findings and what is made of it, sealed.
    pub body: Sealed,
}

/// A row of a file.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// Its number in the file, from 1.
    pub number: i64,
    /// `good`, `bad`, `ignored`, `applied` or `failed`.
    pub state: String,
    /// Whether there is something to look at.
    pub warned: bool,
    /// The journey of its records, once it was applied.
    pub trace: String,
    /// Its cells, findings and what is made of it, sealed.
    pub body: Sealed,
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct ImportRowFilter {
    /// Only in this state; `warned` means those with something to look at. Empty for all that hold data.
    pub state: String,
    /// Behind this number.
    pub after: i64,
    /// At most so many.
    pub limit: i64,
}

/// How a row ended.
#[derive(Clone, Debug)]
pub struct RowEnd {
    /// Its number.
    pub number: i64,
    /// `applied` or `failed`.
    pub state: &'static str,
    /// The journey of its records.
    pub trace: String,
    /// What is known of it from now on, if that changed.
    pub body: Option<Sealed>,
}

fn read(row: &Row<'_>) -> Result<ImportRow, ColumnError> {
    Ok(ImportRow {
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        warned: row.try_get::<i64, _>("warned")? != 0,
        trace: row.try_get("trace")?,
        body: Sealed(row.try_get("body")?),
    })
}

impl Tx {
    /// Forgets the rows of an import from `first` on, up to `last`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn clear_import_rows(&mut self, import: &str) -> Result<(), StoreError> {
        self.run(sql("DELETE FROM import_rows WHERE import = $1").bind(import.to_owned())).await.map(drop)
    }

    /// Keeps rows of an import; one that is there is replaced.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_import_rows(&mut self, import: &str, rows: Vec<NewImportRow>) -> Result<(), StoreError> {
        for rows in portions(rows) {
            let mut statement = built(format!(
                "INSERT INTO import_rows (import, number, state, warned, trace, body) VALUES {}
                 ON CONFLICT (import, number) DO UPDATE SET state = excluded.state, warned = excluded.warned,
                     trace = excluded.trace, body = excluded.body",
                rows_of(6, rows.len())
            ));
            for row in rows {
                statement = statement
                    .bind(import.to_owned())
                    .bind(row.number)
                    .bind(row.state)
                    .bind(i64::from(row.warned))
                    .bind(String::new())
                    .bind(row.body.0);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Rows of an import in the order of the file.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import_rows(&mut self, import: &str, filter: ImportRowFilter) -> Result<Vec<ImportRow>, StoreError> {
        let which = match filter.state.as_str() {
            "" => "state <> 'ignored' AND $4 = ''",
            "warned" => "warned = 1 AND $4 <> ''",
            _ => "state = $4",
        };
        let statement = built(format!(
            "SELECT number, state, warned, trace, body FROM import_rows
             WHERE import = $1 AND number > $2 AND {which} ORDER BY number LIMIT $3"
        ))
        .bind(import.to_owned())
        .bind(filter.after)
        .bind(filter.limit)
        .bind(filter.state);
        self.all(statement, read).await
    }

    /// One row of an import.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import_row(&mut self, import: &str, number: i64) -> Result<Option<ImportRow>, StoreError> {
        let statement = sql("SELECT number, state, warned, trace, body FROM import_rows
             WHERE import = $1 AND number = $2")
        .bind(import.to_owned())
        .bind(number);
        self.one(statement, read).await
    }

    /// Notes how rows ended.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_import_rows(&mut self, import: &str, ends: Vec<RowEnd>) -> Result<(), StoreError> {
        for end in ends {
            let statement = sql("UPDATE import_rows SET state = $3, trace = $4, body = COALESCE($5, body)
                 WHERE import = $1 AND number = $2")
            .bind(import.to_owned())
            .bind(end.number)
            .bind(end.state)
            .bind(end.trace)
            .bind(end.body.map(|body| body.0));
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Makes applied rows of an import good again: what they did was rolled back.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen_import_rows(&mut self, import: &str) -> Result<(), StoreError> {
        let statement = sql("UPDATE import_rows SET state = 'good', trace = ''
             WHERE import = $1 AND state = 'applied'")
        .bind(import.to_owned());
        self.run(statement).await.map(drop)
    }
}
