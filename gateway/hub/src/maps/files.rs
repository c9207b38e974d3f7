//! Mapping files and inputs, found and read. Every error names its path.

use crate::assets;
use crate::cli::{InputKind, MapInput, Reading};
use anyhow::{Context as _, bail};
use hub_engine::case::{self, is_full};
use hub_engine::{Input, Mapping, Parts};
use hub_kit::Catalog;
use hub_tree::reader::{self, Kind};
use hub_tree::{Arena, Findings, Limits, ReadError, Source, Value};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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

/// A mapping file with what it is made of: the layers below it and the code lists that it may use.
pub(crate) struct Place {
    /// The vendor.
    pub(crate) vendor: String,
    pub(crate) parts: Parts,
    /// How many of the layers ship with the program.
    pub(crate) built_in: usize,
    /// Whether the last layer is a connection's.
    pub(crate) of_connection: bool,
}

impl Place {
    /// Reads `…/mappings/<vendor>/<object>.in.yaml`, or `…/mappings/<vendor>/<connection>/<object>.in.yaml`. A file that
    /// lies elsewhere belongs to the vendor that its folder is named after.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let own = Source::new(path.display().to_string(), text(path)?);
        let name = absolute.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // Paths are shown as the user writes them: the folders above are reached from the one given.
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let of_connection = named(&folder.join("../..")) == "mappings";
        let vendor_folder = if of_connection { above(folder) } else { folder.to_owned() };
        let vendor = named(&vendor_folder);
        let catalog = built_in();
        // Somebody's own file may have the very same path.
        let inside = |file: &Arc<Source>| Source::new(format!("hrhub:{}", file.path), file.text.clone());
        let mut files: Vec<Arc<Source>> =
            catalog.layers(&format!("mappings/{vendor}/{name}")).iter().map(inside).collect();
        let built_in = files.len();
        let below = vendor_folder.join(&name);
        if of_connection && below.is_file() {
            files.push(source(&below)?);
        }
        files.push(own);
        let mut lists = catalog.code_lists(&vendor);
        for folder in [above(&vendor_folder).join("lists"), vendor_folder.join("lists")] {
            if named(&folder.join("..")) != "mappings" && named(&folder.join("..")) != vendor {
                continue;
            }
            lists.extend(lists_in(&folder)?);
        }
        Ok(Self { vendor, parts: Parts { files, lists }, built_in, of_connection })
    }

    pub(crate) fn compile(&self, findings: &Findings) -> Option<Mapping> {
        Mapping::assemble(&self.vendor, &self.parts, findings)
    }

    /// The name of the layer that a path is.
    pub(crate) fn layer(&self, path: &str) -> &'static str {
        match self.parts.files.iter().position(|file| file.path == path) {
            Some(index) if index < self.built_in => "connector",
            Some(index) if self.of_connection && index + 1 == self.parts.files.len() => "connection",
            _ => "tenant",
        }
    }
}

/// What ships with the program, read once however many files are looked at.
fn built_in() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(assets::catalog)
}

fn source(path: &Path) -> anyhow::Result<Arc<Source>> {
    Ok(Source::new(path.display().to_string(), text(path)?))
}

/// The code lists of a folder, if it is there.
fn lists_in(folder: &Path) -> anyhow::Result<Vec<Arc<Source>>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = below(folder)?;
    files.iter().filter(|file| file.ends_with(".yaml")).map(|file| source(Path::new(file))).collect()
}

/// Whether a path is that of a code list.
pub(crate) fn is_list(path: &str) -> bool {
    path.ends_with(".yaml") && Path::new(path).parent().is_some_and(|folder| named(folder) == "lists")
}

/// Compiles a mapping file as the hub would: over the layers below it, with its code lists.
pub(crate) fn mapping(path: &Path, findings: &Findings) -> anyhow::Result<Option<Mapping>> {
    Ok(Place::read(path)?.compile(findings))
}

/// The folder above one, by the shortest way that people would write.
fn above(folder: &Path) -> PathBuf {
    if folder == Path::new(".") {
        return PathBuf::from("..");
    }
    match (folder.file_name(), folder.parent()) {
        (Some(_), Some(parent)) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => folder.join(".."),
    }
}

/// The name of a folder, whatever way leads there.
fn named(folder: &Path) -> String {
    let real = folder.canonicalize().ok();
    real.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

/// The name of the folder that a file lies in.
pub(crate) fn folder_name(path: &Path) -> String {
    named(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The ending of an input's name; `json` where it says nothing.
pub(crate) fn ending(path: &Path) -> &str {
    let known = ["json", "xml", "csv", "form"];
    path.extension().and_then(|ending| ending.to_str()).filter(|ending| known.contains(ending)).unwrap_or("json")
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
    pub(crate) fn tree<'a>(&'a self, reading: &Reading, arena: &'a Arena) -> anyhow::Result<Value<'a>> {
        let kind = match reading.kind {
            None => case::kind_of(&self.shown),
            Some(InputKind::Json) => Kind::Json,
            Some(InputKind::Xml) => Kind::Xml,
            Some(InputKind::Form) => Kind::Form,
            Some(InputKind::Csv) => Kind::Csv,
        };
        reader::read_as(kind, reading.encoding, arena, &self.bytes, Limits::default()).map_err(|error| {
            let ReadError { message, line, column } = error;
            anyhow::anyhow!("{}:{line}:{column}: this is no {}: {message}", self.shown, kind.name())
        })
    }
}

/// Whether an input holds more than the payload.
pub(crate) fn full(args: &MapInput, file: &InputFile) -> bool {
    args.full || is_full(&file.shown)
}

/// What a mapping reads, as the command line says, of the tree of the input file.
pub(crate) fn input<'a>(args: &'a MapInput, file: &InputFile, tree: Value<'a>, arena: &'a Arena) -> Input<'a> {
    let mut input = case::input_of(tree, full(args, file));
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
    input
}
