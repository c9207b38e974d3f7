//! Rates, impact ratios and the four-fifths rule.
//!
//! Sources: New York City Local Law 144 (6 RCNY 5-301: selection rate, scoring rate, impact ratio, the 2 % exclusion)
//! and the US Uniform Guidelines (29 CFR 1607.4(D): four fifths). All comparisons are between exact fractions.

use hub_calc::Exact;

/// The people of one category: whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many were assessed.
    pub assessed: u64,
    /// How many of them were selected, or scored above the median.
    pub favoured: u64,
}

impl Group {
    /// Favoured ÷ assessed; `None` when nobody was assessed.
    #[must_use]
    pub fn rate(&self) -> Option<Exact> {
        Exact::from(self.favoured).over(&Exact::from(self.assessed))
    }
}

/// How a category stands against the one with the highest rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has an impact ratio.
    Compared {
        /// Its rate ÷ the highest rate.
        ratio: Exact,
        /// Whether the ratio is under 4/5.
        below_four_fifths: bool,
    },
    /// The highest rate is 0, so that no ratio exists.
    NoBenchmark,
    /// Nobody of it was assessed: it has no rate.
    Nobody,
    /// It was left out of the ratios as a small part of the data.
    Small {
        /// Its part of all people assessed.
        share: Exact,
    },
    /// People whose category is not known are in no ratio.
    Unknown,
}

impl Standing {
    /// The impact ratio, where there is one.
    #[must_use]
    pub const fn ratio(&self) -> Option<&Exact> {
        match self {
            Self::Compared { ratio, .. } => Some(ratio),
            _ => None,
        }
    }

    /// Whether it has a ratio that is under 4/5.
    #[must_use]
    pub const fn below_four_fifths(&self) -> bool {
        matches!(self, Self::Compared { below_four_fifths: true, .. })
    }
}

/// The rates of the categories of one characteristic, compared.
#[derive(Clone, Debug)]
pub struct Impact {
    /// One for each group, in the order given.
    pub standings: Vec<Standing>,
    /// Which group has the highest rate of those compared (the first of equals), and the rate.
    pub benchmark: Option<(usize, Exact)>,
    /// The lowest rate of those compared.
    pub lowest: Option<Exact>,
}

impl Impact {
    /// Lowest rate ÷ highest rate of those compared: the smallest impact ratio. `None` without a benchmark above 0.
    #[must_use]
    pub fn min_ratio(&self) -> Option<Exact> {
        self.lowest.as_ref()?.over(&self.benchmark.as_ref()?.1)
    }

    /// Highest rate − lowest rate of those compared.
    #[must_use]
    pub fn max_difference(&self) -> Option<Exact> {
        Some(&self.benchmark.as_ref()?.1 - self.lowest.as_ref()?)
    }
}

/// Whether a rate is under four fifths of the highest one.
#[must_use]
pub fn below_four_fifths(rate: &Exact, highest: &Exact) -> bool {
    &Exact::from(5) * rate < &Exact::from(4) * highest
}

