//! The whole road: a web hook becomes a canonical record and an event, a consumer reacts, and a call arrives at a
//! vendor. Messages per second from the first hook to the last call of a burst; then, at a fifth of that rate, how long
//! one message takes from before its hook leaves to its call's arrival.

use crate::load::{self, FIRST, Until, percentile};
use crate::program::{Backends, Hubs, Role, build};
use crate::report::Report;
use crate::sink::Sink;
use anyhow::ensure;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const BURST: u64 = 2_000;
const PACED: u64 = 300;
/// The stage whose candidates are interviewed.
pub const STAGE: &str = "AI interview";
const CONTESTANTS: [(&str, Backends, &[Role]); 3] = [
    ("hub, embedded", Backends::Embedded, &[Role::All]),
    ("hub, servers, 1 worker", Backends::Servers, &[Role::Edge, Role::Worker]),
    ("hub, servers, 2 workers", Backends::Servers, &[Role::Edge, Role::Worker, Role::Worker]),
];

pub fn run(rounds: usize) -> anyhow::Result<Report> {
    let program = build()?;
    let mut report = Report::new("road", "messages/s");
    let mut latencies: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for _ in 0..rounds {
        for (name, backends, roles) in CONTESTANTS {
            let rate = burst(&program, backends, roles)?;
            report.row(name).values.push(rate);
            let every = Duration::from_secs_f64(5.0 / rate);
            latencies.entry(name).or_default().extend(paced(&program, backends, roles, every)?);
        }
    }
    for (name, mut micros) in latencies {
        let row = report.row(name);
        row.beside = vec![(percentile(&mut micros, 50), "µs p50"), (percentile(&mut micros, 99), "µs p99")];
    }
    report.pair(CONTESTANTS[2].0.to_owned(), CONTESTANTS[1].0.to_owned());
    Ok(report)
}

/// Messages per second when as many as possible come at once.
fn burst(program: &Path, backends: Backends, roles: &[Role]) -> anyhow::Result<f64> {
    let sink = Sink::start()?;
    let hubs = Hubs::start(program, backends, roles, Some(&sink.address))?;
    let start = Instant::now();
    load::run(&hubs.target(), 16, Until::Count(BURST), STAGE, &|_| {})?;
    sink.wait_for(usize::try_from(BURST)?)?;
    let (last, again) = sink.with(|arrived| (arrived.at.values().max().copied(), arrived.again));
    ensure!(again == 0, "{again} calls arrived twice");
    Ok(BURST as f64 / last.unwrap_or(start).duration_since(start).as_secs_f64())
}

/// How long each message took, µs, when they come one by one.
fn paced(program: &Path, backends: Backends, roles: &[Role], every: Duration) -> anyhow::Result<Vec<u64>> {
    let sink = Sink::start()?;
    let hubs = Hubs::start(program, backends, roles, Some(&sink.address))?;
    let left: Mutex<BTreeMap<u64, Instant>> = Mutex::default();
    let note = |number| {
        if let Ok(mut left) = left.lock() {
            left.insert(number, Instant::now());
        }
    };
    load::run(&hubs.target(), 4, Until::Paced(PACED, every), STAGE, &note)?;
    sink.wait_for(usize::try_from(PACED)?)?;
    let left = left.into_inner().unwrap_or_default();
    let took = |number: &u64, at: &Instant| {
        let taken = at.saturating_duration_since(*left.get(number)?);
        u64::try_from(taken.as_micros()).ok()
    };
    // The first few warm everything up.
    let warm = FIRST + PACED / 10;
    Ok(sink.with(|arrived| arrived.at.iter().filter(|(n, _)| **n >= warm).filter_map(|(n, at)| took(n, at)).collect()))
}
