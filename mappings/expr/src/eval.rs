//! The evaluator: one walk over the checked tree, with or without recording why.

use crate::ast::{At, Operator};
use crate::check::{Constant, Each, Expr, Node, NodeKind};
use crate::explain::{Explain, Off, On, Trace};
use crate::functions::{self, Call, MAX_TEXT};
use crate::order;
use hub_tree::rust_decimal::Decimal;
use hub_tree::{Arena, Value};
use std::cmp::Ordering;

/// Steps that one context may take before it gives up; a mapping of a large document takes a few thousand.
const STEPS: u64 = 2_000_000;

/// What an expression runs in: an arena for what it makes, and the values of its scope's names.
pub struct Cx<'a> {
    /// Where new values are made.
    pub arena: &'a Arena,
    /// The values of the scope's names, by slot.
    pub slots: Vec<Value<'a>>,
    pub(crate) items: Vec<Value<'a>>,
    pub(crate) item_paths: Vec<String>,
    /// The source paths of slots that are not roots themselves, for explanations: an `each` item, a `let` name.
    pub slot_paths: Vec<Option<String>>,
    steps: u64,
}

/// Why an expression has no value. It names kinds and places, never the values themselves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// Place in characters from the start of the expression.
    pub start: usize,
    /// How many characters it concerns.
    pub len: usize,
    /// What is wrong.
    pub message: String,
}

impl<'a> Cx<'a> {
    /// A context with the given slot values.
    #[must_use]
    pub fn new(arena: &'a Arena, slots: Vec<Value<'a>>) -> Self {
        Self { arena, slots, items: Vec::new(), item_paths: Vec::new(), slot_paths: Vec::new(), steps: STEPS }
    }

    /// Takes `count` steps out of the budget; `false` when it is used up.
    pub fn spend(&mut self, count: u64) -> bool {
        match self.steps.checked_sub(count) {
            Some(left) => {
                self.steps = left;
                true
            }
            None => false,
        }
    }
}

impl Expr {
    /// The value of the expression.
    ///
    /// # Errors
    /// A kind that an operation cannot work with, an absent condition, a number out of range, or the step budget.
    pub fn eval<'a>(&'a self, cx: &mut Cx<'a>) -> Result<Value<'a>, EvalError> {
        run(&self.root, cx, &mut Off)
    }

    /// The value, and why it is so: every step with its place, value and source path.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn explain<'a>(&'a self, cx: &mut Cx<'a>) -> Result<(Value<'a>, Explain), EvalError> {
        let mut trace = On::new(&self.text, &self.names);
        let value = run(&self.root, cx, &mut trace)?;
        Ok((value, trace.finish()))
    }
}

fn fail<T>(at: At, message: impl Into<String>) -> Result<T, EvalError> {
    Err(EvalError { start: at.start, len: at.len, message: message.into() })
}

fn run<'a, T: Trace>(node: &'a Node, cx: &mut Cx<'a>, trace: &mut T) -> Result<Value<'a>, EvalError> {
    if !cx.spend(1) {
        return fail(node.at, format!("more than {STEPS} steps"));
    }
    trace.enter();
    let value = value_of(node, cx, trace)?;
    trace.leave(node, cx, value);
    Ok(value)
}

