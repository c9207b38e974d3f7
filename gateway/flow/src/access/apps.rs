//! What is done with apps: made, changed, given new keys. The API and the command do the same.

use crate::access::{Grants, MadeKey, Scope, Units, make_key};
use crate::audit::Entry;
use hub_store::{App, Store, StoreError, Tx, job};
use hub_tree::{Clock, Id, random};

/// Valid keys of one app: more than rotation needs.
pub const MOST_KEYS: usize = 10;
/// How long an old key is good beside its successor, seconds.
pub const OVERLAP_SECS: i64 = 24 * 3600;
/// Longest such time, seconds.
pub const MAX_OVERLAP_SECS: i64 = 30 * 24 * 3600;
/// Most departments that an app is limited to.
pub const MOST_UNITS: usize = 50;

/// Why something cannot be done with an app.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is no such app, or it is void.
    #[error("there is no app with this id")]
    NoApp,
    /// It has enough keys.
    #[error("the app has {MOST_KEYS} valid keys already")]
    TooManyKeys,
    /// Somebody else changed it at the same time.
    #[error("the app was changed meanwhile")]
    Raced,
    /// No department of the tenant is called so.
    #[error("`{0}` is no department of this tenant: name its id, or `CONNECTION/REMOTE_ID`")]
    NoUnit(String),
    /// What reaches beyond org units was granted together with a limit to some.
    #[error("`{0}` reaches beyond org units: an app that is limited to some reads and writes records, and no more")]
    TooWide(&'static str),
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An app to make.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// Whose.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
    /// The departments that it is limited to.
    pub units: Option<Units>,
    /// When its first key ends, µs.
    pub expires_at: Option<i64>,
}

/// Refuses a limit to org units that something granted would pass by.
fn fits(grants: &Grants, units: Option<&Units>) -> Result<(), Unfit> {
    let wide = Scope::ALL.iter().find(|(_, scope)| !scope.is_of_records() && grants.has(*scope));
    match (wide, units) {
        (Some((name, _)), Some(_)) => Err(Unfit::TooWide(name)),
        _ => Ok(()),
    }
}

/// Makes an app and its first key.
///
/// # Errors
/// Its limits do not fit, or the store fails.
pub async fn create(store: &Store, clock: &Clock, entry: Entry, new: NewApp) -> Result<MadeKey, Unfit> {
    fits(&new.grants, new.units.as_ref())?;
    let now = store.now();
    let units = new.units.unwrap_or(Units { departments: Vec::new(), below: true });
    let app = App {
        id: format!("app_{}", random::token(16)),
        tenant: new.tenant,
        name: new.name,
        grants: new.grants.words().join(" "),
        units: units.departments,
        below: units.below,
        revision: 1,
        created_at: now,
        revoked_at: None,
    };
    let made = make_key(app.clone(), now, new.expires_at);
    let row = made.row.clone();
    let entry = entry.about("app", &app.id).about("key", &row.id).detail("grants", app.grants.clone());
    let entry = entry.detail("units", app.units.clone()).sealed(store, clock).await?;
    store
        .write(job!(|tx| {
            tx.insert_app(app).await?;
            tx.insert_key(row).await?;
            tx.append_audit(entry).await
        }))
        .await?;
    Ok(made)
}

/// What to change about an app.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    /// What people call it.
    pub name: Option<String>,
    /// What it may do.
    pub grants: Option<Grants>,
    /// The departments that it is limited to; none for its whole tenant.
    pub units: Option<Vec<String>>,
    /// Departments below those, too.
    pub below: Option<bool>,
}

/// Changes an app; what was issued to it before is void.
///
/// # Errors
/// It is gone, its limits do not fit, somebody else was faster, or the store fails.
pub async fn change(store: &Store, clock: &Clock, entry: Entry, mut app: App, change: AppChange) -> Result<App, Unfit> {
    let grants = change.grants.unwrap_or_else(|| Grants::parse(&app.grants).unwrap_or_default());
    app.name = change.name.unwrap_or(app.name);
    app.units = change.units.unwrap_or(app.units);
    app.below = change.below.unwrap_or(app.below);
    let units = (!app.units.is_empty()).then(|| Units { departments: app.units.clone(), below: app.below });
    fits(&grants, units.as_ref())?;
    app.grants = grants.words().join(" ");
    let entry = entry.about("app", &app.id).detail("grants", app.grants.clone());
    let entry = entry.detail("units", app.units.clone()).sealed(store, clock).await?;
    let (id, wanted) = (app.id.clone(), app);
    let (changed, now) = store
        .write(job!(|tx| {
            let changed = tx.change_app(wanted).await?;
            if changed {
                tx.append_audit(entry).await?;
            }
            Ok((changed, tx.app(&id).await?))
        }))
        .await?;
    let now = now.filter(|app| app.revoked_at.is_none()).ok_or(Unfit::NoApp)?;
    if changed { Ok(now) } else { Err(Unfit::Raced) }
}

