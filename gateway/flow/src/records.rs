//! Records: which one a word is about, whether it is news, and its new version in the store. When nothing changed,
//! nothing is written and nothing is told.

use crate::document::{Head, merge};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::keeps::{self, Broken};
use crate::{approvals, references, rules};
use hub_model::{Class, EntityType, Field};
use hub_store::{
    Identity, IndexEntry, NewEvent, NewIdentity, NewVersion, RecordId, RecordRow, RemoteId, StoreError, Tx,
};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A word about one record.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its entity.
    pub entity: &'static EntityType,
    /// Which record.
    pub target: Target,
    /// The fields to set, as JSON: a patch.
    pub fields: String,
    /// What no rule read, as JSON; kept under the system's name in `ext`.
    pub ext: Option<String>,
    /// The vendor says that it is gone.
    pub deleted: bool,
    /// Which rule set which field (JSON pointers).
    pub rules: Vec<(String, String)>,
    /// Where the word comes from; `None` when it is the hub's own.
    pub source: Option<SourceOf>,
}

impl Write {
    /// The vendor's id that it names.
    fn remote_id(&self) -> Option<RemoteId> {
        match &self.target {
            Target::Remote { key: Some(key), .. } | Target::Renamed { key, .. } | Target::Made { key, .. } => {
                self.remote(key)
            }
            Target::Remote { .. } | Target::New(_) => None,
        }
    }

    /// The vendor's id that it had until now.
    fn former_id(&self) -> Option<RemoteId> {
        if let Target::Renamed { formerly, .. } = &self.target { self.remote(formerly) } else { None }
    }

    fn remote(&self, id: &str) -> Option<RemoteId> {
        let (connection, entity) = (self.source.as_ref()?.connection.clone(), self.entity.name.to_owned());
        Some(RemoteId { connection, entity, remote_id: id.to_owned() })
    }
}

/// Which record a word is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new one, with this hub id. When it is there already, the hub made it before, and it stays as it is.
    New(String),
    /// A new one, with this hub id, which a system has made just now and knows by `key`.
    Made {
        /// Its hub id.
        id: String,
        /// Its id at the vendor.
        key: String,
    },
    /// The one that a connection knows by `key`, or by the hub's own id that it hands back.
    Remote {
        /// Its id at the vendor.
        key: Option<String>,
        /// Its hub id.
        hub_id: Option<String>,
    },
    /// The one that a connection knew by `formerly` until now, and knows by `key` from now on.
    Renamed {
        /// Its id at the vendor.
        key: String,
        /// The id that it had.
        formerly: String,
    },
}

/// Where a word about a record comes from.
#[derive(Clone, Debug)]
pub struct SourceOf {
    /// Connection.
    pub connection: String,
    /// Connector.
    pub system: String,
    /// Where a person can look.
    pub url: Option<String>,
    /// The vendor's own time of the change, µs.
    pub vendor_time: Option<i64>,
    /// When it was received, µs.
    pub received_at: i64,
    /// The payload.
    pub raw: String,
    /// Its SHA-256, hex.
    pub raw_sha256: String,
    /// The mapping.
    pub mapping: String,
    /// The mapping's version.
    pub mapping_version: String,
}

/// What a word about a record led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The record is new.
    Created,
    /// The record has a new version.
    Updated,
    /// Nothing was news.
    Unchanged,
    /// The word was older than what is known.
    Outdated,
}

impl Became {
    /// The word for counters and journeys.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Outdated => "outdated",
        }
    }
}

/// One record that was looked at.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its entity.
    pub entity: &'static EntityType,
    /// Its hub id.
    pub id: String,
    /// Its version now.
    pub version: i64,
    /// What became of the word.
    pub became: Became,
    /// The events that this means.
    pub events: Vec<NewEvent>,
}

/// Why words are not applied: none of them is, and nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotApplied {
    /// A vendor handed back a hub id that is not ours to give.
    UnknownHubId {
        /// The entity that it should be.
        entity: &'static str,
    },
    /// A record would not keep what records of its entity must.
    Broken {
        /// Which of the words, from 0.
        word: usize,
        /// The entity.
        entity: &'static str,
        /// Why.
        broken: Broken,
    },
}

