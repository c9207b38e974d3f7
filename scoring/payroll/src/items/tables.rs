//! Tables that stand in a file of rules: what a key, or a number, comes to.

use super::read::{constant, day_fields, number};
use super::rules::{Constant, InForce};
use hub_expr::Type;
use hub_tree::jiff::civil::Date;
use hub_tree::yaml::{Context, Kind, Node};
use hub_tree::{Arena, Decimal, Value};

/// A table and its dated versions.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) slot: usize,
    versions: Vec<(InForce, Rows)>,
}

#[derive(Debug)]
enum Rows {
    /// For `lookup(table, key)`, or `table.key`.
    Keys(Vec<(String, Constant)>),
    /// For `bracket(table, number)`.
    Brackets(Vec<(Decimal, Constant)>),
}

impl Table {
    /// The table as it is on a day; absent where no version holds.
    pub(super) fn on<'a>(&'a self, day: Date, arena: &'a Arena) -> Value<'a> {
        match self.versions.iter().find(|(in_force, _)| in_force.holds(day)) {
            None => Value::Absent,
            Some((_, Rows::Keys(rows))) => {
                let rows: Vec<(&str, Value<'_>)> =
                    rows.iter().map(|(key, value)| (key.as_str(), value.value())).collect();
                arena.map(&rows)
            }
            Some((_, Rows::Brackets(rows))) => {
                let pair = |(from, value): &'a (Decimal, Constant)| arena.list(&[Value::Decimal(*from), value.value()]);
                let rows: Vec<Value<'_>> = rows.iter().map(pair).collect();
                arena.list(&rows)
            }
        }
    }

    /// What formulas are checked by: the keys of all versions.
    pub(super) fn ty(&self) -> Type {
        let mut keys: Vec<(&str, Type)> = Vec::new();
        for (_, rows) in &self.versions {
            let Rows::Keys(rows) = rows else { return Type::list(Type::Any) };
            keys.extend(rows.iter().map(|(key, value)| {
                let ty = if matches!(value, Constant::Number(_)) { Type::Number } else { Type::Text };
                (key.as_str(), ty)
            }));
        }
        Type::record(&format!("the table `{}`", self.name), keys)
    }
}

/// Reads a table: a map of keys, a list of pairs `[from, value]`, or a list of versions `{from, until, values}`.
pub(super) fn table(name: &str, slot: usize, node: &Node, cx: &Context<'_>) -> Option<Table> {
    let mut versions: Vec<(InForce, Rows)> = Vec::new();
    let dated = matches!(&node.kind, Kind::List(items) if items.iter().any(|item| item.get("values").is_some()));
    if dated {
        for item in node.items(cx) {
            let mut fields = item.fields(cx)?;
            let in_force = day_fields(&mut fields);
            let values = fields.required("values").and_then(|node| rows(node, cx));
            fields.finish();
            let values = values?;
            if versions.iter().any(|(other, _)| other.meets(&in_force)) {
                cx.error(
                    item.span,
                    format!("two versions of the table `{name}` hold on one day: end the earlier with `until`"),
                );
            }
            versions.push((in_force, values));
        }
    } else {
        versions.push((InForce::default(), rows(node, cx)?));
    }
    Some(Table { name: name.to_owned(), slot, versions })
}

fn rows(node: &Node, cx: &Context<'_>) -> Option<Rows> {
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() => {
            let mut rows = Vec::new();
            for (key, value) in entries {
                rows.push((key.name.clone(), constant(value, cx)?));
            }
            Some(Rows::Keys(rows))
        }
        Kind::List(items) if !items.is_empty() => {
            let mut rows: Vec<(Decimal, Constant)> = Vec::new();
            for item in items {
                let [from, value] = item.items(cx) else {
                    cx.error(item.span, "a row of this table is a pair: [from, value]");
                    return None;
                };
                let (from, value) = (number(from, cx)?, constant(value, cx)?);
                if rows.last().is_some_and(|(before, _)| *before >= from) {
                    cx.error(item.span, "a row begins above the one before");
                }
                rows.push((from, value));
            }
            Some(Rows::Brackets(rows))
        }
        _ => {
            node.expected("a table: a map of keys, pairs [from, value], or versions with `values`", cx);
            None
        }
    }
}
