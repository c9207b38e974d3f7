//! Text to days and instants, one function for each form.

use super::{DateError, Moment, misfit};
use crate::chinese;
use hub_tree::Decimal;
use hub_tree::jiff::civil::{Date, Time};
use hub_tree::jiff::fmt::strtime;
use hub_tree::jiff::{Span, Timestamp};
use hub_tree::value::parse_decimal;

/// `2026-03-01`, nothing more and nothing less.
#[must_use]
pub fn iso_day(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    shape.then(|| text.parse().ok())?
}

pub(super) fn iso(text: &str) -> Result<Moment, DateError> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if let Some(day) = iso_day(text) {
        return Ok(Moment::Day(day));
    }
    if text.len() == 4 && digits(text) {
        return text.parse().map(Moment::Year).map_err(|_| DateError::OutOfRange);
    }
    if let (7, Some((year, month))) = (text.len(), text.split_once('-'))
        && year.len() == 4
        && digits(year)
        && digits(month)
        && let (Ok(year), Ok(month @ 1..=12)) = (year.parse(), month.parse())
    {
        return Ok(Moment::Month(year, month));
    }
    // XML Schema days may carry an offset; a day stays the day that was written.
    if let Some((day, offset)) = text.split_at_checked(10)
        && let (Some(day), true) = (iso_day(day), is_offset(offset))
    {
        return Ok(Moment::Day(day));
    }
    let clocked = text.len() > 10 && iso_day(text.get(..10).unwrap_or_default()).is_some();
    let clocked = clocked || text.as_bytes().get(8).is_some_and(|b| matches!(b, b'T' | b't' | b' '));
    if clocked {
        if let Ok(at) = text.parse() {
            return Ok(Moment::At(at));
        }
        if let Ok(local) = text.parse() {
            return Ok(Moment::Local(local));
        }
    }
    misfit("an ISO 8601 date or date-time")
}

fn is_offset(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        b"Z" | b"z" => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

/// Time since 1970 in a unit that is `10^digits` nanoseconds.
pub(super) fn epoch(text: &str, digits: u32) -> Result<Moment, DateError> {
    let Some(number) = parse_decimal(text) else { return misfit("a Unix time") };
    let factor = Decimal::from(10_u64.pow(digits));
    let nanos = number.checked_mul(factor).and_then(|nanos| i128::try_from(nanos.round()).ok());
    let at = nanos.and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
    at.map(Moment::At).ok_or(DateError::OutOfRange)
}

const COMPACT: &str = "8, 12 or 14 digits such as 20260301";

pub(super) fn compact(text: &str) -> Result<Moment, DateError> {
    if !text.bytes().all(|b| b.is_ascii_digit()) || !matches!(text.len(), 8 | 12 | 14) {
        return misfit(COMPACT);
    }
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i8>().ok()).unwrap_or(0);
    let year = text[..4].parse().unwrap_or(0);
    let Ok(day) = Date::new(year, part(4, 6), part(6, 8)) else { return misfit(COMPACT) };
    if text.len() == 8 {
        return Ok(Moment::Day(day));
    }
    let time = Time::new(part(8, 10), part(10, 12), part(12, 14), 0);
    time.map_or_else(|_| misfit(COMPACT), |time| Ok(Moment::Local(day.to_datetime(time))))
}

pub(super) fn dot_net(text: &str) -> Result<Moment, DateError> {
    Timestamp::from_millisecond(dot_net_millis(text)?).map(Moment::At).map_err(|_| DateError::OutOfRange)
}

