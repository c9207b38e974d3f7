//! What users and groups look like in SCIM: one table, from which `/Schemas` is told and by which bodies, filters and
//! changes are read. What is not in the table is not kept; no identity document, health or bank field ever is.

use crate::scim::error::ScimError;
use serde_json::{Map, Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Longest text, bytes: PostgreSQL finds nothing by a longer one.
const LONGEST: usize = 2000;

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Time,
    Reference,
    Complex(&'static [Attribute]),
}

/// Who may set an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// Whoever may write.
    Anyone,
    /// Only as part of a new value.
    Once,
    /// The hub.
    Hub,
}

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) many: bool,
    pub(crate) required: bool,
    pub(crate) exact: bool,
    pub(crate) set: Set,
    pub(crate) words: &'static [&'static str],
    doc: &'static str,
}

const fn text(name: &'static str, doc: &'static str) -> Attribute {
    Attribute { name, kind: Kind::Text, many: false, required: false, exact: false, set: Set::Anyone, words: &[], doc }
}

impl Attribute {
    const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    const fn many(self, of: &'static [Self]) -> Self {
        Self { kind: Kind::Complex(of), many: true, ..self }
    }

    const fn one(self, of: &'static [Self]) -> Self {
        Self { kind: Kind::Complex(of), ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    const fn set(self, set: Set) -> Self {
        Self { set, ..self }
    }

    const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    /// What a complex attribute is made of.
    pub(crate) const fn parts(&self) -> &'static [Self] {
        if let Kind::Complex(parts) = self.kind { parts } else { &[] }
    }

    fn told(&self) -> Value {
        let kind = match self.kind {
            Kind::Text => "string",
            Kind::Flag => "boolean",
            Kind::Time => "dateTime",
            Kind::Reference => "reference",
            Kind::Complex(_) => "complex",
        };
        let set = match self.set {
            Set::Anyone => "readWrite",
            Set::Once => "immutable",
            Set::Hub => "readOnly",
        };
        let mut told = json!({
            "name": self.name, "type": kind, "multiValued": self.many, "description": self.doc,
            "required": self.required, "caseExact": self.exact, "mutability": set, "returned": "default",
            "uniqueness": if self.name == "userName" { "server" } else { "none" },
        });
        if !self.words.is_empty() {
            told["canonicalValues"] = json!(self.words);
        }
        if self.kind == Kind::Reference {
            told["referenceTypes"] = json!(["User", "Group"]);
        }
        if let Kind::Complex(parts) = self.kind {
            told["subAttributes"] = parts.iter().map(Self::told).collect();
        }
        told
    }
}

const NAME: &[Attribute] = &[
    text("formatted", "The whole name."),
    text("familyName", "Family name."),
    text("givenName", "Given name."),
    text("middleName", "Middle names."),
    text("honorificPrefix", "Title before the name."),
    text("honorificSuffix", "Addition behind the name."),
];
const EMAIL: &[Attribute] = &[
    text("value", "The address."),
    text("type", "What it is for.").words(&["work", "home", "other"]),
    text("primary", "Whether it is the one to use.").kind(Kind::Flag),
];
const PHONE: &[Attribute] =
    &[text("value", "The number."), text("type", "What it is for.").words(&["work", "home", "mobile", "other"])];
const GROUP_OF: &[Attribute] = &[
    text("value", "The group's id.").exact().set(Set::Hub),
    text("$ref", "Where it lies.").kind(Kind::Reference).exact().set(Set::Hub),
    text("display", "Its name.").set(Set::Hub),
];
const MANAGER: &[Attribute] = &[
    text("value", "The manager's id.").exact().set(Set::Hub),
    text("$ref", "Where it lies.").kind(Kind::Reference).exact().set(Set::Hub),
    text("displayName", "The manager's name.").set(Set::Hub),
];
const MEMBER: &[Attribute] = &[
    text("value", "The user's id.").exact().set(Set::Once),
    text("$ref", "Where it lies.").kind(Kind::Reference).exact().set(Set::Once),
    text("type", "What it is.").words(&["User"]).set(Set::Once),
];
const META: &[Attribute] = &[
    text("resourceType", "What it is.").exact().set(Set::Hub),
    text("created", "When the hub first knew it.").kind(Kind::Time).set(Set::Hub),
    text("lastModified", "When it last changed.").kind(Kind::Time).set(Set::Hub),
    text("location", "Where it lies.").kind(Kind::Reference).exact().set(Set::Hub),
    text("version", "Its version.").exact().set(Set::Hub),
];
/// What all resources have.
const COMMON: &[Attribute] = &[
    text("id", "The hub's id.").exact().set(Set::Hub),
    text("externalId", "The caller's own name for it.").exact(),
    text("meta", "About the resource.").one(META).set(Set::Hub),
];
const USER_ATTRIBUTES: &[Attribute] = &[
    text("userName", "The name to sign in with.").required(),
    text("name", "The parts of the name.").one(NAME),
    text("displayName", "The name others see."),
    text("nickName", "What the person wants to be called."),
    text("title", "The title of today's job; it comes from HR.").set(Set::Hub),
    text("preferredLanguage", "The preferred language; it comes from HR.").set(Set::Hub),
    text("timezone", "The time zone; it comes from HR.").set(Set::Hub),
    text("active", "Whether the account is to be used.").kind(Kind::Flag).required(),
    text("emails", "E-mail addresses.").many(EMAIL),
    text("phoneNumbers", "Telephone numbers.").many(PHONE),
    text("groups", "The department of today, and groups that identity providers made.").many(GROUP_OF).set(Set::Hub),
];
const GROUP_ATTRIBUTES: &[Attribute] =
    &[text("displayName", "The name.").required(), text("members", "Who is in it.").many(MEMBER)];
const ENTERPRISE_ATTRIBUTES: &[Attribute] = &[
    text("employeeNumber", "The number in the enterprise.").exact(),
    text("department", "The name of today's department; it comes from HR.").set(Set::Hub),
    text("manager", "Today's manager; it comes from HR.").one(MANAGER).set(Set::Hub),
];

/// A type of resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResourceType {
    pub(crate) name: &'static str,
    /// The path below `/scim/v2`.
    pub(crate) endpoint: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) attributes: &'static [Attribute],
    pub(crate) extension: Option<(&'static str, &'static [Attribute])>,
    doc: &'static str,
}

