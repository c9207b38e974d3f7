//! Maps from entries whose keys may repeat, as in XML and forms.

use crate::arena::Arena;
use crate::value::Value;

/// A map in which each repeated key stands once, at its first place, with the list of its values in order.
pub(crate) fn map<'a>(arena: &'a Arena, entries: &[(&'a str, Value<'a>)]) -> Value<'a> {
    if entries.len() <= FEW && !any_twice(entries) {
        return arena.map(entries);
    }
    // Equal keys side by side, each group in the order of its entries.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|at| entries[*at].0);
    let mut groups: Vec<&[usize]> = order.chunk_by(|a, b| entries[*a].0 == entries[*b].0).collect();
    groups.sort_by_key(|group| group.first().copied());
    let joined: Vec<(&str, Value<'a>)> = groups
        .into_iter()
        .filter_map(|group| match group {
            [] => None,
            [one] => Some(entries[*one]),
            [first, ..] => {
                let values: Vec<Value<'a>> = group.iter().map(|at| entries[*at].1).collect();
                Some((entries[*first].0, arena.list(&values)))
            }
        })
        .collect();
    arena.map(&joined)
}

/// Up to this many entries, a look at each pair of keys that may be equal is quicker than sorting.
const FEW: usize = 128;

/// Whether a key stands twice. Keys are compared only where they fall on the same bit of a small table.
fn any_twice(entries: &[(&str, Value<'_>)]) -> bool {
    let mut seen = [0_u64; 16];
    for (at, (key, _)) in entries.iter().enumerate() {
        let mixed = mixed(key);
        let (word, bit) = ((mixed >> 58) as usize & 15, 1 << (mixed >> 52 & 63));
        if seen[word] & bit != 0 && entries[..at].iter().any(|(other, _)| other == key) {
            return true;
        }
        seen[word] |= bit;
    }
    false
}

/// A number in which keys differ most of the time: by their length, first and last bytes.
fn mixed(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let word = |found: Option<&[u8; 8]>| found.map(|word| u64::from_le_bytes(*word));
    let ends = match (word(bytes.first_chunk()), word(bytes.last_chunk())) {
        (Some(first), Some(last)) => first ^ last.rotate_left(29),
        _ => bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    (ends ^ bytes.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    #[test]
    fn a_repeated_key_stands_at_its_first_place_in_few_and_in_many_entries() {
        let arena = Arena::new();
        let entries = ["b", "a", "b", "c", "a", "b"].map(|key| (key, Value::Bool(key == "a")));
        let wanted = r#"{"b":[false,false,false],"a":[true,true],"c":false}"#;
        assert_eq!(json::to_string(&map(&arena, &entries)), wanted);
        let keys: Vec<String> = (0..100).map(|i| format!("k{}", i % 60)).collect();
        let entries: Vec<_> = keys.iter().map(|key| (key.as_str(), Value::Text("x"))).collect();
        let many = map(&arena, &entries);
        assert_eq!(many.entries().len(), 60);
        assert_eq!(many.get("k39").items().len(), 2);
        assert_eq!(many.get("k40"), Value::Text("x"));
        assert_eq!(many.entries()[59].0, "k59");
    }

    proptest! {
        #[test]
        fn every_value_is_under_its_key_in_order(keys in proptest::collection::vec("[ab]{0,8}", 0..200)) {
            let arena = Arena::new();
            let entries: Vec<_> = keys.iter().enumerate()
                .map(|(at, key)| (key.as_str(), Value::Text(arena.format(format_args!("{at}"))))).collect();
            let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
            for (key, value) in &entries {
                let value = value.as_text().unwrap();
                match wanted.iter_mut().find(|(seen, _)| seen == key) {
                    Some((_, values)) => values.push(value),
                    None => wanted.push((key, vec![value])),
                }
            }
            let found = map(&arena, &entries);
            let found: Vec<(&str, Vec<&str>)> = found.entries().iter().map(|(key, value)| {
                let texts = value.items().iter().filter_map(Value::as_text);
                (*key, value.as_text().into_iter().chain(texts).collect())
            }).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
