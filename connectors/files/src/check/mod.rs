//! Every row against the rules of its target, with every problem of every cell, and what good rows say.
//!
//! A row with an error is refused as a whole; warnings do not keep it out. Messages never hold a value that is
//! personal.

mod across;
mod day;
mod identity;
mod known;
mod together;
mod value;

pub use known::{Known, Match, Names, Nothing};

use crate::grid::{Row, cell_name};
use crate::problem::Said;
use crate::table::Table;
use crate::target::{Field, FieldKind, Target};
use hub_tree::jiff::civil::{Date, date};
use hub_tree::{Arena, Value, json};
use value::Problem;

/// Whether rows may change what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Every row is new: one that is stored already is refused.
    #[default]
    Insert,
    /// A row changes what is stored under its key, or is new.
    Upsert,
}

/// What checks need to know beside the file.
pub struct Context<'a> {
    /// The day of the check.
    pub today: Date,
    /// Whether rows may change what is stored.
    pub mode: Mode,
    /// Days that stand for no date: the end of time, or nothing entered.
    pub open_ends: Vec<Date>,
    /// What is stored already.
    pub known: &'a dyn Known,
}

impl<'a> Context<'a> {
    /// A check as of a day, with the usual days that stand for none.
    #[must_use]
    pub fn new(today: Date, mode: Mode, known: &'a dyn Known) -> Self {
        // The first two are how programs that count from other days show the numbers 0 and 1.
        let nothing = [date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1)];
        let ends = [date(9999, 12, 31), date(4712, 12, 31), date(2099, 12, 31)];
        let open_ends = nothing.into_iter().chain(ends).collect();
        Self { today, mode, open_ends, known }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The row is taken; somebody should look.
    Warning,
    /// The row is refused.
    Error,
}

/// Something about a cell, or about a row as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The row, from 1.
    pub row: u32,
    /// The place of the column in [`Table::columns`]; `None` when it is about a column that is not there.
    pub column: Option<usize>,
    /// A stable code, such as `ID_CHECKSUM`.
    pub code: &'static str,
    /// Warning or error.
    pub level: Level,
    /// What is wrong and what to do.
    pub said: Said,
}

impl Finding {
    /// The cell in the words of sheets, such as `D5`; the row's number for a row as a whole.
    #[must_use]
    pub fn cell(&self, table: &Table) -> String {
        match self.column.and_then(|column| table.columns.get(column)) {
            Some(column) => cell_name(self.row, column.index),
            None => self.row.to_string(),
        }
    }

    /// The heading of the column; empty for a row as a whole.
    #[must_use]
    pub fn heading<'t>(&self, table: &'t Table) -> &'t str {
        self.column.and_then(|column| table.columns.get(column)).map_or("", |column| column.heading.as_str())
    }
}

/// Where a value of a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// A field, by place.
    Field(usize),
    /// The stored id of what a field names.
    IdOf(usize),
}

/// A row that was checked.
#[derive(Clone, Debug)]
pub struct CheckedRow {
    /// Its number, from 1.
    pub number: u32,
    /// What was found, by column.
    pub findings: Vec<Finding>,
    /// The cleaned values: `None` where a cell says that there is none.
    values: Vec<(Slot, Option<Box<str>>)>,
}

impl CheckedRow {
    /// Whether the row can be imported.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Error)
    }

    fn get(&self, field: usize) -> Option<&str> {
        let found = self.values.iter().find(|(slot, _)| *slot == Slot::Field(field));
        found.and_then(|(_, value)| value.as_deref())
    }

    fn set(&mut self, slot: Slot, value: Option<String>) {
        let value = value.map(String::into_boxed_str);
        match self.values.iter_mut().find(|(known, _)| *known == slot) {
            Some(entry) => entry.1 = value,
            None => self.values.push((slot, value)),
        }
    }

    fn tell(&mut self, level: Level, column: Option<usize>, (code, said): Problem) {
        self.findings.push(Finding { row: self.number, column, code, level, said });
    }
}

/// What the check of a table came to.
#[derive(Clone, Debug)]
pub struct Checked<'t> {
    /// What rows were checked as.
    pub target: &'t Target,
    /// The rows that are data, in order.
    pub rows: Vec<CheckedRow>,
    /// Required fields that no column fills, by place.
    pub missing: Vec<usize>,
}

