//! `hrhub restore`: a backup becomes an empty hub's store and log.
//!
//! Everything is checked before anything is written. The store is filled in one transaction, the log beside the data
//! folder's; a mark in the data folder keeps the hub from starting until both are whole, and lets a restore that was
//! broken off be done again.

use crate::assemble::{create_private_folder, queues, write_private};
use crate::backup::format::{Manifest, Rows, RowsReader, Verified};
use crate::backup::{master_key, store_url};
use crate::cli::Restore;
use crate::config::{BusKind, Config, StoreKind};
use crate::say;
use anyhow::{Context as _, bail};
use hub_bus::{LogCopy, LogFill, Message};
use hub_store::backup::{Cell, Load, Reopened, Reopening};
use hub_tree::Clock;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// While it lies in the data folder, a restore is under way or was broken off.
const MARK: &str = "restore.unfinished";
/// Rows that go into the store at once: few texts of statements, bounded memory.
const BATCH_ROWS: usize = 32;
const BATCH_BYTES: usize = 8 << 20;
/// The marks of handled events are kept for at least so long: younger events without one were not handled.
const MARKS_KEPT_MICROS: i64 = 7 * 86_400_000_000;

/// Refuses a data folder whose restore was broken off.
///
/// # Errors
/// It was.
pub(crate) fn refuse_unfinished(data: &Path) -> anyhow::Result<()> {
    let mark = data.join(MARK);
    if mark.exists() {
        bail!("{} says that a restore was broken off: run the same `hrhub restore` again", mark.display());
    }
    Ok(())
}

pub(crate) async fn run(args: Restore) -> anyhow::Result<ExitCode> {
    let (from, place) = (&args.from, &args.place);
    let config = Config::at(place)?;
    say::progress("checking the backup");
    let verified = Verified::read(from)?;
    verified.check_key(from, &master_key(&config, place)?)?;
    let manifest = &verified.manifest;
    create_private_folder(&config.data)?;
    let (mark, bus) = (config.data.join(MARK), config.data.join("bus"));
    let begun = fs::read_to_string(&mark).ok();
    match begun.as_deref().map(str::trim) {
        None => refuse_used_log(&bus)?,
        Some(id) if id == manifest.id => say::note("Going on with a restore that was broken off."),
        Some(_) => bail!("{} belongs to the restore of another backup: finish that one first", mark.display()),
    }
    if hub_bus::in_use(&bus)? {
        bail!("a hub is running on {}: stop it first", config.data.display());
    }
    let url = store_url(&config, true);
    // A SQLite file that is not there yet goes again when this fails.
    let file = config.data.join("hub.db");
    let makes_file = matches!(config.store, StoreKind::Sqlite { .. }) && !file.exists();
    let loaded = if makes_file { None } else { Load::loaded(&url).await.context("looking at the store")? };
    let reopened = if begun.is_some() && loaded.as_deref() == Some(manifest.id.as_str()) {
        fill_log(&config, from, manifest, &mark).await?;
        Reopened::default()
    } else {
        match fill(&config, from, manifest, &url, &mark).await {
            Ok(reopened) => reopened,
            Err(error) => {
                // A commit whose answer was lost may have been one; then the mark stays, and the next run goes on.
                let after = Load::loaded(&url).await;
                if after.as_ref().map_or(true, |found| found.as_deref() == Some(manifest.id.as_str())) {
                    return Err(error);
                }
                // Nothing was committed: what this has made goes.
                if mark.exists() {
                    drop_log(&bus)?;
                    fs::remove_file(&mark).with_context(|| format!("removing {}", mark.display()))?;
                }
                for end in if makes_file { &["", "-wal", "-shm"][..] } else { &[] } {
                    let _ = fs::remove_file(config.data.join(format!("hub.db{end}")));
                }
                return Err(error);
            }
        }
    };
    fs::remove_file(&mark).with_context(|| format!("removing {}", mark.display()))?;
    tell(&config, manifest, reopened);
    Ok(ExitCode::SUCCESS)
}

/// Fills store and log; the store's commit is the last thing.
async fn fill(config: &Config, from: &Path, manifest: &Manifest, url: &str, mark: &Path) -> anyhow::Result<Reopened> {
    // Refuses what is not empty, before anything is written.
    let load = Load::begin(url, manifest.schema).await;
    let load = load.with_context(|| format!("a backup goes into an empty store only; {}", empty_store(config)))?;
    fill_log(config, from, manifest, mark).await?;
    fill_store(config, load, from, manifest).await
}

fn tell(config: &Config, manifest: &Manifest, reopened: Reopened) {
    say::progress("");
    say::out(format!(
        "restored {} rows of {} tables and {} messages, as of {}",
        manifest.rows(),
        manifest.tables.len(),
        manifest.messages.rows,
        manifest.taken_at
    ));
    if reopened.unsure_calls > 0 {
        say::note(format!(
            "{} calls were open; they may have been made since: each is repeated only where the vendor knows a \
             repetition or a look-up finds nothing, the others are parked as OUTCOME_UNKNOWN.",
            reopened.unsure_calls
        ));
    }
    if reopened.events > 0 {
        say::note(format!("{} events are published again; consumers know those they have handled.", reopened.events));
    }
    if manifest.bus == "rabbitmq" {
        say::note(if manifest.queues_drained {
            "Web hooks accepted after the backup and not yet in the store lie in the broker's queues, if it still \
             has them."
        } else {
            "Web hooks that lay in the broker's queues are not in the backup: keep the broker's queues, if it still \
             has them."
        });
    }
    say::note(format!("Next: hrhub doctor, then hrhub serve, with --data {}", config.data.display()));
}

