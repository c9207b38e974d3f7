//! The page of one import: where it stands, what can be done next, what was done.

use super::{Refused, back, chip, kind, may, preview, title, words};
use crate::journeys::{time, zone_name};
use crate::parked::failed;
use crate::session::Visit;
use crate::words::Lang;
use crate::{Console, Shared};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hub_flow::access::Scope;
use hub_flow::imports::{self, Shown, sheet};
use hub_store::{ImportState, ImportStep, Written, job};
use maud::{Markup, html};

/// How often the page of one that the hub is at is shown anew.
const SECONDS: &str = "2";
/// Records that stayed as they are and are listed.
const LISTED: i64 = 50;

/// One import.
pub(crate) async fn show(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    may(&visit).map_err(|lacks| visit.denied(&lacks))?;
    page(&console.0, &visit, &id, query.as_deref().unwrap_or_default(), None).await
}

pub(super) async fn page(
    shared: &Shared,
    visit: &Visit,
    id: &str,
    query: &str,
    wrong: Option<String>,
) -> Result<Response, Response> {
    let lang = visit.lang;
    let shown = match imports::find(&shared.hub, &visit.who.tenant, id).await {
        Ok(shown) => shown,
        Err(Refused::Store(error)) => return Err(failed(visit)(error)),
        Err(refused) => {
            let title = words(lang, &refused);
            return Ok(visit.page(StatusCode::NOT_FOUND, &title, html! { (back(lang)) h1 { (title) } }));
        }
    };
    let wanted = id.to_owned();
    let read = shared.hub.store.read(job!(|tx| {
        let steps = tx.import_steps(&wanted).await?;
        Ok((steps, tx.written(&wanted, "kept", LISTED).await?))
    }));
    let (steps, kept) = read.await.map_err(failed(visit))?;
    let rows = preview::rows(shared, visit, &shown, query).await?;
    let status = if wrong.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let body = html! {
        (back(lang))
        h1 { (shown.about.file_name) " " (chip(lang, &shown.import)) }
        @if let Some(wrong) = wrong { p.alert role="alert" { (wrong) } }
        @if !shown.import.error.is_empty() { p.alert role="alert" { (shown.import.error) } }
        (progress(lang, &shown))
        (facts(visit, shared, &shown))
        (next(visit, &shown))
        @if !kept.is_empty() { (conflicts(lang, &kept)) }
        (rows)
        (history(lang, shared, &steps))
    };
    let mut response = visit.page(status, title(lang), body);
    if shown.import.state.moves() {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(SECONDS));
    }
    Ok(response)
}

fn progress(lang: Lang, shown: &Shown) -> Markup {
    let counts = &shown.import.counts;
    let (done, all) = match shown.import.state {
        ImportState::Applying => (counts.done + counts.failed, counts.good + counts.failed),
        ImportState::Undoing => (counts.undone + counts.kept, counts.created + counts.updated),
        ImportState::Checking => {
            return html! { p { progress aria-label=(lang.say("Progress", "进度")) {} " " (lang.say("every row is being looked at", "正在逐行校验")) } };
        }
        _ => return html! {},
    };
    html! {
        p { progress max=(all.max(1)) value=(done) aria-label=(lang.say("Progress", "进度")) {} " " (done) " / " (all) }
    }
}

