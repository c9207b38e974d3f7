//! Missing, null and empty: what each says about a field.

use super::mapping;
use crate::case;
use hub_tree::reader::Kind;

/// The record that a rule makes of `payload.v`, and the codes of its findings, without white space.
fn made(field: &str, rule: &str, payload: &str) -> String {
    let text = format!(
        "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    key: '\"1\"'\n    fields:\n      {field}: {rule}\n"
    );
    let result = case::run(&mapping(&text), Kind::Json, payload.as_bytes(), false).unwrap();
    let short: String = result.split_whitespace().collect();
    short.replace(r#"{"records":[{"entity":"candidate","key":"1""#, "").replace(r#"],"unread":[]}"#, "")
}

#[test]
fn an_empty_cell_says_nothing_but_where_text_may_be_empty() {
    let empty = r#"{"v":""}"#;
    for (field, rule) in [
        ("years_of_experience", "{ path: payload.v }"),
        ("available_from", "{ path: payload.v, date: iso }"),
        ("highest_education", "{ path: payload.v, enum: { m: MASTER } }"),
        ("owner", "{ ref: user, key: payload.v, display: payload.v }"),
        ("name", "{ person_name: { full: payload.v } }"),
        ("is_confidential", "{ path: payload.v }"),
        ("phones", "{ path: payload.v }"),
        ("emails", "{ each: payload.v, email: item }"),
        ("tags", "{ path: payload.v, split: ';' }"),
        ("expected_salary", "{ money: { amount: payload.v, currency: CNY } }"),
    ] {
        let found = made(field, rule, empty);
        assert!(!found.contains(field) && !found.contains("warning"), "{field}: {found}");
    }
    assert!(made("headline", "{ path: payload.v }", empty).contains(r#""headline":"""#));
    assert!(made("headline", "{ path: payload.v, default: none }", empty).contains(r#""headline":"none""#));
    assert!(made("headline", "{ path: payload.v, required: true }", empty).contains("required_missing"));
    let named = made("name", "{ person_name: { full: payload.v, family: payload.f } }", r#"{"v":"","f":"李"}"#);
    assert!(named.contains(r#""full":"李""#), "{named}");
    let listed = made("highest_education", "{ path: payload.v, enum: { '': OTHER, m: MASTER } }", empty);
    assert!(listed.contains(r#"{"value":"OTHER","raw":""}"#), "{listed}");
}

#[test]
fn one_item_that_does_not_fit_costs_no_other() {
    let found = made("tags", "{ path: payload.v }", r#"{"v":["a",null,["b"],5]}"#);
    assert!(found.contains(r#""tags":["a","5"]"#), "{found}");
    assert!(found.contains(r#""field":"/tags/2""#) && found.contains("not_text"), "{found}");
    let required = made("tags", "{ path: payload.v, required: true }", r#"{"v":["a",["b"]]}"#);
    assert!(!required.contains("tags\":[") && required.contains("error"), "{required}");
}

#[test]
fn an_item_that_is_read_by_its_number_leaves_the_others_unread() {
    let payload = r#"{"jobs":[{"title":"T","x":1},{"title":"U"}]}"#;
    for rule in ["{ path: 'payload.jobs[0].title' }", "{ expr: first(payload.jobs).title }"] {
        let found = result(rule, payload);
        let left = r#""ext":{"jobs":[{"x":1},{"title":"U"}]}"#;
        assert!(found.contains(left) && found.contains(r#""payload.jobs[0].x","payload.jobs[1]"]"#), "{found}");
    }
    // Nothing lies there: all is left.
    let found = result("{ path: 'payload.jobs[5].title' }", payload);
    assert!(found.contains(r#""ext":{"jobs":[{"title":"T","x":1},{"title":"U"}]}"#), "{found}");
    // Any of them may be read: none is left.
    let found = result("{ expr: last(payload.jobs).title }", payload);
    assert!(found.contains(r#""ext":{"jobs":[{"x":1},null]}"#), "{found}");
}

fn result(rule: &str, payload: &str) -> String {
    let text = format!(
        "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n      headline: {rule}\n"
    );
    let payload = payload.replacen('{', r#"{"id":1,"#, 1);
    case::run(&mapping(&text), Kind::Json, payload.as_bytes(), false).unwrap().split_whitespace().collect()
}

#[test]
fn the_first_record_that_is_made_of_an_object_keeps_what_is_left() {
    let text = "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - { to: candidate, key: payload.id, when: payload.kind == 'c', fields: {} }\n  - { to: person, key: payload.id, fields: {} }\n";
    let run = |kind: &str| -> String {
        let payload = format!(r#"{{"id":1,"kind":"{kind}","extra":5}}"#);
        case::run(&mapping(text), Kind::Json, payload.as_bytes(), false).unwrap().split_whitespace().collect()
    };
    assert!(run("p").contains(r#"{"entity":"person","key":"1","ext":{"extra":5}}"#), "{}", run("p"));
    assert!(run("c").contains(r#"{"entity":"candidate","key":"1","ext":{"extra":5}},{"entity":"person","key":"1"}"#));
}
