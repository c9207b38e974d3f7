//! `GET /v1/connections/{id}/requirements/{entity}`: what a system needs to make or change a record.

use crate::Api;
use crate::auth::Caller;
use crate::connections;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::requests::requirements;
use serde_json::Value;

/// What a connection needs; the entity by its name or its collection.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, entity)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    parameters(query.as_deref()).finish(&[])?;
    let entity = hub_model::entity(&entity).map_or_else(|| records::entity_of(&entity), Ok)?;
    who.writes(entity.name)?;
    let connection = connections::find(&api, &who.tenant, &id)?;
    requirements(&api.hub, &connection, entity).map(Json).map_err(Problem::conflict)
}
