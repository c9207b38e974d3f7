//! Files that nobody should make: whatever the bytes, the answer is rows or a reason, soon and in little memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use hub_files::{Choice, Context, Limits, Mode, Nothing, ReportOptions, RowResult, Target, check, open, report, table};
use hub_tree::jiff::civil::date;
use proptest::prelude::*;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use zip::write::SimpleFileOptions;

/// Reads a file all the way through; the code of the reason where that does not work.
fn through(bytes: &[u8], limits: Limits) -> Result<usize, &'static str> {
    let target = Target::built_in("employee").unwrap();
    let read = || {
        let mut book = open(bytes, "x.xls", limits)?;
        for sheet in 0..book.sheets().len().min(3) {
            let _ = book.grid(sheet);
        }
        table(&mut book, Some(target), &Choice::default())
    };
    let table = read().map_err(|problem| problem.code)?;
    let checked = check(&table, target, &Context::new(date(2026, 1, 15), Mode::Insert, &Nothing));
    for row in &checked.rows {
        assert!(checked.json(row).starts_with('{'));
    }
    let results = RowResult::of_all(&table, &checked, "zh");
    report(std::io::sink(), &table, &results, &ReportOptions::default()).expect("a sink takes everything");
    Ok(checked.rows.len())
}

fn known(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/files"));
    std::fs::read(folder.join(name)).unwrap()
}

const TYPES: &str = "<Types/>";
const RELATIONS: &str =
    r#"<Relationships><Relationship Id="r" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook><sheets><sheet name="a" sheetId="1" r:id="s"/></sheets></workbook>"#;
const BOOK_RELATIONS: &str = r#"<Relationships><Relationship Id="s" Type="x/worksheet" Target="sheet.xml"/><Relationship Id="t" Type="x/sharedStrings" Target="strings.xml"/></Relationships>"#;

/// A workbook of these parts, beside those that every workbook has.
fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let usual = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS),
    ];
    let given = |name: &str| parts.iter().any(|(part, _)| *part == name);
    for (name, text) in usual.iter().filter(|(name, _)| !given(name)).chain(parts) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

const HEADER: &str = r#"<row r="1"><c r="A1" t="str"><v>工号</v></c><c r="B1" t="str"><v>姓名</v></c><c r="C1" t="str"><v>部门</v></c><c r="D1" t="str"><v>入职日期</v></c></row>"#;

fn of_sheet(rows: &str) -> Result<usize, &'static str> {
    through(
        &package(&[("xl/worksheets/x", ""), ("xl/sheet.xml", &sheet(&format!("{HEADER}{rows}")))]),
        Limits::default(),
    )
}

