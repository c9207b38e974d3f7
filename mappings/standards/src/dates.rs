//! Every way in which systems write a day or an instant, read and written by one implementation.
//!
//! Arithmetic is exact. A local time becomes an instant only in a zone, and one that does not exist or exists twice
//! there is refused, never shifted. A day has no zone and never passes through one.

mod read;

pub use read::iso_day;

use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::{Date, DateTime, Time};
use hub_tree::jiff::fmt::strtime;
use hub_tree::jiff::tz::TimeZone;
use std::fmt;

/// How a day or an instant is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// ISO 8601 and RFC 3339: a year, a month, a day, or a date-time with or without an offset.
    Rfc3339,
    /// Seconds since 1970-01-01T00:00:00Z, with or without a fraction.
    EpochSeconds,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    EpochMillis,
    /// Digits alone: `20260301`, `202603011730`, `20260301173015`.
    Compact,
    /// The JSON dates of .NET: `/Date(1330848000000-0800)/`; the offset changes nothing.
    DotNet,
    /// Days since the end of 1899 with a fraction, as Excel counts in its 1900 system; 60, its day that never was, is
    /// refused.
    Excel,
    /// `yyyyMMdd` or `yyyy-MM-dd`, where zeros, nothing, and 9999-12-31 mean that there is no date.
    Sap,
    /// A day as ERP systems write it: `2026-03-01`, `20260301`, `2026/3/1`, `/Date(1330848000000)/`, with a time or a zone
    /// that is cut off. Zeros, 0001-01-01, `~`, nothing and the ends of time (9999-12-31, 4712-12-31) mean no date.
    Erp,
    /// `2026年3月1日`, `2018年9月`, also with Chinese numerals and a time.
    Chinese,
    /// A strftime format.
    Strftime(String),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing: the system's way to write that there is no date.
    Nothing,
    /// A year.
    Year(i16),
    /// A month of a year.
    Month(i16, i8),
    /// A day.
    Day(Date),
    /// A local time whose zone is not known.
    Local(DateTime),
    /// An instant.
    At(Timestamp),
}

/// Why text is no day or instant. It never quotes the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateError {
    /// The text is not in the form; what the form is.
    Misfit(String),
    /// The local time does not exist in its zone, or exists twice.
    Ambiguous,
    /// A local time, where an instant is needed, or an instant, where a day is needed, without a zone.
    NeedsZone,
    /// A year or a month, where a whole day is needed.
    Partial,
    /// Outside of the years that can be represented.
    OutOfRange,
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misfit(form) => write!(f, "the value is not {form}"),
            Self::Ambiguous => f.write_str("the local time does not exist, or exists twice, in its zone"),
            Self::NeedsZone => f.write_str("it needs a time zone"),
            Self::Partial => f.write_str("it has no day"),
            Self::OutOfRange => f.write_str("the date is out of range"),
        }
    }
}

impl std::error::Error for DateError {}

fn misfit<T>(form: &str) -> Result<T, DateError> {
    Err(DateError::Misfit(form.to_owned()))
}

/// The instant of a local time.
///
/// # Errors
/// [`DateError::Ambiguous`] when it does not exist in the zone, or exists twice.
pub fn in_zone(local: DateTime, zone: &TimeZone) -> Result<Timestamp, DateError> {
    zone.to_ambiguous_timestamp(local).unambiguous().map_err(|_| DateError::Ambiguous)
}

impl Moment {
    /// The day: of an instant, the day in `zone`. `None` when there is no date.
    ///
    /// # Errors
    /// A year or month alone, and an instant without a zone.
    pub fn day(self, zone: Option<&TimeZone>) -> Result<Option<Date>, DateError> {
        match (self, zone) {
            (Self::Nothing, _) => Ok(None),
            (Self::Day(day), _) => Ok(Some(day)),
            (Self::Local(local), _) => Ok(Some(local.date())),
            (Self::At(at), Some(zone)) => Ok(Some(zone.to_datetime(at).date())),
            (Self::At(_), None) => Err(DateError::NeedsZone),
            (Self::Year(_) | Self::Month(..), _) => Err(DateError::Partial),
        }
    }

