//! Records, their history, who they are at which vendor, and the values to find them by: reading them.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, sql};
use crate::units::Within;
use std::collections::BTreeMap;

/// A record as it is stored.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// Tenant.
    pub tenant: String,
    /// Entity.
    pub entity: String,
    /// Hub id.
    pub id: String,
    /// Version, from 1.
    pub version: i64,
    /// First known, µs.
    pub created_at: i64,
    /// Last changed, µs.
    pub updated_at: i64,
    /// Deleted at its source, µs.
    pub deleted_at: Option<i64>,
    /// The sealed document.
    pub body: Sealed,
}

/// A former or present version of a record.
#[derive(Clone, Debug)]
pub struct StoredVersion {
    /// Version.
    pub version: i64,
    /// Since when, µs.
    pub at: i64,
    /// The journey that made it.
    pub trace: String,
    /// The payload behind it.
    pub raw: Option<String>,
    /// The sealed document.
    pub body: Sealed,
}

/// What a vendor's id means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Hub id of the record.
    pub id: String,
    /// The vendor's own time of the last payload taken over, µs.
    pub vendor_time: Option<i64>,
    /// When that payload was received, µs.
    pub received_at: i64,
}

/// A value to find a record by: order-preserving text, or a keyed hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// Field.
    pub field: String,
    /// Value.
    pub value: String,
}

/// Which records to list.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    /// Only those that have, of each field named here, one of the values given for it.
    pub equals: Vec<IndexEntry>,
    /// Only the one with this id at this connection (connection, remote id).
    pub remote: Option<(String, String)>,
    /// Only those that any payload of this connection feeds.
    pub connection: Option<String>,
    /// Only those that changed after this, µs.
    pub updated_after: Option<i64>,
    /// Only those that changed behind this position of the change feed, as [`Tx::feed_end`] told it.
    pub changed_after: Option<i64>,
    /// Deleted ones too.
    pub include_deleted: bool,
    /// Only those of these org units.
    pub within: Option<Within>,
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Behind this id; ids never change, so that edits neither hide nor repeat a row.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// Values that are asked for at once.
const MANY: usize = 100;

/// The columns that [`read`] reads.
pub(crate) const FIELDS: &str = "tenant, entity, id, version, created_at, updated_at, deleted_at, body";

pub(crate) fn read(row: &Row<'_>) -> Result<RecordRow, ColumnError> {
    Ok(RecordRow {
        tenant: row.try_get("tenant")?,
        entity: row.try_get("entity")?,
        id: row.try_get("id")?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        deleted_at: row.try_get("deleted_at")?,
        body: Sealed(row.try_get("body")?),
    })
}

