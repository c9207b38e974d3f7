//! Configuration folders and keys, from the command line.

use hub_support::{Backends, Place, run_hrhub, said};
use serde_json::{Value, json};
use std::fs;

#[test]
fn init_asks_nothing_and_what_it_writes_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my-hub");
    let path = path.to_str().unwrap();
    let (out, _) = said(&run_hrhub(["init", path]));
    assert!(out.contains("hrhub serve --config"), "{out}");
    let checked = run_hrhub(["check", path]);
    let (out, err) = said(&checked);
    assert!(checked.status.success() && out.contains("no problems; sound: 3 connections"), "{out}{err}");
    let again = run_hrhub(["init", path]);
    assert!(!again.status.success() && said(&again).1.contains("holds a hub.yaml already"));
}

#[test]
fn every_problem_of_a_folder_is_found_in_one_run_with_its_place() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| text.replace("interview_stage:", "interview_stages:").replace("egress:", "egres:"));
    place.edit("connections/greenhouse-main.yaml", |text| text.replace("client_secret:", "client_secrets:"));
    place.edit("connections/dingtalk-main.yaml", |text| text.replace("${DINGTALK_APP_KEY}", "${NOBODY_SET_THIS}"));
    fs::create_dir_all(place.config().join("mappings/greenhouse")).unwrap();
    let mapping = place.config().join("mappings/greenhouse/application.in.yaml");
    fs::write(&mapping, "version: 1\nfrom: greenhouse/application\nemit:\n  - to: aplication\n").unwrap();
    let config = place.config();
    let checked = run_hrhub(["check", config.to_str().unwrap()]);
    let (out, err) = said(&checked);
    assert_eq!(checked.status.code(), Some(1), "{out}{err}");
    for wanted in [
        "hub.yaml:29:5: error",
        "did you mean `interview_stage`?",
        "did you mean `egress`?",
        "greenhouse-main.yaml:8:3: error",
        "did you mean `client_secret`?",
        "dingtalk-main.yaml:5:",
        "NOBODY_SET_THIS",
        "application.in.yaml:4:9: error",
        "did you mean `application`?",
        // One cause is told once: neither the manifest nor the flow is to blame.
        "7 errors, 1 warning",
    ] {
        assert!(out.contains(wanted), "`{wanted}` is not in:\n{out}");
    }
    let (json, _) = said(&run_hrhub(["check", config.to_str().unwrap(), "--format", "json"]));
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    let missing = list.iter().find(|finding| finding["message"].as_str().unwrap().contains("NOBODY_SET_THIS")).unwrap();
    assert_eq!((missing["line"].as_u64(), missing["severity"].as_str()), (Some(5), Some("error")));
    let maps = run_hrhub(["map", "check", mapping.to_str().unwrap()]);
    assert_eq!(maps.status.code(), Some(1));
    assert!(said(&maps).0.contains("application.in.yaml:4:9: error"));
}

#[test]
fn the_mappings_that_ship_pass_their_check() {
    let folder = hub_support::project_root().join("mappings");
    let checked = run_hrhub(["map", "check", folder.to_str().unwrap()]);
    assert!(checked.status.success(), "{:?}", said(&checked));
}

#[test]
fn a_missing_folder_and_a_taken_port_say_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let (_, err) = said(&run_hrhub(["serve", "--config", nowhere.to_str().unwrap()]));
    assert!(err.contains("hrhub init") && err.contains("--config"), "{err}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let demo = run_hrhub(["demo", "--once", "--listen", &address]);
    let (_, err) = said(&demo);
    assert!(!demo.status.success() && err.contains(&address) && err.contains("--listen"), "{err}");
    let demo = run_hrhub(["demo", "--once", "--listen", "127.0.0.1:0", "--sandbox-listen", &address]);
    assert!(said(&demo).1.contains("--sandbox-listen"));
}

