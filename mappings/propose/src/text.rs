//! YAML and expression text.

use std::fmt::Write as _;

/// Text as YAML of one line, in a map of braces or outside: plain where that is safe, else in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' '))
        && text.chars().next().is_some_and(char::is_alphabetic)
        && !text.ends_with(' ')
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null");
    if plain {
        return text.to_owned();
    }
    if text.chars().all(|c| !c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}')) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}') => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key as the next part of a path: `.name`, or `."odd key"`.
pub(crate) fn dotted(key: &str) -> String {
    let mut chars = key.chars();
    let named = chars.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '@' | '#'))
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '@'));
    if named { format!(".{key}") } else { format!(".{}", literal(key)) }
}

/// Text as a literal of an expression.
pub(crate) fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text that may stand behind `#`: one line.
pub(crate) fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}') { ' ' } else { c })
        .collect()
}

/// How many columns the text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| if u32::from(c) >= 0x1100 && c.is_alphanumeric() { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_where_yaml_or_an_expression_needs_it() {
        assert_eq!(quoted("Phone Screen"), "Phone Screen");
        assert_eq!(quoted("it's, so"), "'it''s, so'");
        assert_eq!(quoted("4"), "'4'");
        assert_eq!(quoted("a\nb"), "\"a\\U0000000Ab\"");
        assert_eq!(dotted("手机号"), ".手机号");
        assert_eq!(dotted("starts-at"), ".\"starts-at\"");
        assert_eq!(dotted("a\"b\\"), ".\"a\\\"b\\\\\"");
    }
}
