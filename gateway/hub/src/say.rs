//! The one place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place")]

use crate::cli::Format;
use hub_tree::{Finding, Severity};
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

fn as_json(finding: &Finding) -> serde_json::Value {
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
