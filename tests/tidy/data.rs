//! Vendors are data: found by looking, named nowhere in the code.

use crate::files_with;
use hub_kit::Catalog;
use hub_tree::Findings;
use std::collections::BTreeSet;

fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    for (path, text) in files_with(".yaml") {
        catalog.add_built_in(&path, &text);
    }
    assert!(catalog.vendors().count() >= 3);
    catalog
}

/// Connectors that are called by the name of a standard, which the hub speaks, too.
const STANDARDS: [&str; 2] = ["scim", "xapi"];
/// Words of a folder's own subject that a vendor is called by, too: overtime on a workday.
const WORDS: [(&str, &str); 1] = [("scoring/payroll/", "workday")];

#[test]
fn no_vendor_is_named_in_the_code() {
    let catalog = catalog();
    let mut wrong = Vec::new();
    for (path, text) in files_with(".rs") {
        // Tests speak of vendors; `im` is the driver of chat platforms; the model names channels on the wire.
        let exempt = ["tests/", "connectors/im/", "mappings/model/"].iter().any(|folder| path.starts_with(folder));
        if exempt || path.ends_with("/tests.rs") {
            continue;
        }
        let code: Vec<&str> = text.split("#[cfg(test)]").next().unwrap().lines().collect();
        for (number, line) in code.iter().enumerate() {
            // Comments may name a vendor whose quirk they explain.
            if line.trim_start().starts_with("//") {
                continue;
            }
            let lower = line.to_lowercase();
            let is_word = |vendor: &str| WORDS.iter().any(|(folder, word)| path.starts_with(folder) && *word == vendor);
            for vendor in catalog.vendors().filter(|vendor| !STANDARDS.contains(vendor) && !is_word(vendor)) {
                // `workdays` is a word of calendars.
                let named = lower.match_indices(&format!("\"{vendor}")).any(|(at, found)| {
                    lower[at + found.len()..].chars().next().is_none_or(|next| !next.is_alphabetic())
                });
                if named {
                    wrong.push(format!("{path}:{}: {vendor}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_vendor_has_mappings_and_a_simulator_without_findings() {
    let catalog = catalog();
    let findings = Findings::new();
    let profiles = hub_sandbox::profiles(&catalog, &findings);
    let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let simulated: BTreeSet<&str> = profiles.iter().map(|profile| profile.vendor.as_str()).collect();
    for vendor in catalog.vendors() {
        let manifest = catalog.file(&format!("connectors/{vendor}/manifest.yaml")).unwrap();
        // Who only calls the hub is played by whoever tests it.
        let only_calls = manifest.text.contains("\nserves:") && !manifest.text.contains("\noperations:");
        // A hub serves SCIM itself: tests let one provision another.
        let played = only_calls || STANDARDS.contains(&vendor);
        assert!(simulated.contains(vendor) || played, "{vendor} has no sandbox.yaml");
        assert!(catalog.mappings(vendor).count() > 0, "{vendor} has no mapping");
    }
}
