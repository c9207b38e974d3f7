//! `hrhub backup`: a consistent copy of store and message log while the hub runs, and its check.
//!
//! What was accepted before it began is in it. First the log's readers and segments, then the store at one moment,
//! then the segments that came meanwhile: whatever a reader had taken is in the store, everything else in the log.
//! The folder gets its name when everything in it is on disk.

pub(crate) mod format;

use crate::assemble::{PARTITIONS, queues};
use crate::cli::{BackupArgs, BackupCommand, Place};
use crate::config::{BusKind, Config, StoreKind};
use crate::say;
use anyhow::{Context as _, bail};
use format::{Manifest, RowsWriter, Verified, fingerprint, message_table, remove_part};
use hub_bus::LogCopy;
use hub_store::backup::{Cell, Snapshot};
use hub_store::{MasterKey, Probe};
use hub_tree::clock::rfc3339;
use hub_tree::{Clock, Ids, random};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long what lies in the broker's queues may take to reach the store.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: BackupArgs) -> anyhow::Result<ExitCode> {
    match (args.command, args.into) {
        (Some(BackupCommand::Verify { folder, config }), _) => verify(&folder, config.as_deref()),
        (None, Some(into)) => take(&Place { config: args.config, data: args.data }, &into).await,
        (None, None) => Ok(say::usage("--into DIR says where the backup goes")),
    }
}

fn verify(folder: &Path, config: Option<&Path>) -> anyhow::Result<ExitCode> {
    let verified = Verified::read(folder)?;
    let known = match config {
        Some(config) => {
            let place = Place { config: config.to_owned(), data: None };
            verified.check_key(folder, &master_key(&Config::at(&place)?, &place)?)?;
            "; it is yours: the master key fits"
        }
        None => "; with --config DIR the master key is compared, too",
    };
    let Manifest { taken_at, store, bus, schema, messages, .. } = &verified.manifest;
    say::out(format!(
        "whole: {} rows of {} tables, {} messages; {store} (schema {schema}) and {bus}, taken {taken_at}{known}",
        verified.manifest.rows(),
        verified.manifest.tables.len(),
        messages.rows
    ));
    Ok(ExitCode::SUCCESS)
}

async fn take(place: &Place, into: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::at(place)?;
    let master = master_key(&config, place)?;
    let name = into.file_name().with_context(|| format!("{} is no name for a new folder", into.display()))?;
    let parent = into.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some()) || into.is_file() {
        bail!("{} holds something already: a backup goes into a new folder", into.display());
    }
    DirBuilder::new().recursive(true).create(parent).with_context(|| format!("making {}", parent.display()))?;
    let part = parent.join(format!(".{}.hrhub-backup", name.to_string_lossy()));
    remove_part(&part)?;
    let made = DirBuilder::new().mode(0o700).create(&part);
    made.with_context(|| format!("making {}", part.display()))?;
    match copy(&config, &master, &part).await {
        Ok(manifest) => {
            let seen = || -> std::io::Result<()> {
                File::open(&part)?.sync_all()?;
                fs::rename(&part, into)?;
                File::open(parent)?.sync_all()
            };
            seen().with_context(|| format!("giving {} its name", into.display()))?;
            say::out(format!(
                "{}: {} rows of {} tables and {} messages, as of {}",
                into.display(),
                manifest.rows(),
                manifest.tables.len(),
                manifest.messages.rows,
                manifest.taken_at
            ));
            say::note("The master key is not in it. Keep it, and the configuration folder, in another place.");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            remove_part(&part)?;
            Err(error)
        }
    }
}

