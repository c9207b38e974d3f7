//! Batches: many writes that were asked for in one request, each an item with an end of its own.
//!
//! Items are kept as they arrive; only when all are there does the batch begin. A worker locks a batch, does a portion
//! and moves it on, all in one transaction: a worker that dies leaves it where it was, and any other goes on from there.

mod kinds;

pub use kinds::{Batch, BatchCounts, BatchItem, BatchState, ItemEnd, ItemFilter, NewBatch, NewBatchItem};

use crate::batches::batches;
use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};

/// The tables.
pub(crate) const TABLES: &str = "
CREATE TABLE batches (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, handle TEXT NOT NULL, by_name TEXT NOT NULL, key TEXT NOT NULL,
    fingerprint TEXT NOT NULL, entity TEXT NOT NULL, connection TEXT NOT NULL, allowed TEXT NOT NULL, state TEXT NOT NULL,
    asked_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, available_at BIGINT NOT NULL, place BIGINT NOT NULL,
    total BIGINT NOT NULL, succeeded BIGINT NOT NULL, failed BIGINT NOT NULL, running BIGINT NOT NULL,
    trace TEXT NOT NULL);
CREATE UNIQUE INDEX batches_key ON batches (tenant, handle, key) WHERE key <> '';
CREATE INDEX batches_tenant ON batches (tenant, id);
CREATE INDEX batches_open ON batches (available_at) WHERE state = 'running';

CREATE TABLE batch_items (
    batch TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL, request TEXT NOT NULL,
    problem TEXT NOT NULL, body {blob} NOT NULL, PRIMARY KEY (batch, number));
CREATE INDEX batch_items_state ON batch_items (batch, state, number);
";

const FIELDS: &str = "id, tenant, handle, by_name, key, fingerprint, entity, connection, allowed, state, asked_at, changed_at, \
    place, total, succeeded, failed, running, trace";

fn read(row: &Row<'_>) -> Result<Batch, ColumnError> {
    let state: String = row.try_get("state")?;
    Ok(Batch {
        new: NewBatch {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            handle: row.try_get("handle")?,
            by: row.try_get("by_name")?,
            key: row.try_get("key")?,
            entity: row.try_get("entity")?,
            connection: row.try_get("connection")?,
            allowed: row.try_get("allowed")?,
            asked_at: row.try_get("asked_at")?,
            trace: row.try_get("trace")?,
        },
        fingerprint: row.try_get("fingerprint")?,
        // A state that only a newer program knows is left alone.
        state: BatchState::ALL.into_iter().find(|known| known.word() == state).unwrap_or(BatchState::Cancelled),
        place: row.try_get("place")?,
        counts: BatchCounts {
            total: row.try_get("total")?,
            succeeded: row.try_get("succeeded")?,
            failed: row.try_get("failed")?,
            running: row.try_get("running")?,
        },
        changed_at: row.try_get("changed_at")?,
    })
}

fn read_item(row: &Row<'_>) -> Result<BatchItem, ColumnError> {
    Ok(BatchItem {
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        record: row.try_get("record")?,
        request: row.try_get("request")?,
        problem: row.try_get("problem")?,
        body: Sealed(row.try_get("body")?),
    })
}

