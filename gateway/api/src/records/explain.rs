//! `GET /v1/<collection>/{id}/explain`: why a field is what it is.

use super::fields::check;
use super::times::scope_for;
use super::{class_of, entity_of, find};
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use crate::{Api, imports};
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hub_flow::explain::{NoExplanation, pointer_of};
use hub_flow::restricted;
use hub_model::Class;
use hub_tree::clock::rfc3339_micros;
use serde::Serialize;
use serde_json::value::RawValue;

/// Why a field is what it is.
pub(crate) async fn explain(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.reads(entity.name)?;
    let mut given = parameters(query.as_deref());
    let field = given.take("field");
    given.finish(&["field"])?;
    let field = field.ok_or_else(|| {
        let next = "such as `field=name.full` or `field=/emails/0/address`".to_owned();
        Problem::bad_parameter("field", "say which `field` to explain", Some(next))
    })?;
    let pointer = pointer_of(&field);
    check(entity, allowed, "field", &pointer)?;
    let class = class_of(entity, &pointer);
    if class > allowed {
        return Err(Problem::forbidden(scope_for(class)));
    }
    let row = find(&api, &who, entity, &id).await?;
    if class == Class::S3 {
        restricted::note(entity.name, &row.id, [pointer.as_str()]);
    }
    let found = hub_flow::explain::explain(&api.hub, &who.tenant, entity.name, &row.id, &pointer).await;
    let found = found.map_err(|error| match error {
        NoExplanation::NoRecord => Problem::not_found("there is no record with this id"),
        NoExplanation::NoField => Problem::not_found("no rule has set this field"),
        NoExplanation::Gone(what) => Problem::gone(what),
        NoExplanation::Failed(failure) => failure.into(),
    })?;
    // A kept calculation holds more than the one field.
    let readable = found.origin.is_some() || class_of(entity, "/calculation") <= allowed;
    let steps = found.steps.filter(|_| readable).and_then(|steps| RawValue::from_string(steps).ok());
    let body = Explained {
        source: found.origin.as_ref().map(|origin| ExplainedSource {
            connection: &origin.connection,
            system: &origin.system,
            remote_id: &origin.remote_id,
            raw: &origin.raw,
            received_at: &origin.received_at,
            mapping: &origin.mapping,
            mapping_version: &origin.mapping_version,
            file: found.place.as_ref().map(imports::place_json),
        }),
        field: &found.field,
        version: found.set.as_ref().map(|set| set.version),
        set_at: found.set.as_ref().map(|set| rfc3339_micros(set.at)),
        trace_id: found.set.as_ref().and_then(|set| set.trace.split('-').nth(1)),
        rule: &found.rule,
        steps: steps.as_deref(),
    };
    let text = serde_json::to_string(&body).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

#[derive(Serialize)]
struct Explained<'a> {
    field: &'a str,
    rule: &'a str,
    /// The version that gave the field its value, when that was, and the journey that did it.
    version: Option<i64>,
    set_at: Option<String>,
    trace_id: Option<&'a str>,
    source: Option<ExplainedSource<'a>>,
    steps: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct ExplainedSource<'a> {
    connection: &'a str,
    system: &'a str,
    remote_id: &'a str,
    raw: &'a str,
    received_at: &'a str,
    mapping: &'a str,
    mapping_version: &'a str,
    /// Where in a file that was imported the payload stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<serde_json::Value>,
}
