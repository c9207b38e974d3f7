//! What is known of an import's rows and records, and how its trial compares.

use super::{may_look, written_json};
use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hub_flow::imports::{self, Finding, RowBody, Shown, compare};
use hub_model::Class;
use hub_store::{ImportRow, ImportRowFilter, job};
use serde_json::{Map, Value, json};

/// In the place of a value that is not shown.
const MASKED: &str = "•••";

fn finding_json(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "level": if finding.error { "error" } else { "warning" }, "cell": finding.cell,
        "column": finding.heading, "message": finding.en, "message_zh": finding.zh,
    })
}

/// A row; values that the reader may not see are masked.
fn row_json(api: &Api, shown: &Shown, row: &ImportRow, allowed: Class) -> Result<Value, Problem> {
    let body: RowBody = imports::open_row(&api.hub, &shown.import, row)?;
    let cells = shown.about.columns.iter().zip(&body.cells).filter(|(_, cell)| !cell.is_empty());
    let cells: Map<String, Value> = cells
        .map(|(column, cell)| {
            let seen = if column.class() > allowed { MASKED } else { cell };
            (column.heading.clone(), json!(seen))
        })
        .collect();
    let mut value = json!({
        "row": row.number, "state": row.state, "cells": cells,
        "findings": body.findings.iter().map(finding_json).collect::<Vec<_>>(),
    });
    if !row.trace.is_empty() {
        value["trace_id"] = json!(row.trace);
    }
    Ok(value)
}

/// Rows with what was found.
pub(crate) async fn rows(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    may_look(&who)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let after = given.cursor("w")?.map_or(Ok(0), |place| place.parse().map_err(|_| Parameters::bad_cursor()))?;
    let state = given.take("state").unwrap_or_default();
    given.finish(&["state"])?;
    let states = ["", "good", "warned", "bad", "ignored", "applied", "failed"];
    if !states.contains(&state.as_str()) {
        return Err(Problem::bad_parameter("state", format!("`state` is one of {}", states[1..].join(", ")), None));
    }
    let shown = imports::find(&api.hub, &who.tenant, &id).await?;
    let filter = ImportRowFilter { state, after, limit: limit + 1 };
    let mut found = api.hub.store.read(job!(|tx| { tx.import_rows(&id, filter).await })).await?;
    let next = Parameters::page("w", &mut found, limit, |row| row.number.to_string());
    let allowed = imports::previewed(&who);
    let data: Result<Vec<Value>, Problem> = found.iter().map(|row| row_json(&api, &shown, row, allowed)).collect();
    Ok(Json(json!({ "data": data?, "next_cursor": next })))
}

/// Records that an import has written.
pub(crate) async fn records(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    may_look(&who)?;
    let mut given = parameters(query.as_deref());
    let limit = given.limit()?;
    let (state, row) = (given.take("state").unwrap_or_default(), given.take("row"));
    given.finish(&["state", "row"])?;
    let row = row.map(|row| row.parse::<i64>()).transpose();
    let row = row.map_err(|_| Problem::bad_parameter("row", "`row` is the number of a row", None))?;
    imports::find(&api.hub, &who.tenant, &id).await?;
    let found = api.hub.store.read(job!(|tx| {
        match row {
            Some(row) => tx.written_by_row(&id, row).await,
            None => tx.written(&id, &state, limit).await,
        }
    }));
    let data: Vec<Value> = found.await?.iter().map(written_json).collect();
    Ok(Json(json!({ "data": data, "next_cursor": Value::Null })))
}

/// The workbook that came, with what is wrong in two columns of its own.
pub(crate) async fn report(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_look(&who)?;
    let mut given = parameters(query.as_deref());
    let rows = given.take("rows").unwrap_or_default();
    given.finish(&["rows"])?;
    if !["", "all", "refused"].contains(&rows.as_str()) {
        return Err(Problem::bad_parameter("rows", "`rows` is all or refused", None));
    }
    let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let report = imports::report(&api.hub, &who, &id, rows == "refused", language).await?;
    let name = [
        (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"report.xlsx\""),
    ];
    Ok((name, report).into_response())
}

/// How a trial compares with what is there.
pub(crate) async fn comparison(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    may_look(&who)?;
    let allowed = who.reads_everything().unwrap_or(Class::S1);
    let compared = compare::compare(&api.hub, &who.tenant, &id, allowed).await?;
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let entities = compared.iter().map(|one| {
        let sums = one.sums.iter().map(|((field, currency), (trial, target))| {
            json!({
                "field": field, "currency": currency, "trial": trial.to_string(), "target": target.to_string(),
            })
        });
        let samples = one.samples.iter().map(|sample| {
            let fields = sample.fields.iter().map(|(name, values)| match values {
                Some((trial, target)) => json!({ "field": name, "trial": value(trial), "target": value(target) }),
                None => json!({ "field": name, "masked": true }),
            });
            json!({
                "trial": sample.trial, "target": sample.target, "known_as": sample.known_as,
                "fields": fields.collect::<Vec<_>>(),
            })
        });
        json!({
            "entity": one.entity.name, "trial": one.trial, "target": one.target, "matched": one.matched,
            "new": one.trial - one.matched, "differing": one.differing, "sums": sums.collect::<Vec<_>>(),
            "samples": samples.collect::<Vec<_>>(),
        })
    });
    Ok(Json(json!({ "trial": imports::trial_of(&who.tenant), "entities": entities.collect::<Vec<_>>() })))
}
