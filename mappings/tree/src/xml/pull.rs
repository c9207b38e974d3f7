//! A document piece by piece, with its namespaces: for wires whose outer elements mean something of their own.

use super::build::{Dialect, Tree};
use super::outline::{Outline, Step};
use super::tag::{Caps, Fail};
use super::tokens::Tokens;
use super::{Reason, Refusal};
use crate::arena::Arena;
use crate::encoding::{self, Encoding};
use crate::reader::{Limits, ReadError};
use crate::value::Value;
use std::borrow::Cow;

/// How a document is read.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What it may hold in all.
    pub limits: Limits,
    /// Most attributes of one element.
    pub max_attributes: usize,
    /// Longest name or attribute value in bytes.
    pub max_length: usize,
    /// What is made of marks that say how it is written.
    pub dialect: Dialect,
}

impl Rules {
    /// A document of no wire in particular.
    #[must_use]
    pub fn plain(limits: Limits) -> Self {
        let Caps { attributes, length } = Caps::default();
        Self { limits, max_attributes: attributes, max_length: length, dialect: Dialect::Plain }
    }
}

/// A piece of a document.
#[derive(Debug)]
pub enum Piece<'a> {
    /// An element begins.
    Open(Element<'a>),
    /// The innermost element ends.
    Close,
    /// Text; blank text between elements, too.
    Text(Cow<'a, str>),
    /// The document ends.
    End,
}

/// The beginning of an element.
#[derive(Debug)]
pub struct Element<'a> {
    /// Its namespace, empty if it has none.
    pub namespace: &'a str,
    /// Its local name.
    pub name: &'a str,
    /// Its attributes but for declarations of namespaces.
    pub attributes: Vec<ElementAttribute<'a>>,
    tag: super::tag::Tag<'a>,
    start: usize,
}

/// An attribute of an element.
#[derive(Clone, Copy, Debug)]
pub struct ElementAttribute<'a> {
    /// Its namespace, empty if it has none.
    pub namespace: &'a str,
    /// Its local name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
}

impl<'a> Element<'a> {
    /// Whether it has this namespace and local name.
    #[must_use]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, namespace: &str, name: &str) -> Option<&'a str> {
        let found = self.attributes.iter().find(|known| known.namespace == namespace && known.name == name);
        found.map(|attribute| attribute.value)
    }
}

/// A document that is read piece by piece.
pub struct Pull<'a> {
    arena: &'a Arena,
    text: &'a str,
    rules: Rules,
    tokens: Tokens<'a>,
    outline: Outline,
    /// Whether the element that was opened last is empty, so that its end comes next.
    empty: bool,
    nodes: usize,
    start: usize,
    includes: bool,
}

impl<'a> Pull<'a> {
    /// Begins a document; encodings are found as in [`super::read_as`].
    ///
    /// # Errors
    /// The bytes are too many or not of their encoding.
    pub fn new(arena: &'a Arena, bytes: &'a [u8], told: Option<Encoding>, rules: Rules) -> Result<Self, Refusal> {
        let refused = |reason: Reason| move |error: ReadError| Refusal { reason, error };
        encoding::check_length(bytes, rules.limits).map_err(refused(Reason::Size))?;
        let encoding = match told {
            Some(told) => told,
            None => super::declared(bytes).map_err(refused(Reason::Encoding))?.unwrap_or(Encoding::UTF_8),
        };
        let text = encoding::decode(arena, bytes, encoding, "").map_err(refused(Reason::Encoding))?;
        super::refuse_second_mark(text.as_bytes()).map_err(refused(Reason::Malformed))?;
        let tokens = Tokens::new(text);
        let caps = Caps { attributes: rules.max_attributes, length: rules.max_length };
        let outline = Outline::new(rules.limits.max_depth, caps);
        Ok(Self { arena, text, rules, tokens, outline, empty: false, nodes: 0, start: 0, includes: false })
    }

