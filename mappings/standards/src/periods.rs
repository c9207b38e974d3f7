//! Lengths of time in the calendar, as HR counts them: probation months, years of service, ages, periods in force.
//!
//! A period in force is half-open: it begins on `from` and ended the day before `to`.

use hub_tree::jiff::Span;
use hub_tree::jiff::civil::Date;
use std::fmt::{self, Write as _};

/// An ISO 8601 duration of whole units, such as `P3M`. It has no sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Months; a year is twelve.
    pub months: u32,
    /// Days; a week is seven.
    pub days: u32,
    /// Seconds of the time part; an hour is 3600.
    pub seconds: u32,
}

impl Period {
    /// Reads `P1Y6M`, `P2W`, `P90D`, `PT7H30M` and combinations; units in their order, whole numbers only.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P').filter(|rest| rest.len() <= 40)?;
        let (date, time) = match rest.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return None,
            None if rest.is_empty() => return None,
            None => (rest, ""),
        };
        let mut period = Self::default();
        units(date, &[('Y', 12), ('M', 1)], &[('W', 7), ('D', 1)], &mut period.months, &mut period.days)?;
        units(time, &[], &[('H', 3_600), ('M', 60), ('S', 1)], &mut 0, &mut period.seconds)?;
        Some(period)
    }

    /// The day so much later, or earlier with `back`: first the months, staying within the month that they lead to, then
    /// the days. `None` when it has a time part, or the day is out of range.
    #[must_use]
    pub fn from_day(self, day: Date, back: bool) -> Option<Date> {
        if self.seconds > 0 {
            return None;
        }
        let sign = if back { -1 } else { 1 };
        let months = Span::new().try_months(i64::from(self.months) * sign).ok()?;
        let days = Span::new().try_days(i64::from(self.days) * sign).ok()?;
        day.checked_add(months).ok()?.checked_add(days).ok()
    }
}

/// Reads numbers with their units: the units of `first` add up in `one`, those of `second` in `other`.
fn units(mut text: &str, first: &[(char, u32)], second: &[(char, u32)], one: &mut u32, other: &mut u32) -> Option<()> {
    for (index, (name, size)) in first.iter().chain(second).enumerate() {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        if end == 0 || !text[end..].starts_with(*name) {
            continue;
        }
        let sum = if index < first.len() { &mut *one } else { &mut *other };
        *sum = text[..end].parse::<u32>().ok()?.checked_mul(*size)?.checked_add(*sum)?;
        text = &text[end + 1..];
    }
    text.is_empty().then_some(())
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        let (hours, minutes) = (self.seconds / 3_600, self.seconds / 60 % 60);
        for (count, unit) in [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')] {
            if count > 0 {
                write!(out, "{count}{unit}")?;
            }
        }
        for (index, (count, unit)) in [(hours, 'H'), (minutes, 'M'), (self.seconds % 60, 'S')].into_iter().enumerate() {
            if count > 0 {
                let clock = if out.contains('T') { "" } else { "T" };
                write!(out, "{clock}{count}{unit}")?;
            }
            if index == 2 && out.is_empty() {
                out.push_str("0D");
            }
        }
        write!(f, "P{out}")
    }
}

/// The whole months from `from` to `to`: a month is full when its day of the month comes again. From 31 January to 28
/// February none is. Negative when `to` lies before.
#[must_use]
pub fn months_between(from: Date, to: Date) -> i32 {
    if to < from {
        return -months_between(to, from);
    }
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
    if to.day() < from.day() { months - 1 } else { months }
}

/// The whole years from `from` to `to`, as ages and service are counted: who was born on 29 February is a year older
/// on 1 March where there is no leap day. Negative when `to` lies before.
#[must_use]
pub fn years_between(from: Date, to: Date) -> i32 {
    months_between(from, to) / 12
}

/// Whether a day lies in the period from `from` up to the day before `to`; a missing bound is open.
#[must_use]
pub fn contains(day: Date, from: Option<Date>, to: Option<Date>) -> bool {
    from.is_none_or(|from| from <= day) && to.is_none_or(|to| day < to)
}

/// How many days two periods share, each from its first day up to the day before its second.
#[must_use]
pub fn shared_days(a: (Date, Date), b: (Date, Date)) -> i32 {
    let (from, to) = (a.0.max(b.0), a.1.min(b.1));
    if to <= from { 0 } else { from.until(to).map_or(0, |span| span.get_days()) }
}

