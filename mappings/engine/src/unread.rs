//! What a payload says and no rule reads: reported, and kept in `ext` of the record it belongs to.

use crate::mapping::{Emit, Mapping, PathSet};
use crate::run::Record;
use hub_expr::Segment;
use hub_tree::{Arena, Value};
use std::collections::BTreeSet;

/// Source paths that hold something and that no rule reads, the highest of each branch; items are written `[]`.
pub(crate) fn paths(mapping: &Mapping, payload: Value<'_>) -> Vec<String> {
    let mut found = BTreeSet::new();
    collect(payload, Some(&mapping.reads), Some(&mapping.ignored), &mut "payload".to_owned(), &mut found);
    found.into_iter().collect()
}

/// Nothing that would be lost: null and empty containers say nothing.
fn says_nothing(value: Value<'_>) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.entries().is_empty(),
        value => value.is_absent(),
    }
}

fn collect(
    value: Value<'_>,
    reads: Option<&PathSet>,
    ignored: Option<&PathSet>,
    path: &mut String,
    found: &mut BTreeSet<String>,
) {
    if says_nothing(value) || reads.is_some_and(|set| set.whole) || ignored.is_some_and(|set| set.whole) {
        return;
    }
    let length = path.len();
    let on_the_way = |set: Option<&PathSet>| set.is_some_and(|set| !set.keys.is_empty() || set.items.is_some());
    match value {
        Value::Map(map) if on_the_way(reads) || on_the_way(ignored) => {
            for (key, value) in map.entries() {
                path.push('.');
                path.push_str(key);
                collect(*value, reads.and_then(|set| set.key(key)), ignored.and_then(|set| set.key(key)), path, found);
                path.truncate(length);
            }
        }
        Value::List(items) if on_the_way(reads) || on_the_way(ignored) => {
            path.push_str("[]");
            for item in items {
                collect(*item, through(reads), through(ignored), path, found);
            }
            path.truncate(length);
        }
        _ => {
            found.insert(path.clone());
        }
    }
}

/// The set below a list's items; paths that name a key of a list of one reach through it.
fn through(set: Option<&PathSet>) -> Option<&PathSet> {
    set.and_then(|set| set.items.as_deref())
}

/// Gives each record the leftovers of its own part of the payload: those for which its key lies nearest above.
pub(crate) fn keep_leftovers<'a>(
    mapping: &'a Mapping,
    arena: &'a Arena,
    payload: Value<'a>,
    records: &mut [(&'a Emit, Record<'a>)],
) {
    // Records made by `each` share one source path; which item is whose is not known here, so they keep none.
    let containers: Vec<&[Segment]> =
        mapping.emits.iter().filter(|emit| emit.each.is_none()).map(|emit| emit.container.as_slice()).collect();
    'records: for index in 0..records.len() {
        let emit = records[index].0;
        let earlier =
            records[..index].iter().any(|(other, _)| other.container == emit.container && other.each.is_none());
        if emit.each.is_some() || earlier {
            continue;
        }
        let (mut value, mut reads, mut ignored) = (payload, Some(&mapping.reads), Some(&mapping.ignored));
        for segment in &emit.container {
            let Segment::Key(key) = segment else { continue 'records };
            value = value.get(key);
            reads = reads.and_then(|set| set.key(key));
            ignored = ignored.and_then(|set| set.key(key));
        }
        let mut path = emit.container.clone();
        let cut = Cut { arena, containers: &containers, own: &emit.container };
        if let Some(left) = cut.left(value, reads, ignored, &mut path) {
            records[index].1.ext = left;
        }
    }
}

struct Cut<'a, 'c> {
    arena: &'a Arena,
    containers: &'c [&'c [Segment]],
    own: &'c [Segment],
}

impl<'a> Cut<'a, '_> {
    /// What is left of a value when everything read, ignored or belonging to another record is taken away.
    fn left(
        &self,
        value: Value<'a>,
        reads: Option<&PathSet>,
        ignored: Option<&PathSet>,
        path: &mut Vec<Segment>,
    ) -> Option<Value<'a>> {
        let read = reads.is_some_and(|set| set.whole) || ignored.is_some_and(|set| set.whole);
        let others = path.as_slice() != self.own && self.containers.contains(&path.as_slice());
        if read || others || says_nothing(value) {
            return None;
        }
        match value {
            Value::Map(map) => {
                let mut kept = Vec::new();
                for (key, value) in map.entries() {
                    path.push(Segment::Key((*key).into()));
                    let below = (reads.and_then(|set| set.key(key)), ignored.and_then(|set| set.key(key)));
                    if let Some(value) = self.left(*value, below.0, below.1, path) {
                        kept.push((*key, value));
                    }
                    path.pop();
                }
                (!kept.is_empty()).then(|| self.arena.map(&kept))
            }
            Value::List(items) => {
                path.push(Segment::Items);
                let kept: Vec<Option<Value<'a>>> =
                    items.iter().map(|item| self.left(*item, through(reads), through(ignored), path)).collect();
                path.pop();
                // Items keep their places, so that what is left can be laid beside what was read.
                let any = kept.iter().any(Option::is_some);
                let kept: Vec<Value<'a>> = kept.into_iter().map(|item| item.unwrap_or(Value::Null)).collect();
                any.then(|| self.arena.list(&kept))
            }
            value => Some(value),
        }
    }
}
