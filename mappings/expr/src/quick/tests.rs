//! Numbers are compared with decimals by how they are written, so that their places count, too.

use super::{Num, Short};
use hub_tree::rust_decimal::{Decimal, RoundingStrategy as Strategy};
use proptest::prelude::{ProptestConfig, Strategy as Generates, any, prop, prop_assert_eq, prop_oneof, proptest};

fn plain(mut number: Decimal) -> String {
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    number.to_string()
}

fn written(number: Option<Num>) -> Option<String> {
    number.map(|number| number.to_decimal().to_string())
}

/// Few digits, many, and those at which a whole number of 64 bits ends.
fn decimal() -> impl Generates<Value = Decimal> {
    prop_oneof![
        4 => (-100_000_i64..100_000, 0_u32..5).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        2 => (any::<i64>(), 0_u32..29).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        1 => (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0_u32..29)
            .prop_map(|(low, middle, high, below, scale)| Decimal::from_parts(low, middle, high, below, scale)),
        1 => prop::sample::select(vec![i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, 0]).prop_map(Decimal::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn numbers_do_as_decimals_do(one in decimal(), two in decimal(), places in 0_u32..8) {
        let (a, b) = (Num::from(one), Num::from(two));
        prop_assert_eq!(a.to_decimal().to_string(), one.to_string());
        prop_assert_eq!(written(a.plus(b)), one.checked_add(two).map(plain));
        prop_assert_eq!(written(a.minus(b)), one.checked_sub(two).map(plain));
        prop_assert_eq!(written(a.times(b)), one.checked_mul(two).map(plain));
        prop_assert_eq!(written(a.over(b)), one.checked_div(two).map(|quotient| plain(quotient.normalize())));
        prop_assert_eq!(a.order(b), one.cmp(&two));
        prop_assert_eq!(a.negated().to_decimal().to_string(), plain(-one));
        prop_assert_eq!(a.is_negative(), one < Decimal::ZERO);
        for strategy in [
            Strategy::MidpointAwayFromZero, Strategy::MidpointNearestEven, Strategy::AwayFromZero, Strategy::ToZero,
            Strategy::MidpointTowardZero, Strategy::ToNegativeInfinity,
        ] {
            let rounded = one.round_dp_with_strategy(places, strategy);
            prop_assert_eq!(plain(a.rounded(places, strategy).to_decimal()), plain(rounded), "{:?}", strategy);
        }
    }

    #[test]
    fn halves_are_rounded_as_decimals_round_them(whole in -1_000_000_i64..1_000_000, zeros in 0_u32..12, places in 0_u32..4) {
        let half = Decimal::from_i128_with_scale((i128::from(whole) * 10 + 5) * 10_i128.pow(zeros), places + 1 + zeros);
        for strategy in
            [Strategy::MidpointAwayFromZero, Strategy::MidpointNearestEven, Strategy::AwayFromZero, Strategy::ToZero]
        {
            let rounded = Num::from(half).rounded(places, strategy).to_decimal();
            prop_assert_eq!(plain(rounded), plain(half.round_dp_with_strategy(places, strategy)), "{:?}", strategy);
        }
    }
}

#[test]
fn what_does_not_fit_is_not_wrapped() {
    let short = |mantissa, scale| Short::new(mantissa, scale).unwrap();
    assert!(short(i64::MAX, 0).plus(short(1, 0)).is_none());
    assert!(short(i64::MIN, 0).minus(short(1, 0)).is_none());
    assert!(short(i64::MIN, 0).negated().is_none());
    assert!(short(i64::MAX, 2).times(short(2, 0)).is_none());
    assert!(short(1, 20).times(short(1, 20)).is_none());
    assert!(short(i64::MAX, 0).with_places(1).is_none());
    assert!(Short::new(1, 29).is_none() && short(1, 28).hundredth().is_none());
    // A decimal goes on where a short number ends.
    let sum = Num::from(short(i64::MAX, 0)).plus(short(1, 0).into()).unwrap();
    assert_eq!(sum.to_decimal().to_string(), "9223372036854775808");
    assert!(Num::from(Decimal::MAX).plus(Decimal::ONE.into()).is_none());
    assert!(Num::from(Decimal::MAX).times(Decimal::TEN.into()).is_none());
}
