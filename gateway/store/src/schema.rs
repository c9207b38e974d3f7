//! The tables, and how they change from version to version.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::tx::{Tx, built, sql};
use sqlx::Row;

/// Each entry brings the schema from its index to the next version: one text per topic, beside the code that uses it.
/// Entries are only ever added.
const MIGRATIONS: &[&[&str]] = &[
    &[FIRST],
    &[crate::subscriptions::TABLES, crate::timers::TABLES, crate::parked::COLUMNS, crate::redrives::TABLES],
];

const FIRST: &str = "
CREATE TABLE tenant_keys (
    tenant TEXT NOT NULL, id TEXT NOT NULL, sealed {blob} NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id));

-- Payloads as received. The body is sealed; headers and method are inside it.
CREATE TABLE raws (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, connection TEXT NOT NULL, dedupe_id TEXT NOT NULL, parent TEXT,
    event TEXT, mapping TEXT, state TEXT NOT NULL, received_at BIGINT NOT NULL, trace TEXT NOT NULL,
    sha256 TEXT NOT NULL, body {blob} NOT NULL);
CREATE UNIQUE INDEX raws_dedupe ON raws (tenant, connection, dedupe_id);

CREATE TABLE records (
    tenant TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at BIGINT, body {blob} NOT NULL,
    PRIMARY KEY (tenant, entity, id));
CREATE INDEX records_updated ON records (tenant, entity, updated_at, id);

-- Which record a vendor's id means, and how new the last payload about it was.
CREATE TABLE identities (
    tenant TEXT NOT NULL, connection TEXT NOT NULL, entity TEXT NOT NULL, remote_id TEXT NOT NULL,
    id TEXT NOT NULL, vendor_time BIGINT, received_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, connection, entity, remote_id));
CREATE INDEX identities_record ON identities (tenant, entity, id);

-- Values to filter by: order-preserving text, a keyed hash where the field is personal.
CREATE TABLE record_index (
    tenant TEXT NOT NULL, entity TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (tenant, entity, field, value, id));
CREATE INDEX record_index_record ON record_index (tenant, entity, id);

CREATE TABLE history (
    tenant TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL,
    at BIGINT NOT NULL, trace TEXT NOT NULL, raw TEXT, body {blob} NOT NULL,
    PRIMARY KEY (tenant, entity, id, version));

-- Outbox and change feed in one: a row without a position has not been published.
CREATE TABLE events (
    seq {serial}, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, type TEXT NOT NULL, entity TEXT NOT NULL,
    record TEXT NOT NULL, version BIGINT NOT NULL, connection TEXT, at BIGINT NOT NULL, trace TEXT NOT NULL,
    changed TEXT NOT NULL, position BIGINT);
CREATE INDEX events_open ON events (seq) WHERE position IS NULL;
CREATE UNIQUE INDEX events_position ON events (position);

-- Work to do once per consumer and message. Done rows stay for a while: they are the mark against redelivery.
CREATE TABLE inbox (
    seq {serial}, consumer TEXT NOT NULL, message TEXT NOT NULL, tenant TEXT NOT NULL, connection TEXT NOT NULL,
    order_key TEXT NOT NULL, state TEXT NOT NULL, tries BIGINT NOT NULL, available_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL, owner TEXT NOT NULL, trace TEXT NOT NULL, body TEXT NOT NULL,
    received_at BIGINT NOT NULL);
CREATE UNIQUE INDEX inbox_message ON inbox (consumer, message);
CREATE INDEX inbox_ready ON inbox (consumer, available_at) WHERE state = 'ready';
CREATE INDEX inbox_order ON inbox (consumer, tenant, order_key, seq) WHERE state IN ('ready', 'running');

