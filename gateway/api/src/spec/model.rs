//! The schemas of the model's entities, as the API answers and takes them.

use super::shape::{Schemas, reference, with};
use hub_model::{EntityType, Field, Type};
use serde_json::{Map, Value, json};

/// How an exact number is written.
pub(crate) const DECIMAL: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// How something is called in generated clients: `job_assignment` is `JobAssignment`.
pub(crate) fn title(name: &str) -> String {
    let mut title = String::with_capacity(name.len());
    for word in name.split(['_', '-']) {
        let mut letters = word.chars();
        title.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        title.push_str(letters.as_str());
    }
    title
}

/// A record as it is answered. Only what no scope and no `fields` can take away is promised.
pub(crate) fn record(schemas: &mut Schemas, entity: &'static EntityType) -> Value {
    let name = title(entity.name);
    if schemas.shared.contains_key(&name) {
        return reference(&name);
    }
    let text = |doc: &str| json!({ "type": "string", "description": doc });
    let time = |doc: &str| json!({ "type": "string", "format": "date-time", "description": doc });
    let mut members = Map::new();
    members.insert("id".into(), with(text("UUIDv7 made by the hub."), "format", "uuid".into()));
    members.insert("entity".into(), text("The entity's name."));
    members.insert("tenant_id".into(), text("The enterprise."));
    members.insert("schema_version".into(), text("The version of the model that the document obeys."));
    members.insert("version".into(), json!({ "type": "integer", "description": "Rises with every change; the ETag." }));
    members.insert("created_at".into(), time("When the hub first knew the record."));
    members.insert("updated_at".into(), time("When the record's own fields last changed."));
    members.insert("deleted_at".into(), time("When it was deleted at its source."));
    members.insert("sources".into(), json!({ "type": "array", "items": source(schemas) }));
    members.insert("custom".into(), json!({ "type": "object", "description": "The tenant's own fields." }));
    members.insert("ext".into(), json!({ "type": "object", "description": "What the vendor said and no rule uses." }));
    let meta = "Which source and rule set a field, by JSON pointer.";
    members.insert("field_meta".into(), json!({ "type": "object", "description": meta }));
    let masked = "Fields that the key may not read, as JSON pointers.";
    members.insert("masked".into(), json!({ "type": "array", "items": { "type": "string" }, "description": masked }));
    if entity.name == "employee" {
        let current =
            "What the employee does today: department, job, level, position, manager, location, legal entity.";
        members.insert("current".into(), json!({ "type": "object", "description": current }));
    }
    for field in entity.fields {
        members.insert(field.name.to_owned(), member(schemas, field, true));
    }
    let schema = json!({
        "title": name, "description": entity.doc, "type": "object", "properties": members, "required": ["id", "version"],
    });
    schemas.shared.insert(name.clone(), schema);
    reference(&name)
}

/// What callers may say of a record, by field.
pub(crate) fn fields(schemas: &mut Schemas, entity: &'static EntityType) -> Map<String, Value> {
    entity.fields.iter().map(|field| (field.name.to_owned(), member(schemas, field, false))).collect()
}

fn source(schemas: &mut Schemas) -> Value {
    let name = "Source";
    if !schemas.shared.contains_key(name) {
        let text = json!({ "type": "string" });
        let time = json!({ "type": "string", "format": "date-time" });
        let schema = json!({
            "title": name,
            "description": "A remote system that feeds a record, and the last payload that did.",
            "type": "object",
            "properties": {
                "connection_id": text, "system": text, "remote_id": text, "remote_url": text,
                "remote_updated_at": text, "fetched_at": time, "raw_ref": text, "raw_sha256": text,
                "mapping_id": text, "mapping_version": text,
            },
            "required": ["connection_id", "system", "remote_id"],
        });
        schemas.shared.insert(name.to_owned(), schema);
    }
    reference(name)
}

fn member(schemas: &mut Schemas, field: &Field, open: bool) -> Value {
    let mut schema = with(ty(schemas, field.ty, open), "description", field.doc.into());
    if field.class > hub_model::Class::S0 {
        schema = with(schema, "x-sensitivity", format!("{:?}", field.class).into());
    }
    schema
}

