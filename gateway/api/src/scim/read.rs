//! Reading users and groups: one, a page, all that a filter means.

use crate::Api;
use crate::records;
use crate::scim::error::ScimError;
use crate::scim::load::{self, Known};
use crate::scim::query::{self, Query, Shown};
use crate::scim::schema::{ResourceType, USERS};
use crate::scim::{group, user};
use hub_flow::Hub;
use hub_flow::access::{Principal, units};
use hub_flow::records::sealed_as;
use hub_model::EntityType;
use hub_store::{Page, RecordFilter, RecordRow, StoreError, Tx, job};
use serde_json::Value;
use std::sync::Arc;

/// Records that are read at once when all are looked at.
const PORTION: i64 = 500;
/// More resources than this are not looked at one by one.
const MOST_LOOKED_AT: i64 = 50_000;

/// The records that a type of resource shows.
pub(crate) fn entity(of: &ResourceType) -> Result<&'static EntityType, ScimError> {
    let name = if *of == USERS { "employee" } else { "department" };
    hub_model::entity(name).ok_or_else(ScimError::not_found)
}

/// Where SCIM lies.
pub(crate) fn base(api: &Api) -> String {
    format!("{}/scim/v2", api.hub.public_url().trim_end_matches('/'))
}

/// Records as resources.
pub(crate) async fn told(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    known: &[Known],
    shown: &Shown,
) -> Result<Vec<Value>, ScimError> {
    let base = base(api);
    if *of == USERS {
        let around = load::around(api, who, known).await?;
        return Ok(known.iter().map(|employee| user::told(employee, &around, &base)).collect());
    }
    let ids: Vec<String> = known.iter().map(|known| known.row.id.clone()).collect();
    let (tenant, client) = (who.tenant.clone(), who.handle.clone());
    let external =
        api.hub.store.read(job!(|tx| { tx.directory_ids(&tenant, &client, "department", ids).await })).await?;
    let with_members = shown.shows("members") && who.reads("employee").is_ok();
    let members = if with_members { load::members(api, who, known).await? } else { Default::default() };
    let tell = |known: &Known| {
        let id = &known.row.id;
        group::told(known, external.get(id), members.get(id), &base)
    };
    Ok(known.iter().map(tell).collect())
}

/// One resource's record.
pub(crate) async fn known(api: &Api, who: &Principal, of: &ResourceType, id: &str) -> Result<Known, ScimError> {
    let entity = entity(of)?;
    who.reads(entity.name)?;
    let row = records::find(api, who, entity, id).await.map_err(|problem| match problem.code() {
        "not_found" => ScimError::not_found(),
        _ => problem.into(),
    })?;
    if row.deleted_at.is_some() {
        return Err(ScimError::not_found());
    }
    load::open(api, row)
}

/// One resource, whole.
pub(crate) async fn one(api: &Api, who: &Principal, of: &ResourceType, id: &str) -> Result<Value, ScimError> {
    let known = known(api, who, of, id).await?;
    let told = told(api, who, of, std::slice::from_ref(&known), &Shown::default()).await?;
    told.into_iter().next().ok_or_else(ScimError::not_found)
}

/// A page of resources as SCIM tells it.
pub(crate) async fn list(api: &Api, who: &Principal, of: &ResourceType, query: &Query) -> Result<Value, ScimError> {
    let (total, page) = page(api, who, of, query).await?;
    Ok(query::page(total, query.start, &page))
}

/// How many resources are meant, and a page of them.
pub(crate) async fn page(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    query: &Query,
) -> Result<(usize, Vec<Value>), ScimError> {
    let entity = entity(of)?;
    who.reads(entity.name)?;
    let (total, page) = if query.filter.is_none() && query.sort.is_none() && who.is_everywhere() {
        by_number(api, who, of, entity, query).await?
    } else {
        chosen(api, who, of, entity, query).await?
    };
    Ok((total, page.into_iter().map(|resource| query.shown.of(resource)).collect()))
}

/// A page of all resources, in the order of their ids.
async fn by_number(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    entity: &'static EntityType,
    query: &Query,
) -> Result<(usize, Vec<Value>), ScimError> {
    let (tenant, start) = (who.tenant.clone(), i64::try_from(query.start).unwrap_or(i64::MAX));
    let count = i64::try_from(query.count).unwrap_or(0);
    let (total, rows) = api
        .hub
        .store
        .read(job!(|tx| {
            let total = tx.count_records(&tenant, entity.name).await?;
            Ok((total, tx.records_from(&tenant, entity.name, start, count).await?))
        }))
        .await?;
    let page = told(api, who, of, &opened(api, rows)?, &query.shown).await?;
    Ok((usize::try_from(total).unwrap_or(0), page))
}

fn opened(api: &Api, rows: Vec<RecordRow>) -> Result<Vec<Known>, ScimError> {
    rows.into_iter().map(|row| load::open(api, row)).collect()
}

