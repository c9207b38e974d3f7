//! What a request to write says: the fields of the record, which system is to get it, that system's own fields, and what
//! it wants to know beside. One reading for single requests and items of batches.

use super::build::entity_named;
use super::{Kept, Outgoing, Send, Which};
use crate::audit::Entry;
use crate::hub::Hub;
use hub_kit::Connection;
use hub_model::accept::{Refusal, accept};
use hub_model::{Class, EntityType, Type, envelope};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Value, json};
use std::sync::Arc;

/// Fields that nobody sets: they are computed.
const COMPUTED: [(&str, &[&str]); 7] = [
    ("appraisal", &["scheme", "calculation"]),
    ("decision", &["requests", "request_status"]),
    ("department", &["path"]),
    ("employee", &["current"]),
    ("payroll_input", &["values", "origins", "sha256", "attempt"]),
    ("payroll_run", &["progress", "problems", "steps", "files"]),
    ("payslip", &["rule_set", "input"]),
];
/// Entities whose records only the hub itself makes.
const HUBS_OWN: [&str; 2] = ["audit_event", "identity_link"];
/// Members of a request beside the fields of its record.
const BESIDE: [&str; 4] = ["connection", "custom", "ext", "with"];

/// What is to be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It is new.
    Create,
    /// It changes.
    Update,
    /// It is to go.
    Delete,
}

impl Verb {
    /// The operation of a connector that does it, by convention.
    #[must_use]
    pub fn operation(self, entity: &str) -> String {
        let verb = match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        };
        format!("{verb}_{entity}")
    }
}

/// What a request says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The system that gets it.
    pub connection: Option<String>,
    /// The fields of the record, as JSON: a patch.
    pub fields: String,
    /// Systems' own fields, as JSON: an object by system.
    pub ext: Option<String>,
    /// What the system wants to know beside the record, as a JSON object.
    pub beside: String,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misread {
    /// All that is wrong with it.
    Refused(Vec<Refusal>),
    /// It sets fields of this class, which the caller may not.
    Above(Class, Vec<String>),
}

/// Whether callers can write records of this entity.
#[must_use]
pub fn is_written(entity: &EntityType) -> bool {
    !HUBS_OWN.contains(&entity.name)
}

/// The fields of an entity that nobody sets.
pub fn computed(entity: &EntityType) -> impl Iterator<Item = &'static str> + use<'_> {
    COMPUTED.iter().filter(|(of, _)| *of == entity.name).flat_map(|(_, fields)| fields.iter().copied())
}

fn refusal(pointer: &str, reason: impl Into<String>) -> Refusal {
    Refusal { pointer: pointer.to_owned(), reason: reason.into() }
}

/// Reads a request; `allowed` is the most sensitive class of field that the caller may set.
///
/// # Errors
/// All that is wrong with it.
pub fn read(
    hub: &Hub,
    tenant: &str,
    entity: &EntityType,
    arena: &Arena,
    given: Value<'_>,
    allowed: Class,
) -> Result<Said, Misread> {
    let mut refusals = Vec::new();
    let given = given.copy_into(arena);
    let has = |name: &str| entity.fields.iter().any(|field| field.name == name);
    let reserved = |name: &str| BESIDE.contains(&name) && !has(name);
    let is_hubs = |name: &str| computed(entity).any(|field| field == name) || (!has(name) && is_envelope(name));
    for (name, _) in given.entries().iter().filter(|(name, _)| !reserved(name) && is_hubs(name)) {
        refusals.push(refusal(&format!("/{name}"), format!("`{name}` is set by the hub: leave it out")));
    }
    let own = given.entries().iter().filter(|(name, _)| !reserved(name) && !is_hubs(name)).copied();
    let own = arena.map(&own.collect::<Vec<_>>());
    let mut fields = match accept(arena, entity, own, &[]) {
        Ok(fields) => fields.entries().to_vec(),
        Err(more) => {
            refusals.extend(more);
            Vec::new()
        }
    };
    let member = |name: &'static str| if reserved(name) { given.get(name) } else { Value::Absent };
    let connection = match member("connection") {
        Value::Text(id) => Some(id.to_owned()),
        value if value.is_absent() => None,
        _ => {
            refusals.push(refusal("/connection", "the id of a connection, as text"));
            None
        }
    };
    let custom = member("custom");
    if !custom.is_absent() {
        refusals.extend(custom_names(custom));
        fields.push(("custom", custom));
    }
    let ext = read_ext(hub, tenant, arena, member("ext"), &mut refusals);
    let beside = read_beside(arena, member("with"), &mut refusals);
    if !refusals.is_empty() {
        return Err(Misread::Refused(refusals));
    }
    let mut above = Above { allowed, found: Vec::new(), most: Class::S0 };
    for (name, value) in &fields {
        if let Some(field) = entity.fields.iter().find(|field| field.name == *name) {
            above.look(field.ty, field.class, *value, &format!("/{name}"));
        }
    }
    for (name, value) in beside.entries() {
        for field in entity_named(name).iter().flat_map(|entity| entity.fields) {
            above.look(field.ty, field.class, value.get(field.name), &format!("/with/{name}/{}", field.name));
        }
    }
    if (!custom.is_absent() || !ext.is_absent()) && allowed < Class::S2 {
        above.note(Class::S2, if custom.is_absent() { "/ext" } else { "/custom" });
    }
    if !above.found.is_empty() {
        return Err(Misread::Above(above.most, above.found));
    }
    Ok(Said {
        connection,
        fields: json::to_string(&arena.map(&fields)),
        ext: (!ext.is_absent()).then(|| json::to_string(&ext)),
        beside: json::to_string(&beside),
    })
}

