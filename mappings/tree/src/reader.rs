//! What all readers share: limits, the error with its place, and the choice of a reader by the kind of the bytes.
//!
//! Every reader gives the same tree, so that a mapping does not care how its input was written. None guesses:
//! text stays text, and whatever two programs could read differently is an error.

use crate::arena::Arena;
use crate::encoding::{self, Encoding};
use crate::value::Value;
use crate::{csv, form, json, xml};

/// What a reader accepts before it gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest input in bytes; of a stream, the longest record.
    pub max_bytes: usize,
    /// Deepest nesting of lists, objects and elements.
    pub max_depth: usize,
    /// Most values in all; of a stream, in one record.
    pub max_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 64 << 20, max_depth: 64, max_nodes: 2_000_000 }
    }
}

/// Why bytes are not acceptable, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct ReadError {
    /// What is wrong; quotes no value of the input.
    pub message: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
}

impl ReadError {
    /// The place of a byte of UTF-8 text.
    pub(crate) fn at(bytes: &[u8], offset: usize, message: &str) -> Self {
        let mut place = Place::START;
        place.pass(&bytes[..offset.min(bytes.len())]);
        place.error(message)
    }
}

/// A place in text that is read once, from the start to the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Moves behind UTF-8 bytes.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        let line_start = bytes.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
        if let Some(start) = line_start {
            self.line += bytes[..start].iter().filter(|b| **b == b'\n').count();
            self.column = 1;
        }
        self.column += bytes[line_start.unwrap_or(0)..].iter().filter(|b| **b & 0xC0 != 0x80).count();
    }

    pub(crate) fn error(self, message: &str) -> ReadError {
        ReadError { message: message.to_owned(), line: self.line, column: self.column }
    }
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON (RFC 8259).
    Json,
    /// XML 1.0 with namespaces.
    Xml,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Comma-separated rows with a header.
    Csv,
}

impl Kind {
    /// The kind that a `Content-Type` names, whatever its parameters.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "text/csv" | "application/csv" => Some(Self::Csv),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// The kind of a file by the ending of its name, given without the dot.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            "form" => Some(Self::Form),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// The `charset` parameter of a `Content-Type`.
#[must_use]
pub fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

/// Reads bytes of a kind, in the encoding that they declare themselves, or else UTF-8.
///
/// # Errors
/// The first place where the bytes are not of that kind or exceed `limits`.
pub fn read<'a>(kind: Kind, arena: &'a Arena, bytes: &'a [u8], limits: Limits) -> Result<Value<'a>, ReadError> {
    read_as(kind, None, arena, bytes, limits)
}

/// Reads bytes of a kind in the encoding that the sender named beside them, as HTTP does; a byte order mark is
/// stronger, a declaration inside the bytes is weaker (RFC 7303 for XML).
///
/// # Errors
/// The first place where the bytes are not of that kind or encoding, or exceed `limits`.
pub fn read_as<'a>(
    kind: Kind,
    told: Option<Encoding>,
    arena: &'a Arena,
    bytes: &'a [u8],
    limits: Limits,
) -> Result<Value<'a>, ReadError> {
    match kind {
        Kind::Json => match told.filter(|encoding| *encoding != Encoding::UTF_8) {
            Some(encoding) => {
                encoding::check_length(bytes, limits)?;
                json::read(arena, encoding::decode(arena, bytes, encoding, "")?.as_bytes(), limits)
            }
            None => json::read(arena, bytes, limits),
        },
        Kind::Xml => xml::read_as(arena, bytes, told, limits),
        Kind::Form => form::read_as(arena, bytes, told.unwrap_or(Encoding::UTF_8), limits),
        Kind::Csv => csv::read(arena, bytes, csv::Options { encoding: told, ..csv::Options::default() }, limits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_known_by_content_type_and_by_file_name() {
        for (content_type, kind) in [
            ("application/json; charset=utf-8", Some(Kind::Json)),
            ("application/problem+json", Some(Kind::Json)),
            ("TEXT/XML", Some(Kind::Xml)),
            ("application/soap+xml; action=\"x\"", Some(Kind::Xml)),
            ("application/x-www-form-urlencoded", Some(Kind::Form)),
            ("text/csv;header=present", Some(Kind::Csv)),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(Kind::of_content_type(content_type), kind, "{content_type}");
        }
        assert_eq!(Kind::of_extension("XML"), Some(Kind::Xml));
        assert_eq!(Kind::of_extension("xlsx"), None);
        assert_eq!(charset_of("text/xml; Charset=\"GB2312\""), Some("GB2312"));
        assert_eq!(charset_of("text/xml"), None);
    }

    #[test]
    fn all_kinds_give_the_same_tree() {
        let arena = Arena::new();
        let limits = Limits::default();
        let tree = |kind, bytes: &'static str| json::to_string(&read(kind, &arena, bytes.as_bytes(), limits).unwrap());
        let wanted = r#"{"worker":{"name":"李娜","grade":["P5","P6"]}}"#;
        assert_eq!(tree(Kind::Json, wanted), wanted);
        assert_eq!(tree(Kind::Xml, "<worker><name>李娜</name><grade>P5</grade><grade>P6</grade></worker>"), wanted);
        assert_eq!(
            tree(Kind::Form, "name=%E6%9D%8E%E5%A8%9C&grade=P5&grade=P6"),
            r#"{"name":"李娜","grade":["P5","P6"]}"#
        );
        assert_eq!(tree(Kind::Csv, "name,grade\n李娜,P5\n"), r#"[{"name":"李娜","grade":"P5"}]"#);
    }

    #[test]
    fn what_the_sender_says_of_the_encoding_holds_for_every_kind() {
        let arena = Arena::new();
        let gbk = Encoding::of_label("gbk");
        assert!(gbk.is_some());
        for (kind, bytes, wanted) in [
            (Kind::Json, &b"\"\xC0\xEE\""[..], "\"李\""),
            (Kind::Xml, b"<a>\xC0\xEE</a>", r#"{"a":"李"}"#),
            (Kind::Form, b"a=%C0%EE", r#"{"a":"李"}"#),
            (Kind::Csv, b"a\n\xC0\xEE", r#"[{"a":"李"}]"#),
        ] {
            let tree = read_as(kind, gbk, &arena, bytes, Limits::default()).unwrap();
            assert_eq!(json::to_string(&tree), wanted, "{kind:?}");
            assert!(read(kind, &arena, bytes, Limits::default()).is_err(), "{kind:?}");
        }
    }
}
