//! The tries of deliveries to subscribers, one row each; and deliveries that somebody wants tried again now.

use crate::error::StoreError;
use crate::tx::{Tx, sql};

pub(crate) const TABLES: &str = "
-- Tries to reach a subscriber. Nothing of what was sent or answered is kept but the status.
CREATE TABLE attempts (
    delivery TEXT NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, took_ms BIGINT NOT NULL, status BIGINT,
    error TEXT NOT NULL, PRIMARY KEY (delivery, number));
CREATE INDEX attempts_at ON attempts (at);
";

/// A try to reach a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// The how manieth it was.
    pub number: i64,
    /// When it began, µs.
    pub at: i64,
    /// How long it took, ms.
    pub took_ms: i64,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<i64>,
    /// Why it failed; empty when it did not.
    pub error: String,
}

/// How a delivery stands that somebody wants tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It waited; it is due now.
    Due,
    /// It is parked: the id of what is parked.
    Parked(String),
    /// It arrived, or is being sent.
    Not(String),
}

impl Tx {
    /// Notes a try of a delivery (the id of its call).
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_attempt(&mut self, delivery: &str, attempt: DeliveryAttempt) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO attempts (delivery, number, at, took_ms, status, error)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (delivery, number) DO NOTHING")
        .bind(delivery.to_owned())
        .bind(attempt.number)
        .bind(attempt.at)
        .bind(attempt.took_ms)
        .bind(attempt.status)
        .bind(attempt.error);
        self.run(statement).await.map(drop)
    }

    /// The tries of a delivery, in their order; at most 500.
    ///
    /// # Errors
    /// The store fails.
    pub async fn attempts(&mut self, delivery: &str) -> Result<Vec<DeliveryAttempt>, StoreError> {
        let statement = sql("SELECT number, at, took_ms, status, error FROM attempts WHERE delivery = $1
             ORDER BY at, number LIMIT 500")
        .bind(delivery.to_owned());
        self.all(statement, |row| {
            Ok(DeliveryAttempt {
                number: row.try_get("number")?,
                at: row.try_get("at")?,
                took_ms: row.try_get("took_ms")?,
                status: row.try_get("status")?,
                error: row.try_get("error")?,
            })
        })
        .await
    }

    /// Makes a waiting delivery due now, and says how it stands otherwise; `None` when there is no such delivery.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hasten_delivery(
        &mut self,
        tenant: &str,
        connection: &str,
        id: &str,
        now: i64,
    ) -> Result<Option<Retried>, StoreError> {
        let statement = sql("SELECT c.state, (SELECT MAX(p.id) FROM parked p WHERE p.reference = c.id
                 AND p.tenant = c.tenant AND p.resolved_at IS NULL) AS parked
             FROM calls c WHERE c.tenant = $1 AND c.connection = $2 AND c.id = $3")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(id.to_owned());
        let found = self.one(statement, |row| {
            Ok((row.try_get::<String, _>("state")?, row.try_get::<Option<String>, _>("parked")?))
        });
        let Some((state, parked)) = found.await? else { return Ok(None) };
        if state == "parked"
            && let Some(parked) = parked
        {
            return Ok(Some(Retried::Parked(parked)));
        }
        let statement = sql("UPDATE calls SET available_at = $3
             WHERE tenant = $1 AND id = $2 AND state = 'ready'")
        .bind(tenant.to_owned())
        .bind(id.to_owned())
        .bind(now);
        Ok(Some(if self.run(statement).await? == 1 { Retried::Due } else { Retried::Not(state) }))
    }

    /// Whether an event (by its id, which holds no `%` or `_`) has arrived at a subscriber, or is on its way, the first time or replayed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_delivered(&mut self, tenant: &str, connection: &str, event: &str) -> Result<bool, StoreError> {
        let statement = sql("SELECT COUNT(*) AS count FROM calls
             WHERE tenant = $1 AND connection = $2 AND state <> 'parked' AND key LIKE $3")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(format!("{event}%"));
        let count = self.one(statement, |row| row.try_get::<i64, _>("count")).await?;
        Ok(count.unwrap_or(0) > 0)
    }

    /// Forgets tries from before `before`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_attempts(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement = sql("DELETE FROM attempts WHERE (delivery, number) IN (
                 SELECT delivery, number FROM attempts WHERE at < $1 LIMIT $2)")
        .bind(before)
        .bind(limit);
        self.run(statement).await
    }
}
