//! Makes the tree of elements.

use super::outline::{Outline, Step};
use super::tag::{Fail, Tag, fail, is_blank};
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

/// An element that is open.
struct Frame<'a> {
    name: &'a str,
    /// Where its attributes and children begin in `entries`.
    base: usize,
    attributes: usize,
    children: bool,
    nil: bool,
    text: Words<'a>,
    /// Text since the last tag.
    run: Words<'a>,
    /// Whether all of the run was written as it stands.
    run_plain: bool,
}

impl Frame<'_> {
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
    nodes: usize,
    frames: Vec<Frame<'a>>,
    /// Attributes and children of all open elements, and at last the tree itself.
    entries: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(arena: &'a Arena, limits: Limits) -> Self {
        Self { arena, limits, nodes: 0, frames: Vec::new(), entries: Vec::new() }
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

    fn keep(&self, text: Cow<'a, str>) -> &'a str {
        match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => self.arena.text(&text),
        }
    }

    fn count(&mut self, at: usize) -> Result<(), Fail> {
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            return fail(at, format!("more than {} values", self.limits.max_nodes));
        }
        Ok(())
    }

    fn open(&mut self, outline: &Outline, tag: Tag<'a>) -> Result<(), Fail> {
        self.count(0)?;
        if let Some(parent) = self.frames.last_mut() {
            parent.children = true;
            parent.end_run();
        }
        let base = self.entries.len();
        let mut nil = false;
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
            let key = self.arena.format(format_args!("@{}", attribute.name.local));
            let value = self.keep(attribute.value);
            self.entries.push((key, Value::Text(value)));
        }
        self.frames.push(Frame {
            name: tag.name.local,
            base,
            attributes: self.entries.len() - base,
            children: false,
            nil,
            text: Words::default(),
            run: Words::default(),
            run_plain: true,
        });
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
            Value::Text(text)
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
