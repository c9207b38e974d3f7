//! Imports: files that people bring, and how far each of them is.
//!
//! A row holds the sealed file and the counts; its rows, the records that it wrote and the steps that people took with
//! it stand beside it. A worker locks an import, does a portion and moves it on, all in one transaction: a worker that
//! dies leaves it where it was, and any other goes on from there.

mod kinds;
mod records;
mod rows;

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, sql};
pub use kinds::{Import, ImportChange, ImportCounts, ImportState, ImportStep, NewImport};
pub use records::{Found, Written};
pub use rows::{ImportRow, ImportRowFilter, NewImportRow, RowEnd};

/// Schema version 5: the tables.
pub(crate) const TABLES: &str = "
CREATE TABLE imports (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, into_tenant TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL, bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, about {blob} NOT NULL, body {blob} NOT NULL,
    total BIGINT NOT NULL, good BIGINT NOT NULL, bad BIGINT NOT NULL, warned BIGINT NOT NULL, ignored BIGINT NOT NULL,
    done BIGINT NOT NULL, failed BIGINT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL, undone BIGINT NOT NULL, kept BIGINT NOT NULL,
    place BIGINT NOT NULL, available_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, error TEXT NOT NULL);
CREATE INDEX imports_tenant ON imports (tenant, id);
CREATE INDEX imports_open ON imports (available_at) WHERE state IN ('CHECKING', 'APPLYING', 'UNDOING');

-- Who did what with an import, and when.
CREATE TABLE import_steps (
    import TEXT NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, step TEXT NOT NULL, by_name TEXT NOT NULL,
    by_handle TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (import, number));

-- Rows of the file that count, each with its findings and what is made of it, sealed.
CREATE TABLE import_rows (
    import TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL, warned BIGINT NOT NULL, trace TEXT NOT NULL,
    body {blob} NOT NULL, PRIMARY KEY (import, number));
CREATE INDEX import_rows_state ON import_rows (import, state, number);

-- Records that an import wrote: the version before, 0 where it made them, and the version that it left.
CREATE TABLE import_records (
    import TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, number BIGINT NOT NULL, before BIGINT NOT NULL,
    after BIGINT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (import, entity, id));
CREATE INDEX import_records_state ON import_records (import, state, number);

-- What a tenant has said that columns mean.
CREATE TABLE import_columns (
    tenant TEXT NOT NULL, target TEXT NOT NULL, heading TEXT NOT NULL, field TEXT NOT NULL,
    PRIMARY KEY (tenant, target, heading));
";

/// The columns that [`read`] reads.
const FIELDS: &str = "id, tenant, into_tenant, target, state, uploaded_at, bytes, sha256, about, total, good, bad, warned, \
    ignored, done, failed, created, updated, unchanged, undone, kept, place, changed_at, error";

fn read(row: &Row<'_>) -> Result<Import, ColumnError> {
    let state: String = row.try_get("state")?;
    Ok(Import {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        into: row.try_get("into_tenant")?,
        target: row.try_get("target")?,
        // A state that only a newer program knows is left alone.
        state: ImportState::of(&state).unwrap_or(ImportState::Discarded),
        uploaded_at: row.try_get("uploaded_at")?,
        bytes: row.try_get("bytes")?,
        sha256: row.try_get("sha256")?,
        about: Sealed(row.try_get("about")?),
        counts: ImportCounts {
            total: row.try_get("total")?,
            good: row.try_get("good")?,
            bad: row.try_get("bad")?,
            warned: row.try_get("warned")?,
            ignored: row.try_get("ignored")?,
            done: row.try_get("done")?,
            failed: row.try_get("failed")?,
            created: row.try_get("created")?,
            updated: row.try_get("updated")?,
            unchanged: row.try_get("unchanged")?,
            undone: row.try_get("undone")?,
            kept: row.try_get("kept")?,
        },
        place: row.try_get("place")?,
        changed_at: row.try_get("changed_at")?,
        error: row.try_get("error")?,
    })
}

