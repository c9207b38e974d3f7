//! Reads what a caller says of a record. The declared type decides what each value may be and how it is written; every
//! problem of a body is told, with its JSON pointer. Nothing is guessed: text is not a number, an unknown value of an
//! enum is an error here, because the caller can be asked.

use crate::describe::{EntityType, EnumType, Field, Type};
use crate::scalars::check_text;
use hub_tree::finding::suggest;
use hub_tree::{Arena, Decimal, Value};

/// A value that a record cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is wrong, and what it should be; the value itself is not quoted.
    pub reason: String,
}

/// Reads the fields of an entity from a JSON object. Null removes a field; `except` names fields that callers may not
/// set. Whether what must be there is there is the caller's to ask: see [`missing`].
///
/// # Errors
/// All that is wrong with it.
pub fn accept<'a>(
    arena: &'a Arena,
    entity: &EntityType,
    given: Value<'a>,
    except: &[&str],
) -> Result<Value<'a>, Vec<Refusal>> {
    let mut reader = Reader { arena, refusals: Vec::new() };
    let fields: Vec<&Field> = entity.fields.iter().filter(|field| !except.contains(&field.name)).collect();
    let read = reader.object(&fields, given, "");
    if reader.refusals.is_empty() { Ok(read) } else { Err(reader.refusals) }
}

/// The required fields that are not there.
pub fn missing<'e>(entity: &'e EntityType, given: Value<'_>) -> impl Iterator<Item = &'e str> {
    entity
        .fields
        .iter()
        .filter(move |field| field.required && given.get(field.name).is_absent())
        .map(|field| field.name)
}

struct Reader<'a> {
    arena: &'a Arena,
    refusals: Vec<Refusal>,
}