impl NotApplied {
    /// A message that says this is parked; `place` is the file to blame, if one is.
    #[must_use]
    pub fn parked(&self, place: &str) -> Failure {
        Failure::Park { code: self.code().to_owned(), reason: self.reason(), place: place.to_owned() }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownHubId { .. } => "UNKNOWN_HUB_ID",
            Self::Broken { broken, .. } => broken.parked,
        }
    }

    /// In words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::UnknownHubId { entity } => format!("an id was handed back that is no {entity} of ours"),
            Self::Broken { entity, broken, .. } => {
                format!("{entity}{}: {}; {}", broken.pointer, broken.reason, broken.next)
            }
        }
    }
}

/// What applying words to records ends in.
pub type Applying = Result<Vec<Applied>, NotApplied>;

/// A record's context for sealing.
#[must_use]
pub fn sealed_as(entity: &str, id: &str) -> String {
    format!("record:{entity}:{id}")
}

/// Applies words to records, in the transaction `tx`. First every word's record is found or made known, so that they
/// can refer to each other; then they are written, all together.
///
/// # Errors
/// The store fails.
pub async fn apply(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    tenant: &str,
    context: &TraceContext,
    writes: Vec<Write>,
) -> Result<Applying, StoreError> {
    if writes.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let referred = writes.iter().flat_map(|write| references::of(&write.fields));
    let former = writes.iter().filter_map(Write::former_id);
    let asked: BTreeSet<RemoteId> = writes.iter().filter_map(Write::remote_id).chain(former).chain(referred).collect();
    let identities = tx.identities(tenant, asked.into_iter().collect()).await?;
    let known = match identify_all(hub, tx, tenant, &writes, &identities).await? {
        Ok(known) => known,
        Err(unknown) => return Ok(Err(unknown)),
    };
    let said = news_of(&writes, &known);
    let renamed = renamed(&writes, &known, &identities);
    let mut ids: BTreeMap<RemoteId, String> =
        identities.into_iter().map(|(remote, identity)| (remote, identity.id)).collect();
    ids.extend(said.iter().map(|new| (new.remote.clone(), new.identity.id.clone())));
    let before: BTreeSet<RecordId> = known.iter().filter(|known| !known.fresh).map(Known::record).collect();
    let stored = tx.stored_records(tenant, before.into_iter().collect()).await?;
    let mut all = Writing { tenant, context, now: hub.clock.micros(), ids, stored, made: Vec::new() };
    let mut applied = Vec::with_capacity(writes.len());
    for (word, (write, known)) in writes.into_iter().zip(known).enumerate() {
        let entity = write.entity.name;
        match all.write_one(hub, write, known)? {
            Ok(one) => applied.push(one),
            Err(broken) => return Ok(Err(NotApplied::Broken { word, entity, broken })),
        }
    }
    tx.put_identities(tenant, said).await?;
    tx.forget_identities(tenant, renamed).await?;
    let gone: BTreeSet<String> = all.made.iter().filter(|new| new.row.deleted_at.is_some()).map(subject).collect();
    tx.put_records(&context.to_string(), all.made).await?;
    for subject in gone {
        rules::cancel_about(hub, tx, tenant, &subject).await?;
    }
    Ok(Ok(applied))
}

/// Applies words of which one that cannot be applied stops no other. Gives what was applied, in the order of the words,
/// and the words that were left out with their places.
///
/// # Errors
/// The store fails.
pub async fn apply_each(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    tenant: &str,
    context: &TraceContext,
    mut writes: Vec<Write>,
) -> Result<(Vec<Applied>, Vec<LeftOut>), StoreError> {
    let mut left_out: Vec<LeftOut> = Vec::new();
    loop {
        let why = match apply(hub, tx, tenant, context, writes.clone()).await? {
            Ok(applied) => return Ok((applied, left_out)),
            Err(why) => why,
        };
        let at = match &why {
            NotApplied::Broken { word, .. } => *word,
            // Which one it was is not known: none is applied.
            NotApplied::UnknownHubId { .. } => {
                let rest = writes.into_iter().enumerate().map(|(place, write)| (place, write, why.clone()));
                return Ok((Vec::new(), rest.collect()));
            }
        };
        // Each that went before it stood at an earlier place, or behind it.
        let write = writes.remove(at);
        let mut place = at;
        for (earlier, ..) in &left_out {
            if *earlier <= place {
                place += 1;
            }
        }
        left_out.push((place, write, why));
        left_out.sort_by_key(|(place, ..)| *place);
    }
}

