//! Messages of the bus that were delivered again: perhaps because reading one of them ended the process. The mark is
//! written before the attempt and goes in the transaction that keeps the message.

use crate::error::StoreError;
use crate::tx::{Tx, built, list_of, portions, rows_of, sql};
use std::collections::BTreeMap;

/// What came with schema version 2.
pub(crate) const TABLES: &str = "
CREATE TABLE doubts (message TEXT PRIMARY KEY, alone BIGINT NOT NULL, at BIGINT NOT NULL);
";

impl Tx {
    /// Which of these messages were attempted before without an end, and how often alone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn doubts(&mut self, messages: Vec<String>) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut found = BTreeMap::new();
        for part in portions(messages) {
            let text = format!("SELECT message, alone FROM doubts WHERE message IN ({})", list_of(1, part.len()));
            let mut statement = built(text);
            for message in part {
                statement = statement.bind(message);
            }
            found.extend(self.all(statement, |row| Ok((row.try_get("message")?, row.try_get("alone")?))).await?);
        }
        Ok(found)
    }

    /// Notes that messages are about to be attempted, `alone` or together.
    ///
    /// # Errors
    /// The store fails.
    pub async fn doubt(&mut self, messages: Vec<String>, alone: bool, at: i64) -> Result<(), StoreError> {
        for part in portions(messages) {
            let mut statement = built(format!(
                "INSERT INTO doubts (message, alone, at) VALUES {}
                 ON CONFLICT (message) DO UPDATE SET alone = doubts.alone + excluded.alone, at = excluded.at",
                rows_of(3, part.len())
            ));
            for message in part {
                statement = statement.bind(message).bind(i64::from(alone)).bind(at);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Forgets messages that were kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn clear_doubts(&mut self, messages: Vec<String>) -> Result<(), StoreError> {
        for part in portions(messages) {
            let mut statement = built(format!("DELETE FROM doubts WHERE message IN ({})", list_of(1, part.len())));
            for message in part {
                statement = statement.bind(message);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Forgets at most `limit` marks from before `before`: their messages did not come again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_doubts(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement = sql("DELETE FROM doubts WHERE message IN (
                 SELECT message FROM doubts WHERE at < $1 LIMIT $2)")
        .bind(before)
        .bind(limit);
        self.run(statement).await
    }
}
