//! Events: the outbox and the change feed are one table. An event is written with the change that it tells of; the
//! relay publishes it and gives it its position afterwards, because the order of a sequence is not the order of commits.

use crate::batches::batches;
use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};
use std::collections::BTreeMap;

pub(crate) const TABLES: &str = "
CREATE INDEX events_feed ON events (tenant, position) WHERE position IS NOT NULL;
-- The last position of each tenant whose event is not kept any more: who stands before it has missed something.
CREATE TABLE feed_floors (tenant TEXT PRIMARY KEY, position BIGINT NOT NULL);
";

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

    /// The last position of the feed that a tenant's events were forgotten up to; 0 if none were.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed_floor(&mut self, tenant: &str) -> Result<i64, StoreError> {
        let statement = sql("SELECT position FROM feed_floors WHERE tenant = $1").bind(tenant.to_owned());
        Ok(self.one(statement, |row| row.try_get("position")).await?.unwrap_or(0))
    }

    /// The last position of the feed, over all tenants.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed_end(&mut self) -> Result<i64, StoreError> {
        let statement = sql("SELECT COALESCE(MAX(position), 0) AS place FROM events");
        Ok(self.one(statement, |row| row.try_get("place")).await?.unwrap_or(0))
    }

    /// Forgets published events from before `before`, and notes up to where. The last position stays: positions only
    /// rise.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_events(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let statement =
            sql("DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE position IS NOT NULL AND at < $1
             AND position < (SELECT MAX(position) FROM events) LIMIT $2) RETURNING tenant, position")
            .bind(before)
            .bind(limit);
        let gone =
            self.all(statement, |row| Ok((row.try_get::<String, _>("tenant")?, row.try_get::<i64, _>("position")?)));
        let gone = gone.await?;
        let mut floors: BTreeMap<&str, i64> = BTreeMap::new();
        for (tenant, position) in &gone {
            let floor = floors.entry(tenant).or_default();
            *floor = (*floor).max(*position);
        }
        for (tenant, position) in floors {
            let statement = sql("INSERT INTO feed_floors (tenant, position) VALUES ($1, $2)
                 ON CONFLICT (tenant) DO UPDATE SET position = excluded.position
                 WHERE feed_floors.position < excluded.position")
            .bind(tenant.to_owned())
            .bind(position);
            self.run(statement).await?;
        }
        Ok(u64::try_from(gone.len()).unwrap_or(0))
    }
}