impl Checked<'_> {
    /// How many rows can be imported.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.rows.iter().filter(|row| row.is_accepted()).count()
    }

    /// What a row says, as a tree for the target's mapping: a field that no column fills is not there, one whose cell is
    /// empty is null, a whole number a number, all else text.
    #[must_use]
    pub fn tree<'a>(&self, row: &CheckedRow, arena: &'a Arena) -> Value<'a> {
        let entries: Vec<(&str, Value<'_>)> = row
            .values
            .iter()
            .filter_map(|(slot, value)| {
                let (name, kind) = match slot {
                    Slot::Field(at) => self.target.fields.get(*at).map(|field| (arena.text(&field.id), field.kind))?,
                    Slot::IdOf(at) => {
                        let field = self.target.fields.get(*at)?;
                        (arena.format(format_args!("{}_id", field.id)), FieldKind::Line)
                    }
                };
                let value = match (value, kind) {
                    (None, _) => Value::Null,
                    (Some(text), FieldKind::Months | FieldKind::Count) => Value::Number(arena.text(text)),
                    (Some(text), _) => Value::Text(arena.text(text)),
                };
                Some((name, value))
            })
            .collect();
        arena.map(&entries)
    }

    /// [`Self::tree`] as JSON text.
    #[must_use]
    pub fn json(&self, row: &CheckedRow) -> String {
        json::to_string(&self.tree(row, &Arena::new()))
    }

    /// The cleaned value of a field of a row.
    #[must_use]
    pub fn value<'r>(&self, row: &'r CheckedRow, field: &str) -> Option<&'r str> {
        row.get(self.target.place(field)?)
    }
}

/// Checks every row of a table.
#[must_use]
pub fn check<'t>(table: &Table, target: &'t Target, cx: &Context<'_>) -> Checked<'t> {
    let filled = |at: usize| table.column_of_field(at).is_some();
    let missing: Vec<usize> = target
        .fields
        .iter()
        .enumerate()
        .filter(|(at, field)| needed(target, *at, field, cx.mode) && !filled(*at))
        .map(|(at, _)| at)
        .collect();
    let rows = table.rows.iter().map(|row| one(table, target, row, &missing, cx)).collect();
    let mut checked = Checked { target, rows, missing };
    across::check(table, &mut checked, cx);
    for row in &mut checked.rows {
        row.findings.sort_by_key(|finding| (finding.column, std::cmp::Reverse(finding.level)));
    }
    checked
}

/// Whether rows cannot do without a field: what is new needs all that is required, a change only its key.
fn needed(target: &Target, at: usize, field: &Field, mode: Mode) -> bool {
    match mode {
        Mode::Insert => field.required,
        Mode::Upsert => field.required && target.key.contains(&at),
    }
}

fn empty() -> Problem {
    ("REQUIRED", Said::new("the cell is required and empty", "必填项为空"))
}

/// Checks a row by itself.
fn one(table: &Table, target: &Target, row: &Row, missing: &[usize], cx: &Context<'_>) -> CheckedRow {
    let mut checked = CheckedRow { number: row.number, findings: Vec::new(), values: Vec::new() };
    for field in missing.iter().filter_map(|at| target.fields.get(*at)) {
        let said = Said::new(
            format!("no column has the required field {}", field.name.en),
            format!("缺少必填列：{}", field.name.zh),
        );
        checked.tell(Level::Error, None, ("REQUIRED", said));
    }
    for (at, column) in table.columns.iter().enumerate() {
        let Some((place, field)) = column.field.and_then(|place| Some((place, target.fields.get(place)?))) else {
            continue;
        };
        if field.kind == FieldKind::Ignored {
            continue;
        }
        match value::clean(field, row.cell(column.index), table.from_1904, cx) {
            Ok(clean) => {
                if clean.value.is_none() && (column.starred || needed(target, place, field, cx.mode)) {
                    checked.tell(Level::Error, Some(at), empty());
                }
                if let Some(warning) = clean.warning {
                    checked.tell(Level::Warning, Some(at), warning);
                }
                checked.set(Slot::Field(place), clean.value);
            }
            Err(problem) => checked.tell(Level::Error, Some(at), problem),
        }
    }
    together::check(table, target, cx, checked)
}
