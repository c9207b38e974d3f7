//! `hrhub map run`: what the hub would do with a payload or an answer as received.

use super::{files, show};
use crate::assemble::drivers;
use crate::assets;
use crate::cli::MapRun;
use crate::config::environment;
use crate::say::{self, Paint};
use anyhow::{anyhow, bail};
use hub_engine::{Level, Mapping, Outcome, Parts, case};
use hub_flow::trial::{Note, Trial, Unclear, Would};
use hub_kit::hook::{self, is_xml};
use hub_kit::{Catalog, Connection, Driver, InboundRequest, Manifest, Operation, RawEnvelope, connection};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Clock, Findings, Limits, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn run(args: &MapRun) -> anyhow::Result<ExitCode> {
    let catalog = catalog(args.config.as_deref())?;
    let manifest = manifest(&catalog, &args.connector)?;
    let connection = match &args.config {
        Some(folder) => configured(folder, &manifest, args.connection.as_deref())?,
        None => Connection::without_settings(&manifest.vendor, Arc::clone(&manifest)),
    };
    let drivers = drivers();
    let driver = drivers.iter().find(|driver| driver.name() == manifest.driver);
    let driver: &dyn Driver = driver.ok_or_else(|| anyhow!("there is no driver `{}`", manifest.driver))?.as_ref();
    let compiled = RefCell::new(BTreeMap::new());
    let mappings = |object: &str| {
        let make = || mapping(&catalog, &connection, object);
        compiled.borrow_mut().entry(object.to_owned()).or_insert_with(make).clone()
    };
    let file = files::InputFile::read(&args.input)?;
    let keep = manifest.webhook.as_ref().map(|webhook| webhook.keep_headers.as_slice()).unwrap_or_default();
    let request = InboundRequest {
        method: "POST".to_owned(),
        query: Vec::new(),
        headers: args.headers.clone(),
        body: file.bytes.clone(),
        now: Clock::System.now(),
    };
    let arena = Arena::new();
    // What cannot be read may be an answer that says in plain words what is wrong.
    let (tree, broken) = match file.tree(&args.reading, &arena) {
        Ok(tree) => (tree, None),
        Err(error) => (Value::Text(arena.text(&String::from_utf8_lossy(&file.bytes))), Some(error)),
    };
    // As at the hook and in answers: XML is read below its root, a SOAP message below the element in its body.
    let message = if is_xml(&file.bytes) { message(&arena, &manifest, &file.bytes) } else { None };
    let payload = match &message {
        Some((payload, _)) => *payload,
        None if is_xml(&file.bytes) => hook::content(tree),
        None => tree,
    };
    let event = args.event.as_deref().or_else(|| message.as_ref()?.1);
    let trial = Trial {
        connection: &connection,
        driver,
        mappings: &mappings,
        arena: &arena,
        body: &file.bytes,
        payload,
        headers: RawEnvelope::of(&request, keep).headers_value(&arena),
        all_headers: &args.headers,
        status: args.status,
        unreadable: broken.as_ref().map(|_| "its form is not what the operation answers"),
    };
    let would = trial.would(event);
    if let Some(error) = broken
        && !would.as_ref().is_ok_and(|would| would.retryable.is_some())
    {
        return Err(error);
    }
    match would {
        Ok(would) => {
            let code = print(&would, &arena);
            if would.event.is_none() && would.retryable.is_none() {
                say::note(format!(" help: --event says what it is: {}", names(&manifest).join(", ")));
            }
            Ok(code)
        }
        Err(unclear) => {
            let (text, code) = unclear_text(&unclear, &manifest, args.event.as_deref().unwrap_or_default());
            say::note(format!("error: {text}"));
            Ok(code)
        }
    }
}

