//! Cron lines: the five fields of POSIX, with names of months and weekdays, ranges, lists and steps.

use hub_tree::jiff::civil::Date;

/// A cron line: which minutes of which days. Each set is a bit mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
    /// Whether the day of the month, and the day of the week, is anything but `*`.
    restricts: (bool, bool),
}

/// What is wrong with a cron line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CronError {
    /// Where the wrong part begins, in characters.
    pub(crate) start: usize,
    /// How long it is.
    pub(crate) len: usize,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

struct Field {
    what: &'static str,
    min: u32,
    max: u32,
    /// The names of the values from `min` on.
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { what: "minute", min: 0, max: 59, names: &[] },
    Field { what: "hour", min: 0, max: 23, names: &[] },
    Field { what: "day of the month", min: 1, max: 31, names: &[] },
    Field { what: "month", min: 1, max: 12, names: MONTHS },
    // 7 is Sunday too.
    Field { what: "day of the week", min: 0, max: 7, names: WEEKDAYS },
];

/// A part of a cron line and where it begins, in characters.
#[derive(Clone, Copy)]
struct Part<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Part<'t> {
    fn split(self, at: char) -> impl Iterator<Item = Part<'t>> {
        let mut start = self.start;
        self.text.split(at).map(move |text| {
            let part = Part { text, start };
            start += text.chars().count() + 1;
            part
        })
    }

    fn wrong(self, message: impl Into<String>, suggestion: Option<&str>) -> CronError {
        CronError {
            start: self.start,
            len: self.text.chars().count().max(1),
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        }
    }
}

impl Cron {
    /// Reads a line such as `0 9 * * mon-fri`.
    pub(crate) fn parse(text: &str) -> Result<Self, CronError> {
        let whole = Part { text, start: 0 };
        let parts: Vec<Part<'_>> = whole.split(' ').filter(|part| !part.text.is_empty()).collect();
        let [minute, hour, day, month, weekday] = parts[..] else {
            let help = Some("minute, hour, day of the month, month, day of the week: `0 9 * * mon-fri`");
            return Err(whole.wrong(format!("a cron line has five fields, this has {}", parts.len()), help));
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let week = weekdays.read(weekday)?;
        let cron = Self {
            minutes: minutes.read(minute)?,
            hours: hours.read(hour)?,
            days: days.read(day)?,
            months: months.read(month)?,
            weekdays: (week | (week >> 7)) & 0x7F,
            restricts: (day.text != "*", weekday.text != "*"),
        };
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let exists = (1..).zip(longest).any(|(month, last)| {
            cron.months & (1 << month) != 0 && (1..=last).any(|day: u32| cron.days & (1 << day) != 0)
        });
        if !exists && !cron.restricts.1 {
            return Err(day.wrong("no month of this line has such a day: it would never fire", None));
        }
        Ok(cron)
    }

    /// Whether both kinds of day are restricted: then a day of either kind will do, as POSIX says.
    pub(crate) fn takes_either_day(&self) -> bool {
        self.restricts == (true, true)
    }

    pub(crate) fn is_on(&self, day: Date) -> bool {
        let has = |mask: u64, value: i8| u32::try_from(value).is_ok_and(|value| mask & (1 << value) != 0);
        let of_month = has(self.days, day.day());
        let of_week = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let wanted = match self.restricts {
            (true, true) => of_month || of_week,
            (true, false) => of_month,
            (false, true) => of_week,
            (false, false) => true,
        };
        wanted && has(self.months, day.month())
    }

    /// The hours and minutes of a day, in order.
    pub(crate) fn times(&self) -> impl DoubleEndedIterator<Item = (i8, i8)> + '_ {
        let all = (0..24_i8).flat_map(|hour| (0..60_i8).map(move |minute| (hour, minute)));
        all.filter(|(hour, minute)| self.hours & (1 << hour) != 0 && self.minutes & (1 << minute) != 0)
    }
}

impl Field {
    fn read(&self, field: Part<'_>) -> Result<u64, CronError> {
        let mut mask = 0;
        for item in field.split(',') {
            mask |= self.item(item)?;
        }
        Ok(mask)
    }

