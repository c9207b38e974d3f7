//! Payloads as a reader may see them. A place in a payload is as sensitive as the fields that a mapping makes of it;
//! what no rule reads counts as personal, and a payload that no mapping has read as restricted.

use crate::effects::Failure;
use crate::hub::Hub;
use hub_engine::{Mapping, Parts};
use hub_kit::RawEnvelope;
use hub_kit::hook::read_opened;
use hub_model::{Class, EntityType};
use hub_store::{Raw, StoreError, job};
use hub_tree::{Arena, Findings, Value, json};
use std::fmt::Write as _;

/// A payload as a reader may see it.
#[derive(Debug)]
pub struct SeenPayload {
    /// The mapping that read it, if one did.
    pub mapping: Option<String>,
    /// Kept headers, as JSON; nothing when the reader may not see them.
    pub headers: Option<String>,
    /// What is left of the payload, as JSON: the tree that mappings see; what is no tree, as text.
    pub payload: Option<String>,
    /// What was left out: paths below `payload`.
    pub masked: Vec<String>,
}

/// How sensitive the fields are that are made of a place in a payload.
struct Places(Vec<(String, Class)>);

impl Places {
    fn of(mapping: &Mapping, class_of: fn(&EntityType, &str) -> Class) -> Self {
        let mut places = Vec::new();
        for set in mapping.set_fields() {
            let Some(entity) = set.entity else { continue };
            let class = class_of(entity, set.pointer);
            places.extend(set.reads.iter().map(|path| (path.clone(), class)));
        }
        Self(places)
    }

    /// The class of a value that nothing lies in. A rule that reads what is around it reads it, too.
    fn class(&self, path: &str) -> Class {
        let path = as_read(path);
        let reads = |read: &str| {
            let read = as_read(read);
            path.strip_prefix(&read).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let classes = self.0.iter().filter(|(read, _)| reads(read)).map(|(_, class)| *class);
        classes.max().unwrap_or(Class::S2)
    }
}

/// A path with its items not told apart.
fn as_read(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if inside && c.is_ascii_digit() => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

/// What of a value may be seen.
fn seen<'a>(
    arena: &'a Arena,
    places: &Places,
    value: Value<'a>,
    allowed: Class,
    path: &mut String,
    masked: &mut Vec<String>,
) -> Option<Value<'a>> {
    let length = path.len();
    match value {
        Value::Map(map) if !map.entries().is_empty() => {
            let mut kept = Vec::new();
            for (name, value) in map.entries() {
                let _ = write!(path, ".{name}");
                kept.extend(seen(arena, places, *value, allowed, path, masked).map(|value| (*name, value)));
                path.truncate(length);
            }
            (!kept.is_empty()).then(|| arena.map(&kept))
        }
        Value::List(items) if !items.is_empty() => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let _ = write!(path, "[{index}]");
                kept.extend(seen(arena, places, *item, allowed, path, masked));
                path.truncate(length);
            }
            (!kept.is_empty()).then(|| arena.list(&kept))
        }
        value if places.class(path) <= allowed => Some(value),
        _ => {
            masked.push(path.clone());
            None
        }
    }
}

/// The mapping that read a payload: its name, and the mapping as it was.
async fn mapping_of(hub: &Hub, raw: &Raw) -> Result<(Option<String>, Option<Mapping>), StoreError> {
    let Some(version) = raw.mapping.clone() else { return Ok((None, None)) };
    let Some(mapping) = hub.store.read(job!(|tx| { tx.mapping(&version).await })).await? else {
        return Ok((None, None));
    };
    let connector = mapping.id.split('/').next().unwrap_or_default();
    let compiled = Mapping::assemble(connector, &Parts::from_text(&mapping.path, &mapping.text), &Findings::new());
    Ok((Some(mapping.id), compiled))
}

