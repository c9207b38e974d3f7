//! Decisions about people, for the people: `POST /v1/decisions/{id}:request` and `:answer`, the list of what is open, and
//! the ledger.

mod ledger;
mod open;

pub(crate) use ledger::ledger;
pub(crate) use open::list;

use crate::Api;
use crate::auth::Caller;
use crate::body::{self, Fields};
use crate::problem::Problem;
use crate::records;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use hub_flow::Hub;
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::change::{Changed, change};
use hub_flow::reading::{self, Known};
use hub_flow::records::sealed_as;
use hub_model::entities::assessment::{DECISION, Decision, DecisionLabel, RequestKind, RequestOutcome};
use hub_model::entities::governance::User;
use hub_model::enums::EnumOf;
use hub_model::scalars::DateTime;
use hub_service::decisions::{self, Answer, NewDecision, Question, Refused};
use hub_store::{AuditEntry, AuditFilter, RecordRow, StoredVersion, job};
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;

/// Longest reason and longest answer, in characters.
const LONGEST: usize = 10_000;
/// What words become that the model does not know: nobody says it.
const OTHER: &str = "OTHER";
/// Entries of the audit log about one decision that are read.
const ENTRIES: i64 = 500;

/// Asks about a decision, or answers.
pub(crate) async fn act(api: &Api, who: &Principal, id: &str, word: &str, body: Body) -> Result<Response, Problem> {
    who.writes(DECISION.name)?;
    let row = match word {
        "request" => Box::pin(ask(api, who, id, body)).await?,
        "answer" => Box::pin(answer(api, who, id, body)).await?,
        _ => {
            let near = suggest(word, ["request", "answer"]).map(|near| format!("; {near}")).unwrap_or_default();
            return Err(Problem::not_found(format!("there is no action `{word}`{near}")));
        }
    };
    let path = Path((DECISION.collection.to_owned(), row.id));
    let answer = records::show(State(api.clone()), Caller(who.clone()), path, RawQuery(None), HeaderMap::new());
    Ok(answer.await?.into_response())
}

async fn ask(api: &Api, who: &Principal, id: &str, body: Body) -> Result<RecordRow, Problem> {
    let mut fields = body::fields(body).await?;
    let kind = word::<RequestKind>(&mut fields, "kind")?.ok_or_else(|| missing("kind"))?;
    let reason = text(&mut fields, "reason")?;
    let now = now(api)?;
    let today = now.0.to_zoned(api.zone.clone()).date();
    let asked_on = match fields.text("asked_on")? {
        None => today,
        Some(day) => day_of(&day, now.0)?,
    };
    fields.finish(&["kind", "reason", "asked_on"])?;
    let row = living(api, who, id).await?;
    let question = Question { id: api.hub.ids.next().to_string(), kind, reason, asked_on };
    let days = api.hub.trust.answer_days;
    let entry =
        Entry::by(who, "decision.requested").detail("kind", kind.as_str()).detail("request", question.id.as_str());
    let changed = change(&api.hub, (&who.tenant, &DECISION, &row.id), (entry, "request"), move |document| {
        let patch = decisions::ask(&read(document)?, &question, days, now)?;
        Ok((patch.to_string(), ()))
    });
    settled(api, who, &row, changed.await?).await?;
    Ok(row)
}

