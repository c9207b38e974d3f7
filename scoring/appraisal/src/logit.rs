//! Logistic regression by Newton's method: the largest likelihood, its standard errors, and when there is none.
//!
//! Statistics are a matter of binary floats; what leaves is written with stated places. Columns are centred and scaled
//! while fitting, so that pay in tens of thousands and counts of lateness may stand side by side.
#![expect(clippy::float_arithmetic, reason = "a likelihood has no exact maximum")]

/// A fitted model. The intercept stands first.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What a unit of each feature adds to the logit.
    pub coefficients: Vec<f64>,
    /// Square roots of the diagonal of the inverse (penalised) information.
    pub std_errors: Vec<f64>,
    /// Natural logarithm of the likelihood, without the penalty.
    pub log_likelihood: f64,
}

/// Why there is no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFit {
    /// Some features tell leavers from stayers without error, wholly or in part: the likelihood has no maximum.
    Separated,
    /// A column is constant, or a sum of others.
    Dependent,
    /// The search did not settle.
    Unsettled,
}

/// The probability of a logit.
#[must_use]
pub fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The logit of a person by a model; features in the order of its coefficients after the intercept.
#[must_use]
pub fn logit(coefficients: &[f64], features: &[f64]) -> f64 {
    let (intercept, slopes) = coefficients.split_first().unwrap_or((&0.0, &[]));
    intercept + dot(slopes, features)
}

/// Fits P(left) = 1 ÷ (1 + e^-(b0 + Σ b·x)) to people's features, one row each.
///
/// `l2` ≥ 0 is taken off the log-likelihood as l2 ÷ 2 × Σ b², the intercept left out; 0 is plain maximum likelihood.
///
/// # Errors
/// The likelihood has no single maximum, or it was not found.
pub fn fit(rows: &[Vec<f64>], left: &[bool], l2: f64) -> Result<Fit, NoFit> {
    let columns = rows.first().map_or(0, Vec::len);
    let scales: Vec<(f64, f64)> = (0..columns).map(|column| centre_and_scale(rows, column)).collect();
    let scaled = rows.iter().map(|row| {
        let features = row.iter().zip(&scales).map(|(value, (centre, scale))| (value - centre) / scale);
        std::iter::once(1.0).chain(features).collect()
    });
    let penalty = std::iter::once(0.0).chain(scales.iter().map(|(_, scale)| l2 / (scale * scale))).collect();
    let problem = Problem { design: scaled.collect(), left, penalty };
    let (found, information) = problem.maximum()?;
    let back = |column: usize| -> Vec<f64> {
        // How a coefficient of the plain columns comes from those of the scaled ones.
        let mut weights = vec![0.0; columns + 1];
        if let Some((_, scale)) = column.checked_sub(1).and_then(|column| scales.get(column)) {
            weights.iter_mut().skip(column).take(1).for_each(|weight| *weight = 1.0 / scale);
        } else {
            let of_features = scales.iter().map(|(centre, scale)| -centre / scale);
            weights.iter_mut().zip(std::iter::once(1.0).chain(of_features)).for_each(|(weight, back)| *weight = back);
        }
        weights
    };
    let backs: Vec<Vec<f64>> = (0..=columns).map(back).collect();
    let variance = |weights: &Vec<f64>| dot(weights, &information.solve(weights));
    Ok(Fit {
        coefficients: backs.iter().map(|weights| dot(weights, &found)).collect(),
        std_errors: backs.iter().map(|weights| variance(weights).sqrt()).collect(),
        log_likelihood: problem.log_likelihood(&found),
    })
}

/// Mean and standard deviation of a column; a scale of 1 for a constant one.
fn centre_and_scale(rows: &[Vec<f64>], column: usize) -> (f64, f64) {
    let values = || rows.iter().filter_map(|row| row.get(column));
    let count = values().fold(0.0, |count, _| count + 1.0);
    let centre = values().sum::<f64>() / count;
    let spread = (values().map(|value| (value - centre).powi(2)).sum::<f64>() / count).sqrt();
    let is_constant = spread <= centre.abs() * 1e-12;
    (centre, if is_constant { 1.0 } else { spread })
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

struct Problem<'p> {
    design: Vec<Vec<f64>>,
    left: &'p [bool],
    penalty: Vec<f64>,
}

const MOST_STEPS: usize = 200;
/// After so many steps a likelihood with a maximum has nearly always been climbed, and one without shows its direction.
const STEPS_BEFORE_DOUBT: usize = 12;

