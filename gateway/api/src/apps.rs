//! `/v1/apps`: the named callers of a tenant, what they may do, and their keys; `/v1/me`: who calls.
//!
//! An admin looks after the apps of the own tenant; only whoever runs the hub makes apps for others. A key is shown
//! when it is made and never again.

use crate::Api;
use crate::auth::Caller;
use crate::body::{Fields, fields};
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::apps::{self, AppChange, MAX_OVERLAP_SECS, MOST_UNITS, NewApp, OVERLAP_SECS, Unfit};
use hub_flow::access::{Grants, MadeKey, Principal, ROLES, Scope, Units};
use hub_flow::audit::Entry;
use hub_store::{ApiKey, App, AppFilter, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use serde_json::{Map, Value, json};

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NoApp => Self::not_found("there is no app with this id"),
            Unfit::TooManyKeys => {
                Self::conflict(unfit.to_string()).next("revoke a key that nobody uses: `last_used_at` tells")
            }
            Unfit::Raced => Self::conflict(unfit.to_string()).next("read it again, and change what is there now"),
            Unfit::NoUnit(_) => Self::invalid_body("/units", unfit.to_string()),
            Unfit::TooWide(_) => Self::invalid_body("/grants", unfit.to_string()),
            Unfit::Store(error) => error.into(),
        }
    }
}

fn app_json(app: &App) -> Map<String, Value> {
    let grants: Vec<&str> = app.grants.split_whitespace().collect();
    let mut shown = Map::new();
    shown.insert("id".to_owned(), app.id.clone().into());
    shown.insert("name".to_owned(), app.name.clone().into());
    shown.insert("tenant".to_owned(), app.tenant.clone().into());
    shown.insert("grants".to_owned(), grants.into());
    shown.insert("units".to_owned(), app.units.clone().into());
    shown.insert("below".to_owned(), app.below.into());
    shown.insert("created_at".to_owned(), rfc3339_micros(app.created_at).into());
    shown
}

fn key_json(api: &Api, key: &ApiKey) -> Value {
    let time = |at: Option<i64>| at.map(rfc3339_micros);
    json!({
        "id": key.new.id,
        "created_at": rfc3339_micros(key.new.created_at),
        "expires_at": time(key.new.expires_at),
        "last_used_at": time(key.last_used_at),
        "revoked_at": time(key.revoked_at),
        "valid": key.is_valid(api.hub.store.now()),
    })
}

/// A key that was just made: the only time that it is shown.
fn shown_once(api: &Api, made: &MadeKey) -> Value {
    let row = ApiKey { new: made.row.clone(), revoked_at: None, last_used_at: None };
    let mut shown = key_json(api, &row);
    shown["key"] = made.shown.expose().as_str().into();
    shown
}

/// An app of the caller's tenant that is not void; whoever runs the hub sees those of all.
async fn find(api: &Api, who: &Principal, id: &str) -> Result<App, Problem> {
    let wanted = id.to_owned();
    let found = api.hub.store.read(job!(|tx| { tx.app(&wanted).await })).await?;
    let own = found.filter(|app| who.is_everywhere() || app.tenant == who.tenant);
    own.filter(|app| app.revoked_at.is_none()).ok_or_else(|| Unfit::NoApp.into())
}

fn name(body: &mut Fields) -> Result<Option<String>, Problem> {
    let Some(name) = body.text("name")? else { return Ok(None) };
    if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::invalid_body("/name", "`name` has 1 to 100 characters in one line"));
    }
    Ok(Some(name))
}

fn grants(body: &mut Fields) -> Result<Option<Grants>, Problem> {
    let Some(words) = body.texts("grants")? else { return Ok(None) };
    Grants::parse(&words.join(" ")).map(Some).map_err(|wrong| Problem::invalid_body("/grants", wrong))
}

async fn departments(api: &Api, tenant: &str, body: &mut Fields) -> Result<Option<Vec<String>>, Problem> {
    let Some(words) = body.texts("units")? else { return Ok(None) };
    if words.len() > MOST_UNITS {
        return Err(Problem::invalid_body("/units", format!("`units` names at most {MOST_UNITS} departments")));
    }
    Ok(Some(apps::departments(&api.hub.store, tenant, words).await?))
}

fn expires_at(api: &Api, body: &mut Fields) -> Result<Option<i64>, Problem> {
    let Some(text) = body.text("expires_at")? else { return Ok(None) };
    let at = text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
    let later = at.filter(|at| *at > api.hub.store.now());
    let wrong = || Problem::invalid_body("/expires_at", "`expires_at` is an RFC 3339 time to come");
    later.map(Some).ok_or_else(wrong)
}

/// The apps of the tenant, by id.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Admin)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("apps")?.unwrap_or_default();
    given.finish(&[])?;
    let tenant = (!who.is_everywhere()).then(|| who.tenant.clone());
    let filter = AppFilter { tenant, include_void: false, after, limit: limit + 1 };
    let mut rows = api.hub.store.read(job!(|tx| { tx.apps(filter).await })).await?;
    let next = Parameters::page("apps", &mut rows, limit, |app| app.id.clone());
    let data: Vec<Value> = rows.iter().map(|app| Value::Object(app_json(app))).collect();
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