fn facts(visit: &Visit, shared: &Shared, shown: &Shown) -> Markup {
    let (lang, counts, about) = (visit.lang, &shown.import.counts, &shown.about);
    let zero = |count: i64| count > 0;
    html! {
        dl.facts {
            div { dt { (lang.say("Each row is", "每一行是")) } dd { (kind(lang, &shown.import.target)) } }
            @if !about.sheet.is_empty() { div { dt { (lang.say("Sheet", "工作表")) } dd { (about.sheet) } } }
            div { dt { (lang.say("Header", "表头")) } dd { (lang.say("row ", "第 ")) (about.header_row) (lang.say("", " 行")) } }
            div { dt { (lang.say("Read as", "读取方式")) } dd { (about.kind) " " (about.encoding) } }
            div { dt { (lang.say("Records that are there", "已存在的记录")) } dd { @if about.upsert { (lang.say("are changed", "更新")) } @else { (lang.say("are an error", "视为错误")) } } }
            @if !matches!(shown.import.state, ImportState::Uploaded | ImportState::Checking) {
                div { dt { (lang.say("Rows", "行数")) } dd { (counts.total) } }
                div { dt { (lang.say("Good", "可写入")) } dd { (counts.good) } }
                @if zero(counts.warned) { div { dt { (lang.say("Good, with a remark", "可写入，有提示")) } dd { (counts.warned) } } }
                div { dt { (lang.say("Bad", "有错误")) } dd { (counts.bad) } }
            }
            @if zero(counts.ignored) { div { dt { (lang.say("Passed over", "忽略")) } dd { (counts.ignored) } } }
            @if zero(counts.done) { div { dt { (lang.say("Rows applied", "已写入行数")) } dd { (counts.done) } } }
            @if zero(counts.failed) { div { dt { (lang.say("Rows not applied after all", "未能写入")) } dd { (counts.failed) } } }
            @if zero(counts.created + counts.updated) {
                div { dt { (lang.say("Records made", "新建记录")) } dd { (counts.created) } }
                div { dt { (lang.say("Records changed", "更新记录")) } dd { (counts.updated) } }
            }
            @if zero(counts.undone + counts.kept) {
                div { dt { (lang.say("Records undone", "已撤销记录")) } dd { (counts.undone) } }
                div { dt { (lang.say("Kept: changed since", "保留：之后被修改")) } dd { (counts.kept) } }
            }
            @if shown.import.is_trial() { div { dt { (lang.say("Applied to", "写入到")) } dd.mono { (shown.import.into) } } }
            div { dt { (lang.say("Uploaded", "上传时间")) } dd { (time(shared, shown.import.uploaded_at, "%Y-%m-%d %H:%M:%S")) " " span.dim { (zone_name(shared)) } } }
        }
    }
}

/// What can be done next.
fn next(visit: &Visit, shown: &Shown) -> Markup {
    let (lang, import) = (visit.lang, &shown.import);
    let address = |verb: &str| format!("/console/imports/{}/{verb}", import.id);
    let imports = visit.who.need(Scope::Import).is_ok();
    match import.state {
        ImportState::Uploaded if imports => html! {
            h2 { (lang.say("What the columns mean", "各列的含义")) }
            (columns(visit, shown))
            (discard(lang, &import.id))
        },
        ImportState::Checked if imports => html! {
            (apply(visit, shown))
            details {
                summary { (lang.say("Change what the columns mean", "修改各列的含义")) }
                (columns(visit, shown))
            }
        },
        ImportState::AwaitingReview => html! {
            section.card {
                h2 { (lang.say("A second person has to agree", "需要第二人复核")) }
                p { (lang.say("Whoever brought the file or asked for it cannot.", "上传或提交此文件的人不能复核。")) }
                form.actions method="post" action=(address("approve")) {
                    input type="hidden" name="proof" value=(visit.proof);
                    button type="submit" { (lang.say("Agree and apply it", "同意并写入")) }
                    a href=(address("discard")) { (lang.say("Discard it …", "放弃…")) }
                    a href=(address("report.xlsx")) { (lang.say("Download the report", "下载校验报告")) }
                }
            }
        },
        ImportState::Applied => html! {
            p.actions {
                @if import.is_trial() { a.button href=(address("comparison")) { (lang.say("Compare the trial with the records", "对比试导入与现有记录")) } }
                @if imports { a.button href=(address("undo")) {
                    @if import.is_trial() { (lang.say("Roll the trial back …", "清除试导入…")) } @else { (lang.say("Undo this import …", "撤销此次导入…")) }
                } }
                a href=(address("report.xlsx")) { (lang.say("Download the report", "下载校验报告")) }
            }
        },
        ImportState::Failed if imports => discard(lang, &import.id),
        _ => html! {},
    }
}

fn discard(lang: Lang, id: &str) -> Markup {
    html! { p { a href=(format!("/console/imports/{id}/discard")) { (lang.say("Discard it …", "放弃…")) } } }
}

