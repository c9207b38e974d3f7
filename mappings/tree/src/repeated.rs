//! Maps from entries whose keys may repeat, as in XML and forms.

use crate::arena::Arena;
use crate::value::Value;

/// Up to this many entries are compared pair by pair, which is quicker than sorting them.
const FEW: usize = 16;

/// A map in which each repeated key stands once, at its first place, with the list of its values in order.
pub(crate) fn map<'a>(arena: &'a Arena, entries: &[(&'a str, Value<'a>)]) -> Value<'a> {
    if entries.len() <= FEW
        && !entries.iter().enumerate().any(|(at, (key, _))| entries[..at].iter().any(|e| e.0 == *key))
    {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

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
}
