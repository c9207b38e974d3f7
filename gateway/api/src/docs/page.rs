//! The reference page and the pages of codes, in Chinese and English, rendered from the table of operations.

use crate::problem::Code;
use crate::spec::{Shown, document, shown};
use axum::http::{HeaderMap, header};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// The language that was chosen (`?lang=`), else the browser's.
    pub(super) fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        let chosen = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("lang=")));
        let browser = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let first = chosen.or(browser).unwrap_or_default().trim_start().to_ascii_lowercase();
        if first.starts_with("zh") { Self::Zh } else { Self::En }
    }

    const fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

fn frame(lang: Lang, title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(lang.say("en", "zh-CN")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · HR Hub" }
                link rel="stylesheet" href="/docs/docs.css";
                link rel="icon" href="data:,";
                script src="/docs/docs.js" defer {}
            }
            body {
                a.skip href="#main" { (lang.say("Skip to content", "跳到正文")) }
                header.top {
                    a.brand href=(format!("/docs?lang={}", lang.say("en", "zh"))) { "HR Hub API" }
                    a.lang href=(lang.say("?lang=zh", "?lang=en")) lang=(lang.say("zh-CN", "en")) {
                        (lang.say("中文", "English"))
                    }
                }
                main id="main" tabindex="-1" { (body) }
            }
        }
    };
    page.into_string()
}

/// Text with `code` in it.
fn marked(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The reference.
pub(super) fn reference(lang: Lang) -> String {
    let topics = shown();
    let body = html! {
        h1 { (lang.say("API reference", "API 参考")) }
        p.lead {
            (lang.say("One API over every connected HR system. Generate a client from ", "一套 API 连接所有人事系统。可用此文件生成客户端："))
            a href="/openapi.json" { "openapi.json" } "."
        }
        section.card {
            label for="key" { (lang.say("API key for trying calls", "用于试调的 API 密钥")) }
            input #key type="password" autocomplete="off" spellcheck="false" placeholder="hrk_…";
            p.dim { (lang.say(
                "It stays in this tab, and goes to this hub only. What is tried here really happens.",
                "密钥只保存在当前标签页，只发送给本系统。此处的调用会真实执行。",
            )) }
        }
        details.card {
            summary { (lang.say("Guides", "指南")) }
            ul { @for (name, title) in super::guides() { li { a href=(format!("/docs/guides/{name}")) { (title) } } } }
        }
        nav.topics aria-label=(lang.say("Topics", "主题")) {
            @for (index, topic) in topics.iter().enumerate() { a href=(format!("#topic-{index}")) { (topic.name) } }
        }
        @for (index, topic) in topics.iter().enumerate() {
            section id=(format!("topic-{index}")) {
                h2 { (topic.name) }
                p.dim { (marked(topic.doc)) }
                @for operation in &topic.operations { (one(lang, operation)) }
            }
        }
    };
    frame(lang, lang.say("API reference", "API 参考"), &body)
}

/// An operation that can be tried.
fn one(lang: Lang, operation: &Shown) -> Markup {
    let described = &document()["paths"][&operation.path][operation.method.to_ascii_lowercase()];
    let none = Vec::new();
    let parameters = described["parameters"].as_array().unwrap_or(&none);
    let sent = &described["requestBody"]["content"];
    let in_json = &sent["application/json"];
    html! {
        details.operation id=(operation.id) {
            summary {
                span class=(format!("method {}", operation.method.to_ascii_lowercase())) { (operation.method) }
                code { (operation.template) }
                span.what { (marked(operation.summary)) }
            }
            @if !operation.needs.is_empty() {
                p.dim { (lang.say("Needs one of: ", "所需权限（任一）：")) @for need in operation.needs { code { (need) } " " } }
            }
            form.try data-method=(operation.method) data-path=(operation.template) {
                @if !operation.collections.is_empty() {
                    label { "collection"
                        select name="collection" data-in="path" {
                            @for name in &operation.collections { option { (name) } }
                        }
                    }
                }
                @for parameter in parameters {
                    @let name = parameter["name"].as_str().unwrap_or_default();
                    label {
                        span { code { (name) } @if parameter["required"] == true { " *" } " "
                            span.dim { (marked(parameter["description"].as_str().unwrap_or_default())) } }
                        input name=(name) data-in=(parameter["in"].as_str().unwrap_or_default())
                            autocomplete="off" required[parameter["required"] == true];
                    }
                }
                @if !sent.is_null() {
                    label { (lang.say("Body", "请求体"))
                        textarea name="body" rows="6" spellcheck="false" {
                            @if let Some(example) = in_json["examples"]["example-1"].get("value") {
                                (format!("{example:#}"))
                            }
                        }
                    }
                    (members(lang.say("What may be sent", "可发送的字段"), &in_json["schema"]))
                }
                button type="submit" { (lang.say("Send", "发送")) }
                output aria-live="polite" {}
            }
            @for (status, answer) in described["responses"].as_object().into_iter().flatten() {
                @if status.starts_with('2') {
                    (members(&format!("{status} {}", answer["description"].as_str().unwrap_or_default()),
                        &answer["content"]["application/json"]["schema"]))
                } @else {
                    p.dim { code { (status) } " " (marked(answer["description"].as_str().unwrap_or_default())) }
                }
            }
        }
    }
}

/// The schema that a reference leads to.
fn resolved(schema: &Value) -> &Value {
    let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
    name.map_or(schema, |name| &document()["components"]["schemas"][name])
}

/// The members of an object; of a page, of what it lists.
fn members(title: &str, schema: &Value) -> Markup {
    let mut schema = resolved(schema);
    if schema["properties"].get("next_cursor").is_some() {
        schema = resolved(&schema["properties"]["data"]["items"]);
    }
    let Some(properties) = schema["properties"].as_object() else { return html! { p.dim { (title) } } };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        details.members {
            summary { (title) }
            dl {
                @for (name, property) in properties {
                    dt { code { (name) } " " span.dim { (kind(property)) @if required.contains(&name.as_str()) { " *" } } }
                    dd { (marked(property["description"].as_str().unwrap_or_default())) }
                }
            }
        }
    }
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        return name.to_owned();
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", kind_of_items(schema)),
        Value::String(kind) => schema["format"].as_str().unwrap_or(kind).to_owned(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

fn kind_of_items(schema: &Value) -> String {
    kind(&schema["items"])
}

/// The page of a code.
pub(super) fn problem(lang: Lang, name: &str, code: &Code) -> String {
    let body = html! {
        h1 { code { (name) } }
        dl.card {
            dt { (lang.say("Status", "状态码")) } dd { (code.status) }
            dt { (lang.say("What it means", "含义")) } dd { (marked(code.meaning)) }
            @if !code.what_to_do.is_empty() {
                dt { (lang.say("What to do", "处理方法")) } dd { (marked(code.what_to_do)) }
            }
        }
        p { a href="/docs/guides/problems.md" { (lang.say("All codes", "全部代码")) } }
    };
    frame(lang, name, &body)
}
