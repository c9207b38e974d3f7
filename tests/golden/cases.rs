//! Every case of every mapping. Adding a file adds a case.

use hub_engine::case::{self, Plan};
use hub_engine::{Mapping, Parts};
use hub_support::project_root;
use hub_tree::{Findings, Source, env};
use std::fs;
use std::path::{Path, PathBuf};

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

/// Compiles a mapping file; warnings are problems too where the project ships the file.
pub(crate) fn compile(vendor: &str, path: &Path) -> Mapping {
    let shown = path.strip_prefix(project_root()).unwrap().display().to_string();
    let read = |path: &Path, shown: String| Source::new(shown, fs::read_to_string(path).unwrap());
    // The vendor's code lists, as the hub finds them.
    let lists = folders(&path.with_file_name("lists"));
    let lists = lists.iter().map(|list| read(list, list.display().to_string())).collect();
    let parts = Parts { files: vec![read(path, shown)], lists };
    let findings = Findings::new();
    let mapping = Mapping::assemble(vendor, &parts, &findings);
    let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    mapping.unwrap()
}

/// The files below a folder, by their path in the project.
fn files(folder: &Path, found: &mut Vec<String>) {
    for path in folders(folder) {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path.strip_prefix(project_root()).unwrap().to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn every_mapping_has_cases_and_every_case_gives_its_whole_result() {
    let bless = env::read("BLESS").is_some();
    let root = project_root();
    let mut paths = Vec::new();
    files(&root.join("mappings"), &mut paths);
    let plan = Plan::of(&paths, "");
    let problems = plan.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message));
    let mut wrong: Vec<String> = problems.collect();
    let mut ran = 0;
    for suite in &plan.suites {
        let vendor = suite.id.split('/').next().unwrap();
        let mapping = compile(vendor, &root.join(&suite.path));
        for case in &suite.cases {
            let result =
                case::run(&mapping, case::kind_of(&case.input), &fs::read(root.join(&case.input)).unwrap(), case.full)
                    .unwrap();
            ran += 1;
            let expect = root.join(&case.expect);
            if bless {
                fs::write(&expect, &result).unwrap();
            } else if let Some(diff) = case::diff(&fs::read_to_string(&expect).unwrap_or_default(), &result) {
                wrong.push(format!("{}:{}:\n{diff}", case.expect, diff.line));
            }
        }
    }
    assert!(ran > 0, "no case ran: the path is wrong");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
