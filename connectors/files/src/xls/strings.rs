//! Texts of old workbooks, which may go on in the next record at any character.

use super::cfb::{u16_at, u32_at};

/// The bytes of a record and of those that continue it.
pub(super) struct Pieces<'b> {
    pieces: Vec<&'b [u8]>,
    piece: usize,
    at: usize,
}

impl<'b> Pieces<'b> {
    pub(super) fn new(pieces: Vec<&'b [u8]>) -> Self {
        Self { pieces, piece: 0, at: 0 }
    }

    /// The rest of the piece at hand; goes on to the next when it is used up.
    fn rest(&mut self) -> Option<&'b [u8]> {
        while self.at >= self.pieces.get(self.piece)?.len() {
            self.piece += 1;
            self.at = 0;
        }
        self.pieces.get(self.piece)?.get(self.at..)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut out = [0; N];
        for place in &mut out {
            *place = *self.rest()?.first()?;
            self.at += 1;
        }
        Some(out)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take::<4>().map(u32::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take::<2>().map(u16::from_le_bytes)
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            let step = self.rest()?.len().min(count);
            self.at += step;
            count -= step;
        }
        Some(())
    }

    /// A text with its length before it, without its formats.
    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u16()?);
        let [flags] = self.take::<1>()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(self.u16()?) * 4 };
        let aids = if flags & 4 == 0 { 0 } else { usize::try_from(self.u32()?).ok()? };
        let text = self.characters(length, flags & 1 == 1)?;
        self.skip(runs.checked_add(aids)?)?;
        Some(text)
    }

    /// Characters of one byte or of two; where they go on in the next record, a byte says of how many.
    fn characters(&mut self, length: usize, mut wide: bool) -> Option<String> {
        let mut units: Vec<u16> = Vec::new();
        while units.len() < length {
            let at_end = self.at >= self.pieces.get(self.piece)?.len();
            if at_end {
                let [flags] = self.take::<1>()?;
                wide = flags & 1 == 1;
                continue;
            }
            if wide {
                units.push(self.u16()?);
            } else {
                units.push(u16::from(self.take::<1>()?[0]));
            }
        }
        Some(String::from_utf16_lossy(&units))
    }
}

/// A text inside of one record: its length in two bytes, or in one.
pub(super) fn text_at(bytes: &[u8], at: usize, short: bool) -> Option<String> {
    let (length, flags) =
        if short { (usize::from(*bytes.get(at)?), at + 1) } else { (usize::from(u16_at(bytes, at)?), at + 2) };
    let start = flags + 1;
    if bytes.get(flags)? & 1 == 1 {
        let units = bytes.get(start..start.checked_add(length * 2)?)?.chunks_exact(2);
        let units: Vec<u16> = units.filter_map(|unit| u16_at(unit, 0)).collect();
        return Some(String::from_utf16_lossy(&units));
    }
    Some(bytes.get(start..start.checked_add(length)?)?.iter().copied().map(char::from).collect())
}

/// The shared texts of a workbook.
pub(super) fn shared(pieces: Vec<&[u8]>) -> Option<Vec<String>> {
    let mut pieces = Pieces::new(pieces);
    let _uses = pieces.u32()?;
    let count = pieces.u32()?;
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(pieces.text()?);
    }
    Some(texts)
}

/// The bits of a number of eight bytes.
pub(super) fn bits_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32_at(bytes, at)?) | u64::from(u32_at(bytes, at + 4)?) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_on_in_the_next_record_in_another_width() {
        let first: &[u8] = &[2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, b'a', b'b'];
        let second: &[u8] = &[1, 0x4E, 0x67, 2, 0, 1, 0xE0, 0x65];
        let third: &[u8] = &[0, b'z'];
        assert_eq!(shared(vec![first, second, third]).unwrap(), ["ab李", "无z"]);
        assert_eq!(shared(vec![first]), None);
    }
}