    /// The instant: of a day, its midnight in `zone`. `None` when there is no date.
    ///
    /// # Errors
    /// A year or month alone, a local time without a zone, and one that does not exist there or exists twice.
    pub fn instant(self, zone: Option<&TimeZone>) -> Result<Option<Timestamp>, DateError> {
        let local = match self {
            Self::Nothing => return Ok(None),
            Self::At(at) => return Ok(Some(at)),
            Self::Day(day) => day.to_datetime(Time::midnight()),
            Self::Local(local) => local,
            Self::Year(_) | Self::Month(..) => return Err(DateError::Partial),
        };
        in_zone(local, zone.ok_or(DateError::NeedsZone)?).map(Some)
    }
}

/// As canonical records write it: `2018`, `2018-09`, `2018-09-27`, `2026-03-01T17:30:00`, `2026-03-01T09:30:00.000Z`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => write!(f, "{day}"),
            Self::Local(local) => write!(f, "{local}"),
            Self::At(at) => write!(f, "{at:.3}"),
        }
    }
}

impl Form {
    /// The forms that have a name, and what each is; every other form is a strftime format.
    pub const NAMES: &[(&str, &str)] = &[
        ("rfc3339", "ISO 8601 and RFC 3339: 2026-03-01, 2026-03-01T09:30:00Z"),
        ("iso", "the same as rfc3339"),
        ("iso8601", "the same as rfc3339"),
        ("epoch_s", "seconds since 1970"),
        ("epoch_ms", "milliseconds since 1970"),
        ("yyyyMMdd", "digits alone: 20260301, 202603011730, 20260301173015"),
        ("dotnet", "/Date(1330848000000-0800)/"),
        ("excel", "the days that a sheet counts from 1900, such as 46082.5"),
        ("sap", "20260301 or 2026-03-01; 00000000 and 99991231 are no date"),
        (
            "erp",
            "the day of 2026-03-01-07:00, 2026-03-01T00:00:00, 2026/3/1, 20260301 or /Date(1330848000000)/; zeros, ~, 9999-12-31 and 4712-12-31 are no date",
        ),
        ("cn", "2026年3月1日, 2018年9月, 二〇二六年三月一日"),
    ];

