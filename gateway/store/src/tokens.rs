//! Vendors' access tokens, shared by all nodes.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::tx::{Tx, sql};

/// A token that was kept.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The sealed token.
    pub sealed: Sealed,
    /// Until when it may be used, µs.
    pub expires_at: i64,
}

impl Tx {
    /// The token called `name`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn token(&mut self, tenant: &str, name: &str) -> Result<Option<StoredToken>, StoreError> {
        let statement = sql("SELECT sealed, expires_at FROM tokens WHERE tenant = $1 AND name = $2")
            .bind(tenant.to_owned())
            .bind(name.to_owned());
        self.one(statement, |row| {
            Ok(StoredToken { sealed: Sealed(row.try_get("sealed")?), expires_at: row.try_get("expires_at")? })
        })
        .await
    }

    /// Keeps the token called `name`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_token(&mut self, tenant: &str, name: &str, token: StoredToken) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO tokens (tenant, name, sealed, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at")
        .bind(tenant.to_owned())
        .bind(name.to_owned())
        .bind(token.sealed.0)
        .bind(token.expires_at);
        self.run(statement).await.map(drop)
    }
}
