//! `/v1/subscriptions`: apps say which events they want to hear of, and where.
//!
//! An app sees and changes what it has made itself; `ops` sees all of its tenant and may switch them off and on, test
//! and delete them; `admin` may do everything. The secret is shown when it is made and never again.

pub(crate) mod deliveries;
mod replays;
mod wishes;

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
use hub_flow::access::{Principal, Scope};
use hub_flow::audit::Entry;
use hub_flow::subscriptions::{Endpoint, Options, types};
use hub_store::{NewSubscription, Subscription, SubscriptionChange, SubscriptionFilter, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use serde_json::{Map, Value, json};

/// Most subscriptions of a tenant: every event is looked at for each of them.
const MOST: i64 = 200;
/// How often a change is tried again when somebody else has made one meanwhile.
const RACES: usize = 5;

/// Whether they may deal with subscriptions at all.
fn admit(who: &Principal) -> Result<(), Problem> {
    match who.readable() {
        Ok(_) => Ok(()),
        Err(denied) => who.need(Scope::Ops).map_err(|_| denied.into()),
    }
}

fn is_own(who: &Principal, subscription: &Subscription) -> bool {
    subscription.new.owner == who.handle || who.need(Scope::Admin).is_ok()
}

/// What only the app that made it may do, or an admin.
fn need_own(who: &Principal, subscription: &Subscription) -> Result<(), Problem> {
    if is_own(who, subscription) { Ok(()) } else { Err(Problem::forbidden(Scope::Admin.name())) }
}

/// A subscription that they may see.
async fn find(api: &Api, who: &Principal, id: &str) -> Result<Subscription, Problem> {
    let (tenant, wanted) = (who.tenant.clone(), id.to_lowercase());
    let found = api.hub.store.read(job!(|tx| { tx.subscription(&tenant, &wanted).await })).await?;
    let seen = found.filter(|found| is_own(who, found) || who.need(Scope::Ops).is_ok());
    seen.ok_or_else(|| Problem::not_found("there is no subscription with this id"))
}

fn endpoint(api: &Api, subscription: &Subscription) -> Result<Endpoint, Problem> {
    let of = &subscription.new;
    Ok(Endpoint::open(api.hub.store.keyring(), &of.tenant, &of.id, &of.sealed)?)
}

/// A subscription as they may see it. An address may hold a key of the app: to others only its host is shown.
fn shown(api: &Api, who: &Principal, subscription: &Subscription) -> Result<Map<String, Value>, Problem> {
    let endpoint = endpoint(api, subscription)?;
    let options = Options::read(&subscription.new.options);
    let keys = if options.signing.proves() { endpoint.public_keys(api.hub.clock.micros()) } else { Vec::new() };
    let address = endpoint.url.into_inner();
    let address = if is_own(who, subscription) {
        address
    } else {
        url::Url::parse(&address)
            .map_or_else(|_| String::new(), |url| format!("{}/…", url.origin().ascii_serialization()))
    };
    let of = &subscription.new;
    let void = subscription.orphaned.then_some("the key of the app that made it is void");
    let why = subscription.disabled_at.map(|_| subscription.disabled_why.as_str()).or(void);
    let status = match (why, subscription.failing_since) {
        (Some(_), _) => "disabled",
        (None, Some(_)) => "failing",
        (None, None) => "active",
    };
    let shown = json!({
        "id": of.id,
        "url": address,
        "types": of.types.split(' ').collect::<Vec<_>>(),
        "connection": Some(&of.connection).filter(|connection| !connection.is_empty()),
        "status": status,
        "disabled": why.is_some(),
        "disabled_reason": why,
        "failing_since": subscription.failing_since.map(rfc3339_micros),
        "failing_reason": subscription.failing_since.map(|_| &subscription.failing_why),
        "sequence": subscription.sequence,
        "public_keys": keys,
        "failures": {
            "in_a_row": subscription.failures, "allowed": options.disable_after,
            "percent": options.percent(subscription.failures),
        },
        "left_out": { "count": subscription.unfit, "reason": Some(&subscription.unfit_why).filter(|why| !why.is_empty()) },
        "app": of.owner,
        "created_at": rfc3339_micros(of.created_at),
        "updated_at": rfc3339_micros(subscription.updated_at),
    });
    let mut shown = if let Value::Object(shown) = shown { shown } else { Map::new() };
    shown.extend(wishes::shown(&options));
    Ok(shown)
}

/// The patterns of types in a body, and notes on them.
fn patterns(body: &mut Fields) -> Result<Option<(String, Vec<String>)>, Problem> {
    let Some(given) = body.texts("types")? else { return Ok(None) };
    match types::check(&given) {
        Ok(notes) => Ok(Some((given.join(" "), notes))),
        Err((index, why)) => {
            let pointer = index.map_or_else(|| "/types".to_owned(), |index| format!("/types/{index}"));
            Err(Problem::invalid_body(&pointer, why))
        }
    }
}

/// The address in a body, and notes on it.
async fn address(api: &Api, body: &mut Fields) -> Result<Option<(String, Vec<String>)>, Problem> {
    let Some(given) = body.text("url")? else { return Ok(None) };
    let target = api.hub.check_target(&given).await.map_err(Problem::refused_target)?;
    let mut notes = Vec::new();
    if !target.resolved {
        notes.push("the host of `url` leads nowhere now".to_owned());
    }
    Ok(Some((given, notes)))
}

/// Says in the audit log who did something with a subscription.
async fn note(api: &Api, who: &Principal, action: &'static str, id: &str) -> Result<(), Problem> {
    Ok(api.hub.audit(Entry::by(who, action).about("subscription", id)).await?)
}

/// Makes a subscription.
pub(crate) async fn create(State(api): State<Api>, Caller(who): Caller, body: Body) -> Result<Response, Problem> {
    who.readable()?;
    let mut body = fields(body).await?;
    let (types, mut notes) =
        patterns(&mut body)?.ok_or_else(|| Problem::invalid_body("/types", "`types` is missing"))?;
    let connection = body.text("connection")?;
    if let Some(connection) = &connection {
        wishes::known_connection(&api, &who, connection, "/connection")?;
    }
    let mut options = Options::default();
    wishes::read(&api, &who, &mut body, &mut options)?;
    let disabled = body.flag("disabled")?.unwrap_or(false);
    let address = address(&api, &mut body).await?;
    let (address, more) = address.ok_or_else(|| Problem::invalid_body("/url", "`url` is missing"))?;
    notes.extend(more);
    body.finish(&[&["url", "types", "connection", "disabled"], &wishes::NAMES[..]].concat())?;
    let store = &api.hub.store;
    store.keyring().ensure(store, &api.hub.clock, &who.tenant).await?;
    let id = api.hub.ids.next().to_string();
    let endpoint = Endpoint::new(&address);
    let new = NewSubscription {
        id: id.clone(),
        tenant: who.tenant.clone(),
        owner: who.handle.clone(),
        types,
        connection: connection.unwrap_or_default(),
        sealed: endpoint.seal(store.keyring(), &who.tenant, &id)?,
        options: options.write(),
        created_at: api.hub.clock.micros(),
    };
    if !store.write(job!(|tx| { tx.insert_subscription(new, MOST).await })).await? {
        return Err(Problem::conflict(format!("this tenant has {MOST} subscriptions already"))
            .next("delete one that nobody needs; one subscription can hold many types"));
    }
    api.hub.note_pace(&id, &options);
    if disabled {
        let off = Some(format!("made disabled by `{}`", who.name));
        change(&api, &who, &id, |_, change| {
            change.disabled = Some(off.clone());
            Ok(())
        })
        .await?;
    }
    note(&api, &who, "subscription.created", &id).await?;
    let mut answer = shown(&api, &who, &find(&api, &who, &id).await?)?;
    if options.signing.shares() {
        answer.insert("secret".to_owned(), endpoint.secret().into());
    }
    if !notes.is_empty() {
        answer.insert("notes".to_owned(), notes.into());
    }
    let place = format!("/v1/subscriptions/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(Value::Object(answer))).into_response())
}

/// The subscriptions that they may see, oldest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    admit(&who)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("s")?.unwrap_or_default();
    given.finish(&[])?;
    let all = who.need(Scope::Ops).is_ok();
    let filter = SubscriptionFilter {
        tenant: Some(who.tenant.clone()),
        owner: (!all).then(|| who.handle.clone()),
        after,
        limit: limit + 1,
    };
    let mut rows = api.hub.store.read(job!(|tx| { tx.subscriptions(filter).await })).await?;
    let next = Parameters::page("s", &mut rows, limit, |row| row.new.id.clone());
    let data: Result<Vec<_>, Problem> = rows.iter().map(|row| shown(&api, &who, row).map(Value::Object)).collect();
    Ok(Json(json!({ "data": data?, "next_cursor": next })))
}

/// One subscription.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    admit(&who)?;
    Ok(Json(Value::Object(shown(&api, &who, &find(&api, &who, &id).await?)?)))
}