fn value_of<'a, T: Trace>(node: &'a Node, cx: &mut Cx<'a>, trace: &mut T) -> Result<Value<'a>, EvalError> {
    let at = node.at;
    Ok(match &node.kind {
        NodeKind::Constant(constant) => match constant {
            Constant::Null => Value::Null,
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Number(number) => Value::Decimal(*number),
            Constant::Text(text) => Value::Text(text),
        },
        NodeKind::Slot(slot) => cx.slots.get(*slot).copied().unwrap_or_default(),
        NodeKind::Item => cx.items.last().copied().unwrap_or_default(),
        NodeKind::List(nodes) => {
            let mut items = Vec::with_capacity(nodes.len());
            for node in nodes {
                items.push(run(node, cx, trace)?);
            }
            cx.arena.list(&items)
        }
        NodeKind::Key(base, key) => run(base, cx, trace)?.get(key),
        NodeKind::Index(base, index) => {
            let list = run(base, cx, trace)?;
            let index_value = run(index, cx, trace)?;
            if list.is_absent() || index_value.is_absent() {
                return Ok(Value::Absent);
            }
            let Some(wanted) = index_value.as_decimal() else {
                return fail(index.at, format!("an index is a number, this is {}", index_value.kind()));
            };
            match usize::try_from(wanted) {
                Ok(wanted_index) if Decimal::from(wanted_index) == wanted => list.at(wanted_index),
                _ => return fail(index.at, "an index is a whole number from 0"),
            }
        }
        NodeKind::Not(inner) => match truth(inner, cx, trace)? {
            Some(value) => Value::Bool(!value),
            None => Value::Absent,
        },
        NodeKind::Minus(inner) => {
            let value = run(inner, cx, trace)?;
            match number(inner.at, "`-`", value)? {
                Some(number) => Value::Decimal(-number),
                None => Value::Absent,
            }
        }
        NodeKind::Binary(operator, left, right) => return binary(at, *operator, left, right, cx, trace),
        NodeKind::If(parts) => {
            let [condition, then, otherwise] = &**parts;
            match truth(condition, cx, trace)? {
                Some(true) => run(then, cx, trace)?,
                Some(false) => run(otherwise, cx, trace)?,
                None => return fail(condition.at, ABSENT_CONDITION),
            }
        }
        NodeKind::Each(each, list, body) => return each_item(*each, list, body, cx, trace),
        NodeKind::Call(function, nodes) => {
            let mut arguments = Vec::with_capacity(nodes.len());
            for node in nodes {
                arguments.push(run(node, cx, trace)?);
            }
            if !function.sees_absent && arguments.iter().any(Value::is_absent) {
                return Ok(Value::Absent);
            }
            let call = Call::new(cx.arena, function, &arguments);
            let result = (function.run)(&call);
            if !cx.spend(call.cost()) {
                return fail(at, format!("more than {STEPS} steps"));
            }
            let value = match result {
                Ok(value) => value,
                Err(message) => return fail(at, format!("`{}`: {message}", function.name)),
            };
            let size = match value {
                Value::Text(text) => text.len(),
                Value::List(items) => items.len() * 8,
                _ => 0,
            };
            charge(at, size, cx)?;
            value
        }
    })
}

const ABSENT_CONDITION: &str = "the condition is absent: give what it reads a default with `??`, or ask `exists(…)`";

/// Charges for what was built, so that doubling texts ends in an error before memory does.
fn charge(at: At, bytes: usize, cx: &mut Cx<'_>) -> Result<(), EvalError> {
    if bytes > MAX_TEXT {
        return fail(at, format!("the result is longer than {MAX_TEXT} bytes"));
    }
    if !cx.spend(bytes as u64 / 16) {
        return fail(at, format!("more than {STEPS} steps"));
    }
    Ok(())
}

/// A condition: `None` when it is absent.
fn truth<'a, T: Trace>(node: &'a Node, cx: &mut Cx<'a>, trace: &mut T) -> Result<Option<bool>, EvalError> {
    match run(node, cx, trace)? {
        Value::Bool(value) => Ok(Some(value)),
        value if value.is_absent() => Ok(None),
        value => fail(node.at, format!("a condition is true or false, this is {}", value.kind())),
    }
}

/// A number: `None` when it is absent.
fn number(at: At, whose: &str, value: Value<'_>) -> Result<Option<Decimal>, EvalError> {
    if value.is_absent() {
        return Ok(None);
    }
    match (value.as_decimal(), value) {
        (Some(number), _) => Ok(Some(number)),
        (None, Value::Number(_)) => fail(at, "the number has more than 28 digits"),
        (None, Value::Text(_)) => fail(at, format!("{whose} needs a number, this is text: write `number(…)`")),
        (None, value) => fail(at, format!("{whose} needs a number, this is {}", value.kind())),
    }
}

