use super::*;
use crate::grid::Limits;
use hub_tree::jiff::civil::date;
use hub_tree::value::parse_decimal;

fn columns() -> Vec<WriteColumn> {
    let column = |name: &str, kind| WriteColumn { name: name.to_owned(), kind };
    vec![
        column("姓名", ColumnKind::Text),
        column("工资", ColumnKind::Decimal(2)),
        column("入职", ColumnKind::Date),
        column("主任", ColumnKind::Bool),
        column("人数", ColumnKind::Integer),
        column("变更", ColumnKind::DateTime),
    ]
}

fn rows<'a>() -> Vec<Vec<Datum<'a>>> {
    let at: Timestamp = "2026-03-01T09:30:00.123Z".parse().unwrap();
    let amount = parse_decimal("12345678901234567890.12").unwrap();
    vec![
        vec![
            Datum::Text("李\"娜\", \n<&>_x0041_"),
            Datum::Decimal(amount),
            Datum::Date(date(2020, 3, 15)),
            Datum::Bool(true),
            Datum::Integer(-7),
            Datum::DateTime(at),
        ],
        vec![
            Datum::Text("=1+1"),
            Datum::Nothing,
            Datum::Date(date(1899, 12, 31)),
            Datum::Nothing,
            Datum::Nothing,
            Datum::Nothing,
        ],
        vec![
            Datum::Text("\u{7}+8619900000001"),
            Datum::Decimal(Decimal::ONE),
            Datum::Nothing,
            Datum::Bool(false),
            Datum::Nothing,
            Datum::Nothing,
        ],
    ]
}

fn written(format: WriteFormat) -> Vec<u8> {
    let mut writer = TableWriter::new(Vec::new(), format, columns(), &WriteOptions::default()).unwrap();
    for row in rows() {
        writer.row(&row).unwrap();
    }
    writer.finish().unwrap()
}

fn read_back(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut book = crate::open(bytes, "x", Limits::default()).unwrap();
    let grid = book.grid(0).unwrap();
    grid.rows.iter().map(|row| row.cells.iter().map(|cell| cell.text().to_owned()).collect()).collect()
}

#[test]
fn what_is_written_as_a_workbook_or_text_is_read_back() {
    for format in [WriteFormat::Csv, WriteFormat::Xlsx] {
        let back = read_back(&written(format));
        assert_eq!(back[0], ["姓名", "工资", "入职", "主任", "人数", "变更"]);
        assert_eq!(back[1][0], "李\"娜\", \n<&>_x0041_", "{format:?}");
        assert_eq!((&*back[1][2], &*back[1][4], &*back[1][5]), ("2020-03-15", "-7", "2026-03-01T09:30:00.123Z"));
        assert_eq!((&*back[2][0], &*back[2][2]), ("'=1+1", "1899-12-31"), "{format:?}");
        assert_eq!(back[3][0], "\u{7}+8619900000001", "{format:?}");
    }
    let text = String::from_utf8(written(WriteFormat::Csv)).unwrap();
    assert!(text.starts_with("\u{FEFF}姓名,工资"), "{text}");
    assert!(text.contains(",12345678901234567890.12,2020-03-15,true,-7,"), "{text}");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    for format in [WriteFormat::Csv, WriteFormat::Xlsx, WriteFormat::Parquet] {
        assert_eq!(written(format), written(format));
    }
}

#[test]
fn cells_of_another_kind_are_refused_and_nothing_of_their_row_is_written() {
    let mut writer = TableWriter::new(Vec::new(), WriteFormat::Parquet, columns(), &WriteOptions::default()).unwrap();
    let mut row = rows().remove(0);
    row[1] = Datum::Decimal(parse_decimal("0.125").unwrap());
    assert!(writer.row(&row).is_err());
    row[1] = Datum::Text("1");
    assert!(writer.row(&row).is_err());
    assert!(writer.row(&row[..2]).is_err());
    let none = writer.finish().unwrap();
    let empty = TableWriter::new(Vec::new(), WriteFormat::Parquet, columns(), &WriteOptions::default()).unwrap();
    assert_eq!(none, empty.finish().unwrap());
}

/// `BLESS=1` writes the file anew; another implementation has to read it then, before it is committed.
#[test]
fn parquet_files_have_the_bytes_that_another_implementation_has_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/files/made/written.parquet");
    let bytes = written(WriteFormat::Parquet);
    if hub_tree::env::read("BLESS").is_some() {
        std::fs::write(path, &bytes).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == bytes, "the bytes differ");
}

#[test]
fn only_what_a_sheet_would_compute_gets_an_apostrophe() {
    for (text, safe) in [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+86 199-0000-0001", "+86 199-0000-0001"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-12.50", "-12.50"),
        ("-", "'-"),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
        ("", ""),
    ] {
        assert_eq!(harmless(text), safe, "{text}");
    }
}
