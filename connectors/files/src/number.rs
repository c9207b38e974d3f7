//! Numbers of cells as a person sees them: leading zeros, days and times by their format, never through a binary float.

use hub_tree::jiff::ToSpan as _;
use hub_tree::jiff::civil::{Date, date};
use hub_tree::value::parse_decimal;
use hub_tree::{Decimal, rust_decimal};
use rust_decimal::RoundingStrategy;
use rust_decimal::prelude::ToPrimitive as _;

use crate::grid::{Cell, CellKind};

/// How many digits of a number count: a binary float of 64 bits holds so many for certain, and sheets show no more.
const SIGNIFICANT: usize = 15;

/// The plain decimal of a number as files write it (`8000.3000000000002`, `1.10199E+17`), rounded to the digits that
/// count. `None` for text that is no number or too large to be written out.
pub(crate) fn shortest(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if all.is_empty() || !all.iter().all(u8::is_ascii_digit) || exponent.abs() > 60 || all.len() > 400 {
        return None;
    }
    // The value is 0.DIGITS × 10^point.
    let first = all.iter().position(|digit| *digit != b'0').unwrap_or(all.len());
    let mut digits = all.get(first..).unwrap_or_default().to_vec();
    let mut point = i64::try_from(whole.len()).ok()? - i64::try_from(first).ok()? + exponent;
    if digits.len() > SIGNIFICANT {
        let up = digits.get(SIGNIFICANT).is_some_and(|digit| *digit >= b'5');
        digits.truncate(SIGNIFICANT);
        if up && !add_one(&mut digits) {
            digits.insert(0, b'1');
            point += 1;
        }
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    let digits: String = digits.into_iter().map(char::from).collect();
    let plain = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) if point > 0 => {
            let (whole, fraction) = digits.split_at(point);
            format!("{whole}.{fraction}")
        }
        _ => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    Some(if negative { format!("-{plain}") } else { plain })
}

/// A whole number of more digits than count, as sheets show it: `1.10199198512120E+17`. `None` for all others.
pub(crate) fn scientific(plain: &str) -> Option<String> {
    let digits = plain.bytes().all(|byte| byte.is_ascii_digit()) && plain.len() > SIGNIFICANT;
    let (first, rest) = plain.split_at_checked(1).filter(|_| digits)?;
    let rest = rest.get(..SIGNIFICANT - 1)?;
    Some(format!("{first}.{rest}E+{}", plain.len() - 1))
}

/// Adds one to the last digit; `false` when that made a new digit necessary at the front.
fn add_one(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return true;
        }
    }
    false
}

/// What a number format makes of a number.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    /// The number itself.
    #[default]
    Plain,
    /// A day, perhaps with a time.
    Day,
    /// A time of day.
    Clock,
    /// A length of time; hours run on past 24.
    Elapsed,
    /// In percent.
    Percent,
    /// At least so many digits before the point, between two texts.
    Digits { before: String, least: usize, after: String },
}

impl Shape {
    /// The shape of a format that ships with sheets, by its number (ECMA-376 18.8.30); those of East Asia are days.
    pub(crate) fn built_in(id: u32) -> Option<Self> {
        Some(match id {
            14..=17 | 22 | 27..=31 | 34..=36 | 50..=54 | 57 | 58 => Self::Day,
            // In East Asia 32, 33, 55 and 56 are clock times or days; a value without a day is shown as a time.
            32 | 33 | 55 | 56 => Self::Day,
            18..=21 | 45 | 47 => Self::Clock,
            46 => Self::Elapsed,
            9 | 10 => Self::Percent,
            0..=49 => Self::Plain,
            _ => return None,
        })
    }

    /// The shape of a format code, by its first section.
    pub(crate) fn of_code(code: &str) -> Self {
        let parts = Parts::of(code);
        if parts.elapsed {
            return Self::Elapsed;
        }
        if parts.letters.contains(['y', 'd', 'e', 'g', 'b']) {
            return Self::Day;
        }
        if parts.letters.contains(['h', 's']) {
            return Self::Clock;
        }
        if parts.letters.contains('m') {
            return Self::Day;
        }
        if parts.percent {
            return Self::Percent;
        }
        let telling = |text: &str| text.chars().any(char::is_alphanumeric);
        if parts.zeros >= 2 || telling(&parts.before) || telling(&parts.after) {
            return Self::Digits { before: parts.before, least: parts.zeros, after: parts.after };
        }
        Self::Plain
    }

