//! What became of messages: journeys.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::access::Scope;
use hub_store::{Journey, Step, job};
use hub_tree::clock::rfc3339_micros;
use serde_json::{Value, json};

fn step_json(step: &Step) -> Value {
    json!({
        "at": rfc3339_micros(step.at),
        "step": step.step,
        "system": step.system,
        "result": step.result,
        "subject": step.subject,
        "detail": step.detail,
    })
}

fn journey_json(journey: &Journey) -> Value {
    json!({
        "trace_id": journey.trace,
        "started_at": rfc3339_micros(journey.started_at),
        "last_at": rfc3339_micros(journey.last_at),
        "steps": journey.steps,
        "trouble": journey.trouble,
        "subject": journey.subject,
    })
}

/// The newest journeys; `about=entity/id` for those of one record.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let about = given.take("about");
    let after = given.cursor("j")?.map(|text| Journey::read_place(&text).ok_or_else(Parameters::bad_cursor));
    let after = after.transpose()?;
    given.finish(&["about"])?;
    let tenant = who.tenant;
    let journeys = api.hub.store.read(job!(|tx| {
        match about {
            Some(subject) => tx.journeys_about(&tenant, &subject, after, limit + 1).await,
            None => tx.journeys(&tenant, after, limit + 1).await,
        }
    }));
    let mut journeys = journeys.await?;
    let next = Parameters::page("j", &mut journeys, limit, Journey::place);
    let data: Vec<Value> = journeys.iter().map(journey_json).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

/// One journey, step by step.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(trace_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Ops)?;
    let (tenant, trace) = (who.tenant, trace_id.to_lowercase());
    let wanted = trace.clone();
    let steps = api.hub.store.read(job!(|tx| { tx.journey(&tenant, &wanted).await })).await?;
    if steps.is_empty() {
        return Err(Problem::not_found("there is no journey with this trace id").with_trace(trace));
    }
    let data: Vec<Value> = steps.iter().map(step_json).collect();
    Ok(Json(json!({ "trace_id": trace, "steps": data })))
}
