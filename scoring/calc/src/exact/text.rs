//! Exact fractions as text: what is written is read again as the same number.

use super::Exact;
use hub_tree::value::parse_decimal;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde::ser::{Serialize, Serializer};
use std::str::FromStr;

/// A text that is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal such as 12.5, and not a fraction such as 100/3")]
pub struct NoNumber;

impl FromStr for Exact {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        if let Some(decimal) = parse_decimal(text) {
            return Ok(Self::from(decimal));
        }
        let (above, below) = text.split_once('/').ok_or(NoNumber)?;
        let (above, below): (BigInt, BigInt) =
            (above.parse().map_err(|_| NoNumber)?, below.parse().map_err(|_| NoNumber)?);
        if below.is_zero() {
            return Err(NoNumber);
        }
        Ok(Self(BigRational::new(above, below)))
    }
}

/// As text, without loss.
impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"a number as text, such as \"12.5\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "x", "1/0", "1/", "/3", "1/2/3"] {
            assert_eq!(text.parse::<Exact>(), Err(NoNumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(above in any::<i64>(), below in 1..1_000_000_i64) {
            let number = Exact::from(above).over(&Exact::from(below)).unwrap();
            prop_assert_eq!(number.to_string().parse::<Exact>(), Ok(number));
        }
    }
}
