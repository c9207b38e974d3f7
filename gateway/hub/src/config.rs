//! `hub.yaml` and the folder around it.

mod import;
mod payslips;
mod trust;

use crate::assets;
use crate::cli::Place;
use crate::say;
use anyhow::{Context as _, bail};
use hub_api::limits::RequestLimits;
use hub_flow::{Admission, Retention, Role, imports, trust as asked};
use hub_kit::{Catalog, connection};
use hub_payroll::out::payslip::Face;
use hub_tree::env::Environment;
use hub_tree::finding::Span;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Findings, Source};
use ipnet::IpNet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A configuration folder, read and checked.
pub(crate) struct Config {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Where to listen.
    pub(crate) listen: String,
    /// Where data is kept.
    pub(crate) data: PathBuf,
    /// Where vendors and people reach the hub; derived from `listen` if not given.
    public_url: Option<String>,
    /// What this process does.
    pub(crate) role: Role,
    pub(crate) bus: BusKind,
    pub(crate) store: StoreKind,
    /// Private networks that calls may reach.
    pub(crate) allow_private: Vec<IpNet>,
    pub(crate) max_body_bytes: usize,
    /// How long requests are answered after it was asked to stop, so that load balancers see it coming.
    drain: Option<Duration>,
    /// What every request may ask at most.
    pub(crate) request_limits: RequestLimits,
    /// How many web hooks may be under way.
    pub(crate) admission: Admission,
    /// How long what is kept.
    pub(crate) retention: Retention,
    /// What is configured about imports.
    pub(crate) imports: imports::Rules,
    /// What the region asks of decisions about people.
    pub(crate) trust: asked::Rules,
    /// The font that payslips are printed with.
    pub(crate) face: Option<Face>,
    /// Where the people are who look at the console.
    pub(crate) time_zone: TimeZone,
    /// Whether facial expressions may count in interview scores.
    pub(crate) expressions: bool,
    /// The `flows` section and the file it stands in.
    pub(crate) flows: Option<(Node, Arc<Source>)>,
    /// The `console` section and the file it stands in.
    pub(crate) console: Option<(Node, Arc<Source>)>,
    /// Variables that files may name.
    pub(crate) environment: Environment,
    /// What ships with the program, and the folder's files over it.
    pub(crate) catalog: Catalog,
    /// The connection files.
    pub(crate) connections: Vec<Arc<Source>>,
}

/// Which bus.
pub(crate) enum BusKind {
    Embedded,
    RabbitMq { url: String, prefix: String },
}

/// Which store.
pub(crate) enum StoreKind {
    Sqlite { max_bytes: Option<u64> },
    Postgres { url: String, max_connections: u32 },
}

/// The tables alone need a part of it.
const SMALLEST_STORE: i64 = 1_000_000;
const MAX_BODY_BYTES: i64 = 5_000_000;
/// Longer than load balancers take to ask `/readyz` a few times.
const EDGE_DRAINS: Duration = Duration::from_secs(5);
const LONGEST_DRAIN_SECS: i64 = 600;
/// Web hooks under way at once, and bytes of their bodies; each body lies in memory several times for a moment.
const MAX_INFLIGHT_REQUESTS: i64 = 1_000;
const MAX_INFLIGHT_BYTES: i64 = 32_000_000;
/// What fits into a message of the bus, with its headers and sealed.
const LARGEST_BODY: i64 = 12_000_000;

impl Config {
    /// Reads the folder that the command line names; warnings are printed.
    ///
    /// # Errors
    /// `hub.yaml` has errors, which are printed too, or cannot be read.
    pub(crate) fn at(place: &Place) -> anyhow::Result<Self> {
        let findings = Findings::new();
        let mut config = Self::read(&place.config, &findings)?;
        let broken = findings.has_errors();
        say::findings(&findings.into_sorted());
        if broken {
            bail!("{} cannot be used as it is", place.config.join("hub.yaml").display());
        }
        if let Some(data) = &place.data {
            config.data.clone_from(data);
        }
        Ok(config)
    }

