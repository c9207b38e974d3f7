//! Makes a payslip: inputs, then each step in its order, then the totals.

use super::how;
use super::rules::{LineRule, Parts, PayRules, Period, Rounding, Step, What};
use super::settle::{is_earning, settle};
use super::slip::{Line, Problem, Slip, Warning, YearPart};
use super::statutory::{Call, Made, Statutory, Taxed};
use hub_calc::{Exact, Explain};
use hub_expr::{Cx, Located};
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::{Arena, Decimal, Value};
use std::cell::RefCell;
use std::sync::Arc;

const TOO_LARGE: &str = "the amount has more digits than can be paid; look at the inputs";

pub(super) fn slip(
    rules: &PayRules,
    employee: &str,
    given: Value<'_>,
    period: Period,
    explain: bool,
) -> Result<Slip, Vec<Problem>> {
    let arena = Arena::new();
    let cx = Cx::new(&arena, vec![Value::Absent; rules.slots]);
    let broken = vec![false; rules.slots];
    let mut run = Run {
        rules,
        employee,
        given,
        period,
        explain,
        cx,
        broken,
        lines: Vec::with_capacity(rules.steps.len() + 8),
        year: None,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    run.period();
    run.inputs();
    for place in &rules.order {
        if let Some(step) = rules.steps.get(*place) {
            run.step(*place, step);
        }
    }
    run.finish()
}

pub(super) struct Run<'r> {
    pub(super) rules: &'r PayRules,
    employee: &'r str,
    pub(super) given: Value<'r>,
    pub(super) period: Period,
    explain: bool,
    pub(super) cx: Cx<'r>,
    /// Slots without a value for a reason that was told; what reads them is not told again.
    pub(super) broken: Vec<bool>,
    /// With the place of the step in the file.
    lines: Vec<(usize, Line)>,
    year: Option<YearPart>,
    problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
}

/// An amount that was worked out, and why.
struct Worked {
    amount: Decimal,
    explain: Option<Explain>,
}

impl<'r> Run<'r> {
    pub(super) fn problem(&mut self, item: Option<&str>, pointer: String, message: String, place: Option<String>) {
        let (employee, item) = (self.employee.to_owned(), item.map(str::to_owned));
        self.problems.push(Problem { employee, item, pointer, message, place });
    }

    pub(super) fn set(&mut self, slot: usize, value: Value<'r>) {
        if let Some(found) = self.cx.slots.get_mut(slot) {
            *found = value;
        }
    }

    pub(super) fn break_slot(&mut self, slot: usize) {
        if let Some(broken) = self.broken.get_mut(slot) {
            *broken = true;
        }
    }

    pub(super) fn break_all(&mut self, step: &Step) {
        match &step.what {
            What::Value { slot, .. } => self.break_slot(*slot),
            What::Line { line, .. } => self.break_slot(line.slot),
            What::Use { lines, .. } => lines.iter().for_each(|line| self.break_slot(line.slot)),
        }
    }

    fn step(&mut self, place: usize, step: &'r Step) {
        if !step.in_force.holds(self.period.end) {
            return;
        }
        match self.is_for(&step.whom) {
            Ok(true) => {}
            Ok(false) => return,
            Err(name) => {
                self.break_all(step);
                self.unnamed(Some(&step.name), name, Some(step.place.clone()));
                return;
            }
        }
        if step.reads.iter().any(|slot| self.broken.get(*slot) == Some(&true)) {
            self.break_all(step);
            return;
        }
        if let Some(when) = &step.when {
            match self.condition(step, when) {
                Some(true) => {}
                Some(false) => return,
                None => {
                    self.break_all(step);
                    return;
                }
            }
        }
        let done = match &step.what {
            What::Value { slot, formula } => self.value(step, *slot, formula),
            What::Line { line, parts, rounding } => self.line(place, step, line, parts, *rounding),
            What::Use { statutory, with, lines } => self.use_part(place, step, statutory, with, lines),
        };
        if done.is_none() {
            self.break_all(step);
        }
    }

