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
