//! What a system is sent: the record, and what its out mapping reads beside it, through that mapping. What of a request
//! the mapping does not read is told, and what it lacks is told with its place in the request.

use super::{NotAsked, Outgoing, Send, Warning, Which, refs};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::rules::document;
use hub_engine::{Direction, Input, Level, Mapping};
use hub_kit::Connection;
use hub_model::Type;
use hub_store::{RecordId, job};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something that a system cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Where in the request; empty when the mapping does not tell.
    pub pointer: String,
    /// What is wrong, without values.
    pub detail: String,
    /// The rule that asks for it, `file:line:column`.
    pub place: String,
}

/// The arguments of a call.
pub(super) struct Built {
    /// As JSON; `None` when nothing of what changes is the system's business.
    pub(super) args: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

/// How the members of a request beside the record are called by out mappings, where not by their entity.
pub(super) fn entity_named(name: &str) -> Option<&'static hub_model::EntityType> {
    hub_model::entity(if name == "assignment" { "job_assignment" } else { name })
}

/// Where a path that an out mapping reads lies in a request about a record called `name`.
pub(super) fn pointer_of(path: &str, name: &str, connection: &str) -> String {
    let path = path.strip_prefix("payload.").unwrap_or(path);
    let whole = path.split(['[', '{']).next().unwrap_or_default();
    let (root, rest) = whole.split_once('.').unwrap_or((whole, ""));
    let rest = if rest.is_empty() { String::new() } else { format!("/{}", rest.replace('.', "/")) };
    match root {
        root if root == name => rest,
        "ext" => format!("/ext/{connection}{rest}"),
        "" => String::new(),
        root => format!("/with/{root}{rest}"),
    }
}

/// The mapping that makes the arguments of an operation of a connection; `None` when they are sent as they are.
///
/// # Errors
/// There is no such operation, or its mapping is not there.
pub(super) fn target(hub: &Hub, connection: &Connection, operation: &str) -> Result<Option<Arc<Mapping>>, String> {
    let manifest = &connection.manifest;
    let known = manifest.operation(operation);
    let known = known.ok_or_else(|| format!("{} has no operation `{operation}`", manifest.vendor))?;
    let Some(object) = &known.mapping else { return Ok(None) };
    let mapping = hub.registry().mapping(connection, object, Direction::Out).cloned();
    mapping.map(Some).ok_or_else(|| format!("there is no mapping `{}/{object}.out`", manifest.vendor))
}

fn read<'a>(arena: &'a Arena, text: &str) -> Value<'a> {
    json::read(arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default()
}

/// The record as an out mapping reads it: what is stored, with what is asked for laid over it.
fn laid_over<'a>(
    arena: &'a Arena,
    entity: &hub_model::EntityType,
    id: &str,
    old: Value<'a>,
    patch: Value<'a>,
) -> Value<'a> {
    let mut entries = vec![("id", Value::Text(arena.text(id)))];
    let kept = old.entries().iter().filter(|(name, _)| *name != "id" && patch.get(name) == Value::Absent);
    entries.extend(kept.copied());
    for (name, said) in patch.entries() {
        let field = entity.fields.iter().find(|field| field.name == *name);
        let value = field.map_or(*said, |field| crate::document::merge_field(arena, field.ty, old.get(name), *said));
        if !value.is_absent() {
            entries.push((name, value));
        }
    }
    arena.map(&entries)
}

