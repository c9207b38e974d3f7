//! What a payload says and no rule reads: reported, and kept in `ext` of the record it belongs to.

use crate::mapping::{Leftovers, Mapping, PathSet};
use hub_tree::{Arena, Value};
use std::collections::BTreeSet;

/// Longest list of unread paths; a payload may hold millions of odd keys.
const MAX_PATHS: usize = 1_000;

impl Mapping {
    /// Source paths that hold something, that no rule reads and that nobody told to ignore: the highest of each
    /// branch; items are written `[]`. At most 1,000.
    #[must_use]
    pub fn unread(&self, payload: Value<'_>) -> Vec<String> {
        let mut found = BTreeSet::new();
        collect(payload, Some(&self.known), &mut "payload".to_owned(), &mut found);
        found.into_iter().collect()
    }
}

/// Nothing that would be lost: null and empty containers say nothing.
fn says_nothing(value: Value<'_>) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.entries().is_empty(),
        value => value.is_absent(),
    }
}

fn collect(value: Value<'_>, known: Option<&PathSet>, path: &mut String, found: &mut BTreeSet<String>) {
    if says_nothing(value) || known.is_some_and(|set| set.whole) || found.len() >= MAX_PATHS {
        return;
    }
    let length = path.len();
    match (value, known) {
        (Value::Map(map), Some(set)) if !set.is_empty() => {
            // Paths through a list's items reach an object that stands for a list of one.
            let set = if set.keys.is_empty() { set.items.as_deref().unwrap_or(set) } else { set };
            for (key, value) in map.entries() {
                path.push('.');
                path.push_str(key);
                collect(*value, set.key(key), path, found);
                path.truncate(length);
            }
        }
        (Value::List(items), Some(set)) if !set.is_empty() => {
            path.push_str("[]");
            for item in items {
                collect(*item, set.items.as_deref(), path, found);
            }
            path.truncate(length);
        }
        // A single value that stands for a list of one is read through its items.
        (_, Some(set)) if set.items.as_ref().is_some_and(|items| items.whole) => {}
        _ => {
            found.insert(path.clone());
        }
    }
}

impl Leftovers {
    /// What is left of the payload's part when everything read, ignored or another record's is taken away.
    pub(crate) fn of<'a>(&self, arena: &'a Arena, payload: Value<'a>) -> Value<'a> {
        let part = self.path.iter().fold(payload, |value, key| value.get(key));
        match left(arena, part, Some(&self.taken), &mut Vec::new()) {
            Left::All => part,
            Left::Some(value) => value,
            Left::Nothing => Value::Absent,
        }
    }
}

/// What is left of a value.
enum Left<'a> {
    /// The value as it is: nothing needs to be copied.
    All,
    Some(Value<'a>),
    Nothing,
}

fn left<'a>(
    arena: &'a Arena,
    value: Value<'a>,
    taken: Option<&PathSet>,
    scratch: &mut Vec<(&'a str, Value<'a>)>,
) -> Left<'a> {
    if says_nothing(value) || taken.is_some_and(|set| set.whole) {
        return Left::Nothing;
    }
    let mark = scratch.len();
    let mut all = true;
    match value {
        Value::Map(map) => {
            // Paths through a list's items reach an object that stands for a list of one.
            let taken = taken.map(|set| match &set.items {
                Some(items) if set.keys.is_empty() => items,
                _ => set,
            });
            for (key, value) in map.entries() {
                match left(arena, *value, taken.and_then(|set| set.key(key)), scratch) {
                    Left::All => scratch.push((key, *value)),
                    Left::Some(value) => {
                        scratch.push((key, value));
                        all = false;
                    }
                    Left::Nothing => all = false,
                }
            }
            let kept = match (all, scratch.len() > mark) {
                (true, _) => Left::All,
                (false, true) => Left::Some(arena.map(&scratch[mark..])),
                (false, false) => Left::Nothing,
            };
            scratch.truncate(mark);
            kept
        }
        Value::List(items) => {
            let mut some = false;
            for item in items {
                // Items keep their places, so that what is left can be laid beside what was read.
                let value = match left(arena, *item, taken.and_then(|set| set.items.as_deref()), scratch) {
                    Left::All => *item,
                    Left::Some(value) => {
                        all = false;
                        value
                    }
                    Left::Nothing => {
                        all = false;
                        Value::Null
                    }
                };
                some |= !value.is_absent();
                scratch.push(("", value));
            }
            let kept: Vec<Value<'a>> = scratch.drain(mark..).map(|(_, value)| value).collect();
            match (all, some) {
                (true, _) => Left::All,
                (false, true) => Left::Some(arena.list(&kept)),
                (false, false) => Left::Nothing,
            }
        }
        _ if taken.is_some_and(|set| set.items.as_ref().is_some_and(|items| items.whole)) => Left::Nothing,
        _ => Left::All,
    }
}