fn is_envelope(name: &str) -> bool {
    envelope::FIELDS.iter().any(|field| field.name == name)
        || ["current", "deleted_at", "entity", "field_meta", "masked", "sources", "warnings"].contains(&name)
}

/// Fields that are set and lie above what the caller may set.
struct Above {
    allowed: Class,
    found: Vec<String>,
    most: Class,
}

impl Above {
    fn note(&mut self, class: Class, pointer: &str) {
        self.found.push(pointer.to_owned());
        self.most = self.most.max(class);
    }

    fn look(&mut self, ty: &Type, class: Class, value: Value<'_>, pointer: &str) {
        if value == Value::Absent {
            return;
        }
        if class > self.allowed {
            return self.note(class, pointer);
        }
        match (ty, value) {
            (Type::List(item), Value::List(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.look(item, Class::S0, *value, &format!("{pointer}/{index}"));
                }
            }
            (Type::Struct(of), value) => {
                for field in of.fields {
                    self.look(field.ty, field.class, value.get(field.name), &format!("{pointer}/{}", field.name));
                }
            }
            _ => {}
        }
    }
}

fn custom_names(custom: Value<'_>) -> Vec<Refusal> {
    let Value::Map(map) = custom else { return vec![refusal("/custom", "this is an object")] };
    let good = |name: &str| {
        let mut signs = name.bytes();
        signs.next().is_some_and(|first| first.is_ascii_lowercase())
            && name.len() <= 63
            && signs.all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_')
    };
    let bad = map.entries().iter().filter(|(name, _)| !good(name));
    let reason = "names of custom fields are lower-case letters, digits and `_`, at most 63";
    bad.map(|(name, _)| refusal(&format!("/custom/{}", name.replace('~', "~0").replace('/', "~1")), reason)).collect()
}

/// Systems' own fields, by connection or system, as they are kept: by system.
fn read_ext<'a>(hub: &Hub, tenant: &str, arena: &'a Arena, ext: Value<'a>, refusals: &mut Vec<Refusal>) -> Value<'a> {
    if ext.is_absent() {
        return Value::Absent;
    }
    let Value::Map(map) = ext else {
        refusals.push(refusal("/ext", "this is an object: the fields of each system, by connection or system"));
        return Value::Absent;
    };
    let registry = hub.registry();
    let own: Vec<&Arc<Connection>> = registry.connections.values().filter(|known| known.tenant == tenant).collect();
    let mut systems = Vec::new();
    for (name, fields) in map.entries() {
        let known = own.iter().find(|known| known.id == *name || known.manifest.vendor == *name);
        match (known, fields) {
            (None, _) => {
                let names = own.iter().flat_map(|known| [known.id.as_str(), known.manifest.vendor.as_str()]);
                let near = suggest(name, names).map(|near| format!("; {near}")).unwrap_or_default();
                refusals
                    .push(refusal(&format!("/ext/{name}"), format!("there is no connection or system `{name}`{near}")));
            }
            (_, fields) if !matches!(fields, Value::Map(_)) => {
                refusals.push(refusal(&format!("/ext/{name}"), "this is an object"));
            }
            (Some(known), fields) => systems.push((arena.text(&known.manifest.vendor), *fields)),
        }
    }
    arena.map(&systems)
}

