//! `hrhub map new`: a mapping proposed from samples.

use super::files::{self, InputFile};
use crate::cli::MapNew;
use crate::say;
use anyhow::{Context as _, bail};
use hub_engine::{Mapping, case};
use hub_propose::{Request, Sample, propose};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Findings, Source};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn run(args: &MapNew) -> anyhow::Result<ExitCode> {
    for (what, name) in [("--connector", &args.connector), ("--object", &args.object)] {
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            return Ok(say::usage(format!("{what} is a name of letters, digits, `_` and `-`, not `{name}`")));
        }
    }
    for name in &args.to {
        if hub_model::entity(name).is_none() {
            let help = suggest(name, hub_model::ENTITIES.iter().map(|entity| entity.name)).unwrap_or_default();
            return Ok(say::usage(format!("there is no entity `{name}`; {help}")));
        }
    }
    let read = args.from.iter().map(|path| InputFile::read(path)).collect::<anyhow::Result<Vec<InputFile>>>()?;
    let names: Vec<String> = args.from.iter().map(|path| path.display().to_string()).collect();
    let arena = Arena::new();
    let mut samples = Vec::new();
    for (file, name) in read.iter().zip(&names) {
        samples.push(Sample { name, value: file.tree(&args.reading, &arena)? });
    }
    let entities = (!args.to.is_empty()).then(|| args.to.iter().map(String::as_str).collect());
    let request = Request { connector: &args.connector, object: &args.object, samples: &samples, entities };
    let proposal = propose(&request);
    let taken = proposal.lines.iter().filter(|line| line.taken).count();
    let unsure = proposal.lines.len() - taken;
    match &args.into {
        None => say::out(proposal.text.trim_end()),
        Some(folder) => write(args, folder, &proposal.text, &read)?,
    }
    say::note(format!("{} taken, {} commented out: read each before you use it", say::number(taken, "line"), unsure));
    Ok(ExitCode::SUCCESS)
}

/// Writes the mapping, and the samples as cases with what it makes of them now.
fn write(args: &MapNew, folder: &Path, text: &str, samples: &[InputFile]) -> anyhow::Result<()> {
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let vendor = folder.join("mappings").join(&args.connector);
    let path = vendor.join(format!("{}.in.yaml", args.object));
    let cases = vendor.join("cases").join(format!("{}.in", args.object));
    if path.exists() || cases.exists() {
        bail!("{} is there already, or has cases; nothing was written", path.display());
    }
    let findings = Findings::new();
    let source = Source::new(path.display().to_string(), text);
    let mapping = Mapping::compile(&args.connector, &source, &findings).context("the proposal does not compile")?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![(path, text.as_bytes().to_vec())];
    for (index, (sample, from)) in samples.iter().zip(&args.from).enumerate() {
        let kind = files::ending(from);
        let name = format!("sample-{}", index + 1);
        let result = case::run(&mapping, case::kind_of(&format!("x.{kind}")), &sample.bytes, false)
            .map_err(|error| anyhow::anyhow!("{}: {error}", from.display()))?;
        files.push((cases.join(format!("{name}.input.{kind}")), sample.bytes.clone()));
        files.push((cases.join(format!("{name}.expect.json")), result.into_bytes()));
    }
    fs::create_dir_all(&cases).with_context(|| format!("making {}", cases.display()))?;
    for (path, bytes) in files {
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        say::out(path.display().to_string());
    }
    Ok(())
}
