//! Why a field of a record is what it is: the payload, the mapping of its day, the rule and its steps.

use crate::effects::Failure;
use crate::hub::Hub;
use crate::imports;
use crate::records::sealed_as;
use hub_engine::{Input, Mapping, Parts};
use hub_kit::RawEnvelope;
use hub_kit::hook::read_opened;
use hub_store::{Raw, job};
use hub_tree::{Arena, Findings, Limits, Value, json};

/// Why a field is what it is.
#[derive(Debug)]
pub struct FieldExplanation {
    /// The field as a JSON pointer.
    pub field: String,
    /// The rule: a path in the mapping, or what in the hub wrote the field.
    pub rule: String,
    /// The payload and mapping behind it; `None` for what the hub itself wrote.
    pub origin: Option<Origin>,
    /// Where in a file the payload stood, if it was a row of an import.
    pub place: Option<FilePlace>,
    /// Every step as JSON: the rule followed again, or the calculation that the hub kept with the record.
    pub steps: Option<String>,
    /// The version that gave the field its value; `None` for what is computed when it is read.
    pub set: Option<Set>,
}

/// When a field got its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// The version.
    pub version: i64,
    /// When, µs.
    pub at: i64,
    /// The journey that did it, as a `traceparent`.
    pub trace: String,
}

/// The rule of what the hub writes by itself, such as versions and times.
pub(crate) const OWN: &str = "hub";
/// What is said of what no rule of a mapping reads.
const LEFT_OVER: &str = "what no rule reads";
/// What is said of what employees do.
const COMPUTED: &str = "computed from employments and job assignments when it is read";

/// The payload and mapping behind a field.
#[derive(Debug)]
pub struct Origin {
    /// Connection.
    pub connection: String,
    /// Connector.
    pub system: String,
    /// The record's id there.
    pub remote_id: String,
    /// The payload.
    pub raw: String,
    /// When it was received, RFC 3339.
    pub received_at: String,
    /// The mapping.
    pub mapping: String,
    /// Its version.
    pub mapping_version: String,
}

/// A row of a file, and the columns of it that a field was made of.
#[derive(Debug)]
pub struct FilePlace {
    /// The import.
    pub import: String,
    /// The name of the file.
    pub file_name: String,
    /// The sheet; empty for a CSV file.
    pub sheet: String,
    /// The row, from 1.
    pub row: i64,
    /// Letters and heading of each column.
    pub columns: Vec<(String, String)>,
}

