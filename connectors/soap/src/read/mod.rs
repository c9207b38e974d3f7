//! Reads messages: bytes as they came, to an envelope whose body is the tree that mappings read.
//!
//! What counts is the root element, not what headers say of it. Work and memory are bounded by the size of the bytes
//! and by [`Rules`]: each byte is looked at once, what is nested, repeated or compressed without end is refused where
//! it passes its limit, and nothing in a message is ever fetched.

mod envelope;
mod parts;
mod refusal;
#[cfg(test)]
mod tests;
mod unpack;

pub use envelope::{Envelope, HeaderBlock};
pub use refusal::{Reason, Refusal};

use crate::names::Version;
use hub_tree::xml::{self, Dialect};
use hub_tree::{Arena, Limits};
use std::collections::BTreeMap;
use unpack::Fail;

/// A message as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'m> {
    /// Its bytes.
    pub body: &'m [u8],
    /// What was said of them.
    pub content_type: Option<&'m str>,
    /// How they are compressed.
    pub content_encoding: Option<&'m str>,
}

/// What is taken.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Most bytes as they come.
    pub max_bytes: usize,
    /// Most bytes once nothing is compressed any more.
    pub max_text: usize,
    /// How many times its size something compressed may grow to.
    pub max_ratio: usize,
    /// Deepest nesting of elements, those of the envelope too.
    pub max_depth: usize,
    /// Most attributes of one element.
    pub max_attributes: usize,
    /// Longest name or attribute value in bytes.
    pub max_length: usize,
    /// Most values.
    pub max_values: usize,
    /// Most header blocks.
    pub max_headers: usize,
    /// Whether a body may be empty, as in the answer of a one-way operation.
    pub empty_body: bool,
    /// Header blocks that are understood beside those of WS-Security and WS-Addressing: namespace and local name.
    pub understood: Vec<(String, String)>,
}

impl Rules {
    /// What a server takes.
    #[must_use]
    pub fn server() -> Self {
        Self {
            max_bytes: 8 << 20,
            max_text: 16 << 20,
            max_ratio: 100,
            max_depth: 128,
            max_attributes: 256,
            max_length: 64 << 10,
            max_values: 1_000_000,
            max_headers: 1000,
            empty_body: false,
            understood: Vec::new(),
        }
    }

    /// What a client takes as an answer.
    #[must_use]
    pub fn client() -> Self {
        Self { max_bytes: 64 << 20, max_text: 64 << 20, max_values: 2_000_000, ..Self::server() }
    }

    fn xml(&self) -> xml::Rules {
        xml::Rules {
            limits: Limits { max_bytes: self.max_text, max_depth: self.max_depth, max_nodes: self.max_values },
            max_attributes: self.max_attributes,
            max_length: self.max_length,
            dialect: Dialect::Soap,
        }
    }
}

/// Reads a message.
///
/// # Errors
/// The first reason for which it is not taken.
pub fn read<'a>(arena: &'a Arena, message: &Message<'a>, rules: &Rules) -> Result<Envelope<'a>, Refusal> {
    let told = Version::of_content_type(message.content_type);
    let refused = |(reason, message): Fail| Refusal { reason, version: told, message };
    if message.body.is_empty() {
        return Err(refused((Reason::Empty, "the message is empty".to_owned())));
    }
    if message.body.len() > rules.max_bytes {
        let text = format!("the message is longer than {} bytes", rules.max_bytes);
        return Err(refused((Reason::Xml(xml::Reason::Size), text)));
    }
    let undone = unpack::decompress(message.body, message.content_encoding, rules).map_err(refused)?;
    let body: &'a [u8] = match &undone {
        Some(undone) => arena.bytes(undone),
        None => message.body,
    };
    let several = message.content_type.filter(|text| parts::media_type(text) == "multipart/related");
    let Some(content_type) = several else {
        return envelope::read(arena, body, message.content_type, told, &BTreeMap::new(), rules);
    };
    let parts = parts::split(body, content_type).map_err(refused)?;
    let root: &'a [u8] = match parts.root {
        std::borrow::Cow::Borrowed(root) => root,
        std::borrow::Cow::Owned(root) => arena.bytes(&root),
    };
    envelope::read(arena, root, parts.content_type.as_deref(), told, &parts.attachments, rules)
}
