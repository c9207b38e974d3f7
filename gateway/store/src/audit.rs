//! The audit log: who did what, about which things, when and what for. Entries are only ever added.
//!
//! An entry is written in the transaction of the deed, sealed with the tenant's key, so that nobody who only has the
//! database can write or change one. Soon after, the entries of a tenant are put into one [`chain`], whose links only
//! the holder of the key can make: then none can be taken out or moved either.

mod chain;
mod verify;

pub use verify::{Anchor, AuditReport, BadEntry};

use crate::batches::batches;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, rows_of, sql};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const TABLES: &str = "
-- What was done. The body is sealed and holds all that the columns say; the position in the chain comes later.
CREATE TABLE audit (
    tenant TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
    body {blob} NOT NULL, position BIGINT, link TEXT, PRIMARY KEY (tenant, id));
CREATE UNIQUE INDEX audit_position ON audit (tenant, position);
CREATE INDEX audit_open ON audit (tenant, id) WHERE position IS NULL;
CREATE INDEX audit_at ON audit (tenant, at, id);
CREATE INDEX audit_who ON audit (tenant, who, at, id);
CREATE INDEX audit_action ON audit (tenant, action, at, id);

-- Which things the entries are about.
CREATE TABLE audit_about (
    tenant TEXT NOT NULL, about TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tenant, about, id));
CREATE INDEX audit_about_entry ON audit_about (tenant, id);

-- The last link of each tenant's chain, and the last one that went with age; each with a proof.
CREATE TABLE audit_heads (
    tenant TEXT PRIMARY KEY, position BIGINT NOT NULL, link TEXT NOT NULL, proof TEXT NOT NULL,
    floor BIGINT NOT NULL, floor_link TEXT NOT NULL, floor_proof TEXT NOT NULL);
";

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditWho {
    /// What they are known by: the id of a key or an app, `person:<connection>:<id>`; `command` of the command line.
    pub handle: String,
    /// What people call them.
    pub name: String,
    /// `key`, `app`, `person`, `admin`, `command`, `hub` or `stranger`.
    pub kind: String,
}

/// What was done. It holds no personal values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Hub id.
    pub id: String,
    /// When, µs.
    pub at: i64,
    /// Who.
    pub who: AuditWho,
    /// What, such as `app.created`.
    pub action: String,
    /// About which things: `employee/<id>`, `connection/<id>` …
    pub about: BTreeSet<String>,
    /// What for, in the words of who did it.
    pub purpose: Option<String>,
    /// How it ended: `ok`, `refused`, `failed`.
    pub outcome: String,
    /// The journey, 32 hex digits.
    pub trace: Option<String>,
    /// More, by name.
    pub details: Map<String, Value>,
}

/// An entry that can be written.
#[derive(Clone, Debug)]
pub struct NewAudit {
    tenant: String,
    entry: AuditEntry,
    body: Vec<u8>,
}

/// An entry as it stands in the store.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Hub id.
    pub id: String,
    at: i64,
    who: String,
    action: String,
    body: Vec<u8>,
    /// Its place in the chain; none until it is linked.
    pub position: Option<i64>,
    /// The link that holds it, 64 hex digits.
    pub link: Option<String>,
}

/// Which entries a list is about.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By whom: a handle.
    pub who: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// About what.
    pub about: Option<String>,
    /// Since when, µs.
    pub since: Option<i64>,
    /// Before when, µs.
    pub until: Option<i64>,
    /// Behind this place of the list: when, µs, and id.
    pub behind: Option<(i64, String)>,
    /// Oldest first; else newest first.
    pub oldest_first: bool,
}

impl AuditEntry {
    /// Seals the entry for a tenant.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn sealed(self, keyring: &Keyring, tenant: &str) -> Result<NewAudit, StoreError> {
        let plain = serde_json::to_vec(&self).map_err(|_| StoreError::Sealed("an audit entry cannot be written"))?;
        let body = keyring.seal(tenant, &context(&self.id), &plain)?.0;
        Ok(NewAudit { tenant: tenant.to_owned(), entry: self, body })
    }
}