async fn copy(config: &Config, master: &MasterKey, folder: &Path) -> anyhow::Result<Manifest> {
    // A long log has many segments, and each is held open.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    let _ = setrlimit(Resource::Nofile, files);
    let clock = Clock::System;
    let taken_at = rfc3339(clock.now());
    let bus = config.data.join("bus");
    let url = store_url(config, false);
    let mut tries = 0;
    let (log, mut snapshot, queues_drained) = loop {
        let mut log = LogCopy::begin(&bus)?;
        let drained = drained(config).await;
        let snapshot = Snapshot::take(&url).await.context("looking at the store")?;
        if log.complete()? {
            break (log, snapshot, drained);
        }
        tries += 1;
        if tries == 10 {
            bail!("segments of {} go faster than they can be copied; try again", bus.display());
        }
    };
    snapshot.check_key(master).await?;
    let mut tables = Vec::new();
    for table in snapshot.tables().to_vec() {
        say::progress(&format!("copying {}", table.name));
        let mut writer = RowsWriter::create(folder, &table)?;
        snapshot.rows(&table, |cells| writer.add(&cells).map_err(Stopped)).await.map_err(|Stopped(error)| error)?;
        tables.push(writer.finish()?);
    }
    say::progress("");
    let mut writer = RowsWriter::create(folder, &message_table())?;
    let written = log.messages(|sequence, message| {
        let text = Cell::Text;
        writer
            .add(&[
                Cell::Integer(i64::try_from(sequence).unwrap_or(i64::MAX)),
                text(message.id),
                text(message.topic),
                text(message.tenant),
                text(message.key),
                text(message.trace),
                Cell::Blob(message.body),
            ])
            .map_err(Stopped)
    });
    written.map_err(|Stopped(error)| error)?;
    let messages = writer.finish()?;
    let manifest = Manifest {
        format: Manifest::format(),
        id: Ids::new(clock).next().to_string(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at,
        store: snapshot.kind().to_owned(),
        schema: snapshot.schema_version(),
        bus: bus_kind(config).to_owned(),
        master_key: fingerprint(master),
        queues_drained,
        consumers: queues(config).into_iter().map(|queue| queue.name).collect(),
        readers: log.readers().iter().cloned().collect(),
        tables,
        messages,
    };
    manifest.write(folder, master)?;
    Ok(manifest)
}

/// Waits until the payloads that the broker took before now are in the store; whether they are.
async fn drained(config: &Config) -> bool {
    let BusKind::RabbitMq { url, prefix } = &config.bus else { return true };
    say::progress("waiting for what lies in the broker's queues");
    let waited = wait_for_marks(config, url, prefix).await;
    if let Err(error) = &waited {
        say::note(format!(
            "warning: web hooks that lie in the broker's queues are not in this backup: {error:#}. Take it while the \
             broker and a hub or worker run."
        ));
    }
    waited.is_ok()
}

async fn wait_for_marks(config: &Config, url: &str, prefix: &str) -> anyhow::Result<()> {
    let id = random::token(12);
    hub_bus::mark(url, prefix, PARTITIONS, &id).await?;
    let names: Vec<String> = (0..PARTITIONS).map(|partition| hub_bus::mark_name(&id, partition)).collect();
    let mut probe = Probe::open(&store_url(config, false)).await?;
    let waiting = async {
        while probe.marks(names.clone()).await? < names.len() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(DRAINED_WITHIN, waiting).await.context("nobody takes them into the store")?
}

/// An error of ours that passes through others' loops.
struct Stopped(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

pub(crate) const fn bus_kind(config: &Config) -> &'static str {
    match config.bus {
        BusKind::Embedded => "embedded",
        BusKind::RabbitMq { .. } => "rabbitmq",
    }
}

/// The address of the store; `make` says whether a file may be made.
pub(crate) fn store_url(config: &Config, make: bool) -> String {
    match &config.store {
        StoreKind::Sqlite { .. } => {
            format!("sqlite://{}?mode={}", config.data.join("hub.db").display(), if make { "rwc" } else { "rw" })
        }
        StoreKind::Postgres { url, .. } => url.clone(),
    }
}

/// The master key that there is; none is made.
pub(crate) fn master_key(config: &Config, place: &Place) -> anyhow::Result<MasterKey> {
    if let Some(text) = config.environment.get("HRHUB_MASTER_KEY") {
        return MasterKey::from_hex(&text).map_err(|wanted| anyhow::anyhow!("HRHUB_MASTER_KEY: {wanted}"));
    }
    let path = master_key_file(config, place).with_context(|| {
        format!(
            "there is no master key: set HRHUB_MASTER_KEY, or put the master.key of then into {}",
            config.data.display()
        )
    })?;
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    MasterKey::from_hex(&text).map_err(|wanted| anyhow::anyhow!("{}: {wanted}", path.display()))
}

/// The file that the master key lies in, where it lies in one.
pub(crate) fn master_key_file(config: &Config, place: &Place) -> Option<PathBuf> {
    [&config.data, &place.config].map(|folder| folder.join("master.key")).into_iter().find(|path| path.exists())
}
