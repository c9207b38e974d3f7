//! The order of a document and its namespaces: what may stand where, whatever is made of it.

use super::Reason;
use super::tag::{self, Caps, Fail, Name, Tag, fail, fail_as};
use quick_xml::events::Event;

/// The namespace of `xsi:nil`.
pub(super) const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Most prefixes that are bound at one place; each use of a prefix looks through them.
const MAX_PREFIXES: usize = 128;

/// What kind of piece the tokenizer found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Empty,
    Close,
    Text,
    Cdata,
    Reference,
    Declaration,
    Instruction,
    Comment,
    Doctype,
    End,
}

impl Token {
    pub(super) fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Start(_) => Self::Open,
            Event::Empty(_) => Self::Empty,
            Event::End(_) => Self::Close,
            Event::Text(_) => Self::Text,
            Event::CData(_) => Self::Cdata,
            Event::GeneralRef(_) => Self::Reference,
            Event::Decl(_) => Self::Declaration,
            Event::PI(_) => Self::Instruction,
            Event::Comment(_) => Self::Comment,
            Event::DocType(_) => Self::Doctype,
            Event::Eof => Self::End,
        }
    }

    /// How long the marks before and behind the content of a piece are.
    fn marks(self) -> (usize, usize) {
        match self {
            Self::Open => ("<".len(), ">".len()),
            Self::Empty => ("<".len(), "/>".len()),
            Self::Close => ("</".len(), ">".len()),
            Self::Cdata => ("<![CDATA[".len(), "]]>".len()),
            Self::Reference => ("&".len(), ";".len()),
            Self::Declaration | Self::Instruction => ("<?".len(), "?>".len()),
            Self::Comment => ("<!--".len(), "-->".len()),
            Self::Doctype => ("<!".len(), ">".len()),
            Self::Text | Self::End => (0, 0),
        }
    }

    /// The content of a piece and where it begins.
    pub(super) fn content(self, piece: &str) -> (&str, usize) {
        let (before, behind) = self.marks();
        (piece.get(before..piece.len().saturating_sub(behind)).unwrap_or_default(), before)
    }
}

/// The namespace of the prefix `xml`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A binding of a prefix, empty for the default namespace, until the element at `depth` closes. Prefix and namespace
/// follow each other in the outline's `names`.
struct Binding {
    start: usize,
    prefix: usize,
    schema_instance: bool,
    depth: usize,
}

