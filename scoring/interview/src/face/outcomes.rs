//! What scores tell of later outcomes.

use super::{check_pairs, number, told, within, yes_or_no};
use crate::statistics as of;
use hub_calc::{Answer, Exact, Explain, Given, Wrong, stats};
use hub_tree::Value;

/// Outcomes that are needed on each side of a threshold.
const MIN_GROUP: i64 = 30;

fn places(number: f64, places: usize) -> String {
    stats::to_places(number, places).unwrap_or_default()
}

fn interval((low, high): (f64, f64)) -> [String; 2] {
    [places(low, 6), places(high, 6)]
}

/// A number as it was written.
fn as_written(item: Given<'_>) -> String {
    match item.value() {
        Value::Text(text) | Value::Number(text) => text.to_owned(),
        _ => item.as_number().map(|number| number.to_string()).unwrap_or_default(),
    }
}

/// Adds a field with an interval, where there is one.
fn with_interval<'a>(answer: Answer<'a>, field: &str, ends: Option<(f64, f64)>) -> Answer<'a> {
    match ends {
        Some(ends) => answer.texts(field, &interval(ends)),
        None => answer.with(field, Value::Null),
    }
}

/// Adds a text, where there is one.
fn or_null<'a>(answer: Answer<'a>, field: &str, text: Option<String>) -> Answer<'a> {
    match text {
        Some(text) => answer.text(field, &text),
        None => answer.with(field, Value::Null),
    }
}

pub(super) fn threshold_analysis(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let threshold = given.number("threshold")?;
    let scores = given.number_list("scores")?;
    let met = yes_or_no(&given, "outcomes")?;
    check_pairs(&given, "outcomes", met.len(), "scores", scores.len())?;
    let least = given.number_or("min_group", MIN_GROUP)?;
    if least < Exact::one() || least.to_whole().is_none() {
        return Err(given.wrong("min_group", "the smallest group is a whole number from 1 on"));
    }
    let above: Vec<bool> = scores.iter().map(|score| *score >= threshold).collect();
    let count = |side: bool| above.iter().filter(|above| **above == side).count();
    let met_in = |side: bool| above.iter().zip(&met).filter(|(above, met)| **above == side && **met).count();
    let (n1, n0, met1, met0) = (count(true), count(false), met_in(true), met_in(false));
    let answer = Answer::new(given.arena()).count("n_above", n1).count("n_below", n0);
    if Exact::from(n1) < least || Exact::from(n0) < least {
        let text = format!("{n1} at or above {threshold} and {n0} below it; {least} are needed on each side");
        let step = told(text, "scores", "insufficient_sample");
        return Ok(answer.text("result", "insufficient_sample").flag("recommend_change", false).because(step));
    }
    let rate = |met: usize, all: usize| Exact::from(met).over(&Exact::from(all)).unwrap_or_else(Exact::zero);
    let (p1, p0) = (rate(met1, n1), rate(met0, n0));
    let difference = &p1 - &p0;
    let points = &difference * &Exact::hundred();
    let lift = difference.over(&p0).map(|lift| &lift * &Exact::hundred());
    let newcombe = of::newcombe((met1, n1), (met0, n0));
    let recommend = newcombe.is_some_and(|(low, _)| low > 0.0);
    let outcomes: Vec<Exact> = met.iter().map(|met| Exact::from(u32::from(*met))).collect();
    let r = of::pearson(&scores, &outcomes);
    let area = of::auc(&scores, &met);
    let (winners, losers) = (met1 + met0, met.len() - met1 - met0);
    let error = area.as_ref().map(|area| of::hanley_mcneil(area.to_float(), winners, losers));
    let youden = of::youden(&scores, &met);
    let mut answer =
        answer.number("rate_above", &p1, 6).number("rate_below", &p0, 6).number("difference_points", &points, 4);
    answer = or_null(answer, "relative_lift_percent", lift.map(|lift| lift.to_places(4)));
    answer = with_interval(answer, "wilson_above", of::wilson(met1, n1));
    answer = with_interval(answer, "wilson_below", of::wilson(met0, n0));
    answer = with_interval(answer, "newcombe_difference", newcombe);
    answer = or_null(answer, "pearson_r", r.map(|r| places(r, 6)));
    answer = with_interval(answer, "pearson_ci", r.and_then(|r| of::fisher(r, scores.len())));
    answer = or_null(answer, "auc", area.as_ref().map(|area| area.to_places(6)));
    answer = or_null(answer, "auc_hanley_mcneil_se", error.map(|error| places(error, 6)));
    let best = youden.as_ref().and_then(|(at, _)| given.list("scores").ok()?.nth(*at)).map(as_written);
    answer = or_null(answer, "youden_threshold", best);
    answer = or_null(answer, "youden_j", youden.map(|(_, j)| j.to_places(6)));
    let steps = vec![
        number(format!("{met1} ÷ {n1} at or above {threshold}"), "outcomes", &p1),
        number(format!("{met0} ÷ {n0} below {threshold}"), "outcomes", &p0),
    ];
    let why = match newcombe {
        Some(ends) => {
            let [low, high] = interval(ends);
            format!("the difference lies from {low} to {high} (Newcombe, 95 %): above 0, it speaks for the threshold")
        }
        None => "the difference has no interval".to_owned(),
    };
    let step = told(why, "threshold", if recommend { "speaks for it" } else { "does not" }).because(steps);
    Ok(answer.flag("recommend_change", recommend).because(step))
}

