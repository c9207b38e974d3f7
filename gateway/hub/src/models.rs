//! `hrhub model`: work on competency models, appraisal schemes and presets of industries.
//!
//! Results go to standard output, what there is to say about them beside it. Exit codes: 0 fine, 1 problems, 2 a
//! command line that cannot be followed.

mod differences;
mod interview;
mod period;
mod presets;
mod scheme;

use crate::cli::Format;
use crate::running::RunningHub;
use crate::say;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use hub_appraisal::preset::Preset;
use hub_appraisal::scheme::Scheme;
use hub_interview::{Model, Policy};
use hub_tree::{Findings, Source, Span};
use period::Period;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Subcommand)]
pub(crate) enum ModelCommand {
    /// Check competency models, appraisal schemes and presets.
    Check {
        /// A file, or a folder: its files, and those in its folders `appraisal` and `presets`.
        #[arg(default_value = "models")]
        path: PathBuf,
        /// How problems are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Score one interview by a model, or appraise one review by a scheme.
    Try(Scoring),
    /// The same, and say of each number why it is what it is.
    Explain(Scoring),
    /// Say what differs between two versions of a model or scheme, and what that does to interviews or appraisals.
    Diff(Box<Diff>),
    /// List the presets of industries, or show one: shifts, rest, overtime, appraisal.
    Presets {
        /// The one to show.
        preset: Option<String>,
    },
    /// Write the files of a preset into a configuration folder, to be changed there.
    Preset {
        /// Its id, such as `retail-store`.
        preset: String,
        /// The configuration folder.
        #[arg(long, value_name = "DIR", default_value = ".")]
        into: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct Scoring {
    /// The model or the scheme.
    model: PathBuf,
    /// Of a model the interview: JSON with `scorecard`, as the API shows the vendor's, and `turns` of the interview. Of
    /// a scheme what was reviewed: JSON with `kpis`, `behaviours` and `training`, as `calculation.inputs` of an
    /// appraisal has them.
    #[arg(value_name = "INPUT.json")]
    input: PathBuf,
    #[command(flatten)]
    region: Region,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Region {
    /// Let facial expressions count, where the law allows it.
    #[arg(long)]
    expressions: bool,
}

impl Region {
    const fn policy(&self) -> Policy {
        Policy { expressions: self.expressions }
    }
}

#[derive(Args)]
pub(crate) struct Diff {
    /// The model or scheme as it is.
    older: PathBuf,
    /// The same as it would be.
    newer: PathBuf,
    /// Interviews to score with both, or reviews to appraise by both.
    #[arg(value_name = "INPUT.json")]
    inputs: Vec<PathBuf>,
    /// A hub that runs: what it scored with this model, or appraised by this scheme, is scored with both. Its key:
    /// HRHUB_KEY, else the folder's HRHUB_ADMIN_KEY.
    #[arg(long, value_name = "URL", env = "HRHUB_URL", requires = "since")]
    hub: Option<String>,
    /// Interviews or appraisals of the hub from this day on.
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Those before this day.
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
    #[command(flatten)]
    region: Region,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Diff {
    /// The hub whose past is asked, and for which days.
    fn past(&self) -> anyhow::Result<Option<(RunningHub, Period)>> {
        let Some(hub) = &self.hub else { return Ok(None) };
        let period = Period::of(self.since.as_deref().unwrap_or_default(), self.until.as_deref())?;
        Ok(Some((RunningHub::at(hub, &self.config)?, period)))
    }
}

pub(crate) async fn run(command: ModelCommand) -> anyhow::Result<ExitCode> {
    match command {
        ModelCommand::Check { path, format } => check(&path, format),
        ModelCommand::Try(args) => score(&args, false),
        ModelCommand::Explain(args) => score(&args, true),
        ModelCommand::Diff(args) => diff(&args).await,
        ModelCommand::Presets { preset } => presets::list(preset.as_deref()),
        ModelCommand::Preset { preset, into } => presets::apply(&preset, &into),
    }
}

fn check(path: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files = yaml_files(path)?;
        for folder in ["appraisal", "presets"].map(|name| path.join(name)).iter().filter(|folder| folder.is_dir()) {
            files.extend(yaml_files(folder)?);
        }
        files.sort();
        if files.is_empty() {
            bail!("there is no model (*.yaml) in {}", path.display());
        }
    }
    let findings = Findings::new();
    let mut counts = Kind::ALL.map(|kind| (kind, 0, 0));
    for file in &files {
        let (kind, is_sound) = check_one(file, &findings);
        for (_, sound, all) in counts.iter_mut().filter(|(known, ..)| *known == kind) {
            *sound += usize::from(is_sound);
            *all += 1;
        }
    }
    let said = counts.iter().filter(|(.., all)| *all > 0);
    let said: Vec<String> =
        said.map(|(kind, sound, all)| format!("{sound} of {}", say::number(*all, kind.word()))).collect();
    Ok(say::report(&findings.into_sorted(), format, &said.join(", ")))
}

fn yaml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let below = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let files = below.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|ending| ending == "yaml")).collect())
}

