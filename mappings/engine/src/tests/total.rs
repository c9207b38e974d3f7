//! Any mapping file on any payload ends: with findings that have places, or with a result of bounded size, the same
//! every time.

use super::explained;
use super::generate::{Choices, damaged, files, parts_of};
use super::payloads::payload;
use crate::{Direction, Input, Mapping, Parts, case, limits};
use hub_tree::{Arena, Findings, Limits, Value, json};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Worker threads have 2 MiB.
const STACK: usize = 3 << 19;

/// Does something on a small stack.
pub(super) fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Rows of choices for a file, a payload, and damage.
type Rows = (Vec<u16>, Vec<u16>, Vec<u16>);

fn rows() -> impl Strategy<Value = Rows> {
    let row = |most| proptest::collection::vec(any::<u16>(), 0..most);
    (row(160), row(200), row(12))
}

/// Cases per property: `PROPTEST_CASES`, else 256.
fn for_all(check: impl Fn(&Rows) -> Result<(), TestCaseError> + Send + 'static) {
    on_small_stack(move || {
        let config = Config { max_shrink_iters: 20_000, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&rows(), |rows| {
            check(&rows).map_err(|error| {
                let files = files(&mut Choices::new(&rows.0));
                let payload = payload(&mut Choices::new(&rows.1));
                TestCaseError::fail(format!("{error}\n{}\n{payload}", files.join("\n=== layer\n")))
            })
        });
        if let Err(error) = result {
            panic!("{error}");
        }
    });
}

/// Compiles; findings must have places that exist, and stand against a mapping exactly when one is an error.
pub(super) fn compiled(parts: &Parts) -> Result<Option<Mapping>, TestCaseError> {
    let findings = Findings::new();
    let mapping = Mapping::assemble("kestrel", parts, &findings);
    let errors = findings.error_count();
    for finding in findings.into_sorted() {
        let told = finding.to_string();
        let (path, at) = finding.source.locate(finding.span.start);
        let mut all = parts.files.iter().chain(&parts.lists);
        let Some(file) = all.find(|file| file.path == path) else {
            return Err(TestCaseError::fail(format!("no such file: {told}")));
        };
        let lines = file.text.lines().count().max(1);
        prop_assert!((1..=lines).contains(&at.line), "of {} lines: {}", lines, told);
    }
    prop_assert_eq!(errors > 0, mapping.is_none(), "{} errors, and a mapping: {}", errors, mapping.is_some());
    Ok(mapping)
}

/// The whole result of a run as text; `None` when the input is not acceptable.
pub(super) fn told<'a>(mapping: &'a Mapping, arena: &'a Arena, payload: Value<'a>) -> String {
    let input = Input::of(payload, "c");
    let result = match mapping.direction {
        Direction::In => case::outcome(arena, &mapping.run_in(arena, &input), &mapping.unread(payload)),
        Direction::Out => {
            let reply = mapping.run_out(arena, &input);
            let issues = case::placed_issues(arena, &reply.issues);
            arena.map(&[("body", case::body(mapping, arena, &reply)), ("findings", issues)])
        }
    };
    json::to_string(&result)
}

/// What a result says but for the places of rules, which the effective view changes.
fn meaning(told: &str) -> String {
    let arena = Arena::new();
    let value = json::read(&arena, told.as_bytes(), Limits::default()).unwrap_or_default();
    let findings: Vec<String> = value
        .get("findings")
        .items()
        .iter()
        .map(|f| json::to_string(&arena.list(&[f.get("code"), f.get("field")])))
        .collect();
    let parts = ["records", "unread", "body"].map(|key| json::to_string(&value.get(key)));
    format!("{parts:?} {findings:?}")
}

/// All that must hold for a mapping and a payload; whether a mapping ran.
pub(super) fn check(texts: &[String], payload: &str) -> Result<bool, TestCaseError> {
    let parts = parts_of(texts);
    let Some(mapping) = compiled(&parts)? else { return Ok(false) };
    let mut arena = Arena::new();
    let first = {
        let Ok(value) = json::read(&arena, payload.as_bytes(), Limits::default()) else { return Ok(false) };
        told(&mapping, &arena, value)
    };
    arena.reset();
    {
        let value = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap_or_default();
        prop_assert_eq!(&first, &told(&mapping, &arena, value), "the second run differs");
        // What was made can be read again.
        let read =
            json::read(&arena, first.as_bytes(), Limits { max_depth: limits::MAX_DEPTH + 4, ..Limits::default() });
        prop_assert!(read.is_ok(), "the result cannot be read: {:?}", read.err());
    }
    let kept = Parts::from_text(&parts.files[parts.files.len() - 1].path, &mapping.text);
    let again = compiled(&kept)?;
    prop_assert_eq!(again.map(|mapping| mapping.version), Some(mapping.version.clone()), "kept as text it is another");
    let Some(effective) = parts.effective(&Findings::new(), &|_| "layer".to_owned()) else {
        return Err(TestCaseError::fail("no effective view"));
    };
    let Some(flat) = compiled(&Parts { lists: parts.lists.clone(), ..parts_of(std::slice::from_ref(&effective)) })?
    else {
        return Err(TestCaseError::fail(format!("the effective view does not compile\n{effective}")));
    };
    let arena = Arena::new();
    let value = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap_or_default();
    prop_assert_eq!(meaning(&first), meaning(&told(&flat, &arena, value)), "the effective view\n{}", effective);
    if mapping.direction == Direction::In {
        unread_changes_nothing(&mapping, &arena, value)?;
        explained::records(&mapping, value)?;
    } else {
        explained::body(&mapping, value)?;
    }
    Ok(true)
}

