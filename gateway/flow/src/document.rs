//! A record's document: what a word makes of it, and which events that means. Nothing here asks the store.
//!
//! An absent field leaves the stored value; an explicit null removes it. Objects that are made of parts (a name, an
//! address) are merged, values that are one thing (a score, an amount, an enum, a reference, a list) are replaced.

use crate::explain::OWN;
use crate::records::{Target, Write};
use hub_model::describe::When;
use hub_model::{EntityType, SCHEMA_VERSION, Type};
use hub_store::RecordRow;
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Limits, Value, json};

/// What stands at the head of a document.
pub(crate) struct Head<'h> {
    pub(crate) tenant: &'h str,
    pub(crate) id: &'h str,
    pub(crate) version: i64,
    pub(crate) now: i64,
    pub(crate) stored: Option<&'h RecordRow>,
}

/// A new version of a record.
pub(crate) struct Made {
    pub(crate) document: String,
    pub(crate) deleted: bool,
    /// The names of the entity's fields that changed.
    pub(crate) changed: Vec<String>,
    pub(crate) verbs: Vec<&'static str>,
}

/// The document that a word makes of the stored one; `None` when nothing of it is news.
pub(crate) fn merge(write: &Write, old: &[u8], patch: &str, head: &Head<'_>) -> Option<Made> {
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
    let (sources, index) = merged_sources(&arena, write, old.get("sources"));
    // That a system knows the record, and by which id, is news even where it says nothing else.
    let is_linked = ids(sources).eq(ids(old.get("sources")));
    let nothing_new = changed.is_empty() && is_linked && ext == old.get("ext") && write.deleted == was_deleted;
    if nothing_new && head.stored.is_some() {
        return None;
    }
    let verbs = verbs(entity, old, &fields, head.stored.is_some(), write.deleted && !was_deleted);
    let meta = own_meta(&arena, write, old.get("field_meta"), patch, &changed);
    let field_meta = merged_meta(&arena, write, meta, index);
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
pub(crate) fn merge_field<'a>(arena: &'a Arena, ty: &Type, before: Value<'a>, said: Value<'a>) -> Value<'a> {
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
    let Some(ext) = &write.ext else { return old };
    let text = arena.bytes(ext.as_bytes());
    let Ok(new) = json::read(arena, text, Limits::default()) else { return old };
    let Some(source) = &write.source else { return systems_own(arena, old, new) };
    let entry = [(arena.text(&source.system), new)];
    merged_maps(arena, old, arena.map(&entry))
}

/// Systems' own fields as somebody has asked for them: each system's are laid over those that are known.
fn systems_own<'a>(arena: &'a Arena, old: Value<'a>, new: Value<'a>) -> Value<'a> {
    let laid = |(system, fields): &(&'a str, Value<'a>)| (*system, merged_maps(arena, old.get(system), *fields));
    let systems: Vec<(&str, Value<'a>)> = new.entries().iter().map(laid).collect();
    merged_maps(arena, old, arena.map(&systems))
}

/// Which systems know a record, and by which ids.
fn ids<'a>(sources: Value<'a>) -> impl Iterator<Item = [Option<&'a str>; 2]> {
    let of = |source: &Value<'a>| ["connection_id", "remote_id"].map(|name| source.get(name).as_text());
    sources.items().iter().map(of)
}

fn merged_sources<'a>(arena: &'a Arena, write: &Write, old: Value<'a>) -> (Value<'a>, Option<usize>) {
    let Some(source) = &write.source else {
        return (if old.is_absent() { arena.list(&[]) } else { old }, None);
    };
    let (key, hub_id, formerly) = match &write.target {
        Target::Remote { key, hub_id } => (key.as_deref(), hub_id.as_deref(), None),
        Target::Made { key, .. } => (Some(key.as_str()), None, None),
        Target::Renamed { key, formerly } => (Some(key.as_str()), None, Some(formerly.as_str())),
        Target::New(_) => return (old, None),
    };
    let text = |text: &str| Value::Text(arena.text(text));
    let remote_id = key.or(hub_id).unwrap_or_default();
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
        let id = known.get("remote_id").as_text();
        known.get("connection_id").as_text() == Some(&source.connection)
            && (id == Some(remote_id) || (formerly.is_some() && id == formerly))
    };
    let index = sources.iter().position(same).unwrap_or_else(|| {
        sources.push(new);
        sources.len() - 1
    });
    sources[index] = new;
    (arena.list(&sources), Some(index))
}

