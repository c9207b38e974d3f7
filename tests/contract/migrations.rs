//! Schema changes while programs work, and a database with a clock of its own.

use crate::backend::{MASTER, open, postgres, raw, work};
use hub_store::{MasterKey, Options, Store, StoreError, Turns, job};
use hub_tree::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Another program changes tables under the hands of this one: it adds columns with defaults, and takes locks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_goes_on_while_a_newer_one_migrates() {
    let b = postgres().await;
    let database = b.url.rsplit('/').next().unwrap().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let store = b.store.clone();
    let stopped = Arc::clone(&stop);
    let working = tokio::spawn(async move {
        let mut rounds = 0_i64;
        while !stopped.load(Ordering::SeqCst) {
            let (kept, message) = (raw(&format!("d{rounds}")), work("map", "a", "k", &format!("m{rounds}")));
            let id = kept.id.clone();
            store.write(job!(|tx| { tx.insert_raws(vec![kept]).await })).await.unwrap();
            store.read(job!(|tx| { tx.raw("default", &id).await })).await.unwrap().unwrap();
            store.write(job!(|tx| { tx.insert_work(vec![message]).await })).await.unwrap();
            let claiming =
                store.write(job!(|tx| { tx.claim_work(&["map"], "w", 5, 100, 7, &mut Turns::default()).await }));
            let claimed = claiming.await.unwrap();
            for done in claimed {
                store.write(job!(|tx| { tx.finish_work(done.seq, "w", "done").await })).await.unwrap();
            }
            rounds += 1;
        }
        rounds
    });
    tokio::task::spawn_blocking(move || {
        for column in 0..8 {
            for table in ["raws", "inbox", "calls", "events"] {
                let change = format!("ALTER TABLE {table} ADD COLUMN later_{column} BIGINT NOT NULL DEFAULT 0");
                hub_support::postgres().sql_in(&database, &change);
            }
        }
    })
    .await
    .unwrap();
    stop.store(true, Ordering::SeqCst);
    assert!(working.await.unwrap() > 0);
}

/// From the first version on, and while the older program writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_schema_is_brought_up_to_date_beside_an_older_program() {
    let database = tokio::task::spawn_blocking(|| hub_support::postgres().new_database()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for url in [database, format!("sqlite://{}?mode=rwc", folder.path().join("hub.db").display())] {
        let older = Options { url: url.clone(), schema: 1, ..Options::default() };
        let opened = Store::open(&older, MasterKey::new(MASTER), &Clock::System).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (store, stopped) = (opened.clone(), Arc::clone(&stop));
        let working = tokio::spawn(async move {
            let mut rounds = 0;
            while !stopped.load(Ordering::SeqCst) {
                let kept = raw(&format!("d{rounds}"));
                store.write(job!(|tx| { tx.insert_raws(vec![kept]).await })).await.unwrap();
                rounds += 1;
            }
            rounds
        });
        let newer = open(&url).await.unwrap();
        stop.store(true, Ordering::SeqCst);
        assert!(working.await.unwrap() > 0);
        // It can even be started again: nothing that it needs was taken away.
        let again = Store::open(&older, MasterKey::new(MASTER), &Clock::System).await.unwrap();
        again.write(job!(|tx| { tx.insert_raws(vec![raw("last")]).await })).await.unwrap();
        drop((newer, opened));
        if let Some(name) = url.strip_prefix("postgres:").and_then(|url| url.rsplit('/').next()) {
            let name = name.to_owned();
            let taken_away = "UPDATE meta SET value = '2' WHERE name = 'schema_readable_from'";
            tokio::task::spawn_blocking(move || hub_support::postgres().sql_in(&name, taken_away)).await.unwrap();
            let refused = Store::open(&older, MasterKey::new(MASTER), &Clock::System).await;
            assert!(matches!(refused.err(), Some(StoreError::Schema(_))));
            assert!(open(&url).await.is_ok());
        }
    }
}

/// A machine whose clock stands years behind claims by the database's time.
#[tokio::test]
async fn the_store_s_clock_is_the_database_s() {
    let b = postgres().await;
    let wrong = Clock::fixed(hub_tree::jiff::Timestamp::UNIX_EPOCH);
    let options = Options { url: b.url.clone(), ..Options::default() };
    let store = Store::open(&options, MasterKey::new(MASTER), &wrong).await.unwrap();
    let apart = store.now() - Clock::System.micros();
    assert!(apart.abs() < 60_000_000, "{apart} µs apart");
}
