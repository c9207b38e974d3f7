//! API keys: made, shown once, and recognised.

use crate::access::oauth::Guesses;
use crate::access::{Denied, Grants, Principal, Units};
use crate::people::People;
use hub_store::{ApiKey, App, NewApiKey, Store, job};
use hub_tree::{Private, random};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;

/// A new key: what to keep, and what to show once.
pub struct MadeKey {
    /// What the store keeps.
    pub row: NewApiKey,
    /// The key itself.
    pub shown: Private<String>,
}

const PREFIX: &str = "hrk_";
const ID: usize = 10;
const SECRET: usize = 32;
/// How often it is noted that a key is in use, µs.
const SEEN_EVERY: i64 = 60_000_000;

/// Makes a key of an app: `hrk_<id>_<secret>`, 50 random bits to find it by and 160 to prove it with.
#[must_use]
pub fn make_key(app: App, now: i64, expires_at: Option<i64>) -> MadeKey {
    let (id, secret) = (random::token(ID), random::token(SECRET));
    let hash = hex::encode(Sha256::digest(secret.as_bytes()));
    let shown = Private::new(format!("{PREFIX}{id}_{secret}"));
    MadeKey { row: NewApiKey { id, app, hash, created_at: now, expires_at }, shown }
}

/// Makes a key that is an app of its own: both have the same id.
#[must_use]
pub fn make_lone_key(name: &str, tenant: &str, grants: &Grants, now: i64) -> MadeKey {
    let app = App {
        id: String::new(),
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        grants: grants.words().join(" "),
        units: Vec::new(),
        below: true,
        revision: 1,
        created_at: now,
        revoked_at: None,
    };
    let mut made = make_key(app, now, None);
    made.row.app.id.clone_from(&made.row.id);
    made
}

/// Who may call.
pub struct ApiKeys {
    pub(crate) store: Store,
    admin: Option<Private<[u8; 32]>>,
    /// Who may sign in without a key.
    pub people: People,
    /// When it was last noted that a key is in use, µs, by the key's id.
    seen: Arc<Mutex<BTreeMap<String, i64>>>,
    pub(crate) guesses: Guesses,
}

impl Principal {
    /// An app that has proved itself; `proof` is what it did so with, by a name that is no secret.
    pub(crate) fn of_app(app: App, proof: String, until: Option<i64>) -> Self {
        let grants = Arc::new(Grants::parse(&app.grants).unwrap_or_default());
        let units = (!app.units.is_empty()).then(|| Arc::new(Units { departments: app.units, below: app.below }));
        Self { name: app.name, tenant: app.tenant, handle: app.id, proof, until, grants, units, everywhere: false }
    }
}

impl ApiKeys {
    /// Keys of the store, and one that the environment may give: `HRHUB_ADMIN_KEY`.
    #[must_use]
    pub fn new(store: Store, admin_key: Option<&str>) -> Self {
        let admin = admin_key.map(|key| Private::new(Sha256::digest(key.as_bytes()).into()));
        Self { store, admin, people: People::default(), seen: Arc::default(), guesses: Guesses::default() }
    }

    /// The same, and people who may sign in with an account elsewhere.
    #[must_use]
    pub fn with_people(self, people: People) -> Self {
        Self { people, ..self }
    }

    /// Who shows this key or token.
    ///
    /// # Errors
    /// The key is not valid, or the store cannot be asked.
    pub async fn identify(&self, key: &str) -> Result<Principal, Denied> {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if let Some(admin) = &self.admin
            && bool::from(admin.expose().ct_eq(&digest))
        {
            return Ok(Principal::admin(admin.expose()));
        }
        if key.split('.').count() == 3 {
            return self.of_token(key).await;
        }
        let kept = self.key_of(key).await?;
        Ok(Principal::of_app(kept.new.app, kept.new.id, kept.new.expires_at))
    }

    /// The key that somebody shows, and its app.
    pub(crate) async fn key_of(&self, key: &str) -> Result<ApiKey, Denied> {
        let (id, secret) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Denied::Unknown)?;
        if id.len() != ID {
            return Err(Denied::Unknown);
        }
        let kept = self.valid(id).await?;
        let given = hex::encode(Sha256::digest(secret.as_bytes()));
        if !bool::from(given.as_bytes().ct_eq(kept.new.hash.as_bytes())) {
            return Err(Denied::Unknown);
        }
        self.note_use(&kept);
        Ok(kept)
    }

    /// Who proved who they are a while ago, by [`Principal::proof`]; a key that was revoked or changed meanwhile is
    /// void.
    ///
    /// # Errors
    /// The key is not valid any more, or the store cannot be asked.
    pub async fn resume(&self, proof: &str) -> Result<Principal, Denied> {
        if let Some(admin) = &self.admin {
            let who = Principal::admin(admin.expose());
            if who.proof == proof {
                return Ok(who);
            }
        }
        if proof.starts_with(crate::people::HANDLE) {
            return self.people.resume(proof).ok_or(Denied::Unknown);
        }
        let kept = self.valid(proof).await?;
        Ok(Principal::of_app(kept.new.app, kept.new.id, kept.new.expires_at))
    }

    /// What somebody may do now, by [`Principal::handle`]: whoever owns what the hub does in their absence.
    ///
    /// # Errors
    /// They are void, or the store cannot be asked.
    pub async fn owner(&self, handle: &str) -> Result<Principal, Denied> {
        if handle.contains(':') {
            return self.resume(handle).await;
        }
        let id = handle.to_owned();
        let app = self.store.read(job!(|tx| { tx.app(&id).await })).await?;
        match app {
            Some(app) if app.revoked_at.is_none() => Ok(Principal::of_app(app, String::new(), None)),
            Some(_) => Err(Denied::Unknown),
            // A key that an older program has just made.
            None => self.resume(handle).await,
        }
    }

    async fn valid(&self, id: &str) -> Result<ApiKey, Denied> {
        let id = id.to_owned();
        let kept = self.store.read(job!(|tx| { tx.key(&id).await })).await?;
        kept.filter(|kept| kept.is_valid(self.store.now())).ok_or(Denied::Unknown)
    }

    /// Notes that a key is in use, at most once a minute, without holding the request up.
    fn note_use(&self, key: &ApiKey) {
        let (now, id) = (self.store.now(), key.new.id.clone());
        let due = |last: Option<i64>| last.is_none_or(|last| last + SEEN_EVERY <= now);
        if !due(key.last_used_at) {
            return;
        }
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !due(seen.get(&id).copied()) {
                return;
            }
            seen.retain(|_, last| *last + SEEN_EVERY > now);
            seen.insert(id.clone(), now);
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.write(job!(|tx| { tx.key_seen(&id, now).await })).await {
                tracing::debug!(error = %error, "the use of a key was not noted");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_once_and_kept_as_a_hash() {
        let lone = make_lone_key("n", "default", &Grants::parse("read").unwrap(), 1);
        let made = make_key(lone.row.app.clone(), 1, None);
        let shown = made.shown.expose();
        assert!(shown.starts_with("hrk_") && shown.len() == 4 + ID + 1 + SECRET, "{shown}");
        assert!(!shown.contains(&made.row.hash) && shown.contains(&made.row.id));
        assert_eq!(lone.row.app.id, lone.row.id);
    }
}
