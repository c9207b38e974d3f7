//! What files say, through the reader of spreadsheets: which columns there are, what each row holds, and the workbook
//! that tells people what to mend. Nothing here asks the store.

use super::checking::{Known, Named};
use super::{About, Column, Finding, Refused, RowBody, Wanted};
use hub_files::{
    Choice, Context, FileProblem, Ignored, Level, Limits, Match, Mode, Names, ReportOptions, ReportRows, Row,
    RowResult, Table, Target, folded,
};
use hub_model::Class;
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What rows can be imported as, by its name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    Target::built_in(name)
}

/// The names of all targets, for messages.
pub(super) fn targets() -> String {
    let names: Vec<&str> = Target::all_built_in().iter().map(|target| target.id.as_str()).collect();
    format!("targets are {}", names.join(", "))
}

fn unknown(name: &str) -> Refused {
    Refused::Asked("as", format!("there is no target `{name}`: {}", targets()))
}

/// What a column is that nobody knows: personal.
const UNTOLD: u8 = 2;

fn class_of(class: Class) -> u8 {
    class as u8
}

/// The target that reads the columns of an import; none where a mapping of its own reads them by their headings.
fn reading(name: &str, about: &About) -> Result<Option<&'static Target>, Refused> {
    let target = target(name).ok_or_else(|| unknown(name))?;
    Ok((about.mapping.is_empty() && about.mapping_text.is_none()).then_some(target))
}

/// What there is to know of a file before its rows are looked at: its sheets, its columns and what they seem to mean,
/// by what somebody says, by what the tenant has said before, by their headings.
pub(super) fn propose(
    bytes: &[u8],
    name: &str,
    asked: About,
    wanted: &Wanted,
    kept: &[(String, String)],
) -> Result<About, Refused> {
    let target = reading(name, &asked)?;
    let mut book = hub_files::open(bytes, &asked.file_name, Limits::default())?;
    let (kind, encoding) = (book.kind().name().to_owned(), book.encoding().unwrap_or_default().to_owned());
    let sheets = book.sheets().iter().filter(|sheet| sheet.is_data && sheet.visible);
    let sheets: Vec<String> = sheets.map(|sheet| sheet.name.clone()).filter(|name| !name.is_empty()).collect();
    let sheet = wanted.sheet.clone().or_else(|| Some(asked.sheet.clone())).filter(|sheet| !sheet.is_empty());
    // A sheet that was chosen anew has its headings elsewhere.
    let same = wanted.sheet.as_ref().is_none_or(|sheet| *sheet == asked.sheet);
    let header_row = wanted.header_row.or(Some(asked.header_row).filter(|row| same && *row > 0));
    let plain = Choice { sheet: sheet.clone(), header_row, ..Choice::default() };
    let seen = hub_files::table(&mut book, target, &plain)?;
    // What was said of columns that this file does not have says nothing about it.
    let present = |heading: &str| seen.columns.iter().any(|column| column.heading == heading);
    let mut columns: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (heading, field) in kept.iter().filter(|(heading, _)| target.is_some() && present(heading)) {
        columns.insert(heading.clone(), Some(field.clone()).filter(|field| !field.is_empty()));
    }
    for (name, field) in &wanted.columns {
        let by_letters = seen.columns.iter().find(|column| letters(column.index) == *name);
        let heading = by_letters.map_or(name.as_str(), |column| column.heading.as_str());
        columns.insert(heading.to_owned(), Some(field.clone()).filter(|field| !field.is_empty()));
    }
    let choice = Choice { sheet, header_row, columns: columns.clone() };
    let table = hub_files::table(&mut book, target, &choice)?;
    let fields = target.map(|target| target.fields.as_slice()).unwrap_or_default();
    // Whoever reads the columns, what their headings say tells what nobody is to see.
    let by_heading = self::target(name);
    let known = table.columns.iter().map(|column| {
        let field = column.field.and_then(|at| fields.get(at));
        let told = by_heading.and_then(|target| target.fields.get(target.field_of_heading(&column.heading)?));
        let classes = [field, told].into_iter().flatten().map(|field| class_of(field.class));
        Column {
            letters: letters(column.index),
            heading: column.heading.clone(),
            field: field.map(|field| field.id.clone()),
            said: columns.contains_key(&column.heading),
            class: classes.max().unwrap_or(UNTOLD),
        }
    });
    let columns = known.collect();
    let has = |at: usize| table.columns.iter().any(|column| column.field == Some(at));
    let missing = fields.iter().enumerate().filter(|(at, field)| field.required && !has(*at));
    let missing = missing.map(|(_, field)| field.id.clone()).collect();
    Ok(About { kind, encoding, sheets, sheet: table.sheet, header_row: table.header_row, columns, missing, ..asked })
}

