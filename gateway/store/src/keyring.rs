//! Sealing: what lies on disk or travels over the broker is unreadable without the tenant's key, and a tenant's key
//! is unreadable without the master key.
//!
//! AES-256-GCM-SIV (RFC 8452): a nonce used twice by chance shows at most that two bodies are equal, so that random
//! nonces stay safe for billions of messages under one key.

use crate::error::StoreError;
use crate::job;
use crate::tx::{Tx, sql};
use crate::writer::Store;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use hmac::{Hmac, KeyInit, Mac};
use hub_tree::{Clock, Id, Ids, random};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use zeroize::{Zeroize, Zeroizing};

const VERSION: u8 = 1;
const DEFAULT_TENANT: &str = "default";
const HEADER: usize = 1 + 16 + 12;

/// The key that seals tenants' keys: 32 bytes, from `HRHUB_MASTER_KEY` or a file beside the data.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A key of 32 bytes.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// A key from 64 hex digits.
    ///
    /// # Errors
    /// What the text should have been.
    pub fn from_hex(text: &str) -> Result<Self, &'static str> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| "a master key is 64 hex digits")?;
        Ok(Self::new(bytes))
    }

    /// A new random key, and its 64 hex digits for keeping.
    #[must_use]
    pub fn generate() -> (Self, String) {
        let bytes = random::bytes::<32>();
        let text = hex::encode(bytes);
        (Self::new(bytes), text)
    }

    /// A proof over `parts` that only who holds the key can make, and that tells nothing about it. `purpose` keeps
    /// proofs for different ends apart.
    #[must_use]
    pub fn proof(&self, purpose: &str, parts: &[u8]) -> String {
        hex::encode(hmac(self.0.as_slice(), &[b"proof", purpose.as_bytes(), parts]))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// A sealed body: version, key id, nonce, ciphertext with tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// The tenants' keys, opened.
pub struct Keyring {
    master: MasterKey,
    keys: RwLock<Keys>,
    copy: Option<KeysCopy>,
}

/// A file with the tenants' keys as the store has them: sealed under the master key, each bound to its tenant.
struct KeysCopy {
    path: PathBuf,
    /// What the file says.
    text: Mutex<String>,
}

#[derive(Default)]
struct Keys {
    by_id: BTreeMap<Id, Arc<TenantKey>>,
    /// The newest key of each tenant seals.
    newest: BTreeMap<String, Arc<TenantKey>>,
}

struct TenantKey {
    id: Id,
    tenant: String,
    key: LessSafeKey,
    /// For keyed hashes of what must be found again but not read.
    index: Zeroizing<[u8; 32]>,
}

fn cipher(bytes: &[u8; 32]) -> Result<LessSafeKey, StoreError> {
    UnboundKey::new(&AES_256_GCM_SIV, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| StoreError::Sealed("the key is not usable"))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn seal_with(key: &LessSafeKey, id: Id, context: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let nonce = random::bytes::<12>();
    let mut out = Vec::with_capacity(HEADER + plain.len() + 16);
    out.push(VERSION);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()), &mut body)
        .map_err(|_| StoreError::Sealed("the body is too long"))?;
    out.extend_from_slice(&body);
    Ok(out)
}

fn open_with(key: &LessSafeKey, context: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let nonce: [u8; 12] =
        sealed.get(17..HEADER).and_then(|n| n.try_into().ok()).ok_or(StoreError::Sealed("it is too short"))?;
    let mut body = sealed[HEADER..].to_vec();
    let plain = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()), &mut body)
        .map_err(|_| StoreError::Sealed("wrong key, wrong place, or changed bytes"))?
        .len();
    body.truncate(plain);
    Ok(body)
}

fn key_id(sealed: &[u8]) -> Result<Id, StoreError> {
    let (Some(&VERSION), Some(id)) = (sealed.first(), sealed.get(1..17)) else {
        return Err(StoreError::Sealed("it is not in a form this program knows"));
    };
    id.try_into().map(Id::from_bytes).map_err(|_| StoreError::Sealed("it is too short"))
}

/// Whether the master key opens every tenant's key that is kept.
pub(crate) async fn check(tx: &mut Tx, master: &MasterKey) -> Result<(), StoreError> {
    let keyring = Keyring::new(MasterKey(master.0.clone()), None);
    tx.tenant_keys().await?.iter().try_for_each(|(tenant, sealed)| keyring.add(tenant, sealed))
}

