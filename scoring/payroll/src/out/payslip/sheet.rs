//! Rows on pages of A4: broken into lines, put on pages, written. Lengths are thousandths of a point.

use super::content::{Look, Row, numbered};
use super::face::{Face, Ruler, ratio};
use super::{Language, Refused};
use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};
use std::collections::BTreeSet;

const WIDE: i64 = 595_276;
const HIGH: i64 = 841_890;
const MARGIN: i64 = 56_000;
const TOP: i64 = 64_000;
const BOTTOM: i64 = 72_000;
/// Where the value of a fact begins.
const STOP: i64 = MARGIN + 110_000;
/// Between a name and its amount, at least.
const GUTTER: i64 = 18_000;
const FOOT: i64 = 8_500;
const BLACK: u8 = 20;
const GREY: u8 = 105;

impl Look {
    /// The size of the text, the space above the row, and how dark it is.
    const fn shape(self) -> (i64, i64, u8) {
        match self {
            Self::Title => (20_000, 0, BLACK),
            Self::Fact => (10_000, 3_000, BLACK),
            Self::Heading => (11_500, 15_000, BLACK),
            Self::Line => (10_000, 5_000, BLACK),
            Self::How => (8_500, 1_000, GREY),
            Self::Net => (14_000, 14_000, BLACK),
        }
    }

    const fn right_begins_at_stop(self) -> bool {
        matches!(self, Self::Fact)
    }
}

/// A row, broken into lines.
struct Broken {
    look: Look,
    left: Vec<String>,
    right: Vec<String>,
}

/// The distance from one line to the next.
const fn leading(size: i64) -> i64 {
    size * 7 / 5
}

impl Broken {
    fn height(&self) -> i64 {
        let (size, above, _) = self.look.shape();
        let lines = i64::try_from(self.left.len().max(self.right.len())).unwrap_or(1);
        above + lines * leading(size)
    }
}

/// Whether a line may not begin with it.
fn closes(sign: char) -> bool {
    "，。、；：！？）】》”’,.;:!?)]%％".contains(sign)
}

fn is_ideograph(sign: char) -> bool {
    matches!(u32::from(sign), 0x2E80..=0x9FFF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x20000..=0x3FFFF)
}

