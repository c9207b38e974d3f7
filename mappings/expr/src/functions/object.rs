//! Objects: their keys and values, put together and taken apart.

use super::{Call, FUNCTION, Function, Kind, MAX_ITEMS, optional, required};
use crate::types::Type;
use hub_tree::Value;
use std::collections::{BTreeMap, BTreeSet};

const BASE: Function = Function { topic: "Objects", parameters: &[required("object", Kind::Object)], ..FUNCTION };

const KEYED: Function =
    Function { parameters: &[required("object", Kind::Object), required("keys", Kind::Text)], repeats: true, ..BASE };

const TOO_MANY: &str = "There are more than 100,000 keys.";

/// The keys that a call names.
fn named<'a>(call: &Call<'a, '_>) -> Result<BTreeSet<&'a str>, String> {
    (1..call.arguments.len()).map(|index| call.text(index)).collect()
}

fn made<'a>(call: &Call<'a, '_>, entries: &[(&'a str, Value<'a>)]) -> Result<Value<'a>, String> {
    if entries.len() > MAX_ITEMS {
        return Err(format!("the result has more than {MAX_ITEMS} keys"));
    }
    call.spend(entries.len());
    Ok(call.arena.map(entries))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "get",
        parameters: &[required("object", Kind::Object), required("key", Kind::Text)],
        doc: "The value under a key that is computed; absent when there is none.",
        example: ("get(object('level', 'P5'), 'level')", "\"P5\""),
        run: |call| {
            call.spend(call.object(0)?.len() / 16);
            Ok(call.value(0).get(call.text(1)?))
        },
        ..BASE
    },
    Function {
        name: "keys",
        returns: |_| Type::list(Type::Text),
        doc: "The keys in the order of their source.",
        example: ("keys(object('a', 1, 'b', 2))", "[\"a\",\"b\"]"),
        errors: &[TOO_MANY],
        run: |call| call.new_list(&call.object(0)?.iter().map(|(key, _)| Value::Text(key)).collect::<Vec<_>>()),
        ..BASE
    },
    Function {
        name: "values",
        returns: |_| Type::list(Type::Any),
        doc: "The values in the order of their source.",
        example: ("values(object('a', 1, 'b', 2))", "[1,2]"),
        errors: &[TOO_MANY],
        run: |call| call.new_list(&call.object(0)?.iter().map(|(_, value)| *value).collect::<Vec<_>>()),
        ..BASE
    },
    Function {
        name: "entries",
        returns: |_| Type::list(Type::Any),
        doc: "Objects of `key` and `value`, one for each key.",
        example: ("entries(object('a', 1))", "[{\"key\":\"a\",\"value\":1}]"),
        errors: &[TOO_MANY],
        run: |call| {
            let entries = call.object(0)?.iter().take(MAX_ITEMS + 1);
            let items: Vec<Value<'_>> =
                entries.map(|(key, value)| call.arena.map(&[("key", Value::Text(key)), ("value", *value)])).collect();
            call.new_list(&items)
        },
        ..BASE
    },
    Function {
        name: "from_entries",
        parameters: &[required("entries", Kind::List)],
        doc: "An object of what `entries` gives: objects of `key` and `value`; absent values are left out.",
        example: ("from_entries([object('key', 'a', 'value', 1)])", "{\"a\":1}"),
        errors: &["An item has no `key` that is text or a number, or two have one key.", TOO_MANY],
        run: |call| {
            let mut entries = Vec::new();
            let mut seen = BTreeSet::new();
            for (index, item) in call.list(0)?.iter().enumerate().take(MAX_ITEMS + 1) {
                let key = item.get("key");
                let Some(key) = key.scalar_text(call.arena) else {
                    return call.refuse(0, format!("item {} has no `key`", index + 1));
                };
                if !seen.insert(key) {
                    return call.refuse(0, format!("item {} has the key of an earlier one", index + 1));
                }
                if !item.get("value").is_absent() {
                    entries.push((key, item.get("value")));
                }
            }
            made(call, &entries)
        },
        ..BASE
    },
    Function {
        name: "named_rows",
        parameters: &[required("rows", Kind::List), required("names", Kind::List)],
        returns: |_| Type::list(Type::Any),
        doc: "Rows whose values have no names, as objects: the first value of each is called by the first name.",
        example: ("named_rows([['E1', 5]], ['number', 'level'])", "[{\"number\":\"E1\",\"level\":5}]"),
        errors: &[
            "A row has more or fewer values than there are names.",
            "A name is no text, or stands twice.",
            TOO_MANY,
        ],
        run: |call| {
            let mut names: Vec<&str> = Vec::new();
            for name in call.list(1)?.iter().take(MAX_ITEMS) {
                match name.as_text() {
                    Some(name) if !names.contains(&name) => names.push(name),
                    Some(_) => return call.refuse(1, "a name stands twice"),
                    None => return call.wrong(1, "a list of texts"),
                }
            }
            let mut rows = Vec::new();
            for (index, row) in call.list(0)?.iter().enumerate().take(MAX_ITEMS + 1) {
                let values = row.items();
                if values.len() != names.len() {
                    let (row, found, wanted) = (index + 1, values.len(), names.len());
                    return call.refuse(0, format!("row {row} has {found} values, and there are {wanted} names"));
                }
                call.spend(values.len());
                let entries: Vec<_> = names.iter().copied().zip(values.iter().copied()).collect();
                rows.push(call.arena.map(&entries));
            }
            call.new_list(&rows)
        },
        ..BASE
    },
    Function {
        name: "object",
        parameters: &[required("key", Kind::Text), required("value", Kind::Any), optional("more", Kind::Any)],
        repeats: true,
        sees_absent: true,
        doc: "An object of keys and values in turn; a key whose value is absent is left out.",
        example: ("object('name', '李娜', 'level', 5)", "{\"name\":\"李娜\",\"level\":5}"),
        errors: &["A key is no text, stands without a value, or stands twice."],
        run: |call| {
            let mut entries: Vec<(&str, Value<'_>)> = Vec::new();
            let mut seen = BTreeSet::new();
            for (index, pair) in call.arguments.chunks(2).enumerate() {
                let key = call.text(index * 2)?;
                let [_, value] = pair else { return call.refuse(index * 2, "the key stands without a value") };
                if !seen.insert(key) {
                    return call.refuse(index * 2, "the key stands twice");
                }
                if !value.is_absent() {
                    entries.push((key, *value));
                }
            }
            made(call, &entries)
        },
        ..BASE
    },
    Function {
        name: "merge",
        parameters: &[required("objects", Kind::Object)],
        repeats: true,
        sees_absent: true,
        doc: "One object with the keys of all; where keys are equal the later value counts, unless it is absent. Absent objects are left out.",
        example: ("merge(object('a', 1, 'b', 2), object('b', 3))", "{\"a\":1,\"b\":3}"),
        errors: &[TOO_MANY],
        run: |call| {
            let mut entries: Vec<(&str, Value<'_>)> = Vec::new();
            let mut places = BTreeMap::new();
            for index in (0..call.arguments.len()).filter(|index| !call.value(*index).is_absent()) {
                for (key, value) in call.object(index)?.iter().filter(|(_, value)| !value.is_absent()) {
                    let place = *places.entry(*key).or_insert(entries.len());
                    match entries.get_mut(place) {
                        Some(entry) => entry.1 = *value,
                        None => entries.push((key, *value)),
                    }
                    if entries.len() > MAX_ITEMS {
                        return made(call, &entries);
                    }
                }
            }
            made(call, &entries)
        },
        ..BASE
    },
    Function {
        name: "pick",
        doc: "An object of the named keys only; those that it does not have are left out.",
        example: ("pick(object('a', 1, 'b', 2), 'a', 'c')", "{\"a\":1}"),
        errors: &[TOO_MANY],
        run: |call| {
            let keys = named(call)?;
            let kept = call.object(0)?.iter().filter(|(key, _)| keys.contains(key));
            made(call, &kept.copied().collect::<Vec<_>>())
        },
        ..KEYED
    },
    Function {
        name: "omit",
        doc: "An object without the named keys.",
        example: ("omit(object('a', 1, 'b', 2), 'a')", "{\"b\":2}"),
        errors: &[TOO_MANY],
        run: |call| {
            let keys = named(call)?;
            let kept = call.object(0)?.iter().filter(|(key, _)| !keys.contains(key));
            made(call, &kept.copied().collect::<Vec<_>>())
        },
        ..KEYED
    },
    Function {
        name: "numbered",
        parameters: &[required("object", Kind::Object), required("names", Kind::Text)],
        repeats: true,
        returns: |_| Type::list(Type::Any),
        doc: "Fields that are numbered, as rows: one object for each number behind the first name, by rising number, that holds what stands under each of the names with that number. Numbers whose first field is empty are left out.",
        example: (
            "numbered(object('TYPE01', '1010', 'AMOUNT01', '9.50', 'TYPE02', ''), 'TYPE', 'AMOUNT')",
            "[{\"TYPE\":\"1010\",\"AMOUNT\":\"9.50\"}]",
        ),
        run: numbered,
        ..BASE
    },
];

fn numbered<'a>(call: &Call<'a, '_>) -> Result<Value<'a>, String> {
    let fields = call.object(0)?;
    let first = call.text(1)?;
    let mut numbers: Vec<(u32, &str)> = Vec::new();
    for (key, value) in fields {
        let digits = key.strip_prefix(first).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let filled = !value.is_absent() && !matches!(value, Value::Text(text) if text.trim().is_empty());
        if let Some((digits, number)) = digits.and_then(|digits| Some((digits, digits.parse().ok()?)))
            && filled
        {
            numbers.push((number, digits));
        }
    }
    numbers.sort_unstable();
    call.spend(fields.len() + numbers.len() * fields.len() / 16);
    let mut rows = Vec::with_capacity(numbers.len());
    for (_, digits) in numbers {
        let mut row = Vec::new();
        for index in 1..call.arguments.len() {
            let name = call.text(index)?;
            let of_number = |key: &str| key.strip_prefix(name) == Some(digits);
            let found = fields.iter().find(|(key, value)| of_number(key) && !value.is_absent());
            row.extend(found.map(|(_, value)| (name, *value)));
        }
        rows.push(call.arena.map(&row));
    }
    call.new_list(&rows)
}
