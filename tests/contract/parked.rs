//! What lies parked and how it is gone through, on SQLite and on PostgreSQL.

use crate::backend::{Backend, call, id, take, work};
use hub_store::{
    CallState, Errand, NewParked, NewRedrive, Past, Portion, Redrive, Resolved, StoreError, Turns, Tx, Verdict, Which,
    job,
};
use std::collections::BTreeSet;

fn parked(code: &str, reference: &str, at: i64) -> NewParked {
    NewParked {
        id: id(),
        tenant: "default".into(),
        connection: "c".into(),
        step: "map".into(),
        code: code.into(),
        reason: format!("`{reference}` is no date"),
        place: String::new(),
        trace: "t".into(),
        kind: "raw".into(),
        reference: reference.into(),
        at,
    }
}

fn redrive(errand: Errand, at: i64) -> NewRedrive {
    NewRedrive {
        id: id(),
        tenant: "default".into(),
        errand,
        asked_at: at,
        asked_by: "somebody".into(),
        note: "mended".into(),
        rate: 100,
    }
}

fn how(redrive: &Redrive) -> Resolved {
    Resolved {
        at: 50,
        how: "redriven".into(),
        by: redrive.new.asked_by.clone(),
        redrive: Some(redrive.new.id.clone()),
        note: String::new(),
    }
}

/// One portion, as a worker does it: how many it held, `None` when there is nothing to do for it.
async fn portion(tx: &mut Tx, id: &str, size: i64) -> Result<Option<Vec<String>>, StoreError> {
    let Some(redrive) = tx.lock_redrive(id, 100).await? else { return Ok(None) };
    let Errand::Parked(which, _) = &redrive.new.errand else { return Ok(None) };
    let found = tx.redrive_parked(&redrive, which, size).await?;
    let ids: Vec<String> = found.iter().map(|item| item.new.id.clone()).collect();
    let count = i64::try_from(ids.len()).unwrap();
    tx.resolve_parked(ids.clone(), &how(&redrive)).await?;
    let place = ids.last().cloned().unwrap_or_else(|| redrive.place.clone());
    tx.move_redrive(id, Portion { done: count, refused: 0, place, last: count < size }, 100, 100).await?;
    Ok(Some(ids))
}

mod contract {
    use super::*;

    pub(super) async fn equal_causes_are_one_group_and_filters_say_which(b: Backend) {
        let all = [parked("X", "a", 1), parked("X", "b", 3), parked("Y", "c", 2)];
        let other = NewParked { tenant: "other".into(), ..parked("X", "d", 1) };
        let new = [all.to_vec(), vec![other]].concat();
        let groups = b.store.write(job!(|tx| {
            for item in new {
                tx.park(item).await?;
            }
            tx.parked_groups("default", Which::default(), 10).await
        }));
        let groups = groups.await.unwrap();
        let told: Vec<_> = groups.iter().map(|g| (g.example.code.as_str(), g.count, g.oldest, g.newest)).collect();
        assert_eq!(told, [("X", 2, 1, 3), ("Y", 1, 2, 2)]);
        let by_group = Which { group: groups[0].group.clone(), ..Which::default() };
        let by_id = Which { ids: vec![all[2].id.clone(), id()], ..Which::default() };
        let counts = b.store.read(job!(|tx| {
            let mut counts = Vec::new();
            for which in [by_group, by_id, Which { code: "X".into(), ids: vec!["none".into()], ..Which::default() }] {
                let touched = tx.parked_touches("default", &which).await?;
                counts.push((touched.causes.iter().map(|cause| cause.3).sum::<i64>(), touched.payloads));
            }
            Ok(counts)
        }));
        assert_eq!(counts.await.unwrap(), [(2, 2), (1, 1), (0, 0)]);
        assert!(!b.store.read(job!(|tx| { tx.has_ungrouped_parked().await })).await.unwrap());
    }

