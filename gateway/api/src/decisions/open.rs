//! `GET /v1/decision-requests`: what people ask about decisions, and what of it is late.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use crate::records;
use axum::Json;
use axum::extract::{RawQuery, State};
use hub_flow::access::units;
use hub_model::entities::assessment::{DECISION, RequestKind};
use hub_model::enums::EnumOf;
use hub_store::{IndexEntry, Page, RecordFilter, job};
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, json};
use serde_json::{Map, Value, json as object};

const NAMES: &[&str] = &["open", "overdue", "kind"];

/// Requests about decisions, in the order of the decisions; `limit` counts decisions.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let allowed = who.reads(DECISION.name)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("decision-requests")?.unwrap_or_default();
    let open = given.take("open").map(|text| flag("open", &text)).transpose()?;
    let overdue = given.take("overdue").map(|text| flag("overdue", &text)).transpose()?.unwrap_or(false);
    let kind = given.take("kind");
    given.finish(NAMES)?;
    if let Some(kind) = kind.as_deref().filter(|kind| !RequestKind::ENUM.values.contains(kind)) {
        let near = suggest(kind, RequestKind::ENUM.values.iter().copied());
        return Err(Problem::bad_parameter("kind", format!("there is no kind `{kind}`"), near));
    }
    // A decision with an open request may have answered ones too.
    let states: &[&str] = if open == Some(true) || overdue { &["OPEN"] } else { &["OPEN", "ANSWERED"] };
    let entry = |state: &&str| IndexEntry { field: "request_status".to_owned(), value: (*state).to_owned() };
    let filter = RecordFilter {
        equals: states.iter().map(entry).collect(),
        within: units::within(&api.hub, &who, &api.zone),
        ..RecordFilter::default()
    };
    let (owner, page) = (who.tenant.clone(), Page { after, limit: limit + 1 });
    let mut rows = api.hub.store.read(job!(|tx| { tx.records(&owner, DECISION.name, filter, page).await })).await?;
    let next = Parameters::page("decision-requests", &mut rows, limit, |row| row.id.clone());
    let now = Timestamp::from_microsecond(api.hub.clock.micros()).map_err(|_| Problem::internal())?;
    let today = now.to_zoned(api.zone.clone()).date().to_string();
    let mut data = Vec::new();
    for row in &rows {
        let shown = {
            let arena = Arena::new();
            json::to_string(&records::seen(&api, &DECISION, row, None, &arena, allowed)?)
        };
        let decision: Value = serde_json::from_str(&shown).unwrap_or_default();
        for request in decision["requests"].as_array().into_iter().flatten() {
            let is_open = request["status"]["value"] == "OPEN";
            let late = is_open && request["due_on"].as_str().is_some_and(|due| due < today.as_str());
            let fits = open.is_none_or(|open| open == is_open)
                && (!overdue || late)
                && kind.as_deref().is_none_or(|kind| request["kind"]["value"] == kind);
            if !fits {
                continue;
            }
            let mut one = Map::new();
            one.insert("decision".to_owned(), object!({ "type": "decision", "id": row.id }));
            one.insert("application".to_owned(), decision["application"].clone());
            one.insert("overdue".to_owned(), object!(late));
            one.insert("request".to_owned(), request.clone());
            data.push(Value::Object(one));
        }
    }
    Ok(Json(object!({ "data": data, "next_cursor": next })))
}

fn flag(name: &str, text: &str) -> Result<bool, Problem> {
    text.parse().map_err(|_| Problem::bad_parameter(name, format!("`{name}` is true or false"), None))
}
