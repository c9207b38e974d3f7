//! The bus, embedded and over RabbitMQ.

use hub_bus::{Bus, BusError, Consumer, Delivery, Embedded, Message, Rabbit, RabbitOptions, Subscription};
use hub_support::{CutProxy, RabbitMq, unique, wait_for};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

struct Backend {
    folder: tempfile::TempDir,
    /// The name under which this test lives on the shared broker; `None` for the embedded bus.
    broker: Option<(u16, String)>,
}

pub(crate) const LIMIT: Duration = Duration::from_secs(180);

impl Backend {
    /// Opens the bus, or opens it again after it was dropped.
    fn open(&self) -> Box<dyn Bus> {
        let consumers = vec![Consumer::new("intake", &["raw.#"]), Consumer::new("flow", &["hr.#"])];
        let spool: PathBuf = self.folder.path().join("log");
        match &self.broker {
            None => Box::new(Embedded::open(&spool, consumers).unwrap()),
            Some((port, prefix)) => {
                let url = RabbitMq::url(*port);
                let options = RabbitOptions { url, prefix: prefix.clone(), partitions: 3, spool };
                // The tasks of a dropped bus end a moment later, and with them its hold on the folder.
                let open = || Rabbit::open(options.clone(), consumers.clone()).ok();
                Box::new(tokio::task::block_in_place(|| wait_for("the spool's folder", LIMIT, open)))
            }
        }
    }
}

fn embedded() -> Backend {
    Backend { folder: tempfile::tempdir().unwrap(), broker: None }
}

fn rabbitmq() -> Backend {
    let port = hub_support::rabbitmq().port;
    Backend { folder: tempfile::tempdir().unwrap(), broker: Some((port, unique("test"))) }
}

pub(crate) fn message(id: &str, topic: &str, key: &str) -> Message {
    Message {
        id: id.into(),
        topic: topic.into(),
        tenant: "default".into(),
        key: key.into(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        body: format!("body of {id}").into_bytes(),
    }
}

/// Receives until `count` messages are there, acknowledging as it goes.
pub(crate) async fn receive(subscription: &mut dyn Subscription, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < count {
        let batch = timeout(LIMIT, subscription.next(64)).await.expect("deliveries come in time").unwrap();
        subscription.acknowledge().await.unwrap();
        all.extend(batch);
    }
    all
}

pub(crate) fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.message.id.as_str()).collect()
}

mod contract {
    use super::*;

    pub(super) async fn each_consumer_gets_its_topics_whole(b: Backend) {
        let bus = b.open();
        let raw = message("1", "raw.gh", "gh");
        let event = message("2", "hr.application.created", "application/1");
        bus.publish(vec![raw.clone(), event.clone(), message("3", "other.topic", "x")]).await.unwrap();
        let got = receive(&mut *bus.subscribe("intake").await.unwrap(), 1).await;
        assert_eq!(got, [Delivery { message: raw, again: got[0].again }]);
        let got = receive(&mut *bus.subscribe("flow").await.unwrap(), 1).await;
        assert_eq!(got[0].message, event);
        assert!(matches!(bus.subscribe("nobody").await.err(), Some(BusError::NoConsumer(_))));
    }

    pub(super) async fn unacknowledged_messages_come_back(b: Backend) {
        let bus = b.open();
        bus.publish((0..5).map(|n| message(&n.to_string(), "raw.gh", "gh")).collect()).await.unwrap();
        let mut first = bus.subscribe("intake").await.unwrap();
        let mut seen = 0;
        while seen < 5 {
            seen += timeout(LIMIT, first.next(2)).await.unwrap().unwrap().len();
        }
        drop(first);
        let mut second = bus.subscribe("intake").await.unwrap();
        let got = receive(&mut *second, 5).await;
        assert_eq!(ids(&got), ["0", "1", "2", "3", "4"]);
        assert!(got.iter().all(|delivery| delivery.again));
        drop(second);
        // What was acknowledged does not come again.
        bus.publish(vec![message("5", "raw.gh", "gh")]).await.unwrap();
        assert_eq!(ids(&receive(&mut *bus.subscribe("intake").await.unwrap(), 1).await), ["5"]);
    }

