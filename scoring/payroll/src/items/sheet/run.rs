//! Makes a payslip by a sheet.

use super::desk::Desk;
use super::law::{Args, Due, Law, Withheld};
use super::paid::{PaidLine, Quickly, Year};
use super::{For, ReadyLine, Sheet, Total, Work};
use crate::items::pay::in_places;
use crate::items::rules::{Rounding, Whom};
use crate::items::slip::Warning;
use crate::items::statutory::{Call, Made, Statutory, Taxed};
use hub_expr::{Got, Num, Quick, Short, Unsure};
use hub_tree::Value;
use std::cell::RefCell;
use std::sync::Arc;

/// Makes the payslip of a desk; unsure where the long way has to tell what is wrong, or to warn.
pub(super) fn run<'a>(desk: &mut Desk<'a>) -> Result<(), Unsure> {
    let (rules, sheet) = (desk.rules, desk.sheet.ok_or(Unsure)?);
    let whom = [desk.legal_entity, desk.pay_group];
    let Quickly { lines, warnings, .. } = &mut desk.made;
    lines.clear();
    warnings.clear();
    for name in &desk.unknown {
        let message = format!("the rules have no input `{name}`; it was not read");
        warnings.push(Warning { item: None, message });
    }
    let mut run = Run { sheet, whom, slots: &mut desk.slots, lines, sums: Sums::NOTHING, year: None, warnings };
    if !run.is_for(&rules.whom)? {
        return Err(Unsure);
    }
    for ready in &sheet.steps {
        if let Some(whom) = &ready.whom
            && !run.is_for(whom)?
        {
            continue;
        }
        if let Some(when) = &ready.when
            && !when.truth(run.slots)?.ok_or(Unsure)?
        {
            continue;
        }
        run.step(ready.place, &ready.work)?;
    }
    let (sums, year) = (run.sums, run.year);
    desk.made.year = year;
    desk.made.sum_up(sums, sheet.in_order)
}

struct Run<'a, 'd> {
    sheet: &'a Sheet,
    /// The legal entity, the pay group.
    whom: [Value<'a>; 2],
    slots: &'d mut Vec<Got<'a>>,
    lines: &'d mut Vec<PaidLine<'a>>,
    /// Of these lines.
    sums: Sums,
    year: Option<Year>,
    warnings: &'d mut Vec<Warning>,
}

/// Totals of lines, and what the lines mean for tax.
#[derive(Clone, Copy, Debug)]
struct Sums {
    gross: Short,
    absence: Short,
    employer: Short,
    net: Short,
    income: Short,
    special: Short,
    other: Short,
}

impl Sums {
    const NOTHING: Self = {
        let nothing = Short::ZERO;
        Self {
            gross: nothing,
            absence: nothing,
            employer: nothing,
            net: nothing,
            income: nothing,
            special: nothing,
            other: nothing,
        }
    };

    #[inline]
    fn add(&mut self, line: &ReadyLine, amount: Short) -> Option<()> {
        let total = match line.total {
            Total::Gross => Some(&mut self.gross),
            Total::Absence => Some(&mut self.absence),
            Total::Employer => Some(&mut self.employer),
            Total::Net => None,
        };
        if let Some(total) = total {
            *total = total.plus(amount)?;
        }
        if line.total != Total::Employer {
            self.net = self.net.plus(amount)?;
        }
        match line.taxed {
            For::Income => self.income = self.income.plus(amount)?,
            For::Special => self.special = self.special.minus(amount)?,
            For::Other => self.other = self.other.minus(amount)?,
            For::Nothing => {}
        }
        Some(())
    }

