//! XML and SOAP, for vendors that speak them: requests become trees, trees become answers.
//!
//! A request's `body` is the content of its root element, of an envelope that of the body's first element; `element` is
//! that element's name, `envelope.version` and `envelope.header` are those of the envelope. An answer written by `soap`
//! or `fault` is an envelope of the version of the request.

use crate::shape::{Shape, render};
use hub_expr::{Cx, EvalError, Scope, Templated};
use hub_kit::hook::{content, is_xml};
use hub_tree::yaml::{Context, Fields, Node};
use hub_tree::{Arena, Limits, Span, Value, json, xml};

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// What a request carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    /// JSON, or empty.
    pub(crate) body: Vec<u8>,
    /// The name of the element that holds it.
    pub(crate) element: String,
    /// `version` and `header` of the envelope as JSON, or empty.
    pub(crate) envelope: Vec<u8>,
}

/// Takes XML apart; everything else is as it is.
pub(crate) fn opened(bytes: &[u8]) -> Opened {
    let arena = Arena::new();
    let as_it_is = || Opened { body: bytes.to_vec(), ..Opened::default() };
    if !is_xml(bytes) {
        return as_it_is();
    }
    let Ok(tree) = xml::read(&arena, bytes, Limits::default()) else { return as_it_is() };
    let Some((root, inner)) = tree.entries().first() else { return as_it_is() };
    let text = |value: Value<'_>| json::to_string(&value).into_bytes();
    if *root != "Envelope" {
        return Opened { body: text(content(tree)), element: (*root).to_owned(), envelope: Vec::new() };
    }
    let body = inner.get("Body");
    let (element, arguments) = body.entries().iter().find(|(name, _)| !name.starts_with(['@', '#'])).copied().unzip();
    let version = if bytes.windows(SOAP_12.len()).any(|part| part == SOAP_12.as_bytes()) { "1.2" } else { "1.1" };
    let envelope = arena.map(&[("version", Value::Text(version)), ("header", inner.get("Header"))]);
    Opened {
        body: text(arguments.unwrap_or_default()),
        element: element.unwrap_or_default().to_owned(),
        envelope: text(envelope),
    }
}

/// A body that is no JSON.
#[derive(Debug)]
pub(crate) enum Written {
    /// A document of one root, and the encoding that it is written in.
    Xml(Shape, Option<String>),
    /// The one element of an envelope's body.
    Soap(Shape),
    /// A fault: its code without a prefix, its reason, and what its detail holds.
    Fault { code: Templated, reason: Templated, detail: Option<Shape> },
}

impl Written {
    /// Reads `xml` with `encoding`, `soap` or `fault`.
    pub(crate) fn read(fields: &mut Fields<'_, '_>, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        let encoding = fields.text("encoding");
        let shape = |node: &Node| Shape::compile(node, scope, cx);
        if let Some(node) = fields.optional("xml") {
            return Some(Self::Xml(shape(node)?, encoding));
        }
        if let Some(node) = fields.optional("soap") {
            return Some(Self::Soap(shape(node)?));
        }
        let mut own = fields.optional("fault")?.fields(cx)?;
        let code = own.required("code").and_then(|node| Templated::compile(node, scope, cx));
        let reason = own.required("reason").and_then(|node| Templated::compile(node, scope, cx));
        let detail = own.optional("detail").and_then(shape);
        own.finish();
        Some(Self::Fault { code: code?, reason: reason?, detail })
    }

    /// The HTTP status unless the profile says one.
    pub(crate) fn status(&self, status: u16) -> u16 {
        if matches!(self, Self::Fault { .. }) { 500 } else { status }
    }

