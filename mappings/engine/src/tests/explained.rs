//! Explanations agree with the run, and an input of nothing but what they show gives the same value.

use crate::mapping::{FieldRule, rules};
use crate::run::Run;
use crate::targets::covers;
use crate::{Explain, Input, Mapping, Record};
use hub_tree::{Arena, Limits, Value, json};
use proptest::prelude::*;

/// The value at a JSON pointer.
fn at<'a>(value: Value<'a>, pointer: &str) -> Value<'a> {
    pointer.split('/').skip(1).fold(value, |value, key| match value {
        Value::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index).copied()).unwrap_or_default(),
        value => value.get(key),
    })
}

/// All pointers of a value, itself left out.
fn pointers(value: Value<'_>, pointer: &str, out: &mut Vec<String>) {
    let mut one = |key: &str, value: Value<'_>| {
        let below = format!("{pointer}/{key}");
        pointers(value, &below, out);
        out.push(below);
    };
    value.items().iter().enumerate().for_each(|(index, item)| one(&index.to_string(), *item));
    value.entries().iter().for_each(|(key, value)| one(key, *value));
}

fn shown(value: Value<'_>) -> Option<String> {
    Explain::leaf("", None, value).value
}

fn names_rule(why: &Explain, id: &str) -> bool {
    why.text.strip_prefix(id).is_some_and(|rest| rest.starts_with(" ("))
}

/// Most pointers that are asked for in one record; each costs a run.
const MOST: usize = 12;

/// Every field of every record is explained with its value and its rule.
pub(super) fn records(mapping: &Mapping, payload: Value<'_>) -> Result<(), TestCaseError> {
    let arena = Arena::new();
    let input = Input::of(payload.copy_into(&arena), "c");
    let outcome = mapping.run_in(&arena, &input);
    for record in outcome.records.iter().take(4) {
        let key = record.key.or(record.hub_id);
        let same =
            |other: &&Record<'_>| other.entity.name == record.entity.name && (other.key == key || other.hub_id == key);
        let mut all = Vec::new();
        pointers(record.fields, "", &mut all);
        let step = all.len().div_ceil(MOST).max(1);
        for pointer in all.iter().step_by(step) {
            let Some(why) = mapping.explain(&input, record.entity.name, key, pointer) else {
                return Err(TestCaseError::fail(format!("{} {pointer} is not explained", record.entity.name)));
            };
            // Of several records of one key, the first that has the field is explained.
            let of = outcome.records.iter().filter(same);
            let mut sets = of.flat_map(|record| record.rules.iter().map(move |rule| (record, rule)));
            let found = sets.find(|(_, (set, id))| covers(set, pointer) && names_rule(&why, id));
            let Some((record, (set, _))) = found else {
                return Err(TestCaseError::fail(format!("{pointer}: no record has the rule of\n{}", why.to_lines())));
            };
            prop_assert_eq!(shown(at(record.fields, set)), why.value.clone(), "{} of\n{}", pointer, why.to_lines());
        }
    }
    for (record, origin) in mapping.with_origins(&arena, &input).iter().take(4) {
        for rule in rules(&origin.emit.fields) {
            let Some((pointer, _)) = record.rules.iter().find(|(_, id)| **id == rule.id) else { continue };
            let why = mapping.explain_at(&arena, &input, *origin, rule);
            let Some(why) = why else { return Err(TestCaseError::fail(format!("{pointer} is not explained"))) };
            replays(mapping, &input, Some((origin.emit, origin.item)), rule, &why)?;
        }
    }
    Ok(())
}

/// Every field of a body is explained with its value and its rule.
pub(super) fn body(mapping: &Mapping, payload: Value<'_>) -> Result<(), TestCaseError> {
    let arena = Arena::new();
    let input = Input::of(payload.copy_into(&arena), "c");
    let reply = mapping.run_out(&arena, &input);
    if reply.issues.iter().any(|issue| issue.level == crate::Level::Error) {
        return Ok(());
    }
    for rule in rules(&mapping.body) {
        let value = at(reply.body, &rule.pointer);
        if matches!(value, Value::Absent) {
            continue;
        }
        let Some(why) = mapping.explain(&input, "", None, &rule.pointer) else {
            return Err(TestCaseError::fail(format!("{} is not explained", rule.pointer)));
        };
        prop_assert!(names_rule(&why, &rule.id), "{} is not\n{}", rule.id, why.to_lines());
        prop_assert_eq!(shown(value), why.value.clone(), "{} of\n{}", rule.pointer, why.to_lines());
        replays(mapping, &input, None, rule, &why)?;
    }
    Ok(())
}