/// The row of a file that a payload was, with the columns that the steps of a rule name.
async fn place_of(hub: &Hub, tenant: &str, raw: &Raw, steps: Option<&str>) -> Result<Option<FilePlace>, NoExplanation> {
    let Some((import, row)) = imports::place_of(&raw.new.connection, &raw.new.dedupe_id) else { return Ok(None) };
    let shown = match imports::of_row(hub, tenant, &import).await {
        Ok(Some(shown)) => shown,
        Ok(None) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let names = |name: &str| {
        steps.is_some_and(|steps| {
            steps.match_indices(name).any(|(at, _)| {
                let around = (steps[..at].chars().next_back(), steps[at + name.len()..].chars().next());
                let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !inside(around.0) && !inside(around.1)
            })
        })
    };
    let columns = shown.about.columns.iter().filter(|column| names(column.field.as_deref().unwrap_or(&column.heading)));
    let columns = columns.map(|column| (column.letters.clone(), column.heading.clone())).collect();
    Ok(Some(FilePlace { import, file_name: shown.about.file_name, sheet: shown.about.sheet, row, columns }))
}

/// Why there is no explanation.
#[derive(Debug)]
pub enum NoExplanation {
    /// There is no such record.
    NoRecord,
    /// No rule is known to have set the field.
    NoField,
    /// The payload or the mapping is gone.
    Gone(&'static str),
    /// The store fails.
    Failed(Failure),
}

impl From<Failure> for NoExplanation {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<hub_store::StoreError> for NoExplanation {
    fn from(error: hub_store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// `name.full`, `emails[0].address` and `/name/full` all mean a pointer.
#[must_use]
pub fn pointer_of(field: &str) -> String {
    if field.starts_with('/') {
        return field.to_owned();
    }
    let dotted = field.replace('[', ".").replace(']', "");
    dotted.split('.').fold(String::new(), |pointer, part| pointer + "/" + part)
}

/// What is known about a field: its rule and its source.
struct Known {
    pointer: String,
    rule: String,
    origin: Option<Origin>,
}

fn origin_of(source: Value<'_>, text: impl Fn(Value<'_>) -> String) -> Origin {
    Origin {
        connection: text(source.get("connection_id")),
        system: text(source.get("system")),
        remote_id: text(source.get("remote_id")),
        raw: text(source.get("raw_ref")),
        received_at: text(source.get("fetched_at")),
        mapping: text(source.get("mapping_id")),
        mapping_version: text(source.get("mapping_version")),
    }
}

fn known(document: &str, pointer: &str) -> Option<Known> {
    let arena = Arena::new();
    let document = json::read(&arena, document.as_bytes(), Limits::default()).ok()?;
    let meta = document.get("field_meta");
    // A rule may set the field itself, an object around it, or parts of it.
    let mut around = pointer.to_owned();
    let mut found = meta.get(&around);
    while found.is_absent() {
        let Some(end) = around.rfind('/').filter(|end| *end > 0) else { break };
        around.truncate(end);
        found = meta.get(&around);
    }
    if found.is_absent() {
        let below = format!("{pointer}/");
        let entry = meta.entries().iter().find(|(name, _)| name.starts_with(&below))?;
        found = entry.1;
    }
    let text = |value: Value<'_>| value.as_text().unwrap_or_default().to_owned();
    let index = found.get("source").as_decimal().and_then(|index| usize::try_from(index).ok());
    let origin = index.map(|index| document.get("sources").at(index)).filter(|source| !source.is_absent());
    let origin = origin.map(|source| origin_of(source, text));
    Some(Known { pointer: pointer.to_owned(), rule: text(found.get("rule")), origin })
}

/// What is known about a field that no rule of a mapping has set.
fn known_otherwise(document: &str, pointer: &str) -> Option<Known> {
    let arena = Arena::new();
    let document = json::read(&arena, document.as_bytes(), Limits::default()).ok()?;
    if at(document, pointer).is_absent() {
        return None;
    }
    let mut names = pointer.split('/').skip(1);
    let own = |rule: &str| Known { pointer: pointer.to_owned(), rule: rule.to_owned(), origin: None };
    if names.next() != Some("ext") {
        return Some(own(OWN));
    }
    let text = |value: Value<'_>| value.as_text().unwrap_or_default().to_owned();
    let system = names.next();
    let source = document.get("sources").items().iter().rfind(|source| source.get("system").as_text() == system);
    Some(Known { origin: source.map(|source| origin_of(*source, text)), ..own(LEFT_OVER) })
}

/// The value that a JSON pointer names.
fn at<'a>(document: Value<'a>, pointer: &str) -> Value<'a> {
    pointer.split('/').skip(1).fold(document, |value, name| match (value, name.parse::<usize>()) {
        (Value::List(_), Ok(index)) => value.at(index),
        _ => value.get(name),
    })
}

/// A rule, and the connection and remote id of the source that it read, if it read one.
type Giver = (String, Option<(String, String)>);

/// What a version says of a field: its value, and which rule and source gave it.
fn said(document: &str, pointer: &str) -> (String, Option<Giver>) {
    let arena = Arena::new();
    let read = json::read(&arena, document.as_bytes(), Limits::default()).unwrap_or_default();
    let by = known(document, pointer).or_else(|| known_otherwise(document, pointer));
    let by = by.map(|known| (known.rule, known.origin.map(|origin| (origin.connection, origin.remote_id))));
    (json::to_string(&at(read, pointer)), by)
}

/// The document of the version that gave a field the value that it has: later ones may come from payloads, and have
/// been made by mappings, that do not speak of the field.
async fn set_by(
    hub: &Hub,
    tenant: &str,
    entity: &str,
    id: &str,
    pointer: &str,
) -> Result<(String, Set), NoExplanation> {
    let (owner, name, key) = (tenant.to_owned(), entity.to_owned(), id.to_owned());
    let versions = hub.store.read(job!(|tx| { tx.history(&owner, &name, &key).await })).await?;
    let mut found: Option<(String, Set)> = None;
    let mut newest = None;
    for version in versions.into_iter().rev() {
        let opened = hub.open(tenant, &sealed_as(entity, id), &version.body.0)?;
        let document = String::from_utf8_lossy(&opened).into_owned();
        let says = said(&document, pointer);
        if newest.get_or_insert_with(|| says.clone()) != &says {
            break;
        }
        found = Some((document, Set { version: version.version, at: version.at, trace: version.trace }));
    }
    found.ok_or(NoExplanation::NoRecord)
}

/// Explains a field of a record: by the payload that gave it its value, and by the mapping of its day, also when there
/// are newer ones.
///
/// # Errors
/// Why there is no explanation.
pub async fn explain(
    hub: &Hub,
    tenant: &str,
    entity: &str,
    id: &str,
    pointer: &str,
) -> Result<FieldExplanation, NoExplanation> {
    let own = |rule: &str, set, steps| FieldExplanation {
        field: pointer.to_owned(),
        rule: rule.to_owned(),
        origin: None,
        place: None,
        steps,
        set,
    };
    let (document, set) = set_by(hub, tenant, entity, id, pointer).await?;
    let of_employee = entity == "employee" && (pointer == "/current" || pointer.starts_with("/current/"));
    let found = known(&document, pointer).or_else(|| known_otherwise(&document, pointer));
    let Some(Known { pointer, rule, origin }) = found else {
        return if of_employee { Ok(own(COMPUTED, None, None)) } else { Err(NoExplanation::NoField) };
    };
    let Some(origin) = origin else {
        // What was calculated is kept with the record; the hub's own numbers were not.
        let steps = if rule == OWN { None } else { calculation(&document) };
        return Ok(own(&rule, Some(set), steps));
    };
    let (owner, raw_id, version) = (tenant.to_owned(), origin.raw.clone(), origin.mapping_version.clone());
    let read = hub.store.read(job!(|tx| {
        let raw = tx.raw(&owner, &raw_id).await?;
        Ok((raw, tx.mapping(&version).await?))
    }));
    let (raw, mapping) = read.await?;
    let raw = raw.ok_or(NoExplanation::Gone("the payload"))?;
    let mapping = mapping.ok_or(NoExplanation::Gone("the mapping"))?;
    let opened = hub.open(tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0)?;
    let envelope = RawEnvelope::decode(&opened).ok_or(NoExplanation::Gone("the payload"))?;
    let connector = mapping.id.split('/').next().unwrap_or_default();
    let parts = Parts::from_text(&mapping.path, &mapping.text);
    let compiled = Mapping::assemble(connector, &parts, &Findings::new()).ok_or(NoExplanation::Gone("the mapping"))?;
    let arena = Arena::new();
    let payload = read_opened(&arena, &envelope.body).unwrap_or_default();
    let connection = hub.connection(&origin.connection);
    let settings = connection.as_ref().map_or(Value::Absent, |known| Hub::public_settings(known, &arena));
    let input = Input {
        payload,
        headers: envelope.headers_value(&arena),
        event: raw.event.as_deref().unwrap_or_default(),
        connection: &origin.connection,
        settings,
        request: Value::Absent,
    };
    let steps = compiled.explain(&input, entity, Some(&origin.remote_id), &pointer);
    // Straight to text: the numbers in it are exact.
    let steps = steps.and_then(|steps| serde_json::to_string(&steps).ok());
    let place = place_of(hub, tenant, &raw, steps.as_deref()).await?;
    Ok(FieldExplanation { field: pointer, rule, origin: Some(origin), place, steps, set: Some(set) })
}

/// What a service kept with the record that it made.
fn calculation(document: &str) -> Option<String> {
    let arena = Arena::new();
    let document = json::read(&arena, document.as_bytes(), Limits::default()).ok()?;
    let calculation = document.get("calculation");
    (!calculation.is_absent()).then(|| json::to_string(&calculation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_by_pointer_or_by_dots() {
        assert_eq!(pointer_of("emails[0].address"), "/emails/0/address");
        assert_eq!(pointer_of("/name/full"), "/name/full");
        assert_eq!(pointer_of("stage"), "/stage");
    }

    #[test]
    fn what_no_rule_sets_is_the_hubs_own_or_left_over_from_a_source() {
        let document = r#"{"version":3,"sources":[{"connection_id":"gh","system":"greenhouse","raw_ref":"r1"}],
            "ext":{"greenhouse":{"odd":1}}}"#;
        let of = |pointer: &str| {
            let known = known_otherwise(document, pointer);
            known.map(|known| (known.rule, known.origin.map(|origin| origin.raw)))
        };
        assert_eq!(of("/version"), Some((OWN.into(), None)));
        assert_eq!(of("/ext/greenhouse/odd"), Some((LEFT_OVER.into(), Some("r1".into()))));
        assert_eq!((of("/ext/lever"), of("/nothing")), (None, None));
    }

    #[test]
    fn the_nearest_rule_around_or_below_is_found() {
        let document = r#"{"sources":[{"connection_id":"gh","raw_ref":"r1"}],"field_meta":{"/emails":{"source":0,"rule":"emit[0].emails"},"/name/full":{"rule":"flow x"}}}"#;
        let of =
            |pointer: &str| known(document, pointer).map(|known| (known.rule, known.origin.map(|origin| origin.raw)));
        assert_eq!(of("/emails/0/address"), Some(("emit[0].emails".into(), Some("r1".into()))));
        assert_eq!(of("/name"), Some(("flow x".into(), None)));
        assert_eq!(of("/nothing"), None);
    }
}
