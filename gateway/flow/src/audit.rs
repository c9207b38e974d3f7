//! The audit log: who did what, about which things, when and what for.
//!
//! What changes something adds its entry in the transaction of the deed: [`Hub::audit_entry`] makes it, and
//! [`append_audit`](hub_store::Tx::append_audit) writes it. What only reads calls [`Hub::audit`] before it answers.
//! Entries name things and fields, never values.

use crate::access::Principal;
use crate::hub::Hub;
use hub_store::{AuditEntry, AuditFilter, AuditRow, AuditWho, NewAudit, Store, StoreError, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Clock, Ids};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whose log tells of what belongs to no tenant, such as sign-ins that were refused.
pub const NOBODYS_TENANT: &str = "default";
/// How long an entry waits for its link, about.
const EVERY: Duration = Duration::from_millis(500);
const AFTER_TROUBLE: Duration = Duration::from_secs(10);
/// Longest purpose, in characters.
pub const LONGEST_PURPOSE: usize = 300;

/// Somebody who has proved who they are.
#[must_use]
pub fn known(who: &Principal) -> AuditWho {
    AuditWho { handle: who.handle.clone(), name: who.name.clone(), kind: who.kind().to_owned() }
}

/// Somebody at the command line, by the name that the machine has for them.
#[must_use]
pub fn at_command_line(name: &str) -> AuditWho {
    AuditWho { handle: "command".to_owned(), name: name.to_owned(), kind: "command".to_owned() }
}

/// Refusals of strangers that are told in a minute: they can bring any number of them.
const STRANGERS: u32 = 30;
const MINUTE_MICROS: i64 = 60_000_000;

/// How many strangers were told of in this minute.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<(i64, u32)>);

impl Strangers {
    /// Whether one more is told of.
    fn one_more(&self, now: i64) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now / MINUTE_MICROS;
        if told.0 != minute {
            *told = (minute, 0);
        }
        told.1 = told.1.saturating_add(1);
        told.1 <= STRANGERS
    }
}

/// An entry under construction.
#[derive(Clone, Debug)]
pub struct Entry {
    tenant: String,
    who: AuditWho,
    action: String,
    about: BTreeSet<String>,
    purpose: Option<String>,
    outcome: &'static str,
    trace: Option<String>,
    details: Map<String, Value>,
}

impl Entry {
    /// Somebody who has proved who they are did something, such as `app.created`.
    #[must_use]
    pub fn by(who: &Principal, action: impl Into<String>) -> Self {
        Self::of(&who.tenant, known(who), action)
    }

    /// It was done at the command line.
    #[must_use]
    pub fn by_command(tenant: &str, action: impl Into<String>) -> Self {
        Self::by_one(tenant, "command", action)
    }

    /// The hub did it by itself.
    #[must_use]
    pub fn by_hub(tenant: &str, action: impl Into<String>) -> Self {
        Self::by_one(tenant, "hub", action)
    }

    /// Somebody tried it who did not prove who they are.
    #[must_use]
    pub fn by_stranger(action: impl Into<String>) -> Self {
        Self::by_one(NOBODYS_TENANT, "stranger", action)
    }

    fn by_one(tenant: &str, kind: &str, action: impl Into<String>) -> Self {
        Self::of(tenant, AuditWho { handle: kind.to_owned(), name: kind.to_owned(), kind: kind.to_owned() }, action)
    }

    /// Somebody of a tenant did something.
    #[must_use]
    pub fn of(tenant: &str, who: AuditWho, action: impl Into<String>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            who,
            action: action.into(),
            about: BTreeSet::new(),
            purpose: None,
            outcome: "ok",
            trace: None,
            details: Map::new(),
        }
    }

    /// One thing that it is about: its kind, such as `app` or the name of an entity, and its id.
    #[must_use]
    pub fn about(mut self, kind: &str, id: &str) -> Self {
        self.about.insert(format!("{kind}/{id}"));
        self
    }

    /// What for.
    #[must_use]
    pub fn purpose(mut self, purpose: Option<&str>) -> Self {
        self.purpose = purpose.map(str::to_owned);
        self
    }

    /// It was not let happen.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = "refused";
        self
    }

    /// It went wrong.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.outcome = "failed";
        self
    }

    /// The journey that it belongs to.
    #[must_use]
    pub fn trace(mut self, trace: &str) -> Self {
        self.trace = Some(trace.to_owned());
        self
    }

    /// More about it; no personal values and no secrets.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The entry as it can be written.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sealed(self, store: &Store, clock: &Clock) -> Result<NewAudit, StoreError> {
        store.keyring().ensure(store, clock, &self.tenant).await?;
        self.sealed_now(store, clock)
    }

    /// The same, inside of a transaction, of a tenant that has a key.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn sealed_now(self, store: &Store, clock: &Clock) -> Result<NewAudit, StoreError> {
        let Self { tenant, who, action, about, purpose, outcome, trace, details } = self;
        let entry = AuditEntry {
            id: Ids::new(clock.clone()).next().to_string(),
            at: clock.micros(),
            who,
            action,
            about,
            purpose,
            outcome: outcome.to_owned(),
            trace,
            details,
        };
        entry.sealed(store.keyring(), &tenant)
    }

    /// Writes the entry alone, for commands that have no hub.
    ///
    /// # Errors
    /// The store fails.
    pub async fn write(self, store: &Store, clock: &Clock) -> Result<(), StoreError> {
        let new = self.sealed(store, clock).await?;
        store.write(job!(|tx| { tx.append_audit(new).await })).await
    }
}

