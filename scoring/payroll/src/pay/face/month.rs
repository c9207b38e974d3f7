//! From gross to net.

use super::{quantity, quantity_or_nothing, step, time};
use crate::china::face::contributions::scheme;
use crate::china::rules;
use crate::china::wages::Basic;
use crate::pay::month::{Inputs, Paid, pay};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeSet;

/// The fields of a month; others are warned about.
const MONTH: [&str; 11] = [
    "month",
    "m",
    "earnings",
    "si_base",
    "hf_base",
    "attendance_deductions",
    "unpaid_days",
    "divisor",
    "exempt",
    "additional",
    "other",
];

/// The number of a month, under either of its names.
fn number(given: Given<'_>) -> Result<usize, Wrong> {
    let field = if given.has("m") && !given.has("month") { "m" } else { "month" };
    month_in(given, field)
}

fn month_in(given: Given<'_>, field: &str) -> Result<usize, Wrong> {
    let month = given.count(field)?;
    if !(1..=12).contains(&month) {
        return Err(given.wrong(field, &format!("`{field}` is outside the range 1 to 12: {month}")));
    }
    Ok(month)
}

/// A month's inputs, and what its attendance deductions come from.
fn inputs(given: Given<'_>) -> Result<(Inputs, String), Wrong> {
    let earnings = given.map("earnings")?;
    let lines: Vec<(&str, Exact)> = earnings
        .entries()
        .iter()
        .map(|(name, _)| Ok((*name, quantity(earnings, name)?)))
        .collect::<Result<_, Wrong>>()?;
    let wage = lines.iter().find(|(name, _)| *name == "base").map(|(_, wage)| wage);
    let (attendance, how) = time::attendance(given, wage)?;
    let gross: Exact = lines.iter().map(|(_, amount)| amount).sum();
    if attendance > gross {
        let field = if given.has("attendance_deductions") { "attendance_deductions" } else { "unpaid_days" };
        let detail = format!("attendance deductions of {attendance} are outside the range 0 to the earnings {gross}");
        return Err(given.wrong(field, &detail));
    }
    let inputs = Inputs {
        month: number(given)?,
        earnings: lines.into_iter().map(|(_, amount)| amount).collect(),
        attendance,
        insurance_base: quantity(given, "si_base")?,
        fund_base: given.has("hf_base").then(|| quantity(given, "hf_base")).transpose()?,
        exempt: quantity_or_nothing(given, "exempt")?,
        additional: quantity_or_nothing(given, "additional")?,
        other: quantity_or_nothing(given, "other")?,
    };
    Ok((inputs, how))
}

/// From when the basic deduction counts: the month of joining, else the first with pay.
fn basic(given: Given<'_>, months: &BTreeSet<usize>) -> Result<Basic, Wrong> {
    let field = "first_month_with_this_employer";
    let first = months.first().copied().unwrap_or(1);
    if !given.has(field) {
        return Ok(Basic::From(first));
    }
    let joined = month_in(given, field)?;
    if joined > first {
        return Err(given.wrong(field, &format!("`{field}` is {joined}, and there is pay of month {first} already")));
    }
    Ok(Basic::From(joined))
}

/// The law of the year, and the place whose contributions are taken.
fn year(given: Given<'_>) -> Result<Date, Wrong> {
    if let Some(pack) = given.optional_text("pack")?
        && !pack.starts_with("CN-")
    {
        let detail = format!("`pack` should be of mainland China, such as `CN-SH@2025-07`, and is `{pack}`");
        return Err(given.wrong("pack", &detail));
    }
    let year = given.count("year")?;
    let first = i16::try_from(year).ok().and_then(|year| Date::new(year, 1, 1).ok());
    first.ok_or_else(|| given.wrong("year", &format!("`year` is no year of the calendar: {year}")))
}

