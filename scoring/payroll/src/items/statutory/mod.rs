//! What the law sets, as parts that a file uses: `use: china.contributions`.
//!
//! Each part has named parameters, the lines it makes, and a pure function on the numbers of its pack. Its lines have
//! names of their own, so that formulas can read them.

mod china_bonus;
pub(super) mod china_contributions;
mod china_severance;
mod china_tax;
mod hong_kong;
mod singapore;

use super::rules::{InputKind, Period};
use super::slip::YearPart;
use crate::tables::{NoRule, Pack, Version};
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::jiff::civil::Date;
use hub_tree::{Decimal, Value};
use std::cell::RefCell;

/// A part that files can use.
#[derive(Debug)]
pub struct Statutory {
    /// `china.contributions`.
    pub id: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The currency of its amounts.
    pub currency: &'static str,
    /// Its packs.
    pub packs: &'static [&'static str],
    /// What it is given.
    pub params: &'static [Param],
    /// What it makes; a line that comes to nothing for a person is left out.
    pub lines: &'static [LineSpec],
    /// Whether it reads all taxable lines and what is taken off before tax.
    pub reads_taxable: bool,
    pub(super) run: fn(&Call<'_>) -> Result<Vec<Made>, Trouble>,
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its key under `with`.
    pub name: &'static str,
    /// What it is.
    pub kind: InputKind,
    /// The file must give it.
    pub required: bool,
    /// It is the name of an item of the file, and taxed by itself.
    pub is_item: bool,
    /// What it means, and what happens without it.
    pub about: &'static str,
}

/// A line that a part makes.
#[derive(Debug)]
pub struct LineSpec {
    /// What formulas call it, unless the file names it otherwise under `lines`.
    pub name: &'static str,
    /// What it is.
    pub kind: PayLineKind,
    /// Whose side.
    pub side: PaySide,
    /// How it is taxed.
    pub tax: TaxTreatment,
}

/// All parts.
pub const ALL: &[Statutory] = &[
    china_contributions::PART,
    china_tax::PART,
    china_bonus::PART,
    china_severance::PART,
    hong_kong::MPF,
    singapore::CPF,
];

const fn required(name: &'static str, kind: InputKind, about: &'static str) -> Param {
    Param { name, kind, required: true, is_item: false, about }
}

const fn optional(name: &'static str, kind: InputKind, about: &'static str) -> Param {
    Param { required: false, ..required(name, kind, about) }
}

/// The employee's side of a contribution that lessens taxable income, or the employer's.
const fn line(name: &'static str, kind: PayLineKind, side: PaySide) -> LineSpec {
    let tax = match side {
        PaySide::Employee => TaxTreatment::PreTax,
        _ => TaxTreatment::Exempt,
    };
    LineSpec { name, kind, side, tax }
}

/// What lines of this payslip mean for tax, before a tax is taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Taxed {
    /// Taxable lines, absence taken off, without what is taxed by itself.
    pub(super) income: Decimal,
    /// The employee's insurance and housing fund that are taken off before tax.
    pub(super) special: Decimal,
    /// What else is taken off before tax.
    pub(super) other: Decimal,
}

/// What a part is called with.
pub(super) struct Call<'c> {
    pub(super) part: &'static Statutory,
    /// By the place of the parameter; absent where the file gives none.
    pub(super) args: &'c [Value<'c>],
    pub(super) period: Period,
    pub(super) taxed: &'c Taxed,
    /// Whether texts are to be made.
    pub(super) explain: bool,
    pub(super) warnings: RefCell<Vec<String>>,
    pub(super) year: RefCell<Option<YearPart>>,
}

/// A line that was made.
pub(super) struct Made {
    /// Its place in the part's lines.
    pub(super) line: usize,
    /// Not below nothing.
    pub(super) amount: Exact,
    pub(super) base: Option<Exact>,
    /// Per cent.
    pub(super) rate: Option<Exact>,
    /// The right side of the formula with its values.
    pub(super) how: Option<String>,
}

/// Why a part cannot be worked out.
#[derive(Debug)]
pub(super) struct Trouble {
    /// The parameter to blame.
    pub(super) param: Option<&'static str>,
    pub(super) message: String,
}

impl From<NoRule> for Trouble {
    fn from(none: NoRule) -> Self {
        Self { param: None, message: none.detail }
    }
}

impl<'c> Call<'c> {
    fn arg(&self, name: &str) -> Value<'c> {
        let place = self.part.params.iter().position(|param| param.name == name);
        place.and_then(|place| self.args.get(place)).copied().unwrap_or_default()
    }

    fn number(&self, name: &'static str) -> Result<Exact, Trouble> {
        let found = self.optional_number(name)?;
        found.ok_or_else(|| self.blame(name, "it has no value"))
    }

    /// A number that is not below nothing; `None` where none is given.
    fn optional_number(&self, name: &'static str) -> Result<Option<Exact>, Trouble> {
        let Some(number) = self.arg(name).as_decimal() else { return Ok(None) };
        if number.is_sign_negative() && !number.is_zero() {
            return Err(self.blame(name, &format!("it is below nothing: {number}")));
        }
        Ok(Some(Exact::from(number)))
    }

    fn number_or_nothing(&self, name: &'static str) -> Result<Exact, Trouble> {
        Ok(self.optional_number(name)?.unwrap_or_else(Exact::zero))
    }

    fn text(&self, name: &'static str) -> Result<&'c str, Trouble> {
        self.arg(name).as_text().ok_or_else(|| self.blame(name, "it has no text"))
    }

    fn date(&self, name: &'static str) -> Result<Date, Trouble> {
        match self.arg(name) {
            Value::Date(day) => Ok(day),
            _ => Err(self.blame(name, "it is no day")),
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.arg(name), Value::Bool(true))
    }

    fn blame(&self, param: &'static str, message: &str) -> Trouble {
        Trouble { param: Some(param), message: format!("`{param}` of `{}`: {message}", self.part.id) }
    }

    fn warn(&self, message: String) {
        self.warnings.borrow_mut().push(message);
    }

    /// The rule of a version; warns where it is open and the pack knows nothing of so late a day.
    pub(super) fn rule<'p, T>(&self, pack: &Pack, version: &'p Version<T>, on: Date) -> &'p T {
        if version.to.is_none() && on > pack.known_until() {
            let message = format!(
                "pack `{}` states nothing after {}; its rule {version} ({}) is taken for {on}: check that it still holds",
                pack.id,
                pack.known_until(),
                version.source
            );
            if !self.warnings.borrow().contains(&message) {
                self.warn(message);
            }
        }
        &version.rule
    }
}