pub(super) fn gate_precision(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let threshold = given.number("threshold")?;
    let scores = given.number_list("scores")?;
    let hired = yes_or_no(&given, "hired")?;
    check_pairs(&given, "hired", hired.len(), "scores", scores.len())?;
    let above: Vec<bool> =
        scores.iter().zip(&hired).filter(|(score, _)| **score >= threshold).map(|(_, hired)| *hired).collect();
    let met = above.iter().filter(|hired| **hired).count();
    let answer = Answer::new(given.arena()).count("n_above", above.len()).count("hired_above", met);
    let (Some(rate), Some(ends)) = (Exact::from(met).over(&Exact::from(above.len())), of::wilson(met, above.len()))
    else {
        let step = told(format!("nobody is at or above {threshold}"), "scores", "insufficient_sample");
        return Ok(answer.text("result", "insufficient_sample").because(step));
    };
    let step = number(format!("{met} ÷ {} at or above {threshold}", above.len()), "hired", &rate);
    Ok(answer.number("rate", &rate, 6).texts("wilson", &interval(ends)).because(step))
}

pub(super) fn correlation(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let (x, y) = (given.number_list("x")?, given.number_list("y")?);
    check_pairs(&given, "y", y.len(), "x", x.len())?;
    let answer = Answer::new(given.arena()).count("n", x.len());
    let Some(r) = of::pearson(&x, &y) else {
        let text = format!("a correlation needs 4 pairs, here are {}, and values that vary", x.len());
        return Ok(answer.text("result", "undefined").because(told(text, "x", "undefined")));
    };
    let spearman = of::pearson(&of::ranks(&x), &of::ranks(&y));
    let mut answer = answer.text("pearson_r", &places(r, 6));
    answer = with_interval(answer, "pearson_ci", of::fisher(r, x.len()));
    answer = or_null(answer, "spearman", spearman.map(|rho| places(rho, 6)));
    let text = format!(
        "Σ(x − x̄)(y − ȳ) ÷ √(Σ(x − x̄)² Σ(y − ȳ)²) of {} pairs; interval tanh(atanh r ± 1.959964 ÷ √(n − 3))",
        x.len()
    );
    Ok(answer.because(told(text, "x", &places(r, 6))))
}

pub(super) fn range_restriction(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let r = within(&given, "r_observed", -1, 1)?;
    let deviation = |field: &str| {
        let found = given.number(field)?;
        if found.is_positive() {
            return Ok(found);
        }
        Err(given.wrong(field, &format!("the standard deviation {found} is outside the range: above 0")))
    };
    let (applicants, hired) = (deviation("sd_applicants")?, deviation("sd_hired")?);
    let u = applicants.over(&hired).unwrap_or_else(Exact::one);
    let corrected = places(of::unrestricted(&r, &u), 6);
    let steps: Vec<Explain> = vec![number(format!("u = {applicants} ÷ {hired}"), "sd_applicants", &u)];
    let text = format!("r × u ÷ √(1 + r² × (u² − 1)) for r = {r}: an estimate (case II), not a measured value");
    let answer = Answer::new(given.arena()).text("r_corrected", &corrected).flag("estimate", true);
    Ok(answer.because(told(text, "r_observed", &corrected).because(steps)))
}
