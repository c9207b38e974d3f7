//! Bodies that are too large for the broker, from when they were received until they are payloads. A blob has the id of
//! its message, which refers to it.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::tx::{Tx, built, list_of, portions, sql};
use std::collections::{BTreeMap, BTreeSet};

/// What came with schema version 2.
pub(crate) const TABLES: &str = "
-- An empty body is the mark of one that was taken and repeated a payload: its message may be delivered again.
CREATE TABLE blobs (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, at BIGINT NOT NULL, body {blob} NOT NULL);
";

/// What the store has of bodies that messages refer to. An id in neither is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blobs {
    /// The bodies that wait.
    pub waiting: BTreeMap<String, Sealed>,
    /// Those that were taken before.
    pub taken: BTreeSet<String>,
}

impl Tx {
    /// Keeps the sealed body of a message, received `at`, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_blob(&mut self, id: String, tenant: String, at: i64, body: Sealed) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO blobs (id, tenant, at, body) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(tenant)
            .bind(at)
            .bind(body.0);
        self.run(statement).await.map(drop)
    }

    /// The bodies of messages, and which of them were taken before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn blobs(&mut self, ids: Vec<String>) -> Result<Blobs, StoreError> {
        let mut found = Blobs::default();
        for part in portions(ids) {
            let list = list_of(1, part.len());
            let mut statement = built(format!("SELECT id, body FROM blobs WHERE id IN ({list})"));
            for id in &part {
                statement = statement.bind(id.clone());
            }
            let rows = self.all(statement, |row| Ok((row.try_get("id")?, row.try_get("body")?))).await?;
            for (id, body) in rows {
                let body: Vec<u8> = body;
                if body.is_empty() {
                    found.taken.insert(id);
                } else {
                    found.waiting.insert(id, Sealed(body));
                }
            }
            // Behind the bodies: one that goes meanwhile has its payload when this looks.
            let mut statement = built(format!("SELECT id FROM raws WHERE id IN ({list})"));
            for id in part {
                statement = statement.bind(id);
            }
            let kept = self.all(statement, |row| row.try_get::<String, _>("id")).await?;
            found.taken.extend(kept.into_iter().filter(|id| !found.waiting.contains_key(id)));
        }
        Ok(found)
    }

    /// Removes bodies whose payloads were kept, in the same transaction. Of the others, which repeat a payload, a mark
    /// stays.
    ///
    /// # Errors
    /// The store fails.
    pub async fn take_blobs(&mut self, kept: Vec<String>, repeated: Vec<String>) -> Result<(), StoreError> {
        for part in portions(kept) {
            let mut statement = built(format!("DELETE FROM blobs WHERE id IN ({})", list_of(1, part.len())));
            for id in part {
                statement = statement.bind(id);
            }
            self.run(statement).await?;
        }
        for part in portions(repeated) {
            let list = list_of(2, part.len());
            let mut statement =
                built(format!("UPDATE blobs SET body = $1 WHERE id IN ({list})")).bind(Vec::<u8>::new());
            for id in part {
                statement = statement.bind(id);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Forgets at most `limit` bodies and marks from before `before`: no message that refers to them came.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_blobs(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement =
            sql("DELETE FROM blobs WHERE id IN (SELECT id FROM blobs WHERE at < $1 LIMIT $2)").bind(before).bind(limit);
        self.run(statement).await
    }
}
