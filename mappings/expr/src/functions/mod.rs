//! The functions of the language: each with its types, what it does, and an example that the tests run.

mod chinese;
mod date;
mod date_parts;
mod effective;
mod encode;
mod identity;
mod list;
mod money;
mod number;
mod object;
mod patterns;
mod period;
mod presence;
mod proofs;
#[cfg(test)]
mod rows_tests;
mod scores;
mod special;
mod statistics;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod text_parts;

use crate::types::Type;
use hub_standards::dates::iso_day;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::rust_decimal::Decimal;
use hub_tree::{Arena, Value};
use std::cell::Cell;
use std::fmt::Write as _;

/// Longest text that a function may make, in bytes.
pub(crate) const MAX_TEXT: usize = 1 << 20;
/// Longest list that a function may make.
pub(crate) const MAX_ITEMS: usize = 100_000;
/// Most parts and bytes of a tree that a function looks at as a whole.
const MAX_WEIGHT: usize = 4 << 20;

/// A function: data for the checker and the reference, and the code that runs it.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it is about, as the reference groups functions.
    pub topic: &'static str,
    /// Its parameters in order; optional ones last.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may be repeated.
    pub repeats: bool,
    /// The type of the result, given the types of the arguments.
    pub returns: fn(&[Type]) -> Type,
    /// Whether it is called with absent arguments too; else an absent argument makes the result absent.
    pub sees_absent: bool,
    /// Whether the result is one of the first argument's items.
    pub picks_item: bool,
    /// What it does.
    pub doc: &'static str,
    /// An expression and its value as JSON.
    pub example: (&'static str, &'static str),
    /// When it fails, beyond an argument of another kind.
    pub errors: &'static [&'static str],
    /// The code.
    pub run: for<'a> fn(&Call<'a, '_>) -> Result<Value<'a>, String>,
}

/// What most functions have in common; the topics' files begin with it.
const FUNCTION: Function = Function {
    name: "",
    topic: "",
    parameters: &[],
    repeats: false,
    returns: |_| Type::Any,
    sees_absent: false,
    picks_item: false,
    doc: "",
    example: ("", ""),
    errors: &[],
    run: |_| Ok(Value::Absent),
};

/// A parameter of a function.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, for messages.
    pub name: &'static str,
    /// What it takes.
    pub ty: Kind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Any,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// An instant.
    DateTime,
    /// A list of anything; when it runs, a single value is a list of one.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The static type.
    #[must_use]
    pub fn to_type(self) -> Type {
        match self {
            Self::Any | Self::Object => Type::Any,
            Self::Number => Type::Number,
            Self::Text => Type::Text,
            Self::Date => Type::Date,
            Self::DateTime => Type::DateTime,
            Self::List => Type::list(Type::Any),
        }
    }
}

const fn required(name: &'static str, ty: Kind) -> Parameter {
    Parameter { name, ty, optional: false }
}

const fn optional(name: &'static str, ty: Kind) -> Parameter {
    Parameter { name, ty, optional: true }
}

impl Function {
    /// The fewest arguments.
    #[must_use]
    pub fn least(&self) -> usize {
        self.parameters.iter().filter(|p| !p.optional).count()
    }

    /// The most arguments.
    #[must_use]
    pub fn most(&self) -> usize {
        if self.repeats { usize::MAX } else { self.parameters.len() }
    }

    /// The parameter at `index`; the last one stands for all that follow when it repeats.
    #[must_use]
    pub fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index).or_else(|| self.parameters.last().filter(|_| self.repeats))
    }

    /// How it is called, such as `round(number, [digits])`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut out = format!("{}(", self.name);
        for (index, parameter) in self.parameters.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = match parameter.optional {
                true => write!(out, "{comma}[{}]", parameter.name),
                false => write!(out, "{comma}{}", parameter.name),
            };
        }
        out.push_str(if self.repeats { ", …)" } else { ")" });
        out
    }
}

