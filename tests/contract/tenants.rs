//! No call sees or changes another tenant: random requests to every route, with the real ids of the other tenant in
//! path, query, body, cursors and headers.

use crate::backend::{Backend, raw};
use crate::desk::{ADMIN, Desk, desk};
use axum::body::Body;
use axum::http::Request;
use hub_store::backup::{Cell, Snapshot};
use hub_store::{NewParked, NewRaw, Step, StoreError, job};
use hub_tree::Clock;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// In every value of the other tenant that is worth hiding.
const CANARY: &str = "Canary";
const CASES: u32 = 1_500;
const METHODS: [&str; 6] = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"];
const ACTIONS: [&str; 12] =
    ["", "", "", ":open", ":close", ":stop", ":resume", ":rotate", ":revoke", ":enable", ":test", ":export"];
const PARAMETERS: [&str; 14] = [
    "cursor",
    "about",
    "connection",
    "remote_id",
    "id",
    "ids",
    "application",
    "candidate",
    "who",
    "action",
    "field",
    "after",
    "expand",
    "subject",
];
const MEMBERS: [&str; 14] = [
    "id",
    "ids",
    "connection",
    "candidate",
    "application",
    "record",
    "subscription",
    "url",
    "types",
    "tenant",
    "app",
    "trace_id",
    "external_id",
    "requests",
];
const HEADERS: [&str; 5] = ["idempotency-key", "if-match", "if-none-match", "purpose", "hub-tenant"];

/// One request: everything in it is picked by its place in a pool.
#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    route: &'static str,
    action: &'static str,
    ids: Vec<Index>,
    collection: Index,
    query: Vec<(&'static str, Index)>,
    body: Vec<(&'static str, Index)>,
    headers: Vec<(&'static str, Index)>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let routes: Vec<&'static str> = hub_api::ROUTES.iter().map(|(route, _)| *route).collect();
    let pairs = |names: &'static [&'static str]| prop::collection::vec((select(names), any::<Index>()), 0..3);
    let pick = (select(&METHODS[..]), select(routes), select(&ACTIONS[..]));
    let rest = (prop::collection::vec(any::<Index>(), 4), any::<Index>());
    (pick, rest, pairs(&PARAMETERS), pairs(&MEMBERS), pairs(&HEADERS)).prop_map(
        |((method, route, action), (ids, collection), query, body, headers)| Asked {
            method,
            route,
            action,
            ids,
            collection,
            query,
            body,
            headers,
        },
    )
}

impl Asked {
    fn request(&self, key: &str, pool: &[String]) -> Request<Body> {
        let text = |index: &Index| index.get(pool).clone();
        let encoded = |index: &Index| -> String { text(index).bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let mut ids = self.ids.iter();
        let parts: Vec<String> = self
            .route
            .split('/')
            .map(|part| match part {
                "{collection}" => self.collection.get(hub_model::ENTITIES).collection.to_owned(),
                part if part.starts_with('{') => ids.next().map(&encoded).unwrap_or_default(),
                part => part.to_owned(),
            })
            .collect();
        let action = if self.route.contains(':') { "" } else { self.action };
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let uri = format!("{}{action}?{}", parts.join("/"), query.join("&"));
        let body: serde_json::Map<String, Value> =
            self.body.iter().map(|(name, value)| ((*name).to_owned(), Value::from(text(value)))).collect();
        let request = Request::builder().method(self.method).uri(uri).header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, encoded(value)));
        request.body(if body.is_empty() { Body::empty() } else { Body::from(Value::from(body).to_string()) }).unwrap()
    }
}

/// All texts in an answer that a caller could bring back.
fn gather(value: &Value, pool: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= 6 && text.len() < 300 && !text.contains(CANARY) => {
            pool.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, pool)),
        Value::Object(fields) => fields.values().for_each(|item| gather(item, pool)),
        _ => {}
    }
}

