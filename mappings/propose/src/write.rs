//! Writes a plan as a mapping file: aligned comments, doubtful lines commented out, nothing left unsaid.

use crate::assign::Found;
use crate::observe::{Node, Observed};
use crate::plan::{Emit, Plan};
use crate::targets::Make;
use crate::text::{columns, comment, dotted, quoted};
use crate::{Line, Proposal, Request, TAKE};
use hub_model::{Field, Type};
use std::collections::BTreeSet;

/// Comments of a block begin in one column, but not beyond this one.
const WIDEST: usize = 96;
/// Most unmatched paths that are listed.
const MOST_UNMATCHED: usize = 200;

/// A line of a block: its text, and what stands behind `#`.
struct Row {
    text: String,
    comment: String,
}

pub(crate) fn write(request: &Request<'_>, observed: &Observed, plan: Plan<'_>) -> Proposal {
    let mut out = String::new();
    let mut lines = Vec::new();
    let count = observed.samples;
    push(
        &mut out,
        &format!(
            "# Proposed from {count} {}. The number in a comment is the confidence, 0 to 100.",
            if count == 1 { "sample" } else { "samples" }
        ),
    );
    push(&mut out, &format!("# Lines below {TAKE}, and lines that need a decision, are commented out."));
    for note in &plan.notes {
        push(&mut out, &format!("# - {}", comment(note)));
    }
    push(&mut out, "version: 1");
    push(&mut out, &format!("from: {}", quoted(&format!("{}/{}", request.connector, request.object))));
    if !plan.lets.is_empty() {
        push(&mut out, "let:");
        for (name, path) in &plan.lets {
            push(&mut out, &format!("  {name}: {}", quoted(path)));
        }
    }
    push(&mut out, "emit:");
    for (index, emit) in plan.emits.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        block(emit, &mut out, &mut lines);
    }
    unmatched(observed, &plan, &lines, &mut out);
    Proposal { text: out, lines, notes: plan.notes }
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn block(emit: &Emit<'_>, out: &mut String, lines: &mut Vec<Line>) {
    let entity = emit.entity.name;
    let mut rows = vec![Row { text: format!("  - to: {entity}"), comment: String::new() }];
    if let Some(list) = &emit.anchor.list {
        rows.push(Row { text: format!("    each: {}", quoted(list)), comment: String::new() });
    }
    let (key, reason) = match &emit.key {
        Some(key) => (quoted(key), emit.key_reason.clone()),
        None if emit.key_source.is_empty() => {
            ("'null'".to_owned(), format!("{}: name it; until then every payload is parked", emit.key_reason))
        }
        None => (
            "'null'".to_owned(),
            format!("{}: is it {}? until it is named every payload is parked", emit.key_reason, emit.key_source),
        ),
    };
    rows.push(Row { text: format!("    key: {key}"), comment: format!("{}: {reason}", emit.key_confidence) });
    lines.push(Line {
        target: format!("{entity}.key"),
        source: emit.key_source.clone(),
        confidence: emit.key_confidence,
        reason,
        taken: emit.key.is_some(),
    });
    if let Some(url) = emit.found.iter().find(|found| matches!(found.make, Make::Url)) {
        rule_row(&mut rows, "    ", "url", url);
        note_line(entity, "", url, lines);
    }
    rows.push(Row { text: "    fields:".to_owned(), comment: String::new() });
    let before = rows.len();
    fields(emit, &mut rows, lines);
    if !emit.found.iter().any(|found| found.taken && !matches!(found.make, Make::Url))
        && let Some(row) = rows.get_mut(before - 1)
    {
        row.text = "    fields: {}".to_owned();
    }
    let widest = rows
        .iter()
        .filter(|row| !row.comment.is_empty())
        .map(|row| columns(&row.text))
        .filter(|width| *width <= WIDEST)
        .max();
    let widest = widest.unwrap_or(0);
    for row in &rows {
        if row.comment.is_empty() {
            push(out, &row.text);
        } else {
            let gap = widest.saturating_sub(columns(&row.text)) + 3;
            push(out, &format!("{}{}# {}", row.text, " ".repeat(gap), comment(&row.comment)));
        }
    }
}

fn note_line(entity: &str, above: &str, found: &Found, lines: &mut Vec<Line>) {
    lines.push(Line {
        target: format!("{entity}.{above}{}", found.target),
        source: found.source.clone(),
        confidence: found.confidence,
        reason: found.reason.clone(),
        taken: found.taken,
    });
}

fn rule_row(rows: &mut Vec<Row>, indent: &str, target: &str, found: &Found) {
    let mark = if found.taken { "" } else { "# " };
    rows.push(Row {
        text: format!("{indent}{mark}{target}: {}", found.rule),
        comment: format!("{}: {}", found.confidence, found.reason),
    });
}

/// The rules of a record, in the order of the model's fields, and what is missing.
fn fields(emit: &Emit<'_>, rows: &mut Vec<Row>, lines: &mut Vec<Line>) {
    let entity = emit.entity.name;
    let first = |found: &Found| found.target.split('.').next().unwrap_or_default().to_owned();
    for field in emit.entity.fields {
        let here: Vec<&Found> =
            emit.found.iter().filter(|found| first(found) == field.name && !matches!(found.make, Make::Url)).collect();
        for found in &here {
            note_line(entity, "", found, lines);
        }
        let (parts, others): (Vec<&Found>, Vec<&Found>) =
            here.iter().partition(|found| matches!(found.make, Make::NamePart));
        name_rows(field, &parts, rows);
        for found in others {
            match &found.items {
                Some((list, rules)) => list_rows(entity, found, list, rules, rows, lines),
                None => rule_row(rows, "      ", &found.target, found),
            }
        }
        if field.required && !here.iter().any(|found| found.taken) {
            missing(entity, field, here.is_empty(), rows, lines);
        }
    }
}