async fn answer(api: &Api, who: &Principal, id: &str, body: Body) -> Result<RecordRow, Problem> {
    let mut fields = body::fields(body).await?;
    let request = fields.text("request")?.ok_or_else(|| missing("request"))?;
    let outcome = word::<RequestOutcome>(&mut fields, "outcome")?.ok_or_else(|| missing("outcome"))?;
    let said = text(&mut fields, "answer")?.ok_or_else(|| missing("answer"))?;
    let by = fields.text("answered_by")?.ok_or_else(|| missing("answered_by"))?.to_lowercase();
    let label = word::<DecisionLabel>(&mut fields, "label")?;
    let new = fields.text("decision")?;
    fields.finish(&["request", "outcome", "answer", "answered_by", "label", "decision"])?;
    let row = living(api, who, id).await?;
    person(&api.hub, &who.tenant, &by).await?;
    let decision = match new {
        Some(new) => Some(replacement(api, who, &new).await?),
        None => None,
    };
    let (makers, wrote) = makers(api, &who.tenant, &row).await?;
    // Who signs in as a person is one, whomever they name.
    if who.kind() == "person" && wrote.contains(&who.handle) && outcome != RequestOutcome::Explained {
        let why = "who wrote the decision does not answer this: somebody else has to";
        return Err(refused(api, who, &row, Refused::Maker(why.to_owned())).await);
    }
    let now = now(api)?;
    let entry =
        Entry::by(who, "decision.answered").detail("outcome", outcome.as_str()).detail("request", request.as_str());
    let answer = Answer { request, outcome, text: said, by, label, decision };
    let changed = change(&api.hub, (&who.tenant, &DECISION, &row.id), (entry, "answer"), move |document| {
        let patch = decisions::answer(&read(document)?, &answer, &makers, now)?;
        Ok((patch.to_string(), ()))
    });
    settled(api, who, &row, changed.await?).await?;
    Ok(row)
}

fn read(document: &str) -> Result<Decision, Refused> {
    serde_json::from_str(document).map_err(|_| Refused::State {
        detail: "the decision does not fit the model".to_owned(),
        next: "correct its fields".to_owned(),
    })
}

async fn settled(api: &Api, who: &Principal, row: &RecordRow, changed: Changed<(), Refused>) -> Result<(), Problem> {
    match changed {
        Changed::Done(()) => Ok(()),
        Changed::NotThere => Err(Problem::not_found("there is no record with this id")),
        Changed::Refused(why) => Err(refused(api, who, row, why).await),
    }
}

async fn refused(api: &Api, who: &Principal, row: &RecordRow, why: Refused) -> Problem {
    match why {
        Refused::Part(pointer, detail) => Problem::invalid_body(pointer, detail),
        Refused::State { detail, next } => Problem::conflict(detail).next(next),
        Refused::Maker(why) => {
            let entry = Entry::by(who, "decision.answered").about(DECISION.name, &row.id).refused();
            match api.hub.audit(entry).await {
                Ok(()) => Problem::other_reviewer(&why),
                Err(error) => error.into(),
            }
        }
    }
}

/// A decision that the caller may know of, and that is not gone.
async fn living(api: &Api, who: &Principal, id: &str) -> Result<RecordRow, Problem> {
    let row = records::find(api, who, &DECISION, id).await?;
    if row.deleted_at.is_some() {
        return Err(Problem::not_found("the record with this id is gone"));
    }
    Ok(row)
}

/// Refuses who is no user of the hub, or cannot sign in any more: an answer has a name.
async fn person(hub: &Hub, tenant: &str, id: &str) -> Result<(), Problem> {
    let found: Vec<Known<User>> = reading::these(hub, tenant, "user", [id.to_owned()]).await?;
    match found.first() {
        Some(user) if user.record.active != Some(false) => Ok(()),
        Some(_) => Err(Problem::invalid_body("/answered_by", "this user is not active any more")),
        None => Err(Problem::invalid_body("/answered_by", "there is no user with this id")
            .next("an answer names the person who gives it: make a user, POST /v1/users, or name one that is there")),
    }
}

async fn replacement(api: &Api, who: &Principal, id: &str) -> Result<NewDecision, Problem> {
    let unknown = |_| Problem::invalid_body("/decision", "there is no decision with this id");
    let row = living(api, who, id).await.map_err(unknown)?;
    let document = api.hub.open(&who.tenant, &sealed_as(DECISION.name, &row.id), &row.body.0)?;
    let record = serde_json::from_slice(&document);
    let record = record.map_err(|_| Problem::invalid_body("/decision", "this decision does not fit the model"))?;
    Ok(NewDecision { id: row.id, created_at: row.created_at, record })
}

