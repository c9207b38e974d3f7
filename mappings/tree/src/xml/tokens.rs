//! The pieces of a document that is in memory.
//!
//! What is written plainly, which is nearly everything, is found here; whatever else there may be is left to the
//! tokenizer that also reads streams, from there on, so that both refuse the same in the same words.

use super::Reason;
use super::outline::{self, Outline, Token};
use super::tag::shown;
use memchr::{memchr, memchr2, memchr3, memmem};

/// A piece of the plainest kind.
#[derive(Clone, Copy)]
pub(super) enum Plain<'a> {
    /// An element with nothing but text: its local name and the text.
    Leaf(&'a str, &'a str),
    /// An element without attributes begins: its local name.
    Open(&'a str),
    /// The innermost element ends.
    Close,
    /// Text as it stands.
    Text(&'a str),
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Names of the open elements as they are written.
    names: Vec<&'a str>,
    /// The tokenizer for all that is not plain, and where its text begins.
    careful: Option<(quick_xml::Reader<&'a [u8]>, usize)>,
}

const NAME: u8 = 1;
const START: u8 = 2;
/// Bytes of text that need a closer look.
const ODD: u8 = 4;

/// What each byte can be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let start = b.is_ascii_alphabetic() || b == b'_';
        if start {
            classes[byte] |= START;
        }
        if start || b.is_ascii_digit() || b == b'-' || b == b'.' {
            classes[byte] |= NAME;
        }
        if (b < 0x20 && b != b'\n' && b != b'\t') || b == b'&' || b == b']' || b == 0xEF {
            classes[byte] |= ODD;
        }
        byte += 1;
    }
    classes
};

fn is(byte: Option<&u8>, class: u8) -> bool {
    byte.is_some_and(|byte| CLASSES[usize::from(*byte)] & class != 0)
}

