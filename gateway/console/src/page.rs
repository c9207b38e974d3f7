//! The frame of every page.

use crate::words::{COOKIE, Lang};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hub_flow::access::{Denied, Principal};
use maud::{DOCTYPE, Markup, html};

/// Where the main navigation leads.
const PLACES: [(&str, &str, &str); 3] = [
    ("/console/journeys", "Journeys", "流转记录"),
    ("/console/parked", "Parked", "待人工处理"),
    ("/console/imports", "Imports", "导入"),
];

/// A page of the console.
pub(crate) struct Page<'p> {
    pub(crate) lang: Lang,
    pub(crate) title: &'p str,
    /// Its own path and query, for the switch of language.
    pub(crate) here: &'p str,
    pub(crate) who: Option<&'p Principal>,
    pub(crate) body: Markup,
}

impl Page<'_> {
    /// Whether the page belongs to a place of the navigation.
    fn is_below(&self, path: &str) -> bool {
        // Re-drives are reached from what lies parked.
        self.here.starts_with(path) || path == "/console/parked" && self.here.starts_with("/console/redrives")
    }

    pub(crate) fn render(self, status: StatusCode) -> Response {
        let lang = self.lang;
        let (other, other_name) = lang.other();
        let joint = if self.here.contains('?') { '&' } else { '?' };
        let switch = format!("{}{joint}lang={}", self.here, other.code());
        let markup = html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · HR Hub" }
                    link rel="stylesheet" href="/console/console.css";
                    link rel="icon" href="data:,";
                }
                body {
                    a.skip href="#main" { (lang.say("Skip to content", "跳到正文")) }
                    header.top {
                        a.brand href="/console/journeys" { span.mark aria-hidden="true" {} "HR Hub" }
                        @if self.who.is_some() {
                            nav aria-label=(lang.say("Main", "主导航")) {
                                @for (path, en, zh) in PLACES {
                                    a href=(path) aria-current=[self.is_below(path).then_some("page")] {
                                        (lang.say(en, zh))
                                    }
                                }
                            }
                        }
                        div.tools {
                            a.lang href=(switch) lang=(other.tag()) hreflang=(other.tag()) { (other_name) }
                            @if let Some(who) = self.who {
                                span.who { (who.name) }
                                form method="post" action="/console/logout" {
                                    button.quiet type="submit" { (lang.say("Sign out", "退出")) }
                                }
                            }
                        }
                    }
                    main id="main" tabindex="-1" { (self.body) }
                }
            }
        };
        (status, [language_cookie(lang)], Html(markup.into_string())).into_response()
    }
}

fn language_cookie(lang: Lang) -> (header::HeaderName, HeaderValue) {
    let text = format!("{COOKIE}={}; Path=/console; Max-Age=31536000; SameSite=Lax", lang.code());
    (header::SET_COOKIE, HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("")))
}

/// The language of a request: its `lang` parameter, cookie or browser.
pub(crate) fn language(query: Option<&str>, headers: &HeaderMap) -> Lang {
    let chosen = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("lang=")));
    Lang::of(chosen, headers)
}

/// The page that says why there is none.
pub(crate) fn denied(lang: Lang, who: Option<&Principal>, here: &str, denied: &Denied) -> Response {
    let (status, title, text) = match denied {
        Denied::Unknown => (
            StatusCode::UNAUTHORIZED,
            lang.say("Sign in", "登录"),
            lang.say("This page needs a valid key.", "此页面需要有效的密钥。").to_owned(),
        ),
        Denied::Lacks(scope) => (
            StatusCode::FORBIDDEN,
            lang.say("Not allowed", "无权访问"),
            match lang {
                Lang::En => format!("Your key lacks the scope `{scope}`. Ask an admin for a key with it."),
                Lang::Zh => format!("当前密钥缺少权限 `{scope}`，请向管理员申请。"),
            },
        ),
        Denied::Limited => (
            StatusCode::FORBIDDEN,
            lang.say("Not allowed", "无权访问"),
            lang.say(
                "Your access is limited to some departments; this page shows more.",
                "当前权限仅限部分部门，无法查看此页面。",
            )
            .to_owned(),
        ),
        Denied::Store(error) => {
            tracing::warn!(error = %error, "a page could not be shown");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                lang.say("Not available", "暂不可用"),
                lang.say("The store does not answer now. Try again in a moment.", "存储暂时无响应，请稍后再试。")
                    .to_owned(),
            )
        }
    };
    let body = html! {
        h1 { (title) }
        p { (text) }
    };
    let mut response = Page { lang, title, here, who, body }.render(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
