//! Forms: `application/x-www-form-urlencoded`, as browsers and web hooks send them.
//!
//! The result is one map of texts in the order of the form; a key that stands more than once has the list of its
//! values. Keys are taken as they are: `a[b]` and `a[]` are names like any other, since senders disagree about what
//! they mean. A key without `=` has empty text.

use crate::arena::Arena;
use crate::encoding::{self, Encoding};
use crate::reader::{Limits, ReadError};
use crate::repeated;
use crate::value::Value;
use std::borrow::Cow;

/// Reads one form in UTF-8. Texts without escapes are borrowed.
///
/// # Errors
/// The first place where a `%` is not followed by two hex digits or the text is not UTF-8, or `limits` are exceeded:
/// each field counts as a value.
pub fn read<'a>(arena: &'a Arena, bytes: &'a [u8], limits: Limits) -> Result<Value<'a>, ReadError> {
    read_as(arena, bytes, Encoding::UTF_8, limits)
}

/// Reads one form whose escapes are bytes of another encoding.
///
/// # Errors
/// As [`read`].
pub fn read_as<'a>(
    arena: &'a Arena,
    bytes: &'a [u8],
    encoding: Encoding,
    limits: Limits,
) -> Result<Value<'a>, ReadError> {
    encoding::check_length(bytes, limits)?;
    let mut entries: Vec<(&'a str, Value<'a>)> = Vec::new();
    let mut start = 0;
    for field in bytes.split(|b| *b == b'&') {
        let at = start;
        start += field.len() + 1;
        if field.is_empty() {
            continue;
        }
        if entries.len() == limits.max_nodes {
            return Err(ReadError::at(bytes, at, &format!("more than {} fields", limits.max_nodes)));
        }
        let equals = field.iter().position(|b| *b == b'=').unwrap_or(field.len());
        let piece = |from: usize, piece: &'a [u8]| {
            decode(arena, piece, encoding).map_err(|(offset, message)| ReadError::at(bytes, from + offset, &message))
        };
        let key = piece(at, &field[..equals])?;
        let value = piece(at + equals + 1, field.get(equals + 1..).unwrap_or_default())?;
        entries.push((key, Value::Text(value)));
    }
    Ok(repeated::map(arena, &entries))
}

/// The text of a key or a value: `+` is a space, `%E6` a byte.
fn decode<'a>(arena: &'a Arena, piece: &'a [u8], encoding: Encoding) -> Result<&'a str, (usize, String)> {
    let plain = !piece.iter().any(|b| matches!(b, b'%' | b'+'));
    let bytes = if plain { Cow::Borrowed(piece) } else { Cow::Owned(unescape(piece)?) };
    if encoding == Encoding::UTF_8
        && let Cow::Borrowed(piece) = bytes
    {
        return std::str::from_utf8(piece).map_err(|error| (error.valid_up_to(), "the bytes are not UTF-8".to_owned()));
    }
    match encoding.decode_piece(&bytes) {
        Some(text) => Ok(arena.text(&text)),
        // An escaped byte has no place of its own that could be told from the decoded text.
        None => Err((0, format!("this key or value is not {} when its escapes are read", encoding.name()))),
    }
}

fn unescape(piece: &[u8]) -> Result<Vec<u8>, (usize, String)> {
    let mut out = Vec::with_capacity(piece.len());
    let mut at = 0;
    while let Some(byte) = piece.get(at) {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |at: usize| piece.get(at).and_then(|b| char::from(*b).to_digit(16));
                let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                    return Err((at, "`%` must be followed by two hex digits".to_owned()));
                };
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            other => out.push(*other),
        }
        at += 1;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn form(text: &[u8]) -> Result<String, String> {
        let arena = Arena::new();
        read(&arena, text, Limits::default()).map(|v| json::to_string(&v)).map_err(|e| e.to_string())
    }

    #[test]
    fn fields_are_texts_in_order_and_repeated_ones_lists() {
        assert_eq!(
            form(b"name=%E6%9D%8E+%e5%a8%9c&grade=5&tag=a&&tag=b&empty=&bare&a[b]=1&x=1%2B1=2&").unwrap(),
            r#"{"name":"李 娜","grade":"5","tag":["a","b"],"empty":"","bare":"","a[b]":"1","x":"1+1=2"}"#
        );
        assert_eq!(form(b"").unwrap(), "{}");
        assert_eq!(form("姓名=李娜".as_bytes()).unwrap(), r#"{"姓名":"李娜"}"#);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        for (text, wanted) in [
            (&b"a=1&b=%e"[..], "`%` must be followed by two hex digits at line 1, column 7"),
            (b"a%+=1", "`%` must be followed by two hex digits at line 1, column 2"),
            (b"a=1&b=%ff", "not UTF-8 when its escapes are read at line 1, column 7"),
            (b"a=1&b=x\xff", "the bytes are not UTF-8 at line 1, column 8"),
        ] {
            assert!(form(text).unwrap_err().contains(wanted), "{:?}", form(text));
        }
        let arena = Arena::new();
        let limits = Limits { max_bytes: 10, max_depth: 1, max_nodes: 2 };
        assert!(read(&arena, b"a&b", limits).is_ok());
        assert!(read(&arena, b"a&b&c", limits).unwrap_err().message.contains("more than 2 fields"));
        assert!(read(&arena, b"aaaaaaaaaaa", limits).unwrap_err().message.contains("longer than 10"));
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(fields in proptest::collection::vec((".*", ".*"), 1..6)) {
            let escape = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            let text: Vec<String> = fields.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
            let text = text.join("&");
            let arena = Arena::new();
            let tree = read(&arena, text.as_bytes(), Limits::default()).unwrap();
            for (key, value) in &fields {
                let found = tree.get(key);
                prop_assert!(found == Value::Text(value) || found.items().contains(&Value::Text(value)));
            }
        }
    }
}
