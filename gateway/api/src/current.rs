//! What employees do today, or on another day: computed from their job assignments when they are read, in the hub's zone, never stored. Of
//! the assignments that hold on the day a primary one counts before others, then the one that began last.

use crate::Api;
use crate::records::Times;
use hub_flow::records::{index_entry, sealed_as};
use hub_model::EntityType;
use hub_store::{RecordRow, StoreError, job};
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;

/// What each of the employees does on the day that counts, as JSON text by the employee's id. Who does nothing is left
/// out; so are records of other entities. Asks once or twice per level, however many they are.
pub(crate) async fn jobs(
    api: &Api,
    entity: &EntityType,
    rows: &[RecordRow],
    times: Times,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut found = BTreeMap::new();
    let there = rows.iter().filter(|row| entity.name == "employee" && row.deleted_at.is_none());
    let ids: Vec<String> = there.map(|row| row.id.clone()).collect();
    let Some(tenant) = rows.first().map(|row| row.tenant.as_str()).filter(|_| !ids.is_empty()) else {
        return Ok(found);
    };
    let on = times.as_of.unwrap_or_else(|| api.hub.clock.now().to_zoned(api.zone.clone()).date());
    let employments = below(api, tenant, ("employment", "employee"), ids, times).await?;
    let ids = employments.values().flatten().map(|row| row.id.clone()).collect();
    let mut assignments = below(api, tenant, ("job_assignment", "employment"), ids, times).await?;
    for (employee, employments) in employments {
        let held: Vec<(RecordRow, Vec<RecordRow>)> = employments
            .into_iter()
            .map(|employment| {
                let of = assignments.remove(&employment.id).unwrap_or_default();
                (employment, of)
            })
            .collect();
        if let Some(job) = job_on(api, on, &held)? {
            found.insert(employee, job);
        }
    }
    Ok(found)
}

/// What is done on a day by somebody with these employments and their assignments.
fn job_on(api: &Api, on: Date, held: &[(RecordRow, Vec<RecordRow>)]) -> Result<Option<String>, StoreError> {
    let arena = Arena::new();
    let (mut found, mut best) = (None, None);
    for (employment, assignments) in held {
        let period = document(api, &arena, employment)?;
        for assignment in assignments {
            let job = document(api, &arena, assignment)?;
            let from = day(job, "valid_from");
            let begun = [from, day(period, "start_on")].iter().flatten().all(|first| *first <= on);
            let goes_on = [day(job, "valid_to"), day(period, "end_on")].iter().flatten().all(|last| on <= *last);
            let counts = |value: Value<'_>| !matches!(value.get("is_primary"), Value::Bool(false));
            let rank = (counts(period), counts(job), from);
            if begun && goes_on && found.as_ref().is_none_or(|other| *other < rank) {
                (found, best) = (Some(rank), Some((job, period)));
            }
        }
    }
    Ok(best.map(|(job, period)| {
        let parts = ["department", "job", "level", "position", "manager", "location"].map(|name| (name, job.get(name)));
        let parts = parts.into_iter().chain([("legal_entity", period.get("legal_entity"))]);
        let parts: Vec<_> = parts.filter(|(_, value)| !value.is_absent()).collect();
        json::to_string(&arena.map(&parts))
    }))
}

/// The records of an entity that refer to these by a field, by the id that they refer to. With `known_at`, those that
/// referred to them then, of all that do so now.
async fn below(
    api: &Api,
    tenant: &str,
    (entity, field): (&'static str, &'static str),
    ids: Vec<String>,
    times: Times,
) -> Result<BTreeMap<String, Vec<RecordRow>>, StoreError> {
    let known = hub_model::entity(entity).and_then(|of| of.fields.iter().find(|known| known.name == field));
    let Some(known) = known.filter(|_| !ids.is_empty()) else { return Ok(BTreeMap::new()) };
    // What they are found by need not be the id as it is.
    let by: Result<BTreeMap<String, String>, StoreError> =
        ids.into_iter().map(|id| Ok((index_entry(&api.hub, tenant, known, &id)?.value, id))).collect();
    let by = by?;
    let (owner, values) = (tenant.to_owned(), by.keys().cloned().collect());
    let known_at = times.known_at;
    let rows = api.hub.store.read(job!(|tx| {
        let rows = tx.records_by(&owner, entity, field, values, known_at.is_some()).await?;
        let Some(at) = known_at else { return Ok(rows) };
        let ids = rows.iter().map(|(_, row)| (row.entity.clone(), row.id.clone())).collect();
        let mut then = tx.known_records(&owner, at, ids).await?;
        let rows = rows.into_iter();
        Ok(rows.filter_map(|(by, row)| Some((by, then.remove(&(row.entity, row.id))?))).collect())
    }));
    let mut found: BTreeMap<String, Vec<RecordRow>> = BTreeMap::new();
    for (value, row) in rows.await? {
        let Some(id) = by.get(&value) else { continue };
        let there = known_at.is_none() || {
            let arena = Arena::new();
            let document = document(api, &arena, &row)?;
            document.get("deleted_at").is_absent() && document.get(field).get("id").as_text() == Some(id)
        };
        if there {
            found.entry(id.clone()).or_default().push(row);
        }
    }
    Ok(found)
}

fn document<'a>(api: &Api, arena: &'a Arena, row: &RecordRow) -> Result<Value<'a>, StoreError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
    let document = json::read(arena, arena.bytes(&opened), Limits::default());
    document.map_err(|_| StoreError::Sealed("a record is no JSON"))
}

fn day(document: Value<'_>, field: &str) -> Option<Date> {
    document.get(field).as_text()?.parse().ok()
}
