//! The unified API, and the ports where vendors knock.
//!
//! `/hooks/{connection}` takes webhooks in, `/soap/{connection}` SOAP messages; `/v1/<collection>` serves every entity of the model through one generic
//! implementation; `/v1/journeys`, `/v1/parked` and `/v1/connections` serve those who run the hub. Errors are RFC 9457
//! problems with a stable `code` and what to do. [`ROUTES`] lists everything that is served.

mod auth;
mod body;
mod connections;
mod current;
mod exports;
mod hooks;
mod imports;
mod journeys;
mod outgoing;
pub mod parked;
mod passthrough;
mod polls;
mod problem;
mod records;
pub mod redrives;
mod soap;
mod status;
mod subscriptions;

pub use problem::Problem;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use hub_flow::Hub;
use hub_flow::access::ApiKeys;
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
}

/// Every route of this crate and what it needs; `open` ones answer strangers.
pub const ROUTES: &[(&str, &str)] = &[
    ("/healthz", "open"),
    ("/hooks/{connection}", "open: the vendor's proof is checked"),
    ("/metrics", "open"),
    ("/readyz", "open"),
    ("/soap/{connection}", "open: the caller's proof is checked; with ?wsdl, the description"),
    ("/v1/connections", "ops"),
    ("/v1/connections/{id}", "ops"),
    ("/v1/connections/{id}/polls", "ops"),
    ("/v1/connections/{id}/polls/{poll}", "ops"),
    ("/v1/imports", "import"),
    ("/v1/imports/{id}", "import, import:approve"),
    ("/v1/imports/{id}/comparison", "import, import:approve"),
    ("/v1/imports/{id}/records", "import, import:approve"),
    ("/v1/imports/{id}/report.xlsx", "import, import:approve"),
    ("/v1/imports/{id}/rows", "import, import:approve"),
    ("/v1/journeys", "ops"),
    ("/v1/journeys/{trace_id}", "ops"),
    ("/v1/parked", "ops"),
    ("/v1/parked/groups", "ops"),
    ("/v1/parked/{id}", "ops"),
    ("/v1/parked:discard", "ops"),
    ("/v1/parked:preview", "ops"),
    ("/v1/parked:redrive", "ops"),
    ("/v1/passthrough/{connection}/{operation}", "passthrough"),
    ("/v1/redrives", "ops"),
    ("/v1/redrives/{id}", "ops"),
    ("/v1/replays", "ops"),
    ("/v1/replays:preview", "ops"),
    ("/v1/subscriptions", "read:structure"),
    ("/v1/subscriptions/{id}", "read:structure"),
    ("/v1/subscriptions/{id}/deliveries", "read:structure"),
    ("/v1/{collection}", "read, write"),
    ("/v1/{collection}/{id}", "read, write"),
    ("/v1/{collection}/{id}/explain", "read"),
    ("/v1/{collection}/{id}/history", "read"),
];

/// The router of the API; of a worker, which only monitoring asks, the first three routes.
pub fn router(api: Api) -> Router {
    let router = Router::new()
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics));
    let router = if api.hub.role.serves() { router.merge(requests()) } else { router };
    router
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(api.clone(), count))
        .with_state(api)
}

/// What vendors, programs and people ask for.
fn requests() -> Router<Api> {
    Router::new()
        .route("/hooks/{connection}", any(hooks::receive))
        .route("/soap/{connection}", get(soap::describe).post(soap::receive))
        .route("/v1/connections", get(connections::list))
        .route("/v1/connections/{id}", get(connections::show).post(connections::act))
        .route("/v1/connections/{id}/polls", get(polls::list))
        .route("/v1/connections/{id}/polls/{poll}", post(polls::run))
        .route("/v1/imports", get(imports::list).post(imports::create))
        .route("/v1/imports/{id}", get(imports::show).post(imports::act))
        .route("/v1/imports/{id}/comparison", get(imports::comparison))
        .route("/v1/imports/{id}/records", get(imports::records))
        .route("/v1/imports/{id}/report.xlsx", get(imports::report))
        .route("/v1/imports/{id}/rows", get(imports::rows))
        .route("/v1/journeys", get(journeys::list))
        .route("/v1/journeys/{trace_id}", get(journeys::show))
        .route("/v1/parked", get(parked::list))
        .route("/v1/parked/groups", get(parked::groups))
        .route("/v1/parked/{id}", get(parked::show))
        .route("/v1/parked:discard", post(parked::discard))
        .route("/v1/parked:preview", post(parked::preview))
        .route("/v1/parked:redrive", post(parked::redrive))
        .route("/v1/passthrough/{connection}/{operation}", post(passthrough::call))
        .route("/v1/redrives", get(redrives::list))
        .route("/v1/redrives/{id}", get(redrives::show).post(redrives::turn))
        .route("/v1/replays", post(redrives::replay))
        .route("/v1/replays:preview", post(redrives::preview))
        .route("/v1/subscriptions", get(subscriptions::list).post(subscriptions::create))
        .route(
            "/v1/subscriptions/{id}",
            get(subscriptions::show)
                .post(subscriptions::act)
                .patch(subscriptions::update)
                .delete(subscriptions::delete),
        )
        .route("/v1/subscriptions/{id}/deliveries", get(subscriptions::deliveries))
        .route("/v1/{collection}", get(records::list).post(outgoing::create))
        .route("/v1/{collection}/{id}", get(records::show).patch(outgoing::update).post(outgoing::act))
        .route("/v1/{collection}/{id}/explain", get(records::explain))
        .route("/v1/{collection}/{id}/history", get(records::history))
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
