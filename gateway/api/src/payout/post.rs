//! `POST /v1/payroll-runs/{id}:post-journal`: the journal of a locked run goes to the books of a system.

use super::{chosen_of, refused, run_of};
use crate::Api;
use crate::body;
use crate::problem::Problem;
use crate::writes::{self, How};
use axum::body::Body;
use axum::response::Response;
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::reading::{self, Known};
use hub_flow::requests::{Kept, Outgoing, Send, Verb, Which, able};
use hub_model::entities::pay::{PAYROLL_RUN, PayrollRun, RunFile};
use hub_model::scalars::{Currency, DateTime, Money};
use hub_payroll::out::journal::Journal;
use hub_service::payroll::journal_of;
use hub_tree::jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a system calls it that takes a journal; its out mapping reads `payload.journal`.
const OPERATION: &str = "post_journal";
/// The kind of file by which a run remembers it.
const KIND: &str = "journal";

/// Sends the journal once; again only for who says so. The answer is the run, or the operation while it is under way.
pub(crate) async fn journal(api: &Api, who: &Principal, id: &str, how: How, body: Body) -> Result<Response, Problem> {
    who.writes(PAYROLL_RUN.name)?;
    let row = run_of(api, who, PAYROLL_RUN.collection, id).await?;
    let mut given = body::fields(body).await?;
    let needed = |name: &str| Problem::invalid_body(&format!("/{name}"), format!("`{name}` is missing"));
    let connection = given.text("connection")?.ok_or_else(|| needed("connection"))?;
    let chart = given.text("chart")?.ok_or_else(|| needed("chart"))?;
    let again = given.flag("again")?.unwrap_or_default();
    given.finish(&["connection", "chart", "again"])?;
    let chart = chosen_of(&chart, "chart", &api.payout.charts)
        .map_err(|(detail, next)| Problem::invalid_body("/chart", detail).next(next))?;
    let connection = able(&api.hub, &who.tenant, &connection, OPERATION)
        .map_err(|refusal| Problem::invalid_body("/connection", refusal.reason))?;
    let found: Vec<Known<PayrollRun>> =
        reading::these(&api.hub, &who.tenant, PAYROLL_RUN.name, [row.id.clone()]).await.map_err(Problem::from)?;
    let Some(run) = found.into_iter().next().map(|known| known.record) else {
        return Err(Problem::not_found("there is no record with this id"));
    };
    let made = journal_of(&api.hub, &who.tenant, &row.id, &chart).await.map_err(refused)?;
    let mut files = run.files.clone().unwrap_or_default();
    let same = |file: &RunFile| file.kind.as_deref() == Some(KIND) && file.connection.as_ref() == Some(&connection.id);
    if files.iter().any(same) && !again {
        let detail = format!("`{}` was sent the journal of this run already", connection.id);
        let next = "look at its operation (GET /v1/operations); where it failed, send it with \"again\": true";
        return Err(Problem::conflict(detail).next(next));
    }
    let journal = shown(&row.id, &run, &made);
    let sha256 = hex::encode(Sha256::digest(journal.to_string()));
    let currency = run.totals.as_ref().and_then(|totals| totals.gross.as_ref()?.currency.clone());
    let at = Timestamp::from_microsecond(api.hub.clock.micros()).map(DateTime).map_err(|_| Problem::internal())?;
    files.push(RunFile {
        kind: Some(KIND.to_owned()),
        profile: Some(chart.version()),
        connection: Some(connection.id.clone()),
        sha256: Some(sha256.clone()),
        payments: None,
        total: Some(Money { amount: Some(made.total), currency: currency.map(|code| Currency(code.0)) }),
        by: Some(who.handle.clone()),
        at: Some(at),
    });
    let entry = Entry::by(who, "payroll_run.journal_posted").detail("chart", chart.version());
    let outgoing = Outgoing {
        tenant: who.tenant.clone(),
        by: who.name.clone(),
        handle: who.handle.clone(),
        entity: &PAYROLL_RUN,
        name: PAYROLL_RUN.name,
        record: Which::Known(row.id),
        fields: json!({ "files": files }).to_string(),
        ext: None,
        deleted: false,
        sends: vec![Send {
            connection: connection.id.clone(),
            operation: OPERATION.to_owned(),
            beside: json!({ "journal": journal }).to_string(),
            changes: false,
        }],
        kept: Kept::Now,
        key: how.key,
        // Of two who send it at once one is told that the run has changed.
        version: Some(how.version.unwrap_or(row.version)),
        batch: None,
        audit: Some(entry.detail("connection", connection.id.as_str()).detail("sha256", sha256)),
    };
    let asked = writes::send(api, outgoing).await?;
    writes::answer(api, who, &PAYROLL_RUN, Verb::Update, asked, how.wait).await
}

/// The journal as out mappings read it. Its `id` is the run's: a system that is sent it again finds the first one by it.
fn shown(id: &str, run: &PayrollRun, made: &Journal) -> Value {
    let day = |date: Option<&hub_model::scalars::Date>| date.map(|date| date.0.to_string());
    let month = day(run.period_start.as_ref()).map(|first| first.chars().take(7).collect::<String>());
    let text = month.map(|month| format!("工资 {month}"));
    let currency = run.totals.as_ref().and_then(|totals| totals.gross.as_ref()?.currency.as_ref());
    let lines = made.entries.iter().map(|entry| {
        let side = if entry.debit.is_zero() { ("credit", entry.credit) } else { ("debit", entry.debit) };
        let mut line = json!({ "account": entry.account, "text": entry.name, "currency": currency });
        line[side.0] = Value::String(side.1.to_string());
        if let Some(center) = &entry.cost_center {
            line["cost_center"] = Value::String(center.clone());
        }
        line
    });
    json!({
        "id": id, "date": day(run.period_end.as_ref()), "text": text, "currency": currency,
        "lines": lines.collect::<Vec<_>>(),
    })
}
