//! Records read through the API, requests per second and how long the slowest of a hundred takes: the first, a middle
//! and the last page of a collection, and single records; beside bare axum answering the same bytes.

use crate::program::fresh_folder;
use crate::report::Report;
use anyhow::{Context as _, ensure};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use hub_api::Api;
use hub_bus::Embedded;
use hub_flow::access::{ApiKeys, Grants, Scope, make_lone_key};
use hub_flow::admission::Admission;
use hub_flow::imports::Rules;
use hub_flow::records::{self, Target, Write};
use hub_flow::{Hub, HubOptions, Registry, Retention, Role, queues};
use hub_kit::{AllowPrivate, Client};
use hub_store::{MasterKey, Options, Store, job};
use hub_telemetry::Metrics;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Clock, Ids, TraceContext};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Connections that ask at once.
const CONNECTIONS: usize = 8;
/// Records that are written at once.
const BATCH: usize = 250;
/// Records that single requests are about.
const ASKED: usize = 1_000;

pub fn run(rounds: usize, seconds: u64, count: usize) -> anyhow::Result<Report> {
    let mut report = Report::new("api", "requests/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (name, url) in [
        ("sqlite", format!("sqlite://{}?mode=rwc", fresh_folder("api")?.join("hub.db").display())),
        ("postgres", hub_support::durable_postgres().new_database()),
    ] {
        runtime.block_on(on_store(&mut report, name, &url, count, rounds, Duration::from_secs(seconds)))?;
    }
    Ok(report)
}

async fn on_store(
    report: &mut Report,
    name: &str,
    url: &str,
    count: usize,
    rounds: usize,
    time: Duration,
) -> anyhow::Result<()> {
    let options = Options { url: url.to_owned(), ..Options::default() };
    let store = Store::open(&options, MasterKey::new([7; 32]), &Clock::System).await?;
    let hub = hub_on(store.clone())?;
    store.keyring().ensure(&store, &hub.clock, "default").await?;
    let made = make_lone_key("bench", "default", &Grants::of(Scope::Read), store.now());
    let (key, row) = (made.shown.expose().clone(), made.row.clone());
    let kept = store.write(job!(|tx| {
        tx.insert_app(row.app.clone()).await?;
        tx.insert_key(row).await
    }));
    kept.await?;
    let begun = Instant::now();
    let ids = fill(&hub, count).await?;
    eprintln!("{name}: {count} records written in {:.0} s", begun.elapsed().as_secs_f64());

    let keys = Arc::new(ApiKeys::new(store, None));
    let hub_at = serve(hub_api::router(Api {
        hub,
        keys,
        zone: TimeZone::UTC,
        payout: Arc::default(),
        presets: Arc::default(),
        portraits: Arc::default(),
    }))
    .await?;
    let (pages, walked) = walk(hub_at, &key, count).await?;
    eprintln!("{name}: read page by page in {:.0} s", walked.as_secs_f64());
    let mut contestants: Vec<(String, Vec<String>)> =
        pages.into_iter().map(|(page, path)| (format!("{name}, {page} page of 50"), vec![path])).collect();
    let step = (ids.len() / ASKED).max(1);
    let single = ids.iter().step_by(step).map(|id| format!("/v1/locations/{id}")).collect();
    contestants.push((format!("{name}, one record"), single));

    for _ in 0..rounds {
        for (what, paths) in &contestants {
            let mut one = Connection::open(hub_at, &key).await?;
            let same = one.ask(&paths[0]).await?.to_vec();
            let bare = Router::new().fallback(get(move || async move { ([(CONTENT_TYPE, "application/json")], same) }));
            let bare_at = serve(bare).await?;
            for (who, address) in [("hub", hub_at), ("hand", bare_at)] {
                let (answered, p99) = load(address, &key, paths, time).await?;
                let row = report.row(&format!("{who}, {what}"));
                row.values.push(answered);
                row.beside = vec![(p99, "µs at p99")];
            }
            report.pair(format!("hub, {what}"), format!("hand, {what}"));
        }
    }
    report.pair(format!("hub, {name}, last page of 50"), format!("hub, {name}, first page of 50"));
    Ok(())
}

