//! Work to do once per consumer and message.
//!
//! A row is the durable mark that a delivery was taken, the queue that workers claim from, and afterwards the mark
//! that it was done. Of one order key only the oldest open row can be claimed, by one worker.
//!
//! `waits` says why a ready row is no candidate of a claim, so that a claim passes over no backlog: `key` (an older row
//! of its order key is open), `time` (its time has not come), `suspect` (its worker died; see `suspects`). It is a
//! hint that claims write when they meet such a row; whoever ends a row frees the next one of its key.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, portions, rows_of, sql};

/// What came to the table with schema version 2.
pub(crate) const COLUMNS: &str = "
ALTER TABLE inbox ADD COLUMN waits TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN alone BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX inbox_lanes ON inbox (tenant, connection, consumer, seq) WHERE state = 'ready' AND waits = '';
CREATE INDEX inbox_later ON inbox (available_at) WHERE waits = 'time';
CREATE INDEX inbox_suspects ON inbox (seq) WHERE waits = 'suspect';
CREATE INDEX inbox_behind ON inbox (seq) WHERE waits = 'key';
CREATE INDEX inbox_running ON inbox (lease_until) WHERE state = 'running';
CREATE INDEX inbox_ended ON inbox (received_at) WHERE state IN ('done', 'parked');
DROP INDEX IF EXISTS inbox_ready;
";

/// A message for a consumer.
#[derive(Clone, Debug)]
pub struct NewWork {
    /// Consumer.
    pub consumer: String,
    /// The message's id: one row per consumer and message.
    pub message: String,
    /// Tenant.
    pub tenant: String,
    /// Connection; empty when there is none.
    pub connection: String,
    /// Messages with one order key are handled one after the other.
    pub order_key: String,
    /// `traceparent`.
    pub trace: String,
    /// What the consumer needs; no personal values.
    pub body: String,
    /// When it was taken, µs.
    pub received_at: i64,
}

/// A message that was claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The row.
    pub seq: i64,
    /// The message.
    pub new: NewWork,
    /// How often it was claimed, this time included; claims whose worker died do not count.
    pub tries: i64,
    /// How often a worker died that had nothing else under way.
    pub crashes: i64,
}

/// The columns that [`claimed`] reads.
pub(crate) const FIELDS: &str =
    "seq, consumer, message, tenant, connection, order_key, trace, body, received_at, tries, crashes";

/// Reads a claimed row.
pub(crate) fn claimed(row: &Row<'_>) -> Result<Claimed, ColumnError> {
    Ok(Claimed {
        seq: row.try_get("seq")?,
        new: NewWork {
            consumer: row.try_get("consumer")?,
            message: row.try_get("message")?,
            tenant: row.try_get("tenant")?,
            connection: row.try_get("connection")?,
            order_key: row.try_get("order_key")?,
            trace: row.try_get("trace")?,
            body: row.try_get("body")?,
            received_at: row.try_get("received_at")?,
        },
        tries: row.try_get("tries")?,
        crashes: row.try_get("crashes")?,
    })
}

