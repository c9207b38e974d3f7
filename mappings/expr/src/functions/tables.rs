//! Tables: what stands under a key on a day, and which row is in force for a number.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use hub_standards::dates::iso_day;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

const BASE: Function = Function { topic: "Tables", ..FUNCTION };

/// The value under `key` in a list of rows `{from, to, valid_from?, valid_to?}`.
fn in_rows<'a>(call: &Call<'a, '_>, rows: &'a [Value<'a>]) -> Result<Value<'a>, String> {
    let key = call.value(1);
    let on = if call.has(2) { Some(call.date(2)?) } else { None };
    call.spend(rows.len());
    let mut found = None;
    for (index, row) in rows.iter().enumerate() {
        let from = row.get("from");
        let row_is = |what: &str| format!("{}: row {} {what}", call.argument(0), index + 1);
        match (from, key) {
            (Value::Text(from), Value::Text(key)) if from == key => {}
            (Value::Text(_), Value::Text(_)) => continue,
            (from, key) => match (from.as_decimal(), key.as_decimal()) {
                (Some(from), Some(key)) if from == key => {}
                (Some(_), Some(_)) => continue,
                _ if from.is_absent() => return Err(row_is("has no `from`")),
                _ => return Err(row_is(&format!("has {} as `from`, the key is {}", from.kind(), key.kind()))),
            },
        }
        let day = |name: &str| -> Result<Option<Date>, String> {
            match row.get(name) {
                value if value.is_absent() => Ok(None),
                Value::Date(day) => Ok(Some(day)),
                Value::Text(text) => match iso_day(text) {
                    Some(day) => Ok(Some(day)),
                    None => Err(row_is(&format!("has a `{name}` that is no ISO date"))),
                },
                value => Err(row_is(&format!("has {} as `{name}`", value.kind()))),
            }
        };
        let (begins, ends) = (day("valid_from")?, day("valid_to")?);
        if on.is_some_and(|on| begins.is_some_and(|begins| on < begins) || ends.is_some_and(|ends| on > ends)) {
            continue;
        }
        if found.is_some() {
            let help = if on.is_some() {
                "two rows are in force for the key"
            } else {
                "two rows have the key: say on which day"
            };
            return call.refuse(0, help);
        }
        found = Some(row.get("to"));
    }
    Ok(found.unwrap_or_default())
}

/// Where a row of a bracket table begins, and whether at that number or above it.
fn beginning<'a>(call: &Call<'a, '_>, index: usize, row: Value<'a>) -> Result<(Value<'a>, bool, Value<'a>), String> {
    match row {
        Value::List([from, value]) => Ok((*from, false, *value)),
        Value::Map(map) => match (map.get("from"), map.get("above")) {
            (from, above) if above.is_absent() && !from.is_absent() => Ok((from, false, row)),
            (from, above) if from.is_absent() && !above.is_absent() => Ok((above, true, row)),
            _ => call.refuse(0, format!("row {} needs either `from` or `above`", index + 1)),
        },
        _ => call.refuse(0, format!("row {} is {}, no object and no pair", index + 1, row.kind())),
    }
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "lookup",
        parameters: &[required("table", Kind::Any), required("key", Kind::Any), optional("on_date", Kind::Date)],
        doc: "What stands under a key; absent when nothing does. The table is an object, or a list of rows {from, to, valid_from, valid_to} of which the one in force on the day counts, first and last day included; a bound that is left out is open.",
        example: (
            "lookup([object('from', 'R1', 'to', 'Sales', 'valid_to', '2025-12-31'), object('from', 'R1', 'to', 'Growth', 'valid_from', '2026-01-01')], 'R1', date('2026-03-01'))",
            "\"Growth\"",
        ),
        errors: &[
            "Two rows are in force for the key, or have it and no day is given.",
            "A row has no `from`, one of another kind than the key, or a bound that is no date.",
        ],
        run: |call| match call.value(0) {
            Value::Map(map) => {
                call.spend(map.entries().len() / 16);
                Ok(map.get(call.scalar(1)?))
            }
            Value::List(rows) => in_rows(call, rows),
            _ => call.wrong(0, "an object or a list of rows"),
        },
        ..BASE
    },
    Function {
        name: "bracket",
        parameters: &[required("table", Kind::List), required("number", Kind::Number)],
        doc: "The row of a table that is in force for a number: the last whose `from` is not above it, or whose `above` is below it. Of a pair [from, value] the value. Absent below the first row.",
        example: ("bracket([[0, 0.03], [36000, 0.1], [144000, 0.2]], 36000)", "0.1"),
        errors: &[
            "A row has neither or both of `from` and `above`.",
            "The rows do not rise, or mix `from` and `above`.",
        ],
        run: |call| {
            let number = call.number(1)?;
            let (mut found, mut last) = (Value::Absent, None);
            let rows = call.list(0)?;
            call.spend(rows.len());
            for (index, row) in rows.iter().enumerate() {
                let (from, above, value) = beginning(call, index, *row)?;
                let Some(from) = from.as_decimal() else {
                    return call.refuse(0, format!("row {} begins with {}, not with a number", index + 1, from.kind()));
                };
                if last.is_some_and(|(last, was)| from <= last || was != above) {
                    return call.refuse(
                        0,
                        format!("row {} does not begin above the one before, or in another way", index + 1),
                    );
                }
                last = Some((from, above));
                if from < number || (from == number && !above) {
                    found = value;
                }
            }
            Ok(found)
        },
        ..BASE
    },
];
