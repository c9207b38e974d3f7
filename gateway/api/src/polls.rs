//! `/v1/connections/{id}/polls`: what a connection reads again and again, how the last rounds went, and a round now.

use crate::Api;
use crate::auth::Caller;
use crate::connections::find;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hub_flow::access::Scope;
use hub_flow::schedule::poll_now;
use hub_store::{Again, Round, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use serde_json::{Value, json};

/// Rounds that are shown of each poll.
const SHOWN: i64 = 10;

fn round_json(round: &Round) -> Value {
    json!({
        "id": round.id,
        "state": round.state.word(),
        "began_at": rfc3339_micros(round.began_at),
        "ended_at": round.ended_at.map(rfc3339_micros),
        "calls": round.calls,
        "open_calls": round.open_calls,
        "failed_calls": round.failed_calls,
        "gone": round.gone,
        "trace_id": round.trace.split('-').nth(1),
    })
}

/// The polls of a connection, with their last rounds, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let connection = find(&api, &who.tenant, &id)?;
    let mut data = Vec::new();
    for (poll, every) in connection.polls.clone() {
        let (tenant, id, name) = (who.tenant.clone(), connection.id.clone(), poll.clone());
        let timer = format!("poll/{id}/{name}");
        let read = api.hub.store.read(job!(|tx| {
            let next = tx.timer(&tenant, &timer).await?.filter(|timer| timer.state == "waiting");
            Ok((next, tx.rounds(&tenant, Some(id), Some(name), SHOWN).await?))
        }));
        let (next, rounds) = read.await?;
        data.push(json!({
            "name": poll,
            "every_secs": every / 1_000_000,
            "next_at": next.map(|timer| rfc3339_micros(timer.new.due_at)),
            "rounds": rounds.iter().map(round_json).collect::<Vec<_>>(),
        }));
    }
    Ok(Json(json!({ "data": data, "next_cursor": null })))
}

/// `POST /v1/connections/{id}/polls/{poll}:run`: a round now, or as soon as the one under way has ended.
pub(crate) async fn run(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, poll)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    who.need(Scope::Ops)?;
    let connection = find(&api, &who.tenant, &id)?;
    let name = poll.strip_suffix(":run").ok_or_else(Problem::method_not_allowed)?;
    let Some((_, every)) = connection.polls.iter().find(|(known, _)| known == name) else {
        let near = suggest(name, connection.polls.iter().map(|(name, _)| name.as_str()));
        let near = near.map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::not_found(format!("this connection has no poll `{name}` switched on{near}")));
    };
    let timer = poll_now(&connection, name, *every, api.hub.clock.micros());
    api.hub.store.write(job!(|tx| { tx.set_timer(timer, Again::Move).await })).await?;
    tracing::info!(connection.id = %connection.id, poll = name, by = %who.name, "a round was asked for");
    Ok((StatusCode::ACCEPTED, Json(json!({ "poll": name, "state": "due" }))))
}