    /// The body and its media type.
    pub(crate) fn write<'a>(
        &'a self,
        cx: &mut Cx<'a>,
        version: &str,
        span: Span,
    ) -> Result<(String, &'static str), (Span, EvalError)> {
        let arena = cx.arena;
        let written = |tree: Value<'a>, encoding: Option<&str>| {
            let text = xml::write(&tree, encoding.is_none());
            let text = text.map_err(|e| (span, EvalError { start: 0, len: 0, message: e.to_string() }))?;
            Ok(match encoding {
                Some(encoding) => format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{text}"),
                None => text,
            })
        };
        let newer = version == "1.2";
        let media_type = if newer { "application/soap+xml; charset=utf-8" } else { "text/xml; charset=utf-8" };
        let inner = match self {
            Self::Xml(shape, encoding) => {
                let media_type = if encoding.is_some() { "text/xml" } else { "text/xml; charset=utf-8" };
                return Ok((written(shape.render(cx)?, encoding.as_deref())?, media_type));
            }
            Self::Soap(shape) => shape.render(cx)?,
            Self::Fault { code, reason, detail } => {
                let text = |value: Value<'a>| Value::Text(value.scalar_text(arena).unwrap_or_default());
                let (code, reason) = (text(render(code, cx)?), text(render(reason, cx)?));
                let detail = detail.as_ref().map(|shape| shape.render(cx)).transpose()?.unwrap_or_default();
                let code = Value::Text(arena.format(format_args!("S:{}", code.as_text().unwrap_or_default())));
                let fault = match newer {
                    false => arena.map(&[("faultcode", code), ("faultstring", reason), ("detail", detail)]),
                    true => arena.map(&[
                        ("S:Code", arena.map(&[("S:Value", code)])),
                        (
                            "S:Reason",
                            arena.map(&[("S:Text", arena.map(&[("@xml:lang", Value::Text("en")), ("#text", reason)]))]),
                        ),
                        ("S:Detail", detail),
                    ]),
                };
                arena.map(&[("S:Fault", fault)])
            }
        };
        let namespace = Value::Text(if newer { SOAP_12 } else { SOAP_11 });
        let envelope = arena.map(&[("@xmlns:S", namespace), ("S:Body", inner)]);
        Ok((written(arena.map(&[("S:Envelope", envelope)]), None)?, media_type))
    }
}

/// The body of a web hook.
#[derive(Debug)]
pub(crate) enum SendBody {
    Json(Shape),
    /// As it is; a header says what it is.
    Text(Templated),
    Written(Span, Written),
}

impl SendBody {
    /// Reads `xml`, `soap`, `text`, or `body`.
    pub(crate) fn read(fields: &mut Fields<'_, '_>, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        if let Some(node) = fields.optional("text") {
            return Templated::compile(node, scope, cx).map(Self::Text);
        }
        match Written::read(fields, scope, cx) {
            Some(written) => Some(Self::Written(fields.span, written)),
            None => fields.required("body").and_then(|node| Shape::compile(node, scope, cx)).map(Self::Json),
        }
    }
}

/// The bytes of a body: a document that declares another encoding is written in it.
pub(crate) fn bytes(body: String) -> Vec<u8> {
    let declared = body.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).and_then(|(declaration, _)| {
        let (_, rest) = declaration.split_once("encoding=\"")?;
        encoding_rs::Encoding::for_label(rest.split('"').next()?.as_bytes())
    });
    match declared {
        Some(encoding) => encoding.encode(&body).0.into_owned(),
        None => body.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> &str {
        str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_envelope_gives_its_element_and_its_header_and_plain_xml_its_root() {
        let envelope = format!(
            "<e:Envelope xmlns:e='{SOAP_12}'><e:Header><a><b>7</b></a></e:Header><e:Body><q:ask xmlns:q='urn:q'><n>1</n></q:ask></e:Body></e:Envelope>"
        );
        let read = opened(envelope.as_bytes());
        assert_eq!((read.element.as_str(), text(&read.body)), ("ask", r#"{"n":"1"}"#));
        assert_eq!(text(&read.envelope), r#"{"version":"1.2","header":{"a":{"b":"7"}}}"#);
        let read = opened(b"<u proc='add'><p/></u>");
        assert_eq!((read.element.as_str(), text(&read.body)), ("u", r#"{"@proc":"add","p":""}"#));
        assert!(read.envelope.is_empty());
        assert_eq!(text(&opened(b"{\"a\":1}").body), r#"{"a":1}"#);
        assert_eq!(text(&opened(b"<open").body), "<open");
    }

    #[test]
    fn a_body_is_written_in_the_encoding_that_it_declares() {
        let declared = |encoding: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><n>李</n>");
        assert!(bytes(declared("gb2312")).ends_with(b"<n>\xc0\xee</n>"));
        assert!(bytes(declared("UTF-8")).ends_with("<n>李</n>".as_bytes()));
        assert_eq!(bytes("李".to_owned()), "李".as_bytes());
    }
}
