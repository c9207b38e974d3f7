//! Separated text: its encoding, its separator, and its records as rows.
//!
//! More forgiving than the reader of vendors' tables, because people edit these files: rows may be shorter or longer
//! than the header, titles may stand above it. Nothing is ever replaced by a question mark.

use crate::grid::{Cell, CellKind, Grid, GridBuilder, Limits};
use crate::problem::FileProblem;
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Text with how it was found to be written.
pub(crate) struct Decoded<'b> {
    pub(crate) text: Cow<'b, str>,
    pub(crate) encoding: &'static str,
}

/// Decodes a text file: by its mark, else as UTF-8 if every byte fits, else as GB18030.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, FileProblem> {
    let (encoding, rest) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, bytes.get(mark..).unwrap_or_default()),
        None => (without_mark(bytes), bytes),
    };
    match encoding.decode_without_bom_handling_and_without_replacement(rest) {
        Some(text) if !text.contains('\0') => Ok(Decoded { text, encoding: encoding.name() }),
        Some(_) => Err(not_text()),
        None => Err(FileProblem::new(
            "FILE_ENCODING",
            format!("the file is neither UTF-8 nor {}; save it as \"CSV UTF-8\"", encoding.name()),
            format!("文件编码既不是 UTF-8 也不是 {}；请另存为“CSV UTF-8”", encoding.name()),
        )),
    }
}

fn without_mark(bytes: &[u8]) -> &'static Encoding {
    if bytes.contains(&0) {
        // Text of two bytes a character without a mark: the separators and line breaks tell which byte comes first.
        let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
        let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
        return if zeros(1) >= zeros(0) { UTF_16LE } else { UTF_16BE };
    }
    if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { GB18030 }
}

fn not_text() -> FileProblem {
    FileProblem::new(
        "FILE_KIND",
        "the file is no spreadsheet and no text; XLSX, XLS, ODS, CSV and TSV files are read",
        "文件既不是电子表格也不是文本；支持 XLSX、XLS、ODS、CSV、TSV",
    )
}

/// The records of a text: each with its cells.
pub(crate) struct Records<'t> {
    rest: &'t str,
    separator: u8,
}

/// A quoted cell that is never closed.
pub(crate) struct Unclosed;

impl<'t> Records<'t> {
    pub(crate) fn new(text: &'t str, separator: u8) -> Self {
        Self { rest: text, separator }
    }

    /// The next record; `None` at the end.
    fn next_record(&mut self) -> Option<Result<Vec<Cow<'t, str>>, Unclosed>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            let (cell, end) = match self.cell() {
                Ok(found) => found,
                Err(unclosed) => return Some(Err(unclosed)),
            };
            cells.push(cell);
            self.rest = self.rest.get(end..).unwrap_or_default();
            match self.rest.as_bytes() {
                [] => return Some(Ok(cells)),
                [b'\r', b'\n', ..] => {
                    self.rest = self.rest.get(2..).unwrap_or_default();
                    return Some(Ok(cells));
                }
                [b'\r' | b'\n', ..] => {
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    return Some(Ok(cells));
                }
                // The separator.
                _ => self.rest = self.rest.get(1..).unwrap_or_default(),
            }
        }
    }

    /// The cell that the rest begins with, and where it ends.
    fn cell(&self) -> Result<(Cow<'t, str>, usize), Unclosed> {
        let bytes = self.rest.as_bytes();
        let ends = |byte: &u8| *byte == self.separator || matches!(byte, b'\r' | b'\n');
        let end_from = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            rest.iter().position(ends).map_or(bytes.len(), |length| from + length)
        };
        if bytes.first() != Some(&b'"') {
            let end = end_from(0);
            return Ok((Cow::Borrowed(self.rest.get(..end).unwrap_or_default()), end));
        }
        let mut at = 1;
        let mut doubled = false;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let quote = at + rest.iter().position(|byte| *byte == b'"').ok_or(Unclosed)?;
            if bytes.get(quote + 1) == Some(&b'"') {
                doubled = true;
                at = quote + 2;
                continue;
            }
            let inner = self.rest.get(1..quote).unwrap_or_default();
            let end = end_from(quote + 1);
            let behind = self.rest.get(quote + 1..end).unwrap_or_default();
            let inner = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
            return Ok((if behind.is_empty() { inner } else { Cow::Owned(format!("{inner}{behind}")) }, end));
        }
    }
}