/// A piece that has been checked.
pub(super) enum Step<'t> {
    /// An element begins, and ends at once if `empty`.
    Open { tag: Tag<'t>, empty: bool },
    /// The innermost element ends.
    Close,
    /// Text; `plain` if it was written as it stands, without CDATA or a reference.
    Text { text: std::borrow::Cow<'t, str>, plain: bool },
    /// Nothing of interest.
    Skip,
    /// The document is complete.
    End,
}

/// Keeps the order of a document.
pub(super) struct Outline {
    max_depth: usize,
    caps: Caps,
    depth: usize,
    started: bool,
    root_seen: bool,
    bindings: Vec<Binding>,
    names: String,
}

impl Outline {
    pub(super) fn new(max_depth: usize, caps: Caps) -> Self {
        Self { max_depth, caps, depth: 0, started: false, root_seen: false, bindings: Vec::new(), names: String::new() }
    }

    /// Whether one more element may open.
    pub(super) fn can_enter(&self) -> bool {
        self.depth < self.max_depth
    }

    /// An element without attributes opens, whose prefix is bound.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// Whether a prefix stands for a namespace here.
    pub(super) fn is_bound(&self, prefix: &str) -> bool {
        prefix == "xml" || self.binding(prefix).is_some()
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Checks the next piece of the document.
    pub(super) fn take<'t>(&mut self, token: Token, piece: &'t str) -> Result<Step<'t>, Fail> {
        tag::check_characters(piece)?;
        let first = !std::mem::replace(&mut self.started, true);
        let (content, base) = token.content(piece);
        match token {
            Token::Open => self.open(content, base).map(|tag| Step::Open { tag, empty: false }),
            Token::Empty => {
                let tag = self.open(content, base)?;
                Ok(Step::Open { tag, empty: true })
            }
            Token::Close => {
                self.close();
                Ok(Step::Close)
            }
            Token::Text => {
                if content.contains(']')
                    && let Some(at) = content.find("]]>")
                {
                    return fail(at, "`]]>` in text must be written `]]&gt;`");
                }
                if self.depth == 0 && !tag::is_blank(content) {
                    let at = content.len() - content.trim_start().len();
                    return fail(
                        at,
                        if self.root_seen { "text after the root element" } else { "text before the root element" },
                    );
                }
                Ok(Step::Text { text: tag::line_breaks(content), plain: true })
            }
            Token::Cdata | Token::Reference if self.depth == 0 => fail(0, "text outside the root element"),
            Token::Cdata => Ok(Step::Text { text: tag::line_breaks(content), plain: false }),
            Token::Reference => {
                let mut text = String::new();
                text.push(tag::referred(content, 0)?);
                Ok(Step::Text { text: text.into(), plain: false })
            }
            Token::Declaration if !first => fail(0, "an XML declaration anywhere but at the very start"),
            Token::Declaration => {
                let declaration = tag::read_tag(content, base, self.caps)?;
                let version = declaration.attributes.first().filter(|a| a.name.local == "version");
                match version {
                    Some(version) if version.value.starts_with("1.") => Ok(Step::Skip),
                    _ => fail(0, "an XML declaration must begin with version=\"1.0\""),
                }
            }
            Token::Instruction => {
                let target = content.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
                if !tag::is_name(target) || target.eq_ignore_ascii_case("xml") {
                    return fail(base, "expected the name of a processing instruction");
                }
                Ok(Step::Skip)
            }
            Token::Comment => Ok(Step::Skip),
            Token::Doctype => fail_as(Reason::Doctype, 0, DOCTYPE),
            Token::End if self.depth > 0 => {
                let message = format!("the document ends too early: {} element(s) are still open", self.depth);
                fail_as(Reason::Truncated, 0, message)
            }
            Token::End if !self.root_seen => fail(0, "there is no root element"),
            Token::End => Ok(Step::End),
        }
    }

    fn open<'t>(&mut self, content: &'t str, base: usize) -> Result<Tag<'t>, Fail> {
        if self.depth == 0 && std::mem::replace(&mut self.root_seen, true) {
            return fail(0, "a second root element");
        }
        if self.depth == self.max_depth {
            return fail_as(Reason::Depth, 0, format!("nested deeper than {} levels", self.max_depth));
        }
        let tag = tag::read_tag(content, base, self.caps)?;
        self.depth += 1;
        if !tag.attributes.is_empty() {
            for attribute in &tag.attributes {
                if let Some(prefix) = attribute.declares() {
                    self.bind(prefix, &attribute.value, attribute.at)?;
                }
            }
            let prefixed = || tag.attributes.iter().filter(|a| !matches!(a.name.prefix, "" | "xmlns"));
            for (number, attribute) in prefixed().enumerate() {
                self.check_bound(&attribute.name, attribute.at)?;
                self.refuse_same_namespace(prefixed().take(number).map(|a| &a.name), attribute)?;
            }
        }
        self.check_bound(&tag.name, base)?;
        Ok(tag)
    }

    /// Two prefixes of one namespace could give one attribute twice (Namespaces in XML 1.0, section 6.3).
    fn refuse_same_namespace<'n>(
        &self,
        mut before: impl Iterator<Item = &'n Name<'n>>,
        attribute: &tag::Attribute<'_>,
    ) -> Result<(), Fail> {
        let name = &attribute.name;
        let same =
            |other: &Name<'_>| other.local == name.local && self.namespace(other.prefix) == self.namespace(name.prefix);
        if before.any(same) {
            let message = format!("the attribute `{}` twice in one element, by its namespace", tag::shown(name.local));
            return fail(attribute.at, message);
        }
        Ok(())
    }

    /// Ends the innermost element. An empty element is ended by whoever took it.
    pub(super) fn close(&mut self) {
        while let Some(binding) = self.bindings.last().filter(|binding| binding.depth == self.depth) {
            self.names.truncate(binding.start);
            self.bindings.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn bind(&mut self, prefix: &str, namespace: &str, at: usize) -> Result<(), Fail> {
        if prefix == "xmlns" || (namespace.is_empty() && !prefix.is_empty()) {
            return fail_as(Reason::Prefix, at, "a namespace prefix must be bound to a name that is not empty");
        }
        if (prefix == "xml") != (namespace == XML) {
            return fail_as(Reason::Prefix, at, "the prefix `xml` belongs to its own namespace, and to no other");
        }
        // Many writers declare the same again on each element.
        if self.namespace(prefix) == Some(namespace) {
            return Ok(());
        }
        if self.bindings.len() == MAX_PREFIXES {
            let message = format!("more than {MAX_PREFIXES} namespace prefixes at one place");
            return fail_as(Reason::Attributes, at, message);
        }
        let schema_instance = namespace == SCHEMA_INSTANCE;
        let start = self.names.len();
        self.names.push_str(prefix);
        self.names.push_str(namespace);
        self.bindings.push(Binding { start, prefix: prefix.len(), schema_instance, depth: self.depth });
        Ok(())
    }

    fn binding(&self, prefix: &str) -> Option<&Binding> {
        let is = |binding: &&Binding| {
            binding.prefix == prefix.len()
                && self.names.as_bytes().get(binding.start..binding.start + binding.prefix) == Some(prefix.as_bytes())
        };
        self.bindings.iter().rev().find(is)
    }

    /// The namespace that a prefix stands for here; the empty prefix stands for the default namespace, which is empty
    /// where there is none.
    pub(super) fn namespace(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(XML);
        }
        let found = self.bindings.iter().rposition(|binding| {
            binding.prefix == prefix.len()
                && self.names.as_bytes().get(binding.start..binding.start + binding.prefix) == Some(prefix.as_bytes())
        });
        let Some(at) = found else { return prefix.is_empty().then_some("") };
        let end = self.bindings.get(at + 1).map_or(self.names.len(), |next| next.start);
        let binding = self.bindings.get(at)?;
        self.names.get(binding.start + binding.prefix..end)
    }

    fn check_bound(&self, name: &Name<'_>, at: usize) -> Result<(), Fail> {
        if matches!(name.prefix, "" | "xml") || self.binding(name.prefix).is_some() {
            return Ok(());
        }
        let message = format!("the prefix `{}` is bound to no namespace", tag::shown(name.prefix));
        fail_as(Reason::Prefix, at, message)
    }

    /// Whether an attribute is `xsi:nil`, by its namespace.
    pub(super) fn is_nil(&self, name: &Name<'_>) -> bool {
        name.local == "nil"
            && !name.prefix.is_empty()
            && self.binding(name.prefix).is_some_and(|binding| binding.schema_instance)
    }
}

