//! Days and instants: read from what systems write, and written as they want it.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_standards::dates::{Form, Moment, in_zone, iso_day};
use hub_tree::Value;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::DateTime;
use hub_tree::jiff::tz::TimeZone;

const BASE: Function = Function { topic: "Days and instants", ..FUNCTION };

const UNKNOWN_FORM: &str =
    "The form is unknown: one of rfc3339, epoch_s, epoch_ms, yyyyMMdd, dotnet, excel, sap, cn, or a strftime format.";

fn form(call: &Call<'_, '_>, index: usize) -> Result<Form, String> {
    match Form::named(call.text(index)?) {
        Some(form) => Ok(form),
        None => {
            let names: Vec<&str> = Form::NAMES.iter().map(|(name, _)| *name).collect();
            call.refuse(index, format!("write a strftime format with % or one of {}", names.join(", ")))
        }
    }
}

fn zone(call: &Call<'_, '_>, index: usize) -> Result<Option<TimeZone>, String> {
    if call.has(index) { call.zone(index).map(Some) } else { Ok(None) }
}

/// What the text, or number, of the first argument stands for in the form of the second.
fn read(call: &Call<'_, '_>, zone: Option<&TimeZone>) -> Result<Moment, String> {
    let form = form(call, 1)?;
    form.read(call.scalar(0)?, zone).or_else(|error| call.refuse(0, error))
}

fn to_date<'a>(call: &Call<'a, '_>) -> Result<Value<'a>, String> {
    let zone = zone(call, 2)?;
    match read(call, None)?.day(zone.as_ref()) {
        Ok(day) => Ok(day.map_or(Value::Null, Value::Date)),
        Err(error) => call.refuse(0, error),
    }
}