/// A word that was left out: its place among all, itself, and why.
pub type LeftOut = (usize, Write, NotApplied);

fn subject(version: &NewVersion) -> String {
    format!("{}/{}", version.row.entity, version.row.id)
}

/// Which record a word is about, and whether it is news.
struct Known {
    entity: &'static str,
    id: String,
    key: Option<String>,
    outdated: bool,
    /// Whether the id was made just now: nothing is stored under it.
    fresh: bool,
    /// When the last payload was received that said something about it, µs.
    received_at: Option<i64>,
}

impl Known {
    fn record(&self) -> RecordId {
        (self.entity.to_owned(), self.id.clone())
    }
}

type Identities = BTreeMap<RemoteId, Identity>;

/// Finds every word's record, or gives it an id. Nothing is written yet: a word that cannot be placed stops them all.
async fn identify_all(
    hub: &Hub,
    tx: &mut Tx,
    tenant: &str,
    writes: &[Write],
    identities: &Identities,
) -> Result<Result<Vec<Known>, NotApplied>, StoreError> {
    // The hub gave such ids out; a vendor cannot make records appear by inventing one.
    let handed_back = |write: &Write| match &write.target {
        Target::Remote { hub_id: Some(id), .. } if write.source.is_some() => {
            let met = write.remote_id().is_some_and(|remote| identities.contains_key(&remote));
            (!met).then(|| (write.entity.name.to_owned(), id.clone()))
        }
        _ => None,
    };
    let handed_back: BTreeSet<RecordId> = writes.iter().filter_map(handed_back).collect();
    let ours: BTreeSet<RecordId> =
        tx.stored_records(tenant, handed_back.into_iter().collect()).await?.into_keys().collect();
    let mut known: Vec<Known> = Vec::with_capacity(writes.len());
    for write in writes {
        match identify(hub, write, &known, identities, &ours) {
            Ok(found) => known.push(found),
            Err(unknown) => return Ok(Err(unknown)),
        }
    }
    Ok(Ok(known))
}

fn identify(
    hub: &Hub,
    write: &Write,
    earlier: &[Known],
    identities: &Identities,
    ours: &BTreeSet<RecordId>,
) -> Result<Known, NotApplied> {
    let entity = write.entity.name;
    let placed =
        |id: &str| Known { entity, id: id.to_owned(), key: None, outdated: false, fresh: false, received_at: None };
    let (key, hub_id, source) = match (&write.target, &write.source) {
        (Target::New(id), _) => return Ok(placed(id)),
        (Target::Made { id, key }, _) => return Ok(Known { key: Some(key.clone()), ..placed(id) }),
        (Target::Remote { key, hub_id }, Some(source)) => (key.clone(), hub_id.as_ref(), source),
        (Target::Renamed { key, .. }, Some(source)) => (Some(key.clone()), None, source),
        (Target::Remote { hub_id: Some(id), .. }, None) => return Ok(placed(id)),
        (Target::Remote { .. } | Target::Renamed { .. }, None) => return Err(NotApplied::UnknownHubId { entity }),
    };
    if let Some(same) = earlier.iter().find(|known| known.entity == entity && known.key.is_some() && known.key == key) {
        // Two words of one payload about one record.
        let Known { outdated, fresh, received_at, .. } = *same;
        return Ok(Known { entity, id: same.id.clone(), key, outdated, fresh, received_at });
    }
    let own = write.remote_id().and_then(|remote| identities.get(&remote));
    // A record that is known by both ids keeps the new one's.
    let found = own.or_else(|| identities.get(&write.former_id()?));
    let id = match (found, hub_id) {
        (Some(identity), Some(hub_id)) if identity.id != *hub_id => return Err(NotApplied::UnknownHubId { entity }),
        (Some(identity), _) => identity.id.clone(),
        (None, Some(hub_id)) if ours.contains(&(entity.to_owned(), hub_id.clone())) => hub_id.clone(),
        (None, Some(_)) => return Err(NotApplied::UnknownHubId { entity }),
        (None, None) => hub.ids.next().to_string(),
    };
    Ok(Known {
        entity,
        id,
        key,
        outdated: found.is_some_and(|known| is_older(source, known)),
        fresh: found.is_none() && hub_id.is_none(),
        received_at: own.map(|known| known.received_at),
    })
}

