//! The part of the language that formulas of many people are written in, made ready once and run often.
//!
//! A [`Quick`] is an expression whose names are slots, whose tables are rows, and whose numbers are whole numbers where
//! they are short. It gives what [`Expr::eval`](crate::Expr::eval) gives, to the last digit, or says that it is [`Unsure`]:
//! then that evaluator is asked, which also knows what to say of an error. Nothing is made for it in an arena.

mod compile;
mod num;
mod run;
mod short;
#[cfg(test)]
mod tests;

pub use num::Num;
pub use short::Short;

use crate::ast::Operator;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::RoundingStrategy;
use std::sync::Arc;

/// A value of a slot, or of an expression.
#[derive(Clone, Copy, Debug)]
pub enum Got<'a> {
    /// Nothing is there.
    Absent,
    /// A number.
    Number(Num),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// A calendar day.
    Date(Date),
}

impl<'a> Got<'a> {
    /// A value as it is; `None` for kinds that are not for formulas of this part.
    #[must_use]
    pub fn of(value: Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Absent | Value::Null => Self::Absent,
            Value::Decimal(number) => Self::Number(number.into()),
            Value::Number(_) => Self::Number(value.as_decimal()?.into()),
            Value::Bool(value) => Self::Bool(value),
            Value::Text(text) => Self::Text(text),
            Value::Date(day) => Self::Date(day),
            Value::DateTime(_) | Value::List(_) | Value::Map(_) => return None,
        })
    }

    /// As a value of documents.
    #[must_use]
    pub fn value(self) -> Value<'a> {
        match self {
            Self::Absent => Value::Absent,
            Self::Number(number) => Value::Decimal(number.to_decimal()),
            Self::Bool(value) => Value::Bool(value),
            Self::Text(text) => Value::Text(text),
            Self::Date(day) => Value::Date(day),
        }
    }
}

/// There is no quick answer: an error, an odd kind of value, or a number that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsure;

/// An expression that was made ready.
#[derive(Clone, Debug)]
pub struct Quick(Code);

/// What a quick expression does.
#[derive(Clone, Debug)]
enum Code {
    Constant(Constant),
    Slot(usize),
    Not(Box<Code>),
    Minus(Box<Code>),
    And(Box<[Code; 2]>),
    Or(Box<[Code; 2]>),
    Default(Box<[Code; 2]>),
    Reckon(Reckon, Box<[Code; 2]>),
    Compare(Operator, Box<[Code; 2]>),
    If(Box<[Code; 3]>),
    Exists(Box<Code>),
    Least(Box<[Code]>),
    Most(Box<[Code]>),
    Abs(Box<Code>),
    Rounded(Box<Code>, u32, RoundingStrategy),
    /// What stands under a key.
    Lookup(Arc<[(Box<str>, Constant)]>, Box<Code>),
    /// What stands in the last row that does not begin above a number.
    Bracket(Arc<[(Num, Constant)]>, Box<Code>),
}

#[derive(Clone, Copy, Debug)]
enum Reckon {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Debug)]
enum Constant {
    Absent,
    Number(Num),
    Bool(bool),
    Text(Box<str>),
    Date(Date),
}

impl Constant {
    fn got(&self) -> Got<'_> {
        match self {
            Self::Absent => Got::Absent,
            Self::Number(number) => Got::Number(*number),
            Self::Bool(value) => Got::Bool(*value),
            Self::Text(text) => Got::Text(text),
            Self::Date(day) => Got::Date(*day),
        }
    }

    fn of(value: Value<'_>) -> Option<Self> {
        Some(match Got::of(value)? {
            Got::Absent => Self::Absent,
            Got::Number(number) => Self::Number(number),
            Got::Bool(value) => Self::Bool(value),
            Got::Text(text) => Self::Text(text.into()),
            Got::Date(day) => Self::Date(day),
        })
    }
}
