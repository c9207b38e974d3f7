//! Updates: bodies that hold only what changed; and what an out mapping needs to be told.

use crate::case;
use crate::{Mapping, Need};
use hub_tree::reader::Kind;
use hub_tree::{Findings, Source};

const MOVE: &str = "version: 1
to: kestrel-ats/update
let: { mail: first(payload.candidate.emails).address }
fields:
  id: { path: payload.candidate.id, always: true }
  contact.mail: { expr: mail }
  contact.phone: { path: payload.candidate.phone }
  title: { path: payload.candidate.title }
  stage: { path: payload.stage.value, enum: { OFFER: offer, SCREENING: screen }, required: true }
";

fn mapping() -> Mapping {
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel-ats", &Source::new("kestrel-ats/update.out.yaml", MOVE), &findings);
    mapping.unwrap_or_else(|| panic!("{:#?}", findings.into_sorted()))
}

fn body(before: &str, after: &str) -> String {
    let input = format!(r#"{{"payload":{after},"before":{before}}}"#);
    let result = case::run(&mapping(), Kind::Json, input.as_bytes(), true).unwrap();
    result.split_whitespace().collect()
}

#[test]
fn an_update_holds_what_changed_and_what_always_belongs_to_it() {
    let old = r#"{"candidate":{"id":7,"emails":[{"address":"a@x.example"}],"phone":"1","title":"Dev"},"stage":{"value":"OFFER"}}"#;
    let new = r#"{"candidate":{"id":7,"emails":[{"address":"b@x.example"}],"title":"Dev"},"stage":{"value":"OFFER"}}"#;
    // The phone is gone, so that it is null; the title is the same; the stage is required, the id always there.
    assert_eq!(
        body(old, new),
        r#"{"body":{"id":7,"contact":{"mail":"b@x.example","phone":null},"stage":"offer"},"findings":[]}"#
    );
    // Nothing of it changed: there is nothing to send.
    assert_eq!(body(old, &old.replace("\"id\":7", "\"id\":7,\"hobby\":1")), r#"{"findings":[]}"#);
}

#[test]
fn an_out_mapping_says_what_it_needs() {
    let mapping = mapping();
    let needs = mapping.needs();
    let of = |pointer: &str| needs.iter().find(|need| need.pointer == pointer).unwrap();
    let reads = |path: &str| vec![path.to_owned()];
    assert_eq!(of("/contact/mail").reads, reads("payload.candidate.emails[0].address"));
    let stage = reads("payload.stage.value");
    let values = Some(vec!["OFFER", "SCREENING"]);
    assert_eq!(of("/stage"), &Need { pointer: "/stage", reads: &stage, required: true, values });
    assert!(!of("/title").required);
}

#[test]
fn a_name_that_fails_is_the_only_finding_of_an_update() {
    let text = MOVE.replace("first(payload.candidate.emails).address", "payload.candidate.phone + 1");
    let findings = Findings::new();
    let mapping = Mapping::compile("kestrel-ats", &Source::new("kestrel-ats/update.out.yaml", text), &findings);
    let input = br#"{"payload":{"candidate":{"id":7,"phone":"1"}},"before":{"candidate":{"id":7}}}"#;
    let result = case::run(&mapping.unwrap(), Kind::Json, input, true).unwrap();
    assert_eq!(result.matches("\"level\"").count(), 1, "{result}");
    assert!(result.contains("let `mail`") && !result.contains("\"body\""), "{result}");
}
