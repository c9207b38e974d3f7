//! What a system needs to make or change a record, as JSON Schema. It follows from the out mappings: which fields each
//! rule reads, which it demands, which codes it can translate.

use super::build::{entity_named, pointer_of, target};
use super::read::{Verb, computed};
use crate::hub::Hub;
use hub_engine::{Mapping, Need};
use hub_kit::Connection;
use hub_model::EntityType;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a connection needs, by what is to be done.
///
/// # Errors
/// A mapping is not there.
pub fn requirements(hub: &Hub, connection: &Connection, entity: &EntityType) -> Result<Value, String> {
    let verb = |verb: Verb| verb_json(hub, connection, entity, verb);
    Ok(json!({
        "connection": connection.id, "system": connection.manifest.vendor, "entity": entity.name,
        "collection": entity.collection, "create": verb(Verb::Create)?, "update": verb(Verb::Update)?,
        "delete": connection.manifest.operation(&Verb::Delete.operation(entity.name)).is_some(),
    }))
}

/// What an operation needs; null when the connection has none.
fn verb_json(hub: &Hub, connection: &Connection, entity: &EntityType, verb: Verb) -> Result<Value, String> {
    let operation = verb.operation(entity.name);
    if connection.manifest.operation(&operation).is_none() {
        return Ok(Value::Null);
    }
    let Some(mapping) = target(hub, connection, &operation)? else {
        return Ok(json!({ "operation": operation, "schema": { "type": "object" }, "fields": [] }));
    };
    Ok(json!({
        "operation": operation, "mapping": mapping.id, "mapping_version": mapping.version,
        "schema": Schema::of(&mapping, entity, &connection.id, verb).into_json(),
        "fields": fields(&mapping, entity, &connection.id),
    }))
}

/// Each field of the system's body, and where in a request it is read from.
fn fields(mapping: &Mapping, entity: &EntityType, connection: &str) -> Vec<Value> {
    let field = |need: &Need<'_>| {
        let mut reads: Vec<String> = need.reads.iter().map(|path| pointer_of(path, entity.name, connection)).collect();
        reads.dedup();
        json!({ "field": need.pointer, "reads": reads, "required": need.required, "values": need.values })
    };
    mapping.needs().iter().filter(|need| !need.reads.is_empty()).map(field).collect()
}

/// A schema of a request, as it grows.
struct Schema {
    properties: Map<String, Value>,
    with: BTreeMap<String, Map<String, Value>>,
    ext: Map<String, Value>,
    /// Of each thing that is needed, the places that can bring it.
    needed: Vec<Vec<String>>,
    defs: Map<String, Value>,
    connection: String,
}

impl Schema {
    fn of(mapping: &Mapping, entity: &EntityType, connection: &str, verb: Verb) -> Self {
        let mut schema = Self {
            properties: Map::new(),
            with: BTreeMap::new(),
            ext: Map::new(),
            needed: Vec::new(),
            defs: Map::new(),
            connection: connection.to_owned(),
        };
        let needs = mapping.needs();
        for need in &needs {
            let places: Vec<String> = need.reads.iter().map(|path| pointer_of(path, entity.name, connection)).collect();
            places.iter().for_each(|place| schema.take(entity, place, need));
            // What the hub itself brings nobody needs to send.
            let hubs = |place: &String| ["/id", "/sources", ""].contains(&place.as_str());
            if need.required && !places.is_empty() && !places.iter().any(hubs) && verb == Verb::Create {
                schema.needed.push(places);
            }
        }
        schema
    }

    /// Adds what lies at a place of a request.
    fn take(&mut self, entity: &EntityType, place: &str, need: &Need<'_>) {
        let mut parts = place.trim_start_matches('/').split('/');
        let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        match (first, second, third) {
            ("ext", Some(_), Some(name)) => {
                self.ext.insert(name.to_owned(), json!({}));
            }
            ("with", Some(root), Some(name)) => {
                let Some(other) = entity_named(root) else { return };
                let property =
                    self.property(other, name, need.values.as_deref().filter(|_| place.matches('/').count() == 3));
                if let Some(property) = property {
                    self.with.entry(root.to_owned()).or_default().insert(name.to_owned(), property);
                }
            }
            ("with", Some(root), None) if entity_named(root).is_some() => {
                self.with.entry(root.to_owned()).or_default();
            }
            (name, rest, _) if !computed(entity).any(|field| field == name) => {
                if let Some(property) = self.property(entity, name, need.values.as_deref().filter(|_| rest.is_none())) {
                    self.properties.insert(name.to_owned(), property);
                }
            }
            _ => {}
        }
    }

    /// The schema of a field of an entity; with the values that can be translated, where the mapping has a table.
    fn property(&mut self, entity: &EntityType, name: &str, values: Option<&[&str]>) -> Option<Value> {
        entity.fields.iter().find(|field| field.name == name)?;
        let mut whole = hub_model::schema::record(entity);
        if let Some(Value::Object(defs)) = whole.get_mut("$defs").map(Value::take) {
            self.defs.extend(defs);
        }
        let property = whole.get_mut("properties")?.get_mut(name)?.take();
        Some(match values {
            Some(values) if !values.is_empty() => {
                json!({ "allOf": [property], "anyOf": [
                    { "enum": values }, { "type": "object", "properties": { "value": { "enum": values } }, "required": ["value"] },
                ] })
            }
            _ => property,
        })
    }

    fn into_json(self) -> Value {
        let mut properties = self.properties;
        properties.insert("connection".to_owned(), json!({ "const": self.connection }));
        let object = |fields: Map<String, Value>| json!({ "type": "object", "properties": fields });
        if !self.with.is_empty() {
            let with: Map<String, Value> = self.with.into_iter().map(|(name, fields)| (name, object(fields))).collect();
            properties.insert("with".to_owned(), object(with));
        }
        if !self.ext.is_empty() {
            properties.insert(
                "ext".to_owned(),
                json!({ "type": "object", "properties": { self.connection: object(self.ext) } }),
            );
        }
        let all: Vec<Value> = self.needed.iter().map(|places| needs(places)).collect();
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": properties,
            "required": ["connection"], "$defs": self.defs,
        });
        if !all.is_empty() {
            schema["allOf"] = Value::Array(all);
        }
        schema
    }
}

/// That one of some places is there.
fn needs(places: &[String]) -> Value {
    let mut ways: Vec<Value> = places.iter().map(|place| needs_one(place.trim_start_matches('/'))).collect();
    ways.dedup();
    match ways.pop() {
        Some(only) if ways.is_empty() => only,
        Some(last) => {
            ways.push(last);
            json!({ "anyOf": ways })
        }
        None => json!({}),
    }
}

fn needs_one(place: &str) -> Value {
    match place.split_once('/') {
        None => json!({ "required": [place] }),
        Some((first, rest)) => json!({ "required": [first], "properties": { first: needs_one(rest) } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_come_from_several_places_is_needed_in_one_of_them() {
        let one = needs(&["/employee_number".to_owned()]);
        assert_eq!(one, json!({ "required": ["employee_number"] }));
        let either = needs(&["/with/person/name".to_owned(), "/display_name".to_owned()]);
        assert_eq!(either["anyOf"][1], json!({ "required": ["display_name"] }));
        assert_eq!(either["anyOf"][0]["properties"]["with"]["properties"]["person"], json!({ "required": ["name"] }));
    }
}
