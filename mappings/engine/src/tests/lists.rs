//! Code lists: effective dates, both directions, and what happens to codes that no row lists.

use crate::lists::CodeList;
use crate::{Mapping, Parts, case};
use hub_tree::reader::Kind;
use hub_tree::{Findings, Source};

const STAGES: &str = "version: 1
entries:
  S1: SCREENING
  S2: [{ to: OFFER, until: 2025-12-31 }, { to: PRE_HIRE, from: 2026-01-01, label: since the reform }]
";

const MAPPING: &str = "version: 1
from: kestrel-ats/application
emit:
  - to: application
    key: payload.id
    fields:
      candidate: { ref: candidate, key: payload.who }
      stage_kind: { path: payload.stage, trim: true, lookup: { list: stages, on: payload.day } }
      source.channel: { path: payload.channel, lookup: channels }
      custom.rows: { expr: count(lists.channels) }
";

fn parts(mapping: &str, lists: &[(&str, &str)]) -> Parts {
    let list = |(name, text): &(&str, &str)| Source::new(format!("lists/{name}.yaml"), *text);
    Parts {
        files: vec![Source::new("kestrel-ats/application.in.yaml", mapping)],
        lists: lists.iter().map(list).collect(),
    }
}

fn compile(parts: &Parts) -> (Option<Mapping>, Vec<String>) {
    let findings = Findings::new();
    let mapping = Mapping::assemble("kestrel-ats", parts, &findings);
    (mapping, findings.into_sorted().iter().map(ToString::to_string).collect())
}

const CHANNELS: (&str, &str) = ("channels", "version: 1\nentries: { '01': Campus, '02': Agency }\n");

