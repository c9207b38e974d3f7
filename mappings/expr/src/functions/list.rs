//! Lists: what they hold, in which order, in which pieces.

use super::{Call, FUNCTION, Function, Kind, MAX_ITEMS, optional, required};
use crate::order;
use crate::types::Type;
use hub_tree::Value;
use hub_tree::rust_decimal::Decimal;

const BASE: Function =
    Function { topic: "Lists", parameters: &[required("list", Kind::List)], returns: item, ..FUNCTION };

const SAME: Function = Function { returns: |types| types.first().cloned().unwrap_or(Type::Any), ..BASE };

const COUNTED: Function = Function {
    parameters: &[required("list", Kind::List), required("count", Kind::Number)],
    errors: &["`count` is no whole number from 0 to 1,000,000."],
    ..SAME
};

const OF_VALUE: Function =
    Function { parameters: &[required("list", Kind::List), required("value", Kind::Any)], ..BASE };

const TOO_LONG: &str = "The result has more than 100,000 items.";

fn item(types: &[Type]) -> Type {
    types.first().map_or(Type::Any, Type::item)
}

/// Where the value first stands in the list.
fn place(call: &Call<'_, '_>) -> Result<Option<usize>, String> {
    let (items, wanted) = (call.list(0)?, call.value(1));
    call.weigh(Value::List(items))?;
    call.weigh(wanted)?;
    Ok(items.iter().position(|item| *item == wanted))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "first",
        picks_item: true,
        doc: "The first item; absent when the list is empty.",
        example: ("first(['a', 'b'])", "\"a\""),
        run: |call| Ok(call.list(0)?.first().copied().unwrap_or_default()),
        ..BASE
    },
    Function {
        name: "last",
        picks_item: true,
        doc: "The last item; absent when the list is empty.",
        example: ("last(['a', 'b'])", "\"b\""),
        run: |call| Ok(call.list(0)?.last().copied().unwrap_or_default()),
        ..BASE
    },
    Function {
        name: "only",
        picks_item: true,
        doc: "The item of a list of one; absent when the list is empty.",
        example: ("only(['a'])", "\"a\""),
        errors: &["The list has more than one item."],
        run: |call| match call.list(0)? {
            [] => Ok(Value::Absent),
            [item] => Ok(*item),
            items => call.refuse(0, format!("the list has {} items, not one", items.len())),
        },
        ..BASE
    },
    Function {
        name: "count",
        returns: |_| Type::Number,
        doc: "How many items the list has.",
        example: ("count(['a', 'b'])", "2"),
        run: |call| Ok(Value::Decimal(call.list(0)?.len().into())),
        ..BASE
    },
    Function {
        name: "present",
        doc: "The items that are there: neither missing nor null.",
        example: ("present(['a', null])", "[\"a\"]"),
        errors: &[TOO_LONG],
        run: |call| {
            let kept: Vec<Value<'_>> = call.list(0)?.iter().filter(|item| !item.is_absent()).copied().collect();
            call.new_list(&kept)
        },
        ..SAME
    },
    Function {
        name: "unique",
        doc: "The items without repetitions, in the order of their first occurrence.",
        example: ("unique(['a', 'b', 'a'])", "[\"a\",\"b\"]"),
        errors: &["The list has more than 100,000 items, or is too large to be compared."],
        run: |call| {
            let items = call.list(0)?;
            call.weigh(Value::List(items))?;
            call.new_list(&order::unique(items.iter().map(|item| (*item, *item))))
        },
        ..SAME
    },
    Function {
        name: "sort",
        doc: "The items in rising order, numbers by value, texts letter by letter; equal ones stay in their order, absent ones come last.",
        example: ("sort([3, 1, 2])", "[1,2,3]"),
        errors: &["The items are not of one kind, or of one that has no order.", TOO_LONG],
        run: |call| {
            let items = call.list(0)?;
            call.spend(items.len());
            call.new_list(&order::sorted(items.iter().map(|item| (*item, *item)).collect())?)
        },
        ..SAME
    },
    Function {
        name: "reverse",
        doc: "The items from the last to the first.",
        example: ("reverse([1, 2, 3])", "[3,2,1]"),
        errors: &[TOO_LONG],
        run: |call| call.new_list(&call.list(0)?.iter().rev().copied().collect::<Vec<_>>()),
        ..SAME
    },
    Function {
        name: "take",
        doc: "The first items, so many at most.",
        example: ("take([1, 2, 3], 2)", "[1,2]"),
        run: |call| {
            let items = call.list(0)?;
            Ok(Value::List(&items[..call.size(1, 0)?.min(items.len())]))
        },
        ..COUNTED
    },
    Function {
        name: "skip",
        doc: "The items without the first ones.",
        example: ("skip([1, 2, 3], 2)", "[3]"),
        run: |call| {
            let items = call.list(0)?;
            Ok(Value::List(&items[call.size(1, 0)?.min(items.len())..]))
        },
        ..COUNTED
    },
    Function {
        name: "flatten",
        returns: |types| match item(types) {
            Type::List(inner) => Type::List(inner),
            _ => Type::list(Type::Any),
        },
        doc: "The items of the lists in a list, one level deep; other items stay, absent ones are left out.",
        example: ("flatten([[1, 2], 3, [4]])", "[1,2,3,4]"),
        errors: &[TOO_LONG],
        run: |call| {
            let mut made: Vec<Value<'_>> = Vec::new();
            for item in call.list(0)? {
                match item {
                    Value::List(inner) if inner.len() > MAX_ITEMS => return call.new_list(inner),
                    Value::List(inner) => made.extend_from_slice(inner),
                    item if item.is_absent() => {}
                    item => made.push(*item),
                }
                if made.len() > MAX_ITEMS {
                    break;
                }
            }
            call.new_list(&made)
        },
        ..BASE
    },
    Function {
        name: "concat",
        parameters: &[required("lists", Kind::List)],
        repeats: true,
        sees_absent: true,
        returns: |types| {
            let all = types.iter().cloned().map(Some).reduce(|one, other| one?.unify(&other?));
            match all.flatten() {
                Some(Type::List(item)) => Type::List(item),
                _ => Type::list(Type::Any),
            }
        },
        doc: "The items of all lists, one after the other; absent lists are left out.",
        example: ("concat([1], null, [2, 3])", "[1,2,3]"),
        errors: &[TOO_LONG],
        run: |call| {
            let mut made = Vec::new();
            for index in (0..call.arguments.len()).filter(|index| !call.value(*index).is_absent()) {
                made.extend_from_slice(call.list(index)?);
                if made.len() > MAX_ITEMS {
                    break;
                }
            }
            call.new_list(&made)
        },
        ..BASE
    },
    Function {
        name: "index_of",
        returns: |_| Type::Number,
        doc: "Where the value first stands in the list, counted from 0; absent when it does not.",
        example: ("index_of(['a', 'b'], 'b')", "1"),
        errors: &["The list is too large to be compared."],
        run: |call| Ok(place(call)?.map_or(Value::Absent, |at| Value::Decimal(at.into()))),
        ..OF_VALUE
    },
    Function {
        name: "contains_item",
        returns: |_| Type::Bool,
        doc: "Whether an item of the list equals the value; values of another kind do not.",
        example: ("contains_item([1, 'a'], 'a')", "true"),
        errors: &["The list is too large to be compared."],
        run: |call| Ok(Value::Bool(place(call)?.is_some())),
        ..OF_VALUE
    },
    Function {
        name: "zip",
        parameters: &[required("list", Kind::List), required("other", Kind::List)],
        returns: |_| Type::list(Type::list(Type::Any)),
        doc: "Pairs of the items that stand at one place in both lists.",
        example: ("zip(['a', 'b'], [1, 2])", "[[\"a\",1],[\"b\",2]]"),
        errors: &["The lists are not of one length.", TOO_LONG],
        run: |call| {
            let (one, other) = (call.list(0)?, call.list(1)?);
            if one.len() != other.len() {
                return call.refuse(1, format!("it has {} items, the first list {}", other.len(), one.len()));
            }
            let pairs = one.iter().zip(other).take(MAX_ITEMS + 1).map(|(a, b)| call.arena.list(&[*a, *b]));
            call.new_list(&pairs.collect::<Vec<_>>())
        },
        ..BASE
    },
    Function {
        name: "chunk",
        parameters: &[required("list", Kind::List), required("size", Kind::Number)],
        returns: |types| Type::list(Type::list(item(types))),
        doc: "The items in lists of so many; the last may be shorter.",
        example: ("chunk([1, 2, 3], 2)", "[[1,2],[3]]"),
        errors: &["`size` is no whole number from 1 to 1,000,000.", TOO_LONG],
        run: |call| {
            let size = usize::try_from(call.whole(1, 1, 1..=1_000_000)?).unwrap_or(1);
            call.new_list(&call.list(0)?.chunks(size).map(Value::List).collect::<Vec<_>>())
        },
        ..BASE
    },
    Function {
        name: "range",
        parameters: &[required("from", Kind::Number), required("to", Kind::Number), optional("step", Kind::Number)],
        returns: |_| Type::list(Type::Number),
        doc: "The numbers from one to another, both included, by a step (1 unless told); none when the step leads away.",
        example: ("range(1, 4)", "[1,2,3,4]"),
        errors: &["`step` is zero.", "The result has more than 100,000 items."],
        run: |call| {
            let (from, to) = (call.number(0)?, call.number(1)?);
            let step = if call.has(2) { call.number(2)? } else { Decimal::ONE };
            if step.is_zero() {
                return call.refuse(2, "the step is zero");
            }
            let mut made = Vec::new();
            let mut next = Some(from);
            while let Some(number) = next.filter(|n| if step > Decimal::ZERO { *n <= to } else { *n >= to }) {
                made.push(Value::Decimal(number));
                if made.len() > MAX_ITEMS {
                    break;
                }
                // Beyond 28 digits a step may be lost; it must still lead on.
                next = number.checked_add(step).filter(|after| *after != number);
            }
            call.new_list(&made)
        },
        ..BASE
    },
    Function {
        name: "unnest",
        parameters: &[required("list", Kind::List), required("above", Kind::Text), required("keys", Kind::Text)],
        repeats: true,
        returns: |_| Type::list(Type::Any),
        doc: "The objects that the items of a list hold under a key, or under keys one below the other, in one list. Each also holds, under the name `above`, the item that it stood in, without the first of the keys.",
        example: (
            "unnest([object('id', 7, 'lines', [object('sku', 'a')])], 'order', 'lines')",
            "[{\"sku\":\"a\",\"order\":{\"id\":7}}]",
        ),
        errors: &[TOO_LONG],
        run: unnest,
        ..BASE
    },
];

