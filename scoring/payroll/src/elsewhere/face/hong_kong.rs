//! 香港 Hong Kong.

use super::{month, pack};
use crate::elsewhere::hong_kong::{Basis, Mpf, SalariesTax, mpf as contribute, salaries_tax as tax, start};
use crate::pay::face::{law, quantity, quantity_or_nothing, step};
use crate::tables::Pack;
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// Words for pay by calendar months.
const MONTHLY: [&str; 3] = ["monthly", "month", "calendar month"];

/// Words for other wage periods, and the days of those that always have as many.
const PERIODS: [(&str, Option<i64>); 8] = [
    ("daily", None),
    ("days", None),
    ("non_monthly", None),
    ("other", None),
    ("semi_monthly", None),
    ("weekly", Some(7)),
    ("biweekly", Some(14)),
    ("fortnightly", Some(14)),
];

/// A number of the pack.
fn number(given: Given<'_>, pack: &'static Pack, name: &str, on: Date) -> Result<&'static Exact, Wrong> {
    Ok(&law(given, "period", pack.number(name, on))?.rule)
}

/// The days of a wage period that is no month: as given, else those of its word.
fn days(given: Given<'_>, word: &str) -> Result<Exact, Wrong> {
    let usual = PERIODS.iter().find(|(known, _)| *known == word).map(|(_, usual)| *usual);
    let days = match usual {
        Some(Some(days)) if !given.has("days") => days,
        None if !given.has("days") => {
            let known: Vec<&str> = MONTHLY.iter().chain(PERIODS.iter().map(|(known, _)| known)).copied().collect();
            let known = known.join(", ");
            let detail = format!("the wage period `{word}` is not known; give its `days`, or one of: {known}");
            return Err(given.wrong("wage_period", &detail));
        }
        _ => i64::try_from(given.count("days")?).unwrap_or(i64::MAX),
    };
    if !(1..=366).contains(&days) {
        return Err(given.wrong("days", &format!("`days` of a wage period is outside the range 1 to 366: {days}")));
    }
    Ok(Exact::from(days))
}

pub(super) fn mpf<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "hong-kong")?;
    let on = month(given, pack)?;
    let number = |name: &str| number(given, pack, name, on);
    let (income, age) = (quantity(given, "relevant_income")?, quantity(given, "age")?);
    let word = given.text("wage_period")?;
    let (days, least, most) = if MONTHLY.contains(&word) {
        (Exact::one(), number("mpf_month_least")?, number("mpf_month_most")?)
    } else {
        (days(given, word)?, number("mpf_day_least")?, number("mpf_day_most")?)
    };
    let rules = Mpf { percent: number("mpf_rate")?.clone(), least: least * &days, most: most * &days };
    let (first, last) = (number("mpf_age_first")?, number("mpf_age_last")?);
    // Whoever is 64 and some months is 64.
    let years = age.floor();
    let covered = years >= *first && years <= *last;
    let (employee, employer) = if covered { contribute(&income, &rules) } else { (Exact::zero(), Exact::zero()) };
    let answer = Answer::new(given.arena()).number("employee", &employee, 2).number("employer", &employer, 2);
    if !covered {
        let text = format!("the age {age} is not within {first} to {last}; nobody contributes");
        return Ok(answer.because(step(given, text, "age", &employer)));
    }
    let Mpf { percent, least, most } = &rules;
    let own = if income < *least {
        format!("employee: {income} is below {least}, so nothing")
    } else {
        format!("employee: {income} is not below {least}; as the employer")
    };
    let text = format!("employer: {income} up to {most} × {percent}%");
    let answer = answer.because(step(given, own, "relevant_income", &employee));
    Ok(answer.because(step(given, text, "relevant_income", &employer)))
}

