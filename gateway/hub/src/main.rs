//! `hrhub`: an integration hub and API gateway for HR.

mod assemble;
mod assets;
mod check;
mod cli;
mod config;
mod demo;
mod init;
mod keys;
mod maps;
mod sandbox;
mod say;
mod serve;
mod server;

use clap::Parser;
use cli::{Cli, Command, MapCommand};
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
        Command::Init { folder } => init::run(&folder),
        Command::Check { folder, format } => check::run(&folder, format),
        Command::Serve(args) => Box::pin(serve::run(args)).await,
        Command::Keys { command, place } => keys::run(command, &place).await,
        Command::Map { command: MapCommand::Check { path, format } } => maps::check(&path, format),
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Completions { shell } => {
            cli::completions(shell);
            Ok(ExitCode::SUCCESS)
        }
    }
}
