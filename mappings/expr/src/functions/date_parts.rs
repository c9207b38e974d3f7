//! Parts of a day, and the days that begin and end what it lies in.

use super::{Call, FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_standards::periods;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

const PART: Function = Function {
    topic: "Parts of a day",
    parameters: &[required("date", Kind::Date)],
    returns: |_| Type::Number,
    ..FUNCTION
};

const DAY: Function = Function { returns: |_| Type::Date, ..PART };

fn part<'a>(call: &Call<'a, '_>, of: fn(Date) -> i16) -> Result<Value<'a>, String> {
    Ok(Value::Decimal(of(call.date(0)?).into()))
}

fn day<'a>(call: &Call<'a, '_>, of: fn(Date) -> Date) -> Result<Value<'a>, String> {
    Ok(Value::Date(of(call.date(0)?)))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "year",
        doc: "The year of a day.",
        example: ("year(date('2026-03-01'))", "2026"),
        run: |call| part(call, Date::year),
        ..PART
    },
    Function {
        name: "quarter",
        doc: "The quarter of a day, from 1.",
        example: ("quarter(date('2026-03-01'))", "1"),
        run: |call| part(call, |day| periods::quarter(day).into()),
        ..PART
    },
    Function {
        name: "month",
        doc: "The month of a day, from 1.",
        example: ("month(date('2026-03-01'))", "3"),
        run: |call| part(call, |day| day.month().into()),
        ..PART
    },
    Function {
        name: "day",
        doc: "The day of its month, from 1.",
        example: ("day(date('2026-03-01'))", "1"),
        run: |call| part(call, |day| day.day().into()),
        ..PART
    },
    Function {
        name: "weekday",
        doc: "The day of its week: 1 is Monday, 7 is Sunday.",
        example: ("weekday(date('2026-03-01'))", "7"),
        run: |call| part(call, |day| day.weekday().to_monday_one_offset().into()),
        ..PART
    },
    Function {
        name: "iso_week",
        doc: "The week of ISO 8601, from 1; the first days of a year may lie in the last week of the year before.",
        example: ("iso_week(date('2027-01-01'))", "53"),
        run: |call| part(call, |day| day.iso_week_date().week().into()),
        ..PART
    },
    Function {
        name: "iso_week_year",
        doc: "The year that the week of ISO 8601 belongs to.",
        example: ("iso_week_year(date('2027-01-01'))", "2026"),
        run: |call| part(call, |day| day.iso_week_date().year()),
        ..PART
    },
    Function {
        name: "day_of_year",
        doc: "The day of its year, from 1.",
        example: ("day_of_year(date('2024-12-31'))", "366"),
        run: |call| part(call, Date::day_of_year),
        ..PART
    },
    Function {
        name: "days_in_month",
        doc: "How many days the month of a day has.",
        example: ("days_in_month(date('2024-02-10'))", "29"),
        run: |call| part(call, |day| day.days_in_month().into()),
        ..PART
    },
    Function {
        name: "month_start",
        doc: "The first day of its month.",
        example: ("month_start(date('2026-03-17'))", "\"2026-03-01\""),
        run: |call| day(call, Date::first_of_month),
        ..DAY
    },
    Function {
        name: "month_end",
        doc: "The last day of its month.",
        example: ("month_end(date('2024-02-10'))", "\"2024-02-29\""),
        run: |call| day(call, Date::last_of_month),
        ..DAY
    },
    Function {
        name: "quarter_start",
        doc: "The first day of its quarter.",
        example: ("quarter_start(date('2026-05-17'))", "\"2026-04-01\""),
        run: |call| day(call, periods::first_of_quarter),
        ..DAY
    },
    Function {
        name: "quarter_end",
        doc: "The last day of its quarter.",
        example: ("quarter_end(date('2026-05-17'))", "\"2026-06-30\""),
        run: |call| day(call, periods::last_of_quarter),
        ..DAY
    },
    Function {
        name: "year_start",
        doc: "The first day of its year.",
        example: ("year_start(date('2026-05-17'))", "\"2026-01-01\""),
        run: |call| day(call, Date::first_of_year),
        ..DAY
    },
    Function {
        name: "year_end",
        doc: "The last day of its year.",
        example: ("year_end(date('2026-05-17'))", "\"2026-12-31\""),
        run: |call| day(call, Date::last_of_year),
        ..DAY
    },
];
