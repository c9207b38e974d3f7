//! The portal: what people without a key see of their own. A link opens it once; whoever opens it has half an hour, by a
//! sealed cookie that only this path sees.

mod slip;

use crate::page::language;
use crate::session::TENANT;
use crate::words::{Lang, cookie};
use crate::{Console, Shared};
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_flow::audit::Entry;
use hub_flow::change::{Changed, change};
use hub_flow::links;
use hub_flow::reading::{self, Known};
use hub_model::entities::employment::Employee;
use hub_model::entities::pay::{PAYSLIP, PayrollRun, Payslip};
use hub_payroll::out::payslip::Language;
use hub_service::payroll::{NotPrinted, print};
use hub_store::StoreError;
use hub_tree::clock::rfc3339_micros;
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::json;

const COOKIE: &str = "hrhub_portal";
const CONTEXT: &str = "portal-session";
const LASTS_MICROS: i64 = 30 * 60 * 1_000_000;
/// Longest question, in characters.
const LONGEST_QUESTION: usize = 1_000;
/// What the audit log calls whoever has opened a link.
const HOLDER: &str = "portal";

/// Whoever opened a link: which record they see, and until when.
#[derive(Serialize, Deserialize)]
struct Visit {
    tenant: String,
    payslip: String,
    until: i64,
}

impl Visit {
    fn of(shared: &Shared, headers: &HeaderMap) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie(headers, COOKIE)?).ok()?;
        let text = shared.hub.store.keyring().open(TENANT, CONTEXT, &sealed).ok()?;
        let visit: Self = serde_json::from_slice(&text).ok()?;
        (visit.until > shared.hub.clock.micros()).then_some(visit)
    }

    async fn to_cookie(&self, shared: &Shared) -> Result<HeaderValue, StoreError> {
        let keyring = shared.hub.store.keyring();
        keyring.ensure(&shared.hub.store, &shared.hub.clock, TENANT).await?;
        let text = serde_json::to_vec(self).unwrap_or_default();
        let sealed = URL_SAFE_NO_PAD.encode(keyring.seal(TENANT, CONTEXT, &text)?.0);
        let secure = if shared.secure() { "; Secure" } else { "" };
        let seconds = LASTS_MICROS / 1_000_000;
        let text = format!("{COOKIE}={sealed}; Path=/portal; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        Ok(HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("")))
    }
}

fn page(lang: Lang, title: &str, here: &str, status: StatusCode, body: &Markup) -> Response {
    let (other, other_name) = lang.other();
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href="/portal/portal.css";
                link rel="icon" href="data:,";
            }
            body {
                header.top {
                    span.brand { span.mark aria-hidden="true" {} (lang.say("My pay", "我的薪资")) }
                    div.tools { a.lang href=(format!("{here}?lang={}", other.code())) lang=(other.tag()) { (other_name) } }
                }
                main id="main" { (body) }
            }
        }
    };
    (status, Html(markup.into_string())).into_response()
}

fn notice(lang: Lang, here: &str, status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! { section.card.narrow { h1 { (title) } p { (text) } } };
    page(lang, title, here, status, &body)
}

fn spent(lang: Lang, here: &str) -> Response {
    let title = lang.say("This link does not open any more", "链接已失效");
    let text = lang.say(
        "It was opened before, or it ran out. Ask your payroll department for a new one.",
        "链接已被打开或已过期，请联系薪酬部门重新发送。",
    );
    notice(lang, here, StatusCode::GONE, title, text)
}

fn away(lang: Lang, here: &str, error: &dyn std::fmt::Display) -> Response {
    tracing::warn!(error = %error, "a page of the portal could not be shown");
    let title = lang.say("Not available", "暂不可用");
    notice(lang, here, StatusCode::SERVICE_UNAVAILABLE, title, lang.say("Please try again later.", "请稍后再试。"))
}

/// The door: programs that look at links in advance open nothing.
pub(crate) async fn door(
    State(console): State<Console>,
    uri: Uri,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = language(uri.query(), &headers);
    match links::find(&console.0.hub, &token).await {
        Ok(Some(_)) => {
            let title = lang.say("Your payslip is ready", "您的工资单已生成");
            let body = html! {
                section.card.narrow {
                    h1 { (title) }
                    p { (lang.say(
                        "This link opens it once, for half an hour. Open it when nobody looks over your shoulder.",
                        "此链接仅可打开一次，有效查看时间为半小时，请在私密环境下打开。",
                    )) }
                    form method="post" action=(uri.path()) {
                        button type="submit" { (lang.say("Open the payslip", "打开工资单")) }
                    }
                }
            };
            page(lang, title, uri.path(), StatusCode::OK, &body)
        }
        Ok(None) => spent(lang, uri.path()),
        Err(error) => away(lang, uri.path(), &error),
    }
}

/// Opens a link: of all that try, one gets in.
pub(crate) async fn enter(
    State(console): State<Console>,
    uri: Uri,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (shared, lang) = (&console.0, language(uri.query(), &headers));
    let opened = match links::open(&shared.hub, &token).await {
        Ok(Some(link)) => link,
        Ok(None) => return spent(lang, uri.path()),
        Err(error) => return away(lang, uri.path(), &error),
    };
    let Some(payslip) = opened.subject.strip_prefix("payslip/") else { return spent(lang, uri.path()) };
    let until = shared.hub.clock.micros() + LASTS_MICROS;
    let visit = Visit { tenant: opened.tenant, payslip: payslip.to_owned(), until };
    match visit.to_cookie(shared).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/portal/payslip")).into_response(),
        Err(error) => away(lang, uri.path(), &error),
    }
}

/// What a payslip's page needs.
struct Seen {
    payslip: Known<Payslip>,
    run: Option<PayrollRun>,
    employee: Option<Employee>,
}