pub(crate) static USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "Users",
    schema: USER,
    attributes: USER_ATTRIBUTES,
    extension: Some((ENTERPRISE, ENTERPRISE_ATTRIBUTES)),
    doc: "Employees and the accounts that they have.",
};
pub(crate) static GROUPS: ResourceType = ResourceType {
    name: "Group",
    endpoint: "Groups",
    schema: GROUP,
    attributes: GROUP_ATTRIBUTES,
    extension: None,
    doc: "Departments, and groups that identity providers make.",
};

/// A place in a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The extension that the attribute stands in.
    pub(crate) within: Option<&'static str>,
    pub(crate) attribute: &'static Attribute,
    pub(crate) part: Option<&'static Attribute>,
}

fn named(of: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    of.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// `text` behind `prefix`, whatever its case.
fn behind<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

impl ResourceType {
    /// An attribute by its name, in any case.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(self.attributes, name).or_else(|| named(COMMON, name))
    }

    /// The place that a path names: `userName`, `name.familyName`, or with the schema before it.
    pub(crate) fn place(&self, path: &str) -> Option<Place> {
        if let Some((uri, attributes)) = self.extension
            && let Some(rest) = behind(path, uri)
        {
            return place_in(rest.strip_prefix([':', '.'])?, Some(uri), |name| named(attributes, name));
        }
        let own = behind(path, self.schema).and_then(|rest| rest.strip_prefix(':'));
        place_in(own.unwrap_or(path), None, |name| self.attribute(name)).or_else(|| {
            // Some providers leave the schema out.
            let (uri, attributes) = self.extension?;
            place_in(path, Some(uri), |name| named(attributes, name))
        })
    }

    /// Whether this is the name of the extension itself.
    pub(crate) fn extension_called(&self, name: &str) -> Option<&'static str> {
        self.extension.map(|(uri, _)| uri).filter(|uri| uri.eq_ignore_ascii_case(name))
    }

    /// The type as `/ResourceTypes` tells it.
    pub(crate) fn told(&self, base: &str) -> Value {
        let mut told = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name, "name": self.name, "endpoint": format!("/{}", self.endpoint), "description": self.doc,
            "schema": self.schema,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", self.name) },
        });
        if let Some((uri, _)) = self.extension {
            told["schemaExtensions"] = json!([{ "schema": uri, "required": false }]);
        }
        told
    }

    /// A body as the table has it: names in their own case, values in their types, nothing that the hub does not keep
    /// and nothing that only the hub sets.
    pub(crate) fn read(&self, body: &Value) -> Result<Map<String, Value>, ScimError> {
        let Value::Object(given) = body else {
            return Err(ScimError::bad("invalidSyntax", "the body is no JSON object"));
        };
        let mut read = Map::new();
        for (name, value) in given {
            if let Some(uri) = self.extension_called(name) {
                let Value::Object(fields) = value else { continue };
                let mut inner = Map::new();
                for (name, value) in fields {
                    let found = self.extension.and_then(|(_, attributes)| named(attributes, name));
                    put(&mut inner, found, value)?;
                }
                if !inner.is_empty() {
                    read.insert(uri.to_owned(), Value::Object(inner));
                }
            } else {
                put(&mut read, self.attribute(name), value)?;
            }
        }
        match self.attributes.iter().find(|one| is_missing(one, &read)) {
            Some(missing) => Err(ScimError::bad("invalidValue", format!("`{}` is missing", missing.name))),
            None => Ok(read),
        }
    }
}

