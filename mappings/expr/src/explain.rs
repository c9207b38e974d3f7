//! Why a value is what it is: the evaluator's steps, recorded.
//!
//! Invariant: the record is exact. Each path is an expression that leads to the step's value in the input, and the
//! steps that have one hold all that the result depends on: an input with nothing but them gives the same result.

use crate::ast::{At, Operator};
use crate::check::{Node, NodeKind};
use crate::eval::Cx;
use crate::places::{Places, join};
use hub_tree::{Decimal, Value, json};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// One step: what was computed, its value, the source path it read, and the steps it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explain {
    /// The text of this step as it was written.
    pub text: String,
    /// Where the value lies in the input, such as `payload.application.id`; itself an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value as JSON; `None` when it is absent.
    #[serde(serialize_with = "raw_json")]
    pub value: Option<String>,
    /// What the JSON value does not tell: `date`, `date-time`, or `null` for a value that is null and not missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
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
        Self { text: text.into(), path, value: shown(value), kind: kind(value), because: Vec::new() }
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
        let nothing = if self.kind.is_some() { "(null)" } else { "(absent)" };
        out.push_str(self.value.as_deref().unwrap_or(nothing));
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
    match value {
        Value::Absent | Value::Null => None,
        // JSON times end at the millisecond; what was computed with may not.
        Value::DateTime(at) if at.subsec_nanosecond() % 1_000_000 != 0 => Some(format!("\"{at}\"")),
        value => Some(json::to_string(&value)),
    }
}

