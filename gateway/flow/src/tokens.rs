//! Vendors' tokens, kept sealed in the store.

use async_trait::async_trait;
use hub_kit::{TokenStore, Tokens};
use hub_store::{Store, StoredToken, job};
use hub_tree::{Clock, Private};
use sha2::{Digest, Sha256};
use std::sync::Arc;

pub(crate) struct KeptTokens {
    pub(crate) store: Store,
    pub(crate) node: String,
}

/// The vendors' tokens as all processes of a hub share them, for a process called `node`.
#[must_use]
pub fn kept_tokens(store: &Store, node: &str, clock: &Clock) -> Tokens {
    Tokens::new(Arc::new(KeptTokens { store: store.clone(), node: node.to_owned() }), clock.clone())
}

/// How long one node may take to fetch a token, µs.
const FETCHING: i64 = 15_000_000;

#[async_trait]
impl TokenStore for KeptTokens {
    fn name(&self, tenant: &str, words: &[u8]) -> String {
        let hash = hex::encode(Sha256::digest(words));
        // Without a key nothing can be kept either: the name is this process's own.
        self.store.keyring().match_key(tenant, "token", &hash).unwrap_or_else(|_| format!("{}:{hash}", self.node))
    }

    async fn get(&self, tenant: &str, name: &str) -> Option<(Private<String>, i64)> {
        let (owner, key) = (tenant.to_owned(), name.to_owned());
        let kept = self.store.read(job!(|tx| { tx.token(&owner, &key).await })).await.ok()??;
        let opened = self.store.keyring().open(tenant, &format!("token:{name}"), &kept.sealed.0).ok()?;
        Some((Private::new(String::from_utf8(opened).ok()?), kept.expires_at))
    }

    async fn put(&self, tenant: &str, name: &str, token: &Private<String>, expires_at: i64) {
        let sealed = self.store.keyring().seal(tenant, &format!("token:{name}"), token.expose().as_bytes());
        let Ok(sealed) = sealed else { return };
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        let kept = StoredToken { sealed, expires_at };
        // A token that could not be kept is used by this node alone.
        if let Err(error) = self.store.write(job!(|tx| { tx.put_token(&tenant, &name, kept).await })).await {
            tracing::warn!(error = %error, "an access token could not be kept");
        }
    }

    async fn lock(&self, name: &str) -> bool {
        let (name, node, now) = (name.to_owned(), self.node.clone(), self.store.now());
        let taken = self.store.write(job!(|tx| { tx.lease(&name, &node, now, now + FETCHING).await }));
        taken.await.unwrap_or(true)
    }

    async fn unlock(&self, name: &str) {
        let (name, node, now) = (name.to_owned(), self.node.clone(), self.store.now());
        // Whoever finds the store failing lets the right run out.
        if let Err(error) = self.store.write(job!(|tx| { tx.lease(&name, &node, now, 0).await })).await {
            tracing::warn!(error = %error, "the right to fetch an access token could not be given back");
        }
    }
}
