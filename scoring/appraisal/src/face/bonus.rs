//! `performance_bonus` and `bonus_pool`.

use super::{listed, not_negative, numbers, step};
use crate::bonus::{house_coefficients, share};
use hub_calc::{Answer, Exact, Given, Wrong};
use std::collections::{BTreeMap, BTreeSet};

fn coefficients(given: Given<'_>) -> Result<BTreeMap<&str, Exact>, Wrong> {
    let Some(map) = given.optional_map("coefficients")? else {
        return Ok(house_coefficients().into_iter().collect());
    };
    let coefficients: BTreeMap<&str, Exact> = numbers(map)?.into_iter().collect();
    match coefficients.iter().find(|(_, coefficient)| coefficient.is_negative()) {
        Some((grade, coefficient)) => {
            let detail = format!("the coefficient of grade {grade} is {coefficient}, out of range: below 0");
            Err(map.wrong(grade, &detail))
        }
        None => Ok(coefficients),
    }
}

/// The coefficient of the grade of somebody.
fn of_grade<'c>(given: Given<'_>, coefficients: &'c BTreeMap<&'c str, Exact>) -> Result<(&'c str, &'c Exact), Wrong> {
    let grade = given.text("grade")?;
    coefficients.get_key_value(grade).map(|(grade, coefficient)| (*grade, coefficient)).ok_or_else(|| {
        let known = listed(coefficients.keys().copied());
        given.wrong("grade", &format!("grade `{grade}` has no coefficient; there are {known}"))
    })
}

pub(super) fn performance_bonus<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let coefficients = coefficients(given)?;
    let (grade, coefficient) = of_grade(given, &coefficients)?;
    let base = not_negative(given, "bonus_base")?;
    let bonus = &base * coefficient;
    let text = format!("{base} × {coefficient} (grade {grade}) = {bonus}");
    Ok(Answer::new(given.arena()).number("bonus", &bonus, 2).because(step(text, "bonus_base", &bonus)))
}

pub(super) fn bonus_pool<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let coefficients = coefficients(given)?;
    let (mut bonuses, mut seen, mut steps) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (index, person) in given.list("people")?.enumerate() {
        let id = person.text("id")?;
        if !seen.insert(id) {
            return Err(person.wrong("id", &format!("`{id}` stands twice; each person has one bonus")));
        }
        let (grade, coefficient) = of_grade(person, &coefficients)?;
        let base = not_negative(person, "base")?;
        let bonus = &base * coefficient;
        let text = format!("{id}: {base} × {coefficient} (grade {grade}) = {bonus}");
        steps.push(step(text, &format!("people[{index}].base"), &bonus));
        bonuses.push((id, bonus));
    }
    let written = |numbers: &mut dyn Iterator<Item = (&'a str, &Exact)>| -> Vec<(&'a str, String)> {
        numbers.map(|(id, number)| (id, number.to_places(2))).collect()
    };
    let raw = written(&mut bonuses.iter().map(|(id, bonus)| (*id, bonus)));
    let amounts: Vec<Exact> = bonuses.iter().map(|(_, bonus)| bonus.clone()).collect();
    let total = Exact::total(&amounts);
    let answer = Answer::new(given.arena()).named("raw", &raw);
    let because = step(format!("the bonuses add up to {total}"), "people", &total).because(steps);
    let Some(pool) = given.optional_number("pool")? else {
        // Each is paid as it is written: their sum is that of whole fen.
        let paid: Vec<Exact> = bonuses.iter().map(|(_, bonus)| bonus.rounded(2)).collect();
        let sum = Exact::total(&paid);
        return Ok(answer.named("scaled", &raw).number("sum", &sum, 2).because(because));
    };
    if pool.is_negative() || pool.cut(2) != pool {
        let detail = format!("the pool is {pool}, out of range: a whole number of fen that is not negative is needed");
        return Err(given.wrong("pool", &detail));
    }
    let shares = share(&bonuses, &pool).ok_or_else(|| {
        given.wrong("people", &format!("the bonuses add up to {total}; there is nobody to share the pool of {pool}"))
    })?;
    let scaled = written(&mut bonuses.iter().zip(&shares).map(|((id, _), share)| (*id, share)));
    let (pool_text, total_text) = (pool.to_string(), total.to_string());
    let shared = bonuses.iter().zip(&shares).enumerate().map(|(index, ((id, bonus), share))| {
        let text = format!(
            "{id}: {bonus} × {pool_text} ÷ {total_text}, cut to the fen, and what is left to the largest = {share}"
        );
        step(text, &format!("people[{index}].id"), share)
    });
    let text = format!("the shares add up to the pool of {pool}");
    let sharing = step(text, "pool", &pool).because(shared.collect());
    let sum = Exact::total(&shares);
    Ok(answer.named("scaled", &scaled).number("sum", &sum, 2).because(because).because(sharing))
}