fn hub_on(store: Store) -> anyhow::Result<Arc<Hub>> {
    Ok(Hub::new(HubOptions {
        node: Ids::new(Clock::System).next().to_string(),
        role: Role::All,
        public_url: "http://hub".into(),
        public_url_given: true,
        max_body_bytes: 1000,
        admission: Admission::new(100, 1_000_000),
        retention: Retention::default(),
        imports: Rules::default(),
        trust: hub_flow::trust::Rules::default(),
        store,
        bus: Arc::new(Embedded::open(&fresh_folder("api-bus")?, queues(&[]))?),
        clock: Clock::System,
        registry: Registry::default(),
        drivers: Vec::new(),
        consumers: Vec::new(),
        client: Client::new(AllowPrivate::new(Vec::new()))?,
        metrics: Metrics::new(),
    }))
}

/// Writes records; their ids.
async fn fill(hub: &Arc<Hub>, count: usize) -> anyhow::Result<Vec<String>> {
    let entity = hub_model::entity("location").context("no location")?;
    let ids: Vec<String> = (0..count).map(|_| hub.ids.next().to_string()).collect();
    for part in ids.chunks(BATCH) {
        let write = |id: &String| Write {
            entity,
            target: Target::New(id.clone()),
            fields: json!({ "name": "Plant", "code": id, "type": { "value": "OFFICE" },
                "address": { "lines": ["Century Avenue 1"], "city": "Shanghai", "country": "CN" } })
            .to_string(),
            ext: None,
            deleted: false,
            rules: Vec::new(),
            source: None,
        };
        let (inner, context, writes) = (Arc::clone(hub), TraceContext::begin(), part.iter().map(write).collect());
        let applied = hub.store.write(job!(|tx| { records::apply(&inner, tx, "default", &context, writes).await }));
        ensure!(applied.await?.is_ok_and(|all| all.len() == part.len()), "records were not written");
    }
    Ok(ids)
}

async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Reads the collection page by page; where the first, the middle and the last page of 50 are, and how long it took.
async fn walk(at: SocketAddr, key: &str, count: usize) -> anyhow::Result<(Vec<(&'static str, String)>, Duration)> {
    let begun = Instant::now();
    let mut connection = Connection::open(at, key).await?;
    let (mut cursors, mut read) = (vec![String::new()], 0);
    loop {
        let cursor = cursors.last().map(String::as_str).unwrap_or_default();
        let page: Value = serde_json::from_slice(connection.ask(&format!("/v1/locations?limit=500{cursor}")).await?)?;
        read += page["data"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(next) => cursors.push(format!("&cursor={next}")),
            None => break,
        }
    }
    ensure!(read == count, "{read} of {count} records were read");
    let path = |cursor: &String| format!("/v1/locations?limit=50{cursor}");
    let pages = [("first", 0), ("middle", cursors.len() / 2), ("last", cursors.len() - 1)];
    Ok((pages.map(|(name, index)| (name, path(&cursors[index]))).to_vec(), begun.elapsed()))
}

/// Requests answered per second, and the latency that one of a hundred passes, µs.
async fn load(at: SocketAddr, key: &str, paths: &[String], time: Duration) -> anyhow::Result<(f64, u64)> {
    let until = Instant::now() + time;
    let mut asking = Vec::new();
    for number in 0..CONNECTIONS {
        let mut connection = Connection::open(at, key).await?;
        let paths = paths.to_vec();
        asking.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for path in paths.iter().cycle().skip(number * 37) {
                let begun = Instant::now();
                if begun >= until {
                    break;
                }
                connection.ask(path).await?;
                took.push(u64::try_from(begun.elapsed().as_micros())?);
            }
            anyhow::Ok(took)
        }));
    }
    let mut took = Vec::new();
    for one in asking {
        took.extend(one.await??);
    }
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok((took.len() as f64 / time.as_secs_f64(), p99))
}

/// A connection that is kept: one request after the other.
struct Connection {
    stream: TcpStream,
    key: String,
    held: Vec<u8>,
}

impl Connection {
    async fn open(at: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, key: key.to_owned(), held: Vec::new() })
    }

    /// The body of the answer.
    async fn ask(&mut self, path: &str) -> anyhow::Result<&[u8]> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {}\r\n\r\n", self.key);
        self.stream.write_all(head.as_bytes()).await?;
        self.held.clear();
        let (mut begin, mut length) = (0, None);
        while length.is_none_or(|length: usize| self.held.len() < begin + length) {
            ensure!(self.stream.read_buf(&mut self.held).await? > 0, "the connection broke off");
            if length.is_none()
                && let Some(end) = self.held.windows(4).position(|four| four == b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&self.held[..end]).to_ascii_lowercase();
                ensure!(head.starts_with("http/1.1 200"), "{path}: {head}");
                let told = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                (begin, length) = (end + 4, Some(told.context("no content-length")?.trim().parse()?));
            }
        }
        Ok(&self.held[begin..])
    }
}
