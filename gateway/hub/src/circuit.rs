//! `hrhub circuit`: whether calls of a connection are made.

use crate::assemble::{drivers, open_store, registry};
use crate::cli::{CircuitCommand, Place};
use crate::config::Config;
use crate::say;
use anyhow::bail;
use hub_flow::audit::{Entry, at_command_line};
use hub_flow::send::standing::{Standing, standings};
use hub_kit::Pace;
use hub_store::{Store, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Clock, Findings, env};
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(crate) async fn run(command: CircuitCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let registry = registry(&config, &drivers(), &Findings::new());
    let known: BTreeMap<String, (String, Pace)> = registry
        .connections
        .values()
        .map(|connection| (connection.id.clone(), (connection.tenant.clone(), connection.pace.clone())))
        .collect();
    let store = open_store(&config, &clock).await?;
    let now = clock.micros();
    let all = standing_of(&store, &known, now).await?;
    let (connection, open) = match command {
        CircuitCommand::List => {
            all.iter().for_each(|standing| say::out(line(standing)));
            store.close().await;
            return Ok(ExitCode::SUCCESS);
        }
        CircuitCommand::Open { connection } => (connection, Some(true)),
        CircuitCommand::Close { connection } => (connection, Some(false)),
        CircuitCommand::Auto { connection } => (connection, None),
    };
    if !all.iter().any(|standing| standing.connection == connection) {
        let near = hub_tree::finding::suggest(&connection, all.iter().map(|standing| standing.connection.as_str()));
        bail!("there is no connection `{connection}`; {}", near.unwrap_or_default());
    }
    let tenant = known.get(&connection).map_or_else(|| "default".to_owned(), |(tenant, _)| tenant.clone());
    let (name, by) = (connection.clone(), person());
    let action = open.map_or("connection.auto", |open| if open { "connection.open" } else { "connection.close" });
    let told = Entry::of(&tenant, at_command_line(&by), action).about("connection", &name);
    let told = told.sealed(&store, &clock).await?;
    let deciding = store.write(job!(|tx| {
        tx.append_audit(told).await?;
        tx.decide_circuit(&name, &tenant, open, by, now).await
    }));
    deciding.await?;
    let found = standing_of(&store, &known, now).await?;
    found.iter().filter(|standing| standing.connection == connection).for_each(|standing| say::out(line(standing)));
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn standing_of(
    store: &Store,
    known: &BTreeMap<String, (String, Pace)>,
    now: i64,
) -> anyhow::Result<Vec<Standing>> {
    let paces = known.iter().map(|(id, (_, pace))| (id.clone(), pace.clone())).collect();
    Ok(standings(store, now, &paces, true).await?)
}

/// Who sits at the command line, as far as the machine says.
fn person() -> String {
    let user = env::read("USER").or_else(|| env::read("LOGNAME")).unwrap_or_default();
    if user.is_empty() { "the command line".to_owned() } else { format!("{user} on the command line") }
}

fn line(standing: &Standing) -> String {
    let mut line = format!("{}  {}", standing.connection, standing.state);
    let at = |micros: i64| rfc3339_micros(micros);
    if let Some(since) = standing.since {
        line += &format!(" since {}", at(since));
    }
    if !standing.why.is_empty() {
        line += &format!(": {}", standing.why);
    }
    if let Some(next) = standing.next_probe_at {
        line += &format!("; next probe {}", at(next));
    }
    if let Some((until, why)) = &standing.waits {
        line += &format!("; waits until {} ({why})", at(*until));
    }
    let Standing { calls, error_rate, slow_rate, window_secs, .. } = standing;
    line += &format!("  [{calls} calls in {window_secs} s, error rate {error_rate}, slow rate {slow_rate}]");
    line
}
