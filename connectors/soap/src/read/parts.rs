//! Messages of several parts (MTOM, SOAP with attachments): which part is the envelope, and the bytes of the others.

use super::Reason;
use super::unpack::{Fail, fail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_tree::{Arena, Value, xml};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Most parts of one message.
const MAX_PARTS: usize = 128;
/// Longest headers of one part, bytes.
const MAX_HEADERS: usize = 8 << 10;

/// A part of a message.
struct Part<'m> {
    id: Option<String>,
    content_type: Option<String>,
    bytes: Cow<'m, [u8]>,
}

/// A message whose parts have been told apart.
pub(super) struct Parts<'m> {
    /// The part that holds the envelope.
    pub(super) root: Cow<'m, [u8]>,
    /// Its content type.
    pub(super) content_type: Option<String>,
    /// The other parts by their id.
    pub(super) attachments: BTreeMap<String, Cow<'m, [u8]>>,
}

/// The media type of a content type, in lower case.
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A parameter of a content type; the value may be quoted.
pub(super) fn parameter(content_type: &str, name: &str) -> Option<String> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (found, behind) = if let Some(quoted) = value.strip_prefix('"') {
            let mut found = String::new();
            let mut letters = quoted.char_indices();
            let end = loop {
                match letters.next()? {
                    (_, '\\') => found.push(letters.next()?.1),
                    (at, '"') => break at + 1,
                    (_, c) => found.push(c),
                }
            };
            (found, quoted.get(end..)?)
        } else {
            let end = value.find(';').unwrap_or(value.len());
            (value.get(..end)?.trim().to_owned(), value.get(end..)?)
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found);
        }
        rest = behind.split_once(';')?.1;
    }
}

/// Splits a `multipart/related` body.
pub(super) fn split<'m>(body: &'m [u8], content_type: &str) -> Result<Parts<'m>, Fail> {
    let boundary = parameter(content_type, "boundary").filter(|text| !text.is_empty() && text.len() <= 70);
    let Some(boundary) = boundary else {
        return fail(Reason::Multipart, "the content type of a message in parts names no boundary");
    };
    let start = parameter(content_type, "start");
    let mut parts = Vec::new();
    let mut rest = behind_first(body, &boundary)?;
    loop {
        // Behind a boundary: `--` ends the message, a line break begins a part.
        if rest.starts_with(b"--") {
            break;
        }
        let Some(line_end) = find(rest, b"\r\n") else {
            return fail(Reason::Multipart, "the last part of the message has no end");
        };
        if parts.len() == MAX_PARTS {
            return fail(Reason::Multipart, format!("more than {MAX_PARTS} parts"));
        }
        // The break stays: a part without headers begins with it.
        let part = &rest[line_end..];
        let end = format!("\r\n--{boundary}");
        let Some(length) = boundary_at(part, end.as_bytes()) else {
            return fail(Reason::Multipart, "the last part of the message has no end");
        };
        parts.push(read_part(&part[..length])?);
        rest = &part[length + end.len()..];
    }
    choose(parts, start.as_deref())
}

/// What stands behind the first boundary. Only what begins a line is one.
fn behind_first<'m>(body: &'m [u8], boundary: &str) -> Result<&'m [u8], Fail> {
    let first = format!("--{boundary}");
    if body.starts_with(first.as_bytes()) {
        return Ok(&body[first.len()..]);
    }
    let inner = format!("\r\n{first}");
    match find(body, inner.as_bytes()) {
        Some(at) => Ok(&body[at + inner.len()..]),
        None => fail(Reason::Multipart, "the boundary of the content type does not occur in the message"),
    }
}

/// Where a boundary ends a part: what follows it must end its line or the message, or it is data that looks alike.
fn boundary_at(bytes: &[u8], end: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + find(&bytes[from..], end)?;
        let behind = &bytes[at + end.len()..];
        let blanks = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if behind.starts_with(b"--") || behind[blanks..].starts_with(b"\r\n") {
            return Some(at);
        }
        from = at + end.len();
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Reads `CR LF headers CR LF CR LF content`.
fn read_part(part: &[u8]) -> Result<Part<'_>, Fail> {
    let Some(end) = find(part, b"\r\n\r\n").filter(|end| *end <= MAX_HEADERS) else {
        return fail(Reason::Multipart, "the headers of a part have no end");
    };
    let Ok(headers) = std::str::from_utf8(&part[..end]) else {
        return fail(Reason::Multipart, "the headers of a part are no text");
    };
    let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |wanted: &str| {
        unfolded.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let content = &part[end + 4..];
    let coding = header("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
    let bytes = match coding.as_str() {
        "" | "7bit" | "8bit" | "binary" => Cow::Borrowed(content),
        "base64" => {
            let letters: Vec<u8> = content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            match STANDARD.decode(letters) {
                Ok(bytes) => Cow::Owned(bytes),
                Err(_) => return fail(Reason::Multipart, "a part is not Base64 as it says"),
            }
        }
        _ => return fail(Reason::Multipart, "a part has a transfer encoding that is not read"),
    };
    let id = header("content-id").map(|id| id.trim_start_matches('<').trim_end_matches('>').to_owned());
    Ok(Part { id, content_type: header("content-type"), bytes })
}

/// The root part is the one that `start` names, else the first.
fn choose<'m>(parts: Vec<Part<'m>>, start: Option<&str>) -> Result<Parts<'m>, Fail> {
    let start = start.map(|start| start.trim_start_matches('<').trim_end_matches('>'));
    let root = match start {
        Some(start) => parts.iter().position(|part| part.id.as_deref() == Some(start)),
        None => Some(0),
    };
    let (mut root_part, mut attachments) = (None, BTreeMap::new());
    for (number, part) in parts.into_iter().enumerate() {
        if Some(number) == root {
            root_part = Some(part);
        } else if let Some(id) = part.id
            && attachments.insert(id, part.bytes).is_some()
        {
            return fail(Reason::Multipart, "two parts have the same id");
        }
    }
    let Some(root) = root_part else {
        return fail(Reason::Multipart, "the message has no part with the id that `start` names");
    };
    Ok(Parts { root: root.bytes, content_type: root.content_type, attachments })
}

