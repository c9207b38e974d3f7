//! The master key: it seals the tenants' keys, and all processes that share a store need the same one.
//!
//! In this order: `HRHUB_MASTER_KEY`; `<data>/master.key`; with a store that other processes reach, `master.key` in
//! the configuration folder, which they share, made when there is none; else `<data>/master.key` is made.

use crate::assemble::kept;
use crate::config::{Config, StoreKind};
use anyhow::Context as _;
use hub_store::MasterKey;
use hub_tree::random;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "master.key";
const VARIABLE: &str = "HRHUB_MASTER_KEY";

/// The master key of a configuration.
///
/// # Errors
/// What is no key, or where none can be kept.
pub(crate) fn master_key(config: &Config) -> anyhow::Result<MasterKey> {
    if let Some(text) = config.environment.get(VARIABLE) {
        return MasterKey::from_hex(&text).map_err(|wanted| anyhow::anyhow!("{VARIABLE}: {wanted}"));
    }
    let own = config.data.join(FILE);
    let (path, text) = if matches!(config.store, StoreKind::Sqlite { .. }) || own.exists() {
        let text = kept(&own, || MasterKey::generate().1)?;
        (own, text)
    } else {
        let path = config.folder.join(FILE);
        let text = shared(&path)?;
        (path, text)
    };
    MasterKey::from_hex(&text).map_err(|wanted| anyhow::anyhow!("{}: {wanted}", path.display()))
}

/// The line of a file that several processes may be about to make: all use the one that was there first, and none
/// reads a file that is half written.
fn shared(path: &Path) -> anyhow::Result<String> {
    let read = || fs::read_to_string(path);
    let found = match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let cannot = || {
                format!(
                    "making {}: set {VARIABLE} to 64 hex digits, the same for all processes that share the store, \
                     or let one of them write that file",
                    path.display()
                )
            };
            make(path).with_context(cannot)?;
            read()
        }
        other => other,
    };
    found.map(|text| text.trim().to_owned()).with_context(|| format!("reading {}", path.display()))
}

/// Makes the file whole, unless another process is faster.
fn make(path: &Path) -> std::io::Result<()> {
    let part = path.with_extension(format!("{}.part", random::token(8)));
    let made = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        writeln!(file, "{}", MasterKey::generate().1)?;
        file.sync_all()?;
        // Fails when there is one already; a rename would put ours in its place.
        match fs::hard_link(&part, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    let _ = fs::remove_file(&part);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_start_at_once_use_one_key_that_only_its_owner_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let keys: Vec<String> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..8).map(|_| scope.spawn(|| shared(&path).unwrap())).collect();
            starting.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0] && key.len() == 64));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left lying");
    }

    #[test]
    fn a_folder_that_cannot_be_written_names_the_variable() {
        let nowhere = Path::new("/proc/nowhere").join(FILE);
        let error = format!("{:#}", shared(&nowhere).unwrap_err());
        assert!(error.contains("HRHUB_MASTER_KEY") && error.contains("/proc/nowhere/master.key"), "{error}");
    }
}
