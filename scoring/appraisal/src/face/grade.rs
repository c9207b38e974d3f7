//! `grade_absolute` and `forced_distribution`.

use super::{check_weights, listed, numbers, said, shown};
use crate::grade::{Cuts, HOUSE_GRADES, Ties, cumulative_cuts, forced};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use std::collections::BTreeMap;

/// Groups of fewer people are graded absolutely (house rule).
const HOUSE_MIN_GROUP: i64 = 5;

/// The cuts of a request, or those of the house.
fn cuts(given: Given<'_>) -> Result<Cuts, Wrong> {
    let Some(map) = given.optional_map("cuts")? else { return Ok(Cuts::house()) };
    let mut steps = Vec::new();
    for (grade, from) in numbers(map)? {
        steps.push((grade.to_owned(), from));
    }
    let lowest = if steps.iter().any(|(grade, _)| grade == "C") { "D" } else { "C" };
    let below = given.optional_text("below")?.unwrap_or(lowest);
    Cuts::new(steps, below.to_owned()).ok_or_else(|| {
        let detail = format!("the cuts must name at least one grade, each another score and none of them `{below}`");
        given.wrong("cuts", &detail)
    })
}

/// The grade of a score by the cuts of a request, and why.
pub(super) fn absolute(given: Given<'_>, path: &str, score: &Exact) -> Result<(String, Explain), Wrong> {
    Ok(by_cuts(&cuts(given)?, path, score))
}

fn by_cuts(cuts: &Cuts, path: &str, score: &Exact) -> (String, Explain) {
    let (grade, from) = cuts.grade(score);
    let score = shown(score);
    let text = match from {
        Some(from) => format!("{score} ≥ {from}: {grade}"),
        None => format!("{score} is below every cut: {grade}"),
    };
    (grade.to_owned(), said(text, path, grade))
}

pub(super) fn grade_absolute<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (grade, because) = absolute(given, "score", &given.number("score")?)?;
    Ok(Answer::new(given.arena()).text("grade", &grade).because(because))
}

/// Quotas with the best grade first: the grades of the house in their order, others as they were written.
fn quotas(given: Given<'_>) -> Result<Vec<(&str, Exact)>, Wrong> {
    if !given.has("quota") {
        let house = [10, 30, 50, 10].map(Exact::from);
        return Ok(HOUSE_GRADES.into_iter().zip(house).collect());
    }
    let mut quotas = numbers(given.map("quota")?)?;
    check_weights(given, "quota", quotas.iter().map(|(_, quota)| quota))?;
    let place = |grade: &str| HOUSE_GRADES.iter().position(|known| *known == grade);
    if quotas.iter().all(|(grade, _)| place(grade).is_some()) {
        quotas.sort_by_key(|(grade, _)| place(grade));
    }
    Ok(quotas)
}

pub(super) fn forced_distribution<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let people = numbers(given.map("scores")?)?;
    let quotas = quotas(given)?;
    let ties = match given.optional_text("tie_policy")?.unwrap_or("favour") {
        "favour" => Ties::Favour,
        "strict" => Ties::Strict,
        other => {
            let detail = format!("`tie_policy` should be `favour` or `strict`, and is `{other}`");
            return Err(given.wrong("tie_policy", &detail));
        }
    };
    let fewest = if given.has("min_group") { Exact::from(given.count("min_group")?) } else { HOUSE_MIN_GROUP.into() };
    if people.is_empty() || Exact::from(people.len()) < fewest {
        return too_small(given, &people, &fewest);
    }
    let (names, scores): (Vec<&str>, Vec<Exact>) = people.into_iter().unzip();
    let shares: Vec<Exact> = quotas.iter().map(|(_, quota)| quota.clone()).collect();
    let placed = forced(&scores, &shares, ties);
    let grade = |place: usize| quotas.get(place).map_or("", |(grade, _)| grade);
    let grades: Vec<(&str, &str)> = names.iter().zip(&placed).map(|(name, at)| (*name, grade(at.grade))).collect();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut steps = Vec::with_capacity(placed.len());
    let limits = cumulative_cuts(scores.len(), &shares);
    for ((name, score), at) in names.iter().zip(&scores).zip(&placed) {
        *counts.entry(at.grade).or_default() += 1;
        let limit = limits.get(at.grade).map(ToString::to_string).unwrap_or_default();
        let text = format!("{score} has rank {} ≤ {limit}: {}", at.rank, grade(at.grade));
        steps.push(said(text, &format!("scores.{name}"), grade(at.grade)));
    }
    let cuts = quotas.iter().zip(&limits).map(|((grade, _), limit)| format!("{grade} to rank {limit}"));
    let text =
        format!("{} people, cumulative quotas rounded half up: {}", scores.len(), cuts.collect::<Vec<_>>().join(", "));
    let counts: Vec<(&str, String)> = counts.iter().map(|(at, count)| (grade(*at), count.to_string())).collect();
    let because = said(text, "quota", &listed(counts.iter().map(|(_, count)| count.as_str()))).because(steps);
    Ok(Answer::new(given.arena()).named("grades", &grades).named("counts", &counts).because(because))
}

/// A group too small for quotas is graded by cuts, those of the house where the request has none.
fn too_small<'a>(given: Given<'a>, people: &[(&str, Exact)], fewest: &Exact) -> Result<Answer<'a>, Wrong> {
    if people.is_empty() {
        return Err(given.wrong("scores", "the group has no people"));
    }
    let cuts = cuts(given)?;
    let (mut grades, mut steps) = (Vec::new(), Vec::new());
    for (name, score) in people {
        let (grade, because) = by_cuts(&cuts, &format!("scores.{name}"), score);
        grades.push((*name, grade));
        steps.push(because);
    }
    let text = format!("{} people are fewer than {fewest}: graded by cuts", people.len());
    let because = said(text, "min_group", "absolute").because(steps);
    Ok(Answer::new(given.arena()).text("result", "absolute").named("grades", &grades).because(because))
}
