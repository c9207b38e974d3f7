use super::*;
use crate::face::testing::d;

const SHIPPED: [(&str, &str); 3] = [
    ("customer-service-monthly", include_str!("../../../models/appraisal/customer-service-monthly.yaml")),
    ("sales-monthly", include_str!("../../../models/appraisal/sales-monthly.yaml")),
    ("probation", include_str!("../../../models/appraisal/probation.yaml")),
];

fn compile(id: &str, text: &str) -> (Option<Scheme>, Vec<String>) {
    let findings = Findings::new();
    let scheme = Scheme::compile(&Source::new(format!("models/appraisal/{id}.yaml"), text), &findings);
    (scheme, findings.into_sorted().iter().map(ToString::to_string).collect())
}

/// What is said of the first shipped scheme when a part of it reads otherwise.
fn said_when(part: &str, other: &str) -> String {
    let (id, text) = SHIPPED[0];
    assert!(text.contains(part), "{part}");
    let (scheme, said) = compile(id, &text.replacen(part, other, 1));
    assert!(scheme.is_none() && !said.is_empty(), "{other} was accepted");
    said.join("\n")
}

#[test]
fn shipped_schemes_are_sound_and_hold_the_coefficients_of_the_house() {
    for (id, text) in SHIPPED {
        let (scheme, said) = compile(id, text);
        let scheme = scheme.unwrap_or_else(|| panic!("{id}: {said:?}"));
        assert_eq!((scheme.version(), said.len()), (format!("{id}@1"), 0), "{said:?}");
        assert!(scheme.distribution.is_none(), "{id}: quotas are off until somebody answers for them");
        assert!(scheme.behaviours.iter().all(|one| scheme.courses.contains_key(&one.id)), "{id}");
    }
    let (scheme, _) = compile(SHIPPED[0].0, SHIPPED[0].1);
    let scheme = scheme.unwrap();
    let coefficient = |grade: &str| scheme.coefficient(grade).cloned();
    assert_eq!(["S", "A", "B", "C"].map(coefficient), ["1.5", "1.2", "1.0", "0.8"].map(|of| Some(d(of))));
    assert_eq!(coefficient("D"), None);
    assert_eq!(scheme.indicator(" CSAT ").map(|kpi| kpi.id.as_str()), Some("客户满意度"));
    assert_eq!(scheme.behaviour("problem solving").map(|one| one.id.as_str()), Some("问题解决"));
    assert!(scheme.final_at_once);
}

#[test]
fn weights_that_do_not_total_100_are_told_with_their_place() {
    let said = said_when("{ kpi: 60, behaviour: 40 }", "{ kpi: 60, behaviour: 41 }");
    assert!(said.contains("customer-service-monthly.yaml:8:10") && said.contains("101, not to 100"), "{said}");
    let said = said_when("weight: 50, direction: up", "weight: 50.5, direction: up");
    assert!(said.contains(".yaml:11:3") && said.contains("the weights of the kpis sum to 100.5"), "{said}");
    let said = said_when("weight: 40, required", "weight: 30, required");
    assert!(said.contains("the weights of the behaviours sum to 90"), "{said}");
}

#[test]
fn words_that_nobody_knows_are_told_with_what_was_perhaps_meant() {
    for (part, other, wanted) in [
        ("noise_band: 0", "noise_bnd: 0", "did you mean `noise_band`"),
        ("direction: up, unit", "direction: upp, unit", "did you mean `up`"),
        ("  问题解决: 客户", "  问题解: 客户", "did you mean `问题解决`"),
        ("kpi: 客户问题解决率, step", "kpi: 客户解决率, step", "did you mean `客户问题解决率`"),
        ("also: [development_plan]", "also: [development_plans]", "did you mean `development_plan`"),
        ("scheme: customer-service-monthly", "scheme: service", "this file is"),
        ("version: 1", "version: 2", "not one this hub knows"),
        ("owner: HR\n", "", "`owner` is missing"),
    ] {
        let said = said_when(part, other);
        assert!(said.contains(wanted), "{other}: {said}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (part, other, wanted) in [
        ("step: 5, max: 100", "step: -5, max: 100", "lies above 0"),
        ("step: 5, max: 100", "step: 5, min: 100", "at a `max` where more is better"),
        ("{ grade: C, coefficient: 0.8 }", "{ grade: C, from: 10, coefficient: 0.8 }", "has no `from`"),
        ("from: 80, coefficient", "from: 95, coefficient", "does not begin below"),
        ("coefficient: 1.0", "coefficient: 1.3", "higher coefficient than the better grade"),
        ("on: false, quotas", "on: true, quotas", "needs an `owner`"),
        ("on: false, quotas", "on: true, owner: HRD, quotas", "cannot be final"),
        ("S: 10, A: 30", "S: 10, A: 31", "the quotas sum to 101"),
        ("S: 10, A: 30", "S: 10, D: 30", "unknown grade `D`"),
        ("cap: 120", "cap: 0", "above 0"),
        ("{ id: 沟通能力,", "{ id: 问题解决,", "stands twice"),
    ] {
        let said = said_when(part, other);
        assert!(said.contains(wanted), "{other}: {said}");
    }
}

#[test]
fn a_distribution_that_is_on_has_its_owner_and_its_quotas_best_first() {
    let text = SHIPPED[0].1.replace(
        "on: false, quotas: { S: 10, A: 30, B: 50, C: 10 }",
        "on: true, owner: 王总, quotas: { C: 10, B: 50, A: 30, S: 10 }",
    );
    let (scheme, said) = compile(SHIPPED[0].0, &text.replace("final: at_once", "final: by_person"));
    let scheme = scheme.unwrap_or_else(|| panic!("{said:?}"));
    let distribution = scheme.distribution.unwrap();
    let order: Vec<&str> = distribution.quotas.iter().map(|(grade, _)| grade.as_str()).collect();
    assert_eq!((distribution.owner.as_str(), order), ("王总", vec!["S", "A", "B", "C"]));
}
