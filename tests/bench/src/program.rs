//! The hub as a process of its own, as its users run it.

use crate::load::{Form, Target};
use anyhow::{Context as _, ensure};
use hub_support::{RabbitMq, durable_postgres, rabbitmq, unique};
use std::fmt;
use std::fs;
use std::io::{Read, Write};
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

/// Where the hub keeps its things and where its messages travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backends {
    /// SQLite and the embedded bus.
    Embedded,
    /// PostgreSQL, which syncs every commit, and RabbitMQ.
    Servers,
}

impl fmt::Display for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Servers => "servers",
        })
    }
}

/// What a process of the hub does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    All,
    Edge,
    Worker,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Edge => "edge",
            Self::Worker => "worker",
        }
    }
}

/// Processes of one hub with empty data; they end when dropped.
pub struct Hubs {
    processes: Vec<Process>,
    target: Target,
}

struct Process {
    child: Child,
    address: String,
}

impl Hubs {
    /// Starts processes of one hub; the first takes the web hooks. `vendors` is where all vendors' APIs are.
    pub fn start(program: &Path, backends: Backends, roles: &[Role], vendors: Option<&str>) -> anyhow::Result<Self> {
        Self::prepared(program, backends, roles, vendors, &|_| Ok(()))
    }

    /// The same, with a configuration folder that `prepare` changes first.
    pub fn prepared(
        program: &Path,
        backends: Backends,
        roles: &[Role],
        vendors: Option<&str>,
        prepare: &dyn Fn(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = fresh_folder("hub")?;
        let config = folder.join("config");
        let init = Command::new(program).arg("init").arg(&config).stdout(Stdio::null()).status()?;
        ensure!(init.success(), "hrhub init failed");
        if backends == Backends::Servers {
            let bus = format!(
                "bus: {{ kind: rabbitmq, url: \"{}\", prefix: {} }}",
                RabbitMq::url(rabbitmq().port),
                unique("bench")
            );
            let store = format!("store: {{ kind: postgres, url: \"{}\" }}", durable_postgres().new_database());
            let path = config.join("hub.yaml");
            let text = fs::read_to_string(&path)?;
            let text = text.replace("bus: { kind: embedded }", &bus).replace("store: { kind: sqlite }", &store);
            fs::write(path, text)?;
        }
        if let Some(vendors) = vendors {
            for entry in fs::read_dir(config.join("connections"))? {
                let path = entry?.path();
                fs::write(&path, fs::read_to_string(&path)?.replace("127.0.0.1:8081", vendors))?;
            }
        }
        prepare(&config)?;
        let secrets = fs::read_to_string(config.join(".env"))?;
        let secret = secrets.lines().find_map(|line| line.strip_prefix("GREENHOUSE_WEBHOOK_SECRET="));
        let secret = secret.context("no web hook secret")?.to_owned();
        let mut processes = Vec::new();
        for (index, role) in roles.iter().enumerate() {
            let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
            let child = Command::new(program)
                .args(["serve", "--role", role.word(), "--listen", &address, "--config"])
                .arg(&config)
                .arg("--data")
                .arg(folder.join(format!("data{index}")))
                .env("HRHUB_LOG", "error")
                .stdout(Stdio::null())
                .spawn()?;
            processes.push(Process { child, address });
        }
        let target =
            Target { address: processes.first().context("no process")?.address.clone(), secret, form: Form::Signed };
        let hubs = Self { processes, target };
        for process in &hubs.processes {
            until_ready(&process.address)?;
        }
        Ok(hubs)
    }

    /// Where web hooks go.
    pub fn target(&self) -> Target {
        self.target.clone()
    }

    /// The memory of all processes now, bytes: what is resident.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let one = |process: &Process| -> anyhow::Result<u64> {
            let status = fs::read_to_string(format!("/proc/{}/status", process.child.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
            let kib: u64 = line.split_whitespace().next().context("no number")?.parse()?;
            Ok(kib << 10)
        };
        self.processes.iter().map(one).sum()
    }
}

/// Waits until a process says that all it needs is there.
fn until_ready(address: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let mut answer = String::new();
            stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")?;
            let _ = stream.read_to_string(&mut answer);
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
        }
        ensure!(start.elapsed() < Duration::from_secs(60), "the hub on {address} does not get ready");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Hubs {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}
