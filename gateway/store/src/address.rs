//! Where the hub is reached, as an edge knows it and a worker must tell vendors.

use crate::error::StoreError;
use crate::tx::{Tx, sql};

impl Tx {
    /// Notes where vendors reach the edges.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_public_url(&mut self, url: &str) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO meta (name, value) VALUES ('public_url', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value")
        .bind(url.to_owned());
        self.run(statement).await.map(drop)
    }

    /// Where vendors reach the edges, once one has said so.
    ///
    /// # Errors
    /// The store fails.
    pub async fn public_url(&mut self) -> Result<Option<String>, StoreError> {
        self.one(sql("SELECT value FROM meta WHERE name = 'public_url'"), |row| row.try_get("value")).await
    }
}