/// A page of those that a filter means, or of all in some order.
async fn chosen(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    entity: &'static EntityType,
    query: &Query,
) -> Result<(usize, Vec<Value>), ScimError> {
    // The filter may look at what is not shown.
    let whole = Shown::default();
    let meant = |resource: &Value| query.filter.as_ref().is_none_or(|filter| filter.holds(resource));
    let mut found: Vec<Value> = Vec::new();
    match few(api, who, of, entity, query).await? {
        Some(rows) => {
            let ids = rows.iter().map(|row| row.id.clone()).collect();
            let visible = units::visible(&api.hub, who, &api.zone, entity.name, ids).await?;
            let rows = rows.into_iter().filter(|row| visible.contains(&row.id)).collect();
            let told = told(api, who, of, &opened(api, rows)?, &whole).await?;
            found.extend(told.into_iter().filter(meant));
        }
        None => {
            let tenant = who.tenant.clone();
            let total = api.hub.store.read(job!(|tx| { tx.count_records(&tenant, entity.name).await })).await?;
            if total > MOST_LOOKED_AT {
                let detail = "filter by userName, externalId, id or employeeNumber instead";
                return Err(ScimError::bad("tooMany", detail));
            }
            let mut after = String::new();
            loop {
                let (tenant, page) = (who.tenant.clone(), Page { after: after.clone(), limit: PORTION });
                let within = units::within(&api.hub, who, &api.zone);
                let filter = RecordFilter { within, ..RecordFilter::default() };
                let rows =
                    api.hub.store.read(job!(|tx| { tx.records(&tenant, entity.name, filter, page).await })).await?;
                let Some(last) = rows.last().map(|row| row.id.clone()) else { break };
                after = last;
                let told = told(api, who, of, &opened(api, rows)?, &whole).await?;
                found.extend(told.into_iter().filter(meant));
            }
        }
    }
    if let Some(order) = &query.sort {
        query::sort(&mut found, order);
    }
    let total = found.len();
    Ok((total, found.into_iter().skip(query.start).take(query.count).collect()))
}

/// The few records that can be meant, where the filter says what something is equal to that records are found by.
async fn few(
    api: &Api,
    who: &Principal,
    of: &ResourceType,
    entity: &'static EntityType,
    query: &Query,
) -> Result<Option<Vec<RecordRow>>, ScimError> {
    let Some(filter) = &query.filter else { return Ok(None) };
    let equal = |name: &str| filter.equal_to(name);
    let ids = if let Some(id) = equal("id") {
        vec![id.to_owned()]
    } else if let Some(external) = equal("externalId") {
        let (tenant, client, external) = (who.tenant.clone(), who.handle.clone(), external.to_owned());
        let called =
            api.hub.store.read(job!(|tx| { tx.directory_called(&tenant, &client, entity.name, &external).await }));
        called.await?
    } else if *of == USERS
        && let Some(number) = equal("employeeNumber")
    {
        let (tenant, number) = (who.tenant.clone(), number.to_owned());
        let fields = ["employee_number"];
        let reading =
            api.hub.store.read(job!(|tx| { tx.records_called(&tenant, entity.name, &fields, &number, false).await }));
        return Ok(Some(reading.await?));
    } else if *of == USERS
        && let Some(name) = equal("userName")
    {
        let (hub, tenant, name) = (Arc::clone(&api.hub), who.tenant.clone(), name.to_owned());
        return Ok(Some(api.hub.store.read(job!(|tx| { called(&hub, tx, &tenant, &name).await })).await?));
    } else {
        return Ok(None);
    };
    let wanted = ids.into_iter().map(|id| (entity.name.to_owned(), id)).collect();
    let tenant = who.tenant.clone();
    let rows = api.hub.store.read(job!(|tx| { tx.stored_records(&tenant, wanted).await })).await?;
    Ok(Some(rows.into_values().filter(|row| row.deleted_at.is_none()).collect()))
}

/// Where the name that an employee signs in with may stand, the first one that is said; behind them comes the id.
pub(crate) const NAMES: [&str; 3] = ["username", "work_email", "employee_number"];

/// Employees whose `userName` is this one, in any case.
///
/// # Errors
/// The store fails, or a record cannot be opened.
pub(crate) async fn called(hub: &Hub, tx: &mut Tx, tenant: &str, name: &str) -> Result<Vec<RecordRow>, StoreError> {
    let entity = "employee";
    // Nearly always a name is asked for as it is written, and that is found at once.
    let with_id = tx.record(tenant, entity, name).await?.filter(|row| row.deleted_at.is_none());
    let alike = tx.records_called(tenant, entity, &NAMES, name, false).await?;
    let found = really_called(hub, alike.into_iter().chain(with_id).collect(), name)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let in_any_case = tx.records_called(tenant, entity, &NAMES, name, true).await?;
    really_called(hub, in_any_case, name)
}

/// Of employees that have this name somewhere those whose `userName` it is.
fn really_called(hub: &Hub, rows: Vec<RecordRow>, name: &str) -> Result<Vec<RecordRow>, StoreError> {
    let mut found = Vec::new();
    for row in rows {
        let opened = hub.open(&row.tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
        let document: Value = serde_json::from_slice(&opened).unwrap_or_default();
        if user::name_of(&document, &row.id).to_lowercase() == name.to_lowercase() {
            found.push(row);
        }
    }
    Ok(found)
}
