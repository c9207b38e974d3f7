//! What needs a person.

use crate::error::StoreError;
use crate::tx::{Tx, sql};
use sqlx::Row;

/// Something to park.
#[derive(Clone, Debug)]
pub struct NewParked {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Connection; empty when there is none.
    pub connection: String,
    /// The step that could not go on: `map`, `call`, a consumer's name.
    pub step: String,
    /// A stable code to group by.
    pub code: String,
    /// What is wrong, without personal values.
    pub reason: String,
    /// `file:line:column`, where one is to blame.
    pub place: String,
    /// Trace id.
    pub trace: String,
    /// What lies parked: `raw`, `event` or `call`.
    pub kind: String,
    /// Its id.
    pub reference: String,
    /// Since when, µs.
    pub at: i64,
}

/// Something that lies parked.
#[derive(Clone, Debug)]
pub struct Parked {
    /// What was parked.
    pub new: NewParked,
    /// When it was resolved, µs.
    pub resolved_at: Option<i64>,
}

/// Which parked things to list.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Only of this connection.
    pub connection: Option<String>,
    /// Only with this code.
    pub code: Option<String>,
    /// Behind this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Parks something.
    ///
    /// # Errors
    /// The store fails.
    pub async fn park(&mut self, parked: NewParked) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO parked (id, tenant, connection, step, code, reason, place, trace, kind,
                                 reference, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (id) DO NOTHING")
        .bind(parked.id)
        .bind(parked.tenant)
        .bind(parked.connection)
        .bind(parked.step)
        .bind(parked.code)
        .bind(parked.reason)
        .bind(parked.place)
        .bind(parked.trace)
        .bind(parked.kind)
        .bind(parked.reference)
        .bind(parked.at);
        self.run(statement).await.map(drop)
    }

    /// What lies parked, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn parked(&mut self, tenant: &str, filter: ParkedFilter) -> Result<Vec<Parked>, StoreError> {
        let statement = sql("SELECT * FROM parked WHERE tenant = $1 AND resolved_at IS NULL AND id > $2
                 AND ($3 = '' OR connection = $3) AND ($4 = '' OR code = $4) ORDER BY id LIMIT $5")
        .bind(tenant.to_owned())
        .bind(filter.after)
        .bind(filter.connection.unwrap_or_default())
        .bind(filter.code.unwrap_or_default())
        .bind(filter.limit);
        self.all(statement, |row| {
            Ok(Parked {
                new: NewParked {
                    id: row.try_get("id")?,
                    tenant: row.try_get("tenant")?,
                    connection: row.try_get("connection")?,
                    step: row.try_get("step")?,
                    code: row.try_get("code")?,
                    reason: row.try_get("reason")?,
                    place: row.try_get("place")?,
                    trace: row.try_get("trace")?,
                    kind: row.try_get("kind")?,
                    reference: row.try_get("reference")?,
                    at: row.try_get("at")?,
                },
                resolved_at: row.try_get("resolved_at")?,
            })
        })
        .await
    }
}
