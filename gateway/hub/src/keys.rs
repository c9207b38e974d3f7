//! `hrhub keys`: API keys.

use crate::assemble::open_store;
use crate::cli::{KeysCommand, Place};
use crate::config::Config;
use crate::say;
use anyhow::bail;
use hub_flow::access::{Scope, make_key};
use hub_store::job;
use hub_tree::Clock;
use hub_tree::jiff::Timestamp;
use std::process::ExitCode;

pub(crate) async fn run(command: KeysCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    match command {
        KeysCommand::Create { name, scopes, tenant } => {
            let scopes = Scope::parse_list(&scopes).map_err(|wrong| anyhow::anyhow!("--scopes: {wrong}"))?;
            for (flag, text) in [("--name", &name), ("--tenant", &tenant)] {
                if text.trim().is_empty() || text.len() > 100 || text.chars().any(char::is_control) {
                    bail!("{flag} needs 1 to 100 characters in one line");
                }
            }
            let made = make_key(&name, &tenant, &scopes, &clock);
            let row = made.row;
            store.keyring().ensure(&store, &clock, &tenant).await?;
            store.write(job!(|tx| { tx.insert_key(row.clone()).await })).await?;
            say::out(made.shown.expose());
            say::note("Keep it now: it is not shown again.");
        }
        KeysCommand::List => {
            let keys = store.read(job!(|tx| { tx.keys().await })).await?;
            for key in &keys {
                let since = |micros: i64| {
                    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
                    format!("{at:.0}")
                };
                let revoked = key.revoked_at.map(|at| format!("  revoked {}", since(at))).unwrap_or_default();
                let new = &key.new;
                let made = since(new.created_at);
                say::out(format!(
                    "{}  {}  tenant {}  [{}]  made {made}{revoked}",
                    new.id, new.name, new.tenant, new.scopes
                ));
            }
            if keys.is_empty() {
                say::note("There are no keys; `hrhub keys create --name NAME --scopes SCOPES` makes one.");
            }
        }
        KeysCommand::Revoke { id } => {
            let (now, wanted) = (clock.micros(), id.clone());
            if !store.write(job!(|tx| { tx.revoke_key(&wanted, now).await })).await? {
                bail!("there is no valid key `{id}`; `hrhub keys list` shows the keys");
            }
            say::out(format!("{id} is void now"));
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
