//! The store, on SQLite and on PostgreSQL.

use hub_store::{
    CallState, Identity, IndexEntry, Journey, MasterKey, NewCall, NewEvent, NewRaw, NewWork, Options, Page,
    RecordFilter, RecordRow, Sealed, Step, Store, StoreError, job,
};
use hub_tree::{Clock, Ids};
use std::sync::LazyLock;

pub(crate) struct Backend {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

const MASTER: [u8; 32] = [7; 32];

pub(crate) async fn open(url: &str) -> Result<Store, StoreError> {
    let options = Options { url: url.to_owned(), max_connections: 8 };
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

fn raw(dedupe: &str) -> NewRaw {
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

fn record(id: &str, version: i64) -> RecordRow {
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

mod contract {
    use super::*;

    pub(super) async fn a_payload_is_kept_once_per_dedupe_id(b: Backend) {
        let (first, again, other) = (raw("a"), raw("a"), raw("b"));
        let (one, two) = (first.id.clone(), other.id.clone());
        let new = b.store.write(job!(|tx| { tx.insert_raws(vec![first, again, other]).await })).await.unwrap();
        assert_eq!(new.into_iter().collect::<Vec<_>>(), [one.clone(), two]);
        let again = raw("a");
        let new = b.store.write(job!(|tx| { tx.insert_raws(vec![again]).await })).await.unwrap();
        assert!(new.is_empty());
        let kept = b.store.read(job!(|tx| { tx.raw("default", &one).await })).await.unwrap().unwrap();
        assert_eq!((kept.new.body, kept.state.as_str(), kept.event), (Sealed(vec![0, 255]), "new", None));
    }

    pub(super) async fn a_failed_transaction_leaves_nothing_and_its_neighbours_commit(b: Backend) {
        let failing = b.store.write(job!(|tx| {
            tx.insert_raws(vec![raw("bad")]).await?;
            Err::<(), _>(StoreError::Broken)
        }));
        let fine: Vec<_> = (0..20)
            .map(|n| {
                let raw = raw(&format!("good-{n}"));
                b.store.write(job!(|tx| { tx.insert_raws(vec![raw]).await }))
            })
            .collect();
        let panicking = b.store.write(job!(|tx| {
            tx.insert_raws(vec![raw("panic")]).await?;
            panic!("on purpose");
            #[allow(unreachable_code)]
            Ok(())
        }));
        let (failed, good) = futures::join!(failing, futures::future::join_all(fine));
        assert!(failed.is_err() && good.iter().all(Result::is_ok));
        // PostgreSQL runs the body in the caller's task, so the panic is the caller's; SQLite's writer survives it.
        if b.store.kind() == "sqlite" {
            assert!(matches!(panicking.await, Err(StoreError::Broken)));
        }
        let states = b.store.read(job!(|tx| { tx.raw_states().await })).await.unwrap();
        assert_eq!(states, [("new".to_owned(), 20)]);
    }

    pub(super) async fn what_was_written_is_there_after_reopening(b: Backend) {
        let kept = raw("a");
        let wanted = kept.id.clone();
        b.store.write(job!(|tx| { tx.insert_raws(vec![kept]).await })).await.unwrap();
        let again = open(&b.url).await.unwrap();
        assert!(again.read(job!(|tx| { tx.raw("default", &wanted).await })).await.unwrap().is_some());
    }

    pub(super) async fn sealed_bodies_open_only_for_their_tenant_and_place(b: Backend) {
        let keyring = b.store.keyring();
        keyring.ensure(&b.store, &Clock::System, "acme").await.unwrap();
        let sealed = keyring.seal("default", "raw:1", b"secret").unwrap();
        assert!(!sealed.0.windows(6).any(|w| w == b"secret"));
        assert_eq!(keyring.open("default", "raw:1", &sealed.0).unwrap(), b"secret");
        assert!(keyring.open("acme", "raw:1", &sealed.0).is_err());
        assert!(keyring.open("default", "raw:2", &sealed.0).is_err());
        let mut changed = sealed.0.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(keyring.open("default", "raw:1", &changed).is_err());
        assert!(keyring.open("default", "raw:1", &sealed.0[..20]).is_err());
        // After a restart the same keys open, and a wrong master key is refused at once.
        let again = open(&b.url).await.unwrap();
        assert_eq!(again.keyring().open("default", "raw:1", &sealed.0).unwrap(), b"secret");
        assert_eq!(
            again.keyring().match_key("default", "email", "a").unwrap(),
            keyring.match_key("default", "email", "a").unwrap()
        );
        let options = Options { url: b.url.clone(), max_connections: 2 };
        let wrong = Store::open(&options, MasterKey::new([8; 32]), &Clock::System).await;
        assert!(matches!(wrong.err(), Some(StoreError::Sealed(_))));
    }

    pub(super) async fn work_is_claimed_once_in_order_per_key_and_fairly(b: Backend) {
        let mut all = Vec::new();
        for n in 0..10 {
            all.push(work("map", "a", &format!("k{}", n % 2), &format!("a{n}")));
        }
        all.push(work("map", "b", "k", "b0"));
        all.push(work("other", "a", "k", "x"));
        let twice = all.clone();
        assert_eq!(b.store.write(job!(|tx| { tx.insert_work(all).await })).await.unwrap(), 12);
        assert_eq!(b.store.write(job!(|tx| { tx.insert_work(twice).await })).await.unwrap(), 0);
        let claim = |limit| b.store.write(job!(|tx| { tx.claim_work(&["map"], "w1", 5, 100, limit).await }));
        // The flooding tenant does not come twice before the other comes once.
        let first = claim(2).await.unwrap();
        let messages: Vec<&str> = first.iter().map(|w| w.new.message.as_str()).collect();
        assert_eq!(messages, ["a0", "b0"]);
        // Of a key in work nothing more is given out; the other key's head is.
        let second = claim(10).await.unwrap();
        assert_eq!(second.iter().map(|w| w.new.message.as_str()).collect::<Vec<_>>(), ["a1"]);
        assert!(claim(10).await.unwrap().is_empty());
        let seq = first[0].seq;
        let strange = b.store.write(job!(|tx| { tx.finish_work(seq, "w2", "done").await })).await.unwrap();
        assert!(!strange, "only the holder of a claim ends it");
        assert!(b.store.write(job!(|tx| { tx.finish_work(seq, "w1", "done").await })).await.unwrap());
        let third = claim(10).await.unwrap();
        assert_eq!(third.iter().map(|w| w.new.message.as_str()).collect::<Vec<_>>(), ["a2"]);
    }

    pub(super) async fn claims_of_the_dead_come_back_and_tries_are_counted(b: Backend) {
        let one = work("map", "a", "k", "m");
        b.store.write(job!(|tx| { tx.insert_work(vec![one]).await })).await.unwrap();
        let claim = |now| b.store.write(job!(|tx| { tx.claim_work(&["map"], "w1", now, now + 10, 9).await }));
        let first = claim(10).await.unwrap();
        let claimed_seq = first[0].seq;
        assert_eq!(first[0].tries, 1);
        let back = |now, name: Option<String>| b.store.write(job!(|tx| { tx.take_back(now, name).await }));
        assert_eq!(back(15, None).await.unwrap(), 0, "the lease still holds");
        let renew = |held: Vec<i64>| b.store.write(job!(|tx| { tx.renew_claims("w1", 40, held, vec![]).await }));
        renew(vec![claimed_seq]).await.unwrap();
        assert_eq!(back(30, None).await.unwrap(), 0, "it was renewed");
        assert_eq!(back(41, None).await.unwrap(), 1);
        let claimed = claim(50).await.unwrap();
        assert_eq!(claimed[0].tries, 2);
        assert_eq!(
            back(51, Some("w1".into())).await.unwrap(),
            1,
            "a worker that starts again gets its own back at once"
        );
        let claimed = claim(60).await.unwrap();
        let seq = claimed[0].seq;
        b.store.write(job!(|tx| { tx.retry_work(seq, "w1", 90).await })).await.unwrap();
        assert!(claim(89).await.unwrap().is_empty(), "not before its time");
        assert_eq!(claim(90).await.unwrap()[0].tries, 4);
    }

    pub(super) async fn many_workers_never_share_a_claim(b: Backend) {
        let all: Vec<_> = (0..200).map(|n| work("map", "a", &format!("k{n}"), &format!("m{n}"))).collect();
        b.store.write(job!(|tx| { tx.insert_work(all).await })).await.unwrap();
        let workers = (0..8).map(|n| {
            let store = b.store.clone();
            tokio::spawn(async move {
                let owner = format!("w{n}");
                let mut mine = Vec::new();
                loop {
                    let name = owner.clone();
                    let claimed =
                        store.write(job!(|tx| { tx.claim_work(&["map"], &name, 5, 100, 7).await })).await.unwrap();
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|w| w.new.message));
                }
            })
        });
        let mut seen: Vec<String> =
            futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
        seen.sort();
        let before = seen.len();
        seen.dedup();
        assert_eq!((before, seen.len()), (200, 200));
    }

    pub(super) async fn calls_are_asked_for_once_and_wait_their_turn(b: Backend) {
        let ask = |call: NewCall| b.store.write(job!(|tx| { tx.insert_call(call).await }));
        assert!(ask(call("note:1", "gh", "app/1")).await.unwrap());
        assert!(!ask(call("note:1", "gh", "app/1")).await.unwrap(), "one call per business reference");
        assert!(ask(call("move:1", "gh", "app/1")).await.unwrap());
        assert!(ask(call("note:2", "gh", "app/2")).await.unwrap());
        assert!(ask(call("msg:1", "ding", "app/1")).await.unwrap());
        let claim = |now, limit, full: Vec<String>| {
            b.store.write(job!(|tx| { tx.claim_calls("w", now, now + 10, (limit, 1), &full).await }))
        };
        let first = claim(5, 9, vec![]).await.unwrap();
        let keys: Vec<&str> = first.iter().map(|c| c.new.key.as_str()).collect();
        assert_eq!(keys, ["note:1", "msg:1"], "one per connection, the oldest of its key");
        assert_eq!(claim(5, 9, vec!["gh".into()]).await.unwrap().len(), 0);
        let seq = first[0].seq;
        let settle = |state, at, unsure, error: Option<String>| {
            b.store.write(job!(|tx| { tx.settle_call(seq, "w", state, at, unsure, error).await }))
        };
        assert!(settle(CallState::Ready, 20, true, Some("timeout".into())).await.unwrap());
        assert_eq!(claim(6, 9, vec![]).await.unwrap()[0].new.key, "note:2", "its own key waits, another does not");
        let again = claim(20, 9, vec![]).await.unwrap();
        assert_eq!((again[0].new.key.as_str(), again[0].tries, again[0].unsure), ("note:1", 2, true));
        assert!(settle(CallState::Done, 21, false, None).await.unwrap());
        assert!(!settle(CallState::Done, 21, false, None).await.unwrap(), "a settled call is settled");
        assert_eq!(claim(22, 9, vec![]).await.unwrap()[0].new.key, "move:1");
        let back = b.store.write(job!(|tx| { tx.take_back(1000, None).await })).await.unwrap();
        assert_eq!(back, 3);
        let found = b.store.read(job!(|tx| { tx.call("default", "gh", "move:1").await })).await.unwrap().unwrap();
        assert!(found.unsure, "a call whose worker died may have been carried out");
    }

    pub(super) async fn records_keep_versions_and_a_lost_race_is_an_error(b: Backend) {
        let (app, other) = (id(), id());
        let put = |record: RecordRow, stage: &str| {
            let index = vec![IndexEntry { field: "stage_kind".into(), value: stage.into() }];
            b.store.write(job!(|tx| { tx.put_record(record, "t", None, index).await }))
        };
        put(record(&app, 1), "SCREENING").await.unwrap();
        put(record(&app, 2), "OFFER").await.unwrap();
        assert!(put(record(&app, 2), "HIRED").await.is_err(), "somebody else wrote version 2");
        put(record(&other, 1), "OFFER").await.unwrap();
        let list = |filter: RecordFilter, after: &str, limit| {
            let page = Page { after: after.to_owned(), limit };
            b.store.read(job!(|tx| { tx.records("default", "application", filter, page).await }))
        };
        let by = |value: &str| RecordFilter {
            equals: vec![IndexEntry { field: "stage_kind".into(), value: value.into() }],
            ..RecordFilter::default()
        };
        let ids = |rows: Vec<RecordRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(list(by("OFFER"), "", 9).await.unwrap()), [app.clone(), other.clone()]);
        assert!(list(by("SCREENING"), "", 9).await.unwrap().is_empty());
        assert_eq!(ids(list(RecordFilter::default(), "", 1).await.unwrap()), [app.as_str()]);
        assert_eq!(ids(list(RecordFilter::default(), &app, 9).await.unwrap()), [other.as_str()]);
        let after = RecordFilter { updated_after: Some(15), ..RecordFilter::default() };
        assert_eq!(ids(list(after, "", 9).await.unwrap()), [app.as_str()]);
        let wanted = app.clone();
        let history = b.store.read(job!(|tx| { tx.history("default", "application", &wanted).await })).await.unwrap();
        assert_eq!(history.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2]);
        let gone = RecordRow { deleted_at: Some(30), ..record(&app, 3) };
        put(gone, "OFFER").await.unwrap();
        assert_eq!(ids(list(by("OFFER"), "", 9).await.unwrap()), [other]);
        let with_deleted = RecordFilter { include_deleted: true, ..by("OFFER") };
        assert_eq!(list(with_deleted, "", 9).await.unwrap().len(), 2);
    }

