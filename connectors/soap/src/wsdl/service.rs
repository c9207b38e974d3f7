//! The operations of a description, with what is sent and answered.

use super::build::Builder;
use super::dom::{Element, QName};
use super::load::{Document, Documents};
use super::model::{Endpoint, Message, Operation, Service, Style};
use super::schema::{Home, Schemas, Space};
use super::{Problem, SOAP11, SOAP12, WSDL};
use hub_kit::types::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A component of a WSDL and the document that it stands in.
#[derive(Clone, Copy)]
struct Found<'d> {
    element: &'d Element,
    document: &'d Document,
}

impl Found<'_> {
    fn home(&self) -> Rc<Home> {
        Rc::new(Home {
            file: self.document.location.clone(),
            namespace: Rc::from(""),
            adopted: false,
            elements_qualified: false,
            attributes_qualified: false,
        })
    }
}

struct Reader<'d> {
    components: BTreeMap<(&'static str, QName), Found<'d>>,
    schemas: &'d Schemas<'d>,
    builder: Builder<'d>,
    notes: Vec<Problem>,
}

impl Documents {
    /// What the documents describe, when none is wanted any more.
    ///
    /// # Errors
    /// The first thing that is wrong, with its file and line.
    pub fn read(&self) -> Result<Service, Problem> {
        let schemas = Schemas::of(self)?;
        let mut components = BTreeMap::new();
        let mut bindings = Vec::new();
        let mut services = Vec::new();
        for document in self.all.iter().filter(|document| document.root.is(WSDL, "definitions")) {
            let namespace: Rc<str> = Rc::from(document.root.attribute("targetNamespace").unwrap_or_default());
            for element in document.root.children.iter().filter(|child| &*child.namespace == WSDL) {
                let found = Found { element, document };
                let kind = match element.name.as_str() {
                    "message" => "message",
                    "portType" => "portType",
                    "binding" => {
                        bindings.push(found);
                        "binding"
                    }
                    "service" => {
                        services.push(found);
                        continue;
                    }
                    _ => continue,
                };
                let name = element.attribute("name").unwrap_or_default().to_owned();
                components.entry((kind, QName { namespace: Rc::clone(&namespace), name })).or_insert(found);
            }
        }
        let builder = Builder::new(&schemas);
        let mut reader = Reader { components, schemas: &schemas, builder, notes: Vec::new() };
        let (names, endpoints, used) = reader.services(&services)?;
        let used = if services.is_empty() { bindings } else { used };
        let mut operations: Vec<Operation> = Vec::new();
        for binding in used {
            reader.binding(binding, &mut operations)?;
        }
        if operations.is_empty() {
            let file = self.all.first().map(|document| document.location.clone()).unwrap_or_default();
            return Err(Problem { file, line: 1, message: "there is no operation with a SOAP binding".to_owned() });
        }
        let Reader { builder, notes, .. } = reader;
        let types = builder.finish()?;
        Ok(Service { name: names.join(" "), endpoints, operations, types, notes })
    }
}

/// The version of SOAP that a binding speaks; none for HTTP and others.
fn version(binding: &Element) -> Option<(&'static str, &'static str)> {
    let speaks = |namespace| binding.first(namespace, "binding").is_some();
    if speaks(SOAP11) {
        return Some(("1.1", SOAP11));
    }
    speaks(SOAP12).then_some(("1.2", SOAP12))
}

type Services<'d> = (Vec<String>, Vec<Endpoint>, Vec<Found<'d>>);

