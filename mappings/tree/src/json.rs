//! JSON (RFC 8259), read under limits into a tree that borrows from the input, and written back byte for byte the
//! same for the same tree.
//!
//! Numbers stay text. Two equal keys in one object are refused: readers differ about which one counts, and the hub
//! does not guess.

use crate::arena::Arena;
use crate::reader::{Limits, ReadError};
use crate::value::Value;
use std::fmt::Write as _;

/// Reads one JSON text.
///
/// # Errors
/// The first place where the bytes are not UTF-8, not JSON, hold a key twice or exceed `limits`.
pub fn read<'a>(arena: &'a Arena, bytes: &'a [u8], limits: Limits) -> Result<Value<'a>, ReadError> {
    let fail_at = |offset: usize, message: &str| Err(ReadError::at(bytes, offset, message));
    if bytes.len() > limits.max_bytes {
        return fail_at(0, &format!("the text is longer than {} bytes", limits.max_bytes));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return fail_at(error.valid_up_to(), "the bytes are not UTF-8"),
    };
    let mut reader = Reader { arena, text, bytes, at: 0, limits, nodes: 0, items: Vec::new(), entries: Vec::new() };
    let value = reader.document().map_err(|(offset, message)| ReadError::at(bytes, offset, &message))?;
    Ok(value)
}

type Fail = (usize, String);

