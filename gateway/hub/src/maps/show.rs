//! How results and findings are shown.

use crate::say::{Paint, Tone};
use hub_engine::{Issue, Level, Mapping};
use hub_tree::{Finding, Position, Severity, Span};
use std::sync::Arc;

/// What went wrong while a mapping ran, at the line of its rule.
pub(crate) fn finding(mapping: &Mapping, issue: &Issue) -> Finding {
    let start = mapping.source.position(&issue.file, Position { line: issue.line, column: issue.column });
    let severity = if issue.level == Level::Error { Severity::Error } else { Severity::Warning };
    let about = issue.place();
    let about = if about.is_empty() { String::new() } else { format!("{about}: ") };
    Finding {
        source: Arc::clone(&mapping.source),
        span: Span { start, end: start },
        severity,
        message: format!("{about}{} [{}]", issue.message, issue.code),
        suggestion: None,
    }
}

/// A line of a mapping as ` 12 | text`, under its number in its file.
pub(crate) fn line(mapping: &Mapping, at: Position) -> String {
    let text = mapping.source.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    format!(" {} | {text}", mapping.source.locate(at).1.line)
}

/// Pretty JSON with its keys in colour.
pub(crate) fn json(text: &str, paint: Paint) -> String {
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        let (space, rest) = line.split_at(indent);
        match key_end(rest) {
            Some(end) => format!("{space}{}{}", paint.text(Tone::Name, &rest[..end]), &rest[end..]),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the key ends that a line of pretty JSON begins with.
fn key_end(line: &str) -> Option<usize> {
    let inner = line.strip_prefix('"')?;
    let mut escaped = false;
    let close = inner.char_indices().find_map(|(at, c)| {
        let found = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        found.then_some(at)
    })?;
    inner[close..].starts_with("\": ").then_some(close + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_texts() {
        assert_eq!(key_end(r#""a\"b": 1"#), Some(6));
        assert_eq!(key_end(r#""text: ","#), None);
        assert_eq!(key_end("],"), None);
    }
}
