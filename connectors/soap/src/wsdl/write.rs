//! Writes types and operations as a WSDL 1.1: document/literal, bound to SOAP 1.1 and 1.2 at one address.

mod bindings;
mod out;

use super::{SOAP11, SOAP12, WSDL, XSD};
use bindings::{binding, messages, port_type};
use hub_kit::types::{Attribute, Builtin, Complex, Field, Kind, Shape, Simple, Type, Types};
use out::Out;
use std::collections::{BTreeMap, BTreeSet};

/// What is offered.
#[derive(Debug)]
pub struct Published<'p> {
    /// What everything in it is named after.
    pub name: &'p str,
    /// Its namespace.
    pub namespace: &'p str,
    /// What messages hold.
    pub types: &'p Types,
    /// What can be asked.
    pub operations: Vec<PublishedOperation<'p>>,
    /// What stands in the detail of faults: an element of the namespace and its type.
    pub fault: Option<(&'p str, &'p str)>,
    /// Where it is offered.
    pub address: &'p str,
}

/// Something that can be asked. Elements are those of the namespace.
#[derive(Debug)]
pub struct PublishedOperation<'p> {
    /// Its name.
    pub name: &'p str,
    /// Its action.
    pub action: &'p str,
    /// The element that is sent and its type.
    pub input: (&'p str, &'p str),
    /// The element that comes back and its type.
    pub output: Option<(&'p str, &'p str)>,
}

/// Types inside of each other that are written in their place.
const MAX_DEPTH: usize = 16;

/// Writes a description.
#[must_use]
pub fn write(published: &Published<'_>) -> String {
    let mut out = Out::new();
    let Published { name, namespace, types, .. } = published;
    out.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut head = vec![("name", (*name).to_owned()), ("targetNamespace", (*namespace).to_owned())];
    head.extend([("xmlns:wsdl", WSDL.to_owned()), ("xmlns:soap", SOAP11.to_owned())]);
    head.extend([("xmlns:soap12", SOAP12.to_owned()), ("xmlns:xs", XSD.to_owned())]);
    head.push(("xmlns:tns", (*namespace).to_owned()));
    let schemas = Schemas::of(published);
    let prefixes: Vec<String> = (1..=schemas.others.len()).map(|number| format!("xmlns:n{number}")).collect();
    head.extend(prefixes.iter().zip(&schemas.others).map(|(prefix, namespace)| (prefix.as_str(), namespace.clone())));
    out.open("wsdl:definitions", &head);
    out.open("wsdl:types", &[]);
    for namespace in std::iter::once(*namespace).chain(schemas.others.iter().map(String::as_str)) {
        schemas.write(&mut out, types, namespace);
    }
    out.close("wsdl:types");
    messages(&mut out, published);
    port_type(&mut out, published);
    for (version, prefix) in [("11", "soap"), ("12", "soap12")] {
        binding(&mut out, published, version, prefix);
    }
    out.open("wsdl:service", &[("name", format!("{name}Service"))]);
    for (version, prefix) in [("11", "soap"), ("12", "soap12")] {
        let binding = format!("tns:{name}Soap{version}");
        out.open("wsdl:port", &[("name", format!("{name}Soap{version}Port")), ("binding", binding)]);
        out.empty(&format!("{prefix}:address"), &[("location", published.address.to_owned())]);
        out.close("wsdl:port");
    }
    out.close("wsdl:service");
    out.close("wsdl:definitions");
    out.text
}

/// What goes into which schema.
struct Schemas<'p> {
    /// Global elements by namespace and name, with their types.
    elements: BTreeMap<(String, String), Kind>,
    /// Namespaces beside the main one.
    others: Vec<String>,
    main: &'p str,
    /// Types that have no name of their own.
    unnamed: BTreeSet<String>,
    /// Types that are used at all, in the order of the manifest.
    used: Vec<String>,
}

