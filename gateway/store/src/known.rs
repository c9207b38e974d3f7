//! What was known of records at a time that has passed, from their history.

use crate::batches::batches;
use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::records::{Page, RecordRow};
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};
use crate::versions::RecordId;
use std::collections::BTreeMap;

/// A former version as a record. History does not say since when there was a record, nor that it was deleted: its
/// document does.
fn read(row: &Row<'_>) -> Result<RecordRow, ColumnError> {
    let at = row.try_get("at")?;
    Ok(RecordRow {
        tenant: row.try_get("tenant")?,
        entity: row.try_get("entity")?,
        id: row.try_get("id")?,
        version: row.try_get("version")?,
        created_at: at,
        updated_at: at,
        deleted_at: None,
        body: Sealed(row.try_get("body")?),
    })
}

impl Tx {
    /// Records of one entity as they were known at a time (µs), in the order of their ids. Those that were known as
    /// deleted are among them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn records_known(
        &mut self,
        tenant: &str,
        entity: &str,
        at: i64,
        page: Page,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let statement = sql("SELECT h.tenant, h.entity, h.id, h.version, h.at, h.body FROM history h
             WHERE h.tenant = $1 AND h.entity = $2 AND h.id > $3 AND h.at <= $4 AND h.version = (
                 SELECT MAX(l.version) FROM history l
                 WHERE l.tenant = h.tenant AND l.entity = h.entity AND l.id = h.id AND l.at <= $4)
             ORDER BY h.id LIMIT $5")
        .bind(tenant.to_owned())
        .bind(entity.to_owned())
        .bind(page.after)
        .bind(at)
        .bind(page.limit);
        self.all(statement, read).await
    }

    /// Records as they were known at a time (µs), as far as they were.
    ///
    /// # Errors
    /// The store fails.
    pub async fn known_records(
        &mut self,
        tenant: &str,
        at: i64,
        wanted: Vec<RecordId>,
    ) -> Result<BTreeMap<RecordId, RecordRow>, StoreError> {
        let mut found = BTreeMap::new();
        for wanted in batches(wanted) {
            let (owner, time) = (2 * wanted.len() + 1, 2 * wanted.len() + 2);
            let mut statement = built(format!(
                "WITH wanted(entity, id) AS (VALUES {})
                 SELECT h.tenant, h.entity, h.id, h.version, h.at, h.body
                 FROM wanted w JOIN history h ON h.tenant = ${owner} AND h.entity = w.entity AND h.id = w.id
                 WHERE h.version = (
                     SELECT MAX(l.version) FROM history l
                     WHERE l.tenant = h.tenant AND l.entity = h.entity AND l.id = h.id AND l.at <= ${time})",
                rows_of(2, wanted.len())
            ));
            for (entity, id) in wanted {
                statement = statement.bind(entity).bind(id);
            }
            let rows = self.all(statement.bind(tenant.to_owned()).bind(at), read).await?;
            found.extend(rows.into_iter().map(|row| ((row.entity.clone(), row.id.clone()), row)));
        }
        Ok(found)
    }
}
