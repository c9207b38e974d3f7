//! `hrhub map test`: runs the cases beside mappings and compares whole results.

use super::files;
use crate::cli::{Format, MapTest};
use crate::say::{self, Paint, Tone};
use anyhow::{Context as _, bail};
use hub_engine::Mapping;
use hub_engine::case::{self, Case, Diff, Hunk, Mark, Plan, Suite, is_mapping};
use hub_tree::{Finding, Findings, Severity};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What became of a case.
enum Went {
    Passed,
    /// Its expectation was written, or written anew.
    Written,
    Differs(Diff),
    /// It could not be run: the line of its input, why, and what to do.
    Failed(usize, String, Option<String>),
    /// Its mapping has errors.
    NotRun,
}

pub(crate) fn run(args: &MapTest) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let (paths, filters): (Vec<&String>, Vec<&String>) = args.words.iter().partition(|word| Path::new(word).exists());
    if let [_, second, ..] = filters.as_slice() {
        return Ok(say::usage(format!("`{second}` is no file or folder, and one filter is enough")));
    }
    let here = ".".to_owned();
    let paths = if paths.is_empty() { vec![&here] } else { paths };
    let mut plan = Plan::default();
    for path in &paths {
        let found = discover(Path::new(path))?;
        plan.suites.extend(found.suites.into_iter().filter(|suite| !plan.suites.contains(suite)).collect::<Vec<_>>());
        plan.problems.extend(found.problems);
    }
    plan.problems.sort();
    plan.problems.dedup();
    let places = paths.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(", ");
    if plan.suites.is_empty() && plan.problems.is_empty() {
        bail!("there is no mapping file (*.in.yaml, *.out.yaml) below {places}");
    }
    if let Some(filter) = filters.first()
        && !plan.keep(filter)
    {
        bail!("`{filter}` is no file or folder, and no mapping or case below {places} has it in its name");
    }
    let compiled = on_all_cores(&plan.suites, compile);
    let mut jobs = Vec::new();
    for (suite, (mapping, _)) in plan.suites.iter().zip(&compiled) {
        jobs.extend(suite.cases.iter().map(|case| (suite, case, mapping.as_ref())));
    }
    let went = on_all_cores(&jobs, |(_, case, mapping)| attempt(case, *mapping, args.bless));
    let report = Report {
        plan: &plan,
        findings: compiled.iter().flat_map(|(_, findings)| findings.iter().cloned()).collect(),
        cases: jobs.iter().map(|(suite, case, _)| (*suite, *case)).zip(&went).collect(),
        millis: began.elapsed().as_millis(),
    };
    match args.format {
        Format::Text => report.text(Paint::of_results()),
        Format::Json => report.json(),
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What there is to run at or below a path. In a folder that holds `mappings`, such as a configuration folder, only
/// that one is searched.
fn discover(path: &Path) -> anyhow::Result<Plan> {
    let shown = path.to_str().with_context(|| format!("{} is no text", path.display()))?;
    let shown = shown.trim_end_matches('/');
    let shown = shown.strip_prefix("./").unwrap_or(shown);
    let here = |folder: &str| if folder.is_empty() { ".".to_owned() } else { folder.to_owned() };
    let around = format!("./{shown}/");
    let around = around.rsplit_once("/cases/").map(|(folder, _)| folder.strip_prefix("./").unwrap_or_default());
    let around = around.map(here).filter(|folder| holds_mappings(Path::new(folder)));
    let (folder, kept) = if let Some(folder) = around {
        (folder, Some(shown))
    } else if path.is_dir() {
        let inner = path.join("mappings");
        (if inner.is_dir() { inner.display().to_string() } else { shown.to_owned() }, None)
    } else {
        (shown.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned(), Some(shown))
    };
    let folder = if folder.is_empty() { "/" } else { &folder };
    let mut plan = Plan::of(&files::below(Path::new(folder))?, &files::folder_name(Path::new("./x")));
    if let Some(kept) = kept {
        plan.keep_below(kept);
    }
    Ok(plan)
}

/// Whether mapping files lie directly in a folder.
fn holds_mappings(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_str().is_some_and(is_mapping))
}

