//! Payloads as received.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, portions, rows_of, sql};
use std::collections::BTreeSet;

/// A payload to keep.
#[derive(Clone, Debug)]
pub struct NewRaw {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// The vendor's event id, or a hash: one payload per tenant, connection and dedupe id.
    pub dedupe_id: String,
    /// The payload that this one completes, when it was fetched for another.
    pub parent: Option<String>,
    /// When it was received, µs.
    pub received_at: i64,
    /// Its `traceparent`.
    pub trace: String,
    /// SHA-256 of the body as received, hex.
    pub sha256: String,
    /// The sealed body.
    pub body: Sealed,
}

/// A payload that was kept.
#[derive(Clone, Debug)]
pub struct Raw {
    /// What was kept.
    pub new: NewRaw,
    /// The event's name, once it was mapped.
    pub event: Option<String>,
    /// The version of the mapping that read it, once one did.
    pub mapping: Option<String>,
    /// `new`, `done`, `ignored` or `parked`.
    pub state: String,
}

/// Which payloads to list.
#[derive(Clone, Debug, Default)]
pub struct RawFilter {
    /// Only those of this connection.
    pub connection: Option<String>,
    /// Only those in this state.
    pub state: Option<String>,
    /// Only those that were received after this, µs.
    pub received_after: Option<i64>,
}

/// Where a repetition of a payload may lie under another dedupe id.
#[derive(Clone, Debug)]
pub struct Near {
    /// The other dedupe ids.
    pub dedupe_ids: [String; 2],
    /// How far from each other repetitions are received, µs.
    pub within: i64,
}

pub(crate) fn read(row: &Row<'_>) -> Result<Raw, ColumnError> {
    let mut raw = without_body(row)?;
    raw.new.body = Sealed(row.try_get("body")?);
    Ok(raw)
}

fn without_body(row: &Row<'_>) -> Result<Raw, ColumnError> {
    Ok(Raw {
        new: NewRaw {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            connection: row.try_get("connection")?,
            dedupe_id: row.try_get("dedupe_id")?,
            parent: row.try_get("parent")?,
            received_at: row.try_get("received_at")?,
            trace: row.try_get("trace")?,
            sha256: row.try_get("sha256")?,
            body: Sealed(Vec::new()),
        },
        event: row.try_get("event")?,
        mapping: row.try_get("mapping")?,
        state: row.try_get("state")?,
    })
}

impl Tx {
    /// Keeps payloads; the ids of those that were new.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_raws(&mut self, raws: Vec<NewRaw>) -> Result<BTreeSet<String>, StoreError> {
        let mut new = BTreeSet::new();
        for raws in portions(raws) {
            let mut statement = built(format!(
                "INSERT INTO raws (id, tenant, connection, dedupe_id, parent, received_at, trace, sha256, body, state)
                 VALUES {} ON CONFLICT DO NOTHING RETURNING id",
                rows_of(10, raws.len())
            ));
            for raw in raws {
                statement = statement
                    .bind(raw.id)
                    .bind(raw.tenant)
                    .bind(raw.connection)
                    .bind(raw.dedupe_id)
                    .bind(raw.parent)
                    .bind(raw.received_at)
                    .bind(raw.trace)
                    .bind(raw.sha256)
                    .bind(raw.body.0)
                    .bind("new".to_owned());
            }
            new.extend(self.all(statement, |row| row.try_get::<String, _>("id")).await?);
        }
        Ok(new)
    }

    /// Keeps payloads that repeat nothing, neither by their own dedupe id nor by those beside it; the ids of those that
    /// were new.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_new_raws(&mut self, raws: Vec<(NewRaw, Option<Near>)>) -> Result<BTreeSet<String>, StoreError> {
        let (mut new, mut waiting) = (BTreeSet::new(), Vec::new());
        for (raw, near) in raws {
            if let Some(near) = near {
                // What was given before it counts, too.
                new.extend(self.insert_raws(std::mem::take(&mut waiting)).await?);
                if self.is_near(&raw, near).await? {
                    continue;
                }
            }
            waiting.push(raw);
        }
        new.extend(self.insert_raws(waiting).await?);
        Ok(new)
    }

    async fn is_near(&mut self, raw: &NewRaw, near: Near) -> Result<bool, StoreError> {
        let [before, behind] = near.dedupe_ids;
        let statement = sql("SELECT id FROM raws WHERE tenant = $1 AND connection = $2 AND dedupe_id IN ($3, $4)
                 AND received_at > $5 AND received_at < $6 AND id <> $7 LIMIT 1")
        .bind(raw.tenant.clone())
        .bind(raw.connection.clone())
        .bind(before)
        .bind(behind)
        .bind(raw.received_at - near.within)
        .bind(raw.received_at + near.within)
        .bind(raw.id.clone());
        Ok(self.one(statement, |row| row.try_get::<String, _>("id")).await?.is_some())
    }

    /// A payload.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raw(&mut self, tenant: &str, id: &str) -> Result<Option<Raw>, StoreError> {
        let statement = sql(
            "SELECT id, tenant, connection, dedupe_id, parent, event, mapping, state, received_at, trace, sha256, body
             FROM raws WHERE tenant = $1 AND id = $2",
        )
        .bind(tenant.to_owned())
        .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// Payloads without their bodies, the newest first, from before an id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raws(
        &mut self,
        tenant: &str,
        filter: RawFilter,
        before: Option<String>,
        limit: i64,
    ) -> Result<Vec<Raw>, StoreError> {
        let mut text = "SELECT id, tenant, connection, dedupe_id, parent, event, mapping, state, received_at, trace,
                 sha256 FROM raws WHERE tenant = $1"
            .to_owned();
        let mut values = Vec::new();
        for (condition, value) in [("id <", before), ("connection =", filter.connection), ("state =", filter.state)] {
            if let Some(value) = value {
                values.push(value);
                text.push_str(&format!(" AND {condition} ${}", values.len() + 2));
            }
        }
        if let Some(after) = filter.received_after {
            text.push_str(&format!(" AND received_at > {after}"));
        }
        text.push_str(" ORDER BY id DESC LIMIT $2");
        let statement = built(text).bind(tenant.to_owned()).bind(limit);
        let statement = values.into_iter().fold(statement, |statement, value| statement.bind(value));
        self.all(statement, without_body).await
    }

    /// Notes what became of a payload.
    ///
    /// # Errors
    /// The store fails.
    pub async fn finish_raw(
        &mut self,
        id: &str,
        state: &'static str,
        event: Option<String>,
        mapping: Option<String>,
    ) -> Result<(), StoreError> {
        let statement = sql("UPDATE raws SET state = $2, event = $3, mapping = $4 WHERE id = $1")
            .bind(id.to_owned())
            .bind(state.to_owned())
            .bind(event)
            .bind(mapping);
        self.run(statement).await.map(drop)
    }

    /// Notes that a payload needs a person; what it said so far stays.
    ///
    /// # Errors
    /// The store fails.
    pub async fn park_raw(&mut self, id: &str) -> Result<(), StoreError> {
        self.run(sql("UPDATE raws SET state = 'parked' WHERE id = $1").bind(id.to_owned())).await.map(drop)
    }

    /// How many payloads there are in each state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raw_states(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        self.all(sql("SELECT state, COUNT(*) AS n FROM raws GROUP BY state ORDER BY state"), |row| {
            Ok((row.try_get("state")?, row.try_get("n")?))
        })
        .await
    }
}
