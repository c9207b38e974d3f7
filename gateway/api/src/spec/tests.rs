use super::operation::Body;
use super::shape::{Schemas, Shape};
use super::*;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn operations_have_names_of_their_own() {
    let mut seen = BTreeMap::new();
    for one in described() {
        let at = format!("{} {}", one.of.method, one.path);
        if let Some(other) = seen.insert(one.id.clone(), at.clone()) {
            panic!("{other} and {at} are both called {}", one.id);
        }
    }
    assert!(seen.len() > 300, "{}", seen.len());
    assert!(seen.contains_key("list_employees") && seen.contains_key("get_time_off_request"));
}

#[test]
fn every_problem_is_one_that_the_documents_explain() {
    for one in described() {
        for code in document::problems(one.of) {
            assert!(crate::problem::code(code).is_some(), "docs/problems.md says nothing of `{code}` ({})", one.id);
        }
    }
}

#[test]
fn names_of_shapes_and_of_the_model_do_not_meet() {
    let model: BTreeSet<String> = {
        let mut schemas = Schemas { shared: BTreeMap::new() };
        for entity in hub_model::ENTITIES {
            schemas.answered(&Shape::Record, Some(entity));
            schemas.sent(&Shape::Fields(&[]), Some(entity));
        }
        schemas.shared.into_keys().collect()
    };
    fn walk(shape: &Shape, names: &mut BTreeSet<&'static str>) {
        match shape {
            Shape::List(of) | Shape::Some(_, _, of) | Shape::Map(of) | Shape::Null(of) | Shape::Page(of) => {
                walk(of, names);
            }
            Shape::Object(name, members) => {
                names.insert(name);
                members.iter().for_each(|member| walk(&member.shape, names));
            }
            _ => {}
        }
    }
    let (mut answered, mut sent) = (BTreeSet::new(), BTreeSet::new());
    for one in described() {
        one.of.answers.iter().for_each(|answer| walk(&answer.shape, &mut answered));
        if let Body::Json(shape) | Body::Optional(shape) = &one.of.body {
            walk(shape, &mut sent);
        }
    }
    let both: Vec<_> = answered.intersection(&sent).filter(|name| !name.is_empty()).collect();
    assert!(both.is_empty(), "closed where they are sent and open where they are answered: {both:?}");
    let hidden: Vec<_> = answered.iter().filter(|name| model.contains(**name)).collect();
    assert!(hidden.is_empty(), "the model has these: {hidden:?}");
}

#[test]
fn examples_are_of_their_shape() {
    let mut tried = 0;
    for one in described().into_iter().filter(document::is_told) {
        let (Body::Json(shape) | Body::Optional(shape)) = &one.of.body else { continue };
        let mut schemas = Schemas { shared: BTreeMap::new() };
        let mut schema = schemas.sent(shape, one.entity);
        schema["components"] = serde_json::json!({ "schemas": schemas.shared });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let examples = examples::of(one.of, one.entity);
        assert!(!examples.is_empty(), "{} has a body and no example", one.id);
        for example in examples {
            let wrong: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", one.id);
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn an_address_knows_its_methods() {
    assert_eq!(methods_of("/v1/subscriptions"), ["GET", "HEAD", "OPTIONS", "POST"]);
    assert_eq!(methods_of("/v1/subscriptions/7"), ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]);
    assert_eq!(methods_of("/v1/subscriptions/7:test"), ["OPTIONS", "POST"]);
    assert_eq!(methods_of("/v1/employees:export"), ["GET", "HEAD", "OPTIONS"]);
    assert!(methods_of("/v1/messages").contains(&"POST"));
    for nothing in ["/v1/nobody", "/v1/subscriptions/7:fly", "/v1", "/v1/employees/"] {
        assert!(methods_of(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn the_document_is_made_once_and_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let text = text();
    let mut missing = Vec::new();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        if document["components"]["schemas"].get(name).is_none_or(serde_json::Value::is_null) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    assert!(document["paths"].as_object().unwrap().len() > 200);
}
