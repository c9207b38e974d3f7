//! `GET /v1/reports/{name}`: what the records say, as JSON, as a page, or one chart as a picture.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hub_calc::Exact;
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::restricted;
use hub_insight::{Language, REPORTS, Report, json, page, picture};
use hub_service::insight::{Ask, Audited, BIAS_AUDIT, Groups, NotMade, as_json, audited, prepare};
use hub_tree::finding::suggest;
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;
use serde_json::{Value, json as object};
use tokio::sync::Semaphore;

/// Reports at the same time: each reads whole collections.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// A page has a style sheet of its own, and loads nothing.
const RULES: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
/// All parameters.
const KNOWN: &[&str] = &[
    "format",
    "language",
    "chart",
    "since",
    "until",
    "requisition",
    "department",
    "mark",
    "target",
    "pair",
    "groups",
    "stage",
    "auditor",
    "first_used",
    "exclude_small",
];

/// What reports there are.
pub(crate) async fn list(Caller(_): Caller) -> Json<Value> {
    let both = |zh: &str, en: &str| object!({"zh": zh, "en": en});
    let listed = REPORTS.iter().map(|kind| {
        let title = (kind.title)();
        object!({"report": kind.name, "title": both(&title.zh, &title.en), "about": kind.about, "columns": kind.columns})
    });
    let audit = object!({
        "report": BIAS_AUDIT,
        "title": both("偏差审计", "Bias audit"),
        "about": "Selection and scoring rates by sex and ethnicity, per requisition and stage.",
        "columns": ["sex", "race", "selected", "score"],
    });
    Json(object!({"data": listed.chain([audit]).collect::<Vec<_>>()}))
}

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Html,
    Svg,
}

/// A report.
pub(crate) async fn show(
    State(api): State<Api>,
    Caller(who): Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = REPORTS.iter().map(|kind| kind.name).chain([BIAS_AUDIT]);
    if !known.clone().any(|known| known == name) {
        let near = suggest(&name, known).map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::not_found(format!("there is no report `{name}`{near}")));
    }
    let mut given = parameters(query.as_deref());
    let format = format_of(&mut given, &headers)?;
    let language = language_of(&mut given, &headers)?;
    let chart = chart_of(&mut given)?;
    let ask = ask_of(&mut given)?;
    let said = Audited {
        auditor: given.take("auditor"),
        first_used: day_of(&mut given, "first_used")?,
        exclude_small: given.take("exclude_small"),
    };
    given.finish(KNOWN)?;
    let _turn = AT_ONCE.acquire().await.map_err(|_| Problem::internal())?;
    let answer = if name == BIAS_AUDIT {
        if format == Format::Svg {
            return Err(Problem::bad_parameter("format", "a bias audit is json or html", None));
        }
        let audit = audited(&api.hub, &who, &api.zone, &ask, said).await.map_err(|why| problem(&who, why))?;
        let whole = move || match format {
            Format::Html => html(hub_trust::audit::page(&audit, language)),
            _ => Json(as_json(&audit)).into_response(),
        };
        tokio::task::spawn_blocking(whole).await.map_err(|_| Problem::internal())?
    } else {
        let prepared = prepare(&api.hub, &who, &api.zone, &name, &ask).await.map_err(|why| problem(&who, why))?;
        let whole = move || written(&prepared.make(), format, language, chart);
        tokio::task::spawn_blocking(whole).await.map_err(|_| Problem::internal())??
    };
    let told = Entry::by(&who, "report.made").about("report", &name).purpose(restricted::purpose().as_deref());
    api.hub.audit(told.detail("query", query.unwrap_or_default())).await?;
    Ok(answer)
}

fn written(report: &Report, format: Format, language: Language, chart: usize) -> Result<Response, Problem> {
    match format {
        Format::Json => Ok(Json(json(report)).into_response()),
        Format::Html => Ok(html(page(report, language))),
        Format::Svg => {
            let found = chart.checked_sub(1).and_then(|at| report.charts.get(at));
            let count = report.charts.len();
            let drawn = found.map(|chart| picture(chart, language).file());
            let drawn =
                drawn.ok_or_else(|| Problem::bad_parameter("chart", format!("the report has {count} charts"), None))?;
            Ok((
                [
                    (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
                    (header::CONTENT_SECURITY_POLICY, RULES),
                ],
                drawn,
            )
                .into_response())
        }
    }
}

fn html(page: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, RULES)], page).into_response()
}