/// Makes a change from what is there; again when somebody else was faster.
async fn change(
    api: &Api,
    who: &Principal,
    id: &str,
    mut make: impl FnMut(&Subscription, &mut SubscriptionChange) -> Result<(), Problem>,
) -> Result<(), Problem> {
    for _ in 0..RACES {
        let found = find(api, who, id).await?;
        let mut change = SubscriptionChange {
            revision: found.revision,
            types: None,
            sealed: None,
            options: None,
            disabled: None,
            by: who.handle.clone(),
            at: api.hub.clock.micros(),
        };
        make(&found, &mut change)?;
        let (tenant, id) = (found.new.tenant, found.new.id);
        if api.hub.store.write(job!(|tx| { tx.change_subscription(&tenant, &id, change).await })).await? {
            return Ok(());
        }
    }
    Err(Problem::conflict("somebody else changes this subscription all the time").next("try again"))
}

/// Changes address, types, or whether it is switched off.
pub(crate) async fn update(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, Problem> {
    admit(&who)?;
    let found = find(&api, &who, &id).await?;
    let mut body = fields(body).await?;
    let types = patterns(&mut body)?;
    let disabled = body.flag("disabled")?;
    let address = address(&api, &mut body).await?;
    let mut options = Options::read(&found.new.options);
    let before = options.clone();
    wishes::read(&api, &who, &mut body, &mut options)?;
    body.finish(&[&["url", "types", "disabled"], &wishes::NAMES[..]].concat())?;
    let wishes = options != before;
    if types.is_some() || address.is_some() || wishes {
        need_own(&who, &found)?;
    }
    if types.is_some() || address.is_some() || disabled.is_some() || wishes {
        change(&api, &who, &id, |found, change| {
            if address.is_some() || options.signing != before.signing {
                let mut endpoint = endpoint(&api, found)?;
                if let Some((address, _)) = &address {
                    endpoint.url = address.clone().into();
                }
                if options.signing.proves() {
                    endpoint.need_key();
                }
                change.sealed = Some(endpoint.seal(api.hub.store.keyring(), &found.new.tenant, &found.new.id)?);
            }
            change.options = wishes.then(|| options.write());
            change.types = types.as_ref().map(|(types, _)| types.clone());
            change.disabled = disabled.map(|off| off.then(|| format!("switched off by `{}`", who.name)));
            Ok(())
        })
        .await?;
        api.hub.note_pace(&found.new.id, &options);
        note(&api, &who, "subscription.changed", &found.new.id).await?;
    }
    let mut answer = shown(&api, &who, &find(&api, &who, &id).await?)?;
    let notes: Vec<String> = [types, address].into_iter().flatten().flat_map(|(_, notes)| notes).collect();
    if !notes.is_empty() {
        answer.insert("notes".to_owned(), notes.into());
    }
    Ok(Json(Value::Object(answer)))
}

/// Deletes a subscription with what waits for it.
pub(crate) async fn delete(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    admit(&who)?;
    let found = find(&api, &who, &id).await?;
    note(&api, &who, "subscription.deleted", &found.new.id).await?;
    let (tenant, id, now) = (found.new.tenant, found.new.id, api.hub.clock.micros());
    api.hub.store.write(job!(|tx| { tx.delete_subscription(&tenant, &id, now).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `{id}:rotate`, `{id}:test` and `{id}:replay`.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    admit(&who)?;
    match id.split_once(':') {
        Some((id, "rotate")) => rotate(&api, &who, id).await,
        Some((id, "test")) => test(&api, &who, id).await,
        Some((id, "replay")) => replays::replay(&api, who, id, body).await,
        Some((_, other)) => {
            let near = suggest(other, ["replay", "rotate", "test"]).unwrap_or_default();
            Err(Problem::not_found(format!("a subscription has no action `{other}`; {near}")))
        }
        None => Err(Problem::method_not_allowed()),
    }
}

/// Makes a new secret; the old one signs beside it for a day.
async fn rotate(api: &Api, who: &Principal, id: &str) -> Result<Response, Problem> {
    let mut made = (String::new(), 0);
    change(api, who, id, |found, change| {
        need_own(who, found)?;
        let mut endpoint = endpoint(api, found)?;
        let until = endpoint.rotate(change.at);
        made = (endpoint.secret().to_owned(), until);
        change.sealed = Some(endpoint.seal(api.hub.store.keyring(), &found.new.tenant, &found.new.id)?);
        Ok(())
    })
    .await?;
    let (secret, until) = made;
    note(api, who, "subscription.secret_changed", &id.to_lowercase()).await?;
    let mut answer = shown(api, who, &find(api, who, id).await?)?;
    if answer.get("signing").is_none_or(|signing| signing != "ed25519") {
        answer.insert("secret".to_owned(), secret.into());
    }
    answer.insert("previous_valid_until".to_owned(), rfc3339_micros(until).into());
    Ok(Json(Value::Object(answer)).into_response())
}

/// Sends it an event about itself.
async fn test(api: &Api, who: &Principal, id: &str) -> Result<Response, Problem> {
    let found = find(api, who, id).await?;
    let sent = if found.orphaned { None } else { api.hub.test_subscription(&found).await? };
    let Some((event, trace)) = sent else {
        return Err(Problem::conflict("the subscription is disabled").next("enable it: PATCH `{\"disabled\": false}`"));
    };
    let answer = json!({ "event_id": event, "trace_id": trace.id() });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}
