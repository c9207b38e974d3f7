//! `/scim/v2` (RFC 7643 and 7644): identity providers read employees and departments as users and groups, and provision
//! accounts. Errors have SCIM's form; changes are taken as providers really send them ([`patch`]).

mod error;
mod filter;
mod group;
mod load;
mod patch;
mod query;
mod read;
mod schema;
mod user;
mod write;

use crate::Api;
use crate::auth::Caller;
use crate::body;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use error::{MEDIA_TYPE, ScimError};
use hub_flow::access::Principal;
use query::{Query, Shown};
use schema::{GROUPS, ResourceType, USERS};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Names what a request could not change.
const LEFT: HeaderName = HeaderName::from_static("hub-left");

/// The router of SCIM.
pub(crate) fn router() -> Router<Api> {
    Router::new()
        .route("/scim/v2/ServiceProviderConfig", get(provider))
        .route("/scim/v2/ResourceTypes", get(types))
        .route("/scim/v2/Schemas", get(schemas))
        .route("/scim/v2/.search", post(search_all))
        .route("/scim/v2/Users", get(|a, w, q| list(a, w, q, &USERS)).post(|a, w, q, b| create(a, w, q, b, &USERS)))
        .route("/scim/v2/Users/.search", post(|a, w, b| search(a, w, b, &USERS)))
        .route(
            "/scim/v2/Users/{id}",
            get(|a, w, p, q, h| show(a, w, p, q, h, &USERS))
                .put(|a, w, p, q, h, b| replace(a, w, p, q, h, b, &USERS))
                .patch(|a, w, p, q, h, b| change(a, w, p, q, h, b, &USERS))
                .delete(|a, w, p, h| delete(a, w, p, h, &USERS)),
        )
        .route("/scim/v2/Groups", get(|a, w, q| list(a, w, q, &GROUPS)).post(|a, w, q, b| create(a, w, q, b, &GROUPS)))
        .route("/scim/v2/Groups/.search", post(|a, w, b| search(a, w, b, &GROUPS)))
        .route(
            "/scim/v2/Groups/{id}",
            get(|a, w, p, q, h| show(a, w, p, q, h, &GROUPS))
                .put(|a, w, p, q, h, b| replace(a, w, p, q, h, b, &GROUPS))
                .patch(|a, w, p, q, h, b| change(a, w, p, q, h, b, &GROUPS))
                .delete(|a, w, p, h| delete(a, w, p, h, &GROUPS)),
        )
        .route("/scim/v2/{*rest}", any(rest))
}

/// Who sent the request.
struct Client(Principal);

impl FromRequestParts<Api> for Client {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ScimError> {
        let who = Caller::from_request_parts(parts, api).await?.0;
        // A directory is whole, and its members are told of across departments.
        who.need_all_units()?;
        Ok(Self(who))
    }
}

type Answer = Result<Response, ScimError>;

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.to_string()).into_response()
}

/// The version of a resource: it changes with whatever it shows, also with today's job.
fn tag(resource: &Value) -> String {
    let digest = Sha256::digest(resource.to_string().as_bytes());
    let short: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{short}\"")
}

/// A whole resource with its version, as far as it is to be shown.
fn resource(status: StatusCode, resource: Value, shown: &Shown, left: &[String]) -> Response {
    let (tag, mut resource) = (tag(&resource), resource);
    let location = resource["meta"]["location"].as_str().unwrap_or_default().to_owned();
    resource["meta"]["version"] = tag.clone().into();
    let mut response = answer(status, &shown.of(resource));
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::ETAG, &tag);
    put(header::LOCATION, &location);
    if !left.is_empty() {
        put(LEFT, &left.join(", "));
    }
    response
}

/// Whether a header names this version.
fn names(headers: &HeaderMap, name: HeaderName, tag: &str) -> Option<bool> {
    let given = headers.get(name)?.to_str().unwrap_or_default();
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    Some(given.split(',').any(|one| one.trim() == "*" || strong(one) == strong(tag)))
}

fn unchanged(headers: &HeaderMap, resource: &Value) -> Result<(), ScimError> {
    match names(headers, header::IF_MATCH, &tag(resource)) {
        Some(false) => Err(ScimError::new(StatusCode::PRECONDITION_FAILED, "the resource has changed: read it again")),
        _ => Ok(()),
    }
}

fn shown(of: &ResourceType, query: Option<&str>) -> Shown {
    let given = query::parameters(query);
    let take =
        |name: &str| given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    Shown::read(of, take("attributes"), take("excludedAttributes"))
}

async fn json_body(body: Body) -> Result<Value, ScimError> {
    let bytes = body::bytes(body).await?;
    let read = serde_json::from_slice(&bytes);
    let value = read.map_err(|_| ScimError::bad("invalidSyntax", "the body is no JSON"))?;
    body::without_nul(&value)?;
    Ok(value)
}

async fn provider(State(api): State<Api>, Client(who): Client) -> Answer {
    who.readable()?;
    let none = json!({ "supported": false });
    let config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true }, "sort": { "supported": true }, "etag": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": query::MOST }, "changePassword": none,
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "API key", "primary": true,
            "description": "`Authorization: Bearer` and an API key of the hub, or a token made from one.",
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{}/ServiceProviderConfig", read::base(&api)) },
    });
    Ok(answer(StatusCode::OK, &config))
}

