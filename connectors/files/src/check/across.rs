//! What only many rows together show: the same key twice, the same person twice, superiors that nobody knows, circles.

use super::{Checked, CheckedRow, Context, Level, Match, Mode, Slot};
use crate::clean::folded;
use crate::problem::Said;
use crate::table::Table;
use crate::target::FieldKind;
use std::collections::BTreeMap;

pub(super) fn check(table: &Table, checked: &mut Checked<'_>, cx: &Context<'_>) {
    let keys: Vec<Option<String>> = checked.rows.iter().map(|row| key(checked, row)).collect();
    duplicates(table, checked, &keys, cx);
    uniques(table, checked, &keys, cx);
    superiors(table, checked, &keys, cx);
    people(table, checked, cx);
}

/// What tells a row apart; `None` when a part of it is not there.
fn key(checked: &Checked<'_>, row: &CheckedRow) -> Option<String> {
    let parts: Option<Vec<String>> = checked.target.key.iter().map(|at| row.get(*at).map(folded)).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("\n"))
}

fn column(table: &Table, field: usize) -> Option<usize> {
    table.columns.iter().position(|column| column.field == Some(field))
}

/// The same key again: the later row is refused.
fn duplicates(table: &Table, checked: &mut Checked<'_>, keys: &[Option<String>], cx: &Context<'_>) {
    let Some(field) = checked.target.key.first().copied() else { return };
    let at = column(table, field);
    let mut seen: BTreeMap<&str, (u32, Option<String>)> = BTreeMap::new();
    for (row, key) in checked.rows.iter_mut().zip(keys) {
        let Some(key) = key else { continue };
        let written = row.get(field).map(str::to_owned);
        match seen.get(key.as_str()) {
            Some((first, as_written)) => {
                let alike = *as_written != written;
                let said = if alike {
                    Said::new(
                        format!("row {first} has this number too, written in other letters or width"),
                        format!("与第 {first} 行重复，仅大小写或全半角不同"),
                    )
                } else {
                    Said::new(format!("row {first} has this number too"), format!("与第 {first} 行重复"))
                };
                row.tell(Level::Error, at, ("DUPLICATE_IN_FILE", said));
            }
            None => {
                seen.insert(key, (row.number, written));
            }
        }
        if cx.mode == Mode::Insert && cx.known.is_stored(key) {
            let said = Said::new(
                "it is stored already; import as a change, or take the row out",
                "系统内已存在；请改用更新模式，或删除该行",
            );
            row.tell(Level::Error, at, ("DUPLICATE_EXISTING", said));
        }
    }
}

/// A value that only one may have, under another key.
fn uniques(table: &Table, checked: &mut Checked<'_>, keys: &[Option<String>], cx: &Context<'_>) {
    for field in checked.target.unique.clone() {
        let at = column(table, field);
        let id = checked.target.fields.get(field).map(|field| field.id.clone()).unwrap_or_default();
        let mut seen: BTreeMap<String, (u32, Option<&str>)> = BTreeMap::new();
        for (row, key) in checked.rows.iter_mut().zip(keys) {
            let Some(value) = row.get(field).map(folded) else { continue };
            let key = key.as_deref();
            if let Some((first, other)) = seen.get(&value) {
                if *other != key {
                    let said = Said::new(
                        format!("row {first} has it under another number: one person entered twice"),
                        format!("与第 {first} 行相同但工号不同：同一人重复录入"),
                    );
                    row.tell(Level::Error, at, ("DUPLICATE_ID_IN_FILE", said));
                }
            } else if let Some(holder) = cx.known.holder(&id, &value)
                && Some(folded(&holder).as_str()) != key
            {
                let level = if cx.mode == Mode::Insert { Level::Error } else { Level::Warning };
                let said = Said::new(
                    "somebody stored under another number has it: perhaps a rehire",
                    "系统内另一工号已使用该值：可能是再入职",
                );
                row.tell(level, at, ("DUPLICATE_EXISTING", said));
            }
            seen.entry(value).or_insert((row.number, key));
        }
    }
}

