//! What messages look like on a wire that has a schema: names, order, namespaces, what may be absent or nil.
//!
//! A manifest says it under `types`, in the words that [`Types::read`] takes; they come from a WSDL, or are published
//! as one. The driver writes requests in the order and the namespaces given here, the server describes itself by them,
//! and [`Types::judge`] says what is wrong with a value that came in. Trees are those of [`hub_tree::xml`]: local
//! names, `@name` for attributes, `#text` beside them.

mod judge;
mod read;
mod values;

pub use judge::Flaw;
pub use values::Builtin;

use hub_tree::Span;
use std::collections::BTreeMap;

/// The types of a manifest, and the namespaces that they use.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// Prefixes and namespaces in their order; the first is that of everything that names no other.
    pub namespaces: Vec<(String, String)>,
    types: BTreeMap<String, Type>,
    /// Names in the order of the file.
    order: Vec<String>,
}

/// A type with a name.
#[derive(Clone, Debug)]
pub struct Type {
    /// How the manifest calls it. A name with a dot is that of a type which has no name of its own on the wire, because
    /// it was described in its place: `GetStatusResponse.status`.
    pub key: String,
    /// Its local name on the wire.
    pub name: String,
    /// The namespace of its name.
    pub namespace: Option<String>,
    /// What it is.
    pub shape: Shape,
    /// Where it is described.
    pub span: Span,
}

/// What a type is.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A text with a narrower meaning.
    Simple(Simple),
    /// Elements in order, attributes.
    Complex(Complex),
    /// An array of the SOAP encoding: items under any name.
    Array(Kind),
}

/// A text with a meaning.
#[derive(Clone, Debug)]
pub struct Simple {
    /// What it is a narrower form of.
    pub base: Kind,
    /// The only values, if it lists them.
    pub one_of: Vec<String>,
    /// The most characters.
    pub max_length: Option<usize>,
    /// Whether it is a list of such texts, with blanks between them.
    pub list: bool,
}

/// Elements in order, and attributes.
#[derive(Clone, Debug, Default)]
pub struct Complex {
    /// The type whose elements and attributes come before its own.
    pub extends: Option<String>,
    /// Its elements.
    pub fields: Vec<Field>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The kind of its own text, if it has one beside attributes.
    pub text: Option<Kind>,
    /// Whether elements that are not described may follow.
    pub any: bool,
}

/// A child element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Local name.
    pub name: String,
    /// Its namespace; none for an unqualified name.
    pub namespace: Option<String>,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it may be repeated.
    pub list: bool,
    /// Whether it may be nil.
    pub nil: bool,
    /// The choice that it belongs to: of the fields with one such word, one is there.
    pub choice: Option<String>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Local name.
    pub name: String,
    /// Its namespace; most have none.
    pub namespace: Option<String>,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// What holds when it is left out.
    pub default: Option<String>,
}

/// What an element or attribute holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A type that every schema knows.
    Builtin(Builtin),
    /// A type of the manifest.
    Named(String),
}

/// Types that extend each other are followed so far.
const MAX_BASES: usize = 32;

impl Types {
    /// The type called `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Type> {
        self.types.get(key)
    }

    /// All types in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Type> {
        self.order.iter().filter_map(|key| self.types.get(key))
    }

    /// Adds a type; one of the same key is replaced.
    pub fn add(&mut self, one: Type) {
        if !self.types.contains_key(&one.key) {
            self.order.push(one.key.clone());
        }
        self.types.insert(one.key.clone(), one);
    }

    /// Whether nothing is described.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// The namespace of everything that names no other.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespaces.first().map(|(_, namespace)| namespace.as_str())
    }

    /// The prefix that the manifest gives a namespace.
    #[must_use]
    pub fn prefix(&self, namespace: &str) -> Option<&str> {
        self.namespaces.iter().find(|(_, known)| known == namespace).map(|(prefix, _)| prefix.as_str())
    }

    /// A complex type with those that it extends, the outermost first; empty for every other type.
    #[must_use]
    pub fn parts(&self, key: &str) -> Vec<&Complex> {
        let mut parts = Vec::new();
        let mut next = Some(key);
        while let Some(Type { shape: Shape::Complex(complex), .. }) = next.and_then(|key| self.types.get(key)) {
            if parts.len() == MAX_BASES {
                break;
            }
            parts.push(complex);
            next = complex.extends.as_deref();
        }
        parts.reverse();
        parts
    }

    /// The elements of a complex type in the order in which they are written, those of the types it extends first.
    #[must_use]
    pub fn fields(&self, key: &str) -> Vec<&Field> {
        self.parts(key).into_iter().flat_map(|part| &part.fields).collect()
    }

    /// The attributes of a complex type, those of the types it extends first.
    #[must_use]
    pub fn attributes(&self, key: &str) -> Vec<&Attribute> {
        self.parts(key).into_iter().flat_map(|part| &part.attributes).collect()
    }

    /// The kind of a complex type's own text, if it has one beside attributes.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&Kind> {
        self.parts(key).into_iter().rev().find_map(|part| part.text.as_ref())
    }

    /// Whether elements that are not described may follow.
    #[must_use]
    pub fn takes_any(&self, key: &str) -> bool {
        self.parts(key).iter().any(|part| part.any)
    }

    /// What every value of a kind is at the bottom: narrower texts are followed to what they narrow; `None` for types
    /// that have elements.
    #[must_use]
    pub fn builtin(&self, kind: &Kind) -> Option<Builtin> {
        let mut kind = kind;
        for _ in 0..MAX_BASES {
            match kind {
                Kind::Builtin(builtin) => return Some(*builtin),
                Kind::Named(key) => match &self.types.get(key)?.shape {
                    Shape::Simple(simple) => kind = &simple.base,
                    Shape::Complex(_) | Shape::Array(_) => return None,
                },
            }
        }
        None
    }
}
