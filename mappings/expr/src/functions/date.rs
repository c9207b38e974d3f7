//! Days and instants.

use super::{Function, Kind, optional, required};
use crate::types::Type;
use hub_tree::Value;
use hub_tree::jiff::civil::{Date, DateTime};
use hub_tree::jiff::fmt::strtime;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::jiff::{Span, Timestamp};

const BASE: Function = Function {
    name: "",
    parameters: &[required("date", Kind::Date)],
    repeats: false,
    returns: |_| Type::Number,
    sees_absent: false,
    picks_item: false,
    doc: "",
    example: ("", ""),
    run: |_| Ok(Value::Absent),
};

/// `2026-03-01`, nothing more and nothing less.
pub(super) fn iso_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    shape.then(|| text.parse().ok())?
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "there is no such time zone; write an IANA name such as Asia/Shanghai".to_owned())
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "date",
        parameters: &[required("value", Kind::Any), optional("format", Kind::Text)],
        returns: |_| Type::Date,
        doc: "Text as a calendar day: ISO 8601 unless a strftime format is given. A date never passes through a time zone.",
        example: ("date('01/12/2026', '%d/%m/%Y')", "\"2026-12-01\""),
        run: |call| match call.value(0) {
            value @ Value::Date(_) => Ok(value),
            Value::Text(text) if call.arguments.len() > 1 => {
                let parsed = strtime::parse(call.text(1)?, text).and_then(|parts| parts.to_date());
                parsed.map(Value::Date).map_err(|_| "the text does not fit the format".to_owned())
            }
            Value::Text(text) => iso_date(text).map(Value::Date).ok_or_else(|| "the text is no ISO date".to_owned()),
            _ => call.wrong(0, "text"),
        },
        ..BASE
    },
    Function {
        name: "datetime",
        parameters: &[required("value", Kind::Any), optional("zone", Kind::Text)],
        returns: |_| Type::DateTime,
        doc: "Text as an instant: RFC 3339, or a local time together with an IANA zone.",
        example: ("datetime('2026-03-01 17:30:00', 'Asia/Shanghai')", "\"2026-03-01T09:30:00.000Z\""),
        run: |call| match call.value(0) {
            value @ Value::DateTime(_) => Ok(value),
            Value::Text(text) => {
                if let Ok(at) = text.parse::<Timestamp>() {
                    return Ok(Value::DateTime(at));
                }
                if call.arguments.len() < 2 {
                    return Err("the text is no date-time with an offset; a local one needs a zone".to_owned());
                }
                let local: DateTime = text.parse().map_err(|_| "the text is no date-time".to_owned())?;
                let zoned = zone(call.text(1)?)?.to_ambiguous_zoned(local).unambiguous();
                zoned
                    .map(|zoned| Value::DateTime(zoned.timestamp()))
                    .map_err(|_| "the local time does not exist, or exists twice, in that zone".to_owned())
            }
            _ => call.wrong(0, "text"),
        },
        ..BASE
    },
    Function {
        name: "local_date",
        parameters: &[required("at", Kind::DateTime), required("zone", Kind::Text)],
        returns: |_| Type::Date,
        doc: "The calendar day of an instant in a zone.",
        example: ("local_date(datetime('2026-03-01T23:30:00Z'), 'Asia/Shanghai')", "\"2026-03-02\""),
        run: |call| Ok(Value::Date(call.datetime(0)?.to_zoned(zone(call.text(1)?)?).date())),
        ..BASE
    },
    Function {
        name: "year",
        doc: "The year of a day.",
        example: ("year(date('2026-03-01'))", "2026"),
        run: |call| Ok(Value::Decimal(call.date(0)?.year().into())),
        ..BASE
    },
    Function {
        name: "month",
        doc: "The month of a day, from 1.",
        example: ("month(date('2026-03-01'))", "3"),
        run: |call| Ok(Value::Decimal(call.date(0)?.month().into())),
        ..BASE
    },
    Function {
        name: "day",
        doc: "The day of its month, from 1.",
        example: ("day(date('2026-03-01'))", "1"),
        run: |call| Ok(Value::Decimal(call.date(0)?.day().into())),
        ..BASE
    },
    Function {
        name: "add_days",
        parameters: &[required("date", Kind::Date), required("days", Kind::Number)],
        returns: |_| Type::Date,
        doc: "The day so many days later, or earlier.",
        example: ("add_days(date('2026-02-27'), 2)", "\"2026-03-01\""),
        run: |call| {
            let days = Span::new().try_days(call.whole(1, 0, -3_000_000..=3_000_000)?).map_err(|_| OUT_OF_RANGE)?;
            Ok(Value::Date(call.date(0)?.checked_add(days).map_err(|_| OUT_OF_RANGE)?))
        },
        ..BASE
    },
    Function {
        name: "add_months",
        parameters: &[required("date", Kind::Date), required("months", Kind::Number)],
        returns: |_| Type::Date,
        doc: "The same day so many months later, or earlier; the last day of the month where there is no such day.",
        example: ("add_months(date('2026-01-31'), 1)", "\"2026-02-28\""),
        run: |call| {
            let months = Span::new().try_months(call.whole(1, 0, -100_000..=100_000)?).map_err(|_| OUT_OF_RANGE)?;
            Ok(Value::Date(call.date(0)?.checked_add(months).map_err(|_| OUT_OF_RANGE)?))
        },
        ..BASE
    },
    Function {
        name: "add_seconds",
        parameters: &[required("at", Kind::DateTime), required("seconds", Kind::Number)],
        returns: |_| Type::DateTime,
        doc: "The instant so many seconds later, or earlier.",
        example: ("add_seconds(datetime('2026-03-01T23:59:30Z'), 3600)", "\"2026-03-02T00:59:30.000Z\""),
        run: |call| {
            let seconds = call.whole(1, 0, -10_000_000_000..=10_000_000_000)?;
            let span = Span::new().try_seconds(seconds).map_err(|_| OUT_OF_RANGE)?;
            Ok(Value::DateTime(call.datetime(0)?.checked_add(span).map_err(|_| OUT_OF_RANGE)?))
        },
        ..BASE
    },
    Function {
        name: "days_between",
        parameters: &[required("from", Kind::Date), required("to", Kind::Date)],
        doc: "How many days `to` lies after `from`.",
        example: ("days_between(date('2026-02-27'), date('2026-03-01'))", "2"),
        run: |call| {
            let days = call.date(0)?.until(call.date(1)?).map_err(|_| OUT_OF_RANGE)?.get_days();
            Ok(Value::Decimal(days.into()))
        },
        ..BASE
    },
    Function {
        name: "format_date",
        parameters: &[required("date", Kind::Date), required("format", Kind::Text)],
        returns: |_| Type::Text,
        doc: "A day as text in a strftime format.",
        example: ("format_date(date('2026-03-01'), '%Y年%-m月%-d日')", "\"2026年3月1日\""),
        run: |call| {
            let text =
                strtime::format(call.text(1)?, call.date(0)?).map_err(|_| "the format is not valid".to_owned())?;
            Ok(call.new_text(&text))
        },
        ..BASE
    },
];

const OUT_OF_RANGE: &str = "the result is out of range";
