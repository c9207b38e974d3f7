//! What candidates are told, and what they are not.

use super::{Feedback, Language, Level};
use crate::tests::{deciding, from_json, shipped};
use crate::{Policy, assess};
use hub_model::entities::assessment::{Scorecard, Turn};
use hub_tree::Decimal;

fn phone(expression: &str, reasoning: &str, skill: &str) -> Scorecard {
    let dimension = |id: &str, score: &str| {
        format!(r#"{{"id":"{id}","score":{{"value":"{score}","min":"0","max":"100"}},"evidence":[{{"text":"x"}}]}}"#)
    };
    let all = [dimension("语言表达", expression), dimension("逻辑思维", reasoning), dimension("专业能力", skill)];
    from_json(&format!(r#"{{"dimensions":[{}]}}"#, all.join(",")))
}

fn said(text: &str) -> Vec<Turn> {
    from_json(&format!(r#"[{{"speaker":{{"value":"CANDIDATE"}},"text":"{text}"}}]"#))
}

#[test]
fn a_report_has_every_dimension_in_words_and_a_suggestion_for_each_weak_one() {
    let model = shipped("phone-interview");
    let turns = said("我负责了用户增长项目");
    let assessment = assess(&model, &phone("92", "55", "78"), &turns, Policy::default());
    let feedback = Feedback::of(&model, &assessment, &turns);
    let chinese = feedback.text(Language::Chinese);
    for wanted in
        ["语言表达：突出", "逻辑思维：有待提升", "专业能力：良好", "优势：语言表达", "目标—做法—结果", "补充数据"]
    {
        assert!(chinese.contains(wanted), "`{wanted}` is not in:\n{chinese}");
    }
    let english = feedback.text(Language::English);
    for wanted in ["Expression: outstanding", "Reasoning: still developing", "aim, method and result", "Add figures"] {
        assert!(english.contains(wanted), "`{wanted}` is not in:\n{english}");
    }
    let page = feedback.page(Language::Chinese);
    assert!(
        page.starts_with("<!DOCTYPE html>") && page.contains("lang=\"zh-CN\"") && page.contains("<dt>逻辑思维</dt>")
    );
    // With a figure in the answer, none is asked for.
    let turns = said("我负责了用户增长项目，新增用户提升30%");
    let told = Feedback::of(&model, &assess(&model, &phone("92", "55", "78"), &turns, Policy::default()), &turns);
    assert!(!told.text(Language::Chinese).contains("补充数据"));
}

#[test]
fn thresholds_scores_and_the_label_are_never_told() {
    for (model, scorecard) in [
        (shipped("phone-interview"), phone("59", "49", "61")),
        (shipped("phone-interview"), phone("95", "95", "95")),
        (shipped("customer-service"), deciding("8.4", "65", true)),
        (shipped("customer-service"), deciding("9", "82", true)),
    ] {
        let assessment = assess(&model, &scorecard, &[], Policy::default());
        let feedback = Feedback::of(&model, &assessment, &[]);
        for language in Language::ALL {
            let text = feedback.text(language);
            assert!(!text.contains(|c: char| c.is_ascii_digit()), "a number is told:\n{text}");
            for hidden in ["推荐", "待考虑", "recommended", "considered", "≥", "<"] {
                assert!(!text.contains(hidden), "`{hidden}` is told:\n{text}");
            }
            assert!(text.matches("\n- ").count() > model.dimensions.len(), "somebody gets no suggestion:\n{text}");
        }
    }
}

#[test]
fn what_cost_points_is_told_by_its_rule() {
    let model = shipped("customer-service");
    let turns = said("请问具体哪里出了问题？我马上为您跟进，提升 30%");
    let told = Feedback::of(&model, &assess(&model, &deciding("9", "82", true), &turns, Policy::default()), &turns);
    let text = told.text(Language::Chinese);
    assert!(text.contains("致歉"), "no apology was heard:\n{text}");
    assert!(!text.contains("弄清客户遇到的具体情况"), "a question was heard:\n{text}");
}

#[test]
fn words_have_bounds_of_their_own() {
    for (score, level) in
        [(100, Level::Outstanding), (90, Level::Outstanding), (89, Level::Good), (75, Level::Good), (60, Level::Sound)]
    {
        assert_eq!(Level::of(Decimal::from(score)), level, "{score}");
    }
    assert_eq!(Level::of(Decimal::new(59_999, 3)), Level::Developing);
}