impl Tx {
    /// Keeps a batch whose items are to come; `false` when there is one under its key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_batch(&mut self, new: NewBatch) -> Result<bool, StoreError> {
        let statement =
            sql("INSERT INTO batches (id, tenant, handle, by_name, key, fingerprint, entity, connection, allowed,
                 state, asked_at, changed_at, available_at, place, total, succeeded, failed, running, trace)
             VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, 'uploading', $9, $9, $9, -1, 0, 0, 0, 0, $10)
             ON CONFLICT DO NOTHING")
            .bind(new.id)
            .bind(new.tenant)
            .bind(new.handle)
            .bind(new.by)
            .bind(new.key)
            .bind(new.entity)
            .bind(new.connection)
            .bind(new.allowed)
            .bind(new.asked_at)
            .bind(new.trace);
        Ok(self.run(statement).await? == 1)
    }

    /// A batch.
    ///
    /// # Errors
    /// The store fails.
    pub async fn find_batch(&mut self, tenant: &str, id: &str) -> Result<Option<Batch>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM batches WHERE tenant = $1 AND id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// A caller's batch by the caller's own name for it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn batch_by_key(&mut self, tenant: &str, handle: &str, key: &str) -> Result<Option<Batch>, StoreError> {
        let statement =
            built(format!("SELECT {FIELDS} FROM batches WHERE tenant = $1 AND handle = $2 AND key = $3 AND key <> ''"))
                .bind(tenant.to_owned())
                .bind(handle.to_owned())
                .bind(key.to_owned());
        self.one(statement, read).await
    }

    /// Batches, newest first; those of one caller where `handle` is not empty, behind `after` where that is not.
    ///
    /// # Errors
    /// The store fails.
    pub async fn batches(
        &mut self,
        tenant: &str,
        handle: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Batch>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM batches WHERE tenant = $1 AND ($2 = '' OR handle = $2) AND ($3 = '' OR id < $3)
             ORDER BY id DESC LIMIT $4"
        ))
        .bind(tenant.to_owned())
        .bind(handle.to_owned())
        .bind(after.to_owned())
        .bind(limit);
        self.all(statement, read).await
    }

    /// Begins an upload: what an earlier one that was cut off has left is forgotten, and one that is still under way can
    /// keep nothing more. `false` when the batch has begun meanwhile.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_upload(&mut self, id: &str, upload: &str, now: i64) -> Result<bool, StoreError> {
        let statement =
            sql("UPDATE batches SET fingerprint = $2, changed_at = $3 WHERE id = $1 AND state = 'uploading'")
                .bind(id.to_owned())
                .bind(upload.to_owned())
                .bind(now);
        if self.run(statement).await? == 0 {
            return Ok(false);
        }
        self.run(sql("DELETE FROM batch_items WHERE batch = $1").bind(id.to_owned())).await?;
        Ok(true)
    }

    /// Keeps items of an upload; `false` when another one has begun, or the batch was cancelled.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_batch_items(
        &mut self,
        (batch, upload): (&str, &str),
        items: Vec<NewBatchItem>,
        now: i64,
    ) -> Result<bool, StoreError> {
        let statement =
            sql("UPDATE batches SET changed_at = $3 WHERE id = $1 AND state = 'uploading' AND fingerprint = $2")
                .bind(batch.to_owned())
                .bind(upload.to_owned())
                .bind(now);
        if self.run(statement).await? == 0 {
            return Ok(false);
        }
        for items in batches(items) {
            let mut statement = built(format!(
                "INSERT INTO batch_items (batch, number, body, state, record, request, problem) VALUES {}",
                rows_of(7, items.len())
            ));
            for item in items {
                statement = statement.bind(batch.to_owned()).bind(item.number).bind(item.body.0).bind("waiting");
                statement = statement.bind("").bind("").bind("");
            }
            self.run(statement).await?;
        }
        Ok(true)
    }

    /// All items of an upload are there: the batch begins. `false` when another upload has begun, or it was cancelled.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_batch(
        &mut self,
        (id, upload): (&str, &str),
        total: i64,
        fingerprint: &str,
        (now, available_at): (i64, i64),
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE batches SET state = 'running', total = $3, fingerprint = $4, changed_at = $5,
                 available_at = $6 WHERE id = $1 AND state = 'uploading' AND fingerprint = $2")
        .bind(id.to_owned())
        .bind(upload.to_owned())
        .bind(total)
        .bind(fingerprint.to_owned())
        .bind(now)
        .bind(available_at);
        Ok(self.run(statement).await? == 1)
    }

    /// Forgets a batch whose upload cannot be used.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop_batch(&mut self, (id, upload): (&str, &str)) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM batches WHERE id = $1 AND state = 'uploading' AND fingerprint = $2")
            .bind(id.to_owned())
            .bind(upload.to_owned());
        if self.run(statement).await? == 1 {
            self.run(sql("DELETE FROM batch_items WHERE batch = $1").bind(id.to_owned())).await?;
        }
        Ok(())
    }

    /// The batch that is to go on next, and when, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_batch(&mut self) -> Result<Option<(Batch, i64)>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS}, available_at FROM batches WHERE state = 'running' ORDER BY available_at, id LIMIT 1"
        ));
        self.one(statement, |row| Ok((read(row)?, row.try_get("available_at")?))).await
    }

    /// Locks a running batch that has come so far, until the end of the transaction; `None` while another worker is at
    /// it, or when it has gone on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lock_batch(&mut self, id: &str, place: i64) -> Result<Option<Batch>, StoreError> {
        let lock = self.dialect.skip_locked();
        let text = format!("SELECT {FIELDS} FROM batches WHERE id = $1 AND place = $2 AND state = 'running'{lock}");
        self.one(built(text).bind(id.to_owned()).bind(place), read).await
    }

    /// Items of a batch in their order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn batch_items(&mut self, batch: &str, filter: ItemFilter) -> Result<Vec<BatchItem>, StoreError> {
        let statement = sql("SELECT number, state, record, request, problem, body FROM batch_items
             WHERE batch = $1 AND number > $2 AND ($3 = '' OR state = $3) ORDER BY number LIMIT $4")
        .bind(batch.to_owned())
        .bind(filter.after)
        .bind(filter.state)
        .bind(filter.limit);
        self.all(statement, read_item).await
    }

    /// Says how items stand from now on, and counts them: each was waiting or running before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_batch_items(&mut self, batch: &str, ends: Vec<ItemEnd>, now: i64) -> Result<(), StoreError> {
        let (mut succeeded, mut failed, mut running) = (0_i64, 0_i64, 0_i64);
        for end in ends {
            let was = sql("SELECT state FROM batch_items WHERE batch = $1 AND number = $2")
                .bind(batch.to_owned())
                .bind(end.number);
            let Some(was) = self.one(was, |row| row.try_get::<String, _>("state")).await? else { continue };
            let mut count = |state: &str, by: i64| match state {
                "succeeded" => succeeded += by,
                "failed" => failed += by,
                "running" => running += by,
                _ => {}
            };
            count(&was, -1);
            count(end.state, 1);
            // The bytes of what was carried out are not needed any more.
            let statement = sql("UPDATE batch_items SET state = $3, record = $4, request = $5, problem = $6,
                     body = CASE WHEN $3 = 'succeeded' THEN $7 ELSE body END WHERE batch = $1 AND number = $2")
            .bind(batch.to_owned())
            .bind(end.number)
            .bind(end.state)
            .bind(end.record)
            .bind(end.request)
            .bind(end.problem)
            .bind(Vec::<u8>::new());
            self.run(statement).await?;
        }
        let statement =
            sql("UPDATE batches SET succeeded = succeeded + $2, failed = failed + $3, running = running + $4,
                 changed_at = $5 WHERE id = $1")
            .bind(batch.to_owned())
            .bind(succeeded)
            .bind(failed)
            .bind(running)
            .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Moves a locked batch on; it goes on at `available_at`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn move_batch(&mut self, id: &str, place: i64, available_at: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE batches SET place = $2, available_at = $3 WHERE id = $1")
            .bind(id.to_owned())
            .bind(place)
            .bind(available_at);
        self.run(statement).await.map(drop)
    }

    /// Ends a batch, or stops it: what waits then is not done. `false` when it has ended before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_batch(&mut self, id: &str, state: BatchState, now: i64) -> Result<bool, StoreError> {
        let statement =
            sql("UPDATE batches SET state = $2, changed_at = $3 WHERE id = $1 AND state IN ('uploading', 'running')")
                .bind(id.to_owned())
                .bind(state.word())
                .bind(now);
        if self.run(statement).await? == 0 {
            return Ok(false);
        }
        let rest = sql("UPDATE batch_items SET state = 'cancelled' WHERE batch = $1 AND state = 'waiting'");
        self.run(rest.bind(id.to_owned())).await?;
        Ok(true)
    }

    /// Forgets a batch that was asked for before `before` and has ended, or has not arrived; how many rows went.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_batches(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        const OLD: &str =
            "SELECT id FROM batches WHERE asked_at < $1 AND state <> 'running' ORDER BY asked_at, id LIMIT 1";
        let items = built(format!(
            "DELETE FROM batch_items WHERE batch IN ({OLD}) AND number IN (
                 SELECT number FROM batch_items WHERE batch IN ({OLD}) ORDER BY number LIMIT $2)"
        ));
        let gone = self.run(items.bind(before).bind(limit)).await?;
        if gone > 0 {
            return Ok(gone);
        }
        self.run(built(format!("DELETE FROM batches WHERE id IN ({OLD})")).bind(before)).await
    }
}
