//! Where the headings of a table stand: in one row, or in two of which the second names the parts of the first.

use crate::clean;
use crate::grid::{Grid, Merge, Row};
use crate::target::Target;
use std::collections::BTreeSet;

/// Where the header is looked for.
pub(crate) const HEAD_ROWS: usize = 30;

/// A header has so many headings that are known.
const KNOWN_HEADINGS: usize = 4;

/// A header that was found.
pub(crate) struct Header {
    /// The place of its last row in the grid.
    pub(crate) last: usize,
    /// Each heading, and whether a star marks it.
    pub(crate) headings: Vec<(String, bool)>,
    /// How many fields they know.
    pub(crate) known: usize,
}

/// The headings of one row.
fn single(row: &Row) -> Vec<(String, bool)> {
    row.cells.iter().map(|cell| heading(cell.text())).collect()
}

/// A heading on one line without its stars, and whether it had one.
pub(crate) fn heading(text: &str) -> (String, bool) {
    let line = clean::on_one_line(text);
    let starred = line.contains(['*', '＊', '★']);
    (line.trim_matches(|c: char| matches!(c, '*' | '＊' | '★') || c.is_whitespace()).to_owned(), starred)
}

/// How many fields the headings know.
fn known(headings: &[(String, bool)], target: &Target) -> usize {
    headings.iter().filter_map(|(heading, _)| target.field_of_heading(heading)).collect::<BTreeSet<_>>().len()
}

/// The first row, or pair of rows, in which enough headings are known; else the one in which most are, two at least and
/// the key among them.
pub(crate) fn find_header(grid: &Grid, target: &Target) -> Option<Header> {
    let mut best: Option<Header> = None;
    for at in 0..grid.rows.len().min(HEAD_ROWS) {
        let header = header_at(grid, at, Some(target));
        if header.known >= KNOWN_HEADINGS {
            return Some(header);
        }
        let has_key = || {
            let key = target.key.first();
            header.headings.iter().any(|(heading, _)| target.field_of_heading(heading).as_ref() == key)
        };
        if header.known >= 2 && has_key() && best.as_ref().is_none_or(|best| header.known > best.known) {
            best = Some(header);
        }
    }
    best
}

/// The header that begins at a row: one row, or two where the second names parts of the first.
pub(crate) fn header_at(grid: &Grid, at: usize, target: Option<&Target>) -> Header {
    let Some(row) = grid.rows.get(at) else { return Header { last: at, headings: Vec::new(), known: 0 } };
    let one = single(row);
    let Some(target) = target else { return Header { last: at, headings: one, known: 0 } };
    let alone = Header { last: at, known: known(&one, target), headings: one };
    let Some(below) = grid.rows.get(at + 1).filter(|below| below.number == row.number + 1) else { return alone };
    let pair = two_rows(row, below, &grid.merges, target);
    let both = known(&pair, target);
    // A row above that knows nothing is a title; the row below stands for itself.
    if both > alone.known && (alone.known > 0 || both > known(&single(below), target)) {
        return Header { last: at + 1, headings: pair, known: both };
    }
    alone
}

/// The header at a row that somebody names: one row, or the lower or upper one of two.
pub(crate) fn named_header(grid: &Grid, at: usize, target: Option<&Target>) -> Header {
    let own = header_at(grid, at, target);
    let above = at.checked_sub(1).map(|above| header_at(grid, above, target));
    above.filter(|above| above.last == at && above.known > own.known).unwrap_or(own)
}

/// The headings of two rows: below a group the group and the part, or the part alone where only that is known.
fn two_rows(top: &Row, below: &Row, merges: &[Merge], target: &Target) -> Vec<(String, bool)> {
    let width = top.cells.len().max(below.cells.len());
    let mut group = (String::new(), false);
    let mut headings = Vec::with_capacity(width);
    for column in 0..width {
        let (above, part) = (heading(top.cell(column).text()), heading(below.cell(column).text()));
        let in_merge = merges.iter().any(|merge| {
            merge.rows.0 <= top.number
                && top.number <= merge.rows.1
                && merge.columns.0 < column
                && column <= merge.columns.1
        });
        if !above.0.is_empty() {
            group = above.clone();
        } else if !in_merge && !merges.is_empty() {
            group = (String::new(), false);
        }
        headings.push(match (above.0.is_empty(), part.0.is_empty()) {
            (_, true) => above,
            (true, false) if group.0.is_empty() => part,
            _ => {
                let joined = format!("{}{}", group.0, part.0);
                let text = if target.field_of_heading(&joined).is_some() { joined } else { part.0 };
                (text, part.1 || group.1)
            }
        });
    }
    headings
}

/// Without a target: the first row that is about as wide as the widest of the first rows.
pub(crate) fn widest(grid: &Grid) -> Option<Header> {
    let filled = |row: &Row| row.cells.iter().filter(|cell| !cell.is_blank()).count();
    let head = grid.rows.get(..grid.rows.len().min(HEAD_ROWS)).unwrap_or_default();
    let most = head.iter().map(filled).max()?;
    let at = head.iter().position(|row| filled(row) * 3 >= most * 2)?;
    Some(header_at(grid, at, None))
}
