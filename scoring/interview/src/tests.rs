//! Models and decisions, with the examples that the rules must reproduce.

use crate::{Model, Policy, assess, profile};
use hub_model::entities::assessment::{DecisionLabel, Scorecard, Turn};
use hub_tree::{Decimal, Findings, Source};

/// A shipped model.
pub(crate) fn shipped(name: &str) -> Model {
    let file = format!("{name}.yaml");
    let text = std::fs::read_to_string(format!("{}/../models/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let findings = Findings::new();
    let model = Model::compile(&Source::new(file, text), &findings);
    model.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
}

fn model() -> Model {
    shipped("customer-service")
}

pub(crate) fn deciding(calm: &str, communication: &str, evidence: bool) -> Scorecard {
    let mut scorecard: Scorecard = from_json(&format!(
        r#"{{"keywords":[],"dimensions":[
            {{"id":"情绪稳定性","score":{{"value":"{calm}","min":"0","max":"10"}},"evidence":[{{"text":"x"}}]}},
            {{"id":"沟通能力","score":{{"value":"{communication}","min":"0","max":"100"}},"evidence":[{{"text":"x"}}]}},
            {{"id":"问题解决","score":{{"value":"4","min":"1","max":"5"}}}}]}}"#
    ));
    if !evidence {
        for dimension in scorecard.dimensions.iter_mut().flatten() {
            dimension.evidence = None;
        }
    }
    scorecard
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn labels_follow_min_and_floor_on_the_exact_value() {
    for (calm, communication, label, reason) in [
        ("9.0", "82", DecisionLabel::Recommended, "情绪稳定性 90 ≥ 85"),
        ("8.5", "80", DecisionLabel::Recommended, "沟通能力 80 ≥ 80"),
        ("8.8", "75", DecisionLabel::Consider, "沟通能力 75 < 80"),
        ("8.499", "90", DecisionLabel::Consider, "情绪稳定性 84.99 < 85"),
        ("8.4999999999", "90", DecisionLabel::Consider, "情绪稳定性 84.999999… < 85"),
        ("9.0", "65", DecisionLabel::NotRecommended, "沟通能力 65 < 70"),
        ("9.0", "70", DecisionLabel::Consider, "沟通能力 70 < 80"),
    ] {
        let assessment = assess(&model(), &deciding(calm, communication, true), &[], Policy::default());
        let reasons: Vec<&str> = assessment.reasons.iter().filter_map(|r| r.text.as_deref()).collect();
        assert_eq!(assessment.label, label, "{calm} {communication}: {reasons:?}");
        assert!(reasons.contains(&reason), "{calm} {communication}: {reasons:?}");
        assert_eq!(assessment.human_review_required(), label != DecisionLabel::Recommended);
    }
}

#[test]
fn a_score_without_evidence_and_a_missing_score_decide_nothing() {
    let unsupported = assess(&model(), &deciding("9", "65", false), &[], Policy::default());
    assert_eq!(unsupported.label, DecisionLabel::Consider);
    assert_eq!(unsupported.missing, ["情绪稳定性", "沟通能力"]);
    let nothing = assess(&model(), &Scorecard::default(), &[], Policy::default());
    assert_eq!((nothing.label, nothing.composite, nothing.coverage), (DecisionLabel::Consider, None, Decimal::ZERO));
    let outside = assess(&model(), &deciding("11", "90", true), &[], Policy::default());
    assert_eq!(outside.missing, ["情绪稳定性"], "outside its scale is no score");
}

#[test]
fn the_composite_is_weighted_over_what_is_scored() {
    let assessment = assess(&model(), &deciding("9.0", "82", true), &[], Policy::default());
    // 30 % × 60 (no phrase heard) + 25 % × 90 + 25 % × 82 + 20 % × 75
    assert_eq!((assessment.composite, assessment.coverage), (Some(d("76")), d("1")));
    let lines = assessment.explain.to_lines();
    assert!(lines.contains("\"推荐\"  ⟵"), "{lines}");
    assert!(lines.contains("90  ⟵ 情绪稳定性 = 100 × (9.0 − 0) ÷ (10 − 0)"), "{lines}");
    assert!(lines.contains("76  ⟵ composite"), "{lines}");
}

