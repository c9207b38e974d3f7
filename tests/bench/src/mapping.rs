//! One web hook of an applicant tracking system, from raw bytes to the bytes of a candidate and an application of 37
//! fields: documents per second of processor time on one core, and allocations per document.
//!
//! Every contestant must first make the same records. Numbers stay text for the hub and by hand; the document holds
//! only numbers that binary fractions keep as well, so no contestant needs an exception.
//!
//! - `hub`, `hand`: phones through the same library; the zone of the local time by its name. The hub also finds what
//!   no rule reads and notes which rule made which field; that is not part of the records that are compared.
//! - `python`: the dictionaries of plain Python; phones through the port of the same library.
//! - `vrl`, `jaq`, `jsonata`: they have no library for phones and leave them out, so they stand beside `hub, no phones`.
//!   jaq and JSONata know no zones by name: the offset of Shanghai is written into the rule.

mod child;
mod hand;
mod hub;
#[cfg(feature = "peers")]
mod jaq;
#[cfg(feature = "peers")]
mod vrl;

use crate::allocations;
use crate::report::{Report, Row};
use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The connection that references name.
const CONNECTION: &str = "bench";
const INPUT: &str = include_str!("../data/application.input.json");
const EXPECTED: &str = include_str!("../data/application.expect.json");
/// Documents between two looks at the clock.
const BATCH: u32 = 32;

/// Which other mapping languages take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peers {
    /// None.
    None,
    /// Those that are there.
    Found,
    /// All; the bench fails where one is missing.
    All,
}

/// Something that maps documents in this process.
trait Contestant {
    /// Maps one document; gives its bytes, or nothing when the contestant only reads.
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]>;
}

/// Whether telephone numbers are part of the work. They have rows of their own: their library is half of `hand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phones {
    Parsed,
    LeftOut,
}

/// What a contestant must make.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Makes {
    Records(Phones),
    Nothing,
}

enum Runner {
    Here(Box<dyn Contestant>),
    Child(child::Child),
}

struct Entry {
    name: &'static str,
    makes: Makes,
    runner: Runner,
}

pub fn run(rounds: usize, seconds: u64, peers: Peers) -> anyhow::Result<Report> {
    let input = compact(INPUT);
    ensure!((3_500..4_500).contains(&input.len()), "the document is {} bytes, not about 4 kB", input.len());
    let mut entries = ours()?;
    if peers != Peers::None {
        let missing = add_peers(&mut entries)?;
        for reason in &missing {
            eprintln!("missing: {reason}");
        }
        ensure!(peers == Peers::Found || missing.is_empty(), "{} contestants are missing", missing.len());
    }
    for entry in &mut entries {
        entry.prove(&input).with_context(|| format!("`{}` is out of the race", entry.name))?;
    }
    let time = Duration::from_secs(seconds);
    let mut rows: Vec<Row> = entries.iter().map(|entry| Row::new(entry.name)).collect();
    for (entry, row) in entries.iter_mut().zip(&mut rows) {
        row.beside = entry.allocations(&input)?.map(|count| (count, "allocations each")).into_iter().collect();
        // Caches, branch predictors and compilers at run time warm up unobserved.
        entry.rate(&input, Duration::from_millis(300))?;
    }
    for _ in 0..rounds {
        for (entry, row) in entries.iter_mut().zip(&mut rows) {
            row.values.push(entry.rate(&input, time)?);
        }
    }
    let mut pairs = Vec::new();
    let mut pair = |one: &str, other: &str| pairs.push((one.to_owned(), other.to_owned()));
    for entry in &entries {
        let (ours, limit) = match entry.makes {
            Makes::Records(Phones::Parsed) => ("hub", "hand"),
            Makes::Records(Phones::LeftOut) => ("hub, no phones", "hand, no phones"),
            Makes::Nothing => ("hub, reading only", "hand, reading only"),
        };
        if entry.name == ours {
            pair(ours, limit);
        } else if entry.name != limit {
            pair(ours, entry.name);
            pair(entry.name, limit);
        }
    }
    Ok(Report { bench: "mapping", unit: "documents/s", rows, pairs })
}

/// Runs one contestant alone for a profiler.
pub fn only(name: &str, seconds: u64) -> anyhow::Result<Report> {
    let input = compact(INPUT);
    let mut entries = ours()?;
    let entry = entries.iter_mut().find(|entry| entry.name == name);
    let entry = entry.with_context(|| format!("no contestant of ours is called `{name}`"))?;
    let mut row = Row::new(entry.name);
    row.beside = entry.allocations(&input)?.map(|count| (count, "allocations each")).into_iter().collect();
    row.values.push(entry.rate(&input, Duration::from_secs(seconds))?);
    Ok(Report { bench: "mapping", unit: "documents/s", rows: vec![row], pairs: Vec::new() })
}

/// What one contestant makes of the document.
pub fn show(name: &str) -> anyhow::Result<String> {
    let input = compact(INPUT);
    let mut entries = ours()?;
    add_peers(&mut entries)?;
    let entry = entries.iter_mut().find(|entry| entry.name == name);
    let made = entry.with_context(|| format!("no contestant is called `{name}`"))?.make(&input)?;
    Ok(String::from_utf8(made)?)
}

