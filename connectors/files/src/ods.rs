//! OpenDocument spreadsheets (ISO 26300): values as the file writes them, texts as the person sees them.

use crate::grid::{Cell, CellKind, Grid, GridBuilder, Limits};
use crate::number::{Shape, shortest};
use crate::open::SheetInfo;
use crate::package::{self, Package, Step, Tag};
use crate::problem::FileProblem;
use std::collections::BTreeSet;

const CONTENT: &str = "content.xml";

/// A spreadsheet whose sheets are read when asked for.
pub(crate) struct Ods<'b> {
    package: Package<'b>,
    pub(crate) sheets: Vec<SheetInfo>,
}

impl<'b> Ods<'b> {
    pub(crate) fn open(mut package: Package<'b>) -> Result<Self, FileProblem> {
        if package.text("META-INF/manifest.xml", 4 << 20).is_some_and(|manifest| manifest.contains("encryption-data")) {
            return Err(package::encrypted());
        }
        let active = active_sheet(&mut package)?;
        let mut budget = package.budget();
        let Some(mut part) = package.part(CONTENT, &mut budget)? else {
            return Err(FileProblem::broken("there is no content in the package", "压缩包内没有内容"));
        };
        let (mut sheets, mut hidden) = (Vec::new(), BTreeSet::new());
        let (mut style, mut depth, mut ended) = (String::new(), 0_usize, false);
        while !ended {
            part.step(|step| {
                match step {
                    Step::Start(tag) => match tag.name() {
                        "style" => style = tag.attribute("name").unwrap_or_default(),
                        "table-properties" if tag.attribute("display").as_deref() == Some("false") => {
                            hidden.insert(style.clone());
                        }
                        "table" => {
                            depth += 1;
                            if depth == 1 && sheets.len() < 1_000 {
                                let name = tag.attribute("name").unwrap_or_default();
                                let visible = tag.attribute("style-name").is_none_or(|style| !hidden.contains(&style));
                                let active = active.as_ref() == Some(&name);
                                sheets.push(SheetInfo { name, visible, active, is_data: true });
                            }
                        }
                        _ => {}
                    },
                    Step::End("table") => depth = depth.saturating_sub(1),
                    Step::Finished => ended = true,
                    _ => {}
                }
                Ok(())
            })?;
        }
        drop(part);
        Ok(Self { package, sheets })
    }

