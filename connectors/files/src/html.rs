//! Tables of web pages, as many systems export them under the name of a workbook.
//!
//! No page is rendered: of the tables of the page the one with most rows is read, and all its cells are text.

use crate::grid::{Cell, CellKind, Grid, GridBuilder, Limits};
use crate::problem::FileProblem;

/// How deep tables may lie in each other.
const MAX_DEPTH: usize = 20;

/// Whether text begins like a page with a table.
pub(crate) fn is_page(text: &str) -> bool {
    let end = text.char_indices().nth(20_000).map_or(text.len(), |(at, _)| at);
    let head = text.get(..end).unwrap_or(text).trim_start().to_ascii_lowercase();
    let begins = ["<html", "<!doctype html", "<table", "<meta", "<head", "<style", "<body", "<div", "<?xml", "<!--"];
    begins.iter().any(|start| head.starts_with(start))
        && head.contains("<table")
        && !head.contains("urn:schemas-microsoft-com:office:spreadsheet\"")
}

/// A piece of a page.
enum Piece<'t> {
    /// A tag: its name in small letters, whether it closes, and what stands behind the name.
    Tag(String, bool, &'t str),
    Text(&'t str),
}

/// Takes the first piece off a page. Comments, scripts and styles are passed over.
fn next_piece<'t>(rest: &mut &'t str) -> Option<Piece<'t>> {
    loop {
        let text = *rest;
        if text.is_empty() {
            return None;
        }
        if !text.starts_with('<') {
            let end = text.find('<').unwrap_or(text.len());
            let (piece, behind) = text.split_at(end);
            *rest = behind;
            return Some(Piece::Text(piece));
        }
        if let Some(comment) = text.strip_prefix("<!--") {
            *rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let inner = text.get(1..).unwrap_or_default();
        let closing = inner.starts_with('/');
        let name: String =
            inner.trim_start_matches('/').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == ':').collect();
        if name.is_empty() && !inner.starts_with(['!', '?']) {
            // A sign that is no tag.
            let end = inner.find('<').map_or(text.len(), |at| at + 1);
            let (piece, behind) = text.split_at(end);
            *rest = behind;
            return Some(Piece::Text(piece));
        }
        let Some(end) = tag_end(inner) else {
            *rest = "";
            return None;
        };
        let tag = inner.get(..end).unwrap_or_default();
        *rest = inner.get(end + 1..).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if !closing && (name == "script" || name == "style") {
            *rest = behind_raw_text(rest, &name);
            continue;
        }
        let behind = tag.get(name.len()..).unwrap_or_default();
        return Some(Piece::Tag(name, closing, behind));
    }
}

/// Where a tag ends: the first `>` outside quotes.
fn tag_end(inner: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in inner.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn behind_raw_text<'t>(rest: &'t str, name: &str) -> &'t str {
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|rest| rest.find("</")) {
        let start = from + at + 2;
        if rest.get(start..start + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return rest.get(start + name.len()..).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
        }
        from = start;
    }
    ""
}

/// The number that an attribute of a tag has.
fn span(tag: &str, name: &str) -> usize {
    let lower = tag.to_ascii_lowercase();
    let value = lower.split_once(&format!("{name}=")).map(|(_, rest)| rest.trim_start_matches(['"', '\'', ' ']));
    let digits: String = value.unwrap_or_default().chars().take_while(char::is_ascii_digit).take(4).collect();
    digits.parse().unwrap_or(1).max(1)
}

/// A table that is being read.
struct Open {
    builder: GridBuilder,
    number: u32,
    cells: Vec<Cell>,
    next: usize,
    /// In how many rows to come a column is taken by a cell from above.
    taken: Vec<usize>,
    cell: Option<(String, usize, usize)>,
    in_row: bool,
}

impl Open {
    fn new(limits: Limits) -> Self {
        Self {
            builder: GridBuilder::new("", limits, None),
            number: 0,
            cells: Vec::new(),
            next: 0,
            taken: Vec::new(),
            cell: None,
            in_row: false,
        }
    }

