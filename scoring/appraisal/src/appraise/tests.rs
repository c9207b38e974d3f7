use super::*;
use crate::face::testing::d;
use crate::growth::growth;
use hub_tree::{Findings, Source};
use proptest::prelude::*;
use std::cmp::Ordering;

fn scheme(name: &str) -> Scheme {
    let text = match name {
        "probation" => include_str!("../../../models/appraisal/probation.yaml"),
        _ => include_str!("../../../models/appraisal/customer-service-monthly.yaml"),
    };
    let findings = Findings::new();
    let compiled = Scheme::compile(&Source::new(format!("{name}.yaml"), text), &findings);
    compiled.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
}

fn monthly() -> Scheme {
    scheme("customer-service-monthly")
}

fn measured(place: usize, name: &str, actual: &str, target: &str) -> Item {
    let (actual, target) = (Some(d(actual)), Some(d(target)));
    Item { place: format!("/items/{place}"), name: name.into(), weight: None, actual, target, score: None }
}

fn rated(place: usize, name: &str, score: &str) -> Item {
    let score = Some(d(score));
    Item { place: format!("/items/{place}"), name: name.into(), weight: None, actual: None, target: None, score }
}

/// Solved 85 of 90 %, satisfaction on target, 60 s where 60 s were aimed at; 78, 85 and 80 in behaviour.
fn work() -> Work {
    Work {
        kpis: vec![
            measured(0, "客户问题解决率", "85", "90"),
            measured(1, "客户满意度", "4.5", "4.5"),
            measured(2, "平均响应时长", "60", "60"),
        ],
        behaviours: vec![rated(3, "问题解决", "78"), rated(4, "沟通能力", "85"), rated(5, "情绪稳定性", "80")],
        training: None,
    }
}

fn code(work: &Work) -> (&'static str, String) {
    let refused = appraise(&monthly(), work).unwrap_err();
    (refused.code, refused.text)
}

#[test]
fn a_review_becomes_a_total_a_grade_and_a_coefficient() {
    let scheme = monthly();
    let appraised = appraise(&scheme, &work()).unwrap();
    // 50 × 94.4… + 30 × 100 + 20 × 100 = 97.2…; 40 × 78 + 30 × 85 + 30 × 80 = 80.7; 0.6 and 0.4 of them.
    let kpi = d("50").over(&d("100")).unwrap() * d("8500").over(&d("90")).unwrap() + d("50");
    assert_eq!(appraised.kpi, Some(kpi.clone()));
    assert_eq!(appraised.behaviour, Some(d("80.7")));
    assert_eq!(appraised.total, (kpi * d("60") + d("80.7") * d("40")).over(&d("100")).unwrap());
    assert_eq!((appraised.grade, appraised.coefficient.clone()), ("S", d("1.5")));
    let lines: Vec<String> = appraised.explain.iter().map(Explain::to_lines).collect();
    assert!(lines.join("").contains("100 × 85 ÷ 90"), "{lines:?}");
}

