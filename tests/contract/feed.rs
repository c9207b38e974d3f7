//! The change feed, on SQLite and on PostgreSQL: who was away goes on where they stood.

use crate::backend::{Backend, hub_on};
use hub_flow::Hub;
use hub_flow::Registry;
use hub_flow::access::{ApiKeys, Principal};
use hub_flow::feed::FeedFilter;
use hub_store::{NewEvent, Store, job};
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Clock, Ids, TraceContext};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const WRITERS: i64 = 4;
const EACH: i64 = 1_250;

fn event(ids: &Ids, tenant: &str, record: &str, version: i64) -> NewEvent {
    NewEvent {
        id: ids.next().to_string(),
        tenant: tenant.into(),
        kind: if version == 1 { "application.created" } else { "application.updated" }.into(),
        entity: "application".into(),
        record: record.into(),
        version,
        connection: (version % 2 == 0).then(|| "mail".to_owned()),
        at: Clock::System.micros(),
        trace: TraceContext::begin().to_string(),
        changed: "stage".into(),
    }
}

async fn write(store: &Store, events: Vec<NewEvent>) {
    store.write(job!(|tx| { tx.insert_events(events).await })).await.unwrap();
}

async fn admin(store: &Store) -> Principal {
    ApiKeys::new(store.clone(), Some("key")).identify("key").await.unwrap()
}

/// What lies behind a place, up to the end; and where that is.
async fn rest(hub: &Hub, who: &Principal, filter: &FeedFilter, mut after: Option<i64>) -> (Vec<(String, i64)>, i64) {
    let mut all = Vec::new();
    loop {
        let page = hub.feed(who, &TimeZone::UTC, filter, after, 100).await.unwrap().unwrap();
        all.extend(page.events.into_iter().map(|(_, event)| (event.record, event.version)));
        after = Some(page.next);
        if !page.more {
            return (all, page.next);
        }
    }
}

mod contract {
    use super::*;

    pub(super) async fn who_was_away_loses_nothing_and_hears_nothing_twice(b: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub_on(b.store.clone(), folder.path(), Clock::System, Registry::default(), Vec::new());
        let who = admin(&b.store).await;
        let ids = Ids::new(Clock::System);
        write(&b.store, vec![event(&ids, "default", "first", 1), event(&ids, "elsewhere", "other", 1)]).await;
        let running = tokio::spawn(Arc::clone(&hub).run());
        let all = FeedFilter::default();
        let (mut heard, mut place) = (Vec::new(), None);
        while heard.is_empty() {
            let (more, next) = rest(&hub, &who, &all, place).await;
            heard.extend(more);
            place = Some(next);
        }
        assert_eq!(heard, [("first".to_owned(), 1)], "another tenant's event is nobody's business");
        // Away, while several write at once; and another one who listens all the time.
        let writing = (0..WRITERS).map(|writer| {
            let (store, ids) = (b.store.clone(), ids.clone());
            tokio::spawn(async move {
                let record = format!("r{writer}");
                for from in (1..=EACH).step_by(5) {
                    write(&store, (from..from + 5).map(|version| event(&ids, "default", &record, version)).collect())
                        .await;
                }
            })
        });
        let writing = futures::future::join_all(writing.collect::<Vec<_>>());
        let listening = async {
            let (mut got, mut at) = (Vec::new(), place);
            while got.len() < usize::try_from(WRITERS * EACH).unwrap() {
                let (more, next) = rest(&hub, &who, &all, at).await;
                got.extend(more);
                at = Some(next);
                tokio::task::yield_now().await;
            }
            got
        };
        let (written, listened) = tokio::join!(writing, listening);
        written.into_iter().for_each(|one| one.unwrap());
        let (back, end) = rest(&hub, &who, &all, place).await;
        assert!(back == listened, "both hear the same in the same order");
        assert_eq!(back.iter().collect::<BTreeSet<_>>().len(), back.len(), "one came twice");
        let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
        for (record, version) in &back {
            let before = versions.insert(record, *version).unwrap_or(0);
            assert_eq!(*version, before + 1, "{record}");
        }
        assert!(versions.len() == 4 && versions.values().all(|last| *last == EACH), "{versions:?}");
        assert_eq!(rest(&hub, &who, &all, Some(end)).await, (Vec::new(), end), "the end stays where it is");
        // Filters pass over what they leave out.
        let some = FeedFilter { connection: Some("mail".into()), types: "hr.*.updated.v1".into(), ..all.clone() };
        let (some, reached) = rest(&hub, &who, &some, place).await;
        assert!(some.len() == back.len() / 2 && reached == end, "{} of {}", some.len(), back.len());
        let one = FeedFilter { record: Some(("application".into(), "R2".into())), ..all.clone() };
        assert_eq!(rest(&hub, &who, &one, place).await.0.len(), usize::try_from(EACH).unwrap());
        hub.stop();
        running.await.unwrap();
    }

    pub(super) async fn a_place_before_what_was_forgotten_is_known_to_be_too_old(b: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub_on(b.store.clone(), folder.path(), Clock::System, Registry::default(), Vec::new());
        let who = admin(&b.store).await;
        let ids = Ids::new(Clock::System);
        write(
            &b.store,
            (1..=10).map(|version| NewEvent { at: version, ..event(&ids, "default", "r", version) }).collect(),
        )
        .await;
        let seqs = b.store.read(job!(|tx| { tx.unpublished_events(100).await })).await.unwrap();
        let seqs = seqs.into_iter().map(|event| event.seq).collect();
        b.store.write(job!(|tx| { tx.position_events(seqs).await })).await.unwrap();
        let all = FeedFilter::default();
        let first = hub.feed(&who, &TimeZone::UTC, &all, None, 3).await.unwrap().unwrap();
        assert_eq!((first.events.len(), first.more), (3, true));
        let gone = b.store.write(job!(|tx| { tx.forget_events(6, 100).await })).await.unwrap();
        assert_eq!(gone, 5);
        assert!(
            hub.feed(&who, &TimeZone::UTC, &all, Some(first.next), 3).await.unwrap().is_none(),
            "events behind it are gone"
        );
        let (left, end) = rest(&hub, &who, &all, None).await;
        assert_eq!(left.iter().map(|(_, version)| *version).collect::<Vec<_>>(), [6, 7, 8, 9, 10]);
        assert!(hub.feed(&who, &TimeZone::UTC, &all, Some(end), 3).await.unwrap().is_some());
        // After a restore from a backup the store is behind its readers.
        assert!(hub.feed(&who, &TimeZone::UTC, &all, Some(end + 1), 3).await.unwrap().is_none(), "never given out");
    }

    pub(super) async fn only_so_many_wait_at_once(b: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let hub = hub_on(b.store.clone(), folder.path(), Clock::System, Registry::default(), Vec::new());
        let mut places: Vec<_> = std::iter::from_fn(|| hub.feed_place("one")).collect();
        assert!(places.len() > 1 && hub.feed_place("two").is_some());
        places.pop();
        assert!(hub.feed_place("one").is_some(), "a place that is left is free");
    }
}

on_both_stores!(
    who_was_away_loses_nothing_and_hears_nothing_twice,
    a_place_before_what_was_forgotten_is_known_to_be_too_old,
    only_so_many_wait_at_once,
);
