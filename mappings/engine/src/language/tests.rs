//! The language's tables say what the compiler does.

use super::{Key, RULE, case_schema, list_schema, mapping_schema};
use crate::compile::{SHAPES, WHATS};
use crate::{Direction, Input, Mapping, Parts};
use hub_tree::{Arena, Findings, Limits, Source, json};
use serde_json::Value as Json;

fn file(entity: &str, field: &str, rule: &str) -> String {
    format!(
        "version: 1\nfrom: kestrel/x\nemit:\n  - to: {entity}\n    key: '\"1\"'\n    fields:\n      {field}: {rule}\n"
    )
}

/// What an example's rule makes of its payload.
fn made(key: &Key) -> String {
    let example = key.example.as_ref().unwrap_or_else(|| panic!("`{}` has no example", key.name));
    let (entity, field) = example.field.split_once('.').unwrap();
    let (name, text) = if entity == "body" {
        ("kestrel/x.out.yaml", format!("version: 1\nto: kestrel/x\nfields:\n  {field}: {}\n", example.rule))
    } else {
        ("kestrel/x.in.yaml", file(entity, field, example.rule))
    };
    let parts = Parts {
        files: vec![Source::new(name, text)],
        lists: vec![Source::new("lists/channels.yaml", "version: 1\nentries: { '01': Campus }\n")],
    };
    let findings = Findings::new();
    let mapping = Mapping::assemble("kestrel", &parts, &findings);
    let mapping = mapping.unwrap_or_else(|| panic!("`{}`: {:#?}", key.name, findings.into_sorted()));
    let arena = Arena::new();
    let payload = json::read(&arena, example.payload.as_bytes(), Limits::default()).unwrap();
    let input = Input::of(payload, "case");
    let value = match mapping.direction {
        Direction::In => mapping.run_in(&arena, &input).records[0].fields.get(field),
        Direction::Out => mapping.run_out(&arena, &input).body.get(field),
    };
    if matches!(value, hub_tree::Value::Absent) { String::new() } else { json::to_string(&value) }
}

#[test]
fn every_rule_has_an_example_that_gives_what_it_says() {
    let compact = |text: &str| {
        if text.is_empty() {
            return String::new();
        }
        let arena = Arena::new();
        json::to_string(&json::read(&arena, text.as_bytes(), Limits::default()).unwrap())
    };
    for key in RULE {
        let gives = key.example.as_ref().map_or("", |example| example.gives);
        assert_eq!(made(key), compact(gives), "`{}`", key.name);
    }
}

/// `BLESS=1` rewrites the file.
#[test]
fn the_reference_in_the_project_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../REFERENCE.md");
    let made = super::reference();
    if hub_tree::env::read("BLESS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == made, "mappings/REFERENCE.md is old: run BLESS=1 cargo test -p hub-engine reference");
}

#[test]
fn the_tables_hold_every_key_that_the_compiler_knows() {
    let listed: Vec<&str> = RULE.iter().map(|key| key.name).collect();
    for key in WHATS.iter().chain(&SHAPES).chain(&["when", "where", "default", "required", "always"]) {
        assert!(listed.contains(key), "`{key}` is not in the reference");
    }
    assert_eq!(listed.len(), WHATS.len() + SHAPES.len() + 5, "{listed:?}");
}

fn as_json(text: &str) -> Json {
    let source = Source::new("x.yaml", text);
    let findings = Findings::new();
    let node = hub_tree::yaml::read(&source, &findings).unwrap();
    let arena = Arena::new();
    serde_json::from_str(&json::to_string(&node.to_value(&arena))).unwrap()
}

#[test]
fn the_schema_accepts_what_the_compiler_accepts_and_refuses_misspelt_keys() {
    let validator = jsonschema::validator_for(&mapping_schema(Direction::In)).unwrap();
    for key in RULE {
        let example = key.example.as_ref().unwrap();
        let (entity, field) = example.field.split_once('.').unwrap();
        if entity == "body" {
            continue;
        }
        let example = as_json(&file(entity, field, example.rule));
        let errors: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "`{}`: {errors:#?}", key.name);
    }
    for bad in [
        "{ pth: payload.x }",
        "{ path: payload.x, trimm: true }",
        "{ path: payload.x, expr: payload.y }",
        "payload.x",
        "{ path: payload.x, enum: { a: APPLIEDD } }",
        "{ value: APPLIEDD }",
        "{ value: APPLIED, trim: true }",
    ] {
        let text =
            format!("version: 1\nfrom: k/x\nemit: [{{ to: candidate, key: a.b, fields: {{ origin: {bad} }} }}]\n");
        assert!(!validator.is_valid(&as_json(&text)), "{bad}");
    }
    for bad in ["version: 2\nfrom: k/x\nemit: []", "version: 1\nfrom: k/x", "version: 1\nform: k/x\nemit: []"] {
        assert!(!validator.is_valid(&as_json(bad)), "{bad}");
    }
    let fields = "version: 1\nfrom: k/x\nemit: [{ to: candidate, key: a.b, fields: { stage_kind: { path: a.b } } }]\n";
    assert!(!validator.is_valid(&as_json(fields)), "a candidate has no stage_kind");
    let out = jsonschema::validator_for(&mapping_schema(Direction::Out)).unwrap();
    assert!(
        out.is_valid(&as_json(
            "version: 1\nto: k/x\nformat: xml\nfields: { a.b: { path: payload.c, always: true } }\n"
        ))
    );
    let list = jsonschema::validator_for(&list_schema()).unwrap();
    assert!(list.is_valid(&as_json("version: 1\nentries: { A: B, C: [{ to: D, until: 2025-12-31 }] }\n")));
    assert!(!list.is_valid(&as_json("version: 1\nentries: { A: { too: D } }\n")));
    assert!(jsonschema::validator_for(&case_schema()).unwrap().is_valid(&serde_json::json!({ "payload": 1 })));
}
