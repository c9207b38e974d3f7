//! What lies parked: its groups, its items, one of them.

use crate::journeys::{time, zone_name};
use crate::redrives;
use crate::session::Visit;
use crate::words::Lang;
use crate::{Console, Shared};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use hub_flow::access::{Denied, Scope};
use hub_flow::parked::{self, MAX_IDS, Shown};
use hub_store::{Parked, ParkedFilter, ParkedGroup, Verdict, Which, job};
use maud::{Markup, html};

const PAGE: i64 = 50;
/// Groups and re-drives on the first page.
const SHOWN: i64 = 100;
const RECENT: i64 = 5;

/// What a form or an address says: which things, and what about them.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) which: Which,
    pub(crate) after: String,
    pub(crate) rate: Option<i64>,
    pub(crate) verdict: Verdict,
    pub(crate) note: String,
    pub(crate) proof: String,
}

impl Given {
    pub(crate) fn read(text: &str) -> Self {
        let mut given = Self::default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "connection" => given.which.connection = value,
                "step" => given.which.step = value,
                "code" => given.which.code = value,
                "group" => given.which.group = value,
                "id" => given.which.ids.push(value),
                "after" => given.after = value,
                "rate" => given.rate = value.trim().parse().ok(),
                "outcome" => {
                    let known = Verdict::WORDS.iter().find(|(word, _)| *word == value);
                    given.verdict = known.map(|(_, verdict)| *verdict).unwrap_or_default();
                }
                "note" => given.note = value.chars().take(500).collect(),
                "proof" => given.proof = value,
                _ => {}
            }
        }
        given.which.ids.truncate(MAX_IDS);
        given
    }
}

/// The address of a page about these things.
fn address(path: &str, which: &Which, after: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parts(which) {
        query.append_pair(name, value);
    }
    query.extend_pairs(after.map(|after| ("after", after)));
    format!("{path}?{}", query.finish())
}

pub(crate) fn parts(which: &Which) -> Vec<(&'static str, &str)> {
    let own = [
        ("connection", which.connection.as_str()),
        ("step", &which.step),
        ("code", &which.code),
        ("group", &which.group),
    ];
    let own = own.into_iter().filter(|(_, value)| !value.is_empty());
    own.chain(which.ids.iter().map(|id| ("id", id.as_str()))).collect()
}

/// Refuses who may not operate the hub.
pub(crate) fn may(visit: &Visit) -> Result<(), Denied> {
    visit.who.need(Scope::Ops)
}

/// Refuses a form that was not sent from a page of this session.
pub(crate) fn proven(visit: &Visit, proof: &str) -> Result<(), Denied> {
    may(visit)?;
    if proof == visit.proof { Ok(()) } else { Err(Denied::Unknown) }
}

pub(crate) fn failed(visit: &Visit) -> impl Fn(hub_store::StoreError) -> Response + '_ {
    |error| visit.denied(&error.into())
}

/// Groups and what runs; with a filter, the items that fit.
pub(crate) async fn list(
    State(console): State<Console>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    may(&visit).map_err(|reason| visit.denied(&reason))?;
    let Given { which, after, .. } = Given::read(query.as_deref().unwrap_or_default());
    let (lang, shared, tenant) = (visit.lang, &*console.0, visit.who.tenant.clone());
    let title = lang.say("Parked", "待人工处理");
    if which == Which::default() && after.is_empty() {
        let found = shared.hub.store.read(job!(|tx| {
            let groups = tx.parked_groups(&tenant, Which::default(), SHOWN).await?;
            Ok((groups, tx.redrives(&tenant, "", RECENT).await?))
        }));
        let (groups, recent) = found.await.map_err(failed(&visit))?;
        let body = html! {
            h1 { (title) }
            p.lead { (lang.say(
                "What the hub cannot decide alone lies here, by cause. Mend the cause, then try the group again: what was done once is not done twice.",
                "系统无法自行处理的消息按原因归类在此。排除原因后可整组重新处理：已经完成的操作不会重复执行。",
            )) }
            (groups_table(lang, shared, &groups))
            @if !recent.is_empty() {
                h2 { (lang.say("Re-drives and replays", "重新处理与重放")) }
                (redrives::table(&visit, shared, &recent))
            }
        };
        return Ok(visit.page(StatusCode::OK, title, body));
    }
    let filter = ParkedFilter { which: which.clone(), resolved: false, after, limit: PAGE + 1 };
    let items = shared.hub.store.read(job!(|tx| { tx.parked(&tenant, filter).await }));
    let items = items.await.map_err(failed(&visit))?;
    Ok(visit.page(StatusCode::OK, title, items_body(lang, shared, items, &which)))
}

