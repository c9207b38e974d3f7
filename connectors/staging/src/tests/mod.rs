//! Against real servers: everything that a table of either database can do to the hub, and the other way round.

mod marks;
mod outbound;
mod status;

use crate::Staging;
use crate::session::Session;
use async_trait::async_trait;
use hub_kit::auth::TokenStore;
use hub_kit::client::{AllowPrivate, loopback};
use hub_kit::manifest::Table;
use hub_kit::tables::Looked;
use hub_kit::{CallContext, CallError, Client, Connection, Driver, Leave, Manifest, Reply, Tokens};
use hub_support::{mariadb, postgres};
use hub_tree::env::Environment;
use hub_tree::{Clock, Findings, Private, Source, TraceContext};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

struct NoTokens;

#[async_trait]
impl TokenStore for NoTokens {
    fn name(&self, _: &str, _: &[u8]) -> String {
        String::new()
    }

    async fn get(&self, _: &str, _: &str) -> Option<(Private<String>, i64)> {
        None
    }

    async fn put(&self, _: &str, _: &str, _: &Private<String>, _: i64) {}

    async fn lock(&self, _: &str) -> bool {
        false
    }

    async fn unlock(&self, _: &str) {}
}

/// A database of another system, and the hub's connection to it.
struct Bench {
    url: String,
    database: String,
    connection: Connection,
    client: Client,
    tokens: Tokens,
    clock: Clock,
}

const BOTH: [&str; 2] = ["postgres", "mysql"];

impl Bench {
    /// A new database with these tables, as `setup` makes them; words in braces are the database's own:
    /// `{stamp}` a time column, `{text}` a long text.
    async fn new(kind: &str, setup: &str, manifest: &str) -> Self {
        let (kind, setup, manifest) = (kind.to_owned(), setup.to_owned(), manifest.to_owned());
        tokio::task::spawn_blocking(move || Self::make(&kind, &setup, &manifest, "")).await.unwrap()
    }

    fn make(kind: &str, setup: &str, manifest: &str, user: &str) -> Self {
        let (url, database) = if kind == "postgres" {
            let url = postgres().new_database();
            let database = url.rsplit('/').next().unwrap().to_owned();
            (url, database)
        } else {
            let database = mariadb().new_database();
            (mariadb().url(&database), database)
        };
        let url = if user.is_empty() {
            url
        } else {
            format!("{}{user}@{}", &url[..url.find("//").unwrap() + 2], url.split_once('@').unwrap().1)
        };
        let findings = Findings::new();
        let text = format!("version: 1\nvendor: heron\nname: Heron\nfamily: erp\ndriver: staging\n{manifest}");
        let manifest = Manifest::compile("heron", &Source::new("m.yaml", text), &findings).map(Arc::new);
        let text =
            format!("id: heron-main\nconnector: heron\nsettings: {{ dsn: \"{url}\", time_zone: Asia/Shanghai }}\n");
        let find = |_: &str| manifest.clone();
        let source = Source::new("connections/heron.yaml", text);
        let connection = Connection::compile(&source, &Environment::of([]), find, &["heron"], &findings);
        let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        let connection = connection.unwrap_or_else(|| panic!("{problems:?}"));
        let client = Client::new(AllowPrivate::new(loopback())).unwrap();
        let tokens = Tokens::new(Arc::new(NoTokens), Clock::System);
        let bench = Self { url, database, connection, client, tokens, clock: Clock::System };
        for statement in setup.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
            bench.sql_now(statement);
        }
        bench
    }

    fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    fn sql_now(&self, statement: &str) -> String {
        if self.is_postgres() {
            postgres().sql_in(&self.database, &statement.replace("{stamp}", "timestamp(6)"))
        } else {
            let statement = statement.replace("{stamp}", "datetime(6)").replace('"', "`");
            mariadb().sql_in(&self.database, &statement).replace('\t', "|")
        }
    }

    /// Runs a statement as the other side; lines of what it prints, columns with `|` between.
    async fn sql(&self, statement: &str) -> Vec<String> {
        let (url, database, statement) = (self.url.clone(), self.database.clone(), statement.to_owned());
        let text = tokio::task::spawn_blocking(move || {
            if url.starts_with("postgres") {
                postgres().sql_in(&database, &statement)
            } else {
                mariadb().sql_in(&database, &statement.replace('"', "`")).replace('\t', "|")
            }
        });
        text.await.unwrap().lines().map(str::to_owned).collect()
    }

    fn table(&self) -> &Table {
        &self.connection.manifest.tables[0]
    }

    fn context<'c>(&'c self, held: &'c (dyn Fn() -> bool + Send + Sync)) -> CallContext<'c> {
        CallContext {
            connection: &self.connection,
            client: &self.client,
            tokens: &self.tokens,
            trace: TraceContext::begin(),
            call_id: "call",
            leave: Leave { until: Instant::now() + Duration::from_secs(60), held },
            spools: false,
            clock: &self.clock,
        }
    }

    async fn session(&self) -> Session {
        let held = || true;
        Session::open(&self.context(&held)).await.unwrap()
    }

    async fn call(&self, operation: &str, args: &str) -> Result<Reply, CallError> {
        let held = || true;
        let operation = self.connection.manifest.operation(operation).unwrap();
        Staging.call(&self.context(&held), operation, args.as_bytes()).await
    }

    async fn look(&self) -> Vec<Looked> {
        let held = || true;
        Staging.look(&self.context(&held)).await
    }
}
