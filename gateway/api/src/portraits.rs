//! `GET /v1/candidates/{id}/portrait` and `GET /v1/employees/{id}/portrait`: what the records say of a person.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::audit::Entry;
use hub_flow::restricted;
use hub_insight::portrait::json;
use hub_model::entities::employment::EMPLOYEE;
use hub_model::entities::recruiting::CANDIDATE;
use hub_service::portrait::{USUAL, Whose, drawn};
use hub_tree::finding::suggest;
use serde_json::{Value, json as object};

/// The portrait of a candidate or an employee, as far as the caller may read the records that it rests on.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let (entity, whose) = match records::entity_of(&collection)? {
        entity if entity.name == CANDIDATE.name => (&CANDIDATE, Whose::Candidate),
        entity if entity.name == EMPLOYEE.name => (&EMPLOYEE, Whose::Employee),
        _ => return Err(Problem::not_found("only candidates and employees have a portrait")),
    };
    who.reads(entity.name)?;
    let mut given = parameters(query.as_deref());
    let model = given.take("model").unwrap_or_else(|| USUAL.to_owned());
    given.finish(&["model"])?;
    let known = || api.portraits.keys().map(String::as_str);
    let Some(rules) = api.portraits.get(&model) else {
        let near = suggest(&model, known()).map(|near| format!("; {near}")).unwrap_or_default();
        let next = format!("there are: {}", known().collect::<Vec<_>>().join(", "));
        return Err(Problem::bad_parameter("model", format!("there is no `model` of this id{near}"), Some(next)));
    };
    let row = records::find(&api, &who, entity, &id).await?;
    if row.deleted_at.is_some() {
        return Err(Problem::not_found("this record was deleted"));
    }
    let found = drawn(&api.hub, &who, &api.zone, rules, (whose, &row.id)).await?;
    let entry = Entry::by(&who, "portrait.drawn").about(entity.name, &row.id);
    let entry = entry.purpose(restricted::purpose().as_deref());
    api.hub.audit(entry.detail("model", rules.version())).await?;
    let mut answer = json(&found);
    answer["of"] = object!({ "type": entity.name, "id": row.id });
    Ok(Json(answer))
}