fn groups_table(lang: Lang, shared: &Shared, groups: &[ParkedGroup]) -> Markup {
    if groups.is_empty() {
        return html! { p.empty { (lang.say("Nothing needs a person.", "没有需要人工处理的消息。")) } };
    }
    html! {
        table.journeys {
            thead { tr {
                th.number scope="col" { (lang.say("How many", "数量")) }
                th scope="col" { (lang.say("Cause", "原因")) }
                th scope="col" { (lang.say("Connection", "连接")) }
                th scope="col" { (lang.say("Step", "步骤")) }
                th scope="col" { (lang.say("Since", "最早时间")) }
            } }
            tbody {
                @for group in groups {
                    @let of = Which { group: group.group.clone(), ..Which::default() };
                    tr {
                        td.number data-label=(lang.say("How many", "数量")) { (group.count) }
                        td data-label=(lang.say("Cause", "原因")) {
                            div.cause {
                                a.mono href=(address("/console/parked", &of, None)) { (group.example.code) }
                                p.detail { (group.example.reason) }
                                @if !group.example.place.is_empty() { p.detail.mono.dim { (group.example.place) } }
                            }
                        }
                        td data-label=(lang.say("Connection", "连接")) { (or_dash(&group.example.connection)) }
                        td data-label=(lang.say("Step", "步骤")) { (lang.step(&group.example.step)) }
                        td data-label=(lang.say("Since", "最早时间")) { (time(shared, group.oldest, "%Y-%m-%d %H:%M")) }
                    }
                }
            }
        }
        p.zone { (lang.say("Times in ", "时区：")) (zone_name(shared)) }
    }
}

pub(crate) fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}

pub(crate) fn back(lang: Lang) -> Markup {
    html! { p.crumb { a href="/console/parked" { "← " (lang.say("All that lies parked", "全部待处理")) } } }
}

fn items_body(lang: Lang, shared: &Shared, mut items: Vec<Parked>, which: &Which) -> Markup {
    let more = i64::try_from(items.len()).unwrap_or(0) > PAGE;
    items.truncate(usize::try_from(PAGE).unwrap_or(0));
    let last = items.last().map(|item| item.new.id.clone()).filter(|_| more);
    html! {
        (back(lang))
        h1 { (lang.say("Parked", "待人工处理")) }
        @if let Some(first) = items.first() {
            p.lead { span.mono { (first.new.code) } " · " (first.new.reason) }
            p.actions {
                a.button href=(address("/console/parked/preview", which, None)) {
                    (lang.say("Try all of these again or discard them …", "全部重新处理或放弃…"))
                }
            }
            form method="get" action="/console/parked/preview" {
                table.journeys {
                    thead { tr {
                        th scope="col" { (lang.say("Choose", "选择")) }
                        th scope="col" { (lang.say("Parked", "时间")) }
                        th scope="col" { (lang.say("What is wrong", "问题")) }
                        th scope="col" { (lang.say("Connection", "连接")) }
                        th scope="col" { (lang.say("Journey", "流转")) }
                    } }
                    tbody { @for item in &items { (item_row(lang, shared, item)) } }
                }
                p.zone { (lang.say("Times in ", "时区：")) (zone_name(shared)) }
                p.actions {
                    button type="submit" { (lang.say("Try the chosen ones again or discard them …", "重新处理或放弃所选…")) }
                    @if let Some(after) = last {
                        a href=(address("/console/parked", which, Some(&after))) { (lang.say("More", "更多")) }
                    }
                }
            }
        } @else {
            p.empty { (lang.say("Nothing lies parked here any more.", "此处已没有待处理的消息。")) }
        }
    }
}

fn item_row(lang: Lang, shared: &Shared, item: &Parked) -> Markup {
    let new = &item.new;
    html! {
        tr {
            td data-label=(lang.say("Choose", "选择")) {
                input type="checkbox" name="id" value=(new.id) aria-label=(new.id);
            }
            td data-label=(lang.say("Parked", "时间")) { (time(shared, new.at, "%Y-%m-%d %H:%M:%S")) }
            td data-label=(lang.say("What is wrong", "问题")) {
                div.cause {
                    a href=(format!("/console/parked/{}", new.id)) { (new.reason) }
                    @if !new.place.is_empty() { p.detail.mono.dim { (new.place) } }
                }
            }
            td data-label=(lang.say("Connection", "连接")) { (or_dash(&new.connection)) }
            td data-label=(lang.say("Journey", "流转")) {
                a.mono href=(format!("/console/journeys/{}", new.trace)) { (new.trace.get(..8).unwrap_or(&new.trace)) }
            }
        }
    }
}

