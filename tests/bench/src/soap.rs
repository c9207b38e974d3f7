//! An answer of 1 MiB with workers, as a large HR system gives them page by page: how fast it becomes a tree or records.
//!
//! `hand` is the tokenizer alone, which makes no values and checks little. lxml makes its own tree, zeep decodes it by a
//! description; both are asked in a process of their own, for the processor time that they take.

use crate::report::{Report, Row};
use anyhow::{Context as _, ensure};
use hub_soap::{Message, Rules};
use hub_tree::{Arena, Limits, xml};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often each contestant reads the answer in one round.
const TIMES: usize = 20;

type Contestant = (&'static str, fn(&str) -> anyhow::Result<usize>);

const CONTESTANTS: [Contestant; 4] = [
    ("hub, message to tree", message),
    ("hub, record by record", records),
    ("hand, tokens only", tokens),
    ("hand, tokens and namespaces", resolved),
];
const PEERS: [&str; 2] = ["lxml", "zeep"];

/// Speed in MB per second of processor time; contestants take turns.
pub fn run(rounds: usize) -> anyhow::Result<Report> {
    let (text, count) = answer()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/data/soap.xml");
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(&path, &text)?;
    let python = python()?;
    let mut rows: Vec<Row> = CONTESTANTS.iter().map(|(name, _)| Row::new(*name)).collect();
    rows.extend(PEERS.map(Row::new));
    for _ in 0..rounds {
        for (row, (name, contestant)) in rows.iter_mut().zip(CONTESTANTS) {
            let begun = spent();
            for _ in 0..TIMES {
                let found = contestant(&text)?;
                ensure!(found == count, "`{name}` found {found} workers of {count}");
            }
            row.values.push((text.len() * TIMES) as f64 / 1e6 / (spent() - begun));
        }
        for (row, name) in rows.iter_mut().skip(CONTESTANTS.len()).zip(PEERS) {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/soap.py");
            let mut command = Command::new("python3");
            command.arg(script).arg(name).arg(&path).arg(count.to_string()).env("PYTHONPATH", &python);
            let done = command.output()?;
            ensure!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
            row.values.push(String::from_utf8(done.stdout)?.trim().parse()?);
        }
    }
    let limit = CONTESTANTS[2].0;
    let names = CONTESTANTS[..2].iter().map(|(name, _)| *name).chain(PEERS);
    let pairs = names.map(|name| (name.to_owned(), limit.to_owned())).collect();
    Ok(Report { bench: "soap", unit: "MB/s", rows, pairs })
}

/// The libraries of the peers, installed once.
fn python() -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/soap");
    if !folder.join("zeep").is_dir() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "zeep==4.3.3", "lxml==6.1.3", "--target"]).arg(&folder);
        ensure!(pip.status()?.success(), "the peers cannot be installed");
    }
    Ok(folder)
}

fn spent() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// The answer, and how many workers it has.
fn answer() -> anyhow::Result<(String, usize)> {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <env:Body><wd:Get_Workers_Response xmlns:wd=\"urn:heron:bsvc\" wd:version=\"v42.0\"><wd:Response_Data>\n",
    );
    let mut count = 0;
    while text.len() < 1 << 20 {
        count += 1;
        write!(
            text,
            "<wd:Worker><wd:Worker_Reference wd:Descriptor=\"Li Na {count}\"><wd:ID wd:type=\"WID\">0f1e2d3c4b5a6978{count:016x}</wd:ID>\
             <wd:ID wd:type=\"Employee_ID\">{count}</wd:ID></wd:Worker_Reference><wd:Worker_Data><wd:Worker_ID>{count}</wd:Worker_ID>\
             <wd:Personal_Data><wd:Name_Data><wd:First_Name>Na</wd:First_Name><wd:Last_Name>Li</wd:Last_Name>\
             <wd:Local_Name>李娜</wd:Local_Name></wd:Name_Data><wd:Birth_Date>1991-05-06-08:00</wd:Birth_Date></wd:Personal_Data>\n"
        )?;
        for position in 0..3 {
            write!(
                text,
                "<wd:Position_Data wd:Effective_Date=\"2020-03-1{position}-08:00\"><wd:Position_ID>P-{count}-{position}</wd:Position_ID>\
                 <wd:Position_Title>Senior Engineer</wd:Position_Title><wd:Business_Title>R&amp;D</wd:Business_Title>\
                 <wd:Organization_Reference><wd:ID wd:type=\"WID\">0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a</wd:ID>\
                 <wd:ID wd:type=\"Organization_Reference_ID\">SUP_RD</wd:ID></wd:Organization_Reference>\
                 <wd:Amount>{}.50</wd:Amount><wd:Currency>CNY</wd:Currency></wd:Position_Data>\n",
                15000 + position
            )?;
        }
        text.push_str("</wd:Worker_Data></wd:Worker>\n");
    }
    text.push_str("</wd:Response_Data></wd:Get_Workers_Response></env:Body></env:Envelope>");
    Ok((text, count))
}

fn message(text: &str) -> anyhow::Result<usize> {
    let arena = Arena::new();
    let message = Message { body: text.as_bytes(), ..Message::default() };
    let envelope = hub_soap::read(&arena, &message, &Rules::client())?;
    Ok(envelope.payload.path("Response_Data.Worker").items().len())
}

fn records(text: &str) -> anyhow::Result<usize> {
    let path = "Envelope.Body.Get_Workers_Response.Response_Data.Worker";
    let mut records = xml::records(text.as_bytes(), path, Limits::default())?;
    let mut count = 0;
    while let Some(record) = records.next_record()? {
        count += usize::from(record.value.path("Worker_Data.Worker_ID").as_text().is_some());
    }
    Ok(count)
}

fn tokens(text: &str) -> anyhow::Result<usize> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event()? {
            quick_xml::events::Event::Start(tag) => count += usize::from(tag.name().as_ref() == "wd:Worker"),
            quick_xml::events::Event::Eof => return Ok(count),
            _ => {}
        }
    }
}

/// The tokenizer with what every reader of SOAP needs: the namespace of each element.
fn resolved(text: &str) -> anyhow::Result<usize> {
    let mut reader = quick_xml::NsReader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_resolved_event()?.1 {
            quick_xml::events::Event::Start(tag) => count += usize::from(tag.local_name().as_ref() == "Worker"),
            quick_xml::events::Event::Eof => return Ok(count),
            _ => {}
        }
    }
}
