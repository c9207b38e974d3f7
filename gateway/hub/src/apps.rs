//! `hrhub apps`: named callers, what they may do, and their keys.

use crate::assemble::open_store;
use crate::cli::Place;
use crate::config::Config;
use crate::keys::{at, life};
use crate::say;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use hub_flow::access::apps::{self, NewApp};
use hub_flow::access::{Grants, MadeKey, Units};
use hub_flow::audit::Entry;
use hub_store::{App, AppFilter, Store, job};
use hub_tree::Clock;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(crate) enum AppsCommand {
    /// Make an app and print its first key once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it may do, separated by commas: scopes, roles, `read:employees`, `write:candidates` …
        #[arg(long, default_value = "")]
        grants: String,
        /// Roles, separated by commas: admin, `mapping_editor`, approver, operator, auditor, app.
        #[arg(long, default_value = "")]
        roles: String,
        /// Whose data it sees.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Departments that it is limited to, separated by commas: ids, or `CONNECTION/REMOTE_ID`.
        #[arg(long, value_delimiter = ',')]
        units: Vec<String>,
        /// Only these departments, not those below them.
        #[arg(long, requires = "units")]
        not_below: bool,
        /// Days after which the key ends.
        #[arg(long)]
        days: Option<u32>,
    },
    /// List the apps.
    List {
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Show an app.
    Show {
        /// Its id.
        id: String,
    },
    /// List the keys of an app; the secrets are not kept.
    Keys {
        /// Its id.
        id: String,
    },
    /// Make a new key and print it once; the old ones end a while later.
    Rotate {
        /// The app's id.
        id: String,
        /// For how many hours the old keys stay good.
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
        /// Days after which the new key ends.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Make one key of an app void.
    Revoke {
        /// The app's id.
        id: String,
        /// The key's id.
        key: String,
    },
    /// Make an app void with all its keys.
    Delete {
        /// Its id.
        id: String,
    },
}

/// Apps that are read at once.
const PAGE: i64 = 200;

pub(crate) async fn run(command: AppsCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    match command {
        AppsCommand::Create { name, grants: scopes, roles, tenant, units, not_below, days } => {
            let grants = grants("--grants", &[scopes, roles])?;
            one_line("--name", &name)?;
            one_line("--tenant", &tenant)?;
            store.keyring().ensure(&store, &clock, &tenant).await?;
            let departments = apps::departments(&store, &tenant, units).await.context("--units")?;
            let units = (!departments.is_empty()).then_some(Units { departments, below: !not_below });
            let expires_at = end(&store, days)?;
            let entry = Entry::by_command(&tenant, "app.created");
            let new = NewApp { tenant, name, grants, units, expires_at };
            let made = apps::create(&store, &clock, entry, new).await?;
            say::note(format!("The app is {}.", made.row.app.id));
            show_once(&made);
        }
        AppsCommand::List { tenant } => list(&store, tenant).await?,
        AppsCommand::Show { id } => {
            let app = find(&store, &id).await?;
            let keys = store.read(job!(|tx| { tx.keys_of(&id).await })).await?;
            say::out(line(&app));
            keys.iter().for_each(|key| say::out(format!("  key {}  {}", key.new.id, life(key))));
        }
        AppsCommand::Keys { id } => {
            find(&store, &id).await?;
            let keys = store.read(job!(|tx| { tx.keys_of(&id).await })).await?;
            keys.iter().for_each(|key| say::out(format!("{}  {}", key.new.id, life(key))));
        }
        AppsCommand::Rotate { id, overlap_hours, days } => {
            let expires_at = end(&store, days)?;
            let entry = Entry::by_command(&find(&store, &id).await?.tenant, "app.rotated");
            let overlap = i64::from(overlap_hours) * 3600;
            show_once(&apps::rotate(&store, &clock, entry, &id, overlap, expires_at).await?);
        }
        AppsCommand::Revoke { id, key } => {
            let entry = Entry::by_command(&find(&store, &id).await?.tenant, "app.key_revoked");
            if !apps::revoke_key(&store, &clock, entry, &id, &key).await? {
                bail!("the app has no valid key `{key}`; `hrhub apps keys ID` shows its keys");
            }
            say::out(format!("{key} is void now"));
        }
        AppsCommand::Delete { id } => {
            let entry = Entry::by_command(&find(&store, &id).await?.tenant, "app.deleted");
            if !apps::delete(&store, &clock, entry, &id).await? {
                bail!("there is no app `{id}`; `hrhub apps list` shows the apps");
            }
            say::out(format!("{id} is void now, and all its keys"));
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &Store, tenant: Option<String>) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let filter = AppFilter { tenant: tenant.clone(), include_void: false, after: after.clone(), limit: PAGE };
        let found = store.read(job!(|tx| { tx.apps(filter).await })).await?;
        found.iter().for_each(|app| say::out(line(app)));
        match found.last() {
            Some(last) => after.clone_from(&last.id),
            None => break,
        }
    }
    if after.is_empty() {
        say::note("There are no apps; `hrhub apps create --name NAME --grants SCOPES` makes one.");
    }
    Ok(())
}

async fn find(store: &Store, id: &str) -> anyhow::Result<App> {
    let wanted = id.to_owned();
    let found = store.read(job!(|tx| { tx.app(&wanted).await })).await?;
    found.with_context(|| format!("there is no app `{id}`; `hrhub apps list` shows the apps"))
}

fn line(app: &App) -> String {
    let below = if app.below { " and below" } else { "" };
    let units = if app.units.is_empty() { String::new() } else { format!("  within {}{below}", app.units.join(", ")) };
    let end = app.revoked_at.map(|end| format!("  revoked {}", at(end))).unwrap_or_default();
    let App { id, name, tenant, grants, created_at, .. } = app;
    format!("{id}  {name}  tenant {tenant}  [{grants}]{units}  made {}{end}", at(*created_at))
}

fn show_once(made: &MadeKey) {
    say::out(made.shown.expose());
    say::note("Keep it now: it is not shown again.");
}

/// When a key ends that lasts for some days from now, µs.
fn end(store: &Store, days: Option<u32>) -> anyhow::Result<Option<i64>> {
    if days == Some(0) {
        bail!("--days needs at least 1");
    }
    Ok(days.map(|days| store.now().saturating_add(i64::from(days) * 86_400_000_000)))
}

/// What scopes and roles on a command line open.
pub(crate) fn grants(flag: &str, words: &[String]) -> anyhow::Result<Grants> {
    Grants::parse(&words.join(",")).map_err(|wrong| anyhow::anyhow!("{flag}: {wrong}"))
}

/// Refuses names that do not fit into one line.
pub(crate) fn one_line(flag: &str, text: &str) -> anyhow::Result<()> {
    if text.trim().is_empty() || text.len() > 100 || text.chars().any(char::is_control) {
        bail!("{flag} needs 1 to 100 characters in one line");
    }
    Ok(())
}