/// Why a month is paid what it is.
fn explained(given: Given<'_>, paid: &Paid<'_>, attendance: &str) -> Explain {
    let Paid { month, gross, attendance: off, employee, employer, withheld, net, owed } = paid;
    let money = |amount: &Exact| amount.to_places(2);
    let tax = if withheld.balance.is_positive() {
        let (balance, band) = (&withheld.balance, withheld.band);
        let before = &withheld.before;
        format!("tax: {balance} × {}% − {} − withheld before {before}, not below 0", band.percent, band.less)
    } else {
        format!("tax: cumulative taxable income {} is not above 0", withheld.balance)
    };
    let income = format!("{} − basic deduction {}", withheld.remainder, withheld.basic);
    let balance = step(given, format!("cumulative income less deductions {income}"), "months", &withheld.balance);
    let sides = format!("contributions: employee {}, employer {}", money(employee), money(employer));
    let because = vec![
        step(given, "the sum of the earnings".to_owned(), "months", gross),
        step(given, format!("attendance: {attendance}"), "months", off),
        step(given, sides, "params", employee),
        step(given, tax, "months", &withheld.tax).because(vec![balance]),
    ];
    let taken = format!("{} − {} − {} − {}", money(gross), money(off), money(employee), money(&withheld.tax));
    let rest = if owed.is_zero() { String::new() } else { format!(" is below 0; {} is owed", money(owed)) };
    step(given, format!("month {month}: {taken}{rest}"), "months", net).because(because)
}

pub(super) fn gross_to_net<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let first = year(given)?;
    let law = super::law(given, "year", rules::wages(first))?;
    let scheme = scheme(given)?;
    let (mut months, mut numbers, mut unknown) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut without_fund = None;
    for item in given.list("months")? {
        let (inputs, how) = inputs(item)?;
        if !numbers.insert(inputs.month) {
            let detail = format!("month {} is there twice; a second run of a month is `off_cycle`", inputs.month);
            return Err(item.wrong_here(&detail));
        }
        let strange = item.entries().iter().filter(|(field, _)| !MONTH.contains(field));
        unknown.extend(strange.map(|(field, _)| item.pointer_of(field)));
        if inputs.fund_base.is_some() != scheme.fund.is_some() {
            without_fund = without_fund.or_else(|| Some(item.pointer_of("hf_base")));
        }
        months.push((inputs, how));
    }
    months.sort_by_key(|(inputs, _)| inputs.month);
    let basic = basic(given, &numbers)?;
    let (months, hows): (Vec<Inputs>, Vec<String>) = months.into_iter().unzip();
    let found = pay(months, &scheme, basic, law);
    let arena = given.arena();
    let text = |amount: &Exact| Value::Text(arena.text(&amount.to_places(2)));
    let mut shown = Vec::new();
    let mut answer = Answer::new(arena);
    for (paid, how) in found.iter().zip(&hows) {
        let mut fields = vec![
            ("month", Value::Decimal(paid.month.into())),
            ("gross", text(&paid.gross)),
            ("attendance_deductions", text(&paid.attendance)),
            ("employee_contributions", text(&paid.employee)),
            ("employer_contributions", text(&paid.employer)),
            ("iit", text(&paid.withheld.tax)),
            ("net", text(&paid.net)),
            ("employer_cost", text(&paid.employer_cost())),
        ];
        if paid.owed.is_positive() {
            fields.push(("carried_forward", text(&paid.owed)));
            let detail = format!("month {}: {} cannot be taken and is carried forward", paid.month, paid.owed);
            answer.warn("/months", &detail);
        }
        shown.push(arena.map(&fields));
        answer = answer.because(explained(given, paid, how));
    }
    for pointer in unknown {
        answer.warn(&pointer, "a month has no field of this name; it was not read");
    }
    if let Some(pointer) = without_fund {
        answer.warn(&pointer, "the housing fund needs both a base and a rate; nothing was calculated for it");
    }
    Ok(answer.with("months", arena.list(&shown)))
}
