//! `POST /v1/payroll-runs/{id}:deliver`: everybody of a locked run is told of the payslip, with a link that opens it once;
//! `GET /v1/payroll-runs/{id}/delivery`: who was, who has seen it, who asks something. A message names the period and the
//! link, and no amount.

use super::{MOST_HOURS, USUAL_HOURS, unread};
use crate::Api;
use crate::auth::Caller;
use crate::body;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records;
use crate::writes;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use hub_flow::access::{Denied, Principal};
use hub_flow::audit::Entry;
use hub_flow::links;
use hub_flow::reading::{self, Known};
use hub_flow::requests::{Kept, Outgoing, Send, Which, able};
use hub_model::Class;
use hub_model::entities::employment::AccountSystem;
use hub_model::entities::pay::{PAYROLL_RUN, PAYSLIP, PayrollRun};
use hub_model::entities::shared::{Channel, MESSAGE};
use hub_model::enums::EnumOf;
use hub_service::payroll::{Notice, is_locked, notices};
use hub_store::RecordRow;
use serde_json::{Value, json};

/// Payslips that one request is about, unless it says how many, and at most.
const USUAL: i64 = 100;
const MOST: i64 = 500;
/// Payslips that are read at once.
const PORTION: i64 = 200;
/// Platforms that one request names at most.
const MOST_CHATS: usize = 10;
const OPERATION: &str = "send_message";

/// A chat platform: the connection that sends, and whose accounts of employees it reaches.
struct Chat {
    connection: String,
    system: AccountSystem,
}

/// How people are told.
struct Ways {
    chats: Vec<Chat>,
    mail: Option<String>,
    chinese: bool,
    hours: i64,
    again: bool,
}

/// Whom a message goes to, and by what.
struct Way<'w> {
    connection: &'w str,
    channel: &'static str,
    kind: &'static str,
    to: Value,
}

impl Ways {
    /// How somebody is reached: by the first platform that they have an account at, else by mail; else why not.
    fn to(&self, notice: &Notice) -> Result<Way<'_>, &'static str> {
        let Some(employee) = &notice.employee else { return Err("there is no record of the employee") };
        for chat in &self.chats {
            let own = employee.accounts.iter().flatten().find(|account| {
                account.system.as_ref().is_some_and(|system| system.value == chat.system)
                    && account.external_id.as_ref().is_some_and(|id| !id.is_empty())
            });
            if let Some(id) = own.and_then(|account| account.external_id.as_ref()) {
                let channel = chat.system.as_str();
                return Ok(Way { connection: &chat.connection, channel, kind: "CARD", to: json!({ "user": id }) });
            }
        }
        let mail = self.mail.as_ref().ok_or("no account at the platforms that were named, and no `mail` was named")?;
        let address = employee.work_email.as_ref().filter(|address| !address.is_empty());
        let address = address.ok_or("no account at the platforms that were named, and no `work_email`")?;
        let to = json!({ "address": address });
        Ok(Way { connection: mail, channel: Channel::Email.as_str(), kind: "TEXT", to })
    }

    fn fields(&self, way: &Way<'_>, notice: &Notice, run: &PayrollRun, url: &str) -> Value {
        let day = |date: Option<&hub_model::scalars::Date>| date.map(|date| date.0.clone()).unwrap_or_default();
        let (first, last) = (day(run.period_start.as_ref()), day(run.period_end.as_ref()));
        let hours = self.hours;
        let (subject, body, label) = if self.chinese {
            let body =
                format!("您 {first} 至 {last} 的工资单已生成。链接 {hours} 小时内有效，仅可打开一次，请勿转发。");
            (format!("工资单 {first} – {last}"), body, "打开工资单")
        } else {
            let body = format!(
                "Your payslip from {first} to {last} is ready. The link holds for {hours} hours and opens it once; \
                 do not pass it on."
            );
            (format!("Payslip {first} – {last}"), body, "Open the payslip")
        };
        json!({
            "connection": way.connection, "channel": { "value": way.channel }, "kind": { "value": way.kind },
            "to": [way.to], "subject": subject, "body": body, "actions": [{ "label": label, "url": url }],
            "status": { "value": "QUEUED" }, "about": { "type": PAYSLIP.name, "id": notice.payslip.id },
        })
    }
}