    fn condition(&mut self, step: &Step, when: &'r Located) -> Option<bool> {
        match self.eval(step, when)? {
            Value::Bool(holds) => Some(holds),
            value => {
                let message = format!("`when` is true or false, `{}` is {}", when.expr.text(), value.kind());
                let place = self.rules.source.place(when.place(0));
                self.problem(Some(&step.name), String::new(), message, Some(place));
                None
            }
        }
    }

    fn value(&mut self, step: &Step, slot: usize, formula: &'r Located) -> Option<()> {
        let value = self.eval(step, formula)?;
        self.set(slot, value);
        Some(())
    }

    /// A number, and its steps if they are to be told.
    fn number(&mut self, step: &Step, located: &'r Located) -> Option<Worked> {
        if self.explain
            && let Ok((value, explain)) = located.expr.explain(&mut self.cx)
            && let Some(amount) = value.as_decimal()
        {
            return Some(Worked { amount, explain: Some(explain) });
        }
        let value = self.eval(step, located)?;
        let Some(amount) = value.as_decimal() else {
            let message = format!("`{}` should be a number, and is {}", located.expr.text(), value.kind());
            let place = self.rules.source.place(located.place(0));
            self.problem(Some(&step.name), String::new(), message, Some(place));
            return None;
        };
        Some(Worked { amount, explain: None })
    }

    fn line(
        &mut self,
        place: usize,
        step: &'r Step,
        rule: &'r LineRule,
        parts: &'r Parts,
        rounding: Rounding,
    ) -> Option<()> {
        // Every part is looked at, so that all that is wrong is told at once.
        let worked = parts.all().map(|part| part.map(|part| self.number(step, part)));
        if worked.iter().flatten().any(Option::is_none) {
            return None;
        }
        let [formula, base, quantity, rate] = worked.map(Option::flatten);
        let product = [&base, &quantity, &rate].into_iter().flatten();
        let exact = match &formula {
            Some(formula) => Some(formula.amount),
            None => product.clone().try_fold(Decimal::ONE, |amount, part| amount.checked_mul(part.amount)),
        };
        let Some(exact) = exact else {
            self.problem(Some(&step.name), String::new(), TOO_LARGE.to_owned(), Some(step.place.clone()));
            return None;
        };
        let amount = in_places(exact.round_dp_with_strategy(rounding.places, rounding.mode), rounding.places);
        let steps: Vec<&Explain> = match &formula {
            Some(formula) => formula.explain.iter().collect(),
            None => product.filter_map(|part| part.explain.as_ref()).collect(),
        };
        let right = steps.iter().map(|step| how::right_side(step)).collect::<Vec<_>>().join(" × ");
        let explain = self.explain.then(|| self.explained(rule, step, &steps, amount));
        let mut line =
            self.new_line(rule, amount, [&base, &quantity, &rate].map(|part| part.as_ref().map(|part| part.amount)));
        if self.explain {
            line.how = Some(how::line(&rule.name, &right, amount));
            steps.iter().for_each(|step| how::inputs(step, &mut line.inputs));
            line.place = Some(format!("{} {}", self.rules.version(), step.place));
            line.explain = explain;
        }
        let reversed =
            amount < Decimal::ZERO && rule.kind != PayLineKind::EarningAdjustment && rule.kind != PayLineKind::Other;
        if reversed {
            let what = if is_earning(rule.kind) { "the earning is" } else { "it is" };
            let message = format!("{what} below nothing: {}", how::number(amount));
            self.warnings.push(Warning { item: Some(Arc::clone(&rule.code)), message });
        }
        self.lines.push((place, line));
        self.set(rule.slot, Value::Decimal(amount));
        Some(())
    }

    fn explained(&self, rule: &LineRule, step: &Step, steps: &[&Explain], amount: Decimal) -> Explain {
        let text = format!("{} ({}, {})", rule.name, self.rules.version(), step.place);
        Explain::leaf(text, None, Value::Decimal(amount)).because(steps.iter().map(|step| (*step).clone()).collect())
    }

