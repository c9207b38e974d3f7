//! Scores of indicators (KPI) and the total of an appraisal.

use hub_calc::Exact;

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is better, such as customers who were content.
    Up,
    /// Less is better, such as seconds until an answer.
    Down,
}

/// Why an indicator has no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unscored {
    /// More is better, and the target is not above zero: there is nothing to divide by.
    TargetNotPositive,
    /// Less is better, and the target is below zero.
    TargetNegative,
    /// Less is better, and the actual value is below zero: the ratio would call the best the worst.
    ActualNegative,
}

/// The score of an indicator in points, 0 to `cap`, before any rounding.
///
/// More is better: 100 × actual ÷ target. Less is better: 100 × target ÷ actual; nothing at all is the cap.
///
/// # Errors
/// A ratio that has no meaning.
pub fn score(actual: &Exact, target: &Exact, direction: Direction, cap: &Exact) -> Result<Exact, Unscored> {
    let ratio = match direction {
        Direction::Up if !target.is_positive() => return Err(Unscored::TargetNotPositive),
        Direction::Up => actual.over(target),
        Direction::Down if target.is_negative() => return Err(Unscored::TargetNegative),
        Direction::Down if actual.is_negative() => return Err(Unscored::ActualNegative),
        Direction::Down => target.over(actual),
    };
    // Only "less is better" with an actual value of zero has nothing to divide by.
    let Some(ratio) = ratio else { return Ok(cap.clone()) };
    Ok((Exact::hundred() * ratio).clamp(Exact::zero(), cap.clone()))
}

/// The weighted mean of scores; `None` unless the weights add up to exactly 100 and none is negative.
#[must_use]
pub fn weighted(parts: &[(Exact, Exact)]) -> Option<Exact> {
    let total: Exact = parts.iter().map(|(weight, _)| weight).sum();
    let fits = total == Exact::hundred() && !parts.iter().any(|(weight, _)| weight.is_negative());
    let sum: Exact = parts.iter().map(|(weight, score)| weight * score).sum();
    fits.then(|| sum.over(&Exact::hundred())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;
    use proptest::prelude::*;

    #[test]
    fn indicators_score_by_their_direction() {
        use Direction::{Down, Up};
        for (actual, target, direction, wanted) in [
            ("4.5", "5.0", Up, Ok("90")),
            ("50", "60", Down, Ok("120")),
            ("0", "60", Down, Ok("120")),
            ("0", "0", Down, Ok("120")),
            ("3", "0", Down, Ok("0")),
            ("0", "60", Up, Ok("0")),
            ("-3", "60", Up, Ok("0")),
            ("72", "60", Up, Ok("120")),
            ("72.01", "60", Up, Ok("120")),
            ("60", "60", Down, Ok("100")),
            ("3", "0", Up, Err(Unscored::TargetNotPositive)),
            ("3", "-1", Up, Err(Unscored::TargetNotPositive)),
            ("3", "-1", Down, Err(Unscored::TargetNegative)),
            ("-3", "1", Down, Err(Unscored::ActualNegative)),
        ] {
            let found = score(&d(actual), &d(target), direction, &d("120"));
            assert_eq!(found, wanted.map(d), "{actual} against {target}, {direction:?}");
        }
    }

    #[test]
    fn weights_that_do_not_add_up_give_no_mean() {
        assert_eq!(weighted(&[(d("40"), d("90")), (d("60"), d("80"))]), Some(d("84")));
        assert_eq!(weighted(&[(d("40"), d("90")), (d("59.99"), d("80"))]), None);
        assert_eq!(weighted(&[(d("110"), d("90")), (d("-10"), d("80"))]), None);
        assert_eq!(weighted(&[]), None);
    }

    proptest! {
        #[test]
        fn more_of_what_is_better_never_lowers_a_score(a in 0_i64..10_000, b in 0_i64..10_000, target in 1_i64..10_000) {
            let (less, more) = (Exact::from(a.min(b)), Exact::from(a.max(b)));
            let (target, cap) = (Exact::from(target), d("120"));
            let points = |actual: &Exact, direction| score(actual, &target, direction, &cap).unwrap();
            prop_assert!(points(&less, Direction::Up) <= points(&more, Direction::Up));
            prop_assert!(points(&less, Direction::Down) >= points(&more, Direction::Down));
        }
    }
}
