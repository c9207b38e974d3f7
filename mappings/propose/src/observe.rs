//! What the samples hold: every path with how often it stands, what kinds of value and which values.
//!
//! Samples are looked at in the order of their own text, so the order in which they are given does not matter. What
//! is looked at is bounded; what is left out is said.

use crate::synonyms::Vocabulary;
use hub_tree::{Arena, Value};
use std::collections::BTreeMap;

/// Most paths that are told apart.
const MAX_PATHS: usize = 2_000;
/// Most values that are looked at per path, and most items per list.
const MAX_VALUES: usize = 200;
/// Deepest path.
const MAX_DEPTH: usize = 10;
/// Longest key, in characters.
const MAX_KEY: usize = 100;
/// Longest text that is kept of a value, in characters.
const MAX_TEXT: usize = 200;

/// The kinds of scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
}

/// A value that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// All that was seen at one path.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// In how many samples something stands here.
    pub(crate) samples: usize,
    last: usize,
    pub(crate) maps: usize,
    pub(crate) lists: usize,
    pub(crate) scalars: usize,
    pub(crate) values: Vec<Scalar>,
    pub(crate) keys: BTreeMap<String, Node>,
    pub(crate) items: Option<Box<Node>>,
    /// The longest list.
    pub(crate) longest: usize,
    /// In a list of named values: what stands under each name.
    pub(crate) named: BTreeMap<String, Node>,
    /// In a list of named values: the keys of the name and of the value.
    pub(crate) pair: Option<(String, String)>,
}

impl Node {
    /// Whether different kinds stand here: a list in one sample, text in another.
    pub(crate) const fn disagrees(&self) -> bool {
        (self.maps > 0) as u8 + (self.lists > 0) as u8 + (self.scalars > 0) as u8 > 1
    }

    /// Whether only single values stand here, or nothing at all.
    pub(crate) const fn is_scalar(&self) -> bool {
        self.maps == 0 && self.lists == 0
    }
}

/// The samples, put together.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) root: Node,
    pub(crate) samples: usize,
    pub(crate) notes: Vec<String>,
}

struct Watch<'v> {
    vocabulary: &'v Vocabulary,
    sample: usize,
    paths: usize,
    too_many_paths: bool,
    too_many_values: bool,
    too_deep: bool,
    odd_keys: bool,
}

/// Looks at all samples.
pub(crate) fn observe(samples: &[Value<'_>], vocabulary: &Vocabulary) -> Observed {
    let mut sorted: Vec<(String, &Value<'_>)> =
        samples.iter().map(|sample| (hub_tree::json::to_string(sample), sample)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut watch = Watch {
        vocabulary,
        sample: 0,
        paths: 0,
        too_many_paths: false,
        too_many_values: false,
        too_deep: false,
        odd_keys: false,
    };
    let mut observed = Observed { samples: samples.len(), ..Observed::default() };
    for (_, sample) in sorted {
        watch.sample += 1;
        watch.look(&mut observed.root, sample, 0);
    }
    for (happened, note) in [
        (watch.too_many_paths, format!("the samples have more than {MAX_PATHS} paths; the rest was not looked at")),
        (watch.too_many_values, format!("only the first {MAX_VALUES} values of each path were looked at")),
        (watch.too_deep, format!("what lies deeper than {MAX_DEPTH} levels was not looked at")),
        (watch.odd_keys, format!("keys with control characters or more than {MAX_KEY} characters were passed over")),
    ] {
        if happened {
            observed.notes.push(note);
        }
    }
    observed
}

impl Watch<'_> {
    fn look(&mut self, node: &mut Node, value: &Value<'_>, depth: usize) {
        if value.is_absent() {
            return;
        }
        if node.last != self.sample {
            node.last = self.sample;
            node.samples += 1;
        }
        match value {
            Value::Map(map) => {
                node.maps += 1;
                for (key, value) in map.entries() {
                    if key.chars().count() > MAX_KEY || key.is_empty() || key.chars().any(char::is_control) {
                        self.odd_keys = true;
                        continue;
                    }
                    if depth >= MAX_DEPTH {
                        self.too_deep = true;
                        break;
                    }
                    if !node.keys.contains_key(*key) {
                        if self.paths >= MAX_PATHS {
                            self.too_many_paths = true;
                            continue;
                        }
                        self.paths += 1;
                    }
                    self.look(node.keys.entry((*key).to_owned()).or_default(), value, depth + 1);
                }
            }
            Value::List(items) => {
                node.lists += 1;
                node.longest = node.longest.max(items.len());
                if items.len() > MAX_VALUES {
                    self.too_many_values = true;
                }
                if depth >= MAX_DEPTH {
                    self.too_deep = true;
                    return;
                }
                let items = items.get(..MAX_VALUES).unwrap_or(items);
                for item in items {
                    self.look(node.items.get_or_insert_default(), item, depth + 1);
                }
                self.look_at_pairs(node, items, depth);
            }
            scalar => self.scalar(node, scalar),
        }
    }

    fn scalar(&mut self, node: &mut Node, value: &Value<'_>) {
        node.scalars += 1;
        if node.values.len() >= MAX_VALUES {
            self.too_many_values = true;
            return;
        }
        let kind = match value {
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) | Value::Decimal(_) => Kind::Number,
            _ => Kind::Text,
        };
        let arena = Arena::new();
        let text = value.scalar_text(&arena).unwrap_or_default().chars().take(MAX_TEXT).collect();
        node.values.push(Scalar { kind, text });
    }

    /// Remembers a list of named values by its names: each name is as good as a key.
    fn look_at_pairs(&mut self, node: &mut Node, items: &[Value<'_>], depth: usize) {
        let Some(first) = items.first() else { return };
        let called = |known: &[Vec<String>]| {
            let keys = first.entries().iter().map(|(key, _)| *key);
            known.iter().find_map(|name| keys.clone().find(|key| self.vocabulary.words(key) == *name))
        };
        let Some((name, value)) = called(&self.vocabulary.pair_names).zip(called(&self.vocabulary.pair_values)) else {
            return;
        };
        let pair = (name.to_owned(), value.to_owned());
        let fits = |item: &Value<'_>| item.get(name).as_text().is_some_and(|text| text.chars().count() <= MAX_KEY);
        if name == value || node.pair.as_ref().is_some_and(|known| *known != pair) || !items.iter().all(fits) {
            return;
        }
        node.pair = Some(pair);
        for item in items {
            let text = item.get(name).as_text().unwrap_or_default();
            if text.is_empty() || text.chars().any(char::is_control) {
                continue;
            }
            if !node.named.contains_key(text) {
                if self.paths >= MAX_PATHS {
                    self.too_many_paths = true;
                    continue;
                }
                self.paths += 1;
            }
            self.look(node.named.entry(text.to_owned()).or_default(), &item.get(value), depth + 2);
        }
    }
}
