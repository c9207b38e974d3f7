//! What outcomes say about scores: rates with intervals, correlation, ranking. Counts and scores go in exactly; roots
//! and hyperbolic functions need binary floats, which leave as text with stated places.
#![allow(clippy::float_arithmetic, reason = "statistics")]
#![allow(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]

use hub_calc::{Exact, stats};

/// Half of a 95 % interval in standard errors.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Two ends.
pub type Interval = (f64, f64);

/// The Wilson interval of a rate of `met` in `all`, 95 %. `None` for nobody.
pub fn wilson(met: usize, all: usize) -> Option<Interval> {
    if all == 0 {
        return None;
    }
    let (n, p) = (all as f64, met as f64 / all as f64);
    let square = Z95 * Z95;
    let centre = p + square / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let scale = 1.0 + square / n;
    Some((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
}

/// Newcombe's hybrid interval of the difference of two rates, 95 %: met and all of the first, met and all of the second.
pub fn newcombe(first: (usize, usize), second: (usize, usize)) -> Option<Interval> {
    let rate = |(met, all): (usize, usize)| met as f64 / all as f64;
    let ((l1, u1), (l2, u2)) = (wilson(first.0, first.1)?, wilson(second.0, second.1)?);
    let (p1, p2) = (rate(first), rate(second));
    let difference = p1 - p2;
    Some((difference - (p1 - l1).hypot(u2 - p2), difference + (u1 - p1).hypot(p2 - l2)))
}

/// Pearson's r: `Sxy ÷ √(Sxx × Syy)` with `Sxy = Σxy − Σx × Σy ÷ n`, exact up to the root. `None` when a variance is 0 or
/// there are fewer than 4 pairs.
pub fn pearson(x: &[Exact], y: &[Exact]) -> Option<f64> {
    if x.len() < 4 || x.len() != y.len() {
        return None;
    }
    let (sum_x, sum_y) = (Exact::total(x), Exact::total(y));
    let xy = Exact::total_of_products(x, y) - (&sum_x * &sum_y).over(&Exact::from(x.len()))?;
    let spread = squares_about_mean(x)? * squares_about_mean(y)?;
    let r = (&xy * &xy).over(&spread)?.to_float().sqrt();
    Some(if xy.is_negative() { -r } else { r })
}

/// The exact mean; `None` of nothing.
pub fn mean(numbers: &[Exact]) -> Option<Exact> {
    Exact::total(numbers).over(&Exact::from(numbers.len()))
}

/// The sum of squared distances from the mean, `Σx² − (Σx)² ÷ n`; `None` of nothing.
pub fn squares_about_mean(numbers: &[Exact]) -> Option<Exact> {
    let sum = Exact::total(numbers);
    Some(Exact::total_of_squares(numbers) - (&sum * &sum).over(&Exact::from(numbers.len()))?)
}

/// The sample variance (n − 1); `None` of fewer than two.
pub fn variance(numbers: &[Exact]) -> Option<Exact> {
    squares_about_mean(numbers)?.over(&Exact::from(numbers.len().checked_sub(1)?))
}

/// The square root, as a float.
pub fn root(number: &Exact) -> f64 {
    number.to_float().sqrt()
}

/// Fisher's 95 % interval of an r of `n` pairs, `n` above 3.
pub fn fisher(r: f64, n: usize) -> Option<Interval> {
    if n < 4 {
        return None;
    }
    if r.abs() >= 1.0 {
        return Some((r, r));
    }
    let half = Z95 / ((n - 3) as f64).sqrt();
    Some(((r.atanh() - half).tanh(), (r.atanh() + half).tanh()))
}

/// Ranks from 1, ties at their average.
pub fn ranks(numbers: &[Exact]) -> Vec<Exact> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].cmp(&numbers[*b]));
    let mut ranks = vec![Exact::zero(); numbers.len()];
    let mut at = 0;
    for tied in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        // Ranks at+1 to at+len have this mean.
        let rank = Exact::from(2 * at + tied.len() + 1).over(&Exact::from(2)).unwrap_or_else(Exact::zero);
        for index in tied {
            ranks[*index] = rank.clone();
        }
        at += tied.len();
    }
    ranks
}

/// The area under the curve: pairs won and half of the ties, of all pairs of one who met the target and one who did not.
pub fn auc(scores: &[Exact], met: &[bool]) -> Option<Exact> {
    let winners = met.iter().filter(|met| **met).count();
    let losers = met.len() - winners;
    let of_winners = ranks(scores).into_iter().zip(met).filter(|(_, met)| **met).map(|(rank, _)| rank);
    let sum = Exact::total(&of_winners.collect::<Vec<_>>());
    let least = Exact::from(winners * (winners + 1)).over(&Exact::from(2))?;
    (sum - least).over(&Exact::from(winners * losers))
}

/// The standard error of an area after Hanley and McNeil.
pub fn hanley_mcneil(area: f64, winners: usize, losers: usize) -> f64 {
    let (n1, n0) = (winners as f64, losers as f64);
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let square = area * (1.0 - area) + (n1 - 1.0) * (q1 - area * area) + (n0 - 1.0) * (q2 - area * area);
    (square / (n1 * n0)).max(0.0).sqrt()
}