/// What a file is about; its first key tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Scheme,
    Preset,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Model, Self::Scheme, Self::Preset];

    const fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Scheme => "scheme",
            Self::Preset => "preset",
        }
    }

    fn of(source: &Source) -> Self {
        let is_key = |line: &&str| !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with("---");
        let first = source.text.lines().find(is_key).and_then(|line| line.split(':').next()).unwrap_or_default().trim();
        Self::ALL.into_iter().find(|kind| kind.word() == first).unwrap_or(Self::Model)
    }
}

/// Checks a file; says what kind it is, and whether it is sound.
fn check_one(file: &Path, findings: &Findings) -> (Kind, bool) {
    let Some(source) = read_file(file, findings) else { return (Kind::Model, false) };
    let kind = Kind::of(&source);
    let is_sound = match kind {
        Kind::Model => Model::compile(&source, findings).is_some(),
        Kind::Scheme => Scheme::compile(&source, findings).is_some(),
        Kind::Preset => Preset::compile(&source, findings).is_some(),
    };
    (kind, is_sound)
}

fn read_file(file: &Path, findings: &Findings) -> Option<Arc<Source>> {
    match fs::read_to_string(file) {
        Ok(text) => Some(Source::new(file.display().to_string(), text)),
        Err(error) => {
            let source = Source::new(file.display().to_string(), "");
            findings.error(&source, Span::default(), format!("the file cannot be read: {error}"), None);
            None
        }
    }
}

/// What can be compiled of a file.
type Compile<T> = fn(&Arc<Source>, &Findings) -> Option<T>;

/// What a file says, if it is sound; else its problems are printed.
fn sound<T>(source: &Arc<Source>, compile: Compile<T>) -> Option<T> {
    let findings = Findings::new();
    let compiled = compile(source, &findings);
    say::findings(&findings.into_sorted());
    compiled
}

/// A model's or a scheme's file.
fn source(file: &Path) -> anyhow::Result<Arc<Source>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    Ok(Source::new(file.display().to_string(), text))
}

fn no_scoring<T>(file: &Path) -> anyhow::Result<T> {
    bail!("{} is a preset: nothing is scored by it; `hrhub model check` checks it", file.display())
}

fn score(args: &Scoring, explained: bool) -> anyhow::Result<ExitCode> {
    let source = source(&args.model)?;
    match Kind::of(&source) {
        Kind::Model => interview::score(args, &source, explained),
        Kind::Scheme => scheme::score(args, &source, explained),
        Kind::Preset => no_scoring(&args.model),
    }
}

async fn diff(args: &Diff) -> anyhow::Result<ExitCode> {
    let (older, newer) = (source(&args.older)?, source(&args.newer)?);
    match (Kind::of(&older), Kind::of(&newer)) {
        (Kind::Model, Kind::Model) => interview::diff(args, &older, &newer).await,
        (Kind::Scheme, Kind::Scheme) => scheme::diff(args, &older, &newer).await,
        (Kind::Preset, Kind::Preset) => no_scoring(&args.newer),
        _ => bail!("{} and {} are not of one kind", args.older.display(), args.newer.display()),
    }
}
