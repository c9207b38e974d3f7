//! What stands between `<` and `>`: names, attributes, references.
//!
//! The tokenizer finds where a tag ends but looks no further, so well-formedness inside tags is checked here.
//! A failure is an offset into the piece with a message.

use super::Reason;
use std::borrow::Cow;

/// Why a piece is refused.
#[derive(Debug)]
pub(super) struct Fail {
    /// Where in the piece.
    pub(super) at: usize,
    pub(super) reason: Reason,
    pub(super) message: String,
}

pub(super) fn fail<T>(at: usize, message: impl Into<String>) -> Result<T, Fail> {
    fail_as(Reason::Malformed, at, message)
}

pub(super) fn fail_as<T>(reason: Reason, at: usize, message: impl Into<String>) -> Result<T, Fail> {
    Err(Fail { at, reason, message: message.into() })
}

/// What one tag may hold.
#[derive(Clone, Copy)]
pub(super) struct Caps {
    /// Most attributes.
    pub(super) attributes: usize,
    /// Longest name or value in bytes.
    pub(super) length: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { attributes: 512, length: usize::MAX }
    }
}

/// A name with its prefix, which is empty where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'t> {
    pub(super) prefix: &'t str,
    pub(super) local: &'t str,
}

#[derive(Debug)]
pub(super) struct Attribute<'t> {
    pub(super) name: Name<'t>,
    pub(super) value: Cow<'t, str>,
    /// Where it begins.
    pub(super) at: usize,
}

impl<'t> Attribute<'t> {
    /// The prefix that it declares, if it is a namespace declaration; empty for the default namespace.
    pub(super) fn declares(&self) -> Option<&'t str> {
        match (self.name.prefix, self.name.local) {
            ("", "xmlns") => Some(""),
            ("xmlns", prefix) => Some(prefix),
            _ => None,
        }
    }
}

/// A start tag or an XML declaration.
#[derive(Debug)]
pub(super) struct Tag<'t> {
    pub(super) name: Name<'t>,
    pub(super) attributes: Vec<Attribute<'t>>,
}

/// A name that is safe to show: names come from the sender, so their length is not bounded.
pub(super) fn shown(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Reads `name a="1" b='2'`; `base` is where that begins in its piece.
pub(super) fn read_tag(content: &str, base: usize, caps: Caps) -> Result<Tag<'_>, Fail> {
    let bytes = content.as_bytes();
    let name_end = word_end(bytes, 0);
    check_length(name_end, base, caps)?;
    let name = read_name(&content[..name_end], base)?;
    let mut attributes: Vec<Attribute<'_>> = Vec::new();
    let mut at = name_end;
    loop {
        let start = skip_space(bytes, at);
        if start == bytes.len() {
            break;
        }
        if start == at {
            return fail(base + at, "expected a space before an attribute");
        }
        if attributes.len() == caps.attributes {
            let message = format!("more than {} attributes in one element", caps.attributes);
            return fail_as(Reason::Attributes, base + start, message);
        }
        let end = word_end(bytes, start);
        check_length(end - start, base + start, caps)?;
        let name = read_name(&content[start..end], base + start)?;
        let equals = skip_space(bytes, end);
        if bytes.get(equals) != Some(&b'=') {
            return fail(base + equals, "expected `=` after the name of an attribute");
        }
        let open = skip_space(bytes, equals + 1);
        let Some(quote @ (b'"' | b'\'')) = bytes.get(open) else {
            return fail(base + open, "expected the value of an attribute in quotes");
        };
        let Some(length) = bytes[open + 1..].iter().position(|b| b == quote) else {
            return fail(base + open, "an attribute without its closing quote");
        };
        check_length(length, base + open + 1, caps)?;
        let value = attribute_value(&content[open + 1..open + 1 + length], base + open + 1)?;
        attributes.push(Attribute { name, value, at: base + start });
        at = open + 1 + length + 1;
    }
    refuse_twice(&attributes)?;
    Ok(Tag { name, attributes })
}

fn check_length(length: usize, at: usize, caps: Caps) -> Result<(), Fail> {
    if length > caps.length {
        return fail_as(Reason::Length, at, format!("a name or value longer than {} bytes", caps.length));
    }
    Ok(())
}

fn refuse_twice(attributes: &[Attribute<'_>]) -> Result<(), Fail> {
    if attributes.len() < 2 {
        return Ok(());
    }
    let key = |attribute: &Attribute<'_>| (attribute.name.prefix.to_owned(), attribute.name.local.to_owned());
    let few = attributes.len() <= 16;
    let twice = if few {
        let same = |a: &Name<'_>, b: &Name<'_>| a.local == b.local && a.prefix == b.prefix;
        attributes.iter().enumerate().find(|(at, one)| attributes[..*at].iter().any(|o| same(&o.name, &one.name)))
    } else {
        let mut seen = std::collections::BTreeSet::new();
        attributes.iter().enumerate().find(|(_, one)| !seen.insert(key(one)))
    };
    match twice {
        Some((_, one)) => fail(one.at, format!("the attribute `{}` twice in one element", shown(one.name.local))),
        None => Ok(()),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether text holds nothing but the white space of XML.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|b| !is_space(*b)).map_or(bytes.len(), |length| from + length)
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    let ends = |b: &u8| is_space(*b) || matches!(b, b'=' | b'"' | b'\'');
    bytes[from..].iter().position(ends).map_or(bytes.len(), |length| from + length)
}

/// Splits a name at its colon and checks both parts (Namespaces in XML 1.0, QName).
pub(super) fn read_name(word: &str, at: usize) -> Result<Name<'_>, Fail> {
    let (prefix, local) = word.split_once(':').unwrap_or(("", word));
    let prefixed = word.len() > local.len();
    if !is_name(local) || (prefixed && !is_name(prefix)) {
        return fail(at, "expected a name");
    }
    Ok(Name { prefix, local })
}

