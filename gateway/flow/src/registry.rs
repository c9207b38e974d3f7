//! What is configured: connectors, mappings, connections and flows, checked against each other.

use crate::imports;
use crate::rules::Flow;
use crate::schedule::Schedule;
use hub_engine::{Direction, Format, Mapping, Parts};
use hub_kit::connection::Connection;
use hub_kit::{Catalog, Driver, FollowUp, Manifest};
use hub_tree::env::Environment;
use hub_tree::yaml::Node;
use hub_tree::{Findings, Source, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is configured.
#[derive(Debug, Default)]
pub struct Registry {
    /// Connectors by vendor.
    pub manifests: BTreeMap<String, Arc<Manifest>>,
    /// Mappings by id, such as `greenhouse/application.in`; the ones that a connection changes by id and connection,
    /// `greenhouse/application.in@greenhouse-berlin`.
    pub mappings: BTreeMap<String, Arc<Mapping>>,
    /// Mappings of connections that have errors, named likewise: nothing is used in their place.
    broken: BTreeSet<String>,
    /// Connections by id.
    pub connections: BTreeMap<String, Arc<Connection>>,
    /// Flows that are switched on.
    pub flows: Vec<Arc<Flow>>,
    /// Schedules by name.
    pub schedules: BTreeMap<String, Arc<Schedule>>,
}

/// Where configuration comes from.
pub struct Sources<'s> {
    /// Vendors, mappings and flows.
    pub catalog: &'s Catalog,
    /// The connection files.
    pub connections: Vec<Arc<Source>>,
    /// Variables that they may name.
    pub environment: &'s Environment,
    /// The `flows` section of `hub.yaml`: settings by flow, and the file they stand in.
    pub flows: Option<(&'s Node, Arc<Source>)>,
    /// The drivers of this program.
    pub drivers: &'s [Arc<dyn Driver>],
}

impl Registry {
    /// Reads and checks everything. Problems go to `findings`; what has errors is left out, the rest is there.
    #[must_use]
    pub fn load(sources: &Sources<'_>, findings: &Findings) -> Self {
        let mut registry = Self::default();
        registry.load_manifests(sources, findings);
        registry.load_connections(sources, findings);
        registry.report_unused(sources, findings);
        registry.flows = crate::rules::load(sources, &registry, findings);
        registry.schedules = crate::schedule::load(sources, &registry, findings);
        registry
    }

    fn load_manifests(&mut self, sources: &Sources<'_>, findings: &Findings) {
        // Files that people bring have mappings and no manifest.
        for vendor in sources.catalog.vendors().chain([imports::SOURCE]) {
            let lists = sources.catalog.code_lists(vendor);
            let own = sources.catalog.mappings(vendor).map(|layers| (None, layers.to_vec()));
            let of_connections = sources.catalog.connection_mappings(vendor).map(|(id, layers)| (Some(id), layers));
            for (connection, files) in own.chain(of_connections) {
                let name = files.last().and_then(|file| file.path.rsplit('/').next()).unwrap_or_default();
                let id = format!("{vendor}/{}", name.trim_end_matches(".yaml"));
                let id = connection.map_or_else(|| id.clone(), |connection| format!("{id}@{connection}"));
                let parts = Parts { files, lists: lists.clone() };
                match Mapping::assemble(vendor, &parts, findings) {
                    Some(mapping) => _ = self.mappings.insert(id, Arc::new(mapping)),
                    None => _ = self.broken.insert(id),
                }
            }
            let Some(source) = sources.catalog.file(&format!("connectors/{vendor}/manifest.yaml")) else { continue };
            if let Some(manifest) = Manifest::compile(vendor, source, findings) {
                Self::check_manifest(&manifest, sources, findings);
                self.check_formats(&manifest, findings);
                self.manifests.insert(vendor.to_owned(), Arc::new(manifest));
            }
        }
    }

    /// The mapping of an object for a connection: its own, or the vendor's; none when its own has errors, since the
    /// vendor's would read the payload in a way that somebody has said is wrong.
    #[must_use]
    pub fn mapping(&self, connection: &Connection, object: &str, direction: Direction) -> Option<&Arc<Mapping>> {
        let ending = if direction == Direction::In { "in" } else { "out" };
        let id = format!("{}/{object}.{ending}", connection.manifest.vendor);
        let own = format!("{id}@{}", connection.id);
        if self.broken.contains(&own) {
            return None;
        }
        self.mappings.get(&own).or_else(|| self.mappings.get(&id))
    }

    /// What a manifest names must be there.
    fn check_manifest(manifest: &Manifest, sources: &Sources<'_>, findings: &Findings) {
        match sources.drivers.iter().find(|driver| driver.name() == manifest.driver) {
            Some(driver) => {
                driver.check(manifest, findings);
                // Its events are those of `webhook`; without them, or without somebody who reads, none could be kept.
                if let Some(stream) = manifest.stream.as_ref()
                    && !(driver.takes_frames() && manifest.webhook.is_some())
                {
                    let message = format!(
                        "`stream` needs a `webhook`, and a driver that reads frames; `{}` is the driver",
                        manifest.driver
                    );
                    findings.error(&manifest.source, stream.span, message, None);
                }
            }
            None => {
                let known = sources.drivers.iter().map(|driver| driver.name());
                let help = hub_tree::finding::suggest(&manifest.driver, known);
                let message = format!("unknown driver `{}`", manifest.driver);
                findings.error(&manifest.source, Span::default(), message, help);
            }
        }
        let needs = |object: &str, direction: Direction, span: Span| {
            let ending = if direction == Direction::In { "in" } else { "out" };
            let id = format!("{}/{object}.{ending}", manifest.vendor);
            // A mapping that is there and broken has its own findings.
            if sources.catalog.file(&format!("mappings/{id}.yaml")).is_none() {
                let help = format!("write mappings/{id}.yaml");
                findings.error(&manifest.source, span, format!("there is no mapping `{id}`"), Some(help));
            }
        };
        for rule in manifest.webhook.iter().flat_map(|webhook| &webhook.events) {
            if let Some(object) = &rule.mapping {
                needs(object, Direction::In, rule.span);
            }
        }
        for table in &manifest.tables {
            needs(&table.mapping, Direction::In, table.span);
        }
        for poll in &manifest.polls {
            for name in poll.complete_for.iter().map(String::as_str).chain(FollowUp::entities(&poll.begin)) {
                if hub_model::entity(name).is_none() {
                    let help = hub_tree::finding::suggest(name, hub_model::ENTITIES.iter().map(|known| known.name));
                    findings.error(&manifest.source, poll.span, format!("unknown entity `{name}`"), help);
                }
            }
        }
        for operation in &manifest.operations {
            if let Some(object) = &operation.mapping {
                needs(object, Direction::Out, operation.span);
            }
            if let Some(object) = &operation.reply {
                needs(object, Direction::In, operation.span);
            }
        }
    }

    /// Mapping files that nothing runs: of a vendor that there is not, or of an object that the manifest does not name.
    fn report_unused(&self, sources: &Sources<'_>, findings: &Findings) {
        let vendors: Vec<&str> = sources.catalog.vendors().collect();
        for (place, source) in sources.catalog.below("mappings/") {
            let Some((vendor, rest)) = place.strip_prefix("mappings/").and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if vendor == "lists" || rest.contains('/') {
                continue;
            }
            let (object, direction) = match (rest.strip_suffix(".in.yaml"), rest.strip_suffix(".out.yaml")) {
                (Some(object), _) => (object, Direction::In),
                (_, Some(object)) => (object, Direction::Out),
                _ => continue,
            };
            if vendor == imports::SOURCE {
                continue;
            }
            if !vendors.contains(&vendor) {
                let help = hub_tree::finding::suggest(vendor, vendors.iter().copied());
                let message = format!("there is no connector `{vendor}`: nothing runs this mapping");
                findings.warning(source, Span::default(), message, help);
                continue;
            }
            let Some(manifest) = self.manifests.get(vendor) else { continue };
            let hooks =
                manifest.webhook.iter().flat_map(|webhook| &webhook.events).filter_map(|rule| rule.mapping.as_deref());
            let replies = manifest.operations.iter().filter_map(|operation| operation.reply.as_deref());
            let calls = manifest.operations.iter().filter_map(|operation| operation.mapping.as_deref());
            let tables = manifest.tables.iter().map(|table| table.mapping.as_str());
            let known: Vec<&str> =
                if direction == Direction::In { hooks.chain(replies).chain(tables).collect() } else { calls.collect() };
            if !known.contains(&object) {
                let help = hub_tree::finding::suggest(object, known.iter().copied());
                let message = format!(
                    "no event, no table and no operation of {vendor} names `{object}`: nothing runs this mapping"
                );
                findings.warning(source, Span::default(), message, help);
            }
        }
    }

    /// Operations send JSON; a mapping that makes XML is for a driver that speaks it.
    fn check_formats(&self, manifest: &Manifest, findings: &Findings) {
        for operation in &manifest.operations {
            let Some(object) = &operation.mapping else { continue };
            let id = format!("{}/{object}.out", manifest.vendor);
            let mut layers = self.mappings.values().filter(|mapping| mapping.id == id);
            if layers.any(|mapping| mapping.format == Format::Xml) {
                let message = format!("`{id}` makes XML, which the driver `{}` does not send", manifest.driver);
                findings.error(&manifest.source, operation.span, message, None);
            }
        }
    }

    fn load_connections(&mut self, sources: &Sources<'_>, findings: &Findings) {
        let known: Vec<&str> = sources.catalog.vendors().collect();
        let mut connections: BTreeMap<String, Arc<Connection>> = BTreeMap::new();
        for source in &sources.connections {
            let find = |name: &str| self.manifests.get(name).cloned();
            let Some(connection) = Connection::compile(source, sources.environment, find, &known, findings) else {
                continue;
            };
            let before = findings.error_count();
            let driver = sources.drivers.iter().find(|driver| driver.name() == connection.manifest.driver);
            driver.into_iter().for_each(|driver| driver.check_connection(&connection, findings));
            if findings.error_count() > before {
                continue;
            }
            if imports::is_trial(&connection.tenant) {
                let message = format!("the tenant `{}` is one that imports are tried on", connection.tenant);
                findings.error(source, Span::default(), message, Some("name another tenant".to_owned()));
                continue;
            }
            if let Some(other) = connections.get(&connection.id) {
                let message = format!("the connection id `{}` stands in {} too", connection.id, other.source.path);
                findings.error(source, Span::default(), message, None);
                continue;
            }
            connections.insert(connection.id.clone(), Arc::new(connection));
        }
        for vendor in sources.catalog.vendors() {
            for (id, layers) in sources.catalog.connection_mappings(vendor) {
                let of_vendor = |connection: &&Arc<Connection>| connection.manifest.vendor == vendor;
                let (Some(file), None) = (layers.last(), connections.get(id).filter(of_vendor)) else { continue };
                let known: Vec<&str> = connections.values().filter(of_vendor).map(|c| c.id.as_str()).collect();
                let message = format!("{vendor} has no connection `{id}`, whose mapping this would be");
                let help = hub_tree::finding::suggest(id, known.iter().copied());
                findings.error(file, Span::default(), message, help);
            }
        }
        self.connections = connections;
    }
}
