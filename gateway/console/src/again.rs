//! Trying parked things again and discarding them, both after a look at what that would touch.

use crate::journeys::time;
use crate::parked::{Given, back, failed, may, or_dash, parts, proven};
use crate::session::Visit;
use crate::{Console, Shared};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use hub_flow::parked::{self, Asker, HIGHEST_RATE, OUTCOME_UNKNOWN, Preview, RATE};
use hub_flow::redrive::tells;
use hub_store::{Errand, Verdict, Which};
use maud::{Markup, html};

/// What trying again would touch, and the forms that do it.
pub(crate) async fn preview(
    State(console): State<Console>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    may(&visit).map_err(|reason| visit.denied(&reason))?;
    let Given { which, .. } = Given::read(query.as_deref().unwrap_or_default());
    let (lang, hub) = (visit.lang, &console.0.hub);
    if which == Which::default() {
        return Ok(Redirect::to("/console/parked").into_response());
    }
    let tells = |connection: &str, operation: &str| tells(hub, connection, operation);
    let preview = parked::preview(&hub.store, &visit.who.tenant, &which, Verdict::Unknown, &tells).await;
    let preview = preview.map_err(failed(&visit))?;
    let body = preview_body(&visit, &console.0, &which, &preview);
    Ok(visit.page(StatusCode::OK, lang.say("Try again?", "重新处理？"), body))
}

fn preview_body(visit: &Visit, shared: &Shared, which: &Which, preview: &Preview) -> Markup {
    let lang = visit.lang;
    let unknown = preview.touched.causes.iter().any(|cause| cause.2 == OUTCOME_UNKNOWN);
    let hidden = html! {
        @for (name, value) in parts(which) { input type="hidden" name=(name) value=(value); }
        input type="hidden" name="proof" value=(visit.proof);
    };
    html! {
        (back(lang))
        h1 { (lang.say("Try again?", "重新处理？")) }
        @if preview.total == 0 {
            p.empty { (lang.say("Nothing lies parked here any more.", "此处已没有待处理的消息。")) }
        } @else {
            p.lead { (lang.say("Nothing has been changed yet.", "尚未做任何更改。")) }
            dl.facts {
                div { dt { (lang.say("Would be tried again", "将重新处理")) } dd { strong { (preview.total - preview.refused) } } }
                @if preview.refused > 0 {
                    div { dt { (lang.say("Would stay parked: nobody can know whether they were carried out", "将保留：无法确认是否已执行")) } dd { strong { (preview.refused) } } }
                }
                @if let Some(oldest) = preview.oldest {
                    div { dt { (lang.say("The oldest since", "最早时间")) } dd { (time(shared, oldest, "%Y-%m-%d %H:%M")) } }
                }
                div { dt { (lang.say("Records touched", "涉及记录")) } dd { (preview.touched.records) } }
                div { dt { (lang.say("Payloads mapped again", "重新映射的报文")) } dd { (preview.touched.payloads) } }
            }
            ul.touched {
                @for (connection, step, code, count, _) in &preview.touched.causes {
                    li { strong { (count) } " · " (or_dash(connection)) " · " (lang.step(step)) " · " span.mono { (code) } }
                }
                @for calls in &preview.touched.calls {
                    li {
                        strong { (calls.count) } " · "
                        (if calls.done { lang.say("answers read again", "重新解析应答") } else { lang.say("calls", "调用") })
                        " · " (calls.operation) " · " (calls.connection)
                    }
                }
                @for (system, count) in &preview.touched.effects {
                    li { strong { (count) } " · " (lang.say("calls done before, not repeated", "此前已完成的调用，不会重复")) " · " (system) }
                }
            }
            div.choices {
                form.card.stack method="post" action="/console/parked/redrive" {
                    h2 { (lang.say("Try again", "重新处理")) }
                    (hidden)
                    label for="rate" { (lang.say("At most so many a second", "每秒最多")) }
                    input id="rate" name="rate" type="number" min="1" max=(HIGHEST_RATE) value=(RATE) required;
                    @if unknown {
                        label for="outcome" { (lang.say("Calls whose outcome is unknown", "结果未知的调用")) }
                        select id="outcome" name="outcome" {
                            option value="" { (lang.say("Ask the vendor where it can tell; leave the others", "能查询则查询对方系统，其余保留")) }
                            option value="not_carried_out" { (lang.say("I have looked: they were not carried out", "已核实：未执行")) }
                            option value="carried_out" { (lang.say("I have looked: they were carried out", "已核实：已执行")) }
                        }
                    }
                    label for="note" { (lang.say("Why (optional)", "说明（可选）")) }
                    input id="note" name="note" maxlength="500";
                    button type="submit" { (lang.say("Try again", "重新处理")) }
                }
                form.card.stack method="post" action="/console/parked/discard" {
                    h2 { (lang.say("Discard", "放弃")) }
                    (hidden)
                    p.dim { (lang.say("Nobody tries them again. They stay in the store with your name.", "不再处理，但会连同操作人一并保留在存储中。")) }
                    label for="why" { (lang.say("Why", "原因")) }
                    input id="why" name="note" maxlength="500" required;
                    button.danger type="submit" { (lang.say("Discard", "放弃")) " " (preview.total) }
                }
            }
        }
    }
}

/// Begins to try parked things again.
pub(crate) async fn redrive(State(console): State<Console>, visit: Visit, form: String) -> Result<Response, Response> {
    let given = Given::read(&form);
    proven(&visit, &given.proof).map_err(|reason| visit.denied(&reason))?;
    if given.which == Which::default() {
        return Ok(Redirect::to("/console/parked").into_response());
    }
    let asker = Asker::of(&visit.who, given.note);
    let (hub, errand) = (&console.0.hub, Errand::Parked(given.which, given.verdict));
    let begun = parked::redrive(&hub.store, &hub.clock, asker, errand, given.rate.unwrap_or(RATE)).await;
    let begun = begun.map_err(failed(&visit))?;
    Ok(Redirect::to(&format!("/console/redrives/{}", begun.new.id)).into_response())
}

/// Discards parked things.
pub(crate) async fn discard(State(console): State<Console>, visit: Visit, form: String) -> Result<Response, Response> {
    let given = Given::read(&form);
    proven(&visit, &given.proof).map_err(|reason| visit.denied(&reason))?;
    if given.which != Which::default() {
        let asker = Asker::of(&visit.who, given.note);
        let hub = &console.0.hub;
        parked::discard(&hub.store, &hub.clock, &asker, &given.which).await.map_err(failed(&visit))?;
    }
    Ok(Redirect::to("/console/parked").into_response())
}
