//! Inputs, as formulas see them.

use super::pay::Run;
use super::read::iso_day;
use super::rules::{Input, InputKind, Period, Whom};
use super::slip::Warning;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Value};

impl Run<'_> {
    pub(super) fn period(&mut self) {
        let Period { start, end, .. } = self.period;
        if end < start {
            self.problem(None, String::new(), format!("the period ends on {end}, before it begins on {start}"), None);
        }
        self.set(self.rules.period, self.period.value(self.cx.arena));
        for table in &self.rules.tables {
            let rows = table.on(end, self.cx.arena);
            self.set(table.slot, rows);
        }
    }

    pub(super) fn inputs(&mut self) {
        let mut known = 0;
        for (place, input) in self.rules.inputs.iter().enumerate() {
            let slot = self.rules.period + 1 + place;
            let value = self.given.get(&input.name);
            known += usize::from(value != Value::Absent);
            match read_input(input, value, &self.rules.currency) {
                Ok(value) if value.is_absent() && input.required => {
                    let from = input.from.as_ref().map_or_else(String::new, |from| format!("; it comes from `{from}`"));
                    self.input_problem(input, slot, &format!("the input is missing, and is required{from}"));
                }
                Ok(value) => self.set(slot, value),
                Err(message) => self.input_problem(input, slot, &message),
            }
        }
        for name in ["legal_entity", "pay_group"] {
            known += usize::from(self.given.get(name) != Value::Absent);
        }
        if !matches!(self.given, Value::Map(_)) {
            let message = format!("inputs are a map by name, this is {}", self.given.kind());
            self.problem(None, String::new(), message, None);
        } else if known < self.given.entries().len() {
            self.warn_of_unknown();
        }
        let rules = self.rules;
        match self.is_for(&rules.whom) {
            Ok(true) => {}
            Ok(false) => {
                let message = format!("the rules {} are not for this legal entity and pay group", rules.version());
                self.problem(None, String::new(), message, None);
            }
            Err(name) => self.unnamed(None, name, None),
        }
    }

    fn input_problem(&mut self, input: &Input, slot: usize, message: &str) {
        self.break_slot(slot);
        let message = format!("`{}`: {message}", input.name);
        self.problem(None, pointer(&input.name), message, Some(input.place.clone()));
    }

    fn warn_of_unknown(&mut self) {
        let is_known = |name: &str| {
            ["legal_entity", "pay_group"].contains(&name) || self.rules.inputs.iter().any(|input| input.name == name)
        };
        for (name, _) in self.given.entries().iter().filter(|(name, _)| !is_known(name)) {
            let message = format!("the rules have no input `{name}`; it was not read");
            self.warnings.push(Warning { item: None, message });
        }
    }

    /// Whether somebody is meant; the name of the input that would tell, where it is missing.
    pub(super) fn is_for(&self, whom: &Whom) -> Result<bool, &'static str> {
        let one = |list: &[String], name: &'static str| match self.given.get(name).as_text() {
            _ if list.is_empty() => Ok(true),
            Some(text) => Ok(list.iter().any(|known| known == text)),
            None => Err(name),
        };
        Ok(one(&whom.legal_entities, "legal_entity")? && one(&whom.groups, "pay_group")?)
    }

    pub(super) fn unnamed(&mut self, item: Option<&str>, name: &str, place: Option<String>) {
        let message = format!("`{name}` is missing: `for` asks whom the rules are for");
        self.problem(item, pointer(name), message, place);
    }
}

impl Period {
    /// The period as formulas see it.
    pub(super) fn value(self, arena: &Arena) -> Value<'_> {
        let days = [("start", self.start), ("end", self.end), ("pay_on", self.pay_on)];
        arena.map(&days.map(|(key, day)| (key, Value::Date(day))))
    }
}

/// The JSON pointer of an input.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// An input as formulas see it; its default, or absent, where none is given.
pub(super) fn read_input<'a>(input: &'a Input, value: Value<'a>, currency: &str) -> Result<Value<'a>, String> {
    if value.is_absent() {
        return Ok(input.default.as_ref().map_or(Value::Absent, |constant| constant.value()));
    }
    let wrong = |wanted: &str| Err(format!("{wanted}, this is {}", value.kind()));
    match (input.kind, value) {
        (InputKind::Money, Value::Map(map)) => {
            if map.get("currency").as_text() != Some(currency) {
                let stated = map.get("currency").as_text().unwrap_or("no currency");
                return Err(format!("an amount of these rules is in {currency}, this is in {stated}"));
            }
            decimal(map.get("amount")).map_or_else(|| Err("`amount` is decimal text".to_owned()), Ok)
        }
        (InputKind::Money | InputKind::Number, value) => {
            decimal(value).map_or_else(|| wrong("it is a number or decimal text of at most 28 digits"), Ok)
        }
        (InputKind::Text, Value::Map(map)) if map.get("value").as_text().is_some() => Ok(map.get("value")),
        (InputKind::Text, Value::Text(_)) => Ok(value),
        (InputKind::Text, Value::Number(text)) => Ok(Value::Text(text)),
        (InputKind::Text, _) => wrong("it is text"),
        (InputKind::Date, Value::Date(_)) => Ok(value),
        (InputKind::Date, Value::Text(text)) => {
            iso_day(text).map_or_else(|| Err(format!("`{text}` is no day (YYYY-MM-DD)")), |day| Ok(Value::Date(day)))
        }
        (InputKind::Date, _) => wrong("it is a day (YYYY-MM-DD)"),
        (InputKind::Flag, Value::Bool(_)) => Ok(value),
        (InputKind::Flag, _) => wrong("it is true or false"),
    }
}

fn decimal(value: Value<'_>) -> Option<Value<'_>> {
    let number = value.as_decimal().or_else(|| parse_decimal(value.as_text()?))?;
    Some(Value::Decimal(number))
}
