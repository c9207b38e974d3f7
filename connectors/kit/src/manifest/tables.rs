//! The `tables` section of a manifest: tables of another system's database that the hub reads, and what operations write
//! into such tables.
//!
//! Names of tables and columns are the database's own, in any script; they are quoted wherever they are used. Letters
//! of a status are what both sides have agreed on, so they stand in the manifest.

mod names;
mod write;

pub use write::{ChildWrite, RowAgain, TableWrite};

use super::Compiler;
use hub_tree::Span;
use hub_tree::yaml::{Context, Key, Node};
use names::{column, columns, conditions, name_of, pairs, required_scalar};
use std::collections::BTreeSet;

/// How long a row may lie taken before another worker takes it over, unless said otherwise.
const STALE_SECS: i64 = 900;
/// How far behind its mark a table without a status is read again: the longest transaction of the other side.
const OVERLAP_SECS: i64 = 300;
/// How often tables are looked at.
const EVERY_SECS: i64 = 30;

/// A table that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What the manifest calls it.
    pub name: String,
    /// What the database calls it: `table` or `schema.table`.
    pub table: String,
    /// The columns that name a row.
    pub key: Vec<String>,
    /// The columns that order rows; the key, if nothing is said.
    pub order: Vec<String>,
    /// The columns that name what several rows are about: a later row waits for an earlier open one.
    pub record: Vec<String>,
    /// Only rows with these values.
    pub when: Vec<Condition>,
    /// What tells which rows are new.
    pub find: Find,
    /// Where errors are told.
    pub error: ErrorColumns,
    /// The batch that a row belongs to must be whole.
    pub batch: Option<Batch>,
    /// Tables with rows that belong to a row.
    pub children: Vec<Child>,
    /// The object of the mapping.
    pub mapping: String,
    /// Where it stands.
    pub span: Span,
}

/// A column and the values that it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// One of these.
    pub values: Vec<String>,
}

/// What tells which rows are new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// A column that both sides write.
    Status(Status),
    /// Columns that only rise.
    Mark {
        /// The columns: together they tell rows apart.
        columns: Vec<String>,
        /// How far behind the mark is read again, seconds.
        overlap_secs: i64,
    },
}

/// A column that both sides write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The column.
    pub column: String,
    /// Not read yet.
    pub new: String,
    /// Read, not processed yet.
    pub taken: Option<Taken>,
    /// Processed.
    pub done: String,
    /// Needs a person.
    pub failed: String,
}

/// How a row is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The status of a row that is taken.
    pub status: String,
    /// The column for who has taken it.
    pub by: String,
    /// The column for when.
    pub at: String,
    /// After how long another worker takes it over, seconds.
    pub stale_after_secs: i64,
}

/// Where errors are told; each column only if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorColumns {
    /// A stable code.
    pub code: Option<String>,
    /// What is wrong, in words.
    pub text: Option<String>,
    /// How often the row was taken.
    pub tries: Option<String>,
    /// When it was processed.
    pub at: Option<String>,
}

/// The batch that a row belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The table of batches.
    pub table: String,
    /// Columns of the batch, and of the row, that are equal.
    pub on: Vec<(String, String)>,
    /// The column with the state of the batch, and the state in which it is read.
    pub ready: Option<(String, String)>,
    /// The column that says how many rows it has.
    pub expected: Option<String>,
}

/// A table with rows that belong to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Under which name mappings see the list.
    pub name: String,
    /// The table.
    pub table: String,
    /// Columns of the child, and of the row, that are equal.
    pub on: Vec<(String, String)>,
    /// The columns that order them.
    pub order: Vec<String>,
    /// The column of the row that says how many there are.
    pub expected: Option<String>,
}

impl Table {
    /// The status column, where the table has one.
    #[must_use]
    pub const fn status(&self) -> Option<&Status> {
        match &self.find {
            Find::Status(status) => Some(status),
            Find::Mark { .. } => None,
        }
    }

