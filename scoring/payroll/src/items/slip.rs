//! What comes out: a payslip, or what keeps it from being made.

use hub_calc::Explain;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::Decimal;
use std::fmt;
use std::sync::Arc;

/// A payslip. Amounts in the currency of the rules.
///
/// `gross` is the sum of the lines whose kind is an earning; `net` the sum of the employee's lines with their signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The lines in the order of the file.
    pub lines: Vec<Line>,
    /// All earnings.
    pub gross: Decimal,
    /// What is paid out; never below nothing.
    pub net: Decimal,
    /// Taxable lines less what is taken off before tax; without what is taxed by itself. May be below nothing.
    pub taxable: Decimal,
    /// Earnings less absence, and the employer's side.
    pub employer_cost: Decimal,
    /// Deductions that the pay could not bear: owed by the employee in the next run.
    pub carried_forward: Decimal,
    /// What this payslip adds to the cumulative figures of the tax year; `None` where the rules withhold no wage tax.
    pub year: Option<YearPart>,
    /// What is fine to pay and worth a look.
    pub warnings: Vec<Warning>,
}

impl Slip {
    /// The line of an item.
    #[must_use]
    pub fn line(&self, code: &str) -> Option<&Line> {
        self.lines.iter().find(|line| *line.code == *code)
    }
}

/// A line of a payslip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The name of its item: what formulas call it.
    pub code: Arc<str>,
    /// What people read.
    pub name: Arc<str>,
    /// What it is.
    pub kind: PayLineKind,
    /// Whose side it is on.
    pub side: PaySide,
    /// Signed as the canonical model has it: above nothing adds to the net, below takes away. The employer's side is
    /// above nothing and touches no net.
    pub amount: Decimal,
    /// How it is taxed.
    pub tax: TaxTreatment,
    /// It is taxed by itself and not with the wages, as an annual bonus may be.
    pub separate: bool,
    /// How many.
    pub quantity: Option<Decimal>,
    /// At which rate; of contributions per cent.
    pub rate: Option<Decimal>,
    /// Of which amount.
    pub base: Option<Decimal>,
    /// What of the deduction the pay could not bear.
    pub carried: Decimal,
    /// The formula with its values: `绩效奖金 = 1,500 × 1.5（S）= 2,250`.
    pub how: Option<String>,
    /// Names that the formula read, and their values as JSON. Empty unless it was to be explained.
    pub inputs: Vec<(Arc<str>, String)>,
    /// `file:line` of the item, with the rules' version. Nothing unless it was to be explained.
    pub place: Option<String>,
    /// The steps of the formula.
    pub explain: Option<Explain>,
}

/// What a payslip adds to the cumulative figures of the year in which it is paid (累计预扣法).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YearPart {
    /// Taxable income, absence taken off.
    pub income: Decimal,
    /// The employee's insurance and housing fund.
    pub special: Decimal,
    /// Special additional deductions.
    pub additional: Decimal,
    /// What else is taken off before tax.
    pub other: Decimal,
    /// Tax that is withheld, be it owed and carried.
    pub tax: Decimal,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The item, where it is one's.
    pub item: Option<Arc<str>>,
    /// What it is, and what to do.
    pub message: String,
}

/// Why a payslip cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose.
    pub employee: String,
    /// The item.
    pub item: Option<String>,
    /// JSON pointer into the inputs that were given; empty where the rules are to blame.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// `file:line:column` in the rules.
    pub place: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "employee `{}`", self.employee)?;
        if let Some(item) = &self.item {
            write!(f, ", item `{item}`")?;
        }
        if !self.pointer.is_empty() {
            write!(f, ", {}", self.pointer)?;
        }
        write!(f, ": {}", self.message)
    }
}