/// What one request does: how people are told, and which part of the run.
struct Asked {
    ways: Ways,
    after: String,
    limit: i64,
}

fn connection(api: &Api, who: &Principal, id: &str, pointer: &str) -> Result<String, Problem> {
    let found = able(&api.hub, &who.tenant, id, OPERATION);
    found.map(|found| found.id.clone()).map_err(|refusal| Problem::invalid_body(pointer, refusal.reason))
}

async fn read(api: &Api, who: &Principal, body: Body) -> Result<Asked, Problem> {
    let mut fields = body::fields(body).await?;
    let given = match fields.take("chats") {
        None => Vec::new(),
        Some(Value::Array(given)) if given.len() <= MOST_CHATS => given,
        Some(_) => {
            let detail = format!("`chats` is a list of up to {MOST_CHATS}: {{\"connection\": …, \"channel\": …}}");
            return Err(Problem::invalid_body("/chats", detail));
        }
    };
    let mut chats = Vec::new();
    for (index, chat) in given.iter().enumerate() {
        let text = |name: &str| chat.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = connection(api, who, text("connection"), &format!("/chats/{index}/connection"))?;
        let known = [AccountSystem::Dingtalk, AccountSystem::Feishu, AccountSystem::Wecom];
        let system = known.into_iter().find(|system| system.as_str() == text("channel"));
        let detail = "`channel` is DINGTALK, FEISHU or WECOM: the platform of the connection";
        let system = system.ok_or_else(|| Problem::invalid_body(&format!("/chats/{index}/channel"), detail))?;
        chats.push(Chat { connection: id, system });
    }
    let mail = fields.text("mail")?.map(|id| connection(api, who, &id, "/mail")).transpose()?;
    if chats.is_empty() && mail.is_none() {
        let detail = "say how people are told: `chats`, or `mail`, a connection that sends mails";
        return Err(Problem::invalid_body("/chats", detail));
    }
    let chinese = match fields.text("language")?.as_deref() {
        None | Some("zh-CN") => true,
        Some("en") => false,
        Some(_) => return Err(Problem::invalid_body("/language", "`language` is zh-CN or en")),
    };
    let hours = fields.whole("hours", MOST_HOURS)?.unwrap_or(USUAL_HOURS).max(1);
    let again = fields.flag("again")?.unwrap_or(false);
    let after = fields.text("after")?.unwrap_or_default();
    let limit = fields.whole("limit", MOST)?.unwrap_or(USUAL).max(1);
    fields.finish(&["chats", "mail", "language", "hours", "again", "after", "limit"])?;
    Ok(Asked { ways: Ways { chats, mail, chinese, hours, again }, after, limit })
}

/// Tells a part of the people. `next` is where the next request goes on; null: everybody was looked at.
pub(crate) async fn deliver(api: &Api, who: &Principal, id: &str, body: Body) -> Result<Response, Problem> {
    for entity in [PAYSLIP.name, MESSAGE.name] {
        who.writes(entity)?;
    }
    who.need_all_units()?;
    let Asked { ways, after, limit } = read(api, who, body).await?;
    let row = records::find(api, who, &PAYROLL_RUN, id).await?;
    let run = run_of(api, who, &row).await?;
    if !is_locked(&run) {
        let detail = "the run is not locked yet: nobody sees a draft";
        return Err(Problem::conflict(detail).next("lock the run first: POST /v1/payroll-runs/{id}:lock"));
    }
    let found = notices(&api.hub, &who.tenant, &row.id, (&after, limit)).await.map_err(unread)?;
    let full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
    let next = found.last().filter(|_| full).map(|last| last.payslip.id.clone());
    let (mut told, mut already, mut unreachable) = (0_u32, 0_u32, Vec::new());
    for notice in &found {
        if !ways.again && notice.told_by().is_some() {
            already += 1;
            continue;
        }
        match ways.to(notice) {
            Ok(way) => {
                tell(api, who, (&ways, &way), &run, notice).await?;
                told += 1;
            }
            Err(reason) => unreachable.push(json!({
                "payslip": notice.payslip.id, "employee_number": notice.number(), "reason": reason,
            })),
        }
    }
    let entry = Entry::by(who, "payroll_run.delivered").about(PAYROLL_RUN.name, &row.id);
    let entry = entry.detail("told", told).detail("already", already).detail("unreachable", unreachable.len());
    api.hub.audit(entry.detail("again", ways.again)).await?;
    let answer = json!({ "told": told, "already": already, "unreachable": unreachable, "next": next });
    Ok(Json(answer).into_response())
}

