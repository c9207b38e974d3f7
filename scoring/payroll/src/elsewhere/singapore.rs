//! Singapore: Central Provident Fund (CPF), skills development levy (SDL), self-help groups. Amounts in dollars.
//!
//! CPF Board: rates by age and residence on the month's ordinary wage (OW) and additional wage (AW), each up to its
//! ceiling. The total is rounded to the dollar, the employee's share loses its cents, and the employer pays the rest.

use crate::money::cents;
use crate::tables::{NoRule, Pack, Row, share};
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;

/// Whose contributions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A citizen, or a permanent resident from the third year.
    Full,
    /// A permanent resident of the first year.
    FirstYear,
    /// Of the second year.
    SecondYear,
    /// Neither: no CPF.
    Foreigner,
}

/// The words for each in requests, in small letters.
pub const STATUSES: [(&str, Status); 16] = [
    ("citizen", Status::Full),
    ("permanent_resident", Status::Full),
    ("pr", Status::Full),
    ("spr", Status::Full),
    ("pr_third_year", Status::Full),
    ("pr_year_3", Status::Full),
    ("pr3", Status::Full),
    ("pr_first_year", Status::FirstYear),
    ("pr_year_1", Status::FirstYear),
    ("pr1", Status::FirstYear),
    ("spr1", Status::FirstYear),
    ("pr_second_year", Status::SecondYear),
    ("pr_year_2", Status::SecondYear),
    ("pr2", Status::SecondYear),
    ("spr2", Status::SecondYear),
    ("foreigner", Status::Foreigner),
];

impl Status {
    /// The status of a word, in small or capital letters.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        STATUSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, status)| *status)
    }
}

/// Whole months between the month of birth and a month; below nothing before birth.
#[must_use]
pub fn months_of_life(born: Date, month: Date) -> i64 {
    let count = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
    count(month) - count(born)
}

/// What holds in a month for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The employer's rate, per cent.
    pub employer: Exact,
    /// The employee's.
    pub employee: Exact,
    /// Total wages up to here: nothing.
    pub nothing_up_to: Exact,
    /// Up to here: the employer's part alone.
    pub employer_alone_up_to: Exact,
    /// Up to here the employee's part grows.
    pub grows_up_to: Exact,
    /// So many times the employee's rate of what is above `employer_alone_up_to`.
    pub grows_by: Exact,
    /// The ordinary wage counts up to here.
    pub ordinary_ceiling: Exact,
}

/// A number of the pack.
fn number(pack: &Pack, name: &str, on: Date) -> Result<Exact, NoRule> {
    Ok(pack.number(name, on)?.rule.clone())
}

/// The row of an age: of those whose `above` years are passed, the last. The rate of a new age holds from the month
/// after the birthday's.
fn row_of_age(rows: &[Row], months: i64) -> Option<&Row> {
    let years = |row: &Row, cell: &str| row.number(cell).map(|years| years * &Exact::from(12));
    let months = Exact::from(months);
    let passed = |row: &&Row| years(row, "above").is_some_and(|above| above.is_zero() || months > above);
    let row = rows.iter().rev().find(passed)?;
    years(row, "up_to").is_none_or(|last| months <= last).then_some(row)
}

/// What holds for a person in a month; `None` for foreigners.
///
/// # Errors
/// The pack has no rule for that month, or none for the age.
pub fn rules(pack: &Pack, status: Status, born: Date, month: Date) -> Result<Option<Rules>, NoRule> {
    let table = match status {
        Status::Full => "cpf",
        Status::FirstYear => "cpf_first_year",
        Status::SecondYear => "cpf_second_year",
        Status::Foreigner => return Ok(None),
    };
    let rows = &pack.rows(table, month)?.rule;
    let row = row_of_age(rows, months_of_life(born, month));
    let rate = |cell: &str| {
        let rate = row.and_then(|row| row.number(cell)).cloned();
        let known = table.replace('_', " ");
        rate.ok_or_else(|| NoRule { detail: format!("the pack has no rate of `{known}` for a person of this age") })
    };
    Ok(Some(Rules {
        employer: rate("er")?,
        employee: rate("ee")?,
        nothing_up_to: number(pack, "cpf_nothing_up_to", month)?,
        employer_alone_up_to: number(pack, "cpf_employer_alone_up_to", month)?,
        grows_up_to: number(pack, "cpf_grows_up_to", month)?,
        grows_by: number(pack, "cpf_grows_by", month)?,
        ordinary_ceiling: number(pack, "ordinary_wage_ceiling", month)?,
    }))
}

/// A month's contributions, in whole dollars, and what they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpf {
    /// What of the ordinary wage counts.
    pub ordinary: Exact,
    /// What of the additional wage counts.
    pub additional: Exact,
    /// The employee's share, not rounded.
    pub employee_exact: Exact,
    /// Both shares, not rounded.
    pub total_exact: Exact,
    /// To the nearest dollar.
    pub total: Exact,
    /// Without cents.
    pub employee: Exact,
    /// The rest of the total.
    pub employer: Exact,
}

/// Contributes on a month's wages. The bands are those of all that was paid; ceilings come after.
#[must_use]
pub fn cpf(ordinary: &Exact, additional: &Exact, additional_ceiling: &Exact, rules: &Rules) -> Cpf {
    let all = ordinary + additional;
    let ordinary = ordinary.min(&rules.ordinary_ceiling).clone();
    let additional = additional.min(additional_ceiling).clone();
    let counted = &ordinary + &additional;
    let (mut employer, mut employee) = (Exact::zero(), Exact::zero());
    if all > rules.nothing_up_to {
        employer = &counted * &share(&rules.employer);
    }
    if all > rules.grows_up_to {
        employee = &counted * &share(&rules.employee);
    } else if all > rules.employer_alone_up_to {
        employee = &(&all - &rules.employer_alone_up_to) * &rules.grows_by * share(&rules.employee);
    }
    let total_exact = employer + &employee;
    let (total, taken) = (total_exact.rounded(0), employee.cut(0));
    Cpf {
        ordinary,
        additional,
        employer: &total - &taken,
        employee: taken,
        total,
        employee_exact: employee,
        total_exact,
    }
}

/// The ordinary wages of a year that count, each month's up to the ceiling, and what is left for additional wages.
#[must_use]
pub fn additional_ceiling(ordinary: &[Exact], ordinary_ceiling: &Exact, annual_ceiling: &Exact) -> (Exact, Exact) {
    let counted: Exact = ordinary.iter().map(|wage| wage.min(ordinary_ceiling)).sum();
    let left = (annual_ceiling - &counted).max(Exact::zero());
    (counted, left)
}

/// The levy on all wages of a month, to the cent, within its bounds. Without wages there is none.
#[must_use]
pub fn levy(wages: &Exact, percent: &Exact, least: &Exact, most: &Exact) -> Exact {
    if wages.is_zero() {
        return Exact::zero();
    }
    cents(&(wages * &share(percent))).max(least.clone()).min(most.clone())
}

/// What goes to a self-help group: that of the first row whose end is not passed. Nothing without wages; `None` if no
/// row covers them.
#[must_use]
pub fn self_help(wages: &Exact, rows: &[Row]) -> Option<Exact> {
    if wages.is_zero() {
        return Some(Exact::zero());
    }
    let row = rows.iter().find(|row| row.number("up_to").is_none_or(|up_to| wages <= up_to))?;
    row.number("amount").cloned()
}

#[cfg(test)]
mod tests;
