//! Outgoing calls. A call is a row before it is made; of one order key only the oldest open one can be claimed.
//!
//! A claim costs the same with ten waiting calls and with a hundred thousand: it walks over connections, not over
//! calls, and looks at a bounded window of each.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, portions, sql};

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
    /// When it was asked for, µs, by the store's clock: it can be made from then on.
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

/// The columns that [`read`] reads.
pub(crate) const FIELDS: &str = "seq, id, tenant, connection, operation, key, order_key, created_at, trace, subject, body, \
    tries, unsure, state, error";

pub(crate) fn read(row: &Row<'_>) -> Result<Call, ColumnError> {
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

/// What version 2 of the schema adds.
pub(crate) const COLUMNS: &str = "
-- 1: a claim has found this call behind an older one of its order key and has moved it out of the way.
ALTER TABLE calls ADD COLUMN deferred BIGINT NOT NULL DEFAULT 0;
CREATE INDEX calls_lanes ON calls (connection, available_at, seq) WHERE state = 'ready';
CREATE INDEX calls_running ON calls (connection) WHERE state = 'running';
";

/// What version 4 of the schema adds.
pub(crate) const BEGINNINGS: &str = "
-- When the last try began, µs.
ALTER TABLE calls ADD COLUMN began_at BIGINT NOT NULL DEFAULT 0;
";

/// A connection with calls that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Connection.
    pub connection: String,
    /// Its tenant.
    pub tenant: String,
    /// Since when the oldest of them is due, µs.
    pub due_at: i64,
    /// Calls of it that are being made, by any worker.
    pub running: i64,
}

/// What to claim of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// Connection.
    pub connection: String,
    /// At most so many.
    pub limit: i64,
    /// No retries: only calls that were never tried.
    pub first_tries: bool,
}

/// Walks from connection to connection along the index: the cost grows with connections that have calls, not with
/// calls.
const LANES: &str = "
    WITH RECURSIVE lanes (connection) AS (
        SELECT MIN(connection) FROM calls WHERE state = 'ready'
        UNION ALL
        SELECT (SELECT MIN(c.connection) FROM calls c WHERE c.state = 'ready' AND c.connection > lanes.connection)
        FROM lanes WHERE lanes.connection IS NOT NULL
    ), heads AS (
        SELECT connection,
            (SELECT MIN(c.available_at) FROM calls c WHERE c.state = 'ready' AND c.connection = lanes.connection)
                AS due_at
        FROM lanes WHERE connection IS NOT NULL
    )
    SELECT connection, due_at,
        (SELECT c.tenant FROM calls c WHERE c.state = 'ready' AND c.connection = heads.connection
         ORDER BY c.available_at, c.seq LIMIT 1) AS tenant,
        (SELECT COUNT(*) FROM calls c WHERE c.state = 'running' AND c.connection = heads.connection) AS running
    FROM heads WHERE due_at <= $1";

/// Due calls that one claim looks at, of one connection.
const WINDOW: &str = "
    SELECT c.seq, c.tenant, c.connection, c.order_key, c.available_at, c.tries FROM calls c
    WHERE c.state = 'ready' AND c.connection = {connection} AND c.available_at <= {now}
    ORDER BY c.available_at, c.seq LIMIT 200";
/// As many as the window holds.
const WINDOW_ROWS: i64 = 200;

/// Of these, the oldest of their order key.
const HEADS: &str = "
    SELECT seq FROM (SELECT w.seq FROM ({window}) AS w
        WHERE (w.tries = 0 OR {first_tries} = 0) AND NOT EXISTS ({older})
        ORDER BY w.available_at, w.seq LIMIT {limit}) AS heads";

const OLDER: &str = "
    SELECT 1 FROM calls e WHERE e.tenant = w.tenant AND e.connection = w.connection AND e.order_key = w.order_key
        AND e.seq < w.seq AND e.state IN ('ready', 'running')";

/// How long a call that stands in the way of others is left out, µs. It is brought back when its turn comes, so this
/// only matters when the two happen at the same moment.
const DEFER_MICROS: i64 = 30_000_000;

