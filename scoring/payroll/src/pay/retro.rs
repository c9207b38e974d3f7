//! Back pay (补发): what closed months would have paid at a wage that came to be known later.
//!
//! Each month that is touched is calculated again; the differences of its lines are paid now and keep the month that
//! they come from. A closed month itself never changes.

use crate::money::cents;
use crate::tables::share;
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;

/// A difference to be paid, in the month's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The first day of the month that it comes from.
    pub month: Date,
    /// `base` or `bonus`.
    pub element: &'static str,
    /// To the cent; below nothing is taken back.
    pub delta: Exact,
}

/// What of a month, given by its first day, is on or after a day: one, nothing, or its calendar days from then on.
#[must_use]
pub fn share_from(month: Date, effective: Date) -> Exact {
    let (last, total) = (month.last_of_month(), i64::from(month.days_in_month()));
    if effective <= month {
        return Exact::one();
    }
    if effective > last {
        return Exact::zero();
    }
    let days = total + 1 - i64::from(effective.day());
    Exact::from(days).over(&Exact::from(total)).unwrap_or_else(Exact::zero)
}

/// The differences of some months: those of the wage, then those of a bonus that is so many per cent of it. Lines
/// without a difference are left out.
#[must_use]
pub fn lines(old: &Exact, new: &Exact, bonus_percent: Option<&Exact>, effective: Date, months: &[Date]) -> Vec<Line> {
    let paid = cents(old);
    let due = |month: Date| cents(&(old + &((new - old) * share_from(month, effective))));
    let base = months.iter().map(|month| Line { month: *month, element: "base", delta: due(*month) - paid.clone() });
    let bonus = bonus_percent.into_iter().flat_map(|percent| {
        let part = |wage: &Exact| cents(&(wage * &share(percent)));
        let paid = part(&paid);
        months.iter().map(move |month| Line {
            month: *month,
            element: "bonus",
            delta: part(&due(*month)) - paid.clone(),
        })
    });
    base.chain(bonus).filter(|line| !line.delta.is_zero()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::civil::date;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn months() -> [Date; 3] {
        [1, 2, 3].map(|month| date(2026, month, 1))
    }

    fn of(old: &str, new: &str, percent: Option<&str>, effective: Date) -> Vec<String> {
        let found = lines(&d(old), &d(new), percent.map(d).as_ref(), effective, &months());
        found
            .iter()
            .map(|line| format!("{} {} {}", line.month.month(), line.element, line.delta.to_places(2)))
            .collect()
    }

    /// By hand.
    #[test]
    fn each_touched_month_has_its_difference() {
        assert_eq!(
            of("12000", "13500", Some("10"), date(2026, 2, 1)),
            ["2 base 1500.00", "3 base 1500.00", "2 bonus 150.00", "3 bonus 150.00"]
        );
        // Half of February, at 14 of 28 days.
        assert_eq!(of("12000", "13500", None, date(2026, 2, 15)), ["2 base 750.00", "3 base 1500.00"]);
        assert_eq!(
            of("12000", "11000", None, date(2025, 12, 1)),
            [1, 2, 3].map(|month| format!("{month} base -1000.00"))
        );
        assert!(of("12000", "13500", Some("10"), date(2026, 4, 1)).is_empty());
        assert!(of("12000", "12000", Some("10"), date(2026, 1, 1)).is_empty());
        // The difference of rounded lines: 100.01 − 100.00, where 0.005 by itself would round likewise, and 0.004 not.
        assert_eq!(of("1000.04", "1000.05", Some("10"), date(2026, 3, 1)), ["3 base 0.01", "3 bonus 0.01"]);
    }

    #[test]
    fn a_month_counts_from_the_day() {
        for (effective, wanted) in [
            (date(2026, 1, 31), "1"),
            (date(2026, 2, 1), "1"),
            (date(2026, 2, 8), "0.75"),
            (date(2026, 2, 28), "1/28"),
            (date(2026, 3, 1), "0"),
        ] {
            assert_eq!(share_from(date(2026, 2, 1), effective).to_string(), wanted, "{effective}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_nothing(old in 0_i64..3_000_000, new in 0_i64..3_000_000, day in 1_i8..=28, percent in 0_i64..50) {
            let [old, new] = [old, new].map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap());
            let (percent, effective) = (Exact::from(percent), date(2026, 1, 1).with().day(day).build().unwrap());
            let sum = |from: &Exact, to: &Exact| -> Exact {
                lines(from, to, Some(&percent), effective, &months()[1..]).iter().map(|line| &line.delta).sum()
            };
            prop_assert_eq!(sum(&old, &new), -sum(&new, &old));
            prop_assert_eq!(sum(&old, &new).rounded(2), sum(&old, &new));
        }
    }
}
