//! Scores and scales.

use super::{Call, FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_tree::Value;
use hub_tree::rust_decimal::Decimal;

const TOO_LARGE: &str = "the result has more than 28 digits";

const BASE: Function = Function { topic: "Scores", returns: |_| Type::Number, ..FUNCTION };

/// The thresholds of a list, each with its place.
fn thresholds(call: &Call<'_, '_>, index: usize, items: &[Value<'_>]) -> Result<Vec<Decimal>, String> {
    let read = |(place, item): (usize, &Value<'_>)| match item.as_decimal() {
        Some(number) => Ok(number),
        None => call.refuse(index, format!("number {} is {}", place + 1, item.kind())),
    };
    items.iter().enumerate().map(read).collect()
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "rescale",
        parameters: &[
            required("score", Kind::Number),
            required("from_min", Kind::Number),
            required("from_max", Kind::Number),
            required("to_min", Kind::Number),
            required("to_max", Kind::Number),
        ],
        doc: "A score of one scale on another; never clamped.",
        example: ("rescale(4, 1, 5, 0, 100)", "75"),
        errors: &[
            "The score lies outside its scale.",
            "A scale's `min` is not below its `max`.",
            "The result has more than 28 digits.",
        ],
        run: |call| {
            let (score, from_min, from_max) = (call.number(0)?, call.number(1)?, call.number(2)?);
            let (to_min, to_max) = (call.number(3)?, call.number(4)?);
            if from_min >= from_max {
                return call.refuse(1, "the scale's least is not below its most");
            }
            if to_min >= to_max {
                return call.refuse(3, "the scale's least is not below its most");
            }
            if score < from_min || score > from_max {
                return call.refuse(0, "the score lies outside its scale");
            }
            let scaled = || {
                let part = score.checked_sub(from_min)?.checked_mul(to_max.checked_sub(to_min)?)?;
                part.checked_div(from_max.checked_sub(from_min)?)?.checked_add(to_min)
            };
            scaled().map(|score| Value::Decimal(score.normalize())).ok_or_else(|| TOO_LARGE.to_owned())
        },
        ..BASE
    },
    Function {
        name: "percent_of",
        parameters: &[required("part", Kind::Number), required("whole", Kind::Number)],
        doc: "How many percent of the whole the part is.",
        example: ("percent_of(45, 60)", "75"),
        errors: &["`whole` is zero.", "The result has more than 28 digits."],
        run: |call| {
            let whole = call.number(1)?;
            if whole.is_zero() {
                return call.refuse(1, "division by zero");
            }
            let percent = call.number(0)?.checked_mul(Decimal::ONE_HUNDRED).and_then(|part| part.checked_div(whole));
            percent.map(|percent| Value::Decimal(percent.normalize())).ok_or_else(|| TOO_LARGE.to_owned())
        },
        ..BASE
    },
    Function {
        name: "grade",
        parameters: &[required("score", Kind::Number), required("grades", Kind::List)],
        returns: |_| Type::Any,
        doc: "The grade of a score, by pairs of the least score and the grade, in any order; absent below them all.",
        example: ("grade(86, [[90, 'A'], [75, 'B'], [0, 'C']])", "\"B\""),
        errors: &["An item of `grades` is no pair that begins with a number.", "Two grades begin at one score."],
        run: |call| {
            let score = call.number(0)?;
            let pairs = call.list(1)?;
            let mut least = Vec::with_capacity(pairs.len());
            for (place, pair) in pairs.iter().enumerate() {
                match (pair.items(), pair.at(0).as_decimal()) {
                    ([_, grade], Some(number)) => least.push((number, *grade)),
                    _ => return call.refuse(1, format!("item {} is no pair of a number and a grade", place + 1)),
                }
            }
            least.sort_by_key(|(number, _)| *number);
            if least.windows(2).any(|two| two[0].0 == two[1].0) {
                return call.refuse(1, "two grades begin at one score");
            }
            Ok(least.into_iter().rev().find(|(number, _)| *number <= score).map_or(Value::Absent, |(_, grade)| grade))
        },
        ..BASE
    },
    Function {
        name: "band",
        parameters: &[required("score", Kind::Number), required("limits", Kind::List)],
        doc: "The number of the band that a score lies in: how many of the rising limits it has reached.",
        example: ("band(75, [60, 75, 90])", "2"),
        errors: &["The limits do not rise, or one is no number."],
        run: |call| {
            let score = call.number(0)?;
            let limits = thresholds(call, 1, call.list(1)?)?;
            if limits.windows(2).any(|two| two[0] >= two[1]) {
                return call.refuse(1, "the limits do not rise");
            }
            Ok(Value::Decimal(limits.iter().filter(|limit| **limit <= score).count().into()))
        },
        ..BASE
    },
];