fn ours() -> anyhow::Result<Vec<Entry>> {
    let here = |name, makes, contestant: Box<dyn Contestant>| Entry { name, makes, runner: Runner::Here(contestant) };
    Ok(vec![
        here("hub", Makes::Records(Phones::Parsed), Box::new(hub::Hub::new(Phones::Parsed)?)),
        here("hand", Makes::Records(Phones::Parsed), Box::new(hand::Hand::new(Phones::Parsed)?)),
        here("hub, no phones", Makes::Records(Phones::LeftOut), Box::new(hub::Hub::new(Phones::LeftOut)?)),
        here("hand, no phones", Makes::Records(Phones::LeftOut), Box::new(hand::Hand::new(Phones::LeftOut)?)),
        here("hub, reading only", Makes::Nothing, Box::new(hub::Reading::new())),
        here("hand, reading only", Makes::Nothing, Box::new(hand::Reading)),
    ])
}

/// Adds the peers that are there; gives the others, each with what to do.
fn add_peers(entries: &mut Vec<Entry>) -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    #[cfg(feature = "peers")]
    {
        let here = |name, contestant: Box<dyn Contestant>| Entry {
            name,
            makes: Makes::Records(Phones::LeftOut),
            runner: Runner::Here(contestant),
        };
        entries.push(here("vrl, no phones", Box::new(vrl::Vrl::new()?)));
        entries.push(here("jaq, no phones", Box::new(jaq::Jaq::new()?)));
    }
    #[cfg(not(feature = "peers"))]
    missing.push("vrl, jaq: build with `--features peers` (some minutes)".to_owned());
    for peer in child::PEERS {
        match peer.start() {
            Ok(child) => entries.push(Entry {
                name: peer.name,
                makes: Makes::Records(peer.phones),
                runner: Runner::Child(child),
            }),
            Err(reason) => missing.push(format!("{}: {reason:#}; {}", peer.name, peer.install())),
        }
    }
    Ok(missing)
}

/// The program of a peer that runs in this process; changing it needs no build.
#[cfg(feature = "peers")]
fn program(file: &str) -> anyhow::Result<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(file);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

impl Entry {
    /// Whether the contestant makes what it must make.
    fn prove(&mut self, input: &str) -> anyhow::Result<()> {
        let mut expected: serde_json::Value = serde_json::from_str(EXPECTED).context("application.expect.json")?;
        match self.makes {
            Makes::Nothing => return Ok(()),
            Makes::Records(Phones::Parsed) => {}
            Makes::Records(Phones::LeftOut) => {
                let fields = expected.pointer_mut("/0/fields").and_then(|fields| fields.as_object_mut());
                fields.context("no candidate")?.remove("phones").context("no phones")?;
            }
        }
        let made: serde_json::Value = serde_json::from_slice(&self.make(input)?).context("what it made is no JSON")?;
        match first_difference("", &expected, &made) {
            Some(place) => bail!("it makes other records: see {place}"),
            None => Ok(()),
        }
    }

    fn make(&mut self, input: &str) -> anyhow::Result<Vec<u8>> {
        match &mut self.runner {
            Runner::Here(contestant) => Ok(contestant.run(input.as_bytes())?.to_vec()),
            Runner::Child(child) => child.show(),
        }
    }

    /// Allocations per document, for those who run in this process.
    fn allocations(&mut self, input: &str) -> anyhow::Result<Option<u64>> {
        let Runner::Here(contestant) = &mut self.runner else { return Ok(None) };
        contestant.run(input.as_bytes())?;
        let before = allocations::count();
        contestant.run(input.as_bytes())?;
        Ok(Some(allocations::count() - before))
    }

    /// Documents per second of processor time.
    fn rate(&mut self, input: &str, time: Duration) -> anyhow::Result<f64> {
        let contestant = match &mut self.runner {
            Runner::Here(contestant) => contestant,
            Runner::Child(child) => return child.rate(time),
        };
        let start = processor_time();
        let mut documents = 0_u32;
        loop {
            for _ in 0..BATCH {
                std::hint::black_box(contestant.run(std::hint::black_box(input.as_bytes()))?);
            }
            documents += BATCH;
            let spent = processor_time() - start;
            if spent >= time {
                return Ok(f64::from(documents) / spent.as_secs_f64());
            }
        }
    }
}

/// What this thread has used of a core so far: neighbours on the machine do not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The document as vendors send it: without white space between values.
fn compact(json: &str) -> String {
    let mut quoted = false;
    let mut escaped = false;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if !quoted && c.is_ascii_whitespace() {
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// Where two documents differ first, as a JSON pointer.
fn first_difference(at: &str, expected: &serde_json::Value, made: &serde_json::Value) -> Option<String> {
    use serde_json::Value as V;
    match (expected, made) {
        (V::Object(a), V::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let mut places = keys.map(|key| (format!("{at}/{key}"), a.get(key), b.get(key)));
            places.find_map(|(at, a, b)| match (a, b) {
                (Some(a), Some(b)) => first_difference(&at, a, b),
                _ => Some(at),
            })
        }
        (V::Array(a), V::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(index, (a, b))| first_difference(&format!("{at}/{index}"), a, b))
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("{at}: expected {a}, found {b}")),
    }
}