    pub(super) async fn messages_survive_a_restart(b: Backend) {
        let mut bus = b.open();
        bus.publish(vec![message("1", "raw.gh", "gh"), message("2", "hr.a.b", "k")]).await.unwrap();
        for (consumer, id) in [("intake", "1"), ("flow", "2")] {
            drop(bus);
            bus = b.open();
            // Twice when it waited on the disk and was on its way just then.
            let got = receive(&mut *bus.subscribe(consumer).await.unwrap(), 1).await;
            assert!(ids(&got).iter().all(|got| *got == id), "{got:?}");
        }
    }

    pub(super) async fn order_holds_per_key(b: Backend) {
        let bus = b.open();
        let mut subscription = bus.subscribe("flow").await.unwrap();
        for n in 0..40 {
            let batch = (0..5).map(|key| message(&format!("{key}-{n:03}"), "hr.a.b", &format!("k{key}"))).collect();
            bus.publish(batch).await.unwrap();
        }
        let got = receive(&mut *subscription, 200).await;
        for key in 0..5 {
            let own: Vec<&str> = ids(&got).into_iter().filter(|id| id.starts_with(&format!("{key}-"))).collect();
            assert_eq!(own.len(), 40);
            assert!(own.windows(2).all(|pair| pair[0] < pair[1]), "key {key} out of order: {own:?}");
        }
    }

    pub(super) async fn a_large_body_arrives_whole(b: Backend) {
        let bus = b.open();
        let large =
            Message { body: (0..6_000_000_u32).map(|n| (n % 251) as u8).collect(), ..message("1", "raw.gh", "gh") };
        bus.publish(vec![large.clone()]).await.unwrap();
        let got = receive(&mut *bus.subscribe("intake").await.unwrap(), 1).await;
        assert!(got[0].message == large);
    }

    pub(super) async fn large_bodies_come_a_few_at_a_time(b: Backend) {
        let bus = b.open();
        for n in 0..8_u8 {
            let message = Message { body: vec![n; 5 << 20], ..message(&n.to_string(), "raw.gh", "gh") };
            bus.publish(vec![message]).await.unwrap();
        }
        let mut subscription = bus.subscribe("intake").await.unwrap();
        let mut got = Vec::new();
        while got.len() < 8 {
            let batch = timeout(LIMIT, subscription.next(64)).await.unwrap().unwrap();
            let bytes: usize = batch.iter().map(|delivery| delivery.message.body.len()).sum();
            assert!(bytes <= (16 << 20) + (5 << 20), "{bytes} bytes at once");
            subscription.acknowledge().await.unwrap();
            got.extend(batch.into_iter().map(|delivery| delivery.message.body[0]));
        }
        let mut seen = BTreeSet::new();
        got.retain(|n| seen.insert(*n));
        assert_eq!(got, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    pub(super) async fn what_nobody_wants_holds_nothing_up(b: Backend) {
        let bus = b.open();
        for n in 0..3 {
            bus.publish(vec![message(&format!("x{n}"), "other.topic", "x")]).await.unwrap();
            bus.publish(vec![message(&n.to_string(), "raw.gh", "gh")]).await.unwrap();
        }
        assert_eq!(ids(&receive(&mut *bus.subscribe("intake").await.unwrap(), 3).await), ["0", "1", "2"]);
        spool_is_empty(&*bus).await;
    }

    pub(super) async fn many_publishers_at_once_lose_nothing(b: Backend) {
        let bus: std::sync::Arc<dyn Bus> = std::sync::Arc::from(b.open());
        let publishing = (0..32).map(|n| {
            let bus = std::sync::Arc::clone(&bus);
            tokio::spawn(async move {
                for m in 0..10 {
                    bus.publish(vec![message(&format!("{n}-{m}"), "raw.gh", &format!("k{n}"))]).await.unwrap();
                }
            })
        });
        for task in publishing {
            task.await.unwrap();
        }
        let mut subscription = bus.subscribe("intake").await.unwrap();
        let got = receive(&mut *subscription, 320).await;
        let mut seen = ids(&got);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 320);
    }
}

macro_rules! bus_contract {
    ($backend:ident) => { bus_contract!(@ $backend;
        each_consumer_gets_its_topics_whole,
        unacknowledged_messages_come_back,
        messages_survive_a_restart,
        order_holds_per_key,
        a_large_body_arrives_whole,
        large_bodies_come_a_few_at_a_time,
        what_nobody_wants_holds_nothing_up,
        many_publishers_at_once_lose_nothing); };
    (@ $backend:ident; $($case:ident),+) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let backend = tokio::task::spawn_blocking(super::$backend).await.unwrap();
                super::contract::$case(backend).await;
            })+
        }
    };
}

