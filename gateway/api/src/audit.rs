//! `/v1/audit`: who did what. It is read with the scope `audit`, which opens nothing else.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use hub_flow::access::Scope;
use hub_flow::audit::{Entry, entry_json};
use hub_store::{AuditFilter, AuditRow, StoreError, job};
use hub_tree::jiff::Timestamp;
use serde_json::{Value, json};
use std::io;

/// Parameters of the list and of the export.
const NAMES: &[&str] = &["who", "action", "about", "after", "before"];
/// Entries that an export reads at once.
const PAGE: i64 = 500;

fn filter_of(given: &mut Parameters) -> Result<AuditFilter, Problem> {
    let mut instant = |name: &str| {
        let Some(text) = given.take(name) else { return Ok(None) };
        let at = text.parse::<Timestamp>().map(Timestamp::as_microsecond);
        at.map(Some).map_err(|_| Problem::bad_parameter(name, format!("`{name}` is an RFC 3339 time"), None))
    };
    let (since, until) = (instant("after")?, instant("before")?);
    let (who, action, about) = (given.take("who"), given.take("action"), given.take("about"));
    Ok(AuditFilter { who, action, about, since, until, ..AuditFilter::default() })
}

fn shown(api: &Api, tenant: &str, row: &AuditRow) -> Result<Value, StoreError> {
    Ok(entry_json(tenant, row, &row.open(api.hub.store.keyring(), tenant)?))
}

/// The newest entries; by `who`, `action`, `about=kind/id`, `after` and `before`.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    who.need(Scope::Audit)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let behind = given.cursor("audit")?.map(|text| AuditRow::read_place(&text).ok_or_else(Parameters::bad_cursor));
    let filter = AuditFilter { behind: behind.transpose()?, ..filter_of(&mut given)? };
    given.finish(NAMES)?;
    let tenant = who.tenant.clone();
    let mut rows = api.hub.store.read(job!(|tx| { tx.audit(&tenant, filter, limit + 1).await })).await?;
    let next = Parameters::page("audit", &mut rows, limit, AuditRow::place);
    let data: Result<Vec<Value>, StoreError> = rows.iter().map(|row| shown(&api, &who.tenant, row)).collect();
    Ok(Json(json!({ "data": data?, "next_cursor": next })))
}

/// All entries that fit, oldest first, one JSON object a line. That it was taken is an entry itself.
pub(crate) async fn export(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    who.need(Scope::Audit)?;
    let mut given = parameters(query.as_deref());
    let filter = AuditFilter { oldest_first: true, ..filter_of(&mut given)? };
    given.finish(NAMES)?;
    // Entries that are written from now on are not part of it: else it would not end while others work.
    let now = api.hub.clock.micros() + 1;
    let filter = AuditFilter { until: Some(filter.until.unwrap_or(now).min(now)), ..filter };
    api.hub.audit(Entry::by(&who, "audit.exported")).await?;
    let pages = stream::unfold(Some(filter), move |filter| {
        let (api, tenant) = (api.clone(), who.tenant.clone());
        async move {
            let mut filter = filter?;
            let (owner, wanted) = (tenant.clone(), filter.clone());
            let read = api.hub.store.read(job!(|tx| { tx.audit(&owner, wanted, PAGE).await })).await;
            let text = read.and_then(|rows| {
                let mut text = String::new();
                for row in &rows {
                    text.push_str(&shown(&api, &tenant, row)?.to_string());
                    text.push('\n');
                }
                Ok((text, rows.last().and_then(|row| AuditRow::read_place(&row.place()))))
            });
            match text {
                Ok((_, None)) => None,
                Ok((text, behind)) => {
                    filter.behind = behind;
                    Some((Ok(Bytes::from(text)), Some(filter)))
                }
                Err(error) => {
                    tracing::warn!(error = %error, "an export of the audit log breaks off");
                    Some((Err(io::Error::other("the store does not answer")), None))
                }
            }
        }
    });
    let head = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((head, Body::from_stream(pages)).into_response())
}
