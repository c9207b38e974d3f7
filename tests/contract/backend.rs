//! A store to test, on SQLite or on PostgreSQL, and things to put into it.

use hub_bus::Embedded;
use hub_flow::admission::Admission;
use hub_flow::imports::Rules;
use hub_flow::retention::Retention;
use hub_flow::{Consumer, Hub, HubOptions, Registry, Role, queues};
use hub_kit::{AllowPrivate, Client};
use hub_store::{
    Claimed, MasterKey, NewCall, NewRaw, NewWork, Options, RecordRow, Sealed, Store, StoreError, Take, Turns, job,
};
use hub_telemetry::Metrics;
use hub_tree::{Clock, Ids};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// A hub over a store, with a bus of its own in a folder, that knows no driver.
pub(crate) fn hub_on(
    store: Store,
    folder: &Path,
    clock: Clock,
    registry: Registry,
    consumers: Vec<Arc<dyn Consumer>>,
) -> Arc<Hub> {
    Hub::new(HubOptions {
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
        bus: Arc::new(Embedded::open(folder, queues(&consumers)).unwrap()),
        clock,
        registry,
        drivers: Vec::new(),
        consumers,
        client: Client::new(AllowPrivate::new(Vec::new())).unwrap(),
        metrics: Metrics::new(),
    })
}

pub(crate) struct Backend {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    pub(crate) async fn claim(&self, owner: &str, now: i64, limit: i64) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.claim_with(owner, now, limit, Turns::default()).await?.0)
    }

    /// Claims until 100 µs later.
    pub(crate) async fn claim_with(
        &self,
        owner: &str,
        now: i64,
        limit: i64,
        mut turns: Turns,
    ) -> Result<(Vec<Claimed>, Turns), StoreError> {
        let owner = owner.to_owned();
        let claiming = self.store.write(job!(|tx| {
            tx.wake_work(now).await?;
            let claimed = tx.claim_work(&["map"], &owner, now, now + 100, limit, &mut turns).await?;
            Ok((claimed, turns))
        }));
        claiming.await
    }

    pub(crate) async fn finish(&self, seq: i64, owner: &str) -> bool {
        let owner = owner.to_owned();
        self.store.write(job!(|tx| { tx.finish_work(seq, &owner, "done").await })).await.unwrap()
    }
}

pub(crate) const MASTER: [u8; 32] = [7; 32];

pub(crate) async fn open(url: &str) -> Result<Store, StoreError> {
    let options = Options { url: url.to_owned(), ..Options::default() };
    Store::open(&options, MasterKey::new(MASTER), &Clock::System).await
}

pub(crate) async fn sqlite() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("hub.db").display());
    Backend { store: open(&url).await.unwrap(), url, _folder: Some(folder) }
}

pub(crate) async fn postgres() -> Backend {
    let url = tokio::task::spawn_blocking(|| hub_support::postgres().new_database()).await.unwrap();
    Backend { store: open(&url).await.unwrap(), url, _folder: None }
}

pub(crate) fn id() -> String {
    static IDS: LazyLock<Ids> = LazyLock::new(|| Ids::new(Clock::System));
    IDS.next().to_string()
}

pub(crate) fn raw(dedupe: &str) -> NewRaw {
    NewRaw {
        id: id(),
        tenant: "default".into(),
        connection: "c".into(),
        dedupe_id: dedupe.into(),
        parent: None,
        received_at: 1,
        trace: "t".into(),
        sha256: "s".into(),
        body: Sealed(vec![0, 255]),
    }
}

pub(crate) fn work(consumer: &str, tenant: &str, order_key: &str, message: &str) -> NewWork {
    NewWork {
        consumer: consumer.into(),
        message: message.into(),
        tenant: tenant.into(),
        connection: "c".into(),
        order_key: order_key.into(),
        trace: "t".into(),
        body: "{}".into(),
        received_at: 1,
    }
}

pub(crate) fn call(key: &str, connection: &str, order_key: &str) -> NewCall {
    NewCall {
        id: id(),
        tenant: "default".into(),
        connection: connection.into(),
        operation: "send".into(),
        key: key.into(),
        order_key: order_key.into(),
        created_at: 1,
        trace: "t".into(),
        subject: "message/1".into(),
        body: Sealed(vec![1]),
    }
}

pub(crate) fn take(connection: &str, limit: i64) -> Take {
    Take { connection: connection.into(), limit, first_tries: false }
}

pub(crate) fn record(id: &str, version: i64) -> RecordRow {
    RecordRow {
        tenant: "default".into(),
        entity: "application".into(),
        id: id.into(),
        version,
        created_at: 1,
        updated_at: version * 10,
        deleted_at: None,
        body: Sealed(version.to_be_bytes().to_vec()),
    }
}
