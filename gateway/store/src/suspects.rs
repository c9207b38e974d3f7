//! What a worker held when it died.
//!
//! Nobody knows which of the messages under way ended the process, so each becomes a suspect: it is claimed alone, while
//! nothing else of its process is under way, and only a death in that time counts against it. The try that the death
//! broke off is given back.
//!
//! A call may have arrived; it becomes `unsure`. Calls may take long, so they run side by side at first; one whose worker
//! died on two tries in a row is held, and only one of these is let go at a time.

use crate::calls::{Call, FIELDS as CALL};
use crate::error::StoreError;
use crate::inbox::{Claimed, FIELDS as WORK, claimed};
use crate::tx::{Tx, built, list_of, sql};

/// What came to the table of calls with schema version 2.
pub(crate) const COLUMNS: &str = "
ALTER TABLE calls ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE calls ADD COLUMN crashed_try BIGINT NOT NULL DEFAULT 0;
CREATE INDEX calls_leases ON calls (lease_until) WHERE state = 'running';
CREATE INDEX calls_suspects ON calls (seq) WHERE crashes > 1 AND state IN ('ready', 'running');
";

/// How long a call that may have been carried out is left alone.
const LOOK_UP_AFTER_MICROS: i64 = 5_000_000;
/// When a call that is held can be claimed: never, until it is let go.
const HELD_UNTIL: i64 = i64::MAX;

/// Suspects that are the oldest open message of their key.
pub(crate) const SUSPECTS: &str = "
    SELECT i.seq FROM inbox i WHERE i.waits = 'suspect' AND i.state = 'ready' AND i.consumer IN ({consumers})
        AND NOT EXISTS (
            SELECT 1 FROM inbox e WHERE e.consumer = i.consumer AND e.tenant = i.tenant
                AND e.order_key = i.order_key AND e.seq < i.seq AND e.state IN ('ready', 'running'))";

/// How much was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Messages.
    pub work: u64,
    /// Calls.
    pub calls: u64,
}

impl Tx {
    /// Takes back what dead workers held: claims whose lease ended, and all claims of `returned`, a worker of that
    /// name that has just started again. Calls among them may have been carried out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_back(&mut self, now: i64, returned: Option<String>) -> Result<TakenBack, StoreError> {
        let returned = returned.unwrap_or_default();
        let work = sql("UPDATE inbox SET state = 'ready', owner = '', waits = 'suspect', crashes = crashes + alone,
                 alone = 0, tries = tries - 1 WHERE state = 'running' AND (lease_until < $1 OR owner = $2)")
        .bind(now)
        .bind(returned.clone());
        // The vendor may still be at work on what it was asked: a look-up that comes too early finds nothing.
        let calls = sql("UPDATE calls SET state = 'ready', owner = '', unsure = 1, crashed_try = tries,
                 crashes = CASE WHEN tries = crashed_try + 1 THEN crashes + 1 ELSE 1 END,
                 available_at = CASE WHEN tries = crashed_try + 1 AND crashes > 0 THEN $4 ELSE $3 END
             WHERE state = 'running' AND (lease_until < $1 OR owner = $2)")
        .bind(now)
        .bind(returned)
        .bind(now + LOOK_UP_AFTER_MICROS)
        .bind(HELD_UNTIL);
        Ok(TakenBack { work: self.run(work).await?, calls: self.run(calls).await? })
    }

    /// Claims one suspect for `owner`, who has nothing else under way if `alone`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn claim_suspect(
        &mut self,
        consumers: &[&str],
        owner: &str,
        lease_until: i64,
        alone: bool,
    ) -> Result<Option<Claimed>, StoreError> {
        let lock = if self.dialect.skip_locked().is_empty() { "" } else { " FOR UPDATE OF i SKIP LOCKED" };
        let Some(seq) = self.suspect(consumers, lock).await? else { return Ok(None) };
        let statement = built(format!(
            "UPDATE inbox SET state = 'running', owner = $2, lease_until = $3, tries = tries + 1,
                 waits = '', alone = $4 WHERE seq = $1 RETURNING {WORK}"
        ))
        .bind(seq)
        .bind(owner.to_owned())
        .bind(lease_until)
        .bind(i64::from(alone));
        self.one(statement, claimed).await
    }

    /// The oldest suspect that is the oldest open message of its key.
    async fn suspect(&mut self, consumers: &[&str], lock: &str) -> Result<Option<i64>, StoreError> {
        let mut statement = built(format!(
            "{} ORDER BY i.seq LIMIT 1{lock}",
            SUSPECTS.replace("{consumers}", &list_of(1, consumers.len()))
        ));
        for consumer in consumers {
            statement = statement.bind((*consumer).to_owned());
        }
        self.one(statement, |row| row.try_get("seq")).await
    }

    /// Lets the oldest of the held calls go, unless one of them is still on its way. Returns whether one was let go.
    ///
    /// # Errors
    /// The store fails.
    pub async fn release_call(&mut self, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE calls SET available_at = $1 WHERE seq = (
                 SELECT MIN(seq) FROM calls WHERE crashes > 1 AND state IN ('ready', 'running') AND available_at = $2)
             AND state = 'ready' AND NOT EXISTS (
                 SELECT 1 FROM calls o WHERE o.crashes > 1 AND o.state IN ('ready', 'running')
                     AND o.tries = o.crashed_try AND o.available_at <> $2)
             AND NOT EXISTS (
                 SELECT 1 FROM calls o WHERE o.crashes > 1 AND o.state = 'running' AND o.tries = o.crashed_try + 1)")
        .bind(now)
        .bind(HELD_UNTIL);
        Ok(self.run(statement).await? == 1)
    }

    /// Held calls whose worker died on at least `crashes` tries in a row.
    ///
    /// # Errors
    /// The store fails.
    pub async fn crashed_calls(&mut self, crashes: i64) -> Result<Vec<Call>, StoreError> {
        let statement = built(format!(
            "SELECT {CALL} FROM calls WHERE crashes > 1 AND state IN ('ready', 'running') AND state = 'ready'
                 AND crashes >= $1 AND tries = crashed_try ORDER BY seq LIMIT 100"
        ))
        .bind(crashes);
        self.all(statement, crate::calls::read).await
    }

    /// Parks a held call; `false` when it is not held any more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn park_held_call(&mut self, seq: i64, error: String) -> Result<bool, StoreError> {
        let statement = sql("UPDATE calls SET state = 'parked', crashes = 0, error = $2, available_at = created_at
             WHERE seq = $1 AND state = 'ready' AND crashes > 1 AND tries = crashed_try")
        .bind(seq)
        .bind(error);
        Ok(self.run(statement).await? == 1)
    }
}
