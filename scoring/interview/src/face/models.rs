//! Weights, and what they make of scores.

use super::{check_within, listed, number, within};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Decimal;
use std::collections::BTreeSet;

/// Whether weights in percent make a model.
fn check_weights(given: &Given<'_>, field: &str, weights: &[Exact]) -> Result<(), Wrong> {
    let sum = Exact::total(weights);
    if sum == Exact::hundred() {
        return Ok(());
    }
    Err(given.wrong(field, &format!("the weights sum to {sum}, not to 100")))
}

pub(super) fn composite(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let least = match given.optional_number("min_coverage")? {
        None => Exact::from(8).over(&Exact::from(10)).unwrap_or_else(Exact::one),
        Some(share) => {
            check_within(&given, "min_coverage", &share, 0, 1)?;
            share
        }
    };
    let (mut seen, mut weights, mut steps) = (BTreeSet::new(), Vec::new(), Vec::new());
    let (mut covered, mut sum) = (Exact::zero(), Exact::zero());
    for (index, dim) in given.list("dims")?.enumerate() {
        let id = dim.text("id")?;
        if !seen.insert(id) {
            return Err(dim.wrong("id", &format!("the dimension `{id}` stands twice")));
        }
        let weight = within(&dim, "weight", 0, 100)?;
        if dim.has("score") {
            let score = within(&dim, "score", 0, 100)?;
            let part = &weight * &score;
            steps.push(number(format!("{weight} × {score} ({id})"), &format!("dims[{index}].score"), &part));
            covered = covered + &weight;
            sum = sum + part;
        } else {
            steps.push(Explain::leaf(
                format!("{id} has no score: it is left out, not counted as 0"),
                Some(format!("dims[{index}].score")),
                hub_tree::Value::Absent,
            ));
        }
        weights.push(weight);
    }
    check_weights(&given, "dims", &weights)?;
    let coverage = covered.over(&Exact::hundred()).unwrap_or_else(Exact::zero);
    let answer = Answer::new(given.arena());
    let Some(composite) = sum.over(&covered).filter(|_| coverage >= least) else {
        let text = format!("insufficient evidence: {coverage} of the weight has a score, and {least} is needed");
        let step = number(text, "min_coverage", &coverage).because(steps);
        return Ok(answer.text("result", "insufficient_evidence").number("coverage", &coverage, 4).because(step));
    };
    let step = number(format!("{sum} ÷ {covered}, the weights that have a score"), "", &composite).because(steps);
    Ok(answer.number("composite", &composite, 6).number("coverage", &coverage, 4).because(step))
}

/// Named weights, each from 0 to 100.
fn weights<'a>(given: &Given<'a>) -> Result<Vec<(&'a str, Exact)>, Wrong> {
    let weights = given.numbers("weights")?;
    let map = given.map("weights")?;
    for (name, weight) in &weights {
        check_within(&map, name, weight, 0, 100)?;
    }
    let plain: Vec<Exact> = weights.iter().map(|(_, weight)| weight.clone()).collect();
    check_weights(given, "weights", &plain)?;
    Ok(weights)
}

pub(super) fn model_check(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let parts: Vec<String> = weights(&given)?.into_iter().map(|(_, weight)| weight.to_string()).collect();
    let step = number(parts.join(" + "), "weights", &Exact::hundred());
    Ok(Answer::new(given.arena()).text("result", "ok").because(step))
}

/// Decimal places of weights, or as many as the new one has.
const PLACES: u32 = 4;

/// Cuts weights to decimal places and gives what is left of `sum`, a whole number of last places, to those that lost
/// most, one each: none is further than one last place from its share, and all add up. Ties: the first.
fn shared_out(weights: &[Exact], sum: &Exact, places: u32) -> Vec<Exact> {
    let mut cut: Vec<Exact> = weights.iter().map(|weight| weight.cut(places)).collect();
    let last_place = Exact::from(Decimal::new(1, places));
    let left = (sum - &Exact::total(&cut)).over(&last_place).and_then(|left| left.to_whole());
    let lost: Vec<Exact> = weights.iter().zip(&cut).map(|(weight, cut)| weight - cut).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| lost[*b].cmp(&lost[*a]));
    let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(0);
    for index in order.into_iter().take(left) {
        cut[index] = &cut[index] + &last_place;
    }
    cut
}

pub(super) fn reweight(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let old = weights(&given)?;
    let dim = given.text("dim")?;
    let new = within(&given, "new_weight", 0, 100)?;
    let Some(at) = old.iter().position(|(name, _)| *name == dim) else {
        let known: Vec<&str> = old.iter().map(|(name, _)| *name).collect();
        return Err(given.wrong("dim", &format!("there is no dimension `{dim}`; known: {}", listed(&known))));
    };
    let before = &old[at].1;
    let (left, rest) = (Exact::hundred() - &new, Exact::hundred() - before);
    let Some(factor) = left.over(&rest).or_else(|| left.is_zero().then(Exact::zero)) else {
        let detail = format!("`{dim}` has all the weight: there are no others to take {left} up");
        return Err(given.wrong("dim", &detail));
    };
    let places = (PLACES..28).find(|places| new.rounded(*places) == new).unwrap_or(28);
    let shares: Vec<Exact> = old.iter().filter(|(name, _)| *name != dim).map(|(_, weight)| weight * &factor).collect();
    let mut shared = shared_out(&shares, &left, places);
    shared.insert(at, new.clone());
    let mut steps = vec![number(format!("(100 − {new}) ÷ (100 − {before})"), "new_weight", &factor)];
    steps.extend(shared.iter().zip(&old).map(|(new, (name, old))| {
        let text = if *name == dim { format!("{name}: as asked") } else { format!("{name}: {old} × {factor}") };
        number(text, &format!("weights.{name}"), new)
    }));
    let sum = Exact::total(&shared);
    let texts = old.iter().zip(&shared).map(|((name, _), weight)| (*name, weight.to_places(places)));
    let texts: Vec<(&str, String)> = texts.collect();
    let answer = Answer::new(given.arena()).named("weights", &texts).number("sum", &sum, PLACES);
    let text =
        format!("the other weights keep their proportions, to {places} places; what is left goes to the largest rests");
    Ok(answer.because(number(text, "weights", &sum).because(steps)))
}