/// The index of the observed score that, as threshold, has the largest sensitivity + specificity − 1, and that number;
/// the lowest score on ties. `None` when all or none met the target.
pub fn youden(scores: &[Exact], met: &[bool]) -> Option<(usize, Exact)> {
    let winners = Exact::from(met.iter().filter(|met| **met).count());
    let losers = Exact::from(met.iter().filter(|met| !**met).count());
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].cmp(&scores[*b]));
    let (mut winners_below, mut losers_below) = (0_usize, 0_usize);
    let mut best: Option<(usize, Exact)> = None;
    for tied in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        // With this threshold, winners below it are missed and losers below it are rightly left out.
        let missed = Exact::from(winners_below).over(&winners)?;
        let j = Exact::from(losers_below).over(&losers)? - missed;
        if best.as_ref().is_none_or(|(_, best)| j > *best) {
            best = tied.first().map(|index| (*index, j));
        }
        winners_below += tied.iter().filter(|index| met[**index]).count();
        losers_below += tied.iter().filter(|index| !met[**index]).count();
    }
    best
}

/// The correlation corrected for direct range restriction (Thorndike's case II); `u` is the applicants' standard
/// deviation over that of those hired.
pub fn unrestricted(r: &Exact, u: &Exact) -> f64 {
    let (square, one) = (u * u, Exact::one());
    let below = &one + &(&(r * r) * &(&square - &one));
    (r * u).to_float() / below.to_float().sqrt()
}

/// Quantile by linear interpolation between sorted numbers (type 7), `quarters` of four.
pub fn quartile(sorted: &[Exact], quarters: usize) -> Option<Exact> {
    let position = sorted.len().checked_sub(1)? * quarters;
    let (at, rest) = (position / 4, position % 4);
    let low = sorted.get(at)?;
    let high = sorted.get(at + 1).unwrap_or(low);
    let share = Exact::from(rest).over(&Exact::from(4))?;
    Some(low + &(&share * &(high - low)))
}

/// The percentile of a z, 0 to 100.
pub fn percentile_of_z(z: f64) -> f64 {
    100.0 * stats::normal_cdf(z)
}

/// The T of a percentile between 0 and 100, both left out.
pub fn t_of_percentile(percentile: &Exact) -> Option<f64> {
    // The lower tail is exact as a float where the upper one would be 1.
    let other = Exact::hundred() - percentile;
    let tail = percentile.min(&other).over(&Exact::hundred())?;
    let below = 10.0 * stats::normal_quantile(tail.to_float())?;
    Some(if *percentile > other { 50.0 - below } else { 50.0 + below })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Decimal;

    fn all(numbers: &[&str]) -> Vec<Exact> {
        numbers.iter().map(|number| Exact::from(number.parse::<Decimal>().unwrap())).collect()
    }

    fn shown(number: f64, places: usize) -> String {
        stats::to_places(number, places).unwrap()
    }

    /// The worked examples of the facts: 18 of 24 above, r = 0.70 of 40, leavers 3, 5, 6 and stayers 1, 2, 5.
    #[test]
    fn worked_examples() {
        let (low, high) = wilson(18, 24).unwrap();
        assert_eq!((shown(low, 4), shown(high, 4)), ("0.5510".into(), "0.8800".into()));
        let (low, high) = fisher(0.7, 40).unwrap();
        assert_eq!((shown(low, 4), shown(high, 4)), ("0.4968".into(), "0.8304".into()));
        let scores = all(&["3", "5", "6", "1", "2", "5"]);
        let met = [true, true, true, false, false, false];
        assert_eq!(auc(&scores, &met).unwrap().to_places(4), "0.8333");
        // At 3 all leavers and one stayer are caught: 1 + 2/3 - 1.
        let (at, j) = youden(&scores, &met).unwrap();
        assert_eq!((at, j.to_places(4)), (0, "0.6667".into()));
    }

    #[test]
    fn edges() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(0, 5).map(|(low, _)| shown(low, 6)), Some("0.000000".into()));
        assert_eq!(pearson(&all(&["1", "2", "3"]), &all(&["1", "2", "3"])), None);
        assert_eq!(pearson(&all(&["1", "1", "1", "1"]), &all(&["1", "2", "3", "4"])), None);
        assert_eq!(pearson(&all(&["1", "2", "3", "4"]), &all(&["8", "6", "4", "2"])), Some(-1.0));
        assert_eq!(fisher(-1.0, 4), Some((-1.0, -1.0)));
        assert_eq!(ranks(&all(&["10", "20", "10", "5"])), all(&["2.5", "4", "2.5", "1"]));
        assert_eq!(youden(&all(&["1", "2"]), &[true, true]), None);
        assert_eq!(quartile(&all(&["1", "2"]), 1), Some(all(&["1.25"])[0].clone()));
        assert_eq!(quartile(&[], 2), None);
        assert_eq!(variance(&all(&["3"])), None);
    }
}
