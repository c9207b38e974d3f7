//! Outgoing calls, circuits and the counts behind them, on SQLite and on PostgreSQL.

use crate::backend::{Backend, call, take};
use hub_store::{CallState, CircuitState, Counts, Hand, Lane, NewCall, Take, TakenBack, job};

mod contract {
    use super::*;

    pub(super) async fn calls_are_asked_for_once_and_wait_their_turn(b: Backend) {
        let ask = |call: NewCall| b.store.write(job!(|tx| { tx.insert_call(call).await }));
        assert!(ask(call("note:1", "gh", "app/1")).await.unwrap());
        assert!(!ask(call("note:1", "gh", "app/1")).await.unwrap(), "one call per business reference");
        assert!(ask(call("move:1", "gh", "app/1")).await.unwrap());
        assert!(ask(call("note:2", "gh", "app/2")).await.unwrap());
        assert!(ask(call("msg:1", "ding", "app/1")).await.unwrap());
        let claim =
            |now, takes: Vec<Take>| b.store.write(job!(|tx| { tx.claim_calls("w", now, now + 10, takes).await }));
        let lanes = |now| b.store.read(job!(|tx| { tx.due_lanes(now).await }));
        let names = |lanes: Vec<Lane>| lanes.into_iter().map(|l| (l.connection, l.running)).collect::<Vec<_>>();
        assert!(lanes(0).await.unwrap().is_empty(), "nothing is due yet");
        assert_eq!(names(lanes(5).await.unwrap()), [("ding".to_owned(), 0), ("gh".to_owned(), 0)]);
        let first = claim(5, vec![take("gh", 1), take("ding", 5), take("nobody", 5)]).await.unwrap();
        let keys: Vec<&str> = first.iter().map(|c| c.new.key.as_str()).collect();
        assert_eq!(keys, ["note:1", "msg:1"], "as many as there is room for, the oldest of its key");
        assert_eq!(claim(5, vec![take("ding", 1)]).await.unwrap().len(), 0);
        assert_eq!(names(lanes(5).await.unwrap()), [("gh".to_owned(), 1)]);
        let seq = first[0].seq;
        let settle = |state, at, unsure, error: Option<String>| {
            b.store.write(job!(|tx| { tx.settle_call(seq, "w", state, at, unsure, error).await }))
        };
        assert!(settle(CallState::Ready, 20, true, Some("timeout".into())).await.unwrap());
        let next = claim(6, vec![take("gh", 5)]).await.unwrap();
        assert_eq!((next.len(), next[0].new.key.as_str()), (1, "note:2"), "its own key waits, another does not");
        let first_tries = Take { first_tries: true, ..take("gh", 5) };
        assert!(claim(20, vec![first_tries]).await.unwrap().is_empty(), "no retries, and nobody before his elder");
        let again = claim(20, vec![take("gh", 1)]).await.unwrap();
        assert_eq!((again[0].new.key.as_str(), again[0].tries, again[0].unsure), ("note:1", 2, true));
        assert!(settle(CallState::Done, 21, false, None).await.unwrap());
        assert!(!settle(CallState::Done, 21, false, None).await.unwrap(), "a settled call is settled");
        assert_eq!(claim(22, vec![take("gh", 1)]).await.unwrap()[0].new.key, "move:1");
        let back = b.store.write(job!(|tx| { tx.take_back(1000, None).await })).await.unwrap();
        assert_eq!(back, TakenBack { work: 0, calls: 3 });
        let found = b.store.read(job!(|tx| { tx.call("default", "gh", "move:1").await })).await.unwrap().unwrap();
        assert!(found.unsure, "a call whose worker died may have been carried out");
    }

    pub(super) async fn calls_that_must_wait_stand_in_nobodys_way(b: Backend) {
        // More calls of one order key than a claim looks at, and one call of another key behind them.
        let mut all: Vec<NewCall> = (0..450).map(|n| call(&format!("k{n}"), "c", "same")).collect();
        all.push(call("other", "c", "other"));
        let asking = b.store.write(job!(|tx| {
            for call in all {
                tx.insert_call(call).await?;
            }
            Ok(())
        }));
        asking.await.unwrap();
        let claim = |now| b.store.write(job!(|tx| { tx.claim_calls("w", now, now + 10, vec![take("c", 4)]).await }));
        let end = |seq, state, at| b.store.write(job!(|tx| { tx.settle_call(seq, "w", state, at, false, None).await }));
        let head = claim(5).await.unwrap();
        assert_eq!((head.len(), head[0].new.key.as_str()), (1, "k0"));
        let mut found = Vec::new();
        for _ in 0..4 {
            found.extend(claim(6).await.unwrap().into_iter().map(|call| call.new.key));
        }
        assert_eq!(found, ["other"], "what waits for its turn was moved out of the way");
        // Its turn comes at once when the older one has ended, and the order is kept.
        end(head[0].seq, CallState::Done, 7).await.unwrap();
        for n in 1..6 {
            let next = claim(8).await.unwrap();
            assert_eq!((next.len(), next[0].new.key.as_str()), (1, format!("k{n}").as_str()));
            end(next[0].seq, if n % 2 == 0 { CallState::Done } else { CallState::Parked }, 8).await.unwrap();
        }
        // A retry keeps its place.
        let next = claim(9).await.unwrap();
        end(next[0].seq, CallState::Ready, 50).await.unwrap();
        assert!(claim(10).await.unwrap().is_empty());
        assert_eq!(claim(50).await.unwrap()[0].new.key, "k6");
    }