    /// A sheet, or as many of its first rows as are wanted.
    pub(crate) fn grid(&mut self, index: usize, limits: Limits, wanted: Option<usize>) -> Result<Grid, FileProblem> {
        let name = self.sheets.get(index).map(|sheet| sheet.name.clone()).unwrap_or_default();
        let mut builder = GridBuilder::new(&name, limits, wanted);
        let mut budget = self.package.budget();
        let Some(mut part) = self.package.part(CONTENT, &mut budget)? else { return Ok(Grid::default()) };
        let mut sheet = Sheet::default();
        let mut ended = false;
        let (mut seen, mut depth) = (0_usize, 0_usize);
        while !ended && !builder.is_enough() {
            part.step(|step| {
                match step {
                    Step::Start(tag) if tag.name() == "table" => {
                        depth += 1;
                        seen += usize::from(depth == 1);
                    }
                    Step::End("table") => {
                        depth = depth.saturating_sub(1);
                        ended = depth == 0 && seen == index + 1;
                    }
                    Step::Finished => ended = true,
                    step if depth == 1 && seen == index + 1 => sheet.take(step, &mut builder)?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(builder.finish(false))
    }
}

/// The sheet that opens.
fn active_sheet(package: &mut Package<'_>) -> Result<Option<String>, FileProblem> {
    let mut budget = package.budget();
    let Some(mut part) = package.part("settings.xml", &mut budget)? else { return Ok(None) };
    let (mut here, mut name, mut ended) = (false, None, false);
    while !ended && name.is_none() {
        part.step(|step| {
            match step {
                Step::Start(tag) => here = tag.attribute("name").as_deref() == Some("ActiveTable"),
                Step::Text(text) if here => name = Some(text.to_owned()),
                Step::End(_) => here = false,
                Step::Finished => ended = true,
                Step::Text(_) => {}
            }
            Ok(())
        })?;
    }
    Ok(name)
}

/// A sheet that is being read.
#[derive(Default)]
struct Sheet {
    /// The number of the row at hand, from 1.
    row: u32,
    /// For how many rows it stands.
    rows: u32,
    cells: Vec<Cell>,
    /// The column behind the last cell.
    next: usize,
    cell: Option<Open>,
}

/// A cell that is being read.
struct Open {
    columns: usize,
    kind: String,
    value: String,
    formula: bool,
    error: bool,
    covered: bool,
    text: String,
    paragraphs: usize,
    /// Inside of notes, which are no part of the cell.
    aside: usize,
    in_text: bool,
}

impl Sheet {
    fn take(&mut self, step: Step<'_>, builder: &mut GridBuilder) -> Result<(), FileProblem> {
        match step {
            Step::Start(tag) => match tag.name() {
                "table-row" if self.cell.is_none() => {
                    self.row = self.row.saturating_add(self.rows.max(1));
                    if self.rows == 0 {
                        self.row = 1;
                    }
                    self.rows = repeated(&tag, "number-rows-repeated").max(1);
                    self.next = 0;
                }
                "table-cell" | "covered-table-cell" if self.cell.is_none() => self.cell = Some(Open::of(&tag)),
                name => {
                    if let Some(cell) = &mut self.cell {
                        cell.start(name, &tag);
                    }
                }
            },
            Step::Text(text) => {
                if let Some(cell) = self.cell.as_mut().filter(|cell| cell.in_text && cell.aside == 0) {
                    cell.text.push_str(text);
                }
            }
            Step::End("table-cell" | "covered-table-cell") => {
                if let Some(open) = self.cell.take() {
                    self.close(open, builder)?;
                }
            }
            Step::End("table-row") => self.end_row(builder)?,
            Step::End(name) => {
                if let Some(cell) = &mut self.cell {
                    match name {
                        "p" | "h" => cell.in_text = false,
                        "annotation" => cell.aside = cell.aside.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            Step::Finished => {}
        }
        Ok(())
    }

    fn close(&mut self, open: Open, builder: &GridBuilder) -> Result<(), FileProblem> {
        let columns = open.columns;
        let cell = open.close();
        if cell.kind != CellKind::Empty {
            builder.check_column(self.next.saturating_add(columns - 1))?;
            self.cells.resize(self.next, Cell::default());
            self.cells.extend(std::iter::repeat_n(cell, columns));
        }
        self.next = self.next.saturating_add(columns);
        Ok(())
    }

    /// A row that stands for many is only written out where it holds something.
    fn end_row(&mut self, builder: &mut GridBuilder) -> Result<(), FileProblem> {
        let cells = std::mem::take(&mut self.cells);
        if cells.is_empty() {
            return Ok(());
        }
        for number in self.row..self.row.saturating_add(self.rows) {
            builder.push(number, cells.clone())?;
            if builder.is_enough() {
                break;
            }
        }
        Ok(())
    }
}

fn repeated(tag: &Tag<'_>, name: &str) -> u32 {
    tag.attribute(name).and_then(|count| count.parse().ok()).unwrap_or(1)
}

impl Open {
    fn of(tag: &Tag<'_>) -> Self {
        let kind = tag.exact("office:value-type").unwrap_or_default();
        let value = match kind.as_str() {
            "date" => tag.attribute("date-value"),
            "time" => tag.attribute("time-value"),
            "boolean" => tag.attribute("boolean-value"),
            "string" => None,
            _ => tag.attribute("value"),
        };
        Self {
            columns: usize::try_from(repeated(tag, "number-columns-repeated")).unwrap_or(usize::MAX).max(1),
            kind,
            value: value.unwrap_or_default(),
            formula: tag.attribute("formula").is_some(),
            error: tag.exact("calcext:value-type").as_deref() == Some("error"),
            covered: tag.name() == "covered-table-cell",
            text: String::new(),
            paragraphs: 0,
            aside: 0,
            in_text: false,
        }
    }

    fn start(&mut self, name: &str, tag: &Tag<'_>) {
        match name {
            "annotation" => self.aside += 1,
            _ if self.aside > 0 => {}
            "p" | "h" => {
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
                self.in_text = true;
            }
            "s" => {
                let count = usize::try_from(repeated(tag, "c")).unwrap_or(1).min(1_000);
                self.text.push_str(&" ".repeat(count));
            }
            "tab" => self.text.push('\t'),
            "line-break" => self.text.push('\n'),
            _ => {}
        }
    }

    fn close(self) -> Cell {
        if self.covered {
            return Cell::default();
        }
        if self.error {
            return Cell::new(CellKind::Error, self.text.trim());
        }
        match self.kind.as_str() {
            "float" | "currency" => {
                // The person sees leading zeros, which the value does not have.
                let seen = self.text.trim();
                let digits = seen.len() > 1 && seen.starts_with('0') && seen.bytes().all(|byte| byte.is_ascii_digit());
                if digits && shortest(seen) == shortest(&self.value) {
                    return Cell::new(CellKind::Number, seen);
                }
                Shape::Plain.cell(&self.value, false)
            }
            "percentage" => Shape::Percent.cell(&self.value, false),
            "date" => {
                let day = self.value.replace('T', " ");
                let day = day.split('.').next().unwrap_or_default();
                Cell::new(CellKind::Date, day.strip_suffix(" 00:00:00").unwrap_or(day))
            }
            "time" => Cell::new(CellKind::Time, &clock(&self.value).unwrap_or(self.text)),
            "boolean" => Cell::new(CellKind::Bool, if self.value == "true" { "TRUE" } else { "FALSE" }),
            "" if self.formula && self.text.is_empty() => Cell::new(CellKind::Formula, ""),
            _ => Cell::new(CellKind::Text, &self.text),
        }
    }
}

/// `PT08H30M00S` as `08:30:00`.
fn clock(text: &str) -> Option<String> {
    let rest = text.strip_prefix("PT")?;
    let (hours, rest) = rest.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?.split(['.', ',']).next()?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (plain(hours) && plain(minutes) && plain(seconds)).then(|| format!("{hours:0>2}:{minutes:0>2}:{seconds:0>2}"))
}
