//! The `tables` section of a manifest: tables of another system's database that the hub reads, and what operations write
//! into such tables.
//!
//! Names of tables and columns are the database's own, in any script; they are quoted wherever they are used. Letters
//! of a status are what both sides have agreed on, so they stand in the manifest.

use super::{AnswerForm, Body, Compiler, RequestTemplate};
use hub_expr::{Scope, Templated};
use hub_tree::Span;
use hub_tree::yaml::{Context, Fields, Key, Kind, Node};
use std::collections::BTreeSet;

/// How long a row may lie taken before another worker takes it over, unless said otherwise.
const STALE_SECS: i64 = 900;
/// How far behind its mark a table without a status is read again: the longest transaction of the other side.
const OVERLAP_SECS: i64 = 300;
/// How often tables are looked at.
const EVERY_SECS: i64 = 30;
/// The longest name of a table or column that any of the databases knows, in bytes.
const LONGEST_NAME: usize = 128;

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

/// What an operation writes into a table.
#[derive(Debug)]
pub struct TableWrite {
    /// The table.
    pub table: String,
    /// The columns by which a repetition is known.
    pub key: Vec<String>,
    /// What becomes of a row that is there.
    pub again: RowAgain,
    /// Columns with values that the manifest knows.
    pub set: Vec<(String, Templated)>,
    /// Lists of the arguments that go into tables of their own.
    pub children: Vec<ChildWrite>,
    /// Where it stands.
    pub span: Span,
}

/// What becomes of a row that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowAgain {
    /// It stays as it is.
    Keep,
    /// It gets the new values, as long as it has these.
    Update(Vec<Condition>),
}

/// A list of the arguments that goes into a table of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildWrite {
    /// The argument.
    pub name: String,
    /// The table.
    pub table: String,
    /// The columns by which a repetition is known.
    pub key: Vec<String>,
    /// Columns of the child that have the value of a column of the row.
    pub on: Vec<(String, String)>,
}

