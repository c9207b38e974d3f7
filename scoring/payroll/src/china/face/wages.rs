//! Wages of residents.

use super::{amount, amount_or_nothing, month, resident, step, year};
use crate::china::rules;
use crate::china::wages::{Basic, Month, Rules, Withheld, settle, withhold};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// The fields of a month; others are warned about.
const MONTH: [&str; 8] = ["m", "month", "run", "income", "exempt", "special", "additional", "other"];

/// A month's amounts; `month` is what `m` or the run says.
fn month_of(given: Given<'_>, month: usize) -> Result<Month, Wrong> {
    Ok(Month {
        month,
        income: amount(given, "income")?,
        exempt: amount_or_nothing(given, "exempt")?,
        special: amount_or_nothing(given, "special")?,
        additional: amount_or_nothing(given, "additional")?,
        other: amount_or_nothing(given, "other")?,
    })
}

/// The months of a list, and warnings about fields that they should not have.
fn months<'a>(given: Given<'a>, field: &'a str, warnings: &mut Vec<String>) -> Result<Vec<Month>, Wrong> {
    let one = |given: Given<'a>| {
        unknown(given, warnings);
        month_of(given, month(given, "m")?)
    };
    given.list(field)?.map(one).collect()
}

fn unknown(given: Given<'_>, warnings: &mut Vec<String>) {
    let unknown = given.entries().iter().filter(|(field, _)| !MONTH.contains(field));
    warnings.extend(unknown.map(|(field, _)| given.pointer_of(field)));
}

fn warn(mut answer: Answer<'_>, unknown: Vec<String>) -> Answer<'_> {
    for pointer in unknown {
        answer.warn(&pointer, "a month has no field of this name; it was not read");
    }
    answer
}

/// The law of the year that is given.
fn law(given: Given<'_>) -> Result<(Date, Rules<'static>), Wrong> {
    let first = year(given)?;
    Ok((first, rules::wages(first).map_err(|none| none.at(given, "year"))?))
}

/// From when the basic deduction counts. Without a first month here it is the first with pay, or `usual`.
fn basic(given: Given<'_>, months: &[Month], usual: Option<usize>) -> Result<Basic, Wrong> {
    let first_paid = months.iter().map(|month| month.month).min();
    let field = "first_month_with_this_employer";
    let joined = given.has(field).then(|| month(given, field)).transpose()?;
    if let (Some(joined), Some(paid)) = (joined, first_paid)
        && paid < joined
    {
        let detail = format!("`{field}` is {joined}, and there is pay of month {paid} already");
        return Err(given.wrong(field, &detail));
    }
    let whole_year = given.flag_or("prior_year_60000_election", false)?;
    let from_january = given.flag_or("first_wage_income_of_year_declared", false)?;
    if whole_year && (from_january || joined.is_some_and(|joined| joined > 1)) {
        let detail = "who had the first wage of the year, or joined after January, was not with this employer all \
                      last year; `prior_year_60000_election` cannot be true";
        return Err(given.wrong("prior_year_60000_election", detail));
    }
    Ok(match (whole_year, from_january) {
        (true, _) => Basic::WholeYear,
        (_, true) => Basic::From(1),
        _ => Basic::From(joined.or(usual).or(first_paid).unwrap_or(1)),
    })
}

/// Warns where a choice was made before it could be.
fn warn_early<'a>(mut answer: Answer<'a>, given: Given<'a>, first: Date) -> Result<Answer<'a>, Wrong> {
    for (field, rule) in [
        ("first_wage_income_of_year_declared", "first_wage_counts_from_month"),
        ("prior_year_60000_election", "low_income_election_limit"),
    ] {
        let last = first.last_of_year();
        if given.flag_or(field, false)?
            && let Err(none) = rules::number(rule, last)
        {
            answer.warn(&given.pointer_of(field), &none.to_string());
        }
    }
    Ok(answer)
}

fn rows<'a>(given: Given<'a>, rows: &[Withheld<'_>]) -> Value<'a> {
    let arena = given.arena();
    let text = |text: &str| Value::Text(arena.text(text));
    let row = |row: &Withheld<'_>| {
        arena.map(&[
            ("month", Value::Decimal(row.month.into())),
            ("cumulative_taxable", text(&row.taxable().to_places(2))),
            ("rate", text(&super::rate(&row.band.percent))),
            ("quick_deduction", text(&row.band.less.to_string())),
            ("tax", text(&row.tax.to_places(2))),
            ("withheld_to_date", text(&row.to_date().to_places(2))),
        ])
    };
    arena.list(&rows.iter().map(row).collect::<Vec<_>>())
}

fn last(rows: &[Withheld<'_>]) -> Exact {
    rows.last().map_or_else(Exact::zero, Withheld::to_date)
}

/// Why a run withholds what it does.
fn explained(given: Given<'_>, path: &str, row: &Withheld<'_>) -> Explain {
    let Withheld { month, remainder, basic, balance, band, before, tax } = row;
    let taxable = step(
        given,
        format!("cumulative income less deductions {remainder} − basic deduction {basic} = {balance}"),
        path,
        balance,
    );
    let text = if balance.is_positive() {
        let due = band.tax(balance) - before.clone();
        let text =
            format!("month {month}: {balance} × {}% − {} − withheld before {before} = {due}", band.percent, band.less);
        if due.is_negative() { format!("{text}; nothing is paid back during the year, so 0") } else { text }
    } else {
        format!("month {month}: taxable income {balance} is not above 0, so 0; what is left of deductions counts later")
    };
    step(given, text, path, tax).because(vec![taxable])
}

fn because<'a>(answer: Answer<'a>, given: Given<'_>, path: &str, rows: &[Withheld<'_>]) -> Answer<'a> {
    rows.iter().fold(answer, |answer, row| answer.because(explained(given, path, row)))
}

