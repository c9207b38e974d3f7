//! Requests to write, the answers under keys, and batches, on SQLite and on PostgreSQL.

use crate::backend::{Backend, id};
use hub_store::{
    AnswerKey, BatchState, Begun, ItemEnd, ItemFilter, NewBatch, NewBatchItem, Request, RequestFilter, RequestState,
    Sealed, job,
};

fn request(key: &str, asked_at: i64) -> Request {
    let text = |text: &str| text.to_owned();
    Request {
        id: id(),
        tenant: text("default"),
        handle: text("app:1"),
        key: text(key),
        entity: text("employee"),
        record: id(),
        connection: text("erp"),
        operation: text("create_employee"),
        state: RequestState::Open,
        asked_at,
        ended_at: None,
        trace: text("t"),
        batch: String::new(),
        item: 0,
        body: Sealed(vec![1]),
        outcome: Sealed(Vec::new()),
    }
}

fn key(key: &str) -> AnswerKey {
    AnswerKey { tenant: "default".into(), handle: "app:1".into(), key: key.into() }
}

fn batch(key: &str) -> NewBatch {
    let text = |text: &str| text.to_owned();
    NewBatch {
        id: id(),
        tenant: text("default"),
        handle: text("app:1"),
        by: text("li"),
        key: text(key),
        entity: text("location"),
        connection: String::new(),
        allowed: text("S2"),
        asked_at: 5,
        trace: text("t"),
    }
}

fn items(numbers: std::ops::Range<i64>) -> Vec<NewBatchItem> {
    numbers.map(|number| NewBatchItem { number, body: Sealed(vec![7]) }).collect()
}

mod contract {
    use super::*;

    pub(super) async fn under_one_key_there_is_one_request_until_the_key_is_free(backend: Backend) {
        let (first, other) = (request("k", 10), request("k", 20));
        let (wanted, again) = (first.clone(), other.clone());
        let went = backend.store.write(job!(|tx| {
            assert!(tx.insert_request(wanted.clone()).await?);
            assert!(!tx.insert_request(again.clone()).await?, "the key is taken");
            // Requests without a key are as many as there are.
            assert!(tx.insert_request(request("", 10)).await? && tx.insert_request(request("", 10)).await?);
            let found = tx.request_by_key("default", "app:1", "k").await?.unwrap();
            assert!(tx.request_by_key("default", "app:2", "k").await?.is_none(), "another app's");
            assert!(tx.request_by_key("default", "app:1", "").await?.is_none());
            tx.release_request_key("default", "app:1", "k", 10).await?;
            assert!(!tx.insert_request(again.clone()).await?, "not older than that");
            tx.release_request_key("default", "app:1", "k", 11).await?;
            Ok((found.id, tx.insert_request(again).await?))
        }));
        assert_eq!(went.await.unwrap(), (first.id, true));
    }

    pub(super) async fn a_request_has_ended_when_all_its_calls_have(backend: Backend) {
        let one = request("", 10);
        let wanted = one.clone();
        let counted = backend.store.write(job!(|tx| {
            tx.insert_request(wanted.clone()).await?;
            let calls = vec![format!("{}-1", wanted.id), format!("{}-2", wanted.id)];
            tx.note_request_calls(&wanted.id, calls.clone()).await?;
            let mut counted = vec![tx.request_calls_left(&wanted.id).await?];
            tx.mark_request_call(&calls[0], "done").await?;
            tx.mark_request_call(&calls[1], "parked").await?;
            counted.push(tx.request_calls_left(&wanted.id).await?);
            tx.turn_request(&wanted.id, RequestState::Attention, Some(30), Sealed(vec![9])).await?;
            let of_call = tx.request_of_call(&calls[1]).await?.unwrap();
            assert_eq!(
                (of_call.state, of_call.ended_at, of_call.outcome.0),
                (RequestState::Attention, Some(30), vec![9])
            );
            // Tried again, it is open again.
            tx.reopen_request_of(&calls[1]).await?;
            counted.push(tx.request_calls_left(&wanted.id).await?);
            let filter = RequestFilter { state: Some("open"), limit: 5, ..RequestFilter::default() };
            assert_eq!(tx.requests("default", filter).await?.len(), 1);
            assert!(tx.request("other", &wanted.id).await?.is_none(), "another tenant's");
            assert_eq!(tx.forget_requests(100, 10).await?, 0, "open ones stay");
            tx.turn_request(&wanted.id, RequestState::Succeeded, Some(40), Sealed(Vec::new())).await?;
            assert_eq!(tx.forget_requests(100, 10).await?, 1);
            assert!(tx.request_of_call(&calls[0]).await?.is_none());
            Ok(counted)
        }));
        assert_eq!(counted.await.unwrap(), [(2, 0), (0, 1), (1, 0)]);
    }

