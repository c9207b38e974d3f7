//! `hrhub keys`: API keys, each an app of its own.

use crate::apps::{grants, one_line};
use crate::assemble::open_store;
use crate::cli::{KeysCommand, Place};
use crate::config::Config;
use crate::say;
use anyhow::bail;
use hub_flow::access::make_lone_key;
use hub_flow::audit::Entry;
use hub_store::{ApiKey, job};
use hub_tree::Clock;
use hub_tree::jiff::Timestamp;
use std::process::ExitCode;

pub(crate) async fn run(command: KeysCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    match command {
        KeysCommand::Create { name, scopes, roles, tenant } => {
            let grants = grants("--scopes", &[scopes, roles])?;
            one_line("--name", &name)?;
            one_line("--tenant", &tenant)?;
            store.keyring().ensure(&store, &clock, &tenant).await?;
            let made = make_lone_key(&name, &tenant, &grants, store.now());
            let row = made.row;
            let entry = Entry::by_command(&row.app.tenant, "key.created").about("app", &row.id);
            let entry = entry.detail("grants", row.app.grants.clone()).sealed(&store, &clock).await?;
            store
                .write(job!(|tx| {
                    tx.insert_app(row.app.clone()).await?;
                    tx.insert_key(row).await?;
                    tx.append_audit(entry).await
                }))
                .await?;
            say::out(made.shown.expose());
            say::note("Keep it now: it is not shown again.");
        }
        KeysCommand::List => {
            let keys = store.read(job!(|tx| { tx.keys().await })).await?;
            for key in &keys {
                let app = &key.new.app;
                say::out(format!(
                    "{}  {}  tenant {}  [{}]  {}",
                    key.new.id,
                    app.name,
                    app.tenant,
                    app.grants,
                    life(key)
                ));
            }
            if keys.is_empty() {
                say::note("There are no keys; `hrhub keys create --name NAME --scopes SCOPES` makes one.");
            }
        }
        KeysCommand::Revoke { id } => {
            let (now, wanted) = (store.now(), id.clone());
            let known = store.read(job!(|tx| { tx.key(&wanted).await })).await?;
            let Some(known) = known else { bail!("there is no valid key `{id}`; `hrhub keys list` shows the keys") };
            let entry = Entry::by_command(&known.new.app.tenant, "key.revoked")
                .about("key", &id)
                .sealed(&store, &clock)
                .await?;
            let wanted = id.clone();
            let revoked = store
                .write(job!(|tx| {
                    let done = tx.revoke_key(&wanted, now).await?;
                    if done {
                        tx.append_audit(entry).await?;
                    }
                    Ok(done)
                }))
                .await?;
            if !revoked {
                bail!("there is no valid key `{id}`; `hrhub keys list` shows the keys");
            }
            say::out(format!("{id} is void now"));
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// When a key was made, last seen, and ends or ended.
pub(crate) fn life(key: &ApiKey) -> String {
    let mut words = vec![format!("made {}", at(key.new.created_at))];
    words.extend(key.last_used_at.map(|seen| format!("last used {}", at(seen))));
    words.extend(key.new.expires_at.map(|end| format!("until {}", at(end))));
    words.extend(key.revoked_at.or(key.new.app.revoked_at).map(|end| format!("revoked {}", at(end))));
    words.join("  ")
}

/// A time as people read it.
pub(crate) fn at(micros: i64) -> String {
    format!("{:.0}", Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH))
}