impl<'p> Schemas<'p> {
    fn of(published: &Published<'p>) -> Self {
        let types = published.types;
        let main = published.namespace;
        let mut elements = BTreeMap::new();
        let roots = published.operations.iter().flat_map(|operation| [Some(operation.input), operation.output]);
        for (element, key) in roots.chain([published.fault]).flatten() {
            let kind = Builtin::of_word(key).map_or_else(|| Kind::Named(key.to_owned()), Kind::Builtin);
            elements.insert((main.to_owned(), element.to_owned()), kind);
        }
        let mut reached = BTreeSet::new();
        let mut of_fields = BTreeSet::new();
        let mut todo: Vec<String> = elements.values().filter_map(named).collect();
        while let Some(key) = todo.pop() {
            let Some(one) = types.get(&key).filter(|_| reached.insert(key.clone())) else { continue };
            let next: Vec<String> = match &one.shape {
                Shape::Simple(simple) => named(&simple.base).into_iter().collect(),
                Shape::Array(items) => named(items).into_iter().collect(),
                Shape::Complex(complex) => {
                    for field in &complex.fields {
                        // An element of another namespace can only be named there.
                        if let Some(namespace) = &field.namespace
                            && Some(namespace) != one.namespace.as_ref()
                        {
                            elements.insert((namespace.clone(), field.name.clone()), field.kind.clone());
                        }
                    }
                    let kinds = complex.fields.iter().map(|field| &field.kind);
                    let kinds = kinds.chain(complex.attributes.iter().map(|attribute| &attribute.kind));
                    kinds.chain(&complex.text).filter_map(named).chain(complex.extends.clone()).collect()
                }
            };
            of_fields.extend(next.iter().cloned());
            todo.extend(next);
        }
        let own = |key: &str, element: &str| types.get(key).is_some_and(|one| one.name == element);
        let mut unnamed: BTreeSet<String> = reached.iter().filter(|key| key.contains('.')).cloned().collect();
        for ((_, element), kind) in &elements {
            unnamed.extend(named(kind).filter(|key| own(key, element) && !of_fields.contains(key)));
        }
        let used: Vec<String> = types.iter().map(|one| one.key.clone()).filter(|key| reached.contains(key)).collect();
        let mut others = Vec::new();
        let of_types = used.iter().filter_map(|key| types.get(key)?.namespace.clone());
        for namespace in of_types.chain(elements.keys().map(|(namespace, _)| namespace.clone())) {
            if namespace != main && !others.contains(&namespace) {
                others.push(namespace);
            }
        }
        Self { elements, others, main, unnamed, used }
    }

    fn prefix(&self, namespace: &str) -> String {
        match self.others.iter().position(|known| known == namespace) {
            Some(index) => format!("n{}", index + 1),
            None => "tns".to_owned(),
        }
    }

    fn write(&self, out: &mut Out, types: &Types, namespace: &str) {
        let form = [("targetNamespace", namespace.to_owned()), ("elementFormDefault", "qualified".to_owned())];
        out.open("xs:schema", &form);
        for other in std::iter::once(self.main).chain(self.others.iter().map(String::as_str)) {
            if other != namespace && !self.others.is_empty() {
                out.empty("xs:import", &[("namespace", other.to_owned())]);
            }
        }
        for one in self.used.iter().filter_map(|key| types.get(key)) {
            let here = one.namespace.as_deref().unwrap_or(self.main) == namespace;
            if here && !self.unnamed.contains(&one.key) {
                self.shape(out, types, one, Some(&one.name), 0);
            }
        }
        for ((_, element), kind) in self.elements.iter().filter(|((known, _), _)| known == namespace) {
            self.holding(out, types, "xs:element", vec![("name", element.clone())], kind, 0);
        }
        out.close("xs:schema");
    }

    /// An element or attribute with the type that it holds, which stands inside if it has no name.
    fn holding(
        &self,
        out: &mut Out,
        types: &Types,
        tag: &str,
        mut attributes: Vec<(&str, String)>,
        kind: &Kind,
        depth: usize,
    ) {
        match kind {
            Kind::Named(key) if self.unnamed.contains(key) && depth < MAX_DEPTH => {
                out.open(tag, &attributes);
                if let Some(one) = types.get(key) {
                    self.shape(out, types, one, None, depth + 1);
                }
                out.close(tag);
            }
            kind => {
                attributes.insert(1.min(attributes.len()), ("type", self.type_name(types, kind)));
                out.empty(tag, &attributes);
            }
        }
    }

    fn type_name(&self, types: &Types, kind: &Kind) -> String {
        match kind {
            Kind::Builtin(builtin) => format!("xs:{}", builtin.schema_name()),
            Kind::Named(key) => match types.get(key) {
                Some(one) if !self.unnamed.contains(key) => {
                    format!("{}:{}", self.prefix(one.namespace.as_deref().unwrap_or(self.main)), one.name)
                }
                _ => "xs:anyType".to_owned(),
            },
        }
    }

    fn shape(&self, out: &mut Out, types: &Types, one: &Type, name: Option<&str>, depth: usize) {
        let name: Vec<(&str, String)> = name.map(|name| ("name", name.to_owned())).into_iter().collect();
        match &one.shape {
            Shape::Simple(simple) => self.simple(out, types, simple, &name),
            Shape::Complex(complex) => self.complex(out, types, one, (complex, &name), depth),
            Shape::Array(items) => {
                out.open("xs:complexType", &name);
                out.open("xs:sequence", &[]);
                let item = vec![("name", "item".to_owned()), ("minOccurs", "0".to_owned())];
                let item = item.into_iter().chain([("maxOccurs", "unbounded".to_owned())]).collect();
                self.holding(out, types, "xs:element", item, items, depth);
                out.close("xs:sequence");
                out.close("xs:complexType");
            }
        }
    }

