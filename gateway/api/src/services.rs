//! `POST /v1/services/{service}`: calculations by request. Inputs in, result and explanation out; nothing is stored.

use crate::Api;
use crate::auth::Caller;
use crate::body::bytes_up_to;
use crate::problem::Problem;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hub_calc::{Given, Wrong};
use hub_flow::trust::Rules;
use hub_service::{Answered, SERVICES, Service};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Limits, Value, json};
use serde::Serialize;
use tokio::sync::Semaphore;

/// Longest body: many items, or a row for each person of a bias audit.
const MAX_BYTES: usize = 16 << 20;
/// Calculations at the same time, so that other requests go on.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

#[derive(Serialize)]
pub(crate) struct Listed {
    data: Vec<About>,
}

#[derive(Serialize)]
struct About {
    service: &'static str,
    about: &'static str,
    calculations: Vec<CalculationAbout>,
}

#[derive(Serialize)]
struct CalculationAbout {
    r#type: &'static str,
    about: &'static str,
    fields: &'static [&'static str],
}

/// What can be calculated.
pub(crate) async fn list(Caller(_): Caller) -> Json<Listed> {
    let about = |service: &Service| About {
        service: service.name,
        about: service.about,
        calculations: (service.calculations)()
            .iter()
            .map(|one| CalculationAbout { r#type: one.name, about: one.about, fields: one.fields })
            .collect(),
    };
    Json(Listed { data: SERVICES.iter().map(about).collect() })
}

/// Calculates.
pub(crate) async fn calculate(
    State(api): State<Api>,
    Caller(_): Caller,
    Path(service): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let Some(found) = Service::find(&service) else {
        let near = suggest(&service, SERVICES.iter().map(|service| service.name));
        let near = near.map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::not_found(format!("there is no service `{service}`{near}")));
    };
    let body = bytes_up_to(MAX_BYTES, body).await?;
    let busy = || Problem::internal();
    let _turn = AT_ONCE.acquire().await.map_err(|_| busy())?;
    let region = Rules::is_in_eu(&api.hub.trust.region).then(|| api.hub.trust.region.clone());
    let work = move || answer(found, &body, region.as_deref());
    let answer = tokio::task::spawn_blocking(work).await.map_err(|_| busy())??;
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}

/// The answer as JSON; `region` is where facial expressions never count.
fn answer(service: &Service, body: &Bytes, region: Option<&str>) -> Result<String, Problem> {
    let arena = Arena::new();
    let mut given = json::read(&arena, body, Limits::default())
        .map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))?;
    if let Some(region) = region {
        given = without_expressions(&arena, service, given, region)?;
    }
    match service.answer(Given::new(&arena, given)) {
        Answered::One(one) => one.map(|value| json::to_string(&value)).map_err(|wrong| problem(&wrong)),
        Answered::Many(items) => {
            let items = items.into_iter().map(|item| item.unwrap_or_else(|wrong| as_item(&arena, &wrong)));
            let items: Vec<Value<'_>> = items.collect();
            Ok(json::to_string(&arena.map(&[("items", arena.list(&items))])))
        }
    }
}

/// Switches facial expressions off where the request does not.
///
/// # Errors
/// It asks for them.
fn without_expressions<'a>(
    arena: &'a Arena,
    service: &Service,
    given: Value<'a>,
    region: &str,
) -> Result<Value<'a>, Problem> {
    const FIELD: &str = "expressions";
    let calculations = (service.calculations)();
    let one = |given: Value<'a>, pointer: &str| {
        let kind = given.get("type").as_text();
        if !calculations.iter().any(|known| Some(known.name) == kind && known.fields.contains(&FIELD)) {
            return Ok(given);
        }
        match given.get(FIELD) {
            Value::Bool(false) => Ok(given),
            Value::Absent | Value::Null => {
                let others = given.entries().iter().filter(|(name, _)| *name != FIELD).copied();
                Ok(arena.map(&others.chain([(FIELD, Value::Bool(false))]).collect::<Vec<_>>()))
            }
            _ => {
                let detail = format!("facial expressions do not count in {region} (`trust.region`)");
                Err(Problem::invalid_body(&format!("{pointer}/{FIELD}"), detail))
            }
        }
    };
    let Value::List(items) = given.get("items") else { return one(given, "") };
    let items = items.iter().enumerate().map(|(place, item)| one(*item, &format!("/items/{place}")));
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let others = given.entries().iter().filter(|(name, _)| *name != "items").copied();
    Ok(arena.map(&others.chain([("items", arena.list(&items))]).collect::<Vec<_>>()))
}

fn problem(wrong: &Wrong) -> Problem {
    Problem::invalid_body(&wrong.pointer, wrong.detail.as_str())
}

/// The problem of one item, as a problem of a whole request reads.
fn as_item<'a>(arena: &'a Arena, wrong: &Wrong) -> Value<'a> {
    let text = serde_json::to_vec(&problem(wrong)).unwrap_or_default();
    json::read(arena, arena.bytes(&text), Limits::default()).unwrap_or_default()
}
