//! What the database says.

use super::Report;
use crate::backup::store_url;
use crate::config::{Config, StoreKind};
use hub_store::{Probe, StoreError};
use hub_tree::Clock;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long connecting may take.
const WITHIN: Duration = Duration::from_secs(10);
const SECOND: i64 = 1_000_000;
/// Clocks further apart than this disturb leases and signatures.
const SKEW_ERROR: i64 = 30 * SECOND;
const SKEW_WARNING: i64 = 2 * SECOND;
/// Work that waits longer than this is not being done.
const OLD: i64 = 300 * SECOND;
/// PostgreSQL below this is not tested.
const OLDEST_SERVER: i64 = 130_000;

pub(super) async fn look(config: &Config, report: &mut Report) {
    let file = config.data.join("hub.db");
    let place = match &config.store {
        StoreKind::Sqlite { .. } => file.display().to_string(),
        StoreKind::Postgres { url, .. } => server_name(url),
    };
    if matches!(config.store, StoreKind::Sqlite { .. }) && !file.exists() {
        report.looked_at("store (none yet)");
        return;
    }
    let opened = tokio::time::timeout(WITHIN, Probe::open(&store_url(config, false))).await;
    let mut probe = match opened {
        Ok(Ok(probe)) => probe,
        Ok(Err(error)) => return away(&place, &reason(&error), report),
        Err(_) => return away(&place, "no answer in time", report),
    };
    let looked = match &config.store {
        StoreKind::Sqlite { .. } => file_itself(&mut probe, &place, report).await,
        StoreKind::Postgres { max_connections, .. } => server(&mut probe, &place, *max_connections, report).await,
    };
    let looked = match looked {
        Ok(()) => contents(&mut probe, &place, report).await,
        failed => failed,
    };
    match looked {
        Ok(()) => report.looked_at(format!("store ({})", if file.exists() { "sqlite" } else { "postgres" })),
        Err(error) => away(&place, &reason(&error), report),
    }
}

/// An error and what is behind it.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

fn away(place: &str, reason: &str, report: &mut Report) {
    let fix = if place.starts_with("postgres://") {
        "start the database, or mend `store` in hub.yaml"
    } else {
        "stop the hub, move the file away, and hrhub restore a backup"
    };
    report.error(place, format!("the store cannot be looked at: {reason}"), fix);
    report.looked_at("store (away)");
}

