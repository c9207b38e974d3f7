//! What callers have asked to be written: the request, the calls that carry it out, and what became of it.
//!
//! A request is kept in the transaction that makes its calls, or its record. Its key is the caller's own name for it:
//! under one key there is one request, whatever happens in between.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};
use crate::versions::RecordId;
use std::collections::BTreeMap;

/// The tables.
pub(crate) const TABLES: &str = "
CREATE TABLE requests (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, handle TEXT NOT NULL, key TEXT NOT NULL, entity TEXT NOT NULL,
    record TEXT NOT NULL, connection TEXT NOT NULL, operation TEXT NOT NULL, state TEXT NOT NULL,
    asked_at BIGINT NOT NULL, ended_at BIGINT, trace TEXT NOT NULL, batch TEXT NOT NULL, item BIGINT NOT NULL,
    body {blob} NOT NULL, outcome {blob} NOT NULL);
CREATE UNIQUE INDEX requests_key ON requests (tenant, handle, key) WHERE key <> '';
CREATE INDEX requests_tenant ON requests (tenant, id);
CREATE INDEX requests_asked ON requests (asked_at);

-- The calls that carry a request out, those that follow from an answer included.
CREATE TABLE request_calls (call_id TEXT PRIMARY KEY, request TEXT NOT NULL, state TEXT NOT NULL);
CREATE INDEX request_calls_request ON request_calls (request);
";

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// Calls are being made, or wait to be made.
    Open,
    /// It was carried out.
    Succeeded,
    /// It was turned down.
    Failed,
    /// A call of it lies parked: a person decides.
    Attention,
}

impl RequestState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Succeeded, Self::Failed, Self::Attention];

    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Attention => "needs_attention",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Whose it is.
    pub handle: String,
    /// Their own name for it; may be empty.
    pub key: String,
    /// The record's entity.
    pub entity: String,
    /// The record's id.
    pub record: String,
    /// The system that it is sent to; empty when it is the hub's own.
    pub connection: String,
    /// What is called there first.
    pub operation: String,
    /// Where it stands.
    pub state: RequestState,
    /// When it was asked, µs.
    pub asked_at: i64,
    /// When it ended, µs.
    pub ended_at: Option<i64>,
    /// `traceparent`.
    pub trace: String,
    /// The batch that it is an item of; may be empty.
    pub batch: String,
    /// Which item.
    pub item: i64,
    /// What was asked, sealed.
    pub body: Sealed,
    /// What became of it, sealed; empty as long as there is nothing to say.
    pub outcome: Sealed,
}

/// Which requests to list.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// Only those of this caller.
    pub handle: Option<String>,
    /// Only those in this state.
    pub state: Option<&'static str>,
    /// Only those about this record: entity and id.
    pub about: Option<(String, String)>,
    /// Behind this id, newest first; empty at the beginning.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "r.id, r.tenant, r.handle, r.key, r.entity, r.record, r.connection, r.operation, r.state, r.asked_at, \
    r.ended_at, r.trace, r.batch, r.item, r.body, r.outcome";

fn read(row: &Row<'_>) -> Result<Request, ColumnError> {
    let state: String = row.try_get("state")?;
    Ok(Request {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        handle: row.try_get("handle")?,
        key: row.try_get("key")?,
        entity: row.try_get("entity")?,
        record: row.try_get("record")?,
        connection: row.try_get("connection")?,
        operation: row.try_get("operation")?,
        // A state that only a newer program knows needs somebody who knows it.
        state: RequestState::of(&state).unwrap_or(RequestState::Attention),
        asked_at: row.try_get("asked_at")?,
        ended_at: row.try_get("ended_at")?,
        trace: row.try_get("trace")?,
        batch: row.try_get("batch")?,
        item: row.try_get("item")?,
        body: Sealed(row.try_get("body")?),
        outcome: Sealed(row.try_get("outcome")?),
    })
}

impl Tx {
    /// Keeps a request; `false` when there is one under its key, and nothing was kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_request(&mut self, new: Request) -> Result<bool, StoreError> {
        let statement =
            sql("INSERT INTO requests (id, tenant, handle, key, entity, record, connection, operation, state,
                 asked_at, ended_at, trace, batch, item, body, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING")
            .bind(new.id)
            .bind(new.tenant)
            .bind(new.handle)
            .bind(new.key)
            .bind(new.entity)
            .bind(new.record)
            .bind(new.connection)
            .bind(new.operation)
            .bind(new.state.word())
            .bind(new.asked_at)
            .bind(new.ended_at)
            .bind(new.trace)
            .bind(new.batch)
            .bind(new.item)
            .bind(new.body.0)
            .bind(new.outcome.0);
        Ok(self.run(statement).await? == 1)
    }

    /// Notes the calls that carry a request out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_request_calls(&mut self, request: &str, calls: Vec<String>) -> Result<(), StoreError> {
        for call in calls {
            let statement = sql("INSERT INTO request_calls (call_id, request, state) VALUES ($1, $2, 'open')
                 ON CONFLICT (call_id) DO NOTHING")
            .bind(call)
            .bind(request.to_owned());
            self.run(statement).await?;
        }
        Ok(())
    }

