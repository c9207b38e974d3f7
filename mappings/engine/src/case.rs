//! Cases: inputs beside a mapping, with the whole result that is expected.
//!
//! `cases/<object>.in/<name>.input.json` and `<name>.expect.json`; the input may be a bare payload or, when the
//! mapping reads more, `{"payload": …, "headers": …, "event": …, "request": …, "settings": …}` under the name
//! `<name>.full.json`.
//! This module does no I/O: callers read and write the files.

use crate::mapping::{Direction, Mapping};
use crate::outcome::{Input, Issue, Level, Outcome, Record};
use hub_tree::{Arena, Limits, ReadError, Value, json};
use std::fmt::Write as _;

/// The connection that cases run under.
pub const CONNECTION: &str = "case";

/// Runs a mapping over the text of an input file; the result is pretty JSON with a final line break.
///
/// # Errors
/// The input is no JSON.
pub fn run(mapping: &Mapping, input: &str, full: bool) -> Result<String, ReadError> {
    let arena = Arena::new();
    let value = json::read(&arena, input.as_bytes(), Limits::default())?;
    let input = if full {
        Input {
            payload: value.get("payload"),
            headers: value.get("headers"),
            event: value.get("event").as_text().unwrap_or_default(),
            connection: CONNECTION,
            settings: value.get("settings"),
            request: value.get("request"),
        }
    } else {
        Input::of(value, CONNECTION)
    };
    let result = match mapping.direction {
        Direction::In => outcome(&arena, &mapping.run_in(&arena, &input), &mapping.unread(input.payload)),
        Direction::Out => {
            let reply = mapping.run_out(&arena, &input);
            arena.map(&[("body", reply.body), ("findings", issues(&arena, &reply.issues))])
        }
    };
    Ok(json::to_pretty(&result))
}

/// An outcome as cases show it: `records`, `findings`, `unread`.
pub fn outcome<'a>(arena: &'a Arena, outcome: &Outcome<'a>, unread: &[String]) -> Value<'a> {
    let records: Vec<Value<'a>> = outcome.records.iter().map(|r| record(arena, r)).collect();
    let unread: Vec<Value<'a>> = unread.iter().map(|path| Value::Text(arena.text(path))).collect();
    arena.map(&[
        ("records", arena.list(&records)),
        ("findings", issues(arena, &outcome.issues)),
        ("unread", arena.list(&unread)),
    ])
}

fn record<'a>(arena: &'a Arena, record: &Record<'a>) -> Value<'a> {
    let text = |text: Option<&'a str>| text.map_or(Value::Absent, Value::Text);
    let mut entries = vec![
        ("entity", Value::Text(record.entity.name)),
        ("key", text(record.key)),
        ("hub_id", text(record.hub_id)),
        ("url", text(record.url)),
    ];
    if record.deleted {
        entries.push(("deleted", Value::Bool(true)));
    }
    entries.extend_from_slice(record.fields.entries());
    entries.push(("ext", record.ext));
    arena.map(&entries)
}

fn issues<'a>(arena: &'a Arena, issues: &[Issue]) -> Value<'a> {
    let list: Vec<Value<'a>> = issues
        .iter()
        .map(|issue| {
            let level = if issue.level == Level::Error { "error" } else { "warning" };
            arena.map(&[
                ("level", Value::Text(level)),
                ("code", Value::Text(issue.code)),
                ("entity", Value::Text(issue.entity)),
                ("field", Value::Text(arena.text(&issue.field))),
                ("message", Value::Text(arena.text(&issue.message))),
                ("line", Value::Number(arena.format(format_args!("{}", issue.line)))),
            ])
        })
        .collect();
    arena.list(&list)
}

/// The lines by which two texts differ, for people: `-` expected, `+` found. `None` when they are equal.
#[must_use]
pub fn diff(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let mut out = String::new();
    for (index, line) in a.iter().enumerate().take(start).skip(start.saturating_sub(3)) {
        let _ = writeln!(out, "  {:>4} {line}", index + 1);
    }
    for line in &a[start..a.len() - end] {
        let _ = writeln!(out, "-      {line}");
    }
    for line in &b[start..b.len() - end] {
        let _ = writeln!(out, "+      {line}");
    }
    for (index, line) in b.iter().enumerate().skip(b.len() - end).take(3) {
        let _ = writeln!(out, "  {:>4} {line}", index + 1);
    }
    Some(out)
}
