//! `hrhub connector list`: what each connector reads, receives and writes. Nothing of it is typed in: it is what the
//! manifests' operations and events lead to, and what their mappings make.

use crate::assemble::drivers;
use crate::assets::catalog;
use crate::cli::Format;
use crate::config::Config;
use crate::say;
use clap::Args;
use hub_engine::Direction;
use hub_flow::registry::{Registry, Sources};
use hub_kit::{Connection, FollowUp, Manifest};
use hub_tree::Findings;
use hub_tree::env::Environment;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Args)]
pub(crate) struct List {
    /// Only this family, such as `ats`, `esign`, `background`.
    #[arg(long)]
    family: Option<String>,
    /// A configuration folder, whose own connectors and layers count too.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// How they are printed; JSON has their settings, too.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &List) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let catalog = match &args.config {
        Some(folder) => Config::read(folder, &findings)?.catalog,
        None => catalog(),
    };
    let (environment, drivers) = (Environment::default(), drivers());
    let sources = Sources {
        catalog: &catalog,
        connections: Vec::new(),
        environment: &environment,
        flows: None,
        drivers: &drivers,
    };
    let registry = Registry::load(&sources, &findings);
    let wanted = |manifest: &&Arc<Manifest>| args.family.as_ref().is_none_or(|family| *family == manifest.family);
    let found: Vec<Value> = registry.manifests.values().filter(wanted).map(|one| describe(&registry, one)).collect();
    if found.is_empty() {
        let families: BTreeSet<&str> = registry.manifests.values().map(|one| one.family.as_str()).collect();
        let families = families.into_iter().collect::<Vec<_>>().join(", ");
        return Ok(say::usage(format!("there is no such family; there are {families}")));
    }
    if args.format == Format::Json {
        say::out(Value::from(found).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for one in &found {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let words = |name: &str| {
            let list = one[name].as_array().into_iter().flatten().filter_map(Value::as_str);
            list.collect::<Vec<_>>().join(", ")
        };
        say::out(format!("{}  {} ({})", text("connector"), text("name"), text("family")));
        for (title, name) in [("reads", "reads"), ("receives", "receives"), ("writes", "writes"), ("polls", "polls")] {
            let words = words(name);
            if !words.is_empty() {
                say::out(format!("  {title:<9} {words}"));
            }
        }
    }
    say::out(format!(
        "\n{}. A connection to fill in: hrhub init FOLDER --with CONNECTOR",
        say::number(found.len(), "connector")
    ));
    Ok(ExitCode::SUCCESS)
}

fn describe(registry: &Registry, manifest: &Arc<Manifest>) -> Value {
    let connection = Connection::without_settings(&manifest.vendor, Arc::clone(manifest));
    let made = |object: &str, found: &mut BTreeSet<&'static str>| {
        let mapping = registry.mapping(&connection, object, Direction::In);
        found.extend(mapping.into_iter().flat_map(|mapping| mapping.entities()).map(|entity| entity.name));
    };
    let mut reads = BTreeSet::new();
    for operation in manifest.operations.iter().filter(|operation| !operation.writes()) {
        operation.reply.iter().for_each(|object| made(object, &mut reads));
    }
    manifest.tables.iter().for_each(|table| made(&table.mapping, &mut reads));
    let mut receives = BTreeSet::new();
    for event in manifest.webhook.iter().flat_map(|webhook| &webhook.events) {
        event.mapping.iter().for_each(|object| made(object, &mut receives));
        for name in follows(manifest, &event.fetch) {
            let reply = manifest.operation(name).and_then(|operation| operation.reply.as_deref());
            reply.into_iter().for_each(|object| made(object, &mut receives));
        }
    }
    let writes: Vec<&str> = manifest
        .operations
        .iter()
        .filter(|operation| operation.writes())
        .map(|operation| operation.name.as_str())
        .collect();
    let polls: Vec<&str> = manifest.polls.iter().map(|poll| poll.name.as_str()).collect();
    let setting = |setting: &hub_kit::manifest::Setting| json!({ "name": setting.name, "required": setting.required, "secret": setting.secret, "doc": setting.doc });
    let settings: Vec<Value> = manifest.settings.iter().map(setting).collect();
    json!({
        "connector": manifest.vendor, "name": manifest.name, "family": manifest.family, "driver": manifest.driver,
        "reads": reads, "receives": receives, "writes": writes, "polls": polls, "settings": settings,
    })
}

/// The operations that follow from something, and those that follow from them.
fn follows<'m>(manifest: &'m Manifest, first: &'m [FollowUp]) -> BTreeSet<&'m str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = first.iter().map(|follow| follow.operation.as_str()).collect();
    while let Some(name) = next.pop() {
        if found.insert(name) {
            let operation = manifest.operation(name);
            next.extend(operation.into_iter().flat_map(|one| &one.then).map(|follow| follow.operation.as_str()));
        }
    }
    found
}