impl Keyring {
    pub(crate) fn new(master: MasterKey, copy: Option<PathBuf>) -> Self {
        let copy = copy.map(|path| KeysCopy { path, text: Mutex::default() });
        Self { master, keys: RwLock::default(), copy }
    }

    /// Learns the keys of the copy, if there is one. A copy that cannot be used is as good as none.
    pub(crate) fn recall(&self) {
        let Some(copy) = &self.copy else { return };
        let text = match fs::read_to_string(&copy.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                tracing::warn!(error = %error, path = %copy.path.display(), "the copy of the keys cannot be read");
                return;
            }
        };
        for line in text.lines() {
            let known = line.split_once(' ').and_then(|(sealed, tenant)| Some((hex::decode(sealed).ok()?, tenant)));
            let added = known.map(|(sealed, tenant)| self.add(tenant, &sealed));
            if !matches!(added, Some(Ok(()))) {
                tracing::warn!(path = %copy.path.display(), "a line of the copy of the keys cannot be used");
            }
        }
        *copy.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Learns keys as the store has them, all of them, and keeps the copy up to date.
    fn learn(&self, rows: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        rows.iter().try_for_each(|(tenant, sealed)| self.add(tenant, sealed))?;
        let Some(copy) = &self.copy else { return Ok(()) };
        let lines = rows.iter().filter(|(tenant, _)| !tenant.contains(['\n', '\r']));
        let text: String = lines.map(|(tenant, sealed)| format!("{} {tenant}\n", hex::encode(sealed))).collect();
        let mut kept = copy.text.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept != text {
            match copy.write(&text) {
                Ok(()) => *kept = text,
                Err(error) => {
                    tracing::warn!(error = %error, path = %copy.path.display(), "the keys cannot be copied to this disk");
                }
            }
        }
        Ok(())
    }

    /// Reads all tenants' keys; the default tenant always has one.
    pub(crate) async fn load(&self, tx: &mut Tx, clock: &Clock) -> Result<(), StoreError> {
        let mut rows = tx.tenant_keys().await?;
        if !rows.iter().any(|(tenant, _)| tenant == DEFAULT_TENANT) {
            let (id, sealed) = self.make(DEFAULT_TENANT, clock)?;
            // Of two processes that start at once, one makes it.
            tx.lock_schema().await?;
            tx.insert_first_key(DEFAULT_TENANT, id, sealed, clock.micros()).await?;
            rows = tx.tenant_keys().await?;
        }
        self.learn(&rows)
    }

