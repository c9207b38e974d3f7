//! Which days are worked.

use hub_tree::jiff::civil::{Date, Weekday};

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Worked, be it a weekend that was turned into a working day (调休上班).
    Work,
    /// Off: a weekend, or another day of a holiday period.
    Rest,
    /// A statutory holiday (法定休假日), whatever its weekday.
    Holiday,
}

impl Kind {
    /// The kind of a word of a pack.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "work" => Some(Self::Work),
            "rest" => Some(Self::Rest),
            "holiday" => Some(Self::Holiday),
            _ => None,
        }
    }
}

/// Days on end of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub first: Date,
    /// The last, which belongs to it.
    pub last: Date,
    /// What they are.
    pub kind: Kind,
}

/// The days of a year that are not what their weekday says, and the statutory holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingCalendar(Vec<Period>);

impl WorkingCalendar {
    /// A calendar; of periods that overlap the first counts.
    #[must_use]
    pub const fn new(periods: Vec<Period>) -> Self {
        Self(periods)
    }

    /// What a day is.
    #[must_use]
    pub fn kind(&self, day: Date) -> Kind {
        let named = self.0.iter().find(|period| period.first <= day && day <= period.last);
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        named.map_or(if weekend { Kind::Rest } else { Kind::Work }, |period| period.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::civil::date;

    #[test]
    fn weekdays_count_unless_the_calendar_says_otherwise() {
        let (first, last) = (date(2030, 1, 4), date(2030, 1, 5));
        let calendar = WorkingCalendar::new(vec![
            Period { first, last, kind: Kind::Holiday },
            Period { first: last, last: date(2030, 1, 6), kind: Kind::Work },
        ]);
        for (day, kind) in [
            (3, Kind::Work),
            (4, Kind::Holiday),
            (5, Kind::Holiday),
            (6, Kind::Work),
            (7, Kind::Work),
            (12, Kind::Rest),
            (13, Kind::Rest),
        ] {
            assert_eq!(calendar.kind(date(2030, 1, day)), kind, "{day}");
        }
        assert_eq!([Kind::named("work"), Kind::named("Work")], [Some(Kind::Work), None]);
    }
}
