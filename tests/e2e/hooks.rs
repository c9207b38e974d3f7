//! What happens at the door: good, repeated, forged and broken web hooks.

use hub_support::{Backends, Place, RabbitMq, free_port, postgres, project_root, rabbitmq, wait_for};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn golden() -> Vec<u8> {
    fs::read(project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json")).unwrap()
}

fn application(place: &Place) -> Option<Value> {
    let found = place.get("/v1/applications?connection=greenhouse-main&remote_id=55120034");
    found["data"].get(0).cloned()
}

/// The value of a counter, 0 if it was never counted.
fn counted(place: &Place, labels: &str) -> u64 {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let line =
        text.lines().find_map(|line| line.strip_prefix(&format!("hrhub_hooks_total{{{labels}}} ")).map(str::to_owned));
    line.map_or(0, |value| value.parse().unwrap())
}

fn a_web_hook_is_believed_once(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    let body = golden();
    let answer = place.greenhouse_hook("evt-1", &body);
    assert_eq!(answer.status(), 200);
    let trace = answer.json::<Value>().unwrap()["trace_id"].as_str().unwrap().to_owned();
    let first = wait_for("the application", LIMIT, || application(&place));
    assert_eq!(first["sources"][0]["remote_id"], "55120034");
    assert_eq!(first["version"], 1);
    let journey = place.get(&format!("/v1/journeys/{trace}"));
    let count = journey["steps"].as_array().unwrap().len();

    // The same again: nothing changes, whether the door remembers it or not.
    let again = place.greenhouse_hook("evt-1", &body).json::<Value>().unwrap();
    assert_eq!(again["duplicate"], true);
    assert_eq!(application(&place).unwrap(), first);
    assert_eq!(place.get(&format!("/v1/journeys/{trace}"))["steps"].as_array().unwrap().len(), count);

    // A forged one: refused, counted, not kept.
    let before = place.get("/v1/journeys")["data"].as_array().unwrap().len();
    let mut forged = body.clone();
    let at = forged.windows(6).position(|window| window == b"active").unwrap();
    forged[at] = b'A';
    let answer = place
        .http()
        .post(place.url("/hooks/greenhouse-main"))
        .header("content-type", "application/json")
        .header("greenhouse-event-id", "evt-2")
        .header("signature", place.greenhouse_signature(&body))
        .body(forged)
        .send()
        .unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.json::<Value>().unwrap()["code"], "webhook_refused");
    assert_eq!(counted(&place, "connection=\"greenhouse-main\",result=\"unauthorized\""), 1);
    assert_eq!(counted(&place, "connection=\"greenhouse-main\",result=\"accepted\""), 1);
    assert_eq!(place.get("/v1/journeys")["data"].as_array().unwrap().len(), before);
    assert_eq!(application(&place).unwrap(), first);
}

#[test]
fn a_web_hook_is_believed_once_on_the_embedded_default() {
    a_web_hook_is_believed_once(Backends::Embedded);
}

#[test]
fn a_web_hook_is_believed_once_on_rabbitmq_and_postgresql() {
    a_web_hook_is_believed_once(Backends::Servers);
}

#[test]
fn a_duplicate_that_the_door_forgot_is_dropped_by_the_store() {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    assert_eq!(place.greenhouse_hook("evt-1", &golden()).status(), 200);
    let first = wait_for("the application", LIMIT, || application(&place));
    assert!(hub.stop().success());
    let _hub = place.serve();
    assert_eq!(place.greenhouse_hook("evt-1", &golden()).status(), 200);
    // A later message of the same road has gone through, so the duplicate has too.
    let other = String::from_utf8(golden()).unwrap().replace("\"id\": 55120034", "\"id\": 55120035");
    assert_eq!(place.greenhouse_hook("evt-3", other.as_bytes()).status(), 200);
    wait_for("the other application", LIMIT, || {
        let found = place.get("/v1/applications?connection=greenhouse-main&remote_id=55120035");
        found["data"].get(0).cloned()
    });
    assert_eq!(application(&place).unwrap(), first);
}

#[test]
fn a_signed_body_that_is_no_json_is_kept_and_parked_with_the_line_to_blame() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    assert_eq!(place.greenhouse_hook("evt-1", b"{\"action\": \"candidate_stage_change\", ").status(), 200);
    let parked = wait_for("the parked message", LIMIT, || {
        let parked = place.get("/v1/parked?connection=greenhouse-main");
        parked["data"].get(0).cloned()
    });
    let text = parked.to_string();
    assert!(text.contains("greenhouse/manifest.yaml:"), "{parked:#}");
    assert!(parked["reason"].as_str().unwrap().contains("JSON"), "{parked:#}");
    // The next one goes on.
    assert_eq!(place.greenhouse_hook("evt-2", &golden()).status(), 200);
    wait_for("the application", LIMIT, || application(&place));
}

