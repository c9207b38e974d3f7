//! What a row says about records.

use super::keep::PREFIX;
use crate::effects::Failure;
use crate::hub::Hub;
use crate::map_in::{Mapped, run};
use crate::records::SourceOf;
use hub_engine::{Direction, Input};
use hub_kit::{Connection, RawEnvelope};
use hub_store::Raw;
use hub_tree::{Arena, Limits, Value, json};

/// The name of the table that a payload is a row of. A connection to a database takes nothing else in, so that no vendor
/// can have made such a name.
pub(crate) fn table_of<'r>(connection: &Connection, raw: &'r Raw) -> Option<&'r str> {
    if connection.manifest.tables.is_empty() && connection.manifest.webhook.is_some() {
        return None;
    }
    raw.new.dedupe_id.strip_prefix(PREFIX)?.rsplit_once(':').map(|(name, _)| name)
}

/// Maps a row by the mapping of its table.
pub(crate) fn map_row(hub: &Hub, connection: &Connection, raw: &Raw, name: &str) -> Result<Mapped, Failure> {
    let unreadable = |what: &str| Failure::park("UNREADABLE_MESSAGE", what);
    let opened = hub.open(&raw.new.tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0);
    let opened = opened.map_err(|error| unreadable(&error.to_string()))?;
    let envelope = RawEnvelope::decode(&opened).ok_or_else(|| unreadable("the row is not what was kept"))?;
    let manifest = &connection.manifest;
    let gone = || Failure::park("NO_TABLE", format!("the connector has no table `{name}` any more"));
    let table = manifest.table(name).ok_or_else(gone)?;
    let mapping = hub.registry().mapping(connection, &table.mapping, Direction::In).cloned();
    let mapping = mapping.ok_or_else(|| Failure::Park {
        code: "MAPPING_MISSING".to_owned(),
        reason: format!(
            "there is no mapping `{}/{}.in` without errors: `hrhub check` names them",
            manifest.vendor, table.mapping
        ),
        place: manifest.place(table.span),
    })?;
    let arena = Arena::new();
    let payload = json::read(&arena, &envelope.body, Limits::default());
    let input = Input {
        payload: payload.map_err(|error| unreadable(&error.to_string()))?,
        headers: Value::Absent,
        event: name,
        connection: &connection.id,
        settings: Hub::public_settings(connection, &arena),
        request: Value::Absent,
    };
    let source = SourceOf {
        connection: connection.id.clone(),
        system: manifest.vendor.clone(),
        url: None,
        vendor_time: None,
        received_at: raw.new.received_at,
        raw: raw.new.id.clone(),
        raw_sha256: raw.new.sha256.clone(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    };
    Ok(run(&arena, &mapping, &input, &source))
}