/// The quarter of the year, from 1.
#[must_use]
pub fn quarter(day: Date) -> i8 {
    (day.month() - 1) / 3 + 1
}

/// The first day of the quarter.
#[must_use]
pub fn first_of_quarter(day: Date) -> Date {
    Date::new(day.year(), quarter(day) * 3 - 2, 1).unwrap_or(day)
}

/// The last day of the quarter.
#[must_use]
pub fn last_of_quarter(day: Date) -> Date {
    Date::new(day.year(), quarter(day) * 3, 1).map_or(day, Date::last_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::civil::date;

    #[test]
    fn periods_are_read_and_written() {
        for (text, months, days, seconds, written) in [
            ("P3M", 3, 0, 0, "P3M"),
            ("P1Y6M", 18, 0, 0, "P1Y6M"),
            ("P18M", 18, 0, 0, "P1Y6M"),
            ("P2W", 0, 14, 0, "P14D"),
            ("P1Y2M3W4D", 14, 25, 0, "P1Y2M25D"),
            ("PT7H30M", 0, 0, 27_000, "PT7H30M"),
            ("P1DT1S", 0, 1, 1, "P1DT1S"),
            ("P0D", 0, 0, 0, "P0D"),
        ] {
            assert_eq!(Period::parse(text), Some(Period { months, days, seconds }), "{text}");
            assert_eq!(Period { months, days, seconds }.to_string(), written);
        }
        for bad in
            ["", "P", "PT", "3M", "P3", "-P1D", "P1.5M", "P1M1Y", "P1D1D", "P99999999999M", "P400000000Y", "P一M"]
        {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn months_stay_within_their_month() {
        let later = |text: &str, day| Period::parse(text).unwrap().from_day(day, false);
        assert_eq!(later("P1M", date(2026, 1, 31)), Some(date(2026, 2, 28)));
        assert_eq!(later("P1M1D", date(2024, 1, 31)), Some(date(2024, 3, 1)));
        assert_eq!(later("P1Y", date(2024, 2, 29)), Some(date(2025, 2, 28)));
        assert_eq!(later("PT1H", date(2024, 2, 29)), None);
        assert_eq!(later("P9999Y", date(2024, 2, 29)), None);
        assert_eq!(Period::parse("P3M").unwrap().from_day(date(2026, 5, 31), true), Some(date(2026, 2, 28)));
    }

    #[test]
    fn whole_months_and_years_are_counted_as_people_do() {
        for (from, to, months, years) in [
            (date(2024, 2, 29), date(2025, 2, 28), 11, 0),
            (date(2024, 2, 29), date(2025, 3, 1), 12, 1),
            (date(2024, 2, 29), date(2028, 2, 29), 48, 4),
            (date(2026, 1, 31), date(2026, 2, 28), 0, 0),
            (date(2026, 1, 31), date(2026, 3, 31), 2, 0),
            (date(2026, 3, 1), date(2026, 3, 1), 0, 0),
            (date(2025, 3, 1), date(2024, 2, 29), -12, -1),
            (date(1999, 12, 31), date(2000, 1, 1), 0, 0),
        ] {
            assert_eq!((months_between(from, to), years_between(from, to)), (months, years), "{from} {to}");
        }
    }

    #[test]
    fn periods_are_half_open() {
        let (from, to) = (date(2026, 1, 1), date(2026, 4, 1));
        assert!(contains(from, Some(from), Some(to)) && !contains(to, Some(from), Some(to)));
        assert!(contains(to, Some(from), None) && contains(from, None, Some(to)));
        assert_eq!(shared_days((from, to), (date(2026, 3, 31), date(2026, 5, 1))), 1);
        assert_eq!(shared_days((from, to), (to, date(2026, 5, 1))), 0);
        assert_eq!(shared_days((from, to), (to, from)), 0);
    }

    #[test]
    fn quarters_have_their_days() {
        assert_eq!(quarter(date(2026, 12, 31)), 4);
        assert_eq!(first_of_quarter(date(2026, 5, 17)), date(2026, 4, 1));
        assert_eq!(last_of_quarter(date(2024, 2, 29)), date(2024, 3, 31));
    }
}
