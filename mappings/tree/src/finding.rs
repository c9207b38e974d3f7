//! What is wrong, where, and what to do: the one form in which every checker of the hub reports.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A file that was read, kept for quoting its lines; or a stack of files that make up one thing.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user knows it; of a stack, the path of the last file.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Of a stack: how many lines stand before each file, and its path.
    parts: Vec<(usize, String)>,
}

impl Source {
    /// A source to share.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text: String = text.into();
        // A byte order mark is no text: it would move every column of the first line.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Arc::new(Self { path: path.into(), text, parts: Vec::new() })
    }

    /// Files one after the other under one numbering of lines, so that what is made of several files keeps exact
    /// places. The second half of the result says how many lines stand before each file.
    #[must_use]
    pub fn stacked(files: &[Arc<Source>]) -> (Arc<Self>, Vec<usize>) {
        if let [only] = files {
            return (Arc::clone(only), vec![0]);
        }
        let (mut text, mut parts, mut lines) = (String::new(), Vec::new(), 0);
        for file in files {
            parts.push((lines, file.path.clone()));
            text.push_str(&file.text);
            if !file.text.ends_with('\n') {
                text.push('\n');
            }
            lines = text.lines().count();
        }
        let path = files.last().map(|file| file.path.clone()).unwrap_or_default();
        let before = parts.iter().map(|(lines, _)| *lines).collect();
        (Arc::new(Self { path, text, parts }), before)
    }

    /// The place behind the last character; a final line break begins no line.
    pub(crate) fn last(&self) -> Position {
        let line = self.text.lines().count().max(1);
        Position { line, column: self.text.lines().last().map_or(0, |line| line.chars().count()) + 1 }
    }

    /// The file that a position of this source lies in, and the position there.
    #[must_use]
    pub fn locate(&self, at: Position) -> (&str, Position) {
        match self.parts.iter().rev().find(|(before, _)| at.line > *before) {
            Some((before, path)) => (path, Position { line: at.line - before, column: at.column }),
            None => (&self.path, at),
        }
    }

    /// The position of this source that [`Source::locate`] finds at `at` of the file `path`.
    #[must_use]
    pub fn position(&self, path: &str, at: Position) -> Position {
        let before = self.parts.iter().find(|(_, part)| part == path).map_or(0, |(before, _)| *before);
        Position { line: before + at.line, column: at.column }
    }

    /// A position as people write it: `path:line:column`.
    #[must_use]
    pub fn place(&self, at: Position) -> String {
        let (path, at) = self.locate(at);
        format!("{path}:{at}")
    }
}

/// A place in a source: line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// From a place up to, not including, another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// Behind the last character.
    pub end: Position,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the file is used.
    Warning,
    /// The file is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One problem of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub source: Arc<Source>,
    /// The place in it.
    pub span: Span,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

impl Finding {
    /// `path:line:column`.
    #[must_use]
    pub fn place(&self) -> String {
        self.source.place(self.span.start)
    }

    /// The file, and the line and column in it.
    #[must_use]
    pub fn location(&self) -> (&str, Position) {
        self.source.locate(self.span.start)
    }
}

/// Columns of a line that are shown.
const WIDEST: usize = 160;

/// The beginning of a text, as far as so many columns.
fn clip(text: &str, columns: usize) -> String {
    let mut left = columns;
    let kept: String = text
        .chars()
        .take_while(|c| {
            let fits = width(*c) <= left;
            left = left.saturating_sub(width(*c));
            fits
        })
        .collect();
    if kept.len() < text.len() { kept + "…" } else { kept }
}

/// `path:line:column: error: message`, then the line with a caret below, then the suggestion.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place(), self.severity, self.message)?;
        let Span { start, end } = self.span;
        if let Some(line) = self.source.text.lines().nth(start.line.saturating_sub(1)) {
            let number = self.location().1.line.to_string();
            let gutter = " ".repeat(number.len());
            let before: usize = line.chars().take(start.column - 1).map(width).sum();
            let last = if end.line == start.line { end.column } else { usize::MAX };
            let under: usize =
                line.chars().skip(start.column - 1).take(last.saturating_sub(start.column)).map(width).sum();
            let shown = line.replace('\t', " ");
            let under = under.max(1);
            if before + under <= WIDEST || shown.width() <= WIDEST {
                let shown = clip(&shown, WIDEST.max(before + under));
                write!(f, "\n {number} | {shown}\n {gutter} | {}{}", " ".repeat(before), "^".repeat(under))?;
            } else {
                // Of a very long line, what stands around the place.
                let from = before.saturating_sub(WIDEST / 2);
                let skipped = shown.chars().scan(0, |passed, c| {
                    *passed += width(c);
                    Some(*passed)
                });
                let skip = skipped.take_while(|passed| *passed <= from).count();
                let rest: String = shown.chars().skip(skip).collect();
                let cut: usize = shown.chars().take(skip).map(width).sum();
                let under = under.min(WIDEST / 2);
                write!(f, "\n {number} | …{}", clip(&rest, WIDEST))?;
                write!(f, "\n {gutter} | {}{}", " ".repeat(before - cut + 1), "^".repeat(under))?;
            }
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "\n help: {suggestion}"),
            None => Ok(()),
        }
    }
}

