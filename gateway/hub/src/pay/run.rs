//! `hrhub pay run` and `hrhub pay step`: payroll runs of a hub, from the command line.

use crate::cli::Format;
use crate::running::RunningHub;
use crate::say;
use anyhow::{Context as _, bail};
use clap::Args;
use hub_tree::jiff::civil::Date;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::sleep;

const JSON: &str = "application/json";
/// How often a run is looked at while it is calculated.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which hub.
#[derive(Args)]
struct At {
    /// A hub that runs. Its key: HRHUB_KEY, else the folder's HRHUB_ADMIN_KEY.
    #[arg(long, value_name = "URL", env = "HRHUB_URL")]
    hub: String,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The rules by which it is calculated, such as `china-monthly`.
    #[arg(long, value_name = "ID", required_unless_present = "run")]
    rules: Option<String>,
    /// Whom it pays: the id of a pay group.
    #[arg(long, value_name = "ID", required_unless_present = "run")]
    group: Option<String>,
    /// The month that it pays, such as 2026-10.
    #[arg(long, value_name = "MONTH", required_unless_present = "run")]
    month: Option<String>,
    /// The day of payment; else the last of the month.
    #[arg(long, value_name = "DAY")]
    pay_on: Option<Date>,
    /// REGULAR, OFF_CYCLE …
    #[arg(long, default_value = "REGULAR")]
    kind: String,
    /// A draft that is there already, by id, in place of a new one.
    #[arg(long, value_name = "ID", conflicts_with_all = ["rules", "group", "month", "pay_on", "kind"])]
    run: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Args)]
pub(crate) struct StepArgs {
    /// The run, by id.
    run: String,
    /// review, approve, lock, pay, settle, close, reopen or reverse.
    step: String,
    /// What whoever looks later should know.
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    at: At,
}

fn draft(args: &RunArgs) -> anyhow::Result<Value> {
    let month = args.month.as_deref().unwrap_or_default();
    let first = format!("{month}-01").parse::<Date>().ok().filter(|_| month.len() == 7);
    let first = first.with_context(|| format!("--month takes a month such as 2026-10, and not `{month}`"))?;
    let last = first.last_of_month();
    Ok(json!({
        "pay_group": { "type": "pay_group", "id": args.group }, "kind": args.kind, "status": "DRAFT",
        "rule_set": { "id": args.rules }, "period_start": first, "period_end": last,
        "pay_on": args.pay_on.unwrap_or(last),
    }))
}

/// Has a run calculated and waits for it. Exit code 1: there are problems, and nobody is paid.
pub(super) async fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let hub = RunningHub::at(&args.at.hub, &args.at.config)?;
    let id = match &args.run {
        Some(id) => id.clone(),
        None => {
            let made = hub.ask("POST", "/v1/payroll-runs", JSON, draft(args)?.to_string().into_bytes()).await?;
            made["id"].as_str().context("the hub has not answered with a run")?.to_owned()
        }
    };
    let path = format!("/v1/payroll-runs/{id}");
    let mut run = hub.ask("POST", &format!("{path}:calculate"), "", Vec::new()).await?;
    while word(&run["status"]) == "CALCULATING" {
        let progress = &run["progress"];
        say::progress(&format!(
            "{} of {}",
            progress["done"].as_u64().unwrap_or(0),
            progress["of"].as_u64().unwrap_or(0)
        ));
        sleep(LOOK_EVERY).await;
        run = hub.ask("GET", &path, "", Vec::new()).await?;
    }
    say::progress("");
    let calculated = word(&run["status"]) == "CALCULATED";
    let variance = match calculated {
        true => hub.ask("GET", &format!("{path}/variance"), "", Vec::new()).await?,
        false => Value::Null,
    };
    match args.at.format {
        Format::Json => say::out(format!("{:#}", json!({ "run": run, "variance": variance }))),
        Format::Text => {
            tell(&run);
            flags(&variance);
        }
    }
    Ok(if calculated { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes a step.
pub(super) async fn step(args: &StepArgs) -> anyhow::Result<ExitCode> {
    if args.step == "calculate" {
        bail!("`hrhub pay run --run {}` calculates it, and shows what comes of it", args.run);
    }
    let hub = RunningHub::at(&args.at.hub, &args.at.config)?;
    let body = args.note.as_ref().map(|note| json!({ "note": note }).to_string().into_bytes());
    let kind = if body.is_some() { JSON } else { "" };
    let path = format!("/v1/payroll-runs/{}:{}", args.run, args.step);
    let run = hub.ask("POST", &path, kind, body.unwrap_or_default()).await?;
    match args.at.format {
        Format::Json => say::out(format!("{run:#}")),
        Format::Text => tell(&run),
    }
    Ok(ExitCode::SUCCESS)
}

/// A word of a list, which records have as text or as `value`.
fn word(value: &Value) -> &str {
    value["value"].as_str().or(value.as_str()).unwrap_or_default()
}

/// The run in lines: where it stands, its sums, or its problems.
fn tell(run: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    say::out(format!(
        "{}  {}  {} to {}",
        text(&run["id"]),
        word(&run["status"]),
        text(&run["period_start"]),
        text(&run["period_end"])
    ));
    for (name, amount) in run["totals"].as_object().into_iter().flatten() {
        say::out(format!("  {name}  {} {}", text(&amount["amount"]), text(&amount["currency"])));
    }
    for problem in run["problems"].as_array().into_iter().flatten() {
        let parts = ["employee_number", "item", "detail", "place"].map(|name| problem[name].as_str());
        say::note(format!("error: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(": ")));
    }
}

/// Whom somebody should look at before the run is approved.
fn flags(variance: &Value) {
    for person in variance["people"].as_array().into_iter().flatten() {
        let flags: Vec<&str> = person["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !flags.is_empty() {
            let who = person["employee_no"].as_str();
            say::out(format!("  look at {}: {}", who.unwrap_or("-"), flags.join(", ")));
        }
    }
}
