//! What came of a file, for people and for programs.

use super::ImportArgs;
use super::offline::{Looked, LookedRow, Remark};
use crate::cli::Format;
use crate::say::{self, Paint, Tone};
use hub_files::{FileProblem, Ignored, column_letters};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// How many refused rows people are shown.
const SHOWN: usize = 50;

/// A file of which nothing can be used.
pub(super) fn refused(args: &ImportArgs, problem: &FileProblem) -> ExitCode {
    let message = problem.said.in_language(&args.language);
    if args.format == Format::Json {
        let arena = Arena::new();
        let error = arena.map(&[("code", Value::Text(problem.code)), ("message", Value::Text(message))]);
        say::out(json::to_pretty(&arena.map(&[("error", error)])).trim_end());
    }
    say::note(format!("error: {}: {message} [{}]", args.file.display(), problem.code));
    ExitCode::FAILURE
}

/// One JSON object: what the file is, its columns, and what came of each row.
pub(super) fn as_json(args: &ImportArgs, looked: &Looked<'_>) {
    let arena = Arena::new();
    let table = &looked.table;
    let number = |number: &dyn std::fmt::Display| Value::Number(arena.format(format_args!("{number}")));
    let columns: Vec<Value<'_>> = table
        .columns
        .iter()
        .map(|column| {
            let field = column.field.and_then(|at| looked.target?.fields.get(at));
            arena.map(&[
                ("column", Value::Text(arena.text(&column_letters(column.index)))),
                ("heading", Value::Text(&column.heading)),
                ("field", field.map_or(Value::Null, |field| Value::Text(&field.id))),
            ])
        })
        .collect();
    let ignored: Vec<Value<'_>> = table
        .ignored
        .iter()
        .flat_map(|(first, last, why)| (*first..=*last).map(move |row| (row, why)))
        .filter(|(_, why)| **why != Ignored::Blank || table.ignored.len() < 10_000)
        .map(|(row, _)| number(&row))
        .collect();
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    for row in &looked.rows {
        let findings: Vec<Value<'_>> = row.remarks.iter().map(|remark| finding(&arena, remark)).collect();
        let mut entries = vec![("row", number(&row.number))];
        if row.accepted {
            let tree = json::read(&arena, row.tree.as_bytes(), Limits::default()).unwrap_or_default();
            entries.extend_from_slice(tree.entries());
            let codes: Vec<Value<'_>> = row.remarks.iter().map(|remark| Value::Text(&remark.code)).collect();
            if !codes.is_empty() {
                entries.push(("warnings", arena.list(&codes)));
                entries.push(("findings", arena.list(&findings)));
            }
            accepted.push(arena.map(&entries));
        } else {
            let code = row.remarks.iter().find(|remark| remark.error).map_or(Value::Null, |one| Value::Text(&one.code));
            entries.extend([("code", code), ("findings", arena.list(&findings))]);
            rejected.push(arena.map(&entries));
        }
    }
    let records = records(&looked.rows);
    let records: Vec<(&str, Value<'_>)> = records.iter().map(|(entity, count)| (*entity, number(count))).collect();
    let whole = arena.map(&[
        ("file", Value::Text(arena.text(&args.file.display().to_string()))),
        ("kind", Value::Text(looked.kind.name())),
        ("encoding", looked.encoding.map_or(Value::Null, Value::Text)),
        ("sheet", if table.sheet.is_empty() { Value::Null } else { Value::Text(&table.sheet) }),
        ("header_row", number(&table.header_row)),
        ("columns", arena.list(&columns)),
        ("accepted", arena.list(&accepted)),
        ("rejected_rows", arena.list(&rejected)),
        ("ignored_rows", arena.list(&ignored)),
        ("records", arena.map(&records)),
    ]);
    say::out(json::to_pretty(&whole).trim_end());
}

fn finding<'a>(arena: &'a Arena, remark: &'a Remark) -> Value<'a> {
    arena.map(&[
        ("cell", Value::Text(&remark.cell)),
        ("column", Value::Text(&remark.heading)),
        ("code", Value::Text(&remark.code)),
        ("level", Value::Text(if remark.error { "error" } else { "warning" })),
        ("message", Value::Text(&remark.message)),
    ])
}

fn records(rows: &[LookedRow]) -> BTreeMap<&'static str, usize> {
    let mut records = BTreeMap::new();
    for (entity, count) in rows.iter().filter(|row| row.accepted).flat_map(|row| &row.records) {
        *records.entry(*entity).or_default() += count;
    }
    records
}

/// The columns, what is wrong, and how much is good. Values of cells are not shown.
pub(super) fn as_text(args: &ImportArgs, looked: &Looked<'_>) {
    let table = &looked.table;
    let sheet = if table.sheet.is_empty() { String::new() } else { format!(", sheet {}", table.sheet) };
    let encoding = looked.encoding.map(|name| format!(" in {name}")).unwrap_or_default();
    say::out(format!(
        "{}: {}{encoding}{sheet}, headings in row {}",
        args.file.display(),
        looked.kind.name(),
        table.header_row
    ));
    if let Some(target) = looked.target {
        for column in &table.columns {
            let field = column.field.and_then(|at| target.fields.get(at));
            let means = field.map_or("is not imported", |field| field.id.as_str());
            say::out(format!("  {:<4}{} → {means}", column_letters(column.index), column.heading));
        }
    }
    let paint = Paint::of_results();
    for (shown, row) in looked.rows.iter().filter(|row| !row.remarks.is_empty()).enumerate() {
        if shown == SHOWN {
            say::out("… --format json or --report shows the rest");
            break;
        }
        for remark in &row.remarks {
            let (word, tone) = if remark.error { ("error", Tone::Error) } else { ("warning", Tone::Warning) };
            let word = paint.text(tone, word);
            let place = [remark.cell.as_str(), remark.heading.as_str()].join(" ");
            say::out(format!("{}: {word}: {} [{}]", place.trim(), remark.message, remark.code));
        }
    }
    let accepted = looked.rows.iter().filter(|row| row.accepted).count();
    let ignored: u64 = table.ignored.iter().map(|(first, last, _)| u64::from(last - first) + 1).sum();
    let refused = looked.rows.len() - accepted;
    say::out(format!(
        "{}: {accepted} accepted, {refused} refused; {ignored} passed over",
        say::number(looked.rows.len(), "row")
    ));
    let records = records(&looked.rows);
    let records: Vec<String> = records.iter().map(|(entity, count)| format!("{count} {entity}")).collect();
    if !records.is_empty() {
        say::out(format!("records: {}", records.join(", ")));
    }
}