/// The milliseconds since 1970 of such a date; the offset behind them changes nothing.
fn dot_net_millis(text: &str) -> Result<i64, DateError> {
    const WANTED: &str = "a date such as /Date(1330848000000-0800)/";
    // Inside JSON the slashes are escaped, and systems that copy JSON text leave them so.
    let inner = text.strip_prefix("/Date(").and_then(|text| text.strip_suffix(")/"));
    let inner = inner.or_else(|| text.strip_prefix("\\/Date(").and_then(|text| text.strip_suffix(")\\/")));
    let Some(inner) = inner else { return misfit(WANTED) };
    let sign = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map(|(at, _)| at);
    let (millis, offset) = inner.split_at(sign.unwrap_or(inner.len()));
    let bytes = offset.as_bytes();
    let offset_ok = bytes.is_empty() || bytes.len() == 5 && bytes[1..].iter().all(u8::is_ascii_digit);
    millis.parse().ok().filter(|_| offset_ok).map_or_else(|| misfit(WANTED), Ok)
}

/// The day that Excel's serials count from, after its 60th, which never was.
pub(super) const EXCEL_ZERO: Date = Date::constant(1899, 12, 30);
const LAST_SERIAL: u32 = 2_958_465;
const DAY_MILLIS: u32 = 86_400_000;

pub(super) fn excel(text: &str) -> Result<Moment, DateError> {
    const WANTED: &str = "a day as a sheet counts it, such as 46082.5; 60 is no day";
    let Some(serial) = parse_decimal(text) else { return misfit(WANTED) };
    // Sheets keep the time of day as a binary fraction; to the millisecond it is what was meant.
    let millis = (serial.fract() * Decimal::from(DAY_MILLIS)).round();
    let days = i64::try_from(serial.trunc()).unwrap_or(-1);
    if days < 1 || days == 60 || days > i64::from(LAST_SERIAL) || serial.is_sign_negative() {
        return misfit(WANTED);
    }
    let span = Span::new().try_days(if days < 60 { days + 1 } else { days });
    let day = span.and_then(|days| EXCEL_ZERO.checked_add(days)).map_err(|_| DateError::OutOfRange)?;
    if serial.fract().is_zero() {
        return Ok(Moment::Day(day));
    }
    let time = Span::new().try_milliseconds(i64::try_from(millis).unwrap_or(0));
    let local = time.and_then(|time| day.to_datetime(Time::midnight()).checked_add(time));
    local.map(Moment::Local).map_err(|_| DateError::OutOfRange)
}

pub(super) fn sap(text: &str) -> Result<Moment, DateError> {
    const WANTED: &str = "a date such as 20260301 or 2026-03-01";
    match text {
        "" | "00000000" | "0000-00-00" | "99991231" | "9999-12-31" => Ok(Moment::Nothing),
        _ if text.len() == 8 => compact(text).or_else(|_| misfit(WANTED)),
        _ => iso_day(text).map_or_else(|| misfit(WANTED), |day| Ok(Moment::Day(day))),
    }
}

/// A day, whatever time or zone stands behind it: neither ever moves it.
pub(super) fn erp(text: &str) -> Result<Moment, DateError> {
    const WANTED: &str = "a day such as 2026-03-01, 20260301 or /Date(1330848000000)/, with or without a time";
    if text.is_empty() || text == "~" {
        return Ok(Moment::Nothing);
    }
    if text.contains("Date(") {
        // The milliseconds are midnight UTC of the day that is meant. The end of time is beyond the last instant.
        let days = dot_net_millis(text)?.div_euclid(i64::from(DAY_MILLIS));
        let day = Span::new().try_days(days).and_then(|days| Date::constant(1970, 1, 1).checked_add(days));
        return day.map_or(Err(DateError::OutOfRange), |day| Ok(known(day)));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (year, month, day, rest) = match digits {
        8 | 14 => (&text[..4], &text[4..6], &text[6..8], &text[8..]),
        4 => {
            let mut parts = text.splitn(3, ['-', '/', '.']);
            let (Some(year), Some(month), Some(tail)) = (parts.next(), parts.next(), parts.next()) else {
                return misfit(WANTED);
            };
            let (day, rest) = tail.split_at(tail.bytes().take_while(u8::is_ascii_digit).count());
            (year, month, day, rest)
        }
        _ => return misfit(WANTED),
    };
    let short = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    let clock =
        rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'T' | b'Z' | b' ' | b':' | b'.' | b',' | b'+' | b'-'));
    if !short(month) || !short(day) || !clock {
        return misfit(WANTED);
    }
    let (year, month, day) = (year.parse().unwrap_or(-1), month.parse().unwrap_or(0), day.parse().unwrap_or(0));
    match (year, month, day) {
        (0, 0, 0) => Ok(Moment::Nothing),
        _ => Date::new(year, month, day).map_or_else(|_| misfit(WANTED), |day| Ok(known(day))),
    }
}

