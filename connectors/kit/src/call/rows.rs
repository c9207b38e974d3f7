//! The rows of a call that writes into a table: its arguments and what the manifest sets, as texts.

use super::request::{request_slots, unbuildable};
use crate::driver::CallContext;
use crate::failure::{CallError, Party};
use crate::manifest::{Operation, TableWrite};
use hub_expr::Cx;
use hub_tree::{Arena, Limits, Value, json};

/// Columns with their values as texts; none is NULL.
pub type RowValues = Vec<(String, Option<String>)>;

/// A row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutRow {
    /// The row itself.
    pub values: RowValues,
    /// The rows of each child table, in the order of the manifest.
    pub children: Vec<Vec<RowValues>>,
}

/// What a call writes: its arguments by the names of columns, lists for child tables, and what the manifest sets.
///
/// # Errors
/// Arguments that no table can hold, a key that is missing, or a template that fails.
pub fn row_of(
    cx: &CallContext<'_>,
    operation: &Operation,
    write: &TableWrite,
    args: &[u8],
) -> Result<OutRow, CallError> {
    let arena = Arena::new();
    let fail = |message: &str| unbuildable(cx.connection, operation, write.span, message);
    let args = json::read(&arena, args, Limits::default());
    let args = args.map_err(|error| fail(&format!("the arguments are no JSON: {error}")))?;
    if !matches!(args, Value::Map(_)) {
        return Err(fail("the arguments are no object of columns"));
    }
    let is_child = |name: &str| write.children.iter().any(|child| child.name == name);
    let mut values = RowValues::new();
    for (name, value) in args.entries().iter().filter(|(name, _)| !is_child(name)) {
        values.push(((*name).to_owned(), text_of(&arena, *value).ok_or_else(|| fail(&no_column(name)))?));
    }
    let slots = request_slots(cx.connection, &arena, args);
    for (name, templated) in &write.set {
        let mut slots = Cx::new(&arena, slots.clone());
        let value = templated.template.render(&mut slots, &|text, out| out.push_str(text));
        let value = value.map_err(|error| unbuildable(cx.connection, operation, templated.span, &error.message))?;
        values.retain(|(known, _)| known != name);
        values.push((name.clone(), text_of(&arena, value).ok_or_else(|| fail(&no_column(name)))?));
    }
    has_key(&values, &write.key)?;
    let mut children = Vec::with_capacity(write.children.len());
    for child in &write.children {
        let mut rows = Vec::new();
        for item in args.get(&child.name).items() {
            let mut row = RowValues::new();
            for (name, value) in item.entries() {
                row.push(((*name).to_owned(), text_of(&arena, *value).ok_or_else(|| fail(&no_column(name)))?));
            }
            for (theirs, ours) in &child.on {
                let value = values.iter().find(|(name, _)| name == ours).and_then(|(_, value)| value.clone());
                row.retain(|(known, _)| known != theirs);
                row.push((theirs.clone(), value));
            }
            has_key(&row, &child.key)?;
            rows.push(row);
        }
        children.push(rows);
    }
    Ok(OutRow { values, children })
}

fn no_column(name: &str) -> String {
    format!("`{name}` is a list or an object, which no column holds")
}

/// A value as text; `None` for what is no single value.
fn text_of<'a>(arena: &'a Arena, value: Value<'a>) -> Option<Option<String>> {
    match value {
        Value::Absent | Value::Null => Some(None),
        value => value.scalar_text(arena).map(|text| Some(text.to_owned())),
    }
}

/// Without its whole key a repetition would not be known.
fn has_key(values: &RowValues, key: &[String]) -> Result<(), CallError> {
    let given = |name: &String| values.iter().any(|(known, value)| known == name && value.is_some());
    match key.iter().find(|name| !given(name)) {
        None => Ok(()),
        Some(name) => {
            Err(CallError::Refused { status: 0, code: Some(format!("KEY_MISSING {name}")), party: Party::Caller })
        }
    }
}
