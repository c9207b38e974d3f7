//! Batches of rows that others pushed: each is taken once, and what it was answered stays known.

use crate::error::StoreError;
use crate::inbox::NewWork;
use crate::journeys::Step;
use crate::keyring::Sealed;
use crate::raws::NewRaw;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, sql};
use std::collections::BTreeMap;

/// The tables of this topic. A batch is named by whoever sends it; its payloads bear `payloads` at the beginning of
/// their dedupe ids.
pub(crate) const TABLES: &str = "
CREATE TABLE pushes (
    tenant TEXT NOT NULL, connection TEXT NOT NULL, source TEXT NOT NULL, batch TEXT NOT NULL, sha256 TEXT NOT NULL,
    payloads TEXT NOT NULL, received_at BIGINT NOT NULL, trace TEXT NOT NULL, accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL, answer {blob} NOT NULL,
    PRIMARY KEY (tenant, connection, source, batch));
CREATE INDEX pushes_batch ON pushes (tenant, connection, batch, received_at);
";

/// A batch.
#[derive(Clone, Debug)]
pub struct Push {
    /// Tenant.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// Who named it.
    pub source: String,
    /// Its name.
    pub batch: String,
    /// SHA-256 of its content, hex.
    pub sha256: String,
    /// What the dedupe ids of its payloads begin with.
    pub payloads: String,
    /// When it was first received, µs.
    pub received_at: i64,
    /// The journey that it began.
    pub trace: String,
    /// Rows that were accepted.
    pub accepted: i64,
    /// Rows that were not.
    pub rejected: i64,
    /// What was answered, sealed.
    pub answer: Sealed,
}

/// What becomes of a batch that comes.
#[derive(Clone, Debug)]
pub enum Pushed {
    /// It is the first of its name, and is kept.
    New,
    /// One of its name was there before.
    Known(Box<Push>),
}

fn read(row: &Row<'_>) -> Result<Push, ColumnError> {
    Ok(Push {
        tenant: row.try_get("tenant")?,
        connection: row.try_get("connection")?,
        source: row.try_get("source")?,
        batch: row.try_get("batch")?,
        sha256: row.try_get("sha256")?,
        payloads: row.try_get("payloads")?,
        received_at: row.try_get("received_at")?,
        trace: row.try_get("trace")?,
        accepted: row.try_get("accepted")?,
        rejected: row.try_get("rejected")?,
        answer: Sealed(row.try_get("answer")?),
    })
}

impl Tx {
    /// Keeps a batch with its payloads, the work on them and the steps of its journey, unless one of its name is there.
    /// Of several that come at once, one is new.
    ///
    /// # Errors
    /// The store fails.
    pub async fn push(
        &mut self,
        push: Push,
        raws: Vec<NewRaw>,
        work: Vec<NewWork>,
        steps: Vec<Step>,
    ) -> Result<Pushed, StoreError> {
        let (tenant, connection) = (push.tenant.clone(), push.connection.clone());
        let (source, batch) = (push.source.clone(), push.batch.clone());
        let statement =
            sql("INSERT INTO pushes (tenant, connection, source, batch, sha256, payloads, received_at, trace,
                                 accepted, rejected, answer)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant, connection, source, batch) DO NOTHING RETURNING batch")
            .bind(push.tenant)
            .bind(push.connection)
            .bind(push.source)
            .bind(push.batch)
            .bind(push.sha256)
            .bind(push.payloads)
            .bind(push.received_at)
            .bind(push.trace)
            .bind(push.accepted)
            .bind(push.rejected)
            .bind(push.answer.0);
        if self.one(statement, |row| row.try_get::<String, _>("batch")).await?.is_some() {
            self.insert_raws(raws).await?;
            self.insert_work(work).await?;
            self.add_steps(steps).await?;
            return Ok(Pushed::New);
        }
        let statement = sql("SELECT tenant, connection, source, batch, sha256, payloads, received_at, trace, accepted,
                 rejected, answer
             FROM pushes WHERE tenant = $1 AND connection = $2 AND source = $3 AND batch = $4")
        .bind(tenant)
        .bind(connection)
        .bind(source)
        .bind(batch);
        self.one(statement, read).await?.map(|known| Pushed::Known(Box::new(known))).ok_or(StoreError::Broken)
    }

    /// The last batch of a name, whoever sent it, and how many of its payloads are in each state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn pushed(
        &mut self,
        tenant: &str,
        connection: &str,
        batch: &str,
    ) -> Result<Option<(Push, BTreeMap<String, i64>)>, StoreError> {
        let statement = sql("SELECT tenant, connection, source, batch, sha256, payloads, received_at, trace, accepted,
                 rejected, answer
             FROM pushes WHERE tenant = $1 AND connection = $2 AND batch = $3 ORDER BY received_at DESC LIMIT 1")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(batch.to_owned());
        let Some(push) = self.one(statement, read).await? else { return Ok(None) };
        // `:` and what follows it: a number.
        let statement = sql("SELECT state, COUNT(*) AS n FROM raws
             WHERE tenant = $1 AND connection = $2 AND dedupe_id >= $3 AND dedupe_id < $4 GROUP BY state")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(format!("{}:", push.payloads))
        .bind(format!("{};", push.payloads));
        let states = self.all(statement, |row| Ok((row.try_get("state")?, row.try_get("n")?))).await?;
        Ok(Some((push, states.into_iter().collect())))
    }
}
