//! Records: which one a word is about, whether it is news, and its new version in the store. When nothing changed,
//! nothing is written and nothing is told.

use crate::document::{Head, merge};
use crate::hub::Hub;
use crate::rules;
use hub_model::{Class, EntityType, Field};
use hub_store::{Identity, IndexEntry, NewEvent, RecordRow, StoreError, Tx};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
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

/// Which record a word is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new one, with this hub id. When it is there already, the hub made it before, and it stays as it is.
    New(String),
    /// The one that a connection knows by `key`, or by the hub's own id that it hands back.
    Remote {
        /// Its id at the vendor.
        key: Option<String>,
        /// Its hub id.
        hub_id: Option<String>,
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

/// A vendor handed back a hub id that is not ours to give: the message must be parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHubId {
    /// The entity that it should be.
    pub entity: &'static str,
}

/// What applying words to records ends in.
pub type Applying = Result<Vec<Applied>, UnknownHubId>;

/// A record's context for sealing.
#[must_use]
pub fn sealed_as(entity: &str, id: &str) -> String {
    format!("record:{entity}:{id}")
}

/// Applies words to records, in the transaction `tx`. First every word's record is found or made known, so that they
/// can refer to each other; then they are written.
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
    let now = hub.clock.micros();
    let mut known: Vec<Known> = Vec::with_capacity(writes.len());
    for write in &writes {
        match identify(hub, tx, tenant, write, &known).await? {
            Ok(found) => known.push(found),
            Err(unknown) => return Ok(Err(unknown)),
        }
    }
    for (index, (write, one)) in writes.iter().zip(&known).enumerate() {
        let told = known[..index].iter().any(|earlier| earlier.entity == one.entity && earlier.key == one.key);
        if let (Some(key), Some(source), false, false) = (&one.key, &write.source, one.outdated, told) {
            let entity = write.entity.name;
            let identity =
                Identity { id: one.id.clone(), vendor_time: source.vendor_time, received_at: source.received_at };
            tx.put_identity(tenant, &source.connection, entity, key, identity, one.received_at).await?;
        }
    }
    let mut applied = Vec::with_capacity(writes.len());
    for (write, known) in writes.into_iter().zip(known) {
        applied.push(write_one(hub, tx, tenant, context, now, write, known).await?);
    }
    Ok(Ok(applied))
}

/// Which record a word is about, and whether it is news.
struct Known {
    entity: &'static str,
    id: String,
    key: Option<String>,
    outdated: bool,
    /// When the last payload was received that said something about it, µs.
    received_at: Option<i64>,
}

/// Finds a word's record, or gives it an id. Nothing is written yet: a word that cannot be placed stops them all.
async fn identify(
    hub: &Hub,
    tx: &mut Tx,
    tenant: &str,
    write: &Write,
    earlier: &[Known],
) -> Result<Result<Known, UnknownHubId>, StoreError> {
    let entity = write.entity.name;
    let settled = |id: &str| Ok(Ok(Known { entity, id: id.to_owned(), key: None, outdated: false, received_at: None }));
    let (key, hub_id, source) = match (&write.target, &write.source) {
        (Target::New(id), _) => return settled(id),
        (Target::Remote { key, hub_id }, Some(source)) => (key, hub_id, source),
        (Target::Remote { hub_id: Some(id), .. }, None) => return settled(id),
        (Target::Remote { .. }, None) => return Ok(Err(UnknownHubId { entity })),
    };
    if let Some(same) = earlier.iter().find(|known| known.entity == entity && known.key.is_some() && known.key == *key)
    {
        // Two words of one payload about one record.
        let (id, received_at) = (same.id.clone(), same.received_at);
        return Ok(Ok(Known { entity, id, key: key.clone(), outdated: same.outdated, received_at }));
    }
    let found = match key {
        Some(key) => tx.identity(tenant, &source.connection, entity, key).await?,
        None => None,
    };
    let id = match (&found, hub_id) {
        (Some(identity), Some(hub_id)) if identity.id != *hub_id => return Ok(Err(UnknownHubId { entity })),
        (Some(identity), _) => identity.id.clone(),
        (None, Some(hub_id)) => {
            // The hub gave this id out; a vendor cannot make records appear by inventing one.
            if tx.record(tenant, entity, hub_id).await?.is_none() {
                return Ok(Err(UnknownHubId { entity }));
            }
            hub_id.clone()
        }
        (None, None) => hub.ids.next().to_string(),
    };
    let outdated = found.as_ref().is_some_and(|known| is_older(source, known));
    let received_at = found.as_ref().map(|known| known.received_at);
    Ok(Ok(Known { entity, id, key: key.clone(), outdated, received_at }))
}

/// The vendor's own time decides; where it is missing or equal, the time of receipt.
fn is_older(source: &SourceOf, known: &Identity) -> bool {
    match (source.vendor_time, known.vendor_time) {
        (Some(new), Some(old)) if new != old => new < old,
        _ => source.received_at < known.received_at,
    }
}

