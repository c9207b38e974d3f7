//! Calculations by request: every known case, singly and as items, and what is wrong with a request.

use hub_support::{Backends, Place, project_root};
use serde_json::{Value, json};
use std::fs;

/// The known cases of what the hub can calculate: service, type, given, answer.
fn cases(place: &Place) -> Vec<(String, String, Value, Value)> {
    let file = fs::read(project_root().join("tests/golden/services.json")).unwrap();
    let all: Value = serde_json::from_slice(&file).unwrap();
    let mut cases = Vec::new();
    let list = place.get("/v1/services");
    let known = |service: &str, name: &str| {
        let services = list["data"].as_array().unwrap().iter().filter(|one| one["service"] == service);
        services.flat_map(|one| one["calculations"].as_array().unwrap()).any(|one| one["type"] == name)
    };
    for (service, types) in all["services"].as_object().unwrap() {
        for (name, one) in types.as_object().unwrap() {
            if let Some(example) = one.get("example").filter(|_| known(service, name)) {
                cases.push((service.clone(), name.clone(), example["given"].clone(), example["answer"].clone()));
            }
        }
    }
    assert!(cases.len() > 50, "{}", cases.len());
    cases
}

fn ask(place: &Place, service: &str, body: &Value) -> (u16, Value) {
    let request = place.http().post(place.url(&format!("/v1/services/{service}"))).json(body);
    let answer = request.bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

/// The fields of the wanted answer that the found one does not have.
fn differences(wanted: &Value, found: &Value) -> Vec<String> {
    let wanted = wanted.as_object().unwrap().iter();
    let differing = wanted.filter(|(field, value)| found[field.as_str()] != **value);
    differing.map(|(field, value)| format!("{field}: {value} is wanted, {} found", found[field.as_str()])).collect()
}

#[test]
fn every_known_case_is_answered_singly_and_among_items() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let mut wrong = Vec::new();
    let mut items: Vec<(String, Vec<Value>, Vec<Value>)> = Vec::new();
    for (service, name, given, answer) in cases(&place) {
        let (status, found) = ask(&place, &service, &given);
        if status != 200 {
            wrong.push(format!("{service} {name}: {status} {found}"));
            continue;
        }
        assert!(found["explain"].as_array().is_some_and(|steps| !steps.is_empty()), "{service} {name}: {found}");
        assert_eq!(found.get("warnings"), None, "{service} {name}: {found}");
        wrong.extend(differences(&answer, &found).into_iter().map(|one| format!("{service} {name}: {one}")));
        match items.iter_mut().find(|(known, ..)| *known == service) {
            Some((_, all, answers)) => {
                all.push(given);
                answers.push(found);
            }
            None => items.push((service, vec![given], vec![found])),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (service, given, answers) in items {
        let (status, found) = ask(&place, &service, &json!({ "items": given }));
        assert_eq!((status, &found["items"]), (200, &Value::Array(answers)), "{service}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_stops_no_other_item() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let good = json!({"type": "normalise", "raw": "8.4", "scale": {"kind": "linear", "min": "0", "max": "10"}});
    let mut outside = good.clone();
    outside["raw"] = json!("10.01");
    let (status, problem) = ask(&place, "interview", &outside);
    assert_eq!(
        (status, problem["code"].as_str(), problem["pointer"].as_str()),
        (422, Some("invalid_body"), Some("/raw"))
    );
    assert!(problem["detail"].as_str().unwrap().contains("range"), "{problem}");
    let (status, both) = ask(&place, "interview", &json!({"items": [outside, good, {"type": "guess"}, 7]}));
    assert_eq!(status, 200);
    assert_eq!(both["items"][0]["pointer"], "/items/0/raw");
    assert_eq!(both["items"][1]["score"], "84.000000");
    assert_eq!(both["items"][2]["status"], 422);
    assert!(both["items"][2]["detail"].as_str().unwrap().contains("normalise"), "{both}");
    assert_eq!(both["items"][3]["pointer"], "/items/3");
    let mut misspelt = good.clone();
    misspelt["rwa"] = json!("7");
    assert_eq!(ask(&place, "interview", &misspelt).1["warnings"][0]["pointer"], "/rwa");
    for (service, body, status) in [
        ("interview", json!({"type": "guess"}), 422),
        ("interview", json!({}), 422),
        ("interview", json!([]), 422),
        ("interview", json!({"items": 7}), 422),
        ("interview", json!({"items": [], "raw": 7}), 422),
        ("intervew", good.clone(), 404),
    ] {
        let (found, problem) = ask(&place, service, &body);
        assert_eq!(found, status, "{service} {body}: {problem}");
    }
    assert_eq!(ask(&place, "interview", &json!({"items": []})).1, json!({"items": []}));
    let stranger = place.http().post(place.url("/v1/services/interview")).json(&good).send().unwrap();
    assert_eq!(stranger.status(), 401);
}