/// One of them, with its payload masked.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    may(&visit).map_err(|reason| visit.denied(&reason))?;
    let lang = visit.lang;
    let shown = parked::show(&console.0.hub.store, &visit.who.tenant, &id).await.map_err(failed(&visit))?;
    let Some(shown) = shown else {
        let title = lang.say("Nothing lies parked under this id", "没有这条待处理消息");
        return Ok(visit.page(StatusCode::NOT_FOUND, title, html! { (back(lang)) h1 { (title) } }));
    };
    let body = show_body(lang, &console.0, &shown);
    Ok(visit.page(StatusCode::OK, lang.say("Parked", "待人工处理"), body))
}

fn show_body(lang: Lang, shared: &Shared, shown: &Shown) -> Markup {
    let new = &shown.parked.new;
    let one = Which { ids: vec![new.id.clone()], ..Which::default() };
    let content = shown.content.as_deref().map(indented);
    html! {
        (back(lang))
        h1.mono { (new.code) }
        p.lead { (new.reason) }
        dl.facts {
            div { dt { (lang.say("Parked", "时间")) } dd { (time(shared, new.at, "%Y-%m-%d %H:%M:%S")) " " span.dim { (zone_name(shared)) } } }
            div { dt { (lang.say("Connection", "连接")) } dd { (or_dash(&new.connection)) } }
            div { dt { (lang.say("Step", "步骤")) } dd { (lang.step(&new.step)) } }
            @if !new.place.is_empty() { div { dt { (lang.say("Place", "位置")) } dd.mono { (new.place) } } }
            div { dt { (lang.say("Journey", "流转")) } dd.mono { a href=(format!("/console/journeys/{}", new.trace)) { (new.trace) } } }
            @if let Some(former) = &shown.parked.former {
                div { dt { (lang.say("Tried before as", "此前记录")) } dd.mono { a href=(format!("/console/parked/{former}")) { (former) } } }
            }
            @if let Some(resolved) = &shown.parked.resolved {
                div {
                    dt { (lang.say("Resolved", "处理结果")) }
                    dd { (how(lang, &resolved.how)) " · " (resolved.by) " · " (time(shared, resolved.at, "%Y-%m-%d %H:%M:%S")) " " (resolved.note) }
                }
            }
        }
        @if shown.parked.resolved.is_none() {
            p.actions {
                a.button href=(address("/console/parked/preview", &one, None)) {
                    (lang.say("Try it again or discard it …", "重新处理或放弃…"))
                }
            }
        }
        h2 { (lang.say("What it is", "内容")) }
        p { (shown.what) }
        @if let Some(content) = content {
            @if new.kind != "event" { p.dim { (lang.say("Names of fields, and of each value what kind it is; values are not shown.", "仅显示字段名与值的类型，不显示具体内容。")) } }
            pre.payload tabindex="0" { (content) }
        }
    }
}

/// JSON over several lines.
fn indented(text: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

fn how(lang: Lang, how: &str) -> String {
    match how {
        "redriven" => lang.say("tried again", "已重新处理"),
        "carried_out" => lang.say("was carried out", "确认已执行"),
        "duplicate" => lang.say("was a repetition", "重复消息"),
        "discarded" => lang.say("discarded", "已放弃"),
        other => return other.to_owned(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_things_are_meant_and_is_read_back() {
        let which = Which { group: "ab&c".into(), ids: vec!["1".into(), "2".into()], ..Which::default() };
        let address = address("/console/parked/preview", &which, None);
        assert_eq!(address, "/console/parked/preview?group=ab%26c&id=1&id=2");
        assert_eq!(Given::read(address.split_once('?').unwrap().1).which, which);
    }

    #[test]
    fn a_form_says_how_fast_and_what_is_known() {
        let given = Given::read("rate=7&outcome=carried_out&note=a+b&proof=x&odd=1");
        assert_eq!(
            (given.rate, given.verdict, given.note.as_str(), given.proof.as_str()),
            (Some(7), Verdict::CarriedOut, "a b", "x")
        );
        assert_eq!(Given::read("outcome=perhaps").verdict, Verdict::Unknown);
    }
}
