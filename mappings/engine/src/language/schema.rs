//! JSON Schema (draft 7, which editors' YAML support reads) of mapping files, code lists and cases.

use super::{EMIT, FILE_IN, FILE_OUT, Key, LIST, PARTS, RULE, Takes};
use crate::Direction;
use crate::compile::{SHAPES, WHATS};
use hub_model::{ENTITIES, Field, Type};
use hub_standards::dates::Form;
use serde_json::{Map, Value as Json, json};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of `<object>.in.yaml` or `<object>.out.yaml`.
#[must_use]
pub fn mapping(direction: Direction) -> Json {
    let mut builder = Builder::default();
    let (keys, title, body) = match direction {
        Direction::In => (FILE_IN, "HR Hub mapping: vendor to hub (*.in.yaml)", "emit"),
        Direction::Out => (FILE_OUT, "HR Hub mapping: hub to vendor (*.out.yaml)", "fields"),
    };
    let whole = if direction == Direction::In { "from" } else { "to" };
    let mut file = object(keys.iter().map(|key| (key.name, builder.of(key))));
    file["required"] = json!(["version"]);
    file["oneOf"] = json!([{ "required": [whole, body] }, { "required": ["extends"] }]);
    builder.finish(title, file)
}

/// The schema of a code list, `lists/<name>.yaml`.
#[must_use]
pub fn list() -> Json {
    let mut builder = Builder::default();
    let mut file = object(LIST.iter().map(|key| (key.name, builder.of(key))));
    file["required"] = json!(["version", "entries"]);
    builder.finish("HR Hub code list (lists/*.yaml)", file)
}

/// The schema of a case's files: `<name>.full.json` and `<name>.expect.json`.
#[must_use]
pub fn cases() -> Json {
    let finding = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["level", "code", "entity", "field", "message", "line"],
        "properties": {
            "level": { "enum": ["warning", "error"] }, "code": { "type": "string" }, "entity": { "type": "string" },
            "item": { "type": "integer", "minimum": 0 },
            "field": { "type": "string" }, "message": { "type": "string" }, "line": { "type": "integer", "minimum": 1 }
        }
    });
    let names: Vec<&str> = ENTITIES.iter().map(|entity| entity.name).collect();
    let record = json!({ "type": "object", "required": ["entity"], "properties": { "entity": { "enum": names } } });
    json!({
        "$schema": DRAFT,
        "title": "HR Hub case of a mapping (cases/<object>.in/<name>.full.json and .expect.json)",
        "anyOf": [
            {
                "title": "full input",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "payload": {}, "headers": { "type": "object" }, "event": { "type": "string" },
                    "request": {}, "settings": { "type": "object" }
                }
            },
            {
                "title": "expectation of an in mapping",
                "type": "object",
                "additionalProperties": false,
                "required": ["records", "findings", "unread"],
                "properties": {
                    "records": { "type": "array", "items": record },
                    "findings": { "type": "array", "items": finding },
                    "unread": { "type": "array", "items": { "type": "string" } }
                }
            },
            {
                "title": "expectation of an out mapping",
                "type": "object",
                "additionalProperties": false,
                "required": ["findings"],
                "properties": { "body": {}, "findings": { "type": "array", "items": finding } }
            }
        ]
    })
}

