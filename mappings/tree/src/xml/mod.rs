//! XML 1.0 with namespaces, read into the tree that JSON gives, and written from it.
//!
//! How a document becomes a tree:
//! - The root element is the one key of the result. Names are local names; two namespaces that share a local name
//!   share a key.
//! - An element with only text is that text, exactly, and never a number. An empty element is empty text.
//! - Attributes are keys `@name`; declarations of namespaces are dropped. Text beside attributes or elements is
//!   under `#text`, joined in order; white space that only lays out elements is dropped.
//! - Elements of one name below one parent are a list in their order, at the place of the first. A list of one
//!   cannot be told from a single element: paths over lists take a single value for a list of one.
//! - `xsi:nil="true"` is null, whatever prefix its namespace has; beside other attributes the null is under `#text`.
//!
//! A DOCTYPE is refused, so there are no entities but the five of XML and no text can grow; comments and processing
//! instructions are passed over. The encoding is that of the byte order mark, the one told, or the one declared.
//! `UTF-16` declared by a text that is readable byte by byte is taken for UTF-8, which is what such a text is.

mod build;
mod outline;
mod pull;
mod references;
mod stream;
mod tag;
#[cfg(test)]
mod tests;
mod tokens;
mod write;

pub use build::Dialect;
pub use pull::{Element, ElementAttribute, Piece, Pull, Rules};
pub use references::resolve_references;
pub use stream::{Record, Records, records, records_as};
pub use write::write;

use crate::arena::Arena;
use crate::encoding::Encoding;
use crate::reader::{Limits, Place, ReadError};
use crate::value::Value;

/// Why a tree does not have the shape that is needed, and which value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {path}")]
pub struct ShapeError {
    /// What is wrong; quotes names but no value.
    pub message: String,
    /// The keys that lead to the value, such as `Envelope.Body.Worker[1].@id`.
    pub path: String,
}

/// Why a document is refused, in a word that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is no XML, or none that is well-formed.
    Malformed,
    /// It ends too early.
    Truncated,
    /// Its encoding is not known, or its bytes are not of it.
    Encoding,
    /// It has a DOCTYPE.
    Doctype,
    /// It refers to an entity that XML does not define.
    Entity,
    /// It holds a character that XML forbids.
    Character,
    /// A prefix is bound to no namespace, or to one that it must not stand for.
    Prefix,
    /// It is nested too deeply.
    Depth,
    /// An element has too many attributes or namespaces.
    Attributes,
    /// A name or attribute value is too long.
    Length,
    /// It has too many values.
    Values,
    /// It is too long.
    Size,
}

/// Why a document is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// In a word.
    pub reason: Reason,
    /// In a sentence, with its place.
    pub error: ReadError,
}

/// The key of an `xop:Include` in a tree that is read as [`Dialect::Soap`].
pub const INCLUDE: &str = "xop:Include";

/// The key of the items of an encoded array that has attributes of its own.
const ITEMS: &str = "#items";

/// Reads one document.
///
/// # Errors
/// The first place where the bytes are not of their encoding, not well-formed, hold a DOCTYPE or exceed `limits`.
pub fn read<'a>(arena: &'a Arena, bytes: &'a [u8], limits: Limits) -> Result<Value<'a>, ReadError> {
    read_as(arena, bytes, None, limits)
}

/// Reads one document in the encoding that came with it; a byte order mark is stronger.
///
/// # Errors
/// As [`read`].
pub fn read_as<'a>(
    arena: &'a Arena,
    bytes: &'a [u8],
    told: Option<Encoding>,
    limits: Limits,
) -> Result<Value<'a>, ReadError> {
    let read = || -> Result<Value<'a>, Refusal> {
        let mut pull = Pull::new(arena, bytes, told, Rules::plain(limits))?;
        let mut root = Value::Absent;
        loop {
            match pull.next_piece()? {
                Piece::Open(element) => {
                    let name = element.name;
                    root = arena.map(&[(name, pull.value(element)?)]);
                }
                Piece::Close | Piece::Text(_) => {}
                Piece::End => return Ok(root),
            }
        }
    };
    read().map_err(|refusal| refusal.error)
}

/// A mark is taken off once; the tokenizer would take off another without counting it.
fn refuse_second_mark(text: &[u8]) -> Result<(), ReadError> {
    if text.starts_with(b"\xEF\xBB\xBF") {
        return Err(Place::START.error("text before the root element"));
    }
    Ok(())
}

/// The encoding that the first bytes of a document declare or show by their width, if they do.
///
/// # Errors
/// The encoding is not known.
pub fn declared(bytes: &[u8]) -> Result<Option<Encoding>, ReadError> {
    match bytes {
        // `<?` in two bytes each, without a mark.
        [b'<', 0, b'?', 0, ..] => return Ok(Encoding::of_label("utf-16le")),
        [0, b'<', 0, b'?', ..] => return Ok(Encoding::of_label("utf-16be")),
        _ => {}
    }
    let head = &bytes[..bytes.len().min(512)];
    let Some(end) = head.windows(2).position(|pair| pair == b"?>").filter(|_| head.starts_with(b"<?xml")) else {
        return Ok(None);
    };
    // What is wrong with the declaration itself is said when the document is read.
    let content = head.get(2..end).and_then(|content| std::str::from_utf8(content).ok()).unwrap_or_default();
    let attributes =
        tag::read_tag(content, 2, tag::Caps::default()).map(|declaration| declaration.attributes).unwrap_or_default();
    let Some(label) = attributes.iter().find(|attribute| attribute.name.local == "encoding") else {
        return Ok(None);
    };
    match Encoding::of_label(&label.value) {
        Some(encoding) if encoding.is_wide() => Ok(None),
        Some(encoding) => Ok(Some(encoding)),
        None => {
            let message = format!("the encoding `{}` is not known", tag::shown(&label.value));
            Err(ReadError::at(bytes, label.at, &message))
        }
    }
}
