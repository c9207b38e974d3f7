//! The compiled rules of a file.

use super::read;
use super::sheet::{self, Payer, Sheets};
use super::slip::{Problem, Slip};
use super::statutory::Statutory;
use super::tables::Table;
use hub_expr::Located;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::RoundingStrategy;
use hub_tree::{Decimal, Findings, Source, Span, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Compiled rules of one file. Compile once and share: it is `Send` and `Sync`.
#[derive(Debug)]
pub struct PayRules {
    /// Equal to the file's name: `china-monthly`.
    pub id: String,
    /// A payslip keeps the one it was made with.
    pub revision: u32,
    /// What people call it, by language.
    pub name: BTreeMap<String, String>,
    /// ISO 4217.
    pub currency: String,
    /// What a run must find for each employee.
    pub inputs: Vec<Input>,
    /// Whom it pays; everyone where both lists are empty.
    pub whom: Whom,
    /// Ids of the dated packs that it rests on.
    pub packs: Vec<&'static str>,
    /// The file.
    pub source: Arc<Source>,
    pub(super) sha256: String,
    pub(super) tables: Vec<Table>,
    /// The slot of the name `period`. Those of the inputs follow it.
    pub(super) period: usize,
    /// How many slots there are.
    pub(super) slots: usize,
    /// In the order of the file.
    pub(super) steps: Vec<Step>,
    /// The places of steps, each behind those that it reads.
    pub(super) order: Vec<usize>,
    /// What was made ready for single periods.
    pub(super) sheets: Sheets,
}

/// The days that a payslip is for, all of which belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub start: Date,
    /// The last: items and tables that are in force on it count, and contributions are those of its month.
    pub end: Date,
    /// The day of payment, which decides on tax.
    pub pay_on: Date,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// An amount in the currency of the rules.
    Money,
    /// Another number.
    Number,
    /// Text.
    Text,
    /// A day: `2026-01-31`.
    Date,
    /// True or false.
    Flag,
}

/// An input that formulas may read.
#[derive(Clone, Debug)]
pub struct Input {
    /// What formulas call it.
    pub name: String,
    /// What it is.
    pub kind: InputKind,
    /// Without it there is no payslip.
    pub required: bool,
    /// Where a run finds it: `compensation.BASE`, `appraisal.grade`.
    pub from: Option<String>,
    /// What it is where nothing is given.
    pub default: Option<Constant>,
    /// `file:line:column`.
    pub place: String,
}

/// A value that stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    /// A number.
    Number(Decimal),
    /// Text.
    Text(String),
    /// A day.
    Date(Date),
    /// True or false.
    Flag(bool),
}

impl Constant {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Decimal(*number),
            Self::Text(text) => Value::Text(text),
            Self::Date(day) => Value::Date(*day),
            Self::Flag(flag) => Value::Bool(*flag),
        }
    }
}

/// Whom something is for. An empty list leaves nobody out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whom {
    /// Legal entities: the input `legal_entity` is one of them.
    pub legal_entities: Vec<String>,
    /// Pay groups: the input `pay_group` is one of them.
    pub groups: Vec<String>,
}

/// How a line is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Decimal places.
    pub places: u32,
    /// How the last is chosen.
    pub mode: RoundingStrategy,
}

/// When something is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InForce {
    pub(super) from: Option<Date>,
    pub(super) until: Option<Date>,
}

impl InForce {
    pub(super) fn holds(&self, on: Date) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on <= until)
    }

    /// Whether there is a day on which both hold.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let before = |a: &Self, b: &Self| a.until.zip(b.from).is_some_and(|(until, from)| until < from);
        !before(self, other) && !before(other, self)
    }
}

/// An entry of `items`.
#[derive(Debug)]
pub(super) struct Step {
    /// The item's name, or what is used.
    pub(super) name: Arc<str>,
    /// `file:line:column`.
    pub(super) place: String,
    pub(super) span: Span,
    pub(super) in_force: InForce,
    pub(super) whom: Whom,
    pub(super) when: Option<Located>,
    /// Slots that it reads.
    pub(super) reads: Vec<usize>,
    pub(super) what: What,
}

/// What a step makes.
#[derive(Debug)]
pub(super) enum What {
    /// A value that other formulas read and no line shows.
    Value { slot: usize, formula: Located },
    /// A line.
    Line { line: LineRule, parts: Box<Parts>, rounding: Rounding },
    /// Lines that the law sets.
    Use { statutory: &'static Statutory, with: Vec<Option<Located>>, lines: Vec<LineRule> },
}

/// What a line is, whatever it comes to.
#[derive(Clone, Debug)]
pub(super) struct LineRule {
    pub(super) slot: usize,
    pub(super) code: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) kind: PayLineKind,
    pub(super) side: PaySide,
    pub(super) tax: TaxTreatment,
}

/// What an amount comes from: the formula, else the product of the other parts.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) formula: Option<Located>,
    pub(super) base: Option<Located>,
    pub(super) quantity: Option<Located>,
    pub(super) rate: Option<Located>,
}

impl PayRules {
    /// Reads a file. Problems (an unknown name, a cycle, …) go to `findings` with their place; `None` when one is an
    /// error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        read::rules(source, findings)
    }

    /// `china-monthly@3`: what a payslip says it was made with.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}", self.id, self.revision)
    }

    /// SHA-256 in hex of the file's text and of the packs that it rests on.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Makes a payslip. `given`: a map of inputs by name; numbers as numbers or decimal text, days as text. With
    /// `explain` off no texts and trees are made.
    ///
    /// # Errors
    /// All that is wrong, at once: inputs that are missing or of another kind, a formula without a result, a day that
    /// no pack knows, amounts that are too large.
    pub fn slip(&self, employee: &str, given: Value<'_>, period: Period, explain: bool) -> Result<Slip, Vec<Problem>> {
        let quick = if explain { None } else { sheet::quick_slip(self, given, period) };
        quick.map_or_else(|| super::pay::slip(self, employee, given, period, explain), Ok)
    }

    /// The slot of an input, for [`super::Desk::set`]: its place in [`PayRules::inputs`].
    #[must_use]
    pub fn slot(&self, input: &str) -> Option<usize> {
        self.inputs.iter().position(|known| known.name == input)
    }

    /// Makes the rules ready for many payslips of one period.
    #[must_use]
    pub fn payer(&self, period: Period) -> Payer<'_> {
        Payer::new(self, period)
    }
}
