//! The keyed hashes by which humans are known again, on SQLite and on PostgreSQL.

use crate::backend::Backend;
use hub_store::{MatchKey, RecordId, job};

fn key(kind: &str, value: &str) -> MatchKey {
    MatchKey { kind: kind.into(), value: value.into() }
}

fn person(id: &str) -> RecordId {
    ("person".into(), id.into())
}

async fn put(b: &Backend, tenant: &'static str, record: RecordId, keys: Vec<MatchKey>) {
    b.store.write(job!(|tx| { tx.put_match_keys(tenant, &record, keys).await })).await.unwrap();
}

async fn keys(b: &Backend, tenant: &'static str, record: RecordId) -> Vec<MatchKey> {
    b.store.read(job!(|tx| { tx.match_keys(tenant, &record).await })).await.unwrap()
}

async fn matches(b: &Backend, tenant: &'static str, key: MatchKey, limit: i64) -> Vec<RecordId> {
    b.store.read(job!(|tx| { tx.matches(tenant, &key, limit).await })).await.unwrap()
}

mod contract {
    use super::*;

    pub(super) async fn a_record_is_found_by_each_of_its_keys_and_by_none_of_its_former_ones(b: Backend) {
        let (phone, mail) = (key("phone", "h1"), key("email", "h2"));
        // The same key twice is one key.
        put(&b, "default", person("p1"), vec![phone.clone(), mail.clone(), phone.clone()]).await;
        assert_eq!(keys(&b, "default", person("p1")).await, [mail.clone(), phone.clone()], "by kind and value");
        assert_eq!(matches(&b, "default", phone.clone(), 9).await, [person("p1")]);
        assert_eq!(matches(&b, "default", key("email", "h1"), 9).await, [], "the value of another kind");
        let other = key("phone", "h3");
        put(&b, "default", person("p1"), vec![mail.clone(), other.clone()]).await;
        assert_eq!(keys(&b, "default", person("p1")).await, [mail.clone(), other.clone()]);
        assert_eq!(matches(&b, "default", phone, 9).await, []);
        assert_eq!(matches(&b, "default", mail.clone(), 9).await, [person("p1")]);
        put(&b, "default", person("p1"), Vec::new()).await;
        assert_eq!(keys(&b, "default", person("p1")).await, []);
        assert_eq!(matches(&b, "default", mail, 9).await, []);
    }

    pub(super) async fn all_who_share_a_key_are_told_in_order_and_no_more_than_asked_for(b: Backend) {
        let shared = key("phone", "h1");
        for record in [person("p3"), person("p1"), ("candidate".into(), "p2".into()), person("p2")] {
            put(&b, "default", record, vec![shared.clone()]).await;
        }
        let all = [("candidate".into(), "p2".into()), person("p1"), person("p2"), person("p3")];
        assert_eq!(matches(&b, "default", shared.clone(), 9).await, all);
        assert_eq!(matches(&b, "default", shared.clone(), 2).await, all[..2]);
        // Two records with one id are two records.
        put(&b, "default", person("p2"), Vec::new()).await;
        let left = [("candidate".into(), "p2".into()), person("p1"), person("p3")];
        assert_eq!(matches(&b, "default", shared, 9).await, left);
    }

    pub(super) async fn tenants_do_not_see_each_others_keys(b: Backend) {
        let shared = key("phone", "h1");
        put(&b, "default", person("p1"), vec![shared.clone()]).await;
        put(&b, "other", person("p1"), vec![shared.clone(), key("email", "h2")]).await;
        assert_eq!(keys(&b, "default", person("p1")).await, [key("phone", "h1")]);
        put(&b, "default", person("p1"), Vec::new()).await;
        assert_eq!(matches(&b, "default", shared.clone(), 9).await, []);
        assert_eq!(matches(&b, "other", shared, 9).await, [person("p1")]);
        assert_eq!(keys(&b, "other", person("p1")).await.len(), 2);
    }

    pub(super) async fn more_keys_than_one_statement_takes_are_all_kept(b: Backend) {
        let many: Vec<MatchKey> = (0..203).map(|n| key("name", &format!("h{n:03}"))).collect();
        put(&b, "default", person("p1"), many.clone()).await;
        assert_eq!(keys(&b, "default", person("p1")).await, many);
        for one in [&many[0], &many[100], &many[202]] {
            assert_eq!(matches(&b, "default", one.clone(), 9).await, [person("p1")]);
        }
    }
}

on_both_stores!(
    a_record_is_found_by_each_of_its_keys_and_by_none_of_its_former_ones,
    all_who_share_a_key_are_told_in_order_and_no_more_than_asked_for,
    tenants_do_not_see_each_others_keys,
    more_keys_than_one_statement_takes_are_all_kept,
);
