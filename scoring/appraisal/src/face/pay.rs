//! `pay_by_grade` and `pay_structure`.

use super::{not_negative, numbers, shown, step};
use crate::grade::HOUSE_GRADES;
use crate::pay::{mean, percent_above, points};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use std::collections::BTreeSet;

/// A bonus that is a smaller part of pay than this percentage moves nobody.
const HOUSE_WARN_BELOW: i64 = 20;

struct Row<'a> {
    grade: &'a str,
    pay: Exact,
    rate: Option<Exact>,
}

fn row(given: Given<'_>) -> Result<(Row<'_>, String), Wrong> {
    let grade = given.text("grade")?;
    let amounts = given.number_list("pay")?;
    let pay = mean(&amounts)
        .ok_or_else(|| given.wrong("pay", &format!("grade {grade} has no pay in it; leave the grade out")))?;
    let mut text = format!("grade {grade}: mean of {} = {}", amounts.len(), shown(&pay));
    let rate = if given.has("left") || given.has("headcount") {
        let (left, headcount) = (given.count("left")?, given.count("headcount")?);
        let out = |detail: String| given.wrong("headcount", &detail);
        if left > headcount {
            return Err(out(format!("{left} left of a headcount of {headcount}, which is out of range")));
        }
        let rate = Exact::from(left).over(&Exact::from(headcount));
        let rate = rate.ok_or_else(|| out(format!("the headcount of grade {grade} is 0; there is no rate")))?;
        text = format!("{text}; {left} ÷ {headcount} left = {}", shown(&rate));
        Some(rate)
    } else {
        None
    };
    Ok((Row { grade, pay, rate }, text))
}

/// Compares the best grade with the next one: the grades of the house in their order, others as they were written.
pub(super) fn pay_by_grade<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (mut rows, mut seen): (Vec<Row<'_>>, BTreeSet<&str>) = Default::default();
    let mut answer = Answer::new(given.arena());
    for (index, item) in given.list("rows")?.enumerate() {
        let (row, text) = row(item)?;
        if !seen.insert(row.grade) {
            return Err(item.wrong("grade", &format!("grade {} stands twice", row.grade)));
        }
        answer = answer.because(step(text, &format!("rows[{index}].pay"), &row.pay));
        rows.push(row);
    }
    let pay: Vec<(&str, String)> = rows.iter().map(|row| (row.grade, row.pay.to_places(2))).collect();
    let rates = rows.iter().filter_map(|row| Some((row.grade, row.rate.as_ref()?.to_places(6))));
    answer = answer.named("mean_pay", &pay).named("attrition", &rates.collect::<Vec<_>>());
    let place = |grade: &str| HOUSE_GRADES.iter().position(|known| *known == grade);
    if rows.iter().all(|row| place(row.grade).is_some()) {
        rows.sort_by_key(|row| place(row.grade));
    }
    let [one, other, ..] = rows.as_slice() else {
        answer.warn(&given.pointer_of("rows"), "two grades are needed to compare them");
        return Ok(answer);
    };
    let gap = percent_above(&one.pay, &other.pay).ok_or_else(|| {
        given.wrong("rows", &format!("the mean pay of grade {} is 0; nothing is relative to it", other.grade))
    })?;
    let text = format!(
        "({} ÷ {} − 1) × 100 = {}: {} above {}",
        shown(&one.pay),
        shown(&other.pay),
        shown(&gap),
        one.grade,
        other.grade
    );
    answer = answer.number("pay_gap_percent", &gap, 4).because(step(text, "rows", &gap));
    if let (Some(rate), Some(of_other)) = (&one.rate, &other.rate) {
        let gap = points(rate, of_other);
        let text = format!(
            "({} − {}) × 100 = {} points: {} less {}",
            shown(rate),
            shown(of_other),
            shown(&gap),
            one.grade,
            other.grade
        );
        answer = answer.number("attrition_difference_points", &gap, 4).because(step(text, "rows", &gap));
    }
    Ok(answer)
}

pub(super) fn pay_structure<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let components = given.map("components")?;
    let bonus = not_negative(components, "performance_bonus")?;
    let amounts = numbers(components)?;
    if let Some((name, _)) = amounts.iter().find(|(_, amount)| amount.is_negative()) {
        return Err(components.wrong(name, &format!("`{name}` is out of range: a part of pay may not be negative")));
    }
    let total: Exact = amounts.iter().map(|(_, amount)| amount).sum();
    let share = bonus
        .over(&total)
        .ok_or_else(|| given.wrong("components", "the components add up to 0; there is no share of nothing"))?
        * Exact::hundred();
    let (limit, written) = limit(given)?;
    let warn = share < limit;
    let because = step(format!("100 × {bonus} ÷ {total} = {}", shown(&share)), "components.performance_bonus", &share);
    let text = format!("{} % {} {written}", shown(&share), if warn { "<" } else { "≥" });
    let why = Explain::leaf(text, Some("warn_below_share".to_owned()), Value::Bool(warn));
    let answer = Answer::new(given.arena()).number("bonus_share_percent", &share, 4).flag("warn", warn);
    Ok(answer.because(because).because(why))
}

/// Below which percentage to warn, and how it was meant. Up to 1 it is a share of the whole, above 1 a percentage:
/// nobody means to warn below one percent.
fn limit(given: Given<'_>) -> Result<(Exact, String), Wrong> {
    let found = given.number_or("warn_below_share", HOUSE_WARN_BELOW)?;
    if found.is_negative() || found > Exact::hundred() {
        let detail =
            format!("the threshold is {found}, out of range: a share from 0 to 1 or a percentage up to 100 is needed");
        return Err(given.wrong("warn_below_share", &detail));
    }
    let percent = if found <= Exact::one() { found * Exact::hundred() } else { found };
    let written = format!("{percent} %");
    Ok((percent, written))
}
