//! The global components of all schemas of a description, each with the schema that it stands in.

use super::dom::{Element, QName};
use super::load::{Document, Documents};
use super::{Problem, SOAPENC, WSDL, XSD};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What kind of component a name is that of: the same name may be used once in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Element,
    Type,
    Group,
    AttributeGroup,
    Attribute,
}

impl Space {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "element" => Self::Element,
            "complexType" | "simpleType" => Self::Type,
            "group" => Self::Group,
            "attributeGroup" => Self::AttributeGroup,
            "attribute" => Self::Attribute,
            _ => return None,
        })
    }

    /// What messages call it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Element => "element",
            Self::Type => "type",
            Self::Group => "group",
            Self::AttributeGroup => "attribute group",
            Self::Attribute => "attribute",
        }
    }
}

/// What a schema says for everything in it.
#[derive(Debug)]
pub(super) struct Home {
    /// The document, for messages.
    pub(super) file: String,
    /// Its namespace, or that of the schema which includes it; empty for none.
    pub(super) namespace: Rc<str>,
    /// Whether a name without a prefix that is in no namespace means one of `namespace`: the schema has none of its own
    /// and is included by one that has.
    pub(super) adopted: bool,
    /// Whether elements inside of types have the namespace.
    pub(super) elements_qualified: bool,
    /// Whether attributes have it.
    pub(super) attributes_qualified: bool,
}

impl Home {
    /// What is wrong at an element of this schema.
    pub(super) fn problem(&self, at: &Element, message: impl Into<String>) -> Problem {
        Problem { file: self.file.clone(), line: at.line, message: message.into() }
    }

    /// A name in an attribute of this schema.
    pub(super) fn resolve(&self, at: &Element, text: &str) -> Result<QName, Problem> {
        let mut name = at.resolve(text).map_err(|message| self.problem(at, message))?;
        if self.adopted && name.namespace.is_empty() {
            name.namespace = Rc::clone(&self.namespace);
        }
        Ok(name)
    }
}

/// A component and the schema that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Component<'d> {
    pub(super) element: &'d Element,
    pub(super) home: Rc<Home>,
}

/// All components by kind and name.
#[derive(Default)]
pub(super) struct Schemas<'d> {
    components: BTreeMap<(Space, QName), Component<'d>>,
    /// Elements that may stand where another is named.
    substitutes: BTreeMap<QName, Vec<QName>>,
    /// Schemas that were gone through, by place and namespace.
    seen: BTreeSet<(String, usize, Rc<str>)>,
}

impl<'d> Schemas<'d> {
    /// Collects the schemas of all documents.
    pub(super) fn of(documents: &'d Documents) -> Result<Self, Problem> {
        let mut all = Self::default();
        // Documents that others include without a namespace of their own are gone through from there.
        for document in &documents.all {
            if document.root.is(XSD, "schema") {
                if document.root.attribute("targetNamespace").is_some()
                    || document.location == documents.all[0].location
                {
                    all.schema(documents, document, &document.root, None)?;
                }
            } else {
                for types in document.root.all(WSDL, "types") {
                    for schema in types.all(XSD, "schema") {
                        all.schema(documents, document, schema, None)?;
                    }
                }
            }
        }
        // What nothing includes, and an import may have brought.
        for document in documents.all.iter().filter(|document| document.root.is(XSD, "schema")) {
            if !all.seen.iter().any(|(location, _, _)| *location == document.location) {
                all.schema(documents, document, &document.root, None)?;
            }
        }
        Ok(all)
    }

    fn schema(
        &mut self,
        documents: &'d Documents,
        document: &'d Document,
        schema: &'d Element,
        adopting: Option<&Rc<str>>,
    ) -> Result<(), Problem> {
        let own: Option<Rc<str>> = schema.attribute("targetNamespace").map(Rc::from);
        let (namespace, adopted) = match (own, adopting) {
            (Some(own), _) => (own, false),
            (None, Some(adopting)) => (Rc::clone(adopting), true),
            (None, None) => (Rc::from(""), false),
        };
        if !self.seen.insert((document.location.clone(), schema.line, Rc::clone(&namespace))) {
            return Ok(());
        }
        let qualified = |name| schema.attribute(name) == Some("qualified");
        let home = Rc::new(Home {
            file: document.location.clone(),
            namespace: Rc::clone(&namespace),
            adopted,
            elements_qualified: qualified("elementFormDefault"),
            attributes_qualified: qualified("attributeFormDefault"),
        });
        for child in schema.children.iter().filter(|child| &*child.namespace == XSD) {
            if matches!(child.name.as_str(), "include" | "redefine") {
                let Some(link) = child.attribute("schemaLocation") else { continue };
                let Some(index) = documents.find(&document.location, link.trim()) else { continue };
                let Some(included) = documents.all.get(index) else { continue };
                self.schema(documents, included, &included.root, Some(&namespace))?;
                if child.name == "redefine" {
                    return Err(home.problem(child, "`redefine` is not supported; write the types out"));
                }
            }
            let (Some(space), Some(name)) = (Space::of(&child.name), child.attribute("name")) else { continue };
            let name = QName { namespace: Rc::clone(&namespace), name: name.trim().to_owned() };
            if let Some(head) = child.attribute("substitutionGroup") {
                let head = home.resolve(child, head)?;
                self.substitutes.entry(head).or_default().push(name.clone());
            }
            // The same document may be brought under two names: the first of a name counts.
            self.components.entry((space, name)).or_insert(Component { element: child, home: Rc::clone(&home) });
        }
        Ok(())
    }

    /// The component of this name; an error names the place that asks for it.
    pub(super) fn get(
        &self,
        space: Space,
        name: &QName,
        (home, at): (&Home, &Element),
    ) -> Result<Component<'d>, Problem> {
        self.find(space, name).ok_or_else(|| {
            let message = format!("there is no {} `{}` in the namespace `{}`", space.word(), name.name, name.namespace);
            home.problem(at, message)
        })
    }

    pub(super) fn find(&self, space: Space, name: &QName) -> Option<Component<'d>> {
        self.components.get(&(space, name.clone())).cloned()
    }

    /// Elements that may stand where this one is named.
    pub(super) fn substitutes(&self, name: &QName) -> &[QName] {
        self.substitutes.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Whether a name is that of the encoding's array.
pub(super) fn is_array(name: &QName) -> bool {
    &*name.namespace == SOAPENC && name.name == "Array"
}
