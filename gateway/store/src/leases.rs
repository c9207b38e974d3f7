//! Leases: who may do what only one process may do.

use crate::error::StoreError;
use crate::tx::{Tx, sql};

/// How long a mark is kept for who waits for it.
const MARK_MICROS: i64 = 3_600_000_000;

impl Tx {
    /// Notes marks that were read from a queue; old ones are forgotten.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_marks(&mut self, names: Vec<String>, now: i64) -> Result<(), StoreError> {
        self.run(sql("DELETE FROM leases WHERE name LIKE 'mark/%' AND until < $1").bind(now)).await?;
        for name in names {
            self.lease(&name, "mark", now, now + MARK_MICROS).await?;
        }
        Ok(())
    }

    /// Uses up something that may be used once until `until`; `false` when it was used before. Old ones are forgotten.
    ///
    /// # Errors
    /// The store fails.
    pub async fn use_once(&mut self, name: &str, now: i64, until: i64) -> Result<bool, StoreError> {
        self.run(sql("DELETE FROM leases WHERE name LIKE 'once/%' AND until < $1").bind(now)).await?;
        let statement = sql("INSERT INTO leases (name, owner, until) VALUES ($1, 'once', $2)
             ON CONFLICT (name) DO NOTHING RETURNING owner")
        .bind(format!("once/{name}"))
        .bind(until);
        Ok(self.one(statement, |row| row.try_get::<String, _>("owner")).await?.is_some())
    }

    /// Waits until nobody else is in a transaction that asked for the same turn, and keeps others waiting until this one
    /// ends. Whoever decides by what is stored asks first, so that two cannot decide by the same old state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_turn(&mut self, name: &str) -> Result<(), StoreError> {
        // Writing the row locks it; on SQLite there is one writer anyway.
        let statement = sql("INSERT INTO leases (name, owner, until) VALUES ($1, 'turn', 0)
             ON CONFLICT (name) DO UPDATE SET until = leases.until")
        .bind(format!("turn/{name}"));
        self.run(statement).await.map(drop)
    }

    /// Takes or keeps the lease called `name`; `false` while another owner holds it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lease(&mut self, name: &str, owner: &str, now: i64, until: i64) -> Result<bool, StoreError> {
        let statement = sql("INSERT INTO leases (name, owner, until) VALUES ($1, $2, $4)
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
                 WHERE leases.owner = excluded.owner OR leases.until < $3
             RETURNING owner")
        .bind(name.to_owned())
        .bind(owner.to_owned())
        .bind(now)
        .bind(until);
        Ok(self.one(statement, |row| row.try_get::<String, _>("owner")).await?.is_some())
    }
}