/// The body of the payload that a connection knows by a dedupe id, as it came; for whoever sent it.
///
/// # Errors
/// The store fails, or the payload cannot be opened.
pub async fn body_of(
    hub: &Hub,
    tenant: &str,
    connection: &str,
    dedupe_id: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (owner, connection, dedupe) = (tenant.to_owned(), connection.to_owned(), dedupe_id.to_owned());
    let found = hub.store.read(job!(|tx| {
        match tx.raw_by_dedupe(&owner, &connection, &dedupe).await? {
            Some(id) => tx.raw(&owner, &id).await,
            None => Ok(None),
        }
    }));
    let Some(raw) = found.await? else { return Ok(None) };
    let opened = hub.open(tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0)?;
    Ok(RawEnvelope::decode(&opened).map(|envelope| envelope.body))
}

/// Opens a payload for a reader who may see fields up to a class. `class_of` tells the class of a field of an entity,
/// given as a JSON pointer.
///
/// # Errors
/// The store fails, or the payload cannot be opened.
pub async fn open(
    hub: &Hub,
    raw: &Raw,
    allowed: Class,
    class_of: fn(&EntityType, &str) -> Class,
) -> Result<SeenPayload, Failure> {
    let (name, compiled) = mapping_of(hub, raw).await?;
    let opened = hub.open(&raw.new.tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0)?;
    let envelope = RawEnvelope::decode(&opened).ok_or(StoreError::Sealed("a payload is not readable"))?;
    let arena = Arena::new();
    let mut all = SeenPayload { mapping: name, headers: None, payload: None, masked: Vec::new() };
    if allowed >= Class::S2 {
        all.headers = Some(json::to_string(&envelope.headers_value(&arena)));
    }
    let payload = read_opened(&arena, &envelope.body);
    let shown = match (payload, compiled) {
        (Ok(payload), _) if allowed >= Class::S3 => Some(payload),
        (Err(_), _) if allowed >= Class::S3 => Some(Value::Text(arena.text(&String::from_utf8_lossy(&envelope.body)))),
        (Ok(payload), Some(mapping)) => {
            let places = Places::of(&mapping, class_of);
            seen(&arena, &places, payload, allowed, &mut "payload".to_owned(), &mut all.masked)
        }
        _ => {
            all.masked.push("payload".to_owned());
            None
        }
    };
    all.payload = shown.map(|value| json::to_string(&value));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Limits;

    #[test]
    fn a_place_is_as_sensitive_as_what_is_made_of_it_and_personal_if_nothing_is() {
        let places = Places(vec![
            ("payload.id".into(), Class::S0),
            ("payload.person".into(), Class::S2),
            ("payload.person.card".into(), Class::S3),
            ("payload.jobs[].title".into(), Class::S0),
            ("payload.jobs[0].pay".into(), Class::S3),
        ]);
        let text = br#"{"id":1,"odd":2,"person":{"name":"A","card":"X"},"jobs":[{"title":"t","pay":5},{"title":"u"}],"identity":[]}"#;
        let left = |allowed| {
            let arena = Arena::new();
            let payload = json::read(&arena, text, Limits::default()).unwrap();
            let mut masked = Vec::new();
            let seen = seen(&arena, &places, payload, allowed, &mut "payload".to_owned(), &mut masked);
            (seen.map(|seen| json::to_string(&seen)).unwrap_or_default(), masked)
        };
        let (seen, masked) = left(Class::S2);
        let all_but = r#"{"id":1,"odd":2,"person":{"name":"A"},"jobs":[{"title":"t"},{"title":"u"}],"identity":[]}"#;
        assert_eq!(seen, all_but);
        assert_eq!(masked, ["payload.person.card", "payload.jobs[0].pay"]);
        let (seen, masked) = left(Class::S1);
        assert_eq!(seen, r#"{"id":1,"jobs":[{"title":"t"},{"title":"u"}]}"#);
        assert!(masked.contains(&"payload.odd".to_owned()) && masked.contains(&"payload.identity".to_owned()));
    }
}
