//! `GET /v1/<collection>/{id}`: one record.

use super::view::View;
use super::{as_known, entity_of, find, json_response, tag_of};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::records::sealed_as;
use hub_store::{RecordRow, StoreError};
use hub_tree::{Arena, Limits, json};
use std::collections::BTreeMap;

/// Whether the caller has what is tagged so.
pub(super) fn unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let bare = tag.trim_start_matches("W/");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == bare || tag.trim() == "*")
}

/// One record.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.reads(entity.name)?;
    let mut given = parameters(query.as_deref());
    let view = View::take(entity, allowed, &mut given)?;
    given.finish(&View::NAMES)?;
    let row = find(&api, &who, entity, &id).await?;
    let key = (row.entity.clone(), row.id.clone());
    let mut rows = as_known(&api, &who.tenant, view.times.known_at, BTreeMap::from([(key.clone(), row)])).await?;
    let row = rows.remove(&key).ok_or_else(|| Problem::not_found("this record was not known then"))?;
    if !holds(&api, &row, &view)? {
        return Err(Problem::not_found("this record does not hold on that day"));
    }
    let tag = tag_of(entity, row.version, allowed);
    // What is computed or embedded changes by itself.
    let mut response = if view.rests_on_versions() && unchanged(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let beside = view.beside(&api, &who, std::slice::from_ref(&row)).await?;
        let arena = Arena::new();
        json_response(StatusCode::OK, &view.shown(&api, &row, &beside, &arena)?)
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn holds(api: &Api, row: &RecordRow, view: &View) -> Result<bool, StoreError> {
    let Some(entity) = hub_model::entity(&row.entity).filter(|entity| view.times.choose(entity)) else {
        return Ok(true);
    };
    let opened = api.hub.open(&row.tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
    let arena = Arena::new();
    let document = json::read(&arena, &opened, Limits::default());
    Ok(view.times.holds(entity, document.map_err(|_| StoreError::Sealed("a record is no JSON"))?))
}