impl<'d> Reader<'d> {
    /// The services' names, their addresses, and the bindings behind them, each once.
    fn services(&mut self, services: &[Found<'d>]) -> Result<Services<'d>, Problem> {
        let (mut names, mut endpoints, mut bindings) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for service in services {
            names.extend(service.element.attribute("name").map(ToOwned::to_owned));
            for port in service.element.all(WSDL, "port") {
                let home = service.home();
                let name = home.resolve(port, port.attribute("binding").unwrap_or_default())?;
                let binding = self.get("binding", &name, port, &home)?;
                let Some((version, namespace)) = version(binding.element) else { continue };
                let address = port.first(namespace, "address").and_then(|address| address.attribute("location"));
                endpoints.push(Endpoint {
                    port: port.attribute("name").unwrap_or_default().to_owned(),
                    version,
                    address: address.unwrap_or_default().to_owned(),
                });
                if seen.insert(name) {
                    bindings.push(binding);
                }
            }
        }
        Ok((names, endpoints, bindings))
    }

    fn get(&self, kind: &'static str, name: &QName, at: &Element, home: &Home) -> Result<Found<'d>, Problem> {
        let found = self.components.get(&(kind, name.clone())).copied();
        found.ok_or_else(|| home.problem(at, format!("there is no {kind} `{}` in `{}`", name.name, name.namespace)))
    }

    fn note(&mut self, home: &Home, at: &Element, message: impl Into<String>) {
        let note = home.problem(at, message);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn binding(&mut self, binding: Found<'d>, operations: &mut Vec<Operation>) -> Result<(), Problem> {
        let home = binding.home();
        let Some((version, soap)) = version(binding.element) else { return Ok(()) };
        let own = binding.element.first(soap, "binding");
        let default_style = own.and_then(|own| own.attribute("style")).unwrap_or("document");
        let port_type = home.resolve(binding.element, binding.element.attribute("type").unwrap_or_default())?;
        let port_type = self.get("portType", &port_type, binding.element, &home)?;
        if demands_security(binding.element) {
            self.note(&home, binding.element, "a policy stands here: ask what it demands, the hub does not read it");
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for bound in binding.element.all(WSDL, "operation") {
            let name = bound.attribute("name").unwrap_or_default();
            let times = seen.entry(name).or_default();
            *times += 1;
            // One of the same name and shape may be bound to the other version, too.
            let known = if *times == 1 { operations.iter_mut().find(|known| known.name == name) } else { None };
            if let Some(known) = known
                && !known.versions.contains(&version)
            {
                known.versions.push(version);
                continue;
            }
            let abstracts = port_type.element.all(WSDL, "operation").filter(|o| o.attribute("name") == Some(name));
            let abstracts: Vec<&'d Element> = abstracts.collect();
            let Some(described) = abstracts.get(*times - 1).or(abstracts.first()).copied() else {
                return Err(home.problem(bound, format!("the port type has no operation `{name}`")));
            };
            let made = Bound { bound, described, soap, version, default_style, home: &home, port_type };
            if let Some(mut operation) = self.operation(&made)? {
                if operations.iter().any(|known| known.name == operation.name) {
                    let number = operations.iter().filter(|known| known.name.starts_with(name)).count() + 1;
                    self.note(&home, bound, format!("`{name}` stands more than once; this one is `{name}_{number}`"));
                    operation.name = format!("{name}_{number}");
                }
                operations.push(operation);
            }
        }
        Ok(())
    }

    fn operation(&mut self, at: &Bound<'_, 'd>) -> Result<Option<Operation>, Problem> {
        let Bound { bound, described, soap, home, .. } = *at;
        let own = bound.first(soap, "operation");
        let style = own.and_then(|own| own.attribute("style")).unwrap_or(at.default_style);
        let action = own.and_then(|own| own.attribute("soapAction")).unwrap_or_default().trim().to_owned();
        let Some(input) = self.message(at, "input", style)? else {
            self.note(home, bound, "an operation that the server begins is left out");
            return Ok(None);
        };
        let (input, use_) = input;
        let output = self.message(at, "output", style)?.map(|(message, _)| message);
        let style = match (style, use_.as_str()) {
            ("rpc", "encoded") => Style::Encoded,
            ("rpc", _) => Style::Rpc,
            _ => Style::Document,
        };
        let mut headers = Vec::new();
        let blocks = bound.first(WSDL, "input").into_iter().flat_map(|input| input.all(soap, "header"));
        for header in blocks {
            headers.extend(self.header(header, home)?);
        }
        let mut faults = Vec::new();
        for fault in described.all(WSDL, "fault") {
            let home = at.port_type.home();
            let name = home.resolve(fault, fault.attribute("message").unwrap_or_default())?;
            let message = self.get("message", &name, fault, &home)?;
            for part in message.element.all(WSDL, "part") {
                if let Some(text) = part.attribute("element") {
                    faults.push(self.element(part, text, &message.home())?);
                }
            }
        }
        if input.is_none() {
            return Ok(None);
        }
        Ok(input.map(|input| Operation {
            name: bound.attribute("name").unwrap_or_default().to_owned(),
            action,
            style,
            versions: vec![at.version],
            input,
            output: output.flatten(),
            headers,
            faults,
            place: (home.file.clone(), bound.line),
        }))
    }

    /// The element of a message and the `use` of its body; none when the operation has no such message.
    fn message(
        &mut self,
        at: &Bound<'_, 'd>,
        side: &str,
        style: &str,
    ) -> Result<Option<(Option<Message>, String)>, Problem> {
        let Bound { bound, described, soap, .. } = *at;
        let port_home = at.port_type.home();
        let Some(side_of) = described.first(WSDL, side) else { return Ok(None) };
        let name = port_home.resolve(side_of, side_of.attribute("message").unwrap_or_default())?;
        let message = self.get("message", &name, side_of, &port_home)?;
        let home = message.home();
        let bound_side = bound.first(WSDL, side);
        let body = bound_side.and_then(|bound| body(bound, soap));
        let use_ = body.and_then(|body| body.attribute("use")).unwrap_or("literal").to_owned();
        let listed = body.and_then(|body| body.attribute("parts"));
        let headers: Vec<&str> = bound_side
            .into_iter()
            .flat_map(|bound| bound.all(soap, "header"))
            .filter_map(|header| header.attribute("part"))
            .collect();
        let in_body = |part: &&Element| {
            let name = part.attribute("name").unwrap_or_default();
            listed.map_or(!headers.contains(&name), |listed| listed.split_whitespace().any(|known| known == name))
        };
        let parts: Vec<&'d Element> = message.element.all(WSDL, "part").filter(in_body).collect();
        let operation = bound.attribute("name").unwrap_or_default();
        if style == "rpc" {
            let namespace: Rc<str> = match body.and_then(|body| body.attribute("namespace")) {
                Some(namespace) => Rc::from(namespace),
                None => Rc::clone(&name.namespace),
            };
            let mut fields = Vec::new();
            for part in parts {
                let kind = match (part.attribute("type"), part.attribute("element")) {
                    (Some(text), _) => self.builder.named(&home.resolve(part, text)?, &home, part)?,
                    (None, Some(text)) => self.builder.element(&home.resolve(part, text)?, (&home, part))?,
                    (None, None) => return Err(home.problem(part, "a part has neither an element nor a type")),
                };
                fields.push((part.attribute("name").unwrap_or_default().to_owned(), kind));
            }
            let suffix = if side == "output" { "Response" } else { "" };
            let element = QName { namespace, name: format!("{operation}{suffix}") };
            self.builder.namespace(&element.namespace);
            let type_key = self.builder.wrapper(&element.name, &element.namespace, fields);
            return Ok(Some((Some(Message { element, type_key }), use_)));
        }
        let message = match parts.as_slice() {
            [] => None,
            [part] => match part.attribute("element") {
                Some(text) => Some(self.element(part, text, &home)?),
                None => {
                    let note = format!("the part of `{operation}` names a type where an element is wanted; left out");
                    self.note(&home, part, note);
                    None
                }
            },
            [_, part, ..] => {
                self.note(&home, part, format!("the body of `{operation}` has several parts; left out"));
                None
            }
        };
        if parts.is_empty() && side == "input" {
            self.note(&home, side_of, format!("`{operation}` has an empty body; left out"));
        }
        Ok(Some((message, use_)))
    }

    fn element(&mut self, part: &'d Element, text: &str, home: &Rc<Home>) -> Result<Message, Problem> {
        let element = home.resolve(part, text)?;
        let type_key = match self.builder.element(&element, (home, part))? {
            Kind::Named(key) => key,
            Kind::Builtin(builtin) => self.builder.text(&element, builtin),
        };
        Ok(Message { element, type_key })
    }

    fn header(&mut self, header: &'d Element, home: &Rc<Home>) -> Result<Option<Message>, Problem> {
        let name = home.resolve(header, header.attribute("message").unwrap_or_default())?;
        let message = self.get("message", &name, header, home)?;
        let wanted = header.attribute("part").unwrap_or_default();
        let part = message.element.all(WSDL, "part").find(|part| part.attribute("name") == Some(wanted));
        let Some(part) = part else {
            return Err(home.problem(header, format!("the message has no part `{wanted}`")));
        };
        let Some(text) = part.attribute("element") else { return Ok(None) };
        let home = message.home();
        let name = home.resolve(part, text)?;
        if self.schemas.find(Space::Element, &name).is_none() {
            self.note(&home, part, format!("the header block `{}` is described nowhere", name.name));
            return Ok(None);
        }
        self.element(part, text, &home).map(Some)
    }
}

/// An operation of a binding, with the abstract one behind it.
struct Bound<'b, 'd> {
    bound: &'d Element,
    described: &'d Element,
    soap: &'static str,
    version: &'static str,
    default_style: &'b str,
    home: &'b Rc<Home>,
    port_type: Found<'d>,
}

/// The body of a side; it may stand in a part of a multipart message.
fn body<'e>(side: &'e Element, soap: &'static str) -> Option<&'e Element> {
    side.first(soap, "body").or_else(|| side.children.iter().find_map(|child| body_within(child, soap, 0)))
}

fn body_within<'e>(element: &'e Element, soap: &'static str, depth: usize) -> Option<&'e Element> {
    if depth > 3 {
        return None;
    }
    let found = element.first(soap, "body");
    found.or_else(|| element.children.iter().find_map(|child| body_within(child, soap, depth + 1)))
}

/// Whether a policy stands at a binding.
fn demands_security(binding: &Element) -> bool {
    binding.children.iter().any(|child| child.namespace.ends_with("/policy") || child.namespace.ends_with("/ws-policy"))
}
