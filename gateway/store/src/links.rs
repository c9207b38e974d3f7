//! Links that open something once: whoever opens one first is who it was made for.

use crate::error::StoreError;
use crate::tx::{Tx, sql};

/// The tables of this topic.
pub(crate) const TABLES: &str = "
-- The token is known to whoever has the link; kept is its hash.
CREATE TABLE portal_links (
    token_hash TEXT PRIMARY KEY, tenant TEXT NOT NULL, subject TEXT NOT NULL, made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, opened_at BIGINT);
CREATE INDEX portal_links_expiry ON portal_links (expires_at);
";

/// A link that opens something once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalLink {
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// Tenant.
    pub tenant: String,
    /// What it opens, `entity/id`.
    pub subject: String,
    /// Who made it.
    pub made_by: String,
    /// When, µs.
    pub made_at: i64,
    /// Until when it opens, µs.
    pub expires_at: i64,
    /// When it was opened, µs.
    pub opened_at: Option<i64>,
}

impl Tx {
    /// Keeps a link, and forgets those that ran out before `forget`, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_link(&mut self, link: PortalLink, forget: i64) -> Result<(), StoreError> {
        self.run(sql("DELETE FROM portal_links WHERE expires_at < $1").bind(forget)).await?;
        let statement = sql("INSERT INTO portal_links
                 (token_hash, tenant, subject, made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(link.token_hash)
        .bind(link.tenant)
        .bind(link.subject)
        .bind(link.made_by)
        .bind(link.made_at)
        .bind(link.expires_at);
        self.run(statement).await.map(drop)
    }

    /// A link that can be opened at `now`, µs, by the hash of its token.
    ///
    /// # Errors
    /// The store fails.
    pub async fn link(&mut self, token_hash: &str, now: i64) -> Result<Option<PortalLink>, StoreError> {
        let statement = sql("SELECT token_hash, tenant, subject, made_by, made_at, expires_at, opened_at
             FROM portal_links WHERE token_hash = $1 AND expires_at > $2 AND opened_at IS NULL")
        .bind(token_hash.to_owned())
        .bind(now);
        self.one(statement, |row| {
            Ok(PortalLink {
                token_hash: row.try_get("token_hash")?,
                tenant: row.try_get("tenant")?,
                subject: row.try_get("subject")?,
                made_by: row.try_get("made_by")?,
                made_at: row.try_get("made_at")?,
                expires_at: row.try_get("expires_at")?,
                opened_at: row.try_get("opened_at")?,
            })
        })
        .await
    }

    /// Opens a link: of all that try, one is told `true`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_link(&mut self, token_hash: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("UPDATE portal_links SET opened_at = $2
             WHERE token_hash = $1 AND opened_at IS NULL AND expires_at > $2 RETURNING subject")
        .bind(token_hash.to_owned())
        .bind(now);
        Ok(self.one(statement, |row| row.try_get::<String, _>("subject")).await?.is_some())
    }
}
