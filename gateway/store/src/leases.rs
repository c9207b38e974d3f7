//! Leases: who may do what only one process may do.

use crate::error::StoreError;
use crate::tx::{Tx, sql};
use sqlx::Row;

impl Tx {
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
