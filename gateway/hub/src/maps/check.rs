//! `hrhub map check`: every problem of one mapping file or code list, or of all below a folder.

use super::files;
use crate::cli::Format;
use crate::say;
use anyhow::bail;
use hub_engine::case::is_mapping;
use hub_engine::lists::CodeList;
use hub_tree::{Findings, Source, Span};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn run(path: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let found = if path.is_dir() {
        let all = files::below(path)?.into_iter();
        all.filter(|path| is_mapping(path) || files::is_list(path)).map(PathBuf::from).collect::<Vec<_>>()
    } else {
        vec![path.to_owned()]
    };
    if found.is_empty() {
        bail!("there is no mapping file (*.in.yaml, *.out.yaml) below {}", path.display());
    }
    let findings = Findings::new();
    let mut sound = 0;
    for file in &found {
        let before = findings.error_count();
        let compiled = if files::is_list(&file.to_string_lossy()) {
            let source = Source::new(file.display().to_string(), files::text(file)?);
            CodeList::compile(&source, &findings).is_some()
        } else {
            match files::mapping(file, &findings) {
                Ok(mapping) => mapping.is_some(),
                Err(error) => {
                    // One file that cannot be read keeps no other from being checked.
                    let source = Source::new(file.display().to_string(), "");
                    findings.error(&source, Span::default(), format!("{error:#}"), None);
                    false
                }
            }
        };
        if compiled && findings.error_count() == before {
            sound += 1;
        }
    }
    Ok(say::report(&findings.into_sorted(), format, &format!("{sound} of {}", say::number(found.len(), "file"))))
}