const TOPICS: &[&[Function]] = &[
    text::ALL,
    text_parts::ALL,
    patterns::ALL,
    chinese::ALL,
    encode::ALL,
    proofs::ALL,
    number::ALL,
    statistics::ALL,
    money::ALL,
    scores::ALL,
    tables::ALL,
    date::ALL,
    date_parts::ALL,
    period::ALL,
    effective::ALL,
    list::ALL,
    object::ALL,
    presence::ALL,
    identity::ALL,
];

/// All functions, by topic, without the special forms.
pub fn all() -> impl Iterator<Item = &'static Function> {
    TOPICS.iter().copied().flatten()
}

/// The forms that compute an argument only when it is needed, or once per item. Their code is the evaluator's; here
/// they are described in the shape of functions.
pub fn special() -> impl Iterator<Item = &'static Function> {
    special::ALL.iter()
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// Every name that can be called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    let names: Vec<&'static str> = all().chain(special()).map(|function| function.name).collect();
    names.into_iter()
}

/// The arguments of one call, already checked for number and absence.
pub struct Call<'a, 'c> {
    arena: &'a Arena,
    function: &'c Function,
    arguments: &'c [Value<'a>],
    cost: Cell<u64>,
}

impl<'a, 'c> Call<'a, 'c> {
    pub(crate) const fn new(arena: &'a Arena, function: &'c Function, arguments: &'c [Value<'a>]) -> Self {
        Self { arena, function, arguments, cost: Cell::new(0) }
    }

    /// The steps that the call took beside what its result costs.
    pub(crate) fn cost(&self) -> u64 {
        let read = self.arguments.iter().map(|value| value.as_text().map_or(0, str::len));
        self.cost.get() + read.sum::<usize>() as u64 / 64
    }

    fn spend(&self, steps: usize) {
        self.cost.set(self.cost.get().saturating_add(steps as u64));
    }

    fn value(&self, index: usize) -> Value<'a> {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    fn has(&self, index: usize) -> bool {
        index < self.arguments.len()
    }

    /// How messages call an argument.
    fn argument(&self, index: usize) -> String {
        let name = self.function.parameter(index).map_or("", |parameter| parameter.name);
        format!("argument {} (`{name}`)", index + 1)
    }

    fn wrong<T>(&self, index: usize, wanted: &str) -> Result<T, String> {
        Err(format!("{} must be {wanted}, this is {}", self.argument(index), self.value(index).kind()))
    }

    /// Refuses an argument of the right kind for what it is.
    fn refuse<T>(&self, index: usize, reason: impl std::fmt::Display) -> Result<T, String> {
        Err(format!("{}: {reason}", self.argument(index)))
    }

    fn text(&self, index: usize) -> Result<&'a str, String> {
        self.value(index).as_text().map_or_else(|| self.wrong(index, "text"), Ok)
    }

    /// Text, or a number as text: ids and codes come as both.
    fn scalar(&self, index: usize) -> Result<&'a str, String> {
        match self.value(index) {
            value @ (Value::Text(_) | Value::Number(_) | Value::Decimal(_)) => {
                value.scalar_text(self.arena).map_or_else(|| self.wrong(index, "text"), Ok)
            }
            _ => self.wrong(index, "text or a number"),
        }
    }

    fn number(&self, index: usize) -> Result<Decimal, String> {
        let value = self.value(index);
        match (value, value.as_decimal()) {
            (_, Some(number)) => Ok(number),
            (Value::Number(_), None) => self.refuse(index, "the number has more than 28 digits"),
            _ => self.wrong(index, "a number"),
        }
    }

    /// A whole number within `range`; `default` when the argument was left out.
    fn whole(&self, index: usize, default: i64, range: std::ops::RangeInclusive<i64>) -> Result<i64, String> {
        if !self.has(index) {
            return Ok(default);
        }
        let number = self.number(index)?;
        let whole = i64::try_from(number).ok().filter(|n| Decimal::from(*n) == number && range.contains(n));
        whole.ok_or_else(|| {
            format!("{} must be a whole number from {} to {}", self.argument(index), range.start(), range.end())
        })
    }

    /// A number of characters or items.
    fn size(&self, index: usize, default: i64) -> Result<usize, String> {
        self.whole(index, default, 0..=1_000_000).map(|size| usize::try_from(size).unwrap_or(0))
    }

    fn date(&self, index: usize) -> Result<Date, String> {
        match self.value(index) {
            Value::Date(date) => Ok(date),
            Value::Text(text) => iso_day(text)
                .ok_or_else(|| format!("{} is text that is no ISO date: write `date(…)`", self.argument(index))),
            _ => self.wrong(index, "a date"),
        }
    }

    fn datetime(&self, index: usize) -> Result<Timestamp, String> {
        match self.value(index) {
            Value::DateTime(at) => Ok(at),
            Value::Text(text) => {
                text.parse().map_err(|_| format!("{} is text that is no RFC 3339 date-time", self.argument(index)))
            }
            _ => self.wrong(index, "a date-time"),
        }
    }

    /// A list; any other value that is there is a list of one, as an XML element that occurs once.
    fn list(&self, index: usize) -> Result<&'a [Value<'a>], String> {
        match self.value(index) {
            Value::List(items) => Ok(items),
            value if value.is_absent() => self.wrong(index, "a list"),
            value => Ok(self.arena.list(&[value]).items()),
        }
    }

    fn object(&self, index: usize) -> Result<&'a [(&'a str, Value<'a>)], String> {
        match self.value(index) {
            Value::Map(map) => Ok(map.entries()),
            _ => self.wrong(index, "an object"),
        }
    }

    fn zone(&self, index: usize) -> Result<TimeZone, String> {
        TimeZone::get(self.text(index)?)
            .or_else(|_| self.refuse(index, "there is no such time zone; write an IANA name such as Asia/Shanghai"))
    }

    fn new_text(&self, text: &str) -> Value<'a> {
        Value::Text(self.arena.text(text))
    }

    fn new_list(&self, items: &[Value<'a>]) -> Result<Value<'a>, String> {
        if items.len() > MAX_ITEMS {
            return Err(format!("the result has more than {MAX_ITEMS} items"));
        }
        Ok(self.arena.list(items))
    }

    /// Refuses to make a text of so many bytes before it is made.
    fn room_for(&self, bytes: usize) -> Result<(), String> {
        if bytes > MAX_TEXT { Err(format!("the result is longer than {MAX_TEXT} bytes")) } else { Ok(()) }
    }

    /// Charges for looking at all of a tree. One part may hang in it many times, so trees can be larger than what they
    /// are made of.
    fn weigh(&self, value: Value<'_>) -> Result<(), String> {
        match weight(value) {
            Some(weight) => {
                self.spend(weight / 16);
                Ok(())
            }
            None => Err("the value is too large to be looked at as a whole".to_owned()),
        }
    }
}

/// How many parts and bytes a tree has, counting a part as often as it hangs in it; `None` for too many.
pub(crate) fn weight(value: Value<'_>) -> Option<usize> {
    fn walk(value: Value<'_>, left: &mut usize) -> Option<()> {
        let size = match value {
            Value::Text(text) | Value::Number(text) => text.len(),
            Value::Map(map) => map.entries().iter().map(|(key, _)| key.len()).sum(),
            _ => 0,
        };
        *left = left.checked_sub(size + 8)?;
        value.items().iter().try_for_each(|item| walk(*item, left))?;
        value.entries().iter().try_for_each(|(_, item)| walk(*item, left))
    }
    let mut left = MAX_WEIGHT;
    walk(value, &mut left)?;
    Some(MAX_WEIGHT - left)
}