async fn types(State(api): State<Api>, Client(who): Client) -> Answer {
    who.readable()?;
    let all = [&USERS, &GROUPS].map(|of| of.told(&read::base(&api)));
    Ok(answer(StatusCode::OK, &query::page(all.len(), 0, &all)))
}

async fn schemas(State(api): State<Api>, Client(who): Client) -> Answer {
    who.readable()?;
    let all = schema::schemas(&read::base(&api));
    Ok(answer(StatusCode::OK, &query::page(all.len(), 0, &all)))
}

/// One type, one schema; and what the hub does not do.
async fn rest(State(api): State<Api>, Client(who): Client, Path(rest): Path<String>) -> Answer {
    who.readable()?;
    let (kind, id) = rest.split_once('/').unwrap_or((&rest, ""));
    let base = read::base(&api);
    let found = match kind {
        "ResourceTypes" => [&USERS, &GROUPS].into_iter().find(|of| of.name == id).map(|of| of.told(&base)),
        "Schemas" => schema::schemas(&base).into_iter().find(|one| one["id"] == id),
        "Bulk" | "Me" => {
            let detail = format!("`/{kind}` is not supported; send requests one by one");
            return Err(ScimError::new(StatusCode::NOT_IMPLEMENTED, detail));
        }
        _ => None,
    };
    Ok(answer(StatusCode::OK, &found.ok_or_else(ScimError::not_found)?))
}

async fn list(
    State(api): State<Api>,
    Client(who): Client,
    RawQuery(query): RawQuery,
    of: &'static ResourceType,
) -> Answer {
    let query = Query::read(of, &query::parameters(query.as_deref()))?;
    Ok(answer(StatusCode::OK, &read::list(&api, &who, of, &query).await?))
}

async fn search(State(api): State<Api>, Client(who): Client, body: Body, of: &'static ResourceType) -> Answer {
    let query = Query::read(of, &query::search(&json_body(body).await?))?;
    Ok(answer(StatusCode::OK, &read::list(&api, &who, of, &query).await?))
}

/// Users and then groups, as far as the filter means something for them.
async fn search_all(State(api): State<Api>, Client(who): Client, body: Body) -> Answer {
    let given = query::search(&json_body(body).await?);
    let (mut total, mut page, mut first, mut refused) = (0, Vec::new(), None, None);
    for of in [&USERS, &GROUPS] {
        let mut query = match Query::read(of, &given) {
            Ok(query) => query,
            Err(error) => {
                refused = Some(error);
                continue;
            }
        };
        let start = *first.get_or_insert(query.start);
        query.start = start.saturating_sub(total);
        query.count = query.count.saturating_sub(page.len());
        let (found, resources) = read::page(&api, &who, of, &query).await?;
        total += found;
        page.extend(resources);
    }
    match (first, refused) {
        (None, Some(error)) => Err(error),
        (first, _) => Ok(answer(StatusCode::OK, &query::page(total, first.unwrap_or(0), &page))),
    }
}

async fn show(
    State(api): State<Api>,
    Client(who): Client,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    of: &'static ResourceType,
) -> Answer {
    let found = read::one(&api, &who, of, &id).await?;
    if names(&headers, header::IF_NONE_MATCH, &tag(&found)) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag(&found))]).into_response());
    }
    Ok(resource(StatusCode::OK, found, &shown(of, query.as_deref()), &[]))
}

async fn create(
    State(api): State<Api>,
    Client(who): Client,
    RawQuery(query): RawQuery,
    body: Body,
    of: &'static ResourceType,
) -> Answer {
    let new = Value::Object(of.read(&json_body(body).await?)?);
    let written = write::create(&api, &who, of, new).await?;
    Ok(resource(StatusCode::CREATED, written.resource, &shown(of, query.as_deref()), &written.left))
}

async fn replace(
    State(api): State<Api>,
    Client(who): Client,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
    of: &'static ResourceType,
) -> Answer {
    let new = of.read(&json_body(body).await?)?;
    let (known, old) = (read::known(&api, &who, of, &id).await?, read::one(&api, &who, of, &id).await?);
    unchanged(&headers, &old)?;
    let written = write::update(&api, &who, of, &known, (&old, &Value::Object(new)), Vec::new()).await?;
    Ok(resource(StatusCode::OK, written.resource, &shown(of, query.as_deref()), &written.left))
}

async fn change(
    State(api): State<Api>,
    Client(who): Client,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
    of: &'static ResourceType,
) -> Answer {
    let request = json_body(body).await?;
    let (known, old) = (read::known(&api, &who, of, &id).await?, read::one(&api, &who, of, &id).await?);
    unchanged(&headers, &old)?;
    let patched = patch::apply(of, &old, &request)?;
    let asked = patched.resource != old;
    let written = write::update(&api, &who, of, &known, (&old, &patched.resource), patched.left).await?;
    if asked && written.resource == old && !written.left.is_empty() {
        let detail = format!("HR keeps {}: change it there", written.left.join(", "));
        return Err(ScimError::bad("mutability", detail));
    }
    Ok(resource(StatusCode::OK, written.resource, &shown(of, query.as_deref()), &written.left))
}

async fn delete(
    State(api): State<Api>,
    Client(who): Client,
    Path(id): Path<String>,
    headers: HeaderMap,
    of: &'static ResourceType,
) -> Answer {
    let known = read::known(&api, &who, of, &id).await?;
    unchanged(&headers, &read::one(&api, &who, of, &id).await?)?;
    write::delete(&api, &who, of, &known).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
