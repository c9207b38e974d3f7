//! What a payload says and no rule reads: reported, and kept in `ext` of the record it belongs to.
//!
//! Invariant: both say the same. What a rule reads, or `ignore` names, is in neither; everything else that holds
//! something is in the list, and in the `ext` of the record that it belongs to, if there is one.

use crate::limits::MAX_DEPTH;
use crate::mapping::{Leftovers, Mapping, PathSet};
use hub_tree::{Arena, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Longest list of unread paths; a payload may hold millions of odd keys.
const MAX_PATHS: usize = 1_000;

impl Mapping {
    /// Source paths that hold something, that no rule reads and that nobody told to ignore: the highest of each
    /// branch; items are written `[]`, or by their number where rules read single ones. At most 1,000.
    #[must_use]
    pub fn unread(&self, payload: Value<'_>) -> Vec<String> {
        let (mut known, mut found) = (Known { sets: Vec::new() }, BTreeSet::new());
        known.begin(Some(&self.known));
        collect(payload, &mut known, 0, 0, &mut "payload".to_owned(), &mut found);
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

/// The sets of known paths that meet at the place that is looked at; those of the places around it lie below.
///
/// There may be several: a single value stands for a list of one, so that an object is reached by paths that name its
/// keys and by paths through the items of a list.
struct Known<'p> {
    sets: Vec<&'p PathSet>,
}

impl<'p> Known<'p> {
    fn begin(&mut self, set: Option<&'p PathSet>) {
        self.sets.extend(set.filter(|set| !set.is_empty()));
    }

    /// Adds to the sets from `first` on those that they reach through items, unless they are those of a list; how many
    /// there are now.
    fn settle(&mut self, first: usize, is_list: bool) -> usize {
        let mut at = first;
        while !is_list && at < self.sets.len() {
            self.begin(self.sets[at].items.as_deref());
            self.begin(self.sets[at].at(0));
            at += 1;
        }
        self.sets.len()
    }

    /// Whether some set holds all that lies here.
    fn is_whole(&self, first: usize) -> bool {
        self.sets[first..].iter().any(|set| set.whole)
    }

    fn enter_key(&mut self, first: usize, end: usize, key: &str) {
        for at in first..end {
            self.begin(self.sets[at].key(key));
        }
    }

    fn enter_item(&mut self, first: usize, end: usize, index: usize) {
        for at in first..end {
            self.begin(self.sets[at].items.as_deref());
            self.begin(self.sets[at].at(index));
        }
    }
}

fn collect<'p>(
    value: Value<'_>,
    known: &mut Known<'p>,
    first: usize,
    depth: usize,
    path: &mut String,
    found: &mut BTreeSet<String>,
) {
    if says_nothing(value) || found.len() >= MAX_PATHS {
        return;
    }
    let end = known.settle(first, matches!(value, Value::List(_)));
    if known.is_whole(first) {
        return;
    }
    let length = path.len();
    match value {
        Value::Map(map) if end > first && depth < MAX_DEPTH * 2 => {
            for (key, value) in map.entries() {
                path.push('.');
                path.push_str(key);
                known.enter_key(first, end, key);
                collect(*value, known, end, depth + 1, path, found);
                known.sets.truncate(end);
                path.truncate(length);
            }
        }
        Value::List(items) if end > first && depth < MAX_DEPTH * 2 => {
            // Where single items are read, the others have names of their own.
            let single = known.sets[first..end].iter().any(|set| !set.at.is_empty());
            for (index, item) in items.iter().enumerate() {
                known.enter_item(first, end, index);
                if single {
                    let _ = write!(path, "[{index}]");
                } else {
                    path.push_str("[]");
                }
                collect(*item, known, end, depth + 1, path, found);
                known.sets.truncate(end);
                path.truncate(length);
            }
        }
        _ => {
            found.insert(path.clone());
        }
    }
}

impl Leftovers {
    /// What is left of the payload's part when everything read, ignored or another record's is taken away.
    pub(crate) fn of<'a>(&self, arena: &'a Arena, payload: Value<'a>) -> Value<'a> {
        let mut walk = Walk { arena, known: Known { sets: Vec::new() }, scratch: Vec::new() };
        walk.known.begin(Some(&self.taken));
        let (mut part, mut first) = (payload, 0);
        for key in &self.path {
            let end = walk.known.settle(first, matches!(part, Value::List(_)));
            if walk.known.is_whole(first) {
                return Value::Absent;
            }
            walk.known.enter_key(first, end, key);
            (part, first) = (part.get(key), end);
        }
        match walk.left(part, first, 0) {
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

struct Walk<'a, 'p> {
    arena: &'a Arena,
    known: Known<'p>,
    /// What is left of the objects and lists that are looked through, the innermost last.
    scratch: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Walk<'a, '_> {
    fn left(&mut self, value: Value<'a>, first: usize, depth: usize) -> Left<'a> {
        if says_nothing(value) {
            return Left::Nothing;
        }
        let end = self.known.settle(first, matches!(value, Value::List(_)));
        if self.known.is_whole(first) {
            return Left::Nothing;
        }
        let mark = self.scratch.len();
        if depth >= MAX_DEPTH * 2 {
            return Left::All;
        }
        // Of what lies behind no known path, only what says nothing is dropped.
        match value {
            Value::Map(map) => {
                let mut all = true;
                for (key, value) in map.entries() {
                    self.known.enter_key(first, end, key);
                    let left = self.left(*value, end, depth + 1);
                    self.known.sets.truncate(end);
                    match left {
                        Left::All => self.scratch.push((key, *value)),
                        Left::Some(value) => {
                            self.scratch.push((key, value));
                            all = false;
                        }
                        Left::Nothing => all = false,
                    }
                }
                let kept = match (all, self.scratch.len() > mark) {
                    (true, _) => Left::All,
                    (false, true) => Left::Some(self.arena.map(&self.scratch[mark..])),
                    (false, false) => Left::Nothing,
                };
                self.scratch.truncate(mark);
                kept
            }
            Value::List(items) => {
                let (mut all, mut some) = (true, false);
                for (index, item) in items.iter().enumerate() {
                    self.known.enter_item(first, end, index);
                    let left = self.left(*item, end, depth + 1);
                    self.known.sets.truncate(end);
                    // Items keep their places, so that what is left can be laid beside what was read.
                    let value = match left {
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
                    self.scratch.push(("", value));
                }
                let kept: Vec<Value<'a>> = self.scratch.drain(mark..).map(|(_, value)| value).collect();
                match (all, some) {
                    (true, _) => Left::All,
                    (false, true) => Left::Some(self.arena.list(&kept)),
                    (false, false) => Left::Nothing,
                }
            }
            _ => Left::All,
        }
    }
}
