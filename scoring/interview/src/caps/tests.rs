//! Rules that lower the label.

use crate::tests::from_json;
use crate::{Model, Policy, assess, changes};
use hub_model::entities::assessment::{DecisionLabel, Scorecard};
use hub_tree::{Findings, Source};

/// A model of two dimensions, one of which decides, with these rules.
fn compiled(caps: &str) -> Result<Model, String> {
    let text = format!(
        "version: 1\nmodel: pair\nrevision: 1\nname: {{ en: Pair }}\nowner: HR\nmin_coverage: 0.5\ndimensions:\n  \
         - {{ id: 谈判, weight: 60, min: 60, floor: 40 }}\n  - {{ id: 抗压, weight: 40 }}\ncaps:\n{caps}"
    );
    let findings = Findings::new();
    let model = Model::compile(&Source::new("pair.yaml", text.as_str()), &findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    model.ok_or_else(|| found.join("\n"))
}

fn scorecard(first: &str, second: &str, more: &str) -> Scorecard {
    let one = |id: &str, score: &str| {
        let score = format!(r#"{{"value":"{score}","min":"0","max":"100"}}"#);
        format!(r#"{{"id":"{id}","score":{score},"evidence":[{{"text":"x"}}]}}"#)
    };
    from_json(&format!(r#"{{"dimensions":[{},{}]{more}}}"#, one("谈判", first), one("抗压", second)))
}

#[test]
fn a_rule_that_holds_lowers_the_label_and_is_told_with_what_it_read() {
    let model = compiled("  - { id: two_weak, when: 谈判 < 75 and 抗压 < 60, at_most: CONSIDER }\n").unwrap();
    let found = assess(&model, &scorecard("70", "55.5", ""), &[], Policy::default());
    assert_eq!(found.label, DecisionLabel::Consider);
    let told = found.reasons.iter().find(|reason| reason.code.as_deref() == Some("cap")).unwrap();
    assert_eq!(told.text.as_deref(), Some("two_weak: 谈判 < 75 and 抗压 < 60 (谈判 70, 抗压 55.5)"));
    assert!(found.explain.to_lines().contains("two_weak"), "{}", found.explain.to_lines());
    assert!(format!("{:?}", found.explanation(&model)).contains("two_weak"));
    for (first, second) in [("75", "10"), ("70", "60")] {
        let found = assess(&model, &scorecard(first, second, ""), &[], Policy::default());
        assert_eq!(found.label, DecisionLabel::Recommended, "{first} {second}");
        assert!(found.reasons.iter().all(|reason| reason.code.as_deref() != Some("cap")));
    }
    // What is bad enough without it stays so.
    let found = assess(&model, &scorecard("30", "10", ""), &[], Policy::default());
    assert_eq!(found.label, DecisionLabel::NotRecommended);
}

#[test]
fn what_is_not_known_speaks_against_nobody() {
    let rules = "  - { id: rushed, when: features.speech_rate > 7, at_most: NOT_RECOMMENDED }\n  \
                 - { id: frowns, when: features.frowns > 2, at_most: NOT_RECOMMENDED }\n  \
                 - { id: weak, when: 抗压 < 60, at_most: CONSIDER }\n";
    let model = compiled(rules).unwrap();
    let label = |scorecard: &Scorecard, expressions: bool| assess(&model, scorecard, &[], Policy { expressions }).label;
    let mut unsupported = scorecard("70", "10", "");
    unsupported.dimensions.as_mut().unwrap()[1].evidence = None;
    assert_eq!(label(&unsupported, false), DecisionLabel::Recommended, "a score that rests on nothing");
    let rate =
        |rate: &str| format!(r#","features":[{{"name":"speech_rate","class":{{"value":"SPEECH"}},"value":"{rate}"}}]"#);
    assert_eq!(label(&scorecard("70", "70", &rate("7")), false), DecisionLabel::Recommended);
    assert_eq!(label(&scorecard("70", "70", &rate("7.1")), false), DecisionLabel::NotRecommended);
    let face = r#","features":[{"name":"frowns","class":{"value":"EXPRESSION"},"value":"5"}]"#;
    assert_eq!(label(&scorecard("70", "70", face), false), DecisionLabel::Recommended);
    assert_eq!(label(&scorecard("70", "70", face), true), DecisionLabel::NotRecommended);
    let told = assess(&model, &scorecard("70", "70", ""), &[], Policy::default()).explain.to_lines();
    assert!(told.contains("rushed: features.speech_rate > 7 is not known"), "{told}");
}

#[test]
fn what_cannot_be_meant_is_told_with_its_place() {
    for (rule, why) in [
        ("{ id: a, when: 谈判力 < 75, at_most: CONSIDER }", "pair.yaml:11:"),
        ("{ id: a, when: 谈判力 < 75, at_most: CONSIDER }", "谈判"),
        ("{ id: a, when: 谈判 < \"75\", at_most: CONSIDER }", "pair.yaml:11:"),
        ("{ id: a, when: 谈判 + 1, at_most: CONSIDER }", "a condition is"),
        ("{ id: a, when: 谈判 < 75, at_most: RECOMMENDED }", "NOT_RECOMMENDED"),
        ("{ id: a, when: 谈判 < 75 }", "at_most"),
        (
            "{ id: a, when: 谈判 > 75, at_most: CONSIDER }",
            "`a` makes a higher score worse: 谈判 75 is 推荐, 75.5 is 待考虑",
        ),
        ("{ id: a, when: 抗压 >= 30 and 抗压 < 33, at_most: CONSIDER }", "抗压 29.5 is 推荐, 30 is 待考虑"),
        ("{ id: a, when: composite > 90, at_most: CONSIDER }", "makes a higher score worse"),
        ("{ id: a, when: match >= 9.5 and 抗压 < 95, at_most: NOT_RECOMMENDED }", "makes a higher score worse"),
    ] {
        let found = compiled(&format!("  - {rule}\n")).unwrap_err();
        assert!(found.contains(why), "{rule}: {found}");
    }
    let twice = "  - { id: a, when: 谈判 < 75, at_most: CONSIDER }\n";
    assert!(compiled(&twice.repeat(2)).unwrap_err().contains("stands twice"));
    // Where the label is no better anyway, a rule may say what it likes.
    assert!(compiled("  - { id: a, when: 谈判 > 45 and 谈判 < 55, at_most: CONSIDER }\n").is_ok());
    assert!(compiled("  - { id: a, when: composite < 70 or 抗压 <= 20, at_most: NOT_RECOMMENDED }\n").is_ok());
}

#[test]
fn versions_are_compared_by_their_rules_too() {
    let model = |bound: u32| compiled(&format!("  - {{ id: a, when: 抗压 < {bound}, at_most: CONSIDER }}\n")).unwrap();
    let found = changes(&model(50), &model(55));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].place.as_str(), found[0].after.as_deref()),
        ("caps/a", Some("at most CONSIDER when 抗压 < 55"))
    );
}