fn letters(index: usize) -> String {
    hub_files::column_letters(index)
}

/// What people can choose for a column: field, English and Chinese name.
#[must_use]
pub fn fields(name: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let fields = target(name).map(|target| target.fields.as_slice()).unwrap_or_default();
    fields.iter().map(|field| (field.id.as_str(), &*field.name.en, &*field.name.zh)).collect()
}

/// What can be imported: name, English and Chinese.
#[must_use]
pub fn kinds() -> Vec<(&'static str, &'static str, &'static str)> {
    Target::all_built_in().iter().map(|t| (t.id.as_str(), &*t.name.en, &*t.name.zh)).collect()
}

/// A row that was checked.
pub(super) struct Checked {
    pub(super) number: u32,
    /// Example and total rows.
    pub(super) ignored: bool,
    pub(super) body: RowBody,
}

/// Names of what is stored, as rows are compared with them.
struct Stored<'k> {
    employees: BTreeMap<String, &'k str>,
    departments: Names,
    positions: Names,
    codes: BTreeSet<String>,
}

impl<'k> Stored<'k> {
    fn of(known: &'k Known) -> Self {
        let employees =
            known.employees.iter().filter_map(|(number, ids)| Some((folded(number), ids.first()?.as_str())));
        Self {
            employees: employees.collect(),
            departments: names(&known.departments),
            positions: names(&known.positions),
            codes: known.codes.keys().map(|code| folded(code)).collect(),
        }
    }
}

/// How deep departments lie in each other at most; a circle ends, too.
const DEEPEST: usize = 20;

/// Codes, names and paths; a name that two have stands for neither.
fn names(all: &[Named]) -> Names {
    let by_id: BTreeMap<&str, &Named> = all.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut words: BTreeMap<String, Option<&str>> = BTreeMap::new();
    let mut add = |word: String, id| {
        words.entry(word).and_modify(|known| *known = known.filter(|known| *known == id)).or_insert(Some(id));
    };
    for one in all {
        if !one.code.is_empty() {
            add(one.code.clone(), one.id.as_str());
        }
        for name in &one.names {
            add(name.clone(), one.id.as_str());
            let (mut path, mut above) = (name.clone(), by_id.get(one.parent.as_str()));
            for _ in 0..DEEPEST {
                let Some(next) = above else { break };
                let Some(name) = next.names.first() else { break };
                path = format!("{name}>{path}");
                above = by_id.get(next.parent.as_str());
            }
            add(path, one.id.as_str());
        }
    }
    let mut names = Names::new();
    for (word, id) in words {
        if id.is_some() {
            names.add(&word, id);
        }
    }
    names
}

impl hub_files::Known for Stored<'_> {
    fn department(&self, text: &str) -> Match {
        self.departments.find(text)
    }

    fn position(&self, text: &str) -> Match {
        self.positions.find(text)
    }

    fn employee(&self, number: &str) -> Match {
        self.employees.get(number).map_or(Match::Unknown(Vec::new()), |id| Match::Found(Some((*id).to_owned())))
    }

    fn is_stored(&self, key: &str) -> bool {
        self.codes.contains(key)
    }
}

