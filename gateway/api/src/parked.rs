//! `/v1/parked`: what needs a person, by cause, one by one, and what can be done about it.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use crate::redrives::{body, redrive_json};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use hub_flow::access::{Principal, Scope};
use hub_flow::parked::{self, Asker, HIGHEST_RATE, MAX_IDS, Preview, RATE, Shown};
use hub_flow::redrive::tells;
use hub_store::{Errand, Parked, ParkedFilter, ParkedGroup, Verdict, Which, job};
use hub_tree::clock::rfc3339_micros;
use serde::Deserialize;
use serde_json::{Value, json};

/// Something parked, as lists show it.
#[must_use]
pub fn item_json(parked: &Parked) -> Value {
    let new = &parked.new;
    let mut item = json!({
        "id": new.id, "connection": new.connection, "step": new.step, "code": new.code,
        "reason": new.reason, "place": new.place, "trace_id": new.trace, "kind": new.kind,
        "reference": new.reference, "at": rfc3339_micros(new.at), "group": parked.group,
    });
    if let Some(former) = &parked.former {
        item["former"] = json!(former);
    }
    if let Some(resolved) = &parked.resolved {
        item["resolved"] = json!({
            "at": rfc3339_micros(resolved.at), "how": resolved.how, "by": resolved.by,
            "redrive": resolved.redrive, "note": resolved.note,
        });
    }
    item
}

/// One parked thing with what it is about.
#[must_use]
pub fn shown_json(shown: &Shown) -> Value {
    let mut item = item_json(&shown.parked);
    item["what"] = json!(shown.what);
    item["payload"] = shown.content.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    item
}

/// A group of parked things.
#[must_use]
pub fn group_json(group: &ParkedGroup) -> Value {
    let example = &group.example;
    json!({
        "group": group.group, "count": group.count, "oldest": rfc3339_micros(group.oldest),
        "newest": rfc3339_micros(group.newest), "connection": example.connection, "step": example.step,
        "code": example.code, "place": example.place, "reason": example.reason, "example": example.id,
    })
}

/// What trying again would do.
#[must_use]
pub fn preview_json(preview: &Preview) -> Value {
    let touched = &preview.touched;
    let effects = touched.effects.iter();
    json!({
        "total": preview.total,
        "refused": preview.refused,
        "oldest": preview.oldest.map(rfc3339_micros),
        "causes": touched.causes.iter().map(|(connection, step, code, count, oldest)| json!({
            "connection": connection, "step": step, "code": code, "count": count, "oldest": rfc3339_micros(*oldest),
        })).collect::<Vec<_>>(),
        "calls": touched.calls.iter().map(|calls| json!({
            "connection": calls.connection, "operation": calls.operation, "code": calls.code,
            "carried_out": calls.done, "count": calls.count,
        })).collect::<Vec<_>>(),
        "records": touched.records,
        "payloads": touched.payloads,
        "effects_done": effects.map(|(system, n)| json!({ "connection": system, "count": n })).collect::<Vec<_>>(),
    })
}

/// What needs a person, oldest first; `state=resolved` for what needed one.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let resolved = match given.take("state").as_deref() {
        None | Some("open") => false,
        Some("resolved") => true,
        Some(_) => return Err(Problem::bad_parameter("state", "`state` is open or resolved", None)),
    };
    let filter = ParkedFilter {
        which: which(&mut given),
        resolved,
        after: given.cursor("p")?.unwrap_or_default(),
        limit: limit + 1,
    };
    given.finish(&["connection", "step", "code", "group", "state"])?;
    let tenant = who.tenant;
    let mut parked = api.hub.store.read(job!(|tx| { tx.parked(&tenant, filter).await })).await?;
    let next = Parameters::page("p", &mut parked, limit, |parked| parked.new.id.clone());
    let data: Vec<Value> = parked.iter().map(item_json).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

fn which(given: &mut Parameters) -> Which {
    let mut text = |name| given.take(name).unwrap_or_default();
    Which { connection: text("connection"), step: text("step"), code: text("code"), group: text("group"), ids: vec![] }
}

/// What needs a person, by cause.
pub(crate) async fn groups(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let mut given = parameters(query.as_deref());
    let (limit, which) = (given.limit()?, which(&mut given));
    given.finish(&["connection", "step", "code", "group"])?;
    let tenant = who.tenant;
    let groups = api.hub.store.read(job!(|tx| { tx.parked_groups(&tenant, which, limit).await })).await?;
    Ok(Json(json!({ "data": groups.iter().map(group_json).collect::<Vec<_>>(), "next_cursor": null })))
}