impl Tx {
    /// A record.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record(&mut self, tenant: &str, entity: &str, id: &str) -> Result<Option<RecordRow>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM records WHERE tenant = $1 AND entity = $2 AND id = $3"))
            .bind(tenant.to_owned())
            .bind(entity.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// Records of one entity in the order of their ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records(
        &mut self,
        tenant: &str,
        entity: &str,
        filter: RecordFilter,
        page: Page,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let mut text = format!("SELECT {FIELDS} FROM records WHERE tenant = $1 AND entity = $2 AND id > $3");
        let mut values = Vec::new();
        let mut next = 5;
        let mut add = |text: &mut String, condition: &str, given: Vec<String>| {
            let mut condition = condition.to_owned();
            for value in given {
                condition = condition.replacen('?', &format!("${next}"), 1);
                values.push(value);
                next += 1;
            }
            text.push_str(&condition);
        };
        if !filter.include_deleted {
            text.push_str(" AND deleted_at IS NULL");
        }
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in filter.equals {
            wanted.entry(entry.field).or_default().push(entry.value);
        }
        for (field, values) in wanted {
            let condition = format!(
                " AND id IN (SELECT id FROM record_index
                WHERE tenant = $1 AND entity = $2 AND field = ? AND value IN ({}))",
                vec!["?"; values.len()].join(", ")
            );
            add(&mut text, &condition, [field].into_iter().chain(values).collect());
        }
        let identity = " AND id IN (SELECT id FROM identities WHERE tenant = $1 AND entity = $2 AND connection = ?";
        if let Some((connection, remote_id)) = filter.remote {
            add(&mut text, &format!("{identity} AND remote_id = ?)"), vec![connection, remote_id]);
        } else if let Some(connection) = filter.connection {
            add(&mut text, &format!("{identity})"), vec![connection]);
        }
        if let Some(after) = filter.updated_after {
            text.push_str(&format!(" AND updated_at > {after}"));
        }
        if let Some(after) = filter.changed_after {
            // What has no position yet gets one behind all others.
            text.push_str(&format!(
                " AND id IN (
                    SELECT record FROM events WHERE tenant = $1 AND entity = $2 AND position > {after}
                    UNION SELECT record FROM events WHERE tenant = $1 AND entity = $2 AND position IS NULL)"
            ));
        }
        if let Some(within) = &filter.within
            && let Some(head) = within.head(entity, next)
        {
            text = format!("{head}{text} AND id IN (SELECT id FROM inside)");
            values.extend(within.values());
        }
        text.push_str(" ORDER BY id LIMIT $4");
        let mut statement =
            built(text).bind(tenant.to_owned()).bind(entity.to_owned()).bind(page.after).bind(page.limit);
        for value in values {
            statement = statement.bind(value);
        }
        self.all(statement, read).await
    }

    /// Records of an entity that have one of these values of a field, each with the value, by value and id; deleted
    /// ones only where they are wanted.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_by(
        &mut self,
        tenant: &str,
        entity: &str,
        field: &str,
        values: Vec<String>,
        include_deleted: bool,
    ) -> Result<Vec<(String, RecordRow)>, StoreError> {
        let there = if include_deleted { "" } else { "AND deleted_at IS NULL" };
        let mut found = Vec::new();
        for values in values.chunks(MANY) {
            let statement = built(format!(
                "SELECT {FIELDS}, by_value FROM records JOIN (
                     SELECT id AS by_id, value AS by_value FROM record_index
                     WHERE tenant = $1 AND entity = $2 AND field = $3 AND value IN ({})) AS wanted ON by_id = id
                 WHERE tenant = $1 AND entity = $2 {there} ORDER BY by_value, id",
                list_of(4, values.len())
            ))
            .bind(tenant.to_owned())
            .bind(entity.to_owned())
            .bind(field.to_owned());
            let statement = values.iter().fold(statement, |statement, value| statement.bind(value.clone()));
            found.extend(self.all(statement, |row| Ok((row.try_get("by_value")?, read(row)?))).await?);
        }
        Ok(found)
    }

    /// All versions of a record, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn history(&mut self, tenant: &str, entity: &str, id: &str) -> Result<Vec<StoredVersion>, StoreError> {
        let statement = sql("SELECT version, at, trace, raw, body FROM history
             WHERE tenant = $1 AND entity = $2 AND id = $3 ORDER BY version")
        .bind(tenant.to_owned())
        .bind(entity.to_owned())
        .bind(id.to_owned());
        self.all(statement, |row| {
            Ok(StoredVersion {
                version: row.try_get("version")?,
                at: row.try_get("at")?,
                trace: row.try_get("trace")?,
                raw: row.try_get("raw")?,
                body: Sealed(row.try_get("body")?),
            })
        })
        .await
    }

    /// The sealed document of a record as it was in a version.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record_version(
        &mut self,
        tenant: &str,
        entity: &str,
        id: &str,
        version: i64,
    ) -> Result<Option<Sealed>, StoreError> {
        let statement = sql("SELECT body FROM history WHERE tenant = $1 AND entity = $2 AND id = $3 AND version = $4")
            .bind(tenant.to_owned())
            .bind(entity.to_owned())
            .bind(id.to_owned())
            .bind(version);
        self.one(statement, |row| Ok(Sealed(row.try_get("body")?))).await
    }

    /// What a vendor's id means.
    ///
    /// # Errors
    /// The store fails.
    pub async fn identity(
        &mut self,
        tenant: &str,
        connection: &str,
        entity: &str,
        remote_id: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let statement = sql("SELECT id, vendor_time, received_at FROM identities
             WHERE tenant = $1 AND connection = $2 AND entity = $3 AND remote_id = $4")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(entity.to_owned())
        .bind(remote_id.to_owned());
        self.one(statement, |row| {
            Ok(Identity {
                id: row.try_get("id")?,
                vendor_time: row.try_get("vendor_time")?,
                received_at: row.try_get("received_at")?,
            })
        })
        .await
    }
}
