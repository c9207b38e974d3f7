//! Names of tables and columns, and what stands under them.

use super::Condition;
use hub_tree::Span;
use hub_tree::yaml::{Context, Fields, Key, Kind, Node};

/// The longest name of a table or column that any of the databases knows, in bytes.
const LONGEST_NAME: usize = 128;

/// `COLUMN`, `[COLUMN, …]` with one name on both sides, or `{ THEIRS: OURS }`.
pub(super) fn pairs(node: &Node, cx: &Context<'_>) -> Vec<(String, String)> {
    let pairs: Vec<(String, String)> = match &node.kind {
        Kind::Map(entries) => {
            let pair = |(key, node): &(Key, Node)| Some((key.name.clone(), node.text(cx)?));
            entries.iter().filter_map(pair).collect()
        }
        Kind::List(items) => items.iter().filter_map(|item| item.text(cx)).map(|name| (name.clone(), name)).collect(),
        _ => node.text(cx).map(|name| (name.clone(), name)).into_iter().collect(),
    };
    for name in pairs.iter().flat_map(|(theirs, ours)| [theirs, ours]) {
        check_name(name, node.span, cx);
    }
    if pairs.is_empty() {
        cx.error(node.span, "`on` names the columns that are equal in both tables");
    }
    pairs
}

/// `{ COLUMN: VALUE }` or `{ COLUMN: [VALUE, …] }`.
pub(super) fn conditions(node: &Node, cx: &Context<'_>) -> Vec<Condition> {
    let mut all = Vec::new();
    for (key, node) in node.entries(cx) {
        check_name(&key.name, key.span, cx);
        let one = std::slice::from_ref(node);
        let items = if let Kind::List(items) = &node.kind { items.as_slice() } else { one };
        let values: Vec<String> = items.iter().filter_map(|item| item.scalar().map(str::to_owned)).collect();
        if values.is_empty() || values.len() < items.len() {
            node.expected("a value or a list of them", cx);
        }
        all.push(Condition { column: key.name.clone(), values });
    }
    all
}

/// Whether text can be the name of a table or column; quoting takes care of the rest.
pub(super) fn check_name(name: &str, span: Span, cx: &Context<'_>) {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        cx.error(span, format!("a name of a table or column has 1 to {LONGEST_NAME} bytes and no control characters"));
    }
}

pub(super) fn name_of(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let node = fields.required(key)?;
    let cx = fields.context().clone();
    let name = node.text(&cx)?;
    check_name(&name, node.span, &cx);
    Some(name)
}

pub(super) fn column(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let node = fields.optional(key)?;
    let cx = fields.context().clone();
    let name = node.text(&cx)?;
    check_name(&name, node.span, &cx);
    Some(name)
}

pub(super) fn columns(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<String> {
    let span = fields.optional(key).map_or(fields.span, |node| node.span);
    let names = fields.texts(key);
    let cx = fields.context().clone();
    names.iter().for_each(|name| check_name(name, span, &cx));
    names
}

pub(super) fn required_scalar(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    fields.required(key)?;
    fields.scalar(key)
}
