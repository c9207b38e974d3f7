//! `GET /v1/<collection>/{id}/history`: all versions of a record, oldest first.

use super::{entity_of, find, json_response, seen};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use hub_store::{RecordRow, job};
use hub_tree::{Arena, Value};

/// All versions of a record, oldest first.
pub(crate) async fn history(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.reads(entity.name)?;
    parameters(query.as_deref()).finish(&[])?;
    let row = find(&api, &who, entity, &id).await?;
    let (owner, wanted) = (who.tenant, row.id.clone());
    let versions = api.hub.store.read(job!(|tx| { tx.history(&owner, entity.name, &wanted).await })).await?;
    let arena = Arena::new();
    let mut data = Vec::with_capacity(versions.len());
    for version in versions {
        let row = RecordRow {
            version: version.version,
            created_at: version.at,
            updated_at: version.at,
            deleted_at: None,
            body: version.body,
            ..row.clone()
        };
        data.push(seen(&api, entity, &row, None, &arena, allowed)?);
    }
    Ok(json_response(StatusCode::OK, &arena.map(&[("data", arena.list(&data)), ("next_cursor", Value::Null)])))
}
