//! Records as SCIM resources need them: an employee with the person, today's job and groups; a department with its
//! members. Whatever page is asked for, each kind of record is read a few times, not once a resource.

use crate::Api;
use crate::current;
use crate::records::Times;
use crate::scim::error::ScimError;
use hub_flow::access::Principal;
use hub_flow::records::{index_entry, sealed_as};
use hub_model::Class;
use hub_store::{RecordId, RecordRow, job};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A record and its document.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) row: RecordRow,
    pub(crate) document: Value,
}

/// What a page of users needs beside the employees.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) people: BTreeMap<String, Known>,
    /// Today's job by employee.
    pub(crate) current: BTreeMap<String, Value>,
    /// Names of departments, jobs, managers and groups by their ids.
    pub(crate) names: BTreeMap<String, String>,
    /// The caller's own names for the employees.
    pub(crate) external: BTreeMap<String, String>,
    /// Groups that identity providers made, by employee.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

/// Opens a record.
pub(crate) fn open(api: &Api, row: RecordRow) -> Result<Known, ScimError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
    let document = serde_json::from_slice(&opened).unwrap_or_default();
    Ok(Known { row, document })
}

/// Records that are there, by their ids.
pub(crate) async fn all(
    api: &Api,
    who: &Principal,
    entity: &str,
    ids: BTreeSet<String>,
) -> Result<BTreeMap<String, Known>, ScimError> {
    let wanted: Vec<RecordId> = ids.into_iter().map(|id| (entity.to_owned(), id)).collect();
    let tenant = who.tenant.clone();
    let rows = api.hub.store.read(job!(|tx| { tx.stored_records(&tenant, wanted).await })).await?;
    let there = rows.into_values().filter(|row| row.deleted_at.is_none());
    there.map(|row| Ok((row.id.clone(), open(api, row)?))).collect()
}

/// A text that may have several languages: Chinese before English, whatever there is before nothing.
pub(crate) fn in_words(text: &Value) -> Option<String> {
    match text {
        Value::String(text) => Some(text.clone()),
        Value::Object(all) => {
            let first = ["zh-CN", "en"].iter().find_map(|language| all.get(*language));
            first.or_else(|| all.values().next()).and_then(Value::as_str).map(str::to_owned)
        }
        _ => None,
    }
}

/// The record that a field refers to.
pub(crate) fn refers(document: &Value, field: &str) -> Option<String> {
    document[field]["id"].as_str().map(str::to_owned)
}

/// Reads what a page of users needs.
pub(crate) async fn around(api: &Api, who: &Principal, employees: &[Known]) -> Result<Around, ScimError> {
    let entity = hub_model::entity("employee").ok_or_else(ScimError::not_found)?;
    let mut found = Around::default();
    if who.reads("person").is_ok_and(|class| class >= Class::S2) {
        let people = employees.iter().filter_map(|employee| refers(&employee.document, "person")).collect();
        found.people = all(api, who, "person", people).await?;
    }
    let rows: Vec<RecordRow> = employees.iter().map(|employee| employee.row.clone()).collect();
    for (id, text) in current::jobs(api, entity, &rows, Times::default()).await? {
        found.current.insert(id, serde_json::from_str(&text).unwrap_or_default());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let (tenant, client, asked) = (who.tenant.clone(), who.handle.clone(), ids.clone());
    let (external, groups) = api
        .hub
        .store
        .read(job!(|tx| {
            let external = tx.directory_ids(&tenant, &client, "employee", asked.clone()).await?;
            Ok((external, tx.directory_groups(&tenant, asked).await?))
        }))
        .await?;
    found.external = external;
    for (group, member) in groups {
        found.groups.entry(member).or_default().push(group);
    }
    let of = |field: &str| found.current.values().filter_map(|job| refers(job, field)).collect::<BTreeSet<_>>();
    let (jobs, managers, mut departments) = (of("job"), of("manager"), of("department"));
    departments.extend(found.groups.values().flatten().cloned());
    for (entity, field, ids) in
        [("job", "title", jobs), ("employee", "display_name", managers), ("department", "name", departments)]
    {
        if who.reads(entity).is_err() {
            continue;
        }
        for (id, record) in all(api, who, entity, ids).await? {
            found.names.extend(in_words(&record.document[field]).map(|name| (id, name)));
        }
    }
    Ok(found)
}

/// Who is in each of these departments today: by department, the members' ids.
pub(crate) async fn members(
    api: &Api,
    who: &Principal,
    departments: &[Known],
) -> Result<BTreeMap<String, BTreeSet<String>>, ScimError> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let ids: Vec<String> = departments.iter().map(|known| known.row.id.clone()).collect();
    let assigned = below(api, who, ("job_assignment", "department"), &ids).await?;
    let employments = assigned.iter().filter_map(|known| refers(&known.document, "employment")).collect();
    let employments = all(api, who, "employment", employments).await?;
    let mut candidates: BTreeSet<String> =
        employments.values().filter_map(|known| refers(&known.document, "employee")).collect();
    let tenant = who.tenant.clone();
    let made = api.hub.store.read(job!(|tx| { tx.directory_members(&tenant, ids).await })).await?;
    candidates.extend(made.iter().map(|(_, member)| member.clone()));
    let employees = all(api, who, "employee", candidates).await?;
    let entity = hub_model::entity("employee").ok_or_else(ScimError::not_found)?;
    let rows: Vec<RecordRow> = employees.values().map(|known| known.row.clone()).collect();
    for (employee, job) in current::jobs(api, entity, &rows, Times::default()).await? {
        let job: Value = serde_json::from_str(&job).unwrap_or_default();
        if let Some(department) = refers(&job, "department") {
            found.entry(department).or_default().insert(employee);
        }
    }
    for (group, member) in made.into_iter().filter(|(_, member)| employees.contains_key(member)) {
        found.entry(group).or_default().insert(member);
    }
    Ok(found)
}

async fn below(
    api: &Api,
    who: &Principal,
    (entity, name): (&'static str, &'static str),
    ids: &[String],
) -> Result<Vec<Known>, ScimError> {
    let field = hub_model::entity(entity).and_then(|of| of.fields.iter().find(|field| field.name == name));
    let Some(field) = field.filter(|_| !ids.is_empty()) else { return Ok(Vec::new()) };
    let values: Result<Vec<String>, _> =
        ids.iter().map(|id| Ok(index_entry(&api.hub, &who.tenant, field, id)?.value)).collect();
    let (tenant, values) = (who.tenant.clone(), values.map_err(|error: hub_store::StoreError| ScimError::from(error))?);
    let rows = api.hub.store.read(job!(|tx| { tx.records_by(&tenant, entity, name, values, false).await })).await?;
    rows.into_iter().map(|(_, row)| open(api, row)).collect()
}