    pub(super) async fn a_redrive_leaves_alone_what_was_parked_later_or_by_itself(b: Backend) {
        let (one, two, later) = (parked("X", "a", 1), parked("X", "b", 2), parked("X", "c", 9));
        let (first, second, last) = (one.id.clone(), two.id.clone(), later.id.clone());
        let again = parked("X", "a", 2);
        let anew = again.id.clone();
        let ended = b.store.write(job!(|tx| {
            for item in [one, two, later] {
                tx.park(item).await?;
            }
            let begun = tx.insert_redrive(redrive(Errand::Parked(Which::default(), Verdict::Unknown), 5)).await?;
            assert_eq!((begun.total, begun.state.as_str()), (2, "running"));
            let id = begun.new.id.clone();
            assert_eq!(portion(tx, &id, 1).await?.unwrap(), std::slice::from_ref(&first));
            // It fails again at once, on a node whose clock is behind.
            tx.park(again).await?;
            assert_eq!(portion(tx, &id, 5).await?.unwrap(), [second]);
            assert_eq!(portion(tx, &id, 5).await?, None, "it is done");
            tx.redrive("default", &id).await
        }));
        let ended = ended.await.unwrap().unwrap();
        assert_eq!((ended.state.as_str(), ended.done, ended.refused), ("done", 2, 0));
        let filter = hub_store::ParkedFilter { limit: 10, ..Default::default() };
        let open = b.store.read(job!(|tx| { tx.parked("default", filter).await })).await.unwrap();
        let open: Vec<_> = open.iter().map(|item| (item.new.id.clone(), item.former.is_some())).collect();
        assert_eq!(open.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([(anew, true), (last, false)]));
    }