async fn run_of(api: &Api, who: &Principal, row: &RecordRow) -> Result<PayrollRun, Problem> {
    let found: Vec<Known<PayrollRun>> =
        reading::these(&api.hub, &who.tenant, PAYROLL_RUN.name, [row.id.clone()]).await.map_err(unread)?;
    let found = found.into_iter().next().map(|found| found.record);
    found.ok_or_else(|| Problem::not_found("there is no record with this id"))
}

/// Sends one message. Two requests at the same moment send one: its key counts the messages before.
async fn tell(
    api: &Api,
    who: &Principal,
    (ways, way): (&Ways, &Way<'_>),
    run: &PayrollRun,
    notice: &Notice,
) -> Result<(), Problem> {
    let id = notice.payslip.id.as_str();
    let made = links::make(&api.hub, (&who.tenant, &who.handle), (PAYSLIP.name, id), ways.hours).await?;
    let send = Send {
        connection: way.connection.to_owned(),
        operation: OPERATION.to_owned(),
        beside: "{}".to_owned(),
        changes: false,
    };
    let outgoing = Outgoing {
        tenant: who.tenant.clone(),
        by: who.name.clone(),
        handle: who.handle.clone(),
        entity: &MESSAGE,
        name: MESSAGE.name,
        record: Which::New,
        fields: ways.fields(way, notice, run, &made.url).to_string(),
        ext: None,
        deleted: false,
        sends: vec![send],
        kept: Kept::Now,
        key: Some(format!("payslip:{id}:{}", notice.messages.len())),
        version: None,
        batch: None,
        audit: Some(Entry::by(who, "payslip.link_sent").about(PAYSLIP.name, id)),
    };
    writes::send(api, outgoing).await.map(|_| ())
}

/// `GET /v1/payroll-runs/{id}/delivery`.
pub(crate) async fn delivery(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((collection, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    if collection != PAYROLL_RUN.collection {
        return Err(Problem::not_found("only payslips of a run of payroll are handed out"));
    }
    who.need_all_units()?;
    if who.reads(PAYSLIP.name)? < Class::S2 {
        return Err(Denied::Lacks("read".to_owned()).into());
    }
    parameters(query.as_deref()).finish(&[])?;
    let row = records::find(&api, &who, &PAYROLL_RUN, &id).await?;
    let (mut count, mut told, mut seen) = (0_u32, 0_u32, 0_u32);
    let (mut open, mut questions, mut after) = (Vec::new(), Vec::new(), String::new());
    loop {
        let found = notices(&api.hub, &who.tenant, &row.id, (&after, PORTION)).await.map_err(unread)?;
        let Some(last) = found.last() else { break };
        after.clone_from(&last.payslip.id);
        for notice in &found {
            let (slip, number) = (&notice.payslip, notice.number());
            count += 1;
            seen += u32::from(slip.record.acknowledged_at.is_some());
            match notice.told_by() {
                Some(_) => told += 1,
                None => {
                    let failed = notice.messages.last();
                    let status = failed.and_then(|message| message.record.status.as_ref());
                    open.push(json!({
                        "payslip": slip.id, "employee_number": number, "message": failed.map(|message| &message.id),
                        "status": status.map(|status| status.value.as_str()),
                    }));
                }
            }
            if let Some(asked) = slip.record.dispute.as_ref().filter(|asked| asked.status.as_deref() == Some("OPEN")) {
                questions.push(json!({
                    "payslip": slip.id, "employee_number": number, "line": asked.line, "question": asked.question,
                    "asked_at": asked.asked_at,
                }));
            }
        }
    }
    Ok(Json(json!({
        "run": row.id, "payslips": count, "told": told, "seen": seen, "not_told": open, "questions": questions,
    })))
}