/// Puts attachments, as Base64, in place of what refers to them: `xop:Include`, and elements of nothing but
/// `href="cid:…"`.
pub(super) fn put_in<'a>(
    arena: &'a Arena,
    tree: &Value<'a>,
    attachments: &BTreeMap<String, Cow<'_, [u8]>>,
    max_text: usize,
) -> Result<Value<'a>, Fail> {
    let encoded = attachments.iter().map(|(id, bytes)| (id.as_str(), Cell::new(None), bytes.as_ref())).collect();
    Putting { arena, encoded, left: Cell::new(max_text) }.value(tree)
}

/// A part: its id, its text once that is needed, its bytes.
type Encoded<'a, 'm> = (&'m str, Cell<Option<&'a str>>, &'m [u8]);

struct Putting<'a, 'm> {
    arena: &'a Arena,
    encoded: Vec<Encoded<'a, 'm>>,
    left: Cell<usize>,
}

impl<'a> Putting<'a, '_> {
    fn value(&self, value: &Value<'a>) -> Result<Value<'a>, Fail> {
        match value {
            Value::List(items) => {
                let items: Result<Vec<_>, Fail> = items.iter().map(|item| self.value(item)).collect();
                Ok(self.arena.list(&items?))
            }
            Value::Map(map) => {
                if let Some(included) = map.entries().iter().find(|(key, _)| *key == xml::INCLUDE) {
                    return self.part(included.1.get("@href").as_text().unwrap_or_default());
                }
                let all_attributes = map.entries().iter().all(|(key, _)| key.starts_with('@'));
                if let Some(href) = map.get("@href").as_text().filter(|_| all_attributes)
                    && href.starts_with("cid:")
                {
                    return self.part(href);
                }
                let entries: Result<Vec<_>, Fail> =
                    map.entries().iter().map(|(key, value)| Ok((*key, self.value(value)?))).collect();
                Ok(self.arena.map(&entries?))
            }
            scalar => Ok(*scalar),
        }
    }

    fn part(&self, href: &str) -> Result<Value<'a>, Fail> {
        let Some(id) = href.strip_prefix("cid:") else {
            return fail(Reason::Attachment, "an attachment is referred to by `cid:` only; nothing else is followed");
        };
        let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
        let Some((_, text, bytes)) = self.encoded.iter().find(|(known, ..)| *known == id) else {
            return fail(Reason::Attachment, "the message has no part with the id that is referred to");
        };
        let written = text.get().unwrap_or_else(|| self.arena.text(&STANDARD.encode(bytes)));
        text.set(Some(written));
        // One part may be referred to many times; together they must not grow.
        let Some(left) = self.left.get().checked_sub(written.len()) else {
            return fail(Reason::Attachment, "attachments are longer than the message may be");
        };
        self.left.set(left);
        Ok(Value::Text(written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_quoted_or_not() {
        let content_type = r#"Multipart/Related; boundary="a;b=\"c"; START=<r@x> ; type="text/xml""#;
        assert_eq!(media_type(content_type), "multipart/related");
        assert_eq!(parameter(content_type, "boundary").as_deref(), Some("a;b=\"c"));
        assert_eq!(parameter(content_type, "start").as_deref(), Some("<r@x>"));
        assert_eq!(parameter(content_type, "type").as_deref(), Some("text/xml"));
        assert_eq!(parameter(content_type, "missing"), None);
        assert_eq!(parameter("text/xml; boundary=\"open", "boundary"), None);
    }

    #[test]
    fn parts_are_split_where_a_line_begins_with_the_boundary() {
        let body =
            b"preamble\r\n--b\r\nContent-ID: <1@x>\r\nContent-Type: image/png\r\n\r\nbytes --b\r\n--bx\r\n\r\n--b\r\n\
            Content-Transfer-Encoding: base64\r\nContent-Id: <2@x>\r\n\r\nPGEv\r\nPg==\r\n--b--\r\nepilogue";
        let parts = split(body, "multipart/related; boundary=b; start=\"<2@x>\"").unwrap();
        assert_eq!(parts.root.as_ref(), b"<a/>");
        assert_eq!(parts.attachments["1@x"].as_ref(), b"bytes --b\r\n--bx\r\n");
        let first = split(body, "multipart/related; boundary=b").unwrap();
        assert_eq!((first.content_type.as_deref(), first.root.len()), (Some("image/png"), 17));
        for (body, content_type, wanted) in [
            (&body[..], "multipart/related", "no boundary"),
            (body, "multipart/related; boundary=c", "does not occur"),
            (body, "multipart/related; boundary=b; start=\"<3@x>\"", "no part with the id"),
            (b"--b\r\n\r\nx", "multipart/related; boundary=b", "has no end"),
            (b"--b\r\nx\r\n--b--", "multipart/related; boundary=b", "headers of a part"),
            (b"--b--", "multipart/related; boundary=b", "no part with the id"),
        ] {
            let Err((reason, message)) = split(body, content_type) else { panic!("{wanted}") };
            assert_eq!(reason, Reason::Multipart);
            assert!(message.contains(wanted), "{message}");
        }
        let many = "--b\r\n\r\n\r\n".repeat(200) + "--b--";
        assert!(
            split(many.as_bytes(), "multipart/related; boundary=b").is_err_and(|(_, m)| m.contains("more than 128"))
        );
    }
}
