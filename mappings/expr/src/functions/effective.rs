//! Rows that hold from one day to another, as HR systems keep jobs and pay: which one counts on a day, and which count at
//! all. Days may be written in any of the ways of the form `erp`.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_standards::dates::Form;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::Decimal;
use std::collections::BTreeMap;

const BASE: Function = Function { topic: "Effective dates", ..FUNCTION };

/// What tells which row counts: the day on which it begins, then its number.
type Rank = (Option<Date>, Option<Decimal>);

const NO_DAY: &str = "A row's day is neither a day nor a way to write that there is none.";

/// The day under a key of a row; `None` where it has none.
fn day_of(row: Value<'_>, key: &str, place: usize) -> Result<Option<Date>, String> {
    match row.get(key) {
        Value::Date(day) => Ok(Some(day)),
        Value::Text(text) | Value::Number(text) => {
            let day = Form::Erp.read(text, None).and_then(|moment| moment.day(None));
            day.map_err(|error| format!("row {} of the list: `{key}`: {error}", place + 1))
        }
        _ => Ok(None),
    }
}

/// The number that tells rows of one day apart; the one without it comes first.
fn sequence(row: Value<'_>, key: Option<&str>) -> Option<Decimal> {
    let value = row.get(key?);
    value.as_decimal().or_else(|| hub_tree::value::parse_decimal(value.as_text()?.trim()))
}

fn key_of_sequence<'a>(call: &Call<'a, '_>, index: usize) -> Result<Option<&'a str>, String> {
    call.has(index).then(|| call.text(index)).transpose()
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "effective_on",
        parameters: &[
            required("rows", Kind::List),
            required("day", Kind::Date),
            required("from", Kind::Text),
            required("to", Kind::Text),
            optional("sequence", Kind::Text),
        ],
        returns: |types| types.first().map_or(Type::Any, Type::item),
        doc: "The row that counts on a day. `from` and `to` name the keys of its first and last day, both of which belong to it; one that is missing, or at the end of time, is open. Of several the one that begins last counts, of those that begin on one day the one with the highest number under `sequence`.",
        example: (
            "effective_on([object('a', '2020-01-01', 'n', 1), object('a', '2020-01-01', 'n', 2)], date('2026-03-01'), 'a', 'b', 'n')",
            "{\"a\":\"2020-01-01\",\"n\":2}",
        ),
        errors: &[NO_DAY],
        run: |call| {
            let (day, from, to) = (call.date(1)?, call.text(2)?, call.text(3)?);
            let number = key_of_sequence(call, 4)?;
            let mut best: Option<(Rank, Value<'_>)> = None;
            for (place, row) in call.list(0)?.iter().enumerate().filter(|(_, row)| matches!(row, Value::Map(_))) {
                call.spend(4);
                let (begins, ends) = (day_of(*row, from, place)?, day_of(*row, to, place)?);
                let rank = (begins, sequence(*row, number));
                let holds = begins.is_none_or(|begins| begins <= day) && ends.is_none_or(|ends| day <= ends);
                if holds && best.as_ref().is_none_or(|(other, _)| *other <= rank) {
                    best = Some((rank, *row));
                }
            }
            Ok(best.map(|(_, row)| row).unwrap_or_default())
        },
        ..BASE
    },
    Function {
        name: "effective_rows",
        parameters: &[required("rows", Kind::List), required("from", Kind::Text), optional("sequence", Kind::Text)],
        returns: |types| types.first().cloned().unwrap_or(Type::Any),
        doc: "The rows that count on any day, from the first to the last: of those that begin on one day only the one with the highest number under `sequence`, the last of equal ones.",
        example: (
            "effective_rows([object('a', '20200101', 'n', '1'), object('a', '20200101', 'n', '2')], 'a', 'n')",
            "[{\"a\":\"20200101\",\"n\":\"2\"}]",
        ),
        errors: &[NO_DAY],
        run: |call| {
            let (from, number) = (call.text(1)?, key_of_sequence(call, 2)?);
            let mut kept: BTreeMap<Option<Date>, (Option<Decimal>, Value<'_>)> = BTreeMap::new();
            for (place, row) in call.list(0)?.iter().enumerate().filter(|(_, row)| matches!(row, Value::Map(_))) {
                call.spend(4);
                let (day, number) = (day_of(*row, from, place)?, sequence(*row, number));
                if kept.get(&day).is_none_or(|(other, _)| *other <= number) {
                    kept.insert(day, (number, *row));
                }
            }
            call.new_list(&kept.into_values().map(|(_, row)| row).collect::<Vec<_>>())
        },
        ..BASE
    },
];
