//! Signed web hooks over keep-alive connections, each waiting for its answer.

mod form;

pub use form::Form;

use anyhow::{Context as _, ensure};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A real payload of the vendor; every request is about another application of another candidate.
pub const PAYLOAD: &str = include_str!("../../golden/payloads/greenhouse/candidate_stage_change.json");
const APPLICATION: &str = "55120034";
const CANDIDATE: &str = "55100871";
/// The first number of an application.
pub const FIRST: u64 = 60_000_000;

/// Where hooks go, and what proves them.
#[derive(Clone)]
pub struct Target {
    pub address: String,
    pub secret: String,
    pub form: Form,
}

impl Target {
    /// The same, for hooks that prove themselves so.
    pub fn with(self, form: Form) -> Self {
        Self { form, ..self }
    }
}

/// When to stop.
#[derive(Clone, Copy)]
pub enum Until {
    Time(Duration),
    /// So many hooks.
    Count(u64),
    /// So many hooks, spread evenly over time: one every so often.
    Paced(u64, Duration),
}

/// What was sent.
#[derive(Default)]
pub struct Sent {
    pub accepted: u64,
    /// How long each answer took, µs.
    pub micros: Vec<u64>,
    pub elapsed: Duration,
}

impl Sent {
    pub fn per_second(&self) -> f64 {
        self.accepted as f64 / self.elapsed.as_secs_f64()
    }
}

/// The value that so many of a hundred do not exceed.
pub fn percentile(values: &mut [u64], of_hundred: usize) -> u64 {
    values.sort_unstable();
    values.get((values.len() * of_hundred / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(0)
}

/// A hook about the application with this number; its candidate reaches the stage `stage`.
pub fn body(number: u64, stage: &str) -> String {
    let text = number.to_string();
    let candidate = (number + 100_000_000).to_string();
    let body = PAYLOAD.replace(APPLICATION, &text).replace(CANDIDATE, &candidate);
    let body = body.replacen("\"name\": \"Assessment\"", &format!("\"name\": \"{stage}\""), 1);
    body.replace("\"Marisol\"", &format!("\"Marisol {text}\""))
}

/// Sends hooks over so many connections; `sent` is told each number before it leaves.
pub fn run(
    target: &Target,
    connections: usize,
    until: Until,
    stage: &str,
    sent: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<Sent> {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let parts: Vec<anyhow::Result<Sent>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let next = Arc::clone(&next);
                scope.spawn(move || client(target, &next, start, until, stage, sent))
            })
            .collect();
        let ended = clients.into_iter().map(|client| client.join());
        ended.map(|end| end.unwrap_or_else(|_| Err(anyhow::anyhow!("a client died")))).collect()
    });
    let mut all = Sent { elapsed: start.elapsed(), ..Sent::default() };
    for part in parts {
        let part = part?;
        all.accepted += part.accepted;
        all.micros.extend(part.micros);
    }
    Ok(all)
}

fn client(
    target: &Target,
    next: &AtomicU64,
    start: Instant,
    until: Until,
    stage: &str,
    sent: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<Sent> {
    let stream = TcpStream::connect(&target.address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut requests = stream;
    let mut own = Sent::default();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        match until {
            Until::Time(time) if start.elapsed() >= time => return Ok(own),
            Until::Count(count) | Until::Paced(count, _) if index >= count => return Ok(own),
            Until::Paced(_, every) => {
                let due = every.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
                thread::sleep(due.saturating_sub(start.elapsed()));
            }
            Until::Time(_) | Until::Count(_) => {}
        }
        let number = FIRST + index;
        let body = body(number, stage);
        let request = target.form.request(number, &body, &target.secret)?;
        sent(number);
        let asked = Instant::now();
        requests.write_all(request.as_bytes())?;
        let status = read_answer(&mut answers)?;
        ensure!(status == 200, "the hub answered {status}");
        own.micros.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
        own.accepted += 1;
    }
}

/// Reads one answer; gives its status.
fn read_answer(answers: &mut impl BufRead) -> anyhow::Result<u16> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status line")?;
    let mut length = 0;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(status)
}
