//! A row as the hub keeps it: its columns as texts, exact, with the rows that belong to it.

use crate::columns::{Column, named};
use crate::session::Session;
use crate::statement::{Statement, listed, quoted, quoted_table};
use hub_kit::CallError;
use hub_kit::manifest::{Child, Find, Table};
use hub_kit::tables::TableRow;
use hub_tree::{Arena, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Children of one row that are read at most.
const MOST_CHILDREN: usize = 5000;

/// The values of a row, in the order of the columns that were asked for.
pub(crate) type Values = Vec<Option<String>>;

/// What is asked for of a table.
pub(crate) struct Shape<'t> {
    pub(crate) table: &'t Table,
    pub(crate) columns: &'t [Column],
}

impl<'t> Shape<'t> {
    /// Every column that the manifest names must be there.
    pub(crate) fn of(table: &'t Table, columns: &'t [Column]) -> Result<Self, CallError> {
        for name in table.columns() {
            named(columns, &table.name, name)?;
        }
        Ok(Self { table, columns })
    }

    pub(crate) fn column(&self, name: &str) -> Result<&'t Column, CallError> {
        named(self.columns, &self.table.name, name)
    }

    /// `SELECT` of every column as text.
    pub(crate) fn select(&self, session: &Session) -> Statement {
        let kind = session.kind;
        let all: Vec<String> = self.columns.iter().map(|column| column.as_text(kind, "t")).collect();
        let mut statement = Statement::new(kind, "SELECT ");
        statement.push(&all.join(", ")).push(" FROM ").push(&quoted_table(kind, &self.table.table)).push(" t");
        statement
    }

    fn values(&self, names: &[String], values: &Values) -> Vec<String> {
        let of = |name: &String| {
            let index = self.columns.iter().position(|column| column.name == *name)?;
            values.get(index)?.clone()
        };
        names.iter().map(|name| of(name).unwrap_or_default()).collect()
    }

    /// The columns that order rows by their marks: those of the manifest, then the key, so that no two are equal.
    pub(crate) fn mark_columns(&self) -> Vec<String> {
        let Find::Mark { columns, .. } = &self.table.find else { return Vec::new() };
        let mut all = columns.clone();
        all.extend(self.table.key.iter().filter(|name| !columns.contains(name)).cloned());
        all
    }

    /// A hash of what a row says, without what the hub writes into it and what triggers move.
    pub(crate) fn hash(&self, values: &Values) -> String {
        let aside = self.table.aside();
        let mut hash = Sha256::new();
        for (column, value) in self.columns.iter().zip(values) {
            if aside.contains(column.name.as_str()) {
                continue;
            }
            hash.update(column.name.as_bytes());
            match value {
                Some(value) => {
                    hash.update([1]);
                    hash.update(value.len().to_be_bytes());
                    hash.update(value.as_bytes());
                }
                None => hash.update([0]),
            }
        }
        short(hash)
    }

    /// A row with its children.
    pub(crate) async fn row(&self, session: &mut Session, values: Values) -> Result<TableRow, CallError> {
        let table = self.table;
        let mut lists = Vec::with_capacity(table.children.len());
        for child in &table.children {
            lists.push((child.name.as_str(), self.children(session, child, &values).await?));
        }
        let arena = Arena::new();
        // What the hub writes is no part of the payload; the mark is: it may be the time of the change.
        let aside = table.aside();
        let marks = self.mark_columns();
        let hidden = |name: &str| aside.contains(name) && !marks.iter().any(|mark| mark == name);
        let mut suspicious = BTreeSet::new();
        let mut entries = Vec::with_capacity(values.len() + lists.len());
        for (column, value) in self.columns.iter().zip(&values).filter(|(column, _)| !hidden(&column.name)) {
            if value.as_deref().is_some_and(has_lost_letters) {
                suspicious.insert(column.name.clone());
            }
            entries.push((column.name.as_str(), to_value(value)));
        }
        let mut hash = Sha256::new();
        for (name, (columns, rows)) in &lists {
            let mut items = Vec::with_capacity(rows.len());
            for values in rows {
                let fields: Vec<(&str, Value<'_>)> =
                    columns.iter().map(String::as_str).zip(values.iter().map(to_value)).collect();
                if let Some((column, _)) =
                    columns.iter().zip(values).find(|(_, value)| value.as_deref().is_some_and(has_lost_letters))
                {
                    suspicious.insert(format!("{name}.{column}"));
                }
                items.push(arena.map(&fields));
            }
            let list = arena.list(&items);
            hash.update(json::to_string(&list).as_bytes());
            entries.push((name, list));
        }
        let payload = json::to_string(&arena.map(&entries));
        let key = self.values(&table.key, &values);
        let record = if table.record.is_empty() { key.clone() } else { self.values(&table.record, &values) };
        Ok(TableRow {
            key,
            record,
            payload,
            hash: self.hash(&values),
            children_hash: if lists.is_empty() { String::new() } else { short(hash) },
            mark: self.values(&marks, &values),
            suspicious: suspicious.into_iter().collect(),
        })
    }

    /// The rows of a child table that belong to a row: names of columns, and their values.
    async fn children(
        &self,
        session: &mut Session,
        child: &Child,
        values: &Values,
    ) -> Result<(Vec<String>, Vec<Values>), CallError> {
        let kind = session.kind;
        let columns = session.columns_of(&child.table).await?;
        let all: Vec<String> = columns.iter().map(|column| column.as_text(kind, "c")).collect();
        let mut statement = Statement::new(kind, "SELECT ");
        statement.push(&all.join(", ")).push(" FROM ").push(&quoted_table(kind, &child.table)).push(" c WHERE ");
        for (index, (theirs, ours)) in child.on.iter().enumerate() {
            let column = named(&columns, &child.table, theirs)?;
            let own = self.values(std::slice::from_ref(ours), values).pop().unwrap_or_default();
            let name = format!("{}c.{} = ", if index > 0 { " AND " } else { "" }, quoted(kind, theirs));
            statement.push(&name).compared(column, &own);
        }
        if !child.order.is_empty() {
            for name in &child.order {
                named(&columns, &child.table, name)?;
            }
            statement.push(" ORDER BY ").push(&listed(kind, "c", &child.order));
        }
        statement.push(&format!(" LIMIT {}", MOST_CHILDREN + 1));
        let rows = session.rows(&statement).await?;
        if rows.len() > MOST_CHILDREN {
            let reason = format!("more than {MOST_CHILDREN} rows of `{}` belong to one row", child.table);
            return Err(CallError::Build { operation: self.table.name.clone(), reason });
        }
        Ok((columns.iter().map(|column| column.name.clone()).collect(), rows))
    }
}