/// The separator of a text: what a first line `sep=;` says, else the one of comma, semicolon and tab by which its first
/// records have most cells.
pub(crate) fn separator(text: &str) -> u8 {
    if let Some(said) = text.strip_prefix("sep=").and_then(|rest| rest.bytes().next())
        && matches!(said, b',' | b';' | b'\t' | b'|')
    {
        return said;
    }
    let widest = |separator: u8| {
        let mut records = Records::new(text, separator);
        let rows = std::iter::from_fn(|| records.next_record());
        rows.take(40).map_while(Result::ok).map(|cells| cells.len()).max().unwrap_or(0)
    };
    let mut best = (b',', widest(b','));
    for separator in [b';', b'\t'] {
        let width = widest(separator);
        if width > best.1 {
            best = (separator, width);
        }
    }
    best.0
}

/// The records as a sheet.
pub(crate) fn grid(text: &str, separator: u8, limits: Limits, wanted: Option<usize>) -> Result<Grid, FileProblem> {
    let mut builder = GridBuilder::new("", limits, wanted);
    let mut records = Records::new(text, separator);
    let mut number = 0_u32;
    while let Some(record) = records.next_record() {
        number = number.saturating_add(1);
        let cells = record.map_err(|_| {
            FileProblem::broken(
                format!("a quoted cell of record {number} is never closed"),
                format!("第 {number} 条记录的引号没有闭合"),
            )
        })?;
        if number == 1 && cells.first().is_some_and(|cell| cell.starts_with("sep=")) {
            continue;
        }
        let cells = cells.iter().map(|cell| Cell::new(CellKind::Text, cell)).collect();
        builder.push(number, cells)?;
        if builder.is_enough() {
            break;
        }
    }
    Ok(builder.finish(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, Vec<String>)> {
        let grid = grid(text, separator(text), Limits::default(), None).unwrap();
        let cells = |row: &crate::grid::Row| row.cells.iter().map(|cell| cell.text().to_owned()).collect();
        grid.rows.iter().map(|row| (row.number, cells(row))).collect()
    }

    fn row(number: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn records_are_counted_and_not_lines() {
        assert_eq!(
            rows("a,b\r\n\"1\r\n2\",\"say \"\"hi\"\", x\"\r\n,\r\nc,d,,\r\n"),
            [row(1, &["a", "b"]), row(2, &["1\r\n2", "say \"hi\", x"]), row(4, &["c", "d"])]
        );
        assert_eq!(rows("a;b;c\rd;1,5;e\r"), [row(1, &["a", "b", "c"]), row(2, &["d", "1,5", "e"])]);
        assert_eq!(rows("a\tb\n5\" pipe\t\"x\"y"), [row(1, &["a", "b"]), row(2, &["5\" pipe", "xy"])]);
        assert_eq!(rows("sep=;\na;b"), [row(2, &["a", "b"])]);
        let open = grid("a\n\"b", b',', Limits::default(), None).unwrap_err();
        assert!(open.to_string().contains("record 2"), "{open}");
    }

    #[test]
    fn encodings_are_found_and_never_guessed() {
        let text = |bytes: &[u8]| decode(bytes).map(|decoded| (decoded.text.into_owned(), decoded.encoding));
        assert_eq!(text("\u{FEFF}工号".as_bytes()).unwrap(), ("工号".to_owned(), "UTF-8"));
        assert_eq!(text("工号".as_bytes()).unwrap(), ("工号".to_owned(), "UTF-8"));
        assert_eq!(text(b"\xB9\xA4\xBA\xC5").unwrap(), ("工号".to_owned(), "gb18030"));
        assert_eq!(text(b"\xFF\xFE\xE5\x5D\xF7\x53").unwrap(), ("工号".to_owned(), "UTF-16LE"));
        assert_eq!(text(b"a\0,\0b\0\n\0").unwrap(), ("a,b\n".to_owned(), "UTF-16LE"));
        assert_eq!(text(b"\xB9\xA4\xBA\xC5\xFF").unwrap_err().code, "FILE_ENCODING");
        assert_eq!(text(b"\x7fELF\0\0\0\0\x01\x02").unwrap_err().code, "FILE_KIND");
    }
}
