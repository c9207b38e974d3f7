//! Signing in and out.

use crate::page::{Page, denied, language};
use crate::sign_in;
use crate::words::{Lang, cookie};
use crate::{Console, Shared};
use axum::Form;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_flow::access::{Denied, Principal};
use hub_flow::audit::Entry;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

const COOKIE: &str = "hrhub_session";
/// Keys under which sessions are sealed.
pub(crate) const TENANT: &str = "default";
const CONTEXT: &str = "console-session";
const LASTS_MICROS: i64 = 12 * 3600 * 1_000_000;

/// A key that was shown once, and until when that counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    handle: String,
    until: i64,
}

impl Session {
    pub(crate) async fn begin(shared: &Shared, key: &str) -> Result<Self, Denied> {
        let who = match shared.keys.identify(key.trim()).await {
            Err(Denied::Unknown) => {
                shared
                    .hub
                    .audit_stranger(Entry::by_stranger("console.signed_in").detail("reason", "no_valid_key"))
                    .await;
                return Err(Denied::Unknown);
            }
            known => known?,
        };
        shared.hub.audit(Entry::by(&who, "console.signed_in")).await?;
        Ok(Self { handle: who.proof, until: shared.hub.clock.micros() + LASTS_MICROS })
    }

    /// A session of somebody who has proved who they are without a key.
    pub(crate) fn of_person(shared: &Shared, who: Principal) -> Self {
        Self { handle: who.proof, until: shared.hub.clock.micros() + LASTS_MICROS }
    }

    async fn to_cookie(&self, shared: &Shared) -> Result<HeaderValue, Denied> {
        let keyring = shared.hub.store.keyring();
        keyring.ensure(&shared.hub.store, &shared.hub.clock, TENANT).await?;
        let text = serde_json::to_vec(self).unwrap_or_default();
        let sealed = URL_SAFE_NO_PAD.encode(keyring.seal(TENANT, CONTEXT, &text)?.0);
        Ok(set_cookie(&sealed, LASTS_MICROS / 1_000_000, shared.secure()))
    }

    fn of(shared: &Shared, headers: &HeaderMap) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie(headers, COOKIE)?).ok()?;
        let text = shared.hub.store.keyring().open(TENANT, CONTEXT, &sealed).ok()?;
        let session: Self = serde_json::from_slice(&text).ok()?;
        (session.until > shared.hub.clock.micros()).then_some(session)
    }
}

fn set_cookie(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Somebody who looks at a page, in which language, and where; strangers are sent to the login page.
pub(crate) struct Visit {
    pub(crate) who: Principal,
    pub(crate) lang: Lang,
    /// The page's own address without its `lang` parameter.
    pub(crate) here: String,
    /// What forms that change something bring back: only a page that was shown to this session can know it.
    pub(crate) proof: String,
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let login = || Redirect::to("/console/login").into_response();
        let session = Session::of(&console.0, &parts.headers).ok_or_else(login)?;
        let lang = language(parts.uri.query(), &parts.headers);
        match console.0.keys.resume(&session.handle).await {
            Ok(who) => {
                let text = format!("{}:{}", session.handle, session.until);
                let proof = console.0.hub.store.keyring().match_key(TENANT, "console-form", &text);
                let proof = proof.map_err(|error| denied(lang, Some(&who), parts.uri.path(), &error.into()))?;
                Ok(Self { who, lang, here: without_lang(&parts.uri), proof })
            }
            Err(Denied::Unknown) => Err(login()),
            Err(other) => Err(denied(lang, None, parts.uri.path(), &other)),
        }
    }
}

impl Visit {
    /// A page for them.
    pub(crate) fn page(&self, status: StatusCode, title: &str, body: Markup) -> Response {
        Page { lang: self.lang, title, here: &self.here, who: Some(&self.who), body }.render(status)
    }

    /// The page that says why they do not see what they asked for.
    pub(crate) fn denied(&self, reason: &Denied) -> Response {
        denied(self.lang, Some(&self.who), &self.here, reason)
    }
}

/// An address without its `lang` parameter.
fn without_lang(uri: &Uri) -> String {
    let rest: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("lang=")).collect();
    let rest = rest.join("&");
    if rest.is_empty() { uri.path().to_owned() } else { format!("{}?{rest}", uri.path()) }
}

/// The login page.
pub(crate) async fn form(State(console): State<Console>, uri: Uri, headers: HeaderMap) -> Response {
    login_page(&console.0, uri.query(), &headers, None)
}

fn login_page(shared: &Shared, query: Option<&str>, headers: &HeaderMap, wrong: Option<&Denied>) -> Response {
    let lang = language(query, headers);
    let title = lang.say("Sign in", "登录");
    let body = html! {
        section.card.narrow {
            h1 { (title) }
            (sign_in::choices(shared, lang))
            p { (lang.say(
                "Sign in with an API key that has the scope ops or admin. This makes one:",
                "请使用具有 ops 或 admin 权限的 API 密钥登录。创建方法：",
            )) }
            p { code { "hrhub keys create --name NAME --scopes ops" } }
            @if wrong.is_some() {
                p.alert role="alert" id="wrong" { (lang.say("This key is not valid.", "密钥无效。")) }
            }
            form.stack method="post" action="/console/login" {
                label for="key" { (lang.say("API key", "API 密钥")) }
                input id="key" name="key" type="password" autocomplete="current-password" required autofocus
                    aria-describedby=[wrong.is_some().then_some("wrong")];
                button type="submit" { (title) }
            }
        }
    };
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    Page { lang, title, here: "/console/login", who: None, body }.render(status)
}

/// The login form.
#[derive(Deserialize)]
pub(crate) struct Login {
    key: String,
}

pub(crate) async fn login(State(console): State<Console>, headers: HeaderMap, Form(login): Form<Login>) -> Response {
    match Session::begin(&console.0, &login.key).await {
        Ok(session) => enter(&console, &session, &headers).await,
        Err(wrong @ Denied::Unknown) => login_page(&console.0, None, &headers, Some(&wrong)),
        Err(other) => denied(language(None, &headers), None, "/console/login", &other),
    }
}

pub(crate) async fn enter(console: &Console, session: &Session, headers: &HeaderMap) -> Response {
    match session.to_cookie(&console.0).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/console/journeys")).into_response(),
        Err(error) => denied(language(None, headers), None, "/console/login", &error),
    }
}

/// Signs in whoever opens it first.
pub(crate) async fn ticket(
    State(console): State<Console>,
    uri: Uri,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let session = console.0.tickets().remove(&ticket);
    match session.filter(|session| session.until > console.0.hub.clock.micros()) {
        Some(session) => enter(&console, &session, &headers).await,
        None if Session::of(&console.0, &headers).is_some() => Redirect::to("/console/journeys").into_response(),
        None => denied(language(uri.query(), &headers), None, "/console/login", &Denied::Unknown),
    }
}

pub(crate) async fn logout(State(console): State<Console>) -> Response {
    let gone = set_cookie("", 0, console.0.secure());
    ([(header::SET_COOKIE, gone)], Redirect::to("/console/login")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_of_language_keeps_the_rest_of_the_address() {
        let of = |uri: &str| without_lang(&uri.parse().unwrap());
        assert_eq!(of("/console/journeys?lang=zh"), "/console/journeys");
        assert_eq!(of("/console/journeys?find=a&lang=zh&after=1"), "/console/journeys?find=a&after=1");
    }
}
