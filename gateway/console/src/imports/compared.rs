//! A trial beside the records that it was tried for.

use super::{Refused, show, words};
use crate::Shared;
use crate::parked::failed;
use crate::session::Visit;
use crate::words::Lang;
use axum::http::StatusCode;
use axum::response::Response;
use hub_flow::imports::compare::{self, Compared};
use hub_model::Class;
use maud::{Markup, html};

/// How the trial of an import compares.
pub(crate) async fn comparison(shared: &Shared, visit: &Visit, id: &str) -> Result<Response, Response> {
    let lang = visit.lang;
    let allowed = visit.who.reads_everything().unwrap_or(Class::S1);
    let compared = match compare::compare(&shared.hub, &visit.who.tenant, id, allowed).await {
        Ok(compared) => compared,
        Err(Refused::Store(error)) => return Err(failed(visit)(error)),
        Err(refused) => return show::page(shared, visit, id, "", Some(words(lang, &refused))).await,
    };
    let title = lang.say("Trial and records", "试导入与现有记录对比");
    let body = html! {
        p.crumb { a href=(format!("/console/imports/{id}")) { "← " (lang.say("The import", "返回此次导入")) } }
        h1 { (title) }
        p.lead { (lang.say(
            "What the trial tenant holds beside what is there. Records match by the number or code that people know them by; what the file does not say is no difference.",
            "试用租户中的数据与现有记录的对比。记录按工号或编码匹配；文件中没有的内容不算差异。",
        )) }
        table.journeys {
            thead { tr {
                th scope="col" { (lang.say("Records", "记录")) }
                th.number scope="col" { (lang.say("On trial", "试导入")) }
                th.number scope="col" { (lang.say("There now", "现有")) }
                th.number scope="col" { (lang.say("Matching", "匹配")) }
                th.number scope="col" { (lang.say("New", "新增")) }
                th.number scope="col" { (lang.say("Different", "有差异")) }
            } }
            tbody { @for one in &compared {
                tr {
                    td data-label=(lang.say("Records", "记录")) { (lang.entity(one.entity.name)) }
                    td.number data-label=(lang.say("On trial", "试导入")) { (one.trial) }
                    td.number data-label=(lang.say("There now", "现有")) { (one.target) }
                    td.number data-label=(lang.say("Matching", "匹配")) { (one.matched) }
                    td.number data-label=(lang.say("New", "新增")) { (one.trial - one.matched) }
                    td.number data-label=(lang.say("Different", "有差异")) { (one.differing) }
                }
            } }
        }
        (sums(lang, &compared))
        @for one in compared.iter().filter(|one| !one.samples.is_empty()) { (samples(lang, one)) }
    };
    Ok(visit.page(StatusCode::OK, title, body))
}

fn sums(lang: Lang, compared: &[Compared]) -> Markup {
    if compared.iter().all(|one| one.sums.is_empty()) {
        return html! {};
    }
    html! {
        h2 { (lang.say("Sums of money", "金额合计")) }
        table.journeys {
            thead { tr {
                th scope="col" { (lang.say("Records", "记录")) }
                th scope="col" { (lang.say("Field", "字段")) }
                th scope="col" { (lang.say("Currency", "币种")) }
                th.number scope="col" { (lang.say("On trial", "试导入")) }
                th.number scope="col" { (lang.say("There now, of those that match", "现有（匹配的记录）")) }
            } }
            tbody { @for one in compared { @for ((field, currency), (trial, target)) in &one.sums {
                tr {
                    td data-label=(lang.say("Records", "记录")) { (lang.entity(one.entity.name)) }
                    td.mono data-label=(lang.say("Field", "字段")) { (field) }
                    td data-label=(lang.say("Currency", "币种")) { (currency) }
                    td.number data-label=(lang.say("On trial", "试导入")) { (trial) }
                    td.number data-label=(lang.say("There now, of those that match", "现有（匹配的记录）")) { (target) }
                }
            } } }
        }
    }
}

fn samples(lang: Lang, one: &Compared) -> Markup {
    html! {
        h2 { (lang.entity(one.entity.name)) " · " (lang.say("records that differ", "有差异的记录")) }
        table.journeys {
            thead { tr {
                th scope="col" { (lang.say("Record", "记录")) }
                th scope="col" { (lang.say("Field", "字段")) }
                th scope="col" { (lang.say("On trial", "试导入")) }
                th scope="col" { (lang.say("There now", "现有")) }
            } }
            tbody { @for sample in &one.samples { @for (field, values) in &sample.fields {
                tr {
                    td data-label=(lang.say("Record", "记录")) { @if sample.known_as.is_empty() { span.mono { (sample.target) } } @else { (sample.known_as) } }
                    td.mono data-label=(lang.say("Field", "字段")) { (field) }
                    @if let Some((trial, target)) = values {
                        td.mono data-label=(lang.say("On trial", "试导入")) { (trial) }
                        td.mono data-label=(lang.say("There now", "现有")) { (target) }
                    } @else {
                        td data-label=(lang.say("On trial", "试导入")) { "•••" }
                        td data-label=(lang.say("There now", "现有")) { "•••" }
                    }
                }
            } } }
        }
    }
}
