//! The rows of a push, one by one, before anything is answered.

use super::{Asked, ServeFault, read, value};
use crate::hub::Hub;
use crate::records::index_entry;
use hub_engine::{Direction, Input, Level, Mapping};
use hub_kit::serves::{Push, Served};
use hub_kit::{Connection, Types};
use hub_store::{Page, RecordFilter, RemoteId, StoreError, job};
use hub_tree::{Arena, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows of one push.
const MAX_ROWS: usize = 100_000;
/// Longest name that is told back.
const MAX_TOLD: usize = 200;

/// A row that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    /// Which, from 0.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// A push whose rows were looked at.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) source: String,
    pub(super) batch: String,
    /// SHA-256 of the rows, hex: a repetition may say another time.
    pub(super) sha256: String,
    /// How many rows there are.
    pub(super) rows: usize,
    /// In the order of the rows.
    pub(super) rejected: Vec<Rejected>,
    /// What rows name and the hub should know: by the rule's number and key, the rows.
    names: BTreeMap<(usize, String), Vec<usize>>,
    /// The names of the rows.
    called: Vec<String>,
}

impl Hub {
    /// Looks at every row of a push.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        served: &Served,
        push: &Push,
        asked: &Asked,
    ) -> Result<Judged, ServeFault> {
        let arena = Arena::new();
        let payload = read(&arena, &asked.payload);
        let text = |located, slots: &[Value<'_>]| -> Result<String, ServeFault> {
            let arena = Arena::new();
            let slots: Vec<Value<'_>> = slots.iter().map(|value| value.copy_into(&arena)).collect();
            let found = value(connection, &arena, located, &slots)?;
            Ok(found.scalar_text(&arena).unwrap_or_default().trim().to_owned())
        };
        let batch = text(&push.batch, &[payload])?;
        if batch.is_empty() || batch.len() > MAX_TOLD || batch.chars().any(char::is_control) {
            return Err(ServeFault::caller(
                "INVALID_MESSAGE",
                format!("the batch needs a name of 1 to {MAX_TOLD} bytes"),
            ));
        }
        let source = match &push.source {
            Some(located) => text(located, &[payload])?,
            None => String::new(),
        };
        if source.len() > MAX_TOLD || source.chars().any(char::is_control) {
            return Err(ServeFault::caller(
                "INVALID_MESSAGE",
                format!("the source needs a name of 1 to {MAX_TOLD} bytes"),
            ));
        }
        let rows = Types::rows(&payload.get(&push.rows));
        if rows.is_empty() {
            return Err(ServeFault::caller("EMPTY_PUSH", format!("there is no `{}`", push.rows)));
        }
        if rows.len() > MAX_ROWS {
            return Err(ServeFault::caller(
                "TOO_MANY_ROWS",
                format!("more than {MAX_ROWS} rows: send several batches"),
            ));
        }
        let row_type = served.message.as_ref().and_then(|message| {
            let types = &connection.manifest.types;
            types.fields(message).into_iter().find(|field| field.name == push.rows).map(|field| field.kind.clone())
        });
        let mapping = self.mapping_of(connection, &served.name);
        let mut judged = Judged {
            source,
            batch,
            sha256: content_hash(&payload, &push.rows),
            rows: rows.len(),
            rejected: Vec::new(),
            names: BTreeMap::new(),
            called: Vec::with_capacity(rows.len()),
        };
        let mut seen = BTreeSet::new();
        for (index, row) in rows.iter().enumerate() {
            // What a row needs is forgotten with it.
            let one = Arena::new();
            let item = row.copy_into(&one);
            let head = without_rows(&one, &payload, &push.rows, item);
            let slots = [head, item];
            let name = match &push.name {
                Some(located) => value(connection, &one, located, &slots)?.scalar_text(&one).unwrap_or_default(),
                None => "",
            };
            let name = name.trim();
            judged.called.push(name.chars().take(MAX_TOLD).collect());
            let folded = name.to_uppercase();
            let twice = !folded.is_empty() && !seen.insert(folded);
            let bad = match row_flaw(connection, row_type.as_ref(), &item) {
                Some(flaw) => Some(flaw),
                None if twice => Some(("DUPLICATE_IN_FILE".to_owned(), "an earlier row has this name".to_owned())),
                None => match rule_flaw(connection, push, &one, &slots)? {
                    Some(flaw) => Some(flaw),
                    None => mapping.as_ref().and_then(|mapping| map_flaw(connection, served, mapping, &one, head)),
                },
            };
            if let Some((code, message)) = bad {
                judged.reject(index, code, message);
                continue;
            }
            for (rule, known) in push.known.iter().enumerate() {
                let key = value(connection, &one, &known.key, &slots)?.scalar_text(&one).unwrap_or_default().trim();
                if !key.is_empty() {
                    judged.names.entry((rule, key.to_owned())).or_default().push(index);
                }
            }
        }
        Ok(judged)
    }

    fn mapping_of(&self, connection: &Connection, event: &str) -> Option<Arc<Mapping>> {
        let webhook = connection.manifest.webhook.as_ref()?;
        let object = webhook.events.iter().find(|rule| rule.name == event)?.mapping.as_ref()?;
        self.registry().mapping(connection, object, Direction::In).cloned()
    }

    /// Rejects rows that name what the hub does not know, if it knows any of its kind.
    pub(super) async fn look_up(
        &self,
        connection: &Connection,
        push: &Push,
        judged: &mut Judged,
    ) -> Result<(), StoreError> {
        let names = std::mem::take(&mut judged.names);
        for (number, rule) in push.known.iter().enumerate() {
            let keys: Vec<String> =
                names.keys().filter(|(known, _)| *known == number).map(|(_, key)| key.clone()).collect();
            if keys.is_empty() {
                continue;
            }
            let missing = self.unknown(connection, &rule.entity, rule.field.as_deref(), keys).await?;
            for key in missing {
                for index in names.get(&(number, key.clone())).into_iter().flatten() {
                    judged.reject(*index, rule.code.clone(), key.chars().take(MAX_TOLD).collect());
                }
            }
        }
        judged.rejected.sort_by_key(|rejected| rejected.index);
        // A row may break several rules of this kind: the first is told.
        judged.rejected.dedup_by_key(|rejected| rejected.index);
        Ok(())
    }

    /// Which of these names mean no record of an entity; none, as long as there is no such record at all.
    async fn unknown(
        &self,
        connection: &Connection,
        entity: &str,
        field: Option<&str>,
        keys: Vec<String>,
    ) -> Result<Vec<String>, StoreError> {
        let (tenant, id, entity_name) = (connection.tenant.clone(), connection.id.clone(), entity.to_owned());
        let field = field.and_then(|field| hub_model::entity(entity)?.fields.iter().find(|known| known.name == field));
        let mut wanted = Vec::new();
        for key in keys {
            let entry = field.map(|field| index_entry(self, &tenant, field, &key)).transpose()?;
            wanted.push((key, entry));
        }
        self.store
            .read(job!(|tx| {
                let page = |limit| Page { after: String::new(), limit };
                if tx.records(&tenant, &entity_name, RecordFilter::default(), page(1)).await?.is_empty() {
                    return Ok(Vec::new());
                }
                let remote = |key: &str| RemoteId {
                    connection: id.clone(),
                    entity: entity_name.clone(),
                    remote_id: key.to_owned(),
                };
                let remotes = wanted.iter().map(|(key, _)| remote(key)).collect();
                let own = tx.identities(&tenant, remotes).await?;
                let mut missing = Vec::new();
                for (key, entry) in wanted {
                    if own.contains_key(&remote(&key)) {
                        continue;
                    }
                    let filter = entry.map(|entry| RecordFilter { equals: vec![entry], ..RecordFilter::default() });
                    let found = match filter {
                        Some(filter) => !tx.records(&tenant, &entity_name, filter, page(1)).await?.is_empty(),
                        None => false,
                    };
                    if !found {
                        missing.push(key);
                    }
                }
                Ok(missing)
            }))
            .await
    }
}

