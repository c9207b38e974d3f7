//! Whether a difference of two rates may be chance: the pooled z test and Fisher's exact test, both two-sided.
//!
//! Chance is the one thing here that is computed in binary floats; what goes in and what the flags say is exact.
#![allow(clippy::float_arithmetic, reason = "statistics; counts, rates and ratios stay exact")]

use crate::impact::Group;
use hub_calc::{Exact, stats};

/// Two groups with fewer people together than this are a small sample: Fisher's test counts, not z.
pub const SMALL_BELOW: u64 = 30;

/// A chance under this is taken as more than chance.
pub const LEVEL: f64 = 0.05;

/// Fisher's test is computed up to so many people; beyond that it takes too long and says what z says.
pub const FISHER_AT_MOST: u64 = 1_000_000_000_000;

/// Whether the two groups together are under 30 people.
#[must_use]
pub const fn is_small(group: &Group, benchmark: &Group) -> bool {
    group.assessed.saturating_add(benchmark.assessed) < SMALL_BELOW
}

/// The z of two proportions with the pooled rate: (p₁ − p₂) ÷ √(p(1 − p)(1/n₁ + 1/n₂)). `None` where all or none were
/// selected, or a group is empty. Up to the root it is computed exactly.
#[must_use]
pub fn z(group: &Group, benchmark: &Group) -> Option<f64> {
    let [n1, x1, n2, x2] = [group.assessed, group.favoured, benchmark.assessed, benchmark.favoured].map(Exact::from);
    let difference = &x1 * &n2 - &x2 * &n1;
    let (all, selected) = (&n1 + &n2, &x1 + &x2);
    let others = &all - &selected;
    let square = (&(&difference * &difference) * &all).over(&(&(&n1 * &n2) * &(&selected * &others)))?;
    let root = square.to_float().sqrt();
    Some(if difference.is_negative() { -root } else { root })
}

/// The chance of a z at least this far from 0 on either side.
#[must_use]
pub fn p_of_z(z: f64) -> f64 {
    (2.0 * stats::normal_cdf(-z.abs())).min(1.0)
}

/// The fewest further selections in the group with which its rate is no longer under 4/5 of the benchmark's; 0 when it
/// is not.
#[must_use]
pub fn selections_to_four_fifths(group: &Group, benchmark: &Group) -> u64 {
    let needed = u128::from(benchmark.favoured).checked_mul(u128::from(group.assessed)).map(|product| {
        // ⌈4·product ÷ 5n⌉, without the product by 4 that might not fit.
        let n = u128::from(benchmark.assessed).max(1);
        let (whole, rest) = (product / n, product % n);
        let (fifths, left) = (whole / 5, whole % 5);
        fifths * 4 + (4 * (left * n + rest)).div_ceil(5 * n)
    });
    let missing = needed.unwrap_or(0).saturating_sub(u128::from(group.favoured));
    u64::try_from(missing).unwrap_or(u64::MAX)
}

/// Fisher's exact test, two-sided: the chance, with the margins as they are, of a table that is at most as likely as
/// the one found. `None` for more than [`FISHER_AT_MOST`] people, an empty group, or more selected than assessed.
///
/// Chances are taken relative to the likeliest table and grow from it by ratios of neighbours, which stay accurate
/// where factorials would not fit. The walk ends where a table no longer counts, some nine standard deviations out.
#[must_use]
pub fn fisher(group: &Group, benchmark: &Group) -> Option<f64> {
    let bad = |group: &Group| group.assessed == 0 || group.favoured > group.assessed;
    let all = group.assessed.checked_add(benchmark.assessed).filter(|all| *all <= FISHER_AT_MOST)?;
    if bad(group) || bad(benchmark) {
        return None;
    }
    let tables = Tables { n1: group.assessed, n2: benchmark.assessed, selected: group.favoured + benchmark.favoured };
    let mode = u128::from(tables.n1 + 1) * u128::from(tables.selected + 1) / u128::from(all + 2);
    let mode = u64::try_from(mode).ok()?.clamp(tables.lowest(), tables.highest());
    // What was found, relative to the likeliest table; 0 beyond the end of the walk.
    let steps = mode.abs_diff(group.favoured);
    let found = tables.walk(mode, group.favoured > mode).nth(usize::try_from(steps).ok()?).unwrap_or(0.0);
    let (mut total, mut at_most) = (0.0, 0.0);
    for up in [true, false] {
        // Tables of equal chance count, and each step rounds a little.
        let mut rounding = STEP_ERROR * (1.0 + to_float(steps));
        // The likeliest table itself is counted on the way up.
        for chance in tables.walk(mode, up).skip(usize::from(!up)) {
            total += chance;
            if chance <= found * (1.0 + rounding) {
                at_most += chance;
            }
            rounding += STEP_ERROR;
        }
    }
    Some((at_most / total).min(1.0))
}

/// How much one step of the walk may be off, relatively: four roundings.
const STEP_ERROR: f64 = 4.0 * f64::EPSILON;

/// A table less likely than this, relative to the likeliest, no longer counts, nor do all those beyond it together.
const NOTHING: f64 = 1e-25;

#[allow(clippy::cast_precision_loss, reason = "counts are at most 10^12, which a float holds exactly")]
const fn to_float(count: u64) -> f64 {
    count as f64
}

/// All tables with the same margins.
struct Tables {
    n1: u64,
    n2: u64,
    selected: u64,
}

