//! `hrhub demo`, as the README's first command runs it.

use crate::browser::page;
use hub_support::{Demo, free_port, run_hrhub, said};
use serde_json::Value;

#[test]
fn three_candidates_come_to_their_three_outcomes() {
    let demo = run_hrhub(["demo", "--once", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"]);
    let (out, err) = said(&demo);
    assert!(demo.status.success(), "{out}{err}");
    for label in ["推荐 RECOMMENDED", "待考虑 CONSIDER", "不推荐 NOT_RECOMMENDED"] {
        assert!(out.contains(label), "{label} is not in:\n{out}");
    }
    for step in ["receive", "map", "invite: HTTP 201", "score", "decide", "send_message", "write_score: HTTP 200"] {
        assert!(out.matches(step).count() >= 3, "{step} is missing:\n{out}");
    }
    assert_eq!(out.matches("move_application").count(), 1, "only 推荐 moves the stage:\n{out}");
    assert_eq!(out.matches("  trace ").count(), 3);
}

#[test]
fn a_demo_that_cannot_complete_says_why() {
    let folder = tempfile::tempdir().unwrap();
    // Somebody has laid a mapping of their own into the demo's configuration, and it asks for what is not there.
    let mappings = folder.path().join("config/mappings/greenhouse");
    std::fs::create_dir_all(&mappings).unwrap();
    let mapping = "version: 1\nfrom: greenhouse/application\nemit:\n  - to: application\n    key: payload.payload.application.id\n    fields:\n      applied_at: { path: payload.nowhere, datetime: rfc3339, required: true }\n";
    std::fs::write(mappings.join("application.in.yaml"), mapping).unwrap();
    let data = folder.path().to_str().unwrap();
    let demo =
        run_hrhub(["demo", "--once", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--data", data]);
    let (out, err) = said(&demo);
    assert_eq!(demo.status.code(), Some(1), "{out}{err}");
    assert!(err.contains("REQUIRED_MISSING") && err.contains("application.in.yaml:7:"), "{out}{err}");
}

#[test]
fn a_demo_that_goes_on_shows_its_journeys_and_repeats_nothing_when_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let ports = (free_port(), free_port());
    let mut demo = Demo::start(folder.path(), ports, false);
    let lines = demo.until("Ctrl-C");
    let ticket = lines.iter().find_map(|line| line.trim().strip_prefix("console ")).unwrap().trim();
    let trace = lines.iter().find_map(|line| line.trim().strip_prefix("trace ")).unwrap();
    let dom = page(ticket);
    assert!(dom.contains("Journeys") && dom.contains(trace), "{dom}");
    let effects = || -> Value {
        let url = format!("http://127.0.0.1:{}/_sandbox/effects", ports.1);
        reqwest::blocking::get(url).unwrap().json().unwrap()
    };
    let before = effects();
    let all = before["effects"].as_array().unwrap();
    assert_eq!(all.len(), 3 * 4 + 1, "invite, message, note and score of each, one move: {before}");
    assert!(all.iter().all(|effect| effect["count"] == 1), "{before}");
    demo.ask_to_stop();
    assert!(demo.end().0);

    let again = Demo::start(folder.path(), ports, false);
    again.until("Ctrl-C");
    assert_eq!(effects(), before, "starting again repeated something");
}