    pub(super) async fn identities_say_what_a_remote_id_means(b: Backend) {
        let app = id();
        let identity = Identity { id: app.clone(), vendor_time: Some(5), received_at: 6 };
        let kept = identity.clone();
        b.store
            .write(job!(|tx| { tx.put_identity("default", "gh", "application", "77", kept, None).await }))
            .await
            .unwrap();
        let found = b.store.read(job!(|tx| { tx.identity("default", "gh", "application", "77").await })).await.unwrap();
        assert_eq!(found, Some(identity.clone()));
        // Whoever has not seen the last word does not write over it; a word without a vendor's time keeps the last one.
        let say = |received_at, known| {
            let next = Identity { vendor_time: None, received_at, ..identity.clone() };
            b.store.write(job!(|tx| { tx.put_identity("default", "gh", "application", "77", next, known).await }))
        };
        assert!(matches!(say(9, None).await, Err(StoreError::Raced)));
        assert!(matches!(say(9, Some(5)).await, Err(StoreError::Raced)));
        say(9, Some(6)).await.unwrap();
        let found = b.store.read(job!(|tx| { tx.identity("default", "gh", "application", "77").await })).await.unwrap();
        assert_eq!(found.map(|found| (found.vendor_time, found.received_at)), Some((Some(5), 9)));
        for (tenant, connection, remote) in [("acme", "gh", "77"), ("default", "other", "77"), ("default", "gh", "7")] {
            let found = b.store.read(job!(|tx| { tx.identity(tenant, connection, "application", remote).await }));
            assert_eq!(found.await.unwrap(), None);
        }
        let row = record(&app, 1);
        b.store.write(job!(|tx| { tx.put_record(row, "t", None, vec![]).await })).await.unwrap();
        let filter = RecordFilter { remote: Some(("gh".into(), "77".into())), ..RecordFilter::default() };
        let page = Page { after: String::new(), limit: 5 };
        let rows = b.store.read(job!(|tx| { tx.records("default", "application", filter, page).await })).await.unwrap();
        assert_eq!(rows.len(), 1);
    }

