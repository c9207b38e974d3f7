//! What leaves a locked run of payroll: `GET /v1/payroll-runs/{id}/bank-file`, `…/journal`, `…/tax-file`, and the way
//! back, `POST /v1/payroll-runs/{id}:import-result`.

pub(crate) mod post;
pub(crate) mod print;

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use crate::records;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Denied, Principal, Scope};
use hub_flow::audit::{self, Entry};
use hub_flow::change::{Changed, change, change_all};
use hub_flow::restricted;
use hub_model::Class;
use hub_model::entities::pay::{BANK_ACCOUNT, PAYROLL_RUN, PAYSLIP, PayrollRun, RunFile};
use hub_model::entities::person::PERSON;
use hub_model::scalars::{Currency, DateTime, Money};
use hub_payroll::out::Problem as Wrong;
use hub_payroll::out::bank::Profile;
use hub_payroll::out::journal::as_csv;
use hub_service::payroll::{BankFile, NotMade, bank_file, import_result, journal_of, tax_file};
use hub_store::RecordRow;
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// SHA-256 of the answer's bytes, hex.
const SHA256: HeaderName = HeaderName::from_static("hub-sha256");
/// Numbers of employees who are not in a bank's file because their net is 0, percent-encoded, with commas between.
const LEFT_OUT: HeaderName = HeaderName::from_static("hub-left-out");
/// Numbers that the header names at most.
const MOST_LEFT_OUT: usize = 100;
/// Problems that an answer lists at most.
const MOST_PROBLEMS: usize = 500;
/// Longest result of a bank.
const MOST_BYTES: usize = 8 << 20;
/// Who has changed a bank account in this time confirms none: 92 days, in µs.
const RECENT_MICROS: i64 = 92 * 24 * 3_600 * 1_000_000;
/// Fields of bank accounts that a file shows.
const SHOWN: [&str; 7] = ["/holder", "/account_no", "/iban", "/bic", "/cnaps", "/bank_name", "/branch"];

fn refused(not_made: NotMade) -> Problem {
    match not_made {
        NotMade::NotThere => Problem::not_found("there is no record with this id"),
        NotMade::State { detail, next } => Problem::conflict(detail).next(next),
        NotMade::Wrong(problems) => wrong(&problems),
        NotMade::Failed(failure) => failure.into(),
    }
}

/// All that is wrong, each with the employee's number.
fn wrong(problems: &[Wrong]) -> Problem {
    let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let part = |one: &Wrong| {
        let number = one.employee_no.as_deref().map(|number| format!("/{}", escaped(number))).unwrap_or_default();
        (format!("{number}/{}", one.field), one.to_string())
    };
    Problem::payout(problems.len(), problems.iter().take(MOST_PROBLEMS).map(part).collect())
}

/// Refuses who may not see restricted fields of an entity, or does not say what for.
fn sees_restricted(who: &Principal, entity: &str) -> Result<(), Problem> {
    if restricted::purpose().is_none() {
        let detail = "the file has restricted fields: say what for in the header `Purpose`";
        return Err(Problem::bad_parameter("Purpose", detail, Some("send `Purpose: salaries of March`".to_owned())));
    }
    if who.reads(entity)? < Class::S3 {
        return Err(Denied::Lacks(Scope::ReadRestricted.name().to_owned()).into());
    }
    Ok(())
}

/// The run, for whoever may see all payslips of it.
async fn run_of(api: &Api, who: &Principal, collection: &str, id: &str) -> Result<RecordRow, Problem> {
    if collection != PAYROLL_RUN.collection {
        return Err(Problem::not_found("only runs of payroll have such a file"));
    }
    who.need_all_units()?;
    if who.reads(PAYSLIP.name)? < Class::S2 {
        return Err(Denied::Lacks("read".to_owned()).into());
    }
    records::find(api, who, &PAYROLL_RUN, id).await
}

/// One of several files of the configuration, by the parameter `name`.
fn chosen<T>(given: &mut Parameters, name: &'static str, known: &BTreeMap<String, Arc<T>>) -> Result<Arc<T>, Problem> {
    let Some(id) = given.take(name) else {
        return Err(Problem::bad_parameter(name, format!("`{name}` is needed"), Some(there_are(known))));
    };
    chosen_of(&id, name, known).map_err(|(detail, next)| Problem::bad_parameter(name, detail, Some(next)))
}

/// One of several files of the configuration; else what is wrong, and what to do.
fn chosen_of<T>(id: &str, name: &str, known: &BTreeMap<String, Arc<T>>) -> Result<Arc<T>, (String, String)> {
    known.get(id).cloned().ok_or_else(|| {
        let near = suggest(id, known.keys().map(String::as_str)).map(|near| format!("; {near}")).unwrap_or_default();
        (format!("there is no `{name}` of this id{near}"), there_are(known))
    })
}

