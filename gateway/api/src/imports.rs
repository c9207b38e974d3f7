//! `/v1/imports`: files that become records; what is wrong with their rows; who did what with them.

mod rows;

pub(crate) use rows::{comparison, records, report, rows};

use crate::Api;
use crate::auth::Caller;
use crate::body::without_nul;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Principal, Scope};
use hub_flow::explain::FilePlace;
use hub_flow::imports::{self, About, Brought, Refused, Shown, Wanted};
use hub_store::{ImportStep, Written, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::form_data;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long a file may take to arrive.
const WITHIN: Duration = Duration::from_secs(300);
/// What a form adds to its file.
const FORM_BYTES: usize = 1 << 20;
/// Records that stayed as they are and are listed with their import.
const LISTED: i64 = 100;

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::not_found("there is no import with this id"),
            Refused::File(problem) => Self::unusable_file(problem.code, &problem.said.en),
            Refused::Asked(name, why) => Self::bad_parameter(name, why, None),
            Refused::State(why) => Self::conflict(why),
            Refused::SecondPerson => {
                let why = "whoever brought an import, or asked for it, cannot agree to it";
                Self::second_person(why, Scope::ImportApprove)
            }
            Refused::Store(error) => error.into(),
        }
    }
}

/// Refuses who has nothing to do with imports.
fn may_look(who: &Principal) -> Result<(), Problem> {
    if who.need(Scope::Import).is_err() {
        who.need(Scope::ImportApprove).map_err(|_| Problem::forbidden(Scope::Import.name()))?;
    }
    Ok(())
}

/// An import as it is shown.
pub(crate) fn import_json(shown: &Shown) -> Value {
    let (import, about, counts) = (&shown.import, &shown.about, &shown.import.counts);
    let columns = about
        .columns
        .iter()
        .map(|column| json!({ "column": column.letters, "heading": column.heading, "field": column.field }));
    let mut value = json!({
        "id": import.id, "state": import.state.word(), "as": import.target, "file_name": about.file_name,
        "bytes": import.bytes, "sha256": import.sha256, "kind": about.kind, "encoding": about.encoding,
        "sheet": about.sheet, "sheets": about.sheets, "header_row": about.header_row,
        "columns": columns.collect::<Vec<_>>(), "missing": about.missing,
        "mode": if about.upsert { "upsert" } else { "insert" }, "all_or_nothing": about.all_or_nothing,
        "mapping": mapping_name(about), "tenant": import.into, "trial": import.is_trial(),
        "uploaded_at": rfc3339_micros(import.uploaded_at), "changed_at": rfc3339_micros(import.changed_at),
        "rows": {
            "total": counts.total, "good": counts.good, "bad": counts.bad, "warned": counts.warned,
            "ignored": counts.ignored, "applied": counts.done, "failed": counts.failed,
        },
        "records": {
            "created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged,
            "undone": counts.undone, "kept": counts.kept,
        },
    });
    if !import.error.is_empty() {
        value["error"] = json!(import.error);
    }
    value
}

fn mapping_name(about: &About) -> &str {
    match (&about.mapping_text, about.mapping.as_str()) {
        (Some(_), _) => "(its own)",
        (None, name) => name,
    }
}

fn step_json(step: &ImportStep) -> Value {
    json!({ "at": rfc3339_micros(step.at), "step": step.step, "by": step.by, "note": step.note })
}

/// Imports, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    may_look(&who)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("i")?.unwrap_or_default();
    given.finish(&[])?;
    let tenant = who.tenant;
    let found = api.hub.store.read(job!(|tx| {
        let mut found = Vec::new();
        for import in tx.imports(&tenant, &after, limit + 1).await? {
            let steps = tx.import_steps(&import.id).await?;
            found.push((import, steps));
        }
        Ok(found)
    }));
    let mut found = found.await?;
    let next = Parameters::page("i", &mut found, limit, |(import, _)| import.id.clone());
    let mut data = Vec::with_capacity(found.len());
    for (import, steps) in found {
        let mut shown = import_json(&imports::open(&api.hub, import)?);
        shown["uploaded_by"] = json!(steps.first().map(|step| step.by.as_str()).unwrap_or_default());
        data.push(shown);
    }
    Ok(Json(json!({ "data": data, "next_cursor": next })))
}

/// What a request says about how a file is to be read.
#[derive(Default)]
struct Said {
    target: String,
    file_name: String,
    mapping: String,
    mapping_text: Option<String>,
    hold: bool,
    wanted: Wanted,
}

