//! Documents that are longer than memory should be: one record at a time.

use super::build::{Dialect, Tree};
use super::outline::{self, Outline, Step, Token};
use super::tag::{Caps, Fail};
use crate::arena::Arena;
use crate::encoding::{Decoded, Encoding};
use crate::reader::{Limits, Place, ReadError};
use crate::value::Value;
use std::io::{BufRead as _, Read};

/// One record of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The value of the element, as it would stand in the tree of the whole document.
    pub value: Value<'a>,
    /// Its number in the document, from 1.
    pub number: u64,
    /// The line where it begins, from 1.
    pub line: usize,
}

/// The records of a document, read as they arrive. Memory is bounded by the longest record.
pub struct Records<R> {
    source: quick_xml::Reader<Decoded<R>>,
    target: Target,
    limits: Limits,
    outline: Outline,
    arena: Arena,
    /// The piece of the document at hand.
    piece: Vec<u8>,
    number: u64,
    ended: bool,
    rest: Option<Rest>,
}

/// The document without its records.
struct Rest {
    text: Vec<u8>,
    max_bytes: usize,
}

/// Which elements are records.
struct Target {
    names: Vec<String>,
    /// How many of the open elements lead towards a record.
    matched: usize,
}

impl Target {
    /// Whether an element that opens at `depth` (from 1) is a record.
    fn opens(&mut self, name: &str, depth: usize) -> bool {
        match self.names.as_slice() {
            [only] => only == name,
            names => {
                let fits = |wanted: &String| wanted == name || wanted == "*";
                if depth == self.matched + 1 && names.get(self.matched).is_some_and(fits) {
                    self.matched = depth;
                }
                self.matched == names.len() && depth == names.len()
            }
        }
    }

    /// Elements deeper than `depth` have closed.
    fn closed(&mut self, depth: usize) {
        self.matched = self.matched.min(depth);
    }
}

/// Reads the records of a document one by one.
///
/// `element` is the local name of the record elements, wherever they stand (`Worker`), or their path from the root by
/// local names (`Envelope.Body.*.Worker`; `*` is any name). `limits` hold for each record and for each piece between records;
/// what is between records is checked but not kept. Encodings are found as in [`super::read`].
///
/// # Errors
/// The input cannot be read or declares an encoding that is not known.
pub fn records<R: Read>(source: R, element: &str, limits: Limits) -> Result<Records<R>, ReadError> {
    records_as(source, None, element, limits)
}

/// [`records`] in the encoding that came with the document; a byte order mark is stronger.
///
/// # Errors
/// As [`records`].
pub fn records_as<R: Read>(
    source: R,
    told: Option<Encoding>,
    element: &str,
    limits: Limits,
) -> Result<Records<R>, ReadError> {
    let mut decoded = Decoded::new(source, told, super::declared, "", limits.max_bytes)?;
    let start = decoded.fill_buf().map(super::refuse_second_mark);
    match start {
        Ok(checked) => checked?,
        Err(_) => return Err(failure(&mut decoded)),
    }
    let mut source = quick_xml::Reader::from_reader(decoded);
    source.config_mut().check_comments = true;
    Ok(Records {
        source,
        target: Target { names: element.split('.').map(str::to_owned).collect(), matched: 0 },
        limits,
        outline: Outline::new(limits.max_depth, Caps::default()),
        arena: Arena::new(),
        piece: Vec::new(),
        number: 0,
        ended: false,
        rest: None,
    })
}

fn failure<R: Read>(decoded: &mut Decoded<R>) -> ReadError {
    let place = decoded.place();
    decoded.take_failure().unwrap_or_else(|| place.error("the input cannot be read"))
}

impl<R: Read> Records<R> {
    /// Keeps what is between the records, up to `max_bytes`: a document of its own, in UTF-8 and without records.
    pub fn keep_rest(&mut self, max_bytes: usize) {
        self.rest = Some(Rest { text: Vec::new(), max_bytes });
    }

    /// What was kept of the document without its records.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.rest.take().map(|rest| rest.text).unwrap_or_default()
    }

    /// The next record, or nothing at the end of the document. The record before it is forgotten.
    ///
    /// # Errors
    /// The first place where the bytes are not of their encoding, not well-formed, hold a DOCTYPE or exceed the
    /// limits; after that there are no more records.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        self.arena.reset();
        let Self { source, target, limits, outline, arena, piece, number, ended, rest } = self;
        let arena: &Arena = arena;
        let mut tree: Option<(Tree<'_>, usize)> = None;
        loop {
            if tree.is_none() {
                source.get_mut().renew();
            }
            let start = source.get_ref().place();
            let token = next_piece(source, piece)?;
            let text = std::str::from_utf8(piece).unwrap_or_default();
            let at = |fail: Fail| locate(start, text, fail.at, &fail.message);
            if let Some((builder, line)) = &mut tree {
                let step = outline.take(token, arena.text(text)).map_err(at)?;
                let done = builder.take(outline, step).map_err(at)?;
                if let Some((_, value)) = done {
                    target.closed(outline.depth());
                    *number += 1;
                    *ended = false;
                    return Ok(Some(Record { value, number: *number, line: *line }));
                }
                continue;
            }
            let step = outline.take(token, text).map_err(at)?;
            let is_record = match &step {
                Step::Open { tag, .. } => target.opens(tag.name.local, outline.depth()),
                _ => false,
            };
            // The declaration may name another encoding than that of this text.
            if let Some(rest) = rest.as_mut().filter(|_| !is_record && token != Token::Declaration) {
                if rest.text.len() + text.len() > rest.max_bytes {
                    return Err(start.error("there is more between the records than can be kept"));
                }
                rest.text.extend_from_slice(text.as_bytes());
            }
            match step {
                Step::Open { empty, .. } => {
                    if is_record {
                        // The tag is read once more, to live as long as the record.
                        let mut builder = Tree::new(arena, *limits, Dialect::Plain);
                        let step = Step::Open { tag: reread(token, arena.text(text)).map_err(at)?, empty };
                        if let Some((_, value)) = builder.take(outline, step).map_err(at)? {
                            target.closed(outline.depth());
                            *number += 1;
                            *ended = false;
                            return Ok(Some(Record { value, number: *number, line: start.line }));
                        }
                        tree = Some((builder, start.line));
                    } else if empty {
                        outline.close();
                        target.closed(outline.depth());
                    }
                }
                Step::Close => target.closed(outline.depth()),
                Step::Text { .. } | Step::Skip => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Bytes that the records have taken from the system so far: about the size of the longest one.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.arena.allocated_bytes() + self.piece.capacity()
    }
}

fn reread(token: Token, text: &str) -> Result<super::tag::Tag<'_>, Fail> {
    let (content, base) = token.content(text);
    super::tag::read_tag(content, base, Caps::default())
}

fn locate(start: Place, piece: &str, offset: usize, message: &str) -> ReadError {
    let mut place = start;
    place.pass(piece.as_bytes().get(..offset).unwrap_or(piece.as_bytes()));
    place.error(message)
}

/// Reads the next piece of the document, with its marks.
fn next_piece<R: Read>(source: &mut quick_xml::Reader<Decoded<R>>, piece: &mut Vec<u8>) -> Result<Token, ReadError> {
    piece.clear();
    let start = source.get_ref().place();
    match source.read_event_into(piece) {
        Ok(event) => Ok(Token::of(&event)),
        Err(quick_xml::Error::Io(_)) => Err(failure(source.get_mut())),
        Err(error) => Err(start.error(&outline::complaint(&error).1)),
    }
}
