//! The evaluator: one walk over the checked tree, with or without recording why.

use crate::ast::{At, Operator};
use crate::check::{Constant, Each, Expr, Node, NodeKind};
use crate::exact;
use crate::explain::{Explain, Off, On, Trace};
use crate::functions::{self, Call, Function, MAX_TEXT};
use crate::order;
use hub_tree::rust_decimal::Decimal;
use hub_tree::{Arena, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// Steps that one context may take before it gives up; a mapping of a large document takes a few thousand.
const STEPS: u64 = 2_000_000;

/// What an expression runs in: an arena for what it makes, and the values of its scope's names.
pub struct Cx<'a> {
    /// Where new values are made.
    pub arena: &'a Arena,
    /// The values of the scope's names, by slot.
    pub slots: Vec<Value<'a>>,
    pub(crate) items: Vec<Value<'a>>,
    /// The source paths of `items`, where they lie in the input; kept while somebody asks why.
    pub(crate) item_paths: Vec<Option<Rc<str>>>,
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

    /// A context without names that gives up after `steps`.
    pub(crate) fn with_steps(arena: &'a Arena, steps: u64) -> Self {
        Self { steps, ..Self::new(arena, Vec::new()) }
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
        if let Some((slot, keys)) = &self.keys
            && cx.spend(1 + keys.len() as u64)
        {
            let root = cx.slots.get(*slot).copied().unwrap_or_default();
            return Ok(keys.iter().fold(root, |value, key| value.get(key)));
        }
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

pub(crate) fn run<'a, T: Trace>(node: &'a Node, cx: &mut Cx<'a>, trace: &mut T) -> Result<Value<'a>, EvalError> {
    if !cx.spend(1) {
        return fail(node.at, format!("more than {STEPS} steps"));
    }
    trace.enter(node);
    let value = value_of(node, cx, trace)?;
    trace.leave(node, cx, value);
    Ok(value)
}

/// Small on the stack: it calls itself once per level of the tree, and the work that does not is in functions of its own.
fn value_of<'a, T: Trace>(node: &'a Node, cx: &mut Cx<'a>, trace: &mut T) -> Result<Value<'a>, EvalError> {
    let at = node.at;
    match &node.kind {
        NodeKind::Constant(constant) => Ok(match constant {
            Constant::Null => Value::Null,
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Number(number) => Value::Decimal(*number),
            Constant::Text(text) => Value::Text(text),
        }),
        NodeKind::Slot(slot) => Ok(cx.slots.get(*slot).copied().unwrap_or_default()),
        NodeKind::Item => Ok(cx.items.last().copied().unwrap_or_default()),
        NodeKind::List(nodes) => {
            let items = all(nodes, cx, trace)?;
            items.iter().try_for_each(|item| weigh(at, *item, cx))?;
            Ok(cx.arena.list(&items))
        }
        NodeKind::Key(base, key) => {
            let object = run(base, cx, trace)?;
            // Keys are looked for one after the other.
            spend(at, object.entries().len() as u64 / 64, cx)?;
            Ok(object.get(key))
        }
        NodeKind::Index(base, index) => {
            let list = run(base, cx, trace)?;
            let wanted = run(index, cx, trace)?;
            item_at(index.at, list, wanted)
        }
        NodeKind::Not(inner) => Ok(truth(inner, cx, trace)?.map_or(Value::Absent, |value| Value::Bool(!value))),
        NodeKind::Minus(inner) => {
            let value = run(inner, cx, trace)?;
            let number = number(inner.at, "`-`", value)?;
            Ok(number.map_or(Value::Absent, |number| Value::Decimal(unsigned_zero(-number))))
        }
        NodeKind::Binary(operator, left, right) => binary(at, *operator, left, right, cx, trace),
        NodeKind::If(parts) => {
            let [condition, then, otherwise] = &**parts;
            match truth(condition, cx, trace)? {
                Some(true) => run(then, cx, trace),
                Some(false) => run(otherwise, cx, trace),
                None => fail(condition.at, ABSENT_CONDITION),
            }
        }
        NodeKind::Each(each, list, body) => each_item(*each, list, body, cx, trace),
        NodeKind::Call(function, nodes) => {
            let arguments = all(nodes, cx, trace)?;
            call(at, function, &arguments, cx)
        }
    }
}

fn all<'a, T: Trace>(nodes: &'a [Node], cx: &mut Cx<'a>, trace: &mut T) -> Result<Vec<Value<'a>>, EvalError> {
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        values.push(run(node, cx, trace)?);
    }
    Ok(values)
}

fn item_at<'a>(at: At, list: Value<'a>, index: Value<'a>) -> Result<Value<'a>, EvalError> {
    if list.is_absent() || index.is_absent() {
        return Ok(Value::Absent);
    }
    let Some(wanted) = index.as_decimal() else {
        return fail(at, format!("an index is a number, this is {}", index.kind()));
    };
    match usize::try_from(wanted) {
        Ok(wanted_index) if Decimal::from(wanted_index) == wanted => Ok(list.at(wanted_index)),
        _ => fail(at, "an index is a whole number from 0"),
    }
}

fn call<'a>(
    at: At,
    function: &'static Function,
    arguments: &[Value<'a>],
    cx: &mut Cx<'a>,
) -> Result<Value<'a>, EvalError> {
    if !function.sees_absent && arguments.iter().any(Value::is_absent) {
        return Ok(Value::Absent);
    }
    let reading: usize = arguments.iter().map(reading_cost).sum();
    spend(at, reading as u64, cx)?;
    let call = Call::new(cx.arena, function, arguments);
    let result = (function.run)(&call);
    spend(at, call.cost(), cx)?;
    let value = match result {
        Ok(value) => value,
        Err(message) => return fail(at, format!("`{}`: {message}", function.name)),
    };
    match value {
        Value::Text(text) => charge(at, text.len(), cx)?,
        Value::List(items) if !function.picks_item => {
            charge(at, items.len() * 8, cx)?;
            weigh(at, value, cx)?;
        }
        _ => {}
    }
    Ok(match value {
        Value::Decimal(number) => Value::Decimal(unsigned_zero(number)),
        value => value,
    })
}

