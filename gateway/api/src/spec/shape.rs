//! Shapes of bodies and answers, as JSON Schema.
//!
//! What callers send is closed: a member that nobody knows is refused. What the hub answers is open: clients that were
//! generated from an older description must be able to read members and words that came later.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The shape of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Bool,
    /// RFC 3339, in UTC.
    Time,
    /// A calendar day.
    Day,
    /// An exact number, as text.
    Decimal,
    /// An `http(s)` address.
    Address,
    /// Any JSON.
    Any,
    /// One of these words. Answers may hold words that are not among them.
    Word(&'static [&'static str]),
    /// A whole number within bounds.
    Between(i64, i64),
    /// Text of so many characters, from and to.
    Long(usize, usize),
    /// A list.
    List(&'static Self),
    /// A list of so many, from and to.
    Some(usize, usize, &'static Self),
    /// An object whose members are called as they like.
    Map(&'static Self),
    /// Null, or this.
    Null(&'static Self),
    /// One of these.
    Either(&'static [Self]),
    /// An object, with the name that it has in generated clients.
    Object(&'static str, &'static [Member]),
    /// `{"data": [...], "next_cursor": ...}` of a named object.
    Page(&'static Self),
    /// A record of the operation's entity.
    Record,
    /// The own fields of the operation's entity, as callers write them, and members beside them.
    Fields(&'static [Member]),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

/// A member that is always there.
pub(crate) const fn must(name: &'static str, shape: Shape, doc: &'static str) -> Member {
    Member { name, shape, required: true, doc }
}

/// A member that may be absent.
pub(crate) const fn may(name: &'static str, shape: Shape, doc: &'static str) -> Member {
    Member { name, shape, required: false, doc }
}

/// Schemas that are made, with what they share.
pub(crate) struct Schemas {
    /// Shared schemas by name.
    pub(crate) shared: BTreeMap<String, Value>,
}

/// Where a shared schema is found.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

impl Schemas {
    /// The schema of what is answered; `entity` is the operation's, if it has one.
    pub(crate) fn answered(&mut self, shape: &Shape, entity: Option<&'static hub_model::EntityType>) -> Value {
        self.schema(shape, entity, true)
    }

    /// The schema of what is sent.
    pub(crate) fn sent(&mut self, shape: &Shape, entity: Option<&'static hub_model::EntityType>) -> Value {
        self.schema(shape, entity, false)
    }

    fn schema(&mut self, shape: &Shape, entity: Option<&'static hub_model::EntityType>, open: bool) -> Value {
        match shape {
            Shape::Text => json!({ "type": "string" }),
            Shape::Integer => json!({ "type": "integer", "format": "int64" }),
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Time => json!({ "type": "string", "format": "date-time" }),
            Shape::Day => json!({ "type": "string", "format": "date" }),
            Shape::Decimal => json!({ "type": "string", "format": "decimal", "pattern": super::model::DECIMAL }),
            Shape::Address => json!({ "type": "string", "format": "uri" }),
            Shape::Any => json!({}),
            Shape::Word(words) if open => json!({ "type": "string", "x-known-values": words }),
            Shape::Word(words) => json!({ "type": "string", "enum": words }),
            Shape::Between(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
            Shape::Long(from, to) => json!({ "type": "string", "minLength": from, "maxLength": to }),
            Shape::List(item) => json!({ "type": "array", "items": self.schema(item, entity, open) }),
            Shape::Some(from, to, item) => {
                json!({ "type": "array", "items": self.schema(item, entity, open), "minItems": from, "maxItems": to })
            }
            Shape::Map(item) => json!({ "type": "object", "additionalProperties": self.schema(item, entity, open) }),
            Shape::Null(of) => or_null(self.schema(of, entity, open)),
            Shape::Either(shapes) => {
                let all: Vec<Value> = shapes.iter().map(|shape| self.schema(shape, entity, open)).collect();
                json!({ "anyOf": all })
            }
            Shape::Object(name, members) => {
                if self.shared.contains_key(*name) {
                    return reference(name);
                }
                let schema = self.object(name, members, entity, open);
                if name.is_empty() {
                    return schema;
                }
                self.shared.insert((*name).to_owned(), schema);
                reference(name)
            }
            Shape::Page(item) => self.page(item, entity),
            Shape::Record => entity.map_or_else(|| json!({ "type": "object" }), |of| super::model::record(self, of)),
            Shape::Fields(beside) => {
                let mut schema = self.object("", beside, entity, open);
                if let (Some(of), Some(Value::Object(all))) = (entity, schema.get_mut("properties")) {
                    super::model::fields(self, of).into_iter().for_each(|(name, field)| {
                        all.entry(name).or_insert(field);
                    });
                }
                schema
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        members: &[Member],
        entity: Option<&'static hub_model::EntityType>,
        open: bool,
    ) -> Value {
        let mut properties = Map::new();
        for member in members {
            let mut schema = self.schema(&member.shape, entity, open);
            if !open && !member.required && !matches!(member.shape, Shape::Null(_) | Shape::Any) {
                // Null is as good as absent.
                schema = or_null(schema);
            }
            if !member.doc.is_empty() {
                schema = with(schema, "description", member.doc.into());
            }
            properties.insert(member.name.to_owned(), schema);
        }
        let required: Vec<&str> = members.iter().filter(|one| one.required).map(|one| one.name).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema = with(schema, "required", json!(required));
        }
        if !name.is_empty() {
            schema = with(schema, "title", name.into());
        }
        if open { schema } else { with(schema, "additionalProperties", json!(false)) }
    }

    fn page(&mut self, item: &Shape, entity: Option<&'static hub_model::EntityType>) -> Value {
        let item = self.answered(item, entity);
        let name = item.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next()).unwrap_or_default();
        let name = format!("{name}Page");
        let schema = json!({
            "title": name,
            "type": "object",
            "properties": {
                "data": { "type": "array", "items": item },
                "next_cursor": { "type": ["string", "null"], "description": "The cursor of the next page; null on the last one." },
            },
            "required": ["data", "next_cursor"],
        });
        self.shared.insert(name.clone(), schema);
        reference(&name)
    }
}

/// Null, or this.
fn or_null(schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        // Generators read this form of "or null" best.
        Some(kind) if schema.get("enum").is_none() => with(schema, "type", json!([kind, "null"])),
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// A schema with one member more.
pub(crate) fn with(mut schema: Value, name: &str, value: Value) -> Value {
    if let Value::Object(members) = &mut schema {
        members.insert(name.to_owned(), value);
    }
    schema
}
