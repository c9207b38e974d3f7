//! Layers: what a tenant and a connection lay over a connector's mapping.

use crate::{Mapping, Parts, case};
use hub_tree::{Findings, Source};

const BELOW: &str = "version: 1
from: kestrel-ats/candidate
let: { who: payload.candidate }
emit:
  - to: candidate
    key: who.id
    fields:
      name.full: { path: who.name }
      headline: { path: who.title }
      current_company: { path: who.employer }
      tags: { path: who.tags }
ignore: [payload.action]
";

const TENANT: &str = "version: 1
extends: kestrel-ats/candidate
let: { grade: payload.custom.grade }
emit:
  - to: candidate
    remove: [current_company]
    fields:
      headline: { expr: 'who.title & \" (\" & grade & \")\"' }
      custom.grade: { path: grade }
ignore: [payload.internal]
";

const CONNECTION: &str = "version: 1
extends: kestrel-ats/candidate
emit:
  - to: candidate
    fields:
      tags: { path: who.labels }
";

fn parts(texts: &[&str]) -> Parts {
    let file = |(index, text): (usize, &&str)| Source::new(format!("layer{index}/candidate.in.yaml"), *text);
    Parts { files: texts.iter().enumerate().map(file).collect(), lists: Vec::new() }
}

fn compile(parts: &Parts) -> (Option<Mapping>, Vec<String>) {
    let findings = Findings::new();
    let mapping = Mapping::assemble("kestrel-ats", parts, &findings);
    (mapping, findings.into_sorted().iter().map(ToString::to_string).collect())
}

const PAYLOAD: &str = r#"{"action":"update","internal":1,"custom":{"grade":"P6"},
  "candidate":{"id":7,"name":"李娜","title":"工程师","employer":"A","tags":["a"],"labels":["b","c"]}}"#;

#[test]
fn a_layer_replaces_adds_and_removes_single_rules() {
    let (mapping, findings) = compile(&parts(&[BELOW, TENANT, CONNECTION]));
    let mapping = mapping.unwrap_or_else(|| panic!("{findings:#?}"));
    assert_eq!(findings, [""; 0]);
    let expected = r#"{
  "records": [
    {
      "entity": "candidate",
      "key": "7",
      "name": {
        "full": "李娜"
      },
      "headline": "工程师 (P6)",
      "tags": [
        "b",
        "c"
      ],
      "custom": {
        "grade": "P6"
      },
      "ext": {
        "employer": "A",
        "tags": [
          "a"
        ]
      }
    }
  ],
  "findings": [],
  "unread": [
    "payload.candidate.employer",
    "payload.candidate.tags"
  ]
}
"#;
    let found = case::run(&mapping, PAYLOAD, false).unwrap();
    assert_eq!(case::diff(expected, &found), None);
}

#[test]
fn the_effective_view_names_the_layer_of_each_rule_and_means_the_same() {
    let parts = parts(&[BELOW, TENANT, CONNECTION]);
    let layer = |path: &str| {
        let names = [("layer0", "connector"), ("layer1", "tenant"), ("layer2", "connection")];
        names.iter().find(|(folder, _)| path.starts_with(folder)).map_or("?", |(_, name)| *name).to_owned()
    };
    let effective = parts.effective(&Findings::new(), &layer).unwrap();
    for (rule, from) in [
        ("name.full: { path: who.name }", "# connector layer0/candidate.in.yaml:8"),
        ("custom.grade: { path: grade }", "# tenant layer1/candidate.in.yaml:9"),
        ("tags: { path: who.labels }", "# connection layer2/candidate.in.yaml:6"),
    ] {
        let line = effective.lines().find(|line| line.contains(rule)).unwrap_or_else(|| panic!("{effective}"));
        assert!(line.ends_with(from), "{line}");
    }
    let (layered, _) = compile(&parts);
    let (written, findings) = compile(&self::parts(&[&effective]));
    let written = written.unwrap_or_else(|| panic!("{findings:#?}\n{effective}"));
    let run = |mapping: &Mapping| case::run(mapping, PAYLOAD, false).unwrap();
    assert_eq!(run(&layered.unwrap()), run(&written));
}

#[test]
fn what_a_mapping_is_made_of_survives_as_text_and_decides_its_version() {
    let stacked = parts(&[BELOW, TENANT]);
    let (mapping, _) = compile(&stacked);
    let mapping = mapping.unwrap();
    let (again, _) = compile(&Parts::from_text("ignored", &mapping.text));
    let again = again.unwrap();
    assert_eq!((&again.version, &again.text), (&mapping.version, &mapping.text));
    let (whole, _) = compile(&parts(&[BELOW]));
    let whole = whole.unwrap();
    assert_eq!(whole.text, BELOW, "a single file is kept as it is");
    assert_ne!(whole.version, mapping.version);
    // A whole file on top hides what lies below.
    let (hidden, _) = compile(&parts(&[TENANT, BELOW]));
    assert_eq!(hidden.unwrap().version, whole.version);
}

#[test]
fn problems_of_layers_stand_at_their_place_in_their_file() {
    let bad = "version: 1
extends: kestrel-ats/candidat
from: kestrel-ats/candidate
emit:
  - to: candidate
    remove: [headlin]
    fields:
      current_title: { path: whom.title }
      name.ful: { path: who.name }
";
    let (mapping, findings) = compile(&parts(&[BELOW, bad]));
    assert!(mapping.is_none());
    let all = findings.join("\n");
    for wanted in [
        "layer1/candidate.in.yaml:2:10: error: the mapping below is `kestrel-ats/candidate`",
        "layer1/candidate.in.yaml:3:1: error: a file that extends another one has no `from`",
        "layer1/candidate.in.yaml:6:14: error: the layer below has no rule for `headlin`",
        "did you mean `headline`?",
        "layer1/candidate.in.yaml:8:30: error: unknown name `whom`",
        "layer1/candidate.in.yaml:9:7: error: PersonName has no field `ful`",
    ] {
        assert!(all.contains(wanted), "missing {wanted}\nin\n{all}");
    }
    let (mapping, findings) = compile(&parts(&[TENANT]));
    assert!(
        mapping.is_none() && findings[0].contains(":2:10: error: there is no mapping below this one"),
        "{findings:?}"
    );
    let twice = BELOW.replace("ignore:", "  - to: candidate\n    key: payload.other\nignore:");
    let (_, findings) = compile(&parts(&[&twice, CONNECTION]));
    assert!(findings.iter().any(|f| f.contains("4:5: error: 2 records below are `candidate`")), "{findings:#?}");
}
