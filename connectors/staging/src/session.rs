//! One connection to a database: guarded, with limits of its own and the zone of the other side.

use crate::columns::Column;
use crate::dsn::{Dsn, Kind, Protection};
use crate::errors::{Phase, classify};
use crate::statement::Statement;
use hub_kit::client::SendError;
use hub_kit::{CallContext, CallError};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::tz::TimeZone;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Executor, MySqlConnection, PgConnection, Row as _, SqlSafeStr,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a statement may take, and how long it waits for a lock. Nobody at the other side waits for us longer.
const STATEMENT_SECS: u32 = 10;
const LOCK_SECS: u32 = 3;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of one host that are tried.
const ADDRESSES: usize = 3;

/// An open connection.
pub(crate) enum Db {
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

/// A session with a database.
pub(crate) struct Session {
    db: Db,
    pub(crate) kind: Kind,
    /// The server, such as `PostgreSQL 15.3`.
    pub(crate) server: String,
    /// Whether rows that others hold can be passed over.
    pub(crate) skips_locked: bool,
    pub(crate) known: BTreeMap<String, Arc<Vec<Column>>>,
    until: Instant,
}

impl Session {
    /// Connects as far as the guard of outgoing connections lets us.
    pub(crate) async fn open(cx: &CallContext<'_>) -> Result<Self, CallError> {
        let build = |reason: String| CallError::Build { operation: "the database".to_owned(), reason };
        let dsn = Dsn::parse(&cx.connection.setting("dsn").unwrap_or_default()).map_err(build)?;
        if !(cx.leave.held)() {
            return Err(CallError::NotSent(SendError::ClaimLost));
        }
        let reached = cx.client.reach(&dsn.host, dsn.port, &cx.connection.egress).await.map_err(CallError::NotSent)?;
        let protection = dsn.protection(reached.private);
        let mut last = None;
        for address in reached.addresses.iter().take(ADDRESSES) {
            let until = cx.leave.until.min(Instant::now() + CONNECT);
            match timeout_at(until, connect(&dsn, *address, protection)).await {
                Ok(Ok(db)) => {
                    let mut session = Self {
                        db,
                        kind: dsn.kind,
                        server: String::new(),
                        skips_locked: false,
                        known: BTreeMap::new(),
                        until: cx.leave.until,
                    };
                    session.prepare(cx).await?;
                    return Ok(session);
                }
                Ok(Err(error)) => {
                    let error = classify(&error, Phase::Connecting);
                    // A server that has answered says the same at its other addresses.
                    if !matches!(error, CallError::NotSent(_)) {
                        return Err(error);
                    }
                    last = Some(error);
                }
                Err(_) => last = Some(CallError::NotSent(SendError::NotSent("no connection in time".to_owned()))),
            }
        }
        Err(last.unwrap_or(CallError::NotSent(SendError::NoTime)))
    }

    /// Limits, zone and forms of the session; and what the server can do.
    async fn prepare(&mut self, cx: &CallContext<'_>) -> Result<(), CallError> {
        let zone = cx.connection.setting("time_zone");
        match self.kind {
            Kind::Postgres => {
                let settings = format!(
                    "SET statement_timeout = '{STATEMENT_SECS}s'; SET lock_timeout = '{LOCK_SECS}s'; \
                     SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; SET standard_conforming_strings = on"
                );
                self.simple(&settings).await?;
                if let Some(zone) = zone {
                    let mut statement = Statement::new(self.kind, "SELECT set_config('TimeZone', ");
                    statement.value(zone).push(", false)");
                    self.rows(&statement).await?;
                }
                let version = self.text("SELECT current_setting('server_version_num')").await?;
                let number: u32 = version.parse().unwrap_or(0);
                self.skips_locked = number >= 90_500;
                self.server = format!("PostgreSQL {}", self.text("SELECT current_setting('server_version')").await?);
            }
            Kind::MySql => {
                self.simple("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                let settings = format!(
                    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
                     innodb_lock_wait_timeout = {LOCK_SECS}, lock_wait_timeout = {LOCK_SECS}"
                );
                self.simple(&settings).await?;
                let version = self.text("SELECT VERSION()").await?;
                let maria = version.contains("MariaDB");
                // Each has its own words for it, older ones have none.
                let limit = if maria {
                    format!("SET SESSION max_statement_time = {STATEMENT_SECS}")
                } else {
                    format!("SET SESSION max_execution_time = {STATEMENT_SECS}000")
                };
                match self.simple(&limit).await {
                    Ok(()) | Err(CallError::Refused { .. }) => {}
                    Err(error) => return Err(error),
                }
                if let Some(zone) = zone {
                    self.set_zone(&zone, cx.clock.now()).await?;
                }
                self.skips_locked = mysql_skips_locked(&version, maria);
                self.server = if maria { format!("MariaDB {version}") } else { format!("MySQL {version}") };
            }
        }
        Ok(())
    }

