//! `POST /v1/payroll-runs/{id}:<step>`: the steps of a run that the hub calculates; and links to payslips.

pub(crate) mod deliver;

use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::payout;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Denied, Principal, Scope};
use hub_flow::audit::{self, Entry};
use hub_flow::change::{Changed, change};
use hub_flow::links::{self, Made};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::Class;
use hub_model::entities::pay::{PAYROLL_RUN, PAYSLIP, PayrollRun, Payslip};
use hub_model::scalars::DateTime;
use hub_service::payroll::steps::{Actor, NotTaken, Step, in_the_way, take};
use hub_service::payroll::{Bounds, compare};
use hub_tree::clock::rfc3339_micros;
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use serde_json::{Value, json};

/// What counts as pay data: who changes it does not approve the run.
const PAY_DATA: [&str; 4] = ["bank_account", "compensation", "payroll_input", "payroll_run"];
/// How long a link opens, in hours.
const USUAL_HOURS: i64 = 72;
const MOST_HOURS: i64 = 720;
/// Longest note, in characters.
const LONGEST_NOTE: usize = 1_000;

/// Takes a step. The answer is the run; one that calculates is answered with 202.
pub(crate) async fn act(api: &Api, who: &Principal, id: &str, word: &str, body: Body) -> Result<Response, Problem> {
    let step = Step::named(word).ok_or_else(|| {
        let near = suggest(
            word,
            Step::ALL.map(|(known, _)| known).into_iter().chain(["deliver", "import-result", "post-journal"]),
        )
        .map(|near| format!("; {near}"));
        Problem::not_found(format!("there is no action `{word}`{}", near.unwrap_or_default()))
    })?;
    match step {
        Step::Approve | Step::Reverse => who.need(Scope::PayApprove)?,
        _ => who.writes(PAYROLL_RUN.name)?,
    }
    let note = note_of(body).await?;
    let row = records::find(api, who, &PAYROLL_RUN, id).await?;
    let found: Vec<Known<PayrollRun>> =
        reading::these(&api.hub, &who.tenant, PAYROLL_RUN.name, [row.id.clone()]).await.map_err(unread)?;
    if let Some(run) = found.first()
        && let Some(NotTaken::State { detail, next }) =
            in_the_way(&api.hub, &who.tenant, step, run).await.map_err(unread)?
    {
        return Err(Problem::conflict(detail).next(next));
    }
    if step == Step::Settle {
        payout::all_paid(api, who, &row.id).await?;
    }
    let edited_by = match step {
        Step::Approve => audit::editors(&api.hub, &who.tenant, &PAY_DATA, row.created_at).await?,
        _ => Default::default(),
    };
    let edited_by: Vec<String> = edited_by.into_iter().collect();
    let actor = Actor { handle: who.handle.clone(), name: who.name.clone() };
    let at = Timestamp::from_microsecond(api.hub.clock.micros()).map(DateTime).map_err(|_| Problem::internal())?;
    let entry = Entry::by(who, step.action()).detail("note", note.is_some());
    let changed = change(&api.hub, (&who.tenant, &PAYROLL_RUN, &row.id), (entry, step.word()), move |document| {
        let run: PayrollRun = serde_json::from_str(document).map_err(|_| NotTaken::State {
            detail: "the run does not fit the model".to_owned(),
            next: "correct its fields".to_owned(),
        })?;
        Ok((take(step, &run, (&actor, at), note.as_deref(), &edited_by)?.to_string(), ()))
    });
    match changed.await? {
        Changed::Done(()) => {}
        Changed::NotThere => return Err(Problem::not_found("there is no record with this id")),
        Changed::Refused(NotTaken::State { detail, next }) => return Err(Problem::conflict(detail).next(next)),
        Changed::Refused(NotTaken::Segregation(why)) => {
            api.hub.audit(Entry::by(who, step.action()).about(PAYROLL_RUN.name, &row.id).refused()).await?;
            return Err(Problem::second_person(&why, Scope::PayApprove));
        }
    }
    let path = Path(("payroll-runs".to_owned(), row.id));
    let answer = records::show(State(api.clone()), Caller(who.clone()), path, RawQuery(None), HeaderMap::new());
    let mut answer = answer.await?.into_response();
    if step == Step::Calculate {
        *answer.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(answer)
}

/// `GET /v1/payroll-runs/{id}/variance`: the run beside the one before.
pub(crate) async fn variance(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    if collection != PAYROLL_RUN.collection {
        return Err(Problem::not_found("only runs of payroll are compared"));
    }
    if who.reads("payslip")? < Class::S2 {
        return Err(Problem::from(Denied::Lacks("read".to_owned())));
    }
    let mut given = parameters(query.as_deref());
    let mut bound = |name: &str, usual: u32| match given.take(name) {
        None => Ok(usual),
        Some(text) => {
            let detail = format!("`{name}` is a whole number");
            text.parse().map_err(|_| Problem::bad_parameter(name, detail, None))
        }
    };
    let usual = Bounds::default();
    let bounds = Bounds {
        percent: bound("percent", usual.percent)?,
        amount: bound("amount", usual.amount)?,
        bonus: bound("bonus", usual.bonus)?,
    };
    let against = given.take("against");
    given.finish(&["against", "percent", "amount", "bonus"])?;
    let row = records::find(&api, &who, &PAYROLL_RUN, &id).await?;
    if let Some(against) = &against {
        records::find(&api, &who, &PAYROLL_RUN, against).await?;
    }
    let compared = compare(&api.hub, &who.tenant, &row.id, against.as_deref(), bounds).await;
    match compared {
        Ok(Some(found)) => Ok(Json(found)),
        Ok(None) => Err(Problem::not_found("there is no record with this id")),
        Err(failure) => Err(unread(failure)),
    }
}

/// `POST /v1/payslips/{id}:link`: a link for the employee, which opens the payslip once. It is shown once.
pub(crate) async fn link(api: &Api, who: &Principal, id: &str, word: &str, body: Body) -> Result<Response, Problem> {
    if word != "link" {
        return Err(Problem::not_found(format!("there is no action `{word}`; did you mean `link`?")));
    }
    who.writes(PAYSLIP.name)?;
    let hours = hours_of(body).await?;
    let row = records::find(api, who, &PAYSLIP, id).await?;
    if !is_settled(&api.hub, &who.tenant, &row.id).await? {
        let detail = "the run of this payslip is not locked yet: nobody sees a draft";
        return Err(Problem::conflict(detail).next("lock the run first: POST /v1/payroll-runs/{id}:lock"));
    }
    let made = links::make(&api.hub, (&who.tenant, &who.handle), ("payslip", &row.id), hours).await?;
    let Made { url, expires_at } = made;
    api.hub.audit(Entry::by(who, "payslip.link_made").about(PAYSLIP.name, &row.id)).await?;
    let answer = json!({ "url": url, "expires_at": rfc3339_micros(expires_at) });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// What could not be read.
fn unread(failure: Failure) -> Problem {
    match failure {
        Failure::Retry(reason) => Problem::unavailable(reason),
        Failure::Park { .. } => Problem::internal(),
    }
}

/// Whether a payslip never changes any more.
async fn is_settled(hub: &Hub, tenant: &str, payslip: &str) -> Result<bool, Problem> {
    let found: Vec<Known<Payslip>> =
        reading::these(hub, tenant, PAYSLIP.name, [payslip.to_owned()]).await.map_err(unread)?;
    let Some(slip) = found.into_iter().next() else { return Ok(true) };
    hub_service::payroll::is_settled(hub, tenant, &slip.record).await.map_err(unread)
}

/// For how many hours a link opens.
async fn hours_of(body: Body) -> Result<i64, Problem> {
    let bytes = body::bytes(body).await?;
    if bytes.is_empty() {
        return Ok(USUAL_HOURS);
    }
    let mut fields = body::fields(Body::from(bytes)).await?;
    let hours = fields.whole("hours", MOST_HOURS)?;
    fields.finish(&["hours"])?;
    Ok(hours.unwrap_or(USUAL_HOURS))
}

async fn note_of(body: Body) -> Result<Option<String>, Problem> {
    let bytes = body::bytes(body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut fields = body::fields(Body::from(bytes)).await?;
    let note = fields.text("note")?.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    fields.finish(&["note"])?;
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(Problem::invalid_body("/note", format!("at most {LONGEST_NOTE} characters")));
    }
    Ok(note)
}