pub(super) fn mpf_start<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "hong-kong")?;
    let joined = given.date("joined")?;
    let period = given.optional_text("wage_period")?.unwrap_or("calendar month");
    if !MONTHLY.contains(&period) {
        let detail = format!("the first payments are known for the wage period `calendar month` alone, not `{period}`");
        return Err(given.wrong("wage_period", &detail));
    }
    let days = |name: &str| {
        let days = &law(given, "joined", pack.number(name, joined))?.rule;
        days.to_whole().ok_or_else(|| given.wrong("joined", &format!("the pack's `{name}` should be whole days")))
    };
    let (waived, enrolled, due) = (days("mpf_waived_days")?, days("mpf_enrolled_after_days")?, days("mpf_due_day")?);
    let found = i8::try_from(due).ok().and_then(|due| start(joined, waived, enrolled, due));
    let found =
        found.ok_or_else(|| given.wrong("joined", &format!("the calendar has no days after {joined} to count")))?;
    let month = found.employee_from.to_string();
    let month = month.get(.."2026-04".len()).unwrap_or_default();
    let answer = Answer::new(given.arena())
        .text("day_30", &found.waived_until.to_string())
        .text("first_employee_contribution_month", month)
        .text("employer_contributes_from", &joined.to_string())
        .text("day_60", &found.enrolled.to_string())
        .text("first_contribution_due", &found.due.to_string());
    let because = |text: String, value: &str| {
        Explain::leaf(text, Some("joined".to_owned()), Value::Text(given.arena().text(value)))
    };
    let from = format!("the first month to begin after day {waived}, {}", found.waived_until);
    let until = format!("day {due} of the month after that of day {enrolled}, {}", found.enrolled);
    Ok(answer.because(because(from, month)).because(because(until, &found.due.to_string())))
}

/// The first day of a year of tax that is written `2025/26`.
fn year_of_tax(given: Given<'_>) -> Result<Date, Wrong> {
    let text = given.text("year")?;
    let first = || {
        let (first, second) = text.split_once('/')?;
        let (first_year, second_year) = (first.parse::<i16>().ok()?, second.parse::<i16>().ok()?);
        let follows = first.len() == 4 && second.len() == 2 && (first_year + 1) % 100 == second_year;
        Date::new(first_year, 4, 1).ok().filter(|_| follows)
    };
    first().ok_or_else(|| {
        given.wrong("year", &format!("`year` should be a year of tax such as `2025/26`, and is `{text}`"))
    })
}

pub(super) fn salaries_tax<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "hong-kong")?;
    let on = year_of_tax(given)?;
    let income = quantity(given, "total_income")?;
    let (deductions, allowances) =
        (quantity_or_nothing(given, "deductions")?, quantity_or_nothing(given, "allowances")?);
    let bands = &law(given, "year", pack.brackets("salaries_tax", on))?.rule;
    let standard_rate = &law(given, "year", pack.brackets("salaries_tax_standard", on))?.rule;
    let most = law(given, "year", pack.number("salaries_tax_reduction", on))?;
    let found = tax((&income, &deductions, &allowances), (bands, standard_rate), &most.rule);
    let SalariesTax { net_income, chargeable, progressive, standard, basis, before, reduction, payable } = &found;
    let basis = match basis {
        Basis::Progressive => "progressive",
        Basis::Standard => "standard",
    };
    let answer = Answer::new(given.arena())
        .number("net_income", net_income, 2)
        .number("net_chargeable_income", chargeable, 2)
        .number("progressive", progressive, 2)
        .number("standard", standard, 2)
        .text("basis", basis)
        .number("tax_before_reduction", before, 2)
        .number("reduction", reduction, 2)
        .number("tax_payable", payable, 2);
    let band = bands.band(chargeable);
    let tier = standard_rate.band(net_income);
    let because = vec![
        step(given, format!("{income} − {deductions}, not below 0"), "total_income", net_income),
        step(given, format!("{net_income} − {allowances}, not below 0"), "allowances", chargeable),
        step(given, format!("{chargeable} × {}% − {}", band.percent, band.less), "total_income", progressive),
        step(given, format!("{net_income} × {}% − {}", tier.percent, tier.less), "total_income", standard),
        step(given, format!("{before}, at most {} ({})", most.rule, most.source), "year", reduction),
    ];
    let text = format!("the lower is {basis}: {before} − {reduction} = {payable}");
    Ok(answer.because(step(given, text, "year", payable).because(because)))
}
