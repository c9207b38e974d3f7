//! Makes the tree of elements.

use super::Reason;
use super::outline::{Outline, Step};
use super::tag::{Attribute, Fail, Tag, fail, fail_as, is_blank};
use super::tokens::Plain;
use crate::arena::Arena;
use crate::reader::Limits;
use crate::repeated;
use crate::value::Value;
use std::borrow::Cow;

/// Text in pieces: the first is kept as it is, so that text in one piece costs no copy.
#[derive(Default)]
struct Words<'a> {
    first: &'a str,
    joined: String,
}

impl<'a> Words<'a> {
    fn push(&mut self, piece: &'a str) {
        if self.joined.is_empty() {
            if self.first.is_empty() {
                self.first = piece;
                return;
            }
            self.joined.push_str(self.first);
        }
        self.joined.push_str(piece);
    }

    fn as_str(&self) -> &str {
        if self.joined.is_empty() { self.first } else { &self.joined }
    }

    fn into_text(self, arena: &'a Arena) -> &'a str {
        if self.joined.is_empty() { self.first } else { arena.text(&self.joined) }
    }

    /// Moves all of `other` to the end.
    fn append(&mut self, other: &mut Words<'a>) {
        let other = std::mem::take(other);
        if other.joined.is_empty() {
            self.push(other.first);
        } else if self.as_str().is_empty() {
            *self = other;
        } else {
            if self.joined.is_empty() {
                self.joined.push_str(self.first);
            }
            self.joined.push_str(&other.joined);
        }
    }
}

/// What is made of marks that say how a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing but `xsi:nil` has a meaning of its own.
    Plain,
    /// The marks of SOAP are read and left out: an encoded array is the list of its items, whatever their names;
    /// `xsi:type` stays only where it names a type of the document's own, by its local name; hints where schemas lie
    /// and encoding styles go. `xop:Include` keeps its prefix, so that it cannot be taken for a name of the document.
    Soap,
}

/// Namespaces of the two SOAP encodings.
const ENCODINGS: [&str; 2] = ["http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2003/05/soap-encoding"];
/// Namespaces of the two SOAP envelopes.
const ENVELOPES: [&str; 2] = ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
const XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// An element that is open.
struct Frame<'a> {
    name: &'a str,
    /// Where its attributes and children begin in `entries`.
    base: usize,
    attributes: usize,
    children: bool,
    /// Whether it is an encoded array.
    array: bool,
    nil: bool,
    text: Words<'a>,
    /// Text since the last tag.
    run: Words<'a>,
    /// Whether all of the run was written as it stands.
    run_plain: bool,
}

impl<'a> Frame<'a> {
    fn new(name: &'a str, base: usize) -> Self {
        Self {
            name,
            base,
            attributes: 0,
            children: false,
            array: false,
            nil: false,
            text: Words::default(),
            run: Words::default(),
            run_plain: true,
        }
    }

    /// Ends a run of text before a tag. White space that only lays out child elements is dropped.
    fn end_run(&mut self) {
        let layout = self.children && self.run_plain && is_blank(self.run.as_str());
        if layout {
            self.run = Words::default();
        } else {
            self.text.append(&mut self.run);
        }
        self.run_plain = true;
    }
}

/// Builds one tree from steps whose texts live as long as the arena.
pub(super) struct Tree<'a> {
    arena: &'a Arena,
    limits: Limits,
    dialect: Dialect,
    pub(super) nodes: usize,
    /// Whether it has an `xop:Include`.
    pub(super) includes: bool,
    frames: Vec<Frame<'a>>,
    /// Attributes and children of all open elements, and at last the tree itself.
    entries: Vec<(&'a str, Value<'a>)>,
    /// Names of attributes that were seen, with their keys.
    keys: Vec<(&'a str, &'a str)>,
}

/// Names of attributes whose keys are remembered.
const MOST_KEYS: usize = 24;

impl<'a> Tree<'a> {
    pub(super) fn new(arena: &'a Arena, limits: Limits, dialect: Dialect) -> Self {
        Self {
            arena,
            limits,
            dialect,
            nodes: 0,
            includes: false,
            frames: Vec::new(),
            entries: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Takes a step of the outline. Gives the name and value of the outermost element once that has ended.
    pub(super) fn take(&mut self, outline: &mut Outline, step: Step<'a>) -> Result<Option<(&'a str, Value<'a>)>, Fail> {
        match step {
            Step::Open { tag, empty } => {
                self.open(outline, tag)?;
                if !empty {
                    return Ok(None);
                }
                outline.close();
                self.close()
            }
            Step::Close => self.close(),
            Step::Text { text, plain } => {
                let text = self.keep(text);
                if let Some(frame) = self.frames.last_mut() {
                    frame.run.push(text);
                    frame.run_plain &= plain;
                }
                Ok(None)
            }
            Step::Skip | Step::End => Ok(None),
        }
    }

    /// Takes a plain piece, as [`Tree::take`] takes a step.
    pub(super) fn take_plain(
        &mut self,
        outline: &mut Outline,
        plain: Plain<'a>,
    ) -> Result<Option<(&'a str, Value<'a>)>, Fail> {
        match plain {
            Plain::Leaf(name, text) => {
                self.count(0)?;
                self.end_run();
                self.entries.push((name, Value::Text(text)));
            }
            Plain::Open(name) => {
                self.count(0)?;
                self.end_run();
                outline.enter();
                self.frames.push(Frame::new(name, self.entries.len()));
            }
            Plain::Close => {
                outline.close();
                return self.close();
            }
            Plain::Text(text) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.run.push(text);
                }
            }
        }
        Ok(None)
    }

