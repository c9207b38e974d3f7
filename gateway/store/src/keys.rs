//! API keys: only a hash is kept.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};

/// A key to keep.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The public part, by which it is found.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Tenant.
    pub tenant: String,
    /// SHA-256 of the secret part, hex. The secret has 160 random bits, so a slow hash would add nothing.
    pub hash: String,
    /// Scopes, separated by spaces.
    pub scopes: String,
    /// Since when, µs.
    pub created_at: i64,
}

/// A key that was kept.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key.
    pub new: NewApiKey,
    /// Since when it is void, µs.
    pub revoked_at: Option<i64>,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "id, name, tenant, hash, scopes, created_at, revoked_at";

fn read(row: &Row<'_>) -> Result<ApiKey, ColumnError> {
    Ok(ApiKey {
        new: NewApiKey {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            tenant: row.try_get("tenant")?,
            hash: row.try_get("hash")?,
            scopes: row.try_get("scopes")?,
            created_at: row.try_get("created_at")?,
        },
        revoked_at: row.try_get("revoked_at")?,
    })
}

impl Tx {
    /// Keeps a key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_key(&mut self, key: NewApiKey) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO api_keys (id, name, tenant, hash, scopes, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(key.id)
        .bind(key.name)
        .bind(key.tenant)
        .bind(key.hash)
        .bind(key.scopes)
        .bind(key.created_at);
        self.run(statement).await.map(drop)
    }

    /// A key by its public part.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key(&mut self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.one(built(format!("SELECT {FIELDS} FROM api_keys WHERE id = $1")).bind(id.to_owned()), read).await
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keys(&mut self) -> Result<Vec<ApiKey>, StoreError> {
        self.all(built(format!("SELECT {FIELDS} FROM api_keys ORDER BY created_at, id")), read).await
    }

    /// Makes a key void; `false` when there is no such key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn revoke_key(&mut self, id: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id.to_owned())
            .bind(now);
        Ok(self.run(statement).await? == 1)
    }
}