/// Host, port and database, without user and password.
fn server_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('?').next().unwrap_or(rest);
    format!("postgres://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

async fn file_itself(probe: &mut Probe, place: &str, report: &mut Report) -> Result<(), StoreError> {
    for line in probe.integrity().await? {
        report.error(place, format!("SQLite finds damage: {line}"), "stop the hub and restore a backup");
    }
    let mode = probe.journal_mode().await?;
    if mode != "wal" {
        report.warning(place, format!("the journal mode is {mode}, not wal"), "hrhub serve sets it when it starts");
    }
    Ok(())
}

async fn server(probe: &mut Probe, place: &str, own: u32, report: &mut Report) -> Result<(), StoreError> {
    let settings = probe.server().await?;
    judge(&settings, place, i64::from(own), Clock::System.micros(), report);
    Ok(())
}

fn judge(settings: &BTreeMap<String, String>, place: &str, own: i64, now: i64, report: &mut Report) {
    let text = |name: &str| settings.get(name).map_or("", String::as_str);
    let number = |name: &str| text(name).parse::<i64>().unwrap_or(0);
    for name in ["fsync", "full_page_writes"] {
        if text(name) == "off" {
            let what = format!("{name} is off: a power cut can lose or damage what was accepted");
            report.error(place, what, format!("ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"));
        }
    }
    if text("synchronous_commit") == "off" {
        let what = "synchronous_commit is off: a crash loses the last commits, which vendors were told are kept";
        report.error(place, what, "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf();");
    }
    if number("server_version_num") < OLDEST_SERVER {
        let what = format!("PostgreSQL {} is older than those that are tested", text("server_version"));
        report.warning(place, what, "upgrade to PostgreSQL 15 or newer");
    }
    if text("standby") == "true" {
        report.error(
            place,
            "the server is a standby and takes no writes",
            "name the primary in `store.url` of hub.yaml",
        );
    } else if text("may_create") == "false" {
        let what = "the user may not make tables";
        report.error(place, what, "GRANT CREATE ON SCHEMA public TO <the user of store.url>;");
    }
    if text("encoding") != "UTF8" {
        let what = format!("the database's encoding is {}", text("encoding"));
        report.error(place, what, "CREATE DATABASE hrhub ENCODING 'UTF8' TEMPLATE template0;");
    }
    let free = number("max_connections") - number("superuser_reserved_connections") - number("connections");
    if own > number("max_connections") - number("superuser_reserved_connections") {
        let what = format!("store.max_connections is {own}, the server allows {}", number("max_connections"));
        report.error(place, what, "lower store.max_connections in hub.yaml, or raise max_connections of the server");
    } else if free < own {
        let what = format!("{free} connections are free on the server, a process of the hub may want {own}");
        report.warning(place, what, "lower store.max_connections in hub.yaml, or raise max_connections of the server");
    }
    let skew = (number("now") - now).abs();
    if skew > SKEW_WARNING {
        let what = format!("the clocks of this machine and the server differ by {} ms", skew / 1000);
        let fix = "run a time service on both, such as chrony or systemd-timesyncd";
        if skew > SKEW_ERROR { report.error(place, what, fix) } else { report.warning(place, what, fix) }
    }
}

async fn contents(probe: &mut Probe, place: &str, report: &mut Report) -> Result<(), StoreError> {
    let (there, known) = probe.schema().await?;
    let Some(there) = there else { return Ok(()) };
    if there > known {
        let what = format!("the store has schema version {there}, this program knows {known}");
        report.error(place, what, "use the newer hrhub");
    } else if there < known {
        let what = format!("the store has schema version {there}; this program brings it to {known} when it starts");
        report.warning(place, what, "hrhub backup, then hrhub serve");
    }
    let now = Clock::System.micros();
    let waiting = probe.waiting(now).await?;
    if waiting.parked > 0 {
        report.warning(place, format!("{} parked messages need a person", waiting.parked), "hrhub parked groups");
    }
    let minutes = |since: i64| (now - since) / (60 * SECOND);
    if waiting.ready > 0 && waiting.oldest < now - OLD {
        let what =
            format!("{} messages and calls wait, the oldest for {} minutes", waiting.ready, minutes(waiting.oldest));
        report.warning(place, what, "start a hub, or a worker; look at its log");
    }
    if waiting.unpublished > 0 && waiting.oldest_event < now - OLD {
        let what = format!(
            "{} events were not published, the oldest for {} minutes",
            waiting.unpublished,
            minutes(waiting.oldest_event)
        );
        report.warning(place, what, "start a hub, or a worker; look at the broker");
    }
    if waiting.stuck > 0 {
        let what = format!("{} messages and calls are held by processes that are gone", waiting.stuck);
        report.warning(place, what, "start a hub, or a worker: it takes them back");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(changed: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let good = [
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("server_version_num", "150004"),
            ("server_version", "15.4"),
            ("standby", "false"),
            ("may_create", "true"),
            ("encoding", "UTF8"),
            ("max_connections", "100"),
            ("superuser_reserved_connections", "3"),
            ("connections", "10"),
            ("now", "1000000000"),
        ];
        let settings = good.iter().chain(changed).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut report = Report::default();
        judge(&settings.collect(), "db", 16, 1_000_000_000, &mut report);
        report.findings.into_iter().map(|finding| (finding.level.word(), finding.fix)).collect()
    }

    #[test]
    fn weak_settings_of_a_server_are_named_with_what_to_set() {
        assert_eq!(found(&[]), []);
        for (name, value, level, fix) in [
            ("fsync", "off", "error", "fsync = on"),
            ("full_page_writes", "off", "error", "full_page_writes = on"),
            ("synchronous_commit", "off", "error", "synchronous_commit = on"),
            ("server_version_num", "120001", "warning", "upgrade"),
            ("standby", "true", "error", "primary"),
            ("may_create", "false", "error", "GRANT CREATE"),
            ("encoding", "LATIN1", "error", "UTF8"),
            ("max_connections", "10", "error", "store.max_connections"),
            ("connections", "90", "warning", "store.max_connections"),
            ("now", "1005000000", "warning", "time service"),
            ("now", "1100000000", "error", "time service"),
        ] {
            let found = found(&[(name, value)]);
            assert!(found.len() == 1 && found[0].0 == level && found[0].1.contains(fix), "{name}: {found:?}");
        }
    }

    #[test]
    fn a_server_is_named_without_its_password() {
        assert_eq!(
            server_name("postgres://hub:p@ss@db.example:5432/hrhub?sslmode=require"),
            "postgres://db.example:5432/hrhub"
        );
    }
}