/// A flag that nobody says stays as it is, and is set for what is new.
fn is_missing(attribute: &Attribute, read: &Map<String, Value>) -> bool {
    attribute.required && attribute.kind != Kind::Flag && !read.contains_key(attribute.name)
}

fn put(into: &mut Map<String, Value>, found: Option<&Attribute>, value: &Value) -> Result<(), ScimError> {
    let Some(attribute) = found.filter(|attribute| attribute.set != Set::Hub) else { return Ok(()) };
    if let Some(value) = typed(attribute, value)? {
        into.insert(attribute.name.to_owned(), value);
    }
    Ok(())
}

fn place_in(
    path: &str,
    within: Option<&'static str>,
    find: impl Fn(&str) -> Option<&'static Attribute>,
) -> Option<Place> {
    let (name, part) = path.split_once('.').map_or((path, None), |(name, part)| (name, Some(part)));
    let attribute = find(name)?;
    let part = match part {
        Some(part) => Some(named(attribute.parts(), part)?),
        None => None,
    };
    Some(Place { within, attribute, part })
}

/// A value in its attribute's type; `None` when there is nothing in it. Providers send flags as text, one value where
/// several are meant, and a bare text for an address.
pub(crate) fn typed(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    if !attribute.many {
        // One value in a list is one value.
        let single = value.as_array().filter(|items| items.len() == 1).and_then(|items| items.first());
        return typed_one(attribute, single.unwrap_or(value));
    }
    let one = [value.clone()];
    let items = value.as_array().map_or(&one[..], Vec::as_slice);
    let mut read = Vec::with_capacity(items.len());
    for item in items {
        read.extend(typed_one(attribute, item)?);
    }
    Ok((!read.is_empty()).then_some(Value::Array(read)))
}

fn typed_one(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    let wrong = |wanted: &str| ScimError::bad("invalidValue", format!("`{}` is {wanted}", attribute.name));
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Complex(parts), Value::Object(given)) => {
            let mut read = Map::new();
            for (name, value) in given {
                put(&mut read, named(parts, name), value)?;
            }
            Ok((!read.is_empty()).then_some(Value::Object(read)))
        }
        (Kind::Complex(parts), Value::String(_)) if named(parts, "value").is_some() => {
            typed_one(attribute, &json!({ "value": value }))
        }
        (Kind::Complex(_), _) => Err(wrong("an object")),
        (Kind::Flag, Value::Bool(_)) => Ok(Some(value.clone())),
        (Kind::Flag, Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true.into())),
        (Kind::Flag, Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false.into())),
        (Kind::Flag, _) => Err(wrong("true or false")),
        (_, Value::String(text)) if text.is_empty() => Ok(None),
        (_, Value::String(text)) if text.len() > LONGEST => Err(wrong("at most 2000 bytes long")),
        (_, Value::String(_)) => Ok(Some(value.clone())),
        (_, Value::Number(number)) => Ok(Some(number.to_string().into())),
        _ => Err(wrong("text")),
    }
}

/// `/Schemas`.
pub(crate) fn schemas(base: &str) -> Vec<Value> {
    let one = |uri: &str, name: &str, doc: &str, attributes: &[Attribute]| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": uri, "name": name, "description": doc,
            "attributes": attributes.iter().map(Attribute::told).collect::<Vec<_>>(),
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{uri}") },
        })
    };
    vec![
        one(USER, "User", USERS.doc, USER_ATTRIBUTES),
        one(GROUP, "Group", GROUPS.doc, GROUP_ATTRIBUTES),
        one(ENTERPRISE, "EnterpriseUser", "What an enterprise knows of a user.", ENTERPRISE_ATTRIBUTES),
    ]
}
