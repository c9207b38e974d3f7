//! The API in short: what clients rely on, one line each, for the reviewed list that shows what a change breaks.

use super::document::is_told;
use super::{described, document};
use crate::spec::operation::Each;
use serde_json::Value;
use std::collections::BTreeMap;

/// What clients rely on: facts by what they are facts of. A fact that goes away breaks clients, unless it begins with
/// `must `; such a one breaks them when it comes.
#[must_use]
pub fn outline() -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for one in described().into_iter().filter(is_told) {
        // What is there for every entity is said once.
        if one.of.each == Each::Entity && one.entity.is_none_or(|entity| entity.name != "employee") {
            continue;
        }
        let made = &document()["paths"][&one.path][one.of.method.to_ascii_lowercase()];
        all.insert(format!("{} {} {}", one.of.method, one.of.path, one.of.id), operation(made));
    }
    for (name, schema) in document()["components"]["schemas"].as_object().into_iter().flatten() {
        let mut facts = Vec::new();
        let closed = schema["additionalProperties"] == Value::Bool(false);
        members(schema, "", closed, &mut facts);
        all.insert(format!("schema {name}"), facts);
    }
    all
}

fn operation(made: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    for scope in made["x-scopes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        facts.push(format!("for {scope}"));
    }
    for parameter in made["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        facts.push(format!("{} {name} {}", parameter["in"].as_str().unwrap_or_default(), kind(&parameter["schema"])));
        if parameter["required"] == true {
            facts.push(format!("must have {name}"));
        }
    }
    let body = &made["requestBody"];
    for (media, content) in body["content"].as_object().into_iter().flatten() {
        facts.push(format!("takes {media}"));
        members(&content["schema"], "body.", true, &mut facts);
    }
    for (status, answer) in made["responses"].as_object().into_iter().flatten() {
        let content = answer["content"].as_object();
        if content.is_none() {
            facts.push(format!("answers {status}"));
        }
        for (media, content) in content.into_iter().flatten() {
            facts.push(format!("answers {status} {media} {}", kind(&content["schema"])).trim_end().to_owned());
        }
    }
    facts
}

/// The members of a schema. What is sent must have what is required; what is answered always has it.
fn members(schema: &Value, prefix: &str, sent: bool, facts: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        facts.push(format!("{prefix}{name} {}", kind(property)).trim_end().to_owned());
    }
    for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        facts.push(format!("word {word}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        facts.push(format!("{} {prefix}{name}", if sent { "must have" } else { "always" }));
    }
}

/// What a value is, in a word; its bounds belong to it.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        return name.to_owned();
    }
    let mut word = match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("[{}]", kind_of(&schema["items"])),
        Value::String(kind) => schema["format"].as_str().unwrap_or(kind).to_owned(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        _ => match schema["anyOf"].as_array() {
            Some(all) => all.iter().map(kind_of).collect::<Vec<_>>().join("|"),
            None => String::new(),
        },
    };
    if let Some(words) = schema["enum"].as_array() {
        word = words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|");
    }
    for (name, sign) in
        [("minimum", ">="), ("maximum", "<="), ("minLength", ">="), ("maxLength", "<="), ("maxItems", "<=")]
    {
        if let Some(bound) = schema.get(name) {
            word.push_str(&format!("{sign}{bound}"));
        }
    }
    word
}

fn kind_of(schema: &Value) -> String {
    kind(schema)
}
