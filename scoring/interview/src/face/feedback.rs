//! The feedback report by request.

use super::keywords::shipped_model;
use super::{check_within, scores, told};
use crate::feedback::{Feedback, Language};
use crate::figures::has_figures;
use crate::model::{Dimension, Model};
use crate::numbers::shown;
use hub_calc::{Answer, Given, Wrong};
use hub_model::entities::assessment::{self as record, Evidence};
use hub_model::scalars::Score;
use hub_tree::{Decimal, Value};

pub(super) fn feedback_report(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let model = shipped_model(&given)?;
    let map = given.map("scores")?;
    let mut by_dimension: Vec<(&str, Decimal)> = Vec::new();
    for (name, score) in scores(&map)? {
        if model.dimensions.iter().all(|dimension| dimension.id != name) {
            let known: Vec<&str> = model.dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
            let detail = format!("`{}` has no dimension `{name}`; known: {}", model.id, known.join(", "));
            return Err(map.wrong(name, &detail));
        }
        check_within(&map, name, &score, 0, 100)?;
        by_dimension.extend(score.to_decimal().map(|score| (name, score)));
    }
    let answer_text = given.optional_text("answer_text")?;
    let of =
        |dimension: &Dimension| by_dimension.iter().find(|(name, _)| *name == dimension.id).map(|(_, score)| *score);
    let profile = crate::profile(model, &records(model, &of));
    let scored = model.dimensions.iter().map(|dimension| (of(dimension), None)).collect();
    let feedback = Feedback::made(model, scored, &profile.strengths, &profile.risks, answer_text.map(has_figures));
    let in_each = |make: &dyn Fn(Language) -> String| Language::ALL.map(|language| (language.tag(), make(language)));
    let suggestions: Vec<&str> = feedback.suggestions(Language::English).iter().map(|(_, text)| *text).collect();
    let scored = by_dimension.iter().map(|(name, score)| told(format!("{name} {}", shown(*score)), "scores", name));
    let why = "a word for each score: outstanding from 90, good from 75, sound from 60; suggestions for what lies below the \
               model's min and for the lowest score";
    let step = hub_calc::Explain::leaf(why, None, Value::Absent).because(scored.collect());
    Ok(Answer::new(given.arena())
        .named("levels", &feedback.levels(Language::English))
        .texts("strengths", &profile.strengths)
        .texts("to_improve", &profile.risks)
        .texts("suggestions", &suggestions)
        .named("text", &in_each(&|language| feedback.text(language)))
        .named("html", &in_each(&|language| feedback.page(language)))
        .because(step))
}

/// The dimensions as a scorecard has them. Whoever asks vouches for the scores.
fn records(model: &Model, of: &dyn Fn(&Dimension) -> Option<Decimal>) -> Vec<record::Dimension> {
    let record = |dimension: &Dimension| record::Dimension {
        score: of(dimension).map(|value| Score {
            value: Some(value),
            min: Some(Decimal::ZERO),
            max: Some(Decimal::ONE_HUNDRED),
            scale: None,
        }),
        evidence: Some(vec![Evidence::default()]),
        ..record::Dimension::default()
    };
    model.dimensions.iter().map(record).collect()
}
