//! Mappings and payloads written to do harm: each ends soon, in bounded memory, with an error that has a place.

use super::total::on_small_stack;
use crate::{Input, Issue, Level, Mapping, Outcome, limits};
use hub_tree::{Arena, Findings, Limits, Source, Value, json};

const HEAD: &str = "version: 1\nfrom: kestrel/thing\n";

fn mapping(file: &str, text: &str) -> Mapping {
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel", &Source::new(file, text), &findings);
    mapping.unwrap_or_else(|| panic!("{:?}", findings.into_sorted().first().map(ToString::to_string)))
}

fn one_record(fields: &str) -> Mapping {
    mapping("thing.in.yaml", &format!("{HEAD}emit:\n  - to: candidate\n    key: payload.id\n    fields:\n{fields}"))
}

/// Runs a mapping on a small stack; the outcome must be of bounded size, and be written without trouble.
fn run(mapping: Mapping, payload: impl Fn(&Arena) -> String + Send + 'static, check: fn(&Outcome<'_>)) {
    on_small_stack(move || {
        let arena = Arena::new();
        let text = payload(&arena);
        let value = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        let read = arena.allocated_bytes();
        let outcome = mapping.run_in(&arena, &Input::of(value, "c"));
        let taken = arena.allocated_bytes() - read;
        assert!(taken < 256 << 20, "{taken} bytes");
        for record in &outcome.records {
            let (fields, ext) = (json::to_string(&record.fields), json::to_string(&record.ext));
            assert!(fields.len() + ext.len() < 2 * limits::MAX_TEXT + 16 * limits::MAX_VALUES);
        }
        assert!(outcome.issues.len() <= 2 * limits::MAX_ISSUES + 1, "{} issues", outcome.issues.len());
        assert!(outcome.issues.iter().all(|issue| issue.line > 1), "an issue without a place");
        let _ = mapping.unread(value);
        let _ = mapping.explain(&Input::of(value, "c"), "candidate", None, "/headline");
        check(&outcome);
    });
}

fn count(outcome: &Outcome<'_>, code: &str) -> usize {
    outcome.issues.iter().filter(|issue| issue.code == code).count()
}

fn is_too_large(outcome: &Outcome<'_>) {
    assert_eq!(count(outcome, "result_too_large"), 1, "{:?}", outcome.issues.first());
    assert_eq!(outcome.first_error().map(|issue| issue.code), Some("result_too_large"));
}

fn rows(count: usize, row: &str) -> String {
    format!("{{\"id\":1,\"rows\":[{}]}}", vec![row; count].join(","))
}

/// Fields of `custom`, each by the same rule.
fn fields(count: usize, rule: &str) -> String {
    (0..count).map(|n| format!("      custom.f{n}: {rule}\n")).collect()
}

#[test]
fn one_part_copied_into_many_fields_is_too_large() {
    let mapping = one_record(&fields(100, "{ path: payload.long }"));
    run(mapping, |_| format!("{{\"id\":1,\"long\":\"{}\"}}", "x".repeat(1 << 20)), is_too_large);
    let mapping = one_record(&fields(100, "{ path: payload.rows }"));
    run(mapping, |_| rows(100_000, "1"), is_too_large);
}

#[test]
fn many_items_with_many_fields_are_too_large_and_keep_what_was_complete() {
    let parts: Vec<String> = (0..50).map(|n| format!("f{n}: {{ value: x }}")).collect();
    let rule = format!("{{ each: payload.rows, fields: {{ {} }} }}", parts.join(", "));
    run(one_record(&fields(1, &rule)), |_| rows(100_000, "1"), is_too_large);
    let text = format!(
        "{HEAD}emit:\n  - to: candidate\n    each: payload.rows\n    key: payload.id\n    fields:\n{}",
        fields(50, "{ value: x }")
    );
    run(
        mapping("thing.in.yaml", &text),
        |_| rows(100_000, "1"),
        |outcome| {
            is_too_large(outcome);
            assert!(outcome.records.len() > 10_000, "{} records", outcome.records.len());
        },
    );
}

#[test]
fn lists_within_lists_that_make_nothing_end_by_their_steps() {
    let rule = "{ each: payload.rows, fields: { a: { each: payload.rows, fields: {} } } }";
    run(one_record(&fields(1, rule)), |_| rows(10_000, "1"), is_too_large);
    let rule = "{ each: payload.rows, fields: { a: { each: payload.rows, path: item } } }";
    run(one_record(&fields(1, rule)), |_| rows(10_000, "1"), |outcome| assert!(outcome.first_error().is_some()));
}

