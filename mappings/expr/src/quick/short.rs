//! Numbers of few digits, which most amounts are: a whole number and where its point stands.

use hub_tree::rust_decimal::{Decimal, RoundingStrategy};
use std::cmp::Ordering;

/// The most digits behind the point, as decimals have them.
const MOST_PLACES: u32 = 28;

/// Powers of ten that fit.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// `10^places`; `None` when it is too large.
#[inline]
fn ten_to(places: u32) -> Option<i64> {
    POWERS.get(places as usize).copied()
}

/// `mantissa × 10^-scale`. Every operation is exact, or `None` because the result does not fit: nothing is rounded or
/// wrapped in silence. Of each result the scale is the one that [`Decimal`] would give it.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    mantissa: i64,
    scale: u32,
}

impl Short {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// A whole number of `10^-scale`; `None` for more than 28 places.
    #[inline]
    #[must_use]
    pub const fn new(mantissa: i64, scale: u32) -> Option<Self> {
        if scale <= MOST_PLACES { Some(Self { mantissa, scale }) } else { None }
    }

    /// The same number in few digits; `None` when it has more, or is the `-0` that a source wrote.
    #[inline]
    #[must_use]
    pub fn of(number: Decimal) -> Option<Self> {
        let mantissa = i64::try_from(number.mantissa()).ok()?;
        if mantissa == 0 && number.is_sign_negative() {
            return None;
        }
        Some(Self { mantissa, scale: number.scale() })
    }

    /// The same number, with as many places.
    #[inline]
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        let size = self.mantissa.unsigned_abs();
        // The low half, and the high one.
        let (low, middle) = (size as u32, (size >> 32) as u32);
        Decimal::from_parts(low, middle, 0, self.mantissa < 0, self.scale)
    }

    /// Digits behind the point.
    #[inline]
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// Whether it is nothing.
    #[inline]
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below nothing.
    #[inline]
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is above nothing.
    #[inline]
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// With the other sign.
    #[inline]
    #[must_use]
    pub fn negated(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, scale: self.scale })
    }

    /// The same number with more places.
    #[inline]
    #[must_use]
    pub fn with_places(self, places: u32) -> Option<Self> {
        if places == self.scale {
            return Some(self);
        }
        let factor = ten_to(places.checked_sub(self.scale)?)?;
        Self::new(self.mantissa.checked_mul(factor)?, places)
    }

    /// The sum. Nothing is added by leaving the other number as it is.
    #[inline]
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.scale == other.scale && self.mantissa != 0 && other.mantissa != 0 {
            return Some(Self { mantissa: self.mantissa.checked_add(other.mantissa)?, scale: self.scale });
        }
        if self.mantissa == 0 {
            return Some(other);
        }
        if other.mantissa == 0 {
            return Some(self);
        }
        let places = self.scale.max(other.scale);
        let (one, other) = (self.with_places(places)?, other.with_places(places)?);
        Some(Self { mantissa: one.mantissa.checked_add(other.mantissa)?, scale: places })
    }

    /// The difference.
    #[inline]
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated()?)
    }

    /// The product.
    #[inline]
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Some(Self::ZERO);
        }
        Self::new(self.mantissa.checked_mul(other.mantissa)?, self.scale + other.scale)
    }

    /// A hundredth.
    #[inline]
    #[must_use]
    pub fn hundredth(self) -> Option<Self> {
        Self::new(self.mantissa, self.scale + 2)
    }

    /// The order of two numbers; `None` when it takes more digits to tell.
    #[inline]
    #[must_use]
    pub fn order(self, other: Self) -> Option<Ordering> {
        if self.scale == other.scale {
            return Some(self.mantissa.cmp(&other.mantissa));
        }
        let wide = |number: Self, places: u32| {
            let factor = ten_to(places - number.scale)?;
            Some(i128::from(number.mantissa) * i128::from(factor))
        };
        let places = self.scale.max(other.scale);
        Some(wide(self, places)?.cmp(&wide(other, places)?))
    }

    /// Rounded to at most so many places. `None` for a strategy that is not half up, half even, up or down, too.
    #[inline]
    #[must_use]
    pub fn rounded(self, places: u32, strategy: RoundingStrategy) -> Option<Self> {
        if self.scale <= places {
            return Some(self);
        }
        let Some(unit) = ten_to(self.scale - places) else {
            // The unit is larger than any such number.
            return (self.mantissa == 0).then_some(Self { mantissa: 0, scale: places });
        };
        let (whole, rest) = match unit {
            // A division by a number that is known here is a multiplication.
            100 => (self.mantissa / 100, self.mantissa % 100),
            1000 => (self.mantissa / 1000, self.mantissa % 1000),
            10_000 => (self.mantissa / 10_000, self.mantissa % 10_000),
            unit => (self.mantissa / unit, self.mantissa % unit),
        };
        let half = rest.unsigned_abs().cmp(&(unit.unsigned_abs() / 2));
        let away = match strategy {
            RoundingStrategy::MidpointAwayFromZero => half != Ordering::Less,
            RoundingStrategy::MidpointNearestEven => {
                half == Ordering::Greater || (half == Ordering::Equal && whole % 2 != 0)
            }
            RoundingStrategy::AwayFromZero => rest != 0,
            RoundingStrategy::ToZero => false,
            _ => return None,
        };
        let mantissa = if away { whole + self.mantissa.signum() } else { whole };
        Some(Self { mantissa, scale: places })
    }
}