#[test]
fn a_look_up_takes_the_row_of_the_day_and_keeps_what_it_does_not_know() {
    let unused = ("unused", "version: 1\nentries: { a: b }\n");
    let (mapping, findings) = compile(&parts(MAPPING, &[("stages", STAGES), CHANNELS, unused]));
    let mapping = mapping.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(findings, [""; 0]);
    let run = |stage: &str, day: &str| {
        let payload = format!(r#"{{"id":1,"who":2,"stage":"{stage}","day":{day},"channel":"02"}}"#);
        case::run(&mapping, Kind::Json, payload.as_bytes(), false).unwrap()
    };
    let short = |text: String| text.split_whitespace().collect::<String>();
    let found = short(run(" S2 ", r#""2025-12-31""#));
    assert!(found.contains(r#""stage_kind":{"value":"OFFER","raw":"S2"}"#), "{found}");
    assert!(found.contains(r#""channel":"Agency""#) && found.contains(r#""rows":2"#), "{found}");
    let found = short(run("S2", r#""2026-01-01""#));
    assert!(found.contains(r#""value":"PRE_HIRE""#), "{found}");
    let found = short(run("S9", r#""2026-01-01""#));
    assert!(found.contains(r#"{"value":"OTHER","raw":"S9"}"#) && found.contains("unmapped_value"), "{found}");
    let found = short(run("S1", "null"));
    assert!(!found.contains("stage_kind\":{") && found.contains("lookup_day_missing"), "{found}");
    // What it was made of is kept with it, the list that no rule uses is not.
    assert!(mapping.text.contains("since the reform") && !mapping.text.contains("unused"));
}

#[test]
fn a_list_reads_backwards_where_every_meaning_has_one_code() {
    let out = "version: 1\nto: kestrel-ats/hire\nfields:\n  stage: { path: payload.stage_kind, lookup: { list: stages, on: payload.day, reverse: true }, unknown: park }\n";
    let lists = vec![Source::new("lists/stages.yaml", STAGES)];
    let parts = Parts { files: vec![Source::new("kestrel-ats/hire.out.yaml", out)], lists };
    let (mapping, findings) = compile(&parts);
    let mapping = mapping.unwrap_or_else(|| panic!("{findings:#?}"));
    let run = |kind: &str| {
        let input = format!(r#"{{"stage_kind":{{"value":"{kind}"}},"day":"2026-03-01"}}"#);
        case::run(&mapping, Kind::Json, input.as_bytes(), false).unwrap().split_whitespace().collect::<String>()
    };
    assert!(run("PRE_HIRE").contains(r#""stage":"S2""#), "{}", run("PRE_HIRE"));
    assert!(run("OFFER").contains("unmapped_value") && run("OFFER").contains("error"), "{}", run("OFFER"));
}

#[test]
fn problems_of_lists_are_reported_at_their_place() {
    let list = "version: 1
entries:
  A: [{ to: OFFER, until: 2025-12-31 }, { to: SCREENING, from: 2025-12-31 }]
  B: { to: OFER, from: 2026-13-01 }
  C: { to: OFFER, from: 2026-02-01, until: 2026-01-01 }
  D: { too: OFFER }
";
    let findings = Findings::new();
    assert!(CodeList::compile(&Source::new("lists/stages.yaml", list), &findings).is_none());
    let all: String = findings.into_sorted().iter().map(|finding| format!("{finding}\n")).collect();
    for wanted in [
        ":3:41: error: two rows for `A` hold on the same day",
        ":4:24: error: expected a day such as 2026-01-31",
        ":5:6: error: the row ends before it begins",
        ":6:8: error: unknown key `too`",
    ] {
        assert!(all.contains(wanted), "missing {wanted}\nin\n{all}");
    }
    let misspelt = STAGES.replace("SCREENING", "SCREENIN");
    let (_, findings) = compile(&parts(MAPPING, &[("stages", &misspelt), CHANNELS]));
    assert!(findings[0].contains("lists/stages.yaml:3:7: error: StageKind has no value `SCREENIN`"), "{findings:#?}");
    let (_, findings) = compile(&parts(MAPPING, &[("stage", STAGES), CHANNELS]));
    assert!(findings[0].contains("unknown code list `stages`"), "{findings:#?}");
    assert!(findings[0].contains("did you mean `stage`?"), "{findings:#?}");
    let undated = MAPPING.replace("{ list: stages, on: payload.day }", "stages");
    let (_, findings) = compile(&parts(&undated, &[("stages", STAGES), CHANNELS]));
    assert!(findings[0].contains("what `stages` says depends on the day"), "{findings:#?}");
}

#[test]
fn a_list_with_errors_refuses_the_mappings_that_use_it_and_no_others() {
    let broken = "version: 1\nentries: { A: { too: OFFER } }\n";
    let (mapping, findings) = compile(&parts(MAPPING, &[("stages", STAGES), CHANNELS, ("others", broken)]));
    assert!(mapping.is_some() && findings.len() == 2, "{findings:#?}");
    // The list of all vendors is not used in place of the vendor's own.
    let (mapping, findings) = compile(&parts(MAPPING, &[("stages", STAGES), CHANNELS, ("stages", broken)]));
    assert!(mapping.is_none(), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.contains("unknown code list `stages`")), "{findings:#?}");
}

#[test]
fn one_code_of_a_list_that_says_nothing_costs_no_other() {
    let mapping = "version: 1
from: kestrel-ats/application
emit:
  - to: candidate
    key: payload.id
    fields:
      tags: { path: payload.codes, lookup: channels }
";
    let (mapping, findings) = compile(&parts(mapping, &[CHANNELS]));
    let mapping = mapping.unwrap_or_else(|| panic!("{findings:#?}"));
    let run = |codes: &str| -> String {
        let payload = format!(r#"{{"id":1,"codes":{codes}}}"#);
        case::run(&mapping, Kind::Json, payload.as_bytes(), false).unwrap().split_whitespace().collect()
    };
    let found = run(r#"["01","",null,{"a":1},"09"]"#);
    assert!(found.contains(r#""tags":["Campus","09"]"#), "{found}");
    assert!(found.contains(r#""field":"/tags/3""#) && found.contains(r#""field":"/tags/4""#), "{found}");
    assert!(!run(r#""""#).contains("tags"), "an empty cell is no list");
}