    /// Income, special deductions, others.
    const fn taxed(&self) -> [Short; 3] {
        [self.income, self.special, self.other]
    }
}

impl<'a> Run<'a, '_> {
    fn is_for(&self, whom: &Whom) -> Result<bool, Unsure> {
        let one = |list: &[String], value: Value<'a>| match value.as_text() {
            _ if list.is_empty() => Ok(true),
            Some(text) => Ok(list.iter().any(|known| known == text)),
            None => Err(Unsure),
        };
        Ok(one(&whom.legal_entities, self.whom[0])? && one(&whom.groups, self.whom[1])?)
    }

    #[inline]
    fn set(&mut self, slot: usize, value: Got<'a>) {
        if let Some(found) = self.slots.get_mut(slot) {
            *found = value;
        }
    }

    #[inline]
    fn number(&self, quick: &'a Quick) -> Result<Num, Unsure> {
        quick.number(self.slots)?.ok_or(Unsure)
    }

    fn step(&mut self, place: usize, work: &'a Work) -> Result<(), Unsure> {
        match work {
            Work::Value { slot, formula } => {
                let value = formula.run(self.slots)?;
                if matches!(value, Got::Absent) {
                    return Err(Unsure);
                }
                self.set(*slot, value);
                Ok(())
            }
            Work::Line { line, rounding, formula, parts } => {
                let mut numbers = [None; 3];
                let mut product: Option<Num> = None;
                for (quick, number) in parts.iter().zip(&mut numbers) {
                    let Some(quick) = quick else { continue };
                    let part = self.number(quick)?;
                    product = Some(match product {
                        Some(product) => product.times(part).ok_or(Unsure)?,
                        None => part,
                    });
                    *number = Some(part);
                }
                let exact = match formula {
                    Some(formula) => self.number(formula)?,
                    None => product.ok_or(Unsure)?,
                };
                self.push(place, line, rounded(exact, *rounding), numbers, false)
            }
            Work::Use { name, part, with, lines, law } => self.use_part(place, (name, part), (with, law), lines),
        }
    }

    #[inline]
    fn push(
        &mut self,
        place: usize,
        line: &'a ReadyLine,
        amount: Num,
        [base, quantity, rate]: [Option<Num>; 3],
        by_law: bool,
    ) -> Result<(), Unsure> {
        // An amount below nothing may have to be warned of.
        let amount = amount.short().filter(|amount| !amount.is_negative()).ok_or(Unsure)?;
        self.set(line.rule.slot, Got::Number(amount.into()));
        let amount = if line.takes_away { amount.negated().ok_or(Unsure)? } else { amount };
        self.sums.add(line, amount).ok_or(Unsure)?;
        self.lines.push(PaidLine { line, place, amount, base, quantity, rate, by_law, separate: false });
        Ok(())
    }

    fn use_part(
        &mut self,
        place: usize,
        (name, part): (&Arc<str>, &'static Statutory),
        (with, law): (&'a [Option<Quick>], &'a Law),
        lines: &'a [ReadyLine],
    ) -> Result<(), Unsure> {
        let (before, sums) = (self.lines.len(), self.sums);
        let due = |run: &mut Self, due: Due| {
            let line = lines.get(due.line)?;
            let amount = due.amount.with_places(due.amount.scale().max(2))?;
            let parts = [Some(due.base.into()), None, Some(due.rate.into())];
            run.push(place, line, amount.into(), parts, true).ok()
        };
        let done = match law {
            Law::Other => None,
            law => Args::read(part, with, self.slots).and_then(|args| match law {
                Law::Contributions(cities) => cities.due(&args, |line| due(self, line)),
                Law::WageTax(tax) => {
                    let taxed = self.sums.taxed();
                    let withheld = tax.withheld(&args, taxed)?;
                    self.year = Some(Year::of(taxed, withheld));
                    due(self, withheld.due)
                }
                Law::Other => None,
            }),
        };
        if done.is_none() {
            self.lines.truncate(before);
            self.sums = sums;
            self.as_the_part_does(place, (name, part), with, lines)?;
        }
        self.tax_apart(part, with)
    }

    fn as_the_part_does(
        &mut self,
        place: usize,
        (name, part): (&Arc<str>, &'static Statutory),
        with: &'a [Option<Quick>],
        lines: &'a [ReadyLine],
    ) -> Result<(), Unsure> {
        let mut args: Vec<Value<'a>> = Vec::with_capacity(with.len());
        for quick in with {
            let arg = match quick {
                None => Value::Absent,
                Some(quick) => match quick.run(self.slots)? {
                    Got::Absent => return Err(Unsure),
                    got => got.value(),
                },
            };
            args.push(arg);
        }
        let taxed = if part.reads_taxable {
            let [income, special, other] = self.sums.taxed().map(Short::to_decimal);
            Taxed { income, special, other }
        } else {
            Taxed::default()
        };
        let (warnings, year) = (RefCell::default(), RefCell::default());
        let period = self.sheet.period;
        let call = Call { part, args: &args, period, taxed: &taxed, explain: false, warnings, year };
        let made = (part.run)(&call).map_err(|_| Unsure)?;
        let item = Some(Arc::clone(name));
        let warnings = call.warnings.into_inner().into_iter();
        self.warnings.extend(warnings.map(|message| Warning { item: item.clone(), message }));
        self.year = call.year.into_inner().map(Year::from).or(self.year.take());
        for Made { line, amount, base, rate, .. } in made {
            let number = |exact: &hub_calc::Exact| exact.to_decimal().map(Num::from);
            let amount = in_places(amount.to_decimal().ok_or(Unsure)?, 2);
            let parts = [base.as_ref().and_then(number), None, rate.as_ref().and_then(number)];
            self.push(place, lines.get(line).ok_or(Unsure)?, amount.into(), parts, true)?;
        }
        Ok(())
    }

    /// Marks the item that a part taxes by itself: it is no income for what taxes the rest.
    fn tax_apart(&mut self, part: &Statutory, with: &[Option<Quick>]) -> Result<(), Unsure> {
        let named = part.params.iter().zip(with).find(|(param, _)| param.is_item);
        let Some(slot) = named.and_then(|(_, quick)| quick.as_ref()?.slot()) else { return Ok(()) };
        let apart = |line: &&mut PaidLine<'_>| !line.by_law && line.line.rule.slot == slot && !line.separate;
        for line in self.lines.iter_mut().filter(apart) {
            line.separate = true;
            if line.line.taxed == For::Income {
                self.sums.income = self.sums.income.minus(line.amount).ok_or(Unsure)?;
            }
        }
        Ok(())
    }
}

impl Quickly<'_> {
    /// From lines to totals.
    fn sum_up(&mut self, sums: Sums, in_order: bool) -> Result<(), Unsure> {
        if !in_order {
            self.lines.sort_by_key(|line| line.place);
        }
        // What the pay cannot bear is settled in the long way.
        if sums.net.is_negative() {
            return Err(Unsure);
        }
        let [income, special, other] = sums.taxed();
        self.taxable = income.minus(special).and_then(|rest| rest.minus(other)).ok_or(Unsure)?;
        let cost = sums.gross.plus(sums.absence).and_then(|cost| cost.plus(sums.employer));
        self.employer_cost = cost.ok_or(Unsure)?;
        (self.gross, self.net) = (sums.gross, sums.net);
        Ok(())
    }
}

/// An amount in the places of its line.
fn rounded(exact: Num, rounding: Rounding) -> Num {
    let number = exact.rounded(rounding.places, rounding.mode);
    let short = number.short().and_then(|short| short.with_places(rounding.places));
    short.map_or_else(|| in_places(number.to_decimal(), rounding.places).into(), Num::Short)
}

impl Year {
    fn of([income, special, _]: [Short; 3], withheld: Withheld) -> Self {
        let (income, special) = (income.into(), special.into());
        let (additional, other) = (withheld.additional.into(), withheld.other.into());
        Self { income, special, additional, other, tax: withheld.due.amount.into() }
    }
}
