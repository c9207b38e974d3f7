//! How the hub is.

use crate::Api;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_store::job;
use serde_json::{Value, json};

/// The process lives; 200 even while store or broker are away.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Whether everything can be done now.
pub(crate) async fn readyz(State(api): State<Api>) -> Response {
    let bus = api.hub.bus.health();
    let store = api.hub.store.read(job!(|tx| { tx.ping().await })).await.is_ok();
    let draining = api.hub.is_draining();
    let ready = store && bus.connected && !draining;
    let body = json!({
        "ready": ready,
        "role": api.hub.role.word(),
        "draining": draining,
        "store": { "kind": api.hub.store.kind(), "connected": store },
        "bus": {
            "kind": bus.kind, "connected": bus.connected, "spooled": bus.spooled, "dead": bus.dead, "trouble": bus.trouble,
        },
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// Counters in the OpenMetrics text format. Labels name connections, routes and states; nothing personal.
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], api.hub.metrics.encode()).into_response()
}
