//! The one place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place")]

use crate::cli::Format;
use hub_tree::{Finding, Severity, env};
use serde_json::json;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

/// A line of result. When nobody reads any more (`| head`), nothing is lost by not printing.
pub(crate) fn out(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}

/// A line beside the result.
pub(crate) fn note(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}

/// What is going on, on a line that the next one replaces; only where somebody watches.
pub(crate) fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}

/// Empties the screen, where somebody watches one.
pub(crate) fn clear() {
    if std::io::stdout().is_terminal() {
        let _ = write!(std::io::stdout(), "\x1b[2J\x1b[H");
    }
}

/// A command line that cannot be followed: exit code 2.
pub(crate) fn usage(line: impl AsRef<str>) -> ExitCode {
    note(format!("error: {}", line.as_ref()));
    ExitCode::from(2)
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Removed,
    Added,
    Error,
    Warning,
    Name,
    Faint,
}

/// Colours, where somebody watches and `NO_COLOR` is not set.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For results.
    pub(crate) fn of_results() -> Self {
        Self(std::io::stdout().is_terminal() && env::read("NO_COLOR").is_none())
    }

    /// For what stands beside them.
    pub(crate) fn of_notes() -> Self {
        Self(std::io::stderr().is_terminal() && env::read("NO_COLOR").is_none())
    }

    pub(crate) fn text(self, tone: Tone, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Removed | Tone::Error => 31,
            Tone::Added => 32,
            Tone::Warning => 33,
            Tone::Name => 36,
            Tone::Faint => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A finding with its severity in colour.
    pub(crate) fn finding(self, finding: &Finding) -> String {
        let tone = if finding.severity == Severity::Error { Tone::Error } else { Tone::Warning };
        let word = finding.severity.to_string();
        finding.to_string().replacen(&format!(": {word}: "), &format!(": {}: ", self.text(tone, &word)), 1)
    }
}

/// All findings, one below the other, beside the result.
pub(crate) fn findings(findings: &[Finding]) {
    for finding in findings {
        eprintln!("{finding}\n");
    }
}

/// How many errors and warnings there are.
fn count(findings: &[Finding]) -> (usize, usize) {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors, findings.len() - errors)
}

/// A count and its word, in the plural where that is right.
pub(crate) fn number(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The result of a check: its findings, how many there are, and what is sound; errors make the exit code 1.
pub(crate) fn report(found: &[Finding], format: Format, sound: &str) -> ExitCode {
    let (errors, warnings) = count(found);
    if format == Format::Json {
        let list: Vec<_> = found.iter().map(as_json).collect();
        out(serde_json::Value::from(list).to_string());
    } else {
        for finding in found {
            out(format!("{finding}\n"));
        }
        let problems = match (errors, warnings) {
            (0, 0) => "no problems".to_owned(),
            (0, _) => number(warnings, "warning"),
            (_, 0) => number(errors, "error"),
            _ => format!("{}, {}", number(errors, "error"), number(warnings, "warning")),
        };
        out(format!("{problems}; sound: {sound}"));
    }
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) fn as_json(finding: &Finding) -> serde_json::Value {
    let (file, at) = finding.location();
    json!({
        "file": file,
        "line": at.line,
        "column": at.column,
        "severity": finding.severity.to_string(),
        "message": finding.message,
        "suggestion": finding.suggestion,
    })
}