    pub(super) async fn a_key_is_begun_once_and_answered_for_a_day(backend: Backend) {
        let went = backend.store.write(job!(|tx| {
            let begin = (100, 200, 0);
            assert!(matches!(tx.begin_answer(&key("a"), "f", begin).await?, Begun::Now));
            assert!(matches!(tx.begin_answer(&key("a"), "f", begin).await?, Begun::Running));
            assert!(matches!(tx.begin_answer(&key("a"), "other", begin).await?, Begun::Other));
            // Whoever comes when the time is up takes it over; the next one finds it running.
            assert!(matches!(tx.begin_answer(&key("a"), "f", (300, 400, 0)).await?, Begun::LeftOff));
            assert!(matches!(tx.begin_answer(&key("a"), "f", (301, 401, 0)).await?, Begun::Running));
            tx.keep_answer(&key("a"), Sealed(vec![4, 2])).await?;
            tx.drop_answer(&key("a")).await?;
            let answered = tx.begin_answer(&key("a"), "f", (500, 600, 0)).await?;
            assert!(matches!(answered, Begun::Answered(answer) if answer.0 == [4, 2]), "an answer is not given up");
            assert!(matches!(tx.begin_answer(&key("a"), "other", (900, 950, 101)).await?, Begun::Now), "it is too old");
            tx.drop_answer(&key("a")).await?;
            assert!(matches!(tx.begin_answer(&key("a"), "third", (901, 950, 101)).await?, Begun::Now));
            tx.forget_answers(902, 10).await
        }));
        assert_eq!(went.await.unwrap(), 1);
    }

    pub(super) async fn a_batch_begins_when_its_last_upload_is_whole(backend: Backend) {
        let new = batch("b");
        let wanted = new.clone();
        let found = backend.store.write(job!(|tx| {
            assert!(tx.insert_batch(wanted.clone()).await?);
            assert!(!tx.insert_batch(batch("b")).await?, "the key is taken");
            let id = wanted.id.as_str();
            assert!(tx.begin_upload(id, "u1", 6).await?);
            assert!(tx.insert_batch_items((id, "u1"), items(0..3), 7).await?);
            // The second upload takes the place of the first, which keeps nothing more.
            assert!(tx.begin_upload(id, "u2", 8).await?);
            assert!(!tx.insert_batch_items((id, "u1"), items(3..5), 9).await?);
            assert!(tx.insert_batch_items((id, "u2"), items(0..40), 9).await?);
            assert!(!tx.begin_batch((id, "u1"), 3, "f", (10, 10)).await?);
            assert!(tx.next_batch().await?.is_none());
            assert!(tx.begin_batch((id, "u2"), 40, "f", (10, 11)).await?);
            assert!(!tx.begin_upload(id, "u3", 12).await?, "it has begun");
            assert_eq!(tx.next_batch().await?.unwrap().1, 11);
            tx.find_batch("default", id).await
        }));
        let found = found.await.unwrap().unwrap();
        assert_eq!((found.state, found.counts.total, found.fingerprint.as_str()), (BatchState::Running, 40, "f"));
    }

    pub(super) async fn items_end_one_by_one_and_are_counted(backend: Backend) {
        let new = batch("");
        let wanted = new.clone();
        let end = |number, state| ItemEnd {
            number,
            state,
            record: String::new(),
            request: String::new(),
            problem: if state == "failed" { "{}".into() } else { String::new() },
        };
        let counts = backend.store.write(job!(|tx| {
            let id = wanted.id.as_str();
            tx.insert_batch(wanted.clone()).await?;
            tx.begin_upload(id, "u", 6).await?;
            tx.insert_batch_items((id, "u"), items(0..5), 6).await?;
            tx.begin_batch((id, "u"), 5, "f", (7, 7)).await?;
            assert!(tx.lock_batch(id, 3).await?.is_none(), "another place");
            assert!(tx.lock_batch(id, -1).await?.is_some());
            tx.end_batch_items(id, vec![end(0, "succeeded"), end(1, "running"), end(2, "failed")], 8).await?;
            // What ran ends; what had failed can succeed when somebody has settled it.
            tx.end_batch_items(id, vec![end(1, "failed"), end(2, "succeeded"), end(9, "failed")], 9).await?;
            let failed = ItemFilter { state: "failed".into(), after: -1, limit: 9 };
            let numbers: Vec<i64> = tx.batch_items(id, failed).await?.iter().map(|item| item.number).collect();
            assert_eq!(numbers, [1]);
            assert!(tx.end_batch(id, BatchState::Cancelled, 10).await?);
            assert!(!tx.end_batch(id, BatchState::Done, 11).await?, "it has ended");
            let cancelled = ItemFilter { state: "cancelled".into(), after: -1, limit: 9 };
            assert_eq!(tx.batch_items(id, cancelled).await?.len(), 2);
            Ok(tx.find_batch("default", id).await?.unwrap().counts)
        }));
        let counts = counts.await.unwrap();
        assert_eq!((counts.total, counts.succeeded, counts.failed, counts.running), (5, 2, 1, 0));
        let id = new.id;
        let left = backend.store.write(job!(|tx| {
            while tx.forget_batches(100, 2).await? > 0 {}
            tx.find_batch("default", &id).await
        }));
        assert!(left.await.unwrap().is_none());
    }
}

on_both_stores!(
    under_one_key_there_is_one_request_until_the_key_is_free,
    a_request_has_ended_when_all_its_calls_have,
    a_key_is_begun_once_and_answered_for_a_day,
    a_batch_begins_when_its_last_upload_is_whole,
    items_end_one_by_one_and_are_counted,
);
