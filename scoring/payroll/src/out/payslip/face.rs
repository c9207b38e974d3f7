//! A font as text is measured and set with it: one glyph for each character.

use krilla::Data;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A font: TrueType, OpenType, or one of a collection.
#[derive(Clone)]
pub struct Face {
    bytes: Arc<Vec<u8>>,
    index: u32,
    font: Font,
    per_em: i64,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face").field("bytes", &self.bytes.len()).field("index", &self.index).finish()
    }
}

/// A glyph and how far it goes, in units of the font.
type Measured = (GlyphId, i64);

/// Measures text, thousandths of a point.
pub(super) struct Ruler<'f> {
    font: FontRef<'f>,
    per_em: i64,
}

impl Face {
    /// Reads a font file; `index` is the font of a collection, 0 in a file of one.
    ///
    /// # Errors
    /// The bytes are no font, or there is none at `index`.
    pub fn new(bytes: Vec<u8>, index: u32) -> Result<Self, String> {
        let bytes = Arc::new(bytes);
        let read = FontRef::from_index(&bytes, index).map_err(|error| error.to_string())?;
        let per_em = read.metrics(Size::unscaled(), LocationRef::default()).units_per_em;
        if per_em == 0 || read.outline_glyphs().format().is_none() {
            return Err("it has no outlines that can be embedded".to_owned());
        }
        let font = Font::new(Data::from(Arc::clone(&bytes)), index).ok_or("its tables cannot be read")?;
        Ok(Self { bytes, index, font, per_em: i64::from(per_em) })
    }

    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    pub(super) fn ruler(&self) -> Result<Ruler<'_>, String> {
        let font = FontRef::from_index(&self.bytes, self.index).map_err(|error| error.to_string())?;
        Ok(Ruler { font, per_em: self.per_em })
    }
}

impl Ruler<'_> {
    fn measured(&self, sign: char) -> Option<Measured> {
        let glyph = self.font.charmap().map(sign).filter(|glyph| glyph.to_u32() != 0)?;
        let advance = self.font.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(glyph)?;
        #[expect(clippy::cast_possible_truncation, reason = "units of a font are whole numbers below 65536")]
        let advance = advance as i64;
        Some((GlyphId::new(glyph.to_u32()), advance))
    }

    /// Characters that cannot be set.
    pub(super) fn lacking(&self, text: &str) -> BTreeSet<char> {
        text.chars().filter(|sign| is_joined(*sign) || self.measured(*sign).is_none()).collect()
    }

    /// How wide a character is at a size; both thousandths of a point.
    pub(super) fn width_of(&self, sign: char, size: i64) -> i64 {
        self.measured(sign).map_or(0, |(_, advance)| advance * size / self.per_em)
    }

    /// How wide text is at a size; both thousandths of a point.
    pub(super) fn width(&self, text: &str, size: i64) -> i64 {
        text.chars().map(|sign| self.width_of(sign, size)).sum()
    }

    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let set = text.char_indices().filter_map(|(at, sign)| {
            let (glyph, advance) = self.measured(sign)?;
            let advance = ratio(advance, self.per_em);
            Some(KrillaGlyph::new(glyph, advance, 0.0, 0.0, 0.0, at..at + sign.len_utf8(), None))
        });
        set.collect()
    }
}

/// A length on the page; amounts of money never come here.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "PDF counts in binary floats")]
pub(super) fn ratio(value: i64, of: i64) -> f32 {
    (value as f64 / of as f64) as f32
}

/// Whether a character changes with its neighbours, or the direction of the line: marks that stand on others, scripts that
/// are joined or run from right to left, signs of several parts. To set them one by one would be wrong.
fn is_joined(sign: char) -> bool {
    matches!(u32::from(sign),
        0x0300..=0x036F | 0x0590..=0x109F | 0x1780..=0x18AF | 0x1A00..=0x1CFF | 0x1DC0..=0x1DFF
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x20D0..=0x20FF | 0xA800..=0xABFF
        | 0xFB1D..=0xFDFF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0xFE70..=0xFEFF | 0x1F000..=0x1FAFF
        | 0xE0000..=0xE0FFF)
}
