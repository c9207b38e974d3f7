//! Competency models tried on interviews, and compared over them.

use super::differences::{Differences, Moved};
use super::{Diff, Scoring, period, sound};
use crate::cli::Format;
use crate::say;
use anyhow::Context as _;
use hub_interview::{Assessment, Model, assess, changes, label_text};
use hub_model::entities::assessment::{Scorecard, Turn};
use hub_tree::{Decimal, Source};
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// An interview with what its vendor scored.
#[derive(Deserialize)]
pub(super) struct Interview {
    /// What it is called in results.
    #[serde(skip)]
    pub(super) name: String,
    pub(super) scorecard: Scorecard,
    #[serde(default)]
    pub(super) turns: Vec<Turn>,
}

fn interview(file: &Path) -> anyhow::Result<Interview> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let read: Interview = serde_json::from_slice(&text).with_context(|| {
        format!("{} is no interview: JSON with `scorecard`, and `turns` if there is a transcript", file.display())
    })?;
    Ok(Interview { name: file.display().to_string(), ..read })
}

/// Scores an interview with a model.
pub(super) fn score(args: &Scoring, source: &Arc<Source>, explained: bool) -> anyhow::Result<ExitCode> {
    let Some(model) = sound(source, Model::compile) else { return Ok(ExitCode::FAILURE) };
    let interview = interview(&args.input)?;
    let scored = assess(&model, &interview.scorecard, &interview.turns, args.region.policy());
    match args.format {
        Format::Text if explained => say::out(scored.explain.to_lines().trim_end()),
        Format::Text => show(&scored),
        Format::Json => say::out(format!("{:#}", as_json(&model, &scored))),
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(number: Option<Decimal>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.normalize().to_string())
}

/// The scores of an assessment by dimension.
fn scores(scored: &Assessment) -> impl Iterator<Item = (&str, Option<Decimal>)> {
    let named = scored.dimensions.iter();
    named.map(|one| (one.id.as_deref().unwrap_or_default(), one.score.as_ref().and_then(|score| score.value)))
}

fn show(scored: &Assessment) {
    for (dimension, score) in scores(scored) {
        say::out(format!("{dimension}  {}", text_of(score)));
    }
    let coverage = scored.coverage.normalize();
    match scored.composite {
        Some(composite) => say::out(format!("composite  {} (coverage {coverage})", text_of(Some(composite)))),
        None => say::out(format!("composite  insufficient evidence (coverage {coverage})")),
    }
    let review = if scored.human_review_required() { "; a person decides" } else { "" };
    say::out(format!("decision  {}{review}", label_text(scored.label)));
    for text in scored.reasons.iter().filter_map(|reason| reason.text.as_deref()) {
        say::out(format!("  {text}"));
    }
}

fn as_json(model: &Model, scored: &Assessment) -> serde_json::Value {
    json!({
        "model": model.version(),
        "dimensions": scored.dimensions,
        "composite": scored.composite,
        "match_score": scored.match_score,
        "coverage": scored.coverage,
        "label": label_text(scored.label),
        "human_review_required": scored.human_review_required(),
        "below_floor": scored.below_floor,
        "below_min": scored.below_min,
        "missing": scored.missing,
        "reasons": scored.reasons,
        "explain": scored.explain,
    })
}

/// What differs between two models, and what that does to interviews.
pub(super) async fn diff(args: &Diff, older: &Arc<Source>, newer: &Arc<Source>) -> anyhow::Result<ExitCode> {
    let both = (sound(older, Model::compile), sound(newer, Model::compile));
    let (Some(older), Some(newer)) = both else { return Ok(ExitCode::FAILURE) };
    let mut interviews = args.inputs.iter().map(|file| interview(file)).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some((hub, period)) = args.past()? {
        interviews.extend(period::interviews(&hub, &older.id, &period).await?);
    }
    let policy = args.region.policy();
    let moved = interviews.iter().map(|one| {
        let by = |model: &Model| results(&assess(model, &one.scorecard, &one.turns, policy));
        Moved::between(one.name.clone(), &by(&older), &by(&newer))
    });
    let found = Differences {
        versions: [older.version(), newer.version()],
        changes: changes(&older, &newer),
        moved: moved.collect(),
        what: "interview",
    };
    found.tell(args.format);
    Ok(ExitCode::SUCCESS)
}

/// The label, then all numbers, by name.
fn results(scored: &Assessment) -> Vec<(String, String)> {
    let numbers = [("composite", scored.composite)].into_iter().chain(scores(scored));
    let numbers = numbers.map(|(name, score)| (name.to_owned(), text_of(score)));
    [("decision".to_owned(), label_text(scored.label).to_owned())].into_iter().chain(numbers).collect()
}
