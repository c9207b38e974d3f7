//! Sums over many numbers.
//!
//! Adding fractions one by one reduces each sum, which is most of the work. Decimals have few different denominators:
//! they are whole multiples of one small unit, and whole numbers need no reducing.

use super::Exact;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};

impl Exact {
    /// The sum of numbers.
    #[must_use]
    pub fn total(numbers: &[Self]) -> Self {
        let (wholes, unit) = wholes(numbers);
        Self(BigRational::new(wholes.iter().sum(), unit))
    }

    /// The sum of the products of pairs; what has no other of its pair does not count.
    #[must_use]
    pub fn total_of_products(x: &[Self], y: &[Self]) -> Self {
        let ((x, unit_x), (y, unit_y)) = (wholes(x), wholes(y));
        Self(BigRational::new(x.iter().zip(&y).map(|(x, y)| x * y).sum(), unit_x * unit_y))
    }

    /// What to sort many numbers by: the keys stand to each other as the numbers do, and compare at once, where two
    /// fractions are divided until they differ.
    #[must_use]
    pub fn sort_keys(numbers: &[Self]) -> Vec<impl Ord + use<>> {
        wholes(numbers).0
    }

    /// A whole number of parts shared in proportion to numbers, each share cut to a whole; `None` when the numbers add up
    /// to nothing or `parts` is no whole number.
    #[must_use]
    pub fn in_proportion(parts: &Self, numbers: &[Self]) -> Option<Vec<Self>> {
        let (wholes, _) = wholes(numbers);
        let sum: BigInt = wholes.iter().sum();
        if sum.is_zero() || !parts.0.is_integer() {
            return None;
        }
        let share = |whole: &BigInt| Self(BigRational::from_integer(whole * parts.0.numer() / &sum));
        Some(wholes.iter().map(share).collect())
    }

    /// The sum of the squares of numbers.
    #[must_use]
    pub fn total_of_squares(numbers: &[Self]) -> Self {
        let (wholes, unit) = wholes(numbers);
        Self(BigRational::new(wholes.iter().map(|whole| whole * whole).sum(), &unit * &unit))
    }
}

/// Numbers as whole multiples of one part, and how many of these parts make one.
fn wholes(numbers: &[Exact]) -> (Vec<BigInt>, BigInt) {
    let mut unit = BigInt::one();
    for number in numbers {
        if !(&unit % number.0.denom()).is_zero() {
            // What the reduced denominator still has is what the unit lacks.
            unit *= BigRational::new(unit.clone(), number.0.denom().clone()).denom();
        }
    }
    let wholes = numbers.iter().map(|number| number.0.numer() * (&unit / number.0.denom())).collect();
    (wholes, unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Decimal;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = Vec<Exact>> {
        let number = (any::<i64>(), 0_u32..28, 1_i64..7).prop_map(|(mantissa, scale, part)| {
            let decimal = Exact::from(Decimal::from_i128_with_scale(mantissa.into(), scale));
            decimal.over(&Exact::from(part)).unwrap()
        });
        prop::collection::vec(number, 0..20)
    }

    proptest! {
        #[test]
        fn keys_order_as_the_numbers_do(numbers in numbers()) {
            let keys = Exact::sort_keys(&numbers);
            for (one, key) in numbers.iter().zip(&keys) {
                for (other, other_key) in numbers.iter().zip(&keys) {
                    prop_assert_eq!(one.cmp(other), key.cmp(other_key));
                }
            }
        }

        #[test]
        fn shares_are_the_cut_fractions(numbers in numbers(), parts in 0_i64..1_000_000) {
            let parts = Exact::from(parts);
            let numbers: Vec<Exact> = numbers.iter().map(Exact::abs).collect();
            let sum: Exact = numbers.iter().sum();
            let wanted = parts.over(&sum).map(|one| numbers.iter().map(|n| (n * &one).cut(0)).collect::<Vec<_>>());
            prop_assert_eq!(Exact::in_proportion(&parts, &numbers), wanted);
        }

        #[test]
        fn sums_are_those_of_the_fractions(x in numbers(), y in numbers()) {
            prop_assert_eq!(Exact::total(&x), x.iter().sum::<Exact>());
            prop_assert_eq!(Exact::total_of_squares(&x), x.iter().map(|x| x * x).sum::<Exact>());
            let products = x.iter().zip(&y).map(|(x, y)| x * y).sum::<Exact>();
            prop_assert_eq!(Exact::total_of_products(&x, &y), products);
        }
    }
}
