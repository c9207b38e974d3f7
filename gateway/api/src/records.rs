//! `/v1/<collection>`: every entity of the model through one implementation.

mod changes;
mod expand;
mod explain;
mod fields;
mod history;
mod list;
mod one;
mod raw;
mod tag;
mod times;
mod view;

pub(crate) use explain::explain;
pub(crate) use history::history;
pub(crate) use list::{Wanted, list};
pub(crate) use one::show;
pub(crate) use raw::raw;
pub(crate) use tag::{tag_of, version_in};
pub(crate) use times::{Times, instant};
pub(crate) use view::View;

use crate::Api;
use crate::problem::Problem;
use crate::query::Parameters;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use changes::Since;
use hub_flow::access::{Principal, units};
use hub_flow::records::{index_entry, sealed_as};
use hub_flow::restricted;
use hub_model::{Class, EntityType, Type, mask};
use hub_store::{RecordFilter, RecordId, RecordRow, StoreError, job};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Id, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn entity_of(collection: &str) -> Result<&'static EntityType, Problem> {
    hub_model::collection(collection).ok_or_else(|| {
        let known = hub_model::ENTITIES.iter().map(|entity| entity.collection);
        let hint = suggest(collection, known).map(|hint| format!("; {hint}")).unwrap_or_default();
        Problem::not_found(format!("there is no collection `{collection}`{hint}"))
    })
}

/// A stored record as the caller may see it.
pub(crate) fn seen<'a>(
    api: &Api,
    entity: &EntityType,
    row: &RecordRow,
    current: Option<&str>,
    arena: &'a Arena,
    allowed: Class,
) -> Result<Value<'a>, StoreError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
    let document = json::read(arena, arena.bytes(&opened), Limits::default());
    let mut document = document.map_err(|_| StoreError::Sealed("a record is no JSON"))?;
    if let Some(Ok(current)) = current.map(|text| json::read(arena, arena.bytes(text.as_bytes()), Limits::default())) {
        document = arena.map(&[document.entries(), &[("current", current)]].concat());
    }
    let (seen, masked) = mask::mask(arena, entity, document, allowed);
    if allowed == Class::S3 {
        let (_, restricted) = mask::mask(arena, entity, document, Class::S2);
        restricted::note(entity.name, &row.id, restricted.iter().map(String::as_str));
    }
    if masked.is_empty() {
        return Ok(seen);
    }
    let masked: Vec<Value<'a>> = masked.iter().map(|pointer| Value::Text(arena.text(pointer))).collect();
    let mut entries = seen.entries().to_vec();
    entries.push(("masked", arena.list(&masked)));
    Ok(arena.map(&entries))
}

fn json_response(status: StatusCode, value: &Value<'_>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json::to_string(value)).into_response()
}

/// Which records a list is about, by its parameters; with the names of those that it knows.
pub(crate) fn filter_of(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    allowed: Class,
    given: &mut Parameters,
) -> Result<(RecordFilter, Vec<&'static str>), Problem> {
    let mut filter = RecordFilter { include_deleted: given.flag("include_deleted")?, ..RecordFilter::default() };
    let (connection, remote_id) = (given.take("connection"), given.take("remote_id"));
    match (connection, remote_id) {
        (Some(connection), Some(remote_id)) => filter.remote = Some((connection, remote_id)),
        (None, Some(_)) => {
            let next = "add `connection=<id>`".to_owned();
            let detail = "a `remote_id` means something only together with its `connection`";
            return Err(Problem::bad_parameter("remote_id", detail, Some(next)));
        }
        (connection, None) => filter.connection = connection,
    }
    match given.take("updated_after").map(|text| Since::read(&text)).transpose()? {
        Some(Since::Time(at)) => filter.updated_after = Some(at),
        Some(Since::Place(place)) => filter.changed_after = Some(place),
        None => {}
    }
    let indexed: Vec<_> = entity.fields.iter().filter(|field| field.indexed && field.class <= allowed).collect();
    for field in &indexed {
        // Given several times, a field may have any of the values.
        while let Some(value) = given.take(field.name) {
            if let Type::Enum(of) = field.ty
                && !of.values.contains(&value.as_str())
            {
                let detail = format!("`{}` has no value `{value}`", field.name);
                return Err(Problem::bad_parameter(field.name, detail, suggest(&value, of.values.iter().copied())));
            }
            filter.equals.push(index_entry(&api.hub, &who.tenant, field, &value)?);
        }
    }
    let known = ["connection", "remote_id", "updated_after", "include_deleted"];
    filter.within = units::within(&api.hub, who, &api.zone);
    Ok((filter, known.into_iter().chain(indexed.iter().map(|field| field.name)).collect()))
}

