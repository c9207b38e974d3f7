//! The published JSON Schemas of the open interview contract say what the mappings read and write.

use hub_support::project_root;
use serde_json::Value;
use std::fs;

fn read(path: &str) -> Value {
    let text = fs::read_to_string(project_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// What a schema finds wrong.
fn check(schema: &str, value: &Value) -> Vec<String> {
    let schema = read(&format!("connectors/vendors/ai-interview/schema/{schema}.schema.json"));
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

const CASES: &str = "mappings/ai-interview/cases";

#[test]
fn what_the_hub_sends_fits_the_schema() {
    let body = read(&format!("{CASES}/invite.out/invite.expect.json"))["body"].clone();
    assert_eq!(check("invite.request", &body), Vec::<String>::new());
    let mut without = body;
    without.as_object_mut().unwrap().remove("reference");
    assert_eq!(check("invite.request", &without).len(), 1);
}

#[test]
fn what_the_mappings_read_fits_the_schema_and_what_they_refuse_does_not() {
    let accepted = read(&format!("{CASES}/invite.in/accepted.full.json"));
    assert_eq!(check("invite.reply", &accepted["payload"]), Vec::<String>::new());
    for case in ["completed", "expired"] {
        assert_eq!(
            check("result", &read(&format!("{CASES}/result.in/{case}.input.json"))),
            Vec::<String>::new(),
            "{case}"
        );
    }
    let no_scale = read(&format!("{CASES}/result.in/scale_missing.input.json"));
    assert!(!check("result", &no_scale).is_empty());
}
