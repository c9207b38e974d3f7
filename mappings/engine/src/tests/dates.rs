//! Days and instants in every form, towards the hub and towards a vendor.

use super::compile;
use crate::{Input, Mapping};
use hub_tree::{Arena, Findings, Limits, Source, json};

/// What a rule of `available_from` (a day), `applied_at` (an instant) or `custom.x` makes of `payload.v`.
fn made(field: &str, rule: &str, value: &str) -> String {
    let entity = if field == "applied_at" { "application" } else { "candidate" };
    let text = format!(
        "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: {entity}\n    key: payload.id\n    fields:\n      {field}: {{ path: payload.v, {rule} }}\n"
    );
    let (mapping, findings) = compile(&text);
    let mapping = mapping.unwrap_or_else(|| panic!("{rule}: {findings:#?}"));
    let arena = Arena::new();
    let payload = arena.text(&format!(r#"{{"id":1,"v":{value}}}"#));
    let payload = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
    let outcome = mapping.run_in(&arena, &Input::of(payload, "c"));
    match outcome.issues.first() {
        Some(issue) => issue.code.to_owned(),
        None => json::to_string(&outcome.records[0].fields.path(field)),
    }
}

#[test]
fn days_are_read_in_every_form_and_never_moved_by_a_zone() {
    for (rule, value, wanted) in [
        ("date: iso", r#""2026-03-01""#, r#""2026-03-01""#),
        ("date: iso", r#""2026-03-01T23:30:00""#, r#""2026-03-01""#),
        ("date: iso", r#""2026-03-01T23:30:00Z""#, "not_a_date"),
        ("date: iso, zone: Asia/Shanghai", r#""2026-03-01T23:30:00Z""#, r#""2026-03-02""#),
        ("date: iso, zone: America/New_York", r#""2026-03-01""#, r#""2026-03-01""#),
        ("date: yyyyMMdd", "20260301", r#""2026-03-01""#),
        ("date: yyyyMMdd", r#""20260229""#, "not_a_date"),
        ("date: sap", r#""00000000""#, "null"),
        ("date: sap", r#""9999-12-31""#, "null"),
        ("date: sap", r#""2026-03-01""#, r#""2026-03-01""#),
        ("date: excel", "46082", r#""2026-03-01""#),
        ("date: excel", "60", "not_a_date"),
        ("date: cn", r#""2026年3月1日""#, r#""2026-03-01""#),
        ("date: epoch_s, zone: Asia/Shanghai", "1772379000", r#""2026-03-01""#),
        ("date: '%d/%m/%Y'", r#""01/03/2026""#, r#""2026-03-01""#),
    ] {
        let found = made("available_from", rule, value);
        assert_eq!(if found.is_empty() { "null" } else { &found }, wanted, "{rule} of {value}");
    }
}

#[test]
fn an_open_end_clears_the_end_that_is_stored_where_the_rule_says_so() {
    for (rule, value, wanted) in [
        ("date: erp, clear: on_null", r#""9999-12-31""#, "null"),
        ("date: erp, clear: on_null", r#""0000-00-00""#, "null"),
        ("date: erp, clear: on_null", r#""""#, "null"),
        ("date: erp, clear: on_null", "null", "null"),
        ("date: erp, clear: on_null", r#""2025-10-31+08:00""#, r#""2025-10-31""#),
        ("date: erp", r#""9999-12-31""#, ""),
        ("date: iso, clear: on_null", r#""""#, ""),
    ] {
        let text = format!(
            "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n      available_from: {{ path: payload.v, {rule} }}\n"
        );
        let (mapping, findings) = compile(&text);
        let mapping = mapping.unwrap_or_else(|| panic!("{rule}: {findings:#?}"));
        let arena = Arena::new();
        let payload = format!(r#"{{"id":1,"v":{value}}}"#);
        let payload = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
        let outcome = mapping.run_in(&arena, &Input::of(payload, "c"));
        let fields = outcome.records[0].fields.entries();
        let found = fields.iter().find(|(name, _)| *name == "available_from").map(|(_, day)| json::to_string(day));
        assert_eq!(found.unwrap_or_default(), wanted, "{rule} of {value}");
    }
}

#[test]
fn instants_are_read_in_every_form_and_a_local_time_needs_its_zone() {
    let shanghai = r#""2026-03-01T09:30:00.000Z""#;
    for (rule, value, wanted) in [
        ("datetime: rfc3339", r#""2026-03-01T17:30:00+08:00""#, shanghai),
        ("datetime: rfc3339", r#""2026-03-01T17:30:00""#, "not_a_date"),
        ("datetime: rfc3339, zone: Asia/Shanghai", r#""2026-03-01T17:30:00""#, shanghai),
        ("datetime: rfc3339, zone: Asia/Shanghai", r#""2026-03-01""#, "not_a_date"),
        ("datetime: dotnet", r#""/Date(1772357400000+0800)/""#, shanghai),
        ("datetime: epoch_ms", "1772357400000", shanghai),
        ("datetime: epoch_s", r#""1772357400""#, shanghai),
        ("datetime: yyyyMMdd, zone: Asia/Shanghai", "20260301173000", shanghai),
        ("datetime: '%Y/%m/%d %H:%M', zone: Asia/Shanghai", r#""2026/03/01 17:30""#, shanghai),
        ("datetime: '%Y-%m-%d %H:%M', zone: Europe/Berlin", r#""2026-03-29 02:30""#, "ambiguous_time"),
        ("datetime: '%Y-%m-%d %H:%M', zone: Europe/Berlin", r#""2026-10-25 02:30""#, "ambiguous_time"),
    ] {
        assert_eq!(made("applied_at", rule, value), wanted, "{rule} of {value}");
    }
}

#[test]
fn towards_a_vendor_the_form_says_how_to_write() {
    let text = "version: 1
to: kestrel-ats/hire
fields:
  start: { path: payload.day, date: '%d/%m/%Y' }
  start_sap: { path: payload.day, date: sap }
  sheet: { path: payload.day, date: excel }
  signed: { path: payload.at, datetime: epoch_ms }
  local: { path: payload.at, datetime: '%Y-%m-%d %H:%M', zone: Asia/Shanghai }
  day_there: { path: payload.at, date: iso, zone: Asia/Shanghai }
  net: { path: payload.at, datetime: dotnet }
  none: { path: payload.nothing, date: sap }
";
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel-ats", &Source::new("kestrel-ats/hire.out.yaml", text), &findings);
    let mapping = mapping.unwrap_or_else(|| panic!("{:#?}", findings.into_sorted()));
    let arena = Arena::new();
    let payload = br#"{"day":"2026-03-01","at":"2026-03-01T17:30:00.000Z","nothing":null}"#;
    let payload = json::read(&arena, payload, Limits::default()).unwrap();
    let reply = mapping.run_out(&arena, &Input::of(payload, "c"));
    let wanted = r#"{"start":"01/03/2026","start_sap":"20260301","sheet":46082,"signed":1772386200000,"local":"2026-03-02 01:30","day_there":"2026-03-02","net":"/Date(1772386200000)/"}"#;
    assert_eq!((json::to_string(&reply.body).as_str(), reply.issues.len()), (wanted, 0));
}
