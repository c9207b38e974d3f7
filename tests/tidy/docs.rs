//! What users can meet is written down.

use crate::files_with;
use hub_support::project_root;
use std::collections::BTreeSet;
use std::fs;

/// Texts in quotes that `is` accepts, outside tests.
fn quoted(folder: &str, is: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let sources =
        files_with(".rs").into_iter().filter(|(path, _)| path.starts_with(folder) && !path.ends_with("tests.rs"));
    let mut found = BTreeSet::new();
    for (_, text) in sources {
        let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
        found.extend(code.split('"').skip(1).step_by(2).filter(|text| is(text)).map(str::to_owned));
    }
    found
}

fn is_made_of(text: &str, letter: impl Fn(char) -> bool) -> bool {
    text.len() > 2 && text.contains('_') && text.chars().all(|c| letter(c) || c == '_')
}

/// Words in capitals that are no codes of parked things.
const NO_CODES: &[&str] = &["CARGO_PKG_VERSION", "CN_RESIDENT_ID", "HRHUB_CRASH"];

#[test]
fn every_code_has_a_section() {
    let docs = fs::read_to_string(project_root().join("docs/problems.md")).unwrap();
    let mut codes = BTreeSet::new();
    for folder in ["gateway/flow/", "connectors/kit/", "scoring/service/"] {
        codes.extend(quoted(folder, |text| is_made_of(text, |c| c.is_ascii_uppercase())));
    }
    codes.retain(|code| !NO_CODES.contains(&code.as_str()));
    for folder in ["gateway/", "connectors/"] {
        for text in quoted(folder, |text| text.starts_with("HUB-")) {
            codes.insert(text.split(' ').next().unwrap().to_owned());
        }
    }
    // Problems are made in one place: code, then title.
    let problems = fs::read_to_string(project_root().join("gateway/api/src/problem.rs")).unwrap();
    let made = problems.split("StatusCode::").skip(1).filter_map(|rest| rest.split('"').nth(1));
    let before = codes.len();
    codes.extend(made.filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_')).map(str::to_owned));
    assert!(before > 30 && codes.len() > before + 8, "{codes:?}");
    let missing: Vec<&String> = codes.iter().filter(|code| !docs.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/problems.md says nothing about {missing:?}");
}

#[test]
fn every_mapping_issue_has_a_section() {
    let docs = fs::read_to_string(project_root().join("docs/problems.md")).unwrap();
    let mut codes = BTreeSet::new();
    for (path, text) in files_with(".rs").into_iter().filter(|(path, _)| path.starts_with("mappings/engine/src/")) {
        for call in ["misfit(\"", "note_here(\"", "Level::Error, \"", "Level::Warning, \"", "code: \""] {
            if !path.ends_with("tests.rs") {
                codes.extend(text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
    assert!(codes.len() > 15, "{codes:?}");
    let missing: Vec<&String> = codes.iter().filter(|code| !docs.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/problems.md says nothing about {missing:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in files_with(".md") {
        let folder = project_root().join(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            let outside = target.contains("://") || file.is_empty();
            if !outside && !folder.parent().unwrap().join(file).exists() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