/// Breaks text at spaces and between Chinese characters; a word longer than the line is cut.
fn broken(ruler: &Ruler<'_>, text: &str, size: i64, room: i64) -> Vec<String> {
    let (mut lines, mut line, mut width) = (Vec::new(), String::new(), 0);
    // Up to where the line can be cut, in bytes.
    let mut cut = 0;
    let mut before = ' ';
    for sign in text.chars() {
        let between = before == ' ' || is_ideograph(before) || is_ideograph(sign);
        if !line.is_empty() && between && !closes(sign) && sign != ' ' {
            cut = line.len();
        }
        let own = ruler.width_of(sign, size);
        if width + own > room && !line.is_empty() && sign != ' ' {
            let rest = line.split_off(if cut == 0 { line.len() } else { cut });
            lines.push(line.trim_end().to_owned());
            width = ruler.width(&rest, size);
            line = rest;
            cut = 0;
        }
        line.push(sign);
        width += own;
        before = sign;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn break_row(ruler: &Ruler<'_>, row: &Row) -> Broken {
    let (size, _, _) = row.look.shape();
    let all = WIDE - 2 * MARGIN;
    let right_room = if row.look.right_begins_at_stop() { WIDE - MARGIN - STOP } else { all / 2 };
    let right = if row.right.is_empty() { Vec::new() } else { broken(ruler, &row.right, size, right_room) };
    let taken = right.iter().map(|line| ruler.width(line, size)).max().unwrap_or(0);
    let left_room = match (row.look.right_begins_at_stop(), taken) {
        (true, _) => STOP - MARGIN - GUTTER / 2,
        (false, 0) => all,
        (false, taken) => all - taken - GUTTER,
    };
    Broken { look: row.look, left: broken(ruler, &row.left, size, left_room), right }
}

/// Puts rows on pages. A heading goes with what follows, and a line with how it came to be, as long as a page holds both.
fn paged(rows: Vec<Broken>) -> Vec<Vec<Broken>> {
    let room = HIGH - TOP - BOTTOM;
    let mut blocks: Vec<Vec<Broken>> = Vec::new();
    for row in rows {
        let joins = row.look == Look::How
            || blocks.last().and_then(|block| block.last()).is_some_and(|last| last.look == Look::Heading);
        match blocks.last_mut() {
            Some(block) if joins => block.push(row),
            _ => blocks.push(vec![row]),
        }
    }
    let (mut pages, mut page, mut used) = (Vec::new(), Vec::new(), 0);
    for block in blocks {
        let together: i64 = block.iter().map(Broken::height).sum();
        if used + together > room && !page.is_empty() {
            pages.push(std::mem::take(&mut page));
            used = 0;
        }
        for row in block.into_iter().flat_map(|row| cut(row, room)) {
            let height = row.height();
            if used + height > room && !page.is_empty() {
                pages.push(std::mem::take(&mut page));
                used = 0;
            }
            used += height;
            page.push(row);
        }
    }
    pages.push(page);
    pages
}

/// A row that is longer than a page, in pieces.
fn cut(row: Broken, room: i64) -> Vec<Broken> {
    if row.height() <= room {
        return vec![row];
    }
    let (size, above, _) = row.look.shape();
    let lines = usize::try_from((room - above) / leading(size)).unwrap_or(1).max(1);
    let (left, right) = (row.left.chunks(lines), &mut row.right.chunks(lines));
    let mut pieces: Vec<Broken> = Vec::new();
    for part in left {
        let beside = right.next().unwrap_or_default().to_vec();
        pieces.push(Broken { look: row.look, left: part.to_vec(), right: beside });
    }
    pieces.extend(right.map(|part| Broken { look: row.look, left: Vec::new(), right: part.to_vec() }));
    pieces
}

/// A pen on a page.
struct Pen<'p, 's, 'f> {
    surface: &'p mut Surface<'s>,
    ruler: &'p Ruler<'f>,
    face: &'p Face,
}

impl Pen<'_, '_, '_> {
    fn grey(&mut self, shade: u8) {
        let fill = Fill { paint: luma::Color::new(shade).into(), opacity: NormalizedF32::ONE, ..Fill::default() };
        self.surface.set_fill(Some(fill));
    }

    fn text(&mut self, (x, y): (i64, i64), size: i64, text: &str) {
        let glyphs = self.ruler.glyphs(text);
        let at = Point::from_xy(ratio(x, 1_000), ratio(y, 1_000));
        self.surface.draw_glyphs(at, &glyphs, self.face.font(), text, ratio(size, 1_000), false);
    }

    fn text_at_right(&mut self, y: i64, size: i64, text: &str) {
        let x = WIDE - MARGIN - self.ruler.width(text, size);
        self.text((x, y), size, text);
    }

    fn rule(&mut self, y: i64, shade: u8) {
        let lengths = [MARGIN, y, WIDE - 2 * MARGIN, 500].map(|length| ratio(length, 1_000));
        let [x, y, wide, thick] = lengths;
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, wide, thick) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.grey(shade);
            self.surface.draw_path(&path);
        }
    }

    fn row(&mut self, row: &Broken, top: i64) {
        let (size, above, shade) = row.look.shape();
        let first = top + above + size;
        if row.look == Look::Net {
            self.rule(top + above / 2, BLACK);
        }
        self.grey(shade);
        let place = |index: usize| first + i64::try_from(index).unwrap_or(0) * leading(size);
        for (index, line) in row.left.iter().enumerate() {
            self.text((MARGIN, place(index)), size, line);
        }
        for (index, line) in row.right.iter().enumerate() {
            if row.look.right_begins_at_stop() {
                self.text((STOP, place(index)), size, line);
            } else {
                self.text_at_right(place(index), size, line);
            }
        }
        if row.look == Look::Heading {
            self.rule(top + row.height(), 190);
        }
    }
}

/// Writes rows.
pub(super) fn write(rows: &[Row], foot: &str, face: &Face, language: Language) -> Result<Vec<u8>, Refused> {
    let ruler = face.ruler().map_err(Refused::Font)?;
    let all = rows.iter().flat_map(|row| [row.left.as_str(), row.right.as_str()]);
    let mut lacking: BTreeSet<char> = all.flat_map(|text| ruler.lacking(text)).collect();
    lacking.extend(ruler.lacking(&numbered(language, 1_234_567_890, 1)));
    lacking.extend(ruler.lacking(foot));
    if !lacking.is_empty() {
        return Err(Refused::Lacks(lacking));
    }
    let foot = broken(&ruler, foot, FOOT, (WIDE - 2 * MARGIN) * 3 / 4).into_iter().next().unwrap_or_default();
    let title = rows.first().map(|row| row.left.clone()).unwrap_or_default();
    let pages = paged(rows.iter().map(|row| break_row(&ruler, row)).collect());
    let mut document = Document::new_with(SerializeSettings { enable_tagging: false, ..SerializeSettings::default() });
    document.set_metadata(Metadata::new().title(title).language(language.say("en", "zh-CN").to_owned()));
    let settings = PageSettings::from_wh(ratio(WIDE, 1_000), ratio(HIGH, 1_000))
        .ok_or_else(|| Refused::Font("a page has no size".to_owned()))?;
    let of = pages.len();
    for (index, rows) in pages.iter().enumerate() {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        let mut pen = Pen { surface: &mut surface, ruler: &ruler, face };
        let mut top = TOP;
        for row in rows {
            pen.row(row, top);
            top += row.height();
        }
        pen.grey(GREY);
        pen.text((MARGIN, HIGH - MARGIN + FOOT), FOOT, &foot);
        pen.text_at_right(HIGH - MARGIN + FOOT, FOOT, &numbered(language, index + 1, of));
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| Refused::Font(error.to_string()))
}