/// Former ids of records that are known by their new ids from now on.
fn renamed(writes: &[Write], known: &[Known], identities: &Identities) -> Vec<RemoteId> {
    let former = |(write, known): (&Write, &Known)| {
        let former = write.former_id().filter(|_| !known.outdated)?;
        (identities.get(&former)?.id == known.id).then_some(former)
    };
    writes.iter().zip(known).filter_map(former).collect()
}

/// What the words say about vendors' ids, each id once.
fn news_of(writes: &[Write], known: &[Known]) -> Vec<NewIdentity> {
    let mut news = Vec::new();
    for (index, (write, one)) in writes.iter().zip(known).enumerate() {
        let told = known.iter().take(index).any(|earlier| earlier.entity == one.entity && earlier.key == one.key);
        if let (Some(remote), Some(source), false, false) = (write.remote_id(), &write.source, one.outdated, told) {
            let identity =
                Identity { id: one.id.clone(), vendor_time: source.vendor_time, received_at: source.received_at };
            news.push(NewIdentity { remote, identity, known: one.received_at });
        }
    }
    news
}

/// The vendor's own time decides; where it is missing or equal, the time of receipt.
fn is_older(source: &SourceOf, known: &Identity) -> bool {
    match (source.vendor_time, known.vendor_time) {
        (Some(new), Some(old)) if new != old => new < old,
        _ => source.received_at < known.received_at,
    }
}

/// The words of one message while they are applied, one after the other.
struct Writing<'a> {
    tenant: &'a str,
    context: &'a TraceContext,
    now: i64,
    /// What vendors' ids mean.
    ids: BTreeMap<RemoteId, String>,
    /// The records as the words so far have left them.
    stored: BTreeMap<RecordId, RecordRow>,
    made: Vec<NewVersion>,
}

impl Writing<'_> {
    fn write_one(&mut self, hub: &Hub, write: Write, known: Known) -> Result<Result<Applied, Broken>, StoreError> {
        let Write { entity, .. } = write;
        let (tenant, now) = (self.tenant, self.now);
        let stored = self.stored.get(&known.record());
        let version = stored.map_or(0, |row| row.version);
        let unchanged = |became| Applied { entity, id: known.id.clone(), version, became, events: Vec::new() };
        if known.outdated {
            return Ok(Ok(unchanged(Became::Outdated)));
        }
        if stored.is_some() && matches!(write.target, Target::New(_)) {
            return Ok(Ok(unchanged(Became::Unchanged)));
        }
        let sealed_as = sealed_as(entity.name, &known.id);
        let old = stored.map(|row| hub.open(tenant, &sealed_as, &row.body.0)).transpose()?;
        let mut write = write;
        if let Some(old) = &old {
            approvals::one_of_several(&mut write, old, now);
        }
        let patch = references::resolve(&write.fields, &self.ids);
        if let Some(broken) = breaks(&write, old.as_deref(), &patch) {
            return Ok(Err(broken));
        }
        let made = {
            let head = Head { tenant, id: &known.id, version: version + 1, now, stored };
            merge(&write, old.as_deref().unwrap_or(b"{}"), &patch, &head)
        };
        let Some(made) = made else { return Ok(Ok(unchanged(Became::Unchanged))) };
        let body = hub.store.keyring().seal(tenant, &sealed_as, made.document.as_bytes())?;
        let index = index_of(hub, tenant, entity, made.document.as_bytes())?;
        let as_it_was = match &old {
            Some(old) => index_of(hub, tenant, entity, old)? == index,
            None => false,
        };
        let became = if stored.is_some() { Became::Updated } else { Became::Created };
        let row = RecordRow {
            tenant: tenant.to_owned(),
            entity: entity.name.to_owned(),
            id: known.id.clone(),
            version: version + 1,
            created_at: stored.map_or(now, |row| row.created_at),
            updated_at: now,
            deleted_at: made.deleted.then_some(now),
            body,
        };
        self.stored.insert(known.record(), row.clone());
        let raw = write.source.as_ref().map(|source| source.raw.clone());
        self.made.push(NewVersion { row, raw, index: (!as_it_was).then_some(index) });
        let connection = write.source.map(|source| source.connection);
        let events = made.verbs.into_iter().map(|verb| NewEvent {
            id: hub.ids.next().to_string(),
            tenant: tenant.to_owned(),
            kind: format!("{}.{verb}", entity.event),
            entity: entity.name.to_owned(),
            record: known.id.clone(),
            version: version + 1,
            connection: connection.clone(),
            at: now,
            trace: self.context.to_string(),
            changed: made.changed.join(","),
        });
        let events = events.collect();
        Ok(Ok(Applied { entity, id: known.id, version: version + 1, became, events }))
    }
}

