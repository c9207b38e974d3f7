//! Work to do once per consumer and message.
//!
//! A row is the durable mark that a delivery was taken, the queue that workers claim from, and afterwards the mark
//! that it was done. Of one order key only the oldest open row can be claimed, by one worker.

use crate::error::StoreError;
use crate::tx::{Tx, built, list_of, portions, rows_of, sql};
use sqlx::Row;

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
    /// How often it was claimed, this time included.
    pub tries: i64,
}

/// The candidates of a claim: the oldest open row of each order key, fairly by tenant and connection.
const CANDIDATES: &str = "
    SELECT seq FROM (
        SELECT i.seq,
            ROW_NUMBER() OVER (PARTITION BY i.tenant ORDER BY i.seq) AS tenant_turn,
            ROW_NUMBER() OVER (PARTITION BY i.tenant, i.connection ORDER BY i.seq) AS connection_turn
        FROM inbox i
        WHERE i.consumer IN ({consumers}) AND i.state = 'ready' AND i.available_at <= $4
            AND NOT EXISTS (
                SELECT 1 FROM inbox e WHERE e.consumer = i.consumer AND e.tenant = i.tenant
                    AND e.order_key = i.order_key AND e.seq < i.seq AND e.state IN ('ready', 'running'))
    ) AS heads ORDER BY connection_turn, tenant_turn, seq LIMIT $3";

/// How long a call that may have been carried out is left alone.
const LOOK_UP_AFTER_MICROS: i64 = 5_000_000;

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

    /// Claims up to `limit` messages for `owner` until `lease_until`. The try is counted before it begins.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_work(
        &mut self,
        consumers: &[&str],
        owner: &str,
        now: i64,
        lease_until: i64,
        limit: i64,
    ) -> Result<Vec<Claimed>, StoreError> {
        let candidates = CANDIDATES.replace("{consumers}", &list_of(5, consumers.len()));
        let lock = self.dialect.skip_locked();
        let mut statement = built(format!(
            "UPDATE inbox SET state = 'running', owner = $1, lease_until = $2, tries = tries + 1
             WHERE seq IN (SELECT seq FROM inbox WHERE state = 'ready' AND seq IN ({candidates}){lock})
             RETURNING *"
        ))
        .bind(owner.to_owned())
        .bind(lease_until)
        .bind(limit)
        .bind(now);
        for consumer in consumers {
            statement = statement.bind((*consumer).to_owned());
        }
        let mut claimed = self
            .all(statement, |row| {
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
                })
            })
            .await?;
        claimed.sort_by_key(|work| work.seq);
        Ok(claimed)
    }

    /// Marks a message as done; `false` when the claim was lost, and nothing of the transaction may count.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish_work(&mut self, seq: i64, owner: &str, state: &'static str) -> Result<bool, StoreError> {
        let statement =
            sql("UPDATE inbox SET state = $3, owner = '' WHERE seq = $1 AND owner = $2 AND state = 'running'")
                .bind(seq)
                .bind(owner.to_owned())
                .bind(state.to_owned());
        Ok(self.run(statement).await? == 1)
    }

    /// Gives a message back for another try at `available_at`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn retry_work(&mut self, seq: i64, owner: &str, available_at: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE inbox SET state = 'ready', owner = '', available_at = $3
             WHERE seq = $1 AND owner = $2 AND state = 'running'")
        .bind(seq)
        .bind(owner.to_owned())
        .bind(available_at);
        self.run(statement).await.map(drop)
    }

    /// Takes back what dead workers held: claims whose lease ended, and all claims of `returned`, a worker of that
    /// name that has just started again. Calls among them may have been carried out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_back(&mut self, now: i64, returned: Option<String>) -> Result<u64, StoreError> {
        let returned = returned.unwrap_or_default();
        let work = sql("UPDATE inbox SET state = 'ready', owner = ''
             WHERE state = 'running' AND (lease_until < $1 OR owner = $2)")
        .bind(now)
        .bind(returned.clone());
        // The vendor may still be at work on what it was asked: a look-up that comes too early finds nothing.
        let calls = sql("UPDATE calls SET state = 'ready', owner = '', unsure = 1, available_at = $3
             WHERE state = 'running' AND (lease_until < $1 OR owner = $2)")
        .bind(now)
        .bind(returned)
        .bind(now + LOOK_UP_AFTER_MICROS);
        Ok(self.run(work).await? + self.run(calls).await?)
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

    /// Forgets done messages that were taken before `before`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_work(&mut self, before: i64) -> Result<u64, StoreError> {
        self.run(sql("DELETE FROM inbox WHERE state = 'done' AND received_at < $1").bind(before)).await
    }
}
