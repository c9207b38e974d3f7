//! Who calls, and what they may do: one answer for the API, the console and the proxy.

use crate::people::People;
use hub_model::Class;
use hub_store::{NewApiKey, Store, StoreError, job};
use hub_tree::{Clock, Private, random};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether two secrets are the same, in constant time.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read records, without personal fields.
    ReadStructure,
    /// Read records with personal fields.
    Read,
    /// Read restricted fields too.
    ReadRestricted,
    /// Make records and have them sent to systems.
    Write,
    /// Call operations of connections as they are.
    Passthrough,
    /// Bring files in, have them applied and undone.
    Import,
    /// Agree to imports of others.
    ImportApprove,
    /// Journeys, parked messages, connections.
    Ops,
    /// Everything.
    Admin,
}

impl Scope {
    /// All scopes and how they are written.
    pub const ALL: [(&'static str, Self); 9] = [
        ("read:structure", Self::ReadStructure),
        ("read", Self::Read),
        ("read:restricted", Self::ReadRestricted),
        ("write", Self::Write),
        ("passthrough", Self::Passthrough),
        ("import", Self::Import),
        ("import:approve", Self::ImportApprove),
        ("ops", Self::Ops),
        ("admin", Self::Admin),
    ];

    /// Reads scopes separated by commas or spaces.
    ///
    /// # Errors
    /// The word that is no scope, with what could be meant.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let scopes: Result<Vec<Self>, String> = words
            .map(|word| {
                let found = Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, scope)| *scope);
                found.ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
                    format!("`{word}` is no scope; scopes are {}", names.join(", "))
                })
            })
            .collect();
        match scopes {
            Ok(scopes) if scopes.is_empty() => Err("a key needs at least one scope".to_owned()),
            other => other,
        }
    }

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scope)| *scope == self).map_or("", |(name, _)| name)
    }
}

/// Why somebody may not do something.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// They did not prove who they are.
    #[error("no valid key")]
    Unknown,
    /// They lack this scope.
    #[error("the key lacks the scope `{0}`")]
    Lacks(&'static str),
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Principal {
    /// What people call them.
    pub name: String,
    /// Their tenant.
    pub tenant: String,
    /// What [`ApiKeys::resume`] knows them by; no secret.
    pub handle: String,
    scopes: Vec<Scope>,
}

impl Principal {
    fn admin(digest: &[u8; 32]) -> Self {
        // A digest of the digest: it tells this key from the next one and leads back to neither.
        let handle = format!("admin:{}", hex::encode(&Sha256::digest(digest)[..8]));
        Self { name: "admin".to_owned(), tenant: "default".to_owned(), handle, scopes: vec![Scope::Admin] }
    }

    /// Somebody who signed in with an account elsewhere; `handle` begins with [`crate::people::HANDLE`].
    pub(crate) fn person(name: String, tenant: &str, handle: String, scopes: &[Scope]) -> Self {
        Self { name, tenant: tenant.to_owned(), handle, scopes: scopes.to_vec() }
    }

    fn of(key: NewApiKey) -> Self {
        let scopes = Scope::parse_list(&key.scopes).unwrap_or_default();
        Self { name: key.name, tenant: key.tenant, handle: key.id, scopes }
    }

    fn has(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| *own == scope || *own == Scope::Admin)
    }

    /// Refuses who may not do this.
    ///
    /// # Errors
    /// The scope that is missing.
    pub fn need(&self, scope: Scope) -> Result<(), Denied> {
        if self.has(scope) { Ok(()) } else { Err(Denied::Lacks(scope.name())) }
    }

    /// The most sensitive class of field that they may read.
    ///
    /// # Errors
    /// They may read no records at all.
    pub fn readable(&self) -> Result<Class, Denied> {
        if self.has(Scope::ReadRestricted) {
            Ok(Class::S3)
        } else if self.has(Scope::Read) {
            Ok(Class::S2)
        } else if self.has(Scope::ReadStructure) {
            Ok(Class::S1)
        } else {
            Err(Denied::Lacks("read"))
        }
    }
}

/// Who may call.
pub struct ApiKeys {
    store: Store,
    admin: Option<Private<[u8; 32]>>,
    /// Who may sign in without a key.
    pub people: People,
}

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

