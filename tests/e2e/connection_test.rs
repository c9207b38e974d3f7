//! `hrhub connection test`: which of token, callback and permissions works, and why the others do not.

use hub_support::{Backends, Place, run_hrhub, said};
use serde_json::{Value, json};
use std::fs;

/// Runs the check from the command line: whether it is good, and what it prints as JSON.
fn test(place: &Place, id: &str) -> (bool, Value) {
    let config = place.config();
    let output = run_hrhub(["connection", "test", id, "--config", config.to_str().unwrap(), "--format", "json"]);
    let (found, beside) = said(&output);
    let code = output.status.code();
    let found: Value = serde_json::from_str(&found).unwrap_or_else(|_| panic!("{found}{beside}"));
    assert_eq!(code, Some(i32::from(found["ok"] != true)), "{found:#}");
    (code == Some(0), found)
}

/// No secret of the folder may be in what is printed.
fn tells_no_secret(place: &Place, text: &str) {
    let secrets = fs::read_to_string(place.config().join(".env")).unwrap();
    for line in secrets.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            assert!(value.len() < 8 || !text.contains(value), "{name} is told");
        }
    }
}

#[test]
fn a_sound_connection_is_good_in_every_part_whatever_its_wire() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let (good, chat) = test(&place, "dingtalk-main");
    assert!(good, "{chat:#}");
    assert_eq!(chat["token"]["result"], "good");
    assert_eq!(chat["permissions"][0]["result"], "good", "{chat:#}");
    let (good, ats) = test(&place, "greenhouse-main");
    assert!(good, "{ats:#}");
    assert_eq!(ats["token"]["result"], "good");
    assert_eq!(ats["callback"]["result"], "good", "{ats:#}");
    assert_eq!(ats["permissions"][0]["result"], "good", "{ats:#}");
    let (good, interview) = test(&place, "ai-interview-main");
    assert!(good, "{interview:#}");
    assert_eq!(interview["callback"]["result"], "good", "{interview:#}");
    let printed = format!("{chat}{ats}{interview}");
    tells_no_secret(&place, &printed);

    let config = place.config();
    let output = run_hrhub(["connection", "test", "dingtalk-main", "--config", config.to_str().unwrap()]);
    let (text, _) = said(&output);
    assert!(text.contains("token") && text.contains("callback") && text.contains("permissions"), "{text}");
    tells_no_secret(&place, &text);
}

#[test]
fn a_proof_that_only_the_vendor_makes_is_told_from_a_secret_that_is_missing() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let port = place.sandbox_port;
    let text = format!(
        "id: lever-main\nconnector: lever\nsettings:\n  base_url: \"http://127.0.0.1:{port}/lever\"\n  api_key: sandbox-lever-key\n"
    );
    let file = place.config().join("connections/lever-main.yaml");
    let callback = |more: &str| {
        fs::write(&file, format!("{text}{more}")).unwrap();
        let (_, found) = test(&place, "lever-main");
        assert_eq!(found["callback"]["result"], "skipped", "{found:#}");
        found["callback"]["detail"].as_str().unwrap().to_owned()
    };
    let set = callback("  webhook_secret: sandbox-lever-token\n");
    assert!(set.contains("its secret is set") && !set.contains("refused"), "{set}");
    let unset = callback("");
    assert!(unset.contains("secrets are not set"), "{unset}");
}

