//! The API over a hub whose loops do not run: records are written as words say, and read as callers do.

use crate::backend::{Backend, hub_on};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use hub_api::Api;
use hub_flow::Hub;
use hub_flow::access::{ApiKeys, Grants, make_lone_key};
use hub_flow::records::{self, Applied, Target, Write};
use hub_store::job;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Clock, TraceContext};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) const ADMIN: &str = "the-admin-key";

pub(crate) struct Desk {
    pub(crate) hub: Arc<Hub>,
    pub(crate) router: axum::Router,
    _folder: tempfile::TempDir,
}

/// What a request was answered with.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text))
    }
}

pub(crate) async fn desk(b: &Backend, clock: Clock) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let registry = crate::schedules::registry(&[]).0;
    let hub = hub_on(b.store.clone(), folder.path(), clock, registry, Vec::new());
    hub.store.keyring().ensure(&hub.store, &hub.clock, "default").await.unwrap();
    let keys = Arc::new(ApiKeys::new(b.store.clone(), Some(ADMIN)));
    let router = hub_api::router(Api {
        hub: Arc::clone(&hub),
        keys,
        zone: TimeZone::UTC,
        payout: Arc::default(),
        presets: Arc::default(),
        portraits: Arc::default(),
    });
    Desk { hub, router, _folder: folder }
}

/// A word of the hub's own about a record with this id, new or known.
pub(crate) fn word(entity: &str, id: &str, new: bool, fields: &Value) -> Write {
    let target = match new {
        true => Target::New(id.to_owned()),
        false => Target::Remote { key: None, hub_id: Some(id.to_owned()) },
    };
    Write {
        entity: hub_model::entity(entity).unwrap(),
        target,
        fields: fields.to_string(),
        ext: None,
        deleted: false,
        rules: Vec::new(),
        source: None,
    }
}

impl Desk {
    pub(crate) async fn apply(&self, writes: Vec<Write>) -> Vec<Applied> {
        let (inner, context) = (Arc::clone(&self.hub), TraceContext::begin());
        let applied = self.hub.store.write(job!(|tx| {
            let applied = records::apply(&inner, tx, "default", &context, writes).await?;
            let applied = applied.unwrap_or_default();
            tx.insert_events(applied.iter().flat_map(|one| one.events.clone()).collect()).await?;
            Ok(applied)
        }));
        applied.await.unwrap()
    }

    /// A new record; its id.
    pub(crate) async fn make(&self, entity: &str, fields: Value) -> String {
        let id = crate::backend::id();
        assert_eq!(self.apply(vec![word(entity, &id, true, &fields)]).await.len(), 1);
        id
    }

    pub(crate) async fn change(&self, entity: &str, id: &str, fields: Value) {
        assert_eq!(self.apply(vec![word(entity, id, false, &fields)]).await.len(), 1);
    }

    /// Publishes what waits, as the relay does.
    pub(crate) async fn publish(&self) {
        let publishing = self.hub.store.write(job!(|tx| {
            let open = tx.unpublished_events(100_000).await?;
            tx.position_events(open.iter().map(|event| event.seq).collect()).await
        }));
        publishing.await.unwrap();
    }

    /// A key with these scopes.
    pub(crate) async fn key(&self, scopes: &str) -> String {
        self.key_of("default", scopes).await
    }

    /// A key of a tenant with these scopes.
    pub(crate) async fn key_of(&self, tenant: &str, scopes: &str) -> String {
        self.hub.store.keyring().ensure(&self.hub.store, &self.hub.clock, tenant).await.unwrap();
        let made = make_lone_key("somebody", tenant, &Grants::parse(scopes).unwrap(), 1);
        let row = made.row.clone();
        let kept = self.hub.store.write(job!(|tx| {
            tx.insert_app(row.app.clone()).await?;
            tx.insert_key(row).await
        }));
        kept.await.unwrap();
        made.shown.expose().clone()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(crate) async fn request(&self, method: &str, key: &str, path: &str, head: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let request = head.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, key: &str, path: &str) -> (u16, Value) {
        let answer = self.request("GET", key, path, &[]).await;
        (answer.status, answer.json())
    }

    /// What there is, as an admin sees it.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.get_as(ADMIN, path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {key}"));
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }
}
