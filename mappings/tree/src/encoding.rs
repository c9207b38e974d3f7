//! Text encodings: bytes into UTF-8, whole or as they arrive, with the place of what does not fit.
//!
//! Nothing is replaced by a question mark: bytes that are not of their encoding are an error.

use crate::arena::Arena;
use crate::reader::{Limits, Place, ReadError};
use std::borrow::Cow;
use std::io::{self, BufRead, Read};

/// An encoding of the Encoding Standard, such as GB18030.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);

    /// The encoding that goes by a label such as `gbk`, `GB2312`, `utf-16le` or `latin1`, in any case. Names of code
    /// pages that systems in China write are known, too; GBK and its kin are all read as GB18030, which holds them.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        let code_pages = ["cp936", "ms936", "windows-936", "euc-cn", "gb18030-2000", "gb18030-2005", "gb18030-2022"];
        if code_pages.iter().any(|known| known.eq_ignore_ascii_case(label.trim())) {
            return Some(Self(encoding_rs::GB18030));
        }
        encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).map(Self)
    }

    /// Its name in the Encoding Standard.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The encoding of a byte order mark, and the bytes that the mark takes.
    pub(crate) fn of_mark(bytes: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(bytes).map(|(encoding, length)| (Self(encoding), length))
    }

    /// Whether its code units have two bytes.
    #[must_use]
    pub fn is_wide(self) -> bool {
        self.0 == encoding_rs::UTF_16LE || self.0 == encoding_rs::UTF_16BE
    }

    /// Decodes a short piece; `None` where the bytes are not of the encoding.
    pub(crate) fn decode_piece(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        self.0.decode_without_bom_handling_and_without_replacement(bytes)
    }

    fn complaint(self, hint: &str) -> String {
        format!("the bytes are not {}{hint}", self.name())
    }
}

/// Refuses input that is longer than its limit.
pub(crate) fn check_length(bytes: &[u8], limits: Limits) -> Result<(), ReadError> {
    if bytes.len() > limits.max_bytes {
        return Err(Place::START.error(&format!("the text is longer than {} bytes", limits.max_bytes)));
    }
    Ok(())
}

/// The text of whole bytes, without a byte order mark, which overrides `encoding`. UTF-8 is borrowed, other encodings
/// are decoded into the arena. `hint` ends the message about bytes that do not fit.
pub(crate) fn decode<'a>(
    arena: &'a Arena,
    bytes: &'a [u8],
    encoding: Encoding,
    hint: &str,
) -> Result<&'a str, ReadError> {
    let (encoding, mark) = Encoding::of_mark(bytes).unwrap_or((encoding, 0));
    let bytes = &bytes[mark..];
    if encoding == Encoding::UTF_8 {
        return std::str::from_utf8(bytes)
            .map_err(|error| ReadError::at(bytes, error.valid_up_to(), &encoding.complaint(hint)));
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let mut decoder = encoding.0.new_decoder_without_bom_handling();
    let mut at = 0;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
        at += read;
        match result {
            encoding_rs::DecoderResult::InputEmpty => return Ok(arena.text(&text)),
            encoding_rs::DecoderResult::OutputFull => text.reserve(bytes.len() - at + 1024),
            encoding_rs::DecoderResult::Malformed(_, _) => {
                return Err(ReadError::at(text.as_bytes(), text.len(), &encoding.complaint(hint)));
            }
        }
    }
}

/// How many bytes are looked at to find out the encoding.
const HEAD: usize = 1024;

/// A reader of UTF-8 text over bytes of any encoding, which knows its place and how much it may still hand out.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: encoding_rs::Decoder,
    hint: &'static str,
    /// Bytes of the source; those from `raw_at` are not decoded yet.
    raw: Vec<u8>,
    raw_at: usize,
    source_ended: bool,
    /// Decoded text; `text_at..text_end` was not consumed yet.
    text: Vec<u8>,
    text_at: usize,
    text_end: usize,
    malformed: bool,
    ended: bool,
    allowed: usize,
    limit: usize,
    place: Place,
    failure: Option<ReadError>,
}

impl<R: Read> Decoded<R> {
    /// Wraps a source. Its encoding is that of its byte order mark, else `told`, else what `declared` finds in the
    /// first bytes, else UTF-8.
    pub(crate) fn new(
        mut inner: R,
        told: Option<Encoding>,
        declared: impl Fn(&[u8]) -> Result<Option<Encoding>, ReadError>,
        hint: &'static str,
        limit: usize,
    ) -> Result<Self, ReadError> {
        let mut raw = Vec::with_capacity(HEAD);
        let read = inner.by_ref().take(HEAD as u64).read_to_end(&mut raw);
        read.map_err(|error| Place::START.error(&format!("the input cannot be read ({})", error.kind())))?;
        let (encoding, mark) = match (Encoding::of_mark(&raw), told) {
            (Some((encoding, mark)), _) => (encoding, mark),
            (None, Some(told)) => (told, 0),
            (None, None) => (declared(&raw)?.unwrap_or(Encoding::UTF_8), 0),
        };
        Ok(Self {
            inner,
            decoder: encoding.0.new_decoder_without_bom_handling(),
            hint,
            raw,
            raw_at: mark,
            source_ended: false,
            text: vec![0; 32 << 10],
            text_at: 0,
            text_end: 0,
            malformed: false,
            ended: false,
            allowed: limit,
            limit,
            place: Place::START,
            failure: None,
        })
    }

