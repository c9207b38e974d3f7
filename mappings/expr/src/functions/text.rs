//! Text.

use super::{Function, Kind, optional, required};
use crate::types::Type;
use hub_tree::Value;

const BASE: Function = Function {
    name: "",
    parameters: &[required("text", Kind::Text)],
    repeats: false,
    returns: |_| Type::Text,
    sees_absent: false,
    picks_item: false,
    doc: "",
    example: ("", ""),
    run: |_| Ok(Value::Absent),
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
        doc: "In lower case.",
        example: ("lower('Li.Na@Example.COM')", "\"li.na@example.com\""),
        run: |call| Ok(call.new_text(&call.text(0)?.to_lowercase())),
        ..BASE
    },
    Function {
        name: "upper",
        doc: "In upper case.",
        example: ("upper('cny')", "\"CNY\""),
        run: |call| Ok(call.new_text(&call.text(0)?.to_uppercase())),
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
        name: "left",
        parameters: &[required("text", Kind::Text), required("count", Kind::Number)],
        doc: "The first characters.",
        example: ("left('20261123', 4)", "\"2026\""),
        run: |call| {
            let count = call.whole(1, 0, 0..=1_000_000)?;
            let text = call.text(0)?;
            let end = text.char_indices().nth(usize::try_from(count).unwrap_or(0)).map_or(text.len(), |(at, _)| at);
            Ok(Value::Text(&text[..end]))
        },
        ..BASE
    },
    Function {
        name: "right",
        parameters: &[required("text", Kind::Text), required("count", Kind::Number)],
        doc: "The last characters.",
        example: ("right('6222020200112233', 4)", "\"2233\""),
        run: |call| {
            let text = call.text(0)?;
            let count = usize::try_from(call.whole(1, 0, 0..=1_000_000)?).unwrap_or(0);
            let skip = text.chars().count().saturating_sub(count);
            let start = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
            Ok(Value::Text(&text[start..]))
        },
        ..BASE
    },
    Function {
        name: "replace",
        parameters: &[required("text", Kind::Text), required("from", Kind::Text), required("to", Kind::Text)],
        doc: "With every `from` replaced by `to`.",
        example: ("replace('138-0013-8000', '-', '')", "\"13800138000\""),
        run: |call| {
            let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
            if from.is_empty() {
                return Err("there is nothing to replace".to_owned());
            }
            if to.len() > from.len() && text.matches(from).count() * to.len() > 1 << 20 {
                return Err("the result is too long".to_owned());
            }
            Ok(call.new_text(&text.replace(from, to)))
        },
        ..BASE
    },
    Function {
        name: "contains",
        parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the part occurs in the text.",
        example: ("contains('customer service', 'service')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.contains(call.text(1)?))),
        ..BASE
    },
    Function {
        name: "starts_with",
        parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the text begins with the part.",
        example: ("starts_with('evt-91a2c0', 'evt-')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.starts_with(call.text(1)?))),
        ..BASE
    },
    Function {
        name: "ends_with",
        parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the text ends with the part.",
        example: ("ends_with('resume.pdf', '.pdf')", "true"),
        run: |call| Ok(Value::Bool(call.text(0)?.ends_with(call.text(1)?))),
        ..BASE
    },
    Function {
        name: "split",
        parameters: &[required("text", Kind::Text), required("separator", Kind::Text)],
        returns: |_| Type::list(Type::Text),
        doc: "The parts between separators, each trimmed; empty parts are left out.",
        example: ("split('hx0311, hx0417,', ',')", "[\"hx0311\",\"hx0417\"]"),
        run: |call| {
            let separator = call.text(1)?;
            if separator.is_empty() {
                return Err("the separator is empty".to_owned());
            }
            let parts: Vec<Value<'_>> =
                call.text(0)?.split(separator).map(str::trim).filter(|p| !p.is_empty()).map(Value::Text).collect();
            Ok(call.arena.list(&parts))
        },
        ..BASE
    },
    Function {
        name: "join",
        parameters: &[required("list", Kind::List), optional("separator", Kind::Text)],
        doc: "The items as one text, with the separator (a comma and a space, unless told) between them; absent items are left out.",
        example: ("join(['a', null, 'b'], '/')", "\"a/b\""),
        run: |call| {
            let separator = if call.arguments.len() > 1 { call.text(1)? } else { ", " };
            let mut parts = Vec::new();
            for item in call.list(0)?.iter().filter(|item| !item.is_absent()) {
                match item.scalar_text(call.arena) {
                    Some(text) => parts.push(text),
                    None => return Err(format!("an item is {}, not text", item.kind())),
                }
            }
            Ok(call.new_text(&parts.join(separator)))
        },
        ..BASE
    },
];
