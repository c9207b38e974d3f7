//! A payslip as numbers; texts and names are put to it when somebody asks.

use super::ReadyLine;
use crate::items::slip::{Line, Slip, Warning, YearPart};
use hub_expr::{Num, Short};
use hub_tree::Decimal;
use std::sync::Arc;

/// A payslip without explanations.
#[derive(Debug)]
pub enum Paid<'d> {
    /// In short numbers.
    Quickly(&'d Quickly<'d>),
    /// In the long way.
    Slip(Box<Slip>),
}

/// What a sheet made.
#[derive(Debug)]
pub struct Quickly<'r> {
    /// In the order of the file.
    pub(super) lines: Vec<PaidLine<'r>>,
    pub(super) gross: Short,
    pub(super) net: Short,
    pub(super) taxable: Short,
    pub(super) employer_cost: Short,
    pub(super) year: Option<Year>,
    pub(super) warnings: Vec<Warning>,
}

impl Default for Quickly<'_> {
    fn default() -> Self {
        let nothing = Short::ZERO;
        let (lines, warnings) = (Vec::new(), Vec::new());
        Self { lines, gross: nothing, net: nothing, taxable: nothing, employer_cost: nothing, year: None, warnings }
    }
}

/// A line; the amount with its sign.
#[derive(Debug)]
pub(super) struct PaidLine<'r> {
    pub(super) line: &'r ReadyLine,
    pub(super) place: usize,
    pub(super) amount: Short,
    pub(super) base: Option<Num>,
    pub(super) quantity: Option<Num>,
    pub(super) rate: Option<Num>,
    /// A part made it, not a formula.
    pub(super) by_law: bool,
    pub(super) separate: bool,
}

/// What it adds to the year.
#[derive(Debug)]
pub(super) struct Year {
    pub(super) income: Num,
    pub(super) special: Num,
    pub(super) additional: Num,
    pub(super) other: Num,
    pub(super) tax: Num,
}

impl From<YearPart> for Year {
    fn from(part: YearPart) -> Self {
        let [income, special, additional, other, tax] =
            [part.income, part.special, part.additional, part.other, part.tax].map(Num::from);
        Self { income, special, additional, other, tax }
    }
}

impl Paid<'_> {
    /// All earnings.
    #[must_use]
    pub fn gross(&self) -> Decimal {
        match self {
            Self::Quickly(made) => made.gross.to_decimal(),
            Self::Slip(slip) => slip.gross,
        }
    }

    /// What is paid out.
    #[must_use]
    pub fn net(&self) -> Decimal {
        match self {
            Self::Quickly(made) => made.net.to_decimal(),
            Self::Slip(slip) => slip.net,
        }
    }

    /// What it costs the employer.
    #[must_use]
    pub fn employer_cost(&self) -> Decimal {
        match self {
            Self::Quickly(made) => made.employer_cost.to_decimal(),
            Self::Slip(slip) => slip.employer_cost,
        }
    }

    /// Whether it was made by the arithmetic of short numbers, and not in the long way.
    #[must_use]
    pub const fn is_quick(&self) -> bool {
        matches!(self, Self::Quickly(_))
    }

    /// The lines: names of items and amounts with their signs, in the order of the file.
    pub fn lines(&self) -> impl Iterator<Item = (&str, Decimal)> {
        let (quick, slip) = match self {
            Self::Quickly(made) => (made.lines.as_slice(), [].as_slice()),
            Self::Slip(slip) => ([].as_slice(), slip.lines.as_slice()),
        };
        let quick = quick.iter().map(|line| (&*line.line.rule.code, line.amount.to_decimal()));
        quick.chain(slip.iter().map(|line| (&*line.code, line.amount)))
    }

    /// The whole payslip.
    #[must_use]
    pub fn into_slip(self) -> Slip {
        match self {
            Self::Quickly(made) => made.slip(),
            Self::Slip(slip) => *slip,
        }
    }
}

impl Quickly<'_> {
    pub(super) fn slip(&self) -> Slip {
        Slip {
            lines: self.lines.iter().map(PaidLine::line).collect(),
            gross: self.gross.to_decimal(),
            net: self.net.to_decimal(),
            taxable: self.taxable.to_decimal(),
            employer_cost: self.employer_cost.to_decimal(),
            carried_forward: Decimal::ZERO,
            year: self.year.as_ref().map(|year| YearPart {
                income: year.income.to_decimal(),
                special: year.special.to_decimal(),
                additional: year.additional.to_decimal().normalize(),
                other: year.other.to_decimal().normalize(),
                tax: year.tax.to_decimal().normalize(),
            }),
            warnings: self.warnings.clone(),
        }
    }
}

impl PaidLine<'_> {
    fn line(&self) -> Line {
        // Parts give numbers without zeros at the end.
        let number = |number: Option<Num>| {
            let number = number?.to_decimal();
            Some(if self.by_law { number.normalize() } else { number })
        };
        let rule = &self.line.rule;
        Line {
            code: Arc::clone(&rule.code),
            name: Arc::clone(&rule.name),
            kind: rule.kind,
            side: rule.side,
            amount: self.amount.to_decimal(),
            tax: rule.tax,
            separate: self.separate,
            quantity: number(self.quantity),
            rate: number(self.rate),
            base: number(self.base),
            carried: Decimal::ZERO,
            how: None,
            inputs: Vec::new(),
            place: None,
            explain: None,
        }
    }
}