    fn simple(&self, out: &mut Out, types: &Types, simple: &Simple, name: &[(&str, String)]) {
        let base = self.type_name(types, &simple.base);
        out.open("xs:simpleType", name);
        if simple.list {
            out.empty("xs:list", &[("itemType", base)]);
        } else {
            out.open("xs:restriction", &[("base", base)]);
            for value in &simple.one_of {
                out.empty("xs:enumeration", &[("value", value.clone())]);
            }
            if let Some(most) = simple.max_length {
                out.empty("xs:maxLength", &[("value", most.to_string())]);
            }
            out.close("xs:restriction");
        }
        out.close("xs:simpleType");
    }

    fn complex(
        &self,
        out: &mut Out,
        types: &Types,
        one: &Type,
        (complex, name): (&Complex, &[(&str, String)]),
        depth: usize,
    ) {
        out.open("xs:complexType", name);
        let base = complex.extends.as_ref().map(|base| self.type_name(types, &Kind::Named(base.clone())));
        let text = complex.text.as_ref().map(|kind| self.type_name(types, kind));
        let derives = match (&text, &base) {
            (Some(base), _) => Some(("xs:simpleContent", base.clone())),
            (None, Some(base)) => {
                let texts = complex.extends.as_ref().is_some_and(|base| types.text(base).is_some());
                Some((if texts { "xs:simpleContent" } else { "xs:complexContent" }, base.clone()))
            }
            (None, None) => None,
        };
        if let Some((content, base)) = &derives {
            out.open(content, &[]);
            out.open("xs:extension", &[("base", base.clone())]);
        }
        if text.is_none() && (!complex.fields.is_empty() || complex.any) {
            out.open("xs:sequence", &[]);
            let mut choice: Option<&str> = None;
            for field in &complex.fields {
                if field.choice.as_deref() != choice {
                    if choice.is_some() {
                        out.close("xs:choice");
                    }
                    choice = field.choice.as_deref();
                    if choice.is_some() {
                        out.open("xs:choice", &[]);
                    }
                }
                self.field(out, types, one, field, depth);
            }
            if choice.is_some() {
                out.close("xs:choice");
            }
            if complex.any {
                let lax = [("minOccurs", "0"), ("maxOccurs", "unbounded"), ("processContents", "lax")];
                out.empty("xs:any", &lax.map(|(name, value)| (name, value.to_owned())));
            }
            out.close("xs:sequence");
        }
        for attribute in &complex.attributes {
            self.attribute(out, types, attribute, depth);
        }
        if let Some((content, _)) = derives {
            out.close("xs:extension");
            out.close(content);
        }
        out.close("xs:complexType");
    }

    fn field(&self, out: &mut Out, types: &Types, one: &Type, field: &Field, depth: usize) {
        let mut occurs = Vec::new();
        if field.optional && field.choice.is_none() {
            occurs.push(("minOccurs", "0".to_owned()));
        }
        if field.list {
            occurs.push(("maxOccurs", "unbounded".to_owned()));
        }
        match &field.namespace {
            Some(namespace) if Some(namespace) != one.namespace.as_ref() => {
                let mut attributes = vec![("ref", format!("{}:{}", self.prefix(namespace), field.name))];
                attributes.extend(occurs);
                out.empty("xs:element", &attributes);
            }
            namespace => {
                let mut attributes = vec![("name", field.name.clone())];
                attributes.extend(occurs);
                if field.nil {
                    attributes.push(("nillable", "true".to_owned()));
                }
                if namespace.is_none() {
                    attributes.push(("form", "unqualified".to_owned()));
                }
                self.holding(out, types, "xs:element", attributes, &field.kind, depth);
            }
        }
    }

    fn attribute(&self, out: &mut Out, types: &Types, attribute: &Attribute, depth: usize) {
        let mut attributes = vec![("name", attribute.name.clone())];
        match &attribute.default {
            Some(default) => attributes.push(("default", default.clone())),
            None if !attribute.optional => attributes.push(("use", "required".to_owned())),
            None => {}
        }
        if attribute.namespace.is_some() {
            attributes.push(("form", "qualified".to_owned()));
        }
        self.holding(out, types, "xs:attribute", attributes, &attribute.kind, depth);
    }
}

fn named(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Named(key) => Some(key.clone()),
        Kind::Builtin(_) => None,
    }
}
