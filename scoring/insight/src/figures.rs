//! Rates and intervals as exact numbers, and what is too little to be shown.

use crate::report::Bar;
use crate::text::Text;
use hub_calc::{Exact, stats};
use hub_interview::statistics;
use hub_tree::Decimal;

/// Fewer people than this are not shown: their numbers would tell of single persons.
pub const FEWEST: usize = 5;
/// Decimal places of what statistics give.
const PLACES: usize = 6;

/// What statistics give, with six decimal places; `None` for what is no number.
pub(crate) fn exact(number: f64) -> Option<Exact> {
    stats::to_places(number, PLACES)?.parse::<Decimal>().ok().map(Exact::from)
}

/// Two ends.
pub(crate) fn ends((low, high): (f64, f64)) -> Option<(Exact, Exact)> {
    Some((exact(low)?, exact(high)?))
}

/// How many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) met: usize,
    pub(crate) all: usize,
}

impl Rate {
    /// Counts those for whom it is so.
    pub(crate) fn of(items: impl IntoIterator<Item = bool>) -> Self {
        items.into_iter().fold(Self::default(), |rate, is| Self { met: rate.met + usize::from(is), all: rate.all + 1 })
    }

    pub(crate) fn share(self) -> Option<Exact> {
        Exact::from(self.met).over(&Exact::from(self.all))
    }

    /// The Wilson interval.
    pub(crate) fn interval(self) -> Option<(Exact, Exact)> {
        statistics::wilson(self.met, self.all).and_then(ends)
    }

    /// This share less another one, and Newcombe's interval of it.
    pub(crate) fn less(self, other: Self) -> Option<(Exact, (Exact, Exact))> {
        let interval = statistics::newcombe((self.met, self.all), (other.met, other.all)).and_then(ends)?;
        Some((self.share()? - other.share()?, interval))
    }

    /// As a bar in percent.
    pub(crate) fn bar(self, name: Text, flagged: bool) -> Option<Bar> {
        let share = self.share()?;
        let label = Text::same(format!("{} (n={})", percent(&share), self.all));
        let interval = self.interval().map(|(low, high)| (hundredfold(&low), hundredfold(&high)));
        Some(Bar { name, value: hundredfold(&share), label, interval, flagged })
    }
}

pub(crate) fn hundredfold(share: &Exact) -> Exact {
    share * &Exact::hundred()
}

/// A share as people write it.
pub(crate) fn percent(share: &Exact) -> String {
    format!("{} %", hundredfold(share).to_places(1))
}

/// The axis of percentages.
pub(crate) fn percent_axis() -> Option<(Exact, Exact)> {
    Some((Exact::zero(), Exact::hundred()))
}

/// The median of numbers in any order.
pub(crate) fn median(numbers: &[Exact]) -> Option<Exact> {
    let mut sorted = numbers.to_vec();
    sorted.sort();
    statistics::quartile(&sorted, 2)
}

/// The line through points with the least squares: intercept and slope; `None` where x does not vary.
pub(crate) fn fitted(x: &[Exact], y: &[Exact]) -> Option<(Exact, Exact)> {
    let (mean_x, mean_y) = (statistics::mean(x)?, statistics::mean(y)?);
    let covered = Exact::total_of_products(x, y) - (Exact::from(x.len()) * &mean_x) * &mean_y;
    let slope = covered.over(&statistics::squares_about_mean(x)?)?;
    Some((mean_y - &slope * &mean_x, slope))
}

/// Which of these counts are hidden: those under [`FEWEST`], and, where only one is, the next smallest too, which could
/// else be told from the sum.
pub(crate) fn hidden(counts: &[usize]) -> Vec<bool> {
    let mut hidden: Vec<bool> = counts.iter().map(|count| *count < FEWEST).collect();
    if hidden.iter().filter(|hidden| **hidden).count() == 1 {
        let others = counts.iter().enumerate().filter(|(at, _)| hidden.get(*at) == Some(&false));
        if let Some(next) = others.min_by_key(|(_, count)| **count).map(|(at, _)| at).and_then(|at| hidden.get_mut(at))
        {
            *next = true;
        }
    }
    hidden
}

/// Bins of a round width that hold all numbers, about ten of them.
pub(crate) fn bins(numbers: &[Exact]) -> Vec<(Exact, Exact, u64)> {
    let (Some(low), Some(high)) = (numbers.iter().min(), numbers.iter().max()) else { return Vec::new() };
    let wanted = (high - low).over(&Exact::from(10)).unwrap_or_else(Exact::one);
    let widths = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000].map(Exact::from);
    let width = widths.iter().find(|width| **width >= wanted).or(widths.last()).cloned().unwrap_or_else(Exact::one);
    let steps = |number: &Exact| number.over(&width).unwrap_or_else(Exact::zero).floor();
    let first = steps(low);
    let index =
        |number: &Exact| (steps(number) - &first).to_whole().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    // The largest number belongs to the bin that ends with it.
    let last = if &steps(high) * &width == *high && high > low { index(high).saturating_sub(1) } else { index(high) };
    let mut counts = vec![0_u64; last + 1];
    for number in numbers {
        if let Some(count) = counts.get_mut(index(number).min(last)) {
            *count += 1;
        }
    }
    let edge = |at: usize| (&first + &Exact::from(at)) * &width;
    counts.into_iter().enumerate().map(|(at, count)| (edge(at), edge(at + 1), count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(numbers: &[i64]) -> Vec<Exact> {
        numbers.iter().copied().map(Exact::from).collect()
    }

    #[test]
    fn one_hidden_count_hides_another_one() {
        assert_eq!(hidden(&[3, 40, 12]), [true, false, true]);
        assert_eq!(hidden(&[3, 2, 12]), [true, true, false]);
        assert_eq!(hidden(&[5, 6]), [false, false]);
        assert_eq!(hidden(&[4]), [true]);
        assert!(hidden(&[]).is_empty());
    }

    #[test]
    fn bins_hold_every_number_once() {
        let numbers = all(&[0, 9, 10, 55, 99, 100]);
        let found = bins(&numbers);
        assert_eq!(found.iter().map(|(.., count)| count).sum::<u64>(), 6);
        assert_eq!(
            found.first().map(|(from, to, count)| (from.clone(), to.clone(), *count)),
            Some((Exact::from(0), Exact::from(10), 2))
        );
        assert_eq!(
            found.last().map(|(from, to, count)| (from.clone(), to.clone(), *count)),
            Some((Exact::from(90), Exact::from(100), 2))
        );
        assert_eq!(bins(&all(&[7])).len(), 1);
        assert!(bins(&[]).is_empty());
    }

    #[test]
    fn the_fitted_line_goes_through_points_that_lie_on_one() {
        assert_eq!(fitted(&all(&[1, 2, 4]), &all(&[5, 7, 11])), Some((Exact::from(3), Exact::from(2))));
        assert_eq!(fitted(&all(&[1, 1]), &all(&[5, 7])), None);
    }

    #[test]
    fn rates_have_the_intervals_of_the_facts() {
        let rate = Rate { met: 18, all: 24 };
        let (low, high) = rate.interval().unwrap();
        assert_eq!((low.to_places(4), high.to_places(4)), ("0.5510".into(), "0.8800".into()));
        let (difference, _) = rate.less(Rate { met: 12, all: 26 }).unwrap();
        assert_eq!(hundredfold(&difference).to_places(2), "28.85");
        assert_eq!(Rate::default().share(), None);
    }
}
