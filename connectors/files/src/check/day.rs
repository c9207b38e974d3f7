//! Days as people and sheets write them.

use crate::clean;
use hub_tree::jiff::civil::{Date, DateTime, Time};

/// What a text says of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// A day, perhaps with a time.
    At(DateTime),
    /// A date of zeros: there is none.
    Zero,
    /// A bare serial number of a sheet.
    Serial(i64),
    /// No day.
    None,
}

/// Reads `2024-3-5`, `2024/3/5`, `2024.3.5`, `2024年3月5日`, `20240305`, each with or without a time.
pub(crate) fn read(text: &str) -> Day {
    let plain = clean::plain(text);
    // A serial number with a time has its fraction.
    let whole = plain.split('.').next().unwrap_or_default();
    if whole.len() == 5 && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let fraction = plain.get(6..).unwrap_or_default();
        if !fraction.contains('.') && (plain.len() == 5 || !fraction.is_empty()) {
            return whole.parse().map_or(Day::None, Day::Serial);
        }
    }
    let (day, rest) = match parts(&plain) {
        Some(found) => found,
        None => return Day::None,
    };
    let Some(time) = time(rest) else { return Day::None };
    let (year, month, day) = day;
    if (year == 0 && month == 0 && day == 0) || (year, month, day) == (1, 1, 1) || (year, month, day) == (1900, 1, 0) {
        return Day::Zero;
    }
    match Date::new(year, month, day) {
        Ok(day) if year >= 1000 => Day::At(DateTime::from_parts(day, time)),
        _ => Day::None,
    }
}

/// Year, month and day, and what stands behind them.
fn parts(text: &str) -> Option<((i16, i8, i8), &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if matches!(digits, 8 | 12 | 14) {
        let number = |range| text.get(range).and_then(|part: &str| part.parse().ok());
        let year = text.get(..4)?.parse().ok()?;
        return Some(((year, number(4..6)?, number(6..8)?), text.get(8..)?));
    }
    if digits != 4 {
        return None;
    }
    let (year, rest) = text.split_at(4);
    let mark = rest.chars().next().filter(|mark| matches!(mark, '-' | '/' | '.' | '年'))?;
    let second = if mark == '年' { '月' } else { mark };
    let rest = rest.get(mark.len_utf8()..)?.trim_start();
    let (month, rest) = number(rest)?;
    let rest = rest.trim_start().strip_prefix(second)?.trim_start();
    let (day, rest) = number(rest)?;
    let rest = if mark == '年' { rest.trim_start().strip_prefix(['日', '号'])? } else { rest };
    Some(((year.parse().ok()?, month, day), rest))
}

fn number(text: &str) -> Option<(i8, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(digits, 1 | 2) {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

/// The time behind a day; midnight where there is none. A zone does not move the day and is passed over.
fn time(rest: &str) -> Option<Time> {
    let rest = rest.trim();
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim();
    if rest.is_empty() || rest == "Z" {
        return Some(Time::midnight());
    }
    let rest = rest.strip_suffix('Z').unwrap_or(rest);
    let rest = rest.split(['+']).next().unwrap_or(rest);
    if matches!(rest.len(), 4 | 6) && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |range| rest.get(range).map_or(Some(0), |part: &str| part.parse().ok());
        return Time::new(part(0..2)?, part(2..4)?, if rest.len() == 6 { part(4..6)? } else { 0 }, 0).ok();
    }
    let mut parts = rest.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("0");
    let second = second.split('.').next()?;
    let short = |part: &str| (1..=2).contains(&part.len()).then(|| part.parse::<i8>().ok()).flatten();
    if parts.next().is_some() {
        return None;
    }
    Time::new(short(hour)?, short(minute)?, short(second)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_all_their_forms() {
        for (text, day) in [
            ("2024-3-5", "2024-03-05T00:00:00"),
            ("2024/03/05", "2024-03-05T00:00:00"),
            ("2024.3.5", "2024-03-05T00:00:00"),
            ("2024年3月5日", "2024-03-05T00:00:00"),
            ("２０２４年 3 月 5 日", "2024-03-05T00:00:00"),
            ("20240305", "2024-03-05T00:00:00"),
            ("2024-03-05 08:30", "2024-03-05T08:30:00"),
            ("2024-03-05T08:30:15.000", "2024-03-05T08:30:15"),
            ("2025-10-31T00:00:00+08:00", "2025-10-31T00:00:00"),
            ("20240305083015", "2024-03-05T08:30:15"),
            ("1880-01-01", "1880-01-01T00:00:00"),
        ] {
            assert_eq!(read(text), Day::At(day.parse().unwrap()), "{text}");
        }
        for text in [
            "2021-02-30",
            "24/3/5",
            "2024-3",
            "2024",
            "3/5/2024",
            "2024-3/5",
            "2024-13-01",
            "today",
            "",
            "2024年3月",
            "2024-3-5 25:00",
            "2024-3-5x",
            "1900-02-29",
            "2024-003-05",
            "0999-01-01",
        ] {
            assert_eq!(read(text), Day::None, "{text}");
        }
        for text in ["0000-00-00", "00000000", "0001-01-01", "1900-01-00"] {
            assert_eq!(read(text), Day::Zero, "{text}");
        }
        assert_eq!(read("45356"), Day::Serial(45_356));
        assert_eq!(read("45356.354"), Day::Serial(45_356));
    }
}