fn id_of(id: &str) -> Result<String, Problem> {
    let id: Id = id.to_lowercase().parse().map_err(|_| Problem::not_found("there is no record with this id"))?;
    Ok(id.to_string())
}

/// A record of which others speak.
pub(crate) struct Known {
    pub(crate) entity: &'static EntityType,
    pub(crate) row: RecordRow,
    /// What the caller may read of it.
    pub(crate) allowed: Class,
}

/// Records, given by their entities and ids, as far as the caller may know of them; deleted ones too.
pub(crate) async fn known_to(
    api: &Api,
    who: &Principal,
    wanted: BTreeSet<RecordId>,
    known_at: Option<i64>,
) -> Result<BTreeMap<RecordId, Known>, Problem> {
    let open = |name: &str| {
        let entity = hub_model::entity(name)?;
        Some((entity, who.reads(entity.name).ok()?))
    };
    let mut by_entity: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (name, id) in wanted {
        if let Some((entity, _)) = open(&name) {
            by_entity.entry(entity.name).or_default().insert(id);
        }
    }
    let mut ids: Vec<RecordId> = Vec::new();
    for (entity, of) in by_entity {
        let visible = units::visible(&api.hub, who, &api.zone, entity, of).await?;
        ids.extend(visible.into_iter().map(|id| (entity.to_owned(), id)));
    }
    let tenant = who.tenant.clone();
    let mut rows = api.hub.store.read(job!(|tx| { tx.stored_records(&tenant, ids).await })).await?;
    if known_at.is_some() {
        rows = as_known(api, &who.tenant, known_at, rows).await?;
    }
    let known = rows.into_iter().filter_map(|(id, row)| {
        let (entity, allowed) = open(&id.0)?;
        Some((id, Known { entity, row, allowed }))
    });
    Ok(known.collect())
}

/// The same records as they were known at a time; those that were not known then are left out.
async fn as_known(
    api: &Api,
    tenant: &str,
    known_at: Option<i64>,
    rows: BTreeMap<RecordId, RecordRow>,
) -> Result<BTreeMap<RecordId, RecordRow>, StoreError> {
    let Some(at) = known_at else { return Ok(rows) };
    let (owner, ids) = (tenant.to_owned(), rows.into_keys().collect());
    api.hub.store.read(job!(|tx| { tx.known_records(&owner, at, ids).await })).await
}

/// A record that the caller may know of, also a deleted one.
pub(crate) async fn find(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    id: &str,
) -> Result<RecordRow, Problem> {
    let (tenant, id) = (who.tenant.clone(), id_of(id)?);
    let within = units::within(&api.hub, who, &api.zone);
    let row = api.hub.store.read(job!(|tx| {
        let row = tx.record(&tenant, entity.name, &id).await?;
        let Some(within) = within.filter(|_| row.is_some()) else { return Ok(row) };
        let seen = tx.records_within(&tenant, entity.name, &within, BTreeSet::from([id])).await?;
        Ok(row.filter(|row| seen.contains(&row.id)))
    }));
    row.await?.ok_or_else(|| Problem::not_found("there is no record with this id"))
}

/// The class of the field that a pointer leads to: the highest on the way, and of all that lies below.
pub(crate) fn class_of(entity: &EntityType, pointer: &str) -> Class {
    fn below(ty: &Type) -> Class {
        match ty {
            Type::List(item) => below(item),
            Type::Struct(of) => of.fields.iter().map(|f| f.class.max(below(f.ty))).max().unwrap_or(Class::S0),
            _ => Class::S0,
        }
    }
    let mut class = Class::S0;
    let mut fields = entity.fields;
    let mut last: Option<&Type> = None;
    for part in pointer.trim_start_matches('/').split('/') {
        if part.parse::<usize>().is_ok() {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == part) else {
            // What the model does not name (`ext`, `custom`) counts as personal.
            return class.max(Class::S2);
        };
        class = class.max(field.class);
        let mut ty = field.ty;
        while let Type::List(item) = ty {
            ty = item;
        }
        fields = ty.fields();
        last = Some(ty);
    }
    class.max(last.map_or(Class::S0, below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_field_counts_all_that_lies_in_it() {
        let interview = hub_model::entity("interview").unwrap();
        assert_eq!(class_of(interview, "/status"), Class::S0);
        assert_eq!(class_of(interview, "/turns/0/text"), Class::S3);
        assert_eq!(class_of(interview, "/turns"), Class::S3);
        let candidate = hub_model::entity("candidate").unwrap();
        assert_eq!(class_of(candidate, "/emails/0/address"), Class::S2);
        assert_eq!(class_of(candidate, "/ext/greenhouse"), Class::S2);
        assert_eq!(class_of(candidate, "/origin"), Class::S0);
    }
}
