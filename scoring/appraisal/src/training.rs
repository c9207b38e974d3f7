//! Training: its effect, alerts, and the score of a probation.

use hub_calc::Exact;

/// Weights of the parts of a training's effect; percentages that add up to 100.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectWeights {
    /// Of the exam.
    pub exam: Exact,
    /// Of the share of lessons that were completed.
    pub completion: Exact,
    /// Of the mentor's opinion.
    pub mentor: Exact,
}

impl EffectWeights {
    /// Exam 50, completion 30, mentor 20 (house rule).
    #[must_use]
    pub fn house() -> Self {
        Self { exam: Exact::from(50), completion: Exact::from(30), mentor: Exact::from(20) }
    }
}

/// The effect of a training in points. Without a mentor's opinion the two others carry its weight between them;
/// `None` when they have none.
#[must_use]
pub fn effect(exam: &Exact, completion: &Exact, mentor: Option<&Exact>, weights: &EffectWeights) -> Option<Exact> {
    let mut sum = &weights.exam * exam + &weights.completion * completion;
    let mut total = &weights.exam + &weights.completion;
    if let Some(mentor) = mentor {
        sum = sum + &weights.mentor * mentor;
        total = total + &weights.mentor;
    }
    sum.over(&total)
}

/// Which parts of a training are too low; on its limit a part is not.
#[must_use]
pub fn too_low<'p>(parts: &[(&'p str, Option<&Exact>, &Exact)]) -> Vec<&'p str> {
    let low = parts.iter().filter(|(_, found, limit)| found.is_some_and(|found| found < *limit));
    low.map(|(part, ..)| *part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;

    #[test]
    fn without_a_mentor_the_other_parts_carry_the_weight() {
        let weights = EffectWeights::house();
        assert_eq!(effect(&d("85"), &d("100"), Some(&d("90")), &weights), Some(d("90.5")));
        assert_eq!(effect(&d("85"), &d("100"), None, &weights), Some(d("90.625")));
        assert_eq!(effect(&d("85"), &d("100"), Some(&d("0")), &weights), Some(d("72.5")));
        let mentor_alone = EffectWeights { exam: d("0"), completion: d("0"), mentor: d("100") };
        assert_eq!(effect(&d("85"), &d("100"), None, &mentor_alone), None);
    }

    #[test]
    fn on_the_limit_there_is_no_alert() {
        let reasons = |completion: &str, exam: Option<&str>| {
            let exam = exam.map(d);
            let (completion, eighty, seventy) = (d(completion), d("80"), d("70"));
            too_low(&[("completion", Some(&completion), &eighty), ("exam", exam.as_ref(), &seventy)]).join(" ")
        };
        assert_eq!(reasons("80", Some("70")), "");
        assert_eq!(reasons("79.999", Some("70")), "completion");
        assert_eq!(reasons("79.999", Some("69.9")), "completion exam");
        assert_eq!(reasons("80", None), "");
    }
}