/// What is known of fields after a word of the hub's own: what it changes is no source's any more.
fn own_meta<'a>(arena: &'a Arena, write: &Write, old: Value<'a>, patch: Value<'a>, changed: &[String]) -> Value<'a> {
    if write.source.is_some() {
        return old;
    }
    let within = |outer: &str, pointer: &str| {
        pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut own = Vec::new();
    for field in write.entity.fields.iter().filter(|field| changed.iter().any(|name| name == field.name)) {
        places(field.ty, patch.get(field.name), &format!("/{}", field.name), &mut own);
    }
    own.retain(|place| !write.rules.iter().any(|(ruled, _)| within(place, ruled) || within(ruled, place)));
    let others = old.entries().iter().filter(|(pointer, _)| !own.iter().any(|place| within(place, pointer)));
    let mut entries: Vec<(&str, Value<'a>)> = others.copied().collect();
    let rule = arena.map(&[("rule", Value::Text(OWN))]);
    entries.extend(own.iter().map(|place| (arena.text(place), rule)));
    if entries.is_empty() { Value::Absent } else { arena.map(&entries) }
}

/// The places that a patch sets in a field: objects that are made of parts are gone into.
fn places(ty: &Type, said: Value<'_>, pointer: &str, found: &mut Vec<String>) {
    match (ty, said) {
        (Type::Struct(of), Value::Map(map)) => {
            for (name, value) in map.entries() {
                let ty = of.field(name).map_or(&Type::Json, |field| field.ty);
                places(ty, *value, &format!("{pointer}/{name}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
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
        // What a caller has asked for is no word of the system that took it.
        let source = source.filter(|_| !rule.starts_with("request "));
        meta.extend(source.map(|index| ("source", Value::Number(arena.format(format_args!("{index}"))))));
        meta.push(("rule", Value::Text(arena.text(rule))));
        entries.push((arena.text(pointer), arena.map(&meta)));
    }
    entries.sort_by_key(|(pointer, _)| *pointer);
    if entries.is_empty() { Value::Absent } else { arena.map(&entries) }
}

/// The verbs that a change means, the general one first.
pub(crate) fn verbs(
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
            When::Enters(field, wanted) => {
                let is = |value: Value<'_>| value.get("value").as_text().is_some_and(|text| wanted.contains(&text));
                !is(old.get(field)) && is(value(field))
            }
        };
        if happened && !verbs.contains(&verb.verb) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::SourceOf;

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
    fn that_a_system_knows_a_record_is_news_once() {
        let draft = r#"{"status":{"value":"DRAFT"}}"#;
        let first = make(&write("signature_envelope", "a", &[]), "{}", draft).unwrap();
        assert!(make(&write("signature_envelope", "a", &[]), &first.document, draft).is_none());
        let linked = make(&write("signature_envelope", "b", &[]), &first.document, draft).unwrap();
        assert_eq!((linked.changed.len(), linked.verbs), (0, vec!["updated"]));
        assert!(linked.document.contains(r#""remote_id":"b""#), "{}", linked.document);
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
    fn what_the_hub_changes_by_itself_is_no_sources_any_more() {
        let mapped = make(&write("person", "1", &["/name/full"]), "{}", r#"{"name":{"full":"A"}}"#).unwrap();
        let own = Write { source: None, rules: Vec::new(), ..write("person", "1", &[]) };
        let made = make(&own, &mapped.document, r#"{"name":{"full":"B"}}"#).unwrap();
        assert!(made.document.contains(r#""field_meta":{"/name/full":{"rule":"hub"}}"#), "{}", made.document);
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
}
