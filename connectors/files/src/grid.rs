//! Sheets as rows of cells, each as the person at the screen sees it.

use crate::problem::FileProblem;
use std::fmt;
use std::sync::Arc;

/// How much of a file is read. A file beyond a limit is refused as a whole, never cut.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the file as it was uploaded.
    pub max_bytes: usize,
    /// Bytes that a packed file may unpack to, as far as it is read.
    pub max_unpacked: u64,
    /// Rows of a sheet that hold something, header and titles included.
    pub max_rows: usize,
    /// Columns of a sheet.
    pub max_columns: usize,
    /// Cells of a sheet, empty ones before the last of a row included.
    pub max_cells: usize,
    /// Bytes of all texts of a sheet; one that stands in many cells counts in each.
    pub max_text: usize,
}

/// The last row that sheets have.
const LAST_ROW: u32 = 1_048_576;

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 50 << 20,
            max_unpacked: 100 << 20,
            max_rows: 100_000,
            max_columns: 1_000,
            max_cells: 6_000_000,
            max_text: 256 << 20,
        }
    }
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CellKind {
    /// Nothing.
    #[default]
    Empty,
    /// Text.
    Text,
    /// A number that is no date; its text is a plain decimal with the leading zeros of its format.
    Number,
    /// A day, or a day with a time: `2024-03-05`, `2024-03-05 08:30:00`. It may name a day that does not exist, such as
    /// `1900-02-29`, which sheets count.
    Date,
    /// A time of day or a length of time: `08:30:00`, `26:30:00`.
    Time,
    /// `TRUE` or `FALSE`.
    Bool,
    /// An error such as `#N/A`.
    Error,
    /// A formula whose result is not in the file, or is not to be trusted; the text is empty.
    Formula,
}

/// A cell. `Debug` shows no content.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What it holds.
    pub kind: CellKind,
    /// As the person sees it. Texts that stand in many cells are kept once.
    pub text: Option<Arc<str>>,
}

impl Cell {
    /// A cell with text in it; empty text makes an empty cell.
    #[must_use]
    pub fn new(kind: CellKind, text: &str) -> Self {
        if text.is_empty() && kind != CellKind::Formula {
            return Self::default();
        }
        Self { kind, text: (!text.is_empty()).then(|| Arc::from(text)) }
    }

    /// The text; empty for an empty cell.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Whether a person sees nothing in it: empty, or white space alone.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.kind != CellKind::Formula && self.text().chars().all(crate::clean::is_blank)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.kind, self.text().len())
    }
}

/// A row that holds something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its number as people count, from 1, title and header included; in a CSV file the number of the record.
    pub number: u32,
    /// Its cells up to the last that is not empty.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The cell of a column counted from 0; an empty one where the row has ended.
    #[must_use]
    pub fn cell(&self, column: usize) -> &Cell {
        const EMPTY: &Cell = &Cell { kind: CellKind::Empty, text: None };
        self.cells.get(column).unwrap_or(EMPTY)
    }

    /// Whether a person sees nothing in the row.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(Cell::is_blank)
    }
}

/// Cells that are merged: rows count from 1, columns from 0, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// First and last row.
    pub rows: (u32, u32),
    /// First and last column.
    pub columns: (usize, usize),
}

/// A sheet as it was read.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Its name; empty for a CSV file.
    pub name: String,
    /// The rows that hold something, in order.
    pub rows: Vec<Row>,
    /// Merged cells; the value stands in the top left one.
    pub merges: Vec<Merge>,
    /// Whether its serial numbers of days count from 1904.
    pub from_1904: bool,
}

/// `A`, `Z`, `AA`, … of a column counted from 0.
#[must_use]
pub fn column_letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// The column, counted from 0, of letters such as `AB`.
#[must_use]
pub fn column_of(letters: &str) -> Option<usize> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    letters
        .bytes()
        .try_fold(0_usize, |sum, byte| {
            let byte = byte.to_ascii_uppercase();
            byte.is_ascii_uppercase().then(|| sum * 26 + usize::from(byte - b'A') + 1)
        })?
        .checked_sub(1)
}

