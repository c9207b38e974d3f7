//! What a running hub does with a file: it checks every row, applies the good ones, tells what was imported by whom, and
//! undoes it.

use super::{ImportArgs, ImportMode};
use crate::cli::Format;
use crate::running::RunningHub;
use crate::say;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use url::form_urlencoded::Serializer;

/// How often the hub is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Rows that are printed.
const PRINTED: usize = 20;

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// List imports, newest first: what, how far, by whom.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show one import: its rows by result, who did what, what an undo has left.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        at: At,
    },
    /// Undo an import: records that it made go, records that it changed are as they were; what somebody has changed
    /// since stays.
    Undo {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        at: At,
    },
}

/// Which hub, and how the result is printed.
#[derive(Args)]
pub(crate) struct At {
    /// The hub that runs. Its key, with the scope import: HRHUB_KEY, else the folder's HRHUB_ADMIN_KEY.
    #[arg(long, value_name = "URL", env = "HRHUB_URL")]
    pub(crate) hub: String,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) config: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

pub(crate) async fn run(command: ImportCommand) -> anyhow::Result<ExitCode> {
    match command {
        ImportCommand::List { at } => list(&at).await,
        ImportCommand::Show { id, at } => {
            let hub = RunningHub::at(&at.hub, &at.config)?;
            let found = hub.ask("GET", &format!("/v1/imports/{id}"), "", Vec::new()).await?;
            tell(&hub, &found, at.format).await?;
            Ok(ExitCode::SUCCESS)
        }
        ImportCommand::Undo { id, at } => {
            let hub = RunningHub::at(&at.hub, &at.config)?;
            hub.ask("POST", &format!("/v1/imports/{id}:undo"), "application/json", b"{}".to_vec()).await?;
            let found = settled(&hub, &id).await?;
            tell(&hub, &found, at.format).await?;
            Ok(if word(&found, "state") == "FAILED" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

async fn list(at: &At) -> anyhow::Result<ExitCode> {
    let hub = RunningHub::at(&at.hub, &at.config)?;
    let found = hub.ask("GET", "/v1/imports?limit=50", "", Vec::new()).await?;
    if at.format == Format::Json {
        say::out(found["data"].to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for one in found["data"].as_array().into_iter().flatten() {
        let by = one["uploaded_by"].as_str().unwrap_or_default();
        say::out(format!(
            "{}  {:<15}  {:>6} of {:>6} rows  {}  {}  {by}",
            word(one, "id"),
            word(one, "state"),
            one["rows"]["applied"],
            one["rows"]["total"],
            word(one, "uploaded_at"),
            word(one, "file_name"),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Brings a file, waits for its rows to be checked, and has them applied if that is wanted.
pub(crate) async fn bring(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let hub = RunningHub::at(args.hub.as_deref().unwrap_or_default(), &args.config)?;
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    let file = read(&args.file)?;
    let name = args.file.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let mut columns = Map::new();
    for column in &args.columns {
        let Some((name, field)) = column.rsplit_once('=') else {
            return Ok(say::usage("a column is HEADING=FIELD or LETTERS=FIELD; nothing behind the = leaves it out"));
        };
        columns.insert(name.to_owned(), json!(Some(field).filter(|field| !field.is_empty())));
    }
    let mut query = Serializer::new(String::new());
    query.append_pair("as", &args.target).append_pair("file_name", name);
    query.append_pair(
        "mode",
        match args.mode {
            ImportMode::Insert => "insert",
            ImportMode::Upsert => "upsert",
        },
    );
    query.append_pair("all_or_nothing", if args.all_or_nothing { "true" } else { "false" });
    query.extend_pairs(args.sheet.iter().map(|sheet| ("sheet", sheet)));
    query.extend_pairs(args.header_row.iter().map(|row| ("header_row", row.to_string())));
    query.append_pair("columns", &Value::Object(columns).to_string());
    let path = format!("/v1/imports?{}", query.finish());
    let begun = match &args.mapping {
        None => hub.ask("POST", &path, "application/octet-stream", file).await?,
        Some(mapping) => {
            let (kind, body) = form(&file, &read(mapping)?);
            hub.ask("POST", &path, &kind, body).await?
        }
    };
    let id = word(&begun, "id").to_owned();
    let mut found = settled(&hub, &id).await?;
    if let Some(report) = &args.report {
        hub.fetch(&format!("/v1/imports/{id}/report.xlsx")).await?.save(report)?;
    }
    let apply = args.apply || args.trial;
    if apply && word(&found, "state") == "CHECKED" {
        let tenant = args.trial.then(|| format!("{}-trial", word(&found, "tenant")));
        let body = json!({ "tenant": tenant }).to_string().into_bytes();
        hub.ask("POST", &format!("/v1/imports/{id}:apply"), "application/json", body).await?;
        found = settled(&hub, &id).await?;
    }
    tell(&hub, &found, args.format).await?;
    let good = match word(&found, "state") {
        "APPLIED" | "AWAITING_REVIEW" => true,
        "CHECKED" => !apply && found["rows"]["bad"] == 0,
        _ => false,
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A form of two files. The boundary stands in neither.
fn form(file: &[u8], mapping: &[u8]) -> (String, Vec<u8>) {
    let boundary = format!("hrhub-{}", hub_tree::random::token(40));
    let mut body = Vec::with_capacity(file.len() + mapping.len() + 512);
    for (name, content) in [("file", file), ("mapping", mapping)] {
        body.extend(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n")
                .as_bytes(),
        );
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Waits until the hub is not at it any more.
async fn settled(hub: &RunningHub, id: &str) -> anyhow::Result<Value> {
    loop {
        let found = hub.ask("GET", &format!("/v1/imports/{id}"), "", Vec::new()).await?;
        let count = |of: &str, name: &str| found[of][name].as_i64().unwrap_or(0);
        match word(&found, "state") {
            "CHECKING" => say::progress("checking"),
            "APPLYING" => {
                let done = count("rows", "applied") + count("rows", "failed");
                say::progress(&format!("{done} of {} rows", count("rows", "good")));
            }
            "UNDOING" => {
                let done = count("records", "undone") + count("records", "kept");
                let all = count("records", "created") + count("records", "updated");
                say::progress(&format!("{done} of {all} records"));
            }
            _ => {
                say::progress("");
                return Ok(found);
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What became of an import, and the first rows that are bad.
async fn tell(hub: &RunningHub, found: &Value, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        say::out(found.to_string());
        return Ok(());
    }
    let (rows, records) = (&found["rows"], &found["records"]);
    let id = word(found, "id");
    say::out(format!("{id}  {}  {}", word(found, "state"), word(found, "file_name")));
    say::out(format!(
        "  rows     {} good, {} bad, {} with a remark, {} passed over, {} applied, {} not applied after all",
        rows["good"], rows["bad"], rows["warned"], rows["ignored"], rows["applied"], rows["failed"]
    ));
    say::out(format!(
        "  records  {} made, {} changed, {} undone, {} kept because somebody has changed them since",
        records["created"], records["updated"], records["undone"], records["kept"]
    ));
    if let Some(error) = found["error"].as_str() {
        say::out(format!("  error    {error}"));
    }
    for step in found["history"].as_array().into_iter().flatten() {
        say::out(format!("  {}  {:<12} {}", word(step, "at"), word(step, "step"), word(step, "by")));
    }
    for state in ["bad", "failed"] {
        if rows[if state == "bad" { "bad" } else { "failed" }] == 0 {
            continue;
        }
        let path = format!("/v1/imports/{id}/rows?state={state}&limit={PRINTED}");
        let Ok(bad) = hub.ask("GET", &path, "", Vec::new()).await else { continue };
        for row in bad["data"].as_array().into_iter().flatten() {
            for finding in row["findings"].as_array().into_iter().flatten() {
                let place = finding["cell"].as_str().filter(|cell| !cell.is_empty()).map(str::to_owned);
                let place = place.unwrap_or_else(|| format!("row {}", row["row"]));
                say::out(format!(
                    "  {place} {}: {} ({})",
                    word(finding, "column"),
                    word(finding, "message"),
                    word(finding, "code")
                ));
            }
        }
        if !bad["next_cursor"].is_null() {
            say::note("There are more: --report writes all of them.");
        }
    }
    Ok(())
}