-- Outgoing calls. `key` is the business reference under which a call is made once.
CREATE TABLE calls (
    seq {serial}, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, connection TEXT NOT NULL, operation TEXT NOT NULL,
    key TEXT NOT NULL, order_key TEXT NOT NULL, state TEXT NOT NULL, tries BIGINT NOT NULL,
    available_at BIGINT NOT NULL, lease_until BIGINT NOT NULL, owner TEXT NOT NULL, created_at BIGINT NOT NULL,
    unsure BIGINT NOT NULL, done_at BIGINT, trace TEXT NOT NULL, subject TEXT NOT NULL, body {blob} NOT NULL, error TEXT);
CREATE UNIQUE INDEX calls_key ON calls (tenant, connection, key);
CREATE INDEX calls_ready ON calls (available_at) WHERE state = 'ready';
CREATE INDEX calls_order ON calls (tenant, connection, order_key, seq) WHERE state IN ('ready', 'running');

CREATE TABLE journeys (
    trace TEXT PRIMARY KEY, tenant TEXT NOT NULL, started_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
    steps BIGINT NOT NULL, trouble BIGINT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX journeys_started ON journeys (tenant, started_at);
CREATE TABLE journey_steps (
    trace TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, at BIGINT NOT NULL, step TEXT NOT NULL,
    system TEXT NOT NULL, result TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (trace, id));

CREATE TABLE parked (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, connection TEXT NOT NULL, step TEXT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, place TEXT NOT NULL, trace TEXT NOT NULL, kind TEXT NOT NULL, reference TEXT NOT NULL,
    at BIGINT NOT NULL, resolved_at BIGINT);
CREATE INDEX parked_open ON parked (tenant, at) WHERE resolved_at IS NULL;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, tenant TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL, revoked_at BIGINT);

-- The text of every mapping that ever made a record, so that an old one can still be explained.
CREATE TABLE mappings (
    version TEXT PRIMARY KEY, id TEXT NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL, first_used_at BIGINT NOT NULL);

CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL);

CREATE TABLE tokens (
    tenant TEXT NOT NULL, name TEXT NOT NULL, sealed {blob} NOT NULL, expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name));
";

impl Tx {
    /// One at a time until the end of the transaction: what only one process may set up.
    pub(crate) async fn lock_schema(&mut self) -> Result<(), StoreError> {
        if let Some(lock) = self.dialect.schema_lock() {
            // The lock's result is void, which the driver-neutral layer cannot read; it need not.
            sqlx::raw_sql(lock).execute(self.conn()).await?;
        }
        Ok(())
    }

    /// Brings the schema to this program's version.
    pub(crate) async fn migrate(&mut self) -> Result<(), StoreError> {
        let dialect = self.dialect;
        self.lock_schema().await?;
        self.run(sql("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")).await?;
        let version = self
            .one(sql("SELECT value FROM meta WHERE name = 'schema_version'"), |row| row.try_get::<String, _>("value"))
            .await?;
        let version = match version.as_deref().map(str::parse::<usize>) {
            None => 0,
            Some(Ok(version)) => version,
            Some(Err(_)) => return Err(StoreError::Schema("the store's schema version is no number".to_owned())),
        };
        if version > MIGRATIONS.len() {
            return Err(StoreError::Schema(format!(
                "the store has schema version {version}; this program knows {}: use a newer hrhub",
                MIGRATIONS.len()
            )));
        }
        for text in MIGRATIONS[version..].iter().copied().flatten() {
            self.apply(dialect, text).await?;
        }
        let now = MIGRATIONS.len().to_string();
        self.run(
            sql("INSERT INTO meta (name, value) VALUES ('schema_version', $1)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(now),
        )
        .await?;
        Ok(())
    }

    async fn apply(&mut self, dialect: Dialect, text: &str) -> Result<(), StoreError> {
        let without_comments: String =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        for statement in dialect.ddl(&without_comments).split(';').map(str::trim).filter(|s| !s.is_empty()) {
            self.run(built(statement.to_owned())).await?;
        }
        Ok(())
    }
}
