//! The envelope: which version it is, its header blocks, and the one element of its body.

use super::unpack::{self, Fail};
use super::{Reason, Refusal, Rules, parts};
use crate::fault::{self, Fault};
use crate::names::{ENCODING, Version, WSA, WSA_2004, WSSE};
use hub_tree::xml::{self, Element, Piece, Pull, resolve_references};
use hub_tree::{Arena, Limits, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A message that has been read.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The version that its root element says.
    pub version: Version,
    /// The header blocks, those that are meant for others too.
    pub headers: Vec<HeaderBlock<'a>>,
    /// Namespace and local name of the body's element; none where the body is empty.
    pub element: Option<(&'a str, &'a str)>,
    /// The content of the body's element, references resolved and attachments put in; absent where the body is empty.
    pub payload: Value<'a>,
    /// What the body's element says if it is a fault.
    pub fault: Option<Fault<'a>>,
    /// What was wrong but does not matter.
    pub notes: Vec<&'static str>,
}

/// A header block.
#[derive(Clone, Copy, Debug)]
pub struct HeaderBlock<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its local name.
    pub name: &'a str,
    /// Whether whoever it is meant for must understand it.
    pub must_understand: bool,
    /// Whether it is meant for whoever the message reaches, not for another on the way.
    pub for_us: bool,
    /// What it holds.
    pub value: Value<'a>,
}

impl<'a> Envelope<'a> {
    /// The first header block of this name that is meant for us.
    #[must_use]
    pub fn header(&self, namespace: &str, name: &str) -> Option<&HeaderBlock<'a>> {
        self.headers.iter().find(|block| block.for_us && block.namespace == namespace && block.name == name)
    }
}

pub(super) fn read<'a>(
    arena: &'a Arena,
    body: &'a [u8],
    content_type: Option<&str>,
    told: Version,
    attachments: &BTreeMap<String, Cow<'_, [u8]>>,
    rules: &Rules,
) -> Result<Envelope<'a>, Refusal> {
    let refused = |(reason, message): Fail| Refusal { reason, version: told, message };
    let (encoding, note) = unpack::encoding(body, content_type).map_err(refused)?;
    let pull = Pull::new(arena, body, encoding, rules.xml()).map_err(|r| refused(of_xml(r)))?;
    if let Some(problem) = pull.is_no_markup() {
        return Err(refused((Reason::NotXml, problem.to_string())));
    }
    let mut reading = Reading { arena, pull, rules, version: told, encoded: false, included: false };
    match reading.envelope(attachments) {
        Ok(mut envelope) => {
            envelope.notes.extend(note);
            Ok(envelope)
        }
        Err((reason, message)) => Err(Refusal { reason, version: reading.version, message }),
    }
}

fn of_xml(xml::Refusal { reason, error }: xml::Refusal) -> Fail {
    (Reason::Xml(reason), error.to_string())
}

struct Reading<'a, 'r> {
    arena: &'a Arena,
    pull: Pull<'a>,
    rules: &'r Rules,
    /// That of the root element, once it was seen.
    version: Version,
    /// Whether some element says that it is encoded.
    encoded: bool,
    /// Whether the message may refer to attachments.
    included: bool,
}

/// The elements of a body.
#[derive(Default)]
struct Body<'a> {
    element: Option<(&'a str, &'a str)>,
    payload: Value<'a>,
    fault: Option<Fault<'a>>,
    /// Values that the first element refers to.
    shared: Vec<Value<'a>>,
}

