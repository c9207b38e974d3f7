//! The tables, and how they change from version to version.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::tx::{Tx, built, sql};
use std::time::Duration;

/// Each entry brings the schema from its index to the next version: one text per topic, beside the code that uses it.
/// Entries are only ever added. A newer program migrates while older ones run: tables and columns are added with
/// defaults, nothing that they use is changed, and every statement may be run twice.
const MIGRATIONS: &[&[&str]] = &[
    &[FIRST],
    &[
        crate::blobs::TABLES,
        crate::calls::COLUMNS,
        crate::circuits::TABLES,
        crate::doubts::TABLES,
        crate::inbox::COLUMNS,
        crate::parked::COLUMNS,
        crate::redrives::TABLES,
        crate::retention::INDEXES,
        crate::subscriptions::TABLES,
        crate::suspects::COLUMNS,
        crate::timers::TABLES,
    ],
    &[crate::rates::TABLES, crate::rounds::TABLES],
    &[crate::calls::BEGINNINGS],
    &[crate::imports::TABLES, crate::pushes::TABLES, crate::staged::TABLES],
    &[
        crate::answers::TABLES,
        crate::apps::TABLES,
        crate::attempts::TABLES,
        crate::audit::TABLES,
        crate::bulk::TABLES,
        crate::directory::TABLES,
        crate::events::TABLES,
        crate::match_keys::TABLES,
        crate::requests::TABLES,
        crate::subscriptions::COLUMNS,
    ],
    &[crate::links::TABLES],
];

