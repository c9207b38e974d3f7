//! `hrhub map check`: every problem of one mapping file, or of all below a folder.

use super::files;
use crate::cli::Format;
use crate::say;
use anyhow::bail;
use hub_engine::case::is_mapping;
use hub_tree::Findings;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn run(path: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let found = if path.is_dir() {
        files::below(path)?.into_iter().filter(|path| is_mapping(path)).map(PathBuf::from).collect()
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
        let compiled = files::mapping(file, &findings)?;
        if compiled.is_some() && findings.error_count() == before {
            sound += 1;
        }
    }
    Ok(say::report(&findings.into_sorted(), format, &format!("{sound} of {}", say::number(found.len(), "mapping"))))
}
