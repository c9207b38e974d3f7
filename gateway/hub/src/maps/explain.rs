//! `hrhub map explain`: why a field has its value.

use super::{files, show};
use crate::cli::{Format, MapExplain};
use crate::say::{self, Paint, Tone};
use anyhow::bail;
use hub_engine::{Direction, Explain, Input, Mapping, Outcome, Record, SetField};
use hub_flow::explain::pointer_of;
use hub_model::{EntityType, Field, Type};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Findings, Value, json, nearest};
use std::process::ExitCode;

/// How many source paths are shown that may have been meant.
const NEAR: usize = 5;

pub(crate) fn run(args: &MapExplain) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let Some(mapping) = files::mapping(&args.input.file, &findings)? else {
        return Ok(say::report(&findings.into_sorted(), args.format, "0 of 1 mapping"));
    };
    let file = files::InputFile::read(&args.input.input)?;
    let arena = Arena::new();
    let input = files::input(&args.input, &file, file.tree(&args.input.reading, &arena)?, &arena);
    match mapping.direction {
        Direction::In => of_record(args, &mapping, &input, &arena),
        Direction::Out => of_body(args, &mapping, &input, &arena),
    }
}

/// A field of the body that goes to a vendor.
fn of_body<'a>(
    args: &MapExplain,
    mapping: &'a Mapping,
    input: &Input<'a>,
    arena: &'a Arena,
) -> anyhow::Result<ExitCode> {
    let pointer = pointer_of(&args.field);
    let sets = mapping.set_fields();
    let parts: Vec<&SetField<'_>> = sets.iter().filter(|set| set.covers(&pointer)).collect();
    if parts.is_empty() {
        let known: Vec<String> = sets.iter().map(|set| dotted(set.pointer)).collect();
        let help = suggest(&dotted(&pointer), known.iter().map(String::as_str)).unwrap_or_default();
        bail!("no rule of {} sets `{}`; {help}", mapping.source.path, dotted(&pointer));
    }
    let reply = mapping.run_out(arena, input);
    let field = Shown { title: "body".to_owned(), pointer: &pointer, value: at(reply.body, &pointer) };
    let explained = parts.iter().filter_map(|set| Some((*set, mapping.explain(input, "", None, set.pointer)?)));
    show_field(args.format, mapping, &field, explained.collect());
    for issue in reply.issues.iter().filter(|issue| parts.iter().any(|set| set.covers(&issue.field))) {
        say::note(Paint::of_notes().finding(&show::finding(mapping, issue)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A field of a record.
fn of_record<'a>(
    args: &MapExplain,
    mapping: &'a Mapping,
    input: &Input<'a>,
    arena: &'a Arena,
) -> anyhow::Result<ExitCode> {
    let made = mapping.entities();
    let (entity, pointer) = wanted(args, &made)?;
    let entities: Vec<&'static EntityType> =
        made.into_iter().filter(|known| entity.is_none_or(|wanted| wanted == known.name)).collect();
    let sets = mapping.set_fields();
    let covering = |name: &str| {
        let of_entity = sets.iter().filter(move |set| set.entity.is_some_and(|entity| entity.name == name));
        of_entity.filter(|set| set.covers(&pointer)).collect::<Vec<_>>()
    };
    let set_in: Vec<&'static EntityType> =
        entities.iter().copied().filter(|entity| !covering(entity.name).is_empty()).collect();
    if set_in.is_empty() {
        return nobody_sets(mapping, &entities, &pointer, input.payload);
    }
    let outcome = mapping.run_in(arena, input);
    let of_key = |record: &&Record<'_>| {
        args.key.as_deref().is_none_or(|key| record.key == Some(key) || record.hub_id == Some(key))
    };
    let all: Vec<&Record<'_>> =
        outcome.records.iter().filter(|record| set_in.iter().any(|e| e.name == record.entity.name)).collect();
    let found: Vec<&Record<'_>> = all.iter().copied().filter(of_key).collect();
    let same = |record: &Record<'_>, other: &Record<'_>| {
        (record.entity.name, record.key, record.hub_id) == (other.entity.name, other.key, other.hub_id)
    };
    let record = match found.as_slice() {
        // Rules of one mapping may make several parts of one record; the first that has the field is meant.
        [first, rest @ ..] if rest.iter().all(|other| same(first, other)) => {
            found.iter().find(|record| !at(record.fields, &pointer).is_absent()).copied().unwrap_or(first)
        }
        [] => return no_record(args, mapping, &outcome, &all, &set_in),
        several => {
            let lines: Vec<String> = several.iter().map(|record| chosen_by(record)).collect();
            let message = format!("{} have `{}`; choose one:", say::number(several.len(), "record"), dotted(&pointer));
            return Ok(say::usage(format!("{message}\n{}", lines.join("\n"))));
        }
    };
    let title = format!("{} {}", record.entity.name, record.key.or(record.hub_id).unwrap_or_default());
    let field = Shown { title, pointer: &pointer, value: at(record.fields, &pointer) };
    let mut parts: Vec<&SetField<'_>> = covering(record.entity.name);
    // Two items of `emit` may set one field; explaining finds the right one by the record's key.
    parts.dedup_by(|a, b| a.pointer == b.pointer);
    let key = record.key.or(record.hub_id);
    let explain = |set: &SetField<'_>| mapping.explain(input, record.entity.name, key, set.pointer);
    let explained = parts.iter().filter_map(|set| Some((*set, explain(set)?)));
    show_field(args.format, mapping, &field, explained.collect());
    let ours = |issue: &&hub_engine::Issue| {
        issue.entity == record.entity.name && parts.iter().any(|set| set.covers(&issue.field))
    };
    for issue in outcome.issues.iter().filter(ours) {
        say::note(Paint::of_notes().finding(&show::finding(mapping, issue)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The entity and the field that are meant: `--entity`, or the first name of the field where that is an entity of this
/// mapping with the field that follows.
fn wanted<'a>(args: &'a MapExplain, made: &[&'static EntityType]) -> anyhow::Result<(Option<&'a str>, String)> {
    let pointer = pointer_of(&args.field);
    if let Some(name) = &args.entity
        && !made.iter().any(|entity| entity.name == *name)
    {
        let help = suggest(name, made.iter().map(|entity| entity.name)).unwrap_or_default();
        bail!("the mapping makes no `{name}`; {help}");
    }
    let plain = args.field.trim_start_matches('/');
    let (first, rest) = plain.split_once(['.', '/']).unwrap_or((plain, ""));
    let meant = args.entity.as_deref().is_none_or(|name| name == first);
    let entity = made.iter().find(|entity| meant && entity.name == first);
    if let Some(entity) = entity
        && !rest.is_empty()
        && unknown_part(entity, &pointer_of(rest)).is_none()
    {
        return Ok((Some(first), pointer_of(rest)));
    }
    // `candidate` is an entity and a field of others: what is good for none of them was meant for the entity.
    let good = |known: &&EntityType| unknown_part(known, &pointer).is_none();
    if let Some(entity) = entity
        && let Some((part, fields)) = unknown_part(entity, &pointer_of(rest))
        && !made.iter().copied().any(|known| good(&known))
    {
        let help = suggest(&part, fields.iter().copied()).unwrap_or_default();
        bail!("{first} has no `{part}`; {help}");
    }
    Ok((args.entity.as_deref(), pointer))
}

/// The first name of a pointer that is no field there, and the fields that are; `None` when the pointer is good.
fn unknown_part(entity: &EntityType, pointer: &str) -> Option<(String, Vec<&'static str>)> {
    let mut fields: &'static [Field] = entity.fields;
    if pointer.starts_with("/custom/") {
        return None;
    }
    for part in pointer.split('/').skip(1) {
        if part.chars().all(|c| c.is_ascii_digit()) && !part.is_empty() {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == part) else {
            return Some((part.to_owned(), fields.iter().map(|field| field.name).collect()));
        };
        let mut ty = field.ty;
        while let Type::List(item) = ty {
            ty = item;
        }
        match ty {
            Type::Struct(inner) => fields = inner.fields,
            Type::Ref(_) => {
                let known = vec!["type", "id", "source", "display"];
                let inside = pointer.split_once(&format!("/{part}/")).map(|(_, rest)| rest.split('/').next());
                let inside = inside.flatten().filter(|inner| !known.contains(inner));
                return inside.map(|inner| (inner.to_owned(), known));
            }
            // What lies in it has the form of its type: texts by language, `value` and `raw`, anything.
            _ => return None,
        }
    }
    None
}

/// No rule sets the field: it does not exist, or the mapping leaves it alone.
fn nobody_sets(
    mapping: &Mapping,
    entities: &[&'static EntityType],
    pointer: &str,
    payload: Value<'_>,
) -> anyhow::Result<ExitCode> {
    let field = dotted(pointer);
    let names = entities.iter().map(|entity| entity.name).collect::<Vec<_>>().join(", ");
    let known = entities.iter().find(|entity| unknown_part(entity, pointer).is_none());
    let Some(entity) = known else {
        let unknown: Vec<_> = entities.iter().filter_map(|entity| unknown_part(entity, pointer)).collect();
        let part = unknown.first().map(|(part, _)| part.clone()).unwrap_or_default();
        let fields = unknown.iter().flat_map(|(_, fields)| fields.iter().copied());
        let fields: Vec<&str> = fields.collect();
        let help = suggest(&part, fields.iter().copied()).unwrap_or_else(|| "`hrhub schema` lists them".to_owned());
        let none = if entities.len() == 1 { format!("{names} has no") } else { format!("none of {names} has the") };
        bail!("{none} field `{field}`: there is no `{part}`; {help}");
    };
    let mut paths = Vec::new();
    leaves(payload, &mut "payload".to_owned(), 0, &mut paths);
    let leaf = pointer.rsplit('/').find(|part| !part.chars().all(|c| c.is_ascii_digit())).unwrap_or_default();
    let is_near = |path: &&String| {
        let name = path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
        // Short names are near to nearly everything.
        let alike = leaf.len() > 5 && nearest(leaf, [name]).is_some();
        name.contains(leaf) || (name.len() > 3 && leaf.contains(name)) || alike
    };
    let near: Vec<&str> = paths.iter().filter(is_near).map(String::as_str).take(NEAR).collect();
    let hint = if near.is_empty() { String::new() } else { format!("; the payload has {}", near.join(", ")) };
    bail!("no rule of {} sets `{field}` of {}{hint}", mapping.source.path, entity.name)
}

/// The source paths that hold scalars, each once; items of lists are written `[]`.
fn leaves(value: Value<'_>, path: &mut String, depth: usize, found: &mut Vec<String>) {
    let length = path.len();
    match value {
        _ if depth > 64 => {}
        Value::Map(map) => {
            for (key, value) in map.entries() {
                path.push('.');
                path.push_str(key);
                leaves(*value, path, depth + 1, found);
                path.truncate(length);
            }
        }
        Value::List(items) => {
            path.push_str("[]");
            items.iter().for_each(|item| leaves(*item, path, depth + 1, found));
            path.truncate(length);
        }
        value => {
            if !value.is_absent() && !found.contains(path) {
                found.push(path.clone());
            }
        }
    }
}

/// The record that would have the field is not made.
fn no_record(
    args: &MapExplain,
    mapping: &Mapping,
    outcome: &Outcome<'_>,
    all: &[&Record<'_>],
    entities: &[&'static EntityType],
) -> anyhow::Result<ExitCode> {
    let names = entities.iter().map(|entity| entity.name).collect::<Vec<_>>().join(" or ");
    for issue in outcome.issues.iter().filter(|issue| issue.level == hub_engine::Level::Error) {
        say::note(format!("{}\n", Paint::of_notes().finding(&show::finding(mapping, issue))));
    }
    match &args.key {
        Some(key) if !all.is_empty() => {
            let lines: Vec<String> = all.iter().map(|record| chosen_by(record)).collect();
            bail!("no {names} has the key `{key}`; there are:\n{}", lines.join("\n"))
        }
        _ => bail!("this payload makes no {names}"),
    }
}

fn chosen_by(record: &Record<'_>) -> String {
    let key = record.key.or(record.hub_id).map(|key| format!(" --key {key}")).unwrap_or_default();
    format!("  --entity {}{key}", record.entity.name)
}

/// `/emails/0/address` as `emails[0].address`.
fn dotted(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |text, part| {
        let item = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        match (item, text.is_empty()) {
            (true, _) => format!("{text}[{part}]"),
            (false, true) => part.to_owned(),
            (false, false) => format!("{text}.{part}"),
        }
    })
}

fn at<'a>(value: Value<'a>, pointer: &str) -> Value<'a> {
    pointer.split('/').skip(1).fold(value, |value, part| match value {
        Value::List(_) => part.parse().map(|index| value.at(index)).unwrap_or_default(),
        value => value.get(part),
    })
}

/// A field and its value.
struct Shown<'s> {
    title: String,
    pointer: &'s str,
    value: Value<'s>,
}

fn show_field(format: Format, mapping: &Mapping, field: &Shown<'_>, mut explained: Vec<(&SetField<'_>, Explain)>) {
    if format == Format::Json {
        let whole = match explained.pop() {
            Some((_, only)) if explained.is_empty() => only,
            last => {
                let all = explained.into_iter().chain(last).map(|(_, explain)| explain);
                Explain::leaf(dotted(field.pointer), None, field.value).because(all.collect())
            }
        };
        say::out(serde_json::to_string_pretty(&whole).unwrap_or_default());
        return;
    }
    let paint = Paint::of_results();
    let value = if field.value.is_absent() { "(absent)".to_owned() } else { json::to_string(&field.value) };
    say::out(format!("{}: {} = {value}", field.title, paint.text(Tone::Name, &dotted(field.pointer))));
    for (set, explain) in explained {
        say::out(format!("\n{}", mapping.source.place(set.span.start)));
        say::out(show::line(mapping, set.span.start));
        say::out(explain.to_lines().trim_end());
    }
}
