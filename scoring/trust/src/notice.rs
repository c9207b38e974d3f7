//! Days: how long an audit may be relied on, and when a tool may be used after a notice.
//!
//! Sources: New York City Admin. Code 20-871 (audit not older than one year at use; notice no less than ten business
//! days before use).

use hub_tree::jiff::civil::{Date, Weekday};
use hub_tree::jiff::{Span, ToSpan};
use std::collections::BTreeSet;

/// The business days of notice that the law asks for.
pub const BUSINESS_DAYS: usize = 10;

/// The last day on which a tool audited on a day may be used: the same day a year later, 28 February for 29 February.
/// `None` past the end of the calendar.
#[must_use]
pub fn last_day_of_use(audited: Date) -> Option<Date> {
    audited.checked_add(1.year()).ok()
}

/// Whether an audit covers a use: it is done by then, and not older than one year.
#[must_use]
pub fn is_covered(audited: Date, used: Date) -> bool {
    audited <= used && last_day_of_use(audited).is_none_or(|last| used <= last)
}

/// Whether people work on a day: Monday to Friday, holidays left out.
#[must_use]
pub fn is_business_day(day: Date, holidays: &BTreeSet<Date>) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(&day)
}

/// The first day of use after a notice: the last of so many business days after the day of the notice, which itself is
/// not counted. With no days, the day itself. `None` past the end of the calendar.
#[must_use]
pub fn earliest_use(noticed: Date, business_days: usize, holidays: &BTreeSet<Date>) -> Option<Date> {
    let day: Span = 1.day();
    let (mut at, mut left) = (noticed, business_days);
    while left > 0 {
        at = at.checked_add(day).ok()?;
        left -= usize::from(is_business_day(at, holidays));
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn an_audit_covers_a_year_to_the_day() {
        for (audited, used, covered) in [
            ("2025-11-20", "2026-11-20", true),
            ("2025-11-20", "2026-11-21", false),
            ("2025-11-20", "2025-11-20", true),
            ("2025-11-20", "2025-11-19", false),
            ("2024-02-29", "2025-02-28", true),
            ("2024-02-29", "2025-03-01", false),
            ("2023-02-28", "2024-02-28", true),
            ("2023-02-28", "2024-02-29", false),
            ("9999-06-01", "9999-12-31", true),
        ] {
            assert_eq!(is_covered(day(audited), day(used)), covered, "{audited} {used}");
        }
    }

    /// Counted on a calendar of 2026: 2 November is a Monday, 26 November Thanksgiving, 25 December a Friday.
    #[test]
    fn business_days_leave_out_weekends_and_holidays() {
        let holidays = BTreeSet::from([day("2026-11-11"), day("2026-11-26"), day("2026-12-25"), day("2026-11-28")]);
        for (noticed, days, wanted) in [
            ("2026-11-02", 10, "2026-11-17"),
            ("2026-11-25", 1, "2026-11-27"),
            ("2026-11-07", 1, "2026-11-09"),
            ("2026-11-06", 0, "2026-11-06"),
            ("2026-12-18", 10, "2027-01-04"),
        ] {
            let got = earliest_use(day(noticed), days, &holidays);
            assert_eq!(got, Some(day(wanted)), "{noticed} {days}");
        }
        assert_eq!(earliest_use(day("2026-11-02"), 10, &BTreeSet::new()), Some(day("2026-11-16")));
        assert_eq!(earliest_use(day("9999-12-30"), 10, &BTreeSet::new()), None);
    }

    proptest! {
        #[test]
        fn the_days_between_are_as_many_as_asked_for(start in 0_i64..20_000, days in 0_usize..60, free in proptest::collection::btree_set(0_i64..90, 0..20)) {
            let noticed = day("2000-01-01").checked_add(start.days()).unwrap();
            let holidays: BTreeSet<Date> = free.iter().map(|day| noticed.checked_add(day.days()).unwrap()).collect();
            let use_day = earliest_use(noticed, days, &holidays).unwrap();
            let after = noticed.series(1.day()).skip(1).take_while(|day| *day <= use_day);
            prop_assert_eq!(after.filter(|day| is_business_day(*day, &holidays)).count(), days);
            prop_assert!(days == 0 || is_business_day(use_day, &holidays));
        }
    }
}