impl<'a> Reader<'a> {
    fn refuse(&mut self, pointer: &str, reason: impl Into<String>) -> Value<'a> {
        self.refusals.push(Refusal { pointer: pointer.to_owned(), reason: reason.into() });
        Value::Absent
    }

    fn object(&mut self, fields: &[&Field], given: Value<'a>, pointer: &str) -> Value<'a> {
        let Value::Map(map) = given else { return self.refuse(pointer, "this is an object") };
        let mut entries = Vec::with_capacity(map.entries().len());
        for (name, value) in map.entries() {
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            match fields.iter().find(|field| field.name == *name) {
                Some(field) => entries.push((field.name, self.value(field.ty, *value, &pointer))),
                None => {
                    let near = suggest(name, fields.iter().map(|field| field.name));
                    let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                    self.refuse(&pointer, format!("unknown field `{name}`{near}"));
                }
            }
        }
        self.arena.map(&entries)
    }

    fn value(&mut self, ty: &Type, given: Value<'a>, pointer: &str) -> Value<'a> {
        match (ty, given) {
            (_, Value::Null) | (Type::Json, _) => given,
            (Type::Text, Value::Text(_)) | (Type::Bool, Value::Bool(_)) => given,
            (Type::Text, _) => self.refuse(pointer, "this is text"),
            (Type::Bool, _) => self.refuse(pointer, "this is true or false"),
            (Type::Localized, _) => self.localized(given, pointer),
            (Type::Integer, _) => match given.as_decimal().filter(Decimal::is_integer) {
                Some(_) if !matches!(given, Value::Text(_)) => given,
                _ => self.refuse(pointer, "this is a whole number"),
            },
            (Type::Decimal | Type::Rate, _) => self.decimal(given, pointer),
            (Type::Enum(of), _) => self.word(of, given, pointer),
            (Type::Ref(entity), _) => self.reference(entity, given, pointer),
            (Type::List(item), Value::List(items)) => {
                let read =
                    |(index, value): (usize, &Value<'a>)| self.value(item, *value, &format!("{pointer}/{index}"));
                let items: Vec<Value<'a>> = items.iter().enumerate().map(read).collect();
                self.arena.list(&items)
            }
            (Type::List(_), _) => self.refuse(pointer, "this is a list"),
            (Type::Struct(of), _) => {
                let fields: Vec<&Field> = of.fields.iter().collect();
                self.object(&fields, given, pointer)
            }
            (_, Value::Text(text)) => match check_text(ty, text) {
                Ok(written) => Value::Text(self.arena.text(&written)),
                Err(wanted) => self.refuse(pointer, format!("this is {wanted}")),
            },
            (_, _) => self.refuse(pointer, format!("this is text: {}", ty.name())),
        }
    }

    fn localized(&mut self, given: Value<'a>, pointer: &str) -> Value<'a> {
        let known = |(language, text): &(&str, Value<'_>)| {
            check_text(&Type::Lang, language).is_ok() && matches!(text, Value::Text(_))
        };
        match given {
            Value::Text(_) => given,
            Value::Map(map) if map.entries().iter().all(known) => given,
            _ => self.refuse(pointer, "this is text, or an object of texts by language"),
        }
    }

    /// Exact numbers are written as text.
    fn decimal(&mut self, given: Value<'a>, pointer: &str) -> Value<'a> {
        let read = match given {
            Value::Text(text) => text.parse::<Decimal>().ok(),
            other => other.as_decimal(),
        };
        match read {
            Some(number) => Value::Text(self.arena.text(&number.normalize().to_string())),
            None => self.refuse(pointer, "this is a number"),
        }
    }

    /// `"TEXT"`, or `{"value": "TEXT"}` as it is read back.
    fn word(&mut self, of: &EnumType, given: Value<'a>, pointer: &str) -> Value<'a> {
        let text = if matches!(given, Value::Map(_)) { given.get("value") } else { given };
        match text.as_text().and_then(|text| of.values.iter().find(|known| **known == text)) {
            Some(known) => self.arena.map(&[("value", Value::Text(known))]),
            None => self.refuse(pointer, format!("this is one of: {}", of.values.join(", "))),
        }
    }

    /// An id, `{"id": …}`, or `{"connection": …, "remote_id": …}`; with a `type` where the field takes any entity.
    fn reference(&mut self, entity: &'static str, given: Value<'a>, pointer: &str) -> Value<'a> {
        let named = given.get("type").as_text();
        let ty = if entity.is_empty() { named.and_then(crate::entity).map(|known| known.name) } else { Some(entity) };
        let Some(ty) = ty.filter(|ty| named.is_none_or(|named| named == *ty)) else {
            let wanted = if entity.is_empty() { "the name of an entity".to_owned() } else { format!("`{entity}`") };
            return self.refuse(&format!("{pointer}/type"), format!("a reference names its `type`: {wanted}"));
        };
        let known = ["type", "id", "display", "connection", "remote_id"];
        if let Some((name, _)) = given.entries().iter().find(|(name, _)| !known.contains(name)) {
            return self
                .refuse(&format!("{pointer}/{name}"), "a reference has an `id`, or `connection` and `remote_id`");
        }
        let text = |name: &str| given.get(name).as_text().filter(|text| !text.is_empty());
        let (id, connection, remote_id) =
            (given.as_text().or_else(|| text("id")), text("connection"), text("remote_id"));
        match (id, connection, remote_id) {
            (Some(id), None, None) => self.arena.map(&[("type", Value::Text(ty)), ("id", Value::Text(id))]),
            (None, Some(connection), Some(remote_id)) => {
                let source = [("connection_id", Value::Text(connection)), ("remote_id", Value::Text(remote_id))];
                self.arena.map(&[("type", Value::Text(ty)), ("source", self.arena.map(&source))])
            }
            _ => self.refuse(pointer, "a reference has an `id`, or `connection` and `remote_id`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::shared::MESSAGE;
    use hub_tree::{Limits, json};

    fn read(text: &str) -> Result<String, Vec<(String, String)>> {
        let arena = Arena::new();
        let given = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        accept(&arena, &MESSAGE, given, &["status"])
            .map(|read| json::to_string(&read))
            .map_err(|refusals| refusals.into_iter().map(|one| (one.pointer, one.reason)).collect())
    }

    #[test]
    fn values_are_written_as_their_types_say() {
        let text = r#"{"channel":"DINGTALK","kind":{"value":"TEXT"},"to":[{"user":"hx1"},{"person":"p-1"}],
            "about":{"type":"application","connection":"gh","remote_id":"9"},"sent_at":"2026-03-01T08:00:00+08:00",
            "subject":null}"#;
        assert_eq!(
            read(text).unwrap(),
            r#"{"channel":{"value":"DINGTALK"},"kind":{"value":"TEXT"},"to":[{"user":"hx1"},{"person":{"type":"person","id":"p-1"}}],"about":{"type":"application","source":{"connection_id":"gh","remote_id":"9"}},"sent_at":"2026-03-01T00:00:00.000Z","subject":null}"#
        );
    }

    #[test]
    fn every_problem_is_told_with_its_place_and_no_value() {
        let refused = read(
            r#"{"channel":"PIGEON","kind":7,"to":[{"usr":"x"},"y"],"about":{"id":"1"},"sent_at":"soon","status":"SENT"}"#,
        );
        let refused = refused.unwrap_err();
        let places: Vec<&str> = refused.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(places, ["/channel", "/kind", "/to/0/usr", "/to/1", "/about/type", "/sent_at", "/status"]);
        assert!(refused[0].1.contains("DINGTALK") && !refused[0].1.contains("PIGEON"));
        assert!(refused[2].1.contains("did you mean `user`?"), "{refused:?}");
    }
}
