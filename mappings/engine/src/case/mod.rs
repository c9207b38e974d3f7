//! Cases: inputs beside a mapping, with the whole result that is expected.
//!
//! `cases/<object>.in/<name>.input.json` (or `.xml`, `.csv`, `.form`) and `<name>.expect.json`; the input may be a bare
//! payload or, when the mapping reads more, `{"payload": …, "headers": …, "event": …, "request": …, "settings": …}` under
//! the name `<name>.full.json`. With `"before": …` in it, an out mapping makes the body of an update. [`Plan`] finds them, [`run`] runs one, [`diff()`] says how its result differs.
//! This module does no I/O: callers list, read and write the files.

mod diff;
mod plan;

pub use diff::{Diff, Hunk, Mark, diff};
pub use plan::{Case, Plan, Problem, Suite, is_full, is_mapping};

use crate::mapping::{Direction, Format, Mapping};
use crate::outcome::{Input, Issue, Level, Outcome, Record, Reply};
use hub_tree::reader::{self, Kind};
use hub_tree::{Arena, Limits, ReadError, Value, json};

/// The connection that cases run under.
pub const CONNECTION: &str = "case";

/// Runs a mapping over the bytes of an input file; the result is pretty JSON with a final line break.
///
/// # Errors
/// The input is not what its name says.
pub fn run(mapping: &Mapping, kind: Kind, input: &[u8], full: bool) -> Result<String, ReadError> {
    let arena = Arena::new();
    let value = reader::read(kind, &arena, input, Limits::default())?;
    let input = input_of(value, full);
    let result = match mapping.direction {
        Direction::In => outcome(&arena, &mapping.run_in(&arena, &input), &mapping.unread(input.payload)),
        Direction::Out => {
            let reply = reply(mapping, &arena, value, full, &input);
            arena.map(&[("body", body(mapping, &arena, &reply)), ("findings", issues(&arena, &reply.issues))])
        }
    };
    Ok(json::to_pretty(&result))
}

/// What the tree of an input file says: the payload alone, or with all that comes beside it.
#[must_use]
pub fn input_of(value: Value<'_>, full: bool) -> Input<'_> {
    if !full {
        return Input::of(value, CONNECTION);
    }
    Input {
        payload: value.get("payload"),
        headers: value.get("headers"),
        event: value.get("event").as_text().unwrap_or_default(),
        connection: CONNECTION,
        settings: value.get("settings"),
        request: value.get("request"),
    }
}

/// What an out mapping makes of `input`, which was read from `tree`: a whole body, or an update where the tree says what
/// was before.
pub fn reply<'a>(mapping: &'a Mapping, arena: &'a Arena, tree: Value<'a>, full: bool, input: &Input<'a>) -> Reply<'a> {
    let payload = tree.get("before");
    if full && !payload.is_absent() {
        mapping.run_out_changed(arena, &Input { payload, ..*input }, input)
    } else {
        mapping.run_out(arena, input)
    }
}

/// The body of an out mapping as cases show it: JSON as a tree, XML as its text.
pub fn body<'a>(mapping: &Mapping, arena: &'a Arena, reply: &Reply<'a>) -> Value<'a> {
    match mapping.format {
        Format::Json => reply.body,
        Format::Xml => reply.xml.as_ref().map_or(Value::Absent, |text| Value::Text(arena.text(text))),
    }
}

/// What an input is, by the end of its name; JSON where that says nothing.
#[must_use]
pub fn kind_of(path: &str) -> Kind {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    Kind::of_extension(ending).unwrap_or(Kind::Json)
}

/// An outcome as cases show it: `records`, `findings`, `unread`.
pub fn outcome<'a>(arena: &'a Arena, outcome: &Outcome<'a>, unread: &[String]) -> Value<'a> {
    arena.map(&[
        ("records", records(arena, outcome)),
        ("findings", issues(arena, &outcome.issues)),
        ("unread", texts(arena, unread)),
    ])
}

/// The records of an outcome: entity, key, what else names it, the fields, what is left in `ext`.
pub fn records<'a>(arena: &'a Arena, outcome: &Outcome<'a>) -> Value<'a> {
    let records: Vec<Value<'a>> = outcome.records.iter().map(|r| record(arena, r)).collect();
    arena.list(&records)
}

/// Texts as a list, such as the unread source paths of a payload.
pub fn texts<'a>(arena: &'a Arena, texts: &[String]) -> Value<'a> {
    let texts: Vec<Value<'a>> = texts.iter().map(|text| Value::Text(arena.text(text))).collect();
    arena.list(&texts)
}

fn record<'a>(arena: &'a Arena, record: &Record<'a>) -> Value<'a> {
    let text = |text: Option<&'a str>| text.map_or(Value::Absent, Value::Text);
    let mut entries = vec![
        ("entity", Value::Text(record.entity.name)),
        ("key", text(record.key)),
        ("hub_id", text(record.hub_id)),
        ("formerly", text(record.formerly)),
        ("url", text(record.url)),
    ];
    if record.deleted {
        entries.push(("deleted", Value::Bool(true)));
    }
    entries.extend_from_slice(record.fields.entries());
    entries.push(("ext", record.ext));
    arena.map(&entries)
}

/// Findings as cases have them: without the file, whose name depends on where somebody stands.
fn issues<'a>(arena: &'a Arena, issues: &[Issue]) -> Value<'a> {
    let list: Vec<Value<'a>> = issues.iter().map(|issue| arena.map(&finding(arena, issue))).collect();
    arena.list(&list)
}

/// Findings with file, line and column.
pub fn placed_issues<'a>(arena: &'a Arena, issues: &[Issue]) -> Value<'a> {
    let list = issues.iter().map(|issue| {
        let column = Value::Number(arena.format(format_args!("{}", issue.column)));
        let place = [("file", Value::Text(arena.text(&issue.file))), ("column", column)];
        arena.map(&[&finding(arena, issue)[..], &place].concat())
    });
    let list: Vec<Value<'a>> = list.collect();
    arena.list(&list)
}

fn finding<'a>(arena: &'a Arena, issue: &Issue) -> [(&'a str, Value<'a>); 7] {
    let level = if issue.level == Level::Error { "error" } else { "warning" };
    [
        ("level", Value::Text(level)),
        ("code", Value::Text(issue.code)),
        ("entity", Value::Text(issue.entity)),
        ("item", issue.item.map_or(Value::Absent, |item| Value::Number(arena.format(format_args!("{item}"))))),
        ("field", Value::Text(arena.text(&issue.field))),
        ("message", Value::Text(arena.text(&issue.message))),
        ("line", Value::Number(arena.format(format_args!("{}", issue.line)))),
    ]
}
