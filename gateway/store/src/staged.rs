//! Rows of tables in other systems' databases: which the hub has, what they said last, and what they were told.
//!
//! A row of a table is one row here, by a keyed hash of its key. It comes again when its content has changed, or when it
//! was written back as failed and the other side offers it anew; everything else is a repetition. The payload of a row
//! says by its own state what is to be written back.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, sql};

pub(crate) const TABLES: &str = "
-- Rows of tables in other systems' databases. `key` is a keyed hash, `former` the payload before the last one.
CREATE TABLE staged_rows (
    tenant TEXT NOT NULL, connection TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL,
    children TEXT NOT NULL, raw TEXT NOT NULL, former TEXT NOT NULL, claim TEXT NOT NULL, state TEXT NOT NULL,
    seen_at BIGINT NOT NULL, sealed {blob} NOT NULL, PRIMARY KEY (tenant, connection, name, key));
CREATE INDEX staged_rows_open ON staged_rows (connection, name, raw) WHERE state IN ('open', 'failed');
CREATE INDEX staged_rows_seen ON staged_rows (connection, name, seen_at) WHERE state = 'done';
-- How far tables without a status were read: the mark, and the marks before it with their times.
CREATE TABLE staged_marks (
    tenant TEXT NOT NULL, connection TEXT NOT NULL, name TEXT NOT NULL, marks TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection, name));
";

/// Whose table it is, and what the manifest calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedTable {
    /// Tenant.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// The table.
    pub name: String,
}

/// A row that was read.
#[derive(Clone, Debug)]
pub struct NewStaged {
    /// A keyed hash of its key.
    pub key: String,
    /// A hash of what it says.
    pub hash: String,
    /// A hash of what its children say.
    pub children: String,
    /// The payload that it would be.
    pub raw: String,
    /// By whom it was taken; empty where rows are not taken.
    pub claim: String,
    /// Whether something is written back when the payload has been processed.
    pub tells: bool,
    /// Its key, sealed.
    pub sealed: Sealed,
    /// Now, µs.
    pub at: i64,
}

/// What a row that was read is to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staged {
    /// News; the payload that it was before, if it was one.
    News(Option<String>),
    /// Known as it is.
    Known,
}

/// A row whose payload has been processed, and that was not told so yet.
#[derive(Clone, Debug)]
pub struct StagedEnd {
    /// A keyed hash of its key.
    pub key: String,
    /// Its key, sealed.
    pub sealed: Vec<u8>,
    /// A hash of what it said.
    pub hash: String,
    /// The payload.
    pub raw: String,
    /// By whom it was taken.
    pub claim: String,
    /// Whether it was told before that it failed.
    pub again: bool,
    /// Why it needs a person, as code and reason; `None` when it was processed.
    pub failed: Option<(String, String)>,
}

/// Its payload was done or ignored; or it lies parked, and there is something to tell.
const ENDED: &str = "
    SELECT s.key, s.sealed, s.hash, s.raw, s.claim, s.state, r.state AS raw_state,
        COALESCE((SELECT p.code FROM parked p WHERE p.tenant = s.tenant AND p.kind = 'raw'
            AND (p.reference = s.raw OR (p.reference > s.raw || '~' AND p.reference < s.raw || '~~')) ORDER BY p.at DESC, p.id DESC LIMIT 1), '')
            AS code,
        COALESCE((SELECT p.reason FROM parked p WHERE p.tenant = s.tenant AND p.kind = 'raw'
            AND (p.reference = s.raw OR (p.reference > s.raw || '~' AND p.reference < s.raw || '~~')) ORDER BY p.at DESC, p.id DESC LIMIT 1), '')
            AS reason
    FROM staged_rows s JOIN raws r ON r.id = s.raw AND r.tenant = s.tenant
    WHERE s.tenant = $1 AND s.connection = $2 AND s.name = $3
        AND ((s.state = 'open' AND r.state IN ('done', 'ignored', 'parked'))
            OR (s.state = 'failed' AND r.state IN ('done', 'ignored')))
    ORDER BY s.raw LIMIT $4";

fn read_end(row: &Row<'_>) -> Result<(StagedEnd, bool), ColumnError> {
    let parked = row.try_get::<String, _>("raw_state")? == "parked";
    let (code, reason): (String, String) = (row.try_get("code")?, row.try_get("reason")?);
    // It is parked a moment before the reason is there.
    let complete = !parked || !code.is_empty();
    let end = StagedEnd {
        key: row.try_get("key")?,
        sealed: row.try_get("sealed")?,
        hash: row.try_get("hash")?,
        raw: row.try_get("raw")?,
        claim: row.try_get("claim")?,
        again: row.try_get::<String, _>("state")? == "failed",
        failed: parked.then_some((code, reason)),
    };
    Ok((end, complete))
}

