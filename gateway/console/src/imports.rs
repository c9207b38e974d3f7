//! Imports: a file is brought, its columns are confirmed, its rows looked at, applied, and undone if need be.

mod compared;
mod preview;
mod show;

use crate::journeys::{time, zone_name};
use crate::parked::failed;
use crate::session::Visit;
use crate::words::Lang;
use crate::{Console, Shared};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use hub_flow::access::{Denied, Scope};
use hub_flow::imports::{self, Brought, Refused, Shown, Wanted, sheet};
use hub_store::{Import, ImportState, job};
use hub_tree::form_data;
use maud::{Markup, html};
use std::time::Duration;

pub(crate) use compared::comparison;
pub(crate) use show::show;

const PAGE: i64 = 50;
/// How long a file may take to arrive, and what a form adds to it.
const FILE_WITHIN: Duration = Duration::from_secs(300);
const FORM_BYTES: usize = 1 << 20;

/// Refuses who has nothing to do with imports.
fn may(visit: &Visit) -> Result<(), Denied> {
    let approves = || visit.who.need(Scope::ImportApprove);
    visit.who.need(Scope::Import).or_else(|lacks| approves().map_err(|_| lacks))
}

fn title(lang: Lang) -> &'static str {
    lang.say("Imports", "导入")
}

fn back(lang: Lang) -> Markup {
    html! { p.crumb { a href="/console/imports" { "← " (lang.say("All imports", "全部导入")) } } }
}

/// The chip of a state.
fn chip(lang: Lang, import: &Import) -> Markup {
    let (class, word) = match import.state {
        ImportState::Uploaded => ("chip retry", lang.say("columns to confirm", "待确认列")),
        ImportState::Checking => ("chip retry", lang.say("being checked", "校验中")),
        ImportState::Checked => ("chip retry", lang.say("checked, not applied", "已校验，未写入")),
        ImportState::AwaitingReview => ("chip retry", lang.say("awaits a second person", "待复核")),
        ImportState::Applying => ("chip retry", lang.say("being applied", "写入中")),
        ImportState::Applied if import.is_trial() => ("chip retry", lang.say("on trial", "试导入")),
        ImportState::Applied => ("chip ok", lang.say("applied", "已写入")),
        ImportState::Failed => ("chip parked", lang.say("failed", "失败")),
        ImportState::Undoing => ("chip retry", lang.say("being undone", "撤销中")),
        ImportState::Undone => ("chip parked", lang.say("undone", "已撤销")),
        ImportState::Discarded => ("chip parked", lang.say("discarded", "已放弃")),
    };
    html! { span class=(class) { (word) } }
}

/// What rows can be, in the language of the page.
fn kind(lang: Lang, target: &str) -> String {
    let found = sheet::kinds().into_iter().find(|(name, ..)| *name == target);
    found.map_or_else(
        || target.to_owned(),
        |(_, en, zh)| match lang {
            Lang::En => en.to_owned(),
            Lang::Zh => zh.to_owned(),
        },
    )
}

/// Uploads, and the history of imports.
pub(crate) async fn list(
    State(console): State<Console>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    may(&visit).map_err(|lacks| visit.denied(&lacks))?;
    let query = query.unwrap_or_default();
    let after = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    let after = after.map(|(_, value)| value.into_owned()).unwrap_or_default();
    list_page(&console.0, &visit, &after, StatusCode::OK, None).await
}

