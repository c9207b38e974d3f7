//! From a checked expression to a quick one.

use super::{Code, Constant, Num, Quick, Reckon};
use crate::ast::Operator;
use crate::check::{Constant as Written, Expr, Node, NodeKind};
use crate::functions::Function;
use hub_tree::Value;
use hub_tree::rust_decimal::{Decimal, RoundingStrategy};

/// Larger expressions are left to the evaluator, which counts its steps.
const MOST_NODES: usize = 500;

impl Expr {
    /// The same expression, ready to be run often; `None` where it uses more of the language than this. `known`: the
    /// values of slots that are the same in every run, such as tables.
    #[must_use]
    pub fn quick(&self, known: &[(usize, Value<'_>)]) -> Option<Quick> {
        let mut compiler = Compiler { known, nodes: 0 };
        compiler.code(&self.root).map(Quick)
    }
}

struct Compiler<'k> {
    known: &'k [(usize, Value<'k>)],
    nodes: usize,
}

impl<'k> Compiler<'k> {
    fn code(&mut self, node: &Node) -> Option<Code> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return None;
        }
        if let Some(value) = self.known(node) {
            return Constant::of(value).map(Code::Constant);
        }
        Some(match &node.kind {
            NodeKind::Constant(constant) => Code::Constant(match constant {
                Written::Null => Constant::Absent,
                Written::Bool(value) => Constant::Bool(*value),
                Written::Number(number) => Constant::Number((*number).into()),
                Written::Text(text) => Constant::Text(text.clone()),
            }),
            NodeKind::Slot(slot) => Code::Slot(*slot),
            NodeKind::Not(inner) => Code::Not(self.boxed(inner)?),
            NodeKind::Minus(inner) => Code::Minus(self.boxed(inner)?),
            NodeKind::Binary(operator, left, right) => {
                let both = Box::new([self.code(left)?, self.code(right)?]);
                match operator {
                    Operator::And => Code::And(both),
                    Operator::Or => Code::Or(both),
                    Operator::Default => Code::Default(both),
                    Operator::Add => Code::Reckon(Reckon::Plus, both),
                    Operator::Subtract => Code::Reckon(Reckon::Minus, both),
                    Operator::Multiply => Code::Reckon(Reckon::Times, both),
                    Operator::Divide => Code::Reckon(Reckon::Over, both),
                    Operator::In | Operator::Join => return None,
                    comparison => Code::Compare(*comparison, both),
                }
            }
            NodeKind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                Code::If(Box::new([self.code(condition)?, self.code(then)?, self.code(otherwise)?]))
            }
            NodeKind::Call(function, nodes) => self.call(function, nodes)?,
            NodeKind::Item | NodeKind::List(_) | NodeKind::Key(..) | NodeKind::Index(..) | NodeKind::Each(..) => {
                return None;
            }
        })
    }

    fn boxed(&mut self, node: &Node) -> Option<Box<Code>> {
        self.code(node).map(Box::new)
    }

    /// The value of a path into a known slot.
    fn known(&self, node: &Node) -> Option<Value<'k>> {
        match &node.kind {
            NodeKind::Slot(slot) => self.known.iter().find(|(known, _)| known == slot).map(|(_, value)| *value),
            NodeKind::Key(base, key) => Some(self.known(base)?.get(key)),
            _ => None,
        }
    }

    fn call(&mut self, function: &Function, nodes: &[Node]) -> Option<Code> {
        Some(match (function.name, nodes) {
            ("exists", [value]) => Code::Exists(self.boxed(value)?),
            // One argument may be a list, which is not for here.
            ("min", [_, _, ..]) => Code::Least(self.all(nodes)?),
            ("max", [_, _, ..]) => Code::Most(self.all(nodes)?),
            ("abs", [number]) => Code::Abs(self.boxed(number)?),
            ("round" | "round_half_even" | "trunc", [number, places @ ..]) => {
                let strategy = match function.name {
                    "round" => RoundingStrategy::MidpointAwayFromZero,
                    "trunc" => RoundingStrategy::ToZero,
                    _ => RoundingStrategy::MidpointNearestEven,
                };
                Code::Rounded(self.boxed(number)?, places_of(places)?, strategy)
            }
            ("lookup", [table, key]) => {
                let Value::Map(map) = self.known(table)? else { return None };
                let row = |(key, value): &(&str, Value<'_>)| Some(((*key).into(), Constant::of(*value)?));
                let rows: Option<Vec<(Box<str>, Constant)>> = map.entries().iter().map(row).collect();
                Code::Lookup(rows?.into(), self.boxed(key)?)
            }
            ("bracket", [table, number]) => {
                let Value::List(rows) = self.known(table)? else { return None };
                let rows: Option<Vec<(Num, Constant)>> = rows.iter().map(pair).collect();
                let rows = rows?;
                let rises = rows.iter().zip(rows.iter().skip(1)).all(|(one, next)| one.0.order(next.0).is_lt());
                if !rises {
                    return None;
                }
                Code::Bracket(rows.into(), self.boxed(number)?)
            }
            _ => return None,
        })
    }

    fn all(&mut self, nodes: &[Node]) -> Option<Box<[Code]>> {
        nodes.iter().map(|node| self.code(node)).collect()
    }
}

/// A row `[from, value]`.
fn pair(row: &Value<'_>) -> Option<(Num, Constant)> {
    let Value::List([from, value]) = row else { return None };
    Some((from.as_decimal()?.into(), Constant::of(*value)?))
}

/// The places that are written behind a number to round.
fn places_of(nodes: &[Node]) -> Option<u32> {
    match nodes {
        [] => Some(0),
        [Node { kind: NodeKind::Constant(Written::Number(places)), .. }] => {
            let whole = u32::try_from(*places).ok().filter(|whole| *whole <= 28)?;
            (Decimal::from(whole) == *places).then_some(whole)
        }
        _ => None,
    }
}
