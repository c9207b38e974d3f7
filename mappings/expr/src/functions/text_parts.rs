//! Parts of text: by position, by separator, joined and filled up.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_tree::Value;

const BASE: Function = Function {
    topic: "Parts of text",
    parameters: &[required("text", Kind::Text)],
    returns: |_| Type::Text,
    ..FUNCTION
};

const CUT: Function = Function {
    parameters: &[required("text", Kind::Text), required("separator", Kind::Text)],
    errors: &["The separator is empty."],
    ..BASE
};

const PAD: Function = Function {
    parameters: &[required("text", Kind::Any), required("length", Kind::Number), optional("fill", Kind::Text)],
    errors: &["`fill` is not one character.", "`length` is above 1,000,000."],
    ..BASE
};

/// Where the character with this number begins; the end of the text when there are fewer.
fn offset(text: &str, count: usize) -> usize {
    text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
}

fn separator<'a>(call: &Call<'a, '_>, index: usize) -> Result<&'a str, String> {
    let separator = call.text(index)?;
    if separator.is_empty() { call.refuse(index, "the separator is empty") } else { Ok(separator) }
}

/// What fills a text up to its length.
fn filling(call: &Call<'_, '_>) -> Result<(String, String), String> {
    let text = call.scalar(0)?;
    let fill = if call.has(2) { call.text(2)? } else { " " };
    let mut chars = fill.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return call.refuse(2, "write one character") };
    let missing = call.size(1, 0)?.saturating_sub(text.chars().count());
    call.room_for(missing.saturating_mul(c.len_utf8()).saturating_add(text.len()))?;
    Ok((text.to_owned(), String::from(c).repeat(missing)))
}

