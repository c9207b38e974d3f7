//! One statement: whether it is one, and whether two are the same.

use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Decimal, Value, json};

/// What the store itself says of a statement: no part of what was sent.
const OF_THE_STORE: [&str; 3] = ["stored", "authority", "version"];
const KNOWN: [&str; 11] = [
    "id",
    "actor",
    "verb",
    "object",
    "result",
    "context",
    "timestamp",
    "stored",
    "authority",
    "version",
    "attachments",
];
/// Ways to say who somebody is; an agent has exactly one.
const IDENTIFIERS: [&str; 4] = ["mbox", "mbox_sha1sum", "openid", "account"];
const VOIDED: &str = "http://adlnet.gov/expapi/verbs/voided";

/// A statement that is taken.
pub(super) struct Statement {
    /// In small letters.
    pub(super) id: String,
    /// With its id, and when it was stored.
    pub(super) body: Vec<u8>,
}

/// Where in a statement, as a JSON pointer, and why it is none.
type Wrong = (&'static str, String);

fn wrong<T>(at: &'static str, why: impl Into<String>) -> Result<T, Wrong> {
    Err((at, why.into()))
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// An address with a scheme.
fn is_iri(text: &str) -> bool {
    let scheme = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

impl Statement {
    /// Checks a statement; `spare` is its id if it has none of its own.
    pub(super) fn read(value: Value<'_>, spare: &str, stored: &str) -> Result<Self, Wrong> {
        let Value::Map(map) = value else { return wrong("", "a statement is an object") };
        if let Some((name, _)) = map.entries().iter().find(|(name, _)| !KNOWN.contains(name)) {
            return wrong("", format!("a statement has no `{name}`"));
        }
        if !value.get("attachments").items().is_empty() {
            return wrong("/attachments", "attachments are not taken");
        }
        let id = match value.get("id") {
            Value::Absent => spare.to_ascii_lowercase(),
            Value::Text(id) if is_uuid(id) => id.to_ascii_lowercase(),
            _ => return wrong("/id", "an id is a UUID"),
        };
        if !is_uuid(&id) {
            return wrong("/id", "an id is a UUID");
        }
        actor(value.get("actor"))?;
        let verb = match value.path("verb.id") {
            Value::Text(verb) if is_iri(verb) => verb,
            _ => return wrong("/verb/id", "a verb has an id, which is an IRI"),
        };
        object(value.get("object"), verb)?;
        if let Some(scaled) = value.path("result.score.scaled").as_decimal()
            && scaled.abs() > Decimal::ONE
        {
            return wrong("/result/score/scaled", "it lies between -1 and 1");
        }
        match value.get("timestamp") {
            Value::Absent => {}
            Value::Text(text) if text.parse::<Timestamp>().is_ok() => {}
            _ => return wrong("/timestamp", "a time is written as ISO 8601, with an offset"),
        }
        let arena = Arena::new();
        let of_sender = |(name, _): &&(&str, Value<'_>)| *name != "id" && !OF_THE_STORE.contains(name);
        let mut entries: Vec<(&str, Value<'_>)> = vec![("id", Value::Text(&id))];
        entries.extend(map.entries().iter().filter(of_sender).copied());
        if value.get("timestamp").is_absent() {
            entries.push(("timestamp", Value::Text(stored)));
        }
        entries.push(("stored", Value::Text(stored)));
        entries.push(("version", Value::Text("1.0.0")));
        let body = json::to_string(&arena.map(&entries)).into_bytes();
        Ok(Self { id, body })
    }
}

fn actor(actor: Value<'_>) -> Result<(), Wrong> {
    let Value::Map(map) = actor else { return wrong("/actor", "a statement says who did it") };
    let is_group = actor.get("objectType").as_text() == Some("Group");
    let named = map.entries().iter().filter(|(name, _)| IDENTIFIERS.contains(name)).count();
    match (named, is_group) {
        (1, _) => {}
        (0, true) if !actor.get("member").items().is_empty() => {}
        _ => return wrong("/actor", format!("an actor has exactly one of {}", IDENTIFIERS.join(", "))),
    }
    let mbox = actor.get("mbox");
    if !mbox.is_absent() && !mbox.as_text().is_some_and(|mbox| mbox.starts_with("mailto:") && mbox.contains('@')) {
        return wrong("/actor/mbox", "it is written `mailto:somebody@example.org`");
    }
    let account = actor.get("account");
    let has = |part: &str| account.get(part).as_text().is_some_and(|text| !text.is_empty());
    let is_whole = has("homePage") && has("name");
    if !account.is_absent() && !is_whole {
        return wrong("/actor/account", "an account has `homePage` and `name`");
    }
    Ok(())
}

fn object(object: Value<'_>, verb: &str) -> Result<(), Wrong> {
    let kind = object.get("objectType").as_text().unwrap_or("Activity");
    let id = object.get("id").as_text().unwrap_or_default();
    match kind {
        "StatementRef" if is_uuid(id) => Ok(()),
        "StatementRef" => wrong("/object/id", "it is the id of a statement"),
        _ if verb == VOIDED => wrong("/object/objectType", "what is voided is a `StatementRef`"),
        "Activity" if !is_iri(id) => wrong("/object/id", "an activity has an id, which is an IRI"),
        "Activity" | "Agent" | "Group" | "SubStatement" => Ok(()),
        _ => wrong("/object/objectType", "it is Activity, Agent, Group, SubStatement or StatementRef"),
    }
}

/// Whether a statement is the one that is kept, whatever the store has put to either.
pub(super) fn is_same(new: &[u8], kept: &[u8]) -> bool {
    let read = |body: &[u8]| {
        let mut read: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(fields) = read.as_object_mut() {
            // A statement without a time of its own has that of its storage.
            if fields.get("timestamp").is_some_and(|at| Some(at) == fields.get("stored")) {
                fields.remove("timestamp");
            }
            fields.retain(|name, _| !OF_THE_STORE.contains(&name.as_str()));
        }
        read
    };
    read(new) == read(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Limits;

    const GOOD: &str = r#"{"actor":{"mbox":"mailto:lin@example.cn"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},
        "object":{"id":"https://lms.example.com/courses/1"},"result":{"score":{"scaled":0.9200}}}"#;
    const SPARE: &str = "0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c0001";

    fn read(text: &str, stored: &str) -> Result<(String, String), Wrong> {
        let arena = Arena::new();
        let value = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        Statement::read(value, SPARE, stored).map(|one| (one.id, String::from_utf8(one.body).unwrap()))
    }

    #[test]
    fn a_statement_gets_an_id_and_the_time_of_its_storage_and_keeps_its_digits() {
        let (id, body) = read(GOOD, "2026-11-02T10:15:02.000Z").unwrap();
        assert_eq!(id, SPARE);
        assert!(body.starts_with(&format!(r#"{{"id":"{SPARE}","#)) && body.contains(r#""scaled":0.9200"#), "{body}");
        let (_, later) = read(GOOD, "2026-11-02T11:00:00.000Z").unwrap();
        assert!(is_same(later.as_bytes(), body.as_bytes()), "the same, sent again");
        let other = later.replace("courses/1", "courses/2");
        assert!(!is_same(other.as_bytes(), body.as_bytes()));
    }

    #[test]
    fn what_is_no_statement_is_told_with_its_place() {
        let with = |from: &str, to: &str| read(&GOOD.replace(from, to), "").map(drop).map_err(|(at, _)| at);
        assert_eq!(with("", ""), Ok(()));
        for (from, to, at) in [
            (r#""mbox":"mailto:lin@example.cn""#, r#""name":"Lin""#, "/actor"),
            (r#""mbox":"mailto:lin@example.cn""#, r#""mbox":"mailto:a@b.cn","openid":"https://b.cn/a""#, "/actor"),
            ("mailto:lin@", "lin@", "/actor/mbox"),
            (r#""mbox":"mailto:lin@example.cn""#, r#""account":{"name":"E-1"}"#, "/actor/account"),
            ("http://adlnet.gov/expapi/verbs/completed", "completed", "/verb/id"),
            ("http://adlnet.gov/expapi/verbs/completed", VOIDED, "/object/objectType"),
            ("https://lms.example.com/courses/1", "course 1", "/object/id"),
            ("0.9200", "1.01", "/result/score/scaled"),
            (r#""result""#, r#""timestamp":"yesterday","result""#, "/timestamp"),
            (r#""result""#, r#""id":"1","result""#, "/id"),
            (r#""result""#, r#""more":1,"result""#, ""),
            (r#""result""#, r#""attachments":[{}],"result""#, "/attachments"),
        ] {
            assert_eq!(with(from, to), Err(at), "{to}");
        }
        assert!(read("[]", "").is_err() && read("7", "").is_err());
    }
}
