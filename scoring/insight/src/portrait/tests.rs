use super::*;
use hub_tree::value::parse_decimal;
use hub_tree::{Findings, Source};

const SHIPPED: &str = include_str!("../../../models/portrait/standard.yaml");

fn read(text: &str) -> Result<Rules, String> {
    let findings = Findings::new();
    let rules = Rules::read(&Source::new("models/portrait/standard.yaml", text), &findings);
    let said: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    rules.filter(|_| said.is_empty()).ok_or_else(|| said.join("\n"))
}

fn d(text: &str) -> Decimal {
    parse_decimal(text).unwrap()
}

fn fact(kind: Kind, name: &str, value: &str, on: &str, id: &str) -> Fact {
    Fact {
        kind,
        name: name.to_owned(),
        value: parse_decimal(value),
        required: None,
        on: on.parse().ok(),
        supported: true,
        taken_from: None,
        label: None,
        place: Place { entity: "scorecard", id: id.to_owned(), pointer: format!("/{name}") },
    }
}

fn drawn(facts: Vec<Fact>) -> Portrait {
    portrait(&read(SHIPPED).unwrap(), facts, Vec::new())
}

fn given(portrait: &Portrait) -> Vec<&str> {
    portrait.tags.iter().map(|tag| tag.tag.as_str()).collect()
}

#[test]
fn a_tag_names_its_rule_and_its_records() {
    let facts = vec![
        fact(Kind::Skill, "Python", "6", "", "r1"),
        fact(Kind::Skill, "SQL", "5.99", "", "r1"),
        fact(Kind::Scorecard, "逻辑思维", "8.5", "2026-03-05", "s1"),
        fact(Kind::Scorecard, "沟通表达", "8.49", "2026-03-05", "s1"),
        fact(Kind::Match, "研发工程师", "8.2", "2026-03-05", "s1"),
        fact(Kind::Match, "产品经理", "7.997", "2026-03-06", "s2"),
        Fact { value: None, ..fact(Kind::Course, "信息安全", "", "2026-04-01", "e1") },
    ];
    let portrait = drawn(facts);
    assert_eq!(given(&portrait), ["擅长Python", "逻辑思维强", "适合研发工程师", "已完成信息安全"]);
    let told = json(&portrait);
    let tag = &told["tags"][0];
    assert_eq!((tag["rule"].as_str(), tag["tag"]["en"].as_str()), (Some("standard@1/skilled"), Some("good at Python")));
    assert_eq!(tag["evidence"][0]["record"]["id"], "r1");
    assert_eq!(tag["evidence"][0]["value"], "6");
    assert!(tag["evidence"][0].get("on").is_none(), "the record has no day: {tag}");
}

#[test]
fn the_last_score_counts_and_the_earlier_ones_are_its_history() {
    let portrait = drawn(vec![
        fact(Kind::Review, "客户导向", "5.5", "2026-06-30", "v1"),
        fact(Kind::Scorecard, " 客户导向", "9", "2026-03-05", "s1"),
        fact(Kind::Assessment, "客户导向", "2", "", "s0"),
    ]);
    let [one] = portrait.competencies.as_slice() else { panic!("{:?}", portrait.competencies) };
    let ids: Vec<&str> = one.history.iter().map(|fact| fact.place.id.as_str()).collect();
    assert_eq!(ids, ["s0", "s1", "v1"]);
    assert!(portrait.strengths.is_empty() && portrait.tags.is_empty());
    assert_eq!((portrait.improve[0].bound, portrait.improve[0].rule), (d("6"), "weak_below"));
    assert_eq!(json(&portrait)["competencies"][0]["value"], "5.5");
}

#[test]
fn what_was_asked_for_goes_before_the_bound_of_the_model() {
    let asked = |value: &str, required: &str| {
        let fact = fact(Kind::Scorecard, "抗压能力", value, "2026-03-05", "s1");
        drawn(vec![Fact { required: Some(d(required)), ..fact }])
    };
    assert_eq!(asked("7.9", "8").improve[0].rule, "required");
    assert!(asked("8", "8").improve.is_empty());
    assert!(asked("5", "5").improve.is_empty(), "the model's bound counts only where none was asked for");
    let both = asked("9", "9.5");
    assert!(both.strengths.is_empty() && both.improve.len() == 1);
}

#[test]
fn a_score_without_evidence_is_shown_and_counts_for_nothing() {
    for value in ["9.9", "0.1"] {
        let score = fact(Kind::Scorecard, "逻辑思维", value, "2026-03-05", "s1");
        let portrait = drawn(vec![Fact { supported: false, ..score }]);
        assert_eq!(portrait.competencies.len(), 1);
        assert!(portrait.strengths.is_empty() && portrait.improve.is_empty() && portrait.tags.is_empty());
        assert_eq!(json(&portrait)["competencies"][0]["supported"], false);
    }
}

