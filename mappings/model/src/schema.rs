//! JSON Schema (2020-12) of the entities, made from their descriptions.

use crate::describe::{Class, EntityType, EnumType, Field, Type};
use crate::envelope;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The schema of a complete record of `entity`, self-contained: shared types lie under `$defs`.
#[must_use]
pub fn record(entity: &EntityType) -> Value {
    let mut defs = BTreeMap::new();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in envelope::FIELDS.iter().chain(entity.fields) {
        properties.insert(field.name.to_owned(), property(field, &mut defs));
        if field.required {
            required.push(field.name);
        }
    }
    let any_object = json!({ "type": "object" });
    properties.insert("entity".into(), json!({ "const": entity.name }));
    properties.insert("deleted_at".into(), json!({ "type": "string", "format": "date-time" }));
    properties.insert("sources".into(), json!({ "type": "array", "items": any_object }));
    for name in ["custom", "ext", "field_meta"] {
        properties.insert(name.into(), any_object.clone());
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:hrhub:model:{}:{}", crate::SCHEMA_VERSION, entity.name),
        "title": entity.name,
        "description": entity.doc,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "$defs": defs,
    })
}

fn property(field: &Field, defs: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = ty(field.ty, defs);
    if let Value::Object(object) = &mut schema {
        object.insert("description".into(), field.doc.into());
        if field.class > Class::S0 {
            object.insert("x-sensitivity".into(), format!("{:?}", field.class).into());
        }
    }
    schema
}

fn ty(of: &Type, defs: &mut BTreeMap<String, Value>) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match of {
        Type::Text | Type::TimeZone => json!({ "type": "string" }),
        Type::Localized => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }] })
        }
        Type::Bool => json!({ "type": "boolean" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Decimal | Type::Rate => text(r"^-?\d+(\.\d+)?$"),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::PartialDate => text(r"^\d{4}(-\d{2}(-\d{2})?)?$"),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::LocalTime => text(r"^\d{2}:\d{2}(:\d{2})?$"),
        Type::Duration => text("^P"),
        Type::Currency => text("^[A-Z]{3}$"),
        Type::Country => text("^[A-Z]{2}$"),
        Type::Subdivision => text("^[A-Z]{2}-[A-Z0-9]{1,3}$"),
        Type::Lang => text("^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"),
        Type::Json => json!({}),
        Type::List(item) => json!({ "type": "array", "items": ty(item, defs) }),
        Type::Enum(of) => reference(of.name, defs, |_| enumeration(of)),
        Type::Ref(entity) => reference_to(entity),
        Type::Struct(of) => reference(of.name, defs, |defs| {
            let properties: Map<String, Value> =
                of.fields.iter().map(|field| (field.name.to_owned(), property(field, defs))).collect();
            let required: Vec<&str> = of.fields.iter().filter(|f| f.required).map(|f| f.name).collect();
            json!({
                "description": of.doc, "type": "object", "properties": properties, "required": required,
                "additionalProperties": false,
            })
        }),
    }
}

/// Puts a shared type under `$defs` once and refers to it.
fn reference(
    name: &str,
    defs: &mut BTreeMap<String, Value>,
    make: impl FnOnce(&mut BTreeMap<String, Value>) -> Value,
) -> Value {
    if !defs.contains_key(name) {
        defs.insert(name.to_owned(), Value::Null);
        let schema = make(defs);
        defs.insert(name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn enumeration(of: &EnumType) -> Value {
    json!({
        "description": of.doc,
        "type": "object",
        "properties": {
            "value": { "type": "string", "examples": of.values, "description": "Readers must accept values that they do not know." },
            "raw": { "type": "string" },
            "label": { "type": "string" },
        },
        "required": ["value"],
        "additionalProperties": false,
    })
}

fn reference_to(entity: &str) -> Value {
    let kind = if entity.is_empty() { json!({ "type": "string" }) } else { json!({ "const": entity }) };
    json!({
        "type": "object",
        "properties": {
            "type": kind,
            "id": { "type": "string" },
            "display": { "type": "string" },
            "source": {
                "type": "object",
                "properties": { "connection_id": { "type": "string" }, "remote_id": { "type": "string" } },
                "required": ["connection_id", "remote_id"],
                "additionalProperties": false,
            },
        },
        "required": ["type"],
        "anyOf": [{ "required": ["id"] }, { "required": ["source"] }],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::recruiting::{Application, StageKind};
    use crate::enums::Enum;
    use crate::scalars::{Ref, to};
    use crate::{ENTITIES, entity};

    fn complete(fields: &Value) -> Value {
        let mut record = json!({
            "id": "0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a", "tenant_id": "default", "entity": "application",
            "schema_version": "1.0.0", "version": 1, "created_at": "2026-03-01T09:30:00.000Z",
            "updated_at": "2026-03-01T09:30:00.000Z", "sources": [],
        });
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    }

    #[test]
    fn every_entity_has_a_valid_schema() {
        for entity in ENTITIES {
            jsonschema::validator_for(&record(entity)).unwrap_or_else(|error| panic!("{}: {error}", entity.name));
        }
    }

    #[test]
    fn rust_types_and_schema_agree() {
        let application = Application {
            candidate: Some(Ref::<to::Candidate>::new("0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a")),
            stage_kind: Some(Enum { value: StageKind::Offer, raw: Some("Offer sent".into()), label: None }),
            ..Application::default()
        };
        let fields = serde_json::to_value(&application).unwrap();
        assert_eq!(fields["stage_kind"], json!({ "value": "OFFER", "raw": "Offer sent" }));
        let validator = jsonschema::validator_for(&record(entity("application").unwrap())).unwrap();
        assert!(validator.is_valid(&complete(&fields)));
        assert_eq!(serde_json::from_value::<Application>(fields).unwrap(), application);
        for bad in [json!({}), json!({ "candidate": { "type": "candidate" } }), json!({ "candidat": 1 })] {
            assert!(!validator.is_valid(&complete(&bad)));
        }
    }

    #[test]
    fn an_unknown_enum_value_reads_as_other_and_is_kept() {
        let read: Enum<StageKind> = serde_json::from_str(r#"{"value":"TASTING"}"#).unwrap();
        assert_eq!(read, Enum { value: StageKind::Other, raw: Some("TASTING".into()), label: None });
    }

    #[test]
    fn names_are_consistent() {
        for entity in ENTITIES {
            assert!(entity.collection.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entity.name);
            let mut names: Vec<&str> = entity.fields.iter().map(|f| f.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), entity.fields.len(), "{} names a field twice", entity.name);
            assert!(names.iter().all(|name| !envelope::NAMES.contains(name)), "{} hides the envelope", entity.name);
            assert!(entity.fields.iter().all(|f| f.doc.ends_with('.')), "{}", entity.name);
        }
    }
}