fn to_value(value: &Option<String>) -> Value<'_> {
    value.as_deref().map_or(Value::Null, Value::Text)
}

fn short(hash: Sha256) -> String {
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text looks as if a character set had no room for some of its letters: they are `?` then.
fn has_lost_letters(text: &str) -> bool {
    if text.contains('\u{FFFD}') {
        return true;
    }
    let Some(first) = text.find('?') else { return false };
    // `?` alone, or beside letters that are not Latin; addresses and questions are not meant.
    let is_plain = |c: char| c.is_ascii() && c != '?';
    let beside = |index: usize| {
        let before = text[..index].chars().next_back();
        let behind = text[index + 1..].chars().next();
        [before, behind].into_iter().flatten().any(|c| !c.is_ascii() && c.is_alphabetic())
    };
    !text.chars().any(is_plain) && text.chars().all(|c| c == '?')
        || text.match_indices('?').any(|(index, _)| beside(index))
        || text[first..].starts_with("??")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_in_names_are_suspicious_and_in_addresses_they_are_not() {
        for lost in ["?", "??", "?野家", "王?", "张?丰", "a\u{FFFD}b"] {
            assert!(has_lost_letters(lost), "{lost}");
        }
        for fine in ["", "王小明", "https://example.com/?a=1", "why?", "ok"] {
            assert!(!has_lost_letters(fine), "{fine}");
        }
    }
}
