//! Mapping files and inputs, found and read. Every error names its path.

use crate::cli::MapInput;
use anyhow::{Context as _, bail};
use hub_engine::case::{self, is_full};
use hub_engine::{Input, Mapping};
use hub_tree::{Arena, Findings, Limits, Source, Value, json};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// How deep folders are searched; a link that leads back up ends here.
const MAX_DEPTH: usize = 40;

/// The files below a folder in order, by the path that leads there from it. Names that begin with `.` are passed over.
pub(crate) fn below(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(folder, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<String>) -> anyhow::Result<()> {
    let reading = || format!("reading {}", folder.display());
    if depth > MAX_DEPTH {
        bail!("{} lies more than {MAX_DEPTH} folders deep", folder.display());
    }
    for entry in fs::read_dir(folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, depth + 1, found)?;
        } else if let Some(path) = path.to_str() {
            found.push(path.strip_prefix("./").unwrap_or(path).to_owned());
        }
    }
    Ok(())
}

/// A text file.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Compiles a mapping file. It belongs to the vendor that its folder is named after.
pub(crate) fn mapping(path: &Path, findings: &Findings) -> anyhow::Result<Option<Mapping>> {
    let source = Source::new(path.display().to_string(), text(path)?);
    Ok(Mapping::compile(&folder_name(path), &source, findings))
}

/// The name of the folder that a file lies in.
pub(crate) fn folder_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
    let name = folder.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    name.unwrap_or_default().to_owned()
}

/// An input as it was read.
pub(crate) struct InputFile {
    shown: String,
    pub(crate) bytes: Vec<u8>,
}

impl InputFile {
    /// Reads a file; `-` is standard input.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("reading standard input")?;
            return Ok(Self { shown: "standard input".to_owned(), bytes });
        }
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self { shown: path.display().to_string(), bytes })
    }

    /// The input as a tree: the one place that decides how an input is read.
    pub(crate) fn tree<'a>(&'a self, arena: &'a Arena) -> anyhow::Result<Value<'a>> {
        json::read(arena, &self.bytes, Limits::default()).map_err(|error| {
            anyhow::anyhow!("{}:{}:{}: this is no JSON: {}", self.shown, error.line, error.column, error.message)
        })
    }
}

/// What a mapping reads, as the command line says.
pub(crate) fn input<'a>(args: &'a MapInput, file: &'a InputFile, arena: &'a Arena) -> anyhow::Result<Input<'a>> {
    let full = args.full || is_full(&file.shown);
    let mut input = case::input_of(file.tree(arena)?, full);
    if let Some(event) = &args.event {
        input.event = event;
    }
    if !args.headers.is_empty() {
        let given = args.headers.iter().map(|(name, value)| (name.as_str(), Value::Text(value)));
        let others = input.headers.entries().iter().copied();
        let others = others.filter(|(name, _)| !args.headers.iter().any(|(given, _)| given == name));
        let entries: Vec<(&str, Value<'_>)> = others.chain(given).collect();
        input.headers = arena.map(&entries);
    }
    Ok(input)
}
