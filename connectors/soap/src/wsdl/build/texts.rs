//! Types that are texts: lists, restrictions, unions; and types made for what has none.

use super::Builder;
use crate::wsdl::dom::{Element, QName};
use crate::wsdl::schema::Home;
use crate::wsdl::{Problem, XSD};
use hub_kit::types::{Builtin, Complex, Field, Kind, Shape, Simple};
use std::rc::Rc;

impl<'d> Builder<'d> {
    pub(super) fn simple(&mut self, described: &'d Element, home: &Rc<Home>, key: &str) -> Result<Simple, Problem> {
        let mut simple =
            Simple { base: Kind::Builtin(Builtin::String), one_of: Vec::new(), max_length: None, list: false };
        if let Some(list) = described.first(XSD, "list") {
            simple.list = true;
            simple.base = match list.attribute("itemType") {
                Some(text) => self.named(&home.resolve(list, text)?, home, list)?,
                None => self.item(list, home, key)?,
            };
        } else if let Some(restriction) = described.first(XSD, "restriction") {
            simple.base = match restriction.attribute("base") {
                Some(text) => self.named(&home.resolve(restriction, text)?, home, restriction)?,
                None => self.item(restriction, home, key)?,
            };
            let values = restriction.all(XSD, "enumeration").filter_map(|facet| facet.attribute("value"));
            simple.one_of = values.map(ToOwned::to_owned).collect();
            let length = restriction.first(XSD, "maxLength").or_else(|| restriction.first(XSD, "length"));
            simple.max_length = length.and_then(|facet| facet.attribute("value")?.trim().parse().ok());
        }
        // A union takes what any of its members takes: any text, as far as this goes.
        Ok(simple)
    }

    /// The type that a list or restriction describes in its place.
    fn item(&mut self, around: &'d Element, home: &Rc<Home>, key: &str) -> Result<Kind, Problem> {
        let Some(described) = around.first(XSD, "simpleType") else { return Ok(Kind::Builtin(Builtin::String)) };
        let inner = self.key(&format!("{key}.item"));
        self.later(described, home, &inner, &inner);
        Ok(Kind::Named(inner))
    }

    /// Adds the wrapper of an rpc message: one field for each part.
    pub(in crate::wsdl) fn wrapper(&mut self, name: &str, namespace: &Rc<str>, parts: Vec<(String, Kind)>) -> String {
        let key = self.key(name);
        let fields = parts.into_iter().map(|(name, kind)| Field {
            name,
            namespace: None,
            kind,
            optional: false,
            list: false,
            nil: true,
            choice: None,
        });
        let complex = Complex { fields: fields.collect(), ..Complex::default() };
        self.add(&key, name, namespace, Shape::Complex(complex));
        key
    }

    /// A type for an element that holds one text, so that it can be named.
    pub(in crate::wsdl) fn text(&mut self, name: &QName, builtin: Builtin) -> String {
        let key = self.key(&name.name);
        let simple = Simple { base: Kind::Builtin(builtin), one_of: Vec::new(), max_length: None, list: false };
        self.add(&key, &name.name, &name.namespace, Shape::Simple(simple));
        key
    }
}