#[test]
fn a_key_is_printed_once_does_what_its_scopes_say_and_ends() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let config = place.config();
    let config = config.to_str().unwrap();
    let made = run_hrhub(["keys", "create", "--name", "reader", "--scopes", "read", "--config", config]);
    let (out, err) = said(&made);
    assert!(made.status.success() && err.contains("not shown again"), "{err}");
    let key = out.trim();
    assert_eq!(place.get_as(key, "/v1/applications").0, 200);
    let (status, problem) = place.get_as(key, "/v1/journeys");
    assert_eq!((status, problem["code"].as_str()), (403, Some("forbidden")));
    assert_eq!(place.get_as("wrong", "/v1/applications").0, 401);
    let (list, _) = said(&run_hrhub(["keys", "list", "--config", config]));
    let id = key.split('_').nth(1).unwrap();
    assert!(list.contains(id) && list.contains("reader") && !list.contains(key), "{list}");
    assert!(run_hrhub(["keys", "revoke", id, "--config", config]).status.success());
    assert_eq!(place.get_as(key, "/v1/applications").0, 401);
    let unknown = run_hrhub(["keys", "create", "--name", "x", "--scopes", "root", "--config", config]);
    assert!(said(&unknown).1.contains("`root` is no scope"), "{:?}", said(&unknown));
}

#[test]
fn completions_and_help_speak_of_every_command() {
    let (help, _) = said(&run_hrhub(["--help"]));
    let (script, _) = said(&run_hrhub(["completions", "bash"]));
    for command in ["demo", "init", "check", "serve", "keys", "map", "schema", "sandbox", "completions"] {
        assert!(help.contains(command) && script.contains(command), "{command}");
    }
    for command in ["check", "test", "try", "explain", "run"] {
        assert!(script.contains(&format!("hrhub__subcmd__map__subcmd__{command}")), "{command}");
        assert!(run_hrhub(["map", command, "--help"]).status.success());
    }
}

#[test]
fn the_schema_of_every_entity_is_printed() {
    let (list, _) = said(&run_hrhub(["schema"]));
    assert!(list.lines().count() >= 8, "{list}");
    for entity in list.lines() {
        let schema: Value = serde_json::from_str(&said(&run_hrhub(["schema", entity])).0).unwrap();
        assert!(schema["properties"]["id"].is_object(), "{entity}");
    }
    assert!(said(&run_hrhub(["schema", "aplication"])).1.contains("did you mean `application`?"));
}