/// Compares groups. `is_unknown` tells by its place which group is of people whose category is not known: it counts
/// among all people assessed, and has no ratio. Groups whose share of all people assessed is under `exclude_below` (0.02 for 2 %; just
/// on it is not under) are left out of the ratios and cannot be the benchmark.
#[must_use]
pub fn impact(groups: &[Group], is_unknown: impl Fn(usize) -> bool, exclude_below: Option<&Exact>) -> Impact {
    let all: Exact = groups.iter().map(|group| Exact::from(group.assessed)).sum();
    let left_out = |index: usize, group: &Group| {
        if is_unknown(index) {
            return Some(Standing::Unknown);
        }
        let share = Exact::from(group.assessed).over(&all).unwrap_or_else(Exact::zero);
        if exclude_below.is_some_and(|least| share < *least) {
            return Some(Standing::Small { share });
        }
        (group.assessed == 0).then_some(Standing::Nobody)
    };
    let (mut benchmark, mut lowest): (Option<(usize, Exact)>, Option<Exact>) = (None, None);
    let mut parts = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let rate = group.rate().unwrap_or_else(Exact::zero);
        let out = left_out(index, group);
        if out.is_none() {
            if benchmark.as_ref().is_none_or(|(_, highest)| rate > *highest) {
                benchmark = Some((index, rate.clone()));
            }
            if lowest.as_ref().is_none_or(|lowest| rate < *lowest) {
                lowest = Some(rate.clone());
            }
        }
        parts.push((out, rate));
    }
    let highest = benchmark.as_ref().map(|(_, highest)| highest.clone()).unwrap_or_else(Exact::zero);
    let stand = |(out, rate): (Option<Standing>, Exact)| {
        out.unwrap_or_else(|| match rate.over(&highest) {
            Some(ratio) => Standing::Compared { ratio, below_four_fifths: below_four_fifths(&rate, &highest) },
            None => Standing::NoBenchmark,
        })
    };
    Impact { standings: parts.into_iter().map(stand).collect(), benchmark, lowest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group(assessed: u64, favoured: u64) -> Group {
        Group { assessed, favoured }
    }

    fn fraction(above: u64, below: u64) -> Exact {
        Exact::from(above).over(&Exact::from(below)).unwrap()
    }

    /// The developers' example of the facts: C is 2 of 190, which is 1.05 %.
    #[test]
    fn a_small_category_is_no_benchmark_unless_it_is_kept() {
        let groups = [group(100, 60), group(80, 40), group(2, 2), group(8, 4)];
        let without = impact(&groups, |at| at == 3, Some(&fraction(2, 100)));
        assert_eq!(without.standings[1].ratio(), Some(&fraction(5, 6)));
        assert_eq!(without.standings[2], Standing::Small { share: fraction(2, 190) });
        assert_eq!(without.standings[3], Standing::Unknown);
        assert_eq!(without.min_ratio(), Some(fraction(5, 6)));
        let with = impact(&groups, |at| at == 3, None);
        assert_eq!(with.benchmark.as_ref().unwrap().0, 2);
        assert_eq!(with.standings[0].ratio(), Some(&fraction(3, 5)));
        assert_eq!(with.standings[1].ratio(), Some(&fraction(1, 2)));
        assert_eq!(with.max_difference(), Some(fraction(1, 2)));
    }

    #[test]
    fn two_percent_is_not_under_two_percent_and_four_fifths_is_not_below_four_fifths() {
        let two = fraction(2, 100);
        let on = impact(&[group(980, 490), group(20, 8)], |_| false, Some(&two));
        assert_eq!(on.standings[1], Standing::Compared { ratio: fraction(4, 5), below_four_fifths: false });
        let under = impact(&[group(981, 490), group(20, 8)], |_| false, Some(&two));
        assert!(matches!(under.standings[1], Standing::Small { .. }));
        let below = impact(&[group(1_000, 500), group(1_000, 399)], |_| false, None);
        assert!(below.standings[1].below_four_fifths());
        // The products of such counts do not fit into any machine word.
        let huge = u64::MAX;
        let close = impact(&[group(huge, huge - 4), group(huge, (huge - 4) / 5 * 4)], |_| false, None);
        assert!(close.standings[1].below_four_fifths(), "{close:?}");
    }

    #[test]
    fn where_nobody_is_selected_there_is_no_ratio() {
        let none = impact(&[group(10, 0), group(5, 0)], |_| false, None);
        assert_eq!(none.standings, [Standing::NoBenchmark, Standing::NoBenchmark]);
        assert_eq!((none.min_ratio(), none.max_difference()), (None, Some(Exact::zero())));
        let zero = impact(&[group(10, 5), group(5, 0), group(0, 0)], |_| false, None);
        assert_eq!(zero.standings[1], Standing::Compared { ratio: Exact::zero(), below_four_fifths: true });
        assert_eq!(zero.standings[2], Standing::Nobody);
        let alone = impact(&[group(3, 1)], |_| false, None);
        assert_eq!(alone.standings[0].ratio(), Some(&Exact::one()));
        assert!(impact(&[], |_| false, None).benchmark.is_none());
        assert!(impact(&[group(3, 1)], |_| true, None).benchmark.is_none());
    }

    proptest! {
        #[test]
        fn the_order_of_categories_changes_nothing(
            counts in proptest::collection::vec((0_u64..60, 0_u64..60), 1..8), shift in 0_usize..8,
        ) {
            let groups: Vec<Group> = counts.iter().map(|(a, b)| group(*a.max(b), *a.min(b))).collect();
            let mut turned = groups.clone();
            let shift = shift % groups.len();
            turned.rotate_left(shift);
            let two = fraction(2, 100);
            let (before, after) = (impact(&groups, |_| false, Some(&two)), impact(&turned, |_| false, Some(&two)));
            let mut standings = before.standings.clone();
            standings.rotate_left(shift);
            prop_assert_eq!(standings, after.standings.clone());
            prop_assert_eq!(before.min_ratio(), after.min_ratio());
        }

        #[test]
        fn one_more_selected_never_lowers_the_ratio(n in 1_u64..500, x in 0_u64..500, m in 1_u64..500, y in 1_u64..500) {
            let (x, y) = (x.min(n - 1), y.min(m));
            let ratio = |x| impact(&[group(n, x), group(m, y)], |_| false, None).standings[0].ratio().cloned().unwrap();
            prop_assert!(ratio(x + 1) >= ratio(x));
            prop_assert!(ratio(x) <= Exact::one());
        }
    }
}
