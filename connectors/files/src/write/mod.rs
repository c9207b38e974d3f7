//! Rows written as a file, one after the other: memory does not grow with their number.

mod csv;
mod parquet;
mod thrift;
pub(crate) mod xlsx;

use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use std::io::{self, Write};

/// The kinds of file that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFormat {
    /// Comma-separated text in UTF-8.
    Csv,
    /// An Office Open XML workbook of one sheet.
    Xlsx,
    /// Parquet, not compressed.
    Parquet,
}

impl WriteFormat {
    /// By its name: `csv`, `xlsx`, `parquet`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// What HTTP calls it.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Exact decimals with so many digits behind the point (28 at most); in Parquet `DECIMAL(38, n)`. Where their digits
    /// differ from row to row, [`Self::Text`] is the kind to use.
    Decimal(u8),
    /// Whole numbers.
    Integer,
    /// True or false.
    Bool,
    /// Days.
    Date,
    /// Instants, kept to the microsecond.
    DateTime,
}

/// A column of a file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteColumn {
    /// Its heading.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A cell of a row that is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum<'a> {
    /// Nothing.
    Nothing,
    /// Text.
    Text(&'a str),
    /// A decimal.
    Decimal(Decimal),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Bool(bool),
    /// A day.
    Date(Date),
    /// An instant.
    DateTime(Timestamp),
}

impl Datum<'_> {
    /// As text files show it; nothing is empty text.
    fn shown(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => (*text).to_owned(),
            Self::Decimal(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Bool(value) => (if *value { "true" } else { "false" }).to_owned(),
            Self::Date(day) => day.to_string(),
            Self::DateTime(at) => format!("{at:.3}"),
        }
    }
}

/// How a file is written.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Whether a CSV file begins with a byte order mark, by which sheets on Windows know that it is UTF-8.
    pub mark: bool,
    /// The name of the sheet of a workbook.
    pub sheet: String,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { mark: true, sheet: "Sheet1".to_owned() }
    }
}

enum Inner<W: Write> {
    Csv(csv::CsvWriter<W>),
    Xlsx(Box<xlsx::XlsxWriter<W>>),
    Parquet(Box<parquet::ParquetWriter<W>>),
}

/// Writes a file row by row.
pub struct TableWriter<W: Write> {
    inner: Inner<W>,
    width: usize,
}

impl<W: Write> std::fmt::Debug for TableWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a writer of {} columns", self.width)
    }
}

impl<W: Write> TableWriter<W> {
    /// Begins a file and writes its headings.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn new(out: W, format: WriteFormat, columns: Vec<WriteColumn>, options: &WriteOptions) -> io::Result<Self> {
        let width = columns.len();
        let inner = match format {
            WriteFormat::Csv => Inner::Csv(csv::CsvWriter::new(out, &columns, options.mark)?),
            WriteFormat::Xlsx => Inner::Xlsx(Box::new(xlsx::XlsxWriter::table(out, &options.sheet, &columns)?)),
            WriteFormat::Parquet => Inner::Parquet(Box::new(parquet::ParquetWriter::new(out, columns)?)),
        };
        Ok(Self { inner, width })
    }

    /// Writes a row of as many cells as there are columns, each of its column's kind or nothing.
    ///
    /// # Errors
    /// `out` cannot be written to, a cell is missing, over or of another kind, or a decimal has more digits behind the
    /// point than its column; nothing of that row is written. A workbook holds 1,048,575 rows.
    pub fn row(&mut self, cells: &[Datum<'_>]) -> io::Result<()> {
        if cells.len() != self.width {
            return Err(invalid("a row has another number of cells than there are columns"));
        }
        match &mut self.inner {
            Inner::Csv(writer) => writer.row(cells),
            Inner::Xlsx(writer) => writer.data_row(cells),
            Inner::Parquet(writer) => writer.row(cells),
        }
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn finish(self) -> io::Result<W> {
        match self.inner {
            Inner::Csv(writer) => writer.finish(),
            Inner::Xlsx(writer) => writer.finish(),
            Inner::Parquet(writer) => writer.finish(),
        }
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Text that a sheet must not take for a formula: such text gets an apostrophe in front of it.
pub(crate) fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    let counts = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | ',' | '(' | ')');
    let risky = match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r', ..] => true,
        // Telephone numbers and amounts begin like this, too.
        [b'+' | b'-', ..] => !text.get(1..).is_some_and(|rest| !rest.is_empty() && rest.chars().all(counts)),
        _ => false,
    };
    if risky { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests;
