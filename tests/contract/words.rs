//! What the words of one message do to records, on SQLite and on PostgreSQL.

use crate::backend::{Backend, hub_on};
use hub_flow::Hub;
use hub_flow::records::{self, Applied, Became, NotApplied, SourceOf, Target, Write, index_entry};
use hub_flow::rules::document;
use hub_store::{Page, RecordFilter, StoreError, job};
use hub_tree::{Clock, TraceContext};
use std::sync::Arc;

/// A hub whose loops do not run.
struct Still {
    hub: Arc<Hub>,
    _folder: tempfile::TempDir,
}

async fn still(b: &Backend) -> Still {
    let folder = tempfile::tempdir().unwrap();
    let registry = crate::schedules::registry(&[]).0;
    let hub = hub_on(b.store.clone(), folder.path(), Clock::System, registry, Vec::new());
    hub.store.keyring().ensure(&hub.store, &hub.clock, "default").await.unwrap();
    Still { hub, _folder: folder }
}

fn source(vendor_time: i64) -> SourceOf {
    SourceOf {
        connection: "gh".into(),
        system: "gh".into(),
        url: None,
        vendor_time: Some(vendor_time),
        received_at: 100,
        raw: format!("raw-{vendor_time}"),
        raw_sha256: String::new(),
        mapping: "m".into(),
        mapping_version: "v".into(),
    }
}

fn word(entity: &str, key: &str, fields: &str, vendor_time: i64) -> Write {
    Write {
        entity: hub_model::entity(entity).unwrap(),
        target: Target::Remote { key: Some(key.to_owned()), hub_id: None },
        fields: fields.to_owned(),
        ext: None,
        deleted: false,
        rules: Vec::new(),
        source: Some(source(vendor_time)),
    }
}

impl Still {
    async fn apply(&self, writes: Vec<Write>) -> Result<Result<Vec<Applied>, NotApplied>, StoreError> {
        let (inner, context) = (Arc::clone(&self.hub), TraceContext::begin());
        self.hub.store.write(job!(|tx| { records::apply(&inner, tx, "default", &context, writes).await })).await
    }

    async fn became(&self, writes: Vec<Write>) -> Vec<(Became, i64)> {
        let applied = self.apply(writes).await.unwrap().unwrap();
        applied.into_iter().map(|applied| (applied.became, applied.version)).collect()
    }

    /// The applications with this outcome.
    async fn with_outcome(&self, value: &str) -> Vec<String> {
        let entity = hub_model::entity("application").unwrap();
        let field = entity.fields.iter().find(|field| field.name == "outcome").unwrap();
        let equals = vec![index_entry(&self.hub, "default", field, value).unwrap()];
        let filter = RecordFilter { equals, include_deleted: true, ..RecordFilter::default() };
        let page = Page { after: String::new(), limit: 10 };
        let found = self.hub.store.read(job!(|tx| { tx.records("default", "application", filter, page).await }));
        found.await.unwrap().into_iter().map(|row| row.id).collect()
    }
}

mod contract {
    use super::*;

    pub(super) async fn words_about_one_record_are_applied_in_their_order(b: Backend) {
        let still = still(&b).await;
        let candidate = r#"{"candidate":{"type":"candidate","source":{"connection_id":"gh","remote_id":"c1"}},"applied_at":"2026-03-01T00:00:00.000Z"}"#;
        let message = || {
            vec![
                word("application", "a1", candidate, 10),
                word("candidate", "c1", "{}", 10),
                word("application", "a1", r#"{"outcome":{"value":"HIRED"}}"#, 10),
            ]
        };
        let applied = still.apply(message()).await.unwrap().unwrap();
        let told: Vec<_> = applied.iter().map(|one| (one.became, one.version)).collect();
        assert_eq!(told, [(Became::Created, 1), (Became::Created, 1), (Became::Updated, 2)]);
        assert!(applied.iter().all(|one| !one.events.is_empty()));
        let (application, person) = (applied[0].id.clone(), &applied[1].id);
        assert_eq!(applied[2].id, application);
        let last = document(&still.hub, "default", "application", &application, None).await.unwrap().unwrap();
        for part in [person.as_str(), "HIRED", "2026-03-01", r#""version":2"#] {
            assert!(last.contains(part), "no {part} in {last}");
        }
        let first = document(&still.hub, "default", "application", &application, Some(1)).await.unwrap().unwrap();
        assert!(first.contains(person.as_str()) && !first.contains("HIRED"), "{first}");
        assert_eq!(still.with_outcome("HIRED").await, [application.as_str()]);
        // The same again is no news, and an older word beside a newer one stays behind.
        let unchanged = |version| (Became::Unchanged, version);
        assert_eq!(still.became(message()).await, [unchanged(2), unchanged(1), unchanged(2)]);
        let late =
            vec![word("application", "a1", r#"{"outcome":{"value":"REJECTED"}}"#, 5), word("candidate", "j1", "{}", 5)];
        assert_eq!(still.became(late).await, [(Became::Outdated, 2), (Became::Created, 1)]);
        // What it is found by changes with the record, and stays where the record changes elsewhere.
        let next = vec![word("application", "a1", r#"{"outcome":{"value":"WITHDRAWN"}}"#, 11)];
        assert_eq!(still.became(next).await, [(Became::Updated, 3)]);
        assert!(still.with_outcome("HIRED").await.is_empty());
        let mut gone = word("application", "a1", r#"{"applied_at":"2026-03-02T00:00:00.000Z"}"#, 12);
        gone.deleted = true;
        assert_eq!(still.became(vec![gone]).await, [(Became::Updated, 4)]);
        assert_eq!(still.with_outcome("WITHDRAWN").await, [application]);
    }

    pub(super) async fn a_word_that_cannot_be_placed_stops_all_of_its_message(b: Backend) {
        let still = still(&b).await;
        let handed = |key: &str, id: &str| Write {
            target: Target::Remote { key: Some(key.to_owned()), hub_id: Some(id.to_owned()) },
            ..word("application", key, "{}", 10)
        };
        let bad = vec![word("candidate", "j1", "{}", 10), handed("a1", "invented")];
        assert_eq!(still.apply(bad).await.unwrap().unwrap_err(), NotApplied::UnknownHubId { entity: "application" });
        let ours = Write { target: Target::New("ours".into()), source: None, ..word("application", "", "{}", 0) };
        assert_eq!(still.became(vec![ours.clone()]).await, [(Became::Created, 1)]);
        assert_eq!(still.became(vec![ours]).await, [(Became::Unchanged, 1)], "the hub made it before");
        let hired = Write { fields: r#"{"outcome":{"value":"HIRED"}}"#.into(), ..handed("a1", "ours") };
        // From now on the vendor's id means it; nothing of the bad message was kept.
        let good = vec![word("candidate", "j1", "{}", 10), hired];
        assert_eq!(still.became(good).await, [(Became::Created, 1), (Became::Updated, 2)]);
        let again = still.apply(vec![word("application", "a1", "{}", 11)]).await.unwrap().unwrap();
        assert_eq!(again[0].id, "ours");
        let other = still.apply(vec![handed("a1", "other")]).await.unwrap();
        assert_eq!(other.unwrap_err(), NotApplied::UnknownHubId { entity: "application" });
    }
}

on_both_stores!(
    words_about_one_record_are_applied_in_their_order,
    a_word_that_cannot_be_placed_stops_all_of_its_message,
);
