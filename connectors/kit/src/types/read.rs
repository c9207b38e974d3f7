//! Reads `namespaces` and `types` of a manifest.
//!
//! ```yaml
//! namespaces: { t: "http://erp.example.com/hr/v1" }        # the first is that of everything that names no other
//! types:
//!   Status: { base: string, one_of: [ACTIVE, LEFT] }
//!   Employee:
//!     fields:                                              # in the order of the wire
//!       employeeNo: string
//!       mobile: string? nil                                # may be absent, may be nil
//!       department: OrgRef
//!       costCenter: string*                                # any number; `+` at least one
//!       c:note: { type: string, max_length: 200 }          # in the namespace of the prefix c
//!     attributes: { change: { type: Status, default: ACTIVE } }
//!   OrgRef: { extends: Ref, fields: { code: string }, any: true }
//!   Amount: { text: decimal, attributes: { currency: string } }
//!   Lines: { array: Line }                                 # an array of the SOAP encoding
//! ```

use super::{Attribute, Builtin, Complex, Field, Kind, Shape, Simple, Type, Types};
use hub_tree::Span;
use hub_tree::yaml::{Context, Fields, Kind as NodeKind, Node};

/// What the prefix `xml` is bound to everywhere.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Types that a manifest may describe: the largest vendors' have some thousands.
const MAX_TYPES: usize = 20_000;

impl Types {
    /// Reads the sections `namespaces` and `types`; problems go to `cx`.
    #[must_use]
    pub fn read(namespaces: Option<&Node>, types: Option<&Node>, cx: &Context<'_>) -> Self {
        let mut all = Self::default();
        for (key, node) in namespaces.map(|node| node.entries(cx)).unwrap_or_default() {
            match node.text(cx) {
                Some(namespace) if !namespace.is_empty() && is_name(&key.name) => {
                    all.namespaces.push((key.name.clone(), namespace));
                }
                Some(_) => cx.error(key.span, "a namespace is `PREFIX: ADDRESS`; neither may be empty"),
                None => {}
            }
        }
        let entries = types.map(|node| node.entries(cx)).unwrap_or_default();
        if entries.len() > MAX_TYPES {
            cx.error(types.map(|node| node.span).unwrap_or_default(), format!("more than {MAX_TYPES} types"));
            return all;
        }
        let mut used = Vec::new();
        let mut reader = Reader { cx, namespaces: &all.namespaces, used: &mut used };
        let mut found = Vec::new();
        for (key, node) in entries {
            if Builtin::of_word(&key.name).is_some() {
                let help = "give it another name here, and its own by `name`".to_owned();
                cx.error_with(key.span, format!("`{}` is a type that every schema knows", key.name), Some(help));
            } else if !is_name(&key.name) {
                cx.error(key.span, format!("`{}` cannot be the name of a type", key.name));
            } else {
                found.extend(reader.one(&key.name, key.span, node));
            }
        }
        found.into_iter().for_each(|one| all.add(one));
        for (key, span) in used {
            if !all.types.contains_key(&key) {
                all.unknown(&key, span, cx);
            }
        }
        all.refuse_circles(cx);
        all
    }

    /// Reports a name that is no type of the manifest.
    pub(crate) fn unknown(&self, key: &str, span: Span, cx: &Context<'_>) {
        let mut known: Vec<&str> = self.order.iter().map(String::as_str).collect();
        for word in Builtin::words() {
            known.push(word);
        }
        cx.unknown(span, "type", key, known.iter().copied());
    }

    /// Reports a name that is not that of a type here, for the sections that name types.
    pub fn check_name(&self, key: &str, span: Span, cx: &Context<'_>) {
        if !self.types.contains_key(key) {
            cx.unknown(span, "type", key, self.order.iter().map(String::as_str));
        }
    }

    /// A type cannot extend or narrow itself.
    fn refuse_circles(&self, cx: &Context<'_>) {
        let next = |one: &Type| match &one.shape {
            Shape::Complex(complex) => complex.extends.clone(),
            Shape::Simple(Simple { base: Kind::Named(key), .. }) => Some(key.clone()),
            Shape::Simple(_) | Shape::Array(_) => None,
        };
        for one in self.iter() {
            let mut at = next(one);
            let mut steps = 0;
            while let Some(key) = at {
                steps += 1;
                if key == one.key || steps > super::MAX_BASES {
                    let message = if key == one.key {
                        "a type cannot be made of itself"
                    } else {
                        "too many types extend each other"
                    };
                    cx.error(one.span, message);
                    break;
                }
                at = self.get(&key).and_then(next);
            }
        }
    }
}

/// A name that XML takes as one, without a prefix.
fn is_name(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}'))
}

struct Reader<'r, 'f> {
    cx: &'r Context<'f>,
    namespaces: &'r [(String, String)],
    /// Types that were named, and where.
    used: &'r mut Vec<(String, Span)>,
}

