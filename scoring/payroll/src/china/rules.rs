//! The law of a day, from the packs.

use super::payees::PayeeRules;
use super::wages::Rules;
use crate::tables::{Brackets, NoRule, Pack};
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;

/// The pack of taxes.
///
/// # Errors
/// It cannot be read.
pub fn pack() -> Result<&'static Pack, NoRule> {
    Pack::load("china")
}

/// A number of the tax pack.
///
/// # Errors
/// There is none for that day.
pub fn number(name: &str, on: Date) -> Result<&'static Exact, NoRule> {
    Ok(&pack()?.number(name, on)?.rule)
}

/// A progressive table of the tax pack: `year`, `month`, `labour`.
///
/// # Errors
/// There is none for that day.
pub fn brackets(name: &str, on: Date) -> Result<&'static Brackets, NoRule> {
    Ok(&pack()?.brackets(name, on)?.rule)
}

/// What holds for wages that are paid on a day.
///
/// # Errors
/// There is no rule for that day.
pub fn wages(on: Date) -> Result<Rules<'static>, NoRule> {
    Ok(Rules {
        table: brackets("year", on)?,
        basic_month: number("basic_deduction_month", on)?,
        basic_year: number("basic_deduction_year", on)?,
    })
}

/// What holds for other pay on a day.
///
/// # Errors
/// There is no rule for that day.
pub fn payee(on: Date) -> Result<PayeeRules<'static>, NoRule> {
    Ok(PayeeRules {
        small_up_to: number("payee_small_up_to", on)?,
        small_deduction: number("payee_small_deduction", on)?,
        percent_off: number("payee_deduction_percent", on)?,
        author_percent: number("author_percent", on)?,
        flat_percent: number("author_and_royalty_rate", on)?,
        labour: brackets("labour", on)?,
        month: brackets("month", on)?,
    })
}
