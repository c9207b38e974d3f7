//! The command line.

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use hub_flow::Role;
use hub_telemetry::LogFormat;
use hub_tree::Encoding;
use std::path::PathBuf;

/// An integration hub and API gateway for HR: recruiting, interviews, chat, ERP and OA behind one schema and one API.
#[derive(Parser)]
#[command(
    name = "hrhub",
    version,
    max_term_width = 100,
    after_help = "\
First steps:
  hrhub demo                 see one candidate's way from web hook to decision, with simulated vendors
  hrhub init my-hub          write a configuration folder to edit
  hrhub check my-hub         check it; every problem with file, line and what to do
  hrhub serve --config my-hub

Environment:
  HRHUB_ADMIN_KEY              a bootstrap admin key for API and console
  HRHUB_MASTER_KEY             64 hex digits that seal stored data; else a file master.key is made and used
  HRHUB_LOG                    which log lines are shown, such as `info` or `hub_flow=debug`
  OTEL_EXPORTER_OTLP_ENDPOINT  where spans go, such as http://127.0.0.1:4318"
)]
pub(crate) struct Cli {
    /// How log lines are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t = Logs::Text)]
    pub(crate) log_format: Logs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Whether only errors belong between the lines that the command prints.
    pub(crate) fn is_quiet(&self) -> bool {
        !matches!(self.command, Command::Serve(_))
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Logs {
    /// Lines for people.
    Text,
    /// JSON, one object per line.
    Json,
}

impl From<Logs> for LogFormat {
    fn from(logs: Logs) -> Self {
        match logs {
            Logs::Text => Self::Text,
            Logs::Json => Self::Json,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start the hub with simulated vendors, play three candidates, show their journeys, keep serving.
    Demo(Demo),
    /// Write a configuration folder to edit, with simulated vendors connected.
    Init {
        /// The folder; made if it is not there.
        folder: PathBuf,
        /// Also write connections to fill in, for these connectors (`hrhub connector list`); into a folder that is there
        /// already, only them.
        #[arg(long, value_name = "CONNECTORS", value_delimiter = ',')]
        with: Vec<String>,
    },
    /// Check a configuration folder: hub.yaml, connections, connectors, mappings, flows, schedules, models.
    Check {
        /// The folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// How problems are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Serve a configuration folder until Ctrl-C or SIGTERM.
    Serve(Serve),
    /// Make, list and void apps, the named callers of a tenant, and their keys.
    Apps {
        #[command(subcommand)]
        command: crate::apps::AppsCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Make, list and revoke API keys.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Look at who did what, take it out, and check that nobody has changed it.
    Audit {
        #[command(subcommand)]
        command: crate::audit::AuditCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Look at what needs a person, by cause; try it again, or discard it.
    Parked {
        #[command(subcommand)]
        command: crate::parked::ParkedCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Hand events of the past to consumers again, or map payloads again; what was done once is not done twice.
    Replay(crate::replay::ReplayArgs),
    /// Copy store and accepted messages into a folder while the hub runs.
    Backup(BackupArgs),
    /// Put a backup into an empty store and data folder.
    Restore(Restore),
    /// Look for what is wrong or weak in a set-up; each finding says how to mend it.
    Doctor {
        #[command(flatten)]
        place: Place,
        /// How findings are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// List, switch off and on, and delete subscriptions: who is told of events by outgoing web hooks.
    Subscriptions {
        #[command(subcommand)]
        command: SubscriptionsCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Show whether calls of connections are made, and decide it by hand.
    Circuit {
        #[command(subcommand)]
        command: CircuitCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Ask a vendor what of a connection works.
    Connection {
        #[command(subcommand)]
        command: ConnectionCommand,
    },
    /// List connectors with what they read, receive and write; begin new ones, also from what vendors publish.
    Connector {
        #[command(subcommand)]
        command: crate::connector::ConnectorCommand,
    },
    /// Write a collection of a running hub into a CSV, XLSX or Parquet file.
    Export(crate::export::ExportArgs),
    /// Read rows of a spreadsheet or CSV file, check each, and import the good ones.
    Import(Box<crate::import::ImportCommands>),
    /// Work on mapping files.
    Map {
        #[command(subcommand)]
        command: MapCommand,
    },
    /// Write the public page of a bias audit, as New York City's Local Law 144 asks for, from a CSV file of people.
    BiasAudit(Box<crate::bias_audit::BiasAudit>),
    /// Write a report for analysts: what scores, hires, courses, leaving or pay say, with charts.
    Report(Box<crate::report::ReportArgs>),
    /// Work on competency models: what interviews are scored by.
    Model {
        #[command(subcommand)]
        command: crate::models::ModelCommand,
    },
    /// Work on rules of pay: what payslips are made from.
    Pay {
        #[command(subcommand)]
        command: crate::pay::PayCommand,
    },
    /// Print the description of the API as OpenAPI 3.1.
    Openapi,
    /// Print the JSON Schema of an entity of the canonical model.
    Schema {
        /// Such as `application`; without it, the entities are listed.
        entity: Option<String>,
    },
    /// Compare what stands at the message broker with what must, and bring it in line.
    Topology {
        #[command(subcommand)]
        command: TopologyCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Calls that are made by the clock: when, and now.
    Schedules {
        #[command(subcommand)]
        command: SchedulesCommand,
        #[command(flatten)]
        place: Place,
    },
    /// Serve the vendors' simulators alone.
    Sandbox(Sandbox),
    /// Look at SOAP messages.
    Soap {
        #[command(subcommand)]
        command: SoapCommand,
    },
    /// Print a completion script for a shell, such as: hrhub completions bash > /etc/bash_completion.d/hrhub
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Exit when the three journeys are complete; not 0 when one is not.
    #[arg(long)]
    pub(crate) once: bool,
    /// Where the hub listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Where the simulated vendors listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub(crate) sandbox_listen: String,
    /// Keep data and configuration in this folder and go on from there; else a temporary one, removed at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Place {
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    pub(crate) config: PathBuf,
    /// Where data is kept; wins over hub.yaml.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    pub(crate) command: Option<BackupCommand>,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) config: PathBuf,
    /// Where data is kept; wins over hub.yaml.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The folder of the backup; made, and not there before.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum BackupCommand {
    /// Check a backup without restoring it: every file is there and as it was written.
    Verify {
        /// The folder of the backup.
        folder: PathBuf,
        /// A configuration folder whose master key must be the backup's.
        #[arg(long, value_name = "DIR")]
        config: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The folder of the backup.
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where to listen; wins over hub.yaml.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// What this process does; wins over hub.yaml.
    #[arg(long, value_enum)]
    pub(crate) role: Option<Roles>,
    /// How long to go on answering requests after being asked to stop, with /readyz saying so; wins over hub.yaml.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(..=600))]
    pub(crate) drain_secs: Option<u32>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Roles {
    /// Everything, in one process.
    All,
    /// Web hooks, API and console; needs PostgreSQL and RabbitMQ.
    Edge,
    /// Mapping, reacting and calling; needs PostgreSQL and RabbitMQ.
    Worker,
}

impl From<Roles> for Role {
    fn from(role: Roles) -> Self {
        match role {
            Roles::All => Self::All,
            Roles::Edge => Self::Edge,
            Roles::Worker => Self::Worker,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it may do, separated by commas: read:structure, read, read:restricted, write, passthrough, import,
        /// import:approve, pay:approve, audit, ops, admin, or of one collection `read:employees`, `write:candidates` …
        #[arg(long, required_unless_present = "roles", default_value = "")]
        scopes: String,
        /// Roles, separated by commas: admin, `mapping_editor`, approver, operator, auditor, app.
        #[arg(long, default_value = "")]
        roles: String,
        /// Whose data it sees.
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// List the keys; the secrets are not kept.
    List,
    /// Make a key void.
    Revoke {
        /// Its id, as `list` shows it.
        id: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum TopologyCommand {
    /// Print what `apply` would do, and why.
    Plan,
    /// Create what is missing; make anew what differs, with its messages. May be broken off and run again.
    Apply,
    /// As `plan`, and exit with 1 if there is anything to do.
    Check,
}

#[derive(Subcommand)]
pub(crate) enum CircuitCommand {
    /// List the circuits: state, why, error rate, slow rate, next probe.
    List,
    /// Make no calls, until `close` or `auto`; they wait.
    Open {
        /// The connection.
        connection: String,
    },
    /// Make calls whatever happens, until `open` or `auto`; ends a wait that the vendor asked for.
    Close {
        /// The connection.
        connection: String,
    },
    /// Let the circuit open and close by itself again.
    Auto {
        /// The connection.
        connection: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum SubscriptionsCommand {
    /// List the subscriptions of all tenants, and how they are.
    List,
    /// Send it nothing more, until it is enabled.
    Disable {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Send it the events from now on.
    Enable {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Remove it, with what waits for it.
    Delete {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Show what was sent to it last, and what became of it.
    Deliveries {
        /// Its id, as `list` shows it.
        id: String,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: u16,
    },
    /// Send it events of the past again, under their ids; a running hub does it.
    Replay {
        /// Its id, as `list` shows it.
        id: String,
        /// From this time, such as 2026-03-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: String,
        /// Only what has not arrived.
        #[arg(long)]
        failed: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum SchedulesCommand {
    /// List the schedules with their last and next times, each in its own zone.
    List {
        /// How many times to show of each.
        #[arg(long, value_name = "N", default_value_t = 3)]
        next: usize,
    },
    /// Make a schedule's call now, beside its planned times.
    Run {
        /// The schedule.
        name: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum MapCommand {
    /// Check mapping files.
    Check {
        /// A mapping file, or a folder with mapping files below it.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// How problems are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Run the cases of mapping files and compare whole results.
    Test(MapTest),
    /// Map one input: the result, what went wrong, what no rule reads.
    Try(MapTry),
    /// Say why a field has its value: the rule, the source paths, each step.
    Explain(MapExplain),
    /// Do what the hub would do with a payload or an answer as received, without proof and without network.
    Run(MapRun),
    /// Propose a mapping from samples; each line says how sure it is and why, what is unsure is commented out.
    New(MapNew),
    /// Print all layers of a mapping as one file; each rule says which layer it is from.
    Effective {
        /// The mapping file of the highest layer.
        file: PathBuf,
    },
    /// Print what an out mapping needs: each field of the body, the paths that it reads, whether it is required.
    Needs {
        /// The mapping file.
        file: PathBuf,
    },
    /// Print the JSON Schema of mapping files, code lists or cases, for editors.
    Schema {
        /// Of what.
        #[arg(value_enum, default_value_t = SchemaOf::In)]
        of: SchemaOf,
    },
    /// Print the reference of the mapping language.
    Reference,
}

#[derive(Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Fetch a token, open a callback of our own making, ask harmless questions; exit code 1 when something is wrong.
    Test(ConnectionTest),
}

#[derive(Args)]
pub(crate) struct ConnectionTest {
    /// The connection.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Have the hub that runs there look, which knows what the vendor has sent. Its key: HRHUB_KEY, else the folder's
    /// HRHUB_ADMIN_KEY.
    #[arg(long, value_name = "URL", env = "HRHUB_URL")]
    pub(crate) hub: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct MapNew {
    /// The connector, such as `greenhouse`.
    #[arg(long)]
    pub(crate) connector: String,
    /// The object that the payloads speak of, such as `candidate_hired`; the file is called after it.
    #[arg(long)]
    pub(crate) object: String,
    /// Sample payloads: JSON, XML, form or CSV files. The more, the surer.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) from: Vec<PathBuf>,
    /// The entities to map to, separated by commas; chosen by what is found unless told.
    #[arg(long, value_name = "ENTITIES", value_delimiter = ',')]
    pub(crate) to: Vec<String>,
    /// Write the mapping and the samples as its cases into this configuration folder; else it is printed.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Files `<object>.in.yaml`.
    In,
    /// Files `<object>.out.yaml`.
    Out,
    /// Code lists, `lists/<name>.yaml`.
    List,
    /// Cases, `<name>.full.json` and `<name>.expect.json`.
    Case,
}

#[derive(Args)]
pub(crate) struct MapTest {
    /// Files and folders (default: here), and at most one word that is no file: part of a mapping's or a case's name.
    #[arg(value_name = "PATH|FILTER")]
    pub(crate) words: Vec<String>,
    /// Write the results as expectations; read the difference before you keep it.
    #[arg(long)]
    pub(crate) bless: bool,
    /// How problems are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Subcommand)]
pub(crate) enum SoapCommand {
    /// Print what the hub makes of a message: its tree, the fault that it is, or why it is refused.
    Read(SoapRead),
}

#[derive(Args)]
pub(crate) struct SoapRead {
    /// The message as it came; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// Its `Content-Type`: charset, and for a message in parts the boundary.
    #[arg(long, value_name = "T")]
    pub(crate) content_type: Option<String>,
    /// Its `Content-Encoding`, such as gzip.
    #[arg(long, value_name = "E")]
    pub(crate) content_encoding: Option<String>,
    /// Judge it as our server judges a request; else it is an answer.
    #[arg(long)]
    pub(crate) request: bool,
    /// When it came, such as 2025-11-01T08:00:00Z; else now.
    #[arg(long, value_name = "INSTANT", requires = "request")]
    pub(crate) now: Option<hub_tree::jiff::Timestamp>,
    /// The user that it must prove to be by WS-Security.
    #[arg(long, requires = "request", requires = "password")]
    pub(crate) username: Option<String>,
    /// That user's password.
    #[arg(long, requires = "username")]
    pub(crate) password: Option<String>,
}

/// How an input is read, where its name does not say it.
#[derive(Args)]
pub(crate) struct Reading {
    /// What the input is; else the end of its name says, and JSON where that says nothing.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub(crate) kind: Option<InputKind>,
    /// How its text is encoded, such as gb18030; else a byte order mark or the document says, and UTF-8 else.
    #[arg(long, value_name = "LABEL", value_parser = encoding)]
    pub(crate) encoding: Option<Encoding>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputKind {
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// A form, `a=1&b=2`.
    Form,
    /// Rows, separated by commas.
    Csv,
}

fn encoding(label: &str) -> Result<Encoding, String> {
    Encoding::of_label(label)
        .ok_or_else(|| format!("no encoding is called `{label}`; such as utf-8, gb18030, utf-16le"))
}

/// A mapping and what it reads.
#[derive(Args)]
pub(crate) struct MapInput {
    /// The mapping file.
    pub(crate) file: PathBuf,
    /// The payload; `-` reads standard input. `NAME.full.json` holds headers, event, request and settings too.
    pub(crate) input: PathBuf,
    /// The event, or the operation whose answer it is.
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// A header that the mapping may read; may be repeated.
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// The input holds payload, headers, event, request and settings, whatever its name.
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Args)]
pub(crate) struct MapTry {
    #[command(flatten)]
    pub(crate) input: MapInput,
    /// Do it again whenever one of the files is saved, until Ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct MapExplain {
    #[command(flatten)]
    pub(crate) input: MapInput,
    /// Such as name.full, candidate.name.full, emails[0].address or /emails/0/address.
    pub(crate) field: String,
    /// The entity, when several have the field.
    #[arg(long)]
    pub(crate) entity: Option<String>,
    /// The record's id at the vendor, when there are several records.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// How the explanation is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct MapRun {
    /// The connector, such as the name of a folder in `connectors`.
    pub(crate) connector: String,
    /// The body as received; `-` reads standard input.
    pub(crate) input: PathBuf,
    /// The event, or the operation whose answer it is; else its shape says.
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// A header of the request; may be repeated.
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,
    /// The HTTP status of an answer.
    #[arg(long, default_value_t = 200)]
    pub(crate) status: u16,
    /// A configuration folder whose connectors and mappings lie over those that ship.
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// The connection of that folder whose id and settings count; default: the only one of the connector.
    #[arg(long, value_name = "ID", requires = "config")]
    pub(crate) connection: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// `name: value`, the name in lower case.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME:VALUE")?;
    let name = name.trim().to_lowercase();
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok((name, value.trim().to_owned())) }
}

#[derive(Args)]
pub(crate) struct Sandbox {
    /// Only this vendor, mounted at `/`.
    #[arg(long, value_name = "VENDOR")]
    pub(crate) only: Option<String>,
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    pub(crate) listen: String,
    /// A configuration folder whose secrets the simulators share and whose hub gets their web hooks.
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,
    /// Where the simulators' state is kept; else it is forgotten at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: problems as `path:line:column: error: …`, then the line and what to do.
    Text,
    /// For programs: one JSON value.
    Json,
}

pub(crate) fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "hrhub", &mut std::io::stdout());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
