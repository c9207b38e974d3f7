//! Workbooks of Excel 97 to 2003 (MS-XLS, BIFF8), as far as data goes. Numbers are binary in this format; they become
//! decimals here, at once.

mod cfb;
mod strings;

use crate::grid::{Cell, CellKind, Grid, GridBuilder, Limits, Merge};
use crate::number::Shape;
use crate::open::SheetInfo;
use crate::package;
use crate::problem::FileProblem;
use cfb::{Container, u16_at, u32_at};
use std::collections::BTreeMap;
use std::sync::Arc;
use strings::{bits_at, text_at};

fn damaged() -> FileProblem {
    FileProblem::broken("its records cannot be read", "无法读取其中的记录")
}

/// A workbook whose sheets are read when asked for.
pub(crate) struct Xls {
    stream: Vec<u8>,
    pub(crate) sheets: Vec<SheetInfo>,
    /// Where each sheet begins.
    places: Vec<usize>,
    strings: Vec<Option<Arc<str>>>,
    /// The shape of each cell format.
    shapes: Vec<Shape>,
    from_1904: bool,
}

/// A record: its kind, its bytes, and where the next begins.
fn record(stream: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let (kind, length) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
    let end = at.checked_add(4)?.checked_add(length)?;
    Some((kind, stream.get(at + 4..end)?, end))
}

impl Xls {
    pub(crate) fn open(bytes: &[u8]) -> Result<Self, FileProblem> {
        let container = Container::open(bytes)?;
        if container.has("EncryptedPackage") || container.has("EncryptionInfo") {
            return Err(package::encrypted());
        }
        let Some(stream) = container.stream("Workbook")? else {
            let old = container.has("Book");
            return Err(FileProblem::new(
                "FILE_KIND",
                if old {
                    "workbooks of Excel 95 and before are not read; save it as .xlsx"
                } else {
                    "the file is no workbook; XLSX, XLS, ODS, CSV and TSV files are read"
                },
                if old {
                    "不支持 Excel 95 及更早的工作簿；请另存为 .xlsx"
                } else {
                    "文件不是工作簿；支持 XLSX、XLS、ODS、CSV、TSV"
                },
            ));
        };
        let mut this = Self {
            stream: Vec::new(),
            sheets: Vec::new(),
            places: Vec::new(),
            strings: Vec::new(),
            shapes: Vec::new(),
            from_1904: false,
        };
        this.globals(&stream)?;
        this.stream = stream;
        Ok(this)
    }

    /// What all sheets use.
    fn globals(&mut self, stream: &[u8]) -> Result<(), FileProblem> {
        let mut codes: BTreeMap<u16, Shape> = BTreeMap::new();
        let mut formats: Vec<u16> = Vec::new();
        let (mut at, mut active) = (0, 0);
        while let Some((kind, data, next)) = record(stream, at) {
            at = next;
            match kind {
                0x0809 if u16_at(data, 0) != Some(0x0600) => {
                    return Err(FileProblem::new(
                        "FILE_KIND",
                        "workbooks of Excel 95 and before are not read; save it as .xlsx",
                        "不支持 Excel 95 及更早的工作簿；请另存为 .xlsx",
                    ));
                }
                0x002F => return Err(package::encrypted()),
                0x0022 => self.from_1904 = u16_at(data, 0) == Some(1),
                0x003D => active = u16_at(data, 10).map_or(0, usize::from),
                0x041E => {
                    if let (Some(id), Some(code)) = (u16_at(data, 0), text_at(data, 2, false)) {
                        codes.insert(id, Shape::of_code(&code));
                    }
                }
                0x00E0 => formats.push(u16_at(data, 2).unwrap_or(0)),
                0x0085 if self.sheets.len() < 1_000 => self.sheet(data).ok_or_else(damaged)?,
                0x00FC => {
                    let mut pieces = vec![data];
                    while let Some((0x003C, more, next)) = record(stream, at) {
                        pieces.push(more);
                        at = next;
                    }
                    let texts = strings::shared(pieces).ok_or_else(damaged)?;
                    let kept = |text: String| (!text.is_empty()).then(|| Arc::from(text));
                    self.strings = texts.into_iter().map(kept).collect();
                }
                0x000A => break,
                _ => {}
            }
        }
        let shape = |id: &u16| codes.get(id).cloned().or_else(|| Shape::built_in(u32::from(*id))).unwrap_or_default();
        self.shapes = formats.iter().map(shape).collect();
        if let Some(sheet) = self.sheets.get_mut(active) {
            sheet.active = true;
        }
        Ok(())
    }

