//! Outgoing calls. A call is a row before it is made; of one order key only the oldest open one can be claimed.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::tx::{Tx, built, list_of, sql};
use sqlx::Row;
use sqlx::any::AnyRow;

/// A call to make.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// Hub id; also the idempotency key that the vendor sees.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// Operation of the connector.
    pub operation: String,
    /// The business reference under which the call is made once.
    pub key: String,
    /// Calls with one order key are made one after the other.
    pub order_key: String,
    /// When it was asked for, µs.
    pub created_at: i64,
    /// `traceparent`.
    pub trace: String,
    /// The record that it is about, `entity/id`.
    pub subject: String,
    /// The sealed arguments.
    pub body: Sealed,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// It waits to be made.
    Ready,
    /// It is being made.
    Running,
    /// The vendor took it.
    Done,
    /// The vendor turned it down, or it needs a person.
    Parked,
}

impl CallState {
    const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Parked => "parked",
        }
    }
}

/// A call that was claimed or looked at.
#[derive(Clone, Debug)]
pub struct Call {
    /// The row.
    pub seq: i64,
    /// The call.
    pub new: NewCall,
    /// How often it was tried, a running try included.
    pub tries: i64,
    /// Whether an earlier try may have been carried out.
    pub unsure: bool,
    /// `ready`, `running`, `done` or `parked`.
    pub state: String,
    /// Why the last try failed.
    pub error: Option<String>,
}

pub(crate) fn read(row: &AnyRow) -> Result<Call, sqlx::Error> {
    Ok(Call {
        seq: row.try_get("seq")?,
        new: NewCall {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            connection: row.try_get("connection")?,
            operation: row.try_get("operation")?,
            key: row.try_get("key")?,
            order_key: row.try_get("order_key")?,
            created_at: row.try_get("created_at")?,
            trace: row.try_get("trace")?,
            subject: row.try_get("subject")?,
            body: Sealed(row.try_get("body")?),
        },
        tries: row.try_get("tries")?,
        unsure: row.try_get::<i64, _>("unsure")? != 0,
        state: row.try_get("state")?,
        error: row.try_get("error")?,
    })
}

const CANDIDATES: &str = "
    SELECT seq FROM (
        SELECT c.seq,
            ROW_NUMBER() OVER (PARTITION BY c.tenant ORDER BY c.seq) AS tenant_turn,
            ROW_NUMBER() OVER (PARTITION BY c.tenant, c.connection ORDER BY c.seq) AS connection_turn
        FROM calls c
        WHERE c.state = 'ready' AND c.available_at <= $4{others}
            AND NOT EXISTS (
                SELECT 1 FROM calls e WHERE e.tenant = c.tenant AND e.connection = c.connection
                    AND e.order_key = c.order_key AND e.seq < c.seq AND e.state IN ('ready', 'running'))
    ) AS heads WHERE connection_turn <= $5 ORDER BY connection_turn, tenant_turn, seq LIMIT $3";

impl Tx {
    /// Asks for a call; `false` when one with this key was asked for before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_call(&mut self, call: NewCall) -> Result<bool, StoreError> {
        let statement = sql(
            "INSERT INTO calls (id, tenant, connection, operation, key, order_key, created_at, trace, subject, body,
                                available_at, state, tries, unsure, lease_until, owner)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $7, 'ready', 0, 0, 0, '')
             ON CONFLICT (tenant, connection, key) DO NOTHING",
        )
        .bind(call.id)
        .bind(call.tenant)
        .bind(call.connection)
        .bind(call.operation)
        .bind(call.key)
        .bind(call.order_key)
        .bind(call.created_at)
        .bind(call.trace)
        .bind(call.subject)
        .bind(call.body.0);
        Ok(self.run(statement).await? == 1)
    }

    /// Claims calls for `owner` until `lease_until`: at most `limit`, at most `per_connection` of one connection, none
    /// of the connections in `full`. The try is counted before it begins.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_calls(
        &mut self,
        owner: &str,
        now: i64,
        lease_until: i64,
        (limit, per_connection): (i64, i64),
        full: &[String],
    ) -> Result<Vec<Call>, StoreError> {
        let others = match full.len() {
            0 => String::new(),
            count => format!(" AND c.connection NOT IN ({})", list_of(6, count)),
        };
        let candidates = CANDIDATES.replace("{others}", &others);
        let lock = self.dialect.skip_locked();
        let mut statement = built(format!(
            "UPDATE calls SET state = 'running', owner = $1, lease_until = $2, tries = tries + 1
             WHERE seq IN (SELECT seq FROM calls WHERE state = 'ready' AND seq IN ({candidates}){lock})
             RETURNING *"
        ))
        .bind(owner.to_owned())
        .bind(lease_until)
        .bind(limit)
        .bind(now)
        .bind(per_connection);
        for connection in full {
            statement = statement.bind(connection.clone());
        }
        let mut calls = self.all(statement, read).await?;
        calls.sort_by_key(|call| call.seq);
        Ok(calls)
    }

    /// Ends a claim: done, parked, or ready for another try at `available_at`. `unsure` says that the try may have
    /// been carried out. `false` when the claim was lost.
    ///
    /// # Errors
    /// The store fails.
    pub async fn settle_call(
        &mut self,
        seq: i64,
        owner: &str,
        state: CallState,
        available_at: i64,
        unsure: bool,
        error: Option<String>,
    ) -> Result<bool, StoreError> {
        let done_at = (state == CallState::Done).then_some(available_at);
        let statement = sql("UPDATE calls SET state = $3, owner = '', available_at = $4, unsure = $5, error = $6,
                 done_at = $7 WHERE seq = $1 AND owner = $2 AND state = 'running'")
        .bind(seq)
        .bind(owner.to_owned())
        .bind(state.word().to_owned())
        .bind(available_at)
        .bind(i64::from(unsure))
        .bind(error)
        .bind(done_at);
        Ok(self.run(statement).await? == 1)
    }

    /// A call by its business reference.
    ///
    /// # Errors
    /// The store fails.
    pub async fn call(&mut self, tenant: &str, connection: &str, key: &str) -> Result<Option<Call>, StoreError> {
        let statement = sql("SELECT * FROM calls WHERE tenant = $1 AND connection = $2 AND key = $3")
            .bind(tenant.to_owned())
            .bind(connection.to_owned())
            .bind(key.to_owned());
        self.one(statement, read).await
    }
}
