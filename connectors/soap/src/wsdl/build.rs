//! Makes types of schemas: those that messages reach, and no others.

mod attributes;
mod texts;

use super::dom::{Element, QName};
use super::schema::{Component, Home, Schemas, Space, is_array};
use super::{Problem, SOAPENC, WSDL, XSD};
use hub_kit::types::{Builtin, Complex, Field, Kind, Shape, Type, Types};
use hub_tree::Span;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// Types of one description; the largest vendors' have some thousands.
const MAX_TYPES: usize = 20_000;
/// Groups and particles inside each other.
const MAX_DEPTH: usize = 32;
const XML: &str = "http://www.w3.org/XML/1998/namespace";

pub(super) struct Builder<'d> {
    schemas: &'d Schemas<'d>,
    /// Keys of types with a name of their own.
    keys: BTreeMap<QName, String>,
    /// Keys of the types of elements without one.
    of_elements: BTreeMap<QName, String>,
    used: BTreeSet<String>,
    types: Types,
    /// Choices of the type at hand, for their words.
    choices: usize,
    /// Types that are named and not yet built: they may hold each other, and as many in a row as there are.
    todo: VecDeque<Todo<'d>>,
}

/// A type to be built.
struct Todo<'d> {
    described: &'d Element,
    home: Rc<Home>,
    key: String,
    name: String,
}

/// How often what stands inside of something may stand.
#[derive(Clone, Copy, Default)]
struct Around {
    optional: bool,
    list: bool,
    depth: usize,
}

impl<'d> Builder<'d> {
    pub(super) fn new(schemas: &'d Schemas<'d>) -> Self {
        Self {
            schemas,
            keys: BTreeMap::new(),
            of_elements: BTreeMap::new(),
            used: Builtin::words().map(ToOwned::to_owned).collect(),
            types: Types::default(),
            choices: 0,
            todo: VecDeque::new(),
        }
    }

    /// Builds what was named, and what that names.
    pub(super) fn finish(mut self) -> Result<Types, Problem> {
        while let Some(Todo { described, home, key, name }) = self.todo.pop_front() {
            if self.used.len() > MAX_TYPES {
                return Err(home.problem(described, format!("more than {MAX_TYPES} types")));
            }
            self.choices = 0;
            let shape = match described.name.as_str() {
                "simpleType" => Shape::Simple(self.simple(described, &home, &key)?),
                _ => self.complex(described, &home, &key)?,
            };
            self.add(&key, &name, &home.namespace, shape);
        }
        Ok(self.types)
    }

    fn later(&mut self, described: &'d Element, home: &Rc<Home>, key: &str, name: &str) {
        let (home, key, name) = (Rc::clone(home), key.to_owned(), name.to_owned());
        self.todo.push_back(Todo { described, home, key, name });
    }

    /// A key that is not used yet.
    fn key(&mut self, wanted: &str) -> String {
        let mut key = wanted.to_owned();
        let mut number = 1;
        while self.used.contains(&key) {
            number += 1;
            key = format!("{wanted}_{number}");
        }
        self.used.insert(key.clone());
        key
    }

