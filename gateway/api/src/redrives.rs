//! `/v1/redrives`: how far re-drives and replays are; `/v1/replays`: the past once more.

use crate::Api;
use crate::auth::Caller;
use crate::body::{bytes, without_nul};
use crate::parked::{asker, rate};
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use hub_flow::access::Scope;
use hub_flow::parked::{redrive, turn as turn_redrive};
use hub_flow::{Hub, replay};
use hub_store::{Errand, Passed, Past, Redrive, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads the body of a request. What is wrong with it is told by its place; its values are not quoted.
pub(crate) async fn body<T: DeserializeOwned>(sent: Body) -> Result<T, Problem> {
    let bytes = bytes(sent).await?;
    serde_json::from_slice(&bytes).as_ref().map_or(Ok(()), without_nul)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = if error.is_data() { "does not fit what is asked here" } else { "is no JSON" };
        let known = error.to_string();
        // Names of members are the program's own; only those are told.
        let expected =
            known.split_once("expected one of ").map(|(_, rest)| rest.split(" at line").next().unwrap_or(rest));
        let members = expected.map(|names| format!("; its members are {names}")).unwrap_or_default();
        Problem::malformed(format!("the body {what}: line {}, column {}{members}", error.line(), error.column()))
    })
}

/// A re-drive or a replay.
#[must_use]
pub fn redrive_json(redrive: &Redrive) -> Value {
    let new = &redrive.new;
    let past = |past: &Past| {
        json!({
            "from": rfc3339_micros(past.from), "to": rfc3339_micros(past.to), "connection": past.connection,
            "types": past.types.iter().map(|kind| format!("hr.{kind}")).collect::<Vec<_>>(), "record": past.record,
        })
    };
    let (of, what) = match &new.errand {
        Errand::Parked(which, verdict) => (
            "parked",
            json!({
                "connection": which.connection, "step": which.step, "code": which.code, "group": which.group,
                "ids": which.ids, "outcome": verdict.word(),
            }),
        ),
        Errand::Events(of, consumer) => {
            let mut what = past(of);
            what["consumer"] = json!(if consumer.is_empty() { "all" } else { consumer });
            ("events", what)
        }
        Errand::Raws(of) => ("raws", past(of)),
    };
    let mut shown = json!({
        "id": new.id, "of": of, "what": what, "state": redrive.state, "rate_per_second": new.rate,
        "asked_at": rfc3339_micros(new.asked_at), "asked_by": new.asked_by, "note": new.note,
        "total": redrive.total, "done": redrive.done, "refused": redrive.refused,
        "changed_at": rfc3339_micros(redrive.changed_at), "changed_by": redrive.changed_by,
    });
    if !redrive.error.is_empty() {
        shown["error"] = json!(redrive.error);
    }
    shown
}

/// Re-drives and replays, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("r")?.unwrap_or_default();
    given.finish(&[])?;
    let tenant = who.tenant;
    let mut found = api.hub.store.read(job!(|tx| { tx.redrives(&tenant, &after, limit + 1).await })).await?;
    let next = Parameters::page("r", &mut found, limit, |redrive| redrive.new.id.clone());
    Ok(Json(json!({ "data": found.iter().map(redrive_json).collect::<Vec<_>>(), "next_cursor": next })))
}

fn unknown() -> Problem {
    Problem::not_found("there is no re-drive or replay with this id")
}

/// One of them.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let tenant = who.tenant;
    let found = api.hub.store.read(job!(|tx| { tx.redrive(&tenant, &id).await })).await?;
    Ok(Json(redrive_json(&found.ok_or_else(unknown)?)))
}

/// `…/{id}:stop` and `…/{id}:resume`.
pub(crate) async fn turn(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id_and_verb): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let (id, run) = match id_and_verb.rsplit_once(':') {
        Some((id, "stop")) => (id.to_owned(), false),
        Some((id, "resume")) => (id.to_owned(), true),
        _ => return Err(Problem::not_found("a re-drive answers to `:stop` and `:resume`")),
    };
    let found = turn_redrive(&api.hub.store, &api.hub.clock, &asker(&who, None)?, &id, run).await?;
    Ok(Json(redrive_json(&found.ok_or_else(unknown)?)))
}

