//! The unified API, and the ports where vendors knock.
//!
//! `/hooks/{connection}` takes webhooks in, `/soap/{connection}` SOAP messages; `/v1/<collection>` serves every entity of the model through one generic
//! implementation; `/v1/journeys`, `/v1/parked` and `/v1/connections` serve those who run the hub. Errors are RFC 9457
//! problems with a stable `code` and what to do. [`ROUTES`] lists everything that is served.

mod apps;
mod audit;
mod auth;
mod batch;
mod batches;
mod body;
mod connections;
mod current;
mod decisions;
pub mod deprecation;
mod docs;
mod events;
mod exports;
mod hooks;
mod idempotency;
mod identity;
mod imports;
mod journeys;
pub mod limits;
mod oauth;
mod operations;
mod outgoing;
pub mod parked;
mod passthrough;
mod payout;
mod payroll;
mod polls;
mod portraits;
mod presets;
mod problem;
mod query;
mod raws;
mod records;
pub mod redrives;
mod reports;
mod requirements;
mod restricted;
mod scim;
mod services;
mod soap;
pub mod spec;
mod status;
mod subscriptions;
mod writes;
mod xapi;

pub use problem::Problem;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use hub_flow::Hub;
use hub_flow::access::ApiKeys;
use hub_service::presets::Presets;
use hub_service::{PayoutFiles, PortraitModels};
use hub_tree::jiff::tz::TimeZone;
use std::sync::Arc;

/// What every handler shares.
#[derive(Clone)]
pub struct Api {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Who may call.
    pub keys: Arc<ApiKeys>,
    /// Whose day counts as today.
    pub zone: TimeZone,
    /// How files for banks and journals are written.
    pub payout: Arc<PayoutFiles>,
    /// How people in industries usually work.
    pub presets: Arc<Presets>,
    /// What portraits call a strength, and their tags.
    pub portraits: Arc<PortraitModels>,
}