    /// `*`, `5`, `1-5`, each with `/step` but the single value.
    fn item(&self, item: Part<'_>) -> Result<u64, CronError> {
        let mut halves = item.split('/');
        let range = halves.next().unwrap_or(item);
        let step = match halves.next() {
            Some(part) => match part.text.parse::<u32>() {
                Ok(step @ 1..=59) => Some(step),
                _ => return Err(part.wrong("a step is a number from 1 to 59", None)),
            },
            None => None,
        };
        if halves.next().is_some() {
            return Err(item.wrong("only one step may stand here", None));
        }
        let mut ends = range.split('-');
        let first = ends.next().unwrap_or(range);
        let (from, to) = match (first.text, ends.next()) {
            ("*", None) => (self.min, self.max),
            (_, None) => {
                let value = self.value(first)?;
                if step.is_some() {
                    let help = format!("write {value}-{}/…", self.max);
                    return Err(item.wrong("a step needs a range or `*` before it", Some(&help)));
                }
                (value, value)
            }
            (_, Some(last)) => (self.value(first)?, self.value(last)?),
        };
        if ends.next().is_some() {
            return Err(range.wrong("a range has two ends", None));
        }
        if from > to {
            let help = format!("write two ranges: {from}-{},{}-{to}", self.max.min(59), self.min);
            return Err(range.wrong("the range ends before it begins", Some(&help)));
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(1);
        // A star over the weekdays is seven days, not eight.
        let to = if first.text == "*" && self.max == 7 { 6 } else { to };
        Ok((from..=to).step_by(step).fold(0, |mask, value| mask | (1_u64 << value)))
    }

    fn value(&self, part: Part<'_>) -> Result<u32, CronError> {
        let lower = part.text.to_lowercase();
        if let Some(at) = self.names.iter().position(|name| *name == lower) {
            return Ok(self.min + u32::try_from(at).unwrap_or(0));
        }
        let digits = !part.text.is_empty() && part.text.len() <= 2 && part.text.bytes().all(|b| b.is_ascii_digit());
        match part.text.parse::<u32>() {
            Ok(value) if digits && (self.min..=self.max).contains(&value) => Ok(value),
            _ => {
                let message = format!("`{}` is no {}: it is {} to {}", part.text, self.what, self.min, self.max);
                Err(part.wrong(message, hub_tree::finding::suggest(&lower, self.names.iter().copied()).as_deref()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, usize, String) {
        let error = Cron::parse(text).unwrap_err();
        (error.start, error.len, error.message)
    }

    #[test]
    fn names_lists_ranges_and_steps_are_read() {
        let a = Cron::parse("0,30 9-17/2 * jan,MAR mon-fri").unwrap();
        let b = Cron::parse("0,30  9,11,13,15,17 * 1,3 1-5").unwrap();
        assert_eq!(a, b);
        assert_eq!(Cron::parse("0 0 * * 7").unwrap(), Cron::parse("0 0 * * sun").unwrap());
        assert_eq!(Cron::parse("0 0 * * 5-7").unwrap(), Cron::parse("0 0 * * fri,sat,sun").unwrap());
        assert_eq!(Cron::parse("*/20 0 * * *").unwrap(), Cron::parse("0,20,40 0 * * *").unwrap());
    }

    #[test]
    fn a_wrong_part_is_named_at_its_place() {
        for (text, start, len, wanted) in [
            ("0 9 * *", 0, 7, "five fields, this has 4"),
            ("0 9 * * * *", 0, 11, "five fields, this has 6"),
            ("60 9 * * *", 0, 2, "no minute"),
            ("0 24 * * *", 2, 2, "no hour"),
            ("0 9 0 * *", 4, 1, "no day of the month"),
            ("0 9 * 13 *", 6, 2, "no month"),
            ("0 9 * * mun", 8, 3, "no day of the week"),
            ("0 9,x * * *", 4, 1, "no hour"),
            ("0 9-5 * * *", 2, 3, "ends before it begins"),
            ("0 9 * * fri-mon", 8, 7, "ends before it begins"),
            ("5/10 * * * *", 0, 4, "a step needs a range"),
            ("*/0 * * * *", 2, 1, "a step is a number"),
            ("0 0 30 2 *", 4, 2, "never fire"),
            ("0 0 31 4,6 *", 4, 2, "never fire"),
            ("+1 0 * * *", 0, 2, "no minute"),
        ] {
            let (at, length, message) = refused(text);
            assert!(message.contains(wanted), "{text}: {message}");
            assert_eq!((at, length), (start, len), "{text}: {message}");
        }
    }

    #[test]
    fn of_two_kinds_of_day_either_will_do() {
        let cron = Cron::parse("0 0 13 * fri").unwrap();
        assert!(cron.takes_either_day());
        let on = |text: &str| cron.is_on(text.parse().unwrap());
        assert_eq!(["2026-01-13", "2026-01-16", "2026-01-14"].map(on), [true, true, false]);
    }
}