/// The parts of a name as one rule; parts that are not sure each in a line of their own.
fn name_rows(field: &Field, parts: &[&Found], rows: &mut Vec<Row>) {
    let part = |found: &Found| found.target.rsplit('.').next().unwrap_or_default().to_owned();
    let taken: Vec<&&Found> = parts.iter().filter(|found| found.taken).collect();
    if let Some(lowest) = taken.iter().map(|found| found.confidence).min() {
        let rules: Vec<String> = taken.iter().map(|found| format!("{}: {}", part(found), found.rule)).collect();
        let reasons: Vec<String> = taken.iter().map(|found| format!("{}: {}", part(found), found.reason)).collect();
        rows.push(Row {
            text: format!("      {}: {{ person_name: {{ {} }} }}", field.name, rules.join(", ")),
            comment: format!("{lowest}: {}", reasons.join("; ")),
        });
    }
    for found in parts.iter().filter(|found| !found.taken) {
        rows.push(Row {
            text: format!("      # {}: {{ person_name: {{ {}: {} }} }}", field.name, part(found), found.rule),
            comment: format!("{}: {}", found.confidence, found.reason),
        });
    }
}

fn list_rows(entity: &str, found: &Found, list: &str, rules: &[Found], rows: &mut Vec<Row>, lines: &mut Vec<Line>) {
    let mark = if found.taken { "" } else { "# " };
    rows.push(Row {
        text: format!("      {mark}{}:", found.target),
        comment: format!("{}: {}", found.confidence, found.reason),
    });
    rows.push(Row { text: format!("      {mark}  each: {}", quoted(list)), comment: String::new() });
    rows.push(Row { text: format!("      {mark}  fields:"), comment: String::new() });
    for rule in rules {
        let rule = Found { taken: rule.taken && found.taken, ..rule.clone() };
        note_line(entity, &format!("{}[].", found.target), &rule, lines);
        rule_row(rows, "          ", &rule.target, &rule);
    }
}

/// A field that a complete record has and nothing fills.
fn missing(entity: &str, field: &Field, nothing: bool, rows: &mut Vec<Row>, lines: &mut Vec<Line>) {
    let reason = format!("a complete {entity} has it, and no line sets it: without it the record is incomplete");
    if nothing {
        let rule = match field.ty {
            Type::Ref(to) => format!("{{ ref: {to}, key: payload.… }}"),
            Type::Struct(of) if of.name == "PersonName" => "{ person_name: { full: payload.… } }".to_owned(),
            _ => "{ path: payload.… }".to_owned(),
        };
        rows.push(Row { text: format!("      # {}: {rule}", field.name), comment: format!("0: {reason}") });
        lines.push(Line {
            target: format!("{entity}.{}", field.name),
            source: String::new(),
            confidence: 0,
            reason,
            taken: false,
        });
    } else if let Some(row) = rows.last_mut() {
        row.comment += &format!("; {reason}");
    }
}

/// The paths that no line speaks of.
fn unmatched(observed: &Observed, plan: &Plan<'_>, lines: &[Line], out: &mut String) {
    let spoken: BTreeSet<&str> = lines.iter().map(|line| line.source.as_str()).collect();
    let mut rest = Vec::new();
    list_paths(&observed.root, "payload", observed.samples, &mut rest);
    let rules: Vec<&str> = plan.emits.iter().flat_map(|emit| &emit.found).map(|found| found.source.as_str()).collect();
    let also: BTreeSet<&str> =
        plan.emits.iter().flat_map(|emit| &emit.found).flat_map(|found| &found.also).map(String::as_str).collect();
    rest.retain(|(path, _)| !also.contains(path.as_str()));
    rest.retain(|(path, _)| {
        !spoken.contains(path.as_str())
            && !rules.iter().any(|rule| rule.strip_prefix(path.as_str()).is_some_and(|below| below.starts_with("[]")))
    });
    if rest.is_empty() {
        return;
    }
    push(
        out,
        "\n# Not matched. What no rule reads is kept in `ext`; name a path under `ignore` to say that nobody needs it.",
    );
    let width = rest.iter().map(|(path, _)| columns(path)).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    for (path, what) in rest.iter().take(MOST_UNMATCHED) {
        let gap = width.saturating_sub(columns(path)) + 3;
        push(out, &comment(&format!("#   {path}{}{what}", " ".repeat(gap))));
    }
    if rest.len() > MOST_UNMATCHED {
        push(out, &format!("#   and {} more", rest.len() - MOST_UNMATCHED));
    }
}

fn list_paths(node: &Node, path: &str, samples: usize, into: &mut Vec<(String, String)>) {
    if node.scalars > 0 || (node.maps == 0 && node.lists == 0) {
        let what =
            if node.values.is_empty() { "no value".to_owned() } else { format!("in {} of {samples}", node.samples) };
        into.push((path.to_owned(), what));
    }
    if let Some((_, value)) = &node.pair {
        for (name, named) in &node.named {
            list_paths(named, &format!("{path}[{name}]{}", dotted(value)), samples, into);
        }
    } else if let Some(items) = &node.items {
        list_paths(items, &format!("{path}[]"), samples, into);
    }
    for (key, child) in &node.keys {
        list_paths(child, &format!("{path}{}", dotted(key)), samples, into);
    }
}