#[test]
fn growth_names_what_was_reached_what_fell_and_what_comes_next() {
    let scheme = monthly();
    let appraised = appraise(&scheme, &work()).unwrap();
    let baseline = [("问题解决能力", "82"), ("沟通能力", "80"), ("情绪稳定性", "80"), ("形象气质", "70")];
    let baseline: Vec<(String, Exact)> = baseline.map(|(name, score)| (name.to_owned(), d(score))).into();
    let growth = growth(&scheme, &appraised, &baseline);
    let trends: Vec<(&str, Ordering)> =
        growth.compared.iter().map(|one| (one.behaviour.id.as_str(), one.trend)).collect();
    let wanted = [("问题解决", Ordering::Less), ("沟通能力", Ordering::Greater), ("情绪稳定性", Ordering::Equal)];
    assert_eq!(trends, wanted);
    let missed: Vec<&str> = growth.missed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((missed, growth.achieved.len()), (vec!["客户问题解决率"], 2));
    let titles: Vec<String> = growth.goals.iter().map(|goal| goal.title()).collect();
    assert_eq!(titles, ["客户问题解决率 85% → 90%"]);
    let courses: Vec<&str> = growth.courses.iter().map(|course| course.title.as_str()).collect();
    assert_eq!(courses, ["客户问题解决技巧"], "one course though the dimension fell and has a gap");
    let text = growth.chinese(&scheme, &appraised, appraised.grade);
    for wanted in ["等级 S", "奖金系数 1.5", "问题解决 82→78 (-4)", "沟通能力 80→85 (+5)", "《客户问题解决技巧》"]
    {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let text = growth.english(&scheme, &appraised, appraised.grade);
    assert!(text.contains("Enquiries solved 85% → 90%") && text.contains("Composure 80→80 (0)"), "{text}");
}

#[test]
fn a_goal_ends_at_its_limit_and_a_lower_target_goes_down() {
    let scheme = monthly();
    let next = |solved: &str| {
        let mut work = work();
        work.kpis[0] = measured(0, "客户问题解决率", solved, "90");
        let appraised = appraise(&scheme, &work).unwrap();
        growth(&scheme, &appraised, &[]).goals.iter().map(|goal| goal.title()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(next("97.5"), "客户问题解决率 97.5% → 100%");
    assert_eq!(next("100"), "问题解决 +2", "nothing further can be aimed at: the gap itself is the goal");
}

#[test]
fn what_is_missing_or_unknown_is_told_with_its_place_and_what_to_do() {
    let change = |change: &dyn Fn(&mut Work)| {
        let mut work = work();
        change(&mut work);
        code(&work)
    };
    let (code, text) = change(&|work| work.kpis[1].actual = None);
    assert_eq!(code, "ACTUAL_MISSING");
    assert!(text.contains("/items/1") && text.contains("metric.current"), "{text}");
    let (code, text) = change(&|work| work.kpis[1].target = None);
    assert!(code == "ACTUAL_MISSING" && text.contains("metric.target"), "{text}");
    let (code, text) = change(&|work| work.behaviours[0].name = "领导力".into());
    assert!(code == "ITEM_UNKNOWN" && text.contains("领导力") && text.contains("/items/3"), "{text}");
    let (code, text) = change(&|work| drop(work.kpis.pop()));
    assert!(code == "ITEM_MISSING" && text.contains("平均响应时长"), "{text}");
    assert_eq!(change(&|work| work.behaviours[0].score = None).0, "SCORE_MISSING");
    assert_eq!(change(&|work| work.behaviours[0].score = Some(d("100.1"))).0, "SCORE_UNFIT");
    assert_eq!(change(&|work| work.behaviours[1].name = "problem solving".into()).0, "ITEM_TWICE");
    assert_eq!(change(&|work| work.kpis[0].target = Some(d("0"))).0, "INDICATOR_UNFIT");
    assert_eq!(change(&|work| work.kpis[0].weight = Some(d("50"))).0, "WEIGHT_MISSING");
}

fn weigh(work: &mut Work, weights: [&str; 6]) {
    let items = work.kpis.iter_mut().chain(&mut work.behaviours);
    for (item, weight) in items.zip(weights) {
        item.weight = Some(d(weight));
    }
}

#[test]
fn weights_of_a_review_total_100_by_part_or_all_together() {
    let scheme = monthly();
    let total = |weights: [&str; 6]| {
        let mut work = work();
        weigh(&mut work, weights);
        appraise(&scheme, &work).map(|appraised| appraised.total)
    };
    let usual = appraise(&scheme, &work()).unwrap().total;
    assert_eq!(total(["50", "30", "20", "40", "30", "30"]), Ok(usual.clone()));
    // The same as shares of the whole: 60 % of 50, 30, 20 and 40 % of 40, 30, 30.
    assert_eq!(total(["30", "18", "12", "16", "12", "12"]), Ok(usual));
    for wrong in
        [["50", "30", "20", "40", "30", "29"], ["50", "30", "21", "0", "0", "0"], ["-1", "50", "51", "0", "0", "0"]]
    {
        assert_eq!(total(wrong).unwrap_err().code, "WEIGHTS_NOT_100", "{wrong:?}");
    }
}

/// A probation of which everything was rated alike, after a training.
fn after_training(score: &str, exam: &str, completion: &str) -> Work {
    let training = Learnt { exam: Some(d(exam)), completion: Some(d(completion)), mentor: None };
    Work { training: Some(training), ..probation_work(score) }
}

fn probation_work(score: &str) -> Work {
    Work {
        kpis: vec![measured(0, "工作任务完成率", score, "100"), measured(1, "工作差错率", "2", "2")],
        behaviours: vec![rated(2, "学习能力", score), rated(3, "团队协作", score), rated(4, "责任心", score)],
        training: None,
    }
}

#[test]
fn a_probation_is_three_tenths_training_and_seven_work() {
    let scheme = scheme("probation");
    let appraised = appraise(&scheme, &after_training("80", "85", "100")).unwrap();
    // Work: 0.5 × (0.6 × 80 + 0.4 × 100) + 0.5 × 80 = 84. Training: (50 × 85 + 30 × 100) ÷ 80 = 90.625.
    assert_eq!(appraised.training, Some(d("90.625")));
    assert_eq!(appraised.total, d("85.9875"));
    assert_eq!((appraised.passed, appraised.grade), (Some(true), "A"));
    assert!(appraised.alerts.is_empty());
    // A mentor takes a fifth of the training: 0.5 × 85 + 0.3 × 100 + 0.2 × 90 = 90.5.
    let mut mentored = after_training("80", "85", "100");
    mentored.training.as_mut().unwrap().mentor = Some(d("90"));
    assert_eq!(appraise(&scheme, &mentored).unwrap().training, Some(d("90.5")));
    let missing = appraise(&scheme, &probation_work("80")).unwrap_err();
    assert_eq!(missing.code, "TRAINING_MISSING");
}

#[test]
fn alerts_are_strict() {
    let scheme = scheme("probation");
    let alerts = |exam: &str, completion: &str| {
        appraise(&scheme, &after_training("80", exam, completion)).unwrap().alerts.join(" ")
    };
    assert_eq!(alerts("70", "80"), "");
    assert_eq!(alerts("69.999", "80"), "exam");
    assert_eq!(alerts("69.999", "79.999"), "completion exam");
}

fn place_of(scheme: &Scheme, grade: &str) -> usize {
    scheme.grades().position(|known| known == grade).unwrap()
}

proptest! {
    #[test]
    fn a_higher_indicator_or_score_never_lowers_the_grade(
        actuals in prop::collection::vec(0_i64..200, 3), scores in prop::collection::vec(0_i64..=100, 3),
        which in 0_usize..6, more in 1_i64..50,
    ) {
        let scheme = monthly();
        let build = |actuals: &[i64], scores: &[i64]| {
            let mut work = work();
            for (item, actual) in work.kpis.iter_mut().zip(actuals) {
                item.actual = Some(Exact::from(*actual));
            }
            for (item, score) in work.behaviours.iter_mut().zip(scores) {
                item.score = Some(Exact::from(*score));
            }
            work
        };
        let (mut better, mut liked) = (actuals.clone(), scores.clone());
        match which {
            // Less is better in the third.
            2 => better[2] = (better[2] - more).max(0),
            0 | 1 => better[which] += more,
            _ => liked[which - 3] = (liked[which - 3] + more).min(100),
        }
        let before = appraise(&scheme, &build(&actuals, &scores)).unwrap();
        let after = appraise(&scheme, &build(&better, &liked)).unwrap();
        prop_assert!(after.total >= before.total);
        prop_assert!(place_of(&scheme, after.grade) <= place_of(&scheme, before.grade));
        prop_assert!(after.coefficient >= before.coefficient);
    }

    #[test]
    fn the_order_of_items_does_not_matter(order in Just(vec![0_usize, 1, 2]).prop_shuffle()) {
        let scheme = monthly();
        let straight = work();
        let turned = Work {
            kpis: order.iter().map(|place| straight.kpis[*place].clone()).collect(),
            behaviours: order.iter().map(|place| straight.behaviours[*place].clone()).collect(),
            training: None,
        };
        let (one, other) = (appraise(&scheme, &straight).unwrap(), appraise(&scheme, &turned).unwrap());
        prop_assert_eq!(&one.total, &other.total);
        let (one, other) = (growth(&scheme, &one, &[]), growth(&scheme, &other, &[]));
        prop_assert_eq!(one.goals.iter().map(|goal| goal.title()).collect::<Vec<_>>(),
                        other.goals.iter().map(|goal| goal.title()).collect::<Vec<_>>());
    }
}
