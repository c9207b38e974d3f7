//! The calculators by request: inputs in, result and explanation out. Nothing is stored and nothing is read.

use hub_calc::{Calculation, Given, Wrong};
use hub_tree::Value;

/// A service: its name in addresses, what it is about, and what it can calculate.
pub struct Service {
    /// Such as `interview`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its calculations, by their `type`.
    pub calculations: fn() -> &'static [Calculation],
}

/// All services.
pub static SERVICES: &[Service] = &[
    Service {
        name: "interview",
        about: "Scales, competency models, decisions, thresholds and how far ratings can be trusted.",
        calculations: || hub_interview::CALCULATIONS,
    },
    Service {
        name: "appraisal",
        about: "Indicators, grades, bonuses, goals, training, attrition and talent.",
        calculations: || hub_appraisal::CALCULATIONS,
    },
    Service {
        name: "payroll",
        about: "Taxes, contributions, pay and what is taken off it, by dated tables.",
        calculations: || &hub_payroll::CALCULATIONS,
    },
    Service { name: "trust", about: "Bias audits of automated decisions.", calculations: || hub_trust::CALCULATIONS },
];

/// What a request was answered with.
pub enum Answered<'a> {
    /// One calculation.
    One(Result<Value<'a>, Wrong>),
    /// Those of `items`, in their order; what is wrong with one stops no other.
    Many(Vec<Result<Value<'a>, Wrong>>),
}

impl Service {
    /// The service of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// Calculates: one request, or each of its `items`.
    #[must_use]
    pub fn answer<'a>(&self, given: Given<'a>) -> Answered<'a> {
        if !matches!(given.value(), Value::Map(_)) {
            return Answered::One(Err(given.wrong_here("a request is an object with a `type`, or with `items`")));
        }
        if given.entries().iter().all(|(field, _)| *field != "items") || given.has("type") {
            return Answered::One(hub_calc::answer((self.calculations)(), given));
        }
        if let Some((other, _)) = given.entries().iter().find(|(field, _)| *field != "items") {
            return Answered::One(Err(given.wrong(other, "beside `items` there is nothing; each item has a `type`")));
        }
        match given.list("items") {
            Ok(items) => Answered::Many(items.map(|item| self.item(item)).collect()),
            Err(wrong) => Answered::One(Err(wrong)),
        }
    }

    fn item<'a>(&self, item: Given<'a>) -> Result<Value<'a>, Wrong> {
        match item.value() {
            Value::Map(_) => hub_calc::answer((self.calculations)(), item),
            _ => Err(item.wrong_here("an item is an object with a `type`")),
        }
    }
}
