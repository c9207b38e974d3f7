//! Records as the calculators read and write them.

use hub_flow::Failure;
use hub_flow::records::{Target, Write};
use hub_model::EntityType;
use hub_model::scalars::Score;
use hub_tree::{Arena, Decimal, Limits, json};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A document as the type of its entity.
pub(crate) fn typed<T: DeserializeOwned>(document: &str) -> Result<T, Failure> {
    // The message of a JSON error can quote the document; only its place is told.
    serde_json::from_str(document).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::park("UNREADABLE_RECORD", format!("a record does not fit the model at {place}"))
    })
}

/// A score on the canonical scale, 0 to 100.
pub(crate) fn hundred(value: Decimal) -> Score {
    Score { value: Some(value), min: Some(Decimal::ZERO), max: Some(Decimal::ONE_HUNDRED), scale: None }
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|_| Failure::park("UNREADABLE_RECORD", "a calculated record cannot be written"))
}

/// A word about a record. `more` adds fields as JSON text, whose numbers stay as exact as they are.
pub(crate) fn write<T: Serialize>(
    entity: &'static EntityType,
    target: Target,
    record: &T,
    more: &[(&str, &str)],
    rule: &str,
) -> Result<Write, Failure> {
    let arena = Arena::new();
    let text = to_json(record)?;
    let read = |text: &str| json::read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default();
    let mut fields = read(&text).entries().to_vec();
    fields.extend(more.iter().map(|(name, text)| (arena.text(name), read(text))));
    Ok(Write {
        entity,
        target,
        fields: json::to_string(&arena.map(&fields)),
        ext: None,
        deleted: false,
        rules: fields.iter().map(|(name, _)| (format!("/{name}"), rule.to_owned())).collect(),
        source: None,
    })
}
