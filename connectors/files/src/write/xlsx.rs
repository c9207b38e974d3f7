//! Workbooks of one sheet, row by row. Texts are texts and numbers keep all their digits; nothing is a formula.

use super::{ColumnKind, Datum, WriteColumn, harmless, invalid};
use hub_tree::jiff::civil::{Date, date};
use std::fmt::Write as _;
use std::io::{self, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Most rows of a sheet.
const MAX_ROWS: u32 = 1_048_576;

/// Most characters of a cell; what is longer is cut.
const MAX_TEXT: usize = 32_767;

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Heading,
    Text,
    Day,
    /// A cell of a row that was refused.
    BadRow,
    /// The cell that a row was refused for.
    BadCell,
    /// A cell that should be looked at.
    Doubtful,
    /// A row that was passed over.
    Faint,
}

impl Look {
    /// Its place in the cell formats of [`STYLES`].
    const fn style(self) -> u32 {
        match self {
            Self::Plain => 0,
            Self::Heading => 1,
            Self::Text => 2,
            Self::Day => 3,
            Self::BadRow => 4,
            Self::BadCell => 5,
            Self::Doubtful => 6,
            Self::Faint => 7,
        }
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;

const ROOT_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

const BOOK_RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><fonts count="3"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font><font><sz val="11"/><color rgb="FF808080"/><name val="Calibri"/></font></fonts><fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE7E6E6"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFFDEAEA"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFF4A6A6"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFFFF2CC"/></patternFill></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="8"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="0" fillId="3" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/><xf numFmtId="49" fontId="0" fillId="4" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/><xf numFmtId="49" fontId="0" fillId="5" borderId="0" xfId="0" applyNumberFormat="1" applyFill="1"/><xf numFmtId="49" fontId="2" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;

/// Writes the parts of a workbook, its sheet last.
pub(crate) struct XlsxWriter<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    /// XML that waits to be written.
    xml: String,
    row: u32,
    kinds: Vec<ColumnKind>,
}

impl<W: Write> XlsxWriter<W> {
    /// Begins a sheet whose first `frozen` rows stay in sight.
    pub(crate) fn new(out: W, sheet: &str, widths: &[u32], frozen: u32, from_1904: bool) -> io::Result<Self> {
        let mut zip = ZipWriter::new_stream(out);
        let mut book = String::from(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">"#,
        );
        book.push_str(if from_1904 { r#"<workbookPr date1904="1"/>"# } else { "" });
        book.push_str(r#"<sheets><sheet name=""#);
        escape(&sheet_name(sheet), &mut book);
        book.push_str(r#"" sheetId="1" r:id="rId1"/></sheets></workbook>"#);
        let parts = [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT_RELATIONS),
            ("xl/workbook.xml", &book),
            ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS),
            ("xl/styles.xml", STYLES),
        ];
        for (name, text) in parts {
            zip.start_file(name, options()).map_err(io::Error::other)?;
            zip.write_all(HEAD.as_bytes())?;
            zip.write_all(text.as_bytes())?;
        }
        zip.start_file("xl/worksheets/sheet1.xml", options()).map_err(io::Error::other)?;
        let mut xml = format!(
            r#"{HEAD}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">"#
        );
        if frozen > 0 {
            let _ = write!(
                xml,
                r#"<pane ySplit="{frozen}" topLeftCell="A{}" activePane="bottomLeft" state="frozen"/>"#,
                frozen + 1
            );
        }
        xml.push_str("</sheetView></sheetViews>");
        if !widths.is_empty() {
            xml.push_str("<cols>");
            for (at, width) in widths.iter().enumerate() {
                let column = at + 1;
                let _ = write!(xml, r#"<col min="{column}" max="{column}" width="{width}" customWidth="1"/>"#);
            }
            xml.push_str("</cols>");
        }
        xml.push_str("<sheetData>");
        Ok(Self { zip, xml, row: 0, kinds: Vec::new() })
    }

    /// Begins a sheet of columns with their headings.
    pub(super) fn table(out: W, sheet: &str, columns: &[WriteColumn]) -> io::Result<Self> {
        let width = |column: &WriteColumn| match column.kind {
            ColumnKind::Text => 22,
            ColumnKind::DateTime => 25,
            _ => 14,
        };
        let widths: Vec<u32> = columns.iter().map(width).collect();
        let mut this = Self::new(out, sheet, &widths, 1, false)?;
        this.kinds = columns.iter().map(|column| column.kind).collect();
        let headings: Vec<_> = columns.iter().map(|column| (Datum::Text(&column.name), Look::Heading)).collect();
        this.cells(1, &headings)?;
        Ok(this)
    }

    /// Writes a row below a table's headings.
    pub(super) fn data_row(&mut self, cells: &[Datum<'_>]) -> io::Result<()> {
        let look = |cell: &Datum<'_>| match cell {
            Datum::Text(_) | Datum::DateTime(_) => Look::Text,
            Datum::Date(_) => Look::Day,
            _ => Look::Plain,
        };
        let cells: Vec<_> = cells.iter().map(|cell| (*cell, look(cell))).collect();
        self.cells(self.row + 1, &cells)
    }

    /// Writes the row of a number, which rises.
    pub(crate) fn cells(&mut self, number: u32, cells: &[(Datum<'_>, Look)]) -> io::Result<()> {
        if number > MAX_ROWS || number <= self.row {
            return Err(invalid("a sheet has 1,048,576 rows at most, in rising order"));
        }
        self.row = number;
        let _ = write!(self.xml, r#"<row r="{number}">"#);
        for (column, (cell, look)) in cells.iter().enumerate() {
            let style = look.style();
            if *cell == Datum::Nothing && *look == Look::Plain {
                continue;
            }
            let name = crate::grid::cell_name(number, column);
            let _ = write!(self.xml, r#"<c r="{name}" s="{style}""#);
            match cell {
                Datum::Nothing => self.xml.push_str("/>"),
                Datum::Text(text) => self.text(&harmless(text)),
                Datum::Decimal(value) => {
                    let _ = write!(self.xml, "><v>{value}</v></c>");
                }
                Datum::Integer(value) => {
                    let _ = write!(self.xml, "><v>{value}</v></c>");
                }
                Datum::Bool(value) => {
                    let _ = write!(self.xml, r#" t="b"><v>{}</v></c>"#, u8::from(*value));
                }
                Datum::Date(day) => match serial(*day) {
                    Some(days) => {
                        let _ = write!(self.xml, "><v>{days}</v></c>");
                    }
                    None => self.text(&day.to_string()),
                },
                Datum::DateTime(_) => self.text(&cell.shown()),
            }
        }
        self.xml.push_str("</row>");
        if self.xml.len() > 64 << 10 {
            self.zip.write_all(self.xml.as_bytes())?;
            self.xml.clear();
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.xml.push_str(r#" t="inlineStr"><is><t xml:space="preserve">"#);
        let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
        escape(text.get(..end).unwrap_or(text), &mut self.xml);
        self.xml.push_str("</t></is></c>");
    }

    /// Ends the workbook and gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.xml.push_str("</sheetData></worksheet>");
        self.zip.write_all(self.xml.as_bytes())?;
        let stream = self.zip.finish().map_err(io::Error::other)?;
        Ok(stream.into_inner())
    }
}

fn options() -> SimpleFileOptions {
    // The same rows give the same bytes: no clock is asked. A sheet may be larger than 4 GiB.
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(3))
        .last_modified_time(DateTime::default())
        .large_file(false)
}

/// The serial number of a day in the 1900 system; `None` before 1 March 1900, where sheets count a day that never was.
fn serial(day: Date) -> Option<i32> {
    let days = day.since(date(1899, 12, 30)).ok()?.get_days();
    (days > 60).then_some(days)
}

/// A name that sheets may have: at most 31 characters, without the signs of references.
fn sheet_name(name: &str) -> String {
    let allowed = |c: &char| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\') && !c.is_control();
    let name: String = name.chars().filter(allowed).take(31).collect();
    let name = name.trim_matches('\'').trim();
    if name.is_empty() { "Sheet1".to_owned() } else { name.to_owned() }
}

/// Escapes text for XML; characters that XML cannot hold are written as `_x0007_`.
fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                let _ = write!(out, "_x{:04X}_", u32::from(c));
            }
            // What would be read as such an escape.
            '_' if looks_escaped(rest) => out.push_str("_x005F_"),
            c => out.push(c),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
}

fn looks_escaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_hexdigit()))
}