/// Records that a system wants to know beside: by their names in out mappings.
fn read_beside<'a>(arena: &'a Arena, with: Value<'a>, refusals: &mut Vec<Refusal>) -> Value<'a> {
    if with.is_absent() {
        return arena.map(&[]);
    }
    let Value::Map(map) = with else {
        refusals.push(refusal("/with", "this is an object: records beside, by entity"));
        return arena.map(&[]);
    };
    let mut records = Vec::new();
    for (name, record) in map.entries() {
        let Some(entity) = entity_named(name) else {
            let near = suggest(name, hub_model::ENTITIES.iter().map(|entity| entity.name));
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            refusals.push(refusal(&format!("/with/{name}"), format!("there is no entity `{name}`{near}")));
            continue;
        };
        match accept(arena, entity, *record, &[]) {
            Ok(read) => records.push((*name, read)),
            Err(more) => refusals.extend(
                more.into_iter()
                    .map(|one| Refusal { pointer: format!("/with/{name}{}", one.pointer), reason: one.reason }),
            ),
        }
    }
    arena.map(&records)
}

/// Whose request it is.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Tenant.
    pub tenant: String,
    /// What people call them.
    pub by: String,
    /// What requests belong to.
    pub handle: String,
    /// Their own name for the request.
    pub key: Option<String>,
    /// The version that they have read.
    pub version: Option<i64>,
    /// The batch that it is an item of, and which.
    pub batch: Option<(String, i64)>,
    /// What the audit log is told of it.
    pub audit: Option<Entry>,
}

/// Puts a request together: to the connection that it names, or to nobody.
///
/// # Errors
/// The connection cannot do it.
pub fn outgoing(
    hub: &Hub,
    asker: Asker,
    entity: &'static EntityType,
    (verb, record): (Verb, Which),
    said: Said,
) -> Result<Outgoing, Refusal> {
    let send = said.connection.map(|id| {
        let operation = verb.operation(entity.name);
        able(hub, &asker.tenant, &id, &operation)?;
        Ok(Send { connection: id, operation, beside: said.beside.clone(), changes: verb == Verb::Update })
    });
    let sends: Vec<Send> = send.transpose()?.into_iter().collect();
    if sends.is_empty() && said.beside != "{}" && !said.beside.is_empty() {
        return Err(refusal("/with", "records beside are for a `connection`; the hub's own are written one by one"));
    }
    let Asker { tenant, by, handle, key, version, batch, audit } = asker;
    Ok(Outgoing {
        tenant,
        by,
        handle,
        entity,
        name: entity.name,
        record,
        fields: if said.fields.is_empty() { "{}".to_owned() } else { said.fields },
        ext: said.ext,
        deleted: verb == Verb::Delete,
        kept: if sends.is_empty() { Kept::Now } else { Kept::OnYes },
        sends,
        key,
        version,
        batch,
        audit,
    })
}

/// A connection of a tenant that can do something.
///
/// # Errors
/// There is none: what there is.
pub fn able(hub: &Hub, tenant: &str, id: &str, operation: &str) -> Result<Arc<Connection>, Refusal> {
    let registry = hub.registry();
    let own = || registry.connections.values().filter(|known| known.tenant == tenant);
    let Some(found) = own().find(|known| known.id == id) else {
        let near = suggest(id, own().map(|known| known.id.as_str())).map(|near| format!("; {near}"));
        let near = near.unwrap_or_default();
        return Err(refusal("/connection", format!("there is no connection `{id}` that can do `{operation}`{near}")));
    };
    if found.manifest.operation(operation).is_some() {
        return Ok(Arc::clone(found));
    }
    let can = found.manifest.operations.iter().map(|known| known.name.as_str());
    let can: Vec<&str> =
        can.filter(|name| ["create_", "update_", "delete_"].iter().any(|verb| name.starts_with(verb))).collect();
    let can = if can.is_empty() { "it takes no records".to_owned() } else { format!("it can do {}", can.join(", ")) };
    Err(refusal("/connection", format!("the connection `{id}` cannot do `{operation}`: {can}")))
}