impl Tables {
    /// The fewest that the first group can have of those selected.
    const fn lowest(&self) -> u64 {
        self.selected.saturating_sub(self.n2)
    }

    /// The most.
    const fn highest(&self) -> u64 {
        if self.selected < self.n1 { self.selected } else { self.n1 }
    }

    /// The chances of the tables from one of them on, upwards or downwards, relative to the first.
    fn walk(&self, start: u64, up: bool) -> impl Iterator<Item = f64> + '_ {
        let first = Some((start, 1.0));
        std::iter::successors(first, move |(at, chance)| {
            let next = if up { at + 1 } else { at.checked_sub(1)? };
            if next < self.lowest() || next > self.highest() {
                return None;
            }
            // The larger of the two tables' counts of the first group; the ratio upwards is that of its neighbours.
            let k = next.max(*at);
            let above = to_float(self.selected - k + 1) * to_float(self.n1 - k + 1);
            // In this order nothing is negative: k is above the lowest count.
            let below = to_float(k) * to_float(self.n2 + k - self.selected);
            let chance = if up { chance * above / below } else { chance * below / above };
            (chance >= NOTHING).then_some((next, chance))
        })
        .map(|(_, chance)| chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_calc::stats::to_places;
    use proptest::prelude::*;

    fn group(assessed: u64, favoured: u64) -> Group {
        Group { assessed, favoured }
    }

    fn p(n1: u64, x1: u64, n2: u64, x2: u64) -> String {
        to_places(fisher(&group(n1, x1), &group(n2, x2)).unwrap(), 6).unwrap()
    }

    /// By hand: 3 of 4 against 1 of 4 has chances 1, 16, 36, 16, 1 of 70, so that all but the middle count: 34/70.
    #[test]
    fn fishers_tea_is_as_in_the_book() {
        assert_eq!(p(4, 3, 4, 1), "0.485714");
        assert_eq!(p(4, 4, 4, 0), "0.028571");
        assert_eq!(p(4, 2, 4, 2), "1.000000");
        // One table alone: nobody, or everybody.
        assert_eq!(p(7, 0, 3, 0), "1.000000");
        assert_eq!(p(7, 7, 3, 3), "1.000000");
        assert_eq!(p(1, 1, 1, 0), "1.000000");
    }

    #[test]
    fn large_tables_are_quick_and_far_ones_are_nought() {
        assert_eq!(p(1_000_000, 500_000, 1_000_000, 500_000), "1.000000");
        assert_eq!(p(1_000_000, 500_000, 1_000_000, 400_000), "0.000000");
        // So many people that the test and z with its continuity correction agree: z = 1 less a hair.
        let (n, x) = (500_000_000_000, 250_000_000_000);
        let exact = fisher(&group(n, x), &group(n, x + 500_000)).unwrap();
        let near = p_of_z(z(&group(n, x), &group(n, x + 499_999)).unwrap());
        assert!((exact - near).abs() < 5e-7, "{exact} {near}");
        assert_eq!(fisher(&group(FISHER_AT_MOST, 1), &group(1, 1)), None);
    }

    #[test]
    fn z_is_undefined_where_all_or_none_are_selected() {
        assert_eq!(z(&group(5, 5), &group(7, 7)), None);
        assert_eq!(z(&group(5, 0), &group(7, 0)), None);
        assert_eq!(z(&group(0, 0), &group(7, 3)), None);
        let far = z(&group(400, 120), &group(500, 225)).unwrap();
        assert_eq!(to_places(far, 6).as_deref(), Some("-4.599085"));
    }

    #[test]
    fn thirty_people_are_no_small_sample() {
        assert!(is_small(&group(14, 1), &group(15, 1)));
        assert!(!is_small(&group(15, 1), &group(15, 1)));
    }

    proptest! {
        #[test]
        fn the_further_selections_are_enough_and_one_fewer_is_not(n in 1_u64..400, x in 0_u64..400, m in 1_u64..400, y in 0_u64..400) {
            let (x, y) = (x.min(n), y.min(m));
            let more = selections_to_four_fifths(&group(n, x), &group(m, y));
            prop_assert!(5 * (x + more) * m >= 4 * y * n);
            prop_assert!(more == 0 || 5 * (x + more - 1) * m < 4 * y * n);
            prop_assert!(x + more <= n);
        }

        /// Against the definition in whole numbers: products of binomials fit for such tables.
        #[test]
        fn fisher_is_what_counting_all_tables_gives(n in 1_u64..30, x in 0_u64..30, m in 1_u64..30, y in 0_u64..30) {
            let (x, y) = (x.min(n), y.min(m));
            let choose = |n: u64, k: u64| (0..k).fold(1_u128, |c, i| c * u128::from(n - i) / u128::from(i + 1));
            let ways = |k: u64| choose(n, k) * choose(m, x + y - k);
            let found = ways(x);
            let all: Vec<u128> = ((x + y).saturating_sub(m)..=n.min(x + y)).map(ways).collect();
            let at_most: u128 = all.iter().filter(|ways| **ways <= found).sum();
            let wanted = at_most as f64 / all.iter().sum::<u128>() as f64;
            let got = fisher(&group(n, x), &group(m, y)).unwrap();
            prop_assert!((got - wanted).abs() < 1e-12, "{} {}", got, wanted);
            prop_assert!((fisher(&group(m, y), &group(n, x)).unwrap() - got).abs() < 1e-12);
        }
    }
}
