//! Behaviour of mapping files, end to end.

mod checks;
mod corpus;
mod dates;
mod empties;
mod explained;
mod generate;
mod hostile;
mod layers;
mod lists;
mod payloads;
mod total;
mod updates;

use crate::{Input, Level, Mapping, case};
use hub_tree::reader::Kind;
use hub_tree::{Arena, Findings, Limits, Source, json};
use proptest::prelude::*;

const MAPPING: &str = r#"version: 1
from: kestrel-ats/candidate
let:
  app: payload.application
  person: app.candidate
emit:
  - to: candidate
    key: person.id
    fields:
      name: { person_name: { given: person.first_name, family: person.last_name } }
      emails: { each: person.emails, fields: { address: { path: item.value, trim: true, lower: true }, type: { path: item.type, enum: { work: WORK, personal: HOME } }, is_primary: { expr: item.value == first(person.emails).value } } }
      phones: { each: person.phones, where: item.value != "", phone: { path: item.value, region: CN } }
      origin: { path: app.channel, enum: { site: APPLIED, agency: AGENCY } }
      expected_salary: { money: { amount: person.salary.fen, currency: CNY, minor_units: true } }
      available_from: { path: person.free_on, date: "%d/%m/%Y" }
      years_of_experience: { path: person.years }
      tags: { path: person.tags, trim: true }
      headline: { expr: 'person.title & " / " & (person.company ?? "-")', when: exists(person.title) }
      custom.badge: { path: person.badge }
  - to: application
    key: app.id
    url: app.url
    fields:
      candidate: { ref: candidate, key: person.id }
      stage: { ref: stage, key: app.stage.id, display: app.stage.name }
      stage_kind: { path: app.stage.name, enum: { "Phone Screen": SCREENING, Offer: OFFER }, unknown: keep }
      applied_at: { path: app.applied_at, datetime: "%Y-%m-%d %H:%M:%S", zone: Asia/Shanghai }
      score: { score: { path: app.rating, min: 0, max: 5 } }
      outcome: { path: app.status, enum: { active: PENDING, hired: HIRED }, unknown: park, default: PENDING }
      rejection.note: { path: app.note, clear: on_null }
ignore: [app.links, payload.version]
"#;

const PAYLOAD: &str = r#"{"version": 3, "application": {
  "id": 77, "url": "https://ats.example/77", "status": "active", "rating": 4.50, "channel": "site", "note": null,
  "applied_at": "2026-03-01 17:30:00", "stage": {"id": "s1", "name": "Phone Screen", "order": 2}, "links": [1],
  "candidate": {"id": "c-9", "first_name": "娜", "last_name": "李", "years": "7.5", "free_on": "01/12/2026",
    "emails": [{"value": " Li.Na@Example.COM ", "type": "work"}, {"value": "li@home.example", "type": "fax"}],
    "phones": [{"value": "138 0013 8000"}, {"value": "12", "ext": 5}, {"value": ""}],
    "salary": {"fen": 1234550, "note": "negotiable"}, "title": "Engineer", "tags": ["a ", "b"], "badge": 12, "hobby": "go"},
  "jobs": [{"id": 1}, {"id": 2}]}}"#;

fn compile(text: &str) -> (Option<Mapping>, Vec<String>) {
    let source = Source::new("mappings/kestrel-ats/candidate.in.yaml", text);
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel-ats", &source, &findings);
    (mapping, findings.into_sorted().iter().map(ToString::to_string).collect())
}

fn mapping(text: &str) -> Mapping {
    let (mapping, findings) = compile(text);
    mapping.unwrap_or_else(|| panic!("{findings:#?}"))
}