impl Said {
    /// Takes one word of a request, by its name.
    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let flag = || match value {
            "true" | "on" => Ok(true),
            "false" | "" => Ok(false),
            _ => Err(Problem::bad_parameter(name, format!("`{name}` is true or false"), None)),
        };
        match name {
            "as" => value.clone_into(&mut self.target),
            "file_name" => self.file_name = value.chars().take(255).collect(),
            "mapping" => value.clone_into(&mut self.mapping),
            "hold" => self.hold = flag()?,
            "sheet" => self.wanted.sheet = Some(value.to_owned()).filter(|sheet| !sheet.is_empty()),
            "header_row" => self.wanted.header_row = Some(row(value)?),
            "all_or_nothing" => self.wanted.all_or_nothing = Some(flag()?),
            "mode" => self.wanted.upsert = Some(upsert(value)?),
            "columns" => {
                let read = serde_json::from_str(value);
                let wrong = |_| Problem::bad_parameter("columns", "`columns` is a JSON object", None);
                self.wanted.columns = columns(&read.map_err(wrong)?)?;
            }
            _ => {
                let known =
                    ["as", "file_name", "mapping", "hold", "sheet", "header_row", "all_or_nothing", "mode", "columns"];
                let near = hub_tree::finding::suggest(name, known);
                return Err(Problem::bad_parameter(name, format!("unknown parameter `{name}`"), near));
            }
        }
        Ok(())
    }
}

fn row(text: &str) -> Result<u32, Problem> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Problem::bad_parameter("header_row", "`header_row` is the number of a row, from 1", None))
}

fn upsert(word: &str) -> Result<bool, Problem> {
    match word {
        "upsert" => Ok(true),
        "insert" => Ok(false),
        _ => Err(Problem::bad_parameter("mode", "`mode` is insert or upsert", None)),
    }
}

/// What columns mean: an object of headings or letters and fields, null for a column that is left out.
fn columns(value: &Value) -> Result<Vec<(String, String)>, Problem> {
    without_nul(value)?;
    let wrong = || {
        let detail = "`columns` names fields by heading or letters, null for a column that is left out";
        Problem::bad_parameter("columns", detail, None)
    };
    let entries = value.as_object().ok_or_else(wrong)?;
    let read = |(name, field): (&String, &Value)| match field {
        Value::String(field) => Ok((name.clone(), field.clone())),
        Value::Null => Ok((name.clone(), String::new())),
        _ => Err(wrong()),
    };
    entries.iter().map(read).collect()
}

/// Takes a file in: the body as it is, or a form with the parts `file` and, beside it, `mapping`.
pub(crate) async fn create(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    who.need(Scope::Import)?;
    let most = api.hub.imports.max_bytes;
    let read = tokio::time::timeout(WITHIN, to_bytes(body, most + FORM_BYTES)).await;
    let bytes = read.map_err(|_| Problem::slow_body())?.map_err(|_| Problem::long_file(most))?;
    let mut said = Said::default();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        said.take(&name, &value)?;
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let file = if kind.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        form(&mut said, kind, &bytes)?
    } else {
        bytes.to_vec()
    };
    if file.len() > most {
        return Err(Problem::long_file(most));
    }
    if said.target.is_empty() {
        let next = "such as `as=employee`".to_owned();
        return Err(Problem::bad_parameter("as", "say what the rows of the file are with `as`", Some(next)));
    }
    let brought = Brought {
        file_name: said.file_name,
        bytes: file,
        target: said.target,
        mapping: said.mapping,
        mapping_text: said.mapping_text,
        wanted: said.wanted,
        hold: said.hold,
    };
    let shown = imports::begin(&api.hub, &who, brought).await?;
    let location = format!("/v1/imports/{}", shown.import.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(import_json(&shown))).into_response())
}

/// Reads a form; gives its file.
fn form(said: &mut Said, kind: &str, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let parts = form_data::read(kind, bytes).map_err(|error| Problem::malformed(error.to_string()))?;
    let mut file = None;
    for part in parts {
        let text = || part.text().ok_or_else(|| Problem::malformed("a part of the form is no UTF-8"));
        match (part.name, part.file_name) {
            ("file", name) => {
                if let (Some(name), true) = (name, said.file_name.is_empty()) {
                    said.take("file_name", name)?;
                }
                file = Some(part.body.to_vec());
            }
            ("mapping", Some(_)) => said.mapping_text = Some(text()?.to_owned()),
            (name, _) => said.take(name, text()?)?,
        }
    }
    file.ok_or_else(|| Problem::malformed("the form has no part `file`"))
}

