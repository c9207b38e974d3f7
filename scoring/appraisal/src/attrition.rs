//! The risk that somebody leaves, by a logistic model whose every part is shown.

use hub_calc::Exact;
use std::cmp::Ordering;

/// Fewer people than this teach nothing (house rule).
pub const FEWEST_PEOPLE: usize = 50;
/// Fewer leavers than this teach nothing (house rule).
pub const FEWEST_LEAVERS: usize = 10;

const PROTECTED: &[&str] = &[
    "age",
    "birth",
    "birthdate",
    "birthday",
    "child",
    "children",
    "disability",
    "disabled",
    "disease",
    "ethnic",
    "ethnicity",
    "gender",
    "health",
    "illness",
    "marital",
    "married",
    "maternity",
    "medical",
    "nationality",
    "pregnancy",
    "pregnant",
    "race",
    "religion",
    "sex",
    "sick",
    "sickness",
];

const PROTECTED_ZH: &[&str] = &[
    "性别", "年龄", "出生", "种族", "民族", "国籍", "宗教", "残疾", "残障", "怀孕", "孕", "婚", "生育", "子女", "健康",
    "疾病", "病假", "医疗",
];

/// Whether the name of a feature says that it is a protected attribute or about health. A model may not hold either.
#[must_use]
pub fn is_protected(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.split(|character: char| !character.is_ascii_alphabetic()).any(|word| PROTECTED.contains(&word))
        || PROTECTED_ZH.iter().any(|word| name.contains(word))
}

/// How much each feature adds to the logit: coefficient × value, in their order.
#[must_use]
pub fn contributions(parts: &[(Exact, Exact)]) -> Vec<Exact> {
    parts.iter().map(|(coefficient, value)| coefficient * value).collect()
}

/// How well risks order people: the share of pairs of a leaver and a stayer in which the leaver has the higher risk,
/// ties counting half. `None` without leavers or without stayers.
#[must_use]
pub fn auc(risks: &[(f64, bool)]) -> Option<Exact> {
    let mut order: Vec<&(f64, bool)> = risks.iter().collect();
    order.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (mut stayers_below, mut doubled) = (0_usize, Exact::zero());
    for equals in order.chunk_by(|(one, _), (other, _)| one.total_cmp(other) == Ordering::Equal) {
        let leavers = equals.iter().filter(|(_, left)| *left).count();
        let stayers = equals.len() - leavers;
        doubled = doubled + Exact::from(leavers) * Exact::from(2 * stayers_below + stayers);
        stayers_below += stayers;
    }
    let leavers = risks.len() - stayers_below;
    doubled.over(&(Exact::from(2) * Exact::from(leavers) * Exact::from(stayers_below)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_attributes_are_known_by_their_names() {
        for name in ["age", "Gender", "sick_days", "marital-status", "员工年龄", "婚姻状况"] {
            assert!(is_protected(name), "{name}");
        }
        for name in ["late_increase", "score_drop", "negative_feedback", "average_hours", "manager_changes", "迟到次数"]
        {
            assert!(!is_protected(name), "{name}");
        }
    }

    #[test]
    fn auc_counts_pairs_and_halves_of_ties() {
        let risks = |leavers: &[f64], stayers: &[f64]| -> Vec<(f64, bool)> {
            leavers.iter().map(|risk| (*risk, true)).chain(stayers.iter().map(|risk| (*risk, false))).collect()
        };
        let found = auc(&risks(&[3.0, 5.0, 6.0], &[1.0, 2.0, 5.0])).unwrap();
        assert_eq!(found.to_places(4), "0.8333");
        assert_eq!(auc(&risks(&[1.0, 1.0], &[1.0])).unwrap().to_places(2), "0.50");
        assert_eq!(auc(&risks(&[1.0], &[])), None);
        assert_eq!(auc(&[]), None);
    }
}
