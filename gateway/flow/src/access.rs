//! Who calls, and what they may do: one answer for the API, the console and the proxy.

pub mod apps;
mod grants;
mod keys;
pub mod oauth;
pub mod units;

pub use grants::{Grants, ROLES, Scope};
pub use keys::{ApiKeys, MadeKey, make_key, make_lone_key};
pub use units::Units;

use crate::restricted;
use hub_model::Class;
use hub_store::StoreError;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Whether two secrets are the same, in constant time.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// Why somebody may not do something.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// They did not prove who they are.
    #[error("no valid key")]
    Unknown,
    /// They lack this scope.
    #[error("the key lacks the scope `{0}`")]
    Lacks(String),
    /// They are limited to org units, and this reaches further.
    #[error("the key is limited to org units")]
    Limited,
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Denied {
    pub(crate) fn lacks(scope: impl Into<String>) -> Self {
        Self::Lacks(scope.into())
    }
}

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Principal {
    /// What people call them.
    pub name: String,
    /// Their tenant.
    pub tenant: String,
    /// Whose things are theirs; no secret. Keys of one app share it.
    pub handle: String,
    /// What [`ApiKeys::resume`] knows them by; no secret.
    pub proof: String,
    /// Until when they may call with what they showed, µs.
    pub until: Option<i64>,
    grants: Arc<Grants>,
    units: Option<Arc<Units>>,
    /// Whoever runs the hub, with a key that no tenant keeps.
    everywhere: bool,
}

impl Principal {
    fn admin(digest: &[u8; 32]) -> Self {
        // A digest of the digest: it tells this key from the next one and leads back to neither.
        let handle = format!("admin:{}", hex::encode(&Sha256::digest(digest)[..8]));
        let grants = Arc::new(Grants::of(Scope::Admin));
        let (name, tenant) = ("admin".to_owned(), "default".to_owned());
        Self { name, tenant, proof: handle.clone(), handle, until: None, grants, units: None, everywhere: true }
    }

    /// Somebody who signed in with an account elsewhere; `handle` begins with [`crate::people::HANDLE`].
    pub(crate) fn person(name: String, tenant: &str, handle: String, grants: Grants, units: Option<Units>) -> Self {
        let (grants, units) = (Arc::new(grants), units.map(Arc::new));
        let (tenant, proof) = (tenant.to_owned(), handle.clone());
        Self { name, tenant, handle, proof, until: None, grants, units, everywhere: false }
    }

    /// What they may do.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The org units that they are limited to.
    #[must_use]
    pub fn units(&self) -> Option<&Units> {
        self.units.as_deref()
    }

    /// Whether they may look after tenants other than their own.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.everywhere
    }

    /// Refuses who may not do this. What is not about records one by one reaches beyond org units, and is refused to
    /// who is limited to some.
    ///
    /// # Errors
    /// The scope that is missing.
    pub fn need(&self, scope: Scope) -> Result<(), Denied> {
        if !self.grants.has(scope) {
            return Err(Denied::lacks(scope.name()));
        }
        if scope.is_of_records() { Ok(()) } else { self.need_all_units() }
    }

    /// Refuses who is limited to org units: for what shows more than single records.
    ///
    /// # Errors
    /// They are.
    pub fn need_all_units(&self) -> Result<(), Denied> {
        if self.units.is_some() { Err(Denied::Limited) } else { Ok(()) }
    }

    /// Somebody with these scopes.
    #[cfg(test)]
    pub(crate) fn for_tests(scopes: &str) -> Self {
        let grants = Grants::parse(scopes).unwrap_or_default();
        Self::person("x".to_owned(), "default", "person:x".to_owned(), grants, None)
    }

    /// What they are, for the audit log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.handle.split_once(':') {
            Some(("admin", _)) => "admin",
            Some(("person", _)) => "person",
            Some(("app", _)) => "app",
            _ => "app",
        }
    }

    /// The most sensitive class of field that they may read of this entity (its name).
    ///
    /// # Errors
    /// They may read no records of it.
    pub fn reads(&self, entity: &str) -> Result<Class, Denied> {
        self.grants.reads(entity).map(restricted::capped)
    }

    /// Refuses who may not make or change records of this entity (its name).
    ///
    /// # Errors
    /// What is missing.
    pub fn writes(&self, entity: &str) -> Result<(), Denied> {
        self.grants.writes(entity)
    }

    /// The most sensitive class of field that they may read of every entity.
    ///
    /// # Errors
    /// They may read none, or only some entities.
    pub fn reads_everything(&self) -> Result<Class, Denied> {
        self.grants.everywhere().map(restricted::capped).ok_or_else(|| Denied::lacks("read"))
    }

    /// The most sensitive class of field that they may read of anything, wherever it belongs: for what tells of all
    /// records, such as feeds.
    ///
    /// # Errors
    /// They may read no records at all, or only those of some org units.
    pub fn readable(&self) -> Result<Class, Denied> {
        self.need_all_units()?;
        self.grants.readable().map(restricted::capped).ok_or_else(|| Denied::lacks("read"))
    }
}