#[test]
fn what_cannot_be_taken_is_refused_with_a_clear_problem() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let send = |path: &str, kind: &str, body: Vec<u8>| {
        let signature = place.greenhouse_signature(&body);
        let request = place.http().post(place.url(path)).header("content-type", kind).header("signature", signature);
        let answer = request.body(body).send().unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().unwrap();
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        (status, problem["code"].as_str().unwrap().to_owned())
    };
    let json = "application/json";
    let hook = "/hooks/greenhouse-main";
    assert_eq!(send("/hooks/nobody", json, b"{}".to_vec()), (404, "unknown_connection".into()));
    assert_eq!(send("/hooks/dingtalk-main", json, b"{}".to_vec()), (401, "webhook_refused".into()));
    assert_eq!(send(hook, "text/html", b"{}".to_vec()), (415, "unsupported_media_type".into()));
    assert_eq!(send(hook, json, vec![b' '; 10_000_000]), (413, "too_large".into()));
    assert_eq!(send(hook, json, b"{\"a\": \"\xff\xfe\"}".to_vec()), (400, "bad_encoding".into()));
    // Bombs: deep nesting and endless digits are answered, parked and do not end the process.
    assert_eq!(place.greenhouse_hook("deep", "[".repeat(1_000_000).as_bytes()).status(), 200);
    let digits = format!("{{\"action\":\"candidate_stage_change\",\"payload\":{}}}", "9".repeat(1_000_000));
    assert_eq!(place.greenhouse_hook("digits", digits.as_bytes()).status(), 200);
    wait_for("both to be parked", LIMIT, || {
        let parked = place.get("/v1/parked");
        (parked["data"].as_array().unwrap().len() == 2).then_some(())
    });
    assert_eq!(place.greenhouse_hook("fine", &golden()).status(), 200);
    wait_for("the application", LIMIT, || application(&place));
}

#[test]
fn every_tenant_has_its_own_key_and_its_own_records() {
    let place = Place::new(Backends::Embedded);
    place.edit("connections/greenhouse-main.yaml", |text| text.replace("connector:", "tenant: acme\nconnector:"));
    let _hub = place.serve();
    assert_eq!(place.greenhouse_hook("evt-1", &golden()).status(), 200);
    let config = place.config();
    let config = config.to_str().unwrap();
    let key = |tenant| {
        let made = ["keys", "create", "--name", "t", "--scopes", "admin", "--tenant", tenant, "--config", config];
        hub_support::said(&hub_support::run_hrhub(made)).0.trim().to_owned()
    };
    let (acme, default) = (key("acme"), key("default"));
    let path = "/v1/applications?connection=greenhouse-main&remote_id=55120034";
    wait_for("the tenant's application", LIMIT, || place.get_as(&acme, path).1["data"].get(0).cloned());
    assert_eq!(place.get_as(&default, path).1["data"], serde_json::json!([]), "another tenant's records are not seen");
}

/// The same payload with as much white space as is wanted.
fn with_length(length: usize) -> Vec<u8> {
    let mut body = golden();
    let at = body.len() - 1;
    assert!(body.trim_ascii_end().ends_with(b"}") && length > body.len());
    body.splice(at..at, vec![b' '; length - at - 1]);
    body
}

#[test]
fn a_large_body_waits_in_the_store_and_travels_as_a_reference() {
    let url = postgres().new_database();
    let database = url.rsplit('/').next().unwrap();
    let place = Place::on_servers(&RabbitMq::url(rabbitmq().port), &url);
    let edge = place.serve_as("edge", "edge", place.port);
    wait_for("the broker", LIMIT, || {
        let ready: Value = place.http().get(edge.url("/readyz")).send().ok()?.json().ok()?;
        (ready["bus"]["connected"] == true && ready["store"]["connected"] == true).then_some(())
    });
    let sql = |statement: &str| postgres().sql_in(database, statement).trim().to_owned();
    // What is not that large travels whole; so does a large one that the store does not take within a second.
    assert_eq!(place.greenhouse_hook("evt-small", &with_length(200_000)).status(), 200);
    assert_eq!(sql("SELECT COUNT(*) FROM blobs"), "0");
    let mut sent = 1;
    wait_for("a body to wait in the store", LIMIT, || {
        assert_eq!(place.greenhouse_hook(&format!("evt-{sent}"), &with_length(1_000_000)).status(), 200);
        sent += 1;
        (sql("SELECT COUNT(*) FROM blobs WHERE length(body) > 1000000") != "0").then_some(())
    });
    let _worker = place.serve_as("worker", "worker", free_port());
    let application = wait_for("the application", LIMIT, || application(&place));
    wait_for("all payloads to be mapped", LIMIT, || {
        (sql("SELECT COUNT(*) FROM raws WHERE state IN ('done', 'ignored')") == sent.to_string()).then_some(())
    });
    assert_eq!(sql("SELECT COUNT(*) FROM blobs"), "0");
    assert_eq!(sql("SELECT COUNT(*) FROM raws WHERE length(body) > 1000000"), (sent - 1).to_string());
    assert_eq!(place.get("/v1/parked")["data"], serde_json::json!([]));
    let id = application["id"].as_str().unwrap();
    let why = place.get(&format!("/v1/applications/{id}/explain?field=stage"));
    assert!(why.to_string().contains("current_stage"), "{why:#}");
}