    /// A child element begins.
    fn end_run(&mut self) {
        if let Some(parent) = self.frames.last_mut() {
            parent.children = true;
            parent.end_run();
        }
    }

    /// The key of an attribute.
    fn attribute_key(&mut self, name: &'a str) -> &'a str {
        if let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == name) {
            return key;
        }
        let key = self.arena.format(format_args!("@{name}"));
        if self.keys.len() < MOST_KEYS {
            self.keys.push((name, key));
        }
        key
    }

    fn keep(&self, text: Cow<'a, str>) -> &'a str {
        match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => self.arena.text(&text),
        }
    }

    fn count(&mut self, at: usize) -> Result<(), Fail> {
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            return fail_as(Reason::Values, at, format!("more than {} values", self.limits.max_nodes));
        }
        Ok(())
    }

    fn open(&mut self, outline: &Outline, tag: Tag<'a>) -> Result<(), Fail> {
        self.count(0)?;
        self.end_run();
        let base = self.entries.len();
        let (mut nil, mut array) = (false, false);
        for attribute in tag.attributes {
            if attribute.declares().is_some() {
                continue;
            }
            self.count(attribute.at)?;
            if outline.is_nil(&attribute.name) {
                nil = match attribute.value.trim() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return fail(attribute.at, "xsi:nil must be true or false"),
                };
                continue;
            }
            let value = match self.dialect {
                Dialect::Soap if !attribute.name.prefix.is_empty() => match mark(outline, &attribute) {
                    Mark::None => self.keep(attribute.value),
                    Mark::Type(local) => self.arena.text(local),
                    Mark::Array => {
                        array = true;
                        continue;
                    }
                    Mark::Form => continue,
                },
                _ => self.keep(attribute.value),
            };
            let key = self.attribute_key(attribute.name.local);
            self.entries.push((key, Value::Text(value)));
        }
        let name = match self.dialect {
            Dialect::Soap if tag.name.local == "Include" && outline.namespace(tag.name.prefix) == Some(XOP) => {
                self.includes = true;
                super::INCLUDE
            }
            _ => tag.name.local,
        };
        let attributes = self.entries.len() - base;
        self.frames.push(Frame { attributes, array, nil, ..Frame::new(name, base) });
        Ok(())
    }

    fn close(&mut self) -> Result<Option<(&'a str, Value<'a>)>, Fail> {
        let Some(mut frame) = self.frames.pop() else {
            return Ok(None);
        };
        if frame.nil && !frame.children {
            // White space between the tags is no content.
            frame.children = true;
            frame.end_run();
            frame.children = false;
        } else {
            frame.end_run();
        }
        if frame.nil && (frame.children || !frame.text.as_str().is_empty()) {
            return fail(0, "an element with xsi:nil=\"true\" must be empty");
        }
        let text = frame.text.into_text(self.arena);
        let alone = self.entries.len() == frame.base;
        let value = if frame.nil && alone {
            Value::Null
        } else if alone {
            if frame.array && is_blank(text) { self.arena.list(&[]) } else { Value::Text(text) }
        } else if frame.array && !frame.nil && text.is_empty() {
            let first = frame.base + frame.attributes;
            let items: Vec<Value<'a>> = self.entries[first..].iter().map(|(_, item)| *item).collect();
            let items = self.arena.list(&items);
            self.entries.truncate(first);
            if frame.attributes == 0 {
                items
            } else {
                self.entries.push((super::ITEMS, items));
                repeated::map(self.arena, &self.entries[frame.base..])
            }
        } else {
            if frame.nil || !text.is_empty() {
                self.count(0)?;
                let value = if frame.nil { Value::Null } else { Value::Text(text) };
                self.entries.insert(frame.base + frame.attributes, ("#text", value));
            }
            repeated::map(self.arena, &self.entries[frame.base..])
        };
        self.entries.truncate(frame.base);
        if self.frames.is_empty() {
            return Ok(Some((frame.name, value)));
        }
        self.entries.push((frame.name, value));
        Ok(None)
    }
}

/// What an attribute with a prefix is to SOAP.
enum Mark<'t> {
    /// Nothing: it belongs to the document.
    None,
    /// The document's own type of the element, by its local name.
    Type(&'t str),
    /// The element is an encoded array.
    Array,
    /// It says how the element is written.
    Form,
}

fn mark<'t>(outline: &Outline, attribute: &'t Attribute<'_>) -> Mark<'t> {
    let namespace = outline.namespace(attribute.name.prefix).unwrap_or_default();
    match (namespace, attribute.name.local) {
        (super::outline::SCHEMA_INSTANCE, "type") => {
            let value = attribute.value.trim();
            let (prefix, local) = value.split_once(':').unwrap_or(("", value));
            match outline.namespace(prefix) {
                Some(known) if ENCODINGS.contains(&known) && local == "Array" => Mark::Array,
                Some(known) if known == SCHEMA || ENCODINGS.contains(&known) => Mark::Form,
                _ => Mark::Type(local),
            }
        }
        (super::outline::SCHEMA_INSTANCE, "schemaLocation" | "noNamespaceSchemaLocation") => Mark::Form,
        (known, "arrayType" | "itemType" | "arraySize") if ENCODINGS.contains(&known) => Mark::Array,
        (known, "root" | "offset" | "position" | "nodeType") if ENCODINGS.contains(&known) => Mark::Form,
        (known, "encodingStyle") if ENVELOPES.contains(&known) => Mark::Form,
        _ => Mark::None,
    }
}
