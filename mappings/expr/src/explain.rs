//! Why a value is what it is: the evaluator's steps, recorded.

use crate::ast::At;
use crate::check::{Node, NodeKind};
use crate::eval::Cx;
use hub_tree::{Value, json};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// One step: what was computed, its value, the source path it read, and the steps it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explain {
    /// The text of this step as it was written.
    pub text: String,
    /// The source path, where the step reads one, such as `payload.application.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value as JSON; `None` when it is absent.
    #[serde(serialize_with = "raw_json")]
    pub value: Option<String>,
    /// The steps that this one rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Explain>,
}

fn raw_json<S: Serializer>(value: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(text) => serde_json::value::RawValue::from_string(text.clone())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer),
        None => serializer.serialize_none(),
    }
}

impl Explain {
    /// A step with a value that was not computed by an expression.
    #[must_use]
    pub fn leaf(text: impl Into<String>, path: Option<String>, value: Value<'_>) -> Self {
        Self { text: text.into(), path, value: shown(value), because: Vec::new() }
    }

    /// Adds the steps that this one rests on.
    #[must_use]
    pub fn because(mut self, steps: Vec<Explain>) -> Self {
        self.because = steps;
        self
    }

    /// The tree as indented lines, for people.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut out = String::new();
        self.write_lines(0, &mut out);
        out
    }

    fn write_lines(&self, depth: usize, out: &mut String) {
        out.push_str(&"  ".repeat(depth));
        out.push_str(self.value.as_deref().unwrap_or("(absent)"));
        out.push_str("  ⟵ ");
        out.push_str(&self.text);
        if let Some(path) = self.path.as_ref().filter(|path| **path != self.text) {
            out.push_str("  [");
            out.push_str(path);
            out.push(']');
        }
        out.push('\n');
        for step in &self.because {
            step.write_lines(depth + 1, out);
        }
    }
}

/// A value as explanations show it.
fn shown(value: Value<'_>) -> Option<String> {
    if value.is_absent() { None } else { Some(json::to_string(&value)) }
}

/// Hooks of the evaluator. [`Off`] compiles to nothing, so that the fast path and the explaining path are one.
pub(crate) trait Trace {
    fn enter(&mut self);
    fn leave(&mut self, node: &Node, cx: &Cx<'_>, value: Value<'_>);
    fn enter_item<'a>(&mut self, list: &Node, index: usize, item: Value<'a>, cx: &mut Cx<'a>);
    fn leave_item(&mut self, cx: &mut Cx<'_>);
}

pub(crate) struct Off;

impl Trace for Off {
    fn enter(&mut self) {}
    fn leave(&mut self, _: &Node, _: &Cx<'_>, _: Value<'_>) {}
    fn enter_item<'a>(&mut self, _: &Node, _: usize, _: Value<'a>, _: &mut Cx<'a>) {}
    fn leave_item(&mut self, _: &mut Cx<'_>) {}
}

pub(crate) struct On {
    text: Vec<char>,
    names: Arc<[String]>,
    stack: Vec<Vec<Explain>>,
    /// How many more steps are recorded; a person reads a few dozen.
    left: usize,
}

const MAX_RECORDED: usize = 5_000;

impl On {
    pub(crate) fn new(text: &str, names: &Arc<[String]>) -> Self {
        Self { text: text.chars().collect(), names: Arc::clone(names), stack: vec![Vec::new()], left: MAX_RECORDED }
    }

    pub(crate) fn finish(mut self) -> Explain {
        let root = self.stack.pop().and_then(|mut steps| steps.pop());
        root.unwrap_or_else(|| Explain::leaf("", None, Value::Absent))
    }

    fn slice(&self, at: At) -> String {
        self.text.iter().skip(at.start).take(at.len).collect()
    }

    /// The source path of a node that is one.
    fn path(&self, node: &Node, cx: &Cx<'_>) -> Option<String> {
        match &node.kind {
            NodeKind::Slot(slot) => match cx.slot_paths.get(*slot) {
                Some(Some(path)) => Some(path.clone()),
                _ => self.names.get(*slot).cloned(),
            },
            NodeKind::Item => cx.item_paths.last().cloned(),
            NodeKind::Key(base, key) => self.path(base, cx).map(|path| join(&path, key)),
            _ => None,
        }
    }
}

/// Adds a key to a path; keys that are no names stand in brackets.
fn join(path: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '@' || c == '#');
    if plain { format!("{path}.{key}") } else { format!("{path}[\"{key}\"]") }
}

impl Trace for On {
    fn enter(&mut self) {
        self.stack.push(Vec::new());
    }

    fn leave(&mut self, node: &Node, cx: &Cx<'_>, value: Value<'_>) {
        let mut steps = self.stack.pop().unwrap_or_default();
        if self.left == 0 && self.stack.len() > 1 {
            return;
        }
        self.left = self.left.saturating_sub(1);
        let mut path = self.path(node, cx);
        if path.is_some() {
            // The way along a path is no step of its own.
            steps.clear();
        } else if let NodeKind::Index(..) | NodeKind::Key(..) = node.kind {
            path = find_in_slots(value, cx, &self.names);
        }
        let constant = matches!(node.kind, NodeKind::Constant(_));
        if constant && self.stack.len() > 1 {
            // Constants are read in the text of the step that uses them.
            return;
        }
        let step = Explain { text: self.slice(node.at), path, value: shown(value), because: steps };
        if let Some(parent) = self.stack.last_mut() {
            parent.push(step);
        }
    }

    fn enter_item<'a>(&mut self, list: &Node, index: usize, item: Value<'a>, cx: &mut Cx<'a>) {
        if self.left == 0 {
            return cx.item_paths.push(String::new());
        }
        let path = find_in_slots(item, cx, &self.names)
            .or_else(|| self.path(list, cx).map(|path| format!("{path}[{index}]")))
            .unwrap_or_else(|| format!("item {index}"));
        cx.item_paths.push(path);
    }

    fn leave_item(&mut self, cx: &mut Cx<'_>) {
        cx.item_paths.pop();
    }
}

/// Where a value lies in the inputs. Values are slices of the input's memory, so the same address is the same place,
/// whatever filters it went through.
fn find_in_slots(value: Value<'_>, cx: &Cx<'_>, names: &[String]) -> Option<String> {
    let wanted = address(value)?;
    names.iter().zip(&cx.slots).enumerate().find_map(|(slot, (name, root))| {
        let base = cx.slot_paths.get(slot).cloned().flatten().unwrap_or_else(|| name.clone());
        find_below(*root, wanted, base, 0)
    })
}

fn address(value: Value<'_>) -> Option<(usize, usize)> {
    match value {
        Value::Text(text) | Value::Number(text) if !text.is_empty() => Some((text.as_ptr() as usize, text.len())),
        Value::List(items) if !items.is_empty() => Some((items.as_ptr() as usize, items.len())),
        Value::Map(map) if !map.entries().is_empty() => Some((map.entries().as_ptr() as usize, map.entries().len())),
        _ => None,
    }
}

fn find_below(value: Value<'_>, wanted: (usize, usize), path: String, depth: usize) -> Option<String> {
    if address(value) == Some(wanted) {
        return Some(path);
    }
    if depth > 64 {
        return None;
    }
    let items = value.items().iter().enumerate();
    let mut in_items = items.map(|(index, item)| (*item, format!("{path}[{index}]")));
    if let Some(found) = in_items.find_map(|(item, path)| find_below(item, wanted, path, depth + 1)) {
        return Some(found);
    }
    value.entries().iter().find_map(|(key, value)| find_below(*value, wanted, join(&path, key), depth + 1))
}
