//! `hrhub sandbox`: the vendors' simulators alone.

use crate::assemble::{drivers, registry};
use crate::assets;
use crate::cli::{Place, Sandbox as Args};
use crate::config::Config;
use crate::say;
use crate::server::{Served, address_of, asked_to_stop, bind};
use hub_api::limits::RequestLimits;
use hub_sandbox::Sandbox;
use hub_tree::{Clock, Findings};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = match args.config {
        Some(config) => Some(Config::at(&Place { config, data: None })?),
        None => None,
    };
    let sandbox = open(config.as_ref(), args.data.as_deref())?;
    let socket = bind(&args.listen, "--listen").await?;
    let address = address_of(&socket)?;
    let vendors = match &args.only {
        Some(only) => format!("{only}: http://{address}/"),
        None => sandbox
            .vendors()
            .map(|vendor| format!("{vendor}: http://{address}/{vendor}"))
            .collect::<Vec<_>>()
            .join("\n  "),
    };
    let router = Arc::clone(&sandbox).router(args.only.as_deref())?;
    let deliveries = tokio::spawn(Arc::clone(&sandbox).run());
    let served = Served::start(socket, router, RequestLimits::default().head);
    say::out(format!(
        "The sandbox listens on http://{address}\n  {vendors}\n  what happened: http://{address}/_sandbox/effects"
    ));
    asked_to_stop().await?;
    served.stop().await;
    deliveries.abort();
    Ok(ExitCode::SUCCESS)
}

/// The simulators; with a configuration, they share its secrets and know where its hub is.
pub(crate) fn open(config: Option<&Config>, folder: Option<&Path>) -> anyhow::Result<Arc<Sandbox>> {
    let findings = Findings::new();
    let clock = Clock::System;
    let sandbox = match config {
        Some(config) => {
            let registry = registry(config, &drivers(), &findings);
            let profiles = hub_sandbox::profiles(&config.catalog, &findings);
            let url = config.public_url();
            Sandbox::open(profiles, registry.connections.values(), Some(&url), folder, clock)
        }
        None => {
            let profiles = hub_sandbox::profiles(&assets::catalog(), &findings);
            Sandbox::open(profiles, [], None, folder, clock)
        }
    };
    say::findings(&findings.into_sorted());
    Ok(sandbox?)
}
