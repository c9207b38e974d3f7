//! Records, their history, who they are at which vendor, and the values to find them by.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, portions, rows_of, sql};

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
    /// Only those with all of these values.
    pub equals: Vec<IndexEntry>,
    /// Only the one with this id at this connection (connection, remote id).
    pub remote: Option<(String, String)>,
    /// Only those that any payload of this connection feeds.
    pub connection: Option<String>,
    /// Only those that changed after this, µs.
    pub updated_after: Option<i64>,
    /// Deleted ones too.
    pub include_deleted: bool,
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// Behind this id; ids never change, so that edits neither hide nor repeat a row.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "tenant, entity, id, version, created_at, updated_at, deleted_at, body";

fn read(row: &Row<'_>) -> Result<RecordRow, ColumnError> {
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
        for entry in filter.equals {
            let condition = " AND id IN (SELECT id FROM record_index
                WHERE tenant = $1 AND entity = $2 AND field = ? AND value = ?)";
            add(&mut text, condition, vec![entry.field, entry.value]);
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
        text.push_str(" ORDER BY id LIMIT $4");
        let mut statement =
            built(text).bind(tenant.to_owned()).bind(entity.to_owned()).bind(page.after).bind(page.limit);
        for value in values {
            statement = statement.bind(value);
        }
        self.all(statement, read).await
    }

    /// Writes a record and its history; the caller has read it in the same transaction.
    ///
    /// # Errors
    /// The store fails, or somebody else wrote this version.
    pub async fn put_record(
        &mut self,
        record: RecordRow,
        trace: &str,
        raw: Option<String>,
        index: Vec<IndexEntry>,
    ) -> Result<(), StoreError> {
        let RecordRow { tenant, entity, id, version, created_at, updated_at, deleted_at, body } = record;
        let statement =
            sql("INSERT INTO records (tenant, entity, id, version, created_at, updated_at, deleted_at, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant, entity, id) DO UPDATE SET version = excluded.version,
                 updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, body = excluded.body")
            .bind(tenant.clone())
            .bind(entity.clone())
            .bind(id.clone())
            .bind(version)
            .bind(created_at)
            .bind(updated_at)
            .bind(deleted_at)
            .bind(body.0.clone());
        self.run(statement).await?;
        // The primary key over the version turns a lost race into an error instead of a lost update.
        let statement = sql("INSERT INTO history (tenant, entity, id, version, at, trace, raw, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(tenant.clone())
        .bind(entity.clone())
        .bind(id.clone())
        .bind(version)
        .bind(updated_at)
        .bind(trace.to_owned())
        .bind(raw)
        .bind(body.0);
        self.run(statement).await?;
        let statement = sql("DELETE FROM record_index WHERE tenant = $1 AND entity = $2 AND id = $3")
            .bind(tenant.clone())
            .bind(entity.clone())
            .bind(id.clone());
        self.run(statement).await?;
        for index in portions(index) {
            let mut statement = built(format!(
                "INSERT INTO record_index (tenant, entity, field, value, id) VALUES {} ON CONFLICT DO NOTHING",
                rows_of(5, index.len())
            ));
            for entry in index {
                statement = statement
                    .bind(tenant.clone())
                    .bind(entity.clone())
                    .bind(entry.field)
                    .bind(entry.value)
                    .bind(id.clone());
            }
            self.run(statement).await?;
        }
        Ok(())
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

    /// Says what a vendor's id means, and how new the payload was that said so. What it means never changes; a payload
    /// without a vendor's time leaves the last one. `known` is the time of receipt that the caller has read.
    ///
    /// # Errors
    /// The store fails, or somebody else has said something about the id meanwhile.
    pub async fn put_identity(
        &mut self,
        tenant: &str,
        connection: &str,
        entity: &str,
        remote_id: &str,
        identity: Identity,
        known: Option<i64>,
    ) -> Result<(), StoreError> {
        let statement =
            sql("INSERT INTO identities (tenant, connection, entity, remote_id, id, vendor_time, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant, connection, entity, remote_id) DO UPDATE SET
                 vendor_time = COALESCE(excluded.vendor_time, identities.vendor_time),
                 received_at = excluded.received_at
             WHERE identities.received_at = $8
             RETURNING id")
            .bind(tenant.to_owned())
            .bind(connection.to_owned())
            .bind(entity.to_owned())
            .bind(remote_id.to_owned())
            .bind(identity.id.clone())
            .bind(identity.vendor_time)
            .bind(identity.received_at)
            .bind(known.unwrap_or(i64::MIN));
        let kept = self.one(statement, |row| row.try_get::<String, _>("id")).await?;
        if kept.as_deref() == Some(identity.id.as_str()) { Ok(()) } else { Err(StoreError::Raced) }
    }
}
