//! `hrhub replay`: the past once more.

use crate::assemble::open_store;
use crate::cli::{Format, Place};
use crate::config::Config;
use crate::parked::{View, begin, operator};
use crate::say;
use anyhow::{Context as _, bail};
use clap::Args;
use hub_flow::parked::{HIGHEST_RATE, RATE, redrive};
use hub_flow::replay;
use hub_store::{Errand, Past};
use hub_tree::Clock;
use hub_tree::jiff::Timestamp;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// From this instant on, such as 2026-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Up to this instant; else up to now.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only what came of this connection.
    #[arg(long)]
    connection: Option<String>,
    /// Only events of these types, such as hr.application.*; may be repeated.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "raws")]
    types: Vec<String>,
    /// Only what is about this record.
    #[arg(long, value_name = "ENTITY/ID")]
    record: Option<String>,
    /// The consumer that gets the events again, or all.
    #[arg(long, default_value = "all", conflicts_with = "raws")]
    consumer: String,
    /// Map payloads again by today's mappings, instead of handing out events.
    #[arg(long)]
    raws: bool,
    /// Say what would be replayed, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// At most so many a second.
    #[arg(long, value_name = "PER_SECOND", default_value_t = RATE, value_parser = clap::value_parser!(i64).range(1..=HIGHEST_RATE))]
    rate: i64,
    /// Why, for those who look later.
    #[arg(long, default_value = "")]
    note: String,
    /// Wait for the end; Ctrl-C leaves it running.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    place: Place,
}

fn instant(flag: &str, text: &str) -> anyhow::Result<i64> {
    let at = text.parse::<Timestamp>();
    Ok(at.with_context(|| format!("{flag} takes a time such as 2026-03-01T00:00:00Z"))?.as_microsecond())
}

pub(crate) async fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let now = clock.micros();
    let from = instant("--from", &args.from)?;
    // What happens because of the replay is not replayed.
    let to = args.to.as_deref().map_or(Ok(now), |text| instant("--to", text))?.min(now);
    if from >= to {
        bail!("--to lies before --from, or nothing lies between them yet");
    }
    let types = replay::types(&args.types).map_err(|wrong| anyhow::anyhow!("--type: {wrong}"))?;
    let record = args.record.unwrap_or_default();
    if !record.is_empty() && !record.contains('/') {
        bail!("--record takes entity/id, such as application/0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c3b2a");
    }
    let past = Past { from, to, connection: args.connection.unwrap_or_default(), types, record };
    let errand = if args.raws {
        Errand::Raws(past)
    } else {
        Errand::Events(past, if args.consumer == "all" { String::new() } else { args.consumer })
    };
    let config = Config::at(&args.place)?;
    let store = open_store(&config, &clock).await?;
    if args.dry_run {
        let passed = replay::preview(&store, &args.view.tenant, &errand).await?;
        if args.view.format == Format::Json {
            say::out(hub_api::redrives::passed_json(&errand, &passed).to_string());
        } else {
            let total: i64 = passed.counts.iter().map(|(.., count)| count).sum();
            let what = if args.raws { "payloads would be mapped again" } else { "events would be handed out again" };
            say::out(format!("{total} {what}"));
            for (connection, kind, count) in &passed.counts {
                let connection = if connection.is_empty() { "hub" } else { connection };
                say::out(format!("  {count:>6}  {connection}  {kind}"));
            }
            if !args.raws {
                say::out(format!("  {:>6}  records touched", passed.records));
            }
            for (system, count) in &passed.effects {
                say::out(format!("  {count:>6}  calls done at {system} before, not repeated"));
            }
        }
    } else {
        let asker = operator(&args.view.tenant, args.note);
        let begun = redrive(&store, &clock, asker, errand, args.rate).await?;
        begin(&store, begun, args.wait, &args.view).await?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
