//! Numbers: exact decimals, one at a time.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_standards::chinese::{grouped, to_half_width};
use hub_tree::Value;
use hub_tree::rust_decimal::{Decimal, RoundingStrategy};

const TOO_LARGE: &str = "the result has more than 28 digits";

const BASE: Function = Function {
    topic: "Numbers",
    parameters: &[required("number", Kind::Number)],
    returns: |_| Type::Number,
    ..FUNCTION
};

const ROUNDED: Function = Function {
    parameters: &[required("number", Kind::Number), optional("digits", Kind::Number)],
    errors: &["`digits` is no whole number from -20 to 28."],
    ..BASE
};

/// Rounded to digits after the point; negative ones stand before it.
fn rounded<'a>(call: &Call<'a, '_>, strategy: RoundingStrategy) -> Result<Value<'a>, String> {
    let digits = call.whole(1, 0, -20..=28)?;
    let number = call.number(0)?;
    let places = u32::try_from(digits.unsigned_abs()).unwrap_or(0);
    if digits >= 0 {
        return Ok(Value::Decimal(number.round_dp_with_strategy(places, strategy)));
    }
    let unit = (0..places).fold(Decimal::ONE, |unit, _| unit * Decimal::TEN);
    let whole = number.checked_div(unit).ok_or(TOO_LARGE)?.round_dp_with_strategy(0, strategy);
    whole.checked_mul(unit).map(Value::Decimal).ok_or_else(|| TOO_LARGE.to_owned())
}

/// A number as people write it with this decimal mark; grouping signs only between groups of three.
fn localized(text: &str, mark: char) -> Option<Decimal> {
    let text = to_half_width(text);
    let text = text.trim();
    let plain: String = text
        .chars()
        .map(|c| match c {
            c if c == mark => '.',
            '.' | ',' | '\'' | '’' | ' ' | '\u{A0}' | '\u{202F}' => ',',
            c => c,
        })
        .collect();
    grouped(&plain)
}

