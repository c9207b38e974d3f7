//! The store, on SQLite and on PostgreSQL.

use crate::backend::{Backend, id, open, raw, record, work};
use hub_store::{
    Claimed, Found, Identity, IndexEntry, Journey, MasterKey, Near, NewEvent, NewIdentity, NewRaw, NewVersion, NewWork,
    Options, Page, RecordFilter, RecordRow, RemoteId, Sealed, Step, Store, StoreError, TakenBack, Turns, job,
};
use hub_tree::Clock;
use std::collections::BTreeSet;

fn version(row: RecordRow, raw: Option<&str>, index: Option<Vec<IndexEntry>>) -> NewVersion {
    NewVersion { row, raw: raw.map(str::to_owned), index }
}

fn remote(entity: &str, remote_id: &str) -> RemoteId {
    RemoteId { connection: "gh".into(), entity: entity.into(), remote_id: remote_id.into() }
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

    pub(super) async fn a_repetition_across_the_border_of_two_spans_is_one(b: Backend) {
        let at = |received_at: i64| {
            let id = |span: i64| format!("h:{span}");
            let span = received_at / 100;
            let near = Near { dedupe_ids: [id(span - 1), id(span + 1)], within: 100 };
            (NewRaw { received_at, ..raw(&id(span)) }, Some(near))
        };
        let keep = async |received: &[i64]| {
            let raws = received.iter().map(|received_at| at(*received_at)).collect();
            b.store.write(job!(|tx| { tx.insert_new_raws(raws).await })).await.unwrap().len()
        };
        assert_eq!(keep(&[290]).await, 1);
        assert_eq!(keep(&[310]).await, 0, "20 later, in the next span");
        assert_eq!(keep(&[389]).await, 0);
        assert_eq!(keep(&[390]).await, 1, "as long after it as the horizon: news");
        assert_eq!(keep(&[280, 295, 399]).await, 0);
        assert_eq!(keep(&[595, 605]).await, 1, "also within one batch");
    }

    pub(super) async fn what_is_old_and_not_needed_goes_and_nothing_else(b: Backend) {
        let old = |dedupe: &str| NewRaw { received_at: 10, ..raw(dedupe) };
        let (source, ignored, waiting, young) = (old("source"), old("ignored"), old("waiting"), raw("young"));
        let young = NewRaw { received_at: 1000, ..young };
        let ids = [&source, &ignored, &waiting, &young].map(|raw| raw.id.clone());
        let [source_id, ignored_id, _, young_id] = ids.clone();
        let record_id = id();
        let event = |at| NewEvent {
            id: id(),
            tenant: "default".into(),
            kind: "a".into(),
            entity: "application".into(),
            record: "r".into(),
            version: 1,
            connection: None,
            at,
            trace: "t".into(),
            changed: String::new(),
        };
        let events = vec![event(1), event(2), event(3)];
        let work = ["done", "open"].map(|name| NewWork { received_at: 10, ..work("map", "a", name, name) });
        let writing = b.store.write(job!(|tx| {
            tx.insert_raws(vec![source, ignored, waiting, young]).await?;
            for id in [&source_id, &ignored_id, &young_id] {
                tx.finish_raw(id, "done", None, None).await?;
            }
            tx.put_records("t", vec![version(record(&record_id, 1), Some(&source_id), None)]).await?;
            tx.insert_events(events).await?;
            let two = tx.unpublished_events(2).await?.iter().map(|event| event.seq).collect();
            tx.position_events(two).await?;
            tx.insert_work(work.to_vec()).await
        }));
        writing.await.unwrap();
        let claimed = b.claim("w", 20, 1).await.unwrap();
        assert!(b.finish(claimed[0].seq, "w").await);
        // In portions of one.
        let mut place = Some((0, String::new()));
        while let Some(from) = place {
            place = b.store.write(job!(|tx| { tx.forget_raws(100, from, 1).await })).await.unwrap();
        }
        let mut left = Vec::new();
        for wanted in ids {
            left.push(b.store.read(job!(|tx| { tx.raw("default", &wanted).await })).await.unwrap().is_some());
        }
        assert_eq!(left, [true, false, true, true], "the source of a record, one that waits and a young one stay");
        let again = ["young", "ignored"].map(raw);
        let news = again[1].id.clone();
        let kept = b.store.write(job!(|tx| { tx.insert_raws(again.to_vec()).await })).await.unwrap();
        assert_eq!(
            kept.into_iter().collect::<Vec<_>>(),
            [news],
            "repetitions are known for as long as the first is kept"
        );
        let forget = async |before: i64| {
            let forgetting = b
                .store
                .write(job!(|tx| { Ok((tx.forget_work(before, 10).await?, tx.forget_events(before, 10).await?)) }));
            forgetting.await.unwrap()
        };
        assert_eq!(forget(5).await.0, 0, "too young");
        assert_eq!(forget(100).await.0, 1, "what is open stays");
        // The last position and what is not published stay.
        let feed = b.store.read(job!(|tx| { tx.feed("default", 0, 10).await })).await.unwrap();
        assert_eq!(feed.iter().map(|event| event.position).collect::<Vec<_>>(), [Some(2)]);
        assert_eq!(b.store.read(job!(|tx| { tx.unpublished_events(9).await })).await.unwrap().len(), 1);
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
        let options = Options { url: b.url.clone(), max_connections: 2, ..Options::default() };
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
        let claim = |limit| b.claim("w1", 5, limit);
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
        let claim = |now| b.claim("w1", now, 9);
        let first = claim(10).await.unwrap();
        let claimed_seq = first[0].seq;
        assert_eq!(first[0].tries, 1);
        let back = |now, name: Option<String>| b.store.write(job!(|tx| { tx.take_back(now, name).await }));
        let none = TakenBack::default();
        let one_message = TakenBack { work: 1, calls: 0 };
        assert_eq!(back(15, None).await.unwrap(), none, "the lease still holds");
        let renew = |held: Vec<i64>| b.store.write(job!(|tx| { tx.renew_claims("w1", 140, held, vec![]).await }));
        renew(vec![claimed_seq]).await.unwrap();
        assert_eq!(back(130, None).await.unwrap(), none, "it was renewed");
        assert_eq!(back(141, None).await.unwrap(), one_message);
        assert!(claim(150).await.unwrap().is_empty(), "whose worker died is handled alone");
        let suspect = |alone| b.store.write(job!(|tx| { tx.claim_suspect(&["map"], "w1", 400, alone).await }));
        let claimed = suspect(false).await.unwrap().unwrap();
        assert_eq!((claimed.tries, claimed.crashes), (1, 0), "the try that the death broke off is given back");
        assert!(suspect(true).await.unwrap().is_none());
        let returned = || back(151, Some("w1".into()));
        assert_eq!(returned().await.unwrap(), one_message, "a worker that starts again gets its own back at once");
        for crashes in 0..3 {
            let claimed = suspect(true).await.unwrap().unwrap();
            assert_eq!((claimed.tries, claimed.crashes), (1, crashes), "only a death while it was alone counts");
            assert_eq!(returned().await.unwrap(), one_message);
        }
        let seq = suspect(true).await.unwrap().unwrap().seq;
        b.store.write(job!(|tx| { tx.retry_work(seq, "w1", 190).await })).await.unwrap();
        assert!(claim(189).await.unwrap().is_empty(), "not before its time");
        assert_eq!(claim(190).await.unwrap()[0].tries, 2);
    }

    pub(super) async fn a_worker_that_lost_its_claim_ends_nothing(b: Backend) {
        let one = work("map", "a", "k", "m");
        b.store.write(job!(|tx| { tx.insert_work(vec![one]).await })).await.unwrap();
        let seq = b.claim("w1", 5, 9).await.unwrap()[0].seq;
        let back = b.store.write(job!(|tx| { tx.take_back(1000, None).await })).await.unwrap();
        assert_eq!(back.work, 1);
        // It renews and ends what it believes to hold; neither the renewal nor the end counts.
        b.store.write(job!(|tx| { tx.renew_claims("w1", 9000, vec![seq], vec![]).await })).await.unwrap();
        assert!(!b.finish(seq, "w1").await);
        let claimed = b.store.write(job!(|tx| { tx.claim_suspect(&["map"], "w2", 2000, true).await })).await.unwrap();
        assert_eq!(claimed.unwrap().seq, seq);
        assert!(!b.finish(seq, "w1").await);
        assert!(b.finish(seq, "w2").await);
    }

    pub(super) async fn what_waits_in_front_of_a_lane_hides_nothing_behind_it(b: Backend) {
        // A thousand of one key, a thousand whose time has not come, then one that can be claimed.
        let key = (0..1000).map(|n| work("map", "a", "k", &format!("k{n}")));
        let later: Vec<_> = (0..1000).map(|n| work("map", "a", &format!("l{n}"), &format!("l{n}"))).collect();
        let all: Vec<_> = key.chain([work("map", "a", "z", "last")]).collect();
        let waiting = b.store.write(job!(|tx| {
            tx.insert_work(later).await?;
            let later = tx.claim_work(&["map"], "w1", 5, 1000, 1000, &mut Turns::default()).await?;
            for work in &later {
                tx.retry_work(work.seq, "w1", 50).await?;
            }
            tx.insert_work(all).await?;
            Ok(later.len())
        }));
        assert_eq!(waiting.await.unwrap(), 1000);
        let claim_all = async |now| {
            let mut all = Vec::new();
            for _ in 0..20 {
                all.extend(b.claim("w1", now, 9).await.unwrap());
            }
            all
        };
        let claimed = claim_all(5).await;
        let messages = |claimed: &[Claimed]| claimed.iter().map(|w| w.new.message.clone()).collect::<Vec<_>>();
        assert_eq!(messages(&claimed), ["k0", "last"]);
        assert!(b.finish(claimed[0].seq, "w1").await);
        let next = claim_all(5).await;
        assert_eq!(messages(&next), ["k1"], "the end of one frees the next of its key");
        assert_eq!(claim_all(50).await.len(), 180, "their time has come");
    }

    pub(super) async fn the_end_of_a_message_frees_the_next_of_its_key(b: Backend) {
        let all = (0..3).map(|n| work("map", "a", "k", &format!("m{n}"))).collect();
        b.store.write(job!(|tx| { tx.insert_work(all).await })).await.unwrap();
        let first = b.claim("w1", 5, 9).await.unwrap();
        let seq = first[0].seq;
        assert!(b.store.write(job!(|tx| { tx.finish_work(seq, "w1", "parked").await })).await.unwrap());
        let second = b.claim("w1", 5, 9).await.unwrap();
        assert_eq!(second[0].new.message, "m1");
        assert!(b.finish(second[0].seq, "w1").await);
        let third = b.claim("w1", 5, 9).await.unwrap();
        assert_eq!(third[0].new.message, "m2");
        assert!(b.claim("w1", 5, 9).await.unwrap().is_empty());
    }

    pub(super) async fn one_message_of_a_small_tenant_is_among_the_first(b: Backend) {
        let flood = (0..3000).map(|n| work("map", "a", &format!("k{}", n % 500), &format!("a{n}")));
        let all = flood.chain([work("map", "b", "k", "b0")]).collect();
        b.store.write(job!(|tx| { tx.insert_work(all).await })).await.unwrap();
        let mut turns = Turns::default();
        for round in 0..2 {
            // One place is free at a time.
            let (claimed, again) = b.claim_with("w1", 5, 1, turns).await.unwrap();
            turns = again;
            assert_eq!(claimed[0].new.tenant, ["a", "b"][round]);
        }
        let rest = b.claim("w1", 5, 32).await.unwrap();
        assert_eq!(rest.len(), 32, "what the small tenant leaves goes to the other");
    }

    pub(super) async fn turns_come_round_to_every_lane(b: Backend) {
        let all = (0..200).map(|n| work("map", &format!("t{n:03}"), "k", &format!("m{n}"))).collect();
        b.store.write(job!(|tx| { tx.insert_work(all).await })).await.unwrap();
        let (mut turns, mut tenants) = (Turns::default(), BTreeSet::new());
        for _ in 0..40 {
            let (claimed, again) = b.claim_with("w1", 5, 8, turns).await.unwrap();
            turns = again;
            tenants.extend(claimed.into_iter().map(|work| work.new.tenant));
        }
        assert_eq!(tenants.len(), 200);
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
                    let claiming = store
                        .write(job!(|tx| { tx.claim_work(&["map"], &name, 5, 100, 7, &mut Turns::default()).await }));
                    let claimed = claiming.await.unwrap();
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

    pub(super) async fn records_keep_versions_and_a_lost_race_is_an_error(b: Backend) {
        let (app, other) = (id(), id());
        let put = |record: RecordRow, stage: &str| {
            let index = vec![IndexEntry { field: "stage_kind".into(), value: stage.into() }];
            let one = version(record, None, Some(index));
            b.store.write(job!(|tx| { tx.put_records("t", vec![one]).await }))
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
        let put = |identity, known| {
            let one = vec![NewIdentity { remote: remote("application", "77"), identity, known }];
            b.store.write(job!(|tx| { tx.put_identities("default", one).await }))
        };
        put(identity.clone(), None).await.unwrap();
        let found = b.store.read(job!(|tx| { tx.identity("default", "gh", "application", "77").await })).await.unwrap();
        assert_eq!(found, Some(identity.clone()));
        // Whoever has not seen the last word does not write over it; a word without a vendor's time keeps the last one.
        let say = |received_at, known| put(Identity { vendor_time: None, received_at, ..identity.clone() }, known);
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
        let row = version(row, None, None);
        b.store.write(job!(|tx| { tx.put_records("t", vec![row]).await })).await.unwrap();
        let filter = RecordFilter { remote: Some(("gh".into(), "77".into())), ..RecordFilter::default() };
        let page = Page { after: String::new(), limit: 5 };
        let rows = b.store.read(job!(|tx| { tx.records("default", "application", filter, page).await })).await.unwrap();
        assert_eq!(rows.len(), 1);
    }

    pub(super) async fn what_one_message_says_about_many_records_is_written_together(b: Backend) {
        // More than one batch of each.
        let ids: Vec<String> = (0..45).map(|_| id()).collect();
        let stage = |value: &str| Some(vec![IndexEntry { field: "stage_kind".into(), value: value.into() }]);
        let first: Vec<_> = ids.iter().map(|id| version(record(id, 1), None, stage("SCREENING"))).collect();
        b.store.write(job!(|tx| { tx.put_records("t", first).await })).await.unwrap();
        // Two words about one record, a new record with two, and one whose values stay.
        let new = id();
        let words = vec![
            version(record(&ids[0], 2), Some("raw"), stage("OFFER")),
            version(record(&new, 1), None, stage("SCREENING")),
            version(record(&ids[0], 3), None, stage("HIRED")),
            version(record(&new, 2), None, stage("OFFER")),
            version(record(&ids[1], 2), None, None),
        ];
        let again = words.clone();
        b.store.write(job!(|tx| { tx.put_records("t", words).await })).await.unwrap();
        let raced = b.store.write(job!(|tx| { tx.put_records("t", again).await })).await;
        assert!(matches!(raced, Err(StoreError::Raced)), "{raced:?}");
        let found = async |value: &str| {
            let equals = vec![IndexEntry { field: "stage_kind".into(), value: value.into() }];
            let filter = RecordFilter { equals, ..RecordFilter::default() };
            let page = Page { after: String::new(), limit: 100 };
            let rows = b.store.read(job!(|tx| { tx.records("default", "application", filter, page).await }));
            rows.await.unwrap().into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(found("HIRED").await, [ids[0].clone()]);
        assert_eq!(found("OFFER").await, [new.as_str()]);
        assert_eq!(found("SCREENING").await, ids[1..]);
        let mut wanted: Vec<_> = ids.iter().chain([&new]).map(|id| ("application".to_owned(), id.clone())).collect();
        wanted.push(("job".to_owned(), new.clone()));
        let stored = b.store.read(job!(|tx| { tx.stored_records("default", wanted).await })).await.unwrap();
        assert_eq!(stored.len(), 46);
        let versions = |id: &String| stored[&("application".to_owned(), id.clone())].version;
        assert_eq!((versions(&ids[0]), versions(&new), versions(&ids[1]), versions(&ids[44])), (3, 2, 2, 1));
        let one = ids[0].clone();
        let history = b.store.read(job!(|tx| { tx.history("default", "application", &one).await })).await.unwrap();
        let told: Vec<_> = history.iter().map(|version| (version.version, version.raw.as_deref())).collect();
        assert_eq!(told, [(1, None), (2, Some("raw")), (3, None)]);
    }

    pub(super) async fn of_many_identities_one_lost_race_undoes_all(b: Backend) {
        let say = |received_at: i64, known: &[(String, Option<i64>)]| {
            let one = |(remote_id, known): &(String, Option<i64>)| NewIdentity {
                remote: remote("application", remote_id),
                identity: Identity { id: format!("id-{remote_id}"), vendor_time: None, received_at },
                known: *known,
            };
            let all: Vec<_> = known.iter().map(one).collect();
            b.store.write(job!(|tx| { tx.put_identities("default", all).await }))
        };
        let names: Vec<String> = (0..45).map(|n| n.to_string()).collect();
        let all = |known| names.iter().map(|name| (name.clone(), known)).collect::<Vec<_>>();
        say(5, &all(None)).await.unwrap();
        let mut mixed = all(Some(5));
        mixed.push(("new".to_owned(), None));
        mixed[3].1 = Some(4);
        assert!(matches!(say(6, &mixed).await, Err(StoreError::Raced)), "somebody else has said something about it");
        mixed[3].1 = Some(5);
        say(6, &mixed).await.unwrap();
        let wanted: Vec<_> = names.iter().map(String::as_str).chain(["new", "unknown"]).collect();
        let wanted = wanted.into_iter().map(|name| remote("application", name)).collect();
        let found = b.store.read(job!(|tx| { tx.identities("default", wanted).await })).await.unwrap();
        assert_eq!(found.len(), 46);
        assert!(found.iter().all(|(of, known)| known.id == format!("id-{}", of.remote_id) && known.received_at == 6));
    }

    pub(super) async fn a_look_tells_what_a_claim_would_find(b: Backend) {
        let look = async |now| b.store.read(job!(|tx| { tx.look_for_work(&["map"], now).await })).await.unwrap();
        let nothing = Found { suspects: false, due: false, ready: false };
        assert_eq!(look(5).await, nothing);
        let two = vec![work("map", "a", "k", "m0"), work("map", "a", "k", "m1")];
        b.store.write(job!(|tx| { tx.insert_work(two).await })).await.unwrap();
        assert_eq!(look(5).await, Found { ready: true, ..nothing });
        let seq = b.claim("w1", 5, 9).await.unwrap()[0].seq;
        assert_eq!(look(5).await, nothing, "one is claimed, the other waits behind it");
        b.store.write(job!(|tx| { tx.retry_work(seq, "w1", 50).await })).await.unwrap();
        assert_eq!(look(49).await, nothing);
        assert_eq!(look(50).await, Found { due: true, ..nothing });
        assert_eq!(b.claim("w1", 50, 9).await.unwrap()[0].seq, seq);
        b.store.write(job!(|tx| { tx.take_back(1000, None).await })).await.unwrap();
        assert_eq!(look(1000).await, Found { suspects: true, ..nothing });
        let other = b.store.read(job!(|tx| { tx.look_for_work(&["flow"], 1000).await })).await.unwrap();
        assert_eq!(other, nothing, "whose it is not leaves it alone");
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

on_both_stores!(
    a_payload_is_kept_once_per_dedupe_id,
    a_repetition_across_the_border_of_two_spans_is_one,
    what_is_old_and_not_needed_goes_and_nothing_else,
    a_failed_transaction_leaves_nothing_and_its_neighbours_commit,
    what_was_written_is_there_after_reopening,
    sealed_bodies_open_only_for_their_tenant_and_place,
    work_is_claimed_once_in_order_per_key_and_fairly,
    claims_of_the_dead_come_back_and_tries_are_counted,
    a_worker_that_lost_its_claim_ends_nothing,
    what_waits_in_front_of_a_lane_hides_nothing_behind_it,
    the_end_of_a_message_frees_the_next_of_its_key,
    one_message_of_a_small_tenant_is_among_the_first,
    turns_come_round_to_every_lane,
    many_workers_never_share_a_claim,
    records_keep_versions_and_a_lost_race_is_an_error,
    what_one_message_says_about_many_records_is_written_together,
    of_many_identities_one_lost_race_undoes_all,
    a_look_tells_what_a_claim_would_find,
    identities_say_what_a_remote_id_means,
    events_get_positions_when_published_not_when_written,
    a_lease_has_one_owner_at_a_time,
    journeys_collect_their_steps_once,
);