impl Tx {
    /// Notes a row that was read. Of two who read the same row one has news.
    ///
    /// # Errors
    /// The store fails.
    pub async fn stage(&mut self, table: &StagedTable, row: NewStaged) -> Result<Staged, StoreError> {
        let state = if row.tells { "open" } else { "read" };
        let statement =
            sql("INSERT INTO staged_rows (tenant, connection, name, key, hash, children, raw, former, claim,
                 state, seen_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, $11)
             ON CONFLICT (tenant, connection, name, key) DO UPDATE SET hash = excluded.hash,
                 children = excluded.children, raw = excluded.raw, former = staged_rows.raw, claim = excluded.claim,
                 state = excluded.state, seen_at = excluded.seen_at, sealed = excluded.sealed
             WHERE staged_rows.hash <> excluded.hash OR staged_rows.children <> excluded.children
                 OR staged_rows.state = 'failed'
             RETURNING former")
            .bind(table.tenant.clone())
            .bind(table.connection.clone())
            .bind(table.name.clone())
            .bind(row.key.clone())
            .bind(row.hash)
            .bind(row.children)
            .bind(row.raw)
            .bind(row.claim.clone())
            .bind(state)
            .bind(row.at)
            .bind(row.sealed.0);
        if let Some(former) = self.one(statement, |row| row.try_get::<String, _>("former")).await? {
            return Ok(Staged::News((!former.is_empty()).then_some(former)));
        }
        // Offered again as it was: what became of it is told again.
        let statement = sql("UPDATE staged_rows SET claim = $5, state = $6, seen_at = $7
             WHERE tenant = $1 AND connection = $2 AND name = $3 AND key = $4 AND (claim <> $5 OR state <> $6)")
        .bind(table.tenant.clone())
        .bind(table.connection.clone())
        .bind(table.name.clone())
        .bind(row.key)
        .bind(row.claim)
        .bind(state)
        .bind(row.at);
        self.run(statement).await?;
        Ok(Staged::Known)
    }

    /// Parked payloads whose row came again in another form need nobody any more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn supersede_raw(&mut self, tenant: &str, raw: &str, now: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE parked SET resolved_at = $3, resolution = 'discarded', resolved_by = 'hub',
                 note = 'the row came again'
             WHERE tenant = $1 AND kind = 'raw' AND resolved_at IS NULL
                 AND (reference = $2 OR (reference > $2 || '~' AND reference < $2 || '~~'))")
        .bind(tenant.to_owned())
        .bind(raw.to_owned())
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Rows whose payloads have been processed, and that were not told so yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn staged_ends(&mut self, table: &StagedTable, limit: i64) -> Result<Vec<StagedEnd>, StoreError> {
        let statement =
            sql(ENDED).bind(table.tenant.clone()).bind(table.connection.clone()).bind(table.name.clone()).bind(limit);
        let all = self.all(statement, read_end).await?;
        Ok(all.into_iter().filter(|(_, complete)| *complete).map(|(end, _)| end).collect())
    }

    /// Notes that a row was told what became of it, unless it has come again meanwhile.
    ///
    /// # Errors
    /// The store fails.
    pub async fn staged_told(&mut self, table: &StagedTable, end: &StagedEnd) -> Result<(), StoreError> {
        let statement = sql("UPDATE staged_rows SET state = $6
             WHERE tenant = $1 AND connection = $2 AND name = $3 AND key = $4 AND raw = $5 AND claim = $7")
        .bind(table.tenant.clone())
        .bind(table.connection.clone())
        .bind(table.name.clone())
        .bind(end.key.clone())
        .bind(end.raw.clone())
        .bind(if end.failed.is_some() { "failed" } else { "done" })
        .bind(end.claim.clone());
        self.run(statement).await.map(drop)
    }

    /// How many rows of a table are still to be processed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn staged_open(&mut self, table: &StagedTable) -> Result<i64, StoreError> {
        let statement = sql("SELECT COUNT(*) AS n FROM staged_rows
             WHERE tenant = $1 AND connection = $2 AND name = $3 AND state = 'open'")
        .bind(table.tenant.clone())
        .bind(table.connection.clone())
        .bind(table.name.clone());
        Ok(self.one(statement, |row| row.try_get("n")).await?.unwrap_or_default())
    }

    /// Forgets rows that were told long ago that they are done: the other side does not offer them again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_staged(&mut self, table: &StagedTable, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement = sql("DELETE FROM staged_rows WHERE tenant = $1 AND connection = $2 AND name = $3 AND key IN (
                 SELECT key FROM staged_rows WHERE tenant = $1 AND connection = $2 AND name = $3 AND state = 'done'
                     AND seen_at < $4 LIMIT $5)")
        .bind(table.tenant.clone())
        .bind(table.connection.clone())
        .bind(table.name.clone())
        .bind(before)
        .bind(limit);
        self.run(statement).await
    }

    /// How far a table was read, as the poller wrote it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn staged_marks(&mut self, table: &StagedTable) -> Result<Option<String>, StoreError> {
        let statement = sql("SELECT marks FROM staged_marks WHERE tenant = $1 AND connection = $2 AND name = $3")
            .bind(table.tenant.clone())
            .bind(table.connection.clone())
            .bind(table.name.clone());
        self.one(statement, |row| row.try_get("marks")).await
    }

    /// Notes how far a table was read; in the transaction that keeps its rows.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_staged_marks(&mut self, table: &StagedTable, marks: String, at: i64) -> Result<(), StoreError> {
        let statement =
            sql("INSERT INTO staged_marks (tenant, connection, name, marks, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant, connection, name) DO UPDATE SET marks = excluded.marks, at = excluded.at")
            .bind(table.tenant.clone())
            .bind(table.connection.clone())
            .bind(table.name.clone())
            .bind(marks)
            .bind(at);
        self.run(statement).await.map(drop)
    }
}
