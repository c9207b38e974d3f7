//! `{id}:replay`: a part of the past once more, for one subscription.

use super::{find, need_own, note};
use crate::Api;
use crate::parked::{asker, rate};
use crate::problem::Problem;
use crate::redrives::{body, redrive_json};
use axum::Json;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Principal, Scope};
use hub_flow::parked::redrive;
use hub_flow::replay;
use hub_flow::subscriptions::REPLAYED;
use hub_store::{Errand, Past};
use hub_tree::jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    since: String,
    until: Option<String>,
    #[serde(default)]
    types: Vec<String>,
    only: Option<String>,
    rate_per_second: Option<i64>,
    note: Option<String>,
}

/// Hands events of the feed to a subscription again: all that it wants, or those that have not arrived. They come under
/// their ids.
pub(super) async fn replay(api: &Api, who: Principal, id: &str, sent: Body) -> Result<Response, Problem> {
    let found = find(api, &who, id).await?;
    if who.need(Scope::Ops).is_err() {
        need_own(&who, &found)?;
    }
    let asked: Asked = body(sent).await?;
    if found.disabled_at.is_some() || found.orphaned {
        return Err(Problem::conflict("the subscription is disabled").next("enable it: PATCH `{\"disabled\": false}`"));
    }
    let now = api.hub.clock.micros();
    let instant = |name: &str, text: &str| {
        let at = text.parse::<Timestamp>().map(Timestamp::as_microsecond);
        at.map_err(|_| Problem::invalid_body(&format!("/{name}"), format!("`{name}` is an RFC 3339 time")))
    };
    let from = instant("since", &asked.since)?;
    let to = asked.until.as_deref().map_or(Ok(now), |text| instant("until", text))?.min(now);
    if from >= to {
        return Err(Problem::invalid_body("/until", "nothing lies between `since` and `until`"));
    }
    let types = replay::types(&asked.types).map_err(|wrong| Problem::invalid_body("/types", wrong))?;
    let which = match asked.only.as_deref() {
        None | Some("all") => "",
        Some("failed") => "/failed",
        Some(_) => return Err(Problem::invalid_body("/only", "`only` is `failed` or `all`")),
    };
    let past = Past { from, to, types, ..Past::default() };
    let errand = Errand::Events(past, format!("{REPLAYED}/{}{which}", found.new.id));
    let rate = rate(asked.rate_per_second)?;
    note(api, &who, "subscription.replayed", &found.new.id).await?;
    let begun = redrive(&api.hub.store, &api.hub.clock, asker(&who, asked.note)?, errand, rate).await?;
    Ok((StatusCode::ACCEPTED, Json(redrive_json(&begun))).into_response())
}