#[test]
fn a_hub_with_one_broken_connection_serves_the_others() {
    let place = Place::new(Backends::Embedded);
    place.edit("connections/dingtalk-main.yaml", |text| text.replace("${DINGTALK_APP_KEY}", "${NOBODY_SET_THIS}"));
    let hub = place.serve();
    let connections = place.get("/v1/connections");
    let ids: Vec<&str> = connections["data"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ai-interview-main", "greenhouse-main"]);
    assert!(hub.log().contains("NOBODY_SET_THIS") && hub.log().contains("hrhub check"), "{}", hub.log());
    assert!(hub.stop().success());
}

/// Runs the program; its exit code, what it prints, and that with what it says beside.
fn hrhub<const N: usize>(args: [&str; N]) -> (Option<i32>, String, String) {
    let output = run_hrhub(args);
    let (out, beside) = said(&output);
    (output.status.code(), out.clone(), out + &beside)
}

#[test]
fn connectors_say_what_they_read_receive_and_write() {
    let (code, text, _) = hrhub(["connector", "list", "--family", "esign"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("docusign  DocuSign (esign)") && text.contains("receives  signature_envelope"), "{text}");
    assert!(text.contains("create_envelope") && !text.contains("greenhouse"), "{text}");
    let (code, text, _) = hrhub(["connector", "list", "--format", "json"]);
    assert_eq!(code, Some(0));
    let all: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| all.as_array().unwrap().iter().find(|one| one["connector"] == name).cloned().unwrap();
    // A web hook of Lever says only what is to be read: what follows from it counts.
    let lever = of("lever");
    assert_eq!(lever["receives"], json!(["application", "candidate", "person", "stage"]), "{lever:#}");
    assert_eq!(of("checkr")["receives"], json!(["background_check"]));
    assert!(
        of("docusign")["settings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == "private_key" && one["secret"] == true)
    );
    let (code, _, beside) = hrhub(["connector", "list", "--family", "ets"]);
    assert!(code == Some(2) && beside.contains("ats, background"), "{beside}");
}

#[test]
fn connections_to_fill_in_are_written_and_what_is_not_filled_in_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub");
    let hub = path.to_str().unwrap();
    let (code, text, beside) = hrhub(["init", hub, "--with", "greenhouse,docusign"]);
    assert_eq!(code, Some(0), "{beside}");
    assert!(
        text.contains("DOCUSIGN_PRIVATE_KEY=") && beside.contains("greenhouse-main.yaml is there already"),
        "{text}{beside}"
    );
    let (code, _, beside) = hrhub(["check", hub]);
    assert!(
        code == Some(1)
            && beside.contains("docusign-main.yaml:6:14: error: the environment variable DOCUSIGN_BASE_URL is not set"),
        "{beside}"
    );
    let filled =
        ["BASE_URL=https://eu.docusign.net", "ACCOUNT_ID=a", "INTEGRATION_KEY=b", "USER_ID=c", "PRIVATE_KEY=d"];
    let env = fs::read_to_string(path.join(".env")).unwrap();
    let more: String = filled.iter().map(|line| format!("DOCUSIGN_{line}\n")).collect();
    fs::write(path.join(".env"), format!("{env}\n{more}")).unwrap();
    let (code, _, beside) = hrhub(["check", hub]);
    assert_eq!(code, Some(0), "{beside}");
    // A folder that is there gets connections alone; one that nobody knows is told.
    let (code, text, _) = hrhub(["init", hub, "--with", "checkr"]);
    assert!(code == Some(0) && text.contains("checkr-main.yaml") && !text.contains("hub.yaml\n"), "{text}");
    let (code, _, beside) = hrhub(["init", hub, "--with", "chekr"]);
    assert!(code == Some(1) && beside.contains("no connector `chekr`") && beside.contains("checkr"), "{beside}");
    assert_eq!(hrhub(["init", hub]).0, Some(1));
}

#[test]
fn a_new_connector_is_sound_from_the_first_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub");
    let hub = path.to_str().unwrap();
    assert_eq!(hrhub(["connector", "new", "our-ats", "--config", hub]).0, Some(1), "there is no folder yet");
    assert_eq!(hrhub(["init", hub]).0, Some(0));
    let (code, text, beside) = hrhub(["connector", "new", "our-ats", "--driver", "http", "--config", hub]);
    assert!(code == Some(0) && text.contains("connectors/our-ats/manifest.yaml"), "{text}{beside}");
    let (code, _, beside) = hrhub(["check", hub]);
    assert_eq!(code, Some(0), "{beside}");
    assert!(!beside.contains("warning"), "{beside}");
    let (code, text, beside) = hrhub(["map", "test", hub]);
    assert!(code == Some(0) && format!("{text}{beside}").contains("1 passed, 0 failed"), "{text}{beside}");
    let (code, _, beside) = hrhub(["connector", "new", "our-ats", "--config", hub]);
    assert!(code == Some(1) && beside.contains("is there already; nothing was written"), "{beside}");
    for bad in ["Our", "7ats", "a b", "../x"] {
        assert_eq!(hrhub(["connector", "new", bad, "--config", hub]).0, Some(2), "{bad}");
    }
    let (code, text, _) = hrhub(["connector", "list", "--config", hub, "--family", "ats"]);
    assert!(code == Some(0) && text.contains("our-ats"), "{text}");
}