impl Tx {
    /// Asks for a call; `false` when one with this key was asked for before. In a store that was restored, a journey
    /// that began before may have come to this call already, after the backup: then it is made as one whose outcome
    /// is not known.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_call(&mut self, call: NewCall) -> Result<bool, StoreError> {
        // Of `traceparent`: version, trace, parent, flags.
        let trace_id = call.trace.split('-').nth(1).unwrap_or_default().to_owned();
        let statement = sql(
            "INSERT INTO calls (id, tenant, connection, operation, key, order_key, created_at, trace, subject, body,
                                available_at, state, tries, unsure, lease_until, owner)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $7, 'ready', 0,
                     (SELECT COUNT(*) FROM meta m, journeys j WHERE m.name = 'restored_at' AND j.trace = $11
                        AND j.started_at < CAST(m.value AS BIGINT)), 0, '')
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
        .bind(call.body.0)
        .bind(trace_id);
        Ok(self.run(statement).await? == 1)
    }

    /// The connections with calls that are due.
    ///
    /// # Errors
    /// The store fails.
    pub async fn due_lanes(&mut self, now: i64) -> Result<Vec<Lane>, StoreError> {
        let statement = sql(LANES).bind(now);
        self.all(statement, |row| {
            Ok(Lane {
                connection: row.try_get("connection")?,
                tenant: row.try_get("tenant")?,
                due_at: row.try_get("due_at")?,
                running: row.try_get("running")?,
            })
        })
        .await
    }

    /// Claims calls for `owner` until `lease_until`: of each order key only the oldest open one. The try is counted
    /// before it begins.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_calls(
        &mut self,
        owner: &str,
        now: i64,
        lease_until: i64,
        takes: Vec<Take>,
    ) -> Result<Vec<Call>, StoreError> {
        let mut calls = Vec::new();
        for takes in portions(takes) {
            let heads = |index: usize| {
                let at = |offset: usize| format!("${}", 4 + index * 3 + offset);
                let window = WINDOW.replace("{connection}", &at(0)).replace("{now}", "$3");
                let heads = HEADS.replace("{window}", &window).replace("{older}", OLDER);
                heads.replace("{limit}", &at(1)).replace("{first_tries}", &at(2))
            };
            let candidates: Vec<String> = (0..takes.len()).map(heads).collect();
            let (candidates, lock) = (candidates.join(" UNION ALL "), self.dialect.skip_locked());
            let mut statement = built(format!(
                "UPDATE calls SET state = 'running', owner = $1, lease_until = $2, began_at = $3, tries = tries + 1, deferred = 0
                 WHERE seq IN (SELECT seq FROM calls WHERE state = 'ready' AND seq IN ({candidates}){lock})
                 RETURNING {FIELDS}"
            ))
            .bind(owner.to_owned())
            .bind(lease_until)
            .bind(now);
            for take in &takes {
                let Take { connection, limit, first_tries } = take.clone();
                statement = statement.bind(connection).bind(limit).bind(i64::from(first_tries));
            }
            let claimed = self.all(statement, read).await?;
            for take in takes {
                if !claimed.iter().any(|call| call.new.connection == take.connection) {
                    self.defer_calls(take, now).await?;
                }
            }
            calls.extend(claimed);
        }
        calls.sort_by_key(|call| call.seq);
        Ok(calls)
    }

    /// Nothing could be claimed of a connection: when its window is full of calls that cannot be made now, they are
    /// moved out of the way of those behind them.
    async fn defer_calls(&mut self, take: Take, now: i64) -> Result<(), StoreError> {
        let window = WINDOW.replace("{connection}", "$1").replace("{now}", "$2");
        let statement = built(format!(
            "UPDATE calls SET available_at = $3, deferred = 1 WHERE state = 'ready' AND $4 <= (SELECT COUNT(*) FROM ({window}) AS full_)
             AND seq IN (SELECT seq FROM (SELECT w.seq FROM ({window}) AS w
                WHERE EXISTS ({OLDER}) OR (w.tries > 0 AND $5 = 1)) AS blocked)"
        ))
        .bind(take.connection)
        .bind(now)
        .bind(now + DEFER_MICROS)
        .bind(WINDOW_ROWS)
        .bind(i64::from(take.first_tries));
        self.run(statement).await.map(drop)
    }

    /// Ends a claim: done, parked, or ready for another try at `available_at`. `unsure` says that the try may have
    /// been carried out. `available_at` of an end is its time. `false` when the claim was lost.
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
        if self.run(statement).await? == 0 {
            return Ok(false);
        }
        if state != CallState::Ready {
            self.next_of_key(seq, available_at).await?;
        }
        Ok(true)
    }

    /// The next call of the order key has its turn now, if a claim has moved it out of the way.
    async fn next_of_key(&mut self, ended: i64, now: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE calls SET available_at = $2, deferred = 0
             WHERE deferred = 1 AND state = 'ready' AND seq = (
                SELECT MIN(e.seq) FROM calls e JOIN calls d ON e.tenant = d.tenant AND e.connection = d.connection
                    AND e.order_key = d.order_key
                WHERE d.seq = $1 AND e.state IN ('ready', 'running'))")
        .bind(ended)
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Whether a call about some record of an entity that began before `until`, µs, is still being made to a connection.
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_asking(&mut self, connection: &str, entity: &str, until: i64) -> Result<bool, StoreError> {
        let statement = sql("SELECT seq FROM calls WHERE connection = $1 AND state = 'running' AND subject >= $2
             AND subject < $3 AND began_at <= $4 LIMIT 1")
        .bind(connection.to_owned())
        .bind(format!("{entity}/"))
        .bind(format!("{entity}0"))
        .bind(until);
        Ok(self.one(statement, |row| row.try_get::<i64, _>("seq")).await?.is_some())
    }

    /// A call by its business reference.
    ///
    /// # Errors
    /// The store fails.
    pub async fn call(&mut self, tenant: &str, connection: &str, key: &str) -> Result<Option<Call>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM calls WHERE tenant = $1 AND connection = $2 AND key = $3"))
            .bind(tenant.to_owned())
            .bind(connection.to_owned())
            .bind(key.to_owned());
        self.one(statement, read).await
    }
}