fn apply(visit: &Visit, shown: &Shown) -> Markup {
    let (lang, import, counts) = (visit.lang, &shown.import, &shown.import.counts);
    let address = |verb: &str| format!("/console/imports/{}/{verb}", import.id);
    html! {
        form.card.stack method="post" action=(address("apply")) {
            input type="hidden" name="proof" value=(visit.proof);
            @if counts.good == 0 {
                p { (lang.say("No row can be applied: mend the file and bring it again.", "没有可写入的行：请修改文件后重新上传。")) }
            } @else {
                @if counts.bad > 0 {
                    label { input type="radio" name="rows" value="good" checked[!shown.about.all_or_nothing]; " "
                        (lang.say("Apply the good rows, leave the bad ones out", "写入正确的行，跳过有错误的行")) }
                    label { input type="radio" name="rows" value="all" checked[shown.about.all_or_nothing]; " "
                        (lang.say("Apply all rows or none: the file is to be mended first", "全部写入或全部不写入：需先修改文件")) }
                } @else {
                    label { input type="checkbox" name="rows" value="all" checked; " "
                        (lang.say("All rows or none: if one cannot be applied after all, the others are undone", "全部写入或全部不写入：若有一行最终无法写入，则撤销其余各行")) }
                }
                p.actions {
                    button type="submit" { (lang.say("Apply", "写入")) " (" (counts.good) ")" }
                    button.quiet type="submit" name="trial" value="yes" { (lang.say("Try it on a tenant of its own", "先在试用租户中试导入")) }
                }
            }
            p.actions {
                a href=(address("report.xlsx")) { (lang.say("Download the report", "下载校验报告")) }
                a href=(address("discard")) { (lang.say("Discard it …", "放弃…")) }
            }
        }
    }
}

/// What each column means, to be confirmed.
fn columns(visit: &Visit, shown: &Shown) -> Markup {
    let (lang, about) = (visit.lang, &shown.about);
    let fields = sheet::fields(&shown.import.target);
    let name = |field: &str| {
        let known = fields.iter().find(|(id, ..)| *id == field);
        known.map_or_else(|| field.to_owned(), |(_, en, zh)| lang.say(en, zh).to_owned())
    };
    html! {
        form method="post" action=(format!("/console/imports/{}/columns", shown.import.id)) {
            input type="hidden" name="proof" value=(visit.proof);
            @if !about.missing.is_empty() {
                p.alert role="alert" {
                    (lang.say("No column is: ", "缺少必填列："))
                    @for (n, field) in about.missing.iter().enumerate() { @if n > 0 { (lang.say(", ", "、")) } (name(field)) }
                }
            }
            @if about.sheets.len() > 1 {
                p { label for="sheet" { (lang.say("Sheet", "工作表")) " " }
                    select id="sheet" name="sheet" {
                        @for sheet in &about.sheets { option value=(sheet) selected[*sheet == about.sheet] { (sheet) } }
                    }
                }
            }
            table.journeys {
                thead { tr {
                    th scope="col" { (lang.say("Column", "列")) }
                    th scope="col" { (lang.say("Heading", "表头")) }
                    th scope="col" { (lang.say("Means", "含义")) }
                } }
                tbody { @for column in &about.columns {
                    tr {
                        td.mono data-label=(lang.say("Column", "列")) { (column.letters) }
                        td data-label=(lang.say("Heading", "表头")) { (column.heading) }
                        td data-label=(lang.say("Means", "含义")) {
                            select name=(format!("column.{}", column.letters)) aria-label=(column.heading) {
                                option value="" selected[column.field.is_none()] { (lang.say("(left out)", "（不导入）")) }
                                @for (id, en, zh) in &fields {
                                    option value=(id) selected[column.field.as_deref() == Some(*id)] { (lang.say(en, zh)) }
                                }
                            }
                        }
                    }
                } }
            }
            p.actions { button type="submit" { (lang.say("These columns are right: check the rows", "列含义正确，开始校验")) } }
        }
    }
}

fn conflicts(lang: Lang, kept: &[Written]) -> Markup {
    html! {
        h2 { (lang.say("Kept: somebody has changed them since", "保留：之后已被修改的记录")) }
        ul.touched { @for one in kept {
            li { a.mono href=(format!("/console/journeys?find={}/{}", one.entity, one.id)) { (one.entity) "/" (one.id) } " · " (lang.say("row ", "第 ")) (one.number) (lang.say("", " 行")) }
        } }
    }
}

