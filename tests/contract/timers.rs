//! Timers, on SQLite and on PostgreSQL.

use crate::backend::{Backend, open};
use hub_store::{Again, NewTimer, Store, StoreError, Timer, TimerEnd, job};

const DAY: i64 = 86_400_000_000;

fn timer(tenant: &str, name: &str, due_at: i64) -> NewTimer {
    NewTimer {
        tenant: tenant.into(),
        name: name.into(),
        kind: "flow".into(),
        subject: "application/1".into(),
        due_at,
        created_at: 1,
        trace: "t".into(),
        body: "{}".into(),
    }
}

async fn set(store: &Store, timer: NewTimer, again: Again) -> bool {
    store.write(job!(|tx| { tx.set_timer(timer, again).await })).await.unwrap()
}

async fn claim(store: &Store, now: i64, limit: i64) -> Vec<Timer> {
    store.write(job!(|tx| { tx.claim_timers(&["flow"], now, now + 10, limit).await })).await.unwrap()
}

async fn finish(store: &Store, claimed: &Timer, end: TimerEnd) -> bool {
    let claimed = claimed.clone();
    store.write(job!(|tx| { tx.finish_timer(&claimed, end, 500).await })).await.unwrap()
}

async fn state(store: &Store, name: &'static str) -> Option<String> {
    store.read(job!(|tx| { tx.timer("a", name).await })).await.unwrap().map(|timer| timer.state)
}

fn names(timers: &[Timer]) -> Vec<&str> {
    timers.iter().map(|timer| timer.new.name.as_str()).collect()
}

mod contract {
    use super::*;

    pub(super) async fn a_timer_fires_when_it_is_due_and_once(b: Backend) {
        assert!(set(&b.store, timer("a", "later", 100), Again::Keep).await);
        assert!(set(&b.store, timer("a", "sooner", 50), Again::Keep).await);
        let other = NewTimer { kind: "schedule".into(), ..timer("a", "other", 10) };
        set(&b.store, other, Again::Keep).await;
        assert!(claim(&b.store, 49, 9).await.is_empty(), "not before its time, and nothing of another kind");
        let due = claim(&b.store, 100, 9).await;
        assert_eq!(names(&due), ["sooner", "later"]);
        assert!(claim(&b.store, 100, 9).await.is_empty(), "what is claimed is claimed");
        assert!(finish(&b.store, &due[0], TimerEnd::Fired).await);
        assert!(!finish(&b.store, &due[0], TimerEnd::Fired).await, "it has fired");
        assert!(!set(&b.store, timer("a", "sooner", 200), Again::Keep).await, "setting it again does not repeat it");
        assert_eq!(state(&b.store, "sooner").await.as_deref(), Some("fired"));
        assert_eq!(names(&claim(&b.store, 500, 9).await), ["later"], "its holder is dead, and the other one has fired");
    }

    pub(super) async fn a_timer_of_months_survives_a_restart(b: Backend) {
        set(&b.store, timer("a", "spring", 200 * DAY), Again::Keep).await;
        b.store.close().await;
        let again = open(&b.url).await.unwrap();
        assert!(claim(&again, 200 * DAY - 1, 9).await.is_empty());
        let next = again.read(job!(|tx| { tx.next_timer(&["flow"]).await })).await.unwrap();
        assert_eq!(next, Some(200 * DAY));
        assert_eq!(again.read(job!(|tx| { tx.next_timer(&["schedule"]).await })).await.unwrap(), None);
        assert_eq!(names(&claim(&again, 230 * DAY, 9).await), ["spring"], "a late one fires when the hub is back");
    }

