//! What only the cells of a row together show: an identity number and the columns beside it, days in their order, places
//! that must be stored, where somebody stands.

use super::value::Problem;
use super::{CheckedRow, Context, Level, Match, Mode, Slot, identity};
use crate::problem::Said;
use crate::table::Table;
use crate::target::{FieldKind, Target};
use hub_standards::periods::years_between;
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;

/// Checks a row whose cells were looked at one by one.
pub(super) fn check(table: &Table, target: &Target, cx: &Context<'_>, row: CheckedRow) -> CheckedRow {
    let mut together = Together { table, target, cx, row };
    together.identity();
    together.days();
    together.places();
    together.status();
    together.row
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
