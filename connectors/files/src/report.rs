//! The file of the user with what came of each row: two columns more, and the cells marked that stand in the way.

use crate::check::{Checked, CheckedRow, Level};
use crate::grid::Row;
use crate::table::{Ignored, Table};
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

/// Writes the report of a check as a workbook, whatever kind of file was checked. `language` is a tag such as `zh-CN`;
/// all that are not Chinese are English.
///
/// # Errors
/// `out` cannot be written to.
pub fn report<W: Write>(
    out: W,
    table: &Table,
    checked: &Checked<'_>,
    rows: ReportRows,
    language: &str,
) -> io::Result<W> {
    let words = Words::of(language);
    let last = table.columns.last().map_or(0, |column| column.index + 1);
    let mut widths = vec![14; last];
    widths.extend([10, 60]);
    if rows == ReportRows::Refused {
        widths.push(8);
    }
    let frozen = if rows == ReportRows::All { table.header_row.min(10) } else { 1 };
    let sheet = if table.sheet.is_empty() { words.sheet } else { &table.sheet };
    let mut writer = XlsxWriter::new(out, sheet, &widths, frozen)?;
    let report = Report { table, words, last, language };
    match rows {
        ReportRows::All => report.all(&mut writer, checked)?,
        ReportRows::Refused => report.refused(&mut writer, checked)?,
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
                warning: "提醒",
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
                warning: "warning",
            }
        }
    }
}

struct Report<'a> {
    table: &'a Table,
    words: &'a Words,
    /// The first column behind the user's own.
    last: usize,
    language: &'a str,
}

type Line<'a> = Vec<(Datum<'a>, Look)>;

impl<'a> Report<'a> {
    fn all<W: Write>(&self, writer: &mut XlsxWriter<W>, checked: &Checked<'_>) -> io::Result<()> {
        let mut rows: BTreeMap<u32, (&Row, Option<&CheckedRow>)> =
            self.table.around.iter().map(|row| (row.number, (row, None))).collect();
        for (row, checked) in self.table.rows.iter().zip(&checked.rows) {
            rows.insert(row.number, (row, Some(checked)));
        }
        for (number, (row, result)) in rows {
            let reason = result.map(|result| self.reason(result)).unwrap_or_default();
            let mut line = self.line(row, result);
            match result {
                Some(result) => self.end(&mut line, result, &reason),
                None if number == self.table.header_row => line.extend([
                    (Datum::Text(self.words.result), Look::Heading),
                    (Datum::Text(self.words.reason), Look::Heading),
                ]),
                None if number > self.table.header_row => {
                    line.extend([(Datum::Text(self.words.ignored), Look::Faint), (Datum::Nothing, Look::Plain)]);
                }
                None => {}
            }
            writer.cells(number, &line)?;
        }
        Ok(())
    }

    fn refused<W: Write>(&self, writer: &mut XlsxWriter<W>, checked: &Checked<'_>) -> io::Result<()> {
        let mut headings: Line<'_> = vec![(Datum::Nothing, Look::Heading); self.last];
        for column in &self.table.columns {
            if let Some(place) = headings.get_mut(column.index) {
                *place = (Datum::Text(&column.heading), Look::Heading);
            }
        }
        let words = [self.words.result, self.words.reason, self.words.row];
        headings.extend(words.map(|word| (Datum::Text(word), Look::Heading)));
        writer.cells(1, &headings)?;
        let refused = self.table.rows.iter().zip(&checked.rows).filter(|(_, result)| !result.is_accepted());
        for (number, (row, result)) in (2..).zip(refused) {
            let reason = self.reason(result);
            let mut line = self.line(row, Some(result));
            self.end(&mut line, result, &reason);
            line.push((Datum::Integer(i64::from(row.number)), Look::Plain));
            writer.cells(number, &line)?;
        }
        Ok(())
    }

    /// The cells of the user.
    fn line<'r>(&self, row: &'r Row, result: Option<&CheckedRow>) -> Line<'r> {
        let heading = row.number <= self.table.header_row;
        let ignored = |number| {
            self.table
                .ignored
                .iter()
                .any(|(first, last, why)| (*first..=*last).contains(&number) && *why != Ignored::Blank)
        };
        let usual = match result {
            Some(result) if !result.is_accepted() => Look::BadRow,
            Some(_) => Look::Text,
            None if row.number == self.table.header_row => Look::Heading,
            None if !heading && ignored(row.number) => Look::Faint,
            None => Look::Text,
        };
        let mut line: Line<'r> = (0..self.last)
            .map(|column| match row.cell(column) {
                cell if cell.text().is_empty() => {
                    (Datum::Nothing, if usual == Look::Text { Look::Plain } else { usual })
                }
                cell => (Datum::Text(cell.text()), usual),
            })
            .collect();
        for finding in result.iter().flat_map(|result| &result.findings) {
            let column = finding.column.and_then(|column| self.table.columns.get(column));
            if let Some((_, look)) = column.and_then(|column| line.get_mut(column.index)) {
                match finding.level {
                    Level::Error => *look = Look::BadCell,
                    Level::Warning if *look != Look::BadCell => *look = Look::Doubtful,
                    Level::Warning => {}
                }
            }
        }
        line
    }

    fn end<'r>(&self, line: &mut Line<'r>, result: &CheckedRow, reason: &'r str)
    where
        'a: 'r,
    {
        let (word, look) = if result.is_accepted() {
            (self.words.accepted, if result.findings.is_empty() { Look::Text } else { Look::Doubtful })
        } else {
            (self.words.refused, Look::BadCell)
        };
        line.push((Datum::Text(word), look));
        line.push((if reason.is_empty() { Datum::Nothing } else { Datum::Text(reason) }, Look::Text));
    }

    /// All findings of a row in one text.
    fn reason(&self, result: &CheckedRow) -> String {
        let Words { colon, between, warning, .. } = self.words;
        let said: Vec<String> = result
            .findings
            .iter()
            .map(|finding| {
                let place = match finding.column {
                    Some(_) => {
                        Cow::Owned(format!("{} {}{colon}", finding.cell(self.table), finding.heading(self.table)))
                    }
                    None => Cow::Borrowed(""),
                };
                let mark = if finding.level == Level::Warning { format!("[{warning}] ") } else { String::new() };
                format!("{mark}{place}{}", finding.said.in_language(self.language))
            })
            .collect();
        said.join(between)
    }
}