fn part<'a>(found: Option<&'a str>) -> Value<'a> {
    found.map_or(Value::Absent, |part| Value::Text(part.trim()))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "left",
        parameters: &[required("text", Kind::Text), required("count", Kind::Number)],
        doc: "The first characters.",
        example: ("left('20261123', 4)", "\"2026\""),
        errors: &["`count` is no whole number from 0 to 1,000,000."],
        run: |call| {
            let text = call.text(0)?;
            Ok(Value::Text(&text[..offset(text, call.size(1, 0)?)]))
        },
        ..BASE
    },
    Function {
        name: "right",
        parameters: &[required("text", Kind::Text), required("count", Kind::Number)],
        doc: "The last characters.",
        example: ("right('6222020200112233', 4)", "\"2233\""),
        errors: &["`count` is no whole number from 0 to 1,000,000."],
        run: |call| {
            let text = call.text(0)?;
            let skip = text.chars().count().saturating_sub(call.size(1, 0)?);
            Ok(Value::Text(&text[offset(text, skip)..]))
        },
        ..BASE
    },
    Function {
        name: "substring",
        parameters: &[required("text", Kind::Text), required("start", Kind::Number), optional("count", Kind::Number)],
        doc: "The characters from `start` on, counted from 0; all of them, or so many.",
        example: ("substring('11010519491231002X', 6, 8)", "\"19491231\""),
        errors: &["`start` or `count` is no whole number from 0 to 1,000,000."],
        run: |call| {
            let text = call.text(0)?;
            let rest = &text[offset(text, call.size(1, 0)?)..];
            Ok(Value::Text(&rest[..offset(rest, call.size(2, 1_000_000)?)]))
        },
        ..BASE
    },
    Function {
        name: "position",
        parameters: &[required("text", Kind::Text), required("part", Kind::Text)],
        returns: |_| Type::Number,
        doc: "Where the part first occurs, counted from 0; absent when it does not.",
        example: ("position('HX-0311', '-')", "2"),
        run: |call| {
            let text = call.text(0)?;
            let found = text.find(call.text(1)?).map(|at| text[..at].chars().count());
            Ok(found.map_or(Value::Absent, |at| Value::Decimal(at.into())))
        },
        ..BASE
    },
    Function {
        name: "before",
        doc: "What stands before the first separator, trimmed; absent when there is none.",
        example: ("before('Shanghai / R&D', '/')", "\"Shanghai\""),
        run: |call| Ok(part(call.text(0)?.split_once(separator(call, 1)?).map(|(before, _)| before))),
        ..CUT
    },
    Function {
        name: "after",
        doc: "What stands behind the first separator, trimmed; absent when there is none.",
        example: ("after('employee: HX0311', ':')", "\"HX0311\""),
        run: |call| Ok(part(call.text(0)?.split_once(separator(call, 1)?).map(|(_, after)| after))),
        ..CUT
    },
    Function {
        name: "before_last",
        doc: "What stands before the last separator, trimmed; absent when there is none.",
        example: ("before_last('cv.final.pdf', '.')", "\"cv.final\""),
        run: |call| Ok(part(call.text(0)?.rsplit_once(separator(call, 1)?).map(|(before, _)| before))),
        ..CUT
    },
    Function {
        name: "after_last",
        doc: "What stands behind the last separator, trimmed; absent when there is none.",
        example: ("after_last('Group/Sales/North', '/')", "\"North\""),
        run: |call| Ok(part(call.text(0)?.rsplit_once(separator(call, 1)?).map(|(_, after)| after))),
        ..CUT
    },
    Function {
        name: "between",
        parameters: &[required("text", Kind::Text), required("open", Kind::Text), required("close", Kind::Text)],
        doc: "What stands between the first `open` and the `close` that follows it, trimmed; absent when there is none.",
        example: ("between('李娜 (HX0311)', '(', ')')", "\"HX0311\""),
        errors: &["`open` or `close` is empty."],
        run: |call| {
            let (open, close) = (separator(call, 1)?, separator(call, 2)?);
            let rest = call.text(0)?.split_once(open).map(|(_, rest)| rest);
            Ok(part(rest.and_then(|rest| rest.split_once(close)).map(|(inner, _)| inner)))
        },
        ..BASE
    },
    Function {
        name: "split",
        returns: |_| Type::list(Type::Text),
        doc: "The parts between separators, each trimmed; empty parts are left out.",
        example: ("split('hx0311, hx0417,', ',')", "[\"hx0311\",\"hx0417\"]"),
        errors: &["The separator is empty.", "There are more than 100,000 parts."],
        run: |call| {
            let parts = call.text(0)?.split(separator(call, 1)?).map(str::trim).filter(|p| !p.is_empty());
            call.new_list(&parts.map(Value::Text).collect::<Vec<_>>())
        },
        ..CUT
    },
    Function {
        name: "words",
        returns: |_| Type::list(Type::Text),
        doc: "The words between white space.",
        example: ("words(' Marisol  Quintana ')", "[\"Marisol\",\"Quintana\"]"),
        errors: &["There are more than 100,000 words."],
        run: |call| call.new_list(&call.text(0)?.split_whitespace().map(Value::Text).collect::<Vec<_>>()),
        ..BASE
    },
    Function {
        name: "lines",
        returns: |_| Type::list(Type::Text),
        doc: "The lines, each trimmed; empty ones are left out.",
        example: ("lines('Floor 3\\n\\n88 Nanjing Road')", "[\"Floor 3\",\"88 Nanjing Road\"]"),
        errors: &["There are more than 100,000 lines."],
        run: |call| {
            let lines = call.text(0)?.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
            call.new_list(&lines.map(Value::Text).collect::<Vec<_>>())
        },
        ..BASE
    },
    Function {
        name: "join",
        parameters: &[required("list", Kind::List), optional("separator", Kind::Text)],
        doc: "The items as one text, with the separator (a comma and a space, unless told) between them; absent items are left out.",
        example: ("join(['a', null, 'b'], '/')", "\"a/b\""),
        errors: &["An item is a list or an object.", "The result is longer than 1 MiB."],
        run: |call| {
            let separator = if call.has(1) { call.text(1)? } else { ", " };
            let mut out = String::new();
            let mut begun = false;
            for item in call.list(0)?.iter().filter(|item| !item.is_absent()) {
                let Some(text) = item.scalar_text(call.arena) else {
                    return Err(format!("an item is {}, not text", item.kind()));
                };
                if begun {
                    out.push_str(separator);
                }
                begun = true;
                call.room_for(out.len() + text.len())?;
                out.push_str(text);
            }
            Ok(call.new_text(&out))
        },
        ..BASE
    },
    Function {
        name: "pad_left",
        doc: "Filled up at the left to so many characters, with spaces or with `fill`; longer text stays.",
        example: ("pad_left(311, 6, '0')", "\"000311\""),
        run: |call| filling(call).map(|(text, fill)| call.new_text(&(fill + &text))),
        ..PAD
    },
    Function {
        name: "pad_right",
        doc: "Filled up at the right to so many characters, with spaces or with `fill`; longer text stays.",
        example: ("pad_right('HX', 4, '-')", "\"HX--\""),
        run: |call| filling(call).map(|(text, fill)| call.new_text(&(text + &fill))),
        ..PAD
    },
];
