//! The broker's topology is compared, and brought in line without losing a message or the order of a key.

use crate::bus::{LIMIT, ids, message, receive};
use futures::StreamExt;
use hub_bus::topology::{Argument, Wrong};
use hub_bus::{Bus, BusError, Consumer, Rabbit, RabbitOptions, Topology, apply, plan};
use hub_support::{RabbitMq, unique};
use hub_tree::random;
use lapin::options::{BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

struct Stand {
    folder: tempfile::TempDir,
    url: String,
    prefix: String,
}

impl Stand {
    async fn new() -> Self {
        let port = tokio::task::spawn_blocking(|| hub_support::rabbitmq().port).await.unwrap();
        Self { folder: tempfile::tempdir().unwrap(), url: RabbitMq::url(port), prefix: unique("topology") }
    }

    fn consumers() -> Vec<Consumer> {
        vec![Consumer::new("flow", &["hr.#"])]
    }

    fn open(&self) -> Arc<dyn Bus> {
        let options = RabbitOptions {
            url: self.url.clone(),
            prefix: self.prefix.clone(),
            partitions: 2,
            spool: self.folder.path().join("log"),
        };
        Arc::new(Rabbit::open(options, Self::consumers()).unwrap())
    }

    fn ours(&self) -> Topology {
        Topology::new(&self.prefix, &Self::consumers(), 2)
    }

    /// What an older program may have declared.
    fn other(&self) -> Topology {
        let mut other = self.ours();
        for queue in &mut other.queues {
            if queue.name.contains(".flow.") {
                for (name, value) in &mut queue.arguments {
                    if *name == "x-delivery-limit" {
                        *value = Argument::Number(50);
                    }
                }
            }
        }
        other
    }
}

async fn until(what: &str, ready: impl Fn() -> bool) {
    let waiting = async {
        while !ready() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("waited too long for {what}"));
}

/// First arrivals, in order.
fn first_arrivals<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn quiet(_: &str) {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_with_other_arguments_are_made_anew_while_messages_come_in() {
    let stand = Stand::new().await;
    let (drift, _) = plan(&stand.url, &stand.ours()).await.unwrap();
    assert!(drift.iter().all(|one| one.wrong == Wrong::Missing) && drift.len() == 7, "{drift:#?}");
    let bus = stand.open();
    let total = 400;
    let publishing = {
        let bus = Arc::clone(&bus);
        tokio::spawn(async move {
            for n in 0..total {
                bus.publish(vec![message(&format!("{n:04}"), "hr.a.b", "k")]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        })
    };
    until("messages at the broker", || bus.health().connected && bus.health().spooled == 0).await;
    assert_eq!(plan(&stand.url, &stand.ours()).await.unwrap().0, []);
    // Somebody moves the queues to what this program does not declare.
    let moved = apply(&stand.url, &stand.other(), quiet).await.unwrap();
    assert_eq!(moved.done.len(), 2, "{moved:?}");
    let trouble = || bus.health().trouble.unwrap_or_default();
    until("the hub to see it", || trouble().contains("x-delivery-limit is 50, must be 100")).await;
    assert!(trouble().contains("run `hrhub topology apply`"), "{}", trouble());
    assert!(!bus.health().connected);
    let (drift, _) = plan(&stand.url, &stand.ours()).await.unwrap();
    assert_eq!(drift.len(), 2, "{drift:#?}");
    apply(&stand.url, &stand.ours(), quiet).await.unwrap();
    assert_eq!(plan(&stand.url, &stand.ours()).await.unwrap().0, []);
    publishing.await.unwrap();
    until("the hub to go on", || bus.health().connected && bus.health().spooled == 0).await;
    assert_eq!(bus.health().trouble, None);
    let mut subscription = bus.subscribe("flow").await.unwrap();
    let mut got = Vec::new();
    while first_arrivals(ids(&got)).len() < total {
        got.extend(receive(&mut *subscription, 1).await);
    }
    let wanted: Vec<String> = (0..total).map(|n| format!("{n:04}")).collect();
    assert_eq!(first_arrivals(ids(&got)), wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_broken_off_anywhere_is_finished_by_the_next() {
    let stand = Stand::new().await;
    let total = 600;
    {
        let bus = stand.open();
        for n in 0..total {
            bus.publish(vec![message(&format!("{n:04}"), "hr.a.b", "k")]).await.unwrap();
        }
        until("messages at the broker", || bus.health().connected && bus.health().spooled == 0).await;
    }
    for _ in 0..5 {
        let (url, other) = (stand.url.clone(), stand.other());
        let moving = tokio::spawn(async move { apply(&url, &other, quiet).await });
        // It waits 4 s for programs to let go; what is interesting comes then.
        tokio::time::sleep(Duration::from_millis(3_900 + random::below(700))).await;
        moving.abort();
        let _ = moving.await;
    }
    // A connection that was left open holds the name for a moment.
    let mut last = None;
    let finish = async {
        while let Err(error) = apply(&stand.url, &stand.other(), |line| eprintln!("{line}")).await {
            assert!(matches!(error, BusError::Topology(_)), "{error}");
            last = Some(error);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(timeout(LIMIT, finish).await.is_ok(), "{last:?}");
    assert_eq!(plan(&stand.url, &stand.other()).await.unwrap().0, []);
    apply(&stand.url, &stand.ours(), quiet).await.unwrap();
    let bus = stand.open();
    let mut subscription = bus.subscribe("flow").await.unwrap();
    let mut got = Vec::new();
    while first_arrivals(ids(&got)).len() < total {
        got.extend(receive(&mut *subscription, 1).await);
    }
    let wanted: Vec<String> = (0..total).map(|n| format!("{n:04}")).collect();
    assert_eq!(first_arrivals(ids(&got)), wanted);
}

/// A program of another kind reads a queue and knows nothing of moves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_somebody_holds_is_not_moved_and_messages_go_on() {
    let stand = Stand::new().await;
    let bus = stand.open();
    until("the topology", || bus.health().connected).await;
    let stranger = lapin::Connection::connect(&stand.url, lapin::ConnectionProperties::default()).await.unwrap();
    let channel = stranger.create_channel().await.unwrap();
    channel.basic_qos(1, BasicQosOptions::default()).await.unwrap();
    let queue = format!("{}.flow.0", stand.prefix);
    let _holding = channel
        .basic_consume(queue.as_str().into(), "".into(), BasicConsumeOptions::default(), Default::default())
        .await
        .unwrap();
    let error = apply(&stand.url, &stand.other(), quiet).await.unwrap_err();
    assert!(matches!(&error, BusError::Held { queue: held, consumers: 1 } if *held == queue), "{error}");
    assert_eq!(plan(&stand.url, &stand.ours()).await.unwrap().0, [], "nothing was changed");
    until("the hub to go on", || bus.health().connected && bus.health().trouble.is_none()).await;
    let key = (0..).map(|n| n.to_string()).find(|key| hub_bus::partition_of("default", key, 2) == 1).unwrap();
    bus.publish(vec![message("1", "hr.a.b", &key)]).await.unwrap();
    assert_eq!(ids(&receive(&mut *bus.subscribe("flow").await.unwrap(), 1).await), ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_queue_gives_up_on_is_kept_and_seen() {
    let stand = Stand::new().await;
    let bus = stand.open();
    bus.publish(vec![message("1", "hr.a.b", "k")]).await.unwrap();
    until("the message at the broker", || bus.health().connected && bus.health().spooled == 0).await;
    let queue = format!("{}.flow.{}", stand.prefix, hub_bus::partition_of("default", "k", 2));
    let stranger = lapin::Connection::connect(&stand.url, lapin::ConnectionProperties::default()).await.unwrap();
    let channel = stranger.create_channel().await.unwrap();
    let taken =
        channel.basic_consume(queue.as_str().into(), "".into(), BasicConsumeOptions::default(), Default::default());
    let delivery = taken.await.unwrap().next().await.unwrap().unwrap();
    delivery.nack(BasicNackOptions { requeue: false, multiple: false }).await.unwrap();
    until("the dead letter", || bus.health().dead == 1).await;
    assert_eq!(plan(&stand.url, &stand.ours()).await.unwrap().1, 1);
}