#[test]
fn a_payload_becomes_records_findings_and_unread_paths() {
    let result = case::run(&mapping(MAPPING), Kind::Json, PAYLOAD.as_bytes(), false).unwrap();
    let expected = r#"{
  "records": [
    {
      "entity": "candidate",
      "key": "c-9",
      "name": {
        "full": "李娜",
        "family": "李",
        "given": "娜"
      },
      "emails": [
        {
          "address": "li.na@example.com",
          "type": {
            "value": "WORK",
            "raw": "work"
          },
          "is_primary": true
        },
        {
          "address": "li@home.example",
          "type": {
            "value": "OTHER",
            "raw": "fax"
          },
          "is_primary": false
        }
      ],
      "phones": [
        {
          "e164": "+8613800138000",
          "raw": "138 0013 8000"
        },
        {
          "raw": "12"
        }
      ],
      "headline": "Engineer / -",
      "years_of_experience": "7.5",
      "expected_salary": {
        "amount": "12345.50",
        "currency": "CNY"
      },
      "available_from": "2026-12-01",
      "origin": {
        "value": "APPLIED",
        "raw": "site"
      },
      "tags": [
        "a",
        "b"
      ],
      "custom": {
        "badge": 12
      },
      "ext": {
        "phones": [
          null,
          {
            "ext": 5
          },
          null
        ],
        "salary": {
          "note": "negotiable"
        },
        "hobby": "go"
      }
    },
    {
      "entity": "application",
      "key": "77",
      "url": "https://ats.example/77",
      "candidate": {
        "type": "candidate",
        "source": {
          "connection_id": "case",
          "remote_id": "c-9"
        }
      },
      "applied_at": "2026-03-01T09:30:00.000Z",
      "stage": {
        "type": "stage",
        "source": {
          "connection_id": "case",
          "remote_id": "s1"
        },
        "display": "Phone Screen"
      },
      "stage_kind": {
        "value": "SCREENING",
        "raw": "Phone Screen"
      },
      "outcome": {
        "value": "PENDING",
        "raw": "active"
      },
      "rejection": {
        "note": null
      },
      "score": {
        "value": "4.50",
        "min": "0",
        "max": "5"
      },
      "ext": {
        "stage": {
          "order": 2
        },
        "jobs": [
          {
            "id": 1
          },
          {
            "id": 2
          }
        ]
      }
    }
  ],
  "findings": [
    {
      "level": "warning",
      "code": "unknown_enum_value",
      "entity": "candidate",
      "field": "/emails/1/type",
      "message": "the value is not in the `enum` table for ContactType: add it there",
      "line": 11
    },
    {
      "level": "warning",
      "code": "unparsable_phone",
      "entity": "candidate",
      "field": "/phones/1",
      "message": "no such phone number is in use; it is kept as `raw`",
      "line": 12
    }
  ],
  "unread": [
    "payload.application.candidate.hobby",
    "payload.application.candidate.phones[].ext",
    "payload.application.candidate.salary.note",
    "payload.application.jobs",
    "payload.application.stage.order"
  ]
}
"#;
    if let Some(diff) = case::diff(expected, &result) {
        panic!("{diff}");
    }
}

