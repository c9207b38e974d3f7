//! Where payslips of a period are made one after the other: inputs by slot, and memory that is used again.

use super::Sheet;
use super::paid::{Paid, Quickly};
use crate::items::inputs::read_input;
use crate::items::rules::{Input, InputKind, PayRules, Period};
use crate::items::slip::{Problem, Slip};
use hub_expr::{Got, Unsure};
use hub_tree::{Arena, Decimal, Value};
use std::sync::Arc;

/// Names of inputs that every file has.
const OF_ALL: [&str; 2] = ["legal_entity", "pay_group"];

/// Rules made ready for the payslips of one period. Share it: it is `Send` and `Sync`.
#[derive(Debug)]
pub struct Payer<'r> {
    pub(super) rules: &'r PayRules,
    pub(super) period: Period,
    pub(super) sheet: Option<Arc<Sheet>>,
}

impl<'r> Payer<'r> {
    pub(in crate::items) fn new(rules: &'r PayRules, period: Period) -> Self {
        Self { rules, period, sheet: rules.sheets.get(rules, period) }
    }

    /// A place to make payslips, one after the other.
    #[must_use]
    pub fn desk<'p>(&'p self) -> Desk<'p> {
        Desk::new(self.rules, self.sheet.as_deref(), self.period)
    }
}

/// The payslip of a map of inputs, if there is a quick one.
pub(in crate::items) fn quick_slip(rules: &PayRules, given: Value<'_>, period: Period) -> Option<Slip> {
    let sheet = rules.sheets.get(rules, period)?;
    let mut desk = Desk::new(rules, Some(&sheet), period);
    desk.read(given)?;
    desk.quickly().ok()?;
    Some(desk.made.slip())
}

/// Takes the inputs of a person by slot ([`PayRules::slot`]) and makes the payslip. What was set stays until it is set
/// again.
#[derive(Debug)]
pub struct Desk<'p> {
    pub(super) rules: &'p PayRules,
    pub(super) sheet: Option<&'p Sheet>,
    period: Period,
    /// Inputs that are missing or wrong, as they were given; and how many.
    odd: Vec<Option<Value<'p>>>,
    wrong: usize,
    pub(super) legal_entity: Value<'p>,
    pub(super) pay_group: Value<'p>,
    /// Names that the rules do not know.
    pub(super) unknown: Vec<&'p str>,
    /// The names of formulas, those of inputs among them.
    pub(super) slots: Vec<Got<'p>>,
    pub(super) made: Quickly<'p>,
}

/// An input as formulas see it.
fn read<'a>(input: &'a Input, value: Value<'a>, currency: &str) -> Result<Got<'a>, Unsure> {
    Ok(match (input.kind, value) {
        (InputKind::Money | InputKind::Number, Value::Decimal(number)) => Got::Number(number.into()),
        (InputKind::Text, Value::Text(text)) => Got::Text(text),
        (_, value) => match Got::of(read_input(input, value, currency).map_err(|_| Unsure)?) {
            Some(Got::Absent) if input.required => return Err(Unsure),
            got => got.ok_or(Unsure)?,
        },
    })
}

impl<'p> Desk<'p> {
    fn new(rules: &'p PayRules, sheet: Option<&'p Sheet>, period: Period) -> Self {
        let mut desk = Self {
            rules,
            sheet,
            period,
            odd: vec![None; rules.inputs.len()],
            wrong: 0,
            legal_entity: Value::Absent,
            pay_group: Value::Absent,
            unknown: Vec::new(),
            slots: vec![Got::Absent; rules.slots],
            made: Quickly::default(),
        };
        for (place, input) in rules.inputs.iter().enumerate() {
            desk.take(place, input, Value::Absent);
        }
        desk
    }

    /// Sets the input in a slot; a slot that there is not is passed over.
    pub fn set(&mut self, slot: usize, value: Value<'p>) {
        let rules = self.rules;
        if let Some(input) = rules.inputs.get(slot) {
            self.take(slot, input, value);
        }
    }

