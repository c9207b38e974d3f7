//! Exact fractions.

mod many;
mod text;

pub use text::NoNumber;

use hub_tree::Decimal;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul, Neg, Sub};

/// A fraction of whole numbers: sums, products and quotients of decimals without any rounding, so that a value on a
/// threshold is on it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(BigRational);

impl Exact {
    /// Nothing.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// One.
    #[must_use]
    pub fn one() -> Self {
        Self(BigRational::one())
    }

    /// One hundred.
    #[must_use]
    pub fn hundred() -> Self {
        Self::from(100)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Whether it is above zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.0.is_positive()
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// The quotient; `None` when divided by zero.
    #[must_use]
    pub fn over(&self, divisor: &Self) -> Option<Self> {
        (!divisor.is_zero()).then(|| Self(&self.0 / &divisor.0))
    }

    /// The largest whole number that is not above it.
    #[must_use]
    pub fn floor(&self) -> Self {
        Self(self.0.floor())
    }

    /// Rounded to decimal places, halves away from zero.
    #[must_use]
    pub fn rounded(&self, places: u32) -> Self {
        Self(BigRational::new(self.scaled(places), ten_to(places)))
    }

    /// Cut to decimal places towards zero.
    #[must_use]
    pub fn cut(&self, places: u32) -> Self {
        let scale = ten_to(places);
        Self(BigRational::new(self.0.numer() * &scale / self.0.denom(), scale))
    }

    /// Written with exactly so many decimal places, halves away from zero. Never `-0`.
    #[must_use]
    pub fn to_places(&self, places: u32) -> String {
        let whole = self.scaled(places);
        let sign = if whole.is_negative() { "-" } else { "" };
        let digits = whole.abs().to_string();
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        if places == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (before, after) = padded.split_at(padded.len() - places);
        format!("{sign}{before}.{after}")
    }

    /// The nearest whole number of `10^-places`, halves away from zero.
    fn scaled(&self, places: u32) -> BigInt {
        // Whole numbers throughout: a fraction in between would be reduced, which costs more than all else.
        let (above, below) = (self.0.numer().abs() * ten_to(places), self.0.denom());
        let (whole, rest) = (&above / below, &above % below);
        let nearest = if rest * 2 >= *below { whole + 1 } else { whole };
        if self.0.is_negative() { -nearest } else { nearest }
    }

    /// The nearest decimal of at most 28 digits; `None` when it is larger than a decimal can be.
    #[must_use]
    pub fn to_decimal(&self) -> Option<Decimal> {
        if let Some(short) = self.to_short_decimal() {
            return Some(short);
        }
        let whole = self.0.to_integer().to_string().trim_start_matches('-').len();
        let places = u32::try_from(28_usize.checked_sub(whole)?).ok()?;
        Some(self.to_places(places).parse::<Decimal>().ok()?.normalize())
    }

    /// How many decimal places it has; `None` when it has no end, or more places or digits than a decimal can hold.
    fn places(&self) -> Option<u32> {
        let mut rest = self.0.denom().to_u128()?;
        let mut count = |factor: u128| {
            let mut times = 0;
            while rest.is_multiple_of(factor) {
                rest /= factor;
                times += 1;
            }
            times
        };
        let places: u32 = count(2).max(count(5));
        (rest == 1 && places <= 28 && self.0.numer().bits() <= 64).then_some(places)
    }

    /// The decimal of an amount with few places, which most are: without writing digits and reading them again.
    fn to_short_decimal(&self) -> Option<Decimal> {
        const PLACES: u32 = 6;
        let (numerator, denominator) = (self.0.numer().to_i128()?, self.0.denom().to_i128()?);
        let scaled = numerator.checked_mul(10_i128.pow(PLACES))?;
        if scaled.checked_rem(denominator)? != 0 {
            return None;
        }
        let most = 10_i128.pow(28);
        let short = Some(scaled / denominator).filter(|short| short.abs() < most)?;
        Some(Decimal::try_from_i128_with_scale(short, PLACES).ok()?.normalize())
    }

    /// As a binary float, for statistics alone.
    #[must_use]
    pub fn to_float(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// The whole number, if it is one and fits.
    #[must_use]
    pub fn to_whole(&self) -> Option<i64> {
        self.0.is_integer().then(|| self.0.to_integer().to_i64()).flatten()
    }
}

fn ten_to(places: u32) -> BigInt {
    BigInt::from(10).pow(places)
}

impl From<Decimal> for Exact {
    fn from(number: Decimal) -> Self {
        Self(BigRational::new(BigInt::from(number.mantissa()), ten_to(number.scale())))
    }
}

macro_rules! from_whole {
    ($($whole:ty),+) => {$(
        impl From<$whole> for Exact {
            fn from(number: $whole) -> Self { Self(BigRational::from_integer(number.into())) }
        }
    )+};
}

from_whole!(i32, u32, i64, u64, u128, usize);

/// As short as it can be written without loss: digits, else a fraction such as `100/3`.
impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A number of few digits is its own decimal: it needs no trial.
        if let Some(places) = self.places() {
            return f.write_str(&self.to_places(places));
        }
        match self.to_decimal().filter(|decimal| Self::from(*decimal) == *self) {
            Some(decimal) => decimal.fmt(f),
            None => write!(f, "{}/{}", self.0.numer(), self.0.denom()),
        }
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

macro_rules! operator {
    ($($of:ident $with:ident $sign:tt),+) => {$(
        impl $of<&Exact> for &Exact {
            type Output = Exact;
            fn $with(self, other: &Exact) -> Exact { Exact(&self.0 $sign &other.0) }
        }
        impl $of for Exact {
            type Output = Exact;
            fn $with(self, other: Exact) -> Exact { Exact(self.0 $sign other.0) }
        }
        impl $of<&Exact> for Exact {
            type Output = Exact;
            fn $with(self, other: &Exact) -> Exact { Exact(self.0 $sign &other.0) }
        }
    )+};
}

operator!(Add add +, Sub sub -, Mul mul *);

impl Neg for Exact {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::zero(), |sum, number| sum + number)
    }
}

