//! What lies on this machine.

use super::Report;
use crate::backup::{master_key, master_key_file};
use crate::cli::Place;
use crate::config::{BusKind, Config};
use crate::restore;
use hub_bus::LogCopy;
use rustix::fs::{Access, access, statfs, statvfs};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MIB: u64 = 1 << 20;
/// Below this the log cannot make its next segments.
const DISK_ERROR: u64 = 100 * MIB;
const DISK_WARNING: u64 = 1024 * MIB;
/// A connection from outside, one to a vendor, a few to servers: a busy edge needs thousands.
const FILES_ERROR: u64 = 256;
const FILES_WARNING: u64 = 4096;

pub(super) fn look(config: &Config, place: &Place, report: &mut Report) {
    limits(report);
    data_folder(&config.data, report);
    only_owner(&place.config.join(".env"), report);
    key(config, place, report);
    log(config, report);
    if let Err(error) = restore::refuse_unfinished(&config.data) {
        report.error(config.data.display().to_string(), error.to_string(), "hrhub restore --from … (as before)");
    }
    report.looked_at("files");
}

fn limits(report: &mut Report) {
    let Some(files) = getrlimit(Resource::Nofile).current else { return };
    let what = format!("a process may hold {files} files and connections open");
    let fix = "ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit";
    if files < FILES_ERROR {
        report.error("limit of open files", what, fix);
    } else if files < FILES_WARNING {
        report.warning("limit of open files", what, fix);
    }
}

fn data_folder(data: &Path, report: &mut Report) {
    let shown = data.display().to_string();
    let Ok(metadata) = fs::metadata(data) else {
        // The first start makes it, where it can.
        let parent = data.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("."));
        if access(parent, Access::WRITE_OK).is_err() {
            report.error(shown.clone(), "the data folder is not there and cannot be made", format!("mkdir -p {shown}"));
        }
        return;
    };
    if access(data, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        report.error(shown.clone(), "the data folder cannot be written", format!("chown -R $(id -un) {shown}"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        report.warning(
            shown.clone(),
            "other users of this machine can look into the data folder",
            format!("chmod 700 {shown}"),
        );
    }
    disk_kind(data, report);
    if let Ok(disk) = statvfs(data) {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let what = format!("{} MiB of disk are free", free / MIB);
        let fix = format!("free some of the disk under {shown}, or name a larger one with `data` in hub.yaml");
        if free < DISK_ERROR {
            report.error(shown, what, fix);
        } else if free < DISK_WARNING {
            report.warning(shown, what, fix);
        }
    }
}

/// Where a sync does not mean what it says.
fn disk_kind(data: &Path, report: &mut Report) {
    let Ok(disk) = statfs(data) else { return };
    // The magic numbers of statfs(2).
    let (kind, lost) = match disk.f_type {
        0x6969 => ("NFS", "locks and syncs of the database and the log cannot be relied on"),
        0xFF53_4D42 | 0xFE53_4D42 => ("SMB", "locks and syncs of the database and the log cannot be relied on"),
        0x0102_1994 | 0x8584_58F6 => ("memory", "a restart of the machine loses everything"),
        _ => return,
    };
    let what = format!("the data folder lies on {kind}: {lost}");
    report.warning(data.display().to_string(), what, "name a folder on a local disk with `data` in hub.yaml");
}

/// A file with secrets.
fn only_owner(path: &Path, report: &mut Report) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.permissions().mode() & 0o077 != 0 {
        let shown = path.display().to_string();
        report.error(shown.clone(), "other users of this machine can read secrets", format!("chmod 600 {shown}"));
    }
}

fn key(config: &Config, place: &Place, report: &mut Report) {
    let given = config.environment.get("HRHUB_MASTER_KEY").is_some();
    let file = master_key_file(config, place);
    if (given || file.is_some())
        && let Err(error) = master_key(config, place)
    {
        let fix = "set HRHUB_MASTER_KEY to the 64 hex digits that the store was sealed with";
        report.error("master key", format!("{error:#}"), fix);
    }
    match file {
        Some(path) => {
            only_owner(&path, report);
            if !given && path.starts_with(&config.data) {
                let shown = path.display();
                let what = "the master key lies only beside what it seals: lost together, nothing can be read again";
                report.warning(
                    shown.to_string(),
                    what,
                    format!("keep a copy of {shown} elsewhere, or set HRHUB_MASTER_KEY and remove the file"),
                );
            }
        }
        None if !given && config.data.join("hub.db").exists() => {
            let fix = format!("put master.key back into {}, or set HRHUB_MASTER_KEY", config.data.display());
            report.error("master key", "there is a store, and no master key that opens it", fix);
        }
        None => {}
    }
}

/// The embedded bus's log, or the spool.
fn log(config: &Config, report: &mut Report) {
    let folder = config.data.join("bus");
    let shown = folder.display().to_string();
    let read = LogCopy::begin(&folder).and_then(|copy| {
        let from = copy.readers().iter().map(|(_, from)| *from).min().unwrap_or(0);
        let mut waiting = 0_u64;
        copy.messages(|sequence, _| {
            waiting += u64::from(sequence >= from);
            Ok::<_, hub_bus::BusError>(())
        })?;
        Ok(waiting)
    });
    let is_spool = matches!(config.bus, BusKind::RabbitMq { .. });
    match read {
        Ok(0) => {}
        Ok(waiting) if is_spool => report.warning(
            shown,
            format!("{waiting} accepted messages wait on this disk for the broker"),
            "start the hub on this data folder and mend the broker: it drains them",
        ),
        Ok(waiting) if !hub_bus::in_use(&folder).unwrap_or(true) => report.warning(
            shown,
            format!("{waiting} messages wait in the log, and no hub runs on this data folder"),
            "hrhub serve",
        ),
        Ok(_) => {}
        Err(error) => report.error(
            shown,
            error.to_string(),
            "hrhub restore from a backup, or move the file away and lose what is in it",
        ),
    }
}