impl Tx {
    /// Takes messages in; those that the consumer has seen change nothing. Returns how many were new.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_work(&mut self, work: Vec<NewWork>) -> Result<u64, StoreError> {
        let mut new = 0;
        for work in portions(work) {
            let mut statement = built(format!(
                "INSERT INTO inbox (consumer, message, tenant, connection, order_key, trace, body, received_at,
                                    available_at, state, tries, lease_until, owner)
                 VALUES {} ON CONFLICT (consumer, message) DO NOTHING",
                rows_of(13, work.len())
            ));
            for item in work {
                statement = statement
                    .bind(item.consumer)
                    .bind(item.message)
                    .bind(item.tenant)
                    .bind(item.connection)
                    .bind(item.order_key)
                    .bind(item.trace)
                    .bind(item.body)
                    .bind(item.received_at)
                    // At once, whatever the clock of the edge says that took it.
                    .bind(0_i64)
                    .bind("ready".to_owned())
                    .bind(0_i64)
                    .bind(0_i64)
                    .bind(String::new());
            }
            new += self.run(statement).await?;
        }
        Ok(new)
    }

    /// Marks a message as done; `false` when the claim was lost, and nothing of the transaction may count.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish_work(&mut self, seq: i64, owner: &str, state: &'static str) -> Result<bool, StoreError> {
        let ended = sql("UPDATE inbox SET state = $3, owner = '', alone = 0, crashes = 0
             WHERE seq = $1 AND owner = $2 AND state = 'running' RETURNING consumer, tenant, order_key")
        .bind(seq)
        .bind(owner.to_owned())
        .bind(state.to_owned());
        let key = self.one(ended, |row| {
            let text = |name| row.try_get::<String, _>(name);
            Ok((text("consumer")?, text("tenant")?, text("order_key")?))
        });
        let Some((consumer, tenant, order_key)) = key.await? else { return Ok(false) };
        // Written even where nothing changes: a claim that is just about to mark the row as waiting holds it, and what
        // that claim knows of this one is out of date.
        let free = sql("UPDATE inbox SET waits = CASE WHEN waits = 'key' THEN '' ELSE waits END WHERE seq = (
                 SELECT MIN(seq) FROM inbox WHERE consumer = $1 AND tenant = $2 AND order_key = $3
                     AND state IN ('ready', 'running'))")
        .bind(consumer)
        .bind(tenant)
        .bind(order_key);
        self.run(free).await?;
        Ok(true)
    }

    /// Gives a message back for another try at `available_at`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn retry_work(&mut self, seq: i64, owner: &str, available_at: i64) -> Result<(), StoreError> {
        let statement =
            sql("UPDATE inbox SET state = 'ready', owner = '', available_at = $3, waits = 'time', alone = 0
             WHERE seq = $1 AND owner = $2 AND state = 'running'")
            .bind(seq)
            .bind(owner.to_owned())
            .bind(available_at);
        self.run(statement).await.map(drop)
    }

    /// Gives back the claims of a living worker that end at `lease_until`, in `inbox` or `calls`, except those that it
    /// holds: it was never told that it has them. Their try does not count.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_back(
        &mut self,
        table: &'static str,
        owner: &str,
        lease_until: i64,
        held: Vec<i64>,
    ) -> Result<u64, StoreError> {
        let others =
            if held.is_empty() { String::new() } else { format!(" AND seq NOT IN ({})", list_of(3, held.len())) };
        let mut statement = built(format!(
            "UPDATE {table} SET state = 'ready', owner = '', tries = tries - 1
             WHERE state = 'running' AND owner = $1 AND lease_until = $2{others}"
        ))
        .bind(owner.to_owned())
        .bind(lease_until);
        for seq in held {
            statement = statement.bind(seq);
        }
        self.run(statement).await
    }

    /// Holds the claims of a living worker for longer: those that it is really working on. What it has lost sight of
    /// runs out and is taken back.
    ///
    /// # Errors
    /// The store fails.
    pub async fn renew_claims(
        &mut self,
        owner: &str,
        lease_until: i64,
        work: Vec<i64>,
        calls: Vec<i64>,
    ) -> Result<(), StoreError> {
        for (table, held) in [("inbox", work), ("calls", calls)] {
            for held in portions(held) {
                let mut statement = built(format!(
                    "UPDATE {table} SET lease_until = $2
                     WHERE state = 'running' AND owner = $1 AND seq IN ({})",
                    list_of(3, held.len())
                ))
                .bind(owner.to_owned())
                .bind(lease_until);
                for seq in held {
                    statement = statement.bind(seq);
                }
                self.run(statement).await?;
            }
        }
        Ok(())
    }

    /// How much is open: unpublished events, messages, calls.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_work(&mut self) -> Result<(i64, i64, i64), StoreError> {
        let row = self
            .one(
                sql("SELECT (SELECT COUNT(*) FROM events WHERE position IS NULL) AS events,
                            (SELECT COUNT(*) FROM inbox WHERE state IN ('ready', 'running')) AS work,
                            (SELECT COUNT(*) FROM calls WHERE state IN ('ready', 'running')) AS calls"),
                |row| Ok((row.try_get("events")?, row.try_get("work")?, row.try_get("calls")?)),
            )
            .await?;
        Ok(row.unwrap_or_default())
    }
}