impl Problem<'_> {
    fn log_likelihood(&self, found: &[f64]) -> f64 {
        let one = |(row, left): (&Vec<f64>, &bool)| {
            let logit = dot(row, found);
            -softplus(if *left { -logit } else { logit })
        };
        self.design.iter().zip(self.left).map(one).sum()
    }

    fn penalised(&self, found: &[f64]) -> f64 {
        let penalty = self.penalty.iter().zip(found).map(|(penalty, found)| penalty * found * found).sum::<f64>();
        self.log_likelihood(found) - penalty / 2.0
    }

    /// The slope of the penalised log-likelihood, and its negative curvature.
    fn slope_and_information(&self, found: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let width = self.penalty.len();
        let mut slope: Vec<f64> = self.penalty.iter().zip(found).map(|(penalty, found)| -penalty * found).collect();
        let mut information = vec![vec![0.0; width]; width];
        for (diagonal, (row, penalty)) in information.iter_mut().zip(&self.penalty).enumerate() {
            row.iter_mut().skip(diagonal).take(1).for_each(|cell| *cell = *penalty);
        }
        for (row, left) in self.design.iter().zip(self.left) {
            let risk = probability(dot(row, found));
            let surprise = if *left { probability(-dot(row, found)) } else { -risk };
            let weight = risk * probability(-dot(row, found));
            slope.iter_mut().zip(row).for_each(|(slope, x)| *slope += surprise * x);
            for (cells, x) in information.iter_mut().zip(row) {
                cells.iter_mut().zip(row).for_each(|(cell, y)| *cell += weight * x * y);
            }
        }
        (slope, information)
    }

    /// Whether a step away from `found` tells leavers from stayers: nobody lies on its wrong side and somebody on the
    /// right one. Those whose logit is already beyond doubt do not set the measure, however far out they are.
    fn separates(&self, found: &[f64], step: &[f64]) -> bool {
        let sides: Vec<f64> = self.design.iter().map(|row| dot(row, step)).collect();
        let is_open = |row: &Vec<f64>| probability(-dot(row, found).abs()) > 1e-14;
        let open = self.design.iter().zip(&sides).filter(|(row, _)| is_open(row));
        let widest = open.fold(0.0, |widest: f64, (_, side)| widest.max(side.abs()));
        let on_the_right_side = |(side, left): (&f64, &bool)| (if *left { *side } else { -side }) >= -1e-5 * widest;
        widest > 0.0 && sides.iter().zip(self.left).all(on_the_right_side)
    }

    fn maximum(&self) -> Result<(Vec<f64>, Cholesky), NoFit> {
        let may_separate = !self.penalty.iter().any(|penalty| *penalty > 0.0);
        let mut found = vec![0.0; self.penalty.len()];
        let mut height = self.penalised(&found);
        let mut last_step = Vec::new();
        for steps in 0..MOST_STEPS {
            let (slope, information) = self.slope_and_information(&found);
            let smallest = if steps == 0 { 1e-10 } else { 1e-15 };
            let Some(information) = Cholesky::of(&information, smallest) else {
                let separated = may_separate && steps > 0 && self.separates(&found, &last_step);
                return Err(if separated { NoFit::Separated } else { NoFit::Dependent });
            };
            let step = information.solve(&slope);
            if dot(&slope, &step) <= 1e-20 {
                return Ok((found, information));
            }
            if steps >= STEPS_BEFORE_DOUBT && may_separate && self.separates(&found, &step) {
                return Err(NoFit::Separated);
            }
            // A step that overshoots is halved; rounding alone may lose a trifle of height.
            let mut length = 1.0;
            let (next, next_height) = loop {
                let next: Vec<f64> = found.iter().zip(&step).map(|(found, step)| found + length * step).collect();
                let next_height = self.penalised(&next);
                if next_height >= height - 1e-10 * (1.0 + height.abs()) {
                    break (next, next_height);
                }
                length /= 2.0;
                if length < 1e-9 {
                    return Err(NoFit::Unsettled);
                }
            };
            (found, height, last_step) = (next, next_height, step);
        }
        Err(NoFit::Unsettled)
    }
}

