use super::*;
use crate::json;
use proptest::prelude::*;

fn table(bytes: &[u8], options: Options) -> Result<String, String> {
    let arena = Arena::new();
    read(&arena, bytes, options, Limits::default()).map(|v| json::to_string(&v)).map_err(|e| e.to_string())
}

/// What the stream of the same bytes gives, as one list.
fn streamed(bytes: &[u8], options: Options) -> Result<String, String> {
    let mut rows = rows(bytes, options, Limits::default()).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    while let Some(row) = rows.next_row().map_err(|e| e.to_string())? {
        out.push(json::to_string(&row.value));
    }
    Ok(format!("[{}]", out.join(",")))
}

fn with(delimiter: Delimiter) -> Options {
    Options { delimiter, encoding: None }
}

#[test]
fn cells_are_texts_exactly_and_headers_are_trimmed() {
    let text = "\u{FEFF} name ,id,note\r\n李娜,007,\" a \"\"b\"\"\r\nc\"\r\n\r\n王芳,1.10,5\" tall\r\n";
    let wanted = r#"[{"name":"李娜","id":"007","note":" a \"b\"\r\nc"},{"name":"王芳","id":"1.10","note":"5\" tall"}]"#;
    assert_eq!(table(text.as_bytes(), Options::default()).unwrap(), wanted);
    assert_eq!(table(b"a\n", Options::default()).unwrap(), "[]");
    assert_eq!(table(b"a,b\r1,\r2,\"\"", Options::default()).unwrap(), r#"[{"a":"1","b":""},{"a":"2","b":""}]"#);
}

#[test]
fn the_delimiter_is_looked_for_only_when_told() {
    let wanted = r#"[{"a":"1","b,c":"2;3"}]"#;
    assert_eq!(table(b"a;\"b,c\"\n1;\"2;3\"\n", with(Delimiter::Detect)).unwrap(), wanted);
    assert_eq!(table(b"a\tb\n1\t2\n", with(Delimiter::Detect)).unwrap(), r#"[{"a":"1","b":"2"}]"#);
    assert_eq!(table(b"a\n1\n", with(Delimiter::Detect)).unwrap(), r#"[{"a":"1"}]"#);
    assert_eq!(table(b"a;b\n1;2\n", with(Delimiter::Semicolon)).unwrap(), r#"[{"a":"1","b":"2"}]"#);
    assert_eq!(table(b"a;b\n1;2\n", with(Delimiter::Comma)).unwrap(), r#"[{"a;b":"1;2"}]"#);
    // A quote behind a character that does not separate is text.
    assert_eq!(table(b"a,b\n1;\"x,2\n", Options::default()).unwrap(), r#"[{"a":"1;\"x","b":"2"}]"#);
}

#[test]
fn chinese_spreadsheets_are_read_when_told() {
    let bytes = b"\xD0\xD5\xC3\xFB,\xB2\xBF\xC3\xC5\n\xC0\xEE\xC4\xC8,\xBC\xBC\xCA\xF5\n";
    let told = Options { encoding: Encoding::of_label("gb18030"), ..Options::default() };
    assert_eq!(table(bytes, told).unwrap(), r#"[{"姓名":"李娜","部门":"技术"}]"#);
    let error = table(bytes, Options::default()).unwrap_err();
    assert!(error.contains("not UTF-8; if the file is from a Chinese spreadsheet, say `encoding: gb18030`"), "{error}");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_its_place() {
    for (text, wanted) in [
        ("", "expected a row of headers at line 1, column 1"),
        ("a,,c\n", "the header of column 2 is empty at line 1, column 3"),
        ("a,b, a\n", "the header of column 3 stands twice at line 1, column 5"),
        ("a,b\n1,2\n\n3\n", "this row has 1 cell, but there are 2 headers at line 4, column 1"),
        ("a,b\n1,2,3\n", "this row has 3 cells, but there are 2 headers at line 2, column 1"),
        ("a,b\n李,\"x\ny", "a cell without its closing quote at line 2, column 3"),
        ("a,b\n\"李\"x,y\n", "something follows the closing quote of a cell at line 2, column 4"),
    ] {
        assert_eq!(table(text.as_bytes(), Options::default()).unwrap_err(), wanted, "{text:?}");
        assert_eq!(streamed(text.as_bytes(), Options::default()).unwrap_err(), wanted, "{text:?}");
    }
}

#[test]
fn limits_hold_for_the_whole_and_for_each_row_of_a_stream() {
    let arena = Arena::new();
    let limits = Limits { max_bytes: 10, max_depth: 1, max_nodes: 6 };
    assert!(read(&arena, b"a,b\n1,2\n33", Options::default(), limits).is_err());
    let error = read(&arena, b"a,b\n1,2\n3,4", Options::default(), limits).unwrap_err();
    assert!(error.message.contains("longer than 10"));
    let many = Limits { max_bytes: 100, ..limits };
    assert!(read(&arena, b"a,b\n1,2\n3,4", Options::default(), many).is_ok());
    assert!(read(&arena, b"a,b\n1,2\n3,4\n5,6", Options::default(), many).unwrap_err().message.contains("more than 6"));
    let mut rows = rows(&b"a,b\n1,2\n3,4\n5,\"6666666666\"\n"[..], Options::default(), limits).unwrap();
    assert_eq!(rows.next_row().unwrap().unwrap().line, 2);
    assert_eq!(rows.next_row().unwrap().unwrap().number, 2);
    assert!(rows.next_row().unwrap_err().message.contains("one record is longer than 10 bytes"));
    assert!(rows.next_row().unwrap().is_none());
}

/// A sheet of any size that is made while it is read.
struct Sheet {
    row: u64,
    rows: u64,
    left: Vec<u8>,
}

impl Read for Sheet {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.left.is_empty() && self.row < self.rows {
            self.left = match self.row {
                0 => b"id,name\n".to_vec(),
                row => format!("{row},\"row {row}\nof many\"\n").into_bytes(),
            };
            self.row += 1;
        }
        let read = out.len().min(self.left.len());
        out[..read].copy_from_slice(&self.left[..read]);
        self.left.drain(..read);
        Ok(read)
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_rows() {
    let sheet = Sheet { row: 0, rows: 20_001, left: Vec::new() };
    let mut rows = rows(sheet, Options::default(), Limits::default()).unwrap();
    let (mut count, mut largest) = (0, 0);
    while let Some(row) = rows.next_row().unwrap() {
        count += 1;
        assert_eq!((row.number, row.line), (count, usize::try_from(count).unwrap() * 2));
        largest = largest.max(rows.arena.allocated_bytes());
    }
    assert_eq!(count, 20_000);
    assert!(largest < 4096, "{largest}");
}

proptest! {
    #[test]
    fn any_bytes_end_and_a_stream_says_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // The whole is decoded first, so another error may come first.
        prop_assert_eq!(table(&bytes, Options::default()).ok(), streamed(&bytes, Options::default()).ok());
    }

    #[test]
    fn any_sheet_ends_and_a_stream_says_the_same(text in "[ab,;\t\"\r\n李 ]{0,40}") {
        for delimiter in [Delimiter::Comma, Delimiter::Detect] {
            prop_assert_eq!(table(text.as_bytes(), with(delimiter)), streamed(text.as_bytes(), with(delimiter)));
        }
    }

    /// The `csv` crate is the oracle: what it writes is read back, and what both accept means the same.
    #[test]
    fn agrees_with_a_known_reader(text in "[ab,\"\n ]{0,30}") {
        let mut oracle = ::csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
        let theirs: Result<Vec<::csv::StringRecord>, _> = oracle.records().collect();
        let arena = Arena::new();
        if let (Ok(ours), Ok(theirs)) = (read(&arena, text.as_bytes(), Options::default(), Limits::default()), theirs) {
            let ours: Vec<Vec<&str>> =
                ours.items().iter().map(|row| row.entries().iter().filter_map(|(_, cell)| cell.as_text()).collect()).collect();
            let theirs: Vec<Vec<&str>> = theirs.iter().map(|row| row.iter().collect()).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn what_a_known_writer_writes_is_read_back(cells in proptest::collection::vec((".*", "[\"',\r\n ]*"), 0..8)) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b"]).unwrap();
        for (a, b) in &cells {
            writer.write_record([a, b]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let arena = Arena::new();
        let tree = read(&arena, &bytes, Options::default(), Limits::default()).unwrap();
        prop_assert_eq!(tree.items().len(), cells.len());
        for (row, (a, b)) in tree.items().iter().zip(&cells) {
            prop_assert_eq!(row.get("a"), Value::Text(a));
            prop_assert_eq!(row.get("b"), Value::Text(b));
        }
    }
}
