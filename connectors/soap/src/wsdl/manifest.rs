//! Writes what a description says as a connector's files: the manifest, mappings to be filled in, sample requests.

mod words;

use super::{Message, Operation, Service, Style, sample};
use crate::names::Version;
use crate::write::envelope;
use hub_kit::types::{Complex, Kind, Shape, Type};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use url::Url;
use words::{bare, inline, kind, occurs, quiet, quoted, segment, snake, word};

/// An operation under its name in the manifest.
#[derive(Debug)]
pub struct Named<'s> {
    /// The name in the manifest, such as `get_employee`.
    pub name: String,
    /// What the description says.
    pub operation: &'s Operation,
    /// Whether its name says that it changes nothing.
    pub reads: bool,
}

/// Beginnings of names of operations that change nothing.
const READING: &[&str] = &[
    "get", "list", "query", "find", "search", "read", "fetch", "is", "has", "describe", "count", "check", "validate",
    "retrieve", "select", "lookup", "load", "login", "logon", "ping", "export", "查询", "获取", "读取",
];

impl Service {
    /// The operations with the names that a manifest gives them, each once.
    #[must_use]
    pub fn named(&self) -> Vec<Named<'_>> {
        let mut used = BTreeSet::new();
        let named = self.operations.iter().map(|operation| {
            let wanted = snake(&operation.name);
            let mut name = wanted.clone();
            let mut number = 1;
            while !used.insert(name.clone()) {
                number += 1;
                name = format!("{wanted}_{number}");
            }
            let first = name.split('_').next().unwrap_or_default();
            let reads = READING.iter().any(|word| first == *word || (!word.is_ascii() && name.starts_with(word)));
            Named { name, operation, reads }
        });
        named.collect()
    }

    /// The manifest of a connector called `vendor`.
    #[must_use]
    pub fn manifest(&self, vendor: &str) -> String {
        let mut out = String::new();
        let title = if self.name.is_empty() { vendor } else { &self.name };
        let _ = writeln!(
            out,
            "# Made from the WSDL of {}. Read it before use: what is behind `#` is a guess or a gap.",
            quiet(title)
        );
        let _ = writeln!(out, "version: 1\nvendor: {vendor}\nname: {}\nfamily: erp\ndriver: soap", quoted(title));
        let versions: Vec<&str> = self.operations.iter().flat_map(|one| one.versions.iter().copied()).collect();
        let endpoint = self.endpoints.iter().find(|one| one.version == "1.1").or(self.endpoints.first());
        let url = endpoint.and_then(|one| Url::parse(&one.address).ok()).filter(|url| url.has_host());
        if let Some(url) = &url {
            let _ =
                writeln!(out, "base_url: {} # as the WSDL says; a connection's `base_url` wins", quoted(url.as_str()));
            let _ = writeln!(out, "egress: [{}]", quoted(url.host_str().unwrap_or_default()));
        }
        for other in &self.endpoints {
            if endpoint != Some(other) {
                let _ = writeln!(out, "# also: SOAP {} at {}", other.version, quiet(&other.address));
            }
        }
        let version = if versions.contains(&"1.1") { "1.1" } else { "1.2" };
        let _ = writeln!(
            out,
            "soap: {{ version: \"{version}\" }} # a connection says `auth`: none, wsse_text, wsse_digest or basic"
        );
        if !self.types.namespaces.is_empty() {
            out.push_str("namespaces:\n");
            for (prefix, namespace) in &self.types.namespaces {
                let _ = writeln!(out, "  {prefix}: {}", quoted(namespace));
            }
        }
        if !self.types.is_empty() {
            out.push_str("types:\n");
            for one in self.types.iter() {
                self.write_type(&mut out, one);
            }
        }
        out.push_str("operations:\n");
        for named in self.named() {
            self.write_operation(&mut out, &named);
        }
        out
    }

    fn write_operation(&self, out: &mut String, named: &Named<'_>) {
        let Named { name, operation, reads } = named;
        let _ = writeln!(out, "  {name}:");
        let mut soap = Vec::new();
        if !operation.action.is_empty() {
            soap.push(format!("action: {}", quoted(&operation.action)));
        }
        let same = |message: &Message| {
            let one = self.types.get(&message.type_key);
            one.is_some_and(|one| {
                one.name == message.element.name
                    && one.namespace.as_deref().unwrap_or_default() == &*message.element.namespace
            })
        };
        if !same(&operation.input) {
            let namespace = quoted(&operation.input.element.namespace);
            soap.push(format!("element: {{ name: {}, namespace: {namespace} }}", operation.input.element.name));
        }
        soap.push(format!("type: {}", operation.input.type_key));
        match &operation.output {
            Some(output) if same(output) => soap.push(format!("reply_type: {}", output.type_key)),
            Some(output) => soap.push(format!("reply: {}", quoted(&output.element.name))),
            None => soap.push("one_way: true".to_owned()),
        }
        if operation.style != Style::Document {
            soap.push(format!("style: {}", operation.style.word()));
        }
        let _ = writeln!(out, "    soap: {{ {} }}", soap.join(", "));
        for header in &operation.headers {
            let _ = writeln!(
                out,
                "    # wants the header block `{}` (type {}): `headers` of `soap`",
                header.element.name, header.type_key
            );
        }
        if *reads {
            out.push_str("    reads: true\n");
        } else {
            let _ = writeln!(
                out,
                "    idempotency: none # not repeated when it may have arrived; better a `lookup`\n    mapping: {name}"
            );
        }
        if operation.output.is_some() {
            let _ = writeln!(out, "    reply: {name}");
        }
        for fault in &operation.faults {
            let _ = writeln!(out, "    # faults say {}", fault.element.name);
        }
    }

    fn write_type(&self, out: &mut String, one: &Type) {
        let mut head = Vec::new();
        if one.name != one.key {
            head.push(("name", word(&one.name)));
        }
        if one.namespace.as_deref() != self.types.namespace()
            && let Some(prefix) = one.namespace.as_deref().and_then(|namespace| self.types.prefix(namespace))
        {
            head.push(("namespace", word(prefix)));
        }
        match &one.shape {
            Shape::Simple(simple) => {
                head.push(("base", kind(&simple.base)));
                if !simple.one_of.is_empty() {
                    let values: Vec<String> = simple.one_of.iter().map(|value| quoted(value)).collect();
                    head.push(("one_of", format!("[{}]", values.join(", "))));
                }
                if let Some(most) = simple.max_length {
                    head.push(("max_length", most.to_string()));
                }
                if simple.list {
                    head.push(("list", "true".to_owned()));
                }
                let _ = writeln!(out, "  {}: {}", one.key, inline(&head));
            }
            Shape::Array(items) => {
                head.push(("array", kind(items)));
                let _ = writeln!(out, "  {}: {}", one.key, inline(&head));
            }
            Shape::Complex(complex) => self.write_complex(out, one, complex, head),
        }
    }

    fn write_complex(&self, out: &mut String, one: &Type, complex: &Complex, mut head: Vec<(&str, String)>) {
        if let Some(base) = &complex.extends {
            head.push(("extends", word(base)));
        }
        if let Some(text) = &complex.text {
            head.push(("text", kind(text)));
        }
        if complex.any {
            head.push(("any", "true".to_owned()));
        }
        let unqualified = !complex.fields.is_empty() && complex.fields.iter().all(|field| field.namespace.is_none());
        let unqualified = unqualified && one.namespace.is_some();
        if unqualified {
            head.push(("qualified", "false".to_owned()));
        }
        if complex.fields.is_empty() && complex.attributes.is_empty() {
            let _ = writeln!(out, "  {}: {}", one.key, inline(&head));
            return;
        }
        let _ = writeln!(out, "  {}:", one.key);
        for (name, value) in head {
            let _ = writeln!(out, "    {name}: {value}");
        }
        if !complex.fields.is_empty() {
            out.push_str("    fields:\n");
        }
        let own = one.namespace.as_deref().filter(|_| !unqualified);
        for field in &complex.fields {
            let (key, qualified) = match field.namespace.as_deref() {
                namespace if namespace == own => (field.name.clone(), true),
                Some(namespace) => match self.types.prefix(namespace) {
                    Some(prefix) => (format!("{prefix}:{}", field.name), true),
                    None => (field.name.clone(), true),
                },
                None => (field.name.clone(), own.is_none()),
            };
            let mut parts = vec![("type", occurs(field))];
            if !qualified {
                parts.push(("qualified", "false".to_owned()));
            }
            if let Some(choice) = &field.choice {
                parts.push(("choice", word(choice)));
            }
            let value = if let [(_, only)] = parts.as_slice() { only.clone() } else { inline(&parts) };
            let _ = writeln!(out, "      {key}: {value}");
        }
        if !complex.attributes.is_empty() {
            out.push_str("    attributes:\n");
        }
        for attribute in &complex.attributes {
            let prefix = attribute.namespace.as_deref().map(|namespace| match namespace {
                "http://www.w3.org/XML/1998/namespace" => "xml",
                namespace => self.types.prefix(namespace).unwrap_or("xml"),
            });
            let key = prefix.map_or_else(|| attribute.name.clone(), |prefix| format!("{prefix}:{}", attribute.name));
            let mark = if attribute.optional && attribute.default.is_none() { "?" } else { "" };
            let held = word(&format!("{}{mark}", bare(&attribute.kind)));
            let value = match &attribute.default {
                Some(default) => inline(&[("type", held), ("default", quoted(default))]),
                None => held,
            };
            let _ = writeln!(out, "      {key}: {value}");
        }
    }

    /// A mapping that makes the arguments of an operation, to be filled in: every field takes what a flow passes under
    /// the same name.
    #[must_use]
    pub fn out_mapping(&self, vendor: &str, named: &Named<'_>) -> String {
        let mut out = format!(
            "# Arguments of {}: replace `payload.…` by fields of the hub's records, named under `takes`.\n\
             version: 1\nto: {vendor}/{}\nfields:\n",
            quiet(&named.operation.name),
            named.name
        );
        let mut lines = 0;
        self.out_fields(&mut out, &named.operation.input.type_key, &mut Vec::new(), &mut lines);
        if lines == 0 {
            out.push_str("  note: { value: nothing }\n");
        }
        out
    }

    fn out_fields(&self, out: &mut String, key: &str, path: &mut Vec<String>, lines: &mut usize) {
        for field in self.types.fields(key) {
            if *lines >= 400 {
                return;
            }
            path.push(field.name.clone());
            let deeper = match &field.kind {
                Kind::Named(inner) if !field.list && self.types.builtin(&field.kind).is_none() => {
                    (path.len() < 4 && !self.types.fields(inner).is_empty()).then_some(inner)
                }
                _ => None,
            };
            if let Some(inner) = deeper {
                self.out_fields(out, inner, path, lines);
            } else {
                let target: Vec<String> = path.iter().map(|part| part.replace('.', "_")).collect();
                let source: String = path.iter().map(|part| segment(part)).collect();
                let required = if field.optional { "" } else { ", required: true" };
                let _ = writeln!(
                    out,
                    "  {}: {{ path: 'payload{source}'{required} }} # {}",
                    quoted(&target.join(".")),
                    occurs(field)
                );
                *lines += 1;
            }
            path.pop();
        }
    }

    /// An example of the request of an operation: a whole message.
    #[must_use]
    pub fn sample_request(&self, operation: &Operation) -> String {
        let version = if operation.versions.contains(&"1.1") { Version::V11 } else { Version::V12 };
        let headers: Vec<String> = operation
            .headers
            .iter()
            .map(|header| format!("\n{}", sample(&self.types, header, Style::Document, 2)))
            .collect();
        let body = format!("\n{}", sample(&self.types, &operation.input, operation.style, 2));
        envelope(version, &headers, &body) + "\n"
    }

    /// An example of the content of an answer, as XML.
    #[must_use]
    pub fn sample_reply(&self, operation: &Operation) -> Option<String> {
        operation.output.as_ref().map(|output| sample(&self.types, output, operation.style, 0))
    }
}
