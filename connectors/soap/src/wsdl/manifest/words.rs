//! Names and texts as YAML and expressions take them.

use hub_kit::types::{Field, Kind};
use std::fmt::Write as _;

/// A name in small letters with `_` between words: `GetEmployeeV2` → `get_employee_v2`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (index, c) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let next = letters.get(index + 1);
        let begins = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(|b| b.is_uppercase()) && next.is_some_and(|n| n.is_lowercase())));
        if begins && !out.ends_with('_') {
            out.push('_');
        }
        match c {
            c if c.is_alphanumeric() => out.extend(c.to_lowercase()),
            _ if !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    out.trim_matches('_').to_owned()
}

/// A step of a path.
pub(super) fn segment(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_numeric());
    if plain { format!(".{name}") } else { format!("[\"{name}\"]") }
}

/// Text in double quotes, for YAML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => _ = write!(out, "\\x{:02x}", u32::from(c) & 0xFF),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Text for a comment: on one line.
pub(super) fn quiet(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// A word of a value, in quotes where it would be read as something else.
pub(super) fn word(text: &str) -> String {
    let plain = text.strip_suffix(['?', '*', '+']).unwrap_or(text);
    if matches!(plain.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "") {
        quoted(text)
    } else {
        text.to_owned()
    }
}

pub(super) fn bare(kind: &Kind) -> &str {
    match kind {
        Kind::Builtin(builtin) => builtin.word(),
        Kind::Named(key) => key,
    }
}

pub(super) fn kind(held: &Kind) -> String {
    word(bare(held))
}

pub(super) fn occurs(field: &Field) -> String {
    // A field of a choice may be absent anyway.
    let mark = match (field.optional && field.choice.is_none(), field.list) {
        (true, true) => "*",
        (false, true) => "+",
        (true, false) => "?",
        (false, false) => "",
    };
    let nil = if field.nil { " nil" } else { "" };
    word(&format!("{}{mark}{nil}", bare(&field.kind)))
}

pub(super) fn inline(parts: &[(&str, String)]) -> String {
    let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_in_small_letters() {
        for (name, wanted) in [
            ("GetEmployee", "get_employee"),
            ("getHTTPStatusV2", "get_http_status_v2"),
            ("Hire_Employee", "hire_employee"),
            ("BAPI_EMPLOYEE_GETDATA", "bapi_employee_getdata"),
            ("查询员工", "查询员工"),
            ("a-b.c", "a_b_c"),
        ] {
            assert_eq!(snake(name), wanted);
        }
    }

    #[test]
    fn text_stays_on_its_line_and_in_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\x01""#);
        assert_eq!(
            (word("true"), word("null?"), word("string?")),
            ("\"true\"".into(), "\"null?\"".into(), "string?".into())
        );
        assert_eq!(segment("a-b"), "[\"a-b\"]");
    }
}
