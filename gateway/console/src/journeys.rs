//! Journeys: the list, and one step by step.

use crate::session::Visit;
use crate::words::Lang;
use crate::{Console, Shared};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use hub_flow::access::Scope;
use hub_store::{Journey, Step, job};
use hub_tree::jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

const PAGE: i64 = 50;

/// What the list is asked for.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// A trace id or a record (`entity/id`) that somebody looks for.
    find: Option<String>,
    /// Journeys behind this place.
    after: Option<String>,
}

pub(crate) async fn list(
    State(console): State<Console>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Response> {
    visit.who.need(Scope::Ops).map_err(|lacks| visit.denied(&lacks))?;
    let find = wanted.find.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some(trace) = find.as_deref().filter(|text| is_trace(text)) {
        return Ok(Redirect::to(&format!("/console/journeys/{}", trace.to_lowercase())).into_response());
    }
    let (tenant, about) = (visit.who.tenant.clone(), find.clone());
    let after = wanted.after.as_deref().and_then(Journey::read_place);
    let found = console.0.hub.store.read(job!(|tx| {
        match about {
            Some(about) => tx.journeys_about(&tenant, &about, after, PAGE + 1).await,
            None => tx.journeys(&tenant, after, PAGE + 1).await,
        }
    }));
    let journeys = found.await.map_err(|error| visit.denied(&error.into()))?;
    let body = list_body(visit.lang, &console.0, journeys, find.as_deref());
    Ok(visit.page(StatusCode::OK, visit.lang.say("Journeys", "流转记录"), body))
}

fn is_trace(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn list_body(lang: Lang, shared: &Shared, mut journeys: Vec<Journey>, find: Option<&str>) -> Markup {
    let more = i64::try_from(journeys.len()).unwrap_or(0) > PAGE;
    journeys.truncate(usize::try_from(PAGE).unwrap_or(0));
    let oldest = journeys.last().map(Journey::place);
    html! {
        div.head {
            h1 { (lang.say("Journeys", "流转记录")) }
            form.find method="get" action="/console/journeys" role="search" {
                label.hidden for="find" { (lang.say("Trace id, or record such as application/…", "追踪号，或记录，如 application/…")) }
                input id="find" name="find" type="search" value=[find]
                    placeholder=(lang.say("Trace id, or application/…", "追踪号，或 application/…"));
                button type="submit" { (lang.say("Find", "查找")) }
            }
        }
        p.lead { (lang.say(
            "A journey is all that one message caused, from its arrival to the last call.",
            "一条流转记录包含一条消息从到达到最后一次调用所引起的全部步骤。",
        )) }
        @if journeys.is_empty() {
            p.empty {
                @if find.is_some() { (lang.say("Nothing was found.", "没有找到。")) }
                @else { (lang.say("No message has arrived yet.", "还没有消息到达。")) }
            }
        } @else {
            table.journeys {
                thead { tr {
                    th scope="col" { (lang.say("Began", "开始时间")) }
                    th scope="col" { (lang.say("About", "对象")) }
                    th scope="col" { (lang.say("State", "状态")) }
                    th.number scope="col" { (lang.say("Steps", "步骤")) }
                    th.number scope="col" { (lang.say("Took", "用时")) }
                    th scope="col" { (lang.say("Trace id", "追踪号")) }
                } }
                tbody {
                    @for journey in &journeys { (row(lang, shared, journey)) }
                }
            }
            p.zone { (lang.say("Times in ", "时区：")) (zone_name(shared)) }
        }
        @if let Some(after) = oldest.filter(|_| more) {
            p { a.button href=(older(&after, find)) { (lang.say("Older", "更早的")) } }
        }
    }
}

/// The address of the list behind a place.
fn older(after: &str, find: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("after", after);
    query.extend_pairs(find.map(|find| ("find", find)));
    format!("/console/journeys?{}", query.finish())
}

fn row(lang: Lang, shared: &Shared, journey: &Journey) -> Markup {
    html! {
        tr {
            td data-label=(lang.say("Began", "开始时间")) { (time(shared, journey.started_at, "%Y-%m-%d %H:%M:%S")) }
            td data-label=(lang.say("About", "对象")) { (subject(lang, &journey.subject, false)) }
            td data-label=(lang.say("State", "状态")) { (state(lang, journey.trouble)) }
            td.number data-label=(lang.say("Steps", "步骤")) { (journey.steps) }
            td.number data-label=(lang.say("Took", "用时")) { (took(journey.last_at - journey.started_at)) }
            td data-label=(lang.say("Trace id", "追踪号")) {
                a.mono href=(format!("/console/journeys/{}", journey.trace)) { (journey.trace) }
            }
        }
    }
}

fn state(lang: Lang, trouble: i64) -> Markup {
    html! {
        @if trouble == 0 {
            span.chip.ok { (lang.say("fine", "正常")) }
        } @else {
            span.chip.parked { (trouble) " " (lang.say("to look at", "处需关注")) }
        }
    }
}

pub(crate) fn time(shared: &Shared, micros: i64, format: &str) -> Markup {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    let shown = at.to_zoned(shared.zone.clone()).strftime(format).to_string();
    html! { time datetime=(format!("{at:.3}")) { (shown) } }
}

pub(crate) fn zone_name(shared: &Shared) -> String {
    shared.zone.iana_name().unwrap_or("UTC").to_owned()
}

/// A duration in the unit that people would choose.
fn took(micros: i64) -> String {
    let micros = micros.max(0);
    match micros {
        0..1_000_000 => format!("{} ms", micros / 1000),
        1_000_000..120_000_000 => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
        _ => format!("{} min", micros / 60_000_000),
    }
}

/// A record, by what it is and the end of its id; leads to all its journeys.
pub(crate) fn subject(lang: Lang, subject: &str, link: bool) -> Markup {
    let (entity, id) = subject.split_once('/').unwrap_or((subject, ""));
    let short: String = id.chars().skip(id.chars().count().saturating_sub(12)).collect();
    let shown = html! { (lang.entity(entity)) @if !short.is_empty() { " " span.mono.dim { (short) } } };
    html! {
        @if subject.is_empty() { "–" }
        @else if link { a href=(format!("/console/journeys?find={subject}")) title=(subject) { (shown) } }
        @else { span title=(subject) { (shown) } }
    }
}

pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(trace): Path<String>,
) -> Result<Response, Response> {
    visit.who.need(Scope::Ops).map_err(|lacks| visit.denied(&lacks))?;
    let trace = trace.to_lowercase();
    let (tenant, wanted) = (visit.who.tenant.clone(), trace.clone());
    let steps = console.0.hub.store.read(job!(|tx| { tx.journey(&tenant, &wanted).await })).await;
    let steps = steps.map_err(|error| visit.denied(&error.into()))?;
    if steps.is_empty() {
        let title = visit.lang.say("No such journey", "没有这条流转记录");
        let body = html! {
            h1 { (title) }
            p { a href="/console/journeys" { (visit.lang.say("All journeys", "全部流转记录")) } }
        };
        return Ok(visit.page(StatusCode::NOT_FOUND, title, body));
    }
    let body = show_body(visit.lang, &console.0, &trace, &steps);
    Ok(visit.page(StatusCode::OK, visit.lang.say("Journey", "流转详情"), body))
}

fn show_body(lang: Lang, shared: &Shared, trace: &str, steps: &[Step]) -> Markup {
    let first = steps.iter().map(|step| step.at).min().unwrap_or(0);
    let last = steps.iter().map(|step| step.at).max().unwrap_or(0);
    let trouble = steps.iter().filter(|step| step.result != "ok").count();
    html! {
        p.crumb { a href="/console/journeys" { "← " (lang.say("All journeys", "全部流转记录")) } }
        h1 { (lang.say("Journey", "流转详情")) }
        dl.facts {
            div { dt { (lang.say("Trace id", "追踪号")) } dd.mono { (trace) } }
            div { dt { (lang.say("Began", "开始时间")) } dd { (time(shared, first, "%Y-%m-%d %H:%M:%S")) " " span.dim { (zone_name(shared)) } } }
            div { dt { (lang.say("Took", "用时")) } dd { (took(last - first)) } }
            div { dt { (lang.say("Steps", "步骤")) } dd { (steps.len()) } }
            div { dt { (lang.say("State", "状态")) } dd { (state(lang, i64::try_from(trouble).unwrap_or(0))) } }
        }
        ol.timeline {
            @for step in steps {
                li class=(step.result) {
                    div.when {
                        (time(shared, step.at, "%H:%M:%S%.3f"))
                        span.dim { "+" (took(step.at - first)) }
                    }
                    div.what {
                        strong { (lang.step(&step.step)) }
                        span.system { (step.system) }
                        span class=(format!("chip {}", step.result)) { (lang.result(&step.result)) }
                    }
                    div.about { (subject(lang, &step.subject, true)) }
                    p.detail { (step.detail) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_asks_for_the_same() {
        assert_eq!(older("5.ab", None), "/console/journeys?after=5.ab");
        assert_eq!(older("5.ab", Some("a&b/ü")), "/console/journeys?after=5.ab&find=a%26b%2F%C3%BC");
    }

    #[test]
    fn durations_read_well_and_trace_ids_are_known() {
        assert_eq!([took(0), took(12_345), took(1_234_567), took(300_000_000)], ["0 ms", "12 ms", "1.2 s", "5 min"]);
        assert!(is_trace("4BF92F3577B34DA6A3CE929D0E0E4736") && !is_trace("application/1"));
    }
}