/// Reads the table of an import as it was confirmed.
fn read(bytes: &[u8], target: Option<&Target>, about: &About) -> Result<Table, FileProblem> {
    let mut book = hub_files::open(bytes, &about.file_name, Limits::default())?;
    let columns = about.columns.iter().map(|column| (column.letters.clone(), column.field.clone()));
    let choice = Choice {
        sheet: Some(about.sheet.clone()).filter(|sheet| !sheet.is_empty()),
        header_row: Some(about.header_row),
        columns: if target.is_some() { columns.collect() } else { BTreeMap::new() },
    };
    hub_files::table(&mut book, target, &choice)
}

/// Looks at every row, as of a day. Rows that are passed over, and that are not blank, are among them.
pub(super) fn check(
    bytes: &[u8],
    name: &str,
    about: &About,
    known: &Known,
    today: Date,
) -> Result<Vec<Checked>, Refused> {
    let target = reading(name, about)?;
    let table = read(bytes, target, about)?;
    let mut rows = match target {
        Some(target) => checked(&table, target, about, known, today),
        None => table.rows.iter().map(|row| as_it_is(&table, row)).collect(),
    };
    for (first, last, why) in table.ignored.iter().filter(|(.., why)| *why != Ignored::Blank) {
        for number in *first..=*last {
            let (en, zh) = match why {
                Ignored::Total => ("a row of totals", "合计行"),
                _ => ("an example", "示例行"),
            };
            let finding = Finding {
                code: why.code().to_owned(),
                en: format!("the row is {en}, and passed over"),
                zh: format!("{zh}，已忽略"),
                ..Finding::default()
            };
            let body = RowBody { findings: vec![finding], ..RowBody::default() };
            rows.push(Checked { number, ignored: true, body });
        }
    }
    rows.sort_by_key(|row| row.number);
    Ok(rows)
}

fn cells(table: &Table, row: &Row) -> Vec<String> {
    table.columns.iter().map(|column| row.cell(column.index).text().to_owned()).collect()
}

fn checked(table: &Table, target: &Target, about: &About, known: &Known, today: Date) -> Vec<Checked> {
    let stored = Stored::of(known);
    let mode = if about.upsert { Mode::Upsert } else { Mode::Insert };
    let checked = hub_files::check(table, target, &Context::new(today, mode, &stored));
    let made = checked.rows.iter().zip(&table.rows).map(|(row, cells_of)| {
        let findings = row.findings.iter().map(|finding| Finding {
            code: finding.code.to_owned(),
            error: finding.level == Level::Error,
            cell: finding.column.map(|_| finding.cell(table)).unwrap_or_default(),
            heading: finding.heading(table).to_owned(),
            en: finding.said.en.to_string(),
            zh: finding.said.zh.to_string(),
        });
        let findings = findings.collect();
        let record = row.is_accepted().then(|| checked.json(row));
        Checked {
            number: row.number,
            ignored: false,
            body: RowBody { cells: cells(table, cells_of), findings, record },
        }
    });
    made.collect()
}

