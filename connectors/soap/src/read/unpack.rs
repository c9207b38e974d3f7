//! Bytes as they came, unpacked: compressed bodies under a limit, and the encoding that they are really in.

use super::{Reason, Rules};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use hub_tree::reader::charset_of;
use hub_tree::{Encoding, xml};
use std::io::Read;

pub(super) type Fail = (Reason, String);

pub(super) fn fail<T>(reason: Reason, message: impl Into<String>) -> Result<T, Fail> {
    Err((reason, message.into()))
}

/// Up to this size nobody asks how much a body has grown.
const SMALL: usize = 256 << 10;

/// Undoes a `Content-Encoding`; `None` if there is nothing to undo.
pub(super) fn decompress(bytes: &[u8], coding: Option<&str>, rules: &Rules) -> Result<Option<Vec<u8>>, Fail> {
    let codings = coding.unwrap_or_default().split(',').map(str::trim);
    let codings: Vec<String> =
        codings.map(str::to_ascii_lowercase).filter(|c| !c.is_empty() && c != "identity").collect();
    let mut reader: Box<dyn Read + '_> = match codings.as_slice() {
        [] => return Ok(None),
        [one] => match one.as_str() {
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(bytes)),
            // The name says zlib, but some writers leave its two bytes out.
            "deflate" if is_zlib(bytes) => Box::new(ZlibDecoder::new(bytes)),
            "deflate" => Box::new(DeflateDecoder::new(bytes)),
            _ => return fail(Reason::Compression, "only gzip and deflate are read"),
        },
        _ => return fail(Reason::Compression, "a body is compressed once at most"),
    };
    let most = rules.max_text.min(bytes.len().saturating_mul(rules.max_ratio).max(SMALL));
    let mut out = Vec::new();
    let mut block = vec![0; 16 << 10];
    loop {
        let read = match reader.read(&mut block) {
            Ok(0) => return Ok(Some(out)),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return fail(Reason::Xml(xml::Reason::Truncated), "the compressed body ends too early");
            }
            Err(_) => return fail(Reason::Compression, "the body is not compressed as it says"),
        };
        if out.len() + read > most {
            return if most == rules.max_text {
                fail(Reason::Xml(xml::Reason::Size), format!("the body is longer than {most} bytes"))
            } else {
                let ratio = rules.max_ratio;
                fail(Reason::Ratio, format!("the compressed body grows to more than {ratio} times its size"))
            };
        }
        out.extend_from_slice(&block[..read]);
    }
}

fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..]
        if first & 0x0F == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}

/// The encoding to read by, if the bytes do not say it better, and what is to be said about it.
pub(super) fn encoding(
    bytes: &[u8],
    content_type: Option<&str>,
) -> Result<(Option<Encoding>, Option<&'static str>), Fail> {
    let declared = || xml::declared(bytes).map_err(|error| (Reason::Xml(xml::Reason::Encoding), error.to_string()));
    let Some(label) = content_type.and_then(charset_of) else { return Ok((None, None)) };
    let Some(told) = Encoding::of_label(label) else {
        return fail(Reason::Xml(xml::Reason::Encoding), "the charset of the content type is not known");
    };
    let wide = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0xEF, 0xBB, 0xBF, ..] => return Ok((None, None)),
        [b'<', 0, ..] => Encoding::of_label("utf-16le"),
        [0, b'<', ..] => Encoding::of_label("utf-16be"),
        _ => None,
    };
    if told.is_wide() || wide.is_some() {
        // What is written in one byte is not UTF-16, whatever was said of it.
        let note = (wide.is_none() || !told.is_wide()).then_some("the charset of the content type is wrong");
        return match wide {
            Some(wide) => Ok((Some(wide), note)),
            None => Ok((declared()?, note)),
        };
    }
    // Servers that name their own default for everything.
    let utf8 = || std::str::from_utf8(bytes).is_ok();
    if told != Encoding::UTF_8 && declared().ok().flatten() == Some(Encoding::UTF_8) && utf8() {
        let note = "the charset of the content type is not the declared one; the bytes are as declared";
        return Ok((Some(Encoding::UTF_8), Some(note)));
    }
    Ok((Some(told), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_undone_under_a_limit() {
        let rules = Rules { max_text: 1 << 20, ..Rules::server() };
        let text = "薪酬".repeat(1000).into_bytes();
        let undone = |bytes: &[u8], coding: &str| decompress(bytes, Some(coding), &rules).map_err(|(reason, _)| reason);
        assert_eq!(undone(&gzip(&text), "gzip"), Ok(Some(text.clone())));
        assert_eq!(undone(&gzip(&text), " X-GZIP , identity"), Ok(Some(text.clone())));
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&text).unwrap();
        assert_eq!(undone(&zlib.finish().unwrap(), "deflate"), Ok(Some(text.clone())));
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(&text).unwrap();
        assert_eq!(undone(&raw.finish().unwrap(), "deflate"), Ok(Some(text.clone())));
        assert_eq!(undone(b"x", "identity"), Ok(None));
        let whole = gzip(&text);
        assert_eq!(undone(&whole[..whole.len() - 9], "gzip"), Err(Reason::Xml(xml::Reason::Truncated)));
        assert_eq!(undone(b"<a>this is not compressed</a>", "gzip"), Err(Reason::Compression));
        assert_eq!(undone(&whole, "br"), Err(Reason::Compression));
        assert_eq!(undone(&whole, "gzip, gzip"), Err(Reason::Compression));
        assert_eq!(undone(&gzip(&vec![b' '; 900 << 10]), "gzip"), Err(Reason::Ratio));
        // Text that does not repeat grows by little, and meets the other limit.
        let many: String = (0..400_000_u32).map(|i| format!("{:08x}", i.wrapping_mul(2_654_435_761))).collect();
        assert_eq!(undone(&gzip(many.as_bytes()), "gzip"), Err(Reason::Xml(xml::Reason::Size)));
    }

    #[test]
    fn a_charset_that_cannot_be_right_gives_way() {
        let found = |bytes: &[u8], charset: &str| {
            encoding(bytes, Some(&format!("text/xml; charset={charset}")))
                .map(|(e, note)| (e.map(Encoding::name), note.is_some()))
        };
        let utf8 = "<?xml version='1.0' encoding='UTF-8'?><a>李</a>".as_bytes();
        assert_eq!(found(utf8, "ISO-8859-1").unwrap(), (Some("UTF-8"), true));
        assert_eq!(found(utf8, "utf-8").unwrap(), (Some("UTF-8"), false));
        assert_eq!(found(b"<a/>", "\"GB2312\"").unwrap().0, Some("GBK"));
        assert_eq!(found(b"<a/>", "cp936").unwrap().0, Some("gb18030"));
        assert_eq!(found(b"\0<\0a", "utf-16").unwrap().0, Some("UTF-16BE"));
        assert_eq!(found(b"<?xml version='1.0'?><a/>", "utf-16").unwrap(), (None, true));
        assert_eq!(found(b"\xFF\xFE<\0", "utf-8").unwrap().0, None);
        assert!(found(b"<a/>", "klingon").is_err());
    }
}
