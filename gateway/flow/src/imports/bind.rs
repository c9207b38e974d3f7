//! Which records rows mean that other systems, or people, have made: an employee is known by the number, a department,
//! a position by the code, and with an employee the person and the employment.

use crate::hub::Hub;
use crate::records::{Target, Write, sealed_as};
use hub_store::{RecordId, RemoteId, StoreError, Tx};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Entities that people know by a field.
const KNOWN_BY: [(&str, &str); 6] = [
    ("employee", "employee_number"),
    ("department", "code"),
    ("position", "code"),
    ("cost_center", "code"),
    ("job", "code"),
    ("location", "code"),
];

/// The field that records of an entity are known by.
pub(super) fn known_by(entity: &str) -> Option<&'static str> {
    KNOWN_BY.iter().find(|(known, _)| *known == entity).map(|(_, field)| *field)
}

fn remote_of(write: &Write) -> Option<RemoteId> {
    let source = write.source.as_ref()?;
    let Target::Remote { key: Some(key), hub_id: None } = &write.target else { return None };
    Some(RemoteId {
        connection: source.connection.clone(),
        entity: write.entity.name.to_owned(),
        remote_id: key.clone(),
    })
}

fn text_at(fields: &str, name: &str) -> Option<String> {
    let arena = Arena::new();
    let value = json::read(&arena, fields.as_bytes(), Limits::default()).ok()?;
    value.get(name).as_text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Gives words about records that are there already, and that no import has met, the ids of those records.
pub(super) async fn bind(
    hub: &Hub,
    tx: &mut Tx,
    tenant: &str,
    mut rows: Vec<&mut Vec<Write>>,
) -> Result<(), StoreError> {
    let asked: BTreeSet<RemoteId> = rows.iter().flat_map(|row| row.iter()).filter_map(remote_of).collect();
    let known = tx.identities(tenant, asked.into_iter().collect()).await?;
    let is_new = |write: &Write| remote_of(write).is_some_and(|remote| !known.contains_key(&remote));
    let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for write in rows.iter().flat_map(|row| row.iter()).filter(|write| is_new(write)) {
        if let Some(value) = known_by(write.entity.name).and_then(|field| text_at(&write.fields, field)) {
            wanted.entry(write.entity.name).or_default().insert(value);
        }
    }
    let mut found: BTreeMap<(&str, String), String> = BTreeMap::new();
    for (entity, values) in wanted {
        let Some(field) = known_by(entity) else { continue };
        let by_value = tx.records_by_values((tenant, entity, field), values.into_iter().collect()).await?;
        // Of several with one number nobody can tell which is meant.
        let single = by_value.into_iter().filter_map(|(value, ids)| Some((value, <[String; 1]>::try_from(ids).ok()?)));
        found.extend(single.map(|(value, [id])| ((entity, value), id)));
    }
    let employees: BTreeSet<RecordId> = found
        .iter()
        .filter(|((entity, _), _)| *entity == "employee")
        .map(|(_, id)| ("employee".into(), id.clone()))
        .collect();
    let parts = parts_of(hub, tx, tenant, employees).await?;
    for row in &mut rows {
        let mut of_employee = None;
        for write in row.iter_mut().filter(|write| is_new(write)) {
            let Some(value) = known_by(write.entity.name).and_then(|field| text_at(&write.fields, field)) else {
                continue;
            };
            let Some(id) = found.get(&(write.entity.name, value)) else { continue };
            if write.entity.name == "employee" {
                of_employee = parts.get(id);
            }
            set(write, id);
        }
        let Some(parts) = of_employee else { continue };
        for (entity, id) in parts {
            // One of a kind in the row: the one that the employee has.
            let mut own = row.iter_mut().filter(|write| write.entity.name == *entity);
            if let (Some(write), None) = (own.next(), own.next())
                && is_new(write)
            {
                set(write, id);
            }
        }
    }
    Ok(())
}

fn set(write: &mut Write, id: &str) {
    if let Target::Remote { hub_id, .. } = &mut write.target {
        *hub_id = Some(id.to_owned());
    }
}

/// The person and the employment that employees have, by the employee's id.
async fn parts_of(
    hub: &Hub,
    tx: &mut Tx,
    tenant: &str,
    employees: BTreeSet<RecordId>,
) -> Result<BTreeMap<String, Vec<(&'static str, String)>>, StoreError> {
    let mut parts = BTreeMap::new();
    for ((_, id), row) in tx.stored_records(tenant, employees.into_iter().collect()).await? {
        let opened = hub.open(tenant, &sealed_as("employee", &id), &row.body.0)?;
        let arena = Arena::new();
        let document = json::read(&arena, &opened, Limits::default()).unwrap_or_default();
        let of = |value: Value<'_>| value.get("id").as_text().map(str::to_owned);
        let mut own = Vec::new();
        own.extend(of(document.get("person")).map(|id| ("person", id)));
        own.extend(of(document.get("primary_employment")).map(|id| ("employment", id)));
        if own.iter().all(|(entity, _)| *entity != "employment") {
            let by = tx.records_by_values((tenant, "employment", "employee"), vec![id.clone()]).await?;
            if let Some([only]) = by.get(&id).map(Vec::as_slice) {
                own.push(("employment", only.clone()));
            }
        }
        parts.insert(id, own);
    }
    Ok(parts)
}