/// Types that one replay names at most.
const MAX_TYPES: usize = 50;

/// Which part of the past a request means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `events` or `raws`.
    #[serde(default)]
    of: Option<String>,
    from: String,
    to: Option<String>,
    connection: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    record: Option<String>,
    consumer: Option<String>,
    rate_per_second: Option<i64>,
    note: Option<String>,
}

impl Asked {
    fn errand(&self, hub: &Hub) -> Result<Errand, Problem> {
        let now = hub.clock.micros();
        let instant = |name: &str, text: &str| {
            let at = text.parse::<Timestamp>().map(Timestamp::as_microsecond);
            at.map_err(|_| Problem::bad_parameter(name, format!("`{name}` is an RFC 3339 time"), None))
        };
        let from = instant("from", &self.from)?;
        // What happens because of the replay is not replayed.
        let to = self.to.as_deref().map_or(Ok(now), |text| instant("to", text))?.min(now);
        if from >= to {
            return Err(Problem::bad_parameter("to", "`to` lies before `from`, or nothing lies between them", None));
        }
        if self.types.len() > MAX_TYPES {
            return Err(Problem::bad_parameter("types", format!("`types` names at most {MAX_TYPES} types"), None));
        }
        let types = replay::types(&self.types).map_err(|wrong| Problem::bad_parameter("types", wrong, None))?;
        let record = self.record.clone().unwrap_or_default();
        if !record.is_empty() && !record.contains('/') {
            return Err(Problem::bad_parameter("record", "`record` is entity/id", None));
        }
        let past = Past { from, to, connection: self.connection.clone().unwrap_or_default(), types, record };
        match self.of.as_deref() {
            None | Some("events") => {
                let consumer = self.consumer.clone().filter(|name| name != "all").unwrap_or_default();
                if !consumer.is_empty() && !hub.consumer_names().any(|known| known == consumer) {
                    let near = suggest(&consumer, hub.consumer_names().collect::<Vec<_>>());
                    return Err(Problem::bad_parameter("consumer", "there is no consumer of this name", near));
                }
                Ok(Errand::Events(past, consumer))
            }
            Some("raws") if past.types.is_empty() && self.consumer.is_none() => Ok(Errand::Raws(past)),
            Some("raws") => {
                Err(Problem::bad_parameter("of", "payloads have no `types` and no `consumer`: they are mapped", None))
            }
            Some(_) => Err(Problem::bad_parameter("of", "`of` is events or raws", None)),
        }
    }
}

/// What a replay would do.
#[must_use]
pub fn passed_json(errand: &Errand, passed: &Passed) -> Value {
    let total: i64 = passed.counts.iter().map(|(.., count)| count).sum();
    let counts: Vec<Value> = passed
        .counts
        .iter()
        .map(|(connection, kind, count)| match errand {
            Errand::Events(..) => json!({ "connection": connection, "type": format!("hr.{kind}"), "count": count }),
            _ => json!({ "connection": connection, "count": count }),
        })
        .collect();
    let effects = passed.effects.iter();
    json!({
        "total": total, "counts": counts, "records": passed.records,
        "effects_done": effects.map(|(system, n)| json!({ "connection": system, "count": n })).collect::<Vec<_>>(),
    })
}

/// Says what a replay would do, and changes nothing.
pub(crate) async fn preview(State(api): State<Api>, Caller(who): Caller, sent: Body) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let asked: Asked = body(sent).await?;
    rate(asked.rate_per_second)?;
    let errand = asked.errand(&api.hub)?;
    let passed = replay::preview(&api.hub.store, &who.tenant, &errand).await?;
    Ok(Json(passed_json(&errand, &passed)))
}

/// Begins a replay.
pub(crate) async fn replay(
    State(api): State<Api>,
    Caller(who): Caller,
    sent: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    who.need(Scope::Ops)?;
    let asked: Asked = body(sent).await?;
    let errand = asked.errand(&api.hub)?;
    let rate = rate(asked.rate_per_second)?;
    let asker = asker(&who, asked.note)?;
    let begun = redrive(&api.hub.store, &api.hub.clock, asker, errand, rate).await?;
    Ok((StatusCode::ACCEPTED, Json(redrive_json(&begun))))
}
