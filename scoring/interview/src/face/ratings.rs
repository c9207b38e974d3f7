//! Distributions, how far ratings agree, and a person against their baseline.

use super::{listed, number, told, within};
use crate::reliability;
use crate::statistics as of;
use hub_calc::{Answer, Exact, Explain, Given, Wrong, stats};
use hub_tree::Value;
use std::collections::BTreeMap;

pub(super) fn distribution(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let mut scores = given.number_list("scores")?;
    let mark = given.optional_number("flag_below")?;
    let (Some(mean), n) = (of::mean(&scores), scores.len()) else {
        return Err(given.wrong("scores", "there is no score: a distribution needs one at least"));
    };
    let sum = Exact::total(&scores);
    let deviation = of::variance(&scores).and_then(|variance| stats::to_places(of::root(&variance), 6));
    let below = mark.as_ref().map(|mark| scores.iter().filter(|score| *score < mark).count());
    scores.sort();
    let quartile = |quarters| of::quartile(&scores, quarters).unwrap_or_else(Exact::zero);
    let median = quartile(2);
    let mut answer = Answer::new(given.arena()).count("n", n).number("mean", &mean, 6);
    answer = match deviation {
        Some(deviation) => answer.text("sd_sample", &deviation),
        None => answer.with("sd_sample", Value::Null),
    };
    answer = answer.number("p25", &quartile(1), 6).number("median", &median, 6).number("p75", &quartile(3), 6);
    let mut steps = vec![
        number(format!("{sum} ÷ {n}"), "scores", &mean),
        number("the median, quartiles by linear interpolation (type 7)", "scores", &median),
    ];
    if let (Some(mark), Some(below)) = (mark, below) {
        let share = Exact::from(below).over(&Exact::from(n)).unwrap_or_else(Exact::zero);
        let flag = median < mark;
        answer = answer.number("share_below", &share, 6).flag("flag", flag);
        let sign = if flag { "<" } else { "≥" };
        let text = format!("median {median} {sign} {mark}; {below} of {n} are below it");
        steps.push(number(text, "flag_below", &share));
    }
    Ok(answer.because(told("how the scores lie", "scores", &mean.to_string()).because(steps)))
}

/// Rows of equal length.
fn matrix(given: &Given<'_>) -> Result<Vec<Vec<Exact>>, Wrong> {
    let mut rows: Vec<Vec<Exact>> = Vec::new();
    for row in given.list("matrix")? {
        let cells: Vec<Exact> = match row.value() {
            Value::List(_) => row.items().map(|cell| cell.as_number()).collect::<Result<_, _>>()?,
            _ => return Err(row.wrong_here("a row is a list of numbers")),
        };
        if let Some(first) = rows.first().filter(|first| first.len() != cells.len()) {
            return Err(row.wrong_here(&format!("this row has {} values, the first one {}", cells.len(), first.len())));
        }
        rows.push(cells);
    }
    Ok(rows)
}

fn undefined<'a>(given: &Given<'a>, why: &str) -> Answer<'a> {
    Answer::new(given.arena()).text("result", "undefined").because(told(why, "matrix", "undefined"))
}

/// Warns of a reliability below what decisions should rest on.
fn warned<'a>(mut answer: Answer<'a>, reliability: &Exact) -> Answer<'a> {
    let least = Exact::from(7).over(&Exact::from(10)).unwrap_or_else(Exact::one);
    if *reliability < least {
        answer.warn("/matrix", &format!("a reliability of {} is below 0.7", reliability.to_places(6)));
    }
    answer
}