/// Gives an app a new key; those before it end after `overlap_secs`.
///
/// # Errors
/// It is gone or has too many keys, or the store fails.
pub async fn rotate(
    store: &Store,
    clock: &Clock,
    entry: Entry,
    app: &str,
    overlap_secs: i64,
    expires_at: Option<i64>,
) -> Result<MadeKey, Unfit> {
    let (now, id) = (store.now(), app.to_owned());
    let entry = entry.about("app", app).detail("overlap_secs", overlap_secs).sealed(store, clock).await?;
    let end = now.saturating_add(overlap_secs.clamp(0, MAX_OVERLAP_SECS) * 1_000_000);
    store
        .write(job!(|tx| {
            let Some(app) = valid(tx, &id).await? else { return Ok(Err(Unfit::NoApp)) };
            tx.end_keys(&id, "", end).await?;
            if overlap_secs == 0 {
                tx.raise_revision(&id).await?;
            }
            let there = tx.keys_of(&id).await?;
            if there.iter().filter(|key| key.is_valid(now)).count() >= MOST_KEYS {
                return Ok(Err(Unfit::TooManyKeys));
            }
            let made = make_key(app, now, expires_at);
            tx.insert_key(made.row.clone()).await?;
            tx.append_audit(entry).await?;
            Ok(Ok(made))
        }))
        .await?
}

/// Makes one key of an app void; `false` when the app has no such valid key.
///
/// # Errors
/// The store fails.
pub async fn revoke_key(store: &Store, clock: &Clock, entry: Entry, app: &str, key: &str) -> Result<bool, StoreError> {
    let entry = entry.about("app", app).about("key", key).sealed(store, clock).await?;
    let (app, key, now) = (app.to_owned(), key.to_owned(), store.now());
    store
        .write(job!(|tx| {
            let own = tx.keys_of(&app).await?.iter().any(|known| known.new.id == key);
            let done = own && tx.revoke_key(&key, now).await?;
            if done {
                tx.append_audit(entry).await?;
            }
            Ok(done)
        }))
        .await
}

/// Makes an app void with all its keys; `false` when there is no such app.
///
/// # Errors
/// The store fails.
pub async fn delete(store: &Store, clock: &Clock, entry: Entry, app: &str) -> Result<bool, StoreError> {
    let entry = entry.about("app", app).sealed(store, clock).await?;
    let (app, now) = (app.to_owned(), store.now());
    store
        .write(job!(|tx| {
            let done = tx.revoke_app(&app, now).await?;
            if done {
                tx.append_audit(entry).await?;
            }
            Ok(done)
        }))
        .await
}

async fn valid(tx: &mut Tx, id: &str) -> Result<Option<App>, StoreError> {
    Ok(tx.app(id).await?.filter(|app| app.revoked_at.is_none()))
}

/// Departments of a tenant by hub id, or by `CONNECTION/REMOTE_ID`.
///
/// # Errors
/// One is not known, or the store fails.
pub async fn departments(store: &Store, tenant: &str, words: Vec<String>) -> Result<Vec<String>, Unfit> {
    let mut found = Vec::new();
    for word in words {
        let (owner, wanted) = (tenant.to_owned(), word.clone());
        let id = store
            .read(job!(|tx| {
                if let Ok(id) = wanted.to_lowercase().parse::<Id>() {
                    return Ok(tx.record(&owner, "department", &id.to_string()).await?.map(|row| row.id));
                }
                let Some((connection, remote_id)) = wanted.split_once('/') else { return Ok(None) };
                Ok(tx.identity(&owner, connection, "department", remote_id).await?.map(|found| found.id))
            }))
            .await?;
        found.push(id.ok_or(Unfit::NoUnit(word))?);
    }
    found.sort();
    found.dedup();
    Ok(found)
}
