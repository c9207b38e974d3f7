//! Writes a tree as XML: the same bytes for the same tree.

use super::outline::SCHEMA_INSTANCE;
use super::{ShapeError, tag};
use crate::value::Value;
use std::fmt::Write as _;

/// Writes a tree with one root key as an XML document, on one line; with `declaration`, behind
/// `<?xml version="1.0" encoding="UTF-8"?>`.
///
/// Keys become elements in their order, `@name` an attribute, `#text` the text before the child elements, a list
/// one element for each item. Absent values and attributes that are null are left out; an element that is null has
/// `xsi:nil="true"`. A key may have a prefix that `@xmlns:prefix` binds on its element or one around it. What
/// [`super::read`] gives is written so that reading it gives the same tree again.
///
/// # Errors
/// The first value that XML cannot hold: a root that is not one element, a key that is no name, a prefix that is not
/// bound, an attribute or text that is not one value, a list in a list, a character that XML forbids.
pub fn write(value: &Value<'_>, declaration: bool) -> Result<String, ShapeError> {
    let mut writer = Writer { out: String::with_capacity(512), path: Vec::new(), prefixes: Vec::new() };
    if declaration {
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    }
    let mut roots = value.entries().iter().filter(|(_, value)| !matches!(value, Value::Absent));
    match (roots.next(), roots.next()) {
        (Some((key, value)), None) if !matches!(value, Value::List(_)) => writer.named(key, value)?,
        _ => return writer.fail("expected an object with one key, the root element"),
    }
    Ok(writer.out)
}

/// A step of the path to a value.
enum Segment<'v> {
    Key(&'v str),
    Item(usize),
}

struct Writer<'v> {
    out: String,
    path: Vec<Segment<'v>>,
    /// Prefixes in scope with their namespaces, the innermost last.
    prefixes: Vec<(&'v str, String)>,
}

impl<'v> Writer<'v> {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ShapeError> {
        let mut path = String::new();
        for segment in &self.path {
            let _ = match segment {
                Segment::Key(key) if path.is_empty() => write!(path, "{}", tag::shown(key)),
                Segment::Key(key) => write!(path, ".{}", tag::shown(key)),
                Segment::Item(index) => write!(path, "[{index}]"),
            };
        }
        if path.is_empty() {
            path.push_str("the root");
        }
        Err(ShapeError { message: message.into(), path })
    }

