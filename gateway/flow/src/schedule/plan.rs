//! When something is to be done again and again: cron lines and steady intervals, in a time zone, on working days.
//!
//! Each local time of a cron line is one planned time. One that does not exist on its day (clocks go forward over it) is
//! the next instant that does; one that comes twice (clocks go back over it) is the first of the two. So a cron line
//! that names every hour pauses while an hour comes again; an interval does not, it counts real time.

use super::calendar::Calendar;
use super::cron::Cron;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::{AmbiguousOffset, TimeZone};
use hub_tree::jiff::{SignedDuration, Span, Timestamp};
use std::sync::Arc;

/// When something is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) when: When,
    pub(crate) zone: TimeZone,
    pub(crate) only: Only,
    pub(crate) calendar: Option<Arc<Calendar>>,
}

#[derive(Clone, Debug)]
pub(crate) enum When {
    Cron(Cron),
    /// At whole multiples of so many seconds since 1970-01-01T00:00:00Z.
    Every(i64),
}

/// On which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    All,
    Workdays,
    Holidays,
}

/// Why there is no next time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTime {
    /// The calendar does not know the day that would be next.
    #[error("the calendar `{calendar}` knows nothing of {day}: add the year to calendars/{calendar}.yaml")]
    CalendarEnds {
        /// The calendar.
        calendar: String,
        /// The first day that it does not know.
        day: Date,
    },
    /// No day within the next years will do.
    #[error("no time of the next {YEARS} years will do")]
    Never,
}

/// How many years ahead are searched: 29 February comes on each weekday once in 28 years, and once in 40 where a
/// century has no leap year.
const YEARS: i16 = 40;

fn following(day: Date) -> Option<Date> {
    day.tomorrow().ok()
}

impl Plan {
    /// Whether the plan means this day.
    fn wants(&self, day: Date) -> Result<bool, NoTime> {
        let (Some(calendar), Only::Workdays | Only::Holidays) = (&self.calendar, self.only) else { return Ok(true) };
        match calendar.is_workday(day) {
            Some(works) => Ok(works == (self.only == Only::Workdays)),
            None => Err(NoTime::CalendarEnds { calendar: calendar.name.clone(), day }),
        }
    }

    fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first planned time behind an instant.
    ///
    /// # Errors
    /// There is none, as far as is known.
    pub fn next(&self, after: Timestamp) -> Result<Timestamp, NoTime> {
        match &self.when {
            When::Cron(cron) => self.next_of_cron(cron, after),
            When::Every(seconds) => self.next_of_interval(*seconds, after),
        }
    }

    fn next_of_cron(&self, cron: &Cron, after: Timestamp) -> Result<Timestamp, NoTime> {
        let today = self.day_of(after);
        // A zone can skip a whole day: a time of yesterday may be an instant of today.
        let mut day = today.yesterday().unwrap_or(today);
        while day.year() <= today.year().saturating_add(YEARS) {
            // Days that nothing is planned for may be unknown to the calendar, and so may yesterday.
            let wanted =
                cron.is_on(day) && self.wants(day).or_else(|end| if day < today { Ok(false) } else { Err(end) })?;
            if wanted {
                let mut instants = cron.times().filter_map(|time| self.instant(day, time));
                if let Some(found) = instants.find(|at| *at > after) {
                    return Ok(found);
                }
            }
            day = following(day).ok_or(NoTime::Never)?;
        }
        Err(NoTime::Never)
    }

    fn next_of_interval(&self, seconds: i64, after: Timestamp) -> Result<Timestamp, NoTime> {
        let at = |multiple: i64| Timestamp::from_second(multiple.saturating_mul(seconds)).map_err(|_| NoTime::Never);
        let mut next = at(after.as_second().div_euclid(seconds) + 1)?;
        let last = self.day_of(after).year().saturating_add(YEARS);
        loop {
            let day = self.day_of(next);
            if self.wants(day)? {
                return Ok(next);
            }
            if day.year() > last {
                return Err(NoTime::Never);
            }
            let midnight = following(day).and_then(|day| self.instant(day, (0, 0))).ok_or(NoTime::Never)?;
            // The first multiple that is not before midnight.
            next = at((midnight.as_second() + seconds - 1).div_euclid(seconds))?;
        }
    }

    /// The last planned time up to and with `until`, if one lies behind `from`, which is planned itself; else `from`.
    #[must_use]
    pub fn last(&self, from: Timestamp, until: Timestamp) -> Timestamp {
        let first = self.day_of(from);
        let mut day = self.day_of(until);
        while day >= first {
            if self.wants(day) == Ok(true)
                && let Some(found) = self.last_on(day, until)
            {
                return found.max(from);
            }
            let Ok(before) = day.yesterday() else { break };
            day = before;
        }
        from
    }

    fn last_on(&self, day: Date, until: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Cron(cron) if cron.is_on(day) => {
                cron.times().rev().filter_map(|time| self.instant(day, time)).find(|at| *at <= until)
            }
            When::Cron(_) => None,
            When::Every(seconds) => {
                let end = self.instant(following(day)?, (0, 0))?.checked_sub(Span::new().nanoseconds(1)).ok()?;
                let multiple = end.min(until).as_second().div_euclid(*seconds);
                let found = Timestamp::from_second(multiple.checked_mul(*seconds)?).ok()?;
                (self.day_of(found) == day).then_some(found)
            }
        }
    }

    /// The instant of a local time: the next that exists, the first of two.
    fn instant(&self, day: Date, (hour, minute): (i8, i8)) -> Option<Timestamp> {
        let local = day.at(hour, minute, 0, 0);
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { before, .. } => {
                // By the old offset the time lies at or behind the change; the change itself is the next instant.
                let behind = before.to_timestamp(local).ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
                self.zone.preceding(behind).next().map(|change| change.timestamp())
            }
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
