//! What one message says about records, all of it together: a statement or two for each table, however many records
//! it is about.

use crate::batches::batches;
use crate::error::StoreError;
use crate::records::{Identity, IndexEntry, RecordRow, read};
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};
use std::collections::BTreeMap;

/// What a vendor calls a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteId {
    /// Connection.
    pub connection: String,
    /// Entity.
    pub entity: String,
    /// The id there.
    pub remote_id: String,
}

fn remote(row: &Row<'_>) -> Result<RemoteId, ColumnError> {
    Ok(RemoteId {
        connection: row.try_get("connection")?,
        entity: row.try_get("entity")?,
        remote_id: row.try_get("remote_id")?,
    })
}

/// A vendor's id and what is said about it.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// The vendor's id.
    pub remote: RemoteId,
    /// What it means.
    pub identity: Identity,
    /// The time of receipt that the caller has read, µs; `None` when it has found nothing.
    pub known: Option<i64>,
}

/// Entity and hub id.
pub type RecordId = (String, String);

/// A version of a record to write.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// The record as it is from now on.
    pub row: RecordRow,
    /// The payload behind it.
    pub raw: Option<String>,
    /// The values to find it by; `None` when they stay as they are.
    pub index: Option<Vec<IndexEntry>>,
}

/// The last of several versions of a record.
struct Last {
    row: RecordRow,
    index: Option<Vec<IndexEntry>>,
    /// Whether the record was there before.
    was: bool,
}

/// The last version of each record, in the order in which the records come first.
fn last_of_each(versions: &[NewVersion]) -> Vec<Last> {
    let mut places: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut all: Vec<Last> = Vec::with_capacity(versions.len());
    for NewVersion { row, index, .. } in versions {
        let place = *places.entry((&row.tenant, &row.entity, &row.id)).or_insert(all.len());
        match all.get_mut(place) {
            Some(last) => {
                last.row.clone_from(row);
                last.index = index.clone().or_else(|| last.index.take());
            }
            None => all.push(Last { row: row.clone(), index: index.clone(), was: row.version > 1 }),
        }
    }
    all
}

impl Tx {
    /// What vendors' ids mean, as far as they are known.
    ///
    /// # Errors
    /// The store fails.
    pub async fn identities(
        &mut self,
        tenant: &str,
        wanted: Vec<RemoteId>,
    ) -> Result<BTreeMap<RemoteId, Identity>, StoreError> {
        let mut found = BTreeMap::new();
        for wanted in batches(wanted) {
            let count = wanted.len();
            let mut statement = built(format!(
                "WITH wanted(connection, entity, remote_id) AS (VALUES {})
                 SELECT i.connection, i.entity, i.remote_id, i.id, i.vendor_time, i.received_at
                 FROM wanted w JOIN identities i ON i.tenant = ${} AND i.connection = w.connection
                     AND i.entity = w.entity AND i.remote_id = w.remote_id",
                rows_of(3, count),
                3 * count + 1
            ));
            for remote in wanted {
                statement = statement.bind(remote.connection).bind(remote.entity).bind(remote.remote_id);
            }
            let rows = self.all(statement.bind(tenant.to_owned()), |row| {
                let identity = Identity {
                    id: row.try_get("id")?,
                    vendor_time: row.try_get("vendor_time")?,
                    received_at: row.try_get("received_at")?,
                };
                Ok((remote(row)?, identity))
            });
            found.extend(rows.await?);
        }
        Ok(found)
    }

