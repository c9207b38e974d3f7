//! Goals that come from gaps, the steps of a newcomer's goals, and how later behaviour compares with the baseline.

use hub_calc::Exact;
use std::cmp::Ordering;

/// What is missing to a required score; above zero it gives a goal.
#[must_use]
pub fn gap(score: &Exact, required: &Exact) -> Exact {
    required - score
}

/// The next target of an indicator: one step further, and not beyond the most that there can be.
#[must_use]
pub fn target(current: &Exact, step: &Exact, most: Option<&Exact>) -> Exact {
    let next = current + step;
    most.filter(|most| **most < next).cloned().unwrap_or(next)
}

/// Gaps above zero, the largest first, equals in the order of the model. Each keeps its place in the model.
#[must_use]
pub fn largest_first(gaps: &[Exact]) -> Vec<usize> {
    let mut open: Vec<(usize, &Exact)> = gaps.iter().enumerate().filter(|(_, gap)| gap.is_positive()).collect();
    open.sort_by(|(_, one), (_, other)| other.cmp(one));
    open.into_iter().map(|(place, _)| place).collect()
}

/// How an actual value must stand to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// At or above it.
    AtLeast,
    /// At or below it.
    AtMost,
}

impl Aim {
    /// Of a target that does not say: a change below zero is a fall that is wanted, such as a handling time of -20 %.
    #[must_use]
    pub fn of(target: &Exact) -> Self {
        if target.is_negative() { Self::AtMost } else { Self::AtLeast }
    }

    /// Whether the actual value is where it should be; the target itself is.
    #[must_use]
    pub fn is_met(self, actual: &Exact, target: &Exact) -> bool {
        match self {
            Self::AtLeast => actual >= target,
            Self::AtMost => actual <= target,
        }
    }
}

/// Splits a target such as `>= 90%` into how it must be met, where it says so, and the bare number.
#[must_use]
pub fn split_target(text: &str) -> (Option<Aim>, &str) {
    let signs = [(">=", Aim::AtLeast), ("≥", Aim::AtLeast), ("<=", Aim::AtMost), ("≤", Aim::AtMost)];
    let text = text.trim();
    let (aim, rest) =
        signs.into_iter().find_map(|(sign, aim)| Some((Some(aim), text.strip_prefix(sign)?))).unwrap_or((None, text));
    let rest = rest.trim();
    (aim, rest.strip_suffix(['%', '％']).unwrap_or(rest).trim_end())
}

/// How a score stands to its baseline: above, at or below it. What is within the band of noise is at it.
#[must_use]
pub fn trend(baseline: &Exact, current: &Exact, band: &Exact) -> Ordering {
    let delta = current - baseline;
    if delta.abs() <= *band { Ordering::Equal } else { delta.cmp(&Exact::zero()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;

    #[test]
    fn a_target_goes_one_step_and_not_beyond_the_most() {
        assert_eq!(target(&d("85"), &d("5"), Some(&d("100"))), d("90"));
        assert_eq!(target(&d("97"), &d("5"), Some(&d("100"))), d("100"));
        assert_eq!(target(&d("97"), &d("5"), None), d("102"));
        assert_eq!(gap(&d("78.5"), &d("80")), d("1.5"));
    }

    #[test]
    fn gaps_stand_in_falling_order_and_equals_in_that_of_the_model() {
        assert_eq!(largest_first(&["5", "0", "12", "-3", "5"].map(d)), [2, 0, 4]);
        assert!(largest_first(&[]).is_empty());
    }

    #[test]
    fn targets_say_how_they_are_met() {
        for (text, aim, number) in [
            ("90", None, "90"),
            ("-20%", None, "-20"),
            (">= 4.5", Some(Aim::AtLeast), "4.5"),
            ("≤30 %", Some(Aim::AtMost), "30"),
        ] {
            assert_eq!(split_target(text), (aim, number), "{text}");
        }
        assert!(Aim::of(&d("-20")).is_met(&d("-20"), &d("-20")));
        assert!(Aim::of(&d("-20")).is_met(&d("-25"), &d("-20")));
        assert!(!Aim::of(&d("-20")).is_met(&d("-19.9"), &d("-20")));
        assert!(!Aim::of(&d("90")).is_met(&d("89.99"), &d("90")));
    }

    #[test]
    fn noise_is_no_trend() {
        assert_eq!(trend(&d("82"), &d("80"), &d("0")), Ordering::Less);
        assert_eq!(trend(&d("82"), &d("80"), &d("2")), Ordering::Equal);
        assert_eq!(trend(&d("82"), &d("82.1"), &d("0")), Ordering::Greater);
        assert_eq!(trend(&d("82"), &d("82"), &d("0")), Ordering::Equal);
    }
}