    pub(super) async fn many_workers_never_share_a_call(b: Backend) {
        let asking = b.store.write(job!(|tx| {
            for n in 0..120 {
                tx.insert_call(call(&format!("k{n}"), &format!("c{}", n % 3), &format!("o{}", n % 40))).await?;
            }
            Ok(())
        }));
        asking.await.unwrap();
        let worker = |name: String| {
            let store = b.store.clone();
            async move {
                let (mut done, mut idle) = (Vec::new(), 0);
                while idle < 20 {
                    let owner = name.clone();
                    let takes = (0..3).map(|n| take(&format!("c{n}"), 3)).collect();
                    let calls = store.write(job!(|tx| { tx.claim_calls(&owner, 5, 1000, takes).await })).await.unwrap();
                    idle = if calls.is_empty() { idle + 1 } else { 0 };
                    for call in calls {
                        let owner = name.clone();
                        let end = store.write(job!(|tx| {
                            tx.settle_call(call.seq, &owner, CallState::Done, 6, false, None).await
                        }));
                        assert!(end.await.unwrap());
                        done.push(call.new.key);
                    }
                }
                done
            }
        };
        let done = futures::future::join_all((0..4).map(|n| worker(format!("w{n}")))).await;
        let mut done: Vec<String> = done.into_iter().flatten().collect();
        let all = done.len();
        done.sort();
        done.dedup();
        assert_eq!((all, done.len()), (120, 120));
    }