    fn new_line(&self, rule: &LineRule, amount: Decimal, [base, quantity, rate]: [Option<Decimal>; 3]) -> Line {
        Line {
            code: Arc::clone(&rule.code),
            name: Arc::clone(&rule.name),
            kind: rule.kind,
            side: rule.side,
            amount: if takes_away(rule) { negated(amount) } else { amount },
            tax: rule.tax,
            separate: false,
            quantity,
            rate,
            base,
            carried: Decimal::ZERO,
            how: None,
            inputs: Vec::new(),
            place: None,
            explain: None,
        }
    }

    fn use_part(
        &mut self,
        place: usize,
        step: &'r Step,
        part: &'static Statutory,
        with: &'r [Option<Located>],
        lines: &'r [LineRule],
    ) -> Option<()> {
        let mut args = Vec::with_capacity(with.len());
        let mut whole = true;
        for located in with {
            let value = match located {
                Some(located) => self.eval(step, located),
                None => Some(Value::Absent),
            };
            whole &= value.is_some();
            args.push(value.unwrap_or_default());
        }
        if !whole {
            return None;
        }
        let taxed = if part.reads_taxable { self.taxed() } else { Some(Taxed::default()) };
        let Some(taxed) = taxed else {
            self.problem(Some(&step.name), String::new(), TOO_LARGE.to_owned(), Some(step.place.clone()));
            return None;
        };
        let call = Call {
            part,
            args: &args,
            period: self.period,
            taxed: &taxed,
            explain: self.explain,
            warnings: RefCell::new(Vec::new()),
            year: RefCell::new(None),
        };
        let made = (part.run)(&call);
        let (warnings, year) = (call.warnings.into_inner(), call.year.into_inner());
        let item = Some(Arc::clone(&step.name));
        self.warnings.extend(warnings.into_iter().map(|message| Warning { item: item.clone(), message }));
        match made {
            Ok(made) => {
                self.year = year.or(self.year.take());
                // All lines of a part read the same.
                let mut inputs = Vec::new();
                for located in with.iter().flatten().filter(|_| self.explain) {
                    if let Ok((_, explain)) = located.expr.explain(&mut self.cx) {
                        how::inputs(&explain, &mut inputs);
                    }
                }
                made.into_iter().try_for_each(|made| self.made(place, step, made, lines, &inputs))?;
            }
            Err(trouble) => {
                let named = part.params.iter().zip(with).find(|(param, _)| Some(param.name) == trouble.param);
                let at = named.and_then(|(_, located)| located.as_ref()).map(|located| located.place(0));
                let place = at.map_or_else(|| step.place.clone(), |at| self.rules.source.place(at));
                self.problem(Some(&step.name), String::new(), trouble.message, Some(place));
                return None;
            }
        }
        self.tax_apart(part, with);
        Some(())
    }

    fn made(
        &mut self,
        place: usize,
        step: &'r Step,
        made: Made,
        lines: &'r [LineRule],
        inputs: &[(Arc<str>, String)],
    ) -> Option<()> {
        let rule = lines.get(made.line)?;
        let decimal = |exact: &Exact| exact.to_decimal();
        let amounts = decimal(&made.amount).map(|amount| in_places(amount, 2));
        let Some(amount) = amounts else {
            self.problem(Some(&step.name), String::new(), TOO_LARGE.to_owned(), Some(step.place.clone()));
            return None;
        };
        let parts = [made.base.as_ref().and_then(decimal), None, made.rate.as_ref().and_then(decimal)];
        let mut line = self.new_line(rule, amount, parts);
        if self.explain {
            let how = made.how.unwrap_or_else(|| how::number(amount));
            line.explain = Some(Explain::leaf(
                format!("{} ({}, {}): {how}", rule.name, self.rules.version(), step.place),
                None,
                Value::Decimal(amount),
            ));
            line.how = Some(format!("{} = {how}", rule.name));
            line.place = Some(format!("{} {}", self.rules.version(), step.place));
            line.inputs = inputs.to_vec();
        }
        self.lines.push((place, line));
        self.set(rule.slot, Value::Decimal(amount));
        Some(())
    }

