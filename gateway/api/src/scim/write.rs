//! Making, changing and removing users and groups. What a system of HR owns is not touched: such attributes are left and
//! named in the header `Hub-Left`, and a user or group that HR keeps is not removed here.

use crate::Api;
use crate::scim::error::ScimError;
use crate::scim::load::{self, Known, refers};
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::user::{RULE, Wanted};
use crate::scim::{group, read, user};
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::records::{self, Target, Write};
use hub_model::Class;
use hub_store::{MemberChange, StoreError, job};
use hub_tree::TraceContext;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A resource after it was written, and what was left as it is.
pub(crate) struct Written {
    pub(crate) resource: Value,
    pub(crate) left: Vec<String>,
}

/// Refuses who may not write resources of a type. Who writes users sees and sets what is personal.
fn allowed(who: &Principal, of: &ResourceType) -> Result<(), ScimError> {
    who.reads(read::entity(of)?.name)?;
    who.writes(read::entity(of)?.name)?;
    if *of == USERS {
        who.writes("person")?;
        if who.reads("person")? < Class::S2 {
            return Err(ScimError::from(hub_flow::access::Denied::Lacks("read".to_owned())));
        }
    }
    Ok(())
}

/// Makes a resource of what a body says (read by its type already).
pub(crate) async fn create(api: &Api, who: &Principal, of: &ResourceType, new: Value) -> Result<Written, ScimError> {
    allowed(who, of)?;
    // Where it will belong is HR's to say.
    who.need_all_units()?;
    let id = api.hub.ids.next().to_string();
    if *of == USERS {
        let wanted = user::wanted(&Value::Null, &new, &Value::Null, &Value::Null);
        let person = api.hub.ids.next().to_string();
        let mut employee = wanted.employee.clone();
        employee.insert("person".to_owned(), json!({ "type": "person", "id": person }));
        let writes = vec![
            write("person", Target::New(person), &wanted.person)?,
            write("employee", Target::New(id.clone()), &employee)?,
        ];
        let name = name_in(&employee);
        let keeping = Keeping { writes, external: wanted.external, name, ..Keeping::default() };
        keep(api, who, of, &id, keeping).await?;
    } else {
        let members = users(api, who, group::member_ids(&new)).await?;
        let mut fields = group_fields(&new);
        fields.insert("type".to_owned(), json!({ "value": "GROUP" }));
        let external = new["externalId"].as_str().map(|name| Some(name.to_owned()));
        let writes = vec![write("department", Target::New(id.clone()), &fields)?];
        let members = Members::Change(MemberChange { new: members, gone: Vec::new() });
        keep(api, who, of, &id, Keeping { writes, external, members, ..Keeping::default() }).await?;
    }
    Ok(Written { resource: read::one(api, who, of, &id).await?, left: Vec::new() })
}

/// Brings a resource from what it is (`old`) to what is wanted (`new`); `left` was left as it is already.
pub(crate) async fn update(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    known: &Known,
    (old, new): (&Value, &Value),
    mut left: Vec<String>,
) -> Result<Written, ScimError> {
    allowed(who, of)?;
    let id = known.row.id.as_str();
    let changed = if *of == USERS {
        update_user(api, who, known, (old, new)).await?
    } else {
        update_group(api, who, known, (old, new)).await?
    };
    let asked = !left.is_empty() || !changed.left.is_empty();
    left.extend(changed.left);
    if asked && !changed.did {
        return Ok(Written { resource: old.clone(), left });
    }
    Ok(Written { resource: read::one(api, who, of, id).await?, left })
}

/// What an update did.
struct Changed {
    did: bool,
    left: Vec<String>,
}