    pub(super) async fn a_circuit_changes_once_and_one_worker_probes(b: Backend) {
        let open = |now: i64| {
            b.store.write(job!(|tx| { tx.open_circuit("c", "default", now, now + 30, "5 of 10".into()).await }))
        };
        let one = || async { b.store.read(job!(|tx| { tx.circuits().await })).await.unwrap().remove(0) };
        assert!(open(100).await.unwrap());
        assert!(!open(101).await.unwrap(), "of many that see the trouble, one changes it");
        let circuit = one().await;
        assert_eq!((circuit.state, circuit.since, circuit.next_probe_at), (CircuitState::Open, 100, 130));
        let probe = |owner: &'static str, now: i64| {
            b.store.write(job!(|tx| { tx.begin_probe("c", owner, now, now + 10).await }))
        };
        assert!(!probe("w1", 129).await.unwrap(), "too early");
        let both = Box::pin(futures::future::join(probe("w1", 130), probe("w2", 130))).await;
        assert_eq!(usize::from(both.0.unwrap()) + usize::from(both.1.unwrap()), 1);
        // The worker that had the probe died: another one may.
        assert!(!probe("w3", 139).await.unwrap() && probe("w3", 140).await.unwrap());
        let fail = |owner: &'static str| {
            b.store.write(job!(|tx| { tx.fail_probe("c", owner, 141, 200, "again".into()).await }))
        };
        assert!(!fail("w1").await.unwrap() && fail("w3").await.unwrap(), "only who has the probe counts");
        assert_eq!((one().await.state, one().await.opened), (CircuitState::Open, 2));
        let pass = |now| b.store.write(job!(|tx| { tx.pass_probe("c", "w1", now, 2).await }));
        assert!(probe("w1", 200).await.unwrap() && !pass(201).await.unwrap());
        assert!(!pass(201).await.unwrap(), "a probe counts once");
        assert!(probe("w1", 202).await.unwrap());
        b.store.write(job!(|tx| { tx.drop_probe("c", "w1").await })).await.unwrap();
        assert!(probe("w1", 203).await.unwrap() && pass(204).await.unwrap(), "the second one closes it");
        assert_eq!((one().await.state, one().await.since, one().await.opened), (CircuitState::Closed, 204, 0));
        assert!(!probe("w1", 999).await.unwrap(), "there is nothing to find out");
        // It is remembered by whoever starts anew.
        assert!(open(300).await.unwrap());
        let again = crate::backend::open(&b.url).await.unwrap();
        let kept = again.read(job!(|tx| { tx.circuits_in_force(301, 0).await })).await.unwrap();
        assert_eq!(kept[0].state, CircuitState::Open);
    }

    pub(super) async fn a_persons_word_and_a_vendors_wait_hold_for_the_connection(b: Backend) {
        let decide = |open: Option<bool>, now| {
            b.store.write(job!(|tx| { tx.decide_circuit("c", "default", open, "petra".into(), now).await }))
        };
        let wait = |until: i64| {
            b.store.write(job!(|tx| { tx.wait_connection("c", "default", until, "HTTP 429".into()).await }))
        };
        let one = || async { b.store.read(job!(|tx| { tx.circuits().await })).await.unwrap().remove(0) };
        let in_force = |now| b.store.read(job!(|tx| { tx.circuits_in_force(now, i64::MAX).await }));
        wait(50).await.unwrap();
        wait(40).await.unwrap();
        assert_eq!(one().await.wait_until, 50, "the longest wait counts");
        assert_eq!((in_force(49).await.unwrap().len(), in_force(50).await.unwrap().len()), (1, 0));
        decide(Some(true), 60).await.unwrap();
        assert_eq!(one().await.hand, Some(Hand { open: true, by: "petra".into(), at: 60 }));
        let opened = b.store.write(job!(|tx| { tx.open_circuit("c", "default", 61, 90, "x".into()).await }));
        assert!(!opened.await.unwrap(), "a person has decided");
        assert_eq!(in_force(1000).await.unwrap().len(), 1);
        decide(Some(false), 70).await.unwrap();
        assert!(!one().await.hand.unwrap().open);
        wait(500).await.unwrap();
        decide(None, 80).await.unwrap();
        let circuit = one().await;
        assert_eq!((circuit.hand, circuit.state, circuit.since), (None, CircuitState::Closed, 80));
        assert_eq!(circuit.wait_until, 0, "the wait is over, too");
    }

    pub(super) async fn counts_of_all_workers_are_summed_by_slot(b: Backend) {
        let count = |slot, calls| Counts { connection: "c".into(), slot, calls, tries: calls, ..Counts::default() };
        let put =
            |node: &'static str, counts: Vec<Counts>| b.store.write(job!(|tx| { tx.put_counts(node, counts).await }));
        put("w1", vec![count(7, 1), count(8, 2)]).await.unwrap();
        put("w1", vec![count(8, 3)]).await.unwrap();
        put("w2", vec![count(8, 10)]).await.unwrap();
        let store = &b.store;
        let counts = |since, node: &'static str| async move {
            let found = store.read(job!(|tx| { tx.counts(since, node).await })).await.unwrap();
            found.into_iter().map(|c| (c.slot, c.calls)).collect::<Vec<_>>()
        };
        let mut all = counts(0, "").await;
        all.sort_unstable();
        assert_eq!(all, [(7, 1), (8, 13)], "a worker's later word replaces its former one");
        assert_eq!(counts(8, "w2").await, [(8, 3)]);
        assert_eq!(b.store.write(job!(|tx| { tx.forget_counts(8).await })).await.unwrap(), 1);
        assert_eq!(counts(0, "").await, [(8, 13)]);
    }

    pub(super) async fn of_calls_whose_workers_die_again_one_goes_at_a_time(b: Backend) {
        for key in ["a", "b", "c"] {
            let call = call(key, key, key);
            b.store.write(job!(|tx| { tx.insert_call(call).await })).await.unwrap();
        }
        let claim = async |now| {
            let takes = ["a", "b", "c"].map(|connection| take(connection, 9)).into();
            let claiming = b.store.write(job!(|tx| { tx.claim_calls("w", now, now + 10, takes).await }));
            claiming.await.unwrap().into_iter().map(|call| call.new.key).collect::<Vec<_>>()
        };
        let die = async |now| b.store.write(job!(|tx| { tx.take_back(now, Some("w".into())).await })).await.unwrap();
        let release = async |now| b.store.write(job!(|tx| { tx.release_call(now).await })).await.unwrap();
        let crashed = async || {
            let crashed = b.store.read(job!(|tx| { tx.crashed_calls(4).await })).await.unwrap();
            crashed.into_iter().map(|call| (call.seq, call.new.key)).collect::<Vec<_>>()
        };
        assert_eq!(claim(5).await.len(), 3);
        die(6).await;
        // Most deaths are nobody's fault: they go on side by side.
        assert_eq!(claim(10_000_000).await.len(), 3);
        die(10_000_001).await;
        assert!(claim(20_000_000).await.is_empty());
        for now in [20_000_000, 30_000_000] {
            assert!(release(now).await);
            assert!(!release(now).await, "one is on its way");
            assert_eq!(claim(now).await, ["a"]);
            assert!(!release(now).await, "it is running");
            assert!(crashed().await.is_empty());
            die(now + 1).await;
        }
        let found = crashed().await;
        assert_eq!(found[0].1, "a");
        let seq = found[0].0;
        assert!(b.store.write(job!(|tx| { tx.park_held_call(seq, "crashes".into()).await })).await.unwrap());
        assert!(crashed().await.is_empty());
        assert!(release(40_000_000).await);
        assert_eq!(claim(40_000_000).await, ["b"], "the next one's turn");
    }
}

on_both_stores!(
    calls_are_asked_for_once_and_wait_their_turn,
    calls_that_must_wait_stand_in_nobodys_way,
    many_workers_never_share_a_call,
    a_circuit_changes_once_and_one_worker_probes,
    a_persons_word_and_a_vendors_wait_hold_for_the_connection,
    counts_of_all_workers_are_summed_by_slot,
    of_calls_whose_workers_die_again_one_goes_at_a_time,
);
