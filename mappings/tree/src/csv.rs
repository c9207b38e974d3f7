//! Rows with a header (RFC 4180): a list of maps whose values are the texts of the cells, exactly.
//!
//! Stricter than many programs, because a cell under the wrong header is worse than an error: every row has as many
//! cells as the header, headers are not empty and not repeated, a quoted cell ends with its quote. Lines end with
//! `\n`, `\r\n` or `\r`; empty lines are passed over; a quote inside a cell that does not begin with one is text.
//! Headers lose white space around them, cells do not.

use crate::arena::Arena;
use crate::encoding::{self, Decoded, Encoding};
use crate::reader::{Limits, Place, ReadError};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{BufRead as _, Read};

/// What separates cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
    /// Whichever of the three stands most often in the header outside quotes; the first of them if none does.
    Detect,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What separates cells.
    pub delimiter: Delimiter,
    /// The encoding, if it is known; a byte order mark is stronger, and without either it is UTF-8.
    pub encoding: Option<Encoding>,
}

const HINT: &str = "; if the file is from a Chinese spreadsheet, say `encoding: gb18030`";

/// Reads all rows into a list of maps. Cells without doubled quotes are borrowed.
///
/// # Errors
/// The first place where the bytes are not of their encoding, a header is empty or stands twice, a row has more or
/// fewer cells than the header, a quote is not closed, or `limits` are exceeded.
pub fn read<'a>(arena: &'a Arena, bytes: &'a [u8], options: Options, limits: Limits) -> Result<Value<'a>, ReadError> {
    encoding::check_length(bytes, limits)?;
    let text = encoding::decode(arena, bytes, options.encoding.unwrap_or(Encoding::UTF_8), HINT)?;
    let fail_at = |offset: usize, message: &str| ReadError::at(text.as_bytes(), offset, message);
    let mut header: Option<Header<&'a str>> = None;
    let mut rows = Vec::new();
    let mut nodes = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let start = at;
        let mut end = RowEnd::of(header.as_ref().map(|header| header.delimiter));
        at += end.find(&text.as_bytes()[start..]).unwrap_or(text.len() - start);
        let row = without_line_end(&text[start..at]);
        if row.is_empty() {
            continue;
        }
        let fail = |(offset, message): Fail| fail_at(start + offset, &message);
        let Some(header) = header.as_ref() else {
            header = Some(read_header(row, options.delimiter, |name| keep(arena, name)).map_err(fail)?);
            continue;
        };
        nodes += header.names.len() + 1;
        if nodes > limits.max_nodes {
            return Err(fail_at(start, &format!("more than {} values", limits.max_nodes)));
        }
        rows.push(record(arena, row, header, |name| *name).map_err(fail)?);
    }
    if header.is_none() {
        return Err(fail_at(0, NO_HEADER));
    }
    Ok(arena.list(&rows))
}

const NO_HEADER: &str = "expected a row of headers";

/// One row of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The map of the row.
    pub value: Value<'a>,
    /// Its number, from 1 for the first row below the header.
    pub number: u64,
    /// The line where it begins, from 1.
    pub line: usize,
}

/// Rows that are read as they arrive. Memory is bounded by the longest row.
pub struct Rows<R> {
    source: Decoded<R>,
    header: Header<String>,
    limits: Limits,
    arena: Arena,
    number: u64,
    ended: bool,
}

/// Reads the header of a stream of rows. `limits` hold for each row.
///
/// # Errors
/// The input cannot be read, or the header is missing or wrong as in [`read`].
pub fn rows<R: Read>(source: R, options: Options, limits: Limits) -> Result<Rows<R>, ReadError> {
    let mut source = Decoded::new(source, options.encoding, |_| Ok(None), HINT, limits.max_bytes)?;
    match next_row(&mut source, None)? {
        Some((place, row)) => {
            let header =
                read_header(&row, options.delimiter, String::from).map_err(|fail| locate(place, &row, &fail))?;
            Ok(Rows { source, header, limits, arena: Arena::new(), number: 0, ended: false })
        }
        None => Err(Place::START.error(NO_HEADER)),
    }
}

impl<R: Read> Rows<R> {
    /// The next row, or nothing at the end. The row before it is forgotten.
    ///
    /// # Errors
    /// As [`read`]; after that there are no more rows.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, ReadError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        self.arena.reset();
        let Some((place, row)) = next_row(&mut self.source, Some(self.header.delimiter))? else {
            return Ok(None);
        };
        if self.header.names.len() + 1 > self.limits.max_nodes {
            return Err(place.error(&format!("more than {} values", self.limits.max_nodes)));
        }
        let text = self.arena.text(&row);
        let value =
            record(&self.arena, text, &self.header, String::as_str).map_err(|fail| locate(place, text, &fail))?;
        self.number += 1;
        self.ended = false;
        Ok(Some(Row { value, number: self.number, line: place.line }))
    }
}

fn locate(start: Place, row: &str, (offset, message): &Fail) -> ReadError {
    let mut place = start;
    place.pass(row.as_bytes().get(..*offset).unwrap_or(row.as_bytes()));
    place.error(message)
}

/// The text of the next row that is not empty, without its line break, and where it begins.
fn next_row<R: Read>(source: &mut Decoded<R>, delimiter: Option<u8>) -> Result<Option<(Place, String)>, ReadError> {
    let mut row = Vec::new();
    loop {
        source.renew();
        row.clear();
        let place = source.place();
        let mut end = RowEnd::of(delimiter);
        loop {
            let piece = match source.fill_buf() {
                Ok(piece) => piece,
                Err(_) => {
                    return Err(source.take_failure().unwrap_or_else(|| place.error("the input cannot be read")));
                }
            };
            let found = end.find(piece);
            let length = found.unwrap_or(piece.len());
            row.extend_from_slice(&piece[..length]);
            source.consume(length);
            if found.is_some() {
                break;
            }
            if length == 0 {
                if row.is_empty() {
                    return Ok(None);
                }
                break;
            }
        }
        // The source gives UTF-8 only, and line breaks are characters of their own.
        let text = std::str::from_utf8(&row).unwrap_or_default();
        let text = without_line_end(text);
        if !text.is_empty() {
            return Ok(Some((place, text.to_owned())));
        }
    }
}

