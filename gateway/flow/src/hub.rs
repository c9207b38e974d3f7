//! The hub at run time: what every step of the road shares.

use crate::access::ApiKeys;
use crate::admission::Admission;
use crate::claims::{self, Held};
use crate::feed::Feed;
use crate::kept_mappings::KeptMappings;
use crate::react::Consumer;
use crate::receive::Recent;
use crate::refusals::Refusals;
use crate::registry::Registry;
use crate::retention::{self, Retention};
use crate::staging::Standings;
use crate::streams::Streams;
use crate::subscriptions::pace::Paces;
use crate::tokens::KeptTokens;
use crate::trust;
use crate::{
    alone, audit, bulk, imports, intake, map_in, react, redrive, relay, schedule, send, shared, staging, streams,
};
use arc_swap::ArcSwap;
use hub_bus::Bus;
use hub_kit::{Client, Connection, Driver, Tokens};
use hub_store::{Store, StoreError, job};
use hub_telemetry::Metrics;
use hub_tree::{Arena, Clock, Ids, Value};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Notify, RwLock, Semaphore, watch};
use tokio::task::JoinSet;

/// How long calls under way may take to end when the hub stops: longer than the client waits for an answer.
const LAST_CALLS: Duration = Duration::from_secs(35);
/// How long to sleep when nothing is to be done; wake-ups of this process come sooner.
pub(crate) const IDLE: Duration = Duration::from_millis(250);

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Takes requests: web hooks, API, console.
    Edge,
    /// Maps, reacts and calls; nobody but monitoring asks it anything.
    Worker,
}

impl Role {
    /// How roles are written.
    pub const WORDS: &[(&'static str, Self)] = &[("all", Self::All), ("edge", Self::Edge), ("worker", Self::Worker)];

    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Edge => "edge",
            Self::Worker => "worker",
        }
    }

    /// Whether it takes requests of vendors and people.
    #[must_use]
    pub const fn serves(self) -> bool {
        !matches!(self, Self::Worker)
    }

    /// Whether it does what lies in the store to be done.
    #[must_use]
    pub const fn works(self) -> bool {
        !matches!(self, Self::Edge)
    }
}

/// What the hub is made of.
pub struct HubOptions {
    /// This process, by a name that survives its restart.
    pub node: String,
    /// What it does.
    pub role: Role,
    /// Where vendors and people reach the hub, such as `https://hub.example.com`.
    pub public_url: String,
    /// Whether that was configured. Else a worker tells vendors what an edge says.
    pub public_url_given: bool,
    /// Largest body of a webhook.
    pub max_body_bytes: usize,
    /// How many web hooks may be under way.
    pub admission: Admission,
    /// How long what is kept.
    pub retention: Retention,
    /// What is configured about imports.
    pub imports: imports::Rules,
    /// What the region asks of decisions about people.
    pub trust: trust::Rules,
    /// The store.
    pub store: Store,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The clock.
    pub clock: Clock,
    /// What is configured.
    pub registry: Registry,
    /// The drivers.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// Who reacts to events, beside the flows.
    pub consumers: Vec<Arc<dyn Consumer>>,
    /// The way out.
    pub client: Client,
    /// Counters.
    pub metrics: Metrics,
}

/// The hub at run time.
pub struct Hub {
    /// This process.
    pub node: String,
    /// What it does.
    pub role: Role,
    public_url: ArcSwap<String>,
    public_url_given: bool,
    /// Largest body of a webhook.
    pub max_body_bytes: usize,
    /// How many web hooks may be under way.
    pub admission: Admission,
    /// How long what is kept.
    pub retention: Retention,
    /// What is configured about imports.
    pub imports: imports::Rules,
    /// What the region asks of decisions about people.
    pub trust: trust::Rules,
    /// The store.
    pub store: Store,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The clock.
    pub clock: Clock,
    /// Maker of ids.
    pub ids: Ids,
    /// Counters.
    pub metrics: Metrics,
    pub(crate) client: Client,
    pub(crate) tokens: Tokens,
    pub(crate) drivers: Vec<Arc<dyn Driver>>,
    pub(crate) consumers: Vec<Arc<dyn Consumer>>,
    registry: ArcSwap<Registry>,
    pub(crate) wake: Wake,
    pub(crate) held: Held,
    /// Held for reading by whoever begins something new; for writing while a suspect is handled alone.
    pub(crate) quiet: RwLock<()>,
    /// Room for payloads that are being mapped, in units of [`map_in::UNIT`].
    pub(crate) mapping: Semaphore,
    pub(crate) sending: send::Sending,
    pub(crate) recent: Recent,
    pub(crate) refusals: Refusals,
    pub(crate) strangers: audit::Strangers,
    pub(crate) streams: Streams,
    pub(crate) feed: Feed,
    pub(crate) subscribed: Paces,
    keys: OnceLock<Arc<ApiKeys>>,
    pub(crate) tables: Standings,
    pub(crate) kept_mappings: KeptMappings,
    stop: watch::Sender<bool>,
    draining: AtomicBool,
}