/// Things of the tenant `default` of as many kinds as there are, and all that its admin can read of them.
async fn filled(desk: &Desk) -> Vec<String> {
    let name = json!({ "full": "Canary Wren", "given": "Canary", "family": "Wren" });
    let candidate = desk.make("candidate", json!({ "name": name })).await;
    for number in 0..3 {
        let title = format!("Canary {number}");
        desk.make("location", json!({ "name": title, "code": "Canary-1" })).await;
        desk.make("application", json!({ "candidate": { "type": "candidate", "id": candidate } })).await;
    }
    desk.publish().await;
    let trace = "c".repeat(32);
    let own = NewRaw { trace: trace.clone(), ..raw("Canary-raw") };
    let parked = NewParked {
        id: crate::backend::id(),
        tenant: "default".into(),
        connection: "c".into(),
        step: "map".into(),
        code: "HUB-M001".into(),
        reason: "Canary reason".into(),
        place: String::new(),
        trace: trace.clone(),
        kind: "raw".into(),
        reference: own.id.clone(),
        at: 1,
    };
    let step = Step {
        trace: trace.clone(),
        id: crate::backend::id(),
        tenant: "default".into(),
        at: 1,
        step: "map".into(),
        system: "c".into(),
        result: "ok".into(),
        subject: format!("candidate/{candidate}"),
        detail: "Canary detail".into(),
    };
    let keeping = desk.hub.store.write(job!(|tx| {
        tx.insert_raws(vec![own]).await?;
        tx.park(parked).await?;
        tx.add_steps(vec![step]).await
    }));
    keeping.await.unwrap();
    let app = json!({ "name": "Canary app", "grants": ["read"] });
    let made = desk.post(ADMIN, "/v1/apps", &app).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let subscription = json!({ "url": "https://canary.example.com/Canary", "types": ["hr.candidate.*"] });
    let made = desk.post(ADMIN, "/v1/subscriptions", &subscription).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(desk.request("GET", ADMIN, "/v1/candidates:export?format=ndjson", &[]).await.status, 200);
    let mut pool = BTreeSet::new();
    for path in [
        "/v1/candidates?limit=1",
        "/v1/locations?limit=1",
        "/v1/applications",
        "/v1/raws",
        "/v1/parked",
        "/v1/parked/groups",
        "/v1/journeys",
        "/v1/apps",
        "/v1/subscriptions",
        "/v1/audit",
        "/v1/events",
    ] {
        let answer = desk.get(path).await;
        assert!(answer["data"].as_array().is_some_and(|data| !data.is_empty()), "{path}: {answer}");
        gather(&answer, &mut pool);
    }
    let seen = desk.get("/v1/candidates").await.to_string() + &desk.get("/v1/parked").await.to_string();
    assert!(seen.contains(CANARY), "the other tenant's own admin sees them: {seen}");
    pool.insert(candidate);
    pool.insert(trace);
    pool.insert("default".to_owned());
    pool.into_iter().collect()
}

/// Every row of the tenant.
async fn rows_of(url: &str, tenant: &str) -> Vec<String> {
    let mut snapshot = Snapshot::take(url).await.unwrap();
    let mut all = Vec::new();
    for table in snapshot.tables().to_vec() {
        let Some(place) = table.columns.iter().position(|(name, _)| name == "tenant") else { continue };
        let reading = snapshot.rows(&table, |row| {
            if row[place] == Cell::Text(tenant.to_owned()) {
                all.push(format!("{} {row:?}", table.name));
            }
            Ok::<_, StoreError>(())
        });
        reading.await.unwrap();
    }
    all.sort();
    all
}

mod contract {
    use super::*;

    pub(super) async fn no_call_sees_or_changes_another_tenant(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let pool = filled(&desk).await;
        assert!(pool.len() > 40, "{pool:?}");
        let stranger = desk.key_of("north", "admin").await;
        let before = rows_of(&b.url, "default").await;
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let mut found = 0;
        for _ in 0..CASES {
            let asked = asked().new_tree(&mut runner).unwrap().current();
            let shown = format!("{asked:?}");
            let answer = desk.ask(asked.request(&stranger, &pool)).await;
            assert!(!answer.text.contains(CANARY), "{shown}: {}", answer.text);
            assert!(answer.status != 500, "{shown}: {}", answer.text);
            for (name, value) in &answer.headers {
                assert!(
                    !value.as_bytes().windows(CANARY.len()).any(|part| part == CANARY.as_bytes()),
                    "{shown}: {name}"
                );
            }
            found += u32::from(answer.status < 300);
        }
        assert!(found > CASES / 100, "only {found} requests were answered: they prove nothing");
        let after = rows_of(&b.url, "default").await;
        assert_eq!(before, after, "rows of the other tenant were changed");
    }