    /// Forgets ids that vendors have changed into others.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_identities(&mut self, tenant: &str, remotes: Vec<RemoteId>) -> Result<(), StoreError> {
        for remote in remotes {
            let statement = sql("DELETE FROM identities
                WHERE tenant = $1 AND connection = $2 AND entity = $3 AND remote_id = $4");
            let statement =
                statement.bind(tenant.to_owned()).bind(remote.connection).bind(remote.entity).bind(remote.remote_id);
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Says what vendors' ids mean, and how new the payload was that said so; each id once. What one means never
    /// changes; a payload without a vendor's time leaves the last one.
    ///
    /// # Errors
    /// The store fails, or somebody else has said something about one of the ids since the caller has read it.
    pub async fn put_identities(&mut self, tenant: &str, identities: Vec<NewIdentity>) -> Result<(), StoreError> {
        for identities in batches(identities) {
            let known: Vec<String> = (0..identities.len())
                .map(|row| [2, 3, 4, 8].map(|column| format!("${}", row * 8 + column)).join(", "))
                .collect();
            let rows: Vec<String> = (0..identities.len())
                .map(|row| (1..8).map(|column| format!("${}", row * 8 + column)).collect::<Vec<_>>().join(", "))
                .collect();
            let mut statement = built(format!(
                "INSERT INTO identities (tenant, connection, entity, remote_id, id, vendor_time, received_at)
                 VALUES ({})
                 ON CONFLICT (tenant, connection, entity, remote_id) DO UPDATE SET
                     vendor_time = COALESCE(excluded.vendor_time, identities.vendor_time),
                     received_at = excluded.received_at
                 WHERE (identities.connection, identities.entity, identities.remote_id, identities.received_at)
                     IN (VALUES ({}))
                 RETURNING connection, entity, remote_id, id",
                rows.join("), ("),
                known.join("), (")
            ));
            let mut said = BTreeMap::new();
            for NewIdentity { remote, identity, known } in identities {
                statement = statement
                    .bind(tenant.to_owned())
                    .bind(remote.connection.clone())
                    .bind(remote.entity.clone())
                    .bind(remote.remote_id.clone())
                    .bind(identity.id.clone())
                    .bind(identity.vendor_time)
                    .bind(identity.received_at)
                    .bind(known.unwrap_or(i64::MIN));
                said.insert(remote, identity.id);
            }
            let kept = self.all(statement, |row| Ok((remote(row)?, row.try_get::<String, _>("id")?)));
            if kept.await?.into_iter().collect::<BTreeMap<_, _>>() != said {
                return Err(StoreError::Raced);
            }
        }
        Ok(())
    }

    /// Records, as far as they are there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn stored_records(
        &mut self,
        tenant: &str,
        wanted: Vec<RecordId>,
    ) -> Result<BTreeMap<RecordId, RecordRow>, StoreError> {
        let mut found = BTreeMap::new();
        for wanted in batches(wanted) {
            let count = wanted.len();
            let mut statement = built(format!(
                "WITH wanted(entity, id) AS (VALUES {})
                 SELECT r.tenant, r.entity, r.id, r.version, r.created_at, r.updated_at, r.deleted_at, r.body
                 FROM wanted w JOIN records r ON r.tenant = ${} AND r.entity = w.entity AND r.id = w.id",
                rows_of(2, count),
                2 * count + 1
            ));
            for (entity, id) in wanted {
                statement = statement.bind(entity).bind(id);
            }
            let rows = self.all(statement.bind(tenant.to_owned()), read).await?;
            found.extend(rows.into_iter().map(|row| ((row.entity.clone(), row.id.clone()), row)));
        }
        Ok(found)
    }

    /// Writes new versions of records of one tenant and their history, in this order; the caller has read the last ones
    /// in the same transaction. One record may have several.
    ///
    /// # Errors
    /// The store fails, or somebody else wrote one of these versions.
    pub async fn put_records(&mut self, trace: &str, versions: Vec<NewVersion>) -> Result<(), StoreError> {
        let Some(tenant) = versions.first().map(|version| version.row.tenant.clone()) else { return Ok(()) };
        let (mut rows, mut outdated, mut index) = (Vec::new(), Vec::new(), Vec::new());
        for Last { row, index: entries, was } in last_of_each(&versions) {
            if let Some(entries) = entries {
                index.extend(entries.into_iter().map(|entry| (row.entity.clone(), row.id.clone(), entry)));
                if was {
                    outdated.push((row.entity.clone(), row.id.clone()));
                }
            }
            rows.push(row);
        }
        self.put_rows(rows).await?;
        self.put_history(trace, versions).await?;
        self.clear_index(&tenant, outdated).await?;
        for index in batches(index) {
            let mut statement = built(format!(
                "INSERT INTO record_index (tenant, entity, field, value, id) VALUES {} ON CONFLICT DO NOTHING",
                rows_of(5, index.len())
            ));
            for (entity, id, IndexEntry { field, value }) in index {
                statement = statement.bind(tenant.clone()).bind(entity).bind(field).bind(value).bind(id);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn clear_index(&mut self, tenant: &str, records: Vec<RecordId>) -> Result<(), StoreError> {
        for records in batches(records) {
            let count = records.len();
            // SQLite looks rows up by an index only where the list of rows is a table.
            let mut statement = built(format!(
                "WITH cleared(entity, id) AS (VALUES {})
                 DELETE FROM record_index WHERE tenant = ${} AND (entity, id) IN (SELECT entity, id FROM cleared)",
                rows_of(2, count),
                2 * count + 1
            ));
            for (entity, id) in records {
                statement = statement.bind(entity).bind(id);
            }
            self.run(statement.bind(tenant.to_owned())).await?;
        }
        Ok(())
    }

    async fn put_rows(&mut self, rows: Vec<RecordRow>) -> Result<(), StoreError> {
        for rows in batches(rows) {
            let mut statement = built(format!(
                "INSERT INTO records (tenant, entity, id, version, created_at, updated_at, deleted_at, body)
                 VALUES {}
                 ON CONFLICT (tenant, entity, id) DO UPDATE SET version = excluded.version,
                     updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, body = excluded.body",
                rows_of(8, rows.len())
            ));
            for row in rows {
                statement = statement
                    .bind(row.tenant)
                    .bind(row.entity)
                    .bind(row.id)
                    .bind(row.version)
                    .bind(row.created_at)
                    .bind(row.updated_at)
                    .bind(row.deleted_at)
                    .bind(row.body.0);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The primary key over the version turns a lost race into an error instead of a lost update.
    async fn put_history(&mut self, trace: &str, versions: Vec<NewVersion>) -> Result<(), StoreError> {
        for versions in batches(versions) {
            let mut statement = built(format!(
                "INSERT INTO history (tenant, entity, id, version, at, trace, raw, body) VALUES {}",
                rows_of(8, versions.len())
            ));
            for NewVersion { row, raw, .. } in versions {
                statement = statement
                    .bind(row.tenant)
                    .bind(row.entity)
                    .bind(row.id)
                    .bind(row.version)
                    .bind(row.updated_at)
                    .bind(trace.to_owned())
                    .bind(raw)
                    .bind(row.body.0);
            }
            self.run(statement).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Sealed;

    #[test]
    fn of_several_versions_the_last_counts_and_the_first_tells_whether_the_record_is_new() {
        let version = |id: &str, version: i64, index: Option<&str>| NewVersion {
            row: RecordRow {
                tenant: "t".into(),
                entity: "job".into(),
                id: id.into(),
                version,
                created_at: 1,
                updated_at: 1,
                deleted_at: None,
                body: Sealed(vec![]),
            },
            raw: None,
            index: index.map(|value| vec![IndexEntry { field: "f".into(), value: value.into() }]),
        };
        let versions =
            [version("b", 1, Some("x")), version("a", 4, None), version("b", 2, None), version("a", 5, Some("y"))];
        let last = last_of_each(&versions);
        let told: Vec<_> = last
            .iter()
            .map(|last| {
                let value = last.index.iter().flatten().next().map(|entry| entry.value.as_str());
                (last.row.id.as_str(), last.row.version, value, last.was)
            })
            .collect();
        assert_eq!(told, [("b", 2, Some("x"), false), ("a", 5, Some("y"), true)]);
    }
}
