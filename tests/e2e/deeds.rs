//! What people and programs do stands in the audit log: files that are taken in, payloads that are read, re-drives that
//! are stopped.

use hub_support::{Backends, Place, project_root, run_hrhub, said, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn send(place: &Place, path: &str, body: &str) -> (u16, Value) {
    let request = place.http().post(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.body(body.to_owned()).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap_or_default())
}

/// The entries of an action: what they are about, oldest first.
fn told(place: &Place, action: &str) -> Vec<(String, Vec<String>)> {
    let entries = place.get(&format!("/v1/audit?action={action}"));
    let read = |entry: &Value| {
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!(action), &json!("ok")), "{entry:#}");
        let about = entry["about"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
        (entry["who"]["kind"].as_str().unwrap().to_owned(), about.collect())
    };
    entries["data"].as_array().unwrap().iter().rev().map(read).collect()
}

fn about(things: &[String]) -> Vec<String> {
    let mut things = things.to_vec();
    things.sort();
    things
}

#[test]
fn a_file_that_is_taken_in_and_out_again_stands_in_the_audit_log() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    assert_eq!(send(&place, "/v1/imports?as=employee", "PK\u{3}\u{4} no workbook").0 / 100, 4);
    assert!(told(&place, "import.uploaded").is_empty(), "what was refused was not taken in");
    let (status, import) = send(&place, "/v1/imports?as=employee&hold=true", "工号,姓名\nA0101,刘洋\n");
    assert_eq!(status, 201, "{import:#}");
    let id = import["id"].as_str().unwrap();
    let entry = |kind: &str| vec![(kind.to_owned(), vec![format!("import/{id}")])];
    assert_eq!(told(&place, "import.uploaded"), entry("admin"));
    let text = place.get("/v1/audit?action=import.uploaded").to_string();
    assert!(!text.contains("刘洋") && !text.contains("A0101"), "{text}");
    assert!(told(&place, "import.read").is_empty());
    let report = place.url(&format!("/v1/imports/{id}/report.xlsx"));
    let report = place.http().get(report).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(report.status(), 200);
    assert_eq!(told(&place, "import.read"), entry("admin"));
}

#[test]
fn a_payload_that_is_read_stands_in_the_audit_log_with_its_purpose() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let golden = fs::read(project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json")).unwrap();
    assert_eq!(place.greenhouse_hook("evt-1", &golden).status(), 200);
    let record = wait_for("the application", LIMIT, || place.get("/v1/applications")["data"].get(0).cloned());
    let record = record["id"].as_str().unwrap();
    let raw = place.get("/v1/raws")["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(told(&place, "payload.read").is_empty(), "the list says nothing of what they say");
    let key = place.secret("HRHUB_ADMIN_KEY");
    let shown =
        place.http().get(place.url(&format!("/v1/raws/{raw}"))).bearer_auth(&key).header("purpose", "dispute 7");
    assert_eq!(shown.send().unwrap().status(), 200);
    let behind = place.get(&format!("/v1/applications/{record}/raw"));
    assert_eq!(behind["data"][0]["id"], raw.as_str());
    let (one, both) = (format!("raw/{raw}"), [format!("raw/{raw}"), format!("application/{record}")]);
    let entries = told(&place, "payload.read");
    assert_eq!(entries, [("admin".to_owned(), vec![one]), ("admin".to_owned(), about(&both))]);
    let purposes = place.get("/v1/audit?action=payload.read");
    assert_eq!((&purposes["data"][1]["purpose"], &purposes["data"][0]["purpose"]), (&json!("dispute 7"), &Value::Null));
    // Who may run the hub and read no records is shown no content: nothing was read.
    let config = place.config();
    let made = run_hrhub(["keys", "create", "--name", "o", "--scopes", "ops", "--config", config.to_str().unwrap()]);
    let (status, bare) = place.get_as(said(&made).0.trim(), &format!("/v1/raws/{raw}"));
    assert_eq!((status, bare.get("payload")), (200, None), "{bare:#}");
    assert_eq!(told(&place, "payload.read").len(), 2);
}

#[test]
fn a_redrive_that_is_stopped_and_let_go_on_stands_in_the_audit_log() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    for number in 0..40 {
        assert_eq!(place.greenhouse_hook(&format!("evt-{number}"), b"{\"action\": 7").status(), 200);
    }
    wait_for("what is parked", LIMIT, || {
        (place.get("/v1/parked?limit=100")["data"].as_array().unwrap().len() == 40).then_some(())
    });
    let (status, begun) = send(&place, "/v1/parked:redrive", r#"{"filter": {}, "rate_per_second": 1}"#);
    assert_eq!(status, 202, "{begun:#}");
    let id = begun["id"].as_str().unwrap();
    let turn = |verb: &str, state: &str| {
        let (status, turned) = send(&place, &format!("/v1/redrives/{id}:{verb}"), "");
        assert_eq!((status, turned["state"].as_str()), (200, Some(state)), "{turned:#}");
    };
    let entries = |count: usize| vec![("admin".to_owned(), vec![format!("redrive/{id}")]); count];
    turn("stop", "stopped");
    assert_eq!(told(&place, "redrive.stopped"), entries(1));
    // It stands so already: nobody has done anything.
    turn("stop", "stopped");
    assert_eq!(told(&place, "redrive.stopped"), entries(1));
    assert!(told(&place, "redrive.resumed").is_empty());
    turn("resume", "running");
    assert_eq!(told(&place, "redrive.resumed"), entries(1));
    assert_eq!(send(&place, "/v1/redrives/0193a5c2-0000-7000-8000-000000000000:stop", "").0, 404);
    assert_eq!(told(&place, "redrive.stopped"), entries(1), "there was nothing to stop");
    let config = place.config();
    let stopped = run_hrhub(["parked", "stop", id, "--config", config.to_str().unwrap()]);
    assert!(stopped.status.success(), "{:?}", said(&stopped));
    let last = told(&place, "redrive.stopped").pop().unwrap();
    assert_eq!(last, ("command".to_owned(), vec![format!("redrive/{id}")]));
}
