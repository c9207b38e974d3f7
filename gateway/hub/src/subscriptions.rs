//! `hrhub subscriptions`: who is told of events.

use crate::assemble::open_store;
use crate::cli::{Place, SubscriptionsCommand};
use crate::config::Config;
use crate::parked::operator;
use crate::say;
use anyhow::{Context, bail};
use hub_flow::parked::redrive;
use hub_flow::subscriptions::{Endpoint, REPLAYED, event_of};
use hub_store::{Errand, Past, Store, Subscription, SubscriptionChange, SubscriptionDelivery, SubscriptionFilter, job};
use hub_tree::Clock;
use hub_tree::clock::rfc3339_micros;
use hub_tree::jiff::Timestamp;
use std::process::ExitCode;
use url::Url;

/// Rows that are read at once.
const PAGE: i64 = 200;
/// Events a second that a replay hands out.
const REPLAY_RATE: i64 = 50;

pub(crate) async fn run(command: SubscriptionsCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let clock = Clock::System;
    let config = Config::at(place)?;
    let store = open_store(&config, &clock).await?;
    match command {
        SubscriptionsCommand::List => {
            let all = all(&store).await?;
            all.iter().for_each(|one| say::out(line(&store, one)));
            if all.is_empty() {
                say::note("There are no subscriptions; apps make them with POST /v1/subscriptions.");
            }
        }
        SubscriptionsCommand::Disable { id } => {
            switch(&store, &clock, &id, Some("switched off on the command line")).await?;
            say::out(format!("{id} gets no events"));
        }
        SubscriptionsCommand::Enable { id } => {
            switch(&store, &clock, &id, None).await?;
            say::out(format!("{id} gets the events from now on"));
        }
        SubscriptionsCommand::Delete { id } => {
            let (tenant, wanted, now) = (find(&store, &id).await?.new.tenant, id.clone(), clock.micros());
            store.write(job!(|tx| { tx.delete_subscription(&tenant, &wanted, now).await })).await?;
            say::out(format!("{id} is deleted, with what waited for it"));
        }
        SubscriptionsCommand::Deliveries { id, last } => {
            let (tenant, wanted) = (find(&store, &id).await?.new.tenant, id.clone());
            let reading =
                store.read(job!(|tx| { tx.subscription_deliveries(&tenant, &wanted, "", i64::from(last)).await }));
            let rows = reading.await?;
            rows.iter().for_each(|row| say::out(delivery_line(row)));
            if rows.is_empty() {
                say::note("Nothing was sent to it.");
            }
        }
        SubscriptionsCommand::Replay { id, since, failed } => {
            let found = find(&store, &id).await?;
            let since: Timestamp = since.parse().context("`--since` is a time such as 2026-03-01T00:00:00Z")?;
            let past = Past { from: since.as_microsecond(), to: clock.micros(), ..Past::default() };
            let errand = Errand::Events(past, format!("{REPLAYED}/{id}{}", if failed { "/failed" } else { "" }));
            let asker = operator(&found.new.tenant, String::new());
            let begun = redrive(&store, &clock, asker, errand, REPLAY_RATE).await?;
            say::out(format!("{} events are looked at again for {id} (replay {})", begun.total, begun.new.id));
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn all(store: &Store) -> anyhow::Result<Vec<Subscription>> {
    let mut all: Vec<Subscription> = Vec::new();
    loop {
        let after = all.last().map(|last| last.new.id.clone()).unwrap_or_default();
        let filter = SubscriptionFilter { after, limit: PAGE, ..SubscriptionFilter::default() };
        let page = store.read(job!(|tx| { tx.subscriptions(filter).await })).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn find(store: &Store, id: &str) -> anyhow::Result<Subscription> {
    let found = all(store).await?.into_iter().find(|one| one.new.id == id);
    found.ok_or_else(|| anyhow::anyhow!("there is no subscription `{id}`; `hrhub subscriptions list` shows them"))
}

/// Switches a subscription off, with a reason, or on.
async fn switch(store: &Store, clock: &Clock, id: &str, off: Option<&str>) -> anyhow::Result<()> {
    let found = find(store, id).await?;
    let change = SubscriptionChange {
        revision: found.revision,
        types: None,
        sealed: None,
        options: None,
        disabled: Some(off.map(str::to_owned)),
        by: "command-line".to_owned(),
        at: clock.micros(),
    };
    let (tenant, id) = (found.new.tenant, found.new.id);
    if !store.write(job!(|tx| { tx.change_subscription(&tenant, &id, change).await })).await? {
        bail!("somebody else has just changed the subscription; try again");
    }
    Ok(())
}

/// A delivery in one line.
fn delivery_line(row: &SubscriptionDelivery) -> String {
    let error = row.error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
    let at = rfc3339_micros(row.done_at.unwrap_or(row.created_at));
    let (event, state, tries) = (event_of(&row.key), &row.state, row.tries);
    format!("{at}  {event}  {}  {state}  tries {tries}{error}", row.subject)
}

/// A subscription in one line. An address may hold a key of the app: only its host is shown.
fn line(store: &Store, one: &Subscription) -> String {
    let new = &one.new;
    let endpoint = Endpoint::open(store.keyring(), &new.tenant, &new.id, &new.sealed).ok();
    let url = endpoint.and_then(|endpoint| Url::parse(endpoint.url.expose()).ok());
    let host = url.map_or_else(|| "?".to_owned(), |url| url.origin().ascii_serialization());
    let connection = if new.connection.is_empty() { String::new() } else { format!("  from {}", new.connection) };
    let state = match (one.disabled_at, one.orphaned, one.failing_since) {
        (Some(at), _, _) => format!("disabled since {}: {}", rfc3339_micros(at), one.disabled_why),
        (None, true, _) => "disabled: the key of the app that made it is void".to_owned(),
        (None, false, Some(since)) => format!("failing since {}: {}", rfc3339_micros(since), one.failing_why),
        (None, false, None) => "active".to_owned(),
    };
    let Subscription { sequence, .. } = one;
    format!(
        "{}  tenant {}  app {}  {host}  [{}]{connection}  sent {sequence}  {state}",
        new.id, new.tenant, new.owner, new.types
    )
}
