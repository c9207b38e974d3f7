//! Web hooks accepted per second: verified, sealed and on disk before the vendor gets its answer. Beside it, threads
//! that hand records of the same size to one writer, which appends what has gathered and syncs once for all of it.

use crate::program::{Hub, build, fresh_folder};
use crate::report::{Report, Row};
use anyhow::{Context as _, ensure};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// A real payload of the vendor; every request is about another application.
const PAYLOAD: &str = include_str!("../../golden/payloads/greenhouse/candidate_stage_change.json");
const NUMBER: &str = "55120034";

pub fn run(rounds: usize, seconds: u64) -> anyhow::Result<Report> {
    let program = build()?;
    let time = Duration::from_secs(seconds);
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |name: String, value: f64| match rows.iter_mut().find(|row| row.name == name) {
        Some(row) => row.values.push(value),
        None => rows.push(Row { values: vec![value], ..Row::new(name) }),
    };
    for _ in 0..rounds {
        for connections in CONNECTIONS {
            // A new hub each time: what one round leaves to be mapped must not slow the next contestant.
            let hub = Hub::start(&program)?;
            add(ours(connections), hooks(&hub, connections, time)?);
            drop(hub);
            add(limit(connections), by_hand(&fresh_folder("hand")?, connections, time)?);
        }
    }
    let pairs = CONNECTIONS.map(|connections| (ours(connections), limit(connections)));
    Ok(Report { bench: "intake", unit: "accepted/s", rows, pairs: pairs.into() })
}

fn ours(connections: usize) -> String {
    format!("hub, {connections} connections")
}

fn limit(connections: usize) -> String {
    format!("hand, {connections} writers")
}

/// How many hooks per second are accepted over so many connections, each waiting for its answer.
fn hooks(hub: &Hub, connections: usize, time: Duration) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicU64::new(60_000_000));
    let start = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (address, secret, next) = (hub.address.clone(), hub.webhook_secret.clone(), Arc::clone(&next));
            thread::spawn(move || client(&address, &secret, &next, start + time))
        })
        .collect();
    let mut accepted = 0;
    for client in clients {
        accepted += client.join().map_err(|_| anyhow::anyhow!("a client died"))??;
    }
    Ok(accepted as f64 / start.elapsed().as_secs_f64())
}

fn client(address: &str, secret: &str, next: &AtomicU64, until: Instant) -> anyhow::Result<u64> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut requests = stream;
    let mut accepted = 0;
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed).to_string();
        let body = PAYLOAD.replace(NUMBER, &number);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let request = format!(
            "POST /hooks/greenhouse-main HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n\
             greenhouse-event-id: {number}\r\nsignature: sha256 {signature}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        requests.write_all(request.as_bytes())?;
        let status = read_answer(&mut answers)?;
        ensure!(status == 200, "the hub answered {status}");
        accepted += 1;
    }
    Ok(accepted)
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

type Record = (Arc<[u8]>, SyncSender<()>);

/// How many records per second are on disk when so many threads each wait for theirs.
fn by_hand(folder: &Path, writers: usize, time: Duration) -> anyhow::Result<f64> {
    let (sender, receiver) = sync_channel::<Record>(writers);
    let path = folder.join("log");
    let appender = thread::spawn(move || append(&path, &receiver));
    let record: Arc<[u8]> = PAYLOAD.as_bytes().into();
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let threads: Vec<_> = (0..writers)
        .map(|_| {
            let (sender, record, stop) = (sender.clone(), Arc::clone(&record), Arc::clone(&stop));
            thread::spawn(move || {
                let (done, wait) = sync_channel(1);
                let mut count = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    if sender.send((Arc::clone(&record), done.clone())).is_err() || wait.recv().is_err() {
                        break;
                    }
                    count += 1;
                }
                count
            })
        })
        .collect();
    thread::sleep(time);
    stop.store(true, Ordering::Relaxed);
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| anyhow::anyhow!("a writer died"))?;
    }
    let elapsed = start.elapsed();
    drop(sender);
    appender.join().map_err(|_| anyhow::anyhow!("the appender died"))??;
    Ok(count as f64 / elapsed.as_secs_f64())
}

fn append(path: &Path, records: &Receiver<Record>) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let mut waiting = Vec::new();
    let mut bytes = Vec::new();
    while let Ok(first) = records.recv() {
        waiting.push(first);
        waiting.extend(records.try_iter());
        bytes.clear();
        for (record, _) in &waiting {
            bytes.extend_from_slice(record);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        for (_, done) in waiting.drain(..) {
            let _ = done.send(());
        }
    }
    Ok(())
}
