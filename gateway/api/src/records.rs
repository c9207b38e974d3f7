//! `/v1/<collection>`: every entity of the model through one implementation.

use crate::Api;
use crate::auth::Caller;
use crate::current;
use crate::exports;
use crate::imports;
use crate::problem::Problem;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_flow::access::Principal;
use hub_flow::explain::{NoExplanation, pointer_of};
use hub_flow::records::{index_entry, sealed_as};
use hub_model::{Class, EntityType, Type, mask};
use hub_store::{Page, RecordFilter, RecordRow, StoreError, job};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Id, Limits, Value, json};
use serde::Serialize;
use serde_json::value::RawValue;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 500;

/// The parameters of a list; each is taken once, and what nobody takes is an error.
pub(crate) struct Parameters(Vec<(String, String)>);

/// Reads the query of an address.
pub(crate) fn parameters(query: Option<&str>) -> Parameters {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    Parameters(pairs.map(|(k, v)| (k.into_owned(), v.into_owned())).collect())
}

impl Parameters {
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    pub(crate) fn limit(&mut self) -> Result<i64, Problem> {
        let Some(text) = self.take("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse::<i64>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| {
            Problem::bad_parameter("limit", format!("`limit` is a whole number from 1 to {MAX_LIMIT}"), None)
        })
    }

    /// A cursor of this kind of list; cursors are opaque, and only those that were given out are taken.
    pub(crate) fn cursor(&mut self, kind: &str) -> Result<Option<String>, Problem> {
        let Some(text) = self.take("cursor") else { return Ok(None) };
        let decoded = URL_SAFE_NO_PAD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = decoded.as_deref().and_then(|text| text.strip_prefix(kind)?.strip_prefix('\0'));
        let place = place.filter(|place| !place.contains('\0'));
        place.map(|place| Some(place.to_owned())).ok_or_else(Self::bad_cursor)
    }

    /// Cuts a list, of which one row more than `limit` was asked for, to its page; gives the cursor of the next one.
    pub(crate) fn page<T>(kind: &str, rows: &mut Vec<T>, limit: i64, place: impl Fn(&T) -> String) -> Option<String> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more)?;
        Some(URL_SAFE_NO_PAD.encode(format!("{kind}\0{}", place(last))))
    }

    pub(crate) fn bad_cursor() -> Problem {
        let next = "take `next_cursor` of the page before, as it is".to_owned();
        Problem::bad_parameter("cursor", "this cursor was not given out for this list", Some(next))
    }

    fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad_parameter(name, format!("`{name}` is true or false"), None)),
        }
    }

    /// Refuses what is left.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, _)) = self.0.into_iter().next() else { return Ok(()) };
        let all: Vec<&str> = known.iter().copied().chain(["limit", "cursor"]).collect();
        let detail = format!("unknown parameter `{name}`");
        Err(Problem::bad_parameter(&name, detail, suggest(&name, all.iter().copied())))
    }
}

pub(crate) fn entity_of(collection: &str) -> Result<&'static EntityType, Problem> {
    hub_model::collection(collection).ok_or_else(|| {
        let known = hub_model::ENTITIES.iter().map(|entity| entity.collection);
        let hint = suggest(collection, known).map(|hint| format!("; {hint}")).unwrap_or_default();
        Problem::not_found(format!("there is no collection `{collection}`{hint}"))
    })
}

/// A stored record as the caller may see it.
pub(crate) fn seen<'a>(
    api: &Api,
    entity: &EntityType,
    row: &RecordRow,
    current: Option<&str>,
    arena: &'a Arena,
    allowed: Class,
) -> Result<Value<'a>, StoreError> {
    let opened = api.hub.open(&row.tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
    let document = json::read(arena, arena.bytes(&opened), Limits::default());
    let mut document = document.map_err(|_| StoreError::Sealed("a record is no JSON"))?;
    if let Some(Ok(current)) = current.map(|text| json::read(arena, arena.bytes(text.as_bytes()), Limits::default())) {
        document = arena.map(&[document.entries(), &[("current", current)]].concat());
    }
    let (seen, masked) = mask::mask(arena, entity, document, allowed);
    if masked.is_empty() {
        return Ok(seen);
    }
    let masked: Vec<Value<'a>> = masked.iter().map(|pointer| Value::Text(arena.text(pointer))).collect();
    let mut entries = seen.entries().to_vec();
    entries.push(("masked", arena.list(&masked)));
    Ok(arena.map(&entries))
}

fn json_response(status: StatusCode, value: &Value<'_>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json::to_string(value)).into_response()
}

