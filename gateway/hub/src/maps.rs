//! `hrhub map`: work on mapping files.

use crate::cli::Format;
use crate::say;
use anyhow::{Context as _, bail};
use hub_engine::Mapping;
use hub_tree::{Findings, Source};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks one file, or all below a folder.
pub(crate) fn check(path: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, &mut files)?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    if files.is_empty() {
        bail!("there is no mapping file (*.in.yaml, *.out.yaml) below {}", path.display());
    }
    let findings = Findings::new();
    let mut sound = 0;
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let before = findings.error_count();
        // A mapping belongs to the vendor that its folder is named after.
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        let vendor = absolute.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        let compiled = Mapping::compile(vendor, &Source::new(file.display().to_string(), text), &findings);
        if compiled.is_some() && findings.error_count() == before {
            sound += 1;
        }
    }
    Ok(say::report(&findings.into_sorted(), format, &format!("{sound} of {}", say::number(files.len(), "mapping"))))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if name.ends_with(".in.yaml") || name.ends_with(".out.yaml") {
            files.push(path);
        }
    }
    Ok(())
}
