//! Money: minor units by currency, thousands and 万, amounts in words.

use super::{Call, FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_standards::{chinese, codes};
use hub_tree::Value;
use hub_tree::rust_decimal::Decimal;

const TOO_LARGE: &str = "the result has more than 28 digits";

const BASE: Function =
    Function { topic: "Money", parameters: &[required("amount", Kind::Number)], returns: |_| Type::Number, ..FUNCTION };

const BY_CURRENCY: Function =
    Function { parameters: &[required("amount", Kind::Number), required("currency", Kind::Text)], ..BASE };

/// How many digits the currency of a call has behind its point.
fn digits(call: &Call<'_, '_>, index: usize) -> Result<u32, String> {
    let currency = call.text(index)?;
    if codes::is_currency(currency) {
        Ok(codes::minor_digits(currency))
    } else {
        call.refuse(index, "this is no ISO 4217 currency such as CNY")
    }
}

fn times<'a>(call: &Call<'a, '_>, factor: u32) -> Result<Value<'a>, String> {
    let amount = call.number(0)?.checked_mul(factor.into()).ok_or(TOO_LARGE)?;
    Ok(Value::Decimal(amount))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "minor_to_major",
        doc: "An amount in minor units, such as cents, in its major unit.",
        example: ("minor_to_major(1200050, 'CNY')", "12000.50"),
        errors: &["The currency is unknown.", "The amount has a fraction, or more than 28 digits."],
        run: |call| {
            let mut amount = call.number(0)?;
            let digits = digits(call, 1)?;
            if !amount.fract().is_zero() {
                return call.refuse(0, "minor units are whole numbers");
            }
            amount = amount.trunc();
            amount.set_scale(digits).map_err(|_| TOO_LARGE)?;
            Ok(Value::Decimal(amount))
        },
        ..BY_CURRENCY
    },
    Function {
        name: "major_to_minor",
        doc: "An amount in whole minor units: cents, for yen the amount itself, for dinars thousandths.",
        example: ("major_to_minor(1.5, 'KWD')", "1500"),
        errors: &[
            "The currency is unknown.",
            "The amount has more digits than the currency.",
            "The result has more than 28 digits.",
        ],
        run: |call| {
            let factor = Decimal::from(10_u64.pow(digits(call, 1)?));
            let minor = call.number(0)?.checked_mul(factor).ok_or(TOO_LARGE)?;
            if !minor.fract().is_zero() {
                return call.refuse(0, "it has more digits than its currency: round it first");
            }
            Ok(Value::Decimal(minor.trunc()))
        },
        ..BY_CURRENCY
    },
    Function {
        name: "round_money",
        doc: "An amount rounded to the digits of its currency; halves go away from zero.",
        example: ("round_money(1234.5, 'JPY')", "1235"),
        errors: &["The currency is unknown."],
        run: |call| {
            let strategy = hub_tree::rust_decimal::RoundingStrategy::MidpointAwayFromZero;
            Ok(Value::Decimal(call.number(0)?.round_dp_with_strategy(digits(call, 1)?, strategy)))
        },
        ..BY_CURRENCY
    },
    Function {
        name: "from_thousands",
        doc: "An amount that is given in thousands.",
        example: ("from_thousands(12.5)", "12500.0"),
        errors: &["The result has more than 28 digits."],
        run: |call| times(call, 1_000),
        ..BASE
    },
    Function {
        name: "from_wan",
        doc: "An amount that is given in 万, ten thousands.",
        example: ("from_wan(1.2)", "12000.0"),
        errors: &["The result has more than 28 digits."],
        run: |call| times(call, 10_000),
        ..BASE
    },
    Function {
        name: "chinese_amount",
        parameters: &[required("text", Kind::Text)],
        doc: "An amount in Chinese words or in digits with 万, 元, 角, 分, in its major unit.",
        example: ("chinese_amount('1.2万元')", "12000.0"),
        errors: &["The text is no amount."],
        run: |call| match chinese::money(call.text(0)?) {
            Some(amount) => Ok(Value::Decimal(amount)),
            None => call.refuse(0, "the text is no amount"),
        },
        ..BASE
    },
    Function {
        name: "money_in_words",
        returns: |_| Type::Text,
        doc: "An amount of yuan in the capitals of cheques and contracts.",
        example: ("money_in_words(12000.5)", "\"壹万贰仟元伍角整\""),
        errors: &["The amount has more than two digits after the point, or is ten quadrillion or more."],
        run: |call| match chinese::money_in_words(call.number(0)?) {
            Some(words) => Ok(call.new_text(&words)),
            None => call.refuse(0, "it has more than two digits after the point, or is too large"),
        },
        ..BASE
    },
    Function {
        name: "currency_valid",
        parameters: &[required("currency", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the text is an ISO 4217 currency.",
        example: ("currency_valid('RMB')", "false"),
        run: |call| Ok(Value::Bool(codes::is_currency(call.text(0)?))),
        ..BASE
    },
    Function {
        name: "country_valid",
        parameters: &[required("country", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the text is an ISO 3166-1 country of two letters.",
        example: ("country_valid('CN')", "true"),
        run: |call| Ok(Value::Bool(codes::is_country(call.text(0)?))),
        ..BASE
    },
];
