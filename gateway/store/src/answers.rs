//! Answers that were given to requests with an `Idempotency-Key`, so that the same request gets the same answer.
//!
//! A row is there before the request is carried out. While it has no answer, the request is running, or the process
//! that ran it has died: then its time is up, and whoever asks again is told so.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::tx::{Tx, sql};

/// The table.
pub(crate) const TABLES: &str = "
CREATE TABLE answers (
    tenant TEXT NOT NULL, handle TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, begun_at BIGINT NOT NULL,
    until BIGINT NOT NULL, answer {blob} NOT NULL, PRIMARY KEY (tenant, handle, key));
CREATE INDEX answers_begun ON answers (begun_at);
";

/// Whose key, and which.
#[derive(Clone, Debug)]
pub struct AnswerKey {
    /// Tenant.
    pub tenant: String,
    /// Who asks.
    pub handle: String,
    /// Their key.
    pub key: String,
}

/// What is known of a request that comes with a key.
#[derive(Clone, Debug)]
pub enum Begun {
    /// Nothing: it is to be carried out now.
    Now,
    /// Another request has this key.
    Other,
    /// It is being carried out.
    Running,
    /// It was begun, and whoever began it has not ended it in time: it is this caller's to end now.
    LeftOff,
    /// It was answered.
    Answered(Sealed),
}

impl Tx {
    /// Begins a request, and says what is known of it; it may take until `until`, µs. Answers to requests that began
    /// before `forgotten`, µs, count no more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_answer(
        &mut self,
        of: &AnswerKey,
        fingerprint: &str,
        (now, until, forgotten): (i64, i64, i64),
    ) -> Result<Begun, StoreError> {
        let key = |text| sql(text).bind(of.tenant.clone()).bind(of.handle.clone()).bind(of.key.clone());
        self.run(
            key("DELETE FROM answers WHERE tenant = $1 AND handle = $2 AND key = $3 AND begun_at < $4").bind(forgotten),
        )
        .await?;
        let new = key("INSERT INTO answers (tenant, handle, key, fingerprint, begun_at, until, answer)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, handle, key) DO NOTHING")
        .bind(fingerprint.to_owned())
        .bind(now)
        .bind(until)
        .bind(Vec::<u8>::new());
        if self.run(new).await? == 1 {
            return Ok(Begun::Now);
        }
        let known = key("SELECT fingerprint, answer FROM answers WHERE tenant = $1 AND handle = $2 AND key = $3");
        let known =
            self.one(known, |row| Ok((row.try_get::<String, _>("fingerprint")?, row.try_get::<Vec<u8>, _>("answer")?)));
        // Between the two it was given up.
        let Some((known, answer)) = known.await? else { return Err(StoreError::Raced) };
        if known != fingerprint {
            return Ok(Begun::Other);
        }
        if !answer.is_empty() {
            return Ok(Begun::Answered(Sealed(answer)));
        }
        let taken = key("UPDATE answers SET until = $4
             WHERE tenant = $1 AND handle = $2 AND key = $3 AND until < $5")
        .bind(until)
        .bind(now);
        Ok(if self.run(taken).await? == 1 { Begun::LeftOff } else { Begun::Running })
    }

    /// Keeps the answer to a request.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_answer(&mut self, of: &AnswerKey, answer: Sealed) -> Result<(), StoreError> {
        let statement = sql("UPDATE answers SET answer = $4 WHERE tenant = $1 AND handle = $2 AND key = $3")
            .bind(of.tenant.clone())
            .bind(of.handle.clone())
            .bind(of.key.clone())
            .bind(answer.0);
        self.run(statement).await.map(drop)
    }

    /// Gives a key free: nothing was done under it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop_answer(&mut self, of: &AnswerKey) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM answers WHERE tenant = $1 AND handle = $2 AND key = $3 AND answer = $4")
            .bind(of.tenant.clone())
            .bind(of.handle.clone())
            .bind(of.key.clone())
            .bind(Vec::<u8>::new());
        self.run(statement).await.map(drop)
    }

    /// Forgets answers to requests that began before `before`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_answers(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement = sql("DELETE FROM answers WHERE (tenant, handle, key) IN (
                 SELECT tenant, handle, key FROM answers WHERE begun_at < $1 ORDER BY begun_at LIMIT $2)")
        .bind(before)
        .bind(limit);
        self.run(statement).await
    }
}
