//! `hrhub import`: rows of a file become records.
//!
//! With `--dry-run` no hub is needed: the file is read, every row checked and mapped, and nothing is kept. A running hub
//! keeps it, applies it, tells what was imported by whom, and undoes it.

mod offline;
mod online;
mod show;

use crate::cli::Format;
use crate::say;
use clap::{Args, ValueEnum};
use hub_tree::env;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct ImportArgs {
    /// XLSX, XLS, ODS, CSV or TSV.
    pub(crate) file: PathBuf,
    /// What the rows are: employee, department, position, compensation, attendance, cost_center, salary_band,
    /// benefit_plan, benefit_enrollment.
    #[arg(long = "as", value_name = "TARGET")]
    pub(crate) target: String,
    /// Only say what would come of each row.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A mapping file that reads the rows by their headings, in place of the recognised ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// The sheet, by name; else the visible one that knows most headings.
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// The row of the headings, from 1; else the first that knows four.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) header_row: Option<u32>,
    /// What a column means: HEADING=FIELD or LETTERS=FIELD; nothing behind the = leaves it out.
    #[arg(long = "column", value_name = "COLUMN=FIELD")]
    pub(crate) columns: Vec<String>,
    /// Whether rows may change records that are there.
    #[arg(long, value_enum, default_value_t = ImportMode::Insert)]
    pub(crate) mode: ImportMode,
    /// Departments that there are, separated by commas; without them departments are not looked up.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) departments: Vec<String>,
    /// Positions that there are, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) positions: Vec<String>,
    /// Write the rows with result and reason as a workbook.
    #[arg(long, value_name = "OUT.xlsx")]
    pub(crate) report: Option<PathBuf>,
    /// The language of reasons: en or zh.
    #[arg(long, default_value = "en")]
    pub(crate) language: String,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Bring the file to the hub that runs there. Its key, with the scope import: HRHUB_KEY, else the folder's
    /// HRHUB_ADMIN_KEY. Without it, the one that HRHUB_URL names.
    #[arg(long, value_name = "URL")]
    pub(crate) hub: Option<String>,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) config: PathBuf,
    /// Have the good rows applied.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Apply all rows or none.
    #[arg(long)]
    pub(crate) all_or_nothing: bool,
    /// Apply the good rows to a tenant of its own, to be compared and rolled back.
    #[arg(long)]
    pub(crate) trial: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ImportMode {
    /// Every row is new.
    Insert,
    /// A row changes what is stored under its key, or is new.
    Upsert,
}

/// A file to import, or what was imported.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ImportCommands {
    #[command(subcommand)]
    command: Option<online::ImportCommand>,
    #[command(flatten)]
    file: Option<ImportArgs>,
}

pub(crate) async fn run(args: ImportCommands) -> anyhow::Result<ExitCode> {
    // Read here: were it the parser's, `hrhub import list` would count as a file to bring.
    let file = args.file.map(|file| {
        let hub = file.hub.or_else(|| env::read("HRHUB_URL").filter(|url| !url.is_empty()));
        ImportArgs { hub, ..file }
    });
    match (args.command, file) {
        (Some(command), _) => online::run(command).await,
        (None, Some(file)) if file.dry_run => offline::run(&file),
        (None, Some(file)) if file.hub.is_some() => online::bring(&file).await,
        _ => Ok(say::usage("say --dry-run to check the rows here, or --hub URL to bring the file to a running hub")),
    }
}
