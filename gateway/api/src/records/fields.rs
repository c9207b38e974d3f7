//! `fields=id,name.full,emails`: parts of records.

use super::times::scope_for;
use crate::problem::Problem;
use hub_model::{Class, EntityType, Field, Type, envelope};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Value};
use std::collections::BTreeMap;

/// What every answer holds, whatever is wanted of it.
const ALWAYS: [&str; 2] = ["id", "version"];

/// The parts of a record that are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, Part>);

/// A part: all of it, or parts of it.
#[derive(Clone, Debug, Default)]
struct Part {
    whole: bool,
    within: BTreeMap<String, Part>,
}

impl Fields {
    /// Reads names separated by commas; parts of a part behind a dot.
    pub(crate) fn read(entity: &'static EntityType, allowed: Class, text: &str) -> Result<Self, Problem> {
        let mut all = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let path: Vec<&str> = name.split('.').collect();
            check(entity, allowed, "fields", &path.join("/"))?;
            all.add(&path);
        }
        if all.0.is_empty() {
            return Err(Problem::bad_parameter("fields", "`fields` names no field", None));
        }
        for name in ALWAYS {
            all.add(&[name]);
        }
        Ok(all)
    }

    fn add(&mut self, path: &[&str]) {
        let mut parts = &mut self.0;
        for (index, name) in path.iter().enumerate() {
            let part = parts.entry((*name).to_owned()).or_default();
            part.whole |= index + 1 == path.len();
            parts = &mut part.within;
        }
    }

    /// Whether a place, given as a JSON pointer, or something in it is wanted.
    pub(crate) fn want(&self, pointer: &str) -> bool {
        let mut parts = &self.0;
        let names = pointer.split('/').skip(1).filter(|name| name.parse::<usize>().is_err());
        for name in names {
            match parts.get(name) {
                None => return false,
                Some(part) if part.whole => return true,
                Some(part) => parts = &part.within,
            }
        }
        true
    }

    /// What is wanted of a document.
    pub(crate) fn cut<'a>(&self, arena: &'a Arena, document: Value<'a>) -> Value<'a> {
        cut(arena, &self.0, document)
    }
}

fn cut<'a>(arena: &'a Arena, parts: &BTreeMap<String, Part>, value: Value<'a>) -> Value<'a> {
    match value {
        Value::List(items) => {
            let items: Vec<Value<'a>> = items.iter().map(|item| cut(arena, parts, *item)).collect();
            arena.list(&items)
        }
        Value::Map(map) => {
            let kept = |(name, value): &(&'a str, Value<'a>)| {
                let part = parts.get(*name)?;
                Some((*name, if part.whole { *value } else { cut(arena, &part.within, *value) }))
            };
            let entries: Vec<(&'a str, Value<'a>)> = map.entries().iter().filter_map(kept).collect();
            arena.map(&entries)
        }
        // A plain value has no parts.
        _ => Value::Null,
    }
}

