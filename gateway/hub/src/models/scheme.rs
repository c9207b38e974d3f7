//! Appraisal schemes tried on what a review says, and compared over past appraisals.

use super::differences::{Differences, Moved};
use super::{Diff, Scoring, period, sound};
use crate::cli::Format;
use crate::say;
use anyhow::{Context as _, bail};
use hub_appraisal::appraise::{Appraised, Refused, Work, appraise};
use hub_appraisal::scheme::Scheme;
use hub_calc::Exact;
use hub_interview::compared;
use hub_tree::yaml::{self, Kind, Node};
use hub_tree::{Findings, Source};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// What a review says, with a name for results.
pub(super) struct Reviewed {
    pub(super) name: String,
    pub(super) work: Work,
}

fn reviewed(file: &Path) -> anyhow::Result<Reviewed> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let mut work: Work = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} does not say what was reviewed: JSON with `kpis`, `behaviours`, and `training` of a probation, as \
             `calculation.inputs` of an appraisal has them",
            file.display()
        )
    })?;
    for (part, items) in [("kpis", &mut work.kpis), ("behaviours", &mut work.behaviours)] {
        for (index, item) in items.iter_mut().enumerate().filter(|(_, item)| item.place.is_empty()) {
            item.place = format!("/{part}/{index}");
        }
    }
    Ok(Reviewed { name: file.display().to_string(), work })
}

/// Appraises a review by a scheme.
pub(super) fn score(args: &Scoring, source: &Arc<Source>, explained: bool) -> anyhow::Result<ExitCode> {
    let Some(scheme) = sound(source, Scheme::compile) else { return Ok(ExitCode::FAILURE) };
    let reviewed = reviewed(&args.input)?;
    let appraised = match appraise(&scheme, &reviewed.work) {
        Ok(appraised) => appraised,
        Err(Refused { code, text }) => bail!("{}: {code}: {text}", reviewed.name),
    };
    match args.format {
        Format::Text if explained => {
            appraised.explain.iter().for_each(|step| say::out(step.to_lines().trim_end()));
        }
        Format::Text => results(&Ok(appraised)).iter().for_each(|(name, value)| say::out(format!("{name}  {value}"))),
        Format::Json => say::out(format!("{:#}", as_json(&scheme, &appraised))),
    }
    Ok(ExitCode::SUCCESS)
}

fn points(number: &Exact) -> String {
    number.rounded(4).to_string()
}

/// The grade, then all numbers, by name; of what cannot be appraised, why.
fn results(appraised: &Result<Appraised<'_>, Refused>) -> Vec<(String, String)> {
    let appraised = match appraised {
        Ok(appraised) => appraised,
        Err(Refused { code, text }) => return vec![("grade".to_owned(), format!("none ({code}: {text})"))],
    };
    let mut all = vec![
        ("grade".to_owned(), appraised.grade.to_owned()),
        ("total".to_owned(), points(&appraised.total)),
        ("coefficient".to_owned(), appraised.coefficient.to_string()),
    ];
    let parts =
        [("indicators", &appraised.kpi), ("behaviour", &appraised.behaviour), ("training", &appraised.training)];
    let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), points(part.as_ref()?))));
    all.extend(parts);
    all.extend(appraised.indicators.iter().map(|one| (one.indicator.id.clone(), points(&one.points))));
    all.extend(appraised.dimensions.iter().map(|one| (one.behaviour.id.clone(), points(&one.score))));
    all.extend(
        appraised
            .passed
            .map(|passed| ("probation".to_owned(), if passed { "passed" } else { "not passed" }.to_owned())),
    );
    all.extend(appraised.alerts.iter().map(|alert| ("alert".to_owned(), (*alert).to_owned())));
    all
}

fn as_json(scheme: &Scheme, appraised: &Appraised<'_>) -> Value {
    json!({
        "scheme": scheme.version(),
        "grade": appraised.grade,
        "coefficient": appraised.coefficient,
        "total": appraised.total,
        "indicators": appraised.kpi,
        "behaviour": appraised.behaviour,
        "training": appraised.training,
        "passed": appraised.passed,
        "alerts": appraised.alerts,
        "explain": appraised.explain,
    })
}

/// What differs between two schemes, and what that does to appraisals.
pub(super) async fn diff(args: &Diff, older: &Arc<Source>, newer: &Arc<Source>) -> anyhow::Result<ExitCode> {
    let changes = compared(&facts(older), &facts(newer));
    let both = (sound(older, Scheme::compile), sound(newer, Scheme::compile));
    let (Some(older), Some(newer)) = both else { return Ok(ExitCode::FAILURE) };
    let mut reviews = args.inputs.iter().map(|file| reviewed(file)).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some((hub, period)) = args.past()? {
        reviews.extend(period::appraisals(&hub, &older.id, &period).await?);
    }
    let moved = reviews.iter().map(|one| {
        let by = |scheme: &Scheme| results(&appraise(scheme, &one.work));
        Moved::between(one.name.clone(), &by(&older), &by(&newer))
    });
    let found = Differences {
        versions: [older.version(), newer.version()],
        changes,
        moved: moved.collect(),
        what: "appraisal",
    };
    found.tell(args.format);
    Ok(ExitCode::SUCCESS)
}

/// Every value of a scheme's file with its place, such as `kpis/客户满意度/weight`.
fn facts(source: &Arc<Source>) -> Vec<(String, String)> {
    fn walk(node: &Node, place: &str, facts: &mut Vec<(String, String)>) {
        let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
        match &node.kind {
            Kind::Map(entries) => entries.iter().for_each(|(key, node)| walk(node, &below(&key.name), facts)),
            Kind::List(items) if items.iter().all(|item| item.scalar().is_some()) => {
                let words: Vec<&str> = items.iter().filter_map(Node::scalar).collect();
                facts.push((place.to_owned(), words.join(", ")));
            }
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    // An entry is known by its name, wherever it stands.
                    let named = ["id", "grade", "dimension"].iter().find_map(|key| item.get(key)?.scalar());
                    walk(item, &below(named.unwrap_or(&index.to_string())), facts);
                }
            }
            _ => facts.push((place.to_owned(), node.scalar().unwrap_or("null").to_owned())),
        }
    }
    let mut facts = Vec::new();
    // What is wrong with the file is told when it is compiled.
    if let Some(root) = yaml::read(source, &Findings::new()) {
        walk(&root, "", &mut facts);
    }
    facts
}
