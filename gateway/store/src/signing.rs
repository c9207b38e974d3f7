//! Keys that tokens are signed with, shared by all nodes.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::tx::{Tx, sql};

/// A key that tokens are signed with.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// The name that tokens call it by.
    pub id: String,
    /// The sealed private key.
    pub sealed: Sealed,
    /// The public key, as a JSON Web Key.
    pub public: String,
    /// Since when, µs.
    pub created_at: i64,
}

impl Tx {
    /// All signing keys, the newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKey>, StoreError> {
        let statement =
            sql("SELECT id, sealed, public, created_at FROM signing_keys ORDER BY created_at DESC, id DESC");
        self.all(statement, |row| {
            Ok(SigningKey {
                id: row.try_get("id")?,
                sealed: Sealed(row.try_get("sealed")?),
                public: row.try_get("public")?,
                created_at: row.try_get("created_at")?,
            })
        })
        .await
    }

    /// Keeps a new signing key, unless there is one since `since`, µs; forgets those made before `until`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_signing_key(&mut self, key: SigningKey, since: i64, until: i64) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO signing_keys (id, sealed, public, created_at)
             SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE created_at > $5)")
        .bind(key.id)
        .bind(key.sealed.0)
        .bind(key.public)
        .bind(key.created_at)
        .bind(since);
        self.run(statement).await?;
        let old = sql("DELETE FROM signing_keys WHERE created_at < $1").bind(until);
        self.run(old).await.map(drop)
    }
}
