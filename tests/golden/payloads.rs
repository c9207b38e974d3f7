//! What a mapping must recover from a vendor's payload, in the words of the canonical model.

use crate::cases::compile;
use hub_engine::Input;
use hub_support::project_root;
use hub_tree::{Arena, Limits, Value, json};
use std::fs;

/// The facts of a message, flattened as the expectation files have them.
fn facts<'a>(records: &[(&str, Option<&'a str>, Value<'a>)], wanted: &str) -> Option<String> {
    let of = |entity: &str| records.iter().find(|(name, ..)| *name == entity);
    let text = |entity: &str, path: &str| {
        let (_, _, fields) = of(entity)?;
        fields.path(path).as_text().map(str::to_owned)
    };
    let remote = |entity: &str, path: &str| text(entity, &format!("{path}.source.remote_id"));
    match wanted {
        "candidate_full_name" => text("candidate", "name.full"),
        "candidate_email" => {
            let (_, _, fields) = of("candidate")?;
            fields.get("emails").items().first()?.get("address").as_text().map(str::to_owned)
        }
        "candidate_id" => of("candidate")?.1.map(str::to_owned),
        "application_id" => of("application")?.1.map(str::to_owned),
        "job_id" => remote("application", "requisition"),
        "stage" => text("application", "stage.display"),
        "decision" => text("application", "outcome.value").filter(|outcome| outcome != "PENDING"),
        "applied_utc" => text("application", "applied_at"),
        other => panic!("no rule for the fact `{other}`"),
    }
}

#[test]
fn what_a_greenhouse_payload_says_is_recovered() {
    let folder = project_root().join("tests/golden/payloads/greenhouse");
    let arena = Arena::new();
    let input = fs::read(folder.join("candidate_stage_change.json")).unwrap();
    let payload = json::read(&arena, &input, Limits::default()).unwrap();
    let mapping = compile("greenhouse", &project_root().join("mappings/greenhouse/application.in.yaml"));
    let outcome = mapping.run_in(&arena, &Input::of(payload, "greenhouse-main"));
    let records: Vec<_> = outcome.records.iter().map(|r| (r.entity.name, r.key, r.fields)).collect();
    let expect = fs::read(folder.join("candidate_stage_change.expect.json")).unwrap();
    let expect = json::read(&arena, &expect, Limits::default()).unwrap();
    let mut checked = 0;
    for (fact, wanted) in expect.entries() {
        if matches!(*fact, "event" | "updated_utc") {
            // The event comes from the change, the time from the manifest; the end-to-end tests see both.
            continue;
        }
        let found = facts(&records, fact);
        let instant = |text: &str| text.parse::<hub_tree::jiff::Timestamp>().ok();
        let same = match (found.as_deref(), wanted.as_text()) {
            (Some(found), Some(wanted)) if fact.ends_with("_utc") => instant(found) == instant(wanted),
            (found, wanted) => found == wanted,
        };
        assert!(same, "{fact}: found {found:?}, wanted {}", json::to_string(wanted));
        checked += 1;
    }
    assert!(checked >= 8, "only {checked} facts checked");
}
