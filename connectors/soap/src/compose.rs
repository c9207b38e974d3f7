//! Writes the body's element of a request: by the types of the manifest in their order and namespaces, or as it is
//! given.

use crate::names::{ENCODING, SCHEMA_INSTANCE, Version, XOP};
use crate::write::{Attachment, escape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_kit::manifest::{QName, SoapRequest, SoapStyle};
use hub_kit::types::{Builtin, Field, Kind, Shape, Types};
use hub_tree::xml;
use hub_tree::{Arena, Value};
use std::fmt::Write as _;

const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
/// From this size on, binary values of a message in parts stand beside its envelope.
const LARGE: usize = 1024;
/// Deepest nesting that is written.
const MAX_DEPTH: usize = 64;

/// A body's element, and what stands beside the envelope.
#[derive(Debug)]
pub struct Composed {
    /// The element.
    pub xml: String,
    /// Large binary values.
    pub attachments: Vec<Attachment>,
}

/// Writes `content` as the body's element of a request.
///
/// # Errors
/// What cannot be written, with the names that lead to it, and without its value.
pub fn compose(version: Version, soap: &SoapRequest, types: &Types, content: &Value<'_>) -> Result<Composed, String> {
    let described = soap.message.as_ref().and_then(|(key, _)| types.get(key));
    let name = match (&soap.element, described) {
        (Some(name), _) => name.clone(),
        (None, Some(one)) => QName { namespace: one.namespace.clone().unwrap_or_default(), name: one.name.clone() },
        (None, None) => return Err("the manifest names no element for the body".to_owned()),
    };
    let Some(described) = described else { return as_given(version, soap, &name, content) };
    let mut writer = Writer {
        types,
        encoded: soap.style == SoapStyle::Encoded,
        mtom: soap.mtom,
        out: String::with_capacity(512),
        prefixes: Vec::new(),
        attachments: Vec::new(),
        path: Vec::new(),
    };
    let tag = writer.name(&name.name, Some(&name.namespace));
    writer.content(&described.key, content)?;
    let Writer { out, prefixes, attachments, .. } = writer;
    let mut xml = format!("<{tag}");
    if soap.style == SoapStyle::Encoded {
        let _ = write!(xml, " soapenv:encodingStyle=\"{ENCODING}\"");
    }
    for (prefix, namespace) in prefixes {
        let _ = write!(xml, " xmlns:{prefix}=\"{}\"", escape(&namespace));
    }
    // What the writer left open is the element's start: its attributes, then its content.
    xml.push_str(&out);
    let _ = write!(xml, "</{tag}>");
    Ok(Composed { xml, attachments })
}

/// Content without a description: keys are elements in their order.
fn as_given(version: Version, soap: &SoapRequest, name: &QName, content: &Value<'_>) -> Result<Composed, String> {
    let arena = Arena::new();
    let mut entries: Vec<(&str, Value<'_>)> = Vec::new();
    let tag = match (name.namespace.is_empty(), soap.qualified) {
        (true, _) => name.name.clone(),
        (false, true) => {
            entries.push(("@xmlns", Value::Text(&name.namespace)));
            name.name.clone()
        }
        (false, false) => {
            entries.push(("@xmlns:ns1", Value::Text(&name.namespace)));
            format!("ns1:{}", name.name)
        }
    };
    let typed;
    let mut content = *content;
    if soap.style == SoapStyle::Encoded {
        entries.push(("@xmlns:soapenv", Value::Text(version.namespace())));
        entries.push(("@xmlns:xsi", Value::Text(SCHEMA_INSTANCE)));
        entries.push(("@xmlns:xsd", Value::Text(SCHEMA)));
        entries.push(("@soapenv:encodingStyle", Value::Text(ENCODING)));
        typed = with_types(&arena, &content, 0);
        content = typed;
    }
    match &content {
        Value::Map(map) => {
            // What the content binds itself stays.
            entries.retain(|(key, _)| map.get(key).is_absent());
            entries.extend(map.entries().iter().copied());
        }
        Value::Absent | Value::Null => {}
        scalar => entries.push(("#text", *scalar)),
    }
    let tree = arena.map(&[(tag.as_str(), arena.map(&entries))]);
    let xml = xml::write(&tree, false).map_err(|error| error.to_string())?;
    Ok(Composed { xml, attachments: Vec::new() })
}

/// Each text says that it is one, unless it says something else.
fn with_types<'a>(arena: &'a Arena, value: &Value<'a>, depth: usize) -> Value<'a> {
    match value {
        _ if depth > MAX_DEPTH => *value,
        Value::Map(map) => {
            let entries: Vec<_> = map
                .entries()
                .iter()
                .map(|(key, value)| {
                    (*key, if key.starts_with(['@', '#']) { *value } else { with_types(arena, value, depth + 1) })
                })
                .collect();
            if !map.get("#text").is_absent() && map.get("@xsi:type").is_absent() {
                let own = [("@xsi:type", Value::Text("xsd:string"))];
                return arena.map(&[&own[..], entries.as_slice()].concat());
            }
            arena.map(&entries)
        }
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| with_types(arena, item, depth + 1)).collect();
            arena.list(&items)
        }
        Value::Absent | Value::Null => *value,
        scalar if depth == 0 => *scalar,
        scalar => {
            let kind = match scalar {
                Value::Bool(_) => "xsd:boolean",
                Value::Number(text) if !text.contains(['.', 'e', 'E']) => "xsd:int",
                Value::Number(_) | Value::Decimal(_) => "xsd:decimal",
                _ => "xsd:string",
            };
            arena.map(&[("@xsi:type", Value::Text(kind)), ("#text", *scalar)])
        }
    }
}

