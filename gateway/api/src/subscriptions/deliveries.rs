//! What became of the deliveries of a subscription, try by try.

use super::{admit, find};
use crate::Api;
use crate::auth::Caller;
use crate::parked::asker;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use hub_flow::parked::redrive;
use hub_flow::subscriptions::{CONNECTION, event_of};
use hub_store::{DeliveryAttempt, Errand, Retried, SubscriptionDelivery, Verdict, Which, job};
use hub_tree::clock::rfc3339_micros;
use serde_json::{Value, json};

/// What was sent to a subscription and what became of it, newest event first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    admit(&who)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let before = given.cursor("d")?.unwrap_or_default();
    given.finish(&[])?;
    let found = find(&api, &who, &id).await?;
    let (tenant, id) = (found.new.tenant, found.new.id);
    let (owner, of) = (tenant.clone(), id.clone());
    let rows = api.hub.store.read(job!(|tx| { tx.subscription_deliveries(&owner, &of, &before, limit + 1).await }));
    let mut rows = rows.await?;
    let next = Parameters::page("d", &mut rows, limit, |row| row.key.clone());
    let data: Vec<Value> = rows.iter().map(|row| delivery(&api, &tenant, row)).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

fn delivery(api: &Api, tenant: &str, row: &SubscriptionDelivery) -> Value {
    let opened = api.hub.open(tenant, &format!("call:{}", row.id), &row.body.0).unwrap_or_default();
    let event: Value = serde_json::from_slice(&opened).unwrap_or_default();
    let status = match row.state.as_str() {
        "ready" => "waiting",
        "running" => "sending",
        "done" => "delivered",
        other => other,
    };
    json!({
        "id": row.id,
        "event_id": event_of(&row.key),
        "type": event.get("type"),
        "subject": row.subject,
        "sequence": event.get("sequence"),
        "status": status,
        "tries": row.tries,
        "next_try_at": (row.state == "ready").then(|| rfc3339_micros(row.available_at)),
        "error": row.error,
        "created_at": rfc3339_micros(row.created_at),
        "delivered_at": row.done_at.map(rfc3339_micros),
        "trace_id": row.trace.split('-').nth(1),
    })
}

/// The tries of one delivery, in their order. What was answered is not kept: it could hold anything.
pub(crate) async fn attempts(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    admit(&who)?;
    let found = find(&api, &who, &id).await?;
    let call = of(&api, &found.new.tenant, &found.new.id, &delivery).await?;
    let id = call.new.id.clone();
    let tries = api.hub.store.read(job!(|tx| { tx.attempts(&id).await })).await?;
    let event = event_of(&call.new.key);
    let shown = |one: &DeliveryAttempt| {
        json!({
            "number": one.number,
            "at": rfc3339_micros(one.at),
            "took_ms": one.took_ms,
            "status": one.status,
            "error": Some(&one.error).filter(|error| !error.is_empty()),
            "request": {
                "method": "POST",
                "headers": {
                    "content-type": "application/cloudevents+json; charset=utf-8",
                    "webhook-id": event,
                },
            },
        })
    };
    Ok(Json(json!({ "data": tries.iter().map(shown).collect::<Vec<_>>(), "next_cursor": null })))
}

/// The call that is a delivery of a subscription.
async fn of(api: &Api, tenant: &str, id: &str, delivery: &str) -> Result<hub_store::Call, Problem> {
    let (tenant, wanted) = (tenant.to_owned(), delivery.to_lowercase());
    let call = api.hub.store.read(job!(|tx| { tx.call_by_id(&tenant, &wanted).await })).await?;
    let own = call.filter(|call| call.new.connection == format!("{CONNECTION}{id}"));
    own.ok_or_else(|| Problem::not_found("the subscription has no delivery with this id"))
}

/// `{delivery}:retry`: tries it again now.
pub(crate) async fn retry(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    admit(&who)?;
    let Some((delivery, "retry")) = delivery.rsplit_once(':') else {
        return Err(Problem::not_found("a delivery answers to `:retry`"));
    };
    let found = find(&api, &who, &id).await?;
    if found.disabled_at.is_some() || found.orphaned {
        return Err(Problem::conflict("the subscription is disabled").next("enable it: PATCH `{\"disabled\": false}`"));
    }
    let call = of(&api, &found.new.tenant, &found.new.id, delivery).await?;
    let (tenant, connection, id) = (found.new.tenant, call.new.connection, call.new.id);
    let (now, wanted) = (api.hub.clock.micros(), id.clone());
    let retried = api.hub.store.write(job!(|tx| { tx.hasten_delivery(&tenant, &connection, &wanted, now).await }));
    match retried.await? {
        Some(Retried::Due) => {}
        Some(Retried::Parked(parked)) => {
            let errand = Errand::Parked(Which { ids: vec![parked], ..Which::default() }, Verdict::Unknown);
            redrive(&api.hub.store, &api.hub.clock, asker(&who, None)?, errand, 1).await?;
        }
        Some(Retried::Not(_)) => {
            let next = "`:replay` of the subscription sends again what has arrived";
            return Err(Problem::conflict("it has arrived, or is being sent now").next(next));
        }
        None => return Err(Problem::not_found("the subscription has no delivery with this id")),
    }
    api.hub.wake_calls();
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": "waiting" }))))
}
