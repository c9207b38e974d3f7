//! What must hold of every assessment, whatever the scores.

use crate::tests::{from_json, shipped};
use crate::{Assessment, Feedback, Language, Level, Model, Policy, assess, normalise, profile};
use hub_model::entities::assessment::{DecisionLabel, Scorecard};
use hub_tree::Decimal;
use proptest::prelude::*;

/// A score in tenths, and whether it rests on evidence; `None` where the vendor gives none.
type Given = Option<(u32, bool)>;

const DIMENSIONS: [&str; 3] = ["语言表达", "逻辑思维", "专业能力"];

fn scorecard(given: &[Given; 3], order: [usize; 3]) -> Scorecard {
    let dimension = |at: usize| {
        let (tenths, evidence) = given[at]?;
        let evidence = if evidence { r#","evidence":[{"text":"x"}]"# } else { "" };
        let score = format!(r#"{{"value":"{}","min":"0","max":"100"}}"#, Decimal::new(i64::from(tenths), 1));
        Some(format!(r#"{{"id":"{}","score":{score}{evidence}}}"#, DIMENSIONS[at]))
    };
    let all: Vec<String> = order.into_iter().filter_map(dimension).collect();
    from_json(&format!(r#"{{"dimensions":[{}]}}"#, all.join(",")))
}

fn assessed(model: &Model, given: &[Given; 3]) -> Assessment {
    assess(model, &scorecard(given, [0, 1, 2]), &[], Policy::default())
}

fn place(label: DecisionLabel) -> usize {
    [DecisionLabel::NotRecommended, DecisionLabel::Consider, DecisionLabel::Recommended]
        .iter()
        .position(|known| *known == label)
        .unwrap()
}

fn scores() -> impl Strategy<Value = [Given; 3]> {
    let one = || prop::option::weighted(0.95, (0_u32..=1000, prop::bool::weighted(0.9)));
    [one(), one(), one()]
}

proptest! {
    #[test]
    fn a_higher_dimension_never_lowers_the_label_nor_the_match(given in scores(), at in 0_usize..3, more in 1_u32..500) {
        let model = shipped("phone-interview");
        let mut higher = given;
        higher[at] = higher[at].map(|(tenths, evidence)| ((tenths + more).min(1000), evidence));
        let (before, after) = (assessed(&model, &given), assessed(&model, &higher));
        prop_assert!(place(after.label) >= place(before.label));
        prop_assert!(after.match_score >= before.match_score);
    }

    #[test]
    fn the_order_in_which_a_vendor_sends_dimensions_changes_nothing(given in scores(), order in Just([0, 1, 2]).prop_shuffle()) {
        let model = shipped("phone-interview");
        let turned = assess(&model, &scorecard(&given, order), &[], Policy::default());
        let straight = assessed(&model, &given);
        prop_assert_eq!(format!("{straight:?}"), format!("{turned:?}"));
        let text = |of: &Assessment| Feedback::of(&model, of, &[]).text(Language::Chinese);
        prop_assert_eq!(text(&straight), text(&turned));
    }

    #[test]
    fn whoever_is_recommended_reaches_the_match_and_every_min(given in scores()) {
        let model = shipped("phone-interview");
        let found = assessed(&model, &given);
        let reached = found.match_score.is_some_and(|score| score >= Decimal::from(8));
        let all = given.iter().all(|one| one.is_some_and(|(tenths, evidence)| tenths >= 600 && evidence));
        prop_assert_eq!(found.label == DecisionLabel::Recommended, reached && all);
        // A composite and its tenth say the same.
        prop_assert_eq!(found.composite, found.match_score.map(|score| (score * Decimal::TEN).normalize()));
    }

    #[test]
    fn nobody_is_strong_and_weak_in_one_thing(given in scores()) {
        let model = shipped("phone-interview");
        let found = profile(&model, &assessed(&model, &given).dimensions);
        prop_assert!(found.strengths.iter().all(|one| !found.risks.contains(one)));
    }

    #[test]
    fn a_score_leads_back_to_the_raw_one(min in -1_000_i64..1_000, range in 1_i64..1_000, thousandths in 0_i64..=1_000) {
        let (min, range) = (Decimal::from(min), Decimal::from(range));
        let raw = min + range * Decimal::new(thousandths, 3);
        let score = normalise(raw, min, min + range).unwrap();
        prop_assert_eq!(score, Decimal::new(thousandths, 1).normalize());
        prop_assert!(Level::of(score) >= Level::Developing);
    }
}
