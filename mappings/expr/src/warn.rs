//! What compiles but cannot be meant: branches that are never reached, defaults that never apply, constants that
//! always fail, values listed twice.

use crate::ast::Operator;
use crate::check::{Constant, Each, Node, NodeKind};
use crate::eval::{Cx, run};
use crate::explain::Off;
use crate::scope::Problem;
use hub_tree::{Arena, Value};

/// Steps for all constants of one expression together; those that need more are left to the run.
const CONSTANT_STEPS: u64 = 20_000;

/// The warnings of a checked expression, by place.
pub(crate) fn of(root: &Node) -> Vec<Problem> {
    let arena = Arena::new();
    let mut walk = Walk { cx: Cx::with_steps(&arena, CONSTANT_STEPS), warnings: Vec::new() };
    walk.node(root, &[], true);
    let mut warnings = walk.warnings;
    warnings.sort_by_key(|warning| (warning.start, warning.len));
    warnings.dedup();
    warnings
}

struct Walk<'a> {
    cx: Cx<'a>,
    warnings: Vec<Problem>,
}

/// That the value of `of` is one of `values`, or is none of them.
#[derive(Clone)]
struct Fact<'n> {
    of: &'n Node,
    values: Vec<&'n Constant>,
    is_one: bool,
}

impl<'a> Walk<'a> {
    fn warn(&mut self, node: &Node, message: String) {
        self.warnings.push(Problem::new(node.at.start, node.at.len, message));
    }

    /// `outermost`: no constant surrounds this node, so that a failure has not been reported yet.
    fn node(&mut self, node: &'a Node, facts: &[Fact<'a>], outermost: bool) {
        let constant = is_closed(node, 0);
        if constant && outermost {
            self.constant(node);
        }
        let below = outermost && !constant;
        match &node.kind {
            NodeKind::Constant(_) | NodeKind::Slot(_) | NodeKind::Item => {}
            NodeKind::List(nodes) | NodeKind::Call(_, nodes) => {
                nodes.iter().for_each(|inner| self.node(inner, facts, below));
            }
            NodeKind::Key(inner, _) | NodeKind::Not(inner) | NodeKind::Minus(inner) => self.node(inner, facts, below),
            NodeKind::Index(base, index) => {
                self.node(base, facts, below);
                self.node(index, facts, below);
            }
            NodeKind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                self.node(condition, facts, below);
                match self.truth(condition, facts) {
                    Some(true) => self.unreached(otherwise, "the condition is always true"),
                    Some(false) => self.unreached(then, "the condition is never true"),
                    None => {}
                }
                self.node(then, &with(facts, condition, true), below);
                self.node(otherwise, &with(facts, condition, false), below);
            }
            NodeKind::Each(each, list, body) => {
                self.node(list, facts, below);
                // What is known of one `item` says nothing of another.
                let facts: Vec<Fact<'a>> = facts.iter().filter(|fact| !has_item(fact.of)).cloned().collect();
                if *each != Each::Map
                    && let Some(truth) = self.truth(body, &facts)
                {
                    self.warn(body, format!("this condition is {}", always(truth)));
                }
                self.node(body, &facts, below);
            }
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right, facts, below),
        }
    }

    fn binary(&mut self, operator: Operator, left: &'a Node, right: &'a Node, facts: &[Fact<'a>], below: bool) {
        self.node(left, facts, below);
        match operator {
            Operator::And | Operator::Or => {
                let decides = operator == Operator::Or;
                let facts = with(facts, left, !decides);
                if self.truth(left, &[]) == Some(decides) {
                    self.unreached(
                        right,
                        if decides { "the left side is always true" } else { "the left side is never true" },
                    );
                } else if let (false, Some(truth)) = (is_closed(right, 0), self.truth(right, &facts)) {
                    self.warn(right, format!("this condition is {} here", always(truth)));
                }
                self.node(right, &facts, below);
            }
            Operator::Default => {
                if matches!(left.kind, NodeKind::Constant(Constant::Null)) {
                    self.warn(left, "this is always absent: the right side is always taken".to_owned());
                } else if never_absent(left) {
                    self.unreached(right, "the left side is never absent");
                }
                self.node(right, facts, below);
            }
            Operator::In => {
                if let NodeKind::List(items) = &right.kind {
                    self.listed_twice(items);
                }
                self.node(right, facts, below);
            }
            _ => self.node(right, facts, below),
        }
    }

    fn unreached(&mut self, node: &Node, why: &str) {
        self.warn(node, format!("this branch is never reached: {why}"));
    }

    /// Computes what depends on nothing, and reports when that fails.
    fn constant(&mut self, node: &'a Node) {
        if matches!(node.kind, NodeKind::Constant(_)) {
            return;
        }
        // It is written to fail.
        if matches!(&node.kind, NodeKind::Call(function, _) if function.name == "fail") {
            return;
        }
        if let Err(error) = run(node, &mut self.cx, &mut Off)
            && self.cx.spend(1)
        {
            self.warnings.push(Problem::new(error.start, error.len, format!("this always fails: {}", error.message)));
        }
    }

    fn listed_twice(&mut self, items: &[Node]) {
        for (index, item) in items.iter().enumerate() {
            let NodeKind::Constant(own) = &item.kind else { continue };
            let earlier = items.iter().take(index);
            if earlier
                .into_iter()
                .any(|other| matches!(&other.kind, NodeKind::Constant(other) if same_constant(own, other)))
            {
                self.warn(item, "this value stands in the list twice".to_owned());
            }
        }
    }

    /// What a condition comes to whatever the input is, given what is known where it stands.
    fn truth(&mut self, node: &'a Node, facts: &[Fact<'a>]) -> Option<bool> {
        if is_closed(node, 0) {
            return match run(node, &mut self.cx, &mut Off) {
                Ok(Value::Bool(value)) => Some(value),
                _ => None,
            };
        }
        match &node.kind {
            NodeKind::Not(inner) => self.truth(inner, facts).map(|truth| !truth),
            NodeKind::Binary(operator @ (Operator::And | Operator::Or), left, right) => {
                let decides = *operator == Operator::Or;
                match (self.truth(left, facts), self.truth(right, facts)) {
                    (Some(l), Some(r)) => Some(if decides { l || r } else { l && r }),
                    (Some(one), _) | (_, Some(one)) if one == decides => Some(decides),
                    _ => None,
                }
            }
            _ => decide(&atom(node)?, facts),
        }
    }
}

