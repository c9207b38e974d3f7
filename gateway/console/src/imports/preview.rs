//! The rows of a file with what was found, sensitive values masked.

use super::Shown;
use crate::Shared;
use crate::parked::failed;
use crate::session::Visit;
use crate::words::Lang;
use axum::response::Response;
use hub_flow::imports::{self, Column, Finding, RowBody};
use hub_store::{ImportRow, ImportRowFilter, ImportState, job};
use maud::{Markup, html};

/// Rows of a page.
const PAGE: i64 = 50;
/// In the place of a value that is not shown.
const MASKED: &str = "•••";

/// The rows of a page, and the ways to others.
pub(super) async fn rows(shared: &Shared, visit: &Visit, shown: &Shown, query: &str) -> Result<Markup, Response> {
    let (lang, import) = (visit.lang, &shown.import);
    if matches!(import.state, ImportState::Uploaded | ImportState::Checking | ImportState::Discarded) {
        return Ok(html! {});
    }
    let given = |wanted: &str| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (state, after) = (given("rows"), given("after").parse().unwrap_or(0));
    let filter = ImportRowFilter { state: state.clone(), after, limit: PAGE + 1 };
    let wanted = import.id.clone();
    let found = shared.hub.store.read(job!(|tx| { tx.import_rows(&wanted, filter).await }));
    let mut found = found.await.map_err(failed(visit))?;
    let more = i64::try_from(found.len()).unwrap_or(0) > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(0));
    let last = found.last().map(|row| row.number).filter(|_| more);
    let mut opened = Vec::with_capacity(found.len());
    for row in found {
        let body = imports::open_row(&shared.hub, import, &row).map_err(failed(visit))?;
        opened.push((row, body));
    }
    // With a mapping of its own every column counts.
    let all = shown.about.columns.iter().all(|column| column.field.is_none());
    let columns: Vec<(usize, &Column)> =
        shown.about.columns.iter().enumerate().filter(|(_, column)| all || column.field.is_some()).collect();
    let allowed = imports::previewed(&visit.who);
    let choices = [
        ("", lang.say("All rows", "全部")),
        ("bad", lang.say("Bad", "有错误")),
        ("warned", lang.say("With a remark", "有提示")),
        ("good", lang.say("Good, not applied", "可写入")),
        ("applied", lang.say("Applied", "已写入")),
        ("failed", lang.say("Not applied after all", "未能写入")),
    ];
    let address = |state: &str, after: i64| format!("/console/imports/{}?rows={state}&after={after}#rows", import.id);
    Ok(html! {
        h2 id="rows" { (lang.say("Rows", "各行")) }
        p.actions { @for (word, name) in choices {
            a href=(address(word, 0)) aria-current=[(word == state).then_some("true")] { (name) }
        } }
        @if opened.is_empty() {
            p.empty { (lang.say("No row stands so.", "没有这样的行。")) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(lang.say("Rows", "各行")) {
                table.rows {
                    thead { tr {
                        th.number scope="col" { (lang.say("Row", "行")) }
                        th scope="col" { (lang.say("Result", "结果")) }
                        @for (_, column) in &columns { th scope="col" { (column.heading) } }
                    } }
                    tbody { @for (row, body) in &opened {
                        tr {
                            td.number data-label=(lang.say("Row", "行")) { (row.number) }
                            td data-label=(lang.say("Result", "结果")) { (result(lang, row, body)) }
                            @for (index, column) in &columns { (cell(body, *index, column, row.number, column.class() > allowed)) }
                        }
                    } }
                }
            }
            @if let Some(last) = last { p { a.button href=(address(&state, last)) { (lang.say("More", "更多")) } } }
        }
    })
}

fn said(lang: Lang, finding: &Finding) -> &str {
    match lang {
        Lang::En => &finding.en,
        Lang::Zh => &finding.zh,
    }
}

fn result(lang: Lang, row: &ImportRow, body: &RowBody) -> Markup {
    let (class, word) = match row.state.as_str() {
        "good" if row.warned => ("chip retry", lang.say("remark", "提示")),
        "good" => ("chip ok", lang.say("good", "可写入")),
        "applied" => ("chip ok", lang.say("applied", "已写入")),
        "ignored" => ("chip retry", lang.say("passed over", "忽略")),
        "failed" => ("chip parked", lang.say("not applied", "未写入")),
        _ => ("chip parked", lang.say("bad", "有错误")),
    };
    html! {
        div.findings {
            span class=(class) { (word) }
            @if !row.trace.is_empty() { " " a.mono href=(format!("/console/journeys/{}", row.trace)) { (row.trace.get(..8).unwrap_or_default()) } }
            @if !body.findings.is_empty() {
                ul { @for finding in &body.findings {
                    li {
                        @if !finding.heading.is_empty() { b { (finding.heading) } " " }
                        (said(lang, finding)) " " span.mono.dim { (finding.code) }
                    }
                } }
            }
        }
    }
}

fn cell(body: &RowBody, index: usize, column: &Column, number: i64, masked: bool) -> Markup {
    let text = body.cells.get(index).map(String::as_str).unwrap_or_default();
    let place = format!("{}{number}", column.letters);
    let here: Vec<&Finding> = body.findings.iter().filter(|finding| finding.cell == place).collect();
    let class = match here.as_slice() {
        [] => "",
        found if found.iter().any(|finding| finding.error) => "cell-bad",
        _ => "cell-odd",
    };
    html! {
        td class=(class) data-label=(column.heading) { (if masked && !text.is_empty() { MASKED } else { text }) }
    }
}