/// A day, unless it stands for the beginning or the end of time.
fn known(day: Date) -> Moment {
    match (day.year(), day.month(), day.day()) {
        (1, 1, 1) | (9999 | 4712, 12, 31) => Moment::Nothing,
        _ => Moment::Day(day),
    }
}

/// `2026年3月1日 17时30分` and shorter.
pub(super) fn written(text: &str) -> Result<Moment, DateError> {
    let wanted = || DateError::Misfit("a date such as 2026年3月1日 or 2018年9月".to_owned());
    if text.len() > 128 {
        return Err(wanted());
    }
    let text: String = chinese::to_half_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    let number = |text: &str| chinese::number(text).and_then(|number| i16::try_from(number).ok()).filter(|n| *n >= 0);
    let small = |text: &str| number(text).and_then(|number| i8::try_from(number).ok());
    let (year, rest) = text.split_once('年').ok_or_else(wanted)?;
    let year = number(year).filter(|_| matches!(year.chars().count(), 4)).ok_or_else(wanted)?;
    if rest.is_empty() {
        return Ok(Moment::Year(year));
    }
    let (month, rest) = rest.split_once('月').ok_or_else(wanted)?;
    let month = small(month).filter(|month| (1..=12).contains(month)).ok_or_else(wanted)?;
    if rest.is_empty() {
        return Ok(Moment::Month(year, month));
    }
    let (day, rest) = rest.split_once(['日', '号', '號']).ok_or_else(wanted)?;
    let day = Date::new(year, month, small(day).ok_or_else(wanted)?).map_err(|_| wanted())?;
    if rest.is_empty() {
        return Ok(Moment::Day(day));
    }
    let afternoon = rest.starts_with("下午") || rest.starts_with("晚上");
    let rest = ["上午", "下午", "晚上"].iter().find_map(|half| rest.strip_prefix(half)).unwrap_or(rest);
    let (hour, rest) = rest.split_once(['时', '時', '点', ':']).ok_or_else(wanted)?;
    let (minute, second) = match rest.split_once(['分', ':']) {
        Some((minute, second)) => (minute, second.strip_suffix('秒').unwrap_or(second)),
        None => (rest, ""),
    };
    let part = |text: &str| if text.is_empty() { Some(0) } else { small(text) };
    let hour = small(hour).map(|hour| if afternoon && hour < 12 { hour + 12 } else { hour });
    let time = match (hour, part(minute), part(second)) {
        (Some(hour), Some(minute), Some(second)) => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    };
    time.map(|time| Moment::Local(day.to_datetime(time))).ok_or_else(wanted)
}

pub(super) fn by_format(format: &str, text: &str) -> Result<Moment, DateError> {
    let wanted = || DateError::Misfit(format!("in the format `{format}`"));
    let parts = strtime::parse(format, text).map_err(|_| wanted())?;
    if let Ok(at) = parts.to_timestamp() {
        return Ok(Moment::At(at));
    }
    let clocked = parts.hour().is_some();
    match (parts.to_date(), parts.year(), parts.month(), parts.day()) {
        (Ok(day), ..) if clocked => {
            parts.to_time().map(|time| Moment::Local(day.to_datetime(time))).map_err(|_| wanted())
        }
        (Ok(day), ..) => Ok(Moment::Day(day)),
        (Err(_), Some(year), Some(month), None) if !clocked => Ok(Moment::Month(year, month)),
        (Err(_), Some(year), None, None) if !clocked => Ok(Moment::Year(year)),
        _ => Err(wanted()),
    }
}
