//! API keys: only a hash is kept. What a key may do stands with its app.

use crate::apps::{self, App};
use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};

/// A key to keep.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The public part, by which it is found.
    pub id: String,
    /// The app that it is of.
    pub app: App,
    /// SHA-256 of the secret part, hex. The secret has 160 random bits, so a slow hash would add nothing.
    pub hash: String,
    /// Since when, µs.
    pub created_at: i64,
    /// Until when, µs.
    pub expires_at: Option<i64>,
}

/// A key that was kept.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The key, and its app as it is now.
    pub new: NewApiKey,
    /// Since when it is void, µs.
    pub revoked_at: Option<i64>,
    /// When it was last seen, µs; to about a minute.
    pub last_used_at: Option<i64>,
}

impl ApiKey {
    /// Whether it proves anything at this time, µs.
    #[must_use]
    pub fn is_valid(&self, now: i64) -> bool {
        let ended = self.new.expires_at.is_some_and(|end| end <= now);
        self.revoked_at.is_none() && self.new.app.revoked_at.is_none() && !ended
    }
}

/// Keys and their apps. A key that an older program has just made is an app of its own.
const KEYS: &str = "SELECT k.id AS key, k.hash, k.created_at AS made_at, k.expires_at, k.last_used_at,
        k.revoked_at AS void_at, COALESCE(a.id, k.id) AS id, COALESCE(a.tenant, k.tenant) AS tenant,
        COALESCE(a.name, k.name) AS name, COALESCE(a.grants, k.scopes) AS grants, COALESCE(a.units, '') AS units,
        COALESCE(a.below, 1) AS below, COALESCE(a.revision, 1) AS revision,
        COALESCE(a.created_at, k.created_at) AS created_at, a.revoked_at AS revoked_at
    FROM api_keys k LEFT JOIN apps a ON a.id = COALESCE(k.app, k.id)";

fn read(row: &Row<'_>) -> Result<ApiKey, ColumnError> {
    Ok(ApiKey {
        new: NewApiKey {
            id: row.try_get("key")?,
            app: apps::read(row)?,
            hash: row.try_get("hash")?,
            created_at: row.try_get("made_at")?,
            expires_at: row.try_get("expires_at")?,
        },
        revoked_at: row.try_get("void_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}

impl Tx {
    /// Keeps a key of an app that is kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_key(&mut self, key: NewApiKey) -> Result<(), StoreError> {
        // A program from before there were apps knows neither limits nor finer scopes: it must not let such a key in.
        let scopes = if key.app.units.is_empty() { key.app.grants } else { String::new() };
        let statement = sql("INSERT INTO api_keys (id, name, tenant, hash, scopes, created_at, app, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(key.id)
        .bind(key.app.name)
        .bind(key.app.tenant)
        .bind(key.hash)
        .bind(scopes)
        .bind(key.created_at)
        .bind(key.app.id)
        .bind(key.expires_at);
        self.run(statement).await.map(drop)
    }

    /// A key by its public part.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key(&mut self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.one(built(format!("{KEYS} WHERE k.id = $1")).bind(id.to_owned()), read).await
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keys(&mut self) -> Result<Vec<ApiKey>, StoreError> {
        self.all(built(format!("{KEYS} ORDER BY k.created_at, k.id")), read).await
    }

    /// The keys of an app, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keys_of(&mut self, app: &str) -> Result<Vec<ApiKey>, StoreError> {
        let statement = built(format!("{KEYS} WHERE k.app = $1 ORDER BY k.created_at, k.id"));
        self.all(statement.bind(app.to_owned()), read).await
    }

    /// Makes a key void, and what was issued to its app; `false` when there is no such key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn revoke_key(&mut self, id: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL
             RETURNING COALESCE(app, id) AS app")
        .bind(id.to_owned())
        .bind(now);
        let Some(app) = self.one(statement, |row| row.try_get::<String, _>("app")).await? else { return Ok(false) };
        self.raise_revision(&app).await?;
        if app == id {
            // A key that was made by itself takes its app along.
            let others = self.keys_of(&app).await?;
            if others.iter().all(|key| !key.is_valid(now)) {
                self.revoke_app(&app, now).await?;
            }
        }
        Ok(true)
    }

    /// Lets the keys of an app end at `at` that would last longer, but for one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_keys(&mut self, app: &str, but: &str, at: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE api_keys SET expires_at = $3
             WHERE app = $1 AND id <> $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)")
        .bind(app.to_owned())
        .bind(but.to_owned())
        .bind(at);
        self.run(statement).await.map(drop)
    }

    /// Notes that a key was seen.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key_seen(&mut self, id: &str, at: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE api_keys SET last_used_at = $2
             WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)")
        .bind(id.to_owned())
        .bind(at);
        self.run(statement).await.map(drop)
    }
}
