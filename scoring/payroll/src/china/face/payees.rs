//! Other payees.

use super::{amount, amount_or_nothing, month, paid_on, rate, resident, step};
use crate::china::payees::{self, Kind, PayeeRules, Taxed};
use crate::china::rules;
use hub_calc::{Answer, Exact, Given, Wrong};

fn law(given: Given<'_>) -> Result<PayeeRules<'static>, Wrong> {
    let (on, field) = paid_on(given)?;
    rules::payee(on).map_err(|none| none.at(given, field))
}

/// How the taxable part was taxed, in words.
fn formula(taxed: &Taxed) -> String {
    let Taxed { taxable, percent, less, tax } = taxed;
    format!("{taxable} × {percent}% − {less} = {}", tax.to_places(2))
}

/// What every answer on a payment holds.
fn answered<'a>(given: Given<'a>, amount: &Exact, taxed: &Taxed, how: String) -> Answer<'a> {
    let answer = Answer::new(given.arena()).number("taxable", &taxed.taxable, 2).number("tax", &taxed.tax, 2);
    let answer = answer.number("net", &(amount - &taxed.tax), 2);
    let answer = answer.text("rate", &rate(&taxed.percent)).text("quick_deduction", &taxed.less.to_string());
    let because = vec![step(given, how, "amount", &taxed.taxable)];
    answer.because(step(given, formula(taxed), "amount", &taxed.tax).because(because))
}

/// How the taxable part came about, in words.
fn taken_off(kind: Kind, amount: &Exact, taxable: &Exact, law: &PayeeRules<'_>, resident: bool) -> String {
    let income = if resident && amount <= law.small_up_to {
        format!("{amount} − {} (at least 0)", law.small_deduction)
    } else {
        format!("{amount} less {}%", law.percent_off)
    };
    match kind {
        Kind::Author => format!("{income}, × {}% = {taxable}", law.author_percent),
        Kind::Labour | Kind::Royalty => format!("{income} = {taxable}"),
    }
}

fn payment<'a>(given: Given<'a>, kind: Kind, resident: bool) -> Result<Answer<'a>, Wrong> {
    let (amount, law) = (amount(given, "amount")?, law(given)?);
    let taxed = if resident { law.resident(kind, &amount) } else { law.nonresident(kind, &amount) };
    let how = taken_off(kind, &amount, &taxed.taxable, &law, resident);
    Ok(answered(given, &amount, &taxed, how))
}

pub(super) fn labour<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    payment(given, Kind::Labour, resident(given)?)
}

pub(super) fn author<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    payment(given, Kind::Author, resident(given)?)
}

pub(super) fn royalty<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    payment(given, Kind::Royalty, resident(given)?)
}

pub(super) fn nonresident_labour<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    payment(given, Kind::Labour, false)
}

pub(super) fn nonresident_author<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    payment(given, Kind::Author, false)
}

pub(super) fn nonresident_wage<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let amount = amount(given, "amount")?;
    let (on, field) = paid_on(given)?;
    let basic = rules::number("basic_deduction_month", on).map_err(|none| none.at(given, field))?;
    let table = rules::brackets("month", on).map_err(|none| none.at(given, field))?;
    let taxed = payees::nonresident_wage(&amount, basic, table);
    let how = format!("{amount} − {basic} (at least 0) = {}", taxed.taxable);
    let mut answer = answered(given, &amount, &taxed, how);
    if !amount_or_nothing(given, "special")?.is_zero() {
        answer.warn("/special", "a non-resident's wage is taxed without special deductions; it was not taken off");
    }
    Ok(answer)
}

pub(super) fn severance<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let field = "local_prior_year_average_annual_wage";
    let (amount, average) = (amount(given, "amount")?, amount(given, field)?);
    if average.is_zero() {
        return Err(given.wrong(field, &format!("the average wage `{field}` should be above 0")));
    }
    let (on, day) = paid_on(given)?;
    let averages = rules::number("severance_average_wages", on).map_err(|none| none.at(given, day))?;
    let table = rules::brackets("year", on).map_err(|none| none.at(given, day))?;
    let found = payees::severance(&amount, &average, averages, table);
    let limit = &average * averages;
    let text = format!(
        "the lower of {amount} and {averages} × {average} = {limit} is free of tax; {} is over",
        found.taxed.taxable
    );
    let answer =
        Answer::new(given.arena()).number("exempt", &found.exempt, 2).number("taxable", &found.taxed.taxable, 2);
    let answer = answer.number("tax", &found.taxed.tax, 2).number("net", &(&amount - &found.taxed.tax), 2);
    let answer =
        answer.text("rate", &rate(&found.taxed.percent)).text("quick_deduction", &found.taxed.less.to_string());
    let because = vec![step(given, text, field, &found.exempt)];
    Ok(answer.because(step(given, formula(&found.taxed), "amount", &found.taxed.tax).because(because)))
}

pub(super) fn intern<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let law = law(given)?;
    let student = given.flag("full_time_student")?;
    let mut payments = Vec::new();
    for payment in given.list("months")? {
        payments.push((month(payment, "m")?, amount(payment, "amount")?));
    }
    payments.sort_by_key(|(month, _)| *month);
    let usual = |amount: &Exact| law.resident(Kind::Labour, amount);
    let mut answer = Answer::new(given.arena());
    let mut tax = Vec::new();
    if student {
        let (on, field) = paid_on(given)?;
        let wages = rules::wages(on).map_err(|none| none.at(given, field))?;
        let deduction = rules::number("intern_deduction_month", on).map_err(|none| none.at(given, field))?;
        let wages = crate::china::wages::Rules { basic_month: deduction, ..wages };
        for row in law.intern(payments.clone(), wages) {
            let text = format!(
                "month {}: payments so far less {}% and {deduction} a month of the internship = {}, by the year's table, \
                 less what was withheld before",
                row.month, law.percent_off, row.taxable
            );
            answer = answer.because(step(given, text, "months", &row.tax));
            tax.push(row.tax.to_places(2));
        }
    } else {
        for (month, amount) in &payments {
            let taxed = usual(amount);
            answer = answer.because(step(given, format!("month {month}: {}", formula(&taxed)), "months", &taxed.tax));
            tax.push(taxed.tax.to_places(2));
        }
        answer.warn("/full_time_student", "only full-time students may cumulate; each payment was taxed by itself");
    }
    let answer = answer.texts("tax", &tax);
    // By the payment, as for everybody else.
    Ok(match payments.first() {
        Some((_, first)) => answer.number("without_election_first_month", &usual(first).tax, 2),
        None => answer,
    })
}
