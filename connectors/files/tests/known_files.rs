//! Files whose rows are known: which are accepted with what, which are refused for which reason, which are passed over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use hub_files::{
    Checked, Choice, Context, Known, Level, Limits, Match, Mode, Names, Nothing, ReportOptions, ReportRows, RowResult,
    Table, Target, Workbook, check, open, report, table,
};
use hub_tree::jiff::civil::date;
use hub_tree::{Arena, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/files"))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[derive(Default)]
struct Stored {
    departments: Names,
    positions: Names,
}

impl Stored {
    fn of(assume: Value<'_>) -> Self {
        let mut stored = Self::default();
        let names = |key: &str| assume.get(key).items().iter().filter_map(Value::as_text).collect::<Vec<_>>();
        names("departments").iter().for_each(|name| stored.departments.add(name, None));
        names("positions").iter().for_each(|name| stored.positions.add(name, None));
        stored
    }
}

impl Known for Stored {
    fn department(&self, text: &str) -> Match {
        self.departments.find(text)
    }

    fn position(&self, text: &str) -> Match {
        self.positions.find(text)
    }
}

fn target() -> &'static Target {
    Target::built_in("employee").unwrap()
}

fn read(bytes: &[u8], name: &str) -> Table {
    let mut book: Workbook<'_> = open(bytes, name, Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    table(&mut book, Some(target()), &Choice::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn checked(table: &Table, known: &dyn Known) -> Checked<'static> {
    check(table, target(), &Context::new(date(2026, 1, 15), Mode::Insert, known))
}

fn numbers(value: Value<'_>) -> BTreeSet<u32> {
    value
        .items()
        .iter()
        .filter_map(|item| match item {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        })
        .collect()
}

fn number(value: Value<'_>) -> u32 {
    match value {
        Value::Number(text) => text.parse().unwrap(),
        _ => panic!("a number was expected"),
    }
}

/// Compares a file with what is expected of it.
fn compare(file: &str, expected: &str) {
    let (data, expected) = (bytes(file), bytes(expected));
    let arena = Arena::new();
    let expected = json::read(&arena, &expected, hub_tree::Limits::default()).unwrap();
    let table = read(&data, file);
    let result = checked(&table, &Stored::of(expected.get("assume")));
    assert_eq!(table.header_row, number(expected.get("header_row")), "{file}");
    let accepted = expected.get("accepted").items();
    let rejected = expected.get("rejected_rows").items();
    assert!(!accepted.is_empty() && !rejected.is_empty());
    let found: Vec<u32> = result.rows.iter().filter(|row| row.is_accepted()).map(|row| row.number).collect();
    let wanted: Vec<u32> = accepted.iter().map(|row| number(row.get("row"))).collect();
    assert_eq!(found, wanted, "{file}: accepted");
    for wanted in accepted {
        let number = number(wanted.get("row"));
        let row = result.rows.iter().find(|row| row.number == number).unwrap();
        let tree = result.tree(row, &arena);
        for (key, value) in wanted.entries() {
            match *key {
                "row" => {}
                "warnings" => {
                    let codes: Vec<&str> = row.findings.iter().map(|finding| finding.code).collect();
                    let wanted: Vec<&str> = value.items().iter().filter_map(Value::as_text).collect();
                    assert_eq!(codes, wanted, "{file}: row {number}");
                }
                key => {
                    assert_eq!(json::to_string(&tree.get(key)), json::to_string(value), "{file}: row {number}: {key}");
                }
            }
        }
    }
    let refused: Vec<(u32, BTreeSet<&str>)> = result
        .rows
        .iter()
        .filter(|row| !row.is_accepted())
        .map(|row| {
            let errors = row.findings.iter().filter(|finding| finding.level == Level::Error);
            (row.number, errors.map(|finding| finding.code).collect())
        })
        .collect();
    let wanted: Vec<(u32, BTreeSet<&str>)> =
        rejected.iter().map(|row| (number(row.get("row")), row.get("code").as_text().into_iter().collect())).collect();
    assert_eq!(refused, wanted, "{file}: refused");
    if expected.get("ignored_rows").is_absent() {
        assert!(table.ignored.is_empty(), "{file}: {:?}", table.ignored);
    } else {
        let ignored: BTreeSet<u32> = table.ignored.iter().flat_map(|(first, last, _)| *first..=*last).collect();
        assert_eq!(ignored, numbers(expected.get("ignored_rows")), "{file}: ignored");
    }
}

#[test]
fn a_dirty_csv_file_in_gbk_is_sorted_out_row_by_row() {
    compare("employees-dirty.gbk.csv", "employees-dirty.gbk.expect.json");
}

#[test]
fn a_dirty_workbook_is_sorted_out_row_by_row() {
    compare("employees-sheet-dirty.xlsx", "employees-sheet-dirty.expect.json");
}

#[test]
fn a_clean_list_says_the_same_in_every_kind_of_file() {
    let files = [
        "employees-template.utf8-bom.csv",
        "employees.gbk.csv",
        "employees.semicolon-lf.csv",
        "employees-template.xlsx",
    ];
    let mut all = Vec::new();
    for file in files {
        let data = bytes(file);
        let table = read(&data, file);
        assert!(table.columns.iter().all(|column| column.field.is_some()), "{file}");
        let result = checked(&table, &Nothing);
        let rows: Vec<String> = result.rows.iter().map(|row| result.json(row)).collect();
        assert_eq!((rows.len(), result.accepted()), (4, 4), "{file}");
        // The first identity number is one of a woman, and the column says otherwise; the last is a passport.
        let findings: Vec<_> = result.rows.iter().flat_map(|row| &row.findings).collect();
        let told: Vec<_> = findings.iter().map(|one| (one.cell(&table), one.heading(&table), one.code)).collect();
        assert_eq!(
            told,
            [("D2".to_owned(), "证件号码", "ID_SEX"), ("D5".to_owned(), "证件号码", "NATIONALITY_MISSING")],
            "{file}"
        );
        all.push(rows);
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    let arena = Arena::new();
    let first = json::read(&arena, all[0][0].as_bytes(), hub_tree::Limits::default()).unwrap();
    for (field, value) in
        [("hire_date", "2020-03-15"), ("base_salary", "15000.00"), ("employee_status", "ACTIVE"), ("sex", "MALE")]
    {
        assert_eq!(first.get(field).as_text(), Some(value), "{field}");
    }
}

/// The cells of a report, row by row with their numbers.
fn report_of(file: &str, rows: ReportRows, language: &str) -> Vec<(u32, Vec<String>)> {
    let data = bytes(file);
    let table = read(&data, file);
    let result = checked(&table, &Nothing);
    let results = RowResult::of_all(&table, &result, language);
    let options = ReportOptions { rows, language, hidden: vec![3] };
    let written = report(Vec::new(), &table, &results, &options).unwrap();
    let mut book = open(&written, "report.xlsx", Limits::default()).unwrap();
    let grid = book.grid(0).unwrap();
    grid.rows.iter().map(|row| (row.number, row.cells.iter().map(|cell| cell.text().to_owned()).collect())).collect()
}

#[test]
fn a_report_is_the_file_of_the_user_with_result_and_reason() {
    let all = report_of("employees-dirty.gbk.csv", ReportRows::All, "zh-CN");
    let row = |number: u32| all.iter().find(|(found, _)| *found == number).map(|(_, cells)| cells.as_slice()).unwrap();
    assert_eq!(row(3)[32..], ["结果", "原因"]);
    assert_eq!(row(3)[0], "*工号");
    assert_eq!((&*row(4)[32], &*row(5)[32]), ("忽略", "通过"));
    assert_eq!(row(5)[3], "***");
    assert_eq!(row(7)[32], "拒绝");
    assert!(row(7)[33].starts_with("D7 证件号码："), "{}", row(7)[33]);
    assert_eq!(row(18)[1], "'=1+1");
    assert!(!row(7)[33].contains("1101991993"), "no value is quoted");
    let sheet = report_of("employees-sheet-dirty.xlsx", ReportRows::All, "en");
    let formula = sheet.iter().find(|(number, _)| *number == 6).map(|(_, cells)| cells[9].as_str());
    assert_eq!(formula, Some("'=?"));
    let refused = report_of("employees-sheet-dirty.xlsx", ReportRows::Refused, "en");
    let numbers: Vec<&str> = refused.iter().skip(1).filter_map(|(_, cells)| cells.last()).map(String::as_str).collect();
    assert_eq!(numbers, ["4", "6", "7"]);
    assert_eq!(refused[0].1[11..], ["Result", "Reason", "Row"]);
}

#[test]
fn what_an_office_program_makes_of_a_workbook_says_the_same() {
    for file in ["employees-sheet-dirty.ods", "employees-sheet-dirty.xls", "employees-sheet-dirty.libreoffice.xlsx"] {
        let data = bytes(&format!("made/{file}"));
        let table = read(&data, file);
        assert_eq!((&*table.sheet, table.header_row), ("员工信息", 2), "{file}");
        let result = checked(&table, &Nothing);
        let arena = Arena::new();
        let found: Vec<String> = result
            .rows
            .iter()
            .map(|row| {
                let tree = result.tree(row, &arena);
                let value = |field: &str| tree.get(field).as_text().unwrap_or("-").to_owned();
                let errors = row.findings.iter().filter(|finding| finding.level == Level::Error);
                let codes: Vec<&str> = errors.map(|finding| finding.code).collect();
                let said = [value("employee_number"), value("hire_date"), value("base_salary"), codes.join(",")];
                format!("{} {}", row.number, said.join(" ")).trim().to_owned()
            })
            .collect();
        // The program that converted it has computed the formula of row 6.
        let wanted = [
            "3 001234 2020-03-15 15000.10",
            "4 B0002 2015-09-01 9000.00 ID_LOST_DIGITS",
            "5 B0003 2024-03-05 8000.30",
            "6 B0004 2021-01-01 30000.20",
            "7 B0005 2021-01-01 7000.00 CELL_ERROR",
            "8 B0006 2021-01-01 6000.00",
        ];
        assert_eq!(found, wanted, "{file}");
        assert!(table.ignored.is_empty(), "{file}");
    }
    for file in ["employees-template.ods", "employees-template.xls"] {
        let (data, original) = (bytes(&format!("made/{file}")), bytes("employees-template.xlsx"));
        let (made, first) = (read(&data, file), read(&original, "employees-template.xlsx"));
        let rows = |table: &Table| {
            let result = checked(table, &Nothing);
            result.rows.iter().map(|row| result.json(row)).collect::<Vec<_>>()
        };
        assert_eq!(rows(&made), rows(&first), "{file}");
    }
}

#[test]
fn headings_over_two_rows_days_from_1904_and_hidden_rows_are_read() {
    let data = bytes("made/openpyxl-1904.xlsx");
    let table = read(&data, "openpyxl-1904.xlsx");
    assert_eq!((&*table.sheet, table.header_row), ("花名册", 3));
    assert!(table.columns.iter().all(|column| column.field.is_some()), "{:?}", table.columns);
    let result = checked(&table, &Nothing);
    let value = |row: usize, field: &str| result.value(&result.rows[row], field).unwrap_or("-");
    assert_eq!(value(0, "employee_number"), "000001");
    assert_eq!(value(0, "legal_name"), "王芳");
    assert_eq!((value(0, "hire_date"), value(0, "contract_end_date")), ("2024-03-05", "-"));
    assert_eq!((value(1, "legal_name"), value(1, "hire_date")), ("李娜", "2021-07-01"));
    assert_eq!((value(1, "mobile"), value(1, "base_salary")), ("+442079460018", "8500.00"));
    let codes: Vec<Vec<&str>> =
        result.rows.iter().map(|row| row.findings.iter().map(|finding| finding.code).collect()).collect();
    assert_eq!(codes, [vec![], vec!["NATIONALITY_MISSING"], vec!["FORMULA", "AMOUNT"]]);
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let code = |bytes: &[u8], name: &str| match open(bytes, name, Limits::default()) {
        Ok(mut book) => {
            table(&mut book, Some(target()), &Choice::default()).err().map_or("none", |problem| problem.code)
        }
        Err(problem) => problem.code,
    };
    assert_eq!(code(b"", "a.csv"), "FILE_EMPTY");
    assert_eq!(code(b" \r\n", "a.csv"), "FILE_EMPTY");
    assert_eq!(code(b"%PDF-1.7", "a.xlsx"), "FILE_KIND");
    assert_eq!(code(b"PK\x03\x04 and no more", "a.xlsx"), "FILE_BROKEN");
    assert_eq!(code(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0], "a.xls"), "FILE_BROKEN");
    assert_eq!(code("<?xml version=\"1.0\"?><Workbook/>".as_bytes(), "a.xls"), "FILE_KIND");
    assert_eq!(code("a,b\n1,2\n".as_bytes(), "a.csv"), "HEADER_NOT_FOUND");
    let html =
        "<html><table><tr><td>工号<td>姓名<td>部门<td>入职日期<tr><td>A1<td>李娜<td>研发部<td>2020-01-02</table>";
    assert_eq!(code(html.as_bytes(), "a.xls"), "none");
    let small = Limits { max_bytes: 10, ..Limits::default() };
    assert_eq!(open(b"01234567890", "a.csv", small).unwrap_err().code, "FILE_TOO_LARGE");
    let few = Limits { max_rows: 3, ..Limits::default() };
    let mut book = open("工号,姓名\n1,a\n2,b\n3,c\n".as_bytes(), "a.csv", few).unwrap();
    assert_eq!(book.grid(0).unwrap_err().code, "TOO_MANY_ROWS");
}

/// Somebody who is stored.
struct OnLeave;

impl Known for OnLeave {
    fn is_stored(&self, key: &str) -> bool {
        key == "A1"
    }

    fn employee(&self, number: &str) -> Match {
        if number == "B9" { Match::Found(Some("boss".to_owned())) } else { Match::Unknown(Vec::new()) }
    }

    fn holder(&self, field: &str, value: &str) -> Option<String> {
        (field == "id_number" && value == "110199198808080066").then(|| "A7".to_owned())
    }
}

#[test]
fn what_is_stored_decides_with_the_mode() {
    let text = "工号,姓名,入职日期,身份证号,直接上级\n\
        a1,李娜,2020-01-02,,B9\nA2,王芳,2020-01-02,110199198808080066,A1\nA3,张伟,2999-01-02,,Z1\n\
        A4,周杰,2020-01-02,,A5\nA5,孙丽,2020-01-02,,周杰\n";
    let table = read(text.as_bytes(), "staff.csv");
    let told = |mode| {
        let result = check(&table, target(), &Context::new(date(2026, 1, 15), mode, &OnLeave));
        let codes = |row: &hub_files::CheckedRow| {
            row.findings.iter().map(|finding| (finding.code, finding.level)).collect::<Vec<_>>()
        };
        let rows: Vec<_> = result.rows.iter().map(codes).collect();
        let status: Vec<Option<String>> =
            result.rows.iter().map(|row| result.value(row, "employee_status").map(str::to_owned)).collect();
        (rows, status, result.json(&result.rows[0]))
    };
    use Level::{Error, Warning};
    let (insert, status, _) = told(Mode::Insert);
    assert_eq!(insert[0], [("DUPLICATE_EXISTING", Error)]);
    assert_eq!(insert[1], [("DUPLICATE_EXISTING", Error)]);
    assert_eq!(insert[2], [("MANAGER_UNKNOWN", Error)]);
    assert_eq!((&insert[3], &insert[4]), (&vec![("MANAGER_LOOP", Error)], &vec![("MANAGER_LOOP", Error)]));
    assert_eq!(status[2].as_deref(), Some("PREHIRE"));
    let (upsert, status, first) = told(Mode::Upsert);
    assert_eq!(upsert[0], []);
    assert_eq!(upsert[1], [("DUPLICATE_EXISTING", Warning)]);
    assert_eq!((status[0].as_deref(), status[1].as_deref()), (None, Some("ACTIVE")));
    assert!(first.contains(r#""manager":"B9","manager_id":"boss""#), "{first}");
}

#[test]
fn a_report_that_is_uploaded_again_refuses_the_same_rows() {
    for file in ["employees-sheet-dirty.xlsx", "employees-dirty.gbk.csv", "made/openpyxl-1904.xlsx"] {
        let data = bytes(file);
        let first = read(&data, file);
        let told = |table: &Table| {
            let result = checked(table, &Nothing);
            let rows = result.rows.iter().map(|row| {
                let codes: Vec<&str> = row.findings.iter().map(|finding| finding.code).collect();
                (row.number, codes, result.value(row, "hire_date").map(str::to_owned))
            });
            rows.collect::<Vec<_>>()
        };
        let results = RowResult::of_all(&first, &checked(&first, &Nothing), "zh");
        let options = ReportOptions { language: "zh", ..ReportOptions::default() };
        let written = report(Vec::new(), &first, &results, &options).unwrap();
        let again = read(&written, "report.xlsx");
        assert_eq!(told(&again), told(&first), "{file}");
    }
}