/// What a SOAP message holds, and the operation whose answer it can be: the first that its element fits, of a fault the
/// first of all. `None` when it is no such message.
fn message<'a>(arena: &'a Arena, manifest: &'a Manifest, bytes: &'a [u8]) -> Option<(Value<'a>, Option<&'a str>)> {
    let message = hub_soap::Message { body: bytes, content_type: None, content_encoding: None };
    let read = hub_soap::read(arena, &message, &hub_soap::Rules::client()).ok()?;
    if let Some(fault) = &read.fault {
        let text = arena.text(&hub_soap::driver::fault_text(fault));
        let payload = json::read(arena, text.as_bytes(), Limits::default()).ok()?;
        return Some((payload, manifest.operations.first().map(|operation| operation.name.as_str())));
    }
    let (_, element) = read.element?;
    let answers = |operation: &&Operation| {
        operation.request.soap.as_ref().is_some_and(|soap| {
            let described = soap.reply_type.as_ref().and_then(|(key, _)| manifest.types.get(key));
            soap.reply.as_deref().or(described.map(|one| one.name.as_str())) == Some(element)
        })
    };
    let operation = manifest.operations.iter().find(answers);
    Some((read.payload, operation.map(|operation| operation.name.as_str())))
}

/// What ships, and the files of a configuration folder over it.
fn catalog(folder: Option<&Path>) -> anyhow::Result<Catalog> {
    let mut catalog = assets::catalog();
    if let Some(folder) = folder {
        if !folder.is_dir() {
            bail!("there is no folder {}", folder.display());
        }
        catalog.overlay(folder).map_err(|(path, error)| anyhow!("reading {path}: {error}"))?;
    }
    Ok(catalog)
}

fn manifest(catalog: &Catalog, vendor: &str) -> anyhow::Result<Arc<Manifest>> {
    let Some(source) = catalog.file(&format!("connectors/{vendor}/manifest.yaml")) else {
        let known: Vec<&str> = catalog.vendors().collect();
        let help = suggest(vendor, known.iter().copied()).unwrap_or_default();
        bail!("there is no connector `{vendor}`; {help}");
    };
    let findings = Findings::new();
    let manifest = Manifest::compile(vendor, source, &findings);
    say::findings(&findings.into_sorted());
    manifest.map(Arc::new).ok_or_else(|| anyhow!("the connector `{vendor}` cannot be used as it is"))
}

/// The connection that the command line names, or the only one of the connector; else one without settings.
fn configured(folder: &Path, manifest: &Arc<Manifest>, wanted: Option<&str>) -> anyhow::Result<Connection> {
    let sources = connection::files(&folder.join("connections"));
    let sources = sources.map_err(|(path, error)| anyhow!("reading {path}: {error}"))?;
    let environment = environment(folder)?;
    let find = |name: &str| (name == manifest.vendor).then(|| Arc::clone(manifest));
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    for source in &sources {
        let findings = Findings::new();
        match Connection::compile(source, &environment, find, &[&manifest.vendor], &findings) {
            Some(connection) => found.push(connection),
            None => broken.push((source, findings)),
        }
    }
    if let Some(id) = wanted {
        let known: Vec<String> = found.iter().map(|connection| connection.id.clone()).collect();
        if let Some(connection) = found.into_iter().find(|connection| connection.id == id) {
            return Ok(connection);
        }
        let named = |text: &str| text.lines().any(|line| line.trim().strip_prefix("id:").map(str::trim) == Some(id));
        if let Some((_, findings)) = broken.into_iter().find(|(source, _)| named(&source.text)) {
            say::findings(&findings.into_sorted());
            bail!("the connection `{id}` cannot be used as it is");
        }
        let help = suggest(id, known.iter().map(String::as_str)).unwrap_or_default();
        bail!("{} has no connection `{id}` in {}; {help}", manifest.vendor, folder.display());
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Ok(Connection::without_settings(&manifest.vendor, Arc::clone(manifest))),
        (Some(_), Some(_)) => {
            say::note("several connections could be meant; none of their settings count. --connection names one");
            Ok(Connection::without_settings(&manifest.vendor, Arc::clone(manifest)))
        }
    }
}

/// A mapping of the catalog; what is wrong with it is told once.
fn mapping(catalog: &Catalog, connection: &Connection, object: &str) -> Option<Arc<Mapping>> {
    let vendor = &connection.manifest.vendor;
    let files = catalog.mapping_layers(vendor, &format!("{object}.in.yaml"), Some(&connection.id));
    let findings = Findings::new();
    let mapping = Mapping::assemble(vendor, &Parts { files, lists: catalog.code_lists(vendor) }, &findings);
    say::findings(&findings.into_sorted());
    mapping.map(Arc::new)
}