    fn end_cell(&mut self) -> Result<(), FileProblem> {
        let Some((text, columns, rows)) = self.cell.take() else { return Ok(()) };
        while self.taken.get(self.next).is_some_and(|rows| *rows > 0) {
            self.next += 1;
        }
        self.builder.check_column(self.next)?;
        let text = text.trim();
        if !text.is_empty() {
            self.cells.resize(self.next, Cell::default());
            self.cells.push(Cell::new(CellKind::Text, text));
        }
        let end = self.next.saturating_add(columns);
        if rows > 1 && end < 10_000 {
            if self.taken.len() < end {
                self.taken.resize(end, 0);
            }
            for taken in self.taken.iter_mut().take(end).skip(self.next) {
                *taken = rows;
            }
        }
        self.next = end;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FileProblem> {
        self.end_cell()?;
        if !std::mem::take(&mut self.in_row) {
            return Ok(());
        }
        self.number = self.number.saturating_add(1);
        self.builder.push(self.number, std::mem::take(&mut self.cells))?;
        self.next = 0;
        for taken in &mut self.taken {
            *taken = taken.saturating_sub(1);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Grid, FileProblem> {
        self.end_row()?;
        Ok(self.builder.finish(false))
    }
}

/// The table with most rows.
pub(crate) fn grid(text: &str, limits: Limits) -> Result<Grid, FileProblem> {
    let mut rest = text;
    let mut open: Vec<Open> = Vec::new();
    let mut best = Grid::default();
    let keep = |best: &mut Grid, table: Open| {
        let grid = table.finish()?;
        if grid.rows.len() > best.rows.len() {
            *best = grid;
        }
        Ok::<(), FileProblem>(())
    };
    while let Some(piece) = next_piece(&mut rest) {
        match piece {
            Piece::Text(text) => {
                if let Some((cell, ..)) = open.last_mut().and_then(|table| table.cell.as_mut()) {
                    // Line breaks of the page's source are blanks.
                    cell.push_str(&unescaped(&text.replace(['\r', '\n', '\t'], " ")));
                }
            }
            Piece::Tag(name, closing, behind) => match (name.as_str(), closing) {
                ("table", false) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(FileProblem::broken("its tables nest too deep", "表格嵌套过深"));
                    }
                    open.push(Open::new(limits));
                }
                ("table", true) => {
                    if let Some(table) = open.pop() {
                        keep(&mut best, table)?;
                    }
                }
                ("tr", closing) => {
                    if let Some(table) = open.last_mut() {
                        table.end_row()?;
                        table.in_row = !closing;
                    }
                }
                ("td" | "th", closing) => {
                    if let Some(table) = open.last_mut() {
                        table.end_cell()?;
                        if !closing {
                            table.in_row = true;
                            table.cell = Some((String::new(), span(behind, "colspan"), span(behind, "rowspan")));
                        }
                    }
                }
                ("br", _) | ("p" | "div" | "li", true) => {
                    if let Some((cell, ..)) = open.last_mut().and_then(|table| table.cell.as_mut()) {
                        cell.push('\n');
                    }
                }
                _ => {}
            },
        }
    }
    while let Some(table) = open.pop() {
        keep(&mut best, table)?;
    }
    Ok(best)
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let known = entity.and_then(|(name, behind)| Some((character(name)?, behind)));
        match known {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "nbsp" => ' ',
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "yen" => '¥',
        "middot" => '·',
        "mdash" => '—',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_page_is_read_whatever_stands_around_it() {
        let page = "<html xmlns:x='urn:schemas-microsoft-com:office:excel'><head><style>td{a:'<'}</style></head>\
            <body><table><tr><td>Layout<table>\
            <tr><th rowspan=2>工号</th><th colspan=\"2\">姓名 &amp; 部门</th></tr><tr><td>a</td><td>b<br>c</td></tr>\
            <!-- <tr> --><tr><td style='mso-number-format:\"\\@\"'>00&#49;2</td><td>&nbsp;</td><td>x < y</td>\
            </table></td></tr></table>";
        assert!(is_page(page));
        let grid = grid(page, Limits::default()).unwrap();
        let rows: Vec<Vec<&str>> = grid.rows.iter().map(|row| row.cells.iter().map(Cell::text).collect()).collect();
        assert_eq!(rows, [vec!["工号", "姓名 & 部门"], vec!["", "a", "b\nc"], vec!["0012", "", "x < y"]]);
        assert!(!is_page("工号,<table>"));
    }

    #[test]
    fn pages_that_end_early_or_never_begin_are_read_as_far_as_they_go() {
        for page in
            ["<table", "<table><tr><td>a", "<table><td>a<script>", "<table></td></tr><tr>", "<table><td a='>'>b"]
        {
            assert!(grid(page, Limits::default()).is_ok(), "{page}");
        }
        let deep = "<table><td>".repeat(100);
        assert!(grid(&deep, Limits::default()).is_err());
    }
}
