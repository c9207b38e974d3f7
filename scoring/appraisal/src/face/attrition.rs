//! `attrition` and `attrition_fit`.

use super::{by_name, listed, named_number, not_negative, numbers, said, step};
use crate::attrition::{FEWEST_LEAVERS, FEWEST_PEOPLE, auc, contributions, is_protected};
use crate::logit::{self, Fit, NoFit};
use hub_calc::stats::to_places;
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;

/// Models with more features than this are no longer something a person can read.
const MOST_FEATURES: usize = 100;
/// Names of an answer that no feature may take.
const TAKEN: [&str; 8] =
    ["intercept", "std_errors", "log_likelihood", "n", "result", "auc_later", "explain", "warnings"];

fn refuse_protected(given: Given<'_>, field: &str, name: &str) -> Result<(), Wrong> {
    let detail = format!("`{name}` is a protected attribute or about health; an attrition model may not hold it");
    if is_protected(name) { Err(given.wrong(field, &detail)) } else { Ok(()) }
}

pub(super) fn attrition<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (model, features) = (given.map("coefficients")?, given.map("features")?);
    let intercept = model.number("intercept")?;
    let mut by_name = by_name(features);
    let alert_at = given.optional_number("alert_at")?.map_or_else(|| Exact::from(3).over(&Exact::from(5)), Some);
    let alert_at = alert_at.filter(|at| at.is_positive() && *at < Exact::one()).ok_or_else(|| {
        given.wrong("alert_at", "the threshold of an alert is out of range: a probability between 0 and 1 is needed")
    })?;
    let (mut names, mut parts) = (Vec::new(), Vec::new());
    for (name, coefficient) in numbers(model)? {
        if name == "intercept" {
            continue;
        }
        refuse_protected(model, name, name)?;
        let Some(value) = by_name.remove(name) else {
            let detail =
                format!("the model has a coefficient for `{name}`, and no value is given; it is not taken as 0");
            return Err(features.wrong(name, &detail));
        };
        parts.push((coefficient, named_number(features, name, value)?));
        names.push(name);
    }
    let adds = contributions(&parts);
    let z = &intercept + &adds.iter().sum::<Exact>();
    let probability = logit::probability(z.to_float());
    let alert = probability >= alert_at.to_float();
    let text = to_places(probability, 6).ok_or_else(|| given.wrong("coefficients", "the logit is out of range"))?;
    let written: Vec<(&str, String)> = names.iter().zip(&adds).map(|(name, add)| (*name, add.to_places(4))).collect();
    let mut drivers: Vec<(&str, &Exact)> =
        names.iter().copied().zip(&adds).filter(|(_, add)| add.is_positive()).collect();
    drivers.sort_by(|(_, one), (_, other)| other.cmp(one));
    let drivers: Vec<&str> = drivers.into_iter().map(|(name, _)| name).collect();
    // A prediction opens a talk about staying, never a penalty.
    let suggest: &[&str] = if alert { &["retention_talk"] } else { &[] };
    let steps = names.iter().zip(&parts).zip(&adds).map(|((name, (coefficient, value)), add)| {
        step(format!("{name}: {coefficient} × {value} = {add}"), &format!("features.{name}"), add)
    });
    let sum: Vec<String> = adds.iter().map(ToString::to_string).collect();
    let because =
        step(format!("{intercept} + ({}) = {z}", sum.join(" + ")), "coefficients", &z).because(steps.collect());
    let probability = said(format!("1 ÷ (1 + e^−({z}))"), "coefficients.intercept", &text);
    let sign = if alert { "≥" } else { "<" };
    let why = Explain::leaf(format!("{text} {sign} {alert_at}"), Some("alert_at".to_owned()), Value::Bool(alert));
    let answer = Answer::new(given.arena()).number("logit", &z, 6).text("probability", &text).flag("alert", alert);
    let mut answer = answer.named("contributions", &written).texts("drivers", &drivers).texts("suggest", suggest);
    for name in by_name.keys() {
        answer.warn(&features.pointer_of(name), &format!("the model has no coefficient for `{name}`; it was not read"));
    }
    Ok(answer.because(because).because(probability).because(why))
}

/// What is learnt from, or told by.
#[derive(Default)]
struct Records {
    features: Vec<Vec<f64>>,
    left: Vec<bool>,
}

/// The columns of the records: the features, and which of them says whether the person left.
struct Columns<'a> {
    features: Vec<&'a str>,
    outcome: usize,
}

/// The outcome is the column `left`, or the last one where none has that name.
fn columns<'a>(given: Given<'a>) -> Result<Columns<'a>, Wrong> {
    let mut features = given.text_list("columns")?;
    if features.len() < 2 || features.len() > MOST_FEATURES {
        let detail =
            format!("{} columns are given; one to {MOST_FEATURES} features and the outcome are needed", features.len());
        return Err(given.wrong("columns", &detail));
    }
    let outcome = features.iter().position(|name| *name == "left").unwrap_or(features.len() - 1);
    features.remove(outcome);
    for (place, name) in features.iter().enumerate() {
        refuse_protected(given, "columns", name)?;
        if TAKEN.contains(name) || *name == "left" || features.iter().take(place).any(|other| other == name) {
            return Err(given.wrong("columns", &format!("`{name}` stands twice or is a name of the answer; rename it")));
        }
    }
    Ok(Columns { features, outcome })
}

