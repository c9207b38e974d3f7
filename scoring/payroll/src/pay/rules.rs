//! Working time and its pay in mainland China, from their pack.

use super::attendance::Percents;
use super::calendar::{Kind, Period, WorkingCalendar};
use crate::tables::{Embedded, NoRule, Pack};
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;

/// The pack of this module.
pub static PACK: Embedded = Embedded::new(
    "scoring/models/packs/china-working-time.yaml",
    include_str!("../../../models/packs/china-working-time.yaml"),
);

/// A number of the pack as it last changed: requests of this module name no day.
///
/// # Errors
/// The pack cannot be read, or has no such number.
pub fn number(name: &str) -> Result<&'static Exact, NoRule> {
    let pack = PACK.pack()?;
    Ok(&pack.number(name, pack.newest())?.rule)
}

/// What overtime pays.
///
/// # Errors
/// The pack cannot be read, or lacks one of them.
pub fn overtime() -> Result<Percents<'static>, NoRule> {
    Ok(Percents {
        workday: number("overtime_workday_percent")?,
        restday: number("overtime_restday_percent")?,
        holiday: number("overtime_holiday_percent")?,
    })
}

/// The calendar of working days that a name such as `CN-2026` means.
///
/// # Errors
/// There is none that holds on that day.
pub fn calendar(name: &str, on: Date) -> Result<WorkingCalendar, NoRule> {
    let pack: &Pack = PACK.pack()?;
    let periods = pack.rows(name, on)?.rule.iter().map(|row| {
        let day = |cell: &str| row.word(cell).and_then(|day| day.parse::<Date>().ok());
        let kind = row.word("kind").and_then(Kind::named);
        Some(Period { first: day("first")?, last: day("last")?, kind: kind? })
    });
    let periods: Option<Vec<Period>> = periods.collect();
    let bad = || NoRule { detail: format!("the calendar `{name}` has a row without `first`, `last` or `kind`") };
    Ok(WorkingCalendar::new(periods.ok_or_else(bad)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::civil::date;

    #[test]
    fn the_pack_is_read_and_holds_what_the_law_says() {
        assert_eq!(PACK.pack().unwrap().id, "china-working-time");
        // (365 − 104) ÷ 12.
        let days = Exact::from(365 - 104).over(&Exact::from(12)).unwrap();
        assert_eq!(*number("paid_days_a_month").unwrap(), days);
        assert!(number("paid_weeks").is_err());
    }

    /// Working days by month as a public calendar of 2026 counts them, which was made apart from ours.
    #[test]
    fn the_calendar_of_2026_has_the_working_days_of_its_months() {
        let calendar = calendar("CN-2026", date(2026, 1, 1)).unwrap();
        let year = date(2026, 1, 1).series(hub_tree::jiff::Span::new().days(1)).take(365);
        let mut working = [0; 12];
        let mut holidays = 0;
        for day in year {
            let month = usize::try_from(day.month()).unwrap() - 1;
            match calendar.kind(day) {
                Kind::Work => working[month] += 1,
                Kind::Holiday => holidays += 1,
                Kind::Rest => {}
            }
        }
        assert_eq!(working, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]);
        assert_eq!(holidays, 13);
        assert!(super::calendar("CN-2027", date(2027, 1, 1)).is_err());
    }
}
