//! The description of the API is true: independent tools read it, make clients of it, and look for answers that it does
//! not promise.

mod examples;

use crate::callbacks::peers::{python_with, run};
use hub_support::{Backends, Place, Running, project_root, run_hrhub, said, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
/// Collections that are looked at closely; the others are the same code.
const CLOSELY: [&str; 5] = ["applications", "candidates", "employees", "job-assignments", "messages"];
/// What answers for a vendor, in the vendor's form or with the vendor's failure.
const VENDORS: [&str; 4] = ["pass_through", "receive_hook", "receive_soap", "describe_soap"];

/// A hub that has records, journeys and something parked.
fn begin() -> (Place, Running) {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    begin_at(&place);
    (place, hub)
}

/// Brings records, journeys and something parked to a hub.
pub(crate) fn begin_at(place: &Place) {
    let golden = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    let text = fs::read_to_string(project_root().join(golden)).unwrap();
    for number in 0..5 {
        let mut body: Value = serde_json::from_str(&text).unwrap();
        body["payload"]["application"]["id"] = (700 + number).into();
        body["payload"]["application"]["candidate"]["id"] = (900 + number).into();
        assert_eq!(place.greenhouse_hook(&format!("evt-{number}"), body.to_string().as_bytes()).status(), 200);
    }
    assert_eq!(place.greenhouse_hook("evt-broken", b"{\"action\": 7").status(), 200);
    wait_for("the applications", LIMIT, || {
        (place.get("/v1/applications")["data"].as_array().unwrap().len() == 5).then_some(())
    });
}

fn program(name: &str) -> PathBuf {
    let python = python_with("api_requirements.txt");
    python.with_file_name(name)
}

/// The collections that are not looked at closely.
fn others(place: &Place) -> Vec<String> {
    let described: Value = place.http().get(place.url("/openapi.json")).send().unwrap().json().unwrap();
    let paths = described["paths"].as_object().unwrap().iter();
    let records = paths.filter(|(_, methods)| methods["get"]["tags"][0] == "Records");
    let names =
        records.filter_map(|(path, _)| path.strip_prefix("/v1/").filter(|name| !name.contains(['/', ':', '.'])));
    let others: Vec<String> = names.filter(|name| !CLOSELY.contains(name)).map(str::to_owned).collect();
    assert!(others.len() > 40, "{others:?}");
    others
}

#[test]
fn a_validator_finds_nothing_wrong_with_the_description() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_hrhub(["openapi"]);
    assert!(output.status.success(), "{:?}", said(&output));
    let file = folder.path().join("openapi.json");
    fs::write(&file, &output.stdout).unwrap();
    run(Command::new(program("openapi-spec-validator")).arg(&file));
}

#[test]
fn the_description_is_served_to_anybody_once_and_pages_explain_its_codes() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let get = |path: &str| place.http().get(place.url(path)).send().unwrap();
    let answer = get("/openapi.json");
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()["etag"].clone();
    let served: Value = answer.json().unwrap();
    assert_eq!(served, serde_json::from_slice::<Value>(&run_hrhub(["openapi"]).stdout).unwrap());
    let again = place.http().get(place.url("/openapi.json")).header("if-none-match", tag).send().unwrap();
    assert_eq!(again.status(), 304);
    for (path, text) in [
        ("/docs", "list_batches"),
        ("/docs?lang=zh", "API 参考"),
        ("/docs/problems/bad_parameter", "bad_parameter"),
        ("/docs/guides/subscriptions.md", "Standard Webhooks"),
        ("/llms.txt", "/docs/guides/api.md"),
    ] {
        let answer = get(path);
        assert_eq!(answer.status(), 200, "{path}");
        let rules = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(rules.starts_with("default-src 'none'") && !rules.contains("unsafe"), "{path}: {rules}");
        assert!(answer.text().unwrap().contains(text), "{path}");
    }
    let (status, problem) = place.get_as(&place.secret("HRHUB_ADMIN_KEY"), "/v1/employees?limit=0");
    assert_eq!(status, 400);
    let page = get(problem["type"].as_str().unwrap());
    assert_eq!(page.status(), 200, "{problem}");
    assert_eq!(get("/docs/problems/nonsense").status(), 404);
    assert_eq!(get("/docs/guides/..%2FCargo.toml").status(), 404);
}

#[test]
fn a_generated_client_compiles_and_drives_the_hub() {
    let (place, _hub) = begin();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("client.yaml");
    // Nothing is formatted: what matters is that it works.
    fs::write(&config, "project_name_override: hr-hub-client\npackage_name_override: hr_hub_client\npost_hooks: []\n")
        .unwrap();
    let client = folder.path().join("client");
    let mut generate = Command::new(program("openapi-python-client"));
    generate.args(["generate", "--url", &place.url("/openapi.json"), "--config"]);
    run(generate.arg(&config).arg("--output-path").arg(&client).current_dir(folder.path()));
    run(Command::new(program("python")).args(["-m", "compileall", "-q"]).arg(&client));
    let script = project_root().join("tests/e2e/peers/api_client.py");
    let key = place.secret("HRHUB_ADMIN_KEY");
    let said = run(Command::new(program("python")).arg(script).arg(&client).args([&place.url(""), &key]));
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["paged", "read", "open", "problem", "subscribed"]);
}

#[test]
fn nothing_is_answered_that_the_description_does_not_promise() {
    let (place, _hub) = begin();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program("schemathesis"));
    let config = project_root().join("tests/e2e/peers/api_schemathesis.toml");
    command.arg("--config-file").arg(config).args(["run", &place.url("/openapi.json")]);
    let key = place.secret("HRHUB_ADMIN_KEY");
    command.args([
        "-H",
        &format!("Authorization: Bearer {key}"),
        "--checks",
        "all",
        "--phases",
        "examples,coverage,fuzzing",
    ]);
    // One worker: two threads that parse Python at once break CPython 3.11 (gh-106905).
    command.args(["--max-examples", "10", "--continue-on-failure", "--workers", "1", "--no-color"]);
    command.args(["--exclude-path-regex", &format!("^/v1/({})(/|:|$)", others(&place).join("|"))]);
    for id in VENDORS {
        command.args(["--exclude-operation-id", id]);
    }
    command.current_dir(folder.path());
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(place.get("/healthz"), json!({ "status": "ok" }));
}
