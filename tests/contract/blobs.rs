//! Large bodies that wait in the store, on SQLite and on PostgreSQL.

use crate::backend::{Backend, id};
use hub_store::{Blobs, NewRaw, Sealed, Store, job};

fn body() -> Sealed {
    Sealed(vec![1, 0, 255, 7])
}

async fn keep(store: &Store, id: &str, at: i64) {
    let id = id.to_owned();
    store.write(job!(|tx| { tx.keep_blob(id, "a".into(), at, body()).await })).await.unwrap();
}

async fn look(store: &Store, ids: &[&str]) -> Blobs {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    store.read(job!(|tx| { tx.blobs(ids).await })).await.unwrap()
}

/// Takes the body of a message as a payload with a dedupe id; whether it was new.
async fn take(store: &Store, id: &str, dedupe: &str) -> bool {
    let raw = NewRaw {
        id: id.to_owned(),
        tenant: "a".into(),
        connection: "c".into(),
        dedupe_id: dedupe.to_owned(),
        parent: None,
        received_at: 1,
        trace: "t".into(),
        sha256: "s".into(),
        body: body(),
    };
    let taking = store.write(job!(|tx| {
        let id = raw.id.clone();
        let new = tx.insert_new_raws(vec![(raw, None)]).await?.contains(&id);
        let (kept, repeated) = if new { (vec![id], vec![]) } else { (vec![], vec![id]) };
        tx.take_blobs(kept, repeated).await?;
        Ok(new)
    }));
    taking.await.unwrap()
}

async fn forget(store: &Store, before: i64, limit: i64) -> u64 {
    store.write(job!(|tx| { tx.forget_blobs(before, limit).await })).await.unwrap()
}

mod contract {
    use super::*;

    pub(super) async fn a_body_waits_until_its_payload_is_kept(b: Backend) {
        let (first, other, unknown) = (id(), id(), id());
        keep(&b.store, &first, 1).await;
        keep(&b.store, &other, 1).await;
        let found = look(&b.store, &[&first, &unknown]).await;
        assert_eq!(found.waiting, [(first.clone(), body())].into());
        assert!(found.taken.is_empty());
        assert!(take(&b.store, &first, "event-1").await);
        let found = look(&b.store, &[&first, &other, &unknown]).await;
        assert_eq!(found.taken, [first].into(), "its payload is there");
        assert_eq!(found.waiting, [(other, body())].into(), "others are left alone");
        assert_eq!(forget(&b.store, i64::MAX, 10).await, 1, "nothing is left of what was kept");
    }

    pub(super) async fn a_repetition_is_known_when_it_is_delivered_again(b: Backend) {
        let (first, again) = (id(), id());
        for id in [&first, &again] {
            keep(&b.store, id, 1).await;
        }
        assert!(take(&b.store, &first, "event-1").await);
        assert!(!take(&b.store, &again, "event-1").await);
        // It became no payload of its own, and is none that lost its body.
        let found = look(&b.store, &[&again]).await;
        assert_eq!(found, Blobs { waiting: [].into(), taken: [again.clone()].into() });
        assert!(!take(&b.store, &again, "event-1").await);
        assert_eq!(look(&b.store, &[&again]).await.taken, [again].into());
    }

    pub(super) async fn what_no_message_came_for_goes_when_it_is_old(b: Backend) {
        let ids = [id(), id(), id(), id()];
        for (id, at) in ids.iter().zip(1..) {
            keep(&b.store, id, at).await;
        }
        assert_eq!(forget(&b.store, 4, 2).await, 2);
        assert_eq!(forget(&b.store, 4, 2).await, 1);
        assert_eq!(forget(&b.store, 4, 2).await, 0);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(look(&b.store, &ids).await.waiting, [(ids[3].to_owned(), body())].into());
    }
}

on_both_stores!(
    a_body_waits_until_its_payload_is_kept,
    a_repetition_is_known_when_it_is_delivered_again,
    what_no_message_came_for_goes_when_it_is_old,
);
