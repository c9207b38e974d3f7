//! Payloads behind records, as far as a key may see them; and why fields are what they are, also two mapping versions
//! later.

use hub_support::{Backends, Place, hrhub, project_root, said, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const MAPPING: &str = "mappings/greenhouse/application.in.yaml";

fn key(place: &Place, scopes: &str) -> String {
    let mut command = Command::new(hrhub());
    command.args(["keys", "create", "--name", scopes, "--scopes", scopes, "--config"]).arg(place.config());
    let (out, err) = said(&command.output().unwrap());
    let key = out.split_whitespace().find(|word| word.starts_with("hrk_"));
    key.unwrap_or_else(|| panic!("{out}{err}")).to_owned()
}

fn golden() -> Value {
    let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn application(place: &Place, remote_id: u64) -> Option<Value> {
    let path = format!("/v1/applications?connection=greenhouse-main&remote_id={remote_id}");
    place.get(&path)["data"].get(0).cloned()
}

#[test]
fn a_payload_is_shown_as_far_as_the_key_may_read_what_is_made_of_it() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let body = golden();
    place.greenhouse_sends("evt-1", body.to_string().as_bytes());
    let record = wait_for("the application", LIMIT, || application(&place, 55_120_034));
    let id = record["id"].as_str().unwrap();
    let path = format!("/v1/applications/{id}/raw");

    let whole = place.get(&path);
    let raw = &whole["data"][0];
    assert_eq!(raw["payload"], body, "as it was received");
    assert_eq!((&raw["connection"], &raw["remote_id"]), (&json!("greenhouse-main"), &json!("55120034")), "{raw:#}");
    assert_eq!((&raw["mapping"], &raw["state"]), (&json!("greenhouse/application.in"), &json!("done")));
    assert!(raw.get("masked").is_none(), "{raw:#}");

    let name = body["payload"]["application"]["candidate"]["first_name"].as_str().unwrap();
    let (structure, reader) = (key(&place, "read:structure"), key(&place, "read"));
    let (status, seen) = place.get_as(&structure, &path);
    let raw = &seen["data"][0];
    assert_eq!(status, 200, "{seen}");
    assert!(!seen.to_string().contains(name), "{seen:#}");
    assert!(raw["payload"]["payload"]["application"]["current_stage"]["name"].is_string(), "{seen:#}");
    let masked = raw["masked"].to_string();
    assert!(masked.contains("payload.payload.application.candidate.first_name"), "{masked}");
    assert!(place.get_as(&reader, &path).1.to_string().contains(name));

    assert_eq!(place.get_as(&reader, &format!("{path}?connection=nobody")).1["data"], json!([]));
    assert_eq!(place.get(&format!("{path}?version=1"))["data"][0]["payload"], body);
    assert_eq!(place.get_as(&reader, &format!("{path}?version=9")).0, 404);
    assert_eq!(place.get_as(&reader, &format!("{path}?version=0")).0, 400);
    assert_eq!(place.get_as(&reader, &format!("{path}?verion=1")).1["parameter"], "verion");

    let raws = place.get("/v1/raws?connection=greenhouse-main&state=done&received_after=2020-01-01T00:00:00Z");
    let listed = &raws["data"][0];
    assert!(listed["id"] == raw["id"] && listed.get("payload").is_none(), "{raws:#}");
    let one = format!("/v1/raws/{}", raw["id"].as_str().unwrap());
    assert_eq!(place.get(&one)["payload"], body);
    // Who runs the hub sees what became of a payload, not what it says.
    let ops = key(&place, "ops");
    let (status, seen) = place.get_as(&ops, &one);
    assert!(status == 200 && seen.get("payload").is_none() && !seen.to_string().contains(name), "{seen:#}");
    assert_eq!(place.get_as(&reader, &one).0, 403);
    assert_eq!(place.get("/v1/raws?received_after=2099-01-01T00:00:00Z")["data"], json!([]));
    assert_eq!(place.get_as(&ops, "/v1/raws?state=lost").0, 400);
    assert_eq!(place.get_as(&ops, "/v1/raws/none").0, 404);
}

/// A layer whose rule for a text is told apart by its own word.
fn mapping(word: &str) -> String {
    format!(
        "version: 1\nextends: greenhouse/application\nemit:\n  - to: application\n    fields:\n      \
         source.detail: {{ expr: '\"{word} \" & app.current_stage.name' }}\n"
    )
}

#[test]
fn a_field_is_explained_by_the_payload_and_the_mapping_that_gave_it_its_value() {
    let place = Place::new(Backends::Embedded);
    let path = place.config().join(MAPPING);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, mapping("first")).unwrap();
    let mut body = golden();
    let mut versions = Vec::new();
    let mut ids = Vec::new();
    for (number, word) in ["first", "second", "third"].into_iter().enumerate() {
        fs::write(&path, mapping(word)).unwrap();
        let _hub = place.serve();
        let remote_id = 66_000 + number as u64;
        body["payload"]["application"]["id"] = json!(remote_id);
        place.greenhouse_sends(&format!("evt-{number}"), body.to_string().as_bytes());
        let record = wait_for("the application", LIMIT, || application(&place, remote_id));
        ids.push(record["id"].as_str().unwrap().to_owned());
        // The first application is told of again by each mapping; its stage stays the same.
        if number > 0 {
            body["payload"]["application"]["id"] = json!(66_000);
            body["payload"]["application"]["last_activity_at"] = json!(format!("2026-12-0{number}T10:00:00.000Z"));
            place.greenhouse_sends(&format!("again-{number}"), body.to_string().as_bytes());
            wait_for("the new version", LIMIT, || {
                application(&place, 66_000).filter(|record| record["source"]["detail"].to_string().contains(word))
            });
        }
        for (id, word) in ids.iter().zip(["first", "second", "third"]).skip(1) {
            let why = place.get(&format!("/v1/applications/{id}/explain?field=source.detail")).to_string();
            assert!(why.contains(&format!("{word} ")), "{word}: {why}");
        }
        let why = place.get(&format!("/v1/applications/{}/explain?field=source.detail", ids[number]));
        versions.push(why["source"]["mapping_version"].as_str().unwrap().to_owned());
        let again = place.get(&format!("/v1/applications/{}/explain?field=stage", ids[0]));
        assert_eq!(
            (&again["version"], &again["source"]["mapping_version"]),
            (&json!(1), &json!(versions[0])),
            "{again:#}"
        );
        assert!(again["steps"].to_string().contains("current_stage"), "{again:#}");
    }
    versions.dedup();
    assert_eq!(versions.len(), 3, "each mapping has a version of its own");

    let _hub = place.serve();
    // Every field that a record has can be explained.
    let record = place.get(&format!("/v1/applications/{}", ids[0]));
    for name in record.as_object().unwrap().keys() {
        let why = place.get(&format!("/v1/applications/{}/explain?field={name}", ids[0]));
        assert!(why["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{name}: {why:#}");
        assert!(why["version"].is_i64() && why["trace_id"].as_str().unwrap().len() == 32, "{name}: {why:#}");
    }
    let (status, problem) =
        place.get_as(&place.secret("HRHUB_ADMIN_KEY"), &format!("/v1/applications/{}/explain?field=stge", ids[0]));
    assert!(status == 400 && problem["next"].as_str().unwrap().contains("`stage`"), "{problem}");
}
