//! One item of a batch, and what can be wrong with it.

use crate::requests::{Misread, Trouble};
use hub_model::accept::Refusal;
use hub_tree::finding::suggest;
use hub_tree::{Arena, Id, Limits, Value, json};

const MEMBERS: [&str; 4] = ["method", "id", "key", "data"];
/// Longest key.
const LONGEST_KEY: usize = 200;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Create,
    Update,
    Upsert,
    Delete,
}

/// An item: `{method?, id?, key?, data}`.
#[derive(Debug)]
pub struct Item<'a> {
    pub(super) method: Method,
    pub(super) id: Option<String>,
    pub(super) key: Option<&'a str>,
    pub(super) data: Value<'a>,
}

impl<'a> Item<'a> {
    /// Reads an item.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(arena: &'a Arena, text: &[u8]) -> Result<Self, Refusal> {
        let wrong = |pointer: &str, reason: String| Refusal { pointer: pointer.to_owned(), reason };
        let read = json::read(arena, arena.bytes(text), Limits::default());
        let given = read.map_err(|error| wrong("", format!("this is no JSON: {error}")))?;
        let Value::Map(map) = given else { return Err(wrong("", "this is no JSON object".to_owned())) };
        if json::to_string(&given).contains("\\u0000") {
            return Err(wrong("", "a text holds a NUL".to_owned()));
        }
        if let Some((name, _)) = map.entries().iter().find(|(name, _)| !MEMBERS.contains(name)) {
            let near = suggest(name, MEMBERS).map(|near| format!("; {near}")).unwrap_or_default();
            let name = name.replace('~', "~0").replace('/', "~1");
            return Err(wrong(
                &format!("/{name}"),
                format!("unknown member{near}: the record's fields stand in `data`"),
            ));
        }
        let text = |name: &str| match given.get(name) {
            Value::Text(text) if !text.is_empty() && text.len() <= LONGEST_KEY => Ok(Some(text)),
            value if value.is_absent() => Ok(None),
            _ => Err(wrong(&format!("/{name}"), format!("text of 1 to {LONGEST_KEY} bytes"))),
        };
        let (id, key) = (text("id")?, text("key")?);
        let id = id.map(|id| id.to_lowercase().parse::<Id>().map(|id| id.to_string())).transpose();
        let id = id.map_err(|_| wrong("/id", "the id of a record".to_owned()))?;
        let method = match text("method")? {
            None if id.is_some() => Method::Update,
            None if key.is_some() => Method::Upsert,
            None | Some("create") => Method::Create,
            Some("update") => Method::Update,
            Some("upsert") => Method::Upsert,
            Some("delete") => Method::Delete,
            Some(_) => return Err(wrong("/method", "`create`, `update`, `upsert` or `delete`".to_owned())),
        };
        match (method, &id, key) {
            (Method::Create, Some(_), _) => {
                return Err(wrong("/id", "a new record gets its id from the hub".to_owned()));
            }
            (Method::Update | Method::Upsert | Method::Delete, None, None) => {
                return Err(wrong("/id", "the `id` of the record, or the `key` that it was made with".to_owned()));
            }
            _ => {}
        }
        let data = given.get("data");
        if !matches!(data, Value::Map(_)) && method != Method::Delete {
            return Err(wrong("/data", "the fields of the record, as an object".to_owned()));
        }
        Ok(Self { method, id, key, data })
    }
}

/// A problem of an item, as it is kept.
pub(super) fn problem(code: &str, detail: impl Into<String>, pointer: &str) -> String {
    let trouble = Trouble {
        code: code.to_owned(),
        detail: detail.into(),
        pointer: pointer.to_owned(),
        last_word: true,
        ..Trouble::default()
    };
    serde_json::to_string(&trouble).unwrap_or_default()
}

/// What is wrong with an item, as it is kept: all of it, with the place of the first.
pub(super) fn refused(refusals: &[Refusal], below: &str) -> String {
    let all: Vec<String> = refusals.iter().map(|one| format!("{below}{}: {}", one.pointer, one.reason)).collect();
    let first = refusals.first().map(|one| format!("{below}{}", one.pointer)).unwrap_or_default();
    problem("invalid_body", all.join("; "), &first)
}

pub(super) fn misread(misread: &Misread) -> String {
    match misread {
        Misread::Refused(refusals) => refused(refusals, "/data"),
        Misread::Above(_, pointers) => {
            let first = pointers.first().map(|pointer| format!("/data{pointer}")).unwrap_or_default();
            problem("forbidden", "the caller may not set fields of this class", &first)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_says_what_is_to_be_done_or_it_follows_from_what_it_names() {
        let arena = Arena::new();
        let id = "0198f0aa-0000-7000-8000-000000000001";
        let method = |text: &str| Item::read(&arena, text.as_bytes()).map(|item| item.method);
        assert_eq!(method(r#"{"data":{}}"#), Ok(Method::Create));
        assert_eq!(method(r#"{"key":"a","data":{}}"#), Ok(Method::Upsert));
        assert_eq!(method(&format!(r#"{{"id":"{id}","data":{{}}}}"#)), Ok(Method::Update));
        assert_eq!(method(&format!(r#"{{"id":"{id}","method":"delete"}}"#)), Ok(Method::Delete));
        for (bad, pointer) in [
            (r#"{"data":7}"#, "/data"),
            (r#"{"dat":{}}"#, "/dat"),
            (r#"{"method":"put","data":{}}"#, "/method"),
            (r#"{"method":"update","data":{}}"#, "/id"),
            (r#"{"id":"7","data":{}}"#, "/id"),
            (r#"{"data":{}"#, ""),
            ("[]", ""),
        ] {
            assert_eq!(Item::read(&arena, bad.as_bytes()).unwrap_err().pointer, pointer, "{bad}");
        }
    }
}