#[test]
fn the_baseline_is_no_second_score_of_the_scorecard_it_was_taken_from() {
    let scored = fact(Kind::Scorecard, "逻辑思维", "9", "2026-03-05", "s1");
    let taken = |from: &str| Fact {
        taken_from: Some(from.to_owned()),
        ..fact(Kind::Baseline, "逻辑思维", "9", "2026-04-01", "e1")
    };
    let one = drawn(vec![scored.clone(), taken("s1")]);
    assert_eq!((one.competencies[0].history.len(), one.baseline.len()), (1, 1));
    let two = drawn(vec![scored, taken("s7")]);
    assert_eq!(two.competencies[0].history.len(), 2, "that scorecard is not here");
    assert_eq!(drawn(vec![taken("e1")]).competencies.len(), 1, "nothing is taken from itself");
}

#[test]
fn steady_needs_all_of_the_last_ones_and_only_the_last_appraisals_are_shown() {
    let appraised = |values: &[&str]| {
        let one = |(at, value): (usize, &&str)| {
            fact(Kind::Appraisal, &format!("cycle {at}"), value, &format!("2026-0{}-28", at + 1), &format!("a{at}"))
        };
        drawn(values.iter().enumerate().map(one).collect())
    };
    assert_eq!(given(&appraised(&["9", "9"])), ["绩效优秀"]);
    assert_eq!(given(&appraised(&["9", "9", "9"])), ["绩效优秀", "绩效稳定优秀"]);
    assert_eq!(given(&appraised(&["9", "9", "8", "9"])), ["绩效优秀"]);
    let five = appraised(&["1", "9", "9", "9", "8.5"]);
    assert_eq!(given(&five), ["绩效优秀", "绩效稳定优秀"]);
    let shown: Vec<&str> = five.appraisals.iter().map(|fact| fact.place.id.as_str()).collect();
    assert_eq!(shown, ["a1", "a2", "a3", "a4"]);
}

#[test]
fn a_rule_can_be_about_some_names_only() {
    let text = SHIPPED.replace("from: skill, min: 6", "from: skill, of: [python, Go], min: 2, max: 4");
    let rules = read(&text).unwrap();
    let facts =
        ["Python", "SQL", "go"].map(|name| fact(Kind::Skill, name, if name == "go" { "4.1" } else { "4" }, "", "r"));
    assert_eq!(given(&portrait(&rules, facts.to_vec(), Vec::new())), ["擅长Python"]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let wrong = |from: &str, to: &str| {
        let text = SHIPPED.replace(from, to);
        assert_ne!(text, SHIPPED, "`{from}` is not in the file");
        let said = read(&text).unwrap_err();
        assert!(said.contains("models/portrait/standard.yaml:"), "{said}");
        said
    };
    assert!(wrong("portrait: standard", "portrait: other").contains("`portrait` says `other`"));
    assert!(wrong("weak_below: 6 ", "weak_below: 9 ").contains("above `strong_from`"));
    assert!(wrong("strong_from: 8.5", "strong_from: 85").contains("a number from 0 to 10"));
    assert!(wrong("from: skill", "from: skil").contains("skill"));
    assert!(wrong("from: skill, min: 6", "from: skill").contains("needs a bound"));
    assert!(wrong("from: course", "from: course, min: 5").contains("completed or not"));
    assert!(wrong("from: appraisal,", "from: appraisal, of: [x],").contains("leave out `of`"));
    assert!(wrong("擅长{name}", "擅长{skill}").contains("the only placeholder"));
    assert!(wrong("id: strong", "id: skilled").contains("stands twice"));
    assert!(wrong("min: 8.5, times: 3", "min: 8.5, max: 8, times: 3").contains("nobody would get the tag"));
}

#[test]
fn what_is_missing_is_told_with_its_place() {
    let at = Place { entity: "resume", id: "r1".to_owned(), pointer: "/skills/0/level".to_owned() };
    let missing = vec![
        Missing { what: "assessments", why: Why::NotReadable, place: None },
        Missing { what: "skills", why: Why::NoScale, place: Some(at) },
    ];
    let told = json(&portrait(&read(SHIPPED).unwrap(), Vec::new(), missing));
    assert_eq!(told["missing"][0], serde_json::json!({ "what": "assessments", "why": "NOT_READABLE" }));
    assert_eq!(told["missing"][1]["record"]["field"], "/skills/0/level");
}