/// A row for a mapping of its own: its texts by their headings.
fn as_it_is(table: &Table, row: &Row) -> Checked {
    let arena = Arena::new();
    let texts: Vec<(&str, Value<'_>)> =
        table.texts(row).into_iter().map(|(heading, text)| (heading, Value::Text(text))).collect();
    let record = Some(json::to_string(&arena.map(&texts)));
    Checked {
        number: row.number,
        ignored: false,
        body: RowBody { cells: cells(table, row), findings: Vec::new(), record },
    }
}

/// The workbook that came, with result and reason of each row in two columns of its own, in the language of a tag such as
/// `zh-CN`. Values above `allowed` are left out.
pub(super) fn report(
    bytes: &[u8],
    name: &str,
    about: &About,
    rows: &[(i64, String, RowBody)],
    (allowed, only_refused, language): (Class, bool, &str),
) -> Result<Vec<u8>, Refused> {
    let table = read(bytes, reading(name, about)?, about)?;
    let chinese = language.to_ascii_lowercase().starts_with("zh");
    let mut results = BTreeMap::new();
    for (number, state, body) in rows {
        let Ok(number) = u32::try_from(*number) else { continue };
        let said = body.findings.iter().map(|finding| {
            let place =
                if finding.cell.is_empty() { String::new() } else { format!("{} {}: ", finding.cell, finding.heading) };
            format!("{place}{}", if chinese { &finding.zh } else { &finding.en })
        });
        let marks = body.findings.iter().filter_map(|finding| {
            let (_, column) = hub_files::place_of(&finding.cell)?;
            Some((column, if finding.error { Level::Error } else { Level::Warning }))
        });
        let accepted = state == "good" || state == "applied";
        let reason = said.collect::<Vec<_>>().join("; ");
        results.insert(number, RowResult { accepted, reason, marks: marks.collect() });
    }
    let hidden = about.columns.iter().filter(|column| column.class() > allowed);
    let hidden = hidden.filter_map(|column| hub_files::column_of(&column.letters)).collect();
    let rows = if only_refused { ReportRows::Refused } else { ReportRows::All };
    let options = ReportOptions { rows, language, hidden };
    hub_files::report(Vec::new(), &table, &results, &options)
        .map_err(|error| Refused::State(format!("the report cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, code: &str, name: &str, parent: &str) -> Named {
        Named { id: id.into(), code: code.into(), names: vec![name.into()], parent: parent.into() }
    }

    #[test]
    fn departments_are_found_by_code_name_and_path_and_a_name_of_two_is_nobodys() {
        let all = [
            named("1", "D1", "示例科技", ""),
            named("2", "D2", "研发部", "1"),
            named("3", "D3", "平台组", "2"),
            named("4", "D4", "平台组", "1"),
        ];
        let names = names(&all);
        let found = |id: &str| Match::Found(Some(id.to_owned()));
        assert_eq!(names.find("d3"), found("3"));
        assert_eq!(names.find("研发部"), found("2"));
        assert_eq!(names.find("示例科技/研发部/平台组"), found("3"));
        assert_eq!(names.find("示例科技>平台组"), found("4"));
        assert!(matches!(names.find("平台组"), Match::Unknown(_)));
    }

    #[test]
    fn a_file_tells_its_columns_and_rows_and_what_the_tenant_said_before_counts() {
        let text = "花名册,,,\n*工号,姓名,部门,备注\nA1,李娜,研发部,x\n示例,王小明,,\nA1,张伟,研发,\n".as_bytes();
        let asked = || About { file_name: "staff.csv".into(), upsert: true, ..About::default() };
        let kept = [("备注".to_owned(), "cost_center".to_owned()), ("不在".to_owned(), "mobile".to_owned())];
        let about = propose(text, "employee", asked(), &Wanted::default(), &kept).unwrap();
        let fields: Vec<_> = about.columns.iter().map(|column| column.field.as_deref()).collect();
        assert_eq!(fields, [Some("employee_number"), Some("legal_name"), Some("department"), Some("cost_center")]);
        assert_eq!((about.header_row, about.kind.as_str(), about.columns[1].class), (2, "CSV", 2));
        let known = Known { departments: vec![named("d", "", "研发部", "")], ..Known::default() };
        let day = hub_tree::jiff::civil::date(2026, 1, 1);
        let rows = check(text, "employee", &about, &known, day).unwrap();
        let told: Vec<(u32, bool, Vec<&str>)> = rows
            .iter()
            .map(|row| (row.number, row.ignored, row.body.findings.iter().map(|one| one.code.as_str()).collect()))
            .collect();
        assert_eq!(told[0], (3, false, vec![]));
        assert_eq!(told[1], (4, true, vec!["EXAMPLE"]));
        assert!(told[2].2.contains(&"DUPLICATE_IN_FILE") && told[2].2.contains(&"DEPARTMENT_UNKNOWN"), "{told:?}");
        assert!(rows[0].body.record.as_deref().unwrap().contains(r#""department_id":"d""#));
        let own = Wanted { columns: vec![("D".to_owned(), String::new())], ..Wanted::default() };
        let about = propose(text, "employee", asked(), &own, &kept).unwrap();
        assert_eq!(about.columns[3].field, None, "what is said now wins");
    }
}