const ABSENT_CONDITION: &str = "the condition is absent: give what it reads a default with `??`, or ask `exists(…)`";

/// Nothing is less than nothing: `-0` never leaves a computation.
fn unsigned_zero(mut number: Decimal) -> Decimal {
    if number.is_zero() {
        number.set_sign_positive(true);
    }
    number
}

fn spend(at: At, steps: u64, cx: &mut Cx<'_>) -> Result<(), EvalError> {
    if steps > 0 && !cx.spend(steps) {
        return fail(at, format!("more than {STEPS} steps"));
    }
    Ok(())
}

/// The steps of reading an argument once.
fn reading_cost(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) | Value::Number(text) => text.len() / 64,
        Value::List(items) => items.len() / 8,
        Value::Map(map) => map.entries().len() / 64,
        _ => 0,
    }
}

/// Charges for all that lies below `value`. Values share their parts, so a tree that doubles at every step takes no
/// memory while it is built; whoever walks it later would never come to its end.
fn weigh(at: At, value: Value<'_>, cx: &mut Cx<'_>) -> Result<(), EvalError> {
    fn walk(value: Value<'_>, left: &mut u64) -> Option<()> {
        let own = match value {
            Value::Text(text) | Value::Number(text) => 1 + text.len() as u64 / 16,
            _ => 1,
        };
        *left = left.checked_sub(own)?;
        value.items().iter().try_for_each(|item| walk(*item, left))?;
        value.entries().iter().try_for_each(|(_, value)| walk(*value, left))
    }
    let had = cx.steps.saturating_mul(4);
    let mut left = had;
    match walk(value, &mut left) {
        Some(()) => spend(at, (had - left) / 4, cx),
        None => fail(at, format!("more than {STEPS} steps")),
    }
}

/// Charges for comparing two values.
fn charge_comparison(at: At, left: Value<'_>, right: Value<'_>, cx: &mut Cx<'_>) -> Result<(), EvalError> {
    match (left, right) {
        (Value::List(l), Value::List(r)) if l.len() != r.len() => Ok(()),
        (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => {
            weigh(at, left, cx)?;
            weigh(at, right, cx)
        }
        (Value::Text(l), Value::Text(r)) => spend(at, l.len().min(r.len()) as u64 / 64, cx),
        _ => Ok(()),
    }
}

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
    match operator {
        // Three-valued: what is known decides, what is absent stays absent.
        Operator::And | Operator::Or => {
            let decides = operator == Operator::Or;
            let l = truth(left, cx, trace)?;
            if l == Some(decides) {
                return Ok(Value::Bool(decides));
            }
            Ok(match (l, truth(right, cx, trace)?) {
                (_, Some(r)) if r == decides => Value::Bool(decides),
                (Some(_), Some(r)) => Value::Bool(r),
                _ => Value::Absent,
            })
        }
        Operator::Default => {
            let value = run(left, cx, trace)?;
            if value.is_absent() { run(right, cx, trace) } else { Ok(value) }
        }
        _ => {
            let l = run(left, cx, trace)?;
            let r = run(right, cx, trace)?;
            operate(operator, (at, left.at, right.at), l, r, cx)
        }
    }
}