    fn sheet(&mut self, data: &[u8]) -> Option<()> {
        self.places.push(usize::try_from(u32_at(data, 0)?).ok()?);
        self.sheets.push(SheetInfo {
            name: text_at(data, 6, true)?,
            visible: data.get(4)? & 3 == 0,
            active: false,
            is_data: *data.get(5)? == 0,
        });
        Some(())
    }

    /// A sheet, or as many of its first rows as are wanted.
    pub(crate) fn grid(&self, index: usize, limits: Limits, wanted: Option<usize>) -> Result<Grid, FileProblem> {
        let (Some(info), Some(at)) = (self.sheets.get(index), self.places.get(index)) else {
            return Ok(Grid::default());
        };
        let mut builder = GridBuilder::new(&info.name, limits, wanted);
        let mut sheet = Sheet { book: self, rows: BTreeMap::new(), cells: 0, limits, result: None };
        let mut at = *at;
        while let Some((kind, data, next)) = record(&self.stream, at) {
            at = next;
            match kind {
                0x000A => break,
                0x00E5 => merges(data).into_iter().for_each(|merge| builder.merge(merge)),
                _ => sheet.take(kind, data)?,
            }
        }
        for (number, cells) in sheet.rows {
            builder.push(u32::from(number) + 1, cells)?;
            if builder.is_enough() {
                break;
            }
        }
        Ok(builder.finish(self.from_1904))
    }
}

fn merges(data: &[u8]) -> Vec<Merge> {
    let merge = |range: &[u8]| {
        let number = |at| u16_at(range, at).map(u32::from);
        let column = |at| u16_at(range, at).map(usize::from);
        Some(Merge { rows: (number(0)? + 1, number(2)? + 1), columns: (column(4)?, column(6)?) })
    };
    data.get(2..).unwrap_or_default().chunks_exact(8).filter_map(merge).collect()
}

/// A sheet that is being read.
struct Sheet<'x> {
    book: &'x Xls,
    rows: BTreeMap<u16, Vec<Cell>>,
    cells: usize,
    limits: Limits,
    /// The cell of a formula whose text comes in the next record.
    result: Option<(u16, u16)>,
}

