//! Real servers and helpers for tests.
//!
//! A server runs on a free port, in a temporary folder, under a shell that waits for the end of its standard input:
//! when the test process ends, however it ends, the pipe closes and the shell stops the server and removes the
//! folder. A server that cannot start fails the test; nothing is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc, clippy::print_stderr)]

mod brokers;
mod mariadb;
mod program;
mod proxy;
mod servers;
mod switch;

pub use brokers::Brokers;
pub use mariadb::{MariaDb, mariadb};
pub use program::{Backends, Candidate, Demo, Node, Place, Running, hrhub, run_hrhub, said};
pub use proxy::CutProxy;
pub use servers::{Postgres, RabbitMq, durable_postgres, postgres, rabbitmq};
pub use switch::SwitchProxy;

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A port on the loopback that nobody else gets while this process lives.
///
/// It lies below the ports that the system gives to outgoing connections, any of which could take it before the server
/// listens, and is marked by a locked file, so that test processes that run at once keep out of each other's way.
#[must_use]
pub fn free_port() -> u16 {
    static MARKS: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let folder = std::env::temp_dir().join("hrhub-test-ports");
    std::fs::create_dir_all(&folder).unwrap();
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let outgoing = range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768_u64);
    let first = 10_000;
    let count = outgoing.saturating_sub(first).max(1_000);
    let start = hub_tree::random::below(count);
    for offset in 0..count {
        let port = u16::try_from(first + (start + offset) % count).unwrap();
        let mark = File::create(folder.join(port.to_string())).unwrap();
        if mark.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            MARKS.lock().unwrap_or_else(PoisonError::into_inner).push(mark);
            return port;
        }
    }
    panic!("no port from {first} to {outgoing} is free")
}

/// The root of the project.
#[must_use]
pub fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Waits until `ready` gives a value; fails with `what` after `limit`. For states, never for "some time".
pub fn wait_for<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    wait_until(limit, || ready().ok_or_else(|| what.to_owned()))
}

/// Waits until `ready` gives a value; fails with what it lacked last after `limit`.
pub fn wait_until<T>(limit: Duration, mut ready: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ready() {
            Ok(value) => return value,
            Err(lacking) => assert!(start.elapsed() < limit, "waited {limit:?} for {lacking}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A name that no other test uses.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", hub_tree::random::token(10))
}