/// Why a DOCTYPE is refused.
pub(super) const DOCTYPE: &str =
    "a DOCTYPE is refused: it can define entities that grow without bound or read files; the sender must leave it out";

/// What is wrong, in our words; the tokenizer's own would quote without bound.
pub(super) fn complaint(error: &quick_xml::Error) -> (Reason, String) {
    use quick_xml::errors::{Error, IllFormedError as Ill, SyntaxError as Syntax};
    let message = match error {
        Error::Syntax(Syntax::UnclosedDoctype) | Error::IllFormed(Ill::MissingDoctypeName) => {
            return (Reason::Doctype, DOCTYPE.to_owned());
        }
        Error::Syntax(Syntax::UnclosedComment) => "a comment without `-->`",
        Error::Syntax(Syntax::UnclosedCData) => "a CDATA section without `]]>`",
        Error::Syntax(Syntax::UnclosedPI | Syntax::UnclosedXmlDecl) => "a processing instruction without `?>`",
        Error::Syntax(Syntax::UnclosedTag) => "a tag without `>`",
        Error::Syntax(Syntax::UnclosedSingleQuotedAttributeValue | Syntax::UnclosedDoubleQuotedAttributeValue) => {
            "a tag with an attribute that has no closing quote"
        }
        Error::Syntax(Syntax::InvalidBangMarkup) => "expected a comment or a CDATA section after `<!`",
        Error::IllFormed(Ill::MismatchedEndTag { expected, found }) => {
            let message = format!("expected `</{}>` but found `</{}>`", tag::shown(expected), tag::shown(found));
            return (Reason::Malformed, message);
        }
        Error::IllFormed(Ill::UnmatchedEndTag(found)) => {
            return (Reason::Malformed, format!("`</{}>` ends an element that was not begun", tag::shown(found)));
        }
        Error::IllFormed(Ill::DoubleHyphenInComment) => "`--` inside a comment",
        Error::IllFormed(Ill::UnclosedReference) => "`&` must be written `&amp;`",
        _ => "this is no XML",
    };
    // Markup that does not end goes on to the end of the document: most often that was cut off.
    let reason = match error {
        Error::Syntax(Syntax::InvalidBangMarkup) => Reason::Malformed,
        Error::Syntax(_) => Reason::Truncated,
        _ => Reason::Malformed,
    };
    (reason, message.to_owned())
}