    pub(super) async fn a_dead_workers_claim_comes_back_and_its_late_word_does_not_count(b: Backend) {
        set(&b.store, timer("a", "one", 5), Again::Keep).await;
        let first = claim(&b.store, 10, 9).await;
        assert_eq!((first[0].tries, claim(&b.store, 19, 9).await.len()), (1, 0), "the lease still holds");
        let second = claim(&b.store, 20, 9).await;
        assert_eq!(second[0].tries, 2);
        assert!(!finish(&b.store, &first[0], TimerEnd::Fired).await, "the first worker is too late");
        let late = first[0].clone();
        let wound = b.store.write(job!(|tx| { tx.wind_timer(&late, 90, Some(5), "{}".into()).await })).await.unwrap();
        assert!(!wound);
        assert!(finish(&b.store, &second[0], TimerEnd::Fired).await);
    }

    pub(super) async fn what_fires_commits_together_with_the_mark(b: Backend) {
        set(&b.store, timer("a", "one", 5), Again::Keep).await;
        let claimed = claim(&b.store, 10, 9).await.remove(0);
        let stale = Timer { turn: claimed.turn - 1, ..claimed.clone() };
        let fire = |claimed: Timer| {
            b.store.write(job!(|tx| {
                tx.set_timer(timer("a", "effect", 1000), Again::Keep).await?;
                let kept = tx.finish_timer(&claimed, TimerEnd::Fired, 11).await?;
                if kept { Ok(()) } else { Err(StoreError::Raced) }
            }))
        };
        assert!(fire(stale).await.is_err());
        assert_eq!(state(&b.store, "effect").await, None, "a lost claim leaves nothing");
        fire(claimed).await.unwrap();
        assert_eq!(state(&b.store, "effect").await.as_deref(), Some("waiting"));
    }

    pub(super) async fn setting_one_again_keeps_or_moves_it(b: Backend) {
        set(&b.store, timer("a", "one", 50), Again::Keep).await;
        assert!(!set(&b.store, timer("a", "one", 10), Again::Keep).await);
        assert!(claim(&b.store, 49, 9).await.is_empty(), "it was kept");
        assert!(set(&b.store, timer("a", "one", 10), Again::Move).await);
        let claimed = claim(&b.store, 10, 9).await;
        assert_eq!(names(&claimed), ["one"]);
        // Moved while somebody works on it: that work is lost, and it fires at its new time.
        set(&b.store, timer("a", "one", 300), Again::Move).await;
        assert!(!finish(&b.store, &claimed[0], TimerEnd::Fired).await);
        let again = claim(&b.store, 300, 9).await;
        assert_eq!((again[0].tries, finish(&b.store, &again[0], TimerEnd::Fired).await), (1, true));
        assert!(set(&b.store, timer("a", "one", 400), Again::Move).await, "one that has fired can be set anew");
        assert_eq!(claim(&b.store, 400, 9).await[0].last_due_at, Some(300));
        assert!(set(&b.store, timer("b", "one", 5), Again::Keep).await, "names are a tenant's own");
    }

    pub(super) async fn a_timer_that_comes_again_waits_for_its_next_time(b: Backend) {
        set(&b.store, timer("a", "one", 5), Again::Keep).await;
        for (now, next) in [(5, 15), (15, 25)] {
            let claimed = claim(&b.store, now, 9).await.remove(0);
            let body = format!("{next}");
            let wound = b.store.write(job!(|tx| { tx.wind_timer(&claimed, next, Some(now), body).await })).await;
            assert!(wound.unwrap());
            assert!(claim(&b.store, next - 1, 9).await.is_empty());
        }
        let claimed = claim(&b.store, 25, 9).await.remove(0);
        assert_eq!((claimed.last_due_at, claimed.new.body.as_str(), claimed.tries), (Some(15), "25", 1));
        let given = claimed.clone();
        assert!(b.store.write(job!(|tx| { tx.put_back_timer(&given, 60, false).await })).await.unwrap());
        assert!(claim(&b.store, 59, 9).await.is_empty());
        let again = claim(&b.store, 60, 9).await.remove(0);
        assert_eq!((again.tries, again.new.due_at), (1, 25), "a try that never began is not counted");
    }