async fn list_page(
    shared: &Shared,
    visit: &Visit,
    after: &str,
    status: StatusCode,
    wrong: Option<String>,
) -> Result<Response, Response> {
    let (tenant, from) = (visit.who.tenant.clone(), after.to_owned());
    let found = shared.hub.store.read(job!(|tx| {
        let mut found = Vec::new();
        for import in tx.imports(&tenant, &from, PAGE + 1).await? {
            let steps = tx.import_steps(&import.id).await?;
            found.push((import, steps));
        }
        Ok(found)
    }));
    let mut found = found.await.map_err(failed(visit))?;
    let more = i64::try_from(found.len()).unwrap_or(0) > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(0));
    let mut rows = Vec::with_capacity(found.len());
    for (import, steps) in found {
        rows.push((imports::open(&shared.hub, import).map_err(failed(visit))?, steps));
    }
    let lang = visit.lang;
    let last = rows.last().map(|(shown, _)| shown.import.id.clone()).filter(|_| more);
    let body = html! {
        h1 { (title(lang)) }
        p.lead { (lang.say(
            "A spreadsheet or CSV file becomes records. Nothing is written before you have seen every row, and all of it can be undone.",
            "电子表格或 CSV 文件将转为系统记录。写入之前可以看到每一行的校验结果，写入之后可以整批撤销。",
        )) }
        @if visit.who.need(Scope::Import).is_ok() { (upload_form(visit, wrong.as_deref())) }
        h2 { (lang.say("History", "历史记录")) }
        @if rows.is_empty() {
            p.empty { (lang.say("No file was imported yet.", "还没有导入过文件。")) }
        } @else {
            table.journeys {
                thead { tr {
                    th scope="col" { (lang.say("Uploaded", "上传时间")) }
                    th scope="col" { (lang.say("File", "文件")) }
                    th scope="col" { (lang.say("Rows are", "类型")) }
                    th scope="col" { (lang.say("State", "状态")) }
                    th.number scope="col" { (lang.say("Rows applied", "已写入行数")) }
                    th scope="col" { (lang.say("By", "操作人")) }
                } }
                tbody { @for (shown, steps) in &rows {
                    tr {
                        td data-label=(lang.say("Uploaded", "上传时间")) { (time(shared, shown.import.uploaded_at, "%Y-%m-%d %H:%M")) }
                        td data-label=(lang.say("File", "文件")) { a href=(format!("/console/imports/{}", shown.import.id)) { (shown.about.file_name) } }
                        td data-label=(lang.say("Rows are", "类型")) { (kind(lang, &shown.import.target)) }
                        td data-label=(lang.say("State", "状态")) { (chip(lang, &shown.import)) }
                        td.number data-label=(lang.say("Rows applied", "已写入行数")) { (shown.import.counts.done) " / " (shown.import.counts.total) }
                        td data-label=(lang.say("By", "操作人")) { (steps.first().map(|step| step.by.as_str()).unwrap_or_default()) }
                    }
                } }
            }
            p.zone { (lang.say("Times in ", "时区：")) (zone_name(shared)) }
            @if let Some(last) = last {
                p { a.button href=(format!("/console/imports?after={last}")) { (lang.say("Older", "更早的")) } }
            }
        }
    };
    Ok(visit.page(status, title(lang), body))
}

fn upload_form(visit: &Visit, wrong: Option<&str>) -> Markup {
    let lang = visit.lang;
    html! {
        form.card.stack.upload method="post" action="/console/imports" enctype="multipart/form-data" {
            @if let Some(wrong) = wrong { p.alert role="alert" id="wrong" { (wrong) } }
            input type="hidden" name="proof" value=(visit.proof);
            label for="file" { (lang.say("File: XLSX, XLS, ODS, CSV or TSV", "文件：XLSX、XLS、ODS、CSV 或 TSV")) }
            input id="file" name="file" type="file" required accept=".xlsx,.xls,.ods,.csv,.tsv,.txt"
                aria-describedby=[wrong.is_some().then_some("wrong")];
            label for="as" { (lang.say("Each row is", "每一行是")) }
            select id="as" name="as" {
                @for (name, en, zh) in sheet::kinds() {
                    option value=(name) selected[name == "employee"] { (lang.say(en, zh)) }
                }
            }
            label for="mode" { (lang.say("Records that are there already", "已存在的记录")) }
            select id="mode" name="mode" {
                option value="upsert" { (lang.say("are changed", "更新")) }
                option value="insert" { (lang.say("are an error", "视为错误")) }
            }
            p { button type="submit" { (lang.say("Upload and look at the columns", "上传并查看列")) } }
        }
    }
}

/// What a form of uploads says.
#[derive(Default)]
struct Form {
    proof: String,
    brought: Option<(String, Vec<u8>)>,
    target: String,
    upsert: bool,
}

fn read_form(kind: &str, bytes: &[u8]) -> Option<Form> {
    let mut form = Form { upsert: true, ..Form::default() };
    for part in form_data::read(kind, bytes).ok()? {
        let text = part.text().unwrap_or_default();
        match part.name {
            "proof" => text.clone_into(&mut form.proof),
            "as" => text.clone_into(&mut form.target),
            "mode" => form.upsert = text != "insert",
            "file" => {
                // Some browsers send the whole way to the file.
                let name = part.file_name.unwrap_or_default();
                let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
                form.brought = Some((name.chars().take(255).collect(), part.body.to_vec()));
            }
            _ => {}
        }
    }
    Some(form)
}

/// Takes a file in; somebody looks at its columns before its rows are checked.
pub(crate) async fn upload(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    visit.who.need(Scope::Import).map_err(|lacks| visit.denied(&lacks))?;
    let (shared, lang) = (&*console.0, visit.lang);
    let most = shared.hub.imports.max_bytes;
    let read = tokio::time::timeout(FILE_WITHIN, to_bytes(body, most + FORM_BYTES)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let wrong = match lang {
                Lang::En => format!("The file is larger than {most} bytes: split it."),
                Lang::Zh => format!("文件超过 {most} 字节，请拆分。"),
            };
            return list_page(shared, &visit, "", StatusCode::PAYLOAD_TOO_LARGE, Some(wrong)).await;
        }
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = read_form(kind, &bytes).ok_or_else(|| StatusCode::BAD_REQUEST.into_response())?;
    proven(&visit, &form.proof).map_err(|reason| visit.denied(&reason))?;
    let (file_name, file) = form.brought.unwrap_or_default();
    let brought = Brought {
        file_name,
        bytes: file,
        target: form.target,
        mapping: String::new(),
        mapping_text: None,
        wanted: Wanted { upsert: Some(form.upsert), ..Wanted::default() },
        hold: true,
    };
    match imports::begin(&shared.hub, &visit.who, brought).await {
        Ok(shown) => Ok(to(&shown)),
        Err(Refused::Store(error)) => Err(failed(&visit)(error)),
        Err(refused) => {
            let wrong = Some(words(lang, &refused));
            list_page(shared, &visit, "", StatusCode::UNPROCESSABLE_ENTITY, wrong).await
        }
    }
}

