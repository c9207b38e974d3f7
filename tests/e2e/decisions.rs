//! A machine neither hires nor rejects, by whatever road.

use hub_support::{Backends, Place};
use serde_json::{Value, json};

fn send(place: &Place, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = place.http().request(method.parse().unwrap(), place.url(path)).json(body);
    let answer = request.bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap_or_default())
}

fn is_stored_by_people_alone(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    let candidate = send(&place, "POST", "/v1/candidates", &json!({ "name": { "full": "林夏" } })).1["id"].clone();
    let application = json!({ "candidate": { "type": "candidate", "id": candidate }, "outcome": "PENDING" });
    let application = send(&place, "POST", "/v1/applications", &application).1["id"].clone();
    let decision = |kind: &str, made_by: Value| json!({ "application": { "type": "application", "id": application }, "kind": kind, "made_by": made_by });
    let rule = json!({ "kind": "RULE", "rule_id": "sales@2" });
    let user = send(&place, "POST", "/v1/users", &json!({ "username": "petra.osei", "active": true })).1["id"].clone();
    let person = json!({ "kind": "HUMAN", "user": { "type": "user", "id": user } });

    let (status, problem) = send(&place, "POST", "/v1/decisions", &decision("REJECT", rule.clone()));
    assert_eq!(
        (status, &problem["code"], &problem["pointer"]),
        (422, &json!("machine_decision"), &json!("/made_by")),
        "{problem}"
    );
    let (status, made) = send(&place, "POST", "/v1/decisions", &decision("HOLD", rule.clone()));
    assert_eq!(status, 201, "{made}");
    let held = format!("/v1/decisions/{}", made["id"].as_str().unwrap());
    assert_eq!(send(&place, "PATCH", &held, &json!({ "kind": "REJECT" })).0, 422);
    assert_eq!(place.get(&held)["kind"]["value"], "HOLD");
    assert_eq!(send(&place, "PATCH", &held, &json!({ "kind": "REJECT", "made_by": person })).0, 200);
    assert_eq!(send(&place, "PATCH", &held, &json!({ "made_by": null })).0, 422);

    // In a batch the others are written.
    let items = [decision("HIRE", rule), decision("HIRE", person.clone()), decision("HOLD", json!({ "kind": "RULE" }))];
    let items: Vec<Value> = items.into_iter().map(|data| json!({ "data": data })).collect();
    let (status, begun) = send(&place, "POST", "/v1/decisions:batch", &json!({ "items": items }));
    assert_eq!(status, 202, "{begun}");
    let batch = format!("/v1/batches/{}", begun["batch"]["id"].as_str().unwrap());
    hub_support::wait_until(std::time::Duration::from_secs(60), || {
        let found = place.get(&batch);
        if found["status"] == "done" { Ok(()) } else { Err(found.to_string()) }
    });
    let items = place.get(&format!("{batch}/items"));
    let ends: Vec<(&str, Option<&str>)> = items["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_str().unwrap(), item["problem"]["code"].as_str()))
        .collect();
    assert_eq!(ends, [("failed", Some("machine_decision")), ("succeeded", None), ("succeeded", None)], "{items}");
    let all = place.get("/v1/decisions");
    let kinds: Vec<&str> =
        all["data"].as_array().unwrap().iter().map(|one| one["kind"]["value"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 3, "{all}");
    for one in all["data"].as_array().unwrap() {
        let by = &one["made_by"]["kind"]["value"];
        assert!(one["kind"]["value"] == "HOLD" || by == "HUMAN", "{one}");
    }
}

#[test]
fn embedded() {
    is_stored_by_people_alone(Backends::Embedded);
}

#[test]
fn on_servers() {
    is_stored_by_people_alone(Backends::Servers);
}
