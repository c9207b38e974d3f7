//! Performance bonuses: a base times the coefficient of the grade, and a pool that is shared to the last fen.

use hub_calc::Exact;

/// The coefficients of the house: S 1.5, A 1.2, B 1.0, C 0.8.
#[must_use]
pub fn house_coefficients() -> Vec<(&'static str, Exact)> {
    let tenths = [("S", 15), ("A", 12), ("B", 10), ("C", 8)];
    let exact = |tenths: i64| Exact::from(tenths).over(&Exact::from(10)).unwrap_or_else(Exact::one);
    tenths.map(|(grade, tenths)| (grade, exact(tenths))).into()
}

/// Shares a pool in proportion to bonuses: each share is cut to the fen, and the fen that are left go one each to the
/// largest bonuses, equals in the order of their ids. The shares add up to the pool.
///
/// `None` when the bonuses add up to nothing, one is negative, or the pool is negative or no whole number of fen.
#[must_use]
pub fn share(bonuses: &[(&str, Exact)], pool: &Exact) -> Option<Vec<Exact>> {
    if bonuses.iter().any(|(_, bonus)| bonus.is_negative()) || pool.is_negative() || pool.cut(2) != *pool {
        return None;
    }
    // Whole fen from here on: fractions of so many people would be reduced again and again.
    let amounts: Vec<Exact> = bonuses.iter().map(|(_, bonus)| bonus.clone()).collect();
    let fen_of_pool = pool * &Exact::hundred();
    let mut fen = Exact::in_proportion(&fen_of_pool, &amounts)?;
    let left = (fen_of_pool - Exact::total(&fen)).to_whole().and_then(|left| usize::try_from(left).ok())?;
    let keys = Exact::sort_keys(&amounts);
    let mut order: Vec<_> = bonuses.iter().map(|(id, _)| id).zip(keys).enumerate().collect();
    order.sort_by(|(_, (id, key)), (_, (other_id, other))| other.cmp(key).then_with(|| id.cmp(other_id)));
    for (person, _) in order.iter().take(left) {
        if let Some(share) = fen.get_mut(*person) {
            *share = &*share + &Exact::one();
        }
    }
    fen.iter().map(|share| share.over(&Exact::hundred())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;
    use proptest::prelude::*;

    #[test]
    fn fen_that_are_left_go_to_the_largest_bonuses_then_by_id() {
        let shares = |bonuses: &[(&str, &str)], pool: &str| {
            let bonuses: Vec<(&str, Exact)> = bonuses.iter().map(|(id, bonus)| (*id, d(bonus))).collect();
            let shares = share(&bonuses, &d(pool))?;
            Some(shares.iter().map(|share| share.to_places(2)).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(shares(&[("c", "1"), ("a", "1"), ("b", "1")], "100").as_deref(), Some("33.33 33.34 33.33"));
        assert_eq!(shares(&[("c", "1"), ("a", "1"), ("b", "1")], "0.02").as_deref(), Some("0.00 0.01 0.01"));
        assert_eq!(shares(&[("a", "1"), ("b", "5"), ("z", "0")], "0.01").as_deref(), Some("0.00 0.01 0.00"));
        assert_eq!(shares(&[("a", "0")], "5"), None);
        assert_eq!(shares(&[], "5"), None);
        assert_eq!(shares(&[("a", "1"), ("b", "-1")], "5"), None);
        assert_eq!(shares(&[("a", "1")], "5.001"), None);
        assert_eq!(shares(&[("a", "1")], "-5"), None);
    }

    proptest! {
        #[test]
        fn shares_add_up_to_the_pool_whatever_the_order(
            mut bonuses in prop::collection::vec(1_i64..1_000_000, 1..40),
            pool in 0_i64..100_000_000,
        ) {
            let pool = Exact::from(pool).over(&Exact::hundred()).unwrap();
            let ids: Vec<String> = (0..bonuses.len()).map(|id| format!("p{id:03}")).collect();
            bonuses.sort_unstable();
            let people: Vec<(&str, Exact)> =
                ids.iter().zip(&bonuses).map(|(id, bonus)| (id.as_str(), Exact::from(*bonus))).collect();
            let shares = share(&people, &pool).unwrap();
            prop_assert_eq!(shares.iter().sum::<Exact>(), pool.clone());
            let turned: Vec<(&str, Exact)> = people.iter().rev().cloned().collect();
            let mut of_turned = share(&turned, &pool).unwrap();
            of_turned.reverse();
            prop_assert_eq!(&of_turned, &shares);
            prop_assert!(shares.is_sorted());
        }
    }
}