impl Judged {
    fn reject(&mut self, index: usize, code: String, message: String) {
        let name = self.called.get(index).cloned().unwrap_or_default();
        self.rejected.push(Rejected { index, name, code, message });
    }
}

type Flawed = Option<(String, String)>;

fn row_flaw(connection: &Connection, kind: Option<&hub_kit::types::Kind>, row: &Value<'_>) -> Flawed {
    let hub_kit::types::Kind::Named(key) = kind? else { return None };
    let flaw = connection.manifest.types.judge(key, row).into_iter().next()?;
    Some((flaw.code.to_owned(), format!("{} {}", flaw.path, flaw.message)))
}

fn rule_flaw<'a>(
    connection: &Connection,
    push: &'a Push,
    arena: &'a Arena,
    slots: &[Value<'a>],
) -> Result<Flawed, ServeFault> {
    for rule in &push.refuse {
        if matches!(value(connection, arena, &rule.when, slots)?, Value::Bool(true)) {
            return Ok(Some((rule.code.clone(), rule.message.clone())));
        }
    }
    Ok(None)
}

/// What the mapping says of a push with this row alone.
fn map_flaw<'a>(
    connection: &'a Connection,
    served: &'a Served,
    mapping: &'a Mapping,
    arena: &'a Arena,
    payload: Value<'a>,
) -> Flawed {
    let input = Input {
        headers: arena.map(&[(super::OPERATION_HEADER, Value::Text(&served.name))]),
        event: &served.name,
        settings: Hub::public_settings(connection, arena),
        ..Input::of(payload, &connection.id)
    };
    let outcome = mapping.run_in(arena, &input);
    let issue = outcome.issues.iter().find(|issue| issue.level == Level::Error)?;
    Some((issue.code.to_uppercase(), format!("{}: {}", issue.place(), issue.message)))
}

