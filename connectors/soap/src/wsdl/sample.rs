//! A message as an example: every element of its type once, with a value of its kind.

use super::{Message, Style};
use hub_kit::types::{Builtin, Kind, Shape, Types};
use std::fmt::Write as _;

/// Elements inside of each other that are shown.
const MAX_DEPTH: usize = 12;
/// Lines of an example.
const MAX_LINES: usize = 2_000;

/// Writes an element with an example of everything in it, indented by `indent` blanks, for a body or header. What may
/// be left out is shown, too; what holds itself is shown once.
#[must_use]
pub fn sample(types: &Types, message: &Message, style: Style, indent: usize) -> String {
    let mut writer =
        Writer { types, text: String::new(), lines: 0, open: Vec::new(), encoded: style == Style::Encoded };
    let namespace = &*message.element.namespace;
    let prefix = if namespace.is_empty() { None } else { Some(writer.prefix(namespace)) };
    let tag = match &prefix {
        Some(prefix) => format!("{prefix}:{}", message.element.name),
        None => message.element.name.clone(),
    };
    let mut declared = String::new();
    for (prefix, namespace) in &types.namespaces {
        let _ = write!(declared, " xmlns:{prefix}=\"{}\"", escaped(namespace));
    }
    if writer.encoded {
        declared.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
        declared.push_str(" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"");
    }
    if let Some(prefix) = prefix.filter(|prefix| !types.namespaces.iter().any(|(known, _)| known == prefix)) {
        let _ = write!(declared, " xmlns:{prefix}=\"{}\"", escaped(namespace));
    }
    writer.element(&tag, &declared, &Kind::Named(message.type_key.clone()), indent);
    writer.text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

struct Writer<'t> {
    types: &'t Types,
    text: String,
    lines: usize,
    /// Types that are open: one that holds itself is not shown again.
    open: Vec<String>,
    encoded: bool,
}

impl Writer<'_> {
    fn prefix(&self, namespace: &str) -> String {
        self.types.prefix(namespace).unwrap_or("m").to_owned()
    }

    fn element(&mut self, tag: &str, attributes: &str, kind: &Kind, indent: usize) {
        self.lines += 1;
        if self.lines > MAX_LINES {
            return;
        }
        if let Some(value) = self.value(kind) {
            let kind = match self.types.builtin(kind) {
                Some(builtin) if self.encoded => format!(" xsi:type=\"xsd:{}\"", builtin.schema_name()),
                _ => String::new(),
            };
            let _ = writeln!(self.text, "{:indent$}<{tag}{attributes}{kind}>{}</{tag}>", "", escaped(&value));
            return;
        }
        let Kind::Named(key) = kind else {
            let _ = writeln!(self.text, "{:indent$}<{tag}{attributes}/>", "");
            return;
        };
        if self.open.contains(key) || self.open.len() >= MAX_DEPTH {
            let _ = writeln!(self.text, "{:indent$}<{tag}{attributes}/>", "");
            return;
        }
        self.open.push(key.clone());
        let mut own = String::new();
        for attribute in self.types.attributes(key) {
            let name = match &attribute.namespace {
                Some(namespace) => match self.types.prefix(namespace) {
                    Some(prefix) => format!("{prefix}:{}", attribute.name),
                    None => continue,
                },
                None => attribute.name.clone(),
            };
            let value = attribute.default.clone().or_else(|| self.value(&attribute.kind)).unwrap_or_default();
            let _ = write!(own, " {name}=\"{}\"", escaped(&value));
        }
        if let Some(text) = self.types.text(key).and_then(|kind| self.value(kind)) {
            let _ = writeln!(self.text, "{:indent$}<{tag}{attributes}{own}>{}</{tag}>", "", escaped(&text));
        } else {
            let _ = writeln!(self.text, "{:indent$}<{tag}{attributes}{own}>", "");
            self.content(key, indent + 2);
            let _ = writeln!(self.text, "{:indent$}</{tag}>", "");
        }
        self.open.pop();
    }

    fn content(&mut self, key: &str, indent: usize) {
        if let Some(Shape::Array(items)) = self.types.get(key).map(|one| &one.shape) {
            return self.element("item", "", &items.clone(), indent);
        }
        let mut choice: Option<String> = None;
        for field in self.types.fields(key) {
            // Of a choice, the first.
            if field.choice.is_some() && field.choice == choice {
                continue;
            }
            choice.clone_from(&field.choice);
            let tag = match &field.namespace {
                Some(namespace) => format!("{}:{}", self.prefix(namespace), field.name),
                None => field.name.clone(),
            };
            let kind = field.kind.clone();
            self.element(&tag, "", &kind, indent);
        }
    }

    /// An example of a text; none for types with elements.
    fn value(&self, kind: &Kind) -> Option<String> {
        if let Kind::Named(key) = kind
            && let Shape::Simple(simple) = &self.types.get(key)?.shape
        {
            return match simple.one_of.first() {
                Some(first) => Some(first.clone()),
                None => self.value(&simple.base),
            };
        }
        Some(
            match self.types.builtin(kind)? {
                Builtin::Boolean => "true",
                Builtin::Date => "2025-01-31",
                Builtin::DateTime => "2025-01-31T08:00:00Z",
                Builtin::Time => "08:00:00",
                Builtin::Decimal | Builtin::Float | Builtin::Double => "0.00",
                Builtin::Integer | Builtin::Int | Builtin::Long | Builtin::Short => "1",
                Builtin::Base64 => "dGV4dA==",
                Builtin::Hex => "00",
                Builtin::Duration => "P1D",
                Builtin::Year => "2025",
                Builtin::YearMonth => "2025-01",
                Builtin::Any => return None,
                Builtin::String | Builtin::Uri | Builtin::QName | Builtin::Token | Builtin::Id => "text",
            }
            .to_owned(),
        )
    }
}