    pub(super) async fn many_workers_go_through_everything_once(b: Backend) {
        const ALL: usize = 600;
        let items: Vec<NewParked> = (0..ALL).map(|n| parked("X", &format!("r{n}"), 1)).collect();
        let wanted: BTreeSet<String> = items.iter().map(|item| item.id.clone()).collect();
        let begun = b.store.write(job!(|tx| {
            for item in items {
                tx.park(item).await?;
            }
            tx.insert_redrive(redrive(Errand::Parked(Which::default(), Verdict::Unknown), 5)).await
        }));
        let id = begun.await.unwrap().new.id;
        let worker = async |store: hub_store::Store| {
            let mut done = Vec::new();
            loop {
                let wanted = id.clone();
                match store.write(job!(|tx| { portion(tx, &wanted, 7).await })).await.unwrap() {
                    Some(ids) => done.extend(ids),
                    None => {
                        let wanted = id.clone();
                        let now = store.read(job!(|tx| { tx.redrive("default", &wanted).await })).await.unwrap();
                        if now.unwrap().state == "done" {
                            return done;
                        }
                        tokio::task::yield_now().await;
                    }
                }
            }
        };
        let done = futures::future::join_all((0..4).map(|_| worker(b.store.clone()))).await.concat();
        assert_eq!(done.len(), ALL, "none twice");
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), wanted, "none left out");
    }

    pub(super) async fn once_it_is_stopped_nothing_more_of_a_redrive_happens(b: Backend) {
        let items: Vec<NewParked> = (0..5).map(|n| parked("X", &format!("r{n}"), 1)).collect();
        let turned = b.store.write(job!(|tx| {
            for item in items {
                tx.park(item).await?;
            }
            let begun = tx.insert_redrive(redrive(Errand::Parked(Which::default(), Verdict::Unknown), 5)).await?;
            let id = begun.new.id;
            portion(tx, &id, 2).await?;
            let stopped = tx.turn_redrive("default", &id, (false, "me"), 60).await?.unwrap();
            assert_eq!((stopped.state.as_str(), stopped.changed_by.as_str()), ("stopped", "me"));
            assert_eq!(portion(tx, &id, 2).await?, None);
            assert!(tx.next_redrive().await?.is_none());
            assert!(tx.turn_redrive("default", &id, (false, "me"), 60).await?.is_none(), "it is stopped already");
            assert!(tx.turn_redrive("other", &id, (true, "me"), 60).await?.is_none(), "another tenant's");
            assert!(tx.turn_redrive("default", &id, (true, "me"), 60).await?.is_some());
            while portion(tx, &id, 2).await?.is_some() {}
            tx.redrive("default", &id).await
        }));
        let ended = turned.await.unwrap().unwrap();
        assert_eq!((ended.state.as_str(), ended.total, ended.done), ("done", 5, 5));
    }

    pub(super) async fn a_parked_call_is_opened_once_and_stays_unsure(b: Backend) {
        let new = call("k", "c", "o");
        let call_id = new.id.clone();
        let opened = b.store.write(job!(|tx| {
            tx.insert_call(new).await?;
            assert!(!tx.reopen_call("default", &call_id, true).await?, "it is not parked");
            let claimed = tx.claim_calls("w", 10, 20, vec![take("c", 1)]).await?;
            tx.settle_call(claimed[0].seq, "w", CallState::Parked, 11, true, Some("cut off".into())).await?;
            assert!(tx.reopen_call("default", &call_id, true).await?);
            assert!(!tx.reopen_call("default", &call_id, false).await?, "it is open already");
            let again = tx.claim_calls("w", 10, 20, vec![take("c", 1)]).await?;
            tx.settle_call(again[0].seq, "w", CallState::Parked, 11, false, None).await?;
            assert!(tx.call_was_carried_out("default", &call_id, 30).await?);
            assert!(!tx.reopen_call("default", &call_id, false).await?, "it is done");
            Ok((again, tx.call_by_id("default", &call_id).await?.unwrap()))
        }));
        let (again, settled) = opened.await.unwrap();
        assert_eq!((again.len(), again[0].tries, again[0].unsure), (1, 1, true));
        assert_eq!(again[0].error.as_deref(), Some("cut off"));
        assert_eq!((settled.state.as_str(), settled.unsure, settled.new.key.as_str()), ("done", false, "k"));
    }

    pub(super) async fn parked_work_goes_behind_what_waits_under_its_old_name(b: Backend) {
        let names = b.store.write(job!(|tx| {
            tx.insert_work(vec![work("map", "default", "o", "old"), work("map", "default", "o", "new")]).await?;
            let claimed = tx.claim_work(&["map"], "w", 10, 20, 1, &mut Turns::default()).await?;
            assert!(tx.take_parked_work("default", "map", "old").await?.is_none(), "it is not parked");
            tx.finish_work(claimed[0].seq, "w", "parked").await?;
            assert!(tx.take_parked_work("other", "map", "old").await?.is_none(), "another tenant's");
            let taken = tx.take_parked_work("default", "map", "old").await?.unwrap();
            assert!(tx.take_parked_work("default", "map", "old").await?.is_none(), "it is taken");
            tx.insert_work(vec![taken]).await?;
            let mut names = Vec::new();
            while let Some(claimed) = tx.claim_work(&["map"], "w", 10, 20, 1, &mut Turns::default()).await?.pop() {
                assert_eq!(claimed.tries, 1);
                tx.finish_work(claimed.seq, "w", "done").await?;
                names.push(claimed.new.message);
            }
            Ok(names)
        }));
        assert_eq!(names.await.unwrap(), ["new", "old"]);
    }

    pub(super) async fn a_replay_knows_its_types_and_its_record(b: Backend) {
        let event = |kind: &str, record: &str, at: i64| hub_store::NewEvent {
            id: id(),
            tenant: "default".into(),
            kind: kind.into(),
            entity: kind.split('.').next().unwrap().into(),
            record: record.into(),
            version: 1,
            connection: Some("c".into()),
            at,
            trace: format!("00-{}-{}-01", "a".repeat(32), "b".repeat(16)),
            changed: String::new(),
        };
        let events = vec![
            event("application.stage_changed", "1", 10),
            event("application.stageXchanged", "1", 10),
            event("application.created", "2", 11),
            event("decision.made", "3", 12),
            event("decision.made", "3", 20),
        ];
        b.store.write(job!(|tx| { tx.insert_events(events).await })).await.unwrap();
        let published = b.store.write(job!(|tx| {
            let seqs = tx.unpublished_events(10).await?.iter().map(|event| event.seq).collect();
            tx.position_events(seqs).await
        }));
        published.await.unwrap();
        let past = |types: &[&str], record: &str| Past {
            from: 10,
            to: 20,
            connection: String::new(),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            record: record.into(),
        };
        for (past, count) in [
            (past(&[], ""), 4),
            (past(&["application.stage_changed"], ""), 1),
            (past(&["application.*"], ""), 3),
            (past(&["decision.*", "application.created"], ""), 2),
            (past(&[], "application/1"), 2),
            (Past { connection: "other".into(), ..past(&[], "") }, 0),
        ] {
            let errand = Errand::Events(past.clone(), String::new());
            let found = b.store.write(job!(|tx| {
                let passed = tx.replay_touches("default", &errand).await?;
                let begun = tx.insert_redrive(redrive(errand, 30)).await?;
                let found = tx.redrive_events(&begun, &past, 10).await?;
                let kept = tx.redrive("default", &begun.new.id).await?.unwrap();
                assert_eq!(kept.new.errand, begun.new.errand, "it is kept as it was asked for");
                assert_eq!(passed.counts.iter().map(|(.., n)| n).sum::<i64>(), begun.total);
                assert_eq!(i64::try_from(found.len()).unwrap(), begun.total);
                Ok(found.len())
            }));
            assert_eq!(found.await.unwrap(), count);
        }
    }
}

on_both_stores!(
    equal_causes_are_one_group_and_filters_say_which,
    a_redrive_leaves_alone_what_was_parked_later_or_by_itself,
    many_workers_go_through_everything_once,
    once_it_is_stopped_nothing_more_of_a_redrive_happens,
    a_parked_call_is_opened_once_and_stays_unsure,
    parked_work_goes_behind_what_waits_under_its_old_name,
    a_replay_knows_its_types_and_its_record,
);
