//! The median of a sample, and who is above it.

use hub_calc::Exact;

/// The middle of a sample: one score twice, or the two scores between which the median lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middle<T> {
    lower: T,
    upper: T,
}

impl<T: Ord + Clone + Into<Exact>> Middle<T> {
    /// Finds it; `None` for an empty sample. Puts the scores into another order; linear time.
    pub fn of(scores: &mut [T]) -> Option<Self> {
        let at = scores.len() / 2;
        let even = scores.len().is_multiple_of(2);
        if scores.is_empty() {
            return None;
        }
        let (below, middle, _) = scores.select_nth_unstable(at);
        let upper = middle.clone();
        let lower = if even { below.iter().max().cloned().unwrap_or_else(|| upper.clone()) } else { upper.clone() };
        Some(Self { lower, upper })
    }

    /// The median: the middle score, or the mean of the two.
    #[must_use]
    pub fn median(&self) -> Exact {
        let sum = self.lower.clone().into() + self.upper.clone().into();
        sum.over(&Exact::from(2)).unwrap_or_else(Exact::zero)
    }

    /// Whether a score *of the sample* is strictly above the median. No score of the sample lies between the two middle
    /// ones, so it is enough to look at the lower.
    #[must_use]
    pub fn is_under(&self, score: &T) -> bool {
        *score > self.lower
    }
}

/// A number in full, without zeros at its end: the median of decimals has at most one place more than they have.
#[must_use]
pub fn in_full(number: &Exact) -> String {
    let text = number.to_places(29);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_at_the_median_are_not_above_it() {
        let mut scores = [50, 60, 70, 80, 60, 70, 90];
        let middle = Middle::of(&mut scores).unwrap();
        assert_eq!(in_full(&middle.median()), "70");
        assert_eq!(scores.iter().filter(|score| middle.is_under(score)).count(), 2);
        let between = Middle::of(&mut [1, 2]).unwrap();
        assert_eq!(in_full(&between.median()), "1.5");
        assert!(between.is_under(&2) && !between.is_under(&1));
        assert_eq!(Middle::<i32>::of(&mut []), None);
        assert_eq!(in_full(&Middle::of(&mut [-100]).unwrap().median()), "-100");
    }

    proptest! {
        #[test]
        fn it_is_the_middle_of_the_sorted_sample(mut scores in proptest::collection::vec(-20_i32..20, 1..40)) {
            let middle = Middle::of(&mut scores.clone()).unwrap();
            scores.sort_unstable();
            let twice = scores[(scores.len() - 1) / 2] + scores[scores.len() / 2];
            prop_assert_eq!(middle.median() + middle.median(), Exact::from(twice));
            for score in scores {
                prop_assert_eq!(middle.is_under(&score), 2 * score > twice);
            }
        }
    }
}