/// One import, with who did what, and the first records that an undo has left as they are.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    may_look(&who)?;
    let shown = imports::find(&api.hub, &who.tenant, &id).await?;
    Ok(Json(whole(&api, &shown).await?))
}

async fn whole(api: &Api, shown: &Shown) -> Result<Value, Problem> {
    let id = shown.import.id.clone();
    let read = api.hub.store.read(job!(|tx| {
        let steps = tx.import_steps(&id).await?;
        Ok((steps, tx.written(&id, "kept", LISTED).await?))
    }));
    let (steps, kept) = read.await?;
    let mut value = import_json(shown);
    value["history"] = steps.iter().map(step_json).collect();
    value["conflicts"] = kept.iter().map(written_json).collect();
    Ok(value)
}

fn written_json(one: &Written) -> Value {
    let did = if one.before == 0 { "created" } else { "updated" };
    json!({
        "entity": one.entity, "id": one.id, "row": one.number, "did": did, "version": one.after, "state": one.state,
    })
}

/// `…/{id}:check`, `:apply`, `:approve`, `:undo`, `:discard`.
pub(crate) async fn act(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id_and_verb): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let verbs = "an import answers to `:check`, `:apply`, `:approve`, `:undo` and `:discard`";
    let (id, verb) = id_and_verb.rsplit_once(':').ok_or_else(|| Problem::not_found(verbs))?;
    who.need(if verb == "approve" { Scope::ImportApprove } else { Scope::Import })?;
    let mut given = asked(body).await?;
    let hub = &api.hub;
    let shown = match verb {
        "check" => {
            let wanted = Wanted {
                sheet: text(&mut given, "sheet")?,
                header_row: match given.remove("header_row") {
                    None | Some(Value::Null) => None,
                    Some(value) => Some(row(&value.to_string())?),
                },
                columns: given.remove("columns").map_or(Ok(Vec::new()), |value| columns(&value))?,
                upsert: text(&mut given, "mode")?.map(|word| upsert(&word)).transpose()?,
                all_or_nothing: flag(&mut given, "all_or_nothing")?,
            };
            finish(given)?;
            imports::check(hub, &who, id, wanted).await?
        }
        "apply" => {
            let (whole, tenant) = (flag(&mut given, "all_or_nothing")?, text(&mut given, "tenant")?);
            finish(given)?;
            let trial = imports::trial_of(&who.tenant);
            let is_trial = tenant.as_deref() == Some(trial.as_str());
            if !is_trial && tenant.is_some_and(|tenant| tenant != who.tenant) {
                let detail = format!("`tenant` is `{}`, or `{trial}` to try the import there", who.tenant);
                return Err(Problem::invalid_body("/tenant", detail));
            }
            imports::apply(hub, &who, id, is_trial, whole).await?
        }
        "approve" | "undo" | "discard" => {
            finish(given)?;
            match verb {
                "approve" => imports::approve(hub, &who, id).await?,
                "undo" => imports::undo(hub, &who, id).await?,
                _ => imports::discard(hub, &who, id).await?,
            }
        }
        _ => return Err(Problem::not_found(verbs)),
    };
    let status = if shown.import.state.moves() { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(whole(&api, &shown).await?)))
}

/// The object of a body; nothing counts as an empty one.
async fn asked(body: Body) -> Result<Map<String, Value>, Problem> {
    let bytes = crate::body::bytes(body).await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(value @ Value::Object(_)) => {
            without_nul(&value)?;
            Ok(value.as_object().cloned().unwrap_or_default())
        }
        _ => Err(Problem::malformed("the body is no JSON object")),
    }
}

fn text(given: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match given.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is text"))),
    }
}

fn flag(given: &mut Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match given.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(flag)),
        Some(_) => Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is true or false"))),
    }
}

fn finish(given: Map<String, Value>) -> Result<(), Problem> {
    let Some((name, _)) = given.into_iter().next() else { return Ok(()) };
    Err(Problem::invalid_body(&format!("/{name}"), format!("unknown field `{name}`")))
}

/// Where in a file a field of a record comes from.
pub(crate) fn place_json(place: &FilePlace) -> Value {
    let columns = place.columns.iter().map(|(letters, heading)| {
        json!({ "column": letters, "heading": heading, "cell": format!("{letters}{}", place.row) })
    });
    json!({
        "import": place.import, "name": place.file_name, "sheet": place.sheet, "row": place.row,
        "columns": columns.collect::<Vec<_>>(),
    })
}
