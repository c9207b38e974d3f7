//! `hrhub parked`: what needs a person.

mod args;

pub(crate) use args::{ParkedCommand, View};

use crate::assemble::{drivers, open_store, registry};
use crate::cli::{Format, Place};
use crate::config::Config;
use crate::say;
use anyhow::bail;
use hub_api::{parked as shown, redrives};
use hub_flow::audit::at_command_line;
use hub_flow::parked::{self, Asker, can_tell};
use hub_store::{Errand, Parked, ParkedFilter, Redrive, Store, Verdict, Which, job};
use hub_tree::jiff::Timestamp;
use hub_tree::{Clock, Findings, env};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// The most groups and re-drives that are listed.
const LISTED: i64 = 500;

/// Who sits at the command line.
pub(crate) fn operator(tenant: &str, note: String) -> Asker {
    let user = env::read("USER").filter(|user| !user.is_empty());
    let name = user.map_or_else(|| "cli".to_owned(), |user| format!("cli:{user}"));
    Asker { tenant: tenant.to_owned(), who: at_command_line(&name), name, note }
}

pub(crate) async fn run(command: ParkedCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    match command {
        ParkedCommand::Groups { filter, view } => groups(&store, filter.which(Vec::new()), &view).await?,
        ParkedCommand::List { filter, resolved, limit, view } => {
            let filter = ParkedFilter {
                which: filter.which(Vec::new()),
                resolved,
                after: String::new(),
                limit: i64::from(limit.max(1)),
            };
            list(&store, filter, &view).await?;
        }
        ParkedCommand::Show { id, view } => show(&store, &id, &view).await?,
        ParkedCommand::Preview(chosen) => {
            let (which, verdict, view) = chosen.read()?;
            preview(&config, &store, &which, verdict, &view).await?;
        }
        ParkedCommand::Redrive { chosen, rate, note, wait } => {
            let (which, verdict, view) = chosen.read()?;
            let asker = operator(&view.tenant, note);
            let begun = parked::redrive(&store, &clock, asker, Errand::Parked(which, verdict), rate).await?;
            begin(&store, begun, wait, &view).await?;
        }
        ParkedCommand::Discard { chosen, note } => {
            let (which, verdict, view) = chosen.read()?;
            if verdict != Verdict::Unknown {
                bail!("what is discarded is not tried again: leave --carried-out and --not-carried-out out");
            }
            let count = parked::discard(&store, &clock, &operator(&view.tenant, note), &which).await?;
            match view.format {
                Format::Json => say::out(serde_json::json!({ "discarded": count }).to_string()),
                Format::Text => say::out(format!("{count} discarded")),
            }
        }
        ParkedCommand::Redrives { view } => {
            let tenant = view.tenant.clone();
            let found = store.read(job!(|tx| { tx.redrives(&tenant, "", LISTED).await })).await?;
            print(&view, found.iter().map(redrives::redrive_json), || found.iter().for_each(tell));
            if found.is_empty() {
                say::note("Nothing was re-driven or replayed yet.");
            }
        }
        ParkedCommand::Stop { id, view } => turn(&store, &clock, &id, false, &view).await?,
        ParkedCommand::Resume { id, view } => turn(&store, &clock, &id, true, &view).await?,
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A list as JSON, or as `text` prints it.
fn print(view: &View, rows: impl Iterator<Item = Value>, text: impl FnOnce()) {
    match view.format {
        Format::Json => say::out(Value::from(rows.collect::<Vec<_>>()).to_string()),
        Format::Text => text(),
    }
}

fn since(micros: i64) -> String {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.0}")
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

async fn groups(store: &Store, which: Which, view: &View) -> anyhow::Result<()> {
    let tenant = view.tenant.clone();
    let groups = store.read(job!(|tx| { tx.parked_groups(&tenant, which, LISTED).await })).await?;
    print(view, groups.iter().map(shown::group_json), || {
        for group in &groups {
            let one = &group.example;
            let connection = or_dash(&one.connection);
            say::out(format!(
                "{}  {:>6}  {connection}  {}  {}  since {}",
                group.group,
                group.count,
                one.step,
                one.code,
                since(group.oldest)
            ));
            say::out(format!("              such as: {}", one.reason));
            if !one.place.is_empty() {
                say::out(format!("              at: {}", one.place));
            }
        }
        if groups.is_empty() {
            say::note("Nothing needs a person.");
        }
    });
    Ok(())
}

async fn list(store: &Store, filter: ParkedFilter, view: &View) -> anyhow::Result<()> {
    let (tenant, limit) = (view.tenant.clone(), filter.limit);
    let found = store.read(job!(|tx| { tx.parked(&tenant, filter).await })).await?;
    print(view, found.iter().map(shown::item_json), || {
        found.iter().for_each(|parked| say::out(line(parked)));
        if found.is_empty() {
            say::note("Nothing lies parked here.");
        } else if i64::try_from(found.len()).unwrap_or(0) == limit {
            say::note("There may be more: --limit shows more of them.");
        }
    });
    Ok(())
}

fn line(parked: &Parked) -> String {
    let new = &parked.new;
    let ended = parked.resolved.as_ref().map(|resolved| {
        let note = if resolved.note.is_empty() { String::new() } else { format!(": {}", resolved.note) };
        format!("  {} by {} {}{note}", resolved.how, resolved.by, since(resolved.at))
    });
    format!(
        "{}  {}  {}  {}  {}  {}{}",
        new.id,
        since(new.at),
        or_dash(&new.connection),
        new.step,
        new.code,
        new.reason,
        ended.unwrap_or_default()
    )
}

async fn show(store: &Store, id: &str, view: &View) -> anyhow::Result<()> {
    let Some(found) = parked::show(store, &view.tenant, id).await? else {
        bail!("nothing lies parked under `{id}`; `hrhub parked list` shows the ids");
    };
    let value = shown::shown_json(&found);
    if view.format == Format::Json {
        say::out(value.to_string());
        return Ok(());
    }
    let new = &found.parked.new;
    let former = found.parked.former.as_deref().unwrap_or_default();
    for (name, text) in [
        ("connection", new.connection.as_str()),
        ("step", &new.step),
        ("code", &new.code),
        ("reason", &new.reason),
        ("place", &new.place),
        ("group", &found.parked.group),
        ("journey", &new.trace),
        ("tried before", former),
        ("what", &found.what),
    ] {
        if !text.is_empty() {
            say::out(format!("{name:<13} {text}"));
        }
    }
    say::out(format!("{:<13} {}", "parked", since(new.at)));
    if let Some(resolved) = &found.parked.resolved {
        say::out(format!("{:<13} {} by {} {}", "resolved", resolved.how, resolved.by, since(resolved.at)));
    }
    say::out(format!("payload, masked:\n{}", serde_json::to_string_pretty(&value["payload"])?));
    Ok(())
}

async fn preview(config: &Config, store: &Store, which: &Which, verdict: Verdict, view: &View) -> anyhow::Result<()> {
    // What is broken in the configuration is left out, and then nobody can tell.
    let registry = registry(config, &drivers(), &Findings::new());
    let tells = |connection: &str, operation: &str| can_tell(&registry, connection, operation);
    let preview = parked::preview(store, &view.tenant, which, verdict, &tells).await?;
    if view.format == Format::Json {
        say::out(shown::preview_json(&preview).to_string());
        return Ok(());
    }
    let oldest = preview.oldest.map(|at| format!(", the oldest since {}", since(at))).unwrap_or_default();
    say::out(format!("{} would be tried again{oldest}", preview.total - preview.refused));
    if preview.refused > 0 {
        say::out(format!(
            "{} would stay parked: only somebody who looks at the vendor can know whether they were carried out",
            preview.refused
        ));
    }
    for (connection, step, code, count, _) in &preview.touched.causes {
        say::out(format!("  {count:>6}  {}  {step}  {code}", or_dash(connection)));
    }
    for calls in &preview.touched.calls {
        let what = if calls.done { "answers read again" } else { "calls" };
        say::out(format!("  {:>6}  {what}: {} at {} ({})", calls.count, calls.operation, calls.connection, calls.code));
    }
    say::out(format!("  {:>6}  records touched", preview.touched.records));
    say::out(format!("  {:>6}  payloads mapped again", preview.touched.payloads));
    for (system, count) in &preview.touched.effects {
        say::out(format!("  {count:>6}  calls done at {system} before, not repeated"));
    }
    Ok(())
}

async fn turn(store: &Store, clock: &Clock, id: &str, run: bool, view: &View) -> anyhow::Result<()> {
    let asker = operator(&view.tenant, String::new());
    let Some(found) = parked::turn(store, clock, &asker, id, run).await? else {
        bail!("there is no re-drive or replay `{id}`; `hrhub parked redrives` lists them");
    };
    report(&found, view);
    Ok(())
}

fn report(redrive: &Redrive, view: &View) {
    match view.format {
        Format::Json => say::out(redrives::redrive_json(redrive).to_string()),
        Format::Text => tell(redrive),
    }
}

fn tell(redrive: &Redrive) {
    let of = match redrive.new.errand {
        Errand::Parked(..) => "re-drive",
        Errand::Events(..) => "replay of events",
        Errand::Raws(..) => "replay of payloads",
    };
    let refused = if redrive.refused > 0 { format!(", {} left as they are", redrive.refused) } else { String::new() };
    let error = if redrive.error.is_empty() { String::new() } else { format!(": {}", redrive.error) };
    say::out(format!(
        "{}  {of}  {}  {} of {} tried again{refused}  by {} {}{error}",
        redrive.new.id,
        redrive.state,
        redrive.done,
        redrive.total,
        redrive.new.asked_by,
        since(redrive.new.asked_at)
    ));
}

/// Tells of a re-drive or replay that has begun, and waits for its end if asked to.
pub(crate) async fn begin(store: &Store, begun: Redrive, wait: bool, view: &View) -> anyhow::Result<()> {
    let (tenant, id) = (begun.new.tenant.clone(), begun.new.id.clone());
    let mut last = begun;
    if wait {
        while last.state == "running" {
            say::progress(&format!("{} of {}", last.done + last.refused, last.total));
            tokio::time::sleep(Duration::from_millis(200)).await;
            let (tenant, id) = (tenant.clone(), id.clone());
            if let Some(now) = store.read(job!(|tx| { tx.redrive(&tenant, &id).await })).await? {
                last = now;
            }
        }
        say::progress("");
    }
    report(&last, view);
    if last.state == "running" && view.format == Format::Text {
        say::note(format!(
            "The running hub carries it on; `hrhub parked stop {id}` stops it, `hrhub parked redrives` shows how far it is."
        ));
    }
    Ok(())
}
