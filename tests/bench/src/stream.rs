//! A SOAP answer of 50 MB with 25,000 workers: how fast its records are read one by one, and in how much memory.
//!
//! Every contestant runs in a process of its own, so that its processor time and its peak are its own; the document is a file, which the
//! system keeps outside of it. `hand` is the tokenizer alone, which makes no values.

use crate::program::fresh_folder;
use crate::report::{Report, Row};
use anyhow::{Context as _, bail, ensure};
use hub_tree::{Arena, Limits, xml};
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const RECORDS: usize = 25_000;
const RECORD_PATH: &str = "Envelope.Body.Workers.Worker";
const STREAMED: &str = "hub, record by record";
/// The most memory that streaming may take, bytes.
const MAX_MEMORY: u64 = 64_000_000;

type Contestant = (&'static str, fn(&Path) -> anyhow::Result<usize>);

const CONTESTANTS: [Contestant; 3] = [(STREAMED, streamed), ("hand, tokens only", tokens), ("hub, whole tree", whole)];

/// Speed in MB/s and peak memory; contestants take turns.
pub fn run(rounds: usize) -> anyhow::Result<Report> {
    let path = document()?;
    let mut rows: Vec<Row> = CONTESTANTS.iter().map(|(name, _)| Row::new(*name)).collect();
    for _ in 0..rounds {
        for row in &mut rows {
            let (speed, peak) = in_a_process(&row.name)?;
            row.values.push(speed);
            let most = row.beside.first().map_or(peak, |(most, _)| peak.max(*most));
            row.beside = vec![(most, "bytes of memory at most")];
        }
    }
    fs::remove_file(path)?;
    let most = rows.iter().find(|row| row.name == STREAMED).and_then(|row| row.beside.first().copied());
    ensure!(most.is_some_and(|(most, _)| most < MAX_MEMORY), "streaming took more than {MAX_MEMORY} bytes of memory");
    let pair = |a: usize, b: usize| (CONTESTANTS[a].0.to_owned(), CONTESTANTS[b].0.to_owned());
    Ok(Report { bench: "stream", unit: "MB/s", rows, pairs: vec![pair(0, 1), pair(2, 1)] })
}

/// Runs one contestant here; prints its speed in MB/s and the peak of this process in bytes.
pub fn only(name: &str) -> anyhow::Result<()> {
    let path = path()?;
    let (_, contestant) = CONTESTANTS.iter().find(|(known, _)| *known == name).context("no such contestant")?;
    let found = contestant(&path)?;
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let took = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
    ensure!(found == RECORDS, "`{name}` found {found} records");
    println!("{} {}", fs::metadata(&path)?.len() as f64 / 1e6 / took, peak()?);
    Ok(())
}

fn in_a_process(name: &str) -> anyhow::Result<(f64, u64)> {
    let done = Command::new(env::current_exe()?).args(["stream", "--only", name]).output()?;
    if !done.status.success() {
        bail!("`{name}`: {}", String::from_utf8_lossy(&done.stderr));
    }
    let answer = String::from_utf8(done.stdout)?;
    let (speed, peak) = answer.trim().split_once(' ').context("no numbers")?;
    Ok((speed.parse()?, peak.parse()?))
}

/// The most memory that this process has held, bytes.
fn peak() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("only Linux says how much memory was held")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn path() -> anyhow::Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/data/stream/workers.xml"))
}

/// Writes the document; gives its path.
fn document() -> anyhow::Result<PathBuf> {
    fresh_folder("stream")?;
    let path = path()?;
    let mut out = BufWriter::new(File::create(&path)?);
    out.write_all(
        b"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
          xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Body><Workers>\n",
    )?;
    for number in 1..=RECORDS {
        write!(out, "<Worker id=\"{number}\"><Name>李娜 {number}</Name><Pay currency=\"CNY\">{number}.10</Pay>")?;
        out.write_all(b"<EndDate i:nil=\"true\"/><Note><![CDATA[R&D <core>]]></Note>")?;
        for field in 0..46 {
            write!(out, "<Field{field}>value {field} of &amp; {number}</Field{field}>")?;
        }
        out.write_all(b"</Worker>\n")?;
    }
    out.write_all(b"</Workers></s:Body></s:Envelope>")?;
    out.flush()?;
    let length = fs::metadata(&path)?.len();
    ensure!(length > 50_000_000, "the document has only {length} bytes");
    Ok(path)
}

/// Every record as a tree, one at a time.
fn streamed(path: &Path) -> anyhow::Result<usize> {
    let mut records = xml::records(File::open(path)?, RECORD_PATH, Limits::default())?;
    let mut count = 0;
    while let Some(record) = records.next_record()? {
        count += usize::from(record.value.get("Pay").get("#text").as_text().is_some());
    }
    Ok(count)
}

/// The whole document in memory, as one tree.
fn whole(path: &Path) -> anyhow::Result<usize> {
    let bytes = fs::read(path)?;
    let arena = Arena::new();
    let tree = xml::read(&arena, &bytes, Limits { max_nodes: 10_000_000, ..Limits::default() })?;
    Ok(tree.path(RECORD_PATH).items().len())
}

fn tokens(path: &Path) -> anyhow::Result<usize> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(File::open(path)?));
    let (mut piece, mut count) = (Vec::new(), 0);
    loop {
        piece.clear();
        match reader.read_event_into(&mut piece)? {
            quick_xml::events::Event::Start(tag) => count += usize::from(tag.name().as_ref() == "Worker"),
            quick_xml::events::Event::Eof => return Ok(count),
            _ => {}
        }
    }
}