    /// The same ids, one by one, where they belong.
    pub(super) async fn what_another_tenant_has_is_not_there(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        filled(&desk).await;
        let stranger = desk.key_of("north", "admin").await;
        let first = async |path: &str, name: &str| {
            let answer = desk.get(path).await;
            // Whoever runs the hub sees the apps of all tenants.
            let theirs = |row: &&Value| row["tenant"].as_str().is_none_or(|tenant| tenant == "default");
            let row = answer["data"].as_array().and_then(|rows| rows.iter().find(theirs));
            let id = row.and_then(|row| row[name].as_str()).map(str::to_owned);
            id.unwrap_or_else(|| panic!("{path}: {answer}"))
        };
        for (list, name, below) in [
            ("/v1/candidates", "id", ""),
            ("/v1/candidates", "id", "/history"),
            ("/v1/candidates", "id", "/raw"),
            ("/v1/candidates", "id", "/explain?field=name.full"),
            ("/v1/raws", "id", ""),
            ("/v1/parked", "id", ""),
            ("/v1/journeys", "trace_id", ""),
            ("/v1/apps", "id", ""),
            ("/v1/apps", "id", "/keys"),
            ("/v1/subscriptions", "id", ""),
        ] {
            let path = format!("{list}/{}{below}", first(list, name).await);
            let (status, body) = desk.get_as(&stranger, &path).await;
            assert_eq!(status, 404, "{path}: {body}");
        }
        for list in
            ["/v1/candidates", "/v1/raws", "/v1/parked", "/v1/journeys", "/v1/subscriptions", "/v1/events", "/v1/audit"]
        {
            let (status, body) = desk.get_as(&stranger, list).await;
            assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(0)), "{list}: {body}");
        }
    }

    pub(super) async fn restricted_fields_need_a_purpose_and_leave_an_entry(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let turns = json!([{ "speaker": { "value": "CANDIDATE" }, "text": "Canary said so" }]);
        let id = desk.make("interview", json!({ "turns": turns })).await;
        let path = format!("/v1/interviews/{id}");
        let key = desk.key("read:restricted").await;
        let without = desk.request("GET", &key, &path, &[]).await;
        assert!(!without.text.contains(CANARY) && without.text.contains("/turns"), "{}", without.text);
        assert_eq!(without.headers["hub-purpose"], "needed");
        let entries = async || desk.get("/v1/audit?action=restricted.read").await["data"].as_array().unwrap().clone();
        assert!(entries().await.is_empty());
        for below in ["", "/history", "?fields=turns"] {
            let with = desk.request("GET", &key, &format!("{path}{below}"), &[("purpose", "a complaint")]).await;
            assert!(with.text.contains(CANARY) && !with.headers.contains_key("hub-purpose"), "{below}: {}", with.text);
        }
        let all = entries().await;
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(all[0]["about"], json!([format!("interview/{id}")]));
        assert_eq!((&all[0]["purpose"], &all[0]["details"]["interview"]), (&json!("a complaint"), &json!(["/turns"])));
        assert!(!Value::from(all).to_string().contains(CANARY));
        // Who may not read them at all is not helped by a purpose, and leaves nothing.
        let reader = desk.key("read").await;
        let refused = desk.request("GET", &reader, &path, &[("purpose", "curiosity")]).await;
        assert!(!refused.text.contains(CANARY) && !refused.headers.contains_key("hub-purpose"));
        assert_eq!(entries().await.len(), 3);
        let wrong = desk.request("GET", &key, &path, &[("purpose", "%00")]).await;
        assert_eq!((wrong.status, wrong.json()["parameter"].clone()), (400, json!("Purpose")));
    }
}

on_both_stores!(
    no_call_sees_or_changes_another_tenant,
    what_another_tenant_has_is_not_there,
    restricted_fields_need_a_purpose_and_leave_an_entry,
);