    /// Reads the keys again: another process may have made one for a new tenant.
    ///
    /// # Errors
    /// The store cannot be read, or another master key sealed them.
    pub async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        self.learn(&store.read(job!(|tx| { tx.tenant_keys().await })).await?)
    }

    /// Makes sure that a tenant has a key. Of two processes that start at once, one makes it and both use it.
    ///
    /// # Errors
    /// The store cannot keep it.
    pub async fn ensure(&self, store: &Store, clock: &Clock, tenant: &str) -> Result<(), StoreError> {
        if self.newest(tenant).is_ok() {
            return Ok(());
        }
        let (id, sealed) = self.make(tenant, clock)?;
        let (owner, now) = (tenant.to_owned(), clock.micros());
        let rows = store.write(job!(|tx| {
            tx.lock_schema().await?;
            tx.insert_first_key(&owner, id, sealed, now).await?;
            tx.tenant_keys().await
        }));
        self.learn(&rows.await?)
    }

    /// A new key for a tenant, sealed.
    fn make(&self, tenant: &str, clock: &Clock) -> Result<(Id, Vec<u8>), StoreError> {
        let id = Ids::new(clock.clone()).next();
        let bytes = Zeroizing::new(random::bytes::<32>());
        let sealed = seal_with(&cipher(&self.master.0)?, id, &format!("tenant-key:{tenant}"), bytes.as_slice())?;
        Ok((id, sealed))
    }

    fn add(&self, tenant: &str, sealed: &[u8]) -> Result<(), StoreError> {
        let id = key_id(sealed)?;
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).by_id.contains_key(&id) {
            return Ok(());
        }
        let opened = open_with(&cipher(&self.master.0)?, &format!("tenant-key:{tenant}"), sealed)
            .map_err(|_| StoreError::Sealed("the master key is not the one this store was sealed with: HRHUB_MASTER_KEY, or master.key of the process that made it, must be the same for all"))?;
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(
            opened.as_slice().try_into().map_err(|_| StoreError::Sealed("a tenant key has a wrong length"))?,
        );
        let index = Zeroizing::new(hmac(bytes.as_slice(), &[b"index"]));
        let key = Arc::new(TenantKey { id, tenant: tenant.to_owned(), key: cipher(&bytes)?, index });
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.by_id.insert(id, Arc::clone(&key));
        let newest = keys.newest.entry(tenant.to_owned()).or_insert_with(|| Arc::clone(&key));
        if newest.id < key.id {
            *newest = key;
        }
        Ok(())
    }

    fn newest(&self, tenant: &str) -> Result<Arc<TenantKey>, StoreError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.newest.get(tenant).cloned().ok_or(StoreError::Sealed("the tenant has no key"))
    }

    /// Seals a body. `context` says what it is (`raw:<id>`), so that a body moved to another place does not open.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn seal(&self, tenant: &str, context: &str, plain: &[u8]) -> Result<Sealed, StoreError> {
        let key = self.newest(tenant)?;
        seal_with(&key.key, key.id, context, plain).map(Sealed)
    }

    /// Opens a body that belongs to `tenant` and `context`.
    ///
    /// # Errors
    /// It was sealed for another tenant or place, or its bytes were changed.
    pub fn open(&self, tenant: &str, context: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let id = key_id(sealed)?;
        let key = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.by_id.get(&id).cloned()
        };
        match key {
            Some(key) if key.tenant == tenant => open_with(&key.key, context, sealed),
            Some(_) => Err(StoreError::Sealed("it belongs to another tenant")),
            None => Err(StoreError::Sealed("its key is gone")),
        }
    }

    /// A keyed hash of a personal value, for finding it again: the same for equal values of one tenant and field,
    /// and of no use to who does not hold the key.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn match_key(&self, tenant: &str, field: &str, value: &str) -> Result<String, StoreError> {
        let key = self.oldest(tenant)?;
        Ok(hex::encode(&hmac(key.index.as_slice(), &[field.as_bytes(), value.as_bytes()])[..16]))
    }

    /// A keyed hash that holds the audit log together.
    ///
    /// # Errors
    /// The tenant has no key.
    pub(crate) fn audit_mac(&self, tenant: &str, parts: &[&[u8]]) -> Result<String, StoreError> {
        let own = Zeroizing::new(hmac(self.oldest(tenant)?.index.as_slice(), &[b"audit"]));
        Ok(hex::encode(hmac(own.as_slice(), &[&[tenant.as_bytes()], parts].concat())))
    }

    /// Hashes must not change when a newer key seals.
    fn oldest(&self, tenant: &str) -> Result<Arc<TenantKey>, StoreError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.by_id.values().find(|key| key.tenant == tenant).cloned().ok_or(StoreError::Sealed("the tenant has no key"))
    }
}

impl Tx {
    async fn tenant_keys(&mut self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.all(sql("SELECT tenant, sealed FROM tenant_keys ORDER BY id"), |row| {
            Ok((row.try_get("tenant")?, row.try_get("sealed")?))
        })
        .await
    }

    /// Keeps a key for a tenant that has none; that of another process stays.
    async fn insert_first_key(&mut self, tenant: &str, id: Id, sealed: Vec<u8>, now: i64) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO tenant_keys (tenant, id, sealed, created_at)
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), $3, CAST($4 AS BIGINT)
             WHERE NOT EXISTS (SELECT 1 FROM tenant_keys WHERE tenant = $1)")
        .bind(tenant.to_owned())
        .bind(id.to_string())
        .bind(sealed)
        .bind(now);
        self.run(statement).await.map(drop)
    }
}

impl KeysCopy {
    /// Writes the file, whole or not at all; only its owner can read it.
    fn write(&self, text: &str) -> std::io::Result<()> {
        let part = self.path.with_extension("part");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &self.path)
    }
}
