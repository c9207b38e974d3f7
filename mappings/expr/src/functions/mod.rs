//! The functions of the language: each with its types, what it does, and an example that the tests run.

mod date;
mod list;
mod number;
mod text;

use crate::types::Type;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::Decimal;
use hub_tree::{Arena, Value};
use std::fmt::Write as _;

/// A function: data for the checker and the reference, and the code that runs it.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
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
    /// The code.
    pub run: for<'a> fn(&Call<'a, '_>) -> Result<Value<'a>, String>,
}

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
    /// A list of anything.
    List,
}

impl Kind {
    /// The static type.
    #[must_use]
    pub fn to_type(self) -> Type {
        match self {
            Self::Any => Type::Any,
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

/// All functions, by topic.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [text::ALL, number::ALL, date::ALL, list::ALL].into_iter().flatten()
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// Every name that can be called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    let special = ["if", "map", "where", "any", "all"];
    let names: Vec<&'static str> = all().map(|function| function.name).chain(special).collect();
    names.into_iter()
}

/// The arguments of one call, already checked for number and absence.
pub struct Call<'a, 'c> {
    pub(crate) arena: &'a Arena,
    pub(crate) arguments: &'c [Value<'a>],
}

impl<'a> Call<'a, '_> {
    fn value(&self, index: usize) -> Value<'a> {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    fn wrong<T>(&self, index: usize, wanted: &str) -> Result<T, String> {
        Err(format!("argument {} must be {wanted}, this is {}", index + 1, self.value(index).kind()))
    }

    fn text(&self, index: usize) -> Result<&'a str, String> {
        self.value(index).as_text().map_or_else(|| self.wrong(index, "text"), Ok)
    }

    fn number(&self, index: usize) -> Result<Decimal, String> {
        let value = self.value(index);
        match (value, value.as_decimal()) {
            (_, Some(number)) => Ok(number),
            (Value::Number(_), None) => Err("the number has more than 28 digits".to_owned()),
            _ => self.wrong(index, "a number"),
        }
    }

    /// A whole number within `range`; `default` when the argument was left out.
    fn whole(&self, index: usize, default: i64, range: std::ops::RangeInclusive<i64>) -> Result<i64, String> {
        if self.arguments.len() <= index {
            return Ok(default);
        }
        let number = self.number(index)?;
        let whole = i64::try_from(number).ok().filter(|n| Decimal::from(*n) == number && range.contains(n));
        whole.ok_or_else(|| {
            format!("argument {} must be a whole number from {} to {}", index + 1, range.start(), range.end())
        })
    }

    fn date(&self, index: usize) -> Result<Date, String> {
        match self.value(index) {
            Value::Date(date) => Ok(date),
            Value::Text(text) => date::iso_date(text)
                .ok_or_else(|| format!("argument {} is text that is no ISO date: write `date(…)`", index + 1)),
            _ => self.wrong(index, "a date"),
        }
    }

    fn datetime(&self, index: usize) -> Result<Timestamp, String> {
        match self.value(index) {
            Value::DateTime(at) => Ok(at),
            Value::Text(text) => {
                text.parse().map_err(|_| format!("argument {} is text that is no RFC 3339 date-time", index + 1))
            }
            _ => self.wrong(index, "a date-time"),
        }
    }

    fn list(&self, index: usize) -> Result<&'a [Value<'a>], String> {
        match self.value(index) {
            Value::List(items) => Ok(items),
            _ => self.wrong(index, "a list"),
        }
    }

    fn new_text(&self, text: &str) -> Value<'a> {
        Value::Text(self.arena.text(text))
    }
}
