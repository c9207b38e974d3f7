//! Annual bonuses.

use super::{amount, month, paid_on, rate, step, year};
use crate::china::{bonus, rules, wages};
use crate::tables::{Brackets, NoRule};
use hub_calc::{Answer, Exact, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// The monthly table and the months over which a bonus is spread.
fn law(given: Given<'_>, on: Date, field: &str) -> Result<(&'static Brackets, &'static Exact), Wrong> {
    // The method ends before the table does; so its days are told.
    let of = |on| Ok::<_, NoRule>((rules::number("bonus_months", on)?, rules::brackets("month", on)?));
    of(on).map(|(months, table)| (table, months)).map_err(|none| {
        let detail = format!(
            "the separate method for annual bonuses is not valid then, so merge it into the year's income: {none}"
        );
        given.wrong(field, &detail)
    })
}

/// How a bonus is taxed by itself, in words.
fn formula(bonus: &Exact, months: &Exact, taxed: &bonus::Taxed<'_>) -> String {
    let (percent, less) = (&taxed.band.percent, &taxed.band.less);
    let band = match &taxed.band.up_to {
        Some(up_to) => format!("{bonus} ÷ {months} is up to {up_to}"),
        None => format!("{bonus} ÷ {months} is in the last band"),
    };
    format!("{band}: {bonus} × {percent}% − {less} = {}", taxed.tax.to_places(2))
}

fn warn_of_trap(
    answer: &mut Answer<'_>,
    given: Given<'_>,
    field: &str,
    bonus: &Exact,
    table: &Brackets,
    months: &Exact,
) {
    if let Some((threshold, net)) = bonus::trap(bonus, table, months) {
        let net = net.to_places(2);
        let detail = format!("a bonus of {threshold} would leave more: {net}. It is just above a threshold");
        answer.warn(&given.pointer_of(field), &detail);
    }
}

pub(super) fn separate<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let bonus = amount(given, "amount")?;
    let (table, months) = law(given, given.date("paid_on")?, "paid_on")?;
    let taxed = bonus::separate(&bonus, table, months);
    let answer = Answer::new(given.arena()).text("rate", &rate(&taxed.band.percent));
    let answer = answer.text("quick_deduction", &taxed.band.less.to_string());
    let answer = answer.number("tax", &taxed.tax, 2).number("net", &taxed.net, 2);
    let mut answer = answer.because(step(given, formula(&bonus, months, &taxed), "amount", &taxed.tax));
    warn_of_trap(&mut answer, given, "amount", &bonus, table, months);
    Ok(answer)
}

pub(super) fn compare<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let on = year(given)?;
    let bonus = amount(given, "bonus")?;
    let other = given.number("other_comprehensive_taxable_for_year")?;
    let (table, months) = law(given, on, "year")?;
    let wages = rules::wages(on).map_err(|none| none.at(given, "year"))?;
    let separate = bonus::separate(&bonus, table, months);
    let together = &other + &bonus;
    let (with, without) = (wages.tax_of_year(&together), wages.tax_of_year(&other));
    let merged = &with - &without;
    let (cheaper, difference) = match separate.tax.cmp(&merged) {
        std::cmp::Ordering::Less => ("separate", &merged - &separate.tax),
        std::cmp::Ordering::Equal => ("equal", Exact::zero()),
        std::cmp::Ordering::Greater => ("merged", &separate.tax - &merged),
    };
    let text = format!(
        "tax on {other} + {bonus} = {together}: {with}; on {other} alone: {without}; {with} − {without} = {merged}"
    );
    let answer = Answer::new(given.arena()).number("separate_tax", &separate.tax, 2);
    let answer =
        answer.number("merged_extra_tax", &merged, 2).text("cheaper", cheaper).number("difference", &difference, 2);
    let answer = answer.because(step(given, formula(&bonus, months, &separate), "bonus", &separate.tax));
    let mut answer = answer.because(step(given, text, "other_comprehensive_taxable_for_year", &merged));
    warn_of_trap(&mut answer, given, "bonus", &bonus, table, months);
    Ok(answer)
}