/// All versions of a decision, oldest first, each with its document.
async fn versions(api: &Api, tenant: &str, row: &RecordRow) -> Result<Vec<(StoredVersion, String)>, Problem> {
    let (owner, id) = (tenant.to_owned(), row.id.clone());
    let stored = api.hub.store.read(job!(|tx| { tx.history(&owner, DECISION.name, &id).await })).await?;
    let mut found = Vec::with_capacity(stored.len());
    for version in stored {
        let opened = api.hub.open(tenant, &sealed_as(DECISION.name, &row.id), &version.body.0)?;
        found.push((version, String::from_utf8_lossy(&opened).into_owned()));
    }
    Ok(found)
}

/// What the audit log says about a decision, oldest first.
async fn entries(api: &Api, tenant: &str, row: &RecordRow) -> Result<Vec<AuditEntry>, Problem> {
    let about = Some(format!("{}/{}", DECISION.name, row.id));
    let filter = AuditFilter { about, oldest_first: true, ..AuditFilter::default() };
    let owner = tenant.to_owned();
    let rows = api.hub.store.read(job!(|tx| { tx.audit(&owner, filter, ENTRIES).await })).await?;
    let opened = rows.iter().map(|row| row.open(api.hub.store.keyring(), tenant));
    Ok(opened.collect::<Result<_, _>>()?)
}

/// The users who made a decision, in any of its versions, and the handles of those who wrote it.
async fn makers(api: &Api, tenant: &str, row: &RecordRow) -> Result<(Vec<String>, Vec<String>), Problem> {
    let mut makers = Vec::new();
    for (_, document) in versions(api, tenant, row).await? {
        let decision: Decision = serde_json::from_str(&document).unwrap_or_default();
        makers.extend(decisions::maker_of(&decision).map(ToOwned::to_owned));
    }
    let wrote = |entry: &AuditEntry| matches!(entry.action.as_str(), "record.created" | "record.updated");
    let entries = entries(api, tenant, row).await?;
    Ok((makers, entries.into_iter().filter(wrote).map(|entry| entry.who.handle).collect()))
}

fn now(api: &Api) -> Result<DateTime, Problem> {
    Timestamp::from_microsecond(api.hub.clock.micros()).map(DateTime).map_err(|_| Problem::internal())
}

/// A day that has begun somewhere.
fn day_of(text: &str, now: Timestamp) -> Result<Date, Problem> {
    let wrong = |detail: &str| Problem::invalid_body("/asked_on", detail);
    let day: Date = text.parse().map_err(|_| wrong("`asked_on` is a day, such as 2026-03-02"))?;
    let ahead = hub_tree::jiff::SignedDuration::from_hours(14);
    let latest = now.checked_add(ahead).unwrap_or(now).to_zoned(TimeZone::UTC).date();
    if day > latest { Err(wrong("`asked_on` is a day that has come")) } else { Ok(day) }
}

fn missing(name: &str) -> Problem {
    Problem::invalid_body(&format!("/{name}"), format!("`{name}` is missing"))
}

fn word<T: EnumOf>(fields: &mut Fields, name: &str) -> Result<Option<T>, Problem> {
    let Some(text) = fields.text(name)? else { return Ok(None) };
    let known: Vec<&str> = T::ENUM.values.iter().copied().filter(|known| *known != OTHER).collect();
    T::from_wire(&text).filter(|_| text != OTHER).map(Some).ok_or_else(|| {
        let near = suggest(&text, known.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
        Problem::invalid_body(&format!("/{name}"), format!("`{name}` is one of {}{near}", known.join(", ")))
    })
}

fn text(fields: &mut Fields, name: &str) -> Result<Option<String>, Problem> {
    let found = fields.text(name)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if found.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
        return Err(Problem::invalid_body(&format!("/{name}"), format!("at most {LONGEST} characters")));
    }
    Ok(found)
}