/// Wakes loops of this process.
#[derive(Default)]
pub(crate) struct Wake {
    pub(crate) events: Notify,
    pub(crate) work: Notify,
    pub(crate) calls: Notify,
    pub(crate) imports: Notify,
    pub(crate) requests: Notify,
    pub(crate) bulk: Notify,
}

/// The queues that a hub with these consumers reads; a bus is opened with them.
pub fn queues(consumers: &[Arc<dyn Consumer>]) -> Vec<hub_bus::Consumer> {
    let own = consumers.iter().map(|consumer| hub_bus::Consumer::new(consumer.name(), consumer.topics()));
    own.chain([hub_bus::Consumer::new(intake::CONSUMER, intake::TOPICS)]).collect()
}

impl Hub {
    /// Puts the hub together; nothing runs yet.
    #[must_use]
    pub fn new(options: HubOptions) -> Arc<Self> {
        let HubOptions {
            node,
            role,
            public_url,
            public_url_given,
            max_body_bytes,
            admission,
            retention,
            imports,
            trust,
            store,
            bus,
            clock,
            registry,
            drivers,
            consumers,
            client,
            metrics,
        } = options;
        let ids = Ids::new(clock.clone());
        let kept = KeptTokens { store: store.clone(), node: node.clone() };
        let tokens = Tokens::new(Arc::new(kept), clock.clone());
        Arc::new(Self {
            node,
            role,
            public_url: ArcSwap::from_pointee(public_url),
            public_url_given,
            max_body_bytes,
            admission,
            retention,
            imports,
            trust,
            store,
            bus,
            clock,
            ids,
            metrics,
            client,
            tokens,
            drivers,
            consumers,
            registry: ArcSwap::from_pointee(registry),
            wake: Wake::default(),
            held: Held::default(),
            quiet: RwLock::default(),
            mapping: Semaphore::new(map_in::ROOM as usize),
            sending: send::Sending::default(),
            recent: Recent::default(),
            refusals: Refusals::default(),
            strangers: audit::Strangers::default(),
            streams: Streams::default(),
            feed: Feed::default(),
            subscribed: Paces::default(),
            keys: OnceLock::new(),
            tables: Standings::default(),
            kept_mappings: KeptMappings::default(),
            stop: watch::Sender::new(false),
            draining: AtomicBool::new(false),
        })
    }

    /// Tells the hub who may call: what subscribers are told is what their owners may read.
    pub fn set_keys(&self, keys: Arc<ApiKeys>) {
        // It is put together once.
        let _ = self.keys.set(keys);
    }

    pub(crate) fn keys(&self) -> Option<&Arc<ApiKeys>> {
        self.keys.get()
    }

    /// What is configured now.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Where vendors and people reach the hub.
    #[must_use]
    pub fn public_url(&self) -> Arc<String> {
        self.public_url.load_full()
    }

    /// Agrees with the other processes on where the hub is reached, if nobody has configured it: edges say it, workers
    /// listen. Does it again whenever an edge may have moved.
    pub(crate) async fn agree_on_public_url(&self) -> Result<(), StoreError> {
        if self.public_url_given || self.role == Role::All {
            return Ok(());
        }
        if self.role.serves() {
            let own = self.public_url();
            return self.store.write(job!(|tx| { tx.note_public_url(&own).await })).await;
        }
        match self.store.read(job!(|tx| { tx.public_url().await })).await? {
            Some(url) if url != **self.public_url.load() => self.public_url.store(Arc::new(url)),
            _ => {}
        }
        Ok(())
    }

    /// A connection by its id.
    #[must_use]
    pub fn connection(&self, id: &str) -> Option<Arc<Connection>> {
        self.registry.load().connections.get(id).cloned()
    }