/// A symmetric positive matrix as the product of a lower triangle and its mirror image.
struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    /// `None` when a row is all but a sum of the others: less than `smallest` of its own weight is left.
    fn of(matrix: &[Vec<f64>], smallest: f64) -> Option<Self> {
        let mut triangle: Vec<Vec<f64>> = Vec::with_capacity(matrix.len());
        for (place, cells) in matrix.iter().enumerate() {
            let mut row: Vec<f64> = Vec::with_capacity(place + 1);
            for (above, cell) in triangle.iter().zip(cells) {
                row.push((cell - dot(&row, above)) / above.last()?);
            }
            let own = cells.get(place)?;
            let rest = own - dot(&row, &row);
            if rest.is_nan() || rest <= smallest * own || rest <= 0.0 {
                return None;
            }
            row.push(rest.sqrt());
            triangle.push(row);
        }
        Some(Self(triangle))
    }

    /// x with matrix × x = `right`.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut half: Vec<f64> = Vec::with_capacity(right.len());
        for (row, right) in self.0.iter().zip(right) {
            half.push((right - dot(row, &half)) / row.last().copied().unwrap_or(1.0));
        }
        for (place, row) in self.0.iter().enumerate().rev().filter(|(place, _)| *place < right.len()) {
            let diagonal = row.last().copied().unwrap_or(1.0);
            let (before, from) = half.split_at_mut(place);
            if let Some(own) = from.first_mut() {
                *own /= diagonal;
                before.iter_mut().zip(row).for_each(|(other, cell)| *other -= cell * *own);
            }
        }
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(features: &[(f64, bool)]) -> (Vec<Vec<f64>>, Vec<bool>) {
        features.iter().map(|(x, left)| (vec![*x], *left)).unzip()
    }

    #[test]
    fn with_one_yes_or_no_feature_the_odds_are_those_of_the_table() {
        // 30 people without the feature, 6 left; 20 with it, 12 left: b0 = ln(6/24), b = ln(12/8) - b0,
        // and the squares of the errors are 1/6 + 1/24, and that + 1/12 + 1/8.
        let table = [(0.0, true, 6), (0.0, false, 24), (1.0, true, 12), (1.0, false, 8)];
        let table = table.iter().flat_map(|(x, left, times)| std::iter::repeat_n((*x, *left), *times));
        let (rows, left) = people(&table.collect::<Vec<_>>());
        let fit = fit(&rows, &left, 0.0).unwrap();
        let b0 = (6.0_f64 / 24.0).ln();
        let wanted = [b0, (12.0_f64 / 8.0).ln() - b0];
        let errors =
            [(1.0_f64 / 6.0 + 1.0 / 24.0).sqrt(), (1.0_f64 / 6.0 + 1.0 / 24.0 + 1.0 / 12.0 + 1.0 / 8.0).sqrt()];
        for (found, wanted) in fit.coefficients.iter().chain(&fit.std_errors).zip(wanted.iter().chain(&errors)) {
            assert!((found - wanted).abs() < 1e-10, "{found} is not {wanted}");
        }
    }

    #[test]
    fn separation_is_told_from_overlap() {
        let whole: Vec<(f64, bool)> = (0..60).map(|x| (f64::from(x), x >= 30)).collect();
        let (rows, left) = people(&whole);
        assert_eq!(fit(&rows, &left, 0.0), Err(NoFit::Separated));
        assert!(fit(&rows, &left, 1.0).unwrap().coefficients[1] > 0.0);
        // All who have the feature left, of the others half: the feature's coefficient has no end.
        let in_part: Vec<(f64, bool)> = (0..60).map(|x| if x < 20 { (1.0, true) } else { (0.0, x % 2 == 0) }).collect();
        let (rows, left) = people(&in_part);
        assert_eq!(fit(&rows, &left, 0.0), Err(NoFit::Separated));
        // One pair out of order is enough for a maximum, however steep.
        let mut overlap = whole;
        overlap[29].1 = true;
        overlap[30].1 = false;
        let (rows, left) = people(&overlap);
        assert!(fit(&rows, &left, 0.0).unwrap().coefficients[1] > 1.0);
        // Somebody far out on the right side does not make it separated.
        overlap.push((1e6, true));
        let (rows, left) = people(&overlap);
        assert!(fit(&rows, &left, 0.0).is_ok());
    }

    #[test]
    fn columns_that_say_the_same_are_refused() {
        let (rows, left): (Vec<Vec<f64>>, Vec<bool>) =
            (0..60_u32).map(|x| (vec![f64::from(x % 7), 3.0 * f64::from(x % 7)], x % 3 == 0)).unzip();
        assert_eq!(fit(&rows, &left, 0.0), Err(NoFit::Dependent));
        let (rows, left) = people(&(0..60).map(|x| (4.2, x % 3 == 0)).collect::<Vec<_>>());
        assert_eq!(fit(&rows, &left, 0.0), Err(NoFit::Dependent));
    }

    #[test]
    fn logits_far_out_are_certain() {
        assert!(probability(-2000.0) == 0.0 && probability(2000.0) == 1.0 && probability(0.0) == 0.5);
        assert!((softplus(1000.0) - 1000.0).abs() < 1e-9 && softplus(-1000.0) >= 0.0);
    }
}