async fn write_one(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    tenant: &str,
    context: &TraceContext,
    now: i64,
    write: Write,
    known: Known,
) -> Result<Applied, StoreError> {
    let Write { entity, .. } = write;
    let stored = tx.record(tenant, entity.name, &known.id).await?;
    let version = stored.as_ref().map_or(0, |row| row.version);
    let unchanged = |became| Applied { entity, id: known.id.clone(), version, became, events: Vec::new() };
    if known.outdated {
        return Ok(unchanged(Became::Outdated));
    }
    if stored.is_some() && matches!(write.target, Target::New(_)) {
        return Ok(unchanged(Became::Unchanged));
    }
    let sealed_as = sealed_as(entity.name, &known.id);
    let old = match &stored {
        Some(row) => hub.open(tenant, &sealed_as, &row.body.0)?,
        None => b"{}".to_vec(),
    };
    let patch = resolve(tx, tenant, &write.fields).await?;
    let made = {
        let head = Head { tenant, id: &known.id, version: version + 1, now, stored: stored.as_ref() };
        merge(&write, &old, &patch, &head)
    };
    let Some(made) = made else { return Ok(unchanged(Became::Unchanged)) };
    let body = hub.store.keyring().seal(tenant, &sealed_as, made.document.as_bytes())?;
    let index = index_of(hub, tenant, entity, &made.document)?;
    let row = RecordRow {
        tenant: tenant.to_owned(),
        entity: entity.name.to_owned(),
        id: known.id.clone(),
        version: version + 1,
        created_at: stored.as_ref().map_or(now, |row| row.created_at),
        updated_at: now,
        deleted_at: made.deleted.then_some(now),
        body,
    };
    let raw = write.source.as_ref().map(|source| source.raw.clone());
    tx.put_record(row, &context.to_string(), raw, index).await?;
    if made.deleted {
        rules::cancel_about(hub, tx, tenant, &format!("{}/{}", entity.name, known.id)).await?;
    }
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
        trace: context.to_string(),
        changed: made.changed.join(","),
    });
    let events = events.collect();
    let became = if stored.is_some() { Became::Updated } else { Became::Created };
    Ok(Applied { entity, id: known.id, version: version + 1, became, events })
}

/// Puts hub ids in the place of references by remote id, as far as they are known.
async fn resolve(tx: &mut Tx, tenant: &str, fields: &str) -> Result<String, StoreError> {
    let wanted = {
        let arena = Arena::new();
        let mut found = Vec::new();
        let value = json::read(&arena, fields.as_bytes(), Limits::default()).unwrap_or_default();
        unresolved(value, &mut found);
        found
    };
    if wanted.is_empty() {
        return Ok(fields.to_owned());
    }
    let mut known = Vec::with_capacity(wanted.len());
    for (entity, connection, remote_id) in wanted {
        if hub_model::entity(&entity).is_some()
            && let Some(identity) = tx.identity(tenant, &connection, &entity, &remote_id).await?
        {
            known.push(((entity, connection, remote_id), identity.id));
        }
    }
    let arena = Arena::new();
    let value = json::read(&arena, fields.as_bytes(), Limits::default()).unwrap_or_default();
    Ok(json::to_string(&with_ids(&arena, value, &known)))
}

type RemoteRef = (String, String, String);

/// The parts of a value that is an unresolved reference.
fn as_unresolved(value: Value<'_>) -> Option<RemoteRef> {
    let source = value.get("source");
    let part = |value: Value<'_>| value.as_text().map(str::to_owned);
    let all = (part(value.get("type"))?, part(source.get("connection_id"))?, part(source.get("remote_id"))?);
    value.get("id").is_absent().then_some(all)
}

fn unresolved(value: Value<'_>, found: &mut Vec<RemoteRef>) {
    if let Some(reference) = as_unresolved(value) {
        if !found.contains(&reference) {
            found.push(reference);
        }
        return;
    }
    value.items().iter().for_each(|item| unresolved(*item, found));
    value.entries().iter().for_each(|(_, value)| unresolved(*value, found));
}

fn with_ids<'a>(arena: &'a Arena, value: Value<'a>, known: &[(RemoteRef, String)]) -> Value<'a> {
    if let Some(reference) = as_unresolved(value) {
        let Some((_, id)) = known.iter().find(|(of, _)| *of == reference) else { return value };
        let mut entries = vec![("type", value.get("type")), ("id", Value::Text(arena.text(id)))];
        entries.extend(value.entries().iter().filter(|(key, _)| *key == "display"));
        return arena.map(&entries);
    }
    match value {
        Value::List(items) => {
            let items: Vec<Value<'a>> = items.iter().map(|item| with_ids(arena, *item, known)).collect();
            arena.list(&items)
        }
        Value::Map(map) => {
            let entries: Vec<(&'a str, Value<'a>)> =
                map.entries().iter().map(|(key, value)| (*key, with_ids(arena, *value, known))).collect();
            arena.map(&entries)
        }
        value => value,
    }
}

/// The values to find a record by. Personal ones are kept as keyed hashes: good for exact search, not for reading.
fn index_of(hub: &Hub, tenant: &str, entity: &EntityType, document: &str) -> Result<Vec<IndexEntry>, StoreError> {
    let arena = Arena::new();
    let document = json::read(&arena, document.as_bytes(), Limits::default()).unwrap_or_default();
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

    #[test]
    fn references_get_their_ids_where_they_lie() {
        let arena = Arena::new();
        let text = br#"{"a":{"type":"candidate","source":{"connection_id":"gh","remote_id":"9"},"display":"X"},"b":[{"type":"stage","source":{"connection_id":"gh","remote_id":"1"}}]}"#;
        let value = json::read(&arena, text, Limits::default()).unwrap();
        let mut found = Vec::new();
        unresolved(value, &mut found);
        assert_eq!(found.len(), 2);
        let known = [(found[0].clone(), "id-9".to_owned())];
        let text = json::to_string(&with_ids(&arena, value, &known));
        assert!(
            text.starts_with(r#"{"a":{"type":"candidate","id":"id-9","display":"X"},"b":[{"type":"stage","source""#),
            "{text}"
        );
    }
}