#[test]
fn a_sheet_of_the_least_that_is_needed_is_read() {
    assert_eq!(
        of_sheet(r#"<row><c><v>1</v></c><c t="inlineStr"><is><r><t>李</t></r><r><t>娜</t></r></is></c></row>"#),
        Ok(1)
    );
}

#[test]
fn packages_that_unpack_to_too_much_are_refused() {
    let small = Limits { max_unpacked: 1 << 20, ..Limits::default() };
    let bomb = package(&[("xl/sheet.xml", &sheet(&format!("{HEADER}{}", " ".repeat(3 << 20))))]);
    assert!(bomb.len() < 20_000);
    assert_eq!(through(&bomb, small), Err("FILE_TOO_LARGE"));
    let strings = format!("<sst>{}</sst>", "<si><t>aaaaaaaaaaaa</t></si>".repeat(60_000));
    let bomb = package(&[("xl/sheet.xml", &sheet(HEADER)), ("xl/strings.xml", &strings)]);
    assert_eq!(through(&bomb, small), Err("FILE_TOO_LARGE"));
}

#[test]
fn one_long_text_in_many_cells_is_kept_once_and_not_without_end() {
    let row = |number: usize| {
        format!(r#"<row r="{number}"><c r="A{number}"><v>{number}</v></c><c r="B{number}" t="s"><v>0</v></c></row>"#)
    };
    let rows: String = (2..1_002).map(row).collect();
    let book = |length: usize| {
        let strings = format!("<sst><si><t>{}</t></si></sst>", "长".repeat(length));
        package(&[("xl/sheet.xml", &sheet(&format!("{HEADER}{rows}"))), ("xl/strings.xml", &strings)])
    };
    let target = Target::built_in("employee").unwrap();
    let short = book(10_000);
    let mut opened = open(&short, "x.xlsx", Limits::default()).unwrap();
    let table = table(&mut opened, Some(target), &Choice::default()).unwrap();
    assert_eq!(table.rows.len(), 1_000);
    let first = table.rows[0].cell(1).text().as_ptr();
    assert!(table.rows.iter().all(|row| row.cell(1).text().as_ptr() == first));
    assert_eq!(through(&book(200_000), Limits::default()), Err("FILE_TOO_LARGE"));
}

#[test]
fn document_types_macros_and_entities_are_refused() {
    let doctype = format!("<!DOCTYPE w [<!ENTITY a 'b'>]>{}", sheet(HEADER));
    assert_eq!(through(&package(&[("xl/sheet.xml", &doctype)]), Limits::default()), Err("FILE_BROKEN"));
    assert_eq!(of_sheet("<row r=\"2\"><c t=\"str\"><v>&a;</v></c></row>"), Err("FILE_BROKEN"));
    assert_eq!(through(&package(&[("xl/vbaProject.bin", "x")]), Limits::default()), Err("FILE_MACROS"));
    let macros = "<Types><Override ContentType=\"application/vnd.ms-excel.sheet.macroEnabled.main+xml\"/></Types>";
    assert_eq!(through(&package(&[("[Content_Types].xml", macros)]), Limits::default()), Err("FILE_MACROS"));
}

#[test]
fn sheets_that_lie_about_themselves_are_refused_or_read_as_far_as_they_make_sense() {
    for (rows, result) in [
        (r#"<row r="2"><c r="A3"><v>1</v></c></row>"#, Err("FILE_BROKEN")),
        (r#"<row r="1"><c r="A1"><v>1</v></c></row>"#, Err("FILE_BROKEN")),
        (r#"<row r="2"><c r="A2" t="s"><v>7</v></c></row>"#, Err("FILE_BROKEN")),
        (r#"<row r="2"><c r="ZZZ2"><v>1</v></c></row>"#, Err("TOO_MANY_COLUMNS")),
        (r#"<row r="4294967295"><c><v>1</v></c></row>"#, Err("TOO_MANY_ROWS")),
        (r#"<row r="1048576"><c><v>1</v></c></row>"#, Ok(1)),
        (r#"<row r="2"><c r="A2"><v>1e999999999</v></c></row>"#, Ok(1)),
        (r#"<row r="2"><c r="A2" s="99999999"><v>1</v></c></row>"#, Ok(1)),
        (r#"<row r="2"><c r="A2"><v>"#, Err("FILE_BROKEN")),
    ] {
        assert_eq!(of_sheet(rows), result, "{rows}");
    }
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    assert_eq!(of_sheet(&deep), Err("FILE_BROKEN"));
    let circle =
        r#"<Relationships><Relationship Id="s" Type="x/worksheet" Target="../../../xl/sheet.xml"/></Relationships>"#;
    let parts = [("xl/_rels/workbook.xml.rels", circle), ("xl/sheet.xml", &*sheet(HEADER))];
    assert_eq!(through(&package(&parts), Limits::default()), Ok(0));
}

#[test]
fn an_open_document_that_repeats_itself_without_end_is_refused() {
    let content = r#"<o:c xmlns:o="o"><table:table table:name="a"><table:table-row table:number-rows-repeated="4000000000"><table:table-cell table:number-columns-repeated="900" office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell></table:table-row></table:table></o:c>"#;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", content)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let limits = Limits { max_cells: 100_000, ..Limits::default() };
    let mut book = open(&bytes, "x.ods", limits).unwrap();
    assert_eq!(book.grid(0).unwrap_err().code, "TOO_MANY_CELLS");
    let code = book.head(0, 5).map(|grid| grid.rows.len());
    assert_eq!(code, Ok(5));
}

const FILES: &[&str] = &[
    "employees-dirty.gbk.csv",
    "employees-sheet-dirty.xlsx",
    "made/employees-sheet-dirty.xls",
    "made/employees-sheet-dirty.ods",
    "made/openpyxl-1904.xlsx",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = through(&bytes, Limits::default());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(工号,姓名,部门,入职日期\n)?([a-z0-9\"=+@,;\t\n\r<>&/ 工年-]|\\PC){0,300}") {
        let _ = through(text.as_bytes(), Limits::default());
        let page = format!("<table><tr><td>{text}");
        let _ = through(page.as_bytes(), Limits::default());
    }

    #[test]
    fn damaged_files_are_read_or_refused(
        file in proptest::sample::select(FILES),
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let mut bytes = known(file);
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { max_unpacked: 8 << 20, max_rows: 10_000, max_cells: 200_000, ..Limits::default() };
        let _ = through(&bytes, limits);
    }

    #[test]
    fn damaged_sheets_are_read_or_refused(
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..12),
    ) {
        let rows = r#"<row r="2" spans="1:4"><c r="A2" s="1" t="s"><v>0</v></c><c r="B2"><f>A1*2</f><v>8.5E+3</v></c></row>"#;
        let mut text: Vec<char> = sheet(&format!("{HEADER}{rows}")).chars().collect();
        for (at, c) in hits {
            let at = at.index(text.len());
            text[at] = c;
        }
        let text: String = text.into_iter().collect();
        let _ = through(&package(&[("xl/sheet.xml", &text), ("xl/strings.xml", "<sst><si><t>a</t></si></sst>")]), Limits::default());
    }
}
