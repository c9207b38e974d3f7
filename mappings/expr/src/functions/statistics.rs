//! Numbers together: sums, means and extremes.

use super::{Call, FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_tree::Value;
use hub_tree::rust_decimal::Decimal;

const TOO_LARGE: &str = "the sum has more than 28 digits";

const BASE: Function = Function {
    topic: "Numbers together",
    parameters: &[required("list", Kind::List)],
    returns: |_| Type::Number,
    errors: &["An item is absent or no number.", "The result has more than 28 digits."],
    ..FUNCTION
};

const MANY: Function = Function {
    parameters: &[required("numbers", Kind::Any)],
    repeats: true,
    sees_absent: true,
    errors: &["A number is absent, or something else."],
    ..BASE
};

/// The numbers of a call: its arguments, or the items of its only list. An absent one is an error, never zero.
fn numbers(call: &Call<'_, '_>) -> Result<Vec<Decimal>, String> {
    let items = match call.arguments {
        [Value::List(items)] => items,
        arguments => arguments,
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| match item.as_decimal() {
            Some(number) => Ok(number),
            None if item.is_absent() => Err(format!("number {} is absent: give it a default with `??`", index + 1)),
            None => Err(format!("number {} is {}", index + 1, item.kind())),
        })
        .collect()
}

fn extreme<'a>(call: &Call<'a, '_>, pick: fn(Decimal, Decimal) -> Decimal) -> Result<Value<'a>, String> {
    Ok(numbers(call)?.into_iter().reduce(pick).map_or(Value::Absent, Value::Decimal))
}

fn sum(numbers: &[Decimal]) -> Result<Decimal, String> {
    let total = numbers.iter().try_fold(Decimal::ZERO, |total, number| total.checked_add(*number));
    total.ok_or_else(|| TOO_LARGE.to_owned())
}

/// Without zeros that only the division put there.
fn quotient(sum: Decimal, by: Decimal) -> Result<Value<'static>, String> {
    let mean = sum.checked_div(by).ok_or(TOO_LARGE)?;
    Ok(Value::Decimal(mean.normalize()))
}

fn mean(numbers: &[Decimal]) -> Result<Value<'static>, String> {
    if numbers.is_empty() {
        return Ok(Value::Absent);
    }
    quotient(sum(numbers)?, numbers.len().into())
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "min",
        doc: "The smallest of the numbers, or of the items of one list; absent for an empty list.",
        example: ("min(3, 1, 2)", "1"),
        run: |call| extreme(call, Decimal::min),
        ..MANY
    },
    Function {
        name: "max",
        doc: "The largest of the numbers, or of the items of one list; absent for an empty list.",
        example: ("max([3, 1, 2])", "3"),
        run: |call| extreme(call, Decimal::max),
        ..MANY
    },
    Function {
        name: "sum",
        doc: "The sum of a list's numbers; an absent item is an error, never zero.",
        example: ("sum([0.1, 0.2])", "0.3"),
        run: |call| sum(&numbers(call)?).map(Value::Decimal),
        ..BASE
    },
    Function {
        name: "average",
        doc: "The mean of a list's numbers; absent for an empty list.",
        example: ("average([70, 85, 91])", "82"),
        run: |call| mean(&numbers(call)?),
        ..BASE
    },
    Function {
        name: "weighted_average",
        parameters: &[required("list", Kind::List), required("weights", Kind::List)],
        doc: "The mean of a list's numbers by weights; absent for empty lists.",
        example: ("weighted_average([80, 90], [3, 1])", "82.5"),
        errors: &[
            "The lists are not of one length.",
            "An item is absent or no number, or a weight below zero.",
            "The weights are all zero.",
            "The result has more than 28 digits.",
        ],
        run: |call| {
            let read = |index| numbers(&Call::new(call.arena, call.function, &[Value::List(call.list(index)?)]));
            let (values, weights) = (read(0)?, read(1)?);
            if values.len() != weights.len() {
                return call.refuse(1, "there are not as many weights as numbers");
            }
            if values.is_empty() {
                return Ok(Value::Absent);
            }
            if weights.iter().any(|weight| *weight < Decimal::ZERO) {
                return call.refuse(1, "a weight is below zero");
            }
            let products = values.iter().zip(&weights).map(|(value, weight)| value.checked_mul(*weight));
            let products: Vec<Decimal> = products.collect::<Option<_>>().ok_or(TOO_LARGE)?;
            let weight = sum(&weights)?;
            if weight.is_zero() {
                return call.refuse(1, "the weights are all zero");
            }
            quotient(sum(&products)?, weight)
        },
        ..BASE
    },
    Function {
        name: "median",
        doc: "The number in the middle, or the mean of the two there; absent for an empty list.",
        example: ("median([90, 70, 85, 80])", "82.5"),
        run: |call| {
            let mut numbers = numbers(call)?;
            numbers.sort_unstable();
            let middle = numbers.len() / 2;
            let from = if numbers.len() % 2 == 0 { middle.saturating_sub(1) } else { middle };
            mean(numbers.get(from..=middle).unwrap_or_default())
        },
        ..BASE
    },
];
