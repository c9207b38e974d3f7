//! What must stay true of the project's own files. `BLESS=1` rewrites the lists under `expect/`; each new line there is
//! a decision that somebody reviews.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod crates;
mod data;
mod docs;
mod roles;
mod routes;

use hub_support::project_root;
use hub_tree::env;
use std::fs;
use std::path::{Path, PathBuf};

/// All files of the project, without what is built or ignored.
fn project_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if !["target", ".git"].contains(&name.to_str().unwrap()) {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&project_root(), &mut found);
    found.sort();
    assert!(found.len() > 100, "the project's files were not found");
    found
}

/// The files with an ending, as (path in the project, text).
fn files_with(ending: &str) -> Vec<(String, String)> {
    let root = project_root();
    let files = project_files().into_iter().filter(|path| path.to_str().unwrap().ends_with(ending));
    let read = |path: PathBuf| {
        (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
    };
    let found: Vec<_> = files.map(read).collect();
    assert!(!found.is_empty(), "no {ending} was found");
    found
}

/// Compares with a reviewed list.
fn check_list(name: &str, found: &str) {
    let path = project_root().join("tests/tidy/expect").join(name);
    if env::read("BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{name} has changed; BLESS=1 rewrites it:\n{found}");
}
