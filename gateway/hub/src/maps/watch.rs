//! Waits for files to be saved.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(200);

/// What tells one state of a file from another; `None` while it is not there, as in the middle of a save.
type Stamp = Option<(SystemTime, u64)>;

/// The state of some files.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamps(Vec<Stamp>);

/// The state of files now. Take it before they are read, so that no later change is missed.
pub(crate) fn stamps(paths: &[&Path]) -> Stamps {
    let stamp = |path: &&Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    Stamps(paths.iter().map(stamp).collect())
}

/// Returns when the state of the files is another.
pub(crate) fn wait_for_change(paths: &[&Path], before: &Stamps) {
    while stamps(paths) == *before {
        std::thread::sleep(EVERY);
    }
}
