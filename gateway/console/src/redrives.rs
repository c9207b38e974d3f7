//! How far re-drives and replays are, and the button that stops one.

use crate::journeys::time;
use crate::parked::{failed, proven};
use crate::session::Visit;
use crate::words::Lang;
use crate::{Console, Shared};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use hub_flow::access::Scope;
use hub_flow::parked::{self, Asker};
use hub_store::{Errand, Redrive, job};
use maud::{Markup, html};

/// How often the page of a running one is shown anew.
const SECONDS: &str = "2";

fn of(lang: Lang, redrive: &Redrive) -> &'static str {
    match redrive.new.errand {
        Errand::Parked(..) => lang.say("Re-drive", "重新处理"),
        Errand::Events(..) => lang.say("Replay of events", "重放事件"),
        Errand::Raws(..) => lang.say("Replay of payloads", "重放报文"),
    }
}

fn state(lang: Lang, redrive: &Redrive) -> Markup {
    let (class, word) = match redrive.state.as_str() {
        "running" => ("chip retry", lang.say("running", "进行中")),
        "stopped" => ("chip parked", lang.say("stopped", "已停止")),
        "failed" => ("chip parked", lang.say("failed", "失败")),
        _ => ("chip ok", lang.say("done", "完成")),
    };
    html! { span class=(class) { (word) } }
}

/// Re-drives and replays.
pub(crate) fn table(visit: &Visit, shared: &Shared, redrives: &[Redrive]) -> Markup {
    let lang = visit.lang;
    html! {
        table.journeys {
            thead { tr {
                th scope="col" { (lang.say("Began", "开始时间")) }
                th scope="col" { (lang.say("What", "类型")) }
                th scope="col" { (lang.say("State", "状态")) }
                th.number scope="col" { (lang.say("Tried again", "已处理")) }
                th scope="col" { (lang.say("By", "操作人")) }
            } }
            tbody {
                @for redrive in redrives {
                    tr {
                        td data-label=(lang.say("Began", "开始时间")) { (time(shared, redrive.new.asked_at, "%Y-%m-%d %H:%M:%S")) }
                        td data-label=(lang.say("What", "类型")) {
                            a href=(format!("/console/redrives/{}", redrive.new.id)) { (of(lang, redrive)) }
                        }
                        td data-label=(lang.say("State", "状态")) { (state(lang, redrive)) }
                        td.number data-label=(lang.say("Tried again", "已处理")) { (redrive.done) " / " (redrive.total) }
                        td data-label=(lang.say("By", "操作人")) { (redrive.new.asked_by) }
                    }
                }
            }
        }
    }
}

/// One of them; while it runs, the page is shown anew by itself.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    visit.who.need(Scope::Ops).map_err(|lacks| visit.denied(&lacks))?;
    let (lang, tenant) = (visit.lang, visit.who.tenant.clone());
    let found = console.0.hub.store.read(job!(|tx| { tx.redrive(&tenant, &id).await })).await;
    let Some(redrive) = found.map_err(failed(&visit))? else {
        let title = lang.say("No such re-drive", "没有这条记录");
        let body = html! { h1 { (title) } p { a href="/console/parked" { (lang.say("All that lies parked", "全部待处理")) } } };
        return Ok(visit.page(StatusCode::NOT_FOUND, title, body));
    };
    let mut response = visit.page(StatusCode::OK, of(lang, &redrive), body(&visit, &console.0, &redrive));
    if redrive.state == "running" {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(SECONDS));
    }
    Ok(response)
}

fn body(visit: &Visit, shared: &Shared, redrive: &Redrive) -> Markup {
    let (lang, new) = (visit.lang, &redrive.new);
    let handled = redrive.done + redrive.refused;
    let button = match redrive.state.as_str() {
        "running" => Some(("stop", lang.say("Stop", "停止"))),
        "stopped" | "failed" => Some(("resume", lang.say("Go on", "继续"))),
        _ => None,
    };
    html! {
        p.crumb { a href="/console/parked" { "← " (lang.say("All that lies parked", "全部待处理")) } }
        h1 { (of(lang, redrive)) " " (state(lang, redrive)) }
        p { progress max=(redrive.total.max(1)) value=(handled) aria-label=(lang.say("Progress", "进度")) {} " " (handled) " / " (redrive.total) }
        @if !redrive.error.is_empty() { p.alert role="alert" { (redrive.error) } }
        @if let Some((verb, word)) = button {
            form.actions method="post" action=(format!("/console/redrives/{}/{verb}", new.id)) {
                input type="hidden" name="proof" value=(visit.proof);
                button type="submit" { (word) }
                span.dim { (lang.say("What was not tried yet stays parked.", "尚未处理的仍保留待处理。")) }
            }
        }
        dl.facts {
            div { dt { (lang.say("Tried again", "已处理")) } dd { (redrive.done) } }
            div { dt { (lang.say("Left as they are", "保留")) } dd { (redrive.refused) } }
            div { dt { (lang.say("At most a second", "每秒最多")) } dd { (new.rate) } }
            div { dt { (lang.say("Asked by", "操作人")) } dd { (new.asked_by) " · " (time(shared, new.asked_at, "%Y-%m-%d %H:%M:%S")) } }
            @if !redrive.changed_by.is_empty() && redrive.changed_at > new.asked_at {
                div { dt { (lang.say("Changed by", "变更人")) } dd { (redrive.changed_by) " · " (time(shared, redrive.changed_at, "%Y-%m-%d %H:%M:%S")) } }
            }
            @if !new.note.is_empty() { div { dt { (lang.say("Why", "说明")) } dd { (new.note) } } }
            div { dt { "ID" } dd.mono { (new.id) } }
        }
    }
}

pub(crate) async fn stop(
    state: State<Console>,
    visit: Visit,
    id: Path<String>,
    form: String,
) -> Result<Response, Response> {
    turn(state, visit, id, &form, false).await
}

pub(crate) async fn resume(
    state: State<Console>,
    visit: Visit,
    id: Path<String>,
    form: String,
) -> Result<Response, Response> {
    turn(state, visit, id, &form, true).await
}

async fn turn(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    form: &str,
    run: bool,
) -> Result<Response, Response> {
    let proof = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "proof");
    let proof = proof.map(|(_, value)| value.into_owned()).unwrap_or_default();
    proven(&visit, &proof).map_err(|reason| visit.denied(&reason))?;
    let (hub, asker) = (&console.0.hub, Asker::of(&visit.who, String::new()));
    parked::turn(&hub.store, &hub.clock, &asker, &id, run).await.map_err(failed(&visit))?;
    // Anything else than an id of ours leads nowhere.
    let id = id.parse::<hub_tree::Id>().map(|id| id.to_string()).unwrap_or_default();
    Ok(Redirect::to(&format!("/console/redrives/{id}")).into_response())
}
