//! Circuits: whether calls of a connection are made now. Shared by all workers, and kept over restarts.
//!
//! A row is there once a circuit has opened, a receiver has asked to wait, or a person has decided. Every change is
//! made by one statement that only matches the state it starts from: of several workers that see the same trouble, one
//! changes the circuit. What the workers count is kept by time slot and worker, so that nobody waits for a row.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};

pub(crate) const TABLES: &str = "
CREATE TABLE circuits (
    connection TEXT PRIMARY KEY, tenant TEXT NOT NULL, state TEXT NOT NULL, since BIGINT NOT NULL, why TEXT NOT NULL,
    next_probe_at BIGINT NOT NULL, opened BIGINT NOT NULL, passed BIGINT NOT NULL, probe_owner TEXT NOT NULL,
    probe_until BIGINT NOT NULL, hand TEXT NOT NULL, hand_by TEXT NOT NULL, hand_at BIGINT NOT NULL,
    wait_until BIGINT NOT NULL, wait_why TEXT NOT NULL);
-- What a worker counted of a connection in a slot of time.
CREATE TABLE call_counts (
    connection TEXT NOT NULL, slot BIGINT NOT NULL, node TEXT NOT NULL, calls BIGINT NOT NULL, failed BIGINT NOT NULL,
    slow BIGINT NOT NULL, tries BIGINT NOT NULL, retries BIGINT NOT NULL, PRIMARY KEY (connection, slot, node));
CREATE INDEX call_counts_slot ON call_counts (slot);
";

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Calls are made.
    Closed,
    /// None are made.
    Open,
    /// One at a time is made, to see.
    HalfOpen,
}

impl CircuitState {
    /// The word in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What a person decided about a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Open: no calls are made. Else calls are made whatever happens.
    pub open: bool,
    /// Who.
    pub by: String,
    /// When, µs.
    pub at: i64,
}

/// A circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Connection.
    pub connection: String,
    /// Its tenant.
    pub tenant: String,
    /// Where it stands by itself.
    pub state: CircuitState,
    /// Since when, µs; 0 when it never changed.
    pub since: i64,
    /// Why it opened.
    pub why: String,
    /// When an open circuit lets one call through, µs.
    pub next_probe_at: i64,
    /// How often it opened without closing in between.
    pub opened: i64,
    /// Until when the probe that is under way counts, µs.
    pub probe_until: i64,
    /// What a person decided; it wins over the state.
    pub hand: Option<Hand>,
    /// Until when the receiver asked to wait, µs; 0 if it never did.
    pub wait_until: i64,
    /// In which words.
    pub wait_why: String,
}

/// What was counted of a connection in a slot of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connection.
    pub connection: String,
    /// The number of the slot.
    pub slot: i64,
    /// Tries that say something about the receiver's health.
    pub calls: i64,
    /// Of them, those that failed by its fault.
    pub failed: i64,
    /// Of them, those that were slow.
    pub slow: i64,
    /// All tries …
    pub tries: i64,
    /// … and those among them that were not the first of their call.
    pub retries: i64,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "connection, tenant, state, since, why, next_probe_at, opened, probe_until, hand, hand_by, \
    hand_at, wait_until, wait_why";

fn read(row: &Row<'_>) -> Result<Circuit, ColumnError> {
    let state = match row.try_get::<String, _>("state")?.as_str() {
        "open" => CircuitState::Open,
        "half_open" => CircuitState::HalfOpen,
        _ => CircuitState::Closed,
    };
    let hand: String = row.try_get("hand")?;
    let hand = if hand.is_empty() {
        None
    } else {
        Some(Hand { open: hand == "open", by: row.try_get("hand_by")?, at: row.try_get("hand_at")? })
    };
    Ok(Circuit {
        connection: row.try_get("connection")?,
        tenant: row.try_get("tenant")?,
        state,
        since: row.try_get("since")?,
        why: row.try_get("why")?,
        next_probe_at: row.try_get("next_probe_at")?,
        opened: row.try_get("opened")?,
        probe_until: row.try_get("probe_until")?,
        hand,
        wait_until: row.try_get("wait_until")?,
        wait_why: row.try_get("wait_why")?,
    })
}

