//! `hrhub`: an integration hub and API gateway for HR.

mod apps;
mod assemble;
mod assets;
mod audit;
mod backup;
mod bias_audit;
mod check;
mod circuit;
mod cli;
mod config;
mod connection;
mod connector;
mod demo;
mod doctor;
mod export;
mod import;
mod init;
mod keys;
mod maps;
mod master;
mod models;
mod parked;
mod pay;
mod people;
mod replay;
mod report;
mod restore;
mod running;
mod sandbox;
mod say;
mod schedules;
mod serve;
mod server;
mod soap;
mod subscriptions;
mod topology;

use clap::Parser;
use cli::{Cli, Command, ConnectionCommand, SoapCommand};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // It owns a thread that sends spans with a client that must not be made or dropped inside the runtime.
    let telemetry = hub_telemetry::start(cli.log_format.into(), cli.is_quiet());
    let result = telemetry.map_err(Into::into).and_then(|guard| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(Box::pin(run(cli)));
        runtime.shutdown_timeout(Duration::from_secs(5));
        drop(guard);
        result
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            say::note(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Init { folder, with } => init::run(&folder, &with),
        Command::Check { folder, format } => check::run(&folder, format),
        Command::Serve(args) => Box::pin(serve::run(args)).await,
        Command::Apps { command, place } => apps::run(command, &place).await,
        Command::Keys { command, place } => keys::run(command, &place).await,
        Command::Audit { command, place } => audit::run(command, &place).await,
        Command::Parked { command, place } => Box::pin(parked::run(command, &place)).await,
        Command::Replay(args) => Box::pin(replay::run(args)).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Doctor { place, format } => doctor::run(&place, format).await,
        Command::Subscriptions { command, place } => subscriptions::run(command, &place).await,
        Command::Circuit { command, place } => circuit::run(command, &place).await,
        Command::Connection { command: ConnectionCommand::Test(args) } => Box::pin(connection::test(args)).await,
        Command::Connector { command } => Box::pin(connector::run(command)).await,
        Command::Export(args) => Box::pin(export::run(args)).await,
        Command::Import(args) => Box::pin(import::run(*args)).await,
        Command::Map { command } => maps::run(&command),
        Command::BiasAudit(args) => bias_audit::run(&args),
        Command::Report(args) => Box::pin(report::run(*args)).await,
        Command::Model { command } => Box::pin(models::run(command)).await,
        Command::Pay { command } => pay::run(command).await,
        Command::Openapi => {
            say::out(format!("{:#}", hub_api::spec::document()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Schema { entity } => schema(entity.as_deref()),
        Command::Topology { command, place } => Box::pin(topology::run(command, &place)).await,
        Command::Schedules { command, place } => schedules::run(command, &place).await,
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Soap { command: SoapCommand::Read(args) } => soap::read(args).await,
        Command::Completions { shell } => {
            cli::completions(shell);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn schema(wanted: Option<&str>) -> anyhow::Result<ExitCode> {
    let entities = hub_model::ENTITIES;
    match wanted {
        None => entities.iter().for_each(|entity| say::out(entity.name)),
        Some(name) => {
            let entity = entities.iter().find(|entity| entity.name == name).ok_or_else(|| {
                let known = hub_tree::finding::suggest(name, entities.iter().map(|entity| entity.name));
                anyhow::anyhow!("there is no entity `{name}`; {}", known.unwrap_or_default())
            })?;
            say::out(serde_json::to_string_pretty(&hub_model::schema::record(entity))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
