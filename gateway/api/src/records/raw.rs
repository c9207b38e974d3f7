//! `GET /v1/<collection>/{id}/raw`: the payloads behind a record, as they were received.

use super::{class_of, entity_of, find};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::parameters;
use crate::raws::{Payload, shown, told_read};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use hub_flow::audit::Entry;
use hub_flow::records::sealed_as;
use hub_model::EntityType;
use hub_store::{RecordRow, StoreError, job};
use hub_tree::{Arena, Limits, json};
use serde::Serialize;

/// The payloads behind a record.
#[derive(Serialize)]
pub(crate) struct Behind {
    data: Vec<Payload>,
    next_cursor: Option<String>,
}

/// What is known about a record at one source.
struct Source {
    connection: String,
    remote_id: String,
    raw: String,
}

/// The newest payload of each source; with `version`, the one that made that version.
pub(crate) async fn raw(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Behind>, Problem> {
    let entity = entity_of(&collection)?;
    who.reads(entity.name)?;
    // A payload may speak of other records, and of other people.
    who.need_all_units()?;
    let allowed = who.reads_everything()?;
    let mut given = parameters(query.as_deref());
    let connection = given.take("connection");
    let version = given.take("version").map(|text| {
        let version = text.parse::<i64>().ok().filter(|version| *version > 0);
        version.ok_or_else(|| Problem::bad_parameter("version", "`version` is a whole number from 1", None))
    });
    let version = version.transpose()?;
    given.finish(&["connection", "version"])?;
    let row = find(&api, &who, entity, &id).await?;
    let row_id = row.id.clone();
    let (sources, of_version) = match version {
        None => (sources_of(&api, entity, &row)?, None),
        Some(version) => {
            let (tenant, id) = (who.tenant.clone(), row.id.clone());
            let versions = api.hub.store.read(job!(|tx| { tx.history(&tenant, entity.name, &id).await })).await?;
            let wanted = versions.into_iter().find(|known| known.version == version);
            let wanted = wanted.ok_or_else(|| Problem::not_found("the record has no such version"))?;
            (sources_of(&api, entity, &RecordRow { body: wanted.body, ..row })?, Some(wanted.raw))
        }
    };
    let is_meant = |source: &&Source| {
        let of_version = of_version.as_ref().is_none_or(|raw| raw.as_deref() == Some(source.raw.as_str()));
        of_version && connection.as_deref().is_none_or(|wanted| wanted == source.connection)
    };
    let (mut data, mut gone) = (Vec::new(), false);
    for source in sources.iter().filter(is_meant) {
        let (tenant, raw) = (who.tenant.clone(), source.raw.clone());
        match api.hub.store.read(job!(|tx| { tx.raw(&tenant, &raw).await })).await? {
            Some(raw) => {
                let mut payload = shown(&api, &raw, Some((allowed, class_of))).await?;
                payload.remote_id = Some(source.remote_id.clone());
                data.push(payload);
            }
            None => gone = true,
        }
    }
    if data.is_empty() && gone {
        return Err(Problem::gone("the payload"));
    }
    if !data.is_empty() {
        let told = Entry::by(&who, "payload.read").about(entity.name, &row_id);
        let told = data.iter().fold(told, |told, payload| told.about("raw", &payload.id));
        told_read(&api, told).await?;
    }
    Ok(Json(Behind { data, next_cursor: None }))
}

fn sources_of(api: &Api, entity: &EntityType, row: &RecordRow) -> Result<Vec<Source>, StoreError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
    let arena = Arena::new();
    let document = json::read(&arena, &opened, Limits::default());
    let document = document.map_err(|_| StoreError::Sealed("a record is no JSON"))?;
    let sources = document.get("sources").items().iter().map(|source| {
        let text = |name: &str| source.get(name).as_text().unwrap_or_default().to_owned();
        Source { connection: text("connection_id"), remote_id: text("remote_id"), raw: text("raw_ref") }
    });
    Ok(sources.collect())
}
