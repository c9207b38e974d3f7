//! Records written through the API: the hub's own at once, those of a system when it has said yes; under one key once,
//! and thousands in one request. The ERP is simulated, the hub is real.

use crate::erp_json::{KINGDEE, effects, place as erp};
use hub_support::{Backends, Place, wait_until};
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A request, as an app sends it.
fn send(place: &Place, (method, path): (&str, &str), headers: &[(&str, &str)], body: String) -> Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = place.http().request(method, place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(body).send().unwrap()
}

/// Status, `ETag` and body.
fn ask(place: &Place, what: (&str, &str), headers: &[(&str, &str)], body: &Value) -> (u16, String, Value) {
    let answer = send(place, what, headers, body.to_string());
    let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), tag, answer.json().unwrap_or_default())
}

fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[test]
fn a_record_of_the_hub_is_written_at_once_changed_by_a_patch_and_marked_as_gone() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let department = ("POST", "/v1/departments");
    let new = json!({ "name": "研发中心", "code": "RD", "status": "ACTIVE", "custom": { "floor": 7 } });
    let made = send(&place, department, &[], new.to_string());
    assert_eq!(made.status(), 201);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = made.json().unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (location, &made["version"], &made["custom"]["floor"]),
        (format!("/v1/departments/{id}"), &json!(1), &json!(7))
    );
    let path = format!("/v1/departments/{id}");
    // A merge patch: null clears, what is not named stays.
    let patch = json!({ "code": null, "name": "研发一部" });
    let (status, tag, changed) = ask(&place, ("PATCH", &path), &[("if-match", "\"1\"")], &patch);
    assert_eq!((status, tag.as_str(), &changed["name"]), (200, "\"2\"", &json!("研发一部")), "{changed:#}");
    assert!(changed["code"].is_null() && changed["status"]["value"] == "ACTIVE", "{changed:#}");
    let (status, tag, late) = ask(&place, ("PATCH", &path), &[("if-match", "\"1\"")], &json!({ "code": "X" }));
    assert_eq!((status, tag.as_str(), &late["code"]), (412, "\"2\"", &json!("version_differs")), "{late:#}");
    let (status, _, _) = ask(&place, ("DELETE", &path), &[("if-match", "\"1\"")], &json!({}));
    assert_eq!(status, 412);
    // All that is wrong is told at once, with its place.
    let bad = json!({ "id": id, "version": 7, "path": [], "cod": "X", "type": "SHED", "order": "first" });
    let (status, _, problem) = ask(&place, ("PATCH", &path), &[], &bad);
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_body")));
    let told: BTreeSet<&str> = pointers(&problem).into_iter().collect();
    assert_eq!(told, BTreeSet::from(["/id", "/version", "/path", "/cod", "/type", "/order"]), "{problem:#}");
    let (status, _, problem) = ask(&place, ("POST", "/v1/employees"), &[], &json!({ "display_name": "x" }));
    assert_eq!((status, pointers(&problem)), (422, vec!["/status"]), "{problem:#}");
    assert_eq!(ask(&place, ("POST", "/v1/audit-events"), &[], &json!({})).0, 405);
    // Gone: a tombstone, which nobody changes any more.
    assert_eq!(ask(&place, ("DELETE", &path), &[("if-match", "\"2\"")], &json!({})).0, 204);
    assert_eq!(ask(&place, ("PATCH", &path), &[], &json!({ "code": "X" })).0, 404);
    assert_eq!(place.get("/v1/departments")["data"], json!([]));
    assert!(place.get("/v1/departments?include_deleted=true")["data"][0]["deleted_at"].is_string());
}