    /// The cell of a number as the file writes it.
    pub(crate) fn cell(&self, text: &str, from_1904: bool) -> Cell {
        let Some(plain) = shortest(text.trim()) else { return Cell::new(CellKind::Text, text) };
        let shown = match self {
            Self::Plain => None,
            Self::Day => day(&plain, from_1904).map(|text| (kind_of_day(&text), text)),
            Self::Clock => clock(&plain, from_1904),
            Self::Elapsed => elapsed(&plain).map(|text| (CellKind::Time, text)),
            Self::Percent => percent(&plain).map(|text| (CellKind::Number, text)),
            Self::Digits { before, least, after } => {
                let telling = |text: &str| text.chars().any(char::is_alphanumeric);
                // A currency sign says nothing that a column does not; other text is part of what is seen.
                let before = if telling(before) { before.as_str() } else { "" };
                let after = if telling(after) { after.as_str() } else { "" };
                let kind = if before.is_empty() && after.is_empty() { CellKind::Number } else { CellKind::Text };
                Some((kind, format!("{before}{}{after}", padded(&plain, *least))))
            }
        };
        let (kind, text) = shown.unwrap_or((CellKind::Number, plain));
        Cell::new(kind, &text)
    }
}

/// What the first section of a format code is made of.
#[derive(Default)]
struct Parts {
    /// Letters that stand for parts of days and times, in small letters.
    letters: String,
    elapsed: bool,
    percent: bool,
    /// Zeros before the point.
    zeros: usize,
    before: String,
    after: String,
}

impl Parts {
    fn of(code: &str) -> Self {
        let mut parts = Self::default();
        if code.trim().eq_ignore_ascii_case("general") || code.trim() == "@" {
            return parts;
        }
        let (mut digits, mut fraction) = (false, false);
        let mut rest = code.chars();
        while let Some(c) = rest.next() {
            let literal = match c {
                ';' => break,
                '"' => rest.by_ref().take_while(|c| *c != '"').collect(),
                '\\' => rest.next().map(String::from).unwrap_or_default(),
                '_' | '*' => {
                    rest.next();
                    String::new()
                }
                '[' => {
                    let inner: String = rest.by_ref().take_while(|c| *c != ']').collect();
                    let unit = inner.to_ascii_lowercase();
                    parts.elapsed |= !unit.is_empty() && ["h", "m", "s"].iter().any(|u| unit.replace(u, "").is_empty());
                    String::new()
                }
                '0' | '#' | '?' => {
                    digits = true;
                    if c == '0' && !fraction {
                        parts.zeros += 1;
                    }
                    String::new()
                }
                '.' if digits => {
                    fraction = true;
                    String::new()
                }
                '%' => {
                    parts.percent = true;
                    String::new()
                }
                // An exponent is no era.
                'E' | 'e' if digits => {
                    fraction = true;
                    String::new()
                }
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'e' | 'g' | 'b' if !digits => {
                    parts.letters.push(c.to_ascii_lowercase());
                    String::new()
                }
                c if c.is_alphanumeric() && !c.is_ascii() => String::from(c),
                _ => String::new(),
            };
            if digits { parts.after.push_str(&literal) } else { parts.before.push_str(&literal) }
        }
        parts
    }
}

fn padded(plain: &str, least: usize) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
    let whole = digits.find('.').unwrap_or(digits.len());
    format!("{sign}{}{digits}", "0".repeat(least.min(60).saturating_sub(whole)))
}

fn percent(plain: &str) -> Option<String> {
    let number = parse_decimal(plain)?.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(format!("{}%", number.normalize()))
}

/// Days and seconds of a serial number; a part of a second is rounded.
fn days_and_seconds(plain: &str) -> Option<(i64, i64)> {
    let serial = parse_decimal(plain)?;
    let days = serial.floor();
    let seconds = ((serial - days) * Decimal::from(86_400))
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()?;
    let days = days.to_i64()?;
    Some(if seconds >= 86_400 { (days + 1, 0) } else { (days, seconds) })
}

