//! How far ratings agree: exact fractions of sums of squares.

use crate::statistics::{squares_about_mean, variance};
use hub_calc::Exact;

/// Rows are people, columns items or raters; all rows as long as the first.
pub(crate) type Matrix = [Vec<Exact>];

fn columns(matrix: &Matrix) -> usize {
    matrix.first().map_or(0, Vec::len)
}

fn column(matrix: &Matrix, index: usize) -> Vec<Exact> {
    matrix.iter().filter_map(|row| row.get(index).cloned()).collect()
}

fn totals(matrix: &Matrix) -> Vec<Exact> {
    matrix.iter().map(|row| Exact::total(row)).collect()
}

/// Cronbach's alpha, and the variance of the totals: k/(k−1) × (1 − Σ variances of items ÷ variance of totals). `None`
/// for fewer than two items or people, or totals that do not vary.
pub(crate) fn alpha(matrix: &Matrix) -> Option<(Exact, Exact)> {
    let items = columns(matrix);
    let of_totals = variance(&totals(matrix))?;
    let of_items = (0..items).map(|index| variance(&column(matrix, index))).collect::<Option<Vec<_>>>()?;
    let share = Exact::total(&of_items).over(&of_totals)?;
    let factor = Exact::from(items).over(&Exact::from(items.checked_sub(1)?))?;
    Some((factor * (Exact::one() - share), of_totals))
}

/// Intraclass correlations of two-way random effects and absolute agreement: of one rater, and of the mean of all.
pub(crate) struct Agreement {
    pub(crate) single: Exact,
    pub(crate) mean: Exact,
}

/// `None` for fewer than two people or raters, or ratings that do not vary at all.
pub(crate) fn icc(matrix: &Matrix) -> Option<Agreement> {
    let (n, k) = (matrix.len(), columns(matrix));
    let (people, raters) = (Exact::from(n), Exact::from(k));
    let of_raters: Vec<Exact> = (0..k).map(|index| Exact::total(&column(matrix, index))).collect();
    // Sums of squares: of all ratings, between the means of people, between those of raters, and what is left.
    let all = squares_about_mean(&matrix.iter().flatten().cloned().collect::<Vec<_>>())?;
    let between_people = squares_about_mean(&totals(matrix))?.over(&raters)?;
    let between_raters = squares_about_mean(&of_raters)?.over(&people)?;
    let rest = all - &between_people - &between_raters;
    let (free_people, free_raters) = (Exact::from(n.checked_sub(1)?), Exact::from(k.checked_sub(1)?));
    let people_square = between_people.over(&free_people)?;
    let raters_square = between_raters.over(&free_raters)?;
    let rest_square = rest.over(&(&free_people * &free_raters))?;
    let above = &people_square - &rest_square;
    let bias = (&raters_square - &rest_square).over(&people)?;
    let below_single = &people_square + &(&free_raters * &rest_square) + &raters * &bias;
    let below_mean = &people_square + &bias;
    Some(Agreement { single: above.over(&below_single)?, mean: above.over(&below_mean)? })
}

/// What one rater gave: how many of each category, with the sums that chance needs.
struct Ratings {
    counts: Vec<u128>,
    /// Sum of the categories' indices, and of their squares.
    sum: u128,
    squares: u128,
}

impl Ratings {
    fn of(ratings: impl Iterator<Item = usize>, categories: usize) -> Option<Self> {
        let mut given = Self { counts: vec![0; categories], sum: 0, squares: 0 };
        for index in ratings {
            *given.counts.get_mut(index)? += 1;
            let index = index as u128;
            given.sum += index;
            given.squares += index * index;
        }
        Some(given)
    }
}

/// Cohen's kappa of two raters' categories, each an index below `categories`: plain, and with quadratic weights. `None`
/// where chance alone would make them agree always.
///
/// By chance each of the `n` ratings of one meets each of the other. Of these `n²` pairs all but `Σ aᵢbᵢ` differ, and the
/// squared distances add up to `n Σi² + n Σj² − 2 Σi Σj`: no loop over pairs of categories is needed.
pub(crate) fn kappa(pairs: &[(usize, usize)], categories: usize) -> Option<(Exact, Exact)> {
    let all = pairs.len() as u128;
    let first = Ratings::of(pairs.iter().map(|(a, _)| *a), categories)?;
    let second = Ratings::of(pairs.iter().map(|(_, b)| *b), categories)?;
    let differing = pairs.iter().filter(|(a, b)| a != b).count() as u128;
    let far: u128 = pairs.iter().map(|(a, b)| (a.abs_diff(*b) as u128).pow(2)).sum();
    let same_by_chance: u128 = first.counts.iter().zip(&second.counts).map(|(a, b)| a * b).sum();
    let by_chance = all * all - same_by_chance;
    let far_by_chance = all * (first.squares + second.squares) - 2 * first.sum * second.sum;
    let agreement =
        |found: u128, expected: u128| Some(Exact::one() - Exact::from(found * all).over(&Exact::from(expected))?);
    Some((agreement(differing, by_chance)?, agreement(far, far_by_chance)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[i32]]) -> Vec<Vec<Exact>> {
        rows.iter().map(|row| row.iter().map(|number| Exact::from(*number)).collect()).collect()
    }

    /// The six people and four raters of Shrout and Fleiss (1979): ICC(2,1) 0.29, ICC(2,4) 0.62.
    #[test]
    fn agreement_of_the_textbook() {
        let ratings =
            matrix(&[&[9, 2, 5, 8], &[6, 1, 3, 2], &[8, 4, 6, 8], &[7, 1, 2, 6], &[10, 5, 6, 9], &[6, 2, 4, 7]]);
        let found = icc(&ratings).unwrap();
        assert_eq!((found.single.to_places(2), found.mean.to_places(2)), ("0.29".into(), "0.62".into()));
        assert!(icc(&matrix(&[&[1, 1], &[1, 1]])).is_none());
        assert!(icc(&matrix(&[&[1], &[2]])).is_none());
    }

    /// By hand: items 1,2,3 and 1,2,3 agree wholly; 20 + 15 of 50 agree where 50 % would by chance.
    #[test]
    fn alpha_and_kappa_by_hand() {
        assert_eq!(alpha(&matrix(&[&[1, 1], &[2, 2], &[3, 3]])).unwrap().0, Exact::one());
        assert!(alpha(&matrix(&[&[1, 2], &[1, 2]])).is_none());
        let pairs: Vec<(usize, usize)> = [((0, 0), 20), ((0, 1), 5), ((1, 0), 10), ((1, 1), 15)]
            .iter()
            .flat_map(|(pair, n)| vec![*pair; *n])
            .collect();
        let (plain, quadratic) = kappa(&pairs, 2).unwrap();
        assert_eq!((plain.to_places(4), quadratic.to_places(4)), ("0.4000".into(), "0.4000".into()));
        assert!(kappa(&[(0, 0), (0, 0)], 2).is_none());
    }
}
