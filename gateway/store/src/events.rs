//! Events: the outbox and the change feed are one table. An event is written with the change that it tells of; the
//! relay publishes it and gives it its position afterwards, because the order of a sequence is not the order of commits.

use crate::batches::batches;
use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of};

/// An event to publish. It names the record and the changed fields; it holds no values.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// `application.stage_changed`.
    pub kind: String,
    /// Entity of the record.
    pub entity: String,
    /// Hub id of the record.
    pub record: String,
    /// Version of the record.
    pub version: i64,
    /// The connection whose payload caused it.
    pub connection: Option<String>,
    /// When, µs.
    pub at: i64,
    /// `traceparent`.
    pub trace: String,
    /// The names of the fields that changed, separated by commas.
    pub changed: String,
}

/// An event that was written.
#[derive(Clone, Debug)]
pub struct Event {
    /// Order of writing.
    pub seq: i64,
    /// The event.
    pub new: NewEvent,
    /// Its position in the change feed, once it was published.
    pub position: Option<i64>,
}

/// The columns that [`read`] reads.
pub(crate) const FIELDS: &str =
    "seq, id, tenant, type, entity, record, version, connection, at, trace, changed, position";

pub(crate) fn read(row: &Row<'_>) -> Result<Event, ColumnError> {
    Ok(Event {
        seq: row.try_get("seq")?,
        new: NewEvent {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            kind: row.try_get("type")?,
            entity: row.try_get("entity")?,
            record: row.try_get("record")?,
            version: row.try_get("version")?,
            connection: row.try_get("connection")?,
            at: row.try_get("at")?,
            trace: row.try_get("trace")?,
            changed: row.try_get("changed")?,
        },
        position: row.try_get("position")?,
    })
}

impl Tx {
    /// Writes events into the outbox.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_events(&mut self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        for events in batches(events) {
            let mut statement = built(format!(
                "INSERT INTO events (id, tenant, type, entity, record, version, connection, at, trace, changed)
                 VALUES {}",
                rows_of(10, events.len())
            ));
            for event in events {
                statement = statement
                    .bind(event.id)
                    .bind(event.tenant)
                    .bind(event.kind)
                    .bind(event.entity)
                    .bind(event.record)
                    .bind(event.version)
                    .bind(event.connection)
                    .bind(event.at)
                    .bind(event.trace)
                    .bind(event.changed);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The oldest events that were not published.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unpublished_events(&mut self, limit: i64) -> Result<Vec<Event>, StoreError> {
        self.all(
            built(format!("SELECT {FIELDS} FROM events WHERE position IS NULL ORDER BY seq LIMIT $1")).bind(limit),
            read,
        )
        .await
    }

    /// Gives published events the next positions of the feed, in the order given. Only the holder of the relay's
    /// lease may call this.
    ///
    /// # Errors
    /// The store fails.
    pub async fn position_events(&mut self, seqs: Vec<i64>) -> Result<(), StoreError> {
        for placed in batches(seqs) {
            let mut statement = built(format!(
                "WITH published(place, seq) AS (VALUES {})
                 UPDATE events SET position = published.place + (SELECT COALESCE(MAX(position), 0) FROM events)
                 FROM published WHERE events.seq = published.seq AND events.position IS NULL",
                rows_of(2, placed.len())
            ));
            for (place, seq) in (1_i64..).zip(placed) {
                statement = statement.bind(place).bind(seq);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// Published events behind a position, in order.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed(&mut self, tenant: &str, after: i64, limit: i64) -> Result<Vec<Event>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM events WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3"
        ))
        .bind(tenant.to_owned())
        .bind(after)
        .bind(limit);
        self.all(statement, read).await
    }
}