fn object<'k>(properties: impl Iterator<Item = (&'k str, Json)>) -> Json {
    let properties: Map<String, Json> = properties.map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// Says more of what may stand behind a key.
fn narrow(rule: &mut Json, key: &str, more: &Json) {
    let known = rule["properties"][key].take();
    rule["properties"][key] = json!({ "allOf": [known, more] });
}

/// Collects the definitions that schemas refer to.
#[derive(Default)]
struct Builder {
    definitions: Map<String, Json>,
}

impl Builder {
    fn finish(self, title: &str, mut schema: Json) -> Json {
        schema["$schema"] = json!(DRAFT);
        schema["title"] = json!(title);
        schema["definitions"] = Json::Object(self.definitions);
        schema
    }

    /// A definition, made once.
    fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.definitions.contains_key(name) {
            // A definition may refer to itself.
            self.definitions.insert(name.to_owned(), Json::Null);
            let made = make(self);
            self.definitions.insert(name.to_owned(), made);
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    fn of(&mut self, key: &Key) -> Json {
        let schema = self.takes(key);
        json!({ "description": key.doc, "allOf": [schema] })
    }

    fn takes(&mut self, key: &Key) -> Json {
        let text = json!({ "type": "string" });
        match key.takes {
            Takes::Version => json!({ "const": 1 }),
            Takes::Text | Takes::Zone => text,
            Takes::Object => json!({ "type": "string", "pattern": "^[^/]+/[^/]+$" }),
            // References may name entities that this hub keeps no records of.
            Takes::Entity if key.name == "ref" => text,
            Takes::Entity => json!({ "enum": ENTITIES.iter().map(|entity| entity.name).collect::<Vec<_>>() }),
            Takes::Bool => json!({ "type": "boolean" }),
            Takes::Expression | Takes::Condition => self.expression(),
            Takes::Paths => {
                let path = self.expression();
                json!({ "anyOf": [path.clone(), { "type": "array", "items": path, "minItems": 1 }] })
            }
            Takes::Value => json!({}),
            Takes::Names => {
                let expression = self.expression();
                json!({ "type": "object", "additionalProperties": expression })
            }
            Takes::Entities => json!({
                "type": "object",
                "additionalProperties": { "enum": ENTITIES.iter().map(|entity| entity.name).collect::<Vec<_>>() }
            }),
            Takes::FieldNames | Takes::PathList => json!({ "type": "array", "items": text }),
            Takes::Emits => {
                let emit = self.define("emit", Self::emit);
                json!({ "type": "array", "items": emit, "minItems": 1 })
            }
            Takes::Fields => {
                let rule = self.rule(&Type::Json);
                json!({ "type": "object", "additionalProperties": rule })
            }
            Takes::Rule => self.short_rule(),
            Takes::Table => {
                json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
            }
            Takes::Lookup => {
                let parts = self.parts(key.name);
                json!({ "anyOf": [text, parts] })
            }
            Takes::DateForm => {
                let forms: Vec<&str> = Form::NAMES.iter().map(|(name, _)| *name).collect();
                json!({ "anyOf": [{ "enum": forms }, { "type": "string", "pattern": "%" }] })
            }
            Takes::Word(words) => json!({ "enum": words }),
            Takes::Parts => match key.name {
                "person_name" => {
                    let rule = self.short_rule();
                    json!({ "type": "object", "additionalProperties": rule })
                }
                "phone" | "email" => {
                    let (expression, parts) = (self.expression(), self.parts(key.name));
                    json!({ "anyOf": [expression, parts] })
                }
                _ => self.parts(key.name),
            },
            Takes::Codes => {
                let row = json!({
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["to"],
                    "properties": {
                        "to": { "type": ["string", "number", "boolean"] },
                        "from": { "type": "string", "format": "date" },
                        "until": { "type": "string", "format": "date" },
                        "label": { "type": "string" }
                    }
                });
                let meaning = json!({ "anyOf": [
                    { "type": ["string", "number", "boolean"] }, row.clone(), { "type": "array", "items": row }
                ] });
                json!({ "type": "object", "minProperties": 1, "additionalProperties": meaning })
            }
        }
    }

    /// Expressions are text; YAML also reads a bare number or true as one.
    fn expression(&mut self) -> Json {
        self.define("expression", |_| json!({ "type": ["string", "number", "boolean"] }))
    }

    fn parts(&mut self, of: &str) -> Json {
        let keys = PARTS.iter().find(|(name, _)| *name == of).map_or(&[][..], |(_, keys)| keys);
        object(keys.iter().map(|key| (key.name, self.of(key))).collect::<Vec<_>>().into_iter())
    }

    fn short_rule(&mut self) -> Json {
        let (expression, rule) = (self.expression(), self.rule(&Type::Json));
        json!({ "anyOf": [expression, rule] })
    }

    /// An item of `emit`: what may stand below `fields` depends on `to`.
    fn emit(&mut self) -> Json {
        let mut emit = object(EMIT.iter().map(|key| (key.name, self.of(key))).collect::<Vec<_>>().into_iter());
        emit["required"] = json!(["to"]);
        let mut cases = Vec::new();
        for entity in ENTITIES {
            let fields = self.define(&format!("fields.{}", entity.name), |builder| {
                let mut fields = builder.fields(entity.fields);
                let any = builder.rule(&Type::Json);
                fields["patternProperties"] = json!({ "^custom\\.": any });
                fields
            });
            cases.push(json!({
                "if": { "properties": { "to": { "const": entity.name } }, "required": ["to"] },
                "then": { "properties": { "fields": fields } }
            }));
        }
        emit["allOf"] = json!(cases);
        emit
    }

    /// The fields of an entity or object, those of objects in it with dots as well.
    fn fields(&mut self, fields: &'static [Field]) -> Json {
        let mut all = Vec::new();
        self.collect(fields, "", 0, &mut all);
        let properties = all.iter().map(|(name, schema)| (name.as_str(), schema.clone()));
        object(properties)
    }

    fn collect(&mut self, fields: &'static [Field], before: &str, depth: usize, all: &mut Vec<(String, Json)>) {
        for field in fields {
            let name = format!("{before}{}", field.name);
            let rule = self.rule(field.ty);
            let doc = format!("{} ({})", field.doc, field.ty.name());
            all.push((name.clone(), json!({ "description": doc, "allOf": [rule] })));
            if depth < 2 {
                self.collect(field.ty.fields(), &format!("{name}."), depth + 1, all);
            }
        }
    }

    /// A rule for a field of a type: its values are offered where they may stand.
    fn rule(&mut self, ty: &'static Type) -> Json {
        let item = if let Type::List(item) = ty { item } else { ty };
        let name = match item {
            Type::Enum(of) => format!("rule.{}", of.name),
            Type::Struct(of) => format!("rule.{}", of.name),
            _ => "rule".to_owned(),
        };
        self.define(&name, |builder| {
            // Each key stands once, however many types of field there are.
            let mut key = |key: &'static Key| builder.define(&format!("key.{}", key.name), |builder| builder.of(key));
            let keys = RULE.iter().map(|one| (one.name, key(one))).collect::<Vec<_>>();
            let mut rule = object(keys.into_iter());
            for part in ["key", "hub_id", "display"] {
                rule["properties"][part] = builder.short_rule();
            }
            let sources: Vec<Json> =
                WHATS.iter().filter(|what| **what != "each").map(|what| json!({ "required": [what] })).collect();
            rule["oneOf"] = json!(sources);
            let shaped = json!([{ "required": ["path"] }, { "required": ["expr"] }, { "required": ["each"] }]);
            let needs: Map<String, Json> =
                SHAPES.iter().map(|shape| ((*shape).to_owned(), json!({ "anyOf": shaped }))).collect();
            rule["dependencies"] = Json::Object(needs);
            match item {
                Type::Enum(of) => {
                    let values = json!({ "enum": of.values });
                    for key in ["value", "default"] {
                        narrow(&mut rule, key, &values);
                    }
                    narrow(&mut rule, "enum", &json!({ "type": "object", "additionalProperties": values }));
                }
                Type::Struct(of) => {
                    let fields = builder.fields(of.fields);
                    narrow(&mut rule, "fields", &fields);
                }
                _ => {}
            }
            rule
        })
    }
}