    /// Reads `hub.yaml` of a folder, and which files lie around it. Problems of `hub.yaml` go to `findings`; what is
    /// wrong in it has its default, so that the other files can be checked all the same.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub(crate) fn read(folder: &Path, findings: &Findings) -> anyhow::Result<Self> {
        let path = folder.join("hub.yaml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                bail!(
                    "there is no {}: `hrhub init {}` writes one, `--config` names another folder",
                    path.display(),
                    folder.display()
                )
            }
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let environment = environment(folder)?;
        let mut catalog = assets::catalog();
        let unreadable = |(path, error): (String, std::io::Error)| anyhow::anyhow!("reading {path}: {error}");
        catalog.overlay(folder).map_err(unreadable)?;
        let connections = connection::files(&folder.join("connections")).map_err(unreadable)?;
        let source = Source::new(path.display().to_string(), text);
        let root = yaml::read(&source, findings);
        let cx = Context::new(&source, findings);
        let fields = root.as_ref().and_then(|root| root.fields(&cx));
        let given = fields.map(|fields| Given::read(fields, &environment, &catalog)).unwrap_or_default();
        let expressions = given.expressions(&cx);
        let face = given.payslips.as_ref().and_then(|node| payslips::face(node, folder, &cx));
        let count = |number: Option<i64>, otherwise| usize::try_from(number.unwrap_or(otherwise)).unwrap_or(usize::MAX);
        let limits = given.limits;
        let max_body_bytes = count(limits.max_body_bytes, MAX_BODY_BYTES);
        // One of the largest is let in, whatever the limit says.
        let max_bytes = count(limits.max_inflight_bytes, MAX_INFLIGHT_BYTES).max(max_body_bytes);
        let request_limits = limits.of_requests();
        let admission = Admission::new(count(limits.max_inflight_requests, MAX_INFLIGHT_REQUESTS), max_bytes);
        Ok(Self {
            folder: folder.to_owned(),
            listen: given.listen.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            data: folder.join(given.data.unwrap_or_else(|| "data".to_owned())),
            public_url: given.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            role: given.role.unwrap_or_default(),
            bus: given.bus.unwrap_or(BusKind::Embedded),
            store: given.store.unwrap_or(StoreKind::Sqlite { max_bytes: None }),
            allow_private: given.allow_private,
            drain: given.drain_secs.and_then(|secs| u64::try_from(secs).ok()).map(Duration::from_secs),
            max_body_bytes,
            request_limits,
            admission,
            retention: given.retention,
            imports: given.imports,
            trust: given.trust,
            face,
            time_zone: given.time_zone.unwrap_or(TimeZone::UTC),
            expressions,
            flows: given.flows.map(|node| (node, Arc::clone(&source))),
            console: given.console.map(|node| (node, Arc::clone(&source))),
            environment,
            catalog,
            connections,
        })
    }

    /// How long to go on answering after being asked to stop.
    pub(crate) fn drain(&self) -> Duration {
        let default = if self.role == Role::Edge { EDGE_DRAINS } else { Duration::ZERO };
        self.drain.unwrap_or(default)
    }

    /// Changes it.
    pub(crate) fn set_drain_secs(&mut self, secs: u32) {
        self.drain = Some(Duration::from_secs(secs.into()));
    }

    /// Refuses a role that needs servers which other processes reach, without them.
    ///
    /// # Errors
    /// What to write into `hub.yaml`.
    pub(crate) fn check_role(&self) -> anyhow::Result<()> {
        let mut lacking = Vec::new();
        if matches!(self.bus, BusKind::Embedded) {
            lacking.push(r#"bus: { kind: rabbitmq, url: "amqp://user:password@host:5672/%2f" }"#);
        }
        if matches!(self.store, StoreKind::Sqlite { .. }) {
            lacking.push(r#"store: { kind: postgres, url: "postgres://user:password@host:5432/hrhub" }"#);
        }
        if self.role == Role::All || lacking.is_empty() {
            return Ok(());
        }
        bail!(
            "the role `{}` shares its work with other processes: write into {}\n  {}\nor serve everything in one process with --role all",
            self.role.word(),
            self.folder.join("hub.yaml").display(),
            lacking.join("\n  ")
        )
    }

    /// Whether `hub.yaml` says where the hub is reached.
    pub(crate) fn has_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// Where vendors and people reach the hub.
    pub(crate) fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

/// What `hub.yaml` says.
#[derive(Default)]
struct Given {
    listen: Option<String>,
    data: Option<String>,
    public_url: Option<String>,
    role: Option<Role>,
    bus: Option<BusKind>,
    store: Option<StoreKind>,
    allow_private: Vec<IpNet>,
    limits: Limits,
    drain_secs: Option<i64>,
    retention: Retention,
    imports: imports::Rules,
    trust: asked::Rules,
    time_zone: Option<TimeZone>,
    /// `scoring.expressions`, and where it stands.
    expressions: Option<(bool, Span)>,
    flows: Option<Node>,
    console: Option<Node>,
    payslips: Option<Node>,
}

impl Given {
    fn read(mut fields: Fields<'_, '_>, environment: &Environment, catalog: &Catalog) -> Self {
        let cx = fields.context().clone();
        fields.version(1);
        let given = Self {
            listen: fields.text("listen"),
            data: fields.text("data"),
            public_url: fields.optional("public_url").and_then(|node| filled(node, environment, &cx)),
            role: fields.word("role", Role::WORDS),
            bus: fields.optional("bus").and_then(|node| bus(node, environment, &cx)),
            store: fields.optional("store").and_then(|node| store(node, environment, &cx)),
            allow_private: fields.optional("egress").map(|node| egress(node, &cx)).unwrap_or_default(),
            limits: section(&mut fields, "limits", |own| Some(Limits::read(own))).unwrap_or_default(),
            drain_secs: section(&mut fields, "shutdown", |own| own.integer("drain_secs", 0, LONGEST_DRAIN_SECS)),
            retention: section(&mut fields, "retention", |own| Some(retention(own))).unwrap_or_default(),
            imports: section(&mut fields, "imports", |own| Some(import::rules(own))).unwrap_or_default(),
            trust: section(&mut fields, "trust", |own| Some(trust::rules(own, catalog))).unwrap_or_default(),
            time_zone: fields.optional("time_zone").and_then(|node| time_zone(node, &cx)),
            expressions: section(&mut fields, "scoring", |own| {
                let span = own.optional("expressions")?.span;
                own.bool("expressions").map(|count| (count, span))
            }),
            flows: fields.optional("flows").cloned(),
            console: fields.optional("console").cloned(),
            payslips: fields.optional("payslips").cloned(),
        };
        fields.finish();
        given
    }

    /// Whether facial expressions count. In the European Union they never do, whatever is written.
    fn expressions(&self, cx: &Context<'_>) -> bool {
        let (count, span) = match self.expressions {
            Some((true, span)) => (!asked::Rules::is_in_eu(&self.trust.region), span),
            _ => return false,
        };
        if !count {
            let region = &self.trust.region;
            let help = "leave it out: Regulation (EU) 2024/1689, article 5(1)(f), forbids it".to_owned();
            cx.error_with(span, format!("facial expressions do not count in {region} (`trust.region`)"), Some(help));
        }
        count
    }
}

/// The `limits` section.
#[derive(Default)]
struct Limits {
    max_body_bytes: Option<i64>,
    max_inflight_requests: Option<i64>,
    max_inflight_bytes: Option<i64>,
    max_address_bytes: Option<i64>,
    max_header_bytes: Option<i64>,
    request_secs: Option<i64>,
    head_secs: Option<i64>,
}

impl Limits {
    fn of_requests(&self) -> RequestLimits {
        let default = RequestLimits::default();
        let bytes = |given: Option<i64>, otherwise| given.and_then(|n| usize::try_from(n).ok()).unwrap_or(otherwise);
        let secs = |given: Option<i64>, otherwise| {
            given.and_then(|secs| u64::try_from(secs).ok()).map_or(otherwise, Duration::from_secs)
        };
        RequestLimits {
            max_address_bytes: bytes(self.max_address_bytes, default.max_address_bytes),
            max_header_bytes: bytes(self.max_header_bytes, default.max_header_bytes),
            request: secs(self.request_secs, default.request),
            head: secs(self.head_secs, default.head),
        }
    }

    fn read(own: &mut Fields<'_, '_>) -> Self {
        Self {
            max_body_bytes: own.integer("max_body_bytes", 1, LARGEST_BODY),
            max_inflight_requests: own.integer("max_inflight_requests", 1, 1_000_000),
            max_inflight_bytes: own.integer("max_inflight_bytes", 1, 1_000_000_000_000),
            max_address_bytes: own.integer("max_address_bytes", 100, 60_000),
            max_header_bytes: own.integer("max_header_bytes", 1_000, 300_000),
            request_secs: own.integer("request_secs", 5, 3_600),
            head_secs: own.integer("head_secs", 1, 600),
        }
    }
}

/// The `retention` section; what it leaves out has its default.
fn retention(own: &mut Fields<'_, '_>) -> Retention {
    let default = Retention::default();
    let mut days = |key, least, otherwise| own.integer(key, least, 36_500).unwrap_or(otherwise);
    Retention {
        journeys_days: days("journeys_days", 1, default.journeys_days),
        inbox_days: days("inbox_days", Retention::LEAST_MARKS, default.inbox_days),
        calls_days: days("calls_days", 1, default.calls_days),
        events_days: days("events_days", 1, default.events_days),
        parked_days: days("parked_days", 1, default.parked_days),
        raws_days: days("raws_days", Retention::LEAST_MARKS, default.raws_days),
        audit_days: days("audit_days", 180, default.audit_days),
    }
}

/// The process environment, and the folder's `.env` behind it.
pub(crate) fn environment(folder: &Path) -> anyhow::Result<Environment> {
    let path = folder.join(".env");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Environment::process()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let read = Environment::process().with_file(&text);
    read.map_err(|(line, reason)| anyhow::anyhow!("{}:{line}:1: error: {reason}", path.display()))
}

fn section<T>(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
) -> Option<T> {
    let cx = fields.context().clone();
    let mut own = fields.optional(key)?.fields(&cx)?;
    let value = read(&mut own);
    own.finish();
    value
}

fn filled(node: &Node, environment: &Environment, cx: &Context<'_>) -> Option<String> {
    node.text(cx).map(|text| connection::fill_text(&text, node, environment, cx))
}

fn time_zone(node: &Node, cx: &Context<'_>) -> Option<TimeZone> {
    let name = node.text(cx)?;
    let zone = TimeZone::get(&name).ok();
    if zone.is_none() {
        let help = Some("an IANA name, such as Asia/Shanghai or Europe/Berlin".to_owned());
        cx.error_with(node.span, format!("`{name}` is no time zone"), help);
    }
    zone
}

/// `kind`, and the URL that one of the kinds needs.
fn kind_and_url(
    fields: &mut Fields<'_, '_>,
    (own, other): (&'static str, &'static str),
    schemes: &[&str],
    environment: &Environment,
) -> Option<Option<String>> {
    let cx = fields.context().clone();
    let words = [(own, false), (other, true)];
    let away = match fields.required("kind") {
        Some(_) => fields.word("kind", &words)?,
        None => return None,
    };
    let node = fields.optional("url");
    match (away, node) {
        (false, None) => Some(None),
        (false, Some(node)) => {
            cx.error(node.span, format!("`kind: {own}` has no `url`"));
            None
        }
        (true, None) => {
            cx.error(fields.span, format!("`kind: {other}` needs a `url`, such as `{}…`", schemes[0]));
            None
        }
        (true, Some(node)) => {
            let url = filled(node, environment, &cx)?;
            if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
                cx.error(node.span, format!("the `url` must begin with {}", schemes.join(" or ")));
                return None;
            }
            Some(Some(url))
        }
    }
}

fn bus(node: &Node, environment: &Environment, cx: &Context<'_>) -> Option<BusKind> {
    let mut fields = node.fields(cx)?;
    let found = kind_and_url(&mut fields, ("embedded", "rabbitmq"), &["amqp://", "amqps://"], environment);
    let prefix = fields.text("prefix").unwrap_or_else(|| "hrhub".to_owned());
    fields.finish();
    Some(match found? {
        None => BusKind::Embedded,
        Some(url) => BusKind::RabbitMq { url, prefix },
    })
}

fn store(node: &Node, environment: &Environment, cx: &Context<'_>) -> Option<StoreKind> {
    let mut fields = node.fields(cx)?;
    let found = kind_and_url(&mut fields, ("sqlite", "postgres"), &["postgres://", "postgresql://"], environment);
    let max_connections = fields.integer("max_connections", 1, 1000).and_then(|number| u32::try_from(number).ok());
    let max_bytes = fields.optional("max_bytes").map(|node| node.span);
    let bytes = fields.integer("max_bytes", SMALLEST_STORE, i64::MAX).and_then(|number| u64::try_from(number).ok());
    fields.finish();
    Some(match found? {
        None => StoreKind::Sqlite { max_bytes: bytes },
        Some(url) => {
            if let Some(span) = max_bytes {
                cx.error(span, "`kind: postgres` has no `max_bytes`; its server limits what it keeps");
            }
            StoreKind::Postgres { url, max_connections: max_connections.unwrap_or(16) }
        }
    })
}

fn egress(node: &Node, cx: &Context<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    let Some(mut fields) = node.fields(cx) else { return networks };
    for item in fields.optional("allow_private").map(|node| node.items(cx)).unwrap_or_default() {
        let network = match &item.kind {
            Kind::Text(text) => text.parse().ok(),
            _ => None,
        };
        match network {
            Some(network) => networks.push(network),
            None => cx.error_with(item.span, "expected a network", Some("such as 10.20.0.0/16".to_owned())),
        }
    }
    fields.finish();
    networks
}