    /// Columns that say nothing about the row's content: those that the hub itself writes, and the mark, which the other
    /// side's triggers move.
    #[must_use]
    pub fn aside(&self) -> BTreeSet<&str> {
        let mut aside: BTreeSet<&str> = BTreeSet::new();
        match &self.find {
            Find::Status(status) => {
                aside.insert(&status.column);
                aside.extend(status.taken.iter().flat_map(|taken| [taken.by.as_str(), taken.at.as_str()]));
            }
            Find::Mark { columns, .. } => aside.extend(columns.iter().map(String::as_str)),
        }
        let ErrorColumns { code, text, tries, at } = &self.error;
        aside.extend([code, text, tries, at].into_iter().flatten().map(String::as_str));
        for key in self.key.iter().chain(&self.record) {
            aside.remove(key.as_str());
        }
        aside
    }

    /// Every column of the table that the manifest names.
    #[must_use]
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut all: BTreeSet<&str> = self.aside();
        all.extend(self.key.iter().chain(&self.order).chain(&self.record).map(String::as_str));
        all.extend(self.when.iter().map(|condition| condition.column.as_str()));
        all.extend(self.batch.iter().flat_map(|batch| &batch.on).map(|(_, own)| own.as_str()));
        for child in &self.children {
            all.extend(child.on.iter().map(|(_, own)| own.as_str()).chain(child.expected.as_deref()));
        }
        all
    }

    fn compile(key: &Key, node: &Node, cx: &Context<'_>) -> Option<Self> {
        let mut fields = node.fields(cx)?;
        let table = name_of(&mut fields, "table");
        let row_key = columns(&mut fields, "key");
        let order = columns(&mut fields, "order");
        let record = columns(&mut fields, "record");
        let when = fields.optional("when").map(|node| conditions(node, cx)).unwrap_or_default();
        let taken = fields.optional("claim").map(|node| claim(node, cx));
        let status = fields.optional("status").map(|node| status(node, taken.flatten(), cx));
        let mark = columns(&mut fields, "mark");
        let overlap_secs = fields.integer("overlap_secs", 0, 86_400).unwrap_or(OVERLAP_SECS);
        let error = fields.optional("error").and_then(|node| errors(node, cx)).unwrap_or_default();
        let batch = fields.optional("batch").map(|node| batch(node, cx));
        let mut children = Vec::new();
        if let Some(node) = fields.optional("children") {
            children.extend(node.entries(cx).iter().filter_map(|(key, node)| child(key, node, cx)));
        }
        let mapping = fields.required_text("mapping");
        let span = fields.span;
        fields.finish();
        if row_key.is_empty() {
            cx.error(span, format!("`key` names the columns that tell one row of `{}` from another", key.name));
        }
        let find = match (status, mark.is_empty()) {
            (Some(status), true) => Find::Status(status?),
            (None, false) => Find::Mark { columns: mark, overlap_secs },
            _ => {
                let help = "`status` for a table in which both sides write a letter, `mark` for one that is only read";
                cx.error_with(span, "a table has either a `status` or a `mark`", Some(help.to_owned()));
                return None;
            }
        };
        let order = if order.is_empty() { row_key.clone() } else { order };
        let batch = match batch {
            Some(batch) => Some(batch?),
            None => None,
        };
        let name = key.name.clone();
        let found = Self {
            name,
            table: table?,
            key: row_key,
            order,
            record,
            when,
            find,
            error,
            batch,
            children,
            mapping: mapping?,
            span,
        };
        found.check(cx);
        Some(found)
    }

    fn check(&self, cx: &Context<'_>) {
        if let Find::Mark { .. } = &self.find
            && self.error != ErrorColumns::default()
        {
            let help = "say `status`, or leave `error` out: what fails lies parked in the hub";
            cx.error_with(self.span, "nothing is written into a table that has a `mark`", Some(help.to_owned()));
        }
        for (own, what) in self.children.iter().map(|child| (child.name.as_str(), "list")) {
            if self.columns().contains(own) {
                cx.error(self.span, format!("`{own}` is a column already: the {what} needs another name"));
            }
        }
        let Some(status) = self.status() else { return };
        let letters = [Some(&status.new), status.taken.as_ref().map(|taken| &taken.status), Some(&status.done)];
        let letters: Vec<&String> = letters.into_iter().flatten().collect();
        let distinct: BTreeSet<&String> = letters.iter().copied().collect();
        if distinct.len() < letters.len() || status.failed == status.new || status.failed == status.done {
            cx.error(self.span, "`new`, `taken`, `done` and `failed` must be four different values");
        }
    }
}

