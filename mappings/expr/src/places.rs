//! Where values lie in the inputs of an expression.
//!
//! Values are slices of the input's memory, so the same address is the same place, whatever filters a value went
//! through. What has no address (true/false, null, empty text) is not found.

use crate::eval::Cx;
use hub_tree::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Kind, address and length.
type Address = (u8, usize, usize);

/// The places of all values of the inputs, by address.
pub(crate) struct Places {
    /// Index into `ways`.
    known: BTreeMap<Address, usize>,
    /// The way to a place: the place above it and the step from there.
    ways: Vec<(Option<usize>, Step)>,
}

enum Step {
    Root(Box<str>),
    Key(Box<str>),
    Item(usize),
}

/// Most values that are looked through.
const MAX_PLACES: usize = 1_000_000;
const MAX_DEPTH: usize = 128;

impl Places {
    pub(crate) fn of(cx: &Cx<'_>, names: &[String]) -> Self {
        let mut places = Self { known: BTreeMap::new(), ways: Vec::new() };
        for (slot, (name, root)) in names.iter().zip(&cx.slots).enumerate() {
            // A name that a later one hides leads elsewhere.
            if names.iter().skip(slot + 1).any(|later| later == name) {
                continue;
            }
            let base = cx.slot_paths.get(slot).and_then(Option::as_deref).unwrap_or(name);
            places.add(*root, None, Step::Root(base.into()), 0);
        }
        places
    }

    fn add(&mut self, value: Value<'_>, above: Option<usize>, step: Step, depth: usize) {
        if depth > MAX_DEPTH || self.ways.len() >= MAX_PLACES {
            return;
        }
        let here = self.ways.len();
        self.ways.push((above, step));
        if let Some(address) = address(value) {
            self.known.entry(address).or_insert(here);
        }
        for (index, item) in value.items().iter().enumerate() {
            self.add(*item, Some(here), Step::Item(index), depth + 1);
        }
        for (key, value) in value.entries() {
            self.add(*value, Some(here), Step::Key((*key).into()), depth + 1);
        }
    }

    /// The source path of a value that lies in the inputs.
    pub(crate) fn find(&self, value: Value<'_>) -> Option<Rc<str>> {
        self.known.get(&address(value)?).map(|place| self.path(*place).into())
    }

    fn path(&self, place: usize) -> String {
        let Some((above, step)) = self.ways.get(place) else { return String::new() };
        let base = above.map(|above| self.path(above)).unwrap_or_default();
        match step {
            Step::Root(name) => name.to_string(),
            Step::Key(key) => join(&base, key),
            Step::Item(index) => format!("{base}[{index}]"),
        }
    }
}

fn address(value: Value<'_>) -> Option<Address> {
    match value {
        Value::Text(text) if !text.is_empty() => Some((0, text.as_ptr() as usize, text.len())),
        Value::Number(text) => Some((1, text.as_ptr() as usize, text.len())),
        Value::List(items) if !items.is_empty() => Some((2, items.as_ptr() as usize, items.len())),
        Value::Map(map) if !map.entries().is_empty() => Some((3, map.entries().as_ptr() as usize, map.entries().len())),
        _ => None,
    }
}

/// Adds a key to a path, as the language reads it: keys that are no names stand in quotes.
pub(crate) fn join(path: &str, key: &str) -> String {
    if crate::lex::is_name(key) {
        return format!("{path}.{key}");
    }
    let mut quoted = String::with_capacity(key.len() + 2);
    for c in key.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    format!("{path}[\"{quoted}\"]")
}
