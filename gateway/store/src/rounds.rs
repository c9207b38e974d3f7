//! Rounds of polls. A round is all calls that follow from its beginning; it counts them down in the transactions that
//! end them, and keeps which of the vendor's ids their answers named. What a complete round did not name is gone.

use crate::batches::batches;
use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};

pub(crate) const TABLES: &str = "
-- Rounds of polls, the last ones of each. `open_calls` counts down to the round's end.
CREATE TABLE rounds (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, connection TEXT NOT NULL, poll TEXT NOT NULL, state TEXT NOT NULL,
    began_at BIGINT NOT NULL, ended_at BIGINT, open_calls BIGINT NOT NULL, calls BIGINT NOT NULL,
    failed_calls BIGINT NOT NULL, gone BIGINT NOT NULL, trace TEXT NOT NULL);
CREATE INDEX rounds_poll ON rounds (tenant, connection, poll, began_at);
-- The vendor's ids that a round's answers named, until it has ended.
CREATE TABLE round_seen (
    round TEXT NOT NULL, entity TEXT NOT NULL, remote_id TEXT NOT NULL, PRIMARY KEY (round, entity, remote_id));
";

/// Where a round stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundState {
    /// Calls of it are not made yet.
    Open,
    /// Every call was answered well.
    Complete,
    /// A call needs a person: what was not named may be there all the same.
    Failed,
    /// It found more gone than a round may: a person decides.
    Held,
}

impl RoundState {
    /// The word in rows and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Open, Self::Complete, Self::Failed, Self::Held].into_iter().find(|state| state.word() == word)
    }
}

/// A round.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// The poll.
    pub poll: String,
    /// Where it stands.
    pub state: RoundState,
    /// When it began, µs.
    pub began_at: i64,
    /// When it ended, µs.
    pub ended_at: Option<i64>,
    /// Calls that are not made yet.
    pub open_calls: i64,
    /// All its calls so far.
    pub calls: i64,
    /// Calls that need a person.
    pub failed_calls: i64,
    /// Records that it found gone.
    pub gone: i64,
    /// `traceparent`.
    pub trace: String,
}

const FIELDS: &str =
    "id, tenant, connection, poll, state, began_at, ended_at, open_calls, calls, failed_calls, gone, trace";

fn read(row: &Row<'_>) -> Result<Round, ColumnError> {
    let state: String = row.try_get("state")?;
    Ok(Round {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        connection: row.try_get("connection")?,
        poll: row.try_get("poll")?,
        // A state of a newer program: nothing is concluded from such a round.
        state: RoundState::of(&state).unwrap_or(RoundState::Failed),
        began_at: row.try_get("began_at")?,
        ended_at: row.try_get("ended_at")?,
        open_calls: row.try_get("open_calls")?,
        calls: row.try_get("calls")?,
        failed_calls: row.try_get("failed_calls")?,
        gone: row.try_get("gone")?,
        trace: row.try_get("trace")?,
    })
}

/// A record that a round did not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The vendor's id.
    pub remote_id: String,
    /// The hub's id.
    pub id: String,
}

/// Records that the connection has of an entity, and that were there before the round began.
const THERE: &str = "
    FROM identities i JOIN records r ON r.tenant = i.tenant AND r.entity = i.entity AND r.id = i.id
    WHERE i.tenant = $1 AND i.connection = $2 AND i.entity = $3 AND r.deleted_at IS NULL";

/// Known by another connection, too: that this one does not name it says nothing.
const ELSEWHERE: &str = "SELECT 1 FROM identities o
    WHERE o.tenant = i.tenant AND o.entity = i.entity AND o.id = i.id AND o.connection <> i.connection";