fn status(node: &Node, taken: Option<Taken>, cx: &Context<'_>) -> Option<Status> {
    let mut fields = node.fields(cx)?;
    let column = name_of(&mut fields, "column");
    let new = required_scalar(&mut fields, "new");
    let letter = fields.scalar("taken");
    let done = required_scalar(&mut fields, "done");
    let failed = required_scalar(&mut fields, "failed");
    let span = fields.span;
    fields.finish();
    let taken = match (letter, taken) {
        (Some(status), Some(taken)) => Some(Taken { status, ..taken }),
        (Some(_), None) => {
            let help = "say `claim: { by: COLUMN, at: COLUMN }`, or leave `taken` out";
            let message = "`taken` is not written without `claim`: nobody could tell whose the row is";
            cx.warning(span, message, Some(help.to_owned()));
            None
        }
        (None, Some(_)) => {
            cx.error(span, "`claim` needs a value of the status for rows that are `taken`");
            None
        }
        (None, None) => None,
    };
    Some(Status { column: column?, new: new?, taken, done: done?, failed: failed? })
}

/// `claim: { by, at, stale_after_secs }`; the status of taken rows is said with the others.
fn claim(node: &Node, cx: &Context<'_>) -> Option<Taken> {
    let mut fields = node.fields(cx)?;
    let by = name_of(&mut fields, "by");
    let at = name_of(&mut fields, "at");
    let stale_after_secs = fields.integer("stale_after_secs", 1, 7 * 86_400).unwrap_or(STALE_SECS);
    fields.finish();
    Some(Taken { status: String::new(), by: by?, at: at?, stale_after_secs })
}

fn errors(node: &Node, cx: &Context<'_>) -> Option<ErrorColumns> {
    let mut fields = node.fields(cx)?;
    let mut column = |key| column(&mut fields, key);
    let found = ErrorColumns { code: column("code"), text: column("text"), tries: column("tries"), at: column("at") };
    fields.finish();
    Some(found)
}

fn batch(node: &Node, cx: &Context<'_>) -> Option<Batch> {
    let mut fields = node.fields(cx)?;
    let table = name_of(&mut fields, "table");
    let on = fields.required("on").map(|node| pairs(node, cx)).unwrap_or_default();
    let state = column(&mut fields, "state");
    let ready = fields.scalar("ready");
    let expected = column(&mut fields, "expected");
    let span = fields.span;
    fields.finish();
    let ready = match (state, ready) {
        (Some(state), ready) => Some((state, ready.unwrap_or_else(|| "READY".to_owned()))),
        (None, Some(_)) => {
            cx.error(span, "`ready` is a value of the column that `state` names");
            None
        }
        (None, None) => None,
    };
    if ready.is_none() && expected.is_none() {
        cx.error(span, "a batch is ready by its `state`, by its `expected` number of rows, or by both");
    }
    Some(Batch { table: table?, on, ready, expected })
}

fn child(key: &Key, node: &Node, cx: &Context<'_>) -> Option<Child> {
    let mut fields = node.fields(cx)?;
    let table = name_of(&mut fields, "table");
    let on = fields.required("on").map(|node| pairs(node, cx)).unwrap_or_default();
    let order = columns(&mut fields, "order");
    let expected = column(&mut fields, "expected");
    fields.finish();
    Some(Child { name: key.name.clone(), table: table?, on, order, expected })
}

impl Compiler<'_, '_> {
    /// Reads `tables`.
    pub(super) fn tables(&self, node: &Node) -> Vec<Table> {
        let entries = node.entries(self.cx).iter();
        entries.filter_map(|(key, node)| Table::compile(key, node, self.cx)).collect()
    }

    /// Reads `poll: { every_secs }`; in seconds.
    pub(super) fn table_poll(&self, node: Option<&Node>) -> i64 {
        let Some(mut fields) = node.and_then(|node| node.fields(self.cx)) else { return EVERY_SECS };
        let every = fields.integer("every_secs", 1, 86_400).unwrap_or(EVERY_SECS);
        fields.finish();
        every
    }
}

#[cfg(test)]
mod tests;