/// Makes an app with its first key.
pub(crate) async fn create(State(api): State<Api>, Caller(who): Caller, body: Body) -> Result<Response, Problem> {
    who.need(Scope::Admin)?;
    let mut body = fields(body).await?;
    let missing = |name: &str| Problem::invalid_body(&format!("/{name}"), format!("`{name}` is missing"));
    let tenant = body.text("tenant")?.unwrap_or_else(|| who.tenant.clone());
    if tenant != who.tenant && !who.is_everywhere() {
        return Err(Problem::invalid_body("/tenant", "only whoever runs the hub makes apps for other tenants"));
    }
    if tenant.trim().is_empty() || tenant.len() > 100 || tenant.chars().any(char::is_control) {
        return Err(Problem::invalid_body("/tenant", "`tenant` has 1 to 100 characters in one line"));
    }
    let name = name(&mut body)?.ok_or_else(|| missing("name"))?;
    let grants = grants(&mut body)?.ok_or_else(|| missing("grants"))?;
    let departments = departments(&api, &tenant, &mut body).await?.unwrap_or_default();
    let below = body.flag("below")?.unwrap_or(true);
    let expires_at = expires_at(&api, &mut body)?;
    body.finish(&["name", "grants", "units", "below", "expires_at", "tenant"])?;
    let store = &api.hub.store;
    store.keyring().ensure(store, &api.hub.clock, &tenant).await?;
    let units = (!departments.is_empty()).then_some(Units { departments, below });
    let entry = Entry::by(&who, "app.created");
    let new = NewApp { tenant, name, grants, units, expires_at };
    let made = apps::create(store, &api.hub.clock, entry, new).await?;
    let mut answer = app_json(&made.row.app);
    answer.insert("key".to_owned(), shown_once(&api, &made));
    let place = format!("/v1/apps/{}", made.row.app.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(Value::Object(answer))).into_response())
}

/// One app.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Admin)?;
    Ok(Json(Value::Object(app_json(&find(&api, &who, &id).await?))))
}

/// Changes what it is called and may do.
pub(crate) async fn update(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Admin)?;
    let app = find(&api, &who, &id).await?;
    let mut body = fields(body).await?;
    let (name, grants) = (name(&mut body)?, grants(&mut body)?);
    let units = departments(&api, &app.tenant, &mut body).await?;
    let below = body.flag("below")?;
    body.finish(&["name", "grants", "units", "below"])?;
    let (entry, wish) = (Entry::by(&who, "app.changed"), AppChange { name, grants, units, below });
    let changed = apps::change(&api.hub.store, &api.hub.clock, entry, app, wish).await?;
    Ok(Json(Value::Object(app_json(&changed))))
}

/// Makes it void with all its keys.
pub(crate) async fn delete(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    who.need(Scope::Admin)?;
    let id = find(&api, &who, &id).await?.id;
    apps::delete(&api.hub.store, &api.hub.clock, Entry::by(&who, "app.deleted"), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `{id}:rotate`: a new key, while those before it last for `overlap_secs` more.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    who.need(Scope::Admin)?;
    let (id, verb) = id.split_once(':').ok_or_else(Problem::method_not_allowed)?;
    if verb != "rotate" {
        let near = suggest(verb, ["rotate"]).unwrap_or_default();
        return Err(Problem::not_found(format!("an app has no action `{verb}`; {near}")));
    }
    let app = find(&api, &who, id).await?;
    let mut body = optional_fields(body).await?;
    let overlap = body.whole("overlap_secs", MAX_OVERLAP_SECS)?.unwrap_or(OVERLAP_SECS);
    let expires_at = expires_at(&api, &mut body)?;
    body.finish(&["overlap_secs", "expires_at"])?;
    let entry = Entry::by(&who, "app.rotated");
    let made = apps::rotate(&api.hub.store, &api.hub.clock, entry, &app.id, overlap, expires_at).await?;
    Ok((StatusCode::CREATED, Json(shown_once(&api, &made))).into_response())
}

/// A body that may be left out.
async fn optional_fields(body: Body) -> Result<Fields, Problem> {
    let bytes = crate::body::bytes(body).await?;
    let text = if bytes.is_empty() { "{}".into() } else { bytes };
    fields(Body::from(text)).await
}

/// The keys of an app, oldest first, also void ones; not the secrets.
pub(crate) async fn keys(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Admin)?;
    let id = find(&api, &who, &id).await?.id;
    let keys = api.hub.store.read(job!(|tx| { tx.keys_of(&id).await })).await?;
    let data: Vec<Value> = keys.iter().map(|key| key_json(&api, key)).collect();
    Ok(Json(json!({ "data": data, "next_cursor": null })))
}

/// `{key}:revoke`: makes one key of an app void.
pub(crate) async fn act_on_key(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    who.need(Scope::Admin)?;
    let key = key.strip_suffix(":revoke").ok_or_else(|| Problem::not_found("a key has one action: `:revoke`"))?;
    let id = find(&api, &who, &id).await?.id;
    let entry = Entry::by(&who, "app.key_revoked");
    if apps::revoke_key(&api.hub.store, &api.hub.clock, entry, &id, key).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("the app has no valid key with this id"))
    }
}

/// Who calls, what they may do, and until when.
pub(crate) async fn me(Caller(who): Caller) -> Json<Value> {
    let held = |(role, scopes): &(&'static str, &[Scope])| {
        scopes.iter().all(|scope| who.need(*scope).is_ok()).then_some(*role)
    };
    let roles: Vec<&str> = ROLES.iter().filter_map(held).collect();
    Json(json!({
        "app": who.handle,
        "name": who.name,
        "tenant": who.tenant,
        "grants": who.grants().words(),
        "roles": roles,
        "units": who.units().map(|units| &units.departments),
        "below": who.units().map(|units| units.below),
        "valid_until": who.until.map(rfc3339_micros),
    }))
}
