//! Tax on residents' wages by cumulative withholding (累计预扣法), per employee, employer and calendar year of payment.
//!
//! STA announcement 2018 No. 61, article 6: what has come in this year, less what may be taken off it so far, taxed by
//! the table of the year, less what was withheld before. Less than nothing is not paid back: later months absorb it,
//! and the year's settlement the rest.

use crate::money::cents;
use crate::tables::{Band, Brackets};
use hub_calc::Exact;

/// A month's wages, or one of several runs of a month. Amounts in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// 1 to 12.
    pub month: usize,
    /// Gross income.
    pub income: Exact,
    /// Income that is free of tax.
    pub exempt: Exact,
    /// Special deductions (专项扣除): the employee's insurance and housing fund.
    pub special: Exact,
    /// Special additional deductions (专项附加扣除) that are declared by now and were not taken before.
    pub additional: Exact,
    /// Other deductions, such as annuities.
    pub other: Exact,
}

impl Month {
    /// Income less all that is taken off it but the basic deduction; may be below nothing.
    #[must_use]
    pub fn remainder(&self) -> Exact {
        let off: Exact = [&self.exempt, &self.special, &self.additional, &self.other].into_iter().sum();
        self.income.clone() - off
    }
}

/// From when the basic deduction counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basic {
    /// From this month on, which counts whole: that of joining. Months without pay count.
    From(usize),
    /// The whole year's at once (STA announcement 2020 No. 19).
    WholeYear,
}

/// What the law sets for a year.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// The table of the year.
    pub table: &'r Brackets,
    /// The basic deduction of a month, in yuan.
    pub basic_month: &'r Exact,
    /// That of a year.
    pub basic_year: &'r Exact,
}

impl Rules<'_> {
    /// The basic deduction up to a month, that one included.
    #[must_use]
    pub fn basic(&self, basic: Basic, month: usize) -> Exact {
        match basic {
            Basic::WholeYear => self.basic_year.clone(),
            Basic::From(first) => self.basic_month * &Exact::from((month + 1).saturating_sub(first)),
        }
    }

    /// The tax on a year's taxable income, to the fen.
    #[must_use]
    pub fn tax_of_year(&self, taxable: &Exact) -> Exact {
        cents(&self.table.tax(taxable))
    }
}

/// What is withheld in a run, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld<'r> {
    /// The month of the run.
    pub month: usize,
    /// Income up to this run, less all but the basic deduction.
    pub remainder: Exact,
    /// The basic deduction up to this month.
    pub basic: Exact,
    /// Their difference: the cumulative taxable income; below nothing while deductions are left over.
    pub balance: Exact,
    /// The band of the table that it is in.
    pub band: &'r Band,
    /// Withheld by earlier runs of the year.
    pub before: Exact,
    /// Withheld by this run, to the fen; never below nothing.
    pub tax: Exact,
}

impl Withheld<'_> {
    /// The cumulative taxable income as it is filed: what is left of deductions shows as nothing.
    #[must_use]
    pub fn taxable(&self) -> Exact {
        if self.balance.is_positive() { self.balance.clone() } else { Exact::zero() }
    }

    /// Withheld this year up to and with this run.
    #[must_use]
    pub fn to_date(&self) -> Exact {
        &self.before + &self.tax
    }
}

/// Where an employee stands before a run: what came in this year by this employer. Amounts in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Income less all that was taken off it but the basic deduction.
    pub remainder: Exact,
    /// Withheld.
    pub tax: Exact,
}

/// Withholds in one run, after what came before.
#[must_use]
pub fn withhold_next<'r>(before: &Before, run: &Month, basic: Basic, rules: Rules<'r>) -> Withheld<'r> {
    let remainder = &before.remainder + &run.remainder();
    let basic = rules.basic(basic, run.month);
    let balance = &remainder - &basic;
    let due = cents(&(rules.table.tax(&balance) - before.tax.clone()));
    let tax = if due.is_positive() { due } else { Exact::zero() };
    let band = rules.table.band(&balance);
    Withheld { month: run.month, remainder, basic, balance, band, before: before.tax.clone(), tax }
}

/// Withholds run by run, in the order of months; runs of one month in the order given, the second withholds what it
/// adds.
#[must_use]
pub fn withhold<'r>(mut runs: Vec<Month>, basic: Basic, rules: Rules<'r>) -> Vec<Withheld<'r>> {
    runs.sort_by_key(|run| run.month);
    let mut before = Before { remainder: Exact::zero(), tax: Exact::zero() };
    let one = |run: Month| {
        let row = withhold_next(&before, &run, basic, rules);
        before = Before { remainder: row.remainder.clone(), tax: row.to_date() };
        row
    };
    runs.into_iter().map(one).collect()
}

/// The year's settlement (汇算清缴) of wages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Income of the year less all but the basic deduction.
    pub remainder: Exact,
    /// Less the basic deduction of a whole year.
    pub taxable: Exact,
    /// The tax of the year, to the fen.
    pub tax: Exact,
    /// What is still to be paid; below nothing is paid back.
    pub extra: Exact,
}

/// Settles a year: all wages of all employers together, with one basic deduction of a whole year.
#[must_use]
pub fn settle<'m>(runs: impl IntoIterator<Item = &'m Month>, withheld: &Exact, rules: Rules<'_>) -> Settlement {
    let remainder: Exact = runs.into_iter().map(Month::remainder).sum();
    let taxable = &remainder - rules.basic_year;
    let tax = rules.tax_of_year(&taxable);
    Settlement { extra: &tax - withheld, remainder, taxable, tax }
}

#[cfg(test)]
mod tests;
