//! Every row against the rules of its target, with every problem of every cell, and what good rows say.
//!
//! A row with an error is refused as a whole; warnings do not keep it out. Messages never hold a value that is
//! personal.

mod across;
mod day;
mod identity;
mod known;
mod value;

pub use known::{Known, Match, Names, Nothing};

use crate::grid::{Row, cell_name};
use crate::problem::Said;
use crate::table::Table;
use crate::target::{Field, FieldKind, Target};
use hub_standards::periods::years_between;
use hub_tree::jiff::civil::{Date, date};
use hub_tree::value::parse_decimal;
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
    let mut row = Together { table, target, cx, row: checked };
    row.identity();
    row.days();
    row.places();
    row.status();
    row.row
}

/// What the cells of a row say together.
struct Together<'a> {
    table: &'a Table,
    target: &'a Target,
    cx: &'a Context<'a>,
    row: CheckedRow,
}

impl Together<'_> {
    /// The column of a field, by its place in the table.
    fn column(&self, field: usize) -> Option<usize> {
        self.table.columns.iter().position(|column| column.field == Some(field))
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.row.get(self.target.place(field)?)
    }

    fn day(&self, field: &str) -> Option<Date> {
        self.get(field)?.parse().ok()
    }

    fn tell(&mut self, level: Level, field: usize, problem: Problem) {
        let column = self.column(field);
        self.row.tell(level, column, problem);
    }

    /// The rules of resident numbers hold for resident identity cards only.
    fn identity(&mut self) {
        let identities = self.target.fields.iter().position(|field| field.kind == FieldKind::Identity);
        let Some(place) = identities else { return };
        let Some(number) = self.row.get(place).map(str::to_owned) else { return };
        let kind = self.get("id_type");
        if kind == Some("PASSPORT") && self.get("nationality").is_none() {
            let said = Said::new(
                "the number of a passport is kept only with a nationality; add a column for it",
                "护照号码须有国籍才会保存；请补充“国籍”列",
            );
            return self.tell(Level::Warning, place, ("NATIONALITY_MISSING", said));
        }
        if kind.is_some_and(|kind| kind != "CN_RESIDENT_ID") {
            return;
        }
        if kind.is_none()
            && let Some(kind) = self.target.place("id_type")
            && self.row.findings.iter().all(|finding| finding.column != self.column(kind) || finding.column.is_none())
        {
            self.row.set(Slot::Field(kind), Some("CN_RESIDENT_ID".to_owned()));
        }
        let found = identity::resident(&number, self.cx.today);
        for problem in found.problems {
            self.tell(Level::Error, place, problem);
        }
        let Some(birth) = found.birth else { return };
        if let Some(written) = self.day("birth_date")
            && written != birth
        {
            let said = Said::new(
                "the day of birth in the identity number differs from the column of birth dates",
                "身份证号中的出生日期与出生日期列不一致",
            );
            self.tell(Level::Error, place, ("ID_BIRTH_DATE", said));
        }
        if let (Some(sex), Some(written)) = (found.sex, self.get("sex"))
            && sex != written
            && matches!(written, "MALE" | "FEMALE")
        {
            let said = Said::new(
                "the identity number is of the other sex than the column says",
                "身份证号对应的性别与性别列不一致",
            );
            self.tell(Level::Warning, place, ("ID_SEX", said));
        }
        let resident = [("birth_date", birth.to_string()), ("sex", found.sex.unwrap_or_default().to_owned())];
        for (field, value) in resident {
            if let Some(field) = self.target.place(field)
                && self.row.get(field).is_none()
                && self
                    .row
                    .findings
                    .iter()
                    .all(|finding| finding.column.is_none() || finding.column != self.column(field))
            {
                self.row.set(Slot::Field(field), Some(value));
            }
        }
    }

    /// Days and amounts in their order, and nobody hired as a child.
    fn days(&mut self) {
        for (first, second) in &self.target.order {
            let (Some(low), Some(high)) = (self.row.get(*first), self.row.get(*second)) else { continue };
            // Days in their canonical form have the order of their texts.
            let is_day = low.parse::<Date>().is_ok() && high.parse::<Date>().is_ok();
            let amounts = parse_decimal(low).zip(parse_decimal(high));
            if !(is_day && high < low || amounts.is_some_and(|(low, high)| high < low)) {
                continue;
            }
            let name = |at: usize| self.target.fields.get(at).map(|field| field.name.clone());
            let (Some(first), Some(name)) = (name(*first), name(*second)) else { continue };
            let problem = if is_day {
                let said =
                    Said::new(format!("{} lies before {}", name.en, first.en), format!("{}早于{}", name.zh, first.zh));
                ("DATE_ORDER", said)
            } else {
                let said =
                    Said::new(format!("{} is below {}", name.en, first.en), format!("{}低于{}", name.zh, first.zh));
                ("AMOUNT_ORDER", said)
            };
            self.tell(Level::Error, *second, problem);
        }
        if let (Some(birth), Some(hired), Some(place)) =
            (self.day("birth_date"), self.day("hire_date"), self.target.place("hire_date"))
            && years_between(birth, hired) < 16
        {
            let said = Said::new("the hire date lies before the sixteenth birthday", "入职日期早于 16 周岁生日");
            self.tell(Level::Error, place, ("DATE_ORDER", said));
        }
    }

    /// Departments and positions that must be stored.
    fn places(&mut self) {
        let levels: Vec<&str> = self
            .target
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.kind == FieldKind::Level)
            .filter_map(|(at, _)| self.row.get(at))
            .collect();
        let path = (!levels.is_empty()).then(|| levels.join(">"));
        if let Some(path) = path
            && let Some(department) = self.target.place("department")
            && self.row.get(department).is_none()
        {
            self.row.set(Slot::Field(department), Some(path));
        }
        for kind in [FieldKind::Department, FieldKind::Position] {
            self.place_of(kind);
        }
    }

    /// A code counts before a name; where one of them is known, the other is a warning.
    fn place_of(&mut self, kind: FieldKind) {
        let mut unknown = Vec::new();
        let mut found = None;
        let mut first = None;
        for (at, field) in self.target.fields.iter().enumerate().rev().filter(|(_, field)| field.kind == kind) {
            first = Some(at);
            let Some(text) = self.row.get(at) else { continue };
            let known = match kind {
                FieldKind::Department => self.cx.known.department(text),
                _ => self.cx.known.position(text),
            };
            match known {
                Match::Untold => {}
                Match::Found(id) => {
                    if found.is_none() {
                        found = Some(id);
                    }
                }
                Match::Unknown(near) => unknown.push((at, field.kind, near)),
            }
        }
        let level = if found.is_some() { Level::Warning } else { Level::Error };
        for (at, kind, near) in unknown {
            let department = kind == FieldKind::Department;
            let (code, what, what_zh) = if department {
                ("DEPARTMENT_UNKNOWN", "department", "部门")
            } else {
                ("POSITION_UNKNOWN", "position", "岗位")
            };
            let said = if near.is_empty() {
                Said::new(
                    format!("no such {what} is known; import it first, or correct the cell"),
                    format!("系统内没有该{what_zh}；请先导入{what_zh}，或更正此单元格"),
                )
            } else {
                Said::new(
                    format!("no such {what} is known; near it come: {}", near.join(", ")),
                    format!("系统内没有该{what_zh}；相近的有：{}", near.join("、")),
                )
            };
            self.tell(level, at, (code, said));
        }
        if let (Some(Some(id)), Some(first)) = (found, first) {
            self.row.set(Slot::IdOf(first), Some(id));
        }
    }

    /// Where an employee stands, by the days where no column says so.
    fn status(&mut self) {
        let Some(place) = self.target.place("employee_status") else { return };
        let today = self.cx.today;
        let (hired, left) = (self.day("hire_date"), self.day("termination_date"));
        match self.row.get(place) {
            Some("ACTIVE" | "PROBATION") if left.is_some_and(|left| left < today) => {
                let said = Said::new(
                    "the status says employed, but the last day has passed",
                    "员工状态为在职，但离职日期已过",
                );
                self.tell(Level::Warning, place, ("STATUS_DATES", said));
            }
            Some("TERMINATED") if left.is_none() => {
                let said =
                    Said::new("the status says left, but there is no last day", "员工状态为离职，但没有离职日期");
                self.tell(Level::Warning, place, ("STATUS_DATES", said));
            }
            Some(_) => {}
            None => {
                // Somebody on leave is not back because a list says nothing of it.
                let key: Option<Vec<String>> =
                    self.target.key.iter().map(|at| self.row.get(*at).map(crate::folded)).collect();
                let is_new = self.cx.mode == Mode::Insert
                    || key.is_some_and(|key| hired.is_some() && !self.cx.known.is_stored(&key.join("\n")));
                let status = if left.is_some_and(|left| left < today) {
                    Some("TERMINATED")
                } else if hired.is_some_and(|hired| hired > today) {
                    Some("PREHIRE")
                } else if is_new && self.day("conversion_date").is_some_and(|converted| converted > today) {
                    Some("PROBATION")
                } else {
                    is_new.then_some("ACTIVE")
                };
                let has_error = self.row.findings.iter().any(|f| f.column.is_some() && f.column == self.column(place));
                if let (Some(status), false) = (status, has_error) {
                    self.row.set(Slot::Field(place), Some(status.to_owned()));
                }
            }
        }
    }
}
