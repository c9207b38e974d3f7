//! Text as a whole: letters, white space, and what it contains.

use super::{FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_tree::Value;

const BASE: Function =
    Function { topic: "Text", parameters: &[required("text", Kind::Text)], returns: |_| Type::Text, ..FUNCTION };

const TEST: Function = Function {
    parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
    returns: |_| Type::Bool,
    ..BASE
};

pub(super) const ALL: &[Function] = &[
    Function {
        name: "text",
        parameters: &[required("value", Kind::Any)],
        doc: "A number, date or true/false as text.",
        example: ("text(12.50)", "\"12.50\""),
        run: |call| match call.value(0).scalar_text(call.arena) {
            Some(text) => Ok(Value::Text(text)),
            None => call.wrong(0, "one value"),
        },
        ..BASE
    },
    Function {
        name: "trim",
        doc: "Without white space at both ends, full-width spaces included.",
        example: ("trim('  李娜\u{3000}')", "\"李娜\""),
        run: |call| Ok(Value::Text(call.text(0)?.trim())),
        ..BASE
    },
    Function {
        name: "squeeze",
        doc: "Trimmed, with every run of white space inside made one space.",
        example: ("squeeze(' Marisol   Quintana ')", "\"Marisol Quintana\""),
        run: |call| {
            let words: Vec<&str> = call.text(0)?.split_whitespace().collect();
            Ok(call.new_text(&words.join(" ")))
        },
        ..BASE
    },
    Function {
        name: "lower",
        doc: "In small letters.",
        example: ("lower('Li.Na@Example.COM')", "\"li.na@example.com\""),
        run: |call| Ok(call.new_text(&call.text(0)?.to_lowercase())),
        ..BASE
    },
    Function {
        name: "upper",
        doc: "In capital letters.",
        example: ("upper('cny')", "\"CNY\""),
        run: |call| Ok(call.new_text(&call.text(0)?.to_uppercase())),
        ..BASE
    },
    Function {
        name: "title",
        doc: "Each word with a capital letter at its beginning and small ones behind it.",
        example: ("title('MARISOL quintana-REYES')", "\"Marisol Quintana-Reyes\""),
        run: |call| {
            let mut out = String::new();
            let mut inside = false;
            for c in call.text(0)?.chars() {
                if inside {
                    out.extend(c.to_lowercase());
                } else {
                    out.extend(c.to_uppercase());
                }
                inside = c.is_alphanumeric() || c == '\'' || c == '’';
            }
            Ok(call.new_text(&out))
        },
        ..BASE
    },
    Function {
        name: "length",
        returns: |_| Type::Number,
        doc: "How many characters the text has.",
        example: ("length('李娜')", "2"),
        run: |call| Ok(Value::Decimal(call.text(0)?.chars().count().into())),
        ..BASE
    },
    Function {
        name: "contains",
        doc: "Whether the part occurs in the text.",
        example: ("contains('customer service', 'service')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.contains(call.text(1)?))),
        ..TEST
    },
    Function {
        name: "starts_with",
        doc: "Whether the text begins with the part.",
        example: ("starts_with('evt-91a2c0', 'evt-')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.starts_with(call.text(1)?))),
        ..TEST
    },
    Function {
        name: "ends_with",
        doc: "Whether the text ends with the part.",
        example: ("ends_with('resume.pdf', '.pdf')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.ends_with(call.text(1)?))),
        ..TEST
    },
    Function {
        name: "same_text",
        parameters: &[required("text", Kind::Text), required("other", Kind::Text)],
        doc: "Whether two texts are the same but for capital letters, width, and white space at both ends.",
        example: ("same_text(' Offer', 'ＯＦＦＥＲ')", "true"),
        run: |call| {
            let plain = |text: &str| hub_standards::chinese::to_half_width(text).trim().to_lowercase();
            Ok(Value::Bool(plain(call.text(0)?) == plain(call.text(1)?)))
        },
        ..TEST
    },
    Function {
        name: "replace",
        parameters: &[required("text", Kind::Text), required("from", Kind::Text), required("to", Kind::Text)],
        doc: "With every `from` replaced by `to`.",
        example: ("replace('138-0013-8000', '-', '')", "\"13800138000\""),
        errors: &["`from` is empty.", "The result is longer than 1 MiB."],
        run: |call| {
            let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
            if from.is_empty() {
                return call.refuse(1, "there is nothing to replace");
            }
            if to.len() > from.len() {
                call.room_for(text.matches(from).count().saturating_mul(to.len()))?;
            }
            Ok(call.new_text(&text.replace(from, to)))
        },
        ..BASE
    },
    Function {
        name: "remove",
        parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
        repeats: true,
        doc: "Without the parts, wherever they occur; one part after the other.",
        example: ("remove('(021) 5555-1234', '(', ')', ' ')", "\"0215555-1234\""),
        errors: &["A part is empty."],
        run: |call| {
            let mut text = call.text(0)?.to_owned();
            for index in 1..call.arguments.len() {
                if call.text(index)?.is_empty() {
                    return call.refuse(index, "there is nothing to remove");
                }
                text = text.replace(call.text(index)?, "");
                call.spend(text.len() / 64);
            }
            Ok(call.new_text(&text))
        },
        ..BASE
    },
    Function {
        name: "digits_only",
        doc: "The digits of the text, wide ones as plain ones; all else is left out.",
        example: ("digits_only('Tel. (021) ５５５５-1234')", "\"02155551234\""),
        run: |call| {
            let narrow = hub_standards::chinese::to_half_width(call.text(0)?);
            Ok(call.new_text(&narrow.chars().filter(char::is_ascii_digit).collect::<String>()))
        },
        ..BASE
    },
    Function {
        name: "initials",
        doc: "The first letter of each word, in capitals.",
        example: ("initials('Marisol quintana-Reyes')", "\"MQR\""),
        run: |call| {
            let words = call.text(0)?.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
            let letters = words.filter_map(|word| word.chars().next()).flat_map(char::to_uppercase);
            Ok(call.new_text(&letters.collect::<String>()))
        },
        ..BASE
    },
];
