//! Layers and code lists, in the running hub and on the command line.

use hub_support::{Backends, Place, hrhub, project_root, said, wait_for};
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const APPLICATION: &str = "/v1/applications?connection=greenhouse-main&remote_id=55120034";

const TENANT: &str = "version: 1
extends: greenhouse/application
emit:
  - to: application
    remove: [stage_kind]
    fields:
      rejection.note: { path: app.status, lookup: statuses }
";

const CONNECTION: &str = "version: 1
extends: greenhouse/application
emit:
  - to: application
    fields:
      source.detail: { expr: '\"from \" & connection.id' }
";

fn write(place: &Place, file: &str, text: &str) {
    let path = place.config().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn layers_change_single_rules_of_the_running_hub_and_explanations_name_them() {
    let place = Place::new(Backends::Embedded);
    write(&place, "mappings/greenhouse/application.in.yaml", TENANT);
    write(&place, "mappings/greenhouse/greenhouse-main/application.in.yaml", CONNECTION);
    write(&place, "mappings/greenhouse/lists/statuses.yaml", "version: 1\nentries: { active: still with us }\n");
    let _hub = place.serve();
    let golden = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    let body = fs::read(project_root().join(golden)).unwrap();
    place.greenhouse_sends("evt-1", &body);
    let found = |place: &Place| place.get(APPLICATION)["data"].get(0).cloned();
    let application: Value = wait_for("the application", LIMIT, || found(&place));
    assert_eq!(application["rejection"]["note"], "still with us");
    assert_eq!(application["source"]["detail"], "from greenhouse-main");
    assert!(application.get("stage_kind").is_none() && application["stage"]["type"] == "stage", "{application:#}");
    let id = application["id"].as_str().unwrap();
    let why = place.get(&format!("/v1/applications/{id}/explain?field=rejection.note")).to_string();
    assert!(why.contains("mappings/greenhouse/application.in.yaml:7:7"), "{why}");
    assert!(why.contains("lookup: statuses") && why.contains("payload.payload.application.status"), "{why}");
    let why = place.get(&format!("/v1/applications/{id}/explain?field=source.detail")).to_string();
    assert!(why.contains("greenhouse-main/application.in.yaml:6:7"), "{why}");
}

/// Runs the program in a configuration folder.
fn run(place: &Place, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(hrhub()).args(args).current_dir(place.config()).output().unwrap();
    let (out, err) = said(&output);
    (output.status.code(), out, err)
}

#[test]
fn the_effective_view_names_layers_and_a_broken_layer_is_refused_with_its_place() {
    let place = Place::new(Backends::Embedded);
    let file = "mappings/greenhouse/greenhouse-main/application.in.yaml";
    write(&place, "mappings/greenhouse/application.in.yaml", TENANT);
    write(&place, file, CONNECTION);
    write(&place, "mappings/greenhouse/lists/statuses.yaml", "version: 1\nentries: { active: still with us }\n");
    let (code, out, err) = run(&place, &["map", "effective", file]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let of = |rule: &str| out.lines().find(|line| line.contains(rule)).unwrap_or_else(|| panic!("{rule}:\n{out}"));
    assert!(of("key: app.id").contains("# connector "), "{out}");
    assert!(of("rejection.note:").contains("# tenant mappings/greenhouse/"), "{out}");
    assert!(of("source.detail:").contains("# connection mappings/greenhouse/greenhouse-main/"), "{out}");
    assert!(!out.contains("stage_kind"), "{out}");
    assert_eq!(run(&place, &["check"]).0, Some(0));

    write(&place, file, &CONNECTION.replace("source.detail", "source.detial"));
    write(&place, "mappings/greenhouse/nobody/application.in.yaml", CONNECTION);
    let (code, out, _) = run(&place, &["check"]);
    assert_eq!(code, Some(1));
    for wanted in [
        "greenhouse-main/application.in.yaml:6:7: error: ApplicationSource has no field `detial`",
        "did you mean `detail`?",
        "nobody/application.in.yaml:1:1: error: greenhouse has no connection `nobody`",
    ] {
        assert!(out.contains(wanted), "missing {wanted} in\n{out}");
    }
}

#[test]
fn a_connection_whose_layer_is_broken_uses_no_other_mapping_in_its_place() {
    let place = Place::new(Backends::Embedded);
    let file = "mappings/greenhouse/greenhouse-main/application.in.yaml";
    write(&place, file, &CONNECTION.replace("source.detail", "source.detial"));
    let _hub = place.serve();
    let golden = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    let body = fs::read(project_root().join(golden)).unwrap();
    place.greenhouse_sends("evt-1", &body);
    let parked = wait_for("the parked payload", LIMIT, || place.get("/v1/parked")["data"].get(0).cloned());
    assert_eq!(parked["code"], "MAPPING_MISSING");
    assert!(parked["reason"].as_str().unwrap().contains("greenhouse/application.in` without errors"), "{parked}");
    assert_eq!(place.get(APPLICATION)["data"].as_array().unwrap().len(), 0);
}

#[test]
fn findings_and_explanations_of_layers_stand_in_the_file_of_their_rule() {
    let place = Place::new(Backends::Embedded);
    let file = "mappings/greenhouse/greenhouse-main/application.in.yaml";
    write(&place, "mappings/greenhouse/application.in.yaml", TENANT);
    write(&place, file, CONNECTION);
    write(&place, "mappings/greenhouse/lists/statuses.yaml", "version: 1\nentries: { gone: left us }\n");
    let golden = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    let golden = golden.to_str().unwrap();
    let (_, _, err) = run(&place, &["map", "try", file, golden]);
    let at = "mappings/greenhouse/application.in.yaml:7:23: warning: application/rejection/note";
    let rule = " 7 |       rejection.note: { path: app.status, lookup: statuses }";
    assert!(err.contains(at) && err.contains(rule), "{err}");
    let (code, out, err) = run(&place, &["map", "explain", file, golden, "application.source.detail"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains(&format!("{file}:6:7\n 6 |       source.detail:")), "{out}");
    let (code, _, err) = run(&place, &["map", "explain", file, golden, "candidate.nme.full"]);
    assert!(code == Some(1) && err.contains("candidate has no `nme`") && err.contains("`name`"), "{err}");
}
