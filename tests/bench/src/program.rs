//! The hub as a process of its own, as its users run it.

use anyhow::{Context as _, ensure};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds `hrhub` in release mode; gives its path.
pub fn build() -> anyhow::Result<PathBuf> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--locked", "--package", "hub-hub"])
        .current_dir(project_root())
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .context("running cargo")?;
    ensure!(built.success(), "hrhub does not build");
    Ok(project_root().join("target/release/hrhub"))
}

/// A new, empty folder on the disk of the project: a temporary file system would make syncs free.
pub fn fresh_folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/data").join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&folder)?,
    }
    Ok(folder)
}

/// A running hub; it ends when dropped.
pub struct Hub {
    child: Child,
    pub address: String,
    pub webhook_secret: String,
}

impl Hub {
    /// Starts one with a new configuration and empty data.
    pub fn start(program: &Path) -> anyhow::Result<Self> {
        let folder = fresh_folder("hub")?.join("config");
        let init = Command::new(program).arg("init").arg(&folder).stdout(Stdio::null()).status()?;
        ensure!(init.success(), "hrhub init failed");
        let secrets = fs::read_to_string(folder.join(".env"))?;
        let webhook_secret = secrets.lines().find_map(|line| line.strip_prefix("GREENHOUSE_WEBHOOK_SECRET="));
        let webhook_secret = webhook_secret.context("no web hook secret")?.to_owned();
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let child = Command::new(program)
            .args(["serve", "--listen", &address, "--config"])
            .arg(&folder)
            .env("HRHUB_LOG", "error")
            .stdout(Stdio::null())
            .spawn()?;
        let hub = Self { child, address, webhook_secret };
        let start = Instant::now();
        while TcpStream::connect(&hub.address).is_err() {
            ensure!(start.elapsed() < Duration::from_secs(20), "the hub does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(hub)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
