//! `hrhub check`: everything that is wrong with a configuration folder, in one run.

use crate::assemble::{drivers, registry};
use crate::cli::Format;
use crate::config::Config;
use crate::people;
use crate::say;
use hub_service::{load_models, load_pay_rules, load_payout, load_portraits, load_schemes};
use hub_tree::{Clock, Findings};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(folder: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let config = Config::read(folder, &findings)?;
    let registry = registry(&config, &drivers(), &findings);
    hub_flow::schedule::check_outlook(&registry, Clock::System.now(), &findings);
    people::read(&config, &registry, &findings);
    let models = load_models(&config.catalog, &findings);
    let pay = load_pay_rules(&config.catalog, &findings);
    let payout = load_payout(&config.catalog, &findings);
    let portraits = load_portraits(&config.catalog, &findings);
    let schemes = load_schemes(&config.catalog, &findings);
    let profiles = hub_sandbox::profiles(&config.catalog, &findings);
    let sound = [
        (registry.connections.len(), "connection"),
        (registry.manifests.len(), "connector"),
        (registry.mappings.len(), "mapping"),
        (registry.flows.len(), "flow"),
        (registry.schedules.len(), "schedule"),
        (models.len(), "competency model"),
        (pay.len(), "pay rule file"),
        (payout.banks.len(), "bank profile"),
        (payout.charts.len(), "chart of accounts"),
        (schemes.len(), "appraisal scheme"),
        (portraits.len(), "portrait model"),
        (profiles.len(), "simulator"),
    ];
    let sound = sound.map(|(count, what)| say::number(count, what)).join(", ");
    Ok(say::report(&findings.into_sorted(), format, &sound))
}