bus_contract!(embedded);
bus_contract!(rabbitmq);

/// A broken route closes nothing: every confirm is missing, and no publisher waits for its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_leads_nowhere_costs_neither_messages_nor_order() {
    let broker = tokio::task::spawn_blocking(|| hub_support::rabbitmq().port).await.unwrap();
    let proxy = CutProxy::in_front_of(broker);
    let backend = Backend { folder: tempfile::tempdir().unwrap(), broker: Some((proxy.port, unique("halt"))) };
    let bus = backend.open();
    let mut subscription = bus.subscribe("flow").await.unwrap();
    bus.publish(vec![message("0000", "hr.a.b", "k")]).await.unwrap();
    let mut got = receive(&mut *subscription, 1).await;
    spool_is_empty(&*bus).await;
    proxy.halt();
    for n in 1..=30 {
        timeout(LIMIT, bus.publish(vec![message(&format!("{n:04}"), "hr.a.b", "k")])).await.unwrap().unwrap();
    }
    assert_eq!(bus.health().spooled, 30);
    proxy.restore();
    while !ids(&got).contains(&"0030") {
        got.extend(receive(&mut *subscription, 1).await);
    }
    let mut seen = BTreeSet::new();
    let order: Vec<_> = ids(&got).into_iter().filter(|id| seen.insert(*id)).collect();
    let wanted: Vec<String> = (0..=30).map(|n| format!("{n:04}")).collect();
    assert_eq!(order, wanted);
}

/// The edge's promise: while the broker is away it accepts, and everything arrives in order when the broker is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_away_costs_neither_messages_nor_order() {
    let broker = tokio::task::spawn_blocking(|| hub_support::rabbitmq().port).await.unwrap();
    let proxy = CutProxy::in_front_of(broker);
    let backend = Backend { folder: tempfile::tempdir().unwrap(), broker: Some((proxy.port, unique("cut"))) };
    let bus = backend.open();
    let mut subscription = bus.subscribe("flow").await.unwrap();
    let mut sent = 0;
    let mut publish = async |bus: &dyn Bus, count: usize| {
        for _ in 0..count {
            sent += 1;
            bus.publish(vec![message(&format!("{sent:04}"), "hr.a.b", "k")]).await.unwrap();
        }
    };
    publish(&*bus, 20).await;
    let mut got = receive(&mut *subscription, 20).await;
    proxy.cut();
    publish(&*bus, 20).await;
    assert!(bus.health().spooled > 0, "{:?}", bus.health());
    // A hub that is started while the broker is away accepts too, and keeps what was spooled before.
    drop(subscription);
    drop(bus);
    let bus = backend.open();
    publish(&*bus, 5).await;
    assert!(!bus.health().connected);
    assert!(bus.health().spooled >= 25, "{:?}", bus.health());
    proxy.restore();
    let mut subscription = bus.subscribe("flow").await.unwrap();
    // The cut may have swallowed an acknowledgement: what it was for comes again, before everything later.
    let until = async |subscription: &mut dyn Subscription, got: &mut Vec<_>, last: &str| {
        while !ids(got).contains(&last) {
            got.extend(receive(subscription, 1).await);
        }
    };
    until(&mut *subscription, &mut got, "0045").await;
    publish(&*bus, 5).await;
    until(&mut *subscription, &mut got, "0050").await;
    let mut seen = BTreeSet::new();
    let order: Vec<_> = ids(&got).into_iter().filter(|id| seen.insert(*id)).collect();
    let wanted: Vec<String> = (1..=50).map(|n| format!("{n:04}")).collect();
    assert_eq!(order, wanted);
    // The consumer may have a message before the spool has noted that the broker took it.
    spool_is_empty(&*bus).await;
}

async fn spool_is_empty(bus: &dyn Bus) {
    let emptied = async {
        while bus.health().spooled > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, emptied).await.expect("the spool is drained");
}