fn run(mapping: &Mapping, payload: &str) -> (usize, Vec<(Level, &'static str, String)>) {
    let arena = Arena::new();
    let value = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
    let outcome = mapping.run_in(&arena, &Input::of(value, "c"));
    (outcome.records.len(), outcome.issues.iter().map(|i| (i.level, i.code, i.to_string())).collect())
}

#[test]
fn what_cannot_be_mapped_is_an_error_or_a_warning_with_its_place_and_never_its_value() {
    let mapping = mapping(MAPPING);
    for (payload, records, code, level, place) in [
        (
            r#"{"application":{"id":1,"status":"weird","candidate":{"id":2}}}"#,
            1,
            "unknown_enum_value",
            Level::Error,
            ":29:",
        ),
        (r#"{"application":{"candidate":{"id":2}}}"#, 1, "key_missing", Level::Error, ":21:"),
        (
            r#"{"application":{"id":1,"rating":5.01,"candidate":{"id":2}}}"#,
            2,
            "score_out_of_range",
            Level::Warning,
            ":28:",
        ),
        (
            r#"{"application":{"id":1,"applied_at":"soon","candidate":{"id":2}}}"#,
            2,
            "not_a_date",
            Level::Warning,
            ":27:",
        ),
        (r#"{"application":{"id":1,"candidate":{"id":2,"years":"many"}}}"#, 2, "not_a_number", Level::Warning, ":16:"),
        (
            r#"{"application":{"id":1,"candidate":{"id":2,"salary":{"fen":1.5}}}}"#,
            2,
            "malformed",
            Level::Warning,
            ":14:",
        ),
        (
            r#"{"application":{"id":1,"candidate":{"id":2,"title":["x"]}}}"#,
            1,
            "expression_failed",
            Level::Error,
            ":18:",
        ),
        (
            r#"{"application":{"id":1,"candidate":{"id":2,"tags":[{"secret-value":1}]}}}"#,
            2,
            "not_text",
            Level::Warning,
            ":17:",
        ),
    ] {
        let (made, issues) = run(&mapping, payload);
        let found = issues.iter().find(|issue| issue.1 == code).unwrap_or_else(|| panic!("{payload}: {issues:?}"));
        assert_eq!((made, found.0), (records, level), "{payload}");
        assert!(found.2.contains(place), "{payload}: {}", found.2);
        assert!(!found.2.contains("secret-value") && !found.2.contains("soon"), "{}", found.2);
    }
}

#[test]
fn the_checker_reports_every_problem_of_a_file_in_one_run() {
    let text = r#"version: 1
from: kestrel/candidate
let: { app: paylod.application, app: 1 }
emit:
  - to: candidat
    key: payload.id
  - to: application
    fields:
      stage_kid: { path: payload.x }
      stage_kind: { path: payload.x, enum: { a: OFER } }
      outcome: { value: HIRD }
      applied_at: { path: payload.at, datetime: "%Y-%m-%d" }
      score: { path: payload.a, expr: payload.b }
      answers: payload.answers
      candidate: { ref: person, key: payload.id }
      rejection.nte: { path: payload.n }
      hired_at: { path: payload.h | trim }
      history: { ech: payload.h, fields: {} }
      source.channel: { path: payload.c, trimm: true }
      source: { fields: {} }
  - to: candidate
    key: payload.id
    fields:
      years_of_experience: { expr: 'payload.a == 1' }
      name: { path: payload.name }
      is_confidential: { expr: '"yes"' }
      expected_salary: { money: { amount: payload.a, currency: RMB } }
"#;
    let (mapping, findings) = compile(text);
    assert!(mapping.is_none());
    let all = findings.join("\n");
    for wanted in [
        ":2:7: error: this file is `kestrel-ats/candidate`; `from` says `kestrel/candidate`",
        ":3:13: error: unknown name `paylod`",
        ":3:33: error: the key `app` stands twice",
        ":5:9: error: unknown entity `candidat`",
        "help: did you mean `candidate`?",
        ":7:5: error: `key` is missing",
        ":9:7: error: application has no field `stage_kid`",
        "help: did you mean `stage_kind`?",
        ":10:49: error: unknown StageKind value `OFER`",
        ":11:25: error: unknown Outcome value `HIRD`",
        ":12:19: error: a local date-time needs a zone",
        ":13:14: error: a rule says once where its value comes from, found path, expr",
        ":14:16: error: expected a rule, found text",
        "help: write `{ path: payload.answers }`",
        ":15:25: error: the field refers to candidate, not to person",
        ":16:7: error: Rejection has no field `nte`",
        ":17:25: error: a path is made of names, keys and numbered items",
        ":18:18: error: unknown key `ech`",
        ":19:42: error: unknown key `trimm`",
        ":20:7: error: `source` is set by the rule for `source.channel` too",
        ":24:28: error: the field is Decimal, its source gives true/false",
        ":26:24: error: the field is Bool, its source gives text",
        ":27:64: error: the field is Currency: expected an ISO 4217 currency",
    ] {
        assert!(all.contains(wanted), "missing {wanted}\nin\n{all}");
    }
}

#[test]
fn a_required_field_that_no_rule_sets_is_a_warning() {
    let (mapping, findings) = compile(
        "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: application\n    key: payload.id\n    fields: {}\n",
    );
    assert!(mapping.is_some());
    assert!(findings[0].contains("warning: no rule sets `candidate`"), "{findings:?}");
}

#[test]
fn explain_tells_rule_path_value_and_result() {
    let mapping = mapping(MAPPING);
    let arena = Arena::new();
    let value = json::read(&arena, PAYLOAD.as_bytes(), Limits::default()).unwrap();
    let why = |entity, pointer| mapping.explain(&Input::of(value, "c"), entity, None, pointer).map(|e| e.to_lines());
    let lines = why("candidate", "/headline").unwrap();
    assert!(lines.contains("emit[0].headline (expr) at mappings/kestrel-ats/candidate.in.yaml:18:7"), "{lines}");
    assert!(lines.contains("\"Engineer\"  ⟵ person.title  [payload.application.candidate.title]"), "{lines}");
    let lines = why("candidate", "/emails/0/address").unwrap();
    assert!(
        lines.contains("\" Li.Na@Example.COM \"  ⟵ item.value  [payload.application.candidate.emails[0].value]"),
        "{lines}"
    );
    assert!(lines.contains("\"li.na@example.com\"  ⟵ trim, lower"), "{lines}");
    let lines = why("application", "/stage_kind").unwrap();
    assert!(lines.starts_with(r#"{"value":"SCREENING","raw":"Phone Screen"}"#), "{lines}");
    assert!(why("application", "/hired_at").is_none());
}

#[test]
fn out_mappings_make_a_vendors_body() {
    let text = r#"version: 1
to: kestrel-ats/note
let: { remote: 'first(where(payload.application.sources, item.connection_id == connection.id)).remote_id' }
fields:
  application_id: { expr: number(remote), required: true }
  note.body: { expr: '"AI " & payload.score' }
  note.visibility: { value: private }
  users: { each: payload.to, path: item.user }
  empty: { path: payload.nothing }
"#;
    let source = Source::new("note.out.yaml", text);
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel-ats", &source, &findings);
    let mapping = mapping.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()));
    let input = r#"{"application":{"sources":[{"connection_id":"case","remote_id":"55"}]},"score":87.5,"to":[{"user":"a"},{"user":"b"}]}"#;
    let result = case::run(&mapping, Kind::Json, input.as_bytes(), false).unwrap();
    assert_eq!(
        result.replace([' ', '\n'], ""),
        r#"{"body":{"application_id":55,"note":{"body":"AI87.5","visibility":"private"},"users":["a","b"]},"findings":[]}"#
    );
    let result =
        case::run(&mapping, Kind::Json, r#"{"application":{"sources":[]},"score":1}"#.as_bytes(), false).unwrap();
    assert!(result.contains("required_missing"), "{result}");
}

#[test]
fn emit_each_makes_a_record_per_item_and_filters_by_when() {
    let text = "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    each: payload.rows\n    when: item.active\n    key: item.id\n    deleted: item.gone ?? false\n    fields:\n      name.full: { path: item.name, required: true }\n";
    let mapping = mapping(text);
    let rows = r#"{"rows":[{"id":1,"active":true,"name":"A"},{"id":2,"active":false},{"id":3,"active":true},{"id":4,"active":true,"name":"D","gone":true}]}"#;
    let (records, issues) = run(&mapping, rows);
    assert_eq!(records, 2);
    assert_eq!(issues.len(), 1, "one bad row, the others go on: {issues:?}");
    let arena = Arena::new();
    let value = json::read(&arena, rows.as_bytes(), Limits::default()).unwrap();
    let why = mapping.explain(&Input::of(value, "c"), "candidate", Some("4"), "/name/full").unwrap().to_lines();
    assert!(why.contains("payload.rows[3].name"), "{why}");
}

proptest! {
    #[test]
    fn any_mapping_file_ends_without_panic(text in "[a-z:{}\\[\\],.|&'\" \\n-]{0,120}") {
        let _ = compile(&format!("version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n      {text}\n"));
    }

    /// Any JSON ends in records or issues, and the same input gives the same bytes.
    #[test]
    fn any_payload_ends_and_is_deterministic(text in "[\\[\\]{}:,\"a-e0-9 ]{0,60}") {
        let wrapped = format!("{{\"application\": {{\"candidate\": {text}}}}}");
        let mapping = mapping(MAPPING);
        if let Ok(first) = case::run(&mapping, Kind::Json, wrapped.as_bytes(), false) {
            prop_assert_eq!(first, case::run(&mapping, Kind::Json, wrapped.as_bytes(), false).unwrap());
        }
    }
}

#[test]
fn a_required_value_that_only_warned_its_way_to_nothing_is_an_error() {
    let text = "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: application\n    key: payload.id\n    fields:\n      candidate: { ref: candidate, key: payload.person, required: true }\n      stage: { ref: stage, key: payload.stage, display: payload.stage_name }\n";
    let issues = |payload: &str| {
        let (_, issues) = run(&mapping(text), payload);
        issues.into_iter().map(|(level, code, _)| (level, code)).collect::<Vec<_>>()
    };
    assert!(issues(r#"{"id":1,"person":{"a":1}}"#).contains(&(Level::Error, "required_missing")));
    assert_eq!(issues(r#"{"id":1}"#), [(Level::Error, "required_missing")]);
}

#[test]
fn a_key_inside_a_list_costs_no_other_record_its_leftovers() {
    let text = "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: person\n    key: payload.people[0].id\n    fields: { name.full: { path: \"payload.people[0].name\" } }\n  - to: application\n    key: payload.app.id\n    fields: {}\n";
    let mapping = mapping(text);
    let arena = Arena::new();
    let payload = r#"{"people":[{"id":1,"name":"n"}],"app":{"id":2,"hobby":"go"}}"#;
    let payload = json::read(&arena, payload.as_bytes(), Limits::default()).unwrap();
    let outcome = mapping.run_in(&arena, &Input::of(payload, "k"));
    let application = outcome.records.iter().find(|record| record.entity.name == "application").unwrap();
    assert_eq!(json::to_string(&application.ext), r#"{"hobby":"go"}"#);
}

#[test]
fn a_day_is_not_read_from_an_instant_and_a_zone_needs_a_form() {
    let rule = |rule: &str| {
        let head =
            "version: 1\nfrom: kestrel-ats/candidate\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n";
        compile(&format!("{head}      available_from: {rule}\n")).1.join("\n")
    };
    assert!(rule("{ path: payload.d, date: epoch_ms }").contains("an instant is a day only in a time zone"));
    assert!(rule("{ path: payload.d, zone: Asia/Shanghai }").contains("`zone` belongs beside"));
    assert!(rule("{ path: payload.d, date: iso, datetime: rfc3339 }").contains("not both"));
    assert!(!rule("{ path: payload.d, date: iso }").contains("error"));
}
