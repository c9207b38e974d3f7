//! The effective mapping: all layers as one file, each rule with the layer and place that it is from.

use super::{Parts, Stacked, stack};
use hub_tree::yaml::{Key, Kind, Node};
use hub_tree::{Findings, Source, Span, json};
use std::fmt::Write as _;

/// Maps that are written one key a line; everything below them stands in braces.
const BLOCKS: [&str; 4] = ["let", "fields", "takes", "emit"];

/// Column that comments begin at, where the line is not longer.
const COMMENT_COLUMN: usize = 72;

impl Parts {
    /// All layers as one file that means the same; every rule carries `# <layer> <path>:<line>`, where `layer` names
    /// the layer of a path. Problems of the layers go to `findings`; `None` when they cannot be laid over each other.
    #[must_use]
    pub fn effective(&self, findings: &Findings, layer: &dyn Fn(&str) -> String) -> Option<String> {
        let before = findings.error_count();
        let Stacked { root, source, .. } = stack(&self.files, findings)?;
        let mut writer = Writer { source: &source, layer, out: String::new() };
        if let Kind::Map(entries) = &root.kind {
            writer.block(entries, 0);
        }
        (findings.error_count() == before).then_some(writer.out)
    }
}

struct Writer<'w> {
    source: &'w Source,
    layer: &'w dyn Fn(&str) -> String,
    out: String,
}

impl Writer<'_> {
    fn block(&mut self, entries: &[(Key, Node)], indent: usize) {
        for (key, node) in entries {
            let pad = " ".repeat(indent);
            let name = scalar(&key.name);
            match &node.kind {
                Kind::Map(inner) if BLOCKS.contains(&key.name.as_str()) => {
                    let _ = writeln!(self.out, "{pad}{name}:");
                    self.block(inner, indent + 2);
                }
                Kind::List(items) if key.name == "emit" => {
                    let _ = writeln!(self.out, "{pad}{name}:");
                    for item in items {
                        let start = self.out.len();
                        match &item.kind {
                            Kind::Map(inner) => self.block(inner, indent + 4),
                            _ => self.line(&" ".repeat(indent + 4), &flow(item), item.span),
                        }
                        let dash = format!("{}- ", " ".repeat(indent + 2));
                        self.out.replace_range(start..start + dash.len(), &dash);
                    }
                }
                _ => self.line(&pad, &format!("{name}: {}", flow(node)), key.span),
            }
        }
    }

    fn line(&mut self, pad: &str, text: &str, span: Span) {
        let (path, at) = self.source.locate(span.start);
        let layer = (self.layer)(path);
        let line = format!("{pad}{text}");
        let _ = writeln!(self.out, "{line:<COMMENT_COLUMN$}  # {layer} {path}:{}", at.line);
    }
}

/// A node on one line.
fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(text) => text.clone(),
        Kind::Text(text) => scalar(text),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| format!("{}: {}", scalar(&key.name), flow(node)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Text as YAML writes it: plain where nobody could take it for something else.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '(' | ')' | '+' | '*' | '@');
    let spaced = text.split(' ').all(|word| !word.is_empty() && word.chars().all(plain));
    let word = matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if first && spaced && !word {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        json::to_string(&hub_tree::Value::Text(text))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