fn binary<'a, T: Trace>(
    at: At,
    operator: Operator,
    left: &'a Node,
    right: &'a Node,
    cx: &mut Cx<'a>,
    trace: &mut T,
) -> Result<Value<'a>, EvalError> {
    use Operator as O;
    Ok(match operator {
        // Three-valued: what is known decides, what is absent stays absent.
        O::And | O::Or => {
            let decides = operator == O::Or;
            let l = truth(left, cx, trace)?;
            if l == Some(decides) {
                return Ok(Value::Bool(decides));
            }
            match (l, truth(right, cx, trace)?) {
                (_, Some(r)) if r == decides => Value::Bool(decides),
                (Some(_), Some(r)) => Value::Bool(r),
                _ => Value::Absent,
            }
        }
        O::Default => {
            let value = run(left, cx, trace)?;
            if value.is_absent() { run(right, cx, trace)? } else { value }
        }
        O::Equal | O::Unequal => {
            let (l, r) = (run(left, cx, trace)?, run(right, cx, trace)?);
            let equal = if l.is_absent() || r.is_absent() { l.is_absent() && r.is_absent() } else { equal(at, l, r)? };
            Value::Bool(equal == (operator == O::Equal))
        }
        O::In => {
            let (l, r) = (run(left, cx, trace)?, run(right, cx, trace)?);
            if l.is_absent() || r.is_absent() {
                return Ok(Value::Absent);
            }
            let single = [r];
            let items = if let Value::List(items) = r { items } else { &single };
            if !cx.spend(items.len() as u64 / 64) {
                return fail(at, format!("more than {STEPS} steps"));
            }
            let mut found = false;
            for item in items {
                found |= !item.is_absent() && equal(at, l, *item)?;
            }
            Value::Bool(found)
        }
        O::Less | O::LessEqual | O::Greater | O::GreaterEqual => {
            let (l, r) = (run(left, cx, trace)?, run(right, cx, trace)?);
            if l.is_absent() || r.is_absent() {
                return Ok(Value::Absent);
            }
            let order = compare(at, l, r)?;
            Value::Bool(match operator {
                O::Less => order == Ordering::Less,
                O::LessEqual => order != Ordering::Greater,
                O::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
        O::Join => {
            let (l, r) = (run(left, cx, trace)?, run(right, cx, trace)?);
            if l.is_absent() || r.is_absent() {
                return Ok(Value::Absent);
            }
            let arena = cx.arena;
            let (Some(a), Some(b)) = (l.scalar_text(arena), r.scalar_text(arena)) else {
                let other = if l.scalar_text(arena).is_none() { l } else { r };
                return fail(at, format!("`&` joins text, this is {}", other.kind()));
            };
            charge(at, a.len() + b.len(), cx)?;
            Value::Text(cx.arena.format(format_args!("{a}{b}")))
        }
        O::Add | O::Subtract | O::Multiply | O::Divide => {
            let sign = operator.sign();
            let (l, r) = (run(left, cx, trace)?, run(right, cx, trace)?);
            let l = number(left.at, sign, l)?;
            let r = number(right.at, sign, r)?;
            let (Some(l), Some(r)) = (l, r) else { return Ok(Value::Absent) };
            let result = match operator {
                O::Add => l.checked_add(r),
                O::Subtract => l.checked_sub(r),
                O::Multiply => l.checked_mul(r),
                _ if r.is_zero() => return fail(right.at, "division by zero"),
                _ => l.checked_div(r),
            };
            match result {
                Some(number) => Value::Decimal(number),
                None => return fail(at, "the result has more than 28 digits"),
            }
        }
    })
}

/// Equality of two present values: the same kind, or an error, because text is never equal to a number.
pub(crate) fn equal(at: At, left: Value<'_>, right: Value<'_>) -> Result<bool, EvalError> {
    match (left, right) {
        (Value::Number(_) | Value::Decimal(_), Value::Number(_) | Value::Decimal(_))
        | (Value::Text(_), Value::Text(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Date(_), Value::Date(_))
        | (Value::DateTime(_), Value::DateTime(_))
        | (Value::List(_), Value::List(_))
        | (Value::Map(_), Value::Map(_)) => Ok(left == right),
        _ => fail(at, format!("{} is never equal to {}: convert one of them", left.kind(), right.kind())),
    }
}

/// The order of two present values of one kind.
pub(crate) fn compare(at: At, left: Value<'_>, right: Value<'_>) -> Result<Ordering, EvalError> {
    match (left, right) {
        (Value::Text(l), Value::Text(r)) => return Ok(l.cmp(r)),
        (Value::Date(l), Value::Date(r)) => return Ok(l.cmp(&r)),
        (Value::DateTime(l), Value::DateTime(r)) => return Ok(l.cmp(&r)),
        _ => {}
    }
    match (left.as_decimal(), right.as_decimal()) {
        (Some(l), Some(r)) => Ok(l.cmp(&r)),
        _ => fail(at, format!("{} cannot be compared with {}", left.kind(), right.kind())),
    }
}

fn each_item<'a, T: Trace>(
    each: Each,
    list: &'a Node,
    body: &'a Node,
    cx: &mut Cx<'a>,
    trace: &mut T,
) -> Result<Value<'a>, EvalError> {
    let value = run(list, cx, trace)?;
    let items: &'a [Value<'a>] = match value {
        Value::List(items) => items,
        value if value.is_absent() => return Ok(Value::Absent),
        // An XML element that occurs once is a list of one.
        value => cx.arena.list(&[value]).items(),
    };
    let mut made = Vec::new();
    let mut keys = Vec::new();
    let mut verdict = each == Each::All;
    for (index, item) in items.iter().enumerate() {
        cx.items.push(*item);
        trace.enter_item(list, index, *item, cx);
        let result = if !each.asks() {
            run(body, cx, trace)
                .map(|value| if each == Each::Map { made.push(value) } else { keys.push((value, *item)) })
        } else {
            truth(body, cx, trace).and_then(|truth| match (each, truth) {
                (_, None) => fail(body.at, ABSENT_CONDITION),
                (Each::Where, Some(true)) => {
                    made.push(*item);
                    Ok(())
                }
                (Each::Any, Some(true)) => {
                    verdict = true;
                    Ok(())
                }
                (Each::All, Some(false)) => {
                    verdict = false;
                    Ok(())
                }
                _ => Ok(()),
            })
        };
        trace.leave_item(cx);
        cx.items.pop();
        result?;
    }
    match each {
        Each::Map | Each::Where => Ok(cx.arena.list(&made)),
        Each::Any | Each::All => Ok(Value::Bool(verdict)),
        Each::SortBy | Each::UniqueBy | Each::GroupBy => arranged(each, body.at, keys, cx),
    }
}

/// The items by what was computed for each.
fn arranged<'a>(
    each: Each,
    at: At,
    keyed: Vec<(Value<'a>, Value<'a>)>,
    cx: &mut Cx<'a>,
) -> Result<Value<'a>, EvalError> {
    let arena = cx.arena;
    if each == Each::SortBy {
        return order::sorted(keyed).map_or_else(|message| fail(at, message), |items| Ok(arena.list(&items)));
    }
    let keys: Vec<Value<'a>> = keyed.iter().map(|(key, _)| *key).collect();
    let Some(weight) = functions::weight(arena.list(&keys)) else {
        return fail(at, "what is computed for the items is too large to be compared");
    };
    if !cx.spend(weight as u64 / 16) {
        return fail(at, format!("more than {STEPS} steps"));
    }
    if each == Each::UniqueBy {
        return Ok(arena.list(&order::unique(keyed.into_iter())));
    }
    let groups: Vec<Value<'a>> = order::groups(keyed.into_iter())
        .into_iter()
        .map(|(key, items)| arena.map(&[("key", key), ("items", arena.list(&items))]))
        .collect();
    Ok(arena.list(&groups))
}