/// Why a word breaks what its record must keep.
fn breaks(write: &Write, old: Option<&[u8]>, patch: &str) -> Option<Broken> {
    keeps::broken(write.entity.name, old, patch, (write.deleted, write.source.is_some()))
}

/// The values to find a document by.
///
/// # Errors
/// The tenant has no key.
pub fn index_of(hub: &Hub, tenant: &str, entity: &EntityType, document: &[u8]) -> Result<Vec<IndexEntry>, StoreError> {
    let arena = Arena::new();
    let document = json::read(&arena, document, Limits::default()).unwrap_or_default();
    let mut entries = Vec::new();
    for field in entity.fields.iter().filter(|field| field.indexed) {
        for value in search_values(document.get(field.name)) {
            entries.push(index_entry(hub, tenant, field, &value)?);
        }
    }
    entries.sort();
    entries.dedup();
    Ok(entries)
}

/// One entry of the index; also what a filter looks for.
///
/// # Errors
/// The tenant has no key.
pub fn index_entry(hub: &Hub, tenant: &str, field: &Field, value: &str) -> Result<IndexEntry, StoreError> {
    let value = if field.class >= Class::S2 {
        hub.store.keyring().match_key(tenant, field.name, &value.to_lowercase())?
    } else {
        value.to_owned()
    };
    Ok(IndexEntry { field: field.name.to_owned(), value })
}

/// The texts by which a field's value is found: an enum's value, a reference's id, an address, a number.
fn search_values(value: Value<'_>) -> Vec<String> {
    let single = [value];
    let items = if let Value::List(items) = value { items } else { &single };
    let text = |value: Value<'_>| match value {
        Value::Map(map) => {
            ["value", "id", "address", "e164"].iter().find_map(|key| map.get(key).as_text()).map(str::to_owned)
        }
        Value::Text(text) | Value::Number(text) => Some(text.to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    items.iter().filter_map(|item| text(*item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(vendor_time: Option<i64>, received_at: i64) -> SourceOf {
        let [connection, system, raw, raw_sha256, mapping, mapping_version] = Default::default();
        SourceOf { connection, system, url: None, vendor_time, received_at, raw, raw_sha256, mapping, mapping_version }
    }

    #[test]
    fn the_vendors_time_decides_what_is_older_else_the_time_of_receipt() {
        let known = |vendor_time, received_at| Identity { id: "1".into(), vendor_time, received_at };
        assert!(is_older(&source(Some(1), 9), &known(Some(2), 5)));
        assert!(!is_older(&source(Some(3), 1), &known(Some(2), 5)), "received late, but newer at the vendor");
        assert!(is_older(&source(Some(2), 4), &known(Some(2), 5)));
        assert!(!is_older(&source(Some(2), 5), &known(Some(2), 5)), "the same payload again is not older");
        assert!(is_older(&source(None, 4), &known(Some(2), 5)));
    }
}
