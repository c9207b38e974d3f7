//! Performance pay, travel subsidies, damage.

use super::{law, quantity, quantity_or_nothing, rules, shown, step};
use crate::money::cents;
use crate::pay::lines::{damage, is_half_days, performance_bonus, trip};
use hub_calc::{Answer, Exact, Given, Wrong};

/// The words of an object, for those who chose another one.
fn names(given: Given<'_>) -> String {
    given.entries().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A number as the request writes it: `1.0` stays `1.0`.
fn written(given: Given<'_>, field: &str, number: &Exact) -> String {
    given.value().get(field).as_text().map_or_else(|| number.to_string(), str::to_owned)
}

pub(super) fn performance_pay<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (base, bonus_base) = (quantity(given, "base")?, quantity(given, "bonus_base")?);
    let allowance = quantity_or_nothing(given, "allowance")?;
    let (grade, coefficients) = (given.text("grade")?, given.map("coefficients")?);
    if !coefficients.has(grade) {
        let detail = format!("there is no coefficient for the grade `{grade}`; known grades: {}", names(coefficients));
        return Err(given.wrong("grade", &detail));
    }
    let coefficient = quantity(coefficients, grade)?;
    let bonus = performance_bonus(&bonus_base, &coefficient);
    let (base, allowance) = (cents(&base), cents(&allowance));
    let gross = &base + &bonus + &allowance;
    let factor = written(coefficients, grade, &coefficient);
    let exact = shown(&(&bonus_base * &coefficient));
    let how = format!("{bonus_base} × {factor} (grade {grade}) = {exact}");
    let sum = format!("base {base} + bonus {} + allowance {allowance} = {}", bonus.to_places(2), gross.to_places(2));
    let answer = Answer::new(given.arena()).number("bonus", &bonus, 2).number("gross", &gross, 2);
    // What a payslip's line on the bonus has to name: grade, coefficient, bonus base.
    let answer = answer.texts("explain_contains", &[grade.to_owned(), factor, bonus_base.to_string()]);
    let bonus = step(given, how, &format!("coefficients.{grade}"), &bonus);
    Ok(answer.because(step(given, sum, "base", &gross).because(vec![bonus])))
}

pub(super) fn travel_subsidy<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let rates = given.map("rates")?;
    let (mut subsidy, mut because) = (Exact::zero(), Vec::new());
    for (index, item) in given.list("trips")?.enumerate() {
        let (region, days) = (item.text("region")?, quantity(item, "days")?);
        if !rates.has(region) {
            let detail = format!("there is no rate for the region `{region}`; known regions: {}", names(rates));
            return Err(item.wrong("region", &detail));
        }
        if !is_half_days(&days) {
            let detail = format!("`days` should be whole or half days, and is {days}");
            return Err(item.wrong("days", &detail));
        }
        let rate = quantity(rates, region)?;
        let line = trip(&rate, &days);
        let text = format!("{region}: {rate} × {days} days = {}", &rate * &days);
        because.push(step(given, text, &format!("trips[{index}].days"), &line));
        subsidy = subsidy + line;
    }
    let answer = Answer::new(given.arena()).number("subsidy", &subsidy, 2);
    let text = format!("the sum of {} trips", because.len());
    Ok(answer.because(step(given, text, "trips", &subsidy).because(because)))
}

pub(super) fn loss_compensation<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (wage, claim) = (quantity(given, "month_wage")?, quantity(given, "claim")?);
    let minimum = quantity(given, "local_min_wage")?;
    let percent = law(given, "type", rules::number("damage_percent"))?;
    let found = damage(&wage, &claim, &minimum, percent);
    let because = vec![
        step(given, format!("{wage} × {percent}%"), "month_wage", &found.share),
        step(given, format!("{wage} above the minimum wage {minimum}"), "local_min_wage", &found.above_minimum),
    ];
    let text = format!("the lowest of the claim {claim} and both limits; {} is carried forward", found.carried);
    let answer = Answer::new(given.arena()).number("deducted", &found.deducted, 2);
    let answer = answer.number("carried_forward", &found.carried, 2);
    Ok(answer.because(step(given, text, "claim", &found.deducted).because(because)))
}
