//! `hrhub audit`: the audit log, and whether it is as it was written.

use crate::assemble::open_store;
use crate::cli::Place;
use crate::config::Config;
use crate::say;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use hub_flow::audit::{Entry, NOBODYS_TENANT, entry_json, link};
use hub_store::{Anchor, AuditFilter, AuditRow, Store, job};
use hub_tree::Clock;
use hub_tree::clock::rfc3339_micros;
use hub_tree::jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Entries that are read at once.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the newest entries.
    List {
        #[command(flatten)]
        which: Which,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
    },
    /// Print all entries that fit, oldest first, one JSON object a line.
    Export {
        #[command(flatten)]
        which: Which,
    },
    /// Look at every entry of every tenant; exit code 1 names the first that was changed, taken out or put in. Prints
    /// the end of each chain: keep these lines elsewhere, and give them back with --anchor.
    Verify {
        /// A file with lines that `verify` or `export` printed before: what has no such link any more was cut off or
        /// made anew.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Which {
    /// Whose log.
    #[arg(long, default_value = NOBODYS_TENANT)]
    tenant: String,
    /// By whom: the id of a key or an app, `person:CONNECTION:ID`, `command`, `hub` or `stranger`.
    #[arg(long)]
    who: Option<String>,
    /// What was done, such as `restricted.read`.
    #[arg(long)]
    action: Option<String>,
    /// About what: KIND/ID, such as `employee/0190…`.
    #[arg(long)]
    about: Option<String>,
    /// Since when, such as 2026-01-01T00:00:00Z.
    #[arg(long)]
    after: Option<Timestamp>,
    /// Before when.
    #[arg(long)]
    before: Option<Timestamp>,
}

impl Which {
    fn filter(self) -> (String, AuditFilter) {
        let Self { tenant, who, action, about, after, before } = self;
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_microsecond);
        let (since, until) = (micros(after), micros(before));
        (tenant, AuditFilter { who, action, about, since, until, ..AuditFilter::default() })
    }
}

pub(crate) async fn run(command: AuditCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    let code = match command {
        AuditCommand::List { which, limit } => {
            let (tenant, filter) = which.filter();
            list(&store, &tenant, filter, limit).await?;
            ExitCode::SUCCESS
        }
        AuditCommand::Export { which } => {
            let (tenant, filter) = which.filter();
            export(&store, &clock, &tenant, filter).await?;
            ExitCode::SUCCESS
        }
        AuditCommand::Verify { anchor } => {
            // Entries of commands wait for a hub, which need not run.
            if let Err(error) = link(&store).await {
                say::note(format!("entries could not be linked: {error}"));
            }
            verify(&store, &anchors(anchor.as_deref())?).await?
        }
    };
    store.close().await;
    Ok(code)
}

async fn list(store: &Store, tenant: &str, filter: AuditFilter, limit: i64) -> anyhow::Result<()> {
    let owner = tenant.to_owned();
    let rows = store.read(job!(|tx| { tx.audit(&owner, filter, limit).await })).await?;
    for row in &rows {
        let entry = row.open(store.keyring(), tenant).with_context(|| format!("entry {}", row.id))?;
        let about: Vec<&str> = entry.about.iter().map(String::as_str).take(3).collect();
        let more = entry.about.len().saturating_sub(about.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let purpose = entry.purpose.map(|purpose| format!("  for: {purpose}")).unwrap_or_default();
        say::out(format!(
            "{}  {}  {} ({})  {}  {}{more}{purpose}",
            rfc3339_micros(entry.at),
            entry.outcome,
            entry.who.name,
            entry.who.kind,
            entry.action,
            about.join(", ")
        ));
    }
    if rows.is_empty() {
        say::note("There are no such entries.");
    }
    Ok(())
}

async fn export(store: &Store, clock: &Clock, tenant: &str, filter: AuditFilter) -> anyhow::Result<()> {
    Entry::by_command(tenant, "audit.exported").write(store, clock).await?;
    link(store).await?;
    let mut filter = AuditFilter { oldest_first: true, ..filter };
    loop {
        let (owner, wanted) = (tenant.to_owned(), filter.clone());
        let rows = store.read(job!(|tx| { tx.audit(&owner, wanted, PAGE).await })).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        filter.behind = AuditRow::read_place(&last.place());
        for row in &rows {
            let entry = row.open(store.keyring(), tenant).with_context(|| format!("entry {}", row.id))?;
            say::out(entry_json(tenant, row, &entry).to_string());
        }
    }
}

/// The links in a file: one JSON object a line; lines of entries that had no link yet say nothing.
fn anchors(path: Option<&Path>) -> anyhow::Result<Vec<Anchor>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut anchors = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}: no line of `audit verify` or `audit export`", path.display(), number + 1);
        let value: serde_json::Value = serde_json::from_str(line).with_context(place)?;
        if value.get("link").is_some_and(serde_json::Value::is_null) {
            continue;
        }
        anchors.push(serde_json::from_value(value).with_context(place)?);
    }
    anyhow::ensure!(!anchors.is_empty(), "{} has no links to compare with", path.display());
    Ok(anchors)
}

async fn verify(store: &Store, anchors: &[Anchor]) -> anyhow::Result<ExitCode> {
    let mut tenants = store.read(job!(|tx| { tx.audit_tenants().await })).await?;
    tenants.extend(anchors.iter().map(|anchor| anchor.tenant.clone()));
    tenants.sort();
    tenants.dedup();
    let mut code = ExitCode::SUCCESS;
    for tenant in &tenants {
        let report = store.verify_audit(tenant, anchors).await.with_context(|| format!("tenant {tenant}"))?;
        if let Some(bad) = report.bad {
            let place = bad.position.map(|place| format!(" entry {place}")).unwrap_or_default();
            let id = bad.id.map(|id| format!(" ({id})")).unwrap_or_default();
            say::note(format!("error: tenant {tenant}:{place}{id}: {}", bad.what));
            code = ExitCode::FAILURE;
            continue;
        }
        let went = if report.floor > 0 { format!(", {} before it went with age", report.floor) } else { String::new() };
        say::note(format!("tenant {tenant}: {} as written{went}", entries(report.entries)));
        say::out(serde_json::to_string(&report.head)?);
    }
    if tenants.is_empty() {
        say::note("There are no entries yet.");
    }
    Ok(code)
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}