impl Tx {
    /// Keeps a file that was brought.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_import(&mut self, new: NewImport, step: ImportStep) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO imports (id, tenant, into_tenant, target, state, uploaded_at, bytes, sha256,
                 about, body, total, good, bad, warned, ignored, done, failed, created, updated, unchanged, undone, kept,
                 place, available_at, changed_at, error)
             VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $5, $5, '')")
        .bind(new.id.clone())
        .bind(new.tenant)
        .bind(new.target)
        .bind(new.state.word())
        .bind(new.uploaded_at)
        .bind(new.bytes)
        .bind(new.sha256)
        .bind(new.about.0)
        .bind(new.body.0);
        self.run(statement).await?;
        self.note_import(&new.id, step).await
    }

    /// Imports, newest first; behind `after`, if it is not empty.
    ///
    /// # Errors
    /// The store fails.
    pub async fn imports(&mut self, tenant: &str, after: &str, limit: i64) -> Result<Vec<Import>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM imports WHERE tenant = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3"
        ))
        .bind(tenant.to_owned())
        .bind(after.to_owned())
        .bind(limit);
        self.all(statement, read).await
    }

    /// One of them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import(&mut self, tenant: &str, id: &str) -> Result<Option<Import>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM imports WHERE tenant = $1 AND id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// The sealed file of an import; `None` when it is gone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import_file(&mut self, tenant: &str, id: &str) -> Result<Option<Sealed>, StoreError> {
        let statement =
            sql("SELECT body FROM imports WHERE tenant = $1 AND id = $2").bind(tenant.to_owned()).bind(id.to_owned());
        let body = self.one(statement, |row| row.try_get::<Vec<u8>, _>("body")).await?;
        Ok(body.filter(|body| !body.is_empty()).map(Sealed))
    }

    /// The one that the hub is to go on with next: its tenant, its id and when, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_import(&mut self) -> Result<Option<(Import, i64)>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS}, available_at FROM imports WHERE state IN ('CHECKING', 'APPLYING', 'UNDOING')
             ORDER BY available_at, id LIMIT 1"
        ));
        self.one(statement, |row| Ok((read(row)?, row.try_get("available_at")?))).await
    }

    /// Locks an import that stands so, until the end of the transaction; `None` while another worker is at it, or when
    /// it has gone on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lock_import(
        &mut self,
        id: &str,
        state: ImportState,
        place: i64,
    ) -> Result<Option<Import>, StoreError> {
        let lock = self.dialect.skip_locked();
        let text = format!("SELECT {FIELDS} FROM imports WHERE id = $1 AND state = $2 AND place = $3{lock}");
        self.one(built(text).bind(id.to_owned()).bind(state.word()).bind(place), read).await
    }

    /// Brings an import from one of some states into another; `None` when it does not stand so.
    ///
    /// # Errors
    /// The store fails.
    pub async fn turn_import(
        &mut self,
        (tenant, id): (&str, &str),
        from: &[ImportState],
        to: ImportState,
        change: ImportChange,
        now: i64,
    ) -> Result<Option<Import>, StoreError> {
        let mut statement = built(format!(
            "UPDATE imports SET state = $3, changed_at = $4, available_at = $4, place = 0, error = $5,
                 about = COALESCE($6, about), into_tenant = COALESCE($7, into_tenant)
             WHERE tenant = $1 AND id = $2 AND state IN ({}) RETURNING {FIELDS}",
            list_of(8, from.len())
        ))
        .bind(tenant.to_owned())
        .bind(id.to_owned())
        .bind(to.word())
        .bind(now)
        .bind(change.error)
        .bind(change.about.map(|about| about.0))
        .bind(change.into);
        for state in from {
            statement = statement.bind(state.word());
        }
        let turned = self.one(statement, read).await?;
        match (turned, change.counts) {
            (Some(import), Some(counts)) => {
                self.count_import(id, counts).await?;
                Ok(Some(Import { counts, ..import }))
            }
            (turned, _) => Ok(turned),
        }
    }

    async fn count_import(&mut self, id: &str, counts: ImportCounts) -> Result<(), StoreError> {
        let statement = sql("UPDATE imports SET total = $2, good = $3, bad = $4, warned = $5, ignored = $6, done = $7,
                 failed = $8, created = $9, updated = $10, unchanged = $11, undone = $12, kept = $13 WHERE id = $1")
        .bind(id.to_owned())
        .bind(counts.total)
        .bind(counts.good)
        .bind(counts.bad)
        .bind(counts.warned)
        .bind(counts.ignored)
        .bind(counts.done)
        .bind(counts.failed)
        .bind(counts.created)
        .bind(counts.updated)
        .bind(counts.unchanged)
        .bind(counts.undone)
        .bind(counts.kept);
        self.run(statement).await.map(drop)
    }

    /// Moves a locked import on, behind a portion.
    ///
    /// # Errors
    /// The store fails.
    pub async fn move_import(
        &mut self,
        id: &str,
        counts: ImportCounts,
        place: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        self.count_import(id, counts).await?;
        let statement = sql("UPDATE imports SET place = $2, available_at = $3 WHERE id = $1")
            .bind(id.to_owned())
            .bind(place)
            .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Lets an import wait until `at`, because something failed that may pass.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delay_import(&mut self, id: &str, at: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE imports SET available_at = $2 WHERE id = $1").bind(id.to_owned()).bind(at);
        self.run(statement).await.map(drop)
    }

    /// Notes what somebody did with an import.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_import(&mut self, id: &str, step: ImportStep) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO import_steps (import, number, at, step, by_name, by_handle, note)
             SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6 FROM import_steps WHERE import = $1")
        .bind(id.to_owned())
        .bind(step.at)
        .bind(step.step)
        .bind(step.by)
        .bind(step.handle)
        .bind(step.note);
        self.run(statement).await.map(drop)
    }

    /// What was done with an import, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import_steps(&mut self, id: &str) -> Result<Vec<ImportStep>, StoreError> {
        let statement =
            sql("SELECT at, step, by_name, by_handle, note FROM import_steps WHERE import = $1 ORDER BY number")
                .bind(id.to_owned());
        self.all(statement, |row| {
            Ok(ImportStep {
                at: row.try_get("at")?,
                step: row.try_get("step")?,
                by: row.try_get("by_name")?,
                handle: row.try_get("by_handle")?,
                note: row.try_get("note")?,
            })
        })
        .await
    }

    /// What a tenant has said that columns mean: heading and field, which is empty for a column that is left out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn import_columns(&mut self, tenant: &str, target: &str) -> Result<Vec<(String, String)>, StoreError> {
        let statement = sql("SELECT heading, field FROM import_columns WHERE tenant = $1 AND target = $2
             ORDER BY heading")
        .bind(tenant.to_owned())
        .bind(target.to_owned());
        self.all(statement, |row| Ok((row.try_get("heading")?, row.try_get("field")?))).await
    }

    /// Remembers what a tenant says that columns mean.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_import_columns(
        &mut self,
        tenant: &str,
        target: &str,
        columns: Vec<(String, String)>,
    ) -> Result<(), StoreError> {
        for (heading, field) in columns {
            let statement = sql("INSERT INTO import_columns (tenant, target, heading, field) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (tenant, target, heading) DO UPDATE SET field = excluded.field")
            .bind(tenant.to_owned())
            .bind(target.to_owned())
            .bind(heading)
            .bind(field);
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Forgets the file and the rows of an import; what was done and who did it stays.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_import_file(&mut self, id: &str) -> Result<(), StoreError> {
        self.run(sql("DELETE FROM import_rows WHERE import = $1").bind(id.to_owned())).await?;
        let statement = sql("UPDATE imports SET body = $2 WHERE id = $1").bind(id.to_owned()).bind(Vec::<u8>::new());
        self.run(statement).await.map(drop)
    }
}
