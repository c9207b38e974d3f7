//! Parquet files: plain pages, not compressed, every column optional. Decimals and days are exact.

use super::thrift::{Compact, Items};
use super::{ColumnKind, Datum, WriteColumn, invalid};
use hub_tree::Decimal;
use hub_tree::jiff::civil::date;
use std::io::{self, Write};

const MAGIC: &[u8] = b"PAR1";

/// A row group ends with so many rows or bytes: what is held in memory.
const GROUP_ROWS: usize = 50_000;
const GROUP_BYTES: usize = 16 << 20;

/// Digits of a decimal column: as many as sixteen bytes hold.
const PRECISION: i32 = 38;

/// A column of the row group at hand.
struct Buffer {
    column: WriteColumn,
    values: Vec<u8>,
    /// Whether each row has a value.
    filled: Vec<bool>,
    /// True/false values, which are packed to bits.
    bits: Vec<bool>,
}

/// Where a column of a row group lies.
struct Chunk {
    offset: i64,
    bytes: i64,
}

struct Group {
    rows: i64,
    chunks: Vec<Chunk>,
}

pub(super) struct ParquetWriter<W: Write> {
    out: W,
    at: i64,
    buffers: Vec<Buffer>,
    groups: Vec<Group>,
}

impl<W: Write> ParquetWriter<W> {
    pub(super) fn new(mut out: W, columns: Vec<WriteColumn>) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let buffer = |column| Buffer { column, values: Vec::new(), filled: Vec::new(), bits: Vec::new() };
        Ok(Self { out, at: 4, buffers: columns.into_iter().map(buffer).collect(), groups: Vec::new() })
    }

    pub(super) fn row(&mut self, cells: &[Datum<'_>]) -> io::Result<()> {
        for (buffer, cell) in self.buffers.iter().zip(cells) {
            buffer.fits(cell)?;
        }
        for (buffer, cell) in self.buffers.iter_mut().zip(cells) {
            buffer.push(cell)?;
        }
        let rows = self.buffers.first().map_or(0, |buffer| buffer.filled.len());
        let bytes: usize = self.buffers.iter().map(|buffer| buffer.values.len() + buffer.bits.len()).sum();
        if rows >= GROUP_ROWS || bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes the row group at hand.
    fn flush(&mut self) -> io::Result<()> {
        let rows = self.buffers.first().map_or(0, |buffer| buffer.filled.len());
        if rows == 0 {
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(self.buffers.len());
        for buffer in &mut self.buffers {
            let page = buffer.take_page()?;
            let size = i32::try_from(page.len()).map_err(|_| invalid("a row group is larger than 2 GiB"))?;
            let mut header = Compact::default();
            header.structure(|page| {
                page.i32(1, 0);
                page.i32(2, size);
                page.i32(3, size);
                page.inner(5, |data| {
                    data.i32(1, i32::try_from(rows).unwrap_or(i32::MAX));
                    data.i32(2, 0);
                    data.i32(3, 3);
                    data.i32(4, 3);
                });
            });
            self.out.write_all(&header.out)?;
            self.out.write_all(&page)?;
            let bytes = as_i64(header.out.len() + page.len());
            chunks.push(Chunk { offset: self.at, bytes });
            self.at += bytes;
        }
        self.groups.push(Group { rows: as_i64(rows), chunks });
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        let footer = self.footer();
        let length = u32::try_from(footer.len()).map_err(|_| invalid("too many row groups"))?;
        self.out.write_all(&footer)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(MAGIC)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn footer(&self) -> Vec<u8> {
        let mut footer = Compact::default();
        footer.structure(|file| {
            file.i32(1, 1);
            file.list(2, Items::Structure, self.buffers.len() + 1);
            file.structure(|root| {
                root.text(4, "schema");
                root.i32(5, i32::try_from(self.buffers.len()).unwrap_or(i32::MAX));
            });
            for buffer in &self.buffers {
                file.structure(|element| schema(&buffer.column, element));
            }
            file.i64(3, self.groups.iter().map(|group| group.rows).sum());
            file.list(4, Items::Structure, self.groups.len());
            for group in &self.groups {
                file.structure(|out| self.group(group, out));
            }
            file.text(6, "hrhub");
        });
        footer.out
    }

    fn group(&self, group: &Group, out: &mut Compact) {
        out.list(1, Items::Structure, group.chunks.len());
        for (chunk, buffer) in group.chunks.iter().zip(&self.buffers) {
            out.structure(|column| {
                column.i64(2, chunk.offset);
                column.inner(3, |meta| {
                    meta.i32(1, physical(buffer.column.kind));
                    meta.list(2, Items::Number, 2);
                    meta.number_item(0);
                    meta.number_item(3);
                    meta.list(3, Items::Text, 1);
                    meta.text_item(&buffer.column.name);
                    meta.i32(4, 0);
                    meta.i64(5, group.rows);
                    meta.i64(6, chunk.bytes);
                    meta.i64(7, chunk.bytes);
                    meta.i64(9, chunk.offset);
                });
            });
        }
        out.i64(2, group.chunks.iter().map(|chunk| chunk.bytes).sum());
        out.i64(3, group.rows);
    }
}

fn as_i64(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The number of a column's physical type.
fn physical(kind: ColumnKind) -> i32 {
    match kind {
        ColumnKind::Bool => 0,
        ColumnKind::Date => 1,
        ColumnKind::Integer | ColumnKind::DateTime => 2,
        ColumnKind::Text => 6,
        ColumnKind::Decimal(_) => 7,
    }
}

/// An element of the schema: its name, its type, and what the type means.
fn schema(column: &WriteColumn, element: &mut Compact) {
    element.i32(1, physical(column.kind));
    if matches!(column.kind, ColumnKind::Decimal(_)) {
        element.i32(2, 16);
    }
    element.i32(3, 1);
    element.text(4, &column.name);
    match column.kind {
        ColumnKind::Text => {
            element.i32(6, 0);
            element.inner(10, |logical| logical.inner(1, |_| {}));
        }
        ColumnKind::Decimal(scale) => {
            let scale = i32::from(scale.min(28));
            element.i32(6, 5);
            element.i32(7, scale);
            element.i32(8, PRECISION);
            element.inner(10, |logical| {
                logical.inner(5, |decimal| {
                    decimal.i32(1, scale);
                    decimal.i32(2, PRECISION);
                });
            });
        }
        ColumnKind::Date => {
            element.i32(6, 6);
            element.inner(10, |logical| logical.inner(6, |_| {}));
        }
        ColumnKind::DateTime => {
            element.i32(6, 10);
            element.inner(10, |logical| {
                logical.inner(8, |timestamp| {
                    timestamp.bool(1, true);
                    timestamp.inner(2, |unit| unit.inner(2, |_| {}));
                });
            });
        }
        ColumnKind::Integer | ColumnKind::Bool => {}
    }
}

/// The digits of a decimal at the scale of its column, if it fits exactly.
fn unscaled(number: Decimal, scale: u8) -> Option<i128> {
    let scale = u32::from(scale.min(28));
    let plain = number.normalize();
    let missing = scale.checked_sub(plain.scale())?;
    plain.mantissa().checked_mul(10_i128.checked_pow(missing)?)
}

impl Buffer {
    /// Whether a cell is of the column's kind.
    fn fits(&self, cell: &Datum<'_>) -> io::Result<()> {
        let fits = match (self.column.kind, cell) {
            (_, Datum::Nothing)
            | (ColumnKind::Text, _)
            | (ColumnKind::Integer, Datum::Integer(_))
            | (ColumnKind::Bool, Datum::Bool(_))
            | (ColumnKind::Date, Datum::Date(_))
            | (ColumnKind::DateTime, Datum::DateTime(_)) => true,
            (ColumnKind::Decimal(scale), Datum::Decimal(number)) => unscaled(*number, scale).is_some(),
            _ => false,
        };
        if fits { Ok(()) } else { Err(invalid("a cell is not of its column's kind, or has more digits")) }
    }

    fn push(&mut self, cell: &Datum<'_>) -> io::Result<()> {
        self.filled.push(*cell != Datum::Nothing);
        match (self.column.kind, cell) {
            (_, Datum::Nothing) => {}
            (ColumnKind::Text, cell) => {
                let text = cell.shown();
                let length = u32::try_from(text.len()).map_err(|_| invalid("a text is longer than 4 GiB"))?;
                self.values.extend_from_slice(&length.to_le_bytes());
                self.values.extend_from_slice(text.as_bytes());
            }
            (ColumnKind::Decimal(scale), Datum::Decimal(number)) => {
                self.values.extend_from_slice(&unscaled(*number, scale).unwrap_or_default().to_be_bytes());
            }
            (_, Datum::Integer(number)) => self.values.extend_from_slice(&number.to_le_bytes()),
            (_, Datum::Bool(value)) => self.bits.push(*value),
            (_, Datum::Date(day)) => {
                let days = day.since(date(1970, 1, 1)).map(|span| span.get_days()).unwrap_or_default();
                self.values.extend_from_slice(&days.to_le_bytes());
            }
            (_, Datum::DateTime(at)) => self.values.extend_from_slice(&at.as_microsecond().to_le_bytes()),
            (_, _) => {}
        }
        Ok(())
    }

    /// The page of what is held: which rows have a value, then the values.
    fn take_page(&mut self) -> io::Result<Vec<u8>> {
        let levels = packed(&self.filled);
        let mut run = Compact::default();
        // One run of groups of eight bits.
        let groups = u64::try_from(levels.len()).unwrap_or(u64::MAX);
        run.plain_varint(groups << 1 | 1);
        let length = run.out.len() + levels.len();
        let length = u32::try_from(length).map_err(|_| invalid("a row group has too many rows"))?;
        let mut page = Vec::with_capacity(self.values.len() + levels.len() + 16);
        page.extend_from_slice(&length.to_le_bytes());
        page.extend_from_slice(&run.out);
        page.extend_from_slice(&levels);
        page.append(&mut self.values);
        page.extend_from_slice(&packed(&self.bits));
        self.filled.clear();
        self.bits.clear();
        Ok(page)
    }
}

/// Bits packed into bytes, the first into the lowest.
fn packed(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}
