//! Spreadsheets and CSV files of HR data: read, understood, checked row by row, and written.

mod check;
mod clean;
mod csv;
mod grid;
mod header;
mod html;
mod number;
mod ods;
mod open;
mod package;
mod problem;
mod report;
mod table;
mod target;
mod write;
mod xls;
mod xlsx;

pub use check::{Checked, CheckedRow, Context, Finding, Known, Level, Match, Mode, Names, Nothing, check};
pub use clean::folded;
pub use grid::{Cell, CellKind, Grid, Limits, Merge, Row, cell_name, column_letters, column_of, place_of};
pub use open::{FileKind, SheetInfo, Workbook, open};
pub use problem::{FileProblem, Said};
pub use report::{ReportOptions, ReportRows, RowResult, report};
pub use table::{Choice, Column, Ignored, Table, from_grid, table};
pub use target::{Field, FieldKind, Target};
pub use write::{ColumnKind, Datum, TableWriter, WriteColumn, WriteFormat, WriteOptions};