fn to(shown: &Shown) -> Response {
    Redirect::to(&format!("/console/imports/{}", shown.import.id)).into_response()
}

/// Refuses a form that was not sent from a page of this session.
fn proven(visit: &Visit, proof: &str) -> Result<(), Denied> {
    if proof == visit.proof { Ok(()) } else { Err(Denied::Unknown) }
}

/// Why something is not done, for people.
fn words(lang: Lang, refused: &Refused) -> String {
    match refused {
        Refused::File(problem) => match lang {
            Lang::En => problem.said.en.to_string(),
            Lang::Zh => problem.said.zh.to_string(),
        },
        Refused::Asked(_, why) | Refused::State(why) => why.clone(),
        Refused::SecondPerson => lang
            .say(
                "Somebody else has to agree: you brought this file or asked for it.",
                "需由其他人复核：此文件由你上传或提交。",
            )
            .to_owned(),
        Refused::Unknown => lang.say("There is no such import.", "没有这次导入。").to_owned(),
        Refused::Store(_) => lang.say("The store does not answer now.", "存储暂时无响应。").to_owned(),
    }
}

/// The fields of a form.
struct Sent(Vec<(String, String)>);

impl Sent {
    fn read(form: &str) -> Self {
        let pairs = url::form_urlencoded::parse(form.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// What a button does: `columns`, `apply`, `approve`, `undo`, `discard`.
pub(crate) async fn act(
    State(console): State<Console>,
    visit: Visit,
    Path((id, verb)): Path<(String, String)>,
    form: String,
) -> Result<Response, Response> {
    let scope = if verb == "approve" { Scope::ImportApprove } else { Scope::Import };
    visit.who.need(scope).map_err(|lacks| visit.denied(&lacks))?;
    let sent = Sent::read(&form);
    proven(&visit, sent.get("proof")).map_err(|reason| visit.denied(&reason))?;
    let (hub, who) = (&console.0.hub, &visit.who);
    let done = match verb.as_str() {
        "columns" => {
            let said = sent.0.iter().filter_map(|(name, field)| Some((name.strip_prefix("column.")?, field)));
            let wanted = Wanted {
                sheet: Some(sent.get("sheet").to_owned()).filter(|sheet| !sheet.is_empty()),
                columns: said.map(|(name, field)| (name.to_owned(), field.clone())).collect(),
                ..Wanted::default()
            };
            imports::check(hub, who, &id, wanted).await
        }
        "apply" => imports::apply(hub, who, &id, sent.get("trial") == "yes", Some(sent.get("rows") == "all")).await,
        "approve" => imports::approve(hub, who, &id).await,
        "undo" => imports::undo(hub, who, &id).await,
        "discard" => imports::discard(hub, who, &id).await,
        _ => return Err(StatusCode::NOT_FOUND.into_response()),
    };
    match done {
        Ok(shown) => Ok(to(&shown)),
        Err(Refused::Store(error)) => Err(failed(&visit)(error)),
        Err(refused) => show::page(&console.0, &visit, &id, "", Some(words(visit.lang, &refused))).await,
    }
}

/// Asks once more before something is undone or thrown away.
pub(crate) async fn confirm(
    State(console): State<Console>,
    visit: Visit,
    Path((id, verb)): Path<(String, String)>,
) -> Result<Response, Response> {
    may(&visit).map_err(|lacks| visit.denied(&lacks))?;
    if verb == "report.xlsx" {
        return report(&console.0, &visit, &id).await;
    }
    if verb == "comparison" {
        return comparison(&console.0, &visit, &id).await;
    }
    show::confirm(&console.0, &visit, &id, &verb).await
}

/// The workbook that came, with what is wrong in two columns of its own.
async fn report(shared: &Shared, visit: &Visit, id: &str) -> Result<Response, Response> {
    match imports::report(&shared.hub, &visit.who, id, false, visit.lang.tag()).await {
        Ok(report) => {
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            let name = "attachment; filename=\"report.xlsx\"";
            Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], report).into_response())
        }
        Err(Refused::Store(error)) => Err(failed(visit)(error)),
        Err(refused) => show::page(shared, visit, id, "", Some(words(visit.lang, &refused))).await,
    }
}
