//! Timers: what is to be done later, however much later. A timer is a row with a name; whichever worker claims it when
//! it is due does what it asks for, and commits that together with the mark that the timer has fired.
//!
//! A claim is a lease: it moves the timer a little into the future, where other workers find it again when its holder
//! dies. Each claim, and each change of the timer, has a turn; who ends a timer in a turn that is over changes nothing.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, sql};

pub(crate) const TABLES: &str = "
-- What is to be done later. Ended rows stay for a while: they are the mark that it was done.
CREATE TABLE timers (
    seq {serial}, tenant TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    due_at BIGINT NOT NULL, available_at BIGINT NOT NULL, state TEXT NOT NULL, turn BIGINT NOT NULL,
    tries BIGINT NOT NULL, created_at BIGINT NOT NULL, ended_at BIGINT, last_due_at BIGINT, trace TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE UNIQUE INDEX timers_name ON timers (tenant, name);
CREATE INDEX timers_due ON timers (available_at) WHERE state = 'waiting';
CREATE INDEX timers_subject ON timers (tenant, subject) WHERE state = 'waiting';
CREATE INDEX timers_ended ON timers (ended_at) WHERE ended_at IS NOT NULL;
";

/// A timer to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTimer {
    /// Tenant.
    pub tenant: String,
    /// Its name: one timer per tenant and name.
    pub name: String,
    /// Who knows what to do: `flow`, `schedule` …
    pub kind: String,
    /// What it is about, `entity/id`; empty when it is about nothing.
    pub subject: String,
    /// When it fires, µs.
    pub due_at: i64,
    /// When it was set, µs.
    pub created_at: i64,
    /// `traceparent`.
    pub trace: String,
    /// What firing needs to know; no personal values.
    pub body: String,
}

/// What becomes of a timer whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It stays as it is, also when it has fired: what sets it happens once.
    Keep,
    /// It is set anew, also when it has fired.
    Move,
}

/// How a timer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerEnd {
    /// What it asked for was done.
    Fired,
    /// It is not needed any more.
    Cancelled,
    /// It needs a person.
    Parked,
}

impl TimerEnd {
    const fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Cancelled => "cancelled",
            Self::Parked => "parked",
        }
    }
}