struct Reader<'a> {
    arena: &'a Arena,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: Limits,
    nodes: usize,
    /// Values of the lists that are being read; shared by all levels, so that reading allocates next to nothing.
    items: Vec<Value<'a>>,
    entries: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value<'a>, Fail> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        self.space();
        let value = self.value(0)?;
        self.space();
        if self.at < self.bytes.len() { self.fail("something follows the JSON text") } else { Ok(value) }
    }

    fn fail<T>(&self, message: &str) -> Result<T, Fail> {
        Err((self.at, message.to_owned()))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Fail> {
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            return self.fail(&format!("more than {} values", self.limits.max_nodes));
        }
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => self.fail("expected a JSON value"),
            None => self.fail("the JSON text ends too early"),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fail> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            self.fail("expected a JSON value")
        }
    }

    fn check_depth(&self, depth: usize) -> Result<(), Fail> {
        if depth > self.limits.max_depth {
            return self.fail(&format!("nested deeper than {} levels", self.limits.max_depth));
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Fail> {
        self.check_depth(depth)?;
        self.at += 1;
        let base = self.items.len();
        self.space();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Value::List(&[]));
        }
        loop {
            self.space();
            let value = self.value(depth)?;
            self.items.push(value);
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fail("expected `,` or `]`"),
            }
        }
        self.at += 1;
        let list = self.arena.list(&self.items[base..]);
        self.items.truncate(base);
        Ok(list)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Fail> {
        self.check_depth(depth)?;
        self.at += 1;
        let base = self.entries.len();
        self.space();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(self.arena.map(&[]));
        }
        loop {
            self.space();
            let key_at = self.at;
            if self.bytes.get(self.at) != Some(&b'"') {
                return self.fail("expected a key in quotes");
            }
            let key = self.string()?;
            if self.entries.len() - base < 32 && self.entries[base..].iter().any(|(k, _)| *k == key) {
                return Err((key_at, "the same key twice in one object".to_owned()));
            }
            self.space();
            if self.bytes.get(self.at) != Some(&b':') {
                return self.fail("expected `:`");
            }
            self.at += 1;
            self.space();
            let value = self.value(depth)?;
            self.entries.push((key, value));
            self.space();
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.fail("expected `,` or `}`"),
            }
        }
        let entries = &self.entries[base..];
        if entries.len() > 32 {
            let mut keys: Vec<&str> = entries.iter().map(|(k, _)| *k).collect();
            keys.sort_unstable();
            if keys.windows(2).any(|w| w[0] == w[1]) {
                return self.fail("the same key twice in one object");
            }
        }
        self.at += 1;
        let map = self.arena.map(&self.entries[base..]);
        self.entries.truncate(base);
        Ok(map)
    }

    fn number(&mut self) -> Result<Value<'a>, Fail> {
        let start = self.at;
        let digits = |reader: &mut Self| {
            let from = reader.at;
            while let Some(b'0'..=b'9') = reader.bytes.get(reader.at) {
                reader.at += 1;
            }
            reader.at - from
        };
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        let whole = digits(self);
        if whole == 0 || (leading_zero && whole > 1) {
            return self.fail("a number must be written without leading zeros");
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if digits(self) == 0 {
                return self.fail("expected digits after the decimal point");
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if digits(self) == 0 {
                return self.fail("expected digits in the exponent");
            }
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    fn string(&mut self) -> Result<&'a str, Fail> {
        self.at += 1;
        let start = self.at;
        self.at += plain_bytes(&self.bytes[start..]);
        match self.bytes.get(self.at) {
            Some(b'"') => {
                let text = &self.text[start..self.at];
                self.at += 1;
                Ok(text)
            }
            Some(b'\\') => self.escaped_string(start),
            Some(_) => self.fail("a control character in text must be escaped"),
            None => self.fail("text without a closing quote"),
        }
    }

    fn escaped_string(&mut self, start: usize) -> Result<&'a str, Fail> {
        let mut out = String::with_capacity((self.at - start) * 2 + 16);
        out.push_str(&self.text[start..self.at]);
        let mut plain = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    return Ok(self.arena.text(&out));
                }
                Some(b'\\') => {
                    out.push_str(&self.text[plain..self.at]);
                    let c = self.escape()?;
                    out.push(c);
                    plain = self.at;
                }
                Some(0..=0x1F) => return self.fail("a control character in text must be escaped"),
                Some(_) => self.at += plain_bytes(&self.bytes[self.at..]),
                None => return self.fail("text without a closing quote"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fail> {
        let c = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.fail("an escape that JSON does not have"),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, Fail> {
        let first = self.hex4(self.at + 2)?;
        if (0xD800..0xDC00).contains(&first) {
            if self.bytes.get(self.at + 6..self.at + 8) != Some(b"\\u") {
                return self.fail("half of a surrogate pair");
            }
            let second = self.hex4(self.at + 8)?;
            if !(0xDC00..0xE000).contains(&second) {
                return self.fail("half of a surrogate pair");
            }
            self.at += 12;
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return char::from_u32(code).map_or_else(|| self.fail("no such character"), Ok);
        }
        match char::from_u32(first) {
            Some(c) => {
                self.at += 6;
                Ok(c)
            }
            None => self.fail("half of a surrogate pair"),
        }
    }

    fn hex4(&self, at: usize) -> Result<u32, Fail> {
        let digits = self.bytes.get(at..at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(code) => Ok(code),
            None => self.fail("expected four hex digits after \\u"),
        }
    }
}

/// Writes a tree as compact JSON. Absent entries are left out; dates and instants become text.
pub fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Absent | Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(text) => out.push_str(text),
        Value::Decimal(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Text(text) => write_text(text, out),
        Value::Date(date) => {
            let _ = write!(out, "\"{date}\"");
        }
        Value::DateTime(at) => {
            let _ = write!(out, "\"{at:.3}\"");
        }
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            let mut first = true;
            for (key, value) in map.entries() {
                if matches!(value, Value::Absent) {
                    continue;
                }
                if !first {
                    out.push(',');
                }
                first = false;
                write_text(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// [`write`] into a new string.
#[must_use]
pub fn to_string(value: &Value<'_>) -> String {
    let mut out = String::with_capacity(256);
    write(value, &mut out);
    out
}

/// Writes a tree as JSON with two spaces of indentation and a final line break: for files and people.
#[must_use]
pub fn to_pretty(value: &Value<'_>) -> String {
    let mut out = String::with_capacity(512);
    pretty(value, 0, &mut out);
    out.push('\n');
    out
}

fn pretty(value: &Value<'_>, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        for _ in 0..depth {
            out.push_str("  ");
        }
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                pretty(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Map(map) if map.entries().iter().any(|(_, v)| !matches!(v, Value::Absent)) => {
            out.push('{');
            let mut first = true;
            for (key, value) in map.entries().iter().filter(|(_, v)| !matches!(v, Value::Absent)) {
                if !first {
                    out.push(',');
                }
                first = false;
                line(out, depth + 1);
                write_text(key, out);
                out.push_str(": ");
                pretty(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        other => write(other, out),
    }
}

/// Writes text in quotes, escaping what JSON requires and nothing else.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_bytes(rest.as_bytes()));
        out.push_str(plain);
        let Some(byte) = special.bytes().next() else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0C => out.push_str("\\f"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        rest = &special[1..];
    }
    out.push('"');
}

/// How many bytes stand before the next quote, backslash or control character. Eight are looked at together.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    // The high bit of each byte that is less than `n` (up to 128); behind the first, bits may be wrong.
    let less = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGHS;
    let mut chunks = bytes.chunks_exact(8);
    let mut passed = 0;
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        let word = u64::from_le_bytes(eight);
        let quote = less(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = less(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | less(word, 0x20);
        if found != 0 {
            return passed + found.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    let rest = chunks.remainder();
    passed + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round(text: &str) -> Result<String, String> {
        let arena = Arena::new();
        read(&arena, text.as_bytes(), Limits::default()).map(|v| to_string(&v)).map_err(|e| e.to_string())
    }

    #[test]
    fn numbers_and_order_survive_unchanged() {
        let text = r#"{"b":1.10,"a":[1e400,-0,0.1000000000000000000000000000000001],"c":{},"d":[],"e":null}"#;
        assert_eq!(round(text).unwrap(), text);
    }

    proptest! {
        #[test]
        fn plain_bytes_end_at_the_first_special_one(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let slow = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1F)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_bytes(&bytes), slow);
        }
    }

    #[test]
    fn escapes_are_read_and_only_needed_ones_written() {
        assert_eq!(round(r#""\u674e\u5a1c \ud83d\ude00 \/ \n \u0001""#).unwrap(), "\"李娜 😀 / \\n \\u0001\"");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, wanted) in [
            ("", "ends too early at line 1, column 1"),
            ("{\"a\":1,\n\"a\":2}", "the same key twice in one object at line 2, column 1"),
            ("[1,]", "expected a JSON value at line 1, column 4"),
            ("01", "without leading zeros at line 1, column 3"),
            ("1.", "digits after the decimal point"),
            ("[1] x", "something follows the JSON text at line 1, column 5"),
            ("\"\\ud800x\"", "half of a surrogate pair"),
            ("\"\\udc00\"", "half of a surrogate pair"),
            ("\"\\u12g4\"", "four hex digits"),
            ("\"a\nb\"", "control character"),
            ("nul", "expected a JSON value"),
            ("{\"李娜\":tru}", "line 1, column 7"),
        ] {
            let error = round(text).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_key_twice_is_refused_in_big_objects_too() {
        let keys: Vec<String> = (0..50).map(|i| format!("\"k{}\":1", i % 49)).collect();
        assert!(round(&format!("{{{}}}", keys.join(","))).unwrap_err().contains("same key twice"));
    }

    #[test]
    fn limits_hold() {
        let arena = Arena::new();
        let limits = Limits { max_bytes: 100, max_depth: 3, max_nodes: 5 };
        assert!(read(&arena, b"[[[1]]]", limits).is_ok());
        assert!(read(&arena, b"[[[[1]]]]", limits).unwrap_err().message.contains("deeper than 3"));
        assert!(read(&arena, b"[1,2,3,4,5]", limits).unwrap_err().message.contains("more than 5"));
        assert!(read(&arena, &[b' '; 101], limits).unwrap_err().message.contains("longer than 100"));
        assert!(read(&arena, b"\"\xff\"", limits).unwrap_err().message.contains("UTF-8"));
        let bomb = "[".repeat(100_000);
        assert!(read(&arena, bomb.as_bytes(), Limits::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let arena = Arena::new();
            let _ = read(&arena, &bytes, Limits::default());
        }

        /// serde_json is the oracle for what is valid; where both accept, both mean the same.
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{},:\"\\\\a0-9.eE+ \\-untrfals]{0,24}") {
            let arena = Arena::new();
            let ours = read(&arena, text.as_bytes(), Limits::default());
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(theirs) => if let Ok(ours) = ours {
                    prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&to_string(&ours)).unwrap(), theirs);
                } else {
                    prop_assert!(text.contains('{'), "refused {}", text);
                },
                // Exponents that overflow a binary float are fine for us.
                Err(error) => prop_assert!(ours.is_err() || error.to_string().contains("out of range"), "accepted {}", text),
            }
        }
    }
}
