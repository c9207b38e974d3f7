//! Attributes of a type, with those of groups.

use super::{Builder, MAX_DEPTH, XML};
use crate::wsdl::dom::Element;
use crate::wsdl::schema::{Home, Space};
use crate::wsdl::{Problem, SOAPENC, WSDL, XSD};
use hub_kit::types::{Attribute, Builtin, Complex, Kind};
use std::rc::Rc;

impl<'d> Builder<'d> {
    pub(super) fn attributes(
        &mut self,
        around: &'d Element,
        home: &Rc<Home>,
        key: &str,
        complex: &mut Complex,
    ) -> Result<(), Problem> {
        self.attributes_within(around, home, key, complex, 0)
    }

    fn attributes_within(
        &mut self,
        around: &'d Element,
        home: &Rc<Home>,
        key: &str,
        complex: &mut Complex,
        depth: usize,
    ) -> Result<(), Problem> {
        if depth > MAX_DEPTH {
            return Err(home.problem(around, "attribute groups inside of each other without end"));
        }
        for group in around.all(XSD, "attributeGroup") {
            let Some(reference) = group.attribute("ref") else { continue };
            let name = home.resolve(group, reference)?;
            let found = self.schemas.get(Space::AttributeGroup, &name, (home, group))?;
            self.attributes_within(found.element, &found.home, key, complex, depth + 1)?;
        }
        for attribute in around.all(XSD, "attribute") {
            let made = self.attribute(attribute, home, key)?;
            if let Some(made) = made {
                complex.attributes.retain(|known| known.name != made.name);
                if attribute.attribute("use") != Some("prohibited") {
                    complex.attributes.push(made);
                }
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &'d Element, home: &Rc<Home>, key: &str) -> Result<Option<Attribute>, Problem> {
        let optional = attribute.attribute("use") != Some("required");
        let default = attribute.attribute("default").or_else(|| attribute.attribute("fixed")).map(ToOwned::to_owned);
        let optional = optional || default.is_some();
        if let Some(reference) = attribute.attribute("ref") {
            let name = home.resolve(attribute, reference)?;
            let namespace = Some(name.namespace.to_string()).filter(|namespace| !namespace.is_empty());
            let kind = match self.schemas.find(Space::Attribute, &name) {
                Some(found) => self.kind(found.element, &found.home, &format!("{key}.{}", name.name))?,
                None if matches!(&*name.namespace, XML | SOAPENC | WSDL) => Kind::Builtin(Builtin::String),
                // Marks of a namespace whose schema was not brought.
                None => return Ok(None),
            };
            return Ok(Some(Attribute { name: name.name, namespace, kind, optional, default }));
        }
        let Some(name) = attribute.attribute("name") else { return Ok(None) };
        let qualified = match attribute.attribute("form") {
            Some(form) => form == "qualified",
            None => home.attributes_qualified,
        };
        let namespace = (qualified && !home.namespace.is_empty()).then(|| home.namespace.to_string());
        let kind = match self.kind(attribute, home, &format!("{key}.{name}"))? {
            Kind::Builtin(Builtin::Any) => Kind::Builtin(Builtin::String),
            kind => kind,
        };
        Ok(Some(Attribute { name: name.to_owned(), namespace, kind, optional, default }))
    }
}
