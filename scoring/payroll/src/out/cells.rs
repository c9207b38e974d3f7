//! Rows of text as banks and tax offices take them: quoting, encoding, and cells that no spreadsheet runs.

use super::Problem;
use encoding_rs::{Encoding, GB18030, GBK, UTF_8};

/// How rows become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Between cells.
    pub delimiter: char,
    /// The encoding.
    pub encoding: Charset,
    /// Whether a byte order mark stands before UTF-8, as some spreadsheets want it.
    pub mark: bool,
    /// `\r\n` instead of `\n`.
    pub crlf: bool,
}

impl Form {
    /// UTF-8 with a mark, commas and `\r\n`: what spreadsheets open without being asked.
    pub const SHEET: Self = Self { delimiter: ',', encoding: Charset::Utf8, mark: true, crlf: true };
}

/// Encodings that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// GBK, which lacks rare characters of names.
    Gbk,
    /// GB18030, which has them all.
    Gb18030,
}

impl Charset {
    /// As profiles write them.
    pub const WORDS: [(&'static str, Self); 3] =
        [("utf-8", Self::Utf8), ("gbk", Self::Gbk), ("gb18030", Self::Gb18030)];

    /// The name for `Content-Type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, one)| *one == self).map_or("utf-8", |(word, _)| word)
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Gbk => GBK,
            Self::Gb18030 => GB18030,
        }
    }

    /// The first character that it does not have.
    pub(crate) fn lacks(self, text: &str) -> Option<char> {
        text.chars().find(|c| self.encoding().encode(c.encode_utf8(&mut [0; 4])).2)
    }
}

/// Why a text cannot stand in a cell: a line break, another control character, or one that the encoding lacks.
pub(crate) fn unfit(text: &str, form: Form) -> Option<String> {
    if text.chars().any(char::is_control) {
        return Some("it has a line break or another control character; remove it".to_owned());
    }
    let lacks = form.encoding.lacks(text)?;
    let code = u32::from(lacks);
    Some(format!("{} has no `{lacks}` (U+{code:04X}); use `encoding: gb18030` or utf-8", form.encoding.name()))
}

/// A text that a spreadsheet does not take for a formula: one that could begin a formula gets an apostrophe before it.
/// For texts, not for numbers.
pub(crate) fn harmless(text: &str) -> String {
    let first = text.trim_start().chars().next();
    // Full-width forms of the signs begin formulas, too.
    let runs = first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    if runs || text.starts_with(['\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

/// The bytes of rows. Cells stand as they are, in quotes where they need them.
///
/// # Errors
/// A character that the encoding lacks: see [`unfit`].
pub(crate) fn bytes(rows: &[Vec<String>], form: Form) -> Result<Vec<u8>, Problem> {
    let mut text = String::new();
    if form.mark && form.encoding == Charset::Utf8 {
        text.push('\u{feff}');
    }
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            if place > 0 {
                text.push(form.delimiter);
            }
            if cell.contains(['"', '\n', '\r', form.delimiter]) {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(cell);
            }
        }
        text.push_str(if form.crlf { "\r\n" } else { "\n" });
    }
    let (bytes, _, lossy) = form.encoding.encoding().encode(&text);
    if lossy {
        let why = unfit(&text.replace(['\r', '\n'], " "), form).unwrap_or_default();
        return Err(Problem::of_all("encoding", why));
    }
    Ok(bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_encoded_and_never_run() {
        let form = Form { delimiter: ',', encoding: Charset::Gbk, mark: true, crlf: true };
        let rows = [vec!["林晓雨".to_owned(), "a,\"b\"".to_owned()], vec![harmless("=cmd|' /C calc'!A0")]];
        let found = bytes(&rows, form).unwrap();
        let (text, _, wrong) = GBK.decode(&found);
        assert_eq!((text.as_ref(), wrong), ("林晓雨,\"a,\"\"b\"\"\"\r\n'=cmd|' /C calc'!A0\r\n", false));
        let sheet = bytes(&[vec!["é".to_owned()]], Form::SHEET).unwrap();
        assert_eq!(sheet, "\u{feff}é\r\n".as_bytes());
        for (text, wanted) in [("-1", "'-1"), ("  @SUM", "'  @SUM"), ("＝1", "'＝1"), ("\tx", "'\tx"), ("A-1", "A-1")]
        {
            assert_eq!(harmless(text), wanted);
        }
    }

    #[test]
    fn what_an_encoding_lacks_is_told() {
        let form = Form { encoding: Charset::Gbk, ..Form::SHEET };
        assert!(unfit("𠮷田", form).unwrap().contains("U+20BB7"));
        assert_eq!(bytes(&[vec!["𠮷田".to_owned()]], form).unwrap_err().field, "encoding");
        assert_eq!(unfit("𠮷田", Form { encoding: Charset::Gb18030, ..form }), None);
        assert!(unfit("a\nb", Form::SHEET).is_some());
    }
}