/// A timer that was claimed or looked at.
#[derive(Clone, Debug)]
pub struct Timer {
    /// The row.
    pub seq: i64,
    /// The timer.
    pub new: NewTimer,
    /// The turn of this claim.
    pub turn: i64,
    /// How often it was claimed for this due time, this time included.
    pub tries: i64,
    /// `waiting`, `fired`, `cancelled` or `parked`.
    pub state: String,
    /// When it ended, µs.
    pub ended_at: Option<i64>,
    /// The due time that it fired for last, µs; `None` before.
    pub last_due_at: Option<i64>,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "seq, tenant, name, kind, subject, due_at, created_at, trace, body, turn, tries, state, \
    ended_at, last_due_at";

fn read(row: &Row<'_>) -> Result<Timer, ColumnError> {
    Ok(Timer {
        seq: row.try_get("seq")?,
        new: NewTimer {
            tenant: row.try_get("tenant")?,
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            due_at: row.try_get("due_at")?,
            created_at: row.try_get("created_at")?,
            trace: row.try_get("trace")?,
            body: row.try_get("body")?,
        },
        turn: row.try_get("turn")?,
        tries: row.try_get("tries")?,
        state: row.try_get("state")?,
        ended_at: row.try_get("ended_at")?,
        last_due_at: row.try_get("last_due_at")?,
    })
}

/// The candidates of a claim: what has been due longest, one of each tenant before a second one of any.
const CANDIDATES: &str = "
    SELECT seq FROM (
        SELECT t.seq, t.available_at,
            ROW_NUMBER() OVER (PARTITION BY t.tenant ORDER BY t.available_at, t.seq) AS tenant_turn
        FROM timers t WHERE t.state = 'waiting' AND t.available_at <= $2 AND t.kind IN ({kinds})
    ) AS due ORDER BY tenant_turn, available_at, seq LIMIT $3";

impl Tx {
    /// Sets a timer; whether that changed anything. A claim that is under way on a timer that moves is lost.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_timer(&mut self, timer: NewTimer, again: Again) -> Result<bool, StoreError> {
        let on_conflict = match again {
            Again::Keep => "DO NOTHING",
            Again::Move => {
                "DO UPDATE SET kind = excluded.kind, subject = excluded.subject, due_at = excluded.due_at,
                     available_at = excluded.available_at, state = 'waiting', turn = timers.turn + 1, tries = 0,
                     created_at = excluded.created_at, ended_at = NULL, trace = excluded.trace, body = excluded.body"
            }
        };
        let statement = built(format!(
            "INSERT INTO timers (tenant, name, kind, subject, due_at, available_at, state, turn, tries, created_at,
                                 trace, body)
             VALUES ($1, $2, $3, $4, $5, $5, 'waiting', 0, 0, $6, $7, $8)
             ON CONFLICT (tenant, name) {on_conflict}"
        ))
        .bind(timer.tenant)
        .bind(timer.name)
        .bind(timer.kind)
        .bind(timer.subject)
        .bind(timer.due_at)
        .bind(timer.created_at)
        .bind(timer.trace)
        .bind(timer.body);
        Ok(self.run(statement).await? == 1)
    }

    /// Claims up to `limit` due timers of the given kinds until `lease_until`. The try is counted before it begins.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_timers(
        &mut self,
        kinds: &[&str],
        now: i64,
        lease_until: i64,
        limit: i64,
    ) -> Result<Vec<Timer>, StoreError> {
        let candidates = CANDIDATES.replace("{kinds}", &list_of(4, kinds.len()));
        let lock = self.dialect.skip_locked();
        let mut statement = built(format!(
            "UPDATE timers SET available_at = $1, turn = turn + 1, tries = tries + 1
             WHERE seq IN (SELECT seq FROM timers
                           WHERE state = 'waiting' AND available_at <= $2 AND seq IN ({candidates}){lock})
             RETURNING {FIELDS}"
        ))
        .bind(lease_until)
        .bind(now)
        .bind(limit);
        for kind in kinds {
            statement = statement.bind((*kind).to_owned());
        }
        let mut timers = self.all(statement, read).await?;
        timers.sort_by_key(|timer| (timer.new.due_at, timer.seq));
        Ok(timers)
    }

    /// Ends a claimed timer; `false` when the claim was lost, and nothing of the transaction may count.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish_timer(&mut self, claimed: &Timer, end: TimerEnd, now: i64) -> Result<bool, StoreError> {
        let fired = (end == TimerEnd::Fired).then_some(claimed.new.due_at);
        let statement = sql("UPDATE timers SET state = $3, ended_at = $4, last_due_at = COALESCE($5, last_due_at)
             WHERE seq = $1 AND turn = $2 AND state = 'waiting'")
        .bind(claimed.seq)
        .bind(claimed.turn)
        .bind(end.word().to_owned())
        .bind(now)
        .bind(fired);
        Ok(self.run(statement).await? == 1)
    }

    /// Has a claimed timer wait for its next time. `fired_for` is the time that it fired for now, if it did. `false`
    /// when the claim was lost, and nothing of the transaction may count.
    ///
    /// # Errors
    /// The store fails.
    pub async fn wind_timer(
        &mut self,
        claimed: &Timer,
        due_at: i64,
        fired_for: Option<i64>,
        body: String,
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE timers SET due_at = $3, available_at = $3, turn = turn + 1, tries = 0, body = $4,
                 last_due_at = COALESCE($5, last_due_at)
             WHERE seq = $1 AND turn = $2 AND state = 'waiting'")
        .bind(claimed.seq)
        .bind(claimed.turn)
        .bind(due_at)
        .bind(body)
        .bind(fired_for);
        Ok(self.run(statement).await? == 1)
    }

    /// Gives a claimed timer back for another try at `available_at`; its due time stays. A try that never began is
    /// not counted. `false` when the claim was lost.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_back_timer(
        &mut self,
        claimed: &Timer,
        available_at: i64,
        tried: bool,
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE timers SET available_at = $3, turn = turn + 1, tries = tries - $4
             WHERE seq = $1 AND turn = $2 AND state = 'waiting'")
        .bind(claimed.seq)
        .bind(claimed.turn)
        .bind(available_at)
        .bind(i64::from(!tried));
        Ok(self.run(statement).await? == 1)
    }

    /// Cancels the timer called `name`; `false` when none waits.
    ///
    /// # Errors
    /// The store fails.
    pub async fn cancel_timer(&mut self, tenant: &str, name: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE timers SET state = 'cancelled', ended_at = $3, turn = turn + 1
             WHERE tenant = $1 AND name = $2 AND state = 'waiting'")
        .bind(tenant.to_owned())
        .bind(name.to_owned())
        .bind(now);
        Ok(self.run(statement).await? == 1)
    }

    /// Cancels all timers of a kind that are about `subject`, such as those of a record that is gone; gives them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn cancel_timers_about(
        &mut self,
        tenant: &str,
        kind: &str,
        subject: &str,
        now: i64,
    ) -> Result<Vec<Timer>, StoreError> {
        let statement = built(format!(
            "UPDATE timers SET state = 'cancelled', ended_at = $4, turn = turn + 1
             WHERE tenant = $1 AND kind = $2 AND subject = $3 AND state = 'waiting' RETURNING {FIELDS}"
        ))
        .bind(tenant.to_owned())
        .bind(kind.to_owned())
        .bind(subject.to_owned())
        .bind(now);
        self.all(statement, read).await
    }

    /// Has a timer that lies parked fire again, now; `false` when none of this name does.
    ///
    /// # Errors
    /// The store fails.
    pub async fn reopen_timer(&mut self, tenant: &str, name: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE timers SET state = 'waiting', available_at = $3, ended_at = NULL, tries = 0,
                 turn = turn + 1 WHERE tenant = $1 AND name = $2 AND state = 'parked'")
        .bind(tenant.to_owned())
        .bind(name.to_owned())
        .bind(now);
        Ok(self.run(statement).await? == 1)
    }

    /// The timer called `name`, whatever its state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn timer(&mut self, tenant: &str, name: &str) -> Result<Option<Timer>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM timers WHERE tenant = $1 AND name = $2"))
            .bind(tenant.to_owned())
            .bind(name.to_owned());
        self.one(statement, read).await
    }

    /// Timers of a kind that wait, of all tenants, by their due time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn waiting_timers(&mut self, kind: &str, limit: i64) -> Result<Vec<Timer>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM timers WHERE kind = $1 AND state = 'waiting' ORDER BY due_at, seq LIMIT $2"
        ))
        .bind(kind.to_owned())
        .bind(limit);
        self.all(statement, read).await
    }

    /// When the next timer of the given kinds can be claimed, µs; `None` when none waits.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_timer(&mut self, kinds: &[&str]) -> Result<Option<i64>, StoreError> {
        let mut statement = built(format!(
            "SELECT available_at FROM timers WHERE state = 'waiting' AND kind IN ({})
             ORDER BY available_at LIMIT 1",
            list_of(1, kinds.len())
        ));
        for kind in kinds {
            statement = statement.bind((*kind).to_owned());
        }
        self.one(statement, |row| row.try_get("available_at")).await
    }

    /// Forgets timers that fired or were cancelled before `before`. Those that lie parked stay.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_timers(&mut self, before: i64) -> Result<u64, StoreError> {
        self.run(sql("DELETE FROM timers WHERE ended_at < $1 AND state IN ('fired', 'cancelled')").bind(before)).await
    }
}
