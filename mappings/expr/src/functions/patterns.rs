//! Text against patterns: stars and question marks, and regular expressions that take linear time.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_tree::Value;
use regex_lite::{Regex, RegexBuilder};

/// Longest text that a pattern is tried on, in bytes.
const MAX_SEARCHED: usize = 16 << 10;
/// Longest text whose every match is looked for: where none ends, each search reads on to the end.
const MAX_SEARCHED_FOR_ALL: usize = 2 << 10;
const MAX_PATTERN: usize = 500;

const BASE: Function = Function {
    topic: "Patterns",
    parameters: &[required("text", Kind::Text), required("pattern", Kind::Text)],
    returns: |_| Type::Text,
    errors: &[
        "The pattern is no regular expression, longer than 500 bytes, or too large.",
        "The text is longer than 16 KiB.",
    ],
    ..FUNCTION
};

const ALL_ERRORS: &[&str] = &[
    "The pattern is no regular expression, longer than 500 bytes, or too large.",
    "The text is longer than 2 KiB, or the result longer than 1 MiB.",
];

/// Checks the text and the pattern of a call, and charges for what a search costs at worst.
fn checked<'a>(call: &Call<'a, '_>, longest: usize) -> Result<(&'a str, &'a str), String> {
    let (text, pattern) = (call.text(0)?, call.text(1)?);
    if text.len() > longest {
        return call.refuse(0, format!("the text is longer than {longest} bytes"));
    }
    if pattern.len() > MAX_PATTERN {
        return call.refuse(1, format!("the pattern is longer than {MAX_PATTERN} bytes"));
    }
    call.spend(100 + text.len() * pattern.len().max(64) / 8);
    Ok((text, pattern))
}

fn build(call: &Call<'_, '_>, pattern: &str, size: usize) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(size).nest_limit(20).build();
    built.or_else(|error| call.refuse(1, format!("the pattern is not valid: {error}")))
}

/// For the first match.
fn regex<'a>(call: &Call<'a, '_>) -> Result<(&'a str, Regex), String> {
    let (text, pattern) = checked(call, MAX_SEARCHED)?;
    Ok((text, build(call, pattern, 16 << 10)?))
}

/// For every match.
fn regex_for_all<'a>(call: &Call<'a, '_>) -> Result<(&'a str, Regex), String> {
    let (text, pattern) = checked(call, MAX_SEARCHED_FOR_ALL)?;
    call.spend(text.len() * text.len() / 64);
    Ok((text, build(call, pattern, 8 << 10)?))
}

/// Whether text fits a pattern of literal characters, `?` for one and `*` for any number of characters.
fn fits(text: &[char], pattern: &[char]) -> bool {
    let (mut t, mut p) = (0, 0);
    // Where the last star stood, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "like",
        returns: |_| Type::Bool,
        doc: "Whether the whole text fits a pattern in which `*` stands for any characters and `?` for one.",
        example: ("like('HX-2026-0311', 'HX-????-*')", "true"),
        errors: &["The pattern is longer than 500 bytes.", "The text is longer than 16 KiB."],
        run: |call| {
            let (text, pattern) = checked(call, MAX_SEARCHED)?;
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            Ok(Value::Bool(fits(&chars(text), &chars(pattern))))
        },
        ..BASE
    },
    Function {
        name: "matches",
        returns: |_| Type::Bool,
        doc: "Whether the whole text fits a regular expression. Classes such as \\d and \\w are ASCII.",
        example: ("matches('HX0311', '[A-Z]{2}[0-9]{4}')", "true"),
        run: |call| {
            // The pattern is built alone first, so that its brackets cannot reach around the anchors.
            let (text, _) = regex(call)?;
            let whole = build(call, &format!("^(?:{})$", call.text(1)?), 17 << 10)?;
            Ok(Value::Bool(whole.is_match(text)))
        },
        ..BASE
    },
    Function {
        name: "find",
        doc: "The first part of the text that fits a regular expression, or what its first group holds; absent when none does.",
        example: ("find('ref: HX-0311 (open)', 'HX-([0-9]+)')", "\"0311\""),
        run: |call| {
            let (text, regex) = regex(call)?;
            let found = regex.captures(text).and_then(|groups| {
                let wanted = if groups.len() > 1 { 1 } else { 0 };
                groups.get(wanted).map(|part| part.range())
            });
            Ok(found.and_then(|range| text.get(range)).map_or(Value::Absent, Value::Text))
        },
        ..BASE
    },
    Function {
        name: "find_all",
        returns: |_| Type::list(Type::Text),
        doc: "All parts of the text that fit a regular expression.",
        errors: ALL_ERRORS,
        example: ("find_all('a1 b22', '[0-9]+')", "[\"1\",\"22\"]"),
        run: |call| {
            let (text, regex) = regex_for_all(call)?;
            let parts = regex.find_iter(text).filter_map(|part| text.get(part.range()));
            call.new_list(&parts.map(Value::Text).collect::<Vec<_>>())
        },
        ..BASE
    },
    Function {
        name: "replace_matches",
        parameters: &[required("text", Kind::Text), required("pattern", Kind::Text), optional("to", Kind::Text)],
        doc: "With every part that fits a regular expression replaced by `to`, literally, or removed.",
        example: ("replace_matches('HX 03-11', '[^0-9A-Z]')", "\"HX0311\""),
        errors: ALL_ERRORS,
        run: |call| {
            let (text, regex) = regex_for_all(call)?;
            let to = if call.has(2) { call.text(2)? } else { "" };
            let mut out = String::new();
            let mut done = 0;
            for part in regex.find_iter(text) {
                out.push_str(text.get(done..part.start()).unwrap_or_default());
                out.push_str(to);
                call.room_for(out.len())?;
                done = part.end();
            }
            out.push_str(text.get(done..).unwrap_or_default());
            Ok(call.new_text(&out))
        },
        ..BASE
    },
];

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_and_question_marks_fit_whole_texts() {
        let fit =
            |text: &str, pattern: &str| fits(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>());
        for (text, pattern) in [("", ""), ("", "**"), ("李娜", "李?"), ("aXbXc", "a*X?"), ("aab", "*ab"), ("abc", "*")]
        {
            assert!(fit(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("a", ""), ("", "?"), ("abc", "ab"), ("abc", "*b"), ("aaa", "a*b*")] {
            assert!(!fit(text, pattern), "{text} {pattern}");
        }
    }
}