/// An operator on two values; the places are its own and those of its sides.
fn operate<'a>(
    operator: Operator,
    (at, left_at, right_at): (At, At, At),
    l: Value<'a>,
    r: Value<'a>,
    cx: &mut Cx<'a>,
) -> Result<Value<'a>, EvalError> {
    use Operator as O;
    if let O::Equal | O::Unequal = operator {
        charge_comparison(at, l, r, cx)?;
        let equal = if l.is_absent() || r.is_absent() { l.is_absent() && r.is_absent() } else { equal(at, l, r)? };
        return Ok(Value::Bool(equal == (operator == O::Equal)));
    }
    if let O::Add | O::Subtract | O::Multiply | O::Divide = operator {
        let sign = operator.sign();
        let (Some(l), Some(r)) = (number(left_at, sign, l)?, number(right_at, sign, r)?) else {
            // Both are looked at: a side of the wrong kind is an error beside an absent one, too.
            return Ok(Value::Absent);
        };
        let result = match operator {
            O::Add => l.checked_add(r),
            O::Subtract => l.checked_sub(r),
            O::Multiply => l.checked_mul(r),
            _ if r.is_zero() => return fail(right_at, "division by zero"),
            // Without zeros at the end, which the way of computing it would leave there at random.
            _ => l.checked_div(r).map(|quotient| quotient.normalize()),
        };
        return match result {
            Some(number) => Ok(Value::Decimal(unsigned_zero(number))),
            None => fail(at, "the result has more than 28 digits"),
        };
    }
    if l.is_absent() || r.is_absent() {
        return Ok(Value::Absent);
    }
    match operator {
        O::In => {
            let single = [r];
            let items = if let Value::List(items) = r { items } else { &single };
            spend(at, items.len() as u64 / 4, cx)?;
            let mut found = false;
            for item in items {
                charge_comparison(at, l, *item, cx)?;
                found |= !item.is_absent() && equal(at, l, *item)?;
            }
            Ok(Value::Bool(found))
        }
        O::Join => {
            let arena = cx.arena;
            let (Some(a), Some(b)) = (l.scalar_text(arena), r.scalar_text(arena)) else {
                let other = if l.scalar_text(arena).is_none() { l } else { r };
                return fail(at, format!("`&` joins text, this is {}", other.kind()));
            };
            charge(at, a.len() + b.len(), cx)?;
            Ok(Value::Text(cx.arena.format(format_args!("{a}{b}"))))
        }
        _ => {
            charge_comparison(at, l, r, cx)?;
            let order = compare(at, l, r)?;
            Ok(Value::Bool(match operator {
                O::Less => order == Ordering::Less,
                O::LessEqual => order != Ordering::Greater,
                O::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }))
        }
    }
}

/// Equality of two present values: the same kind, or an error, because text is never equal to a number.
pub(crate) fn equal(at: At, left: Value<'_>, right: Value<'_>) -> Result<bool, EvalError> {
    match (left, right) {
        (Value::Number(_) | Value::Decimal(_), Value::Number(_) | Value::Decimal(_)) => match exact::order(left, right)
        {
            Some(order) => Ok(order == Ordering::Equal),
            None => fail(at, "the number is out of range"),
        },
        (Value::Text(_), Value::Text(_))
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
    match (left, right) {
        (Value::Number(_) | Value::Decimal(_), Value::Number(_) | Value::Decimal(_)) => match exact::order(left, right)
        {
            Some(order) => Ok(order),
            None => fail(at, "the number is out of range"),
        },
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
            run(body, cx, trace).and_then(|value| {
                if each == Each::Map {
                    made.push(value);
                } else {
                    keys.push((value, *item));
                }
                weigh(body.at, value, cx)
            })
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