impl Tx {
    /// All circuits that ever were anything but closed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn circuits(&mut self) -> Result<Vec<Circuit>, StoreError> {
        self.all(built(format!("SELECT {FIELDS} FROM circuits ORDER BY connection")), read).await
    }

    /// The circuits that matter to a claim: not closed, decided by a person, waiting, or closed after `since`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn circuits_in_force(&mut self, now: i64, since: i64) -> Result<Vec<Circuit>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM circuits
             WHERE state <> 'closed' OR hand <> '' OR wait_until > $1 OR since > $2"
        ))
        .bind(now)
        .bind(since);
        self.all(statement, read).await
    }

    /// The row of a connection, made if there is none.
    async fn ensure_circuit(&mut self, connection: &str, tenant: &str) -> Result<(), StoreError> {
        let statement =
            sql("INSERT INTO circuits (connection, tenant, state, since, why, next_probe_at, opened, passed,
                 probe_owner, probe_until, hand, hand_by, hand_at, wait_until, wait_why)
             VALUES ($1, $2, 'closed', 0, '', 0, 0, 0, '', 0, '', '', 0, 0, '') ON CONFLICT (connection) DO NOTHING")
            .bind(connection.to_owned())
            .bind(tenant.to_owned());
        self.run(statement).await.map(drop)
    }

    /// Opens a closed circuit until `next_probe_at`; `false` when it is not closed, or a person has decided.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_circuit(
        &mut self,
        connection: &str,
        tenant: &str,
        now: i64,
        next_probe_at: i64,
        why: String,
    ) -> Result<bool, StoreError> {
        self.ensure_circuit(connection, tenant).await?;
        let statement = sql("UPDATE circuits SET state = 'open', since = $2, next_probe_at = $3, why = $4, opened = 1,
                 passed = 0, probe_owner = '', probe_until = 0
             WHERE connection = $1 AND state = 'closed' AND hand = ''")
        .bind(connection.to_owned())
        .bind(now)
        .bind(next_probe_at)
        .bind(why);
        Ok(self.run(statement).await? == 1)
    }

    /// Takes the right to make the one call that an open circuit lets through when its time has come; it lasts until
    /// `until`. `false` when another worker has it, or there is nothing to find out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn begin_probe(
        &mut self,
        connection: &str,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE circuits SET since = CASE WHEN state = 'open' THEN $3 ELSE since END,
                 state = 'half_open', probe_owner = $2, probe_until = $4
             WHERE connection = $1 AND hand = '' AND wait_until <= $3
                 AND ((state = 'open' AND next_probe_at <= $3) OR (state = 'half_open' AND probe_until <= $3))")
        .bind(connection.to_owned())
        .bind(owner.to_owned())
        .bind(now)
        .bind(until);
        Ok(self.run(statement).await? == 1)
    }

    /// Gives the right to probe back: nothing was found out.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop_probe(&mut self, connection: &str, owner: &str) -> Result<(), StoreError> {
        let statement = sql("UPDATE circuits SET probe_owner = '', probe_until = 0
             WHERE connection = $1 AND probe_owner = $2 AND state = 'half_open'")
        .bind(connection.to_owned())
        .bind(owner.to_owned());
        self.run(statement).await.map(drop)
    }

    /// A probe went well; after `needed` in a row the circuit closes, and `true` says that it has.
    ///
    /// # Errors
    /// The store fails.
    pub async fn pass_probe(
        &mut self,
        connection: &str,
        owner: &str,
        now: i64,
        needed: i64,
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE circuits SET passed = passed + 1, probe_owner = '', probe_until = 0
             WHERE connection = $1 AND probe_owner = $2 AND state = 'half_open' RETURNING passed")
        .bind(connection.to_owned())
        .bind(owner.to_owned());
        let passed = self.one(statement, |row| row.try_get::<i64, _>("passed")).await?;
        if passed.is_none_or(|passed| passed < needed) {
            return Ok(false);
        }
        let statement = sql("UPDATE circuits SET state = 'closed', since = $2, why = '', opened = 0, passed = 0
             WHERE connection = $1")
        .bind(connection.to_owned())
        .bind(now);
        Ok(self.run(statement).await? == 1)
    }

    /// A probe went wrong: the circuit is open again until `next_probe_at`. `false` when the right to probe was lost.
    ///
    /// # Errors
    /// The store fails.
    pub async fn fail_probe(
        &mut self,
        connection: &str,
        owner: &str,
        now: i64,
        next_probe_at: i64,
        why: String,
    ) -> Result<bool, StoreError> {
        let statement = sql("UPDATE circuits SET state = 'open', since = $3, next_probe_at = $4, why = $5,
                 opened = opened + 1, passed = 0, probe_owner = '', probe_until = 0
             WHERE connection = $1 AND probe_owner = $2 AND state = 'half_open'")
        .bind(connection.to_owned())
        .bind(owner.to_owned())
        .bind(now)
        .bind(next_probe_at)
        .bind(why);
        Ok(self.run(statement).await? == 1)
    }

    /// The receiver asked to wait: no call of the connection is made before `until`, if none asked for longer.
    ///
    /// # Errors
    /// The store fails.
    pub async fn wait_connection(
        &mut self,
        connection: &str,
        tenant: &str,
        until: i64,
        why: String,
    ) -> Result<(), StoreError> {
        self.ensure_circuit(connection, tenant).await?;
        let statement =
            sql("UPDATE circuits SET wait_until = $2, wait_why = $3 WHERE connection = $1 AND wait_until < $2")
                .bind(connection.to_owned())
                .bind(until)
                .bind(why);
        self.run(statement).await.map(drop)
    }

    /// A person decides: open, closed, or (`None`) as it comes. What was found out before is forgotten, and so is a
    /// wait, except that a circuit which is opened keeps it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn decide_circuit(
        &mut self,
        connection: &str,
        tenant: &str,
        open: Option<bool>,
        by: String,
        now: i64,
    ) -> Result<(), StoreError> {
        self.ensure_circuit(connection, tenant).await?;
        let hand = match open {
            Some(true) => "open",
            Some(false) => "closed",
            None => "",
        };
        let statement = sql("UPDATE circuits SET hand = $2, hand_by = $3, hand_at = $4, state = 'closed', since = $4,
                 why = '', opened = 0, passed = 0, probe_owner = '', probe_until = 0,
                 wait_until = CASE WHEN $2 = 'open' THEN wait_until ELSE 0 END
             WHERE connection = $1")
        .bind(connection.to_owned())
        .bind(hand.to_owned())
        .bind(by)
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Keeps what a worker has counted so far in these slots.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_counts(&mut self, node: &str, counts: Vec<Counts>) -> Result<(), StoreError> {
        for count in counts {
            let statement = sql("INSERT INTO call_counts (connection, slot, node, calls, failed, slow, tries, retries)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (connection, slot, node) DO UPDATE SET calls = excluded.calls, failed = excluded.failed,
                     slow = excluded.slow, tries = excluded.tries, retries = excluded.retries")
            .bind(count.connection)
            .bind(count.slot)
            .bind(node.to_owned())
            .bind(count.calls)
            .bind(count.failed)
            .bind(count.slow)
            .bind(count.tries)
            .bind(count.retries);
            self.run(statement).await?;
        }
        Ok(())
    }

    /// What all workers but `node` have counted since a slot.
    ///
    /// # Errors
    /// The store fails.
    pub async fn counts(&mut self, since: i64, node: &str) -> Result<Vec<Counts>, StoreError> {
        let sums = ["calls", "failed", "slow", "tries", "retries"]
            .map(|name| format!("CAST(SUM({name}) AS BIGINT) AS {name}"))
            .join(", ");
        let statement = crate::tx::built(format!(
            "SELECT connection, slot, {sums} FROM call_counts WHERE slot >= $1 AND node <> $2
             GROUP BY connection, slot"
        ))
        .bind(since)
        .bind(node.to_owned());
        self.all(statement, |row| {
            Ok(Counts {
                connection: row.try_get("connection")?,
                slot: row.try_get("slot")?,
                calls: row.try_get("calls")?,
                failed: row.try_get("failed")?,
                slow: row.try_get("slow")?,
                tries: row.try_get("tries")?,
                retries: row.try_get("retries")?,
            })
        })
        .await
    }

    /// Forgets what was counted before a slot.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_counts(&mut self, before: i64) -> Result<u64, StoreError> {
        self.run(sql("DELETE FROM call_counts WHERE slot < $1").bind(before)).await
    }
}