/// Whether a text stands for itself: no references, no `]]>`, no line breaks to fold, nothing forbidden.
fn is_plain(bytes: &[u8]) -> bool {
    // Without a branch for each byte, so that many are looked at at once.
    let odd = |byte: u8| {
        ((byte < 0x20) & (byte != b'\n') & (byte != b'\t')) | (byte == b'&') | (byte == b']') | (byte == 0xEF)
    };
    !bytes.iter().fold(false, |found, byte| found | odd(*byte))
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, names: Vec::new(), careful: None }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next piece inside an element, if it is plain.
    pub(super) fn plain(&mut self, outline: &Outline) -> Option<Plain<'a>> {
        if self.careful.is_some() {
            return None;
        }
        let bytes = self.text.as_bytes();
        let at = self.at;
        if bytes.get(at) != Some(&b'<') {
            // No further than to a reference: what is looked at here and is not taken is looked at again.
            let length = memchr2(b'<', b'&', bytes.get(at..)?).filter(|length| *length > 0)?;
            let text = self.text.get(at..at + length).filter(|text| is_plain(text.as_bytes()))?;
            self.at += length;
            return Some(Plain::Text(text));
        }
        if bytes.get(at + 1) == Some(&b'/') {
            self.at = self.ends(at)?;
            self.names.pop();
            return Some(Plain::Close);
        }
        let (name, local, end) = self.plain_name(at + 1, outline)?;
        if bytes.get(end) != Some(&b'>') || local == "Include" || !outline.can_enter() {
            return None;
        }
        self.names.push(name);
        let start = end + 1;
        if let Some(length) = memchr(b'<', bytes.get(start..)?)
            && let Some(behind) = self.ends(start + length)
            && let Some(text) = self.text.get(start..start + length).filter(|text| is_plain(text.as_bytes()))
        {
            self.names.pop();
            self.at = behind;
            return Some(Plain::Leaf(local, text));
        }
        self.at = start;
        Some(Plain::Open(local))
    }

    /// A name of letters that need no look into a table of all languages, with a prefix that is bound: whole, its local
    /// part, and where it ends.
    fn plain_name(&self, from: usize, outline: &Outline) -> Option<(&'a str, &'a str, usize)> {
        let bytes = self.text.as_bytes();
        if !is(bytes.get(from), START) {
            return None;
        }
        let word = |from: usize| {
            let mut end = from + 1;
            while is(bytes.get(end), NAME) {
                end += 1;
            }
            end
        };
        let end = word(from);
        if bytes.get(end) != Some(&b':') {
            let name = self.text.get(from..end)?;
            return Some((name, name, end));
        }
        let local = end + 1;
        if !is(bytes.get(local), START) || !outline.is_bound(self.text.get(from..end)?) {
            return None;
        }
        let end = word(local);
        Some((self.text.get(from..end)?, self.text.get(local..end)?, end))
    }

    /// Where the end tag of the innermost element ends that begins at `at`, if it does.
    fn ends(&self, at: usize) -> Option<usize> {
        let name = self.names.last()?;
        let rest = self.text.as_bytes().get(at..)?.strip_prefix(b"</")?.strip_prefix(name.as_bytes())?;
        (rest.first() == Some(&b'>')).then_some(at + 3 + name.len())
    }

    /// The next piece of any kind.
    pub(super) fn next(&mut self) -> Result<(Token, &'a str), (Reason, String)> {
        let start = self.at;
        let token = match self.careful.is_none().then(|| self.simple()).flatten() {
            Some((token, end)) => {
                self.at = end;
                token
            }
            None => self.careful()?,
        };
        let piece = self.text.get(start..self.at).unwrap_or_default();
        let (content, _) = token.content(piece);
        match token {
            Token::Open => {
                let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
                self.names.push(content.split(blank).next().unwrap_or_default());
            }
            Token::Close => {
                let found = content.trim_end_matches([' ', '\t', '\r', '\n']);
                match self.names.pop() {
                    Some(expected) if expected == found => {}
                    Some(expected) => {
                        let message = format!("expected `</{}>` but found `</{}>`", shown(expected), shown(found));
                        return Err((Reason::Malformed, message));
                    }
                    None => {
                        let message = format!("`</{}>` ends an element that was not begun", shown(found));
                        return Err((Reason::Malformed, message));
                    }
                }
            }
            _ => {}
        }
        Ok((token, piece))
    }

    /// What kind the next piece is and where it ends, if that is simple to tell.
    fn simple(&self) -> Option<(Token, usize)> {
        let bytes = self.text.as_bytes();
        let at = self.at;
        let rest = bytes.get(at..)?;
        let find = |from: usize, wanted: &[u8]| {
            memmem::find(rest.get(from..)?, wanted).map(|length| at + from + length + wanted.len())
        };
        match rest {
            [] => None,
            [b'<', b'/', ..] => find(2, b">").map(|end| (Token::Close, end)),
            [b'<', b'?', ..] if at == 0 && rest.starts_with(b"<?xml ") => {
                find(6, b"?>").map(|end| (Token::Declaration, end))
            }
            [b'<', b'!', ..] if rest.starts_with(b"<![CDATA[") => find(9, b"]]>").map(|end| (Token::Cdata, end)),
            [b'<', b'!', ..] if rest.starts_with(b"<!--") => {
                let end = find(4, b"--")?;
                (bytes.get(end) == Some(&b'>')).then_some((Token::Comment, end + 1))
            }
            [b'<', next, ..] if CLASSES[usize::from(*next)] & START != 0 || *next >= 0x80 => {
                let end = tag_end(bytes, at + 1)?;
                let empty = bytes.get(end - 2) == Some(&b'/');
                Some((if empty { Token::Empty } else { Token::Open }, end))
            }
            [b'<', ..] => None,
            [b'&', ..] => {
                let end = memchr3(b';', b'<', b'&', rest.get(1..)?)? + 1;
                (rest.get(end) == Some(&b';')).then_some((Token::Reference, at + end + 1))
            }
            _ => {
                let length = memchr2(b'<', b'&', rest)?;
                Some((Token::Text, at + length))
            }
        }
    }

    /// Lets the tokenizer for everything go on from here.
    fn careful(&mut self) -> Result<Token, (Reason, String)> {
        let (text, at) = (self.text, self.at);
        let (reader, base) = self.careful.get_or_insert_with(|| {
            let mut reader = quick_xml::Reader::from_str(text.get(at..).unwrap_or_default());
            let config = reader.config_mut();
            config.check_comments = true;
            // Ends are compared here, with the names that were read before.
            config.check_end_names = false;
            config.allow_unmatched_ends = true;
            (reader, at)
        });
        let token = match reader.read_event() {
            Ok(event) => Token::of(&event),
            Err(error) => return Err(outline::complaint(&error)),
        };
        self.at = *base + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        Ok(token)
    }
}

/// Where a tag ends: at the first `>` that is in no quotes.
fn tag_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr3(b'>', b'"', b'\'', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'>' => return Some(at + 1),
            quote => at += 1 + memchr(*quote, bytes.get(at + 1..)?)? + 1,
        }
    }
}
