//! Interviews scored per second on one core, and a bias audit of many people beside pandas with fairlearn.

use crate::program;
use crate::report::{Report, Row};
use anyhow::{Context as _, ensure};
use hub_interview::{Model, Policy, assess};
use hub_model::entities::assessment::{Scorecard, Turn};
use hub_tree::{Findings, Source};
use serde_json::json;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Scorecards per second: dimensions, composite, decision and every step of the explanation.
pub fn scorecards(rounds: usize, seconds: u64) -> anyhow::Result<Report> {
    let text = fs::read_to_string(folder().join("../../scoring/models/customer-service.yaml"))?;
    let findings = Findings::new();
    let model = Model::compile(&Source::new("customer-service.yaml", text), &findings);
    let model = model.with_context(|| format!("{:?}", findings.into_sorted()))?;
    let dimensions = model.dimensions.iter().map(|dimension| {
        json!({"id": dimension.id, "score": {"value": "7.5", "min": "0", "max": "10"}, "evidence": [{"text": "先问了需求"}]})
    });
    let scorecard: Scorecard = serde_json::from_value(json!({
        "dimensions": dimensions.collect::<Vec<_>>(), "keywords": ["同理心", "倾听"],
        "features": [{"name": "speech_rate", "class": {"value": "SPEECH"}, "value": "3.5"}],
    }))?;
    let said = "我先听客户说完，再确认问题，然后给出两个方案，并在当天回访。";
    let turn = json!({"speaker": {"value": "CANDIDATE"}, "text": said});
    let turns: Vec<Turn> = serde_json::from_value(json!(vec![turn; 20]))?;
    let mut report = Report::new("score", "scorecards per second on one core");
    for _ in 0..rounds {
        for (name, turns) in [("hub", &turns[..0]), ("hub, with a transcript of 20 answers", &turns[..])] {
            let (begun, mut done) = (Instant::now(), 0_u32);
            while begun.elapsed() < Duration::from_secs(seconds) {
                for _ in 0..100 {
                    let scored = assess(&model, &scorecard, turns, Policy { expressions: false });
                    ensure!(scored.composite.is_some(), "there is no composite");
                }
                done += 100;
            }
            report.row(name).values.push(f64::from(done) / begun.elapsed().as_secs_f64());
        }
    }
    Ok(report)
}

/// People per second, from a CSV file to the rates: `hrhub bias-audit` as a whole process, which also writes the page,
/// beside what pandas and fairlearn need once they are imported.
pub fn bias(rounds: usize, people: usize) -> anyhow::Result<Report> {
    let hrhub = program::build()?;
    let data = folder().join("target/data");
    fs::create_dir_all(&data)?;
    let (rows, page) = (data.join("people.csv"), data.join("audit.html"));
    write(&rows, people)?;
    let python = python()?;
    let per_second = |seconds: f64| people as f64 / seconds;
    let (mut ours, mut peer) = (Row::new("hub"), Row::new("pandas and fairlearn"));
    for _ in 0..rounds {
        let begun = Instant::now();
        let mut command = Command::new(&hrhub);
        command.arg("bias-audit").arg(&rows).arg("--out").arg(&page).args(["--tool", "Phone screen"]);
        command.args(["--tool-version", "1", "--auditor", "Example", "--data-source", "made up"]);
        command.args(["--since", "2026-01-01", "--until", "2026-06-30"]);
        let done = command.output()?;
        ensure!(done.status.success(), "hrhub: {}", String::from_utf8_lossy(&done.stderr));
        ours.values.push(per_second(begun.elapsed().as_secs_f64()));
        let mut command = Command::new("python3");
        command.arg(folder().join("peers/bias.py")).arg(&rows).arg(people.to_string()).env("PYTHONPATH", &python);
        let done = command.output()?;
        ensure!(done.status.success(), "the peer: {}", String::from_utf8_lossy(&done.stderr));
        peer.values.push(per_second(String::from_utf8(done.stdout)?.trim().parse()?));
    }
    let pairs = vec![(ours.name.clone(), peer.name.clone())];
    Ok(Report { bench: "bias", unit: "people per second", rows: vec![ours, peer], pairs })
}

/// Made-up people: sexes, seven ethnicities, some of both unknown, selected or not, with scores.
fn write(path: &Path, people: usize) -> anyhow::Result<()> {
    const RACES: [&str; 8] =
        ["Hispanic or Latino", "White", "Black", "Pacific Islander", "Asian", "Native American", "Two or More", ""];
    let mut file = BufWriter::new(fs::File::create(path)?);
    writeln!(file, "sex,race,selected,score")?;
    for number in 0..people {
        let mixed = number.wrapping_mul(2_654_435_761) >> 8;
        let sex = ["Female", "Male", "Female", "Male", ""][mixed % 5];
        let (race, selected) = (RACES[mixed / 5 % 8], mixed / 40 % 3 == 0);
        writeln!(file, "{sex},{race},{},{}.{}", u8::from(selected), mixed / 120 % 100, mixed / 12_000 % 10)?;
    }
    Ok(file.flush()?)
}

/// The libraries of the peer, installed once.
fn python() -> anyhow::Result<PathBuf> {
    let folder = folder().join("target/peers/bias");
    if !folder.join("fairlearn").is_dir() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "fairlearn==0.15.0", "pandas==3.1.1", "--target"]).arg(&folder);
        ensure!(pip.status()?.success(), "the peers cannot be installed");
    }
    Ok(folder)
}
