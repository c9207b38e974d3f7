//! `/v1/identity-links`: which records are about one human, and what people decide about that. Links are records like
//! all others; what is special is how they come to be and how they change.

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use crate::records;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::identity::chain::{self, Member};
use hub_flow::identity::links::{self, Decision, Undecided};
use hub_model::EntityType;
use hub_model::entities::identity::IDENTITY_LINK;
use hub_store::RecordId;
use hub_tree::finding::suggest;
use serde_json::{Value, json};

const COLLECTION: &str = "identity-links";
/// Entities whose records are about humans.
const HUMANS: [&str; 5] = ["person", "candidate", "employee", "pre_hire", "user"];
/// Longest reason that somebody gives.
const LONGEST_REASON: usize = 1000;

pub(crate) async fn list(
    state: State<Api>,
    caller: Caller,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    records::list(state, caller, Path(COLLECTION.to_owned()), query, headers).await
}

pub(crate) async fn show(
    state: State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    records::show(state, caller, Path((COLLECTION.to_owned(), id)), query, headers).await
}

/// Somebody says that two records are about one human: `{a: {type, id}, b: {type, id}, reason?}`.
pub(crate) async fn create(State(api): State<Api>, Caller(who): Caller, body: Body) -> Result<Response, Problem> {
    who.writes(IDENTITY_LINK.name)?;
    let bytes = body::bytes(body).await?;
    let given: Value = serde_json::from_slice(&bytes).map_err(|_| Problem::malformed("the body is no JSON"))?;
    body::without_nul(&given)?;
    let Value::Object(fields) = &given else { return Err(Problem::malformed("the body is no JSON object")) };
    let known = ["a", "b", "reason"];
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        let near = suggest(name, known).map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::invalid_body(&format!("/{name}"), format!("unknown field `{name}`{near}")));
    }
    let a = end(&api, &who, &given["a"], "/a").await?;
    let b = end(&api, &who, &given["b"], "/b").await?;
    if a == b {
        return Err(Problem::invalid_body("/b", "both ends are the same record"));
    }
    let reason = reason_of(given.get("reason"))?;
    let entry = Entry::by(&who, "identity.linked").about(&a.0, &a.1).about(&b.0, &b.1);
    api.hub.audit(entry).await?;
    let id = links::connect(&api.hub, &who.tenant, (&a, &b), (&who.name, &reason)).await?;
    let mut response = link(&api, &who, &id).await?;
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = format!("/v1/{COLLECTION}/{id}").parse() {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// One end of a link: a record about a human that the caller may know of.
async fn end(api: &Api, who: &Principal, given: &Value, pointer: &str) -> Result<RecordId, Problem> {
    let text = |name: &str| {
        let wrong = || Problem::invalid_body(&format!("{pointer}/{name}"), format!("`{name}` is missing, as text"));
        given[name].as_str().ok_or_else(wrong)
    };
    let (kind, id) = (text("type")?, text("id")?);
    let entity: Option<&'static EntityType> = hub_model::entity(kind).filter(|of| HUMANS.contains(&of.name));
    let entity = entity.ok_or_else(|| {
        let detail = format!("a record about a human is one of {}", HUMANS.join(", "));
        Problem::invalid_body(&format!("{pointer}/type"), detail)
    })?;
    who.reads(entity.name)?;
    let row = records::find(api, who, entity, id).await?;
    Ok((row.entity, row.id))
}

fn reason_of(given: Option<&Value>) -> Result<String, Problem> {
    match given {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) if text.chars().count() <= LONGEST_REASON => Ok(text.clone()),
        Some(_) => {
            Err(Problem::invalid_body("/reason", format!("`reason` is text of at most {LONGEST_REASON} characters")))
        }
    }
}

/// A link as the caller may see it.
async fn link(api: &Api, who: &Principal, id: &str) -> Result<Response, Problem> {
    show(State(api.clone()), Caller(who.clone()), Path(id.to_owned()), RawQuery(None), HeaderMap::new()).await
}

/// `POST /v1/identity-links/{id}:confirm`, `:reject`, `:undo`; a body may give a `reason`.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    who.writes(IDENTITY_LINK.name)?;
    let (id, word) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    let decision = Decision::WORDS.iter().find(|(known, _)| *known == word).map(|(_, decision)| *decision);
    let decision = decision.ok_or_else(|| {
        let near = suggest(word, Decision::WORDS.map(|(known, _)| known)).map(|near| format!("; {near}"));
        Problem::not_found(format!("there is no action `{word}`{}", near.unwrap_or_default()))
    })?;
    let bytes = body::bytes(body).await?;
    let reason = if bytes.is_empty() {
        String::new()
    } else {
        let mut fields = body::fields(Body::from(bytes)).await?;
        let reason = reason_of(fields.text("reason")?.map(Value::String).as_ref())?;
        fields.finish(&["reason"])?;
        reason
    };
    let id = records::find(&api, &who, &IDENTITY_LINK, id).await?.id;
    api.hub.audit(Entry::by(&who, "identity.decided").about(IDENTITY_LINK.name, &id).detail("decision", word)).await?;
    match links::decide(&api.hub, &who.tenant, &id, decision, (&who.name, &reason)).await {
        Ok(()) => link(&api, &who, &id).await,
        Err(Undecided::Unknown) => Err(Problem::not_found("there is no record with this id")),
        Err(Undecided::Stands(status)) => {
            let next = match status.as_str() {
                "CONFIRMED" => "`:undo` takes a confirmed link back",
                _ => "read the link again and see where it stands",
            };
            Err(Problem::conflict(format!("`{word}` means nothing for a link that is {status}")).next(next))
        }
        Err(Undecided::Store(error)) => Err(error.into()),
    }
}

/// `GET /v1/<collection>/{id}/identities`: all records of one human that the caller may read, and how each is joined
/// to the rest.
pub(crate) async fn identities(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let entity = records::entity_of(&collection)?;
    who.reads(entity.name)?;
    if !HUMANS.contains(&entity.name) {
        return Err(Problem::not_found(format!("records of `{collection}` are not about a human")));
    }
    let row = records::find(&api, &who, entity, &id).await?;
    let mut data = Vec::new();
    for member in chain::members(&api.hub, &who.tenant, &(row.entity, row.id)).await? {
        let Some(of) = hub_model::entity(&member.record.0).filter(|of| who.reads(of.name).is_ok()) else { continue };
        match records::find(&api, &who, of, &member.record.1).await {
            Ok(_) => data.push(shown(&member)),
            // A reference to a record that is gone, or that the caller may not know of.
            Err(problem) if problem.code() == "not_found" => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(Json(json!({ "data": data, "next_cursor": null })).into_response())
}

fn shown(member: &Member) -> Value {
    let record = |(kind, id): &RecordId| json!({ "type": kind, "id": id });
    let joined = member.joined.as_ref().map(|joined| {
        json!({ "to": record(&joined.to), "method": joined.method, "link": joined.link, "score": joined.score })
    });
    json!({ "record": record(&member.record), "joined": joined })
}