fn problem(who: &Principal, why: NotMade) -> Problem {
    match why {
        NotMade::Unknown => Problem::not_found("there is no report of this name"),
        NotMade::Denied(denied) => denied.into(),
        NotMade::TooMany(entity) => {
            tracing::warn!(entity, tenant = %who.tenant, "a report would read too many records");
            let next = "export the collection, and make the report with `hrhub report NAME rows.csv`".to_owned();
            Problem::bad_parameter(
                "name",
                format!("there are too many records of `{entity}` for one report"),
                Some(next),
            )
        }
        NotMade::Parameter(name, detail) => Problem::bad_parameter(name, detail, None),
        NotMade::Failed(failure) => failure.into(),
    }
}

fn format_of(given: &mut Parameters, headers: &HeaderMap) -> Result<Format, Problem> {
    match given.take("format").as_deref() {
        Some("json") => Ok(Format::Json),
        Some("html") => Ok(Format::Html),
        Some("svg") => Ok(Format::Svg),
        Some(_) => Err(Problem::bad_parameter("format", "`format` is json, html or svg", None)),
        None => {
            let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
            // What is named first is wanted most; browsers name HTML first.
            let first = accepted
                .flat_map(|value| value.split(','))
                .map(|kind| kind.split(';').next().unwrap_or_default().trim());
            let mut wanted = first.filter(|kind| ["text/html", "application/json"].contains(kind));
            Ok(if wanted.next() == Some("text/html") { Format::Html } else { Format::Json })
        }
    }
}

fn language_of(given: &mut Parameters, headers: &HeaderMap) -> Result<Language, Problem> {
    if let Some(tag) = given.take("language") {
        let language = Language::from_tag(&tag);
        return language.ok_or_else(|| Problem::bad_parameter("language", "`language` is zh or en", None));
    }
    let told = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let found = told.split(',').find_map(|tag| Language::from_tag(tag.split(';').next().unwrap_or_default().trim()));
    Ok(found.unwrap_or(Language::English))
}

fn chart_of(given: &mut Parameters) -> Result<usize, Problem> {
    let Some(text) = given.take("chart") else { return Ok(1) };
    let chart = text.parse().ok().filter(|chart| *chart > 0);
    chart.ok_or_else(|| Problem::bad_parameter("chart", "`chart` is a whole number from 1 on", None))
}

fn day_of(given: &mut Parameters, name: &str) -> Result<Option<Date>, Problem> {
    let read = |text: String| {
        text.parse().map_err(|_| Problem::bad_parameter(name, format!("`{name}` is a day, such as 2026-03-01"), None))
    };
    given.take(name).map(read).transpose()
}

fn score_of(given: &mut Parameters, name: &str) -> Result<Option<Exact>, Problem> {
    let read = |text: String| {
        let score = parse_decimal(&text).map(Exact::from);
        let score = score.filter(|score| !score.is_negative() && *score <= Exact::hundred());
        score.ok_or_else(|| Problem::bad_parameter(name, format!("`{name}` is a score from 0 to 100"), None))
    };
    given.take(name).map(read).transpose()
}

fn ask_of(given: &mut Parameters) -> Result<Ask, Problem> {
    let mut pairs = Vec::new();
    while let Some(pair) = given.take("pair") {
        let parts = pair.split_once([':', '：']).map(|(word, with)| (word.trim().to_owned(), with.trim().to_owned()));
        let parts = parts.filter(|(word, with)| !word.is_empty() && !with.is_empty());
        pairs.push(parts.ok_or_else(|| Problem::bad_parameter("pair", "`pair` is `word:companion`", None))?);
    }
    let groups = given.take("groups").map(|name| {
        Groups::named(&name).ok_or_else(|| Problem::bad_parameter("groups", "`groups` is sex or ethnicity", None))
    });
    let ask = Ask {
        since: day_of(given, "since")?,
        until: day_of(given, "until")?,
        requisition: given.take("requisition"),
        department: given.take("department"),
        mark: score_of(given, "mark")?,
        target: score_of(given, "target")?,
        pairs,
        groups: groups.transpose()?,
        stage: given.take("stage"),
    };
    if ask.since.zip(ask.until).is_some_and(|(since, until)| until < since) {
        return Err(Problem::bad_parameter("until", "the period ends before it begins", None));
    }
    Ok(ask)
}