    /// A request by its id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn request(&mut self, tenant: &str, id: &str) -> Result<Option<Request>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM requests r WHERE r.tenant = $1 AND r.id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// A caller's request by the caller's own name for it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn request_by_key(
        &mut self,
        tenant: &str,
        handle: &str,
        key: &str,
    ) -> Result<Option<Request>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM requests r WHERE r.tenant = $1 AND r.handle = $2 AND r.key = $3 AND r.key <> ''"
        ))
        .bind(tenant.to_owned())
        .bind(handle.to_owned())
        .bind(key.to_owned());
        self.one(statement, read).await
    }

    /// Forgets that a request made before `before` had a key: the key may be used for another one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn release_request_key(
        &mut self,
        tenant: &str,
        handle: &str,
        key: &str,
        before: i64,
    ) -> Result<(), StoreError> {
        let statement =
            sql("UPDATE requests SET key = '' WHERE tenant = $1 AND handle = $2 AND key = $3 AND asked_at < $4")
                .bind(tenant.to_owned())
                .bind(handle.to_owned())
                .bind(key.to_owned())
                .bind(before);
        self.run(statement).await.map(drop)
    }

    /// What a connection calls records: entity, hub id and the id there, as far as it knows them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn ids_at(
        &mut self,
        tenant: &str,
        connection: &str,
        wanted: Vec<RecordId>,
    ) -> Result<BTreeMap<RecordId, String>, StoreError> {
        let mut found = BTreeMap::new();
        for (entity, id) in wanted {
            let statement = sql("SELECT remote_id FROM identities
                 WHERE tenant = $1 AND entity = $2 AND id = $3 AND connection = $4 ORDER BY received_at DESC LIMIT 1")
            .bind(tenant.to_owned())
            .bind(entity.clone())
            .bind(id.clone())
            .bind(connection.to_owned());
            if let Some(remote) = self.one(statement, |row| row.try_get::<String, _>("remote_id")).await? {
                found.insert((entity, id), remote);
            }
        }
        Ok(found)
    }

    /// The request that a call carries out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn request_of_call(&mut self, call: &str) -> Result<Option<Request>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM request_calls c JOIN requests r ON r.id = c.request WHERE c.call_id = $1"
        ))
        .bind(call.to_owned());
        self.one(statement, read).await
    }

    /// Requests, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn requests(&mut self, tenant: &str, filter: RequestFilter) -> Result<Vec<Request>, StoreError> {
        let (entity, record) = filter.about.unwrap_or_default();
        let statement = built(format!(
            "SELECT {FIELDS} FROM requests r WHERE r.tenant = $1 AND ($2 = '' OR r.id < $2) AND ($4 = '' OR r.handle = $4)
                 AND ($5 = '' OR r.state = $5) AND ($6 = '' OR (r.entity = $6 AND r.record = $7))
             ORDER BY r.id DESC LIMIT $3"
        ))
        .bind(tenant.to_owned())
        .bind(filter.after)
        .bind(filter.limit)
        .bind(filter.handle.unwrap_or_default())
        .bind(filter.state.unwrap_or_default())
        .bind(entity)
        .bind(record);
        self.all(statement, read).await
    }

    /// Ends a call of a request, or opens it again: `open`, `done` or `parked`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn mark_request_call(&mut self, call: &str, state: &'static str) -> Result<(), StoreError> {
        let statement = sql("UPDATE request_calls SET state = $2 WHERE call_id = $1").bind(call.to_owned()).bind(state);
        self.run(statement).await.map(drop)
    }

    /// How many calls of a request are still open, and how many lie parked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn request_calls_left(&mut self, request: &str) -> Result<(i64, i64), StoreError> {
        let statement =
            sql("SELECT COUNT(*) AS total, COALESCE(SUM(CASE WHEN state = 'open' THEN 1 ELSE 0 END), 0) AS waiting
             FROM request_calls WHERE request = $1 AND state <> 'done'")
            .bind(request.to_owned());
        let counted = self.one(statement, |row| {
            let (total, waiting): (i64, i64) = (row.try_get("total")?, row.try_get("waiting")?);
            Ok((waiting, total - waiting))
        });
        Ok(counted.await?.unwrap_or_default())
    }

    /// Whether a try of some call of a request has begun.
    ///
    /// # Errors
    /// The store fails.
    pub async fn request_has_begun(&mut self, request: &str) -> Result<bool, StoreError> {
        let statement = sql("SELECT c.seq FROM request_calls r JOIN calls c ON c.id = r.call_id
             WHERE r.request = $1 AND (c.tries > 0 OR c.state <> 'ready') LIMIT 1")
        .bind(request.to_owned());
        Ok(self.one(statement, |row| row.try_get::<i64, _>("seq")).await?.is_some())
    }

    /// Says where a request stands, and what became of it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn turn_request(
        &mut self,
        id: &str,
        state: RequestState,
        ended_at: Option<i64>,
        outcome: Sealed,
    ) -> Result<(), StoreError> {
        let statement = sql("UPDATE requests SET state = $2, ended_at = $3, outcome = $4 WHERE id = $1")
            .bind(id.to_owned())
            .bind(state.word())
            .bind(ended_at)
            .bind(outcome.0);
        self.run(statement).await.map(drop)
    }

    /// Opens a request again whose parked call is tried again; what was said of it stays until there is news.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen_request_of(&mut self, call: &str) -> Result<(), StoreError> {
        self.mark_request_call(call, "open").await?;
        let statement = sql("UPDATE requests SET state = 'open', ended_at = NULL
             WHERE id = (SELECT request FROM request_calls WHERE call_id = $1)")
        .bind(call.to_owned());
        self.run(statement).await.map(drop)
    }

    /// Forgets requests that were asked before `before` and have ended.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_requests(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        const OLD: &str =
            "SELECT id FROM requests WHERE asked_at < $1 AND state <> 'open' ORDER BY asked_at, id LIMIT $2";
        let calls = built(format!("DELETE FROM request_calls WHERE request IN ({OLD})")).bind(before).bind(limit);
        self.run(calls).await?;
        self.run(built(format!("DELETE FROM requests WHERE id IN ({OLD})")).bind(before).bind(limit)).await
    }
}
