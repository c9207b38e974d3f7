//! A learning record store of ours: statements in, what they come to; and statements of another store, read in rounds.

use crate::trust::send;
use hub_support::{Backends, Place, wait_until};
use reqwest::Method;
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
const STORE: &str = "/xapi/xapi-main/statements";

/// A request of a sender who knows the word.
fn ask(place: &Place, method: Method, path: &str, body: Option<&Value>) -> Response {
    let request = place.http().request(method, place.url(path)).basic_auth("lms", Some("its:word"));
    let request = request.header("X-Experience-API-Version", "1.0.1");
    body.map_or(request.try_clone().unwrap(), |body| request.json(body)).send().unwrap()
}

fn statement(id: &str, verb: &str, course: &str) -> Value {
    json!({
        "id": id, "timestamp": "2026-11-02T18:15:00+08:00",
        "actor": { "account": { "homePage": "https://hr.example.com/employees", "name": "E-10045" } },
        "verb": { "id": format!("http://adlnet.gov/expapi/verbs/{verb}") },
        "object": { "id": format!("https://lms.example.com/{course}"), "definition": { "name": { "zh-CN": "安全测验" } } },
    })
}

fn found(place: &Place, path: &str, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    wait_until(LIMIT, || {
        let all = place.get(path);
        match all["data"].as_array() {
            Some(data) if fits(data) => Ok(data.clone()),
            _ => Err(format!("{all:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

fn store(backends: Backends) {
    let place = Place::new(backends);
    let text = "id: xapi-main\nconnector: xapi\nsettings: { webhook_secret: \"lms:its:word\", people: \"https://hr.example.com/employees\" }\n";
    fs::write(place.config().join("connections/xapi-main.yaml"), text).unwrap();
    let _hub = place.serve();
    let about = place.http().get(place.url("/xapi/xapi-main/about")).send().unwrap();
    assert_eq!(about.headers()["x-experience-api-version"], "1.0.3");
    assert_eq!(about.json::<Value>().unwrap(), json!({ "version": ["1.0.3"] }));

    // Who is not known, or speaks another version, is not heard.
    let (first, second) = ("6690e6c9-3ef0-4ed3-8b37-7f3964730bee", "0D5B1B1A-8b0a-4f0a-9a0b-1c2d3e4f5a6b");
    let begun = statement(first, "initialized", "au/safety-quiz");
    let stranger = place.http().post(place.url(STORE)).header("X-Experience-API-Version", "1.0.3").json(&begun);
    assert_eq!(stranger.send().unwrap().status(), 401);
    for version in ["", "0.95", "1.1.0", "2.0.0"] {
        let request = place.http().post(place.url(STORE)).basic_auth("lms", Some("its:word")).json(&begun);
        let request = if version.is_empty() { request } else { request.header("X-Experience-API-Version", version) };
        let answer = request.send().unwrap();
        assert_eq!(answer.status(), 400, "{version}");
        assert_eq!(answer.headers()["x-experience-api-version"], "1.0.3");
    }
    let answer = ask(&place, Method::POST, "/xapi/greenhouse-main/statements", Some(&begun));
    assert_eq!(answer.status(), 404);

    let mut passed = statement(second, "passed", "au/safety-quiz");
    passed["result"] = json!({ "success": true, "score": { "scaled": 0.75 }, "duration": "PT12M30S" });
    passed["timestamp"] = json!("2026-11-02T18:30:00+08:00");
    passed["context"] = json!({
        "registration": "760e3480-ba55-4991-94b0-01820dbd23a2",
        "contextActivities": { "category": [{ "id": "https://w3id.org/xapi/cmi5/context/categories/moveon" }] },
        "extensions": { "https://w3id.org/xapi/cmi5/context/extensions/masteryscore": 0.8 },
    });
    let taken = ask(&place, Method::POST, STORE, Some(&json!([begun, passed])));
    assert_eq!(taken.status(), 200);
    assert_eq!(taken.json::<Value>().unwrap(), json!([first, second.to_lowercase()]));
    let results = found(&place, "/v1/learning-results", |all| all.len() == 1);
    let result = &results[0];
    assert_eq!((&result["passed"], &result["duration"]), (&json!(true), &json!("PT12M30S")), "{result:#}");
    assert_eq!((&result["score"]["value"], &result["score"]["max"]), (&json!("0.75"), &json!("1")), "{result:#}");
    assert_eq!(result["custom"]["below_mastery"], true, "told, and kept as it came: {result:#}");
    let enrolments =
        found(&place, "/v1/enrolments", |all| all[..].first().is_some_and(|one| one["status"]["value"] == "COMPLETED"));
    assert_eq!((enrolments.len(), &enrolments[0]["custom"]["moves_on"]), (1, &json!(true)), "{enrolments:#?}");
    let people = found(&place, "/v1/employees?employee_number=E-10045", |all| all.len() == 1);
    assert_eq!(enrolments[0]["employee"]["id"], people[0]["id"]);
    assert_eq!(found(&place, "/v1/courses", |all| all.len() == 1)[0]["title"], "安全测验");

    // The same again is done; another one of the same id is refused, and with it all that came along.
    assert_eq!(ask(&place, Method::POST, STORE, Some(&json!([begun, passed]))).status(), 200);
    let mut other = passed.clone();
    other["result"]["success"] = json!(false);
    let third = statement("6690e6c9-3ef0-4ed3-8b37-7f3964730b03", "failed", "au/other");
    let refused = ask(&place, Method::POST, STORE, Some(&json!([third, other])));
    assert_eq!(refused.status(), 409);
    assert_eq!(refused.json::<Value>().unwrap()["code"], "statement_conflict");
    let twice = ask(&place, Method::POST, STORE, Some(&json!([third, third])));
    assert_eq!(twice.status(), 400);
    let odd = ask(&place, Method::POST, STORE, Some(&json!([third, { "verb": {} }]))).json::<Value>().unwrap();
    assert_eq!((odd["code"].as_str(), odd["pointer"].as_str()), (Some("invalid_statement"), Some("/1/actor")), "{odd}");
    let path = |id: &str| format!("{STORE}?statementId={id}");
    assert_eq!(ask(&place, Method::GET, &path("6690e6c9-3ef0-4ed3-8b37-7f3964730b03"), None).status(), 404);

    // One that is put, read back as it is kept, and voided: its result is gone, its history is not.
    let put = statement("6690e6c9-3ef0-4ed3-8b37-7f3964730b04", "completed", "courses/onboarding");
    let mut put = put;
    put["result"] = json!({ "completion": true, "score": { "raw": 46, "min": 0, "max": 50 } });
    assert_eq!(ask(&place, Method::PUT, &path(first), Some(&put)).status(), 400, "the address names another");
    assert_eq!(ask(&place, Method::PUT, STORE, Some(&put)).status(), 400);
    let id = put["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&place, Method::PUT, &path(&id), Some(&put)).status(), 204);
    assert_eq!(ask(&place, Method::PUT, &path(&id), Some(&put)).status(), 204, "the same again");
    let results = found(&place, "/v1/learning-results", |all| all.len() == 2);
    let onboarding = results.iter().find(|one| one["sources"][0]["remote_id"] == id).unwrap();
    assert_eq!(onboarding["score"]["value"], "46", "{onboarding:#}");
    assert!(onboarding.get("passed").is_none(), "nobody said so: {onboarding:#}");
    let kept = wait_until(LIMIT, || {
        let answer = ask(&place, Method::GET, &path(&id), None);
        if answer.status() == 200 { Ok(answer.json::<Value>().unwrap()) } else { Err(answer.status().to_string()) }
    });
    assert_eq!((&kept["result"], kept["stored"].is_string()), (&put["result"], true), "{kept:#}");
    let mut void = statement("6690e6c9-3ef0-4ed3-8b37-7f3964730b05", "voided", "x");
    void["object"] = json!({ "objectType": "StatementRef", "id": id });
    assert_eq!(ask(&place, Method::POST, STORE, Some(&void)).status(), 200);
    found(&place, "/v1/learning-results", |all| all.len() == 1);
    let gone = onboarding["id"].as_str().unwrap();
    let (status, _) = send(&place, "GET", &format!("/v1/learning-results/{gone}/history"), &Value::Null);
    assert_eq!(status, 200);
}

#[test]
fn statements_are_kept_and_come_to_records_on_the_embedded_default() {
    store(Backends::Embedded);
}

#[test]
fn statements_are_kept_and_come_to_records_on_rabbitmq_and_postgresql() {
    store(Backends::Servers);
}

#[test]
fn another_store_is_read_page_by_page() {
    let place = Place::new(Backends::Embedded);
    let base = format!("http://127.0.0.1:{}/xapi/xapi", place.sandbox_port);
    let text = format!(
        "id: xapi-other\nconnector: xapi\npolls: [statements]\nsettings: {{ base_url: \"{base}\", username: hub, password: sandbox-xapi-password }}\n"
    );
    fs::write(place.config().join("connections/xapi-other.yaml"), text).unwrap();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (status, begun) = send(&place, "POST", "/v1/connections/xapi-other/polls/statements:run", &json!({}));
    assert!((200..300).contains(&status), "{begun}");
    let results = found(&place, "/v1/learning-results", |all| all.len() == 2);
    let failed = results.iter().find(|one| one["passed"] == false).unwrap();
    assert_eq!(failed["score"]["value"], "0.4", "{failed:#}");
    let enrolments = found(&place, "/v1/enrolments", |all| all.len() == 3);
    let states: std::collections::BTreeSet<&str> =
        enrolments.iter().map(|one| one["status"]["value"].as_str().unwrap()).collect();
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["COMPLETED", "FAILED", "IN_PROGRESS"]);
    found(&place, "/v1/employees?connection=xapi-other", |all| all.len() == 3);
}
