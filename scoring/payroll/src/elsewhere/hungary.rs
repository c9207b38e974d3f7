//! Hungary: flat tax and contributions of employees without allowances. Amounts in forint.

use crate::tables::share;
use hub_calc::Exact;

/// Rates in per cent of the gross pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates<'r> {
    /// Income tax (szja), the employee's.
    pub income_tax: &'r Exact,
    /// Social security (tb), the employee's.
    pub social_security: &'r Exact,
    /// Social contribution tax (szocho), the employer's.
    pub social_contribution: &'r Exact,
}

/// A month's pay, each part to the whole forint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The employee's tax.
    pub income_tax: Exact,
    /// The employee's contribution.
    pub social_security: Exact,
    /// What is paid out.
    pub net: Exact,
    /// The employer's tax.
    pub social_contribution: Exact,
    /// What the month costs the employer.
    pub cost: Exact,
}

/// Takes tax and contributions, none of which has a ceiling, from a gross of whole forint.
#[must_use]
pub fn pay(gross: &Exact, rates: Rates<'_>) -> Paid {
    let of = |percent: &Exact| (gross * &share(percent)).rounded(0);
    let (income_tax, social_security) = (of(rates.income_tax), of(rates.social_security));
    let social_contribution = of(rates.social_contribution);
    Paid {
        net: gross - &income_tax - social_security.clone(),
        cost: gross + &social_contribution,
        income_tax,
        social_security,
        social_contribution,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(gross: i64) -> [i64; 5] {
        let [tax, security, contribution] =
            [Exact::from(15), Exact::from(37).over(&Exact::from(2)).unwrap(), Exact::from(13)];
        let rates = Rates { income_tax: &tax, social_security: &security, social_contribution: &contribution };
        let paid = pay(&Exact::from(gross), rates);
        [paid.income_tax, paid.social_security, paid.net, paid.social_contribution, paid.cost]
            .map(|n| n.to_whole().unwrap())
    }

    /// By hand: 15%, 18.5%, 13%.
    #[test]
    fn flat_rates_to_the_forint() {
        for (gross, wanted) in [
            (450_000, [67_500, 83_250, 299_250, 58_500, 508_500]),
            (322_800, [48_420, 59_718, 214_662, 41_964, 364_764]),
            (0, [0, 0, 0, 0, 0]),
            // 0.15, 0.185, 0.13; then 1.5, 1.85, 1.3 with the half going up.
            (1, [0, 0, 1, 0, 1]),
            (10, [2, 2, 6, 1, 11]),
            (100_000_001, [15_000_000, 18_500_000, 66_500_001, 13_000_000, 113_000_001]),
        ] {
            assert_eq!(of(gross), wanted, "{gross}");
        }
    }

    proptest! {
        #[test]
        fn the_gross_is_all_paid_to_somebody(gross in 0_i64..1_000_000_000) {
            let [tax, security, net, contribution, cost] = of(gross);
            prop_assert_eq!(tax + security + net, gross);
            prop_assert_eq!(cost - contribution, gross);
            prop_assert!(net >= 0);
        }
    }
}