pub(super) fn cronbach_alpha(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let rows = matrix(&given)?;
    let Some((alpha, variance)) = reliability::alpha(&rows) else {
        return Ok(undefined(&given, "alpha needs two items and two people at least, and totals that vary"));
    };
    let error = of::root(&(&variance * &(Exact::one() - &alpha)));
    let error = stats::to_places(error, 6).unwrap_or_default();
    let items = rows.first().map_or(0, Vec::len);
    let text =
        format!("{items} ÷ ({items} − 1) × (1 − Σ variances of the items ÷ {variance}, the variance of the totals)");
    let steps: Vec<Explain> = vec![told("SEM = SD of the totals × √(1 − alpha)", "matrix", &error)];
    let answer = Answer::new(given.arena()).number("alpha", &alpha, 6).text("sem", &error);
    Ok(warned(answer, &alpha).because(number(text, "matrix", &alpha).because(steps)))
}

pub(super) fn icc(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let rows = matrix(&given)?;
    let Some(found) = reliability::icc(&rows) else {
        return Ok(undefined(&given, "ICC needs two people and two raters at least, and ratings that vary"));
    };
    let steps = vec![number("the mean of all raters, ICC(2,k)", "matrix", &found.mean)];
    let answer = Answer::new(given.arena()).number("icc_2_1", &found.single, 6).number("icc_2_k", &found.mean, 6);
    let text = "one rater, ICC(2,1): two-way random effects, absolute agreement";
    Ok(warned(answer, &found.single).because(number(text, "matrix", &found.single).because(steps)))
}

/// A category as it is compared: numbers and their texts are the same.
fn category(item: Given<'_>) -> Result<String, Wrong> {
    match item.value() {
        Value::Text(text) => Ok(text.to_owned()),
        _ => Ok(item.as_number()?.to_string()),
    }
}

pub(super) fn kappa(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let mut categories: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in given.list("categories")?.enumerate() {
        if let Some(one) = categories.insert(category(item)?, index) {
            return Err(item.wrong_here(&format!("this category stands twice: it is that of index {one}, too")));
        }
    }
    let place = |item: Given<'_>| {
        let found = category(item)?;
        let known = || listed(&categories.keys().collect::<Vec<_>>());
        categories
            .get(&found)
            .copied()
            .ok_or_else(|| item.wrong_here(&format!("`{found}` is none of the categories {}", known())))
    };
    let a: Vec<usize> = given.list("rater_a")?.map(place).collect::<Result<_, _>>()?;
    let b: Vec<usize> = given.list("rater_b")?.map(place).collect::<Result<_, _>>()?;
    super::check_pairs(&given, "rater_b", b.len(), "rater_a", a.len())?;
    let pairs: Vec<(usize, usize)> = a.into_iter().zip(b).collect();
    let answer = Answer::new(given.arena());
    let Some((plain, quadratic)) = reliability::kappa(&pairs, categories.len()) else {
        let why = "by chance alone the two would always agree: there is nothing to measure";
        return Ok(answer.text("result", "undefined").because(told(why, "rater_a", "undefined")));
    };
    let steps = vec![number("with weights ((i − j) ÷ (k − 1))², for ordered labels", "categories", &quadratic)];
    let step = number(format!("1 − disagreement found ÷ by chance, of {} pairs", pairs.len()), "rater_a", &plain);
    let answer = answer.number("kappa", &plain, 6).number("kappa_quadratic", &quadratic, 6);
    Ok(answer.because(step.because(steps)))
}

pub(super) fn baseline_compare(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let (baseline, current) = (within(&given, "baseline", 0, 100)?, within(&given, "current", 0, 100)?);
    let band = given.number_or("noise_band", 0)?;
    if band.is_negative() {
        return Err(given.wrong("noise_band", &format!("the band {band} is outside the range: 0 or more")));
    }
    let delta = &current - &baseline;
    let trend = match () {
        () if delta.abs() <= band => "持平",
        () if delta.is_negative() => "下降",
        () => "上升",
    };
    let step = number(format!("{current} − {baseline}, {trend} beyond a band of {band}"), "current", &delta);
    let answer = Answer::new(given.arena()).text("delta", &delta.to_string()).text("trend", trend);
    Ok(answer.flag("suggest_training", trend == "下降").because(step))
}