#[test]
fn the_same_request_under_the_same_key_gets_the_same_answer_also_after_a_restart() {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    let (what, key) = (("POST", "/v1/locations"), [("idempotency-key", "k-1")]);
    let body = json!({ "name": "上海" });
    let (first, _, record) = ask(&place, what, &key, &body);
    assert_eq!(first, 201, "{record:#}");
    drop(hub);
    let _hub = place.serve();
    let again = send(&place, what, &key, body.to_string());
    assert_eq!((again.status().as_u16(), again.headers()["idempotent-replayed"].to_str().unwrap()), (201, "true"));
    assert!(again.headers().contains_key("etag") && again.headers().contains_key("location"));
    assert_eq!(again.json::<Value>().unwrap(), record);
    let (status, _, problem) = ask(&place, what, &key, &json!({ "name": "北京" }));
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{problem:#}");
    // What was refused has done nothing, and its key is free.
    let free = [("idempotency-key", "k-2")];
    assert_eq!(ask(&place, what, &free, &json!({ "nam": "x" })).0, 422);
    assert_eq!(ask(&place, what, &free, &json!({ "name": "杭州" })).0, 201);
    assert_eq!(place.get("/v1/locations")["data"].as_array().unwrap().len(), 2);
}

fn hire(number: &str) -> Value {
    json!({ "connection": "erp", "employee_number": number, "display_name": "赵雪", "work_email": "xue.zhao@example.com" })
}

#[test]
fn a_system_is_asked_and_the_record_is_there_when_it_has_said_yes() {
    let place = erp("kingdee-k3cloud", KINGDEE, "organization");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let post = ("POST", "/v1/employees");
    let patient = [("prefer", "wait=60")];
    // What it needs can be asked, and what lacks is told with its place in the request.
    let needs = place.get("/v1/connections/erp/requirements/employee");
    assert!(needs["create"]["schema"]["properties"]["employee_number"].is_object(), "{needs:#}");
    assert!(needs["create"]["schema"]["properties"]["with"]["properties"]["person"].is_object(), "{needs:#}");
    let wanted = json!({ "required": ["employee_number"] });
    assert!(needs["create"]["schema"]["allOf"].as_array().unwrap().contains(&wanted), "{needs:#}");
    let (status, _, problem) = ask(&place, post, &patient, &json!({ "connection": "erp", "display_name": "赵雪" }));
    assert_eq!((status, &problem["pointer"]), (422, &json!("/employee_number")), "{problem:#}");
    let (status, _, problem) =
        ask(&place, ("POST", "/v1/locations"), &patient, &json!({ "connection": "erp", "name": "x" }));
    assert_eq!((status, &problem["pointer"]), (422, &json!("/connection")), "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains("create_employee"), "{problem:#}");

    let mut new = hire("ZG0003");
    new["username"] = json!("xue.zhao");
    new["ext"] = json!({ "erp": { "level": "P6" } });
    new["with"] = json!({ "person": { "name": { "full": "赵雪" }, "phones": [{ "e164": "+8613800138000" }] } });
    let (status, tag, made) = ask(&place, post, &patient, &new);
    assert_eq!(status, 201, "{made:#}");
    assert!(!tag.is_empty() && made["sources"][0]["connection_id"] == "erp", "{made:#}");
    assert_eq!((effects(&place, "saved"), effects(&place, "submitted"), effects(&place, "audited")), (1, 1, 1));
    let warned: Vec<(&str, &str)> = made["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| (warning["code"].as_str().unwrap(), warning["pointer"].as_str().unwrap()))
        .collect();
    assert!(
        warned.contains(&("not_sent", "/username")) && warned.contains(&("not_sent", "/ext/erp/level"))
            || warned.contains(&("not_sent", "/ext/erp")),
        "{warned:?}"
    );
    let id = made["id"].as_str().unwrap().to_owned();
    // From its first version on it says where it is: the flow that employs people there leaves it alone.
    let history = place.get(&format!("/v1/employees/{id}/history"));
    assert_eq!(history["data"][0]["sources"][0]["connection_id"], "erp", "{history:#}");
    let operations = place.get("/v1/operations?status=succeeded");
    assert_eq!(
        (&operations["data"][0]["record_id"], &operations["data"][0]["call"]),
        (&json!(id), &json!("create_employee"))
    );

    // A change is sent as a change, and is there when it is there.
    let path = format!("/v1/employees/{id}?connection=erp");
    let (status, _, changed) =
        ask(&place, ("PATCH", &path), &patient, &json!({ "work_email": "zhao.xue@example.com" }));
    assert_eq!((status, &changed["work_email"]), (200, &json!("zhao.xue@example.com")), "{changed:#}");
    assert_eq!(effects(&place, "audited"), 2, "{:#?}", place.effects());

    // The system's no is the caller's answer, with its own code and the place that it is about; nothing was written.
    let (status, _, refused) = ask(&place, post, &patient, &hire("ZG0003"));
    assert_eq!(
        (status, &refused["code"], &refused["party"]),
        (422, &json!("vendor_refused"), &json!("CALLER")),
        "{refused:#}"
    );
    assert_eq!(refused["pointer"], "/employee_number", "{refused:#}");
    let operation = place.get(&format!("/v1/operations/{}", refused["operation"].as_str().unwrap()));
    assert_eq!((&operation["status"], &operation["record_id"]), (&json!("failed"), &Value::Null), "{operation:#}");
    assert_eq!(operation["trace_id"], refused["trace_id"]);
    assert_eq!(place.get("/v1/employees?connection=erp")["data"].as_array().unwrap().len(), 1);
    assert_eq!(effects(&place, "saved"), 2, "{:#?}", place.effects());
}

#[test]
fn a_slow_system_is_an_operation_to_look_at_and_five_hundred_requests_with_one_key_are_one_call() {
    let place = erp("kingdee-k3cloud", KINGDEE, "organization");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    place.turn(&json!({ "slow_ms": 400, "vendors": ["kingdee-k3cloud"] }));
    let headers = [("prefer", "respond-async"), ("idempotency-key", "hire-1")];
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let one = || {
            (0..10)
                .map(|_| {
                    let (status, _, body) = ask(&place, ("POST", "/v1/employees"), &headers, &hire("ZG0007"));
                    (status, body)
                })
                .collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 500);
    let taken: BTreeSet<String> =
        answers.iter().filter(|(status, _)| *status == 202).map(|(_, body)| body.to_string()).collect();
    assert_eq!(taken.len(), 1, "{taken:#?}");
    let running = |(status, body): &(u16, Value)| *status == 409 && body["code"] == "request_running";
    assert!(answers.iter().all(|one| one.0 == 202 || running(one)));
    let first: Value = taken.first().unwrap().parse().unwrap();
    let id = first["operation"]["id"].as_str().unwrap();
    let ended = wait_until(LIMIT, || {
        let operation = place.get(&format!("/v1/operations/{id}"));
        if operation["status"] == "succeeded" { Ok(operation) } else { Err(format!("{operation:#}")) }
    });
    assert!(ended["record_id"].is_string() && ended["ended_at"].is_string(), "{ended:#}");
    assert_eq!((effects(&place, "saved"), effects(&place, "audited")), (1, 1));
}

fn batch(place: &Place, path: &str, headers: &[(&str, &str)], body: String) -> (u16, Value) {
    let answer = send(place, ("POST", path), headers, body);
    (answer.status().as_u16(), answer.json().unwrap())
}

fn done(place: &Place, answer: &Value) -> Value {
    let path = format!("/v1/batches/{}", answer["batch"]["id"].as_str().unwrap());
    wait_until(LIMIT, || {
        let found = place.get(&path);
        if found["status"] == "done" { Ok(found) } else { Err(format!("{found:#}")) }
    })
}

#[test]
fn thousands_are_written_in_one_request_each_with_an_end_of_its_own() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let mut lines = String::new();
    for number in 0..2_000 {
        let _ = writeln!(
            lines,
            "{}",
            json!({ "key": format!("loc-{number}"), "data": { "name": format!("地点{number}") } })
        );
    }
    lines.push_str("{\"data\":{\"nam\":\"x\"}}\nno json\n{\"id\":\"0198f0aa-0000-7000-8000-000000000001\",\"data\":{\"name\":\"x\"}}\n");
    let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", "load-1")];
    let (status, first) = batch(&place, "/v1/locations:batch", &headers, lines.clone());
    assert_eq!(status, 202, "{first:#}");
    let whole = done(&place, &first);
    assert_eq!(
        (&whole["items"]["total"], &whole["items"]["succeeded"], &whole["items"]["failed"]),
        (&json!(2003), &json!(2000), &json!(3)),
        "{whole:#}"
    );
    let path = format!("/v1/batches/{}/items", first["batch"]["id"].as_str().unwrap());
    let failed = place.get(&format!("{path}?status=failed"));
    let told: Vec<(&Value, &Value)> =
        failed["data"].as_array().unwrap().iter().map(|item| (&item["index"], &item["problem"]["code"])).collect();
    assert_eq!(
        told,
        [
            (&json!(2000), &json!("invalid_body")),
            (&json!(2001), &json!("invalid_body")),
            (&json!(2002), &json!("not_found"))
        ]
    );
    assert_eq!(failed["data"][0]["problem"]["pointer"], "/data/nam");
    // The same upload is the same batch; another one under its key is refused.
    assert_eq!(batch(&place, "/v1/locations:batch", &headers, lines), (202, first));
    let other = batch(&place, "/v1/locations:batch", &headers, "{\"data\":{\"name\":\"x\"}}".to_owned());
    assert_eq!((other.0, &other.1["code"]), (422, &json!("idempotency_key_reused")));
    // Under their keys items are known again, in another batch too.
    let items = json!({ "items": [
        { "key": "loc-7", "data": { "name": "地点七" } },
        { "key": "loc-8", "method": "create", "data": { "name": "不再新建" } },
        { "key": "loc-9", "method": "delete" },
    ] });
    let (_, second) = batch(&place, "/v1/locations:batch", &[], items.to_string());
    assert_eq!(done(&place, &second)["items"]["succeeded"], 3);
    let named = |key: &str| place.get(&format!("/v1/locations?connection=hub&remote_id={key}"))["data"].clone();
    assert_eq!((&named("loc-7")[0]["name"], &named("loc-8")[0]["name"]), (&json!("地点七"), &json!("地点8")));
    assert_eq!(named("loc-9"), json!([]));
    for bad in ["{}", "[", "7", "{\"items\":[]}"] {
        let (status, problem) = batch(&place, "/v1/locations:batch", &[], bad.to_owned());
        assert!(matches!(status, 400 | 422), "{bad}: {problem:#}");
    }
}

#[test]
fn a_batch_for_a_system_is_sent_item_by_item_and_says_what_the_system_refused() {
    let place = erp("kingdee-k3cloud", KINGDEE, "organization");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let item = |number: &str| json!({ "data": { "employee_number": number, "display_name": "赵雪" } });
    let items = json!([item("ZG0101"), item("ZG0102"), { "data": { "display_name": "无号" } }, item("ZG0101")]);
    let (status, taken) = batch(&place, "/v1/employees:batch?connection=erp", &[], items.to_string());
    assert_eq!(status, 202, "{taken:#}");
    let whole = done(&place, &taken);
    assert_eq!((&whole["items"]["succeeded"], &whole["items"]["failed"]), (&json!(2), &json!(2)), "{whole:#}");
    let items = place.get(&format!("/v1/batches/{}/items", taken["batch"]["id"].as_str().unwrap()));
    let told: Vec<&Value> = items["data"].as_array().unwrap().iter().map(|item| &item["problem"]["code"]).collect();
    assert_eq!(told.iter().filter(|code| **code == "vendor_refused").count(), 1, "{items:#}");
    assert_eq!(items["data"][2]["problem"]["pointer"], "/data/employee_number", "{items:#}");
    assert_eq!(effects(&place, "audited"), 2);
}
