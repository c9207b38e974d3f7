//! The text of every mapping that ever made a record.

use crate::error::StoreError;
use crate::tx::{Tx, sql};

/// A mapping as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingText {
    /// The hash of its text.
    pub version: String,
    /// `greenhouse/application.in`.
    pub id: String,
    /// The path of its file.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Tx {
    /// Keeps a mapping's text, once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_mapping(&mut self, mapping: MappingText, now: i64) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO mappings (version, id, path, text, first_used_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (version) DO NOTHING")
        .bind(mapping.version)
        .bind(mapping.id)
        .bind(mapping.path)
        .bind(mapping.text)
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// A mapping's text by version.
    ///
    /// # Errors
    /// The store fails.
    pub async fn mapping(&mut self, version: &str) -> Result<Option<MappingText>, StoreError> {
        self.one(
            sql("SELECT version, id, path, text FROM mappings WHERE version = $1").bind(version.to_owned()),
            |row| {
                Ok(MappingText {
                    version: row.try_get("version")?,
                    id: row.try_get("id")?,
                    path: row.try_get("path")?,
                    text: row.try_get("text")?,
                })
            },
        )
        .await
    }
}