    /// A server that has no table of zones knows offsets only.
    async fn set_zone(&mut self, zone: &str, now: Timestamp) -> Result<(), CallError> {
        let set = |zone: &str| {
            let mut statement = Statement::new(Kind::MySql, "SET SESSION time_zone = ");
            statement.value(zone.to_owned());
            statement
        };
        match self.run(&set(zone)).await {
            Err(CallError::Refused { .. }) => {}
            other => return other.map(drop),
        }
        let known = TimeZone::get(zone).map_err(|_| CallError::Build {
            operation: "the database".to_owned(),
            reason: "`time_zone` is no time zone such as Asia/Shanghai".to_owned(),
        })?;
        let secs = known.to_offset(now).seconds();
        let sign = if secs < 0 { '-' } else { '+' };
        let minutes = secs.abs() / 60;
        self.run(&set(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))).await.map(drop)
    }

    /// Statements without parameters or answers.
    pub(crate) async fn simple(&mut self, text: &str) -> Result<(), CallError> {
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        let doing = async {
            match &mut self.db {
                Db::Postgres(db) => db.execute(sqlx::raw_sql(text)).await.map(drop),
                Db::MySql(db) => db.execute(sqlx::raw_sql(text)).await.map(drop),
            }
        };
        in_time(self.until, doing).await
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn run(&mut self, statement: &Statement) -> Result<u64, CallError> {
        let text = AssertSqlSafe(statement.text.clone()).into_sql_str();
        let doing = async {
            match &mut self.db {
                Db::Postgres(db) => {
                    let query =
                        statement.values.iter().fold(sqlx::query(text), |query, value| query.bind(value.clone()));
                    db.execute(query).await.map(|done| done.rows_affected())
                }
                Db::MySql(db) => {
                    let query =
                        statement.values.iter().fold(sqlx::query(text), |query, value| query.bind(value.clone()));
                    db.execute(query).await.map(|done| done.rows_affected())
                }
            }
        };
        in_time(self.until, doing).await
    }

    /// Runs a statement; its rows, whose columns are texts or NULL.
    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Vec<Option<String>>>, CallError> {
        let text = AssertSqlSafe(statement.text.clone()).into_sql_str();
        let doing = async {
            let mut all = Vec::new();
            match &mut self.db {
                Db::Postgres(db) => {
                    let query =
                        statement.values.iter().fold(sqlx::query(text), |query, value| query.bind(value.clone()));
                    for row in db.fetch_all(query).await? {
                        let values = (0..row.len()).map(|index| row.try_get_unchecked::<Option<String>, _>(index));
                        all.push(values.collect::<Result<Vec<_>, _>>()?);
                    }
                }
                Db::MySql(db) => {
                    let query =
                        statement.values.iter().fold(sqlx::query(text), |query, value| query.bind(value.clone()));
                    for row in db.fetch_all(query).await? {
                        let values = (0..row.len()).map(|index| row.try_get_unchecked::<Option<String>, _>(index));
                        all.push(values.collect::<Result<Vec<_>, _>>()?);
                    }
                }
            }
            Ok(all)
        };
        in_time(self.until, doing).await
    }

    /// The one text that a statement without parameters gives; empty when there is none.
    pub(crate) async fn text(&mut self, text: &str) -> Result<String, CallError> {
        let rows = self.rows(&Statement::new(self.kind, text)).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten().unwrap_or_default())
    }

    pub(crate) async fn begin(&mut self) -> Result<(), CallError> {
        self.simple(if self.kind == Kind::Postgres { "BEGIN" } else { "START TRANSACTION" }).await
    }