/// An offset into a row, and what is wrong there.
type Fail = (usize, String);

struct Header<S> {
    delimiter: u8,
    names: Vec<S>,
}

fn without_line_end(row: &str) -> &str {
    row.strip_suffix(['\n', '\r']).unwrap_or(row)
}

fn keep<'a>(arena: &'a Arena, cell: Cow<'a, str>) -> &'a str {
    match cell {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.text(&text),
    }
}

/// Finds where a row ends: the first line break outside quotes. Rows may arrive in pieces.
struct RowEnd {
    state: State,
    /// All three kinds count as long as it is not known.
    delimiter: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell: a quote here begins a quoted cell.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: the end of the cell, or the first of two quotes.
    Quote,
}

impl RowEnd {
    fn of(delimiter: Option<u8>) -> Self {
        Self { state: State::Start, delimiter }
    }

    /// The length of the row in this piece with its line break, if the row ends in it.
    fn find(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            self.state = match (self.state, byte) {
                (State::Start | State::Quote, b'"') => State::Quoted,
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (_, b'\n' | b'\r') => return Some(at + 1),
                (_, byte) if self.separates(*byte) => State::Start,
                _ => State::Plain,
            };
        }
        None
    }

    fn separates(&self, byte: u8) -> bool {
        self.delimiter.map_or(matches!(byte, b',' | b';' | b'\t'), |delimiter| byte == delimiter)
    }
}

fn delimiter_of(row: &str, delimiter: Delimiter) -> u8 {
    match delimiter {
        Delimiter::Comma => b',',
        Delimiter::Semicolon => b';',
        Delimiter::Tab => b'\t',
        Delimiter::Detect => {
            let mut quoted = false;
            let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
            for byte in row.bytes() {
                quoted ^= byte == b'"';
                if let Some((_, count)) = counts.iter_mut().find(|(one, _)| *one == byte && !quoted) {
                    *count += 1;
                }
            }
            let mut best = (b',', 0);
            for count in counts {
                if count.1 > best.1 {
                    best = count;
                }
            }
            best.0
        }
    }
}

/// Splits a row into cells, each with where it begins.
fn cells<'t>(
    row: &'t str,
    delimiter: u8,
    mut each: impl FnMut(usize, Cow<'t, str>) -> Result<(), Fail>,
) -> Result<(), Fail> {
    let bytes = row.as_bytes();
    let mut at = 0;
    loop {
        let start = at;
        let cell = if bytes.get(at) == Some(&b'"') {
            let (cell, end) = quoted(row, at)?;
            at = end;
            cell
        } else {
            at = bytes[at..].iter().position(|b| *b == delimiter).map_or(bytes.len(), |length| at + length);
            Cow::Borrowed(&row[start..at])
        };
        each(start, cell)?;
        match bytes.get(at) {
            None => return Ok(()),
            Some(byte) if *byte == delimiter => at += 1,
            Some(_) => return Err((at, "something follows the closing quote of a cell".to_owned())),
        }
    }
}

/// The text of a quoted cell and where it ends.
fn quoted(row: &str, start: usize) -> Result<(Cow<'_, str>, usize), Fail> {
    let bytes = row.as_bytes();
    let mut at = start + 1;
    let mut doubled = false;
    while let Some(length) = bytes[at..].iter().position(|b| *b == b'"') {
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            let inner = &row[start + 1..at - 1];
            let cell = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
            return Ok((cell, at));
        }
        doubled = true;
        at += 1;
    }
    Err((start, "a cell without its closing quote".to_owned()))
}

fn read_header<'t, S>(row: &'t str, delimiter: Delimiter, keep: impl Fn(Cow<'t, str>) -> S) -> Result<Header<S>, Fail> {
    let delimiter = delimiter_of(row, delimiter);
    let mut names: Vec<S> = Vec::new();
    let mut seen = BTreeSet::new();
    cells(row, delimiter, |at, cell| {
        let cell = match cell {
            Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
            Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
        };
        let column = names.len() + 1;
        if cell.is_empty() {
            return Err((at, format!("the header of column {column} is empty")));
        }
        if !seen.insert(cell.to_string()) {
            return Err((at, format!("the header of column {column} stands twice")));
        }
        names.push(keep(cell));
        Ok(())
    })?;
    Ok(Header { delimiter, names })
}

fn record<'a, 'h, S>(
    arena: &'a Arena,
    row: &'a str,
    header: &'h Header<S>,
    name_of: impl Fn(&'h S) -> &'a str,
) -> Result<Value<'a>, Fail> {
    let mut entries: Vec<(&'a str, Value<'a>)> = Vec::with_capacity(header.names.len());
    let mut count = 0;
    cells(row, header.delimiter, |_, cell| {
        if let Some(name) = header.names.get(count) {
            entries.push((name_of(name), Value::Text(keep(arena, cell))));
        }
        count += 1;
        Ok(())
    })?;
    if count != header.names.len() {
        let cells = if count == 1 { "cell" } else { "cells" };
        return Err((0, format!("this row has {count} {cells}, but there are {} headers", header.names.len())));
    }
    Ok(arena.map(&entries))
}

#[cfg(test)]
mod tests;
