//! Explanations are exact: an input that holds nothing but what they show gives the same value again.

use super::printed::shape;
use super::world;
use crate::ast::{Ast, AstKind};
use crate::parse::parse;
use crate::{Cx, Explain, Expr, Scope, Type};
use hub_tree::{Arena, Limits, Value, json};
use proptest::prelude::*;

/// A tree that can be changed.
#[derive(Clone)]
enum Tree<'a> {
    One(Value<'a>),
    List(Vec<Tree<'a>>),
    Map(Vec<(String, Tree<'a>)>),
}

enum Step {
    Key(String),
    Item(usize),
}

impl<'a> Tree<'a> {
    fn of(value: Value<'a>) -> Self {
        match value {
            Value::List(items) => Self::List(items.iter().map(|item| Tree::of(*item)).collect()),
            Value::Map(map) => {
                Self::Map(map.entries().iter().map(|(key, value)| ((*key).to_owned(), Tree::of(*value))).collect())
            }
            other => Self::One(other),
        }
    }

    fn value(&self, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::One(value) => *value,
            Self::List(items) => {
                let items: Vec<Value<'a>> = items.iter().map(|item| item.value(arena)).collect();
                arena.list(&items)
            }
            Self::Map(entries) => {
                let entries: Vec<(&'a str, Value<'a>)> =
                    entries.iter().map(|(key, value)| (arena.text(key), value.value(arena))).collect();
                arena.map(&entries)
            }
        }
    }

    /// Puts a value at the end of a way; what is missing on the way is made.
    fn put(&mut self, way: &[Step], value: Value<'a>) {
        let Some((step, rest)) = way.split_first() else {
            *self = Tree::of(value);
            return;
        };
        let absent = matches!(value, Value::Absent);
        match step {
            Step::Key(key) => {
                if !matches!(self, Self::Map(_)) {
                    if absent {
                        return;
                    }
                    *self = Self::Map(Vec::new());
                }
                let Self::Map(entries) = self else { return };
                let at = entries.iter().position(|(k, _)| k == key);
                let at = match at {
                    Some(at) => at,
                    None if absent => return,
                    None => {
                        entries.push((key.clone(), Self::One(Value::Absent)));
                        entries.len() - 1
                    }
                };
                entries[at].1.put(rest, value);
            }
            Step::Item(index) => {
                if !matches!(self, Self::List(_)) {
                    if absent {
                        return;
                    }
                    *self = Self::List(Vec::new());
                }
                let Self::List(items) = self else { return };
                if *index >= items.len() {
                    if absent {
                        return;
                    }
                    items.resize(index + 1, Self::One(Value::Absent));
                }
                items[*index].put(rest, value);
            }
        }
    }
}

/// The root's name and the way from it.
fn way(ast: &Ast) -> Option<(String, Vec<Step>)> {
    match &ast.kind {
        AstKind::Name(name) => Some((name.clone(), Vec::new())),
        AstKind::Key(base, key, _) => {
            let (root, mut steps) = way(base)?;
            steps.push(Step::Key(key.clone()));
            Some((root, steps))
        }
        AstKind::Index(base, index) => {
            let AstKind::Number(number) = &index.kind else { return None };
            let (root, mut steps) = way(base)?;
            steps.push(Step::Item(number.parse().ok()?));
            Some((root, steps))
        }
        _ => None,
    }
}

/// The value that a step shows.
fn shown<'a>(step: &Explain, arena: &'a Arena) -> Value<'a> {
    let Some(text) = &step.value else {
        return if step.kind == Some("null") { Value::Null } else { Value::Absent };
    };
    let value = json::read(arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap();
    match (step.kind, value.as_text()) {
        (Some("date"), Some(text)) => Value::Date(text.parse().unwrap()),
        (Some("date-time"), Some(text)) => Value::DateTime(text.parse().unwrap()),
        _ => value,
    }
}

fn leaves<'e>(step: &'e Explain, out: &mut Vec<&'e Explain>) {
    if step.path.is_some() {
        out.push(step);
    }
    step.because.iter().for_each(|below| leaves(below, out));
}

