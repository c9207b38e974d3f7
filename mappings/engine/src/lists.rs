//! Code lists: named tables of a vendor's codes and ours, with the days on which each row holds.
//!
//! ```yaml
//! version: 1
//! entries:
//!   D01: R_AND_D
//!   D02: { to: SALES, from: 2024-01-01, until: 2025-12-31 }      # both days included
//!   D03: [{ to: OPS, until: 2025-06-30 }, { to: OPS_EAST, from: 2025-07-01 }]
//! ```

use hub_tree::jiff::civil::Date;
use hub_tree::yaml::{self, Context, Kind, Node};
use hub_tree::{Arena, Findings, Source, Span, Value, json};
use std::sync::Arc;

/// A code list.
#[derive(Debug)]
pub struct CodeList {
    /// The name that rules look it up by: the file's name.
    pub name: String,
    /// Where it stands.
    pub source: Arc<Source>,
    /// By `from`, then by day.
    rows: Vec<Row>,
    /// Places in `rows`, by `to`, then by day.
    by_meaning: Vec<usize>,
    /// Whether some row holds on some days only.
    pub dated: bool,
    /// The rows as JSON, for expressions: `[{from, to, valid_from, valid_to}]`.
    pub(crate) json: String,
}

#[derive(Debug)]
struct Row {
    from: String,
    to: String,
    since: Option<Date>,
    until: Option<Date>,
    span: Span,
}

impl Row {
    fn holds(&self, day: Option<Date>) -> bool {
        match day {
            Some(day) => self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day <= until),
            None => self.since.is_none() && self.until.is_none(),
        }
    }

    /// Whether some day lies in both.
    fn meets(&self, other: &Row) -> bool {
        let before = |end: Option<Date>, start: Option<Date>| matches!((end, start), (Some(e), Some(s)) if e < s);
        !before(self.until, other.since) && !before(other.until, self.since)
    }
}

impl CodeList {
    /// Reads the file `<name>.yaml`. Problems go to `findings`; `None` when one of them is an error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let cx = Context::new(source, findings);
        let root = yaml::read(source, findings)?;
        let name = Self::name_of(source).to_owned();
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        let mut rows = Vec::new();
        if let Some(entries) = fields.required("entries") {
            for (key, node) in entries.entries(&cx) {
                let items = if let Kind::List(items) = &node.kind { items } else { std::slice::from_ref(node) };
                rows.extend(items.iter().filter_map(|item| row(&key.name, item, &cx)));
            }
            if rows.is_empty() && entries.entries(&cx).is_empty() {
                cx.error(entries.span, "the list has no entries");
            }
        }
        fields.finish();
        rows.sort_by(|a: &Row, b: &Row| (&a.from, a.since).cmp(&(&b.from, b.since)));
        for pair in rows.windows(2) {
            if let [a, b] = pair
                && a.from == b.from
                && a.meets(b)
            {
                cx.error(b.span, format!("two rows for `{}` hold on the same day", b.from));
            }
        }
        let dated = rows.iter().any(|row| row.since.is_some() || row.until.is_some());
        let json = as_json(&rows);
        let mut by_meaning: Vec<usize> = (0..rows.len()).collect();
        by_meaning.sort_by(|a, b| (&rows[*a].to, rows[*a].since).cmp(&(&rows[*b].to, rows[*b].since)));
        let source = Arc::clone(source);
        (findings.error_count() == before).then_some(Self { name, source, rows, by_meaning, dated, json })
    }

    /// The name of the list in a file: the file's name.
    pub(crate) fn name_of(source: &Source) -> &str {
        source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml")
    }

    /// What `code` means on a day; `None` when no row says so.
    #[must_use]
    pub fn find(&self, code: &str, day: Option<Date>) -> Option<&str> {
        let start = self.rows.partition_point(|row| row.from.as_str() < code);
        let of_code = self.rows[start..].iter().take_while(|row| row.from == code);
        of_code.into_iter().find(|row| row.holds(day)).map(|row| row.to.as_str())
    }

    /// The code that means `ours` on a day.
    ///
    /// # Errors
    /// Several codes mean it: how many.
    pub fn find_reverse(&self, ours: &str, day: Option<Date>) -> Result<Option<&str>, usize> {
        let mut found = self.meaning(ours).filter(|row| row.holds(day));
        match (found.next(), found.count()) {
            (None, _) => Ok(None),
            (Some(row), 0) => Ok(Some(&row.from)),
            (Some(_), more) => Err(more + 1),
        }
    }

    /// The rows of one meaning.
    fn meaning(&self, ours: &str) -> impl Iterator<Item = &Row> {
        let start = self.by_meaning.partition_point(|row| self.rows[*row].to.as_str() < ours);
        self.by_meaning[start..].iter().map(|row| &self.rows[*row]).take_while(move |row| row.to == ours)
    }

    /// What codes can mean, for checks against a target's values.
    pub(crate) fn meanings(&self) -> impl Iterator<Item = (&str, Span)> {
        self.rows.iter().map(|row| (row.to.as_str(), row.span))
    }

    /// A meaning that several codes have on one day, so that a reverse look-up cannot tell them apart.
    pub(crate) fn ambiguous(&self) -> Option<&str> {
        let shared = |row: &&Row| self.meaning(&row.to).any(|other| other.from != row.from && other.meets(row));
        self.rows.iter().find(shared).map(|row| row.to.as_str())
    }
}

fn row(from: &str, node: &Node, cx: &Context<'_>) -> Option<Row> {
    if let Some(to) = node.scalar() {
        return Some(Row { from: from.to_owned(), to: to.to_owned(), since: None, until: None, span: node.span });
    }
    let mut fields = node.fields(cx)?;
    let to = fields.required("to").and_then(|node| {
        let text = node.scalar();
        if text.is_none() {
            node.expected("a code", cx);
        }
        text.map(str::to_owned)
    });
    let mut day = |key| {
        let node = fields.optional(key)?;
        let day = node.scalar().and_then(|text| text.parse::<Date>().ok());
        if day.is_none() {
            node.expected("a day such as 2026-01-31", cx);
        }
        day
    };
    let (since, until) = (day("from"), day("until"));
    // A label is for people who edit the list.
    let _ = fields.scalar("label");
    fields.finish();
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        cx.error(node.span, "the row ends before it begins");
    }
    Some(Row { from: from.to_owned(), to: to?, since, until, span: node.span })
}

fn as_json(rows: &[Row]) -> String {
    let arena = Arena::new();
    let day = |day: Option<Date>| day.map_or(Value::Absent, |day| Value::Text(arena.format(format_args!("{day}"))));
    let rows: Vec<Value<'_>> = rows
        .iter()
        .map(|row| {
            arena.map(&[
                ("from", Value::Text(&row.from)),
                ("to", Value::Text(&row.to)),
                ("valid_from", day(row.since)),
                ("valid_to", day(row.until)),
            ])
        })
        .collect();
    json::to_string(&arena.list(&rows))
}