    /// The form called `name`; text with a `%` is a strftime format.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "rfc3339" | "iso" | "iso8601" => Self::Rfc3339,
            "epoch_s" => Self::EpochSeconds,
            "epoch_ms" => Self::EpochMillis,
            "yyyyMMdd" => Self::Compact,
            "dotnet" => Self::DotNet,
            "excel" => Self::Excel,
            "sap" => Self::Sap,
            "erp" => Self::Erp,
            "cn" => Self::Chinese,
            format if format.contains('%') => Self::Strftime(format.to_owned()),
            _ => return None,
        })
    }

    /// Whether its date-times are local, so that only a zone makes instants of them.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Rfc3339 | Self::EpochSeconds | Self::EpochMillis | Self::DotNet => false,
            Self::Compact | Self::Excel | Self::Sap | Self::Erp | Self::Chinese => true,
            Self::Strftime(format) => {
                !["%z", "%:z", "%::z", "%Q", "%:Q", "%s"].iter().any(|part| format.contains(part))
            }
        }
    }

    /// Whether it always gives an instant, which is no day unless a zone is named.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        matches!(self, Self::EpochSeconds | Self::EpochMillis | Self::DotNet)
    }

    /// Reads `text`; local times become instants when a zone is given. White space at both ends is passed over.
    ///
    /// # Errors
    /// Text in another form, days that do not exist, local times that do not exist or exist twice.
    pub fn read(&self, text: &str, zone: Option<&TimeZone>) -> Result<Moment, DateError> {
        let text = text.trim();
        let moment = match self {
            Self::Rfc3339 => read::iso(text),
            Self::EpochSeconds => read::epoch(text, 9),
            Self::EpochMillis => read::epoch(text, 6),
            Self::Compact => read::compact(text),
            Self::DotNet => read::dot_net(text),
            Self::Excel => read::excel(text),
            Self::Sap => read::sap(text),
            Self::Erp => read::erp(text),
            Self::Chinese => read::written(text),
            Self::Strftime(format) => read::by_format(format, text),
        }?;
        match (moment, zone) {
            (Moment::Local(local), Some(zone)) => in_zone(local, zone).map(Moment::At),
            (moment, _) => Ok(moment),
        }
    }

    /// Writes a moment in this form; an instant is written in `zone`, or in UTC.
    ///
    /// # Errors
    /// What the form cannot write: a partial date, a local time as an instant without a zone, a time outside its range.
    pub fn write(&self, moment: Moment, zone: Option<&TimeZone>) -> Result<String, DateError> {
        if moment == Moment::Nothing {
            return Ok(if *self == Self::Sap { "00000000".to_owned() } else { String::new() });
        }
        let moment = match (moment, zone) {
            (Moment::Local(local), Some(zone)) => Moment::At(in_zone(local, zone)?),
            (moment, _) => moment,
        };
        let local = |moment: Moment| match moment {
            Moment::At(at) => Moment::Local(zone.unwrap_or(&TimeZone::UTC).to_datetime(at)),
            other => other,
        };
        let instant = || moment.instant(zone)?.ok_or(DateError::Partial);
        match self {
            Self::Rfc3339 => Ok(match (moment, zone) {
                (Moment::At(at), Some(zone)) => strtime::format("%Y-%m-%dT%H:%M:%S%.f%:z", &at.to_zoned(zone.clone()))
                    .map_err(|_| DateError::OutOfRange)?,
                (moment, _) => moment.to_string(),
            }),
            Self::EpochSeconds => Ok(nanoseconds(instant()?, 9)),
            Self::EpochMillis => Ok(instant()?.as_millisecond().to_string()),
            Self::DotNet => Ok(format!("/Date({})/", instant()?.as_millisecond())),
            Self::Compact => match local(moment) {
                Moment::Local(at) => in_format("%Y%m%d%H%M%S", at),
                moment => {
                    in_format("%Y%m%d", moment.day(None)?.ok_or(DateError::Partial)?.to_datetime(Time::midnight()))
                }
            },
            Self::Sap => {
                let day = local(moment).day(None)?.ok_or(DateError::Partial)?;
                in_format("%Y%m%d", day.to_datetime(Time::midnight()))
            }
            Self::Erp => {
                let day = local(moment).day(None)?.ok_or(DateError::Partial)?;
                in_format("%Y-%m-%d", day.to_datetime(Time::midnight()))
            }
            Self::Excel => match local(moment) {
                Moment::Local(at) => to_excel(at),
                moment => to_excel(moment.day(None)?.ok_or(DateError::Partial)?.to_datetime(Time::midnight())),
            },
            Self::Chinese => match local(moment) {
                Moment::Year(year) => Ok(format!("{year}年")),
                Moment::Month(year, month) => Ok(format!("{year}年{month}月")),
                Moment::Local(at) => in_format("%Y年%-m月%-d日 %H:%M:%S", at),
                moment => {
                    let day = moment.day(None)?.ok_or(DateError::Partial)?;
                    Ok(format!("{}年{}月{}日", day.year(), day.month(), day.day()))
                }
            },
            Self::Strftime(format) => {
                let misfit = |_| DateError::Misfit(format!("a date that the format `{format}` can write"));
                match (moment, zone) {
                    (Moment::At(at), zone) => {
                        let zone = zone.cloned().unwrap_or(TimeZone::UTC);
                        strtime::format(format, &at.to_zoned(zone)).map_err(misfit)
                    }
                    (Moment::Local(at), _) => strtime::format(format, at).map_err(misfit),
                    (moment, _) => {
                        strtime::format(format, moment.day(None)?.ok_or(DateError::Partial)?).map_err(misfit)
                    }
                }
            }
        }
    }
}

fn in_format(format: &str, at: DateTime) -> Result<String, DateError> {
    strtime::format(format, at).map_err(|_| DateError::OutOfRange)
}

/// The time since 1970 in a unit that is `10^digits` nanoseconds, without zeros behind the point.
fn nanoseconds(at: Timestamp, digits: u32) -> String {
    Decimal::from_i128_with_scale(at.as_nanosecond(), digits).normalize().to_string()
}

fn to_excel(at: DateTime) -> Result<String, DateError> {
    let since = at.date().since(read::EXCEL_ZERO).map_err(|_| DateError::OutOfRange)?.get_days();
    let days = if since <= 60 { since - 1 } else { since };
    if days < 1 {
        return Err(DateError::OutOfRange);
    }
    let time = at.time();
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let seconds = Decimal::new(seconds * 1_000 + i64::from(time.millisecond()), 3);
    let fraction = (seconds / Decimal::from(86_400)).round_dp(10);
    Ok((Decimal::from(days) + fraction).normalize().to_string())
}

#[cfg(test)]
mod tests;