    pub(super) async fn events_get_positions_when_published_not_when_written(b: Backend) {
        let event = |kind: &str| NewEvent {
            id: id(),
            tenant: "default".into(),
            kind: kind.into(),
            entity: "application".into(),
            record: "r".into(),
            version: 1,
            connection: None,
            at: 1,
            trace: "t".into(),
            changed: "stage".into(),
        };
        let three = vec![event("a"), event("b"), event("c")];
        b.store.write(job!(|tx| { tx.insert_events(three).await })).await.unwrap();
        let open = |limit| b.store.read(job!(|tx| { tx.unpublished_events(limit).await }));
        let waiting = open(10).await.unwrap();
        assert_eq!(waiting.iter().map(|e| e.new.kind.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let feed = |after| b.store.read(job!(|tx| { tx.feed("default", after, 10).await }));
        assert!(feed(0).await.unwrap().is_empty());
        // Published in another order than written: the feed follows publication.
        let seqs = vec![waiting[1].seq, waiting[0].seq];
        b.store.write(job!(|tx| { tx.position_events(seqs).await })).await.unwrap();
        let seqs = vec![waiting[2].seq];
        b.store.write(job!(|tx| { tx.position_events(seqs).await })).await.unwrap();
        let all = feed(0).await.unwrap();
        let order: Vec<_> = all.iter().map(|e| (e.new.kind.as_str(), e.position.unwrap())).collect();
        assert_eq!(order, [("b", 1), ("a", 2), ("c", 3)]);
        assert_eq!(feed(2).await.unwrap().len(), 1);
        assert!(open(10).await.unwrap().is_empty());
    }

    pub(super) async fn a_lease_has_one_owner_at_a_time(b: Backend) {
        let lease =
            |owner: &'static str, now, until| b.store.write(job!(|tx| { tx.lease("relay", owner, now, until).await }));
        assert!(lease("a", 0, 10).await.unwrap());
        assert!(!lease("b", 5, 15).await.unwrap());
        assert!(lease("a", 8, 20).await.unwrap(), "the owner keeps it");
        assert!(!lease("b", 20, 30).await.unwrap());
        assert!(lease("b", 21, 31).await.unwrap(), "it ended");
        assert!(!lease("a", 22, 32).await.unwrap());
    }

    pub(super) async fn journeys_collect_their_steps_once(b: Backend) {
        let step = |id: &str, at, result: &str| Step {
            trace: "f".repeat(32),
            id: id.into(),
            tenant: "default".into(),
            at,
            step: "map".into(),
            system: "gh".into(),
            result: result.into(),
            subject: if at == 10 { "raw/1" } else { "application/1" }.into(),
            detail: "x".into(),
        };
        let steps = vec![step("1", 10, "ok"), step("2", 20, "parked")];
        b.store.write(job!(|tx| { tx.add_steps(steps).await })).await.unwrap();
        let more = vec![step("3", 15, "ok")];
        b.store.write(job!(|tx| { tx.add_steps(more).await })).await.unwrap();
        let trace = "f".repeat(32);
        let steps = b.store.read(job!(|tx| { tx.journey("default", &trace).await })).await.unwrap();
        assert_eq!(steps.iter().map(|s| s.at).collect::<Vec<_>>(), [10, 15, 20]);
        let other = Step { trace: "a".repeat(32), ..step("4", 10, "ok") };
        b.store.write(job!(|tx| { tx.add_steps(vec![other]).await })).await.unwrap();
        let list = b.store.read(job!(|tx| { tx.journeys("default", None, 1).await })).await.unwrap();
        assert_eq!((&list[0].trace, list[0].subject.as_str()), (&"a".repeat(32), "raw/1"));
        // Two that began at the same instant: the next page begins behind the first.
        let after = Journey::read_place(&list[0].place());
        let list = b.store.read(job!(|tx| { tx.journeys("default", after, 5).await })).await.unwrap();
        let one = &list[0];
        assert_eq!((one.steps, one.trouble, one.started_at, one.last_at), (3, 1, 10, 20));
        assert_eq!(one.subject, "application/1", "once there is a record, it is about that");
        let about =
            b.store.read(job!(|tx| { tx.journeys_about("default", "application/1", None, 5).await })).await.unwrap();
        assert_eq!(about.len(), 1);
        assert!(b.store.read(job!(|tx| { tx.journeys("acme", None, 5).await })).await.unwrap().is_empty());
    }
}

macro_rules! store_contract {
    ($backend:ident) => { store_contract!(@ $backend;
        a_payload_is_kept_once_per_dedupe_id,
        a_failed_transaction_leaves_nothing_and_its_neighbours_commit,
        what_was_written_is_there_after_reopening,
        sealed_bodies_open_only_for_their_tenant_and_place,
        work_is_claimed_once_in_order_per_key_and_fairly,
        claims_of_the_dead_come_back_and_tries_are_counted,
        many_workers_never_share_a_claim,
        calls_are_asked_for_once_and_wait_their_turn,
        records_keep_versions_and_a_lost_race_is_an_error,
        identities_say_what_a_remote_id_means,
        events_get_positions_when_published_not_when_written,
        a_lease_has_one_owner_at_a_time,
        journeys_collect_their_steps_once); };
    (@ $backend:ident; $($case:ident),+) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::contract::$case(super::$backend().await).await;
            })+
        }
    };
}

store_contract!(sqlite);
store_contract!(postgres);
