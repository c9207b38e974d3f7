//! What employees do today: computed from their job assignments when they are read, in the hub's zone, never stored. Of
//! the assignments that hold on the day a primary one counts before others, then the one that began last.

use crate::Api;
use hub_flow::records::{index_entry, sealed_as};
use hub_model::EntityType;
use hub_store::{Page, RecordFilter, RecordRow, StoreError, job};
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;

/// Most employments of one employee, and assignments of one employment, that are looked at.
const MOST: i64 = 500;

/// What each of the employees does today, as JSON text by the employee's id. Who does nothing is left out; so are
/// records of other entities.
pub(crate) async fn jobs(
    api: &Api,
    entity: &EntityType,
    rows: &[RecordRow],
) -> Result<BTreeMap<String, String>, StoreError> {
    let today = api.hub.clock.now().to_zoned(api.zone.clone()).date();
    let mut found = BTreeMap::new();
    if entity.name != "employee" {
        return Ok(found);
    }
    for row in rows.iter().filter(|row| row.deleted_at.is_none()) {
        let mut held = Vec::new();
        for employment in below(api, row, "employment", "employee").await? {
            let assignments = below(api, &employment, "job_assignment", "employment").await?;
            held.push((employment, assignments));
        }
        if let Some(job) = job_on(api, today, &held)? {
            found.insert(row.id.clone(), job);
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

/// The records of an entity that refer to a record by a field.
async fn below(api: &Api, row: &RecordRow, entity: &'static str, field: &str) -> Result<Vec<RecordRow>, StoreError> {
    let Some(field) = hub_model::entity(entity).and_then(|of| of.fields.iter().find(|known| known.name == field))
    else {
        return Ok(Vec::new());
    };
    let filter =
        RecordFilter { equals: vec![index_entry(&api.hub, &row.tenant, field, &row.id)?], ..RecordFilter::default() };
    let (tenant, page) = (row.tenant.clone(), Page { after: String::new(), limit: MOST });
    api.hub.store.read(job!(|tx| { tx.records(&tenant, entity, filter, page).await })).await
}

fn document<'a>(api: &Api, arena: &'a Arena, row: &RecordRow) -> Result<Value<'a>, StoreError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
    let document = json::read(arena, arena.bytes(&opened), Limits::default());
    document.map_err(|_| StoreError::Sealed("a record is no JSON"))
}

fn day(document: Value<'_>, field: &str) -> Option<Date> {
    document.get(field).as_text()?.parse().ok()
}