/// A cell in the words of sheets, such as `D5`.
#[must_use]
pub fn cell_name(row: u32, column: usize) -> String {
    format!("{}{row}", column_letters(column))
}

/// Row, from 1, and column, from 0, of a name such as `D5`.
#[must_use]
pub fn place_of(name: &str) -> Option<(u32, usize)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = name.split_at(digits);
    Some((number.parse().ok().filter(|row| *row > 0)?, column_of(letters)?))
}

/// Puts a sheet together, within limits.
pub(crate) struct GridBuilder {
    grid: Grid,
    limits: Limits,
    cells: usize,
    text: usize,
    /// After so many rows that hold something no more are wanted.
    wanted: usize,
}

impl GridBuilder {
    pub(crate) fn new(name: &str, limits: Limits, wanted: Option<usize>) -> Self {
        let grid = Grid { name: name.to_owned(), ..Grid::default() };
        Self { grid, limits, cells: 0, text: 0, wanted: wanted.unwrap_or(usize::MAX) }
    }

    /// Whether all rows that are wanted are there.
    pub(crate) fn is_enough(&self) -> bool {
        self.grid.rows.len() >= self.wanted
    }

    /// Whether a column is still within the limits.
    pub(crate) fn check_column(&self, column: usize) -> Result<(), FileProblem> {
        if column >= self.limits.max_columns {
            let max = self.limits.max_columns;
            return Err(FileProblem::new(
                "TOO_MANY_COLUMNS",
                format!("the sheet has more than {max} columns; keep those that are needed"),
                format!("工作表超过 {max} 列；请只保留需要的列"),
            ));
        }
        Ok(())
    }

    /// Adds a row. Rows that hold nothing are passed over; a row whose number does not rise is an error.
    pub(crate) fn push(&mut self, number: u32, mut cells: Vec<Cell>) -> Result<(), FileProblem> {
        while cells.last().is_some_and(|cell| cell.kind == CellKind::Empty) {
            cells.pop();
        }
        if cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        if let Some(last) = cells.len().checked_sub(1) {
            self.check_column(last)?;
        }
        if self.grid.rows.last().is_some_and(|row| row.number >= number) {
            return Err(FileProblem::broken(format!("row {number} stands twice"), format!("第 {number} 行重复")));
        }
        let max = self.limits.max_rows;
        if self.grid.rows.len() >= max || number > LAST_ROW {
            return Err(FileProblem::new(
                "TOO_MANY_ROWS",
                format!("the sheet has more than {max} rows; split the file"),
                format!("工作表超过 {max} 行；请拆分文件"),
            ));
        }
        self.cells += cells.len();
        let max = self.limits.max_cells;
        if self.cells > max {
            return Err(FileProblem::new(
                "TOO_MANY_CELLS",
                format!("the sheet has more than {max} cells; split the file"),
                format!("工作表超过 {max} 个单元格；请拆分文件"),
            ));
        }
        self.text = self.text.saturating_add(cells.iter().map(|cell| cell.text().len()).sum());
        if self.text > self.limits.max_text {
            return Err(FileProblem::new(
                "FILE_TOO_LARGE",
                "the texts of the sheet are too long; split the file",
                "工作表的文本过长；请拆分文件",
            ));
        }
        cells.shrink_to_fit();
        self.grid.rows.push(Row { number, cells });
        Ok(())
    }

    pub(crate) fn merge(&mut self, merge: Merge) {
        // Only those of headings are looked at; a sheet may have very many.
        if self.grid.merges.len() < 10_000 {
            self.grid.merges.push(merge);
        }
    }

    pub(crate) fn finish(mut self, from_1904: bool) -> Grid {
        self.grid.from_1904 = from_1904;
        self.grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_sheets() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(column_letters(column), letters);
            assert_eq!(column_of(letters), Some(column));
        }
        assert_eq!(place_of("D5"), Some((5, 3)));
        for bad in ["", "5", "D", "D0", "A1B", "ABCD1", "é1"] {
            assert_eq!(place_of(bad), None, "{bad}");
        }
    }
}
