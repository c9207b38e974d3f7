//! Puts a hub together from its configuration.

use crate::config::{BusKind, Config, StoreKind};
use crate::master::master_key;
use crate::people;
use crate::restore;
use anyhow::Context as _;
use hub_api::limits::RequestLimits;
use hub_bus::{Bus, Embedded, Rabbit, RabbitOptions};
use hub_flow::access::ApiKeys;
use hub_flow::approvals::Approvals;
use hub_flow::identity::Identities;
use hub_flow::rules::Flows;
use hub_flow::subscriptions::Subscriptions;
use hub_flow::trust::Consents;
use hub_flow::{Consumer, Hub, HubOptions, Registry, Sources};
use hub_interview::Policy;
use hub_kit::{AllowPrivate, Client, Driver};
use hub_service::presets::{Presets, load_presets};
use hub_service::{
    AppraisalScoring, InterviewScoring, PayoutFiles, PayrollRuns, PortraitModels, load_models, load_pay_rules,
    load_payout, load_portraits, load_schemes,
};
use hub_store::{Options, Store};
use hub_telemetry::Metrics;
use hub_tree::{Clock, Findings, random};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Partition queues of each consumer at the broker.
pub(crate) const PARTITIONS: u16 = 8;

/// The wires that this program speaks.
pub(crate) fn drivers() -> Vec<Arc<dyn Driver>> {
    vec![
        Arc::new(hub_http::Http),
        Arc::new(hub_im::Dingtalk),
        Arc::new(hub_im::Feishu),
        Arc::new(hub_im::Wecom),
        Arc::new(hub_im::WechatOa::default()),
        Arc::new(hub_mail::Smtp),
        Arc::new(hub_soap::Soap),
        Arc::new(hub_staging::Staging),
    ]
}

/// Everything that is configured; problems go to `findings`.
pub(crate) fn registry(config: &Config, drivers: &[Arc<dyn Driver>], findings: &Findings) -> Registry {
    let sources = Sources {
        catalog: &config.catalog,
        connections: config.connections.clone(),
        environment: &config.environment,
        flows: config.flows.as_ref().map(|(node, source)| (node, Arc::clone(source))),
        drivers,
    };
    Registry::load(&sources, findings)
}

/// The queues that a hub of this program reads.
pub(crate) fn queues(config: &Config) -> Vec<hub_bus::Consumer> {
    hub_flow::queues(&consumers(config, &Findings::new()))
}

/// Who reacts to events; problems go to `findings`.
pub(crate) fn consumers(config: &Config, findings: &Findings) -> Vec<Arc<dyn Consumer>> {
    let scoring =
        InterviewScoring::new(load_models(&config.catalog, findings), Policy { expressions: config.expressions });
    let payroll = PayrollRuns::new(load_pay_rules(&config.catalog, findings), config.time_zone.clone());
    let appraisal = AppraisalScoring::new(load_schemes(&config.catalog, findings));
    vec![
        Arc::new(Flows),
        Arc::new(scoring),
        Arc::new(appraisal),
        Arc::new(payroll),
        Arc::new(Subscriptions),
        Arc::new(Approvals),
        Arc::new(Identities),
        Arc::new(Consents),
    ]
}

/// A hub and who may call it.
pub(crate) struct Assembled {
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) limits: RequestLimits,
    pub(crate) payout: Arc<PayoutFiles>,
    pub(crate) presets: Arc<Presets>,
    pub(crate) portraits: Arc<PortraitModels>,
}

