//! `hrhub import`: rows of a file become records.
//!
//! With `--dry-run` no hub is needed: the file is read, every row checked and mapped, and nothing is kept.

mod offline;
mod show;

use crate::cli::Format;
use crate::say;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct ImportArgs {
    /// XLSX, XLS, ODS, CSV or TSV.
    pub(crate) file: PathBuf,
    /// What the rows are: employee, department, position, compensation, attendance.
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
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ImportMode {
    /// Every row is new.
    Insert,
    /// A row changes what is stored under its key, or is new.
    Upsert,
}

pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    if !args.dry_run {
        return Ok(say::usage("say --dry-run: rows are only checked here"));
    }
    offline::run(args)
}