/// Every route of this crate and what it needs; `open` ones answer strangers.
pub const ROUTES: &[(&str, &str)] = &[
    ("/.well-known/jwks.json", "open"),
    ("/.well-known/oauth-authorization-server", "open"),
    ("/docs", "open"),
    ("/docs/docs.css", "open"),
    ("/docs/docs.js", "open"),
    ("/docs/guides/{name}", "open"),
    ("/docs/problems/{code}", "open"),
    ("/healthz", "open"),
    ("/hooks/{connection}", "open: the vendor's proof is checked"),
    ("/llms.txt", "open"),
    ("/metrics", "open"),
    ("/oauth/token", "open: the app's secret is checked"),
    ("/openapi.json", "open"),
    ("/readyz", "open"),
    ("/scim/v2/.search", "read"),
    ("/scim/v2/Groups", "read, write"),
    ("/scim/v2/Groups/.search", "read"),
    ("/scim/v2/Groups/{id}", "read, write"),
    ("/scim/v2/ResourceTypes", "read"),
    ("/scim/v2/Schemas", "read"),
    ("/scim/v2/ServiceProviderConfig", "read"),
    ("/scim/v2/Users", "read, write"),
    ("/scim/v2/Users/.search", "read"),
    ("/scim/v2/Users/{id}", "read, write"),
    ("/scim/v2/{*rest}", "read"),
    ("/soap/{connection}", "open: the caller's proof is checked; with ?wsdl, the description"),
    ("/v1/apps", "admin"),
    ("/v1/apps/{id}", "admin"),
    ("/v1/apps/{id}/keys", "admin"),
    ("/v1/apps/{id}/keys/{key}", "admin"),
    ("/v1/audit", "audit"),
    ("/v1/audit:export", "audit"),
    ("/v1/batch", "read, write: what its requests need"),
    ("/v1/batches", "own, ops"),
    ("/v1/batches/{id}", "own, write, ops"),
    ("/v1/batches/{id}/items", "own, ops"),
    ("/v1/connections", "ops"),
    ("/v1/connections/{id}", "ops"),
    ("/v1/connections/{id}/polls", "ops"),
    ("/v1/connections/{id}/polls/{poll}", "ops"),
    ("/v1/connections/{id}/requirements/{entity}", "write"),
    ("/v1/decision-requests", "read"),
    ("/v1/events", "read:structure, ops"),
    ("/v1/identity-links", "read, write"),
    ("/v1/identity-links/{id}", "read, write"),
    ("/v1/imports", "import"),
    ("/v1/imports/{id}", "import, import:approve"),
    ("/v1/imports/{id}/comparison", "import, import:approve"),
    ("/v1/imports/{id}/records", "import, import:approve"),
    ("/v1/imports/{id}/report.xlsx", "import, import:approve"),
    ("/v1/imports/{id}/rows", "import, import:approve"),
    ("/v1/journeys", "ops"),
    ("/v1/journeys/{trace_id}", "ops"),
    ("/v1/me", "any key"),
    ("/v1/operations", "own, ops"),
    ("/v1/operations/{id}", "own, ops"),
    ("/v1/parked", "ops"),
    ("/v1/parked/groups", "ops"),
    ("/v1/parked/{id}", "ops"),
    ("/v1/parked:discard", "ops"),
    ("/v1/parked:preview", "ops"),
    ("/v1/parked:redrive", "ops"),
    ("/v1/passthrough/{connection}/{operation}", "passthrough"),
    ("/v1/presets", "any key"),
    ("/v1/presets/{name}", "any key"),
    ("/v1/raws", "ops"),
    ("/v1/raws/{id}", "ops, read"),
    ("/v1/redrives", "ops"),
    ("/v1/redrives/{id}", "ops"),
    ("/v1/replays", "ops"),
    ("/v1/replays:preview", "ops"),
    ("/v1/reports", "any key"),
    ("/v1/reports/{name}", "read, audit"),
    ("/v1/services", "any key"),
    ("/v1/services/{service}", "any key"),
    ("/v1/subscriptions", "read:structure"),
    ("/v1/subscriptions/{id}", "read:structure"),
    ("/v1/subscriptions/{id}/deliveries", "read:structure"),
    ("/v1/subscriptions/{id}/deliveries/{delivery}", "read:structure"),
    ("/v1/subscriptions/{id}/deliveries/{delivery}/attempts", "read:structure"),
    ("/v1/{collection}", "read, write"),
    ("/v1/{collection}/{id}", "read, write, pay:approve"),
    ("/v1/{collection}/{id}/bank-file", "pay:approve, read:restricted"),
    ("/v1/{collection}/{id}/delivery", "read"),
    ("/v1/{collection}/{id}/explain", "read"),
    ("/v1/{collection}/{id}/history", "read"),
    ("/v1/{collection}/{id}/journal", "read"),
    ("/v1/{collection}/{id}/ledger", "read"),
    ("/v1/{collection}/{id}/pdf", "read:restricted"),
    ("/v1/{collection}/{id}/portrait", "read"),
    ("/v1/{collection}/{id}/raw", "read"),
    ("/v1/{collection}/{id}/tax-file", "read:restricted"),
    ("/v1/{collection}/{id}/identities", "read"),
    ("/v1/{collection}/{id}/variance", "read"),
    ("/xapi/{connection}/about", "open"),
    ("/xapi/{connection}/statements", "open: the caller's proof is checked"),
];

/// The router of the API; of a worker, which only monitoring asks, the first three routes.
pub fn router(api: Api) -> Router {
    let router = Router::new()
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics));
    if !api.hub.role.serves() {
        return watched(router.fallback(nothing_here), api);
    }
    // The requests of a batch go where all others go, but to no batch.
    let once = || from_fn_with_state(api.clone(), idempotency::once);
    let inner = batch::Inner(finished(requests().layer(once()), api.clone()));
    let batches = Router::new().route("/v1/batch", post(batch::run)).layer(Extension(inner));
    finished(router.merge(requests().merge(batches).layer(once())), api)
}

