//! Chinese numerals, widths and names.

use super::{FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_standards::{chinese, names};
use hub_tree::Value;

const BASE: Function = Function {
    topic: "Chinese text",
    parameters: &[required("text", Kind::Text)],
    returns: |_| Type::Text,
    ..FUNCTION
};

pub(super) const ALL: &[Function] = &[
    Function {
        name: "half_width",
        doc: "With wide letters, digits, signs and spaces made plain ones.",
        example: ("half_width('ＨＸ０３１１')", "\"HX0311\""),
        run: |call| Ok(call.new_text(&chinese::to_half_width(call.text(0)?))),
        ..BASE
    },
    Function {
        name: "full_width",
        doc: "With plain letters, digits, signs and spaces made wide ones.",
        example: ("full_width('No.3')", "\"Ｎｏ．３\""),
        errors: &["The result is longer than 1 MiB."],
        run: |call| {
            call.room_for(call.text(0)?.len().saturating_mul(3) / 2)?;
            Ok(call.new_text(&chinese::to_full_width(call.text(0)?)))
        },
        ..BASE
    },
    Function {
        name: "chinese_number",
        returns: |_| Type::Number,
        doc: "A number in Chinese or Arabic digits with 十 百 千 万 亿; 一万二 is 12000, 一万零二 is 10002.",
        example: ("chinese_number('一万二千五百')", "12500"),
        errors: &["The text is no number."],
        run: |call| {
            let number = chinese::number(call.text(0)?);
            number.map_or_else(|| call.refuse(0, "the text is no number"), |number| Ok(Value::Decimal(number)))
        },
        ..BASE
    },
    Function {
        name: "in_chinese",
        parameters: &[required("number", Kind::Number)],
        doc: "A number in Chinese numerals.",
        example: ("in_chinese(12500)", "\"一万二千五百\""),
        errors: &["The number is ten quadrillion or more."],
        run: |call| match chinese::numerals(call.number(0)?, false) {
            Some(words) => Ok(call.new_text(&words)),
            None => call.refuse(0, "the number is too large for words"),
        },
        ..BASE
    },
    Function {
        name: "is_chinese",
        returns: |_| Type::Bool,
        doc: "Whether the text has only Chinese, Japanese or Korean letters, and at least one.",
        example: ("is_chinese('李娜')", "true"),
        run: |call| Ok(Value::Bool(!call.text(0)?.is_empty() && names::is_cjk(call.text(0)?))),
        ..BASE
    },
    Function {
        name: "full_name",
        parameters: &[required("given", Kind::Text), optional("family", Kind::Text)],
        sees_absent: true,
        doc: "A full name made of its parts as their language writes it; of one part where the other is absent.",
        example: ("full_name('娜', '李')", "\"李娜\""),
        run: |call| {
            let part = |index| if call.value(index).is_absent() { Ok(None) } else { call.text(index).map(Some) };
            Ok(names::compose(part(0)?, part(1)?).map_or(Value::Absent, |name| call.new_text(&name)))
        },
        ..BASE
    },
    Function {
        name: "family_name",
        doc: "The surname of a Chinese name by the list of surnames; absent where that is not certain. Only for names that are known to be Chinese.",
        example: ("family_name('欧阳明月')", "\"欧阳\""),
        run: |call| Ok(names::split_chinese(call.text(0)?).map_or(Value::Absent, |(family, _)| Value::Text(family))),
        ..BASE
    },
    Function {
        name: "given_name",
        doc: "The given name of a Chinese name by the list of surnames; absent where that is not certain. Only for names that are known to be Chinese.",
        example: ("given_name('李娜')", "\"娜\""),
        run: |call| Ok(names::split_chinese(call.text(0)?).map_or(Value::Absent, |(_, given)| Value::Text(given))),
        ..BASE
    },
];