fn ty(schemas: &mut Schemas, of: &Type, open: bool) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match of {
        Type::Text | Type::TimeZone => json!({ "type": "string" }),
        Type::Localized => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }] })
        }
        Type::Bool => json!({ "type": "boolean" }),
        Type::Integer => json!({ "type": "integer", "format": "int64" }),
        Type::Decimal | Type::Rate => with(text(DECIMAL), "format", "decimal".into()),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::PartialDate => text(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::LocalTime => text(r"^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"),
        Type::Duration => text("^P"),
        Type::Currency => text("^[A-Z]{3}$"),
        Type::Country => text("^[A-Z]{2}$"),
        Type::Subdivision => text("^[A-Z]{2}-[A-Z0-9]{1,3}$"),
        Type::Lang => text("^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"),
        Type::Json => json!({}),
        Type::List(item) => json!({ "type": "array", "items": ty(schemas, item, open) }),
        // What is sent must be known; it may be written as it is read.
        Type::Enum(of) if !open => {
            let name = format!("{}Word", of.name);
            let schema = json!({ "title": name, "description": of.doc, "type": "string", "enum": of.values });
            schemas.shared.entry(name.clone()).or_insert(schema);
            reference(&name)
        }
        Type::Enum(of) => {
            let name = format!("{}Enum", of.name);
            let schema = json!({
                "title": name,
                "description": of.doc,
                "type": "object",
                "properties": {
                    "value": {
                        "type": "string", "x-known-values": of.values,
                        "description": "A word of the model; readers must accept words that they do not know.",
                    },
                    "raw": { "type": "string", "description": "What the vendor said, where the model has no word for it." },
                    "label": { "type": "string", "description": "The word as people read it." },
                },
                "required": ["value"],
            });
            schemas.shared.entry(name.clone()).or_insert(schema);
            reference(&name)
        }
        Type::Ref(_) if !open => given_link(schemas),
        Type::Ref(_) => link(schemas),
        Type::Struct(of) => {
            let name = if open { of.name.to_owned() } else { format!("{}Fields", of.name) };
            if !schemas.shared.contains_key(&name) {
                schemas.shared.insert(name.clone(), Value::Null);
                let members: Map<String, Value> =
                    of.fields.iter().map(|field| (field.name.to_owned(), member(schemas, field, open))).collect();
                let schema = json!({ "title": name, "description": of.doc, "type": "object", "properties": members });
                let schema = if open { schema } else { with(schema, "additionalProperties", json!(false)) };
                schemas.shared.insert(name.clone(), schema);
            }
            reference(&name)
        }
    }
}

/// A reference as callers write it: as it is read, or by where the record comes from.
fn given_link(schemas: &mut Schemas) -> Value {
    let name = "GivenRef";
    if !schemas.shared.contains_key(name) {
        let text = |doc: &str| json!({ "type": "string", "description": doc });
        let schema = json!({
            "title": name,
            "description": "A reference to a record: its `id`, or its `connection` and its `remote_id` there.",
            "type": "object",
            "properties": {
                "type": text("The entity's name; needed where a field takes any entity."),
                "id": text("The record."),
                "connection": text("Where it comes from."),
                "remote_id": text("Its id there."),
                "display": text("How people call it; not kept."),
            },
            "additionalProperties": false,
        });
        schemas.shared.insert(name.to_owned(), schema);
    }
    reference(name)
}

fn link(schemas: &mut Schemas) -> Value {
    let name = "Ref";
    if !schemas.shared.contains_key(name) {
        let schema = json!({
            "title": name,
            "description": "A reference to a record: by `id`, or by where it comes from when the hub does not have it yet.",
            "type": "object",
            "properties": {
                "type": { "type": "string", "description": "The entity's name." },
                "id": { "type": "string" },
                "display": { "type": "string", "description": "How people call it." },
                "source": {
                    "title": "RefSource",
                    "type": "object",
                    "properties": { "connection_id": { "type": "string" }, "remote_id": { "type": "string" } },
                    "required": ["connection_id", "remote_id"],
                },
            },
            "required": ["type"],
        });
        schemas.shared.insert(name.to_owned(), schema);
    }
    reference(name)
}