/// Makes a key: `hrk_<id>_<secret>`, 50 random bits to find it by and 160 to prove it with.
#[must_use]
pub fn make_key(name: &str, tenant: &str, scopes: &[Scope], clock: &Clock) -> MadeKey {
    let (id, secret) = (random::token(ID), random::token(SECRET));
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let row = NewApiKey {
        id: id.clone(),
        name: name.to_owned(),
        tenant: tenant.to_owned(),
        hash: hex::encode(Sha256::digest(secret.as_bytes())),
        scopes: scopes.join(" "),
        created_at: clock.micros(),
    };
    MadeKey { row, shown: Private::new(format!("{PREFIX}{id}_{secret}")) }
}

impl ApiKeys {
    /// Keys of the store, and one that the environment may give: `HRHUB_ADMIN_KEY`.
    #[must_use]
    pub fn new(store: Store, admin_key: Option<&str>) -> Self {
        let admin = admin_key.map(|key| Private::new(Sha256::digest(key.as_bytes()).into()));
        Self { store, admin, people: People::default() }
    }

    /// The same, and people who may sign in with an account elsewhere.
    #[must_use]
    pub fn with_people(self, people: People) -> Self {
        Self { people, ..self }
    }

    /// Who shows this key.
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
        let (id, secret) = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Denied::Unknown)?;
        if id.len() != ID {
            return Err(Denied::Unknown);
        }
        let kept = self.valid(id).await?;
        let given = hex::encode(Sha256::digest(secret.as_bytes()));
        if !bool::from(given.as_bytes().ct_eq(kept.hash.as_bytes())) {
            return Err(Denied::Unknown);
        }
        Ok(Principal::of(kept))
    }

    /// Who showed a key a while ago, by [`Principal::handle`]; a key that was revoked or changed meanwhile is void.
    ///
    /// # Errors
    /// The key is not valid any more, or the store cannot be asked.
    pub async fn resume(&self, handle: &str) -> Result<Principal, Denied> {
        if let Some(admin) = &self.admin {
            let who = Principal::admin(admin.expose());
            if who.handle == handle {
                return Ok(who);
            }
        }
        if handle.starts_with(crate::people::HANDLE) {
            return self.people.resume(handle).ok_or(Denied::Unknown);
        }
        Ok(Principal::of(self.valid(handle).await?))
    }

    async fn valid(&self, id: &str) -> Result<NewApiKey, Denied> {
        let id = id.to_owned();
        let kept = self.store.read(job!(|tx| { tx.key(&id).await })).await?;
        Ok(kept.filter(|kept| kept.revoked_at.is_none()).ok_or(Denied::Unknown)?.new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_and_unknown_ones_are_named() {
        assert_eq!(Scope::parse_list("read, ops").unwrap(), [Scope::Read, Scope::Ops]);
        assert!(Scope::parse_list("read,root").unwrap_err().contains("`root` is no scope"));
        assert!(Scope::parse_list(" ").is_err());
    }

    #[test]
    fn a_scope_opens_its_classes_and_no_more() {
        let who = |scopes: &str| Principal {
            name: "x".into(),
            tenant: "default".into(),
            handle: "h".into(),
            scopes: Scope::parse_list(scopes).unwrap(),
        };
        assert_eq!(who("read").readable().unwrap(), Class::S2);
        assert_eq!(who("read:structure").readable().unwrap(), Class::S1);
        assert_eq!(who("read:restricted").readable().unwrap(), Class::S3);
        assert_eq!(who("admin").readable().unwrap(), Class::S3);
        assert!(who("ops").readable().is_err());
        assert!(who("read").need(Scope::Ops).is_err());
    }

    #[test]
    fn a_key_is_shown_once_and_kept_as_a_hash() {
        let made = make_key("n", "default", &[Scope::Read], &Clock::System);
        let shown = made.shown.expose();
        assert!(shown.starts_with("hrk_") && shown.len() == 4 + ID + 1 + SECRET, "{shown}");
        assert!(!shown.contains(&made.row.hash) && shown.contains(&made.row.id));
    }
}