/// A tree that can be changed.
#[derive(Clone)]
enum Tree<'a> {
    One(Value<'a>),
    List(Vec<Tree<'a>>),
    Map(Vec<(String, Tree<'a>)>),
}

enum Step {
    Key(String),
    Item(usize),
}

impl<'a> Tree<'a> {
    fn of(value: Value<'a>) -> Self {
        match value {
            Value::List(items) => Self::List(items.iter().map(|item| Tree::of(*item)).collect()),
            Value::Map(map) => {
                Self::Map(map.entries().iter().map(|(key, value)| ((*key).to_owned(), Tree::of(*value))).collect())
            }
            other => Self::One(other),
        }
    }

    fn value(&self, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::One(value) => *value,
            Self::List(items) => arena.list(&items.iter().map(|item| item.value(arena)).collect::<Vec<_>>()),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (arena.text(key), value.value(arena)));
                arena.map(&entries.collect::<Vec<_>>())
            }
        }
    }

    /// Puts a value at the end of a way, as long as the whole input has what lies on it.
    fn put(&mut self, way: &[Step], value: Value<'a>, whole: Value<'a>) {
        let Some((step, rest)) = way.split_first() else {
            *self = Tree::of(value);
            return;
        };
        if matches!(value, Value::Absent) {
            return;
        }
        match (step, whole) {
            (Step::Item(index), Value::List(items)) => {
                if !matches!(self, Self::List(_)) {
                    *self = Self::List(Vec::new());
                }
                let Self::List(own) = self else { return };
                if *index >= own.len() {
                    own.resize(index + 1, Self::One(Value::Null));
                }
                own[*index].put(rest, value, items.get(*index).copied().unwrap_or_default());
            }
            // A single value stands for a list of one.
            (Step::Item(_), whole) => self.put(rest, value, whole),
            (Step::Key(key), whole) => {
                if !matches!(self, Self::Map(_)) {
                    *self = Self::Map(Vec::new());
                }
                let Self::Map(own) = self else { return };
                let at = own.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
                    own.push((key.clone(), Self::One(Value::Absent)));
                    own.len() - 1
                });
                own[at].1.put(rest, value, whole.get(key));
            }
        }
    }
}

/// The root's name and the way from it, of a path as explanations write it.
fn way(path: &str) -> (String, Vec<Step>) {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (root, mut rest) = path.split_at(end);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(key) = rest.strip_prefix('.') {
            let end = key.find(['.', '[']).unwrap_or(key.len());
            steps.push(Step::Key(key[..end].to_owned()));
            rest = &key[end..];
        } else if let Some(quoted) = rest.strip_prefix("[\"") {
            let end = quoted.find("\"]").unwrap_or(quoted.len());
            steps.push(Step::Key(quoted[..end].to_owned()));
            rest = quoted.get(end + 2..).unwrap_or_default();
        } else {
            let end = rest.find(']').unwrap_or(rest.len() - 1);
            steps.push(Step::Item(rest[1..end].parse().unwrap_or_default()));
            rest = &rest[end + 1..];
        }
    }
    (root.to_owned(), steps)
}

/// The value that a step shows.
fn value_of<'a>(step: &Explain, arena: &'a Arena) -> Value<'a> {
    let Some(text) = &step.value else {
        return if step.kind == Some("null") { Value::Null } else { Value::Absent };
    };
    json::read(arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default()
}

fn leaves<'e>(step: &'e Explain, out: &mut Vec<&'e Explain>) {
    out.extend(step.path.is_some().then_some(step));
    step.because.iter().for_each(|below| leaves(below, out));
}

/// The rule on an input of nothing but what the explanation shows.
fn replays<'a>(
    mapping: &'a Mapping,
    input: &Input<'a>,
    origin: Option<(&'a crate::mapping::Emit, usize)>,
    rule: &'a FieldRule,
    why: &Explain,
) -> Result<(), TestCaseError> {
    let arena = Arena::new();
    let whole = input.payload.copy_into(&arena);
    let mut tree = Tree::One(Value::Absent);
    let mut found = Vec::new();
    leaves(why, &mut found);
    for leaf in found {
        let (root, steps) = way(leaf.path.as_deref().unwrap_or_default());
        if root == "payload" {
            tree.put(&steps, value_of(leaf, &arena), whole);
        }
    }
    let payload = tree.value(&arena);
    let again = shown_again(mapping, &arena, &Input { payload, ..input.copy_into(&arena) }, origin, &rule.id);
    prop_assert_eq!(again, why.value.clone(), "from {}\n{}", json::to_string(&payload), why.to_lines());
    Ok(())
}

/// What a rule makes of an input, as explanations show it.
fn shown_again<'a>(
    mapping: &'a Mapping,
    arena: &'a Arena,
    input: &Input<'a>,
    origin: Option<(&'a crate::mapping::Emit, usize)>,
    id: &str,
) -> Option<String> {
    let mut run = Run::new(mapping, arena, input);
    for binding in &mapping.lets {
        // What other fields need is not there.
        let value = binding.expr.expr.eval(&mut run.cx).unwrap_or_default();
        run.cx.slots.push(value);
    }
    let entries = origin.map_or(&mapping.body, |(emit, _)| &emit.fields);
    let rule = rules(entries).into_iter().find(|rule| rule.id == id)?;
    // The item that the rule does not use is not there either.
    let made = match origin.and_then(|(emit, wanted)| Some((emit.each.as_ref()?, wanted))) {
        Some((each, wanted)) => {
            let item = each.expr.eval(&mut run.cx).unwrap_or_default().at(wanted);
            run.with_item(item, None, |run| run.field_rule(rule))
        }
        None => run.field_rule(rule),
    };
    shown(made.unwrap_or_default())
}