/// Routes, and what is answered where there is none.
fn finished(router: Router<Api>, api: Api) -> Router {
    let router = router.fallback(nothing_here).method_not_allowed_fallback(other_method);
    watched(router.layer(from_fn(methods)), api)
}

/// What is done with every answer.
fn watched(router: Router<Api>, api: Api) -> Router {
    router
        .layer(from_fn_with_state(api.clone(), restricted::told))
        .layer(from_fn(deprecation::told))
        .layer(from_fn_with_state(api.clone(), count))
        .with_state(api)
}

async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address")
}

/// What an address answers to `OPTIONS`, and to methods that it does not know.
async fn other_method(method: Method) -> Response {
    match method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => Problem::method_not_allowed().into_response(),
    }
}

/// Names the methods that this very address knows where another was asked for; the description tells them, where it
/// does not, the router has named those of the route. A handler that serves many addresses need not know them.
async fn methods(request: Request, next: Next) -> Response {
    let (method, address) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let other = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => true,
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => {
            let known = spec::methods_of(&address);
            !known.is_empty() && !known.contains(&method.as_str())
        }
        _ => method == Method::OPTIONS,
    };
    if !other {
        return response;
    }
    if response.status().is_client_error() && response.status() != StatusCode::METHOD_NOT_ALLOWED {
        response = Problem::method_not_allowed().into_response();
    }
    let known = spec::methods_of(&address).join(", ");
    if let Some(known) = HeaderValue::from_str(&known).ok().filter(|known| !known.is_empty()) {
        response.headers_mut().insert(ALLOW, known);
    }
    response
}