struct Writer<'w> {
    types: &'w Types,
    encoded: bool,
    mtom: bool,
    out: String,
    /// Prefixes that are in use, and their namespaces.
    prefixes: Vec<(String, String)>,
    attachments: Vec<Attachment>,
    path: Vec<String>,
}

impl Writer<'_> {
    fn fail<T>(&self, message: &str) -> Result<T, String> {
        let path = if self.path.is_empty() { "the message".to_owned() } else { format!("`{}`", self.path.join(".")) };
        Err(format!("{path} {message}"))
    }

    fn prefix(&mut self, namespace: &str) -> String {
        if let Some((prefix, _)) = self.prefixes.iter().find(|(_, known)| known == namespace) {
            return prefix.clone();
        }
        let taken = |prefix: &str| prefix == "soapenv" || self.prefixes.iter().any(|(known, _)| known == prefix);
        let wanted = match namespace {
            SCHEMA_INSTANCE => Some("xsi"),
            SCHEMA => Some("xsd"),
            ENCODING => Some("soapenc"),
            XOP => Some("xop"),
            other => self.types.prefix(other),
        };
        let prefix = match wanted.filter(|prefix| !taken(prefix)) {
            Some(prefix) => prefix.to_owned(),
            None => (1..).map(|n| format!("ns{n}")).find(|prefix| !taken(prefix)).unwrap_or_default(),
        };
        self.prefixes.push((prefix.clone(), namespace.to_owned()));
        prefix
    }

    fn name(&mut self, local: &str, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) if !namespace.is_empty() => format!("{}:{local}", self.prefix(namespace)),
            _ => local.to_owned(),
        }
    }

    /// Writes attributes, `>`, and the content of an element whose start was begun.
    fn content(&mut self, key: &str, value: &Value<'_>) -> Result<(), String> {
        if self.path.len() > MAX_DEPTH {
            return self.fail("is nested too deeply");
        }
        let Some(one) = self.types.get(key) else { return self.fail("has a type that is not described") };
        match &one.shape {
            Shape::Simple(simple) => {
                let allowed = &simple.one_of;
                let text = self.scalar(value)?;
                if !allowed.is_empty() && !allowed.contains(&text) {
                    return self.fail("is none of the values that its type has");
                }
                if simple.max_length.is_some_and(|most| text.chars().count() > most) {
                    return self.fail("is longer than its type allows");
                }
                let builtin = self.types.builtin(&simple.base).unwrap_or(Builtin::String);
                self.text(builtin, &text, simple.list)
            }
            Shape::Array(items) => self.array(items, value),
            Shape::Complex(_) => self.complex(key, value),
        }
    }

    fn complex(&mut self, key: &str, value: &Value<'_>) -> Result<(), String> {
        let types = self.types;
        for attribute in types.attributes(key) {
            let found = value.get(&format!("@{}", attribute.name));
            if matches!(found, Value::Absent | Value::Null) {
                if !attribute.optional && attribute.default.is_none() {
                    self.path.push(format!("@{}", attribute.name));
                    return self.fail("is missing");
                }
                continue;
            }
            let text = self.scalar(&found)?;
            let name = self.name(&attribute.name, attribute.namespace.as_deref());
            let _ = write!(self.out, " {name}=\"{}\"", escape(&text));
        }
        if self.encoded && !self.path.is_empty() {
            let one = types.get(key);
            let namespace = one.and_then(|one| one.namespace.clone());
            let name = one.map(|one| one.name.clone()).unwrap_or_default();
            self.say_type(&name, namespace.as_deref());
        }
        if let Some(kind) = types.text(key) {
            let text = match value {
                Value::Map(map) => map.get("#text"),
                scalar => *scalar,
            };
            let text = self.scalar(&text)?;
            return self.text(types.builtin(kind).unwrap_or(Builtin::String), &text, false);
        }
        self.out.push('>');
        let fields = types.fields(key);
        if !matches!(value, Value::Map(_) | Value::Absent | Value::Null) {
            return self.fail("is one value where its type has fields");
        }
        for field in &fields {
            self.path.push(field.name.clone());
            self.field(field, &value.get(&field.name))?;
            self.path.pop();
        }
        let described = |name: &str| fields.iter().any(|field| field.name == name);
        for (name, more) in value.entries().iter().filter(|(name, _)| !name.starts_with(['@', '#']) && !described(name))
        {
            if !types.takes_any(key) {
                self.path.push((*name).to_owned());
                return self.fail("is not described by the type");
            }
            let arena = Arena::new();
            for item in &Types::rows(more) {
                let text = xml::write(&arena.map(&[(name, *item)]), false).map_err(|error| error.to_string())?;
                self.out.push_str(&text);
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, value: &Value<'_>) -> Result<(), String> {
        let shape = match &field.kind {
            Kind::Named(key) => self.types.get(key).map(|one| &one.shape),
            Kind::Builtin(_) => None,
        };
        // The items of an array belong into one element.
        let array = matches!(shape, Some(Shape::Array(_))) && !value.is_absent();
        let rows = if array { vec![*value] } else { Types::rows(value) };
        if rows.is_empty() && !field.optional {
            return self.fail("is missing");
        }
        if rows.len() > 1 && !field.list {
            return self.fail("is a list where its type has one value");
        }
        for row in &rows {
            self.one(field, row)?;
        }
        Ok(())
    }

    fn one(&mut self, field: &Field, value: &Value<'_>) -> Result<(), String> {
        let builtin = self.types.builtin(&field.kind);
        let empty = matches!(value, Value::Text(text) if text.trim().is_empty());
        // An empty date or number is none.
        let nothing = matches!(value, Value::Null)
            || (empty && !matches!(builtin, None | Some(Builtin::String | Builtin::Token | Builtin::Any)));
        if nothing && field.optional && !(field.nil && matches!(value, Value::Null)) {
            return Ok(());
        }
        let name = self.name(&field.name, field.namespace.as_deref());
        let _ = write!(self.out, "<{name}");
        if nothing {
            if !field.nil {
                return self.fail("has no value, and its type wants one");
            }
            let xsi = self.prefix(SCHEMA_INSTANCE);
            let _ = write!(self.out, " {xsi}:nil=\"true\"/>");
            return Ok(());
        }
        match &field.kind {
            Kind::Named(key) => self.content(key, value)?,
            Kind::Builtin(Builtin::Any) if matches!(value, Value::Map(_)) => {
                let arena = Arena::new();
                let text = xml::write(&arena.map(&[("any", *value)]), false).map_err(|error| error.to_string())?;
                // Only the content is wanted: the element is written here.
                let inner = text.strip_prefix("<any").and_then(|text| text.strip_suffix("</any>"));
                self.out.push_str(inner.unwrap_or(">"));
            }
            Kind::Builtin(builtin) => {
                let text = self.scalar(value)?;
                self.text(*builtin, &text, false)?;
            }
        }
        let _ = write!(self.out, "</{name}>");
        Ok(())
    }

    /// `>` and a text, which must be one of its kind.
    fn text(&mut self, builtin: Builtin, text: &str, list: bool) -> Result<(), String> {
        let fits = |text: &str| builtin.takes(text);
        if !(if list { text.split_whitespace().all(fits) } else { fits(text) }) {
            return self.fail(&format!("is no value of the type {}", builtin.word()));
        }
        if self.encoded {
            self.say_type(builtin.schema_name(), Some(SCHEMA));
        }
        if self.mtom
            && builtin == Builtin::Base64
            && text.len() >= LARGE
            && let Ok(bytes) = STANDARD.decode(text.split_whitespace().collect::<String>())
        {
            let id = format!("part-{}@hub", self.attachments.len() + 1);
            let xop = self.prefix(XOP);
            let _ = write!(self.out, "><{xop}:Include href=\"cid:{id}\"/>");
            self.attachments.push(Attachment { id, bytes });
            return Ok(());
        }
        self.out.push('>');
        // Base64 and numbers have nothing to escape; a forbidden character in a text is left out.
        self.out.push_str(&escape(text));
        Ok(())
    }

    fn say_type(&mut self, name: &str, namespace: Option<&str>) {
        let xsi = self.prefix(SCHEMA_INSTANCE);
        let name = self.name(name, namespace);
        let _ = write!(self.out, " {xsi}:type=\"{name}\"");
    }

    fn array(&mut self, items: &Kind, value: &Value<'_>) -> Result<(), String> {
        let rows = Types::rows(value);
        let item = match items {
            Kind::Builtin(builtin) => self.name(builtin.schema_name(), Some(SCHEMA)),
            Kind::Named(key) => {
                let one = self.types.get(key);
                let (name, namespace) = one.map(|one| (one.name.clone(), one.namespace.clone())).unwrap_or_default();
                self.name(&name, namespace.as_deref())
            }
        };
        let soapenc = self.prefix(ENCODING);
        self.say_type("Array", Some(ENCODING));
        let _ = write!(self.out, " {soapenc}:arrayType=\"{item}[{}]\">", rows.len());
        for (number, row) in rows.iter().enumerate() {
            self.path.push(format!("[{number}]"));
            self.out.push_str("<item");
            match items {
                Kind::Named(key) => self.content(key, row)?,
                Kind::Builtin(builtin) => {
                    let text = self.scalar(row)?;
                    self.text(*builtin, &text, false)?;
                }
            }
            self.out.push_str("</item>");
            self.path.pop();
        }
        Ok(())
    }

    fn scalar(&self, value: &Value<'_>) -> Result<String, String> {
        let arena = Arena::new();
        match value {
            Value::Map(map) if map.get("#text").scalar_text(&arena).is_some() => {
                Ok(map.get("#text").scalar_text(&arena).unwrap_or_default().to_owned())
            }
            Value::Absent => Ok(String::new()),
            other => match other.scalar_text(&arena) {
                Some(text) => Ok(text.to_owned()),
                None => self.fail("must be one value"),
            },
        }
    }
}

#[cfg(test)]
mod tests;
