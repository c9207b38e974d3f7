//! By what humans are known again: keyed hashes of identity numbers, addresses and the like, beside the records that
//! hold them. The values themselves are nowhere in here.

use crate::batches::batches;
use crate::error::StoreError;
use crate::tx::{Tx, built, rows_of, sql};
use crate::versions::RecordId;

pub(crate) const TABLES: &str = "
-- What a record has in common with others that may be about the same human. `value` is a keyed hash.
CREATE TABLE match_keys (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, value, entity, id));
CREATE INDEX match_keys_record ON match_keys (tenant, entity, id);
";

/// One key: its kind, and the keyed hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatchKey {
    /// What it is made of, such as `phone`.
    pub kind: String,
    /// The hash.
    pub value: String,
}

impl Tx {
    /// The keys of a record, in order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn match_keys(&mut self, tenant: &str, (entity, id): &RecordId) -> Result<Vec<MatchKey>, StoreError> {
        let statement = sql("SELECT kind, value FROM match_keys
             WHERE tenant = $1 AND entity = $2 AND id = $3 ORDER BY kind, value")
        .bind(tenant.to_owned())
        .bind(entity.clone())
        .bind(id.clone());
        self.all(statement, |row| Ok(MatchKey { kind: row.try_get("kind")?, value: row.try_get("value")? })).await
    }

    /// Says by which keys a record is known from now on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_match_keys(
        &mut self,
        tenant: &str,
        (entity, id): &RecordId,
        keys: Vec<MatchKey>,
    ) -> Result<(), StoreError> {
        let statement = sql("DELETE FROM match_keys WHERE tenant = $1 AND entity = $2 AND id = $3")
            .bind(tenant.to_owned())
            .bind(entity.clone())
            .bind(id.clone());
        self.run(statement).await?;
        for keys in batches(keys) {
            let mut statement = built(format!(
                "INSERT INTO match_keys (tenant, kind, value, entity, id) VALUES {} ON CONFLICT DO NOTHING",
                rows_of(5, keys.len())
            ));
            for key in keys {
                statement = statement
                    .bind(tenant.to_owned())
                    .bind(key.kind)
                    .bind(key.value)
                    .bind(entity.clone())
                    .bind(id.clone());
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The records that have a key, at most `limit`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn matches(&mut self, tenant: &str, key: &MatchKey, limit: i64) -> Result<Vec<RecordId>, StoreError> {
        let statement = sql("SELECT entity, id FROM match_keys WHERE tenant = $1 AND kind = $2 AND value = $3
             ORDER BY entity, id LIMIT $4")
        .bind(tenant.to_owned())
        .bind(key.kind.clone())
        .bind(key.value.clone())
        .bind(limit);
        self.all(statement, |row| Ok((row.try_get("entity")?, row.try_get("id")?))).await
    }
}