    /// Marks the item that a part taxes by itself.
    fn tax_apart(&mut self, part: &Statutory, with: &[Option<Located>]) {
        let named = part.params.iter().zip(with).find(|(param, _)| param.is_item);
        let slot = named.and_then(|(_, located)| located.as_ref()?.expr.source()).map(|read| read.slot);
        let is_it = |place: usize| match self.rules.steps.get(place).map(|step| &step.what) {
            Some(What::Line { line, .. }) => Some(line.slot) == slot,
            _ => false,
        };
        for (_, line) in self.lines.iter_mut().filter(|(place, _)| is_it(*place)) {
            line.separate = true;
        }
    }

    /// What lines mean for tax; `None` when a sum is too large.
    fn taxed(&self) -> Option<Taxed> {
        let mut taxed = Taxed::default();
        for (_, line) in &self.lines {
            match line.tax {
                TaxTreatment::Taxable if !line.separate => taxed.income = taxed.income.checked_add(line.amount)?,
                TaxTreatment::PreTax if is_special(line.kind) => {
                    taxed.special = taxed.special.checked_sub(line.amount)?;
                }
                TaxTreatment::PreTax => taxed.other = taxed.other.checked_sub(line.amount)?,
                _ => {}
            }
        }
        Some(taxed)
    }

    fn finish(mut self) -> Result<Slip, Vec<Problem>> {
        self.lines.sort_by_key(|(place, _)| *place);
        let taxed = self.taxed();
        let taxable = taxed.and_then(|taxed| taxed.income.checked_sub(taxed.special)?.checked_sub(taxed.other));
        let mut lines: Vec<Line> = std::mem::take(&mut self.lines).into_iter().map(|(_, line)| line).collect();
        let totals = settle(&mut lines);
        let (Some(taxable), Some(totals)) = (taxable, totals) else {
            self.problem(None, String::new(), TOO_LARGE.to_owned(), None);
            return Err(self.problems);
        };
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        for line in lines.iter().filter(|line| !line.carried.is_zero()) {
            let carried = how::number(line.carried);
            let message = format!("the pay cannot bear it: {carried} is owed and carried forward");
            self.warnings.push(Warning { item: Some(Arc::clone(&line.code)), message });
        }
        let (gross, net, employer_cost) = (totals.gross, totals.net, totals.employer_cost);
        let carried_forward = totals.carried;
        let (year, warnings) = (self.year, self.warnings);
        Ok(Slip { lines, gross, net, taxable, employer_cost, carried_forward, year, warnings })
    }
}

/// Whether what is taken off before tax is a special deduction (专项扣除).
pub(super) fn is_special(kind: PayLineKind) -> bool {
    use PayLineKind as K;
    matches!(
        kind,
        K::SocialPension
            | K::SocialMedical
            | K::SocialUnemployment
            | K::SocialWorkInjury
            | K::SocialMaternity
            | K::HousingFund
    )
}

/// Whether an amount lessens the net: formulas of deductions give what is taken.
pub(super) fn takes_away(rule: &LineRule) -> bool {
    let adds = is_earning(rule.kind) || matches!(rule.kind, PayLineKind::Reimbursement | PayLineKind::Other);
    rule.side == PaySide::Employee && !adds
}

/// Nothing is not below nothing.
fn negated(amount: Decimal) -> Decimal {
    if amount.is_zero() { amount } else { -amount }
}

/// The same number, written with so many places.
pub(super) fn in_places(mut amount: Decimal, places: u32) -> Decimal {
    amount.rescale(places.max(amount.normalize().scale()));
    if amount.is_zero() {
        amount.set_sign_positive(true);
    }
    amount
}
