//! How much of a vendor's rates is used up, over all processes. Whoever claims calls locks the rows of their rates until
//! the claim is committed, so that no two count the same room.

use crate::error::StoreError;
use crate::tx::{Tx, built, list_of, sql};
use std::collections::BTreeMap;

pub(crate) const TABLES: &str = "
-- Rates of vendors: `full_until` is when all calls that were claimed are paid for.
CREATE TABLE rates (
    connection TEXT NOT NULL, name TEXT NOT NULL, full_until BIGINT NOT NULL, PRIMARY KEY (connection, name));
";

impl Tx {
    /// Until when rates of a connection are used up, by name; 0 for one that was never used. Nobody else counts with
    /// them until this transaction ends.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lock_rates(
        &mut self,
        connection: &str,
        names: Vec<String>,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut found = BTreeMap::new();
        for name in names {
            let statement = sql("INSERT INTO rates (connection, name, full_until) VALUES ($1, $2, 0)
                 ON CONFLICT (connection, name) DO UPDATE SET full_until = rates.full_until RETURNING full_until")
            .bind(connection.to_owned())
            .bind(name.clone());
            let until = self.one(statement, |row| row.try_get::<i64, _>("full_until")).await?;
            found.insert(name, until.unwrap_or(0));
        }
        Ok(found)
    }

    /// Says until when a rate is used up.
    ///
    /// # Errors
    /// The store fails.
    pub async fn use_rate(&mut self, connection: &str, name: &str, full_until: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE rates SET full_until = $3 WHERE connection = $1 AND name = $2")
            .bind(connection.to_owned())
            .bind(name.to_owned())
            .bind(full_until);
        self.run(statement).await.map(drop)
    }

    /// Gives calls back that were claimed in this transaction, as if they had not been, until `available_at`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unclaim_calls(&mut self, seqs: Vec<i64>, available_at: i64) -> Result<(), StoreError> {
        for seqs in seqs.chunks(100) {
            let statement = built(format!(
                "UPDATE calls SET state = 'ready', owner = '', tries = tries - 1, available_at = $1 WHERE seq IN ({})",
                list_of(2, seqs.len())
            ));
            let statement = seqs.iter().fold(statement.bind(available_at), |statement, seq| statement.bind(*seq));
            self.run(statement).await?;
        }
        Ok(())
    }
}