/// Records that the mapping reads beside the one that is written, and that it refers to: by their names there.
async fn beside(
    hub: &Hub,
    outgoing: &Outgoing,
    mapping: &Mapping,
    record: &str,
    given: &[String],
) -> Result<Vec<(&'static str, String)>, Failure> {
    let needs = mapping.needs();
    let roots: BTreeSet<&str> = needs.iter().flat_map(|need| need.reads).filter_map(|path| root_of(path)).collect();
    let mut wanted: Vec<(&'static str, &'static str, String)> = Vec::new();
    {
        let arena = Arena::new();
        let record = read(&arena, record);
        for field in outgoing.entity.fields {
            let Type::Ref(entity) = *field.ty else { continue };
            let Some(id) = record.get(field.name).get("id").as_text() else { continue };
            if field.name == entity && roots.contains(entity) && !given.iter().any(|name| name == entity) {
                wanted.push((entity, entity, id.to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    for (name, entity, id) in wanted {
        if let Some(document) = document(hub, &outgoing.tenant, entity, &id, None).await? {
            found.push((name, document));
        }
    }
    Ok(found)
}

fn root_of(path: &str) -> Option<&str> {
    path.strip_prefix("payload.").unwrap_or(path).split(['.', '[']).next().filter(|root| !root.is_empty())
}

/// What the connection calls the records that any of these texts refer to.
async fn remote_ids(
    hub: &Hub,
    tenant: &str,
    connection: &str,
    texts: &[&str],
) -> Result<BTreeMap<RecordId, String>, Failure> {
    let mut wanted = BTreeSet::new();
    {
        let arena = Arena::new();
        texts.iter().for_each(|text| refs::named(read(&arena, text), &mut wanted));
    }
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (tenant, connection) = (tenant.to_owned(), connection.to_owned());
    let found =
        hub.store.read(job!(|tx| { tx.ids_at(&tenant, &connection, wanted.into_iter().collect()).await })).await;
    Ok(found?)
}

/// Makes the arguments of one call.
pub(super) async fn build(
    hub: &Hub,
    outgoing: &Outgoing,
    send: &Send,
    (id, stored): (&str, Option<&str>),
) -> Result<Built, NotAsked> {
    let unfit = |detail: String| {
        NotAsked::Unfit(vec![Unfit { pointer: "/connection".to_owned(), detail, place: String::new() }])
    };
    let connection = hub
        .connection(&send.connection)
        .ok_or_else(|| unfit(format!("there is no connection `{}`", send.connection)))?;
    let mapping = target(hub, &connection, &send.operation).map_err(unfit)?;
    let document = {
        let arena = Arena::new();
        let (old, patch) = (read(&arena, stored.unwrap_or_default()), read(&arena, &outgoing.fields));
        json::to_string(&laid_over(&arena, outgoing.entity, id, old, patch))
    };
    let given: Vec<String> = {
        let arena = Arena::new();
        read(&arena, &send.beside).entries().iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let loaded = match &mapping {
        Some(mapping) if outgoing.kept == super::Kept::OnYes => {
            beside(hub, outgoing, mapping, &document, &given).await?
        }
        _ => Vec::new(),
    };
    let mut texts = vec![document.as_str(), send.beside.as_str()];
    texts.extend(loaded.iter().map(|(_, text)| text.as_str()));
    let known = remote_ids(hub, &outgoing.tenant, &send.connection, &texts).await?;
    let arena = Arena::new();
    let with_ids = |value| refs::with_remote(&arena, value, arena.text(&send.connection), &known);
    let mut shared: Vec<(&str, Value<'_>)> = Vec::new();
    for (name, text) in &loaded {
        shared.push((name, with_ids(read(&arena, text))));
    }
    let system = connection.manifest.vendor.as_str();
    let old = read(&arena, stored.unwrap_or_default());
    let said = outgoing.ext.as_deref().map(|text| read(&arena, text).get(system)).unwrap_or_default();
    let kept_ext = old.get("ext").get(system);
    let new_ext = laid_over(&arena, outgoing.entity, "", kept_ext, said);
    let new_ext: Vec<(&str, Value<'_>)> = new_ext.entries().iter().filter(|(name, _)| *name != "id").copied().collect();
    let mut after = vec![(outgoing.name, with_ids(read(&arena, &document)))];
    after.extend(shared.iter().copied());
    after.extend(read(&arena, &send.beside).entries().iter().map(|(name, value)| (*name, with_ids(*value))));
    if !new_ext.is_empty() {
        after.push(("ext", arena.map(&new_ext)));
    }
    let payload = arena.map(&after);
    let Some(mapping) = mapping else {
        return Ok(Built { args: Some(json::to_string(&payload)), warnings: Vec::new() });
    };
    let settings = Hub::public_settings(&connection, &arena);
    let input = |payload| Input { settings, ..Input::of(payload, arena.text(&send.connection)) };
    let reply = if send.changes {
        let mut before = vec![(outgoing.name, with_ids(old))];
        before.extend(shared);
        if !kept_ext.is_absent() {
            before.push(("ext", kept_ext));
        }
        mapping.run_out_changed(&arena, &input(arena.map(&before)), &input(payload))
    } else {
        mapping.run_out(&arena, &input(payload))
    };
    let wrong: Vec<Unfit> = reply
        .issues
        .iter()
        .filter(|issue| issue.level == Level::Error)
        .map(|issue| Unfit {
            pointer: read_for(&mapping, &issue.field, outgoing.name, &send.connection),
            detail: format!("{}: {}", issue.field, issue.message),
            place: format!("{}:{}:{}", issue.file, issue.line, issue.column),
        })
        .collect();
    if !wrong.is_empty() {
        return Err(NotAsked::Unfit(wrong));
    }
    let warnings = if outgoing.kept == super::Kept::OnYes {
        unread(&arena, &mapping, outgoing, send, system, reply.issues.iter().map(|issue| issue.field.as_str()))
    } else {
        Vec::new()
    };
    let nothing = reply.body.is_absent();
    Ok(Built { args: (!nothing).then(|| json::to_string(&reply.body)), warnings })
}

/// The place in the request that a field of the system's body is read from.
fn read_for(mapping: &Mapping, field: &str, name: &str, connection: &str) -> String {
    let needs = mapping.needs();
    // Of the paths that a rule reads, the first is the one that it prefers.
    let need = needs.iter().find(|need| need.pointer == field);
    let need = need.or_else(|| needs.iter().find(|need| field.starts_with(need.pointer)));
    need.and_then(|need| need.reads.first()).map(|path| pointer_of(path, name, connection)).unwrap_or_default()
}

/// The place in the request that a system's word about one of its fields is about: the last part of a field's pointer
/// stands in its code.
pub(super) fn blamed(mapping: &Mapping, code: &str, name: &str, connection: &str) -> String {
    let words: Vec<&str> = code.split(|sign: char| !sign.is_alphanumeric() && sign != '_').collect();
    let named = |pointer: &str| pointer.rsplit('/').next().is_some_and(|last| last.len() > 1 && words.contains(&last));
    let needs = mapping.needs();
    let need = needs.iter().find(|need| named(need.pointer));
    need.and_then(|need| need.reads.first()).map(|path| pointer_of(path, name, connection)).unwrap_or_default()
}

/// What was asked for and is not sent, because no rule of the mapping reads it; and what a rule could not make.
fn unread<'i>(
    arena: &Arena,
    mapping: &Mapping,
    outgoing: &Outgoing,
    send: &Send,
    system: &str,
    left_out: impl Iterator<Item = &'i str>,
) -> Vec<Warning> {
    let fields = read(arena, &outgoing.fields);
    let mut said = vec![(outgoing.name, fields)];
    said.extend(read(arena, &send.beside).entries().iter().copied());
    let ext = outgoing.ext.as_deref().map(|text| read(arena, text).get(system)).unwrap_or_default();
    if !ext.is_absent() {
        said.push(("ext", ext));
    }
    let unread = mapping.unread(arena.map(&said)).into_iter().map(|path| {
        let pointer = pointer_of(&path, outgoing.name, &send.connection);
        Warning {
            code: "not_sent".to_owned(),
            detail: "the system's mapping does not read this: it is kept in the hub only".to_owned(),
            pointer,
        }
    });
    let left_out = left_out.map(|field| Warning {
        code: "left_out".to_owned(),
        detail: format!("the system's field {field} could not be made of it"),
        pointer: read_for(mapping, field, outgoing.name, &send.connection),
    });
    unread.chain(left_out).filter(|warning| !outgoing.is_technical(&warning.pointer)).collect()
}

impl Outgoing {
    /// Whether a place is none that the caller has set.
    fn is_technical(&self, pointer: &str) -> bool {
        pointer.is_empty() || (matches!(self.record, Which::New) && pointer == "/id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mapping_reads_has_a_place_in_the_request() {
        let of = |path: &str| pointer_of(path, "employee", "erp");
        assert_eq!(of("employee.employee_number"), "/employee_number");
        assert_eq!(of("payload.employee.work_email"), "/work_email");
        assert_eq!(of("person.name.full"), "/with/person/name/full");
        assert_eq!(of("person.phones[].e164"), "/with/person/phones");
        assert_eq!(of("ext.level_id"), "/ext/erp/level_id");
        assert_eq!(of("employee"), "");
    }
}