    /// Writes what stands under a key: an element, or one for each item of a list.
    fn named(&mut self, key: &'v str, value: &Value<'v>) -> Result<(), ShapeError> {
        self.path.push(Segment::Key(key));
        if let Value::List(items) = value {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !matches!(item, Value::Absent)) {
                self.path.push(Segment::Item(index));
                if matches!(item, Value::List(_)) {
                    return self.fail("a list in a list cannot be written as XML");
                }
                self.element(key, item)?;
                self.path.pop();
            }
        } else {
            self.element(key, value)?;
        }
        self.path.pop();
        Ok(())
    }

    fn element(&mut self, key: &'v str, value: &Value<'v>) -> Result<(), ShapeError> {
        let outer = self.prefixes.len();
        for (name, value) in attributes(value) {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.bind(prefix, value)?;
            }
        }
        self.check_name(key)?;
        self.out.push('<');
        self.out.push_str(key);
        for (name, value) in attributes(value) {
            self.attribute(name, value)?;
        }
        let text = match value {
            Value::Map(map) => map.get("#text"),
            scalar => *scalar,
        };
        let mut children = value.entries().iter().filter(|(key, value)| is_child(key, value)).peekable();
        if matches!(text, Value::Null) {
            if children.peek().is_some() {
                return self.fail("an element that is null cannot have child elements");
            }
            let written = attributes(value).any(|(name, _)| self.is_nil(name));
            if !written {
                self.nil();
            }
        }
        let start = self.out.len();
        self.out.push('>');
        let mixed = children.peek().is_some();
        self.text(&text, mixed)?;
        for (key, value) in children {
            self.named(key, value)?;
        }
        if self.out.len() == start + 1 {
            self.out.truncate(start);
            self.out.push_str("/>");
        } else {
            self.out.push_str("</");
            self.out.push_str(key);
            self.out.push('>');
        }
        self.prefixes.truncate(outer);
        Ok(())
    }

    fn bind(&mut self, prefix: &'v str, namespace: &Value<'v>) -> Result<(), ShapeError> {
        match namespace.as_text() {
            Some(namespace) if tag::is_name(prefix) && prefix != "xmlns" && !namespace.is_empty() => {
                self.prefixes.push((prefix, namespace.to_owned()));
                Ok(())
            }
            _ => self.fail(format!("`@xmlns:{}` must bind a prefix to a namespace", tag::shown(prefix))),
        }
    }

    fn namespace(&self, prefix: &str) -> Option<&str> {
        self.prefixes.iter().rev().find(|(bound, _)| *bound == prefix).map(|(_, namespace)| namespace.as_str())
    }

    fn check_name(&self, name: &str) -> Result<(), ShapeError> {
        let Ok(read) = tag::read_name(name, 0) else {
            return self.fail(format!("`{}` is no XML name", tag::shown(name)));
        };
        if matches!(read.prefix, "" | "xml") || self.namespace(read.prefix).is_some() {
            return Ok(());
        }
        let prefix = tag::shown(read.prefix);
        self.fail(format!("the prefix `{prefix}` is bound by no `@xmlns:{prefix}` here or around"))
    }

    fn is_nil(&self, name: &str) -> bool {
        name.strip_suffix(":nil").is_some_and(|prefix| self.namespace(prefix) == Some(SCHEMA_INSTANCE))
    }

    /// Marks the element as null, under the prefix that is bound to the namespace or a free one.
    fn nil(&mut self) {
        let bound = self.prefixes.iter().rev().find(|(prefix, namespace)| {
            namespace == SCHEMA_INSTANCE && self.namespace(prefix) == Some(SCHEMA_INSTANCE)
        });
        if let Some((prefix, _)) = bound {
            let _ = write!(self.out, " {prefix}:nil=\"true\"");
            return;
        }
        let mut prefix = "xsi".to_owned();
        while self.namespace(&prefix).is_some() {
            prefix.push('_');
        }
        let _ = write!(self.out, " xmlns:{prefix}=\"{SCHEMA_INSTANCE}\" {prefix}:nil=\"true\"");
    }

    fn attribute(&mut self, name: &'v str, value: &Value<'v>) -> Result<(), ShapeError> {
        if matches!(value, Value::Absent | Value::Null) {
            return Ok(());
        }
        self.path.push(Segment::Key(name));
        if name != "xmlns" && !name.starts_with("xmlns:") {
            self.check_name(name)?;
        }
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.scalar(value, "an attribute", |c| match c {
            '"' => Some("&quot;"),
            // Readers make spaces of these unless they are written as references.
            '\t' => Some("&#9;"),
            '\n' => Some("&#10;"),
            _ => None,
        })?;
        self.out.push('"');
        self.path.pop();
        Ok(())
    }

    fn text(&mut self, value: &Value<'v>, mixed: bool) -> Result<(), ShapeError> {
        if matches!(value, Value::Absent | Value::Null) {
            return Ok(());
        }
        let start = self.out.len();
        self.scalar(value, "text", |_| None)?;
        // White space alone beside child elements would be taken for layout.
        if mixed && tag::is_blank(&self.out[start..]) {
            let blank = self.out.split_off(start);
            for c in blank.chars() {
                let _ = write!(self.out, "&#{};", u32::from(c));
            }
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        value: &Value<'v>,
        what: &str,
        more: impl Fn(char) -> Option<&'static str>,
    ) -> Result<(), ShapeError> {
        let formatted;
        let text = match value {
            Value::Text(text) | Value::Number(text) => text,
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Decimal(number) => {
                formatted = number.to_string();
                &formatted
            }
            Value::Date(date) => {
                formatted = date.to_string();
                &formatted
            }
            Value::DateTime(at) => {
                formatted = format!("{at:.3}");
                &formatted
            }
            Value::Absent | Value::Null | Value::List(_) | Value::Map(_) => {
                return self.fail(format!("{what} must be one value, not {}", value.kind()));
            }
        };
        for c in text.chars() {
            let escape = match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '\r' => Some("&#13;"),
                c if !tag::is_allowed(c) => {
                    return self.fail(format!("the character U+{:04X} is forbidden in XML", u32::from(c)));
                }
                c => more(c),
            };
            match escape {
                Some(escape) => self.out.push_str(escape),
                None => self.out.push(c),
            }
        }
        Ok(())
    }
}

/// The attributes of an element, without `@`.
fn attributes<'v>(value: &Value<'v>) -> impl Iterator<Item = (&'v str, &'v Value<'v>)> + use<'v> {
    value.entries().iter().filter_map(|(key, value)| Some((key.strip_prefix('@')?, value)))
}

fn is_child(key: &str, value: &Value<'_>) -> bool {
    !key.starts_with('@') && key != "#text" && !matches!(value, Value::Absent)
}