fn there_are<T>(known: &BTreeMap<String, Arc<T>>) -> String {
    format!("there are: {}", known.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
}

fn file(bytes: Vec<u8>, kind: &str, name: &str) -> Result<Response, Problem> {
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let text = |text: &str| HeaderValue::from_str(text).map_err(|_| Problem::internal());
    let head = [
        (header::CONTENT_TYPE, text(kind)?),
        (header::CONTENT_DISPOSITION, text(&format!("attachment; filename=\"{name}\""))?),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (SHA256, text(&sha256)?),
    ];
    Ok((head, bytes).into_response())
}

/// `GET /v1/payroll-runs/{id}/bank-file?profile=<id>`: the file for the bank. The run keeps its SHA-256.
pub(crate) async fn bank(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    who.need(Scope::PayApprove)?;
    let row = run_of(&api, &who, &collection, &id).await?;
    let mut given = parameters(query.as_deref());
    let profile = chosen(&mut given, "profile", &api.payout.banks)?;
    let mut confirmed = BTreeSet::new();
    while let Some(number) = given.take("confirmed") {
        confirmed.insert(number);
    }
    given.finish(&["profile", "confirmed"])?;
    sees_restricted(&who, BANK_ACCOUNT.name)?;
    if !confirmed.is_empty() {
        let since = api.hub.clock.micros().saturating_sub(RECENT_MICROS);
        let editors = audit::editors(&api.hub, &who.tenant, &[BANK_ACCOUNT.name], since).await?;
        if editors.contains(&who.handle) {
            api.hub.audit(Entry::by(&who, "payroll_run.bank_file").about(PAYROLL_RUN.name, &row.id).refused()).await?;
            let why = "who has changed bank accounts lately does not confirm that an account is right";
            return Err(Problem::second_person(why, Scope::PayApprove));
        }
    }
    let made = bank_file(&api.hub, &who.tenant, &row.id, &profile, confirmed).await.map_err(refused)?;
    keep(&api, &who, &row.id, &profile, &made).await?;
    for account in &made.accounts {
        restricted::note(BANK_ACCOUNT.name, account, SHOWN);
    }
    let (kind, ending) = profile.content_type();
    let name = format!("{}-{}.{ending}", profile.id, row.id);
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let mut answer = file(made.made.bytes, &kind, &name)?;
    if !made.left_out.is_empty() {
        let encoded = made.left_out.iter().take(MOST_LEFT_OUT);
        let encoded = encoded.map(|number| url::form_urlencoded::byte_serialize(number.as_bytes()).collect::<String>());
        let told = encoded.collect::<Vec<_>>().join(",");
        answer.headers_mut().insert(LEFT_OUT, HeaderValue::from_str(&told).map_err(|_| Problem::internal())?);
    }
    Ok(answer)
}

/// Notes on the run that this file was made, once, and in the audit log each time.
async fn keep(api: &Api, who: &Principal, run: &str, profile: &Profile, made: &BankFile) -> Result<(), Problem> {
    let mut entry = Entry::by(who, "payroll_run.bank_file").purpose(restricted::purpose().as_deref());
    entry = entry.detail("profile", profile.version()).detail("sha256", made.sha256.clone());
    if !made.confirmed.is_empty() {
        entry = entry.detail("confirmed", made.confirmed.clone());
    }
    if made.kept.iter().any(|file| file.sha256.as_ref() == Some(&made.sha256)) {
        api.hub.audit(entry.about(PAYROLL_RUN.name, run)).await?;
        return Ok(());
    }
    let at = Timestamp::from_microsecond(api.hub.clock.micros()).map(DateTime).map_err(|_| Problem::internal())?;
    let kept = RunFile {
        kind: Some("bank".to_owned()),
        profile: Some(profile.version()),
        connection: None,
        sha256: Some(made.sha256.clone()),
        payments: i64::try_from(made.made.payments).ok(),
        total: Some(Money { amount: Some(made.made.total), currency: Some(Currency(made.currency.clone())) }),
        by: Some(who.handle.clone()),
        at: Some(at),
    };
    let changed = change(&api.hub, (&who.tenant, &PAYROLL_RUN, run), (entry, "bank-file"), move |document| {
        let run: PayrollRun = serde_json::from_str(document).map_err(|_| ())?;
        let mut files = run.files.unwrap_or_default();
        if !files.iter().any(|file| file.sha256 == kept.sha256) {
            files.push(kept);
        }
        Ok((json!({ "files": files }).to_string(), ()))
    });
    match changed.await? {
        Changed::Done(()) => Ok(()),
        Changed::NotThere => Err(Problem::not_found("there is no record with this id")),
        Changed::Refused(()) => Err(Problem::internal()),
    }
}

/// `POST /v1/payroll-runs/{id}:import-result?profile=<id>`: what the bank says of each payment.
pub(crate) async fn import(
    api: &Api,
    who: &Principal,
    id: &str,
    query: Option<&str>,
    body: Body,
) -> Result<Response, Problem> {
    who.writes(PAYROLL_RUN.name)?;
    who.writes(PAYSLIP.name)?;
    let row = run_of(api, who, PAYROLL_RUN.collection, id).await?;
    let mut given = parameters(query);
    let profile = chosen(&mut given, "profile", &api.payout.banks)?;
    given.finish(&["profile"])?;
    let bytes = body::bytes_up_to(MOST_BYTES, body).await?;
    let now = rfc3339_micros(api.hub.clock.micros());
    let imported = import_result(&api.hub, &who.tenant, &row.id, (&profile, &bytes), &now).await.map_err(refused)?;
    let changes = imported.patches.len();
    let entry = Entry::by(who, "payroll_run.result_imported").about(PAYROLL_RUN.name, &row.id);
    let entry = entry.detail("profile", profile.version()).detail("sha256", hex::encode(Sha256::digest(&bytes)));
    let entry = entry.detail("paid", imported.paid).detail("failed", imported.failed.len());
    if !change_all(&api.hub, (&who.tenant, &PAYSLIP), (entry, "import-result"), imported.patches).await? {
        let detail = "a payslip of the run has gone meanwhile; nothing was changed";
        return Err(Problem::conflict(detail).next("look at the payslips of the run, then send the result again"));
    }
    let failed = imported.failed.iter().map(|(number, why)| json!({ "employee_number": number, "reason": why }));
    let answer = json!({
        "paid": imported.paid, "failed": failed.collect::<Vec<_>>(), "changed": changes, "open": imported.open,
    });
    Ok((StatusCode::OK, Json(answer)).into_response())
}

/// Refuses to settle a run while somebody of it is not paid.
pub(crate) async fn all_paid(api: &Api, who: &Principal, run: &str) -> Result<(), Problem> {
    /// People that are named.
    const NAMED: usize = 20;
    let open = hub_service::payroll::unpaid(&api.hub, &who.tenant, run).await?;
    if open.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = open.iter().take(NAMED).map(|(number, said)| format!("{number} ({said})")).collect();
    let more = if open.len() > NAMED { format!(" and {} more", open.len() - NAMED) } else { String::new() };
    let detail = format!("{} of the run are not paid: {}{more}", open.len(), named.join(", "));
    let next = "import the bank's result (POST /v1/payroll-runs/{id}:import-result), or say how somebody was paid: \
                PATCH /v1/payslips/{id} {\"payment\": {\"status\": \"PAID\"}}";
    Err(Problem::conflict(detail).next(next))
}

/// `GET /v1/payroll-runs/{id}/journal?chart=<id>`: double entry, as JSON or CSV.
pub(crate) async fn journal(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = run_of(&api, &who, &collection, &id).await?;
    let mut given = parameters(query.as_deref());
    let chart = chosen(&mut given, "chart", &api.payout.charts)?;
    given.finish(&["chart"])?;
    let found = journal_of(&api.hub, &who.tenant, &row.id, &chart).await.map_err(refused)?;
    let entry = Entry::by(&who, "payroll_run.journal").about(PAYROLL_RUN.name, &row.id);
    api.hub.audit(entry.detail("chart", chart.version())).await?;
    if wants_csv(&headers) {
        let bytes = as_csv(&found).map_err(|problem| wrong(&[problem]))?;
        return file(bytes, "text/csv; charset=utf-8", &format!("journal-{}.csv", row.id));
    }
    let mut answer = json!({ "run": row.id, "chart": chart.version() });
    answer["entries"] = json!(found.entries);
    answer["total"] = Value::String(found.total.to_string());
    Ok(Json(answer).into_response())
}

/// Of both kinds, that which is named first is wanted most.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds =
        accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kinds.into_iter().find(|kind| ["text/csv", "application/json"].contains(kind)) == Some("text/csv")
}

/// `GET /v1/payroll-runs/{id}/tax-file`: one row for each person, for the tax office of mainland China.
pub(crate) async fn tax(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let row = run_of(&api, &who, &collection, &id).await?;
    parameters(query.as_deref()).finish(&[])?;
    sees_restricted(&who, PERSON.name)?;
    let (bytes, persons) = tax_file(&api.hub, &who.tenant, &row.id).await.map_err(refused)?;
    let entry = Entry::by(&who, "payroll_run.tax_file").about(PAYROLL_RUN.name, &row.id);
    let sha256 = hex::encode(Sha256::digest(&bytes));
    api.hub.audit(entry.purpose(restricted::purpose().as_deref()).detail("sha256", sha256)).await?;
    for person in &persons {
        restricted::note(PERSON.name, person, ["/national_ids"]);
    }
    file(bytes, "text/csv; charset=utf-8", &format!("tax-{}.csv", row.id))
}