/// Whether a word is a name without a colon (XML 1.0, fifth edition, productions 4 and 4a).
pub(super) fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(starts_name) && letters.all(continues_name)
}

fn starts_name(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether XML 1.0 may hold a character at all (production 2).
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Refuses characters that XML 1.0 forbids.
pub(super) fn check_characters(piece: &str) -> Result<(), Fail> {
    // Only control characters and the last two of the basic plane are forbidden; both are seen in bytes.
    let suspicious = |b: u8| (b < 0x20 && !is_space(b)) || b == 0xEF;
    if !piece.bytes().any(suspicious) {
        return Ok(());
    }
    match piece.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, c)) => {
            fail_as(Reason::Character, at, format!("the character U+{:04X} is forbidden in XML", u32::from(c)))
        }
        None => Ok(()),
    }
}

/// Text with the line breaks of XML: `\r\n` and `\r` become `\n`.
pub(super) fn line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}

/// What `&…;` stands for, without `&` and `;`: one of the five entities of XML, or a character by its number.
pub(super) fn referred(reference: &str, at: usize) -> Result<char, Fail> {
    let number = match reference {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        _ => reference.strip_prefix('#'),
    };
    let Some(number) = number else {
        let message = "an entity that XML does not define; only &lt; &gt; &amp; &apos; &quot; and numbers are read";
        return fail_as(Reason::Entity, at, message);
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(char::from_u32).filter(|c| is_allowed(*c))
    {
        Some(c) => Ok(c),
        None => fail_as(Reason::Character, at, "a reference to a character that XML does not have"),
    }
}

/// The value between the quotes, with references resolved and white space made spaces (XML 1.0, 3.3.3).
fn attribute_value(raw: &str, base: usize) -> Result<Cow<'_, str>, Fail> {
    if let Some(at) = raw.find('<') {
        return fail(base + at, "`<` in the value of an attribute must be written `&lt;`");
    }
    if !raw.contains(['&', '\t', '\n', '\r']) {
        return Ok(Cow::Borrowed(raw));
    }
    let spaced = raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
    let mut value = String::with_capacity(spaced.len());
    let mut rest = spaced.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        value.push_str(before);
        // Places inside such a value are those of its start: line breaks in it have been folded.
        let Some((reference, behind)) = after.split_once(';') else {
            return fail(base, "`&` must be written `&amp;`");
        };
        value.push(referred(reference, base)?);
        rest = behind;
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_or_refused_with_their_place() {
        let tag = read_tag("a:b  c = \"1 &amp;\r\n2&#10;\"\n李=''", 0, Caps::default()).ok().unwrap();
        assert_eq!((tag.name.prefix, tag.name.local), ("a", "b"));
        let values: Vec<(&str, &str)> = tag.attributes.iter().map(|a| (a.name.local, a.value.as_ref())).collect();
        assert_eq!(values, [("c", "1 & 2\n"), ("李", "")]);
        for (content, at, message) in [
            ("", 0, "expected a name"),
            ("1a", 0, "expected a name"),
            (":a", 0, "expected a name"),
            ("a:b:c", 0, "expected a name"),
            ("a b", 3, "expected `=`"),
            ("a b=c", 4, "in quotes"),
            ("a b=\"1\"c=\"2\"", 7, "expected a space"),
            ("a b=\"1\" b=\"2\"", 8, "`b` twice"),
            ("a b=\"<\"", 5, "must be written `&lt;`"),
            ("a b=\"&nbsp;\"", 5, "an entity that XML does not define"),
            ("a b=\"&#0;\"", 5, "a character that XML does not have"),
            ("a b=\"&\"", 5, "must be written `&amp;`"),
            ("a /", 2, "expected a name"),
        ] {
            let found = read_tag(content, 0, Caps::default()).err().unwrap();
            assert_eq!(found.at, at, "{content}");
            assert!(found.message.contains(message), "{content}: {}", found.message);
        }
        let many: String = (0..600).map(|i| format!(" a{i}=''")).collect();
        let complaint = |content: &str, caps: Caps| read_tag(content, 0, caps).err().unwrap().message;
        assert!(complaint(&format!("a{many}"), Caps::default()).contains("more than 512 attributes"));
        let twice: String = (0..30).map(|i| format!(" a{}=''", i % 29)).collect();
        assert!(complaint(&format!("a{twice}"), Caps::default()).contains("`a0` twice"));
        let caps = Caps { attributes: 1, length: 3 };
        assert!(read_tag("abc def='ghi'", 0, caps).is_ok());
        for long in ["abcd", "a bcde='f'", "a b='cdef'"] {
            assert!(complaint(long, caps).contains("longer than 3 bytes"), "{long}");
        }
    }

    #[test]
    fn references_to_what_is_no_character_are_refused() {
        assert_eq!(referred("#x674e", 0).ok(), Some('李'));
        assert_eq!(referred("#10", 0).ok(), Some('\n'));
        for bad in ["#", "#x", "#+5", "#xD800", "#1F", "#x110000", "#99999999999", "#1", "LT", ""] {
            assert!(referred(bad, 0).is_err(), "{bad}");
        }
    }
}
