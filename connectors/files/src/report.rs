//! The file of the user with what came of each row: two columns more, and the cells marked that stand in the way.

use crate::check::{Checked, CheckedRow, Finding, Level};
use crate::grid::{Cell, CellKind, Row};
use crate::number::scientific;
use crate::table::Table;
use crate::write::Datum;
use crate::write::xlsx::{Look, XlsxWriter};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Which rows a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReportRows {
    /// All, each under its own number.
    #[default]
    All,
    /// Those that were refused, one below the other under the headings, with their numbers in a third column: to be
    /// corrected and uploaded again.
    Refused,
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowResult {
    /// Whether it can be imported, or was.
    pub accepted: bool,
    /// Why not, and what should be looked at; empty where there is nothing to say.
    pub reason: String,
    /// The cells that it is about, by the place of their column from 0.
    pub marks: Vec<(usize, Level)>,
}

impl RowResult {
    /// What a check came to, in the language of a tag such as `zh-CN`.
    #[must_use]
    pub fn of(table: &Table, row: &CheckedRow, language: &str) -> Self {
        let words = Words::of(language);
        let column = |finding: &Finding| finding.column.and_then(|column| table.columns.get(column));
        let said = row.findings.iter().map(|finding| {
            let mark = if finding.level == Level::Warning { words.warning } else { "" };
            let place = match column(finding) {
                Some(_) => format!("{} {}{}", finding.cell(table), finding.heading(table), words.colon),
                None => String::new(),
            };
            format!("{mark}{place}{}", finding.said.in_language(language))
        });
        Self {
            accepted: row.is_accepted(),
            reason: said.collect::<Vec<_>>().join(words.between),
            marks: row.findings.iter().filter_map(|one| Some((column(one)?.index, one.level))).collect(),
        }
    }

    /// The results of a whole check by the numbers of rows, as [`report`] takes them.
    #[must_use]
    pub fn of_all(table: &Table, checked: &Checked<'_>, language: &str) -> BTreeMap<u32, Self> {
        checked.rows.iter().map(|row| (row.number, Self::of(table, row, language))).collect()
    }
}

/// How a report is written.
#[derive(Clone, Debug, Default)]
pub struct ReportOptions<'a> {
    /// Which rows it has.
    pub rows: ReportRows,
    /// A tag such as `zh-CN`; all that are not Chinese are English.
    pub language: &'a str,
    /// Columns whose values are left out, by their place from 0.
    pub hidden: Vec<usize>,
}

/// Writes the user's file with what came of its rows as a workbook, whatever kind of file it was. A row without a result
/// counts as passed over.
///
/// # Errors
/// `out` cannot be written to.
pub fn report<W: Write>(
    out: W,
    table: &Table,
    results: &BTreeMap<u32, RowResult>,
    options: &ReportOptions<'_>,
) -> io::Result<W> {
    let words = Words::of(options.language);
    let last = table.columns.last().map_or(0, |column| column.index + 1);
    let mut widths = vec![14; last];
    widths.extend([10, 60]);
    if options.rows == ReportRows::Refused {
        widths.push(8);
    }
    let frozen = if options.rows == ReportRows::All { table.header_row.min(10) } else { 1 };
    let sheet = if table.sheet.is_empty() { words.sheet } else { &table.sheet };
    let mut writer = XlsxWriter::new(out, sheet, &widths, frozen, table.from_1904)?;
    let report = Report { table, words, last, hidden: &options.hidden };
    match options.rows {
        ReportRows::All => report.all(&mut writer, results)?,
        ReportRows::Refused => report.refused(&mut writer, results)?,
    }
    writer.finish()
}

struct Words {
    sheet: &'static str,
    result: &'static str,
    reason: &'static str,
    row: &'static str,
    accepted: &'static str,
    refused: &'static str,
    ignored: &'static str,
    colon: &'static str,
    between: &'static str,
    warning: &'static str,
}

impl Words {
    fn of(language: &str) -> &'static Self {
        if language.to_ascii_lowercase().starts_with("zh") {
            &Self {
                sheet: "校验结果",
                result: "结果",
                reason: "原因",
                row: "原行号",
                accepted: "通过",
                refused: "拒绝",
                ignored: "忽略",
                colon: "：",
                between: "；",
                warning: "[提醒] ",
            }
        } else {
            &Self {
                sheet: "Result",
                result: "Result",
                reason: "Reason",
                row: "Row",
                accepted: "accepted",
                refused: "refused",
                ignored: "ignored",
                colon: ": ",
                between: "; ",
                warning: "[warning] ",
            }
        }
    }
}