impl RequestTemplate {
    /// That of an operation which sends no request.
    pub(super) fn none(scope: &Scope, span: Span) -> Option<Self> {
        let url = Templated::fixed("", scope, span)?;
        let (query, headers) = (Vec::new(), Vec::new());
        Some(Self { method: "NONE", url, query, headers, body: Body::None, answer: AnswerForm::Json, soap: None })
    }
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

/// `COLUMN`, `[COLUMN, …]` with one name on both sides, or `{ THEIRS: OURS }`.
fn pairs(node: &Node, cx: &Context<'_>) -> Vec<(String, String)> {
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
fn conditions(node: &Node, cx: &Context<'_>) -> Vec<Condition> {
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
fn check_name(name: &str, span: Span, cx: &Context<'_>) {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        cx.error(span, format!("a name of a table or column has 1 to {LONGEST_NAME} bytes and no control characters"));
    }
}

fn name_of(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let node = fields.required(key)?;
    let cx = fields.context().clone();
    let name = node.text(&cx)?;
    check_name(&name, node.span, &cx);
    Some(name)
}

fn column(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    let node = fields.optional(key)?;
    let cx = fields.context().clone();
    let name = node.text(&cx)?;
    check_name(&name, node.span, &cx);
    Some(name)
}

fn columns(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<String> {
    let span = fields.optional(key).map_or(fields.span, |node| node.span);
    let names = fields.texts(key);
    let cx = fields.context().clone();
    names.iter().for_each(|name| check_name(name, span, &cx));
    names
}

fn required_scalar(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<String> {
    fields.required(key)?;
    fields.scalar(key)
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

    /// What an operation writes into a table: `insert: TABLE`, `key`, `again`, `set`, `children`. `None` when it has
    /// no `insert`.
    pub(super) fn table_write(&self, fields: &mut Fields<'_, '_>) -> Option<TableWrite> {
        let node = fields.optional("insert")?;
        let table = node.text(self.cx);
        check_name(table.as_deref().unwrap_or_default(), node.span, self.cx);
        let key = columns(fields, "key");
        if key.is_empty() {
            let help = "an external id, unique there, under which the row is written once";
            self.cx.error_with(fields.span, "`key` names the columns that tell a repetition", Some(help.to_owned()));
        }
        let again = match fields.optional("again") {
            None => RowAgain::Keep,
            Some(node) if node.scalar() == Some("keep") => RowAgain::Keep,
            Some(node) if node.scalar() == Some("update") => RowAgain::Update(Vec::new()),
            Some(node) => {
                let mut inner = node.fields(self.cx)?;
                let while_it_has = inner.required("update_while").map(|node| conditions(node, self.cx));
                inner.finish();
                RowAgain::Update(while_it_has.unwrap_or_default())
            }
        };
        let set = self.templates(fields.optional("set"));
        let mut children = Vec::new();
        if let Some(node) = fields.optional("children") {
            children.extend(node.entries(self.cx).iter().filter_map(|(key, node)| self.child_write(key, node)));
        }
        Some(TableWrite { table: table?, key, again, set, children, span: fields.span })
    }

    fn child_write(&self, key: &Key, node: &Node) -> Option<ChildWrite> {
        let mut fields = node.fields(self.cx)?;
        let table = name_of(&mut fields, "table");
        let own_key = columns(&mut fields, "key");
        let on = fields.optional("on").map(|node| pairs(node, self.cx)).unwrap_or_default();
        let span = fields.span;
        fields.finish();
        if own_key.is_empty() {
            self.cx.error(span, "`key` names the columns that tell a repetition");
        }
        Some(ChildWrite { name: key.name.clone(), table: table?, key: own_key, on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use hub_tree::{Findings, Source};

    const HEAD: &str = "version: 1\nvendor: heron\nname: Heron\nfamily: erp\ndriver: staging\n";

    fn compile(rest: &str) -> (Option<Manifest>, String) {
        let findings = Findings::new();
        let manifest = Manifest::compile("heron", &Source::new("m.yaml", format!("{HEAD}{rest}")), &findings);
        let lines: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        (manifest, lines.join("\n"))
    }

    const WHOLE: &str = "tables:
  staff:
    table: hr.人员中间表
    key: [序号]
    record: [工号]
    when: { 操作: [I, U], 删除: 0 }
    status: { column: 处理标志, new: 0, taken: 1, done: 2, failed: 9 }
    claim: { by: locked_by, at: locked_at, stale_after_secs: 60 }
    error: { code: err_code, text: 错误信息, tries: retry_cnt, at: 处理时间 }
    batch: { table: hr_batch, on: { batch_id: 批次 }, state: state, expected: expected_rows }
    children: { lines: { table: hr_line, on: { head: 序号 }, order: [line_no], expected: 行数 } }
    mapping: staff
  departments: { table: v_dept, key: code, mark: [modified, code], overlap_secs: 60, mapping: department }
poll: { every_secs: 5 }
";

    #[test]
    fn tables_are_read_with_names_in_any_script() {
        let (manifest, problems) = compile(WHOLE);
        let manifest = manifest.unwrap_or_else(|| panic!("{problems}"));
        assert_eq!(problems, "");
        let [staff, departments] = manifest.tables.as_slice() else { panic!("{:?}", manifest.tables) };
        assert_eq!((staff.table.as_str(), staff.order.as_slice()), ("hr.人员中间表", &["序号".to_owned()][..]));
        let status = staff.status().unwrap();
        let taken = status.taken.as_ref().unwrap();
        assert_eq!((status.new.as_str(), taken.status.as_str(), taken.stale_after_secs), ("0", "1", 60));
        assert_eq!(staff.when[1], Condition { column: "删除".into(), values: vec!["0".into()] });
        assert_eq!(staff.batch.as_ref().unwrap().ready, Some(("state".into(), "READY".into())));
        assert_eq!(staff.children[0].on, [("head".to_owned(), "序号".to_owned())]);
        let aside: Vec<&str> = staff.aside().into_iter().collect();
        assert_eq!(aside, ["err_code", "locked_at", "locked_by", "retry_cnt", "处理时间", "处理标志", "错误信息"]);
        assert!(staff.columns().contains("行数") && staff.columns().contains("批次"));
        let mark = Find::Mark { columns: vec!["modified".into(), "code".into()], overlap_secs: 60 };
        assert_eq!(departments.find, mark);
        // The code is the key, too: it belongs to the content.
        assert_eq!(departments.aside().into_iter().collect::<Vec<_>>(), ["modified"]);
        assert_eq!(manifest.table_poll_secs, 5);
    }

    #[test]
    fn what_a_table_lacks_is_told_with_its_line() {
        let table = |rest: &str| compile(&format!("tables:\n  staff: {{ table: t, mapping: m, {rest} }}\n")).1;
        for (rest, wanted) in [
            ("key: seq", "m.yaml:7:10: error: a table has either a `status` or a `mark`"),
            ("mark: [a]", "`key` names the columns that tell one row of `staff`"),
            ("key: a, mark: [a], error: { code: c }", "nothing is written into a table that has a `mark`"),
            (
                "key: a, status: { column: s, new: N, taken: P, done: N, failed: E }, claim: { by: b, at: c }",
                "four different values",
            ),
            ("key: a, status: { column: s, new: N, done: S, failed: E }, claim: { by: b, at: c }", "`claim` needs"),
            ("key: a, status: { column: s, new: N, taken: P, done: S, failed: E }", "warning: `taken` is not written"),
            ("key: a, mark: [a], children: { a: { table: c, on: a } }", "`a` is a column already"),
            ("key: \"a\\u0000b\", mark: [a]", "no control characters"),
            ("key: a, mark: [a], batch: { table: b, on: x }", "by its `state`"),
            ("key: a, mrk: [a]", "unknown key `mrk`"),
        ] {
            let problems = table(rest);
            assert!(problems.contains(wanted), "{rest}: {problems}");
        }
    }

    #[test]
    fn an_operation_may_write_rows_instead_of_sending_a_request() {
        let (manifest, problems) = compile(
            "operations:
  push_employee:
    insert: hr_in
    key: ext_id
    again: { update_while: { status: N } }
    set: { batch_id: \"hub\", status: N }
    children: { lines: { table: hr_in_line, key: [ext_id, line_no], on: ext_id } }
  bad: { insert: hr_in }
",
        );
        assert!(manifest.is_none());
        assert!(problems.contains("m.yaml:13:8: error: `key` names the columns"), "{problems}");
        assert!(!problems.contains(":6:") && !problems.contains(":7:"), "only the last is wrong: {problems}");
    }
}