impl<'n> Sum<&'n Exact> for Exact {
    fn sum<I: Iterator<Item = &'n Exact>>(numbers: I) -> Self {
        numbers.fold(Self::zero(), |sum, number| sum + number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(text.parse::<Decimal>().unwrap())
    }

    #[test]
    fn thirds_add_up_and_halves_go_away_from_zero() {
        let third = Exact::one().over(&Exact::from(3)).unwrap();
        assert_eq!(&(&third + &third) + &third, Exact::one());
        assert_eq!(Exact::one().over(&Exact::zero()), None);
        for (number, places, wanted) in [
            ("0.125", 2, "0.13"),
            ("-0.125", 2, "-0.13"),
            ("-0.004", 2, "0.00"),
            ("81.7", 4, "81.7000"),
            ("0.05", 0, "0"),
            ("1234567890123456789012345678", 1, "1234567890123456789012345678.0"),
        ] {
            assert_eq!(d(number).to_places(places), wanted, "{number}");
        }
        assert_eq!(third.to_string(), "1/3");
        assert_eq!(d("2.50").to_string(), "2.5");
        assert_eq!(d("-2.59").cut(1), d("-2.5"));
    }

    proptest! {
        #[test]
        fn rounding_and_cutting_agree_with_fractions(above: i64, below in 1_i64..1_000_000, places in 0_u32..6) {
            let number = Exact::from(above).over(&Exact::from(below)).unwrap();
            let scale = BigRational::from_integer(ten_to(places));
            let scaled = &number.0 * &scale;
            prop_assert_eq!(number.rounded(places).0, scaled.round() / &scale);
            prop_assert_eq!(number.cut(places).0, scaled.trunc() / &scale);
        }

        #[test]
        fn what_ends_is_written_as_its_shortest_decimal(mantissa: i64, scale in 0_u32..20) {
            let number = Decimal::from_i128_with_scale(mantissa.into(), scale);
            prop_assert_eq!(Exact::from(number).to_string(), number.normalize().to_string());
        }

        #[test]
        fn a_decimal_is_the_same_number_before_and_after(mantissa: i64, scale in 0_u32..20) {
            let number = Decimal::from_i128_with_scale(mantissa.into(), scale);
            let exact = Exact::from(number);
            prop_assert_eq!(exact.to_decimal(), Some(number.normalize()));
            prop_assert_eq!(exact.to_places(scale).parse::<Decimal>().unwrap(), number);
        }
    }
}
