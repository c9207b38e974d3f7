//! What must hold for all inputs.

use super::CALCULATIONS;
use crate::numbers::linear;
use hub_calc::{Exact, Given, answer};
use hub_tree::{Arena, Decimal, Limits, Value, json};
use proptest::prelude::*;

fn ask<'a>(arena: &'a Arena, request: &str) -> Value<'a> {
    let request = json::read(arena, arena.bytes(request.as_bytes()), Limits::default()).unwrap();
    answer(CALCULATIONS, Given::new(arena, request)).unwrap()
}

fn label(rules: &[(u32, u32)], scores: &[Option<u32>]) -> usize {
    let rules = rules
        .iter()
        .enumerate()
        .map(|(at, (min, floor))| format!(r#"{{"dim": "d{at}", "min": "{min}", "floor": "{}"}}"#, floor.min(min)));
    let scores = scores
        .iter()
        .enumerate()
        .map(|(at, score)| format!(r#""d{at}": {}"#, score.map_or("null".to_owned(), |score| score.to_string())));
    let (rules, scores) = (rules.collect::<Vec<_>>().join(","), scores.collect::<Vec<_>>().join(","));
    let arena = Arena::new();
    let found = ask(&arena, &format!(r#"{{"type": "decision", "rules": [{rules}], "scores": {{{scores}}}}}"#));
    let order = ["不推荐", "待考虑", "推荐"];
    order.iter().position(|word| found.get("label") == Value::Text(word)).unwrap()
}

fn rules_and_scores() -> impl Strategy<Value = (Vec<(u32, u32)>, Vec<Option<u32>>)> {
    (1_usize..5).prop_flat_map(|n| {
        let rules = prop::collection::vec((0_u32..=100, 0_u32..=100), n);
        (rules, prop::collection::vec(prop::option::weighted(0.9, 0_u32..=100), n))
    })
}

proptest! {
    #[test]
    fn a_higher_score_never_lowers_the_label(
        (rules, scores) in rules_and_scores(), at in 0_usize..5, more in 1_u32..100,
    ) {
        let mut higher = scores.clone();
        let at = at % higher.len();
        higher[at] = higher[at].map(|score| (score + more).min(100));
        prop_assert!(label(&rules, &higher) >= label(&rules, &scores));
    }

    #[test]
    fn the_order_of_rules_and_dimensions_changes_nothing(
        (rules, scores) in rules_and_scores(), weights in prop::collection::vec(1_u32..50, 2..6),
    ) {
        let backwards = |n: usize| (0..n).rev();
        let turned_rules: Vec<_> = backwards(rules.len()).map(|at| rules[at]).collect();
        let turned_scores: Vec<_> = backwards(scores.len()).map(|at| scores[at]).collect();
        prop_assert_eq!(label(&rules, &scores), label(&turned_rules, &turned_scores));
        let sum: u32 = weights.iter().sum();
        let mut dims: Vec<String> = weights.iter().enumerate().map(|(at, weight)| {
            // The first takes what is left to 100.
            let weight = if at == 0 { 300 - (sum - weight) } else { *weight };
            format!(r#"{{"id": "d{at}", "weight": "{}", "score": "{}"}}"#, Decimal::new(weight.into(), 2), at * 13)
        }).collect();
        dims.push(r#"{"id": "rest", "weight": "97", "score": "61.5"}"#.to_owned());
        let arena = Arena::new();
        let composite = |dims: &[String]| {
            let found = ask(&arena, &format!(r#"{{"type": "composite", "dims": [{}]}}"#, dims.join(",")));
            found.get("composite").as_text().unwrap().to_owned()
        };
        let forwards = composite(&dims);
        dims.reverse();
        prop_assert_eq!(forwards, composite(&dims));
    }

    #[test]
    fn a_score_leads_back_to_the_raw_one(min in -1_000_i64..1_000, range in 1_i64..1_000, thousandths in 0_i64..=1_000) {
        let (min, range) = (Exact::from(min), Exact::from(range));
        let share = Exact::from(Decimal::new(thousandths, 3));
        let raw = &min + &(&range * &share);
        let score = linear(&raw, &min, &(&min + &range)).unwrap();
        prop_assert_eq!(&min + &(&range * &score.over(&Exact::hundred()).unwrap()), raw);
    }

    #[test]
    fn changed_weights_keep_their_order_and_make_a_model(
        parts in prop::collection::vec(1_u32..1_000, 2..9), at in 0_usize..9, new in 0_i64..=10_000_000, scale in 2_u32..6,
    ) {
        let (sum, at) = (parts.iter().sum::<u32>(), at % parts.len());
        // Weights to two places; the first takes what is left to 100.
        let mut hundredths: Vec<u32> = parts.iter().map(|part| part * 10_000 / sum).collect();
        hundredths[0] += 10_000 - hundredths.iter().sum::<u32>();
        let text = |weights: &[String]| {
            let all: Vec<String> = weights.iter().enumerate().map(|(at, w)| format!(r#""d{at}": "{w}""#)).collect();
            format!("{{{}}}", all.join(","))
        };
        let old: Vec<String> = hundredths.iter().map(|weight| Decimal::new((*weight).into(), 2).to_string()).collect();
        prop_assume!(hundredths[at] < 10_000);
        let new = Decimal::new(new % (100 * 10_i64.pow(scale) + 1), scale);
        let arena = Arena::new();
        let request = format!(r#"{{"type": "reweight", "weights": {}, "dim": "d{at}", "new_weight": "{new}"}}"#, text(&old));
        let found = ask(&arena, &request).get("weights");
        let made: Vec<String> = found.entries().iter().map(|(_, weight)| weight.as_text().unwrap().to_owned()).collect();
        let sound = ask(&arena, &format!(r#"{{"type": "model_check", "weights": {}}}"#, text(&made)));
        prop_assert_eq!(sound.get("result"), Value::Text("ok"));
        let made: Vec<Decimal> = made.iter().map(|weight| weight.parse().unwrap()).collect();
        prop_assert_eq!(made[at], new);
        for (one, weight) in hundredths.iter().enumerate().filter(|(one, _)| *one != at) {
            let share = Exact::from(Decimal::ONE_HUNDRED - new) * Exact::from(*weight);
            let share = share.over(&Exact::from(10_000 - hundredths[at])).unwrap();
            prop_assert!((Exact::from(made[one]) - share).abs() < Exact::from(Decimal::new(1, 4)));
        }
    }

    #[test]
    fn statistics_do_not_depend_on_the_order_of_people(
        people in prop::collection::vec((0_u32..=1_000, any::<bool>()), 8..40), turn in 1_usize..8,
    ) {
        let asked = |people: &[(u32, bool)]| {
            let scores: Vec<String> = people.iter().map(|(tenths, _)| Decimal::new((*tenths).into(), 1).to_string()).collect();
            let met: Vec<u32> = people.iter().map(|(_, met)| u32::from(*met)).collect();
            let (arena, scores) = (Arena::new(), scores.join(","));
            let threshold = format!(
                r#"{{"type": "threshold_analysis", "threshold": "50", "min_group": 1, "scores": [{scores}], "outcomes": {met:?}}}"#
            );
            let spread = format!(r#"{{"type": "distribution", "scores": [{scores}], "flag_below": "50"}}"#);
            let pairs = format!(r#"{{"type": "correlation", "x": [{scores}], "y": {met:?}}}"#);
            [threshold, spread, pairs].map(|request| json::to_string(&ask(&arena, &request)))
        };
        let mut turned = people.clone();
        turned.rotate_left(turn);
        prop_assert_eq!(asked(&people), asked(&turned));
    }

    #[test]
    fn a_higher_score_is_never_offered_less(score in 0_i64..=9_999, more in 1_i64..2_000, low in 0_u32..10_000, range in 0_u32..10_000) {
        let base = |score: i64| {
            let arena = Arena::new();
            let (score, high) = (Decimal::new(score.min(10_000), 2), low + range);
            let found = ask(&arena, &format!(r#"{{"type": "offer", "score": "{score}", "range": ["{low}", "{high}"]}}"#));
            let base = found.get("base").as_text().map(|base| base.parse::<Decimal>().unwrap());
            assert_eq!(base.is_some(), score >= Decimal::from(80));
            assert!(base.is_none_or(|base| base >= low.into() && base <= high.into()));
            base
        };
        prop_assert!(base(score) <= base(score + more));
    }

    #[test]
    fn kappa_is_what_a_table_of_all_pairs_of_categories_tells(
        pairs in prop::collection::vec((0_usize..5, 0_usize..5), 1..40),
    ) {
        let n = Exact::from(pairs.len());
        let of = |rated: &dyn Fn(&(usize, usize)) -> bool| Exact::from(pairs.iter().filter(|pair| rated(pair)).count());
        let (mut found, mut chance) = ([Exact::zero(), Exact::zero()], [Exact::zero(), Exact::zero()]);
        for i in 0_usize..5 {
            for j in 0..5 {
                let weights = [Exact::from(usize::from(i != j)), Exact::from(i.abs_diff(j).pow(2))];
                let expected = (&of(&|pair| pair.0 == i) * &of(&|pair| pair.1 == j)).over(&n).unwrap();
                for ((weight, found), chance) in weights.iter().zip(&mut found).zip(&mut chance) {
                    *found = &*found + &(weight * &of(&|pair| *pair == (i, j)));
                    *chance = &*chance + &(weight * &expected);
                }
            }
        }
        let kappa = |at: usize| Some(Exact::one() - found[at].over(&chance[at])?);
        prop_assert_eq!(crate::reliability::kappa(&pairs, 5), kappa(0).zip(kappa(1)));
    }
}

/// What would take minutes if each were compared with each other.
#[test]
fn long_requests_take_no_longer_than_they_are() {
    let (arena, n) = (Arena::new(), 20_000);
    let all = |one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<Vec<_>>().join(",");
    let (names, ratings) = (all(&|at| format!(r#""d{at}": "60""#)), all(&|at| (at * 7 % n).to_string()));
    let rules = all(&|at| format!(r#"{{"dim": "d{at}", "min": "60"}}"#));
    let found = ask(&arena, &format!(r#"{{"type": "decision", "rules": [{rules}], "scores": {{{names}}}}}"#));
    assert_eq!(found.get("label"), Value::Text("推荐"));
    let found =
        ask(&arena, &format!(r#"{{"type": "feature_rules", "rule_set": "sales.客户导向", "features": {{{names}}}}}"#));
    assert_eq!(found.get("score"), Value::Text("90"));
    let categories = all(&|at| at.to_string());
    let kappa =
        format!(r#"{{"type": "kappa", "rater_a": [{ratings}], "rater_b": [{ratings}], "categories": [{categories}]}}"#);
    assert_eq!(ask(&arena, &kappa).get("kappa_quadratic"), Value::Text("1.000000"));
}