/// The names of all tables that any version has made, in the order of their making.
pub(crate) fn table_names() -> Vec<String> {
    let mut names = vec!["meta".to_owned()];
    for text in MIGRATIONS.iter().copied().flatten() {
        let made = text.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(', '\n']).next());
        names.extend(made.map(str::to_owned));
    }
    names
}

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

/// The oldest version whose programs can work with the newest schema: everything since then was only added, with
/// defaults for those who do not know it. Raised when something is taken away, one release after the last program that
/// used it.
const READABLE_FROM: usize = 1;

/// The version of this program's schema.
pub(crate) const fn newest() -> usize {
    MIGRATIONS.len()
}

/// How long a change waits for a lock before it lets those behind it pass and tries again.
const LOCK_WITHIN: &str = "SET lock_timeout = '1s'";
const NEXT_TRY: Duration = Duration::from_millis(200);
/// Tries before a migration gives up: something holds a lock for minutes.
const TRIES: u32 = 300;

impl Tx {
    /// One at a time until the end of the transaction: what only one process may set up.
    pub(crate) async fn lock_schema(&mut self) -> Result<(), StoreError> {
        if let Some(lock) = self.dialect.schema_lock() {
            self.batch(lock).await?;
        }
        Ok(())
    }

    /// Brings the schema to the version `goal`, while older programs go on working. On SQLite it runs inside the
    /// caller's transaction. A server is changed statement by statement, each for itself: what was broken off is
    /// taken up again by the next process, and no lock is held for longer than one statement.
    pub(crate) async fn migrate(&mut self, goal: usize) -> Result<(), StoreError> {
        match self.dialect {
            Dialect::Sqlite => self.migrate_within(goal, false).await,
            Dialect::Postgres => {
                // Held by this connection, also if it breaks off.
                self.batch("SELECT pg_advisory_lock(72114894)").await?;
                self.migrate_within(goal, true).await?;
                self.batch("SET lock_timeout = 0; SELECT pg_advisory_unlock(72114894)").await
            }
        }
    }

    /// As [`Tx::migrate`], inside the caller's transaction or, where tables are `shared`, statement by statement.
    pub(crate) async fn migrate_within(&mut self, goal: usize, shared: bool) -> Result<(), StoreError> {
        self.run(sql("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")).await?;
        let version = self.meta("schema_version").await?.unwrap_or(0);
        if version >= goal {
            let readable_from = self.meta("schema_readable_from").await?.unwrap_or(version);
            if readable_from > goal {
                return Err(StoreError::Schema(format!(
                    "the store has schema version {version}, which programs older than version {readable_from} cannot \
                     work with; this program knows {goal}: use a newer hrhub"
                )));
            }
            return Ok(());
        }
        let texts: Vec<&'static str> = MIGRATIONS.iter().take(goal).skip(version).copied().flatten().copied().collect();
        for text in texts {
            self.apply(text, shared && version > 0).await?;
        }
        self.set_meta("schema_readable_from", READABLE_FROM.min(goal)).await?;
        self.set_meta("schema_version", goal).await
    }

    async fn meta(&mut self, name: &'static str) -> Result<Option<usize>, StoreError> {
        let statement = sql("SELECT value FROM meta WHERE name = $1").bind(name.to_owned());
        let value = self.one(statement, |row| row.try_get::<String, _>("value")).await?;
        let number = value.map(|value| value.parse());
        number.transpose().map_err(|_| StoreError::Schema(format!("the store's `{name}` is no number")))
    }

    async fn set_meta(&mut self, name: &'static str, value: usize) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO meta (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name.to_owned())
        .bind(value.to_string());
        self.run(statement).await.map(drop)
    }

    /// Runs the statements of a text. `used` says that other programs may be using the tables.
    async fn apply(&mut self, text: &str, used: bool) -> Result<(), StoreError> {
        let without_comments: String =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        for statement in self.dialect.ddl(&without_comments).split(';').map(str::trim).filter(|s| !s.is_empty()) {
            if self.dialect == Dialect::Sqlite || !used {
                self.run(built(statement.to_owned())).await?;
            } else if let Some(name) = index_name(statement) {
                self.build_index(statement, name).await?;
            } else {
                self.change(statement).await?;
            }
        }
        Ok(())
    }

    /// Changes a table that others use: they must not wait behind a lock that this waits for.
    async fn change(&mut self, statement: &str) -> Result<(), StoreError> {
        self.run(sql(LOCK_WITHIN)).await?;
        let mut tries = 0;
        loop {
            match self.run(built(statement.to_owned())).await {
                Err(error) if error.is_locked() && tries < TRIES => {
                    tries += 1;
                    tracing::info!(tries, "a table is in use; its change is tried again");
                    tokio::time::sleep(NEXT_TRY).await;
                }
                other => return other.map(drop),
            }
        }
    }

    /// Builds an index while others write. One that was broken off is useless, and built again.
    async fn build_index(&mut self, statement: &str, name: &str) -> Result<(), StoreError> {
        self.run(sql("SET lock_timeout = 0")).await?;
        let half = sql("SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
             WHERE c.relname = $1 AND NOT i.indisvalid AND pg_table_is_visible(c.oid)")
        .bind(name.to_owned());
        if self.one(half, |row| row.try_get::<String, _>("relname")).await?.is_some() {
            self.run(built(format!("DROP INDEX {name}"))).await?;
        }
        self.run(built(statement.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1))).await.map(drop)
    }
}

/// The name of the index that a statement makes.
fn index_name(statement: &str) -> Option<&str> {
    let rest = statement.strip_prefix("CREATE INDEX ").or_else(|| statement.strip_prefix("CREATE UNIQUE INDEX "))?;
    rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest).split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// On a server a second table or index of a name would be passed over in silence.
    #[test]
    fn no_two_topics_name_a_table_or_an_index_alike() {
        let mut names = BTreeSet::new();
        for text in MIGRATIONS.iter().copied().flatten() {
            for words in ["CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX "] {
                for name in text.split(words).skip(1).filter_map(|rest| rest.split([' ', '(', '\n']).next()) {
                    assert!(names.insert(name), "{name} is made twice");
                }
            }
        }
        assert!(names.len() > 20);
    }
}