impl Tx {
    /// Begins a round.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_round(&mut self, round: Round) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO rounds (id, tenant, connection, poll, state, began_at, ended_at, open_calls,
                 calls, failed_calls, gone, trace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(round.id)
        .bind(round.tenant)
        .bind(round.connection)
        .bind(round.poll)
        .bind(round.state.word().to_owned())
        .bind(round.began_at)
        .bind(round.ended_at)
        .bind(round.open_calls)
        .bind(round.calls)
        .bind(round.failed_calls)
        .bind(round.gone)
        .bind(round.trace);
        self.run(statement).await.map(drop)
    }

    /// The last rounds of a tenant's polls, of one connection or all, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn rounds(
        &mut self,
        tenant: &str,
        connection: Option<String>,
        poll: Option<String>,
        limit: i64,
    ) -> Result<Vec<Round>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM rounds WHERE tenant = $1 AND ($2 = '' OR connection = $2) AND ($3 = '' OR poll = $3)
             ORDER BY began_at DESC, id DESC LIMIT $4"
        ))
        .bind(tenant.to_owned())
        .bind(connection.unwrap_or_default())
        .bind(poll.unwrap_or_default())
        .bind(limit);
        self.all(statement, read).await
    }

    /// A round by its id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn round(&mut self, id: &str) -> Result<Option<Round>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM rounds WHERE id = $1")).bind(id.to_owned());
        self.one(statement, read).await
    }

    /// When the last round of a poll began that was complete, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn last_complete_round(
        &mut self,
        tenant: &str,
        connection: &str,
        poll: &str,
    ) -> Result<Option<i64>, StoreError> {
        let statement = sql("SELECT MAX(began_at) AS began_at FROM rounds
             WHERE tenant = $1 AND connection = $2 AND poll = $3 AND (state IN ('complete', 'held') OR gone > 0)")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(poll.to_owned());
        Ok(self.one(statement, |row| row.try_get::<Option<i64>, _>("began_at")).await?.flatten())
    }

    /// One call of an open round has ended and led to `more`; the round as it is then. `None` when it is not open.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count_down(&mut self, round: &str, more: i64, failed: bool) -> Result<Option<Round>, StoreError> {
        let statement = built(format!(
            "UPDATE rounds SET open_calls = open_calls - 1 + $2, calls = calls + $2, failed_calls = failed_calls + $3
             WHERE id = $1 AND state = 'open' RETURNING {FIELDS}"
        ))
        .bind(round.to_owned())
        .bind(more)
        .bind(i64::from(failed));
        self.one(statement, read).await
    }

    /// More calls belong to a round while one of its calls is under way.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lengthen_round(&mut self, round: &str, more: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE rounds SET open_calls = open_calls + $2, calls = calls + $2
             WHERE id = $1 AND state = 'open'")
        .bind(round.to_owned())
        .bind(more);
        self.run(statement).await.map(drop)
    }

    /// Ends a round, or changes how it ended. What it has seen is kept while a person decides.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_round(&mut self, id: &str, state: RoundState, gone: i64, now: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE rounds SET state = $2, gone = $3, ended_at = $4 WHERE id = $1")
            .bind(id.to_owned())
            .bind(state.word().to_owned())
            .bind(gone)
            .bind(now);
        self.run(statement).await?;
        if state != RoundState::Held {
            self.run(sql("DELETE FROM round_seen WHERE round = $1").bind(id.to_owned())).await?;
        }
        Ok(())
    }

    /// A newer round of the same poll asks the same question: the older ones that wait for a person do not any more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn supersede_held(&mut self, round: &Round, now: i64) -> Result<(), StoreError> {
        const HELD: &str = "SELECT id FROM rounds WHERE tenant = $1 AND connection = $2 AND poll = $3 AND id <> $4
            AND state = 'held'";
        let of = |text: String| {
            built(text)
                .bind(round.tenant.clone())
                .bind(round.connection.clone())
                .bind(round.poll.clone())
                .bind(round.id.clone())
        };
        let parked = of(format!(
            "UPDATE parked SET resolved_at = $5, resolution = 'superseded'
             WHERE tenant = $1 AND kind = 'round' AND resolved_at IS NULL AND reference IN ({HELD})"
        ));
        self.run(parked.bind(now)).await?;
        self.run(of(format!("DELETE FROM round_seen WHERE round IN ({HELD})"))).await?;
        self.run(of(format!("UPDATE rounds SET state = 'failed' WHERE id IN ({HELD})"))).await.map(drop)
    }

    /// Forgets all but the last rounds of a poll, and what they have seen.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_rounds(
        &mut self,
        tenant: &str,
        connection: &str,
        poll: &str,
        keep: i64,
    ) -> Result<(), StoreError> {
        const OLD: &str = "SELECT id FROM rounds WHERE tenant = $1 AND connection = $2 AND poll = $3
            ORDER BY began_at DESC, id DESC LIMIT 1000 OFFSET $4";
        for text in [
            format!("DELETE FROM round_seen WHERE round IN ({OLD})"),
            format!("DELETE FROM rounds WHERE id IN ({OLD})"),
        ] {
            let statement =
                built(text).bind(tenant.to_owned()).bind(connection.to_owned()).bind(poll.to_owned()).bind(keep);
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Notes that a round's answers named ids, as entity and remote id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_seen(&mut self, round: &str, named: Vec<(String, String)>) -> Result<(), StoreError> {
        for named in batches(named) {
            let mut statement = built(format!(
                "INSERT INTO round_seen (round, entity, remote_id) VALUES {} ON CONFLICT DO NOTHING",
                rows_of(3, named.len())
            ));
            for (entity, remote_id) in named {
                statement = statement.bind(round.to_owned()).bind(entity).bind(remote_id);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// What a round did not name of an entity, at most `limit`, and how many records there are of it in all. `over` is a
    /// status of records that the vendor is right not to name any more; empty for none. A record
    /// that came while the round went on is not missing, nor one that another connection has, too.
    ///
    /// # Errors
    /// The store fails.
    pub async fn missing(
        &mut self,
        round: &Round,
        entity: &str,
        over: &str,
        limit: i64,
    ) -> Result<(Vec<Missing>, i64), StoreError> {
        let of = |text: String| {
            built(text).bind(round.tenant.clone()).bind(round.connection.clone()).bind(entity.to_owned())
        };
        let total = of(format!("SELECT COUNT(*) AS total {THERE}"));
        let total = self.one(total, |row| row.try_get::<i64, _>("total")).await?.unwrap_or(0);
        let missing = of(format!(
            "SELECT i.remote_id, i.id {THERE} AND i.received_at < $4 AND NOT EXISTS ({ELSEWHERE}) AND NOT EXISTS (
                 SELECT 1 FROM round_seen s WHERE s.round = $5 AND s.entity = i.entity AND s.remote_id = i.remote_id)
             AND NOT EXISTS (
                 SELECT 1 FROM record_index x WHERE x.tenant = i.tenant AND x.entity = i.entity AND x.field = 'status'
                     AND x.value = $6 AND x.id = i.id)
             ORDER BY i.remote_id LIMIT $7"
        ));
        let missing = missing.bind(round.began_at).bind(round.id.clone()).bind(over.to_owned()).bind(limit);
        let missing =
            self.all(missing, |row| Ok(Missing { remote_id: row.try_get("remote_id")?, id: row.try_get("id")? }));
        Ok((missing.await?, total))
    }

    /// The ids by which a connection knows the records of an entity that are there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remote_ids(
        &mut self,
        tenant: &str,
        connection: &str,
        entity: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let statement = built(format!("SELECT i.remote_id {THERE} ORDER BY i.remote_id LIMIT $4"))
            .bind(tenant.to_owned())
            .bind(connection.to_owned())
            .bind(entity.to_owned())
            .bind(limit);
        self.all(statement, |row| row.try_get("remote_id")).await
    }
}