    /// The names of those who react to events.
    pub fn consumer_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.consumers.iter().map(|consumer| consumer.name())
    }

    pub(crate) fn driver(&self, name: &str) -> Option<&Arc<dyn Driver>> {
        self.drivers.iter().find(|driver| driver.name() == name)
    }

    /// Opens a sealed JSON document.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self, tenant: &str, context: &str, sealed: &[u8]) -> Result<Vec<u8>, hub_store::StoreError> {
        self.store.keyring().open(tenant, context, sealed)
    }

    /// Runs all loops until [`Hub::stop`] or until one of them ends by a defect.
    pub async fn run(self: Arc<Self>) {
        let mut loops = JoinSet::new();
        // These end by themselves, between two claims: what is claimed is begun.
        let mut claiming = JoinSet::new();
        let mut stopped = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return,
            ready = self.begin() => if let Err(error) = ready {
                tracing::error!(error = %error, "the hub cannot work with this store");
                return;
            },
        }
        if self.role.works() {
            loops.spawn(claims::keep(Arc::clone(&self)));
            // What was under way when a former process died, before anything else can end this one.
            alone::run(&self, &react::consumers(&self)).await;
            loops.spawn(intake::run(Arc::clone(&self)));
            loops.spawn(relay::run(Arc::clone(&self)));
            loops.spawn(react::take_in(Arc::clone(&self)));
            loops.spawn(redrive::run(Arc::clone(&self)));
            loops.spawn(imports::run(Arc::clone(&self)));
            loops.spawn(bulk::run(Arc::clone(&self)));
            loops.spawn(retention::run(Arc::clone(&self)));
            loops.spawn(audit::run(Arc::clone(&self)));
            claiming.spawn(react::run(Arc::clone(&self)));
            claiming.spawn(send::run(Arc::clone(&self)));
            claiming.spawn(schedule::run(Arc::clone(&self)));
            claiming.spawn(staging::run(Arc::clone(&self)));
        }
        if self.role.serves() {
            claiming.spawn(streams::run(Arc::clone(&self)));
        }
        loops.spawn(shared::keep(Arc::clone(&self)));
        tokio::select! {
            // Told to stop, the loops end: that is no defect.
            biased;
            _ = stopped.wait_for(|stop| *stop) => {}
            ended = loops.join_next() => tracing::error!(?ended, "a loop of the hub ended"),
            Some(ended) = claiming.join_next() => tracing::error!(?ended, "a loop of the hub ended"),
        }
        self.stop();
        // A call that is cut off now could be one that nobody can know the end of.
        let last = tokio::time::Instant::now() + LAST_CALLS;
        let _ = tokio::time::timeout_at(last, async { while claiming.join_next().await.is_some() {} }).await;
        while !self.held.is_empty() && tokio::time::Instant::now() < last {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        loops.shutdown().await;
    }

    /// Waits for the store; then makes sure that it has a key for each tenant, and takes back what a former process of
    /// this name held: it is ours again, at once.
    async fn begin(&self) -> Result<(), StoreError> {
        self.store.connected().await?;
        let registry = self.registry();
        let tenants: BTreeSet<&str> = registry.connections.values().map(|known| known.tenant.as_str()).collect();
        loop {
            let prepared = async {
                for tenant in &tenants {
                    self.store.keyring().ensure(&self.store, &self.clock, tenant).await?;
                }
                let (now, node) = (self.store_now(), self.node.clone());
                if self.role.works() {
                    self.store.write(job!(|tx| { tx.take_back(now, Some(node)).await })).await?;
                }
                self.agree_on_public_url().await
            };
            match prepared.await {
                Err(error) if StoreError::is_temporary(&error) => {
                    tracing::warn!(error = %error, "the store is not available yet");
                }
                other => return other,
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Now by the clock that all processes of the hub share, µs: for claims, leases, and when something may be done.
    #[must_use]
    pub fn store_now(&self) -> i64 {
        self.store.now()
    }

    /// Says from now on that no more requests should come here; those that come are answered.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether no more requests should come here.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Wakes when a request has ended in this process.
    pub fn request_news(&self) -> tokio::sync::futures::Notified<'_> {
        self.wake.requests.notified()
    }

    /// Tells when the hub is told to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Whether the hub has been told to stop.
    pub(crate) fn stops(&self) -> bool {
        *self.stop.borrow()
    }

    /// Says that events were written: they are published at once.
    pub fn note_events(&self) {
        self.wake.events.notify_one();
    }

    /// Ends [`Hub::run`].
    pub fn stop(&self) {
        self.stop.send_replace(true);
        self.wake.work.notify_one();
        self.wake.calls.notify_one();
    }

    /// The settings of a connection that may be seen, for mappings.
    pub(crate) fn public_settings<'a>(connection: &Connection, arena: &'a Arena) -> Value<'a> {
        let settings = connection.settings(arena);
        let public: Vec<(&'a str, Value<'a>)> = settings
            .entries()
            .iter()
            .filter(|(name, _)| !hub_kit::connection::is_secret(&connection.manifest, name))
            .copied()
            .collect();
        arena.map(&public)
    }
}