/// A page of a collection.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    if let Some(collection) = collection.strip_suffix(":export") {
        return exports::export(&api, who, collection, query.as_deref()).await;
    }
    let entity = entity_of(&collection)?;
    let allowed = who.readable()?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor(entity.name)?.unwrap_or_default();
    let (filter, names) = filter_of(&api, &who, entity, allowed, &mut given)?;
    given.finish(&names)?;
    let (tenant, page) = (who.tenant, Page { after, limit: limit + 1 });
    let mut rows = api.hub.store.read(job!(|tx| { tx.records(&tenant, entity.name, filter, page).await })).await?;
    let next = Parameters::page(entity.name, &mut rows, limit, |row| row.id.clone());
    let current = current::jobs(&api, entity, &rows).await?;
    let arena = Arena::new();
    let mut data = Vec::with_capacity(rows.len());
    for row in &rows {
        data.push(seen(&api, entity, row, current.get(&row.id).map(String::as_str), &arena, allowed)?);
    }
    let next = next.map_or(Value::Null, |next| Value::Text(arena.text(&next)));
    Ok(json_response(StatusCode::OK, &arena.map(&[("data", arena.list(&data)), ("next_cursor", next)])))
}

/// Which records a list is about, by its parameters; with the names of those that it knows.
pub(crate) fn filter_of(
    api: &Api,
    who: &Principal,
    entity: &'static EntityType,
    allowed: Class,
    given: &mut Parameters,
) -> Result<(RecordFilter, Vec<&'static str>), Problem> {
    let mut filter = RecordFilter { include_deleted: given.flag("include_deleted")?, ..RecordFilter::default() };
    let (connection, remote_id) = (given.take("connection"), given.take("remote_id"));
    match (connection, remote_id) {
        (Some(connection), Some(remote_id)) => filter.remote = Some((connection, remote_id)),
        (None, Some(_)) => {
            let next = "add `connection=<id>`".to_owned();
            let detail = "a `remote_id` means something only together with its `connection`";
            return Err(Problem::bad_parameter("remote_id", detail, Some(next)));
        }
        (connection, None) => filter.connection = connection,
    }
    if let Some(text) = given.take("updated_after") {
        let at = text.parse::<hub_tree::jiff::Timestamp>();
        let at =
            at.map_err(|_| Problem::bad_parameter("updated_after", "`updated_after` is an RFC 3339 time", None))?;
        filter.updated_after = Some(at.as_microsecond());
    }
    let indexed: Vec<_> = entity.fields.iter().filter(|field| field.indexed && field.class <= allowed).collect();
    for field in &indexed {
        if let Some(value) = given.take(field.name) {
            if let Type::Enum(of) = field.ty
                && !of.values.contains(&value.as_str())
            {
                let detail = format!("`{}` has no value `{value}`", field.name);
                return Err(Problem::bad_parameter(field.name, detail, suggest(&value, of.values.iter().copied())));
            }
            filter.equals.push(index_entry(&api.hub, &who.tenant, field, &value)?);
        }
    }
    let known = ["connection", "remote_id", "updated_after", "include_deleted"];
    Ok((filter, known.into_iter().chain(indexed.iter().map(|field| field.name)).collect()))
}

fn id_of(id: &str) -> Result<String, Problem> {
    let id: Id = id.to_lowercase().parse().map_err(|_| Problem::not_found("there is no record with this id"))?;
    Ok(id.to_string())
}

/// One record.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.readable()?;
    let (tenant, id) = (who.tenant, id_of(&id)?);
    let row = api.hub.store.read(job!(|tx| { tx.record(&tenant, entity.name, &id).await })).await?;
    let row = row.ok_or_else(|| Problem::not_found("there is no record with this id"))?;
    let etag = format!("\"{}\"", row.version);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let unchanged = known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*");
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let current = current::jobs(&api, entity, std::slice::from_ref(&row)).await?;
        let arena = Arena::new();
        let current = current.get(&row.id).map(String::as_str);
        json_response(StatusCode::OK, &seen(&api, entity, &row, current, &arena, allowed)?)
    };
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

/// All versions of a record, oldest first.
pub(crate) async fn history(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.readable()?;
    let (tenant, id) = (who.tenant, id_of(&id)?);
    let (owner, wanted) = (tenant.clone(), id.clone());
    let versions = api.hub.store.read(job!(|tx| { tx.history(&owner, entity.name, &wanted).await })).await?;
    if versions.is_empty() {
        return Err(Problem::not_found("there is no record with this id"));
    }
    let arena = Arena::new();
    let mut data = Vec::with_capacity(versions.len());
    for version in versions {
        let row = RecordRow {
            tenant: tenant.clone(),
            entity: entity.name.to_owned(),
            id: id.clone(),
            version: version.version,
            created_at: version.at,
            updated_at: version.at,
            deleted_at: None,
            body: version.body,
        };
        data.push(seen(&api, entity, &row, None, &arena, allowed)?);
    }
    Ok(json_response(StatusCode::OK, &arena.map(&[("data", arena.list(&data)), ("next_cursor", Value::Null)])))
}

