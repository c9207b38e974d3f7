//! What a driver makes of a web hook: the opened body, and the answer that the vendor waits for.

use crate::manifest::AnswerForm;
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Encoding, Limits, ReadError, Value, json, xml};

/// A request that proved itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The body, decrypted; `None` for a check of the address, of which nothing is kept.
    pub body: Option<Vec<u8>>,
    /// The answer that the vendor waits for, made for this request; `None` for the hub's usual one.
    pub answer: Option<HookAnswer>,
}

impl Opened {
    /// A body that is kept, with the hub's usual answer.
    #[must_use]
    pub const fn kept(body: Vec<u8>) -> Self {
        Self { body: Some(body), answer: None }
    }

    /// A check of the address: the answer proves that it arrived, and nothing is kept.
    #[must_use]
    pub const fn check(answer: HookAnswer) -> Self {
        Self { body: None, answer: Some(answer) }
    }

    /// The same with this answer.
    #[must_use]
    pub fn answered(self, answer: HookAnswer) -> Self {
        Self { answer: Some(answer), ..self }
    }
}

/// An answer in the vendor's own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookAnswer {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// Headers beside it.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HookAnswer {
    /// An answer of plain text, exactly as given: what came from outside is never shown as a page.
    #[must_use]
    pub const fn text(body: Vec<u8>) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", headers: Vec::new(), body }
    }

    /// An answer of JSON text.
    #[must_use]
    pub const fn json(body: Vec<u8>) -> Self {
        Self { status: 200, content_type: "application/json", headers: Vec::new(), body }
    }
}

/// Deepest nesting of an opened body that is XML; vendors' callbacks have a handful of levels.
const XML_LIMITS: Limits = Limits { max_bytes: 64 << 20, max_depth: 32, max_nodes: 200_000 };

/// Whether a body is XML: its first character that is no space says so.
#[must_use]
pub fn is_xml(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Reads an opened body: JSON, or XML, of which the payload is the content of the root element. The encoding is UTF-8,
/// whatever a declaration says; a DOCTYPE is refused, so there are no entities.
///
/// # Errors
/// The first place where it is neither.
pub fn read_opened<'a>(arena: &'a Arena, body: &'a [u8]) -> Result<Value<'a>, ReadError> {
    if !is_xml(body) {
        return json::read(arena, body, Limits::default());
    }
    let tree = xml::read_as(arena, body, Some(Encoding::UTF_8), XML_LIMITS)?;
    Ok(content(tree))
}

/// A vendor's time as microseconds: RFC 3339, or a Unix time in seconds or milliseconds, told by its size.
#[must_use]
pub fn instant(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Text(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond),
        value => {
            let number = i64::try_from(value.as_decimal()?).ok()?;
            let millis = if number > 100_000_000_000 { number } else { number.checked_mul(1000)? };
            millis.checked_mul(1000)
        }
    }
}

/// The content of the root element of a document's tree.
#[must_use]
pub fn content(tree: Value<'_>) -> Value<'_> {
    tree.entries().first().map_or(Value::Absent, |(_, value)| *value)
}

impl AnswerForm {
    /// Makes JSON text of a body; an empty one stays empty.
    ///
    /// # Errors
    /// The first place where it is not well-formed.
    pub fn read(self, body: &mut Vec<u8>) -> Result<(), String> {
        if body.is_empty() || self == Self::Json {
            return Ok(());
        }
        let arena = Arena::new();
        let text = match self {
            Self::Xml => {
                json::to_string(&content(xml::read(&arena, body, XML_LIMITS).map_err(|error| error.to_string())?))
            }
            _ => json::to_string(&Value::Text(str::from_utf8(body).map_err(|error| error.to_string())?)),
        };
        *body = text.into_bytes();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<String, String> {
        let arena = Arena::new();
        read_opened(&arena, body.as_bytes()).map(|v| json::to_string(&v)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_body_is_read_by_its_first_character_and_xml_without_its_root() {
        assert_eq!(read(r#" {"a":1}"#).as_deref(), Ok(r#"{"a":1}"#));
        let body = "\u{feff}\n<xml><User><![CDATA[lin]]></User><Dept>1</Dept><Dept>2</Dept></xml>";
        assert_eq!(read(body).as_deref(), Ok(r#"{"User":"lin","Dept":["1","2"]}"#));
        assert_eq!(read("<xml/>").as_deref(), Ok(r#""""#));
        assert!(read("").is_err());
    }

    #[test]
    fn an_answer_becomes_json_text_by_its_form_and_an_empty_one_stays_empty() {
        let read = |form: AnswerForm, body: &str| {
            let mut body = body.as_bytes().to_vec();
            form.read(&mut body).map(|()| String::from_utf8(body).unwrap())
        };
        let answer = "<?xml version='1.0'?><u ok='N'><item key='a'>坏</item></u>";
        let tree = r##"{"@ok":"N","item":{"@key":"a","#text":"坏"}}"##;
        assert_eq!(read(AnswerForm::Xml, answer).as_deref(), Ok(tree));
        assert_eq!(read(AnswerForm::Text, "error: \"no\"").as_deref(), Ok(r#""error: \"no\"""#));
        assert_eq!(read(AnswerForm::Json, "{").as_deref(), Ok("{"));
        assert_eq!(read(AnswerForm::Xml, "").as_deref(), Ok(""));
        assert!(read(AnswerForm::Xml, "<!DOCTYPE a []><a/>").is_err());
        assert!(read(AnswerForm::Xml, r#"{"a":1}"#).is_err());
    }

    #[test]
    fn a_doctype_is_refused_and_a_declared_encoding_does_not_count() {
        for body in [
            "<!DOCTYPE xml [<!ENTITY a 'b'>]><xml>&a;</xml>",
            "<?xml version='1.0'?><!DOCTYPE xml SYSTEM 'http://x.example/a.dtd'><xml/>",
            "<xml>&nbsp;</xml>",
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        assert_eq!(read("<?xml version='1.0' encoding='gbk'?><a><b>李</b></a>").as_deref(), Ok(r#"{"b":"李"}"#));
    }
}
