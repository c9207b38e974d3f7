//! `/scim/v2` as an independent tester of the protocol sees it.

use crate::callbacks::peers::{python_with, run};
use hub_support::{Backends, Place, project_root};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// Checks that are not carried out, with the reason. All others are, for users and for groups.
const SKIPPED: [(&str, &str); 1] = [(
    "core_schemas_validation",
    "the tester has it and does not run it: /Schemas tells the schemas of the resources, as RFC 7644, section 4, says",
)];
/// Different seeds pick different values: types of addresses, flags, which reference is made.
const SEEDS: [&str; 3] = ["1", "2", "3"];

/// What may only read and write: no admin.
fn key(place: &Place) -> String {
    let wish = json!({ "name": "identity provider", "grants": ["read", "write"] });
    let admin = place.secret("HRHUB_ADMIN_KEY");
    let answer = place.http().post(place.url("/v1/apps")).bearer_auth(admin).body(wish.to_string()).send().unwrap();
    let app: Value = answer.json().unwrap();
    app["key"]["key"].as_str().unwrap_or_else(|| panic!("no key: {app}")).to_owned()
}

/// The checks that the tester has, and what came of each that it ran.
fn tested(place: &Place, key: &str, seed: &str) -> (BTreeSet<String>, Vec<Value>) {
    let script = project_root().join("tests/e2e/peers/scim_tester.py");
    let mut tester = Command::new(python_with("scim_requirements.txt"));
    let said = run(tester.arg(script).args([place.url("/scim/v2").as_str(), key, seed]));
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (known, results): (Vec<Value>, Vec<Value>) = lines.partition(|line| line["known"].is_string());
    (known.iter().map(|line| line["known"].as_str().unwrap().to_owned()).collect(), results)
}

#[test]
fn an_independent_tester_finds_nothing_wrong_with_scim() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let key = key(&place);
    for seed in SEEDS {
        let (known, results) = tested(&place, &key, seed);
        let bad: Vec<String> = results
            .iter()
            .filter(|result| !["SUCCESS", "COMPLIANT", "ACCEPTABLE"].contains(&result["status"].as_str().unwrap()))
            .map(|result| format!("{result:#}"))
            .collect();
        assert!(bad.is_empty(), "seed {seed}: {} of {} failed:\n{}", bad.len(), results.len(), bad.join("\n"));
        let ran: BTreeSet<String> = results.iter().map(|result| result["check"].as_str().unwrap().to_owned()).collect();
        let left: Vec<&str> = known.difference(&ran).map(String::as_str).collect();
        assert_eq!(left, SKIPPED.map(|(check, _)| check), "what was not looked at has a reason");
        // The same is looked at of both types of resources: each of their attributes is added, replaced and removed.
        let of = |name: &str| results.iter().filter(|result| result["of"] == name).count();
        assert!(of("User") >= 30 && of("Group") >= 15, "seed {seed}: {} and {} checks", of("User"), of("Group"));
    }
    let left = place.get("/scim/v2/Users");
    assert_eq!(left["totalResults"], 0, "the tester removes what it made: {left}");
}
