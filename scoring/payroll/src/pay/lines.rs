//! Single lines of a payslip: performance pay, travel subsidies, deductions for damage.

use crate::money::cents;
use crate::tables::share;
use hub_calc::Exact;

/// The performance bonus (绩效奖金): bonus base times the coefficient of the grade, to the cent.
#[must_use]
pub fn performance_bonus(bonus_base: &Exact, coefficient: &Exact) -> Exact {
    cents(&(bonus_base * coefficient))
}

/// A trip's subsidy (差旅补贴): the day's rate of where it went times days, to the cent.
#[must_use]
pub fn trip(rate: &Exact, days: &Exact) -> Exact {
    cents(&(rate * days))
}

/// Whether days are whole or half ones.
#[must_use]
pub fn is_half_days(days: &Exact) -> bool {
    (days * &Exact::from(2)).to_whole().is_some()
}

/// What a month's wage is cut by for damage, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The share of the wage that may be taken, to the fen.
    pub share: Exact,
    /// What is above the local minimum wage; never below nothing.
    pub above_minimum: Exact,
    /// Taken this month.
    pub deducted: Exact,
    /// Left for later months.
    pub carried: Exact,
}

/// Takes of a claim what the month allows: at most `percent` of the wage, and nothing of the local minimum wage
/// (劳部发〔1994〕489号, article 16). Wage, claim and minimum are not below nothing.
#[must_use]
pub fn damage(wage: &Exact, claim: &Exact, minimum: &Exact, percent: &Exact) -> Damage {
    let share = cents(&(wage * &share(percent)));
    let above_minimum = if wage > minimum { cents(&(wage - minimum)) } else { Exact::zero() };
    let claim = cents(claim);
    let deducted = [&share, &above_minimum].into_iter().fold(&claim, |least, limit| least.min(limit)).clone();
    Damage { carried: &claim - &deducted, share, above_minimum, deducted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    #[test]
    fn bonuses_and_trips_are_products() {
        for (base, coefficient, wanted) in
            [("1860", "1.5", "2790.00"), ("1500", "0.8", "1200.00"), ("0", "1.5", "0.00"), ("333.33", "1.25", "416.66")]
        {
            assert_eq!(performance_bonus(&d(base), &d(coefficient)).to_places(2), wanted);
        }
        assert_eq!(trip(&d("150"), &d("2.5")).to_places(2), "375.00");
        for (days, halves) in [("0", true), ("0.5", true), ("3", true), ("1.25", false), ("0.3", false)] {
            assert_eq!(is_half_days(&d(days)), halves, "{days}");
        }
    }

    /// By hand: a fifth of the wage, and not below the minimum.
    #[test]
    fn damage_leaves_four_fifths_and_the_minimum() {
        for (wage, claim, minimum, deducted, carried) in [
            ("5000", "2000", "2740", "1000.00", "1000.00"),
            ("5000", "800", "2740", "800.00", "0.00"),
            ("5000", "1000", "2740", "1000.00", "0.00"),
            ("3000", "2000", "2740", "260.00", "1740.00"),
            ("3425", "2000", "2740", "685.00", "1315.00"),
            ("2740", "2000", "2740", "0.00", "2000.00"),
            ("2000", "100", "2740", "0.00", "100.00"),
            ("0", "100", "0", "0.00", "100.00"),
            ("5000", "0", "2740", "0.00", "0.00"),
        ] {
            let found = damage(&d(wage), &d(claim), &d(minimum), &d("20"));
            let found = [found.deducted, found.carried].map(|amount| amount.to_places(2));
            assert_eq!(found, [deducted, carried], "{wage} {claim} {minimum}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_and_carried_is_the_claim(wage in 0_i64..2_000_000, claim in 0_i64..2_000_000, minimum in 0_i64..500_000) {
            let [wage, claim, minimum] = [wage, claim, minimum].map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap());
            let found = damage(&wage, &claim, &minimum, &d("20"));
            prop_assert_eq!(&found.deducted + &found.carried, claim);
            prop_assert!(!found.deducted.is_negative() && !found.carried.is_negative());
            prop_assert!(found.deducted.is_zero() || &wage - &found.deducted >= minimum);
            prop_assert!(&found.deducted * &Exact::from(5) <= &wage + &d("0.025"));
        }
    }
}