impl Reader<'_, '_> {
    fn one(&mut self, key: &str, span: Span, node: &Node) -> Option<Type> {
        let mut fields = node.fields(self.cx)?;
        let name = fields.text("name").unwrap_or_else(|| key.to_owned());
        let namespace = match fields.optional("namespace") {
            Some(node) => self.namespace(&node.text(self.cx)?, node.span),
            None => self.namespaces.first().map(|(_, namespace)| namespace.clone()),
        };
        let base = fields.optional("base").and_then(|node| self.kind(&node.text(self.cx)?, node.span));
        let array = fields.optional("array").and_then(|node| self.kind(&node.text(self.cx)?, node.span));
        let shape = match (base, array) {
            (Some(base), None) => Shape::Simple(self.simple(base, &mut fields)),
            (None, Some(items)) => Shape::Array(items),
            (None, None) => Shape::Complex(self.complex(namespace.as_deref(), &mut fields)),
            (Some(_), Some(_)) => {
                self.cx.error(fields.span, "a type has a `base` or is an `array`, not both");
                return None;
            }
        };
        fields.finish();
        Some(Type { key: key.to_owned(), name, namespace, shape, span })
    }

    fn simple(&self, base: Kind, fields: &mut Fields<'_, '_>) -> Simple {
        let one_of = fields.optional("one_of").map(|node| {
            let items = node.items(self.cx).iter();
            items.filter_map(|item| item.scalar().map(ToOwned::to_owned)).collect()
        });
        let max_length = fields.integer("max_length", 0, 1 << 30).and_then(|most| usize::try_from(most).ok());
        let list = fields.bool("list").unwrap_or(false);
        Simple { base, one_of: one_of.unwrap_or_default(), max_length, list }
    }

    fn complex(&mut self, namespace: Option<&str>, fields: &mut Fields<'_, '_>) -> Complex {
        let extends = fields.optional("extends").and_then(|node| {
            let key = node.text(self.cx)?;
            self.used.push((key.clone(), node.span));
            Some(key)
        });
        let text = fields.optional("text").and_then(|node| self.kind(&node.text(self.cx)?, node.span));
        let any = fields.bool("any").unwrap_or(false);
        let qualified = fields.bool("qualified").unwrap_or(true);
        let own = namespace.filter(|_| qualified);
        let mut complex = Complex { extends, text, any, ..Complex::default() };
        for (key, node) in fields.optional("fields").map(|node| node.entries(self.cx)).unwrap_or_default() {
            complex.fields.extend(self.field(&key.name, key.span, own, node));
        }
        for (key, node) in fields.optional("attributes").map(|node| node.entries(self.cx)).unwrap_or_default() {
            complex.attributes.extend(self.attribute(&key.name, key.span, node));
        }
        complex
    }

    fn field(&mut self, key: &str, span: Span, own: Option<&str>, node: &Node) -> Option<Field> {
        let (name, namespace) = match key.split_once(':') {
            Some((prefix, name)) => (name, self.namespace(prefix, span)),
            None => (key, own.map(ToOwned::to_owned)),
        };
        if !is_name(name) {
            self.cx.error(span, format!("`{key}` cannot be the name of an element"));
            return None;
        }
        let (written, choice, namespace) = if matches!(node.kind, NodeKind::Map(_)) {
            let mut fields = node.fields(self.cx)?;
            let written = fields.required("type").and_then(|node| self.occurs(&node.text(self.cx)?, node.span));
            let choice = fields.text("choice");
            let qualified = fields.bool("qualified").unwrap_or(true);
            let namespace = namespace.filter(|_| qualified);
            fields.finish();
            (written?, choice, namespace)
        } else {
            (self.occurs(&node.text(self.cx)?, node.span)?, None, namespace)
        };
        let Occurs { kind, optional, list, nil } = written;
        Some(Field {
            name: name.to_owned(),
            namespace,
            kind,
            optional: optional || choice.is_some(),
            list,
            nil,
            choice,
        })
    }

    fn attribute(&mut self, key: &str, span: Span, node: &Node) -> Option<Attribute> {
        let (name, namespace) = match key.split_once(':') {
            Some((prefix, name)) => (name, self.namespace(prefix, span)),
            None => (key, None),
        };
        let (written, default) = if matches!(node.kind, NodeKind::Map(_)) {
            let mut fields = node.fields(self.cx)?;
            let written = fields.required("type").and_then(|node| self.occurs(&node.text(self.cx)?, node.span));
            let default = fields.scalar("default");
            fields.finish();
            (written?, default)
        } else {
            (self.occurs(&node.text(self.cx)?, node.span)?, None)
        };
        if written.list || written.nil {
            self.cx.error(node.span, "an attribute is one text: no `*`, `+` or `nil`");
        }
        let optional = written.optional || default.is_some();
        Some(Attribute { name: name.to_owned(), namespace, kind: written.kind, optional, default })
    }

    /// `TYPE`, `TYPE?`, `TYPE*` or `TYPE+`, perhaps with ` nil` behind it.
    fn occurs(&mut self, text: &str, span: Span) -> Option<Occurs> {
        let (text, nil) = match text.strip_suffix(" nil") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (word, optional, list) = match text.char_indices().next_back() {
            Some((at, '?')) => (&text[..at], true, false),
            Some((at, '*')) => (&text[..at], true, true),
            Some((at, '+')) => (&text[..at], false, true),
            _ => (text, false, false),
        };
        Some(Occurs { kind: self.kind(word, span)?, optional, list, nil })
    }