fn to_instant<'a>(call: &Call<'a, '_>) -> Result<Value<'a>, String> {
    let zone = zone(call, 2)?;
    match read(call, zone.as_ref())?.instant(zone.as_ref()) {
        Ok(at) => Ok(at.map_or(Value::Null, Value::DateTime)),
        Err(error) => call.refuse(0, error),
    }
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "date",
        parameters: &[required("value", Kind::Any), optional("form", Kind::Text), optional("zone", Kind::Text)],
        returns: |_| Type::Date,
        doc: "A calendar day: of ISO 8601 text, or of text or a number in another form. A day never passes through a time zone; an instant has a day only in a zone. Null where the form writes that there is no date.",
        example: ("date('01/12/2026', '%d/%m/%Y')", "\"2026-12-01\""),
        errors: &[
            "The text is not in the form, or the day does not exist.",
            "An instant without a zone.",
            UNKNOWN_FORM,
        ],
        run: |call| match call.value(0) {
            value @ Value::Date(_) => Ok(value),
            _ if call.has(1) => to_date(call),
            Value::Text(text) => iso_day(text).map(Value::Date).ok_or_else(|| "the text is no ISO date".to_owned()),
            _ => call.wrong(0, "text"),
        },
        ..BASE
    },
    Function {
        name: "datetime",
        parameters: &[required("value", Kind::Any), optional("zone", Kind::Text)],
        returns: |_| Type::DateTime,
        doc: "An instant: of RFC 3339 text, or of a local time together with an IANA zone.",
        example: ("datetime('2026-03-01 17:30:00', 'Asia/Shanghai')", "\"2026-03-01T09:30:00.000Z\""),
        errors: &[
            "The text is no date-time, or has neither an offset nor a zone.",
            "The local time does not exist in the zone, or exists twice.",
        ],
        run: |call| match call.value(0) {
            value @ Value::DateTime(_) => Ok(value),
            Value::Text(text) => {
                if let Ok(at) = text.parse::<Timestamp>() {
                    return Ok(Value::DateTime(at));
                }
                if !call.has(1) {
                    return Err("the text is no date-time with an offset; a local one needs a zone".to_owned());
                }
                let local: DateTime = text.parse().map_err(|_| "the text is no date-time".to_owned())?;
                in_zone(local, &call.zone(1)?).map(Value::DateTime).map_err(|error| error.to_string())
            }
            _ => call.wrong(0, "text"),
        },
        ..BASE
    },
    Function {
        name: "parse_datetime",
        parameters: &[required("value", Kind::Any), required("form", Kind::Text), optional("zone", Kind::Text)],
        returns: |_| Type::DateTime,
        doc: "Text or a number in a form as an instant; a form without an offset needs a zone, and a day is its midnight there. Null where the form writes that there is no date.",
        example: ("parse_datetime('/Date(1330848000000-0800)/', 'dotnet')", "\"2012-03-04T08:00:00.000Z\""),
        errors: &[
            "The text is not in the form.",
            "A local time without a zone, or one that does not exist there or exists twice.",
            UNKNOWN_FORM,
        ],
        run: |call| match call.value(0) {
            value @ Value::DateTime(_) => Ok(value),
            _ => to_instant(call),
        },
        ..BASE
    },
    Function {
        name: "partial_date",
        parameters: &[required("value", Kind::Any), optional("form", Kind::Text)],
        returns: |_| Type::Text,
        doc: "A year, month or day as text, as precise as it was written: 2018, 2018-09, 2018-09-27.",
        example: ("partial_date('2018年9月', 'cn')", "\"2018-09\""),
        errors: &["The text is not in the form, or is an instant.", UNKNOWN_FORM],
        run: |call| {
            let form = if call.has(1) { form(call, 1)? } else { Form::Rfc3339 };
            let moment = match call.value(0) {
                Value::Date(day) => Moment::Day(day),
                _ => form.read(call.scalar(0)?, None).or_else(|error| call.refuse(0, error))?,
            };
            match moment {
                Moment::Nothing => Ok(Value::Absent),
                Moment::Local(local) => Ok(call.new_text(&Moment::Day(local.date()).to_string())),
                Moment::At(_) => call.refuse(0, "an instant is no day: write `date(…)` with a zone"),
                moment => Ok(call.new_text(&moment.to_string())),
            }
        },
        ..BASE
    },
    Function {
        name: "is_date",
        parameters: &[required("value", Kind::Any), optional("form", Kind::Text)],
        returns: |_| Type::Bool,
        doc: "Whether the value is a day, or text or a number that stands for one in the form (ISO unless told).",
        example: ("is_date('2026-02-30')", "false"),
        errors: &[UNKNOWN_FORM],
        run: |call| {
            let form = if call.has(1) { form(call, 1)? } else { Form::Rfc3339 };
            let whole = |moment: Moment| matches!(moment, Moment::Day(_) | Moment::Local(_));
            Ok(Value::Bool(match call.value(0) {
                Value::Date(_) => true,
                Value::Text(_) | Value::Number(_) | Value::Decimal(_) => {
                    form.read(call.scalar(0)?, None).is_ok_and(whole)
                }
                _ => false,
            }))
        },
        ..BASE
    },
    Function {
        name: "local_date",
        parameters: &[required("at", Kind::DateTime), required("zone", Kind::Text)],
        returns: |_| Type::Date,
        doc: "The calendar day of an instant in a zone.",
        example: ("local_date(datetime('2026-03-01T23:30:00Z'), 'Asia/Shanghai')", "\"2026-03-02\""),
        errors: &["There is no such zone."],
        run: |call| Ok(Value::Date(call.zone(1)?.to_datetime(call.datetime(0)?).date())),
        ..BASE
    },
    Function {
        name: "local_time",
        parameters: &[required("at", Kind::DateTime), required("zone", Kind::Text)],
        returns: |_| Type::Text,
        doc: "The time of day of an instant in a zone, to the second.",
        example: ("local_time(datetime('2026-03-01T09:30:15.250Z'), 'Asia/Shanghai')", "\"17:30:15\""),
        errors: &["There is no such zone."],
        run: |call| {
            let time = call.zone(1)?.to_datetime(call.datetime(0)?).time();
            Ok(call.new_text(&format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())))
        },
        ..BASE
    },
    Function {
        name: "start_of_day",
        parameters: &[required("date", Kind::Date), required("zone", Kind::Text)],
        returns: |_| Type::DateTime,
        doc: "The instant at which a day begins in a zone; where clocks skip midnight, the first one after it.",
        example: ("start_of_day(date('2026-03-01'), 'Asia/Shanghai')", "\"2026-02-28T16:00:00.000Z\""),
        errors: &["There is no such zone.", "The day is out of range."],
        run: |call| match call.date(0)?.to_zoned(call.zone(1)?).and_then(|midnight| midnight.start_of_day()) {
            Ok(start) => Ok(Value::DateTime(start.timestamp())),
            Err(_) => call.refuse(0, "the day is out of range"),
        },
        ..BASE
    },
    Function {
        name: "epoch_s",
        parameters: &[required("at", Kind::DateTime)],
        returns: |_| Type::Number,
        doc: "The whole seconds of an instant since 1970.",
        example: ("epoch_s(datetime('2026-03-01T09:30:00Z'))", "1772357400"),
        // Before 1970, too, a second has not passed before it is over.
        run: |call| Ok(Value::Decimal(call.datetime(0)?.as_millisecond().div_euclid(1_000).into())),
        ..BASE
    },
    Function {
        name: "epoch_ms",
        parameters: &[required("at", Kind::DateTime)],
        returns: |_| Type::Number,
        doc: "The whole milliseconds of an instant since 1970.",
        example: ("epoch_ms(datetime('2026-03-01T09:30:00Z'))", "1772357400000"),
        run: |call| Ok(Value::Decimal(call.datetime(0)?.as_millisecond().into())),
        ..BASE
    },
    Function {
        name: "format_date",
        parameters: &[required("date", Kind::Date), required("form", Kind::Text)],
        returns: |_| Type::Text,
        doc: "A day as text in a named form or a strftime format.",
        example: ("format_date(date('2026-03-01'), '%Y年%-m月%-d日')", "\"2026年3月1日\""),
        errors: &["The format is not valid for a day.", UNKNOWN_FORM],
        run: |call| match form(call, 1)?.write(Moment::Day(call.date(0)?), None) {
            Ok(text) => Ok(call.new_text(&text)),
            Err(error) => call.refuse(1, error),
        },
        ..BASE
    },
    Function {
        name: "format_datetime",
        parameters: &[required("at", Kind::DateTime), required("form", Kind::Text), optional("zone", Kind::Text)],
        returns: |_| Type::Text,
        doc: "An instant as text in a named form or a strftime format, as clocks show it in a zone, or in UTC.",
        example: (
            "format_datetime(datetime('2026-03-01T09:30:00Z'), '%Y-%m-%d %H:%M', 'Asia/Shanghai')",
            "\"2026-03-01 17:30\"",
        ),
        errors: &["The format is not valid.", "There is no such zone.", UNKNOWN_FORM],
        run: |call| {
            let zone = zone(call, 2)?;
            match form(call, 1)?.write(Moment::At(call.datetime(0)?), zone.as_ref()) {
                Ok(text) => Ok(call.new_text(&text)),
                Err(error) => call.refuse(1, error),
            }
        },
        ..BASE
    },
];