/// A vendor that proved itself may still send keys that no index takes.
fn odd_keys_hold_nobody_up(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    let with_id =
        |id: &str| String::from_utf8(golden()).unwrap().replace("\"id\": 55120034", &format!("\"id\": \"{id}\""));
    assert_eq!(place.greenhouse_hook("nul", with_id("a\\u0000b").as_bytes()).status(), 200);
    assert_eq!(place.greenhouse_hook("long", with_id(&"x".repeat(20_000)).as_bytes()).status(), 200);
    assert_eq!(place.greenhouse_hook("fine", &golden()).status(), 200);
    wait_for("the application behind them", LIMIT, || application(&place));
}

#[test]
fn odd_keys_hold_nobody_up_on_the_embedded_default() {
    odd_keys_hold_nobody_up(Backends::Embedded);
}

#[test]
fn odd_keys_hold_nobody_up_on_rabbitmq_and_postgresql() {
    odd_keys_hold_nobody_up(Backends::Servers);
}

#[test]
fn a_result_never_decides_about_somebody_else() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let invited = hub_support::Candidate::new(7301, "weak.example");
    let other = hub_support::Candidate::new(7302, "weak.example");
    for candidate in [&invited, &other] {
        place.move_candidate(candidate);
    }
    let journeys = [invited, other].map(|c| crate::road::journey_with_calls(&place, c.number, 4));
    let subject = |journey: &Value, entity: &str| {
        let subjects = journey["steps"].as_array().unwrap().iter().filter_map(|step| step["subject"].as_str());
        subjects.filter_map(|s| s.strip_prefix(entity)).next().unwrap().to_owned()
    };
    let (order, application) = (subject(&journeys[0], "assessment_order/"), subject(&journeys[1], "application/"));
    let before = place.get("/v1/decisions")["data"].as_array().unwrap().len();
    let body = serde_json::json!({
        "type": "interview.completed", "timestamp": "2026-11-22T03:00:00Z",
        "data": { "interview_id": "ivw_other", "reference": order, "application_reference": application,
                  "status": "completed", "completed_at": "2026-11-22T03:00:00Z", "scale": { "min": 0, "max": 10 },
                  "dimensions": [{ "id": "情绪稳定性", "score": { "value": 10 } }, { "id": "沟通能力", "score": { "value": 10 } }] }
    })
    .to_string();
    assert_eq!(place.interview_hook("msg_1", body.as_bytes()).status(), 200);
    let parked = wait_for("the parked result", LIMIT, || place.get("/v1/parked")["data"].get(0).cloned());
    assert_eq!(parked["code"], "ORDER_MISMATCH", "{parked:#}");
    assert_eq!(place.get("/v1/decisions")["data"].as_array().unwrap().len(), before);
}

#[test]
fn an_interview_without_a_usable_score_is_still_told_and_noted() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    place.move_candidate(&hub_support::Candidate::new(7401, "weak.example"));
    let journey = crate::road::journey_with_calls(&place, 7401, 4);
    let find = |entity: &str| {
        let subjects = journey["steps"].as_array().unwrap().iter().filter_map(|step| step["subject"].as_str());
        subjects.filter_map(|s| s.strip_prefix(entity)).next().unwrap().to_owned()
    };
    let body = serde_json::json!({
        "type": "interview.completed", "timestamp": "2099-11-22T03:00:00Z",
        "data": { "interview_id": "ivw_second", "reference": find("assessment_order/"),
                  "application_reference": find("application/"), "status": "completed",
                  "completed_at": "2026-11-22T03:00:00Z", "dimensions": [] }
    })
    .to_string();
    assert_eq!(place.interview_hook("msg_2", body.as_bytes()).status(), 200);
    wait_for("the second note", LIMIT, || {
        let parked = place.get("/v1/parked");
        assert!(parked["data"].as_array().unwrap().is_empty(), "{parked:#}");
        let notes = place.effects().into_iter().find(|(name, _)| name == "greenhouse note candidate/907401")?;
        (notes.1 == 2).then_some(())
    });
}
