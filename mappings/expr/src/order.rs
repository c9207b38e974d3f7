//! The order of values: sorting, and finding equal ones without comparing each with each.

use hub_tree::Value;
use std::cmp::Ordering;

/// The items in the rising order of their keys, absent keys last; equal ones stay in their order.
///
/// # Errors
/// Keys of different kinds, of a kind without an order, or numbers of more than 28 digits.
pub(crate) fn sorted<'a>(mut keyed: Vec<(Value<'a>, Value<'a>)>) -> Result<Vec<Value<'a>>, String> {
    let mut kind = None;
    for (key, _) in keyed.iter().filter(|(key, _)| !key.is_absent()) {
        let ordered = match key {
            Value::Number(_) if key.as_decimal().is_none() => {
                return Err("a number to sort by has more than 28 digits".to_owned());
            }
            Value::Number(_) | Value::Decimal(_) | Value::Text(_) | Value::Date(_) | Value::DateTime(_) => key.kind(),
            key => return Err(format!("{} has no order to sort by", key.kind())),
        };
        if *kind.get_or_insert(ordered) != ordered {
            return Err(format!("{} and {ordered} have no order between them", kind.unwrap_or_default()));
        }
    }
    keyed.sort_by(|(one, _), (other, _)| match (one.is_absent(), other.is_absent()) {
        (false, false) => total(*one, *other),
        (one, other) => one.cmp(&other),
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// The first item of each key, in order.
pub(crate) fn unique<'a>(keyed: impl Iterator<Item = (Value<'a>, Value<'a>)>) -> Vec<Value<'a>> {
    groups(keyed).into_iter().filter_map(|(_, items)| items.first().copied()).collect()
}

/// The items by key, in the order of the keys' first occurrence.
pub(crate) fn groups<'a>(keyed: impl Iterator<Item = (Value<'a>, Value<'a>)>) -> Vec<(Value<'a>, Vec<Value<'a>>)> {
    let mut places: Vec<(usize, Value<'a>, Value<'a>)> =
        keyed.enumerate().map(|(place, (key, item))| (place, key, item)).collect();
    places.sort_by(|one, other| total(one.1, other.1).then(one.0.cmp(&other.0)));
    let mut groups: Vec<(usize, Value<'a>, Vec<Value<'a>>)> = Vec::new();
    for (place, key, item) in places {
        match groups.last_mut().filter(|group| total(group.1, key) == Ordering::Equal) {
            Some(group) => group.2.push(item),
            None => groups.push((place, key, vec![item])),
        }
    }
    groups.sort_by_key(|group| group.0);
    groups.into_iter().map(|(_, key, items)| (key, items)).collect()
}

/// An order of all values in which exactly equal ones are equal.
fn total(one: Value<'_>, other: Value<'_>) -> Ordering {
    match (one, other) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(&b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(&b),
        (Value::Number(_) | Value::Decimal(_), Value::Number(_) | Value::Decimal(_)) => {
            match (one.as_decimal(), other.as_decimal(), one, other) {
                (Some(a), Some(b), ..) => a.cmp(&b),
                // Numbers of more digits than a decimal has are equal when they are written alike.
                (None, None, Value::Number(a), Value::Number(b)) => a.cmp(b),
                (a, b, ..) => a.is_some().cmp(&b.is_some()),
            }
        }
        (Value::List(a), Value::List(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| total(*a, *b)).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Map(a), Value::Map(b)) => {
            let (a, b) = (by_key(a.entries()), by_key(b.entries()));
            let entry = |((a_key, a), (b_key, b)): (&(&str, Value<'_>), &(&str, Value<'_>))| {
                a_key.cmp(b_key).then_with(|| total(*a, *b))
            };
            let first = a.iter().zip(&b).map(entry).find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn by_key<'a>(entries: &[(&'a str, Value<'a>)]) -> Vec<(&'a str, Value<'a>)> {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

fn rank(value: Value<'_>) -> u8 {
    match value {
        Value::Absent => 0,
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) | Value::Decimal(_) => 3,
        Value::Text(_) => 4,
        Value::Date(_) => 5,
        Value::DateTime(_) => 6,
        Value::List(_) => 7,
        Value::Map(_) => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Arena;
    use proptest::prelude::*;

    /// A value out of numbers, some of them equal in different clothes.
    fn made<'a>(arena: &'a Arena, seed: &[u8]) -> Value<'a> {
        let (first, rest) = seed.split_first().unwrap_or((&0, &[]));
        match first % 12 {
            0 => Value::Absent,
            1 => Value::Null,
            2 => Value::Bool(first & 16 > 0),
            3 => Value::Number("1.0"),
            4 => Value::Decimal(1.into()),
            5 => Value::Number("2"),
            6 => Value::Number("123456789012345678901234567890123"),
            7 => Value::Text("1"),
            8 => arena.list(&[made(arena, rest)]),
            9 => arena.list(&[made(arena, rest), Value::Null]),
            10 => arena.map(&[("a", made(arena, rest)), ("b", Value::Null)]),
            _ => arena.map(&[("b", Value::Null), ("a", made(arena, rest))]),
        }
    }

    proptest! {
        #[test]
        fn the_order_knows_equal_values_and_only_those(a in prop::collection::vec(0_u8..32, 0..4), b in prop::collection::vec(0_u8..32, 0..4)) {
            let arena = Arena::new();
            let (a, b) = (made(&arena, &a), made(&arena, &b));
            prop_assert_eq!(total(a, b) == Ordering::Equal, a == b);
            prop_assert_eq!(total(a, b), total(b, a).reverse());
        }
    }

    #[test]
    fn sorting_is_stable_and_refuses_mixtures() {
        let number = Value::Number;
        let sorted_by = |keys: &[Value<'static>]| {
            let names = ["a", "b", "c", "d"];
            let keyed = keys.iter().zip(names).map(|(key, name)| (*key, Value::Text(name))).collect();
            sorted(keyed).map(|items| items.iter().filter_map(Value::as_text).collect::<String>())
        };
        assert_eq!(sorted_by(&[number("2"), number("10"), number("2.0"), number("1")]).as_deref(), Ok("dacb"));
        assert_eq!(sorted_by(&[Value::Null, Value::Text("b"), Value::Text("a")]).as_deref(), Ok("cba"));
        assert!(sorted_by(&[number("2"), Value::Text("b")]).unwrap_err().contains("no order between"));
        assert!(sorted_by(&[Value::Bool(true)]).unwrap_err().contains("has no order"));
    }
}
