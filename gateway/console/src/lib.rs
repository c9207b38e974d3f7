//! The console: pages for those who run the hub, rendered on the server, in Chinese and English.
//!
//! People sign in with an API key, or with their account at a vendor; a sealed cookie that only this path sees stands
//! for it, and what they may do is looked up again with every page, so that revoking a key ends the session. Pages hold no script and work with the keyboard;
//! they show what `/v1` shows, by the same queries.

mod again;
mod imports;
mod journeys;
mod page;
mod parked;
mod portal;
mod redrives;
mod session;
mod sign_in;
mod words;

pub use session::Session;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use hub_flow::Hub;
use hub_flow::access::{ApiKeys, Denied};
use hub_flow::restricted;
use hub_payroll::out::payslip::Face;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Private, random};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest body of a form, and how long it may take to arrive.
const FORM_BYTES: usize = 256 << 10;
const FORM_WITHIN: Duration = Duration::from_secs(30);

/// Where files are brought.
const FILES: &str = "/console/imports";

/// What the pages share.
#[derive(Clone)]
pub struct Console(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) zone: TimeZone,
    /// The font that payslips are printed with.
    pub(crate) face: Option<Face>,
    tickets: Mutex<BTreeMap<String, Session>>,
    /// Codes that are being turned into people: strangers can bring any number of bad ones.
    exchanges: Semaphore,
}

/// Codes that are turned into people at once.
const EXCHANGES: usize = 8;

/// Every route of this crate and what it needs; `open` ones answer strangers.
pub const ROUTES: &[(&str, &str)] = &[
    ("/console", "session"),
    ("/console/console.css", "open"),
    ("/console/imports", "import"),
    ("/console/imports/{id}", "import, import:approve"),
    ("/console/imports/{id}/{verb}", "import, import:approve"),
    ("/console/journeys", "ops"),
    ("/console/journeys/{trace_id}", "ops"),
    ("/console/login", "open"),
    ("/console/login/{connection}", "open: leads to the vendor's page"),
    ("/console/login/{connection}/back", "open: the vendor's code is the proof, once"),
    ("/console/logout", "open"),
    ("/console/parked", "ops"),
    ("/console/parked/discard", "ops"),
    ("/console/parked/preview", "ops"),
    ("/console/parked/redrive", "ops"),
    ("/console/parked/{id}", "ops"),
    ("/console/redrives/{id}", "ops"),
    ("/console/redrives/{id}/resume", "ops"),
    ("/console/redrives/{id}/stop", "ops"),
    ("/console/ticket/{ticket}", "open: the ticket is the proof, once"),
    ("/portal/payslip", "open: whoever opened the link, for half an hour"),
    ("/portal/payslip.pdf", "open: whoever opened the link, for half an hour"),
    ("/portal/portal.css", "open"),
    ("/portal/{token}", "open: the link is the proof, once"),
];

impl Console {
    /// A console that shows times in `zone`, and prints payslips with `face`.
    #[must_use]
    pub fn new(hub: Arc<Hub>, keys: Arc<ApiKeys>, zone: TimeZone, face: Option<Face>) -> Self {
        let exchanges = Semaphore::new(EXCHANGES);
        Self(Arc::new(Shared { hub, keys, zone, face, tickets: Mutex::default(), exchanges }))
    }

    /// The address of a page that signs in whoever opens it first, as the holder of `key`.
    ///
    /// # Errors
    /// The key is not valid.
    pub async fn ticket(&self, key: &Private<String>) -> Result<String, Denied> {
        let session = Session::begin(&self.0, key.expose()).await?;
        let ticket = random::token(40);
        self.0.tickets().insert(ticket.clone(), session);
        Ok(format!("{}/console/ticket/{ticket}", self.0.hub.public_url()))
    }

    /// The pages.
    pub fn router(self) -> Router {
        Router::new()
            .route("/console", get(|| async { Redirect::to("/console/journeys") }))
            .route("/console/console.css", get(style))
            .route("/console/login", get(session::form).post(session::login))
            .route("/console/login/{connection}", get(sign_in::begin))
            .route("/console/login/{connection}/back", get(sign_in::back))
            .route("/console/logout", post(session::logout))
            .route("/console/ticket/{ticket}", get(session::ticket))
            .route("/console/imports", get(imports::list).post(imports::upload))
            .route("/console/imports/{id}", get(imports::show))
            .route("/console/imports/{id}/{verb}", get(imports::confirm).post(imports::act))
            .route("/console/journeys", get(journeys::list))
            .route("/console/journeys/{trace_id}", get(journeys::show))
            .route("/console/parked", get(parked::list))
            .route("/console/parked/discard", post(again::discard))
            .route("/console/parked/preview", get(again::preview))
            .route("/console/parked/redrive", post(again::redrive))
            .route("/console/parked/{id}", get(parked::show))
            .route("/console/redrives/{id}", get(redrives::show))
            .route("/console/redrives/{id}/resume", post(redrives::resume))
            .route("/console/redrives/{id}/stop", post(redrives::stop))
            .route("/portal/payslip", get(portal::payslip).post(portal::ask))
            .route("/portal/payslip.pdf", get(portal::printed))
            .route("/portal/portal.css", get(portal_style))
            .route("/portal/{token}", get(portal::door).post(portal::enter))
            .layer(from_fn(without_purpose))
            .layer(from_fn(guard_headers))
            .with_state(self)
    }
}

impl Shared {
    pub(crate) fn tickets(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Session>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the hub is reached over TLS.
    pub(crate) fn secure(&self) -> bool {
        self.hub.public_url().starts_with("https:")
    }
}

async fn style(State(_): State<Console>) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    ([kind], include_str!("../assets/console.css")).into_response()
}

async fn portal_style(State(_): State<Console>) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    ([kind], concat!(include_str!("../assets/console.css"), include_str!("../assets/portal.css"))).into_response()
}

/// Pages run nothing, embed nothing, are embedded nowhere, and stay in no cache.
/// A request whose body has arrived: a form is small, and nobody may hold a connection open with half of one.
async fn whole(request: Request) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(FORM_WITHIN, to_bytes(body, FORM_BYTES)).await;
    let bytes = read.map_err(|_| StatusCode::REQUEST_TIMEOUT)?.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    Ok(Request::from_parts(parts, bytes.into()))
}

/// Pages name no purpose: they show no restricted fields.
async fn without_purpose(request: Request, next: Next) -> Response {
    restricted::within(None, next.run(request)).await.0
}

async fn guard_headers(request: Request, next: Next) -> Response {
    // Browsers say where a form was sent from; another site's form must sign nobody in or out.
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let mut response = if foreign && request.method() == Method::POST {
        StatusCode::FORBIDDEN.into_response()
    } else if request.method() == Method::POST && request.uri().path() == FILES {
        // A file is large; it is read once it is known who brings it.
        next.run(request).await
    } else {
        match whole(request).await {
            Ok(request) => next.run(request).await,
            Err(status) => status.into_response(),
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