#[test]
fn a_wrong_secret_is_told_from_a_vendor_that_is_away() {
    let place = Place::new(Backends::Embedded);
    let (good, away) = test(&place, "dingtalk-main");
    assert!(!good && away["token"]["meaning"].is_null(), "{away:#}");
    assert!(away["token"]["detail"].as_str().unwrap().contains("HUB-C120"), "{away:#}");

    let _sandbox = place.sandbox();
    // The sandbox keeps the secret that it began with.
    place.edit(".env", |text| text.replace(&place.secret("DINGTALK_APP_SECRET"), "a-wrong-secret"));
    let (good, wrong) = test(&place, "dingtalk-main");
    assert!(!good);
    assert_eq!(
        (&wrong["token"]["code"], &wrong["token"]["meaning"]),
        (&json!("40089"), &json!("credentials")),
        "{wrong:#}"
    );
    assert_eq!(wrong["permissions"][0]["result"], "skipped", "{wrong:#}");
    assert!(!wrong.to_string().contains("a-wrong-secret"));
    // What was kept of a good token does not hide it, and a running hub says the same.
    let _hub = place.serve();
    let url = place.url("/v1/connections/dingtalk-main:test");
    let answer = place.http().post(&url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    let asked: Value = answer.json().unwrap();
    assert_eq!(asked["token"], wrong["token"], "{asked:#}");
    assert_eq!(place.http().post(&url).send().unwrap().status(), 401);
}

#[test]
fn what_the_vendor_refuses_is_told_with_its_code_and_what_it_means() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let trouble = |kind: &str| {
        let url = place.sandbox_url("/_sandbox/dingtalk/trouble");
        assert_eq!(place.http().post(url).json(&json!({ "kind": kind })).send().unwrap().status(), 200);
    };
    for (kind, code, meaning) in [
        ("right", json!("60011"), "permission"),
        ("address", json!("60020"), "address"),
        ("quota", json!("90020"), "quota"),
        ("ban", Value::Null, "pace"),
    ] {
        trouble(kind);
        let (good, found) = test(&place, "dingtalk-main");
        let asked = &found["permissions"][0];
        assert!(!good && asked["result"] == "bad" && asked["next"].is_string(), "{found:#}");
        assert_eq!((&asked["code"], &asked["meaning"]), (&code, &json!(meaning)), "{found:#}");
    }
    trouble("none");
    assert!(test(&place, "dingtalk-main").0);
}

#[test]
fn settings_that_do_not_fit_are_found_before_the_vendor_sends_anything() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let key = "1vZXKLHzBcMbSdZTnsHEu7fEvJbHUpjYb2FyqHoQ1sh";
    place.edit("connections/dingtalk-main.yaml", |text| {
        format!("{text}\n  token: aTokenOfOurs\n  encoding_aes_key: {key}\n")
    });
    let (good, found) = test(&place, "dingtalk-main");
    assert!(good && found["callback"]["result"] == "good", "{found:#}");
    assert!(!found.to_string().contains(key) && !found.to_string().contains("aTokenOfOurs"), "{found:#}");
    // A key of 42 characters: the connection is refused with its place.
    place.edit("connections/dingtalk-main.yaml", |text| text.replace(key, &key[1..]));
    let config = place.config();
    let output = run_hrhub(["connection", "test", "dingtalk-main", "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let beside = said(&output).1;
    assert!(beside.contains("connections/dingtalk-main.yaml:") && beside.contains("43"), "{beside}");
}

#[test]
fn a_running_hub_tells_why_it_refused_the_vendors_last_callback() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let ask = || {
        let config = place.config();
        let hub = format!("http://127.0.0.1:{}", place.port);
        let words = ["connection", "test", "greenhouse-main", "--config", config.to_str().unwrap(), "--hub", &hub];
        let output =
            run_hrhub([words[0], words[1], words[2], words[3], words[4], words[5], words[6], "--format", "json"]);
        let (found, beside) = said(&output);
        serde_json::from_str::<Value>(&found).unwrap_or_else(|_| panic!("{found}{beside}"))
    };
    assert_eq!(ask()["callback"]["result"], "good");
    let forged = place
        .http()
        .post(place.url("/hooks/greenhouse-main"))
        .header("content-type", "application/json")
        .header("signature", format!("sha256 {}", "0".repeat(64)))
        .body("{}")
        .send()
        .unwrap();
    assert_eq!(forged.status(), 401);
    let found = ask();
    assert_eq!(found["callback"]["result"], "bad", "{found:#}");
    assert_eq!(found["callback"]["code"], "signature_mismatch", "{found:#}");
    assert!(found["callback"]["next"].is_string(), "{found:#}");
    assert_eq!(found["ok"], false);
}

#[test]
fn a_connection_that_is_not_there_or_broken_is_named_with_its_place() {
    let place = Place::new(Backends::Embedded);
    let config = place.config();
    let output = run_hrhub(["connection", "test", "dingtalk-mian", "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).1.contains("did you mean `dingtalk-main`?"), "{}", said(&output).1);
    place.edit("connections/dingtalk-main.yaml", |text| text.replace("app_secret", "app_sceret"));
    let output = run_hrhub(["connection", "test", "dingtalk-main", "--config", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).1.contains("connections/dingtalk-main.yaml:"), "{}", said(&output).1);
}