impl Sheet<'_> {
    fn take(&mut self, kind: u16, data: &[u8]) -> Result<(), FileProblem> {
        let place = || Some((u16_at(data, 0)?, u16_at(data, 2)?, usize::from(u16_at(data, 4)?)));
        match kind {
            0x00FD => {
                let (row, column, _) = place().ok_or_else(damaged)?;
                let index = u32_at(data, 6).and_then(|index| usize::try_from(index).ok());
                let text = index.and_then(|index| self.book.strings.get(index)).ok_or_else(damaged)?.clone();
                self.put(row, column, Cell { kind: CellKind::Text, text })
            }
            0x0203 => {
                let (row, column, format) = place().ok_or_else(damaged)?;
                let cell = self.number(bits_at(data, 6).ok_or_else(damaged)?, false, format);
                self.put(row, column, cell)
            }
            0x027E => {
                let (row, column, format) = place().ok_or_else(damaged)?;
                let cell = self.packed(u32_at(data, 6).ok_or_else(damaged)?, format);
                self.put(row, column, cell)
            }
            0x00BD => {
                let (row, first, _) = place().ok_or_else(damaged)?;
                let each = data.get(4..data.len().saturating_sub(2)).unwrap_or_default().chunks_exact(6);
                for (column, one) in (first..=u16::MAX).zip(each) {
                    let format = usize::from(u16_at(one, 0).unwrap_or(0));
                    let cell = self.packed(u32_at(one, 2).ok_or_else(damaged)?, format);
                    self.put(row, column, cell)?;
                }
                Ok(())
            }
            0x0204 | 0x00D6 => {
                let (row, column, _) = place().ok_or_else(damaged)?;
                let text = text_at(data, 6, false).ok_or_else(damaged)?;
                self.put(row, column, Cell::new(CellKind::Text, &text))
            }
            0x0205 => {
                let (row, column, _) = place().ok_or_else(damaged)?;
                let (value, error) = (data.get(6).copied().unwrap_or(0), data.get(7) == Some(&1));
                self.put(row, column, if error { error_cell(value) } else { bool_cell(value) })
            }
            0x0006 => self.formula(data),
            0x0207 => {
                let Some((row, column)) = self.result.take() else { return Ok(()) };
                let text = text_at(data, 0, false).ok_or_else(damaged)?;
                self.put(row, column, Cell::new(CellKind::Text, &text))
            }
            _ => Ok(()),
        }
    }

    fn formula(&mut self, data: &[u8]) -> Result<(), FileProblem> {
        let place = (u16_at(data, 0), u16_at(data, 2), u16_at(data, 4));
        let (Some(row), Some(column), Some(format)) = place else { return Err(damaged()) };
        let stale = u16_at(data, 14).is_some_and(|flags| flags & 2 == 2);
        let cell = match (u16_at(data, 12), data.get(6).copied(), data.get(8).copied().unwrap_or(0)) {
            _ if stale => Cell::new(CellKind::Formula, ""),
            (Some(0xFFFF), Some(0), _) => {
                self.result = Some((row, column));
                return Ok(());
            }
            (Some(0xFFFF), Some(1), value) => bool_cell(value),
            (Some(0xFFFF), Some(2), value) => error_cell(value),
            (Some(0xFFFF), ..) => Cell::default(),
            _ => self.number(bits_at(data, 6).ok_or_else(damaged)?, false, usize::from(format)),
        };
        self.put(row, column, cell)
    }

    /// A number of eight bytes, or a hundredth of it.
    fn number(&self, bits: u64, hundredth: bool, format: usize) -> Cell {
        let number = f64::from_bits(bits);
        let text = format!("{number:e}");
        let text = match text.split_once('e').filter(|_| hundredth) {
            Some((digits, exponent)) => format!("{digits}e{}", exponent.parse::<i32>().unwrap_or(0) - 2),
            None => text,
        };
        self.shown(&text, format)
    }

    /// A number that was packed into four bytes.
    fn packed(&self, packed: u32, format: usize) -> Cell {
        let hundredth = packed & 1 == 1;
        if packed & 2 == 2 {
            let whole = packed.cast_signed() >> 2;
            return self.shown(&format!("{whole}e{}", if hundredth { -2 } else { 0 }), format);
        }
        self.number(u64::from(packed & !3) << 32, hundredth, format)
    }

    fn shown(&self, text: &str, format: usize) -> Cell {
        self.book.shapes.get(format).unwrap_or(&Shape::Plain).cell(text, self.book.from_1904)
    }

    fn put(&mut self, row: u16, column: u16, cell: Cell) -> Result<(), FileProblem> {
        if cell.kind == CellKind::Empty || cell.text.is_none() && cell.kind != CellKind::Formula {
            return Ok(());
        }
        let column = usize::from(column);
        let cells = self.rows.entry(row).or_default();
        if cells.len() <= column {
            self.cells += column + 1 - cells.len();
            if column >= self.limits.max_columns.max(256) || self.cells > self.limits.max_cells {
                return Err(damaged());
            }
            cells.resize(column + 1, Cell::default());
        }
        if let Some(place) = cells.get_mut(column) {
            *place = cell;
        }
        Ok(())
    }
}

fn bool_cell(value: u8) -> Cell {
    Cell::new(CellKind::Bool, if value == 0 { "FALSE" } else { "TRUE" })
}

fn error_cell(value: u8) -> Cell {
    let name = match value {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    };
    Cell::new(CellKind::Error, name)
}