/// A mapping, or why there is none.
fn compile(suite: &Suite) -> (Option<Mapping>, Vec<Finding>) {
    let findings = Findings::new();
    let path = Path::new(&suite.path);
    match files::mapping(path, &findings) {
        Ok(Some(mapping)) if !findings.has_errors() => (Some(mapping), Vec::new()),
        Ok(_) => {
            let errors = findings.into_sorted().into_iter().filter(|finding| finding.severity == Severity::Error);
            (None, errors.collect())
        }
        Err(error) => {
            let source = hub_tree::Source::new(suite.path.clone(), "");
            findings.error(&source, hub_tree::Span::default(), format!("{error:#}"), None);
            (None, findings.into_sorted())
        }
    }
}

fn attempt(case: &Case, mapping: Option<&Mapping>, bless: bool) -> Went {
    let failed = |message: String| Went::Failed(1, message, None);
    let Some(mapping) = mapping else { return Went::NotRun };
    let input = match files::text(Path::new(&case.input)) {
        Ok(text) => text,
        Err(error) => return failed(format!("{error:#}")),
    };
    let result = match case::run(mapping, &input, case.full) {
        Ok(result) => result,
        Err(error) => return Went::Failed(error.line, format!("the input is no JSON: {}", error.message), None),
    };
    let expected = if case.expected { files::text(Path::new(&case.expect)) } else { Ok(String::new()) };
    let expected = match expected {
        Ok(text) => text,
        Err(error) => return failed(format!("{error:#}")),
    };
    match case::diff(&expected, &result) {
        None => Went::Passed,
        Some(_) if bless => match fs::write(&case.expect, &result) {
            Ok(()) => Went::Written,
            Err(error) => failed(format!("writing {}: {error}", case.expect)),
        },
        Some(_) if !case.expected => {
            let help = format!("`--bless` writes {}", case.expect);
            Went::Failed(1, "the case has no expectation".to_owned(), Some(help))
        }
        Some(diff) => Went::Differs(diff),
    }
}

/// Does some work for every item, on all cores; the results are in the order of the items.
fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match items.get(index) {
                Some(item) => done.push((index, work(item))),
                None => return done,
            }
        }
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let joined = handles.into_iter().map(|handle| handle.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// What a run found.
struct Report<'r> {
    plan: &'r Plan,
    /// Why mappings cannot run.
    findings: Vec<Finding>,
    cases: Vec<((&'r Suite, &'r Case), &'r Went)>,
    millis: u128,
}

/// A case that failed, as it is shown.
struct Failure<'r> {
    file: &'r str,
    line: usize,
    message: String,
    suggestion: Option<&'r str>,
    diff: Option<&'r Diff>,
}

impl<'r> Report<'r> {
    fn count(&self, is: impl Fn(&Went) -> bool) -> usize {
        self.cases.iter().filter(|(_, went)| is(went)).count()
    }

    fn failed(&self) -> usize {
        self.count(|went| matches!(went, Went::Failed(..) | Went::Differs(_) | Went::NotRun))
    }

    fn is_good(&self) -> bool {
        self.failed() == 0 && self.findings.is_empty() && self.plan.problems.is_empty() && !self.cases.is_empty()
    }