fn kind(value: Value<'_>) -> Option<&'static str> {
    match value {
        Value::Null => Some("null"),
        Value::Date(_) => Some("date"),
        Value::DateTime(_) => Some("date-time"),
        _ => None,
    }
}

/// Hooks of the evaluator. [`Off`] compiles to nothing, so that the fast path and the explaining path are one.
pub(crate) trait Trace {
    fn enter(&mut self, node: &Node);
    fn leave(&mut self, node: &Node, cx: &Cx<'_>, value: Value<'_>);
    fn enter_item<'a>(&mut self, list: &Node, index: usize, item: Value<'a>, cx: &mut Cx<'a>);
    fn leave_item(&mut self, cx: &mut Cx<'_>);
}

pub(crate) struct Off;

impl Trace for Off {
    fn enter(&mut self, _: &Node) {}
    fn leave(&mut self, _: &Node, _: &Cx<'_>, _: Value<'_>) {}
    fn enter_item<'a>(&mut self, _: &Node, _: usize, _: Value<'a>, _: &mut Cx<'a>) {}
    fn leave_item(&mut self, _: &mut Cx<'_>) {}
}

pub(crate) struct On {
    text: Vec<char>,
    names: Arc<[String]>,
    stack: Vec<Frame>,
    places: Option<Places>,
    /// The source paths that were recorded with their values.
    known: BTreeSet<Rc<str>>,
    /// How many more steps, and bytes of values, are recorded; a person reads a few dozen.
    steps_left: usize,
    bytes_left: usize,
}

/// A step that is under way: the steps below it that are done.
#[derive(Default)]
struct Frame {
    steps: Vec<Explain>,
    operands: Vec<Operand>,
    /// It is a path that is written out: the way along it is no step of its own.
    is_path: bool,
    /// It lies on the way along such a path.
    on_the_way: bool,
}

/// What a step needs to know of the values that it was computed from.
struct Operand {
    path: Option<Rc<str>>,
    /// Neither a list nor absent.
    is_single: bool,
    index: Option<usize>,
}

const MAX_RECORDED: usize = 5_000;
const MAX_RECORDED_BYTES: usize = 1 << 20;

impl On {
    pub(crate) fn new(text: &str, names: &Arc<[String]>) -> Self {
        Self {
            text: text.chars().collect(),
            names: Arc::clone(names),
            stack: vec![Frame::default()],
            places: None,
            known: BTreeSet::new(),
            steps_left: MAX_RECORDED,
            bytes_left: MAX_RECORDED_BYTES,
        }
    }

    pub(crate) fn finish(mut self) -> Explain {
        let root = self.stack.pop().and_then(|mut frame| frame.steps.pop());
        root.unwrap_or_else(|| Explain::leaf("", None, Value::Absent))
    }

    fn slice(&self, at: At) -> String {
        self.text.iter().skip(at.start).take(at.len).collect()
    }

    /// Where the value of a step lies in the input: by the way it was taken, else by its address.
    fn path(&mut self, node: &Node, operands: &[Operand], cx: &Cx<'_>, value: Value<'_>) -> Option<Rc<str>> {
        match &node.kind {
            NodeKind::Slot(slot) => match cx.slot_paths.get(*slot) {
                Some(Some(path)) => Some(path.as_str().into()),
                _ => self.names.get(*slot).map(|name| name.as_str().into()),
            },
            NodeKind::Item => cx.item_paths.last().cloned().flatten(),
            NodeKind::Key(_, key) => {
                let base = operands.first()?.path.as_ref()?;
                Some(join(base, key).into())
            }
            NodeKind::Index(..) => {
                let [base, index] = operands else { return None };
                let (path, index) = (base.path.as_ref()?, index.index?);
                // A single value stands for a list of one.
                Some(if base.is_single && index == 0 { Rc::clone(path) } else { format!("{path}[{index}]").into() })
            }
            // The last value looked at is the one that was chosen.
            NodeKind::If(_) | NodeKind::Binary(Operator::Default, ..) => operands.last()?.path.clone(),
            // A function that hands on one of its arguments as it was has picked nothing.
            NodeKind::Call(..) => {
                self.find(cx, value).filter(|path| operands.iter().all(|operand| operand.path.as_ref() != Some(path)))
            }
            _ => None,
        }
    }

    fn find(&mut self, cx: &Cx<'_>, value: Value<'_>) -> Option<Rc<str>> {
        let names = &self.names;
        self.places.get_or_insert_with(|| Places::of(cx, names)).find(value)
    }

    /// Whether a step is recorded; past the limits only what was read, each path once.
    fn records(&mut self, path: Option<&Rc<str>>, value: Value<'_>) -> bool {
        let mut bytes_left = self.bytes_left;
        if self.steps_left > 0 && fits(value, &mut bytes_left) {
            self.steps_left -= 1;
            self.bytes_left = bytes_left;
            return true;
        }
        self.steps_left = 0;
        path.is_some_and(|path| !matches!(value, Value::Absent) && !self.known.contains(path))
    }
}

/// Whether the JSON of a value takes at most about so many bytes; takes them off.
fn fits(value: Value<'_>, left: &mut usize) -> bool {
    let own = match value {
        Value::Text(text) | Value::Number(text) => text.len() + 2,
        _ => 8,
    };
    match left.checked_sub(own) {
        Some(rest) => *left = rest,
        None => return false,
    }
    value.items().iter().all(|item| fits(*item, left))
        && value.entries().iter().all(|(key, value)| {
            *left = left.saturating_sub(key.len());
            fits(*value, left)
        })
}

/// Whether the node does nothing but follow a path that is written out.
fn is_static_path(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Slot(_) | NodeKind::Item => true,
        NodeKind::Key(base, _) => is_static_path(base),
        NodeKind::Index(base, index) => is_static_path(base) && matches!(index.kind, NodeKind::Constant(_)),
        _ => false,
    }
}

/// What the JSON of a value from the input leaves open further down: days, instants, and items that are missing.
fn details(value: Value<'_>, path: &str, out: &mut Vec<Explain>) {
    let mut one = |value: Value<'_>, path: String, in_list: bool| match value {
        Value::List(_) | Value::Map(_) => details(value, &path, out),
        Value::Date(_) | Value::DateTime(_) => out.push(Explain::leaf(path.clone(), Some(path), value)),
        Value::Absent if in_list => out.push(Explain::leaf(path.clone(), Some(path), value)),
        _ => {}
    };
    for (index, item) in value.items().iter().enumerate() {
        one(*item, format!("{path}[{index}]"), true);
    }
    for (key, value) in value.entries() {
        one(*value, join(path, key), false);
    }
}

impl Trace for On {
    fn enter(&mut self, node: &Node) {
        let on_the_way = self.stack.last().is_some_and(|above| above.is_path || above.on_the_way);
        let is_path = !on_the_way && is_static_path(node);
        self.stack.push(Frame { is_path, on_the_way, ..Frame::default() });
    }

    fn leave(&mut self, node: &Node, cx: &Cx<'_>, value: Value<'_>) {
        let Frame { mut steps, operands, on_the_way, .. } = self.stack.pop().unwrap_or_default();
        let path = self.path(node, &operands, cx, value);
        let root = self.stack.len() == 1;
        // Constants are read in the text of the step that uses them.
        let is_constant = matches!(node.kind, NodeKind::Constant(_));
        // Past the limits, what was read below stands for the step itself.
        if !on_the_way && (!is_constant || root) && (self.records(path.as_ref(), value) || root) {
            if let Some(path) = &path {
                details(value, path, &mut steps);
                self.known.insert(Rc::clone(path));
            }
            let text = match &node.kind {
                // The value of an enum within a list stands nowhere in the program.
                NodeKind::Key(base, key) if matches!(base.kind, NodeKind::Item) && base.at == node.at => {
                    format!("item.{key}")
                }
                _ => self.slice(node.at),
            };
            let path = path.as_deref().map(str::to_owned);
            steps = vec![Explain { text, path, value: shown(value), kind: kind(value), because: steps }];
        }
        if let Some(parent) = self.stack.last_mut() {
            let index = value.as_decimal().and_then(|number| usize::try_from(number).ok());
            let index = index.filter(|index| value.as_decimal() == Some(Decimal::from(*index)));
            let is_single = !value.is_absent() && !matches!(value, Value::List(_));
            parent.operands.push(Operand { path, is_single, index });
            parent.steps.append(&mut steps);
        }
    }

    fn enter_item<'a>(&mut self, _: &Node, index: usize, item: Value<'a>, cx: &mut Cx<'a>) {
        // The list is what the step that is under way computed first.
        let list = self.stack.last().and_then(|frame| frame.operands.first());
        let path = match list.and_then(|list| Some((list.path.as_ref()?, list.is_single))) {
            // A single value stands for a list of one.
            Some((path, true)) => Some(Rc::clone(path)),
            Some((path, false)) => Some(format!("{path}[{index}]").into()),
            None => self.find(cx, item),
        };
        cx.item_paths.push(path);
    }

    fn leave_item(&mut self, cx: &mut Cx<'_>) {
        cx.item_paths.pop();
    }
}
