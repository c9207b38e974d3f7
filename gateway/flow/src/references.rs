//! References between records: a payload names others by their ids at the vendor; hub ids take their place.

use hub_store::RemoteId;
use hub_tree::{Arena, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The references by remote id in a JSON text.
pub(crate) fn of(fields: &str) -> BTreeSet<RemoteId> {
    let arena = Arena::new();
    let mut found = BTreeSet::new();
    collect(json::read(&arena, fields.as_bytes(), Limits::default()).unwrap_or_default(), &mut found);
    found
}

/// Puts hub ids in the place of references by remote id, as far as they are known.
pub(crate) fn resolve(fields: &str, known: &BTreeMap<RemoteId, String>) -> String {
    let arena = Arena::new();
    let value = json::read(&arena, fields.as_bytes(), Limits::default()).unwrap_or_default();
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    if found.is_empty() {
        return fields.to_owned();
    }
    json::to_string(&with_ids(&arena, value, known))
}

/// The parts of a value that is an unresolved reference.
fn as_unresolved(value: Value<'_>) -> Option<RemoteId> {
    let source = value.get("source");
    let part = |value: Value<'_>| value.as_text().map(str::to_owned);
    let (entity, connection) = (part(value.get("type"))?, part(source.get("connection_id"))?);
    let remote_id = part(source.get("remote_id"))?;
    value.get("id").is_absent().then_some(RemoteId { connection, entity, remote_id })
}

fn collect(value: Value<'_>, found: &mut BTreeSet<RemoteId>) {
    if let Some(reference) = as_unresolved(value) {
        if hub_model::entity(&reference.entity).is_some() {
            found.insert(reference);
        }
        return;
    }
    value.items().iter().for_each(|item| collect(*item, found));
    value.entries().iter().for_each(|(_, value)| collect(*value, found));
}

fn with_ids<'a>(arena: &'a Arena, value: Value<'a>, known: &BTreeMap<RemoteId, String>) -> Value<'a> {
    if let Some(reference) = as_unresolved(value) {
        let Some(id) = known.get(&reference) else { return value };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_their_ids_where_they_lie() {
        let text = r#"{"a":{"type":"candidate","source":{"connection_id":"gh","remote_id":"9"},"display":"X"},"b":[{"type":"application","source":{"connection_id":"gh","remote_id":"1"}},{"type":"nothing","source":{"connection_id":"gh","remote_id":"1"}}]}"#;
        let found = of(text);
        let named: Vec<(&str, &str)> =
            found.iter().map(|remote| (remote.entity.as_str(), remote.remote_id.as_str())).collect();
        assert_eq!(named, [("application", "1"), ("candidate", "9")]);
        let known: BTreeMap<RemoteId, String> =
            found.into_iter().skip(1).map(|remote| (remote, "id-9".to_owned())).collect();
        let text = resolve(text, &known);
        assert!(
            text.starts_with(
                r#"{"a":{"type":"candidate","id":"id-9","display":"X"},"b":[{"type":"application","source""#
            ),
            "{text}"
        );
        assert_eq!(resolve(r#"{"a": 1}"#, &known), r#"{"a": 1}"#);
    }
}
