//! `GET /v1/<collection>`: a page of a collection.

use super::changes::{cursor_at, end_of_feed, read_cursor, told};
use super::one::unchanged;
use super::view::View;
use super::{entity_of, filter_of, json_response};
use crate::Api;
use crate::auth::Caller;
use crate::exports;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::records::{index_of, sealed_as};
use hub_model::EntityType;
use hub_store::{Page, RecordFilter, RecordRow, StoreError, job};
use hub_tree::{Arena, Limits, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Records that are looked at for one page, where those that are wanted can only be told from their documents.
const LOOKED_AT: usize = 5_000;

/// A page of a collection.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(collection) = collection.strip_suffix(":export") {
        return exports::export(&api, who, collection, query.as_deref()).await;
    }
    let entity = entity_of(&collection)?;
    let allowed = who.reads(entity.name)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let cursor = given.cursor(entity.name)?.map(|text| read_cursor(&text).ok_or_else(Parameters::bad_cursor));
    let cursor = cursor.transpose()?;
    let view = View::take(entity, allowed, &mut given)?;
    let (filter, names) = filter_of(&api, &who, entity, allowed, &mut given)?;
    given.finish(&names.into_iter().chain(View::NAMES).collect::<Vec<_>>())?;
    if filter.changed_after.is_some() && view.times.known_at.is_some() {
        let detail = "what changed since a list is told of now only";
        return Err(Problem::bad_parameter("known_at", detail, Some("leave `known_at` out".to_owned())));
    }
    // Before anything is read, so that whatever is not in these pages lies behind it.
    let place = end_of_feed(&api, &who.tenant, &filter).await?;
    let (place, after) = cursor.unwrap_or((place, String::new()));
    let wanted = Wanted { api: &api, tenant: &who.tenant, entity, view: &view, filter: &filter };
    let (rows, next) = wanted.page(after, limit).await?;
    let beside = view.beside(&api, &who, &rows).await?;
    let arena = Arena::new();
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        data.push(view.shown(&api, row, &beside, &arena)?);
    }
    let data = arena.list(&data);
    let next = next.map(|id| Parameters::cursor_of(entity.name, &cursor_at(place, &id)));
    let digest = Sha256::digest(format!("{}\n{}", json::to_string(&data), next.is_some()));
    let tag = format!("W/\"{}\"", hex::encode(&digest[..12]));
    let next = next.map_or(Value::Null, |next| Value::Text(arena.text(&next)));
    let mut response = if unchanged(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let since = Value::Text(arena.text(&told(place)));
        let body = arena.map(&[("data", data), ("next_cursor", next), ("next_updated_after", since)]);
        json_response(StatusCode::OK, &body)
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The records that a list is about.
pub(crate) struct Wanted<'w> {
    pub(crate) api: &'w Api,
    pub(crate) tenant: &'w str,
    pub(crate) entity: &'static EntityType,
    pub(crate) view: &'w View,
    pub(crate) filter: &'w RecordFilter,
}

impl Wanted<'_> {
    /// Records behind an id, and the id behind which the next page begins, if there is one. A page may be short where
    /// records have to be looked at one by one.
    pub(crate) async fn page(
        &self,
        mut after: String,
        limit: i64,
    ) -> Result<(Vec<RecordRow>, Option<String>), StoreError> {
        let times = self.view.times;
        let most = usize::try_from(limit).unwrap_or(0);
        let (mut kept, mut looked) = (Vec::new(), 0);
        loop {
            let page = Page { after: after.clone(), limit: limit + 1 };
            let rows = self.read(page).await?;
            let end = rows.len() <= most;
            looked += rows.len();
            if let Some(last) = rows.last() {
                after.clone_from(&last.id);
            }
            if times.known_at.is_none() && !times.choose(self.entity) {
                kept = rows;
            } else {
                for row in self.visible(rows).await? {
                    kept.extend(self.chosen(row)?);
                }
            }
            if kept.len() > most {
                kept.truncate(most);
                let last = kept.last().map(|row| row.id.clone());
                return Ok((kept, last));
            }
            if end {
                return Ok((kept, None));
            }
            if looked >= LOOKED_AT {
                return Ok((kept, Some(after)));
            }
        }
    }

    async fn read(&self, page: Page) -> Result<Vec<RecordRow>, StoreError> {
        let (tenant, name, filter) = (self.tenant.to_owned(), self.entity.name, self.filter.clone());
        let known_at = self.view.times.known_at;
        let rows = self.api.hub.store.read(job!(|tx| {
            match known_at {
                Some(at) => tx.records_known(&tenant, name, at, page).await,
                None => tx.records(&tenant, name, filter, page).await,
            }
        }));
        rows.await
    }

    /// Those that the caller may know of; lists of now are limited by the filter already.
    async fn visible(&self, mut rows: Vec<RecordRow>) -> Result<Vec<RecordRow>, StoreError> {
        let limit = self.filter.within.clone().filter(|_| self.view.times.known_at.is_some());
        let Some(within) = limit else { return Ok(rows) };
        let (tenant, name) = (self.tenant.to_owned(), self.entity.name);
        let ids: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        let seen = self.api.hub.store.read(job!(|tx| { tx.records_within(&tenant, name, &within, ids).await })).await?;
        rows.retain(|row| seen.contains(&row.id));
        Ok(rows)
    }

    /// A record, if its document is wanted. What was known at a time is found by nothing else.
    fn chosen(&self, row: RecordRow) -> Result<Option<RecordRow>, StoreError> {
        let opened = self.api.hub.open(self.tenant, &sealed_as(self.entity.name, &row.id), &row.body.0)?;
        let arena = Arena::new();
        let document = json::read(&arena, &opened, Limits::default());
        let document = document.map_err(|_| StoreError::Sealed("a record is no JSON"))?;
        let fits = self.view.times.holds(self.entity, document)
            && (self.view.times.known_at.is_none() || self.fits(&row, document, &opened)?);
        Ok(fits.then_some(row))
    }

    /// Whether a former version is one that the filter asks for.
    fn fits(&self, row: &RecordRow, document: Value<'_>, opened: &[u8]) -> Result<bool, StoreError> {
        let filter = self.filter;
        let text = |source: &Value<'_>, name: &str| source.get(name).as_text().map(str::to_owned);
        let of = |connection: &String, remote_id: Option<&String>| {
            document.get("sources").items().iter().any(|source| {
                text(source, "connection_id").as_ref() == Some(connection)
                    && remote_id.is_none_or(|wanted| text(source, "remote_id").as_ref() == Some(wanted))
            })
        };
        let there = filter.include_deleted || document.get("deleted_at").is_absent();
        let fed = filter.connection.as_ref().is_none_or(|connection| of(connection, None))
            && filter.remote.as_ref().is_none_or(|(connection, id)| of(connection, Some(id)));
        let new = filter.updated_after.is_none_or(|after| row.updated_at > after);
        if !(there && fed && new) || filter.equals.is_empty() {
            return Ok(there && fed && new);
        }
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in &filter.equals {
            wanted.entry(&entry.field).or_default().insert(&entry.value);
        }
        let index = index_of(&self.api.hub, self.tenant, self.entity, opened)?;
        Ok(wanted.iter().all(|(field, values)| {
            index.iter().any(|entry| entry.field == *field && values.contains(entry.value.as_str()))
        }))
    }
}
