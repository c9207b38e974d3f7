//! `hrhub doctor`: what is wrong or weak in a set-up, and how to mend it.
//!
//! Nothing is changed by looking. What is away is said, and the rest is looked at all the same.

mod broker;
mod files;
mod settings;
mod store;

use crate::cli::{Format, Place};
use crate::config::Config;
use crate::say::{self, Paint, Tone};
use hub_tree::Findings;
use serde_json::json;
use std::process::ExitCode;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// It does not work, or loses or shows what must not be.
    Error,
    /// It works, and may not for long.
    Warning,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something wrong or weak.
struct Finding {
    level: Level,
    /// A file with line, a folder, a setting, a server.
    place: String,
    what: String,
    /// A command or a setting.
    fix: String,
}

/// What was found, and what was looked at.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
    looked_at: Vec<String>,
}

impl Report {
    fn error(&mut self, place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) {
        self.add(Level::Error, place.into(), what.into(), fix.into());
    }

    fn warning(&mut self, place: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) {
        self.add(Level::Warning, place.into(), what.into(), fix.into());
    }

    fn add(&mut self, level: Level, place: String, what: String, fix: String) {
        self.findings.push(Finding { level, place, what, fix });
    }

    fn looked_at(&mut self, what: impl Into<String>) {
        self.looked_at.push(what.into());
    }
}

pub(crate) async fn run(place: &Place, format: Format) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    let findings = Findings::new();
    let mut config = Config::read(&place.config, &findings)?;
    if let Some(data) = &place.data {
        config.data.clone_from(data);
    }
    let broken = findings.has_errors();
    settings::look(&config, place, findings, &mut report);
    files::look(&config, place, &mut report);
    // With a broken hub.yaml the servers would be others than those that are meant.
    if !broken {
        store::look(&config, &mut report).await;
        broker::look(&config, &mut report).await;
    }
    report.findings.sort_by_key(|finding| finding.level);
    Ok(print(&report, format))
}

fn print(report: &Report, format: Format) -> ExitCode {
    let errors = report.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if format == Format::Json {
        let finding = |finding: &Finding| {
            json!({
                "severity": finding.level.word(),
                "where": finding.place,
                "message": finding.what,
                "fix": finding.fix,
            })
        };
        let findings: Vec<_> = report.findings.iter().map(finding).collect();
        say::out(json!({ "findings": findings, "looked_at": report.looked_at }).to_string());
    } else {
        let paint = Paint::of_results();
        for finding in &report.findings {
            let tone = if finding.level == Level::Error { Tone::Error } else { Tone::Warning };
            let level = paint.text(tone, finding.level.word());
            say::out(format!("{level}: {}\n  where: {}\n  fix:   {}\n", finding.what, finding.place, finding.fix));
        }
        let warnings = report.findings.len() - errors;
        let found = match (errors, warnings) {
            (0, 0) => "no problems".to_owned(),
            _ => format!("{}, {}", say::number(errors, "error"), say::number(warnings, "warning")),
        };
        say::out(format!("{found}; looked at: {}", report.looked_at.join(", ")));
    }
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