const STEPS: &str = r#"version: 1
from: kestrel/thing
let: { chosen: 'first(where(payload.rows, item.id == "b"))' }
emit:
  - to: candidate
    key: payload.id
    fields:
      origin: { path: payload.way, enum: { site: APPLIED, agency: AGENCY }, when: 'not is_null(payload.way)' }
      highest_education: { path: payload.school, default: OTHER }
      available_from: { path: payload.from, date: "%d/%m/%Y" }
      last_interaction_at: { path: payload.last, datetime: "%Y-%m-%d %H:%M", zone: Asia/Shanghai }
      years_of_experience: { path: payload.years }
      tags: { path: payload.tags, split: ',', lower: true }
      headline: { path: payload.skills, join: ' / ' }
      source_detail: { path: payload.code, lookup: codes }
      phones: { each: payload.phones, phone: { path: item.n, region: CN } }
      expected_salary: { money: { amount: payload.pay, currency: CNY } }
      current_title: { path: chosen.t }
      do_not_contact: { path: payload.odd }
  - to: application
    hub_id: payload.reference
    fields: { score: { score: { path: payload.years, min: 0, max: 10 } } }
  - to: person
    key: payload.id
    fields: { name.full: { path: payload.nobody, required: true }, name.given: { path: payload.way } }
"#;

/// A line of an explanation, without what stands around it.
fn has_line(lines: &str, wanted: &str) -> bool {
    lines.lines().any(|line| line.trim() == wanted)
}

#[test]
fn every_kind_of_step_is_told() {
    let parts = super::generate::parts_of(&[STEPS.to_owned()]);
    let mapping = super::total::compiled(&parts).unwrap().unwrap();
    let arena = Arena::new();
    let payload = r#"{"id":1,"reference":"h-7","way":"site","from":"01/12/2026","last":"2026-03-01 17:30","years":7.50,
        "tags":"A, b","skills":["x","y"],"code":"work","phones":[{"n":"138 0013 8000"}],"pay":"12.5","odd":"maybe",
        "rows":[{"id":"a"},{"id":"b","t":"Baker"}]}"#;
    let payload = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
    let input = Input::of(payload, "c");
    for (entity, key, pointer, wanted) in [
        ("candidate", "1", "/origin", "true  ⟵ when"),
        ("candidate", "1", "/origin", "{\"value\":\"APPLIED\",\"raw\":\"site\"}  ⟵ enum, as Origin"),
        ("candidate", "1", "/highest_education", "{\"value\":\"OTHER\"}  ⟵ default"),
        ("candidate", "1", "/available_from", "\"2026-12-01\"  ⟵ date: %d/%m/%Y, as Date"),
        (
            "candidate",
            "1",
            "/last_interaction_at",
            "\"2026-03-01T09:30:00.000Z\"  ⟵ datetime: %Y-%m-%d %H:%M in Asia/Shanghai, as DateTime",
        ),
        ("candidate", "1", "/years_of_experience", "\"7.50\"  ⟵ as Decimal"),
        ("candidate", "1", "/tags", "[\"a\",\"b\"]  ⟵ split: \",\", lower"),
        ("candidate", "1", "/headline", "\"x / y\"  ⟵ join: \" / \""),
        ("candidate", "1", "/source_detail", "\"Work\"  ⟵ lookup: codes"),
        ("candidate", "1", "/phones", "{\"e164\":\"+8613800138000\",\"raw\":\"138 0013 8000\"}  ⟵ item 0 (phone)"),
        ("candidate", "1", "/phones/0/raw", "\"138 0013 8000\"  ⟵ item.n  [payload.phones[0].n]"),
        ("candidate", "1", "/expected_salary", "\"12.5\"  ⟵ payload.pay"),
        ("candidate", "1", "/current_title", "\"Baker\"  ⟵ chosen.t  [payload.rows[1].t]"),
        ("candidate", "1", "/do_not_contact", "(absent)  ⟵ left out: expected true or false, found text"),
        // A record that has only the hub's own id, and one that could not be made.
        ("application", "h-7", "/score", "7.50  ⟵ payload.years"),
        ("person", "1", "/name/given", "\"site\"  ⟵ payload.way"),
    ] {
        let why = mapping.explain(&input, entity, Some(key), pointer).unwrap_or_else(|| panic!("{pointer}"));
        let lines = why.to_lines();
        assert!(has_line(&lines, wanted), "missing {wanted}\nin\n{lines}");
    }
    let chosen = mapping.explain(&input, "candidate", Some("1"), "/current_title").unwrap().to_lines();
    assert!(chosen.contains("⟵ let chosen: first(where(payload.rows, item.id == \"b\"))"), "{chosen}");
    for (entity, key) in [("candidate", "2"), ("application", "1"), ("person", "h-7"), ("decision", "1")] {
        assert!(mapping.explain(&input, entity, Some(key), "/score").is_none());
        assert!(mapping.explain(&input, entity, Some(key), "/name/given").is_none(), "{entity} {key}");
    }
}
