//! `hrhub demo`: three invented candidates on their way from web hook to decision, with simulated vendors.

use crate::assemble::assemble;
use crate::assets::DEMO;
use crate::cli::{Demo, Place};
use crate::config::Config;
use crate::init::{self, Addresses};
use crate::sandbox;
use crate::say;
use crate::server::{Running, Served, address_of, asked_to_stop, bind};
use anyhow::{Context as _, anyhow, bail};
use hub_api::limits::RequestLimits;
use hub_flow::Hub;
use hub_flow::rules::document;
use hub_sandbox::Sandbox;
use hub_store::{NewParked, ParkedFilter, Step, job};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::yaml::{self, Context, Node};
use hub_tree::{Arena, Findings, Limits, Private, Source, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// The tenant of the demo's connections.
const TENANT: &str = "default";
/// How long nothing may happen before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A candidate: what happens at the vendor, and what must come of it.
struct Play {
    name: String,
    vendor: String,
    action: String,
    /// The action's arguments as JSON.
    with: String,
    /// The record that the hub must make of it: entity, connection, remote id.
    record: (String, String, String),
    /// The label of the decision.
    label: String,
    /// The operations that must have been called.
    calls: Vec<String>,
}

/// What was found of a candidate.
struct Journey {
    trace: String,
    decision: Option<Decision>,
    steps: Vec<Step>,
}

struct Decision {
    label: String,
    /// The label as people read it.
    shown: String,
    reasons: Vec<String>,
}

pub(crate) async fn run(args: Demo) -> anyhow::Result<ExitCode> {
    let temporary = match args.data {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("hrhub-demo-").tempdir().context("making a temporary folder")?),
    };
    let folder = args.data.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    let folder = folder.context("no data folder")?;
    let hub_socket = bind(&args.listen, "--listen").await?;
    let sandbox_socket = bind(&args.sandbox_listen, "--sandbox-listen").await?;
    let (hub_address, sandbox_address) = (address_of(&hub_socket)?, address_of(&sandbox_socket)?);
    let config_folder = folder.join("config");
    init::write(&config_folder, &Addresses { hub: &hub_address, sandbox: &sandbox_address })?;
    let config = Config::at(&Place { config: config_folder.clone(), data: Some(folder.to_owned()) })?;
    let findings = Findings::new();
    let assembled = assemble(&config, &findings).await?;
    let broken = findings.has_errors();
    say::findings(&findings.into_sorted());
    if broken {
        bail!("the configuration in {} has errors", config_folder.display());
    }
    let sandbox = sandbox::open(Some(&config), Some(&folder.join("sandbox")))?;
    let vendors = Served::start(sandbox_socket, Arc::clone(&sandbox).router(None)?, RequestLimits::default().head);
    let deliveries = tokio::spawn(Arc::clone(&sandbox).run());
    let mut running = Running::start(assembled, config.time_zone.clone(), hub_socket);
    say::out(format!(
        "hub      http://{hub_address}\nvendors  http://{sandbox_address} (simulated)\ndata     {}\n",
        folder.display()
    ));

    let played = play(&running.hub, &sandbox, &config.time_zone).await;
    if let Err(reason) = &played {
        say::note(format!("error: {reason:#}\n"));
    }
    if !args.once {
        show_addresses(&config, &running, &sandbox_address).await?;
        tokio::select! {
            asked = asked_to_stop() => asked?,
            () = running.broken() => bail!("a part of the hub ended; run again with HRHUB_LOG=warn to see why"),
        }
    }
    running.stop().await;
    vendors.stop().await;
    deliveries.abort();
    Ok(if played.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays all, and prints each journey when it is complete.
async fn play(hub: &Arc<Hub>, sandbox: &Sandbox, zone: &TimeZone) -> anyhow::Result<()> {
    let plays = plays()?;
    for play in &plays {
        // Repeated after a restart, it changes nothing.
        sandbox
            .act(&play.vendor, &play.action, &play.with)
            .with_context(|| format!("{} {}", play.vendor, play.action))?;
    }
    let mut open: Vec<&Play> = plays.iter().collect();
    let mut failed = Vec::new();
    let (mut seen, mut since) = ((0, 0), Instant::now());
    loop {
        let mut steps = 0;
        let mut missing = Vec::new();
        let mut still = Vec::new();
        for play in open {
            let looked = look(hub, play).await?;
            say::progress("");
            match looked {
                Looked::Done(journey) => show(play, &journey, zone),
                Looked::Parked(journey, reason) => {
                    show(play, &journey, zone);
                    failed.push(format!("{}: {reason}", play.name));
                }
                Looked::Open { steps: count, missing: what } => {
                    steps += count;
                    missing.push(format!("{}: {what}", play.name));
                    still.push(play);
                }
            }
        }
        if still.is_empty() {
            break;
        }
        if (steps, still.len()) != seen {
            (seen, since) = ((steps, still.len()), Instant::now());
        }
        if since.elapsed() > PATIENCE {
            bail!("nothing happened for {} s; missing are {}", PATIENCE.as_secs(), missing.join("; "));
        }
        open = still;
        say::progress(&format!("{} of {} journeys complete …", plays.len() - open.len(), plays.len()));
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

enum Looked {
    Done(Journey),
    /// Something on the way needs a person.
    Parked(Journey, String),
    Open {
        steps: usize,
        missing: String,
    },
}

/// How far a candidate has come.
async fn look(hub: &Arc<Hub>, play: &Play) -> anyhow::Result<Looked> {
    let (entity, connection, remote) = play.record.clone();
    let found = hub.store.read(job!(|tx| {
        let parked = tx.parked(TENANT, ParkedFilter { limit: 100, ..ParkedFilter::default() }).await?;
        let Some(identity) = tx.identity(TENANT, &connection, &entity, &remote).await? else {
            return Ok((parked, None));
        };
        let subject = format!("{entity}/{}", identity.id);
        // The oldest journey about the record is the one that began with the candidate's move.
        let Some(first) = tx.journeys_about(TENANT, &subject, None, 50).await?.pop() else { return Ok((parked, None)) };
        Ok((parked, Some((first.trace.clone(), tx.journey(TENANT, &first.trace).await?))))
    }));
    let (parked, journey) = found.await?;
    let why = |new: &NewParked| {
        format!("{} at {} was parked: {} {} {}", new.step, new.connection, new.code, new.reason, new.place)
    };
    let Some((trace, steps)) = journey else {
        // Without a record, nothing tells whose message it was.
        return match parked.first() {
            Some(parked) => bail!("{}", why(&parked.new)),
            None => Ok(Looked::Open { steps: 0, missing: "the web hook".to_owned() }),
        };
    };
    let decision = match steps.iter().rev().find_map(|step| step.subject.strip_prefix("decision/")) {
        Some(id) => Some(decision(hub, id).await?),
        None => None,
    };
    let called = |operation: &str| {
        let wanted = format!("{operation}:");
        steps.iter().any(|step| step.step == "call" && step.result == "ok" && step.detail.starts_with(&wanted))
    };
    let open = play.calls.iter().find(|operation| !called(operation));
    if let Some(parked) = parked.iter().find(|parked| parked.new.trace == trace) {
        return Ok(Looked::Parked(Journey { trace, decision, steps }, why(&parked.new)));
    }
    if let Some(missing) = open {
        return Ok(Looked::Open { steps: steps.len(), missing: format!("the call `{missing}`") });
    }
    match &decision {
        Some(made) if made.label == play.label => Ok(Looked::Done(Journey { trace, decision, steps })),
        Some(made) => bail!("{} should be {}, and is {}", play.name, play.label, made.label),
        None => bail!("{}: the recruiter was told without a decision", play.name),
    }
}

async fn decision(hub: &Arc<Hub>, id: &str) -> anyhow::Result<Decision> {
    let text = document(hub, TENANT, "decision", id, None).await.map_err(|failure| anyhow!("{failure:?}"))?;
    let text = text.context("the decision is gone")?;
    let arena = Arena::new();
    let read = json::read(&arena, text.as_bytes(), Limits::default())?;
    let part = |path: &str| read.path(path).as_text().unwrap_or_default().to_owned();
    let reasons = read.get("reasons").items().iter().filter_map(|reason| reason.get("text").as_text());
    Ok(Decision {
        label: part("label.value"),
        shown: part("label.label"),
        reasons: reasons.map(str::to_owned).collect(),
    })
}

/// Prints a journey as a timeline.
fn show(play: &Play, journey: &Journey, zone: &TimeZone) {
    let outcome = journey.decision.as_ref().map(|made| format!("{} {}", made.shown, made.label));
    say::out(format!("{} → {}", play.name, outcome.as_deref().unwrap_or("no decision")));
    if let Some(made) = &journey.decision {
        say::out(format!("  because {}", made.reasons.join("; ")));
    }
    say::out(format!("  trace {}", journey.trace));
    let titles = ["TIME", "STEP", "SYSTEM", "RESULT", ""].map(str::to_owned);
    let rows: Vec<[String; 5]> = [titles].into_iter().chain(journey.steps.iter().map(|step| row(step, zone))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    for row in &rows {
        let mut line = String::from("  ");
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        line.push_str(&row[4]);
        say::out(line.trim_end());
    }
    say::out("");
}

fn row(step: &Step, zone: &TimeZone) -> [String; 5] {
    let at = Timestamp::from_microsecond(step.at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let about = step.subject.split_once('/').map_or(step.subject.as_str(), |(entity, _)| entity);
    let what = if about.is_empty() { step.step.clone() } else { format!("{} {about}", step.step) };
    [at.strftime("%H:%M:%S%.3f").to_string(), what, step.system.clone(), step.result.clone(), step.detail.clone()]
}

async fn show_addresses(config: &Config, running: &Running, sandbox: &str) -> anyhow::Result<()> {
    let key = config.environment.get("HRHUB_ADMIN_KEY").context("the demo's HRHUB_ADMIN_KEY is not set")?;
    let ticket = running.console.ticket(&Private::new(key.clone())).await?;
    let hub = config.public_url();
    say::out(format!(
        "Look at it:\n  console   {ticket}\n            (signs you in once; later: {hub}/console with the key below)\n  API       curl -H 'Authorization: Bearer {key}' '{hub}/v1/applications?connection=greenhouse-main'\n  effects   curl http://{sandbox}/_sandbox/effects   what the simulated vendors were asked to do, and how often\n\nCtrl-C ends it."
    ));
    Ok(())
}

/// Reads what is played.
fn plays() -> anyhow::Result<Vec<Play>> {
    let source = Source::new("gateway/hub/demo.yaml", DEMO);
    let findings = Findings::new();
    let plays = yaml::read(&source, &findings).and_then(|root| read_plays(&root, &Context::new(&source, &findings)));
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    plays.filter(|_| found.is_empty()).ok_or_else(|| anyhow!("{}", found.join("\n")))
}

fn read_plays(root: &Node, cx: &Context<'_>) -> Option<Vec<Play>> {
    let mut fields = root.fields(cx)?;
    fields.version(1);
    let items = fields.required("play").map(|node| node.items(cx)).unwrap_or_default();
    let plays = items.iter().filter_map(|item| read_play(item, cx)).collect();
    fields.finish();
    Some(plays)
}

fn read_play(node: &Node, cx: &Context<'_>) -> Option<Play> {
    let arena = Arena::new();
    let mut fields = node.fields(cx)?;
    let with = fields.required("with").map(|node| json::to_string(&node.to_value(&arena)));
    let record = fields.required("record").and_then(|node| {
        let mut own = node.fields(cx)?;
        let read = (own.required_text("entity"), own.required_text("connection"), own.required_text("remote_id"));
        own.finish();
        Some((read.0?, read.1?, read.2?))
    });
    let play = (
        fields.required_text("name"),
        fields.required_text("vendor"),
        fields.required_text("action"),
        fields.required_text("label"),
    );
    let calls = fields.texts("calls");
    fields.finish();
    let (name, vendor, action, label) = (play.0?, play.1?, play.2?, play.3?);
    Some(Play { name, vendor, action, with: with?, record: record?, label, calls })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_play_has_one_candidate_per_outcome() {
        let labels: Vec<String> = plays().unwrap().into_iter().map(|play| play.label).collect();
        assert_eq!(labels, ["RECOMMENDED", "CONSIDER", "NOT_RECOMMENDED"]);
    }
}