/// Refuses a place, given as a JSON pointer, that an entity does not have, or that the caller may not read.
pub(super) fn check(
    entity: &'static EntityType,
    allowed: Class,
    parameter: &str,
    pointer: &str,
) -> Result<(), Problem> {
    let names = pointer.trim_start_matches('/').split('/');
    let path: Vec<&str> = names.filter(|name| name.parse::<usize>().is_err()).collect();
    let name = path.join(".");
    let forbidden = |class: Class| Err(Problem::forbidden(scope_for(class)));
    let unknown = |at: usize, known: Vec<&str>| {
        let (above, last) = (path.get(..at).unwrap_or_default(), path.get(at).copied().unwrap_or_default());
        let full = |last: &str| above.iter().copied().chain([last]).collect::<Vec<_>>().join(".");
        let known: Vec<String> = known.into_iter().map(full).collect();
        let near = suggest(&full(last), known.iter().map(String::as_str));
        Err(Problem::bad_parameter(parameter, format!("there is no field `{name}`"), near))
    };
    let mut fields = entity.fields;
    let mut at = 0;
    while let Some(part) = path.get(at) {
        if fields.as_ptr() == entity.fields.as_ptr() && envelope::NAMES.contains(part) {
            let open = matches!(*part, "ext" | "custom");
            return if open && allowed < Class::S2 { forbidden(Class::S2) } else { Ok(()) };
        }
        let Some(field) = fields.iter().find(|field| field.name == *part) else {
            let head = if at == 0 { envelope::NAMES } else { &[] };
            return unknown(at, fields.iter().map(|field| field.name).chain(head.iter().copied()).collect());
        };
        if field.class > allowed {
            return forbidden(field.class);
        }
        at += 1;
        let Some(next) = path.get(at) else { return Ok(()) };
        let parts: &[&str] = match item(field) {
            Type::Struct(of) => {
                fields = of.fields;
                continue;
            }
            Type::Json | Type::Localized => return Ok(()),
            Type::Enum(_) => &["value", "raw", "label"],
            // What is put in by `expand` has the fields of its own entity, which it was checked for.
            Type::Ref(_) if *next == "record" => return Ok(()),
            Type::Ref(_) => &["type", "id", "display", "source", "record"],
            _ => &[],
        };
        return if parts.contains(next) { Ok(()) } else { unknown(at, parts.to_vec()) };
    }
    Ok(())
}

/// The type of a field, or of the items of its list.
fn item(field: &Field) -> &'static Type {
    let mut ty = field.ty;
    while let Type::List(inner) = ty {
        ty = inner;
    }
    ty
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Limits, json};

    fn read(allowed: Class, text: &str) -> Result<Fields, Problem> {
        Fields::read(hub_model::entity("candidate").unwrap(), allowed, text)
    }

    #[test]
    fn of_a_record_its_id_its_version_and_what_is_wanted_are_left() {
        let arena = Arena::new();
        let text = br#"{"id":"1","version":2,"entity":"candidate","name":{"full":"\u674e\u5a1c","given":"\u5a1c"},
            "emails":[{"address":"a@b.cn","type":{"value":"WORK"}},{"address":"c@d.cn"}],"tags":["x"]}"#;
        let document = json::read(&arena, text, Limits::default()).unwrap();
        let cut = |fields: &str| json::to_string(&read(Class::S2, fields).unwrap().cut(&arena, document));
        assert_eq!(cut("name.full"), r#"{"id":"1","version":2,"name":{"full":"李娜"}}"#);
        assert_eq!(
            cut(" emails.address , tags"),
            r#"{"id":"1","version":2,"emails":[{"address":"a@b.cn"},{"address":"c@d.cn"}],"tags":["x"]}"#
        );
        assert_eq!(cut("name.given,name"), r#"{"id":"1","version":2,"name":{"full":"李娜","given":"娜"}}"#);
    }

    #[test]
    fn unknown_fields_are_named_with_what_could_be_meant_and_closed_ones_with_their_scope() {
        let refused = |allowed, text: &str| serde_json::to_string(&read(allowed, text).unwrap_err()).unwrap();
        assert!(refused(Class::S2, "emials").contains("did you mean `emails`?"));
        assert!(refused(Class::S2, "name.ful").contains("did you mean `name.full`?"));
        assert!(refused(Class::S2, "name.full.x").contains("there is no field `name.full.x`"));
        assert!(refused(Class::S2, " , ").contains("names no field"));
        assert!(refused(Class::S1, "name").contains("`read`") && refused(Class::S1, "ext").contains("`read`"));
        assert!(read(Class::S1, "id,sources.remote_id,updated_at").is_ok());
    }

    #[test]
    fn a_place_is_wanted_with_what_is_around_it_and_what_is_in_it() {
        let fields = read(Class::S2, "name.full,emails").unwrap();
        for wanted in ["/name", "/name/full", "/emails/0/address", "/id"] {
            assert!(fields.want(wanted), "{wanted}");
        }
        assert!(!fields.want("/name/given") && !fields.want("/phones"));
    }
}
