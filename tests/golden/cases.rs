//! Every case of every mapping. Adding a file adds a case.

use hub_engine::{Mapping, case};
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
    let source = Source::new(shown, fs::read_to_string(path).unwrap());
    let findings = Findings::new();
    let mapping = Mapping::compile(vendor, &source, &findings);
    let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    mapping.unwrap()
}

#[test]
fn every_mapping_has_cases_and_every_case_gives_its_whole_result() {
    let bless = env::read("BLESS").is_some();
    let (mut ran, mut wrong) = (0, Vec::new());
    for vendor in folders(&project_root().join("mappings")) {
        let name = vendor.file_name().unwrap().to_str().unwrap().to_owned();
        let files = folders(&vendor).into_iter().filter(|path| path.extension().is_some_and(|e| e == "yaml"));
        for file in files {
            let mapping = compile(&name, &file);
            let object = file.file_name().unwrap().to_str().unwrap().strip_suffix(".yaml").unwrap().to_owned();
            let mut cases = 0;
            for input in folders(&vendor.join("cases").join(&object)) {
                let file_name = input.file_name().unwrap().to_str().unwrap();
                let full = file_name.ends_with(".full.json");
                let Some(stem) = file_name.strip_suffix(".input.json").or_else(|| file_name.strip_suffix(".full.json"))
                else {
                    continue;
                };
                let expect = input.with_file_name(format!("{stem}.expect.json"));
                let result = case::run(&mapping, &fs::read_to_string(&input).unwrap(), full).unwrap();
                cases += 1;
                if bless {
                    fs::write(&expect, &result).unwrap();
                } else if let Some(diff) = case::diff(&fs::read_to_string(&expect).unwrap_or_default(), &result) {
                    wrong.push(format!("{}:\n{diff}", input.display()));
                }
            }
            assert!(cases > 0, "{} has no case below cases/{object}/", file.display());
            ran += cases;
        }
    }
    assert!(ran > 0, "no case ran: the path is wrong");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