    /// Adds a type; its namespaces become known in the order in which they are met.
    fn add(&mut self, key: &str, name: &str, namespace: &str, shape: Shape) {
        if let Shape::Complex(complex) = &shape {
            for field in &complex.fields {
                self.namespace(field.namespace.as_deref().unwrap_or_default());
            }
            for attribute in &complex.attributes {
                self.namespace(attribute.namespace.as_deref().unwrap_or_default());
            }
        }
        self.namespace(namespace);
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty()).map(ToOwned::to_owned);
        self.types.add(Type { key: key.to_owned(), name: name.to_owned(), namespace, shape, span: Span::default() });
    }

    /// Makes a namespace known, under a short prefix.
    pub(super) fn namespace(&mut self, namespace: &str) {
        if namespace.is_empty() || namespace == XML || self.types.prefix(namespace).is_some() {
            return;
        }
        let prefix = match self.types.namespaces.len() {
            0 => "t".to_owned(),
            number => format!("n{number}"),
        };
        self.types.namespaces.push((prefix, namespace.to_owned()));
    }

    /// What a global element holds: a builtin type, or one of the result.
    pub(super) fn element(&mut self, name: &QName, (home, at): (&Rc<Home>, &'d Element)) -> Result<Kind, Problem> {
        let component = self.schemas.get(Space::Element, name, (home, at))?;
        self.namespace(&name.namespace);
        if let Some(key) = self.of_elements.get(name) {
            return Ok(Kind::Named(key.clone()));
        }
        let Component { element, home } = component;
        if element.attribute("type").is_none() && anonymous(element).is_some() {
            // The element gives the type its name; a type of that name takes another key.
            let key = self.key(&name.name);
            self.of_elements.insert(name.clone(), key.clone());
            self.inline(element, &home, &key, &name.name);
            return Ok(Kind::Named(key));
        }
        self.kind(element, &home, &name.name)
    }

    /// What an element or attribute holds; `path` names the type if it is described in its place.
    fn kind(&mut self, element: &'d Element, home: &Rc<Home>, path: &str) -> Result<Kind, Problem> {
        if let Some(text) = element.attribute("type") {
            let name = home.resolve(element, text)?;
            return self.named(&name, home, element);
        }
        if anonymous(element).is_some() {
            let key = self.key(path);
            self.inline(element, home, &key, path);
            return Ok(Kind::Named(key));
        }
        Ok(Kind::Builtin(Builtin::Any))
    }

    /// A type by its name.
    pub(super) fn named(&mut self, name: &QName, home: &Rc<Home>, at: &'d Element) -> Result<Kind, Problem> {
        if let Some(key) = self.keys.get(name) {
            return Ok(Kind::Named(key.clone()));
        }
        if matches!(&*name.namespace, XSD | SOAPENC) {
            let builtin = Builtin::of_schema_name(&name.name).or(is_array(name).then_some(Builtin::Any));
            return match (builtin, &*name.namespace) {
                (Some(builtin), _) => Ok(Kind::Builtin(builtin)),
                (None, SOAPENC) => Ok(Kind::Builtin(Builtin::Any)),
                (None, _) => Err(home.problem(at, format!("there is no type `{}` in XML Schema", name.name))),
            };
        }
        let Component { element, home } = self.schemas.get(Space::Type, name, (home, at))?;
        let key = self.key(&name.name);
        self.keys.insert(name.clone(), key.clone());
        self.later(element, &home, &key, &name.name);
        Ok(Kind::Named(key))
    }

    /// A type that is described where it is used.
    fn inline(&mut self, element: &'d Element, home: &Rc<Home>, key: &str, name: &str) {
        if let Some(described) = anonymous(element) {
            self.later(described, home, key, name);
        }
    }

    fn complex(&mut self, described: &'d Element, home: &Rc<Home>, key: &str) -> Result<Shape, Problem> {
        let mut complex = Complex::default();
        if let Some(content) = described.first(XSD, "simpleContent") {
            if let Some(derived) = derivation(content) {
                let base = home.resolve(derived, derived.attribute("base").unwrap_or_default())?;
                let found = self.schemas.find(Space::Type, &base);
                match self.named(&base, home, derived)? {
                    Kind::Named(base) if found.is_some_and(|found| found.element.name == "complexType") => {
                        complex.extends = Some(base);
                    }
                    kind => complex.text = Some(kind),
                }
                self.attributes(derived, home, key, &mut complex)?;
            }
            return Ok(Shape::Complex(complex));
        }
        let Some(content) = described.first(XSD, "complexContent") else {
            self.particles(described, home, key, &mut complex)?;
            self.attributes(described, home, key, &mut complex)?;
            if described.attribute("mixed") == Some("true") && complex.fields.is_empty() {
                complex.text = Some(Kind::Builtin(Builtin::String));
            }
            return Ok(Shape::Complex(complex));
        };
        let Some(derived) = derivation(content) else { return Ok(Shape::Complex(complex)) };
        let base = home.resolve(derived, derived.attribute("base").unwrap_or_default())?;
        if is_array(&base) {
            return self.array(derived, home, key).map(Shape::Array);
        }
        if derived.name == "extension"
            && let Kind::Named(base) = self.named(&base, home, derived)?
        {
            complex.extends = Some(base);
        } else if derived.name == "restriction"
            && let Some(base) = self.schemas.find(Space::Type, &base)
        {
            // A restriction repeats the elements that stay; attributes stay unless it says otherwise.
            self.attributes(base.element, &base.home, key, &mut complex)?;
        }
        self.particles(derived, home, key, &mut complex)?;
        self.attributes(derived, home, key, &mut complex)?;
        Ok(Shape::Complex(complex))
    }

    /// The items of an array of the encoding: by `arrayType`, else by the element that it describes.
    fn array(&mut self, derived: &'d Element, home: &Rc<Home>, key: &str) -> Result<Kind, Problem> {
        for attribute in derived.all(XSD, "attribute") {
            let Some(text) = attribute.attribute_of(WSDL, "arrayType") else { continue };
            let text = text.split('[').next().unwrap_or_default();
            return self.named(&home.resolve(attribute, text)?, home, attribute);
        }
        let mut inner = Complex::default();
        self.particles(derived, home, key, &mut inner)?;
        Ok(inner.fields.into_iter().next().map_or(Kind::Builtin(Builtin::Any), |field| field.kind))
    }

    fn particles(
        &mut self,
        around: &'d Element,
        home: &Rc<Home>,
        key: &str,
        complex: &mut Complex,
    ) -> Result<(), Problem> {
        for child in around.children.iter().filter(|child| &*child.namespace == XSD) {
            self.particle(child, home, key, complex, Around::default())?;
        }
        Ok(())
    }

    fn particle(
        &mut self,
        child: &'d Element,
        home: &Rc<Home>,
        key: &str,
        complex: &mut Complex,
        around: Around,
    ) -> Result<(), Problem> {
        if around.depth > MAX_DEPTH {
            return Err(home.problem(child, "groups inside of each other without end"));
        }
        let many = child.attribute("maxOccurs").is_some_and(|most| most == "unbounded" || most.parse::<u64>() != Ok(1));
        let around = Around {
            optional: around.optional || child.attribute("minOccurs") == Some("0"),
            list: around.list || many,
            depth: around.depth + 1,
        };
        match child.name.as_str() {
            "element" => {
                let field = self.field(child, home, key, around)?;
                self.push(complex, field, child, home)
            }
            "sequence" | "all" => {
                for inner in child.children.iter().filter(|inner| &*inner.namespace == XSD) {
                    self.particle(inner, home, key, complex, around)?;
                }
                Ok(())
            }
            "choice" => self.choice(child, home, key, complex, around),
            "group" => {
                let Some(reference) = child.attribute("ref") else { return Ok(()) };
                let name = home.resolve(child, reference)?;
                let group = self.schemas.get(Space::Group, &name, (home, child))?;
                for inner in group.element.children.iter().filter(|inner| &*inner.namespace == XSD) {
                    self.particle(inner, &group.home, key, complex, around)?;
                }
                Ok(())
            }
            "any" => {
                complex.any = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Of elements only, one is there, and a word says so; anything else in it may be absent.
    fn choice(
        &mut self,
        child: &'d Element,
        home: &Rc<Home>,
        key: &str,
        complex: &mut Complex,
        around: Around,
    ) -> Result<(), Problem> {
        let inner: Vec<&Element> = child.children.iter().filter(|inner| &*inner.namespace == XSD).collect();
        let plain = inner.iter().all(|inner| matches!(inner.name.as_str(), "element" | "annotation"));
        let one = plain && !around.optional && !around.list;
        let from = complex.fields.len();
        for inner in inner {
            self.particle(inner, home, key, complex, Around { optional: true, ..around })?;
        }
        if one {
            self.choices += 1;
            let word = format!("choice_{}", self.choices);
            for field in complex.fields.iter_mut().skip(from).filter(|field| field.choice.is_none()) {
                field.choice = Some(word.clone());
            }
        }
        Ok(())
    }

    /// Adds an element. One that is there already may stand more than once.
    fn push(&mut self, complex: &mut Complex, field: Field, at: &'d Element, home: &Rc<Home>) -> Result<(), Problem> {
        if let Some(head) = at.attribute("ref") {
            let head = home.resolve(at, head)?;
            let substitutes = self.schemas.substitutes(&head).to_vec();
            for name in &substitutes {
                let kind = self.element(name, (home, at))?;
                let namespace = Some(name.namespace.to_string()).filter(|namespace| !namespace.is_empty());
                complex.fields.push(Field {
                    name: name.name.clone(),
                    namespace,
                    kind,
                    optional: true,
                    ..field.clone()
                });
            }
            let found = self.schemas.find(Space::Element, &head);
            if found.is_some_and(|found| found.element.attribute("abstract") == Some("true")) {
                return Ok(());
            }
            let optional = field.optional || !substitutes.is_empty();
            complex.fields.push(Field { optional, ..field });
            return Ok(());
        }
        match complex.fields.iter_mut().find(|known| known.name == field.name && known.namespace == field.namespace) {
            Some(known) => {
                known.list |= !(known.optional && field.optional);
                known.choice = None;
            }
            None => complex.fields.push(field),
        }
        Ok(())
    }

    fn field(&mut self, child: &'d Element, home: &Rc<Home>, key: &str, around: Around) -> Result<Field, Problem> {
        let Around { optional, list, .. } = around;
        if let Some(reference) = child.attribute("ref") {
            let name = home.resolve(child, reference)?;
            let kind = self.element(&name, (home, child))?;
            let nil = self.schemas.find(Space::Element, &name).is_some_and(|found| is_nillable(found.element));
            let namespace = Some(name.namespace.to_string()).filter(|namespace| !namespace.is_empty());
            return Ok(Field { name: name.name, namespace, kind, optional, list, nil, choice: None });
        }
        let Some(name) = child.attribute("name") else {
            return Err(home.problem(child, "an element has neither a name nor a reference"));
        };
        let qualified = match child.attribute("form") {
            Some(form) => form == "qualified",
            None => home.elements_qualified,
        };
        let namespace = (qualified && !home.namespace.is_empty()).then(|| home.namespace.to_string());
        let kind = self.kind(child, home, &format!("{key}.{name}"))?;
        Ok(Field { name: name.to_owned(), namespace, kind, optional, list, nil: is_nillable(child), choice: None })
    }
}

fn is_nillable(element: &Element) -> bool {
    matches!(element.attribute("nillable"), Some("true" | "1"))
}

/// The type that an element describes in its place.
fn anonymous(element: &Element) -> Option<&Element> {
    element.first(XSD, "complexType").or_else(|| element.first(XSD, "simpleType"))
}

/// The extension or restriction of a content.
fn derivation(content: &Element) -> Option<&Element> {
    content.first(XSD, "extension").or_else(|| content.first(XSD, "restriction"))
}