fn always(truth: bool) -> &'static str {
    if truth { "always true" } else { "never true" }
}

fn present(node: &Node) -> Option<&Constant> {
    match &node.kind {
        NodeKind::Constant(constant) if !matches!(constant, Constant::Null) => Some(constant),
        _ => None,
    }
}

/// `x == constant`, `x != constant`, `x in [constants]`.
fn atom(node: &Node) -> Option<Fact<'_>> {
    let NodeKind::Binary(operator, left, right) = &node.kind else { return None };
    match operator {
        Operator::Equal | Operator::Unequal => {
            let is_one = *operator == Operator::Equal;
            match (present(left), present(right)) {
                (None, Some(value)) => Some(Fact { of: left, values: vec![value], is_one }),
                (Some(value), None) => Some(Fact { of: right, values: vec![value], is_one }),
                _ => None,
            }
        }
        Operator::In => {
            let NodeKind::List(items) = &right.kind else { return None };
            let values = items.iter().map(present).collect::<Option<_>>()?;
            Some(Fact { of: left, values, is_one: true })
        }
        _ => None,
    }
}

/// The facts, and what follows when `condition` came out as `truth`.
fn with<'n>(facts: &[Fact<'n>], condition: &'n Node, truth: bool) -> Vec<Fact<'n>> {
    fn add<'n>(condition: &'n Node, truth: bool, out: &mut Vec<Fact<'n>>) {
        match &condition.kind {
            NodeKind::Not(inner) => add(inner, !truth, out),
            NodeKind::Binary(Operator::And, left, right) if truth => {
                add(left, truth, out);
                add(right, truth, out);
            }
            NodeKind::Binary(Operator::Or, left, right) if !truth => {
                add(left, truth, out);
                add(right, truth, out);
            }
            _ => out.extend(atom(condition).map(|fact| Fact { is_one: fact.is_one == truth, ..fact })),
        }
    }
    let mut all = facts.to_vec();
    add(condition, truth, &mut all);
    all
}