    /// The place of the next byte.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Allows the full limit again.
    pub(crate) fn renew(&mut self) {
        self.allowed = self.limit;
    }

    /// Why the last read failed.
    pub(crate) fn take_failure(&mut self) -> Option<ReadError> {
        self.failure.take()
    }

    fn fail<T>(&mut self, message: &str) -> io::Result<T> {
        self.failure = Some(self.place.error(message));
        Err(io::Error::other("see take_failure"))
    }

    /// Decodes more text when all is consumed.
    fn refill(&mut self) -> io::Result<()> {
        while self.text_at == self.text_end && !self.ended {
            if self.malformed {
                let complaint = Encoding(self.decoder.encoding()).complaint(self.hint);
                return self.fail(&complaint);
            }
            if self.raw_at == self.raw.len() && !self.source_ended {
                self.raw.resize(16 << 10, 0);
                self.raw_at = self.raw.len();
                match self.inner.read(&mut self.raw) {
                    Ok(read) => {
                        self.raw.truncate(read);
                        self.raw_at = 0;
                        self.source_ended = read == 0;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return self.fail(&format!("the input cannot be read ({})", error.kind())),
                }
            }
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.raw_at..],
                &mut self.text,
                self.source_ended,
            );
            self.raw_at += read;
            (self.text_at, self.text_end) = (0, written);
            match result {
                encoding_rs::DecoderResult::InputEmpty => self.ended = self.source_ended,
                encoding_rs::DecoderResult::OutputFull => {}
                encoding_rs::DecoderResult::Malformed(_, _) => self.malformed = true,
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.refill()?;
        if self.allowed == 0 && self.text_at < self.text_end {
            let limit = self.limit;
            return self.fail(&format!("one record is longer than {limit} bytes"));
        }
        let end = self.text_end.min(self.text_at.saturating_add(self.allowed));
        Ok(&self.text[self.text_at..end])
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.text_at + amount).min(self.text_end);
        self.place.pass(&self.text[self.text_at..end]);
        self.text_at = end;
        self.allowed = self.allowed.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8], label: &str) -> Result<String, ReadError> {
        let arena = Arena::new();
        decode(&arena, bytes, Encoding::of_label(label).unwrap(), "").map(str::to_owned)
    }

    /// A source that gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let step = self.1.min(out.len());
            self.0.read(&mut out[..step])
        }
    }

    fn streamed(bytes: &[u8], label: &str, step: usize) -> Result<String, ReadError> {
        let mut decoded = Decoded::new(Trickle(bytes, step), Encoding::of_label(label), |_| Ok(None), "", usize::MAX)?;
        let mut text = String::new();
        match decoded.read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(_) => Err(decoded.take_failure().unwrap()),
        }
    }

    #[test]
    fn a_mark_is_stronger_than_what_was_said() {
        assert_eq!(whole(b"\xFF\xFEa\0", "utf-8").unwrap(), "a");
        assert_eq!(whole(b"\xFE\xFF\x67\x4E", "gbk").unwrap(), "李");
        assert_eq!(whole(b"\xEF\xBB\xBFa", "gbk").unwrap(), "a");
        assert_eq!(streamed(b"\xFE\xFF\x67\x4E", "gbk", 1).unwrap(), "李");
    }

    #[test]
    fn bytes_that_do_not_fit_are_located() {
        for (bytes, label, line, column) in [
            (&b"a\n\xFFb"[..], "utf-8", 2, 1),
            (b"\xC0\xEE\n\xC0\xEE\x81", "gb18030", 2, 2),
            (b"a\0\n\0\0", "utf-16le", 2, 1),
        ] {
            let error = whole(bytes, label).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{label}");
            assert_eq!(streamed(bytes, label, 1).unwrap_err(), error, "{label}");
        }
    }

    proptest! {
        #[test]
        fn a_stream_says_what_the_whole_says(bytes in proptest::collection::vec(any::<u8>(), 0..300), step in 1..40_usize,
            label in proptest::sample::select(vec!["utf-8", "gb18030", "utf-16le", "big5", "shift_jis", "windows-1252"])) {
            prop_assert_eq!(streamed(&bytes, label, step), whole(&bytes, label));
        }
    }
}
