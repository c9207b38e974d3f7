//! `hrhub check`: everything that is wrong with a configuration folder, in one run.

use crate::assemble::{drivers, registry};
use crate::cli::Format;
use crate::config::Config;
use crate::say;
use hub_service::load_models;
use hub_tree::Findings;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(folder: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let summary = Config::read(folder, &findings)?.map(|config| {
        let registry = registry(&config, &drivers(), &findings);
        let models = load_models(&config.catalog, &findings);
        let profiles = hub_sandbox::profiles(&config.catalog, &findings);
        let counted = [
            (registry.connections.len(), "connections"),
            (registry.manifests.len(), "connectors"),
            (registry.mappings.len(), "mappings"),
            (registry.flows.len(), "flows"),
            (models.len(), "competency models"),
            (profiles.len(), "simulators"),
        ];
        counted.map(|(count, what)| format!("{count} {what}")).join(", ")
    });
    let found = findings.into_sorted();
    Ok(say::report(&found, format, summary.as_deref()))
}
