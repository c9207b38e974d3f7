//! Numbers of any length that a decimal holds; short ones are reckoned with as whole numbers.

use super::short::Short;
use hub_tree::rust_decimal::{Decimal, RoundingStrategy};
use std::cmp::Ordering;

/// A number: short where it can be. Operations give what [`Decimal`] gives, with its places, and `None` where it has no
/// result.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    /// Few digits.
    Short(Short),
    /// More digits, such as those of a quotient that does not end.
    Long(Decimal),
}

impl From<Decimal> for Num {
    #[inline]
    fn from(number: Decimal) -> Self {
        Short::of(number).map_or(Self::Long(number), Self::Short)
    }
}

impl From<Short> for Num {
    #[inline]
    fn from(number: Short) -> Self {
        Self::Short(number)
    }
}

impl Num {
    /// As a decimal, with the same places.
    #[inline]
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        match self {
            Self::Short(short) => short.to_decimal(),
            Self::Long(long) => long,
        }
    }

    /// If it is short.
    #[inline]
    #[must_use]
    pub const fn short(self) -> Option<Short> {
        match self {
            Self::Short(short) => Some(short),
            Self::Long(_) => None,
        }
    }

    /// Whether it is nothing.
    #[inline]
    #[must_use]
    pub fn is_zero(self) -> bool {
        match self {
            Self::Short(short) => short.is_zero(),
            Self::Long(long) => long.is_zero(),
        }
    }

    /// Whether it is below nothing.
    #[inline]
    #[must_use]
    pub fn is_negative(self) -> bool {
        match self {
            Self::Short(short) => short.is_negative(),
            Self::Long(long) => long < Decimal::ZERO,
        }
    }

    /// With the other sign; nothing stays nothing.
    #[inline]
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Short(short) => short.negated().map_or_else(|| Self::Long(-short.to_decimal()), Self::Short),
            Self::Long(long) => Self::made(-long),
        }
    }

    /// The sum.
    #[inline]
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.both(other, Short::plus, Decimal::checked_add)
    }

    /// The difference.
    #[inline]
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.both(other, Short::minus, Decimal::checked_sub)
    }

    /// The product.
    #[inline]
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        self.both(other, Short::times, Decimal::checked_mul)
    }

    /// The quotient, without zeros at its end; `None` when divided by nothing.
    #[inline]
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        Some(Self::made(self.to_decimal().checked_div(other.to_decimal())?.normalize()))
    }

    #[inline]
    fn both(
        self,
        other: Self,
        short: impl Fn(Short, Short) -> Option<Short>,
        long: impl Fn(Decimal, Decimal) -> Option<Decimal>,
    ) -> Option<Self> {
        if let (Self::Short(one), Self::Short(two)) = (self, other)
            && let Some(result) = short(one, two)
        {
            return Some(Self::Short(result));
        }
        Some(Self::made(long(self.to_decimal(), other.to_decimal())?))
    }

    /// The same number, and nothing where it is `-0`.
    #[inline]
    #[must_use]
    pub fn unsigned_zero(self) -> Self {
        match self {
            Self::Short(_) => self,
            Self::Long(long) => Self::made(long),
        }
    }

    /// A result: never `-0`.
    fn made(mut number: Decimal) -> Self {
        if number.is_zero() {
            number.set_sign_positive(true);
        }
        Self::from(number)
    }

    /// The order of two numbers.
    #[inline]
    #[must_use]
    pub fn order(self, other: Self) -> Ordering {
        if let (Self::Short(one), Self::Short(two)) = (self, other)
            && let Some(order) = one.order(two)
        {
            return order;
        }
        self.to_decimal().cmp(&other.to_decimal())
    }

    /// Rounded to at most so many places.
    #[inline]
    #[must_use]
    pub fn rounded(self, places: u32, strategy: RoundingStrategy) -> Self {
        match self {
            Self::Short(short) => short.rounded(places, strategy),
            Self::Long(long) => rounded(long, places, strategy),
        }
        .map_or_else(|| Self::made(self.to_decimal().round_dp_with_strategy(places, strategy)), Self::Short)
    }
}

/// A long number rounded to few digits; `None` where that takes more, or another strategy.
fn rounded(long: Decimal, places: u32, strategy: RoundingStrategy) -> Option<Short> {
    let unit = 10_u128.checked_pow(long.scale().checked_sub(places)?)?;
    let size = long.mantissa().unsigned_abs();
    let (whole, rest) = (size / unit, size % unit);
    let whole = i64::try_from(whole).ok()?;
    let half = rest.cmp(&(unit - rest));
    let away = match strategy {
        RoundingStrategy::MidpointAwayFromZero => half.is_ge(),
        RoundingStrategy::MidpointNearestEven => half.is_gt() || (half.is_eq() && whole % 2 == 1),
        RoundingStrategy::AwayFromZero => rest != 0,
        RoundingStrategy::ToZero => false,
        _ => return None,
    };
    let whole = whole.checked_add(i64::from(away))?;
    Short::new(if long.is_sign_negative() { -whole } else { whole }, places)
}