async fn update_user(
    api: &Api,
    who: &Principal,
    known: &Known,
    (old, new): (&Value, &Value),
) -> Result<Changed, ScimError> {
    let id = known.row.id.as_str();
    let person_id = refers(&known.document, "person");
    let person = match &person_id {
        Some(person) => load::all(api, who, "person", [person.clone()].into()).await?.remove(person),
        None => None,
    };
    let nobody = Value::Null;
    let document = person.as_ref().map_or(&nobody, |person| &person.document);
    let wanted = user::wanted(old, new, &known.document, document);
    let Wanted { mut employee, person: fields, external, left } = wanted;
    let mut writes = Vec::new();
    if !fields.is_empty() {
        let target = match person_id.filter(|_| person.is_some()) {
            Some(person) => Target::Remote { key: None, hub_id: Some(person) },
            None => {
                let person = api.hub.ids.next().to_string();
                employee.insert("person".to_owned(), json!({ "type": "person", "id": person }));
                Target::New(person)
            }
        };
        writes.push(write("person", target, &fields)?);
    }
    let name = name_in(&employee);
    if !employee.is_empty() {
        let target = Target::Remote { key: None, hub_id: Some(id.to_owned()) };
        writes.push(write("employee", target, &employee)?);
    }
    let did = !writes.is_empty() || external.is_some();
    if did {
        keep(api, who, &USERS, id, Keeping { writes, external, name, ..Keeping::default() }).await?;
    }
    Ok(Changed { did, left })
}

async fn update_group(
    api: &Api,
    who: &Principal,
    known: &Known,
    (old, new): (&Value, &Value),
) -> Result<Changed, ScimError> {
    let id = known.row.id.as_str();
    let (mut left, mut writes, mut change) = (Vec::new(), Vec::new(), Members::Same);
    let ids = |group: &Value| group::member_ids(group).into_iter().collect::<BTreeSet<_>>();
    let (before, after) = (ids(old), ids(new));
    if before != after {
        if group::is_hrs(&known.document) {
            left.push("members".to_owned());
        } else {
            let new = users(api, who, after.difference(&before).cloned().collect()).await?;
            change = Members::Change(MemberChange { new, gone: before.difference(&after).cloned().collect() });
        }
    }
    if old["displayName"] != new["displayName"] {
        if user::owner(&known.document, "/name").is_some() {
            left.push("displayName".to_owned());
        } else {
            let target = Target::Remote { key: None, hub_id: Some(id.to_owned()) };
            writes.push(write("department", target, &group_fields(new))?);
        }
    }
    let external =
        (old.get("externalId") != new.get("externalId")).then(|| new["externalId"].as_str().map(str::to_owned));
    let did = !writes.is_empty() || change != Members::Same || external.is_some();
    if did {
        keep(api, who, &GROUPS, id, Keeping { writes, external, members: change, name: None }).await?;
    }
    Ok(Changed { did, left })
}

/// Removes a resource that no system of HR keeps: it is marked as deleted and stays readable as a record.
pub(crate) async fn delete(api: &Api, who: &Principal, of: &ResourceType, known: &Known) -> Result<(), ScimError> {
    allowed(who, of)?;
    if let Some(source) = known.document["sources"].as_array().and_then(|sources| sources.first()) {
        let connection = source["connection_id"].as_str().unwrap_or_default();
        let detail = format!("`{connection}` keeps this {}: end it there", of.name.to_lowercase());
        return Err(ScimError::new(axum::http::StatusCode::FORBIDDEN, detail));
    }
    let gone = |entity: &str, id: &str, fields: Map<String, Value>| {
        let target = Target::Remote { key: None, hub_id: Some(id.to_owned()) };
        write(entity, target, &fields).map(|write| Write { deleted: true, ..write })
    };
    let id = known.row.id.as_str();
    let mut writes = Vec::new();
    if *of == USERS {
        let ended = json!({ "status": { "value": "TERMINATED" } });
        writes.push(gone("employee", id, ended.as_object().cloned().unwrap_or_default())?);
        // The person stays where anything else speaks of them.
        if let Some(person) = refers(&known.document, "person") {
            let of_it = ("person".to_owned(), person.clone());
            let together = hub_flow::identity::chain::members(&api.hub, &who.tenant, &of_it).await?;
            let document = load::all(api, who, "person", [person.clone()].into()).await?.remove(&person);
            let own = document.is_some_and(|known| known.document["sources"].as_array().is_none_or(Vec::is_empty));
            if own && together.len() <= 2 {
                writes.push(gone("person", &person, Map::new())?);
            }
        }
    } else {
        writes.push(gone("department", id, Map::new())?);
    }
    keep(api, who, of, id, Keeping { writes, external: Some(None), members: Members::Nobody, name: None }).await
}