impl Hub {
    /// An entry for [`append_audit`](hub_store::Tx::append_audit), in the transaction of what it tells of.
    ///
    /// # Errors
    /// The store fails.
    pub async fn audit_entry(&self, entry: Entry) -> Result<NewAudit, StoreError> {
        entry.sealed(&self.store, &self.clock).await
    }

    /// Tells that a stranger was refused, of as many as are told in a minute. That it could not be told lets nobody in.
    pub async fn audit_stranger(&self, entry: Entry) {
        if !self.strangers.one_more(self.clock.micros()) {
            return;
        }
        if let Err(error) = self.audit(entry.refused()).await {
            tracing::warn!(error = %error, "the audit log does not say that a stranger was refused");
        }
    }

    /// Writes an entry that goes with no other change.
    ///
    /// # Errors
    /// The store fails: then what it tells of must not happen.
    pub async fn audit(&self, entry: Entry) -> Result<(), StoreError> {
        entry.write(&self.store, &self.clock).await
    }
}

/// Who has made or changed records of these entities by the API since then (µs), as handles: one by one, or in batches.
///
/// # Errors
/// The store fails.
pub async fn editors(hub: &Hub, tenant: &str, entities: &[&str], since: i64) -> Result<BTreeSet<String>, StoreError> {
    /// Entries that are read at once.
    const PAGE: i64 = 500;
    let mut editors = BTreeSet::new();
    for action in ["record.created", "record.updated", "record.deleted", "batch.begun"] {
        let action = Some(action.to_owned());
        let mut filter = AuditFilter { action, since: Some(since), oldest_first: true, ..AuditFilter::default() };
        loop {
            let (owner, wanted) = (tenant.to_owned(), filter.clone());
            let rows = hub.store.read(job!(|tx| { tx.audit(&owner, wanted, PAGE).await })).await?;
            for row in &rows {
                let entry = row.open(hub.store.keyring(), tenant)?;
                let of_entity = |about: &String| about.split('/').next().is_some_and(|kind| entities.contains(&kind));
                let batch =
                    entry.details.get("entity").and_then(Value::as_str).is_some_and(|of| entities.contains(&of));
                if batch || entry.about.iter().any(of_entity) {
                    editors.insert(entry.who.handle);
                }
            }
            let Some(last) = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|count| count >= PAGE)) else {
                break;
            };
            filter.behind = AuditRow::read_place(&last.place());
        }
    }
    Ok(editors)
}

/// Gives entries their places in the chains.
pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        let pause = match link(&hub.store).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::error!(error = %error, "audit entries could not be linked");
                AFTER_TROUBLE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Removes entries from before `before`, from the beginning of each chain; that they went is an entry itself.
pub(crate) async fn forget(hub: &Arc<Hub>, before: i64) -> Result<(), StoreError> {
    for tenant in hub.store.read(job!(|tx| { tx.audit_tenants().await })).await? {
        loop {
            let told = Entry::by_hub(&tenant, "audit.forgotten").detail("before", rfc3339_micros(before));
            let told = hub.audit_entry(told).await?;
            if hub.store.forget_audit(&tenant, before, told).await? == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Gives all entries that wait for it their places; what is wrong with one tenant's chain holds up no other.
///
/// # Errors
/// The store fails, or somebody else has written to a chain.
pub async fn link(store: &Store) -> Result<(), StoreError> {
    let tenants = store.read(job!(|tx| { tx.unlinked_audit_tenants().await })).await?;
    let mut trouble = None;
    for tenant in tenants {
        loop {
            match store.link_audit(&tenant).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
    }
    trouble.map_or(Ok(()), Err)
}

/// An entry as the API and the command line show it.
#[must_use]
pub fn entry_json(tenant: &str, row: &AuditRow, entry: &AuditEntry) -> Value {
    json!({
        "tenant": tenant,
        "position": row.position,
        "id": entry.id,
        "at": rfc3339_micros(entry.at),
        "who": entry.who,
        "action": entry.action,
        "about": entry.about,
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "trace_id": entry.trace,
        "details": entry.details,
        "link": row.link,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_fill_the_log() {
        let strangers = Strangers::default();
        let told = |now: i64| (0..1000).filter(|_| strangers.one_more(now)).count();
        assert_eq!(told(1), 30);
        assert_eq!(told(2), 0, "in the same minute");
        assert_eq!(told(MINUTE_MICROS), 30);
    }
}
