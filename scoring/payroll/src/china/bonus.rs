//! The bonus of a year paid at once (全年一次性奖金), taxed by itself.
//!
//! Caishui 2018 No. 164 item 1, prolonged by MOF/STA announcement 2023 No. 30: a twelfth chooses the band of the monthly
//! table, whose quick deduction is taken once. So one yuan above a threshold can leave less than the threshold itself.

use crate::money::cents;
use crate::tables::{Band, Brackets};
use hub_calc::Exact;

/// A bonus and its tax, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxed<'r> {
    /// The band that was chosen.
    pub band: &'r Band,
    /// To the fen.
    pub tax: Exact,
    /// The bonus less the tax.
    pub net: Exact,
}

/// The band of a bonus that counts for so many months: it is compared with that many thresholds, so nothing is rounded.
fn band<'r>(bonus: &Exact, table: &'r Brackets, months: &Exact) -> &'r Band {
    // Packs have no zero there; a bonus that counts for nothing would be in the last band.
    table.band(&bonus.over(months).unwrap_or_else(|| bonus.clone()))
}

/// Taxes a resident's bonus by itself. `months`: twelve.
#[must_use]
pub fn separate<'r>(bonus: &Exact, table: &'r Brackets, months: &Exact) -> Taxed<'r> {
    let band = band(bonus, table, months);
    let tax = if bonus.is_positive() { cents(&band.tax(bonus)) } else { Exact::zero() };
    Taxed { band, net: bonus - &tax, tax }
}

/// The threshold just below a bonus, when the bonus leaves less than the threshold would: threshold, and what that
/// leaves.
#[must_use]
pub fn trap(bonus: &Exact, table: &Brackets, months: &Exact) -> Option<(Exact, Exact)> {
    let taxed = separate(bonus, table, months);
    let below = table.bands().filter_map(|band| band.up_to.as_ref()).map(|up_to| up_to * months);
    let threshold = below.take_while(|threshold| threshold < bonus).last()?;
    let net = separate(&threshold, table, months).net;
    (taxed.net < net).then_some((threshold, net))
}

/// Taxes a non-resident's bonus: a sixth is taxed by the monthly table, six times (MOF/STA announcement 2019 No. 35).
/// `months`: six.
#[must_use]
pub fn nonresident<'r>(bonus: &Exact, table: &'r Brackets, months: &Exact) -> Taxed<'r> {
    let band = band(bonus, table, months);
    // A sixth of the rate times six is the rate; the quick deduction counts six times.
    let tax = &(bonus * &band.rate()) - &(&band.less * months);
    let tax = if bonus.is_positive() { cents(&tax) } else { Exact::zero() };
    Taxed { band, net: bonus - &tax, tax }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Pack;
    use hub_tree::jiff::civil::date;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn table() -> &'static Brackets {
        &Pack::load("china").unwrap().brackets("month", date(2026, 1, 1)).unwrap().rule
    }

    /// By hand: bonus × rate − quick deduction.
    #[test]
    fn a_twelfth_chooses_the_band_without_rounding() {
        let twelve = Exact::from(12);
        for (bonus, tax) in [
            ("0", "0.00"),
            ("0.01", "0.00"),
            ("36000", "1080.00"),
            ("36000.01", "3390.00"),
            ("40000", "3790.00"),
            ("144000", "14190.00"),
            // A twelfth is 12,000.0033…; 144,000.04 × 20% − 1,410 = 27,390.008.
            ("144000.04", "27390.01"),
            ("300000", "58590.00"),
            ("420000", "102340.00"),
            ("660000", "193590.00"),
            ("960000", "328840.00"),
            ("1000000", "434840.00"),
        ] {
            assert_eq!(separate(&d(bonus), table(), &twelve).tax.to_places(2), tax, "{bonus}");
        }
    }

    #[test]
    fn the_trap_ends_where_as_much_is_left_as_on_the_threshold() {
        let twelve = Exact::from(12);
        let threshold = |bonus: &str| trap(&d(bonus), table(), &twelve).map(|(threshold, _)| threshold.to_string());
        assert_eq!(threshold("36000"), None);
        assert_eq!(threshold("36000.01").as_deref(), Some("36000"));
        // x − (x × 10% − 210) = 34,920 where x = 38,566.67.
        assert_eq!(threshold("38566.66").as_deref(), Some("36000"));
        assert_eq!(threshold("38566.67"), None);
        assert_eq!(threshold("160500"), None);
        assert_eq!(threshold("960001").as_deref(), Some("960000"));
        assert_eq!(threshold("0"), None);
    }

    #[test]
    fn a_sixth_six_times() {
        let six = Exact::from(6);
        for (bonus, tax) in [("60000", "4740.00"), ("18000", "540.00"), ("18000.01", "540.00"), ("600000", "179040.00")]
        {
            assert_eq!(nonresident(&d(bonus), table(), &six).tax.to_places(2), tax, "{bonus}");
        }
    }

    proptest! {
        #[test]
        fn tax_and_net_add_up_and_more_bonus_is_never_less_tax(fen in 0_i64..200_000_000, more in 0_i64..1_000_000) {
            let [low, high] = [fen, fen + more].map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap());
            for of in [separate, nonresident] {
                let months = Exact::from(12);
                let (low_taxed, high_taxed) = (of(&low, table(), &months), of(&high, table(), &months));
                prop_assert_eq!(&low_taxed.tax + &low_taxed.net, low.clone());
                prop_assert!(low_taxed.tax <= high_taxed.tax && high_taxed.tax <= high);
            }
        }
    }
}
