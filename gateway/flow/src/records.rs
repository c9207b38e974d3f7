//! Records: how a patch becomes a new version, and which events that means.
//!
//! An absent field leaves the stored value; an explicit null removes it. Objects that are made of parts (a name, an
//! address) are merged, values that are one thing (a score, an amount, an enum, a reference, a list) are replaced. When
//! nothing changed, nothing is written and nothing is told.

use crate::hub::Hub;
use hub_model::describe::When;
use hub_model::{Class, EntityType, Field, SCHEMA_VERSION, Type};
use hub_store::{Identity, IndexEntry, NewEvent, RecordRow, StoreError, Tx};
use hub_tree::clock::rfc3339_micros;
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
    /// A new one, with this hub id.
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

/// What stands at the head of a document.
struct Head<'h> {
    tenant: &'h str,
    id: &'h str,
    version: i64,
    now: i64,
    stored: Option<&'h RecordRow>,
}

/// A new version of a record.
struct Made {
    document: String,
    deleted: bool,
    /// The names of the entity's fields that changed.
    changed: Vec<String>,
    verbs: Vec<&'static str>,
}

/// The document that a word makes of the stored one; `None` when nothing of it is news.
fn merge(write: &Write, old: &[u8], patch: &str, head: &Head<'_>) -> Option<Made> {
    let arena = Arena::new();
    let read = |bytes| json::read(&arena, bytes, Limits::default()).unwrap_or_default();
    let (old, patch) = (read(old), read(patch.as_bytes()));
    let entity = write.entity;
    let mut fields = Vec::new();
    let mut changed = Vec::new();
    for field in entity.fields {
        let (before, said) = (old.get(field.name), patch.get(field.name));
        let after = merge_field(&arena, field.ty, before, said);
        if before != after {
            changed.push(field.name.to_owned());
        }
        if !after.is_absent() {
            fields.push((field.name, after));
        }
    }
    let custom = merge_field(
        &arena,
        &Type::Json,
        old.get("custom"),
        merged_maps(&arena, old.get("custom"), patch.get("custom")),
    );
    if custom != old.get("custom") {
        changed.push("custom".to_owned());
    }
    let ext = merged_ext(&arena, write, old.get("ext"));
    let was_deleted = head.stored.is_some_and(|row| row.deleted_at.is_some());
    let nothing_new = changed.is_empty() && ext == old.get("ext") && write.deleted == was_deleted;
    if nothing_new && head.stored.is_some() {
        return None;
    }
    let verbs = verbs(entity, old, &fields, head.stored.is_some(), write.deleted && !was_deleted);
    let (sources, index) = merged_sources(&arena, write, old.get("sources"));
    let field_meta = merged_meta(&arena, write, old.get("field_meta"), index);
    let text = |text: &str| Value::Text(arena.text(text));
    let created_at = head.stored.map_or(head.now, |row| row.created_at);
    let mut entries = vec![
        ("id", text(head.id)),
        ("tenant_id", text(head.tenant)),
        ("entity", Value::Text(entity.name)),
        ("schema_version", Value::Text(SCHEMA_VERSION)),
        ("version", Value::Number(arena.format(format_args!("{}", head.version)))),
        ("created_at", text(&rfc3339_micros(created_at))),
        ("updated_at", text(&rfc3339_micros(head.now))),
    ];
    if write.deleted {
        entries.push(("deleted_at", text(&rfc3339_micros(head.now))));
    }
    entries.push(("sources", sources));
    entries.extend(fields);
    entries
        .extend([("custom", custom), ("ext", ext), ("field_meta", field_meta)].iter().filter(|(_, v)| !v.is_absent()));
    let document = json::to_string(&arena.map(&entries));
    Some(Made { document, deleted: write.deleted, changed, verbs })
}

/// A field after a word about it. References compare and replace without regard to how they are shown.
fn merge_field<'a>(arena: &'a Arena, ty: &Type, before: Value<'a>, said: Value<'a>) -> Value<'a> {
    match (ty, before, said) {
        (_, before, Value::Absent) => before,
        (_, _, Value::Null) => Value::Absent,
        (Type::Struct(of), Value::Map(old), Value::Map(new)) if !is_one_thing(of.name) => {
            let mut entries = Vec::new();
            for field in of.fields {
                let value = merge_field(arena, field.ty, old.get(field.name), new.get(field.name));
                if !value.is_absent() {
                    entries.push((field.name, value));
                }
            }
            if entries.is_empty() { Value::Absent } else { arena.map(&entries) }
        }
        (Type::Struct(_), _, Value::Map(new)) => {
            let kept: Vec<(&str, Value<'a>)> = new.entries().iter().filter(|(_, v)| !v.is_absent()).copied().collect();
            if kept.is_empty() { Value::Absent } else { arena.map(&kept) }
        }
        (_, _, said) => said,
    }
}