/// The slots of an input that holds only what the explanation shows.
fn reduced<'a>(why: &Explain, arena: &'a Arena) -> Result<Vec<Value<'a>>, TestCaseError> {
    let names = world::names();
    let mut roots: Vec<Tree<'a>> = vec![Tree::One(Value::Absent); names.len()];
    let mut found = Vec::new();
    leaves(why, &mut found);
    for leaf in found {
        let path = leaf.path.as_deref().unwrap_or_default();
        let ast = parse(path).map_err(|problem| TestCaseError::fail(format!("path {path}: {}", problem.message)))?;
        let Some((root, steps)) = way(&ast) else {
            return Err(TestCaseError::fail(format!("`{path}` is no path")));
        };
        let slot = names.iter().position(|(name, _)| *name == root);
        let Some(slot) = slot else { return Err(TestCaseError::fail(format!("`{path}` begins nowhere"))) };
        roots[slot].put(&steps, shown(leaf, arena));
    }
    let mut slots: Vec<Value<'a>> = roots.iter().map(|root| root.value(arena)).collect();
    let deep = slots[0].get("deep");
    if let Some(alias) = slots.last_mut() {
        *alias = deep;
    }
    Ok(slots)
}

/// Equal, and told apart from absent, and with the same text.
pub(super) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    let text = |value: Value<'_>| match value {
        // Times are written to the millisecond.
        Value::DateTime(at) => format!("{at}"),
        value => json::to_string(&value),
    };
    std::mem::discriminant(&a.copy_kind()) == std::mem::discriminant(&b.copy_kind()) && text(a) == text(b)
}

trait CopyKind {
    fn copy_kind(&self) -> Value<'static>;
}

impl CopyKind for Value<'_> {
    /// Its kind alone; a number is a number however it is kept.
    fn copy_kind(&self) -> Value<'static> {
        match self {
            Value::Absent => Value::Absent,
            Value::Null => Value::Null,
            Value::Bool(_) => Value::Bool(true),
            Value::Number(_) | Value::Decimal(_) => Value::Number("0"),
            Value::Text(_) => Value::Text(""),
            Value::Date(day) => Value::Date(*day),
            Value::DateTime(at) => Value::DateTime(*at),
            Value::List(_) => Value::List(&[]),
            Value::Map(_) => Value::Map(hub_tree::Map::default()),
        }
    }
}

/// An enum stands for its value where text is needed, which the text of the step does not say.
fn plain<'a>(value: Value<'a>, arena: &'a Arena) -> Value<'a> {
    match value {
        Value::Map(map) if map.get("value").as_text().is_some() => map.get("value"),
        Value::List(items) => {
            let items: Vec<Value<'a>> = items.iter().map(|item| plain(*item, arena)).collect();
            arena.list(&items)
        }
        value => value,
    }
}

struct Checker<'a> {
    arena: &'a Arena,
    /// The whole input and the reduced one.
    whole: Vec<Value<'a>>,
    reduced: Vec<Value<'a>>,
}