fn history(lang: Lang, shared: &Shared, steps: &[ImportStep]) -> Markup {
    let word = |step: &str| match step {
        "uploaded" => lang.say("uploaded", "上传"),
        "checked" => lang.say("columns confirmed", "确认各列"),
        "asked" => lang.say("asked for a second person's consent", "提交复核"),
        "applying" => lang.say("had it applied", "开始写入"),
        "tried" => lang.say("tried on a tenant of its own", "试导入"),
        "approved" => lang.say("agreed", "复核通过"),
        "applied" => lang.say("applied", "写入完成"),
        "undo" => lang.say("had it undone", "开始撤销"),
        "undone" => lang.say("undone", "撤销完成"),
        "rolled_back" => lang.say("rolled the trial back", "清除试导入"),
        "discarded" => lang.say("discarded", "放弃"),
        "failed" => lang.say("failed", "失败"),
        _ => "",
    };
    html! {
        h2 { (lang.say("Who did what", "操作记录")) }
        table.journeys {
            thead { tr {
                th scope="col" { (lang.say("When", "时间")) }
                th scope="col" { (lang.say("What", "操作")) }
                th scope="col" { (lang.say("Who", "操作人")) }
            } }
            tbody { @for step in steps {
                tr {
                    td data-label=(lang.say("When", "时间")) { (time(shared, step.at, "%Y-%m-%d %H:%M:%S")) }
                    td data-label=(lang.say("What", "操作")) { (word(&step.step)) " " (step.note) }
                    td data-label=(lang.say("Who", "操作人")) { @if step.by.is_empty() { (lang.say("the hub", "系统")) } @else { (step.by) } }
                }
            } }
        }
    }
}

/// Asks once more.
pub(super) async fn confirm(shared: &Shared, visit: &Visit, id: &str, verb: &str) -> Result<Response, Response> {
    let lang = visit.lang;
    let shown = match imports::find(&shared.hub, &visit.who.tenant, id).await {
        Ok(shown) => shown,
        Err(Refused::Store(error)) => return Err(failed(visit)(error)),
        Err(_) => return page(shared, visit, id, "", None).await,
    };
    let trial = shown.import.is_trial();
    let (title, text) = match (verb, trial) {
        ("undo", true) => (
            lang.say("Roll the trial back?", "清除试导入？"),
            lang.say(
                "All that was tried on the trial tenant goes, of all imports that were tried there. They can be applied again.",
                "试用租户中的全部数据（包括其他试导入）将被清除；这些导入之后仍可写入。",
            ),
        ),
        ("undo", false) => (
            lang.say("Undo this import?", "撤销此次导入？"),
            lang.say(
                "Records that it made are deleted, records that it changed are as they were before. What somebody has changed since stays, and is listed. Systems that were told are told again.",
                "由它新建的记录将被删除，由它更新的记录恢复原状。之后被他人修改过的记录将保留并列出。已收到通知的系统会再次收到通知。",
            ),
        ),
        ("discard", _) => (
            lang.say("Discard this import?", "放弃此次导入？"),
            lang.say("The file and its rows are removed; who did what stays.", "文件及其各行将被删除，操作记录保留。"),
        ),
        _ => return Ok(visit.page(StatusCode::NOT_FOUND, lang.say("Not found", "未找到"), back(lang))),
    };
    let body = html! {
        p.crumb { a href=(format!("/console/imports/{id}")) { "← " (shown.about.file_name) } }
        section.card {
            h1 { (title) }
            p { (text) }
            form.actions method="post" action=(format!("/console/imports/{id}/{verb}")) {
                input type="hidden" name="proof" value=(visit.proof);
                button.danger type="submit" { (if verb == "undo" { if trial { lang.say("Roll back", "清除") } else { lang.say("Undo it", "确认撤销") } } else { lang.say("Discard it", "确认放弃") }) }
                a href=(format!("/console/imports/{id}")) { (lang.say("Back", "返回")) }
            }
        }
    };
    Ok(visit.page(StatusCode::OK, title, body))
}