pub(super) fn cumulative<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    if !resident(given)? {
        let detail = "cumulative withholding is for the residency `resident`; use `nonresident_wage` month by month";
        return Err(given.wrong("residency", detail));
    }
    let (first, law) = law(given)?;
    let mut unknown = Vec::new();
    let runs = months(given, "months", &mut unknown)?;
    let basic = basic(given, &runs, None)?;
    let withheld = withhold(runs, basic, law);
    let answer = Answer::new(given.arena()).with("rows", rows(given, &withheld));
    let answer = because(answer.number("tax_total", &last(&withheld), 2), given, "months", &withheld);
    warn_early(warn(answer, unknown), given, first)
}

pub(super) fn two_years<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    if !resident(given)? {
        return Err(given.wrong("residency", "cumulative withholding is for the residency `resident`"));
    }
    let (mut answer, mut unknown, mut before) = (Answer::new(given.arena()), Vec::new(), None);
    // Who was here last year is here from January.
    for (name, usual) in [("first", None), ("second", Some(1))] {
        let year = given.map(name)?;
        let (first, law) = law(year)?;
        if before.is_some_and(|before| first <= before) {
            return Err(year.wrong("year", "the second `year` should come after the first"));
        }
        before = Some(first);
        let runs = months(year, "months", &mut unknown)?;
        let basic = basic(year, &runs, usual)?;
        let withheld = withhold(runs, basic, law);
        answer = because(answer.with(name, rows(given, &withheld)), given, &format!("{name}.months"), &withheld);
        answer = warn_early(answer, year, first)?;
    }
    Ok(warn(answer, unknown))
}

pub(super) fn off_cycle<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (_, law) = law(given)?;
    let (mut unknown, month) = (Vec::new(), month(given, "month")?);
    let mut all = if given.has("prior_months") { months(given, "prior_months", &mut unknown)? } else { Vec::new() };
    if all.iter().any(|prior| prior.month > month) {
        return Err(given.wrong("prior_months", &format!("`prior_months` has a month after month {month} of the runs")));
    }
    let prior = all.len();
    let mut names = Vec::new();
    for run in given.list("runs")? {
        self::unknown(run, &mut unknown);
        names.push(run.text("run")?);
        all.push(month_of(run, month)?);
    }
    let basic = basic(given, &all, None)?;
    let withheld = withhold(all, basic, law);
    // The runs come last: no month of theirs is before a prior one.
    let taxed: Vec<(&str, &Exact)> =
        names.iter().copied().zip(withheld.iter().skip(prior).map(|row| &row.tax)).collect();
    // Without a run of that name the first is the regular one.
    let regular = names.iter().copied().find(|name| *name == "regular").or(names.first().copied());
    let sum =
        |wanted: bool| taxed.iter().filter(|(name, _)| (Some(*name) == regular) == wanted).map(|(_, tax)| *tax).sum();
    let answer =
        Answer::new(given.arena()).number("tax_regular", &sum(true), 2).number("tax_off_cycle", &sum(false), 2);
    let answer = answer.number("withheld_to_date", &last(&withheld), 2);
    Ok(warn(because(answer, given, "runs", withheld.get(prior..).unwrap_or_default()), unknown))
}

pub(super) fn two_employers<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (first, law) = law(given)?;
    let (mut unknown, mut answer) = (Vec::new(), Answer::new(given.arena()));
    let (mut all, mut paid) = (Vec::new(), Exact::zero());
    for (field, name) in [("employer_a", "a"), ("employer_b", "b")] {
        let runs = months(given, field, &mut unknown)?;
        // Each employer begins from nothing, with the basic deduction of its own months.
        let since = runs.iter().map(|run| run.month).min().unwrap_or(1);
        let withheld = withhold(runs.clone(), Basic::From(since), law);
        answer = because(answer.with(name, rows(given, &withheld)), given, field, &withheld);
        paid = paid + last(&withheld);
        all.extend(runs);
    }
    let settled = settle(&all, &paid, law);
    let text = format!(
        "all income less deductions {} − {} a year = {}, tax {} − withheld {paid} = {}",
        settled.remainder, law.basic_year, settled.taxable, settled.tax, settled.extra
    );
    let answer = answer.number("annual_settlement_extra", &settled.extra, 2);
    let mut answer = warn(answer.because(step(given, text, "year", &settled.extra)), unknown);
    let income: Exact = all.iter().map(|month| &month.income).sum();
    let within = |rule: &str, amount: &Exact| rules::number(rule, first).is_ok_and(|limit| amount <= limit);
    if settled.extra.is_positive()
        && (within("settlement_waived_income", &income) || within("settlement_waived_shortfall", &settled.extra))
    {
        answer.warn("/year", "the year's settlement is waived for so little income, or so little to be paid");
    }
    Ok(answer)
}