/// What vendors, programs and people ask for.
fn requests() -> Router<Api> {
    Router::new()
        .route("/.well-known/jwks.json", get(oauth::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata))
        .merge(scim::router())
        .route("/hooks/{connection}", any(hooks::receive))
        .route("/docs", get(docs::reference))
        .route("/docs/docs.css", get(docs::style))
        .route("/docs/docs.js", get(docs::script))
        .route("/docs/guides/{name}", get(docs::guide))
        .route("/docs/problems/{code}", get(docs::problem))
        .route("/llms.txt", get(docs::index))
        .route("/oauth/token", post(oauth::token))
        .route("/openapi.json", get(docs::openapi))
        .route("/soap/{connection}", get(soap::describe).post(soap::receive))
        .route("/xapi/{connection}/about", get(xapi::about))
        .route("/xapi/{connection}/statements", get(xapi::show).post(xapi::take).put(xapi::take))
        .route("/v1/apps", get(apps::list).post(apps::create))
        .route("/v1/apps/{id}", get(apps::show).post(apps::act).patch(apps::update).delete(apps::delete))
        .route("/v1/apps/{id}/keys", get(apps::keys))
        .route("/v1/apps/{id}/keys/{key}", post(apps::act_on_key))
        .route("/v1/audit", get(audit::list))
        .route("/v1/audit:export", get(audit::export))
        .route("/v1/batches", get(batches::list))
        .route("/v1/batches/{id}", get(batches::show).post(batches::act))
        .route("/v1/batches/{id}/items", get(batches::items))
        .route("/v1/connections", get(connections::list))
        .route("/v1/connections/{id}", get(connections::show).post(connections::act))
        .route("/v1/connections/{id}/polls", get(polls::list))
        .route("/v1/connections/{id}/polls/{poll}", post(polls::run))
        .route("/v1/connections/{id}/requirements/{entity}", get(requirements::show))
        .route("/v1/decision-requests", get(decisions::list))
        .route("/v1/events", get(events::list))
        .route("/v1/identity-links", get(identity::list).post(identity::create))
        .route("/v1/identity-links/{id}", get(identity::show).post(identity::act))
        .route("/v1/imports", get(imports::list).post(imports::create))
        .route("/v1/imports/{id}", get(imports::show).post(imports::act))
        .route("/v1/imports/{id}/comparison", get(imports::comparison))
        .route("/v1/imports/{id}/records", get(imports::records))
        .route("/v1/imports/{id}/report.xlsx", get(imports::report))
        .route("/v1/imports/{id}/rows", get(imports::rows))
        .route("/v1/journeys", get(journeys::list))
        .route("/v1/journeys/{trace_id}", get(journeys::show))
        .route("/v1/me", get(apps::me))
        .route("/v1/operations", get(operations::list))
        .route("/v1/operations/{id}", get(operations::show))
        .route("/v1/parked", get(parked::list))
        .route("/v1/parked/groups", get(parked::groups))
        .route("/v1/parked/{id}", get(parked::show))
        .route("/v1/parked:discard", post(parked::discard))
        .route("/v1/parked:preview", post(parked::preview))
        .route("/v1/parked:redrive", post(parked::redrive))
        .route("/v1/passthrough/{connection}/{operation}", post(passthrough::call))
        .route("/v1/raws", get(raws::list))
        .route("/v1/raws/{id}", get(raws::show))
        .route("/v1/redrives", get(redrives::list))
        .route("/v1/redrives/{id}", get(redrives::show).post(redrives::turn))
        .route("/v1/replays", post(redrives::replay))
        .route("/v1/replays:preview", post(redrives::preview))
        .route("/v1/presets", get(presets::list))
        .route("/v1/presets/{name}", get(presets::show))
        .route("/v1/reports", get(reports::list))
        .route("/v1/reports/{name}", get(reports::show))
        .route("/v1/services", get(services::list))
        .route("/v1/services/{service}", post(services::calculate))
        .route("/v1/subscriptions", get(subscriptions::list).post(subscriptions::create))
        .route(
            "/v1/subscriptions/{id}",
            get(subscriptions::show)
                .post(subscriptions::act)
                .patch(subscriptions::update)
                .delete(subscriptions::delete),
        )
        .route("/v1/subscriptions/{id}/deliveries", get(subscriptions::deliveries::list))
        .route("/v1/subscriptions/{id}/deliveries/{delivery}", post(subscriptions::deliveries::retry))
        .route("/v1/subscriptions/{id}/deliveries/{delivery}/attempts", get(subscriptions::deliveries::attempts))
        .route("/v1/{collection}", get(records::list).post(writes::create))
        .route(
            "/v1/{collection}/{id}",
            get(records::show).patch(writes::update).post(writes::act).delete(writes::delete),
        )
        .route("/v1/{collection}/{id}/bank-file", get(payout::bank))
        .route("/v1/{collection}/{id}/delivery", get(payroll::deliver::delivery))
        .route("/v1/{collection}/{id}/explain", get(records::explain))
        .route("/v1/{collection}/{id}/history", get(records::history))
        .route("/v1/{collection}/{id}/journal", get(payout::journal))
        .route("/v1/{collection}/{id}/ledger", get(decisions::ledger))
        .route("/v1/{collection}/{id}/pdf", get(payout::print::pdf))
        .route("/v1/{collection}/{id}/portrait", get(portraits::show))
        .route("/v1/{collection}/{id}/raw", get(records::raw))
        .route("/v1/{collection}/{id}/tax-file", get(payout::tax))
        .route("/v1/{collection}/{id}/identities", get(identity::identities))
        .route("/v1/{collection}/{id}/variance", get(payroll::variance))
}

/// What the framework itself refuses (a path that is no UTF-8 …) is a problem like all others.
fn as_problem(response: Response) -> Response {
    let plain = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if response.status() == StatusCode::BAD_REQUEST && plain {
        return Problem::malformed("the path or the query cannot be read").into_response();
    }
    response
}

/// Counts requests by route, not by address: addresses hold ids.
async fn count(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = if request.uri().path_and_query().is_some_and(|address| address.as_str().contains("%00")) {
        // No store could hold it, and PostgreSQL refuses to be asked for it.
        Problem::malformed("the address holds a NUL").into_response()
    } else {
        as_problem(next.run(request).await)
    };
    api.hub.metrics.request(&route, response.status().as_u16());
    response
}