    /// Sets an input that is a number.
    #[inline]
    pub fn set_number(&mut self, slot: usize, number: Decimal) {
        match self.rules.inputs.get(slot).map(|input| input.kind) {
            Some(InputKind::Money | InputKind::Number) => self.put(slot, Got::Number(number.into())),
            _ => self.set(slot, Value::Decimal(number)),
        }
    }

    /// Sets an input that is text.
    #[inline]
    pub fn set_text(&mut self, slot: usize, text: &'p str) {
        match self.rules.inputs.get(slot).map(|input| input.kind) {
            Some(InputKind::Text) => self.put(slot, Got::Text(text)),
            _ => self.set(slot, Value::Text(text)),
        }
    }

    #[inline]
    fn put(&mut self, place: usize, got: Got<'p>) {
        if let Some(slot) = self.slots.get_mut(self.rules.period + 1 + place) {
            *slot = got;
        }
        if self.wrong > 0 && self.odd.get_mut(place).and_then(Option::take).is_some() {
            self.wrong -= 1;
        }
    }

    fn take(&mut self, place: usize, input: &'p Input, value: Value<'p>) {
        match read(input, value, &self.rules.currency) {
            Ok(got) => self.put(place, got),
            Err(Unsure) => {
                if let Some(odd) = self.odd.get_mut(place)
                    && odd.replace(value).is_none()
                {
                    self.wrong += 1;
                }
            }
        }
    }

    /// Sets the legal entity, for rules that are not for all.
    pub const fn set_legal_entity(&mut self, value: Value<'p>) {
        self.legal_entity = value;
    }

    /// Sets the pay group, for rules that are not for all.
    pub const fn set_pay_group(&mut self, value: Value<'p>) {
        self.pay_group = value;
    }

    /// Sets what a map by name holds; `None` for anything else.
    fn read(&mut self, map: Value<'p>) -> Option<()> {
        let Value::Map(map) = map else { return None };
        let rules = self.rules;
        // Mostly both are in one order: the search goes on where the last one ended.
        let mut next = 0;
        for (name, value) in map.entries() {
            let (before, after) = rules.inputs.split_at_checked(next)?;
            let after = after.iter().position(|input| input.name == *name).map(|place| next + place);
            match after.or_else(|| before.iter().position(|input| input.name == *name)) {
                Some(place) => {
                    next = place + 1;
                    self.set(place, *value);
                }
                None if *name == OF_ALL[0] => self.legal_entity = *value,
                None if *name == OF_ALL[1] => self.pay_group = *value,
                None => self.unknown.push(name),
            }
        }
        Some(())
    }

    /// Makes a payslip as [`PayRules::slip`] does without explanations.
    ///
    /// # Errors
    /// As of [`PayRules::slip`].
    pub fn pay(&mut self, employee: &str) -> Result<Paid<'_>, Vec<Problem>> {
        if self.quickly().is_ok() {
            return Ok(Paid::Quickly(&self.made));
        }
        let arena = Arena::new();
        let of_all = [(OF_ALL[0], self.legal_entity), (OF_ALL[1], self.pay_group)];
        let slots = self.slots.iter().skip(self.rules.period + 1);
        let values = self.odd.iter().zip(slots).map(|(odd, slot)| odd.unwrap_or_else(|| slot.value()));
        let named = self.rules.inputs.iter().map(|input| input.name.as_str()).zip(values);
        let given: Vec<(&str, Value<'_>)> =
            named.chain(of_all).filter(|(_, value)| !matches!(value, Value::Absent)).collect();
        let slip = super::super::pay::slip(self.rules, employee, arena.map(&given), self.period, false)?;
        Ok(Paid::Slip(Box::new(slip)))
    }

    fn quickly(&mut self) -> Result<(), Unsure> {
        if self.wrong > 0 {
            return Err(Unsure);
        }
        let first = self.rules.period + 1 + self.rules.inputs.len();
        self.slots.get_mut(first..).unwrap_or_default().fill(Got::Absent);
        super::run::run(self)
    }
}
