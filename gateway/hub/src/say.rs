//! The one place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place")]

use hub_tree::{Finding, Severity};

/// A line of result.
pub(crate) fn out(line: impl AsRef<str>) {
    println!("{}", line.as_ref());
}

/// A line beside the result.
pub(crate) fn note(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}

/// All findings, one below the other; how many errors and warnings there are.
pub(crate) fn findings(findings: &[Finding]) -> (usize, usize) {
    for finding in findings {
        eprintln!("{finding}\n");
    }
    count(findings)
}

/// How many errors and warnings there are.
pub(crate) fn count(findings: &[Finding]) -> (usize, usize) {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors, findings.len() - errors)
}
