//! Who may use whom, how crates are named, what each inherits.

use crate::{check_list, files_with};
use std::collections::BTreeMap;

/// The manifests of the workspace's crates by folder.
fn manifests() -> Vec<(String, String)> {
    let own = files_with("/Cargo.toml").into_iter().filter(|(path, _)| {
        !matches!(path.as_str(), "Cargo.toml" | "tests/bench/Cargo.toml" | "tests/fuzz/Cargo.toml")
    });
    own.map(|(path, text)| (path.trim_end_matches("/Cargo.toml").to_owned(), text)).collect()
}

fn section<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let lines = text.lines().skip_while(|line| *line != format!("[{name}]")).skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The name of the dependency on a line of a manifest.
fn dependency(line: &str) -> &str {
    line.split(['.', ' ', '=']).next().unwrap()
}

#[test]
fn who_uses_whom_is_a_reviewed_list() {
    let mut edges = BTreeMap::new();
    for (folder, text) in manifests() {
        if folder.starts_with("tests/") {
            continue;
        }
        let own = section(&text, "dependencies").into_iter().map(dependency).filter(|name| name.starts_with("hub-"));
        let name = section(&text, "package").into_iter().find_map(|line| line.strip_prefix("name = ")).unwrap();
        let mut used: Vec<&str> = own.collect();
        used.sort_unstable();
        edges.insert(name.trim_matches('"').to_owned(), format!("{used:?}"));
    }
    let list: String = edges.iter().map(|(name, used)| format!("{name} = {used}\n")).collect();
    check_list("crate-deps.toml", &list);
}

#[test]
fn a_crate_is_named_after_its_folder_and_inherits_lints_and_versions() {
    let mut wrong = Vec::new();
    for (folder, text) in manifests() {
        let name = folder.rsplit('/').next().unwrap();
        let package = section(&text, "package");
        if !package.contains(&format!("name = \"hub-{name}\"").as_str()) {
            wrong.push(format!("{folder} should hold the package hub-{name}"));
        }
        if section(&text, "lints") != ["workspace = true"] {
            wrong.push(format!("{folder} does not inherit the lints"));
        }
        if !package.iter().any(|line| line.starts_with("description = \"")) {
            wrong.push(format!("{folder} has no description"));
        }
        for inherited in ["version", "edition", "rust-version", "license", "publish"] {
            if !package.contains(&format!("{inherited}.workspace = true").as_str()) {
                wrong.push(format!("{folder} does not inherit its {inherited}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let sources = files_with(".rs");
    let mut unused = Vec::new();
    for (folder, text) in manifests() {
        let own: Vec<&str> = sources
            .iter()
            .filter(|(path, _)| path.starts_with(&format!("{folder}/")))
            .map(|(_, t)| t.as_str())
            .collect();
        for kind in ["dependencies", "dev-dependencies"] {
            for line in section(&text, kind) {
                let name = dependency(line).trim_matches('"');
                let path = name.replace('-', "_");
                let used = own.iter().any(|text| {
                    text.match_indices(&path).any(|(at, _)| {
                        let before = text[..at].chars().next_back().unwrap_or(' ');
                        let after = text[at + path.len()..].chars().next().unwrap_or(' ');
                        let inside = |c: char| c.is_alphanumeric() || c == '_';
                        !inside(before) && !inside(after)
                    })
                });
                if !used {
                    unused.push(format!("{folder}: {name}"));
                }
            }
        }
    }
    assert!(unused.is_empty(), "not used:\n{}", unused.join("\n"));
}