pub(super) fn with_low_wage<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let first = year(given)?;
    let (table, months) = law(given, first, "year")?;
    let law = rules::wages(first).map_err(|none| none.at(given, "year"))?;
    let (wage, bonus) = (amount(given, "wage")?, amount(given, "bonus")?);
    let run = wages::Month {
        month: month(given, "month")?,
        income: wage.clone(),
        exempt: Exact::zero(),
        special: super::amount_or_nothing(given, "special")?,
        additional: Exact::zero(),
        other: Exact::zero(),
    };
    let (since, special) = (run.month, run.special.clone());
    let wage_tax: Exact = wages::withhold(vec![run], wages::Basic::From(since), law).iter().map(|row| &row.tax).sum();
    let taxed = bonus::separate(&bonus, table, months);
    let text = format!("the month by itself: {wage} − {special} − {} taxed by the year's table", law.basic_month);
    let answer = Answer::new(given.arena()).number("wage_tax", &wage_tax, 2).number("bonus_tax", &taxed.tax, 2);
    let answer = answer.because(step(given, text, "wage", &wage_tax));
    let text = format!("{}; what the wage leaves of its deductions is not set off", formula(&bonus, months, &taxed));
    let mut answer = answer.because(step(given, text, "bonus", &taxed.tax));
    warn_of_trap(&mut answer, given, "bonus", &bonus, table, months);
    Ok(answer)
}

/// What becomes of a bonus.
enum Fate {
    /// Taxed by itself.
    Tax(Exact),
    /// Taxed with the year's income.
    Merged,
    /// Another bonus of that year was taxed by itself.
    Refused,
}

impl Fate {
    fn text(&self) -> String {
        match self {
            Self::Tax(tax) => tax.to_places(2),
            Self::Merged => "merged".to_owned(),
            Self::Refused => "refused".to_owned(),
        }
    }
}

pub(super) fn once<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    if given.has("year") {
        year(given)?;
    }
    let mut payments = Vec::new();
    for (index, payment) in given.list("payments")?.enumerate() {
        let separate = match payment.optional_text("method")? {
            None | Some("separate") => true,
            Some("merged" | "merge") => false,
            Some(other) => {
                let detail = format!("`method` should be `separate` or `merged`, and is `{other}`");
                return Err(payment.wrong("method", &detail));
            }
        };
        payments.push((payment.date("paid_on")?, amount(payment, "amount")?, separate, payment, index));
    }
    if payments.is_empty() {
        return Err(given.wrong("payments", "`payments` is empty; one bonus or more is needed"));
    }
    payments.sort_by_key(|(day, ..)| *day);
    let (mut answer, mut used) = (Answer::new(given.arena()), Vec::new());
    for (place, (day, bonus, separate, payment, index)) in payments.into_iter().enumerate() {
        let path = format!("payments[{index}]");
        let times = used.iter().filter(|year| **year == day.year()).count();
        let (fate, text) = if !separate {
            (Fate::Merged, format!("{bonus} is taxed with the income of {}", day.year()))
        } else {
            let (table, months) = law(payment, day, "paid_on")?;
            let limit = rules::number("bonus_times_a_year", day).map_err(|none| none.at(payment, "paid_on"))?;
            if Exact::from(times) < *limit {
                used.push(day.year());
                let taxed = bonus::separate(&bonus, table, months);
                warn_of_trap(&mut answer, payment, "amount", &bonus, table, months);
                (Fate::Tax(taxed.tax.clone()), formula(&bonus, months, &taxed))
            } else {
                let text =
                    format!("{times} bonus of {} was taxed separately, and the limit is {limit} a year", day.year());
                (Fate::Refused, format!("{text}: merge this one into the year's income"))
            }
        };
        let shown = Value::Text(given.arena().text(&fate.text()));
        answer = answer.because(hub_calc::Explain::leaf(text, Some(path), shown));
        answer = match (place, &fate) {
            (0, Fate::Tax(tax)) => answer.number("first_tax", tax, 2),
            (0, fate) => answer.text("first", &fate.text()),
            (1, fate) => answer.text("second", &fate.text()),
            _ => answer,
        };
    }
    Ok(answer)
}

pub(super) fn nonresident<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let bonus = amount(given, "amount")?;
    let (on, field) = paid_on(given)?;
    let law = |on| Ok::<_, NoRule>((rules::brackets("month", on)?, rules::number("nonresident_bonus_months", on)?));
    let (table, months) = law(on).map_err(|none| none.at(given, field))?;
    let taxed = bonus::nonresident(&bonus, table, months);
    let (percent, less) = (&taxed.band.percent, &taxed.band.less);
    let text = format!("({bonus} ÷ {months} × {percent}% − {less}) × {months} = {}", taxed.tax.to_places(2));
    let answer = Answer::new(given.arena()).number("tax", &taxed.tax, 2).number("net", &taxed.net, 2);
    let answer = answer.text("rate", &rate(percent)).text("quick_deduction", &less.to_string());
    Ok(answer.because(step(given, text, "amount", &taxed.tax)))
}