/// The day of a serial number, with its time unless that is midnight.
fn day(plain: &str, from_1904: bool) -> Option<String> {
    let (days, seconds) = days_and_seconds(plain)?;
    if days == 0 && seconds > 0 && !from_1904 {
        return Some(time(seconds));
    }
    let day = match (from_1904, days) {
        // Sheets count a day that never was, and call the day before the first the 0th.
        (false, 0) => "1900-01-00".to_owned(),
        (false, 60) => "1900-02-29".to_owned(),
        _ => serial_day(days, from_1904)?.to_string(),
    };
    Some(if seconds == 0 { day } else { format!("{day} {}", time(seconds)) })
}

/// The day of a serial number of either system; `None` outside of the days that sheets know, and for the one that never
/// was.
pub(crate) fn serial_day(days: i64, from_1904: bool) -> Option<Date> {
    let zero = match (from_1904, days) {
        (true, 0..=2_957_003) => date(1904, 1, 1),
        (false, 1..=59) => date(1899, 12, 31),
        (false, 61..=2_958_465) => date(1899, 12, 30),
        _ => return None,
    };
    zero.checked_add(days.days()).ok()
}

fn kind_of_day(text: &str) -> CellKind {
    if text.contains('-') { CellKind::Date } else { CellKind::Time }
}

fn clock(plain: &str, from_1904: bool) -> Option<(CellKind, String)> {
    let (days, seconds) = days_and_seconds(plain)?;
    if days == 0 {
        return Some((CellKind::Time, time(seconds)));
    }
    day(plain, from_1904).map(|text| (CellKind::Date, text))
}

fn elapsed(plain: &str) -> Option<String> {
    let (days, seconds) = days_and_seconds(plain)?;
    if days < 0 {
        return None;
    }
    let hours = days.checked_mul(24)? + seconds / 3_600;
    Some(format!("{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60))
}

fn time(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_the_dust_of_binary_floats_and_nothing_else() {
        for (written, plain) in [
            ("8000.3000000000002", "8000.3"),
            ("15000.1", "15000.1"),
            ("1.1019919851212e+17", "110199198512120000"),
            ("0.30000000000000004", "0.3"),
            ("99999999999999.96", "100000000000000"),
            ("1.0049999999999999", "1.005"),
            ("19900000001", "19900000001"),
            ("-0.50", "-0.5"),
            ("5E-3", "0.005"),
            ("000", "0"),
            ("0012", "12"),
        ] {
            assert_eq!(shortest(written).as_deref(), Some(plain), "{written}");
        }
        for bad in ["", "-", ".", "1e", "1e99", "1,5", "NaN", "0x1", "1.2.3", "1e999999999999999999999"] {
            assert_eq!(shortest(bad), None, "{bad}");
        }
    }

    fn seen(code: &str, number: &str) -> String {
        Shape::of_code(code).cell(number, false).text().to_owned()
    }

    #[test]
    fn formats_decide_what_is_seen() {
        for (code, number, shown) in [
            ("000000", "1234", "001234"),
            ("\"A\"0000", "12", "A0012"),
            ("0.00\"万\"", "1.2", "1.2万"),
            ("\"￥\"#,##0.00", "8500", "8500"),
            ("#,##0.00_);[Red](#,##0.00)", "-8500.5", "-8500.5"),
            ("General", "45356", "45356"),
            ("0%", "0.8", "80%"),
            ("yyyy/m/d", "43905", "2020-03-15"),
            ("yyyy\"年\"m\"月\"d\"日\"", "44197", "2021-01-01"),
            ("[$-804]yyyy-mm-dd;@", "44197", "2021-01-01"),
            ("yyyy-mm-dd hh:mm", "44197.35416666666", "2021-01-01 08:30:00"),
            ("m\"月\"d\"日\"", "45356", "2024-03-05"),
            ("yyyy-mm-dd", "59", "1900-02-28"),
            ("yyyy-mm-dd", "60", "1900-02-29"),
            ("yyyy-mm-dd", "61", "1900-03-01"),
            ("yyyy-mm-dd", "0", "1900-01-00"),
            ("yyyy-mm-dd", "2958466", "2958466"),
            ("h:mm", "0.35416666666", "08:30:00"),
            ("[h]:mm:ss", "1.25", "30:00:00"),
            ("0.00E+00", "12345", "12345"),
            ("@", "0012", "12"),
        ] {
            assert_eq!(seen(code, number), shown, "{code} of {number}");
        }
        assert_eq!(Shape::Day.cell("0", true).text(), "1904-01-01");
        assert_eq!(Shape::Day.cell("44000", true).text(), "2024-06-19");
    }
}
