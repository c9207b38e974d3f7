//! What the checker finds beyond names and types: order, cycles, rules that do nothing.

use super::compile;

fn all_of(text: &str) -> String {
    compile(text).1.join("\n")
}

#[track_caller]
fn assert_finds(text: &str, wanted: &[&str]) {
    let all = all_of(text);
    for wanted in wanted {
        assert!(all.contains(wanted), "missing {wanted}\nin\n{all}");
    }
}

#[test]
fn names_used_too_early_and_names_that_need_each_other_are_told_apart() {
    assert_finds(
        "version: 1
from: kestrel-ats/candidate
let:
  a: b.id
  b: c.next
  c: payload.c
  x: y.one
  y: z.two
  z: x.three
  me: me.too
emit: [{ to: candidate, key: a, fields: { name.full: { path: x } } }]
",
        &[
            ":4:6: error: `b` is used before it is defined, in line 5",
            "help: names are computed in order: move `b` above `a`",
            ":5:6: error: `c` is used before it is defined, in line 6",
            ":7:6: error: `x` and `y` (line 8) need each other",
            ":8:6: error: `y` and `z` (line 9) need each other",
            ":10:7: error: `me` is defined by itself",
        ],
    );
}

#[test]
fn a_name_that_nothing_reads_and_an_ignored_path_that_a_rule_reads_are_warnings() {
    let text = "version: 1
from: kestrel-ats/candidate
let: { used: payload.a, unused: payload.b }
emit:
  - { to: candidate, key: payload.id, fields: { name.full: { path: used } } }
  - { to: candidate, key: payload.id, fields: { name.full: { path: used } } }
ignore: [payload.a, payload.c]
";
    assert_finds(
        text,
        &[
            ":3:25: warning: nothing reads `unused`",
            ":6:5: warning: a rule above makes this candidate already, with the same key",
            ":7:10: warning: a rule reads `payload.a`, so that it is not ignored",
        ],
    );
    assert!(compile(text).0.is_some());
}

#[test]
fn keys_that_do_nothing_beside_each_other_are_errors() {
    assert_finds(
        "version: 1
from: kestrel-ats/candidate
emit:
  - to: candidate
    key: payload.id
    fields:
      name.full: { path: }
      headline: { value: text, trim: true }
      person: { ref: person, key: payload.p, lower: true }
      current_title: { path: payload.t, date: iso }
      current_company: { value: [a, b] }
      source_detail: { value: x, default: y }
      tags: { path: payload.tags, where: item.x }
      origin: { path: payload.o, enum: { a: APPLIED }, lookup: origins }
      available_from: { path: payload.f, zone: Asia/Shanghai }
",
        &[
            ":7:20: error: `path` is empty: write its value or take it out",
            ":8:32: error: `trim` shapes what `path` or `expr` finds; `value` makes its value itself",
            ":9:46: error: `lower` shapes what `path` or `expr` finds; `ref` makes its value itself",
            ":10:41: error: `date` is for days and instants, the field is Text",
            ":11:33: error: the field is Text: expected one value, found a list",
            ":12:34: error: `default` does nothing beside `value`, which is always there",
            ":13:35: error: `where` picks items of an `each`",
            ":14:17: error: `enum` and `lookup` both say what a code means: keep one",
            ":15:48: error: `zone` belongs beside `date` or `datetime`",
        ],
    );
}

#[test]
fn one_error_draws_no_false_ones_after_it() {
    let all = all_of(
        "version: 1
from: kestrel-ats/candidate
let: { who: payloda.who }
emit:
  - to: candidat
    each: who.list
    key: item.id
    fields: { anything: { path: item.x } }
  - to: candidate
    key: who.id
    fields:
      phones: { each: whom.phones, where: item.a == 1, phone: item.value }
      name.full: { path: who.name }
",
    );
    let errors: Vec<&str> = all.lines().filter(|line| line.contains(": error: ")).collect();
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors[0].contains("unknown name `payloda`") && errors[1].contains("unknown entity `candidat`"));
    assert!(errors[2].contains("unknown name `whom`"));
}

#[test]
fn an_out_mapping_that_says_what_it_takes_has_its_paths_checked() {
    use crate::Mapping;
    use hub_tree::{Findings, Source};
    let text = "version: 1
to: kestrel-ats/move
takes: { application: application, decisio: decison }
fields:
  id: { path: payload.application.candidate.id, required: true }
  kind: { path: payload.application.stage_kin }
  other: { path: payload.decision.label }
";
    let findings = Findings::new();
    assert!(Mapping::compile("kestrel-ats", &Source::new("kestrel-ats/move.out.yaml", text), &findings).is_none());
    let all: String = findings.into_sorted().iter().map(|finding| format!("{finding}\n")).collect();
    for wanted in [
        ":3:45: error: unknown entity `decison`",
        ":6:37: error: application has no `stage_kin`",
        "did you mean `stage_kind`?",
        ":7:26: error: payload has no `decision`",
    ] {
        assert!(all.contains(wanted), "missing {wanted}\nin\n{all}");
    }
}

#[test]
fn an_error_in_a_source_makes_no_other_key_unknown() {
    let all = all_of(
        "version: 1
from: kestrel-ats/candidate
emit:
  - to: candidate
    key: payload.id
    fields:
      headline: { path: paylod.x, required: true, join: ',', clear: on_null }
      owner: { ref: [a], key: payload.y }
",
    );
    let errors: Vec<&str> = all.lines().filter(|line| line.contains(": error: ")).collect();
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors[0].contains("unknown name `paylod`") && errors[1].contains("expected text, found a list"));
}

#[test]
fn places_are_exact_in_texts_over_several_lines_and_in_quotes() {
    assert_finds(
        "version: 1
from: kestrel-ats/candidate
emit:
  - to: candidate
    key: payload.id
    fields:
      headline:
        expr: |
          payload.a &
          uper(payload.b)
      current_title:
        expr: >-
          payload.a &
          payload.b & lowr(payload.c)
      current_company: { expr: \"payload.a & \\\"x\\\" & uper(payload.b)\" }
      source_detail: { expr: 'payload.a & ''x'' & uper(payload.b)' }
",
        &[
            ":10:11: error: unknown function `uper`",
            ":14:23: error: unknown function `lowr`",
            ":15:53: error: unknown function `uper`",
            ":16:51: error: unknown function `uper`",
        ],
    );
}

#[test]
fn what_a_chinese_keyboard_writes_is_named() {
    assert_finds(
        "version: 1
from: kestrel-ats/candidate
emit:
  - to: candidate
    key: payload.id
    fields:
      headline： { path: payload.a }
      current_title: { expr: 'upper（payload.b)' }
      tags: { path: 'payload.a\u{200B}b' }
      available_from: { path: payload.c, date: '%d', zone: Shanghai }
",
        &[
            "a key ends with a plain `:`",
            ":8:36: error: `（` is not an operator here",
            "help: write `(`",
            "unexpected invisible character U+200B",
            "did you mean `Asia/Shanghai`?",
        ],
    );
}
