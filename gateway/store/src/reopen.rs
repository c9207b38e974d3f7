//! Opens parked work again: the row goes behind what waits of its order key, as a new row under its old name.
//!
//! What is not parked any more is left alone, so that of two who open the same thing one does.

use crate::calls::{self, Call, FIELDS as CALL};
use crate::error::StoreError;
use crate::inbox::{FIELDS as WORK, NewWork};
use crate::tx::{Statement, Tx, built, list_of, portions, sql};

impl Tx {
    /// Takes a parked message out of the inbox, for [`Tx::insert_work`] to put it in again; `None` when no such message
    /// is parked there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_parked_work(
        &mut self,
        tenant: &str,
        consumer: &str,
        message: &str,
    ) -> Result<Option<NewWork>, StoreError> {
        let statement = built(format!(
            "DELETE FROM inbox WHERE consumer = $1 AND message = $2 AND tenant = $3 AND state = 'parked'
             RETURNING {WORK}"
        ))
        .bind(consumer.to_owned())
        .bind(message.to_owned())
        .bind(tenant.to_owned());
        self.one(statement, |row| {
            Ok(NewWork {
                consumer: row.try_get("consumer")?,
                message: row.try_get("message")?,
                tenant: row.try_get("tenant")?,
                connection: row.try_get("connection")?,
                order_key: row.try_get("order_key")?,
                trace: row.try_get("trace")?,
                body: row.try_get("body")?,
                received_at: row.try_get("received_at")?,
            })
        })
        .await
    }

    /// What a consumer's message says; `None` when there is no such row.
    ///
    /// # Errors
    /// The store fails.
    pub async fn work_body(
        &mut self,
        tenant: &str,
        consumer: &str,
        message: &str,
    ) -> Result<Option<String>, StoreError> {
        let statement = sql("SELECT body FROM inbox WHERE consumer = $1 AND message = $2 AND tenant = $3")
            .bind(consumer.to_owned())
            .bind(message.to_owned())
            .bind(tenant.to_owned());
        self.one(statement, |row| row.try_get::<String, _>("body")).await
    }

    /// A call by its hub id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn call_by_id(&mut self, tenant: &str, id: &str) -> Result<Option<Call>, StoreError> {
        let statement = built(format!("SELECT {CALL} FROM calls WHERE tenant = $1 AND id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, calls::read).await
    }

    /// Opens a parked call again with all its tries. `unsure` says that an earlier try may have been carried out: then
    /// the vendor is asked before anything is sent. `false` when no such call is parked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen_call(&mut self, tenant: &str, id: &str, unsure: bool) -> Result<bool, StoreError> {
        let statement =
            built(format!("DELETE FROM calls WHERE tenant = $1 AND id = $2 AND state = 'parked' RETURNING {CALL}"))
                .bind(tenant.to_owned())
                .bind(id.to_owned());
        let Some(call) = self.one(statement, calls::read).await? else { return Ok(false) };
        if !self.insert_call(call.new).await? {
            return Err(StoreError::Raced);
        }
        if unsure {
            let statement = sql("UPDATE calls SET unsure = 1, error = $3 WHERE tenant = $1 AND id = $2")
                .bind(tenant.to_owned())
                .bind(id.to_owned())
                .bind(call.error);
            self.run(statement).await?;
        }
        Ok(true)
    }

    /// Marks a parked call as carried out, as a person has found; `false` when no such call is parked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn call_was_carried_out(&mut self, tenant: &str, id: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE calls SET state = 'done', unsure = 0, done_at = $3
             WHERE tenant = $1 AND id = $2 AND state = 'parked'")
        .bind(tenant.to_owned())
        .bind(id.to_owned())
        .bind(now);
        Ok(self.run(statement).await? == 1)
    }

    /// Marks payloads as ones that are still to be mapped.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen_raws(&mut self, ids: Vec<String>) -> Result<(), StoreError> {
        for ids in portions(ids) {
            let text =
                format!("UPDATE raws SET state = 'new' WHERE state = 'parked' AND id IN ({})", list_of(1, ids.len()));
            self.run(ids.into_iter().fold(built(text), Statement::bind)).await?;
        }
        Ok(())
    }

    /// Notes what a payload that could not be read at first says of itself. `false` when another payload has the same
    /// dedupe id: then this one was a repetition, and is ignored.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raw_was_read(
        &mut self,
        (tenant, connection, id): (&str, &str, &str),
        dedupe_id: &str,
        sha256: &str,
        received_at: i64,
    ) -> Result<bool, StoreError> {
        let known = self.raw_by_dedupe(tenant, connection, dedupe_id).await?;
        if known.is_some_and(|known| known != id) {
            self.run(sql("UPDATE raws SET state = 'ignored' WHERE id = $1").bind(id.to_owned())).await?;
            return Ok(false);
        }
        let statement =
            sql("UPDATE raws SET state = 'new', dedupe_id = $2, sha256 = $3, received_at = $4 WHERE id = $1")
                .bind(id.to_owned())
                .bind(dedupe_id.to_owned())
                .bind(sha256.to_owned())
                .bind(received_at);
        self.run(statement).await?;
        Ok(true)
    }

    /// The id of the payload with a dedupe id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raw_by_dedupe(
        &mut self,
        tenant: &str,
        connection: &str,
        dedupe_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let statement = sql("SELECT id FROM raws WHERE tenant = $1 AND connection = $2 AND dedupe_id = $3")
            .bind(tenant.to_owned())
            .bind(connection.to_owned())
            .bind(dedupe_id.to_owned());
        self.one(statement, |row| row.try_get::<String, _>("id")).await
    }
}
