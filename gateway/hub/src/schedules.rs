//! `hrhub schedules`: when calls are made by the clock, and making one now.

use crate::assemble::{drivers, open_store, registry};
use crate::cli::{Place, SchedulesCommand};
use crate::config::Config;
use crate::say;
use anyhow::bail;
use hub_flow::Registry;
use hub_flow::schedule::{self, SCHEDULE, Schedule};
use hub_store::{Again, job};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Clock, Findings, Ids, TraceContext};
use std::process::ExitCode;

pub(crate) async fn run(command: SchedulesCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let config = Config::at(place)?;
    let findings = Findings::new();
    let registry = registry(&config, &drivers(), &findings);
    schedule::check_outlook(&registry, Clock::System.now(), &findings);
    let mut found = findings.into_sorted();
    found.retain(|finding| ["schedules/", "calendars/"].iter().any(|folder| finding.location().0.contains(folder)));
    say::findings(&found);
    match command {
        SchedulesCommand::List { next } => {
            list(&config, &registry, next).await?;
            Ok(ExitCode::SUCCESS)
        }
        SchedulesCommand::Run { name } => run_now(&config, &registry, &name).await,
    }
}

/// A time as its zone shows it.
fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
}

async fn list(config: &Config, registry: &Registry, next: usize) -> anyhow::Result<()> {
    if registry.schedules.is_empty() {
        say::note("There are no schedules; docs/schedules.md says how to write schedules/<name>.yaml.");
        return Ok(());
    }
    let store = open_store(config, &Clock::System).await?;
    let waiting = store.read(job!(|tx| { tx.waiting_timers(SCHEDULE, 10_000).await })).await?;
    for schedule in registry.schedules.values() {
        let Schedule { name, words, zone, connection, operation, plan, .. } = &**schedule;
        say::out(format!("{name}  {words}  {zone}  -> {connection} {operation}"));
        let time_zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let subject = format!("schedule/{name}");
        let mine = waiting.iter().find(|timer| timer.new.name == subject && timer.new.tenant == schedule.tenant);
        if let Some(last) = mine.and_then(|timer| timer.last_due_at) {
            let last = Timestamp::from_microsecond(last).unwrap_or(Timestamp::UNIX_EPOCH);
            say::out(format!("  last  {}", shown(last, &time_zone)));
        }
        let mut after = Clock::System.now();
        for _ in 0..next {
            match plan.next(after) {
                Ok(at) => {
                    say::out(format!("  next  {}", shown(at, &time_zone)));
                    after = at;
                }
                Err(error) => {
                    say::out(format!("  next  not known: {error}"));
                    break;
                }
            }
        }
    }
    store.close().await;
    Ok(())
}

async fn run_now(config: &Config, registry: &Registry, name: &str) -> anyhow::Result<ExitCode> {
    let Some(schedule) = registry.schedules.get(name) else {
        let help = hub_tree::finding::suggest(name, registry.schedules.keys().map(String::as_str).collect::<Vec<_>>());
        bail!("there is no schedule `{name}`; {}", help.unwrap_or_else(|| "there are none".to_owned()));
    };
    let clock = Clock::System;
    let store = open_store(config, &clock).await?;
    let timer = schedule::run_now(schedule, &Ids::new(clock.clone()).next().to_string(), clock.micros());
    let trace = timer.trace.parse::<TraceContext>().map(|trace| trace.id()).unwrap_or_default();
    store.write(job!(|tx| { tx.set_timer(timer, Again::Keep).await })).await?;
    store.close().await;
    say::out(format!("{name} runs as soon as a hub is there; its journey is {trace}"));
    Ok(ExitCode::SUCCESS)
}
