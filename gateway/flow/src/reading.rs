//! Many records at once, opened: for services that calculate over them. Who asks answers for what its caller may see.

use crate::effects::Failure;
use crate::hub::Hub;
use crate::records::sealed_as;
use hub_store::{IndexEntry, Page, RecordFilter, RecordRow, StoredVersion, Within, job};
use serde::de::DeserializeOwned;

/// Records that are read at once.
const PORTION: i64 = 500;

/// A record, read as a type of the model.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// Its hub id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// The record.
    pub record: T,
    /// Its whole document, JSON.
    pub document: String,
}

/// Records of an entity that have one of `values` in an indexed field (of class S0 or S1), by value and id.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn by<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    field: &'static str,
    values: Vec<String>,
) -> Result<Vec<Known<T>>, Failure> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let owner = tenant.to_owned();
    let rows = hub.store.read(job!(|tx| { tx.records_by(&owner, entity, field, values, false).await })).await?;
    rows.into_iter().map(|(_, row)| opened(hub, tenant, row)).collect()
}

/// At most `limit` records behind the id `after` that have one of the values given for each of these indexed fields (of
/// class S0 or S1), in the order of their ids.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn page<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    equals: Vec<(&'static str, String)>,
    (after, limit): (&str, i64),
) -> Result<Vec<Known<T>>, Failure> {
    let (owner, page) = (tenant.to_owned(), Page { after: after.to_owned(), limit });
    let equals = equals.into_iter().map(|(field, value)| IndexEntry { field: field.to_owned(), value }).collect();
    let filter = RecordFilter { equals, ..RecordFilter::default() };
    let rows = hub.store.read(job!(|tx| { tx.records(&owner, entity, filter, page).await })).await?;
    rows.into_iter().map(|row| opened(hub, tenant, row)).collect()
}

/// Every record of an entity that lies in these org units, all where there are none; `None` when there are more than
/// `most`.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn all<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    within: Option<&Within>,
    most: usize,
) -> Result<Option<Vec<Known<T>>>, Failure> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let (owner, page) = (tenant.to_owned(), Page { after: after.clone(), limit: PORTION });
        let filter = RecordFilter { within: within.cloned(), ..RecordFilter::default() };
        let rows = hub.store.read(job!(|tx| { tx.records(&owner, entity, filter, page).await })).await?;
        match rows.last() {
            Some(last) => after.clone_from(&last.id),
            None => return Ok(Some(found)),
        }
        if found.len() + rows.len() > most {
            return Ok(None);
        }
        for row in rows {
            found.push(opened(hub, tenant, row)?);
        }
    }
}

/// Those of these records that are there, in no order.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn these<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    ids: impl IntoIterator<Item = String> + Send,
) -> Result<Vec<Known<T>>, Failure> {
    let ids: Vec<_> = ids.into_iter().map(|id| (entity.to_owned(), id)).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let owner = tenant.to_owned();
    let rows = hub.store.read(job!(|tx| { tx.stored_records(&owner, ids).await })).await?;
    rows.into_values().filter(|row| row.deleted_at.is_none()).map(|row| opened(hub, tenant, row)).collect()
}

/// All versions of a record, oldest first.
///
/// # Errors
/// The store fails, or a version cannot be read.
pub async fn versions<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    id: &str,
) -> Result<Vec<Known<T>>, Failure> {
    let (owner, wanted) = (tenant.to_owned(), id.to_owned());
    let found = hub.store.read(job!(|tx| { tx.history(&owner, entity, &wanted).await })).await?;
    let row = |version: StoredVersion| RecordRow {
        tenant: tenant.to_owned(),
        entity: entity.to_owned(),
        id: id.to_owned(),
        version: version.version,
        created_at: version.at,
        updated_at: version.at,
        deleted_at: None,
        body: version.body,
    };
    found.into_iter().map(|version| opened(hub, tenant, row(version))).collect()
}

fn opened<T: DeserializeOwned>(hub: &Hub, tenant: &str, row: RecordRow) -> Result<Known<T>, Failure> {
    let body = hub.open(tenant, &sealed_as(&row.entity, &row.id), &row.body.0)?;
    let unreadable = |place: String| {
        Failure::park("UNREADABLE_RECORD", format!("{}/{} does not fit the model{place}", row.entity, row.id))
    };
    // The message of a JSON error can quote the document; only its place is told.
    let record = serde_json::from_slice(&body)
        .map_err(|error| unreadable(format!(" at line {}, column {}", error.line(), error.column())))?;
    let document = String::from_utf8(body).map_err(|_| unreadable(String::new()))?;
    Ok(Known { id: row.id, version: row.version, record, document })
}