/// The records without `ext`, and the findings.
fn read_part(mapping: &Mapping, arena: &Arena, payload: Value<'_>) -> String {
    let payload = payload.copy_into(arena);
    let mut outcome = mapping.run_in(arena, &Input::of(payload, "c"));
    for record in &mut outcome.records {
        record.ext = Value::Absent;
    }
    json::to_string(&case::outcome(arena, &outcome, &[]))
}

/// What is reported as unread can be anything; what a record keeps as left over is reported.
fn unread_changes_nothing<'a>(mapping: &'a Mapping, arena: &'a Arena, payload: Value<'a>) -> Result<(), TestCaseError> {
    let unread = mapping.unread(payload);
    let other = changed(payload, "payload", &unread, false, arena);
    let again = Arena::new();
    let (before, after) = (read_part(mapping, arena, payload), read_part(mapping, &again, other));
    prop_assert_eq!(before, after, "with other values at {:?}", unread);
    let outcome = mapping.run_in(arena, &Input::of(payload, "c"));
    for (record, emit) in outcome.records.iter().filter(|record| !record.ext.is_absent()).map(|record| {
        let emits = mapping.emits.iter().filter(|emit| emit.entity.name == record.entity.name);
        (record, emits.filter_map(|emit| emit.leftovers.as_ref()).collect::<Vec<_>>())
    }) {
        // Of several emits of an entity it is not told which one it was: one of them must fit.
        let fits = emit.iter().any(|leftovers| {
            let base = leftovers.path.iter().fold("payload".to_owned(), |path, key| format!("{path}.{key}"));
            lists(record.ext, &base, &unread)
        });
        prop_assert!(fits, "ext {} is not unread: {:?}", json::to_string(&record.ext), unread);
    }
    Ok(())
}

/// Whether every scalar of a value lies below a listed path.
fn lists(value: Value<'_>, path: &str, unread: &[String]) -> bool {
    if unread.iter().any(|known| known == path) {
        return true;
    }
    match value {
        Value::List(items) => {
            let mut places = items.iter().enumerate();
            places.all(|(index, item)| lists(*item, &format!("{path}{}", place(path, index, unread)), unread))
        }
        Value::Map(map) => map.entries().iter().all(|(key, value)| lists(*value, &format!("{path}.{key}"), unread)),
        value => value.is_absent(),
    }
}

/// How the items of a list are named: by their number where one is named so.
fn place(list: &str, index: usize, unread: &[String]) -> String {
    let numbered = |path: &String| {
        path.strip_prefix(list).and_then(|rest| rest.strip_prefix('[')).is_some_and(|rest| !rest.starts_with(']'))
    };
    if unread.iter().any(numbered) { format!("[{index}]") } else { "[]".to_owned() }
}

/// A payload that says something else at the listed paths and below. How many items a list has stays: that is read.
fn changed<'a>(value: Value<'a>, path: &str, unread: &[String], below: bool, arena: &'a Arena) -> Value<'a> {
    let listed = below || unread.iter().any(|known| known == path);
    match value {
        // Of several items at one path, some may be read in part.
        Value::List(items) => {
            let below = listed && !path.contains("[]");
            let items = items.iter().enumerate().map(|(index, item)| {
                changed(*item, &format!("{path}{}", place(path, index, unread)), unread, below, arena)
            });
            arena.list(&items.collect::<Vec<_>>())
        }
        Value::Map(map) => {
            let below = listed && !path.contains("[]");
            let one = |(key, value): &(&'a str, Value<'a>)| {
                (*key, changed(*value, &format!("{path}.{key}"), unread, below, arena))
            };
            arena.map(&map.entries().iter().map(one).collect::<Vec<_>>())
        }
        value if listed && !value.is_absent() => Value::Text("~"),
        value => value,
    }
}

#[test]
fn generated_mappings_end_repeat_explain_and_miss_nothing() {
    for_all(|(file, body, _)| {
        let (files, payload) = (files(&mut Choices::new(file)), payload(&mut Choices::new(body)));
        check(&files, &payload).map(|_| ())
    });
}

#[test]
fn damaged_files_are_refused_with_places_or_run() {
    for_all(|(file, body, damage)| {
        let mut files = files(&mut Choices::new(file));
        let mut choices = Choices::new(damage);
        let which = choices.below(files.len());
        files[which] = damaged(&files[which], &mut choices);
        check(&files, &payload(&mut Choices::new(body))).map(|_| ())
    });
}

/// The generator is of use only as long as most of what it writes runs.
#[test]
fn most_generated_mappings_run_and_make_records() {
    let mut state = 7_u64;
    let mut row = |length: usize| -> Vec<u16> {
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 48) as u16
        };
        (0..length).map(next).collect()
    };
    let (mut ran, mut made) = (0, 0);
    for _ in 0..200 {
        let parts = parts_of(&files(&mut Choices::new(&row(160))));
        let Some(mapping) = compiled(&parts).unwrap() else { continue };
        ran += 1;
        let text = payload(&mut Choices::new(&row(200)));
        let arena = Arena::new();
        let value = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        made += usize::from(told(&mapping, &arena, value).contains("\"entity\":"));
    }
    assert!(ran > 100 && made > 40, "{ran} of 200 compile, {made} make something");
}