    /// The cases that failed. Those of a mapping with errors are told of by its findings.
    fn failures(&self) -> impl Iterator<Item = Failure<'r>> {
        self.cases.iter().filter_map(|((suite, case), went)| {
            let name = suite.id_of(case);
            match went {
                Went::Passed | Went::Written | Went::NotRun => None,
                Went::Differs(diff) => {
                    let message = format!("{name} gives another result");
                    let (file, line) = (&*case.expect, diff.line);
                    Some(Failure { file, line, message, suggestion: None, diff: Some(diff) })
                }
                Went::Failed(line, message, help) => {
                    let (file, message, suggestion) = (&*case.input, format!("{name}: {message}"), help.as_deref());
                    Some(Failure { file, line: *line, message, suggestion, diff: None })
                }
            }
        })
    }

    fn written(&self) -> impl Iterator<Item = &'r str> {
        let written = self.cases.iter().filter(|(_, went)| matches!(went, Went::Written));
        written.map(|((_, case), _)| case.expect.as_str())
    }

    fn text(&self, paint: Paint) {
        let error = paint.text(Tone::Error, "error");
        for finding in &self.findings {
            say::out(format!("{}\n", paint.finding(finding)));
        }
        for problem in &self.plan.problems {
            say::out(format!("{}: {error}: {}", problem.path, problem.message));
            say::out(problem.suggestion.as_ref().map(|help| format!(" help: {help}\n")).unwrap_or_default());
        }
        for failure in self.failures() {
            let Failure { file, line, message, suggestion, diff } = failure;
            say::out(format!("{file}:{line}: {error}: {message}"));
            if let Some(diff) = diff {
                say::out(paint.text(Tone::Faint, "- expected, + found"));
                diff.hunks.iter().for_each(|hunk| show_hunk(hunk, paint));
            }
            say::out(suggestion.map(|help| format!(" help: {help}\n")).unwrap_or_default());
        }
        for file in self.written() {
            say::out(format!("written: {file}"));
        }
        let cases = say::number(self.cases.len(), "case");
        let mappings = say::number(self.plan.suites.len(), "mapping");
        let (failed, written) = (self.failed(), self.count(|went| matches!(went, Went::Written)));
        let passed = self.cases.len() - failed - written;
        let (secs, tenths) = (self.millis / 1000, self.millis % 1000 / 100);
        let mut summary = format!("{cases} of {mappings}: {passed} passed, {failed} failed");
        if written > 0 {
            summary += &format!(", {} written", say::number(written, "expectation"));
        }
        summary += &format!(" ({secs}.{tenths} s)");
        if !self.plan.problems.is_empty() {
            summary += &format!("; {}", say::number(self.plan.problems.len(), "other problem"));
        }
        say::out(summary);
    }

    fn json(&self) {
        let problem = |file: &str, line: usize, message: &str, suggestion: Option<&str>| {
            let (severity, column) = (Severity::Error.to_string(), 1);
            json!({ "file": file, "line": line, "column": column, "severity": severity, "message": message,
                "suggestion": suggestion })
        };
        let mut problems: Vec<Value> = self.findings.iter().map(say::as_json).collect();
        for one in &self.plan.problems {
            problems.push(problem(&one.path, 1, &one.message, one.suggestion.as_deref()));
        }
        for failure in self.failures() {
            let mut one = problem(failure.file, failure.line, &failure.message, failure.suggestion);
            if let (Some(diff), Some(object)) = (failure.diff, one.as_object_mut()) {
                object.insert("diff".to_owned(), Value::String(diff.to_string()));
            }
            problems.push(one);
        }
        let (failed, written) = (self.failed(), self.written().collect::<Vec<_>>());
        let whole = json!({
            "mappings": self.plan.suites.len(), "cases": self.cases.len(),
            "passed": self.cases.len() - failed - written.len(), "failed": failed, "written": written,
            "problems": problems,
        });
        say::out(whole.to_string());
    }
}

fn show_hunk(hunk: &Hunk, paint: Paint) {
    say::out(paint.text(Tone::Faint, &hunk.header));
    for (mark, text) in &hunk.lines {
        let line = format!("{}{text}", mark.sign());
        say::out(match mark {
            Mark::Same => line,
            Mark::Removed => paint.text(Tone::Removed, &line),
            Mark::Added => paint.text(Tone::Added, &line),
        });
    }
}