/// Prints the one object that the contract of this command is.
fn print<'a>(would: &'a Would<'a>, arena: &'a Arena) -> ExitCode {
    let mapping = would.mapping.as_deref();
    let unread = mapping.map_or_else(Vec::new, |mapping| mapping.unread(would.input.payload));
    let outcome = mapping.map_or_else(Outcome::default, |mapping| mapping.run_in(arena, &would.input));
    let mut findings: Vec<Value<'_>> = would.notes.iter().map(|note| note_value(arena, note)).collect();
    findings.extend_from_slice(case::placed_issues(arena, &outcome.issues).items());
    let fetch: BTreeSet<String> = would.fetch.iter().map(|call| call.operation.clone()).collect();
    let fetch: Vec<String> = fetch.into_iter().collect();
    let text = |text: Option<&'a str>| text.map_or(Value::Null, Value::Text);
    let whole = arena.map(&[
        ("mapping", text(mapping.map(|mapping| mapping.id.as_str()))),
        ("event", text(would.event)),
        ("dedupe_id", text(would.dedupe_id.as_deref())),
        ("fetch", case::texts(arena, &fetch)),
        ("retryable", would.retryable.map_or(Value::Null, Value::Bool)),
        ("records", case::records(arena, &outcome)),
        ("findings", arena.list(&findings)),
        ("unread", case::texts(arena, &unread)),
    ]);
    say::out(json::to_pretty(&whole).trim_end());
    for note in &would.notes {
        let place = if note.place.is_empty() { String::new() } else { format!("{}: ", note.place) };
        say::note(format!("{place}{}: {} [{}]", level(note.level), note.message, note.code));
    }
    if let Some(mapping) = mapping {
        for issue in &outcome.issues {
            say::note(Paint::of_notes().finding(&show::finding(mapping, issue)));
        }
    }
    let failed = would.notes.iter().any(|note| note.level == Level::Error) || outcome.first_error().is_some();
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn level(level: Level) -> &'static str {
    if level == Level::Error { "error" } else { "warning" }
}

fn note_value<'a>(arena: &'a Arena, note: &'a Note) -> Value<'a> {
    let mut parts = note.place.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let number = |text: Option<&'a str>| text.filter(|_| file.is_some()).map_or(Value::Absent, Value::Number);
    arena.map(&[
        ("level", Value::Text(level(note.level))),
        ("code", Value::Text(&note.code)),
        ("message", Value::Text(&note.message)),
        ("file", file.map_or(Value::Absent, Value::Text)),
        ("line", number(line)),
        ("column", number(column)),
    ])
}

/// The events and operations of a connector.
fn names(manifest: &Manifest) -> Vec<&str> {
    let events = manifest.webhook.iter().flat_map(|webhook| {
        webhook.events.iter().map(|rule| rule.name.as_str()).chain(webhook.ignore.iter().map(String::as_str))
    });
    let tables = manifest.tables.iter().map(|table| table.name.as_str());
    events.chain(tables).chain(manifest.operations.iter().map(|operation| operation.name.as_str())).collect()
}

/// Why nothing can be told of an input, and what to name; a name that is wrong is a wrong command line.
fn unclear_text(unclear: &Unclear, manifest: &Manifest, name: &str) -> (String, ExitCode) {
    let known = names(manifest);
    match unclear {
        Unclear::NoSuchName => {
            let help = suggest(name, known.iter().copied()).unwrap_or_default();
            (format!("{} has no event or operation `{name}`; {help}", manifest.vendor), ExitCode::from(2))
        }
        Unclear::OneOf(names) => {
            let text = format!("this could be an answer of {}: name one with --event", names.join(", "));
            (text, ExitCode::FAILURE)
        }
        Unclear::Nothing => {
            let text = format!("nothing of {} knows this input: name with --event what it is", manifest.vendor);
            (format!("{text}: {}", known.join(", ")), ExitCode::FAILURE)
        }
    }
}
