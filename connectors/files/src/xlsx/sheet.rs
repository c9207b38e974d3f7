//! Shared texts and the cells of a sheet.

use crate::grid::{Cell, CellKind, Grid, GridBuilder, Limits, Merge, place_of};
use crate::number::Shape;
use crate::package::{Budget, Package, Step, Tag};
use crate::problem::FileProblem;
use std::sync::Arc;

/// What cells refer to.
pub(super) struct Book<'a> {
    pub(super) shapes: &'a [Shape],
    pub(super) strings: &'a [Option<Arc<str>>],
    pub(super) from_1904: bool,
    pub(super) uncomputed: bool,
}

/// Text with runs and without the reading aids of East Asian text.
#[derive(Default)]
struct RichText {
    text: String,
    in_text: bool,
    aid: usize,
}

impl RichText {
    fn start(&mut self, name: &str) {
        match name {
            "rPh" => self.aid += 1,
            "t" => self.in_text = self.aid == 0,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "rPh" => self.aid = self.aid.saturating_sub(1),
            "t" => self.in_text = false,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text {
            self.text.push_str(text);
        }
    }

    fn take(&mut self) -> String {
        unescaped(&std::mem::take(&mut self.text))
    }
}

/// Text in which `_x000D_` stands for the character of that number, as workbooks write what XML cannot hold.
fn unescaped(text: &str) -> String {
    if !text.contains("_x") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from.get(2..6).filter(|_| from.as_bytes().get(6) == Some(&b'_'));
        let c = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        match c {
            Some(c) => {
                out.push(c);
                rest = from.get(7..).unwrap_or_default();
            }
            None => {
                out.push_str("_x");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// The shared texts of a workbook in order.
pub(super) fn strings(
    package: &mut Package<'_>,
    part: &str,
    budget: &mut Budget,
) -> Result<Vec<Option<Arc<str>>>, FileProblem> {
    let mut strings = Vec::new();
    let Some(mut part) = package.part(part, budget)? else { return Ok(strings) };
    let mut rich = RichText::default();
    let mut ended = false;
    while !ended {
        part.step(|step| {
            match step {
                Step::Start(tag) => rich.start(tag.name()),
                Step::End("si") => {
                    let text = rich.take();
                    strings.push((!text.is_empty()).then(|| Arc::from(text)));
                }
                Step::End(name) => rich.end(name),
                Step::Text(text) => rich.text(text),
                Step::Finished => ended = true,
            }
            Ok(())
        })?;
    }
    Ok(strings)
}

/// A cell that is being read.
#[derive(Default)]
struct Open {
    column: usize,
    kind: String,
    style: usize,
    value: String,
    in_value: bool,
    formula: bool,
    rich: RichText,
}

impl Open {
    /// The cell that has been read.
    fn close(mut self, book: &Book<'_>) -> Result<Cell, FileProblem> {
        let value = self.value.trim();
        if self.formula && (value.is_empty() && self.kind != "str" || book.uncomputed) {
            return Ok(Cell::new(CellKind::Formula, ""));
        }
        Ok(match self.kind.as_str() {
            "s" => {
                if value.is_empty() {
                    return Ok(Cell::default());
                }
                let text = value.parse::<usize>().ok().and_then(|index| book.strings.get(index));
                let Some(text) = text else {
                    return Err(FileProblem::broken(
                        "a cell refers to a text that is not there",
                        "单元格引用的文本不存在",
                    ));
                };
                Cell { kind: if text.is_some() { CellKind::Text } else { CellKind::Empty }, text: text.clone() }
            }
            "inlineStr" => Cell::new(CellKind::Text, &self.rich.take()),
            "str" => Cell::new(CellKind::Text, &unescaped(&self.value)),
            "b" => Cell::new(CellKind::Bool, if value == "1" || value == "true" { "TRUE" } else { "FALSE" }),
            "e" => Cell::new(CellKind::Error, value),
            "d" => {
                let text = value.trim_end_matches('Z').replace('T', " ");
                Cell::new(CellKind::Date, text.strip_suffix(" 00:00:00").unwrap_or(&text))
            }
            _ if value.is_empty() => Cell::default(),
            _ => book.shapes.get(self.style).unwrap_or(&Shape::Plain).cell(value, book.from_1904),
        })
    }
}

/// Reads a sheet.
pub(super) fn read(
    package: &mut Package<'_>,
    part: &str,
    name: &str,
    book: &Book<'_>,
    limits: Limits,
    wanted: Option<usize>,
    budget: &mut Budget,
) -> Result<Grid, FileProblem> {
    let mut builder = GridBuilder::new(name, limits, wanted);
    let Some(mut part) = package.part(part, budget)? else {
        return Err(FileProblem::broken("a sheet is not in the package", "压缩包内缺少工作表"));
    };
    let mut number = 0_u32;
    let mut cells: Vec<Cell> = Vec::new();
    let mut next = 0_usize;
    let mut open: Option<Open> = None;
    let mut ended = false;
    while !ended && !builder.is_enough() {
        part.step(|step| {
            match step {
                Step::Start(tag) => match (tag.name(), &mut open) {
                    ("row", None) => {
                        number = tag.attribute("r").and_then(|r| r.parse().ok()).unwrap_or(number.saturating_add(1));
                        next = 0;
                    }
                    ("c", None) => open = Some(start_cell(&tag, number, next, &builder)?),
                    ("v", Some(cell)) => cell.in_value = true,
                    ("f", Some(cell)) => cell.formula = true,
                    (name, Some(cell)) => cell.rich.start(name),
                    ("mergeCell", None) => {
                        if let Some(merge) = tag.attribute("ref").and_then(|range| merge_of(&range)) {
                            builder.merge(merge);
                        }
                    }
                    _ => {}
                },
                Step::Text(text) => {
                    if let Some(cell) = &mut open {
                        if cell.in_value {
                            cell.value.push_str(text);
                        }
                        cell.rich.text(text);
                    }
                }
                Step::End("c") => {
                    if let Some(cell) = open.take() {
                        let column = cell.column;
                        let cell = cell.close(book)?;
                        next = column + 1;
                        if cell.kind != CellKind::Empty {
                            builder.check_column(column)?;
                            if cells.len() <= column {
                                cells.resize(column + 1, Cell::default());
                            }
                            if let Some(place) = cells.get_mut(column) {
                                *place = cell;
                            }
                        }
                    }
                }
                Step::End("v") => {
                    if let Some(cell) = &mut open {
                        cell.in_value = false;
                    }
                }
                Step::End("row") => builder.push(number, std::mem::take(&mut cells))?,
                Step::End(name) => {
                    if let Some(cell) = &mut open {
                        cell.rich.end(name);
                    }
                }
                Step::Finished => ended = true,
            }
            Ok(())
        })?;
    }
    Ok(builder.finish(book.from_1904))
}

fn start_cell(tag: &Tag<'_>, row: u32, next: usize, builder: &GridBuilder) -> Result<Open, FileProblem> {
    let column = match tag.attribute("r") {
        Some(name) => match place_of(&name) {
            Some((at, column)) if at == row => column,
            _ => {
                return Err(FileProblem::broken(
                    format!("a cell of row {row} says that it stands elsewhere"),
                    format!("第 {row} 行的单元格位置不符"),
                ));
            }
        },
        None => next,
    };
    // The columns of a row that nobody fills are no columns; a name beyond all sheets is.
    if column >= 16_384 {
        builder.check_column(column)?;
    }
    let style = tag.attribute("s").and_then(|style| style.parse().ok()).unwrap_or(0);
    Ok(Open { column, kind: tag.attribute("t").unwrap_or_default(), style, ..Open::default() })
}

fn merge_of(range: &str) -> Option<Merge> {
    let (from, to) = range.split_once(':')?;
    let ((top, left), (bottom, right)) = (place_of(from)?, place_of(to)?);
    Some(Merge { rows: (top, bottom), columns: (left, right) })
}

#[cfg(test)]
mod tests {
    #[test]
    fn characters_that_xml_cannot_hold_are_unescaped() {
        assert_eq!(super::unescaped("a_x000D_\n_x0041__x_x00zz_"), "a\r\nA_x_x00zz_");
        assert_eq!(super::unescaped("_x005F_x000D_"), "_x000D_");
        assert_eq!(super::unescaped("_x李李_"), "_x李李_");
    }
}
