//! `hrhub pay`: work on rules of pay.
//!
//! Results go to standard output, what there is to say about them beside it. Exit codes: 0 fine, 1 problems, 2 a
//! command line that cannot be followed.

mod diff;
mod people;
mod run;
mod show;

use crate::cli::Format;
use crate::say;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use hub_payroll::items::{PayRules, Problem, Slip};
use hub_tree::{Arena, Findings, Limits, Source, Span, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub(crate) enum PayCommand {
    /// Check rules of pay.
    Check {
        /// Files of rules, or folders with rules in them.
        #[arg(default_value = "models/pay", value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
        /// How problems are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Make the payslips of the people in a file.
    Try(Making),
    /// Make payslips, and say of each line what it was made from.
    Explain {
        #[command(flatten)]
        making: Making,
        /// This item alone.
        #[arg(long, value_name = "NAME")]
        item: Option<String>,
    },
    /// Say what differs when other rules make the same payslips: by month, and by person.
    Diff(diff::DiffArgs),
    /// Begin a payroll run at a hub, have it calculated, and show what it comes to.
    Run(run::RunArgs),
    /// Take a step of a payroll run: review, approve, lock, pay, settle, close, reopen, reverse.
    Step(run::StepArgs),
}

#[derive(Args)]
pub(crate) struct Making {
    /// The rules.
    rules: PathBuf,
    /// JSON with `employee`, `period` (`start`, `end`, `pay_on`) and `inputs` by name; or a list of such under `people`.
    #[arg(value_name = "INPUTS.json")]
    inputs: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(crate) async fn run(command: PayCommand) -> anyhow::Result<ExitCode> {
    match command {
        PayCommand::Check { paths, format } => check(&paths, format),
        PayCommand::Try(making) => make(&making, None, show::slip),
        PayCommand::Explain { making, item } => make(&making, item.as_deref(), show::explained),
        PayCommand::Diff(args) => diff::run(&args).await,
        PayCommand::Run(args) => run::run(&args).await,
        PayCommand::Step(args) => run::step(&args).await,
    }
}

fn check(paths: &[PathBuf], format: Format) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let below = fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
        let mut found: Vec<PathBuf> = below.filter_map(|entry| Some(entry.ok()?.path())).collect();
        found.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
        if found.is_empty() {
            bail!("there are no rules of pay (*.yaml) in {}", path.display());
        }
        found.sort();
        files.append(&mut found);
    }
    let findings = Findings::new();
    let sound = files.iter().filter(|file| read_rules(file, &findings).is_some()).count();
    Ok(say::report(&findings.into_sorted(), format, &format!("{sound} of {}", say::number(files.len(), "file"))))
}

/// Rules of pay; what is wrong with their file goes to `findings`.
fn read_rules(file: &Path, findings: &Findings) -> Option<PayRules> {
    match fs::read_to_string(file) {
        Ok(text) => PayRules::compile(&Source::new(file.display().to_string(), text), findings),
        Err(error) => {
            let source = Source::new(file.display().to_string(), "");
            findings.error(&source, Span::default(), format!("the file cannot be read: {error}"), None);
            None
        }
    }
}

/// Rules of pay that are sound; else their problems are printed.
fn sound(file: &Path) -> Option<PayRules> {
    let findings = Findings::new();
    let rules = read_rules(file, &findings);
    say::findings(&findings.into_sorted());
    rules
}

/// A payslip, or why there is none.
struct Made {
    employee: String,
    slip: Result<Slip, Vec<Problem>>,
}

/// Makes payslips and prints them; problems make the exit code 1.
fn make(making: &Making, item: Option<&str>, tell: fn(&PayRules, &Made, Option<&str>)) -> anyhow::Result<ExitCode> {
    let Some(rules) = sound(&making.rules) else { return Ok(ExitCode::FAILURE) };
    let bytes = fs::read(&making.inputs).with_context(|| format!("reading {}", making.inputs.display()))?;
    let arena = Arena::new();
    let file = making.inputs.display();
    let root = json::read(&arena, &bytes, Limits::default()).with_context(|| format!("{file} is no JSON"))?;
    let people = people::read(root).with_context(|| format!("in {file}"))?;
    let made: Vec<Made> = people
        .into_iter()
        .map(|one| Made {
            slip: rules.slip(one.employee, one.inputs, one.period, true),
            employee: one.employee.to_owned(),
        })
        .collect();
    if let Some(item) = item {
        let lines = || made.iter().filter_map(|made| made.slip.as_ref().ok());
        if lines().next().is_some() && lines().all(|slip| slip.line(item).is_none()) {
            bail!("no payslip has a line `{item}`");
        }
    }
    match making.format {
        Format::Text => made.iter().for_each(|made| tell(&rules, made, item)),
        Format::Json => say::out(format!("{:#}", show::as_json(&rules, &made, item))),
    }
    let failed = made.iter().any(|made| made.slip.is_err());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