    pub(super) async fn cancelled_timers_do_not_fire(b: Backend) {
        for name in ["one", "two", "three"] {
            set(&b.store, timer("a", name, 5), Again::Keep).await;
        }
        let far = NewTimer { subject: "application/2".into(), ..timer("a", "far", 5) };
        set(&b.store, far, Again::Keep).await;
        let cancel = |name: &'static str| b.store.write(job!(|tx| { tx.cancel_timer("a", name, 7).await }));
        assert!(cancel("one").await.unwrap());
        assert!(!cancel("one").await.unwrap());
        let about = b.store.write(job!(|tx| { tx.cancel_timers_about("a", "flow", "application/1", 7).await }));
        let mut about = about.await.unwrap();
        about.sort_by_key(|timer| timer.seq);
        assert_eq!(names(&about), ["two", "three"]);
        let claimed = claim(&b.store, 100, 9).await;
        assert_eq!(names(&claimed), ["far"]);
        // Cancelled while somebody works on it: that work is lost.
        assert!(cancel("far").await.unwrap());
        assert!(!finish(&b.store, &claimed[0], TimerEnd::Fired).await);
        assert!(!set(&b.store, timer("a", "one", 5), Again::Keep).await);
        assert_eq!(b.store.write(job!(|tx| { tx.forget_timers(8).await })).await.unwrap(), 4);
    }

    pub(super) async fn a_parked_timer_stays_until_somebody_reopens_it(b: Backend) {
        set(&b.store, timer("a", "one", 5), Again::Keep).await;
        let claimed = claim(&b.store, 10, 9).await.remove(0);
        assert!(finish(&b.store, &claimed, TimerEnd::Parked).await);
        assert!(claim(&b.store, 100, 9).await.is_empty());
        assert_eq!(b.store.write(job!(|tx| { tx.forget_timers(i64::MAX).await })).await.unwrap(), 0);
        let reopen = || b.store.write(job!(|tx| { tx.reopen_timer("a", "one", 100).await }));
        assert!(reopen().await.unwrap());
        assert!(!reopen().await.unwrap());
        assert_eq!(claim(&b.store, 100, 9).await[0].tries, 1);
    }

    pub(super) async fn many_workers_fire_each_timer_once_and_no_tenant_waits_for_another(b: Backend) {
        let all: Vec<_> = (0..200).map(|n| timer("flood", &format!("f{n}"), 5)).collect();
        let one = timer("small", "s", 9);
        b.store
            .write(job!(|tx| {
                for timer in all {
                    tx.set_timer(timer, Again::Keep).await?;
                }
                tx.set_timer(one, Again::Keep).await
            }))
            .await
            .unwrap();
        let first = claim(&b.store, 20, 2).await;
        assert!(names(&first).contains(&"s"), "{first:?}");
        let workers = (0..8).map(|_| {
            let store = b.store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&store, 20, 7).await;
                    if claimed.is_empty() {
                        return mine;
                    }
                    for timer in claimed {
                        if finish(&store, &timer, TimerEnd::Fired).await {
                            mine.push(timer.new.name);
                        }
                    }
                }
            })
        });
        let fired = futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap);
        let mut fired: Vec<String> = fired.chain(first.into_iter().map(|timer| timer.new.name)).collect();
        fired.sort();
        let before = fired.len();
        fired.dedup();
        assert_eq!((before, fired.len()), (201, 201));
    }
}

on_both_stores!(
    a_timer_fires_when_it_is_due_and_once,
    a_timer_of_months_survives_a_restart,
    a_dead_workers_claim_comes_back_and_its_late_word_does_not_count,
    what_fires_commits_together_with_the_mark,
    setting_one_again_keeps_or_moves_it,
    a_timer_that_comes_again_waits_for_its_next_time,
    cancelled_timers_do_not_fire,
    a_parked_timer_stays_until_somebody_reopens_it,
    many_workers_fire_each_timer_once_and_no_tenant_waits_for_another,
);
