//! Numbers: exact decimals.

use super::{Call, Function, Kind, optional, required};
use crate::types::Type;
use hub_tree::Value;
use hub_tree::rust_decimal::{Decimal, RoundingStrategy};

const BASE: Function = Function {
    name: "",
    parameters: &[required("number", Kind::Number)],
    repeats: false,
    returns: |_| Type::Number,
    sees_absent: false,
    picks_item: false,
    doc: "",
    example: ("", ""),
    run: |_| Ok(Value::Absent),
};

fn rounded<'a>(call: &Call<'a, '_>, strategy: RoundingStrategy) -> Result<Value<'a>, String> {
    let digits = u32::try_from(call.whole(1, 0, 0..=28)?).unwrap_or(0);
    Ok(Value::Decimal(call.number(0)?.round_dp_with_strategy(digits, strategy)))
}

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

const MANY: Function =
    Function { parameters: &[required("numbers", Kind::Any)], repeats: true, sees_absent: true, ..BASE };

pub(super) const ALL: &[Function] = &[
    Function {
        name: "number",
        parameters: &[required("value", Kind::Any)],
        doc: "Text as a number; white space around it and thousands separators between groups of three are passed over.",
        example: ("number(' 12,000.50 ')", "12000.50"),
        run: |call| match call.value(0) {
            value @ (Value::Number(_) | Value::Decimal(_)) => Ok(value),
            Value::Text(text) => match parse(text.trim()) {
                Some(number) => Ok(Value::Decimal(number)),
                None => Err("the text is no number".to_owned()),
            },
            _ => call.wrong(0, "text or a number"),
        },
        ..BASE
    },
    Function {
        name: "round",
        parameters: &[required("number", Kind::Number), optional("digits", Kind::Number)],
        doc: "Rounded to so many digits after the point (0 unless told); halves go away from zero.",
        example: ("round(84.995, 2)", "85.00"),
        run: |call| rounded(call, RoundingStrategy::MidpointAwayFromZero),
        ..BASE
    },
    Function {
        name: "round_half_even",
        parameters: &[required("number", Kind::Number), optional("digits", Kind::Number)],
        doc: "Rounded like `round`, but halves go to the even neighbour.",
        example: ("round_half_even(2.5)", "2"),
        run: |call| rounded(call, RoundingStrategy::MidpointNearestEven),
        ..BASE
    },
    Function {
        name: "floor",
        parameters: &[required("number", Kind::Number), optional("digits", Kind::Number)],
        doc: "Rounded down, towards minus infinity.",
        example: ("floor(7.99)", "7"),
        run: |call| rounded(call, RoundingStrategy::ToNegativeInfinity),
        ..BASE
    },
    Function {
        name: "ceil",
        parameters: &[required("number", Kind::Number), optional("digits", Kind::Number)],
        doc: "Rounded up, towards plus infinity.",
        example: ("ceil(7.01)", "8"),
        run: |call| rounded(call, RoundingStrategy::ToPositiveInfinity),
        ..BASE
    },
    Function {
        name: "abs",
        doc: "Without its sign.",
        example: ("abs(-3.5)", "3.5"),
        run: |call| Ok(Value::Decimal(call.number(0)?.abs())),
        ..BASE
    },
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
        parameters: &[required("list", Kind::List)],
        doc: "The sum of a list's numbers; an absent item is an error, never zero.",
        example: ("sum([0.1, 0.2])", "0.3"),
        run: |call| {
            let mut total = Decimal::ZERO;
            for number in numbers(call)? {
                total = total.checked_add(number).ok_or("the sum has more than 28 digits")?;
            }
            Ok(Value::Decimal(total))
        },
        ..BASE
    },
];

/// A number as people write it: thousands separators only where they belong.
fn parse(text: &str) -> Option<Decimal> {
    if !text.contains(',') {
        return hub_tree::value::parse_decimal(text);
    }
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let first = groups.next()?;
    let well_grouped = (1..=3).contains(&first.len())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()))
        && fraction.is_none_or(|f| !f.contains(','));
    well_grouped.then(|| hub_tree::value::parse_decimal(&text.replace(',', "")))?
}