    /// The next piece; comments and processing instructions are passed over.
    ///
    /// # Errors
    /// The first place where the document is not well-formed, holds a DOCTYPE or exceeds the limits.
    pub fn next_piece(&mut self) -> Result<Piece<'a>, Refusal> {
        if std::mem::take(&mut self.empty) {
            self.outline.close();
            return Ok(Piece::Close);
        }
        loop {
            match self.step()? {
                Step::Open { tag, empty } => {
                    self.empty = empty;
                    return Ok(Piece::Open(self.element(tag)));
                }
                Step::Close => return Ok(Piece::Close),
                Step::Text { text, .. } => return Ok(Piece::Text(text)),
                Step::Skip => {}
                Step::End => return Ok(Piece::End),
            }
        }
    }

    fn step(&mut self) -> Result<Step<'a>, Refusal> {
        self.start = self.tokens.at();
        let (token, piece) = match self.tokens.next() {
            Ok(found) => found,
            Err((reason, message)) => return Err(self.refusal(&Fail { at: 0, reason, message })),
        };
        match self.outline.take(token, piece) {
            Ok(step) => Ok(step),
            Err(fail) => Err(self.refusal(&fail)),
        }
    }

    /// The refusal of something in the piece at hand.
    fn refusal(&self, fail: &Fail) -> Refusal {
        let at = self.start.saturating_add(fail.at);
        Refusal { reason: fail.reason, error: ReadError::at(self.text.as_bytes(), at, &fail.message) }
    }

    /// Why the text cannot be XML, if its first letter already tells.
    #[must_use]
    pub fn is_no_markup(&self) -> Option<ReadError> {
        let at = self.text.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n'));
        let message = "this is no XML: it does not begin with `<`";
        match at {
            Some(at) if !self.text[at..].starts_with('<') => Some(ReadError::at(self.text.as_bytes(), at, message)),
            Some(_) => None,
            None => Some(ReadError::at(self.text.as_bytes(), self.text.len(), "there is no root element")),
        }
    }

    /// Whether a value of the document has an [`super::INCLUDE`].
    #[must_use]
    pub fn has_includes(&self) -> bool {
        self.includes
    }

    /// Refuses the piece at hand.
    #[must_use]
    pub fn refuse(&self, message: &str) -> ReadError {
        ReadError::at(self.text.as_bytes(), self.start, message)
    }

    /// The whole text, decoded.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// How many bytes of the text have been read.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.tokens.at()
    }

    fn element(&self, tag: super::tag::Tag<'a>) -> Element<'a> {
        let namespace = |prefix: &str| self.arena.text(self.outline.namespace(prefix).unwrap_or_default());
        let own = tag.attributes.iter().filter(|attribute| attribute.declares().is_none());
        let attributes = own.map(|attribute| ElementAttribute {
            namespace: if attribute.name.prefix.is_empty() { "" } else { namespace(attribute.name.prefix) },
            name: attribute.name.local,
            value: match &attribute.value {
                Cow::Borrowed(value) => value,
                Cow::Owned(value) => self.arena.text(value),
            },
        });
        Element {
            namespace: namespace(tag.name.prefix),
            name: tag.name.local,
            attributes: attributes.collect(),
            tag,
            start: self.start,
        }
    }

    /// What a QName in the content of the innermost element stands for: namespace, if its prefix is bound, and local
    /// name.
    #[must_use]
    pub fn qname<'q>(&self, text: &'q str) -> (Option<&'a str>, &'q str) {
        let text = text.trim();
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        (self.outline.namespace(prefix).map(|namespace| self.arena.text(namespace)), local)
    }

    /// The value of the element that the last piece has opened; goes behind its end.
    ///
    /// # Errors
    /// As [`Pull::next_piece`].
    pub fn value(&mut self, element: Element<'a>) -> Result<Value<'a>, Refusal> {
        let empty = std::mem::take(&mut self.empty);
        let mut tree = Tree::new(self.arena, self.rules.limits, self.rules.dialect);
        tree.nodes = self.nodes;
        let mut took = tree.take(&mut self.outline, Step::Open { tag: element.tag, empty });
        loop {
            match took {
                Ok(Some((_, value))) => {
                    self.nodes = tree.nodes;
                    self.includes |= tree.includes;
                    return Ok(value);
                }
                Ok(None) => {}
                Err(fail) => return Err(self.refusal(&fail)),
            }
            self.start = self.tokens.at();
            took = match self.tokens.plain(&self.outline) {
                Some(plain) => tree.take_plain(&mut self.outline, plain),
                None => {
                    let step = self.step()?;
                    tree.take(&mut self.outline, step)
                }
            };
        }
    }

    /// The value of the element that the last piece has opened, and the text that it was written as.
    ///
    /// # Errors
    /// As [`Pull::next_piece`].
    pub fn value_and_source(&mut self, element: Element<'a>) -> Result<(Value<'a>, &'a str), Refusal> {
        let start = element.start;
        let value = self.value(element)?;
        Ok((value, self.text.get(start..self.tokens.at()).unwrap_or_default()))
    }
}
