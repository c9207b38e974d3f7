//! `/v1/connections`: the connections, how their circuits stand, and a person's word about them.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::access::Scope;
use hub_flow::audit::Entry;
use hub_flow::send::standing::{Standing, standings};
use hub_kit::{Connection, Pace};
use hub_store::job;
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The connections of the caller's tenant, without their settings.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    parameters(query.as_deref()).finish(&[])?;
    let registry = api.hub.registry();
    let own = registry.connections.values().filter(|connection| connection.tenant == who.tenant);
    let data = shown(&api, own.cloned().collect()).await?;
    Ok(Json(json!({ "data": data, "next_cursor": null })))
}

/// One connection.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let connection = find(&api, &who.tenant, &id)?;
    one(&api, connection).await
}

/// `POST /v1/connections/{id}:test`: what works of it now, found out by asking the vendor; it changes nothing there.
async fn test(api: &Api, connection: &Connection) -> Result<Json<Value>, Problem> {
    let tested = Box::pin(api.hub.test_connection(&connection.id)).await;
    let tested = tested.ok_or_else(|| Problem::not_found("there is no connection with this id"))?;
    tracing::info!(connection.id = %connection.id, good = tested.is_good(), "a connection was tested");
    Ok(Json(tested.to_json()))
}

/// `POST /v1/connections/{id}:open|:close|:auto`: no calls are made; calls are made whatever happens; as it comes. It
/// stays so until somebody says otherwise.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let (id, action) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    if action == "test" {
        return test(&api, find(&api, &who.tenant, id)?.as_ref()).await;
    }
    let open = match action {
        "open" => Some(true),
        "close" => Some(false),
        "auto" => None,
        other => {
            let near = suggest(other, ["open", "close", "auto", "test"]).unwrap_or_default();
            return Err(Problem::not_found(format!("a connection has no action `{other}`; {near}")));
        }
    };
    let connection = find(&api, &who.tenant, id)?;
    let (name, tenant, by, now) =
        (connection.id.clone(), connection.tenant.clone(), who.name.clone(), api.hub.store_now());
    let told = Entry::by(&who, format!("connection.{action}")).about("connection", &connection.id);
    let told = api.hub.audit_entry(told).await?;
    let deciding = api.hub.store.write(job!(|tx| {
        tx.append_audit(told).await?;
        tx.decide_circuit(&name, &tenant, open, by, now).await
    }));
    deciding.await?;
    tracing::warn!(connection.id = %connection.id, by = %who.name, action, "a person decided about a circuit");
    one(&api, connection).await
}

pub(crate) fn find(api: &Api, tenant: &str, id: &str) -> Result<Arc<Connection>, Problem> {
    let own = api.hub.connection(id).filter(|connection| connection.tenant == tenant);
    own.ok_or_else(|| Problem::not_found("there is no connection with this id"))
}

async fn one(api: &Api, connection: Arc<Connection>) -> Result<Json<Value>, Problem> {
    let shown = shown(api, vec![connection]).await?.pop();
    Ok(Json(shown.unwrap_or_default()))
}

async fn shown(api: &Api, connections: Vec<Arc<Connection>>) -> Result<Vec<Value>, Problem> {
    let paces: BTreeMap<String, Pace> = connections.iter().map(|c| (c.id.clone(), c.pace.clone())).collect();
    let standings = standings(&api.hub.store, api.hub.store_now(), &paces, false).await?;
    let circuit = |id: &str| standings.iter().find(|standing| standing.connection == id).map(circuit_json);
    let show = |connection: &Arc<Connection>| {
        json!({
            "id": connection.id,
            "connector": connection.manifest.vendor,
            "name": connection.manifest.name,
            "family": connection.manifest.family,
            "tenant": connection.tenant,
            "takes_webhooks": connection.manifest.webhook.is_some(),
            "operations": connection.manifest.operations.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(),
            "circuit": circuit(&connection.id),
        })
    };
    Ok(connections.iter().map(show).collect())
}

/// Rates are decimals, as text.
fn circuit_json(standing: &Standing) -> Value {
    let hand = standing.hand.as_ref();
    json!({
        "state": standing.state,
        "since": standing.since.map(rfc3339_micros),
        "why": standing.why,
        "decided": hand.map(|hand| json!({
            "state": if hand.open { "open" } else { "closed" },
            "by": hand.by,
            "at": rfc3339_micros(hand.at),
        })),
        "next_probe_at": standing.next_probe_at.map(rfc3339_micros),
        "waits_until": standing.waits.as_ref().map(|(until, _)| rfc3339_micros(*until)),
        "waits_why": standing.waits.as_ref().map(|(_, why)| why),
        "window_secs": standing.window_secs,
        "calls": standing.calls,
        "error_rate": standing.error_rate.to_string(),
        "slow_rate": standing.slow_rate.to_string(),
    })
}