struct Report<'a> {
    table: &'a Table,
    words: &'static Words,
    /// The first column behind the user's own.
    last: usize,
    hidden: &'a [usize],
}

type Line<'a> = Vec<(Datum<'a>, Look)>;

impl Report<'_> {
    fn all<W: Write>(&self, writer: &mut XlsxWriter<W>, results: &BTreeMap<u32, RowResult>) -> io::Result<()> {
        let header = self.table.header_row;
        let rows: BTreeMap<u32, &Row> =
            self.table.around.iter().chain(&self.table.rows).map(|row| (row.number, row)).collect();
        for (number, row) in rows {
            let result = results.get(&number).filter(|_| number > header);
            let texts = self.texts(row);
            let mut line = self.line(row, &texts, result);
            match result {
                Some(result) => self.end(&mut line, result),
                None if number == header => line.extend([
                    (Datum::Text(self.words.result), Look::Heading),
                    (Datum::Text(self.words.reason), Look::Heading),
                ]),
                None if number > header => {
                    line.extend([(Datum::Text(self.words.ignored), Look::Faint), (Datum::Nothing, Look::Plain)]);
                }
                None => {}
            }
            writer.cells(number, &line)?;
        }
        Ok(())
    }

    fn refused<W: Write>(&self, writer: &mut XlsxWriter<W>, results: &BTreeMap<u32, RowResult>) -> io::Result<()> {
        let mut headings: Line<'_> = vec![(Datum::Nothing, Look::Heading); self.last];
        for column in &self.table.columns {
            if let Some(place) = headings.get_mut(column.index) {
                *place = (Datum::Text(&column.heading), Look::Heading);
            }
        }
        let words = [self.words.result, self.words.reason, self.words.row];
        headings.extend(words.map(|word| (Datum::Text(word), Look::Heading)));
        writer.cells(1, &headings)?;
        let refused = self
            .table
            .rows
            .iter()
            .filter_map(|row| Some((row, results.get(&row.number).filter(|result| !result.accepted)?)));
        for (number, (row, result)) in (2..).zip(refused) {
            let texts = self.texts(row);
            let mut line = self.line(row, &texts, Some(result));
            self.end(&mut line, result);
            line.push((Datum::Integer(i64::from(row.number)), Look::Plain));
            writer.cells(number, &line)?;
        }
        Ok(())
    }

    /// The texts of the user's cells. All cells of a report are text, so what was refused for not being text says so
    /// when the report is uploaded again.
    fn texts<'r>(&self, row: &'r Row) -> Vec<Cow<'r, str>> {
        let text = |cell: &'r Cell| match cell.kind {
            CellKind::Formula => Cow::Borrowed("=?"),
            CellKind::Number => scientific(cell.text()).map_or(Cow::Borrowed(cell.text()), Cow::Owned),
            _ => Cow::Borrowed(cell.text()),
        };
        (0..self.last).map(|column| text(row.cell(column))).collect()
    }

    /// The cells of the user.
    fn line<'r>(&self, row: &Row, texts: &'r [Cow<'_, str>], result: Option<&RowResult>) -> Line<'r> {
        let usual = match result {
            Some(result) if !result.accepted => Look::BadRow,
            Some(_) => Look::Text,
            None if row.number == self.table.header_row => Look::Heading,
            None if row.number > self.table.header_row => Look::Faint,
            None => Look::Text,
        };
        let empty = if usual == Look::Text { Look::Plain } else { usual };
        let is_data = row.number > self.table.header_row;
        let mut line: Line<'r> = texts
            .iter()
            .enumerate()
            .map(|(column, text)| match text.as_ref() {
                "" => (Datum::Nothing, empty),
                _ if is_data && self.hidden.contains(&column) => (Datum::Text("***"), usual),
                text => (Datum::Text(text), usual),
            })
            .collect();
        for (column, level) in result.iter().flat_map(|result| &result.marks) {
            if let Some((_, look)) = line.get_mut(*column) {
                match level {
                    Level::Error => *look = Look::BadCell,
                    Level::Warning if *look != Look::BadCell => *look = Look::Doubtful,
                    Level::Warning => {}
                }
            }
        }
        line
    }

    fn end<'r>(&self, line: &mut Line<'r>, result: &'r RowResult) {
        let (word, look) = match (result.accepted, result.reason.is_empty()) {
            (true, true) => (self.words.accepted, Look::Text),
            (true, false) => (self.words.accepted, Look::Doubtful),
            (false, _) => (self.words.refused, Look::BadCell),
        };
        line.push((Datum::Text(word), look));
        line.push((if result.reason.is_empty() { Datum::Nothing } else { Datum::Text(&result.reason) }, Look::Text));
    }
}