/// Superiors and parents: in the file by number or by a name that only one has, or stored; never in a circle.
fn superiors(table: &Table, checked: &mut Checked<'_>, keys: &[Option<String>], cx: &Context<'_>) {
    let target = checked.target;
    let above = |kind: FieldKind| matches!(kind, FieldKind::Manager | FieldKind::Parent);
    let Some(field) = target.fields.iter().position(|field| above(field.kind)) else { return };
    let is_manager = target.fields.get(field).is_some_and(|field| field.kind == FieldKind::Manager);
    let at = column(table, field);
    let mut by_key: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            by_key.entry(key).or_insert(index);
        }
    }
    let name_field = ["legal_name", "department_name", "position_name", "cost_center_name"]
        .iter()
        .find_map(|name| target.place(name));
    // A name of two is nobody's.
    let mut by_name: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for (index, row) in checked.rows.iter().enumerate() {
        if let Some(name) = name_field.and_then(|name| row.get(name)) {
            by_name.entry(folded(name)).and_modify(|only| *only = None).or_insert(Some(index));
        }
    }
    let key_field = target.key.first().copied();
    let mut above_of: Vec<Option<usize>> = vec![None; checked.rows.len()];
    for index in 0..checked.rows.len() {
        let Some(wanted) = checked.rows.get(index).and_then(|row| row.get(field)).map(folded) else { continue };
        let number = number_in(&wanted);
        let found = by_key.get(wanted.as_str()).or_else(|| number.and_then(|number| by_key.get(number))).copied();
        let found = found.or_else(|| by_name.get(&wanted).copied().flatten());
        let value = found.and_then(|found| key_field.and_then(|key| checked.rows.get(found)?.get(key)));
        let value = value.map(str::to_owned);
        let Some(row) = checked.rows.get_mut(index) else { continue };
        if let (Some(found), Some(value)) = (found, value) {
            row.set(Slot::Field(field), Some(value));
            if let Some(place) = above_of.get_mut(index) {
                *place = Some(found);
            }
            continue;
        }
        let stored = match (is_manager, target.id.as_str()) {
            (true, _) => cx.known.employee(&wanted),
            (_, "department") => cx.known.department(&wanted),
            (_, "position") => cx.known.position(&wanted),
            _ => Match::Untold,
        };
        match stored {
            Match::Found(id) => {
                if let Some(id) = id {
                    row.set(Slot::IdOf(field), Some(id));
                }
            }
            Match::Unknown(near) => row.tell(Level::Error, at, unknown(is_manager, &near)),
            Match::Untold => row.tell(Level::Warning, at, unknown(is_manager, &[])),
        }
    }
    for index in in_circles(&above_of) {
        if let Some(row) = checked.rows.get_mut(index) {
            let said = Said::new(
                "following superiors from here leads back to this row",
                "沿上级关系逐级向上会回到本行，形成循环",
            );
            row.tell(Level::Error, at, ("MANAGER_LOOP", said));
        }
    }
    let refused: Vec<bool> = checked.rows.iter().map(|row| !row.is_accepted()).collect();
    for (row, above) in checked.rows.iter_mut().zip(&above_of) {
        if above.is_some_and(|above| refused.get(above).copied().unwrap_or(false)) && row.is_accepted() {
            let said = Said::new(
                "the row of the superior is refused; the relation holds once it is imported",
                "上级所在行未通过校验；待其导入后该关系才生效",
            );
            row.tell(Level::Warning, at, ("MANAGER_REFUSED", said));
        }
    }
}

/// The number in `张伟(A0001)` or `A0001 张伟`.
fn number_in(text: &str) -> Option<&str> {
    let inner = text.split(['(', ')', '/', '-']).find(|part| part.bytes().any(|byte| byte.is_ascii_digit()))?;
    let end = inner.find(|c: char| !c.is_ascii()).unwrap_or(inner.len());
    inner.get(..end).filter(|number| !number.is_empty())
}

fn unknown(is_manager: bool, near: &[String]) -> super::Problem {
    let near_en = if near.is_empty() { String::new() } else { format!("; near it come: {}", near.join(", ")) };
    let near_zh = if near.is_empty() { String::new() } else { format!("；相近的有：{}", near.join("、")) };
    if is_manager {
        let said = Said::new(
            format!("the superior is neither in the file nor stored; write the employee number{near_en}"),
            format!("上级既不在文件内也不在系统内；请填写上级的工号{near_zh}"),
        );
        return ("MANAGER_UNKNOWN", said);
    }
    let said = Said::new(
        format!("what stands above it is neither in the file nor stored{near_en}"),
        format!("上级既不在文件内也不在系统内{near_zh}"),
    );
    ("PARENT_UNKNOWN", said)
}

/// The rows from which the way up comes back to them.
fn in_circles(above: &[Option<usize>]) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnWay(usize),
        Done,
    }
    let mut states = vec![State::New; above.len()];
    let mut found = Vec::new();
    for start in 0..above.len() {
        let mut way = Vec::new();
        let mut at = Some(start);
        while let Some(index) = at {
            match states.get(index).copied() {
                Some(State::New) => {
                    if let Some(state) = states.get_mut(index) {
                        *state = State::OnWay(way.len());
                    }
                    way.push(index);
                    at = above.get(index).copied().flatten();
                }
                Some(State::OnWay(place)) => {
                    found.extend_from_slice(way.get(place..).unwrap_or_default());
                    break;
                }
                Some(State::Done) | None => break,
            }
        }
        for index in way {
            if let Some(state) = states.get_mut(index) {
                *state = State::Done;
            }
        }
    }
    found.sort_unstable();
    found
}

/// People that rows are about, who must be stored.
fn people(table: &Table, checked: &mut Checked<'_>, cx: &Context<'_>) {
    let fields = checked.target.fields.iter().enumerate();
    let fields: Vec<usize> = fields.filter(|(_, field)| field.kind == FieldKind::Person).map(|(at, _)| at).collect();
    for field in fields {
        let at = column(table, field);
        for row in &mut checked.rows {
            let Some(number) = row.get(field).map(folded) else { continue };
            match cx.known.employee(&number) {
                Match::Untold | Match::Found(None) => {}
                Match::Found(Some(id)) => row.set(Slot::IdOf(field), Some(id)),
                Match::Unknown(_) => {
                    let said = Said::new(
                        "no employee of this number is stored; import the people first",
                        "系统内没有该工号的员工；请先导入员工",
                    );
                    row.tell(Level::Error, at, ("EMPLOYEE_UNKNOWN", said));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_circles;

    #[test]
    fn circles_are_found_and_ways_into_them_are_not_part_of_them() {
        assert_eq!(in_circles(&[Some(1), Some(2), Some(1), Some(0), None, Some(5)]), [1, 2, 5]);
        assert_eq!(in_circles(&[Some(1), None]), Vec::<usize>::new());
        let long: Vec<Option<usize>> = (1..100_000).map(Some).chain([None]).collect();
        assert!(in_circles(&long).is_empty());
    }
}
