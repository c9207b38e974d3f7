//! What is left of a pay when its deductions are taken.
//!
//! House rule: net pay is never below nothing. What the law orders is taken first, then the rest by its priority; what
//! cannot be taken is owed by the employee and carried to the next run.

use hub_calc::Exact;

/// What became of a deduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Taken from this pay.
    pub taken: Exact,
    /// Carried to the next run.
    pub carried: Exact,
}

/// Takes deductions from a gross pay in their order, and gives the net. Neither is below nothing.
#[must_use]
pub fn settle<'d>(gross: &Exact, deductions: impl IntoIterator<Item = &'d Exact>) -> (Exact, Vec<Settled>) {
    let mut left = gross.clone();
    let one = |amount: &Exact| {
        let taken = left.clone().min(amount.clone());
        left = &left - &taken;
        Settled { carried: amount - &taken, taken }
    };
    let settled = deductions.into_iter().map(one).collect();
    (left, settled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_is_taken_first() {
        for (gross, due, net, taken, carried) in [
            (1000, vec![300, 500], 200, vec![300, 500], vec![0, 0]),
            (1000, vec![300, 700], 0, vec![300, 700], vec![0, 0]),
            (1000, vec![300, 800, 100], 0, vec![300, 700, 0], vec![0, 100, 100]),
            (100, vec![300, 800], 0, vec![100, 0], vec![200, 800]),
            (0, vec![5], 0, vec![0], vec![5]),
            (7, vec![], 7, vec![], vec![]),
        ] {
            let due: Vec<Exact> = due.into_iter().map(Exact::from).collect();
            let (left, settled) = settle(&Exact::from(gross), &due);
            let whole =
                |of: fn(&Settled) -> &Exact| settled.iter().filter_map(|one| of(one).to_whole()).collect::<Vec<_>>();
            assert_eq!(left, Exact::from(net));
            assert_eq!((whole(|one| &one.taken), whole(|one| &one.carried)), (taken, carried));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(gross in 0_i64..1000, due in prop::collection::vec(0_i64..1000, 0..8)) {
            let (gross, due): (Exact, Vec<Exact>) = (gross.into(), due.into_iter().map(Exact::from).collect());
            let (net, settled) = settle(&gross, &due);
            let taken: Exact = settled.iter().map(|one| &one.taken).sum();
            prop_assert_eq!(&taken + &net, gross);
            for (settled, due) in settled.iter().zip(&due) {
                prop_assert_eq!(&(&settled.taken + &settled.carried), due);
                prop_assert!(settled.carried.is_zero() || net.is_zero());
            }
        }
    }
}
