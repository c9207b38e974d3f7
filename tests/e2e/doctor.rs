//! `hrhub doctor` finds what is wrong or weak, says how to mend it, and goes on where something is away.

use hub_support::{Backends, Place, free_port, run_hrhub, said};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The exit code, the findings as (severity, where, message, fix), and what was looked at.
fn doctor(place: &Place) -> (i32, Vec<[String; 4]>, String) {
    let output = run_hrhub(["doctor", "--config", place.config().to_str().unwrap(), "--format", "json"]);
    let (out, err) = said(&output);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let part = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let findings = findings.map(|f| ["severity", "where", "message", "fix"].map(|name| part(f, name))).collect();
    (output.status.code().unwrap(), findings, report["looked_at"].to_string())
}

/// There is one finding with these words, as bad as that, and its fix holds those words.
fn finds(findings: &[[String; 4]], severity: &str, message: &str, fix: &str) {
    let found: Vec<_> = findings.iter().filter(|finding| finding[2].contains(message)).collect();
    assert!(
        found.len() == 1 && found[0][0] == severity && found[0][3].contains(fix) && !found[0][1].is_empty(),
        "no {severity} `{message}` with `{fix}` in {findings:#?}"
    );
}

/// Starts the hub, which makes its data folder, and stops it.
fn serve_once(place: &Place) {
    let hub = place.serve();
    let status = hub.stop();
    assert!(status.success(), "{status}: {}", hub.log());
}

#[test]
fn a_good_set_up_has_no_error() {
    let place = Place::new(Backends::Embedded);
    let (code, findings, looked_at) = doctor(&place);
    assert!(code == 0 && findings.iter().all(|finding| finding[0] == "warning"), "{findings:#?}");
    assert!(looked_at.contains("none yet"), "{looked_at}");
    let hub = place.serve();
    let (code, findings, looked_at) = doctor(&place);
    assert!(code == 0 && findings.iter().all(|finding| finding[0] == "warning"), "{findings:#?}");
    assert!(looked_at.contains("sqlite") && looked_at.contains("embedded"), "{looked_at}");
    assert!(hub.stop().success());
    let (text, _) = said(&run_hrhub(["doctor", "--config", place.config().to_str().unwrap()]));
    assert!(text.contains("0 errors") || text.contains("no problems"), "{text}");
}

#[test]
fn what_is_open_to_others_or_can_be_guessed_is_found_with_its_fix() {
    let place = Place::new(Backends::Embedded);
    serve_once(&place);
    place.edit("hub.yaml", |text| {
        text.replace("127.0.0.0/8", "0.0.0.0/0")
            .replace("listen: 127.0.0.1", "public_url: http://localhost:1\nlisten: 0.0.0.0")
    });
    place.edit(".env", |text| {
        let line =
            |line: &str| if line.starts_with("HRHUB_ADMIN_KEY=") { "HRHUB_ADMIN_KEY=letmein" } else { line }.to_owned();
        text.lines().map(|l| line(l) + "\n").collect()
    });
    place.edit("connections/dingtalk-main.yaml", |text| text.replace("${DINGTALK_APP_KEY}", "${NOBODY_SET_THIS}"));
    let data = place.config().join("data");
    for (path, mode) in [(data.clone(), 0o755), (data.join("master.key"), 0o644), (place.config().join(".env"), 0o644)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let (code, findings, _) = doctor(&place);
    assert_eq!(code, 1);
    finds(&findings, "error", "egress.allow_private holds 0.0.0.0/0", "allow_private");
    finds(&findings, "error", "admin key has fewer than", "openssl rand");
    finds(&findings, "warning", "which nobody else reaches", "public_url");
    finds(&findings, "error", "NOBODY_SET_THIS", "");
    finds(&findings, "warning", "can look into the data folder", "chmod 700");
    finds(&findings, "warning", "only beside what it seals", "HRHUB_MASTER_KEY");
    let open: Vec<_> = findings.iter().filter(|finding| finding[2].contains("can read secrets")).collect();
    assert!(open.len() == 2 && open.iter().all(|finding| finding[3].starts_with("chmod 600")), "{findings:#?}");
}

#[test]
fn a_store_without_its_key_and_one_that_is_damaged_are_found() {
    let place = Place::new(Backends::Embedded);
    serve_once(&place);
    let data = place.config().join("data");
    // A restored file holds everything, and nothing beside it.
    let (config, copy) = (place.config(), place.folder().join("backup"));
    let (config, copy) = (config.to_str().unwrap(), copy.to_str().unwrap());
    assert!(run_hrhub(["backup", "--config", config, "--into", copy]).status.success());
    let key = fs::read(data.join("master.key")).unwrap();
    fs::remove_dir_all(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("master.key"), key).unwrap();
    assert!(run_hrhub(["restore", "--config", config, "--from", copy]).status.success());
    fs::remove_file(data.join("master.key")).unwrap();
    let file = data.join("hub.db");
    let mut bytes = fs::read(&file).unwrap();
    assert!(bytes.len() > 100_000, "{} bytes", bytes.len());
    for byte in bytes.iter_mut().skip(3 * 4096).take(4096) {
        *byte = 0x5A;
    }
    fs::write(&file, bytes).unwrap();
    let (code, findings, _) = doctor(&place);
    assert_eq!(code, 1);
    finds(&findings, "error", "no master key that opens it", "HRHUB_MASTER_KEY");
    let damage = findings.iter().find(|finding| finding[0] == "error" && finding[1].ends_with("hub.db"));
    assert!(damage.is_some_and(|finding| finding[3].contains("restore")), "{findings:#?}");
}

#[test]
fn servers_are_looked_at_and_what_is_away_is_said() {
    let place = Place::new(Backends::Servers);
    let hub = place.serve();
    let (code, findings, looked_at) = doctor(&place);
    // The servers of tests need not survive a power cut.
    finds(&findings, "error", "fsync is off", "ALTER SYSTEM SET fsync = on");
    let errors = findings.iter().filter(|finding| finding[0] == "error").count();
    assert_eq!((code, errors), (1, 1), "{findings:#?}");
    assert!(looked_at.contains("postgres") && looked_at.contains("broker"), "{looked_at}");
    assert!(hub.stop().success());

    let nobody = free_port();
    let path = place.config().join("hub.yaml");
    let away = |line: &str| match line {
        line if line.starts_with("bus:") => {
            format!("bus: {{ kind: rabbitmq, url: \"amqp://u:hidden@127.0.0.1:{nobody}/%2f\" }}")
        }
        line if line.starts_with("store:") => {
            format!("store: {{ kind: postgres, url: \"postgres://u:hidden@127.0.0.1:{nobody}/x\" }}")
        }
        line => line.to_owned(),
    };
    let text: String = fs::read_to_string(&path).unwrap().lines().map(|line| away(line) + "\n").collect();
    fs::write(&path, text).unwrap();
    fs::set_permissions(place.config().join(".env"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, findings, looked_at) = doctor(&place);
    assert_eq!(code, 1);
    finds(&findings, "error", "the store cannot be looked at", "start the database");
    finds(&findings, "error", "HUB-B301", "start the broker");
    finds(&findings, "error", "can read secrets", "chmod 600");
    assert!(looked_at.contains("store (away)") && looked_at.contains("broker (away)"), "{looked_at}");
    assert!(!format!("{findings:?}").contains("hidden"), "{findings:#?}");
}
