//! Records as they were in a former version, as a new version of their own.

use crate::document::verbs;
use crate::hub::Hub;
use crate::records::{Applied, Became, index_of, sealed_as};
use crate::rules;
use hub_model::EntityType;
use hub_store::{NewEvent, NewVersion, RecordRow, StoreError, Tx};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Limits, TraceContext, Value, json};

/// Brings records back to what they were in a version: entity, hub id, version.
pub(super) async fn restore(
    hub: &Hub,
    tx: &mut Tx,
    tenant: &str,
    context: &TraceContext,
    wanted: Vec<(&'static EntityType, String, i64)>,
) -> Result<Vec<Applied>, StoreError> {
    let ids = wanted.iter().map(|(entity, id, _)| (entity.name.to_owned(), id.clone())).collect();
    let stored = tx.stored_records(tenant, ids).await?;
    let (mut versions, mut applied) = (Vec::new(), Vec::new());
    for (entity, id, version) in wanted {
        let Some(row) = stored.get(&(entity.name.to_owned(), id.clone())) else { continue };
        let former = tx.record_version(tenant, entity.name, &id, version).await?;
        let former = former.ok_or(StoreError::Sealed("a version of a record is gone"))?;
        let made = make(hub, entity, row, &former.0)?;
        let events = made.verbs.iter().map(|verb| NewEvent {
            id: hub.ids.next().to_string(),
            tenant: tenant.to_owned(),
            kind: format!("{}.{verb}", entity.event),
            entity: entity.name.to_owned(),
            record: id.clone(),
            version: row.version + 1,
            connection: None,
            at: hub.clock.micros(),
            trace: context.to_string(),
            changed: made.changed.join(","),
        });
        let events = events.collect();
        versions.push(made.version);
        applied.push(Applied { entity, id, version: row.version + 1, became: Became::Updated, events });
    }
    let gone: Vec<String> = versions
        .iter()
        .filter(|new| new.row.deleted_at.is_some())
        .map(|new| format!("{}/{}", new.row.entity, new.row.id))
        .collect();
    tx.put_records(&context.to_string(), versions).await?;
    for subject in gone {
        rules::cancel_about(hub, tx, tenant, &subject).await?;
    }
    Ok(applied)
}

/// A version that says what a former one said.
struct Made {
    version: NewVersion,
    verbs: Vec<&'static str>,
    changed: Vec<String>,
}

fn make(hub: &Hub, entity: &'static EntityType, row: &RecordRow, former: &[u8]) -> Result<Made, StoreError> {
    let sealed_as = sealed_as(entity.name, &row.id);
    let (now, former) = (hub.open(&row.tenant, &sealed_as, &row.body.0)?, hub.open(&row.tenant, &sealed_as, former)?);
    let arena = Arena::new();
    let unreadable = |_| StoreError::Sealed("a record is no JSON");
    let now = json::read(&arena, &now, Limits::default()).map_err(unreadable)?;
    let was = json::read(&arena, &former, Limits::default()).map_err(unreadable)?;
    let at = hub.clock.micros();
    let version = arena.format(format_args!("{}", row.version + 1));
    let entries: Vec<(&str, Value<'_>)> = was
        .entries()
        .iter()
        .map(|(name, value)| match *name {
            "version" => (*name, Value::Number(version)),
            "updated_at" => (*name, Value::Text(arena.text(&rfc3339_micros(at)))),
            _ => (*name, *value),
        })
        .collect();
    let document = json::to_string(&arena.map(&entries));
    let fields: Vec<(&'static str, Value<'_>)> = entity
        .fields
        .iter()
        .map(|field| (field.name, was.get(field.name)))
        .filter(|(_, value)| !value.is_absent())
        .collect();
    let mut changed: Vec<String> = entity
        .fields
        .iter()
        .filter(|field| now.get(field.name) != was.get(field.name))
        .map(|field| field.name.to_owned())
        .collect();
    if now.get("custom") != was.get("custom") {
        changed.push("custom".to_owned());
    }
    let deleted = !was.get("deleted_at").is_absent();
    let verbs = verbs(entity, now, &fields, true, deleted && row.deleted_at.is_none());
    let index = index_of(hub, &row.tenant, entity, document.as_bytes())?;
    let body = hub.store.keyring().seal(&row.tenant, &sealed_as, document.as_bytes())?;
    let row =
        RecordRow { version: row.version + 1, updated_at: at, deleted_at: deleted.then_some(at), body, ..row.clone() };
    Ok(Made { version: NewVersion { row, raw: None, index: Some(index) }, verbs, changed })
}
