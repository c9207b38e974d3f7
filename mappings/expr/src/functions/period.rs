//! Lengths of time: later and earlier days, ages, service, periods in force.

use super::{Call, FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_standards::periods::{self, Period};
use hub_tree::Value;
use hub_tree::jiff::Span;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::Decimal;

const OUT_OF_RANGE: &str = "the result is out of range";

const BASE: Function = Function { topic: "Periods", returns: |_| Type::Number, ..FUNCTION };

const LATER: Function = Function {
    returns: |_| Type::Date,
    errors: &["The count is no whole number.", "The result is out of range."],
    ..BASE
};

const BETWEEN: Function = Function { parameters: &[required("from", Kind::Date), required("to", Kind::Date)], ..BASE };

const OF_PERIOD: Function = Function {
    parameters: &[required("period", Kind::Text)],
    errors: &["The text is no ISO 8601 duration of whole units such as P3M."],
    ..BASE
};

fn later<'a>(call: &Call<'a, '_>, span: Span) -> Result<Value<'a>, String> {
    Ok(Value::Date(call.date(0)?.checked_add(span).map_err(|_| OUT_OF_RANGE)?))
}

fn period(call: &Call<'_, '_>, index: usize) -> Result<Period, String> {
    let period = Period::parse(call.text(index)?);
    period.map_or_else(|| call.refuse(index, "the text is no ISO 8601 duration such as P3M"), Ok)
}

fn by_period<'a>(call: &Call<'a, '_>, back: bool) -> Result<Value<'a>, String> {
    match period(call, 1)?.from_day(call.date(0)?, back) {
        Some(day) => Ok(Value::Date(day)),
        None => call.refuse(1, "it has hours or smaller units, or leads out of range"),
    }
}

fn bound(call: &Call<'_, '_>, index: usize) -> Result<Option<Date>, String> {
    if call.value(index).is_absent() { Ok(None) } else { call.date(index).map(Some) }
}

fn count<'a>(count: impl Into<Decimal>) -> Result<Value<'a>, String> {
    Ok(Value::Decimal(count.into()))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "add_days",
        parameters: &[required("date", Kind::Date), required("days", Kind::Number)],
        doc: "The day so many days later, or earlier.",
        example: ("add_days(date('2026-02-27'), 2)", "\"2026-03-01\""),
        run: |call| {
            let days = call.whole(1, 0, -3_000_000..=3_000_000)?;
            later(call, Span::new().try_days(days).map_err(|_| OUT_OF_RANGE)?)
        },
        ..LATER
    },
    Function {
        name: "add_months",
        parameters: &[required("date", Kind::Date), required("months", Kind::Number)],
        doc: "The same day so many months later, or earlier; the last day of the month where there is no such day.",
        example: ("add_months(date('2026-01-31'), 1)", "\"2026-02-28\""),
        run: |call| {
            let months = call.whole(1, 0, -100_000..=100_000)?;
            later(call, Span::new().try_months(months).map_err(|_| OUT_OF_RANGE)?)
        },
        ..LATER
    },
    Function {
        name: "add_years",
        parameters: &[required("date", Kind::Date), required("years", Kind::Number)],
        doc: "The same day so many years later, or earlier; 28 February where there is no 29th.",
        example: ("add_years(date('2024-02-29'), 1)", "\"2025-02-28\""),
        run: |call| {
            let years = call.whole(1, 0, -10_000..=10_000)?;
            later(call, Span::new().try_years(years).map_err(|_| OUT_OF_RANGE)?)
        },
        ..LATER
    },
    Function {
        name: "add_period",
        parameters: &[required("date", Kind::Date), required("period", Kind::Text)],
        doc: "The day an ISO 8601 duration later: first its months, then its days.",
        example: ("add_period(date('2026-01-31'), 'P1M1D')", "\"2026-03-01\""),
        errors: &["The text is no duration of whole days or longer units.", "The result is out of range."],
        run: |call| by_period(call, false),
        ..LATER
    },
    Function {
        name: "subtract_period",
        parameters: &[required("date", Kind::Date), required("period", Kind::Text)],
        doc: "The day an ISO 8601 duration earlier: first its months, then its days.",
        example: ("subtract_period(date('2026-05-31'), 'P3M')", "\"2026-02-28\""),
        errors: &["The text is no duration of whole days or longer units.", "The result is out of range."],
        run: |call| by_period(call, true),
        ..LATER
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
        ..LATER
    },
    Function {
        name: "days_between",
        doc: "How many days `to` lies after `from`.",
        example: ("days_between(date('2026-02-27'), date('2026-03-01'))", "2"),
        run: |call| count(call.date(0)?.until(call.date(1)?).map_err(|_| OUT_OF_RANGE)?.get_days()),
        ..BETWEEN
    },
    Function {
        name: "months_between",
        doc: "How many whole months `to` lies after `from`: a month is full when its day of the month comes again.",
        example: ("months_between(date('2026-01-31'), date('2026-03-30'))", "1"),
        run: |call| count(periods::months_between(call.date(0)?, call.date(1)?)),
        ..BETWEEN
    },
    Function {
        name: "years_between",
        doc: "How many whole years `to` lies after `from`, as service is counted.",
        example: ("years_between(date('2019-06-03'), date('2026-06-02'))", "6"),
        run: |call| count(periods::years_between(call.date(0)?, call.date(1)?)),
        ..BETWEEN
    },
    Function {
        name: "age",
        parameters: &[required("birth_date", Kind::Date), required("on_date", Kind::Date)],
        doc: "How old a person is on a day, in whole years; born on 29 February, a year older on 1 March where there is no leap day.",
        example: ("age(date('2008-02-29'), date('2026-02-28'))", "17"),
        errors: &["The day lies before the birth."],
        run: |call| {
            let years = periods::years_between(call.date(0)?, call.date(1)?);
            if call.date(1)? < call.date(0)? { call.refuse(1, "the day lies before the birth") } else { count(years) }
        },
        ..BASE
    },
    Function {
        name: "seconds_between",
        parameters: &[required("from", Kind::DateTime), required("to", Kind::DateTime)],
        doc: "How many seconds the instant `to` lies after `from`.",
        example: ("seconds_between(datetime('2026-03-01T09:00:00Z'), datetime('2026-03-01T09:30:00.5Z'))", "1800.5"),
        run: |call| {
            let nanos = call.datetime(1)?.as_nanosecond() - call.datetime(0)?.as_nanosecond();
            count(Decimal::from_i128_with_scale(nanos, 9).normalize())
        },
        ..BASE
    },
    Function {
        name: "in_period",
        parameters: &[required("date", Kind::Date), required("from", Kind::Date), required("to", Kind::Date)],
        returns: |_| Type::Bool,
        sees_absent: true,
        doc: "Whether a day lies in the period from `from` up to the day before `to`; an absent bound is open, an absent day gives absent.",
        example: ("in_period(date('2026-03-01'), date('2026-03-01'), null)", "true"),
        run: |call| {
            if call.value(0).is_absent() {
                return Ok(Value::Absent);
            }
            Ok(Value::Bool(periods::contains(call.date(0)?, bound(call, 1)?, bound(call, 2)?)))
        },
        ..BASE
    },
    Function {
        name: "shared_days",
        parameters: &[
            required("from", Kind::Date),
            required("to", Kind::Date),
            required("other_from", Kind::Date),
            required("other_to", Kind::Date),
        ],
        doc: "How many days two periods share; each ends the day before its `to`.",
        example: ("shared_days(date('2026-01-01'), date('2026-04-01'), date('2026-03-31'), date('2026-05-01'))", "1"),
        run: |call| count(periods::shared_days((call.date(0)?, call.date(1)?), (call.date(2)?, call.date(3)?))),
        ..BASE
    },
    Function {
        name: "period_months",
        doc: "The whole months of a duration that has only years and months.",
        example: ("period_months('P1Y6M')", "18"),
        run: |call| {
            let period = period(call, 0)?;
            if period.days > 0 || period.seconds > 0 {
                return call.refuse(0, "it has more than years and months");
            }
            count(period.months)
        },
        ..OF_PERIOD
    },
    Function {
        name: "period_days",
        doc: "The whole days of a duration that has only weeks and days.",
        example: ("period_days('P2W')", "14"),
        run: |call| {
            let period = period(call, 0)?;
            if period.months > 0 || period.seconds > 0 {
                return call.refuse(0, "it has more than weeks and days");
            }
            count(period.days)
        },
        ..OF_PERIOD
    },
    Function {
        name: "period",
        parameters: &[required("count", Kind::Number), required("unit", Kind::Text)],
        returns: |_| Type::Text,
        doc: "An ISO 8601 duration of so many years, months, weeks, days, hours, minutes or seconds.",
        example: ("period(3, 'months')", "\"P3M\""),
        errors: &["The count is no whole number from 0 to 100,000,000.", "The unit is none of these."],
        run: |call| {
            let count = u32::try_from(call.whole(0, 0, 0..=100_000_000)?).unwrap_or(0);
            let times = |factor: u32| count.checked_mul(factor).ok_or(OUT_OF_RANGE);
            let mut period = Period::default();
            match call.text(1)?.to_lowercase().trim_end_matches('s') {
                "year" => period.months = times(12)?,
                "month" => period.months = count,
                "week" => period.days = times(7)?,
                "day" => period.days = count,
                "hour" => period.seconds = times(3_600)?,
                "minute" => period.seconds = times(60)?,
                "second" => period.seconds = count,
                _ => return call.refuse(1, "write years, months, weeks, days, hours, minutes or seconds"),
            }
            Ok(call.new_text(&period.to_string()))
        },
        ..BASE
    },
];
