//! Compound files (MS-CFB): the container of old workbooks, a small file system of sectors.

use crate::problem::FileProblem;

const END: u32 = 0xFFFF_FFFE;

fn damaged() -> FileProblem {
    FileProblem::broken("its container cannot be read", "无法读取文件容器")
}

/// Two bytes at a place, the lowest first.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

/// Four bytes at a place, the lowest first.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// A stream or storage.
struct Entry {
    name: String,
    start: u32,
    size: usize,
}

/// A container that was opened.
pub(super) struct Container<'b> {
    bytes: &'b [u8],
    sector: usize,
    table: Vec<u32>,
    entries: Vec<Entry>,
    small: usize,
    small_table: Vec<u32>,
    /// Below this size streams lie in small sectors.
    cutoff: usize,
}

impl<'b> Container<'b> {
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, FileProblem> {
        Self::read(bytes).ok_or_else(damaged)
    }

    fn read(bytes: &'b [u8]) -> Option<Self> {
        let shift = |at| u16_at(bytes, at).filter(|shift| (6..=16).contains(shift)).map(|shift| 1_usize << shift);
        let (sector, small) = (shift(30)?, shift(32)?);
        let mut this = Self {
            bytes,
            sector,
            table: Vec::new(),
            entries: Vec::new(),
            small,
            small_table: Vec::new(),
            cutoff: usize::try_from(u32_at(bytes, 56)?).ok()?,
        };
        // The sectors of the table: 109 stand in the header, more in a chain of their own.
        let count = usize::try_from(u32_at(bytes, 44)?).ok()?.min(bytes.len() / sector + 1);
        let mut places: Vec<u32> = (0..109).filter_map(|index| u32_at(bytes, 76 + index * 4)).collect();
        let mut next = u32_at(bytes, 68)?;
        let mut steps = 0;
        while next < END && places.len() < count && steps <= bytes.len() / sector {
            let own = this.sector_at(next)?;
            let last = sector / 4 - 1;
            places.extend((0..last).filter_map(|index| u32_at(own, index * 4)));
            next = u32_at(own, last * 4)?;
            steps += 1;
        }
        for place in places.into_iter().take(count).filter(|place| *place < END) {
            let own = this.sector_at(place)?;
            this.table.extend((0..sector / 4).filter_map(|index| u32_at(own, index * 4)));
        }
        let directory = this.chain(u32_at(bytes, 48)?, usize::MAX)?;
        for entry in directory.chunks_exact(128) {
            let length = usize::from(u16_at(entry, 64)?);
            let units = entry.get(..length.saturating_sub(2).min(64))?.chunks_exact(2);
            let units: Vec<u16> = units.filter_map(|unit| u16_at(unit, 0)).collect();
            let size = usize::try_from(u32_at(entry, 120)?).ok()?;
            let name = String::from_utf16_lossy(&units);
            this.entries.push(Entry { name, start: u32_at(entry, 116)?, size });
        }
        let small = this.chain(u32_at(bytes, 60)?, usize::MAX)?;
        this.small_table = small.chunks_exact(4).filter_map(|place| u32_at(place, 0)).collect();
        Some(this)
    }

    fn sector_at(&self, index: u32) -> Option<&'b [u8]> {
        let start = usize::try_from(index).ok()?.checked_add(1)?.checked_mul(self.sector)?;
        let end = start.checked_add(self.sector)?.min(self.bytes.len());
        self.bytes.get(start..end)
    }

    /// The bytes of a chain of sectors; a chain longer than the file leads in a circle.
    fn chain(&self, start: u32, size: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut next = start;
        while next < END && out.len() < size {
            if out.len() > self.bytes.len() {
                return None;
            }
            out.extend_from_slice(self.sector_at(next)?);
            next = self.table.get(usize::try_from(next).ok()?).copied()?;
        }
        out.truncate(size);
        Some(out)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The bytes of a stream; `None` when there is none of this name.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Vec<u8>>, FileProblem> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let bytes =
            if entry.size < self.cutoff { self.small_stream(entry) } else { self.chain(entry.start, entry.size) };
        bytes.map(Some).ok_or_else(damaged)
    }

    /// Small streams lie in the stream of the first entry.
    fn small_stream(&self, entry: &Entry) -> Option<Vec<u8>> {
        let root = self.entries.first()?;
        let all = self.chain(root.start, root.size)?;
        let mut out = Vec::new();
        let mut next = entry.start;
        while next < END && out.len() < entry.size {
            if out.len() > all.len() {
                return None;
            }
            let place = usize::try_from(next).ok()?;
            let start = place.checked_mul(self.small)?;
            out.extend_from_slice(all.get(start..start.checked_add(self.small)?.min(all.len()))?);
            next = self.small_table.get(place).copied()?;
        }
        out.truncate(entry.size);
        Some(out)
    }
}