/// What `number` makes of text. Some systems write the minus behind the digits: `120.50-`.
fn parsed(call: &Call<'_, '_>, text: &str) -> Result<Option<Decimal>, String> {
    if let Some(digits) = text.trim().strip_suffix('-').filter(|digits| digits.ends_with(|c: char| c.is_ascii_digit()))
    {
        let positive = parsed(call, digits)?.filter(|number| number.is_sign_positive() && !digits.starts_with('+'));
        return Ok(positive.map(|number| -number));
    }
    let mark = if call.has(1) { call.text(1)? } else { "." };
    match mark {
        "." if !call.has(1) => Ok(grouped(text.trim())),
        "." => Ok(localized(text, '.')),
        "," => Ok(localized(text, ',')),
        _ => call.refuse(1, "write '.' or ','"),
    }
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "number",
        parameters: &[required("value", Kind::Any), optional("decimal_mark", Kind::Text)],
        doc: "Text as a number; white space around it and signs between groups of three digits are passed over; a minus may stand behind the digits. With the decimal mark ',' the text 1.234,56 is read.",
        example: ("number('1.234,56', ',')", "1234.56"),
        errors: &["The text is no number.", "`decimal_mark` is neither '.' nor ','."],
        run: |call| match call.value(0) {
            value @ (Value::Number(_) | Value::Decimal(_)) => Ok(value),
            Value::Text(text) => match parsed(call, text)? {
                Some(number) => Ok(Value::Decimal(number)),
                None => Err("the text is no number".to_owned()),
            },
            _ => call.wrong(0, "text or a number"),
        },
        ..BASE
    },
    Function {
        name: "is_number",
        parameters: &[required("value", Kind::Any), optional("decimal_mark", Kind::Text)],
        returns: |_| Type::Bool,
        sees_absent: true,
        doc: "Whether `number` could read the value; what is absent is no number.",
        example: ("is_number('12k')", "false"),
        errors: &["`decimal_mark` is neither '.' nor ','."],
        run: |call| {
            Ok(Value::Bool(match call.value(0) {
                Value::Text(text) => parsed(call, text)?.is_some(),
                value => value.as_decimal().is_some(),
            }))
        },
        ..BASE
    },
    Function {
        name: "percent",
        parameters: &[required("value", Kind::Any)],
        doc: "A rate in percent as a share of one; of a number, or of text with or without its sign.",
        example: ("percent('8.5%')", "0.085"),
        errors: &["The text is no rate in percent."],
        run: |call| {
            let number = match call.value(0) {
                Value::Text(text) => {
                    let text = to_half_width(text);
                    grouped(text.trim().trim_end_matches('%').trim_end())
                }
                _ => Some(call.number(0)?),
            };
            match number.and_then(|number| number.checked_div(Decimal::ONE_HUNDRED)) {
                Some(rate) => Ok(Value::Decimal(rate.normalize())),
                None => call.refuse(0, "the text is no rate in percent"),
            }
        },
        ..BASE
    },
    Function {
        name: "round",
        doc: "Rounded to so many digits after the point (0 unless told, negative before the point); halves go away from zero.",
        example: ("round(84.995, 2)", "85.00"),
        run: |call| rounded(call, RoundingStrategy::MidpointAwayFromZero),
        ..ROUNDED
    },
    Function {
        name: "round_half_even",
        doc: "Rounded like `round`, but halves go to the even neighbour.",
        example: ("round_half_even(2.5)", "2"),
        run: |call| rounded(call, RoundingStrategy::MidpointNearestEven),
        ..ROUNDED
    },
    Function {
        name: "round_half_down",
        doc: "Rounded like `round`, but halves go towards zero.",
        example: ("round_half_down(2.5)", "2"),
        run: |call| rounded(call, RoundingStrategy::MidpointTowardZero),
        ..ROUNDED
    },
    Function {
        name: "floor",
        doc: "Rounded down, towards minus infinity.",
        example: ("floor(7.99)", "7"),
        run: |call| rounded(call, RoundingStrategy::ToNegativeInfinity),
        ..ROUNDED
    },
    Function {
        name: "ceil",
        doc: "Rounded up, towards plus infinity.",
        example: ("ceil(7.01)", "8"),
        run: |call| rounded(call, RoundingStrategy::ToPositiveInfinity),
        ..ROUNDED
    },
    Function {
        name: "trunc",
        doc: "Cut off after so many digits, towards zero.",
        example: ("trunc(-7.99)", "-7"),
        run: |call| rounded(call, RoundingStrategy::ToZero),
        ..ROUNDED
    },
    Function {
        name: "round_to",
        parameters: &[required("number", Kind::Number), required("step", Kind::Number)],
        doc: "Rounded to the nearest multiple of a step; halves go away from zero.",
        example: ("round_to(12.13, 0.05)", "12.15"),
        errors: &["`step` is not above zero.", "The result has more than 28 digits."],
        run: |call| {
            let step = call.number(1)?;
            if step <= Decimal::ZERO {
                return call.refuse(1, "the step is not above zero");
            }
            let times = call.number(0)?.checked_div(step).ok_or(TOO_LARGE)?;
            let times = times.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
            times.checked_mul(step).map(Value::Decimal).ok_or_else(|| TOO_LARGE.to_owned())
        },
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
        name: "sign",
        doc: "-1, 0 or 1.",
        example: ("sign(-3.5)", "-1"),
        run: |call| {
            let number = call.number(0)?;
            let sign = i8::from(number > Decimal::ZERO) - i8::from(number < Decimal::ZERO);
            Ok(Value::Decimal(sign.into()))
        },
        ..BASE
    },
    Function {
        name: "mod",
        parameters: &[required("number", Kind::Number), required("divisor", Kind::Number)],
        doc: "What is left after division, with the sign of the divisor, as sheets have it.",
        example: ("mod(-1, 12)", "11"),
        errors: &["`divisor` is zero.", "The result has more than 28 digits."],
        run: |call| {
            let divisor = call.number(1)?;
            if divisor.is_zero() {
                return call.refuse(1, "division by zero");
            }
            let left = call.number(0)?.checked_rem(divisor).ok_or(TOO_LARGE)?;
            let wrong_side = !left.is_zero() && left.is_sign_negative() != divisor.is_sign_negative();
            let left = if wrong_side { left.checked_add(divisor).ok_or(TOO_LARGE)? } else { left };
            Ok(Value::Decimal(left))
        },
        ..BASE
    },
    Function {
        name: "power",
        parameters: &[required("base", Kind::Number), required("exponent", Kind::Number)],
        doc: "The base multiplied by itself so many times.",
        example: ("power(1.05, 3)", "1.157625"),
        errors: &[
            "`exponent` is no whole number from -100 to 100.",
            "Zero with a negative exponent.",
            "The result has more than 28 digits.",
        ],
        run: |call| {
            let (base, exponent) = (call.number(0)?, call.whole(1, 0, -100..=100)?);
            let mut result = Decimal::ONE;
            for _ in 0..exponent.unsigned_abs() {
                result = result.checked_mul(base).ok_or(TOO_LARGE)?;
            }
            let result = if exponent < 0 {
                Decimal::ONE.checked_div(result).ok_or("division by zero")?.normalize()
            } else {
                result
            };
            Ok(Value::Decimal(result))
        },
        ..BASE
    },
    Function {
        name: "clamp",
        parameters: &[
            required("number", Kind::Number),
            required("least", Kind::Number),
            required("most", Kind::Number),
        ],
        doc: "The number, or the bound that it lies beyond.",
        example: ("clamp(120, 0, 100)", "100"),
        errors: &["`least` is above `most`."],
        run: |call| {
            let (least, most) = (call.number(1)?, call.number(2)?);
            if least > most {
                return call.refuse(1, "it is above `most`");
            }
            Ok(Value::Decimal(call.number(0)?.clamp(least, most)))
        },
        ..BASE
    },
];

#[cfg(test)]
mod tests {
    use super::localized;

    #[test]
    fn grouping_signs_stand_only_between_groups_of_three() {
        let read = |text, mark| localized(text, mark).map(|number| number.to_string());
        for (text, mark, wanted) in [
            ("1.234,56", ',', "1234.56"),
            ("1 234 567,8", ',', "1234567.8"),
            ("1'234.50", '.', "1234.50"),
            ("-1.234", ',', "-1234"),
            ("１２３", '.', "123"),
        ] {
            assert_eq!(read(text, mark).as_deref(), Some(wanted), "{text}");
        }
        for (text, mark) in [("1.23,4", ','), ("12,34,56", '.'), ("1,2,3", ','), ("", '.'), ("1.234.5", ',')] {
            assert_eq!(read(text, mark), None, "{text}");
        }
    }
}
