//! `hrhub map try`: one mapping over one input.

use super::{files, show, watch};
use crate::cli::{Format, MapTry};
use crate::say::{self, Paint, Tone};
use hub_engine::{Direction, Issue, Level, case};
use hub_tree::{Arena, Findings, json};
use std::process::ExitCode;

pub(crate) fn run(args: &MapTry) -> anyhow::Result<ExitCode> {
    if !args.watch {
        return once(args);
    }
    if args.input.input.as_os_str() == "-" {
        return Ok(say::usage("--watch needs a file: standard input cannot be read again"));
    }
    let paths = [args.input.file.as_path(), args.input.input.as_path()];
    loop {
        let before = watch::stamps(&paths);
        say::clear();
        // A file that is half written, or away for a moment, is read again when it changes.
        if let Err(error) = once(args) {
            say::note(format!("error: {error:#}"));
        }
        say::note("waiting for a change; Ctrl-C ends this");
        watch::wait_for_change(&paths, &before);
    }
}

fn once(args: &MapTry) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let Some(mapping) = files::mapping(&args.input.file, &findings)? else {
        return Ok(say::report(&findings.into_sorted(), args.format, "0 of 1 mapping"));
    };
    let file = files::InputFile::read(&args.input.input)?;
    let arena = Arena::new();
    let tree = file.tree(&args.input.reading, &arena)?;
    let input = files::input(&args.input, &file, tree, &arena);
    let (name, result, issues, unread, document) = match mapping.direction {
        Direction::In => {
            let outcome = mapping.run_in(&arena, &input);
            let unread = mapping.unread(input.payload);
            ("records", case::records(&arena, &outcome), outcome.issues, unread, None)
        }
        Direction::Out => {
            let reply = case::reply(&mapping, &arena, tree, files::full(&args.input, &file), &input);
            ("body", case::body(&mapping, &arena, &reply), reply.issues, Vec::new(), reply.xml)
        }
    };
    if args.format == Format::Json {
        let mut entries = vec![(name, result), ("findings", case::placed_issues(&arena, &issues))];
        if mapping.direction == Direction::In {
            entries.push(("unread", case::texts(&arena, &unread)));
        }
        say::out(json::to_pretty(&arena.map(&entries)).trim_end());
    } else {
        let paint = Paint::of_notes();
        match &document {
            Some(xml) => say::out(xml),
            None => say::out(show::json(json::to_pretty(&result).trim_end(), Paint::of_results())),
        }
        for problem in findings.into_sorted() {
            say::note(format!("{}\n", paint.finding(&problem)));
        }
        for issue in &issues {
            say::note(format!("{}\n", paint.finding(&show::finding(&mapping, issue))));
        }
        for path in &unread {
            say::note(format!("{} {path}", paint.text(Tone::Faint, "no rule reads")));
        }
        let made = if name == "records" { say::number(result.items().len(), "record") } else { "1 body".to_owned() };
        say::note(format!("{made}, {}, {}", count(&issues), say::number(unread.len(), "unread path")));
    }
    let failed = issues.iter().any(|issue| issue.level == Level::Error);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn count(issues: &[Issue]) -> String {
    let errors = issues.iter().filter(|issue| issue.level == Level::Error).count();
    format!("{}, {}", say::number(errors, "error"), say::number(issues.len() - errors, "warning"))
}
