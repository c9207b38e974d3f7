//! Comma-separated text (RFC 4180) in UTF-8.

use super::{Datum, WriteColumn, harmless};
use std::io::{self, BufWriter, Write};

pub(super) struct CsvWriter<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(out: W, columns: &[WriteColumn], mark: bool) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        if mark {
            out.write_all("\u{FEFF}".as_bytes())?;
        }
        let mut this = Self { out };
        this.record(columns.iter().map(|column| column.name.clone()))?;
        Ok(this)
    }

    pub(super) fn row(&mut self, cells: &[Datum<'_>]) -> io::Result<()> {
        self.record(cells.iter().map(|cell| match cell {
            Datum::Text(text) => harmless(text).into_owned(),
            other => other.shown(),
        }))
    }

    fn record(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let mut line = String::new();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                line.push(',');
            }
            let quoted = cell.contains([',', '"', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ');
            if quoted {
                line.push('"');
                line.push_str(&cell.replace('"', "\"\""));
                line.push('"');
            } else {
                line.push_str(&cell);
            }
        }
        // A lone empty cell would be an empty line, which many readers pass over.
        line.push_str(if line.is_empty() { "\"\"\r\n" } else { "\r\n" });
        self.out.write_all(line.as_bytes())
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}