    /// Commits; without an answer nobody knows whether it did.
    pub(crate) async fn commit(&mut self) -> Result<(), CallError> {
        match self.simple("COMMIT").await {
            Err(CallError::NotSent(error)) => Err(CallError::NoAnswer(error)),
            other => other,
        }
    }

    /// Takes back what was done since the transaction began, if the connection still lives.
    pub(crate) async fn roll_back(&mut self) {
        let _ = self.simple("ROLLBACK").await;
    }

    /// Says good-bye; a connection that is dropped without it is noted in the other side's log.
    pub(crate) async fn say_good_bye(self) {
        let closing = async {
            match self.db {
                Db::Postgres(db) => db.close().await,
                Db::MySql(db) => db.close().await,
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), closing).await;
    }
}

async fn in_time<T>(until: Instant, doing: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, CallError> {
    if until <= Instant::now() {
        return Err(CallError::NotSent(SendError::NoTime));
    }
    match timeout_at(until, doing).await {
        Ok(result) => result.map_err(|error| classify(&error, Phase::Working)),
        Err(_) => Err(CallError::NoAnswer(SendError::NoAnswer("timed out".to_owned()))),
    }
}

/// MySQL from 8.0.1, MariaDB from 10.6.
fn mysql_skips_locked(version: &str, maria: bool) -> bool {
    // Old replication clients were told 5.5.5 before the real version.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor, patch) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if maria { (major, minor) >= (10, 6) } else { (major, minor, patch) >= (8, 0, 1) }
}

async fn connect(dsn: &Dsn, address: SocketAddr, protection: Protection) -> Result<Db, sqlx::Error> {
    // Where the certificate proves the name, the name is what is connected to; else the address that was looked at.
    let host = match protection {
        Protection::VerifyFull => dsn.host.clone(),
        _ => address.ip().to_string(),
    };
    match dsn.kind {
        Kind::Postgres => {
            let mode = match protection {
                Protection::Disabled => PgSslMode::Disable,
                Protection::Prefer => PgSslMode::Prefer,
                Protection::Require => PgSslMode::Require,
                Protection::VerifyCa => PgSslMode::VerifyCa,
                Protection::VerifyFull => PgSslMode::VerifyFull,
            };
            let mut options = PgConnectOptions::new_without_pgpass()
                .host(&host)
                .port(dsn.port)
                .username(&dsn.user)
                .password(dsn.password.expose())
                .database(&dsn.database)
                .ssl_mode(mode)
                .application_name("hrhub")
                // The server's own: a number as people wrote it.
                .extra_float_digits(None)
                .statement_cache_capacity(0)
                .disable_statement_logging();
            if let Some(authorities) = &dsn.authorities {
                options = options.ssl_root_cert(authorities);
            }
            options.connect().await.map(Db::Postgres)
        }
        Kind::MySql => {
            let mode = match protection {
                Protection::Disabled => MySqlSslMode::Disabled,
                Protection::Prefer => MySqlSslMode::Preferred,
                Protection::Require => MySqlSslMode::Required,
                Protection::VerifyCa => MySqlSslMode::VerifyCa,
                Protection::VerifyFull => MySqlSslMode::VerifyIdentity,
            };
            let mut options = MySqlConnectOptions::new()
                .host(&host)
                .port(dsn.port)
                .username(&dsn.user)
                .password(dsn.password.expose())
                .database(&dsn.database)
                .ssl_mode(mode)
                .timezone(None)
                .pipes_as_concat(false)
                .no_engine_substitution(false)
                .statement_cache_capacity(0)
                .disable_statement_logging();
            if let Some(authorities) = &dsn.authorities {
                options = options.ssl_ca(authorities);
            }
            options.connect().await.map(Db::MySql)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_version() {
        for (version, maria, wanted) in [
            ("8.0.36", false, true),
            ("8.0.0-dmr", false, false),
            ("5.7.44-log", false, false),
            ("10.11.19-MariaDB-0+deb12u1", true, true),
            ("5.5.5-10.5.23-MariaDB", true, false),
            ("5.5.5-10.6.1-MariaDB-log", true, true),
            ("9.1.0", false, true),
        ] {
            assert_eq!(mysql_skips_locked(version, maria), wanted, "{version}");
        }
    }
}
