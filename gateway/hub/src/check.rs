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
            (registry.connections.len(), "connection"),
            (registry.manifests.len(), "connector"),
            (registry.mappings.len(), "mapping"),
            (registry.flows.len(), "flow"),
            (models.len(), "competency model"),
            (profiles.len(), "simulator"),
        ];
        counted.map(|(count, what)| say::number(count, what)).join(", ")
    });
    let found = findings.into_sorted();
    Ok(say::report(&found, format, summary.as_deref()))
}