impl<'a> Checker<'a> {
    fn eval(&self, text: &str, scope: &Scope, slots: &[Value<'a>]) -> Result<(Value<'a>, Type), TestCaseError> {
        let expr = Expr::compile(text, scope)
            .map_err(|problems| TestCaseError::fail(format!("step `{text}`: {}", problems[0].message)))?;
        let mut cx = Cx::new(self.arena, slots.to_vec());
        match expr.eval(&mut cx) {
            Ok(value) => Ok((value.copy_into(self.arena), expr.ty().clone())),
            Err(error) => Err(TestCaseError::fail(format!("step `{text}`: {}", error.message))),
        }
    }

    /// Each step's own text gives its value, from the reduced input alone; its path leads to it in the whole input.
    fn step(&self, step: &Explain, scope: &Scope, items: &[Value<'a>]) -> Result<(), TestCaseError> {
        if let Some(path) = &step.path {
            let (there, _) = self.eval(path, &untyped(), &self.whole)?;
            let wanted = shown(step, self.arena);
            prop_assert!(same(there, wanted), "path {} of `{}` leads elsewhere", path, step.text);
        }
        let slots: Vec<Value<'a>> = self.reduced.iter().chain(items).copied().collect();
        let (value, _) = self.eval(&step.text, scope, &slots)?;
        let wanted = shown(step, self.arena);
        let wanted_json = json::to_string(&wanted);
        let agrees = value.is_absent() && wanted.is_absent()
            || json::to_string(&value) == wanted_json
            || json::to_string(&plain(value, self.arena)) == wanted_json
            || same(value, wanted);
        prop_assert!(agrees, "`{}` gives {} and not {}", step.text, json::to_string(&value), wanted_json);
        if let Some(first) = step.because.first().filter(|first| first.text == step.text) {
            // A list of enums taken as texts: the items below have no text of their own.
            return self.step(first, scope, items);
        }
        let ast = parse(&step.text).map_err(|problem| TestCaseError::fail(problem.message))?;
        let forms = ["map", "where", "any", "all"];
        if let AstKind::Call(name, _, arguments) = &ast.kind
            && forms.contains(&name.as_str())
            && let [list, body] = &arguments[..]
            && let Some((first, bodies)) = step.because.split_first()
        {
            let first_ast = parse(&first.text).map_err(|problem| TestCaseError::fail(problem.message))?;
            prop_assert_eq!(shape(&first_ast), shape(list));
            self.step(first, scope, items)?;
            let (list, ty) = self.eval(&first.text, scope, &slots)?;
            // A single value is a list of one.
            let single = [list];
            let list = match list {
                Value::List(items) => items,
                value if value.is_absent() => &[],
                _ => &single,
            };
            let computed =
                !matches!(body.kind, AstKind::Null | AstKind::Bool(_) | AstKind::Number(_) | AstKind::Text(_));
            if computed {
                prop_assert_eq!(list.len(), bodies.len(), "one step per item of `{}`", step.text);
            }
            let mut inner = scope.clone();
            inner.push("item", ty.item());
            for (item, body) in list.iter().zip(bodies) {
                let items: Vec<Value<'a>> = items.iter().chain([item]).copied().collect();
                self.step(body, &inner, &items)?;
            }
            return Ok(());
        }
        step.because.iter().try_for_each(|below| self.step(below, scope, items))
    }
}

/// The scope without types: paths into enums and dates are paths like any other.
fn untyped() -> Scope {
    Scope::new(world::names().into_iter().map(|(name, _)| (name, Type::Any)))
}

/// Checks an explanation against the input that it was made from.
pub(super) fn check<'a>(
    expr: &'a Expr,
    value: Value<'a>,
    why: &Explain,
    slots: &[Value<'a>],
    arena: &'a Arena,
) -> Result<(), TestCaseError> {
    let reduced = reduced(why, arena)?;
    let again = expr.eval(&mut world::cx(arena, &reduced));
    match again {
        Ok(again) => prop_assert!(
            same(again, value),
            "replayed: {} and not {}\n{}",
            json::to_string(&again),
            json::to_string(&value),
            why.to_lines()
        ),
        Err(error) => prop_assert!(false, "replayed: {}\n{}", error.message, why.to_lines()),
    }
    Checker { arena, whole: slots.to_vec(), reduced }.step(why, &world::scope(), &[])
}

/// Replays without looking at each step; for explanations that were cut short.
pub(super) fn replays<'a>(expr: &'a Expr, value: Value<'a>, why: &Explain, arena: &'a Arena) -> bool {
    let Ok(reduced) = reduced(why, arena) else { return false };
    expr.eval(&mut world::cx(arena, &reduced)).is_ok_and(|again| same(again, value))
}
