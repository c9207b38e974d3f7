//! References between records, towards a system: the hub's ids get the system's own beside them.

use hub_store::RecordId;
use hub_tree::{Arena, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Records that a value refers to by their hub ids.
pub(super) fn named(value: Value<'_>, found: &mut BTreeSet<RecordId>) {
    if let Some(record) = by_id(value) {
        found.insert(record);
        return;
    }
    value.items().iter().for_each(|item| named(*item, found));
    value.entries().iter().for_each(|(_, value)| named(*value, found));
}

fn by_id(value: Value<'_>) -> Option<RecordId> {
    let (entity, id) = (value.get("type").as_text()?, value.get("id").as_text()?);
    hub_model::entity(entity).map(|_| (entity.to_owned(), id.to_owned()))
}

/// A value whose references also name their records as the connection knows them, as far as it does.
pub(super) fn with_remote<'a>(
    arena: &'a Arena,
    value: Value<'a>,
    connection: &'a str,
    known: &BTreeMap<RecordId, String>,
) -> Value<'a> {
    if let Some(record) = by_id(value) {
        let Some(remote_id) = known.get(&record) else { return value };
        let source = [("connection_id", Value::Text(connection)), ("remote_id", Value::Text(arena.text(remote_id)))];
        let mut entries = value.entries().to_vec();
        entries.push(("source", arena.map(&source)));
        return arena.map(&entries);
    }
    match value {
        Value::List(items) => {
            let items: Vec<Value<'a>> = items.iter().map(|item| with_remote(arena, *item, connection, known)).collect();
            arena.list(&items)
        }
        Value::Map(map) => {
            let entries = map.entries().iter();
            let entries: Vec<(&'a str, Value<'a>)> =
                entries.map(|(key, value)| (*key, with_remote(arena, *value, connection, known))).collect();
            arena.map(&entries)
        }
        value => value,
    }
}
