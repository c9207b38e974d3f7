//! Labels, gates and offers.

use super::{check_within, number, scores, told, within};
use crate::label_text;
use crate::offer::{ELIGIBLE_FROM, TOP_FROM, base};
use crate::verdict::{Bar, Known, Line, RULE, Verdict};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_model::entities::assessment::DecisionLabel;
use hub_tree::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn decision(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    // Scores that no rule speaks of decide nothing, and must still be scores.
    let scores = scores(&given.map("scores")?)?;
    let by_name: BTreeMap<&str, &Exact> = scores.iter().map(|(dim, score)| (*dim, score)).collect();
    let digits = if given.has("display_digits") { Some(given.count("display_digits")?) } else { None };
    let digits = match digits.map(u32::try_from) {
        None => None,
        Some(Ok(digits)) if digits <= 20 => Some(digits),
        Some(_) => return Err(given.wrong("display_digits", "`display_digits` is outside the range 0 to 20")),
    };
    let mut verdict = Verdict::new();
    let mut ruled = BTreeSet::new();
    for rule in given.list("rules")? {
        let dim = rule.text("dim")?;
        if !ruled.insert(dim) {
            return Err(rule.wrong("dim", &format!("two rules speak of `{dim}`")));
        }
        let min = within(&rule, "min", 0, 100)?;
        let floor = rule.optional_number("floor")?;
        if let Some(floor) = &floor {
            check_within(&rule, "floor", floor, 0, 100)?;
            if *floor > min {
                return Err(rule.wrong("floor", &format!("the floor {floor} lies above the min {min}")));
            }
        }
        let known = by_name.get(dim).map_or(Known::Missing, |score| Known::Scored((*score).clone()));
        verdict.look_at(dim, Bar { min, floor }, known);
    }
    if ruled.is_empty() {
        return Err(given.wrong("rules", "there is no rule: nothing would decide"));
    }
    let label = verdict.label();
    let word = label_text(label);
    let reasons: Vec<String> = verdict.lines.iter().map(|line| line.text(Exact::to_string)).collect();
    let step = |(line, text): (&Line<Exact>, &String)| {
        let score = line.score.as_ref().map(Exact::to_string);
        let value = score.as_deref().map_or(Value::Absent, Value::Text);
        Explain::leaf(text.clone(), Some(format!("scores.{}", line.name)), value)
    };
    let steps = verdict.lines.iter().zip(&reasons).map(step).collect();
    let mut answer = Answer::new(given.arena())
        .text("label", word)
        .texts("below_floor", &verdict.below_floor())
        .texts("below_min", &verdict.below_min())
        .texts("missing", &verdict.missing())
        .flag("human_review_required", label != DecisionLabel::Recommended)
        .texts("reasons", &reasons);
    if let Some(digits) = digits {
        let shown: Vec<(&str, String)> = scores.iter().map(|(dim, score)| (*dim, score.to_places(digits))).collect();
        answer = answer.named("displayed", &shown);
    }
    Ok(answer.because(told(RULE, "rules", word).because(steps)))
}

pub(super) fn match_gate(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let scale = given.text("scale")?;
    let ends = scale.split_once(['-', '–', '~']);
    let ends = ends.and_then(|(low, high)| Some((low.trim().parse::<i64>().ok()?, high.trim().parse::<i64>().ok()?)));
    let Some((low, high)) = ends.filter(|(low, high)| low < high) else {
        return Err(given.wrong("scale", &format!("`{scale}` is no scale, such as `0-10`")));
    };
    let threshold = within(&given, "threshold", low, high)?;
    let score = within(&given, "score", low, high)?;
    let passes = score >= threshold;
    let sign = if passes { "≥" } else { "<" };
    let step = told(format!("{score} {sign} {threshold}"), "score", if passes { "passes" } else { "does not pass" });
    Ok(Answer::new(given.arena()).flag("passes", passes).because(step))
}

pub(super) fn offer(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let score = within(&given, "score", 0, 100)?;
    let from = match given.optional_number("eligible_from")? {
        Some(_) => within(&given, "eligible_from", 0, 100)?,
        None => Exact::from(ELIGIBLE_FROM),
    };
    let cap = match given.optional_number("cap_at")? {
        Some(_) => within(&given, "cap_at", 0, 100)?,
        None => Exact::from(TOP_FROM),
    };
    if cap < from {
        return Err(given.wrong("cap_at", &format!("the range ends at {cap} before it begins at {from}")));
    }
    let range = given.number_list("range")?;
    let [low, high] = range.as_slice() else {
        return Err(given.wrong("range", "the range of finance is two amounts: lowest and highest"));
    };
    if low.is_negative() || high < low {
        return Err(given
            .wrong("range", &format!("{low} to {high} is no range: the highest lies below the lowest, or below 0")));
    }
    let answer = Answer::new(given.arena());
    if score < from {
        let step = told(format!("{score} < {from}"), "score", "not eligible");
        return Ok(answer.flag("eligible", false).because(step));
    }
    let (share, base) = base(&score, &from, &cap, low, high);
    let part = number(format!("({score} − {from}) ÷ ({cap} − {from}), 1 at most"), "score", &share);
    let step = number(format!("{low} + ({high} − {low}) × {share}"), "range", &base).because(vec![part]);
    Ok(answer.flag("eligible", true).number("base", &base, 2).because(step))
}
