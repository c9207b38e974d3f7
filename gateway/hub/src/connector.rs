//! `hrhub connector`: what there is, and new ones.

pub(crate) mod example;
mod list;
mod new;
mod wsdl;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(crate) enum ConnectorCommand {
    /// List connectors: what their mappings make of answers and of what is sent, and what can be asked for.
    List(list::List),
    /// Write the beginning of a connector: manifest, simulator, a mapping with a case. It passes `check` and `map test` at
    /// once.
    New(new::New),
    /// Write a connector from a WSDL: manifest, types, mappings to be filled in, sample requests; list its operations.
    ImportWsdl(wsdl::ImportWsdl),
}

pub(crate) async fn run(command: ConnectorCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConnectorCommand::List(args) => list::run(&args),
        ConnectorCommand::New(args) => new::run(&args),
        ConnectorCommand::ImportWsdl(args) => Box::pin(wsdl::import_wsdl(args)).await,
    }
}

/// Whether a text can name a connector: small letters, digits and `-`.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits)
}