impl AuditRow {
    /// What the entry says.
    ///
    /// # Errors
    /// It was changed, or is another tenant's.
    pub fn open(&self, keyring: &Keyring, tenant: &str) -> Result<AuditEntry, StoreError> {
        let plain = keyring.open(tenant, &context(&self.id), &self.body)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Sealed("an audit entry is no JSON"))
    }

    /// Its place in lists, as text for cursors.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}.{}", self.at, self.id)
    }

    /// Reads a place; `None` when it is none.
    #[must_use]
    pub fn read_place(text: &str) -> Option<(i64, String)> {
        let (at, id) = text.split_once('.')?;
        Some((at.parse().ok()?, id.to_owned()))
    }
}

/// What the body of an entry is sealed as.
fn context(id: &str) -> String {
    format!("audit:{id}")
}

/// The columns that [`read_row`] reads.
const FIELDS: &str = "id, at, who, action, body, position, link";

fn read_row(row: &Row<'_>) -> Result<AuditRow, ColumnError> {
    Ok(AuditRow {
        id: row.try_get("id")?,
        at: row.try_get("at")?,
        who: row.try_get("who")?,
        action: row.try_get("action")?,
        body: row.try_get("body")?,
        position: row.try_get("position")?,
        link: row.try_get("link")?,
    })
}

impl Tx {
    /// Adds an entry, in the transaction of the deed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn append_audit(&mut self, new: NewAudit) -> Result<(), StoreError> {
        let NewAudit { tenant, entry, body } = new;
        let statement = sql("INSERT INTO audit (tenant, id, at, who, action, body) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(tenant.clone())
            .bind(entry.id.clone())
            .bind(entry.at)
            .bind(entry.who.handle)
            .bind(entry.action)
            .bind(body);
        self.run(statement).await?;
        for about in batches(entry.about.into_iter().collect()) {
            let values = rows_of(3, about.len());
            let mut statement = built(format!("INSERT INTO audit_about (tenant, about, id) VALUES {values}"));
            for thing in about {
                statement = statement.bind(tenant.clone()).bind(thing).bind(entry.id.clone());
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Entries of a tenant.
    ///
    /// # Errors
    /// The store fails.
    pub async fn audit(&mut self, tenant: &str, filter: AuditFilter, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let AuditFilter { who, action, about, since, until, behind, oldest_first } = filter;
        let (sign, order) = if oldest_first { (">", "at, id") } else { ("<", "at DESC, id DESC") };
        let mut text = format!("SELECT {FIELDS} FROM audit WHERE tenant = $1");
        let mut texts = vec![tenant.to_owned()];
        let mut number = 1;
        for (condition, value) in [
            ("who = $", who),
            ("action = $", action),
            ("id IN (SELECT id FROM audit_about WHERE tenant = $1 AND about = $", about.clone()),
        ] {
            let Some(value) = value else { continue };
            number += 1;
            text.push_str(&format!(" AND {condition}{number}"));
            if condition.ends_with("about = $") {
                text.push(')');
            }
            texts.push(value);
        }
        let mut numbers = Vec::new();
        for (condition, value) in [("at >= $", since), ("at < $", until)] {
            let Some(value) = value else { continue };
            number += 1;
            text.push_str(&format!(" AND {condition}{number}"));
            numbers.push(value);
        }
        let behind = behind.inspect(|_| {
            number += 2;
            text.push_str(&format!(" AND (at, id) {sign} (${}, ${number})", number - 1));
        });
        text.push_str(&format!(" ORDER BY {order} LIMIT ${}", number + 1));
        let mut statement = texts.into_iter().fold(built(text), |statement, value| statement.bind(value));
        statement = numbers.into_iter().fold(statement, |statement, value| statement.bind(value));
        if let Some((at, id)) = behind {
            statement = statement.bind(at).bind(id);
        }
        self.all(statement.bind(limit), read_row).await
    }

    /// What the entries with these ids are about, by their ids.
    async fn audit_abouts(
        &mut self,
        tenant: &str,
        ids: Vec<String>,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
        let mut abouts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for part in batches(ids) {
            let list = list_of(2, part.len());
            let text = format!("SELECT id, about FROM audit_about WHERE tenant = $1 AND id IN ({list})");
            let statement = built(text).bind(tenant.to_owned());
            let statement = part.into_iter().fold(statement, |statement, id| statement.bind(id));
            let found = self.all(statement, |row| Ok((row.try_get::<String, _>("id")?, row.try_get("about")?))).await?;
            for (id, about) in found {
                abouts.entry(id).or_default().insert(about);
            }
        }
        Ok(abouts)
    }
}