fn width(c: char) -> usize {
    if c == '\t' { 1 } else { c.width().unwrap_or(0) }
}

/// Collects findings while files are read; shared by reference, so that decoders stay simple.
#[derive(Debug, Default)]
pub struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn push(&self, finding: Finding) {
        self.0.borrow_mut().push(finding);
    }

    /// Adds an error.
    pub fn error(&self, source: &Arc<Source>, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        let source = Arc::clone(source);
        self.push(Finding { source, span, severity: Severity::Error, message: message.into(), suggestion });
    }

    /// Adds a warning.
    pub fn warning(&self, source: &Arc<Source>, span: Span, message: impl Into<String>, suggestion: Option<String>) {
        let source = Arc::clone(source);
        self.push(Finding { source, span, severity: Severity::Warning, message: message.into(), suggestion });
    }

    /// True when something is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.borrow().iter().any(|f| f.severity == Severity::Error)
    }

    /// How many errors there are.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.0.borrow().iter().filter(|f| f.severity == Severity::Error).count()
    }

    /// All findings by file and place.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Finding> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| (a.location(), &a.message).cmp(&(b.location(), &b.message)));
        // A layer that several mappings share is read for each of them.
        all.dedup_by(|a, b| {
            let told = |finding: &Finding| (finding.severity, finding.suggestion.clone());
            a.location() == b.location() && a.message == b.message && told(a) == told(b)
        });
        all
    }
}

/// The candidate that a person most likely meant by `word`, if one is near enough.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = normal(word);
    let allowed = wanted.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&wanted, &normal(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, candidate)| (*distance, candidate.width()))
        .map(|(_, candidate)| candidate)
}

/// A suggestion for an unknown name: the nearest known one, else the list of them when it is short.
#[must_use]
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    (!all.is_empty() && all.len() <= 24).then(|| format!("one of: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_line_with_carets_under_wide_characters_too() {
        let source = Source::new("a.yaml", "x: 1\n姓名: 李娜\n");
        let span = Span { start: Position { line: 2, column: 5 }, end: Position { line: 2, column: 7 } };
        let findings = Findings::new();
        findings.error(&source, span, "not a number", Some("write digits".into()));
        let text = findings.into_sorted()[0].to_string();
        assert_eq!(text, "a.yaml:2:5: error: not a number\n 2 | 姓名: 李娜\n   |       ^^^^\n help: write digits");
    }

    #[test]
    fn of_a_very_long_line_what_stands_around_the_place_is_shown() {
        let line = format!("x: {}HERE{}", "长a ".repeat(300), "b".repeat(600));
        let source = Source::new("a.yaml", line.clone());
        let column = line.chars().take_while(|c| *c != 'H').count() + 1;
        let at = |column| Position { line: 1, column };
        let findings = Findings::new();
        findings.error(&source, Span { start: at(column), end: at(column + 4) }, "odd", None);
        let text = findings.into_sorted()[0].to_string();
        let lines: Vec<&str> = text.lines().collect();
        let caret: usize = lines[2].chars().take_while(|c| *c != '^').map(width).sum();
        let shown: usize = lines[1].chars().take_while(|c| *c != 'H').map(width).sum();
        assert_eq!((caret, lines[2].matches('^').count()), (shown, 4), "{text}");
        assert!(lines[1].width() < WIDEST + 20, "{text}");
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["candidate", "application", "interview"];
        assert_eq!(nearest("aplication", names), Some("application"));
        assert_eq!(nearest("Candidate", names), Some("candidate"));
        assert_eq!(nearest("payslip", names), None);
        assert_eq!(suggest("payslip", names).unwrap(), "one of: candidate, application, interview");
    }
}
