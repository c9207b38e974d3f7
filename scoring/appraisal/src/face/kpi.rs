//! `kpi_score` and `appraisal`.

use super::{check_weights, grade, not_negative, score, shown, step};
use crate::kpi::{self, Direction, Unscored};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;

/// The most that an indicator can score (house rule), in points.
const HOUSE_CAP: i64 = 120;

fn cap(given: Given<'_>) -> Result<Exact, Wrong> {
    let cap = given.number_or("cap", HOUSE_CAP)?;
    let out = || given.wrong("cap", &format!("`cap` is {cap}, out of range: it must be above 0"));
    if cap.is_positive() { Ok(cap) } else { Err(out()) }
}

fn direction(given: Given<'_>) -> Result<Direction, Wrong> {
    match given.text("direction")? {
        "up" => Ok(Direction::Up),
        "down" => Ok(Direction::Down),
        other => Err(given.wrong("direction", &format!("`direction` should be `up` or `down`, and is `{other}`"))),
    }
}

/// The score of one indicator; `path` leads to its fields.
fn one(given: Given<'_>, path: &str, cap: &Exact) -> Result<(Exact, Explain), Wrong> {
    let (actual, target, direction) = (given.number("actual")?, given.number("target")?, direction(given)?);
    let points = kpi::score(&actual, &target, direction, cap).map_err(|reason| match reason {
        Unscored::TargetNotPositive => given.wrong(
            "target",
            &format!("the target is {target}; where more is better, a target above 0 is needed to divide by"),
        ),
        Unscored::TargetNegative => {
            given.wrong("target", &format!("the target is {target}; where less is better, it may not be below 0"))
        }
        Unscored::ActualNegative => {
            let detail =
                format!("the actual value is {actual}, out of range: where less is better, it may not be below 0");
            given.wrong("actual", &detail)
        }
    })?;
    let text = match direction {
        Direction::Down if actual.is_zero() => format!("nothing at all where less is better: the cap {cap}"),
        Direction::Up => format!("100 × {actual} ÷ {target}, limited to 0..{cap} = {}", shown(&points)),
        Direction::Down => format!("100 × {target} ÷ {actual}, limited to 0..{cap} = {}", shown(&points)),
    };
    let explained = step(text, &format!("{path}actual"), &points);
    Ok((points, explained))
}

pub(super) fn kpi_score<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (points, because) = one(given, "", &cap(given)?)?;
    Ok(Answer::new(given.arena()).number("score", &points, 4).because(because))
}

/// A list of weighted scores as its weighted mean; `None` for an empty list that has no weight in the total.
fn part<'a>(
    given: Given<'a>,
    field: &'a str,
    weight: &Exact,
    one: impl Fn(Given<'a>, &str) -> Result<(Exact, Explain), Wrong>,
) -> Result<Option<(Exact, Explain)>, Wrong> {
    if weight.is_zero() && given.field(field).items().len() == 0 {
        return Ok(None);
    }
    let (mut parts, mut steps) = (Vec::new(), Vec::new());
    for (index, item) in given.list(field)?.enumerate() {
        let (points, because) = one(item, &format!("{field}[{index}]."))?;
        parts.push((item.number("weight")?, points));
        steps.push(because);
    }
    check_weights(given, field, parts.iter().map(|(weight, _)| weight))?;
    let Some(mean) = kpi::weighted(&parts) else { return Ok(None) };
    let sum: Vec<String> = parts.iter().map(|(weight, points)| format!("{weight} × {}", shown(points))).collect();
    let text = format!("({}) ÷ 100 = {}", sum.join(" + "), shown(&mean));
    Ok(Some((mean.clone(), step(text, field, &mean).because(steps))))
}

pub(super) fn appraisal<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let cap = cap(given)?;
    let weights = [given.number("kpi_weight")?, given.number("behaviour_weight")?];
    check_weights(given, "kpi_weight", weights.iter())?;
    let [kpi_weight, behaviour_weight] = weights;
    let kpi = part(given, "kpis", &kpi_weight, |item, path| one(item, path, &cap))?;
    let behaviour = part(given, "behaviours", &behaviour_weight, |item, path| {
        let points = score(item, "score")?;
        let because = step(format!("rated {points}"), &format!("{path}score"), &points);
        Ok((points, because))
    })?;
    let mut answer = Answer::new(given.arena());
    let (mut parts, mut sum, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for (field, weight, part) in [("kpi", kpi_weight, kpi), ("behaviour", behaviour_weight, behaviour)] {
        if let Some((points, because)) = part {
            answer = answer.number(field, &points, 4);
            sum.push(format!("{weight} × {}", shown(&points)));
            parts.push((weight, points));
            steps.push(because);
        }
    }
    let total = kpi::weighted(&parts).ok_or_else(|| given.wrong("kpi_weight", "the weights must total exactly 100"))?;
    let because = step(format!("({}) ÷ 100 = {}", sum.join(" + "), shown(&total)), "kpi_weight", &total).because(steps);
    let answer = answer.number("total", &total, 4);
    let (answer, decided) = calibrated(given, answer, total)?;
    let (grade, graded) = grade::absolute(given, "cuts", &decided)?;
    Ok(answer.text("grade", &grade).because(because).because(graded))
}

/// The ratings of manager, employee and peers stay beside each other and are not mixed in; a final score that is not
/// that of the formula needs somebody who answers for it.
fn calibrated<'a>(given: Given<'a>, mut answer: Answer<'a>, total: Exact) -> Result<(Answer<'a>, Exact), Wrong> {
    if let Some(ratings) = given.optional_map("ratings")? {
        for rater in ["manager", "self", "peer"] {
            if ratings.has(rater) {
                score(ratings, rater)?;
            }
        }
        answer = answer.with("ratings", ratings.value());
    }
    if !given.has("final_score") {
        return Ok((answer, total));
    }
    let decided = not_negative(given, "final_score")?;
    answer = answer.number("final", &decided, 4);
    if decided == total {
        return Ok((answer, decided));
    }
    for field in ["author", "reason"] {
        let text = given.optional_text(field)?.map(str::trim).unwrap_or_default();
        if text.is_empty() {
            let detail =
                format!("the final score {decided} is not that of the formula, {}; `{field}` is needed", shown(&total));
            return Err(given.wrong(field, &detail));
        }
        answer = answer.text(field, text);
    }
    let because = Explain::leaf(
        format!("set to {decided} in place of {}", shown(&total)),
        Some("final_score".to_owned()),
        Value::Text(&decided.to_string()),
    );
    Ok((answer.because(because), decided))
}