#[test]
fn text_put_together_and_taken_apart_is_bounded() {
    let separator = "s".repeat(1 << 20);
    let rule = format!("      headline: {{ path: payload.rows, join: {separator} }}\n");
    run(one_record(&rule), |_| rows(100_000, "\"a\""), is_too_large);
    let rule = fields(40, "{ path: payload.long, split: ',' }");
    run(one_record(&rule), |_| format!("{{\"id\":1,\"long\":\"{}\"}}", "a,".repeat(500_000)), is_too_large);
}

#[test]
fn names_and_lists_that_grow_deep_are_refused_before_anything_walks_them() {
    let mut text = format!("{HEAD}let:\n  v0: '[payload.id]'\n");
    for n in 1..300 {
        text.push_str(&format!("  v{n}: '[v{}]'\n", n - 1));
    }
    text.push_str("emit: [{ to: candidate, key: payload.id, fields: { custom.deep: { path: v299 } } }]\n");
    run(mapping("thing.in.yaml", &text), |_| "{\"id\":1}".to_owned(), is_too_large);
    // Each expression makes as many levels as it may.
    let nested = |name: &str| format!("{}{name}{}", "[".repeat(40), "]".repeat(40));
    let (mut open, mut close) = (String::new(), String::new());
    for n in 0..20 {
        open.push_str(&format!("{{ each: '{}', fields: {{ a: ", nested(if n == 0 { "payload.id" } else { "item" })));
        close.push_str(" } }");
    }
    let rule = format!("      custom.deep: {open}{{ path: item }}{close}\n");
    run(one_record(&rule), |_| "{\"id\":1}".to_owned(), is_too_large);
}

#[test]
fn a_payload_as_deep_as_readers_allow_is_left_out_where_it_would_be_too_deep() {
    let deep = |_: &Arena| format!("{{\"id\":1,\"a\":{}{}}}", "[".repeat(63), "]".repeat(63).replacen(']', "1]", 1));
    run(one_record("      custom.a: { path: payload.a }\n"), deep, |outcome| {
        is_too_large(outcome);
        assert_eq!(outcome.records.len(), 0);
    });
    run(one_record("      custom.b: { path: payload.b }\n"), deep, |outcome| {
        let issue = outcome.issues.first().unwrap();
        assert_eq!((issue.level, issue.code), (Level::Warning, "result_too_large"));
        assert_eq!(outcome.records.len(), 1);
        assert!(outcome.records[0].ext.is_absent());
    });
}

/// Values that no reader made: callers of the library build them.
#[test]
fn a_payload_deeper_than_any_reader_allows_ends_too() {
    on_small_stack(|| {
        let arena = Arena::new();
        let mut deep = Value::Number("1");
        for _ in 0..1_000_000 {
            deep = arena.list(&[deep]);
        }
        let payload = arena.map(&[("id", Value::Number("1")), ("a", deep), ("b", deep), ("c", deep)]);
        let mapping = one_record("      custom.a: { path: payload.a }\n      headline: { path: 'payload.b[0]' }\n");
        let outcome = mapping.run_in(&arena, &Input::of(payload, "c"));
        assert_eq!(outcome.first_error().map(|issue| issue.code), Some("result_too_large"));
        assert_eq!(mapping.unread(payload), ["payload.c"]);
    });
}

#[test]
fn of_many_findings_a_thousand_are_listed_and_the_rest_counted() {
    let rule = "      phones: { each: payload.rows, phone: item }\n";
    run(
        one_record(rule),
        |_| rows(20_000, "\"12\""),
        |outcome| {
            assert_eq!(count(outcome, "unparsable_phone"), limits::MAX_ISSUES);
            let last = outcome.issues.last().unwrap();
            assert_eq!((last.code, last.level), ("findings_left_out", Level::Warning));
            assert!(last.message.starts_with("19000 more"), "{}", last.message);
            assert_eq!(outcome.records.len(), 1);
        },
    );
    // Errors are not lost behind warnings.
    let text = format!(
        "{HEAD}emit:\n  - to: candidate\n    each: payload.rows\n    key: item.id\n    fields: {{ phones: {{ path: item.t }} }}\n"
    );
    let rows = |_: &Arena| format!("{{\"rows\":[{},{{}}]}}", vec!["{\"id\":1,\"t\":\"12\"}"; 3_000].join(","));
    run(mapping("thing.in.yaml", &text), rows, |outcome| {
        assert_eq!(outcome.first_error().map(|issue| issue.code), Some("key_missing"));
        assert_eq!(outcome.records.len(), 3_000);
    });
}

#[test]
fn an_expression_that_fails_for_every_item_ends() {
    let text = format!(
        "{HEAD}emit:\n  - to: candidate\n    each: payload.rows\n    key: item.id\n    fields:\n{}",
        fields(100, "{ expr: item.a + 1 }")
    );
    run(
        mapping("thing.in.yaml", &text),
        |_| rows(50_000, "{\"id\":1,\"a\":\"x\"}"),
        |outcome| {
            assert!(count(outcome, "expression_failed") <= limits::MAX_ISSUES);
            assert_eq!(outcome.records.len(), 0);
        },
    );
}