/// Structs that are one value: half an amount of money means nothing.
fn is_one_thing(name: &str) -> bool {
    matches!(name, "Money" | "Score" | "Rating" | "Phone" | "Email" | "NationalId" | "File")
}

fn merged_maps<'a>(arena: &'a Arena, old: Value<'a>, new: Value<'a>) -> Value<'a> {
    if new.is_absent() {
        return Value::Absent;
    }
    let mut entries: Vec<(&str, Value<'a>)> =
        old.entries().iter().filter(|(key, _)| new.get(key) == Value::Absent).copied().collect();
    entries.extend(new.entries().iter().filter(|(_, value)| !value.is_absent()));
    arena.map(&entries)
}

/// What no rule read, under the system's name; what a payload of a system left replaces what its last one did.
fn merged_ext<'a>(arena: &'a Arena, write: &Write, old: Value<'a>) -> Value<'a> {
    let (Some(source), Some(ext)) = (&write.source, &write.ext) else { return old };
    let text = arena.bytes(ext.as_bytes());
    let Ok(new) = json::read(arena, text, Limits::default()) else { return old };
    let entry = [(arena.text(&source.system), new)];
    merged_maps(arena, old, arena.map(&entry))
}

fn merged_sources<'a>(arena: &'a Arena, write: &Write, old: Value<'a>) -> (Value<'a>, Option<usize>) {
    let Some(source) = &write.source else {
        return (if old.is_absent() { arena.list(&[]) } else { old }, None);
    };
    let Target::Remote { key, hub_id } = &write.target else { return (old, None) };
    let text = |text: &str| Value::Text(arena.text(text));
    let remote_id = key.as_deref().or(hub_id.as_deref()).unwrap_or_default();
    let mut entries = vec![
        ("connection_id", text(&source.connection)),
        ("system", text(&source.system)),
        ("remote_id", text(remote_id)),
    ];
    entries.extend(source.url.as_deref().map(|url| ("remote_url", text(url))));
    entries.extend(source.vendor_time.map(|at| ("remote_updated_at", text(&rfc3339_micros(at)))));
    entries.extend([
        ("fetched_at", text(&rfc3339_micros(source.received_at))),
        ("raw_ref", text(&source.raw)),
        ("raw_sha256", text(&source.raw_sha256)),
        ("mapping_id", text(&source.mapping)),
        ("mapping_version", text(&source.mapping_version)),
    ]);
    let new = arena.map(&entries);
    let mut sources: Vec<Value<'a>> = old.items().to_vec();
    let same = |known: &Value<'a>| {
        known.get("connection_id").as_text() == Some(&source.connection)
            && known.get("remote_id").as_text() == Some(remote_id)
    };
    let index = sources.iter().position(same).unwrap_or_else(|| {
        sources.push(new);
        sources.len() - 1
    });
    sources[index] = new;
    (arena.list(&sources), Some(index))
}

fn merged_meta<'a>(arena: &'a Arena, write: &Write, old: Value<'a>, source: Option<usize>) -> Value<'a> {
    let mut entries: Vec<(&str, Value<'a>)> = old
        .entries()
        .iter()
        .filter(|(pointer, _)| !write.rules.iter().any(|(set, _)| set == pointer))
        .copied()
        .collect();
    for (pointer, rule) in &write.rules {
        let mut meta = Vec::new();
        meta.extend(source.map(|index| ("source", Value::Number(arena.format(format_args!("{index}"))))));
        meta.push(("rule", Value::Text(arena.text(rule))));
        entries.push((arena.text(pointer), arena.map(&meta)));
    }
    entries.sort_by_key(|(pointer, _)| *pointer);
    if entries.is_empty() { Value::Absent } else { arena.map(&entries) }
}

/// The verbs that a change means, the general one first.
fn verbs(
    entity: &EntityType,
    old: Value<'_>,
    new: &[(&'static str, Value<'_>)],
    existed: bool,
    deleted: bool,
) -> Vec<&'static str> {
    let mut verbs = vec![if deleted {
        "deleted"
    } else if existed {
        "updated"
    } else {
        "created"
    }];
    let value = |name: &str| new.iter().find(|(field, _)| *field == name).map_or(Value::Absent, |(_, value)| *value);
    for verb in entity.verbs {
        let happened = match verb.when {
            When::Created => !existed,
            When::Changed(field) => {
                let (before, after) = (old.get(field), value(field));
                !after.is_absent() && !same_value(before, after)
            }
            When::Becomes(field, wanted) => {
                let is = |value: Value<'_>| value.get("value").as_text() == Some(wanted);
                !is(old.get(field)) && is(value(field))
            }
        };
        if happened {
            verbs.push(verb.verb);
        }
    }
    verbs
}