fn records<'a>(given: Given<'a>, field: &'a str, columns: &Columns<'_>) -> Result<Records, Wrong> {
    let mut records = Records::default();
    for row in given.list(field)? {
        let cells = row.items();
        if cells.len() != columns.features.len() + 1 {
            let detail =
                format!("the row has {} cells and there are {} columns", cells.len(), columns.features.len() + 1);
            return Err(row.wrong_here(&detail));
        }
        let mut features = Vec::with_capacity(columns.features.len());
        for (place, cell) in cells.enumerate() {
            if place != columns.outcome {
                features.push(cell.as_number()?.to_float());
                continue;
            }
            records.left.push(match (cell.value(), cell.as_number().ok().and_then(|number| number.to_whole())) {
                (Value::Bool(left), _) => left,
                (_, Some(0)) => false,
                (_, Some(1)) => true,
                _ => return Err(cell.wrong_here("the outcome is out of range: 1 (left) or 0 (stayed) is needed")),
            });
        }
        records.features.push(features);
    }
    Ok(records)
}

pub(super) fn attrition_fit<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let columns = columns(given)?;
    let past = records(given, "rows", &columns)?;
    let l2 = if given.has("l2") { not_negative(given, "l2")? } else { Exact::zero() };
    let (people, leavers) = (past.left.len(), past.left.iter().filter(|left| **left).count());
    let mut answer = Answer::new(given.arena());
    if let Some(period) = given.optional_text("period")? {
        answer = answer.text("period", period);
    }
    if people < FEWEST_PEOPLE || leavers < FEWEST_LEAVERS || leavers == people {
        let text = format!(
            "{people} people and {leavers} leavers; at least {FEWEST_PEOPLE} people, {FEWEST_LEAVERS} leavers and \
             somebody who stayed are needed"
        );
        return Ok(refused(answer, "insufficient_sample", text, people, leavers));
    }
    let fit = match logit::fit(&past.features, &past.left, l2.to_float()) {
        Ok(fit) => fit,
        Err(NoFit::Separated) => {
            let text = "perfect separation: the features tell leavers from stayers without error, so that no \
                        coefficients are the best; gather more records, or declare a penalty (l2 above 0)";
            return Ok(refused(answer, "perfect_separation", text.to_owned(), people, leavers));
        }
        Err(NoFit::Dependent) => {
            let names = listed(columns.features.iter().copied());
            let detail = format!("a column is the same for everybody or a sum of others; leave one of {names} out");
            return Err(given.wrong("columns", &detail));
        }
        Err(NoFit::Unsettled) => {
            return Err(given.wrong("rows", "the search for coefficients did not settle; look for values out of range"));
        }
    };
    answer = model(given, answer, &columns, &fit)?.count("n", people).count("left", leavers);
    let penalty = if l2.is_zero() { String::new() } else { format!(" − {l2} ÷ 2 × Σ b²") };
    let text = format!(
        "the largest Σ ln P(what happened){penalty} over {people} people, {leavers} of whom left; found by Newton's method"
    );
    let likelihood = to_places(fit.log_likelihood, 5).unwrap_or_default();
    answer = answer.because(said(text, "rows", &likelihood));
    if !given.has("later_rows") {
        return Ok(answer);
    }
    let later = records(given, "later_rows", &columns)?;
    let risks = later.features.iter().zip(&later.left);
    let risks: Vec<(f64, bool)> =
        risks.map(|(features, left)| (logit::logit(&fit.coefficients, features), *left)).collect();
    match auc(&risks) {
        Some(auc) => {
            let text = format!("pairs of a later leaver and a stayer in the right order, of {} people", risks.len());
            answer = answer.number("auc_later", &auc, 6).because(step(text, "later_rows", &auc));
        }
        None => answer.warn(&given.pointer_of("later_rows"), "leavers and stayers are needed to try the model on them"),
    }
    Ok(answer)
}

fn refused<'a>(answer: Answer<'a>, result: &str, text: String, people: usize, leavers: usize) -> Answer<'a> {
    let because = said(text, "rows", result);
    answer.text("result", result).count("n", people).count("left", leavers).because(because)
}

/// Coefficients, their errors and the likelihood, each with five places.
fn model<'a>(given: Given<'a>, answer: Answer<'a>, columns: &Columns<'_>, fit: &Fit) -> Result<Answer<'a>, Wrong> {
    let written = |number: f64| {
        to_places(number, 5).ok_or_else(|| given.wrong("rows", "a coefficient is out of range; scale the features"))
    };
    let mut answer = answer;
    for (name, coefficient) in
        std::iter::once("intercept").chain(columns.features.iter().copied()).zip(&fit.coefficients)
    {
        answer = answer.text(name, &written(*coefficient)?);
    }
    let errors: Vec<String> = fit.std_errors.iter().map(|error| written(*error)).collect::<Result<_, _>>()?;
    Ok(answer.texts("std_errors", &errors).text("log_likelihood", &written(fit.log_likelihood)?))
}
