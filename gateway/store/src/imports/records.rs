//! The records that an import wrote, records to compare a file with, and trials, which go as a whole.

use super::{Row, StoreError, Tx};
use crate::batches::batches;
use crate::row::ColumnError;
use crate::tx::{built, list_of, rows_of, sql};
use std::collections::BTreeMap;

/// A record that an import wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its entity.
    pub entity: String,
    /// Its hub id.
    pub id: String,
    /// The row of the file that wrote it first.
    pub number: i64,
    /// Its version before; 0 when the import made it.
    pub before: i64,
    /// The version that the import left.
    pub after: i64,
    /// Empty, `undone`, or `kept` when somebody had changed it since.
    pub state: String,
}

/// Ids of records by the value of a field.
pub type Found = BTreeMap<String, Vec<String>>;

fn read(row: &Row<'_>) -> Result<Written, ColumnError> {
    Ok(Written {
        entity: row.try_get("entity")?,
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        before: row.try_get("before")?,
        after: row.try_get("after")?,
        state: row.try_get("state")?,
    })
}

/// Tables whose rows belong to a tenant and make up its records.
const OF_A_TRIAL: [&str; 5] = ["records", "record_index", "history", "identities", "raws"];

impl Tx {
    /// Notes which records an import wrote; of one that it had written before, the version before stays.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_written(&mut self, import: &str, written: Vec<Written>) -> Result<(), StoreError> {
        // One statement cannot touch one row twice.
        let mut each: BTreeMap<(String, String), Written> = BTreeMap::new();
        for one in written {
            let key = (one.entity.clone(), one.id.clone());
            each.entry(key).and_modify(|known| known.after = one.after).or_insert(one);
        }
        for written in batches(each.into_values().collect::<Vec<_>>()) {
            let mut statement = built(format!(
                "INSERT INTO import_records (import, entity, id, number, before, after, state) VALUES {}
                 ON CONFLICT (import, entity, id) DO UPDATE SET after = excluded.after",
                rows_of(7, written.len())
            ));
            for one in written {
                statement = statement
                    .bind(import.to_owned())
                    .bind(one.entity)
                    .bind(one.id)
                    .bind(one.number)
                    .bind(one.before)
                    .bind(one.after)
                    .bind(one.state);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Records that an import wrote, in this state, the last rows first: what was written last is undone first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn written(&mut self, import: &str, state: &str, limit: i64) -> Result<Vec<Written>, StoreError> {
        let statement = sql("SELECT entity, id, number, before, after, state FROM import_records
             WHERE import = $1 AND state = $2 ORDER BY number DESC, entity DESC, id LIMIT $3")
        .bind(import.to_owned())
        .bind(state.to_owned())
        .bind(limit);
        self.all(statement, read).await
    }

    /// Records that one row of an import wrote.
    ///
    /// # Errors
    /// The store fails.
    pub async fn written_by_row(&mut self, import: &str, number: i64) -> Result<Vec<Written>, StoreError> {
        let statement = sql("SELECT entity, id, number, before, after, state FROM import_records
             WHERE import = $1 AND number = $2 ORDER BY entity, id")
        .bind(import.to_owned())
        .bind(number);
        self.all(statement, read).await
    }

    /// How many records of each entity an import made and changed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn written_counts(&mut self, import: &str) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let statement = sql("SELECT entity, CAST(SUM(CASE WHEN before = 0 THEN 1 ELSE 0 END) AS BIGINT) AS made,
                 CAST(SUM(CASE WHEN before = 0 THEN 0 ELSE 1 END) AS BIGINT) AS changed
             FROM import_records WHERE import = $1 GROUP BY entity ORDER BY entity")
        .bind(import.to_owned());
        self.all(statement, |row| Ok((row.try_get("entity")?, row.try_get("made")?, row.try_get("changed")?))).await
    }

    /// Notes what became of records that were to be undone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn end_written(
        &mut self,
        import: &str,
        ends: Vec<(String, String, &'static str)>,
    ) -> Result<(), StoreError> {
        for (entity, id, state) in ends {
            let statement = sql("UPDATE import_records SET state = $4 WHERE import = $1 AND entity = $2 AND id = $3")
                .bind(import.to_owned())
                .bind(entity)
                .bind(id)
                .bind(state);
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Records that are not deleted, by values of an indexed field.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_by_values(
        &mut self,
        (tenant, entity, field): (&str, &str, &str),
        values: Vec<String>,
    ) -> Result<Found, StoreError> {
        let mut found = Found::new();
        for values in batches(values) {
            let mut statement = built(format!(
                "SELECT i.value, i.id FROM record_index i
                 JOIN records r ON r.tenant = i.tenant AND r.entity = i.entity AND r.id = i.id
                 WHERE i.tenant = $1 AND i.entity = $2 AND i.field = $3 AND i.value IN ({}) AND r.deleted_at IS NULL
                 ORDER BY i.value, i.id",
                list_of(4, values.len())
            ))
            .bind(tenant.to_owned())
            .bind(entity.to_owned())
            .bind(field.to_owned());
            for value in values {
                statement = statement.bind(value);
            }
            let rows =
                self.all(statement, |row| Ok((row.try_get::<String, _>("value")?, row.try_get::<String, _>("id")?)));
            for (value, id) in rows.await? {
                found.entry(value).or_default().push(id);
            }
        }
        Ok(found)
    }

    /// Records that are not deleted, by all values of an indexed field.
    ///
    /// # Errors
    /// The store fails.
    pub async fn index_values(&mut self, (tenant, entity, field): (&str, &str, &str)) -> Result<Found, StoreError> {
        let statement = sql("SELECT i.value, i.id FROM record_index i
             JOIN records r ON r.tenant = i.tenant AND r.entity = i.entity AND r.id = i.id
             WHERE i.tenant = $1 AND i.entity = $2 AND i.field = $3 AND r.deleted_at IS NULL ORDER BY i.value, i.id")
        .bind(tenant.to_owned())
        .bind(entity.to_owned())
        .bind(field.to_owned());
        let rows = self.all(statement, |row| Ok((row.try_get::<String, _>("value")?, row.try_get::<String, _>("id")?)));
        let mut found = Found::new();
        for (value, id) in rows.await? {
            found.entry(value).or_default().push(id);
        }
        Ok(found)
    }

    /// What a connection's ids of an entity mean: remote id and hub id, behind a remote id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn identities_of(
        &mut self,
        (tenant, connection, entity): (&str, &str, &str),
        after: &str,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let statement = sql("SELECT remote_id, id FROM identities
             WHERE tenant = $1 AND connection = $2 AND entity = $3 AND remote_id > $4 ORDER BY remote_id LIMIT $5")
        .bind(tenant.to_owned())
        .bind(connection.to_owned())
        .bind(entity.to_owned())
        .bind(after.to_owned())
        .bind(limit);
        self.all(statement, |row| Ok((row.try_get("remote_id")?, row.try_get("id")?))).await
    }

    /// How many records of an entity a tenant has that are not deleted.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count_records(&mut self, tenant: &str, entity: &str) -> Result<i64, StoreError> {
        let statement = sql("SELECT COUNT(*) AS n FROM records
             WHERE tenant = $1 AND entity = $2 AND deleted_at IS NULL")
        .bind(tenant.to_owned())
        .bind(entity.to_owned());
        self.count(statement).await
    }

    /// Removes all that a trial's tenant holds. No event was ever told of it, and nobody else's rows are its own.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_trial(&mut self, trial: &str) -> Result<(), StoreError> {
        for table in OF_A_TRIAL {
            self.run(built(format!("DELETE FROM {table} WHERE tenant = $1")).bind(trial.to_owned())).await?;
        }
        Ok(())
    }

    /// Forgets which records an import wrote: its trial is gone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_written(&mut self, import: &str) -> Result<(), StoreError> {
        self.run(sql("DELETE FROM import_records WHERE import = $1").bind(import.to_owned())).await.map(drop)
    }

    /// Imports that were applied to a trial, and are to be rolled back with it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn imports_into(&mut self, tenant: &str, trial: &str) -> Result<Vec<String>, StoreError> {
        let statement = sql("SELECT id FROM imports WHERE tenant = $1 AND into_tenant = $2
             AND state IN ('APPLYING', 'APPLIED', 'UNDOING') ORDER BY id")
        .bind(tenant.to_owned())
        .bind(trial.to_owned());
        self.all(statement, |row| row.try_get("id")).await
    }
}