fn unnest<'a>(call: &Call<'a, '_>) -> Result<Value<'a>, String> {
    let above = call.text(1)?;
    let keys: Vec<&str> = (2..call.arguments.len()).map(|index| call.text(index)).collect::<Result<_, _>>()?;
    let mut made = Vec::new();
    for item in call.list(0)? {
        let mut level = vec![*item];
        let first = keys.first().copied().unwrap_or_default();
        let rest: Vec<_> = item.entries().iter().filter(|(key, _)| *key != first).copied().collect();
        let item = call.arena.map(&rest);
        for key in &keys {
            level = level.iter().flat_map(|value| below(value, key)).collect();
            call.spend(level.len());
        }
        for object in level {
            let Value::Map(fields) = object else { continue };
            call.spend(fields.entries().len());
            let kept = fields.entries().iter().filter(|(key, _)| *key != above).copied();
            made.push(call.arena.map(&kept.chain([(above, item)]).collect::<Vec<_>>()));
            if made.len() > MAX_ITEMS {
                return call.new_list(&made);
            }
        }
    }
    call.new_list(&made)
}

/// What stands under a key of a value; of a list, its items.
fn below<'a>(value: &Value<'a>, key: &str) -> Vec<Value<'a>> {
    match value.get(key) {
        Value::List(items) => items.to_vec(),
        found if found.is_absent() => Vec::new(),
        found => vec![found],
    }
}