fn empty_store(config: &Config) -> String {
    match &config.store {
        StoreKind::Sqlite { .. } => {
            format!("move {} away, or name another folder with --data", config.data.join("hub.db").display())
        }
        StoreKind::Postgres { .. } => "create a new database and name it in `store.url` of hub.yaml".to_owned(),
    }
}

/// A log with messages belongs to somebody.
fn refuse_used_log(bus: &Path) -> anyhow::Result<()> {
    if !LogCopy::begin(bus)?.is_empty()? {
        bail!(
            "{} holds messages: a backup goes into an empty data folder only; move it away, or name another folder \
             with --data",
            bus.display()
        );
    }
    Ok(())
}

fn drop_log(bus: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(bus) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", bus.display()))
        }
        _ => Ok(()),
    }
}

/// Sets the mark and makes the log. It was empty, or is this backup's own.
async fn fill_log(config: &Config, from: &Path, manifest: &Manifest, mark: &Path) -> anyhow::Result<()> {
    write_private(mark, &format!("{}\n", manifest.id))?;
    let bus = config.data.join("bus");
    drop_log(&bus)?;
    let mut fill = LogFill::create(&bus, readers(config, manifest))?;
    let mut rows = RowsReader::open(from, &manifest.messages)?;
    while let Some(row) = rows.next()? {
        let (sequence, message) = message(row).context("a row of the messages is no message")?;
        fill.add(sequence, &message).await?;
    }
    Ok(fill.finish().await?)
}

/// The readers of the new log, and the first message that each wants. A broker's spool has one reader, who hands on to
/// all; what some of them had taken before, they know by its id.
fn readers(config: &Config, manifest: &Manifest) -> Vec<(String, u64)> {
    let stood = |name: &str| manifest.readers.get(name).copied();
    let own: Vec<String> = queues(config).into_iter().map(|queue| queue.name).collect();
    let spooled = stood(hub_bus::SPOOL_READER);
    match config.bus {
        BusKind::Embedded => own
            .into_iter()
            .map(|name| {
                let from = stood(&name).or(spooled).unwrap_or(0);
                (name, from)
            })
            .collect(),
        BusKind::RabbitMq { .. } => {
            let all = manifest.consumers.iter().map(|name| stood(name).unwrap_or(0)).min().unwrap_or(0);
            vec![(hub_bus::SPOOL_READER.to_owned(), spooled.unwrap_or(all))]
        }
    }
}

fn message(row: Vec<Cell>) -> Option<(u64, Message)> {
    let row: [Cell; 7] = row.try_into().ok()?;
    let [Cell::Integer(sequence), texts @ .., Cell::Blob(body)] = row else {
        return None;
    };
    let [Cell::Text(id), Cell::Text(topic), Cell::Text(tenant), Cell::Text(key), Cell::Text(trace)] = texts else {
        return None;
    };
    Some((u64::try_from(sequence).ok()?, Message { id, topic, tenant, key, trace, body }))
}

/// Fills the store and commits.
async fn fill_store(config: &Config, mut load: Load, from: &Path, manifest: &Manifest) -> anyhow::Result<Reopened> {
    let there = load.tables().await?;
    for rows in &manifest.tables {
        say::progress(&format!("restoring {}", rows.name));
        let known = there.iter().find(|table| table.name == rows.name);
        let known = known.with_context(|| format!("this program has no table {}: use a newer hrhub", rows.name))?;
        let table = rows.table()?;
        if let Some((column, _)) = table.columns.iter().find(|column| !known.columns.contains(column)) {
            bail!("table {} has no column {column}: use a newer hrhub", rows.name);
        }
        fill_table(&mut load, from, rows).await?;
        load.set_serial(&table).await?;
    }
    for rows in manifest.tables.iter().filter(|rows| rows.name != "meta") {
        let held = load.count(&rows.name).await?;
        if held != rows.rows {
            bail!("table {} holds {held} rows of {}: nothing was restored", rows.name, rows.rows);
        }
    }
    let now = Clock::System.micros();
    let taken = manifest.taken_at.parse().map(|at: hub_tree::jiff::Timestamp| at.as_microsecond()).unwrap_or(now);
    let since = taken - MARKS_KEPT_MICROS;
    let mut lost = Vec::new();
    if manifest.bus == "rabbitmq" {
        let types = load.published_types(since).await?;
        for queue in queues(config).into_iter().filter(|queue| manifest.consumers.contains(&queue.name)) {
            let wanted = types.iter().filter(|kind| queue.wants(&format!("hr.{kind}"))).cloned().collect();
            lost.push((queue.name, wanted));
        }
    }
    let reopened = load.reopen(&Reopening { from: &manifest.id, now, lost, since }).await?;
    load.commit().await?;
    Ok(reopened)
}

async fn fill_table(load: &mut Load, from: &Path, rows: &Rows) -> anyhow::Result<()> {
    let table = rows.table()?;
    let mut reader = RowsReader::open(from, rows)?;
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH_ROWS), 0);
    loop {
        let row = reader.next()?;
        let last = row.is_none();
        if let Some(row) = row {
            bytes += row.iter().map(Cell::size).sum::<usize>();
            batch.push(row);
        }
        if last || batch.len() == BATCH_ROWS || bytes > BATCH_BYTES {
            let inserted = load.insert(&table, std::mem::take(&mut batch)).await;
            inserted.with_context(|| format!("restoring {} at row {}", rows.file, reader.row()))?;
            bytes = 0;
        }
        if last {
            return Ok(());
        }
    }
}