/// The name to sign in with that the fields of an employee set.
fn name_in(employee: &Map<String, Value>) -> Option<String> {
    employee.get("username")?.as_str().map(str::to_owned)
}

/// The ids, if users with them are there.
async fn users(api: &Api, who: &Principal, ids: Vec<String>) -> Result<Vec<String>, ScimError> {
    let there = load::all(api, who, "employee", ids.iter().cloned().collect()).await?;
    match ids.iter().find(|id| !there.contains_key(*id)) {
        Some(_) => Err(ScimError::bad("invalidValue", "`members` names somebody who is no user")),
        None => Ok(ids),
    }
}

fn group_fields(new: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), new["displayName"].clone());
    fields
}

fn write(entity: &str, target: Target, fields: &Map<String, Value>) -> Result<Write, ScimError> {
    let entity = hub_model::entity(entity).ok_or_else(ScimError::not_found)?;
    let rules = fields.keys().map(|name| (format!("/{name}"), RULE.to_owned())).collect();
    let fields = serde_json::to_string(fields).unwrap_or_default();
    Ok(Write { entity, target, fields, ext: None, deleted: false, rules, source: None })
}

/// What becomes of memberships.
#[derive(Debug, Default, PartialEq, Eq)]
enum Members {
    #[default]
    Same,
    Change(MemberChange),
    /// A group is emptied; a user leaves every group.
    Nobody,
}

/// What is to be written of a resource.
#[derive(Default)]
struct Keeping {
    writes: Vec<Write>,
    external: Option<Option<String>>,
    members: Members,
    /// The name to sign in with, if it is a new one: nobody else may have it.
    name: Option<String>,
}

/// Writes it all down, in one transaction. Whether a name is free is decided in there, by one after the other: of two
/// that want the same name at the same time one gets it.
async fn keep(api: &Api, who: &Principal, of: &ResourceType, id: &str, keeping: Keeping) -> Result<(), ScimError> {
    let (hub, entity) = (Arc::clone(&api.hub), read::entity(of)?.name);
    let (tenant, client, id, user) = (who.tenant.clone(), who.handle.clone(), id.to_owned(), *of == USERS);
    hub.store.keyring().ensure(&hub.store, &hub.clock, &tenant).await?;
    let entry = api.hub.audit_entry(Entry::by(who, "scim.written").about(entity, &id)).await?;
    let written = api.hub.store.write(job!(|tx| {
        if let Some(name) = keeping.name {
            tx.take_turn(&format!("user-names/{tenant}")).await?;
            if read::called(&hub, tx, &tenant, &name).await?.iter().any(|other| other.id != id) {
                return Ok(false);
            }
        }
        tx.append_audit(entry).await?;
        let applied = records::apply(&hub, tx, &tenant, &TraceContext::begin(), keeping.writes).await?;
        let applied = applied.map_err(|_| StoreError::Broken)?;
        tx.insert_events(applied.into_iter().flat_map(|record| record.events).collect()).await?;
        if let Some(external) = keeping.external {
            tx.put_directory_id(&tenant, &client, (entity, &id), external).await?;
        }
        match keeping.members {
            Members::Same => {}
            Members::Change(change) => tx.change_directory_members(&tenant, &id, change).await?,
            Members::Nobody if user => tx.leave_directory_groups(&tenant, &id).await?,
            Members::Nobody => tx.empty_directory_group(&tenant, &id).await?,
        }
        Ok(true)
    }));
    if !written.await? {
        return Err(ScimError::taken("another user has this `userName`"));
    }
    api.hub.note_events();
    Ok(())
}