    fn kind(&mut self, word: &str, span: Span) -> Option<Kind> {
        if word.is_empty() {
            self.cx.error(span, "a type is `NAME`, `NAME?`, `NAME*` or `NAME+`, perhaps with ` nil` behind it");
            return None;
        }
        if let Some(builtin) = Builtin::of_word(word) {
            return Some(Kind::Builtin(builtin));
        }
        self.used.push((word.to_owned(), span));
        Some(Kind::Named(word.to_owned()))
    }

    fn namespace(&self, prefix: &str, span: Span) -> Option<String> {
        if prefix == "xml" {
            return Some(XML.to_owned());
        }
        let found = self.namespaces.iter().find(|(known, _)| known == prefix);
        if found.is_none() {
            self.cx.unknown(span, "prefix", prefix, self.namespaces.iter().map(|(known, _)| known.as_str()));
        }
        found.map(|(_, namespace)| namespace.clone())
    }
}

struct Occurs {
    kind: Kind,
    optional: bool,
    list: bool,
    nil: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Findings, Source, yaml};

    fn read(text: &str) -> (Types, Vec<String>) {
        let source = Source::new("manifest.yaml", text);
        let findings = Findings::new();
        let root = yaml::read(&source, &findings).unwrap();
        let types = Types::read(root.get("namespaces"), root.get("types"), &Context::new(&source, &findings));
        let lines = findings.into_sorted().iter().map(|f| f.to_string().lines().next().unwrap().to_owned()).collect();
        (types, lines)
    }

    #[test]
    fn types_are_short_to_write_and_keep_order_namespaces_and_occurrence() {
        let (types, errors) = read(
            "namespaces: { t: 'urn:one', c: 'urn:two' }\n\
             types:\n  \
               Status: { base: string, one_of: [ACTIVE, LEFT], max_length: 6 }\n  \
               Ref: { fields: { code: string, c:name: string? } }\n  \
               Employee:\n    extends: Ref\n    qualified: false\n    fields:\n      no: string\n      mobile: string? nil\n      \
                 centre: Ref*\n      way: { type: Status, choice: how, qualified: false }\n    \
               attributes: { change: { type: Status, default: ACTIVE }, id: int }\n  \
               Amount: { text: decimal, attributes: { currency: string? }, any: true }\n  \
               Lines: { array: Ref, name: ArrayOf_Ref }\n",
        );
        assert!(errors.is_empty(), "{errors:?}");
        let fields: Vec<String> = types
            .fields("Employee")
            .iter()
            .map(|field| {
                let ns = field.namespace.as_deref().unwrap_or("-");
                let marks = [(field.optional, '?'), (field.list, '*'), (field.nil, '~'), (field.choice.is_some(), '|')];
                let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
                format!("{ns} {}{marks}", field.name)
            })
            .collect();
        assert_eq!(fields, ["urn:one code", "urn:two name?", "- no", "- mobile?~", "- centre?*", "- way?|"]);
        let attributes: Vec<(&str, bool)> =
            types.attributes("Employee").iter().map(|a| (a.name.as_str(), a.optional)).collect();
        assert_eq!(attributes, [("change", true), ("id", false)]);
        assert_eq!(types.text("Amount"), Some(&Kind::Builtin(Builtin::Decimal)));
        assert!(types.takes_any("Amount") && !types.takes_any("Employee"));
        assert_eq!(types.builtin(&Kind::Named("Status".to_owned())), Some(Builtin::String));
        assert_eq!(types.get("Lines").map(|one| one.name.as_str()), Some("ArrayOf_Ref"));
        assert_eq!(types.iter().map(|one| one.key.as_str()).collect::<Vec<_>>().first(), Some(&"Status"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let (_, errors) = read(
            "namespaces: { t: 'urn:one' }\n\
             types:\n  \
               Employee: { fields: { a: Emploee, x:b: string, c: string++ } }\n  \
               string: { base: string }\n  \
               A: { extends: B }\n  B: { extends: A }\n  \
               C: { base: Missing, array: A }\n  \
               D: { attributes: { a: string* }, colour: red }\n",
        );
        assert_eq!(
            errors,
            [
                "manifest.yaml:3:28: error: unknown type `Emploee`",
                "manifest.yaml:3:37: error: unknown prefix `x`",
                "manifest.yaml:3:53: error: unknown type `string+`",
                "manifest.yaml:4:3: error: `string` is a type that every schema knows",
                "manifest.yaml:5:3: error: a type cannot be made of itself",
                "manifest.yaml:6:3: error: a type cannot be made of itself",
                "manifest.yaml:7:6: error: a type has a `base` or is an `array`, not both",
                "manifest.yaml:7:14: error: unknown type `Missing`",
                "manifest.yaml:8:25: error: an attribute is one text: no `*`, `+` or `nil`",
                "manifest.yaml:8:36: error: unknown key `colour`",
            ]
        );
    }
}