/// One of them, with its payload masked.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let shown = parked::show(&api.hub.store, &who.tenant, &id).await?;
    let shown = shown.ok_or_else(|| Problem::not_found("nothing lies parked under this id"))?;
    Ok(Json(shown_json(&shown)))
}

/// Which parked things a request means, and what is said about them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    ids: Option<Vec<String>>,
    filter: Option<Filter>,
    rate_per_second: Option<i64>,
    outcome: Option<String>,
    note: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Filter {
    connection: String,
    step: String,
    code: String,
    group: String,
}

impl Asked {
    fn which(&self) -> Result<Which, Problem> {
        match (&self.ids, &self.filter) {
            (Some(ids), None) if (1..=MAX_IDS).contains(&ids.len()) => match ids.iter().position(|id| !is_id(id)) {
                None => Ok(Which { ids: ids.clone(), ..Which::default() }),
                Some(at) => Err(Problem::bad_parameter("ids", format!("`ids/{at}` is no id of ours"), None)),
            },
            (Some(_), None) => {
                Err(Problem::bad_parameter("ids", format!("`ids` names 1 to {MAX_IDS} parked things"), None))
            }
            (None, Some(filter)) => Ok(Which {
                connection: filter.connection.clone(),
                step: filter.step.clone(),
                code: filter.code.clone(),
                group: filter.group.clone(),
                ids: Vec::new(),
            }),
            _ => {
                let next = "`\"filter\": {}` means everything that lies parked".to_owned();
                Err(Problem::bad_parameter("filter", "say which ones: either `ids` or `filter`", Some(next)))
            }
        }
    }

    fn verdict(&self) -> Result<Verdict, Problem> {
        let Some(word) = self.outcome.as_deref() else { return Ok(Verdict::Unknown) };
        let known = Verdict::WORDS.iter().find(|(known, verdict)| *known == word && *verdict != Verdict::Unknown);
        known
            .map(|(_, verdict)| *verdict)
            .ok_or_else(|| Problem::bad_parameter("outcome", "`outcome` is carried_out or not_carried_out", None))
    }
}

/// Whether something may be an id: else it is a slip, such as a variable that is not set.
fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Who asks, and what they say about it.
pub(crate) fn asker(who: &Principal, note: Option<String>) -> Result<Asker, Problem> {
    let note = note.unwrap_or_default();
    if note.chars().count() > 500 {
        return Err(Problem::bad_parameter("note", "`note` has at most 500 characters", None));
    }
    Ok(Asker::of(who, note))
}

/// A rate that may be asked for.
pub(crate) fn rate(asked: Option<i64>) -> Result<i64, Problem> {
    let rate = asked.unwrap_or(RATE);
    if (1..=HIGHEST_RATE).contains(&rate) {
        return Ok(rate);
    }
    let detail = format!("`rate_per_second` is a whole number from 1 to {HIGHEST_RATE}");
    Err(Problem::bad_parameter("rate_per_second", detail, None))
}

/// Says what trying again would do, and changes nothing.
pub(crate) async fn preview(State(api): State<Api>, Caller(who): Caller, sent: Body) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let asked: Asked = body(sent).await?;
    rate(asked.rate_per_second)?;
    let (which, verdict) = (asked.which()?, asked.verdict()?);
    let hub = &api.hub;
    let tells = |connection: &str, operation: &str| tells(hub, connection, operation);
    let preview = parked::preview(&hub.store, &who.tenant, &which, verdict, &tells).await?;
    Ok(Json(preview_json(&preview)))
}

/// Begins to try parked things again.
pub(crate) async fn redrive(
    State(api): State<Api>,
    Caller(who): Caller,
    sent: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    who.need(Scope::Ops)?;
    let asked: Asked = body(sent).await?;
    let errand = Errand::Parked(asked.which()?, asked.verdict()?);
    let (rate, asker) = (rate(asked.rate_per_second)?, asker(&who, asked.note)?);
    let begun = parked::redrive(&api.hub.store, &api.hub.clock, asker, errand, rate).await?;
    Ok((StatusCode::ACCEPTED, Json(redrive_json(&begun))))
}

/// Discards parked things.
pub(crate) async fn discard(State(api): State<Api>, Caller(who): Caller, sent: Body) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let asked: Asked = body(sent).await?;
    let (which, asker) = (asked.which()?, asker(&who, asked.note)?);
    let discarded = parked::discard(&api.hub.store, &api.hub.clock, &asker, &which).await?;
    Ok(Json(json!({ "discarded": discarded })))
}
