//! As much of Thrift's compact protocol as the metadata of Parquet needs.

/// Writes structures into bytes.
#[derive(Default)]
pub(super) struct Compact {
    pub(super) out: Vec<u8>,
    /// The last field of each open structure.
    last: Vec<i16>,
}

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// What the items of a list are.
#[derive(Clone, Copy)]
pub(super) enum Items {
    Number,
    Text,
    Structure,
}

impl Compact {
    /// A structure whose fields are written by `fields`, as an item of a list or at the top.
    pub(super) fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        self.last.push(0);
        fields(self);
        self.last.pop();
        self.out.push(0);
    }

    fn field(&mut self, id: i16, kind: u8) {
        let last = self.last.last().copied().unwrap_or(0);
        match u8::try_from(id - last) {
            Ok(step @ 1..=15) => self.out.push(step << 4 | kind),
            _ => {
                self.out.push(kind);
                self.varint(zigzag(i64::from(id)));
            }
        }
        if let Some(last) = self.last.last_mut() {
            *last = id;
        }
    }

    /// A number as it stands, outside of structures.
    pub(super) fn plain_varint(&mut self, value: u64) {
        self.varint(value);
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7F {
            self.out.push(low_bits(value) | 0x80);
            value >>= 7;
        }
        self.out.push(low_bits(value));
    }

    pub(super) fn i32(&mut self, id: i16, value: i32) {
        self.field(id, I32);
        self.varint(zigzag(i64::from(value)));
    }

    pub(super) fn i64(&mut self, id: i16, value: i64) {
        self.field(id, I64);
        self.varint(zigzag(value));
    }

    pub(super) fn bool(&mut self, id: i16, value: bool) {
        self.field(id, if value { 1 } else { 2 });
    }

    pub(super) fn text(&mut self, id: i16, value: &str) {
        self.field(id, BINARY);
        self.text_item(value);
    }

    pub(super) fn text_item(&mut self, value: &str) {
        self.varint(length(value.len()));
        self.out.extend_from_slice(value.as_bytes());
    }

    pub(super) fn number_item(&mut self, value: i32) {
        self.varint(zigzag(i64::from(value)));
    }

    pub(super) fn inner(&mut self, id: i16, fields: impl FnOnce(&mut Self)) {
        self.field(id, STRUCT);
        self.structure(fields);
    }

    pub(super) fn list(&mut self, id: i16, items: Items, count: usize) {
        self.field(id, LIST);
        let kind = match items {
            Items::Number => I32,
            Items::Text => BINARY,
            Items::Structure => STRUCT,
        };
        match u8::try_from(count) {
            Ok(count @ 0..=14) => self.out.push(count << 4 | kind),
            _ => {
                self.out.push(0xF0 | kind);
                self.varint(length(count));
            }
        }
    }
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7F).unwrap_or(0)
}

fn length(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