impl<'a> Reading<'a, '_> {
    fn next(&mut self) -> Result<Piece<'a>, Fail> {
        self.pull.next_piece().map_err(of_xml)
    }

    /// Refuses the piece at hand.
    fn fail<T>(&self, reason: Reason, message: &str) -> Result<T, Fail> {
        Err((reason, self.pull.refuse(message).to_string()))
    }

    /// The next child element of the innermost one, or nothing at its end.
    fn child(&mut self) -> Result<Option<Element<'a>>, Fail> {
        loop {
            match self.next()? {
                Piece::Open(element) => return Ok(Some(element)),
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) => return self.fail(Reason::Structure, "text where only elements may stand"),
                Piece::Close | Piece::End => return Ok(None),
            }
        }
    }

    fn envelope(&mut self, attachments: &BTreeMap<String, Cow<'_, [u8]>>) -> Result<Envelope<'a>, Fail> {
        self.included = !attachments.is_empty();
        let root = loop {
            match self.next()? {
                Piece::Open(element) => break element,
                Piece::Text(_) | Piece::Close => {}
                Piece::End => return self.fail(Reason::Xml(xml::Reason::Malformed), "there is no root element"),
            }
        };
        self.version = match Version::of_namespace(root.namespace) {
            Some(version) if root.name == "Envelope" => version,
            None if root.name == "Envelope" => {
                let message = "the envelope's namespace is neither that of SOAP 1.1 nor that of SOAP 1.2";
                return self.fail(Reason::Version, message);
            }
            _ => return self.fail(Reason::NotEnvelope, "the root element is no SOAP envelope"),
        };
        self.note_encoding(&root);
        let namespace = self.version.namespace();
        let (mut headers, mut body) = (None, None);
        while let Some(part) = self.child()? {
            if part.is(namespace, "Header") && headers.is_none() && body.is_none() {
                headers = Some(self.headers()?);
            } else if part.is(namespace, "Body") && body.is_none() {
                self.note_encoding(&part);
                body = Some(self.body()?);
            } else if body.is_some() && self.may_follow(part.namespace) {
                // SOAP 1.1 allows more behind the body (section 4); it means nothing to us.
                self.value(part)?;
            } else {
                return self.fail(Reason::Structure, "an envelope holds a header, if any, then one body");
            }
        }
        while !matches!(self.next()?, Piece::End) {}
        let Some(mut body) = body else {
            return self.fail(Reason::Structure, "the envelope has no body");
        };
        if body.element.is_none() && !self.rules.empty_body {
            return self.fail(Reason::EmptyBody, "the body holds no element");
        }
        let headers = headers.unwrap_or_default();
        self.check_understood(&headers)?;
        if self.encoded || !body.shared.is_empty() {
            self.resolve(&mut body)?;
        }
        if self.included || self.pull.has_includes() {
            body.payload = parts::put_in(self.arena, &body.payload, attachments, self.rules.max_text)?;
        }
        let Body { element, payload, fault, .. } = body;
        Ok(Envelope { version: self.version, headers, element, payload, fault, notes: Vec::new() })
    }

    /// Whether an element of this namespace may stand behind the body.
    fn may_follow(&self, namespace: &str) -> bool {
        self.version == Version::V11 && !namespace.is_empty() && namespace != self.version.namespace()
    }

    fn value(&mut self, element: Element<'a>) -> Result<Value<'a>, Fail> {
        self.pull.value(element).map_err(of_xml)
    }

    fn note_encoding(&mut self, element: &Element<'_>) {
        let style = element.attribute(self.version.namespace(), "encodingStyle");
        self.encoded |= style.is_some_and(|style| style.split_whitespace().any(|one| one == ENCODING));
    }

    fn headers(&mut self) -> Result<Vec<HeaderBlock<'a>>, Fail> {
        let mut blocks = Vec::new();
        while let Some(element) = self.child()? {
            if blocks.len() == self.rules.max_headers {
                let message = format!("more than {} header blocks", self.rules.max_headers);
                return self.fail(Reason::HeaderBlocks, &message);
            }
            let (namespace, name) = (element.namespace, element.name);
            let own = |name: &str| element.attribute(self.version.namespace(), name);
            let must_understand = match own("mustUnderstand").map(str::trim) {
                Some("1" | "true") => true,
                None | Some("0" | "false" | "") => false,
                Some(_) => return self.fail(Reason::Structure, "mustUnderstand is neither true nor false"),
            };
            let for_us = match own("actor").or_else(|| own("role")).map(str::trim) {
                None | Some("") => true,
                Some(role) => ROLES.contains(&role),
            };
            let value = self.value(element)?;
            blocks.push(HeaderBlock { namespace, name, must_understand, for_us, value });
        }
        Ok(blocks)
    }

    fn check_understood(&self, blocks: &[HeaderBlock<'_>]) -> Result<(), Fail> {
        for block in blocks.iter().filter(|block| block.must_understand && block.for_us) {
            let known = match block.namespace {
                WSSE => block.name == "Security",
                WSA | WSA_2004 => true,
                _ => self.rules.understood.iter().any(|(ns, name)| ns == block.namespace && name == block.name),
            };
            if !known {
                let name: String = block.name.chars().take(60).collect();
                let message = format!("the header block `{name}` must be understood, and is not");
                return Err((Reason::MustUnderstand, message));
            }
        }
        Ok(())
    }

    fn body(&mut self) -> Result<Body<'a>, Fail> {
        let mut body = Body::default();
        while let Some(element) = self.child()? {
            if body.element.is_none() {
                body.element = Some((element.namespace, element.name));
                self.note_encoding(&element);
                if element.is(self.version.namespace(), "Fault") {
                    let fault = fault::read(self.arena, &mut self.pull)?;
                    body.payload = fault.detail;
                    body.fault = Some(fault);
                } else {
                    body.payload = self.value(element)?;
                }
            } else if element.attribute("", "id").is_some() && body.fault.is_none() {
                self.note_encoding(&element);
                body.shared.push(self.value(element)?);
            } else {
                return self.fail(Reason::ManyElements, "the body holds more than one element");
            }
        }
        Ok(body)
    }

    /// Puts shared values in place of references to them.
    fn resolve(&self, body: &mut Body<'a>) -> Result<(), Fail> {
        let shared = self.arena.list(&body.shared);
        let whole = self.arena.map(&[("Body", body.payload), ("shared", shared)]);
        let limits = Limits {
            max_bytes: self.rules.max_text,
            max_depth: self.rules.max_depth,
            max_nodes: self.rules.max_values,
        };
        let resolved =
            resolve_references(self.arena, &whole, limits).map_err(|error| (Reason::Reference, error.to_string()))?;
        body.payload = resolved.get("Body");
        Ok(())
    }
}

/// Roles that everyone plays whom a message reaches.
const ROLES: [&str; 3] = [
    "http://schemas.xmlsoap.org/soap/actor/next",
    "http://www.w3.org/2003/05/soap-envelope/role/next",
    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
];