/// Whether two values are the same; references are when they point at the same record, whatever it is called.
fn same_value(before: Value<'_>, after: Value<'_>) -> bool {
    fn target<'v>(reference: Value<'v>) -> Option<(&'v str, Option<&'v str>, Option<&'v str>)> {
        let source = reference.get("source");
        let id = reference.get("id").as_text().or_else(|| source.get("remote_id").as_text());
        Some((reference.get("type").as_text()?, id, source.get("connection_id").as_text()))
    }
    match (target(before), target(after)) {
        (Some(before), Some(after)) => before == after,
        _ => before == after,
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

    fn write(entity: &str, key: &str, rules: &[&str]) -> Write {
        Write {
            entity: hub_model::entity(entity).unwrap(),
            target: Target::Remote { key: Some(key.into()), hub_id: None },
            fields: String::new(),
            ext: None,
            deleted: false,
            rules: rules.iter().map(|pointer| ((*pointer).to_owned(), format!("rule{pointer}"))).collect(),
            source: Some(SourceOf {
                connection: "gh".into(),
                system: "greenhouse".into(),
                url: None,
                vendor_time: Some(1_000_000),
                received_at: 2_000_000,
                raw: "raw1".into(),
                raw_sha256: "abc".into(),
                mapping: "greenhouse/application.in".into(),
                mapping_version: "v1".into(),
            }),
        }
    }

    fn row(version: i64) -> RecordRow {
        RecordRow {
            tenant: "default".into(),
            entity: "x".into(),
            id: "1".into(),
            version,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
            body: hub_store::Sealed(vec![]),
        }
    }

    fn make(write: &Write, old: &str, patch: &str) -> Option<Made> {
        let stored = row(1);
        let head =
            Head { tenant: "default", id: "1", version: 2, now: 3_000_000, stored: (old != "{}").then_some(&stored) };
        merge(write, old.as_bytes(), patch, &head)
    }

    #[test]
    fn a_patch_leaves_what_it_does_not_name_and_removes_what_it_nulls() {
        let person = write("person", "p", &["/name/preferred"]);
        let first =
            make(&person, "{}", r#"{"name":{"full":"李娜","preferred":"Nana"},"emails":[{"address":"a@b.cn"}]}"#)
                .unwrap();
        assert_eq!(first.verbs, ["created"]);
        let second =
            make(&person, &first.document, r#"{"name":{"latin":"Li Na","preferred":null},"emails":[]}"#).unwrap();
        assert!(
            second.document.contains(r#""name":{"full":"李娜","latin":"Li Na"},"emails":[]"#),
            "{}",
            second.document
        );
        assert_eq!((second.verbs, second.changed), (vec!["updated"], vec!["name".to_owned(), "emails".to_owned()]));
    }

    #[test]
    fn the_same_word_twice_is_no_news() {
        let application = write("application", "77", &[]);
        let patch = r#"{"stage":{"type":"stage","source":{"connection_id":"gh","remote_id":"5"},"display":"AI"}}"#;
        let first = make(&application, "{}", patch).unwrap();
        assert_eq!(first.verbs, ["created", "stage_changed"]);
        assert!(make(&application, &first.document, patch).is_none());
        // A stage that was only renamed is no move.
        let renamed = make(&application, &first.document, &patch.replace("AI", "AI interview")).unwrap();
        assert_eq!(renamed.verbs, ["updated"]);
        let moved = make(&application, &first.document, &patch.replace("\"5\"", "\"6\"")).unwrap();
        assert_eq!(moved.verbs, ["updated", "stage_changed"]);
    }

    #[test]
    fn states_tell_when_they_are_reached_not_when_they_are_repeated() {
        let order = write("assessment_order", "o", &[]);
        let open = make(&order, "{}", r#"{"status":{"value":"OPEN"}}"#).unwrap();
        assert_eq!(open.verbs, ["created"]);
        let done = make(&order, &open.document, r#"{"status":{"value":"COMPLETED"}}"#).unwrap();
        assert_eq!(done.verbs, ["updated", "completed"]);
        let again = make(&order, &done.document, r#"{"status":{"value":"COMPLETED"},"vendor":"x"}"#).unwrap();
        assert_eq!(again.verbs, ["updated"]);
    }

    #[test]
    fn provenance_names_source_and_rule_of_every_mapped_field() {
        let made =
            make(&write("person", "p", &["/name", "/emails"]), "{}", r#"{"name":{"full":"A"},"emails":[]}"#).unwrap();
        for wanted in [
            r#""sources":[{"connection_id":"gh","system":"greenhouse","remote_id":"p","remote_updated_at":"1970-01-01T00:00:01.000Z","#,
            r#""field_meta":{"/emails":{"source":0,"rule":"rule/emails"},"/name":{"source":0,"rule":"rule/name"}}"#,
        ] {
            assert!(made.document.contains(wanted), "{}", made.document);
        }
    }

    #[test]
    fn the_vendors_time_decides_what_is_older_else_the_time_of_receipt() {
        let source = |vendor_time, received_at| {
            let write = write("person", "p", &[]);
            SourceOf { vendor_time, received_at, ..write.source.unwrap() }
        };
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
