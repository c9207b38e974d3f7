//! Rules made ready for one period, so that a payslip is little more than its arithmetic.
//!
//! What is the same for everybody is done once: the items in force, the tables of the day, the packs. What is left are
//! quick expressions over slots ([`hub_expr::Quick`]) and laws in short numbers ([`law`]). Where something is not plain
//! (an error, a warning of an odd amount, a pay that cannot bear its deductions, a number of many digits in a law) the
//! sheet is unsure, and the payslip is made in the long way ([`super::pay`]), which is the one that says what is right.

mod desk;
mod law;
mod paid;
mod run;

pub use desk::{Desk, Payer};
pub use paid::{Paid, Quickly};

use super::pay::{is_special, takes_away};
use super::rules::{LineRule, PayRules, Period, Rounding, Step, What, Whom};
use super::settle::is_earning;
use super::statutory::Statutory;
use hub_expr::{Located, Quick};
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::{Arena, Value};
use law::Law;
use std::sync::{Arc, PoisonError, RwLock};

pub(super) use desk::quick_slip;

/// Periods whose sheets are kept: a run pays for one, a correction for some more.
const KEPT: usize = 8;
/// More parameters than any part has.
const MOST_PARAMS: usize = 12;

/// Rules as they are in one period.
#[derive(Debug)]
pub(super) struct Sheet {
    period: Period,
    /// In the order of evaluation.
    steps: Vec<Ready>,
    /// Whether that is the order of the file.
    in_order: bool,
}

/// A step that is in force, with all that is needed of its rule.
#[derive(Debug)]
struct Ready {
    /// Its place in the rules.
    place: usize,
    /// `None`: everybody.
    whom: Option<Whom>,
    when: Option<Quick>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Value { slot: usize, formula: Quick },
    Line { line: ReadyLine, rounding: Rounding, formula: Option<Quick>, parts: [Option<Quick>; 3] },
    Use { name: Arc<str>, part: &'static Statutory, with: Vec<Option<Quick>>, lines: Vec<ReadyLine>, law: Law },
}

/// A line, and what it counts for.
#[derive(Debug)]
struct ReadyLine {
    rule: LineRule,
    takes_away: bool,
    total: Total,
    taxed: For,
}

/// The total that a line is a part of, beside the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Total {
    Gross,
    Absence,
    Employer,
    Net,
}

/// What a line means for tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Income,
    Special,
    Other,
    Nothing,
}

impl ReadyLine {
    fn of(rule: &LineRule) -> Self {
        let total = match (rule.side, rule.kind) {
            (PaySide::Employee, kind) if is_earning(kind) => Total::Gross,
            (PaySide::Employee, PayLineKind::DeductionAbsence) => Total::Absence,
            (PaySide::Employee, _) => Total::Net,
            _ => Total::Employer,
        };
        let taxed = match rule.tax {
            TaxTreatment::Taxable => For::Income,
            TaxTreatment::PreTax if is_special(rule.kind) => For::Special,
            TaxTreatment::PreTax => For::Other,
            _ => For::Nothing,
        };
        Self { rule: rule.clone(), takes_away: takes_away(rule), total, taxed }
    }
}

impl Sheet {
    /// `None` where an expression or a part is not for the quick way.
    fn of(rules: &PayRules, period: Period) -> Option<Self> {
        if period.end < period.start {
            return None;
        }
        let arena = Arena::new();
        let mut known = vec![(rules.period, period.value(&arena))];
        known.extend(rules.tables.iter().map(|table| (table.slot, table.on(period.end, &arena))));
        let mut steps = Vec::new();
        for place in &rules.order {
            let step = rules.steps.get(*place)?;
            if step.in_force.holds(period.end) {
                steps.push(Ready::of(*place, step, period, &known)?);
            }
        }
        let in_order = steps.iter().zip(steps.iter().skip(1)).all(|(one, next)| one.place < next.place);
        Some(Self { period, steps, in_order })
    }
}

impl Ready {
    fn of(place: usize, step: &Step, period: Period, known: &[(usize, Value<'_>)]) -> Option<Self> {
        // The outer `None`: there is an expression, and it is not quick.
        let optional = |located: Option<&Located>| match located {
            None => Some(None),
            Some(located) => located.expr.quick(known).map(Some),
        };
        let work = match &step.what {
            What::Value { slot, formula } => Work::Value { slot: *slot, formula: formula.expr.quick(known)? },
            What::Line { line, parts, rounding } => {
                let [formula, base, quantity, rate] = parts.all().map(optional);
                let parts = [base?, quantity?, rate?];
                Work::Line { line: ReadyLine::of(line), rounding: *rounding, formula: formula?, parts }
            }
            What::Use { statutory, with, lines } => {
                if with.len() > MOST_PARAMS {
                    return None;
                }
                let with: Option<Vec<Option<Quick>>> = with.iter().map(|located| optional(located.as_ref())).collect();
                let lines = lines.iter().map(ReadyLine::of).collect();
                let name = Arc::clone(&step.name);
                Work::Use { name, part: statutory, with: with?, lines, law: Law::of(statutory, period) }
            }
        };
        let whom = Some(step.whom.clone()).filter(|whom| *whom != Whom::default());
        Some(Self { place, whom, when: optional(step.when.as_ref())?, work })
    }
}

/// The sheets of rules, by period; `None` for a period in which the rules are not for the quick way.
#[derive(Debug, Default)]
pub(super) struct Sheets(RwLock<Vec<(Period, Option<Arc<Sheet>>)>>);

impl Sheets {
    /// The sheet of a period; it is made when it is first asked for.
    fn get(&self, rules: &PayRules, period: Period) -> Option<Arc<Sheet>> {
        let find = |sheets: &[(Period, Option<Arc<Sheet>>)]| {
            sheets.iter().find(|(known, _)| *known == period).map(|(_, sheet)| sheet.clone())
        };
        if let Some(found) = find(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let sheet = Sheet::of(rules, period).map(Arc::new);
        let mut sheets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if sheets.len() >= KEPT {
            sheets.remove(0);
        }
        sheets.push((period, sheet.clone()));
        sheet
    }
}