/// The payload with one row in the place of all.
pub(super) fn without_rows<'a>(arena: &'a Arena, payload: &Value<'_>, rows: &str, row: Value<'a>) -> Value<'a> {
    let entries: Vec<(&'a str, Value<'a>)> = payload
        .entries()
        .iter()
        .map(|(key, value)| (arena.text(key), if *key == rows { row } else { value.copy_into(arena) }))
        .collect();
    arena.map(&entries)
}

/// What makes two pushes of one name the same: everything but objects beside the rows, which say when and by whom.
fn content_hash(payload: &Value<'_>, rows: &str) -> String {
    let mut hash = Sha256::new();
    for (key, value) in payload.entries() {
        if *key == rows || !matches!(value, Value::Map(_)) {
            hash.update(key.as_bytes());
            hash.update([0]);
            hash.update(json::to_string(value).as_bytes());
            hash.update([0]);
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_at_another_time_are_the_same_content() {
        let hash = |text: &str| {
            let arena = Arena::new();
            content_hash(&read(&arena, arena.bytes(text.as_bytes())), "row")
        };
        let first = hash(r#"{"header":{"at":"1"},"period":"5","row":[{"a":"1"}]}"#);
        assert_eq!(hash(r#"{"header":{"at":"2"},"period":"5","row":[{"a":"1"}]}"#), first);
        for other in [
            r#"{"header":{"at":"1"},"period":"6","row":[{"a":"1"}]}"#,
            r#"{"header":{"at":"1"},"period":"5","row":[{"a":"2"}]}"#,
            r#"{"header":{"at":"1"},"period":"5","row":{"a":null}}"#,
        ] {
            assert_ne!(hash(other), first, "{other}");
        }
    }
}