/// The class of the field that a pointer leads to: the highest on the way, and of all that lies below.
pub(crate) fn class_of(entity: &EntityType, pointer: &str) -> Class {
    fn below(ty: &Type) -> Class {
        match ty {
            Type::List(item) => below(item),
            Type::Struct(of) => of.fields.iter().map(|f| f.class.max(below(f.ty))).max().unwrap_or(Class::S0),
            _ => Class::S0,
        }
    }
    let mut class = Class::S0;
    let mut fields = entity.fields;
    let mut last: Option<&Type> = None;
    for part in pointer.trim_start_matches('/').split('/') {
        if part.parse::<usize>().is_ok() {
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == part) else {
            // What the model does not name (`ext`, `custom`) counts as personal.
            return class.max(Class::S2);
        };
        class = class.max(field.class);
        let mut ty = field.ty;
        while let Type::List(item) = ty {
            ty = item;
        }
        fields = ty.fields();
        last = Some(ty);
    }
    class.max(last.map_or(Class::S0, below))
}

/// Why a field is what it is.
pub(crate) async fn explain(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let entity = entity_of(&collection)?;
    let allowed = who.readable()?;
    let mut given = parameters(query.as_deref());
    let field = given.take("field");
    given.finish(&["field"])?;
    let field = field.ok_or_else(|| {
        let next = "such as `field=name.full` or `field=/emails/0/address`".to_owned();
        Problem::bad_parameter("field", "say which `field` to explain", Some(next))
    })?;
    let pointer = pointer_of(&field);
    if class_of(entity, &pointer) > allowed {
        return Err(Problem::forbidden(if allowed < Class::S2 { "read" } else { "read:restricted" }));
    }
    let found = hub_flow::explain::explain(&api.hub, &who.tenant, entity.name, &id_of(&id)?, &pointer).await;
    let found = found.map_err(|error| match error {
        NoExplanation::NoRecord => Problem::not_found("there is no record with this id"),
        NoExplanation::NoField => Problem::not_found("no rule has set this field"),
        NoExplanation::Gone(what) => Problem::gone(what),
        NoExplanation::Failed(failure) => failure.into(),
    })?;
    // A kept calculation holds more than the one field.
    let readable = found.origin.is_some() || class_of(entity, "/calculation") <= allowed;
    let steps = found.steps.filter(|_| readable).and_then(|steps| RawValue::from_string(steps).ok());
    let body = Explained {
        source: found.origin.as_ref().map(|origin| ExplainedSource {
            connection: &origin.connection,
            system: &origin.system,
            remote_id: &origin.remote_id,
            raw: &origin.raw,
            received_at: &origin.received_at,
            mapping: &origin.mapping,
            mapping_version: &origin.mapping_version,
            file: found.place.as_ref().map(imports::place_json),
        }),
        field: &found.field,
        rule: &found.rule,
        steps: steps.as_deref(),
    };
    let text = serde_json::to_string(&body).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

#[derive(Serialize)]
struct Explained<'a> {
    field: &'a str,
    rule: &'a str,
    source: Option<ExplainedSource<'a>>,
    steps: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct ExplainedSource<'a> {
    connection: &'a str,
    system: &'a str,
    remote_id: &'a str,
    raw: &'a str,
    received_at: &'a str,
    mapping: &'a str,
    mapping_version: &'a str,
    /// Where in a file that was imported the payload stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_opaque_and_belong_to_their_list() {
        let cursor = |kind: &str| {
            let mut rows = vec!["id-1", "id-2"];
            let next = Parameters::page(kind, &mut rows, 1, |row| (*row).to_owned());
            assert_eq!(rows, ["id-1"]);
            next.unwrap()
        };
        assert_eq!(
            Parameters::page("application", &mut vec!["id-1"], 1, |row| (*row).to_owned()),
            None,
            "the last page"
        );
        let take = |kind: &str, cursor: &str| parameters(Some(&format!("cursor={cursor}"))).cursor(kind);
        assert_eq!(take("application", &cursor("application")).unwrap().as_deref(), Some("id-1"));
        for bad in ["%00", "abc", "!!", &cursor("candidate")] {
            assert!(take("application", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_and_unknown_parameters_are_named() {
        for bad in ["0", "-1", "501", "x", ""] {
            assert!(parameters(Some(&format!("limit={bad}"))).limit().is_err(), "{bad}");
        }
        assert_eq!(parameters(None).limit().unwrap(), DEFAULT_LIMIT);
        assert!(parameters(Some("conection=x")).finish(&["connection"]).is_err());
    }

    #[test]
    fn the_class_of_a_field_counts_all_that_lies_in_it() {
        let interview = hub_model::entity("interview").unwrap();
        assert_eq!(class_of(interview, "/status"), Class::S0);
        assert_eq!(class_of(interview, "/turns/0/text"), Class::S3);
        assert_eq!(class_of(interview, "/turns"), Class::S3);
        let candidate = hub_model::entity("candidate").unwrap();
        assert_eq!(class_of(candidate, "/emails/0/address"), Class::S2);
        assert_eq!(class_of(candidate, "/ext/greenhouse"), Class::S2);
        assert_eq!(class_of(candidate, "/origin"), Class::S0);
    }
}
