//! `GET /v1/presets`: how people in an industry usually work and are appraised.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use hub_service::presets::preset_json;
use hub_tree::finding::suggest;
use serde_json::{Value, json};

/// All of them.
pub(crate) async fn list(State(api): State<Api>, Caller(_): Caller) -> Json<Value> {
    Json(json!({ "data": api.presets.values().map(preset_json).collect::<Vec<_>>() }))
}

/// One.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(_): Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let Some(preset) = api.presets.get(&name) else {
        let near = suggest(&name, api.presets.keys().map(String::as_str));
        let near = near.map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::not_found(format!("there is no preset `{name}`{near}")));
    };
    Ok(Json(preset_json(preset)))
}