async fn seen(shared: &Shared, visit: &Visit) -> Result<Option<Seen>, hub_flow::Failure> {
    let (hub, tenant) = (&shared.hub, visit.tenant.as_str());
    let found: Vec<Known<Payslip>> = reading::these(hub, tenant, "payslip", [visit.payslip.clone()]).await?;
    let Some(payslip) = found.into_iter().next() else { return Ok(None) };
    let run = payslip.record.run.as_ref().and_then(|run| run.id.clone());
    let run: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", run).await?;
    let employee = payslip.record.employee.as_ref().and_then(|employee| employee.id.clone());
    let employee: Vec<Known<Employee>> = reading::these(hub, tenant, "employee", employee).await?;
    Ok(Some(Seen {
        run: run.into_iter().next().map(|run| run.record),
        employee: employee.into_iter().next().map(|employee| employee.record),
        payslip,
    }))
}

/// The payslip. That it was seen is kept.
pub(crate) async fn payslip(State(console): State<Console>, uri: Uri, headers: HeaderMap) -> Response {
    let (shared, lang) = (&console.0, language(uri.query(), &headers));
    let Some(visit) = Visit::of(shared, &headers) else { return spent(lang, uri.path()) };
    let seen = match seen(shared, &visit).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return spent(lang, uri.path()),
        Err(error) => return away(lang, uri.path(), &format!("{error:?}")),
    };
    if seen.payslip.record.acknowledged_at.is_none() {
        let patch = json!({ "acknowledged_at": rfc3339_micros(shared.hub.clock.micros()) });
        if let Err(error) = note(shared, &visit, "payslip.seen", patch).await {
            return away(lang, uri.path(), &error);
        }
    }
    let title = lang.say("Payslip", "工资单");
    page(lang, title, uri.path(), StatusCode::OK, &slip::shown(lang, &seen, shared.face.is_some()))
}

/// The payslip as PDF, as long as the page can be seen.
pub(crate) async fn printed(State(console): State<Console>, uri: Uri, headers: HeaderMap) -> Response {
    let (shared, lang) = (&console.0, language(uri.query(), &headers));
    let here = "/portal/payslip";
    let Some(visit) = Visit::of(shared, &headers) else { return spent(lang, here) };
    let words = if lang == Lang::Zh { Language::Chinese } else { Language::English };
    let made = print(&shared.hub, &visit.tenant, &visit.payslip, (shared.face.as_ref(), words)).await;
    let bytes = match made {
        Ok(bytes) => bytes,
        Err(NotPrinted::NotThere | NotPrinted::Draft) => return spent(lang, here),
        Err(NotPrinted::Failed(error)) => return away(lang, here, &format!("{error:?}")),
        Err(NotPrinted::NoFont | NotPrinted::Refused(_)) => {
            let title = lang.say("There is no PDF of it", "暂无法生成 PDF");
            let text = lang.say(
                "The font for it is not set up. Your payroll department can have it set up.",
                "PDF 所需字体尚未配置，请联系薪酬部门。",
            );
            return notice(lang, here, StatusCode::NOT_FOUND, title, text);
        }
    };
    let who = hub_store::AuditWho { handle: HOLDER.to_owned(), name: HOLDER.to_owned(), kind: "link".to_owned() };
    let entry = Entry::of(&visit.tenant, who, "payslip.printed").about(PAYSLIP.name, &visit.payslip);
    if let Err(error) = shared.hub.audit(entry).await {
        return away(lang, here, &error);
    }
    let head = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"payslip.pdf\""),
    ];
    (head, bytes).into_response()
}

/// A question about the payslip.
#[derive(Deserialize)]
pub(crate) struct Question {
    line: String,
    question: String,
}

pub(crate) async fn ask(
    State(console): State<Console>,
    uri: Uri,
    headers: HeaderMap,
    Form(asked): Form<Question>,
) -> Response {
    let (shared, lang) = (&console.0, language(uri.query(), &headers));
    let Some(visit) = Visit::of(shared, &headers) else { return spent(lang, uri.path()) };
    let question = asked.question.trim();
    if question.is_empty() || question.chars().count() > LONGEST_QUESTION {
        let title = lang.say("Not sent", "未发送");
        let text = lang.say("Write your question in up to 1,000 characters.", "请填写问题，不超过 1,000 字。");
        return notice(lang, "/portal/payslip", StatusCode::UNPROCESSABLE_ENTITY, title, text);
    }
    let patch = json!({ "dispute": {
        "status": "OPEN", "question": question, "line": Some(asked.line).filter(|line| !line.is_empty()),
        "asked_at": rfc3339_micros(shared.hub.clock.micros()), "answer": null, "answered_at": null,
    } });
    match note(shared, &visit, "payslip.questioned", patch).await {
        Ok(()) => Redirect::to("/portal/payslip#question").into_response(),
        Err(error) => away(lang, uri.path(), &error),
    }
}

/// Writes what the holder of a link did.
async fn note(
    shared: &Shared,
    visit: &Visit,
    action: &'static str,
    patch: serde_json::Value,
) -> Result<(), StoreError> {
    let who = hub_store::AuditWho { handle: HOLDER.to_owned(), name: HOLDER.to_owned(), kind: "link".to_owned() };
    let entry = Entry::of(&visit.tenant, who, action);
    let about = (visit.tenant.as_str(), &PAYSLIP, visit.payslip.as_str());
    let changed = change(&shared.hub, about, (entry, "portal"), move |_| Ok::<_, ()>((patch.to_string(), ())));
    match changed.await? {
        Changed::Done(()) | Changed::Refused(()) | Changed::NotThere => Ok(()),
    }
}
