//! Pay analysis: what grades earn, who leaves, and what part of pay depends on performance.

use hub_calc::Exact;

/// The plain mean; `None` of nothing.
#[must_use]
pub fn mean(numbers: &[Exact]) -> Option<Exact> {
    numbers.iter().sum::<Exact>().over(&Exact::from(numbers.len()))
}

/// By how many percent the one is above the other (relative); `None` when the other is zero.
#[must_use]
pub fn percent_above(one: &Exact, other: &Exact) -> Option<Exact> {
    Some((one.over(other)? - Exact::one()) * Exact::hundred())
}

/// The difference of two rates in percentage points.
#[must_use]
pub fn points(one: &Exact, other: &Exact) -> Exact {
    (one - other) * Exact::hundred()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;

    #[test]
    fn relative_gaps_and_points_are_different_things() {
        assert_eq!(percent_above(&d("12000"), &d("10000")), Some(d("20")));
        assert_eq!(percent_above(&d("12000"), &d("0")), None);
        assert_eq!(points(&d("0.05"), &d("0.2")), d("-15"));
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[d("1"), d("2")]), Some(d("1.5")));
    }
}
