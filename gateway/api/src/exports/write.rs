//! Tables in the forms that programs and people read.

use super::columns::Column;
use std::io::{self, Write};

/// The form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Text separated by commas, UTF-8 with a mark.
    Csv,
}

impl Format {
    /// The form that a word means.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The end of a file's name.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
        }
    }

    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A table that is being written.
pub(super) trait Table {
    /// Writes a row.
    fn row(&mut self, cells: &[Option<String>]) -> io::Result<()>;
    /// Writes the end.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Begins a table.
pub(super) fn table(
    format: Format,
    _name: &str,
    columns: &[Column],
    mut out: impl Write + Send + 'static,
) -> io::Result<Box<dyn Table>> {
    match format {
        Format::Csv => {
            out.write_all("\u{feff}".as_bytes())?;
            let mut table = Csv(out);
            let names: Vec<Option<String>> = columns.iter().map(|column| Some(column.name.clone())).collect();
            table.row(&names)?;
            Ok(Box::new(table))
        }
    }
}

struct Csv<W>(W);

impl<W: Write> Table for Csv<W> {
    fn row(&mut self, cells: &[Option<String>]) -> io::Result<()> {
        for (n, cell) in cells.iter().enumerate() {
            if n > 0 {
                self.0.write_all(b",")?;
            }
            let text = cell.as_deref().unwrap_or_default();
            if text.contains([',', '"', '\r', '\n']) {
                write!(self.0, "\"{}\"", text.replace('"', "\"\""))?;
            } else {
                self.0.write_all(text.as_bytes())?;
            }
        }
        self.0.write_all(b"\r\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}