fn decide(asked: &Fact<'_>, facts: &[Fact<'_>]) -> Option<bool> {
    let known: Vec<&Fact<'_>> = facts.iter().filter(|fact| same(fact.of, asked.of)).collect();
    let holds = |fact: &Fact<'_>, value: &Constant| fact.values.iter().any(|other| same_constant(other, value));
    let possible = |value: &Constant| known.iter().all(|fact| holds(fact, value) == fact.is_one);
    if !asked.values.iter().any(|value| possible(value)) {
        return Some(!asked.is_one);
    }
    let left = known.iter().find(|fact| fact.is_one)?;
    let settled = left.values.iter().filter(|value| possible(value)).all(|value| holds(asked, value));
    settled.then_some(asked.is_one)
}

fn same_constant(a: &Constant, b: &Constant) -> bool {
    match (a, b) {
        (Constant::Null, Constant::Null) => true,
        (Constant::Bool(a), Constant::Bool(b)) => a == b,
        (Constant::Number(a), Constant::Number(b)) => a == b,
        (Constant::Text(a), Constant::Text(b)) => a == b,
        _ => false,
    }
}

/// Whether two parts compute the same: nothing here depends on anything but the input.
fn same(a: &Node, b: &Node) -> bool {
    let all = |a: &[Node], b: &[Node]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (&a.kind, &b.kind) {
        (NodeKind::Constant(a), NodeKind::Constant(b)) => same_constant(a, b),
        (NodeKind::Slot(a), NodeKind::Slot(b)) => a == b,
        (NodeKind::Item, NodeKind::Item) => true,
        (NodeKind::Key(a, key), NodeKind::Key(b, other)) => key == other && same(a, b),
        (NodeKind::Index(a, i), NodeKind::Index(b, j)) => same(a, b) && same(i, j),
        (NodeKind::Not(a), NodeKind::Not(b)) | (NodeKind::Minus(a), NodeKind::Minus(b)) => same(a, b),
        (NodeKind::Binary(o, a, b), NodeKind::Binary(p, c, d)) => o == p && same(a, c) && same(b, d),
        (NodeKind::List(a), NodeKind::List(b)) => all(a, b),
        (NodeKind::Call(f, a), NodeKind::Call(g, b)) => f.name == g.name && all(a, b),
        _ => false,
    }
}

/// Whether it depends on no input; `items` counts the list functions around it that are part of it.
fn is_closed(node: &Node, items: usize) -> bool {
    let both = |a: &Node, b: &Node| is_closed(a, items) && is_closed(b, items);
    match &node.kind {
        NodeKind::Constant(_) => true,
        NodeKind::Slot(_) => false,
        NodeKind::Item => items > 0,
        NodeKind::List(nodes) | NodeKind::Call(_, nodes) => nodes.iter().all(|node| is_closed(node, items)),
        NodeKind::Key(inner, _) | NodeKind::Not(inner) | NodeKind::Minus(inner) => is_closed(inner, items),
        NodeKind::Index(a, b) | NodeKind::Binary(_, a, b) => both(a, b),
        NodeKind::If(parts) => parts.iter().all(|node| is_closed(node, items)),
        NodeKind::Each(_, list, body) => is_closed(list, items) && is_closed(body, items + 1),
    }
}

fn has_item(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Item => true,
        NodeKind::Constant(_) | NodeKind::Slot(_) => false,
        NodeKind::List(nodes) | NodeKind::Call(_, nodes) => nodes.iter().any(has_item),
        NodeKind::Key(inner, _) | NodeKind::Not(inner) | NodeKind::Minus(inner) => has_item(inner),
        NodeKind::Index(a, b) | NodeKind::Binary(_, a, b) | NodeKind::Each(_, a, b) => has_item(a) || has_item(b),
        NodeKind::If(parts) => parts.iter().any(has_item),
    }
}

/// Whether it has a value on every input.
fn never_absent(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Constant(constant) => !matches!(constant, Constant::Null),
        NodeKind::List(_) | NodeKind::Binary(Operator::Equal | Operator::Unequal, ..) => true,
        NodeKind::Binary(Operator::Default, _, right) => never_absent(right),
        NodeKind::Binary(
            Operator::And | Operator::Or | Operator::Join | Operator::Add | Operator::Subtract | Operator::Multiply,
            left,
            right,
        ) => never_absent(left) && never_absent(right),
        NodeKind::Not(inner) | NodeKind::Minus(inner) => never_absent(inner),
        NodeKind::If(parts) => {
            let [_, then, otherwise] = &**parts;
            never_absent(then) && never_absent(otherwise)
        }
        _ => false,
    }
}