#[test]
fn rules_fire_on_what_is_said_and_measured_and_regions_switch_expressions_off() {
    let turns: Vec<Turn> = from_json(
        r#"[{"speaker":{"value":"INTERVIEWER"},"text":"同理心是什么？","start_ms":0,"end_ms":1000},
            {"speaker":{"value":"CANDIDATE"},"question_id":"q1","text":"先抱歉，请问具体哪里出了问题？我马上为您跟进。","start_ms":1000,"end_ms":11000}]"#,
    );
    let mut scorecard = deciding("9.0", "82", true);
    scorecard.features = Some(from_json(r#"[{"name":"frown_count","value":"5"}]"#));
    let score = |policy| {
        let assessment = assess(&model(), &scorecard, &turns, policy);
        let dimension = assessment.dimensions[0].clone();
        let rules: Vec<String> = dimension.evidence.iter().flatten().filter_map(|e| e.rule.clone()).collect();
        (dimension.score.unwrap().value.unwrap(), rules)
    };
    // The interviewer's own words do not count for the candidate.
    let (value, rules) = score(Policy::default());
    assert_eq!(
        (value, rules),
        (d("90"), vec!["apologises".into(), "asks_for_the_problem".into(), "proposes_a_solution".into()])
    );
    let (value, rules) = score(Policy { expressions: true });
    assert_eq!((value, rules.last().map(String::as_str)), (d("80"), Some("frowns")));
}

#[test]
fn a_model_with_problems_is_refused_with_all_of_them() {
    let text = "version: 1\nmodel: m\nrevision: 1\nname: { en: M }\nowner: HR\ndimensions:\n  - { id: a, weight: 60, min: 50, floor: 60 }\n  - { id: a, weight: 50 }\n  - { id: c, weight: 101, start: 1 }\n  - { id: d, weight: 1, start: 5, rules: [{ id: r, points: 5, feature: x }, { id: s, points: 1 }] }\n";
    let findings = Findings::new();
    assert!(Model::compile(&Source::new("models/m.yaml", text), &findings).is_none());
    let all: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    let all = all.join("\n");
    for wanted in [
        ":7:5: error: `floor` lies above `min`",
        ":8:5: error: the dimension `a` stands twice",
        ":9:5: error: `weight` lies between 0 and 100",
        ":9:5: error: a dimension is scored either",
        "a feature needs its `class`",
        "a rule looks at one thing",
    ] {
        assert!(all.contains(wanted), "missing {wanted} in\n{all}");
    }
    let text = "version: 1\nmodel: m\nrevision: 1\nname: { en: M }\nowner: HR\ndimensions:\n  - { id: a, weight: 60, min: 50 }\n  - { id: b, weight: 30 }\n";
    let findings = Findings::new();
    assert!(Model::compile(&Source::new("m.yaml", text), &findings).is_none());
    assert!(findings.into_sorted()[0].message.contains("sum to 90, not to 100"));
}

#[test]
fn a_model_that_asks_for_a_match_compares_it_unrounded() {
    let model = shipped("phone-interview");
    let of = |expression: &str, reasoning: &str| {
        let score = |id: &str, value: &str| {
            format!(
                r#"{{"id":"{id}","score":{{"value":"{value}","min":"0","max":"100"}},"evidence":[{{"text":"x"}}]}}"#
            )
        };
        let all = [score("语言表达", expression), score("逻辑思维", reasoning), score("专业能力", reasoning)].join(",");
        let found = assess(&model, &from_json(&format!(r#"{{"dimensions":[{all}]}}"#)), &[], Policy::default());
        let last = found.reasons.last().unwrap().clone();
        (found.label, last.code.unwrap(), last.text.unwrap(), last.dimension)
    };
    assert_eq!(
        of("80", "80"),
        (DecisionLabel::Recommended, "match_met".to_owned(), "岗位匹配度 8 ≥ 8".to_owned(), None)
    );
    // 30 % × 79.9 + 70 % × 80: shown with one digit it would be 8.0.
    assert_eq!(
        of("79.9", "80"),
        (DecisionLabel::Consider, "match_below_min".to_owned(), "岗位匹配度 7.997 < 8".to_owned(), None)
    );
    // Where the model asks for none, the match is told and decides nothing.
    let told = assess(&shipped("customer-service"), &deciding("9.0", "82", true), &[], Policy::default());
    assert_eq!(told.label, DecisionLabel::Recommended);
    assert_eq!(told.reasons.last().unwrap().text.as_deref(), Some("岗位匹配度 7.6/10"));
}

#[test]
fn strengths_rest_on_evidence_and_risks_are_what_lies_lowest() {
    let model = model();
    let of = |scorecard: &Scorecard| profile(&model, &assess(&model, scorecard, &[], Policy::default()).dimensions);
    let found = of(&deciding("9.0", "75", true));
    assert_eq!(found.strengths, ["情绪稳定性"]);
    assert_eq!(found.risks, ["客户导向", "沟通能力"], "60 is the lowest, and 75 below the min of 80");
    let unsupported = of(&deciding("9.0", "75", false));
    assert_eq!((unsupported.strengths.len(), unsupported.risks), (0, vec!["客户导向".to_owned()]));
}