#[test]
fn long_texts_are_read_by_every_kind_of_rule() {
    let rules = "      name: { person_name: { given: payload.long, family: payload.long } }
      emails: { path: payload.long }
      phones: { path: payload.long }
      available_from: { path: payload.long, date: '%d/%m/%Y' }
      last_interaction_at: { path: payload.long, datetime: rfc3339 }
      years_of_experience: { path: payload.long }
      origin: { path: payload.long }
      expected_salary: { money: { amount: payload.long, currency: payload.long } }
      tags: { path: payload.long, split: ' ', trim: true, upper: true }
";
    for (part, count) in [("1", 500_000), ("李 ", 100_000), ("a@", 100_000), ("+86 1", 100_000), ("\\u0000", 50_000)] {
        let long = part.repeat(count);
        run(
            one_record(rules),
            move |_| format!("{{\"id\":1,\"long\":\"{long}\"}}"),
            |outcome| {
                assert!(!outcome.issues.is_empty());
            },
        );
    }
}

#[test]
fn an_explained_field_of_a_large_payload_ends() {
    on_small_stack(|| {
        let arena = Arena::new();
        let text = rows(50_000, "{\"id\":1,\"t\":\"12\"}");
        let payload = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        let mapping = one_record(
            "      phones: { each: payload.rows, phone: item.t }\n      tags: { path: 'payload.rows[0].t' }\n",
        );
        let input = Input::of(payload, "c");
        let why = mapping.explain(&input, "candidate", Some("1"), "/phones").unwrap();
        let size = serde_json::to_string(&why).unwrap().len();
        assert!(size < 16 << 20, "{size} bytes");
        assert!(why.to_lines().contains("steps are shown, more are not"));
        assert!(mapping.explain(&input, "candidate", Some("1"), "/tags").is_some());
    });
}

#[test]
fn a_body_for_a_vendor_is_bounded_too() {
    on_small_stack(|| {
        let fields: String = (0..100).map(|n| format!("  root.f{n}: {{ path: payload.rows }}\n")).collect();
        let text = format!("version: 1\nto: kestrel/thing\nformat: xml\nfields:\n{fields}");
        let mapping = mapping("thing.out.yaml", &text);
        let arena = Arena::new();
        let payload = rows(100_000, "1");
        let payload = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
        let reply = mapping.run_out(&arena, &Input::of(payload, "c"));
        let errors: Vec<&Issue> = reply.issues.iter().filter(|issue| issue.level == Level::Error).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].code, errors[0].line), ("result_too_large", 24));
        assert!(reply.xml.is_none());
    });
}

/// Files that are deep, long, or cut off.
#[test]
fn files_written_to_do_harm_are_refused() {
    on_small_stack(|| {
        let deep = |open: &str, inner: &str, close: &str, count: usize| {
            format!(
                "{HEAD}emit:\n  - to: candidate\n    key: payload.id\n    fields:\n      custom.a: {}{inner}{}\n",
                open.repeat(count),
                close.repeat(count)
            )
        };
        for text in [
            deep("{ fields: { a: ", "{ path: payload.a }", " } }", 20),
            deep("{ fields: { a: ", "{ path: payload.a }", " } }", 2_000),
            deep("{ each: payload.a, fields: { a: ", "{ path: item }", " } }", 10),
            deep("{ phone: ", "payload.a", " }", 20),
            deep("{ value: ", "1", " }", 30),
            deep("[", "1", "]", 100_000),
            deep("{ fields: { 'a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a': ", "{ path: payload.a }", " } }", 20),
            format!("{HEAD}emit:\n  - to: candidate\n    key: {}\n", "payload.".repeat(100_000)),
            format!(
                "{HEAD}emit:\n  - to: candidate\n    key: payload.id\n    fields: {{ custom.{}: {{ value: 1 }} }}\n",
                "a.".repeat(100_000)
            ),
            "- ".repeat(50_000),
            "{".repeat(50_000),
            "a: ".repeat(50_000),
        ] {
            let findings = Findings::new();
            let compiled = Mapping::compile("kestrel", &Source::new("thing.in.yaml", text.as_str()), &findings);
            assert_eq!(compiled.is_none(), findings.error_count() > 0);
            if let Some(mapping) = compiled {
                let arena = Arena::new();
                let payload = json::read(&arena, b"{\"id\":1,\"a\":[[1],2]}", Limits::default()).unwrap();
                let outcome = mapping.run_in(&arena, &Input::of(payload, "c"));
                outcome.records.iter().for_each(|record| _ = json::to_string(&record.fields));
                let _ = mapping.explain(&Input::of(payload, "c"), "candidate", None, "/custom/a");
            }
        }
    });
}