/// Opens store and bus and puts the hub together; nothing runs yet. Problems of files go to `findings`.
pub(crate) async fn assemble(config: &Config, findings: &Findings) -> anyhow::Result<Assembled> {
    let clock = Clock::System;
    let drivers = drivers();
    let registry = registry(config, &drivers, findings);
    let consumers = consumers(config, findings);
    create_private_folder(&config.data)?;
    restore::refuse_unfinished(&config.data)?;
    let node = kept(&config.data.join("node"), || random::token(12))?;
    let (store, reached) = start_store(config, &clock).await?;
    if reached {
        for connection in registry.connections.values() {
            store.keyring().ensure(&store, &clock, &connection.tenant).await?;
        }
    }
    let bus = open_bus(config, &consumers)?;
    let admin = config.environment.get("HRHUB_ADMIN_KEY");
    let people = people::read(config, &registry, findings);
    let keys = Arc::new(ApiKeys::new(store.clone(), admin.as_deref()).with_people(people));
    let hub = Hub::new(HubOptions {
        node,
        role: config.role,
        public_url: config.public_url(),
        public_url_given: config.has_public_url(),
        max_body_bytes: config.max_body_bytes,
        admission: config.admission.clone(),
        retention: config.retention,
        imports: config.imports,
        trust: config.trust.clone(),
        store,
        bus,
        clock,
        registry,
        drivers,
        consumers,
        client: Client::new(AllowPrivate::new(config.allow_private.clone()))?,
        metrics: Metrics::new(),
    });
    hub.set_keys(Arc::clone(&keys));
    let payout = PayoutFiles { face: config.face.clone(), ..load_payout(&config.catalog, findings) };
    let payout = Arc::new(payout);
    let presets = Arc::new(load_presets(&config.catalog, findings));
    let portraits = Arc::new(load_portraits(&config.catalog, findings));
    Ok(Assembled { hub, keys, limits: config.request_limits, payout, presets, portraits })
}

/// How long a start waits for a database server that takes its time, or for a migration. After that, or as soon as the
/// server is known to be away, the hub begins without it.
const FIRST_ATTEMPT: Duration = Duration::from_secs(10);

/// Opens the store for a hub that can begin without it; says whether it is there.
async fn start_store(config: &Config, clock: &Clock) -> anyhow::Result<(Store, bool)> {
    let store = Store::start(&store_options(config)?, master_key(config)?, clock).await.context("opening the store")?;
    match tokio::time::timeout(FIRST_ATTEMPT, store.tried()).await {
        Ok(Ok(())) => Ok((store, true)),
        Ok(Err(error)) if !error.is_temporary() => Err(error).context("opening the store"),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("the store is not available yet; what needs it waits");
            Ok((store, false))
        }
    }
}

/// Opens the store for a command that needs it; a database server that is away is waited for.
pub(crate) async fn open_store(config: &Config, clock: &Clock) -> anyhow::Result<Store> {
    let store = Store::start(&store_options(config)?, master_key(config)?, clock).await.context("opening the store")?;
    store.connected().await.context("opening the store")?;
    Ok(store)
}

fn store_options(config: &Config) -> anyhow::Result<Options> {
    create_private_folder(&config.data)?;
    Ok(match &config.store {
        StoreKind::Sqlite { max_bytes } => {
            let path = config.data.join("hub.db");
            let url = format!("sqlite://{}?mode=rwc", path.display());
            Options { url, max_connections: 4, max_bytes: *max_bytes, ..Options::default() }
        }
        StoreKind::Postgres { url, max_connections } => Options {
            url: url.clone(),
            max_connections: *max_connections,
            // An edge takes web hooks in before it has ever reached the store.
            keys_copy: Some(config.data.join("tenants.keys")),
            ..Options::default()
        },
    })
}

fn open_bus(config: &Config, consumers: &[Arc<dyn Consumer>]) -> anyhow::Result<Arc<dyn Bus>> {
    let queues = hub_flow::queues(consumers);
    let folder = config.data.join("bus");
    let bus: Arc<dyn Bus> = match &config.bus {
        BusKind::Embedded => Arc::new(Embedded::open(&folder, queues).context("opening the bus")?),
        BusKind::RabbitMq { url, prefix } => {
            let options =
                RabbitOptions { url: url.clone(), prefix: prefix.clone(), partitions: PARTITIONS, spool: folder };
            Arc::new(Rabbit::open(options, queues).context("opening the bus")?)
        }
    };
    Ok(bus)
}

/// The line in a file that only its owner can read; written when there is none.
pub(crate) fn kept(path: &Path, make: impl FnOnce() -> String) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = make();
            write_private(path, &format!("{text}\n"))?;
            Ok(text)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Writes a file that only its owner can read; it is whole or not there.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

pub(crate) fn create_private_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("creating the data folder {}", folder.display()))
}
